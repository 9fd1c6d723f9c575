"""GET /api/v1/tasks/{id}/alerts: the ledger of one task."""
import pytest

import backends
from harness import TASKS, problem
from ledger import REASONS, STATES, now, stamp
from records import TASK, change, create, remove

pytestmark = backends.BOTH


@pytest.fixture
def server(make_server):
    return make_server()


def alerts(server, number):
    reply = server.call("GET", f"{TASKS}/{number}/alerts")
    assert reply.status == 200 and reply.header("Content-Type") == "application/json", reply
    return reply.json


def waiting(staff, at):
    return {"staff_id": staff, "alert_at": stamp(at), "state": "waiting", "reason": None,
            "attempts": 0, "next_attempt_at": stamp(at), "ended_at": None, "answer": ""}


def test_what_waits(server):
    at = now() + 3600
    number = create(server, TASK, alert_at=stamp(at), users_list=[3, 1])["id"]
    assert alerts(server, number) == [waiting(1, at), waiting(3, at)]
    head = server.call("HEAD", f"{TASKS}/{number}/alerts")
    assert head.status == 200 and not head.body


def test_the_latest_alert_time_comes_first(server):
    at = now() + 3600
    number = create(server, TASK, alert_at=stamp(at), users_list=[2])["id"]
    change(server, TASK, number, alert_at=stamp(at + 60))
    first, second = alerts(server, number)
    assert first == waiting(2, at + 60)
    assert (second["state"], second["reason"]) == ("cancelled", "alert_moved")
    assert second["next_attempt_at"] is None and second["ended_at"]


def test_every_state_and_reason(server):
    number = create(server, TASK)["id"]
    with backends.opened(server.data) as database:
        for reason in range(1, len(REASONS)):
            state = reason % len(STATES)
            due, ended = (100, None) if state <= 1 else (None, 200)
            database.execute("INSERT INTO alert VALUES (1, ?, 2, ?, ?, ?, 3, ?, ?, ?, 0)",
                             (number, reason, state, reason, due, ended, 'said "no"'))
    found = alerts(server, number)
    assert [entry["reason"] for entry in found] == REASONS[:0:-1]
    for entry in found:
        state = STATES[REASONS.index(entry["reason"]) % len(STATES)]
        assert (entry["state"], entry["attempts"], entry["answer"]) == (state, 3, 'said "no"')
        assert entry["next_attempt_at"] == (stamp(100) if state == "waiting" else None)
        assert entry["ended_at"] == (None if state in STATES[:2] else stamp(200))


def test_without_an_alert(server):
    assert alerts(server, create(server, TASK)["id"]) == []


def test_a_deleted_task(server):
    number = create(server, TASK, alert_at=stamp(now() + 3600), users_list=[1])["id"]
    assert remove(server, TASK, number).status == 204
    entry, = alerts(server, number)
    assert (entry["state"], entry["reason"]) == ("cancelled", "task_deleted")


def test_what_never_was(server):
    for number in ("999999", "x", "0", "18446744073709551617"):
        problem(server.call("GET", f"{TASKS}/{number}/alerts"), 404)
    problem(server.call("GET", f"{TASKS}/1/alerts?state=sent"), 400, True)
