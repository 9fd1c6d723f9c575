"""The budget of memory: who finds no room is refused with an answer, and others are served. With a limit of
32 MiB an account has 8 MiB, which is what one body of 1 MiB is charged, and a source 16 MiB."""
import contextlib
import json
import re
import socket
import time

import pytest

import admin
import backends
from framing import chunked
from harness import SANITIZED, TASKS, Server, basic, problem, succeed, task, token_file
from together import at_once, started, until
from wire import ANSWER_S, JSON_LINE, Wire

pytestmark = [backends.BOTH, pytest.mark.slow]  # who waits for room does so for a second
MIB = 1024 * 1024
ACCOUNTS = ["first", "second", "third", "fourth", "fifth"]


class Many:
    """A server of five accounts. The records are in the first two."""

    def __init__(self, place, tokens, log):
        self.tokens = dict(tokens)
        for account in ACCOUNTS[len(self.tokens):]:
            file = token_file(place, account)
            admin.docket(place, "account add", account, "--token-file", file)
            self.tokens[account] = file.read_text().strip()
        self.server = Server(place, None, log, ["--base-domain", admin.DOMAIN, "--memory-limit", "32"])

    def request(self, account, method, path, *lines, body=b""):
        head = [f"{method} {path} HTTP/1.1", f"Host: {account}.{admin.DOMAIN}",
                f"Authorization: {basic('admin/token', self.tokens[account])}", *lines]
        if body:
            head.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*head, "", ""]).encode() + body

    def ask(self, account, method="GET", path=TASKS, *lines, body=b"", source=None):
        """All of the request is sent before anything of the answer is read; and the connection goes on
        behind the answer."""
        with Wire(self.server, source) as wire:
            wire.send(self.request(account, method, path, *lines, body=body))
            reply = wire.reply()
            wire.send(self.request(account, "GET", "/api/v1/me"))
            assert wire.reply().status == 200
            return reply

    def create(self, account, size=MIB, source=None):
        return self.ask(account, "POST", TASKS, JSON_LINE, body=large(size), source=source)

    @contextlib.contextmanager
    def held(self, account, size=MIB, source=None):
        """A body whose size was charged, and of which nothing was sent; None: in chunks. What other
        tests have charged may still be there."""
        line = f"Content-Length: {size}" if size else "Transfer-Encoding: chunked"
        deadline = time.monotonic() + ANSWER_S
        while True:
            with Wire(self.server, source) as wire:
                wire.send(self.request(account, "POST", TASKS, JSON_LINE, line, "Expect: 100-continue"))
                status = wire.reply().status
                if status == 100:
                    yield wire
                    return
            assert status == 429 and time.monotonic() < deadline

    def wait_until_free(self, account="first"):
        """The server learns late that a client has gone."""
        until(lambda: self.create(account).status, lambda status: status == 201, account)

    def held_bytes(self):
        """As the server counts them; 0 where there is no socket to ask it."""
        if isinstance(self.server.data, backends.Database):
            return 0
        status = succeed("status", "--data", self.server.data, "--json").stdout
        return json.loads(status)["memory"]["held_bytes"]


def large(size):
    return json.dumps(task(title="large")).encode().ljust(size)


def refused(reply, status):
    """A refusal for want of room. To a write it says that nothing was stored."""
    detail = problem(reply, status)["detail"]
    told = re.search(r"; nothing was stored; try again in (\d+) s$", detail)
    assert told and reply.header("Retry-After") == told[1] and 1 <= int(told[1]) <= 30, reply
    assert ("share" in detail) == (status == 429), reply


@pytest.fixture(scope="module")
def many(tmp_path_factory, base_of_two):
    folder = tmp_path_factory.mktemp("many")
    place = backends.copy(base_of_two[0], folder / "data")
    many = Many(place, base_of_two[1], folder / "log")
    yield many
    many.server.stop()
    backends.remove(place)


@pytest.fixture(autouse=True)
def nothing_is_left(many):
    """Of what a test has charged: else one large body would not find room."""
    yield
    if many.server.running():
        for account in ("first", "second"):
            many.wait_until_free(account)
        until(many.held_bytes, lambda held: held == 0, "nothing is to be held at rest")


def test_a_full_share(many):
    with many.held("first"):
        refused(many.create("first"), 429)
        refused(many.create("first", size=5000), 429)
        assert many.create("first", size=4096).status == 201
        assert many.ask("first", path="/api/v1/me").status == 200
        assert many.create("second").status == 201
    many.wait_until_free("first")


def test_a_body_that_comes_late_is_stored(many):
    body = large(MIB)
    with many.held("first") as wire:
        wire.send(body[:1000])
        refused(many.create("first"), 429)
        wire.send(body[1000:])
        assert wire.reply().status == 201
        assert many.create("first").status == 201


def test_who_waits_gets_room(many):
    for _ in range(20):
        with many.held("first"):
            waiting = started(many.create, "first")
            time.sleep(0.1)
        if waiting.result().status == 201:
            break
        refused(waiting.result(), 429)
    assert waiting.result().status == 201


def test_a_full_source(many):
    with many.held("first", source="127.2.0.1"), many.held("second", source="127.2.0.1"), \
            many.held("third", None, source="127.2.0.2"):
        refused(many.create("third", source="127.2.0.1"), 429)
        # Whoever holds little is served beside them. The account has no records to name.
        assert many.create("fourth", source="127.2.0.1").status == 422
        assert many.create("third", source="127.2.0.2").status == 422


def test_a_full_budget(many):
    with contextlib.ExitStack() as stack:
        for account in ACCOUNTS[:4]:
            stack.enter_context(many.held(account))
        assert many.create("fifth").status == 422
        with many.held("fifth", None):
            refused(many.create("fifth"), 503)
        refused(many.create("first"), 429)
        reply = many.create("fifth")
        assert reply.status == 422, reply


def test_expect(many):
    with many.held("first"), Wire(many.server) as wire:
        wire.send(many.request("first", "POST", TASKS, JSON_LINE, f"Content-Length: {MIB}",
                               "Expect: 100-continue"))
        refused(wire.reply(), 429)
        assert wire.at_end()


def test_chunks(many):
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(many.held("first", None)) for _ in range(8)]
        refused(many.ask("first", "POST", TASKS, JSON_LINE, "Transfer-Encoding: chunked\r\n\r\n"
                         + chunked(large(300)).decode().removesuffix("\r\n\r\n")), 429)
        for wire in wires:
            wire.send(chunked(large(300)))
            assert wire.reply().status == 201
        # They hold nothing more while their connections are idle.
        assert many.create("first").status == 201


def test_broken_off(many):
    for size in (MIB, None, 5000):
        for _ in range(10):
            with Wire(many.server) as wire:
                line = f"Content-Length: {size}" if size else "Transfer-Encoding: chunked"
                wire.send(many.request("first", "POST", TASKS, JSON_LINE, line) + b"100\r\n{")
    many.wait_until_free("first")
    with many.held("first"):
        for _ in range(10):
            with Wire(many.server) as wire:
                wire.send(many.request("first", "POST", TASKS, JSON_LINE, f"Content-Length: {MIB}"))


def test_a_parsed_body_that_takes_much(many):
    """80 times its text; what usual bodies become was let in with them."""
    body = b'{"task":{"users_list":[%s{}]}}' % (b"{}," * 100_000)
    with many.held("first", None) as chunks, many.held("first", None) as usual, \
            many.held("first", 550_000), many.held("first", 550_000):
        chunks.send(chunked(body, 60_000))
        refused(chunks.reply(), 429)
        usual.send(chunked(large(len(body)), 60_000))
        assert usual.reply().status == 201
    many.wait_until_free("first")
    reply = many.ask("first", "POST", TASKS, JSON_LINE, body=body)
    assert problem(reply, 422)["errors_omitted"] > 99_000


def test_a_decoded_write_that_takes_much(many):
    """Many operations of a few bytes each."""
    body = b'{"operations":[%s]}' % b",".join([b'{"update":{"id":1}}'] * 200)
    path = f"{TASKS}/bulk"
    with many.held("first"):
        assert len(body) < 4096
        refused(many.ask("first", "POST", path, JSON_LINE, body=body), 429)
    many.wait_until_free("first")
    problem(many.ask("first", "POST", path, JSON_LINE, body=body), 422)


def test_memory_comes_back(many):
    """After bodies that take 80 times their text. A sanitizer keeps what is freed."""
    body = b'{"task":{"users_list":[%s{}]}}' % (b"{}," * 340_000)
    empty = many.server.memory()

    def burst(account):
        for _ in range(4):
            assert many.ask(account, "POST", TASKS, JSON_LINE, body=body).status in (422, 429, 503)
    at_once(burst, ACCOUNTS)
    if not SANITIZED:
        until(many.server.memory, lambda memory: memory < empty + 30 * MIB,
              f"{empty} bytes before")


class Slow(Wire):
    """Takes nothing of its answer."""

    def __init__(self, many, account, path):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect((many.server.host, many.server.port))
        self.buffer = b""
        self.send(many.request(account, "GET", path))
        assert self.socket.recv(9) == b"HTTP/1.1 "


SLOW = 160  # clients, each of which holds a piece of 64 KiB: more than the share of 8 MiB
SLOW_S = 300


def test_answers(many):
    """Larger than what the system takes before the client does."""
    ids = [json.loads(many.ask("first", "POST", TASKS, JSON_LINE,
                               body=json.dumps(task(body="x" * 60_000, title="slow")).encode()).body)["id"]
           for _ in range(100)]
    path = f"{TASKS}?title=slow"
    with contextlib.ExitStack() as stack:
        for _ in range(SLOW):
            stack.enter_context(Slow(many, "first", path))
        # The system takes the first pieces of an answer. Then each client holds one. One record is refused
        # as a long list is.
        reply = until(lambda: many.ask("first", path=f"{path}&per_page=1"),
                      lambda reply: reply.status == 429, seconds=SLOW_S)
        assert "try again in" in problem(reply, 429)["detail"] and 1 <= int(reply.header("Retry-After")) <= 30
        assert reply.header("Link") is None
        assert many.ask("first", path=f"{TASKS}?mode=count").status == 200
        assert many.ask("second").status == 200
        # What was stored is answered in any case.
        reply = many.ask("first", "PATCH", f"{TASKS}/{ids[0]}", JSON_LINE, body=b'{"task":{"title":"other"}}')
        assert reply.status == 200 and len(reply.body) > 60_000
    until(lambda: many.ask("first", path=path).status, lambda status: status == 200)
    # The system has not taken megabytes for each.
    broken = [line["bytes"] for line in many.server.lines() if line["end"] == "broken off"]
    assert len(broken) > SLOW / 2 and max(broken) < MIB, broken
    for number in ids:
        assert many.ask("first", "DELETE", f"{TASKS}/{number}").status == 204


def test_the_end_of_the_server(many):
    """Who waits is answered, and who is let in can send the rest."""
    body = large(MIB)
    with many.held("first") as wire, Wire(many.server) as waits:
        waits.send(many.request("first", "POST", TASKS, JSON_LINE, body=body))
        many.server.process.terminate()
        reply = waits.reply()
        assert reply.status == 201 or refused(reply, 429) is None
        wire.send(body)
        reply = wire.reply()
        assert reply.status == 201 and reply.header("Connection") == "close"
        many.server.wait()
    many.server.start()
