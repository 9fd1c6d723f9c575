"""Answers that docket sends in pieces, and clients that take them slowly."""
import contextlib
import pathlib
import sqlite3

from together import until
from wire import Wire


def slow(server, target):
    """A client that has requested it and read the first line of the answer."""
    wire = Wire(server)
    wire.send(server.request("GET", target))
    line = wire.take(15)
    assert line == b"HTTP/1.1 200 OK", line
    wire.buffer = line + wire.buffer
    return wire


def rest(wire):
    """Everything to the end of the connection."""
    parts = [wire.buffer]
    with contextlib.suppress(ConnectionResetError):
        while data := wire.socket.recv(1024 * 1024):
            parts.append(data)
    return b"".join(parts)


def line_of(server, start, route, method="GET"):
    """The line in the log of the only request of that route since then."""
    line, = until(lambda: [line for line in server.lines(start)
                           if line["route"] == route and line["method"] == method])
    return line


def behind_its_back(server, sql):
    """Changes one row of the server's database."""
    if isinstance(server.data, pathlib.Path):
        with contextlib.closing(sqlite3.connect(server.data / "docket.db")) as connection:
            connection.execute("PRAGMA busy_timeout = 30000")
            with connection:
                assert connection.execute(sql).rowcount == 1
    else:
        server.data.run(sql)
