"""Every alert arrives, though the mail server has all its faults in turn and docket is killed again and
again. What the mail server has accepted is not sent again when the database is away."""
import collections
import json
import re
import resource
import threading
import time

import pytest

import backends
import postgres
import proofs
from backends import rows
from clocks import Clock
from harness import JSON, MINIMAL, TASKS, ignore_too_large, limit_files, make_data
from ledger import now, stamp
from mail import FROM, Scripted, parsed
from together import until

ALERTS = 100 # for each kill
# What docket has not recorded yet when it is killed: UNRECORDED_MOST and SENDERS of src/delivery/.
IN_FLIGHT = 16 + 4
CUTS = 1  # of a message: after three docket does not send it again
AWAY_S = 4  # how long the database is away


def smtp(mail, timeout):
    return ["--smtp-url", f"smtp://127.0.0.1:{mail.port}", "--mail-from", FROM, "--smtp-timeout",
            timeout]


class Faulty(Scripted):
    """A mail server with a fault at every third message. `taken` counts how often it took each message, by
    the Message-ID; `cut` is how often it then closed the connection without an answer."""

    def __init__(self):
        self.lock, self.turn, self.taken, self.cut = threading.Lock(), 0, collections.Counter(), 0
        self.cuts = collections.Counter()
        super().__init__(greeting=self.greet, RCPT=self.take_recipient, end=self.take_message)

    def next_turn(self):
        with self.lock:
            self.turn += 1
            return self.turn

    def greet(self, client):
        refuse = self.next_turn() % 5 == 0
        client.sendall(b"421 4.3.2 too busy\r\n" if refuse else self.USUAL["greeting"])

    def take_recipient(self, client):
        turn = self.next_turn()
        if turn % 50 == 7:
            self.ended.wait(3)  # longer than docket waits
        client.sendall(b"450 4.7.1 greylisted\r\n" if turn % 7 == 0 else self.USUAL["RCPT"])

    def take_message(self, client):
        with self.lock:
            identity = re.search(rb"^Message-ID: (\S+)", self.latest[client], re.MULTILINE)[1]
            self.taken[identity] += 1
            cut = self.turn % 11 == 0 and self.cuts[identity] < CUTS
            self.cuts[identity] += cut
            self.cut += cut
        if cut:
            self.close(client)
        else:
            client.sendall(self.USUAL["."])


def make_alerts(server, at, count):
    for _ in range(count // ALERTS):
        operations = [{"create": {**MINIMAL, "alert_at": stamp(at), "users_list": [2]}}
                      for _ in range(ALERTS)]
        reply = server.call("POST", f"{TASKS}/bulk", json.dumps({"operations": operations}), JSON)
        assert reply.status == 200, reply


def left(server, clock):
    """How many alerts have not been sent. If all of them wait for another attempt, the clock goes on to the
    first."""
    due, waiting, leased = rows(server.data, "SELECT min(due_at), count(*), count(*) FILTER (WHERE state = 1)"
                                             " FROM alert WHERE state <= 1")[0]
    if waiting and not leased and due > clock.now:
        clock.set(due)
    return waiting


def kill(server, clock):
    """On PostgreSQL the next process takes over when the leases of this one have ended."""
    server.kill()
    ends, = rows(server.data, "SELECT max(due_at) FROM alert WHERE state = 1")[0]
    if clock.database and ends:
        clock.set(max(ends, clock.now))


@proofs.KILLS
@backends.BOTH
def test_kills_and_faults(one, base, database, make_server, tmp_path):
    kills = proofs.size(2)
    alerts = kills * ALERTS
    clock = Clock(tmp_path / "clock", now(), one if database == "postgresql" else None)
    with Faulty() as mail:
        server = make_server(one, base[1], env=clock.env, options=smtp(mail, 1))
        make_alerts(server, clock.now + 60, alerts)
        for turn in range(kills, 0, -1):
            until(lambda: left(server, clock) <= turn * alerts // (kills + 1), seconds=120)
            kill(server, clock)
            server.start()
        until(lambda: left(server, clock) == 0, seconds=300, what=lambda: states(server))
        assert rows(server.data, "SELECT state, count(*) FROM alert GROUP BY state") == [(2, alerts)]
        assert len(mail.taken) == alerts
        assert sum(mail.taken.values()) - alerts <= mail.cut + kills * IN_FLIGHT
        assert mail.cut
        server.stop()


# The database is away

class Accepting(Scripted):
    """A mail server that accepts every message. `before` is called before the first answer."""

    def __init__(self, before):
        self.lock, self.before = threading.Lock(), before
        super().__init__(end=self.accept_message)

    def accept_message(self, client):
        with self.lock:
            if self.before:
                self.before()
            self.before = None
        client.sendall(self.USUAL["."])

    def assert_each_once(self, count):
        ids = [parsed(message)["Message-ID"] for message in self.messages]
        assert len(ids) == len(set(ids)) == count, ids


def states(server):
    return rows(server.data, "SELECT state, count(*) FROM alert GROUP BY state")


@pytest.mark.slow
@postgres.NEEDED
def test_postgresql_stops_after_a_message_is_accepted(make_server):
    """docket records the outcomes when PostgreSQL runs again."""
    with postgres.private() as cluster, Accepting(lambda: cluster.stop("immediate")) as mail:
        place = cluster.create("docket")
        server = make_server(place, make_data(place), options=smtp(mail, 10))
        make_alerts(server, now() - 1, ALERTS)
        until(lambda: server.call("GET", "/readyz").status == 503)
        time.sleep(AWAY_S)
        cluster.start()
        until(lambda: states(server) == [(2, ALERTS)])
        mail.assert_each_once(ALERTS)
        server.stop()


@pytest.mark.slow
def test_a_full_disk_after_a_message_is_accepted(make_server):
    """docket records the outcomes when there is room again."""
    def fill():
        limit_files(server, (server.data / "docket.db-wal").stat().st_size)

    with Accepting(fill) as mail:
        server = make_server(options=smtp(mail, 10), preexec=ignore_too_large)
        make_alerts(server, now() - 1, ALERTS)
        until(lambda: any("write failed" in line for line in server.messages()))
        time.sleep(AWAY_S)
        limit_files(server, resource.RLIM_INFINITY)
        until(lambda: states(server) == [(2, ALERTS)])
        mail.assert_each_once(ALERTS)
