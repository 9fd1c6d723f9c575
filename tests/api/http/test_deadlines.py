"""Clients that take too long, with docket's real deadlines. tests/unit/test_deadlines.c has more
cases with shorter ones."""
import signal
import socket
import time

import pytest

from harness import TASKS
from together import at_once
from wire import JSON_LINE, Wire

HANGS_S = 180


def drip(server, beginning):
    """Sends a byte now and then after the beginning, until the server ends the connection."""
    with Wire(server) as wire:
        wire.send(beginning)
        wire.socket.settimeout(0.5)
        deadline = time.monotonic() + HANGS_S
        while time.monotonic() < deadline:
            try:
                if not wire.offer(b"x") or not wire.more():
                    return
            except socket.timeout:
                pass
    raise AssertionError("the server does not end it")


@pytest.mark.slow
def test_a_head_that_drips_is_ended(server):
    """The client is never silent."""
    at_once(lambda beginning: drip(server, beginning),
            [b"GET /", server.request("GET", TASKS + "/1")[:-2] + b"X-Slow: "])
    server.create()


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.slow
def test_half_a_body_of_a_client_that_is_gone(make_server, chunked):
    """The server waits for requests in progress, but these will never be complete."""
    server = make_server()
    whole = server.request("POST", TASKS, JSON_LINE, body=b"x" * 1000)
    if chunked:
        whole = server.request("POST", TASKS, JSON_LINE, "Transfer-Encoding: chunked") + b"1\r\nx"
    for _ in range(10):
        with Wire(server) as wire:
            wire.send(whole[:-5])
    server.stop()
    assert "still under way" not in server.stderr()


@pytest.mark.slow
def test_half_a_head_of_a_client_that_is_gone(make_server):
    """The bytes and the end arrive together, so that epoll reports both at once. The deadline of a head is
    15 s."""
    server = make_server()
    server.process.send_signal(signal.SIGSTOP)
    for _ in range(10):
        with Wire(server) as wire:
            wire.send(server.request("GET", TASKS)[:-2])
    server.process.send_signal(signal.SIGCONT)
    lines = server.lines(count=10)
    assert [line["status"] for line in lines] == [0] * 10
    assert max(line["ms"] for line in lines) < 10_000


@pytest.mark.slow
def test_half_a_body_of_a_client_that_ended_its_side(make_server):
    server = make_server()
    with Wire(server) as wire:
        wire.send(server.request("POST", TASKS, JSON_LINE, body=b"x" * 1000)[:-5])
        wire.half_close()
        assert wire.at_end()
    server.stop()


def test_a_whole_request_of_a_client_that_ended_its_side(server):
    record = server.create()
    with Wire(server) as wire:
        wire.send(server.request("GET", f"{TASKS}/{record['id']}"))
        wire.half_close()
        assert wire.reply().json == record
