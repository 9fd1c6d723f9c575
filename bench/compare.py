#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How fast docket is, beside what a user might write instead, and beside the limits of its libraries.

    make bench                                  all of it, over 1,000,000 tasks
    bench/compare.py --tasks 100000 --runs 3 --seconds 5 --only get --only create

The sides do the same work over the same tasks, in turn, in several rounds. wrk sends the requests, which
bench/scenarios/ has. The sides are docket (`serve --quiet`), the peer (bench/peer), and for some work a
limit: bare libmicrohttpd that answers with the same bytes (bench/limit_http.c), or a loop that inserts into
docket's schema, 64 tasks in each transaction (bench/limit_inserts.c). The table has the medians of the
rounds. A ratio is the median of the rounds' ratios. Times are those of docket's answers in ms, as wrk
measured them.

Work that writes begins in each round with a new copy of the data. After the rounds come the time from the
start to the first answer, the same after kill -9 under a load of creates, and bench/postgres.py. --load
measures docket with other numbers of connections. The data is made once, under build/bench-data; remove it
after the schema has changed. All programs share the machine, so the ratios say more than the rates."""
import argparse
import contextlib
import datetime
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import harness
from harness import DATA, PROGRAM, ROOT, TASKS, Server, Service, basic, query

BENCH = ROOT / "bench"
LIMITS = ROOT / "build" / "bench"
CONNECTIONS, READERS = 64, 8
LOADS = (1, 4, 16, 64, 256, 1000)
# What each work is, whether it writes, and the limit beside it.
WORKS = {
    "get": ("GET by id", False, "http"),
    "list_hot": ("list of 100, hot window", False, "http"),
    "list_whole": ("list of 100, whole table", False, "http"),
    "create": ("durable create", True, "inserts"),
    "mix": ("mix", True, None),
    "reads": ("reads beside creates", True, None),
}
# The least ratios, and the longest 99th percentile in ms.
AIMS = {
    "get": {"peer": 4, "limit": 0.6, "p99": 3},
    "list_hot": {"limit": 0.25, "p99": 8},
    "list_whole": {"limit": 0.15, "p99": 12},
    "create": {"peer": 1.7, "limit": 0.7, "p99": 15},
    "mix": {"peer": 6},
    "reads": {"p99": 10},
}
KEPT = ("rate", "p50", "p99", "p999", "max", "memory_mb", "kib_each", "creates_s")
OWN_HEADERS = {"Date", "Connection", "Content-Length"}  # libmicrohttpd adds them
SPAN_TASKS = 7_000_000  # a list of an account with 1,000,000 tasks is of 7 days


class Docket:
    def __init__(self, tasks):
        self.folder = harness.make_folder(f"tasks-{tasks}", tasks)
        self.token = DATA / f"{self.folder.name}.token"

    def serve(self, folder):
        return Server(folder, self.token, "--quiet")


class Peer:
    """Has the same tasks, and accepts docket's token."""

    def __init__(self, docket):
        self.folder, self.token = DATA / f"peer-{docket.folder.name}", docket.token
        if not self.folder.exists():
            self.fill(docket.folder)

    def fill(self, folder):
        unfinished = DATA / "peer.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        with contextlib.closing(sqlite3.connect(f"file:{unfinished}/peer.db", uri=True)) as db:
            db.execute("PRAGMA journal_mode = OFF")
            db.execute("PRAGMA synchronous = OFF")
            db.execute(f"ATTACH 'file:{folder}/docket.db?mode=ro' AS docket")
            db.executescript((BENCH / "peer" / "fill.sql").read_text())
        os.sync()
        unfinished.rename(self.folder)

    def serve(self, folder):
        return Service(["node", BENCH / "peer" / "server.js", folder / "peer.db", self.token],
                       {**os.environ, "NODE_PATH": str(ROOT / "build-peer" / "node_modules"),
                        "NODE_ENV": "production"})


class Load:
    """wrk on a service."""

    def __init__(self, service, work, seconds, seed, values, connections=CONNECTIONS):
        given = [f"{name}={value}" for name, value in {**values, "seed": seed}.items()]
        self.process = subprocess.Popen(
            ["wrk", f"-t{min(2, connections)}", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s",
             "-s", f"{work}.lua", f"http://127.0.0.1:{service.port}", "--", *given],
            cwd=BENCH / "scenarios", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def result(self):
        said, _ = self.process.communicate()
        found = said.splitlines()[-1:]
        if self.process.returncode or not found or not found[0].startswith("{"):
            raise SystemExit(f"wrk: {said}")
        result = json.loads(found[0])
        if result["failed"]:
            raise SystemExit(f"{result['failed']} of {result['requests']} requests failed: {said}")
        return result

    def stop(self):
        self.process.kill()
        self.process.communicate()


class Comparison:
    def __init__(self, options):
        self.options, self.docket = options, Docket(options.tasks)
        self.sides = {"docket": self.docket, "peer": Peer(self.docket)}
        folder = self.docket.folder
        (self.values,) = ({"tasks": tasks, "cases": cases, "staff": staff, "today": today}
                          for tasks, cases, staff, today in query(
                              folder, "SELECT count(*), (SELECT count(*) FROM casefile),"
                              " (SELECT count(*) FROM staff), max(created_at) / 86400 FROM task"))
        ((first,),) = query(folder, "SELECT due_on FROM task ORDER BY due_on LIMIT 1"
                            f" OFFSET {options.tasks // 100}")
        self.values.update(first=first, access=basic(self.docket.token),
                           span=max(7, SPAN_TASKS // options.tasks))
        self.answers = DATA / "answers"

    def load(self, service, work, seconds, seed, **more):
        return Load(service, work, seconds, seed, self.values, **more)

    def measure(self, side, work, seed, connections=CONNECTIONS):
        """One side of one round."""
        options, writes = self.options, WORKS[work][1]
        folder = harness.copy(side.folder, "work") if writes else side.folder
        with side.serve(folder) as service:
            self.load(service, work, options.warm_up, seed + 1000).result()
            before, creates = service.written(), None
            if work == "reads":
                creates = self.load(service, "create", options.seconds + 1, seed)
                connections = READERS
            found = self.load(service, work, options.seconds, seed, connections=connections).result()
            found["memory_mb"] = service.memory_mb()
            if work == "create":
                found["kib_each"] = (service.written() - before) / found["requests"] / 1024
            if creates:
                found["creates_s"] = creates.result()["rate"]
        return found

    def keep_answer(self, work):
        """Keeps docket's answer of median length for bench/limit_http.c."""
        path = {"get": lambda at: f"{TASKS}/{1 + at * (self.options.tasks - 1) // 100}"}.get(
            work, lambda at: f"{TASKS}?sort=due_on&per_page=100&" + self.window(work, at))
        with self.docket.serve(self.docket.folder) as server:
            client, found = http.client.HTTPConnection("127.0.0.1", server.port), []
            for at in range(101):
                client.request("GET", path(at), headers=server.headers)
                answer = client.getresponse()
                found.append((answer.read(), answer.getheaders()))
                assert answer.status == 200, found[-1]
        body, headers = sorted(found, key=lambda one: len(one[0]))[50]
        self.answers.mkdir(exist_ok=True)
        (self.answers / f"{work}.body").write_bytes(body)
        (self.answers / f"{work}.headers").write_text(
            "".join(f"{name}: {value}\n" for name, value in headers if name not in OWN_HEADERS))
        return len(body)

    def window(self, work, at):
        """A range of due dates and a status, as bench/scenarios/common.lua has them."""
        first, today = self.values["first"], self.values["today"]
        status, begin = (("needs_action", today - 1 - at % 30) if work == "list_hot" else
                         ("complete", first + at * (today - first - 1) // 100))
        low, high = (datetime.date(1970, 1, 1) + datetime.timedelta(day)
                     for day in (begin, begin + self.values["span"] - 1))
        return f"status={status}&due_from={low}&due_to={high}"

    def limit_http(self, work, seed):
        command = [LIMITS / "limit_http", len(os.sched_getaffinity(0)), self.answers / f"{work}.headers",
                   self.answers / f"{work}.body"]
        with Service(command) as service:
            self.load(service, work, self.options.warm_up, seed + 1000).result()
            return self.load(service, work, self.options.seconds, seed).result()

    def limit_inserts(self, _work, _seed):
        folder = harness.copy(self.docket.folder, "work")
        numbers = (self.values["cases"], self.values["staff"], self.options.warm_up, self.options.seconds)
        said = subprocess.run([LIMITS / "limit_inserts", folder, *map(str, numbers)],
                              check=True, stdout=subprocess.PIPE, text=True).stdout
        return {"rate": float(said)}

    def rounds(self, works):
        """For each work and side the results of all rounds."""
        found = {work: {} for work in works}
        sizes = {work: self.keep_answer(work) for work in works if WORKS[work][2] == "http"}
        for number in range(self.options.runs):
            for work in works:
                sides = {name: lambda work, seed, side=side: self.measure(side, work, seed)
                         for name, side in self.sides.items()}
                if WORKS[work][2]:
                    sides["limit"] = getattr(self, "limit_" + WORKS[work][2])
                names = list(sides)
                for name in names[number % len(names):] + names[:number % len(names)]:
                    result = sides[name](work, number)
                    found[work].setdefault(name, []).append(result)
                    print(f"round {number + 1}: {work}, {name}: {result['rate']:,.0f}/s", file=sys.stderr)
        return {work: summary(sides, sizes.get(work)) for work, sides in found.items()}

    def under_load(self):
        """docket alone with several numbers of connections."""
        return [{"work": work, "connections": connections,
                 **self.measure(self.docket, work, 0, connections)}
                for work in ("get", "list_hot", "create") for connections in LOADS]

    def first_answer(self, folder):
        """The milliseconds from the start of docket to its first answer."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        request = (f"GET {TASKS}/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                   f"Authorization: Basic {self.values['access']}\r\n\r\n").encode()
        begun = time.perf_counter()
        process = subprocess.Popen([PROGRAM, "serve", "--data", folder, "--quiet", "--listen",
                                    f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
        answer = b""
        while not answer.startswith(b"HTTP/1.1 200 "):
            if process.poll() is not None or time.perf_counter() - begun > harness.START_S:
                raise SystemExit("docket serve does not answer")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(request)
                answer = client.recv(4096)
            time.sleep(0.0005)
        took = (time.perf_counter() - begun) * 1000
        process.send_signal(signal.SIGTERM)
        process.wait()
        return took

    def starts(self):
        clean = [self.first_answer(self.docket.folder) for _ in range(self.options.runs)]
        killed = []
        for number in range(self.options.runs):
            folder = harness.copy(self.docket.folder, "work")
            with self.docket.serve(folder) as server:
                creates = self.load(server, "create", self.options.seconds + 60, number)
                time.sleep(self.options.seconds)
                server.process.kill()
            creates.stop()
            killed.append(self.first_answer(folder))
        return {"start_ms": statistics.median(clean), "start_after_kill_ms": statistics.median(killed),
                "start_after_kill_worst_ms": max(killed)}


def ratio(ours, others):
    """The median of the rounds' ratios; None if the other side has answered nothing in a round."""
    if not all(other["rate"] for other in others):
        return None
    return statistics.median(one["rate"] / other["rate"] for one, other in zip(ours, others))


def summary(sides, size):
    """The medians of each side and the medians of the ratios."""
    found = {side: {name: statistics.median(result[name] for result in results)
                    for name in KEPT if name in results[0]} for side, results in sides.items()}
    found["ratios"] = {side: ratio(sides["docket"], results)
                       for side, results in sides.items() if side != "docket"}
    return {**found, "answer_bytes": size, "rounds": sides}


def postgres(options):
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run([BENCH / "postgres.py", "--rounds", str(options.runs), "--seconds",
                        str(options.seconds), "--json", file.name], check=True, stdout=sys.stderr)
        return json.load(file)


def cell(number, aim=None):
    text = "" if number is None else f"{number:,.0f}" if number >= 100 else f"{number:.2f}"
    return text if aim is None else f"{text} ({aim})"


def table(report):
    """The lines of a table in Markdown; aims are in parentheses."""
    yield ("| work | docket, /s | peer, /s | × the peer | limit, /s | of the limit | p50, ms | p99 | p99.9 "
           "| the peer's p99 |")
    yield "|" + " --- |" * 10
    for work, row in report["work"].items():
        docket, peer, limit, aims = row["docket"], row["peer"], row.get("limit", {}), AIMS[work]
        cells = [WORKS[work][0], cell(docket["rate"]), cell(peer["rate"]),
                 cell(row["ratios"]["peer"], aims.get("peer")), cell(limit.get("rate")),
                 cell(row["ratios"].get("limit"), aims.get("limit")), cell(docket["p50"]),
                 cell(docket["p99"], aims.get("p99")), cell(docket["p999"]), cell(peer["p99"])]
        yield "| " + " | ".join(cells) + " |"
    for work, row in report["postgres"].items():
        yield (f"| PostgreSQL: {work} | {cell(row['docket'])} | | | {cell(row['pgbench'])} "
               f"| {cell(row['ratio'], row['aim'])} | | | | |")


def notes(report):
    """What the table has no column for."""
    for work, row in report["work"].items():
        docket = row["docket"]
        yield (f"{WORKS[work][0]}: {docket['memory_mb']:.0f} MB (RssAnon)"
               + (f", {docket['kib_each']:.0f} KiB written for each" if "kib_each" in docket else "")
               + (f", {docket['creates_s']:,.0f} creates/s meanwhile" if "creates_s" in docket else "")
               + (f", an answer has {row['answer_bytes']:,} bytes" if row["answer_bytes"] else ""))
    if "start_ms" in report:
        yield (f"first answer {report['start_ms']:.0f} ms after the start; after kill -9 under creates "
               f"{report['start_after_kill_ms']:.0f} ms, "
               f"the worst {report['start_after_kill_worst_ms']:.0f} ms")
    for row in report.get("load", []):
        yield (f"{row['work']}, {row['connections']} connections: {row['rate']:,.0f}/s, "
               f"p50 {row['p50']:.2f}, p99 {row['p99']:.2f}, p99.9 {row['p999']:.2f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--tasks", type=int, default=1000000, help="how many the account has")
    parser.add_argument("--runs", type=int, default=5, help="rounds")
    parser.add_argument("--seconds", type=int, default=10, help="of one side of a round")
    parser.add_argument("--warm-up", type=int, default=2, help="seconds before each, which do not count")
    parser.add_argument("--only", choices=[*WORKS, "starts", "postgres"], action="append",
                        help="this part alone; may come several times")
    parser.add_argument("--load", action="store_true", help="also docket with other numbers of connections")
    parser.add_argument("--json", type=pathlib.Path, default=DATA / "bench.json", help="for the numbers")
    options = parser.parse_args()
    wanted = options.only or [*WORKS, "starts", "postgres"]

    comparison = Comparison(options)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, check=False,
                            stdout=subprocess.PIPE, text=True).stdout.strip()
    report = {"date": datetime.date.today().isoformat(), "machine": harness.machine(), "commit": commit,
              "tasks": options.tasks, "runs": options.runs, "seconds": options.seconds,
              "connections": CONNECTIONS}
    report["work"] = comparison.rounds([work for work in WORKS if work in wanted])
    if "starts" in wanted:
        report.update(comparison.starts())
    if options.load:
        report["load"] = comparison.under_load()
    report["postgres"] = postgres(options) if "postgres" in wanted else {}
    shutil.rmtree(DATA / "work", ignore_errors=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n")
    print(f"{options.tasks:,} tasks, {options.runs} rounds of {options.seconds} s, {CONNECTIONS} connections;"
          f" {report['date']}, commit {commit}\n{report['machine']}\n")
    print(*table(report), "", *notes(report), sep="\n")


if __name__ == "__main__":
    main()
