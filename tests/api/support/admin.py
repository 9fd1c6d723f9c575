"""For the tests of administration: folders of two accounts, commands on them, and all rows of an
account."""
import contextlib
import json
import pathlib
import re
import sqlite3

import backends
from backends import Database, where
from harness import TASKS, Server, basic, strict_json, succeed

DOMAIN = "example.test"
ACCOUNTS = ("first", "second")
LOG = ("audit", "given")  # the tables that an entry of the audit log changes
TOKEN = re.compile(r"docket_[A-Za-z0-9_-]{32}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def docket(folder, command, *arguments, **options):
    """Runs a command of two words on the folder. It must succeed; returns its output."""
    return succeed(*command.split(), *where(folder), *arguments, **options).stdout


def read_table(text):
    """The rows of a printed table as dicts; each column begins below its heading."""
    lines = text.splitlines()
    heads = [(found[0], found.start()) for found in re.finditer(r"\S+", lines[0])] if lines else []
    ends = [start for _, start in heads[1:]] + [None]
    return [{head: line[start:end].strip() for (head, start), end in zip(heads, ends)}
            for line in lines[1:]]


def shown(value):
    """A value as a printed table has it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


def listed(folder, command, *arguments):
    """The rows that a command lists with --json; its table must show the same."""
    rows = strict_json(docket(folder, command, "--json", *arguments).encode())
    table = docket(folder, command, *arguments)
    assert read_table(table) == [{key: shown(value) for key, value in row.items()}
                                 for row in rows], table
    return rows


def told_changes(before, after):
    """What a command prints when it has changed `before` to `after`."""
    def text(value):
        return ("no", "yes")[value] if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)
    return "".join(f"{key} is now {text(value)}, it was {text(before[key])}\n"
                   for key, value in after.items() if value != before[key])


def reading(folder):
    """The database of a folder, which may be served."""
    if isinstance(folder, Database):
        return backends.opened(folder)
    name = pathlib.Path(folder, "docket.db").as_uri() + "?mode=ro"
    return contextlib.closing(sqlite3.connect(name, uri=True))


def change(folder, sql, *values):
    """Changes a database that nobody serves."""
    with backends.opened(folder) as database:
        assert database.execute(sql, values).rowcount == 1


def dump(folder, account=None, used=True):
    """All rows of all tables, or those of one account, without the audit log. `used=False` omits when
    tokens were last used."""
    found = {}
    with reading(folder) as database:
        for table, columns in backends.tables(database).items():
            key = "id" if table == "account" else "account_id"
            if account is not None and (key not in columns or table == "audit"):
                continue
            where = "" if account is None else f" WHERE {key} = {account}"
            if not used and table == "token":
                columns.remove("last_used_at")
            found[table] = sorted(database.execute(
                f"SELECT {', '.join(columns)} FROM {table}{where}").fetchall(), key=repr)
    return found


def check_sound(folder):
    with reading(folder) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def check_help(command, argument):
    """--help prints one page, with the usage, the purpose and the options, and does nothing."""
    done = succeed(*command.split(), *(["name"] if argument else []), "--help")
    first = f"docket {command}{' ' + argument if argument else ''}: "
    assert done.stdout.startswith(first), done
    assert "\noptions:\n  --config FILE" in done.stdout and done.stderr == "", done


def refused(folder, how, words, named, **options):
    """Checks that a command is refused. `how` is `misuse` or `fails`. The command must print one line
    that contains `named`, and store nothing."""
    before = dump(folder)
    said = how(*words, *where(folder), **options)
    assert said.count("\n") == 1, said
    assert named in said, said
    assert dump(folder) == before


class Pair:
    """A server of two accounts, and requests to each over its host name."""

    def __init__(self, folder, tokens, log, options=()):
        self.folder, self.tokens = folder, dict(tokens)
        self.server = Server(folder, None, log, ["--base-domain", DOMAIN, *options])

    def do(self, command, *arguments):
        return docket(self.folder, command, *arguments)

    def ask(self, account, method="GET", path=TASKS, body=None, headers=(), token=None,
            user="admin"):
        access = basic(user + "/token", token or self.tokens[account])
        return self.server.call(method, path, body, {"Host": f"{account}.{DOMAIN}",
                                                     **dict(headers)}, access=access)

