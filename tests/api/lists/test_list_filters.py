"""Filters of tasks: each alone and with others, and what they must not find."""
import datetime
import itertools

import pytest

import backends
from harness import FIELDS
from lists import STATUSES, count, encoded, ids, listed, rewrite
from tables import read_time

pytestmark = backends.BOTH

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def check(server, query, wanted):
    """Checks the list, its count, and the list in another order, which may use another index."""
    assert ids(server, query) == sorted(wanted), query
    assert count(server, query)["record_count"] == len(wanted), query
    for order in ("sort=due_on&dir=desc", "sort=title"):
        assert sorted(ids(server, f"{query}&{order}")) == sorted(wanted), (query, order)


# Equality. Each letter names a task; the fourth has no case, which only an import can make.

KNOWN = {
    "a": {"subject_id": 209, "case_service_id": 1, "users_list": [1], "due_on": "2023-01-01"},
    "b": {"calendar_id": 2, "users_list": [1, 2], "status": "needs_action"},
    "c": {"casefile_id": 246, "subject_id": 210, "status": "in_progress"},
    "d": {"title": "Without a case", "users_list": [3]},
    "e": {"casefile_id": 246, "calendar_id": 2, "users_list": [1, 2, 3], "status": "complete"},
    "f": {"casefile_id": 247, "calendar_id": 3, "users_list": [2], "status": "complete",
          "due_on": "2024-02-29"},
}
BEFORE = [
    "INSERT INTO calendar (account_id, id, change, name, color, created_at, updated_at) SELECT account_id, id + n, change + n, name, color, created_at,"
    " updated_at FROM calendar, (SELECT 1 AS n UNION SELECT 2) q",
    "INSERT INTO casefile (account_id, id, change, case_number, status, created_at, updated_at) SELECT account_id, 247, change, 'Third', status, created_at, updated_at"
    " FROM casefile WHERE id = 246"]


@pytest.fixture(scope="module")
def known(share_server):
    """The server and the ids of its tasks by letter. No other record has these ids."""
    server = share_server()
    rewrite(server, BEFORE + ["UPDATE account_state SET last_task_id = 1000"])
    found = {name: server.create(**fields)["id"] for name, fields in KNOWN.items()}
    rewrite(server, [("UPDATE task SET casefile_id = NULL WHERE id = ?", (found["d"],))])
    return server, found


@pytest.mark.parametrize("query, names", [
    ("calendar=1", "acd"), ("calendar=2", "be"), ("calendar=3", "f"), ("calendar=4", ""),
    ("calendar=1,3", "acdf"), ("calendar=3&calendar=2", "bef"), ("calendar[]=1", "acd"),
    ("calendar=01", "acd"), ("calendar=9223372036854775807", ""),
    ("case=245", "ab"), ("case=246", "ce"), ("case=1", ""), ("case=none", "d"),
    ("case=245,none", "abd"), ("case=none,245", "abd"), ("case=none&case=246,247", "cdef"),
    ("case=none,none", "d"), ("case=999,none", "d"), ("case=999", ""),
    ("subject=209", "a"), ("subject=210", "c"), ("subject=209,210", "ac"), ("subject=245", ""),
    ("subject=none", "bdef"), ("subject=none,209", "abdef"), ("subject[0]=none", "bdef"),
    ("user=1", "abe"), ("user=2", "bef"), ("user=3", "de"), ("user=4", ""),
    ("user=none", "c"), ("user=none,3", "cde"), ("user=3,none", "cde"), ("user=1,2,3", "abdef"),
    ("user=1,2", "abef"), ("user=1,2,3,none", "abcdef"), ("user=2,1,4", "abef"),
    ("user[]=1&user[]=3", "abde"), ("user[0]=1&user[1]=3", "abde"), ("user=1&user=3", "abde"),
    ("user%5B%5D=1&user%5B%5D=none", "abce"), ("user[7]=1&user=3,none", "abcde"),
    ("user=1&user[]=3&user[0]=none", "abcde"), ("user[0]=1&user[0]=3", "abde"),
    ("user=1,1,1", "abe"), ("user=2&user[]=2&user[0]=2,2", "bef"), ("user=none,none", "c"),
    ("status=none", "ad"), ("status=needs_action", "b"),
    ("status=in_progress", "c"), ("status=complete", "ef"), ("status=none,complete", "adef"),
    ("status=complete&status[]=in_progress", "cef"), ("status=complete,complete", "ef"),
    ("status=" + ",".join(STATUSES), "abcdef"), ("status%5B0%5D=complete%2Cnone", "adef"),
    # All filters must hold.
    ("case=246&status=complete", "e"), ("case=245&case=246&status=complete", "e"),
    ("case=245&user=3", ""), ("user=1&calendar=2", "be"), ("subject=none&case=none", "d"),
    ("user=none&subject=210&case=246&calendar=1&status=in_progress", "c"),
    ("user=1,2&status=complete,needs_action&calendar=2", "be"),
    ("user=2&due_from=2024-02-29", "f"), ("case=none&subject=209", ""),
    ("title=without&user=3", "d"), ("title=without&user=1", ""),
    ("case=none,246&user=none,3&title=a", "cde"),
    # A name may be encoded as a value may.
    ("%63ase=24%35", "ab"), ("&&case=245&", "ab"),
])
def test_equality(known, query, names):
    server, found = known
    check(server, query, [found[name] for name in names])


@pytest.mark.parametrize("form, names", [
    ("id={a}", "a"), ("id={f},{a}", "af"), ("id={b}&id={c}&id=1", "bc"), ("id[]={d}", "d"),
    ("id={a},{a}&id[]={a}", "a"), ("id=1", ""), ("id=245", ""),
    ("id=9223372036854775807", ""), ("id=0{a}", "a"), ("id={a},{b},{c},{d},{e},{f}", "abcdef"),
    ("id={a},{d}&user=3", "d"), ("id={a}&status=complete", ""),
    ("id[0]={c}&id[1]={e}&case=246&calendar=2", "e")])
def test_by_id(known, form, names):
    server, found = known
    check(server, form.format_map(found), [found[name] for name in names])


def test_more_values_than_a_few(known):
    """As many values as a page has records; docket looks them up in another way than a few."""
    server, found = known
    some = ",".join(str(number) for number in range(found["c"] - 490, found["c"] + 1))
    check(server, f"id={some}", [found[name] for name in "abc"])
    check(server, f"user={some},2,1", [found[name] for name in "abef"])
    check(server, f"user={some},2,1,none", [found[name] for name in "abcef"])
    check(server, f"case=none,{some},246", [found[name] for name in "cde"])
    check(server, f"subject={some},none&calendar=3,{some}", [found["f"]])


def test_without_a_filter_all(known):
    server, found = known
    assert ids(server) == sorted(found.values())
    assert ids(server, "&") == ids(server, "page=1") == ids(server)


def test_the_records_are_those_of_a_get(known):
    server, _ = known
    records = listed(server)
    for record in records:
        assert list(record) == FIELDS
        assert record == server.get(record["id"]).json
    assert records[3]["casefile_id"] is None


# The due date

DUE = ["1000-01-01", "1969-12-31", "1970-01-01", "2023-12-31", "2024-01-01", "2024-02-28",
       "2024-02-29", "2024-03-01", "9999-12-31"]


@pytest.fixture(scope="module")
def due(share_server):
    server = share_server()
    return server, {day: server.create(due_on=day)["id"] for day in reversed(DUE)}


@pytest.mark.parametrize("sent, day", [
    *((day, day) for day in DUE), ("2024-02-27", "2024-02-27"), ("1600-02-29", "1600-02-29"),
    # The form in which .NET and JavaScript send a date.
    ("2024-02-29T00:00:00", "2024-02-29"), ("2024-02-29T00:00:00Z", "2024-02-29"),
    ("2024-02-29+00:00:00", "2024-02-29"), ("2024-02-29T00:00:00.000Z", "2024-02-29"),
    ("2024-02-29T00%3A00%3A00Z", "2024-02-29")])
@pytest.mark.parametrize("name", ["due_from", "from", "From", "due_to", "to", "To"])
def test_due(due, name, sent, day):
    """Both bounds are inclusive. Days of equal length compare as text."""
    server, found = due
    upper = name.lower().endswith("to")
    wanted = [number for own, number in found.items() if (own <= day if upper else own >= day)]
    check(server, f"{name}={sent}", wanted)


@pytest.mark.parametrize("query, days", [
    ("due_from=2024-02-29&due_to=2024-02-29", ["2024-02-29"]),
    ("from=2024-02-28&To=2024-03-01", ["2024-02-28", "2024-02-29", "2024-03-01"]),
    ("From=1969-12-31&to=1970-01-01", ["1969-12-31", "1970-01-01"]),
    ("from=2024-03-01&due_to=2024-02-29", []), ("due_from=1000-01-01&due_to=9999-12-31", DUE),
    ("due_from=2024-03-02&due_to=9999-12-30", [])])
def test_due_between(due, query, days):
    server, found = due
    check(server, query, [found[day] for day in days])


# Timestamps. Each column has every instant, but no task has an instant in two columns. So a filter
# that uses another column finds other tasks.

INSTANTS = ["1000-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z",
            "2023-12-31T23:59:59Z", "2024-01-01T00:00:00Z", "2024-02-28T23:59:59Z",
            "2024-02-29T00:00:00Z", "2024-02-29T11:59:59Z", "2024-02-29T12:00:00Z",
            "2024-02-29T12:00:01Z", "2024-02-29T23:59:59Z", "2024-03-01T00:00:00Z",
            "9999-12-31T00:00:00Z", "9999-12-31T23:59:59Z"]
COLUMNS = ["complete_at", "alert_at", "alert_sent_at", "created_at", "updated_at"]
NULLABLE = COLUMNS[:3]


def seconds(instant):
    return (read_time(instant) - EPOCH) // datetime.timedelta(seconds=1)


@pytest.fixture(scope="module")
def timed(share_server):
    """The server, and for each column the task of each instant. One task has null where that is
    allowed."""
    server = share_server()
    tasks = [server.create(status="complete")["id"] for _ in [*INSTANTS, None]]
    found, sql = {}, []
    for shift, column in enumerate(COLUMNS):
        values = [*INSTANTS, None if column in NULLABLE else "2024-02-29T12:00:00Z"]
        own = tasks[3 * shift:] + tasks[:3 * shift]
        found[column] = list(zip(own, values))
        for task, value in found[column]:
            if column == "complete_at" and value is None:
                sql += [("UPDATE task SET status = 0, complete_at = NULL WHERE id = ?",
                         (task,))]
            else:
                sql += [(f"UPDATE task SET {column} = ? WHERE id = ?",
                         (value and seconds(value), task))]
    rewrite(server, sql)
    return server, found


def test_the_times_are_there(timed):
    server, found = timed
    records = {record["id"]: record for record in listed(server)}
    for column in COLUMNS:
        assert [(task, records[task][column]) for task, _ in found[column]] == found[column]


# The text of a bound, and its instant as a lower and as an upper bound.
TIMES = [
    *((instant, instant, instant) for instant in INSTANTS),
    ("2024-02-29", "2024-02-29T00:00:00Z", "2024-02-29T23:59:59Z"),
    ("2023-12-31", "2023-12-31T00:00:00Z", "2023-12-31T23:59:59Z"),
    ("1000-01-01", "1000-01-01T00:00:00Z", "1000-01-01T23:59:59Z"),
    ("9999-12-31", "9999-12-31T00:00:00Z", "9999-12-31T23:59:59Z"),
    ("1969-12-31", "1969-12-31T00:00:00Z", "1969-12-31T23:59:59Z"),
    *((sent, "2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z") for sent in [
        "2024-02-29T12:00:00", "2024-02-29 12:00:00", "2024-02-29+12:00:00",
        "2024-02-29t12:00:00z", "2024-02-29T12:00:00+00:00", "2024-02-29T12:00:00%2B0000",
        "2024-02-29T13:00:00%2B01:00", "2024-02-29T13:00:00%2B0100",
        # A plus sign that was not encoded reads as a space.
        "2024-02-29T13:00:00+01:00", "2024-02-29T13:00:00+0100", "2024-02-29T13:00:00%2001:00",
        "2024-02-29+13:00:00+01:00", "2024-02-29T06:30:00-05:30", "2024-02-29T06:30:00-0530",
        "2024-02-28T22:00:00-14:00", "2024-03-01T01:30:00%2B13:30",
        # docket drops fractions, in both bounds.
        "2024-02-29T12:00:00.999Z", "2024-02-29T12:00:00.000001", "2024-02-29+12:00:00.5"]),
    # Midnight is an instant, not a day.
    ("2024-02-29T00:00:00", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
    ("2024-02-29T00:59:59+01:00", "2024-02-28T23:59:59Z", "2024-02-28T23:59:59Z"),
    ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", "2017-01-01T00:00:00Z"),
    ("2023-12-31T18:29:59-05:30", "2023-12-31T23:59:59Z", "2023-12-31T23:59:59Z"),
]


@pytest.mark.parametrize("column", COLUMNS)
def test_times(timed, column):
    server, found = timed
    name = column.removesuffix("_at")
    for sent, low, high in TIMES:
        for end, instant in (("from", low), ("to", high)):
            # Instants in the same form compare as text.
            wanted = [task for task, own in found[column] if own and
                      (own >= instant if end == "from" else own <= instant)]
            assert 0 < len(wanted) <= len(INSTANTS) + 1
            assert ids(server, f"{name}_{end}={sent}") == sorted(wanted), (end, sent)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("low, high, instants", [
    ("2024-02-29", "2024-02-29", INSTANTS[6:11]),
    ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z", INSTANTS[8:9]),
    ("2024-02-29T12:00:01Z", "2024-02-29T12:00:00Z", []),
    ("2023-12-31T23:59:59", "2024-01-01T00:00:00", INSTANTS[3:5]),
    ("1000-01-01", "9999-12-31", INSTANTS)])
def test_between_times(timed, column, low, high, instants):
    server, found = timed
    name = column.removesuffix("_at")
    check(server, f"{name}_from={low}&{name}_to={high}",
          [task for task, own in found[column] if own in instants])


def test_no_time_is_within_no_bounds(timed):
    server, found = timed
    everything = sorted(task for task, _ in found["alert_at"])
    for column in NULLABLE:
        name = column.removesuffix("_at")
        (without,) = [task for task, own in found[column] if own is None]
        for query in (f"{name}_from=1000-01-01", f"{name}_to=9999-12-31"):
            assert ids(server, query) == [task for task in everything if task != without]


def test_bounds_of_several_columns(timed):
    """All bounds must hold: each pair of columns, one with a lower and one with an upper bound."""
    server, found = timed
    instant = "2024-02-29T12:00:00Z"
    for low, high in itertools.permutations(COLUMNS, 2):
        wanted = ({task for task, own in found[low] if own and own >= instant}
                  & {task for task, own in found[high] if own and own <= instant})
        query = (f"{low.removesuffix('_at')}_from={encoded(instant)}"
                 f"&{high.removesuffix('_at')}_to={encoded(instant)}")
        check(server, query, wanted)
