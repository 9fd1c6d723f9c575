"""A PostgreSQL database of docket with accounts of base records, and processes that serve it."""
from harness import Server, basic, succeed

DOMAIN = "example.test"


class Deployment:
    """Made in an empty database; the files of tokens and logs are in the folder `place`. `with`
    stops the processes at the end."""

    def __init__(self, database, place, accounts=("first",), options=("--quiet",), tasks=0):
        self.database, self.place, self.options = database, place, options
        self.servers, self.tokens = [], {}
        for account in accounts:
            how = ["account", "add", account] if self.tokens else ["init", "--account", account]
            token = place / f"token.{account}"
            succeed(*how, "--database", self.url, "--token-file", token)
            succeed("demo", "--database", self.url, "--account", account, "--tasks", tasks)
            self.tokens[account] = token.read_text().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return self.database.url

    def serve(self, *options, url=None, env=None):
        """Starts one more process; its token is of the first account."""
        server = Server(None, next(iter(self.tokens.values())),
                        self.place / f"log{len(self.servers)}",
                        ["--database", url or self.url, "--base-domain", DOMAIN, *self.options,
                         *options], env=env)
        self.servers.append(server)
        return server

    def headers(self, account):
        return {"Host": f"{account}.{DOMAIN}",
                "Authorization": basic("admin/token", self.tokens[account])}

    def stop(self):
        """All processes, in order."""
        for server in self.servers:
            if server.running():
                server.stop()
            server.check_stderr()

    def check_history(self):
        """The change numbers of each account are 1 to n, without a gap or a repeat."""
        for name, last, *found in self.database.run(
                "SELECT a.name, a.last_change, count(h.change), count(DISTINCT h.change),"
                " min(h.change), max(h.change) FROM account a"
                " LEFT JOIN history h ON h.account_id = a.id GROUP BY a.id"):
            assert found == [last, last, 1, last], f"{name}: {last} {found}"

    def check_sound(self):
        self.check_history()
        assert succeed("check", "--database", self.url).stdout.endswith("\nsound\n")

    def titles(self):
        """(account, id) and the title of every task."""
        return {(account, number): title for account, number, title in self.database.run(
            "SELECT a.name, t.id, t.title FROM task t JOIN account a ON a.id = t.account_id")}
