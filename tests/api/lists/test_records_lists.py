"""Lists of the records that tasks name: filters, sorts, pages, cursors and counts."""
import contextlib
import re
import sqlite3
import urllib.parse

import pytest

import backends
from harness import Server, cases, faults, run, succeed
from list_model import fold
from migrations import columns_after, to_schema
from records import (CALENDAR, CASE, EACH, KINDS, SERVICE, STAFF, SUBJECT, TASK, change, create,
                     get, send)

pytestmark = backends.BOTH



@pytest.fixture(scope="module")
def known(share_server):
    """A server with known records, and their ids by kind and letter."""
    server = share_server()
    made = {
        "casefile": [create(server, CASE, **fields)["id"] for fields in [
            {"case_number": "A-1, first", "created_on": "2020-01-01", "due_on": "2021-01-01",
             "reference_value_1": "PO 1, 2", "external_id": "x,1"},
            {"case_number": "A-2", "created_on": "2020-01-02", "status": "closed",
             "reference_value_2": "PO 1, 2"},
            {"case_number": "a-2", "created_on": "2020-01-02", "due_on": "2020-12-31",
             "reference_value_3": "z"},
            {"case_number": "B", "created_on": "1999-12-31", "due_on": "2021-01-01",
             "status": "closed", "reference_value_1": "z"}]],
        "subject": [create(server, SUBJECT, **fields)["id"] for fields in [
            {"first_name": "Zo\u00eb", "middle_name": "Maria", "last_name": "Stra\u00dfe",
             "is_primary": True},
            {"casefile_id": 246, "last_name": "ZOE\u0308 STRASSE"},
            {"casefile_id": 246, "first_name": "Ann", "last_name": "Li", "is_primary": True},
            {"first_name": "Li", "last_name": "Ann", "external_id": "s"}]],
        "staff": [create(server, STAFF, **fields)["id"] for fields in [
            {"first_name": "Zo\u00eb", "last_name": "\u00d6st", "email": "a@example.com",
             "is_vendor": True, "access_level": "limited"},
            {"first_name": "zoe", "last_name": "\u00f6sterreich", "email": "A@example.com",
             "access_level": "disabled"},
            {"first_name": "Ann", "last_name": "Oest", "external_id": "st"}]],
        "calendar": [create(server, CALENDAR, name=name)["id"]
                     for name in ("b", "A", "\u00e9", "B")],
        "case_service": [create(server, SERVICE, name=name)["id"] for name in ("b", "A", "B")],
    }
    made["task"] = [create(server, TASK, external_id=key)["id"] for key in ("k", None, "K")]
    return server, made


FILTERS = [(f"{kind.wrapper}?{query}", kind, query, letters) for kind, query, letters in [
    (CASE, "case_number=A-2", "b"), (CASE, "case_number=A-1,%20first", "a"),
    (CASE, "case_number=nothing", ""), (CASE, "external_id=x,1", "a"), (CASE, "external_id=x", ""),
    (CASE, "status=closed", "bd"), (CASE, "status=closed,open&created_to=2020-01-01", "ad"),
    (CASE, "created_from=2020-01-02&created_to=2020-01-02", "bc"),
    (CASE, "from=2020-01-01&to=2020-01-02", "abc"), (CASE, "From=2000-01-01&To=2020-01-01", "a"),
    (CASE, "due_from=2021-01-01", "ad"), (CASE, "due_to=2020-12-31", "c"),
    (CASE, "due_from=2020-12-31&due_to=2021-01-01&status=closed", "d"),
    (CASE, "reference_value_1=PO%201,%202", "a"), (CASE, "reference_value_2=PO+1,+2", "b"),
    (CASE, "reference_value_3=z", "c"), (CASE, "reference_value_1=z&status=open", ""),
    (CASE, "created_to_system=2020-01-01", ""),
    (CASE, "created_from_system=2020-01-01&from=2020-01-02", "bc"),
    (CASE, "updated_from=2020-01-01&to=2000-01-01", "d"), (CASE, "updated_to=2020-01-01", ""),
    (SUBJECT, "name=stra%C3%9Fe", "ab"), (SUBJECT, "name=maria%20str", "a"),
    (SUBJECT, "name=zo%C3%AB", "ab"), (SUBJECT, "name=li%20ann", "d"), (SUBJECT, "name=li", "cd"),
    (SUBJECT, "name=l", "cd"), (SUBJECT, "case=246&name=s", "b"),
    (SUBJECT, "case=245,246&name=nn", "cd"),
    (SUBJECT, "is_primary=true&name=i", "ac"), (SUBJECT, "is_primary=1&name=i", "ac"),
    (SUBJECT, "is_primary=false&name=z", "b"), (SUBJECT, "is_primary=true,false&name=li", "cd"),
    (SUBJECT, "external_id=s", "d"), (SUBJECT, "created_to=2020-01-01", ""),
    (STAFF, "last_name=%C3%B6st", "ab"), (STAFF, "last_name=oest", "c"),
    (STAFF, "first_name=zo", "ab"), (STAFF, "first_name=zoe", "b"),
    (STAFF, "email=a%40example.com", "a"), (STAFF, "email=A%40example.com", "b"),
    (STAFF, "email=example.com", ""), (STAFF, "is_vendor=true&first_name=zo", "a"),
    (STAFF, "is_vendor=0&last_name=%C3%96ST", "b"), (STAFF, "access_level=disabled", "b"),
    (STAFF, "access_level=limited,disabled&first_name=zo", "ab"), (STAFF, "external_id=st", "c"),
    (CALENDAR, "external_id=none", ""), (SERVICE, "external_id=none", ""),
    (CALENDAR, "updated_to=2020-01-01", ""), (SERVICE, "created_to=2020-01-01", ""),
    (TASK, "external_id=k", "a"), (TASK, "external_id=K&status=none&sort=due_on", "c")]]


@pytest.mark.parametrize("kind, query, letters", cases(FILTERS))
def test_filters(known, kind, query, letters):
    server, made = known
    wanted = [made[kind.wrapper]["abcd".index(letter)] for letter in letters]
    reply = send(server, "GET", f"{kind.path}?{query}")
    assert reply.status == 200, reply
    # Older records may match only the filters that every list has, so the test ignores them.
    found = [record["id"] for record in reply.json if record["id"] in made[kind.wrapper]]
    assert sorted(found) == wanted
    count = send(server, "GET", f"{kind.path}?{query}&mode=count&per_page=1").json
    assert count == {"record_count": len(reply.json), "page_count": len(reply.json)}


@pytest.mark.parametrize("kind, query, field, code", cases([
    (f"{kind.wrapper}?{query}", kind, query, field, code) for kind, query, field, code in [
        (SUBJECT, "is_primary=yes", "is_primary", "choice"),
        (SUBJECT, "case=none", "case", "format"),
        (SUBJECT, "expand=case", "expand", "unknown_field"),
        (CASE, "status=shut", "status", "choice"),
        (CASE, "created_from=x", "created_from", "format"),
        (CASE, "from=2020-01-01&created_from=2020-01-01", "created_from", "repeated"),
        (CASE, "case_number=a&case_number=b", "case_number", "repeated"),
        (CASE, "case_number[]=a", "case_number[]", "unknown_field"),
        (CASE, "reference_value_4=x", "reference_value_4", "unknown_field"),
        (CASE, "external_id=", "external_id", "blank"), (CASE, "sort=status", "sort", "choice"),
        (STAFF, "username=admin", "username", "unknown_field"),
        (STAFF, "token=x", "token", "unknown_field"), (STAFF, "sort=title", "sort", "choice"),
        (CALENDAR, "name=b", "name", "unknown_field"), (SERVICE, "after=x", "after", "format")]]))
def test_faults(known, kind, query, field, code):
    assert faults(send(known[0], "GET", f"{kind.path}?{query}"), 400) == [(field, code)]


FOLDED = {"title", "name", "last_name", "first_name"}


def in_order(kind, records, sort, descending):
    """The whole list sorted by Python: ties by id in the same direction, nulls last in both
    directions."""
    def key(record):
        value = record[sort] if sort in record else " ".join(
            filter(None, (record["first_name"], record["middle_name"], record["last_name"])))
        if isinstance(value, str) and sort in FOLDED:
            value = fold(value)
        return value
    have = [record for record in records if key(record) is not None]
    have.sort(key=lambda record: (key(record), record["id"]), reverse=descending)
    rest = sorted((record for record in records if key(record) is None),
                  key=lambda record: record["id"], reverse=descending)
    return [record["id"] for record in have + rest]


@pytest.mark.parametrize("kind, sort", [(kind, sort) for kind in KINDS for sort in kind.sorts],
                         ids=lambda value: value if isinstance(value, str) else value.wrapper)
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_sorts(known, kind, sort, direction):
    server = known[0]
    everything = send(server, "GET", f"{kind.path}?per_page=500").json
    query = f"{kind.path}?sort={sort}&dir={direction}"
    wanted = in_order(kind, everything, sort, direction == "desc")
    assert [record["id"] for record in send(server, "GET", query).json] == wanted
    for per_page in (1, 3):
        paged, walked, path = [], [], f"{query}&per_page={per_page}"
        for page in range(1, len(wanted) // per_page + 2):
            paged += [record["id"] for record in send(server, "GET", f"{path}&page={page}").json]
        while path:
            reply = send(server, "GET", path)
            walked += [record["id"] for record in reply.json]
            link = re.search(r'<([^>]+)>; rel="next"', reply.header("Link"))
            path = link and link[1]
        assert (paged, walked) == (wanted, wanted)


@EACH
def test_a_cursor_is_of_its_list(known, kind):
    """A list of another kind refuses the cursor, and so does a list with other filters."""
    server = known[0]
    first = send(server, "GET", f"{kind.path}?per_page=1")
    link = re.search(r'after=([^&>]+)', first.header("Link"))
    cursor = urllib.parse.unquote(link[1])
    same = send(server, "GET", f"{kind.path}?per_page=1&after={urllib.parse.quote(cursor)}")
    assert same.status == 200
    reply = send(server, "GET", f"{kind.path}?id=1&after={urllib.parse.quote(cursor)}")
    assert faults(reply, 400)[0][0] == "after"


@EACH
def test_every_filter_with_every_sort(known, kind):
    """docket answers every combination, and lists the record that all filters match."""
    server, made = known
    number = made[kind.wrapper][0]
    record = get(server, kind, number).json
    values = {field: record[field] for field in record if isinstance(record[field], str)}
    for sort in kind.sorts:
        for text in ("id={id}", "id={id}&created_from=2000-01-01&updated_from=2000-01-01",
                     "id={id},1&external_id={external_id}"):
            query = text.format(id=number, external_id=urllib.parse.quote(
                values.get("external_id", "nothing")))
            reply = send(server, "GET", f"{kind.path}?{query}&sort={sort}&dir=desc")
            assert reply.status == 200, reply
            if "external" not in query or "external_id" in values:
                assert record in reply.json


@backends.SQLITE
@pytest.mark.slow
def test_old_records_are_carried_over(one, tmp_path):
    """A folder of a schema that had no chain, with the folds of names that docket makes now."""
    folder = one
    without = ", ".join(f"'$.{column}'" for _, column in columns_after(3))
    with contextlib.closing(sqlite3.connect(folder / "docket.db")) as database:
        database.executescript(
            "".join(f"{statement};" for statement in to_schema(3, folder)) +
            "UPDATE subject SET first_name = 'ZO\u00cb', last_name = 'STRA\u00dfE' WHERE id = 209;"
            "UPDATE history SET value = json_set(value, '$.first_name', 'ZO\u00cb', '$.last_name',"
            " 'STRA\u00dfE') WHERE record = 'subject' AND record_id = 209;"
            "UPDATE account SET time_zone = 'Asia/Tokyo';"
            # Records of that schema did not have the fields that were added later.
            f"UPDATE history SET value = json_remove(value, {without});")
    with contextlib.closing(sqlite3.connect(folder / "docket.db")) as database:
        had, = database.execute("SELECT max(change) FROM history").fetchone()
    succeed("migrate", "--data", folder)
    done = run("check", "--data", folder)
    assert done.returncode == 0, done.stdout
    token = folder.with_name("token")
    succeed("token", "add", "more", "--data", folder, "--token-file", token)
    server = Server(folder, token.read_text().strip(), tmp_path / "log")
    try:
        found = send(server, "GET", f"{SUBJECT.path}?name=zo%C3%AB%20strasse").json
        assert [(subject["id"], subject["is_primary"]) for subject in found] == [(209, True)]
        case = get(server, CASE, 245).json
        assert case["created_on"] == case["created_at"][:10] and case["due_on"] is None
        staff = get(server, STAFF, 1).json
        assert (staff["time_zone"], staff["is_vendor"]) == ("Asia/Tokyo", False)
        check_renewed(server, had)
    finally:
        server.stop()
    # Entries from before the chain get their hashes.
    with contextlib.closing(sqlite3.connect(folder / "docket.db")) as database, database:
        database.execute("UPDATE history SET at = at + 1 WHERE change = 3")
    assert "change 3" in run("check", "--data", folder).stdout


def check_renewed(server, had):
    """Checks that after the change `had` docket itself wrote entries with the present form of each
    record."""
    changes = send(server, "GET", f"/api/v1/changes?since={had}").json["changes"]
    copy = {(entry["record"], entry["id"]): entry for entry in changes}
    assert len(copy) == len(changes) == had, "expected each record once"
    for kind in KINDS:
        for record in send(server, "GET", f"{kind.path}?per_page=500").json:
            entry = copy.pop((kind.wrapper, record["id"]))
            assert (entry["value"], entry["staff_id"], entry["action"]) == (record, None, "update")
            assert str(entry["change"]) in get(server, kind, record["id"]).header("ETag")
    assert copy == {}
    # Those entries name no staff member.
    change(server, SUBJECT, 209, notes="n")
    last = send(server, "GET", f"{SUBJECT.path}/209/history").json[-1]
    assert last["staff_id"] == 1 and list(last["fields"]) == ["notes"]
