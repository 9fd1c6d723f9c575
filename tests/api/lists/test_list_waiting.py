"""Titles are searched as soon as they are written, although docket brings them into its text index later."""
import contextlib
import json
import random
import sqlite3
import threading

import pytest

import backends
from harness import JSON, MINIMAL, TASKS, succeed
from lists import count, encoded, folded, ids, listed
from test_list_title import TITLES
from titles import WAITING_MAX, kept_busy, take, until_taken, waiting
from together import at_once, until

pytestmark = backends.BOTH
SQLITE = backends.SQLITE
# With a sanitizer and beside other tests a write of many tasks takes long.
PATIENT = ["--statement-timeout", "60000"]
FAILS = "cannot bring titles into the text index: "

WORDS = ["alpha", "beta", "gamma", "Straße", "STRASSE", "\u00e9t\u00e9", "日本語", "ab", "x",
         "🚢🚢🚢", "100%", "\"q\""]


def found(server, needle, query=""):
    return ids(server, f"title={encoded(needle)}&per_page=500{query}")


def counted(server, needle):
    return count(server, f"title={encoded(needle)}")["record_count"]


def change(server, number, **fields):
    reply = server.call("PATCH", f"{TASKS}/{number}", json.dumps({"task": fields}).encode(), JSON)
    assert reply.status == 200, reply


def delete(server, number):
    assert server.call("DELETE", f"{TASKS}/{number}").status == 204


def bulk(server, operations):
    reply = server.call("POST", TASKS + "/bulk", json.dumps({"operations": operations}).encode(),
                        JSON)
    assert reply.status == 200, reply
    return [result["id"] for result in reply.json["results"]]


def create_many(server, titles):
    return bulk(server, [{"create": {**MINIMAL, "title": title}} for title in titles])


def sound(server):
    assert succeed("check", *backends.where(server.data)).stdout.endswith("\nsound\n")


def each_write(server):
    """What is found right after each kind of write."""
    first = server.create(title="A red harbour")["id"]
    second = server.create(title="A blue harbour")["id"]
    assert (found(server, "HARBOUR"), counted(server, "harbour")) == ([first, second], 2)
    assert found(server, "harbour", "&sort=title") == [second, first]
    assert found(server, "harbour", "&dir=desc") == [second, first]
    change(server, first, title="A green meadow")
    assert (found(server, "harbour"), found(server, "meadow")) == ([second], [first])
    change(server, first, title="A red harbour")  # and back
    assert (found(server, "harbour"), found(server, "meadow")) == ([first, second], [])
    delete(server, second)
    assert (found(server, "harbour"), counted(server, "harbour")) == ([first], 1)
    gone = server.create(title="A short-lived harbour")["id"]
    delete(server, gone)
    assert found(server, "harbour") == [first]
    return first


def test_right_after_each_write(make_server):
    """First while all titles wait, then with titles that are in the index."""
    server = make_server(options=PATIENT)
    with kept_busy(server):
        number = each_write(server)
        old = server.create(title="An old lighthouse")["id"]
        assert backends.where(server.data)[0] == "--database" or waiting(server.data)
    until_taken(server.data)
    assert (found(server, "harbour"), found(server, "lighthouse")) == ([number], [old])
    with kept_busy(server):
        change(server, old, title="An old windmill")
        assert (found(server, "lighthouse"), found(server, "windmill")) == ([], [old])
        change(server, old, title="An old watermill")
        assert (found(server, "windmill"), found(server, "watermill")) == ([], [old])
        delete(server, number)
        assert found(server, "harbour") == []
    sound(server)
    until_taken(server.data)
    assert (found(server, "harbour"), found(server, "windmill"), found(server, "watermill")) == (
        [], [], [old])
    sound(server)


def wait_once(attempt, make_server):
    """Runs the attempt on new servers until it returns True. It returns False if docket had the time to bring
    the titles into the index meanwhile: a pause of kept_busy() of half a second is enough."""
    assert any(attempt(make_server(options=PATIENT)) for _ in range(5)), "no title waits"


@SQLITE
@pytest.mark.slow
def test_every_kind_of_title_while_it_waits(make_server):
    wait_once(finds_every_kind_of_title, make_server)


def finds_every_kind_of_title(server):
    """The same answers as from the index, in every order, also page by page."""
    needles = sorted({title[start:start + 4] for title in TITLES for start in (0, len(title) // 2)})

    def answers():
        return {(needle, query): ids(server, f"title={encoded(needle)}&per_page=500{query}")
                for needle in needles for query in ("", "&sort=title", "&sort=due_on&dir=desc")}

    with kept_busy(server) as busy:
        create_many(server, TITLES)
        while_waiting = answers()
        pages = [ids(server, f"title=str&per_page=2&page={page}") for page in (1, 2, 3, 4)]
        waited = waiting(server.data) == len(TITLES) + 1
    until_taken(server.data)
    assert while_waiting == answers()
    assert sum(pages, []) == ids(server, "title=str")[:8]
    for needle in needles:
        assert while_waiting[needle, ""] == [
            number for number, title in enumerate([busy["title"], *TITLES], busy["id"])
            if folded(needle) in folded(title)]
    return waited


@SQLITE
@pytest.mark.slow
def test_few_titles_wait_under_load(make_server):
    """After each answer of a server that has no pause. Then no title waits soon."""
    server = make_server(options=PATIENT)
    numbers = []
    with kept_busy(server):
        for part in range(4):
            numbers += create_many(server, [f"Part {part} of the heap, number {number}"
                                            for number in range(400)])
            assert 0 < waiting(server.data) < WAITING_MAX
            assert counted(server, "of the heap") == len(numbers)
            assert found(server, f"Part {part}") == numbers[-400:]
        bulk(server, [{"update": {"id": number, "title": "Swept away"}} for number in numbers[:400]])
        assert 0 < waiting(server.data) < WAITING_MAX
        assert counted(server, "of the heap") == len(numbers) - 400
    until_taken(server.data)
    assert counted(server, "of the heap") == len(numbers) - 400
    assert found(server, "swept away") == numbers[:400]
    sound(server)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.slow
def test_beside_other_writers(make_server, seed):
    """Each of several clients finds exactly its own tasks after each of its writes, while docket brings
    titles into the index."""
    server = make_server(options=PATIENT)
    lock = threading.Lock()

    def work(client):
        dice = random.Random(f"{seed} {client}")
        own = {}
        with lock:
            for number in create_many(server, [f"{client}: many {n}" for n in range(300)]):
                own[number] = f"{client}: many"
        for _ in range(25):
            title = f"{client}: " + " ".join(dice.choices(WORDS, k=3))
            kind = dice.choice(("create", "change", "delete"))
            if kind == "create":
                own[server.create(title=title)["id"]] = title
            elif kind == "change":
                number = dice.choice(sorted(own))
                change(server, number, title=title)
                own[number] = title
            else:
                number = dice.choice(sorted(own))
                delete(server, number)
                del own[number]
            word = dice.choice([word for word in WORDS if len(word) > 2] + ["many"])
            got = [record["id"] for record in listed(server, f"title={encoded(word)}&per_page=500")
                   if record["title"].startswith(f"{client}: ")]
            wanted = sorted(number for number, title in own.items() if folded(word) in folded(title))
            assert word == "many" or got == wanted, (kind, word)
            assert found(server, f"{client}: {word}") == sorted(
                number for number, title in own.items()
                if folded(f"{client}: {word}") in folded(title)), (kind, word)
        return own

    owned = at_once(work, ["first", "second", "third", "fourth"])
    sound(server)
    until_taken(server.data)
    for client, own in zip(("first", "second", "third", "fourth"), owned):
        assert found(server, f"{client}: ") == sorted(own)
    sound(server)


@SQLITE
def test_a_kill_before_they_are_in_the_index(make_server):
    wait_once(goes_on_after_a_kill, make_server)


def goes_on_after_a_kill(server):
    """The next start goes on with them."""
    old = server.create(title="An old lighthouse")["id"]
    until_taken(server.data)
    with kept_busy(server):
        new = server.create(title="A new lighthouse")["id"]
        change(server, old, title="An old windmill")
    server.kill()
    waited = [waiting(server.data)]
    sound(server)
    server.start()
    with kept_busy(server):
        assert (found(server, "lighthouse"), found(server, "windmill")) == ([new], [old])
        waited.append(waiting(server.data))
    server.kill()
    server.start()
    until_taken(server.data)  # although no request has come since the start
    assert (found(server, "lighthouse"), found(server, "windmill")) == ([new], [old])
    server.stop()
    sound(server)
    return waited == [3, 4]


def in_index(folder, account):
    """How many tasks of an account the text index has."""
    with backends.opened(folder) as database:
        database.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, task_words, instance)")
        return database.execute("SELECT count(DISTINCT doc) FROM words WHERE doc >> 40 = ?",
                                [account]).fetchone()[0]


@SQLITE
def test_a_removed_account_leaves_no_title(make_server):
    server = make_server(options=PATIENT)
    server.stop()
    succeed("account", "add", "second", "--data", server.data, "--token-file",
            server.log.with_name("second"))
    succeed("demo", "--data", server.data, "--account", "second", "--tasks", 300)
    take(server.data)
    assert in_index(server.data, 2) == 300
    succeed("demo", "--data", server.data, "--account", "second", "--tasks", 50)
    assert waiting(server.data) == 50
    succeed("account", "remove", "second", "--yes", "--data", server.data)
    assert (in_index(server.data, 2), waiting(server.data)) == (0, 0)
    sound(server)


@SQLITE
@pytest.mark.slow
def test_when_the_index_cannot_be_written(make_server):
    """docket says so once, searches what waits, and goes on when it can."""
    server = make_server(options=PATIENT)
    number = server.create(title="A locked door")["id"]
    with contextlib.closing(sqlite3.connect(server.data / "docket.db",
                                            isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # as another program might
        until(lambda: FAILS in server.stderr())
        assert waiting(server.data) == 1
        assert found(server, "locked") == [number]
        other.execute("ROLLBACK")
    until_taken(server.data)
    assert found(server, "locked") == [number]
    assert server.stderr().count(FAILS) == 1
