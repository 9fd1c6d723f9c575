"""Stands between docket and its PostgreSQL server, and cuts connections around COMMIT."""
import collections
import contextlib
import socket
import threading

COMMIT = b"\0COMMIT\0"  # in a Parse message, behind the name of the statement


class Cutter:
    """Stands between docket and the server and cuts a connection where it is armed to:

    before   COMMIT is not forwarded, and both ends are closed
    with     COMMIT is forwarded and both ends are closed at once
    after    COMMIT is forwarded, and its answer is not: both ends are closed when it is there
    silent   the same, but docket's end stays open and hears no more
    """

    def __init__(self, port):
        self.target, self.armed, self.away = ("127.0.0.1", port), None, False
        self.lock, self.cuts, self.open = threading.Lock(), collections.Counter(), []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.away:
                    client.close()
                    continue
                server = socket.create_connection(self.target)
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.open += [client, server]
                state = {"mute": False, "swallow": None}
                for work in (self.forward, self.answer):
                    threading.Thread(target=work, args=(client, server, state),
                                     daemon=True).start()

    def take(self, data):
        """What it was armed to do with this COMMIT, once."""
        with self.lock:
            how = self.armed if COMMIT in data else None
            if how:
                self.armed = None
                self.cuts[how] += 1
                if how == "gone":
                    self.away = True
            return how

    @staticmethod
    def close(*ends):
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def forward(self, client, server, state):
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 20):
                how = self.take(data)
                if how == "before":
                    break
                state["swallow"] = {"after": "close", "gone": "close", "silent": "mute"}.get(how)
                server.sendall(data)
                if how == "with":
                    break
        if not state["swallow"]:
            self.close(client, server)

    def answer(self, client, server, state):
        """What the server says in answer to COMMIT begins with ParseComplete of something; the whole
        answer to it comes at once, because it is flushed at the synchronisation behind it."""
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
        self.listener.close()
        self.close(*self.open)
