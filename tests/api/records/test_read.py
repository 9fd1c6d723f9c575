"""Reading one task: GET and HEAD, malformed ids, parameters, OPTIONS and other methods."""
import json

import pytest

import backends
from harness import FIELDS, JSON, MINIMAL, OWN, TASKS, faults, problem, task
from wire import JSON_LINE, Wire, ask_once

pytestmark = backends.BOTH


@pytest.fixture(scope="module")
def made(server):
    """The answer to a create whose record fills every field that a client can set."""
    reply = server.post(task(
        subject_id=209, case_service_id=1, status="complete", body="a\nb", users_list=[2, 1],
        address={"city": "Denver", "state": "CO"}, alert_at="2023-02-01",
        complete_at="2023-02-02", title="\u00e9\u6f22\U0001f600"))
    assert reply.status == 201, reply
    return reply


def same(reply):
    """The headers that are equal in every answer."""
    return sorted((name.lower(), value) for name, value in reply.headers
                  if name not in OWN)


def test_get(server, made):
    reply = server.call("GET", made.header("Location"))
    assert reply.status == 200, reply
    assert reply.body == made.body
    assert list(reply.json) == FIELDS
    assert reply.json["users_list"] == [1, 2]
    assert reply.header("Content-Type") == "application/json"
    assert reply.header("Content-Length") == str(len(reply.body))


def test_a_record_is_a_bare_object(server, made):
    assert set(server.call("GET", made.header("Location")).json) == set(FIELDS)


def test_the_etag_is_that_of_the_create(server, made):
    reply = server.call("GET", made.header("Location"))
    etag = reply.header("ETag")
    assert etag == made.header("ETag")
    # A strong tag (RFC 9110, section 8.8.3).
    assert etag.startswith('"') and etag.endswith('"') and len(etag) > 2
    assert server.call("GET", made.header("Location")).header("ETag") == etag


def test_each_task_has_an_etag_of_its_own(server, made):
    assert server.post(task()).header("ETag") != server.post(task()).header("ETag")


def test_the_location_is_a_path(server, made):
    assert made.header("Location") == f"{TASKS}/{made.json['id']}"


def test_equal_after_a_new_start(make_server):
    server = make_server()
    made = server.post(task(address={"city": "Denver"}, users_list=[1, 3]))
    server.stop()
    server.start()
    read = server.get(made.json["id"])
    assert (read.status, read.body) == (200, made.body)
    assert read.header("ETag") == made.header("ETag")


# HEAD

@pytest.mark.parametrize("end", ["", "/", "?nonsense=1", "99999"])
def test_head_is_get_without_the_body(server, made, end):
    path = made.header("Location") + end
    got, head = server.call("GET", path), server.call("HEAD", path)
    assert head.status == got.status
    assert same(head) == same(got)
    assert head.body == b"" and got.body


def test_head_says_nothing_behind_its_headers(server, made):
    """A raw socket sees a body that a client would discard."""
    with Wire(server) as wire:
        reply = wire.ask("HEAD", made.header("Location"), "Connection: close")
        assert reply.status == 200
        assert reply.header("Content-Length") == str(len(made.body))
        assert wire.at_end(), wire.buffer


# The same task by another path

@pytest.mark.parametrize("path", ["{}/", "{}?", "{}/?"])
def test_a_slash_or_an_empty_query_behind_it(server, made, path):
    reply = server.call("GET", path.format(made.header("Location")))
    assert (reply.status, reply.body) == (200, made.body)


def test_a_create_with_a_slash_behind_the_path(server):
    reply = server.call("POST", TASKS + "/", json.dumps(task()), JSON)
    assert reply.status == 201, reply
    assert reply.header("Location") == f"{TASKS}/{reply.json['id']}"


def test_percent_encoding_in_the_path(server, made):
    encoded = "".join(f"%{ord(digit):x}" for digit in str(made.json["id"]))
    with Wire(server) as wire:
        for path in (f"{TASKS}/{encoded}", f"/%61pi/v1/t%61sks/{made.json['id']}"):
            reply = wire.ask("GET", path)
            assert (reply.status, reply.body) == (200, made.body), path


# No such task

NO_IDS = ["0", "-1", "+1", "1.0", "1e0", "0x1", "abc", "1a", "a1", "null", "none", "1,2", "1;2",
          "%20", "1%20", "%201", "%2B1", "%0A", "%C2%B2", "%D9%A1", "-0", "--", "*", "{id}",
          "9223372036854775807", "9223372036854775808", "18446744073709551617", "9" * 400,
          "999999999", "4294967297"]


@pytest.mark.parametrize("sent", NO_IDS)
def test_no_such_task(server, made, sent):
    problem(server.get(sent), 404)


def test_what_is_no_id_is_answered_as_a_missing_one(server, made):
    missing = server.get(999999999)
    for sent in NO_IDS:
        reply = server.get(sent)
        assert reply.body == missing.body and same(reply) == same(missing), sent


def test_the_next_id_is_not_there_yet(server):
    problem(server.get(server.create()["id"] + 1), 404)


@pytest.mark.parametrize("path", [
    "/", "/api", "/api/v1", "/api/v1/", "/api/v1/task", "/api/v1/task/1", "/api/v2/tasks/1",
    "/api/v1/Tasks/1", "/API/v1/tasks/1", "/tasks/1", "/api/v1/tasks/1/x", "/api/v1/tasksx",
    "/api/v1/tasks/1/1", "/api/v1//tasks/1", "//api/v1/tasks/1", "/api/v1/tasks//1",
    "/api/v1/tasks/1//", "/index.html", "/favicon.ico"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_no_such_path(server, made, method, path):
    body = json.dumps(task()) if method == "POST" else None
    reply = ask_once(server, method, path, JSON_LINE,
                     body=(body or "").encode())
    problem(reply, 404)


# Parameters: neither a single record nor a create accepts those of a list

@pytest.mark.parametrize("query, names", [
    ("x=1", ["x"]), ("fields=id", ["fields"]), ("x", ["x"]), ("x=", ["x"]), ("=1", [""]),
    ("x=1&y=2", ["x", "y"]), ("a%62c=1", ["abc"]), ("user%5B%5D=1", ["user[]"]),
    ("a+b=1", ["a b"]), ("%C3%A9=1", ["\u00e9"]), ("status=none", ["status"]),
    ("id=1", ["id"]), ("x=1&&", ["x"])])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_parameter(server, made, method, query, names):
    path = made.header("Location") if method == "GET" else TASKS
    body = json.dumps(task()) if method == "POST" else None
    reply = server.call(method, f"{path}?{query}", body, JSON)
    assert faults(reply, 400) == [(name, "unknown_field") for name in names]


def test_a_create_with_an_unknown_parameter_stores_nothing(server):
    before = server.create()["id"]
    assert server.call("POST", TASKS + "?x=1", json.dumps(task()), JSON).status == 400
    assert server.create()["id"] == before + 1


@pytest.mark.parametrize("query", ["%", "%4", "%zz=1", "x%", "%FF=1", "a%00b=1", "%C3=1",
                                   "%ED%A0%80=1"])
def test_a_query_that_is_not_encoded(server, made, query):
    problem(ask_once(server, "GET", f"{made.header('Location')}?{query}"), 400, fields=True)


# OPTIONS and other methods

ALLOWED = [(TASKS, {"GET", "HEAD", "POST", "OPTIONS"}, {"PUT", "DELETE", "PATCH"}),
           (TASKS + "/", {"GET", "HEAD", "POST", "OPTIONS"}, {"PUT", "DELETE", "PATCH"}),
           (TASKS + "/1", {"GET", "HEAD", "OPTIONS"}, {"POST", "PUT"}),
           (TASKS + "/999999999", {"GET", "HEAD", "OPTIONS"}, {"POST", "PUT"})]


def allow(reply):
    return {method.strip() for method in reply.header("Allow").split(",")}


@pytest.mark.parametrize("path, among, never", ALLOWED)
def test_options(server, path, among, never):
    reply = server.call("OPTIONS", path)
    assert reply.status == 204, reply
    assert reply.body == b""
    assert among <= allow(reply) and not (allow(reply) & {"TRACE", "CONNECT", "PUT"})


@pytest.mark.parametrize("method, path", [
    (method, path) for path, _, never in ALLOWED for method in
    sorted(never & {"PUT", "POST"}) + ["TRACE", "PROPFIND", "get", "X"]])
def test_a_method_that_the_path_does_not_take(server, method, path):
    """405 with the allowed methods, not 404; a method that no path has may get 501."""
    among = {row[0]: row[1] for row in ALLOWED}[path]
    reply = ask_once(server, method, path)
    if method in ("PUT", "POST") or reply.status != 501:
        detail = problem(reply, 405)["detail"]
        assert method in detail
        assert among <= allow(reply) and method not in allow(reply)


def test_a_wrong_method_stores_nothing(server, made):
    before = server.create()["id"]
    for method in ("PUT", "POST"):
        reply = server.call(method, made.header("Location"), json.dumps(task()), JSON)
        assert reply.status == 405, reply
    assert server.create()["id"] == before + 1
    assert server.call("GET", made.header("Location")).body == made.body


# A read sees what was written before it

def test_a_read_sees_every_create_before_it_on_another_connection(server):
    with Wire(server) as one, Wire(server) as two:
        for _ in range(50):
            body = json.dumps({"task": MINIMAL}).encode()
            created = one.ask("POST", TASKS, JSON_LINE, body=body)
            assert created.status == 201, created
            read = two.ask("GET", created.header("Location"))
            assert (read.status, read.body) == (200, created.body)
