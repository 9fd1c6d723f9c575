"""docket under systemd: sockets that are passed, what it tells, the watchdog."""
import os
import signal
import socket
import time

import pytest

from harness import JSON, TASKS, begin, plain, task_json
from systemd import Notified, passing, stopped, thread_of
from together import started

WATCHDOG_S = 1.0  # docket tells at half of it


@pytest.fixture
def notified(tmp_path):
    told = Notified(tmp_path / "notify")
    yield told
    told.close()


def listening(host="127.0.0.1", family=socket.AF_INET):
    return socket.create_server((host, 0), family=family)


def place(one):
    return "{}:{}".format(*one.getsockname()[:2])


def healthy(one):
    with socket.create_connection(one.getsockname()[:2], 30) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n")
        return connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_sockets(make_server):
    """All sockets that are passed are served, and nothing listens at --listen."""
    with listening() as first, listening("127.0.0.2") as second, listening("127.0.0.3") as other:
        free = place(other)
        other.close()
        server = make_server(listen=free, **passing([first, second], ["web", "more"]))
        assert server.call("GET", TASKS).status == 200
        assert healthy(first) and healthy(second)
        assert [f"listening on http://{place(one)}" for one in (first, second)] == [
            line for line in server.stderr().splitlines() if line.startswith("listening")]
        assert "docket: listens on the 2 sockets that systemd passes, in place of --listen" \
            in server.messages()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(free.split(":"))
        server.stop()


def test_restart_refuses_nobody(make_server):
    """A client that connects between two processes is served by the second."""
    with listening() as one:
        server = make_server(listen=None, **passing([one]))
        assert healthy(one)
        server.stop()
        waits = started(healthy, one)
        server.start()
        assert waits.result(60)
        server.stop()


def test_sockets_of_another_process(make_server):
    """LISTEN_PID names another process: docket listens by itself."""
    server = make_server(env={"LISTEN_PID": 1, "LISTEN_FDS": 1, "LISTEN_FDNAMES": "web"})
    assert server.call("GET", TASKS).status == 200
    server.stop()


def refused(base, tmp_path, sockets, names=None, options=(), **env):
    passed = passing(sockets, names, **env)
    done = begin("serve", "--data", tmp_path / "none", *options, env=passed["env"], before=passed["before"],
                 preexec_fn=passed["preexec"], pass_fds=passed["pass_fds"])
    output, said = done.communicate(timeout=60)
    assert (done.returncode, output) == (2, "")
    return plain(said).splitlines()


CANNOT = "docket: cannot take the sockets that systemd passes: "


@pytest.mark.parametrize("family, kind", [
    (socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_UNIX, socket.SOCK_STREAM),
    (socket.AF_INET, socket.SOCK_STREAM)],
    ids=["udp", "unix", "not-listening"])
def test_wrong_sockets(base, tmp_path, family, kind):
    with listening() as right, socket.socket(family, kind) as wrong:
        if family == socket.AF_UNIX:
            wrong.bind(str(tmp_path / "socket"))
            wrong.listen()
        assert refused(base, tmp_path, [right, wrong], ["web", "odd"]) == [
            CANNOT + "descriptor 4 (odd) is not a TCP socket that listens"]


@pytest.mark.parametrize("env, said", [
    ({"LISTEN_FDS": "two"}, 'LISTEN_FDS must be a number up to 64; got "two"'),
    ({"LISTEN_FDS": "65"}, 'LISTEN_FDS must be a number up to 64; got "65"'),
    ({"LISTEN_FDS": "-1"}, 'LISTEN_FDS must be a number up to 64; got "-1"'),
    ({"LISTEN_FDNAMES": "a:b"}, 'LISTEN_FDNAMES must have 1 names; got "a:b"'),
    ({"LISTEN_FDS": "2"}, "descriptor 4 () is not open"),
])
def test_wrong_environment(base, tmp_path, env, said):
    with listening() as one:
        assert refused(base, tmp_path, [one], **env) == [CANNOT + said]


def test_public_socket_without_tls(base, tmp_path):
    with listening("0.0.0.0") as one:
        said = refused(base, tmp_path, [one])
        assert said[-1].startswith(f"docket: systemd passes a socket at {place(one)}, which other machines "
                                   "reach, but docket would serve it without TLS")


def test_what_is_told(make_server, notified):
    before = time.monotonic_ns() // 1000
    server = make_server(env=notified.env)
    told = notified.until("READY")
    assert told == {"READY": "1", "STATUS": "0 connections, 0 requests answered; listening on "
                                            f"{server.host}:{server.port}"}
    server.call("GET", TASKS)
    server.lines(count=1)
    server.process.send_signal(signal.SIGHUP)
    told = notified.next(60)
    assert list(told) == ["RELOADING", "MONOTONIC_USEC"] and told["RELOADING"] == "1"
    assert before < int(told["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    told = notified.next(60)
    assert told["READY"] == "1" and told["STATUS"].startswith("1 connections, 1 requests answered; ")
    server.stop()
    assert notified.next(0) == {"STOPPING": "1", "STATUS": "answers the requests in progress, and ends"}
    assert notified.next(0) is None


def test_ready_after_it_listens(make_server, tmp_path):
    """Not before, and to a socket whose name is no path."""
    told = Notified(f"@docket-tests-{os.getpid()}")
    server = make_server(env=told.env)
    assert told.next(0) == {"STATUS": "opens the database; if its schema is older, this takes a while"}
    assert told.until("READY")
    server.stop()
    told.close()


def test_wrong_notify_socket(make_server):
    server = make_server(env={"NOTIFY_SOCKET": "vsock:2:1"})
    assert ('docket: cannot write to NOTIFY_SOCKET, which is "vsock:2:1": '
            'Address family not supported by protocol') in server.messages()
    server.stop()


def watched(make_server, notified, timeout=100, **env):
    return make_server(options=["--statement-timeout", timeout],
                       env={**notified.env, "WATCHDOG_USEC": int(WATCHDOG_S * 1e6), **env})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["writer", "reader", "acceptor"])
def test_watchdog(make_server, notified, name):
    """WATCHDOG=1 comes at half of its time, not while one thread stands still, and then again."""
    server = watched(make_server, notified)
    notified.until("WATCHDOG")
    assert notified.until("WATCHDOG", WATCHDOG_S * 10)["STATUS"]
    with stopped(thread_of(server.process.pid, name)):
        time.sleep(WATCHDOG_S)
        notified.drain()
        assert notified.next(WATCHDOG_S * 2) is None
    notified.until("WATCHDOG")
    # A thread that stands still may keep the one that tells from going on. Both end the messages.
    assert "a thread that accepts, reads or writes has stood still for" in server.stderr()
    server.stop()


@pytest.mark.slow
def test_watchdog_while_busy(make_server, notified):
    """Neither writes nor signals keep it from telling."""
    server = watched(make_server, notified, timeout=5000)
    told, end = 0, time.monotonic() + WATCHDOG_S * 3
    while time.monotonic() < end:
        assert server.call("POST", TASKS, task_json(), JSON).status == 201
        server.process.send_signal(signal.SIGHUP)
        while (message := notified.next(0)) is not None:
            told += "WATCHDOG" in message
    assert told >= 3
    server.stop()


@pytest.mark.parametrize("env", [{"WATCHDOG_PID": 1}, {"WATCHDOG_USEC": "soon"}], ids=["other", "wrong"])
def test_no_watchdog(make_server, notified, env):
    server = watched(make_server, notified, **env)
    notified.until("READY")
    assert notified.next(WATCHDOG_S) is None
    said = 'docket: WATCHDOG_USEC must be a number of microseconds, 2000 or more; got "soon"'
    assert (said in server.messages()) == ("WATCHDOG_USEC" in env)
    server.stop()
