"""A network between docket and the database that breaks at a commit, in every way that it can."""
import contextlib
import socket
import threading

COMMIT = b"COMMIT\0"  # as docket sends it, and as the server answers it

# What becomes of the next commit that passes.
BEFORE = "before"  # all but the commit arrives
DURING = "during"  # half of the commit arrives
AFTER = "after"    # it arrives, and nothing more is heard from then on
ANSWER = "answer"  # it is carried out, and the answer is lost
SILENT = "silent"  # the same, and the connection stays open
WAYS = [BEFORE, DURING, AFTER, ANSWER, SILENT]


class Proxy:
    """Listens on a port of its own and leads to one of this machine."""

    def __init__(self, port):
        self.port_behind, self.lock = port, threading.Lock()
        self.plan = None      # for the next commit
        self.cuts = 0         # commits that a plan was carried out on
        self.frozen = False   # nothing passes any more, and nothing is closed
        self.refusing = False
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut_all()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                if self.refusing:
                    raise ConnectionError
                server = socket.create_connection(("127.0.0.1", self.port_behind))
            except OSError:
                client.close()
                continue
            pair = Pair(self, client, server)
            with self.lock:
                self.pairs.append(pair)
            pair.start()

    def take_plan(self):
        """The plan, for one commit alone."""
        with self.lock:
            plan, self.plan = self.plan, None
            self.cuts += plan is not None
            return plan

    def cut_all(self):
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            pair.cut()


class Pair:
    """One connection, in two directions."""

    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.plan = None

    def start(self):
        for work in (self.forth, self.back):
            threading.Thread(target=self.guard, args=[work], daemon=True).start()

    def guard(self, work):
        with contextlib.suppress(OSError):
            work()
        if not self.proxy.frozen and self.plan != SILENT:
            self.cut()

    def cut(self):
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def forth(self):
        while data := self.client.recv(1 << 20):
            if self.proxy.frozen:
                continue
            at = data.find(COMMIT)
            plan = self.proxy.take_plan() if at >= 0 else None
            if plan in (BEFORE, DURING):
                # A message begins with a letter, its length and, here, an empty name.
                self.server.sendall(data[:at - 6 if plan == BEFORE else at + 3])
                return
            self.plan = plan or self.plan
            self.server.sendall(data)
            if plan == AFTER:
                return

    def back(self):
        while data := self.server.recv(1 << 20):
            if self.proxy.frozen or self.plan == SILENT:
                continue
            if self.plan == ANSWER and COMMIT in data:
                return
            self.client.sendall(data)
