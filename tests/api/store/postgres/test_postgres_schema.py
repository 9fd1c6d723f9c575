"""Which PostgreSQL databases docket serves, makes and migrates, and its messages about others: exit
status 1, one line that says what to do, and never a password."""
import contextlib
import re

import pytest

import postgres
from commands import fails
from deployment import Deployment
from harness import ROOT, begin, run, succeed
from migrations import LATEST, TOLD
from ports import free_port

pytestmark = postgres.NEEDED

LOCK = "1685021547, 25972"  # "docket" as two integers
MARKERS = {"int": "BIGINT", "text": 'TEXT COLLATE "C"', "bytes": "BYTEA"}
# The URL escapes a character; the message must not show the password without the escape either.
PASSWORD = postgres.PASSWORD.replace("!", "%21")
NOTHING = f"the database has schema {LATEST}: there is nothing to do\n"
BUSY = ("docket: other docket processes have the database open: stop those that serve it, or wait"
        " until docket migrate is done\n")
LOCKS = ("SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database"
         " WHERE locktype = 'advisory' AND datname = current_database()")
TABLES = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"


@pytest.fixture
def empty():
    """A database without a table."""
    return postgres.shared().create("empty")


@pytest.fixture
def deployment(empty, tmp_path):
    with Deployment(empty, tmp_path) as deployment:
        yield deployment


@pytest.fixture
def old(empty):
    """A database of the first schema with an account and its first staff member."""
    script = (ROOT / "schema" / "0001_init.sql").read_text()
    script = re.sub(r"\{(\w+)\}", lambda found: MARKERS.get(found[1], ""), script)
    empty.run(f"SET ROLE {postgres.OWNER};"
              "CREATE TABLE migration (number BIGINT NOT NULL PRIMARY KEY,"
              " name TEXT NOT NULL, applied_at BIGINT NOT NULL);"
              "INSERT INTO migration VALUES (1, 'init', 0);" + script +
              "INSERT INTO account (id, name, created_at, last_change, last_staff_id)"
              " VALUES (1, 'old', 0, 1, 1);"
              "INSERT INTO staff VALUES (1, 1, 1, 'admin', '', '', '', 0, 0, 0);"
              "INSERT INTO history VALUES (1, 1, 0, NULL, 'staff', 1, 'create',"
              """ '{"id":1,"username":"admin"}');""")
    return empty


def numbers(database):
    return [number for number, in database.run("SELECT number FROM migration ORDER BY number")]


def serve(url):
    return fails("serve", "--database", url, "--listen", "127.0.0.1:0")


def test_an_older_schema_is_migrated_by_migrate_alone(old):
    url = old.url
    said = serve(url)
    assert "has schema 1 " in said and f"needs schema {LATEST}" in said
    assert "stop every docket" in said and '"docket migrate --database URL"' in said
    for command in (["account", "list"], ["check"], ["demo"]):
        fails(*command, "--database", url)
    assert numbers(old) == [1], "nothing but migrate changes it"
    done = succeed("migrate", "--database", url, "--dry-run")
    assert done.stdout == TOLD and numbers(old) == [1]
    assert "as it was" in done.stderr and "copy" not in done.stderr, done
    done = succeed("migrate", "--database", url)
    assert done.stdout == TOLD and f"from schema 1 to {LATEST}" in done.stderr
    assert len(numbers(old)) == LATEST
    assert "there is nothing to do" in succeed("migrate", "--database", url).stderr
    # The history has the staff member's present state, and is a chain from the first entry on.
    assert succeed("check", "--database", url).stdout.endswith("\nsound\n")
    assert [old.run(f"SELECT {what}") for what in (
        "change, length(hash), value::json ->> 'time_zone' FROM history ORDER BY change",
        "change FROM staff", "last_change, history_head = (SELECT hash FROM history WHERE change = 2)"
        " FROM account_state")] == [[(1, 32, None), (2, 32, "UTC")], [(2,)], [(2, True)]]
    assert "old" in succeed("account", "list", "--database", url).stdout


def test_a_row_that_is_taken_away(deployment):
    deployment.database.run(f"DELETE FROM migration WHERE number = {LATEST}")
    said = serve(deployment.url)
    assert f"has schema {LATEST - 1} " in said and "docket migrate" in said


def test_a_newer_schema(deployment):
    deployment.database.run(f"INSERT INTO migration VALUES ({LATEST + 3}, 'of the future', 0)")
    for command in (["serve", "--listen", "127.0.0.1:0"], ["migrate"], ["account", "list"],
                    ["check"], ["init"]):
        said = fails(*command, "--database", deployment.url)
        assert f"has schema {LATEST + 3} " in said and f"up to {LATEST}" in said
        assert "a newer one" in said


def test_two_migrations_at_once(old):
    """One migration waits for a locked table and holds the database. The other is refused, or finds
    nothing left to do."""
    with old.held("LOCK TABLE migration IN ACCESS EXCLUSIVE MODE"):
        both = [begin("migrate", "--database", old.url) for _ in range(2)]
        old.until("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                  " AND datname = current_database() HAVING count(*) = 1")
    said = sorted((one.wait(60), *one.communicate()) for one in both)
    assert sorted(told for _, told, _ in said) == ["", TOLD], said
    for status, told, message in said:
        assert told or (status, message) in [(0, NOTHING), (1, BUSY)], said
    assert len(numbers(old)) == LATEST


def test_not_while_it_is_served(deployment):
    server = deployment.serve()
    for command in ("migrate", "init"):
        assert "stop" in fails(command, "--database", deployment.url)
    assert server.call("GET", "/api/v1/me", headers=deployment.headers("first"),
                       access=False).status == 200
    server.stop()
    assert "there is nothing to do" in succeed("migrate", "--database", deployment.url).stderr


def test_nobody_serves_while_it_is_migrated(deployment):
    with contextlib.closing(deployment.database.connect()) as somebody:
        somebody.cursor().execute(f"SELECT pg_advisory_lock({LOCK})")
        assert "docket migrate" in serve(deployment.url)
    deployment.database.until(f"{LOCKS} HAVING count(*) = 0")
    deployment.serve()


def test_a_process_that_does_nothing_has_its_lock_again(deployment):
    """Its sessions, and with them its lock, are ended while nobody sends a request."""
    server = deployment.serve()
    ended = [pid for pid, _ in deployment.database.cluster.main.run(
        "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
        [deployment.database.name])]
    assert ended
    deployment.database.until(f"{LOCKS} AND pid <> ALL(ARRAY{ended})")
    assert "stop" in fails("migrate", "--database", deployment.url)
    server.stop()


def test_init_makes_no_second_first_account(deployment):
    said = fails("init", "--database", deployment.url, "--account", "another")
    assert "already has" in said and "account" in said
    assert deployment.database.run("SELECT count(*) FROM account") == [(1,)]


def test_a_database_without_tables(empty):
    for command in (["serve", "--listen", "127.0.0.1:0"], ["migrate"], ["account", "list"],
                    ["check"], ["demo"]):
        assert '"docket init --database URL"' in fails(*command, "--database", empty.url), command
    assert empty.run(TABLES) == [(0,)]


@pytest.mark.parametrize("columns", [
    "number BIGINT, name TEXT, applied_at BIGINT", "number TEXT, name TEXT, applied_at TEXT",
    "id BIGINT, version BIGINT"], ids=["the same", "the same names", "others"])
def test_a_database_of_another_program(empty, columns):
    """It has a table of migrations, which may even look like docket's."""
    width = columns.count(",") + 1
    empty.run(f"SET ROLE {postgres.OWNER}; CREATE TABLE migration ({columns});"
              f"INSERT INTO migration VALUES ({', '.join('1' * width)})")
    before = empty.run("SELECT * FROM migration")
    for command in (["serve", "--listen", "127.0.0.1:0"], ["migrate"], ["migrate", "--dry-run"],
                    ["account", "list"], ["check"], ["demo"], ["init"]):
        said = fails(*command, "--database", empty.url)
        assert "no tables of docket" in said or "of another program" in said, (command, said)
    assert empty.run("SELECT * FROM migration") == before
    assert empty.run(TABLES) == [(1,)]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_another_encoding(encoding):
    other = postgres.shared().create("other", ENCODING=encoding, LOCALE="C", LOCALE_PROVIDER="libc")
    for command in (["init"], ["serve", "--listen", "127.0.0.1:0"], ["migrate"]):
        assert "UTF8" in fails(*command, "--database", other.url)
    assert other.run(TABLES) == [(0,)]


WRONG = [
    ("a wrong password", "postgresql://keyed:{password}x@127.0.0.1:{port}/postgres",
     "password authentication failed"),
    ("an unknown user", "postgresql://nobody-of-that-name:{password}@127.0.0.1:{port}/postgres",
     "does not exist"),
    ("a missing database", "postgresql://keyed:{password}@127.0.0.1:{port}/nowhere",
     'database "nowhere" does not exist'),
    ("no server", "postgresql://keyed:{password}@127.0.0.1:{closed}/postgres", "refused"),
    ("an unknown host", "postgresql://keyed:{password}@docket.invalid/postgres",
     "docket.invalid"),
    ("a bad escape", "postgresql://keyed:{password}%zz@127.0.0.1:{port}/postgres", "URL"),
    ("an open bracket", "postgresql://keyed:{password}@[::1/postgres", "URL"),
    ("an unknown parameter", "postgresql://keyed:{password}@127.0.0.1/postgres?nix=1", "URL"),
    ("a bad port", "postgresql://keyed:{password}@127.0.0.1:99999/postgres", "port"),
    ("another scheme", "mysql://keyed:{password}@127.0.0.1/postgres", "URL"),
]


@pytest.mark.parametrize("url, named", [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_database_that_cannot_be_opened(url, named):
    url = url.format(password=PASSWORD, port=postgres.shared().port, closed=free_port())
    for command in (["serve", "--listen", "127.0.0.1:0"], ["init"], ["migrate"], ["check"],
                    ["account", "list"]):
        done = run(*command, "--database", url)
        assert done.returncode in (1, 2) and done.stdout == "", (command, done)
        assert re.fullmatch(r"docket(?: [a-z ]+)?: .+\n", done.stderr), (command, done)
        assert named in done.stderr, (command, done)
        assert "geheim" not in done.stderr, (command, done)


def test_the_right_password_can_come_from_the_environment():
    database = postgres.shared().create("keyed", OWNER=postgres.KEYED)
    url = database.cluster.url(database.name, postgres.KEYED)
    env = {"PGPASSWORD": postgres.PASSWORD, "DOCKET_DATABASE": url}
    succeed("init", env=env)
    assert "first" not in succeed("account", "list", env=env).stdout
    assert "main" in succeed("account", "list", env={"DOCKET_DATABASE": url.replace(
        "keyed@", f"keyed:{PASSWORD}@")}).stdout
