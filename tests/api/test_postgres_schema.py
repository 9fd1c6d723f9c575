"""Which PostgreSQL databases docket serves, makes and migrates, and what it says of others: exit
status 1, one line that tells what to do, and never a password."""
import re
import subprocess

import pytest

from cluster import Cluster, Office, free_port
from commands import fails
from harness import PROGRAM, ROOT, environment, run, succeed

LOCK = "1685021547, 25972"  # "docket", in two halves
MARKERS = {"int": "BIGINT", "text": 'TEXT COLLATE "C"', "bytes": "BYTEA"}
MIGRATIONS = sorted(path.stem.replace("_", " ", 1) for path in (ROOT / "schema").glob("*.sql"))
LATEST = len(MIGRATIONS)
TOLD = "".join(name + "\n" for name in MIGRATIONS[1:])
PASSWORD = "geheim%21wort"  # with an escape: its clear form is not to be shown either
NOTHING = f"the database has schema {LATEST}: there is nothing to do\n"
BUSY = ("docket: other docket processes have the database open: stop those that serve it, or wait"
        " until docket migrate is done\n")
TABLES = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"


@pytest.fixture(scope="module")
def cluster():
    with Cluster().make() as cluster:
        rules = cluster.data / "pg_hba.conf"
        rules.write_text("host all keyed 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        cluster.start().psql("CREATE ROLE keyed LOGIN PASSWORD 'geheim!wort'", "postgres")
        yield cluster


@pytest.fixture
def empty(cluster, request):
    """A database without a table."""
    name = re.sub(r"\W", "_", request.node.name)[:60]
    cluster.psql(f"CREATE DATABASE {name}", "postgres")
    return name


@pytest.fixture
def office(cluster, tmp_path, request):
    office = Office(cluster, tmp_path, database=re.sub(r"\W", "_", request.node.name)[:60])
    yield office
    office.stop()


@pytest.fixture
def old(cluster, empty):
    """A database of the first schema with an account."""
    script = (ROOT / "schema" / "0001_init.sql").read_text()
    script = re.sub(r"\{(\w+)\}", lambda found: MARKERS.get(found[1], ""), script)
    cluster.psql("CREATE TABLE migration (number BIGINT NOT NULL PRIMARY KEY,"
                 " name TEXT NOT NULL, applied_at BIGINT NOT NULL);"
                 "INSERT INTO migration VALUES (1, 'init', 0);" + script +
                 "INSERT INTO account (id, name, created_at) VALUES (1, 'old', 0);", empty)
    return empty


def numbers(cluster, database):
    return cluster.psql("SELECT number FROM migration ORDER BY number", database).split()


def serve(url):
    return fails("serve", "--database", url, "--listen", "127.0.0.1:0")


def test_an_older_schema_is_migrated_by_migrate_alone(cluster, old):
    url = cluster.url(old)
    said = serve(url)
    assert "has schema 1 " in said and f"needs schema {LATEST}" in said
    assert "stop every docket" in said and '"docket migrate --database URL"' in said
    for command in (["account", "list"], ["check"], ["demo"]):
        fails(*command, "--database", url)
    assert numbers(cluster, old) == ["1"], "nothing but migrate changes it"
    done = succeed("migrate", "--database", url, "--dry-run")
    assert done.stdout == TOLD and numbers(cluster, old) == ["1"]
    done = succeed("migrate", "--database", url)
    assert done.stdout == TOLD and f"from schema 1 to {LATEST}" in done.stderr
    assert len(numbers(cluster, old)) == LATEST
    assert "there is nothing to do" in succeed("migrate", "--database", url).stderr
    assert "old" in succeed("account", "list", "--database", url).stdout


def test_a_row_that_is_taken_away(office, cluster):
    cluster.psql(f"DELETE FROM migration WHERE number = {LATEST}", office.database)
    said = serve(office.url)
    assert f"has schema {LATEST - 1} " in said and "docket migrate" in said


def test_a_newer_schema(office, cluster):
    cluster.psql(f"INSERT INTO migration VALUES ({LATEST + 3}, 'of the future', 0)",
                 office.database)
    for command in (["serve", "--listen", "127.0.0.1:0"], ["migrate"], ["account", "list"],
                    ["check"], ["init"]):
        said = fails(*command, "--database", office.url)
        assert f"has schema {LATEST + 3} " in said and f"up to {LATEST}" in said
        assert "a newer one" in said


def test_two_migrations_at_once(old, cluster):
    """One waits for a table that somebody holds, and so has the database while the other comes: that
    is refused, or finds nothing to do any more."""
    command = [PROGRAM, "migrate", "--database", cluster.url(old)]
    with cluster.session(old) as somebody:
        somebody.run("BEGIN")
        somebody.run("LOCK TABLE migration IN ACCESS EXCLUSIVE MODE")
        both = [subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, encoding="utf-8") for _ in range(2)]
        cluster.until("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "1")
        somebody.run("ROLLBACK")
        said = sorted((one.wait(60), *one.communicate()) for one in both)
    assert sorted(told for _, told, _ in said) == ["", TOLD], said
    for status, told, message in said:
        assert told or (status, message) in [(0, NOTHING), (1, BUSY)], said
    assert len(numbers(cluster, old)) == LATEST


def test_not_while_it_is_served(office, cluster):
    server = office.serve()
    for command in ("migrate", "init"):
        assert "stop" in fails(command, "--database", office.url)
    assert server.call("GET", "/api/v1/me", headers=office.headers("first"),
                       access=False).status == 200
    server.stop()
    assert "there is nothing to do" in succeed("migrate", "--database", office.url).stderr


def test_nobody_serves_while_it_is_migrated(office, cluster):
    with cluster.session(office.database) as somebody:
        somebody.run(f"SELECT pg_advisory_lock({LOCK})")
        assert "docket migrate" in serve(office.url)
    cluster.until(f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0")
    office.serve()


def test_init_makes_no_second_first_account(office, cluster):
    said = fails("init", "--database", office.url, "--account", "another")
    assert "already has" in said and "account" in said
    assert cluster.psql("SELECT count(*) FROM account", office.database) == "1"


def test_a_database_without_tables(cluster, empty):
    url = cluster.url(empty)
    for command in (["serve", "--listen", "127.0.0.1:0"], ["migrate"], ["account", "list"],
                    ["check"], ["demo"]):
        assert '"docket init --database URL"' in fails(*command, "--database", url), command
    assert cluster.psql(TABLES, empty) == "0"


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_another_encoding(cluster, encoding):
    name = f"in_{encoding.lower()}"
    cluster.psql(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0",
                 "postgres")
    for command in (["init"], ["serve", "--listen", "127.0.0.1:0"], ["migrate"]):
        assert "UTF8" in fails(*command, "--database", cluster.url(name))
    assert cluster.psql(TABLES, name) == "0"


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
def test_a_database_that_cannot_be_opened(cluster, url, named):
    url = url.format(password=PASSWORD, port=cluster.port, closed=free_port())
    for command in (["serve", "--listen", "127.0.0.1:0"], ["init"], ["migrate"], ["check"],
                    ["account", "list"]):
        done = run(*command, "--database", url)
        assert done.returncode in (1, 2) and done.stdout == "", (command, done)
        assert re.fullmatch(r"docket(?: [a-z ]+)?: .+\n", done.stderr), (command, done)
        assert named in done.stderr, (command, done)
        assert "geheim" not in done.stderr, (command, done)


def test_the_right_password_can_come_from_the_environment(cluster):
    cluster.psql("CREATE DATABASE of_keyed OWNER keyed", "postgres")
    url = cluster.url("of_keyed", "keyed")
    env = {"PGPASSWORD": "geheim!wort", "DOCKET_DATABASE": url}
    succeed("init", env=env)
    assert "first" not in succeed("account", "list", env=env).stdout
    assert "main" in succeed("account", "list", env={"DOCKET_DATABASE": url.replace(
        "keyed@", f"keyed:{PASSWORD}@")}).stdout
