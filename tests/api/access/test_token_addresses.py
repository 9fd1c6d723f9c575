"""Tokens that work only from some addresses."""
import json
import time

import pytest

import backends
from backends import where
from commands import misuse
from harness import TASKS, basic, succeed
from together import until
from wire import exchange, message, new_source

pytestmark = backends.BOTH

MOST = 20  # refusals of one source at one account
NAME = "admin/token"


def add(server, label, *options):
    file = server.log.with_name(f"{server.log.name}-{label}-{time.monotonic_ns()}")
    succeed("token", "add", label, *where(server.data), "--token-file", file, *options)
    return file.read_text().strip()


def ask(server, source, token, *lines, user=NAME):
    return exchange(server, message("GET", TASKS, "Host: x", *lines,
                                    f"Authorization: {basic(user, token)}"), source)


def without_date(reply):
    return reply.status, [header for header in reply.headers
                          if header[0] not in ("Date", "X-Request-Id")], reply.body


def test_it_works_from_its_addresses(make_server):
    server = make_server()
    token = add(server, "near", "--addresses", "192.0.2.1,127.9.0.0/16")
    assert ask(server, "127.9.8.7", token).status == 200
    assert ask(server, "127.9.255.255", token).status == 200
    for source in ("127.8.255.255", "127.10.0.0", new_source()):
        before = server.log_end()
        reply = ask(server, source, token)
        other = ask(server, source, "docket_" + "a" * 32)
        assert without_date(reply) == without_date(other) and reply.status == 401
        until(lambda: server.stderr(before).count('"reason":"address of the token"') == 1)
    # Others of the account are not limited, and it is shown.
    assert ask(server, "127.8.255.255", server.token).status == 200
    me = server.call("GET", "/api/v1/me", access=True).json["token"]
    assert me["addresses"] == []
    shown = exchange(server, message("GET", "/api/v1/me", "Host: x", f"Authorization: {basic(NAME, token)}"),
                     "127.9.8.7").json["token"]
    assert shown["addresses"] == ["192.0.2.1", "127.9.0.0/16"]
    rows = json.loads(succeed("token", "list", *where(server.data), "--json").stdout)
    assert {row["label"]: row["addresses"] for row in rows}["near"] == "192.0.2.1,127.9.0.0/16"


def test_a_limited_staff_member_from_elsewhere(make_server):
    """401 comes before the 403 that a right token would get."""
    server = make_server()
    token = add(server, "near", "--addresses", "127.9.0.0/16")
    assert ask(server, "127.9.0.1", token, user="second/token").status == 403
    assert ask(server, "127.8.0.1", token, user="second/token").status == 401


def test_it_counts_as_a_guess(make_server):
    """The limit on guesses does not tell who has a right token. It does not lock out the right client."""
    server = make_server()
    token = add(server, "near", "--addresses", "127.9.0.0/16")
    assert ask(server, "127.9.0.1", token).status == 200
    for secret in (token, "docket_" + "a" * 32):
        source = new_source()
        assert [ask(server, source, secret).status for _ in range(MOST + 2)] == [401] * MOST + [429] * 2
    assert ask(server, "127.9.0.1", token).status == 200


def test_behind_a_proxy(make_server):
    server = make_server(options=["--behind-proxy"])
    token = add(server, "office", "--addresses", "203.0.113.0/24,2001:db8::/64")

    def via(*lines):
        return ask(server, new_source(), token, *lines).status

    for address in ("203.0.113.9", "203.0.113.9:4711", "2001:db8::5", "[2001:db8::5]:443",
                    "198.51.100.1, 203.0.113.9"):
        assert via(f"X-Forwarded-For: {address}") == 200, address
    for address in ("203.0.114.9", "2001:db8:0:1::5", "203.0.113.9, 198.51.100.1", "", "x"):
        assert via(f"X-Forwarded-For: {address}") == 401, address
    assert via() == 401


@pytest.mark.parametrize("addresses", ["127.0.0.0/8", "127.0.0.0/8,::/0,0.0.0.0/0"])
def test_a_proxy_that_does_not_tell_the_address(make_server, addresses):
    """The address is then unknown: it is not that of the proxy."""
    server = make_server(options=["--behind-proxy"])
    token = add(server, "near", "--addresses", addresses)

    def via(secret, *lines):
        return ask(server, new_source(), secret, *lines).status

    for lines in ((), ("X-Forwarded-For:",), ("X-Forwarded-For: x",), ("X-Forwarded-For: 127.0.0.1,",),
                  ("X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: unknown"),
                  ("X-Forwarded-For: " + "1" * 5000,), ("X-Forwarded-For: 127.0.0.\u00b9",),
                  ("Forwarded: for=127.0.0.1",)):
        assert via(token, *lines) == 401, lines
        assert via(server.token, *lines) == 200, lines
    assert via(token, "X-Forwarded-For: x, 127.0.0.1") == 200


def test_without_a_proxy_the_header_says_nothing(make_server):
    server = make_server()
    token = add(server, "office", "--addresses", "203.0.113.0/24")
    assert ask(server, new_source(), token, "X-Forwarded-For: 203.0.113.9").status == 401


@pytest.mark.parametrize("addresses, named", [
    ("", "--addresses is empty"), (",", '""'), ("192.0.2.7,", '""'), ("192.0.2.7/33", '"192.0.2.7/33"'),
    ("example.com", '"example.com"'), ("[::1]", '"[::1]"'), ("x" * 5000, '"' + "x" * 40 + '"'),
    (",".join(["::1"] * 32 + ["::2"]), '"::2"'), ("192.0.2.7;192.0.2.8", '"192.0.2.7;192.0.2.8"'),
    ("\u0661\u0669\u0662.0.2.7", ".0.2.7"), ("10.0.0.0/-8", '"10.0.0.0/-8"')])
def test_wrong_addresses(server, addresses, named):
    said = misuse("token", "add", "wrong", *where(server.data), "--addresses", addresses)
    assert "--addresses" in said and named in said and len(said) < 300, said


def test_it_may_be_given_twice(make_server):
    server = make_server()
    token = add(server, "near", "--addresses", "127.9.0.1", "--addresses", "127.9.0.2")
    assert [ask(server, f"127.9.0.{n}", token).status for n in (1, 2, 3)] == [200, 200, 401]
