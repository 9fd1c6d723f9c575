"""A commit with an unknown outcome: the connection is cut around COMMIT, or the wait for a standby
is cancelled. A write that was answered 201 is stored exactly once. docket does not say that a write
is stored when it does not know."""
import random
import time

import pytest

import postgres
import proofs
from relay import Cutter
from deployment import Deployment, deployed
from harness import BRIEF, problem
from load import Load
from together import started, until

pytestmark = postgres.NEEDED

SECONDS = proofs.size(3)
ACCOUNTS = ("first", "second", "third")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    with deployed(tmp_path_factory.mktemp("docket"), *ACCOUNTS, env=BRIEF) as deployment:
        yield deployment


@pytest.fixture
def cutter(deployment):
    cutter = Cutter(deployment.database.cluster.port)
    deployment.serve(url=deployment.through(cutter.port))
    yield cutter
    deployment.stop()
    deployment.servers.clear()
    cutter.stop()


def post(deployment, title, **headers):
    """The answer and how long it took."""
    began = time.monotonic()
    return deployment.post(title, headers=headers), time.monotonic() - began


def times(deployment, title):
    return list(deployment.titles().values()).count(title)


@pytest.mark.parametrize("how, status, stored", [
    ("before", 503, 0), ("after", 201, 1), ("silent", 201, 1), ("with", None, None)])
def test_a_connection_cut_at_a_commit(deployment, cutter, how, status, stored):
    assert post(deployment, f"cut {how}: before")[0].status == 201
    cutter.about, cutter.armed = f"cut {how}".encode(), how
    reply, took = post(deployment, f"cut {how}")
    assert cutter.cuts[how] == 1
    there = times(deployment, f"cut {how}")
    print(f"{how}: {reply.status} after {took:.2f} s, and it is there {there} times")
    if status:
        assert (reply.status, there) == (status, stored)
    else:
        assert (reply.status, there) in [(201, 1), (503, 0)]
    if reply.status == 503:
        assert "nothing was stored" in problem(reply, 503)["detail"]
        assert reply.header("Retry-After")
    assert post(deployment, f"cut {how}: after")[0].status == 201
    deployment.check_sound()


def test_what_is_not_known_is_told_so_and_can_be_sent_again(deployment, cutter):
    """The commit is done, its answer is lost, and docket cannot reach the database to find out."""
    post(deployment, "before")
    cutter.about, cutter.armed = b"unknown", "gone"
    reply, took = post(deployment, "unknown", **{"Idempotency-Key": "of-this-test"})
    assert "may or may not be stored" in problem(reply, 503)["detail"]
    assert reply.header("Retry-After")
    assert 4 < took < 15, took
    assert times(deployment, "unknown") == 1
    cutter.away = False
    reply, _ = post(deployment, "unknown", **{"Idempotency-Key": "of-this-test"})
    assert reply.status == 201
    assert times(deployment, "unknown") == 1, "the same key stores nothing twice"
    assert deployment.titles()["first", reply.json["id"]] == "unknown"


@proofs.SOAK
def test_cuts_under_load(deployment, cutter):
    ways = ("before", "after", "with")
    with Load(deployment, deployment.servers, ACCOUNTS, 16, "cuts", refusals=True) as load:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until or len(cutter.cuts) < len(ways):
            cutter.armed = random.choice(ways)
            load.wait_for(20)
        cutter.armed = None
        load.wait_for(100)
    left = load.check()
    print(f"{len(load.created)} created, cuts {dict(cutter.cuts)}, refused {dict(load.refused)},"
          f" {left} stored without a 201; slowest {load.slowest:.2f} s")
    assert left == 0, "all of them could be found out"
    assert not load.unanswered
    deployment.check_sound()


@proofs.SOAK
def test_the_change_of_another_process_is_not_taken_for_the_lost_one(deployment, cutter):
    """Even if clients give all their requests the same id."""
    deployment.serve()
    with Load(deployment, deployment.servers, ("first",), 16, "same id", refusals=True,
              headers={"X-Request-Id": "the-same-for-all"}) as load:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            cutter.armed = "before"
            load.wait_for(40)
        cutter.armed = None
    assert load.check() == 0
    print(f"{len(load.created)} created, {cutter.cuts['before']} cuts")
    deployment.check_sound()


WAITING = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def test_a_wait_for_a_standby_that_is_cancelled(tmp_path):
    """The commit is then only on this server, and PostgreSQL reports success."""
    with postgres.private() as primary, primary.standby("other") as standby, \
            Deployment(primary.create("docket"), tmp_path, ACCOUNTS, env=BRIEF) as deployment:
        primary.wait_for_standby("other")
        deployment.serve()
        assert post(deployment, "wait: before")[0].status == 201
        standby.stop("immediate")
        asking, cancelled = started(post, deployment, "wait: cancelled"), 0
        while not asking.done():
            cancelled += len(primary.main.run(f"SELECT pg_cancel_backend(pid) {WAITING}"))
            time.sleep(0.2)
        reply, took = asking.result()
        print(f"{reply.status} after {took:.1f} s; {cancelled} waits were cancelled")
        assert cancelled, "nothing waited for the standby"
        assert "may or may not be stored" in problem(reply, 503)["detail"]
        assert reply.header("Retry-After")
        standby.start()
        began = time.monotonic()
        until(lambda: deployment.post("wait: after").status == 201)
        print(f"writes again after {time.monotonic() - began:.3f} s")
        assert times(deployment, "wait: cancelled") <= 1
        assert times(deployment, "wait: after") == 1
        deployment.check_sound()
