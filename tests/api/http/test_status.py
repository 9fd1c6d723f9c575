"""docket status: what the process that serves does and has done."""
import contextlib
import re
import socket

import pytest

import backends
import postgres
from admin import check_help
from commands import fails, misuse, mode
from control import SOCKET
from deployment import deployed
from harness import ROOT, TASKS, basic, run, strict_json, succeed, task, task_json
from test_memory import ACCOUNTS, Many, refused
from together import started, until
from wire import JSON_LINE, Wire, exchange, message, new_source

JOBS = ["waiting", "waiting_weight", "accounts_waiting", "jobs", "batches", "repeated", "late", "refused",
        "mean_batch_us", "longest_batch_us", "total_batch_us", "mean_wait_ms", "longest_wait_ms",
        "total_wait_ms", "batches_by_jobs", "batches_by_us", "waits_by_ms"]
NAMES = {
    "process": ["version", "pid", "uptime_s", "database", "schema", "cpu_us", "slow_statements"],
    "connections": ["open", "limit", "busy", "in_handshake", "idle"],
    "requests": ["in_progress", "answered_2xx", "answered_3xx", "answered_4xx", "answered_5xx",
                 "not_answered", "malformed", "refused_guesses", "refused_rate", "by_route"],
    "reads": [*JOBS, "at_once"],
    "writes": JOBS,
    "alerts": ["waiting", "sending", "accepted", "try_again", "uncertain", "refused", "given_up",
               "skipped", "given_back", "pauses", "paused"],
    "memory": ["rss_anon_bytes", "limit_bytes", "held_bytes", "most_held_bytes", "requests", "waiting",
               "waited", "refused_limit", "refused_share"],
    "cache": ["limit_bytes", "used_bytes", "records", "hits", "misses"],
    "confinement": ["landlock", "landlock_version", "seccomp"],
}
TEXTS = ["version", "database", "landlock", "seccomp"]
HISTOGRAMS = ["batches_by_jobs", "batches_by_us", "waits_by_ms"]
ONLY_JSON = [*HISTOGRAMS, "by_route"]
MIB = 1024 * 1024


def asked(*where):
    return strict_json(succeed("status", *where, "--json").stdout.encode())


def status(server):
    return asked("--data", server.data)


def shown(server, section, name, expected):
    """Waits until a counter has that value: the server counts a moment after its answer."""
    return until(lambda: status(server)[section][name], lambda value: value == expected,
                 f"{section}.{name} is to be {expected}")


def labels(text):
    """The labels of the text, each with the sections that it has a value for."""
    found, sections = {}, []
    for line in text.splitlines():
        if re.match(r" {10}", line) or not line.startswith(" "):
            sections = line.split()
            continue
        label, *values = re.split(" {2,}", line.strip())
        found[label, *sections] = values
        assert len(values) == len(sections), line
    return found


# What it shows

def test_the_names(make_server):
    server = make_server()
    server.create()
    found = status(server)
    assert {name: list(section) for name, section in found.items()} == NAMES
    assert list(found) == list(NAMES)
    for values in found.values():
        for name, value in values.items():
            if name in TEXTS:
                assert isinstance(value, str)
            elif name in ONLY_JSON:
                assert isinstance(value, list)
            else:
                assert isinstance(value, int) and value >= 0, name
    process = found["process"]
    assert process["pid"] == server.process.pid and process["database"] == "sqlite"
    assert f"docket {process['version']}\n" == run("version").stdout
    assert f"schema {process['schema']}\n" in server.stderr() or \
        f", schema {process['schema']}\"" in server.stderr()
    assert 0 < found["memory"]["rss_anon_bytes"] < 1024 * MIB
    assert found["memory"]["limit_bytes"] == 256 * MIB and found["connections"]["limit"] <= 16384


def test_the_text(make_server):
    """It shows the numbers of the JSON, but no histograms and no sums."""
    server = make_server()
    server.create()
    text = succeed("status", "--data", server.data).stdout
    found = labels(text)
    expected = []
    for section, names in NAMES.items():
        for name in names:
            if name not in ONLY_JSON and not name.startswith("total_"):
                expected.append(re.sub("_(s|ms|us|bytes)$", "", name).replace("_", " "))
    assert sorted(label for label, *sections in found for _ in sections
                  if not (label == "at once" and _ == "writes")) == sorted(expected)
    assert found["pid", "process"] == [str(server.process.pid)]
    assert found["limit", "memory"] == ["256.0 MiB"] and found["held", "memory"] == ["0 B"]
    assert found["at once", "reads", "writes"][1] == "-"
    assert re.fullmatch(r"\d+ (us|ms|s)|\d+\.\d (ms|s)", found["mean batch", "reads", "writes"][1])
    assert not re.search(" +$", text, re.MULTILINE)


def test_the_example(make_server):
    """The text in docs/operate.md, and the names there."""
    document = (ROOT / "docs" / "operate.md").read_text("utf-8")
    example = re.search(r"^```text\n(process\n.*?)^```$", document, re.MULTILINE | re.DOTALL)[1]
    text = succeed("status", "--data", make_server().data).stdout
    assert list(labels(example)) == list(labels(text))
    assert [name for names in NAMES.values() for name in names if f"`{name}`" not in document] == []
    assert [section for section in NAMES if f"`{section}`" not in document] == []


# What moves the counters

def test_requests(make_server):
    server = make_server()
    record = server.post(task())
    shown(server, "requests", "answered_2xx", 1)
    tag = {"If-None-Match": record.header("ETag")}
    assert server.call("GET", record.header("Location"), headers=tag).status == 304
    shown(server, "requests", "answered_3xx", 1)
    assert server.get(99).status == 404
    shown(server, "requests", "answered_4xx", 1)
    assert exchange(server, b"GET / HTTP/1.1\r\nHost: x\r\nabc\r\n\r\n").status == 400
    shown(server, "requests", "malformed", 1)
    found = status(server)["requests"]
    routes = {(route["method"], route["route"]): route["answered"] for route in found["by_route"]}
    assert routes == {("POST", TASKS): {"201": 1}, ("GET", f"{TASKS}/{{id}}"): {"304": 1, "404": 1}}
    assert found == {**dict.fromkeys(found, 0), "answered_2xx": 1, "answered_3xx": 1, "answered_4xx": 1,
                     "malformed": 1, "by_route": found["by_route"]}


@pytest.mark.slow
def test_connections(make_server):
    server = make_server()
    server.kept.close()
    shown(server, "connections", "open", 0)
    with Wire(server), Wire(server) as wire:
        shown(server, "connections", "idle", 2)
        wire.send(server.request("POST", TASKS, JSON_LINE, body=b" " * 100)[:-50])
        shown(server, "connections", "busy", 1)
        found = status(server)
        assert found["connections"]["open"] == 2 and found["connections"]["idle"] == 1
        assert found["requests"]["in_progress"] == 1
    shown(server, "requests", "not_answered", 1)
    shown(server, "requests", "in_progress", 0)
    shown(server, "connections", "open", 0)


def test_jobs(make_server):
    """Jobs of docket's own, every few seconds, may spoil an attempt."""
    for left in (2, 1, 0):
        try:
            return check_jobs(make_server())
        except AssertionError:
            if not left:
                raise


def check_jobs(server):
    """A write is a job of the writers. On SQLite a count or a large page is one of those that read. A read
    of one record or of a page runs at once."""
    before = status(server)
    record = server.create()
    made = status(server)
    # Another write notes when the token was used, at most once a minute.
    assert 1 <= made["writes"]["jobs"] - before["writes"]["jobs"] <= 2
    assert 1 <= made["writes"]["batches"] - before["writes"]["batches"] <= 2
    assert made["writes"]["total_batch_us"] > before["writes"]["total_batch_us"]
    for name in HISTOGRAMS:
        buckets = made["writes"][name]
        assert sum(bucket["count"] for bucket in buckets) == \
            made["writes"]["jobs" if name == "waits_by_ms" else "batches"]
        bounds = [bucket["up_to"] for bucket in buckets]
        assert bounds == sorted(bounds) and all(bound & (bound - 1) == 0 for bound in bounds)
    began = before["reads"]["jobs"]  # docket reads at its start
    assert made["reads"]["jobs"] == began
    assert made["reads"]["at_once"] > before["reads"]["at_once"]
    assert server.get(record["id"]).status == 200
    read = status(server)
    assert read["reads"]["at_once"] > made["reads"]["at_once"] and read["reads"]["jobs"] == began
    assert server.call("GET", f"{TASKS}?mode=count").status == 200
    counted = status(server)
    assert counted["reads"]["jobs"] == began + 1
    assert counted["reads"]["batches"] == read["reads"]["batches"] + 1
    for size, jobs in ((100, 1), (101, 2)):
        assert server.call("GET", f"{TASKS}?per_page={size}").status == 200
        assert status(server)["reads"]["jobs"] == began + jobs


@pytest.mark.slow
def test_a_queue(make_server):
    """While another session has the database, writes wait; a full queue takes no more."""
    server = make_server(options=["--queue", "2", "--statement-timeout", "300000"])

    def create():
        with Wire(server) as wire:
            return wire.ask("POST", TASKS, JSON_LINE, body=task_json()).status
    # Docket's own first writes fill such a short queue.
    until(lambda: not status(server)["writes"]["waiting"])
    server.create()
    before = status(server)["writes"]
    with backends.opened(server.data) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        replies = [started(create) for _ in range(8)]
        found = until(lambda: status(server)["writes"], lambda found: found["waiting"] >= 2 and
                      found["refused"])
        assert found["accounts_waiting"] >= 1 and found["waiting_weight"] >= found["waiting"]
        assert found["jobs"] - before["jobs"] <= 1 and found["late"] == 0  # docket has some of its own
    statuses = [reply.result() for reply in replies]
    found = until(lambda: status(server)["writes"], lambda found: not (
        found["waiting"] or found["waiting_weight"] or found["accounts_waiting"]))
    assert set(statuses) == {201, 503}
    assert found["refused"] >= statuses.count(503)
    assert found["jobs"] >= before["jobs"] + statuses.count(201)
    assert found["total_wait_ms"] >= found["longest_wait_ms"] > 0
    assert found["longest_batch_us"] >= found["mean_batch_us"] > 0
    shown(server, "requests", "answered_5xx", statuses.count(503))


@pytest.mark.slow
def test_memory(base_of_two, tmp_path):
    many = Many(backends.copy(base_of_two[0], tmp_path / "data"), base_of_two[1], tmp_path / "log")
    server = many.server
    with many.held("first"):
        shown(server, "memory", "held_bytes", 8 * MIB)
        assert status(server)["memory"]["requests"] == 1
        refused(many.create("first"), 429)
        found = status(server)["memory"]
        assert found["refused_share"] == found["waited"] == 1 and found["refused_limit"] == 0
    with contextlib.ExitStack() as stack:
        shown(server, "memory", "held_bytes", 0)
        for account in ACCOUNTS[:4]:
            stack.enter_context(many.held(account))
        stack.enter_context(many.held("fifth", None))
        refused(many.create("fifth"), 503)
        found = status(server)["memory"]
        assert found["refused_share"] == 1 and found["refused_limit"] == 1 and found["requests"] == 5
    shown(server, "memory", "held_bytes", 0)
    found = status(server)["memory"]
    assert found["requests"] == found["waiting"] == 0
    assert found["limit_bytes"] == 32 * MIB < found["most_held_bytes"] < 40 * MIB
    server.stop()


def test_guesses(make_server):
    server = make_server()
    source = new_source()
    for number in range(22):
        exchange(server, message("GET", TASKS, "Host: x", "Authorization: "
                                 + basic("admin/token", f"wrong {number}")), source)
    shown(server, "requests", "answered_4xx", 22)
    assert status(server)["requests"]["refused_guesses"] == 2


# No process, and wrong use

def test_no_process(make_server, tmp_path):
    server = make_server()
    assert status(server)["process"]["uptime_s"] >= 0
    server.stop()
    for folder in (server.data, tmp_path / "nothing"):
        for json in ([], ["--json"]):
            said = fails("status", "--data", folder, *json)
            assert "no docket process answers" in said and str(folder) in said
    server.start()
    server.kill()
    assert (server.data / SOCKET).exists()
    assert "no docket process answers" in fails("status", "--data", server.data)


@pytest.mark.parametrize("words, said", [
    ([], "--data DIR is missing"),
    (["--database", "postgresql:///docket"], "give --control-socket FILE"),
    (["--data", "x", "--control-socket", "y"], "--control-socket replaces --data"),
    (["--data", "x", "more"], "more"),
    (["--data", "x", "--account", "main"], "--account"),
    (["--control-socket", ""], "--control-socket is empty"),
])
def test_wrong_use(words, said):
    assert said in misuse("status", *words)


def test_help():
    check_help("status", "")


def test_a_folder_has_a_socket_of_its_own(one):
    said = misuse("serve", "--data", one, "--listen", "127.0.0.1:0", "--control-socket", one / "x")
    assert "--control-socket is only for --database" in said
    assert not (one / "x").exists()


def test_what_is_sent(tmp_path):
    """Only what concerns the process that answers, as here it does not."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        asking = started(lambda: run("status", "--json", "--control-socket", path, env={
            "DOCKET_DATABASE": "postgresql://x:secret@db/docket"}))
        wire, _ = listener.accept()
        sent = wire.recv(65536)
        wire.close()
        done = asking.result()
    assert strict_json(sent) == {"command": "status", "settings": {"json": "yes"},
                                 "origins": {"json": "--json"}}
    assert done.returncode == 1 and done.stdout == "" and "gave no answer" in done.stderr


# PostgreSQL: each process has a socket of its own

@postgres.NEEDED
@pytest.mark.slow
def test_processes_of_one_database(tmp_path):
    sockets = [tmp_path / "first.sock", tmp_path / "second.sock"]
    with deployed(tmp_path) as deployment:
        servers = [deployment.serve("--control-socket", path) for path in sockets]
        assert [mode(path) for path in sockets] == [0o600, 0o600]
        assert deployment.post("one", server=servers[1]).status == 201
        found = [asked("--control-socket", path) for path in sockets]
        assert [one["process"]["pid"] for one in found] == [one.process.pid for one in servers]
        assert [one["process"]["database"] for one in found] == ["postgresql"] * 2
        assert found[0]["writes"]["jobs"] < found[1]["writes"]["jobs"]
        assert found[1]["reads"]["jobs"] > 0 and found[1]["reads"]["at_once"] == 0
        # It is found by a relative path too, and beside the settings that a server has.
        assert strict_json(succeed("status", "--json", cwd=tmp_path, env={
            "DOCKET_CONTROL_SOCKET": "second.sock", "DOCKET_DATABASE": deployment.url,
        }).stdout.encode())["process"]["pid"] == servers[1].process.pid
        for server in servers:
            server.stop()
        assert not any(path.exists() for path in sockets)
        assert "no docket process answers" in fails("status", "--control-socket", sockets[0])


@postgres.NEEDED
@pytest.mark.slow
def test_a_locked_table(tmp_path):
    """A write is tried again while another session has its table, and is given up in the end."""
    with deployed(tmp_path) as deployment:
        path = tmp_path / "socket"
        deployment.serve("--control-socket", path, "--statement-timeout", "4000")
        assert deployment.post("one").status == 201
        before = asked("--control-socket", path)["writes"]
        with deployment.database.held("LOCK TABLE task"):
            assert deployment.post("two").status == 503
        found = asked("--control-socket", path)["writes"]
        assert before["repeated"] == before["late"] == 0 < found["repeated"]
        assert found["late"] == 1 and found["waiting"] == 0


@postgres.NEEDED
@pytest.mark.slow
def test_where_a_socket_cannot_be(tmp_path):
    """A socket that another process has, a file, a name that is too long, a folder that is missing.
    That of a killed process is replaced."""
    used, file = tmp_path / "used", tmp_path / "file"
    file.write_text("kept")
    with deployed(tmp_path) as deployment:
        serve = ["serve", "--database", deployment.url, "--base-domain", "example.test", "--listen",
                 "127.0.0.1:0", "--control-socket"]
        server = deployment.serve("--control-socket", used)
        for path in (used, file, tmp_path / ("n" * 65), tmp_path / "missing" / "socket", f"{tmp_path}/"):
            done = run(*serve, path)
            assert done.returncode == 1 and "cannot make the control socket" in done.stderr, done
        assert file.read_text() == "kept"
        assert asked("--control-socket", used)["process"]["pid"] == server.process.pid
        server.kill()
        assert used.exists()
        server.start()
        assert asked("--control-socket", used)["process"]["pid"] == server.process.pid
