"""The answer to a mistake: its detail comes first, because some clients show only that."""
import json

import pytest

from harness import JSON, MINIMAL, TASKS, cases, faults, messages, problem, task, task_json
from records import CALENDAR, KINDS, send

API = "/api/v1"
WRAPPED = 'is required: put the fields inside "{0}": {{"{0}": {{...}}}}'


def detail(reply, status=422):
    return problem(reply, status, fields=True)["detail"]


# The wrapper

@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.wrapper)
def test_fields_without_their_wrapper_are_one_fault(server, kind):
    reply = send(server, "POST", kind.path, kind.least)
    assert faults(reply) == [(kind.wrapper, "required")]
    said = f"{kind.wrapper}: {WRAPPED.format(kind.wrapper)}"
    assert detail(reply) == said
    # The vendor's client shows 120 bytes of the answer.
    assert json.dumps(said)[1:-1].encode() in reply.body[:120]


@pytest.mark.parametrize("body, said", cases([
    ("nothing in it", {}, ""),
    ("null", {"task": None}, ""),
    ("another case", {"Task": MINIMAL}, ', not inside "Task"'),
    ("plural", {"tasks": MINIMAL}, ', not inside "tasks"'),
    ("an envelope", {"data": {"task": MINIMAL}}, ', not inside "data"'),
    ("two of them", {"data": MINIMAL, "meta": {}}, ""),
    ("an address alone", {"address": {"city": "Denver"}}, ""),
    ("an array", [task()], "; got an array"),
    ("no array", [], "; got an array"),
    ("a text", "task", "; got a string"),
    ("a number", 5, "; got an integer"),
    ("a fraction", 1.5, "; got a number with a fraction"),
    ("true", True, "; got true"),
    ("nothing", None, "; got null"),
]))
def test_another_body(server, body, said):
    number = server.create()["id"]
    for method, path in (("POST", TASKS), ("PATCH", f"{TASKS}/{number}")):
        reply = server.call(method, path, json.dumps(body).encode(), JSON)
        assert messages(reply) == {"task": WRAPPED.format("task") + said}


def test_what_is_in_the_wrong_place(server):
    assert messages(server.post({**task(), "title": "x"})) == {
        "title": "is not a known field; did you mean task.title?"}
    assert messages(server.post({**task(), "extra": "x"})) == {"extra": "is not a known field"}
    assert messages(server.post({"task": task()}))["task.task"] == (
        "is not a known field: move its fields one level up")


def test_a_bulk_without_its_operations(server):
    wanted = 'is required: put the operations inside "operations": {"operations": [...]}'
    for body, more in (({"create": MINIMAL}, ""), ([{"create": MINIMAL}], "; got an array"),
                       ("x", "; got a string")):
        reply = send(server, "POST", f"{TASKS}/bulk", body)
        assert messages(reply) == {"operations": wanted + more}
    reply = send(server, "POST", f"{TASKS}/bulk", {"operations": [{"create": task()}]})
    assert messages(reply)["operations[0].task"] == (
        "is not a known field: move its fields one level up")


# Several faults

def test_each_field_with_its_message_and_the_most_useful_first(server):
    reply = server.post(task(without=["due_on"], casefile_id=999, users_list=[1, 99], titel="x",
                             status="open", body=5))
    assert detail(reply) == (
        'task.titel: is not a known field; did you mean task.title?; task.due_on: is required; '
        'task.body: must be a string; got an integer; task.status: must be one of none, '
        'needs_action, in_progress, complete; got "open"; task.casefile_id: 999: no such case; '
        'task.users_list[1]: 99: no such staff member')
    # `errors` keeps the order in which docket found them: faults of form first, in the order of the
    # fields.
    assert [error["field"] for error in reply.json["errors"]] == [
        "task.status", "task.due_on", "task.body", "task.titel", "task.casefile_id",
        "task.users_list[1]"]


def test_one_message_of_several_fields_is_told_once(server):
    assert detail(server.post(task(casefile_id=998, calendar_id=999, title="", due_on=None))) == (
        "task.due_on, task.title: is required; task.casefile_id: 998: no such case; "
        "task.calendar_id: 999: no such calendar")


def test_a_long_detail_is_cut_between_fields(server):
    reply = server.post(task(users_list=[f"wrong {i}" for i in range(60)]))
    said = detail(reply)
    shown = said.count("task.users_list[")
    assert said.startswith('task.users_list[0]: must be an integer; got "wrong 0"; ')
    assert said.endswith(f'; got "wrong {shown - 1}"; and {60 - shown} more') and shown < 10
    assert len(reply.json["errors"]) == 60


def test_a_detail_shows_no_control_characters(server):
    reply = server.post(task(status="a\n\x1b[2J\u202eb", **{"x\ny\u2028": 1}))
    assert messages(reply)["task.status"].endswith('; got "a??[2J?b"')
    said = detail(reply)
    assert said.startswith("task.x?y?: is not a known field; task.status: ") and said.isprintable()
    assert "task.x\ny\u2028" in messages(reply)


# Suggestions

@pytest.mark.parametrize("name", ["limit", "offset", "_", "q", "utm_source", "color", "fields"])
def test_nothing_is_suggested_where_nothing_is_near(server, name):
    reply = server.call("GET", f"{TASKS}?{name}=1")
    assert messages(reply, 400) == {name: "is not a known parameter"}
    assert messages(server.post(task(**{f"z{name}z": 1}))) == {
        f"task.z{name}z": "is not a known field"}


@pytest.mark.parametrize("sent, meant", [("user_list", "users_list"), ("users", "users_list"),
                                         ("case_id", "casefile_id"), ("due_date", "due_on"),
                                         ("Title", "title"), ("alert", "alert_at")])
def test_a_near_field_is_suggested(server, sent, meant):
    assert messages(server.post(task(**{sent: None})))[f"task.{sent}"] == (
        f"is not a known field; did you mean task.{meant}?")


def test_very_many_unknown_fields(server):
    """docket counts all of them, but looks for near names for only a few."""
    reply = server.post(task(**{f"field_number_{i}": 1 for i in range(20000)}))
    assert reply.json["detail"].endswith(" more") and len(reply.json["errors"]) == 100


# Single messages

@pytest.mark.parametrize("fields, field, said", [
    ({"casefile_id": "x"}, "casefile_id", 'must be an integer; got "x"'),
    ({"casefile_id": -5}, "casefile_id", "must be 1 or greater; got -5"),
    ({"casefile_id": "0"}, "casefile_id", "must be 1 or greater; got 0"),
    ({"casefile_id": "9" * 20}, "casefile_id", "is too large; got " + "9" * 20),
    ({"casefile_id": [1]}, "casefile_id", "must be an integer; got an array"),
    ({"casefile_id": 999}, "casefile_id", "999: no such case"),
    ({"subject_id": 210}, "subject_id", "subject 210 does not belong to case 245"),
    ({"title": {}}, "title", "must be a string; got an object"),
    ({"title": "x" * 256}, "title", "must have at most 255 characters; got 256"),
    ({"due_on": "soon"}, "due_on", 'must be a date such as 2023-02-14; got "soon"'),
    ({"due_on": 5}, "due_on", 'must be a date such as "2023-02-14"; got an integer'),
    ({"alert_at": "soon"}, "alert_at",
     'must be a time such as 2023-02-01T00:00:00Z, or a date; got "soon"'),
    ({"complete_at": "2023-02-01"}, "complete_at", "is allowed only with status complete"),
    ({"id": 5}, "id", "is read-only: leave it out"),
    ({"address": {"state": "Colorado"}}, "address.state",
     'must be an ISO 3166-2 code of US such as CO; got "Colorado"'),
    ({"address": {"state": " co "}}, "address.state",
     'must be an ISO 3166-2 code of US such as CO; got " co "'),
    ({"address": {"country": "Uk"}}, "address.country",
     'must be an ISO 3166-1 country code: the United Kingdom is GB; got "Uk"'),
    ({"address": {"country": "Germany"}}, "address.country",
     'must be an ISO 3166-1 country code such as US; got "Germany"'),
])
def test_fields(server, fields, field, said):
    assert messages(server.post(task(**fields))) == {f"task.{field}": said}


def test_a_color(server):
    reply = send(server, "POST", CALENDAR.path, {"calendar": {"name": "x", "color": "red"}})
    assert detail(reply) == 'calendar.color: must be a color such as #3366cc; got "red"'


@pytest.mark.parametrize("query, field, said", [
    ("page=0", "page", "must be 1 or greater; got 0"),
    ("page=" + "9" * 19, "page", "is too large; got " + "9" * 19),
    ("per_page=501", "per_page", "must be from 1 to 500; got 501"),
    ("page=1&page=2", "page", "is given twice"),
    ("from=2023-01-01&due_from=2023-01-01", "due_from", 'is given twice (also as "from")'),
    ("sort=name", "sort", 'must be id, due_on, title, created_at, updated_at, alert_at or '
                          'complete_at; got "name"'),
    ("due_from=soon", "due_from", 'must be a date such as 2023-02-14; got "soon"'),
    ("created_from=soon", "created_from",
     'must be a time such as 2023-02-14T09:30:00Z, or a date such as 2023-02-14; got "soon"'),
    ("page[]=1", "page[]", "is not a known parameter: page takes one value, without brackets"),
])
def test_parameters(server, query, field, said):
    reply = server.call("GET", f"{TASKS}?{query}")
    assert messages(reply, 400) == {field: said}
    assert detail(reply, 400) == f"{field}: {said}"


def test_parameters_of_other_requests(server):
    assert messages(server.call("GET", f"{API}/me?x=1"), 400) == {
        "x": "is not a known parameter; this request takes none"}
    assert messages(server.call("GET", f"{API}/changes?since=999999"), 400)["since"].startswith(
        "is after the account's last change, ")
    for query, said in (("since=x", 'must be an integer; got "x"'), ("since=1&since=1",
                                                                     "is given twice")):
        assert messages(server.call("GET", f"{API}/changes?{query}"), 400) == {"since": said}
    reply = server.call("POST", f"{TASKS}?dry_run=yes", task_json(), JSON)
    assert messages(reply, 400) == {"dry_run": 'must be 0 or 1; got "yes"'}
