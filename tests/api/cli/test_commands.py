"""The commands init and serve: what they make, what they refuse, and how they end."""
import contextlib
import os
import re
import signal
import socket
import sqlite3

import pytest

from backends import rows
from commands import fails, full, misuse, mode
from harness import basic, succeed, task
from ports import free_port


# init

def test_init_prints_the_token_alone(tmp_path, make_server):
    done = succeed("init", "--data", tmp_path / "data")
    token = done.stdout.removesuffix("\n")
    # At least 160 bits, whatever the alphabet.
    assert re.fullmatch(r"[A-Za-z0-9_.~-]{27,}", token), done
    assert token not in done.stderr
    server = make_server(tmp_path / "data", token)
    assert server.get(1).status == 404
    assert server.get(1, access=basic("admin/token", token + "x")).status == 401


@pytest.mark.slow
def test_each_token_is_another(tmp_path):
    tokens = [succeed("init", "--data", tmp_path / str(n)).stdout for n in range(3)]
    assert len(set(tokens)) == 3


def test_the_token_is_nowhere_in_the_folder(tmp_path):
    token = succeed("init", "--data", tmp_path / "data").stdout.strip().encode()
    for path in (tmp_path / "data").rglob("*"):
        assert token not in path.read_bytes(), path


def test_init_writes_the_token_to_a_file(tmp_path, make_server):
    done = succeed("init", "--data", tmp_path / "data", "--token-file", tmp_path / "token")
    assert done.stdout == "", done
    token = (tmp_path / "token").read_text()
    assert token.endswith("\n") and token.strip() not in done.stderr
    assert make_server(tmp_path / "data", token.strip()).get(1).status == 404


@pytest.mark.slow
def test_the_token_file_may_lie_in_the_folder(tmp_path, make_server):
    folder = tmp_path / "data"
    succeed("init", "--data", folder, "--token-file", folder / "token")
    assert make_server(folder, (folder / "token").read_text().strip()).get(1).status == 404


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_what_is_made_is_for_its_owner_alone(tmp_path, umask):
    folder = tmp_path / "data"
    succeed("init", "--data", folder, "--token-file", tmp_path / "token", umask=umask)
    succeed("demo", "--data", folder, "--tasks", "3", umask=umask)
    assert mode(tmp_path / "token") == 0o600
    assert mode(folder) == 0o700
    for path in folder.iterdir():
        assert mode(path) == 0o600, path


def test_what_a_server_makes_is_for_its_owner_alone(make_server):
    server = make_server(preexec=lambda: os.umask(0))
    server.create()
    for path in server.data.iterdir():
        assert mode(path) == 0o600, path


@pytest.mark.parametrize("options, account, staff", [
    ([], "main", ("admin", "")),
    (["--account", "acme"], "acme", ("admin", "")),
    (["--username", "j.doe", "--email", "j.doe@example.com"], "main",
     ("j.doe", "j.doe@example.com")),
    (["--account=a-1", "--username=\u00fcber", "--email=a@b"], "a-1", ("\u00fcber", "a@b")),
    (["--account", "a" * 63], "a" * 63, ("admin", "")),
])
@pytest.mark.slow
def test_what_init_makes(tmp_path, make_server, options, account, staff):
    folder = tmp_path / "data"
    token = succeed("init", "--data", folder, *options).stdout.strip()
    assert rows(folder, "SELECT name, country FROM account") == [(account, "US")]
    assert rows(folder, "SELECT id, username, email FROM staff") == [(1, *staff)]
    assert rows(folder, "SELECT count(*) FROM token") == [(1,)]
    # A task must have a calendar.
    assert rows(folder, "SELECT id, name, color FROM calendar") == [(1, "Tasks", "#3366cc")]
    for table in ("casefile", "case_service", "subject", "task"):
        assert rows(folder, f"SELECT count(*) FROM {table}") == [(0,)]
    server = make_server(folder, token, user=staff[0])
    assert server.get(1).status == 404


@pytest.mark.parametrize("option, value", [
    *[("account", value) for value in ("", "A", "a_b", "a.b", "-a", "a-", "a b", "-", "\u00e4",
                                       "a" * 64)],
    *[("username", value) for value in ("", " ", "a:b", "a\nb", "\x7f", "a" * 256, "\udcff")],
    *[("email", value) for value in ("a", "@b", "a@", "a@b@c", "a b@c", "a@b, c@d",
                                     "a@b\nBcc: c@d", "\udcff@b")],
    ("data", ""), ("token-file", "")])
def test_init_refuses_a_wrong_value(tmp_path, option, value):
    said = misuse("init", "--data", tmp_path / "data", f"--{option}", value)
    assert f"--{option} " in said
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_init_twice(tmp_path, make_server):
    folder = tmp_path / "data"
    token = succeed("init", "--data", folder).stdout.strip()
    before = rows(folder, "SELECT * FROM token")
    fails("init", "--data", folder, "--token-file", tmp_path / "second", "--account", "other")
    assert not (tmp_path / "second").exists()
    assert rows(folder, "SELECT * FROM token") == before
    assert rows(folder, "SELECT name FROM account") == [("main",)]
    assert make_server(folder, token).get(1).status == 404


def test_init_in_a_served_folder(make_server):
    server = make_server()
    fails("init", "--data", server.data)
    server.create()


def test_init_in_a_folder_with_other_files(tmp_path, make_server):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "notes").write_text("mine")
    token = succeed("init", "--data", folder).stdout.strip()
    assert (folder / "notes").read_text() == "mine"
    assert make_server(folder, token).get(1).status == 404


@pytest.mark.parametrize("place", ["missing/data", "file/data", "file"])
def test_init_in_a_folder_that_cannot_be_made(tmp_path, place):
    (tmp_path / "file").write_text("mine")
    said = fails("init", "--data", tmp_path / place, "--token-file", tmp_path / "token")
    assert str(tmp_path / place) in said
    assert os.listdir(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


def test_a_token_file_that_exists(tmp_path):
    (tmp_path / "token").write_text("mine")
    said = fails("init", "--data", tmp_path / "data", "--token-file", tmp_path / "token")
    assert str(tmp_path / "token") in said
    assert (tmp_path / "token").read_text() == "mine"
    assert os.listdir(tmp_path) == ["token"], "something was made"


@pytest.mark.parametrize("make", [
    lambda path: path.symlink_to("elsewhere"), lambda path: path.mkdir()], ids=["link", "folder"])
def test_a_token_file_that_is_none(tmp_path, make):
    make(tmp_path / "token")
    fails("init", "--data", tmp_path / "data", "--token-file", tmp_path / "token")
    assert os.listdir(tmp_path) == ["token"], "something was made"


def test_a_token_file_that_cannot_be_made(tmp_path):
    fails("init", "--data", tmp_path / "data", "--token-file", tmp_path / "missing" / "token")
    assert os.listdir(tmp_path) == [], "something was made"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["init", "--help"]])
def test_an_output_that_is_full(arguments):
    done = full(*arguments)
    assert done.returncode == 1 and done.stderr, done


@pytest.mark.slow
def test_a_token_that_could_not_be_printed_locks_no_one_out(tmp_path):
    """docket shows the token only once. If it cannot print the token, init must be possible again."""
    done = full("init", "--data", tmp_path / "data")
    assert done.returncode == 1 and done.stderr, done
    succeed("init", "--data", tmp_path / "data")


# serve

@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(make_server, how):
    server = make_server()
    made = server.create()
    server.stop(how)
    server.start()
    assert server.get(made["id"]).json == made
    server.stop(how)


def test_it_prints_where_it_listens_and_nothing_else(make_server):
    server = make_server()
    server.create()
    server.get("x")
    server.stop()
    assert server.messages() == [f"listening on http://127.0.0.1:{server.port}"]


def test_port_0_picks_a_free_one(make_server):
    one, two = make_server(), make_server()
    assert one.port != two.port and one.port and two.port
    assert one.create()["id"] == two.create()["id"] == 1


def test_a_port_of_ones_own(make_server):
    port = free_port()
    server = make_server(listen=f"127.0.0.1:{port}")
    assert server.port == port
    assert server.create()["id"] == 1


@pytest.mark.parametrize("listen, host", [
    ("127.0.0.1:0", "127.0.0.1"), ("127.0.0.2:0", "127.0.0.2"), ("localhost:0", None),
    ("[127.0.0.1]:0", "127.0.0.1")])
def test_loopback(make_server, listen, host):
    server = make_server(listen=listen)
    assert host in (None, server.host)
    server.create()


def test_loopback_of_ipv6(make_server, one):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        # On a machine without IPv6, serve says so.
        assert "[::1]:0" in fails("serve", "--data", one, "--listen", "[::1]:0")
        return
    server = make_server(listen="[::1]:0")
    assert server.host == "[::1]"
    server.create()


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[2001:db8::1]:0",
                                    "[::ffff:192.0.2.1]:0", "126.255.255.255:0", "128.0.0.1:0"])
def test_no_other_machine_may_reach_it(make_server, one, listen):
    said = misuse("serve", "--data", one, "--listen", listen)
    assert "--listen" in said and "--behind-proxy" in said


def test_behind_a_proxy_it_may_be_reached(make_server):
    server = make_server(listen="0.0.0.0:0", options=["--behind-proxy"])
    assert server.host == "0.0.0.0"
    server.create()


@pytest.mark.parametrize("listen", [
    "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1", "127.0.0.1:65536",
    "127.0.0.1:99999999999999999999", "127.0.0.1: 80", "127.0.0.1:80x", ":0", "8080", "::1",
    "[::1]", "[::1", "::1]:0", "300.0.0.1:0", "http://127.0.0.1:0", "127.0.0.1:0/"])
def test_an_address_that_is_none(one, listen):
    assert "--listen" in misuse("serve", "--data", one, "--listen", listen)


def test_a_busy_port(one):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = "127.0.0.1:%d" % taken.getsockname()[1]
        assert listen in fails("serve", "--data", one, "--listen", listen)


def test_an_address_of_no_machine_here(one):
    """192.0.2.0/24 is for documentation alone (RFC 5737)."""
    said = fails("serve", "--data", one, "--listen", "192.0.2.1:0", "--behind-proxy")
    assert "192.0.2.1:0" in said


def test_a_second_server_on_the_folder(make_server):
    server = make_server()
    said = fails("serve", "--data", server.data, "--listen", "127.0.0.1:0")
    assert str(server.data) in said and "another docket process" in said
    server.create()
    server.kill()
    server.start()
    server.create()


def test_a_second_server_by_another_path(make_server, tmp_path):
    server = make_server()
    (tmp_path / "link").symlink_to(server.data)
    fails("serve", "--data", tmp_path / "link", "--listen", "127.0.0.1:0")


@pytest.mark.parametrize("command", [["serve", "--listen", "127.0.0.1:0"], ["demo"]])
def test_a_folder_without_a_database(tmp_path, command):
    (tmp_path / "empty").mkdir()
    for name in ("missing", "empty"):
        said = fails(*command, "--data", tmp_path / name)
        assert str(tmp_path / name) in said and "docket init" in said
    assert os.listdir(tmp_path) == ["empty"] and os.listdir(tmp_path / "empty") == []


@pytest.mark.parametrize("command", [["serve", "--listen", "127.0.0.1:0"], ["demo"]])
@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"not a database\n" * 1000])
def test_a_database_that_is_none(tmp_path, command, content):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "docket.db").write_bytes(content)
    fails(*command, "--data", tmp_path / "data")


def test_a_database_of_a_newer_docket(make_server):
    server = make_server()
    server.stop()
    with contextlib.closing(sqlite3.connect(server.data / "docket.db")) as database, database:
        database.execute("INSERT INTO migration (number, name, applied_at) VALUES (9999, 'x', 0)")
    fails("serve", "--data", server.data, "--listen", "127.0.0.1:0")


@pytest.mark.slow
def test_a_client_in_the_middle_of_nothing_does_not_hold_it_up(make_server):
    """A connection without a request is no request in progress."""
    server = make_server()
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection((server.host, server.port)))
        assert server.post(task()).status == 201
        server.stop()
    assert rows(server.data, "SELECT count(*) FROM task") == [(1,)]
