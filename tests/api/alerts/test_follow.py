"""The ledger of alerts follows every change of a task."""
import json

import pytest

import backends
from backends import rows
from clocks import Clock
from harness import JSON, MINIMAL, TASKS, succeed
from ledger import DAY, ledger, now, stamp
from ports import free_port
from records import STAFF, TASK, change, create, remove

pytestmark = backends.BOTH
HOUR = 3600
WAITING = ("waiting", "")


def cancelled(reason):
    return ("cancelled", reason)


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path / "clock", now())


@pytest.fixture
def server(make_server, clock):
    """Nobody listens at its mail server, so what is due waits for another attempt."""
    server = make_server(options=["--smtp-url", f"smtp://127.0.0.1:{free_port()}", "--mail-from",
                                  "docket@example.com"], env=clock.env)
    change(server, STAFF, 1, email="first@example.com")
    return server


def made(server, at, users=(1, 2), **fields):
    return create(server, TASK, alert_at=stamp(at), users_list=list(users), **fields)["id"]


def seen(server, number):
    """The rows of a task. A row whose message is being sent waits as well."""
    return {key: WAITING if row[0] in ("waiting", "leased") else row
            for key, row in ledger(server.data, number).items()}


def let_pass(server, seconds):
    """As if that time had passed for the alerts: the clock of PostgreSQL cannot be set."""
    with backends.opened(server.data) as database:
        for table, column in (("task", "alert_at"), ("alert", "alert_at"), ("alert", "due_at"),
                              ("alert", "ended_at")):
            database.execute(f"UPDATE {table} SET {column} = {column} - {seconds}")
    return -seconds


def test_each_staff_member_waits(server, clock):
    at = clock.now + HOUR
    number = made(server, at)
    assert seen(server, number) == {(1, at): WAITING, (2, at): WAITING}
    due = rows(server.data, "SELECT due_at, ended_at, attempts, answer FROM alert")
    assert due == [(at, None, 0, "")] * 2


@pytest.mark.parametrize("fields", [{"alert_at": None}, {"users_list": []}, {"status": "complete"}])
def test_no_rows(server, clock, fields):
    sent = {"alert_at": stamp(clock.now + HOUR), "users_list": [1], **fields}
    assert seen(server, create(server, TASK, **sent)["id"]) == {}


def test_moved_and_moved_back(server, clock):
    first, second = clock.now + HOUR, clock.now + 2 * HOUR
    number = made(server, first)
    change(server, TASK, number, alert_at=stamp(second))
    gone = cancelled("alert_moved")
    assert seen(server, number) == {(1, first): gone, (2, first): gone,
                                    (1, second): WAITING, (2, second): WAITING}
    change(server, TASK, number, alert_at=stamp(first), users_list=[2, 3])
    assert seen(server, number) == {(1, first): gone, (2, first): WAITING, (3, first): WAITING,
                                    (1, second): gone, (2, second): gone}
    change(server, TASK, number, alert_at=None)
    assert set(seen(server, number).values()) == {gone}


def test_assigned_and_unassigned(server, clock):
    at = clock.now + HOUR
    number = made(server, at)
    change(server, TASK, number, users_list=[2, 3])
    assert seen(server, number) == {(1, at): cancelled("unassigned"), (2, at): WAITING,
                                    (3, at): WAITING}
    change(server, TASK, number, users_list=[1, 2])
    assert seen(server, number) == {(1, at): WAITING, (2, at): WAITING,
                                    (3, at): cancelled("unassigned")}
    change(server, TASK, number, title="Another title")
    assert seen(server, number)[1, at] == WAITING


def test_completed_and_reopened(server, clock):
    at = clock.now + HOUR
    number = made(server, at)
    change(server, TASK, number, status="complete", users_list=[1, 2, 3])
    assert seen(server, number) == {(1, at): cancelled("task_completed"),
                                    (2, at): cancelled("task_completed")}
    change(server, TASK, number, status="none")
    assert seen(server, number) == {(1, at): WAITING, (2, at): WAITING, (3, at): WAITING}


def test_deleted(server, clock):
    at = clock.now + HOUR
    number = made(server, at)
    assert remove(server, TASK, number).status == 204
    assert set(seen(server, number).values()) == {cancelled("task_deleted")}


def test_after_its_time(server, clock):
    """Who is assigned after the alert time gets no alert. A row that was cancelled after its time
    waits again; one that was cancelled before does not."""
    at = clock.now + HOUR
    number = made(server, at, users=(1, 2, 3))
    change(server, TASK, number, users_list=[1, 2])
    at += let_pass(server, HOUR + 60)
    change(server, TASK, number, users_list=[1])
    change(server, TASK, number, users_list=[1, 2, 3])
    assert seen(server, number) == {(1, at): WAITING, (2, at): WAITING,
                                    (3, at): cancelled("unassigned")}
    other = made(server, at, users=(1,), status="complete")
    change(server, TASK, other, status="none")
    assert seen(server, other) == {}


@backends.POSTGRESQL
@pytest.mark.parametrize("ahead", [600, -600])
def test_the_clock_of_the_database_counts(server, clock, ahead):
    """On PostgreSQL. The process's clock is ahead, or behind, by more than an alert is away."""
    clock.set(now() + ahead)
    soon, past = now() + 300, now() - 300
    number = made(server, soon, users=(1,))
    change(server, TASK, number, users_list=[1, 2])
    assert seen(server, number) == {(1, soon): WAITING, (2, soon): WAITING}
    number = made(server, past, users=(1,))
    change(server, TASK, number, users_list=[1, 2])
    assert seen(server, number) == {(1, past): WAITING}
    change(server, TASK, number, status="complete")
    change(server, TASK, number, status="none")
    assert seen(server, number) == {(1, past): WAITING}


def test_what_an_operator_cancels_stays_cancelled(server, clock):
    at = clock.now + HOUR
    number = made(server, at)
    succeed("alerts", "cancel", "--task", number, *backends.where(server.data))
    gone = cancelled("by_command")
    for fields in ({"status": "complete"}, {"status": "none"}, {"users_list": [2]},
                   {"users_list": [1, 2]}, {"alert_at": None}, {"alert_at": stamp(at)}):
        change(server, TASK, number, **fields)
        assert seen(server, number) == {(1, at): gone, (2, at): gone}
    at += let_pass(server, HOUR + 60)
    change(server, TASK, number, users_list=[])
    change(server, TASK, number, users_list=[1, 2])
    assert seen(server, number) == {(1, at): gone, (2, at): gone}


def test_in_the_past(server, clock):
    """An alert time that is less than a day past waits for nothing; an older one is skipped."""
    late, soon = clock.now - DAY, clock.now - DAY + 600
    assert seen(server, made(server, soon)) == {(1, soon): WAITING, (2, soon): WAITING}
    skipped = ("skipped", "too_late")
    assert seen(server, made(server, late)) == {(1, late): skipped, (2, late): skipped}
    number = made(server, clock.now + HOUR, users=(1,))
    change(server, TASK, number, alert_at=stamp(soon), users_list=[2])
    assert seen(server, number)[2, soon] == WAITING
    change(server, TASK, number, alert_at=stamp(late))
    assert seen(server, number)[2, late] == skipped


def test_what_has_ended_stays(server, clock):
    """A message that was sent, failed or skipped is not sent again when the alert comes back."""
    at = clock.now + HOUR
    number = made(server, at, users=(1, 2, 3))
    with backends.opened(server.data) as database:
        for staff, state in (1, 2), (2, 3), (3, 4):
            database.execute("UPDATE alert SET state = ?, due_at = NULL, ended_at = ?"
                             " WHERE task_id = ? AND staff_id = ?", (state, at, number, staff))
    before = seen(server, number)
    for fields in ({"alert_at": None}, {"alert_at": stamp(at)}, {"users_list": []},
                   {"users_list": [1, 2, 3]}, {"status": "complete"}, {"status": "none"}):
        change(server, TASK, number, **fields)
        assert seen(server, number) == before
    assert remove(server, TASK, number).status == 204
    assert seen(server, number) == before


def test_bulk(server, clock):
    at = clock.now + HOUR
    number = made(server, at)
    operations = [{"create": {**MINIMAL, "alert_at": stamp(at), "users_list": [3]}},
                  {"update": {"id": number, "status": "complete"}}]
    body = json.dumps({"operations": operations})
    reply = server.call("POST", f"{TASKS}/bulk", body, JSON)
    assert reply.status == 200, reply
    assert set(seen(server, number).values()) == {cancelled("task_completed")}
    assert seen(server, number + 1) == {(3, at): WAITING}


def test_what_was_sent_is_sent(server, clock):
    """If an alert moves back to a time for which a message was sent, alert_sent_at is that of the
    message. Who was taken off meanwhile and is put back on gets no row that was sent."""
    at = clock.now - HOUR
    number = made(server, at, users=(2, 3))
    with backends.opened(server.data) as database:
        database.execute("UPDATE alert SET state = 2, reason = 0, due_at = NULL, ended_at = ?"
                         " WHERE task_id = ? AND staff_id = 2", (at + 7, number))
        database.execute("UPDATE task SET alert_sent_at = ? WHERE id = ?", (at + 7, number))
    moved = change(server, TASK, number, alert_at=stamp(at + 2 * HOUR))
    assert moved["alert_sent_at"] is None
    back = change(server, TASK, number, alert_at=stamp(at))
    assert back["alert_sent_at"] == stamp(at + 7)
    assert seen(server, number)[2, at] == ("sent", "")
    change(server, TASK, number, users_list=[2])
    change(server, TASK, number, users_list=[2, 3])
    assert seen(server, number)[3, at] == WAITING
    moved = change(server, TASK, number, alert_at=stamp(at + 3 * HOUR))
    assert moved["alert_sent_at"] is None
