"""Data folders that docket must not fill, cannot write, or shares with another user, and folders on
a network filesystem."""
import contextlib
import hashlib
import os
import pathlib
import pwd
import shutil
import sqlite3
import tempfile

import pytest

import backends
from commands import fails
from harness import PROGRAM, Server, run, succeed

COMMANDS = [["token", "list"], ["staff", "add", "x"], ["account", "add", "x"], ["check"],
            ["migrate"], ["migrate", "--dry-run"], ["demo"], ["init"],
            ["serve", "--listen", "127.0.0.1:0"]]
ROOT = pytest.mark.skipif(os.getuid() != 0, reason="root alone can be two users")
USER = pwd.getpwnam("nobody")


def state(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.iterdir() if path.name != "docket.lock"}


# Files that are no database of docket

def foreign(path, base, script):
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(script)


NOT_OURS = {
    "empty": lambda path, base: path.write_bytes(b""),
    "text": lambda path, base: path.write_bytes(b"hello\n"),
    "long text": lambda path, base: path.write_bytes(b"not a database\n" * 10000),
    "cut off": lambda path, base: path.write_bytes((base / "docket.db").read_bytes()[:20000]),
    "cut off early": lambda path, base: path.write_bytes((base / "docket.db").read_bytes()[:100]),
    "a folder": lambda path, base: path.mkdir(),
    "no table": lambda path, base: foreign(path, base, "PRAGMA user_version = 1; VACUUM"),
    "other tables": lambda path, base: foreign(path, base, "CREATE TABLE account (id)"),
    "other migrations": lambda path, base: foreign(
        path, base, "CREATE TABLE migration (id, version); INSERT INTO migration VALUES (1, 2)"),
    "the same columns": lambda path, base: foreign(
        path, base, "CREATE TABLE migration (number, name, applied_at);"
        "INSERT INTO migration VALUES (1, 'first', 0)"),
}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("kind", NOT_OURS)
def test_it_is_neither_filled_nor_migrated(tmp_path, base, kind, words):
    folder = tmp_path / "data"
    folder.mkdir()
    NOT_OURS[kind](folder / "docket.db", base[0])
    before = {} if kind == "a folder" else state(folder)
    makes_token = words[0] in ("init", "account")
    said = fails(*words, "--data", folder,
                 *(["--token-file", tmp_path / "token"] if makes_token else []))
    assert f"{folder}/docket.db" in said and "restore a backup" in said, said
    assert "docket init" not in said and "account add" not in said and "mistake" not in said, said
    if kind != "a folder":
        assert state(folder) == before
    assert not (tmp_path / "token").exists()


def test_a_copy_from_an_upgrade_is_named(tmp_path):
    (tmp_path / "docket.db").write_bytes(b"")
    for name in ("docket.db.before-0003", "docket.db.before-0005", "docket.db.before-0009.partial"):
        (tmp_path / name).write_bytes(b"")
    assert "docket.db.before-0005 is a copy" in fails("serve", "--data", tmp_path)
    (tmp_path / "docket.db").unlink()
    said = fails("serve", "--data", tmp_path)
    assert "docket.db.before-0005 is a copy" in said and "docket init" not in said, said


def test_init_does_not_take_the_wal_of_another(tmp_path):
    (tmp_path / "docket.db-wal").write_bytes(b"x")
    assert "docket.db-wal exists but its database does not" in fails(
        "init", "--data", tmp_path, "--token-file", tmp_path / "token")
    assert sorted(os.listdir(tmp_path)) == ["docket.db-wal", "docket.lock"]


def test_a_move_does_not_ask_for_an_empty_source(tmp_path):
    said = fails("move", "--from", tmp_path / "none", "--to", tmp_path / "to")
    assert f"there is no database in {tmp_path}/none" in said and "init" not in said, said


# Permissions

@pytest.fixture(scope="module")
def as_user():
    """Runs commands as the user nobody, with a copy of the program, because only root may be able
    to read the program's folder."""
    with tempfile.TemporaryDirectory(prefix="docket-test-") as folder:
        os.chmod(folder, 0o755)
        program = shutil.copy(PROGRAM, folder)

        def run_as_user(*words):
            return run(*words, executable=program, user=USER.pw_uid, group=USER.pw_gid,
                       extra_groups=[], cwd="/")

        yield run_as_user


@pytest.fixture
def open_path():
    """A folder that every user can reach: pytest's own folders are private to its user."""
    with tempfile.TemporaryDirectory(prefix="docket-test-") as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


@ROOT
@pytest.mark.parametrize("words", [
    ["check"], ["token", "list"], ["migrate"], ["serve", "--listen", "127.0.0.1:0"], ["demo"]],
    ids=" ".join)
@pytest.mark.parametrize("place", ["data", "data/below"])
def test_who_may_not_look_is_told_as_whom_to_run(as_user, open_path, words, place):
    folder = open_path / "data"
    folder.mkdir(mode=0o700)
    done = as_user(*words, "--data", open_path / place)
    assert done.returncode == 1
    assert done.stderr == (f"docket: cannot look into {open_path / place}: Permission denied; run "
                           "this as its owner, root\n"), done


@ROOT
@pytest.mark.parametrize("words, what", [
    (["token", "list"], "open"), (["serve", "--listen", "127.0.0.1:0"], "open"),
    (["init"], "open")], ids=str)
def test_who_may_not_write(as_user, open_path, base, words, what):
    folder = backends.copy(base[0], open_path / "data")
    folder.chmod(0o755)
    done = as_user(*words, "--data", folder)
    assert done.returncode == 1
    assert f"cannot {what} {folder}/docket.lock: Permission denied; run this as its owner, root" \
        in done.stderr, done


@ROOT
def test_a_file_of_root_in_the_folder_of_another(as_user, open_path, base):
    """Older programs left such files. If docket ran as root, it would leave more of them."""
    folder = backends.copy(base[0], open_path / "data")
    give(folder)
    for name, what in (("docket.db-shm", "write"), ("docket.lock", "open")):
        file = folder / name
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        done = as_user("token", "list", "--data", folder)
        assert (done.returncode, done.stderr) == (1, (
            f"docket: cannot {what} {file}: Permission denied; it belongs to root: give it to the "
            f'owner of the folder with "chown nobody {file}"\n')), done
        os.chown(file, USER.pw_uid, USER.pw_gid)
    assert as_user("token", "list", "--data", folder).returncode == 0


def give(folder):
    """Gives the folder and its files to the user nobody."""
    for path in (folder, *folder.iterdir()):
        os.chown(path, USER.pw_uid, USER.pw_gid)


@ROOT
@pytest.mark.slow
def test_what_root_makes_is_the_owners(as_user, open_path):
    folder = open_path / "data"
    folder.mkdir(mode=0o700)
    give(folder)

    def all_belong():
        owners = {path.name: (path.owner(), path.stat().st_gid) for path in folder.iterdir()}
        assert set(owners.values()) == {("nobody", USER.pw_gid)}, owners

    succeed("init", "--data", folder, "--token-file", folder / "token")
    all_belong()
    (folder / "docket.lock").unlink()
    for words in (["staff", "list"], ["token", "add", "x"], ["demo", "--tasks", "1"], ["check"]):
        succeed(*words, "--data", folder)
        all_belong()
    server = Server(folder, (folder / "token").read_text().strip(), open_path / "log")
    server.create()
    assert (folder / "docket.sock").exists() and (folder / "docket.db-wal").exists()
    all_belong()
    assert as_user("staff", "list", "--data", folder).returncode == 0
    server.kill()
    all_belong()
    assert as_user("staff", "list", "--data", folder).returncode == 0
    assert as_user("check", "--data", folder).returncode == 0


@ROOT
@pytest.mark.slow
def test_what_root_moves_to_a_folder_is_the_owners(open_path):
    folder, moved = open_path / "data", open_path / "moved"
    succeed("init", "--data", folder, "--token-file", open_path / "token")
    moved.mkdir()
    give(moved)
    succeed("move", "--from", folder, "--to", moved)
    assert {path.owner() for path in moved.iterdir()} == {"nobody"}


# Read-only folders

@ROOT
@pytest.mark.parametrize("wal", [False, True], ids=["ended", "killed"])
@pytest.mark.parametrize("lock", [False, True], ids=["no lock", "lock"])
def test_check_on_a_medium_that_cannot_be_written(tmp_path, base, wal, lock):
    folder = backup(tmp_path, base, wal)
    if not lock:
        (folder / "docket.lock").unlink()
    before = state(folder)
    done = in_namespace(f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}",
                        "check", "--data", folder)
    assert done.returncode == 0, done
    assert done.stdout.endswith("sound\n") and f"task {1 if wal else 0}," in done.stdout, done
    assert state(folder) == before


@ROOT
@pytest.mark.parametrize("wal", [False, True], ids=["ended", "killed"])
def test_check_by_who_may_only_read(as_user, open_path, base, wal):
    folder = backup(open_path, base, wal)
    for path in folder.iterdir():
        path.chmod(0o600 if path.name == "docket.lock" else 0o644)
    folder.chmod(0o755)
    before = state(folder)
    done = as_user("check", "--data", folder)
    assert done.returncode == 0 and done.stdout.endswith("sound\n"), done
    assert f"task {1 if wal else 0}," in done.stdout, done
    assert state(folder) == before


def backup(folder, base, wal):
    """A copy of a folder from a process that ended or was killed; with a WAL if it was killed."""
    server = Server(backends.copy(base[0], folder / "data"), base[1], folder / "log")
    if wal:
        server.create()
        server.kill()
        assert (folder / "data" / "docket.db-wal").stat().st_size > 0
        for name in ("docket.db-shm", "docket.sock"):
            (folder / "data" / name).unlink()
    else:
        server.stop()
    return folder / "data"


def in_namespace(script, *words):
    """Runs a command with its own mounts. The process id of the command is that of the script."""
    return run(*words, env={"PATH": os.environ["PATH"]},
               before=["unshare", "-m", "sh", "-c", script + ' && exec "$0" "$@"'])


# Network filesystems

def as_if(kind, folder):
    """Makes the kernel's list of mounts say that all filesystems are of another kind."""
    return (f"sed 's/ - [^ ]* / - {kind} /' /proc/self/mountinfo >{folder}/mounts && "
            f"mount --bind {folder}/mounts /proc/$$/mountinfo")


@ROOT
@pytest.mark.parametrize("kind, name", [("fuse.sshfs", "sshfs"), ("nfs4", "NFS"), ("cifs", "SMB"),
                                        ("9p", "9P"), ("ext4", None)])
def test_a_network_filesystem(tmp_path, base, kind, name):
    folder = backends.copy(base[0], tmp_path / "data")
    done = in_namespace(as_if(kind, tmp_path), "token", "list", "--data", folder)
    assert (done.returncode == 0) == (name is None), done
    if name:
        assert f"{folder} is on a network filesystem ({name})" in done.stderr, done
        assert "--allow-network-folder" in done.stderr and done.stderr.count("\n") == 1, done


@ROOT
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_refuses_one(tmp_path, base, words):
    folder = tmp_path / "data"
    if words != ["init"]:
        backends.copy(base[0], folder)
    before = state(folder) if folder.exists() else None
    token = ["--token-file", tmp_path / "token"] if words[0] in ("init", "account") else []
    done = in_namespace(as_if("nfs4", tmp_path), *words, "--data", folder, *token)
    assert done.returncode == 1 and "--allow-network-folder" in done.stderr, done
    assert (state(folder) if folder.exists() else None) == before
    assert not (tmp_path / "token").exists()


@ROOT
def test_a_move_refuses_one(tmp_path, one):
    done = in_namespace(as_if("nfs4", tmp_path), "move", "--from", one, "--to",
                        tmp_path / "to")
    assert done.returncode == 1 and "--allow-network-folder" in done.stderr, done


@ROOT
def test_one_that_is_allowed(tmp_path, base):
    folder = backends.copy(base[0], tmp_path / "data")
    for words in (["token", "list"], ["check"], ["demo", "--tasks", "1"]):
        done = in_namespace(as_if("nfs4", tmp_path), *words, "--data", folder,
                            "--allow-network-folder")
        assert done.returncode == 0, done
