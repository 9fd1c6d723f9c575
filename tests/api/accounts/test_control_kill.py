"""kill -9 and SIGTERM in the middle of the commands of administration, at random moments. What is
promised then:

- the database is sound, and what a command does is there whole or not at all;
- a command that ended with 0 is carried out;
- a token that works and that was to go to a file is in it. The file may be there without its token:
  it is written first, and a command that was killed, or whose server was, cannot know.
"""
import json
import random
import signal
import threading
import time

import pytest

import backends
import proofs
from admin import TOKEN, Pair, check_sound, docket, dump, listed
from backends import rows
from harness import COMMAND_S, SANITIZER, begin, run, succeed
from together import beside, until

TURNS = proofs.size(6)
WORKERS = 3


class Commands:
    """Commands on a folder, one after the other, that make accounts, staff members and tokens."""

    def __init__(self, folder, place):
        self.folder, self.place = folder, place
        self.numbers, self.lock = iter(range(10**6)), threading.Lock()
        self.done = []  # (kind, name, file, exit status); None if it was killed
        self.said = []

    def next(self):
        with self.lock:
            number = next(self.numbers)
        kind, name = ("account", "staff", "token")[number % 3], f"n{number}"
        file = self.place / f"{name}.token" if kind != "staff" else None
        return kind, name, file

    def start(self, kind, name, file):
        where = [] if kind == "account" else ["--account", "first"]
        more = ["--token-file", file] if file else []
        return begin(kind, "add", name, "--data", self.folder, *where, *more)

    def run(self, kill_after=None):
        """Runs one of the commands to its end, or kills it."""
        kind, name, file = self.next()
        process = self.start(kind, name, file)
        if kill_after is not None:
            time.sleep(kill_after)
            process.kill()
        out, err = process.communicate(timeout=COMMAND_S)
        assert out == "" and not SANITIZER.search(err), err
        status = None if process.returncode == -signal.SIGKILL else process.returncode
        with self.lock:
            self.done.append((kind, name, file, status))
            self.said.append(err)
        return status

    def work(self, _, stop):
        while not stop.is_set():
            self.run()

    def check(self):
        """Checks what docket promises, on a folder that nobody serves."""
        check_sound(self.folder)
        found = {kind: {row[0] for row in rows(self.folder, sql)} for kind, sql in {
            "account": "SELECT name FROM account", "token": "SELECT label FROM token",
            "staff": "SELECT username FROM staff WHERE account_id = 1"}.items()}
        for kind, name, file, status in self.done:
            assert status in (None, 0, 1), (kind, name, status)
            there = name in found[kind]
            assert there or status != 0, f"{kind} {name} ended with 0 and is not there"
            if file and there:
                assert TOKEN.fullmatch(file.read_text().strip()), f"the token of {name} is lost"
        # Every account has all records that account add makes.
        for number, name in rows(self.folder, "SELECT id, name FROM account WHERE id > 2"):
            whole = {table: len(kept) for table, kept in dump(self.folder, number).items() if kept}
            assert whole == {"account": 1, "account_state": 1, "staff": 1, "token": 1,
                             "calendar": 1, "history": 2}, name
        # Every staff member has a history, and the change numbers have no gap.
        changes = rows(self.folder, "SELECT change FROM history WHERE account_id = 1 ORDER BY 1")
        assert [change for change, in changes] == list(range(1, len(changes) + 1))
        made = rows(self.folder, "SELECT id FROM staff WHERE account_id = 1 ORDER BY id")
        told = rows(self.folder, "SELECT record_id FROM history WHERE account_id = 1 AND "
                                 "record = 'staff' AND action = 'create' ORDER BY record_id")
        assert made == told == [(number,) for number in range(1, len(made) + 1)]

    def check_tokens(self, pair):
        """The tokens in the database give access, and no others do."""
        accounts = {row["name"] for row in listed(self.folder, "account list")}
        labels = {row["label"] for row in listed(self.folder, "token list", "--account", "first")}
        for kind, name, file, _ in self.done:
            if file and file.exists():
                there = name in (accounts if kind == "account" else labels)
                reply = pair.ask(name if kind == "account" else "first",
                                 token=file.read_text().strip() or "none")
                assert reply.status == (200 if there else 401), (kind, name, reply)


@pytest.fixture
def served(two, base_of_two, tmp_path):
    """A server of two accounts, and commands on it."""
    (tmp_path / "tokens").mkdir()
    pair = Pair(two, base_of_two[1], tmp_path / "log")
    yield pair, Commands(two, tmp_path / "tokens")
    if pair.server.running():
        pair.server.stop()


def some_of(commands, count):
    """Waits until that many more commands have ended."""
    wanted = len(commands.done) + count
    until(lambda: len(commands.done) >= wanted, seconds=COMMAND_S, pause=0.001)


@proofs.KILLS
@pytest.mark.slow
def test_kill_the_server(served):
    pair, commands = served
    other = dump(pair.folder, 2)
    for _ in range(TURNS):
        with beside(commands.work, WORKERS):
            some_of(commands, 4)
            time.sleep(random.uniform(0, 0.02))
            pair.server.kill()
        # Later commands opened the folder themselves.
        commands.check()
        assert dump(pair.folder, 2) == other
        pair.server.start()
    commands.check_tokens(pair)
    ended = [status for *_, status in commands.done]
    assert ended.count(0) >= 4 * TURNS // 2
    # No command fails without a message, and no more fail than were in progress.
    assert ended.count(1) <= WORKERS * TURNS and all(commands.said)


@proofs.KILLS
@pytest.mark.parametrize("who", ["the server runs it", "it runs by itself"])
@pytest.mark.slow
def test_kill_the_command(served, who):
    pair, commands = served
    other = dump(pair.folder, 2)
    if who == "it runs by itself":
        pair.server.stop()
    began = time.monotonic()
    assert commands.run() == 0
    took = time.monotonic() - began
    killed = 0
    for turn in range(5 * TURNS):
        killed += commands.run(random.uniform(0, 1.2 * took)) is None
    assert killed, "expected that some were killed"
    if pair.server.running():
        # The server answered none of them, and still serves.
        docket(pair.folder, "token add", "the last", "--account", "first")
        assert pair.ask("first").status == 200
        pair.server.stop()
    commands.check()
    assert dump(pair.folder, 2, used=False)["task"] == other["task"]
    pair.server.start()
    commands.check_tokens(pair)


@proofs.KILLS
@pytest.mark.slow
def test_an_orderly_end(served):
    """A command that came before the end gets its answer. A later one finds the folder in use or
    free, and its message is true."""
    pair, commands = served
    for turn in range(TURNS):
        with beside(commands.work, WORKERS):
            some_of(commands, 4)
            time.sleep(random.uniform(0, 0.02))
            pair.server.stop((signal.SIGTERM, signal.SIGINT)[turn % 2])
        commands.check()
        accounts = {row["name"] for row in listed(pair.folder, "account list")}
        for (kind, name, file, status), said in zip(commands.done, commands.said):
            assert status == 0 or "in use by another docket" in said, said
            assert status == 0 or not (file and file.exists())
            assert kind != "account" or (name in accounts) == (status == 0)
        pair.server.start()
    commands.check_tokens(pair)


def names(folder):
    listed = json.loads(succeed("account", "list", "--data", folder, "--json").stdout)
    return [account["name"] for account in listed]


@proofs.KILLS
@pytest.mark.slow
def test_a_removal_that_is_killed(served, base_of_two):
    """The account is either whole or out of reach; the next start deletes the rest."""
    pair, _ = served
    pair.server.stop()
    docket(pair.folder, "account add", "large")
    docket(pair.folder, "demo", "--account", "large", "--tasks", "3000")
    docket(pair.folder, "account add", "small")
    before, others = dump(pair.folder, 3), [dump(pair.folder, number) for number in (1, 2, 4)]
    gone = False
    for turn in range(2 * TURNS):
        pair.server.start()
        process = begin("account", "remove", "large", "--yes", "--data", pair.folder)
        time.sleep(random.uniform(0, 0.004 * 2**min(turn, 6)))
        if turn % 2:
            process.kill()
        pair.server.kill()
        process.communicate(timeout=COMMAND_S)
        check_sound(pair.folder)
        gone = "large" not in names(pair.folder)
        assert gone or dump(pair.folder, 3) == before
        assert process.returncode != 0 or gone
        if gone:
            pair.server.start()
            until(lambda: not any(dump(pair.folder, 3).values()), seconds=COMMAND_S)
            pair.server.stop()
        assert [dump(pair.folder, number) for number in (1, 2, 4)] == others
        if gone:
            break
    if not gone:
        docket(pair.folder, "account remove", "large", "--yes")
        assert not any(dump(pair.folder, 3).values())
    assert run("account", "remove", "large", "--yes", "--data", pair.folder).returncode == 1
    pair.server.start()
    assert pair.ask("second", token=base_of_two[1]["second"]).status == 200


@pytest.mark.slow
def test_others_are_served_while_an_account_is_removed(served):
    """A removal takes many writes; commands and writes of other clients run in between."""
    pair, _ = served
    pair.server.stop()
    docket(pair.folder, "account add", "large")
    docket(pair.folder, "demo", "--account", "large", "--tasks", "30000")
    pair.server.start()
    removal = begin("account", "remove", "large", "--yes", "--data", pair.folder)
    while "large" in names(pair.folder):
        assert removal.poll() is None
    done = 0
    while removal.poll() is None:
        docket(pair.folder, "token add", f"number {done}", "--account", "second")
        docket(pair.folder, "token revoke", f"number {done}", "--account", "second")
        done += 1
    assert removal.returncode == 0 and done >= 1
    removal.communicate()
    pair.server.stop()
    assert not any(dump(pair.folder, 3).values())
    check_sound(pair.folder)


@pytest.mark.slow
def test_a_part_of_a_removal_that_takes_too_long(two, base_of_two, tmp_path):
    """docket tries it again as smaller parts."""
    docket(two, "account add", "large")
    docket(two, "demo", "--account", "large", "--tasks", "2500")
    with backends.opened(two) as database:  # a part takes some 2,000 times as long as one task
        database.execute("CREATE TRIGGER slow AFTER DELETE ON task BEGIN SELECT count(*) FROM (WITH RECURSIVE"
                         " n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n);"
                         " END")
    pair = Pair(two, base_of_two[1], tmp_path / "log", ["--statement-timeout", "300"])
    docket(two, "account remove", "large", "--yes")
    pair.server.stop()
    assert "1 write failed: took too long" in (tmp_path / "log").read_text()
    assert not any(dump(two, 3).values())
    check_sound(two)
