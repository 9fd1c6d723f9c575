"""Limits on the requests of tokens and accounts: --rate-per-token and --rate-per-account."""
import json
import re
import time

import pytest

import backends
from admin import Pair
from backends import where
from commands import misuse
from harness import JSON, TASKS, basic, problem, succeed, task_json
from together import at_once, until
from wire import Wire, message

pytestmark = backends.BOTH

POLICY, LEFT = "RateLimit-Policy", "RateLimit"


def ask(server, token=True, method="GET", path=TASKS + "/1", body=None, headers=()):
    access = token if token is True else basic("admin/token", token)
    return server.call(method, path, body, headers, access=access)


def add(server, label):
    file = server.log.with_name(f"{server.log.name}-{label}")
    succeed("token", "add", label, *where(server.data), "--token-file", file)
    return file.read_text().strip()


def left(reply):
    """{"token": (how many are left, seconds until all are there)}"""
    return {name: (int(rest), int(seconds)) for name, rest, seconds in
            re.findall(r'"(\w+)";r=(\d+);t=(\d+)', reply.header(LEFT))}


def limited(reply, who, limit):
    answer = problem(reply, 429)
    wait = int(reply.header("Retry-After"))
    assert answer["code"] == "rate_exceeded" and 1 <= wait <= 60
    assert answer["detail"] == f"this {who} may send {limit} requests in a minute; try again in {wait} s"
    assert reply.header("WWW-Authenticate") is None
    return wait


def test_none_by_default(server):
    reply = ask(server)
    assert reply.header(POLICY) is None and reply.header(LEFT) is None


def test_a_token_has_so_many(make_server):
    server = make_server(options=["--rate-per-token", "5"])
    other = add(server, "other")
    for number in range(5):
        reply = ask(server, path="/nowhere" if number == 3 else TASKS)
        assert reply.status == (404 if number == 3 else 200), reply
        assert reply.header(POLICY) == '"token";q=5;w=60'
        rest, seconds = left(reply)["token"]
        assert rest == 4 - number and 12 * number < seconds <= 12 * (number + 1)
    before = server.stderr()
    for method, body in (("GET", None), ("POST", task_json()), ("PUT", b"{}"), ("DELETE", None)):
        reply = ask(server, method=method, path=TASKS, body=body, headers=JSON if body else ())
        limited(reply, "API token", 5)
        assert left(reply)["token"][0] == 0 and reply.header(POLICY) == '"token";q=5;w=60'
    assert ask(server, method="HEAD", path=TASKS).status == 429
    until(lambda: server.stderr(len(before.encode())).count('"reason":"rate of the token"') == 5)
    # Another token of the account, what needs no access, and refusals of access are not limited.
    assert ask(server, other).status == 404
    for path in ("/healthz", "/docs", "/api/v1/openapi.json"):
        reply = server.call("GET", path, access=False)
        assert reply.status == 200 and reply.header(LEFT) is None
    reply = ask(server, "wrong")
    assert reply.status == 401 and reply.header(LEFT) is None and reply.header(POLICY) is None
    assert server.call("OPTIONS", TASKS).status == 204
    if not isinstance(server.data, backends.Database):
        shown = json.loads(succeed("status", *where(server.data), "--json").stdout)
        assert (shown["requests"]["refused_rate"], shown["requests"]["refused_guesses"]) == (5, 0)


def test_nothing_is_stored(make_server):
    server = make_server(options=["--rate-per-token", "2"])
    assert [ask(server, method="POST", path=TASKS, body=task_json(), headers=JSON).status
            for _ in range(4)] == [201, 201, 429, 429]
    assert ask(server, add(server, "reader"), path=TASKS + "?mode=count").json["record_count"] == 2


def test_it_comes_back(make_server):
    server = make_server(options=["--rate-per-token", "12"])
    assert {ask(server).status for _ in range(12)} == {404}
    wait = limited(ask(server), "API token", 12)
    assert wait <= 5
    time.sleep(wait)
    assert [ask(server).status for _ in range(2)] == [404, 429]


def test_an_account_has_so_many(two, tmp_path, base_of_two):
    pair = Pair(two, base_of_two[1], tmp_path / "log",
                ["--rate-per-account", "6", "--rate-per-token", "4"])
    try:
        second = pair.do("token add", "more", "--account", "first").strip()
        own = [pair.ask("first") for _ in range(5)]
        assert [reply.status for reply in own] == [200] * 4 + [429]
        limited(own[4], "API token", 4)
        assert own[4].header(POLICY) == '"token";q=4;w=60, "account";q=6;w=60'
        assert left(own[4])["account"][0] == 2  # the refused one does not count
        more = [pair.ask("first", token=second) for _ in range(3)]
        assert [reply.status for reply in more] == [200, 200, 429]
        limited(more[2], "account", 6)
        assert left(more[2])["token"][0] == 2
        assert [pair.ask("second").status for _ in range(4)] == [200] * 4
    finally:
        pair.server.stop()


@pytest.mark.parametrize("user, status", [("second", 403), ("nobody", 401), ("third", 403)])
def test_refusals_of_a_right_token_count(make_server, user, status):
    """Otherwise who has a token could send any number of requests with another's name."""
    server = make_server(options=["--rate-per-token", "3"])
    access = basic(f"{user}/token", server.token)
    replies = [server.call("GET", TASKS, access=access) for _ in range(5)]
    assert [reply.status for reply in replies] == [status] * 3 + [429] * 2
    limited(replies[4], "API token", 3)
    assert (replies[0].header(LEFT) is None) == (status == 401)  # 401 does not say that the token is right
    assert ask(server).status == 429


def test_refusals_of_other_tokens_do_not_count(make_server):
    """Wrong ones, and those of another address."""
    server = make_server(options=["--rate-per-account", "2"])
    elsewhere = succeed("token", "add", "elsewhere", *where(server.data), "--addresses", "192.0.2.1").stdout
    for token in (elsewhere.strip(), "wrong"):
        assert [ask(server, token).status for _ in range(4)] == [401] * 4
    assert [ask(server).status for _ in range(3)] == [404, 404, 429]


def test_at_the_same_time(make_server):
    server = make_server(options=["--rate-per-token", "6"])
    statuses = at_once(lambda _: ask(server).status, range(40))
    assert sorted(statuses) == [404] * 6 + [429] * 34


def test_before_the_body(make_server):
    """A large body is not read."""
    server = make_server(options=["--rate-per-token", "1"])
    assert ask(server).status == 404
    with Wire(server) as wire:
        wire.offer(message("POST", TASKS, "Host: x", "Content-Type: application/json", "Expect: 100-continue",
                           "Content-Length: 500000", f"Authorization: {server.access}"))
        reply = wire.reply()
        assert reply.status == 429, reply


def test_pages_may_read_the_headers(make_server):
    origin = "https://app.example.com"
    server = make_server(options=["--rate-per-token", "9", "--cors-origins", origin])
    exposed = ask(server, headers={"Origin": origin}).header("Access-Control-Expose-Headers").split(", ")
    assert {POLICY, LEFT, "Retry-After"} <= set(exposed)


def test_a_new_token_has_its_own(make_server):
    """So has one that was rotated; a revoked one is a wrong one and not limited."""
    server = make_server(options=["--rate-per-token", "1"])
    old = add(server, "ci")
    assert [ask(server, old).status for _ in range(2)] == [404, 429]
    new = succeed("token", "rotate", "ci", *where(server.data), "--overlap", "0").stdout.strip()
    assert [ask(server, token).status for token in (old, new, new)] == [401, 404, 429]


@pytest.mark.parametrize("setting", ["rate-per-token", "rate-per-account"])
@pytest.mark.parametrize("value", ["", "-1", "1000001", "1.5", "x", "9" * 40, " 5", "\u0665"])
def test_wrong_limits(one, setting, value):
    said = misuse("serve", *where(one), f"--{setting}={value}")
    assert "--" + setting in said, said
