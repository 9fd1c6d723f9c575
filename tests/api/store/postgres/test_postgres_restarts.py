"""Three processes behind nginx are restarted one by one while 64 clients create tasks. The long form,
`make proof-restarts`, has 20 restarts and 10,000 creates."""
import contextlib

import pytest

import postgres
import proofs
from nginx import PORTS, Example, needed
from office import Office
from writers import Writers

ACCOUNTS = ("first", "second", "third")
CLIENTS = 64
RESTARTS = proofs.size(3)
POSTS = 500  # that are answered for each restart, at least

pytestmark = [needed, proofs.RESTARTS]


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    database = postgres.shared().create("restarts")
    with Office(database, tmp_path_factory.mktemp("office"), ACCOUNTS,
                options=("--behind-proxy", "--quiet")) as office:
        for _ in PORTS:
            office.serve().keep_port()
        yield office


def test_restarts_under_load(office, tmp_path):
    """Every task that a client was told of is stored once, and no client sees an error."""
    with contextlib.ExitStack() as stack:
        nginx = Example(tmp_path / "nginx", [server.port for server in office.servers])
        stack.callback(nginx.stop)
        with Writers(office, [nginx], ACCOUNTS, CLIENTS, "restarted", refusals=True) as load:
            for turn in range(RESTARTS):
                load.wait_for(POSTS // 2)
                server = office.servers[turn % len(office.servers)]
                server.stop()
                load.wait_for(POSTS // 2)
                server.start()
    left = load.check()
    print(f"\n{RESTARTS} restarts: {len(load.created)} created; refused {dict(load.refused)},"
          f" unanswered {len(load.unanswered)}, {left} of these stored")
    assert not load.refused and not load.unanswered
    assert left == 0
    assert not [server for server in office.servers if "warning" in server.stderr()]
    office.check_sound()
