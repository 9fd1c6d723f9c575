#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How docket serves some clients beside a crowd of others.

    bench/crowd.py accounts --database sqlite --seconds 20
    bench/crowd.py connections --database postgres
    bench/crowd.py locked --seconds 60

accounts     19 accounts send 20 requests each second, by the clock; a twentieth has 100 clients that send
             one request after the other. docket has one core and the clients have the other.
connections  3,000 clients have requested a list of some megabytes and do not read it, 8,000 connections are
             idle, 2,000 have sent half a body; one client sends one request after the other.
locked       PostgreSQL: another session locks the table of subjects for that long. Clients create subjects
             all the time. Others create calendars and read tasks and cases. They create no tasks, because
             PostgreSQL opens the table of subjects for each of them, to check the foreign key.

Each prints the times in milliseconds without the crowd and beside it, and the answers by status."""
import argparse
import asyncio
import collections
import contextlib
import multiprocessing
import os
import pathlib
import resource
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent)]

from overload import TASK, Client, Place, percentile, request, run_all  # noqa: the folder is set above
import postgres  # noqa: overload.py sets its folder

MANY = [f"account-{number}" for number in range(20)]
HEAVY_CLIENTS, EACH_S = 100, 20
SLOW, IDLE, HALF = 3000, 8000, 2000
LARGE_TASKS = 60  # of some 64 KB each: a list of more than 3 MB


def usual(place, account, path="/api/v1/tasks", value=None):
    """The requests of a usual client: a create, a list and a record."""
    token = place.tokens[account]
    return [request("POST", path, account, token, value or {"task": TASK}),
            request("GET", "/api/v1/tasks?per_page=20", account, token),
            request("GET", "/api/v1/cases/245", account, token)]


class Turns(Client):
    """Sends its requests in turn."""

    def __init__(self, port, requests):
        super().__init__(port, None)
        self.requests, self.turn = requests, 0

    @property
    def data(self):
        self.turn += 1
        return self.requests[self.turn % len(self.requests)]

    @data.setter
    def data(self, _):
        pass


class Timed(Turns):
    """Sends a request at each tick of a clock. The time of an answer counts from the tick, so that waiting
    for an earlier answer counts as well."""

    async def run(self, until):
        tick = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while tick < until:
            await asyncio.sleep(max(0, tick - time.monotonic()))
            writer.write(self.data)
            status, closes = await self.answer(reader)
            self.done.append((status, time.monotonic() - tick))
            if closes:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            tick += 1 / EACH_S
        writer.close()


def show(name, clients):
    done = [one for client in clients for one in client.done]
    took = [seconds * 1000 for status, seconds in done if 200 <= status < 300]
    statuses = dict(collections.Counter(status for status, _ in done))
    print(f"{name:<40} p50 {percentile(took, 0.5):8.2f}  p99 {percentile(took, 0.99):8.2f}  most"
          f" {max(took, default=float('nan')):8.2f}  {statuses}", flush=True)


def port_of(place, number):
    return place.servers[number % len(place.servers)].port


def accounts_heavy(place, seconds):
    """In a process of its own, which gives way to the other: the time that clients wait for each other is
    not docket's."""
    os.nice(9)
    heavy = [Turns(port_of(place, number), usual(place, MANY[0]))
             for number in range(HEAVY_CLIENTS)]
    asyncio.run(run_all(heavy, seconds))
    show("the clients of the twentieth", heavy)


def accounts(place, seconds):
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])
    for server in place.servers:
        server.stop()
        server.start()
    os.sched_setaffinity(0, cores[1:])

    def light():
        return [Timed(port_of(place, number), usual(place, account))
                for number, account in enumerate(MANY[1:])]

    alone = light()
    asyncio.run(run_all(alone, seconds))
    show("19 accounts alone", alone)
    beside = light()
    heavy = multiprocessing.Process(target=accounts_heavy, args=(place, seconds + 1))
    heavy.start()
    time.sleep(0.5)
    asyncio.run(run_all(beside, seconds))
    heavy.join()
    show(f"19 accounts beside {HEAVY_CLIENTS} clients", beside)


async def hold(port, data, count, held):
    """Connections that send that and then nothing."""
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        if data:
            writer.write(data)
            await writer.drain()
        held.append((reader, writer))


async def crowd(place, seconds, client):
    token, held = place.tokens["heavy"], []
    listing = request("GET", "/api/v1/tasks?per_page=500", "heavy", token)
    whole = request("POST", "/api/v1/tasks", "heavy", token, {"task": TASK})
    for number in range(len(place.servers)):
        share = len(place.servers)
        for data, count in ((None, IDLE), (whole[:-20], HALF), (listing, SLOW)):
            await hold(port_of(place, number), data, count // share, held)
    await run_all([client], seconds)
    for _, writer in held:
        with contextlib.suppress(OSError):
            writer.transport.abort()


def connections(place, seconds):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    body = {"task": {**TASK, "body": "x" * 60000}}
    fill = Client(port_of(place, 0), None)
    fill.data = request("POST", "/api/v1/tasks", "heavy", place.tokens["heavy"], body)
    while len(fill.done) < LARGE_TASKS:
        asyncio.run(fill.run(time.monotonic() + 0.1))
    alone, beside = (Turns(port_of(place, 0), usual(place, "light")) for _ in range(2))
    asyncio.run(run_all([alone], seconds))
    show("one client alone", [alone])
    asyncio.run(crowd(place, seconds, beside))
    show(f"beside {SLOW} slow, {IDLE} idle, {HALF} half", [beside])


def locked(place, seconds):
    token = place.tokens["light"]
    subject = request("POST", "/api/v1/subjects", "light", token,
                      {"subject": {"casefile_id": 245, "last_name": "Name"}})

    others = usual(place, "light", "/api/v1/calendars",
                   {"calendar": {"name": "Crowd", "color": "#3366cc"}})

    def clients():
        return ([Turns(port_of(place, number), others) for number in range(16)],
                [Client(port_of(place, number), subject) for number in range(16)])

    def run(name, how_long):
        beside, subjects = clients()
        asyncio.run(run_all([*beside, *subjects], how_long))
        rate = sum(200 <= status < 300 for status, _ in done_of(beside)) / how_long
        show(f"others {name}: {rate:.0f}/s", beside)
        show(f"subjects {name}", subjects)
        return sum(status == 201 for status, _ in done_of(subjects))

    with contextlib.closing(place.database.connect()) as stranger:
        stranger.autocommit = False
        before = place.database.run("SELECT count(*) FROM subject")[0][0]
        made = run("alone", 10)
        stranger.cursor().execute("LOCK TABLE subject")
        made += run("while it is locked", seconds)
        stranger.rollback()
        end = time.monotonic()
        probe = Client(port_of(place, 0), subject)
        while not any(status == 201 for status, _ in probe.done):
            asyncio.run(probe.run(time.monotonic() + 0.01))
        print(f"a subject was created {time.monotonic() - end:.3f} s after the end of the lock")
        made += sum(status == 201 for status, _ in probe.done) + run("after it", 10)
    stored = place.database.run("SELECT count(*) FROM subject")[0][0] - before
    print(f"{made} subjects were answered 201, {stored} are stored")


def done_of(clients):
    return [one for client in clients for one in client.done]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scenario", choices=("accounts", "connections", "locked"))
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seconds", type=float, default=10)
    asked = parser.parse_args()
    scenario = globals()[asked.scenario]
    kind = "postgres" if scenario is locked else asked.database
    names = MANY if scenario is accounts else ("heavy", "light")
    folder, lock = postgres.begin()
    try:
        place = Place(kind, folder, [], names)
        try:
            scenario(place, asked.seconds)
        finally:
            place.stop()
    finally:
        postgres.clear(folder)
        lock.close()


if __name__ == "__main__":
    main()
