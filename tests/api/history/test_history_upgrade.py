"""The upgrade from schema 10, whose chain covers the values themselves, to one that covers salted
digests of them."""
import json

import pytest

import backends
from backends import opened, rows, where
from commands import fails
from harness import TASKS, run, succeed
from migrations import LATEST, take_back
from records import send
from test_mirror import Mirror, same
from together import until

pytestmark = backends.ALL


@pytest.fixture
def old(make_server):
    """The server of a place of schema 10, which does not run. A second account is in the place."""
    server = make_server()
    for title in ("changed", "deleted"):
        path = f"{TASKS}/{server.create(title=title)['id']}"
        assert send(server, "PATCH", path, {"task": {"body": "more"}}).status == 200
    assert send(server, "DELETE", path).status == 204
    server.stop()
    succeed("account", "add", "other", *where(server.data), "--token-file",
            server.log.with_name("token"))
    with opened(server.data) as database:
        take_back(database, 10, server.data)
    return server


def sound(place):
    done = succeed("check", *where(place), "--json")
    assert json.loads(done.stdout)["faults"] == [], done


def test_the_end_of_the_old_chain_is_an_entry_of_the_new_one(old):
    place = old.data
    entries = "SELECT account_id, change, at, staff_id, record, record_id, action, value, request_id"
    before = rows(place, entries + " FROM history ORDER BY 1, 2")
    ends = {account: (last, bytes(head)) for account, last, head in rows(
        place, "SELECT account_id, last_change, history_head FROM account_state")}
    assert set(ends) == {1, 2}
    succeed("migrate", *where(place))
    sound(place)
    after = {row[:2]: row for row in rows(place, entries + " FROM history")}
    assert [after.pop(row[:2]) for row in before] == before
    for account, (last, head) in ends.items():
        entry = after.pop((account, last + 1))
        assert entry[3:7] == (None, "chain", last, "create")
        assert json.loads(entry[7]) == {"id": last, "hash": head.hex()}
    assert not after
    succeed("account", "remove", "other", "--yes", *where(place))
    old.start()
    last, head = ends[1]
    change, = send(old, "GET", f"/api/v1/changes?since={last}").json["changes"]
    assert [change[name] for name in ("staff_id", "record", "id", "action", "value")] == [
        None, "chain", last, "create", {"id": last, "hash": head.hex()}]
    mirror = Mirror(old)
    while mirror.take():
        pass
    same(old, mirror)
    old.create(title="after")
    old.stop()
    sound(place)


@pytest.mark.parametrize("script, broken", [
    ("UPDATE history SET at = at + 1 WHERE account_id = 1 AND change = 3",
     'account "main" was altered: change 3 is not as it was written'),
    ("DELETE FROM history WHERE account_id = 2 AND change = 1",
     'account "other" was altered: change 2 is not as it was written'),
    ("UPDATE history SET hash = NULL",
     'account "main" was altered: change 1 is not as it was written'),
    ("UPDATE account_state SET history_head = NULL WHERE account_id = 2",
     'account "other" was altered: change 2 is the last entry, but the account has another hash'),
    ("DELETE FROM history WHERE account_id = 2",
     'account "other" was altered: all entries are missing'),
])
def test_a_broken_chain_is_not_replaced(old, script, broken):
    """It names the first wrong entry and what to do. The place stays as it is."""
    with opened(old.data) as database:
        database.execute(script)
    before = backends.everything(old.data)
    said = fails("migrate", *where(old.data))
    assert broken in said and "restore a backup" in said, said
    assert broken in run("migrate", *where(old.data), "--dry-run").stderr
    assert backends.everything(old.data) == before
    assert rows(old.data, "SELECT max(number) FROM migration") == [(10,)]


def test_an_account_that_is_being_removed(old):
    """A part of its history is gone. The next serve removes the rest."""
    with opened(old.data) as database:
        database.execute("DELETE FROM token WHERE account_id = 2")
        database.execute("UPDATE account SET name = '-2' WHERE id = 2")
        database.execute("DELETE FROM history WHERE account_id = 2 AND change = 1")
    succeed("migrate", *where(old.data))
    assert rows(old.data, "SELECT max(number) FROM migration") == [(LATEST,)]
    old.start()
    until(lambda: run("check", *where(old.data)).returncode == 0)
    old.stop()
    assert rows(old.data, "SELECT count(*) FROM history WHERE account_id = 2") == [(0,)]
