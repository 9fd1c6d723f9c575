"""The log of slow statements: which are logged, with what, and how many."""
import json
import re
import time

import pytest

import backends
from harness import JSON, TASKS, strict_json, succeed, task_json
from together import started, until

pytestmark = backends.BOTH
BOUND = 20  # milliseconds; the clock of the log moves on every 4
SHORT = 2   # a bound that a page of large tasks passes on any machine
WATCH = ["--slow-statement", BOUND, "--log-format", "json"]
SECRET = "hush-hush"
LONG = 60000  # characters of a body


def slow(server, start=0):
    """The lines of slow statements."""
    text = server.log.read_bytes()[start:].decode()
    objects = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in objects if line.get("message") == "slow statement"]


def fill(server, count=400):
    """Makes tasks whose page takes longer than the short bound: its bodies are 24 MB."""
    for _ in range(count):
        server.create(title=SECRET, body="x" * LONG)
    server.stop()
    return server.data


@pytest.fixture
def watched(make_server):
    return make_server(options=WATCH)


def test_a_slow_read(make_server, database):
    """The line names the account and the request, and says where the plan reads, but no value."""
    watched = make_server(fill(make_server()), options=["--slow-statement", SHORT, "--log-format", "json"])

    def read():
        reply = watched.call("GET", f"{TASKS}?per_page=500&title={SECRET}",
                             headers={"X-Request-Id": "find-me"})
        assert reply.status == 200
        return [line for line in slow(watched) if line["id"] == "find-me" and "task" in (line["plan"] or "")
                and line["account"]]

    line = until(read)[0]
    assert list(line) == ["time", "message", "ms", "account", "id", "statement", "plan"]
    assert line["ms"] >= SHORT and line["account"] == "main", line
    assert line["statement"].startswith("SELECT ") and "$1" in line["statement"], line
    assert ("USING" in line["plan"]) if database == "sqlite" else ("Scan" in line["plan"]), line
    assert SECRET not in json.dumps(line), line


def test_a_slow_write(watched, database):
    """Another session has locked what the write needs. Once a minute the write that waits for it is that of
    the token's last use."""
    lock = "BEGIN IMMEDIATE" if database == "sqlite" else "SELECT 1 FROM account FOR UPDATE"
    begins = "BEGIN IMMEDIATE" if database == "sqlite" else "SELECT"

    def blocked():
        with backends.opened(watched.data) as somebody:
            somebody.execute(lock)
            waits = started(lambda: watched.call("POST", TASKS, task_json(),
                                                 headers={**JSON, "X-Request-Id": "waits"}))
            time.sleep(0.25)
            somebody.execute("ROLLBACK")
        assert waits.result().status == 201
        return [line for line in slow(watched)
                if line["id"] == "waits" and line["statement"].startswith(begins)]

    line = until(blocked)[0]
    assert 100 <= line["ms"] < 5000 and line["account"] == "main", line


@backends.SQLITE
def test_most_are_only_counted(watched):
    """A minute has room for 20 lines; the others are counted, and the log says how many."""

    def counted():
        return strict_json(succeed("status", "--data", watched.data, "--json").stdout.encode())[
            "process"]["slow_statements"]

    with backends.opened(watched.data) as somebody:
        def blocked():
            somebody.execute("BEGIN IMMEDIATE")
            waits = started(watched.create)
            time.sleep(0.25)
            somebody.execute("ROLLBACK")
            waits.result()
            return counted()

        until(blocked, lambda count: count >= 25)
    watched.stop()
    lines = slow(watched)
    assert len(lines) <= 20, len(lines)
    assert re.search(r"[0-9]+ more slow statements were not logged: docket logs at most 20 a minute, "
                     "and at most 8 that come at once",
                     watched.stderr()), watched.stderr()


def test_none_is_logged(make_server, database):
    server = make_server(fill(make_server(), 100), options=["--slow-statement", 0])
    assert server.call("GET", f"{TASKS}?per_page=500").status == 200
    server.stop()
    assert not slow(server)


def test_as_text(make_server, database):
    server = make_server(fill(make_server()), options=["--slow-statement", SHORT, "--log-format", "text"])

    def read():
        server.call("GET", f"{TASKS}?per_page=500", headers={"X-Request-Id": "as-text"})
        return re.search(r"^docket: slow statement: (\d+) ms, account main id as-text statement: SELECT \S.* "
                         r"plan: \S.*$", server.log.read_text(), re.MULTILINE)

    assert int(until(read)[1]) >= SHORT


@backends.POSTGRESQL
def test_no_connection_for_the_plan(make_server):
    """The line comes without a plan, and docket does not say that the database is away."""
    server = make_server(options=[*WATCH, "--database-connections", 2])

    def blocked():
        with server.data.held("LOCK TABLE task"):
            waits = started(lambda: server.call("GET", TASKS, headers={"X-Request-Id": "no-plan"}))
            time.sleep(0.25)
        assert waits.result().status == 200
        return [line for line in slow(server) if line["id"] == "no-plan"]

    server.create()
    assert server.call("GET", TASKS).status == 200
    server.data.run(f'ALTER DATABASE "{server.data.name}" CONNECTION LIMIT 0')
    try:
        line = until(blocked)[0]
    finally:
        server.data.run(f'ALTER DATABASE "{server.data.name}" CONNECTION LIMIT -1')
    assert line["plan"] is None and line["account"].isdigit(), line
    assert server.call("GET", TASKS).status == 200
    assert not [line for line in server.messages() if "cannot open" in line], server.messages()
