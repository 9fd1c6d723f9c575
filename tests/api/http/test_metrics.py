"""docket serve --metrics: what Prometheus gets."""
import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse

import pytest

import backends
from ca import with_tls
from commands import fails, misuse
from exposition import places, promtool, read, scrape, text_of
from harness import COMMAND_S, PROGRAM, ROOT, TASKS, environment, task, task_json
from test_status import asked, status
from together import at_once, started, until
from wire import JSON_LINE, Wire, exchange

METRICS = ["--metrics", "127.0.0.1:0"]
TASK = "/api/v1/tasks/{id}"
REQUESTS = "docket_http_requests_total"
EXAMPLES = ROOT / "examples" / "prometheus"
SECONDS = "docket_http_request_duration_seconds"


def counted(server):
    return scrape(server)[REQUESTS].by("method", "route", "status")


def shown(server, expected):
    """Waits for these numbers of requests: docket counts a request a moment after its answer."""
    return until(lambda: counted(server), lambda found: found == expected, f"not {expected}")


def ask(server, *lines):
    """One request to the listener of the metrics."""
    url = urllib.parse.urlsplit(places(server)[-1])
    with socket.create_connection((url.hostname, url.port), COMMAND_S) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        with connection.makefile("rb") as reply:
            head, _, body = reply.read().partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode(), body.decode()


# What it counts

@backends.BOTH
def test_the_counters_are_what_was_sent(make_server):
    server = make_server(options=METRICS)
    assert counted(server) == {}
    record = server.create()
    for _ in range(7):
        assert server.get(record["id"]).status == 200
    for _ in range(3):
        assert server.call("HEAD", f"{TASKS}/{record['id']}").status == 200
    for number in range(5):
        assert server.get(100000 + number).status == 404
    for _ in range(2):
        assert server.post(task(title="")).status == 422
    assert server.call("GET", f"{TASKS}?mode=count").status == 200
    assert server.call("PATCH", f"{TASKS}/{record['id']}", json.dumps({"task": {"title": "new"}}).encode(),
                       headers={"Content-Type": "application/json"}).status == 200
    assert server.call("DELETE", f"{TASKS}/{record['id']}").status == 204
    assert server.call("GET", TASKS, access=False).status == 401
    expected = {("POST", TASKS, "201"): 1, ("GET", TASK, "200"): 10, ("GET", TASK, "404"): 5,
                ("POST", TASKS, "422"): 2, ("GET", TASKS, "200"): 1, ("PATCH", TASK, "200"): 1,
                ("DELETE", TASK, "204"): 1, ("GET", TASKS, "401"): 1}
    shown(server, expected)
    found = scrape(server)
    assert found[SECONDS].by("method", "route", suffix="_count") == {
        ("POST", TASKS): 3, ("GET", TASK): 15, ("GET", TASKS): 2, ("PATCH", TASK): 1, ("DELETE", TASK): 1}
    assert found["docket_http_problems_total"].by("code") == {
        "no_such_record": 5, "invalid_fields": 2, "wrong_credentials": 1}


def test_no_path_is_a_label(make_server):
    """Paths and methods that no route has are counted together, so that no client can add labels."""
    server = make_server(options=METRICS)
    for number in range(20):
        assert server.call("GET", f"/api/v1/nothing/{number}").status == 404
    assert server.call("GET", '/api/v1/"\\\n'.replace("\n", "%0A").replace('"', "%22")).status == 404
    assert server.call("PUT", TASKS).status == 405
    assert server.call("OPTIONS", TASKS).status == 204
    assert exchange(server, server.request("GET", TASKS, "Content-Length: 1", "Content-Length: 2",
                                           body=b"x")).status == 400
    other = "other", "other"
    shown(server, {(*other, "404"): 21, (*other, "405"): 1, (*other, "204"): 1, (*other, "400"): 1})


@backends.BOTH
def test_they_are_the_numbers_of_docket_status(make_server, database, tmp_path):
    own = [] if database == "sqlite" else ["--control-socket", tmp_path / "socket"]
    server = make_server(options=[*METRICS, *own])

    def create(number):
        with Wire(server) as wire:
            for _ in range(5):
                assert wire.ask("POST", TASKS, JSON_LINE, body=task_json()).status == 201

    def some_together():
        at_once(create, range(8))
        return still(server, own)["writes"]

    until(some_together, lambda found: found["jobs"] > found["batches"])
    server.get(1)
    server.call("GET", f"{TASKS}?per_page=500")

    def both():
        before, found = still(server, own), scrape(server)
        return before, found, still(server, own)

    before, found, _ = until(both, lambda both: both[0] == both[2] and
                             not both[0]["requests"]["in_progress"])
    sums = {}
    for (_, labels), count in found[REQUESTS].samples.items():
        name = f"answered_{dict(labels)['status'][0]}xx"
        sums[name] = sums.get(name, 0) + count
    assert sums == {name: before["requests"][name] for name in sums}
    assert {labels: count for (_, labels), count in found[REQUESTS].samples.items()} == {
        frozenset({"method": route["method"], "route": route["route"], "status": status}.items()): count
        for route in before["requests"]["by_route"] for status, count in route["answered"].items()}
    for queue in ("reads", "writes"):
        labels, expected = {"queue": queue}, before[queue]
        assert found["docket_jobs_total"][labels] == expected["jobs"]
        assert found["docket_batches_total"][labels] == expected["batches"]
        assert found["docket_queue_jobs"][labels] == expected["waiting"]
        seconds = found["docket_batch_duration_seconds"].by("queue", suffix="_sum")[queue]
        assert seconds == pytest.approx(expected["total_batch_us"] / 1e6)
    assert found["docket_reads_at_once_total"][{}] == before["reads"]["at_once"]
    assert found["docket_record_cache_lookups_total"].by("result") == {
        result: before["cache"][name] for result, name in (("hit", "hits"), ("miss", "misses"))
        if before["cache"][name]}
    assert found["docket_memory_limit_bytes"][{}] == before["memory"]["limit_bytes"]
    [(_, labels)] = found["docket_build_info"].samples
    assert dict(labels) == {name: str(before["process"][name]) for name in ("version", "database", "schema")}


def still(server, own):
    """What docket status shows, without what changes by itself."""
    found = asked(*own) if own else status(server)
    del found["memory"]["rss_anon_bytes"], found["process"]["uptime_s"], found["process"]["cpu_us"]
    return found


def test_the_process(make_server):
    server = make_server(options=METRICS)
    found = scrape(server)
    assert found["process_resident_memory_bytes"][{}] >= server.memory() > 0
    assert 0 < found["process_cpu_seconds_total"][{}] <= server.processor() + 0.02
    assert 10 < found["process_open_fds"][{}] < found["process_max_fds"][{}]
    assert found["process_virtual_memory_bytes"][{}] > found["process_resident_memory_bytes"][{}]
    before = scrape(server)["process_start_time_seconds"][{}]
    assert before == found["process_start_time_seconds"][{}]


def test_checkpoints(make_server):
    """docket copies the WAL into the database when no write has come for a while."""
    server = make_server(options=METRICS)
    before = scrape(server)["docket_checkpoints_total"][{}]
    server.create()
    found = until(lambda: scrape(server), lambda found: found["docket_checkpoints_total"][{}] > before)
    assert found["docket_checkpoint_seconds_total"][{}] > 0


def test_the_daily_backup(make_server, tmp_path):
    (tmp_path / "backups").mkdir()
    server = make_server(options=[*METRICS, "--backup-to", tmp_path / "backups", "--backup-at", "03:00"])
    found = until(lambda: scrape(server), lambda found: found["docket_backups_total"][{}])
    made, = (tmp_path / "backups").iterdir()
    assert found["docket_backup_size_bytes"][{}] == made.stat().st_size
    assert abs(found["docket_backup_last_success_timestamp_seconds"][{}] - time.time()) < 600
    assert found["docket_backup_failing"][{}] == found["docket_backup_failures_total"][{}] == 0


def test_the_replica(make_server, tmp_path):
    (tmp_path / "replica").mkdir()
    server = make_server(options=[*METRICS, "--replicate-to", tmp_path / "replica"])
    server.create()
    found = until(lambda: scrape(server), lambda found: found["docket_replica_following"][{}] == 1 and
                  found["docket_replica_commits_total"][{}] and
                  not found["docket_replica_lag_commits"][{}])
    assert found["docket_replica_lag_seconds"][{}] == 0
    assert found["docket_replica_written_bytes_total"][{}] > 0
    assert found["docket_replica_synced_timestamp_seconds"][{}] > 1.7e9


# While the server is busy

@backends.BOTH
def test_promtool_while_loaded(make_server):
    """Every answer is sound, and no counter falls."""
    server = make_server(options=METRICS)

    def work(number):
        with Wire(server) as wire:
            for _ in range(40):
                made = wire.ask("POST", TASKS, JSON_LINE, body=task_json(title=f"by {number}"))
                assert made.status == 201
                assert wire.ask("GET", f"{TASKS}/{made.json['id']}").status == 200

    workers = [started(work, number) for number in range(4)]
    before = {}
    while True:
        last = all(worker.done() for worker in workers)
        text = text_of(server)
        assert promtool("check", "metrics", text=text) == ""
        for name, family in read(text).items():
            for key, value in family.samples.items():
                if family.type != "gauge":
                    assert value >= before.get((name, key), 0), (name, key)
                    before[name, key] = value
        if last:
            break
    for worker in workers:
        worker.result()
    shown(server, {("POST", TASKS, "201"): 160, ("GET", TASK, "200"): 160})


def test_two_scrapes_at_once(make_server):
    server = make_server(options=METRICS)
    server.create()
    for found in at_once(lambda _: [scrape(server) for _ in range(10)], range(4)):
        assert len(found) == 10


def test_while_the_queue_is_full(make_server):
    server = make_server(options=[*METRICS, "--queue", "2", "--statement-timeout", "60000"])

    def create():
        with Wire(server) as wire:
            return wire.ask("POST", TASKS, JSON_LINE, body=task_json()).status

    # docket's own first writes fill such a short queue.
    until(lambda: not scrape(server)["docket_queue_jobs"][{"queue": "writes"}])
    server.create()
    with backends.opened(server.data) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        replies = [started(create) for _ in range(8)]
        full = {"queue": "writes", "reason": "queue_full"}
        found = until(lambda: scrape(server), lambda found: found["docket_queue_jobs"][
            {"queue": "writes"}] >= 2 and found["docket_refusals_total"][full])
        # Also of no account: the alerts' own writes.
        assert found["docket_queue_accounts"][{"queue": "writes"}] in (1, 2)
    statuses = [reply.result() for reply in replies]
    assert set(statuses) == {201, 503}
    shown(server, {("POST", TASKS, "201"): statuses.count(201) + 1,
                   ("POST", TASKS, "503"): statuses.count(503)})
    assert scrape(server)["docket_http_problems_total"][{"code": "busy"}] == statuses.count(503)


def test_errors_of_the_database(make_server):
    def errors(server):
        return scrape(server)["docket_database_errors_total"].by("error")

    patient = make_server(options=[*METRICS, "--statement-timeout", "60000"])
    patient.create()
    assert errors(patient) == {}
    patient.stop()
    server = make_server(patient.data, patient.token, options=[*METRICS, "--statement-timeout", "200"])
    # Also without the lock a statement may take 200 ms.
    until(lambda: server.post(task()).status == 201)
    before = sum(errors(server).values())
    with backends.opened(server.data) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        assert server.post(task()).status == 503
    found = errors(server)
    assert sum(found.values()) > before and set(found) <= {"busy", "timeout"}


def test_silent_clients_of_the_metrics(make_server):
    """They fill its own connections, and no one of the API's."""
    server = make_server(options=METRICS)
    url = urllib.parse.urlsplit(places(server)[-1])
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection((url.hostname, url.port), COMMAND_S))
        assert server.post(task()).status == 201
        assert status(server)["connections"]["open"] <= 1
    until(lambda: scrape(server))


# The end, and SIGHUP

def test_while_it_drains(make_server):
    """The listener answers until the last request has ended, and then it is closed."""
    server = make_server(options=METRICS)
    url = urllib.parse.urlsplit(places(server)[-1])
    with Wire(server) as wire:
        request = server.request("POST", TASKS, JSON_LINE, body=task_json())
        wire.send(request[:-10])
        until(lambda: scrape(server)["docket_http_requests_in_progress"][{}] == 1)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: scrape(server)["docket_http_requests_in_progress"][{}] == 1)
        assert server.running()
        wire.send(request[-10:])
        assert wire.reply("POST").status == 201
    server.wait()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((url.hostname, url.port), COMMAND_S)


def test_sighup_keeps_it(make_server):
    server = make_server(options=METRICS)
    server.create()
    shown(server, {("POST", TASKS, "201"): 1})
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "SIGHUP reads certificates again" in server.stderr())
    assert counted(server) == {("POST", TASKS, "201"): 1}


# The listener

def test_its_answers(make_server):
    server = make_server(options=METRICS)
    code, head, body = ask(server, "GET /metrics?collect[]=x HTTP/1.1", "Host: any")
    assert code == 200 and read(body) and "Cache-Control: no-store" in head
    code, head, body = ask(server, "HEAD /metrics HTTP/1.1", "Host: any")
    assert code == 200 and body == "" and int(re.search(r"Content-Length: (\d+)", head)[1]) > 1000
    for path in ("/", "/metrics/", "/api/v1/tasks", "/healthz"):
        code, _, body = ask(server, f"GET {path} HTTP/1.1", "Host: any")
        assert code == 404 and "/metrics" in body
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        code, head, _ = ask(server, f"{method} /metrics HTTP/1.1", "Host: any")
        assert code == 405 and "Allow: GET, HEAD" in head
    assert ask(server, "GET /metrics HTTP/1.1", "Host: a", "Host: b")[0] == 400
    assert server.call("GET", "/metrics").status == 404  # the API has no such path
    shown(server, {("other", "other", "404"): 1})


def test_without_the_setting(make_server):
    server = make_server()
    assert places(server, 0) == []


def test_several_addresses(make_server):
    server = make_server(options=["--metrics", "127.0.0.1:0,127.0.0.2:0"])
    urls = places(server, 2)
    assert [urllib.parse.urlsplit(url).hostname for url in urls] == ["127.0.0.1", "127.0.0.2"]
    assert len({urllib.parse.urlsplit(url).port for url in urls}) == 1


@pytest.mark.parametrize("value, said", [
    ("nowhere", 'must be ADDR:PORT or [ADDR]:PORT; got "nowhere"'),
    ("127.0.0.1", "must be ADDR:PORT"), ("127.0.0.1:", "must be ADDR:PORT"),
    ("127.0.0.1:65536", "must be ADDR:PORT"), (":9090", "must be ADDR:PORT"),
    ("127.0.0.1:0,", "must be ADDR:PORT"), ("name.invalid:9090", "has no address"), ("", "is empty"),
])
def test_a_wrong_value(one, value, said):
    message = misuse("serve", "--data", one, "--listen", "127.0.0.1:0", "--metrics", value)
    assert "--metrics" in message and said in message


def test_a_port_that_is_taken(one):
    """docket finds out before it opens the API's port, so no client of the API is accepted."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        message = fails("serve", "--data", one, "--listen", place, "--metrics", place)
    assert f"--metrics: cannot listen at {place}" in message and message.count("cannot listen") == 1


# Documents and examples

def test_the_table_in_the_document():
    done = subprocess.run([sys.executable, ROOT / "tools" / "metrics-table.py", PROGRAM, "--check"],
                          timeout=COMMAND_S, capture_output=True, encoding="utf-8", check=False,
                          env=environment())
    assert done.returncode == 0, done


@pytest.fixture(scope="module")
def names(share_server, tmp_path_factory):
    """The names of all series of a server that has all metrics."""
    options = ["--replicate-to", tmp_path_factory.mktemp("replica"),
               "--backup-to", tmp_path_factory.mktemp("backups"), "--backup-at", "03:00"]
    server = share_server(options=[*METRICS, *options])
    server.create()
    secure, _ = with_tls(share_server, tmp_path_factory.mktemp("tls"), *METRICS)
    found = until(lambda: scrape(server), lambda found: found[REQUESTS].samples)
    return {name + end for metrics in (found, scrape(secure)) for name, family in metrics.items()
            for end, _ in family.samples}


def used(expression):
    """The metrics that an expression names."""
    return set(re.findall(r"\b(?:docket|process)_\w+", re.sub(r'"[^"]*"', "", expression)))


def test_the_alert_rules(names):
    said = promtool("test", "rules", EXAMPLES / "rules_test.yml")
    assert "SUCCESS" in said
    assert re.search(r"SUCCESS: \d+ rules found", promtool("check", "rules", EXAMPLES / "rules.yml"))
    assert "SUCCESS" in promtool("check", "config", EXAMPLES / "prometheus.yml")
    rules = (EXAMPLES / "rules.yml").read_text("utf-8")
    tests = (EXAMPLES / "rules_test.yml").read_text("utf-8")
    alerts = re.findall(r"- alert: (\w+)", rules)
    assert set(alerts) == set(re.findall(r"alertname: (\w+)", tests))
    assert used(re.sub(r"^#.*", "", rules, flags=re.MULTILINE)) <= names
    assert used(tests.replace("'", "")) <= names


def test_the_dashboard(names, tmp_path):
    """Each expression is one of Prometheus' language and names metrics that docket has."""
    board = json.loads((EXAMPLES / "grafana.json").read_text("utf-8"))
    expressions = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    rules = [{"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
             for number, expression in enumerate(expressions)]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", tmp_path / "rules.yml")
    assert len(expressions) > 20
    for expression in expressions:
        assert used(expression) <= names, expression
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
