#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures how fast alerts go out that are due at once, beside a plain libcurl loop to the same mail server:
bench/mail.py [ALERTS]. Then, with 2,000 alerts that are due within a minute, how late they are, and how long reads
and creates take meanwhile and before. The mail server is a part of this program that throws all mail away."""
import asyncio
import base64
import contextlib
import datetime
import http.client
import json
import multiprocessing
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from harness import PROGRAM, ROOT, docket

FROM = "docket@example.com"
SPREAD_S = 60
SPREAD = 2000
CLIENTS = 2
AHEAD_S = 20  # how far ahead the alerts are when they are made, at the least
BULK = 500


class Sink(asyncio.Protocol):
    """A mail server that does the least: it counts messages and their ids."""

    def __init__(self, seen):
        self.seen, self.data, self.message = seen, b"", None

    def connection_made(self, transport):
        self.transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data):
        self.data += data
        if self.message:
            end = self.data.find(b"\r\n.\r\n")
            if end < 0:
                return
            self.seen(self.data[:end])
            self.data, self.message = self.data[end + 5:], False
            self.transport.write(b"250 2.0.0 queued\r\n")
        while not self.message and b"\r\n" in self.data:
            line, _, self.data = self.data.partition(b"\r\n")
            self.message = line == b"DATA"
            self.transport.write(b"354 go on\r\n" if self.message else b"250 Ok\r\n")


def sink(pipe):
    """Runs the mail server. For each word that comes it tells what it has seen since the last one."""
    begin, last, ids, titles = None, None, [], []

    def seen(message):
        nonlocal begin, last
        last = time.time()
        begin = begin or last
        ids.append(re.search(rb"^Message-ID: (\S+)", message, re.MULTILINE)[1])
        titles.append((re.search(rb"number[ _](\d+)", message), last))

    def tell():
        nonlocal begin, last
        if pipe.recv() == "times":
            pipe.send([(int(title[1]), at) for title, at in titles])
            return
        pipe.send((len(ids), len(set(ids)), begin, last))
        if ids and len(ids) >= wanted:
            begin, last = None, None
            ids.clear()

    async def run():
        nonlocal wanted
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Sink(seen), "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        wanted = pipe.recv()
        loop.add_reader(pipe.fileno(), tell)
        await server.serve_forever()

    wanted = 0
    asyncio.run(run())


class Mail:
    def __init__(self, count):
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=sink, args=(theirs,), daemon=True)
        self.process.start()
        self.port, self.count = self.pipe.recv(), count
        self.pipe.send(count)

    def wait(self):
        """Waits for all messages. Returns how many there are, how many ids they have, and the times of the first
        and the last."""
        while True:
            time.sleep(0.2)
            self.pipe.send(None)
            count, different, begin, last = self.pipe.recv()
            if count >= self.count:
                return count, different, begin, last


    def times(self):
        """The number and the time of each message."""
        self.pipe.send("times")
        return self.pipe.recv()


def stamp(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def make_alerts(port, token, count, spread=1):
    """Creates tasks with one alert each, due within `spread` seconds; returns the first second."""
    at = int(time.time()) + AHEAD_S + count // 500
    headers = {"Authorization": "Basic " + base64.b64encode(f"admin/token:{token}".encode()).decode(),
               "Content-Type": "application/json"}
    client = http.client.HTTPConnection("127.0.0.1", port)
    for begin in range(0, count, BULK):
        operations = [{"create": {"casefile_id": 245, "calendar_id": 1, "due_on": "2027-03-01",
                                  "title": f"Serve the papers, number {number}",
                                  "alert_at": stamp(at + number * spread // count),
                                  "users_list": [2]}}
                      for number in range(begin, min(begin + BULK, count))]
        client.request("POST", "/api/v1/tasks/bulk", json.dumps({"operations": operations}), headers)
        answer = client.getresponse()
        said = answer.read()
        assert answer.status == 200, said
    assert time.time() < at, "the alerts were due before all tasks were made"
    return at


def processor_s(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(mail, folder):
    """docket on a new data folder: its process, its port and a token."""
    folder.mkdir()
    token = folder / "token"
    docket("init", "--data", folder / "data", "--token-file", token)
    docket("demo", "--data", folder / "data", "--tasks", 0)
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([PROGRAM, "serve", "--data", folder / "data", "--listen", "127.0.0.1:0",
                                    "--quiet", "--smtp-url", f"smtp://127.0.0.1:{mail.port}", "--mail-from",
                                    FROM], stderr=log)
    while not (ready := re.search(r"listening on http://\S+:(\d+)", (folder / "log").read_text())):
        time.sleep(0.05)
    try:
        yield process, int(ready[1]), token.read_text().strip()
    finally:
        process.terminate()
        process.wait()


def measure_docket(mail, folder):
    with serving(mail, folder / "fast") as (process, port, token):
        due = make_alerts(port, token, mail.count)
        while time.time() < due - 0.5:
            time.sleep(0.1)
        used = processor_s(process)
        count, different, begin, last = mail.wait()
        used = processor_s(process) - used
        print(f"docket: {count} messages, {different} different, the first {begin - due:.2f} s and the last "
              f"{last - due:.2f} s after they were due: {count / (last - begin):.0f} a second, "
              f"{1000 * used / count:.2f} ms of processor time each")
        return count / (last - begin)


def use(port, token, until, times):
    """Reads and creates tasks in turn; adds the milliseconds of each."""
    headers = {"Authorization": "Basic " + base64.b64encode(f"admin/token:{token}".encode()).decode(),
               "Content-Type": "application/json"}
    client = http.client.HTTPConnection("127.0.0.1", port)
    body = json.dumps({"task": {"casefile_id": 245, "calendar_id": 1, "due_on": "2027-03-01", "title": "A task"}})
    while time.time() < until:
        for kind, request in ("read", ("GET", "/api/v1/tasks/1")), ("create", ("POST", "/api/v1/tasks", body)):
            begin = time.monotonic()
            client.request(*request, headers=headers)
            client.getresponse().read()
            times[kind].append(1000 * (time.monotonic() - begin))
            time.sleep(0.003)


def used(port, token, until):
    times = {"read": [], "create": []}
    threads = [threading.Thread(target=use, args=(port, token, until, times)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {kind: statistics.quantiles(values, n=100)[98] for kind, values in times.items()}


def measure_spread(mail, folder):
    with serving(mail, folder / "spread") as (_, port, token):
        due = make_alerts(port, token, mail.count, SPREAD_S)
        before = used(port, token, due - 1)
        meanwhile = used(port, token, due + SPREAD_S)
        count, different, begin, last = mail.wait()
        late = [at - due - number * SPREAD_S // mail.count for number, at in mail.times()]
        print(f"{count} alerts within {SPREAD_S} s: {different} different messages, none before its time: "
              f"{min(late) >= 0}, the latest after {max(late):.2f} s")
        for kind in before:
            print(f"p99 of a {kind}: {before[kind]:.2f} ms before, {meanwhile[kind]:.2f} ms meanwhile: "
                  f"{meanwhile[kind] / before[kind]:.2f}")


MESSAGE = (b"Date: Thu, 29 Feb 2024 00:00:05 +0000\r\nFrom: docket@example.com\r\nTo: second@example.com\r\n"
           b"Subject: Serve the papers\r\nMessage-ID: <x@example.com>\r\n\r\n" + b"A line of text.\r\n" * 180)


def measure_loop(mail, folder):
    flags = subprocess.check_output(["pkg-config", "--cflags", "--libs", "libcurl"], text=True).split()
    subprocess.run(["cc", "-O2", "-o", folder / "loop", ROOT / "bench" / "mail_loop.c", *flags], check=True)
    subprocess.run([folder / "loop", f"smtp://127.0.0.1:{mail.port}", str(mail.count)], input=MESSAGE,
                   check=True)
    count, _, begin, last = mail.wait()
    print(f"a libcurl loop: {count / (last - begin):.0f} a second")
    return count / (last - begin)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    folder = pathlib.Path(tempfile.mkdtemp(prefix="docket-bench-", dir=ROOT / "build"))
    try:
        mail = Mail(count)
        plain = measure_loop(mail, folder)
        alerts = measure_docket(mail, folder)
        print(f"docket's rate is {alerts / plain:.2f} of the loop's")
        measure_spread(Mail(SPREAD), folder)
    finally:
        shutil.rmtree(folder)


main()
