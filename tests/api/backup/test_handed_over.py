"""The copy that a serving process hands over to docket backup, which writes it as its own user."""
import array
import json
import os
import shutil
import signal
import socket
import subprocess

import pytest

import control
from commands import mode
from harness import begin, strict_json, succeed
from saved import ROOT, as_folder, sound
from together import until


@pytest.fixture
def target(tmp_path):
    (place := tmp_path / "backups").mkdir()
    return place


def ask_for_copy(folder):
    """Asks for a copy as docket backup does: the answer, and the descriptors that came with it."""
    with control.connected(folder) as wire:
        wire.sendall(json.dumps({"command": "backup", "settings": {}, "origins": {}}).encode() + b"\n")
        said, files = b"", []
        while b'"status"' not in said or not said.endswith(b"\n"):
            part, more, _, _ = socket.recv_fds(wire, 65536, 4)
            assert part, said
            said, files = said + part, files + more
    return strict_json(said.splitlines()[-1]), files


def test_the_copy_has_no_name_and_cannot_be_changed(make_server, tmp_path):
    server = make_server()
    server.create(title="kept")
    before = set(os.listdir(server.data))
    answer, (file,) = ask_for_copy(server.data)
    try:
        assert answer == {"status": 0, "out": "", "err": ""}
        assert set(os.listdir(server.data)) == before
        assert os.fstat(file).st_nlink == 0
        with pytest.raises(OSError):
            os.write(file, b"x")
        with open(file, "rb", closefd=False) as copy:
            (tmp_path / "copy.db").write_bytes(copy.read())
        sound(as_folder(tmp_path / "copy.db", tmp_path / "copy"))
    finally:
        os.close(file)


def test_no_descriptor_stays_open(make_server):
    """Of copies, and of what a command brings along."""
    server = make_server()

    def count():
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))

    ask_for_copy(server.data)
    until(count, what="it counts")
    before = count()
    line = json.dumps({"command": "account list", "settings": {"json": "1"}, "origins": {}}).encode() + b"\n"
    for _ in range(5):
        _, (file,) = ask_for_copy(server.data)
        os.close(file)
        with control.connected(server.data) as wire, open("/dev/null", "rb") as brought:
            rights = array.array("i", [brought.fileno()] * 100)
            wire.sendmsg([line], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
            assert b'"status":' in wire.recv(65536)
    until(lambda: count() <= before, what="descriptors are closed")


@ROOT
def test_the_user_of_the_command_writes_it(make_server, one, target):
    """Into a folder in which the user who serves may not make files."""
    for path in (one, *one.iterdir()):
        os.chown(path, 65534, 65534)
    for above in one.parents:
        if str(above).startswith("/tmp/") and above.owner() == "root":
            os.chmod(above, 0o755)
    os.chmod(target, 0o700)
    make_server(one, preexec=lambda: (os.setgroups([]), os.setgid(65534), os.setuid(65534)))
    succeed("backup", "--data", one, "--to", target / "b.db")
    assert mode(target / "b.db") == 0o600 and (target / "b.db").owner() == "root"
    assert os.listdir(target) == ["b.db"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.slow
def test_an_interrupted_command_leaves_nothing(make_server, large_data, target, tmp_path, how):
    server = make_server(shutil.copytree(large_data, tmp_path / "large"))
    with begin("backup", "--data", server.data, "--to", target / "b.db", stdout=subprocess.PIPE,
               stderr=subprocess.PIPE) as process:
        until(lambda: os.listdir(target) or process.poll() is not None, what="it writes", seconds=300,
              pause=0.0005)
        process.send_signal(how)
        _, said = process.communicate()
    if process.returncode:
        assert process.returncode == 1 and said == "docket: the backup was broken off\n"
        assert os.listdir(target) == []
    else:  # it was complete before
        assert os.listdir(target) == ["b.db"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.slow
def test_an_interrupted_command_that_makes_the_copy(large_data, target, tmp_path, how):
    """Nobody serves the folder. The copy in it goes too."""
    folder = shutil.copytree(large_data, tmp_path / "large")
    copy = folder / "docket.db.backup"
    with begin("backup", "--data", folder, "--to", target / "b.db") as process:
        until(lambda: copy.exists() or process.poll() is not None, what="it copies", seconds=300,
              pause=0.0005)
        process.send_signal(how)
        _, said = process.communicate()
    assert not copy.exists()
    if process.returncode:
        assert process.returncode == 1 and said == "docket: the backup was broken off\n"
        assert os.listdir(target) == []
    else:  # it was complete before
        assert os.listdir(target) == ["b.db"]


def test_a_command_of_an_older_version_is_refused(make_server, target):
    """It leaves it to the serving process to write the file, and would take the answer for a success."""
    server = make_server()
    answer = control.ask(server.data, {"command": "backup", "settings": {"to": str(target / "b.db")},
                                       "origins": {"to": "--to"}})
    assert answer["status"] == 2 and "another version" in answer["err"] and answer["out"] == "", answer
    assert os.listdir(target) == []


def test_an_answer_without_a_copy(make_server, target):
    """The command says so, and makes no file."""
    server = make_server()
    os.rename(server.data / control.SOCKET, server.data / "aside")
    place = os.open(server.data, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{place}/{control.SOCKET}")
        listener.listen()
        with begin("backup", "--data", server.data, "--to", target / "b.db", stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE) as process:
            wire, _ = listener.accept()
            with wire:
                wire.recv(65536)
                wire.sendall(b'{"status": 0, "out": "", "err": ""}\n')
                out, said = process.communicate()
    os.close(place)
    assert (process.returncode, out) == (1, "")
    assert said == "docket: the process that serves the folder handed over no copy\n"
    assert os.listdir(target) == []
