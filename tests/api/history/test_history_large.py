"""Histories and lists of changes of more than a megabyte. docket sends them in pieces."""
import contextlib
import json
import time

import pytest

import backends
import harness
import records
from harness import OWN, SANITIZED, TASKS
from pieces import behind_its_back, line_of, rest, slow
from wire import Wire

pytestmark = [backends.BOTH, pytest.mark.slow]

PATIENT = ["--statement-timeout", "60000"]  # a machine with other work may need it
COUNT = 120  # changes of one task
LARGE = "\u0436\n" * 32767
CHANGES = "/api/v1/changes"
HISTORY = f"{TASKS}/1/history"
ROUTES = {HISTORY: TASKS + "/{id}/history", CHANGES: CHANGES}
LARGEST = {HISTORY: HISTORY + "?per_page=500", CHANGES: CHANGES}
both = pytest.mark.parametrize("path", [HISTORY, CHANGES])


def body_of(number):
    """Every tenth is the one before, so that an entry of the history is short."""
    number -= number % 10 == 5
    return LARGE[number % 3:]


@pytest.fixture(scope="module")
def base(database, tmp_path_factory):
    """A place with one task that was changed often, and its token."""
    def make(place):
        token = harness.make_data(place)
        server = harness.Server(place, token, tmp_path_factory.mktemp("make") / "stderr")
        task = server.create(title="0", body=body_of(0))
        assert task["id"] == 1
        for number in range(1, COUNT):
            records.change(server, records.TASK, 1, title=str(number), body=body_of(number))
        server.stop()
        return token
    return backends.once(database, "large-history", make)


@pytest.fixture(scope="module")
def server(share_server):
    """The tests only read from it."""
    return share_server(options=PATIENT)


def whole(server, path, method="GET"):
    reply = server.call(method, LARGEST[path])
    assert reply.status == 200 and reply.header("Content-Type") == "application/json"
    assert reply.header("Link") is None
    return reply


def next_of(reply):
    link = reply.header("Link")
    assert not link or link.startswith(f"<{HISTORY}?since=") and link.endswith('>; rel="next"'), link
    return link and link[1:link.index(">")]


def entries(path, reply):
    return reply.json if path == HISTORY else reply.json["changes"][-COUNT:]


@pytest.mark.parametrize("size", [1, 2])
def test_a_history_is_what_its_pages_are(server, size):
    start, parts = server.log_end(), []
    reply = whole(server, HISTORY)
    assert len(reply.body) > 20 * 1024**2
    line = line_of(server, start, ROUTES[HISTORY])
    assert (line["end"], line["bytes"]) == ("sent", len(reply.body))
    link = f"{HISTORY}?per_page={size}"
    while link:
        page = server.call("GET", link)
        assert page.status == 200 and len(page.json) == size and len(page.body) < 1024**2
        parts.append(page.body[1:-1])
        link = next_of(page)
    assert reply.body == b"[" + b",".join(parts) + b"]"
    assert [entry["fields"]["title"]["to"] for entry in reply.json] == [
        str(number) for number in range(COUNT)]


def test_a_page_of_a_history_is_whole(server):
    """Its link goes on where it ends, however long it is."""
    first = server.call("GET", f"{HISTORY}?per_page={COUNT - 3}")
    assert len(first.json) == COUNT - 3
    last = server.call("GET", next_of(first))
    assert last.header("Link") is None
    assert first.body[:-1] + b"," + last.body[1:] == whole(server, HISTORY).body


def test_the_changes(server):
    reply = whole(server, CHANGES)
    assert len(reply.body) > 10 * 1024**2
    numbers = [entry["change"] for entry in reply.json["changes"]]
    assert numbers == list(range(1, len(numbers) + 1)) and reply.json["last"] == numbers[-1]
    values = [entry["value"] for entry in entries(CHANGES, reply)]
    assert [value["title"] for value in values] == [str(number) for number in range(COUNT)]
    assert [value["body"] for value in values] == [body_of(number) for number in range(COUNT)]
    # What is short is the end of what is long.
    for since in (numbers[-1] - 1, numbers[-1] - 4):
        few = server.call("GET", f"{CHANGES}?since={since}")
        assert len(few.body) < 1024**2
        assert reply.body.endswith(b"," + few.body[len(b'{"changes":['):])
    assert server.call("GET", f"{CHANGES}?since={numbers[-1]}").json == {
        "changes": [], "last": numbers[-1]}


@both
def test_head(server, path):
    """It has the headers, and nothing is read for a body."""
    start = server.log_end()
    head, get = whole(server, path, "HEAD"), whole(server, path)
    assert head.body == b"" and int(head.header("Content-Length")) == len(get.body)
    assert ([pair for pair in head.headers if pair[0] not in OWN]
            == [pair for pair in get.headers if pair[0] not in OWN])
    assert line_of(server, start, ROUTES[path], "HEAD")["bytes"] == 0


@both
def test_http_1_0(server, path):
    with Wire(server) as wire:
        wire.send(server.request("GET", LARGEST[path], version="HTTP/1.0"))
        assert wire.reply().body == whole(server, path).body
        assert wire.at_end()


@both
def test_it_is_of_one_moment(make_server, path):
    server = make_server(options=PATIENT)
    before = whole(server, path)
    with slow(server, LARGEST[path]) as wire:
        for number in range(5):
            records.change(server, records.TASK, 1, title=f"later {number}")
        assert records.remove(server, records.TASK, 1).status == 204
        assert wire.reply().body == before.body
    assert len(entries(path, before)) == COUNT
    after = server.call("GET", LARGEST[path])
    assert after.body.startswith(before.body[:before.body.rindex(b"]")])


@both
@pytest.mark.parametrize("fault", [
    "DELETE FROM history WHERE change = {}",
    "UPDATE history SET value = NULL WHERE change = {}",
    "UPDATE history SET staff_id = NULL WHERE change = {}",
])
def test_an_entry_that_is_lost(make_server, path, fault):
    """The answer is broken off, never wrong and never silently shorter."""
    server = make_server(options=PATIENT)
    sound = whole(server, path)
    change = entries(path, sound)[-2]["change"]
    start = server.log_end()
    with slow(server, LARGEST[path]) as wire:
        behind_its_back(server, fault.format(change))
        head, _, body = rest(wire).partition(b"\r\n\r\n")
    assert f"\r\nContent-Length: {len(sound.body)}".encode() in head
    assert 0 < len(body) < len(sound.body) and sound.body.startswith(body)
    line = line_of(server, start, ROUTES[path])
    assert (line["status"], line["end"], line["bytes"]) == (200, "broken off", len(body))
    assert line["reason"] == "the stored data is damaged"
    assert "docket check says more" in server.stderr(start)


@backends.POSTGRESQL
@both
def test_connections_to_the_database_that_are_lost(make_server, path):
    """Each piece is read on a connection that is there."""
    server = make_server(options=PATIENT)
    sound = whole(server, path)
    with slow(server, LARGEST[path]) as wire:
        server.data.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()")
        assert wire.reply().body == sound.body


@both
def test_an_answer_that_takes_long(make_server, path):
    """It ends before the time limit, and the client goes on from there. 503 is right on a loaded machine."""
    server = make_server(options=["--statement-timeout", "1200" if SANITIZED else "300"])
    found, since, parts, refused = [], 0, 0, 0
    while len(found) < COUNT and refused < 50:
        reply = server.call("GET", f"{path}?since={since}" + "&per_page=500" * (path == HISTORY))
        if reply.status == 503:
            refused += 1
            continue
        page = reply.json if path == HISTORY else [
            entry for entry in reply.json["changes"] if entry["record"] == "task"]
        found, parts = found + page, parts + 1
        since = page[-1]["change"]
        if path == HISTORY and len(found) < COUNT:
            assert f"since={since}&per_page=500" in next_of(reply)
    assert parts > 1 or SANITIZED or path == CHANGES
    patient = make_server(options=PATIENT)
    assert found == entries(path, whole(patient, path))


def test_memory(make_server):
    """Clients that do not read hold a piece each; whole, these had some 700 MB. Sanitizers keep what is
    freed."""
    server = make_server(options=PATIENT)
    for path in (HISTORY, CHANGES):
        whole(server, path)
    before = server.memory()
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(slow(server, LARGEST[HISTORY]))
            stack.enter_context(slow(server, LARGEST[CHANGES]))
        deadline, most = time.monotonic() + 2, 0
        while time.monotonic() < deadline:
            most = max(most, server.memory())
            time.sleep(0.01)
        assert SANITIZED or most - before < 100 * 1024**2
        # Nobody else waits for them.
        assert json.loads(server.call("GET", f"{CHANGES}?since=1").body)["last"] > COUNT
