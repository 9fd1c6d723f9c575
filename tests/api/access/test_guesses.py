"""docket limits guesses at tokens, and the guesses of one client lock out nobody else."""
import sqlite3

import pytest

from harness import TASKS, basic, problem, succeed, task_json
from wire import JSON_LINE, Wire, exchange, message, new_source

MOST = 20  # refusals of one source at one account
MINUTE = 60
DOMAIN = "example.test"
KNOWN, UNKNOWN = "admin/token", "nobody/token"


def ask(server, source, access, *lines, method="GET", target=TASKS + "/1", body=None, host="x"):
    """Sends one request. `access` is the value of Authorization; None sends none."""
    if access is not None:
        lines = (*lines, f"Authorization: {access}")
    return exchange(server, message(method, target, f"Host: {host}", *lines, body=body), source)


def guess(server, source, count, user=KNOWN, **options):
    """Sends that many different wrong tokens; returns the answers."""
    return [ask(server, source, basic(user, f"wrong {n}"), **options) for n in range(count)]


def limited(reply):
    answer = problem(reply, 429)
    wait = int(reply.header("Retry-After"))
    assert 1 <= wait <= MINUTE
    assert answer["detail"].endswith(f" {wait} s")
    assert reply.header("WWW-Authenticate") is None
    return reply


def statuses(replies):
    return [reply.status for reply in replies]


@pytest.fixture
def fresh(make_server):
    """A server, and an address from which it has had no request."""
    return make_server(), new_source()


def test_so_many_and_no_more(fresh):
    server, source = fresh
    assert statuses(guess(server, source, MOST)) == [401] * MOST
    for reply in guess(server, source, 3):
        limited(reply)
    assert guess(server, new_source(), 1)[0].status == 401


def token(server, label, *options):
    """Makes a token of the account; returns it as the value of Authorization."""
    file = server.data.with_name(server.data.name + label)
    succeed("token", "add", label, "--data", server.data, "--token-file", file, *options)
    return basic(KNOWN, file.read_text().strip())


def test_a_token_that_was_there_at_the_start(fresh):
    server, source = fresh
    guess(server, source, MOST)
    assert ask(server, source, server.access).status == 404


@pytest.mark.slow
def test_a_token_that_had_expired_at_the_start(fresh):
    server, source = fresh
    server.stop()
    expired = token(server, "expired", "--expires", "2999-01-01")
    with sqlite3.connect(server.data / "docket.db") as database:
        database.execute("UPDATE token SET expires_at = 1 WHERE label = 'expired'")
    database.close()
    server.start()
    guess(server, source, MOST)
    limited(ask(server, source, expired))


def test_a_token_that_never_was_used(fresh):
    """A new token works at once, whatever others guess."""
    server, source = fresh
    guess(server, source, MOST)
    limited(guess(server, source, 1)[0])
    assert ask(server, source, token(server, "new")).status == 404


def test_a_token_that_is_good_no_more(fresh):
    """docket still looks up a token that was good before it was revoked, and answers 401. Each refusal
    counts against the source."""
    server, source = fresh
    old = token(server, "old")
    assert ask(server, new_source(), old).status == 404
    succeed("token", "revoke", "old", "--data", server.data)
    assert statuses(ask(server, source, old) for _ in range(MOST + 1)) == [401] * (MOST + 1)
    limited(guess(server, source, 1)[0])


def test_the_owner_is_let_in(fresh):
    """A good token works from the limited address as well, also over a connection that was open
    before."""
    server, source = fresh
    server.get(1)
    with Wire(server, source) as wire:
        wrong = server.request("GET", TASKS).replace(server.access.encode(),
                                                     basic(KNOWN, "wrong").encode())
        for _ in range(2 * MOST):
            wire.send(wrong)
            refused = wire.reply()
            assert wire.ask("GET", TASKS).status == 200
    limited(refused)
    assert ask(server, source, server.access).status == 404
    assert ask(server, source, basic("second/token", server.token)).status == 403


def test_only_good_tokens_are_remembered(fresh):
    """docket remembers no wrong token."""
    server, source = fresh
    assert ask(server, new_source(), basic(UNKNOWN, "wrong")).status == 401
    guess(server, source, MOST)
    limited(ask(server, source, basic(UNKNOWN, "wrong")))


@pytest.mark.slow
def test_a_known_user_and_an_unknown_one(make_server):
    """The answers are the same in the same order, for each of the two and for both together."""
    said = []
    for users in ([KNOWN], [UNKNOWN], ["second/token"], [KNOWN, UNKNOWN]):
        server, source = make_server(), new_source()
        replies = [ask(server, source, basic(users[n % len(users)], f"wrong {n}"))
                   for n in range(MOST + 5)]
        said.append([(reply.status, reply.reason, sorted(name for name, _ in reply.headers))
                     for reply in replies])
        server.stop()
    assert all(one == said[0] for one in said)


def test_whatever_is_wrong_counts(fresh):
    server, source = fresh
    wrong = ["Bearer x", "Basic ", "Basic !", "Basic " + "A" * 2000, basic(KNOWN, ""),
             basic("admin", server.token), basic("", "")]
    replies = [ask(server, source, wrong[n % len(wrong)]) for n in range(MOST)]
    assert statuses(replies) == [401] * MOST
    limited(ask(server, source, wrong[0]))


def test_no_header_is_no_guess(fresh):
    """Many clients first send a request without credentials to get the challenge. It must come at
    any time."""
    server, source = fresh
    assert statuses(ask(server, source, None) for _ in range(2 * MOST)) == [401] * 2 * MOST
    assert statuses(guess(server, source, MOST)) == [401] * MOST
    assert ask(server, source, None).status == 401


def test_what_is_let_in_does_not_count(fresh):
    server, source = fresh
    second = basic("second/token", server.token)
    assert set(statuses(ask(server, source, second) for _ in range(2 * MOST))) == {403}
    assert set(statuses(ask(server, source, server.access) for _ in range(2 * MOST))) == {404}
    assert statuses(guess(server, source, 1)) == [401]


def test_whatever_is_asked_for(fresh):
    """The limit applies also before a large body and on an unknown path, but not to OPTIONS."""
    server, source = fresh
    guess(server, source, MOST)
    wrong = basic(KNOWN, "wrong")
    limited(ask(server, source, wrong, target="/nowhere"))
    limited(ask(server, source, wrong, method="POST", target=TASKS, body=b"{}"))
    limited(ask(server, source, wrong, JSON_LINE, method="POST",
                target=TASKS, body=b" " * (1024 * 1024)))
    assert ask(server, source, wrong, method="HEAD").status == 429
    assert ask(server, source, wrong, method="OPTIONS").status == 204


def test_nothing_is_stored(fresh):
    server, source = fresh
    guess(server, source, MOST)
    body = task_json()
    limited(ask(server, source, basic(KNOWN, "wrong"), JSON_LINE,
                method="POST", target=TASKS, body=body))
    assert server.create()["id"] == 1


@pytest.fixture(scope="module")
def two(tmp_path_factory, share_server):
    """A server of two accounts, behind a proxy."""
    place = tmp_path_factory.mktemp("accounts")
    folder = place / "data"
    for command in (["init", "--account", "first"], ["account", "add", "second"]):
        succeed(*command, "--data", folder, "--token-file", place / command[-1])
    return share_server(folder, (place / "first").read_text().strip(),
                        options=["--base-domain", DOMAIN, "--behind-proxy"])


@pytest.mark.parametrize("account", ["first", "second", "third"])
def test_each_account_has_its_own(two, account):
    """An account that does not exist has its own count as well, so the limit does not reveal which
    exist."""
    source, host = new_source(), f"{account}.{DOMAIN}"
    assert statuses(guess(two, source, MOST, host=host)) == [401] * MOST
    limited(guess(two, source, 1, host=host)[0])
    limited(guess(two, source, 1, host=host.upper())[0])
    others = {"first", "second", "third"} - {account}
    for other in sorted(others):
        assert guess(two, source, 1, host=f"{other}.{DOMAIN}")[0].status == 401


def test_a_source_at_many_accounts(two):
    source = new_source()
    names = [f"a{n}.{DOMAIN}" for n in range(100)]
    assert statuses(guess(two, source, 1, host=name)[0] for name in names) == [401] * 100
    for account in ("first", "second", "third"):
        limited(guess(two, source, 1, host=f"{account}.{DOMAIN}")[0])


def test_behind_a_proxy_the_client_counts(two):
    def forwarded(value, count=1):
        return [ask(two, "127.0.0.1", basic(KNOWN, "wrong"), f"X-Forwarded-For: {value}",
                    host=f"first.{DOMAIN}") for _ in range(count)]
    assert statuses(forwarded("192.0.2.1", MOST)) == [401] * MOST
    limited(forwarded("192.0.2.1")[0])
    limited(forwarded("198.51.100.1, 192.0.2.1")[0])  # the client itself wrote the first address
    assert forwarded("192.0.2.1, 192.0.2.2")[0].status == 401
    assert statuses(forwarded("2001:db8::1", MOST)) == [401] * MOST
    limited(forwarded("2001:db8::ffff:1")[0])
    assert forwarded("2001:db8:0:1::1")[0].status == 401
