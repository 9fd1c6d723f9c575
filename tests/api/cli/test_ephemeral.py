"""docket serve --ephemeral: a demo account that is removed at the end."""
import os
import re
import signal
import socket

import pytest

from commands import fails, full, misuse, mode
from harness import EXAMPLE, JSON, TASKS, Server, succeed

TOKEN = "a-token-of-20-chars."


@pytest.fixture
def place(tmp_path):
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp"


@pytest.fixture
def start(tmp_path, place):
    made = []

    def start(*options, token=TOKEN, env=(), **more):
        with open(tmp_path / "stdout", "wb") as stdout:
            made.append(Server(None, token, tmp_path / "log", ["--ephemeral", *options],
                               env={"TMPDIR": place, **dict(env)}, stdout=stdout, **more))
        return made[-1]

    yield start
    for server in made:
        if server.running():
            server.stop()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.slow
def test_it_serves_the_demo_and_leaves_nothing(start, place, tmp_path, how):
    server = start("--token", TOKEN, "--quiet")
    folder, = place.iterdir()
    assert mode(folder) == 0o700
    assert all(mode(path) == 0o600 for path in folder.iterdir())
    assert len(server.call("GET", TASKS + "?per_page=500").json) == 200
    reply = server.call("POST", TASKS, EXAMPLE.encode(), JSON)
    assert (reply.status, reply.json["id"]) == (201, 201), reply
    server.stop(how)
    assert list(place.iterdir()) == []
    # docket does not print a token that it was given.
    assert (tmp_path / "stdout").read_text() == ""
    assert server.messages() == [f"listening on http://127.0.0.1:{server.port}"]


@pytest.mark.slow
def test_a_token_is_made_and_printed(start, tmp_path):
    """The token is on standard output as soon as the server says that it listens."""
    server = start()
    server.token = (tmp_path / "stdout").read_text().removesuffix("\n")
    assert re.fullmatch(r"[\w.~-]{27,}", server.token)
    assert server.get(1).status == 200
    server.token = TOKEN
    assert server.get(1).status == 401


@pytest.mark.parametrize("token", ["x" * 20, "x" * 255, "abc+/ABC019-._~====="])
@pytest.mark.slow
def test_tokens_that_fit(start, token):
    assert start("--token", token, token=token).get(1).status == 200


@pytest.mark.slow
def test_by_the_environment(start):
    server = start(env={"DOCKET_TOKEN": TOKEN, "DOCKET_LISTEN": "127.0.0.1:0"}, listen=None)
    assert server.get(1).status == 200


@pytest.mark.slow
def test_each_has_its_own(start, place):
    one, two = start("--token", TOKEN), start("--token", TOKEN)
    assert one.create()["id"] == two.create()["id"] == 201
    assert len(list(place.iterdir())) == 2


@pytest.mark.slow
def test_commands_work_on_it(start, place):
    start("--token", TOKEN)
    folder, = place.iterdir()
    assert "ephemeral" in succeed("token", "list", "--data", folder).stdout


@pytest.mark.parametrize("token", ["x" * 19, "x" * 256, "with a blank and so on", "x" * 20 + ":",
                                   "x" * 20 + "\u00e4", "x" * 20 + "\n", ""])
def test_tokens_that_do_not(place, token):
    assert "--token" in misuse("serve", "--ephemeral", "--token", token, env={"TMPDIR": place})
    assert list(place.iterdir()) == []


def test_the_token_is_not_told_where_it_is_wrong(place):
    said = misuse("serve", "--ephemeral", "--token", "secret word", env={"TMPDIR": place})
    assert "secret word" not in said


@pytest.mark.parametrize("arguments, env, named", [
    (["--ephemeral", "--data", "x"], {}, "--ephemeral"),
    (["--ephemeral"], {"DOCKET_DATA": "x"}, "DOCKET_DATA"),
    (["--data", "x"], {"DOCKET_EPHEMERAL": "yes"}, "--ephemeral"),
    (["--data", "x", "--token", TOKEN], {}, "--token"),
    (["--data", "x"], {"DOCKET_TOKEN": TOKEN}, "DOCKET_TOKEN"),
    (["--token", TOKEN], {}, "--ephemeral"),
    ([], {"DOCKET_EPHEMERAL": "no"}, "--data")])
def test_wrong_use(place, arguments, env, named):
    assert named in misuse("serve", *arguments, env={"TMPDIR": place, **env})
    assert list(place.iterdir()) == []


@pytest.mark.slow
def test_nothing_is_left_where_it_cannot_listen(place):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = "127.0.0.1:%d" % taken.getsockname()[1]
        said = fails("serve", "--ephemeral", "--token", TOKEN, "--listen", listen,
                     env={"TMPDIR": place})
    assert listen in said
    assert list(place.iterdir()) == []


def test_nowhere_to_put_it(tmp_path):
    said = fails("serve", "--ephemeral", env={"TMPDIR": tmp_path / "none"})
    assert str(tmp_path / "none") in said


@pytest.mark.slow
def test_a_token_that_cannot_be_printed(place):
    done = full("serve", "--ephemeral", "--listen", "127.0.0.1:0", env={"TMPDIR": place})
    assert done.returncode == 1 and "listening" not in done.stderr, done
    assert os.listdir(place) == []
