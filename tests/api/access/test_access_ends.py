"""Access that ends or changes while docket serves: the next request is the first that finds it so, although
docket remembers the access of earlier ones."""
import threading
import time

import pytest

import backends
from admin import docket
from backends import where
from harness import JSON, TASKS, basic, strict_json, succeed, task_json
from ledger import stamp
from records import STAFF, change
from together import started

pytestmark = backends.BOTH


@pytest.fixture
def served(one, base, make_server):
    """A server, and a second staff member with full access and a token."""
    server = make_server(one, base[1])
    docket(one, "staff add", "clerk", "--access", "full")
    server.clerk = basic("clerk/token", docket(one, "token add", "clerk").strip())
    assert [server.call("GET", TASKS, access=server.clerk).status for _ in "12"] == [200, 200]
    return server


def clerk_id(server):
    return server.call("GET", "/api/v1/me", access=server.clerk).json["staff"]["id"]


def revoked(server):
    docket(server.data, "token revoke", "clerk")


def disabled(server):
    docket(server.data, "staff set", "clerk", "--access", "disabled")


def limited(server):
    docket(server.data, "staff set", "clerk", "--access", "limited")


def renamed(server):
    change(server, STAFF, clerk_id(server), username="other")


def deleted(server):
    number = clerk_id(server)
    assert server.call("DELETE", f"/api/v1/staff/{number}").status == 204


@pytest.mark.parametrize("end, status", [
    (revoked, 401), (disabled, 401), (limited, 403), (renamed, 401), (deleted, 401)])
def test_access_ends_at_once(served, end, status):
    end(served)
    assert served.call("GET", TASKS, access=served.clerk).status == status
    assert served.call("POST", TASKS, task_json(), JSON, access=served.clerk).status == status
    assert served.call("GET", TASKS).status == 200


def test_access_comes_back(served):
    disabled(served)
    assert served.call("GET", TASKS, access=served.clerk).status == 401
    docket(served.data, "staff set", "clerk", "--access", "full")
    assert served.call("GET", TASKS, access=served.clerk).status == 200


def test_a_setting_of_the_account_counts_at_once(served):
    body = task_json(without=["casefile_id"])
    assert served.call("POST", TASKS, body, JSON).status == 422
    docket(served.data, "account set", "main", "--require-case", "no")
    assert served.call("POST", TASKS, body, JSON).status == 201


def test_a_token_that_expires(one, base, make_server, clock):
    server = make_server(one, base[1], env=clock.env)
    token = docket(one, "token add", "brief", "--expires", stamp(clock.now + 3600)).strip()
    access = basic("admin/token", token)
    clock.set(clock.now + 3599)
    assert [server.call("GET", TASKS, access=access).status for _ in "12"] == [200, 200]
    clock.set(clock.now + 1)
    assert server.call("GET", TASKS, access=access).status == 401


@backends.SQLITE
def test_access_is_remembered(served):
    """A list of one task is one read; a look-up of access would be another."""
    def reads():
        said = succeed("status", *where(served.data), "--json").stdout
        return strict_json(said.encode())["reads"]["at_once"]

    before = reads()
    for _ in range(10):
        assert served.call("GET", f"{TASKS}/1", access=served.clerk).status == 404
    assert reads() == before + 10


@pytest.mark.slow
def test_under_load(served):
    """Other clients use the token all the time, so docket looks it up and remembers it all the time."""
    ended = threading.Event()

    def ask_on():
        while not ended.is_set():
            served.call("GET", f"{TASKS}/1", access=served.clerk)
            time.sleep(0.001)

    for turn in range(10):
        label = f"turn-{turn}"
        served.clerk = basic("clerk/token", docket(served.data, "token add", label).strip())
        ended.clear()
        asking = [started(ask_on) for _ in range(4)]
        try:
            assert served.call("GET", TASKS, access=served.clerk).status == 200
            docket(served.data, "token revoke", label)
            assert served.call("GET", TASKS, access=served.clerk).status == 401
        finally:
            ended.set()
            for one in asking:
                one.result()
