"""Several docket processes over one database, none of which holds what another needs: whatever one
has answered, every other one knows at once. Load runs for $DOCKET_TEST_SECONDS."""
import asyncio
import concurrent.futures
import itertools
import json
import signal

import pytest

import crowd
import places
from crowd import ACCOUNTS, DOMAIN, SECONDS, Client, Closed
from harness import ANSWER_S, JSON, TASKS, basic, strict_json, succeed, task

PROCESSES, WRITERS = 3, 64
CHANGES = "/api/v1/changes"


@pytest.fixture
def served(tmp_path):
    """The processes, their database and the tokens of the accounts in it."""
    base, tokens = places.once("postgresql", "crowd", crowd.make_accounts)
    place = places.copy(base, None)
    servers = [crowd.serve(place, tmp_path / f"stderr-{number}") for number in range(PROCESSES)]
    yield servers, place, crowd.accounts_of(tokens)
    for server in servers:
        if server.running():
            server.stop()
    places.remove(place)


class Load:
    """Writers, half of them in one account; each reads its task from another process at once."""

    def __init__(self, servers, tokens):
        self.servers, self.tokens = servers, tokens
        self.acknowledged, self.unknown, self.ended = set(), set(), set()
        self.stopped = self.quiet = False

    def client(self, number, account):
        return Client(self.servers[number % len(self.servers)], account, self.tokens[account])

    async def write(self, number):
        account = "hot" if number % 2 else ACCOUNTS[1 + number // 2 % (len(ACCOUNTS) - 1)]
        writer, reader = self.client(number, account), self.client(number + 1, account)
        await writer.open()
        await reader.open()
        for turn in itertools.count():
            if self.stopped:
                break
            mine = account, f"{number} {turn}"
            try:
                status, headers, body = await writer.create(mine[1])
                assert status == 201, f"expected 201: {status} {body!r}"
                self.acknowledged.add(mine)
                status, _, read = await reader.get(strict_json(body)["id"])
                assert (status, read) == (200, body), f"expected it at once: {status} {read!r}"
            except (Closed, ConnectionError):
                assert self.ended & {writer.server, reader.server}, "nobody was to close it"
                self.unknown.add(mine)
                break
        writer.close()
        reader.close()

    async def follow(self, account):
        """Reads the changes of an account as they come; they come in their order, without a gap."""
        client, last = self.client(0, account), 0
        await client.open()
        while True:
            ending = self.quiet
            status, _, body = await client.get_path(f"{CHANGES}?since={last}")
            assert status == 200, body
            numbers = [change["change"] for change in strict_json(body)["changes"]]
            assert numbers == list(range(last + 1, last + 1 + len(numbers))), (last, numbers)
            last += len(numbers)
            if ending and not numbers:
                break
        client.close()
        return last

    async def run(self, then=None):
        jobs = [asyncio.create_task(self.write(number)) for number in range(WRITERS)]
        followers = [asyncio.create_task(self.follow(account)) for account in ("hot", "a")]
        await asyncio.wait(jobs, timeout=SECONDS / 2, return_when=asyncio.FIRST_EXCEPTION)
        if then:
            then()
        await asyncio.wait(jobs, timeout=SECONDS / 2, return_when=asyncio.FIRST_EXCEPTION)
        self.stopped = True
        await asyncio.wait_for(asyncio.gather(*jobs), ANSWER_S)
        self.quiet = True
        assert self.acknowledged, "expected some tasks"
        return await asyncio.wait_for(asyncio.gather(*followers), ANSWER_S)


def test_64_writers_over_three_processes(served):
    servers, place, tokens = served
    load = Load(servers, tokens)
    followed, _ = asyncio.run(load.run())
    print(f"{len(load.acknowledged)} tasks in {SECONDS:g} s, {followed} changes followed")
    assert load.unknown == set()
    assert [(followed,)] == places.rows(
        place, "SELECT last_change FROM account WHERE name = 'hot'")
    crowd.check_written(place, load.acknowledged)  # while they serve
    for server in servers:
        server.stop()
    crowd.check_written(place, load.acknowledged)


def test_one_of_them_is_killed(served):
    """What it was at is stored or not, each whole; the others do not notice."""
    servers, place, tokens = served
    load = Load(servers, tokens)

    def kill():
        load.ended.add(servers[2])
        servers[2].kill()

    asyncio.run(load.run(kill))
    assert len(load.unknown) <= WRITERS * 2 / 3 + 1
    crowd.check_written(place, load.acknowledged, load.unknown)
    servers[2].start()
    client = load.client(2, "hot")

    async def again():
        await client.open()
        return await client.create("again")
    assert asyncio.run(again())[0] == 201


def test_they_end_under_load(served):
    """One after the other, as in an upgrade: what was sent is answered."""
    servers, place, tokens = served
    load = Load(servers, tokens)

    def end():
        load.ended.update(servers[1:])
        for server in servers[1:]:
            server.process.send_signal(signal.SIGTERM)

    asyncio.run(load.run(end))
    for server in servers[1:]:
        server.wait()
    crowd.check_written(place, load.acknowledged, load.unknown)


def ask(server, account, token, method, path, value=None, user="admin", **headers):
    headers = {"Host": f"{account}.{DOMAIN}", **JSON,
               **{name.replace("_", "-"): text for name, text in headers.items()}}
    body = None if value is None else json.dumps(value).encode()
    return server.call(method, path, body, headers, access=basic(user + "/token", token))


def test_a_key_of_idempotency_is_everybodys(served):
    servers, place, tokens = served

    def create(number):
        return ask(servers[number % PROCESSES], "hot", tokens["hot"], "POST", TASKS,
                   task(title="once"), Idempotency_Key="everybody's")

    with concurrent.futures.ThreadPoolExecutor(12) as clients:
        replies = list(clients.map(create, range(60)))
    assert {reply.status for reply in replies} <= {201, 409}, replies
    assert len({reply.body for reply in replies if reply.status == 201}) == 1
    assert {create(number).status for number in range(PROCESSES)} == {201}
    assert crowd.stored(place) == [("hot", "once")]


def test_what_a_command_does_counts_in_every_process_at_once(served):
    servers, place, tokens = served
    where = places.where(place)

    def statuses(token, user="admin"):
        return {ask(server, "a", token, "GET", TASKS, user=user).status for server in servers}

    new = succeed("token", "add", "new", "--account", "a", *where).stdout.strip()
    assert statuses(new) == {200}
    succeed("token", "revoke", "new", "--account", "a", *where)
    assert statuses(new) == {401}
    for access, status in (("full", 200), ("limited", 403), ("disabled", 401)):
        succeed("staff", "set", "second", "--access", access, "--account", "a", *where)
        assert statuses(tokens["a"], "second") == {status}
    succeed("account", "remove", "a", "--yes", *where)
    assert statuses(tokens["a"]) == {401}
    succeed("check", *where)


def test_a_cursor_leads_on_in_another_process(served):
    servers, _, tokens = served
    for number in range(6):
        assert ask(servers[number % PROCESSES], "b", tokens["b"], "POST", TASKS,
                   task(title=f"t{number}")).status == 201
    path, found = TASKS + "?per_page=1&sort=title", []
    for number in itertools.count():
        reply = ask(servers[number % PROCESSES], "b", tokens["b"], "GET", path)
        assert reply.status == 200, reply
        found += [record["title"] for record in reply.json]
        nexts = [part for part in reply.header("Link").split(", ") if 'rel="next"' in part]
        if not nexts:
            break
        path = nexts[0][1:].split(">")[0]
    assert found == [f"t{number}" for number in range(6)]
