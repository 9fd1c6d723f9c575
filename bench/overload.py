#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How docket serves several accounts when one of them sends more than can be done.

    make bench-overload
    bench/overload.py --clients 4,16,64,256,1024 --seconds 12 --database postgres

One account, "heavy", has that many clients. Each sends bulks of 500 creates one after the other, and sends
the next at once when one was refused. Beside them another account, "light", creates single tasks and reads
lists of one, one after the other, as it does alone before. For each number of clients the table has: the tasks
that were stored each second, the bulks by status, the median time of a bulk, the 99th percentile and the
refusals of the light account's creates and lists, and the memory of docket (RssAnon): the most, and 10
seconds after the end. With --svg FILE gnuplot draws the same.

PostgreSQL has a cluster of its own (fsync on) and two docket processes, which the clients share. The Debian
packages that this needs are in `script/bootstrap bench`."""
import argparse
import asyncio
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT / "tests" / "api" / "support")

import postgres  # noqa: the folder is set above
from harness import Server, basic, succeed  # noqa

DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL, two processes"}
DOMAIN, ACCOUNTS, BULK = "example.test", ("heavy", "light"), 500
REST_S = 10  # until memory is looked at once more
TASK = {"casefile_id": 245, "calendar_id": 1, "due_on": "2023-02-14", "title": "Overload"}


def request(method, path, account, token, value=None):
    """The bytes of a request."""
    body = b"" if value is None else json.dumps(value).encode()
    head = (f"{method} {path} HTTP/1.1\r\nHost: {account}.{DOMAIN}\r\n"
            f"Authorization: {basic('admin/token', token)}\r\n")
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class Client:
    """Sends one request after the other, until the time is over. `done` has (status, seconds) of each."""

    def __init__(self, port, data):
        self.port, self.data, self.done = port, data, []

    async def answer(self, reader):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        return int(head[9:12]), b"\r\nConnection: close" in head

    async def run(self, until):
        writer = None
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                if not writer:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(self.data)
                status, closes = await self.answer(reader)
            except (OSError, EOFError):
                status, closes = 0, True
            self.done.append((status, time.monotonic() - began))
            if closes and writer:
                writer.close()
                writer = None
        if writer:
            writer.close()


async def run_all(clients, seconds, *watch):
    """Runs the clients for that long, and beside them each watch(until)."""
    until = time.monotonic() + seconds
    await asyncio.gather(*(client.run(until) for client in clients), *(one(until) for one in watch))


class Memory:
    """The most that the processes have in RssAnon, together, in MB."""

    def __init__(self, servers):
        self.servers, self.most = servers, 0

    def now(self):
        texts = (pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
                 for server in self.servers)
        return sum(int(re.search(r"RssAnon:\s+(\d+)", text)[1]) for text in texts) / 1024

    async def watch(self, until):
        while time.monotonic() < until:
            self.most = max(self.most, self.now())
            await asyncio.sleep(0.05)


def percentile(times, part):
    return sorted(times)[min(len(times) - 1, int(len(times) * part))] if times else float("nan")


def describe(clients):
    """The median and the 99th percentile of what was done, in ms; refusals and their number."""
    done = [one for client in clients for one in client.done]
    took = [seconds * 1000 for status, seconds in done if 200 <= status < 300]
    other = sum(not 200 <= status < 300 for status, _ in done)
    return (statistics.median(took) if took else float("nan"), percentile(took, 0.99),
            f"{other} of {len(done)}")


class Place:
    """What is served: a folder, or a PostgreSQL database by two processes."""

    def __init__(self, kind, folder, options, accounts=ACCOUNTS):
        self.tokens, self.cluster, self.database = {}, None, None
        if kind == "postgres":
            self.cluster = postgres.private(fsync="on", shared_buffers="1GB", max_wal_size="4GB")
            self.database = self.cluster.create("overload")
            self.where = ["--database", self.database.url]
        else:
            self.where = ["--data", folder / "data"]
        for account in accounts:
            token = folder / f"token.{account}"
            how = ["account", "add", account] if self.tokens else ["init", "--account", account]
            succeed(*how, *self.where, "--token-file", token)
            succeed("demo", *self.where, "--account", account, "--tasks", 0)
            self.tokens[account] = token.read_text().strip()
        self.servers = [Server(None, self.tokens[accounts[0]], folder / f"log{number}",
                               [*self.where, "--base-domain", DOMAIN, "--quiet", *options])
                        for number in range(2 if self.cluster else 1)]

    def stop(self):
        for server in self.servers:
            server.stop()

    def clients(self, count, *what):
        data = request(*what)
        return [Client(self.servers[number % len(self.servers)].port, data)
                for number in range(count)]

    def light(self):
        token = self.tokens["light"]
        return (self.clients(1, "POST", "/api/v1/tasks", "light", token, {"task": TASK}),
                self.clients(1, "GET", "/api/v1/tasks?per_page=1", "light", token))

    def bulk(self, count):
        operations = [{"create": TASK}] * BULK
        return self.clients(count, "POST", "/api/v1/tasks/bulk", "heavy", self.tokens["heavy"],
                            {"operations": operations})


def measure(place, count, seconds):
    heavy, (creates, lists) = place.bulk(count), place.light()
    memory = Memory(place.servers)
    asyncio.run(run_all([*heavy, *creates, *lists], seconds, memory.watch))
    done = [one for client in heavy for one in client.done]
    statuses = {status: sum(status == one for one, _ in done)
                for status in sorted({status for status, _ in done})}
    time.sleep(REST_S)
    return {"clients": count, "tasks_s": statuses.get(200, 0) * BULK / seconds,
            "statuses": statuses, "bulk": describe(heavy), "create": describe(creates),
            "list": describe(lists), "most": memory.most, "after": memory.now()}


def line(row):
    statuses = " ".join(f"{status}:{count}" for status, count in row["statuses"].items())
    create, lists = row["create"], row["list"]
    return (f"{row['clients']:>7} {row['tasks_s']:>8.0f} {row['bulk'][0]:>8.0f} "
            f"{create[0]:>8.1f} {create[1]:>8.1f} {create[2]:>12} "
            f"{lists[0]:>8.1f} {lists[1]:>8.1f} {lists[2]:>12} "
            f"{row['most']:>6.0f} {row['after']:>6.0f}  {statuses}")


def draw(rows, path, title):
    """Goodput and the light account's 99th percentile over the number of clients."""
    with tempfile.NamedTemporaryFile("w", suffix=".dat") as data:
        for row in rows:
            data.write(f"{row['clients']} {row['tasks_s']} {row['create'][1]} {row['list'][1]}\n")
        data.flush()
        subprocess.run(["gnuplot"], check=True, text=True, input=f"""
set terminal svg size 720,420 font "sans,13" background "white"
set output "{path}"
set title "{title}"
set logscale x 2
set xlabel "clients of the heavy account, each with bulks of {BULK} creates"
set ylabel "tasks stored each second"
set yrange [0:*]
set y2label "99th percentile of the light account, ms"
set y2range [0:*]
set ytics nomirror
set y2tics
set grid
set key below
plot "{data.name}" using 1:2 with linespoints lw 2 title "tasks stored", \\
	"" using 1:3 axes x1y2 with linespoints title "single creates of the other account", \\
	"" using 1:4 axes x1y2 with linespoints title "lists of the other account"
""")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clients", default="1,4,16,64,256,1024")
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--svg", type=pathlib.Path)
    parser.add_argument("options", nargs="*", help="of docket serve, behind --")
    asked = parser.parse_args()
    rows = []
    folder, lock = postgres.begin()
    try:
        place = Place(asked.database, folder, asked.options)
        try:
            print("                  bulk     create                        list"
                  "                           MB")
            print("clients  tasks/s       ms      p50      p99      refused"
                  "      p50      p99      refused   most  after  bulks")
            for count in (0, *map(int, asked.clients.split(","))):
                rows.append(measure(place, count, asked.seconds))
                print(line(rows[-1]), flush=True)
        finally:
            place.stop()
    finally:
        postgres.clear(folder)
        lock.close()
    if asked.svg:
        draw(rows[1:], asked.svg, f"docket on {DATABASES[asked.database]}")


if __name__ == "__main__":
    main()
