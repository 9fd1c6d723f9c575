"""Clients that take too long, at the deadlines that docket really has; tests/unit/test_deadlines.c
has the rest, with shorter ones."""
import socket
import threading
import time

import pytest

from harness import TASKS, Wire

PLAIN = "Content-Type: application/json"
HANGS_S = 180


def drip(server, beginning, ended):
    """A byte now and then behind the beginning; notes when the server ends the connection."""
    with Wire(server) as wire:
        wire.send(beginning)
        wire.socket.settimeout(0.5)
        deadline = time.monotonic() + HANGS_S
        while time.monotonic() < deadline:
            try:
                if not wire.offer(b"x") or not wire.more():
                    ended.append(beginning)
                    return
            except socket.timeout:
                pass


@pytest.mark.slow
def test_a_head_that_drips_is_ended(server):
    """It is never silent."""
    beginnings = [b"GET /", server.request("GET", TASKS + "/1")[:-2] + b"X-Slow: "]
    ended = []
    threads = [threading.Thread(target=drip, args=[server, beginning, ended])
               for beginning in beginnings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == sorted(beginnings)
    server.create()


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.slow
def test_half_a_body_of_a_client_that_is_gone(make_server, chunked):
    """The end waits for requests under way, and these will never be whole."""
    server = make_server()
    whole = server.request("POST", TASKS, PLAIN, body=b"x" * 1000)
    if chunked:
        whole = server.request("POST", TASKS, PLAIN, "Transfer-Encoding: chunked") + b"1\r\nx"
    for _ in range(10):
        with Wire(server) as wire:
            wire.send(whole[:-5])
    server.stop()
    assert "still under way" not in server.stderr()


@pytest.mark.slow
def test_half_a_body_of_a_client_that_ended_its_side(make_server):
    server = make_server()
    with Wire(server) as wire:
        wire.send(server.request("POST", TASKS, PLAIN, body=b"x" * 1000)[:-5])
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.at_end()
    server.stop()


def test_a_whole_request_of_a_client_that_ended_its_side(server):
    record = server.create()
    with Wire(server) as wire:
        wire.send(server.request("GET", f"{TASKS}/{record['id']}"))
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.reply().json == record
