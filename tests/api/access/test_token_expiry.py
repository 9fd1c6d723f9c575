"""Seven days before a token expires it is in the log, in /me, and in a mail."""
import time

import pytest

import backends
from backends import rows, where
from harness import Server, basic, succeed
from mail import FROM, MailServer, parsed
from ports import free_port
from together import at_once, until

pytestmark = backends.BOTH

DAY = 24 * 60 * 60
LIFE = 90 * DAY
STAFF = (("zoe", "zoe@example.com", "full"), ("none", "", "full"), ("ltd", "ltd@example.com", "limited"),
         ("off", "off@example.com", "disabled"), ("twin", "zoe@example.com", "full"))


def at(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def add(place, label, seconds, tmp_path, *options):
    file = tmp_path / f"{label}-{time.monotonic_ns()}"
    succeed("token", "add", label, *where(place), "--expires", at(seconds), "--token-file", file, *options)
    with backends.opened(place) as database:
        database.execute("UPDATE token SET created_at = ? WHERE label = ?", (seconds - LIFE, label))
    return basic("admin/token", file.read_text().strip())


def smtp(port):
    return ["--smtp-url", f"smtp://127.0.0.1:{port}", "--mail-from", FROM]


def told(server, label, seconds, account="main"):
    line = f'the API token "{label}" of the account "{account}" expires at {at(seconds)}\n'
    return server.stderr().count(line)


def notices(place):
    return dict(rows(place, "SELECT label, notice_at FROM token"))


@pytest.fixture
def mail():
    with MailServer() as server:
        yield server


def test_the_log_and_me(one, make_server, clock, tmp_path):
    """Also when it is only then seven days, while docket serves, and once."""
    now = clock.now
    soon, later = now + 3 * DAY, now + 7 * DAY + 3600
    made = {"soon": add(one, "soon", soon, tmp_path), "later": add(one, "later", later, tmp_path)}
    server = make_server(one, env=clock.env)

    def expires_soon():
        return {label: server.call("GET", "/api/v1/me", access=access).json["token"]["expires_soon"]
                for label, access in made.items()}

    until(lambda: told(server, "soon", soon) == 1)
    assert told(server, "later", later) == 0
    assert expires_soon() == {"soon": True, "later": False}
    assert set(notices(one).values()) == {None}  # it is left to a process with a mail server
    clock.set(now + 3601)
    until(lambda: told(server, "later", later) == 1, seconds=30)
    assert expires_soon() == {"soon": True, "later": True}
    clock.set(clock.now + 60)
    time.sleep(11)  # it looks every ten seconds
    assert (told(server, "soon", soon), told(server, "later", later)) == (1, 1)
    assert server.call("GET", "/api/v1/me").json["token"]["expires_soon"] is False
    server.stop()
    server.start()  # a process tells it once
    until(lambda: (told(server, "soon", soon), told(server, "later", later)) == (2, 2))


def test_many_tokens(one, make_server, tmp_path):
    """More than one look reads, and some expire at the same time."""
    soon = int(time.time()) + 3 * DAY
    with backends.opened(one) as database:
        for number in range(40):
            database.execute("INSERT INTO token (account_id, hash, label, created_at, expires_at, scopes,"
                             " lenient, addresses) VALUES (1, ?, ?, ?, ?, 2, 0, '')",
                             (bytes([number]) * 32, f"t{number}", soon - LIFE, soon))
    server = make_server(one)
    until(lambda: all(told(server, f"t{number}", soon) for number in range(40)))
    assert server.stderr().count("the API token ") == 40


def test_the_mail_of_another_process(one, make_server, tmp_path, mail):
    """A process without a mail server leaves the message to one that has one."""
    succeed("staff", "set", "admin", *where(one), "--email", "a@example.com")
    soon = int(time.time()) + 3 * DAY
    add(one, "ci", soon, tmp_path)
    without = Server(one, None, tmp_path / "without")
    try:
        until(lambda: told(without, "ci", soon) == 1)
        time.sleep(1)
        if not isinstance(one, backends.Database):  # one process serves a folder
            without.stop()
        make_server(one, options=smtp(mail.port))
        until(lambda: mail.messages)
        until(lambda: notices(one)["ci"] == soon)
        assert len(mail.messages) == 1
    finally:
        without.stop()


def test_a_short_life(one, make_server, tmp_path):
    """Whoever makes a token for seven days or less knows that it ends."""
    now = int(time.time())
    for label, life in (("a week", 7 * DAY), ("more", 7 * DAY + 1)):
        add(one, label, now + 3 * DAY, tmp_path)
        with backends.opened(one) as database:
            database.execute("UPDATE token SET created_at = ? WHERE label = ?", (now + 3 * DAY - life, label))
    server = make_server(one)
    until(lambda: told(server, "more", now + 3 * DAY) == 1)
    assert server.stderr().count("the API token ") == 1


def test_the_mail(one, make_server, tmp_path, mail):
    """To the staff of its account with full access, once each."""
    for user, address, access in STAFF:
        succeed("staff", "add", user, *where(one), "--email", address, "--access", access)
    succeed("account", "add", "other", *where(one), "--username", "ada", "--email", "ada@example.com",
            "--token-file", tmp_path / "other")
    soon = int(time.time()) + 3 * DAY
    add(one, "n\u00e4chtlich", soon, tmp_path, "--account", "main")
    server = make_server(one, options=[*smtp(mail.port), "--base-domain", "example.test"])
    until(lambda: mail.messages)
    until(lambda: notices(one)["n\u00e4chtlich"] == soon)
    time.sleep(1)
    (message,) = mail.messages
    assert message.recipients == ("zoe@example.com",)
    seen = parsed(message.content)
    assert seen["Subject"] == f'docket: the API token "n\u00e4chtlich" expires at {at(soon)}'
    assert seen["From"] == FROM and "docket token rotate" in seen.get_content()
    assert f'"n\u00e4chtlich" of the account "main" expires at {at(soon)}' in seen.get_content()
    assert told(server, "n\u00e4chtlich", soon) == 1


def test_a_mail_server_that_is_away(one, make_server, clock, tmp_path):
    """docket tries again an hour later, and ends without delay."""
    succeed("staff", "set", "admin", *where(one), "--email", "a@example.com")
    soon, port = clock.now + 3 * DAY, free_port()
    add(one, "ci", soon, tmp_path)
    server = make_server(one, env=clock.env, options=smtp(port))
    until(lambda: "cannot send a message about an API token to a@example.com" in server.stderr())
    assert notices(one)["ci"] == clock.now + 3600
    with MailServer(port=port) as mail:
        clock.set(clock.now + 3601)
        until(lambda: mail.messages, seconds=30)
        until(lambda: notices(one)["ci"] == soon)
        assert len(mail.messages) == 1
    server.stop()


def test_a_mail_server_that_takes_some_messages(one, make_server, clock, tmp_path):
    """Such as one with greylisting. An hour later docket tells the others, and nobody twice."""
    people = ["a@example.com", "b@example.com", "c@example.com"]
    succeed("staff", "set", "admin", *where(one), "--email", people[0])
    for name, address in zip("bc", people[1:]):
        succeed("staff", "add", name, *where(one), "--email", address)
    soon, refused = clock.now + 3 * DAY, {people[1]}
    add(one, "ci", soon, tmp_path)

    def answer(stage, _session, _envelope, argument):
        return "450 4.2.0 greylisted" if stage == "RCPT" and argument in refused else None

    with MailServer(answer=answer) as mail:
        def have():
            return sorted(address for message in mail.messages for address in message.recipients)

        server = make_server(one, env=clock.env, options=smtp(mail.port))
        until(lambda: have() == [people[0], people[2]])
        until(lambda: notices(one)["ci"] == clock.now + 2 * 3600)  # this process alone knows who has it
        clock.set(clock.now + 3601)
        until(lambda: server.stderr().count(f"{people[1]}: 450 4.2.0 greylisted") == 2, seconds=30)
        refused.clear()
        clock.set(clock.now + 3601)
        until(lambda: notices(one)["ci"] == soon, seconds=30)
        assert have() == people and notices(one)["ci"] == soon
        assert told(server, "ci", soon) == 1
        server.stop()


def test_nobody_who_could_get_mail(one, make_server, tmp_path, mail):
    soon = int(time.time()) + 3 * DAY
    succeed("staff", "set", "admin", *where(one), "--email", "")
    add(one, "ci", soon, tmp_path)
    server = make_server(one, options=smtp(mail.port))
    until(lambda: notices(one)["ci"] == soon)
    assert told(server, "ci", soon) == 1 and mail.messages == []


def test_a_rotated_token_is_no_news(one, make_server, tmp_path):
    soon = int(time.time()) + 3 * DAY
    add(one, "old", soon, tmp_path)
    add(one, "mark", soon + 1, tmp_path)
    succeed("token", "rotate", "old", *where(one), "--expires", "2999-01-01",
            "--token-file", tmp_path / "new")
    server = make_server(one)
    until(lambda: told(server, "mark", soon + 1) == 1)
    assert server.stderr().count("the API token ") == 1


@backends.POSTGRESQL
def test_one_of_several_processes_tells(one, tmp_path, mail):
    succeed("staff", "set", "admin", *where(one), "--email", "a@example.com")
    soon = int(time.time()) + 3 * DAY
    for number in range(16):  # as many as one look finds
        add(one, f"t{number}", soon, tmp_path)
    servers = at_once(lambda n: Server(one, None, tmp_path / f"log-{n}", options=smtp(mail.port)), range(4))
    try:
        until(lambda: {at for label, at in notices(one).items() if label.startswith("t")} == {soon},
              seconds=60)
        time.sleep(2)  # all have looked
        assert len(mail.messages) == 16
        for number in range(16):
            assert sum(told(server, f"t{number}", soon) for server in servers) == 1
    finally:
        for server in servers:
            server.stop()


def test_an_expired_token_is_not_news(one, make_server, tmp_path):
    soon = int(time.time()) + 3 * DAY
    add(one, "gone", soon, tmp_path)
    add(one, "mark", soon, tmp_path)
    with backends.opened(one) as database:
        database.execute("UPDATE token SET expires_at = ? WHERE label = 'gone'", (int(time.time()) - 60,))
    server = make_server(one)
    until(lambda: told(server, "mark", soon) == 1)
    assert server.stderr().count("the API token ") == 1
