"""The records that tasks name: the accepted values of each field, and the answers."""
import datetime
import json
from urllib.parse import quote

import pytest

import admin
import backends
from harness import JSON, basic, cases, faults, messages, problem
from records import (CALENDAR, CASE, EACH, KINDS, SERVICE, STAFF, SUBJECT, TASK, create, get, least,
                     patch, post, send)
from together import until

pytestmark = backends.BOTH



@pytest.fixture(scope="module")
def server(own_server):
    return own_server


@EACH
def test_the_least_that_makes_one(server, kind):
    fields = least(kind)
    reply = send(server, "POST", kind.path, {kind.wrapper: fields})
    assert reply.status == 201, reply
    record = reply.json
    rest = {name: record[name] for name in ("id", "created_at", "updated_at")}
    if kind is CASE:
        rest["created_on"] = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    assert record == {**fields, **kind.rest, **rest}
    assert list(record)[0] == "id"
    assert list(record)[-3:] == ["external_id", "created_at", "updated_at"]
    assert reply.header("Location") == f"{kind.path}/{record['id']}"
    read = get(server, kind, record["id"])
    assert read.body == reply.body and read.header("ETag") == reply.header("ETag")
    assert record in send(server, "GET", f"{kind.path}?id={record['id']}").json


@EACH
def test_what_must_be_given(server, kind):
    reply = send(server, "POST", kind.path, {kind.wrapper: {}})
    assert faults(reply) == sorted((f"{kind.wrapper}.{name}", "required") for name in kind.least
                                   if name in kind.least)
    assert faults(send(server, "POST", kind.path, {})) == [(kind.wrapper, "required")]


ACCEPTED = [(f"{kind.wrapper} {field}={sent!r:.40}", kind, field, sent, got)
            for kind, field, sent, got in [
    (CASE, "status", "closed", "closed"), (CASE, "created_on", "2020-02-29", "2020-02-29"),
    (CASE, "created_on", "2020-02-29T00:00:00", "2020-02-29"),
    (CASE, "due_on", "9999-12-31", "9999-12-31"), (CASE, "due_on", "", None),
    (CASE, "due_on", None, None), (CASE, "case_services_list", [2, "1", 2], [1, 2]),
    (CASE, "notes", "x\ny" * 21845, "x\ny" * 21845),
    (CASE, "reference_value_1", "a, b", "a, b"), (CASE, "reference_value_3", None, ""),
    (SUBJECT, "is_primary", True, True), (SUBJECT, "is_primary", None, False),
    (SUBJECT, "middle_name", "\u00e9", "\u00e9"), (SUBJECT, "casefile_id", "246", 246),
    (STAFF, "is_vendor", True, True), (STAFF, "time_zone", "Europe/Zurich", "Europe/Zurich"),
    (STAFF, "time_zone", "", "UTC"), (STAFF, "email", "a@b", "a@b"),
    (STAFF, "access_level", "disabled", "disabled"),
    (CALENDAR, "color", "#ABCdef", "#abcdef"), (CALENDAR, "color", "", "#3366cc"),
    (CALENDAR, "description", "two\nlines", "two\nlines"),
    *[(kind, "external_id", value, got) for kind in KINDS
      for value, got in [(f"key-{kind.wrapper}, \u6f22", f"key-{kind.wrapper}, \u6f22"),
                         ("", None), (None, None)]]]]


@pytest.mark.parametrize("kind, field, sent, got", cases(ACCEPTED))
def test_accepted(server, kind, field, sent, got):
    record = create(server, kind, **{field: sent})
    assert record[field] == got and type(record[field]) is type(got)
    assert get(server, kind, record["id"]).json == record


REFUSED = [(f"{kind.wrapper} {field}={sent!r:.30}", kind, field, sent, code)
           for kind, field, sent, code in [
    (CASE, "case_number", "  ", "blank"), (CASE, "case_number", "a\nb", "control"),
    (CASE, "case_number", "x" * 256, "too_long"), (CASE, "case_number", 5, "type"),
    (CASE, "case_number", "DEMO-245", "taken"), (CASE, "status", "shut", "choice"),
    (CASE, "created_on", "2023-02-30", "format"), (CASE, "created_on", 20230214, "type"),
    (CASE, "due_on", "2023-02-14T01:00:00", "format"), (CASE, "due_on", False, "type"),
    (CASE, "notes", "x" * 65536, "too_long"), (CASE, "reference_value_2", "x" * 256, "too_long"),
    (CASE, "case_services_list", "1", "type"),
    (SUBJECT, "casefile_id", 99999, "not_found"), (SUBJECT, "last_name", "", "required"),
    (SUBJECT, "is_primary", "true", "type"), (SUBJECT, "is_primary", 1, "type"),
    (SUBJECT, "notes", "x" * 65536, "too_long"),
    (STAFF, "username", "a:b", "format"), (STAFF, "username", "admin", "taken"),
    (STAFF, "email", "nobody", "format"), (STAFF, "access_level", "root", "choice"),
    (STAFF, "time_zone", "Mars/Olympus", "choice"), (STAFF, "time_zone", "GMT+5", "choice"),
    (STAFF, "is_vendor", "no", "type"), (STAFF, "token", "x", "unknown_field"),
    (STAFF, "hash", "x", "unknown_field"), (STAFF, "time_zone_", "UTC", "unknown_field"),
    (STAFF, "last_name_folded", "x", "unknown_field"),
    (CALENDAR, "color", "red", "format"), (CALENDAR, "color", "#12345g", "format"),
    (CALENDAR, "color", "#12345678", "too_long"), (CALENDAR, "name", "x" * 256, "too_long"),
    (SERVICE, "name", None, "required"), (SERVICE, "price", 1, "unknown_field"),
    *[(kind, "external_id", value, code) for kind in KINDS
      for value, code in [(5, "type"), ("x" * 256, "too_long"), (" ", "blank"),
                          ("a\tb", "control")]],
    *[(kind, field, value, "read_only") for kind in KINDS
      for field, value in [("id", 5), ("created_at", "2023-02-14T00:00:00Z"),
                           ("updated_at", "x")]]]]


@pytest.mark.parametrize("kind, field, sent, code", cases(REFUSED))
def test_refused(server, kind, field, sent, code):
    before = send(server, "GET", f"{kind.path}?mode=count").json
    assert faults(post(server, kind, **{field: sent})) == [(f"{kind.wrapper}.{field}", code)]
    assert send(server, "GET", f"{kind.path}?mode=count").json == before


def test_the_longest_names(server):
    """The joined name is a key of an index, and PostgreSQL limits those; these characters do not compress."""
    names = ["".join(chr(0x20000 + 97 * (255 * part + number) % 42000) for number in range(255))
             for part in range(3)]
    fields = dict(zip(("first_name", "middle_name", "last_name"), names))
    made = create(server, SUBJECT, **fields)
    assert {name: made[name] for name in fields} == fields
    found = server.call("GET", f"{SUBJECT.path}?sort=name&per_page=500&name=" + quote(names[0][:20])).json
    assert [subject["id"] for subject in found] == [made["id"]]
    assert patch(server, SUBJECT, made["id"], first_name="Jane").status == 200


def test_services_of_a_case_that_are_not_there(server):
    reply = post(server, CASE, case_services_list=[1, 99, 2, 98])
    assert messages(reply) == {
        "casefile.case_services_list[1]": "99: no such case service",
        "casefile.case_services_list[3]": "98: no such case service"}


@EACH
def test_an_external_id_is_unique_in_its_kind_alone(server, kind):
    first = create(server, kind, external_id="one of all kinds")
    reply = post(server, kind, external_id="one of all kinds")
    assert faults(reply) == [(f"{kind.wrapper}.external_id", "taken")]
    assert str(first["id"]) in problem(reply, 422)["detail"]
    # docket compares it by code point.
    other = create(server, kind, external_id="One of all kinds")
    assert faults(patch(server, kind, other["id"], external_id="one of all kinds")) == [
        (f"{kind.wrapper}.external_id", "taken")]
    assert patch(server, kind, first["id"], external_id="one of all kinds").status == 200
    assert patch(server, kind, first["id"], external_id=None).json["external_id"] is None
    assert patch(server, kind, other["id"], external_id="one of all kinds").status == 200
    found = send(server, "GET", f"{kind.path}?external_id=one%20of%20all%20kinds").json
    assert [record["id"] for record in found] == [other["id"]]


def test_the_defaults_of_an_account(two, base_of_two, tmp_path):
    """A new staff member gets the account's time zone, and a new case the present day in that zone."""
    def utc():
        return datetime.datetime.now(datetime.timezone.utc)

    # Around midnight in UTC no zone has another day all the time.
    until(lambda: (utc() + datetime.timedelta(minutes=1)).date() == utc().date(), seconds=120)
    zone = "Pacific/Kiritimati" if utc().hour >= 10 else "Pacific/Pago_Pago"
    admin.docket(two, "account set", "second", "--time-zone", zone)
    pair = admin.Pair(two, base_of_two[1], tmp_path / "log")
    try:
        def send(method, path, wrapper=None, fields=None):
            reply = pair.server.call(
                method, path, json.dumps({wrapper: fields}).encode() if wrapper else b"",
                {**JSON, "Host": "second." + admin.DOMAIN},
                access=basic("admin/token", base_of_two[1]["second"]))
            assert reply.status in (200, 201), reply
            return reply.json

        def made(kind, query=""):
            return send("POST", kind.path + query, kind.wrapper, least(kind))

        staff = made(STAFF)
        assert staff["time_zone"] == made(STAFF, "?dry_run=1")["time_zone"] == zone
        path = f"{STAFF.path}/{staff['id']}"
        assert send("PATCH", path, "staff", {"time_zone": "UTC"})["time_zone"] == "UTC"
        assert send("PATCH", path, "staff", {"time_zone": None})["time_zone"] == zone
        admin.docket(two, "staff add", "by-command", "--account", "second")
        by_command = admin.listed(two, "staff list", "--account", "second")[-1]["id"]
        assert send("GET", f"{STAFF.path}/{by_command}")["time_zone"] == zone
        offset = 14 if zone.endswith("Kiritimati") else -11
        there = datetime.timezone(datetime.timedelta(hours=offset))
        today = datetime.datetime.now(there).date()
        assert made(CASE)["created_on"] == today.isoformat()
        assert today != utc().date()
    finally:
        pair.server.stop()


def test_every_kind_names_what_it_is(server):
    """A task may name records that were made through the API."""
    service = create(server, SERVICE)
    case = create(server, CASE, case_services_list=[service["id"]])
    subject = create(server, SUBJECT, casefile_id=case["id"])
    task = create(server, TASK, casefile_id=case["id"], subject_id=subject["id"],
                  case_service_id=service["id"], calendar_id=create(server, CALENDAR)["id"],
                  users_list=[create(server, STAFF)["id"]])
    assert send(server, "GET", f"{TASK.path}?case={case['id']}").json == [task]
