"""TLS: the vendor's client, names and versions, refusals, and certificates that change."""
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from ca import CA, TlsWire, curl, curl_post, openssl
from commands import fails, misuse
from harness import COMMAND_S, TASKS, cases, problem, succeed, task
from together import at_once, beside, until
from wire import ANSWER_S, Wire, ask_once

NAME = "acme.viewcases.com"
# The errors when the server closes; a client that refuses by itself raises another.
REFUSED = (ssl.SSLZeroReturnError, ssl.SSLEOFError, ConnectionResetError)
HSTS = "Strict-Transport-Security"
# The beginning of a TLS handshake, for a client that then waits.
HALF_HELLO = bytes.fromhex("1603010200010001fc0303") + b"x" * 20


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return CA(tmp_path_factory.mktemp("ca") / "ca")


@pytest.fixture(scope="module")
def pairs(ca):
    return [ca.make("acme", "acme.viewcases.com"),
            ca.make("any", "*.example.test", kind="rsa"),
            ca.make("one", "one.example.test", "second.test"),
            ca.make("edwards", "ed.test", kind="ed25519")]


def options(pairs):
    return ["--tls-cert", ",".join(str(chain) for chain, _ in pairs),
            "--tls-key", ",".join(str(key) for _, key in pairs)]


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    """A folder with an account named acme, the base records and 30 tasks; and its token."""
    folder = tmp_path_factory.mktemp("acme") / "data"
    succeed("init", "--data", folder, "--account", "acme", "--token-file", folder.with_name("t"))
    succeed("demo", "--data", folder, "--tasks", 30)
    return folder, folder.with_name("t").read_text().strip()


@pytest.fixture(scope="module")
def secure(share_server, acme, pairs):
    folder, token = acme
    copy = shutil.copytree(folder, folder.with_name("secure"))
    server = share_server(copy, token, options=["--base-domain", "viewcases.com", *options(pairs)])
    server.name = NAME
    return server


@pytest.fixture
def make_secure(make_server, tmp_path, acme):
    """Starts private servers with these certificates."""
    def make(pairs, *more, **rest):
        copy = shutil.copytree(acme[0], tmp_path / "copy")
        server = make_server(copy, acme[1], options=[*options(pairs), *more], **rest)
        server.name = NAME
        return server
    return make


# The vendor's client

RANGE = f"{TASKS}?from=1000-01-01&to=9999-12-31&dir=asc&per_page=1&page=1"


@pytest.mark.slow
def test_the_line_says_https(secure):
    assert f"listening on https://{secure.host}:{secure.port}\n" in secure.stderr()


def test_the_vendors_list(secure, ca):
    reply = curl(secure, ca, RANGE)
    assert reply.status == 200, reply
    assert [record["id"] for record in reply.json] == [1], reply


def test_the_vendors_count(secure, ca):
    reply = curl(secure, ca, RANGE + "&mode=count")
    assert reply.status == 200, reply
    assert reply.json["record_count"] >= 30
    assert reply.json["page_count"] == reply.json["record_count"]


def test_the_vendors_create(secure, ca):
    reply = curl_post(secure, ca, TASKS, task(title="over TLS"))
    assert reply.status == 201, reply
    assert curl(secure, ca, reply.header("Location")).json == reply.json


def test_another_account(secure, ca):
    """The Host header names the account, not the certificate."""
    with TlsWire(secure, ca) as wire:
        problem(wire.ask("GET", TASKS + "/1", host="other.viewcases.com"), 401)
        assert wire.ask("GET", TASKS + "/1").status == 200


@pytest.mark.parametrize("status, path, more", [
    (200, TASKS + "/1", ()), (201, TASKS, ("--json", '{"task":{"casefile_id":245,'
     '"calendar_id":1,"due_on":"2023-02-14","title":"x"}}')),
    (204, TASKS, ("--request", "OPTIONS")), (400, TASKS + "?x=y", ()), (400, "/%zz", ()),
    (401, TASKS, ("--user", "a:b")), (404, "/nowhere", ()),
    (405, TASKS, ("--request", "PUT")), (422, TASKS, ("--json", "{}")),
    (415, TASKS, ("--header", "Content-Type: a/b", "--data", "{}"))])
def test_hsts_on_every_answer(secure, ca, status, path, more):
    reply = curl(secure, ca, path, *more)
    assert reply.status == status, reply
    seconds = reply.header(HSTS)
    assert seconds.startswith("max-age=") and int(seconds[8:]) >= 180 * 86400


@pytest.mark.parametrize("path", [TASKS, "/nowhere", "/%zz"])
def test_no_hsts_in_the_clear(server, path):
    assert ask_once(server, "GET", path).header(HSTS) is None


# Names

@pytest.mark.parametrize("name, label", [
    ("acme.viewcases.com", "acme"), ("ACME.ViewCases.com", "acme"),
    ("other.example.test", "any"), ("x.example.test", "any"),
    ("one.example.test", "one"),  # an exact name takes precedence over the wildcard
    ("second.test", "one"), ("ed.test", "edwards"),
    ("example.test", "acme"), ("a.b.example.test", "acme"),  # the wildcard stands for exactly one label
    ("viewcases.com", "acme"), ("unknown.test", "acme"), ("x" * 63 + ".test", "acme"),
    (None, "acme"), ("127.0.0.1", "acme")])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3],
                         ids=["1.2", "1.3"])
def test_the_certificate_for_a_name(secure, ca, name, label, version):
    with TlsWire(secure, ca, name, version=version, name_matters=False) as wire:
        assert wire.label == label
        assert wire.ask("GET", TASKS + "/1").status == 200


# Versions and suites

@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_versions_are_refused(secure, ca, version):
    with pytest.raises(REFUSED):
        TlsWire(secure, ca, version=ssl.TLSVersion[version])


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_versions(secure, ca, version):
    with TlsWire(secure, ca, version=ssl.TLSVersion[version]) as wire:
        assert wire.socket.version().replace(".", "_") == version
        assert wire.ask("GET", TASKS + "/1").status == 200


@pytest.mark.parametrize("suite, taken", [
    ("ECDHE-ECDSA-AES128-GCM-SHA256", True), ("ECDHE-ECDSA-AES256-GCM-SHA384", True),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", True), ("ECDHE-ECDSA-AES128-SHA", False),
    ("ECDHE-ECDSA-AES256-SHA384", False), ("AES128-GCM-SHA256", False),
    ("AES256-SHA", False), ("DHE-RSA-AES128-GCM-SHA256", False)])
def test_suites(secure, ca, suite, taken):
    context = ca.context(ssl.TLSVersion.TLSv1_2, name_matters=False)
    context.set_ciphers(suite + ":@SECLEVEL=0")
    raw = socket.create_connection((secure.host, secure.port), ANSWER_S)
    # A suite of RSA needs the RSA certificate; then only the suite can be the reason of a refusal.
    name = "acme.viewcases.com" if "ECDSA" in suite else "x.example.test"
    with raw:
        if taken:
            with context.wrap_socket(raw, server_hostname=name) as wrapped:
                assert wrapped.cipher()[0] == suite
        else:
            with pytest.raises(REFUSED):
                context.wrap_socket(raw, server_hostname=name)


@pytest.mark.parametrize("name, algorithm, taken", [
    (NAME, "ECDSA+SHA256", True), (NAME, "ECDSA+SHA1", False), ("x.example.test", "RSA+SHA256", True),
    ("x.example.test", "RSA+SHA1", False)])
def test_signatures(secure, name, algorithm, taken):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{secure.host}:{secure.port}", "-servername", name, "-tls1_2",
         "-cipher", "ALL:@SECLEVEL=0", "-sigalgs", algorithm], stdin=subprocess.DEVNULL,
        capture_output=True, timeout=COMMAND_S, check=False)
    assert (done.returncode == 0) == taken, done


@pytest.mark.parametrize("suites", ["ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
                                    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256"])
def test_the_server_chooses_the_suite(secure, ca, suites):
    context = ca.context(ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(suites)
    with socket.create_connection((secure.host, secure.port), ANSWER_S) as raw:
        with context.wrap_socket(raw, server_hostname=NAME) as wrapped:
            assert wrapped.cipher()[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"


# Bytes that are not TLS

@pytest.mark.parametrize("said", cases([
    ("HTTP", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("zeroes", b"\0" * 1000), ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n"), ("a record too large",
     b"\x16\x03\x01\xff\xff" + b"x" * 1000), ("an alert", b"\x15\x03\x01\x00\x02\x02\x28")]))
def test_what_is_not_tls_is_closed(secure, said):
    with Wire(secure) as wire:
        wire.offer(said)
        assert wire.to_end()
        # At most a TLS alert, and nothing that a client could take for an answer.
        assert len(wire.buffer) <= 7 and b"HTTP" not in wire.buffer, wire.buffer


def test_the_port_is_served_behind_all_of_that(secure, ca):
    assert curl(secure, ca, TASKS + "/1").status == 200


# Bodies and answers of every size

@pytest.mark.parametrize("size", [1, 1000, 16 * 1024 - 300, 16 * 1024, 40000, 65535])
def test_a_body(secure, ca, size):
    reply = curl_post(secure, ca, TASKS, task(body="x" * size))
    assert reply.status == 201 and len(reply.json["body"]) == size


def test_a_body_too_large(secure, ca):
    with TlsWire(secure, ca) as wire:
        problem(wire.ask("POST", TASKS, "Content-Length: 1048577"), 413)


def test_pipelining(secure, ca):
    one = secure.request("GET", TASKS + "/1")
    with TlsWire(secure, ca) as wire:
        wire.send(one * 300)
        for _ in range(300):
            assert wire.reply().json["id"] == 1


def test_byte_by_byte(secure, ca):
    """Each byte is in a record of its own."""
    one = secure.request("GET", TASKS + "/1")
    with TlsWire(secure, ca) as wire:
        for at in range(len(one)):
            wire.send(one[at:at + 1])
        assert wire.reply().json["id"] == 1


def test_many_at_once(secure, ca):
    def client(_):
        for _ in range(5):
            with TlsWire(secure, ca) as wire:
                for _ in range(3):
                    assert wire.ask("GET", TASKS + "/1").status == 200

    at_once(client, range(16))


# Handshakes that stop

@pytest.mark.slow
def test_stopped_handshakes_take_no_processor(secure, ca):
    stopped = [Wire(secure) for _ in range(20)]
    for wire in stopped:
        wire.send(HALF_HELLO)
    assert curl(secure, ca, TASKS + "/1").status == 200
    time.sleep(0.5)
    before = secure.processor()
    time.sleep(2)
    used = secure.processor() - before
    for wire in stopped:
        wire.socket.close()
    # A spinning thread would use a second of processor time each second, or its share of the core.
    assert used < 0.5, used


@pytest.mark.slow
def test_the_end_does_not_wait_for_a_handshake(make_secure, pairs):
    server = make_secure(pairs[:1])
    wires = [Wire(server) for _ in range(5)]
    for wire in wires:
        wire.send(HALF_HELLO)
    time.sleep(0.2)
    server.stop()
    for wire in wires:
        assert wire.to_end()
        wire.socket.close()


def test_a_handshake_in_pieces(secure, ca):
    """Through a pair of buffers, a few bytes at a time."""
    context = ca.context()
    inside, outside = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(inside, outside, server_hostname="acme.viewcases.com")
    with Wire(secure) as wire:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                said = outside.read()
                for at in range(0, len(said), 50):
                    wire.send(said[at:at + 50])
                    time.sleep(0.005)
                inside.write(wire.socket.recv(65536))
        tls.write(secure.request("GET", TASKS + "/1"))
        wire.send(outside.read())
        text = b""
        while b'"id":1' not in text:
            try:
                text += tls.read()
            except ssl.SSLWantReadError:
                inside.write(wire.socket.recv(65536))
    assert text.startswith(b"HTTP/1.1 200 "), text


# The addresses that docket may listen on

def test_with_a_certificate_it_may_listen_anywhere(make_secure, pairs, ca):
    server = make_secure(pairs[:1], listen="0.0.0.0:0")
    assert server.host == "0.0.0.0"
    assert curl(server, ca, TASKS + "/1").status == 200


# Certificates that change

def replace(pair, other):
    """Replaces the files as certbot does: new files under the old names."""
    for old, new in zip(pair, other):
        shutil.copy(new, str(old) + ".new")
        shutil.move(str(old) + ".new", old)


@pytest.fixture
def moving(ca, tmp_path):
    """A certificate and a key whose files a test may replace."""
    chain, key = ca.make("before", "acme.viewcases.com")
    pair = tmp_path / "moving.pem", tmp_path / "moving.key"
    replace(pair, (chain, key))
    return pair


def hang_up(server, words):
    """Sends SIGHUP and waits for the server's message."""
    start = len(server.stderr())
    server.process.send_signal(signal.SIGHUP)
    until(lambda: words in server.stderr()[start:] or not server.running(), what=server.stderr)
    assert server.running(), server.stderr()


@pytest.mark.slow
def test_reload(make_secure, ca, moving):
    server = make_secure([moving])
    with TlsWire(server, ca) as old:
        assert old.label == "before"
        replace(moving, ca.make("after", "acme.viewcases.com"))
        hang_up(server, "were read again")
        with TlsWire(server, ca) as new:
            assert new.label == "after"
            assert new.ask("GET", TASKS + "/1").status == 200
        assert old.ask("GET", TASKS + "/1").status == 200


@pytest.mark.parametrize("broken", ["chain", "key", "other key", "gone"])
@pytest.mark.slow
def test_a_bad_file_leaves_the_old_in_force(make_secure, ca, moving, broken):
    server = make_secure([moving])
    chain, key = moving
    if broken == "chain":
        chain.write_text("nothing")
    elif broken == "key":
        key.write_text("nothing")
    elif broken == "other key":
        shutil.copy(ca.make("other", "acme.viewcases.com")[1], key)
    else:
        chain.unlink()
    hang_up(server, "the certificates stay as they were: " + (
        f"cannot read {chain}: No such file" if broken == "gone" else
        str(chain if broken == "chain" else key)))
    with TlsWire(server, ca) as wire:
        assert wire.label == "before"
        assert wire.ask("GET", TASKS + "/1").status == 200


@pytest.mark.slow
def test_reload_under_load(make_secure, ca, moving):
    """Open connections lose nothing, and new ones are always accepted."""
    server = make_secure([moving])
    other = [ca.make(f"number-{number}", "acme.viewcases.com") for number in range(2)]
    counts = [0] * 6

    def client(number, stop):
        """One in three connects for each request."""
        while not stop.is_set():
            with TlsWire(server, ca) as wire:
                while not stop.is_set():
                    assert wire.ask("GET", TASKS + "/1").status == 200
                    counts[number] += 1
                    if number % 3 == 0:
                        break

    with beside(client, len(counts)):
        for number in range(20):
            seen = list(counts)
            replace(moving, other[number % 2])
            hang_up(server, "were read again")
            # Each client completes something between two reloads.
            until(lambda: all(now > then for now, then in zip(counts, seen)), what=counts)
    with TlsWire(server, ca) as wire:
        assert wire.label == "number-1"


def lead(link, to):
    """Makes the link lead there, at once."""
    new = link.with_name("new")
    new.symlink_to(to)
    new.replace(link)


@pytest.mark.parametrize("layout", ["certbot", "kubernetes"])
def test_reload_by_links(make_secure, ca, tmp_path, layout):
    """A renewal writes other files and changes links: of the files, or of the folder that has them."""
    (live := tmp_path / "live").mkdir()
    archive = live if layout == "kubernetes" else tmp_path / "archive"
    for label in ("before", "after"):
        (folder := archive / f"..{label}").mkdir(parents=True)
        for file, name in zip(ca.make(label, "acme.viewcases.com"), ("pem", "key")):
            file.rename(folder / name if layout == "kubernetes" else archive / f"{label}.{name}")

    def renew(label):
        if layout == "kubernetes":
            lead(live / "..data", f"..{label}")
        for name in ("pem", "key"):
            lead(live / name, f"..data/{name}" if layout == "kubernetes" else
                 f"../archive/{label}.{name}")

    renew("before")
    server = make_secure([(live / "pem", live / "key")])
    renew("after")
    hang_up(server, "were read again")
    with TlsWire(server, ca) as wire:
        assert wire.label == "after"


def test_hang_up_without_tls_ends_nothing(make_server):
    """Nothing can be read again, and docket says so."""
    server = make_server()
    for _ in range(2):
        hang_up(server, "docket: SIGHUP reads certificates again")
    server.create()
    server.stop()


# Files that are wrong

def refused(acme, chains, keys):
    return fails("serve", "--data", acme[0], "--listen", "127.0.0.1:0", "--tls-cert", chains,
                 "--tls-key", keys)


@pytest.mark.slow
def test_files_that_are_wrong(acme, ca, pairs, tmp_path):
    chain, key = pairs[0]
    empty, folder, junk = tmp_path / "empty", tmp_path / "folder", tmp_path / "junk"
    empty.write_text("")
    folder.mkdir()
    junk.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for wrong in (tmp_path / "missing", empty, folder, junk, key):
        assert str(wrong) in refused(acme, wrong, key), wrong
        assert str(wrong) in refused(acme, f"{chain},{wrong}", f"{key},{key}"), wrong
    for wrong in (tmp_path / "missing", empty, folder, junk, chain):
        assert str(wrong) in refused(acme, chain, wrong), wrong
    locked = tmp_path / "locked.key"
    locked.write_text(key.read_text().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"))
    assert str(locked) in refused(acme, chain, locked)


def test_a_key_of_another_certificate(acme, pairs):
    said = refused(acme, pairs[0][0], pairs[2][1])
    assert str(pairs[0][0]) in said and str(pairs[2][1]) in said
    refused(acme, f"{pairs[0][0]},{pairs[2][0]}", f"{pairs[2][1]},{pairs[0][1]}")


def test_one_without_the_other(acme, pairs):
    chain, key = pairs[0]
    start = ["serve", "--data", acme[0], "--listen", "127.0.0.1:0"]
    assert "--tls-key" in misuse(*start, "--tls-cert", chain)
    assert "--tls-cert" in misuse(*start, "--tls-key", key)
    said = misuse(*start, "--tls-cert", f"{chain},{chain}", "--tls-key", key)
    assert "--tls-key" in said
    assert "DOCKET_TLS_KEY" in misuse(*start, env={"DOCKET_TLS_KEY": key})


@pytest.mark.parametrize("names", ["{},", ",{}", "{},,{}"])
def test_an_empty_name_of_a_file(acme, pairs, names):
    chain, key = (names.format(file, file) for file in pairs[0])
    refused(acme, chain, key)


def test_an_expired_certificate_is_a_warning(make_secure, ca):
    pair = ca.make("expired", "acme.viewcases.com", ago=60)
    server = make_secure([pair])
    said = [line for line in server.stderr().splitlines() if "warning" in line]
    assert len(said) == 1 and str(pair[0]) in said[0] and "expired at 20" in said[0], said
    context = ca.context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((server.host, server.port), ANSWER_S) as raw:
        with context.wrap_socket(raw) as wrapped:
            assert wrapped.version() == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        TlsWire(server, ca)


@pytest.mark.slow
def test_a_chain(make_secure, ca, tmp_path):
    """A certificate of an intermediate authority, which is only in the file, in either order."""
    between, key = ca.folder / "between.pem", ca.folder / "between.key"
    extensions = ca.folder / "between.ext"
    extensions.write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", tmp_path / "csr",
            "-subj", "/CN=between")
    openssl("x509", "-req", "-in", tmp_path / "csr", "-CA", ca.certificate, "-CAkey",
            ca.key, "-CAcreateserial", "-days", 30, "-extfile", extensions, "-out",
            between)
    root = ca.certificate
    ca.certificate, ca.key, kept = between, key, ca.key
    leaf, leaf_key = ca.make("leaf", "acme.viewcases.com")
    ca.certificate, ca.key = root, kept
    whole = tmp_path / "whole.pem"
    whole.write_text(leaf.read_text() + between.read_text())
    server = make_secure([(whole, leaf_key)])
    with TlsWire(server, ca) as wire:
        assert wire.label == "leaf"
        assert wire.ask("GET", TASKS + "/1").status == 200
    whole.write_text(leaf.read_text())
    hang_up(server, "were read again")
    with pytest.raises(ssl.SSLCertVerificationError):
        TlsWire(server, ca)
