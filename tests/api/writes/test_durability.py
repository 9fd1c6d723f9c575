"""Answered writes are stored: under load, after a kill, after an orderly end, and on a full disk."""
import asyncio
import contextlib
import random
import resource
import shutil
import signal
import sqlite3
import time

import pytest

import proofs
from harness import SANITIZED, TASKS, ignore_too_large, limit_files, problem, strict_json, task, task_json
from together import until
from wire import ANSWER_S, JSON_LINE, Wire

SECONDS = proofs.size(3)  # of load
KILLS, ENDS = proofs.size(3), proofs.size(4)
CREATORS = READERS = 64


class Closed(Exception):
    """The connection ended before the first byte of an answer."""


class Client:
    """One of many connections. It reports half an answer as a fault of the server."""

    def __init__(self, server):
        self.server, self.reader, self.writer = server, None, None

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(self.server.host,
                                                                 self.server.port)

    async def ask(self, data):
        """Sends a request and returns status, headers and body."""
        try:
            self.writer.write(data)
            await self.writer.drain()
            first = await self.reader.read(1)
        except ConnectionError:
            raise Closed from None
        if not first:
            raise Closed
        head = first + await self.reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value for name, value in
                   (line.split(": ", 1) for line in lines[1:])}
        body = await self.reader.readexactly(int(headers["content-length"]))
        return int(lines[0].split(" ")[1]), headers, body

    async def create(self, title):
        body = task_json(title=title)
        return await self.ask(self.server.request(
            "POST", TASKS, JSON_LINE, body=body))

    async def get(self, task_id):
        return await self.ask(self.server.request("GET", f"{TASKS}/{task_id}"))

    def close(self):
        if self.writer:
            self.writer.close()


class Load:
    """64 clients that create tasks and 64 that read them, each on its own connection."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.created = {}   # id → title, of every 201
        self.ids = []       # the same ids in the order of the answers
        self.fresh = asyncio.Queue()
        self.reads = 0
        self.unanswered = 0  # requests whose connection was closed before the answer
        self.refused = []
        self.ending = False  # the server was told to end: a closed connection is no fault
        self.stopped = False

    def may_refuse(self, status, headers):
        """While the server ends, it may refuse requests with complete answers."""
        return self.ending and status == 503 and "retry-after" in headers

    async def creator(self, client, number):
        turn = 0
        while not self.stopped:
            turn += 1
            title = f"{self.name} {number} {turn}"
            status, headers, body = await client.create(title)
            if self.may_refuse(status, headers):
                self.refused.append(title)
            else:
                assert status == 201, f"expected 201: {status} {body!r}"
                record = strict_json(body)
                assert record["title"] == title
                assert headers["location"] == f"{TASKS}/{record['id']}"
                assert record["id"] not in self.created, f"the id {record['id']} twice"
                self.created[record["id"]] = title
                self.ids.append(record["id"])
                self.fresh.put_nowait(record["id"])
            if headers.get("connection") == "close":
                return

    async def get_one(self, client, task_id):
        status, headers, body = await client.get(task_id)
        if not self.may_refuse(status, headers):
            assert status == 200, f"expected the task {task_id} at once: {status} {body!r}"
            record = strict_json(body)
            assert (record["id"], record["title"]) == (task_id, self.created[task_id])
            self.reads += 1
        return headers.get("connection") != "close"

    async def read(self, client, _):
        """The newest first: each was just answered, on another connection."""
        while not self.stopped:
            if self.fresh.empty() and self.ids:
                task_id = random.choice(self.ids)
            else:
                try:
                    task_id = await asyncio.wait_for(self.fresh.get(), 0.1)
                except asyncio.TimeoutError:
                    continue
            if not await self.get_one(client, task_id):
                return

    async def guard(self, work, client, number):
        try:
            await client.open()
            await work(client, number)
        except (Closed, ConnectionError):
            assert self.ending, "expected an answer, and the connection was closed"
            self.unanswered += 1
        finally:
            client.close()

    def is_enough(self):
        return len(self.created) >= CREATORS and self.reads >= READERS

    async def run(self, seconds, then=None):
        """Runs it for that long, and until it has done something, then `then`, which may end the
        server under the load."""
        jobs = [asyncio.create_task(self.guard(work, Client(self.server), number))
                for count, work in ((CREATORS, self.creator), (READERS, self.read))
                for number in range(count)]
        begun = time.monotonic()
        while True:
            done, _ = await asyncio.wait(jobs, timeout=0.1, return_when=asyncio.FIRST_EXCEPTION)
            early = [job.exception() for job in done if job.exception()]
            took = time.monotonic() - begun
            if early or took > seconds + ANSWER_S or (took >= seconds and self.is_enough()):
                break
        if not early:
            if then:
                self.ending = True
                then()
            else:
                self.stopped = True
            await asyncio.wait(jobs, timeout=ANSWER_S)
        for job in jobs:
            if not job.done():
                job.cancel()
                early.append(AssertionError("a client waits for an answer that does not come"))
            elif job.exception():
                early.append(job.exception())
        if early:
            raise early[0]
        assert self.is_enough(), f"{len(self.created)} creates and {self.reads} reads"


def load(server, name, seconds, then=None):
    async def run():
        load = Load(server, name)
        await load.run(seconds, then)
        return load
    return asyncio.run(run())


def assert_found(server, created):
    """Asserts that GET finds each task, over a few connections."""
    async def walk(items):
        client = Client(server)
        await client.open()
        for task_id, title in items:
            status, _, body = await client.get(task_id)
            assert status == 200, f"expected the task {task_id}, which had its 201: {status}"
            record = strict_json(body)
            assert (record["id"], record["title"]) == (task_id, title)
        client.close()

    async def run():
        items = list(created.items())
        await asyncio.gather(*(walk(items[start::8]) for start in range(8)))
    asyncio.run(run())


def rows(server, sql):
    """The rows of a statement; no server may run."""
    database = sqlite3.connect(server.data / "docket.db")
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def check_database(server, created, at_most=None):
    """Checks the ids and change numbers after the server's end."""
    assert not server.running()
    assert rows(server, "PRAGMA integrity_check") == [("ok",)]
    assert rows(server, "PRAGMA foreign_key_check") == []
    tasks = dict(rows(server, "SELECT id, title FROM task"))
    lost = [task_id for task_id, title in created.items() if tasks.get(task_id) != title]
    assert lost == [], f"{len(lost)} tasks had their 201 and are not stored"
    if at_most is not None:
        assert len(tasks) <= at_most, f"{len(tasks)} tasks, and {at_most} were asked for"

    changes = [change for change, in rows(server, "SELECT change FROM history ORDER BY change")]
    assert changes == list(range(1, len(changes) + 1)), "expected change numbers without a gap"
    assert rows(server, "SELECT last_change FROM account_state") == [(len(changes),)]

    history = rows(server, "SELECT record_id, action FROM history WHERE record = 'task' "
                           "ORDER BY change")
    assert {action for _, action in history} == {"create"}
    ids = [task_id for task_id, _ in history]
    assert ids == sorted(tasks), "expected one history row a task, and rising ids"
    assert rows(server, "SELECT last_task_id FROM account_state") == [(max(ids),)]


@proofs.SOAK
@pytest.mark.slow
def test_64_create_while_64_read(make_server):
    server = make_server()
    done = load(server, "load", SECONDS)
    print(f"{len(done.created)} creates and {done.reads} reads in {SECONDS:g} s")
    assert done.unanswered == 0 and done.refused == []
    assert_found(server, done.created)
    server.stop()
    check_database(server, done.created, at_most=len(done.created))
    server.start()
    assert_found(server, done.created)
    server.stop()


@proofs.KILLS
@pytest.mark.slow
def test_kill_under_load(make_server):
    server = make_server()
    created = {}
    for turn in range(KILLS):
        done = load(server, f"kill {turn}", 1, server.kill)
        assert not created.keys() & done.created.keys(), "expected that no id is used again"
        created.update(done.created)
        server.start()
        assert_found(server, created)
    server.stop()
    # One request of each client may be stored but not answered.
    check_database(server, created, at_most=len(created) + KILLS * CREATORS)


@proofs.KILLS
@pytest.mark.slow
def test_end_under_load(make_server):
    server = make_server()
    created = {}
    for turn in range(ENDS):
        how = signal.SIGINT if turn == ENDS - 1 else signal.SIGTERM
        done = load(server, f"end {turn}", 0.75,
                    lambda how=how: server.process.send_signal(how))
        server.wait()
        created.update(done.created)
        check_database(server, created, at_most=len(created) + (turn + 1) * CREATORS)
        server.start()
        assert_found(server, created)
    server.stop()


@pytest.mark.slow
def test_end_answers_what_was_sent(make_server):
    """The server answers a request that it has read, and then closes the connection."""
    server = make_server()
    body = task_json(title="the last")
    data = server.request("POST", TASKS, JSON_LINE, body=body)
    wires = [Wire(server) for _ in range(20)]
    for wire in wires:
        wire.send(data[:-1])
    time.sleep(0.2)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    for wire in wires:
        wire.send(data[-1:])
    created = {}
    for wire in wires:
        reply = wire.reply()
        assert reply is not None and reply.status == 201, f"expected 201: {reply}"
        assert reply.header("Connection") == "close"
        created[reply.json["id"]] = "the last"
        assert wire.at_end()
        wire.socket.close()
    server.wait()
    check_database(server, created, at_most=len(created))


@pytest.mark.slow
def test_idle_connections_do_not_hold_up_the_end(make_server):
    server = make_server()
    wires = [Wire(server) for _ in range(50)]
    for wire in wires[:25]:
        assert wire.ask("GET", "/nowhere").status == 404
    began = time.monotonic()
    server.stop()
    assert SANITIZED or time.monotonic() - began < 5
    for wire in wires:
        assert wire.at_end()
        wire.socket.close()


def test_clients_that_do_not_wait(make_server):
    """They disconnect while their write is in progress. Each task is then stored whole or not at
    all."""
    server = make_server()
    body = task_json(title="gone")
    data = server.request("POST", TASKS, JSON_LINE, body=body)
    for turn in range(300):
        with Wire(server) as wire:
            wire.send(data * (1 + turn % 3))
            if turn % 2:
                wire.reset()
    last = server.create(title="the end")
    server.stop()
    check_database(server, {last["id"]: "the end"}, at_most=601)


@pytest.mark.slow
def test_client_that_does_not_read(make_server):
    """Its answers wait, but those of other clients do not."""
    server = make_server()
    made = server.create(body="x" * 60000)
    data = server.request("GET", f"{TASKS}/{made['id']}")
    wires = [Wire(server) for _ in range(8)]
    for wire in wires:
        wire.socket.setblocking(False)
        try:
            for _ in range(200):
                wire.socket.send(data)
        except BlockingIOError:
            pass
    began = time.monotonic()
    for _ in range(50):
        assert server.get(made["id"]).json == made
    assert time.monotonic() - began < 20
    for wire in wires:
        wire.socket.close()
    assert server.get(made["id"]).json == made


def test_many_idle_connections(make_server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = make_server()
    wires = []
    try:
        wires = [Wire(server) for _ in range(600)]
        made = server.create()
        assert server.get(made["id"]).json == made
        for wire in wires[::50]:
            assert wire.ask("GET", f"{TASKS}/{made['id']}").json == made
    finally:
        for wire in wires:
            wire.socket.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_an_idle_server_empties_its_wal(make_server, tmp_path):
    """docket.db alone then has the last write."""
    server, alone = make_server(), tmp_path / "alone.db"
    server.create(title="idle")

    def titles():
        shutil.copy(server.data / "docket.db", alone)
        with contextlib.closing(sqlite3.connect(alone)) as database:
            try:
                return database.execute("SELECT title FROM task").fetchall()
            except sqlite3.DatabaseError:  # it was copied while docket wrote it
                return []

    until(titles, lambda found: found == [("idle",)])


@pytest.mark.parametrize("room", [0, 1, 4096, 20000, 150000])
@pytest.mark.slow
def test_full_disk(make_server, room):
    server = make_server(preexec=ignore_too_large)
    created = {}
    large = "x" * 20000

    def create(title):
        reply = server.post(task(title=title, body=large))
        if reply.status == 201:
            created[reply.json["id"]] = title
        return reply

    for number in range(5):
        assert create(f"before {number}").status == 201
    wal = server.data / "docket.db-wal"
    limit_files(server, wal.stat().st_size + room)
    refused = 0
    for number in range(40):
        reply = create(f"without room {number}")
        if reply.status == 201:
            assert refused == 0 or room, "expected no 201 without room"
            continue
        refused += 1
        problem(reply, 503)
        assert int(reply.header("Retry-After")) > 0
        if number % 10 == 0:
            assert_found(server, created)  # reading still works
    assert refused >= 20, "expected 503 on a full disk"

    limit_files(server, resource.RLIM_INFINITY)
    for number in range(5):
        reply = create(f"after {number}")
        assert reply.status == 201, f"expected 201 when there is room again: {reply}"
    assert_found(server, created)
    server.kill()
    server.start()
    assert_found(server, created)
    server.stop()
    check_database(server, created, at_most=len(created))


@pytest.mark.slow
def test_disk_fills_up_under_load(make_server):
    """Many writes are then in progress, and each gets its own answer."""
    server = make_server(preexec=ignore_too_large)
    created, refused = {}, []

    async def client(number):
        connection = Client(server)
        await connection.open()
        for turn in range(20):
            title = f"full {number} {turn}"
            status, headers, body = await connection.create(title)
            if status == 201:
                created[strict_json(body)["id"]] = title
            else:
                assert status == 503 and "retry-after" in headers, (status, body)
                refused.append(title)
        connection.close()

    async def run():
        await asyncio.gather(*(client(number) for number in range(32)))

    limit_files(server, 600000)
    asyncio.run(run())
    assert created and refused, "expected some tasks before the disk was full, and 503 then"
    assert len(created) + len(refused) == 640
    limit_files(server, resource.RLIM_INFINITY)
    created[server.create(title="room again")["id"]] = "room again"
    assert_found(server, created)
    server.kill()
    server.start()
    assert_found(server, created)
    server.stop()
    check_database(server, created, at_most=len(created))
