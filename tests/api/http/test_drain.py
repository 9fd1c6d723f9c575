"""The end of a server that clients are connected to: no request is lost."""
import contextlib
import json
import os
import resource
import signal
import socket
import threading
import time

import pytest
import requests

import backends
from ca import CA, TlsWire
from harness import ANSWER_S, TASKS, Wire, task

CLIENTS = 4
POST = "Content-Type: application/json"

pytestmark = backends.BOTH


def body(title):
    return json.dumps(task(title=title)).encode()


def stored(place):
    return sorted(title for title, in backends.rows(place, "SELECT title FROM task"))


def await_drain(server):
    """Until nobody can connect any more: the first packet of who tries is dropped, or refused."""
    deadline = time.monotonic() + ANSWER_S
    while True:
        assert time.monotonic() < deadline
        with socket.socket() as probe:
            probe.settimeout(0.02)
            try:
                probe.connect(("127.0.0.1", server.port))
            except (ConnectionRefusedError, TimeoutError):
                return


class Client(threading.Thread):
    """Creates one task after the other on a connection that is kept, until it is refused."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.server, self.number = server, number
        self.created, self.sent, self.fault = [], 0, None
        self.going = threading.Event()

    def run(self):
        session = requests.Session()
        session.trust_env = False
        url = f"http://{self.server.host}:{self.server.port}{TASKS}"
        while True:
            title = f"{self.number} {self.sent}"
            self.sent += 1
            try:
                reply = session.post(url, json=task(title=title), timeout=ANSWER_S,
                                     headers={"Authorization": self.server.access})
            except requests.RequestException as fault:
                self.fault = fault
                return
            assert reply.status_code == 201, reply.text
            self.created.append(title)
            if len(self.created) == 20:
                self.going.set()


def test_clients_on_kept_connections_lose_nothing(make_server):
    """What was answered is stored, all else was refused before it was sent."""
    server = make_server()
    clients = [Client(server, number) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        assert client.going.wait(ANSWER_S)
    server.stop()
    for client in clients:
        client.join(ANSWER_S)
        assert isinstance(client.fault, requests.ConnectionError), client.fault
        assert "Connection refused" in str(client.fault), client.fault
    assert stored(server.data) == sorted(title for client in clients for title in client.created)


@pytest.mark.slow
def test_one_more_request_is_answered(make_server):
    """On each kept connection; then it is closed, and no other can be begun."""
    server = make_server()
    with Wire(server) as one, Wire(server) as other:
        for wire in (one, other):
            wire.send(server.request("GET", TASKS))
            assert wire.reply().header("Keep-Alive") == "timeout=75"
        server.process.send_signal(signal.SIGTERM)
        await_drain(server)
        for wire in (one, other):
            wire.send(server.request("POST", TASKS, POST, body=body("the last")))
            reply = wire.reply()
            assert reply.status == 201 and reply.header("Connection") == "close"
            assert reply.header("Keep-Alive") is None
            assert wire.at_end()
    server.wait()
    assert stored(server.data) == ["the last"] * 2


def test_who_is_in_the_queue_is_served(make_server):
    """Connections that were begun and not accepted yet, with their requests."""
    server = make_server()
    os.kill(server.process.pid, signal.SIGSTOP)
    wires = [Wire(server) for _ in range(50)]
    for number, wire in enumerate(wires):
        wire.send(server.request("POST", TASKS, POST, body=body(f"{number:02}")))
    server.process.send_signal(signal.SIGTERM)
    os.kill(server.process.pid, signal.SIGCONT)
    for wire in wires:
        assert wire.reply().status == 201
        assert wire.at_end()
        wire.socket.close()
    server.wait()
    assert stored(server.data) == [f"{number:02}" for number in range(50)]


@pytest.mark.slow
def test_a_head_that_has_begun_is_answered(make_server):
    """Also where the rest of it comes later than a silent connection is closed."""
    server = make_server()
    whole = server.request("POST", TASKS, POST, body=body("slow"))
    with Wire(server) as wire, Wire(server) as silent:
        wire.send(whole[:40])
        wire.send(b"")
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        assert silent.at_end()
        wire.send(whole[40:])
        assert wire.reply().status == 201
    server.wait()


@pytest.mark.slow
def test_a_silent_client_does_not_hold_up_the_end(make_server, tmp_path):
    ca = CA(tmp_path / "ca")
    chain, key = ca.make("acme", "acme.viewcases.com")
    server = make_server(options=["--tls-cert", chain, "--tls-key", key])
    with TlsWire(server, ca) as kept, TlsWire(server, ca), \
         socket.create_connection((server.host, server.port)):
        kept.send(server.request("GET", "/healthz"))
        assert kept.reply().status == 200
        server.stop()
        assert kept.at_end()


def test_an_end_without_clients_does_not_wait(make_server):
    server = make_server()
    server.create()
    server.stop()
    assert "under way" not in server.stderr()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.slow
def test_a_second_signal_ends_it_at_once(make_server, how):
    """A client holds it up otherwise."""
    server = make_server()
    with Wire(server) as wire:
        wire.send(server.request("POST", TASKS, POST, body=body("cut off"))[:-5])
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        server.process.send_signal(signal.SIGHUP)  # is no such signal
        time.sleep(0.2)
        assert server.running()
        server.process.send_signal(how)
        server.wait()
    assert "docket: a second signal: requests that are still under way are cut off" in \
        server.stderr() or '"a second signal: ' in server.stderr()
    assert stored(server.data) == []


@backends.SQLITE
def test_what_is_stored_at_the_very_end_is_answered(make_server):
    """Behind the drain, which a second signal ends here, the writer finishes what it has begun.
    Each of the answers takes its time."""
    server = make_server()
    operations = [{"create": task(body="b" * 60000)["task"]} for _ in range(10)]
    bulk = server.request("POST", TASKS + "/bulk", POST,
                          body=json.dumps({"operations": operations}).encode())
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server)) for _ in range(8)]
        with backends.opened(server.data) as somebody:
            somebody.execute("BEGIN IMMEDIATE")
            for wire in wires:
                wire.send(bulk)
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            await_drain(server)
            server.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + ANSWER_S
            while "a second signal" not in server.stderr():
                assert time.monotonic() < deadline
                time.sleep(0.02)
        replies = [wire.reply() for wire in wires]
    server.wait()
    assert None not in replies
    answered = [reply.status for reply in replies].count(200)
    assert len(stored(server.data)) == answered * len(operations)


def test_an_end_at_the_limit_of_connections(make_server):
    """Silent clients are ended, and who waited behind them is served."""
    server = make_server(
        preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200)))
    server.session.close()
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(Wire(server))
        late = [stack.enter_context(Wire(server)) for _ in range(20)]
        for number, wire in enumerate(late):
            wire.send(server.request("POST", TASKS, POST, body=body(f"{number:02}")))
        server.process.send_signal(signal.SIGTERM)
        for wire in late:
            reply = wire.reply()
            assert reply and reply.status == 201, reply
    server.wait()
    assert stored(server.data) == [f"{number:02}" for number in range(20)]


@pytest.mark.parametrize("line, kept, said", [
    ("X: y", True, "timeout=75"), ("Connection: keep-alive", True, "timeout=75"),
    ("Connection: close", False, None), ("Connection: TE, Close", False, None)])
def test_an_answer_says_how_long_its_connection_is_kept(server, line, kept, said):
    with Wire(server) as wire:
        wire.send(server.request("GET", TASKS, line))
        reply = wire.reply()
        assert reply.header("Keep-Alive") == said
        assert (reply.header("Connection").lower() == "keep-alive") == kept
        if not kept:
            assert wire.at_end()


@pytest.mark.parametrize("line, said", [("X: y", None), ("Connection: Keep-Alive", "timeout=75")])
def test_an_answer_to_http_1_0(server, line, said):
    with Wire(server) as wire:
        wire.send(server.request("GET", TASKS, line, version="HTTP/1.0"))
        assert wire.reply().header("Keep-Alive") == said


@pytest.mark.slow
def test_the_idle_time_is_a_setting(make_server):
    server = make_server(options=["--idle-timeout", "1"])
    with Wire(server) as wire:
        wire.send(server.request("GET", TASKS))
        assert wire.reply().header("Keep-Alive") == "timeout=1"
        assert wire.at_end()
