"""docket restore: makes a folder from a backup, whole or not at all."""
import os
import time

import pytest

from backends import everything, opened, rows
from commands import fails, misuse, mode
from harness import begin, run, strict_json, succeed
from migrations import LATEST, take_back
from saved import ROOT, sound

LEFT = {"docket.db", "docket.lock"}


@pytest.fixture
def saved(one, tmp_path):
    """A backup of the base records."""
    succeed("backup", "--data", one, "--to", tmp_path / "b.db")
    return tmp_path / "b.db"


def restore(file, folder, *more):
    return succeed("restore", "--from", file, "--data", folder, *more)


def test_it_makes_a_folder(one, saved, tmp_path):
    before = saved.read_bytes()
    done = restore(saved, tmp_path / "new")
    assert done.stdout == "" and done.stderr.startswith(f"restored {tmp_path}/new from {saved}: "), done
    assert "a new era begins" in done.stderr
    assert set(os.listdir(tmp_path / "new")) == LEFT
    assert mode(tmp_path / "new") == 0o700 and mode(tmp_path / "new/docket.db") == 0o600
    assert saved.read_bytes() == before
    sound(tmp_path / "new")
    old, new = everything(one), everything(tmp_path / "new")
    assert {name for name in old if old[name] != new[name]} == {
        "account_state", "given", "property", "audit"}


def test_json_says_what_was_restored(saved, tmp_path):
    done = restore(saved, tmp_path / "new", "--json")
    answer = strict_json(done.stdout.encode())
    assert list(answer) == ["from", "data", "dry_run", "schema", "accounts", "tasks", "last_change_at",
                            "replica"]
    assert (answer["dry_run"], answer["schema"], answer["accounts"]) == (False, LATEST, 1)


def test_a_dry_run_writes_nothing(saved, tmp_path):
    before = saved.read_bytes(), set(os.listdir(tmp_path))
    done = restore(saved, tmp_path / "new", "--dry-run")
    assert done.stderr.startswith(f"would restore {tmp_path}/new from {saved}: schema {LATEST}"), done
    assert (saved.read_bytes(), set(os.listdir(tmp_path))) == before


def test_never_over_a_database(one, saved):
    before = everything(one)
    assert f"{one} already has a database" in fails("restore", "--from", saved, "--data", one)
    assert everything(one) == before


def test_a_wal_without_its_database(saved, tmp_path):
    (folder := tmp_path / "new").mkdir()
    (folder / "docket.db-wal").write_bytes(b"")
    assert "docket.db-wal exists but its database does not" in \
        fails("restore", "--from", saved, "--data", folder)


def refused(file, tmp_path, words):
    for more in ([], ["--dry-run"]):
        assert words in fails("restore", "--from", file, "--data", tmp_path / "new", *more)
        assert not (tmp_path / "new").exists()


def test_what_is_no_backup(one, saved, tmp_path):
    (tmp_path / "text").write_text("no database")
    (tmp_path / "empty").write_bytes(b"")
    with opened(tmp_path, file="other.db") as database:
        database.execute("CREATE TABLE mine (id)")
    for name, words in (("text", "it is not a SQLite database"), ("empty", "it is not a SQLite database"),
                        ("other.db", "a database of another program"), ("missing", "cannot read"),
                        (".", "has no complete generation of a replica")):
        refused(tmp_path / name, tmp_path, words)


def test_the_database_of_a_served_folder(make_server, tmp_path):
    """Some of its changes are elsewhere."""
    server = make_server()
    server.create()
    refused(server.data / "docket.db", tmp_path, "it is a database in use")


def test_a_newer_schema(saved, tmp_path):
    with opened(saved.parent, file="b.db") as database:
        database.execute("INSERT INTO migration (number, name, applied_at)"
                         f" SELECT {LATEST + 1}, 'later', applied_at FROM migration LIMIT 1")
    refused(saved, tmp_path, f"schema {LATEST + 1}")


def damage(saved, kind):
    if kind == "a cut":
        os.truncate(saved, saved.stat().st_size // 2)
    elif kind == "a page":
        with open(saved, "r+b") as file:
            file.seek(saved.stat().st_size // 2 // 4096 * 4096)
            file.write(os.urandom(4096))
    elif kind == "the history":
        with opened(saved.parent, file=saved.name) as database:
            database.execute("UPDATE history SET at = at - 1 WHERE change = 2")
    else:
        with opened(saved.parent, file=saved.name) as database:
            database.execute("UPDATE casefile SET case_number = case_number || 'x'"
                             " WHERE id = (SELECT min(id) FROM casefile)")


@pytest.mark.parametrize("kind", ["a cut", "a page", "the history", "a record"])
def test_damage(saved, tmp_path, kind):
    damage(saved, kind)
    for more in ([], ["--dry-run"]):
        fails("restore", "--from", saved, "--data", tmp_path / "new", *more)
        assert not (tmp_path / "new").exists()


def test_the_copy_from_before_an_upgrade(one, tmp_path):
    """It keeps its schema, so that the older program can serve it."""
    with opened(one) as database:
        take_back(database, LATEST - 1, one)
    before = everything(one)
    succeed("migrate", "--data", one)
    done = restore(one / f"docket.db.before-{LATEST:04}", tmp_path / "new")
    assert f'brings it to schema {LATEST} with "docket migrate" or "docket serve"' in done.stderr, done
    assert rows(tmp_path / "new", "SELECT max(number) FROM migration") == [(LATEST - 1,)]
    new = everything(tmp_path / "new")
    assert {name for name in before if before[name] != new[name]} == {
        "account_state", "given", "property"}
    succeed("migrate", "--data", tmp_path / "new")
    sound(tmp_path / "new")


def test_schemas_without_eras(one, saved, tmp_path):
    with opened(saved.parent, file="b.db") as database:
        database.execute("DELETE FROM migration WHERE number > 9")
    refused(saved, tmp_path, "docket restores schema 10 or later")


def test_it_can_be_killed(saved, tmp_path):
    """Afterwards there is the whole folder, or none that docket takes for one."""
    for turn in range(4):
        process = begin("restore", "--from", saved, "--data", tmp_path / f"new{turn}")
        time.sleep(turn * 0.02)
        process.kill()
        process.communicate()
        if not (tmp_path / f"new{turn}/docket.db").exists():
            restore(saved, tmp_path / f"new{turn}")
        sound(tmp_path / f"new{turn}")


@ROOT
def test_a_full_disk(saved, tmp_path):
    (place := tmp_path / "small").mkdir()
    size = saved.stat().st_size // 2
    script = (f"mount -t tmpfs -o size={size} tmpfs {place} &&"
              ' { "$0" "$@"; status=$?; ls ' + f"{place}; exit $status; }}")
    done = run("restore", "--from", saved, "--data", place / "new",
               before=["unshare", "-m", "sh", "-c", script], env={"PATH": os.environ["PATH"]})
    assert done.returncode == 1 and "No space left on device" in done.stderr, done
    assert done.stdout == "", done


def test_a_backup_in_the_middle_of_a_removal(two, tmp_path):
    """What is left of the account breaks rules; the next docket serve removes it."""
    with opened(two) as database:
        database.execute("UPDATE account SET name = '-' || id WHERE name = 'second'")
    succeed("backup", "--data", two, "--to", tmp_path / "b.db")
    done = restore(tmp_path / "b.db", tmp_path / "new")
    assert ", accounts: 1," in done.stderr, done


def test_from_is_for_folders(saved, tmp_path):
    assert "own tools" in misuse("restore", "--database", "postgresql:///x", "--from", saved)
    assert "--from" in misuse("restore", "--data", tmp_path / "new")
