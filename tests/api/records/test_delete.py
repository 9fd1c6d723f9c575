"""DELETE of any kind of record: records that name it prevent it, and nothing of it remains."""
import json

import pytest

import backends
from harness import problem, run
from records import (CALENDAR, CASE, EACH, KINDS, SERVICE, STAFF, SUBJECT, TASK, change, create,
                     get, patch, post, remove, send)
from together import at_once
from wire import JSON_LINE, ask_once

pytestmark = backends.BOTH



@pytest.fixture(scope="module")
def server(own_server):
    return own_server


@EACH
def test_it_is_gone(server, kind):
    record = create(server, kind, external_id=f"gone {kind.wrapper}")
    before = send(server, "GET", f"{kind.path}?mode=count").json["record_count"]
    reply = remove(server, kind, record["id"])
    assert (reply.status, reply.body) == (204, b"") and reply.header("ETag") is None
    for again in (get(server, kind, record["id"]), remove(server, kind, record["id"]),
                  patch(server, kind, record["id"]), remove(server, kind, 987654),
                  send(server, "DELETE", f"{kind.path}/x")):
        problem(again, 404)
    assert send(server, "GET", f"{kind.path}?mode=count").json["record_count"] == before - 1
    assert send(server, "GET", f"{kind.path}?id={record['id']}").json == []
    with backends.opened(server.data) as database:
        rows = database.execute("SELECT action, value, staff_id FROM history WHERE record = ?"
                                " AND record_id = ? ORDER BY change",
                                (kind.wrapper, record["id"])).fetchall()
    assert rows[-1] == ("delete", None, 1) and rows[0][0] == "create"
    # The external_id is free again, but docket never uses the id again.
    assert create(server, kind, external_id=f"gone {kind.wrapper}")["id"] > record["id"]


def test_all_of_a_task(server):
    record = create(server, TASK, title="Vanishing Quagga", subject_id=209, case_service_id=1,
                    users_list=[1, 2, 3], status="complete")
    assert remove(server, TASK, record["id"]).status == 204
    for query in ("title=quagga", "title=va", "user=3&status=complete", "case=245", "user=2"):
        found = send(server, "GET", f"{TASK.path}?per_page=500&{query}").json
        assert record["id"] not in [task["id"] for task in found]


@pytest.mark.slow
def test_a_number_is_not_given_again(make_server):
    server = make_server()
    for kind in KINDS:
        number = create(server, kind)["id"]
        assert remove(server, kind, number).status == 204
        server.stop()
        server.start()
        assert create(server, kind)["id"] == number + 1


def test_what_tasks_name(server):
    service = create(server, SERVICE)["id"]
    case = create(server, CASE, case_services_list=[service])["id"]
    subject = create(server, SUBJECT, casefile_id=case)["id"]
    calendar, staff = create(server, CALENDAR)["id"], create(server, STAFF)["id"]
    tasks = [create(server, TASK, casefile_id=case, subject_id=subject, case_service_id=service,
                    calendar_id=calendar, users_list=[staff])["id"] for _ in range(2)]
    named = [(CASE, case, "is used by 2 tasks and 1 subject"), (SUBJECT, subject, "is used by 2 tasks"),
             (SERVICE, service, "is used by 2 tasks and 1 case"), (STAFF, staff, "is used by 2 tasks"),
             (CALENDAR, calendar, "is used by 2 tasks")]
    for kind, number, words in named:
        reply = remove(server, kind, number)
        assert problem(reply, 409, fields=True)["detail"].endswith(words), reply
        assert get(server, kind, number).status == 200
    assert remove(server, TASK, tasks[0]).status == 204
    assert "is used by 1 task" in problem(remove(server, CALENDAR, calendar), 409, fields=True)["detail"]
    assert "is used by 1 task" in problem(remove(server, STAFF, staff), 409, fields=True)["detail"]
    assert remove(server, TASK, tasks[1]).status == 204
    assert "is used by 1 subject" in problem(remove(server, CASE, case), 409, fields=True)["detail"]
    assert "is used by 1 case" in problem(remove(server, SERVICE, service), 409, fields=True)["detail"]
    for kind, number in ((SUBJECT, subject), (CASE, case), (SERVICE, service), (STAFF, staff),
                         (CALENDAR, calendar)):
        assert remove(server, kind, number).status == 204, kind.wrapper


def test_a_task_that_changes_frees_what_it_named(server):
    calendar = create(server, CALENDAR)["id"]
    staff = create(server, STAFF)["id"]
    number = create(server, TASK, calendar_id=calendar, users_list=[staff, 1])["id"]
    change(server, TASK, number, calendar_id=1, users_list=[1])
    assert remove(server, CALENDAR, calendar).status == 204
    assert remove(server, STAFF, staff).status == 204


def test_very_many_are_not_all_counted(make_server):
    """docket counts while other writes wait, so it limits the count."""
    server = make_server()
    calendar = create(server, CALENDAR)["id"]
    server.stop()
    with backends.opened(server.data) as database:
        database.execute(
            "INSERT INTO task (account_id, id, change, calendar_id, status, due_on, title,"
            " title_folded, body, created_at, updated_at) WITH RECURSIVE n (i) AS (SELECT 1 UNION"
            " ALL SELECT i + 1 FROM n WHERE i < 10050) SELECT 1, i, 1, ?, 0, 0, 'x', 'x', '', 0, 0"
            " FROM n", (calendar,))
    server.start()
    detail = problem(remove(server, CALENDAR, calendar), 409, fields=True)["detail"]
    assert detail.endswith("is used by at least 10000 tasks")


@pytest.mark.slow
def test_who_comes_first(server):
    """A calendar is deleted while tasks are put into it: docket refuses one of the two, and no task
    names a missing calendar."""
    for _ in range(10):
        calendar = create(server, CALENDAR)["id"]
        body = json.dumps({"task": {**TASK.least, "calendar_id": calendar}}).encode()

        def one(client, calendar=calendar, body=body):
            if client == 3:
                return ask_once(server, "DELETE", f"{CALENDAR.path}/{calendar}").status
            return ask_once(server, "POST", TASK.path, JSON_LINE, body=body).status
        told = at_once(one, range(8))
        made = told[:3] + told[4:]
        assert told[3] in (204, 409) and set(made) <= {201, 422}, told
        assert (told[3] == 204) == (201 not in made), told
        assert len(send(server, "GET", f"{TASK.path}?calendar={calendar}").json) == \
            made.count(201)


def test_staff_who_acted(make_server):
    """The history names them by id; it stays unchanged and sound."""
    server = make_server()
    other = create(server, STAFF)
    server.user = other["username"]
    number = create(server, TASK)["id"]
    server.user = "admin"
    assert remove(server, STAFF, other["id"]).status == 204
    assert get(server, TASK, number).status == 200
    server.user = other["username"]
    problem(get(server, TASK, number), 401)
    server.user = "admin"
    with backends.opened(server.data) as database:
        assert database.execute("SELECT staff_id FROM history WHERE record = 'task'").fetchall() \
            == [(other["id"],)]
    # A new staff member with the same user name is another one.
    again = create(server, STAFF, username=other["username"])
    assert again["id"] == other["id"] + 1
    assert run("check", *backends.where(server.data)).returncode == 0


def test_the_last_with_full_access_stays(make_server):
    server = make_server()
    reply = remove(server, STAFF, 1)
    assert "full" in problem(reply, 409, fields=True)["detail"]
    other = create(server, STAFF)
    assert remove(server, STAFF, 1).status == 204  # the staff member of this request
    server.user = other["username"]
    assert "full" in problem(remove(server, STAFF, other["id"]), 409, fields=True)["detail"]


def test_a_task_cannot_name_what_was_deleted(server):
    calendar = create(server, CALENDAR)["id"]
    assert remove(server, CALENDAR, calendar).status == 204
    reply = post(server, TASK, calendar_id=calendar)
    assert "task.calendar_id" in problem(reply, 422)["detail"]


def test_the_check_finds_nothing(server):
    done = run("check", *backends.where(server.data))
    assert done.returncode == 0, done.stdout
