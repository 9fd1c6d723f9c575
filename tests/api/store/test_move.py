"""The command move: it copies everything to another database, or nothing."""
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import time

import pytest

import backends
import harness
import postgres
import proofs
from commands import fails, misuse
from harness import COMMAND_S, SANITIZER, TASKS, begin, make_data, run, succeed
from move_backends import SHOWN, TABLES, Database, Folder, tables
from relay import Cutter
from together import until

IN_USE = re.compile("in use by another docket|docket processes have the database open")
MANY = 10000  # tasks; docket copies 4096 at a time
KILLS = proofs.size(6)

# Requests whose answers must have the same bytes before and after a move.
REQUESTS = [
    TASKS, TASKS + "/1", f"{TASKS}/{MANY}", TASKS + "/99999", "/api/v1/me",
    TASKS + "?mode=count", TASKS + "?page=3&per_page=7",
    TASKS + "?expand=case,calendar,subject,case_service,users&per_page=50",
    *(f"{TASKS}?sort={sort}&dir={dir}&per_page=20"
      for sort in ("id", "due_on", "title", "created_at", "updated_at", "alert_at", "complete_at")
      for dir in ("asc", "desc")),
    TASKS + "?title=report", TASKS + "?title=ca", TASKS + "?status=none,complete&user=2",
    TASKS + "?due_from=2024-01-01&due_to=2026-12-31&sort=due_on", TASKS + "?case=none",
    TASKS + "?user=none&mode=count", TASKS + "?calendar=1&alert_from=2020-01-01",
]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A folder with many tasks, and with rows in every table. Tests copy it and never serve it."""
    folder = tmp_path_factory.mktemp("many") / "data"
    token = make_data(folder, MANY)
    succeed("token", "add", "reader", "--scopes", "tasks:read,cases:write", "--addresses", "192.0.2.0/24,::1",
            "--expires", "2031-01-01", "--data", folder)
    succeed("token", "rotate", "reader", "--data", folder)
    succeed("account", "set", "main", "--country", "GB", "--time-zone", "Europe/London",
            "--alert-hour", "09:30", "--data", folder)
    succeed("account", "add", "second", "--data", folder)
    succeed("demo", "--account", "second", "--tasks", 50, "--data", folder)
    succeed("account", "remove", "second", "--yes", "--data", folder)
    # More idempotency keys than docket copies at a time, in an order that no language has.
    Folder(folder, token).query(
        f"WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {MANY})"
        " INSERT INTO idempotency (account_id, route, key, at, body_hash, change)"
        " SELECT 1, '/api/v1/tasks', char(33 + n % 94, 126 - n / 94 % 94, 33 + n / 8836),"
        " 4000000000, randomblob(32), 1 + n % 10 FROM n")
    return folder, token


@pytest.fixture(scope="module")
def many_there(many):
    """The same as a PostgreSQL database, which tests copy."""
    there = Database(many[1])
    move(Folder(*many), there)
    yield there
    there.drop()


@pytest.fixture
def source(request, tmp_path, many):
    if getattr(request, "param", "folder") == "database":
        source = Database(many[1], request.getfixturevalue("many_there"))
    else:
        shutil.copytree(many[0], tmp_path / "source")
        source = Folder(tmp_path / "source", many[1])
    yield source
    source.drop()


@pytest.fixture
def target(request, tmp_path, many):
    if getattr(request, "param", "folder") == "database":
        target = Database(many[1])
    else:
        target = Folder(tmp_path / "target", many[1])
    yield target
    target.drop()


def ways(*which):
    """Runs the test once for each pair of places."""
    return pytest.mark.parametrize("source, target", [
        pytest.param(*way.split(" to "), id=way.replace(" ", "-"),
                     marks=[postgres.NEEDED] if "database" in way else [])
        for way in which], indirect=True)


ALL = ways("folder to folder", "folder to database", "database to folder", "database to database")
TARGETS = ways("folder to folder", "folder to database")


def move(source, target):
    return succeed("move", "--from", source.place, "--to", target.place)


def start(source, target):
    return begin("move", "--from", source.place, "--to", target.place)


def check(place):
    assert succeed("check", *place.options).stdout.endswith("sound\n")


def hold(source, target):
    """Begins a move and stops it (SIGSTOP) as soon as a part of the target exists. If the move ends before
    that, begins again."""
    for _ in range(3):
        process = start(source, target)
        until(lambda: target.begun() or process.poll() is not None, seconds=COMMAND_S, pause=0.002)
        process.send_signal(signal.SIGSTOP)
        if process.returncode is None:
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if not target.exists():
            return process
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=COMMAND_S)
        assert process.returncode == 0, (out, err)
        target.clear()
    raise AssertionError("every move ended before it was stopped")


def break_off(source, target, after=None):
    """Begins a move and kills it, after that time or as soon as a part of the target exists.
    Returns whether it was killed."""
    if after is None:
        process = hold(source, target)
    else:
        process = start(source, target)
        time.sleep(after)
    process.kill()
    out, err = process.communicate(timeout=COMMAND_S)
    assert not SANITIZER.search(err), err
    assert process.returncode in (0, -signal.SIGKILL), (out, err)
    return process.returncode != 0


def answers(server, requests=REQUESTS):
    """The server's answers, without the headers that differ in every answer."""
    replies = [server.call("GET", path) for path in requests]
    return [(path, reply.status, reply.body,
             [header for header in reply.headers if header[0] not in harness.OWN])
            for path, reply in zip(requests, replies)]


@ALL
@pytest.mark.slow
def test_everything_goes_over(source, target, tmp_path):
    before = tables(source)
    done = move(source, target)
    counts = dict(line.rsplit(maxsplit=1) for line in done.stdout.splitlines())
    assert counts == {shown: str(len(before[table]) - 1) for table, shown in SHOWN.items()}
    assert "every row is the same" in done.stderr and "earlier" not in done.stderr, done
    assert tables(source) == before
    assert tables(target) == before
    assert target.leftovers() == set()
    if isinstance(target, Folder):
        assert target.place.stat().st_mode & 0o777 == 0o700
        assert (target.place / "docket.db").stat().st_mode & 0o777 == 0o600
    else:  # the database has its statistics from the first request on
        assert target.query("SELECT reltuples > 0 FROM pg_class WHERE relname = 'task'") == [(True,)]
    check(target)
    serve_alike(source, target, tmp_path)


def serve_alike(source, target, tmp_path):
    """Both places answer the same, give out the same next ids, and accept each other's cursors."""
    old, new = source.serve(tmp_path / "old.log"), target.serve(tmp_path / "new.log")
    try:
        asked = answers(old)
        assert answers(new) == asked
        assert {status for _, status, _, _ in asked} == {200, 404}
        links = [dict(headers).get("Link", "") for _, _, _, headers in asked]
        nexts = [found[1] for link in links if (found := re.search(r'<([^>]*after=[^>]*)>', link))]
        assert len(nexts) > 10
        assert answers(new, nexts) == answers(old, nexts)
        made = [server.post(harness.task(title="The next"), {"Prefer": "handling=lenient"})
                for server in (old, new)]
        assert [reply.status for reply in made] == [201, 201]
        assert made[0].json["id"] == made[1].json["id"]
        assert made[0].header("ETag") == made[1].header("ETag")
        assert answers(new, [TASKS + "?title=the%20next&mode=count"])[0][2] == \
            b'{"record_count":1,"page_count":1}'
    finally:
        old.stop()
        new.stop()
    check(target)
    # docket never gives an account's number out again, also not that of a removed account.
    for place in (source, target):
        succeed("account", "add", "third", *place.options)
    assert len({str(place.query("SELECT max(id) FROM account")) for place in (source, target)}) == 1
    check(target)


@pytest.mark.slow
def test_and_back(source, target, tmp_path):
    back = Folder(tmp_path / "back", source.token)
    move(source, target)
    move(target, back)
    assert tables(back) == tables(source)
    check(back)


def test_a_small_one(one, tmp_path):
    """Tables without rows, and a name with characters that are special in a URI."""
    target = Folder(tmp_path / "a ?#% b", "")
    succeed("move", "--from", one, "--to", target.place)
    assert tables(target) == tables(Folder(one, ""))
    check(target)


@proofs.KILLS
@ways("folder to folder", "folder to database", "database to folder")
@pytest.mark.slow
def test_kills_at_random_moments(source, target, tmp_path):
    begun = time.monotonic()
    first = Folder(tmp_path / "first", source.token)
    move(source, first)
    whole = time.monotonic() - begun
    dice, killed = random.Random(), 0
    for turn in range(KILLS):
        # The first kills come early, while docket makes the tables.
        longest = whole / 10 if turn < KILLS / 2 else whole
        killed += break_off(source, target, dice.random() * longest)
        if target.exists():
            break
        assert re.search("docket (init|move)", fails("token", "list", *target.options))
    assert killed > 0
    if not target.exists():
        move(source, target)
    assert tables(target) == tables(source)
    assert target.leftovers() == set()
    check(target)


@ways("folder to folder", "folder to database", "database to folder")
@pytest.mark.slow
def test_it_goes_on_where_it_was(source, target):
    assert break_off(source, target)
    had = sum(target.query(f"SELECT count(*) FROM {table}", True)[0][0] for table in TABLES[:-1])
    assert had > MANY / 2
    done = move(source, target)
    assert f"continued after the {had} rows" in done.stderr, done
    assert tables(target) == tables(source)
    check(target)


@ways("database to database")
def test_the_source_does_not_wait_while_the_target_is_counted(source, target):
    """PostgreSQL ends a transaction that is idle for a minute, and counting may take longer."""
    assert break_off(source, target)
    state = None
    with backends.opened(target.place) as holder:
        holder.execute("LOCK TABLE account")
        process = start(source, target)
        while state is None and process.poll() is None:  # docket waits for a second
            if target.query("SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                            " AND application_name = 'docket' AND wait_event_type = 'Lock'"):
                state = source.query("SELECT state FROM pg_stat_activity WHERE datname ="
                                     " current_database() AND application_name = 'docket'")
    out, err = process.communicate(timeout=COMMAND_S)
    assert state and {one for one, in state} == {"idle"}, state
    assert process.returncode == 0 and "continued after" in err, (out, err)
    assert tables(target) == tables(source)


COPIED = "(SELECT max(id) FROM task WHERE unassigned = 1 AND id < (SELECT max(id) FROM task))"
CHANGES = [
    ("staff", "UPDATE staff SET email = 'x' || email WHERE id = 3"),
    ("token", "UPDATE token SET expires_at = NULL WHERE label = 'reader'"),
    ("subject", "UPDATE subject SET address_2 = CASE WHEN address_2 IS NULL THEN '' END"),
    ("casefile", "INSERT INTO casefile (account_id, id, change, case_number, status, created_at,"
     " updated_at) SELECT account_id, 1000000, 1, 'none', 0, 0, 0 FROM casefile LIMIT 1"),
    ("task", f"DELETE FROM task WHERE id = {COPIED}"),
    ("task", f"UPDATE task SET title = title || ' ' WHERE id = {COPIED}"),
    ("account", "UPDATE account SET expand = 'case'"),
]


def check_is_no_database(target):
    """Every command refuses a place with an incomplete move, and none completes the move."""
    if isinstance(target, Folder):
        assert "docket init" in fails("serve", *target.options, "--listen", "127.0.0.1:0")
        return
    for command in (["serve", "--listen", "127.0.0.1:0"], ["init"], ["migrate"], ["check"],
                    ["account", "list"]):
        assert "docket move" in fails(*command, *target.options)
    assert target.query("SELECT 1 FROM pg_class WHERE relname = 'migration'") == []


@pytest.mark.parametrize("source, target, table, change", [
    *(("folder", "folder", *row) for row in CHANGES),
    pytest.param("folder", "database", *CHANGES[-2], marks=postgres.NEEDED)],
    indirect=["source", "target"])
@pytest.mark.slow
def test_a_difference_is_found(source, target, table, change):
    """A row that the interrupted run copied is changed before the end."""
    assert break_off(source, target)
    target.query(change, True)
    for _ in range(2):
        said = fails("move", "--from", source.place, "--to", target.place)
        assert f"the table {table} differs: the source has" in said, said
        assert not target.exists()
    check_is_no_database(target)


@ways("folder to folder", "database to database")
@pytest.mark.slow
def test_a_target_that_was_spoilt(source, target):
    """The message names the target's error, in the middle of a page of the source."""
    assert break_off(source, target)
    target.query("DELETE FROM staff WHERE account_id = 1", True)
    target.query("INSERT INTO staff (account_id, id, change, username, first_name, last_name, email,"
                 " access_level, created_at, updated_at)"
                 " SELECT 1, 999, 1, 'x', '', '', '', 0, 0, 0", True)
    said = fails("move", "--from", source.place, "--to", target.place)
    assert "the target: cannot write the table task_user: a rule of the schema" in said
    assert not target.exists()


@pytest.mark.slow
def test_a_complete_target_wants_only_its_name(source, target):
    """The move was killed between the last transaction and the renaming."""
    move(source, target)
    (target.place / "docket.db").rename(target.place / target.unfinished)
    done = move(source, target)
    assert target.exists(), done
    assert tables(target) == tables(source)
    (target.place / "docket.db").rename(target.place / target.unfinished)
    target.query("UPDATE task SET body = 'other' WHERE id = 7", True)
    assert "the table task" in fails("move", "--from", source.place, "--to", target.place)
    assert not target.exists()


@ways("folder to database")
def test_the_last_answer_is_lost(source, target):
    """The connection is cut after the move was committed, before docket gets the answer. The database is then
    complete. The next run finds that out from its contents."""
    cutter = Cutter(target.place.cluster.port)
    cutter.about, cutter.armed = b"DROP TABLE moving", "after"
    url = target.place.url.replace(f":{cutter.target[1]}/", f":{cutter.port}/")
    said = fails("move", "--from", source.place, "--to", url)
    assert cutter.cuts["after"] == 1
    cutter.stop()
    assert "the target: " in said and "run the same command again" in said, said
    assert target.exists()
    done = move(source, target)
    assert "an earlier run had moved everything; every row is the same" in done.stderr, done
    assert tables(target) == tables(source)
    check(target)
    target.query("UPDATE task SET body = 'other' WHERE id = 7")
    said = fails("move", "--from", source.place, "--to", target.place)
    assert target.refused in said and "the table task" in said and "cannot be used" not in said, said
    target.query("DELETE FROM migration WHERE number > 1")
    target.query("DROP TABLE given")
    said = fails("move", "--from", source.place, "--to", target.place)
    assert target.refused in said and "columns" in said, said


@TARGETS
@pytest.mark.slow
def test_another_source_or_another_state_of_it(source, target, tmp_path, one):
    assert break_off(source, target)
    assert "another source" in fails("move", "--from", one, "--to", target.place)
    succeed("token", "revoke", "reader", *source.options)
    said = fails("move", "--from", source.place, "--to", target.place)
    assert "changed" in said and target.unfinished in said
    assert not target.exists()


@ways("folder to folder", "database to database")
@pytest.mark.slow
def test_a_served_source_and_a_served_target(source, target, tmp_path):
    server = source.serve(tmp_path / "log")
    said = fails("move", "--from", source.place, "--to", target.place)
    assert "the source: " in said and IN_USE.search(said)
    assert not target.exists() and not target.begun()
    server.stop()
    move(source, target)
    server = target.serve(tmp_path / "log")
    said = fails("move", "--from", source.place, "--to", target.place)
    assert target.refused in said or IN_USE.search(said)
    server.stop()


@TARGETS
def test_nothing_is_written_over(source, target, one):
    """It overwrites neither a database of docket nor a table of another program."""
    move(Folder(one, ""), target)
    before = tables(target)
    said = fails("move", "--from", source.place, "--to", target.place)
    assert "the target: " in said and target.refused in said
    assert tables(target) == before


@postgres.NEEDED
def test_it_is_not_moved_onto_itself(one, many_there):
    for place in (one, many_there.place):
        fails("move", "--from", place, "--to", place)


@TARGETS
def test_tables_of_the_same_names(source, target):
    if isinstance(target, Folder):
        target.place.mkdir()
    target.query("CREATE TABLE subject (id INTEGER)", True)
    assert "must be empty" in fails("move", "--from", source.place, "--to", target.place)
    assert not target.exists()
    assert target.query("SELECT count(*) FROM subject", True) == [(0,)]


@ways("folder to database", "database to folder")
def test_a_connection_that_is_lost(source, target):
    """The servers end the sessions of both sides in the middle of the move."""
    process = hold(source, target)
    there = source if isinstance(source, Database) else target
    there.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'docket'")
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=COMMAND_S)
    assert (process.returncode, out) == (1, ""), (out, err)
    side = "source" if there is source else "target"
    assert f"the {side}: cannot" in err and not target.exists(), err
    assert "continued after" in move(source, target).stderr
    assert tables(target) == tables(source)


@ways("database to folder", "database to database")
def test_the_lock_of_the_source_is_lost(source, target, tmp_path):
    """The session with the lock is idle all the time. If somebody ends it, others can write to the
    source."""
    process = hold(source, target)
    ended = source.query("SELECT pg_terminate_backend(pid, 10000) FROM pg_locks"
                         " WHERE locktype = 'advisory' AND granted AND database ="
                         " (SELECT oid FROM pg_database WHERE datname = current_database())")
    assert ended == [(True,)]
    server = source.serve(tmp_path / "log")
    assert server.post(harness.task()).status == 201
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=COMMAND_S)
    server.stop()
    assert (process.returncode, out) == (1, ""), (out, err)
    assert "the source: cannot keep others away" in err and not target.exists(), err
    # The copy is of an earlier state of the source.
    assert "changed" in fails("move", "--from", source.place, "--to", target.place)


@TARGETS
@pytest.mark.slow
def test_two_at_once(source, target, one):
    first = hold(source, target)
    said = [fails("move", "--from", source.place, "--to", target.place),
            fails("move", "--from", one, "--to", target.place)]
    first.send_signal(signal.SIGCONT)
    assert "the source: " in said[0] and "the target: " in said[1]
    assert all(IN_USE.search(line) for line in said)
    first.communicate(timeout=COMMAND_S)
    assert first.returncode == 0
    assert tables(target) == tables(source)


@ways("folder to folder", "database to folder")
def test_a_source_of_another_schema(source, target):
    source.query("DELETE FROM migration WHERE number > 1")
    said = fails("move", "--from", source.place, "--to", target.place)
    assert "docket migrate" in said and "source" in said
    source.query("INSERT INTO migration VALUES (9999, 'later', 0)")
    assert "9999" in fails("move", "--from", source.place, "--to", target.place)
    assert not target.place.exists()


@postgres.NEEDED
def test_a_source_without_tables(target):
    empty = Database()
    said = fails("move", "--from", empty.place, "--to", target.place)
    assert "the source: the database has no tables of docket" in said
    empty.drop()
    said = fails("move", "--from", empty.place, "--to", target.place)
    assert "the source: " in said and empty.place.name in said
    assert not target.place.exists()


@ways("folder to database")
def test_into_partitions(source, target):
    succeed("move", "--from", source.place, "--to", target.place, "--partitions", 3)
    assert target.query("SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'"
                        " AND relname LIKE 'task\\__'") == [(3,)]
    assert tables(target) == tables(source)
    check(target)
    back = Database(source.token)
    move(target, back)
    assert tables(back) == tables(source)
    check(back)
    back.drop()


@pytest.mark.slow
def test_a_source_that_was_killed(source, target):
    """The move copies the changes that are in its WAL."""
    pid = os.fork()
    if pid == 0:
        database = sqlite3.connect(source.place / "docket.db", isolation_level=None)
        database.execute("UPDATE account SET expand = 'users'")
        os._exit(0)
    os.waitpid(pid, 0)
    move(source, target)
    assert set(target.query("SELECT expand FROM account")) == {("users",)}


@ways("folder to folder", "database to folder")
@pytest.mark.slow
def test_a_full_disk(source, target):
    """The move says so, and continues when there is room."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, 6_000_000))
    done = run("move", "--from", source.place, "--to", target.place, preexec_fn=limit)
    assert done.returncode == 1 and "target" in done.stderr, done
    assert not target.exists()
    move(source, target)
    assert tables(target) == tables(source)


@pytest.mark.slow
def test_how_it_is_used_wrongly(one, tmp_path):
    assert "--to PLACE is missing" in misuse("move", "--from", one)
    assert "--from PLACE is missing" in misuse("move", "--to", one)
    assert "PARTITIONS" not in misuse("move", "--from", one, "--to", one, "--partitions", 3)
    assert "there is no database in" in fails("move", "--from", tmp_path / "none", "--to", tmp_path / "t")
    assert not (tmp_path / "t").exists()
    assert "cannot make the folder" in fails("move", "--from", one, "--to", tmp_path / "a" / "b")
