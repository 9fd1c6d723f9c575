"""Processes over one database hold nothing that another needs: any of them may end at any moment,
and whatever is made by one, or by a command, counts in all of them at once."""
import concurrent.futures
import re
import signal

import pytest

import postgres
from harness import TASKS, succeed, task
from office import Office
from writers import Link, Writers

PROCESSES, WRITERS = 3, 24
ACCOUNTS = ("hot", "second", "third")


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    database = postgres.shared().create("office")
    with Office(database, tmp_path_factory.mktemp("office"), ACCOUNTS) as office:
        for _ in range(PROCESSES):
            office.serve()
        yield office


@pytest.fixture
def links(office):
    """A client of each process, in one account."""
    links = [Link(office, server, "second") for server in office.servers]
    yield links
    for link in links:
        link.close()


def run_load(office, name, then):
    """`then` happens half-way; the others get on with their work while and after it."""
    with Writers(office, office.servers, ACCOUNTS, WRITERS, name, refusals=True) as load:
        load.wait_for(100)
        then()
        load.first_after(load.times[-1])
        load.ending.wait(1.5)
    stayed = [title for title in load.unanswered
              if int(title.split()[-2]) % PROCESSES != PROCESSES - 1]
    assert stayed == [], "clients of other processes noticed it"
    left = load.check()
    print(f"{len(load.created)} created, {len(load.unanswered)} without an answer, {left} of these"
          " stored")
    return load, left


def test_one_is_killed(office):
    last = office.servers[-1]
    load, left = run_load(office, "killed", last.kill)
    assert load.unanswered and not load.refused
    assert left <= WRITERS / PROCESSES, "more than it was at"
    office.check_sound()
    last.start()
    assert Link(office, last, "hot").ask("POST", TASKS, task(title="again"))[0] == 201


def test_one_ends(office):
    """As in an upgrade, one after the other: what was sent is answered, or not stored."""
    last = office.servers[-1]
    _, left = run_load(office, "ended", lambda: last.process.send_signal(signal.SIGTERM))
    last.wait()
    assert left == 0
    office.check_sound()
    last.start()


def test_a_session_that_is_ended_is_not_noticed(office, links):
    """As an idle one by a firewall or by whoever keeps the database."""
    for turn in range(5):
        office.database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE datname = current_database() AND pid <> pg_backend_pid()")
        for number, link in enumerate(links):
            title = f"session {turn} {number}"
            status, headers, body = link.ask("POST", TASKS, task(title=title))
            assert status == 201, body
            assert link.ask("GET", headers["Location"])[2] == body
            assert list(office.titles().values()).count(title) == 1


def test_a_key_of_idempotency_is_everybodys(office):
    def create(number):
        link = Link(office, office.servers[number % PROCESSES], "third")
        status, _, body = link.ask("POST", TASKS, task(title="with a key"),
                                   {"Idempotency-Key": "everybody's"})
        link.close()
        return status, body

    with concurrent.futures.ThreadPoolExecutor(12) as clients:
        replies = list(clients.map(create, range(60)))
    assert {status for status, _ in replies} <= {201, 409}, replies
    made = {body for status, body in replies if status == 201}
    assert len(made) == 1
    assert [create(number) for number in range(PROCESSES)] == [(201, *made)] * PROCESSES
    assert list(office.titles().values()).count("with a key") == 1


def test_a_command_counts_in_every_process_at_once(office, links):
    def do(command):
        return succeed(*command.split(), "--database", office.url).stdout.strip()

    def statuses():
        return {link.ask("GET", TASKS)[0] for link in links}

    own = office.tokens["second"]
    try:
        office.tokens["second"] = do("token add new --account second")
        assert statuses() == {200}
        do("token revoke new --account second")
        assert statuses() == {401}
        office.tokens["second"] = do("token add reader --read-only --account second")
        assert {link.ask("POST", TASKS, task())[0] for link in links} == {403}
    finally:
        office.tokens["second"] = own
    assert statuses() == {200}
    do("account set second --require-case no")
    for link in links:
        status, _, body = link.ask("POST", TASKS, task(without=["casefile_id"]))
        assert status == 201, body


def test_a_cursor_leads_on_in_another_process(office, links):
    for number in range(6):
        status, _, body = links[number % PROCESSES].ask("POST", TASKS, task(title=f"page {number}"))
        assert status == 201, body
    path, found, turn = TASKS + "?per_page=1&sort=title&title=page%20", [], 0
    while path:
        status, headers, body = links[turn % PROCESSES].ask("GET", path)
        assert status == 200, body
        found += re.findall(rb'"title":"(page \d)"', body)
        following = re.search(r'<([^>]+)>; rel="next"', headers["Link"])
        path, turn = following and following[1], turn + 1
    assert found == [f"page {number}".encode() for number in range(6)]
