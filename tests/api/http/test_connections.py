"""Many connections, more than there may be, and heads of too many headers."""
import contextlib
import os
import resource
import socket
import time

import pytest

from ca import CA, TlsWire
from harness import ANSWER_S, TASKS, Wire, problem

IDLE = 10000
GROUP = 1000  # a first request must come within 15 s of its connection
IDLE_TLS = 500


@pytest.fixture
def descriptors():
    """Room for a descriptor on either side of each connection."""
    wanted = IDLE + 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), max(hard, wanted)))
    except (ValueError, PermissionError):
        pytest.skip(f"this machine allows {hard} descriptors a process")
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connections(server):
    """How many the server has accepted and not closed."""
    folder = f"/proc/{server.process.pid}/fd"
    count = 0
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(f"{folder}/{name}").startswith("socket:")
    return count - 1  # that it listens on


def await_connections(server, count):
    deadline = time.monotonic() + ANSWER_S
    while connections(server) < count:
        assert time.monotonic() < deadline, f"{connections(server)} of {count}"
        time.sleep(0.05)


@pytest.mark.slow
def test_idle_connections(make_server, descriptors):
    server = make_server()
    record = server.create()
    one = server.request("GET", f"{TASKS}/{record['id']}")
    empty = server.memory()
    with contextlib.ExitStack() as idle:
        wires = []
        while len(wires) < IDLE:
            group = [idle.enter_context(Wire(server)) for _ in range(GROUP)]
            wires += group
            await_connections(server, len(wires))
            if len(wires) == GROUP:
                opened = server.memory()
            for wire in group:
                wire.send(one)
                assert wire.reply().json == record
        # Every one of them works again, and a client beside them all the time.
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
    ca = CA(tmp_path / "ca")
    chain, key = ca.make("acme", "acme.viewcases.com")
    server = make_server(options=["--tls-cert", chain, "--tls-key", key])
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
    """Those that are too many wait for others to close; nothing spins, and nothing fails for want
    of a descriptor."""
    server = make_server(
        preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200)))
    record = server.create()
    one = server.request("GET", f"{TASKS}/{record['id']}")
    server.session.close()
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server)) for _ in range(400)]
        time.sleep(0.5)
        taken = connections(server)
        assert 50 < taken < 190, taken
        # What is left is for the database and the commands.
        assert len(os.listdir(f"/proc/{server.process.pid}/fd")) <= 200 - 60
        before = server.processor()
        time.sleep(2)
        assert server.processor() - before < 0.5
        # In the order in which they came; each makes room for another.
        for wire in wires:
            wire.send(one)
            assert wire.reply().json == record
            wire.socket.close()
    server.create()


def test_the_lowest_limit_that_it_starts_with(make_server):
    """However few descriptors there are, somebody is served."""
    server = make_server(
        preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    for _ in range(20):
        server.create()
        server.session.close()


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
    with Wire(server) as wire:
        wire.offer(server.request("GET", f"{TASKS}/{record['id']}", "X: " + "x" * size))
        reply = wire.reply()
        assert reply.status in statuses, reply


def test_a_connection_that_is_reset(server):
    """Closed with bytes unread, while it is accepted, before and behind a request."""
    record = server.create()
    for said in (b"", b"GET", server.request("GET", f"{TASKS}/{record['id']}") * 3):
        for _ in range(50):
            with Wire(server) as wire:
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                wire.send(said)
    assert server.get(record["id"]).json == record
