"""TLS sessions: tickets, how long they are good for, and the wait of clients with Nagle's algorithm."""
import base64
import re
import signal
import socket
import ssl
import statistics
import subprocess
import time

import pytest

from ca import CA, TlsWire, with_tls
from harness import COMMAND_S, TASKS
from together import until
from wire import ANSWER_S, message

VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3],
                                   ids=["1.2", "1.3"])
NAME = "acme.viewcases.com"
DELAYED_ACK_S = 0.04  # Linux: at least that


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return CA(tmp_path_factory.mktemp("ca") / "ca")


@pytest.fixture(scope="module")
def pair(ca):
    return ca.make("acme", NAME)


@pytest.fixture
def secure(make_server, pair):
    def make(**more):
        server = make_server(options=["--tls-cert", pair[0], "--tls-key", pair[1]], **more)
        server.name = NAME
        return server
    return make


class Client:
    """Connects anew for each request, and offers the ticket of the last connection."""

    def __init__(self, server, ca, version):
        self.server, self.context, self.session = server, ca.context(version), None

    def ask(self):
        """Sends a request. Returns whether the session was resumed."""
        with socket.create_connection((self.server.host, self.server.port), ANSWER_S) as raw:
            with self.context.wrap_socket(raw, server_hostname=NAME, session=self.session) as wrapped:
                wrapped.sendall(self.server.request("GET", TASKS + "/1", "Connection: close"))
                answer = b""
                while more := wrapped.recv(65536):
                    answer += more
                assert answer.startswith(b"HTTP/1.1 404 "), answer
                self.session = wrapped.session
                return wrapped.session_reused


# Tickets

@VERSIONS
def test_a_session_is_resumed(secure, ca, version):
    client = Client(secure(), ca, version)
    assert not client.ask()
    for _ in range(20):
        assert client.ask()


@VERSIONS
def test_many_tickets_of_many_clients(secure, ca, version):
    server = secure()
    clients = [Client(server, ca, version) for _ in range(20)]
    for resumed in (False, True, True):
        assert [client.ask() for client in clients] == [resumed] * len(clients)


@VERSIONS
def test_keys_change_daily(secure, ca, clock, version):
    """At midnight, for a process that nobody asks anything as well."""
    clock.set(time.time() // 86400 * 86400 + 86400 - 300)
    server = secure(env=clock.env)
    client = Client(server, ca, version)
    assert not client.ask()
    clock.set(clock.now + 299)
    time.sleep(1.5)
    assert client.ask()
    clock.set(clock.now + 1)
    until(lambda: not client.ask())
    assert client.ask()


@VERSIONS
def test_keys_change_with_the_certificates(secure, ca, version):
    server = secure()
    client = Client(server, ca, version)
    assert not client.ask()
    assert client.ask()
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "were read again" in server.stderr())
    assert not client.ask()
    assert client.ask()


@VERSIONS
def test_a_ticket_of_another_process(secure, ca, version):
    """The key is in memory only, so a restart makes another one."""
    client = Client(secure(), ca, version)
    assert not client.ask()
    client.server = secure()
    assert not client.ask()
    assert client.ask()


def openssl_client(server, ca, *options):
    """openssl s_client, which sends a request. Returns what it says of the session."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{server.host}:{server.port}", "-servername", NAME, "-CAfile",
         ca.certificate, "-verify_return_error", "-ign_eof", *options],
        input=server.request("GET", TASKS + "/1", "Connection: close"), capture_output=True,
        timeout=COMMAND_S, check=False)
    assert done.returncode == 0 and b"HTTP/1.1 404 " in done.stdout, done
    return done.stdout.decode("latin-1")


def ticket_of(session):
    """The bytes of the ticket in a session file of OpenSSL."""
    text = subprocess.run(["openssl", "sess_id", "-in", session, "-noout", "-text"], check=True,
                          capture_output=True, timeout=COMMAND_S).stdout.decode("latin-1")
    lines = text[text.index("TLS session ticket:"):].splitlines()[1:]
    digits = [re.match(r"\s+[0-9a-f]{4} - ((?:[0-9a-f]{2}[ -])+)", line) for line in lines]
    return bytes.fromhex("".join(found[1].replace("-", " ") for found in digits if found))


def flipped(at):
    return lambda ticket: ticket[:at] + bytes([ticket[at] ^ 1]) + ticket[at:][1:]


CHANGES = {"nothing": lambda ticket: ticket, "its key's name": flipped(0), "its middle": flipped(50),
           "its end": flipped(-1), "all": lambda ticket: bytes(len(ticket))}


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_ticket(secure, ca, tmp_path, version, change):
    """The handshake is a whole one, and works."""
    server, session = secure(), tmp_path / "session.pem"
    openssl_client(server, ca, version, "-sess_out", session)
    der = base64.b64decode("".join(session.read_text().splitlines()[1:-1]))
    ticket = ticket_of(session)
    assert len(ticket) > 64 and der.count(ticket) == 1
    der = der.replace(ticket, CHANGES[change](ticket))
    session.write_text("-----BEGIN SSL SESSION PARAMETERS-----\n" + base64.encodebytes(der).decode() +
                       "-----END SSL SESSION PARAMETERS-----\n")
    said = openssl_client(server, ca, version, "-sess_in", session)
    assert ("\nReused, TLS" in said) == (change == "nothing") != ("\nNew, TLS" in said)


def test_no_early_data(secure, ca, tmp_path):
    """Somebody else could send early data again (RFC 8446, section 8)."""
    server, session = secure(), tmp_path / "session.pem"
    said = openssl_client(server, ca, "-tls1_3", "-sess_out", session)
    assert set(re.findall(r"Max Early Data: (\d+)", said)) == {"0"}
    assert "Early data was not sent" in openssl_client(server, ca, "-tls1_3", "-sess_in", session)


def test_a_ticket_is_good_for_hours(secure, ca, tmp_path):
    """Less than a day (RFC 9325, section 3.4)."""
    session = tmp_path / "session.pem"
    openssl_client(secure(), ca, "-tls1_2", "-sess_out", session)
    text = subprocess.run(["openssl", "sess_id", "-in", session, "-noout", "-text"], check=True,
                          capture_output=True, timeout=COMMAND_S).stdout.decode("latin-1")
    hint = re.search(r"lifetime hint: (\d+) \(seconds\)", text)
    assert 3600 <= int(hint[1]) <= 86400


@VERSIONS
def test_a_resumed_session_has_the_rules_of_a_new_one(secure, ca, version):
    """The ticket says nothing of accounts: each request needs its token."""
    server = secure()
    client = Client(server, ca, version)
    client.ask()
    assert client.ask()
    with socket.create_connection((server.host, server.port), ANSWER_S) as raw:
        with client.context.wrap_socket(raw, server_hostname=NAME, session=client.session) as wrapped:
            wrapped.sendall(message("GET", TASKS + "/1", f"Host: {NAME}"))
            assert wrapped.recv(65536).startswith(b"HTTP/1.1 401 ") and wrapped.session_reused


# Clients with Nagle's algorithm

def first_answer(client, nagle):
    """How long the first answer of a connection takes after the handshake."""
    with socket.create_connection((client.server.host, client.server.port), ANSWER_S) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, not nagle)
        with client.context.wrap_socket(raw, server_hostname=NAME, session=client.session) as wrapped:
            request = client.server.request("GET", TASKS + "/1")
            began = time.monotonic()
            wrapped.sendall(request)
            assert wrapped.recv(65536).startswith(b"HTTP/1.1 404 ")
            took = time.monotonic() - began
            client.session = wrapped.session
    return took


def slower_with_nagle(client, resumes):
    """By how many seconds the median of the clients with the algorithm is slower."""
    waits = {nagle: [] for nagle in (True, False)}
    for number in range(30):
        waits[number % 2 == 0].append(first_answer(client, number % 2 == 0))
        if not resumes:
            client.session = None
    print(waits)
    return statistics.median(waits[True]) - statistics.median(waits[False])


@VERSIONS
@pytest.mark.parametrize("resumes", [False, True], ids=["whole", "resumed"])
def test_nobody_waits_for_a_delayed_acknowledgement(secure, ca, version, resumes):
    """Clients with the algorithm are as fast as those without it, also where both are slow. A delayed
    acknowledgement would be in every round, other work on the machine is not."""
    client = Client(secure(), ca, version)
    assert any(slower_with_nagle(client, resumes) < DELAYED_ACK_S / 2 for _ in range(4))


def test_open_connections_outlive_a_change_of_keys(make_server, tmp_path):
    server, ca = with_tls(make_server, tmp_path)
    with TlsWire(server, ca) as wire:
        assert wire.ask("GET", TASKS + "/1").status == 404
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "were read again" in server.stderr())
        assert wire.ask("GET", TASKS + "/1").status == 404
