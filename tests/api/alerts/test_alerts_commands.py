"""The commands alerts list, retry and cancel, with a server and without."""
import json

import pytest

import backends
from backends import where
from commands import fails
from harness import run, succeed
from ledger import DAY, ledger, now, stamp
from ports import free_port
from records import STAFF, TASK, change, create

pytestmark = backends.BOTH
HOUR = 3600


@pytest.fixture
def server(make_server):
    """Nobody listens at its mail server, so what is due waits for another attempt."""
    server = make_server(options=["--smtp-url", f"smtp://127.0.0.1:{free_port()}", "--mail-from",
                                  "docket@example.com"])
    change(server, STAFF, 1, email="first@example.com")
    return server


def made(server, at, users=(1, 2), **fields):
    return create(server, TASK, alert_at=stamp(at), users_list=list(users), **fields)["id"]


def ended(server, number, state, reason, staff=None):
    """Gives the rows of a task that state. Nobody may serve the place."""
    with backends.opened(server.data) as database:
        database.execute("UPDATE alert SET state = ?, reason = ?, due_at = NULL, ended_at = 1"
                         " WHERE task_id = ? AND staff_id = coalesce(?, staff_id)",
                         (state, reason, number, staff))


def alerts(server, *options):
    return json.loads(succeed("alerts", "list", *where(server.data), "--json", *options).stdout)


def states(server, number):
    """Whether each row of a task is open, or its state."""
    return [{"leased": "waiting"}.get(state, state)
            for _, (state, _) in sorted(ledger(server.data, number).items())]


def test_list(server):
    at = now() + HOUR
    first, second = made(server, at), made(server, at + 60, users=(3,))
    change(server, TASK, first, users_list=[1])
    found = alerts(server)
    assert [(row["task_id"], row["staff_id"], row["state"], row["reason"]) for row in found] == [
        (second, 3, "waiting", None), (first, 1, "waiting", None),
        (first, 2, "cancelled", "unassigned")]
    assert found[0] == {
        "task_id": second, "staff_id": 3, "alert_at": stamp(at + 60), "state": "waiting",
        "reason": None, "attempts": 0, "next_attempt_at": stamp(at + 60), "ended_at": None,
        "answer": ""}
    assert alerts(server, "--task", str(first)) == found[1:]
    assert alerts(server, "--state", "cancelled") == found[2:]
    assert alerts(server, "--state", "cancelled", "--task", str(second)) == []
    table = succeed("alerts", "list", *where(server.data)).stdout.splitlines()
    assert table[0].split()[:3] == ["task_id", "staff_id", "alert_at"] and len(table) == 4
    assert "there are no alerts" in succeed("alerts", "list", *where(server.data), "--state",
                                            "sent").stderr


@pytest.mark.parametrize("options, named", [
    (["--state", "lost"], "--state"), (["--task", "0"], "--task"), (["--task", "x"], "--task")])
def test_wrong_options(server, options, named):
    done = run("alerts", "list", *where(server.data), *options)
    assert done.returncode == 2 and named in done.stderr, done


@pytest.mark.slow
def test_retry(server):
    """What its task still wants, and what is not too late."""
    at = now() - HOUR
    numbers = [made(server, at) for _ in range(4)]
    failed, moved, complete, sent = numbers
    late = made(server, now() - DAY - 10)
    change(server, TASK, moved, alert_at=stamp(now() + HOUR))
    change(server, TASK, complete, status="complete")
    later = made(server, now() + HOUR, users=(1,))
    server.stop()
    for number in failed, moved, complete, late, later:
        ended(server, number, 3, 5)
    ended(server, failed, 4, 2, staff=2)
    ended(server, sent, 2, 0)
    said = succeed("alerts", "retry", "--task", str(failed), *where(server.data)).stderr
    assert said == "2 alerts will be sent\n"
    assert states(server, failed) == ["waiting", "waiting"]
    said = succeed("alerts", "retry", *where(server.data)).stderr
    # Those of `moved` at its present time, and the one of `later`.
    assert said == "3 alerts will be sent\n"
    assert states(server, later) == ["waiting"] and states(server, sent) == ["sent"] * 2
    assert states(server, complete) == ["failed"] * 2 and states(server, late) == ["failed"] * 2
    assert sorted(states(server, moved)) == ["failed"] * 2 + ["waiting"] * 2
    assert "there is no alert" in fails("alerts", "retry", *where(server.data))


def test_cancel_while_it_is_served(server):
    number, other = (made(server, now() + HOUR) for _ in range(2))
    options = ["--task", str(number), *where(server.data)]
    assert succeed("alerts", "cancel", *options).stderr == "2 alerts cancelled\n"
    assert set(ledger(server.data, number).values()) == {("cancelled", "by_command")}
    assert states(server, other) == ["waiting"] * 2
    assert "no alert of the task waits" in fails("alerts", "cancel", *options)
    assert succeed("alerts", "retry", *options).stderr == "2 alerts will be sent\n"
    assert states(server, number) == ["waiting"] * 2
