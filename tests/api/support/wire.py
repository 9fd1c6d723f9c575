"""Requests and answers byte by byte, and the connections that they go over."""
import itertools
import json
import re
import select
import socket
import ssl
import threading
import time

ANSWER_S = 60  # generous: it only ends a test that hangs
IDLE_S = 30  # shorter than the server's --idle-timeout
CLOSE_S = 15  # shorter than the server's --idle-timeout
JSON_LINE = "Content-Type: application/json"


def strict_json(data):
    """Parses UTF-8 JSON strictly by RFC 8259, and refuses duplicate keys."""
    def once(pairs):
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), f"a key twice: {keys}"
        return dict(pairs)

    def constant(name):
        raise AssertionError(f"{name} is not JSON")
    return json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=constant)


class Reply:
    """One answer, from any client."""

    def __init__(self, status, reason, headers, body):
        self.status, self.reason, self.headers, self.body = status, reason, list(headers), body

    def header(self, name):
        """The header's value, or None. The answer must not have the header twice."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def json(self):
        return strict_json(self.body)

    def __repr__(self):
        return f"<{self.status} {self.reason} {self.headers} {self.body[:2000]!r}>"


def of_requests(answer):
    """An answer to python3-requests."""
    return Reply(answer.status_code, answer.reason, answer.headers.items(), answer.content)


SOURCES = itertools.count(1)


def new_source():
    """An address of this machine from which no request came yet: docket limits refused requests by
    address."""
    return "127.1.%d.%d" % divmod(next(SOURCES), 256)


def number_of(source):
    """How many of those addresses there were when it was new; None for another address."""
    found = re.fullmatch(r"127\.1\.(\d+)\.(\d+)", source or "")
    return found and 256 * int(found[1]) + int(found[2])


def message(method, target, *lines, headers=None, body=None, version="HTTP/1.1"):
    """The bytes of a request with those header lines and headers, and the length of its body."""
    lines = [*lines, *(f"{name}: {value}" for name, value in (headers or {}).items())]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    head = [f"{method} {target} {version}", *lines, "", ""]
    return "\r\n".join(head).encode("latin-1") + (body or b"")


class Wire:
    """One connection over a raw socket, which sends exactly the given bytes. It comes from
    `source`, or from an address of its own. If the server has a TLS context `tls`, it uses it."""

    def __init__(self, server, source=None):
        self.server, self.source = server, source
        if not source and server.host.startswith("127."):
            self.source = new_source()
        self.socket = socket.create_connection((server.host.strip("[]"), server.port), ANSWER_S,
                                               self.source and (self.source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls := getattr(server, "tls", None):
            self.socket = tls.wrap_socket(self.socket)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def offer(self, data):
        """Sends data that the server may refuse to read to the end; false if it refused."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return False
        return True

    def half_close(self):
        """Nothing more will be sent; what the server answers can still be read."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """From now on an end of the connection is a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def more(self):
        """Reads more bytes; false at the end of the connection."""
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, ssl.SSLEOFError):
            return False
        self.buffer += data
        return bool(data)

    def has_more(self):
        """Whether bytes are there, or the end."""
        ready = select.poll()
        ready.register(self.socket, select.POLLIN)
        return bool(ready.poll(0))

    def take(self, count):
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        if len(data) == count:
            return data
        whole, at = bytearray(count), len(data)
        whole[:at] = data
        while at < count:
            got = self.socket.recv_into(memoryview(whole)[at:])
            assert got, f"closed in the middle of an answer: {bytes(whole[:at][-2000:])!r}"
            at += got
        return bytes(whole)

    def reply(self, method="GET"):
        """The next answer, to a request of that method; None if the connection is closed."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.more():
                assert not self.buffer, f"half an answer: {self.buffer!r}"
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, reason = first.split(" ", 2)
        assert version in ("HTTP/1.0", "HTTP/1.1"), first
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        reply = Reply(int(status), reason, headers, b"")
        if method == "HEAD" or reply.status < 200 or reply.status in (204, 304):
            return reply
        if reply.header("Transfer-Encoding") == "chunked":
            reply.body = b"".join(self.chunks())
            return reply
        length = reply.header("Content-Length")
        assert length is not None, reply
        reply.body = self.take(int(length))
        return reply

    def line(self):
        while b"\r\n" not in self.buffer:
            assert self.more(), f"closed in the middle of an answer: {self.buffer[-2000:]!r}"
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def chunks(self):
        """The parts of a body in chunks; docket sends no trailers."""
        while size := int(self.line(), 16):
            yield self.take(size)
            assert self.line() == b""
        assert self.line() == b""

    def ask(self, method, target, *lines, **options):
        """Sends a correct request and returns its answer."""
        self.send(self.server.request(method, target, *lines, **options))
        return self.reply(method)

    def to_end(self):
        """Reads to the end; true if the server closes the connection."""
        self.socket.settimeout(CLOSE_S)
        try:
            while self.more():
                pass
        except socket.timeout:
            return False
        finally:
            self.socket.settimeout(ANSWER_S)
        return True

    def at_end(self):
        """True if the server sends nothing more and closes the connection."""
        return not self.buffer and self.to_end() and not self.buffer


def ask_once(server, method, target, *lines, **options):
    """The answer to a correct request on a connection of its own."""
    with Wire(server) as wire:
        return wire.ask(method, target, *lines, **options)


def exchange(server, data, source=None):
    """The answer to those bytes, which the server may refuse to read to their end."""
    with Wire(server, source) as wire:
        wire.offer(data)
        return wire.reply("HEAD" if data.startswith(b"HEAD ") else "GET")


class Kept:
    """Connections to a server that are kept for the next request, one for each thread."""

    def __init__(self, server):
        self.server, self.own, self.wires = server, threading.local(), []

    def wire(self):
        """The thread's; a new one if that was closed, or may be any moment."""
        wire = getattr(self.own, "wire", None)
        if not wire or time.monotonic() > self.own.used + IDLE_S or wire.has_more():
            self.drop()
            source = "127.0.0.1" if self.server.host.startswith("127.") else None
            wire = self.own.wire = Wire(self.server, source)
            self.wires.append(wire)
        self.own.used = time.monotonic()
        return wire

    def drop(self):
        wire, self.own.wire = getattr(self.own, "wire", None), None
        if wire:
            wire.socket.close()
            self.wires.remove(wire)

    def exchange(self, data):
        """The answer to a request."""
        wire = self.wire()
        wire.offer(data)
        reply = wire.reply("HEAD" if data.startswith(b"HEAD ") else "GET")
        if not reply or (reply.header("Connection") or "").lower() == "close":
            self.drop()
        assert reply, f"closed without an answer: {data[:200]!r}"
        return reply

    def close(self):
        for wire in self.wires:
            wire.socket.close()
        self.__init__(self.server)
