"""docket top, on a pseudo terminal."""
import contextlib
import json
import os
import re
import signal
import socket

import pytest

from admin import check_help
from commands import misuse
from control import SOCKET
from deployment import deployed
from harness import JSON, TASKS, run, task_json
from ports import free_port
from terminal import Terminal
from together import beside, until

PARTS = ["Requests", "Answers", "Process", "Clients", "Reads", "Writes", "Cache", "Alerts", "Backup",
         "Replica", "Refused", "Route"]
ONE = f"GET {TASKS}/{{id}}"
NEW = f"POST {TASKS}"


def load(server):
    """Beside it: creates, reads, and requests that fail."""
    def work(_, stop):
        number = 0
        while not stop.is_set():
            number += 1
            server.call("POST", TASKS, task_json(), headers=JSON)
            server.call("GET", f"{TASKS}/1")
            server.call("GET", f"{TASKS}/999999")
            stop.wait(0.02)
    return beside(work)


def number(shown, pattern):
    """What the page shows there; -1: nothing yet."""
    found = re.search(pattern, shown, re.MULTILINE)
    return float(found[1]) if found else -1.0


def row(shown, route):
    return number(shown, rf"^{re.escape(route)} +([0-9.]+) ")


def order(shown):
    """The routes, from the top."""
    return re.findall(r"^((?:GET|POST) /\S+)", shown, re.MULTILINE)


def test_help():
    check_help("top", "")


def test_the_page(own_server):
    """Every part is there, and the rates are those of the load."""
    with Terminal("top", "--data", own_server.data, columns=120) as terminal, load(own_server):
        shown = terminal.until(lambda shown: row(shown, ONE) > 1 and row(shown, NEW) > 1)
        assert re.match(rf" docket \d+\.\d+\.\d+, up .*, pid {own_server.process.pid}, sqlite, schema \d+, ",
                        shown)
        for part in PARTS:
            assert re.search(rf"^{part} ", shown, re.MULTILINE), (part, shown)
        assert re.search(r"^Backup +none$", shown, re.MULTILINE), shown
        assert 0 < number(shown, r"^Process +CPU ([0-9.]+) %") < 1000, shown
        rate = number(shown, r"^Requests +([0-9.]+)/s")
        assert rate == pytest.approx(row(shown, ONE) + row(shown, NEW), abs=1), shown
        assert number(shown, r"4xx ([0-9.]+)/s,") > 0, shown
        assert "-nan" not in shown and "inf" not in shown
        assert re.search(r"^Refused +malformed 0, guesses 0, rate 0, .*; slow statements \d+$", shown,
                         re.MULTILINE), shown
        terminal.type("q")
        assert terminal.ends() == 0


def test_the_counts_are_true(make_server):
    """docket status --json has what the page shows: requests by route, with their times."""
    server = make_server()
    for _ in range(20):
        server.create()
    for _ in range(30):
        assert server.call("GET", f"{TASKS}/999999").status == 404

    def routes():
        status = json.loads(run("status", "--data", server.data, "--json").stdout)
        return {(route["method"], route["route"]): route for route in status["requests"]["by_route"]}

    found = until(routes, lambda found: found.get(("POST", TASKS), {}).get("answered") == {"201": 20} and
                  found.get(("GET", f"{TASKS}/{{id}}"), {}).get("answered") == {"404": 30})
    for route in found.values():
        assert list(route) == ["method", "route", "answered", "total_us", "times_by_us"]
        assert sum(time["count"] for time in route["times_by_us"]) == sum(route["answered"].values())
        assert route["total_us"] > 0


def test_keys(own_server):
    with Terminal("top", "--data", own_server.data) as terminal, load(own_server):
        terminal.until(lambda shown: len(order(shown)) == 2 and "s sort: requests/s" in shown)
        names = ["mean", "p99", "errors", "total", "route"]
        for name in names:
            terminal.type("s")
            terminal.until(lambda shown, name=name: f"s sort: {name} " in shown)
        first = order(terminal.until(lambda shown: len(order(shown)) == 2))
        assert first == [f"POST {TASKS}", f"GET {TASKS}/{{id}}"]
        terminal.type("r")
        terminal.until(lambda shown: order(shown) == first[::-1] and "route, reversed" in shown)
        terminal.type("p")
        stopped = terminal.until(lambda shown: "[paused: p resumes]" in shown)
        terminal.type("x\x1b[A\x1b[B\t")  # keys without a meaning, and arrows that have nowhere to go
        assert row(terminal.shown(), f"POST {TASKS}") == row(stopped, f"POST {TASKS}")
        terminal.type("p")
        terminal.until(lambda shown: "[stopped" not in shown)
        terminal.type("Q")
        assert terminal.ends() == 0


def test_sizes(own_server):
    """The page follows the terminal, says when it is too small, and recovers."""
    with Terminal("top", "--data", own_server.data) as terminal:
        terminal.until(lambda shown: "q quit  s sort" in shown)
        for columns, lines in ((40, 10), (1, 1), (79, 30), (100, 17), (7, 200)):
            terminal.resize(columns, lines)
            terminal.until(lambda shown: shown.startswith("The terminal has"[:columns])
                           and "Requests" not in shown)
            assert terminal.process.poll() is None
            terminal.resize(100, 30)
            terminal.until(lambda shown: "q quit  s sort" in shown and "Requests" in shown)
        terminal.resize(40, 10)
        shown = terminal.until(lambda shown: "40 x 10" in shown)
        assert 'make it 80 x 18' in shown, shown
        terminal.resize(80, 18)
        shown = terminal.until(lambda shown: "q quit  s sort" in shown)
        assert all(re.search(rf"^{part} ", shown, re.MULTILINE) for part in PARTS), shown
        assert "/api/v1" not in "".join(order(shown))
        terminal.resize(300, 80)
        terminal.until(lambda shown: "q quit  s sort" in shown.splitlines()[-1])
        terminal.type("q")
        assert terminal.ends() == 0


def test_the_server_goes_and_comes(make_server):
    server = make_server(listen=f"127.0.0.1:{free_port()}")
    with Terminal("top", "--data", server.data, columns=300) as terminal:
        terminal.until(lambda shown: f"pid {server.process.pid}" in shown)
        server.stop()
        shown = terminal.until(lambda shown: "No answer for" in shown)
        assert f"no docket process answers at {server.data}" in shown, shown
        server.start()
        shown = terminal.until(lambda shown: f"pid {server.process.pid}" in shown)
        assert "No answer" not in shown
        assert "/s, 0 in progress" in shown
        terminal.type("q")
        assert terminal.ends() == 0


@contextlib.contextmanager
def refusing(folder, why):
    """Another process at the socket of the folder, which refuses all commands."""
    answer = json.dumps({"status": 1, "out": "", "err": why}).encode() + b"\n"
    place = os.open(folder, os.O_PATH)
    (folder / SOCKET).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{place}/{SOCKET}")
        listener.listen()
        listener.settimeout(0.1)

        def serve(_, stop):
            while not stop.is_set():
                with contextlib.suppress(OSError), listener.accept()[0] as wire:
                    wire.settimeout(10)
                    wire.recv(65536)
                    wire.sendall(answer)

        with beside(serve):
            yield
    os.close(place)
    (folder / SOCKET).unlink()


def test_a_server_that_refuses(make_server):
    """The page has its words, without the end of the line."""
    server = make_server()
    with Terminal("top", "--data", server.data, columns=200) as terminal:
        terminal.until(lambda shown: f"pid {server.process.pid}" in shown)
        server.stop()
        with refusing(server.data, "docket: not now\n"):
            shown = terminal.until(lambda shown: "docket: not now" in shown)
        assert re.match(r" No answer for .*: docket: not now$", shown.splitlines()[0]), shown
        terminal.type("q")
        assert terminal.ends() == 0


def test_a_server_that_hangs(make_server):
    """The page says so, and the keys still work."""
    server = make_server()
    with Terminal("top", "--data", server.data) as terminal:
        terminal.until(lambda shown: f"pid {server.process.pid}" in shown)
        server.process.send_signal(signal.SIGSTOP)
        try:
            terminal.until(lambda shown: "the process does not answer" in shown)
            terminal.type("q")
            assert terminal.ends() == 0
        finally:
            server.process.send_signal(signal.SIGCONT)


def test_the_terminal_is_left_as_it_was(own_server):
    """Signals and a closed terminal end it."""
    for how in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with Terminal("top", "--data", own_server.data) as terminal:
            terminal.until(lambda shown: "q quit" in shown)
            terminal.process.send_signal(how)
            assert terminal.ends() == -how


@pytest.mark.parametrize("locale, shown", [("C.UTF-8", "Bücher-東京"), ("C", "B??cher-??????")])
def test_names_that_are_not_ascii(make_server, one, tmp_path, locale, shown):
    place = tmp_path / "Bücher-東京"
    os.rename(one, place)
    server = make_server(place)
    with Terminal("top", "--data", place, columns=250, env={"LC_ALL": locale}) as terminal:
        terminal.until(lambda page: shown in re.sub(r"(?<=[東京]) ", "", page.splitlines()[0]))
    server.stop()
    os.rename(place, one)


@pytest.mark.parametrize("kind", ["", "nonsense", "dumb", "x" * 5000, "../../etc/passwd", "dumb\n"])
def test_an_unknown_terminal(own_server, kind):
    with Terminal("top", "--data", own_server.data, kind=kind) as terminal:
        assert terminal.ends() == 1
        terminal.until(lambda shown: "is not known" in shown and 'docket status' in shown)


def test_a_terminal_without_colours(own_server):
    with Terminal("top", "--data", own_server.data, kind="vt100") as terminal:
        terminal.until(lambda shown: "q quit  s sort" in shown)
        terminal.type("q")
        assert terminal.ends() == 0


def test_no_terminal(own_server):
    done = run("top", "--data", own_server.data)
    assert done.returncode == 1 and done.stdout == "", done
    assert done.stderr == ('docket top: it needs a terminal: use "docket status", or "docket status --json" '
                           'in a script\n')


def test_no_server(tmp_path, one):
    done = run("top", "--data", one)
    assert done.returncode == 1 and f"no docket process answers at {one}" in done.stderr, done
    done = run("top", "--data", tmp_path / "none")
    assert done.returncode == 1 and "no docket process answers at" in done.stderr, done


def test_where_to_ask():
    assert "--data" in misuse("top")
    assert "give only one" in misuse("top", "--data", "a", "--control-socket", "b")
    assert "--control-socket" in misuse("top", "--database", "postgresql://localhost/none")


@pytest.mark.needs_postgresql
def test_a_postgresql_process(tmp_path):
    with deployed(tmp_path) as deployment:
        socket = tmp_path / "socket"
        server = deployment.serve("--control-socket", socket)
        with Terminal("top", "--control-socket", socket) as terminal:
            terminal.until(lambda shown: f"pid {server.process.pid}, postgresql" in shown)
            terminal.type("q")
            assert terminal.ends() == 0


def test_a_replica_that_fails(make_server, tmp_path):
    """Its line says why, and what it does later."""
    kept = tmp_path / "kept"
    kept.mkdir()
    server = make_server(options=["--backup-to", kept, "--backup-at", "03:00",
                                  "--replicate-to", tmp_path / "replica"])
    with Terminal("top", "--data", server.data, columns=150) as terminal:
        terminal.until(lambda shown: "\nBackup    waiting, 1 made, 0 failures, newest 20" in shown
                       and "\nReplica   failing, cannot open " in shown)
        (tmp_path / "replica").mkdir()
        terminal.until(lambda shown: re.search(r"^Replica +following, .*lag \d+ ms", shown, re.MULTILINE))
