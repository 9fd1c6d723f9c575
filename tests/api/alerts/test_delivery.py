"""Alerts are sent when they are due: once if nothing fails, and with the same Message-ID if something does."""
import threading

import json

import pytest

import backends
import proofs
from backends import rows
from harness import succeed
from ledger import DAY, ledger, now, stamp
from mail import CLOSE, FROM, STALL, MailServer, Scripted, parsed
from ports import free_port
from records import STAFF, TASK, change, create
from together import WAIT_S, until

SENT, RETRY = ("sent", ""), ("waiting", "retry")
# The addresses of staff 2 and 3, which docket demo makes.
SECOND, THIRD = "second@example.com", "third@example.com"
SENDERS = 4  # threads of a process, each with a message


def smtp(server):
    return ["--smtp-url", f"smtp://127.0.0.1:{server.port}", "--mail-from", FROM]


@pytest.fixture
def mail():
    with MailServer() as server:
        yield server


def made(server, at, users=(2,), **fields):
    return create(server, TASK, alert_at=stamp(at), users_list=list(users), **fields)["id"]


def states(server, number):
    """What the ledger says of the task's staff members."""
    return {staff: said for (staff, _), said in ledger(server.data, number).items()}


def recorded(server, number, state):
    """Waits until all rows of a task are in that state."""
    until(lambda: set(states(server, number).values()) == {state}, what=lambda: states(server, number))


def of_task(messages, number):
    return [message for message in messages
            if parsed(message.content)["X-Docket-Task"] == str(number)]


def ids(messages):
    return [parsed(message.content)["Message-ID"] for message in messages]


@backends.BOTH
def test_each_staff_member_gets_one_message(make_server, mail):
    server = make_server(options=smtp(mail))
    at = now() + 2
    number = made(server, at, users=[2, 3], title="Prüfen\u2028der Akte")
    later = made(server, at + 3600)
    recorded(server, number, SENT)
    assert sorted(message.recipients for message in mail.messages) == [(SECOND,), (THIRD,)]
    assert len(set(ids(mail.messages))) == 2
    for message in mail.messages:
        assert message.sender == FROM and int(message.at) >= at
        assert parsed(message.content)["X-Docket-Task"] == str(number)
        assert "Prüfen" in parsed(message.content)["Subject"]
    task = server.get(number).json
    assert task["alert_sent_at"] >= stamp(at)
    assert states(server, later) == {2: ("waiting", "")}


def alerts_status(server):
    return json.loads(succeed("status", "--json", "--data", server.data).stdout)["alerts"]


@backends.SQLITE
def test_without_a_mail_server(make_server):
    server = make_server()
    number = made(server, now() - 10, users=[2, 3])
    recorded(server, number, ("skipped", "no_mail_server"))
    assert server.get(number).json["alert_sent_at"] is None
    until(lambda: alerts_status(server)["skipped"] == 2)
    assert any("2 skipped" in line for line in server.messages())


@backends.POSTGRESQL
def test_a_process_without_a_mail_server_leaves_alerts_to_others(make_server, mail):
    server = make_server()
    old = made(server, now() - DAY + 1)
    number = made(server, now() - 3600, users=[2, 3])
    assert any("there is no --smtp-url" in line for line in server.messages())
    recorded(server, old, ("skipped", "too_late"))
    assert states(server, number) == {2: ("waiting", ""), 3: ("waiting", "")}
    other = make_server(server.data, server.token, options=smtp(mail))
    recorded(server, number, SENT)
    other.stop()


def test_a_folder(make_server, tmp_path):
    folder = tmp_path / "mail"
    folder.mkdir()
    server = make_server(options=["--smtp-url", f"file:{folder}", "--mail-from", FROM])
    number = made(server, now() - 10)
    recorded(server, number, SENT)
    file, = folder.iterdir()
    assert parsed(file.read_bytes())["X-Docket-Task"] == str(number)


# The clock is the test's

@backends.BOTH
def test_never_early_and_after_a_jump_of_the_clock(one, base, make_server, mail, clock):
    server = make_server(one, base[1], options=smtp(mail), env=clock.env)
    first = made(server, clock.now + 600)
    second = made(server, clock.now + 1200)
    clock.set(clock.now + 599)
    sooner = made(server, clock.now - 5)
    recorded(server, sooner, SENT)
    assert states(server, first) == {2: ("waiting", "")}
    clock.set(clock.now + 1)
    recorded(server, first, SENT)
    clock.set(clock.now - DAY)
    clock.set(clock.now + DAY)
    assert states(server, second) == {2: ("waiting", "")}
    assert len(mail.messages) == 2


@pytest.mark.parametrize("away, state", [(3600, SENT), (2 * DAY, ("skipped", "too_late"))])
@backends.BOTH
def test_a_server_that_was_down(one, base, make_server, mail, clock, away, state):
    server = make_server(one, base[1], options=smtp(mail), env=clock.env)
    number = made(server, clock.now + 60)
    server.stop()
    clock.set(clock.now + away)
    server.start()
    recorded(server, number, state)
    assert len(mail.messages) == (state == SENT)


# Mail servers with faults

class Answers:
    """Answers for MailServer: each recipient or message gets the first one of a list, then the next."""

    def __init__(self, stage, *answers):
        self.stage, self.answers, self.seen = stage, list(answers), []

    def __call__(self, stage, session, envelope, argument):
        if stage != self.stage or not self.answers:
            return None
        return self.answers.pop(0)


@pytest.mark.parametrize("stage", ["RCPT", "DATA"])
def test_greylisting(make_server, clock, stage):
    with MailServer(answer=Answers(stage, "451 4.7.1 come back", "450 4.7.1 not yet")) as mail:
        server = make_server(options=smtp(mail), env=clock.env)
        number = made(server, clock.now)
        for wait, answer in (60, "451 4.7.1 come back"), (120, "450 4.7.1 not yet"):
            until(lambda: rows(server.data, "SELECT state, answer, due_at FROM alert") ==
                  [(0, answer, clock.now + wait)])
            clock.set(clock.now + wait)
        recorded(server, number, SENT)
        assert len(mail.messages) == 1
        assert server.get(number).json["alert_sent_at"] == stamp(clock.now)


@pytest.mark.parametrize("stage", ["RCPT", "DATA"])
def test_a_refusal_is_final_and_stops_nobody_else(make_server, stage):
    def answer(at, session, envelope, argument):
        refuse = SECOND in [*envelope.rcpt_tos, argument]
        return "550 5.1.1 no such user" if at == stage and refuse else None

    with MailServer(answer=answer) as mail:
        server = make_server(options=smtp(mail))
        number = made(server, now() - 1, users=[2, 3])
        until(lambda: states(server, number) == {2: ("failed", "refused"), 3: SENT},
              what=lambda: states(server, number))
        assert [message.recipients for message in mail.messages] == [(THIRD,)]
        assert server.get(number).json["alert_sent_at"]
        assert (1, 2, "550 5.1.1 no such user") in rows(
            server.data, "SELECT attempts, staff_id, answer FROM alert")
        until(lambda: any(f"the alert of task {number} of account 1 to staff member 2 has failed: refused: "
                          "550 5.1.1 no such user" in line for line in server.messages()))


def test_a_last_attempt_that_fails(make_server, clock):
    with MailServer(answer=Answers("RCPT", "451 4.7.1 come back")) as mail:
        server = make_server(options=smtp(mail), env=clock.env)
        number = made(server, clock.now - DAY + 30)
        recorded(server, number, ("failed", "given_up"))
        until(lambda: alerts_status(server)["given_up"] == 1)
        assert alerts_status(server)["try_again"] == 1
        assert any("has failed: given_up: 451 4.7.1 come back" in line for line in server.messages())


def test_a_connection_lost_after_the_end_of_the_message(make_server, clock):
    """The server may have the message, so the next one has the same Message-ID."""
    with Scripted(end=CLOSE) as mail:
        server = make_server(options=smtp(mail), env=clock.env)
        number = made(server, clock.now)
        recorded(server, number, RETRY)
        mail.answers["."] = mail.USUAL["."]
        clock.set(clock.now + 60)
        recorded(server, number, SENT)
        first, second = [parsed(message)["Message-ID"] for message in mail.messages]
        assert first == second


def test_three_connections_lost_after_the_end_of_the_message(make_server, clock):
    """The server may take the message each time, so docket does not send it for a whole day."""
    with Scripted(end=CLOSE) as mail:
        server = make_server(options=smtp(mail), env=clock.env)
        number = made(server, clock.now)
        for wait in 60, 120:
            until(lambda: rows(server.data, "SELECT state, due_at FROM alert") == [(0, clock.now + wait)])
            clock.set(clock.now + wait)
        recorded(server, number, ("failed", "perhaps_sent"))
        assert len(mail.messages) == 3
        assert server.get(number).json["alert_sent_at"] is None


@pytest.mark.slow
def test_a_mail_server_that_is_away(make_server):
    """docket tries again by itself, and logs it once. No alert has lost an attempt, so none waits longer than
    the server was away."""
    port = free_port()
    server = make_server(options=["--smtp-url", f"smtp://127.0.0.1:{port}", "--mail-from", FROM])
    numbers = [made(server, now() - 1) for _ in range(50)]
    until(lambda: any("takes no mail now" in line for line in server.messages()))
    with MailServer(port=port) as mail:
        for number in numbers:
            recorded(server, number, SENT)
        assert len(mail.messages) == len(numbers)
        assert rows(server.data, "SELECT DISTINCT attempts FROM alert") == [(1,)]
        for words in "takes no mail now", "takes mail again":
            assert sum(words in line for line in server.messages()) == 1


def test_a_mail_server_that_takes_few_connections(make_server):
    """The senders that it refuses rest. Their alerts go out over the other connections."""
    def greet(client):
        if len(taken) < 2:
            taken.append(client)
            client.sendall(Scripted.USUAL["greeting"])
        else:
            refused.append(client)
            client.sendall(b"421 4.7.0 too many connections\r\n")
            Scripted.close(client)

    taken, refused = [], []
    with Scripted(greeting=greet) as mail:
        server = make_server(options=smtp(mail))
        numbers = [made(server, now() - 1) for _ in range(100)]
        for number in numbers:
            recorded(server, number, SENT)
        assert len(mail.messages) == len(numbers)
        assert rows(server.data, "SELECT DISTINCT attempts FROM alert") == [(1,)]
        assert 1 <= len(refused) <= 6, len(refused)


def test_a_mail_server_that_does_not_answer_quit(make_server):
    """docket waits for that answer only for a moment, and then sends the other messages."""
    with Scripted(RCPT=b"550 5.1.1 no such user\r\n", QUIT=STALL) as mail:
        server = make_server(options=[*smtp(mail), "--smtp-timeout", 600])
        numbers = [made(server, now() - 1) for _ in range(8)]
        for number in numbers:
            recorded(server, number, ("failed", "refused"))


def test_a_lease_that_ends_while_its_message_is_on_its_way(make_server, clock):
    """The clock steps forward. docket leases the row again, and does not send the message again."""
    def hold(client):
        if len(mail.messages) == 1:
            go_on.wait(WAIT_S)
        client.sendall(Scripted.USUAL["."])

    go_on = threading.Event()
    with Scripted(end=hold) as mail:
        server = make_server(options=smtp(mail), env=clock.env)
        first = made(server, clock.now)
        until(lambda: mail.messages)
        clock.set(clock.now + 600)
        until(lambda: rows(server.data, "SELECT attempts FROM alert") == [(2,)])
        for _ in range(8):  # more than there are senders
            recorded(server, made(server, clock.now), SENT)
        go_on.set()
        recorded(server, first, SENT)
        assert len(mail.messages) == len(set(parsed(one)["Message-ID"] for one in mail.messages)) == 9


@pytest.mark.parametrize("goodbye", [b"", b"421 4.4.2 too many messages\r\n"])
def test_a_connection_that_the_mail_server_closes_is_opened_again(make_server, goodbye):
    """It takes one message on each connection. The first attempt of each alert succeeds nevertheless."""
    def answer(client):
        if client in known:
            client.sendall(goodbye)
            Scripted.close(client)
        else:
            known.add(client)
            client.sendall(Scripted.USUAL["MAIL"])

    known = set()
    with Scripted(MAIL=answer) as mail:
        server = make_server(options=smtp(mail))
        numbers = [made(server, now() - 1) for _ in range(12)]
        for number in numbers:
            recorded(server, number, SENT)
        assert rows(server.data, "SELECT DISTINCT attempts FROM alert") == [(1,)]
        assert len(mail.messages) == 12


# Caps

def test_the_cap_of_an_account(make_server, mail):
    server = make_server(options=[*smtp(mail), "--mail-per-account", 3])
    numbers = [made(server, now() - 1) for _ in range(5)]
    until(lambda: sorted(states(server, number)[2] for number in numbers)[:3] == [SENT] * 3 and
          [*states(server, numbers[4]).values()][0][0] == "waiting")
    assert len(mail.messages) == 3


def test_what_is_not_sent_does_not_count(make_server, mail):
    server = make_server(options=[*smtp(mail), "--mail-per-account", 3, "--mail-per-minute", 3])
    nobody = [made(server, now() - 60, users=[1]) for _ in range(5)]
    numbers = [made(server, now() - 1) for _ in range(3)]
    for number in nobody:
        recorded(server, number, ("skipped", "no_address"))
    for number in numbers:
        recorded(server, number, SENT)


def test_an_address_beyond_ascii(make_server, mail):
    """Its domain has a form in ASCII. What is before the @ has none."""
    server = make_server(options=[*smtp(mail), "--mail-from", f"docket@{'long-name.' * 16}example.com"])
    change(server, STAFF, 2, email="ann@bücher.example")
    change(server, STAFF, 3, email="jörg@example.com")
    number = made(server, now() - 1, users=[2, 3])
    until(lambda: states(server, number) == {2: SENT, 3: ("skipped", "bad_address")})
    assert [message.recipients for message in mail.messages] == [("ann@xn--bcher-kva.example",)]


def test_the_cap_of_the_process(make_server, mail):
    server = make_server(options=[*smtp(mail), "--mail-per-minute", 3])
    numbers = [made(server, now() - 1) for _ in range(5)]
    until(lambda: [states(server, number)[2] for number in numbers].count(SENT) == 3)
    assert len(mail.messages) == 3


# The end of the process

@backends.BOTH
@pytest.mark.slow
def test_the_end_gives_leases_back(make_server):
    with Scripted(end=STALL) as mail:
        server = make_server(options=smtp(mail))
        numbers = [made(server, now() - 1) for _ in range(20)]
        until(lambda: mail.messages)
        server.stop()  # asserts that it ends in time
        kept = [states(server, number)[2] for number in numbers]
        assert set(kept) <= {("waiting", ""), RETRY} and kept.count(RETRY) <= 4, kept
        mail.answers["."] = mail.USUAL["."]
        server.start()
        for number, was in zip(numbers, kept):
            if was != RETRY:
                recorded(server, number, SENT)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_killed_process_sends_again_at_its_start(make_server, database):
    with Scripted(end=STALL) as mail:
        server = make_server(options=smtp(mail))
        number = made(server, now() - 1)
        until(lambda: mail.messages)
        server.kill()
        mail.answers["."] = mail.USUAL["."]
        server.start()
        recorded(server, number, SENT)
        first, second = [parsed(message)["Message-ID"] for message in mail.messages]
        assert first == second


@pytest.mark.slow
@backends.POSTGRESQL
def test_another_process_takes_over_from_a_killed_one(make_server):
    """It waits until the lease ends: nobody else knows that the process is dead."""
    with Scripted(end=STALL) as mail:
        server = make_server(options=[*smtp(mail), "--smtp-timeout", 5])
        at = now() + 2
        numbers = [made(server, at) for _ in range(20)]
        until(lambda: mail.messages)
        server.kill()
        mail.answers["."] = mail.USUAL["."]
        other = make_server(server.data, server.token, options=smtp(mail))
        for number in numbers:
            recorded(other, number, SENT)
        sent = [parsed(message)["Message-ID"] for message in mail.messages]
        assert len(set(sent)) == 20 and len(sent) <= 20 + SENDERS


@pytest.mark.slow
@proofs.ALERTS
@backends.POSTGRESQL
def test_two_processes_share_the_work(make_server, mail):
    """They send from different addresses."""
    count, senders = proofs.size(200), [FROM, "other@example.com"]
    servers = [make_server(options=smtp(mail))]
    servers.append(make_server(servers[0].data, servers[0].token,
                               options=[*smtp(mail)[:2], "--mail-from", senders[1]]))
    at = now() + 2
    for number in [made(servers[n % 2], at) for n in range(count)]:
        recorded(servers[0], number, SENT)
    assert len(mail.messages) == len(set(ids(mail.messages))) == count
    assert {message.sender for message in mail.messages} == set(senders)
    servers[1].stop()
