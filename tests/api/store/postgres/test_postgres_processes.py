"""Three processes over one PostgreSQL database: all of them see what one has acknowledged."""
import collections
import signal
import threading

import pytest

import postgres
import proofs
from commands import fails
from deployment import deployed
from harness import COMMAND_S, TASKS, begin, strict_json, succeed
from load import Link, Load
from together import started, until

pytestmark = postgres.NEEDED

SECONDS = proofs.size(3)
PROCESSES, WRITERS = 3, 64
ACCOUNTS = ("hot", "second", "third", "fourth")
# Half of the writers are in one account, over all processes.
SHARES = ("hot", "second", "hot", "third", "hot", "fourth", "hot", "second")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    with deployed(tmp_path_factory.mktemp("docket"), *ACCOUNTS,
                  processes=PROCESSES) as deployment:
        yield deployment


@proofs.SOAK
def test_what_one_acknowledges_all_have(deployment):
    own, reads = threading.local(), collections.Counter()

    def read_elsewhere(number, account, task_id, title):
        """Reads the task at once from the next process, and then from the one after it."""
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
    """A client that has read the changes up to one number misses none later. While two processes
    write to the account, a third is read, and no gap appears before a number that it has seen."""
    last_change = ("SELECT last_change FROM account_state JOIN account ON id = account_id"
                   " WHERE name = 'hot'")
    (first,), = deployment.database.run(last_change)
    seen, last = [], [None]

    def look():
        link = Link(deployment, deployment.servers[2], "hot")
        after = first
        while after != last[0]:
            status, _, body = link.ask("GET", f"/api/v1/changes?since={after}")
            assert status == 200, body
            for change in strict_json(body)["changes"]:
                seen.append(change["change"])
                after = change["change"]

    looking = started(look)
    with Load(deployment, deployment.servers[:2], ("hot",), 16, "ordered") as load:
        load.ending.wait(SECONDS)
    (last[0],), = deployment.database.run(last_change)
    until(looking.done, what=lambda: f"it waits for the change {last[0]} after {seen[-1:]}")
    looking.result()
    assert seen == list(range(first + 1, last[0] + 1))
    assert len(seen) >= len(load.created)


def test_a_removal_that_was_broken_off(tmp_path):
    """The next processes to start complete it, both at the same time, and do not disturb each
    other."""
    with deployed(tmp_path, "first", "second", tasks=5000) as deployment:
        database = deployment.database
        removal = begin("account", "remove", "second", "--yes", "--database", deployment.url)
        while database.run("SELECT 1 FROM account WHERE name = 'second'"):
            assert removal.poll() is None
        removal.send_signal(signal.SIGKILL)
        removal.communicate(timeout=COMMAND_S)
        assert database.run("SELECT name FROM account ORDER BY id") == [("first",), ("-2",)]
        assert "the next docket serve" in fails("check", "--database", deployment.url)
        deployment.serve()
        deployment.serve()
        until(lambda: not database.run("SELECT 1 FROM account WHERE id = 2"), what="nobody ends it",
              seconds=COMMAND_S)
        for server in deployment.servers:
            assert "removed account" not in server.stderr()
        del deployment.tokens["second"]
        deployment.check_sound()
        assert succeed("account", "list", "--database", deployment.url).stdout.count("first") == 1
        assert deployment.get(TASKS, server=deployment.servers[1]).status == 200
