"""The tasks for the tests of lists: titles of every kind, and times that no client can set. The tests write
these into the database of a server that does not run."""
import contextlib
import json
import random
import sqlite3
import time

import backends
import migrations
import postgres
from backends import where
from harness import JSON, TASKS, Server, basic, make_data, succeed, task_json, token_file
from wire import Wire, message

DAY = 86400
IDLE_S = 5  # less than the time after which the server closes a silent connection
# Whole days near most times, so that many times are equal and equal the bounds of filters.
DAYS = [18262, 19000, 19001, 19024, 19358, 19400, 20000, 20001]
DUE = [DAYS[0], DAYS[2], DAYS[4], DAYS[4], DAYS[4], DAYS[5], DAYS[7]]
OLD = -200000  # long before 1970
STATUSES = ["none", "needs_action", "in_progress", "complete"]

# Titles with composed and decomposed letters, letters with a longer fold, characters above U+FFFF and just
# below (UTF-16 sorts these two the other way round), and all characters that are special in SQL or in an
# index.
TITLES = [
    "Call", "call", "CALL", "Call the claimant", "call the CLAIMANT", "Write report", "Interview",
    "Stra\u00dfe 12", "STRASSE 12", "strasse", "STRA\u1e9eE", "Ma\u00dfe", "\ufb01le the claim",
    "FILE the claim", "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2",
    "\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3", "\u03bf\u03b4\u03cc\u03c2",
    "\u039f\u0394\u039f\u03a3",
    "Caf\u00e9", "Cafe\u0301", "CAF\u00c9", "CAFE\u0301 noir", "cafe", "A\u030angstr\u00f6m",
    "\u212bngstro\u0308m", "\u00e5ngstr\u00f6m", "\u0130stanbul", "Istanbul", "\u0131stanbul",
    "\u01f0az", "J\u030caz", "x\u0301y", "\u0301lone", "\u0149un", "\u0390\u03b0", "\ud55c\uae00",
    "\u1112\u1161\u11ab\u1100\u1173\u11af", "\u6f22\u5b57", "\u6f22", "\u6f22\u5b57\u6587",
    "\U0001f600", "\U0001f600 smile", "\U0001f600\U0001f601\U0001f602", "\uff5e wave", "\ufb05ern",
    "\U0001f469\u200d\u2696\ufe0f counsel", "\U00010400\U00010428 deseret",
    "\U00010428\U00010400 Deseret", "100%", "100 %", "%", "_", "a_b", "axb", "a%b", "\\",
    "C:\\temp",
    "C:\\\\temp", "\\%", "\\_", "'", "O'Brien", "O''Brien", "\"", "say \"no\"", "\"\"\"", "*",
    "ab*",
    "a*c", "[a-c]", "?", "a?c", "AND", "a OR b", "NOT x", "NEAR(a b)", "title:call", "^call",
    "-call",
    "(", "a) b", "{a}", "+1", "a&b=c", "a;b", "#1", "a/b", "a,b", "none", "null", "0", " blank ",
    "two  blanks", "no\u00a0break", "aaaa", "aaaaaa", "abababab", "z" * 255, "\u00df" * 200,
    "a long title, with \"quotes\" and \u00df: " + "0123456789" * 6, "\U0001f600\u00e9\"" * 30,
    "\u1e9b\u0323", "\u01c5", "\u1fb3\u0345", "\u0345a", "\u03b1\u0345", "\u13a0\uab70",
    "\ua64b\u1c88",
]


@contextlib.contextmanager
def database(folder):
    """A connection to the database of a server that does not run; it commits at the end."""
    if isinstance(folder, backends.Database):
        with backends.opened(folder) as connection:
            yield connection
            for statement in migrations.TALLY:
                connection.execute(statement)
        return
    connection = sqlite3.connect(folder / "docket.db", isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        for statement in migrations.TALLY:
            connection.execute(statement)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.execute("COMMIT")
    finally:
        connection.close()


class Account:
    """An account of a served folder, as its clients address it."""

    def __init__(self, name, number, token):
        self.name, self.number, self.token = name, number, token
        self.host = name + ".example.test"


def make_accounts(folder, tasks):
    """Two accounts with that many sample tasks each."""
    file = token_file(folder, "second")
    first = Account("main", 1, make_data(folder, tasks[0]))
    succeed("account", "add", "second", *where(folder), "--token-file", file)
    succeed("demo", *where(folder), "--account", "second", "--tasks", tasks[1])
    return [first, Account("second", 2, file.read_text().strip())]


def serve(folder, log, accounts):
    """With a long limit: a list takes many times longer with a sanitizer and beside other tests."""
    return Server(folder, accounts[0].token, log,
                  ["--base-domain", "example.test", "--statement-timeout", "60000"])


class Reader(Wire):
    """A connection of one account that sends several requests before it reads the answers."""

    def __init__(self, server, account):
        super().__init__(server)
        self.account, self.used = account, time.monotonic()
        self.access = basic("admin/token", account.token)

    def request(self, method, target, *lines, body=None):
        return message(method, target, f"Host: {self.account.host}",
                       f"Authorization: {self.access}", *lines, headers=JSON if body else None,
                       body=body)

    def ask_all(self, requests):
        """The replies to requests; it sends 32 at a time."""
        replies = []
        if time.monotonic() > self.used + IDLE_S:
            self.socket.close()
            super().__init__(self.server)
        for start in range(0, len(requests), 32):
            some = requests[start:start + 32]
            self.send(b"".join(some))
            replies += [self.reply() for _ in some]
        self.used = time.monotonic()
        return replies

    def get(self, *targets):
        return self.ask_all([self.request("GET", target) for target in targets])

    def get_all(self, ids):
        """id → the bytes that GET answers."""
        replies = self.get(*(f"{TASKS}/{task_id}" for task_id in ids))
        for task_id, reply in zip(ids, replies):
            assert reply.status == 200, f"expected the task {task_id}: {reply}"
        return {task_id: reply.body for task_id, reply in zip(ids, replies)}

    def create(self, records):
        """Creates tasks from these records; returns their ids."""
        bodies = [task_json(**record) for record in records]
        replies = self.ask_all([self.request("POST", TASKS, body=body) for body in bodies])
        for record, reply in zip(records, replies):
            assert reply.status == 201, f"{record}: {reply}"
        return [reply.json["id"] for reply in replies]


# Records that the tests insert without the API. Every account has the same ids, but with different tasks. Each
# also has a case, a calendar and a staff member whose ids the other account does not have.
RELATED = """
INSERT INTO calendar (account_id, id, change, name, color, created_at, updated_at)
	SELECT :a, id, 900, 'C', '#000000', 0, 0 FROM number WHERE id IN (72, 73, 74 + :a);
INSERT INTO casefile (account_id, id, change, case_number, status, created_at, updated_at)
	SELECT :a, id, 900, 'C-' || id, 0, 0, 0 FROM number WHERE id IN (9301, 9302, 9303, 9310 + :a);
INSERT INTO casefile_service (account_id, casefile_id, case_service_id)
	SELECT :a, id, 1 FROM number WHERE id IN (9301, 9302);
INSERT INTO subject (account_id, id, change, casefile_id, first_name, last_name, created_at,
	updated_at)
	SELECT :a, id, 900, 9301 + id % 2, '', '', 0, 0 FROM number WHERE id IN (9402, 9403, 9404, 9410 + :a);
INSERT INTO staff (account_id, id, change, username, username_key, first_name, last_name, email, access_level,
	created_at, updated_at)
	SELECT :a, id, 900, 'staff' || id, 'staff' || id, '', '', '', id % 3, 0, 0 FROM number WHERE id IN (804, 805, 806 + :a);
UPDATE account_state SET last_change = 1000000, last_calendar_id = 100, last_casefile_id = 9400,
	last_subject_id = 9500, last_staff_id = 900 WHERE account_id = :a
"""


def add_related(connection, account):
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS number AS WITH RECURSIVE n (id) AS"
                       " (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 10000) SELECT id FROM n")
    for statement in RELATED.split(";\n"):
        connection.execute(statement, {"a": account.number})


def random_record(rng, number):
    """The fields of a random task for the account with that number."""
    case = rng.choice([245, 245, 246, 9301, 9301, 9302, 9303, 9310 + number])
    subjects = {245: [209], 246: [210], 9301: [9402, 9404], 9302: [9403]}.get(case, [])
    subjects = subjects + [9410 + number] if case == 9301 + number % 2 else subjects
    service = {245: 1, 246: 2, 9301: 1, 9302: 1}.get(case)
    title = rng.choice(TITLES)
    if rng.random() < 0.3:
        title = (title + rng.choice([" ", "-", ""]) + rng.choice(TITLES))[:255]
    return {
        "casefile_id": case, "calendar_id": rng.choice([1, 1, 72, 73, 74 + number]),
        "subject_id": rng.choice([None, *subjects]),
        "case_service_id": rng.choice([None, service]),
        "status": rng.choice(STATUSES), "title": title, "due_on": date(rng.choice(DUE)),
        "users_list": rng.sample([1, 2, 3, 804, 805, 806 + number], rng.choice([0, 0, 1, 1, 2, 3, 6])),
        "alert_at": rng.choice([None, date(rng.choice(DAYS))]),
    }


def date(day):
    return time.strftime("%Y-%m-%d", time.gmtime(day * DAY))


def random_time(rng):
    """Often the first or the last second of a day, or noon."""
    if rng.random() < 0.04:
        return OLD * DAY + rng.choice([0, 12345])
    if rng.random() < 0.2:
        return rng.randrange(DAYS[0] * DAY, DAYS[-1] * DAY)
    return rng.choice(DAYS) * DAY + rng.choice([-1, 0, 0, 1, DAY // 2, DAY // 2])


def set_times(connection, account, rng):
    """Sets times with many ties and nulls, and takes the case from some tasks. docket demo makes times
    relative to the present day; these are the same in every run."""
    rows = connection.execute("SELECT id, status FROM task WHERE account_id = ?",
                              [account.number]).fetchall()
    for task_id, status in rows:
        alert = rng.choice([None, random_time(rng), random_time(rng)])
        sent = rng.choice([None, random_time(rng)])
        complete = random_time(rng) if status == 3 else None
        connection.execute(
            "UPDATE task SET created_at = ?, updated_at = ?, alert_at = ?, alert_sent_at = ?,"
            " complete_at = ?, body = body || ? WHERE account_id = ? AND id = ?",
            [random_time(rng), random_time(rng), alert, sent, complete, f" of {account.name}",
             account.number, task_id])
        due = rng.choice([OLD, *DUE, *DUE, *(rng.randrange(DAYS[0], DAYS[-1]) for _ in range(6))])
        for table, key in (("task", "id"), ("task_user", "task_id")):
            connection.execute(f"UPDATE {table} SET due_on = ? WHERE account_id = ? AND {key} = ?",
                               [due, account.number, task_id])
        if rng.random() < 0.15:
            connection.execute(
                "UPDATE task SET casefile_id = NULL, subject_id = NULL, case_service_id = NULL"
                " WHERE account_id = ? AND id = ?", [account.number, task_id])


def make_small(folder, log):
    """Two accounts with about 500 tasks each, for `shared`."""
    accounts = make_accounts(folder, [120, 160])
    with database(folder) as connection:
        for account in accounts:
            add_related(connection, account)
    server = serve(folder, log, accounts)
    for account in accounts:
        rng = random.Random(account.number)
        with Reader(server, account) as reader:
            reader.create([random_record(rng, account.number) for _ in range(400)])
    server.stop()
    with database(folder) as connection:
        for account in accounts:
            set_times(connection, account, random.Random(10 + account.number))
    return accounts


# These depend on the id of a task: a rare status of only the newest tasks, and one of a narrow range of ids; a
# calendar and a case that each have many tasks but none in common; a staff member of the older half, and one
# of few tasks.
SKEW = f"""
UPDATE task SET status = 0, complete_at = NULL WHERE account_id = :a;
UPDATE task SET
	status = CASE WHEN id > 29900 THEN 1 WHEN id BETWEEN 10000 AND 11000 THEN 2
		WHEN id % 3 = 0 THEN 3 ELSE 0 END,
	complete_at = CASE WHEN id <= 29900 AND id NOT BETWEEN 10000 AND 11000 AND id % 3 = 0
		THEN {DAYS[0] * DAY} + id * 37 % 900 * {DAY // 2} END,
	calendar_id = CASE WHEN id % 2 = 0 THEN 72 WHEN id < 3000 THEN 73 ELSE 1 END,
	casefile_id = CASE WHEN id % 2 = 1 THEN 245 WHEN id % 8 = 0 THEN NULL WHEN id % 1000 = 2 THEN 9301
		ELSE 246 END,
	subject_id = CASE WHEN id % 4 = 1 THEN 209 WHEN id % 8 = 4 AND id > 20000 THEN 210
		WHEN id % 1000 = 2 THEN 9402 END,
	case_service_id = NULL,
	due_on = {DAYS[1]} + id * 31 % 700,
	created_at = {DAYS[0] * DAY} + id / 10 * 3600,
	updated_at = {DAYS[0] * DAY} + id * 7919 % 30011 / 5 * 3600,
	alert_at = CASE WHEN id % 5 < 2 THEN {DAYS[1] * DAY} + id * 17 % 2000 * {DAY // 4} END,
	alert_sent_at = CASE WHEN id % 60 = 0 THEN {DAYS[1] * DAY} + id % 7 * {DAY} END
	WHERE account_id = :a;
DELETE FROM task_user WHERE account_id = :a;
INSERT INTO task_user (account_id, task_id, staff_id, status, due_on)
	SELECT t.account_id, t.id, s.id, t.status, t.due_on FROM task t JOIN staff s
	ON s.account_id = t.account_id AND (s.id = 2 AND t.id < 15000 OR s.id = 3 AND t.id % 7 > 0
		OR s.id = 804 AND t.id % 700 = 0 OR s.id = 805 AND t.status = 1)
	WHERE t.account_id = :a;
UPDATE task SET unassigned = CASE WHEN EXISTS (SELECT 1 FROM task_user u
	WHERE u.account_id = task.account_id AND u.task_id = task.id) THEN 0 ELSE 1 END
	WHERE account_id = :a
"""


def make_big(folder, log):
    """An account with 30,000 tasks and a small one."""
    accounts = make_accounts(folder, [29800, 100])
    with database(folder) as connection:
        for account in accounts:
            add_related(connection, account)
    server = serve(folder, log, accounts)
    rng = random.Random(0)
    with Reader(server, accounts[0]) as reader:
        reader.create([random_record(rng, 1) for _ in range(200)])
    server.stop()
    with database(folder) as connection:
        for statement in SKEW.split(";\n"):
            connection.execute(statement, {"a": 1})
        set_times(connection, accounts[1], rng)
    return accounts


def read_all(folder, log, accounts):
    """For each account the bytes that GET answers for every task; the ids come from the database."""
    with database(folder) as connection:
        ids = [[row[0] for row in connection.execute(
            "SELECT id FROM task WHERE account_id = ? ORDER BY id", [account.number])]
            for account in accounts]
    server = serve(folder, log, accounts)
    bodies = []
    for account, wanted in zip(accounts, ids):
        with Reader(server, account) as reader:
            bodies.append(reader.get_all(wanted))
    server.stop()
    return bodies


def shared(database, name, make):
    """A place that `make` fills once for all the workers of a run. Returns the place, its accounts and
    the bodies of their tasks. Tests copy the place and never serve it. `docket move` copies the records from a
    folder to a database, which is much faster than creates."""
    def fill(folder):
        log = postgres.run_folder() / f"{name}.stderr"
        accounts = make(folder, log)
        return json.dumps([
            [account.name, account.number, account.token,
             [[key, body.decode()] for key, body in of_account.items()]]
            for account, of_account in zip(accounts, read_all(folder, log, accounts))])

    def move(place):
        folder, note = backends.once("sqlite", name, fill)
        source = backends.copy(folder, postgres.run_folder() / f"{name}-{database}")
        succeed("move", "--from", source, "--to", place, *backends.init_options(database))
        return note

    place, note = backends.once(database, name, fill if database == "sqlite" else move)
    stored = json.loads(note)
    accounts = [Account(*row[:3]) for row in stored]
    return place, accounts, [{key: body.encode() for key, body in row[3]} for row in stored]
