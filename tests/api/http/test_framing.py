"""Requests that a proxy in front could read differently from docket. docket must refuse each, close
the connection, and never answer what follows."""
import re
import time

import pytest

from framing import (BODY, CHUNKED, HALF, accept, refuse, refuse_400, refuse_or_take, request,
                     smuggled, tasks_after)
from harness import cases, problem
from library import OLD
from wire import Wire, exchange

# Content-Length

@pytest.mark.parametrize("lines", cases([
    ("twice and equal", b"Content-Length: {n}\r\nContent-Length: {n}"),
    ("the shorter first", b"Content-Length: 0\r\nContent-Length: {n}"),
    ("the longer first", b"Content-Length: {all}\r\nContent-Length: {n}"),
    ("zero twice", b"Content-Length: 0\r\nContent-Length: 0"),
    ("in another case", b"Content-Length: {n}\r\ncontent-length: 0"),
    ("apart", b"Content-Length: {n}\r\nX: y\r\nCONTENT-LENGTH: 0"),
    ("three", b"Content-Length: {n}\r\nContent-Length: {n}\r\nContent-Length: {n}"),
]))
def test_several_content_lengths(server, lines):
    refuse_400(server, request(server, lines))


@pytest.mark.parametrize("value", cases([
    ("a list of two", b"{n}, {n}"),
    ("a list without a blank", b"{n},{n}"),
    ("a list with another", b"{n}, 0"),
    ("a comma behind", b"{n},"),
    ("two numbers", b"{n} {n}"),
    ("negative", b"-{n}"),
    ("minus nought", b"-0"),
    ("a plus", b"+{n}"),
    ("hexadecimal", b"0x52"),
    ("letters", b"abc"),
    ("a letter behind", b"{n}a"),
    ("a fraction", b"{n}.0"),
    ("an exponent", b"1e2"),
    ("quoted", b'"{n}"'),
    ("a parameter", b"{n};x=1"),
    ("empty", b""),
    ("blank", b"   "),
    ("2^64", b"18446744073709551616"),
    ("2^64 and a little", b"18446744073709551698"),
    ("thirty digits", b"999999999999999999999999999999"),
    ("digits of another script", "\u0668\u0662".encode()),
    ("a vertical tab behind", b"{n}\x0b"),
    ("a form feed before", b"\x0c{n}"),
]))
def test_content_length_that_is_no_number(server, value):
    refuse(server, request(server, b"Content-Length: " + value))


# Transfer-Encoding

@pytest.mark.parametrize("lines", cases([
    ("chunked twice", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    ("chunked and identity", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
    ("identity and chunked", b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"),
    ("gzip and chunked", b"Transfer-Encoding: gzip\r\ntransfer-encoding: chunked"),
    ("gzip", b"Transfer-Encoding: gzip"),
    ("identity", b"Transfer-Encoding: identity"),
    ("identity and a length", b"Transfer-Encoding: identity\r\nContent-Length: {n}"),
    ("chunked, chunked", b"Transfer-Encoding: chunked, chunked"),
    ("gzip, chunked", b"Transfer-Encoding: gzip, chunked"),
    ("chunked, gzip", b"Transfer-Encoding: chunked, gzip"),
    ("chunked, identity", b"Transfer-Encoding: chunked, identity"),
    ("another word", b"Transfer-Encoding: xchunked"),
    ("cut short", b"Transfer-Encoding: chunke"),
    ("a parameter", b"Transfer-Encoding: chunked;q=1"),
    ("a comma before", b"Transfer-Encoding: , chunked"),
    ("a comma behind", b"Transfer-Encoding: chunked,"),
    ("quoted", b'Transfer-Encoding: "chunked"'),
    ("empty", b"Transfer-Encoding:"),
    ("a vertical tab", b"Transfer-Encoding: \x0bchunked"),
    ("a no-break space", b"Transfer-Encoding: \xa0chunked"),
    ("with a length behind", b"Transfer-Encoding: chunked\r\nContent-Length: {n}"),
    ("with a length before", b"Content-Length: {n}\r\nTransfer-Encoding: chunked"),
    ("with a length of nought", b"Content-Length: 0\r\nTransfer-Encoding: chunked"),
    ("gzip with a length", b"Content-Length: {n}\r\nTransfer-Encoding: gzip"),
]))
@pytest.mark.parametrize("body", [CHUNKED, BODY], ids=["in chunks", "plain"])
def test_transfer_encoding(server, lines, body):
    # To pass libmicrohttpd 1.0.1, the first header must be "chunked", without a length.
    seen = re.match(rb"Transfer-Encoding: chunked($|\r\nTransfer-)", lines)
    refuse_400(server, request(server, lines, body), by_library=not seen)


@pytest.mark.parametrize("host", [True, False], ids=["host", "no host"])
def test_transfer_encoding_in_http_1_0(server, host):
    refuse_400(server, request(server, b"Transfer-Encoding: chunked\r\nConnection: keep-alive",
                               CHUNKED, b"POST /api/v1/tasks HTTP/1.0", host))


# Host

@pytest.mark.parametrize("lines", cases([
    ("equal", b"Host: docket.example\r\nHost: docket.example"),
    ("different", b"Host: docket.example\r\nHost: other.example"),
    ("one is empty", b"Host: docket.example\r\nhost:"),
]))
@pytest.mark.parametrize("version", [b"1.1", b"1.0"], ids=["1.1", "1.0"])
def test_two_hosts(server, lines, version):
    first = b"POST /api/v1/tasks HTTP/" + version
    refuse_400(server, request(server, lines + b"\r\nContent-Length: {n}", BODY, first, False))


def test_no_host(server):
    refuse_400(server, request(server, b"Content-Length: {n}", host=False), by_library=True)


@pytest.mark.parametrize("value", cases([
    ("a blank", b"docket example"),
    ("a list", b"docket.example, other.example"),
    ("a path", b"docket.example/x"),
    ("an address", b"http://docket.example"),
    ("a user", b"user@docket.example"),
    ("a port of letters", b"docket.example:http"),
    ("two ports", b"docket.example:80:80"),
    ("an open bracket", b"[::1"),
    ("a backslash", b"docket\\example"),
]))
def test_host_that_is_no_host(server, value):
    lines = b"Host: " + value + b"\r\nContent-Length: {n}"
    assert refuse(server, request(server, lines, host=False)).status == 400


# Header names, folded lines, and characters that are not allowed in a header

@pytest.mark.parametrize("line", cases([
    ("a blank before the colon", b"Content-Length : {n}"),
    ("a tab before the colon", b"Content-Length\t: {n}"),
    ("coding, a blank", b"Transfer-Encoding : chunked"),
    ("a blank inside", b"a b: c"),
    ("empty", b": c"),
    ("blank", b" : c"),
    ("without a colon", b"abc"),
    ("without a colon, last but one", b"abc\r\nX: y"),
    ("a bracket", b"a(b: c"),
    ("a quote", b'a"b: c'),
    ("a slash", b"a/b: c"),
    ("an at sign", b"a@b: c"),
    ("a brace", b"a{b: c"),
    ("an equals sign", b"Content-Length=: {n}"),
    ("a byte past ASCII", b"a\x80b: c"),
    ("a letter past ASCII", "Größe: c".encode()),
    ("a control character", b"a\x01b: c"),
    ("a delete", b"a\x7fb: c"),
]))
@pytest.mark.parametrize("where", ["before", "behind"])
def test_header_name(server, line, where):
    length = b"Content-Length: {n}"
    if line.startswith((b"Content-Length", b"Transfer-Encoding")):
        lines = line + b"\r\nX: y" if where == "before" else b"X: y\r\n" + line
    else:
        lines = line + b"\r\n" + length if where == "before" else length + b"\r\n" + line
    assert refuse(server, request(server, lines)).status == 400


@pytest.mark.parametrize("lines", cases([
    ("a blank", b"X: a\r\n b\r\nContent-Length: {n}"),
    ("a tab", b"X: a\r\n\tb\r\nContent-Length: {n}"),
    ("several", b"X: a\r\n b\r\n c\r\nContent-Length: {n}"),
    ("the last line", b"Content-Length: {n}\r\nX: a\r\n b"),
    ("nothing on the first", b"X:\r\n b\r\nContent-Length: {n}"),
    ("nothing on the second", b"X: a\r\n \r\nContent-Length: {n}"),
    ("nothing on the last", b"Content-Length: {n}\r\nX: a\r\n "),
    ("a header on the second", b"X: a\r\n Content-Length: 0\r\nContent-Length: {n}"),
    ("a coding on the second", b"X: a\r\n Transfer-Encoding: chunked\r\nContent-Length: {n}"),
    ("a length", b"Content-Length:\r\n {n}"),
    ("digits of a length", b"Content-Length: 1\r\n 0"),
    ("a coding", b"Transfer-Encoding:\r\n chunked"),
    ("a line end of LF", b"X: a\n b\r\nContent-Length: {n}"),
    ("of a line end of LF", b"X: a\r\n b\nContent-Length: {n}"),
]))
def test_folded_header(server, lines):
    assert refuse(server, request(server, lines)).status == 400


@pytest.mark.parametrize("blank", [b" ", b"\t"], ids=["blank", "tab"])
def test_blank_before_the_first_header(server, blank):
    data = request(server, b"Content-Length: {n}").replace(b"\r\n", b"\r\n" + blank, 1)
    assert refuse(server, data).status == 400


@pytest.mark.parametrize("lines", cases([
    ("NUL in a value", b"X: a\0b\r\nContent-Length: {n}"),
    ("NUL at a value's start", b"X: \0a\r\nContent-Length: {n}"),
    ("NUL at a value's end", b"X: a\0\r\nContent-Length: {n}"),
    ("NUL alone", b"X: \0\r\nContent-Length: {n}"),
    ("NUL behind the colon", b"X:\0\r\nContent-Length: {n}"),
    ("NUL in the last value", b"Content-Length: {n}\r\nX: a\0b"),
    ("NUL at the end of the last value", b"Content-Length: {n}\r\nX: a\0"),
    ("two NUL at the end of the last value", b"Content-Length: {n}\r\nX: a\0\0"),
    ("NUL in a length", b"Content-Length: {n}\0"),
    ("NUL in a length, digits behind", b"Content-Length: {n}\x000"),
    ("NUL in a coding", b"Transfer-Encoding: chunked\0"),
    ("NUL in a name", b"X\0Y: a\r\nContent-Length: {n}"),
    ("NUL at a name's start", b"\0X: a\r\nContent-Length: {n}"),
    ("NUL at a name's end", b"Content-Length\0: {n}"),
    ("NUL for a line", b"\0\r\nContent-Length: {n}"),
    ("0x01", b"X: a\x01b\r\nContent-Length: {n}"),
    ("0x08", b"X: a\x08b\r\nContent-Length: {n}"),
    ("0x0b", b"X: a\x0bb\r\nContent-Length: {n}"),
    ("0x0c", b"X: a\x0cb\r\nContent-Length: {n}"),
    ("0x1b", b"X: a\x1bb\r\nContent-Length: {n}"),
    ("0x1f at the end", b"X: a\x1f\r\nContent-Length: {n}"),
    ("0x7f", b"X: a\x7fb\r\nContent-Length: {n}"),
    ("0x01 in the last", b"Content-Length: {n}\r\nX: \x01"),
    ("CR in a value", b"X: a\rb\r\nContent-Length: {n}"),
    ("CR at a value's end", b"X: a\r\r\nContent-Length: {n}"),
    ("CR behind the colon", b"X:\r\r\nContent-Length: {n}"),
    ("CR and a header", b"X: a\rY: b\r\nContent-Length: {n}"),
    ("CR and a length", b"X: a\rContent-Length: {n}"),
    ("CR and a coding", b"Content-Length: {n}\r\nX: a\rTransfer-Encoding: chunked"),
    ("CR between two headers", b"X: a\rContent-Length: 0\r\nY: b"),
    ("CR for an empty line", b"X: a\r\rContent-Length: {n}"),
    ("CR before the empty line", b"Content-Length: {n}\r\nX: a\r"),
]))
def test_control_character_in_a_header(server, lines):
    assert refuse(server, request(server, lines)).status == 400


# A bare LF may be accepted as the end of a line (RFC 9112, section 2.2), but then everywhere.

@pytest.mark.parametrize("lines", cases([
    ("between two headers", b"X: a\nContent-Length: {n}"),
    ("behind the last header", b"Content-Length: {n}\nX: a"),
]))
def test_line_feed_alone(server, lines):
    last = server.create()["id"]
    with Wire(server) as wire:
        wire.offer(request(server, lines))
        reply = wire.reply()
        assert reply is not None and reply.status in (201, 400), f"expected 201 or 400: {reply}"
        if reply.status == 400:
            assert wire.at_end(), f"expected the connection to be closed: {wire.buffer!r}"
    made = ["outer"] if reply.status == 201 else []
    assert tasks_after(server, last) == made


def test_line_feeds_everywhere(server):
    data = smuggled(server).replace(b"\r\n", b"\n")
    refuse_or_take(server, data + data)


@pytest.mark.parametrize("end", [b"\r", b"\n\r", b"\r\r\n", b"\r\0\n"], ids=repr)
def test_other_line_ends(server, end):
    head, body = smuggled(server).split(b"\r\n\r\n", 1)
    data = head.replace(b"\r\n", end) + b"\r\n\r\n" + body
    assert refuse(server, data).status == 400


# Chunks

@pytest.mark.parametrize("body", cases([
    ("0x", b"0x{n}\r\n{body}\r\n0\r\n\r\n"),
    ("a minus", b"-{n}\r\n{body}\r\n0\r\n\r\n"),
    ("a plus", b"+{n}\r\n{body}\r\n0\r\n\r\n"),
    ("minus nought", b"{n}\r\n{body}\r\n-0\r\n\r\n"),
    ("plus nought", b"{n}\r\n{body}\r\n+0\r\n\r\n"),
    ("0x0", b"{n}\r\n{body}\r\n0x0\r\n\r\n"),
    ("a blank before", b" {n}\r\n{body}\r\n0\r\n\r\n"),
    ("a comma", b"{n},\r\n{body}\r\n0\r\n\r\n"),
    ("two numbers", b"{n} {n}\r\n{body}\r\n0\r\n\r\n"),
    ("no number", b"\r\n{body}\r\n0\r\n\r\n"),
    ("letters", b"xyz\r\n{body}\r\n0\r\n\r\n"),
    ("a letter behind", b"{n}g\r\n{body}\r\n0\r\n\r\n"),
    ("an extension alone", b";a=b\r\n{body}\r\n0\r\n\r\n"),
    ("2^64", b"10000000000000000\r\n{body}\r\n0\r\n\r\n"),
    ("2^64 and the length", b"100000000000000{n}\r\n{body}\r\n0\r\n\r\n"),
    ("thirty digits", b"f" * 30 + b"\r\n{body}\r\n0\r\n\r\n"),
    ("a kilobyte of digits", b"0" * 1024 + b"g\r\n{body}\r\n0\r\n\r\n"),
    ("NUL behind", b"{n}\0\r\n{body}\r\n0\r\n\r\n"),
    ("CR alone behind", b"{n}\r{body}\r\n0\r\n\r\n"),
    ("a chunk without its CRLF", b"{n}\r\n{body}0\r\n\r\n"),
    ("a chunk longer than said", b"{half}\r\n{body}\r\n0\r\n\r\n"),
    ("a chunk shorter than said", b"{more}\r\n{body}0\r\n\r\n"),
    ("other bytes for its CRLF", b"{n}\r\n{body}xx0\r\n\r\n"),
    ("CR alone behind a chunk", b"{n}\r\n{body}\r0\r\n\r\n"),
]))
def test_bad_chunk(server, body):
    body = body.replace(b"{n}", b"%x" % len(BODY)).replace(b"{half}", b"%x" % HALF)
    body = body.replace(b"{more}", b"%x" % (len(BODY) + 3)).replace(b"{body}", BODY)
    reply = refuse(server, request(server, b"Transfer-Encoding: chunked", body))
    assert reply.status in (400, 413), f"expected 400 or 413: {reply}"


# As for lines: a bare LF is refused, or it ends the line, and nothing hides behind it.

@pytest.mark.parametrize("body", cases([
    ("behind a size", b"{n}\n{body}\r\n0\r\n\r\n"),
    ("behind a chunk", b"{n}\r\n{body}\n0\r\n\r\n"),
    ("behind the last size", b"{n}\r\n{body}\r\n0\n\r\n"),
    ("for the last line", b"{n}\r\n{body}\r\n0\r\n\n"),
    ("behind an extension", b"{n};a\n{body}\r\n0\r\n\r\n"),
    ("behind the last extension", b"{n}\r\n{body}\r\n0;a\n\r\n"),
    ("everywhere", b"{n}\n{body}\n0\n\n"),
]))
def test_line_feed_alone_in_chunks(server, body):
    body = body.replace(b"{n}", b"%x" % len(BODY)).replace(b"{body}", BODY)
    refuse_or_take(server, request(server, b"Transfer-Encoding: chunked", body) + smuggled(server))


@pytest.mark.parametrize("line", cases([
    ("a blank before the colon", b"X : y"),
    ("without a colon", b"xyz"),
    ("folded", b"X: y\r\n z"),
    ("NUL", b"X: \0"),
]))
def test_odd_trailer_hides_nothing(server, line):
    """docket reads the bytes after the last chunk as trailers or refuses them, and never reads them
    as a request."""
    body = CHUNKED[:-2] + line + b"\r\n\r\n"
    last = server.create()["id"]
    with Wire(server) as wire:
        wire.offer(request(server, b"Transfer-Encoding: chunked", body) + smuggled(server))
        replies = []
        while len(replies) < 2 and (reply := wire.reply()) is not None:
            replies.append(reply)
        if len(replies) == 1:
            assert wire.at_end()
    statuses = [reply.status for reply in replies]
    assert statuses in ([400], [201], [201, 201]), statuses
    made = ["outer", "inner"][:statuses.count(201)]
    assert tasks_after(server, last) == made


# Requests that look odd but are correct

@pytest.mark.parametrize("lines, body", cases([
    ("a length", b"Content-Length: {n}", BODY),
    ("a length with noughts", b"Content-Length: 000{n}", BODY),
    ("no blank", b"Content-Length:{n}", BODY),
    ("blanks and tabs", b"Content-Length: \t {n}", BODY),
    ("blanks behind a value", b"X: y \t\r\nContent-Length: {n}", BODY),
    ("small letters", b"content-length: {n}", BODY),
    ("chunked", b"Transfer-Encoding: chunked", CHUNKED),
    ("capitals", b"TRANSFER-ENCODING: CHUNKED", CHUNKED),
    ("chunked and blanks", b"Transfer-Encoding: \t chunked", CHUNKED),
    ("every token character", b"!#$%&'*+-.^_`|~09azAZ: x\r\nContent-Length: {n}", BODY),
    ("an empty value", b"X:\r\nContent-Length: {n}", BODY),
    ("an empty value, last", b"Content-Length: {n}\r\nX:", BODY),
    ("a blank value, last", b"Content-Length: {n}\r\nX:  ", BODY),
    ("a tab in a value", b"X: a\tb\r\nContent-Length: {n}", BODY),
    ("UTF-8 in a value", "X: \u00e4\r\nContent-Length: {n}".encode(), BODY),
    ("a colon in a value", b"X: a: b\r\nContent-Length: {n}", BODY),
    ("the same header twice", b"X: a\r\nX: b\r\nContent-Length: {n}", BODY),
]))
def test_correct_headers(server, lines, body):
    assert accept(server, request(server, lines, body)).json["title"] == "outer"


@pytest.mark.parametrize("lines, body", cases([
    ("a length", b"Content-Length: {n} \t", BODY),
    ("a coding", b"Transfer-Encoding: chunked \t", CHUNKED),
]))
def test_blanks_behind_a_value_that_frames(server, lines, body):
    """The blanks are no part of the value. A library that takes them for a part refuses the
    request."""
    data = request(server, lines, body)
    reply = exchange(server, data)
    assert reply is not None
    if reply.status == 201:
        accept(server, data)
    else:
        assert refuse(server, data).status == 400


@pytest.mark.parametrize("body", cases([
    ("two chunks", b"%x\r\n%b\r\n%X\r\n%b\r\n0\r\n\r\n" % (HALF, BODY[:HALF], len(BODY) - HALF,
                                                         BODY[HALF:])),
    ("noughts", b"0000%x\r\n%b\r\n000\r\n\r\n" % (len(BODY), BODY)),
    ("a byte each", b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"),
    ("a trailer", CHUNKED[:-2] + b"X: y\r\n\r\n"),
    ("a length as a trailer", CHUNKED[:-2] + b"Content-Length: 0\r\nHost: x\r\n\r\n"),
]))
def test_correct_chunks(server, body):
    reply = accept(server, request(server, b"Transfer-Encoding: chunked", body))
    assert reply.json["title"] == "outer"


@pytest.mark.parametrize("body", cases([
    ("of a chunk", b"%x;name=value\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)),
    ("of the last chunk", b"%x\r\n%b\r\n0;last\r\n\r\n" % (len(BODY), BODY)),
    ("quoted", b'%x;name="a;b"\r\n%b\r\n0\r\n\r\n' % (len(BODY), BODY)),
]))
def test_extension_of_a_chunk(server, body):
    """Extensions are correct (RFC 9112, section 7.1.1). libmicrohttpd 1.0.1 refuses them by
    mistake: it takes the LF of the chunk's line for the first byte of the chunk (SECURITY.md)."""
    data = request(server, b"Transfer-Encoding: chunked", body)
    if OLD:
        accept(server, data)
    else:
        assert refuse(server, data).status == 400


@pytest.mark.parametrize("end", [b"", b"X: y\r\nZ: a\r\n"], ids=["none", "two"])
def test_trailers_in_pieces(server, end):
    """libmicrohttpd 0.9.75 then reports the last header of the head as a trailer."""
    data = request(server, b"Transfer-Encoding: chunked", CHUNKED[:-2] + end + b"\r\n")
    for cut in range(1, len(end) + 3):
        with Wire(server) as wire:
            wire.send(data[:-cut])
            time.sleep(0.02)
            wire.send(data[-cut:])
            assert wire.reply().status == 201, cut
            wire.send(smuggled(server))
            assert wire.reply().status == 201, cut


@pytest.mark.parametrize("line", cases([
    ("a bare CR", b"X: a\rb"),
    ("a bare CR before the next", b"X: a\rY: b"),
    ("a bare CR at the end", b"X: a\r"),
    ("NUL", b"X: a\0b"),
    ("0x01", b"X: \x01"),
    ("a folded line", b"X: a\r\n b"),
    ("a blank before the colon", b"X : a"),
    ("an empty name", b": a"),
    ("a name that is no token", b"a(b: c"),
    ("a bare LF", b"X: a\nY: b"),
    ("a length with a blank", b"Content-Length : 5"),
]))
@pytest.mark.parametrize("more", [b"", b"Z: z\r\n"], ids=["last", "not last"])
@pytest.mark.parametrize("pause", [0, 0.05], ids=["at once", "in pieces"])
def test_malformed_trailer(server, line, more, pause):
    """docket refuses it before it stores anything, however it arrives."""
    head = request(server, b"Transfer-Encoding: chunked", CHUNKED[:-2])
    last = server.create()["id"]
    with Wire(server) as wire:
        wire.send(head)
        time.sleep(pause)
        wire.send(line + b"\r\n" + more + b"\r\n")
        reply = wire.reply()
        assert reply.status == 400, reply
        if OLD:
            problem(reply, 400)
        assert wire.at_end()
    assert tasks_after(server, last) == []


def test_trailer_gives_no_access(server):
    head = b"\r\n".join([b"POST /api/v1/tasks HTTP/1.1", b"Host: docket.example",
                         b"Content-Type: application/json", b"Transfer-Encoding: chunked", b"",
                         b""])
    trailer = b"Authorization: " + server.access.encode() + b"\r\n\r\n"
    problem(exchange(server, head + CHUNKED[:-2] + trailer), 401)
