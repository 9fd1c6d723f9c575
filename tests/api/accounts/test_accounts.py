"""Several accounts in one folder: how a request names its account, and that none sees another's
records."""
import pytest

import backends
from backends import rows, where
from commands import fails, misuse, mode
from harness import TASKS, Server, basic, problem, succeed, token_file
from wire import exchange, message

pytestmark = backends.BOTH

DOMAIN = "example.test"


def add(folder, name, *options):
    """Makes an account with sample records; returns its token."""
    file = token_file(folder, name)
    succeed("account", "add", name, *where(folder), "--token-file", file, *options)
    succeed("demo", *where(folder), "--account", name, "--tasks", 5)
    assert mode(file) == 0o600
    return file.read_text().strip()


@pytest.fixture(scope="module")
def two(tmp_path_factory, database):
    """A server of two accounts, and the token of each."""
    place = tmp_path_factory.mktemp("accounts")
    folder = backends.empty(database, place / "data")
    succeed("init", *where(folder), "--account", "first", "--token-file", place / "token")
    tokens = {"first": (place / "token").read_text().strip(), "second": add(folder, "second")}
    server = Server(folder, None, place / "log", ["--base-domain", DOMAIN])
    yield server, tokens
    server.stop()
    backends.remove(folder)


def ask(two, host, path, token, **options):
    server, tokens = two
    server.token = tokens[token]
    return server.call("GET", path, headers={"Host": host}, **options)


@pytest.mark.parametrize("host", [f"second.{DOMAIN}", f"second.{DOMAIN}:8080", f"second.{DOMAIN}.",
                                  f"SECOND.{DOMAIN.upper()}"])
def test_the_host_names_the_account(two, host):
    assert ask(two, host, TASKS, "second").json[0]["id"] == 1


@pytest.mark.parametrize("host", [
    "second", DOMAIN, "." + DOMAIN, f"third.{DOMAIN}", f"first.second.{DOMAIN}",
    f"second.first.{DOMAIN}", f"second.{DOMAIN}x", f"second.x{DOMAIN}", f"second{DOMAIN}",
    f"{'s' * 64}.{DOMAIN}", "127.0.0.1", f"first.{DOMAIN}"])
def test_another_host_is_no_access(two, host):
    """The answer is the same whether the account exists or not."""
    known = ask(two, f"first.{DOMAIN}", TASKS, "second")
    problem(known, 401)
    unknown = ask(two, host, TASKS, "second")
    assert (unknown.status, unknown.body) == (401, known.body)


def test_each_has_its_own_records(two):
    assert ask(two, f"first.{DOMAIN}", TASKS, "first").json == []
    assert len(ask(two, f"second.{DOMAIN}", TASKS, "second").json) == 5
    missing = ask(two, f"first.{DOMAIN}", TASKS + "/999", "first")
    other = ask(two, f"first.{DOMAIN}", TASKS + "/1", "first")
    problem(missing, 404)
    assert (other.status, other.body) == (404, missing.body)


@pytest.mark.slow
def test_several_accounts_need_a_base_domain(tmp_path, new_place):
    folder = new_place("data")
    succeed("init", *where(folder), "--token-file", tmp_path / "token")
    add(folder, "second")
    assert "--base-domain" in fails("serve", *where(folder), "--listen", "127.0.0.1:0")
    assert "--account" in fails("demo", *where(folder))
    assert "third" in fails("demo", *where(folder), "--account", "third")


@pytest.mark.slow
def test_a_name_is_taken_once(tmp_path, new_place):
    folder, file = new_place("data"), tmp_path / "token"
    succeed("init", *where(folder), "--token-file", file)
    before = rows(folder, "SELECT * FROM account"), rows(folder, "SELECT * FROM token")
    assert '"main"' in fails("account", "add", "main", *where(folder))
    # If the token cannot be written, nothing is made.
    fails("account", "add", "second", *where(folder), "--token-file", file)
    gone = tmp_path / "gone"
    fails("account", "add", "main", *where(folder), "--token-file", gone)
    assert not gone.exists()
    assert before == (rows(folder, "SELECT * FROM account"), rows(folder, "SELECT * FROM token"))


@pytest.mark.parametrize("arguments", [
    ["account", "addd", "x"], ["account", "add"], ["account", "add", "x", "y"],
    ["account", "add", ""], ["account", "add", "A"], ["account", "add", "a.b"],
    ["account", "add", "x", "--account", "y"], ["account", "add", "x", "--username", "a:b"],
    ["serve", "--base-domain", "."], ["serve", "--base-domain", "a b"]])
def test_wrong_use(one, arguments):
    told = misuse(*arguments, *where(one))
    assert told.count("\n") == 1
    assert rows(one, "SELECT count(*) FROM account") == [(1,)]


@pytest.mark.parametrize("host", ["first", "nobody"])
def test_the_target_goes_before_the_host(two, host):
    """RFC 9112, section 3.2.2: the host of an absolute target takes precedence."""
    server, tokens = two
    reply = exchange(server, message(
        "GET", f"http://second.{DOMAIN}{TASKS}?mode=count", f"Host: {host}.{DOMAIN}",
        "Authorization: " + basic("admin/token", tokens["second"])))
    assert reply.json["record_count"] == 5


@pytest.mark.parametrize("group", ["account", "staff", "token"])
def test_the_help_of_a_group(group):
    done = succeed(group, "--help")
    assert f"  {group} list " in done.stdout and done.stderr == ""
    assert f"  {group} list " in misuse(group)
