"""/healthz and /readyz, which need no access."""
import contextlib
import os
import select
import signal

import pytest

import backends
import postgres
from admin import ACCOUNTS
from deployment import Deployment
from harness import TASKS, problem
from test_drain import await_drain
from together import until
from wire import ANSWER_S, Wire

PATHS = ("/healthz", "/readyz")

pytestmark = backends.BOTH


@pytest.mark.parametrize("path", PATHS)
def test_they_answer_without_access(server, path):
    before = server.log_end()
    for target in (path, path + "/", path + "?at=1"):
        reply = server.call("GET", target, access=False)
        assert (reply.status, reply.json) == (200, {"status": "ok"})
        assert reply.header("Content-Type") == "application/json"
        assert reply.header("Cache-Control") == "no-store"
    head = server.call("HEAD", path, access=False)
    assert (head.status, head.body) == (200, b"")
    assert server.call("OPTIONS", path, access=False).header("Allow") == "GET, HEAD, OPTIONS"
    # Load balancers send these every few seconds, so docket does not log them.
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
    health, ready = (server.request("GET", path) for path in PATHS)
    with Wire(server) as first, Wire(server) as second, Wire(server) as third:
        for wire in (first, second, third):
            assert wire.ask("GET", "/readyz").status == 200
        # The drain ends no connection on which a head has begun.
        first.send(health[:20])
        third.send(ready[:20])
        server.process.send_signal(signal.SIGTERM)
        await_drain(server)
        third.send(ready[20:])
        reply = third.reply()
        assert problem(reply, 503)["detail"] == "not ready: the server is stopping"
        assert reply.header("Retry-After") == "5"
        assert reply.header("Connection") == "close"
        first.send(health[20:])
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

        def ready():
            return server.call("GET", "/readyz", access=False)

        reply = until(ready, lambda reply: reply.status != 200)
        assert problem(reply, 503)["detail"] == "not ready: the database does not answer"
        assert reply.header("Retry-After") == "1"
        assert server.call("GET", "/healthz", access=False).status == 200
        cluster.start()
        reply = until(ready, lambda reply: reply.status != 503)
        assert reply.json == {"status": "ok"}
        problem(server.call("GET", TASKS, access=False), 401)


@pytest.fixture(scope="module")
def cluster():
    with postgres.private(log_statement="all") as cluster:
        yield cluster


LOCKED = ("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
          " AND datname = current_database()")


def ask_at_once(server, count, stack):
    wires = [stack.enter_context(Wire(server)) for _ in range(count)]
    os.kill(server.process.pid, signal.SIGSTOP)
    for wire in wires:
        wire.send(server.request("GET", "/readyz"))
    os.kill(server.process.pid, signal.SIGCONT)
    return wires


@postgres.NEEDED
def test_one_at_a_time_asks_the_database(cluster, tmp_path):
    """The others get its answer. While the test holds the lock, the one request tries again now and
    then."""
    with Deployment(cluster.create("health"), tmp_path, options=()) as deployment, \
         contextlib.ExitStack() as stack:
        server = deployment.serve("--statement-timeout", 60000)
        before = cluster.log.stat().st_size
        with deployment.database.held("LOCK TABLE account"):
            wires = ask_at_once(server, 40, stack)
            deployment.database.until(LOCKED)
        assert {wire.reply().status for wire in wires} == {200}
        said = cluster.log.read_bytes()[before:]
        assert 1 <= said.count(b": SELECT a.id, a.name") < 40


@postgres.NEEDED
def test_who_waits_is_told_that_the_database_is_away(cluster, tmp_path):
    with Deployment(cluster.create("health"), tmp_path, options=()) as deployment, \
         contextlib.ExitStack() as stack:
        server = deployment.serve("--statement-timeout", 500)
        with deployment.database.held("LOCK TABLE account"):
            for wire in ask_at_once(server, 40, stack):
                reply = wire.reply()
                assert problem(reply, 503)["detail"] == "not ready: the database does not answer"
                assert reply.header("Retry-After") == "1"


@postgres.NEEDED
def test_ready_while_the_queue_is_full(cluster, tmp_path):
    """The only reading thread waits for a stopped database process, and one request waits for the
    thread."""
    with Deployment(cluster.create("health"), tmp_path, options=()) as deployment, \
         contextlib.ExitStack() as stack:
        server = deployment.serve("--database-connections", 2, "--queue", 1,
                                  "--statement-timeout", 60000)
        wires = [stack.enter_context(Wire(server)) for _ in range(3)]
        host = deployment.headers("first")["Host"]
        list_tasks = server.request("GET", TASKS, host=host)
        stack.enter_context(deployment.database.held("LOCK TABLE task"))
        wires[0].send(list_tasks)
        (pid,), = deployment.database.until(LOCKED)
        os.kill(pid, signal.SIGSTOP)
        stack.callback(os.kill, pid, signal.SIGCONT)
        for wire in wires[1:]:
            wire.send(list_tasks)
        (refused,), _, _ = select.select([wire.socket for wire in wires[1:]], [], [], ANSWER_S)
        reply = next(wire for wire in wires if wire.socket is refused).reply()
        assert problem(reply, 503)["detail"].startswith("the server is busy")
        reply = server.call("GET", "/readyz", access=False)
        assert (reply.status, reply.json) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", PATHS)
def test_a_body_is_not_waited_for(server, path):
    """docket answers when the head is there, and keeps no part of the body."""
    with Wire(server) as wire:
        assert wire.ask("GET", path, "Expect: 100-continue", "Content-Length: 5").status == 200
        assert wire.at_end()
