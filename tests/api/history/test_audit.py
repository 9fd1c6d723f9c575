"""The audit log: which commands have an entry, who did it and when, that the entry is stored together with
what it tells about, docket log, and that docket check finds every later change of it."""
import hashlib
import json
import os
import pwd

import pytest

import backends
from admin import ACCOUNTS, TOKEN, docket
from backends import rows, where
from clocks import Clock
from commands import fails, misuse
from control import SOCKET, ask
from harness import Server, basic, run, succeed, token_file
from migrations import LATEST, take_back
from together import at_once, until

pytestmark = backends.BOTH

ME = pwd.getpwuid(os.geteuid()).pw_name
COLUMNS = ("number, at, uid, username, sudo_username, command, account_id, account, details, salt, digest, "
           "hash")


def entries(place, *options):
    return json.loads(docket(place, "log", "--json", *options))


def last(place, count=1):
    return entries(place)[-count:]


def told(place):
    """The entries that the rule of docket check names."""
    report = json.loads(run("check", *where(place), "--json").stdout)
    return [(entry["id"], entry["what"]) for fault in report["faults"] if fault["rule"] == "audit"
            for entry in fault["entries"]]


def change(place, sql, *values):
    with backends.opened(place) as database:
        database.execute(sql, values)


# What has an entry

COMMANDS = [
    ("account set", ["first", "--country", "de", "--alert-hour", "09:00"],
     {"changes": {"country": {"from": "US", "to": "DE"}, "alert_hour": {"from": "00:00", "to": "09:00"}}}),
    ("staff add", ["new", "--email", "a@b"], {"id": 4, "username": "new"}),
    ("staff set", ["second", "--access", "full", "--email", "none"], {
        "id": 2, "username": "second", "changes": {"access_level": {"from": "limited", "to": "full"},
                                                   "email": {"from": "second@x", "to": ""}}}),
    ("staff rename", ["second", "Zo\u00eb"],
     {"id": 2, "username": "second", "changes": {"username": {"from": "second", "to": "Zo\u00eb"}}}),
    ("staff remove", ["new", "--yes"], {"id": 4, "username": "new"}),
    ("token add", ["ci", "--read-only"],
     {"label": "ci", "expires_at": None, "scopes": "all:read", "addresses": "", "lenient": False}),
    ("token revoke", ["ci"], {"label": "ci"}),
]
OF_STAFF = {command for command, *_ in COMMANDS if command.startswith("staff")}


def do(place, command, words, **options):
    account = [] if command.startswith("account") else ["--account", "first"]
    return run(*command.split(), *words, *where(place), *account, **options)


def test_what_commands_did(two):
    """Each command has one entry. That of a staff member names the change in the history."""
    docket(two, "staff set", "second", "--account", "first", "--access", "limited", "--email", "second@x")
    for command, words, details in COMMANDS:
        before = entries(two)
        done = do(two, command, words)
        assert done.returncode == 0, done
        *others, entry = entries(two)
        assert others == before
        if command in OF_STAFF:
            (newest,), = rows(two, "SELECT last_change FROM account_state WHERE account_id = 1")
            assert entry["details"].pop("change") == newest
        assert entry["details"] == details, command
        assert (entry["command"], entry["account"], entry["uid"], entry["username"],
                entry["sudo_username"]) == (command, "first", os.geteuid(), ME, None)
        assert entry["number"] == len(before) + 1
    assert told(two) == []


def test_what_has_no_account(two):
    """A new database, a new account and its removal."""
    first, second = entries(two)
    assert (first["command"], first["account"], first["details"]) == ("init", "first", {})
    assert (second["command"], second["account"]) == ("account add", "second")
    assert second["details"] == {"username": "admin", "token": "made with the account"}


def test_a_removed_account_keeps_who_did_what(two):
    """The details, which name people, go with the account. The chain still verifies."""
    docket(two, "staff set", "second", "--account", "second", "--last-name", "Secret")
    docket(two, "account remove", "second", "--yes")
    docket(two, "account add", "second")
    found = [(entry["command"], entry["account"], entry["details"] is None) for entry in entries(two)[1:]]
    assert found == [("account add", "second", True), ("staff set", "second", True),
                     ("account remove", "second", False), ("account add", "second", False)]
    assert rows(two, "SELECT count(*) FROM audit WHERE (details IS NULL) <> (salt IS NULL)") == [(0,)]
    assert "removed with the account" in docket(two, "log")
    assert told(two) == []


REFUSED = [
    ("account set", ["first", "--country", "XX"]), ("account set", ["first"]), ("account set", ["third"]),
    ("staff add", ["second"]), ("staff add", ["a:b"]), ("staff set", ["nobody", "--email", "none"]),
    ("staff set", ["admin", "--access", "disabled"]), ("staff rename", ["second", "ADMIN"]),
    ("staff rename", ["nobody", "somebody"]), ("staff remove", ["second"]),
    ("staff remove", ["admin", "--yes"]), ("staff remove", ["nobody", "--yes"]),
    ("token add", ["made by docket init"]), ("token revoke", ["ci"]),
    ("account add", ["second"]), ("account remove", ["first"]), ("account remove", ["third", "--yes"]),
]
UNCHANGED = [("account set", ["first", "--country", "us", "--require-case", "yes"]),
             ("staff set", ["admin", "--access", "full"]), ("staff rename", ["admin", "admin"])]


def test_what_was_refused_or_changed_nothing_has_no_entry(two):
    before, changes = entries(two), rows(two, "SELECT account_id, last_change FROM account_state")
    for command, words in REFUSED:
        done = do(two, command, words)
        assert done.returncode in (1, 2) and done.stdout == "", done
    for command, words in UNCHANGED:
        done = do(two, command, words)
        assert done.returncode == 0 and done.stdout == "" and "nothing changed" in done.stderr, done
    assert entries(two) == before
    assert rows(two, "SELECT account_id, last_change FROM account_state") == changes


def test_an_entry_and_its_change_are_one(two):
    """If the entry cannot be stored, nothing is."""
    def state():
        return [rows(two, f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("account", "token", "staff")]

    before = state()
    change(two, "UPDATE given SET last = last - 1 WHERE name = 'audit'")  # the next number is taken
    for command, words, _ in COMMANDS[:2] + COMMANDS[5:6]:
        done = do(two, command, words)
        assert done.returncode == 1 and not TOKEN.search(done.stdout), done
    assert state() == before


def test_no_secret_is_in_the_log(two):
    token = docket(two, "token add", "ci", "--account", "first").strip()
    digest = hashlib.blake2b(token.encode(), digest_size=32)
    shown = (docket(two, "log") + docket(two, "log", "--json")).encode()
    for row in rows(two, "SELECT * FROM audit"):
        for value in map(bytes_of, row):
            shown += b"\n" + (value if isinstance(value, bytes) else str(value).encode())
    for secret in (token.encode(), digest.digest()):
        assert secret not in shown and secret.hex().encode() not in shown.lower()
    assert digest.digest() in (bytes_of(value) for value, in rows(two, "SELECT hash FROM token"))
    assert b"ci" in shown


# Who and when

@pytest.mark.parametrize("said, kept", [
    ("jane", "jane"), ("Zo\u00eb", "Zo\u00eb"), ("", None), ("x" * 255, "x" * 255), ("x" * 256, None),
    ("x" * 100000, None), (b"\xff", None), ("a\nb", None), ("\x1b[2J", None)])
def test_sudo(one, said, kept):
    """The name is only kept if it is short, UTF-8 and one line."""
    env = {"SUDO_USER": os.fsdecode(said) if isinstance(said, bytes) else said}
    succeed("token", "revoke", "made by docket init", *where(one), env=env)
    entry, = last(one)
    assert (entry["username"], entry["sudo_username"]) == (ME, kept)


def test_sudo_and_a_server(make_server):
    server = make_server()
    succeed("token", "add", "one", *where(server.data), env={"SUDO_USER": "jane"})
    succeed("token", "add", "two", *where(server.data), env={"SUDO_USER": os.fsdecode(b"\xff")})
    first, second = last(server.data, 2)
    assert (first["uid"], first["username"], first["sudo_username"]) == (os.geteuid(), ME, "jane")
    assert (second["uid"], second["username"], second["sudo_username"]) == (os.geteuid(), ME, None)


@backends.SQLITE
@pytest.mark.skipif(os.geteuid() != 0, reason="needs the user root")
@pytest.mark.parametrize("uid", [65534, 4000000000])
def test_the_user_of_a_command_in_the_serving_process(make_server, uid):
    """It is the user at the other end of the socket, whatever the command says. A user without a name has
    a number."""
    server = make_server()
    os.chmod(server.data, 0o711)
    os.chmod(server.data / SOCKET, 0o666)
    child = os.fork()
    if not child:
        folder = os.open(server.data, os.O_PATH)
        os.setuid(uid)
        answer = ask(f"/proc/self/fd/{folder}", {
            "command": "token revoke", "argument": "made by docket init", "settings": {}, "uid": 0,
            "username": "root", "sudo_username": 5})
        os._exit(answer["status"])
    assert os.waitpid(child, 0)[1] == 0
    entry, = last(server.data)
    names = [user.pw_name for user in pwd.getpwall() if user.pw_uid == uid]
    assert (entry["uid"], entry["username"]) == (uid, names[0] if names else None)
    assert entry["sudo_username"] is None


def test_times_never_go_back(one):
    """An entry has the time of its command, but never one before that of the entry before it."""
    clock = Clock(token_file(one, "clock"), 4000000000)
    succeed("token", "add", "late", *where(one), env=clock.env)
    docket(one, "token add", "early")
    first, second = last(one, 2)
    assert first["at"] == second["at"] == "2096-10-02T07:06:40Z"


# docket log

def test_a_rotation(two):
    """The entry names both tokens. There is none if the token is unknown."""
    docket(two, "token add", "ci", "--account", "first")
    docket(two, "token rotate", "ci", "--account", "first", "--expires", "2100-01-31T12:00:00Z")
    assert do(two, "token rotate", ["unknown"]).returncode == 1
    entry, = last(two)
    details = entry["details"]
    assert (entry["command"], entry["account"]) == ("token rotate", "first")
    assert list(details) == ["label", "expires_at", "old_label", "old_expires_at", "older_revoked"]
    assert details["label"] == "ci" and details["expires_at"] == "2100-01-31T12:00:00Z"
    assert details["old_label"].startswith("ci (rotated ") and details["old_expires_at"] > entry["at"]
    assert details["older_revoked"] == 0
    docket(two, "token rotate", "ci", "--account", "first", "--overlap", "0")
    assert last(two)[0]["details"]["older_revoked"] == 1


@pytest.mark.parametrize("details", ["", "{", "[]", "1", "x" * 100000])
def test_damaged_details_are_not_told_as_removed(one, details):
    change(one, "UPDATE audit SET details = ? WHERE number = 1", details)
    shown = docket(one, "log")
    assert 'cannot be read: run "docket check"' in shown and "removed" not in shown
    assert told(one) == [(1, ALTERED)]


def test_the_listing(two):
    """The oldest entry comes first. The table shows the details as words."""
    for number in range(3):
        docket(two, "token add", f"t{number}", "--account", "second")
    docket(two, "staff set", "second", "--account", "first", "--last-name", "d'Arc \u6f22")
    found = entries(two)
    assert [entry["number"] for entry in found] == [1, 2, 3, 4, 5, 6]
    lines = docket(two, "log").splitlines()
    assert lines[0].split() == [
        "number", "at", "uid", "username", "sudo_username", "command", "account", "details"]
    assert [line.split()[0] for line in lines[1:]] == list("123456")
    assert lines[-1].rstrip().endswith('last_name was "Investigator", is now "d\'Arc \u6f22"'), lines[-1]
    assert 'label "t2", expires_at null, scopes "all:write", addresses "", lenient no' in lines[-2]
    assert [entry["number"] for entry in entries(two, "--account", "first")] == [1, 6]
    assert [entry["number"] for entry in entries(two, "--account", "second")] == [2, 3, 4, 5]


def test_times_in_the_listing(one):
    """Both bounds are inclusive, and a bare date is its first second or its last."""
    change(one, "DELETE FROM audit")
    for number, at in enumerate((0, 86399, 86400, 172799, 172800), 1):
        change(one, f"INSERT INTO audit ({COLUMNS}) SELECT {number}, {at}, 0, NULL, NULL, 'x', 0, NULL, NULL,"
                    " NULL, value, value FROM secret WHERE name = 'cursor'")
    for options, numbers in (
            ([], [1, 2, 3, 4, 5]), (["--since", "1970-01-02"], [3, 4, 5]),
            (["--until", "1970-01-02"], [1, 2, 3, 4]),
            (["--since", "1970-01-02", "--until", "1970-01-02"], [3, 4]),
            (["--since", "1970-01-01T23:59:59Z", "--until", "1970-01-02T00:00:00Z"], [2, 3]),
            (["--since", "1970-01-02T01:00:00+01:00", "--until", "1970-01-02T00:00:00Z"], [3]),
            (["--since", "1970-01-03", "--until", "1970-01-02"], []), (["--since", "9999-12-31"], []),
            (["--until", "1000-01-01"], [])):
        assert [entry["number"] for entry in entries(one, *options)] == numbers, options
    done = succeed("log", *where(one), "--since", "9999-12-31")
    assert (done.stdout, done.stderr) == ("", "there are no entries\n")


@pytest.mark.parametrize("option, value", [
    *[(option, value) for option in ("--since", "--until")
      for value in ("", "today", "2027-02-29", "2027-13-01", "2027-01-31T25:00:00Z", "x" * 100000, "\udcff",
                    "0")],
    *[("--account", value) for value in ("", "-", "A", "x" * 64, "x" * 100000, "\udcff", "a b", "%")]])
def test_wrong_use_of_log(one, option, value):
    assert option in misuse("log", *where(one), option, value)


def test_the_environment_hides_no_entry(one):
    done = succeed("log", *where(one), "--json",
                   env={"DOCKET_SINCE": "9999-01-01", "DOCKET_UNTIL": "1000-01-01"})
    assert len(json.loads(done.stdout)) == 1


def test_an_unknown_account_has_no_entries(one):
    assert entries(one, "--account", "third") == []


def test_a_long_log(one):
    """Only the last 1000 entries are listed, and docket says so."""
    with backends.opened(one) as database:
        for number in range(2, 1102):
            database.execute(f"INSERT INTO audit ({COLUMNS}) SELECT {number}{COLUMNS.removeprefix('number')}"
                             " FROM audit WHERE number = 1")
    done = succeed("log", *where(one), "--json")
    assert [entry["number"] for entry in json.loads(done.stdout)] == list(range(102, 1102))
    assert done.stderr == "only the last 1000 entries are listed: use --until to see earlier ones\n"


def test_long_names(one):
    """The longest names of a staff member, a label and a user name fit into an entry."""
    docket(one, "staff add", "\U0001f600" * 64)
    docket(one, "staff set", "\U0001f600" * 64, "--first-name", "\u6f22" * 255, "--last-name", "n" * 255)
    docket(one, "token add", "\U0001f600" * 64)
    changed, added = last(one, 2)
    assert changed["details"]["changes"]["first_name"] == {"from": "", "to": "\u6f22" * 255}
    assert added["details"]["label"] == "\U0001f600" * 64
    assert told(one) == []


# Staff members: renamed and removed

@pytest.mark.parametrize("name, said", [
    ("", "is required"), (" ", "must"), ("a:b", "colon"), ("a/b", "slash"), (" a", "blank"), ("a\nb", "must"),
    ("u" * 65, "64"), ("u" * 100000, "64"), ("\udcff", "UTF-8"), ("x\u200b", "U+200B")])
def test_wrong_new_names(two, name, said):
    assert said in misuse("staff", "rename", "second", name, *where(two), "--account", "first")


@pytest.mark.parametrize("name", ["admin", "ADMIN", " admin".strip().title(), "\u0430dmin", "a\u0501min"])
def test_a_new_name_is_not_that_of_another(two, name):
    """Also not one that differs in case, or one that looks like it."""
    assert "staff member 1" in fails("staff", "rename", "second", name, *where(two), "--account", "first")


def test_rename(two, base_of_two, tmp_path):
    """The staff member logs in with the new name, and no longer with the old one; the number stays."""
    done = succeed("staff", "rename", "admin", "Zo\u00eb", *where(two), "--account", "first")
    assert done.stdout == 'username is now "Zo\u00eb", it was "admin"\n'
    assert done.stderr == 'renamed the staff member "admin"\n'
    server = Server(two, None, tmp_path / "log", ["--base-domain", "example.test"])
    for name, status in (("Zo\u00eb", 200), ("admin", 401)):
        access = basic(name + "/token", base_of_two[1]["first"])
        reply = server.call("GET", "/api/v1/me", headers={"Host": "first.example.test"}, access=access)
        assert reply.status == status, reply
    server.stop()
    (value,), = rows(two, "SELECT value FROM history WHERE account_id = 1 AND record = 'staff'"
                          " AND record_id = 1 ORDER BY change DESC LIMIT 1")
    assert json.loads(value)["username"] == "Zo\u00eb" and json.loads(value)["id"] == 1
    # The old name is free, also in another spelling of the own name.
    docket(two, "staff rename", "zo\u00eb", "ZOE\u0308", "--account", "first")
    docket(two, "staff add", "admin", "--account", "first")


def test_remove(two):
    """Not while tasks name the staff member, and not the last one with full access."""
    where_first = [*where(two), "--account", "first"]
    used, = rows(two, "SELECT staff_id, count(*) FROM task_user WHERE account_id = 1 AND staff_id > 1"
                      " GROUP BY staff_id ORDER BY staff_id LIMIT 1")
    (name,), = rows(two, f"SELECT username FROM staff WHERE account_id = 1 AND id = {used[0]}")
    said = fails("staff", "remove", name, "--yes", *where_first)
    assert f"is used by {used[1]} task" in said and "docket help staff remove" in said
    done = run("staff", "remove", "admin", "--yes", *where_first)
    assert done.returncode == 1 and '"admin" is the last staff member with full access' in done.stderr, done
    change(two, "DELETE FROM task_user WHERE account_id = 1 AND staff_id = ?", used[0])
    done = succeed("staff", "remove", name, "--yes", *where_first)
    assert (done.stdout, done.stderr) == ("", f'removed the staff member "{name}" with number {used[0]}\n')
    assert "no staff member" in fails("staff", "remove", name, "--yes", *where_first)
    # Its number is never used again, and its name is free.
    assert "number 4" in succeed("staff", "add", name, *where_first).stderr


def test_yes_comes_only_from_the_command_line(two):
    said = misuse("staff", "remove", "second", *where(two), "--account", "first", env={"DOCKET_YES": "yes"})
    assert "--yes" in said


# Two at once

def test_two_at_once(two):
    """Commands of several processes: no entry is missing, and no setting is lost."""
    options = ["--country=DE", "--alert-hour=09:00", "--time-zone=Europe/Berlin", "--require-case=no"]
    at_once(lambda option: docket(two, "account set", "first", option), options)
    at_once(lambda turn: docket(two, "token add", f"t{turn}", "--account", ACCOUNTS[turn % 2]), range(6))
    found = entries(two)
    assert [entry["number"] for entry in found] == list(range(1, 13))
    assert sorted(key for entry in found[2:6] for key in entry["details"]["changes"]) == [
        "alert_hour", "country", "require_case", "time_zone"]
    account, = [row for row in json.loads(docket(two, "account list", "--json")) if row["name"] == "first"]
    assert (account["country"], account["alert_hour"], account["time_zone"], account["require_case"]) == (
        "DE", "09:00", "Europe/Berlin", False)
    assert told(two) == []


# The chain

def number(value):
    return value.to_bytes(8, "little", signed=True)


def text(value):
    value = (value or "").encode() if not isinstance(value, (bytes, memoryview)) else bytes(value)
    return number(len(value)) + value


def blake(data):
    return hashlib.blake2b(data, digest_size=32).digest()


@pytest.fixture
def logged(two):
    for command, words, _ in COMMANDS[:3]:
        do(two, command, words, env={"SUDO_USER": "jane"})
    docket(two, "account remove", "second", "--yes")
    return two


def test_the_form_is_the_documented_one(logged):
    """docs/history.md, independent of docket's code."""
    before, count = bytes(32), 0
    for row in rows(logged, f"SELECT {COLUMNS} FROM audit ORDER BY number"):
        count += 1
        assert row[0] == count
        if row[8] is not None:
            assert blake(bytes(row[9]) + row[8].encode()) == bytes(row[10])
        before = blake(before + number(row[0]) + number(row[1]) + number(row[2]) + text(row[3]) + text(row[4])
                       + text(row[5]) + number(row[6]) + text(row[7]) + text(row[10]))
        assert bytes(row[11]) == before, row
    assert rows(logged, "SELECT last FROM given WHERE name = 'audit'") == [(count,)]
    assert count == 6 and told(logged) == []


ALTERED, MISSING = "is not as it was written", "missing"


@pytest.mark.parametrize("sql, wanted", [
    *[(f"UPDATE audit SET {what} WHERE number = 4", (4, ALTERED)) for what in (
        "at = at + 1", "uid = uid + 1", "username = 'x'", "username = NULL", "sudo_username = NULL",
        "sudo_username = 'joe'", "command = 'staff add '", "account_id = 2", "account = 'second'",
        "account = NULL",
        "details = '{}'", "details = NULL", "details = NULL, salt = NULL", "salt = NULL",
        "salt = substr(hash, 1, 16)", "digest = hash",
        "hash = digest", "username = sudo_username, sudo_username = username")],
    ("DELETE FROM audit WHERE number = 4", (4, MISSING)),
    ("DELETE FROM audit WHERE number = 1", (1, MISSING)),
    ("DELETE FROM audit WHERE number = 6", (6, MISSING)),
    ("DELETE FROM audit WHERE number > 2", (3, MISSING)),
    ("DELETE FROM audit", (1, MISSING)),
    ("UPDATE given SET last = 5 WHERE name = 'audit'",
     (6, "has a number above the last one that was given out")),
    ("UPDATE audit SET number = 9 WHERE number = 6", (6, MISSING)),
    ("UPDATE audit SET details = '{\"id\":4}' WHERE number = 2", (2, ALTERED)),
])
def test_what_check_finds(logged, sql, wanted):
    change(logged, sql)
    assert told(logged) == [wanted]
    assert run("check", *where(logged)).returncode == 1


def test_the_details_of_a_removed_account_may_be_gone(logged):
    """The digest stays, so the chain verifies."""
    change(logged, "UPDATE audit SET details = NULL, salt = NULL WHERE number = 6")
    assert told(logged) == []


def test_details_of_no_account_are_never_gone(one):
    with backends.opened(one) as database:
        take_back(database, 14, one)
    docket(one, "migrate")
    assert told(one) == []
    change(one, "UPDATE audit SET details = NULL, salt = NULL WHERE number = 1")
    assert told(one) == [(1, ALTERED)]


def test_an_entry_that_came_while_the_account_was_removed(two, tmp_path):
    """Its details go in the end. Here the removal is broken off after its first write, and the entry that
    made the account stands for the late one."""
    change(two, "UPDATE account SET name = '-2' WHERE id = 2")
    server = Server(two, None, tmp_path / "log", ["--base-domain", "example.test"])
    until(lambda: rows(two, "SELECT id FROM account") == [(1,)], what="the account is gone")
    server.stop()
    assert rows(two, "SELECT details, salt FROM audit WHERE account_id = 2") == [(None, None)]
    assert rows(two, "SELECT details FROM audit WHERE account_id = 1") == [("{}",)]
    assert told(two) == []


# What carries it

def test_a_move_carries_it(logged, tmp_path, new_place):
    target = new_place("moved")
    at = getattr(target, "url", target)
    done = succeed("move", "--from", getattr(logged, "url", logged), "--to", at)
    assert "audit entries 6" in " ".join(done.stdout.split())
    sql = f"SELECT {COLUMNS} FROM audit ORDER BY number"
    assert [list(map(bytes_of, row)) for row in rows(target, sql)] == [
        list(map(bytes_of, row)) for row in rows(logged, sql)]
    docket(target, "token add", "after the move", "--account", "first")
    assert [entry["number"] for entry in entries(target)][-1] == 7 and told(target) == []


def bytes_of(value):
    return bytes(value) if isinstance(value, memoryview) else value


@backends.SQLITE
def test_a_backup_and_a_restore(logged, tmp_path):
    """A backup has an entry, and a restore adds one to the restored log."""
    docket(logged, "backup", "--to", tmp_path / "saved.db")
    entry, = last(logged)
    assert (entry["command"], entry["account"], entry["details"]) == (
        "backup", None, {})
    docket(tmp_path / "new", "restore", "--from", tmp_path / "saved.db")
    *others, entry = entries(tmp_path / "new")
    assert others == entries(logged)[:-1]
    assert (entry["command"], entry["details"]) == ("restore", {"from": str(tmp_path / "saved.db")})
    assert told(logged) == told(tmp_path / "new") == []


@backends.SQLITE
@pytest.mark.parametrize("serves", [False, True], ids=["", "served"])
def test_a_backup_without_its_entry(make_server, one, tmp_path, serves):
    """The copy is good, so the command makes the backup; it says that the entry is missing."""
    change(one, "CREATE TRIGGER refuses BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END")
    if serves:
        make_server(one)
    done = succeed("backup", "--data", one, "--to", tmp_path / "saved.db")
    assert "the audit log has no entry of this backup: " in done.stderr and "made the backup" in done.stderr
    assert (tmp_path / "saved.db").exists() and len(entries(one)) == 1


@backends.SQLITE
def test_a_backup_by_the_serving_process(make_server, tmp_path):
    server = make_server()
    docket(server.data, "backup", "--to", tmp_path / "saved.db")
    entry, = last(server.data)
    assert (entry["command"], entry["username"]) == ("backup", ME)


@pytest.mark.parametrize("schema", [14, 10, 4])
def test_a_migration_begins_it(one, schema):
    """The first entry of an older database is that of the migration. A dry run adds none."""
    with backends.opened(one) as database:
        take_back(database, schema, one)
    succeed("migrate", *where(one), "--dry-run")
    succeed("migrate", *where(one), env={"SUDO_USER": "jane"})
    (entry,) = entries(one)
    assert (entry["number"], entry["command"], entry["account"]) == (1, "migrate", None)
    assert (entry["uid"], entry["username"], entry["sudo_username"]) == (os.geteuid(), ME, "jane")
    assert entry["details"] == {"from": schema, "to": LATEST}
    succeed("migrate", *where(one))
    assert entries(one) == [entry] and told(one) == []


@backends.SQLITE
def test_a_restore_of_an_older_schema_has_no_log(one, tmp_path):
    with backends.opened(one) as database:
        take_back(database, 14, one)
    docket(tmp_path / "new", "restore", "--from", one / "docket.db")
    assert rows(tmp_path / "new", "SELECT name FROM sqlite_schema WHERE name = 'audit'") == []
    docket(tmp_path / "new", "migrate")
    assert [entry["command"] for entry in entries(tmp_path / "new")] == ["migrate"]


@backends.POSTGRESQL
def test_a_new_era_of_a_database(one):
    docket(one, "restore")
    (entry,) = last(one)
    assert (entry["command"], entry["account"], entry["details"]) == ("restore", None, {})
    assert told(one) == []
