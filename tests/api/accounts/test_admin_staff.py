"""docket staff: add, list and set, with one and with several accounts; the effect of access levels
over HTTP; and that nobody can lock an account out."""
import contextlib
import json
import sqlite3

import pytest

from admin import LOG, TIME, check_help, check_sound, docket, dump, listed, refused, told_changes
from backends import rows
from commands import fails, misuse
from harness import OWN, TASKS, basic, cases, problem, run, succeed, task, task_json
from together import at_once

NOBODY = {"first_name": "", "last_name": "", "email": "", "access_level": "full"}
STAFF = "SELECT id, username, first_name, last_name, email, access_level FROM staff"
HISTORY = ("SELECT change, staff_id, record, record_id, action, value FROM history "
           "WHERE record = 'staff' AND account_id = {} AND change > {} ORDER BY change")


def member(folder, username, *account):
    """A row of `staff list`, without its time of creation."""
    (found,) = [row for row in listed(folder, "staff list", *account)
                if row["username"] == username]
    assert TIME.fullmatch(found.pop("created_at"))
    return found


@pytest.mark.parametrize("command, argument", [
    ("staff add", "USERNAME"), ("staff list", None), ("staff set", "USERNAME"),
    ("staff remove", "USERNAME")])
def test_help(command, argument):
    check_help(command, argument)


# Add

FULL_NAME = ["--first-name", "Zo\u00eb", "--last-name", "d'Arc", "--email", "zoe@example.com"]
GIVEN = {"first_name": "Zo\u00eb", "last_name": "d'Arc", "email": "zoe@example.com"}


@pytest.mark.parametrize("username, options, got", [
    ("fourth", [], {}),
    ("fourth", FULL_NAME, GIVEN),
    ("fourth", ["--access", "limited"], {"access_level": "limited"}),
    ("fourth", ["--access", "disabled", "--email", "none"], {"access_level": "disabled"}),
    ("fourth", ["--access=full", "--email=a@b"], {"email": "a@b"}),
    ("\u6f22 \u5b57@", [], {}), ("u" * 64, ["--last-name", "n" * 255], {"last_name": "n" * 255}),
])
def test_add(one, username, options, got):
    before = dump(one)
    done = succeed("staff", "add", username, "--data", one, *options)
    assert done.stdout == "" and done.stderr.count("\n") == 1, done
    assert f'"{username}"' in done.stderr and "number 4" in done.stderr
    assert member(one, username) == {"id": 4, "username": username, **NOBODY, **got}
    after = dump(one)
    changed = {table for table in after if after[table] != before[table]}
    assert changed == {"account_state", "staff", "history", *LOG}
    assert [row for row in after["staff"] if row not in before["staff"]] == [
        row for row in after["staff"] if row[1] == 4]


@pytest.mark.slow
def test_numbers_rise_in_each_account(two):
    for account, number in (("first", 4), ("second", 4), ("first", 5), ("first", 6), ("second", 5)):
        done = succeed("staff", "add", f"n{number}", "--data", two, "--account", account)
        assert f"number {number}" in done.stderr
    assert [row["id"] for row in listed(two, "staff list", "--account", "first")] == [
        1, 2, 3, 4, 5, 6]


# Wrong use and failures

USERNAMES = ["", " ", "\u00a0", "a:b", "a/b", " a", "a ", "a\nb", "a\x7f", "u" * 65, "\udcff",
             "x\u0085", "x\u200b"]
VALUES = [
    *[(["--first-name", name], "--first-name ")
      for name in ("a\nb", "n" * 256, "\udcff", "\x1b[2J")],
    *[(["--last-name", name], "--last-name ") for name in ("a\tb", "n" * 256, "\udcff")],
    *[(["--email", address], "--email ")
      for address in ("a", "@b", "a@", "a@b@c", "a b@c", "a@b, c@d", "<a@b>", "a@b\nBcc: c@d",
                      "None", "a" * 251 + "@b.c", "\udcff@b")],
    *[(["--access", level], "--access ")
      for level in ("", "Full", "none", "0", "admin", "full ", "limited,disabled", "\udcff")],
]
WRONG = [
    *[(["staff", "add", name], "the user name ") for name in USERNAMES],
    *[(["staff", "add", "fourth", *options], named) for options, named in VALUES],
    *[(["staff", "set", "second", *options], named) for options, named in VALUES],
    (["staff", "set", "second"], "nothing to change"),
    (["staff", "add", "fourth", "--account", ""], "--account "),
]


@pytest.mark.parametrize("words, named", WRONG)
def test_wrong_use(one, words, named):
    refused(one, misuse, words, named)


@pytest.mark.parametrize("words, named", [
    (["staff", "add", "second"], "the user name "),
    (["staff", "add", "SECOND"], "the user name "),
    (["staff", "add", "admin", "--access", "limited"], "staff member 1"),
    *[(["staff", "set", name, "--access", "full"], f'"{name}"')
      for name in ("nobody", "admi", "", "a:b", "second\u200b", "%")],
    (["staff", "set", "admin", "--access", "limited"], "--access "),
    (["staff", "set", "admin", "--access", "disabled", "--first-name", "x"], "--access "),
])
def test_failure(one, words, named):
    refused(one, fails, words, named)


def test_each_wrong_value_is_told(one):
    before = dump(one)
    said = misuse("staff", "add", "a:b", "--data", one, "--first-name", "\n", "--email", "a",
                  "--access", "x")
    assert said.count("\n") == 4, said
    for named in ("the user name ", "--first-name ", "--email ", "--access "):
        assert named in said, said
    assert dump(one) == before


@pytest.mark.parametrize("command", [
    ["staff", "add", "fourth"], ["staff", "list"], ["staff", "list", "--json"],
    ["staff", "set", "second", "--access", "full"]])
@pytest.mark.slow
def test_the_account_must_be_named(two, command):
    """With several accounts --account is needed; with one it is allowed."""
    refused(two, fails, command, "--account")
    for name in ("third", "FIRST"):
        refused(two, fails, [*command, "--account", name], f'"{name}"')
    before = dump(two, 1)
    succeed(*command, "--data", two, "--account", "second")
    succeed(*command[:2], *(["fifth"] if command[1] == "add" else command[2:]), "--data", two,
            env={"DOCKET_ACCOUNT": "second"})
    assert dump(two, 1) == before
    docket(two, "account remove", "second", "--yes")
    succeed(*command, "--data", two)
    assert (dump(two, 1) == before) == (command[1] == "list")


# List

def test_list(one):
    docket(one, "staff add", "zoe", *FULL_NAME, "--access", "disabled")
    docket(one, "staff add", "\u6f22\u5b57", "--last-name", "\"\\ \u00e9\u0301\u200d")
    found = listed(one, "staff list")
    assert [row["id"] for row in found] == [1, 2, 3, 4, 5]
    assert [list(row) for row in found] == [["id", "username", "first_name", "last_name", "email",
                                             "access_level", "created_at"]] * 5
    assert found[3].items() >= {**GIVEN, "username": "zoe", "access_level": "disabled"}.items()
    assert found[4]["last_name"] == "\"\\ \u00e9\u0301\u200d"
    assert rows(one, STAFF) == [
        (row["id"], row["username"], row["first_name"], row["last_name"], row["email"],
         ["full", "limited", "disabled"].index(row["access_level"])) for row in found]


def test_list_of_more_than_a_page(one):
    """Every staff member is listed once, in the order of ids."""
    with contextlib.closing(sqlite3.connect(one / "docket.db")) as database, database:
        database.executemany("INSERT INTO staff (account_id, id, change, username, username_key, first_name,"
                             " last_name, email, access_level, created_at, updated_at)"
                             " VALUES (1, ?, 1, ?, ?, '', '', '', 1, 0, 0)",
                             [(number, f"n{number}", f"n{number}") for number in range(4, 1204)])
    assert [row["id"] for row in listed(one, "staff list")] == list(range(1, 1204))


# Set

@pytest.mark.parametrize("options, got", [
    (["--first-name", "Zo\u00eb"], {"first_name": "Zo\u00eb"}),
    (["--last-name", "d'Arc"], {"last_name": "d'Arc"}),
    (["--email", "zoe@example.com"], {"email": "zoe@example.com"}),
    (["--email", "none"], {"email": ""}),
    (["--email", ""], {"email": ""}),
    (["--first-name", "", "--last-name", ""], {"first_name": "", "last_name": ""}),
    (["--access", "disabled"], {"access_level": "disabled"}),
    (["--access", "full"], {"access_level": "full"}),
    ([*FULL_NAME, "--access", "disabled"], {**GIVEN, "access_level": "disabled"}),
])
@pytest.mark.slow
def test_set(two, options, got):
    account = ("--account", "first")
    before, other = listed(two, "staff list", *account), dump(two, 2)
    was = member(two, "second", *account)
    wanted = {**was, **got}
    done = succeed("staff", "set", "second", "--data", two, *account, *options)
    now = member(two, "second", *account)
    assert now == wanted
    assert done.stdout == told_changes(was, now)
    assert done.stderr == ('changed the staff member "second"\n' if now != was else
                           'nothing changed: the staff member "second" has these values already\n')
    assert [row for row in listed(two, "staff list", *account) if row["id"] != 2] == [
        row for row in before if row["id"] != 2]
    assert dump(two, 2) == other
    check_sound(two)


@pytest.mark.slow
def test_history(two):
    """Each change of a staff member has an entry in the history, with the next change number and no
    staff member as its author."""
    (last,), = rows(two, "SELECT last_change FROM account_state WHERE account_id = 2")
    other = dump(two, 1)
    for words in (["add", "fourth", "--email", "d@example.com"], ["set", "fourth", *FULL_NAME],
                  ["set", "fourth", "--access", "disabled"]):
        succeed("staff", *words, "--data", two, "--account", "second")
    for words in (["add", "fourth"], ["set", "nobody", "--access", "full"],
                  ["set", "admin", "--access", "limited"]):
        fails("staff", *words, "--data", two, "--account", "second")
    found = rows(two, HISTORY.format(2, last))
    assert [row[:5] for row in found] == [
        (last + 1, None, "staff", 4, "create"), (last + 2, None, "staff", 4, "update"),
        (last + 3, None, "staff", 4, "update")]
    values = [json.loads(row[5]) for row in found]
    assert values[0].items() >= {"id": 4, "username": "fourth", "email": "d@example.com",
                                 "first_name": "", "access_level": "full"}.items()
    assert values[1].items() >= {**GIVEN, "username": "fourth", "access_level": "full"}.items()
    assert values[2].items() >= {**GIVEN, "access_level": "disabled"}.items()
    assert rows(two, "SELECT last_change FROM account_state WHERE account_id = 2") == [(last + 3,)]
    assert rows(two, "SELECT change FROM staff WHERE account_id = 2 AND id = 4") == [(last + 3,)]
    assert dump(two, 1) == other


# Nobody can lock an account out

@pytest.mark.parametrize("level", ["limited", "disabled"])
@pytest.mark.slow
def test_the_last_full_access_stays(two, level):
    """The last one of each account counts: full access in another account does not help."""
    for account in ("first", "second"):
        where = ["--account", account]
        refused(two, fails, ["staff", "set", "admin", "--access", level, *where], "--access ")
        docket(two, "staff set", "admin", "--access", "full", "--email", "none", *where)
        docket(two, "staff set", "second", "--access", "full", *where)
        docket(two, "staff set", "admin", "--access", level, *where)
        refused(two, fails, ["staff", "set", "second", "--access", level, *where], "--access ")
        docket(two, "staff set", "second", "--first-name", "Last", *where)
        assert [row["access_level"] for row in listed(two, "staff list", *where)] == [
            level, "full", "limited"]


@pytest.mark.slow
def test_two_that_go_at_once(pair):
    """Two staff members lose full access at the same time, and each sees the other as the one who
    keeps it. One must keep it."""
    where = ["--account", "second"]
    for turn in range(6):
        for name in ("admin", "second"):
            pair.do("staff set", name, "--access", "full", *where)
        done = at_once(lambda name: run("staff", "set", name, "--data", pair.folder, "--access",
                                        "limited", *where), ("admin", "second"))
        assert sorted(one.returncode for one in done) == [0, 1], (turn, done)
        levels = [row["access_level"] for row in listed(pair.folder, "staff list", *where)]
        assert sorted(levels[:2]) == ["full", "limited"]
    for name in ("admin", "second"):
        pair.do("staff set", name, "--access", "full", *where)
    pair.do("staff set", "second", "--access", "limited", *where)


# The effect over HTTP, from the next request on

@pytest.mark.slow
def test_access_levels(pair):
    def ask(user, account="first", method="GET", body=None):
        return pair.ask(account, method, TASKS, body, user=user)

    pair.do("staff add", "new", "--account", "first")
    unknown = ask("nobody")
    problem(unknown, 401)
    for level, status in (("full", 200), ("limited", 403), ("disabled", 401), ("limited", 403),
                          ("full", 200)):
        pair.do("staff set", "new", "--access", level, "--account", "first")
        for method, body in (("GET", None), ("POST", task_json())):
            reply = ask("new", method=method, body=body)
            assert reply.status == (201 if (method, status) == ("POST", 200) else status), reply
            if status == 401:
                assert reply.body == unknown.body
                assert [header for header in reply.headers if header[0] not in OWN] == [
                    header for header in unknown.headers if header[0] not in OWN]
        # The staff member with the same name in the other account is another one.
        assert ask("new", "second").body == unknown.body
        assert ask("admin").status == 200


def test_a_task_may_name_a_disabled_staff_member(one, make_server):
    server = make_server(one)
    assert server.post(task(users_list=[4])).status == 422
    docket(one, "staff add", "fourth", "--access", "disabled")
    assert server.create(users_list=[4, 1])["users_list"] == [1, 4]
    reply = server.get(1, access=basic("fourth/token", server.token))
    problem(reply, 401)
    server.stop()
    assert rows(one, "SELECT staff_id FROM history WHERE record = 'task'") == [(1,)]


@pytest.mark.parametrize("username", cases([("a blank", "j doe"), ("wide", "\u6f22\u5b57")]))
def test_a_user_name_works_as_it_is_written(one, make_server, username):
    docket(one, "staff add", username)
    server = make_server(one, user=username)
    made = server.create()
    assert server.get(made["id"]).json == made
    server.stop()
    assert rows(one, "SELECT staff_id FROM history WHERE record = 'task'") == [(4,)]


@pytest.mark.slow
def test_only_an_option_changes_somebody(tmp_path):
    """Environment variables and files do not, because they may be meant for another command."""
    folder, file = tmp_path / "data", tmp_path / "file"
    succeed("init", "--data", folder, "--token-file", tmp_path / "token", "--email", "a@b")
    file.write_text(f"data = {folder}\nemail = file@example.com\nlast-name = File\nyes = yes\n")
    env = {"DOCKET_EMAIL": "env@example.com", "DOCKET_FIRST_NAME": "Env", "DOCKET_YES": "yes"}
    succeed("staff", "set", "admin", "--config", file, "--access", "full", env=env)
    (found,) = json.loads(succeed("staff", "list", "--data", folder, "--json").stdout)
    assert (found["email"], found["first_name"], found["last_name"]) == ("a@b", "", "")
    assert run("account", "remove", "main", "--config", file, env=env).returncode == 2
