"""Lists of more than a megabyte. docket sends them in pieces, and they are the same as in one."""
import contextlib
import json
import random
import re
import string
import time

import pytest

import backends
import harness
import pieces
import records
from ca import TlsWire, with_tls
from harness import JSON, MINIMAL, OWN, SANITIZED, TASKS
from lists import ask, links, listed
from pieces import behind_its_back, rest
from together import at_once, beside
from wire import Wire

pytestmark = [backends.BOTH, pytest.mark.slow]

COUNT = 120 if SANITIZED else 480
LARGEST = "per_page=500"
ALL = "case,calendar,subject,case_service,users"


def fields_of(number, text):
    """Most bodies are large, some have many characters that are escaped, and some are short."""
    body = text[number:number + 65000]
    if number % 10 == 7:
        body = "\x01\"\\\n\u00e9\U0001f600" * 5000
    elif number % 10 == 9:
        body = "short"
    some = {"status": "complete"} if number % 3 == 0 else {}
    if number % 2:
        some |= {"subject_id": 209, "case_service_id": 1}
    return {**MINIMAL, "title": f"Task {number % 7} \u00c9", "body": body,
            "due_on": f"2023-02-{number % 28 + 1:02}", "calendar_id": 1,
            "users_list": [[], [1], [1, 2, 3], [3]][number % 4], **some}


def fill(server):
    text = "".join(random.Random(7).choices(string.ascii_letters + string.digits, k=70000))
    for first in range(0, COUNT, 10):
        operations = [{"create": fields_of(number, text)} for number in range(first, first + 10)]
        body = json.dumps({"operations": operations}, ensure_ascii=False).encode()
        assert server.call("POST", TASKS + "/bulk", body, JSON).status == 200
    # The records that they name are large as well.
    records.change(server, records.CASE, 245, notes="of the case " * 500)
    records.change(server, records.SUBJECT, 209, notes="of the subject " * 500)


@pytest.fixture(scope="module")
def base(database, tmp_path_factory):
    """A place with many large tasks, and its token."""
    def make(place):
        token = harness.make_data(place)
        server = harness.Server(place, token, tmp_path_factory.mktemp("make") / "stderr")
        fill(server)
        server.stop()
        return token
    return backends.once(database, "large", make)


@pytest.fixture(scope="module")
def server(own_server):
    """The tests only read from it."""
    return own_server


def slow(server, query=LARGEST):
    return pieces.slow(server, f"{TASKS}?{query}")


def line_of(server, start, method="GET"):
    return pieces.line_of(server, start, TASKS, method)


def pages(server, query, size):
    """What the same list has in pages of that size, as one."""
    path, parts = f"{TASKS}?per_page={size}&{query}", []
    while path:
        reply = server.call("GET", path)
        assert reply.status == 200 and len(reply.body) < 1024 * 1024, (path, reply)
        parts.append(reply.body[1:-1])
        path = links(reply).get("next")
    return b"[" + b",".join(part for part in parts if part) + b"]"


@pytest.mark.parametrize("query, size", [
    ("", 1),
    ("dir=desc", 10),
    ("sort=due_on", 10),
    ("sort=complete_at&dir=desc", 10),
    ("status=complete", 10),
    ("title=task+3", 10),
    ("user=3,none&subject=209", 10),
    ("expand=" + ALL, 10),
    ("expand=users&sort=title", 10),
    ("expand=subject&user=1&sort=due_on&dir=desc", 10),
])
def test_it_is_what_its_pages_are(server, query, size):
    start = server.log_end()
    reply = ask(server, f"{LARGEST}&{query}")
    assert reply.status == 200 and reply.header("Content-Type") == "application/json"
    assert len(reply.body) > 1024 * 1024
    line = line_of(server, start)
    assert (line["end"], line["bytes"]) == ("sent", len(reply.body))
    assert reply.body == pages(server, query, size)


def test_the_next_page(server):
    """The first page is large; the link behind it goes on."""
    first = ask(server, f"per_page={COUNT - 1}")
    assert list(links(first)) == ["first", "next"]
    last = server.call("GET", links(first)["next"])
    assert first.body[:-1] + b"," + last.body[1:] == ask(server, LARGEST).body


def test_other_kinds(make_server):
    server = make_server()
    for _ in range(25):
        records.create(server, records.SUBJECT, notes="\u0436" * 60000)
    path = records.SUBJECT.path
    whole = server.call("GET", path + "?per_page=500")
    parts = [server.call("GET", f"{path}?per_page=1&page={page}").body[1:-1]
             for page in range(1, len(whole.json) + 1)]
    assert whole.body == b"[" + b",".join(parts) + b"]"


def test_records_that_are_named_are_large(make_server):
    """Together they are longer than what is kept: not even the first piece has a record."""
    server = make_server()
    names = []
    for number in range(20):
        subject = records.create(server, records.SUBJECT, notes="\u0436" * 50000 + str(number))
        names.append(server.create(title="named", subject_id=subject["id"])["id"])
    query = f"id={','.join(map(str, names))}&expand=subject,users,case"
    whole = ask(server, query)
    assert len(whole.body) > 20 * 100000
    for number, (record, name) in enumerate(zip(whole.json, names, strict=True)):
        assert record == server.get(str(name) + "?expand=subject,users,case").json
        assert record["Subject"]["notes"].endswith(f"\u0436{number}")
    assert whole.body == pages(server, query, 1)


def test_head(server):
    """It has the headers, and nothing is read for a body."""
    start = server.log_end()
    head, get = ask(server, LARGEST, "HEAD"), ask(server, LARGEST)
    assert head.status == 200 and head.body == b""
    assert ([pair for pair in head.headers if pair[0] not in OWN]
            == [pair for pair in get.headers if pair[0] not in OWN])
    assert int(head.header("Content-Length")) == len(get.body)
    assert line_of(server, start, "HEAD")["bytes"] == 0
    assert line_of(server, start)["bytes"] == len(get.body)


def test_http_1_0(server):
    body = ask(server, LARGEST).body
    with Wire(server) as wire:
        wire.send(server.request("GET", f"{TASKS}?{LARGEST}", version="HTTP/1.0"))
        assert wire.reply().body == body
        assert wire.at_end()


def test_one_connection(server):
    """Requests that were sent together are answered one after the other."""
    body = ask(server, LARGEST).body
    with Wire(server) as wire:
        wire.send(server.request("GET", f"{TASKS}?{LARGEST}") * 2
                  + server.request("GET", f"{TASKS}?per_page=1"))
        assert wire.reply().body == wire.reply().body == body
        assert wire.reply().json == listed(server, "per_page=1")


def test_a_client_that_ended_its_side(server):
    body = ask(server, LARGEST).body
    with slow(server) as wire:
        wire.half_close()
        assert wire.reply().body == body


def test_tls(make_server, tmp_path):
    server, ca = with_tls(make_server, tmp_path)
    with TlsWire(server, ca) as wire:
        body = wire.ask("GET", f"{TASKS}?{LARGEST}").body
        assert body.startswith(wire.ask("GET", f"{TASKS}?per_page=1").body[:-1] + b",{")
    assert len(json.loads(body)) == COUNT


def test_it_is_of_one_moment(make_server):
    """What changes while it is sent does not change it, nor the records that it names."""
    server = make_server(options=["--statement-timeout", "60000"])
    query = f"{LARGEST}&expand={ALL}"
    before = ask(server, query)
    with slow(server, query) as wire:
        names = [record["id"] for record in before.json]
        operations = [{"update": {"id": name, "title": "changed", "users_list": [2]}}
                      for name in names]
        reply = server.call("POST", TASKS + "/bulk",
                            json.dumps({"operations": operations}).encode(), JSON)
        assert reply.status == 200
        for name in names[-5:]:
            assert records.remove(server, records.TASK, name).status == 204
        for kind, name in ((records.CASE, 245), (records.SUBJECT, 209)):
            records.change(server, kind, name, notes="changed")
        records.change(server, records.STAFF, 3, last_name="Changed")
        reply = wire.reply()
    assert reply.body == before.body and reply.header("Link") == before.header("Link")
    after = ask(server, query)
    assert len(after.json) == COUNT - 5
    assert {record["title"] for record in after.json} == {"changed"}


@pytest.mark.parametrize("query", [LARGEST, f"{LARGEST}&expand={ALL}"])
@pytest.mark.parametrize("fault", [
    "DELETE FROM history WHERE change = {}",
    "UPDATE history SET value = value || ' ' WHERE change = {}",
    "UPDATE history SET value = NULL WHERE change = {}",
    "UPDATE history SET record_id = record_id + 1 WHERE change = {}",
    "UPDATE history SET record = 'subject' WHERE change = {}",
])
def test_a_version_that_is_lost(make_server, fault, query):
    """The answer is broken off, never wrong and never silently shorter."""
    server = make_server()
    whole = ask(server, query).body
    last = json.loads(whole)[-1]["id"]
    change = re.search(r'"1-(\d+)"', server.get(last).header("ETag"))[1]
    start = server.log_end()
    with slow(server, query) as wire:
        behind_its_back(server, fault.format(change))
        head, _, body = rest(wire).partition(b"\r\n\r\n")
    assert f"\r\nContent-Length: {len(whole)}".encode() in head
    assert 0 < len(body) < len(whole) and whole.startswith(body)
    line = line_of(server, start)
    assert (line["status"], line["end"], line["bytes"]) == (200, "broken off", len(body))
    assert line["reason"] == "the stored data is damaged"
    assert "docket check says more" in server.stderr(start)
    # Everything else goes on.
    assert len(listed(server, "per_page=2")) == 2


@backends.POSTGRESQL
def test_a_database_that_does_not_answer(make_server):
    """docket waits for it some times the usual time, and then breaks the answer off."""
    server = make_server(options=["--statement-timeout", "4000"])
    whole, start = ask(server, LARGEST).body, server.log_end()
    with contextlib.closing(server.data.connect()) as connection:
        connection.autocommit = False
        with slow(server) as wire:
            connection.cursor().execute("LOCK TABLE history")
            time.sleep(6)
            connection.rollback()
            assert wire.reply().body == whole
        assert line_of(server, start)["end"] == "sent"
        start = server.log_end()
        with slow(server) as wire:
            connection.cursor().execute("LOCK TABLE history")
            body = rest(wire).partition(b"\r\n\r\n")[2]
            connection.rollback()
    assert 0 < len(body) < len(whole) and whole.startswith(body)
    line = line_of(server, start)
    assert (line["end"], line["bytes"]) == ("broken off", len(body))
    assert ask(server, LARGEST).body == whole


@backends.POSTGRESQL
def test_connections_to_the_database_that_are_lost(make_server):
    """Each piece is read on a connection that is there."""
    server = make_server()
    whole = ask(server, LARGEST).body
    with slow(server) as wire:
        server.data.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()")
        assert wire.reply().body == whole


def test_clients_that_go_away(make_server):
    """At any place of the answer, also while a piece is read."""
    server = make_server()
    random_ = random.Random(3)
    for _ in range(30):
        with slow(server) as wire:
            for _ in range(random_.randrange(40)):
                wire.more()
    assert len(listed(server, "per_page=3")) == 3
    server.stop()
    ends = {line["end"] for line in server.lines() if line["route"] == TASKS}
    assert ends == {"broken off", "sent"}


def test_a_client_that_stops(make_server):
    """It is ended, and its line says how much it was sent."""
    server = make_server(options=["--idle-timeout", "1"])
    size = int(ask(server, LARGEST, "HEAD").header("Content-Length"))
    start = server.log_end()
    with slow(server) as wire:
        line = line_of(server, start)
        assert line["end"] == "timed out" and 0 < line["bytes"] < size
        rest(wire)


def test_the_end_of_the_server(make_server):
    """An answer that has begun is sent whole."""
    server = make_server()
    whole = ask(server, LARGEST).body
    with slow(server) as wire:
        server.process.terminate()
        time.sleep(0.5)
        reply = wire.reply()
        assert reply.body == whole
    server.wait()


def test_many_at_the_same_time(make_server):
    """Each answer is complete, while others write."""
    server = make_server(options=["--statement-timeout", "60000"])
    whole = ask(server, LARGEST).body

    def read(_):
        with slow(server) as wire:
            return wire.reply().body

    def write(_, stop):
        while not stop.is_set():
            server.create(title="beside", due_on="2030-01-01")

    with beside(write):
        for body in at_once(read, range(6)):
            assert body.startswith(whole[:-1])


def test_memory(make_server):
    """What clients that do not read hold is a piece each; whole, 20 of these had 600 MB. Sanitizers keep
    what is freed."""
    server = make_server()
    before = server.memory()
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(slow(server))
        deadline, most = time.monotonic() + 2, 0
        while time.monotonic() < deadline:
            most = max(most, server.memory())
            time.sleep(0.01)
        assert SANITIZED or most - before < 100 * 1024**2
        # Nobody else waits for them.
        assert len(listed(server, "per_page=2")) == 2
        assert server.call("GET", "/api/v1/changes").status == 200
