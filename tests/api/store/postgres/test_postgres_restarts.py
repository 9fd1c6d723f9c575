"""Three processes behind nginx are restarted one by one while 64 clients create tasks. The long
form, `make proof-restarts`, has 20 restarts and 10,000 creates."""
import contextlib

import pytest

import postgres
import proofs
from deployment import deployed
from load import Load
from nginx import PORTS, Example, needed
from ports import free_port

ACCOUNTS = ("first", "second", "third")
CLIENTS = 64
RESTARTS = proofs.size(3)
POSTS = 500  # answered creates for each restart, at least

pytestmark = [postgres.NEEDED, needed, proofs.RESTARTS]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    with deployed(tmp_path_factory.mktemp("docket"), *ACCOUNTS,
                  options=("--behind-proxy", "--quiet")) as deployment:
        for _ in PORTS:
            deployment.serve(listen=f"127.0.0.1:{free_port()}")
        yield deployment


def test_restarts_under_load(deployment, tmp_path):
    """Every task with a 201 is stored once, and no client sees an error."""
    with contextlib.ExitStack() as stack:
        nginx = Example(tmp_path / "nginx", [server.port for server in deployment.servers])
        stack.callback(nginx.stop)
        with Load(deployment, [nginx], ACCOUNTS, CLIENTS, "restarted", refusals=True) as load:
            for turn in range(RESTARTS):
                load.wait_for(POSTS // 2)
                server = deployment.servers[turn % len(deployment.servers)]
                server.stop()
                load.wait_for(POSTS // 2)
                server.start()
    left = load.check()
    print(f"\n{RESTARTS} restarts: {len(load.created)} created; refused {dict(load.refused)},"
          f" unanswered {len(load.unanswered)}, {left} of these stored")
    assert not load.refused and not load.unanswered
    assert left == 0
    assert not [server for server in deployment.servers if "warning" in server.stderr()]
    deployment.check_sound()
