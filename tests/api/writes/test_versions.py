"""Versions of a task that many clients change: over several processes, and in its history."""
import pytest

import backends
import harness
from harness import TASKS, problem
from records import API, TASK, change, create, get, patch, remove, send
from together import at_once
from wire import JSON_LINE, Wire

pytestmark = backends.BOTH

PROCESSES, CLIENTS, ROUNDS = 3, 32, 8


def changes(server, since):
    reply = send(server, "GET", f"{API}/changes?since={since}")
    assert reply.status == 200, reply
    return reply.json["changes"]


def last(server):
    (number,), = backends.rows(server.data, "SELECT last_change FROM account_state")
    return number


def history(server, number):
    reply = send(server, "GET", f"{TASKS}/{number}/history")
    assert reply.status == 200, reply
    return sorted(reply.json, key=lambda entry: entry["change"])


def test_each_version_has_its_change(make_server):
    """A patch that changes nothing, and a refused one, makes no version; restoring an old value
    makes one."""
    server = make_server()
    record = create(server, TASK, title="First")
    number, made = record["id"], last(server)
    tags = [get(server, TASK, number).header("ETag")]
    for title in ("Second", "First"):
        change(server, TASK, number, title=title)
        tags.append(get(server, TASK, number).header("ETag"))
        assert patch(server, TASK, number, title=title).header("ETag") == tags[-1]
        assert patch(server, TASK, number).header("ETag") == tags[-1]
        problem(patch(server, TASK, number, title=" "), 422)
        problem(patch(server, TASK, number, {"If-Match": tags[0]}, title="Lost"), 412)
        problem(remove(server, TASK, number, {"If-Match": tags[0]}), 412)
    assert len(set(tags)) == 3
    assert [entry["fields"].get("title") for entry in history(server, number)] == [
        {"from": None, "to": "First"}, {"from": "First", "to": "Second"},
        {"from": "Second", "to": "First"}]
    told = changes(server, made)
    assert [entry["change"] for entry in told] == [made + 1, made + 2]
    assert told[-1]["value"] == get(server, TASK, number).json


def test_a_deleted_task_in_its_history(make_server):
    server = make_server()
    record = create(server, TASK, title="To go", users_list=[1, 2], address={"city": "Denver"})
    number = record["id"]
    change(server, TASK, number, users_list=[3], status="complete")
    before = get(server, TASK, number).json
    assert remove(server, TASK, number).status == 204
    made, changed, deleted = history(server, number)
    assert [entry["action"] for entry in (made, changed, deleted)] == ["create", "update",
                                                                       "delete"]
    assert changed["fields"]["users_list"] == {"from": [1, 2], "to": [3]}
    # The history is the only place that shows the last state of a deleted task.
    assert {name: step["from"] for name, step in deleted["fields"].items()} == {
        name: value for name, value in before.items()
        if name not in ("id", "created_at", "updated_at") and value is not None}
    entry, = changes(server, last(server) - 1)
    assert (entry["action"], entry["id"], entry["value"]) == ("delete", number, None)
    server.stop()
    harness.succeed("check", *backends.where(server.data))
    server.start()
    assert history(server, number) == [made, changed, deleted]
    assert create(server, TASK)["id"] == number + 1
    problem(patch(server, TASK, number, title="Back"), 404)


class Clients:
    """Connections to several processes in turn, all used at the same time."""

    def __init__(self, servers):
        self.servers = servers
        self.wires = [Wire(servers[i % len(servers)]) for i in range(CLIENTS)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for wire in self.wires:
            wire.socket.close()

    def patch(self, client, number, text, *lines):
        return self.wires[client].ask("PATCH", f"{TASKS}/{number}", JSON_LINE, *lines,
                                      body=b'{"task":{%s}}' % text.encode())


@pytest.fixture
def clients(make_server, database):
    """Clients of three processes, if the database allows several."""
    servers = [make_server()]
    for _ in range(PROCESSES - 1 if database != "sqlite" else 0):
        servers.append(make_server(servers[0].data))
    with Clients(servers) as made:
        yield made


def test_one_of_all_wins(clients):
    server = clients.servers[0]
    number = create(server, TASK, body="")["id"]
    for turn in range(ROUNDS):
        now = get(server, TASK, number)
        tag, body = now.header("ETag"), now.json["body"]
        replies = at_once(lambda client, tag=tag, body=body, turn=turn: clients.patch(
            client, number, f'"body":"{body}{turn}-{client};"', f"If-Match: {tag}"), range(CLIENTS))
        assert sorted(reply.status for reply in replies) == [200] + [412] * (CLIENTS - 1)
        won, = (reply for reply in replies if reply.status == 200)
        # Every process at once has the version that the winner was answered.
        for client in range(len(clients.servers)):
            read = clients.wires[client].ask("GET", f"{TASKS}/{number}")
            assert (read.body, read.header("ETag")) == (won.body, won.header("ETag"))
            known = clients.wires[client].ask("GET", f"{TASKS}/{number}",
                                              f"If-None-Match: {won.header('ETag')}")
            assert known.status == 304
    assert get(server, TASK, number).json["body"].count(";") == ROUNDS
    assert len(history(server, number)) == ROUNDS + 1


def test_a_list_that_all_add_to(clients):
    """Each client reads the task, adds its own word and writes until it succeeds: no word is lost."""
    server = clients.servers[0]
    number = create(server, TASK, body="")["id"]

    def add(client):
        while True:
            read = clients.wires[client].ask("GET", f"{TASKS}/{number}")
            reply = clients.patch(client, number, f'"body":"{read.json["body"]} {client}"',
                                  f"If-Match: {read.header('ETag')}")
            if reply.status == 200:
                return
            problem(reply, 412)
    at_once(add, range(CLIENTS))
    words = get(server, TASK, number).json["body"].split()
    assert sorted(map(int, words)) == list(range(CLIENTS))
    # Each entry of the history builds on the one before.
    entries = history(server, number)
    assert len(entries) == CLIENTS + 1
    for before, after in zip(entries, entries[1:]):
        assert after["fields"]["body"]["from"] == before["fields"]["body"]["to"]


def test_one_of_all_deletes_it(clients):
    server = clients.servers[0]
    for _ in range(ROUNDS):
        number = create(server, TASK, users_list=[1, 2])["id"]
        tag = get(server, TASK, number).header("ETag")

        def either(client, number=number, tag=tag):
            if client % 2:
                return clients.wires[client].ask("DELETE", f"{TASKS}/{number}", f"If-Match: {tag}")
            return clients.patch(client, number, f'"title":"{client}"', f"If-Match: {tag}")
        statuses = [reply.status for reply in at_once(either, range(CLIENTS))]
        first = [status for status in statuses if status in (200, 204)]
        assert len(first) == 1, statuses
        assert set(statuses) - {first[0]} == {404 if first[0] == 204 else 412}, statuses
        assert get(server, TASK, number).status == (404 if first[0] == 204 else 200)


def test_the_case_changes_under_a_patch(clients):
    """docket checks the rules on what is stored: one client moves the task to another case, others
    set a subject of either case. The task never has a subject of another case."""
    server = clients.servers[0]
    subjects = {245: 209, 246: 210}
    number = create(server, TASK)["id"]

    def each(client):
        case = 245 + client % 2
        if client % 4 < 2:
            return clients.patch(client, number, f'"casefile_id":{case},"subject_id":null').status
        return clients.patch(client, number, f'"subject_id":{subjects[case]}').status
    for _ in range(ROUNDS):
        assert set(at_once(each, range(CLIENTS))) <= {200, 422}
    case, subject = 245, None
    for entry in history(server, number):
        case = entry["fields"].get("casefile_id", {"to": case})["to"]
        subject = entry["fields"].get("subject_id", {"to": subject})["to"]
        assert subject in (None, subjects[case]), entry
