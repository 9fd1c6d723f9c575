"""The chain of the history: docket check finds every later change of it, and names the first entry
that does not fit. What docs/history.md says about it is true."""
import json

import pytest

import backends
from chain import columns, digest_of, digest_of_value
from harness import cases, run, succeed

pytestmark = backends.BOTH

OF_MAIN = "WHERE account_id = 1"
LAST = "(SELECT max(change) FROM history WHERE account_id = 1)"


@pytest.fixture(scope="module")
def whole(tmp_path_factory, database):
    place = backends.empty(database, tmp_path_factory.mktemp("chain") / "data")
    where = backends.where(place)
    succeed("init", *where, *backends.init_options(database))
    succeed("demo", *where, "--tasks", 20)
    succeed("account", "add", "second", *where)
    return place


@pytest.fixture
def folder(whole, tmp_path):
    return backends.copy(whole, tmp_path / "data")


def change(folder, script):
    with backends.opened(folder) as database:
        for statement in filter(None, script.split(";")):
            database.execute(statement)


def told(folder):
    """The report of the rule: the first entry of each account that does not fit."""
    done = run("check", *backends.where(folder), "--json")
    rules = {fault["rule"]: fault for fault in json.loads(done.stdout)["faults"]}
    return [(entry["account"], entry["id"])
            for entry in rules.get("history-chain", {"entries": []})["entries"]]


def test_the_form_is_the_documented_one(whole):
    with backends.opened(whole) as database:
        heads = dict(database.execute("SELECT account_id, history_head FROM account_state"))
        before, last = {}, {}
        for row in columns(database):
            last[row[0]] = digest_of(row, before.get(row[0], bytes(32)))
            assert row[-1] == last[row[0]], row
            before[row[0]] = row[-1]
    assert heads == last
    assert told(whole) == []


@pytest.mark.parametrize("other, first", [(b"", []), (b"x", [("main", 7)])])
def test_a_removed_value_leaves_its_digest(folder, other, first):
    """The chain verifies without the value, but with no other digest."""
    with backends.opened(folder) as database:
        (salt, value), = database.execute(
            f"SELECT salt, value FROM history {OF_MAIN} AND change = 7").fetchall()
        database.execute(f"UPDATE history SET value = NULL, salt = NULL, digest = ? {OF_MAIN}"
                         " AND change = 7", (digest_of_value(salt, value + other.decode()),))
    assert told(folder) == first


@pytest.mark.parametrize("script, first", cases([
    ("a byte of a value", f"UPDATE history SET value = replace(value, 'DEMO-245', 'DEMO-345')"
     f" {OF_MAIN} AND record = 'casefile' AND record_id = 245;", "casefile"),
    ("a time", f"UPDATE history SET at = at + 1 {OF_MAIN} AND change = 7;", 7),
    ("who did it", f"UPDATE history SET staff_id = 2 {OF_MAIN} AND change = 7;", 7),
    ("that docket did it", f"UPDATE history SET staff_id = NULL {OF_MAIN} AND change = 9;", 9),
    ("the request", f"UPDATE history SET request_id = 'x' {OF_MAIN} AND change = 7;", 7),
    ("a bit of a hash", "UPDATE history SET hash = (SELECT history_head FROM account_state"
     f" WHERE account_id = 2) {OF_MAIN} AND change = 12;", 12),
    ("no hash", f"UPDATE history SET hash = NULL {OF_MAIN} AND change = 12;", 12),
    ("a salt", "UPDATE history SET salt = (SELECT salt FROM history WHERE account_id = 2"
     f" AND change = 1) {OF_MAIN} AND change = 7;", 7),
    ("no salt", f"UPDATE history SET salt = NULL {OF_MAIN} AND change = 7;", 7),
    ("a value without its digest", f"UPDATE history SET value = NULL, salt = NULL {OF_MAIN}"
     " AND change = 7;", 7),
    ("an entry is gone", f"DELETE FROM history {OF_MAIN} AND change = 5;", 6),
    ("the first is gone", f"DELETE FROM history {OF_MAIN} AND change = 1;", 2),
    ("one is gone and the others moved up", f"DELETE FROM history {OF_MAIN} AND change = 5;"
     f"UPDATE history SET change = -change {OF_MAIN} AND change > 5;"
     f"UPDATE history SET change = -change - 1 {OF_MAIN} AND change < 0;", 5),
    ("two are swapped", f"UPDATE history SET change = -4 {OF_MAIN} AND change = 4;"
     f"UPDATE history SET change = 4 {OF_MAIN} AND change = 5;"
     f"UPDATE history SET change = 5 {OF_MAIN} AND change = -4;", 4),
    ("another account's head", "UPDATE account_state SET history_head = (SELECT history_head"
     " FROM account_state WHERE account_id = 2) WHERE account_id = 1;", "last"),
    ("a head that is not there", "UPDATE account_state SET history_head = NULL"
     " WHERE account_id = 1;", "last"),
    ("the tail is cut", f"DELETE FROM history {OF_MAIN} AND change > {LAST} - 3;", "last"),
    ("the tail is cut and the account told so", f"DELETE FROM history {OF_MAIN} AND change >"
     f" {LAST} - 3; UPDATE account_state SET last_change = {LAST} WHERE account_id = 1;", "last"),
    ("all is gone", f"DELETE FROM history {OF_MAIN};", None),
]))
def test_what_is_changed_is_found(folder, script, first):
    with backends.opened(folder) as database:
        known = {"casefile": "SELECT change FROM history WHERE account_id = 1 AND"
                             " record = 'casefile' AND record_id = 245"}
        if first in known:
            first = database.execute(known[first]).fetchone()[0]
    change(folder, script)
    if first == "last":
        with backends.opened(folder) as database:
            first = database.execute("SELECT " + LAST).fetchone()[0]
    assert told(folder) == [("main", first)]


def test_of_every_account_the_first(folder):
    change(folder, "UPDATE history SET at = at + 1 WHERE change = 1;"
                   f"UPDATE history SET at = at + 1 {OF_MAIN} AND change = 9;")
    assert told(folder) == [("main", 1), ("second", 1)]
