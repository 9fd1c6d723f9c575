"""Idempotency-Key: a create that is sent again with its key creates nothing more, and gets the
first answer again."""
import concurrent.futures
import json

import pytest

import backends
import harness
from harness import JSON, MINIMAL, OWN, TASKS, cases, faults, problem
from together import started

pytestmark = backends.BOTH
BULK = TASKS + "/bulk"


def post(server, key, title="Once", **options):
    body = harness.task_json(title=title)
    return server.call("POST", TASKS, body, {**JSON, "Idempotency-Key": key}, **options)


def headers(reply):
    return sorted((name, value) for name, value in reply.headers if name not in OWN)


def named(server, title):
    reply = server.call("GET", f"{TASKS}?title={title}")
    assert reply.status == 200, reply
    return [task["id"] for task in reply.json]


def test_the_same_answer_again(server):
    first = post(server, "again-1", "Again first")
    assert first.status == 201, first
    for _ in range(3):
        again = post(server, "again-1", "Again first")
        assert (again.status, again.body) == (201, first.body)
        assert headers(again) == headers(first)
    assert named(server, "Again first") == [first.json["id"]]


def test_another_key_makes_another(server):
    ids = [post(server, f"another-{i}", "Another key").json["id"] for i in range(2)]
    assert named(server, "Another key") == ids


def test_with_another_body_it_is_a_fault(server):
    assert post(server, "other-body", "The first body").status == 201
    assert faults(post(server, "other-body", "The second body")) == [
        ("Idempotency-Key", "mismatch")]
    assert named(server, "The second body") == []


def test_what_was_refused_is_not_kept(server):
    problem(post(server, "refused", ""), 422)
    problem(server.call("POST", TASKS, b"{", {**JSON, "Idempotency-Key": "refused"}), 400)
    assert post(server, "refused", "Right at last").status == 201


def send(server, key, body, path=TASKS, **more):
    return server.call("POST", path, json.dumps(body).encode(),
                       {**JSON, "Idempotency-Key": key, **more})


UNKNOWN = cases([
    ("of a task", TASKS, harness.task(title="As it was", colour=1)),
    ("of the body", TASKS, {**harness.task(title="As it was"), "colour": 1}),
    ("of an operation", BULK, {"operations": [{"create": {**MINIMAL, "colour": 1}}]}),
    ("of the body of a bulk", BULK, {"operations": [{"create": MINIMAL}], "colour": 1}),
])


@pytest.mark.parametrize("path, body", UNKNOWN)
def test_what_was_right_then_is_answered_again(server, path, body, request):
    """The retry lacks the header that made the first request valid."""
    key = request.node.callspec.id.encode().hex()
    first = send(server, key, body, path, Prefer="handling=lenient")
    assert first.status in (200, 201), first
    again = send(server, key, body, path)
    assert (again.status, again.body) == (first.status, first.body)
    assert again.header("Location") == first.header("Location")
    assert again.header("ETag") == first.header("ETag")


@pytest.mark.parametrize("path, body", cases([
    ("a task", TASKS, {"task": {"title": 7}}), ("no task", TASKS, []),
    ("operations", BULK, {"operations": [{"create": {}}]}),
    ("more faults than are told", BULK, {"operations": [{"create": {}}] * 100}),
    ("no operations", BULK, {"operations": []}), ("too many", BULK, {"operations": [{}] * 501}),
]))
def test_another_body_that_is_wrong_in_itself(server, path, body, request):
    key = request.node.callspec.id.encode().hex()
    right = harness.task() if path == TASKS else {"operations": [{"create": MINIMAL}]}
    assert send(server, key, right, path).status in (200, 201)
    answer = send(server, key, body, path)
    assert faults(answer) == [("Idempotency-Key", "mismatch")]
    assert answer.json["detail"].startswith("Idempotency-Key: ")


def test_a_rule_that_came_later(make_server):
    server = make_server()
    set_account = lambda value: harness.succeed(  # noqa: E731
        "account", "set", "main", "--require-case", value, *backends.where(server.data))
    set_account("no")
    body = harness.task()
    del body["task"]["casefile_id"]
    first = send(server, "without", body)
    assert first.status == 201, first
    set_account("yes")
    assert faults(send(server, "another", body)) == [("task.casefile_id", "required")]
    again = send(server, "without", body)
    assert (again.status, again.body) == (201, first.body)


@pytest.mark.parametrize("key", cases([
    ("empty", ""), ("a blank in it", "a b"), ("too long", "x" * 256), ("not ASCII", "caf\xe9"),
]))
def test_no_key(server, key):
    answer = problem(post(server, key), 400)
    assert "Idempotency-Key" in answer["detail"]


def test_the_longest(server):
    assert post(server, "~" + "!" * 254).status == 201


@pytest.mark.slow
def test_it_is_of_one_account(pair):
    replies = []
    for account in pair.tokens:
        body = harness.task_json(title=f"of {account}")
        replies.append(pair.ask(account, "POST", TASKS, body,
                                {**JSON, "Idempotency-Key": "shared"}))
    assert [reply.status for reply in replies] == [201, 201], replies


@pytest.mark.slow
def test_200_retries_by_16_clients(make_server):
    server = make_server()
    with concurrent.futures.ThreadPoolExecutor(16) as clients:
        replies = list(clients.map(lambda _: post(server, "retried", "Retried"), range(200)))
    assert {reply.status for reply in replies} <= {201, 409}, {r.status for r in replies}
    for reply in replies:
        if reply.status == 409:
            problem(reply, 409)
            assert int(reply.header("Retry-After")) > 0
    made = {reply.body for reply in replies if reply.status == 201}
    assert len(made) == 1
    assert len(named(server, "Retried")) == 1


@pytest.mark.slow
def test_it_outlives_the_process_and_ends_after_a_day(make_server):
    server = make_server()
    first = post(server, "kept", "Kept")
    server.kill()
    server.start()
    assert post(server, "kept", "Kept").body == first.body
    server.stop()

    def age(seconds):
        with backends.opened(server.data) as database:
            database.execute("UPDATE idempotency SET at = at - ?", (seconds,))
    age(24 * 60 * 60 - 60)
    server.start()
    assert post(server, "kept", "Kept").body == first.body
    server.stop()
    age(61)
    server.start()
    second = post(server, "kept", "Kept")
    assert second.status == 201 and second.json["id"] == first.json["id"] + 1
    assert named(server, "Kept") == [first.json["id"], second.json["id"]]


def test_a_bulk_after_a_day(make_server):
    server = make_server()
    number = server.create(title="As it was", body="kept")["id"]
    body = {"operations": [{"update": {"id": number, "title": "First"}}]}
    assert send(server, "bulk", body, BULK).status == 200
    server.stop()
    with backends.opened(server.data) as database:
        database.execute("UPDATE idempotency SET at = at - ?", (24 * 60 * 60 + 1,))
    server.start()
    body["operations"][0]["update"]["title"] = "Second"
    answer = send(server, "bulk", body, BULK)
    assert answer.status == 200, answer
    task = answer.json["results"][0]
    assert (task["id"], task["title"], task["body"]) == (number, "Second", "kept")


@backends.POSTGRESQL
def test_under_way_while_the_body_is_wrong(make_server):
    server = make_server(options=["--statement-timeout", "60000"])
    body = harness.task(title="Slow", colour=1)
    with backends.opened(server.data) as database:
        database.execute("SELECT 1 FROM account FOR UPDATE")
        first = started(lambda: send(server, "slow", body, Prefer="handling=lenient"))
        server.data.until("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                          " AND datname = current_database()")
        problem(send(server, "slow", body), 409)
    assert first.result().status == 201
    assert send(server, "slow", body).body == first.result().body
