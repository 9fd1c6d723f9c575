"""The trace of a request: its X-Request-Id, and its line on standard error."""
import os
import re
import subprocess
import time

import pytest

from harness import JSON, TASKS, basic, cases, environment, plain, problem, strict_json
from wire import ANSWER_S, Wire, ask_once, exchange, message

FIELDS = ["time", "id", "source", "account", "staff", "method", "route", "path", "status", "bytes",
          "ms", "end"]
MADE = re.compile(r"[0-9a-f]{32}")


def only(server, before, count=1):
    """The lines since then; there must be exactly `count`."""
    lines = server.lines(before, count)
    assert len(lines) == count, lines
    return lines[0] if count == 1 else lines


# X-Request-Id

@pytest.mark.parametrize("value", ["a", "0", "-._~+/=:@", "a" * 128,
                                   "7b1c5e0a-6d2f-4a55-9c39-0d9c6a3f7a11",
                                   "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                   "Self=1-63441c4a-abcdef012345678912345678"])
def test_a_sane_id_is_kept(server, value):
    before = server.log_end()
    reply = server.call("GET", TASKS + "/999999", headers={"X-Request-Id": value})
    assert reply.header("X-Request-Id") == value
    assert only(server, before)["id"] == value


@pytest.mark.parametrize("value", cases([
    ("none", None),
    ("empty", ""),
    ("too long", "a" * 129),
    ("a blank", "a b"),
    ("a tab", "a\tb"),
    ("a quote", 'a","status":200,"x":"'),
    ("a comma", "a,b"),
    ("a semicolon", "a;b"),
    ("a backslash", "a\\nb"),
    ("markup", "<b>"),
    ("not ASCII", "caf\u00e9"),
    ("a control", "a\x1b[2J"),
]))
def test_another_is_made(server, value):
    before, seen = server.log_end(), set()
    for _ in range(2):
        lines = [] if value is None else [f"X-Request-Id: {value}"]
        seen.add(ask_once(server, "GET", TASKS + "/999999", *lines).header("X-Request-Id"))
    assert len(seen) == 2 and all(MADE.fullmatch(made) for made in seen), seen
    assert {line["id"] for line in only(server, before, 2)} == seen


def test_of_two_the_first(server):
    before = server.log_end()
    assert ask_once(server, "GET", TASKS + "/1", "X-Request-Id: one",
                    "X-Request-Id: two").header("X-Request-Id") == "one"
    assert only(server, before)["id"] == "one"


EVERY = cases([
    ("200", 200, 1, "GET", TASKS, None, {}),
    ("201", 201, 1, "POST", TASKS,
     b'{"task":{"casefile_id":245,"calendar_id":1,"due_on":"2023-02-14","title":"t"}}', JSON),
    ("204", 204, None, "OPTIONS", TASKS, None, {}),
    ("204 of all", 204, None, "OPTIONS", "*", None, {}),
    ("400 of the guard", 400, None, "GET", TASKS + "/%zz", None, {}),
    ("400 of a body", 400, 1, "POST", TASKS, b"{", JSON),
    ("400 of a parameter", 400, 1, "GET", TASKS + "?x=y", None, {}),
    ("401", 401, None, "GET", TASKS, None, {"Authorization": basic("admin/token", "wrong")}),
    ("403", 403, 2, "GET", TASKS, None, {"Authorization": "second"}),
    ("404", 404, 1, "GET", TASKS + "/999999", None, {}),
    ("404 of a path", 404, 1, "GET", "/nowhere", None, {}),
    ("404 without a body", 404, 1, "HEAD", "/nowhere", None, {}),
    ("405", 405, 1, "PUT", TASKS, None, {}),
    ("413", 413, None, "POST", TASKS, b" " * (1024 * 1024 + 1), JSON),
    ("415", 415, 1, "POST", TASKS, b"x", {"Content-Type": "text/plain"}),
    ("422", 422, 1, "POST", TASKS, b"{}", JSON),
])
ROUTES = {TASKS: TASKS, TASKS + "/999999": TASKS + "/{id}"}


@pytest.mark.parametrize("status, staff, method, target, body, headers", EVERY)
def test_every_answer_has_one(server, status, staff, method, target, body, headers):
    before = server.log_end()
    headers = {"Authorization": server.access, **headers, "X-Request-Id": f"of-{status}"}
    if headers["Authorization"] == "second":
        headers["Authorization"] = basic("second/token", server.token)
    reply = exchange(server, message(method, target, "Host: docket.example", headers=headers,
                                     body=body))
    assert reply.status == status, reply
    assert reply.header("X-Request-Id") == f"of-{status}"
    line = only(server, before)
    assert [name for name in line if name != "reason"] == FIELDS
    assert (line["id"], line["status"], line["method"]) == (f"of-{status}", status, method)
    assert line["bytes"] == len(reply.body)
    assert line["route"] == ROUTES.get(target.partition("?")[0])
    assert line["staff"] == staff
    assert line["account"] == (None if method == "OPTIONS" or "%zz" in target else "main")


# The line

def test_what_is_in_it(server):
    before = server.log_end()
    made = server.create(title="seen by nobody else")
    reply = server.get(made["id"])
    line = only(server, before, 2)[1]
    assert list(line) == FIELDS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time")), line
    assert 0 < line.pop("ms") < ANSWER_S * 1000
    assert line == {
        "id": reply.header("X-Request-Id"), "source": "127.0.0.1", "account": "main", "staff": 1,
        "method": "GET", "route": TASKS + "/{id}", "path": f"{TASKS}/{made['id']}", "status": 200,
        "bytes": len(reply.body), "end": "sent"}


def test_the_time_is_utc(server):
    """The harness gives the server another time zone."""
    before = server.log_end()
    made = server.create()
    minutes = int(only(server, before)["time"][14:16]) - int(made["created_at"][14:16])
    assert minutes % 60 in (0, 1, 59)


def test_a_write_takes_its_time(server):
    """The time ends when the write is on stable storage, not when the request was read."""
    before = server.log_end()
    server.create()
    line = only(server, before)
    assert (line["status"], line["route"], line["end"]) == (201, TASKS, "sent")


SECRET = "hunter2hunter2"


@pytest.mark.parametrize("target, lines", cases([
    ("a cursor", f"{TASKS}?after={SECRET}", []),
    ("a parameter", f"{TASKS}?title={SECRET}", []),
    ("an unreadable one", f"{TASKS}/%?token={SECRET}", []),
    ("the absolute form", f"http://admin:{SECRET}@docket.example{TASKS}", []),
    ("that, unreadable", f"http://admin:{SECRET}@docket.example/%", []),
    ("no path", f"{SECRET}", []),
    ("an id that is none", TASKS, [f"X-Request-Id: {SECRET} x"]),
    ("credentials", TASKS, ["Authorization: " + basic("admin/token", SECRET)]),
    ("a cookie", TASKS, [f"Cookie: {SECRET}", f"X-Forwarded-For: {SECRET}"]),
]))
def test_no_secret_is_in_it(server, target, lines):
    before = server.log_end()
    reply = exchange(server, message("GET", target, "Host: docket.example", *lines))
    assert reply.status in (400, 401)
    only(server, before)
    said = server.stderr(before)
    for secret in (SECRET, basic("admin/token", SECRET).split()[1], server.token):
        assert secret not in said, said


def test_no_body_is_in_it(server):
    before = server.log_end()
    server.create(title=SECRET, body=SECRET)
    server.post({"task": {SECRET: SECRET}})
    only(server, before, 2)
    assert SECRET not in server.stderr(before)


@pytest.mark.parametrize("method, target, path", cases([
    ("a line", "GET", "/a%0a%7B%22time%22:1%7D", '/a\n{"time":1}'),
    ("a return", "GET", "/a%0D%0Adocket:%20x", "/a\r\ndocket: x"),
    ("a member", "GET", "/%22,%22status%22:%22", '/","status":"'),
    ("a backslash", "GET", "/%5C", "/\\"),
    ("a terminal", "GET", "/%1b%5B2J%7f", "/\x1b[2J\x7f"),
    ("letters", "GET", "/caf%C3%A9/%F0%9F%93%8E", "/caf\u00e9/\U0001f4ce"),
    ("another way to write", "GET", "/%E2%80%AE%C2%85%E2%80%A8", "/\u202e\x85\u2028"),
    ("not UTF-8", "GET", "/a\xff\xc3", "/a\ufffd\ufffd"),
    ("not UTF-8, encoded", "GET", "/a%ff", "/a\ufffd"),
    ("long", "GET", "/" + "a" * 8000, "/" + "a" * 199 + "..."),
    ("long and not UTF-8", "GET", "/" + "\xff" * 8000, "/" + "\ufffd" * 199 + "..."),
    ("long, cut inside", "GET", "/aa" + "%F0%9F%93%8E" * 100, "/aa" + "\U0001f4ce" * 49 + "..."),
    ("a method", "G" * 1000, "/", "/"),
]))
def test_nothing_can_be_forged(server, method, target, path):
    before = server.log_end()
    reply = exchange(server, message(method, target, "Host: docket.example"))
    assert reply.status in (400, 401)
    line = only(server, before)
    assert line["path"] == path
    assert line["method"] == (method if len(method) <= 16 else method[:16] + "...")
    said = server.stderr(before)
    assert said.count("\n") == 1 and said.isascii() and said[:-1].isprintable(), said


# Ends

# The wait before the client disconnects: libmicrohttpd can miss an end that arrives together with
# bytes, until the idle time is over.
PAUSE_S = 0.3
BROKEN_OFF = {"broken off", "timed out"}


def test_broken_off_in_the_head(server):
    before = server.log_end()
    with Wire(server) as wire:
        wire.send(b"GET /api/v1/tasks?after=x HTTP/1.1\r\nHost: doc")
        time.sleep(PAUSE_S)
    line = only(server, before)
    assert line["end"] in BROKEN_OFF and (line["status"], line["path"]) == (0, TASKS)
    assert line["method"] is line["account"] is line["route"] is None and line["id"]


def test_broken_off_in_the_body(server):
    before = server.log_end()
    with Wire(server) as wire:
        wire.send(server.request("POST", TASKS, "Content-Length: 100") + b"{")
        time.sleep(PAUSE_S)
    line = only(server, before)
    assert line["end"] in BROKEN_OFF and (line["status"], line["bytes"]) == (0, 0)
    assert (line["staff"], line["route"]) == (None, TASKS)


def test_refused_by_the_library(server):
    """The answer has no id, but the line has one."""
    before = server.log_end()
    with Wire(server) as wire:
        wire.send(server.request("POST", TASKS, "Content-Length: x"))
        assert wire.to_end()
    line = only(server, before)
    assert (line["status"], line["method"], line["end"]) == (0, None, "refused")
    assert re.fullmatch("[0-9a-f]{32}", line["id"])


def test_quiet(make_server):
    server = make_server(options=["--quiet"])
    assert server.call("GET", TASKS, headers={"X-Request-Id": "x"}).header("X-Request-Id") == "x"
    problem(server.call("GET", "/%00"), 400)
    server.stop()
    started, listening = server.stderr().splitlines()
    assert started.startswith("docket: version ")
    assert listening == f"listening on http://127.0.0.1:{server.port}"


# The source of a request

def test_the_peer(server):
    before = server.log_end()
    with Wire(server) as wire:
        wire.ask("GET", TASKS + "/1")
        assert only(server, before)["source"] == wire.source


@pytest.mark.parametrize("proxy", [True, False])
@pytest.mark.parametrize("values, source", cases([
    ("one", ["192.0.2.1"], "192.0.2.1"),
    ("the last", ["192.0.2.1, 192.0.2.2"], "192.0.2.2"),
    ("of several", ["192.0.2.1", "192.0.2.2 ,\t192.0.2.255 "], "192.0.2.255"),
    ("IPv6", ["192.0.2.1,2001:DB8::0:1"], "2001:db8::1"),
    ("IPv4 in IPv6", ["::ffff:192.0.2.1"], "192.0.2.1"),
    ("none", [], "127.0.0.1"),
    ("empty", [""], "127.0.0.1"),
    ("no address at the end", ["192.0.2.1, unknown"], "127.0.0.1"),
    ("a comma at the end", ["192.0.2.1,"], "127.0.0.1"),
    ("a port", ["192.0.2.1:80"], "192.0.2.1"),
    ("a port behind IPv6", ["[2001:db8::1]:80"], "2001:db8::1"),
    ("brackets", ["[2001:db8::1]"], "2001:db8::1"),
    ("no end", ["[2001:db8::1"], "127.0.0.1"),
    ("a zone", ["fe80::1%lo"], "127.0.0.1"),
    ("not an address", ["1.2.3"], "127.0.0.1"),
    ("long", ["1" * 1000], "127.0.0.1"),
]))
def test_behind_a_proxy(server, proxied, proxy, values, source):
    server = proxied if proxy else server
    before = server.log_end()
    with Wire(server, "127.0.0.1") as wire:
        wire.ask("GET", TASKS + "/1", *[f"X-Forwarded-For: {value}" for value in values])
    assert only(server, before)["source"] == (source if proxy else "127.0.0.1")


@pytest.fixture(scope="module")
def proxied(share_server):
    return share_server(options=["--behind-proxy"])


@pytest.mark.slow
def test_nobody_reads_the_log(make_server):
    """A pipe whose reader has stopped must not hold up requests. docket logs how many lines were
    lost."""
    server = make_server()
    server.stop()
    reading, writing = os.pipe()
    server.process = subprocess.Popen(server.arguments, env=environment(), stderr=writing,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading, "rb") as log:
        assert b'"message"' in log.readline()
        server.port = int(log.readline().rsplit(b":", 1)[1])
        for _ in range(1000):
            problem(server.call("GET", "/" + "a" * 200), 404)
        said = []
        while not said or "lines of the log were dropped" not in said[-1]:
            if len(said) % 50 == 0:
                server.call("GET", "/a")
            said.append(log.readline().decode())
    assert re.fullmatch(r"docket: [1-9]\d* lines of the log were dropped: nobody read them\n",
                        plain(said[-1]))
    for line in filter(plain, said[:-1]):
        assert [name for name in strict_json(line.encode()) if name != "reason"] == FIELDS
    server.stop()
