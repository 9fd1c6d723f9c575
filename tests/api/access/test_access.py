"""Who may use the API: HTTP Basic with `{username}/token` and an API token."""
import base64
import re

import pytest

import backends
from harness import JSON, OWN, TASKS, basic, cases, problem, task
from wire import Wire, exchange, message

pytestmark = backends.BOTH

FULL, LIMITED, DISABLED = 0, 1, 2


def pair(text):
    """"Basic" and the base64 of any bytes."""
    return "Basic " + base64.b64encode(text).decode()


def credentials(server):
    return f"admin/token:{server.token}".encode()


def encoded(server):
    return base64.b64encode(credentials(server)).decode()


def split(server, by):
    """The correct header with one character inserted into its base64."""
    return "Basic " + encoded(server)[:8] + by + encoded(server)[8:]


def say(server, *lines, method="GET", target=TASKS + "/1"):
    """The answer to a raw request with these header lines and no other credentials."""
    with Wire(server) as wire:
        wire.send(message(method, target, "Host: docket.example", *lines, "Connection: close"))
        assert wire.to_end()
        return wire.buffer


def without_own(said):
    for name in OWN:
        said, count = re.subn(rb"\r\n%b: [^\r]+\r\n" % name.encode(), b"\r\n", said)
        assert count == 1, said
    return said


def assert_unknown(reply):
    answer = problem(reply, 401)
    challenge = reply.header("WWW-Authenticate")
    assert challenge and re.match(r'Basic realm="[^"]+"', challenge), reply
    return answer


# Requests with access

@pytest.mark.parametrize("value", cases([
    ("as it should be", lambda server: "Basic " + encoded(server)),
    ("small letters", lambda server: "basic " + encoded(server)),
    ("capitals", lambda server: "BASIC " + encoded(server)),
    ("two blanks", lambda server: "Basic  " + encoded(server)),
]))
def test_let_in(server, value):
    made = server.create()
    reply = server.get(made["id"], access=value(server))
    assert reply.status == 200 and reply.json == made, f"expected the task: {reply}"


# Requests without access

REFUSED = [
    ("no header", lambda server: None),
    ("empty", lambda server: ""),
    ("the scheme alone", lambda server: "Basic"),
    ("the scheme and a blank", lambda server: "Basic "),
    ("no scheme", encoded),
    ("scheme without a blank", lambda server: "Basic" + encoded(server)),
    ("a tab behind the scheme", lambda server: "Basic\t" + encoded(server)),
    ("another scheme", lambda server: "Bearer " + server.token),
    ("another scheme, same value", lambda server: "Digest " + encoded(server)),
    ("a longer scheme", lambda server: "Basics " + encoded(server)),
    ("not encoded", lambda server: "Basic " + credentials(server).decode()),
    ("wrong token", lambda server: basic("admin/token", "docket_" + "a" * 32)),
    ("wrong by the last character", lambda server: basic(
        "admin/token", server.token[:-1] + ("a" if server.token[-1] != "a" else "b"))),
    ("the first half of the token", lambda server: basic("admin/token", server.token[:20])),
    ("the token without its last", lambda server: basic("admin/token", server.token[:-1])),
    ("the token and more", lambda server: basic("admin/token", server.token + "a")),
    ("the token in capitals", lambda server: basic("admin/token", server.token.upper())),
    ("the token and a blank", lambda server: basic("admin/token", server.token + " ")),
    ("the token and a line end", lambda server: basic("admin/token", server.token + "\n")),
    ("a colon before the token", lambda server: basic("admin/token", ":" + server.token)),
    ("empty token", lambda server: basic("admin/token", "")),
    ("empty token, no colon", lambda server: pair(b"admin/token")),
    ("unknown user", lambda server: basic("nobody/token", server.token)),
    ("a suffix in capitals", lambda server: basic("admin/TOKEN", server.token)),
    ("user cut short", lambda server: basic("admi/token", server.token)),
    ("a user that looks alike", lambda server: basic("\u0430dmin/token", server.token)),
    ("a wildcard", lambda server: basic("%/token", server.token)),
    ("without /token", lambda server: basic("admin", server.token)),
    ("/Token", lambda server: basic("admin/Token", server.token)),
    ("/token twice", lambda server: basic("admin/token/token", server.token)),
    ("/token alone", lambda server: basic("/token", server.token)),
    ("/token and more", lambda server: basic("admin/token2", server.token)),
    ("token for user", lambda server: basic(server.token, "admin/token")),
    ("empty user", lambda server: basic("", server.token)),
    ("a colon alone", lambda server: pair(b":")),
    ("nothing encoded", lambda server: pair(b"")),
    ("missing colon", lambda server: pair(credentials(server).replace(b":", b""))),
    ("NUL behind", lambda server: pair(credentials(server) + b"\0")),
    ("NUL and more", lambda server: pair(credentials(server) + b"\0x")),
    ("NUL in the user", lambda server: pair(credentials(server).replace(b"/", b"\0/"))),
    ("NUL before", lambda server: pair(b"\0" + credentials(server))),
    ("not UTF-8 user", lambda server: pair(b"adm\xffn/token:" + server.token.encode())),
    ("not UTF-8 token", lambda server: pair(credentials(server) + b"\xc3")),
    ("malformed base64", lambda server: "Basic " + encoded(server)[:-4] + "!!!!"),
    ("malformed behind", lambda server: "Basic " + encoded(server) + "!"),
    ("an asterisk inside", lambda server: split(server, "*")),
    ("a blank inside", lambda server: split(server, " ")),
    ("a tab inside", lambda server: split(server, "\t")),
    ("padding too much", lambda server: "Basic " + encoded(server) + "="),
    ("padding alone", lambda server: "Basic ===="),
    ("padding in front", lambda server: "Basic ==" + encoded(server)),
    ("one digit", lambda server: "Basic Y"),
    ("a list", lambda server: f"Basic {encoded(server)}, Basic {encoded(server)}"),
    ("parameters", lambda server: f"Basic {encoded(server)}, realm=x"),
    ("very long token", lambda server: basic("admin/token", server.token * 100)),
    ("very long user", lambda server: basic("admin" * 1000 + "/token", server.token)),
    ("very long and no base64", lambda server: "Basic " + "!" * 8000),
]


@pytest.mark.parametrize("value", cases(REFUSED))
def test_not_let_in(server, value):
    """Every refusal is the same, so a client learns nothing from it."""
    value = value(server)
    plain = say(server)
    lines = [] if value is None else [f"Authorization: {value}"]
    assert_unknown(exchange(server, message("GET", f"{TASKS}/1", "Host: docket.example", *lines)))
    if value is not None:
        said = say(server, f"Authorization: {value}")
        assert without_own(said) == without_own(plain)


def test_padding_must_be_whole(server):
    right = basic("second/token", server.token)
    assert right.endswith("=="), "this test needs credentials with padding"
    problem(server.get(1, access=right), 403)
    for wrong in (right[:-1], right[:-2], right + "=", right[:-2] + "=A"):
        assert_unknown(server.get(1, access=wrong))


@pytest.mark.parametrize("order", ["right first", "wrong first"])
def test_two_authorization_headers(server, order):
    """One of the two is wrong; a proxy could have read either."""
    right, wrong = server.access, basic("admin/token", "wrong")
    values = [right, wrong] if order == "right first" else [wrong, right]
    made = server.create()
    said = say(server, *[f"Authorization: {value}" for value in values],
               target=f"{TASKS}/{made['id']}")
    status = int(said.split(b" ", 2)[1])
    assert status in (400, 401), f"expected 400 or 401: {said!r}"


def test_access_elsewhere_is_none(server):
    """Credentials outside the header do not count."""
    for target in (f"{TASKS}/1?token={server.token}", f"{TASKS}/1?access_token={server.token}",
                   f"http://admin%2Ftoken:{server.token}@docket.example{TASKS}/1"):
        said = say(server, f"Cookie: token={server.token}", f"X-Api-Key: {server.token}",
                   f"Proxy-Authorization: {server.access}", target=target)
        assert said.split(b" ", 2)[1] in (b"401", b"400"), said


def test_nothing_is_stored_without_access(server):
    first = server.create()["id"]
    for access in (False, basic("admin/token", "wrong"), basic("second/token", server.token)):
        reply = server.post(task(), access=access)
        assert reply.status in (401, 403), reply
    last = server.create()["id"]
    found = [task_id for task_id in range(first + 1, last) if server.get(task_id).status != 404]
    assert found == []


# Access levels

@pytest.mark.parametrize("user", ["second", "third"])
def test_limited_staff(server, user):
    access = basic(user + "/token", server.token)
    for reply in (server.get(1, access=access), server.post(task(), access=access),
                  server.call("GET", "/nowhere", access=access),
                  server.call("PUT", TASKS, access=access)):
        problem(reply, 403)
        assert reply.header("WWW-Authenticate") is None


def test_limited_staff_with_a_wrong_token(server):
    """Only a client with a valid token learns the access level of a staff member."""
    said = [without_own(say(server, "Authorization: " + basic(user + "/token", "wrong")))
            for user in ("admin", "second", "nobody")]
    assert said[0] == said[1] == said[2]
    assert said[0].startswith(b"HTTP/1.1 401 ")


def set_level(server, staff_id, level):
    """Changes an access level while the server does not run."""
    server.stop()
    with backends.opened(server.data) as database:
        done = database.execute("UPDATE staff SET access_level = ? WHERE id = ?",
                                (level, staff_id))
        assert done.rowcount == 1
    server.start()


@pytest.mark.slow
def test_every_access_level(make_server):
    server = make_server()
    second = basic("second/token", server.token)
    problem(server.get(1, access=second), 403)

    set_level(server, 2, DISABLED)
    for token in (server.token, "wrong"):
        for target in (f"{TASKS}/1", "/nowhere"):
            said = [without_own(say(server, "Authorization: " + basic(user, token),
                                     target=target))
                    for user in ("second/token", "nobody/token")]
            assert said[0] == said[1], "expected the same answer for disabled and for unknown"
            assert said[0].startswith(b"HTTP/1.1 401 ")
    assert_unknown(server.post(task(), access=second))

    set_level(server, 2, FULL)
    reply = server.post(task(), access=second)
    assert reply.status == 201, f"expected 201 with full access: {reply}"

    # The history names the staff member of the request, not the one who made the token.
    set_level(server, 1, DISABLED)
    assert_unknown(server.get(reply.json["id"]))
    assert server.get(reply.json["id"], access=second).json == reply.json
    server.stop()
    rows = backends.rows(server.data, "SELECT staff_id FROM history WHERE record = 'task'")
    assert rows == [(2,)]


# The order of the checks

@pytest.mark.parametrize("method, path, body, headers", cases([
    ("an unknown path", "GET", "/nowhere", None, {}),
    ("the root", "GET", "/", None, {}),
    ("a missing task", "GET", TASKS + "/999999999", None, {}),
    ("a method that is not for it", "PUT", TASKS, None, {}),
    ("an unknown method", "BREW", TASKS, None, {}),
    ("HEAD of an unknown path", "HEAD", "/nowhere", None, {}),
    ("a body that is not JSON", "POST", TASKS, b"x", JSON),
    ("a body of another type", "POST", TASKS, b"x", {"Content-Type": "text/plain"}),
    ("an invalid task", "POST", TASKS, b'{"task":{}}', JSON),
    ("an unknown parameter", "GET", TASKS + "/1?x=y", None, {}),
]))
def test_access_comes_first(server, method, path, body, headers):
    # This needs a connection of its own, because an early answer to a large body closes it.
    reply = exchange(server, message(method, path, "Host: docket.example", headers=headers,
                                     body=body))
    assert reply is not None and reply.status == 401, f"expected 401: {reply}"
    if method != "HEAD":
        assert_unknown(reply)


@pytest.mark.parametrize("path", [TASKS, TASKS + "/1", "*"])
def test_options_needs_no_access(server, path):
    for line in ([], ["Authorization: " + basic("nobody/token", "wrong")]):
        said = say(server, *line, method="OPTIONS", target=path)
        assert said.startswith(b"HTTP/1.1 204 ") and b"\r\nAllow: " in said, said


# Tokens in the database

@backends.SQLITE
def test_tokens_are_stored_as_hashes_alone(make_server):
    server = make_server()
    server.create()
    secrets = [server.token, server.token.split("_", 1)[1], server.token[-16:],
               encoded(server)[-24:]]

    def look():
        files = [path for path in server.data.rglob("*") if path.is_file()]
        for path in files:
            for secret in secrets:
                assert secret.encode() not in path.read_bytes(), f"a token in {path.name}"
        return {path.name for path in files}

    assert {"docket.db", "docket.db-wal"} <= look()
    server.get(1, access=basic("admin/token", server.token + "x"))
    server.kill()
    assert {"docket.db", "docket.db-wal"} <= look()
    server.start()
    server.stop()
    assert "docket.db" in look()
    for secret in secrets:
        assert secret not in server.stderr(), "a token in the log"
