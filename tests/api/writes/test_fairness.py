"""One account sends bulks without a pause; another is served beside it."""
import collections

import pytest

import backends
import proofs
from deployment import Deployment
from harness import BRIEF, SANITIZED, TASKS, strict_json, task
from load import Link, Load
from together import beside

pytestmark = backends.BOTH

SECONDS = proofs.size(3)
CLIENTS, BULK = 24, 200
ACCOUNTS = ("heavy", "light")
RECORD = task(title="bulk")["task"]


class Bulks:
    """Clients of the heavy account that send bulks one after the other. `statuses` counts the answers."""

    def __init__(self, deployment):
        self.deployment, self.statuses = deployment, collections.Counter()

    def send(self, number, stop):
        servers = self.deployment.servers
        link = Link(self.deployment, servers[number % len(servers)], "heavy")
        while not stop.is_set():
            status, headers, body = link.ask(
                "POST", f"{TASKS}/bulk", {"operations": [{"create": RECORD}] * BULK})
            self.statuses[status] += 1
            assert status == 200 or (status in (429, 503) and headers["Retry-After"]), \
                (status, body)
        link.close()


@pytest.fixture
def deployment(database, tmp_path):
    """A folder and its process, or a database and two processes."""
    place = backends.empty(database, tmp_path / "data")
    with Deployment(place, tmp_path, ACCOUNTS, env={} if SANITIZED else BRIEF) as deployment:
        for _ in range(1 if database == "sqlite" else 2):
            deployment.serve()
        yield deployment


@proofs.SOAK
@pytest.mark.slow
def test_an_account_beside_bulks_is_served(deployment):
    """Every create of the light account is stored and answered 201, and its lists are answered. Of the bulks
    those are stored that were answered 200, and no others."""
    bulks = Bulks(deployment)
    with beside(bulks.send, CLIENTS), \
            Load(deployment, deployment.servers, ("light",), 2, "light") as load:
        load.ending.wait(SECONDS)
        for server in deployment.servers:
            status, _, body = Link(deployment, server, "light").ask("GET", f"{TASKS}?per_page=1")
            assert status == 200 and len(strict_json(body)) == 1, (status, body)
        load.wait_for(1)
    stored = {(account, number): title for account, number, title in backends.rows(
        deployment.database, "SELECT a.name, t.id, t.title FROM task t"
        " JOIN account a ON a.id = t.account_id")}
    load.check(stored)
    bulk = sum(title == "bulk" for title in stored.values())
    print(f"bulks {dict(bulks.statuses)}, {len(load.created)} creates beside them")
    assert bulks.statuses[200] and bulk == BULK * bulks.statuses[200]
    assert len(load.created) > 0 and not load.refused
