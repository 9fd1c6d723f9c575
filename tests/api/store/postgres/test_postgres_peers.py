"""Processes over one database hold nothing that another one needs. Each may end at any moment, and
the changes of one process or of a command apply to all at once."""
import concurrent.futures
import re
import signal

import pytest

import postgres
from deployment import deployed
from harness import TASKS, succeed, task
from load import Link, Load

pytestmark = postgres.NEEDED

PROCESSES, WRITERS = 3, 24
ACCOUNTS = ("hot", "second", "third")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    with deployed(tmp_path_factory.mktemp("docket"), *ACCOUNTS,
                  processes=PROCESSES) as deployment:
        yield deployment


@pytest.fixture
def links(deployment):
    """One client of each process, in one account."""
    links = [Link(deployment, server, "second") for server in deployment.servers]
    yield links
    for link in links:
        link.close()


def run_load(deployment, name, then):
    """Runs `then` half-way through a load; the other clients continue during and after it."""
    with Load(deployment, deployment.servers, ACCOUNTS, WRITERS, name, refusals=True) as load:
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


def test_one_is_killed(deployment):
    last = deployment.servers[-1]
    load, left = run_load(deployment, "killed", last.kill)
    assert load.unanswered and not load.refused
    assert left <= WRITERS / PROCESSES, "more than it was at"
    deployment.check_sound()
    last.start()
    assert Link(deployment, last, "hot").ask("POST", TASKS, task(title="again"))[0] == 201


def test_one_ends(deployment):
    """As in an upgrade, one process after the other: each request is answered, or not stored."""
    last = deployment.servers[-1]
    _, left = run_load(deployment, "ended", lambda: last.process.send_signal(signal.SIGTERM))
    last.wait()
    assert left == 0
    deployment.check_sound()
    last.start()


def test_a_session_that_is_ended_is_not_noticed(deployment, links):
    """A firewall or an administrator may end an idle session."""
    for turn in range(5):
        deployment.database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE datname = current_database() AND pid <> pg_backend_pid()")
        for number, link in enumerate(links):
            title = f"session {turn} {number}"
            status, headers, body = link.ask("POST", TASKS, task(title=title))
            assert status == 201, body
            assert link.ask("GET", headers["Location"])[2] == body
            assert list(deployment.titles().values()).count(title) == 1


def test_a_key_of_idempotency_is_everybodys(deployment):
    def create(number):
        link = Link(deployment, deployment.servers[number % PROCESSES], "third")
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
    assert list(deployment.titles().values()).count("with a key") == 1


def test_a_command_counts_in_every_process_at_once(deployment, links):
    def do(command):
        return succeed(*command.split(), "--database", deployment.url).stdout.strip()

    def statuses():
        return {link.ask("GET", TASKS)[0] for link in links}

    own = deployment.tokens["second"]
    try:
        deployment.tokens["second"] = do("token add new --account second")
        assert statuses() == {200}
        do("token revoke new --account second")
        assert statuses() == {401}
        deployment.tokens["second"] = do("token add reader --read-only --account second")
        assert {link.ask("POST", TASKS, task())[0] for link in links} == {403}
    finally:
        deployment.tokens["second"] = own
    assert statuses() == {200}
    do("account set second --require-case no")
    for link in links:
        status, _, body = link.ask("POST", TASKS, task(without=["casefile_id"]))
        assert status == 201, body


def test_a_cursor_leads_on_in_another_process(deployment, links):
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
