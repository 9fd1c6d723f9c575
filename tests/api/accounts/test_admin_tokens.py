"""docket token: add, list and revoke, with one and with several accounts; and the effect of a
token's marks over HTTP: read-only, lenient, an expiry, and the last use."""
import datetime
import struct
import time

import pytest

from admin import LOG, TIME, TOKEN, change, check_help, docket, dump, listed, refused
from backends import rows
from commands import fails, full, misuse, mode
from harness import (FIELDS, JSON, OWN, TASKS, basic, faults, problem, strict_json, succeed,
                     task_json)
from tables import assert_is_now
from together import until

PLAIN = {"expires_at": None, "read_only": False, "scopes": "all:write", "addresses": "", "lenient": False,
         "last_used_at": None}
READS = {"read_only": True, "scopes": "all:read"}


def token_of(folder, label, *account):
    """A row of `token list`, without its label and its time of creation."""
    (found,) = [row for row in listed(folder, "token list", *account) if row.pop("label") == label]
    assert TIME.fullmatch(found.pop("created_at"))
    return found


@pytest.mark.parametrize("command, argument", [
    ("token add", "LABEL"), ("token list", None), ("token rotate", "LABEL"),
    ("token revoke", "LABEL")])
def test_help(command, argument):
    check_help(command, argument)


# Add

NEVER = "and it never expires"
LENIENT = "unknown fields and parameters are ignored"


@pytest.mark.parametrize("label, options, got", [
    ("ci", [], {}),
    ("ci", ["--read-only"], READS),
    ("ci", ["--lenient"], {"lenient": True}),
    ("ci", ["--lenient", "--read-only", "--expires", "2100-01-31T12:00:00+02:00"],
     {"lenient": True, **READS, "expires_at": "2100-01-31T10:00:00Z"}),
    ("ci", ["--expires", "2100-02-28"], {"expires_at": "2100-02-28T23:59:59Z"}),
    ("ci", ["--expires", "2100-01-31 12:00:00"], {"expires_at": "2100-01-31T12:00:00Z"}),
    ("ci", ["--expires=9999-12-31"], {"expires_at": "9999-12-31T23:59:59Z"}),
    ("CI of \u6f22\u5b57: \"nightly\" \\ 100%", [], {}),
    ("l" * 64, [], {}), ("\U0001f600" * 64, [], {}),
])
def test_add(one, label, options, got):
    before = dump(one)
    done = succeed("token", "add", label, "--data", one, *options)
    assert TOKEN.fullmatch(done.stdout.removesuffix("\n")), done
    assert token_of(one, label) == {**PLAIN, **got}
    said = [f"its scopes are {got.get('scopes', 'all:write')}", *([LENIENT] if "lenient" in got else []),
            f"and it expires at {got['expires_at']}" if "expires_at" in got else NEVER]
    assert done.stderr == f'made the token "{label}": {", ".join(said)}\n'
    after = dump(one)
    assert {table for table in after if after[table] != before[table]} == {"token", *LOG}
    assert len(after["token"]) == len(before["token"]) + 1
    for file in one.iterdir():
        assert done.stdout.strip().encode() not in file.read_bytes(), file


def test_the_environment_marks_a_token(one):
    succeed("token", "add", "ci", "--data", one, env={"DOCKET_READ_ONLY": "yes",
                                                      "DOCKET_LENIENT": "no"})
    assert token_of(one, "ci") == {**PLAIN, **READS}


def test_add_writes_the_token_to_a_file(one, tmp_path, make_server):
    file = tmp_path / "token"
    done = succeed("token", "add", "ci", "--data", one, "--token-file", file)
    assert done.stdout == "" and str(file) in done.stderr and done.stderr.count("\n") == 2
    assert mode(file) == 0o600 and TOKEN.fullmatch(file.read_text().removesuffix("\n"))
    assert file.read_text().strip() not in done.stderr
    problem(make_server(one, file.read_text().strip()).get(1), 404)


def test_a_token_that_could_not_be_printed(one):
    """docket shows a token only once. If it cannot print the token, the command fails and the label
    stays free."""
    done = full("token", "add", "ci", "--data", one)
    assert done.returncode == 1 and "standard output" in done.stderr, done
    docket(one, "token revoke", "ci")
    docket(one, "token add", "ci")


# Wrong use and failures

PAST = (datetime.datetime.now() - datetime.timedelta(days=2)).strftime("%Y-%m-%d")
LABELS = ["", " ", "\u3000", "a\nb", "a\tb", "\x7f", "a\u0085b", "l" * 65, "\udcff"]
WRONG = [
    *[(["token", "add", label], "the label ") for label in LABELS],
    *[(["token", "add", "ci", "--expires", when], "--expires ")
      for when in ("", "tomorrow", "2100-02-29", "2100-13-01", "2100-01-01T25:00:00Z", "4102444800",
                   "10000-01-01", "9999-12-31T23:59:59-05:00", PAST, "1970-01-01",
                   "2001-01-01T00:00",
                   "2100-01-31 ", "\udcff")],
    (["token", "add", "ci", "--token-file", ""], "--token-file "),
    (["token", "add", "ci", "--read-only=yes"], "--read-only"),
    (["token", "add", "ci", "--account", ""], "--account "),
    (["token", "revoke", "ci", "--account", ""], "--account "),
]


@pytest.mark.parametrize("words, named", WRONG)
def test_wrong_use(one, words, named):
    refused(one, misuse, words, named)


@pytest.mark.parametrize("words, named", [
    (["token", "add", "made by docket init"], '"made by docket init"'),
    *[(["token", "revoke", label], f'"{label}"')
      for label in ("ci", "", "made by", "MADE BY DOCKET INIT", "made by docket init ", "%")],
])
def test_failure(one, words, named):
    refused(one, fails, words, named)


@pytest.mark.parametrize("option", ["read-only", "lenient"])
def test_a_wrong_variable_is_named(one, option):
    name = "DOCKET_" + option.upper().replace("-", "_")
    refused(one, misuse, ["token", "add", "ci"], name, env={name: "maybe"})


@pytest.mark.slow
def test_a_label_is_taken_once_an_account(two, tmp_path):
    for account in ("first", "second"):
        docket(two, "token add", "ci", "--account", account)
    for account in ("first", "second"):
        refused(two, fails, ["token", "add", "ci", "--account", account, "--lenient",
                             "--token-file", tmp_path / "token"], '"ci"')
        assert not (tmp_path / "token").exists()
    docket(two, "token revoke", "ci", "--account", "second")
    refused(two, fails, ["token", "revoke", "ci", "--account", "second"], '"ci"')
    refused(two, fails, ["token", "add", "ci", "--account", "first"], '"ci"')
    docket(two, "token add", "ci", "--account", "second")


@pytest.mark.parametrize("command", [
    ["token", "add", "ci"], ["token", "list"], ["token", "list", "--json"],
    ["token", "revoke", "made with the account"]])
@pytest.mark.slow
def test_the_account_must_be_named(two, command):
    refused(two, fails, command, "--account")
    refused(two, fails, [*command, "--account", "third"], '"third"')
    before = dump(two, 1)
    succeed(*command, "--data", two, "--account", "second")
    assert dump(two, 1) == before
    docket(two, "account remove", "first", "--yes")
    assert docket(two, "token list", "--json") != docket(two, "token list")


@pytest.mark.slow
def test_list(one):
    """Sorted by age; tokens of the same second by label."""
    assert [list(row) for row in listed(one, "token list")] == [
        ["label", "created_at", "expires_at", "read_only", "scopes", "addresses",
         "lenient", "last_used_at"]]
    for label in ("b", "a", "c"):
        docket(one, "token add", label)
    change(one, "UPDATE token SET created_at = created_at - 60 WHERE label = 'c'")
    change(one, "UPDATE token SET created_at = created_at + 60 WHERE label = 'a'")
    found = [row["label"] for row in listed(one, "token list")]
    assert sorted(found) == ["a", "b", "c", "made by docket init"]
    assert found.index("c") < found.index("b") < found.index("a")


# The effect over HTTP

def post(pair, token, path=TASKS, headers=(), account="first", **fields):
    return pair.ask(account, "POST", path, task_json(**fields),
                    {**JSON, **dict(headers)}, token=token)


def test_a_read_only_token(pair):
    token = pair.do("token add", "reads", "--read-only", "--account", "first").strip()
    before = dump(pair.folder, 1, used=False)
    full = pair.ask("first", path=TASKS + "/1")
    for method in ("GET", "HEAD"):
        for path in (TASKS, TASKS + "/1", TASKS + "?mode=count", TASKS + "/1?expand=case"):
            reply = pair.ask("first", method, path, token=token)
            assert reply.status == 200, reply
    assert pair.ask("first", path=TASKS + "/1", token=token).body == full.body
    assert pair.ask("first", "OPTIONS", token=token).status == 204
    for body in (task_json(), b"", b"{", b"{}"):
        reply = pair.ask("first", "POST", TASKS, body, JSON, token=token)
        problem(reply, 403)
        assert reply.header("WWW-Authenticate") is None
    problem(pair.ask("first", path=TASKS + "/999", token=token), 404)
    problem(pair.ask("first", "POST", "/nowhere", b"{}", token=token), 404)
    problem(pair.ask("first", "PUT", TASKS, b"{}", token=token), 405)
    problem(pair.ask("first", token=token, user="second"), 403)
    problem(pair.ask("second", token=token), 401)
    assert dump(pair.folder, 1, used=False) == before
    assert pair.ask("first", "POST", TASKS, task_json(), JSON).status == 201


def test_a_lenient_token(pair):
    token = pair.do("token add", "old", "--lenient", "--account", "first").strip()
    reply = post(pair, token, TASKS + "?fields=1", colour="red", address={"street": "x"})
    assert reply.status == 201 and list(reply.json) == FIELDS, reply
    assert sorted(reply.header("Docket-Ignored").split(", ")) == [
        "fields", "task.address.street", "task.colour"]
    # The mark of the token was the reason, not a preference of the request.
    assert reply.header("Preference-Applied") is None
    plain = pair.ask("first", path=TASKS).json
    reply = pair.ask("first", path=TASKS + "?stats=open", token=token)
    assert (reply.json, reply.header("Docket-Ignored")) == (plain, "stats")
    reply = pair.ask("first", path=TASKS + "/1?fields=id", token=token)
    assert (reply.status, reply.header("Docket-Ignored")) == (200, "fields")
    assert pair.ask("first", path=TASKS, token=token).header("Docket-Ignored") is None
    # It has no other effect.
    assert faults(post(pair, token, title="", colour="red")) == [("task.title", "required")]
    assert faults(pair.ask("first", path=TASKS + "?page=x&y=z", token=token), 400) == [
        ("page", "format")]
    reply = post(pair, token, headers={"Prefer": "handling=strict"}, colour="red")
    assert faults(reply) == [("task.colour", "unknown_field")]
    reply = post(pair, token, headers={"Prefer": "handling=lenient"}, colour="red")
    assert reply.header("Preference-Applied") == "handling=lenient"
    # Another token of the account is still strict.
    assert faults(post(pair, pair.tokens["first"], colour="red")) == [
        ("task.colour", "unknown_field")]


def without_date(reply):
    return reply.status, [header for header in reply.headers if header[0] not in OWN], reply.body


@pytest.mark.slow
def test_an_expired_token_is_an_unknown_one(one, make_server):
    token = docket(one, "token add", "ends", "--expires", "2100-01-01").strip()
    server = make_server(one)
    access = basic("admin/token", token)
    assert server.call("GET", TASKS, access=access).status == 200
    for past, known in ((1, False), (0, False), (-3600, True), (3600, False)):
        server.stop()
        change(one, "UPDATE token SET expires_at = ? WHERE label = 'ends'", int(time.time()) - past)
        server.start()
        for method, path, body in (("GET", TASKS, None), ("GET", TASKS + "/1", None),
                                   ("POST", TASKS, task_json()),
                                   ("HEAD", TASKS, None), ("GET", "/nowhere", None)):
            told = [without_date(server.call(method, path, body, JSON, access=basic(user, secret)))
                    for user, secret in (("admin/token", token), ("admin/token", token[:-1] + "!"),
                                         ("nobody/token", server.token))]
            assert told[1] == told[2] and told[1][0] == 401
            assert (told[0] != told[1]) == known, (past, told)
        for user in ("second/token", "nobody/token"):
            reply = server.call("GET", TASKS, access=basic(user, token))
            assert reply.status == (403 if known and user[0] == "s" else 401), reply
    # The list shows its expiry, its label stays taken, and it can be revoked.
    assert token_of(one, "ends")["expires_at"] < datetime.datetime.utcnow().isoformat()
    refused(one, fails, ["token", "add", "ends"], '"ends"')
    docket(one, "token revoke", "ends")


@pytest.mark.slow
def test_a_revoked_token_is_an_unknown_one(pair):
    """It stops working from the next request on, also over a connection on which it was used
    before."""
    tokens = {label: pair.do("token add", label, "--account", "first").strip() for label in "xyz"}
    assert all(pair.ask("first", token=token).status == 200 for token in tokens.values())
    pair.do("token revoke", "y", "--account", "first")
    unknown = without_date(pair.ask("first", token="docket_" + "a" * 32))
    assert unknown[0] == 401
    assert without_date(pair.ask("first", token=tokens["y"])) == unknown
    assert without_date(post(pair, tokens["y"])) == without_date(post(pair, "docket_" + "a" * 32))
    assert [pair.ask("first", token=tokens[label]).status for label in "xz"] == [200, 200]
    # The label can be used again, and the old token stays revoked.
    tokens["new"] = pair.do("token add", "y", "--account", "first").strip()
    assert without_date(pair.ask("first", token=tokens["y"])) == unknown
    assert pair.ask("first", token=tokens["new"]).status == 200


# The last use

def commits(folder):
    """How many transactions the WAL holds (sqlite.org/fileformat2.html, 4.1)."""
    data = (folder / "docket.db-wal").read_bytes()
    if not data:
        return 0
    size, salt = struct.unpack(">I", data[8:12])[0], data[16:24]
    frames = [data[at:at + 24] for at in range(32, len(data) - 23, 24 + size)]
    return sum(1 for frame in frames if frame[8:16] == salt and frame[4:8] != bytes(4))


def used(folder, label="ci", *account):
    """The row from JSON alone: docket may write a use between the JSON and the table."""
    rows = strict_json(docket(folder, "token list", "--json", *account).encode())
    return {row["label"]: row["last_used_at"] for row in rows}[label]


def await_use(folder, before=None, label="ci", *account):
    """Waits for the time of a use, which docket writes soon after the answer."""
    return until(lambda: used(folder, label, *account), lambda at: at != before)


@pytest.mark.slow
def test_the_last_use(one, make_server):
    token = docket(one, "token add", "ci").strip()
    access = basic("admin/token", token)
    server = make_server(one)

    def ask(**options):
        return server.call("GET", TASKS, **{"access": access, **options}).status

    assert used(one) is None
    # These do not count as a use: another token, an unknown user, no credentials.
    assert [ask(access=True), ask(access=False), ask(access=access + "x"),
            ask(access=basic("nobody/token", token))] == [200, 401, 401, 401]
    # docket writes uses in their order. So when a later use is there, all earlier ones are.
    assert ask(access=basic("admin/token", docket(one, "token add", "mark").strip())) == 200
    await_use(one, None, "mark")
    assert used(one) is None
    before = datetime.datetime.now(datetime.timezone.utc)
    assert ask() == 200
    first = await_use(one)
    assert_is_now(first, before)
    # Two hundred more uses are written at most once a minute, and change no other account or token.
    count = commits(one)
    assert [ask() for _ in range(200)] == [200] * 200
    assert commits(one) - count <= 4
    server.stop()
    # A recorded use of half a minute ago is not renewed; one of two minutes ago is.
    for age, renewed in ((30, False), (120, True)):
        stamp = int(time.time()) - age
        change(one, "UPDATE token SET last_used_at = ? WHERE label = 'ci'", stamp)
        server.start()
        old, count = used(one), commits(one)
        assert ask() == 200
        if renewed:
            assert_is_now(await_use(one, old), before)
        server.stop()
        stored = rows(one, "SELECT last_used_at FROM token WHERE label = 'ci'")
        assert (stored != [(stamp,)]) == renewed
    assert rows(one, "SELECT count(*) FROM history WHERE record = 'token'") == [(0,)]


@pytest.mark.slow
def test_the_uses_of_many_tokens(pair):
    """docket writes the last use of each token once, whatever the number of requests, and in its
    own account."""
    tokens = {f"many {n}": pair.do("token add", f"many {n}", "--account", "second").strip()
              for n in range(10)}
    other = dump(pair.folder, 1)
    count = commits(pair.folder)
    for _ in range(20):
        for token in tokens.values():
            assert pair.ask("second", token=token).status == 200
    for label in tokens:
        await_use(pair.folder, None, label, "--account", "second")
    assert commits(pair.folder) - count <= 2 * len(tokens)
    assert dump(pair.folder, 1) == other
