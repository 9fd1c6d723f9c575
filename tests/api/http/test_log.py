"""The log of docket serve: its formats, its first line, and the reason of a refusal."""
import os
import pty
import re
import subprocess

import pytest

import admin
import backends
import harness
from backends import where
from commands import misuse
from harness import JSON, PROGRAM, TASKS, basic, begin, cases, environment, strict_json, succeed
from together import until
from wire import Wire, exchange, message

SECRET = "hunter2hunter2"
WRONG = "Authorization: " + basic("admin/token", SECRET)
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def raw(server):
    """Standard error, unchanged."""
    return server.log.read_text()


# The formats

@pytest.mark.parametrize("options", [[], ["--log-format", "json"]])
def test_every_line_is_an_object_but_where_it_listens(make_server, options):
    server = make_server(options=options)
    server.create()
    server.lines(count=1)
    server.stop()
    lines = raw(server).splitlines()
    listening = [line for line in lines if not line.startswith("{")]
    assert listening == [f"listening on http://127.0.0.1:{server.port}"]
    objects = [strict_json(line.encode()) for line in lines if line not in listening]
    requests = [found for found in objects if "message" not in found]
    assert "message" in objects[0] and [found["status"] for found in requests] == [201], lines
    assert all(re.fullmatch(TIME, found["time"]) for found in objects)


def test_what_keeps_it_from_serving_is_an_object(base, make_server):
    """A service's log has that line in JSON as well."""
    server = make_server()
    done = subprocess.run([PROGRAM, "serve", *where(server.data), "--listen", "127.0.0.1:0"],
                          env=environment(), capture_output=True, timeout=harness.COMMAND_S,
                          check=False)
    assert done.returncode == 1
    assert list(strict_json(done.stderr)) == ["time", "message"]


@pytest.mark.parametrize("method, target, access, line", cases([
    ("a read", "GET", TASKS + "/999999", True,
     r"404 GET /api/v1/tasks/999999 \d+ bytes [\d.]+ ms from 127\.0\.0\.1 account main staff 1 "
     r"id abc"),
    ("no access", "GET", TASKS, basic("admin/token", "wrong"),
     r"401 GET /api/v1/tasks \d+ bytes [\d.]+ ms from 127\.[\d.]+ account main id abc wrong token"),
    ("a blank", "GET", "/a%20b%0A%1b%C3%A9", True,
     r"404 GET /a\\u0020b\\u000a\\u001b\\u00e9 \d+ bytes .*"),
    ("no account", "OPTIONS", "/a", True, r"404 OPTIONS /a \d+ bytes .* account - id abc"),
]))
def test_text_for_a_person(make_server, method, target, access, line):
    server = make_server(options=["--log-format", "text"])
    server.call(method, target, headers={"X-Request-Id": "abc"}, access=access)
    until(lambda: " id abc" in raw(server), what=lambda: raw(server))
    server.stop()
    started, listening, request = raw(server).splitlines()[:3]
    assert started.startswith("docket: version ")
    assert listening == f"listening on http://127.0.0.1:{server.port}"
    assert re.fullmatch(f"{TIME} {line}", request), request


def test_on_a_terminal_it_is_text(base, make_server):
    server = make_server()
    server.stop()
    master, terminal = pty.openpty()
    process = subprocess.Popen(server.arguments, env=environment(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=terminal)
    os.close(terminal)
    said = b""
    while b"listening on" not in said:
        said += os.read(master, 4096)
    process.terminate()
    assert process.wait(harness.STOP_S) == 0
    os.close(master)
    assert said.startswith(b"docket: version "), said


@pytest.mark.parametrize("value", ["xml", "JSON", ""])
def test_another_format_is_refused(one, value):
    assert "--log-format" in misuse("serve", "--data", one, "--log-format", value)


# The first line

def test_it_tells_what_serves_what(make_server):
    server = make_server()
    version = succeed("--version").stdout.split()[1]
    schema = len(list((harness.ROOT / "schema").glob("*.sql")))
    assert server.stderr().splitlines()[0] == (
        f"docket: version {version} serves the folder {server.data}, schema {schema}")


@backends.POSTGRESQL
def test_no_password_of_a_database_is_in_it(one):
    """A password may contain a question mark, and parameters of a URL may be secret."""
    scheme, rest = one.url.split("://", 1)
    url = f"{scheme}://docket:{SECRET}?{SECRET}@{rest.split('@', 1)[-1]}"
    url += ("&" if "?" in rest else "?") + "application_name=" + SECRET
    process = begin("serve", "--database", url, "--listen", "127.0.0.1:0")
    said = process.stderr.readline()
    process.kill()
    process.communicate()
    assert "serves the database postgresql://" in said and SECRET not in said, said


# The reason of a refusal

@pytest.fixture(scope="module")
def refusing(tmp_path_factory, base, share_server):
    """A server with staff members and tokens for every kind of refusal."""
    folder = tmp_path_factory.mktemp("refusing")
    data = backends.copy(base[0], folder / "data")
    tokens = {}
    for label, options in (("reader", ["--read-only"]), ("old", ["--expires", "2999-01-01"])):
        succeed("token", "add", label, "--data", data, *options, "--token-file", folder / label)
        tokens[label] = (folder / label).read_text().strip()
    admin.change(data, "UPDATE token SET expires_at = 1 WHERE label = 'old'")
    succeed("staff", "add", "gone", "--data", data, "--access", "disabled")
    succeed("staff", "add", "partly", "--data", data, "--access", "limited")
    server = share_server(data)
    server.tokens = tokens
    return server


@pytest.mark.parametrize("user, token, status, reason", cases([
    ("none", None, None, 401, "no credentials"),
    ("malformed", "admin", "{good}", 401, "malformed credentials"),
    ("unknown", "nobody/token", "{good}", 401, "unknown user"),
    ("disabled", "gone/token", "{good}", 401, "disabled user"),
    ("wrong", "admin/token", SECRET, 401, "wrong token"),
    ("expired", "admin/token", "{old}", 401, "expired token"),
    ("limited", "partly/token", "{good}", 403, "limited user"),
    ("reading", "admin/token", "{reader}", 403, "read-only token"),
]))
def test_why_there_was_no_access(refusing, user, token, status, reason):
    before = refusing.log_end()
    access = False
    if user:
        access = basic(user, token.format(good=refusing.token, **refusing.tokens))
    reply = refusing.call("DELETE", TASKS + "/1", access=access)
    assert reply.status == status, reply
    line, = refusing.lines(before, 1)
    assert (line["status"], line["reason"]) == (status, reason)
    assert list(line)[-1] == "reason"
    said = refusing.stderr(before)
    for secret in (SECRET, refusing.token, *refusing.tokens.values(), "nobody"):
        assert secret not in said, said
    # The answer does not reveal the reason: it equals that for no credentials.
    if status == 401:
        assert reply.body == refusing.call("DELETE", TASKS + "/1", access=False).body
        refusing.lines(before, 2)  # so that the next test does not see the second line


def test_an_unknown_account(pair):
    before = pair.server.log.stat().st_size
    wrong = message("GET", TASKS, "Host: nowhere.docket.example", WRONG)
    assert exchange(pair.server, wrong).status == 401
    assert pair.server.lines(before, 1)[0]["reason"] == "unknown account"


def test_too_many_refusals(make_server):
    server = make_server()
    with Wire(server) as wire:
        for _ in range(21):
            wire.send(message("GET", TASKS, "Host: docket.example", WRONG))
            status = wire.reply().status
    assert status == 429
    assert server.lines(count=21)[-1]["reason"] == "too many refusals"


@pytest.mark.parametrize("method, target, body, status, reason", cases([
    ("a field", "POST", TASKS, b'{"task": {"title": "t"}}', 422, "required"),
    ("a parameter", "GET", TASKS + "?limit=1", None, 400, "unknown_field"),
    ("not JSON", "POST", TASKS, b"{", 400, None),
    ("nothing", "GET", TASKS, None, 200, None),
]))
def test_what_was_wrong(server, method, target, body, status, reason):
    before = server.log_end()
    assert server.call(method, target, body, JSON).status == status
    assert server.lines(before, 1)[0].get("reason") == reason


def test_logrotate_copies_and_empties_the_file(make_server):
    """docs/operate.md gives its configuration; docket goes on at the beginning of the file."""
    server = make_server()
    server.create()
    server.lines(count=1)
    os.truncate(server.log, 0)
    server.create()
    assert len(server.lines(count=1)) == 1
    assert server.log.read_bytes().startswith(b'{"time":')
