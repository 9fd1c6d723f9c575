"""The HTTP library's own answers in both versions: compares the table of SECURITY.md with the bytes
of each row."""
import socket
import time

import pytest

from framing import BODY, CHUNKED, request, smuggled, tasks_after
from harness import ROOT, TASKS, problem
from library import OLD
from wire import ANSWER_S, Wire

LENGTH = b"Content-Length: {n}"
CHUNKS = b"Transfer-Encoding: chunked"
SIZE = b"%x" % len(BODY)


def head(*lines, body=BODY):
    return lambda server: request(server, b"\r\n".join(lines), body)


def first(line):
    return lambda server: request(server, LENGTH, BODY, line)


def chunk(size=SIZE, end=b"\r\n", last=b"0\r\n\r\n"):
    body = size + end + BODY + b"\r\n" + last
    return lambda server: request(server, CHUNKS, body)


def before(data):
    return lambda server: data + request(server, LENGTH)


# For each row of SECURITY.md, by its first column, the requests that it describes.
REQUESTS = {
    "no `Host`": [lambda server: request(server, LENGTH, host=False)],
    "a `Transfer-Encoding` other than `chunked`": [
        head(b"Transfer-Encoding: gzip"), head(b"Transfer-Encoding: identity")],
    "both `Content-Length` and `Transfer-Encoding`": [
        head(CHUNKS, LENGTH, body=CHUNKED), head(LENGTH, CHUNKS, body=CHUNKED)],
    "a folded header": [head(b"X: a", b" b", LENGTH), head(LENGTH, b"X: a", b"\tb")],
    "a blank before a colon, or a header without a name": [
        head(b"X : a", LENGTH), head(b"Content-Length : 5"), head(b": a", LENGTH)],
    "a header without a colon": [head(b"abc", LENGTH)],
    "NUL, a bare CR or a bare LF among the headers": [
        head(b"X: a\0b", LENGTH), head(b"X: a\rb", LENGTH), head(b"X: a\nY: b", LENGTH)],
    "a `Content-Length` that is no number": [
        head(b"Content-Length: +5"), head(b"Content-Length: 0x5"), head(b"Content-Length: -5"),
        head(b"Content-Length:"), head(b"Content-Length: 5, 5")],
    "a `Content-Length` from 2^64": [head(b"Content-Length: 18446744073709551616")],
    "a blank behind the value of `Content-Length`": [head(LENGTH + b" ")],
    "a major version other than 1": [
        first(b"POST /api/v1/tasks HTTP/2.0"), first(b"POST /api/v1/tasks HTTP/0.9")],
    "no version, or one in small letters": [
        first(b"POST /api/v1/tasks"), first(b"POST /api/v1/tasks http/1.1")],
    "a blank in the target, or one too many beside it": [
        first(b"POST /api/v1/tasks?a=b c HTTP/1.1"), first(b"POST  /api/v1/tasks HTTP/1.1"),
        first(b"POST /api/v1/tasks  HTTP/1.1")],
    "a line without blanks, or with one at its start": [
        first(b"POST"), first(b"POST\t/api/v1/tasks\tHTTP/1.1"),
        first(b" POST /api/v1/tasks HTTP/1.1")],
    "NUL in the request line": [
        first(b"PO\0ST /api/v1/tasks HTTP/1.1"), first(b"POST /api/v1/ta\0sks HTTP/1.1")],
    "a line that begins with NUL, before the request": [
        before(b"\0\r\n"), before(b"\0POST /x HTTP/1.1\r\n"), before(b"\0" * 1000 + b"\n")],
    "several empty lines before the request": [before(b"\r\n\r\n"), before(b"\r\n" * 10)],
    "a bare CR in the line of a chunk": [
        chunk(SIZE + b";a\rb"), chunk(SIZE + b";\r"), chunk(last=b"0;x\ry\r\n\r\n")],
    "an extension of a chunk": [
        chunk(SIZE + b";a=b"), chunk(SIZE + b';a="b;c"'), chunk(last=b"0;a\r\n\r\n")],
    "an extension of a chunk of 33,000 bytes": [chunk(SIZE + b";" + b"a" * 33000)],
    "LF for CRLF around a chunk": [chunk(end=b"\n"), chunk(last=b"0\n\r\n")],
    "a size of a chunk that is no number": [chunk(b"xyz"), chunk(b"-1"), chunk(b"")],
    "a size of a chunk from 2^64": [chunk(b"10000000000000000")],
    "a bare CR, NUL, folding or a blank before the colon in a trailer": [
        chunk(last=b"0\r\n" + line + b"\r\n\r\n")
        for line in (b"X: a\rb", b"X: a\0b", b"X: a\r\n b", b"X : a", b"X: a\rb\r\nY: c")],
    "a trailer without a colon": [chunk(last=b"0\r\nabc\r\n\r\n")],
    "headers of more than 32 KiB": [
        head(LENGTH, b"X: " + b"x" * 40000), head(LENGTH, *[b"X: x"] * 2000)],
    "a target of more than 32 KiB": [first(b"POST /" + b"x" * 40000 + b" HTTP/1.1")],
    "a thousand cookies": [head(LENGTH, b"Cookie: " + b"a=b; " * 1000)],
}


def table():
    """The rows of SECURITY.md: the first column, and the answers of both versions."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    lines = text.split("| request | libmicrohttpd 0.9.75 | libmicrohttpd 1.0.1 |\n", 1)[1]
    for line in lines.splitlines()[1:]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


ROWS = {row[0]: row[1 if OLD else 2] for row in table()}


def test_every_row_is_tried():
    assert list(ROWS) == list(REQUESTS)


def taken(server, data):
    """Asserts that the server answers the request as if it had no defect, and the next one too."""
    with Wire(server) as wire:
        wire.send(data + smuggled(server))
        replies = [wire.reply(), wire.reply()]
    titles = [reply and reply.status == 201 and reply.json["title"] for reply in replies]
    assert titles == ["outer", "inner"], replies


def said_until_closed(wire, data):
    """Reads to the end. 1.0.1 closes some connections only when more bytes arrive, or after docket's
    deadline for a body, which is longer than ANSWER_S."""
    wire.offer(data)
    wire.socket.settimeout(0.1)
    deadline = time.monotonic() + 2 * ANSWER_S
    while time.monotonic() < deadline:
        try:
            if not wire.more():
                return wire.buffer
        except socket.timeout:
            wire.offer(b"x")
    raise AssertionError(f"expected the connection to be closed: {wire.buffer!r}")


def refused(server, data):
    """All bytes that the server sends before it closes; nothing may be stored."""
    last = server.create()["id"]
    with Wire(server) as wire:
        said = said_until_closed(wire, data + smuggled(server))
    assert tasks_after(server, last) == []
    return said


def parse(server, said):
    """The answer with these bytes; there must be exactly one."""
    wire = Wire(server)
    with wire:
        wire.buffer = said
        reply = wire.reply()
        assert not wire.buffer, said
    assert reply.header("Connection") == "close", reply
    return reply


@pytest.mark.parametrize("name, number", [(name, number) for name, requests in REQUESTS.items()
                                          for number in range(len(requests))])
def test_answer(server, name, number):
    data = REQUESTS[name][number](server)
    kind, _, rest = ROWS[name].partition(" ")
    if kind == "taken":
        taken(server, data)
        return
    said = refused(server, data)
    if kind == "closed":
        assert said == b""
        return
    start, _, body = said.partition(b"\r\n\r\n")
    if rest.endswith(", its head twice"):
        assert body.startswith(start + b"\r\n\r\n"), said
        said = body
    reply = parse(server, said)
    assert reply.status == int(rest[:3]), reply
    if kind == "problem":
        problem(reply, reply.status, fields=False)
    else:
        assert kind == "HTML" and reply.body.startswith(b"<html>"), reply


def test_one_that_the_library_forgets_is_ended(make_server):
    """1.0.1 does not notify docket that it has closed this connection. docket still logs the
    request and frees it."""
    server = make_server()
    data, = (one(server) for one in REQUESTS["an extension of a chunk of 33,000 bytes"])
    with Wire(server) as wire:
        said_until_closed(wire, data)
    line, = server.lines(count=1)
    assert (line["method"], line["path"]) == ("POST", TASKS), line
