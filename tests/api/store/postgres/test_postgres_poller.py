"""A client that polls for changes since the greatest updated_at that it has seen gets every change,
whichever process makes it and whatever the clock of that process says."""
import collections
import contextlib
import itertools
import os
import random
import re
import socket
import threading
import time

import pytest

import postgres
from clocks import Clock, behind
from deployment import deployed
from harness import TASKS, strict_json, task
from load import Link
from relay import Relay
from together import beside, started, until
from wire import ANSWER_S

pytestmark = postgres.NEEDED

SECONDS = float(os.environ.get("DOCKET_TEST_SECONDS", "3"))
WRITERS, PAGE, BEHIND = 8, 20, 30
BEGIN = b"BEGIN\0"  # of a transaction that writes
NEXT = re.compile(r'<([^>]+)>; rel="next"')


class Poller:
    """Remembers the last state of every task that it saw. While records change during its pages, it
    reads the newest first, so that later changes are not before the greatest time of its first
    page."""

    def __init__(self, deployment, server, query=""):
        self.link, self.query = Link(deployment, server, "first"), query
        self.last, self.titles, self.pages = "2000-01-01", {}, 0

    def poll(self):
        path = f"{TASKS}?updated_from={self.last}&per_page={PAGE}{self.query}"
        times = [self.last]
        while path:
            status, headers, body = self.link.ask("GET", path)
            assert status == 200, body
            for record in strict_json(body):
                assert record["updated_at"] >= record["created_at"], record
                times.append(record["updated_at"])
                self.titles[record["id"]] = record["title"]
            found = NEXT.search(headers.get("Link") or "")
            path = found and found[1]
            self.pages += 1
        self.last = max(times)


NEWEST_FIRST = "&sort=updated_at&dir=desc"


class Delay(Relay):
    """A proxy between docket and the server. It delays docket's messages, and the beginning of a
    write until the gate is open."""

    def __init__(self, port, seconds):
        self.target, self.seconds = ("127.0.0.1", port), seconds
        self.gate, self.held = threading.Event(), threading.Event()
        self.gate.set()
        super().__init__()

    def serve(self, client):
        server = socket.create_connection(self.target)
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.begin(self.forward, client, server)
        self.begin(self.forward, server, client)

    def forward(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 20):
                if target.getpeername()[1] == self.target[1]:
                    time.sleep(self.seconds)
                    if BEGIN in data and not self.gate.is_set():
                        self.held.set()
                        self.gate.wait(ANSWER_S)
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def deployment(tmp_path):
    with deployed(tmp_path) as deployment:
        yield deployment


def post(link, title):
    status, _, body = link.ask("POST", TASKS, task(title=title))
    assert status == 201, body
    return strict_json(body)


@pytest.mark.parametrize("apart", [0, 1, BEHIND])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_one_second(deployment, tmp_path, apart, order):
    """Two processes whose clocks stand still commit one after the other, and the client polls after
    each commit. The second clock is behind by `apart` seconds."""
    now = int(time.time()) + 3600
    for number, at in enumerate((now, now - apart)):
        deployment.serve(env=Clock(tmp_path / f"clock{number}", at).env)
    poller = Poller(deployment, deployment.servers[0])
    links = [Link(deployment, server, "first") for server in deployment.servers]
    made = []
    for number, which in enumerate(order * 3):
        made.append(post(links[which], f"{number} by {which}"))
        poller.poll()
        assert poller.titles[made[-1]["id"]] == made[-1]["title"]
        change = {"task": {"title": f"{number} again"}}
        status, _, body = links[which].ask("PATCH", f"{TASKS}/{made[0]['id']}", change)
        assert status == 200, body
        poller.poll()
        assert poller.titles[made[0]["id"]] == f"{number} again"
    times = [record["updated_at"] for record in made]
    assert times == sorted(times)


def test_a_commit_that_was_held_up(deployment):
    """A process has begun a write, and its packets wait until the client has seen a later second."""
    delay = Delay(deployment.database.cluster.port, 0)
    deployment.serve("--statement-timeout", 60000, url=deployment.through(delay.port))
    deployment.serve()
    slow, other = (Link(deployment, server, "first") for server in deployment.servers)
    poller = Poller(deployment, deployment.servers[1])
    first = post(slow, "its connections are open")
    delay.gate.clear()
    delay.held.clear()
    late = started(post, slow, "late")

    def has_passed():
        post(other, "meanwhile")
        poller.poll()
        return poller.last > first["updated_at"] and len(poller.titles) >= 3

    until(has_passed, pause=0.3)
    assert not late.done() and delay.held.is_set()
    delay.gate.set()
    record = late.result(ANSWER_S)
    poller.poll()
    assert poller.titles.get(record["id"]) == "late"


def load(deployment, query, work):
    """Writers at both processes in turn, and a polling client; at the end the client has the same
    records as the database."""
    poller, polls = Poller(deployment, deployment.servers[1], query), 0

    def write(number, stop):
        link = Link(deployment, deployment.servers[number % 2], "first")
        for count in itertools.count():
            if stop.is_set():
                break
            work(link, f"{number}.{count}")
        link.close()

    with beside(write, WRITERS):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            poller.poll()
            polls += 1
            time.sleep(0.05)
    poller.poll()
    have = {number: title for (_, number), title in deployment.titles().items()}
    missed = {number: title for number, title in have.items()
              if poller.titles.get(number) != title}
    print(f"{len(have)} tasks, {polls} polls of {poller.pages} pages, {len(missed)} missed")
    assert not missed, f"{len(missed)} of {len(have)}"
    assert len(have) > WRITERS and poller.pages > polls, "a poll has several pages"


def creates(link, name):
    post(link, name)


def changes():
    """Creates, changes to records that another writer made, and bulk requests."""
    made, pick = collections.deque(maxlen=60), random.Random(1)

    def work(link, name):
        way = pick.random()
        if way < 0.4 or not made:
            made.append(post(link, name)["id"])
            return
        if way < 0.9:
            path, value = f"{TASKS}/{pick.choice(made)}", {"task": {"title": name}}
            status, _, body = link.ask("PATCH", path, value)
        else:
            numbers = sorted({pick.choice(made) for _ in range(5)})
            status, _, body = link.ask("POST", f"{TASKS}/bulk", {"operations": [
                *({"update": {"id": number, "title": f"{name} bulk"}} for number in numbers),
                {"create": task(title=f"{name} of a bulk")["task"]}]})
        assert status == 200, body

    return work


WAYS = {"creates": ("", lambda: creates), "changes": (NEWEST_FIRST, changes)}


@pytest.mark.parametrize("way", WAYS)
def test_a_clock_that_is_behind(deployment, way):
    query, work = WAYS[way]
    deployment.serve(env=behind(BEHIND))
    deployment.serve()
    load(deployment, query, work())
    deployment.check_sound()


@pytest.mark.parametrize("milliseconds", [50, 300])
@pytest.mark.parametrize("way", WAYS)
def test_packets_that_are_late(deployment, way, milliseconds):
    query, work = WAYS[way]
    delay = Delay(deployment.database.cluster.port, milliseconds / 1000)
    deployment.serve("--statement-timeout", 30000, url=deployment.through(delay.port))
    deployment.serve()
    load(deployment, query, work())
    deployment.check_sound()
