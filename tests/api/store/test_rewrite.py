"""A migration writes the database of a folder anew, with pages of 4096 bytes."""
import contextlib
import os
import sqlite3

import pytest

from backends import everything, opened, rows
from commands import fails
from harness import run, succeed
from migrations import LATEST, take_back

COPY = f"docket.db.before-{LATEST:04}"


def page_size(folder, file="docket.db"):
    return rows(folder, "PRAGMA page_size", file=file)[0][0]


def with_large_pages(folder):
    """Makes the pages as large as docket made them before schema 11."""
    with contextlib.closing(sqlite3.connect(folder / "docket.db")) as database:
        database.executescript("PRAGMA journal_mode = DELETE; PRAGMA page_size = 8192; VACUUM")
    assert page_size(folder) == 8192


@pytest.fixture
def old(one):
    """A folder of schema 10 with large pages."""
    succeed("demo", "--data", one, "--tasks", 100)
    with opened(one) as database:
        take_back(database, 10, one)
    with_large_pages(one)
    return one


def sound(folder):
    assert succeed("check", "--data", folder).stdout.endswith("\nsound\n")


@pytest.mark.parametrize("how", ["migrate", "serve"])
def test_the_new_database_has_small_pages(old, make_server, how):
    if how == "serve":
        make_server(old).stop()
    else:
        succeed("migrate", "--data", old)
    assert (page_size(old), page_size(old, COPY)) == (4096, 8192)
    assert rows(old, "SELECT max(number) FROM migration", file=COPY) == [(10,)]
    sound(old)


def test_large_pages_can_be_served(make_server):
    server = make_server()
    server.stop()
    with_large_pages(server.data)
    server.start()
    made = server.create(title="on a large page")
    assert server.get(made["id"]).json == made
    server.stop()
    assert page_size(server.data) == 8192
    sound(server.data)


def test_not_while_somebody_reads(old):
    """For example docket check. The WAL belongs to the old database as long as anybody reads it."""
    with contextlib.closing(sqlite3.connect(old / "docket.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("SELECT count(*) FROM task").fetchall()
        assert "another process reads the database" in fails("migrate", "--data", old)
        assert rows(old, "SELECT max(number) FROM migration") == [(10,)]
    succeed("migrate", "--data", old)
    sound(old)


@pytest.mark.skipif(os.getuid() != 0, reason="root alone can mount")
@pytest.mark.parametrize("more", [[], ["--dry-run"]])
@pytest.mark.parametrize("room", [0.9, 1.6])
def test_it_needs_room_for_a_second_database(old, tmp_path, more, room):
    """Without it docket changes nothing."""
    (place := tmp_path / "small").mkdir()
    size = int((old / "docket.db").stat().st_size * (1 + room))
    script = (f"mount -t tmpfs -o size={size} tmpfs {place} && cp {old}/docket.db {place} &&"
              ' { "$0" "$@"; status=$?; ls ' + f"{place}; exit $status; }}")
    done = run("migrate", "--data", place, *more, before=["unshare", "-m", "sh", "-c", script],
               env={"PATH": os.environ["PATH"]})
    assert (done.returncode == 0) == (room > 1), done
    assert f"For this {place} needs up to" in done.stderr, done
    files = {"docket.db", "docket.lock"} | ({COPY} if room > 1 and not more else set())
    assert set(done.stdout.split()) >= files and "docket.db.new" not in done.stdout, done
    assert (COPY in done.stdout) == (COPY in files)


def test_a_new_database_that_is_not_sound(old):
    """It does not replace the old one."""
    with opened(old) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("UPDATE subject SET casefile_id = 999 WHERE id = 209")
    before = everything(old)
    said = fails("migrate", "--data", old)
    assert "is not sound" in said and "what a record refers to is there" in said, said
    assert everything(old) == before
    assert set(os.listdir(old)) == {"docket.db", "docket.lock"}
