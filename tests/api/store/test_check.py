"""The command check: it finds what is broken and nothing else, and writes nothing."""
import contextlib
import hashlib
import json
import os
import pty
import re
import shutil
import sqlite3

import pytest

import harness
import titles
from backends import rows
from chain import rechain
from commands import fails
from harness import cases, run, succeed
from migrations import TALLY
from together import beside, until


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with two accounts. The first has a staff member that was changed and one that no
    record names."""
    folder = tmp_path_factory.mktemp("whole") / "data"
    succeed("init", "--data", folder)
    succeed("demo", "--data", folder, "--tasks", 30)
    succeed("account", "add", "second", "--data", folder)
    succeed("demo", "--data", folder, "--account", "second", "--tasks", 3)
    more = ["--data", folder, "--account", "main"]
    succeed("staff", "add", "idle", *more)
    succeed("staff", "add", "changed", *more)
    succeed("staff", "set", "changed", "--first-name", "New", *more)
    titles.take(folder)
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "data")
    return tmp_path / "data"


def files(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.iterdir() if path.is_file()}


def check(folder, status):
    """The report, also checked as text; neither form writes anything."""
    before = files(folder)
    text, done = run("check", "--data", folder), run("check", "--data", folder, "--json")
    assert files(folder) == before
    assert text.returncode == done.returncode == status, (text, done)
    assert text.stderr == done.stderr, (text, done)
    assert text.stderr.startswith("Stop docket, ") if status else text.stderr == "", text
    report = json.loads(done.stdout)
    assert report["sound"] == (status == 0)
    assert text.stdout.endswith("\nnot sound\n" if status else "\nsound\n"), text
    assert [line.split(":")[0] for line in text.stdout.splitlines() if ": BROKEN; the rule: " in line
            ] == [fault["rule"] for fault in report["faults"]]
    return report


def found(folder):
    """The faults by rule: account, kind of record and id of each entry."""
    report = check(folder, 1)
    for fault in report["faults"]:
        assert fault["broken"] is None, fault
        assert len(fault["entries"]) == min(fault["found"], 5), fault
    # A change of the history breaks its chain as well: test_history_chain.py tests that.
    return {fault["rule"]: [(entry["account"], entry["record"], entry["id"])
                            for entry in fault["entries"]] for fault in report["faults"]
            if fault["rule"] != "history-chain"}


def damage(folder, script):
    """Changes the database and bypasses every rule of the database itself."""
    with contextlib.closing(sqlite3.connect(folder / "docket.db")) as database:
        database.executescript("PRAGMA foreign_keys = OFF;"
                               "PRAGMA ignore_check_constraints = ON;" + script)


def both(table, record, id, column, value, key=None, shown=None):
    """A script that sets a field in a record of the first account and in its history."""
    shown = value if shown is None else shown
    return (f"UPDATE {table} SET {column} = {value} WHERE account_id = 1 AND id = {id};"
            f"UPDATE history SET value = json_set(value, '$.{key or column}', {shown})"
            f" WHERE account_id = 1 AND record = '{record}' AND record_id = {id};")


def task(column, value, **more):
    return both("task", "task", 5, column, value, **more)



def alert(values):
    """A script that adds a row to the ledger of alerts of the first account: its task, its staff
    member, its time, the state, the reason, the attempts, when it is due, and when it ended."""
    return f"INSERT INTO alert VALUES (1, {values}, '', 0);"


T5 = ("main", "task", 5)
CHANGED = "(SELECT id FROM staff WHERE username = 'changed')"
TITLE = "(SELECT title_folded FROM task WHERE account_id = 1 AND id = 5)"
UNINDEX = ("INSERT INTO task_words (task_words, rowid, title) VALUES ('delete', 1 << 40 | 5, "
           + TITLE + ");")
ALTERED = "WHERE account_id = 1 AND id = 5;"

BREAKS = [
    ("an index that has not every row", "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql"
     " = replace(sql, 'unassigned = 1', 'unassigned < 2') WHERE name = 'task_unassigned';",
     {"file": [(None, None, None)] * 5}),
    ("no such calendar", task("calendar_id", "999"), {"references": [T5]}),
    ("no such case", both("subject", "subject", 209, "casefile_id", "999"),
     {"references": None}),
    ("a change is missing", "DELETE FROM history WHERE account_id = 1 AND record = 'staff'"
     f" AND action = 'create' AND record_id = {CHANGED};", {"history-gaps": "change"}),
    ("the first change is missing", "DELETE FROM history WHERE account_id = 2 AND change = 1;"
     "UPDATE staff SET change = 999 WHERE account_id = 2 AND id = 1;",
     {"history-gaps": [("second", "change", 1)], "record-changes": [("second", "staff", 1)]}),
    ("the last change is ahead", "UPDATE account_state SET last_change = 9999 WHERE account_id = 2;",
     {"last-change": [("second", "change", 9999)]}),
    ("the last change is behind", "UPDATE account_state SET last_change = 1 WHERE account_id = 2;",
     {"last-change": [("second", "change", 1)]}),
    ("a record of no change", f"UPDATE task SET change = 9999 {ALTERED}",
     {"record-changes": [T5]}),
    ("a record of an earlier change", "UPDATE staff SET change = (SELECT min(change) FROM history"
     f" WHERE record = 'staff' AND record_id = staff.id) WHERE id = {CHANGED};",
     {"record-changes": "staff", "history-values": "staff"}),
    ("a record that is gone", "DELETE FROM staff WHERE username = 'idle';",
     {"deleted": "staff"}),
    ("a record that is there again", "UPDATE history SET action = 'delete', value = NULL,"
     " salt = NULL WHERE account_id = 1 AND record = 'task' AND record_id = 5;", {"deleted": [T5]}),
    ("a number that comes again", "UPDATE account_state SET last_task_id = 29 WHERE account_id = 1;",
     {"last-ids": [("main", "task", 30)]}),
    ("a number that comes again to a calendar",
     "UPDATE account_state SET last_calendar_id = 0 WHERE account_id = 2;", {"last-ids": "calendar"}),
    ("a record from the future", task("updated_at", "4000000000",
                                      shown="'2096-10-02T07:06:40Z'"), {"last-times": [T5]}),
    ("a change from the future", "UPDATE history SET at = 4000000000 WHERE account_id = 2 AND"
     " change = 2;", {"history-times": [("second", "change", 2)]}),
    ("a change by nobody", "UPDATE history SET staff_id = 99 WHERE account_id = 2 AND change = 2;",
     {"history-staff": [("second", "change", 2)]}),
    ("an alert that nobody wants", alert("5, 2, 1, 0, 0, 0, 1, NULL"), {"alerts-wanted": [T5]}),
    ("an alert that is missing", "DELETE FROM alert WHERE state = 0;", {"alerts-missing": "task"}),
    ("an alert that was not sent", task("alert_at", "1600000000", shown="'2020-09-13T12:26:40Z'") +
     task("alert_sent_at", "NULL") + "DELETE FROM alert WHERE task_id = 5 AND account_id = 1;" +
     alert("5, 2, 1600000000, 2, 0, 1, NULL, 1600000001"), {"alerts-sent": [T5]}),
    ("an alert of no reason", alert("5, 2, 1, 5, 17, 0, NULL, 1"), {"alerts": [T5]}),
    ("the status of an assignment", "INSERT OR REPLACE INTO task_user SELECT account_id, id, 1,"
     " (status + 1) % 4, due_on FROM task " + ALTERED + "UPDATE task SET unassigned = 0 " + ALTERED
     + "UPDATE history SET value = json_set(value, '$.users_list', (SELECT"
     " json_group_array(staff_id) FROM (SELECT staff_id FROM task_user WHERE account_id = 1 AND"
     " task_id = 5 ORDER BY 1))) WHERE account_id = 1 AND record = 'task' AND record_id = 5;",
     {"assignments": [T5]}),
    ("the due date of assignments", "UPDATE task_user SET due_on = due_on + 1"
     " WHERE account_id = 2;", {"assignments": "task"}),
    ("assigned and marked as not", "UPDATE task SET unassigned = 1 - unassigned " + ALTERED,
     {"unassigned": [T5]}),
    ("a tally of tasks that are gone", "UPDATE task_tally SET tasks = tasks + 1 WHERE account_id = 2"
     " AND field = 0 AND value = 3;", {"tallies": [("second", "tally", None)] * 2}),
    *[(f"a task that is in the tally of another {name}", f"UPDATE task_tally SET value = 77 WHERE"
       f" account_id = 2 AND field = {field} AND value = (SELECT min(value) FROM task_tally WHERE"
       f" account_id = 2 AND field = {field});", {"tallies": [("second", "tally", None)] * 4})
      for field, name in enumerate(("status", "calendar", "kind of alert"))],
    ("a tally of no task", "INSERT INTO task_tally VALUES (2, 1, 0, 0, 1);",
     {"tallies": [("second", "tally", None)] * 2}),
    ("a sum of tallies of another number", "UPDATE task_tally_sum SET tasks = tasks - 1"
     " WHERE account_id = 2 AND field = 0 AND value = 3;", {"tallies": [("second", "tally", None)]}),
    ("when an account was made", "UPDATE account SET created_at = 1000000000000 WHERE id = 2;",
     {"times": [("second", "account", 2)]}),
    ("when a token ends", "UPDATE token SET expires_at = -99999999999 WHERE account_id = 2;",
     {"times": [("second", "token", None)]}),
    ("when a change was", "UPDATE history SET at = 253402300800 WHERE account_id = 2"
     " AND change = 3;", {rule: [("second", "change", 3)] for rule in ("times", "history-times")}),
    ("no key of cursors", "DELETE FROM secret;", {"secrets": [(None, "secret", None)]}),
    ("a creation without a value", "UPDATE history SET value = NULL WHERE account_id = 2 AND"
     " change = 2;", {"actions": [("second", "change", 2)]}),
    *[(name, f"UPDATE history SET {sets} WHERE account_id = 2 AND change = 2;",
       {"actions": [("second", "change", 2)]}) for name, sets in [
           ("a value without its salt", "salt = NULL"),
           ("a removed value without its digest", "value = NULL, salt = NULL"),
           ("a value beside its digest", "digest = zeroblob(32)")]],
    ("an account without its state", "DELETE FROM account_state WHERE account_id = 2;",
     {"account-states": [("second", "account", 2)]}),
    ("nobody with full access", "UPDATE staff SET access_level = 1 WHERE account_id = 2;"
     "UPDATE history SET value = json_set(value, '$.access_level', 'limited')"
     " WHERE account_id = 2 AND record = 'staff';", {"full-access": [("second", "account", 2)]}),
    *[(f"{column} of an account", f"UPDATE account SET {column} = {value} WHERE id = 2;",
       {"accounts": [(name, "account", 2)]}) for column, value, name in [
           ("country", "'XX'", "second"), ("expand", "'users,nonsense'", "second"), ("name", "'UPPER'", "UPPER"),
           ("country", "CAST(x'ff' AS TEXT)", "second")]],
    *[(f"{column} out of range", task(column, value), {"values": [T5]}) for column, value in [
        ("alert_at", "253402300800"), ("alert_sent_at", "-30610224001"),
        ("created_at", "9223372036854775807"), ("updated_at", "-9223372036854775807")]],
    ("half an address", task("address_1", "'1 Street'", key="x") + "UPDATE task SET address_2 ="
     " NULL, address_country = 'US' " + ALTERED, {"values": [T5]}),
    ("a day of no year", task("due_on", "2932897") +
     "UPDATE task_user SET due_on = 2932897 WHERE account_id = 1 AND task_id = 5;",
     {"values": [T5]}),
    *[(f"a text: {name}", task(column, value), {"texts": [T5]}) for name, column, value in [
        ("not UTF-8", "body", "CAST(x'61ff62' AS TEXT)"),
        ("a surrogate", "title", "CAST(x'eda080' AS TEXT)"), ("blank", "title", "'  '"),
        ("long", "title", f"'{'x' * 256}'"), ("lines", "title", "'a' || char(10) || 'b'"),
        ("long body", "body", f"'{'x' * 65536}'")]],
    ("a text of an address", "UPDATE task SET address_1 = '', address_2 = '', address_3 = '',"
     f" address_city = '{'x' * 256}', address_state = '', address_zip = '', address_country = 'US'"
     f" {ALTERED}", {"texts": [T5]}),
    ("a text of a subject", both("subject", "subject", 209, "last_name", "char(7)"),
     {"texts": [("main", "subject", 209)]}),
    ("a text of a staff member", both("staff", "staff", 1, "username", f"'{'x' * 65}'"),
     {"texts": [("main", "staff", 1)]}),
    ("a user name that signs in as it is written", "UPDATE staff SET username_exact = username"
     " WHERE username = 'idle';", {"username-exact": "staff"}),
    ("a user name that signs in as another", "UPDATE staff SET username_exact = 'other'"
     " WHERE username = 'idle';", {"username-exact": "staff"}),
    ("one of two names that signs in as both", "UPDATE history SET value = json_set(value,"
     f" '$.username', 'IDLE') WHERE account_id = 1 AND record = 'staff' AND record_id = {CHANGED};"
     "UPDATE staff SET username = 'IDLE', username_exact = 'IDLE', username_key = 'idle',"
     " username_skeleton = 'idle' WHERE username = 'changed';"
     "UPDATE staff SET username_skeleton = (SELECT username_skeleton FROM staff"
     " WHERE username = 'idle') WHERE username = 'IDLE';", {"username-exact": "staff"}),
    ("a folded title", UNINDEX + f"UPDATE task SET title_folded = 'other words' {ALTERED}"
     "INSERT INTO task_words (rowid, title) VALUES (1 << 40 | 5, 'other words');",
     {"folds": [T5]}),
    ("a record is not as its history", f"UPDATE task SET body = 'other' {ALTERED}",
     {"history-values": [T5]}),
    ("a history is not as its record", "UPDATE history SET value = json_set(value, '$.name', 'x')"
     " WHERE record = 'calendar' AND account_id = 2 AND record_id = 1;",
     {"history-values": [("second", "calendar", 1)]}),
    ("a history that is no record", "UPDATE history SET value = '[]' WHERE account_id = 1"
     " AND record = 'task' AND record_id = 5;", {"history-values": [T5]}),
    ("a title is not in the index", UNINDEX, {"words": [T5]}),
    ("one more title is in the index", "INSERT INTO task_words (rowid, title)"
     " VALUES (1 << 40 | 5, 'nothing such');", {"words": [T5]}),
    ("another title is in the index", UNINDEX + "INSERT INTO task_words (rowid, title)"
     " VALUES (1 << 40 | 5, 'nothing such');", {"words": [T5]}),
    ("the index knows a task that is not there", "INSERT INTO task_words (rowid, title)"
     " VALUES (2 << 40 | 999, 'abc');", {"words": [("second", "task", 999)]}),
    *[(f"a title waits without need: {name}", f"INSERT INTO task_pending VALUES ({values});",
       {"words": [entry]}) for name, values, entry in [
           ("the index has it", "1, 5, NULL", T5), ("the index has another", "1, 5, 'other'", T5),
           ("there never was such a task", "1, 31, NULL", ("main", "task", 31)),
           ("there never was such an account", "9, 1, NULL", (None, "task", 1))]],
]

# The CHECKs of the schema, each by its beginning, with a statement that breaks it.
FORBIDDEN = [
    ("access_level BETWEEN 0 AND 2", both("staff", "staff", 2, "access_level", 3),
     {"values": [("main", "staff", 2)]}),
    ("length(hash) = 32", "UPDATE token SET hash = x'00' WHERE account_id = 2;",
     {"tokens": [("second", "token", None)]}),
    ("status BETWEEN 0 AND 1", both("casefile", "casefile", 245, "status", 2),
     {"values": [("main", "casefile", 245)]}),
    ("status BETWEEN 0 AND 3", task("status", 4) + task("complete_at", "NULL") +
     "UPDATE task_user SET status = 4 WHERE account_id = 1 AND task_id = 5;", {"values": [T5]}),
    ("due_on BETWEEN", task("due_on", "-354286") +
     "UPDATE task_user SET due_on = -354286 WHERE account_id = 1 AND task_id = 5;",
     {"values": [T5]}),
    ("title <> ''", task("title", "''"), {"texts": [T5]}),
    ("casefile_id IS NOT NULL", task("casefile_id", "NULL") + task("subject_id", "209"),
     {"without-case": [T5]}),
    ("(complete_at IS NOT NULL) = (status = 3)", task("status", "3", shown="'complete'") +
     task("complete_at", "NULL") +
     "UPDATE task_user SET status = 3 WHERE account_id = 1 AND task_id = 5;",
     {"complete": [T5]}),
    ("action IN", "UPDATE history SET action = 'change' WHERE account_id = 2 AND change = 2;",
     {"actions": [("second", "change", 2)]}),
    *[(f"length({column}) = {size}", f"UPDATE history SET {column} = x'00', {others} = NULL"
       " WHERE account_id = 2 AND change = 2;", {"actions": [("second", "change", 2)]})
      for column, size, others in (("salt", 16, "digest"), ("digest", 32, "value = NULL, salt"))],
    ("unassigned BETWEEN 0 AND 1", "UPDATE task SET unassigned = 2 " + ALTERED,
     {"unassigned": [T5]}),
    ("state BETWEEN 0 AND 5", alert("5, 2, 1, 6, 0, 0, NULL, 1"), {"alerts": [T5]}),
    ("(due_at IS NOT NULL) = (state <= 1)", alert("5, 2, 1, 2, 0, 0, 1, 1"), {"alerts": [T5]}),
    ("(ended_at IS NOT NULL) = (state > 1)", alert("5, 2, 1, 2, 0, 0, NULL, NULL"),
     {"alerts": [T5]}),
    ("length(value) = 32", "UPDATE secret SET value = x'00';",
     {"secrets": [(None, "secret", None)]}),
    ("require_case BETWEEN 0 AND 1", "UPDATE account SET require_case = 2 WHERE id = 2;",
     {"accounts": [("second", "account", 2)]}),
    ("alert_minute BETWEEN", "UPDATE account SET alert_minute = 1440 WHERE id = 2;",
     {"accounts": [("second", "account", 2)]}),
    ("scopes BETWEEN 1 AND 16383", "UPDATE token SET scopes = 0 WHERE account_id = 2;",
     {"tokens": [("second", "token", None)]}),
    ("lenient BETWEEN 0 AND 1", "UPDATE token SET lenient = -1 WHERE account_id = 2;",
     {"tokens": [("second", "token", None)]}),
]


@pytest.mark.slow
def test_every_check_of_the_schema_has_its_rule(whole):
    """A read-only connection does not enforce CHECKs. So a new one needs a rule of docket check,
    and a row above."""
    schema = " ".join(sql for sql, in rows(
        whole, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"))
    checks = re.findall(r"CHECK\s*\((.*)", schema.replace("CHECK", "\nCHECK"))
    unknown = [check for check in checks
               if not any(check.startswith(begin) for begin, _, _ in FORBIDDEN)]
    assert not unknown and len(checks) >= len(FORBIDDEN)


@pytest.mark.parametrize("script, expected", cases(BREAKS + FORBIDDEN))
def test_what_is_broken_is_found_and_only_that(folder, script, expected):
    damage(folder, script if "tallies" in expected else script + ";".join(["", *TALLY, ""]))
    report = found(folder)
    assert sorted(report) == sorted(expected), report
    for rule, entries in expected.items():
        if isinstance(entries, str):
            assert {record for _, record, _ in report[rule]} == {entries}, report
        elif entries:
            assert report[rule] == entries, report


@pytest.mark.parametrize("script", [
    "", "UPDATE history SET value = json_remove(value, '$.body', '$.users_list');",
    "UPDATE history SET value = replace(value, '\"body\"', '  \"body\"');",
    *[UNINDEX + both("task", "task", 5, "title", title) + f"UPDATE task SET title_folded = {title}"
      f" {ALTERED} INSERT INTO task_words (rowid, title) VALUES (1 << 40 | 5, {title});"
      for title in ("'ab'", "'abc'", "'x\u00fc\u4e16\U0001f600'", "'aaaaaaaaaa'")]])
def test_what_is_sound(folder, script):
    """For example entries that an earlier docket has written, with fewer fields."""
    damage(folder, script)
    with contextlib.closing(sqlite3.connect(folder / "docket.db")) as database, database:
        rechain(database)
    report = check(folder, 0)
    assert report["faults"] == []
    assert report["schema"] == len(list((harness.ROOT / "schema").glob("*.sql")))
    for table, count in report["looked_at"].items():
        assert rows(folder, f"SELECT count(*) FROM {table}") == [(count,)]
    assert report["looked_at"]["task"] == 33


@pytest.mark.parametrize("script", [
    UNINDEX + "INSERT INTO task_pending VALUES (1, 5, NULL);",
    f"INSERT INTO task_pending VALUES (1, 5, {TITLE});", UNINDEX +
    "INSERT INTO task_words (rowid, title) VALUES (1 << 40 | 5, 'the old title');"
    "INSERT INTO task_pending VALUES (1, 5, 'the old title');"])
def test_titles_that_wait_for_the_text_index(folder, script):
    """The index has what the row says, or nothing."""
    damage(folder, script)
    assert check(folder, 0)["faults"] == []


def test_titles_that_the_text_index_does_not_tell_apart(make_server):
    """FTS5 takes U+FFFE and U+FFFF for U+FFFD."""
    server = make_server()
    for title in ("ab\ufffdcd", "ab\ufffecd", "ab\uffffcd", "\uffff" * 4, "\ufffeab"):
        server.create(title=title)
    server.stop()
    check(server.data, 0)


def test_the_first_are_named_and_all_are_counted(folder):
    damage(folder, "UPDATE task SET body = 'other' WHERE account_id = 1;")
    fault, = check(folder, 1)["faults"]
    assert (fault["rule"], fault["found"], len(fault["entries"])) == ("history-values", 30, 5)
    assert fault["entries"][0] == {"account": "main", "record": "task", "id": 1,
                                   "what": "body differs"}
    text = run("check", "--data", folder).stdout
    assert "account main, task 1: body differs\n" in text and "and 25 more\n" in text


def test_what_cannot_be_read_ends_one_rule_alone(folder):
    damage(folder, "DROP TABLE task_words; UPDATE account_state SET last_change = 1 WHERE account_id = 2;")
    one, two = check(folder, 1)["faults"]
    assert (one["rule"], two["rule"]) == ("last-change", "words")
    assert "task_words" in two["broken"]


@pytest.mark.slow
def test_a_page_of_nonsense(folder):
    """The report says so, whatever the page was for, and docket does not crash."""
    path = folder / "docket.db"
    size = path.stat().st_size
    for page in range(1, size // 8192, 3):
        data = bytearray(path.read_bytes())
        data[page * 8192:(page + 1) * 8192] = b"\xa5" * 8192
        other = folder.parent / f"page-{page}"
        other.mkdir()
        (other / "docket.db").write_bytes(data)
        done = run("check", "--data", other)
        assert done.returncode == 1, (page, done)
        assert done.stdout.endswith("not sound\n") or done.stderr.startswith("docket: "), done
        shutil.rmtree(other)


@pytest.mark.slow
def test_while_the_folder_is_served(whole, tmp_path, make_server):
    server = make_server()
    made = server.create(title="While it is served", users_list=[1, 2])
    for _ in range(3):
        done = run("check", "--data", server.data, "--json")
        assert (done.returncode, done.stderr) == (0, ""), done
        server.create()
    assert json.loads(done.stdout)["looked_at"]["task"] == 3
    assert server.get(made["id"]).json == made
    server.stop()
    # The checks left no file behind.
    assert sorted(os.listdir(server.data)) == ["docket.db", "docket.lock"]


@pytest.mark.slow
def test_while_others_write(make_server):
    """Each rule sees one snapshot, so writes during the check break no rule."""
    server, made, looked_at = make_server(), [], [0]

    def write(_, stop):
        while not stop.is_set():
            made.append(server.create(title="Written meanwhile", users_list=[1, 2, 3])["id"])

    with beside(write):
        for _ in range(5):
            until(lambda: len(made) > looked_at[-1])
            said = succeed("check", "--data", server.data, "--json").stdout
            looked_at.append(json.loads(said)["looked_at"]["task"])
    assert looked_at == sorted(set(looked_at)), looked_at


def test_what_a_killed_process_has_left(make_server):
    """The check reads the WAL as well and does not remove it."""
    server = make_server()
    server.create()
    server.kill()
    assert (server.data / "docket.db-wal").stat().st_size > 0
    before = {name: digest for name, digest in files(server.data).items() if "shm" not in name}
    done = succeed("check", "--data", server.data, "--json")
    assert json.loads(done.stdout)["looked_at"]["task"] == 1
    assert {name: digest for name, digest in files(server.data).items()
            if "shm" not in name} == before
    server.start()
    assert server.get(1).status == 200


@pytest.mark.slow
def test_a_folder_whose_name_needs_care(whole, tmp_path):
    """docket passes the name to SQLite as a URI."""
    for name in ("a?mode=rwc", "b%41", "c#d", "e f"):
        shutil.copytree(whole, tmp_path / name)
        check(tmp_path / name, 0)


def test_another_schema(folder):
    damage(folder, "DELETE FROM migration WHERE number > 2;")
    assert "docket migrate" in fails("check", "--data", folder)
    damage(folder, "INSERT INTO migration VALUES (9999, 'later', 0);")
    assert "9999" in fails("check", "--data", folder)


def test_no_database(tmp_path):
    assert "docket init" in fails("check", "--data", tmp_path / "none")
    (tmp_path / "docket.db").write_bytes(b"not a database" * 1000)
    fails("check", "--data", tmp_path)


def test_progress_is_for_terminals_alone(folder):
    main, other = pty.openpty()
    done = run("check", "--data", folder, stderr=other)
    os.close(other)
    said = b""
    with contextlib.suppress(OSError):
        while data := os.read(main, 65536):
            said += data
    os.close(main)
    assert done.returncode == 0 and done.stdout.endswith("\nsound\n"), done
    assert b" rules, " in said and said.endswith(b"\r\x1b[K"), said


def test_an_account_that_is_being_removed(folder):
    """Half of the account's records are gone, which is no fault."""
    with contextlib.closing(sqlite3.connect(folder / "docket.db")) as database:
        database.execute("UPDATE account SET name = '-1' WHERE id = 1")
        database.commit()
    assert "being removed" in fails("check", "--data", folder)
