"""POST /api/v1/tasks/bulk: many creates and changes, all or nothing."""
import concurrent.futures
import json

import pytest

import backends
import harness
from admin import dump
from harness import JSON, MINIMAL, TASKS, cases, faults, problem

pytestmark = backends.BOTH
BULK = TASKS + "/bulk"


def post(server, operations, headers=(), query=""):
    body = json.dumps({"operations": operations}).encode()
    return server.call("POST", BULK + query, body, {**JSON, **dict(headers)})


def test_results_in_order(server):
    first, second = server.create(title="one"), server.create(title="two", users_list=[2])
    reply = post(server, [
        {"update": {"id": second["id"], "status": "complete", "users_list": []}},
        {"create": {**MINIMAL, "title": "new", "external_id": "bulk-1"}},
        {"update": {"id": first["id"], "title": "changed", "address": {"city": "Denver"}}},
        {"create": {**MINIMAL, "title": "newer"}}])
    assert reply.status == 200, reply
    assert list(reply.json) == ["results"] and reply.header("ETag") is None
    results = reply.json["results"]
    assert [result["title"] for result in results] == ["two", "new", "changed", "newer"]
    assert results[1]["id"] + 1 == results[3]["id"]
    for result in results:
        assert server.get(result["id"]).json == result
    assert results[0]["complete_at"] and results[0]["users_list"] == []


def test_an_external_id_does_not_move_within_one(server):
    number = server.create(external_id="moves")["id"]
    gives_up = {"update": {"id": number, "external_id": None}}
    takes = {"create": {**MINIMAL, "external_id": "moves"}}
    for operations in ([gives_up, takes], [takes, gives_up]):
        field = f"operations[{operations.index(takes)}].external_id"
        assert faults(post(server, operations)) == [(field, "taken")]
        assert server.get(number).json["external_id"] == "moves"
    for operation in (gives_up, takes):
        assert post(server, [operation]).status == 200


def test_an_id_as_a_string(server):
    number = server.create(title="by a string")["id"]
    reply = post(server, [{"update": {"id": str(number), "title": "found"}}])
    assert reply.status == 200, reply
    assert reply.json["results"] == [server.get(number).json]
    assert reply.json["results"][0]["title"] == "found"


@pytest.mark.slow
def test_five_hundred(make_server):
    server = make_server()
    reply = post(server, [{"create": {**MINIMAL, "title": f"n{i}"}} for i in range(500)])
    assert reply.status == 200, reply
    assert [task["id"] for task in reply.json["results"]] == list(range(1, 501))
    ids = [{"update": {"id": i, "title": f"m{i}"}} for i in range(500, 0, -1)]
    assert [task["title"] for task in post(server, ids).json["results"]] == [
        f"m{i}" for i in range(500, 0, -1)]
    changes = server.call("GET", "/api/v1/changes?since=0").json["changes"]
    assert [change["change"] for change in changes] == list(range(1, 1001))
    server.stop()
    assert harness.run("check", *backends.where(server.data)).returncode == 0


WRONG = cases([
    ("a field of one", [{"create": MINIMAL}, {"create": {**MINIMAL, "due_on": "x"}}],
     [("operations[1].due_on", "format")]),
    ("a field left out", [{"create": {}}], [(f"operations[0].{field}", "required")
                                           for field in MINIMAL]),
    ("what is named is not there", [{"create": {**MINIMAL, "subject_id": 999}},
                                    {"update": {"id": 1, "calendar_id": 999}}],
     [("operations[0].subject_id", "not_found"), ("operations[1].calendar_id", "not_found")]),
    ("form and reference at once", [{"create": {**MINIMAL, "title": ""}},
                                    {"create": {**MINIMAL, "users_list": [2, 999]}}],
     [("operations[0].title", "required"), ("operations[1].users_list[1]", "not_found")]),
    ("no such record", [{"update": {"id": 999999, "title": "x"}}],
     [("operations[0].id", "not_found")]),
    ("no id", [{"update": {"title": "x"}}], [("operations[0].id", "required")]),
    ("an id that is none", [{"update": {"id": "x"}}], [("operations[0].id", "format")]),
    ("an id of another type", [{"update": {"id": 1.5}}, {"update": {"id": None}}],
     [("operations[0].id", "type"), ("operations[1].id", "type")]),
    ("an id below all", [{"update": {"id": 0}}, {"update": {"id": "-1"}}],
     [("operations[0].id", "range"), ("operations[1].id", "range")]),
    ("the same record in two forms", [{"update": {"id": 1}}, {"update": {"id": "1"}}],
     [("operations[1].id", "repeated")]),
    ("the same record twice", [{"update": {"id": 1, "title": "x"}},
                               {"update": {"id": 1, "body": "y"}}],
     [("operations[1].id", "repeated")]),
    ("an external id twice", [{"create": {**MINIMAL, "external_id": "same"}},
                              {"create": {**MINIMAL, "external_id": "same"}}],
     [("operations[1].external_id", "taken")]),
    ("an unknown field", [{"create": {**MINIMAL, "colour": 1}}],
     [("operations[0].colour", "unknown_field")]),
    ("no operation", [{}], [("operations[0]", "type")]),
    ("two in one", [{"create": MINIMAL, "update": {"id": 1}}], [("operations[0]", "type")]),
    ("another one", [{"delete": {"id": 1}}], [("operations[0]", "type")]),
    ("nothing", [], [("operations", "required")]),
    ("too many", [{"create": MINIMAL}] * 501, [("operations", "too_many")]),
    ("no array", {"create": MINIMAL}, [("operations", "type")]),
])


@pytest.mark.parametrize("operations, wanted", WRONG)
def test_all_or_nothing(own_server, operations, wanted):
    if own_server.get(1).status == 404:
        own_server.create()
    before = dump(own_server.data, used=False)
    assert faults(post(own_server, operations)) == sorted(wanted)
    assert dump(own_server.data, used=False) == before


def test_names_are_those_of_the_request(server):
    number = server.create()["id"]
    long = "x" * 200
    operations = [{"create": {**MINIMAL, "address": {"zipp": 1}}},
                  {"update": {"id": number, "titel": "x", "address": {"zipp": 1}, long: 1}}]
    found = {fault["field"]: fault["message"] for fault in problem(
        post(server, operations), 422)["errors"]}
    unknown = "is not a known field"
    assert found.pop("operations[1]." + long) == unknown
    assert found == {
        "operations[0].address.zipp": unknown + "; did you mean operations[0].address.zip?",
        "operations[1].address.zipp": unknown + "; did you mean operations[1].address.zip?",
        "operations[1].titel": unknown + "; did you mean operations[1].title?"}
    reply = post(server, operations, {"Prefer": "handling=lenient"})
    assert reply.status == 200, reply
    assert sorted(reply.header("Docket-Ignored").split(", ")) == sorted(
        [*found, "operations[1]." + long])


# A task that the database refuses, so that docket runs the whole batch again.
REFUSED = {
    "sqlite": ["CREATE TRIGGER refuse BEFORE INSERT ON task WHEN NEW.title = 'refused'"
               " BEGIN SELECT RAISE(ABORT, 'refused'); END"],
    "postgresql": ["CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                   " $$ BEGIN RAISE EXCEPTION 'refused'; END $$",
                   "CREATE TRIGGER refuse BEFORE INSERT ON task FOR EACH ROW"
                   " WHEN (NEW.title = 'refused') EXECUTE FUNCTION refuse()"],
}


@pytest.mark.slow
def test_what_is_run_again_is_named_once(make_server, database):
    server = make_server()
    number = server.create()["id"]
    server.stop()
    with backends.opened(server.data) as connection:
        for sql in REFUSED[database]:
            connection.execute(sql)
    server.start()
    operations = [{"create": {**MINIMAL, "yy": 1}}, {"update": {"id": number, "zz": 1}}]

    def send(i):
        if i % 2:
            return server.post(harness.task(title="refused"))
        return post(server, operations, {"Prefer": "handling=lenient"})
    with concurrent.futures.ThreadPoolExecutor(16) as clients:
        replies = list(clients.map(send, range(400)))
    assert {reply.status for reply in replies[1::2]} == {500}
    assert {(reply.status, reply.header("Docket-Ignored")) for reply in replies[::2]} == {
        (200, "operations[0].yy, operations[1].zz")}


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("value", ["*", '"1-1"', ""])
def test_a_condition(server, header, value):
    """docket refuses it, so that no client believes that it protects the records."""
    task = server.create(title="guarded")
    reply = post(server, [{"update": {"id": task["id"], "title": "lost"}}], {header: value})
    assert header in problem(reply, 400)["detail"]
    assert server.get(task["id"]).json == task


def test_a_wrong_body(server):
    for body in (b"[]", b"{}", b'{"operations": null}'):
        assert faults(server.call("POST", BULK, body, JSON))[0][0] == "operations"
    problem(server.call("POST", BULK, b"{", JSON), 400)
    assert faults(server.call("POST", BULK, b'{"operations": [], "x": 1}', JSON)) == [
        ("operations", "required"), ("x", "unknown_field")]


def test_a_dry_run(own_server):
    task = own_server.create(title="as it is")
    before = dump(own_server.data, used=False)
    reply = post(own_server, [{"create": {**MINIMAL, "title": "would be"}},
                              {"update": {"id": task["id"], "title": "would be too"}}],
                 query="?dry_run=1")
    assert reply.status == 200, reply
    one, two = reply.json["results"]
    assert (one["id"], one["title"]) == (None, "would be")
    assert (two["id"], two["title"]) == (task["id"], "would be too")
    assert dump(own_server.data, used=False) == before


def test_a_key(server):
    operations = [{"create": {**MINIMAL, "title": "keyed"}}]
    first = post(server, operations, {"Idempotency-Key": "bulk"})
    again = post(server, operations, {"Idempotency-Key": "bulk"})
    assert first.status == again.status == 200 and first.body == again.body
    other = post(server, operations * 2, {"Idempotency-Key": "bulk"})
    assert faults(other) == [("Idempotency-Key", "mismatch")]


@pytest.mark.slow
def test_the_answer_of_a_key_is_made_of_the_history(make_server):
    """It is the same later, whatever happened to the records, and docket does not store it a second
    time."""
    server = make_server()
    body = "\u0436\"\n" * 10000
    tasks = [server.create(title=f"as it was {i}", body=body)["id"] for i in range(4)]
    operations = [{"update": {"id": tasks[3], "title": "changed", "users_list": [1, 2]}},
                  {"create": {**MINIMAL, "title": "made", "body": body}},
                  {"update": {"id": tasks[1], "title": "as it was 1"}},  # this changes nothing
                  {"update": {"id": tasks[0], "status": "complete"}}]
    first = post(server, operations, {"Idempotency-Key": "history"})
    assert first.status == 200, first
    results = first.json["results"]
    assert [result["title"] for result in results] == [
        "changed", "made", "as it was 1", "as it was 0"]
    assert [server.get(result["id"]).json for result in results] == results
    later = [{"update": {"id": result["id"], "title": "later", "body": ""}} for result in results]
    assert post(server, later, {"Idempotency-Key": "later"}).status == 200
    assert server.call("DELETE", f"{TASKS}/{tasks[0]}").status == 204
    server.stop()
    kept = backends.rows(server.data, "SELECT length(answer) FROM idempotency")
    assert len(kept) == 2 and max(kept) < (100,), kept
    server.start()
    again = post(server, operations, {"Idempotency-Key": "history"})
    assert (again.status, again.body) == (200, first.body)
    assert again.header("ETag") is None and again.header("Location") is None
    assert again.header("Content-Type") == "application/json"
    tried = post(server, operations, {"Idempotency-Key": "history"}, "?dry_run=1")
    assert (tried.status, tried.body) == (200, first.body)
    other = post(server, operations[:1], {"Idempotency-Key": "history"})
    assert faults(other) == [("Idempotency-Key", "mismatch")]
    server.stop()
    assert harness.run("check", *backends.where(server.data)).returncode == 0


def test_other_methods(server):
    assert set(server.call("OPTIONS", BULK).header("Allow").split(", ")) == {"POST", "OPTIONS"}
    problem(server.call("GET", BULK), 405)
