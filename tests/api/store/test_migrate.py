"""The command migrate: to this program's schema, and dry runs."""
import contextlib
import hashlib
import os
import pwd
import re
import sqlite3
import time

import pytest

from backends import rows
from commands import ANEW, fails
from harness import ROOT, run, succeed
from migrations import LATEST, TOLD

# The markers of the first schema for SQLite.
MARKERS = {"int": "INTEGER", "text": "TEXT", "bytes": "BLOB", "table": "STRICT",
           "narrow": "STRICT, WITHOUT ROWID", "by_account": ""}


@pytest.fixture
def old(tmp_path):
    """A folder with a database of the first schema: an account, a staff member and a token."""
    folder = tmp_path / "data"
    folder.mkdir()
    script = (ROOT / "schema" / "0001_init.sql").read_text()
    script = re.sub(r"^--.*", "", script, flags=re.MULTILINE)
    change(folder, "PRAGMA journal_mode = WAL;"
           "CREATE TABLE migration (number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL,"
           " applied_at INTEGER NOT NULL) STRICT;"
           "INSERT INTO migration VALUES (1, 'init', 0);"
           + re.sub(r"\{(\w+)\}", lambda marker: MARKERS[marker[1]], script) +
           "INSERT INTO account (id, name, created_at, last_change, last_staff_id)"
           " VALUES (1, 'old', 0, 1, 1);"
           "INSERT INTO staff VALUES (1, 1, 1, 'admin', '', '', '', 0, 0, 0);"
           "INSERT INTO token VALUES (1, zeroblob(32), 'first', 0);")
    return folder


def change(folder, script):
    with contextlib.closing(sqlite3.connect(folder / "docket.db")) as database:
        database.executescript(script)


def state(folder):
    """Every file with its bytes; a lock file has none."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.iterdir() if path.name != "docket.lock"}


def test_a_dry_run_changes_nothing(old):
    before = state(old)
    done = succeed("migrate", "--data", old, "--dry-run")
    assert done.stdout == TOLD, done
    assert re.fullmatch(
        f"{ANEW}tried from schema 1 to {LATEST}: the titles and names of 1 of 1 records"
        " would be folded again; the database is as it was\n", done.stderr), done
    assert state(old) == before


def test_a_dry_run_tells_what_would_fail(old):
    """A later schema requires unique labels of tokens."""
    change(old, "INSERT INTO token VALUES (1, randomblob(32), 'first', 0)")
    before = state(old)
    for _ in range(2):
        done = fails_after_telling("migrate", "--data", old, "--dry-run")
        assert "administration" in done.stderr and "token" in done.stderr, done
        assert state(old) == before
    fails("migrate", "--data", old)  # and it reports no migration as done
    assert rows(old, "SELECT count(*) FROM token") == [(2,)]
    assert set(os.listdir(old)) == {"docket.db", "docket.lock"}


def fails_after_telling(*arguments):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (1, TOLD), done
    assert re.fullmatch(ANEW + r"docket: .+\n", done.stderr), done
    return done


def test_it_migrates_once(old, tmp_path, make_server):
    done = succeed("migrate", "--data", old)
    assert done.stdout == TOLD, done
    copy = old / f"docket.db.before-{LATEST:04}"
    assert re.fullmatch(
        f"{ANEW}migrated from schema 1 to {LATEST}; the copy from before is {copy}\n", done.stderr)
    assert rows(old, "SELECT max(number) FROM migration", file=copy.name) == [(1,)]
    assert rows(old, "SELECT max(number), count(*) FROM migration") == [(LATEST, LATEST)]
    assert sorted(os.listdir(old)) == [
        "docket.db", f"docket.db.before-{LATEST:04}", "docket.lock"]
    before = state(old)
    for more in ([], ["--dry-run"]):
        done = succeed("migrate", "--data", old, *more)
        assert done.stdout == "" and "nothing to do" in done.stderr, done
        assert state(old) == before
    succeed("token", "add", "ci", "--data", old, "--token-file", tmp_path / "token")
    assert make_server(old, (tmp_path / "token").read_text().strip()).get(1).status == 404


@pytest.mark.parametrize("words", [
    ["account", "list"], ["account", "add", "new"], ["account", "set", "old", "--country", "DE"],
    ["account", "remove", "old", "--yes"], ["staff", "add", "new"], ["staff", "list"],
    ["staff", "set", "admin", "--email", "a@example.com"], ["token", "add", "new"],
    ["token", "list"], ["token", "revoke", "first"], ["demo"], ["check"], ["init"]])
def test_only_serve_and_migrate_change_a_schema(old, tmp_path, words):
    before = state(old)
    makes_token = words[0] == "init" or (words[1:2] == ["add"] and words[0] != "staff")
    said = fails(*words, "--data", old,
                 *(["--token-file", tmp_path / "token"] if makes_token else []))
    if words != ["init"]:
        assert f'schema 1 and this docket needs schema {LATEST}' in said, said
        assert f'"docket migrate --data {old}"' in said, said
    assert state(old) == before
    assert not (tmp_path / "token").exists()


def test_serve_says_what_it_migrated(old, make_server):
    copy = old / f"docket.db.before-{LATEST:04}"
    server = make_server(old)
    assert (f"docket: migrated the database from schema 1 to {LATEST}; the copy from before is "
            f"{copy}") in server.messages()
    server.stop()
    assert rows(old, "SELECT max(number) FROM migration", file=copy.name) == [(1,)]
    server.start()
    assert server.stderr().count("migrated the database") == 1


@pytest.mark.skipif(os.getuid() != 0, reason="root alone can be two users")
@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_what_root_makes_is_the_owners(old, more):
    """Also the file of a dry run, which stays there if the dry run is killed."""
    owner = pwd.getpwnam("nobody")
    for path in (old, *old.iterdir()):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    succeed("migrate", "--data", old, *more)
    assert (old / f"docket.db.before-{LATEST:04}").exists() == (not more)
    assert {path.owner() for path in old.iterdir()} == {"nobody"}


LATER = 4000000000


@pytest.mark.parametrize("script", [
    "UPDATE staff SET updated_at = {};",
    "INSERT INTO calendar VALUES (1, 1, 2, 'Later', '', 0, {});",
    "INSERT INTO history VALUES (1, 1, {}, NULL, 'calendar', 9, 'delete', NULL);",
], ids=["staff", "calendar", "history"])
def test_the_last_time_of_an_account(old, script):
    """It is the latest of all times, also of deleted records. The changes of the migration itself
    have no earlier time."""
    change(old, script.format(LATER))
    succeed("migrate", "--data", old)
    assert rows(old, "SELECT last_at FROM account_state") == [(LATER,)]
    renewed = rows(old, "SELECT at FROM history WHERE record = 'staff'")
    assert renewed and set(renewed) == {(LATER,)}


def test_the_last_time_of_an_account_that_was_sound(old):
    """The staff member has no entry in the history yet; the migration adds one."""
    before = int(time.time())
    succeed("migrate", "--data", old)
    (last,), = rows(old, "SELECT last_at FROM account_state")
    assert before <= last <= time.time()
    assert rows(old, "SELECT max(at) FROM history") == [(last,)]


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_newer_schema_is_refused(old, more):
    change(old, "INSERT INTO migration VALUES (9999, 'later', 0)")
    before = state(old)
    said = fails("migrate", "--data", old, *more)
    assert "9999" in said and str(LATEST) in said
    assert state(old) == before


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_not_while_the_folder_is_served(make_server, more):
    server = make_server()
    assert "another docket process" in fails("migrate", "--data", server.data, *more)
    server.create()


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_no_folder_and_no_database(tmp_path, more):
    assert "docket init" in fails("migrate", "--data", tmp_path / "none", *more)
    (tmp_path / "docket.db").write_bytes(b"not a database" * 1000)
    fails("migrate", "--data", tmp_path, *more)


def test_a_dry_run_sees_what_a_killed_process_has_left(old):
    """The last writes are only in the WAL."""
    pid = os.fork()
    if pid == 0:
        database = sqlite3.connect(old / "docket.db", isolation_level=None)
        database.execute("INSERT INTO token VALUES (1, randomblob(32), 'first', 0)")
        os._exit(0)
    os.waitpid(pid, 0)
    assert (old / "docket.db-wal").stat().st_size > 0
    database = state(old)["docket.db"]
    done = fails_after_telling("migrate", "--data", old, "--dry-run")
    assert "token" in done.stderr, done
    assert state(old)["docket.db"] == database
    assert not [name for name in os.listdir(old) if "new" in name]
