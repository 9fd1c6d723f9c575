#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How fast docket is over PostgreSQL, compared with pgbench on the same cluster.

    make bench-postgres
    bench/postgres.py --seconds 8 --rounds 5 --only get

It makes a cluster of its own in a temporary folder (fsync on; removed at the end) with 64 accounts
of 1,000 tasks each. It reads from PostgreSQL's log which statements docket sends for one GET, one list of 100
tasks and one create, and writes scripts for pgbench with the same prepared statements, in the same order and
with the same values. Only ids, change numbers and accounts are new each time. So a GET is the lookup of
account, token and staff member, and of the task. A create is that lookup, then BEGIN, the lock of the
account's state, the records that the task names, the inserts and COMMIT. Both sides have 8 connections to the
database; wrk is docket's 64 clients. Accounts and tasks are random. The rounds alternate; the table has medians.

Client, docket and PostgreSQL share the machine, so HTTP, JSON and wrk lower docket's rate as well.
The Debian packages that this needs are in `script/bootstrap bench`. AIMS has the ratios that are wanted."""
import argparse
import datetime
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT / "tests" / "api" / "support")

import postgres  # noqa: the folder is set above
from harness import TASKS, task  # noqa
from deployment import DOMAIN, Deployment  # noqa
from load import Link  # noqa

ACCOUNTS, TASKS_EACH, CONNECTIONS, CLIENTS = 64, 1000, 8, 64
AIMS = {"get": 1.3, "list": 0.9, "create": 2.5}
# The change number and the task id of a create, from the account's state.
NEXT = "\\set change :last_change + 1\n\\set task :last_task_id + 1\n"
WRK = """
local requests = {}
for i = 1, 8192 do
	local headers = {Host = math.random(%d) .. ".%s", Authorization = "%s",
		["Content-Type"] = %s}
	requests[i] = wrk.format("%s", ("%s"):format(math.random(%d)), headers, %s)
end
local at = math.random(8192)
request = function()
	at = at %% 8192 + 1
	return requests[at]
end
done = function(summary, latency)
	print(string.format("bad %%d", summary.errors.status + summary.errors.connect +
		summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


def make_accounts(cluster, place):
    deployment = Deployment(cluster.create("bench"), place,
                            [str(number + 1) for number in range(ACCOUNTS)], tasks=TASKS_EACH)
    # One token for all, so that pgbench and wrk need not know 64.
    deployment.database.run("UPDATE token SET hash = (SELECT hash FROM token WHERE account_id = 1)")
    deployment.tokens = dict.fromkeys(deployment.tokens, deployment.tokens["1"])
    assert not deployment.database.run("SELECT 1 FROM account WHERE name <> id::text")
    deployment.database.run("VACUUM ANALYZE")
    return deployment


class Capture:
    """The statements that docket sends for one request, with their values."""

    def __init__(self, deployment, server, account, method, path, value=None):
        database, cluster = deployment.database, deployment.database.cluster
        cluster.set("log_statement", "all")
        link = Link(deployment, server, account)
        for _ in range(3 * CONNECTIONS):  # so that every connection has prepared all statements
            link.ask(method, path, value)
        database.run("SELECT 'from here on'")
        status, _, body = link.ask(method, path, value)
        database.run("SELECT 'up to here'")
        link.close()
        cluster.set("log_statement", "none")
        assert status in (200, 201), body
        said = cluster.log.read_text("utf-8", "replace").rsplit("SELECT 'from here on'", 1)[1]
        said = said.split("SELECT 'up to here'")[0]
        self.statements = []
        said = "\n".join(line for line in said.splitlines() if "SET statement_timeout" not in line)
        for line in said.splitlines():
            if found := re.search(r"LOG:  execute \S+: (.*)", line):
                self.statements.append((found[1], {}))
            elif found := re.search(r"DETAIL:  parameters: (.*)", line):
                self.statements[-1][1].update(
                    (int(number), None if value == "NULL" else value[1:-1].replace("''", "'"))
                    for number, value in
                    re.findall(r"\$(\d+) = ('(?:[^']|'')*'|NULL)", found[1]))
            elif line.startswith("\t"):
                raise SystemExit(f"a statement of two lines: {line}")


class Script:
    """A script for pgbench: values that change are its variables, all others are constants."""

    def __init__(self, place, name, capture, account, columns):
        self.path, self.given = place / f"{name}.sql", {}
        self.lines = [f"\\set account random(1, {ACCOUNTS})", f"\\set id random(1, {TASKS_EACH})"]
        for sql, values in capture.statements:
            names = {number: self.name(number, value, sql, account, columns)
                     for number, value in values.items()}
            text = re.sub(r"\$(\d+)", lambda found: names[int(found[1])], sql)
            if "FOR UPDATE" in sql:
                # docket turns to other accounts if one is locked; pgbench waits for the row.
                text = re.sub(r" AND pg_try_advisory_xact_lock\(.*\)(?= FOR UPDATE)", "", text)
                text = text.replace(" SKIP LOCKED", "")
                self.lines += [text + " \\gset", NEXT.strip()]
            else:
                self.lines.append(text + ";")
        self.path.write_text("\n".join(self.lines) + "\n")

    def name(self, number, value, sql, account, columns):
        """An argument as the script has it."""
        if not value:  # a variable of pgbench can be neither
            return "NULL" if value is None else "''"
        column = columns.get((sql.split("(")[0].split(" SET ")[0], number))
        if column is None and number == 1 and value == account:
            column = "account"
        if column:
            return ":" + column
        name = f"v{len(self.given)}"
        self.given[name] = value
        return ":" + name

    def run(self, url, seconds):
        given = [word for name, value in self.given.items() for word in ("-D", f"{name}={value}")]
        done = subprocess.run(
            [postgres.program("pgbench"), "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2",
             "-T", str(seconds), "-f", self.path, *given, url],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", check=False)
        found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
        failed = re.search(r"failed transactions: (\d+)", done.stdout)
        if done.returncode or not found or (failed and failed[1] != "0"):
            raise SystemExit(f"pgbench: {done.stdout}{done.stderr}")
        return float(found[1])


def changing(capture, by_id):
    """The arguments that are new each time, by the beginning of the statement and the argument's number.
    `by_id`: the second argument of the last statement is the id of a task."""
    fresh = {"INSERT INTO task ": {"change": "change", "id": "task"},
             "INSERT INTO history ": {"change": "change", "record_id": "task",
                                      "hash": "history_head"},
             "UPDATE account_state": {"last_change": "change", "last_task_id": "task"}}
    lookup, *_, last = (sql.split("(")[0] for sql, _ in capture.statements)
    found = {(lookup, 1): "account"}
    if by_id:
        found[last, 2] = "id"
    for sql, _ in capture.statements:
        start = sql.split("(")[0].split(" SET ")[0]
        if start.startswith("INSERT"):
            names = re.search(r"\((.*?)\)", sql)[1].split(", ")
            pairs = list(enumerate(names, 1))
        elif start.startswith("UPDATE"):
            pairs = [(int(number), name) for name, number in re.findall(r"(\w+) = \$(\d+)", sql)]
        else:
            continue
        for number, name in pairs:
            if start.startswith("UPDATE") and name.startswith(("last_", "history_head")):
                found[start, number] = name
            if name in fresh.get(start, ()):
                found[start, number] = fresh[start][name]
    return found


def wrk_script(place, name, deployment, method, path, body):
    """`path` may have %d, for the id of a task."""
    access = deployment.headers("1")["Authorization"]
    script = place / f"{name}.lua"
    script.write_text(WRK % (ACCOUNTS, DOMAIN, access, '"application/json"' if body else "nil",
                             method, path, TASKS_EACH, f"'{body}'" if body else "nil"))
    return script


def run_wrk(server, script, seconds):
    done = subprocess.run(["wrk", "-t", "1", "-c", str(CLIENTS), "-d", f"{seconds}s", "-s", script,
                           f"http://{server.host}:{server.port}"],
                          stdout=subprocess.PIPE, encoding="utf-8", check=True)
    if "bad 0\n" not in done.stdout:
        raise SystemExit(f"wrk got answers other than 2xx:\n{done.stdout}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])


def measure(deployment, server, name, script, lua, options):
    rates = {"docket": [], "pgbench": []}
    for number in range(options.rounds):
        # The rounds alternate which side runs first.
        for side in ("docket", "pgbench") if number % 2 else ("pgbench", "docket"):
            rates[side].append(run_wrk(server, lua, options.seconds) if side == "docket" else
                               script.run(deployment.url, options.seconds))
    row = {side: statistics.median(rates[side]) for side in rates}
    row["ratio"] = statistics.median(one / other for one, other in zip(*rates.values()))
    print(f"{name:8}{row['docket']:12,.0f}/s{row['pgbench']:12,.0f}/s{row['ratio']:8.2f}{AIMS[name]:8.2f}   "
          + "  ".join(f"{one:,.0f}:{other:,.0f}" for one, other in zip(*rates.values())),
          flush=True)
    return {**row, "aim": AIMS[name], "rounds": rates}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=int, default=8, help="of one run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=list(AIMS))
    parser.add_argument("--show", action="store_true", help="print the scripts of pgbench")
    parser.add_argument("--json", type=pathlib.Path, help="write the numbers to this file")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed: apt-get install wrk")
    place, lock = postgres.begin()
    try:
        cluster = postgres.private(fsync="on", shared_buffers="1GB", max_wal_size="4GB")
        with make_accounts(cluster, place) as deployment:
            rows = run(deployment, place, options)
        if options.json:
            options.json.write_text(json.dumps(rows, indent=1) + "\n")
    finally:
        postgres.clear(place)
        lock.close()


def a_list():
    """The path of a list of 100 tasks by due date, with a status and a range of due dates."""
    today = datetime.date.today()
    return (f"{TASKS}?status=complete&due_from={today - datetime.timedelta(365)}&due_to={today}"
            "&sort=due_on&per_page=100")


def run(deployment, place, options):
    server, rows = deployment.serve("--database-connections", CONNECTIONS), {}
    print(f"{'':8}{'docket':>14}{'pgbench':>14}{'ratio':>8}{'aim':>8}   each round")
    for name, method, path, value in (("get", "GET", f"{TASKS}/%d", None), ("list", "GET", a_list(), None),
                                      ("create", "POST", TASKS, task(title="A task to be done"))):
        if options.only not in (None, name):
            continue
        account = str(ACCOUNTS)
        capture = Capture(deployment, server, account, method, path.replace("%d", "1"), value)
        script = Script(place, name, capture, account, changing(capture, name == "get"))
        if options.show:
            print(script.path.read_text(), script.given)
        lua = wrk_script(place, name, deployment, method, path, value and json.dumps(value))
        rows[name] = measure(deployment, server, name, script, lua, options)
    return rows


if __name__ == "__main__":
    main()
