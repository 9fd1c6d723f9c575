"""The history of a record, and the changes of an account: GET …/{id}/history and /changes."""
import pytest

import backends
import harness
from harness import TASKS, cases, problem

pytestmark = backends.BOTH

CHANGES = "/api/v1/changes"


def get(server, path):
    reply = server.call("GET", path)
    assert reply.status == 200, reply
    assert reply.header("Content-Type") == "application/json"
    return reply.json


def changes(server, since=0):
    """All changes, page by page."""
    found = []
    while True:
        answer = get(server, f"{CHANGES}?since={since}")
        assert list(answer) == ["changes", "last"]
        if not answer["changes"]:
            assert answer["last"] == since
            return found
        assert answer["last"] == answer["changes"][-1]["change"]
        found += answer["changes"]
        since = answer["last"]


def test_a_task_that_was_made(server):
    task = server.create(title="History", users_list=[2])
    entry, = get(server, f"{TASKS}/{task['id']}/history")
    assert list(entry) == ["change", "at", "staff_id", "action", "fields"]
    assert (entry["staff_id"], entry["action"], entry["at"]) == (1, "create", task["created_at"])
    told = {name: value for name, value in task.items()
            if name not in ("id", "created_at", "updated_at")}
    assert entry["fields"] == {name: {"from": None, "to": value} for name, value in told.items()
                               if value is not None}
    assert {"external_id", "address"} <= {name for name, value in told.items() if value is None}


def test_what_never_was(server):
    for id in ("999999", "x", "0", "18446744073709551617"):
        problem(server.call("GET", f"{TASKS}/{id}/history"), 404)


def test_the_changes_of_an_account(make_server):
    server = make_server()
    before = changes(server)
    assert [change["change"] for change in before] == list(range(1, len(before) + 1))
    assert {"staff", "calendar", "casefile", "subject", "case_service"} == {
        change["record"] for change in before}
    task = server.create(title="A change")
    change, = changes(server, len(before))
    assert list(change) == ["change", "at", "staff_id", "record", "id", "action", "value"]
    assert change == {"change": len(before) + 1, "at": task["created_at"], "staff_id": 1,
                      "record": "task", "id": task["id"], "action": "create", "value": task}
    assert changes(server, len(before) + 1) == []


@pytest.mark.slow
def test_at_most_a_thousand(make_server, new_place):
    data = new_place("many")
    token = harness.make_data(data, tasks=1100)
    server = make_server(data, token)
    first = get(server, CHANGES + "?since=0")
    assert len(first["changes"]) == first["last"] == 1000
    every = changes(server)
    assert [change["change"] for change in every] == list(range(1, len(every) + 1))
    assert len(every) > 1100


@pytest.mark.parametrize("path, query, code", cases([
    ("changes: not a number", CHANGES, "since=x", "format"),
    ("changes: negative", CHANGES, "since=-1", "format"),
    ("changes: empty", CHANGES, "since=", "format"),
    ("changes: too large", CHANGES, "since=18446744073709551616", "range"),
    ("changes: beyond the last", CHANGES, "since=900000000000", "range"),
    ("changes: twice", CHANGES, "since=1&since=2", "repeated"),
    ("changes: another", CHANGES, "page=2", "unknown_field"),
    ("history: not a number", TASKS + "/1/history", "since=x", "format"),
    ("history: too many", TASKS + "/1/history", "per_page=501", "range"),
    ("history: none", TASKS + "/1/history", "per_page=0", "range"),
    ("history: another", TASKS + "/1/history", "page=2", "unknown_field"),
]))
def test_parameters_at_fault(server, path, query, code):
    server.create()
    (field, found), = harness.faults(server.call("GET", f"{path}?{query}"), 400)
    assert (field, found) == (query.split("=")[0], code)
