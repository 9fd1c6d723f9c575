"""A database and its schema: who may bring it up, who refuses it, and what is said of a URL that
leads nowhere."""
import contextlib
import subprocess
import time

import pytest

import harness
import places
import postgres
from commands import fails, misuse
from harness import COMMAND_S, PROGRAM, environment, run, succeed
from places import where

pytestmark = places.POSTGRESQL

LISTEN = ["--listen", "127.0.0.1:0"]
PASSWORD = "s3cret-of-the-test"
ADVICE = '"docket migrate --database'


def serve_fails(*arguments):
    return fails("serve", *arguments, *LISTEN)


def schema_of(place):
    return places.rows(place, "SELECT max(number) FROM migration")[0][0]


@pytest.fixture
def older(one):
    """As the docket before the last migration left it, as far as that shows: the number."""
    with places.opened(one) as database:
        database.execute("DELETE FROM migration WHERE number = (SELECT max(number) FROM migration)")
    return one


def test_an_older_schema_is_refused(older):
    have = schema_of(older)
    said = serve_fails(*where(older))
    assert f"schema {have} " in said and f"schema {have + 1}" in said and ADVICE in said
    for command in (["account", "list"], ["demo"], ["token", "add", "x"]):
        assert ADVICE in fails(*command, *where(older))
    assert schema_of(older) == have  # nothing but docket migrate changes it


def test_a_newer_schema_is_refused(one):
    with places.opened(one) as database:
        database.execute("INSERT INTO migration (number, name, applied_at) VALUES (900, 'new', 0)")
    for said in (serve_fails(*where(one)), fails("migrate", *where(one)),
                 fails("account", "list", *where(one))):
        assert "schema 900" in said and "newer" in said
    assert schema_of(one) == 900


def test_a_database_without_tables(new_place):
    place = new_place("none")
    assert "docket init --database" in serve_fails(*where(place))
    fails("account", "list", *where(place))
    assert places.rows(place, "SELECT count(*) FROM pg_class WHERE relname = 'account'") == [(0,)]


def test_it_is_made_once(one):
    before = places.rows(one, "SELECT * FROM token"), places.rows(one, "SELECT * FROM account")
    assert "already" in fails("init", *where(one), "--account", "other")
    assert before == (places.rows(one, "SELECT * FROM token"),
                      places.rows(one, "SELECT * FROM account"))


def test_tables_of_something_else(new_place):
    """A table of that name, but not docket's: nothing is done to it."""
    place = new_place("else")
    with places.opened(place) as database:
        database.execute("CREATE TABLE task (whatever int)")
        database.execute(f"GRANT ALL ON task TO {place.url.split('//')[1].split('@')[0]}")
    fails("init", *where(place))
    with places.opened(place) as database:
        assert list(places.tables(database)["task"]) == ["whatever"]
        assert "account" not in places.tables(database)


def test_up_to_date(one):
    assert "nothing to do" in succeed("migrate", *where(one)).stderr


def test_the_same_in_parts(new_place):
    """--partitions makes every table that begins with an account one of parts."""
    place = new_place("parts")
    token = succeed("init", *where(place), "--partitions", "3").stdout.strip()
    parts = dict(places.rows(
        place, "SELECT p.relname::text, count(*) FROM pg_inherits i JOIN pg_class p"
        " ON p.oid = i.inhparent WHERE p.relkind = 'p' GROUP BY 1"))
    with places.opened(place) as database:
        expected = {table for table, columns in places.tables(database).items()
                    if "account_id" in columns}
    assert expected == set(parts) and set(parts.values()) == {3}
    succeed("demo", *where(place))
    succeed("check", *where(place))
    assert token.startswith("docket_")


@pytest.mark.parametrize("number", ["-1", "x", "1025", ""])
def test_no_number_of_parts(new_place, number):
    place = new_place("parts")
    misuse("init", *where(place), "--partitions", number)
    assert places.rows(place, "SELECT count(*) FROM pg_class WHERE relname = 'account'") == [(0,)]


def test_parts_are_for_a_database(tmp_path):
    assert "--database" in misuse("init", "--data", tmp_path / "data", "--partitions", "4")
    assert not (tmp_path / "data").exists()


def start(*arguments):
    return subprocess.Popen([PROGRAM, *map(str, arguments)], env=environment(), text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def test_four_make_it_at_once(new_place):
    """From nothing: one makes the tables, whoever comes meanwhile is told so or finds them made."""
    for _ in range(3):
        place = new_place("raced")
        some = [start("init", *where(place), "--account", f"a{number}") for number in range(4)]
        done = [(process.communicate(timeout=COMMAND_S), process.returncode) for process in some]
        assert sorted(status for _, status in done) == [0, 1, 1, 1], done
        for (_, said), status in done:
            assert status == 0 or "already" in said or "stop them" in said, said
        assert places.rows(place, "SELECT count(*) FROM account") == [(1,)]
        succeed("check", *where(place))


def test_four_migrate_at_once(one):
    some = [start("migrate", *where(one)) for _ in range(4)]
    done = [(process.communicate(timeout=COMMAND_S), process.returncode) for process in some]
    assert 0 in [status for _, status in done], done
    for (_, said), status in done:
        assert ("nothing to do" if status == 0 else "stop them") in said, done
    succeed("check", *where(one))


def test_migrate_refuses_while_it_is_served(make_server):
    server = make_server()
    for command in ("migrate", "init"):
        assert "stop" in fails(command, *where(server.data)), command
    assert server.get(1).status == 404  # and it goes on
    server.stop()
    succeed("migrate", *where(server.data))


def test_nobody_starts_while_the_schema_is_changed(one):
    """The lock of docket migrate, held by the test."""
    with contextlib.closing(one.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(1685021547, 25972)")
        for said in (serve_fails(*where(one)), fails("account", "list", *where(one))):
            assert "migrate" in said
    succeed("account", "list", *where(one))


# URLs that lead nowhere

@pytest.fixture(scope="module")
def guarded(base):
    """The name of a user who needs a password. None is asked for from this machine else."""
    cluster = base[0].cluster
    cluster.run(f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'")
    rules = cluster.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("host all guarded 127.0.0.1/32 scram-sha-256\n" + before)
    cluster.reload()
    yield "guarded"
    rules.write_text(before)
    cluster.reload()
    cluster.run("DROP ROLE guarded")


def check_said(said, *words):
    """One line that is of use, and no password."""
    assert said.count("\n") == 1, said
    assert PASSWORD not in said and "wrong-word" not in said, said
    for word in words:
        assert word in said, said


def test_a_wrong_password(one, guarded):
    url = f"127.0.0.1:{one.cluster.port}/{one.name}"
    for command in (["serve", *LISTEN], ["account", "list"], ["check"], ["migrate"], ["init"]):
        said = fails(*command, "--database", f"postgresql://{guarded}:wrong-word@{url}")
        check_said(said, "password", guarded)


def test_the_password_does_not_show(one, guarded):
    """The right one, of a user who may do nothing there."""
    url = f"postgresql://{guarded}:{PASSWORD}@127.0.0.1:{one.cluster.port}/{one.name}"
    check_said(serve_fails("--database", url))
    check_said(fails("account", "list", "--database", url + "?connect_timeout=x"))
    check_said(fails("check", "--database", url.replace(one.name, "nowhere")), "nowhere")


def test_a_password_that_is_right(one, guarded):
    with contextlib.closing(one.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"GRANT docket TO {guarded}")
    rest = f"127.0.0.1:{one.cluster.port}/{one.name}"
    succeed("account", "list", "--database", f"postgresql://{guarded}:{PASSWORD}@{rest}")
    # The environment of libpq is docket's as well, so that the URL need not have it.
    done = run("account", "list", "--database", f"postgresql://{guarded}@{rest}",
               env={"PGPASSWORD": PASSWORD})
    assert done.returncode == 0, done


def test_a_database_that_is_not_there(one):
    said = serve_fails("--database", one.cluster.url("nowhere"))
    check_said(said, "nowhere")


def test_a_server_that_is_not_there():
    port = postgres.free_port()
    began = time.monotonic()
    said = serve_fails("--database", f"postgresql://docket:wrong-word@127.0.0.1:{port}/docket")
    check_said(said, str(port))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("url", [
    "mysql://127.0.0.1/docket", "http://127.0.0.1", "docket.db", "", "postgresql", "/srv/docket",
    "host=127.0.0.1 password=wrong-word", "postgresql:/h/d"])
@pytest.mark.parametrize("command", [["serve", *LISTEN], ["init"], ["account", "list"]])
def test_what_is_no_url(command, url):
    """libpq would take it for the name of a database of this machine."""
    said = misuse(*command, "--database", url)
    check_said(said, "--database", "postgresql://")


@pytest.mark.parametrize("url", [
    "postgresql://[::1/docket", "postgresql://h:x/docket", "postgresql://127.0.0.1/d?nonsense=1",
    "postgresql://u:wrong-word@127.0.0.1:99999999/d"])
def test_a_url_that_is_wrong(url):
    done = run("serve", "--database", url, *LISTEN)
    assert done.returncode in (1, 2) and done.stdout == "", done
    check_said(done.stderr)


@pytest.mark.parametrize("options", [
    ["--database-connections", "1"], ["--database-connections", "0"],
    ["--database-connections", "x"], ["--statement-timeout", "0"], ["--statement-timeout", "-1"],
    ["--queue", "0"], ["--queue", "x"]])
def test_settings_of_a_database(one, options):
    assert options[0] in misuse("serve", *where(one), *LISTEN, *options)


def test_a_folder_or_a_database(one, tmp_path):
    misuse("serve", *where(one), "--data", tmp_path, *LISTEN)
    assert "--database" in misuse("serve", *LISTEN)
    # What the command line says goes before the environment, whichever of the two it is.
    succeed("account", "list", *where(one), env={"DOCKET_DATA": tmp_path / "none"})
    succeed("account", "list", env={"DOCKET_DATABASE": one.url})


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_another_encoding(one, encoding):
    cluster, name = one.cluster, f"encoded_{encoding.lower()}"
    cluster.run(f"CREATE DATABASE {name} OWNER docket TEMPLATE template0 LOCALE_PROVIDER libc"
                f" LOCALE 'C' ENCODING '{encoding}'")
    try:
        check_said(fails("init", "--database", cluster.url(name)), "UTF8")
    finally:
        cluster.run(f"DROP DATABASE {name}")


def test_the_number_of_connections(make_server):
    """As many as it was told, and the same under load."""
    server = make_server(options=["--database-connections", "4"])
    for _ in range(40):
        server.create()
        harness.problem(server.get(999999), 404)
    (count,), = server.data.run(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
        (server.data.name,))
    assert 2 <= count <= 4, count
