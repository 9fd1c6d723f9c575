"""/healthz and /readyz, which need no access."""
import contextlib
import os
import signal
import time

import pytest

import backends
import postgres
from admin import ACCOUNTS
from deployment import Deployment
from harness import ANSWER_S, TASKS, Wire, problem

PATHS = ("/healthz", "/readyz")

pytestmark = backends.BOTH


@pytest.mark.parametrize("path", PATHS)
def test_they_answer_without_access(server, path):
    before = len(server.stderr())
    for target in (path, path + "/", path + "?at=1"):
        reply = server.call("GET", target, access=False)
        assert (reply.status, reply.json) == (200, {"status": "ok"})
        assert reply.header("Content-Type") == "application/json"
        assert reply.header("Cache-Control") == "no-store"
    head = server.call("HEAD", path, access=False)
    assert (head.status, head.body) == (200, b"")
    assert server.call("OPTIONS", path, access=False).header("Allow") == "GET, HEAD, OPTIONS"
    # They are asked every few seconds, and nobody wants to read that.
    server.get("x")
    assert path not in "".join(str(line) for line in server.lines(before, 1)
                               if line["status"] == 200 and line["method"] != "OPTIONS")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_only_get_and_head(server, path, method):
    reply = server.call(method, path, b"{}", access=False)
    problem(reply, 405)
    assert reply.header("Allow") == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("host", [f"{ACCOUNTS[0]}.example.test", "10.0.0.7:8080", "nobody.example.test",
                                  "localhost"])
def test_they_name_no_account(pair, host):
    for path in PATHS:
        reply = pair.server.call("GET", path, headers={"Host": host}, access=False)
        assert (reply.status, reply.json) == (200, {"status": "ok"})


@pytest.mark.parametrize("access", ["Basic eDp5", "Basic !", "nonsense"])
def test_wrong_access_does_not_matter(server, access):
    assert server.call("GET", "/readyz", access=access).status == 200


def test_not_ready_while_it_drains(make_server):
    server = make_server()
    with Wire(server) as first, Wire(server) as second, Wire(server) as third:
        for wire in (first, second, third):
            wire.send(server.request("GET", "/readyz"))
            assert wire.reply().status == 200
        server.process.send_signal(signal.SIGTERM)
        # So that it is known that the end has begun.
        deadline = time.monotonic() + ANSWER_S
        while True:
            wire.send(server.request("GET", "/readyz"))
            reply = wire.reply()
            if reply.status == 503:
                break
            assert time.monotonic() < deadline
        assert problem(reply, 503)["detail"] == "not ready: the server is stopping"
        assert reply.header("Retry-After") == "5"
        assert reply.header("Connection") == "close"
        first.send(server.request("GET", "/healthz"))
        assert first.reply().status == 200
    server.wait()
    line, = [line for line in server.lines() if line["path"] == "/readyz"]
    assert (line["status"], line["reason"]) == (503, "not ready")


@postgres.NEEDED
def test_not_ready_while_the_database_is_away(tmp_path):
    with postgres.private() as cluster, \
         Deployment(cluster.create("health"), tmp_path, options=()) as deployment:
        server = deployment.serve()
        assert server.call("GET", "/readyz", access=False).status == 200
        cluster.stop("immediate")
        deadline = time.monotonic() + ANSWER_S
        while (reply := server.call("GET", "/readyz", access=False)).status == 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert problem(reply, 503)["detail"] == "not ready: the database does not answer"
        assert reply.header("Retry-After") == "1"
        assert server.call("GET", "/healthz", access=False).status == 200
        cluster.start()
        while (reply := server.call("GET", "/readyz", access=False)).status == 503:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert reply.json == {"status": "ok"}
        problem(server.call("GET", TASKS, access=False), 401)


@postgres.NEEDED
def test_one_at_a_time_asks_the_database(tmp_path):
    """The others get its answer."""
    with postgres.private(log_statement="all") as cluster, \
         Deployment(cluster.create("health"), tmp_path, options=()) as deployment, \
         contextlib.ExitStack() as stack:
        server = deployment.serve()
        wires = [stack.enter_context(Wire(server)) for _ in range(40)]
        os.kill(server.process.pid, signal.SIGSTOP)
        for wire in wires:
            wire.send(server.request("GET", "/readyz"))
        before = cluster.log.stat().st_size
        began = time.monotonic()
        os.kill(server.process.pid, signal.SIGCONT)
        assert {wire.reply().status for wire in wires} == {200}
        took = time.monotonic() - began
        said = cluster.log.read_bytes()[before:]
        assert 1 <= said.count(b": SELECT a.id, a.name") <= 1 + took


@pytest.mark.parametrize("path", PATHS)
def test_a_body_is_not_waited_for(server, path):
    """The answer is made when the head is there, so that nothing of a body is kept."""
    with Wire(server) as wire:
        wire.send(server.request("GET", path, "Expect: 100-continue", "Content-Length: 5"))
        assert wire.reply().status == 200
        assert wire.at_end()
