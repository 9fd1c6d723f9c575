"""The limit on guesses at tokens holds for requests in progress at the same time. Over PostgreSQL
there can be many of them."""
import collections
import contextlib

import pytest

import postgres
from deployment import DOMAIN, deployed
from harness import TASKS, basic, succeed
from wire import Wire, message, new_source

pytestmark = postgres.NEEDED

AT_ONCE, MOST = 64, 20


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    with deployed(tmp_path_factory.mktemp("docket"), processes=1) as deployment:
        yield deployment


def at_once(deployment, source, passwords):
    """One request on its own connection for each password; all are sent before an answer is read."""
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(deployment.servers[0], source)) for _ in passwords]
        for wire, password in zip(wires, passwords):
            wire.send(message("GET", TASKS, f"Host: first.{DOMAIN}",
                              f"Authorization: {basic('admin/token', password)}"))
        return [wire.reply() for wire in wires]


def counted(replies):
    return dict(collections.Counter(reply.status for reply in replies))


@pytest.mark.parametrize("password", ["wrong {}", "the same"])
def test_wrong_ones(deployment, password):
    source = new_source()
    replies = at_once(deployment, source, [password.format(n) for n in range(AT_ONCE)])
    assert counted(replies) == {401: MOST, 429: AT_ONCE - MOST}
    for reply in replies:
        assert reply.status == 401 or 1 <= int(reply.header("Retry-After")) <= 60
    assert counted(at_once(deployment, source, ["another"])) == {429: 1}


def test_a_known_one_beside_wrong_ones(deployment):
    good = deployment.tokens["first"]
    replies = at_once(deployment, new_source(), ["wrong", good] * AT_ONCE)
    assert counted(replies[1::2]) == {200: AT_ONCE}
    assert counted(replies[::2]) == {401: MOST, 429: AT_ONCE - MOST}


def test_a_new_one(deployment, tmp_path):
    """The process has never seen the token; its request does not wait."""
    for number in range(5):
        file = tmp_path / f"token{number}"
        succeed("token", "add", f"new{number}", "--account", "first", "--database", deployment.url,
                "--token-file", file)
        replies = at_once(deployment, new_source(), [file.read_text().strip()] * AT_ONCE)
        assert counted(replies) == {200: AT_ONCE}
