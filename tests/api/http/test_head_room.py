"""libmicrohttpd keeps the head of a request and that of its answer in one block of memory. Whatever
their sizes, docket answers the request, or refuses it and stores nothing."""
import os
import signal
import socket
import time

import pytest

from framing import BODY, request
from harness import TASKS, cases, faults, problem, task
from wire import Wire, exchange

# Sizes near docket's own limit and near the library's limit.
SIZES = sorted({*range(0, 24000, 1501), *range(23900, 24600, 7), *range(24600, 31800, 601),
                *range(31800, 33000, 11)})
COUNTS = [*range(0, 190, 19), *range(190, 300), *range(300, 420, 7)]
LONG = BODY[:-2] + b',"body":"' + b"b" * 50000 + b'"}}'


def post(*lines, body=BODY, first=b"POST /api/v1/tasks HTTP/1.1"):
    lines = b"\r\n".join([*lines, b"Content-Length: {n}"])
    return lambda server: request(server, lines, body, first)


def chunks(*trailers, lines=()):
    body = b"%x\r\n%b\r\n0\r\n" % (len(LONG), LONG) + b"".join(line + b"\r\n" for line in trailers)
    lines = b"\r\n".join([*lines, b"Transfer-Encoding: chunked"])
    return lambda server: request(server, lines, body + b"\r\n")


# The part of the head that grows, and by how much.
KINDS = cases([
    ("one header", lambda size: post(b"X: " + b"x" * size), SIZES),
    ("one header, a long body", lambda size: post(b"X: " + b"x" * size, body=LONG), SIZES[::3]),
    ("the shortest headers", lambda count: post(*[b"a:"] * count), COUNTS),
    ("longer headers", lambda count: post(*[b"x" * 50 + b": y"] * count), COUNTS),
    ("one cookie", lambda size: post(b"Cookie: a=" + b"a" * size), range(0, 15000, 301)),
    ("the target", lambda size: post(first=b"POST /api/v1/tasks?" + b"&" * size + b" HTTP/1.1"),
     SIZES),
    ("one header, in chunks", lambda size: chunks(lines=[b"X: " + b"x" * size]), SIZES[::3]),
    ("one trailer", lambda size: chunks(b"X: " + b"x" * size), SIZES[::3]),
    ("a header and a trailer", lambda size: chunks(b"X: " + b"x" * (size // 2),
                                                   lines=[b"X: " + b"x" * (size // 2)]), SIZES[::3]),
    ("the shortest trailers", lambda count: chunks(*[b"X:"] * count), COUNTS),
])


@pytest.mark.parametrize("behind", [b"", b"G" * 60000], ids=["alone", "more behind it"])
@pytest.mark.parametrize("make, sizes", KINDS)
@pytest.mark.slow
def test_every_size_is_answered(server, make, sizes, behind):
    last = server.create()["id"]
    statuses = []
    for size in sizes:
        reply = exchange(server, make(size)(server) + behind)
        assert reply is not None, f"closed without an answer at {size}"
        assert reply.status in (201, 414, 431), f"at {size}: {reply}"
        statuses.append(reply.status)
    stored = server.create()["id"] - last - 1
    assert stored == statuses.count(201), "expected an answer to each that was stored"
    # All larger sizes are refused too. The status may change where the library begins to refuse.
    assert 201 not in statuses[stored:]


@pytest.mark.parametrize("size", [24600, 28000, 31000])
def test_refusal_is_a_problem(server, size):
    with Wire(server) as wire:
        wire.send(post(b"X: " + b"x" * size)(server))
        told = problem(wire.reply(), 431)["detail"]
        assert wire.at_end()
    assert "24576 bytes" in told and "208 headers" in told
    with Wire(server) as wire:
        assert "24576 bytes" in problem(wire.ask("GET",
                                                 f"{TASKS}?title=" + "a" * size), 414)["detail"]
        assert wire.at_end()


def test_refusal_where_the_library_has_no_memory(server):
    """docket writes the refusal directly to the socket, without a body for HEAD, and logs it."""
    offset = server.log_end()
    for size in range(32000, 32060, 7):
        for method in ("GET", "HEAD"):
            with Wire(server) as wire:
                reply = wire.ask(method, f"{TASKS}/1", "X: " + "x" * (size - 100))
                assert reply.status == 431 and wire.at_end(), reply
                assert reply.header("Connection") == "close" and reply.header("Date"), reply
                assert reply.header("X-Request-Id"), reply
    lines = server.lines(offset, 18)
    assert {(line["status"], line["end"]) for line in lines} == {(431, "sent")}
    assert {line["method"] for line in lines} == {"GET", "HEAD"}


def test_refusal_before_all_was_read(server):
    """docket reads the bytes that the client has sent after the head. If it closed the connection
    with unread bytes, the system would reset it, and would not send lost parts of the answer again."""
    for size in range(31900, 31960, 7):
        with Wire(server) as wire:
            os.kill(server.process.pid, signal.SIGSTOP)
            wire.send(server.request("GET", f"{TASKS}/1", "X: " + "x" * size) + b"G" * 20000)
            os.kill(server.process.pid, signal.SIGCONT)
            assert wire.reply().status == 431
            assert wire.at_end()
            time.sleep(0.1)
            assert wire.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


# Headers of the answer that grow with the request

@pytest.mark.parametrize("size", [*range(1000, 12000, 1000), *range(12000, 24000, 307)])
def test_query_in_a_link(server, size):
    for _ in range(2):
        server.create()
    query = "id=1,2" + ",2" * (size // 2) + "&per_page=1"
    reply = server.call("GET", f"{TASKS}?{query}")
    if reply.status == 200:
        assert 'rel="next"' in reply.header("Link")
    elif reply.status == 400:
        assert faults(reply, 400) == [("query", "too_long")]
    else:
        problem(reply, 414)
    assert reply.status == 200 or size > 11000, reply


def test_encoded_query_that_is_much_shorter_in_a_link(server):
    reply = server.call("GET", f"{TASKS}?title=" + "%61" * 8309)
    assert reply.status in (200, 400, 414), reply


@pytest.mark.parametrize("size", [10, 297, 298, 400, 5000, 11000, 20000])
def test_name_that_is_ignored(server, size):
    reply = server.call("GET", f"{TASKS}/1?" + "x" * size, headers={"Prefer": "handling=lenient"})
    named = reply.header("Docket-Ignored")
    assert named == ("x" * size if size <= 300 else "x" * 297 + "..."), reply


def test_many_names_that_are_ignored(server):
    names = [f"name_{number}" for number in range(2000)]
    reply = server.post(task(**dict.fromkeys(names)), {"Prefer": "handling=lenient"})
    assert reply.status == 201, reply
    named, _, more = reply.header("Docket-Ignored").rpartition(" and ")
    shown = named.split(", ")
    assert len(named) < 1000
    assert {name.removeprefix("task.") for name in shown} < set(names)
    assert more == f"{len(names) - len(shown)} more"


def test_id_with_many_zeros(server):
    made = server.create()
    number = str(made["id"])
    assert server.get(number.rjust(20, "0")).json == made
    for suffix in ("", "/history"):
        path = number.rjust(20000, "0") + suffix
        problem(server.get(path), 404)
