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
from harness import TASKS, Reply, problem, task
from office import Office
from writers import Link, Writers

SECONDS = proofs.size(3)
ACCOUNTS = ("first", "second", "third")


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    return Office(postgres.shared().create("office"), tmp_path_factory.mktemp("office"), ACCOUNTS)


@pytest.fixture
def cutter(office):
    port = office.database.cluster.port
    cutter = Cutter(port)
    office.serve(url=office.url.replace(f":{port}/", f":{cutter.port}/"))
    yield cutter
    office.stop()
    office.servers.clear()
    cutter.stop()


def post(office, title, **headers):
    link, began = Link(office, office.servers[0], "first"), time.monotonic()
    status, got, body = link.ask("POST", TASKS, task(title=title), headers)
    link.close()
    return Reply(status, "", got.items(), body), time.monotonic() - began


def times(office, title):
    return list(office.titles().values()).count(title)


@pytest.mark.parametrize("how, status, stored", [
    ("before", 503, 0), ("after", 201, 1), ("silent", 201, 1), ("with", None, None)])
def test_a_connection_cut_at_a_commit(office, cutter, how, status, stored):
    assert post(office, f"cut {how}: before")[0].status == 201
    cutter.armed = how
    reply, took = post(office, f"cut {how}")
    assert cutter.cuts[how] == 1
    there = times(office, f"cut {how}")
    print(f"{how}: {reply.status} after {took:.2f} s, and it is there {there} times")
    if status:
        assert (reply.status, there) == (status, stored)
    else:
        assert (reply.status, there) in [(201, 1), (503, 0)]
    if reply.status == 503:
        assert "nothing was stored" in problem(reply, 503)["detail"]
        assert reply.header("Retry-After")
    assert post(office, f"cut {how}: after")[0].status == 201
    office.check_sound()


def test_what_is_not_known_is_told_so_and_can_be_sent_again(office, cutter):
    """The commit is done, its answer is lost, and the database cannot be reached to find out."""
    post(office, "before")  # so that nobody else commits: the use of the token is told
    cutter.armed = "gone"
    reply, took = post(office, "unknown", **{"Idempotency-Key": "of-this-test"})
    assert "may or may not be stored" in problem(reply, 503)["detail"]
    assert reply.header("Retry-After")
    assert 4 < took < 15, took
    assert times(office, "unknown") == 1
    cutter.away = False
    reply, _ = post(office, "unknown", **{"Idempotency-Key": "of-this-test"})
    assert reply.status == 201
    assert times(office, "unknown") == 1, "the same key stores nothing twice"
    assert office.titles()["first", reply.json["id"]] == "unknown"


@proofs.SOAK
def test_cuts_under_load(office, cutter):
    ways = ("before", "after", "with")
    with Writers(office, office.servers, ACCOUNTS, 16, "cuts", refusals=True) as load:
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
    office.check_sound()


@proofs.SOAK
def test_the_change_of_another_process_is_not_taken_for_the_lost_one(office, cutter):
    """Also where clients give all their requests the same id."""
    office.serve()
    with Writers(office, office.servers, ("first",), 16, "same id", refusals=True,
                 headers={"X-Request-Id": "the-same-for-all"}) as load:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            cutter.armed = "before"
            load.wait_for(40)
        cutter.armed = None
    assert load.check() == 0
    print(f"{len(load.created)} created, {cutter.cuts['before']} cuts")
    office.check_sound()


WAITING = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def test_a_wait_for_a_standby_that_is_cancelled(tmp_path):
    """Then the commit is done here and nowhere else, and PostgreSQL calls that a success."""
    with postgres.private() as primary, primary.standby("other") as standby, \
            Office(primary.create("office"), tmp_path, ACCOUNTS) as office:
        primary.wait_for_standby("other")
        office.serve()
        assert post(office, "wait: before")[0].status == 201
        standby.stop("immediate")
        answers = []
        asking = threading.Thread(target=lambda: answers.append(post(office, "wait: cancelled")))
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
        while post(office, "wait: after")[0].status != 201:
            assert time.monotonic() - began < 10
        print(f"writes again after {time.monotonic() - began:.3f} s")
        assert times(office, "wait: cancelled") <= 1
        assert times(office, "wait: after") == 1
        office.check_sound()
