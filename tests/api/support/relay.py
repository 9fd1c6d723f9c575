"""Proxies in the place of a server; one of them cuts connections around COMMIT."""
import collections
import contextlib
import socket
import threading

COMMIT = b"\0COMMIT\0"  # in a Parse message, after the name of the statement


class Relay:
    """Accepts connections at a port of its own; `serve(client)` says what becomes of each."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.begin(self.accept)

    @staticmethod
    def begin(work, *arguments):
        """On a thread, until a connection of it ends."""
        def run():
            with contextlib.suppress(OSError):
                work(*arguments)
        threading.Thread(target=run, daemon=True).start()

    def accept(self):
        while True:
            self.serve(self.listener.accept()[0])

    def stop(self):
        self.listener.close()

    @staticmethod
    def close(*ends):
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Cutter(Relay):
    """A proxy between docket and the server. `armed` says what it does with the next COMMIT; with `about`,
    with the next COMMIT of a transaction that sent this text:

    before   it does not forward COMMIT, and closes both ends
    with     it forwards COMMIT and closes both ends at once
    after    it forwards COMMIT and waits for the answer, then closes both ends without forwarding it
    gone     as after, and it accepts no connections until `away` is false again
    silent   as after, but docket's end stays open and gets nothing more
    """

    def __init__(self, port):
        self.target, self.armed, self.away = ("127.0.0.1", port), None, False
        self.about = b""
        self.lock, self.cuts, self.open = threading.Lock(), collections.Counter(), []
        super().__init__()

    def serve(self, client):
        if self.away:
            client.close()
            return
        server = socket.create_connection(self.target)
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.open += [client, server]
        state = {"swallow": None}
        self.begin(self.forward, client, server, state)
        self.begin(self.answer, client, server, state)

    def take(self, transaction):
        """What to do with this transaction, which has a COMMIT; disarms the proxy."""
        with self.lock:
            how = self.armed if self.about in transaction else None
            if how:
                self.armed = None
                self.cuts[how] += 1
                if how == "gone":
                    self.away = True
            return how

    def forward(self, client, server, state):
        transaction = b""
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 20):
                transaction, how = transaction + data, None
                if COMMIT in data:
                    how, transaction = self.take(transaction), b""
                if how == "before":
                    break
                state["swallow"] = {"after": "close", "gone": "close", "silent": "mute"}.get(how)
                server.sendall(data)
                if how == "with":
                    break
        if not state["swallow"]:
            self.close(client, server)

    def answer(self, client, server, state):
        """Forwards the server's answers. The whole answer to COMMIT arrives at once, because the server
        flushes it at the synchronisation after COMMIT."""
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 20):
                if state["swallow"] and b"COMMIT\0" in data:
                    if state["swallow"] == "mute":
                        server.close()
                        return
                    break
                client.sendall(data)
        self.close(client, server)

    def stop(self):
        super().stop()
        self.close(*self.open)
