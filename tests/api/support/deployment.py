"""A database of docket, or a data folder, whose accounts have the base records, and the processes that
serve it."""
import contextlib

import backends
import postgres
from harness import TASKS, Server, basic, succeed, task
from load import Link
from wire import Reply

DOMAIN = "example.test"
CHECK_S = 1800  # a long proof makes a large database


@contextlib.contextmanager
def deployed(place, *accounts, processes=0, **options):
    """A database of the shared cluster and so many processes over it."""
    database = postgres.shared().create("docket")
    with Deployment(database, place, accounts or ("first",), **options) as deployment:
        for _ in range(processes):
            deployment.serve()
        yield deployment
    database.drop()


class Deployment:
    """Accounts in a database, or a data folder, that was empty. The folder `place` has the files of tokens
    and logs. `with` stops the processes at the end."""

    def __init__(self, database, place, accounts=("first",), options=("--quiet",), tasks=0, env=None):
        self.database, self.place, self.options, self.env = database, place, options, env or {}
        self.servers, self.tokens = [], {}
        for account in accounts:
            how = ["account", "add", account] if self.tokens else ["init", "--account", account]
            token = place / f"token.{account}"
            succeed(*how, *backends.where(database), "--token-file", token)
            succeed("demo", *backends.where(database), "--account", account, "--tasks", tasks)
            self.tokens[account] = token.read_text().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return self.database.url

    def serve(self, *options, url=None, env=None, listen="127.0.0.1:0"):
        """Starts one more process; its token is that of the first account."""
        server = Server(None, next(iter(self.tokens.values())),
                        self.place / f"log{len(self.servers)}",
                        [*(["--database", url] if url else backends.where(self.database)),
                         "--base-domain", DOMAIN, *self.options, *options],
                        env={**self.env, **dict(env or {})}, listen=listen)
        self.servers.append(server)
        return server

    def headers(self, account):
        return {"Host": f"{account}.{DOMAIN}",
                "Authorization": basic("admin/token", self.tokens[account])}

    def through(self, port):
        """The URL of the database by way of who stands between at that port."""
        return self.url.replace(f":{self.database.cluster.port}/", f":{port}/")

    def ask(self, method, path=TASKS, value=None, headers=(), account="first", server=None,
            source=None):
        """One request on a connection of its own, to the first process unless told."""
        link = Link(self, server or self.servers[0], account, source)
        try:
            status, got, body = link.ask(method, path, value, headers)
        finally:
            link.close()
        return Reply(status, "", got.items(), body)

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, title, server=None, headers=(), account="first", **fields):
        """Creates a task."""
        return self.ask("POST", TASKS, task(title=title, **fields), headers, account, server)

    def stop(self):
        """Stops all processes one after the other."""
        for server in self.servers:
            if server.running():
                server.stop()
            server.check_stderr()

    def check_history(self):
        """The change numbers of each account are 1 to n, without a gap or a repeat."""
        for name, last, *found in backends.rows(
                self.database, "SELECT a.name, s.last_change, count(h.change), count(DISTINCT h.change),"
                " min(h.change), max(h.change) FROM account a JOIN account_state s ON s.account_id = a.id"
                " LEFT JOIN history h ON h.account_id = a.id GROUP BY a.id, s.account_id"):
            assert found == [last, last, 1, last], f"{name}: {last} {found}"

    def check_sound(self):
        self.check_history()
        said = succeed("check", *backends.where(self.database), timeout=CHECK_S).stdout
        assert said.endswith("\nsound\n")

    def titles(self):
        """(account, id) and the title of every task."""
        return {(account, number): title for account, number, title in self.database.run(
            "SELECT a.name, t.id, t.title FROM task t JOIN account a ON a.id = t.account_id")}
