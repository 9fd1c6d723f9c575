"""The command demo: the base records, and tasks that fill every filter."""
import contextlib
import os
import pty
import shutil
import sqlite3
import time

import pytest

import backends
import harness
from backends import rows
from commands import fails, misuse
from harness import EXAMPLE, JSON, TASKS, begin, run, succeed

DAY = 86400


def everything(folder):
    """All rows of the database."""
    return {name: sorted(rows(folder, f'SELECT * FROM "{name}"'), key=repr)
            for name, in rows(folder, backends.TABLES[False])}


@pytest.fixture
def folder(tmp_path):
    succeed("init", "--data", tmp_path / "data", "--token-file", tmp_path / "token")
    return tmp_path / "data"


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """A folder with the tasks of a plain `docket demo`, and the time when they were made."""
    folder = tmp_path_factory.mktemp("samples") / "data"
    succeed("init", "--data", folder)
    before = int(time.time())
    succeed("demo", "--data", folder)
    return folder, before


def test_the_base_records(folder):
    succeed("demo", "--data", folder, "--tasks", "0")
    assert rows(folder, "SELECT id FROM casefile ORDER BY id") == [(245,), (246,)]
    assert rows(folder, "SELECT id, casefile_id FROM subject ORDER BY id") == [
        (209, 245), (210, 246)]
    assert rows(folder, "SELECT casefile_id, case_service_id FROM casefile_service"
                " ORDER BY 1") == [(245, 1), (246, 2)]
    assert rows(folder, "SELECT id FROM case_service ORDER BY id") == [(1,), (2,)]
    assert rows(folder, "SELECT id FROM calendar") == [(1,)]
    staff = rows(folder, "SELECT id, username, email FROM staff ORDER BY id")
    assert [row[0] for row in staff] == [1, 2, 3]
    assert staff[0][1:] == ("admin", "")
    assert all(email.endswith("@example.com") for _, _, email in staff[1:])
    assert rows(folder, "SELECT count(*) FROM task") == [(0,)]


def test_the_example_of_the_reference_after_a_demo(tmp_path, make_server):
    folder = tmp_path / "data"
    succeed("init", "--data", folder, "--token-file", tmp_path / "token")
    succeed("demo", "--data", folder, "--tasks", "5")
    server = make_server(folder, (tmp_path / "token").read_text().strip())
    reply = server.call("POST", TASKS, EXAMPLE.encode(), JSON)
    assert reply.status == 201, reply
    assert reply.json["id"] == 6


@pytest.mark.parametrize("options, count", [
    ([], 200), (["--tasks", "0"], 0), (["--tasks", "1"], 1), (["--tasks=7"], 7),
    (["--tasks", "007"], 7), (["--tasks", "1000"], 1000)])
@pytest.mark.slow
def test_so_many_tasks(folder, options, count):
    done = succeed("demo", "--data", folder, *options)
    assert done.stdout == "", done
    assert rows(folder, "SELECT count(*), coalesce(min(id), 1), coalesce(max(id), 0) FROM task"
                ) == [(count, 1, count)]
    assert rows(folder, "SELECT last_task_id FROM account_state") == [(count,)]


@pytest.mark.parametrize("count", ["-1", "-0", "+1", "1.5", "1e3", "0x10", "abc", "", " 1", "1 ",
                                   "1_000", "1,000", "99999999999999999999", "\u0661"])
def test_a_number_of_tasks_that_is_none(folder, count):
    before = everything(folder)
    assert "--tasks " in misuse("demo", "--data", folder, "--tasks", count)
    assert everything(folder) == before


@pytest.mark.slow
def test_again_it_adds_tasks_alone(folder):
    succeed("demo", "--data", folder, "--tasks", "2")
    before = everything(folder)
    succeed("demo", "--data", folder, "--tasks", "0")
    assert everything(folder) == before
    succeed("demo", "--data", folder, "--tasks", "3")
    after = everything(folder)
    assert [row[1] for row in after["task"]] == [1, 2, 3, 4, 5]
    for table in ("staff", "casefile", "casefile_service", "case_service", "calendar", "subject",
                  "token"):
        assert after[table] == before[table], table


@pytest.mark.slow
def test_again_it_adds_what_the_tasks_need(folder):
    succeed("demo", "--data", folder, "--tasks", "80")
    before = everything(folder)
    succeed("demo", "--data", folder, "--tasks", "80")
    again = everything(folder)
    succeed("demo", "--data", folder, "--tasks", "400")
    after = everything(folder)
    assert len(again["task"]) == 160 and len(after["task"]) == 560
    for table in ("staff", "casefile", "casefile_service", "case_service", "calendar", "subject"):
        assert again[table] == before[table], table
        assert set(before[table]) <= set(after[table]), table
    assert [row[3] for row in after["casefile"]] == [f"DEMO-{245 + n}" for n in range(2 + 10)]
    assert rows(folder, "PRAGMA foreign_key_check") == []


@pytest.mark.slow
def test_a_case_goes_by_its_number(folder):
    """demo finds its own cases by their numbers, because other cases may have the next ids."""
    succeed("demo", "--data", folder, "--tasks", "0")
    with contextlib.closing(sqlite3.connect(folder / "docket.db")) as database, database:
        database.execute(
            "INSERT INTO casefile (account_id, id, change, case_number, status, created_at,"
            " updated_at) SELECT 1, 247, last_change + 1, 'A-1', 0, 0, 0 FROM account_state")
        database.execute("UPDATE account_state SET last_casefile_id = 247, last_change = last_change + 1")
    for _ in range(2):
        succeed("demo", "--data", folder, "--tasks", "100")
        assert rows(folder, "SELECT id, case_number FROM casefile ORDER BY id") == [
            (245, "DEMO-245"), (246, "DEMO-246"), (247, "A-1"), (248, "DEMO-247"),
            (249, "DEMO-248")]
        assert {row for row, in rows(folder, "SELECT DISTINCT casefile_id FROM task")} == {
            None, 245, 246, 248, 249}


@pytest.mark.parametrize("tasks", [0, 1, 39])
@pytest.mark.slow
def test_a_few_tasks_need_the_base_records_alone(folder, tasks):
    succeed("demo", "--data", folder, "--tasks", tasks)
    assert [rows(folder, f"SELECT count(*) FROM {table}")[0][0] for table in
            ("staff", "calendar", "case_service", "casefile", "subject")] == [3, 1, 2, 2, 2]


@pytest.mark.slow
def test_again_after_the_base_records_were_used(tmp_path, make_server):
    server = make_server()
    made = server.create(users_list=[1])
    server.stop()
    succeed("demo", "--data", server.data, "--tasks", "2")
    server.start()
    assert server.get(made["id"]).json == made
    assert server.create()["id"] == made["id"] + 3


@pytest.mark.parametrize("name, names", [
    ("Second", ["second2", "third"]), ("THIRD", ["second", "third2"]),
    ("s\u0435cond", ["second2", "third"]), ("second2", ["second", "third"])])
def test_the_first_staff_member_may_have_the_name_of_a_sample(tmp_path, name, names):
    """The first staff member may also have a name that looks like that of a sample."""
    succeed("init", "--data", tmp_path / "data", "--username", name)
    for _ in range(2):
        succeed("demo", "--data", tmp_path / "data", "--tasks", "10")
    assert [username for username, in rows(
        tmp_path / "data", "SELECT username FROM staff ORDER BY id")] == [name, *names]
    assert "\nsound\n" in succeed("check", "--data", tmp_path / "data").stdout


@pytest.mark.slow
def test_not_in_an_account_with_cases_of_its_own(folder):
    with contextlib.closing(sqlite3.connect(folder / "docket.db")) as database, database:
        database.execute(
            "INSERT INTO casefile (account_id, id, change, case_number, status, created_at,"
            " updated_at) VALUES (1, 7, 2, 'A-1', 0, 0, 0)")
        database.execute("UPDATE account_state SET last_casefile_id = 7, last_change = 2")
    before = everything(folder)
    assert "own" in fails("demo", "--data", folder)
    assert everything(folder) == before


@pytest.mark.slow
def test_not_in_an_account_whose_case_has_the_number(folder):
    """A case with the id 245 and another case number is the agency's own, not the sample."""
    with contextlib.closing(sqlite3.connect(folder / "docket.db")) as database, database:
        database.execute(
            "INSERT INTO casefile (account_id, id, change, case_number, status, created_at,"
            " updated_at) VALUES (1, 245, 2, 'A-1', 0, 0, 0)")
        database.execute("UPDATE account_state SET last_casefile_id = 245, last_change = 2")
    before = everything(folder)
    fails("demo", "--data", folder)
    assert everything(folder) == before


def test_not_while_it_is_served(make_server):
    server = make_server()
    assert str(server.data) in fails("demo", "--data", server.data, "--tasks", "5")
    assert server.create()["id"] == 1
    server.stop()
    assert rows(server.data, "SELECT count(*) FROM task") == [(1,)]


# A large account

@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large") / "data"
    succeed("init", "--data", folder)
    succeed("demo", "--data", folder, "--tasks", "8000")
    return folder


def one(folder, sql):
    (row,) = rows(folder, sql)
    return row


@pytest.mark.slow
def test_a_large_account_has_what_an_agency_has(large):
    assert one(large, "SELECT count(*) FROM casefile") == (2 + 200,)
    assert one(large, "SELECT count(*) FROM staff") == (3 + 4,)
    for table, least, most in [("calendar", 3, 12), ("case_service", 3, 12)]:
        (count,) = one(large, f"SELECT count(*) FROM {table}")
        assert least <= count <= most, table
        assert one(large, f"SELECT count(DISTINCT name) FROM {table}") == (count,)
    for kind in ("id FROM subject", "case_service_id FROM casefile_service"):
        found = {row for row, in rows(large, "SELECT (SELECT count(*) FROM (SELECT "
                                      f"{kind} WHERE casefile_id = casefile.id)) FROM casefile")}
        assert 1 in found and 2 in found and 0 not in found and max(found) <= 3, kind


def test_the_first_staff_member_alone_has_full_access(large):
    staff = rows(large, "SELECT id, access_level, email FROM staff ORDER BY id")
    assert [number for number, level, _ in staff if level == 0] == [1]
    assert all(email.endswith("@example.com") for number, _, email in staff if number > 1)


def test_tasks_are_spread_as_in_an_agency(large):
    for column in ("casefile_id", "calendar_id", "subject_id", "case_service_id"):
        sizes = sorted(count for count, in rows(
            large, f"SELECT count(*) FROM task WHERE {column} IS NOT NULL GROUP BY {column}"))
        assert sizes[-1] > 2 * sizes[len(sizes) // 2], column
    users = sorted(count for count, in rows(large, "SELECT count(*) FROM task_user GROUP BY"
                                            " staff_id"))
    assert len(users) == 7 and users[-1] > 2 * users[3]
    old, recent = "id <= 4000", "id > 7600"
    assert one(large, f"SELECT avg(status = 3) > 0.9 FROM task WHERE {old}") == (1,)
    assert one(large, f"SELECT avg(status = 3) < 0.5 FROM task WHERE {recent}") == (1,)
    assert one(large, "SELECT count(DISTINCT title) > 1000 FROM task") == (1,)
    # No task is older than its case, except those of the base records' cases, which are new.
    assert one(large, "SELECT count(*) FROM task JOIN casefile ON casefile.id = casefile_id"
               " WHERE casefile.id > 246 AND task.created_at < casefile.created_at") == (0,)


def test_a_large_account_is_whole(large):
    assert rows(large, "PRAGMA foreign_key_check") == []
    ((last,),) = rows(large, "SELECT last_change FROM account_state")
    assert one(large, "SELECT count(*), max(change) FROM history") == (last, last)


# The fields of the tasks

def counts(samples, column):
    """How many tasks have each value."""
    return dict(rows(samples[0], f"SELECT {column}, count(*) FROM task GROUP BY 1"))


@pytest.mark.parametrize("column, values", [
    ("status", {0, 1, 2, 3}),
    ("casefile_id", {None, 245, 246}),
    ("subject_id", {None, 209, 210}),
    ("case_service_id", {None, 1, 2}),
    ("calendar_id", {1}),
    ("address_country IS NULL", {0, 1}),
    ("body = ''", {0, 1}),
    ("alert_at IS NULL", {0, 1}),
    ("alert_sent_at IS NULL", {0, 1}),
    ("complete_at IS NULL", {0, 1}),
    ("updated_at > created_at", {1}),
])
def test_every_value_is_there(samples, column, values):
    found = counts(samples, column)
    assert values <= set(found), found
    assert all(found[value] >= 5 for value in values), found


def test_every_staff_member_has_tasks_and_some_tasks_have_none(samples):
    found = dict(rows(samples[0], "SELECT staff_id, count(*) FROM task_user GROUP BY 1"))
    assert set(found) == {1, 2, 3} and min(found.values()) >= 5
    sizes = dict(rows(samples[0], "SELECT n, count(*) FROM (SELECT (SELECT count(*) FROM task_user"
                      " WHERE task_id = task.id) AS n FROM task) GROUP BY 1"))
    assert {0, 1, 2} <= set(sizes), sizes


def test_dates_that_a_filter_can_tell_apart(samples):
    folder, now = samples
    today = now // DAY
    for column, before, after in [
            ("due_on", today, today), ("created_at", now - 30 * DAY, now - 30 * DAY - 1),
            ("updated_at", now - 30 * DAY, now - 30 * DAY - 1),
            ("complete_at", now - 30 * DAY, now - 30 * DAY - 1)]:
        ((below, above, different),) = rows(
            folder, f"SELECT sum({column} < {before}), sum({column} > {after}),"
            f" count(DISTINCT {column}) FROM task WHERE {column} IS NOT NULL")
        assert below >= 5 and above >= 5 and different >= 20, (column, below, above, different)
    ((newest,),) = rows(folder, "SELECT max(max(created_at), max(updated_at)) FROM task")
    assert newest <= now + 60


def test_titles_that_a_search_can_tell_apart(samples):
    titles = [title for title, in rows(samples[0], "SELECT title FROM task")]
    assert len(set(titles)) >= 20
    assert any(not title.isascii() for title in titles)
    assert all(0 < len(title) <= 255 for title in titles)


def test_no_alert_falls_within_a_day_of_now(samples):
    folder, now = samples
    alerts = rows(folder, "SELECT alert_at, alert_sent_at FROM task WHERE alert_at IS NOT NULL")
    past = [row for row in alerts if row[0] < now]
    ahead = [row for row in alerts if row[0] >= now]
    assert len(past) >= 5 and len(ahead) >= 5
    # One minute is allowed for making the records.
    assert all(abs(alert - now) > DAY + 60 for alert, _ in alerts)
    assert all(sent is None or sent >= alert for alert, sent in past)
    assert all(sent is None for _, sent in ahead)
    assert rows(folder, "SELECT count(*) FROM task WHERE alert_at IS NULL"
                " AND alert_sent_at IS NOT NULL") == [(0,)]


def test_times_follow_each_other(samples):
    assert rows(samples[0], "SELECT count(*) FROM task WHERE updated_at < created_at"
                " OR complete_at < created_at OR (complete_at IS NULL) = (status = 3)") == [(0,)]


def test_the_order_of_creation_is_the_order_of_ids(samples):
    made = [made for made, in rows(samples[0], "SELECT created_at FROM task ORDER BY id")]
    assert made == sorted(made)


@pytest.mark.slow
def test_every_task_can_be_read(tmp_path, samples, make_server):
    token_file = tmp_path / "token"
    succeed("init", "--data", tmp_path / "data", "--token-file", token_file)
    succeed("demo", "--data", tmp_path / "data")
    server = make_server(tmp_path / "data", token_file.read_text().strip())
    records = [server.get(number) for number in range(1, 201)]
    assert {reply.status for reply in records} == {200}
    assert {reply.json["status"] for reply in records} == {
        "none", "needs_action", "in_progress", "complete"}
    assert len({reply.header("ETag") for reply in records}) == 200
    assert server.get(201).status == 404
    # A create accepts every record that was read, so the samples obey the rules.
    for reply in records:
        record = reply.json
        if record["casefile_id"] is None:
            continue
        sent = {name: value for name, value in record.items()
                if name not in ("id", "alert_sent_at", "created_at", "updated_at")}
        again = server.create(**sent)
        assert {name: again[name] for name in sent} == sent


def test_every_change_is_in_the_history(samples):
    ((last,),) = rows(samples[0], "SELECT last_change FROM account_state")
    changes = rows(samples[0], "SELECT change FROM history ORDER BY change")
    assert changes == [(number,) for number in range(1, last + 1)]
    assert rows(samples[0], "SELECT count(*) FROM history WHERE record = 'task'") == [(200,)]


# Progress

def on_a_terminal(*arguments):
    """Runs a command whose standard error is a terminal; returns its status and its output."""
    ours, theirs = pty.openpty()
    with begin(*arguments, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # Linux reports an error at the end of a terminal
            while data := os.read(ours, 65536):
                shown += data
        status = process.wait(harness.COMMAND_S)
    os.close(ours)
    return status, shown.decode()


@pytest.mark.slow
def test_progress_on_a_terminal(folder):
    status, shown = on_a_terminal("demo", "--data", folder, "--tasks", "3000")
    assert status == 0, shown
    assert "\r" in shown and "3000" in shown and "#" in shown
    # docket clears the progress bar before its last message.
    assert "3000 tasks" in shown.rsplit("\r\x1b[K", 1)[1]


@pytest.mark.slow
def test_no_progress_in_a_file(folder):
    done = succeed("demo", "--data", folder, "--tasks", "3000")
    assert "\r" not in done.stderr and "#" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done


def test_a_folder_that_was_copied_is_whole(samples, tmp_path):
    shutil.copytree(samples[0], tmp_path / "copy")
    assert run("demo", "--data", tmp_path / "copy", "--tasks", "1").returncode == 0
    assert rows(tmp_path / "copy", "PRAGMA integrity_check") == [("ok",)]
    assert rows(tmp_path / "copy", "PRAGMA foreign_key_check") == []


def test_alerts_of_every_fate(samples):
    """Sent, failed and skipped ones, with the mail server's answers. A task whose alert was sent has
    a message that was accepted at that time."""
    folder, before = samples
    found = {state: (count, answers, attempts) for state, count, answers, attempts in rows(
        folder, "SELECT state, count(*), count(nullif(answer, '')), sum(attempts) FROM alert GROUP BY 1")}
    assert set(found) == {0, 2, 3, 4}
    for state in 2, 3:
        assert found[state][0] == found[state][1] == found[state][2], found
    assert found[0][1:] == found[4][1:] == (0, 0)
    assert rows(folder, "SELECT count(*) FROM task t WHERE alert_sent_at IS NOT NULL AND NOT EXISTS"
                " (SELECT 1 FROM alert WHERE task_id = t.id AND alert_at = t.alert_at AND state = 2"
                " AND ended_at = t.alert_sent_at)") == [(0,)]
    assert rows(folder, "SELECT count(*) FROM alert WHERE state = 0 AND due_at < ?",
                (before + DAY,)) == [(0,)]
