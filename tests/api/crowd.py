"""Many clients at once, and what must hold of a database when they have written."""
import asyncio
import json
import os

import harness
import places
from harness import TASKS, basic, succeed, task, token_file
from places import where

SECONDS = float(os.environ.get("DOCKET_TEST_SECONDS", "3"))
DOMAIN = "example.test"
ACCOUNTS = ["hot", "a", "b", "c", "d", "e", "f", "g"]


class Closed(Exception):
    """The connection ended before the first byte of an answer."""


class Client:
    """A connection of many at once. It counts half an answer as the server's fault. It speaks for
    the server's own account, or for one by its name and token."""

    def __init__(self, server, account=None, token=None):
        self.server, self.reader, self.writer = server, None, None
        self.who = {}
        if account:
            self.who = {"host": f"{account}.{DOMAIN}", "access": basic("admin/token", token)}

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(self.server.host,
                                                                 self.server.port)

    async def ask(self, data):
        """Sends a request and returns status, headers and body."""
        try:
            self.writer.write(data)
            await self.writer.drain()
            first = await self.reader.read(1)
        except ConnectionError:
            raise Closed from None
        if not first:
            raise Closed
        head = first + await self.reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value for name, value in
                   (line.split(": ", 1) for line in lines[1:])}
        body = await self.reader.readexactly(int(headers["content-length"]))
        return int(lines[0].split(" ")[1]), headers, body

    async def create(self, title, *lines):
        body = json.dumps(task(title=title)).encode()
        return await self.ask(self.server.request(
            "POST", TASKS, "Content-Type: application/json", *lines, body=body, **self.who))

    async def get(self, task_id):
        return await self.ask(self.server.request("GET", f"{TASKS}/{task_id}", **self.who))

    async def get_path(self, path):
        return await self.ask(self.server.request("GET", path, **self.who))

    def close(self):
        if self.writer:
            self.writer.close()


def make_accounts(place):
    """The base records of all the accounts; returns their tokens."""
    tokens = []
    for account in ACCOUNTS:
        how = ["account", "add", account] if tokens else ["init", "--account", account]
        file = token_file(place, account)
        succeed(*how, *where(place), "--token-file", file)
        succeed("demo", *where(place), "--account", account, "--tasks", 0)
        tokens.append(file.read_text().strip())
    return " ".join(tokens)


def accounts_of(tokens):
    return dict(zip(ACCOUNTS, tokens.split()))


def serve(place, log, *options):
    """One process of several."""
    return harness.Server(place, None, log, ["--base-domain", DOMAIN, *options])


def stored(place):
    """(account, title) of every task, as often as it is there."""
    return [tuple(row) for row in places.rows(
        place, "SELECT a.name, t.title FROM task t JOIN account a ON a.id = t.account_id")]


def check_written(place, acknowledged, unknown=()):
    """Every acknowledged task is there once; of those whose answer is not known, none twice; and
    nothing else. Each account has its change numbers without gap or repeat, one for each task."""
    found = stored(place)
    assert len(set(found)) == len(found), "expected no task twice"
    missing = set(acknowledged) - set(found)
    assert not missing, f"{len(missing)} tasks had their 201 and are not stored: {missing}"
    more = set(found) - set(acknowledged) - set(unknown)
    assert not more, f"{len(more)} tasks that nobody was to have: {more}"
    for account_id, name, last_change, last_id in places.rows(
            place, "SELECT id, name, last_change, last_task_id FROM account"):
        changes = [change for change, in places.rows(
            place, "SELECT change FROM history WHERE account_id = ? ORDER BY change",
            (account_id,))]
        assert changes == list(range(1, last_change + 1)), f"{name}: change numbers"
        in_order = [task_id for task_id, in places.rows(
            place, "SELECT record_id FROM history WHERE account_id = ? AND record = 'task'"
            " ORDER BY change", (account_id,))]
        ids = [task_id for task_id, in places.rows(
            place, "SELECT id FROM task WHERE account_id = ? ORDER BY id", (account_id,))]
        assert in_order == ids, f"{name}: expected a history row a task, and rising ids"
        assert last_id == max(ids, default=0), name
    succeed("check", *where(place))
