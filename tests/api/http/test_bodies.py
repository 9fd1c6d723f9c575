"""Bodies: their encodings and sizes, and clients that ask before they send one."""
import time

import pytest

from framing import chunked, tasks_after
from harness import TASKS, cases, problem, task_json
from wire import JSON_LINE, Wire, exchange

LIMIT = 1024 * 1024


@pytest.fixture(scope="module")
def made(server):
    return server.create(title="made")


def test_head_and_body_byte_by_byte(server):
    data = server.request("POST", TASKS, JSON_LINE, body=task_json(title="slowly"))
    with Wire(server) as wire:
        for byte in data:
            wire.send(bytes([byte]))
        assert wire.reply().json["title"] == "slowly"


def test_chunks_byte_by_byte(server):
    head = server.request("POST", TASKS, JSON_LINE, "Transfer-Encoding: chunked")
    with Wire(server) as wire:
        wire.send(head)
        for byte in chunked(task_json(title="slowly in chunks"), 5):
            wire.send(bytes([byte]))
        assert wire.reply().json["title"] == "slowly in chunks"


@pytest.mark.slow
def test_body_with_pauses(server):
    data = server.request("POST", TASKS, JSON_LINE, body=task_json(title="in three parts"))
    with Wire(server) as wire:
        for part in (data[:100], data[100:-5], data[-5:]):
            wire.send(part)
            time.sleep(0.2)
        assert wire.reply().json["title"] == "in three parts"


@pytest.mark.parametrize("size, status", [(LIMIT - 1, 201), (LIMIT, 201), (LIMIT + 1, 413)])
@pytest.mark.parametrize("form", ["length", "chunks"])
def test_body_limit(server, size, status, form):
    body = task_json(title="large").ljust(size)
    with Wire(server) as wire:
        if form == "length":
            wire.offer(server.request("POST", TASKS, JSON_LINE, body=body))
        else:
            wire.offer(server.request("POST", TASKS, JSON_LINE, "Transfer-Encoding: chunked") +
                       chunked(body))
        reply = wire.reply()
    assert reply is not None and reply.status == status, f"expected {status}: {reply}"
    if status == 413:
        problem(reply, 413)


@pytest.mark.parametrize("size", [LIMIT + 1, 10**9, 2**63 - 1])
def test_too_large_is_said_at_once(server, size):
    with Wire(server) as wire:
        problem(wire.ask("POST", TASKS, JSON_LINE, f"Content-Length: {size}"), 413)
        assert wire.at_end()


def test_too_large_in_chunks_is_drained(server):
    with Wire(server) as wire:
        assert wire.offer(server.request("POST", TASKS, JSON_LINE, "Transfer-Encoding: chunked") +
                          chunked(b" " * (3 * LIMIT)))
        reply = wire.reply()
        problem(reply, 413)
        if reply.header("Connection") == "close":
            assert wire.at_end()
        else:
            problem(wire.ask("GET", "/nowhere"), 404)


def test_endless_chunks_are_cut_off(server):
    part = b"10000\r\n" + b" " * 65536 + b"\r\n"
    with Wire(server) as wire:
        wire.send(server.request("POST", TASKS, JSON_LINE, "Transfer-Encoding: chunked"))
        sent = 0
        while sent < 64 * LIMIT and wire.offer(part):
            sent += 65536
        assert sent < 64 * LIMIT, "expected the connection to be closed past 4 MiB"
        assert sent >= 4 * LIMIT
        wire.to_end()
        assert wire.buffer == b"" or b" 413 " in wire.buffer, wire.buffer


@pytest.mark.parametrize("form", ["length", "chunks"])
def test_body_of_a_get(server, made, form):
    """The body has no meaning, but docket reads it to the end."""
    inner = server.request("POST", TASKS, JSON_LINE, body=task_json(title="inside"))
    path = f"{TASKS}/{made['id']}"
    last = server.create()["id"]
    with Wire(server) as wire:
        if form == "length":
            wire.send(server.request("GET", path, body=inner))
        else:
            wire.send(server.request("GET", path, "Transfer-Encoding: chunked") + chunked(inner))
        assert wire.reply().json == made
        assert wire.ask("GET", path).json == made
    assert tasks_after(server, last) == []


# Expect: 100-continue

@pytest.mark.parametrize("form", ["length", "chunks"])
def test_expect_continue(server, form):
    body = task_json(title="expected")
    line = f"Content-Length: {len(body)}" if form == "length" else "Transfer-Encoding: chunked"
    with Wire(server) as wire:
        assert wire.ask("POST", TASKS, JSON_LINE, "Expect: 100-continue", line).status == 100
        wire.send(body if form == "length" else chunked(body))
        reply = wire.reply()
        assert reply.status == 201 and reply.json["title"] == "expected"
        assert wire.ask("GET", f"{TASKS}/{reply.json['id']}").json == reply.json


@pytest.mark.parametrize("status, lines", cases([
    ("access", 401, [JSON_LINE, "Content-Length: 100"]),
    ("size", 413, [JSON_LINE, f"Content-Length: {LIMIT + 1}"]),
    ("type", 415, ["Content-Type: text/plain", "Content-Length: 100"]),
    ("coding", 415, [JSON_LINE, "Content-Encoding: gzip", "Content-Length: 100"]),
]))
def test_expect_and_refused(server, status, lines):
    """The refusal comes before the body, and the client never sends the body."""
    data = server.request("POST", TASKS, "Expect: 100-continue", *lines)
    if status == 401:
        data = data.replace(b"Authorization", b"X-Authorization")
    with Wire(server) as wire:
        wire.send(data)
        problem(wire.reply(), status)
        assert wire.at_end()


def test_expect_in_http_1_0_is_ignored(server):
    data = server.request("POST", TASKS, JSON_LINE, "Expect: 100-continue", body=task_json(),
                          version="HTTP/1.0")
    assert exchange(server, data).status == 201
