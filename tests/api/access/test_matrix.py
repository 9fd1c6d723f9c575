"""Every route with every method, for every kind of client, on the account's own record, another
account's and a missing one: the status, and that nobody can distinguish another account's record
from a missing one."""
import collections
import json
import re
import time

import pytest

import backends
from admin import ACCOUNTS, DOMAIN, Pair, docket, dump
from harness import JSON, basic, cases, problem, task, task_json
from wire import exchange, message

pytestmark = backends.BOTH

# Each path with the methods that it accepts, besides HEAD where GET is, and OPTIONS. A new route
# needs a row. If it has other methods, it needs the body of a successful request as well.
ROUTES = {
    "/api/v1/changes": {"GET", "HEAD", "OPTIONS"},
    "/api/v1/tasks": {"GET", "HEAD", "POST", "OPTIONS"},
    "/api/v1/tasks/{id}": {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"},
    "/api/v1/tasks/{id}/history": {"GET", "HEAD", "OPTIONS"},
    "/api/v1/tasks/{id}/alerts": {"GET", "HEAD", "OPTIONS"},
}
BODIES = {
    "POST": task(title="of the matrix"), "PUT": task(title="of the matrix"),
    "PATCH": {"task": {"title": "of the matrix, changed"}},
}
SUCCESS = {"GET": 200, "HEAD": 200, "POST": 201, "PATCH": 200, "DELETE": 204}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
WRITING = [method for method in METHODS if method not in ("GET", "HEAD", "OPTIONS")]
# "/api/v1/tasks/bulk" is tested in test_bulk.py, because it has another kind of body.
UNKNOWN_PATHS = ["/", "/nowhere", "/api/v1", "/api/v2/tasks", "/api/v1/task", "/api/v1/tasks/1/2",
                 "/api/v1/accounts", "/api/v1/tokens", "/api/v1/case", "/api/v1/case/services/1/2"]

# An id that only the second account has, and an id with as many digits that neither has.
OTHERS, MISSING = 700, 701
MISSING_IN = {"first": MISSING, "second": 987654}  # the second account has more records
NO_IDS = ["0", "x", "-1", "1x", "99999999999999999999", "%20"]

Who = collections.namedtuple("Who", "user token kind")
WHO = {
    "full": Who("admin", "own", "full"),
    "another of full access": Who("colleague", "own", "full"),
    "a lenient token": Who("admin", "lenient", "full"),
    "a token that only reads": Who("admin", "reads", "reads"),
    "limited": Who("second", "own", "limited"),
    "limited, a token that only reads": Who("second", "reads", "limited"),
    "disabled": Who("gone", "own", "unknown"),
    "an unknown user": Who("nobody", "own", "unknown"),
    "a user of the other account": Who("only-{other}", "own", "unknown"),
    "a wrong token": Who("admin", "wrong", "unknown"),
    "limited and a wrong token": Who("second", "wrong", "unknown"),
    "the other account's token": Who("admin", "other", "unknown"),
    "an expired token": Who("admin", "expired", "unknown"),
    "a revoked token": Who("admin", "revoked", "unknown"),
    "nobody": Who(None, None, "unknown"),
}


def add_records(folder, account):
    """Adds a record of each kind with the id that only this account must have."""
    with backends.opened(folder) as database:
        for table, columns, values in (
                ("calendar", "name, color", ("x", "#000000")), ("case_service", "name", ("x",)),
                ("casefile", "case_number, status", ("x", 0)),
                ("subject", "casefile_id, first_name, last_name", (OTHERS, "x", "y"))):
            marks = ", ".join("?" * (5 + len(values)))
            database.execute(
                f"INSERT INTO {table} (account_id, id, change, created_at, updated_at, {columns}) "
                f"VALUES ({marks})", (account, OTHERS, 1, 0, 0, *values))
        database.execute("UPDATE account_state SET last_staff_id = ?, last_task_id = ?"
                         " WHERE account_id = ?", (OTHERS - 1, OTHERS - 1, account))


class Matrix(Pair):
    """The server, and clients of each kind."""

    def request(self, account, who, method, path, body=None):
        other = ACCOUNTS[1 - ACCOUNTS.index(account)]
        headers = {"Host": f"{account}.{DOMAIN}", **(JSON if body is not None else {})}
        access = False
        if who.user:
            token = (self.secrets[other, "own"] if who.token == "other" else
                     self.secrets[account, who.token])
            access = basic(who.user.format(other=other) + "/token", token)
        return self.server.call(method, path, body, headers, access=access)

    def fresh(self, account):
        """Makes a record of the account for one request."""
        reply = self.request(account, WHO["full"], "POST", "/api/v1/tasks",
                             task_json(title="fresh"))
        assert reply.status == 201, reply
        return reply.json["id"]


@pytest.fixture(scope="module")
def matrix(tmp_path_factory, base_of_two):
    place = tmp_path_factory.mktemp("matrix")
    folder, secrets = backends.copy(base_of_two[0], place / "data"), {}
    add_records(folder, 2)
    for account in ACCOUNTS:
        where = ["--account", account]
        secrets[account, "own"] = base_of_two[1][account]
        secrets[account, "wrong"] = "docket_" + "a" * 32
        for label, marks in (("lenient", ["--lenient"]), ("reads", ["--read-only"]),
                             ("expired", ["--expires", "2100-01-01"]), ("revoked", [])):
            secrets[account, label] = docket(folder, "token add", label, *where, *marks).strip()
        docket(folder, "token revoke", "revoked", *where)
        # In the second account this is the staff member with the tested id.
        docket(folder, "staff add", "colleague", "--email", "c@example.com", *where)
        docket(folder, "staff add", "gone", "--access", "disabled", *where)
        docket(folder, "staff add", "only-" + account, *where)
    with backends.opened(folder) as database:
        database.execute("UPDATE token SET expires_at = ? WHERE label = 'expired'",
                         (int(time.time()) - 60,))
    matrix = Matrix(folder, base_of_two[1], place / "log")
    matrix.secrets = secrets
    reply = matrix.request("second", WHO["full"], "POST", "/api/v1/tasks",
                           task_json(title="of the second"))
    assert reply.json["id"] == OTHERS, reply
    yield matrix
    matrix.server.stop()
    backends.remove(folder)


def seen(reply):
    """All parts of an answer that do not differ from one request to the next."""
    return reply.status, [(name, value) for name, value in reply.headers
                          if name not in ("Date", "X-Request-Id")], reply.body


def masked(reply):
    """The same without the numbers of the request itself."""
    status, headers, body = seen(reply)
    number, other = str(MISSING), str(OTHERS)
    return (status, [(name, value.replace(number, other)) for name, value in headers],
            body.replace(number.encode(), other.encode()))


def expected(kind, method, path, there):
    """The status that the contract requires."""
    if method == "OPTIONS":
        return 204 if path in ROUTES else 404
    if kind in ("unknown", "limited"):
        return {"unknown": 401, "limited": 403}[kind]
    if path not in ROUTES:
        return 404
    if method not in ROUTES[path]:
        return 405
    if kind == "reads" and method in WRITING:
        return 403
    return SUCCESS[method] if there else 404


def check(reply, method, path, status):
    assert reply.status == status, (method, path, reply)
    if status >= 400 and method != "HEAD":
        problem(reply, status, fields=False)
    if method == "HEAD":
        assert reply.body == b""
    if status in (204, 405) and (method == "OPTIONS" or status == 405):
        assert set(reply.header("Allow").split(", ")) == ROUTES[path], reply
    else:
        assert reply.header("Allow") is None, reply
    assert (reply.header("WWW-Authenticate") is not None) == (status == 401), reply


def targets(matrix, account, path, method, kind):
    """For each target of the path: its name, the path itself, and whether the record exists."""
    if "{id}" not in path:
        yield "list", path, True
        return
    other = OTHERS if account == "first" else None
    if method in WRITING and kind == "full" and method in ROUTES[path]:
        yield "own", path.format(id=matrix.fresh(account)), True
    else:
        yield "own", path.format(id=1), True
    if other:
        yield "other", path.format(id=other), False
    yield "missing", path.format(id=MISSING_IN[account]), False
    for number in NO_IDS:
        yield number, path.format(id=number), False


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("who", WHO.values(), ids=WHO)
@pytest.mark.slow
def test_matrix(matrix, who, account):
    before = {number: dump(matrix.folder, number, used=False) for number in (1, 2)}
    mine, other = ((1, 2) if account == "first" else (2, 1))
    refusals, wrote = {}, False
    for path in [*ROUTES, *UNKNOWN_PATHS]:
        for method in METHODS:
            body = json.dumps(BODIES[method]).encode() if method in BODIES else None
            told = {}
            for name, where, there in targets(matrix, account, path, method, who.kind):
                status = expected(who.kind, method, path, there)
                reply = matrix.request(account, who, method, where, body)
                check(reply, method, path, status)
                wrote = wrote or (status < 300 and method in WRITING)
                told[name] = seen(reply)
                if status == 401 or (status == 403 and who.kind == "limited"):
                    # All refusals are the same, whatever the target and the credentials.
                    refusals.setdefault((status, method == "HEAD"), seen(reply))
                    assert refusals[status, method == "HEAD"] == seen(reply)
                if body is not None and status in (401, 403):
                    for wrong in (b"{", b"", b'{"task":{}}'):
                        again = matrix.request(account, who, method, where, wrong)
                        assert seen(again) == told[name], (method, where, wrong)
            # A record of another account, and an id that is no number, answer as a missing record
            # does.
            absent = [answer for name, answer in told.items() if name not in ("own", "list")]
            assert absent == absent[:1] * len(absent), (method, path)
    after = {number: dump(matrix.folder, number, used=False) for number in (1, 2)}
    assert after[other] == before[other]
    assert (after[mine] == before[mine]) != wrote
    assert wrote == (who.kind == "full")


@pytest.mark.parametrize("method", METHODS[:-1])
def test_one_answer_to_all_who_are_unknown(matrix, method):
    """The answer does not reveal whether the account, the name or the token was wrong, or the token
    expired."""
    body = b"{" if method in BODIES else None
    told = [seen(matrix.request(account, who, method, path, body))
            for who in WHO.values() if who.kind == "unknown" for account in ACCOUNTS
            for path in ("/api/v1/tasks", f"/api/v1/tasks/{OTHERS}", "/nowhere")]
    assert told[0][0] == 401 and told == told[:1] * len(told)


def test_the_matrix_knows_every_method(matrix):
    """`OPTIONS *` lists the methods of all routes: a new method needs a row here."""
    reply = exchange(matrix.server, message("OPTIONS", "*", "Host: first.example.test"))
    assert set(reply.header("Allow").split(", ")) == set().union(*ROUTES.values())


# The records that a request names in its body or its parameters

LISTS = ["id={}", "case={}", "calendar={}", "subject={}", "user={}", "id={}&expand=users,case",
         "user[]={}&sort=title", "id={}&mode=count", "case={}&per_page=1"]


@pytest.mark.parametrize("query", LISTS)
def test_a_filter_by_anothers_record(matrix, query):
    for method in ("GET", "HEAD"):
        others, missing = (matrix.request("first", WHO["full"], method, "/api/v1/tasks?"
                                          + query.format(number)) for number in (OTHERS, MISSING))
        assert others.status == 200 and masked(others) == masked(missing)
        if method == "GET":
            assert others.json in ([], {"record_count": 0, "page_count": 0})


@pytest.mark.parametrize("query", ["expand=case", "expand=users&expand=calendar"])
def test_an_expansion_of_anothers_record(matrix, query):
    others, missing = (matrix.request("first", WHO["full"], "GET",
                                      f"/api/v1/tasks/{number}?{query}")
                       for number in (OTHERS, MISSING))
    problem(others, 404)
    assert seen(others) == seen(missing)


@pytest.mark.parametrize("fields", cases([
    ("a case", ["casefile_id"]), ("a calendar", ["calendar_id"]), ("a subject", ["subject_id"]),
    ("a case service", ["case_service_id"]), ("a staff member", ["users_list"]),
    ("all", ["casefile_id", "calendar_id", "subject_id", "case_service_id", "users_list"]),
    ("the case and its subject", ["casefile_id", "subject_id"])]))
def test_a_create_that_names_anothers_record(matrix, fields):
    before = [dump(matrix.folder, number, used=False) for number in (1, 2)]
    told = []
    for number in (OTHERS, MISSING):
        values = {field: [number] if field == "users_list" else number for field in fields}
        told.append(matrix.request("first", WHO["full"], "POST", "/api/v1/tasks",
                                   task_json(**values)))
    answer = problem(told[0], 422)
    assert {error["field"].split("[")[0] for error in answer["errors"]} == {
        "task." + field for field in fields}
    assert masked(told[0]) == masked(told[1])
    assert [dump(matrix.folder, number, used=False) for number in (1, 2)] == before
    # The owner of these records can name them.
    values = {"casefile_id": OTHERS, "calendar_id": OTHERS, "subject_id": OTHERS,
              "users_list": [OTHERS]}
    reply = matrix.request("second", WHO["full"], "POST", "/api/v1/tasks",
                           task_json(**values))
    assert reply.status == 201, reply


def test_a_walk_sees_one_account_alone(matrix):
    """A cursor of one account finds nothing in the other."""
    def page(account, path):
        return matrix.request(account, WHO["full"], "GET", path)

    walked = page("second", "/api/v1/tasks?per_page=2&sort=due_on")
    path = re.search(r'<([^>]+)>; rel="next"', walked.header("Link"))[1]
    there, here = page("second", path), page("first", path)
    assert there.status == 200 and len(there.json) == 2
    own = {record["id"]: record for record in page("first", "/api/v1/tasks?per_page=500").json}
    if here.status == 200:
        assert all(own[record["id"]] == record for record in here.json)
    else:
        problem(here, 400, fields=True)
