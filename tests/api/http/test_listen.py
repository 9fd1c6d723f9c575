"""The addresses that docket listens on: several addresses, names, and privileged ports."""
import collections
import contextlib
import os
import re
import resource
import selectors
import shutil
import signal
import socket
import subprocess
import time

import pytest

from ca import CA
from commands import fails, misuse
from harness import TASKS, descriptors, run
from together import until
from wire import ANSWER_S, Wire

LINE = re.compile(r"^listening on (https?)://(\S+):(\d+)$", re.MULTILINE)


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="NOT TESTED, IPv6: this machine has none")


def heard(server, count):
    """(host, port) of each line, of which there are `count`."""
    found = until(lambda: LINE.findall(server.stderr()), lambda found: len(found) >= count)
    assert len(found) == count, server.stderr()
    return [(host.strip("[]"), int(port)) for _, host, port in found]


def answers(place):
    with socket.create_connection(place, ANSWER_S) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: any\r\n\r\n")
        return connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("how", ["list", "options", "environment", "file"])
def test_several_addresses(make_server, tmp_path, how):
    """With port 0 all addresses get the same port."""
    addresses = ["127.0.0.1:0", "127.0.0.2:0", "127.0.0.3:0"]
    (tmp_path / "file").write_text("listen = " + ",".join(addresses) + "\n")
    server = make_server(listen=None, **{
        "list": {"options": ["--listen", ",".join(addresses)]},
        "options": {"options": [word for one in addresses for word in ("--listen", one)]},
        "environment": {"env": {"DOCKET_LISTEN": ",".join(addresses)}},
        "file": {"options": ["--config", tmp_path / "file"]}}[how])
    places = heard(server, 3)
    assert [host for host, _ in places] == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    assert len({port for _, port in places}) == 1
    assert all(answers(place) for place in places)
    server.stop()
    for place in places:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(place, ANSWER_S)


def test_the_lines_are_plain_in_every_format(make_server):
    for form in ("json", "text"):
        server = make_server(listen="127.0.0.1:0,127.0.0.2:0", options=["--log-format", form])
        heard(server, 2)


def test_the_same_address_twice_is_one(make_server):
    heard(make_server(listen="127.0.0.1:0,127.0.0.1:0"), 1)


def resolved(tmp_path, names):
    """The prefix of a command that finds these names in /etc/hosts, without changing this machine's
    file."""
    if not shutil.which("unshare") or os.geteuid() != 0:
        pytest.skip("NOT TESTED, names: root and unshare are needed")
    hosts = tmp_path / "hosts"
    hosts.write_text("".join(f"{address} {name}\n" for address, name in names))
    script = f"mount --bind {hosts} /etc/hosts && exec \"$@\""
    probe = ["unshare", "-m", "sh", "-c", script, "sh"]
    if subprocess.run([*probe, "true"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("NOT TESTED, names: this machine lets nobody mount")
    return probe


def named(make_server, tmp_path, names, *options):
    """A server that listens at the first of these names, which is found in /etc/hosts."""
    server = make_server(options=options)
    server.stop()
    server.arguments[server.arguments.index("--listen") + 1] = names[0][1] + ":0"
    server.arguments = [*resolved(tmp_path, names), *server.arguments]
    server.log.write_text("")
    server.start()
    return server


@pytest.mark.slow
def test_a_name_is_all_its_addresses(make_server, tmp_path):
    names = [("127.0.0.2", "desk.test"), ("127.0.0.3", "desk.test")]
    server = named(make_server, tmp_path, names)
    places = heard(server, 2)
    assert {host for host, _ in places} == {"127.0.0.2", "127.0.0.3"}
    assert len({port for _, port in places}) == 1 and all(map(answers, places))
    # The limits count over all addresses, and all sockets are drained.
    server.stop()


@needs_ipv6
def test_ipv6_beside_ipv4(make_server):
    """[::] alone would accept IPv4 as well."""
    server = make_server(listen="0.0.0.0:0,[::]:0", options=["--behind-proxy"])
    (_, port), (_, other) = heard(server, 2)
    assert port == other
    assert answers(("127.0.0.1", port)) and answers(("::1", port))


@needs_ipv6
def test_ipv6_alone_takes_both(make_server):
    server = make_server(listen="[::]:0", options=["--behind-proxy"])
    (_, port), = heard(server, 1)
    assert answers(("127.0.0.1", port)) and answers(("::1", port))


def run_named(tmp_path, names, *arguments):
    return run(*arguments, before=resolved(tmp_path, names))


@pytest.mark.parametrize("reachable", ["198.51.100.1", "2001:db8::1"])
def test_every_address_of_a_name_must_be_loopback(one, tmp_path, reachable):
    """Without TLS. The first address is a loopback address."""
    names = [("127.0.0.1", "desk.test"), (reachable, "desk.test")]
    done = run_named(tmp_path, names, "serve", "--data", one, "--listen", "desk.test:0")
    assert done.returncode == 2, done
    assert "--listen has desk.test:0, which other machines reach" in done.stderr


def test_every_address_of_a_list_must_be_loopback(one):
    said = misuse("serve", "--data", one, "--listen", "127.0.0.1:0,0.0.0.0:8080")
    assert "--listen has 0.0.0.0:8080, which other machines reach" in said


@pytest.mark.slow
def test_an_address_of_a_name_that_is_not_here_is_left_out(make_server, tmp_path):
    names = [("198.51.100.1", "desk.test"), ("127.0.0.1", "desk.test")]
    server = named(make_server, tmp_path, names, "--behind-proxy")
    assert heard(server, 1)[0][0] == "127.0.0.1"


def test_a_name_that_is_not_here_at_all(one, tmp_path):
    names = [("198.51.100.1", "desk.test"), ("198.51.100.2", "desk.test")]
    done = run_named(tmp_path, names, "serve", "--data", one, "--listen", "desk.test:0",
                     "--behind-proxy")
    assert done.returncode == 1
    assert "cannot listen at desk.test:0: Cannot assign requested address" in done.stderr


@pytest.mark.parametrize("listen", ["127.0.0.1:0,198.51.100.1:0", "198.51.100.1:0,127.0.0.1:0"])
def test_an_address_that_is_not_here_is_an_error(one, listen):
    said = fails("serve", "--data", one, "--listen", listen, "--behind-proxy")
    assert "cannot listen at 198.51.100.1:0: Cannot assign requested address" in said
    assert "listening" not in said


@pytest.mark.parametrize("listen, said", [
    ("127.0.0.1:0,", 'must be ADDR:PORT or [ADDR]:PORT; got ""'),
    ("127.0.0.1:0,,127.0.0.2:0", 'got ""'), ("127.0.0.1:0,nonsense", 'got "nonsense"'),
    ("nowhere.invalid:0", 'names "nowhere.invalid", which has no address'),
    (",".join(f"127.0.1.{number}:0" for number in range(65)), "more than 64")])
def test_a_list_that_is_wrong(one, listen, said):
    assert said in misuse("serve", "--data", one, "--listen", listen)


def asking(stack, place):
    """A connection that has sent a request."""
    wire = stack.enter_context(socket.create_connection(place, ANSWER_S))
    wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: any\r\n\r\n")
    return wire


def test_a_port_that_is_taken_at_one_address(one):
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]  # another test may have the same one at 127.0.0.1
        said = fails("serve", "--data", one, "--listen",
                     f"127.0.0.3:{port},127.0.0.2:{port}")
        assert f"cannot listen at 127.0.0.2:{port}: Address already in use" in said


@pytest.mark.slow
def test_limits_count_over_all(make_server):
    server = make_server(listen="127.0.0.1:0,127.0.0.2:0", preexec=descriptors(200))
    places = heard(server, 2)
    with contextlib.ExitStack() as stack:
        wires = [asking(stack, places[number % 2]) for number in range(300)]
        # Clients beyond the limit wait, at either address, and no thread spins.
        time.sleep(0.5)
        before = server.processor()
        time.sleep(1)
        assert server.processor() - before < 0.3
        for wire in wires:
            assert wire.recv(65536).startswith(b"HTTP/1.1 200 ")
            wire.close()


def test_at_a_limit_no_address_waits_for_all_of_another(make_server):
    server = make_server(listen="127.0.0.1:0,127.0.0.2:0", preexec=descriptors(200))
    places = heard(server, 2)
    with contextlib.ExitStack() as stack:
        # More clients than the limit, all at the first address.
        first = [asking(stack, places[0]) for _ in range(300)]
        for wire in first[:80]:
            assert wire.recv(65536).startswith(b"HTTP/1.1 200 ")
        other = asking(stack, places[1])
        # A few of them leave, one at a time; more than a hundred still wait.
        for wire in first[:10]:
            wire.close()
            time.sleep(0.02)
        assert other.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_addresses_take_turns(make_server):
    """Even if much room comes at once."""
    server = make_server(listen="127.0.0.1:0,127.0.0.2:0", preexec=descriptors(200))
    places = heard(server, 2)
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as waiting:
        before = [asking(stack, places[0]) for _ in range(80)]
        for wire in before:
            assert wire.recv(65536).startswith(b"HTTP/1.1 200 ")
        server.process.send_signal(signal.SIGSTOP)
        for number in range(300):
            waiting.register(asking(stack, places[number % 2]), selectors.EVENT_READ, number % 2)
        for wire in before:
            wire.close()
        server.process.send_signal(signal.SIGCONT)
        answered = collections.Counter()
        while ready := waiting.select(2):
            for key, _ in ready:
                answered[key.data] += 1
                waiting.unregister(key.fileobj)
    assert answered.total() >= 80 and abs(answered[0] - answered[1]) <= 1, answered


@pytest.mark.slow
def test_no_descriptor_is_left(make_server):
    """Whatever has taken the descriptors, clients wait, no thread spins, and docket recovers by
    itself."""
    server = make_server()
    record = server.create()
    server.kept.close()
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (3, hard))
    with Wire(server) as wire:
        wire.send(server.request("GET", f"{TASKS}/{record['id']}"))
        until(lambda: "docket: cannot accept connections: Too many open files" in server.stderr())
        before = server.processor()
        time.sleep(1)
        assert server.processor() - before < 0.3
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
        assert wire.reply().json == record
    assert server.stderr().count("cannot accept") == 1


def test_a_port_that_needs_a_privilege(base, tmp_path):
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as start:
        if int(start.read()) <= 1 or os.geteuid() != 0 or not shutil.which("setpriv"):
            pytest.skip("NOT TESTED, ports below 1024: needs root, setpriv and such ports")
    done = run("serve", "--ephemeral", "--listen", "127.0.0.1:443",
               before=["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-all"])
    assert done.returncode == 1, done
    assert "cannot listen at 127.0.0.1:443: Permission denied" in done.stderr
    assert "CAP_NET_BIND_SERVICE" in done.stderr


@pytest.mark.parametrize("which", ["cert", "key"])
def test_a_file_of_tls_that_is_missing(one, tmp_path, which):
    files = dict(zip(("cert", "key"), CA(tmp_path / "ca").make("acme", "acme.test")))
    files[which] = tmp_path / "nofile.pem"
    said = fails("serve", "--data", one, "--listen", "127.0.0.1:0", "--tls-cert",
                 files["cert"], "--tls-key", files["key"])
    assert f"cannot read {tmp_path}/nofile.pem: No such file or directory" in said
    (tmp_path / "nofile.pem").mkdir()
    said = fails("serve", "--data", one, "--listen", "127.0.0.1:0", "--tls-cert",
                 files["cert"], "--tls-key", files["key"])
    assert f"cannot read {tmp_path}/nofile.pem: Is a directory" in said
