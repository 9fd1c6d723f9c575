"""The end of a server during a TCP or TLS handshake."""
import signal
import socket
import ssl
import time

import pytest

from ca import with_tls
from test_drain import await_drain
from wire import ANSWER_S, Wire

TRIES, ENOUGH = 30, 5
SOON_S = 0.25  # docket waits 0.3 s


class HalfOpen(Wire):
    """A client that has the server's answer to its SYN, and acknowledges it with its first data, or
    after 200 ms."""

    def __init__(self, server):
        self.buffer = b""
        self.socket = socket.socket()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
        self.socket.settimeout(ANSWER_S)
        self.socket.connect(("127.0.0.1", server.port))


@pytest.mark.slow
def test_who_is_connected_on_one_side_is_served(make_server):
    """The last packet of the handshake arrives after the server has begun to end. If the test is
    too slow for that, it tries again."""
    in_time = 0
    for _ in range(TRIES):
        server = make_server(listen="0.0.0.0:0", options=["--behind-proxy"])
        with HalfOpen(server) as wire:
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            await_drain(server)
            sent = wire.offer(server.request("GET", "/healthz"))
            if time.monotonic() - began < SOON_S:
                reply = wire.reply()
                assert sent and reply and reply.status == 200, reply
                in_time += 1
        server.wait()
        if in_time == ENOUGH:
            return
    raise AssertionError(f"only {in_time} of {TRIES} were in time")


@pytest.mark.slow
def test_a_tls_handshake_is_waited_for(make_server, tmp_path):
    """docket waits longer for a handshake than for a silent client."""
    server, ca = with_tls(make_server, tmp_path)
    from_server, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ca.context().wrap_bio(from_server, to_server,
                                          server_hostname="acme.viewcases.com")

    def until_done(what, *arguments):
        while True:
            try:
                return what(*arguments)
            except ssl.SSLWantReadError:
                wire.send(to_server.read())
                data = wire.socket.recv(65536)
                assert data, "closed in the middle"
                from_server.write(data)

    with Wire(server) as wire, Wire(server) as silent:
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            hello = to_server.read()
        wire.send(hello[:100])
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        assert silent.at_end()
        wire.send(hello[100:])
        until_done(client.do_handshake)
        client.write(server.request("GET", "/healthz"))
        assert until_done(client.read).startswith(b"HTTP/1.1 200 ")
    server.wait()
