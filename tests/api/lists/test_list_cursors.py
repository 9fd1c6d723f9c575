"""Cursors continue where a page ended, in its order, and docket accepts nothing else as a cursor."""
import contextlib
import shutil
import sqlite3
import string

import pytest

import backends
import harness
from harness import TASKS, faults
from lists import SORTS, ask, cursor_of, encoded, ids, links, rewrite
from wire import ask_once

pytestmark = backends.BOTH

ALPHABET = string.ascii_letters + string.digits + "-_"


@pytest.fixture(scope="module")
def server(share_server):
    server = share_server()
    for i in range(12):
        fields = {"alert_at": "2023-01-01"} if i < 4 else {}
        server.create(due_on=f"2023-01-{12 - i // 2:02}", title=f"Task {i % 5}", **fields)
    return server


def refused(server, query, fields=("after",)):
    """Asserts a 400 that names the parameters; so docket answers no list at all."""
    reply = ask(server, query)
    assert sorted({field for field, _ in faults(reply, 400)}) == sorted(fields), (query, reply)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("at", [1, 4, 6, 11])
def test_a_cursor_carries_the_order(server, sort, direction, at):
    """The cursor alone is enough, whether the page ended with a value, with the last value or with
    a null."""
    order = f"sort={sort}&dir={direction}"
    whole = ids(server, order)
    cursor = cursor_of(ask(server, f"{order}&per_page={at}"))
    for query in ("", f"&{order}", f"&sort={sort}", f"&dir={direction}"):
        assert ids(server, f"after={cursor}{query}") == whole[at:], query


def test_what_a_cursor_does_not_carry(server):
    """The size of the page and the expansions may change from page to page."""
    whole = ids(server, "sort=due_on")
    cursor = cursor_of(ask(server, "sort=due_on&per_page=2&expand=case"))
    assert ids(server, f"after={cursor}&per_page=1") == whole[2:3]
    second = ask(server, f"after={cursor}&per_page=3&expand=calendar,users")
    assert [record["id"] for record in second.json] == whole[2:5]
    assert "Users" in second.json[0] and "Casefile" not in second.json[0]
    assert ids(server, f"after={cursor_of(second)}&per_page=500") == whole[5:]


@pytest.mark.parametrize("written, again", [
    ("case=245,246&user=none", "user=none&case=246&case=245"),
    ("case=245&case=246", "case[]=246&case[]=245,245"), ("id=1,2,3,4,5", "id=5,4,3,2,1,1"),
    ("from=2023-01-01", "due_from=2023-01-01T00:00:00Z"), ("title=TASK", "title=%74ask"),
    ("created_from=2020-01-01", "created_from=2020-01-01T01:00:00%2B01:00")])
def test_the_same_filters_in_other_words(server, written, again):
    cursor = cursor_of(ask(server, f"{written}&per_page=3"))
    assert ids(server, f"after={cursor}&{again}") == ids(server, written)[3:]


@pytest.mark.parametrize("other", [
    "sort=due_on", "sort=id&dir=desc", "dir=asc", "dir=asc&sort=title", "case=245", "id=1",
    "status=none", "user=none", "title=task", "due_from=2023-01-01", "created_to=2030-01-01"])
def test_not_with_another_order_or_filter(server, other):
    cursor = cursor_of(ask(server, "sort=title&dir=desc&per_page=2"))
    refused(server, f"after={cursor}&{other}")


FILTERED = "case=245&title=task&due_from=2023-01-01&created_to=2030-01-01"


@pytest.mark.parametrize("other", [
    "", "case=245", FILTERED.replace("245", "245,246"), FILTERED.replace("245", "none"),
    FILTERED.replace("245", "245,none"), FILTERED.replace("task", "tas"),
    FILTERED.replace("2023-01-01", "2023-01-02"), FILTERED.replace("due_from", "due_to"),
    FILTERED.replace("case", "calendar"), FILTERED.replace("created", "updated"),
    FILTERED.replace("2030-01-01", "2030-01-01T00:00:00Z"), FILTERED + "&user=none",
    FILTERED.replace("case=245&", "")])
def test_not_without_the_filters_of_its_list(server, other):
    cursor = cursor_of(ask(server, f"{FILTERED}&per_page=2"))
    assert ids(server, f"after={cursor}&{FILTERED}") == ids(server, FILTERED)[2:]
    refused(server, f"after={cursor}&{other}")


def test_not_with_a_page_nor_twice(server):
    cursor = cursor_of(ask(server, "per_page=2"))
    for page in (1, 2):
        reply = ask(server, f"after={cursor}&page={page}")
        assert "page" in {field for field, _ in faults(reply, 400)}
    refused(server, f"after={cursor}&after={cursor}")
    reply = ask(server, f"after={cursor}&case=abc&nonsense=1")
    assert {"case", "nonsense"} <= {field for field, _ in faults(reply, 400)}


# What is not a cursor

@pytest.mark.parametrize("query", ["per_page=3", "sort=title&per_page=3",
                                   "dir=desc&case=245&per_page=3", "sort=alert_at&per_page=3"])
@pytest.mark.slow
def test_a_cursor_that_was_changed(server, query):
    """Any character may have changed. Some bits of the last character may have no meaning."""
    cursor = cursor_of(ask(server, query))
    assert set(cursor) <= set(ALPHABET)
    kept = query.replace("&per_page=3", "")
    for at, own in enumerate(cursor):
        others = ALPHABET[(ALPHABET.index(own) + 1) % 64]
        if at in (0, len(cursor) - 1):
            others = ALPHABET
        for other in others:
            if other != own:
                refused(server, f"{kept}&after={cursor[:at]}{other}{cursor[at + 1:]}")
    for length in range(1, len(cursor)):
        refused(server, f"{kept}&after={cursor[:length]}")
        refused(server, f"{kept}&after={cursor[length:]}")
    for more in ("A", "AA", "AAAA", "=", "==", "%20", "+", "%0A", "%C3%A9", ",", cursor):
        refused(server, f"{kept}&after={cursor}{more}")
        refused(server, f"{kept}&after={more}{cursor}")
    for other in (cursor.swapcase(), cursor[::-1], cursor + "," + cursor):
        refused(server, f"{kept}&after={other}")


@pytest.mark.parametrize("text", [
    "", "1", "0", "-1", "null", "none", "abc", "A", "AA", "AAA", "AAAA", "A" * 60, "A" * 64,
    "_" * 100, "A" * 3000, "eyJpZCI6MX0=", "{}", "%00", "%F0%9F%98%80", "../../etc/passwd",
    "' OR 1=1 --", "AQAA", "2023-01-01", " "])
def test_a_cursor_that_was_made_up(server, text):
    refused(server, f"after={text if '%' in text else encoded(text)}")
    refused(server, f"after={text if '%' in text else encoded(text)}&sort=title&case=245")


def test_two_cursors_do_not_make_a_third(server):
    one, two = (cursor_of(ask(server, f"per_page={size}")) for size in (2, 3))
    assert one != two
    for at in range(4, len(one), 4):
        if (one[:at], one[at:]) != (two[:at], two[at:]):
            mixed = one[:at] + two[at:]
            if mixed not in (one, two):
                refused(server, f"after={mixed}")


@pytest.mark.slow
def test_a_cursor_of_another_installation(server, new_place, make_server):
    """Even if the other installation has the same tasks."""
    place = new_place("other")
    other = make_server(place, harness.make_data(place))
    for _ in range(3):
        other.create()
    cursor = cursor_of(ask(other, "per_page=1"))
    assert ids(other, f"after={cursor}") == [2, 3]
    refused(server, f"after={cursor}")
    refused(other, f"after={cursor_of(ask(server, 'per_page=1'))}")


@backends.SQLITE
@pytest.mark.slow
def test_a_cursor_of_another_account(server, tmp_path, make_server):
    """The other account is in a copy of the database, with the same key but another number."""
    cursor = cursor_of(ask(server, "per_page=1"))
    server.stop()
    shutil.copytree(server.data, tmp_path / "copy")
    server.start()
    with contextlib.closing(sqlite3.connect(tmp_path / "copy" / "docket.db")) as database, database:
        tables = [name for name, in database.execute(
            "SELECT m.name FROM sqlite_schema m, pragma_table_info(m.name) c"
            " WHERE m.type = 'table' AND c.name = 'account_id'")]
        assert {"task", "token", "staff"} <= set(tables)
        for table in tables:
            database.execute(f"UPDATE {table} SET account_id = 2")
        database.execute("UPDATE account SET id = 2")
    other = make_server(tmp_path / "copy", server.token)
    assert ids(other) == ids(server)
    refused(other, f"after={cursor}")
    assert ids(other, f"after={cursor_of(ask(other, 'per_page=1'))}") == ids(other)[1:]


# While others write

@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.slow
def test_a_cursor_outlives_its_record_and_a_new_start(make_server, sort, direction):
    """The test deletes the record of the cursor and its neighbours on both sides, and creates
    others before and after it."""
    server = make_server()
    for i in range(9):
        server.create(title=f"t{i}", due_on=f"2023-02-0{i + 1}", status="complete",
                      complete_at=f"2023-02-0{i + 1}", alert_at=f"2023-02-0{i + 1}")
    rewrite(server, ["UPDATE task SET created_at = id, updated_at = id"])
    order = f"sort={sort}&dir={direction}"
    whole = ids(server, order)
    cursor = cursor_of(ask(server, f"{order}&per_page=4"))
    rewrite(server, ["DELETE FROM task WHERE id IN (%s)" % ",".join(map(str, whole[2:5]))])
    assert ids(server, f"after={cursor}") == whole[5:]
    made = {day: server.create(title=f"t{day}", due_on=f"2023-02-{day}", status="complete",
                               complete_at=f"2023-02-{day}", alert_at=f"2023-02-{day}")["id"]
            for day in ("01", "05", "09")}
    after = ids(server, f"after={cursor}")
    assert after == [number for number in ids(server, order)
                     if number in after and number not in whole[:2]]
    # A day in the middle would be after neither position, so the days are at both ends.
    if sort in ("due_on", "complete_at", "alert_at"):
        late, early = (made["09"], made["01"]) if direction == "asc" else (
            made["01"], made["09"])
        assert late in after and early not in after
    if sort == "id":
        assert set(made.values()) & set(after) == (
            set(made.values()) if direction == "asc" else set())


def test_nothing_is_shown_twice_while_others_create(server):
    """Sorted by id, the default: new tasks come at the end, and each old task comes once."""
    before = ids(server, "per_page=500")
    path, seen, made = f"{TASKS}?per_page=3", [], []
    while path:
        reply = server.call("GET", path)
        seen += [record["id"] for record in reply.json]
        path = links(reply).get("next")
        if len(made) < 4:
            made.append(server.create()["id"])
    assert seen == before + made


def test_head_of_a_page_behind_a_cursor(server):
    path = links(ask(server, "per_page=2"))["next"]
    got = server.call("GET", path)
    head = ask_once(server, "HEAD", path)
    assert head.status == 200
    assert head.header("Content-Length") == str(len(got.body))
    assert head.header("Link") == got.header("Link")
