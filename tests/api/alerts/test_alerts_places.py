"""The ledger of alerts in an upgrade, and in the removal of an account."""
import pytest

import backends
from backends import opened, rows, where
from harness import succeed
from ledger import DAY, ledger, now, stamp
from migrations import LATEST, take_back
from records import STAFF, TASK, change, create

pytestmark = backends.ALL
HOUR = 3600


@pytest.fixture
def server(make_server):
    return make_server()


def made(server, at, users=(1, 2), **fields):
    return create(server, TASK, alert_at=stamp(at), users_list=list(users), **fields)["id"]


def test_an_upgrade_makes_the_rows(server):
    """Of alerts that are to come and of those that were sent. What is more than a day past is
    skipped."""
    soon, old = now() + HOUR, now() - 3 * DAY
    change(server, STAFF, 1, email="first@example.com")
    waits, past, sent, complete, nobody = (
        made(server, soon), made(server, old), made(server, old), made(server, soon),
        made(server, soon, users=()))
    change(server, TASK, complete, status="complete")
    server.stop()
    with opened(server.data) as database:
        database.execute("UPDATE task SET alert_sent_at = alert_at + 5 WHERE id = ?", (sent,))
        database.execute("UPDATE history SET value = replace(value, '\"alert_sent_at\":null',"
                         f" '\"alert_sent_at\":\"{stamp(old + 5)}\"')"
                         " WHERE record = 'task' AND record_id = ?", (sent,))
        take_back(database, 7, server.data)
    succeed("migrate", *where(server.data))
    assert rows(server.data, "SELECT max(number) FROM migration") == [(LATEST,)]
    assert set(ledger(server.data, waits).values()) == {("waiting", "")}
    assert set(ledger(server.data, past).values()) == {("skipped", "too_late")}
    assert ledger(server.data, sent) == {(1, old): ("sent", ""), (2, old): ("sent", "")}
    assert ledger(server.data, complete) == ledger(server.data, nobody) == {}
    assert rows(server.data, "SELECT DISTINCT ended_at FROM alert WHERE task_id = ?",
                (sent,)) == [(old + 5,)]
    server.start()


def test_a_removed_account_leaves_no_rows(one, tmp_path):
    succeed("account", "add", "other", *where(one), "--token-file", tmp_path / "token")
    succeed("demo", *where(one), "--account", "other")
    count = "SELECT count(*) FROM alert WHERE account_id = 2"
    assert rows(one, count)[0][0] > 20
    succeed("account", "remove", "other", "--yes", *where(one))
    assert rows(one, count) == [(0,)]
