"""dry_run=1 on every write: docket checks and answers the request as usual, and stores nothing."""
import datetime

import pytest

import backends
import harness
from harness import cases, faults, problem
from records import (CALENDAR, CASE, EACH, KINDS, SERVICE, STAFF, SUBJECT, TASK, create, get, least,
                     post, send)
from tables import assert_is_now

pytestmark = backends.BOTH

CHANGES = {"task": {"title": "Other"}, "casefile": {"notes": "n"}, "subject": {"notes": "n"},
           "staff": {"first_name": "N"}, "calendar": {"name": "N"}, "case_service": {"name": "N"}}


@pytest.fixture(scope="module")
def server(own_server):
    return own_server


def dry(server, method, kind, number=None, fields=None, headers=(), query="dry_run=1"):
    path = kind.path if number is None else f"{kind.path}/{number}"
    body = None if fields is None else {kind.wrapper: fields}
    return send(server, method, f"{path}?{query}", body, headers)


def last_change(server):
    (change,), = backends.rows(server.data, "SELECT last_change FROM account_state")
    return change


@EACH
def test_a_create(server, kind):
    create(server, kind)
    before = last_change(server)
    now = datetime.datetime.now(datetime.timezone.utc)
    fields = least(kind, external_id=f"dry {kind.wrapper}")
    reply = dry(server, "POST", kind, fields=fields)
    assert reply.status == 200, reply
    assert reply.header("Content-Type") == "application/json"
    assert reply.header("Location") is None and reply.header("ETag") is None
    answer = reply.json
    assert answer["id"] is None and answer["created_at"] == answer["updated_at"]
    assert_is_now(answer["created_at"], now)
    assert last_change(server) == before
    # The same create without dry_run gives the same record, with the next number.
    record = create(server, kind, **fields)
    own = ("id", "created_at", "updated_at")
    assert list(answer) == list(record)
    assert {name: value for name, value in answer.items() if name not in own} == \
        {name: value for name, value in record.items() if name not in own}
    assert last_change(server) == before + 1


@EACH
def test_a_patch(server, kind):
    record = create(server, kind)
    whole, before = get(server, kind, record["id"]), last_change(server)
    reply = dry(server, "PATCH", kind, record["id"], CHANGES[kind.wrapper])
    assert reply.status == 200, reply
    assert {**reply.json, "updated_at": None} == \
        {**record, **CHANGES[kind.wrapper], "updated_at": None}
    assert reply.header("ETag") is None and reply.header("Location") is None
    after = get(server, kind, record["id"])
    assert (after.body, after.header("ETag")) == (whole.body, whole.header("ETag"))
    same = dry(server, "PATCH", kind, record["id"], record)
    assert same.status == 200 and same.json == record
    assert last_change(server) == before


@EACH
def test_a_delete(server, kind):
    number, before = create(server, kind)["id"], last_change(server)
    for _ in range(2):
        reply = dry(server, "DELETE", kind, number)
        assert (reply.status, reply.body) == (204, b""), reply
    assert get(server, kind, number).status == 200
    assert last_change(server) == before
    assert send(server, "DELETE", f"{kind.path}/{number}?dry_run=0").status == 204
    problem(dry(server, "DELETE", kind, number), 404)


@EACH
def test_it_is_judged(server, kind):
    assert faults(dry(server, "POST", kind, fields={"colour": 1})) == sorted(
        [(f"{kind.wrapper}.colour", "unknown_field")]
        + [(f"{kind.wrapper}.{field}", "required") for field in kind.least])
    taken = f"taken {kind.wrapper}"
    create(server, kind, external_id=taken)
    record = create(server, kind)
    found = [(f"{kind.wrapper}.external_id", "taken")]
    assert faults(dry(server, "POST", kind, fields=least(kind, external_id=taken))) == found
    assert faults(dry(server, "PATCH", kind, record["id"], {"external_id": taken})) == found
    problem(dry(server, "PATCH", kind, 987654, CHANGES[kind.wrapper]), 404)
    problem(dry(server, "DELETE", kind, 987654), 404)
    tag = {"If-Match": '"1-1"'}
    problem(dry(server, "PATCH", kind, record["id"], CHANGES[kind.wrapper], tag), 412)
    problem(dry(server, "DELETE", kind, record["id"], headers=tag), 412)
    tag = {"If-Match": get(server, kind, record["id"]).header("ETag")}
    assert dry(server, "PATCH", kind, record["id"], CHANGES[kind.wrapper], tag).status == 200
    assert dry(server, "DELETE", kind, record["id"], headers=tag).status == 204


def test_rules_over_the_whole_task(server):
    number = create(server, TASK, subject_id=209)["id"]
    assert faults(dry(server, "PATCH", TASK, number, {"casefile_id": 246, "due_on": "x"})) == [
        ("task.due_on", "format"), ("task.subject_id", "mismatch")]
    now = datetime.datetime.now(datetime.timezone.utc)
    done = dry(server, "PATCH", TASK, number, {"status": "complete"})
    assert_is_now(done.json["complete_at"], now)
    assert get(server, TASK, number).json["status"] == "none"


@pytest.mark.parametrize("kind", [CASE, SUBJECT, STAFF, CALENDAR, SERVICE],
                         ids=lambda kind: kind.wrapper)
def test_what_others_depend_on(server, kind):
    create(server, TASK, subject_id=209, case_service_id=1, users_list=[2])
    number = {"casefile": 245, "subject": 209, "staff": 2}.get(kind.wrapper, 1)
    before = last_change(server)
    problem(dry(server, "DELETE", kind, number), 409, fields=True)
    assert get(server, kind, number).status == 200 and last_change(server) == before


@pytest.mark.parametrize("query, code", cases([
    ("another value", "dry_run=2", "choice"), ("a word", "dry_run=true", "choice"),
    ("empty", "dry_run=", "choice"), ("twice", "dry_run=1&dry_run=1", "repeated"),
    ("both", "dry_run=1&dry_run=0", "repeated")]))
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_the_parameter_at_fault(server, method, query, code):
    number = create(server, TASK)["id"]
    before = last_change(server)
    target = None if method == "POST" else number
    fields = None if method == "DELETE" else least(TASK)
    assert faults(dry(server, method, TASK, target, fields, query=query), 400) == [
        ("dry_run", code)]
    assert last_change(server) == before and get(server, TASK, number).status == 200


def test_a_mistyped_parameter_does_not_write(server):
    number = create(server, TASK)["id"]
    for query in ("dryrun=1", "dry-run=1", "Dry_run=1"):
        (field, code), = faults(dry(server, "DELETE", TASK, number, query=query), 400)
        assert (field, code) == (query.split("=")[0], "unknown_field")
    assert get(server, TASK, number).status == 200


def test_reading_has_none(server):
    number = create(server, TASK)["id"]
    assert faults(dry(server, "GET", TASK, number), 400) == [("dry_run", "unknown_field")]
    assert faults(dry(server, "GET", TASK), 400) == [("dry_run", "unknown_field")]


def test_its_key_is_not_kept(server):
    """A client tries a create with the key that the real create has."""
    fields, key = least(TASK, title="Tried first"), {"Idempotency-Key": "tried-first"}
    assert dry(server, "POST", TASK, fields=fields, headers=key).status == 200
    made = send(server, "POST", TASK.path, {"task": fields}, key)
    assert made.status == 201, made
    before = last_change(server)
    tried = dry(server, "POST", TASK, fields=fields, headers=key)
    assert (tried.status, tried.body) == (200, made.body)
    assert tried.header("Content-Type") == "application/json"
    assert tried.header("Location") is None and tried.header("ETag") is None
    for other in ({**fields, "title": "Another"}, {"colour": 1}):
        assert faults(dry(server, "POST", TASK, fields=other, headers=key)) == [
            ("Idempotency-Key", "mismatch")]
    assert last_change(server) == before
    assert send(server, "POST", TASK.path, {"task": fields}, key).body == made.body


def test_the_key_of_a_bulk(server):
    path, key = TASK.path + "/bulk", {"Idempotency-Key": "tried-bulk"}
    body = {"operations": [{"create": least(TASK, title="Tried among many")}]}
    made = send(server, "POST", path, body, key)
    assert made.status == 200, made
    tried = send(server, "POST", path + "?dry_run=1", body, key)
    assert (tried.status, tried.body) == (200, made.body)


@pytest.mark.parametrize("key", ["", "k 9", "x" * 256])
def test_its_key_is_judged(server, key):
    reply = dry(server, "POST", TASK, fields=least(TASK), headers={"Idempotency-Key": key})
    assert "Idempotency-Key" in problem(reply, 400)["detail"]


@pytest.mark.slow
def test_no_row_is_written(make_server):
    server = make_server()
    numbers = {kind.wrapper: create(server, kind)["id"] for kind in KINDS}
    task = create(server, TASK, users_list=[1, 2], address={"city": "Denver"})["id"]
    server.stop()
    before = backends.everything(server.data)
    server.start()
    for kind in KINDS:
        number = numbers[kind.wrapper]
        assert dry(server, "POST", kind, fields=least(kind)).status == 200
        assert dry(server, "PATCH", kind, number, CHANGES[kind.wrapper]).status == 200
        assert dry(server, "DELETE", kind, number).status == 204
    every = {"users_list": [3], "address": {"zip": 80202}, "title": "New words", "body": "b",
             "status": "complete", "alert_at": "2030-01-01", "subject_id": 209,
             "external_id": "dry", "case_service_id": 1, "due_on": "2030-01-01"}
    assert dry(server, "PATCH", TASK, task, every).status == 200
    assert dry(server, "POST", TASK, fields=least(TASK, **every), headers={
        "Idempotency-Key": "dry"}).status == 200
    server.stop()
    assert backends.everything(server.data) == before
    harness.succeed("check", *backends.where(server.data))
    server.start()
    # The dry runs used up no number.
    assert post(server, TASK).json["id"] == task + 1
