"""The end of a server while clients are connected: no request is lost."""
import contextlib
import json
import os
import signal
import socket
import threading
import time

import pytest
import requests

import backends
from ca import TlsWire, with_tls
from harness import SANITIZED, TASKS, descriptors, shown, task, task_json
from together import until
from wire import ANSWER_S, JSON_LINE, Wire, ask_once, of_requests

CLIENTS = 4
QUIET_S = 1  # how long the end waits for a request on a silent connection

pytestmark = backends.BOTH


def stored(place):
    return sorted(title for title, in backends.rows(place, "SELECT title FROM task"))


def await_drain(server):
    """Waits until nobody can connect any more: the system drops or refuses the first packet of a
    new client."""
    def is_refused():
        with socket.socket() as probe:
            probe.settimeout(0.02)
            try:
                probe.connect(("127.0.0.1", server.port))
            except (ConnectionRefusedError, TimeoutError):
                return True
        return False

    until(is_refused, pause=0)


class Client(threading.Thread):
    """Creates tasks one after the other on a kept connection, until it is refused."""

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
            assert shown("POST", TASKS, of_requests(reply)).status == 201, reply.text
            self.created.append(title)
            if len(self.created) == 20:
                self.going.set()


def test_clients_on_kept_connections_lose_nothing(make_server):
    """Every answered create is stored. All others were refused before the client sent them."""
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
    """docket answers one more request on each kept connection and then closes it; no new connection
    can begin."""
    assert any(answers_one_more(make_server()) for _ in range(3))


def answers_one_more(server):
    """False if the requests came later than docket waits for them."""
    with Wire(server) as one, Wire(server) as other:
        for wire in (one, other):
            assert wire.ask("GET", TASKS).header("Keep-Alive") == "timeout=75"
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        await_drain(server)
        for wire in (one, other):
            wire.offer(server.request("POST", TASKS, JSON_LINE, body=task_json(title="the last")))
        replies = [wire.reply() for wire in (one, other)]
        if None in replies and time.monotonic() - began > QUIET_S:
            return False
        for reply, wire in zip(replies, (one, other)):
            assert reply.status == 201 and reply.header("Connection") == "close"
            assert reply.header("Keep-Alive") is None
            assert wire.at_end()
    server.wait()
    assert stored(server.data) == ["the last"] * 2
    return True


def test_who_is_in_the_queue_is_served(make_server):
    """Connections that exist but are not accepted yet, with their requests."""
    server = make_server()
    os.kill(server.process.pid, signal.SIGSTOP)
    wires = [Wire(server) for _ in range(50)]
    for number, wire in enumerate(wires):
        wire.send(server.request("POST", TASKS, JSON_LINE, body=task_json(title=f"{number:02}")))
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
    """It may take longer to arrive than a silent connection may stay open."""
    server = make_server()
    whole = server.request("POST", TASKS, JSON_LINE, body=task_json(title="slow"))
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
    server, ca = with_tls(make_server, tmp_path)
    with TlsWire(server, ca) as kept, TlsWire(server, ca), \
         socket.create_connection((server.host, server.port)):
        assert kept.ask("GET", "/healthz").status == 200
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
    """Without the second signal a client would hold the server up."""
    server = make_server()
    with Wire(server) as wire:
        wire.send(server.request("POST", TASKS, JSON_LINE, body=task_json(title="cut off"))[:-5])
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        server.process.send_signal(signal.SIGHUP)  # SIGHUP does not count as one
        time.sleep(0.2)
        assert server.running()
        server.process.send_signal(how)
        server.wait()
    assert "docket: a second signal: requests that are still under way are cut off" in \
        server.stderr() or '"a second signal: ' in server.stderr()
    assert stored(server.data) == []


@backends.SQLITE
def test_what_is_stored_at_the_very_end_is_answered(make_server):
    """After the drain, which a second signal ends here, the writer finishes the writes that it has
    begun. Each answer takes some time."""
    server = make_server()
    operations = [{"create": task(body="b" * 60000)["task"]} for _ in range(10)]
    bulk = server.request("POST", TASKS + "/bulk", JSON_LINE,
                          body=json.dumps({"operations": operations}).encode())
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server)) for _ in range(8)]
        with backends.opened(server.data) as somebody:
            somebody.execute("BEGIN IMMEDIATE")
            for wire in wires:
                wire.send(bulk)
            time.sleep(5 if SANITIZED else 0.5)  # until it has read them all
            server.process.send_signal(signal.SIGTERM)
            await_drain(server)
            server.process.send_signal(signal.SIGTERM)
            until(lambda: "a second signal" in server.stderr())
        replies = [wire.reply() for wire in wires]
    server.wait()
    assert None not in replies
    answered = [reply.status for reply in replies].count(200)
    assert len(stored(server.data)) == answered * len(operations)


def test_an_end_at_the_limit_of_connections(make_server):
    """docket ends silent clients and serves those that waited for their places."""
    server = make_server(preexec=descriptors(200))
    server.kept.close()
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(Wire(server))
        late = [stack.enter_context(Wire(server)) for _ in range(20)]
        for number, wire in enumerate(late):
            wire.send(server.request("POST", TASKS, JSON_LINE, body=task_json(title=f"{number:02}")))
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
        reply = wire.ask("GET", TASKS, line)
        assert reply.header("Keep-Alive") == said
        assert (reply.header("Connection").lower() == "keep-alive") == kept
        if not kept:
            assert wire.at_end()


@pytest.mark.parametrize("line, said", [("X: y", None), ("Connection: Keep-Alive", "timeout=75")])
def test_an_answer_to_http_1_0(server, line, said):
    assert ask_once(server, "GET", TASKS, line, version="HTTP/1.0").header("Keep-Alive") == said


@pytest.mark.slow
def test_the_idle_time_is_a_setting(make_server):
    server = make_server(options=["--idle-timeout", "1"])
    with Wire(server) as wire:
        assert wire.ask("GET", TASKS).header("Keep-Alive") == "timeout=1"
        assert wire.at_end()
