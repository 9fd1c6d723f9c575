"""Random overload: clients of all kinds send more than docket can do, with rests between. The memory, the
descriptors and the threads of docket do not grow. In the end each task is as its client knows. Meanwhile an
operator renews the certificate with SIGHUP, makes, rotates and revokes tokens, and makes backups. One client
sends more requests than its token may.

    make soak MINUTES=45
    DOCKET_PROOF_SEED=7 make soak MINUTES=2     the choices of an earlier run

Two docket processes share the PostgreSQL database. Now and then another session locks its tables, or ends
their connections."""
import collections
import operator
import os
import random
import re
import shutil
import signal
import threading
import time

import pytest

import backends
import postgres
import proofs
from ca import CA
from deployment import Deployment
from harness import SANITIZED, TASKS, basic, run, strict_json, succeed
from load import Link
from owned import shrunk
from rude import Idle, Rude, Slow
from together import at_once, beside, until
from traffic import Client
from wire import Wire

pytestmark = [backends.BOTH, pytest.mark.slow]

SECONDS = proofs.size(4)
CYCLE_S, REST_S = 12, 4  # docket gives memory back every 2 s
FIRST_RESTS = 4          # later rests are compared with these; the first is before any load
LATE_S = 30              # until a later rest is like them
MIB = 1024 * 1024
# How many more descriptors, threads and bytes are no leak. docket may have up to 8 connections to PostgreSQL,
# and makes them when it needs them.
MORE = (8, 0, 20 * MIB)
PEAK = 400 * MIB         # at any moment
MEASURED = SECONDS >= 60 and not SANITIZED  # whether memory is compared: a few seconds of load say nothing
FILL = 8                 # bulks of almost 1 MiB between two looks at the memory
READS = 8                # of each kind, at the same time, so that every connection to SQLite reads

# A command that was refused for the load, or for what another session has locked. If a connection was lost
# during the commit, the second attempt finds that the first has done it.
GIVEN_AGAIN = (": busy|took too long|cannot be reached|timeout expired|may be stored|is already running"
               "|too many clients|exists already: a backup")
DONE_ALREADY = "there is no token"
LIGHT = ("light1", "light2", "light3", "light4")
RATES = {"sqlite": 6_000, "postgresql": 1_000}  # requests of a token in a minute; few others have so many
HASTE = 500              # requests of the hasty client at once
OPTIONS = ("--quiet", "--memory-limit", "64", "--queue", "24")
BULKS = {"bulk_small": 4, "bulk_unchanged": 4, "bulk_large": 2, "bulk_refused": 2, "bulk_tried": 2,
         "bulk": 2}
# How many clients of which kind each account has.
CLIENTS = {"heavy": [(12, Client, {"mix": BULKS, "keeps": 800}), (2, Client, {}), (1, Rude, {}),
                     (1, Slow, {})],
           "light1": [(4, Client, {}), (1, Rude, {}), (1, Slow, {}), (1, Idle, {})],
           **{name: [(4, Client, {}), (1, Client, {"mix": {"burst": 1}}), (1, Rude, {})]
              for name in LIGHT[1:]}}


class Hasty(Client):
    """Sends as much as it can with a token of its own, to the process that has its limit."""

    MIX = {"hurry": 1}

    def hurry(self):
        with Wire(self.deployment.servers[0], self.source) as wire:
            wire.send(self.message("GET", "/api/v1/me") * HASTE)
            for _ in range(HASTE):
                reply = wire.reply()
                assert reply, "closed without an answer"
                if reply.status == 429 and reply.json["code"] == "rate_exceeded":
                    self.counts["rate exceeded", reply.status] += 1
                    assert 1 <= int(reply.header("Retry-After")) <= 60, reply
                elif not self.is_refused(reply, 200):
                    self.counts[self.operation, reply.status] += 1
        self.stop.wait(1 if self.counts["rate exceeded", 429] else 0)


class Stranger:
    """Another session, which disturbs the database."""

    def __init__(self, database, seed):
        self.database, self.pick = database, random.Random(f"{seed} stranger")
        self.counts = collections.Counter()

    def run(self, stop):
        while not stop.wait(self.pick.uniform(0.5, 3)):
            self.pick.choice([self.lock, self.lock_accounts, self.end])(stop)

    def hold(self, what, sql, stop):
        self.counts[what] += 1
        with self.database.held(sql):
            stop.wait(self.pick.uniform(0.2, 4))

    def lock(self, stop):
        self.hold("locks", "LOCK TABLE task", stop)

    def lock_accounts(self, stop):
        self.hold("locks of accounts", "SELECT 1 FROM account ORDER BY id LIMIT 2 FOR UPDATE", stop)

    def end(self, _):
        """Ends some of docket's connections."""
        self.counts["ended connections"] += len(self.database.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{postgres.OWNER}'"
            " AND datname = current_database() ORDER BY random() LIMIT 3"))


class Operator:
    """Whoever looks after docket while it serves. A command may be refused for the load; then it is given
    again."""

    def __init__(self, deployment, place, folder, seed, ca):
        self.ca = ca
        self.deployment, self.place, self.pick = deployment, place, random.Random(f"{seed} operator")
        self.folder, self.token, self.counts = folder, folder / "operator-token", collections.Counter()
        self.backups = folder / "backups"
        self.backups.mkdir()

    def run(self, stop):
        """Does all of it at least once."""
        kinds = [self.reload, self.tokens, *([self.back_up] if isinstance(self.place, os.PathLike) else [])]
        for kind in kinds:
            kind(stop)
        while not stop.wait(self.pick.uniform(0.5, 3)):
            self.pick.choice(kinds)(stop)

    def reload(self, _):
        """New connections get the other certificate."""
        self.counts["SIGHUP"] += 1
        label = renew(self.ca, self.counts["SIGHUP"] % 2)
        for server in self.deployment.servers:
            server.process.send_signal(signal.SIGHUP)
        for server in self.deployment.servers:
            until(lambda server=server: named(server), lambda found: found == label, f"not {label}")

    def given(self, *words):
        """Gives a command. False: it was refused, as it may be."""
        done = run(*words, *backends.where(self.place))
        assert done.returncode == 0 or re.search(f"{GIVEN_AGAIN}|{DONE_ALREADY}", done.stderr), (words, done)
        self.counts["commands refused"] += done.returncode != 0
        return done.returncode == 0 or re.search(DONE_ALREADY, done.stderr)

    def command(self, *words):
        """Gives a command until it is carried out."""
        until(lambda: self.given(*words), what=f"{words} is refused", pause=0.2)

    def new_token(self):
        """Makes a token; returns its label. Each attempt has a label of its own."""
        self.counts["tokens"] += 1
        self.token.unlink(missing_ok=True)
        label = f"soak-{self.counts['tokens']}"
        made = self.given("token", "add", label, "--account", "light2", "--token-file", self.token)
        return label if made else None

    def hasty_token(self):
        file = self.folder / "hasty-token"
        succeed("token", "add", "hasty", "--account", "light1", "--token-file", file,
                *backends.where(self.place))
        return file.read_text().strip()

    def works(self):
        """Whether the token in the file gives access. An answer that says nothing about it does not count."""
        link = Link(self.deployment, self.pick.choice(self.deployment.servers), "light2")
        access = basic("admin/token", self.token.read_text().strip())
        try:
            return until(lambda: link.ask("GET", f"{TASKS}/1", headers={"Authorization": access})[0],
                         lambda status: status in (200, 401, 404), pause=0.2) != 401
        finally:
            link.close()

    def tokens(self, stop):
        """A token works from when it is made until it is revoked."""
        label = until(self.new_token, pause=0.2)
        assert self.works(), label
        self.rotate(label)
        stop.wait(self.pick.uniform(0, 1))
        self.command("token", "revoke", label, "--account", "light2")
        assert not self.works(), label

    def rotate(self, label):
        """The old token does not work any more, and the new one does."""
        self.counts["rotations"] += 1
        self.token.unlink()
        self.command("token", "rotate", label, "--account", "light2", "--token-file", self.token)
        assert self.works(), label

    def back_up(self, _):
        """docket verifies a backup before it has its name. There is room for one each second."""
        self.counts["backups"] += 1
        self.command("backup", "--to", self.backups, "--keep", "2,0,0")
        time.sleep(1)


def pair(ca, number=None):
    """The files of the certificate that docket reads, or of the one with that number."""
    name = "served" if number is None else f"renewed{number}"
    return ca.folder / f"{name}.pem", ca.folder / f"{name}.key"


def renew(ca, number):
    """Puts that certificate in the place of the other; returns its name."""
    for new, used in zip(pair(ca, number), pair(ca)):
        shutil.copyfile(new, used.with_suffix(".new"))
        os.replace(used.with_suffix(".new"), used)
    return f"renewed{number}"


def named(server):
    """The name of the certificate that a new connection gets."""
    with Wire(server) as wire:
        subject = dict(part[0] for part in wire.socket.getpeercert()["subject"])
    return subject["commonName"]


class Process:
    """A docket process, and what it had at each rest: descriptors, threads, bytes of anonymous memory."""

    def __init__(self, server, where):
        self.server, self.where, self.rests, self.counts = server, where, [], {"peak": 0}

    def run(self, stop):
        """Watches the memory while there is load."""
        while MEASURED and not stop.wait(0.1):
            self.counts["peak"] = max(self.counts["peak"], self.server.memory())
            assert self.counts["peak"] < PEAK, self.counts

    def is_at_rest(self):
        status = strict_json(succeed("status", *self.where, "--json").stdout.encode())
        return not (status["connections"]["open"] or status["requests"]["in_progress"]
                    or status["reads"]["waiting"] or status["writes"]["waiting"]
                    or status["memory"]["held_bytes"] or status["memory"]["waiting"])

    def has(self):
        place = f"/proc/{self.server.process.pid}"
        return (len(os.listdir(f"{place}/fd")), len(os.listdir(f"{place}/task")),
                self.server.memory() if MEASURED else 0)

    def rest(self, refresh):
        """Notes what the process has. After the first rests, it waits until the process has no more than
        then. It calls `refresh` before each look."""
        def look():
            refresh()
            return self.has()

        until(self.is_at_rest, what="not at rest")
        first = self.rests[:FIRST_RESTS]
        if len(first) < FIRST_RESTS:
            time.sleep(REST_S if MEASURED else 0)
            self.rests.append(look())
        else:
            most = [max(values) + more for values, more in zip(zip(*first), MORE)]
            self.rests.append(until(look, lambda has: all(map(operator.le, has, most)),
                                    lambda: f"more than {most}: {self.rests}", LATE_S, 0.2))


class Soak:
    """The processes and their clients."""

    def __init__(self, deployment, processes, operator, seed):
        self.deployment, self.processes = deployment, processes
        self.clients = [
            kind(deployment, account, f"{account}-{kind.__name__}-{group}.{number:02}".lower(), seed,
                 f"127.3.0.{list(CLIENTS).index(account) + 1}", **options)
            for account, groups in CLIENTS.items()
            for group, (count, kind, options) in enumerate(groups) for number in range(count)]
        self.hasty = Hasty(deployment, "light1", "hasty", seed, "127.3.0.9")
        token = operator.hasty_token()
        self.hasty.access = {**self.hasty.access, "Authorization": basic("admin/token", token)}
        self.clients.append(self.hasty)
        self.filler = Client(deployment, "heavy", "filler", seed, None, keeps=10_000)
        self.filler.stop = threading.Event()
        self.others = [*processes, operator]
        if len(processes) > 1:
            self.others.append(Stranger(deployment.database, seed))

    def fill(self):
        """Makes large lists, and fills SQLite's cache of pages. After that the memory must not grow."""
        now, before = MIB, 0
        while now >= before + MIB:
            for _ in range(FILL):
                self.filler.bulk_large()
            now, before = self.processes[0].server.memory() if MEASURED else 0, now
        self.filler.close()

    def load(self, seconds):
        working = self.clients + self.others
        with beside(lambda number, stop: working[number].run(stop), len(working)) as stop:
            stop.wait(seconds)

    def refresh(self):
        """SQLite's connections for reads keep pages until they see a change. This empties their caches."""
        if MEASURED:
            self.filler.patch()
            self.filler.close()
            at_once(lambda path: self.deployment.get(path, account="heavy"), [
                f"{TASKS}?per_page=1", f"{TASKS}?mode=count"] * READS)

    def rest(self):
        for process in self.processes:
            process.rest(self.refresh)

    def stored(self, account):
        """External id → record of all tasks."""
        stored, path = {}, f"{TASKS}?per_page=500"
        link = Link(self.deployment, self.deployment.servers[-1], account)
        while path:
            # Other clients of the account may have left none of the token's requests.
            status, headers, body = until(lambda: link.ask("GET", path), lambda answer: answer[0] != 429,
                                          pause=0.5)
            assert status == 200, body
            for record in strict_json(body):
                assert record["external_id"] not in stored
                stored[record["external_id"]] = shrunk(record)
            path = (re.findall('<([^>]*)>; rel="next"', headers["Link"]) or [None])[0]
        link.close()
        return stored

    def check(self):
        """Every task is as its client knows, and there are no others."""
        for account in CLIENTS:
            stored = self.stored(account)
            for client in [self.filler, *self.clients]:
                if client.account == account:
                    client.owned.check(stored)
            assert not stored, f"{account} has tasks that nobody made: {list(stored.items())[:5]}"

    def tell(self):
        counts = sum((client.counts for client in [self.filler, *self.clients]), collections.Counter())
        for operation in sorted({operation for operation, _ in counts}):
            print(f"{operation:24}", {status: count for (name, status), count in sorted(counts.items())
                                      if name == operation})
        print(f"{counts.total()} answers;", *(dict(other.counts) for other in self.others))
        for process in self.processes:
            print("descriptors, threads, memory:", *process.rests)


@pytest.fixture
def soak(database, tmp_path):
    """A folder and its process, or a database and two processes."""
    seed, place = proofs.seed(), backends.empty(database, tmp_path / "data")
    print(f"the seed is {seed}")
    ca = CA(tmp_path / "ca")
    for number in range(2):
        ca.make(f"renewed{number}", "docket.example")
    renew(ca, 0)
    tls = ("--tls-cert", pair(ca)[0], "--tls-key", pair(ca)[1])
    rate = ("--rate-per-token", RATES[database])
    with Deployment(place, tmp_path, CLIENTS, (*OPTIONS, *tls, *rate)) as deployment:
        if database == "sqlite":
            processes = [Process(deployment.serve(), backends.where(place))]
        else:
            sockets = [["--control-socket", tmp_path / f"socket{number}"] for number in range(2)]
            processes = [Process(deployment.serve(*socket), socket) for socket in sockets]
        for server in deployment.servers:
            server.tls = ca.context(name_matters=False)
        yield Soak(deployment, processes, Operator(deployment, place, tmp_path, seed, ca), seed)
    backends.remove(place)


@proofs.OVERLOAD
def test_random_overload(soak):
    soak.fill()
    soak.rest()
    end = time.monotonic() + SECONDS
    while (left := end - time.monotonic()) > 0:
        soak.load(min(left, CYCLE_S))
        soak.rest()
    soak.tell()
    assert SECONDS < 30 or SANITIZED or soak.hasty.counts["rate exceeded", 429]
    soak.check()
    soak.deployment.stop()
    soak.deployment.check_sound()
