"""Many connections, more than the limit, and heads with too many headers."""
import contextlib
import os
import resource
import signal
import time

import pytest

from ca import TlsWire, with_tls
from harness import TASKS, descriptors, problem
from together import until
from wire import Wire, exchange

IDLE = 10000
GROUP = 250  # so that the first request of each comes within 15 s of its connection
IDLE_TLS = 500
EVENTS = 128  # libmicrohttpd takes so many at once


@pytest.fixture
def room():
    """Raises the limit of descriptors, for both ends of each connection."""
    wanted = IDLE + 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), max(hard, wanted)))
    except (ValueError, PermissionError):
        pytest.skip(f"this machine allows {hard} descriptors a process")
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connections(server):
    """How many connections the server has accepted and not closed."""
    folder = f"/proc/{server.process.pid}/fd"
    count = 0
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(f"{folder}/{name}").startswith("socket:")
    return count - 1  # without the listening socket


def test_as_many_requests_at_once_as_libmicrohttpd_takes(server):
    """It then waited for one more request before it answered these."""
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server)) for _ in range(EVENTS * min(os.cpu_count(), 4))]
        request = server.request("GET", "/healthz")
        for wire in wires:
            wire.send(request)
            assert wire.reply().status == 200
        server.process.send_signal(signal.SIGSTOP)
        try:
            for wire in wires:
                wire.send(request)
        finally:
            server.process.send_signal(signal.SIGCONT)
        assert {wire.reply().status for wire in wires} == {200}


@pytest.mark.slow
def test_idle_connections(make_server, room):
    server = make_server(options=["--idle-timeout", 3600])  # s
    record = server.create()
    one = server.request("GET", f"{TASKS}/{record['id']}")
    empty = server.memory()
    with contextlib.ExitStack() as idle:
        wires = []
        while len(wires) < IDLE:
            group = [idle.enter_context(Wire(server)) for _ in range(GROUP)]
            wires += group
            until(lambda: connections(server) >= len(wires))
            if len(wires) == GROUP:
                opened = server.memory()
            for wire in group:
                wire.send(one)
                assert wire.reply().json == record
        # Every connection works again, and another client works all the time.
        for number, wire in enumerate(wires):
            wire.send(one)
            assert wire.reply().json == record
            if number % 100 == 0:
                assert server.get(record["id"]).json == record
        used = server.memory()
        server.create()
    print(f"\n{IDLE} connections: {(opened - empty) // GROUP} bytes each, "
          f"{(used - empty) // IDLE} behind a request (RssAnon)")


@pytest.mark.slow
def test_idle_tls_connections(make_server, tmp_path):
    server, ca = with_tls(make_server, tmp_path)
    one = server.request("GET", TASKS + "/1")
    with TlsWire(server, ca) as wire:
        wire.send(one)
        problem(wire.reply(), 404)
        empty = server.memory()
        with contextlib.ExitStack() as idle:
            wires = [idle.enter_context(TlsWire(server, ca)) for _ in range(IDLE_TLS)]
            opened = server.memory()
            for other in wires:
                other.send(one)
                problem(other.reply(), 404)
            wire.send(one)
            problem(wire.reply(), 404)
            print(f"\n{IDLE_TLS} connections over TLS: {(opened - empty) // IDLE_TLS} bytes each, "
                  f"{(server.memory() - empty) // IDLE_TLS} behind a request (RssAnon)")


@pytest.mark.slow
def test_more_than_the_descriptors_allow(make_server):
    """Clients beyond the limit wait for others to close. No thread spins, and nothing fails for
    want of a descriptor."""
    server = make_server(preexec=descriptors(200))
    record = server.create()
    one = server.request("GET", f"{TASKS}/{record['id']}")
    server.kept.close()
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server)) for _ in range(400)]
        time.sleep(0.5)
        taken = connections(server)
        assert 50 < taken < 190, taken
        # The rest is reserved for the database and the commands.
        assert len(os.listdir(f"/proc/{server.process.pid}/fd")) <= 200 - 60
        before = server.processor()
        time.sleep(2)
        assert server.processor() - before < 0.5
        # They are served in the order in which they came, each when another closes.
        for wire in wires:
            wire.send(one)
            assert wire.reply().json == record
            wire.socket.close()
    server.create()


def test_the_lowest_limit_that_it_starts_with(make_server):
    """Even with the fewest descriptors docket serves somebody."""
    server = make_server(preexec=descriptors(64))
    for _ in range(20):
        server.create()
        server.kept.close()


@pytest.mark.parametrize("count, statuses", [(200, {200}), (260, {431}), (5000, {400, 431})])
def test_headers(server, count, statuses):
    record = server.create()
    with Wire(server) as wire:
        wire.offer(server.request("GET", f"{TASKS}/{record['id']}",
                                  *[f"X{number}: y" for number in range(count)]))
        reply = wire.reply()
        assert reply.status in statuses, reply
        if reply.status != 200:
            assert wire.at_end()


@pytest.mark.parametrize("size, statuses", [(20000, {200}), (100000, {413, 431})])
def test_bytes_of_headers(server, size, statuses):
    record = server.create()
    reply = exchange(server, server.request("GET", f"{TASKS}/{record['id']}", "X: " + "x" * size))
    assert reply.status in statuses, reply


def test_a_connection_that_is_reset(server):
    """The client closes with unread bytes: while the server accepts, before a request and after
    one."""
    record = server.create()
    for said in (b"", b"GET", server.request("GET", f"{TASKS}/{record['id']}") * 3):
        for _ in range(50):
            with Wire(server) as wire:
                wire.reset()
                wire.send(said)
    assert server.get(record["id"]).json == record
