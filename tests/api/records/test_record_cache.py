"""The cache of records: what is answered from it, what ends it, and that no answer shows a version from
before another answer, however many write."""
import itertools
import json
import random
import time

import pytest

import backends
import proofs
from admin import Pair, docket
from harness import TASKS, Client, strict_json, succeed
from records import API, CALENDAR, EACH, STAFF, TASK, change, create, get, patch, remove, send
from together import beside, until

SECONDS = proofs.size(3)
WRITERS, READERS, TASKS_EACH = 3, 3, 8
TITLES = itertools.count(1)
QUERIES = ["sort=id", "sort=id&dir=desc&per_page=500", "sort=title&dir=desc", "status=none&sort=due_on",
           "case=245", "sort=id&per_page=7"]


def status(server):
    return strict_json(succeed("status", "--data", server.data, "--json").stdout.encode())


def counted(server):
    """The hits and misses so far."""
    found = status(server)["cache"]
    return found["hits"], found["misses"]


def plain(reply):
    """What an answer says, without the headers that differ in every answer."""
    return reply.status, reply.body, [(name, value) for name, value in reply.headers
                                      if name not in ("Date", "X-Request-Id")]


# What is answered from it

def test_a_record(make_server):
    server = make_server()
    number = create(server, TASK, title="Once", users_list=[1, 2], address={"city": "Denver"})["id"]
    first, second = get(server, TASK, number), get(server, TASK, number)
    assert counted(server) == (1, 1)
    assert first.status == 200 and plain(first) == plain(second)
    head = send(server, "HEAD", f"{TASKS}/{number}")
    assert plain(head) == (200, b"", plain(first)[2])
    known = get(server, TASK, number, headers={"If-None-Match": first.header("ETag")})
    assert known.status == 304 and known.body == b""
    assert known.header("ETag") == first.header("ETag")
    other = get(server, TASK, number, headers={"If-None-Match": '"1-999"'})
    assert plain(other) == plain(first)
    assert counted(server) == (4, 1)
    assert get(server, TASK, 999).status == 404
    assert counted(server) == (4, 2)


def test_a_list(make_server):
    server = make_server()
    for _ in range(5):
        create(server, TASK)
    first = send(server, "GET", TASKS)
    assert counted(server) == (0, 5)
    assert plain(send(server, "GET", TASKS)) == plain(first)
    assert counted(server) == (5, 5)
    for number in range(1, 6):
        assert get(server, TASK, number).json == first.json[number - 1]
    assert counted(server) == (10, 5)
    change(server, TASK, 3, title="Another")
    again = send(server, "GET", TASKS)
    assert [task["title"] for task in again.json] == ["A task", "A task", "Another", "A task", "A task"]
    assert counted(server) == (14, 6)
    pages = [send(server, "GET", f"{TASKS}?sort=title&per_page=2&page={page}") for page in (1, 2, 3)]
    assert [task for page in pages for task in page.json] == [again.json[i] for i in (0, 1, 3, 4, 2)]
    cursor = pages[0].header("Link").split("after=")[1].split(">")[0]
    assert send(server, "GET", f"{TASKS}?sort=title&per_page=2&after={cursor}").json == pages[1].json


def test_an_expansion_is_read(make_server):
    server = make_server()
    number = create(server, TASK, users_list=[1])["id"]
    get(server, TASK, number)
    before = counted(server)
    for path in (f"{TASKS}/{number}?expand=users", f"{TASKS}?expand=users"):
        assert b'"Users":[{"id":1,' in send(server, "GET", path).body
    assert counted(server) == before


def test_without_a_cache(make_server):
    server = make_server(options=["--record-cache", "0"])
    number = create(server, TASK)["id"]
    for _ in range(2):
        assert get(server, TASK, number).status == send(server, "GET", TASKS).status == 200
    assert set(status(server)["cache"].values()) == {0}


def test_the_limit(make_server):
    server = make_server(options=["--record-cache", "1"])
    for batch in range(3):
        operations = [{"create": {"casefile_id": 245, "calendar_id": 1, "due_on": "2027-01-31",
                                  "title": f"{batch} {i}", "body": "x" * 1000}} for i in range(500)]
        assert send(server, "POST", TASKS + "/bulk", {"operations": operations}).status == 200
    for page in (1, 2, 3):
        assert len(send(server, "GET", f"{TASKS}?per_page=500&page={page}").json) == 500
    found = status(server)["cache"]
    assert found["limit_bytes"] == 1 << 20 and 0.8 < found["used_bytes"] / found["limit_bytes"] <= 1
    assert 300 < found["records"] < 1000


# What ends it

@EACH
def test_a_change_and_a_removal(own_server, kind):
    number = create(own_server, kind)["id"]
    path = f"{kind.path}?id={number}"
    for key in ("first", "second"):
        before = [get(own_server, kind, number) for _ in range(2)]
        assert plain(before[0]) == plain(before[1])
        after = change(own_server, kind, number, external_id=f"cached {key}")
        found = [get(own_server, kind, number) for _ in range(2)]
        assert [reply.json for reply in found] == [after] * 2 and after["external_id"] == f"cached {key}"
        assert found[0].header("ETag") == found[1].header("ETag") != before[0].header("ETag")
        assert [send(own_server, "GET", path).json for _ in range(2)] == [[after]] * 2
    assert remove(own_server, kind, number).status == 204
    for _ in range(2):
        assert get(own_server, kind, number).status == 404
        assert send(own_server, "GET", path).json == []


def test_a_bulk(own_server):
    numbers = [create(own_server, TASK)["id"] for _ in range(3)]
    for number in numbers:
        get(own_server, TASK, number)
    results = send(own_server, "POST", TASKS + "/bulk", {"operations": [
        {"update": {"id": number, "title": "By a bulk"}} for number in numbers]}).json["results"]
    assert [get(own_server, TASK, number).json for number in numbers] == results
    assert {result["title"] for result in results} == {"By a bulk"}


def test_a_refused_bulk_ends_nothing_wrongly(own_server):
    number = create(own_server, TASK)["id"]
    before = get(own_server, TASK, number)
    reply = send(own_server, "POST", TASKS + "/bulk", {"operations": [
        {"update": {"id": each, "title": "New"}} for each in (number, 999999)]})
    assert reply.status == 422, reply
    for query in ("", "?dry_run=1"):
        reply = send(own_server, "PATCH", f"{TASKS}/{number}{query}",
                     {"task": {"title": "New" if query else " "}})
        assert reply.status == (200 if query else 422), reply
        assert plain(get(own_server, TASK, number)) == plain(before)


def test_a_command(make_server):
    server = make_server()
    assert get(server, STAFF, 2).json == get(server, STAFF, 2).json
    name = get(server, STAFF, 2).json["username"]
    docket(server.data, "staff set", name, "--email", "new@example.com")
    assert get(server, STAFF, 2).json["email"] == "new@example.com"


def test_accounts_are_apart(pair):
    """Both accounts have a task 1, and only the second has a task 9."""
    for _ in range(2):
        for account in ("first", "second"):
            made = pair.ask(account, "PATCH", f"{TASKS}/1", json.dumps({"task": {"title": account}}),
                            {"Content-Type": "application/json"})
            assert made.status == 200, made
        for account in ("first", "second", "first"):
            assert pair.ask(account, path=f"{TASKS}/1").json["title"] == account
        assert pair.ask("second", path=f"{TASKS}/9").status == 200
        assert pair.ask("first", path=f"{TASKS}/9").status == 404


def test_an_account_that_was_removed(base_of_two, tmp_path):
    """Another account gets its name, and none of its records."""
    place = backends.copy(base_of_two[0], tmp_path / "data")
    pair = Pair(place, base_of_two[1], tmp_path / "log")
    assert [pair.ask("second", path=f"{TASKS}/9").status for _ in range(2)] == [200, 200]
    pair.do("account remove", "second", "--yes")
    assert pair.ask("second", path=f"{TASKS}/9").status == 401
    file = tmp_path / "token"
    pair.do("account add", "second", "--token-file", file)
    token = file.read_text().strip()
    assert pair.ask("second", path=f"{TASKS}/9", token=token).status == 404
    assert pair.ask("second", token=token).json == []
    pair.server.stop()


# Beside writers

def write(server, number, stop, answered):
    """Changes tasks of this writer alone, each time to a title that was never used."""
    pick, client = random.Random(number), Client(server)
    own = range(1 + number * TASKS_EACH, 1 + (number + 1) * TASKS_EACH)
    while not stop.is_set():
        titles = {task: f"title {next(TITLES)}" for task in pick.sample(own, pick.choice([1, 1, 2, 5]))}
        if len(titles) == 1:
            (task, title), = titles.items()
            reply = patch(client, TASK, task, title=title)
        else:
            reply = send(client, "POST", TASKS + "/bulk", {"operations": [
                {"update": {"id": task, "title": title}} for task, title in titles.items()]})
        assert reply.status == 200, reply
        answered.update(titles)


def read(server, number, stop, answered, gets, lists):
    """Reads tasks and lists. Notes with each answer the titles that were answered before its request."""
    pick, client = random.Random(number), Client(server)
    while not stop.is_set():
        before = dict(answered)
        if pick.random() < 0.4:
            reply = send(client, "GET", f"{TASKS}?{pick.choice(QUERIES)}")
            lists.append((before, {task["id"]: task["title"] for task in reply.json}))
        else:
            task = pick.choice(sorted(before))
            reply = get(client, TASK, task)
            gets.append((task, before[task], reply.json["title"], reply.header("ETag")))
        assert reply.status == 200, reply


def versions_of_tasks(server):
    """The number of the change that gave each title; and the changes of each task, in order."""
    number, versions, since = {}, {}, 0
    while changes := send(server, "GET", f"{API}/changes?since={since}").json["changes"]:
        for entry in changes:
            if entry["record"] == "task":
                number[entry["value"]["title"]] = entry["change"]
                versions.setdefault(entry["id"], []).append(entry["change"])
        since = changes[-1]["change"]
    return number, versions


def check_gets(gets, number):
    """Each has a version that is no older than what was answered before, with its tag."""
    for _, before, title, tag in gets:
        assert tag == f'"1-{number[title]}"', (title, number[title], tag)
        assert number[title] >= number[before], f"{title!r} is older than {before!r}"


def check_readers(gets, number):
    """No reader sees a task go back."""
    last = {}
    for task, _, title, _ in gets:
        assert number[title] >= last.get(task, 0), (task, title)
        last[task] = number[title]


def check_lists(lists, number, versions):
    """Each shows one moment: every task has its last version up to the newest change that the list shows or
    that was answered before."""
    for before, found in lists:
        moment = max(number[title] for title in [*before.values(), *found.values()])
        for task, title in found.items():
            last = max(change for change in versions[task] if change <= moment)
            assert number[title] == last, (task, title, moment)


@proofs.SOAK
@pytest.mark.slow
def test_reads_beside_writers(make_server):
    server, answered = make_server(), {}
    seen = [([], []) for _ in range(READERS)]
    for _ in range(WRITERS * TASKS_EACH):
        record = create(server, TASK, title=f"title {next(TITLES)}")
        answered[record["id"]] = record["title"]

    def work(index, stop):
        if index < WRITERS:
            write(server, index, stop, answered)
        else:
            read(server, index, stop, answered, *seen[index - WRITERS])

    with beside(work, WRITERS + READERS):
        time.sleep(SECONDS)
        until(lambda: min(len(found) for reads in seen for found in reads), lambda count: count > 20)
        until(lambda: min(counted(server)), lambda count: count > 100)
    number, versions = versions_of_tasks(server)
    for gets, lists in seen:
        check_gets(gets, number)
        check_readers(gets, number)
        check_lists(lists, number, versions)
