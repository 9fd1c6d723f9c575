"""The limits of a process that serves: Landlock and the filter of system calls."""
import ctypes
import os
import pathlib
import subprocess

from harness import PROGRAM, strict_json, succeed

LINKED = subprocess.run(["ldd", PROGRAM], stdout=subprocess.PIPE, text=True, check=True).stdout
HAS_SANITIZER = b"__ubsan_handle" in pathlib.Path(PROGRAM).read_bytes() or "libasan" in LINKED
CREATE_RULESET, VERSION = 444, 1
OFF = {"landlock": "off", "landlock_version": 0, "seccomp": "off"}


def landlock():
    """The version of Landlock in this kernel, or 0."""
    return max(0, ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, VERSION))


def confinement(server):
    return strict_json(succeed("status", "--data", server.data, "--json").stdout.encode())["confinement"]


def tasks(server):
    """What the kernel says about each thread: name → value."""
    for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        yield dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_every_thread_is_confined(make_server):
    """But not in a program with a sanitizer."""
    server = make_server()
    version = landlock()
    if HAS_SANITIZER:
        assert confinement(server) == OFF
        return
    assert confinement(server) == {"landlock": "on" if version else "unsupported",
                                   "landlock_version": version, "seccomp": "on"}
    assert server.process.pid and len(found := list(tasks(server))) > 5
    assert {(task["Seccomp"], task["NoNewPrivs"]) for task in found} == {("2", "1")}
    assert ("Landlock does not limit" in server.stderr()) == (not version)
    server.create(title="it serves")


def test_the_way_out(make_server):
    server = make_server(options=["--no-confinement"])
    assert confinement(server) == OFF
    assert {task["Seccomp"] for task in tasks(server)} == {"0"}
    server.create(title="it serves")


def test_the_ephemeral_folder_goes(tmp_path):
    """It is removed from a folder in which docket can make nothing."""
    (place := tmp_path / "temporary").mkdir()
    with subprocess.Popen([PROGRAM, "serve", "--ephemeral", "--listen", "127.0.0.1:0"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, "TMPDIR": str(place)}) as process:
        said = ""
        while "listening on" not in said:
            said += process.stderr.readline()
        assert len(os.listdir(place)) == 1
        process.terminate()
        _, rest = process.communicate()
    assert process.returncode == 0 and "cannot remove" not in rest and os.listdir(place) == []
