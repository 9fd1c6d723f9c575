"""A commit whose outcome is not told: the connection is cut around COMMIT, or the wait for a
standby is cancelled. What was answered 201 is there exactly once; what is not known is not told as
stored."""
import random
import threading
import time

import pytest

import postgres
import proofs
from cutter import Cutter
from deployment import Deployment
from harness import TASKS, Reply, problem, task
from load import Link, Load

pytestmark = postgres.NEEDED

SECONDS = proofs.size(3)
ACCOUNTS = ("first", "second", "third")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    return Deployment(postgres.shared().create("docket"), tmp_path_factory.mktemp("docket"),
                      ACCOUNTS)


@pytest.fixture
def cutter(deployment):
    port = deployment.database.cluster.port
    cutter = Cutter(port)
    deployment.serve(url=deployment.url.replace(f":{port}/", f":{cutter.port}/"))
    yield cutter
    deployment.stop()
    deployment.servers.clear()
    cutter.stop()


def post(deployment, title, **headers):
    link, began = Link(deployment, deployment.servers[0], "first"), time.monotonic()
    status, got, body = link.ask("POST", TASKS, task(title=title), headers)
    link.close()
    return Reply(status, "", got.items(), body), time.monotonic() - began


def times(deployment, title):
    return list(deployment.titles().values()).count(title)


@pytest.mark.parametrize("how, status, stored", [
    ("before", 503, 0), ("after", 201, 1), ("silent", 201, 1), ("with", None, None)])
def test_a_connection_cut_at_a_commit(deployment, cutter, how, status, stored):
    assert post(deployment, f"cut {how}: before")[0].status == 201
    cutter.armed = how
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
    """The commit is done, its answer is lost, and the database cannot be reached to find out."""
    post(deployment, "before")  # so that nobody else commits: the use of the token is told
    cutter.armed = "gone"
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
    """Also where clients give all their requests the same id."""
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
    """Then the commit is done here and nowhere else, and PostgreSQL calls that a success."""
    with postgres.private() as primary, primary.standby("other") as standby, \
            Deployment(primary.create("docket"), tmp_path, ACCOUNTS) as deployment:
        primary.wait_for_standby("other")
        deployment.serve()
        assert post(deployment, "wait: before")[0].status == 201
        standby.stop("immediate")
        answers = []
        asking = threading.Thread(
            target=lambda: answers.append(post(deployment, "wait: cancelled")))
        asking.start()
        cancelled = 0
        while asking.is_alive():
            cancelled += len(primary.main.run(f"SELECT pg_cancel_backend(pid) {WAITING}"))
            time.sleep(0.2)
        (reply, took), = answers
        print(f"{reply.status} after {took:.1f} s; {cancelled} waits were cancelled")
        assert cancelled, "nothing waited for the standby"
        assert "may or may not be stored" in problem(reply, 503)["detail"]
        assert reply.header("Retry-After")
        standby.start()
        began = time.monotonic()
        while post(deployment, "wait: after")[0].status != 201:
            assert time.monotonic() - began < 10
        print(f"writes again after {time.monotonic() - began:.3f} s")
        assert times(deployment, "wait: cancelled") <= 1
        assert times(deployment, "wait: after") == 1
        deployment.check_sound()
