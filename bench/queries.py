#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How long lists of tasks take in a large account.

    make bench-queries                  all of it, over 1,000,000 tasks
    bench/queries.py --tasks 100000 --runs 5 --only pairs

It makes the account once, under build/bench-data. 1,000,000 tasks take a minute or two and 1.2 GB; remove
the folder to make the account anew. It serves the account on the loopback and sends requests one after
the other over one connection. Each row of the table is one query. `total` is how many tasks match, `page` how many
the page had (per_page=100). The other columns are the first page by id, the first page by due date, and the
count. Each has the median and the worst of its runs (fewer runs where they take seconds) in milliseconds, as
the client measured them. The aim is a median of at most 10 ms, and no request over 2 s, after which docket
answers 503.

The part "shares" has every filter with values that match 0.1, 10 and 50 % of the account. The part "crosses"
has every pair of these, by id alone. It prints a line for each pair of shares; --json has every query. This
needs only /usr/bin/python3 and its standard library. It writes only below build/bench-data."""
import argparse
import datetime
import json
import pathlib
import statistics
import time
import urllib.parse

import harness
import shares
from harness import BUDGET_MS, DATA, Client, Measure, Server, query

DAY = 86400
SLOW_MS = 10
SLOW_SHOWN = 40
CROSS_RUNS = 5
OPEN = "none,needs_action,in_progress"
STATUSES = OPEN.split(",") + ["complete"]
EQUALITY = {"calendar": "calendar_id", "case": "casefile_id", "subject": "subject_id",
            "user": "staff_id", "status": "status"}
RANGES = {"due": "due_on", "complete": "complete_at", "alert": "alert_at",
          "alert_sent": "alert_sent_at", "created": "created_at", "updated": "updated_at"}


class Values:
    """Values of the account to filter by: common, typical and median ones."""

    def __init__(self, folder):
        self.folder, self.now = folder, int(time.time())
        self.common, self.second, self.typical, self.median = {}, {}, {}, {}
        for name, column in EQUALITY.items():
            table = "task_user" if name == "user" else "task"
            found = query(folder, f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"
                          " GROUP BY 1 ORDER BY count(*) DESC, 1")
            values = [STATUSES[value] if name == "status" else value for value, in found]
            self.common[name], self.second[name] = values[:2]
            self.typical[name] = values[len(values) // 2]
        for name in RANGES:
            self.median[name] = self.place(name, 0.5)

    def place(self, name, part):
        """The value below which the share `part` of the column's values lies."""
        column = RANGES[name]
        ((count,),) = query(self.folder, f"SELECT count({column}) FROM task")
        ((value,),) = query(self.folder, f"SELECT {column} FROM task WHERE {column} IS NOT NULL"
                            f" ORDER BY 1 LIMIT 1 OFFSET {int(count * part)}")
        return value

    def bound(self, name, value):
        """The value as a parameter; `value` is in days or seconds, as the database has it."""
        if name == "due":
            return (datetime.date(1970, 1, 1) + datetime.timedelta(value)).isoformat()
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc).strftime(
            "%Y-%m-%dT%H:%M:%SZ")

    def range(self, name, low, high):
        return (f"{name}_from={self.bound(name, low)}"
                f"&{name}_to={self.bound(name, high)}")

    def days(self, name, count):
        """A range of `count` days from the median on."""
        low, unit = self.median[name], 1 if name == "due" else DAY
        return self.range(name, low, low + count * unit - 1)


def quoted(text):
    return "title=" + urllib.parse.quote(text)


def alone(v):
    """Every filter by itself."""
    yield "no filter", ""
    yield "id, 1 value", "id=5000"
    yield "id, 100 values", "id=" + ",".join(str(n * 97) for n in range(1, 101))
    for name in EQUALITY:
        yield f"{name}, typical", f"{name}={v.typical[name]}"
        yield f"{name}, commonest", f"{name}={v.common[name]}"
        if name in ("case", "subject", "user"):
            yield f"{name}, none", f"{name}=none"
    yield "status, open (3 values)", f"status={OPEN}"
    for name in RANGES:
        yield f"{name}_from, half", f"{name}_from={v.bound(name, v.median[name])}"
        yield f"{name}_to, half", f"{name}_to={v.bound(name, v.median[name])}"
        yield f"{name}, a day", v.days(name, 1)
        yield f"{name}, a month", v.days(name, 30)
        yield f"{name}, middle half", v.range(name, v.place(name, 0.25), v.place(name, 0.75))
    for label, text in [("common word", "interview"), ("rare word", "zeppelin"),
                        ("1 character", "z"), ("1 rare character", "🚢"), ("2 characters", "gm"),
                        ("2, found nowhere", "qx"), ("found nowhere", "xylophone")]:
        yield f"title, {label}", quoted(text)


def pairs(v):
    """The queries that screens and programs send most; each with the commonest and with a typical value."""
    for kind, value in [("commonest", v.common), ("typical", v.typical)]:
        user, case, calendar = (f"{name}={value[name]}" for name in ("user", "case", "calendar"))
        status = f"status={'needs_action' if kind == 'typical' else 'complete'}"
        week = v.range("due", v.now // DAY, v.now // DAY + 6)
        for label, parameters in [
                # "My open tasks": the first screen of a staff member.
                ("user + status", f"{user}&{status}"),
                ("user + open", f"{user}&status={OPEN}"),
                # What is overdue or due soon, for a manager.
                ("status + due range", f"{status}&due_to={v.bound('due', v.now // DAY)}"),
                # A case's page.
                ("case + status", f"{case}&{status}"),
                # A calendar's month.
                ("calendar + due range", f"{calendar}&{v.days('due', 30)}"),
                # A staff member's week.
                ("user + due range", f"{user}&{week}"),
                # The nightly export: what was completed, or became urgent, since yesterday.
                ("status + updated_from",
                 f"{status}&updated_from={v.bound('updated', v.now - DAY)}"),
                # A search for a word that somebody remembers.
                ("case + title", f"{case}&{quoted('interview')}"),
                # The alerts of a staff member.
                ("user + alert range", f"{user}&{v.days('alert', 30)}"),
                # The progress of a department.
                ("calendar + status", f"{calendar}&{status}"),
                # What is known about a person.
                ("subject + status", f"subject={value['subject']}&{status}")]:
            yield f"{label}, {kind}", parameters


def hard(v):
    """Filters that each match many tasks but never together, and values that are rare in the range."""
    created = f"created_from={v.bound('created', v.median['created'])}"
    early = f"created_to={v.bound('created', v.place('created', 0.1))}"
    before = v.median["created"] - 1
    yield "created late + updated early", f"{created}&updated_to={v.bound('updated', before)}"
    yield "created late + complete early", f"{created}&complete_to={v.bound('complete', before)}"
    yield "created late + due early", f"{created}&due_to={v.bound('due', before // DAY - 1)}"
    yield "complete + alert ahead", f"status=complete&alert_from={v.bound('alert', v.now)}"
    yield "status none + completed", f"status=none&complete_from={v.bound('complete', 0)}"
    yield "alert ahead + alert sent", (f"alert_from={v.bound('alert', v.now)}"
                                       f"&alert_sent_from={v.bound('alert_sent', 0)}")
    yield "case + another's subject", f"case={v.common['case']}&subject={v.second['subject']}"
    yield "subject + no case", f"case=none&subject={v.common['subject']}"
    yield "rare status + oldest", f"status=in_progress&{early}"
    yield "open + oldest", f"status={OPEN}&{early}"
    yield "user + rare status + oldest", f"user={v.common['user']}&status=in_progress&{early}"
    yield "word + rare status + oldest", f"{quoted('interview')}&status=in_progress&{early}"
    yield "word + no user + rare status", f"{quoted('interview')}&user=none&status=in_progress"
    yield "word + calendar", f"{quoted('interview')}&calendar={v.typical['calendar']}"
    yield "word + created late + upd. early", (f"{quoted('interview')}&{created}"
                                               f"&updated_to={v.bound('updated', before)}")
    yield "2 characters + rare status", f"title=gm&status=in_progress&{early}"
    yield "nowhere + half", f"{quoted('qx')}&{created}"
    yield "3 users + calendar + open", (
        f"user=1,2,{v.typical['user']}&calendar={v.common['calendar']}&status={OPEN}")
    yield "5 ranges of half", "&".join(
        f"{name}_from={v.bound(name, v.median[name])}"
        for name in ("due", "complete", "alert", "created", "updated"))


def sorts(v):
    """Every sort in both directions, and with filters whose index does not have its order."""
    for sort in ("id", "due_on", "title", "created_at", "updated_at", "alert_at", "complete_at"):
        for direction in ("asc", "desc"):
            yield f"{sort} {direction}", f"sort={sort}&dir={direction}"
        yield f"{sort} + user", f"sort={sort}&user={v.common['user']}"
        yield f"{sort} + status", f"sort={sort}&status=complete&dir=desc"
        yield f"{sort} + case, typical", f"sort={sort}&case={v.typical['case']}"
    yield "all expansions", "expand=case,calendar,subject,case_service,users"


GROUPS = {"alone": alone, "pairs": pairs, "hard": hard}


class Report:
    """Prints rows and remembers the figures for the last line."""

    def __init__(self, client, runs):
        self.client, self.runs, self.all = client, runs, []

    def measure(self, label, parameters):
        found = Measure(self.client, parameters + "&per_page=100", self.runs)
        self.all.append((label, found))
        return found

    def group(self, name, questions):
        print(f"\n{name:<33}{'total':>8} {'page':>5}{'by id':>9}{'worst':>8}{'by due':>10}"
              f"{'worst':>8}{'count':>10}{'worst':>8}")
        for label, parameters in questions:
            lead = parameters + "&" if parameters else ""
            by_id = self.measure(f"{label}, by id", f"{lead}sort=id")
            by_due = self.measure(f"{label}, by due date", f"{lead}sort=due_on")
            count = self.measure(f"{label}, count", f"{lead}mode=count")
            print(f"{label:<33}{count.total or '':>8} {by_id.records:>5}{by_id} {by_due} {count}",
                  flush=True)

    def plain(self, name, questions):
        print(f"\n{name:<38}{'page':>9}{'median':>9}{'worst':>8}")
        for label, parameters in questions:
            found = self.measure(label, parameters)
            print(f"{label:<38}{found.records:>9}{found}", flush=True)

    def deep(self, v):
        """The first, the middle and the last page by number, and the page after it by its cursor."""
        def questions():
            for sort in ("id", "due_on", "title", "alert_at"):
                for filters in ("", "&status=complete", f"&calendar={v.common['calendar']}",
                                f"&case={v.common['case']}", f"&user={v.common['user']}"):
                    total = json.loads(self.client.get(f"mode=count{filters}").body)["record_count"]
                    for page in sorted({1, total // 200 + 1, (total - 1) // 100 + 1}):
                        asked = f"sort={sort}{filters}&page={page}&per_page=100"
                        cursor = self.client.get(asked).next
                        label = f"{sort}{filters.replace('&', ' + ')}, {page}"
                        yield f"{label} by page", asked.replace("&per_page=100", "")
                        if cursor:
                            yield f"{label} by cursor", cursor.replace("&per_page=100", "")
        self.plain("deep pages: sort, page", questions())

    def crosses(self, found):
        by_shares, self.runs = {}, min(self.runs, CROSS_RUNS)
        for pair, label, parameters in shares.pairs(found):
            for kind, more in (("page", ""), ("count", "&mode=count")):
                by_shares.setdefault((pair, kind), []).append(
                    self.measure(f"{label}, {kind}", parameters + more))
        print(f"\n{'pairs of filters':<33}{'queries':>9}{'median':>9}{'worst median':>14}")
        for ((share, other), kind), rows in sorted(by_shares.items()):
            medians = [row.median for row in rows]
            print(f"{shares.name_of(share)} and {shares.name_of(other)}, {kind}".ljust(33)
                  + f"{len(rows):>9}{statistics.median(medians):>9.2f}{max(medians):>14.2f}")

    def summary(self):
        slow = [(label, found) for label, found in self.all if found.median > SLOW_MS]
        if slow:
            print(f"\nslower than {SLOW_MS} ms, the slowest {SLOW_SHOWN}:")
        for label, found in sorted(slow, key=lambda row: -row[1].median)[:SLOW_SHOWN]:
            print(f"  {found.median:9.1f} {label:<45} {found.parameters[:110]}")
        worst = max(self.all, key=lambda row: row[1].worst)
        over = sum(found.over for _, found in self.all)
        print(f"\n{len(slow)} of {len(self.all)} medians are over {SLOW_MS} ms; {over} requests "
              f"took over {BUDGET_MS // 1000} s or failed; the worst took {worst[1].worst:.0f} ms "
              f"({worst[0]})")

    def rows(self):
        return [{"query": label, "parameters": found.parameters, "status": found.status,
                 "median_ms": found.median, "worst_ms": found.worst, "records": found.records,
                 "total": found.total} for label, found in self.all]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parts = [*GROUPS, "sorts", "deep", "shares", "crosses"]
    parser.add_argument("--tasks", type=int, default=1000000, help="how many the account has")
    parser.add_argument("--runs", type=int, default=15, help="of each request")
    parser.add_argument("--only", choices=parts, action="append",
                        help="this part alone; may come several times")
    parser.add_argument("--json", type=pathlib.Path, help="write the numbers of every query to this file")
    options = parser.parse_args()
    wanted = options.only or parts

    folder = harness.make_folder(f"tasks-{options.tasks}", options.tasks)
    values = Values(folder)
    print(f"{options.tasks} tasks, {options.runs} runs each on {harness.machine()}")
    found = (shares.filters(folder, values, EQUALITY, RANGES, STATUSES)
             if {"shares", "crosses"} & set(wanted) else {})
    with Server(folder, DATA / f"{folder.name}.token") as server:
        report = Report(Client(server), options.runs)
        for name, group in GROUPS.items():
            if name in wanted:
                report.group(name, group(values))
        if "sorts" in wanted:
            report.plain("sorts", sorts(values))
        if "deep" in wanted:
            report.deep(values)
        if "shares" in wanted:
            report.group("shares", shares.alone(found))
        if "crosses" in wanted:
            report.crosses(found)
        report.summary()
    if options.json:
        options.json.write_text(json.dumps(report.rows(), indent=1) + "\n")
    print(f"at the end: {harness.machine().split('; ')[1]}")


main()
