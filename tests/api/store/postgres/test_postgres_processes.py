"""Three processes over one PostgreSQL database: what one has acknowledged every other one has."""
import collections
import signal
import subprocess
import threading
import time

import pytest

import postgres
import proofs
from commands import fails
from deployment import Deployment
from harness import COMMAND_S, PROGRAM, TASKS, environment, strict_json, succeed
from load import Link, Load

pytestmark = postgres.NEEDED

SECONDS = proofs.size(3)
PROCESSES, WRITERS = 3, 64
ACCOUNTS = ("hot", "second", "third", "fourth")
# Half of the writers are in one account, over all processes.
SHARES = ("hot", "second", "hot", "third", "hot", "fourth", "hot", "second")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    database = postgres.shared().create("docket")
    with Deployment(database, tmp_path_factory.mktemp("docket"), ACCOUNTS) as deployment:
        for _ in range(PROCESSES):
            deployment.serve()
        yield deployment


@proofs.SOAK
def test_what_one_acknowledges_all_have(deployment):
    own, reads = threading.local(), collections.Counter()

    def read_elsewhere(number, account, task_id, title):
        """At once, from the next process, and then from the one after it."""
        if not hasattr(own, "links"):
            own.links = [Link(deployment, deployment.servers[(number + by) % PROCESSES], account)
                         for by in (1, 2)]
        for link in own.links:
            status, _, body = link.ask("GET", f"{TASKS}/{task_id}")
            assert status == 200, f"{title}: {status} {body!r}"
            assert strict_json(body)["title"] == title
            reads[number] += 1

    with Load(deployment, deployment.servers, SHARES, WRITERS, on_created=read_elsewhere) as load:
        load.ending.wait(SECONDS)
    left = load.check()
    print(f"{len(load.created)} created and read {sum(reads.values())} times elsewhere;"
          f" slowest {load.slowest * 1000:.0f} ms")
    assert left == 0, f"{left} were stored without an answer"
    assert len(reads) == WRITERS, "a writer got nothing done"
    deployment.check_sound()


@proofs.SOAK
def test_the_history_has_the_order_in_which_it_was_committed(deployment):
    """Whoever has read the changes up to one number misses none that comes later: while two
    processes write to the account, a third looks, and what it saw never gets a gap behind it."""
    last_change = "SELECT last_change FROM account WHERE name = 'hot'"
    (first,), = deployment.database.run(last_change)
    seen, last, faults = [], [None], []

    def look():
        link = Link(deployment, deployment.servers[2], "hot")
        after = first
        while after != last[0]:
            status, _, body = link.ask("GET", f"/api/v1/changes?since={after}")
            assert status == 200, body
            for change in strict_json(body)["changes"]:
                seen.append(change["change"])
                after = change["change"]

    def guarded():
        try:
            look()
        except Exception as fault:  # noqa: it is told below
            faults.append(fault)

    looker = threading.Thread(target=guarded, daemon=True)
    looker.start()
    with Load(deployment, deployment.servers[:2], ("hot",), 16, "ordered") as load:
        load.ending.wait(SECONDS)
    (last[0],), = deployment.database.run(last_change)
    looker.join(60)
    assert not faults, faults
    assert not looker.is_alive(), f"it waits for the change {last[0]} after {seen[-1:]}"
    assert seen == list(range(first + 1, last[0] + 1))
    assert len(seen) >= len(load.created)


def test_a_removal_that_was_broken_off(tmp_path):
    """The next processes to start end it, both at once, and are no hindrance to each other."""
    database = postgres.shared().create("removal")
    with Deployment(database, tmp_path, ("first", "second"), tasks=5000) as deployment:
        removal = subprocess.Popen(
            [PROGRAM, "account", "remove", "second", "--yes", "--database", deployment.url],
            env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while database.run("SELECT 1 FROM account WHERE name = 'second'"):
            assert removal.poll() is None
        removal.send_signal(signal.SIGKILL)
        removal.communicate(timeout=COMMAND_S)
        assert database.run("SELECT name FROM account ORDER BY id") == [("first",), ("-2",)]
        assert "the next docket serve" in fails("check", "--database", deployment.url)
        deployment.serve()
        deployment.serve()
        deadline = time.monotonic() + COMMAND_S
        while database.run("SELECT 1 FROM account WHERE id = 2"):
            assert time.monotonic() < deadline, "nobody ends it"
            time.sleep(0.05)
        for server in deployment.servers:
            assert "removed account" not in server.stderr()
        del deployment.tokens["second"]
        deployment.check_sound()
        assert succeed("account", "list", "--database", deployment.url).stdout.count("first") == 1
        link = Link(deployment, deployment.servers[1], "first")
        assert link.ask("GET", TASKS)[0] == 200
        link.close()
    database.drop()
