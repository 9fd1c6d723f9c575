"""Paths, methods, answers and connections of any route."""
import time

import pytest

from framing import chunked, tasks_after
from harness import JSON, OWN, TASKS, TITLES, basic, cases, problem, task_json
from wire import JSON_LINE, Wire, ask_once

LIMIT = 1024 * 1024


@pytest.fixture(scope="module")
def made(server):
    return server.create(title="made")


# Paths

@pytest.mark.parametrize("path", cases([
    ("the root", "/"),
    ("another word", "/api/v1/task"),
    ("a capital", "/api/v1/Tasks/{id}"),
    ("another version", "/api/v2/tasks/{id}"),
    ("the middle", "/api/v1"),
    ("a slash twice", "/api/v1//tasks/{id}"),
    ("a slash twice at the start", "//api/v1/tasks/{id}"),
    ("two slashes at the end", "/api/v1/tasks/{id}//"),
    ("more behind", "/api/v1/tasks/{id}/x"),
    ("dots", "/api/v1/x/../tasks/{id}"),
    ("encoded dots", "/api/v1/x/%2e%2e/tasks/{id}"),
    ("a dot", "/api/v1/./tasks/{id}"),
    ("a suffix", "/api/v1/tasks/{id}.json"),
    ("an encoded blank", "/api/v1/tasks/{id}%20"),
    ("an encoded question mark", "/api/v1/tasks/{id}%3fx=y"),
    ("a fragment", "/api/v1/tasks/{id}%23x"),
    ("encoded twice", "/api/v1/%2574asks/{id}"),
    ("a parameter of the path", "/api/v1/tasks/{id};x=y"),
    ("a passwd", "/../../../../etc/passwd"),
    ("UTF-8", "/api/v1/%C3%A4"),
]))
def test_unknown_path(server, made, path):
    problem(ask_once(server, "GET", path.replace("{id}", str(made["id"]))), 404)


@pytest.mark.parametrize("path", cases([
    ("plain", "/api/v1/tasks/{id}"),
    ("a trailing slash", "/api/v1/tasks/{id}/"),
    ("an encoded letter", "/api/v1/%74asks/{id}"),
    ("every letter encoded", "/%61%70%69/%76%31/%74%61%73%6B%73/{id}"),
    ("an encoded digit", "/api/v1/tasks/{encoded}"),
    ("an empty query", "/api/v1/tasks/{id}?"),
    ("a query of nothing", "/api/v1/tasks/{id}?&&"),
    ("a slash and a query", "/api/v1/tasks/{id}/?"),
]))
def test_the_same_resource(server, made, path):
    encoded = "".join(f"%{ord(digit):02x}" for digit in str(made["id"]))
    path = path.replace("{id}", str(made["id"])).replace("{encoded}", encoded)
    reply = ask_once(server, "GET", path)
    assert reply.status == 200 and reply.json == made, reply


def test_create_with_a_trailing_slash(server):
    reply = server.call("POST", TASKS + "/", task_json(), JSON)
    assert reply.status == 201, reply
    assert reply.header("Location") == f"{TASKS}/{reply.json['id']}"


@pytest.mark.parametrize("path", ["/api/v1/tasks%2F{id}", "/api%2fv1/tasks/{id}",
                                  "/api/v1/tasks/{id}%00", "/api/v1/tasks/%00", "/%",
                                  "/api/v1/tasks/{id}%2", "/api/v1/tasks/{id}%g0", "/%ff"])
def test_refused_path(server, made, path):
    with Wire(server) as wire:
        problem(wire.ask("GET", path.replace("{id}", str(made["id"]))), 400)
        assert wire.at_end()


@pytest.mark.parametrize("path, meant", [
    ("//api/v1/tasks", "/api/v1/tasks"), ("/api/v1//tasks/1", "/api/v1/tasks/1"),
    ("///api//v1///tasks//1//history/", "/api/v1/tasks/1/history/"), ("//api/v1/none", None),
    ("//", None), ("/api/v1/none", None)])
def test_two_slashes_in_a_row(server, path, meant):
    """A client may join a base URL that ends with a slash and a path that begins with one."""
    for method in ("GET", "POST", "OPTIONS"):
        told = problem(ask_once(server, method, path), 404)["detail"]
        assert told.endswith(f" ask for {meant}") if meant else "ask for" not in told, told


@pytest.mark.parametrize("query, named", [("x=y", ["x"]), ("x", ["x"]), ("x=1&y=2", ["x", "y"]),
                                          ("%78=y", ["x"]), ("x=%zz&y", None), ("%zz=1", None),
                                          ("%ff=1", None), ("%00=1", None)])
def test_unknown_parameter(server, made, query, named):
    reply = ask_once(server, "GET", f"{TASKS}/{made['id']}?{query}")
    assert reply.status == 400, f"expected 400: {reply}"
    if named:
        answer = problem(reply, 400, fields=True)
        assert [error["field"] for error in answer["errors"]] == named


@pytest.mark.parametrize("size", [100, 2000, 8000])
def test_long_target(server, made, size):
    """At least 8,000 bytes must be allowed (RFC 9112, section 3)."""
    with Wire(server) as wire:
        wire.send(server.request("GET", "/" + "x" * size) +
                  server.request("GET", f"{TASKS}/{made['id']}"))
        problem(wire.reply(), 404)
        assert wire.reply().status == 200


# Methods

@pytest.mark.parametrize("method, path", cases([
    (f"{method} {path}", method, path)
    for path in (TASKS, TASKS + "/{id}", TASKS + "/999999999")
    for method in ("PUT", "TRACE", "PROPFIND", "BREW", "get", "post", "X" * 100,
                   "DELETE" if path == TASKS else "POST")
]))
def test_method_not_allowed(server, made, method, path):
    path = path.replace("{id}", str(made["id"]))
    with Wire(server) as wire:
        refused = wire.ask(method, path)
        problem(refused, 405)
        told = wire.ask("OPTIONS", path)
    allowed = refused.header("Allow").split(", ")
    assert method not in allowed and "OPTIONS" in allowed
    assert ("POST" if path == TASKS else "GET") in allowed
    assert ("GET" in allowed) == ("HEAD" in allowed)
    assert told.status == 204 and told.header("Allow").split(", ") == allowed


@pytest.mark.parametrize("path", [TASKS, TASKS + "/", TASKS + "/1", TASKS + "/1/", "*"])
def test_options(server, path):
    with Wire(server) as wire:
        reply = wire.ask("OPTIONS", path)
        assert reply.status == 204, reply
        assert "OPTIONS" in reply.header("Allow").split(", ")
        # There is neither length nor body (RFC 9110, section 8.6): the next answer follows at once.
        assert reply.header("Content-Length") is None, reply
        assert wire.ask("OPTIONS", path).status == 204


def test_options_of_everything_names_every_method(server):
    allowed = ask_once(server, "OPTIONS", "*").header("Allow").split(", ")
    assert {"GET", "HEAD", "POST", "OPTIONS"} <= set(allowed)
    assert len(allowed) == len(set(allowed)), f"a method twice: {allowed}"


def test_asterisk_is_for_options_alone(server):
    reply = ask_once(server, "GET", "*")
    assert reply.status in (400, 404, 405), f"expected 400, 404 or 405: {reply}"
    problem(reply, reply.status)


def test_options_of_an_unknown_path(server):
    problem(server.call("OPTIONS", "/nowhere"), 404)


def test_head(server, made):
    for path, status in ((f"{TASKS}/{made['id']}", 200), (TASKS + "/999999999", 404),
                         ("/nowhere", 404), (f"{TASKS}/{made['id']}?x=y", 400)):
        with Wire(server) as wire:
            wire.send(server.request("GET", path) + server.request("HEAD", path) +
                      server.request("GET", path))
            full, head, again = wire.reply(), wire.reply("HEAD"), wire.reply()
        assert full.status == head.status == again.status == status, (full, head, again)
        assert head.body == b"" and again.body == full.body
        names = [name for name, _ in full.headers if name not in OWN]
        assert [head.header(name) for name in names] == [full.header(name) for name in names]
        assert [name for name, _ in head.headers if name not in OWN] == names


# Every answer

def bad(server, status):
    """A request with that status as its answer."""
    access = {401: False, 403: basic("second/token", server.token)}.get(status, True)
    body, headers = task_json(), dict(JSON)
    method, path = "POST", TASKS
    if status == 400:
        body = b"{"
    elif status == 404:
        method, path = "GET", "/nowhere"
    elif status == 405:
        method = "PUT"
    elif status == 413:
        body = b" " * (LIMIT + 1)
    elif status == 415:
        headers = {"Content-Type": "text/plain"}
    elif status == 422:
        body = b"{}"
    return server.call(method, path, body, headers, access=access)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 422])
def test_every_error_is_a_problem(server, status):
    reply = bad(server, status)
    answer = problem(reply, status)
    assert reply.header("Content-Length") == str(len(reply.body))
    assert reply.header("Date")
    assert reply.reason in TITLES.get(status, {answer["title"]})
    assert reply.body.startswith(b'{"detail":')


@pytest.mark.parametrize("method, path", [("GET", "{id}"), ("HEAD", "{id}"), ("POST", "")])
def test_every_answer_says_its_length(server, made, method, path):
    path = TASKS + ("/" + str(made["id"]) if path else "")
    body = task_json() if method == "POST" else b""
    reply = ask_once(server, method, path, JSON_LINE, body=body)
    assert reply.status in (200, 201)
    assert reply.header("Content-Type") == "application/json"
    assert int(reply.header("Content-Length")) > 100
    assert reply.header("Transfer-Encoding") is None
    assert reply.header("Date")


# Connections

def test_keep_alive(server, made):
    with Wire(server) as wire:
        for _ in range(100):
            assert wire.ask("GET", f"{TASKS}/{made['id']}").json == made


def test_keep_alive_over_errors(server, made):
    """After a refusal whose body was read, the connection still works."""
    with Wire(server) as wire:
        for refused, status in (
                (server.request("GET", "/nowhere"), 404),
                (server.request("PUT", TASKS, JSON_LINE, body=task_json()), 405),
                (server.request("POST", TASKS, JSON_LINE, body=b"{"), 400),
                (server.request("POST", TASKS, JSON_LINE, body=b"{}"), 422),
                (server.request("POST", TASKS, "Content-Type: a/b", body=task_json()), 415),
                (server.request("POST", TASKS, JSON_LINE, body=task_json()).replace(
                    b"Authorization", b"X-Authorization"), 401)):
            wire.send(refused + server.request("GET", f"{TASKS}/{made['id']}"))
            problem(wire.reply(), status)
            assert wire.reply().json == made


@pytest.mark.parametrize("at_once", [True, False], ids=["one packet", "packet each"])
def test_pipelining(server, at_once):
    requests, expected = [], []
    for number in range(20):
        title = f"pipelined {number}"
        requests.append(server.request("POST", TASKS, JSON_LINE, body=task_json(title=title)))
        expected.append((201, title))
        requests.append(server.request("GET", "/nowhere"))
        expected.append((404, None))
        requests.append(server.request("POST", TASKS, JSON_LINE, "Transfer-Encoding: chunked")
                        + chunked(task_json(title=title + " in chunks"), 7))
        expected.append((201, title + " in chunks"))
    with Wire(server) as wire:
        for part in [b"".join(requests)] if at_once else requests:
            wire.send(part)
        replies = [wire.reply() for _ in requests]
        assert wire.ask("GET", TASKS + "/1", "Connection: close").status in (200, 404)
        assert wire.at_end()
    assert [(reply.status, reply.json.get("title") if reply.status == 201 else None)
            for reply in replies] == expected
    ids = [reply.json["id"] for reply in replies if reply.status == 201]
    assert ids == sorted(ids) and len(set(ids)) == len(ids)


def test_pipelined_read_sees_the_write_before_it(server):
    next_id = server.create()["id"] + 1
    with Wire(server) as wire:
        wire.send(server.request("POST", TASKS, JSON_LINE, body=task_json(title="just now")) +
                  server.request("GET", f"{TASKS}/{next_id}"))
        first, second = wire.reply(), wire.reply()
    assert first.status == 201 and first.json["id"] == next_id
    assert second.status == 200 and second.json == first.json


@pytest.mark.parametrize("method, body", [("GET", b""), ("POST", task_json())])
def test_connection_close(server, made, method, body):
    path = TASKS + (f"/{made['id']}" if method == "GET" else "")
    last = server.create()["id"]
    with Wire(server) as wire:
        wire.send(server.request(method, path, JSON_LINE, "Connection: close", body=body) +
                  server.request("POST", TASKS, JSON_LINE, body=task_json(title="too late")))
        reply = wire.reply()
        assert reply.status in (200, 201) and reply.header("Connection") == "close", reply
        assert wire.at_end()
    assert "too late" not in tasks_after(server, last)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("host", [True, False], ids=["host", "no host"])
def test_http_1_0(server, made, method, host):
    path, body = (TASKS + f"/{made['id']}", b"") if method == "GET" else (TASKS, task_json())
    data = server.request(method, path, JSON_LINE, body=body, version="HTTP/1.0")
    if not host:
        data = data.replace(f"Host: {server.host}\r\n".encode(), b"")
    with Wire(server) as wire:
        wire.send(data)
        reply = wire.reply()
        assert reply.status in (200, 201), reply
        assert wire.at_end(), "expected the connection to be closed"


def test_http_1_0_keep_alive(server, made):
    with Wire(server) as wire:
        for _ in range(3):
            reply = wire.ask("GET", f"{TASKS}/{made['id']}", "Connection: keep-alive",
                             version="HTTP/1.0")
            assert reply.json == made
            assert (reply.header("Connection") or "").lower() == "keep-alive", reply
        assert wire.ask("GET", f"{TASKS}/{made['id']}", version="HTTP/1.0").json == made
        assert wire.at_end()


@pytest.mark.parametrize("sent", cases([
    ("nothing", b""),
    ("a letter", b"G"),
    ("a request line", b"POST /api/v1/tasks HTTP/1.1\r\n"),
    ("half a head", None),
    ("a head", 0),
    ("half a body", 20),
    ("all but a byte", -1),
]))
def test_half_a_request(server, sent):
    last = server.create()["id"]
    whole = server.request("POST", TASKS, JSON_LINE, body=task_json(title="never"))
    if not isinstance(sent, bytes):
        end = whole.index(b"\r\n\r\n")
        length = len(whole) - end - 4
        sent = whole[:end // 2] if sent is None else whole[:end + 4 + sent % length]
    for _ in range(5):
        with Wire(server) as wire:
            wire.send(sent)
            time.sleep(0.02)
    assert tasks_after(server, last) == []


@pytest.mark.parametrize("ending", [b"", b"0", b"0\r\n", b"5\r\nabc"])
def test_half_a_chunked_request(server, ending):
    """The body is complete JSON, but its last chunk is missing."""
    last = server.create()["id"]
    head = server.request("POST", TASKS, JSON_LINE, "Transfer-Encoding: chunked")
    for _ in range(5):
        with Wire(server) as wire:
            wire.send(head + chunked(task_json(title="never"))[:-5] + ending)
            time.sleep(0.02)
            wire.socket.setblocking(False)
            with pytest.raises(BlockingIOError):
                wire.more()
    assert tasks_after(server, last) == []


# Sizes of a head

def test_many_headers(server, made):
    assert ask_once(server, "GET", f"{TASKS}/{made['id']}",
                    *[f"X-{number}: {number}" for number in range(200)]).json == made


@pytest.mark.parametrize("lines, target", cases([
    ("one header", ["X: " + "x" * 100000], TASKS + "/1"),
    ("many headers", [f"X-{number}: {number}" for number in range(10000)], TASKS + "/1"),
    ("many long headers", ["X: " + "x" * 1000] * 100, TASKS + "/1"),
    ("a long name", ["x" * 100000 + ": x"], TASKS + "/1"),
    ("a long target", [], "/" + "x" * 100000),
    ("a long query", [], TASKS + "/1?x=" + "x" * 100000),
]))
def test_head_too_large(server, lines, target):
    with Wire(server) as wire:
        wire.offer(server.request("GET", target, *lines))
        reply = wire.reply()
        assert reply is not None and reply.status in (413, 414, 431), f"expected 431: {reply}"
        assert wire.at_end()
