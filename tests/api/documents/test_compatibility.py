"""The OpenAPI document keeps what docs/openapi-v1.json promises. The comparison finds what breaks that."""
import json

import pytest

import described
from compatibility import breaks
from harness import ROOT, cases

KEPT = ROOT / "docs" / "openapi-v1.json"


@pytest.fixture(scope="module")
def kept():
    return json.loads(KEPT.read_text("utf-8"))


def test_the_promises_are_kept(kept):
    """If this fails, a client can break: docs/compatibility.md says which changes are allowed."""
    assert breaks(kept, described.document()) == []


def test_a_diff_of_the_document_can_be_read(kept):
    assert KEPT.read_text("utf-8") == json.dumps(kept, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@pytest.mark.slow
def test_the_comparison_reaches_every_schema(kept):
    """A member that goes is told once, and nothing else is."""
    schemas = kept["components"]["schemas"]
    with_members = [name for name in schemas if "properties" in schemas[name]]
    for name in with_members:
        gone, *others = schemas[name]["properties"].items()
        less = {**schemas, name: {**schemas[name], "properties": dict(others)}}
        told = breaks(kept, {**kept, "components": {**kept["components"], "schemas": less}})
        assert told == [f"{name}: {gone[0]} went"]
    assert len(with_members) > 40


def text(**more):
    return {"type": "string", **more}


def ref(name, part="schemas"):
    return {"$ref": f"#/components/{part}/{name}"}


def body(schema):
    return {"content": {"application/json": {"schema": schema}}}


def closed(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required),
            "additionalProperties": False}


def base():
    """A small document with all that the comparison knows."""
    number = {"type": "integer", "format": "int64", "minimum": 1}
    page = {"name": "page", "in": "query", "schema": {**number, "maximum": 500, "default": 100}}
    status = {"name": "status", "in": "query", "style": "form", "explode": False, "schema": {
        "type": "array", "items": text(enum=["none", "complete"]), "minItems": 1, "maxItems": 500}}
    due = {"name": "due", "in": "query",
           "schema": {"anyOf": [text(format="date-time"), text(format="date")]}}
    task = {"type": "object", "required": ["id", "note"], "properties": {
        "id": number, "note": text(), "state": text(enum=["waiting", "sent"]),
        "due_on": text(format="date"), "kind": text(const="task"),
        "code": {"type": "string", "x-problems": {"busy": {"status": 503}}},
        "place": {"anyOf": [ref("Place"), {"type": "null"}]},
        "fields": {"type": "object", "additionalProperties": ref("Place")},
        "users": {"type": "array", "items": number}}}
    new = closed(["title"], title=text(minLength=1, maxLength=255), key=text(pattern="^a"),
                 note=text(default=""), status=text(enum=["none", "complete"], default="none"),
                 alert={"type": ["string", "null"], "enum": ["a", "b", None]},
                 sent={**number, "readOnly": True}, more={"type": "object"},
                 users={"type": "array", "items": number, "maxItems": 100})
    task_id = {"name": "id", "in": "path", "required": True, "schema": number}
    return {
        "openapi": "3.1.0", "servers": [{"url": "../.."}], "security": [{"basic": []}],
        "paths": {
            "/tasks": {
                "get": {"operationId": "listTasks",
                        "parameters": [status, page, due, ref("Prefer", "parameters")],
                        "responses": {
                            "200": {"headers": {"Link": ref("Link", "headers")}, **body({
                                "oneOf": [{"type": "array", "items": ref("Task")}, ref("Count")]})},
                            "400": ref("BadRequest", "responses")}},
                "post": {"operationId": "createTask",
                         "requestBody": {"required": True, **body(closed(["task"], task=ref("NewTask")))},
                         "responses": {"201": body(ref("Task"))}}},
            "/tasks/{id}": {
                "parameters": [task_id],
                "get": {"operationId": "getTask", "security": [],
                        "responses": {"200": body(ref("Task")), "304": {}}},
                "patch": {"operationId": "doTask",
                          "requestBody": body({"oneOf": [closed(["create"], create=ref("NewTask")),
                                                         closed(["update"], update=ref("NewTask"))]}),
                          "responses": {"200": body({"anyOf": [{"type": "null"}, ref("Task"),
                                                               ref("Count")]})}}}},
        "components": {
            "schemas": {"Task": task, "NewTask": new, "Spare": text(),
                        "Count": {"type": "object", "properties": {"count": number}},
                        "Place": {"type": "object", "required": ["city"],
                                  "properties": {"city": text(maxLength=9)}}},
            "parameters": {"Prefer": {"name": "Prefer", "in": "header", "schema": text()}},
            "headers": {"Link": {"schema": text()}},
            "responses": {"BadRequest": {"content": {"application/problem+json": {"schema": ref("Count")}}}},
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}}}}


GONE = object()


def changed(place, value):
    """The small document with another value at a place, whose parts are divided by blanks."""
    document = json.loads(json.dumps(base()))  # a copy that shares nothing
    *way, last = place.split()
    at = document
    for part in way:
        at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
    last = int(last) if isinstance(at, list) else last
    if value is GONE:
        del at[last]
    elif isinstance(at, list) and last == len(at):
        at.append(value)
    else:
        at[last] = value
    return document


LIST = "paths /tasks get"
STATUS = f"{LIST} parameters 0"
CREATE = "paths /tasks post"
ONE = "paths /tasks/{id}"
TASK = "components schemas Task"
NEW = "components schemas NewTask properties"

BREAKING = cases([
    ("path", "paths /tasks", GONE, ["document: GET /tasks went", "document: POST /tasks went"]),
    ("operation", f"{ONE} patch", GONE, ["document: PATCH /tasks/{id} went"]),
    ("operationId", f"{LIST} operationId", "allTasks",
     ["GET /tasks: operationId was listTasks, is allTasks"]),
    ("security of one", f"{ONE} get security", GONE,
     ["GET /tasks/{id}: security was [], is [{'basic': []}]"]),
    ("security of all", "security", [], [f"{place}: security was [{{'basic': []}}], is []" for place in (
        "GET /tasks", "POST /tasks", "PATCH /tasks/{id}")]),
    ("scheme", "components securitySchemes basic", GONE, ["document: basic went"]),
    ("server", "servers 0 url", "/", ["document: servers was [{'url': '../..'}], is [{'url': '/'}]"]),
    ("schema", "components schemas Spare", GONE, ["document: Spare went"]),
    ("parameter", STATUS, GONE, ["GET /tasks: query status went"]),
    ("shared parameter", "components parameters Prefer name", "Prefers", ["GET /tasks: header Prefer went"]),
    ("parameter required", f"{STATUS} required", True, ["GET /tasks: query status is now required"]),
    ("new parameter required", f"{LIST} parameters 4",
     {"name": "more", "in": "query", "required": True, "schema": text()},
     ["GET /tasks: query more is new and required"]),
    ("style", f"{STATUS} explode", True, ["GET /tasks: query status: explode was False, is True"]),
    ("value of a parameter", f"{STATUS} schema items enum", ["none"],
     ["GET /tasks: query status[]: complete went"]),
    ("limit of a parameter", f"{LIST} parameters 1 schema maximum", 100,
     ["GET /tasks: query page: maximum was 500, is 100"]),
    ("lower limit", f"{LIST} parameters 1 schema minimum", 2,
     ["GET /tasks: query page: minimum was 1, is 2"]),
    ("items of a parameter", f"{STATUS} schema maxItems", 2,
     ["GET /tasks: query status: maxItems was 500, is 2"]),
    ("least items of a parameter", f"{STATUS} schema minItems", 2,
     ["GET /tasks: query status: minItems was 1, is 2"]),
    ("default", f"{LIST} parameters 1 schema default", 50,
     ["GET /tasks: query page: default was 100, is 50"]),
    ("default goes", f"{LIST} parameters 1 schema default", GONE,
     ["GET /tasks: query page: default was 100, is None"]),
    ("form of a parameter", f"{LIST} parameters 2 schema anyOf 1", GONE,
     ["GET /tasks: query due: string date went"]),
    ("parameter of a path", f"{ONE} parameters 0 schema type", "string",
     [f"{method} /tasks/{{id}}: path id: type was integer, is string" for method in ("GET", "PATCH")]),
    ("body goes", f"{CREATE} requestBody", GONE, ["POST /tasks: the body went"]),
    ("body required", f"{ONE} patch requestBody required", True,
     ["PATCH /tasks/{id}: a body is now required"]),
    ("new body required", f"{ONE} get requestBody", {"required": True, "content": {}},
     ["GET /tasks/{id}: a body is now required"]),
    ("media type of a body", f"{CREATE} requestBody content", {"text/plain": {"schema": text()}},
     ["POST /tasks: body: application/json went"]),
    ("field", f"{NEW} note", GONE, ["NewTask: note went"]),
    ("field required", "components schemas NewTask required 1", "note", ["NewTask.note: is now required"]),
    ("new field required", "components schemas NewTask required 1", "other",
     ["NewTask.other: is now required"]),
    ("type of a field", f"{NEW} title type", "integer", ["NewTask.title: type was string, is integer"]),
    ("null of a field", f"{NEW} alert", text(enum=["a", "b"]), ["NewTask.alert: null went"]),
    ("value of a field", f"{NEW} alert enum", ["a", None], ["NewTask.alert (string): b went"]),
    ("choice of a field", f"{NEW} title enum", ["a"], ["NewTask.title: enum was None, is ['a']"]),
    ("length of a field", f"{NEW} title maxLength", 64, ["NewTask.title: maxLength was 255, is 64"]),
    ("first limit of a field", f"{NEW} note maxLength", 64, ["NewTask.note: maxLength was None, is 64"]),
    ("least length of a field", f"{NEW} note minLength", 1, ["NewTask.note: minLength was None, is 1"]),
    ("entries of a field", f"{NEW} users maxItems", 5, ["NewTask.users: maxItems was 100, is 5"]),
    ("items of a field", f"{NEW} users items type", "string",
     ["NewTask.users[]: type was integer, is string"]),
    ("unique items", f"{NEW} users uniqueItems", True, ["NewTask.users: uniqueItems was None, is True"]),
    ("pattern", f"{NEW} key pattern", "^b", ["NewTask.key: pattern was ^a, is ^b"]),
    ("format of a field", f"{NEW} note format", "date", ["NewTask.note: format was None, is date"]),
    ("default of a field", f"{NEW} status default", "complete",
     ["NewTask.status: default was none, is complete"]),
    ("field read-only", f"{NEW} note readOnly", True, ["NewTask.note: is now read-only"]),
    ("unknown members", f"{NEW} more additionalProperties", False,
     ["NewTask.more: unknown members are now refused"]),
    ("alternative of a body", f"{ONE} patch requestBody content application/json schema oneOf 0", GONE,
     ["PATCH /tasks/{id}: body: object create went"]),
    ("status", f"{ONE} get responses 304", GONE, ["GET /tasks/{id}: 304 went"]),
    ("new success", f"{CREATE} responses 202", {}, ["POST /tasks: 202 is new"]),
    ("header", f"{LIST} responses 200 headers Link", GONE, ["GET /tasks: 200: Link went"]),
    ("type of a header", "components headers Link schema type", "integer",
     ["GET /tasks: 200: Link: type was string, is integer"]),
    ("media type of an answer", "components responses BadRequest content", {},
     ["GET /tasks: 400: application/problem+json went"]),
    ("member", f"{TASK} properties due_on", GONE, ["Task: due_on went"]),
    ("member missing", f"{TASK} required", ["id"], ["Task.note: may now be missing"]),
    ("member of a member", "components schemas Place properties city", GONE, ["Place: city went"]),
    ("type of a member", f"{TASK} properties id type", "string", ["Task.id: type was integer, is string"]),
    ("type of an item", f"{TASK} properties users items type", "string",
     ["Task.users[]: type was integer, is string"]),
    ("type of any member", f"{TASK} properties fields additionalProperties", text(),
     ["Task.fields.*: type was object, is string", "Task.fields.*: city went"]),
    ("null in an answer", f"{TASK} properties note type", ["string", "null"], ["Task.note: may now be null"]),
    ("any type", f"{TASK} properties note type", GONE, ["Task.note: type was string, is None"]),
    ("format of a member", f"{TASK} properties due_on format", "date-time",
     ["Task.due_on: format was date, is date-time"]),
    ("format goes", f"{TASK} properties due_on format", GONE, ["Task.due_on: format was date, is None"]),
    ("any value", f"{TASK} properties state enum", GONE,
     ["Task.state: enum was ['waiting', 'sent'], is None"]),
    ("value of a member", f"{TASK} properties state enum", ["waiting", "more"], ["Task.state: sent went"]),
    ("constant", f"{TASK} properties kind const", "more", ["Task.kind: task went"]),
    ("status of a problem", f"{TASK} properties code x-problems busy status", 500,
     ["Task.code: status of busy was 503, is 500"]),
    ("another type beside", f"{TASK} properties place anyOf 2", text(), ["Task.place: may now be string"]),
    ("alternative of an answer", f"{LIST} responses 200 content application/json schema oneOf 2",
     {"type": "null"},
     ["GET /tasks: 200: may now be null"]),
])


@pytest.mark.parametrize("place, value, told", BREAKING)
def test_a_breaking_change_is_told(place, value, told):
    assert sorted(breaks(base(), changed(place, value))) == sorted(told)


COMPATIBLE = cases([
    ("nothing", "info", {}),
    ("path", "paths /more", {"get": {"operationId": "more", "responses": {}}}),
    ("operation", "paths /tasks delete", {"operationId": "more", "responses": {}}),
    ("summary", f"{LIST} summary", "Another"),
    ("deprecation", f"{LIST} deprecated", True),
    ("schema", "components schemas More", text()),
    ("parameter", f"{LIST} parameters 4", {"name": "more", "in": "query", "schema": text()}),
    ("value of a parameter", f"{STATUS} schema items enum 2", "more"),
    ("limit of a parameter", f"{LIST} parameters 1 schema maximum", 1000),
    ("no limit", f"{LIST} parameters 1 schema maximum", GONE),
    ("lower limit", f"{LIST} parameters 1 schema minimum", 0),
    ("form of a parameter", f"{LIST} parameters 2 schema anyOf 2", {"type": "integer"}),
    ("body may be left out", f"{CREATE} requestBody required", False),
    ("body", f"{ONE} get requestBody", {"content": {}}),
    ("media type of a body", f"{CREATE} requestBody content text/plain", {"schema": text()}),
    ("alternative of a body", f"{ONE} patch requestBody content application/json schema oneOf 2",
     closed(["delete"], delete=text())),
    ("field", f"{NEW} other", text()),
    ("field may be left out", "components schemas NewTask required", []),
    ("null of a field", f"{NEW} title type", ["string", "null"]),
    ("type of a field", f"{NEW} title type", ["integer", "string"]),
    ("value of a field", f"{NEW} status enum 2", "more"),
    ("any value of a field", f"{NEW} status enum", GONE),
    ("length of a field", f"{NEW} title maxLength", 1000),
    ("pattern goes", f"{NEW} key pattern", GONE),
    ("field may be set", f"{NEW} sent readOnly", False),
    ("unknown members", "components schemas NewTask additionalProperties", GONE),
    ("member", f"{TASK} properties more", text()),
    ("member always there", f"{TASK} required 2", "state"),
    ("new value of a member", f"{TASK} properties state enum 2", "more"),
    ("new problem", f"{TASK} properties code x-problems slow", {"status": 503}),
    ("one of more values", f"{TASK} properties kind", text(enum=["task", "more"])),
    ("a member is never null", f"{TASK} properties place", ref("Place")),
    ("limit of a member", "components schemas Place properties city maxLength", 99),
    ("tighter limit of a member", "components schemas Place properties city maxLength", 5),
    ("kind of record", f"{ONE} patch responses 200 content application/json schema anyOf 3", ref("NewTask")),
    ("failure", f"{CREATE} responses 418", {}),
    ("not modified", f"{LIST} responses 304", {}),
    ("header", f"{CREATE} responses 201 headers", {"More": {"schema": text()}}),
    ("media type of an answer", f"{CREATE} responses 201 content text/csv", {"schema": text()}),
])


@pytest.mark.parametrize("place, value", COMPATIBLE)
def test_a_compatible_change_is_not(place, value):
    assert breaks(base(), changed(place, value)) == []


def test_a_document_is_as_itself():
    assert breaks(base(), base()) == []
