"""PATCH: a merge patch (RFC 7396) of any kind of record; docket checks the rules on the resulting
record."""
import json

import pytest

import admin
import backends
from harness import ADDRESS_PARTS, JSON, basic, cases, faults, messages, problem, run
from records import (CASE, EACH, SERVICE, STAFF, SUBJECT, TASK, change, create, get, patch, post,
                     send)

pytestmark = backends.BOTH



@pytest.fixture(scope="module")
def server(own_server):
    return own_server


CHANGES = {"task": {"title": "Other"}, "casefile": {"notes": "n"}, "subject": {"notes": "n"},
           "staff": {"first_name": "N"}, "calendar": {"name": "N"}, "case_service": {"name": "N"}}
ADDRESS = {"address_1": "2000 Blake Street", "city": "Denver", "state": "CO", "zip": "80202"}


def history(server, kind, number):
    """The actions of a record's history entries."""
    with backends.opened(server.data) as database:
        return database.execute(
            "SELECT action, value FROM history WHERE record = ? AND record_id = ? ORDER BY change",
            (kind.wrapper, number)).fetchall()


@EACH
def test_a_field(server, kind):
    record = create(server, kind)
    before = get(server, kind, record["id"])
    reply = patch(server, kind, record["id"], **CHANGES[kind.wrapper])
    assert reply.status == 200, reply
    assert reply.json == {**record, **CHANGES[kind.wrapper],
                          "updated_at": reply.json["updated_at"]}
    assert reply.header("ETag") != before.header("ETag")
    assert reply.header("Location") is None
    read = get(server, kind, record["id"])
    assert (read.body, read.header("ETag")) == (reply.body, reply.header("ETag"))
    made, changed = history(server, kind, record["id"])
    assert (made[0], changed[0]) == ("create", "update") and json.loads(changed[1]) == read.json


@EACH
@pytest.mark.parametrize("what", ["nothing", "the same", "the whole record"])
def test_that_changes_nothing(server, kind, what):
    record = create(server, kind, **CHANGES[kind.wrapper])
    before = get(server, kind, record["id"])
    fields = {"nothing": {}, "the same": CHANGES[kind.wrapper], "the whole record": record}[what]
    reply = patch(server, kind, record["id"], **fields)
    assert reply.status == 200, reply
    assert reply.body == before.body and reply.header("ETag") == before.header("ETag")
    assert len(history(server, kind, record["id"])) == 1


@EACH
def test_the_whole_record_with_one_change(server, kind):
    record = create(server, kind)
    wanted = {**record, **CHANGES[kind.wrapper]}
    assert change(server, kind, record["id"], **wanted) | {"updated_at": 0} == \
        wanted | {"updated_at": 0}


@EACH
def test_read_only_fields(server, kind):
    record = create(server, kind)
    for field, value in [("id", record["id"] + 1), ("created_at", "2023-02-14T00:00:00Z"),
                         ("updated_at", None), ("id", "x"), ("created_at", 5)]:
        assert faults(patch(server, kind, record["id"], **{field: value})) == [
            (f"{kind.wrapper}.{field}", "read_only")], (field, value)
    # A value in another form is still the same value.
    form = record["created_at"].replace("Z", "+00:00")
    assert change(server, kind, record["id"], id=str(record["id"]), created_at=form) == record


@EACH
def test_null(server, kind):
    record = create(server, kind)
    for field in kind.least:
        for empty in (None, ""):
            code = "choice" if empty == "" and field == "access_level" else "required"
            assert faults(patch(server, kind, record["id"], **{field: empty})) == [
                (f"{kind.wrapper}.{field}", code)], field
    # null resets each field to its default on create.
    full = {"task": {"subject_id": 209, "case_service_id": 1, "address": ADDRESS, "body": "b",
                     "alert_at": "2030-01-01", "users_list": [1], "status": "in_progress"},
            "casefile": {"due_on": "2030-01-01", "notes": "n", "case_services_list": [1],
                         "status": "closed"},
            "subject": {"address": ADDRESS, "is_primary": True, "middle_name": "m"},
            "staff": {"email": "a@b", "is_vendor": True, "time_zone": "Asia/Tokyo"},
            "calendar": {"color": "#000000", "description": "d"},
            "case_service": {}}[kind.wrapper]
    full["external_id"] = f"null of {kind.wrapper}"
    given = change(server, kind, record["id"], **full)
    assert all(given[field] != record[field] for field in full)
    emptied = change(server, kind, record["id"], **dict.fromkeys(full))
    assert {**emptied, "updated_at": None} == {**record, "updated_at": None}
    for field in kind.nullable:
        assert change(server, kind, record["id"], **{field: ""})[field] is None


def test_dates_that_a_case_always_has(server):
    record = create(server, CASE)
    assert faults(patch(server, CASE, record["id"], created_on=None)) == [
        ("casefile.created_on", "required")]
    assert change(server, CASE, record["id"], created_on="2020-01-01")["created_on"] == "2020-01-01"


PATCHES = "application/merge-patch+json, application/json"


@EACH
def test_what_patches_may_be(server, kind):
    """RFC 5789, sections 2.2 and 3.1."""
    path = f"{kind.path}/{create(server, kind)['id']}"
    assert server.call("OPTIONS", path).header("Accept-Patch") == PATCHES
    reply = server.call("PUT", path, b"{}", JSON)
    problem(reply, 405)
    assert reply.header("Accept-Patch") == PATCHES
    for wrong in ("text/plain", "application/json-patch+json"):
        reply = send(server, "PATCH", path, {kind.wrapper: CHANGES[kind.wrapper]},
                     {"Content-Type": wrong})
        assert "application/merge-patch+json" in problem(reply, 415)["detail"]
        assert reply.header("Accept-Patch") == PATCHES
    for other in (kind.path, path + "/history"):
        assert server.call("OPTIONS", other).header("Accept-Patch") is None
        reply = server.call("PATCH", other, b"{}", JSON)
        problem(reply, 405)
        assert reply.header("Accept-Patch") is None
    reply = send(server, "POST", kind.path, {}, {"Content-Type": "text/plain"})
    assert "merge-patch" not in problem(reply, 415)["detail"]
    assert reply.header("Accept-Patch") is None


@EACH
def test_bodies(server, kind):
    record = create(server, kind)
    path = f"{kind.path}/{record['id']}"
    merge = {"Content-Type": "application/merge-patch+json"}
    fields = {kind.wrapper: CHANGES[kind.wrapper]}
    reply = send(server, "PATCH", path, fields, merge)
    assert reply.status == 200, reply
    assert faults(send(server, "PATCH", path, {})) == [(kind.wrapper, "required")]
    assert faults(send(server, "PATCH", path, {kind.wrapper: []})) == [(kind.wrapper, "type")]
    assert faults(send(server, "PATCH", path, [])) == [(kind.wrapper, "required")]
    assert faults(send(server, "PATCH", path, {kind.wrapper: {"titel": 1}})) == [
        (f"{kind.wrapper}.titel", "unknown_field")]
    problem(server.call("PATCH", path, b"{", JSON), 400)
    reply = send(server, "PATCH", path, {kind.wrapper: {"titel": 1}},
                 {"Prefer": "handling=lenient"})
    assert reply.status == 200 and reply.header("Docket-Ignored") == f"{kind.wrapper}.titel"
    problem(patch(server, kind, 987654, **CHANGES[kind.wrapper]), 404)
    problem(patch(server, kind, 987654, titel=1), 404)
    problem(send(server, "PATCH", f"{kind.path}/x", fields), 404)


# Tasks: the rules hold for the record that the patch makes

MISMATCH = [
    ("another case, and the old subject", {"subject_id": 209}, {"casefile_id": 246},
     [("task.subject_id", "mismatch")]),
    ("another case, and the old service", {"case_service_id": 1}, {"casefile_id": 246},
     [("task.case_service_id", "mismatch")]),
    ("another case, and both", {"subject_id": 209, "case_service_id": 1}, {"casefile_id": 246},
     [("task.case_service_id", "mismatch"), ("task.subject_id", "mismatch")]),
    ("the other case's subject", {}, {"subject_id": 210}, [("task.subject_id", "mismatch")]),
    ("the other case's service", {}, {"case_service_id": 2},
     [("task.case_service_id", "mismatch")]),
    ("a case that is not there", {"subject_id": 209}, {"casefile_id": 999},
     [("task.casefile_id", "not_found")]),
    ("what is not there", {}, {"calendar_id": 99, "subject_id": 999, "users_list": [99999, 1]},
     [("task.calendar_id", "not_found"), ("task.subject_id", "not_found"),
      ("task.users_list[0]", "not_found")]),
    ("a fault of form beside", {"subject_id": 209}, {"casefile_id": 246, "due_on": "x"},
     [("task.due_on", "format"), ("task.subject_id", "mismatch")]),
    ("complete_at without its status", {}, {"complete_at": "2023-02-14"},
     [("task.complete_at", "not_allowed")]),
    ("another complete_at, and the status left", {"status": "complete"},
     {"complete_at": "2023-02-14", "status": "none"}, [("task.complete_at", "not_allowed")]),
    ("no complete_at, and still complete", {"status": "complete"}, {"complete_at": None},
     [("task.complete_at", "required")]),
]


@pytest.mark.parametrize("made, sent, found", cases(MISMATCH))
def test_the_merged_record_is_judged(server, made, sent, found):
    record = create(server, TASK, **made)
    assert faults(patch(server, TASK, record["id"], **sent)) == found
    assert get(server, TASK, record["id"]).json == record


@pytest.mark.parametrize("made, sent", cases([
    ("all of another case", {"subject_id": 209, "case_service_id": 1},
     {"casefile_id": 246, "subject_id": 210, "case_service_id": 2}),
    ("another case, and what was of the old one left", {"subject_id": 209, "case_service_id": 1},
     {"casefile_id": 246, "subject_id": None, "case_service_id": ""}),
    ("the same case said again", {"subject_id": 209, "case_service_id": 1}, {"casefile_id": 245}),
    ("a subject for the case it has", {}, {"subject_id": 209}),
    ("a service for the case it has", {}, {"case_service_id": 1})]))
def test_references_that_fit(server, made, sent):
    record = create(server, TASK, **made)
    wanted = {**record, **{field: value or None for field, value in sent.items()}}
    changed = change(server, TASK, record["id"], **sent)
    assert {**changed, "updated_at": 0} == {**wanted, "updated_at": 0}
    assert get(server, TASK, record["id"]).json == changed


def test_completion(server):
    record = create(server, TASK)
    number = record["id"]
    done = change(server, TASK, number, status="complete")
    assert done["complete_at"] >= record["created_at"]
    assert change(server, TASK, number, complete_at="2023-02-14")["complete_at"] == \
        "2023-02-14T00:00:00Z"
    # A patch to complete changes nothing if the task is complete.
    assert change(server, TASK, number, status="complete")["complete_at"] == "2023-02-14T00:00:00Z"
    assert change(server, TASK, number, body="b")["complete_at"] == "2023-02-14T00:00:00Z"
    whole = get(server, TASK, number).json
    left = change(server, TASK, number, **{**whole, "status": "in_progress"})
    assert left["complete_at"] is None and left["status"] == "in_progress"
    again = change(server, TASK, number, **{**left, "status": "complete"})
    assert again["complete_at"] > "2023-02-14T00:00:00Z"
    both = change(server, TASK, create(server, TASK)["id"], status="complete",
                  complete_at="2020-01-01")
    assert both["complete_at"] == "2020-01-01T00:00:00Z"
    assert change(server, TASK, both["id"], status="none")["complete_at"] is None


def test_alert_sent_at_goes_when_the_alert_moves(make_server):
    server = make_server()
    number = create(server, TASK, alert_at="2023-02-01")["id"]
    server.stop()
    with backends.opened(server.data) as database:
        database.execute("UPDATE task SET alert_sent_at = alert_at")
    server.start()
    for none in None, "":  # both are null where a field may be null
        assert change(server, TASK, create(server, TASK)["id"], alert_sent_at=none)["alert_sent_at"] is None
    sent = get(server, TASK, number).json
    assert sent["alert_sent_at"] == "2023-02-01T00:00:00Z"
    assert faults(patch(server, TASK, number, alert_sent_at=None)) == [
        ("task.alert_sent_at", "read_only")]
    same = change(server, TASK, number, alert_at="2023-02-01T01:00:00+01:00", body="b")
    assert same["alert_sent_at"] == sent["alert_sent_at"]
    moved = change(server, TASK, number, **{**same, "alert_at": "2023-02-02"})
    assert moved["alert_sent_at"] is None and moved["alert_at"] == "2023-02-02T00:00:00Z"


@pytest.mark.parametrize("kind", [TASK, SUBJECT], ids=["task", "subject"])
def test_an_address_is_merged(server, kind):
    number = create(server, kind)["id"]
    whole = {**dict.fromkeys(ADDRESS_PARTS, ""), **ADDRESS, "country": "US"}

    def merged(**parts):
        return change(server, kind, number, address=parts)["address"]
    assert merged(**ADDRESS) == whole
    assert merged(city="Boulder") == {**whole, "city": "Boulder"}
    assert merged(city="Denver", zip=2134) == {**whole, "zip": "02134"}
    assert merged(state=None, zip="") == {**whole, "state": "", "zip": ""}
    assert merged(state="ma") == {**whole, "state": "MA", "zip": ""}
    assert merged() == {**whole, "state": "MA", "zip": ""}
    assert faults(patch(server, kind, number, address={"country": "DE"})) == [
        (f"{kind.wrapper}.address.state", "choice")]
    assert faults(patch(server, kind, number, address={"town": "x", "city": 5})) == [
        (f"{kind.wrapper}.address.city", "type"), (f"{kind.wrapper}.address.town",
                                                   "unknown_field")]
    assert faults(patch(server, kind, number, address={"city": "x" * 256})) == [
        (f"{kind.wrapper}.address.city", "too_long")]
    assert merged(country="de", state="BY", zip=80331) == {
        **whole, "country": "DE", "state": "BY", "zip": "80331"}
    assert merged(**dict.fromkeys(ADDRESS_PARTS)) is None
    assert merged(city="Denver") == {**dict.fromkeys(ADDRESS_PARTS, ""), "city": "Denver",
                                     "country": "US"}
    assert change(server, kind, number, address=[])["address"] is None


def test_what_stands_beside_a_task(server):
    """The search finds the new title, and the rows of assignments have the new copies of fields."""
    record = create(server, TASK, title="Quondam Zebra", users_list=[1, 2])
    number = record["id"]

    def found(query):
        return number in [task["id"] for task in
                          send(server, "GET", f"{TASK.path}?per_page=500&{query}").json]
    change(server, TASK, number, title="Future Zebra")
    assert found("title=future%20z") and not found("title=quondam")
    assert found("title=fu") and not found("title=quondam")
    change(server, TASK, number, users_list=[3, 2])
    assert found("user=3&status=none") and found("user=2") and not found("user=1")
    change(server, TASK, number, status="in_progress", due_on="2031-03-04")
    assert found("user=3&status=in_progress&due_from=2031-03-04")
    assert not found("user=3&status=none")
    change(server, TASK, number, users_list=[])
    assert found("user=none") and not found("user=3")
    change(server, TASK, number, users_list=[1])
    assert found("user=1&sort=due_on&status=in_progress") and not found("user=none")
    change(server, TASK, number, alert_at="2031-01-01", calendar_id=1, external_id="beside")
    assert found("alert_from=2031-01-01&alert_to=2031-01-01") and found("external_id=beside")


def test_a_task_without_a_case(two, base_of_two, tmp_path):
    """It may stay without a case after the account has begun to require one, but no other task may
    lose its case."""
    admin.docket(two, "account set", "first", "--require-case", "no")
    pair = admin.Pair(two, base_of_two[1], tmp_path / "log")

    def request(method, path, value):
        return pair.server.call(method, path, json.dumps(value).encode(),
                                {**JSON, "Host": "first." + admin.DOMAIN},
                                access=basic("admin/token", base_of_two[1]["first"]))
    try:
        fields = {"calendar_id": 1, "due_on": "2023-02-14", "title": "A task"}
        bare = request("POST", TASK.path, {"task": fields}).json
        other = request("POST", TASK.path, {"task": {**fields, "casefile_id": 245}}).json
        path = f"{TASK.path}/{other['id']}"
        assert request("PATCH", path, {"task": {"casefile_id": None}}).json["casefile_id"] is None
        given = {"casefile_id": 245, "subject_id": 209}
        assert request("PATCH", path, {"task": given}).status == 200
        assert faults(request("PATCH", path, {"task": {"casefile_id": None}})) == [
            ("task.subject_id", "mismatch")]
        admin.docket(two, "account set", "first", "--require-case", "yes")
        assert faults(request("PATCH", path, {"task": {"casefile_id": None, "subject_id": None}})
                      ) == [("task.casefile_id", "required")]
        path = f"{TASK.path}/{bare['id']}"
        for none in None, "":
            bare = request("PATCH", path, {"task": {**bare, "casefile_id": none, "body": "b"}}).json
            assert bare["casefile_id"] is None
        assert faults(request("PATCH", path, {"task": {"subject_id": 209}})) == [
            ("task.subject_id", "mismatch")]
    finally:
        pair.server.stop()


# Changes that other records prevent

def test_a_subject_stays_with_the_case_of_its_tasks(server):
    case = create(server, CASE)
    subject = create(server, SUBJECT, casefile_id=case["id"])
    tasks = [create(server, TASK, casefile_id=case["id"], subject_id=subject["id"])["id"]
             for _ in range(3)]
    reply = patch(server, SUBJECT, subject["id"], casefile_id=245)
    assert (faults(reply, 409), reply.json["detail"]) == (
        [("subject.casefile_id", "in_use")], "subject.casefile_id: cannot change: 3 tasks depend on it")
    assert faults(patch(server, SUBJECT, subject["id"], casefile_id=99999, colour="red")) == [
        ("subject.casefile_id", "in_use"), ("subject.casefile_id", "not_found"),
        ("subject.colour", "unknown_field")]
    assert change(server, SUBJECT, subject["id"], casefile_id=case["id"]) == subject
    assert change(server, SUBJECT, subject["id"], casefile_id=case["id"], notes="n")["notes"] == "n"
    for number in tasks[:2]:
        change(server, TASK, number, subject_id=None)
    reply = patch(server, SUBJECT, subject["id"], casefile_id=245)
    assert "1 task depends" in problem(reply, 409, fields=True)["detail"]
    assert send(server, "DELETE", f"{TASK.path}/{tasks[2]}").status == 204
    assert change(server, SUBJECT, subject["id"], casefile_id=245)["casefile_id"] == 245
    assert faults(patch(server, SUBJECT, subject["id"], casefile_id=99999)) == [
        ("subject.casefile_id", "not_found")]


def test_a_service_stays_attached_while_tasks_need_it(server):
    services = [create(server, SERVICE)["id"] for _ in range(3)]
    case = create(server, CASE, case_services_list=services[:2])
    number = create(server, TASK, casefile_id=case["id"], case_service_id=services[0])["id"]
    reply = patch(server, CASE, case["id"], case_services_list=services[1:])
    assert (faults(reply, 409), reply.json["errors"][0]["message"]) == (
        [("casefile.case_services_list", "in_use")],
        f"must keep case service {services[0]}: 1 task depends on it")
    assert get(server, CASE, case["id"]).json == case
    changed = change(server, CASE, case["id"], case_services_list=[services[2], services[0]])
    assert changed["case_services_list"] == [services[0], services[2]]
    change(server, TASK, number, case_service_id=services[2])
    other = create(server, TASK, casefile_id=case["id"], case_service_id=services[0])["id"]
    assert faults(patch(server, CASE, case["id"], case_services_list=[]), 409) == [
        ("casefile.case_services_list", "in_use")] * 2
    change(server, TASK, other, case_service_id=None)
    assert change(server, CASE, case["id"], case_services_list=[services[2]])
    change(server, TASK, number, case_service_id=None)
    assert change(server, CASE, case["id"], case_services_list=[])["case_services_list"] == []


def test_the_last_with_full_access(make_server):
    server = make_server()
    assert faults(patch(server, STAFF, 1, access_level="limited"), 409) == [
        ("staff.access_level", "in_use")]
    other = create(server, STAFF)
    assert change(server, STAFF, 1, access_level="limited")["access_level"] == "limited"
    problem(get(server, STAFF, 1), 403)
    server.user = other["username"]
    assert faults(patch(server, STAFF, other["id"], access_level="disabled"), 409) == [
        ("staff.access_level", "in_use")]


@pytest.mark.parametrize("kind, field, first, second", cases([
    ("a case number", CASE, "case_number", "first number", "second number"),
    ("a user name", STAFF, "username", "first-name", "second-name")]))
def test_what_is_unique_stays_so(server, kind, field, first, second):
    one, two = (create(server, kind, **{field: value}) for value in (first, second))
    reply = patch(server, kind, two["id"], **{field: first})
    assert faults(reply) == [(f"{kind.wrapper}.{field}", "taken")]
    assert messages(reply)[f"{kind.wrapper}.{field}"].endswith(f" {one['id']}")
    assert faults(post(server, kind, **{field: second})) == [(f"{kind.wrapper}.{field}", "taken")]
    assert change(server, kind, one["id"], **{field: "third-" + first})
    assert change(server, kind, two["id"], **{field: first})


def test_the_check_finds_nothing(server):
    done = run("check", *backends.where(server.data))
    assert done.returncode == 0, done.stdout
