"""All faults of a request are counted; 100 of them are told."""
import json

import pytest

from harness import JSON, TASKS, cases, faults, label, problem, task

import backends

pytestmark = backends.BOTH
TOLD = 100


def bulk(server, operations):
    return server.call("POST", f"{TASKS}/bulk", json.dumps({"operations": operations}), JSON)


def check_count(reply, count):
    """A refusal that has so many faults."""
    answer = problem(reply, 422)
    omitted = count - TOLD if count > TOLD else None
    assert len(answer["errors"]) == min(count, TOLD), reply
    assert answer.get("errors_omitted") == omitted, reply
    more = answer["detail"].rsplit("; and ", 1)
    told = [error["field"] for error in answer["errors"] if error["field"] in more[0]]
    assert more[1] == f"{count - len(told)} more", answer["detail"]


@pytest.mark.parametrize("count", [99, 100, 101, 350, 20000])
def test_unknown_fields(server, count):
    check_count(server.post(task(**{f"unknown_{i:06}": i for i in range(count)})), count)


@pytest.mark.parametrize("entry", [0, -1, "", "x" * 3000, "99999999999999999999", None, [], {}],
                         ids=label)
def test_entries_of_a_list(server, entry):
    """With the title, which is missing; it comes behind the fields before it in the table."""
    check_count(server.post(task(without=["title"], users_list=[entry] * 150)), 151)


def test_both_sides_of_the_limit(server):
    """A fault of a rule, which is found last, is counted too."""
    reply = server.post(task(casefile_id=245, subject_id=999999,
                             **{f"unknown_{i:03}": i for i in range(200)}))
    check_count(reply, 201)


@pytest.mark.parametrize("operations, count", cases([
    ("creates without fields", [{"create": {}}] * 100, 400),
    ("creates with unknown fields", [{"create": {f"u{i}": 1 for i in range(150)}}] * 3, 3 * 154),
    ("what is no operation", [7] * 300, 300),
    ("updates of nothing", [{"update": {"id": 10**9 + i}} for i in range(300)], 300),
    ("updates without an id", [{"update": {"title": "x"}}] * 300, 300),
    ("names of nothing", [{"create": {**task()["task"], "users_list": list(range(900, 990))}}] * 4,
     360),
]))
def test_bulks(server, operations, count):
    check_count(bulk(server, operations), count)


def test_updates(server):
    """Each is decoded when the record was read."""
    ids = [server.create()["id"] for _ in range(3)]
    unknown = {f"unknown_{i:03}": i for i in range(150)}
    check_count(bulk(server, [{"update": {"id": task_id, "title": " ", **unknown}}
                              for task_id in ids]), 3 * 151)
    check_count(server.call("PATCH", f"{TASKS}/{ids[0]}",
                            json.dumps({"task": {"title": " ", **unknown}}), JSON), 151)


def test_a_lenient_request_has_no_unknown_fields(server):
    """However many there are, they are no faults beside one."""
    reply = server.post(task(title=" ", **{f"unknown_{i:03}": i for i in range(300)}),
                        {"Prefer": "handling=lenient"})
    assert faults(reply) == [("task.title", "blank")]
    reply = server.post(task(users_list=[0] * 150, **{f"unknown_{i:03}": i for i in range(300)}),
                        {"Prefer": "handling=lenient"})
    check_count(reply, 150)


def test_a_patch_has_the_faults_around_its_fields(server):
    made = server.create()
    body = {"task": {"title": " ", "calendar_id": 999999}, "title": "beside"}
    reply = server.call("PATCH", f"{TASKS}/{made['id']}", json.dumps(body), JSON)
    assert faults(reply) == [("task.calendar_id", "not_found"), ("task.title", "blank"),
                             ("title", "unknown_field")]
    assert server.get(made["id"]).json == made
