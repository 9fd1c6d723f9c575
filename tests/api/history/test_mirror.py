"""A client builds a copy of an account's records from /changes alone while 16 writers work. At the
end the copy equals the account. No change is missing or comes twice, and the numbers rise."""
import random
import time

import pytest

import backends
import proofs
from harness import Client
from records import CALENDAR, CASE, KINDS, STAFF, SUBJECT, TASK, create, least, patch, remove, send
from together import WAIT_S, beside, until

pytestmark = backends.BOTH
WRITERS, SECONDS = 16, proofs.size(4)


class Mirror:
    """Applies changes to a copy, and checks what a mirror may rely on."""

    def __init__(self, server):
        self.server, self.last, self.records = server, 0, {}

    def take(self):
        reply = send(self.server, "GET", f"/api/v1/changes?since={self.last}")
        answer = reply.json
        for change in answer["changes"]:
            assert change["change"] == self.last + 1, (change, self.last)
            self.last = change["change"]
            key = change["record"], change["id"]
            assert (key in self.records) == (change["action"] != "create"), change
            if change["action"] == "delete":
                assert change["value"] is None
                del self.records[key]
            else:
                self.records[key] = change["value"]
        assert answer["last"] == self.last
        return len(answer["changes"])


def same(server, mirror):
    """The account's records equal the copy."""
    for kind in KINDS:
        have, page = {}, 1
        while page:
            records = send(server, "GET", f"{kind.path}?per_page=500&page={page}").json
            have.update({record["id"]: record for record in records})
            page = page + 1 if len(records) == 500 else 0
        assert have == {number: record for (name, number), record in mirror.records.items()
                        if name == kind.wrapper}, kind.wrapper


def write(server, number, stop):
    """Creates, changes and deletes records of every kind."""
    pick, client, own = random.Random(number), Client(server), []
    while not stop.is_set():
        kind = pick.choice([TASK, TASK, TASK, CASE, SUBJECT, CALENDAR, STAFF])
        way = pick.random()
        if way < 0.5 or not own:
            reply = send(client, "POST", kind.path, {kind.wrapper: least(kind)})
            own.append((kind, reply.json["id"]))
            wanted = {201}
        elif way < 0.8:
            kind, record = pick.choice(own)
            reply = patch(client, kind, record, external_id=f"{number} {pick.random()}")
            wanted = {200}
        else:
            kind, record = own.pop(pick.randrange(len(own)))
            reply = remove(client, kind, record)
            wanted = {204}
        assert reply.status in wanted, reply


@proofs.SOAK
@pytest.mark.slow
def test_a_mirror_built_while_16_write(make_server):
    server = make_server()
    mirror, end = Mirror(Client(server)), time.monotonic() + SECONDS

    def taken():
        mirror.take()
        return mirror.last

    with beside(lambda number, stop: write(server, number, stop), WRITERS):
        until(taken, lambda count: count > 50 and time.monotonic() > end, "it was built while others wrote",
              SECONDS + WAIT_S, pause=0)
    while mirror.take():
        pass
    same(server, mirror)


@pytest.mark.slow
def test_a_mirror_of_large_records(make_server):
    """However large the changes are, they arrive together, and small ones after them."""
    server = make_server(options=["--statement-timeout", "60000"])
    tasks = [create(server, TASK, body="\u0436\n\"" * 21000) for _ in range(50)]
    for task in tasks[::2]:
        assert patch(server, TASK, task["id"], body="", title="small").status == 200
    for task in tasks[::5]:
        assert remove(server, TASK, task["id"]).status == 204
    mirror, parts = Mirror(server), []
    while not parts or parts[-1]:
        parts.append(mirror.take())
    assert parts == [mirror.last, 0]
    same(server, mirror)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.wrapper for kind in KINDS])
def test_the_history_of_every_kind(own_server, kind):
    record = create(own_server, kind)
    assert patch(own_server, kind, record["id"], external_id=f"of {kind.wrapper}").status == 200
    assert remove(own_server, kind, record["id"]).status == 204
    entries = send(own_server, "GET", f"{kind.path}/{record['id']}/history").json
    assert [entry["action"] for entry in entries] == ["create", "update", "delete"]
    assert entries[1]["fields"] == {"external_id": {"from": None, "to": f"of {kind.wrapper}"}}
    assert all(change["to"] is None for change in entries[2]["fields"].values())
    for entry in entries:  # a field that stays null did not change
        assert all(change["from"] != change["to"] for change in entry["fields"].values()), entry
    part = send(own_server, "GET", f"{kind.path}/{record['id']}/history?per_page=1&since="
                f"{entries[0]['change']}")
    assert part.json == entries[1:2]
    assert 'rel="next"' in part.header("Link")
