"""An upgrade from schema 5, which had no keys of user names and older folds: its effect on the
names and titles in the database, and upgrades that fail or are killed."""
import contextlib
import os
import pathlib
import random
import resource
import signal
import subprocess
import time
import unicodedata

import pytest

import backends
import harness
import proofs
import titles
from backends import opened, rows, where
from commands import fails
from folds import GREEK, folds
from harness import basic, begin, problem, run, strict_json, succeed
from lists import encoded
from migrations import LATEST, take_back
from records import STAFF, SUBJECT, create, post

pytestmark = backends.ALL

SIGMA = ["\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2", "\u03bf\u03b4\u03bf\u03c3"]
TITLES = SIGMA + [f"x{letter}y" for letter in GREEK] + ["Stra\u00dfe", "plain"]
NFC, NFD = "j\u00fcrgen", "ju\u0308rgen"
CYRILLIC = "\u0430dmin"  # with a Cyrillic letter
TWINS = ["Admin", "admin ", NFC, NFD]
ALIKE = [CYRILLIC, "mode", "m\u03bfde"]
NAMES = TWINS + ALIKE + ["rnode", "a/b"]

KILLS = proofs.size(6)
COPY = f"docket.db.before-{LATEST:04}"  # the old database, after an upgrade
NEW = "docket.db.new"  # the new one, until it is complete

SAME = ['"Admin", "admin", "admin "', f'"{NFD}", "{NFC}"']
LOOK_ALIKE = [f'"Admin", "admin", "{CYRILLIC}"', '"mode", "m\u03bfde", "rnode"']

# The folded fields and their columns, as schema 5 had them.
FOLDED = [("task", "title", "title_folded"), ("calendar", "name", "name_folded"),
          ("case_service", "name", "name_folded"), ("subject", "last_name", "last_name_folded"),
          ("staff", "first_name", "first_name_folded"), ("staff", "last_name", "last_name_folded")]


def old_fold(text):
    """The older fold, without the second normalisation."""
    return unicodedata.normalize("NFC", text).casefold()


def make_old(place):
    """Gives a place the schema 5 and the folds of that docket."""
    titles.take(place)
    with opened(place) as database:
        for table, column, folded in FOLDED:
            for account, number, text in database.execute(
                    f"SELECT account_id, id, {column} FROM {table}").fetchall():
                fold_as_before(place, database, (table, folded), (account, number), text)
        take_back(database, 5, place)


def fold_as_before(place, database, at, key, text):
    (table, column), (account, number) = at, key
    if table == "task" and not isinstance(place, backends.Database):
        database.execute("INSERT INTO task_words (task_words, rowid, title) SELECT 'delete',"
                         " account_id << 40 | id, title_folded FROM task"
                         " WHERE account_id = ? AND id = ?", key)
        database.execute("INSERT INTO task_words (rowid, title) VALUES (? << 40 | ?, ?)",
                         (account, number, old_fold(text)))
    database.execute(f"UPDATE {table} SET {column} = ? WHERE account_id = ? AND id = ?",
                     (old_fold(text), account, number))


@pytest.fixture
def old(make_server):
    """The server of a place of schema 5, and the folds of its titles. The server does not run. A
    second account has the same user names."""
    server = make_server()
    for title in TITLES:
        server.create(title=title)
    create(server, SUBJECT, last_name=f"x{GREEK[0]}")
    for number in range(len(NAMES)):
        create(server, STAFF, username=f"number {number}")
    server.stop()
    succeed("account", "add", "other", *where(server.data), "--token-file",
            server.log.with_name("token"))
    for number in range(len(NAMES)):
        succeed("staff", "add", f"number {number}", "--account", "other", *where(server.data))
    titles = folds(server.data)[:3]
    with opened(server.data) as database:
        for number, name in enumerate(NAMES):
            database.execute("UPDATE staff SET username = ? WHERE username = ?",
                             (name, f"number {number}"))
    make_old(server.data)
    return server, titles


def schema(place):
    return rows(place, "SELECT max(number) FROM migration")[0][0]


def usernames(place):
    """The user names that sign in only with exact spelling, in each account."""
    return sorted(rows(place, "SELECT account_id, username FROM staff WHERE username_exact <> ''"))


EXACT = sorted((account, name) for account in (1, 2) for name in ("admin", *TWINS))


def sound(place):
    report = strict_json(succeed("check", *where(place), "--json").stdout.encode())
    assert report["faults"] == [], report
    return {note["rule"]: note["found"] for note in report["notes"]}


def is_whole(server, titles):
    """Checks the state after any successful upgrade."""
    assert schema(server.data) == LATEST
    assert folds(server.data)[:3] == titles
    assert usernames(server.data) == EXACT
    assert sound(server.data) == {"usernames": 10, "look-alikes": 12}


def test_names_and_titles_of_an_older_schema(old):
    server, titles = old
    assert folds_of_tasks(server.data) != titles[0]
    said = succeed("migrate", *where(server.data)).stderr
    for account in ("main", "other"):
        lines = [line for line in said.splitlines() if f'account "{account}"' in line]
        assert [sum(words in line for line in lines) for words in SAME + LOOK_ALIKE] == [1] * 4, said
        assert ["only as it is written" in line for line in lines] == [True, True, False, False]
        assert ["look alike" in line for line in lines] == [False, False, True, True]
    is_whole(server, titles)
    # A second run has nothing to report.
    assert "user name" not in succeed("migrate", *where(server.data)).stderr
    succeed("account", "remove", "other", "--yes", *where(server.data))
    numbers = dict(rows(server.data, "SELECT username, id FROM staff"))
    server.start()
    for name in ("admin", *NAMES):
        reply = me(server, name)
        assert reply.status == 200 and reply.json["staff"]["id"] == numbers[name], (name, reply)
    for name in ("ADMIN", " admin", NFC.upper()):
        problem(me(server, name), 401)
    assert me(server, "MODE").json["staff"]["id"] == numbers["mode"]
    for title in SIGMA:
        found = server.call("GET", f"/api/v1/tasks?title={encoded(title)}").json
        assert [record["title"] for record in found] == SIGMA, title
    for letter in GREEK:
        found = server.call("GET", f"/api/v1/tasks?title={encoded('X' + letter.upper())}").json
        assert f"x{letter}y" in [record["title"] for record in found], letter
    assert post(server, STAFF, username="Mode").status == 422
    server.stop()


def folds_of_tasks(place):
    return rows(place, "SELECT title_folded FROM task ORDER BY id")


def me(server, name):
    return server.call("GET", "/api/v1/me", access=basic(name + "/token", server.token))


def test_a_read_only_token_of_an_older_schema(make_server):
    """It gets the scope that reads everything."""
    server = make_server()
    server.stop()
    place = where(server.data)
    for label, mark in (("reads", ["--read-only"]), ("writes", [])):
        succeed("token", "add", label, *place, *mark, "--token-file", server.log.with_name(label))
    with opened(server.data) as database:
        take_back(database, 14, server.data)
    assert rows(server.data, "SELECT read_only FROM token ORDER BY label") == [(0,), (1,), (0,)]
    succeed("migrate", *place)
    assert sound(server.data) == {}
    server.start()
    for label, scope in (("reads", "all:read"), ("writes", "all:write")):
        access = basic("admin/token", server.log.with_name(label).read_text().strip())
        assert server.call("GET", "/api/v1/me", access=access).json["token"]["scopes"] == [scope]
    server.stop()


# An upgrade that fails

GUARDS = {
    False: ["CREATE TRIGGER guard BEFORE UPDATE OF title_folded ON task"
            " BEGIN SELECT RAISE(ABORT, 'not now'); END"],
    True: ["CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS"
           " $$ BEGIN RAISE EXCEPTION 'not now'; END $$",
           "CREATE TRIGGER guard BEFORE UPDATE OF title_folded ON task"
           " FOR EACH ROW EXECUTE FUNCTION guard()"],
}


@pytest.mark.slow
def test_a_fold_that_fails(old, tmp_path):
    """The database stays unchanged, so the earlier docket can still serve it."""
    server, titles = old
    shared = isinstance(server.data, backends.Database)
    with opened(server.data) as database:
        for statement in GUARDS[shared]:
            database.execute(statement)
    before = backends.everything(server.data)
    done = run("migrate", "--dry-run", *where(server.data))
    assert done.returncode == 1 and "not now" in done.stderr, done
    commands = [["migrate"]] + [["serve", "--listen", "127.0.0.1:0"]] * (not shared)
    for command in commands:
        said = fails(*command, *where(server.data))
        assert ("not now (SQLSTATE P0001)" if shared else "not now") in said, said
        if not shared:
            assert {path.name for path in server.data.iterdir()} == {"docket.db", "docket.lock"}
        assert backends.everything(server.data) == before
    with opened(server.data) as database:
        database.execute("DROP TRIGGER guard" + " ON task" * shared)
    succeed("migrate", *where(server.data))
    is_whole(server, titles)


@backends.SQLITE
def test_a_copy_that_fails(old):
    """What an earlier upgrade has left stays."""
    server, _ = old
    stale = server.data / COPY
    stale.write_bytes(b"of last week")
    (server.data / NEW).mkdir()
    said = fails("migrate", *where(server.data))
    assert f"cannot make {server.data}/{NEW}" in said and "the copy from before" not in said, said
    assert stale.read_bytes() == b"of last week"


# An upgrade that is killed

def migrate(place, **options):
    return begin("migrate", *where(place), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                 **options)


def kill_by_size(place, size):
    """Kills the upgrade when a file becomes larger than that."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    assert migrate(place, preexec_fn=limit).wait(harness.COMMAND_S) == -signal.SIGXFSZ


# This statement would end in a thousand years.
ENDLESS = ("CREATE TRIGGER endless BEFORE UPDATE OF title_folded ON task BEGIN SELECT count(*) FROM"
           " history a, history b, history c, history d, history e, history f, history g; END")


def kill_in_fold(place):
    with opened(place) as database:
        database.execute(ENDLESS)
    process, copy = migrate(place), place / NEW
    deadline, at = time.monotonic() + harness.START_S, None
    while at is None or seconds_of(process) < at + 1:
        assert process.poll() is None and time.monotonic() < deadline
        if at is None and copy.exists():
            at = seconds_of(process)
        time.sleep(0.02)
    process.kill()
    process.wait()
    with opened(place) as database:
        database.execute("DROP TRIGGER endless")


def seconds_of(process):
    """How many seconds of processor time the process has used."""
    words = pathlib.Path(f"/proc/{process.pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return int(words[11]) / os.sysconf("SC_CLK_TCK")


def killed_folders(folder, tmp_path):
    """Copies of the folder in which an upgrade was killed: in the copy, in the folds, at any moment,
    and just before the new database replaced the old one."""
    whole = (folder / "docket.db").stat().st_size
    begun = time.monotonic()
    succeed("migrate", *where(backends.copy(folder, tmp_path / "not killed")))
    took = time.monotonic() - begun
    for turn, kill in enumerate([lambda place: kill_by_size(place, 4096),
                                 lambda place: kill_by_size(place, whole // 2), kill_in_fold,
                                 *[lambda place: kill_within(place, took)] * KILLS, link_only]):
        place = backends.copy(folder, tmp_path / f"killed-{turn}")
        kill(place)
        yield place


def kill_within(place, seconds):
    process = migrate(place)
    time.sleep(random.random() * seconds)
    process.kill()
    process.wait()


def link_only(place):
    """What a kill between link(2) and rename(2) leaves."""
    os.link(place / "docket.db", place / COPY)
    (place / NEW).write_bytes(b"x" * 9999)


@backends.SQLITE
@proofs.KILLS
@pytest.mark.slow
def test_one_that_is_killed_is_begun_again(old, tmp_path):
    """The database is either the old one, and the next start runs the upgrade again, or the new
    one."""
    server, titles = old
    before, states = backends.everything(server.data), []
    for place in killed_folders(server.data, tmp_path):
        copy = place / COPY
        states.append(schema(place))
        assert states[-1] == LATEST or backends.everything(place) == before
        done = succeed("migrate", *where(place))
        assert (f"the copy from before is {copy}" if states[-1] == 5 else "nothing to do"
                ) in done.stderr, done
        assert backends.everything(place, file=COPY) == before
        assert {path.name for path in place.iterdir()} == {
            "docket.db", "docket.lock", copy.name}
        server.data = place
        is_whole(server, titles)
    assert states[:3] + states[-1:] == [5] * 4 and set(states) <= {5, LATEST}, states


# The locks on a table for which the upgrade must wait, in each of its steps.
WAITS = [("account", "ACCESS SHARE"), ("staff", "ACCESS SHARE"), ("history", "SHARE"),
         ("task", "SHARE"), ("subject", "SHARE")]


@backends.POSTGRES
@pytest.mark.parametrize("table, mode", WAITS, ids=[table for table, _ in WAITS])
def test_one_that_is_killed_over_a_database(old, table, mode):
    server, titles = old
    place = server.data
    with contextlib.closing(place.connect()) as somebody:
        somebody.autocommit = False
        somebody.cursor().execute(f"LOCK TABLE {table} IN {mode} MODE")
        process = migrate(place)
        place.until("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND datname = current_database()")
        process.kill()
        process.wait()
        somebody.rollback()
    place.until("SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() HAVING count(*) = 0")
    assert schema(place) == 5
    assert rows(place, "SELECT 1 FROM pg_class WHERE relname = 'property'") == []
    succeed("migrate", *where(place))
    is_whole(server, titles)
