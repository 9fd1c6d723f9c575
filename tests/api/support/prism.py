"""Prism, a proxy from npm that compares requests and answers with the OpenAPI document."""
import contextlib
import http.client
import http.server
import itertools
import json
import re
import signal
import socket
import subprocess
import threading

import described
import harness
import npm
from ports import free_port
from together import until
from wire import ANSWER_S, Reply, Wire, message

START_S = harness.COMMAND_S
# Headers of one connection only, and those that message() and http.server add.
OF_CONNECTION = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
NUMBERS = itertools.count(1)
PREPARED = "X-Prepared-Answer"
ACCESS = {"Authorization": "Basic eDp5"}  # so that Prism finds nothing wrong in the request
HEALTHY = Reply(200, "OK", [("Content-Type", "application/json")], b'{"status":"ok"}')


class Upstream(http.server.ThreadingHTTPServer):
    """What Prism forwards requests to. A request may name an answer of `prepared`. All others are for
    `server`, and `spoil` may change its answers."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.server, self.prepared, self.spoil = None, {}, None
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # the head and the body are one packet
    disable_nagle_algorithm = True

    def forward(self):
        """The server's answer to the request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server = self.server.server
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OF_CONNECTION}
        headers["Host"] = f"{server.host}:{server.port}"
        with Wire(server, "127.0.0.1") as wire:
            wire.send(message(self.command, self.path, headers=headers, body=body))
            reply = wire.reply(self.command)
        return self.server.spoil(reply) if self.server.spoil else reply

    def answer(self):
        number = self.headers.get(PREPARED)
        reply = self.server.prepared.pop(number) if number else self.forward()
        self.send_response_only(reply.status, reply.reason)
        for name, value in reply.headers:
            if name.lower() not in OF_CONNECTION:
                self.send_header(name, value)
        # Prism would use the connection again after a client's "Connection: close" has ended it.
        self.send_header("Connection", "close")
        if reply.status not in (204, 304):
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        pass


class Prism:
    """A Prism that runs until stop(). It logs what it finds, and says it in a header of the answer."""

    def __init__(self, folder):
        self.upstream = Upstream()
        file = folder / "openapi.json"
        file.write_text(json.dumps(described.document()))
        self.port, self.log, self.read = free_port(), folder / "log", 0
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [npm.program("prism"), "proxy", file, f"http://127.0.0.1:{self.upstream.server_port}",
                 "--host", "127.0.0.1", "--port", str(self.port), "--verboseLevel", "warn"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=harness.environment({"NODE_OPTIONS": "--max-http-header-size=131072"}))
        until(self.listens, what=lambda: self.log.read_text("utf-8"), seconds=START_S)

    def listens(self):
        assert self.process.poll() is None, self.log.read_text("utf-8")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(START_S)
        self.upstream.shutdown()
        self.upstream.server_close()

    @contextlib.contextmanager
    def before(self, server, parts=("request", "response")):
        """The URL of Prism in front of a server. At the end Prism must have found nothing wrong in these
        parts."""
        self.upstream.server = server
        self.violations()
        try:
            yield f"http://127.0.0.1:{self.port}"
        finally:
            self.upstream.spoil = None
        wrong = [text for text in self.violations() if text.startswith((*parts, "Request terminated"))]
        assert not wrong, wrong

    def violations(self):
        """What Prism has found since the last call. It logs them in the order of the answers."""
        self.show("GET", "/healthz", HEALTHY)
        text = self.log.read_text("utf-8")
        found = re.findall(r"(?<=Violation: ).*|Request terminated .*", text[self.read:])
        self.read = len(text)
        return found

    def show(self, method, path, reply):
        """Sends a request that gets this answer; returns what Prism says of it, "" if nothing."""
        number = str(next(NUMBERS))
        self.upstream.prepared[number] = reply
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)
        with contextlib.closing(client):
            client.request(method, path, headers={PREPARED: number, **ACCESS})
            answer = client.getresponse()
            said = answer.read()
        assert answer.status == reply.status, (method, path, reply, said)
        return answer.getheader("sl-violations") or ""

    def check(self, method, target, reply):
        """Asserts that Prism accepts the answer."""
        path = harness.quoted(target.partition("?")[0].rstrip("/"))
        known = described.path_of(path)
        if not known or method.lower() not in described.document()["paths"][known]:
            return
        found = self.show(method, path, reply)
        assert '"location":["response"' not in found, f"{method} {target[:200]}: {found}\n{reply}"
