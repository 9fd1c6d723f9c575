"""Many clients of two processes ask at the same time for a value that must be unique: one of them
gets it, and the others learn which field is at fault."""
import time

import pytest

import postgres
from deployment import deployed
from harness import TASKS, run, strict_json, task
from load import Link
from together import at_once, started

pytestmark = postgres.NEEDED

CLIENTS = (3, 4, 6, 8)
ROUNDS = 12  # for each number of clients
CASES, STAFF = "/api/v1/cases", "/api/v1/staff"


def case(number):
    return {"casefile": {"case_number": number}}


def member(name):
    return {"staff": {"username": name, "first_name": "A", "last_name": "B",
                      "email": "a@example.test", "access_level": "limited"}}


# The path, the fields of a request with that value, and the field.
UNIQUE = {
    "external_id": (TASKS, lambda value: task(external_id=value), "task.external_id"),
    "case_number": (CASES, case, "casefile.case_number"),
    "username": (STAFF, member, "staff.username"),
}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    with deployed(tmp_path_factory.mktemp("docket"), processes=2) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def links(deployment):
    links = [Link(deployment, deployment.servers[number % 2], "first")
             for number in range(max(CLIENTS))]
    yield links
    for link in links:
        link.close()


def one_has_it(answers, good, field):
    """Asserts that one answer is good and that all others name only the field."""
    assert [status for status, _, _ in answers].count(good) == 1, answers
    for status, _, body in answers:
        if status != good:
            assert status == 422, answers
            faults = [(error["field"], error["code"]) for error in strict_json(body)["errors"]]
            assert faults == [(field, "taken")], body


@pytest.mark.parametrize("clients", CLIENTS)
@pytest.mark.parametrize("name", UNIQUE)
def test_creates(deployment, links, name, clients):
    path, value, field = UNIQUE[name]
    for number in range(ROUNDS):
        wanted = value(f"create {name} {clients} {number}")
        answers = at_once(lambda link: link.ask("POST", path, wanted), links[:clients])
        one_has_it(answers, 201, field)


@pytest.mark.parametrize("clients", CLIENTS)
@pytest.mark.parametrize("name", UNIQUE)
def test_patches(deployment, links, name, clients):
    """Creates run at the same time, so that the changes are in batches with other writes."""
    path, value, field = UNIQUE[name]
    for number in range(ROUNDS):
        label = f"patch {name} {clients} {number}"
        made = [strict_json(links[0].ask("POST", path, value(f"{label} of {one}"))[2])["id"]
                for one in range(clients)]
        wrapper, key = field.split(".")
        change = {wrapper: {key: label}}

        def ask(at):
            if at % 3 == 2:
                status, headers, body = links[at].ask("POST", path, value(label))
                return (200 if status == 201 else status), headers, body
            return links[at].ask("PATCH", f"{path}/{made[at]}", change)

        one_has_it(at_once(ask, range(clients)), 200, field)


@pytest.mark.parametrize("clients", CLIENTS)
def test_bulks(deployment, links, clients):
    for number in range(ROUNDS):
        wanted = f"bulk {clients} {number}"
        creates = [{"create": task(external_id=external)["task"]}
                   for external in (None, wanted, None)]

        def ask(link):
            return link.ask("POST", f"{TASKS}/bulk", {"operations": creates})

        one_has_it(at_once(ask, links[:clients]), 200, "operations[1].external_id")


@pytest.mark.parametrize("name", UNIQUE)
def test_one_that_the_schema_refuses(deployment, links, name):
    """The transaction of another program, without docket's locks, has taken the value and is not
    committed when docket looks. Only the index of the schema detects it."""
    path, value, field = UNIQUE[name]
    table, column = field.split(".")
    taken = f"elsewhere {name}"
    made = strict_json(links[0].ask("POST", path, value(f"before {name}"))[2])["id"]
    connection = deployment.database.connect()
    try:
        connection.autocommit = False
        with connection.cursor() as cursor:
            # A copy of a record under another id, with that value and its key.
            cursor.execute(f"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object("
                           f"'id', 900000, 'external_id', NULL, '{column}', %s::text,"
                           f" '{column}_key', %s::text))).* FROM {table} t"
                           f" WHERE t.account_id = 1 AND t.id = %s", (taken, taken, made))
            refused = started(links[0].ask, "POST", path, value(taken))
            deployment.database.until(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()")
        connection.commit()
        one_has_it([refused.result(), (200, None, None)], 200, field)
    finally:
        connection.rollback()
        connection.close()
        deployment.database.run(f"DELETE FROM {table} WHERE account_id = 1 AND id = 900000")


@pytest.mark.parametrize("words", [["account", "add", "patient"], ["token", "add", "patient"],
                                   ["staff", "add", "patient"]], ids=lambda words: words[0])
def test_a_command_waits_for_the_audit_log(deployment, tmp_path, words):
    """Longer than docket waits for a lock at a time."""
    more = ["--token-file", tmp_path / "token"] if words[0] != "staff" else []
    more += ["--account", "first"] if words[0] != "account" else []
    with deployment.database.held("SELECT 1 FROM given WHERE name = 'audit' FOR UPDATE"):
        done = started(run, *words, *more, "--database", deployment.url)
        time.sleep(1.5)
        assert not done.done()
    assert done.result().returncode == 0, done.result()
    assert "docket: " not in done.result().stderr, done.result()


@pytest.mark.parametrize("what", ["account", "token"])
def test_commands(deployment, tmp_path, what):
    """Unique names of accounts and labels of tokens."""
    for number in range(3):
        name = f"same{number}"

        def add(of):
            more = ["--account", "first"] if what == "token" else []
            return run(what, "add", name, "--database", deployment.url, *more, "--token-file",
                       tmp_path / f"{name}.{of}")

        done = at_once(add, range(5))
        assert sorted(one.returncode for one in done) == [0, 1, 1, 1, 1], done
        assert all(one.returncode == 0 or "already" in one.stderr for one in done), done


def test_all_is_sound(deployment):
    """The last test: refused requests have left nothing behind."""
    deployment.check_sound()
    for server in deployment.servers:
        assert "rule of the schema" not in server.stderr()
