"""A clock that is wrong, or that is set while docket serves: no change gets a time before one that
the account has given out, so a client that polls from the greatest updated_at misses nothing."""
import datetime
import json
import re
import time

import pytest

import backends
from backends import rows
from clocks import Clock
from harness import JSON, TASKS, run, strict_json, succeed, task

pytestmark = backends.BOTH
HOUR = 3600


def stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def clock(tmp_path):
    """A clock that begins after all times of the base records."""
    return Clock(tmp_path / "clock", int(time.time()) + HOUR)


@pytest.fixture
def server(make_server, clock):
    return make_server(env=clock.env)


def ask(server, method, path, value=None, status=200, **headers):
    body = None if value is None else json.dumps(value)
    reply = server.call(method, path, body, {**(JSON if body else {}), **headers})
    assert reply.status == status, reply
    return reply.json if reply.body else None


def change(server, record, **fields):
    return ask(server, "PATCH", f"{TASKS}/{record['id']}", {"task": fields})


def changed(server, since):
    """The tasks that a client finds when it polls from that time, by id."""
    found = ask(server, "GET", f"{TASKS}?updated_from={since}")
    return {record["id"]: record for record in found}


def test_it_is_set_back(server, clock):
    start = clock.now
    first = server.create(title="first")
    other = server.create(title="other")
    assert first["created_at"] == first["updated_at"] == stamp(start)
    clock.set(start - 2 * HOUR)
    done = change(server, first, title="again", status="complete")
    assert (done["updated_at"], done["complete_at"]) == (stamp(start), stamp(start))
    late = server.create(title="late", status="complete")
    assert [late[name] for name in ("created_at", "updated_at", "complete_at")] == [stamp(start)] * 3
    made = ask(server, "POST", f"{TASKS}/bulk", {"operations": [
        {"create": task(title="of many")["task"]},
        {"update": {"id": other["id"], "title": "other again"}}]})["results"]
    assert {record["updated_at"] for record in made} == {stamp(start)}
    ask(server, "DELETE", f"{TASKS}/{late['id']}", status=204)
    found = changed(server, first["updated_at"])
    assert {found[record["id"]]["title"] for record in [first, *made]} == {
        "again", "of many", "other again"}
    assert all(record["updated_at"] >= record["created_at"] for record in found.values())
    ats = [at for at, in rows(server.data, "SELECT at FROM history ORDER BY change")]
    assert ats == sorted(ats) and ats[-1] == start
    clock.set(start + 5)
    assert change(server, first, title="on")["updated_at"] == stamp(start + 5)
    sound(server)


def sound(server):
    server.stop()
    done = run("check", *backends.where(server.data))
    assert done.returncode == 0, done


def test_it_was_far_in_the_future(server, clock):
    """Times that were given out stay; keys and tokens expire by the clock."""
    start = clock.now
    clock.set(start + 20 * 365 * 24 * HOUR)
    future = server.create()["updated_at"]
    assert future == stamp(clock.now)
    for now in (start, start + HOUR):
        clock.set(now)
        record = ask(server, "POST", TASKS, task(), 201, **{"Idempotency-Key": f"key-{now}"})
        assert record["created_at"] == record["updated_at"] == future
    last, = rows(server.data, "SELECT last_at FROM account_state WHERE account_id = 1")[0]
    assert stamp(last) == future
    assert rows(server.data, "SELECT at FROM idempotency ORDER BY at") == [
        (start,), (start + HOUR,)]
    sound(server)


WARNING = re.compile(r"warning: the clock says (\S+), which is (.+) the last change, at (\S+): ")


@pytest.mark.parametrize("by, says", [
    (-1, "before"), (-50 * 365 * 24 * HOUR, "before"), (-100 * 365 * 24 * HOUR, "before"),
    (0, None), (24 * HOUR, None), (366 * 24 * HOUR, None),
    (366 * 24 * HOUR + 1, "more than a year after")])
def test_serve_warns(server, clock, by, says):
    last = clock.now
    server.create()
    server.stop()
    before = server.log.stat().st_size
    clock.set(last + by)
    server.start()
    found = [strict_json(line.encode())["message"] if line.startswith("{") else line
             for line in server.log.read_text()[before:].splitlines()]
    warned = [match for match in map(WARNING.search, found) if match]
    if says:
        assert [match.groups() for match in warned] == [(stamp(last + by), says, stamp(last))]
    else:
        assert not warned
    server.stop()


def test_lines_of_the_log_before_1970(server, clock):
    """A clock that was never set may begin there."""
    server.stop()
    before = server.log.stat().st_size
    clock.set(-12345)
    server.start()
    server.create()
    server.stop()
    times = re.findall(r'"time":"([^"]*)"', server.log.read_text()[before:])
    assert times and all(re.fullmatch(r"1969-12-31T20:34:15\.\d{3}Z", one) for one in times)


def test_samples_are_not_from_the_future(server):
    """demo makes up the times of its records, but not the times of the changes."""
    server.stop()
    succeed("demo", *backends.where(server.data), "--tasks", 50)
    (last,), = rows(server.data, "SELECT last_at FROM account_state WHERE account_id = 1")
    assert last <= time.time()
    sound(server)
