"""What can happen to a database while docket serves it: never a false 201, never a duplicate; 503
with Retry-After as long as nothing can be done, and service again soon after. Load runs for
$DOCKET_TEST_SECONDS."""
import asyncio
import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import random
import string
import subprocess
import threading
import time

import pytest

import crowd
import harness
import places
import postgres
from commands import fails
from crowd import ACCOUNTS, DOMAIN, SECONDS, Client, Closed
from cutting import ANSWER, BEFORE, DURING, SILENT, WAYS, Proxy
from harness import TASKS, basic, problem, succeed, task
from places import where

AGAIN_S = 2     # from when the database is there until docket serves
REFUSE_S = 10   # until a request is answered that cannot be served
END_S = 10
TITLES = (f"task {number}" for number in itertools.count())


@pytest.fixture(scope="module")
def cluster():
    """One that these tests may stop, with a database of one account and one of several."""
    cluster = postgres.private()
    cluster.token = harness.make_data(cluster.create("base"))
    cluster.tokens = crowd.accounts_of(crowd.make_accounts(cluster.create("several")))
    yield cluster
    cluster.remove()


@pytest.fixture
def place(cluster):
    place = cluster.create(postgres.new_name("test"), "base")
    yield place
    place.drop()


@pytest.fixture
def make(tmp_path):
    """Starts servers on a URL; they are ended whatever state the database is in."""
    made = []

    def start(data, token, *options):
        made.append(harness.Server(data, token, tmp_path / f"stderr-{len(made)}", options))
        return made[-1]

    yield start
    for server in made:
        if server.running():
            server.stop()
        server.check_stderr()


def served_by_url(make, url, token, *options):
    return make(None, token, "--database", url, *options)


def count(place, title):
    (found,), = place.run("SELECT count(*) FROM task WHERE title = %s", (title,))
    return found


def refused(reply):
    """503 that says when to come again."""
    problem(reply, 503)
    assert int(reply.header("Retry-After")) > 0, reply


def create(server, title=None):
    title = title or next(TITLES)
    return title, server.post(task(title=title))


def timed(what, *arguments):
    began = time.monotonic()
    result = what(*arguments)
    return result, time.monotonic() - began


def until_served(server, path=TASKS):
    """How long it takes until a read and a write are answered again."""
    began = time.monotonic()
    while True:
        if (server.call("GET", path).status == 200 and create(server)[1].status == 201):
            return time.monotonic() - began
        assert time.monotonic() - began < harness.ANSWER_S, "docket does not serve again"
        time.sleep(0.02)


# The server is gone

@pytest.mark.parametrize("mode", ["fast", "immediate", "kill"])
def test_stopped_and_started(cluster, place, make, mode):
    server = make(place, cluster.token)
    kept, reply = create(server)
    assert reply.status == 201
    if mode == "kill":
        cluster.kill()
    else:
        cluster.stop(mode)
    try:
        for ask in (lambda: create(server)[1], lambda: server.call("GET", TASKS),
                    lambda: server.get(1), lambda: server.call("GET", TASKS + "?mode=count")):
            reply, took = timed(ask)
            refused(reply)
            assert took < REFUSE_S
    finally:
        cluster.start()
    took = until_served(server)
    print(f"served {took:.2f} s after the database was there")
    assert took < AGAIN_S
    assert count(place, kept) == 1
    succeed("check", *where(place))


def test_sessions_that_are_ended(cluster, place, make):
    """As an idle connection by a firewall or an operator: nobody need notice."""
    server = make(place, cluster.token)
    for _ in range(5):
        place.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                  " WHERE datname = %s AND pid <> pg_backend_pid()", (place.name,))
        title, reply = create(server)
        assert reply.status == 201, reply
        assert server.get(reply.json["id"]).body == reply.body
        assert count(place, title) == 1


class Load:
    """Writers in one account that go on whatever they are told."""

    def __init__(self, server, account=None, token=None):
        self.server, self.who = server, (account, token)
        self.account = account or "main"
        self.acknowledged, self.unknown = set(), set()
        self.longest = 0
        self.stopped = False

    async def write(self, number):
        client = Client(self.server, *self.who)
        await client.open()
        for turn in itertools.count():
            if self.stopped:
                break
            mine = self.account, f"{self.account} {number} {turn}"
            began = time.monotonic()
            status, headers, body = await client.create(mine[1])
            self.longest = max(self.longest, time.monotonic() - began)
            assert status in (201, 503), (status, body)
            if status == 201:
                self.acknowledged.add(mine)
            else:
                assert int(headers["retry-after"]) > 0
                self.unknown.add(mine)
                await asyncio.sleep(0.02)
            if headers.get("connection") == "close":
                client.close()
                await client.open()
        client.close()


def run_loads(loads, seconds, then=None, writers=16):
    """`then` runs on a thread beside them, after a while."""
    async def run():
        jobs = [asyncio.create_task(load.write(number))
                for load in loads for number in range(writers)]
        await asyncio.wait(jobs, timeout=seconds / 2, return_when=asyncio.FIRST_EXCEPTION)
        if then:
            await asyncio.to_thread(then)
        await asyncio.wait(jobs, timeout=seconds / 2, return_when=asyncio.FIRST_EXCEPTION)
        for load in loads:
            load.stopped = True
        await asyncio.wait_for(asyncio.gather(*jobs), harness.ANSWER_S)
    asyncio.run(run())


@pytest.mark.parametrize("mode", ["fast", "immediate", "kill"])
def test_restarted_under_load(cluster, place, make, mode):
    server = make(place, cluster.token)
    load = Load(server)

    def restart():
        for _ in range(2):
            if mode == "kill":
                cluster.kill()
            else:
                cluster.stop(mode)
            cluster.start()
            time.sleep(0.5)

    run_loads([load], SECONDS, restart)
    print(f"{len(load.acknowledged)} acknowledged, {len(load.unknown)} refused")
    assert load.unknown, "expected that it was noticed"
    assert until_served(server) < AGAIN_S
    known = {(account, title) for account, title in crowd.stored(place)
             if title.startswith("task ")}
    crowd.check_written(place, load.acknowledged | known, load.unknown)


# A connection that breaks at a commit

@pytest.mark.parametrize("way", WAYS)
def test_lost_during_commit(cluster, place, make, way):
    """What was committed is told so, although the answer to the commit was lost."""
    outcomes = []
    with Proxy(cluster.port) as proxy:
        server = served_by_url(make, f"postgresql://docket@127.0.0.1:{proxy.port}/{place.name}",
                               cluster.token, "--statement-timeout", 500)
        for _ in range(3 if way == SILENT else 10):
            proxy.plan = way
            (title, reply), took = timed(create, server)
            assert proxy.plan is None, "expected that a commit was cut"
            assert reply.status in (201, 503), reply
            if reply.status == 503:
                refused(reply)
            assert took < REFUSE_S + 5
            outcomes.append((reply.status, count(place, title)))
            title, reply = create(server)
            assert (reply.status, count(place, title)) == (201, 1), reply
        server.stop()
    print(way, outcomes)
    assert set(outcomes) <= {(201, 1), (503, 0), (503, 1)}, outcomes
    if way in (ANSWER, SILENT):
        assert set(outcomes) == {(201, 1)}, "it was committed, and that could be found out"
    if way in (BEFORE, DURING):
        assert (503, 1) not in outcomes
    succeed("check", *where(place))


def test_lost_under_load(cluster, place, make):
    """Cuts of every kind while many write; who is refused sends the same again with its key."""
    with Proxy(cluster.port) as proxy:
        server = served_by_url(make, f"postgresql://docket@127.0.0.1:{proxy.port}/{place.name}",
                               cluster.token, "--statement-timeout", 1000)
        ending = threading.Event()

        def cut():
            rng = random.Random(1)
            while not ending.wait(0.15):
                if rng.random() < 0.2:
                    proxy.cut_all()
                else:
                    proxy.plan = rng.choice([way for way in WAYS if way != SILENT])

        async def write(number, made):
            client = Client(server)
            await client.open()
            for turn in itertools.count():
                if ending.is_set():
                    break
                title = f"{number} {turn}"
                while True:
                    status, _, body = await client.create(title, f"Idempotency-Key: {title}")
                    assert status in (201, 409, 503), (status, body)
                    if status == 201:
                        made.append(("main", title))
                        break
                    await asyncio.sleep(0.05)
            client.close()

        async def run():
            made = []
            jobs = [asyncio.create_task(write(number, made)) for number in range(16)]
            await asyncio.wait(jobs, timeout=SECONDS, return_when=asyncio.FIRST_EXCEPTION)
            ending.set()
            await asyncio.wait_for(asyncio.gather(*jobs), harness.ANSWER_S)
            return made

        cutter = threading.Thread(target=cut)
        cutter.start()
        try:
            made = asyncio.run(run())
        finally:
            ending.set()
            cutter.join()
        proxy.plan = None
        print(f"{len(made)} tasks, {proxy.cuts} commits cut")
        assert made and proxy.cuts >= 3
        server.stop()
    crowd.check_written(place, made)


def test_a_network_that_says_nothing_any_more(cluster, place, make):
    """Requests are refused in time, and docket can be ended."""
    with Proxy(cluster.port) as proxy:
        server = served_by_url(make, f"postgresql://docket@127.0.0.1:{proxy.port}/{place.name}",
                               cluster.token, "--statement-timeout", 500)
        create(server)
        proxy.frozen = proxy.refusing = True
        with concurrent.futures.ThreadPoolExecutor(3) as clients:
            asked = [clients.submit(timed, what, server) for what in
                     (create, lambda server: server.call("GET", TASKS),
                      lambda server: server.get(1))]
            replies = [one.result() for one in asked]
        for reply, took in replies:
            refused(reply[1] if isinstance(reply, tuple) else reply)
            assert took < REFUSE_S + 5
        proxy.refusing = proxy.frozen = False
        assert until_served(server) < AGAIN_S
        proxy.frozen = True
        _, took = timed(server.stop)
        assert took < END_S


# It can be ended while the database is away

@pytest.mark.parametrize("busy", [False, True])
def test_ended_while_the_database_is_away(cluster, place, make, busy):
    server = make(place, cluster.token)
    create(server)
    cluster.kill()
    try:
        with contextlib.ExitStack() as stack:
            for _ in range(20 if busy else 0):
                wire = stack.enter_context(harness.Wire(server))
                wire.send(server.request("POST", TASKS, "Content-Type: application/json",
                                         body=b'{"task":{}}'))
            _, took = timed(server.stop)
        assert took < END_S
        said = fails("serve", *where(place), "--listen", "127.0.0.1:0")
        assert str(cluster.port) in said
    finally:
        cluster.start()


# Somebody else's doings

@pytest.fixture
def several(cluster):
    place = cluster.create(postgres.new_name("test"), "several")
    yield place
    place.drop()


def ask(server, account, token, method="GET", path=TASKS, value=None):
    body = None if value is None else json.dumps(value).encode()
    return server.call(method, path, body, {"Host": f"{account}.{DOMAIN}", **harness.JSON},
                       access=basic("admin/token", token))


@contextlib.contextmanager
def held(place, sql):
    """A transaction of somebody else's that goes on."""
    with contextlib.closing(place.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = False
        cursor.execute(sql)
        yield


def test_an_account_that_is_locked(cluster, several, make):
    server = make(several, None, "--base-domain", DOMAIN)
    tokens = cluster.tokens
    with held(several, "SELECT * FROM account WHERE name = 'hot' FOR UPDATE"):
        reply, took = timed(ask, server, "hot", tokens["hot"], "POST", TASKS, task())
        refused(reply)
        assert took < REFUSE_S
        loads = [Load(server, name, tokens[name]) for name in ACCOUNTS]
        reading = threading.Event()

        def read():
            """Of the locked account and of another."""
            times = []
            for name in ("hot", "a") * 20:
                reply, took = timed(ask, server, name, tokens[name])
                assert reply.status == 200, reply
                times.append(took)
            assert max(times) < 1, f"reads waited: {max(times)}"
            reading.set()

        run_loads(loads, SECONDS, read, writers=2)
        assert reading.is_set()
    assert loads[0].acknowledged == set() and loads[0].unknown
    for load in loads[1:]:
        print(f"{load.account}: {len(load.acknowledged)} tasks, the slowest in {load.longest:.2f} s")
        assert load.unknown == set() and load.acknowledged
        assert load.longest < 5
    assert ask(server, "hot", tokens["hot"], "POST", TASKS, task()).status == 201
    known = {(account, title) for account, title in crowd.stored(several) if account == "hot"}
    assert len(known) == 1, "what was refused was not stored"
    crowd.check_written(several, known.union(*(load.acknowledged for load in loads)))


def test_a_lock_that_is_given_up_in_time(cluster, several, make):
    """A write waits a moment for it."""
    server = make(several, None, "--base-domain", DOMAIN)
    with concurrent.futures.ThreadPoolExecutor(1) as clients:
        with held(several, "SELECT * FROM account WHERE name = 'hot' FOR UPDATE"):
            asked = clients.submit(ask, server, "hot", cluster.tokens["hot"], "POST", TASKS, task())
            time.sleep(0.2)
            assert not asked.done()
        assert asked.result().status == 201


def test_a_read_that_takes_too_long(cluster, place, make):
    server = make(place, cluster.token, "--statement-timeout", 300)
    made = create(server)[1].json["id"]
    with held(place, "LOCK TABLE task IN ACCESS EXCLUSIVE MODE"):
        for what in (lambda: server.get(made), lambda: server.call("GET", TASKS),
                     lambda: server.call("GET", TASKS + "?mode=count")):
            reply, took = timed(what)
            refused(reply)
            assert took < 3
        # What needs no task is served.
        assert server.call("GET", "/api/v1/me").status == 200
        refused(create(server)[1])
    assert server.get(made).status == 200
    assert create(server)[1].status == 201
    succeed("check", *where(place))


def test_out_of_connections(place, cluster, make):
    """Somebody else has taken all there are; docket gets on with those that it has, and without."""
    server = make(place, cluster.token)
    assert create(server)[1].status == 201
    with contextlib.ExitStack() as stack:
        def take_all():
            with contextlib.suppress(postgres.psycopg2.OperationalError):
                while True:
                    stack.enter_context(contextlib.closing(
                        cluster.connect(place.name, user=postgres.OWNER)))
        take_all()
        assert create(server)[1].status == 201
        with contextlib.closing(cluster.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                           " WHERE datname = %s AND application_name = 'docket'", (place.name,))
        take_all()
        for what in (lambda: create(server)[1], lambda: server.call("GET", TASKS)):
            reply, took = timed(what)
            refused(reply)
            assert took < REFUSE_S
        assert "connection" in fails("serve", *where(place), "--listen", "127.0.0.1:0")
    assert until_served(server) < AGAIN_S


# The disk is full

def can_mount():
    """Whether this process may mount a file system of its own."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        folder = pathlib.Path(postgres.run_folder()) / postgres.new_name("probe")
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "docket-tests", folder],
                              check=False, capture_output=True)
        subprocess.run(["umount", folder], check=False, capture_output=True)
        return done.returncode == 0
    return False


@pytest.fixture
def small_disk():
    """Makes a folder on a small disk, which is filled and has room again."""
    if not can_mount():
        pytest.skip("NOT TESTED: a full disk. That needs a user who may mount a tmpfs (root)")
    mounted = []

    def mount(size):
        folder = postgres.run_folder() / postgres.new_name("disk")
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=0777", "docket-tests",
                        folder], check=True)
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder, leave):
    """All but so many bytes."""
    ballast = folder / "ballast"
    free = os.statvfs(folder)
    with open(ballast, "wb") as file:
        file.write(bytes(max(free.f_bavail * free.f_frsize - leave, 0)))
    return ballast


def large():
    """That takes its size on the disk as well."""
    return "".join(random.choices(string.ascii_letters + string.digits, k=60000))


def create_until_full(server, place, most=200):
    made = {}
    for _ in range(most):
        title = next(TITLES)
        reply = server.post(task(title=title, body=large()))
        if reply.status != 201:
            refused(reply)
            return made, title
        made[title] = reply.json["id"]
    raise AssertionError("expected that the disk would be full")


def test_a_full_disk_below_the_tables(cluster, make, small_disk):
    """Nothing is written, all can be read."""
    folder = small_disk(80)
    cluster.run(f"CREATE TABLESPACE small LOCATION '{make_owned(folder / 'space')}'")
    place = cluster.create(postgres.new_name("test"), "base")
    place.run("SELECT 1")
    cluster.run(f'ALTER DATABASE "{place.name}" SET TABLESPACE small')
    server = make(place, cluster.token)
    ballast = fill(folder, 1_000_000)
    made, title = create_until_full(server, place)
    for _ in range(5):
        assert count(place, title) == 0
        title, reply = next(TITLES), None
        reply = server.post(task(title=title, body=large()))
        refused(reply)
        for number in list(made.values())[-3:]:
            assert server.get(number).status == 200
    ballast.unlink()
    reply = server.post(task(title=title, body=large()))
    assert reply.status == 201, reply
    assert count(place, title) == 1
    assert all(count(place, title) == 1 for title in made)
    succeed("check", *where(place))
    server.stop()
    place.drop()
    cluster.run("DROP TABLESPACE small")


def make_owned(folder):
    """A folder of the database's user."""
    folder.mkdir()
    user = postgres.unprivileged()
    if user:
        os.chown(folder, postgres.user_id(), user["group"])
    return folder


def test_a_full_disk_below_everything(make, small_disk):
    """Where no WAL can be written PostgreSQL itself ends; when there is room it is started again."""
    folder = small_disk(400)
    cluster = postgres.Cluster(folder / "cluster").make(min_wal_size="32MB", max_wal_size="64MB")
    place = cluster.create("full")
    server = make(place, harness.make_data(place))
    ballast = fill(folder, 3_000_000)
    made, title = create_until_full(server, place, 2000)
    for _ in range(3):
        reply = server.post(task(title=title, body=large()))
        refused(reply)
    ballast.unlink()
    if cluster.pid() is None:
        cluster.start()
    assert until_served(server) < AGAIN_S + 3  # it may be at work on its own recovery
    assert all(count(place, title) == 1 for title in made)
    assert count(place, title) <= 1
    succeed("check", *where(place))
    server.stop()
    cluster.kill()


# A standby that a commit waits for

@pytest.fixture
def guarded(tmp_path):
    """A cluster whose commits wait for a standby, with a database, its token, and the standby."""
    primary = postgres.private()
    place = primary.create("docket")
    token = harness.make_data(place)
    standby = primary.copy_to(postgres.run_folder() / postgres.new_name("standby"))
    standby.start()
    primary.set(synchronous_standby_names="*")
    primary.reload()
    yield place, token, standby
    standby.remove()
    primary.remove()


def waiting(place):
    return [pid for pid, in place.run(
        "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'")]


def test_a_wait_for_a_standby_that_is_cancelled(guarded, make):
    """The commit then succeeds on the primary alone, with a warning: that is no 201."""
    place, token, standby = guarded
    server = make(place, token, "--statement-timeout", 20000)
    kept, reply = create(server)
    assert reply.status == 201
    standby.stop()
    with concurrent.futures.ThreadPoolExecutor(1) as clients:
        title = next(TITLES)
        asked = clients.submit(create, server, title)
        deadline = time.monotonic() + 30
        cancelled = 0
        while not asked.done():
            assert time.monotonic() < deadline, "docket waits on"
            for pid in waiting(place):
                place.run("SELECT pg_cancel_backend(%s)", (pid,))
                cancelled += 1
            time.sleep(0.05)
        assert cancelled, "expected that the commit waited for the standby"
        refused(asked.result()[1])
    standby.start()
    until_served(server)
    assert (count(place, kept), count(place, title)) == (1, 1)  # the primary has it, unasked for
    succeed("check", *where(place))


def test_a_standby_that_is_away(guarded, make):
    """Nobody cancels anything: writes are refused in time, reads go on; with the standby all does."""
    place, token, standby = guarded
    server = make(place, token, "--statement-timeout", 1000)
    made = create(server)[1].json["id"]
    standby.stop()
    for _ in range(2):
        (_, reply), took = timed(create, server)
        refused(reply)
        assert took < 20
        assert server.get(made).status == 200
    standby.start()
    took = until_served(server)
    print(f"served {took:.2f} s after the standby was there")
    assert took < 10
    server.stop()
    succeed("check", *where(place))
