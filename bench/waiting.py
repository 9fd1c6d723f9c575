#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How much many waiting alerts cost a create: bench/waiting.py [--database sqlite|postgres] [--alerts 100000].
Two places have the same tasks; those of the second have an alert that waits. In turn, clients create tasks in
each. Prints the median of the ratios of their rates."""
import argparse
import asyncio
import contextlib
import datetime
import pathlib
import statistics
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent)]

from overload import BULK, TASK, Client, Place, request, run_all  # noqa: the folder is set above
import postgres  # noqa: overload.py sets its folder

PAIRS, SECONDS, CLIENTS, FILLERS = 9, 3, 16, 4


def rate(place, task, seconds):
    data = request("POST", "/api/v1/tasks", "light", place.tokens["light"], {"task": task})
    clients = [Client(place.servers[number % len(place.servers)].port, data) for number in range(CLIENTS)]
    asyncio.run(run_all(clients, seconds))
    done = [status for client in clients for status, _ in client.done]
    assert set(done) == {201}, set(done)
    return len(done) / seconds


class Filler(Client):
    """Sends bulks of creates whose alerts are an hour apart, beginning in an hour."""

    def __init__(self, port, place, numbers, alerts):
        super().__init__(port, None)
        self.place, self.numbers, self.alerts = place, numbers, alerts
        self.begin = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)

    def task(self, number):
        at = self.begin + datetime.timedelta(hours=1, seconds=number * 7919 % 10**7)
        return {**TASK, "users_list": [1], "alert_at": at.isoformat() if self.alerts else None}

    async def fill(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for first in self.numbers:
            operations = [{"create": self.task(first + number)} for number in range(BULK)]
            writer.write(request("POST", "/api/v1/tasks/bulk", "light", self.place.tokens["light"],
                                 {"operations": operations}))
            status, _ = await self.answer(reader)
            assert status == 200, status
        writer.close()


def fill(place, count, alerts):
    async def all_of_them():
        await asyncio.gather(*(Filler(place.servers[0].port, place, range(number * BULK, count, FILLERS * BULK),
                                      alerts).fill() for number in range(FILLERS)))
    asyncio.run(all_of_them())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--alerts", type=int, default=100000)
    asked = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder, lock = postgres.begin()
        stack.callback(lock.close)
        stack.callback(postgres.clear, folder)
        places = []
        for _ in range(2):
            places.append(Place(asked.database, pathlib.Path(tempfile.mkdtemp(dir=folder)), [], ("light",)))
            stack.callback(places[-1].stop)
        for place, alerts in zip(places, (False, True)):
            fill(place, asked.alerts, alerts)
        at = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=9)
        for name, task in (("without an alert", {**TASK, "users_list": [1]}),
                           ("with an alert", {**TASK, "users_list": [1], "alert_at": at.isoformat()})):
            pairs = [[rate(place, task, SECONDS) for place in places[::1 - 2 * (turn % 2)]][::1 - 2 * (turn % 2)]
                     for turn in range(PAIRS)]
            ratios = [waiting / plain for plain, waiting in pairs]
            print(f"creates {name}: {statistics.median(plain for plain, _ in pairs):.0f}/s beside no alerts; with"
                  f" {asked.alerts} waiting {statistics.median(ratios):.3f} of that"
                  f" ({min(ratios):.3f} to {max(ratios):.3f})", flush=True)


if __name__ == "__main__":
    main()
