"""The scopes of tokens: which kinds of record a token may read and write."""
import itertools
import json

import pytest

import backends
from backends import where
from commands import misuse
from described import document
from harness import basic, problem, succeed
from records import API, CASE, KINDS, NAMES, TASK, least, send

pytestmark = backends.BOTH

SCOPES = {"task": "tasks", "casefile": "cases", "subject": "subjects", "staff": "staff",
          "calendar": "calendars", "case_service": "case_services"}
EVERY = list(SCOPES.values())
LABELS = itertools.count()


def test_every_kind_has_scopes():
    assert list(SCOPES) == NAMES


@pytest.fixture(scope="module")
def holder(server, tmp_path_factory):
    """The access of a new token with these scopes."""
    folder = tmp_path_factory.mktemp("tokens")

    def make(scopes, *options):
        file = folder / str(next(LABELS))
        succeed("token", "add", "scoped " + file.name, *where(server.data), "--token-file", file,
                *(["--scopes", scopes] if scopes else ()), *options)
        return basic("admin/token", file.read_text().strip())
    return make


def lacks(reply, *names, code="missing_scope"):
    found = problem(reply, 403)
    assert found["code"] == code, reply
    assert found["detail"].endswith(
        " the scope" + "s" * (len(names) > 1) + " " + ", ".join(names)), reply
    assert reply.header("WWW-Authenticate") is None


def requests(kind, number):
    """Every request on records of the kind: its method and path, its body, and whether it writes."""
    record = f"{kind.path}/{number}"
    name = {"casefile": "case_number", "staff": "username", "subject": "last_name",
            "task": "title"}.get(kind.wrapper, "name")
    return [
        ("GET", kind.path, None, False), ("HEAD", kind.path, None, False),
        ("GET", kind.path + "?mode=count", None, False), ("GET", record, None, False),
        ("GET", record + "/history", None, False),
        *([("GET", record + "/alerts", None, False),
           ("POST", TASK.path + "/bulk", {"operations": [
               {"update": {"id": number, "title": f"bulk-{number}"}}]}, True)] if kind is TASK else ()),
        ("POST", kind.path, {kind.wrapper: least(kind)}, True),
        ("POST", kind.path + "?dry_run=1", {kind.wrapper: least(kind)}, True),
        ("PATCH", record, {kind.wrapper: {name: f"changed-{number}"}}, True),
        ("DELETE", record, None, True)]


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_what_a_scope_allows(server, holder, kind):
    others = ",".join(f"{name}:write" for name in EVERY if name != SCOPES[kind.wrapper])
    reads, writes, without = (holder(f"{SCOPES[kind.wrapper]}:read,{others}"),
                              holder(f"{SCOPES[kind.wrapper]}:write"), holder(others))
    made = send(server, "POST", kind.path, {kind.wrapper: least(kind)})
    assert made.status == 201, made
    for method, path, body, is_write in requests(kind, made.json["id"]):
        needs = f"{SCOPES[kind.wrapper]}:{'write' if is_write else 'read'}"
        for access in (without, reads) if is_write else (without,):
            reply = send(server, method, path, body, access=access)
            if method == "HEAD":
                assert reply.status == 403
            else:
                lacks(reply, needs)
        for access in (writes,) if is_write else (reads, writes):
            reply = send(server, method, path, body, access=access)
            assert reply.status in (200, 201, 204), reply
    assert send(server, "OPTIONS", kind.path, access=without).status == 204


def test_a_token_that_only_reads_is_read_only(server, holder):
    narrow, wide = holder("tasks:read"), holder(None, "--read-only")
    for access, scopes in ((narrow, ["tasks:read"]), (wide, ["all:read"])):
        token = server.call("GET", API + "/me", access=access).json["token"]
        assert (token["scopes"], token["read_only"]) == (scopes, True)
        reply = send(server, "POST", TASK.path, {"task": least(TASK)}, access=access)
        lacks(reply, "tasks:write", code="read_only_token")
        assert server.call("GET", TASK.path, access=access).status == 200
    lacks(server.call("GET", CASE.path, access=narrow), "cases:read")
    assert server.call("GET", CASE.path, access=wide).status == 200


@pytest.mark.parametrize("given, shown", [
    ("tasks:write,tasks:read", ["tasks:read", "tasks:write"]),
    ("staff:write,cases:read,cases:read", ["cases:read", "staff:write"]),
    ("all:write", ["all:write"]), ("case_services:read", ["case_services:read"])])
def test_it_is_shown(server, holder, given, shown):
    token = server.call("GET", API + "/me", access=holder(given)).json["token"]
    assert (token["scopes"], token["read_only"]) == (
        shown, not any(scope.endswith(":write") for scope in shown))
    rows = json.loads(succeed("token", "list", *where(server.data), "--json").stdout)
    assert {row["label"]: row["scopes"] for row in rows}[token["label"]] == ",".join(shown)


def test_all_is_every_kind(server, holder):
    for access in (holder("all:read,tasks:write"), holder("all:write"), server.access):
        for kind in KINDS:
            assert server.call("GET", kind.path, access=access).status == 200
    mixed = holder("all:read,tasks:write")
    assert send(server, "POST", TASK.path, {"task": least(TASK)}, access=mixed).status == 201
    lacks(send(server, "POST", CASE.path, {"casefile": least(CASE)}, access=mixed), "cases:write")


def test_the_openapi_document_lists_them():
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            found, access = operation.get("x-scopes"), "read" if method == "get" else "write"
            kind = {name.split("/v1/")[1]: name for name in (kind.path for kind in KINDS)}
            root = next((name for name in kind if path.removeprefix("/api/v1/").startswith(name)), None)
            if operation.get("security") == []:
                assert found is None
            elif root:
                wrapper = next(kind.wrapper for kind in KINDS if kind.path.endswith("/" + root))
                assert found == [f"{SCOPES[wrapper]}:{access}"], path
            else:
                assert found == {"/api/v1/me": [],
                                 "/api/v1/changes": [f"{name}:read" for name in EVERY]}[path]


def test_changes_need_every_kind(server, holder):
    path = API + "/changes?since=0"
    assert server.call("GET", path, access=holder("all:read")).status == 200
    assert server.call("GET", path, access=holder(",".join(f"{name}:read" for name in EVERY))).status == 200
    lacks(server.call("GET", path, access=holder("tasks:write,subjects:read,staff:read,calendars:read")),
          "cases:read", "case_services:read")


def test_an_expansion_needs_its_kind(server, holder):
    made = server.create(title="expanded", users_list=[1])
    narrow, two = holder("tasks:read"), holder("tasks:write,cases:read")
    for path in (f"{TASK.path}/{made['id']}", TASK.path + f"?id={made['id']}"):
        mark = "&" if "?" in path else "?"
        for access, names, lacking in (
                (narrow, "case", ["cases:read"]), (two, "case,users", ["staff:read"]),
                (narrow, "case,calendar,subject,case_service,users",
                 ["cases:read", "subjects:read", "staff:read", "calendars:read", "case_services:read"])):
            lacks(server.call("GET", f"{path}{mark}expand={names}", access=access), *lacking)
        reply = server.call("GET", f"{path}{mark}expand=case", access=two)
        assert reply.status == 200 and b'"Casefile":{' in reply.body, reply
        # What is wrong with a parameter comes first.
        problem(server.call("GET", f"{path}{mark}expand=users,nonsense", access=narrow), 400, fields=True)
    # A filter by the id of another record, and its id in a write, need only tasks.
    assert server.call("GET", TASK.path + "?case=245&user=1", access=narrow).status == 200
    assert send(server, "POST", TASK.path, {"task": least(TASK)}, access=holder("tasks:write")).status == 201


def test_the_default_expands_what_the_token_may_read(server, holder):
    made = server.create(title="expanded", users_list=[1])
    path = f"{TASK.path}/{made['id']}"
    account = ["account", "set", "main", *where(server.data), "--expand"]
    succeed(*account, "case,users")
    try:
        reply = server.call("GET", path, access=holder("tasks:read,staff:read"))
        assert reply.status == 200 and "Users" in reply.json and "Casefile" not in reply.json, reply
        reply = server.call("GET", path, access=holder("tasks:read"))
        assert reply.status == 200 and "Users" not in reply.json and reply.header("ETag"), reply
        assert "Casefile" in server.get(made["id"]).json
        lacks(server.call("GET", path + "?expand=case", access=holder("tasks:read,staff:read")), "cases:read")
    finally:
        succeed(*account, "none")


@pytest.mark.parametrize("scopes, named", [
    ("", "--scopes is empty"), (",", '""'), ("tasks:read,", '""'), ("tasks", '"tasks"'),
    ("tasks:delete", '"tasks:delete"'), ("Tasks:read", '"Tasks:read"'),
    ("tasks:read cases:read", "tasks:read cases:read"),
    ("tasks:read, cases:read", '" cases:read"'), ("*", '"*"'), ("x" * 5000, '"' + "x" * 40 + '"'), 
    ("all", '"all"'), ("tasks:read\n", "tasks:read")])
def test_wrong_scopes(server, scopes, named):
    said = misuse("token", "add", "wrong", *where(server.data), "--scopes", scopes)
    assert "--scopes" in said and named in said, said
    assert len(said) < 500, said


def test_read_only_and_scopes(server):
    said = misuse("token", "add", "wrong", *where(server.data), "--scopes", "tasks:read", "--read-only")
    assert "--read-only" in said and "--scopes" in said, said
