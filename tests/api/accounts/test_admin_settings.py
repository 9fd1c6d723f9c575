"""The settings of an account, over HTTP, while docket serves: they apply from the next request on,
and not to another account."""
import contextlib
import re

import pytest

from harness import FIELDS, JSON, TASKS, cases, faults, problem, task_json
from tables import whole

DEFAULTS = ["--country", "US", "--require-case", "yes", "--expand", "none", "--alert-hour",
            "00:00", "--time-zone", "UTC"]


@contextlib.contextmanager
def setting(pair, *options, account="first"):
    pair.do("account set", account, *options)
    try:
        yield
    finally:
        pair.do("account set", account, *DEFAULTS)


def post(pair, account="first", without=(), path=TASKS, headers=(), **fields):
    body = task_json(without, **fields)
    return pair.ask(account, "POST", path, body, {**JSON, **dict(headers)})


def create(pair, account="first", without=(), **fields):
    reply = post(pair, account, without, **fields)
    assert reply.status == 201, reply
    assert pair.ask(account, path=reply.header("Location")).json["id"] == reply.json["id"]
    return reply.json


# country: the default country of addresses

@pytest.mark.parametrize("country, sent, got", cases([
    ("none is set", None, {"city": "Denver", "state": "co", "zip": 2134},
     {"city": "Denver", "state": "CO", "zip": "02134", "country": "US"}),
    ("its own", "DE", {"city": "Berlin"}, {"city": "Berlin", "country": "DE"}),
    ("its subdivisions", "DE", {"state": "be"}, {"state": "BE", "country": "DE"}),
    ("a zip is not padded", "DE", {"zip": 1067}, {"zip": "1067", "country": "DE"}),
    ("the address says another", "DE", {"state": "CO", "zip": 501, "country": "us"},
     {"state": "CO", "zip": "00501", "country": "US"}),
    ("the address says it is empty", "IE", {"state": "d", "country": ""},
     {"state": "D", "country": "IE"}),
    ("the address says null", "IE", {"state": "D", "country": None},
     {"state": "D", "country": "IE"}),
    ("a country without codes", "GI", {"state": "UPPER TOWN"},
     {"state": "UPPER TOWN", "country": "GI"}),
]))
def test_country(pair, country, sent, got):
    options = ["--country", country] if country else ["--expand", "none"]
    with setting(pair, *options):
        record = create(pair, address=sent)
        assert record["address"] == whole(**got)
        # The default country alone makes no address.
        assert create(pair)["address"] is None
        assert create(pair, address={"city": " "})["address"] is None
        # The other account has its own default.
        assert create(pair, "second", address={"city": "x"})["address"] == whole(city="x")
    # Stored records do not change.
    path = f"{TASKS}/{record['id']}"
    assert pair.ask("first", path=path).json == record


@pytest.mark.slow
def test_the_states_are_those_of_the_country(pair):
    for country, state, wrong in (("US", "CO", "BE"), ("DE", "BE", "CO"), ("AU", "NSW", "CO")):
        with setting(pair, "--country", country):
            assert create(pair, address={"state": state})["address"]["country"] == country
            assert faults(post(pair, address={"state": wrong})) == [
                ("task.address.state", "choice")]


# require-case: whether a task must have a case

WITHOUT = [("left out", {"without": ["casefile_id"]}), ("null", {"casefile_id": None}),
           ("empty", {"casefile_id": ""})]


@pytest.mark.parametrize("fields", cases(WITHOUT))
def test_require_case(pair, fields):
    assert faults(post(pair, **fields)) == [("task.casefile_id", "required")]
    with setting(pair, "--require-case", "no"):
        record = create(pair, **fields)
        assert list(record) == FIELDS
        assert (record["casefile_id"], record["subject_id"], record["case_service_id"]) == (
            None, None, None)
        path = f"{TASKS}/{record['id']}"
        assert pair.ask("first", path=path).json == record
        assert faults(post(pair, "second", **fields)) == [("task.casefile_id", "required")]
    assert faults(post(pair, **fields)) == [("task.casefile_id", "required")]
    # A stored task does not change, and lists find it.
    assert pair.ask("first", path=path).json == record
    found = pair.ask("first", path=f"{TASKS}?case=none&id={record['id']}")
    assert found.json == [record]
    (found,) = pair.ask("first", path=f"{TASKS}?expand=case&id={record['id']}").json
    assert found["Casefile"] is None and found["casefile_id"] is None
    assert pair.ask("first", path=path + "?expand=case").json["Casefile"] is None


@pytest.mark.parametrize("fields, fields_at_fault", cases([
    ("a subject", {"subject_id": 209}, ["task.subject_id"]),
    ("a case service", {"case_service_id": 1}, ["task.case_service_id"]),
    ("both", {"subject_id": 209, "case_service_id": 1},
     ["task.case_service_id", "task.subject_id"]),
    ("a subject there is not", {"subject_id": 9999}, ["task.subject_id"]),
]))
@pytest.mark.parametrize("casefile", cases(WITHOUT))
def test_what_belongs_to_a_case_needs_one(pair, casefile, fields, fields_at_fault):
    with setting(pair, "--require-case", "no"):
        count = pair.ask("first", path=TASKS + "?mode=count").json
        wrong = faults(post(pair, **casefile, **fields))
        assert sorted({field for field, _ in wrong}) == fields_at_fault
        assert ("task.subject_id", "mismatch") in wrong or "subject_id" not in fields
        assert ("task.case_service_id", "mismatch") in wrong or "case_service_id" not in fields
        assert {code for _, code in wrong} <= {"mismatch", "not_found"}
        assert pair.ask("first", path=TASKS + "?mode=count").json == count


def test_a_case_that_is_named_counts_also_where_none_is_required(pair):
    with setting(pair, "--require-case", "no"):
        record = create(pair, subject_id=209, case_service_id=1)
        assert (record["casefile_id"], record["subject_id"]) == (245, 209)
        assert faults(post(pair, casefile_id=9999)) == [("task.casefile_id", "not_found")]
        assert faults(post(pair, casefile_id="x")) == [("task.casefile_id", "format")]
        assert faults(post(pair, subject_id=210)) == [("task.subject_id", "mismatch")]
        assert faults(post(pair, without=["title", "casefile_id", "due_on", "calendar_id"])) == [
            ("task.calendar_id", "required"), ("task.due_on", "required"),
            ("task.title", "required")]


# expand: the default of expand

NAMES = {"case": "Casefile", "calendar": "Calendar", "subject": "Subject",
         "case_service": "CaseService", "users": "Users"}


def expanded(record):
    return [key for key in record if key not in FIELDS]


@pytest.mark.parametrize("names", [["case"], ["users"], ["case", "users"], ["users", "calendar"],
                                   ["case", "case"], list(NAMES)])
def test_expand(pair, names):
    record = create(pair, subject_id=209, case_service_id=1, users_list=[1, 2])
    path, wanted = f"{TASKS}/{record['id']}", {NAMES[name] for name in names}
    asked = pair.ask("first", path=f"{path}?expand={','.join(names)}")
    listing = pair.ask("first", path=f"{TASKS}?id={record['id']}&expand={','.join(names)}")
    with setting(pair, "--expand", ",".join(names)):
        # The answer is the same as if the request had sent expand.
        reply = pair.ask("first", path=path)
        assert reply.body == asked.body and set(expanded(reply.json)) == wanted
        assert reply.header("ETag") is None
        reply = pair.ask("first", path=f"{TASKS}?id={record['id']}")
        assert reply.body == listing.body and set(expanded(reply.json[0])) == wanted
        head = pair.ask("first", "HEAD", path)
        assert (head.status, head.header("ETag")) == (200, None)
        assert int(head.header("Content-Length")) == len(asked.body)
        # The request's own expand takes precedence.
        for name, key in NAMES.items():
            reply = pair.ask("first", path=f"{path}?expand={name}")
            assert expanded(reply.json) == [key] and reply.header("ETag") is None
            reply = pair.ask("first", path=f"{TASKS}?id={record['id']}&expand={name}")
            assert expanded(reply.json[0]) == [key]
        both = pair.ask("first", path=f"{path}?expand=calendar&expand=subject").json
        assert set(expanded(both)) == {"Calendar", "Subject"}
        # The default applies neither to counts nor to creates, and not to another account.
        assert pair.ask("first", path=f"{TASKS}?mode=count&id={record['id']}").json == {
            "record_count": 1, "page_count": 1}
        made = post(pair)
        assert list(made.json) == FIELDS and made.header("ETag")
        other = pair.ask("second", path=TASKS + "/1")
        assert list(other.json) == FIELDS and other.header("ETag")
    reply = pair.ask("first", path=path)
    assert reply.json == record and reply.header("ETag")


def test_expand_does_not_hide_what_is_wrong(pair):
    with setting(pair, "--expand", "case"):
        for query in ("expand=cases", "expand=", "expand=case,", "expands=case"):
            for path in (TASKS, TASKS + "/1"):
                assert len(faults(pair.ask("first", path=f"{path}?{query}"), 400)) == 1
        problem(pair.ask("first", path=TASKS + "/9999"), 404)
        plain = pair.ask("first", path=TASKS + "/9999?expand=users")
        assert plain.body == pair.ask("first", path=TASKS + "/9999").body


def test_a_walk_through_a_list_that_expands(pair):
    """The pages by cursor expand the same records."""
    ids = [record["id"] for record in pair.ask("second").json]
    with setting(pair, "--expand", "users,case", account="second"):
        path, seen = TASKS + "?per_page=2&sort=due_on", []
        while path:
            reply = pair.ask("second", path=path)
            for record in reply.json:
                assert set(expanded(record)) == {"Users", "Casefile"}
                seen.append(record["id"])
            following = re.search(r'<([^>]+)>; rel="next"', reply.header("Link") or "")
            path = following and following[1]
    assert sorted(seen) == sorted(ids)


# alert-hour: the time that a bare date in alert_at means

MIDNIGHT = ["--time-zone", "UTC", "--alert-hour", "00:00"]


def at(zone, hour):
    return ["--time-zone", zone, "--alert-hour", hour]


ALERTS = [
    ("by default", MIDNIGHT, "2023-02-01", "2023-02-01T00:00:00Z"),
    ("an hour in UTC", at("UTC", "09:30"), "2023-07-01", "2023-07-01T09:30:00Z"),
    ("winter", at("Europe/Berlin", "09:00"), "2023-02-01", "2023-02-01T08:00:00Z"),
    ("summer", at("Europe/Berlin", "09:00"), "2023-07-01", "2023-07-01T07:00:00Z"),
    ("winter in the west", at("America/New_York", "17:45"), "2023-02-01", "2023-02-01T22:45:00Z"),
    ("summer in the west", at("America/New_York", "17:45"), "2023-07-01", "2023-07-01T21:45:00Z"),
    ("summer in the south", at("Australia/Sydney", "09:00"), "2023-02-01", "2023-01-31T22:00:00Z"),
    ("the day before", at("Pacific/Kiritimati", "00:00"), "2023-02-01", "2023-01-31T10:00:00Z"),
    ("the day after", at("Pacific/Pago_Pago", "23:59"), "2023-02-28", "2023-03-01T10:59:00Z"),
    ("half an hour", at("Asia/Kolkata", "09:00"), "2023-02-01", "2023-02-01T03:30:00Z"),
    ("a quarter", at("Asia/Kathmandu", "00:00"), "2024-02-29", "2024-02-28T18:15:00Z"),
    ("a fixed zone", at("Etc/GMT+5", "09:00"), "2023-07-01", "2023-07-01T14:00:00Z"),
    # Clocks go forward from 02:00 to 03:00. A time in the skipped hour uses the old offset.
    ("before the skipped hour", at("Europe/Berlin", "01:59"), "2023-03-26", "2023-03-26T00:59:00Z"),
    ("the skipped hour begins", at("Europe/Berlin", "02:00"), "2023-03-26", "2023-03-26T01:00:00Z"),
    ("the skipped hour", at("Europe/Berlin", "02:30"), "2023-03-26", "2023-03-26T01:30:00Z"),
    ("behind the skipped hour", at("Europe/Berlin", "03:00"), "2023-03-26", "2023-03-26T01:00:00Z"),
    ("skipped in the west", at("America/New_York", "02:30"), "2023-03-12", "2023-03-12T07:30:00Z"),
    ("a skipped half", at("Australia/Lord_Howe", "02:15"), "2023-10-01", "2023-09-30T15:45:00Z"),
    ("a skipped midnight", at("America/Santiago", "00:00"), "2023-09-03", "2023-09-03T04:00:00Z"),
    ("a skipped day", at("Pacific/Apia", "09:00"), "2011-12-30", "2011-12-30T19:00:00Z"),
    # Clocks go back from 03:00 to 02:00. A time in the doubled hour is the first of the two.
    ("before the doubled hour", at("Europe/Berlin", "01:59"), "2023-10-29", "2023-10-28T23:59:00Z"),
    ("the doubled hour begins", at("Europe/Berlin", "02:00"), "2023-10-29", "2023-10-29T00:00:00Z"),
    ("the doubled hour", at("Europe/Berlin", "02:30"), "2023-10-29", "2023-10-29T00:30:00Z"),
    ("behind the doubled hour", at("Europe/Berlin", "03:00"), "2023-10-29", "2023-10-29T02:00:00Z"),
    ("doubled in the west", at("America/New_York", "01:30"), "2023-11-05", "2023-11-05T05:30:00Z"),
    # Far in the past and in the future, by the Gregorian calendar.
    ("before time zones", at("Europe/Berlin", "09:00"), "1500-03-01", "1500-03-01T08:06:32Z"),
    ("a leap day of then", at("America/New_York", "09:00"), "1200-02-29", "1200-02-29T13:56:02Z"),
    ("the first year", MIDNIGHT, "1000-01-01", "1000-01-01T00:00:00Z"),
    ("far ahead", at("Europe/Berlin", "09:00"), "2400-07-01", "2400-07-01T07:00:00Z"),
    ("the last day", at("Europe/Berlin", "23:59"), "9999-12-31", "9999-12-31T22:59:00Z"),
]


@pytest.mark.parametrize("options, sent, got", cases(ALERTS))
def test_a_bare_date_in_alert_at(pair, options, sent, got):
    with setting(pair, *options):
        record = create(pair, alert_at=sent)
        assert record["alert_at"] == got
        # Other accounts, other fields and filters still use midnight UTC.
        assert create(pair, "second", alert_at=sent)["alert_at"] == sent + "T00:00:00Z"
        other = create(pair, due_on=sent, status="complete", complete_at=sent)
        assert (other["due_on"], other["complete_at"]) == (sent, sent + "T00:00:00Z")
        day = got[:10]
        found = pair.ask("first", path=f"{TASKS}?alert_from={day}&alert_to={day}"
                                       f"&id={record['id']}")
        assert found.json == [record]
    # Stored times do not change when the setting changes.
    assert pair.ask("first", path=f"{TASKS}/{record['id']}").json == record


@pytest.mark.parametrize("sent, got", [
    ("2023-02-01T00:00:00Z", "2023-02-01T00:00:00Z"),
    ("2023-02-01T00:00:00", "2023-02-01T00:00:00Z"),
    ("2023-07-01 09:00:00", "2023-07-01T09:00:00Z"),
    ("2023-07-01T09:00:00+02:00", "2023-07-01T07:00:00Z"),
    ("2023-03-26T02:30:00Z", "2023-03-26T02:30:00Z"),
    ("2023-07-01T09:00:00.9-0500", "2023-07-01T14:00:00Z"),
    ("", None), (None, None)])
def test_a_full_timestamp_in_alert_at_is_left_alone(pair, sent, got):
    with setting(pair, *at("Europe/Berlin", "09:00")):
        assert create(pair, alert_at=sent)["alert_at"] == got


@pytest.mark.parametrize("options, sent", cases([
    ("behind the last year", at("America/New_York", "20:00"), "9999-12-31"),
    ("before the first", at("Europe/Berlin", "00:00"), "1000-01-01"),
    ("no day", at("Europe/Berlin", "09:00"), "2023-02-30"),
    ("a year too far", at("Europe/Berlin", "09:00"), "0999-12-31"),
    ("a day and a zone", at("Europe/Berlin", "09:00"), "2023-02-01Z"),
]))
def test_a_date_in_alert_at_that_is_none(pair, options, sent):
    with setting(pair, *options):
        count = pair.ask("first", path=TASKS + "?mode=count").json
        assert faults(post(pair, alert_at=sent)) == [("task.alert_at", "format")]
        assert pair.ask("first", path=TASKS + "?mode=count").json == count
