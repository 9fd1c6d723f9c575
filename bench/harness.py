# SPDX-License-Identifier: MIT
"""Shared by the benchmarks: folders of sample data, programs that serve them, clients that measure."""
import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "docket"
DATA = ROOT / "build" / "bench-data"
TASKS = "/api/v1/tasks"
START_S = 30
ANSWER_S = 60
BUDGET_MS = 2000  # for a read; then docket answers 503


def docket(*arguments):
    subprocess.run([PROGRAM, *map(str, arguments)], check=True, stderr=subprocess.DEVNULL)


def make_folder(name, tasks):
    """A data folder with that many sample tasks; an existing folder is used again. The file of its token is
    beside it."""
    folder = DATA / name
    if folder.exists():
        return folder
    unfinished, token = DATA / f"{name}.new", DATA / f"{name}.token"
    shutil.rmtree(unfinished, ignore_errors=True)
    token.unlink(missing_ok=True)
    DATA.mkdir(parents=True, exist_ok=True)
    docket("init", "--data", unfinished, "--token-file", token)
    docket("demo", "--data", unfinished, "--tasks", tasks)
    unfinished.rename(folder)
    return folder


def copy(folder, name):
    """A copy of a folder under another name, on stable storage, so that later writes do not wait for it."""
    to = DATA / name
    shutil.rmtree(to, ignore_errors=True)
    subprocess.run(["cp", "--archive", "--reflink=auto", folder, to], check=True)
    os.sync()
    return to


def query(folder, sql):
    """The rows of a statement, from a folder that nothing serves."""
    with contextlib.closing(sqlite3.connect(f"file:{folder}/docket.db?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


class Service:
    """A program that serves at a free port of the loopback, and names it on standard error."""

    def __init__(self, command, env=None):
        self.log = DATA / "serve.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(list(map(str, command)), stderr=log, env=env)
        deadline = time.monotonic() + START_S
        while not (ready := re.search(r"^listening on http://\S+:(\d+)$", self.log.read_text(),
                                      re.MULTILINE)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise SystemExit(f"{command[0]} does not listen: {self.log.read_text()}")
            time.sleep(0.02)
        self.port = int(ready[1])

    def look(self, file, name):
        """A number that the system counts for the process."""
        text = pathlib.Path(f"/proc/{self.process.pid}/{file}").read_text()
        return int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)[1])

    def written(self):
        """How many bytes the server has written so far."""
        return self.look("io", "write_bytes")

    def memory_mb(self):
        """Its anonymous memory: without the files that it has mapped."""
        return self.look("status", "RssAnon") / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def basic(token):
    """What the header Authorization has after "Basic", from the file of a token."""
    return base64.b64encode(f"admin/token:{token.read_text().strip()}".encode()).decode()


class Server(Service):
    """`docket serve` on a folder."""

    def __init__(self, folder, token, *options):
        super().__init__([PROGRAM, "serve", "--data", folder, "--listen", "127.0.0.1:0", *options])
        self.headers = {"Authorization": "Basic " + basic(token)}


class Answer:
    """The answer to one request, and how long it took."""

    def __init__(self, status, link, body, ms):
        self.status, self.link, self.body, self.ms = status, link, body, ms

    @property
    def next(self):
        """The parameters of the next page, by cursor."""
        found = re.search(r'<[^>]*\?([^>]*)>; rel="?next', self.link or "")
        return found and found[1]


class Client:
    """One keep-alive connection."""

    def __init__(self, server):
        self.headers = server.headers
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_S)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, parameters):
        begun = time.perf_counter()
        self.connection.request("GET", f"{TASKS}?{parameters}", headers=self.headers)
        reply = self.connection.getresponse()
        body = reply.read()
        ms = (time.perf_counter() - begun) * 1000
        return Answer(reply.status, reply.getheader("Link"), body, ms)


class Measure:
    """Several runs of one request."""

    def __init__(self, client, parameters, runs):
        times, self.parameters, self.status, self.over = [], parameters, 200, 0
        while len(times) < runs and sum(times) < 3000:
            answer = client.get(parameters)
            times.append(answer.ms)
            self.over += answer.status != 200 or answer.ms > BUDGET_MS
            if answer.status != 200:
                self.status = answer.status
        self.median, self.worst = statistics.median(times), max(times)
        self.records = self.total = 0
        if self.status == 200:
            value = json.loads(answer.body)
            self.records = len(value)
            self.total = value["record_count"] if isinstance(value, dict) else None

    def __str__(self):
        if self.status != 200:
            return f"{'status ' + str(self.status):>9} {self.worst:7.1f}"
        return f"{self.median:9.2f} {self.worst:7.1f}"


def machine():
    """One line: the processor, its cores, the memory and the load."""
    models = re.findall(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(),
                        re.MULTILINE)
    memory = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return (f"{models[0] if models else os.uname().machine}, {os.cpu_count()} cores, "
            f"{memory / 2**20:.0f} GiB of memory; load average {load}")
