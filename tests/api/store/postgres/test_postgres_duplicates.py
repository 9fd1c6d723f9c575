"""A value that one record alone may have, asked for by many clients of two processes at once: one
of them gets it, and all others are told which field is at fault."""
import subprocess
import threading

import pytest

import postgres
from deployment import Deployment
from harness import COMMAND_S, PROGRAM, TASKS, environment, strict_json, task
from load import Link

pytestmark = postgres.NEEDED

CLIENTS = (3, 4, 6, 8)
ROUNDS = 12  # of each number of clients
CASES, STAFF = "/api/v1/cases", "/api/v1/staff"


def case(number):
    return {"casefile": {"case_number": number}}


def member(name):
    return {"staff": {"username": name, "first_name": "A", "last_name": "B",
                      "email": "a@example.test", "access_level": "limited"}}


# Where, what a request of that value is, and the field.
UNIQUE = {
    "external_id": (TASKS, lambda value: task(external_id=value), "task.external_id"),
    "case_number": (CASES, case, "casefile.case_number"),
    "username": (STAFF, member, "staff.username"),
}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    database = postgres.shared().create("docket")
    with Deployment(database, tmp_path_factory.mktemp("docket")) as deployment:
        deployment.serve()
        deployment.serve()
        yield deployment


@pytest.fixture(scope="module")
def links(deployment):
    links = [Link(deployment, deployment.servers[number % 2], "first")
             for number in range(max(CLIENTS))]
    yield links
    for link in links:
        link.close()


def at_once(links, ask):
    """What ask(link, number) returns on each link, all begun at the same moment."""
    found, start = [None] * len(links), threading.Barrier(len(links))

    def one(number, link):
        start.wait()
        found[number] = ask(link, number)

    threads = [threading.Thread(target=one, args=pair, daemon=True) for pair in enumerate(links)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def one_has_it(answers, good, field):
    """One answer is good, and all others name the field alone."""
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
        one_has_it(at_once(links[:clients], lambda link, _: link.ask("POST", path, wanted)),
                   201, field)


@pytest.mark.parametrize("clients", CLIENTS)
@pytest.mark.parametrize("name", UNIQUE)
def test_patches(deployment, links, name, clients):
    """Beside creates, so that changes are in batches with others."""
    path, value, field = UNIQUE[name]
    for number in range(ROUNDS):
        label = f"patch {name} {clients} {number}"
        made = [strict_json(links[0].ask("POST", path, value(f"{label} of {one}"))[2])["id"]
                for one in range(clients)]
        wrapper, key = field.split(".")
        change = {wrapper: {key: label}}

        def ask(link, at):
            if at % 3 == 2:
                status, headers, body = link.ask("POST", path, value(label))
                return (200 if status == 201 else status), headers, body
            return link.ask("PATCH", f"{path}/{made[at]}", change)

        one_has_it(at_once(links[:clients], ask), 200, field)


@pytest.mark.parametrize("clients", CLIENTS)
def test_bulks(deployment, links, clients):
    for number in range(ROUNDS):
        wanted = f"bulk {clients} {number}"
        creates = [{"create": task(external_id=external)["task"]}
                   for external in (None, wanted, None)]

        def ask(link, _):
            return link.ask("POST", f"{TASKS}/bulk", {"operations": creates})

        one_has_it(at_once(links[:clients], ask), 200, "operations[1].external_id")


@pytest.mark.parametrize("name", UNIQUE)
def test_one_that_the_schema_refuses(deployment, links, name):
    """Somebody else's transaction, which holds no lock of docket's, has taken the value and is not
    committed when docket looks: only the index of the schema knows of it."""
    path, value, field = UNIQUE[name]
    table, column = field.split(".")
    taken = f"elsewhere {name}"
    made = strict_json(links[0].ask("POST", path, value(f"before {name}"))[2])["id"]
    found = []
    connection = deployment.database.connect()
    try:
        connection.autocommit = False
        with connection.cursor() as cursor:
            # A copy of a record under another id, whose value and key of the value are those.
            cursor.execute(f"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object("
                           f"'id', 900000, 'external_id', NULL, '{column}', %s::text,"
                           f" '{column}_key', %s::text))).* FROM {table} t"
                           f" WHERE t.account_id = 1 AND t.id = %s", (taken, taken, made))
            thread = threading.Thread(
                target=lambda: found.append(links[0].ask("POST", path, value(taken))))
            thread.start()
            deployment.database.until(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()")
        connection.commit()
        thread.join()
        one_has_it(found + [(200, None, None)], 200, field)
    finally:
        connection.rollback()
        connection.close()
        deployment.database.run(f"DELETE FROM {table} WHERE account_id = 1 AND id = 900000")


def commands_at_once(arguments, count):
    """So many of one command; their exit statuses and what they say."""
    running = [subprocess.Popen([PROGRAM, *map(str, arguments(number))], env=environment(),
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
               for number in range(count)]
    return [(one.communicate(timeout=COMMAND_S)[1], one.returncode) for one in running]


@pytest.mark.parametrize("what", ["account", "token"])
def test_commands(deployment, tmp_path, what):
    """Names of accounts and labels of tokens."""
    for number in range(3):
        name = f"same{number}"

        def add(of):
            more = ["--account", "first"] if what == "token" else []
            return [what, "add", name, "--database", deployment.url, *more,
                    "--token-file", tmp_path / f"{name}.{of}"]

        done = commands_at_once(add, 5)
        assert sorted(status for _, status in done) == [0, 1, 1, 1, 1], done
        for said, status in done:
            assert status == 0 or "already" in said, done


def test_all_is_sound(deployment):
    """Last: what was refused left nothing."""
    deployment.check_sound()
    for server in deployment.servers:
        assert "rule of the schema" not in server.stderr()
