"""The end of a server that somebody is shaking hands with, by TCP or by TLS."""
import signal
import socket
import ssl
import time

from ca import CA
from harness import ANSWER_S, Wire
from test_drain import await_drain

TRIES, ENOUGH = 30, 5
SOON_S = 0.25  # docket waits 0.3 s


class HalfOpen(Wire):
    """It has the server's answer to its SYN, and says so with the first data that it sends, or
    after 200 ms."""

    def __init__(self, server):
        self.buffer = b""
        self.socket = socket.socket()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
        self.socket.settimeout(ANSWER_S)
        self.socket.connect(("127.0.0.1", server.port))


def test_who_is_connected_on_one_side_is_served(make_server):
    """The last packet of a handshake comes when the server has begun to end. Where the test is too
    slow for that, it tries again."""
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


def test_a_tls_handshake_is_waited_for(make_server, tmp_path):
    """Longer than for a silent client."""
    ca = CA(tmp_path / "ca")
    chain, key = ca.make("acme", "acme.viewcases.com")
    server = make_server(options=["--tls-cert", chain, "--tls-key", key])
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
