"""The clients of examples/ that keep a copy of all records notice a restore, and end with the same
records."""
import json
import os
import subprocess

import pytest

from harness import COMMAND_S, ROOT, TASKS, succeed


@pytest.mark.parametrize("command", [["/usr/bin/python3", "docket.py"], ["sh", "docket.sh"]], ids=" ".join)
@pytest.mark.slow
def test_a_mirror_begins_again(make_server, tmp_path, command):
    server = make_server()
    copy, token = tmp_path / "copy", tmp_path / "token"
    token.write_text(server.token + "\n")

    def mirror():
        done = subprocess.run(
            [command[0], ROOT / "examples" / command[1], "mirror", copy], check=False,
            capture_output=True, encoding="utf-8", timeout=COMMAND_S,
            env={"PATH": os.environ["PATH"], "DOCKET_API_TOKEN_FILE": str(token),
                 "DOCKET_URL": f"http://{server.host}:{server.port}"})
        assert (done.returncode, done.stderr) == (0, ""), done
        there = server.call("GET", f"{TASKS}?per_page=500").json
        assert json.loads(copy.read_text("utf-8"))["records"].get("task", {}) == {
            str(task["id"]): task for task in there}

    server.create(title="kept")
    succeed("backup", "--data", server.data, "--to", tmp_path / "b.db")
    server.create(title="lost")
    mirror()
    server.stop()
    (server.data / "docket.db").unlink()
    succeed("restore", "--from", tmp_path / "b.db", "--data", server.data)
    server.start()
    mirror()
    server.create(title="later")
    mirror()
