"""docket backup: of a folder that docket serves, and of one that it does not."""
import json
import os
import shutil
import subprocess
import time

import pytest

import control
import proofs
from admin import LOG
from backends import everything, opened, rows
from commands import fails, misuse, mode
from harness import begin, run, strict_json, succeed
from load import Load
from saved import ROOT, Only, as_folder, sound, titles
from together import until

LEFT = {"docket.db", "docket.lock"}  # in a folder that nobody serves


@pytest.fixture
def target(tmp_path):
    """A folder for backups."""
    (place := tmp_path / "backups").mkdir()
    return place


def backup(folder, file, *more):
    return succeed("backup", "--data", folder, "--to", file, *more)


@pytest.mark.parametrize("served", [True, False])
def test_a_backup_is_one_file_with_everything(make_server, target, tmp_path, served):
    server = make_server()
    made = server.create(title="kept")
    if not served:
        server.stop()
    said = backup(server.data, target / "b.db")
    assert said.stdout == "" and said.stderr.startswith(f"made the backup {target}/b.db: "), said
    assert os.listdir(target) == ["b.db"] and mode(target / "b.db") == 0o600
    folder = as_folder(target / "b.db", tmp_path / "copy")
    assert rows(folder, "SELECT title FROM task WHERE id = ?", (made["id"],)) == [("kept",)]
    sound(folder)
    if served:
        server.stop()
    assert set(os.listdir(server.data)) == LEFT
    old, new = everything(server.data), everything(folder)
    assert {name for name in old if old[name] != new[name]} == {*LOG}  # the entry comes after the backup


def test_json_names_the_file(one, target):
    answer = strict_json(backup(one, target / "b.db", "--json").stdout.encode())
    assert list(answer) == ["file", "bytes", "took_ms", "removed"]
    assert answer["file"] == str(target / "b.db")
    assert answer["bytes"] == (target / "b.db").stat().st_size


def test_a_relative_path_is_of_the_command(make_server, target):
    """The process that serves has another working directory."""
    server = make_server()
    succeed("backup", "--data", server.data, "--to", "b.db", cwd=target)
    assert os.listdir(target) == ["b.db"]


def test_under_load_it_has_every_task_from_before(make_server, target, tmp_path):
    server = make_server()
    with Load(Only(server), [server], ["main"], 8) as load:
        load.wait_for(40)
        with load.lock:
            before = dict(load.created)
        backup(server.data, target / "b.db")
        load.wait_for(20)
    folder = as_folder(target / "b.db", tmp_path / "copy")
    stored = titles(folder)
    assert not {key: title for key, title in before.items() if stored.get(key) != title}
    sound(folder)
    load.check(titles(server.data))


TASKS_BEFORE = 50_000 if "DOCKET_PROOF_N" in os.environ else 300


@pytest.mark.slow
@proofs.BACKUPS
def test_many_backups_under_load(make_server, target, tmp_path):
    """Each restores, is sound, and has every task that was acknowledged before it began. The rates and
    the longest waits are printed: they are for the long form on a quiet machine."""
    server = make_server()
    server.stop()
    succeed("demo", "--data", server.data, "--tasks", TASKS_BEFORE)
    server.start()
    for turn in range(proofs.size(2)):
        with Load(Only(server), [server], ["main"], 16, f"load {turn}") as load:
            began = time.monotonic()
            load.wait_for(60)
            with load.lock:
                before = dict(load.created)
            alone, load.slowest, began = len(before) / (time.monotonic() - began), 0, time.monotonic()
            backup(server.data, target / "b.db")
            beside = (len(load.times) - len(before)) / (time.monotonic() - began)
            print(f"creates/s: {alone:.0f} alone, {beside:.0f} beside a backup; slowest {load.slowest:.3f} s")
        succeed("restore", "--from", target / "b.db", "--data", tmp_path / f"new{turn}")
        stored = titles(tmp_path / f"new{turn}")
        assert not {key: title for key, title in before.items() if stored.get(key) != title}
        sound(tmp_path / f"new{turn}")
        (target / "b.db").unlink()
        shutil.rmtree(tmp_path / f"new{turn}")


REFUSALS = {
    "it exists": ("b.db", "exists already"),
    "no folder": ("missing/b.db", "there is no folder"),
    "in the data folder": ("data/b.db", "is in the data folder"),
    "below the data folder": ("data/more/b.db", "is in the data folder"),
    "a long name": ("b" * 255, "too long"),
    "a file in place of a folder": ("b.db/b.db", "there is no folder"),
}


@pytest.mark.parametrize("served", [True, False])
def test_a_wrong_target(make_server, tmp_path, target, served):
    server = make_server()
    (server.data / "more").mkdir()
    (target / "b.db").write_text("mine")
    (target / "data").symlink_to(server.data)
    if not served:
        server.stop()
    for name, words in REFUSALS.values():
        assert words in fails("backup", "--data", server.data, "--to", f"{target}/{name}"), name
    assert (target / "b.db").read_text() == "mine"
    assert set(os.listdir(target)) == {"b.db", "data"}
    assert not (server.data / "docket.db.backup").exists()


def test_postgresql_has_its_own_tools(target):
    assert "pg_dump" in misuse("backup", "--database", "postgresql:///docket", "--to",
                               target / "b.db")


@pytest.fixture
def large(make_server, large_data, tmp_path):
    """A server whose backup takes about a second on a fast machine."""
    return make_server(shutil.copytree(large_data, tmp_path / "large"))


def under_way(server):
    until((server.data / "docket.db.backup").exists, what="the backup begins", pause=0.001)


def meanwhile(server, file, work):
    """Makes a backup and calls work() while it is being made. Returns what work() does, and whether the
    backup still went on after it."""
    first = begin("backup", "--data", server.data, "--to", file, stdout=subprocess.PIPE,
                  stderr=subprocess.PIPE)
    until(lambda: (server.data / "docket.db.backup").exists() or first.poll() is not None, pause=0.001)
    done = work()
    went_on = first.poll() is None
    assert first.wait() == 0, first.communicate()
    return done, went_on


@pytest.mark.slow
def test_only_one_at_a_time(large, target):
    def is_refused(number):
        """False if the first was over too early."""
        second, _ = meanwhile(large, target / f"first{number}.db", lambda: run(
            "backup", "--data", large.data, "--to", target / f"second{number}.db"))
        (target / f"first{number}.db").unlink()
        if not second.returncode:
            (target / f"second{number}.db").unlink()
            return False
        assert second.returncode == 1 and "another backup is being made" in second.stderr, second
        return True

    assert any(map(is_refused, range(3)))
    assert os.listdir(target) == []


def test_other_commands_and_requests_go_on(large, target):
    def work():
        succeed("staff", "list", "--data", large.data)
        large.create()

    assert any(meanwhile(large, target / f"{number}.db", work)[1] for number in range(3))


@pytest.mark.slow
def test_a_client_that_goes_away(large, target):
    """Nobody waits for the backup any more, so there is none."""
    with control.connected(large.data) as wire:
        wire.sendall(json.dumps({"command": "backup", "origins": {}, "settings": {}}).encode() + b"\n")
        under_way(large)
    until(lambda: not (large.data / "docket.db.backup").exists(), what="it is broken off")
    assert os.listdir(target) == []
    backup(large.data, target / "b.db")


def test_the_server_ends_meanwhile(large, target):
    first = begin("backup", "--data", large.data, "--to", target / "b.db",
                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    under_way(large)
    large.stop()
    _, said = first.communicate()
    assert first.returncode == 1 and said == "docket: the backup was broken off\n", said
    assert os.listdir(target) == [] and set(os.listdir(large.data)) == LEFT


def test_a_kill_meanwhile(large, target):
    """The next start removes what the killed process had begun."""
    first = begin("backup", "--data", large.data, "--to", target / "b.db",
                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    under_way(large)
    large.kill()
    first.communicate()
    assert first.returncode == 1 and os.listdir(target) == []
    assert (large.data / "docket.db.backup").exists()
    large.start()
    assert not list(large.data.glob("docket.db.backup*"))
    backup(large.data, target / "b.db")


def test_an_unsound_database_gives_no_backup(one, target):
    with opened(one) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("UPDATE subject SET casefile_id = 999 WHERE id = 209")
    said = fails("backup", "--data", one, "--to", target / "b.db")
    assert "is not sound" in said and "keep the backups that you have" in said
    assert os.listdir(target) == [] and set(os.listdir(one)) == LEFT


@ROOT
def test_a_full_target(one, target):
    """A disk that is too small, and one that has room but takes no more files."""
    blocks = (one / "docket.db").stat().st_size // 2 // 4096
    for options, words in ((f"nr_blocks={blocks}", "MiB are free"),
                           ("nr_inodes=1", "No space left on device")):
        script = (f"mount -t tmpfs -o {options} tmpfs {target} &&"
                  ' { "$0" "$@"; status=$?; ls ' + f"{target}; exit $status; }}")
        done = run("backup", "--data", one, "--to", target / "b.db",
                   before=["unshare", "-m", "sh", "-c", script], env={"PATH": os.environ["PATH"]})
        assert done.returncode == 1 and words in done.stderr and done.stdout == "", done
        assert set(os.listdir(one)) == LEFT


@ROOT
def test_one_disk_for_both(one, tmp_path):
    """The copy in the data folder and the backup need room at the same time."""
    (place := tmp_path / "small").mkdir()
    with opened(one) as database:  # so large that the disk has what the copy asks for: 64 MiB more
        database.execute("CREATE TABLE filler AS SELECT zeroblob(100 << 20) AS bytes")
    large = (one / "docket.db").stat().st_size
    for room, words in ((large // 5 * 9, "MiB are free"), (large // 5 * 11, "made the backup")):
        script = (f"mount -t tmpfs -o size={large + room} tmpfs {place} && mkdir {place}/data {place}/to &&"
                  f" cp {one}/docket.db {place}/data &&" + ' { "$0" "$@"; status=$?; ls '
                  + f"{place}/to; exit $status; }}")
        done = run("backup", "--data", place / "data", "--to", place / "to/b.db",
                   before=["unshare", "-m", "sh", "-c", script], env={"PATH": os.environ["PATH"]})
        assert words in done.stderr, done


@ROOT
def test_a_full_data_folder(one, target, tmp_path):
    (place := tmp_path / "small").mkdir()
    script = (f"mount -t tmpfs -o size=40m tmpfs {place} && cp {one}/docket.db {place} &&"
              ' { "$0" "$@"; status=$?; ls ' + f"{place}; exit $status; }}")
    done = run("backup", "--data", place, "--to", target / "b.db",
               before=["unshare", "-m", "sh", "-c", script], env={"PATH": os.environ["PATH"]})
    assert done.returncode == 1, done
    assert "a backup needs" in done.stderr and "MiB are free" in done.stderr, done
    assert set(done.stdout.split()) == LEFT and os.listdir(target) == []


@ROOT
def test_a_folder_of_another_user(one, target):
    """The user of docket may not write where the backup goes."""
    os.chmod(target, 0o755)
    for path in (one, *one.iterdir()):
        os.chown(path, 65534, 65534)
    for above in one.parents:
        if above.owner() == "root" and above != above.parent and str(above).startswith("/tmp/"):
            os.chmod(above, 0o755)
    done = run("backup", "--data", one, "--to", target / "b.db",
               before=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
               env={"PATH": os.environ["PATH"]})
    assert done.returncode == 1 and "Permission denied; run this as its owner, root" in done.stderr
    assert os.listdir(target) == []
