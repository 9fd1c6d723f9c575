"""Creating a task: dates and timestamps, in every accepted form."""
import datetime

import pytest

import backends
from harness import cases, faults, label, task
from tables import assert_is_now, check_accepted, check_nothing_stored, each, refuse

pytestmark = backends.BOTH

# The due date: a day, never converted between time zones.

DUE_ON = each("due_on", [
    ("2023-02-14", "2023-02-14"),
    ("2024-02-29", "2024-02-29"),
    ("2000-02-29", "2000-02-29"),
    ("1000-01-01", "1000-01-01"),
    ("9999-12-31", "9999-12-31"),
    ("1969-12-31", "1969-12-31"),
    # The form in which .NET and JavaScript send a date.
    ("2023-02-14T00:00:00", "2023-02-14"),
    ("2023-02-14T00:00:00Z", "2023-02-14"),
    ("2023-02-14T00:00:00.000Z", "2023-02-14"),
    ("2023-02-14T00:00:00.0000000", "2023-02-14"),
    ("2023-02-14 00:00:00", "2023-02-14"),
])
DUE_ON_FAULTS = (
    refuse("due_on", "required", [None, ""])
    + refuse("due_on", "type", [20230214, 0, 1.5, True, [], {}, ["2023-02-14"]])
    + refuse("due_on", "format", [
        "2023-02-30", "2023-02-29", "1900-02-29", "2023-04-31", "2023-13-01", "2023-00-01",
        "2023-01-00", "2023-01-32", "0999-12-31", "0000-01-01", "10000-01-01", "-2023-02-14",
        "2023-02-14T00:00:01", "2023-02-14T00:00:01Z", "2023-02-14T12:00:00Z",
        "2023-02-14T00:00:00.001Z", "2023-02-14T00:00:00+01:00", "2023-02-14T24:00:00Z",
        "2023-02-14T", "2023-02-14Z", "2023-02-14T00:00", "2023-02-14T00:00:00ZZ",
        "2023-02-14T00:00:00.Z", "2023-02-14T00:00:00+00:00", "2023-02-13T23:59:60Z",
        " 2023-02-14", "2023-02-14 ", "2023-2-14", "2023-02-4",
        "20230214", "2023/02/14", "14.02.2023", "02/14/2023", "2023-02", "2023-W07-2", "2023-045",
        "tomorrow", " ", "\uff12\uff10\uff12\uff13-02-14", "2023-02-14\n", "2023\u201302\u201314"]))


# Timestamps

TIMES = [
    (None, None),
    ("", None),
    ("2023-02-01", "2023-02-01T00:00:00Z"),
    ("2023-02-01T10:20:30Z", "2023-02-01T10:20:30Z"),
    ("2023-02-01T10:20:30", "2023-02-01T10:20:30Z"),
    ("2023-02-01 10:20:30", "2023-02-01T10:20:30Z"),
    ("2023-02-01 10:20:30Z", "2023-02-01T10:20:30Z"),
    # RFC 3339, section 5.6: both letters may be lower case.
    ("2023-02-01t10:20:30z", "2023-02-01T10:20:30Z"),
    ("2023-02-01T10:20:30+00:00", "2023-02-01T10:20:30Z"),
    ("2023-02-01T10:20:30-00:00", "2023-02-01T10:20:30Z"),
    ("2023-02-01T10:20:30+0000", "2023-02-01T10:20:30Z"),
    ("2023-02-01T10:20:30+01:00", "2023-02-01T09:20:30Z"),
    ("2023-02-01T10:20:30-07:00", "2023-02-01T17:20:30Z"),
    ("2023-02-01T10:20:30-0700", "2023-02-01T17:20:30Z"),
    ("2023-02-01T10:20:30+05:45", "2023-02-01T04:35:30Z"),
    ("2023-02-01T10:20:30+14:00", "2023-01-31T20:20:30Z"),
    ("2023-02-01T10:20:30+23:59", "2023-01-31T10:21:30Z"),
    ("2023-02-01 10:20:30+01:00", "2023-02-01T09:20:30Z"),
    # A plus sign that a form's encoding turned into a space.
    ("2023-02-01T10:20:30 01:00", "2023-02-01T09:20:30Z"),
    ("2023-02-01T10:20:30 0100", "2023-02-01T09:20:30Z"),
    ("2022-12-31T23:30:00-01:00", "2023-01-01T00:30:00Z"),
    ("2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00Z"),
    ("2023-02-01T10:20:30.5Z", "2023-02-01T10:20:30Z"),
    ("2023-02-01T10:20:30.999999999Z", "2023-02-01T10:20:30Z"),
    ("2023-02-01T10:20:30.1234567+01:00", "2023-02-01T09:20:30Z"),
    ("2023-02-01 10:20:30.123", "2023-02-01T10:20:30Z"),
    ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z"),
    ("2023-02-01 10:20:30 01:00", "2023-02-01T09:20:30Z"),
    ("2023-02-01 10:20:30-0130", "2023-02-01T11:50:30Z"),
    ("2023-02-01 10:20:30.75 01:00", "2023-02-01T09:20:30Z"),
    ("2024-02-29", "2024-02-29T00:00:00Z"),
    # A leap second has no number of its own in the count since 1970.
    ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ("2016-12-31 23:59:60", "2017-01-01T00:00:00Z"),
    ("2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00Z"),
    ("2016-12-31T18:59:60-05:00", "2017-01-01T00:00:00Z"),
    ("1972-06-30T23:59:60Z", "1972-07-01T00:00:00Z"),
    # HTML's datetime-local has no seconds.
    ("2023-02-01T10:20", "2023-02-01T10:20:00Z"),
    ("2023-02-01 10:20", "2023-02-01T10:20:00Z"),
    ("2023-02-01T10:20Z", "2023-02-01T10:20:00Z"),
    ("2023-02-01T10:20+01:00", "2023-02-01T09:20:00Z"),
    ("2023-02-01T23:59:59Z", "2023-02-01T23:59:59Z"),
    ("1000-01-01", "1000-01-01T00:00:00Z"),
    ("9999-12-31", "9999-12-31T00:00:00Z"),
    # The offset brings the time into the allowed years, at both ends.
    ("1000-01-01T00:00:00-00:01", "1000-01-01T00:01:00Z"),
    ("9999-12-31T23:59:59+00:01", "9999-12-31T23:58:59Z"),
    ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59Z"),
    ("1000-01-01T00:00:00Z", "1000-01-01T00:00:00Z"),
    ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ("2038-01-19T03:14:08Z", "2038-01-19T03:14:08Z"),
]
NO_TIMES = [
    "2023-02-30", "2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-01-00T00:00:00Z",
    "0999-12-31T23:59:59Z", "10000-01-01T00:00:00Z", "-2023-02-01T00:00:00Z",
    "2023-02-01T24:00:00Z", "2023-02-01T10:60:00Z", "2023-02-01T10:20:60Z",
    "2023-02-01T10:59:60Z", "2023-02-01T23:58:60Z", "2023-02-01T23:59:61Z",
    # There was no leap second at these times.
    "2023-06-15T23:59:60Z", "2023-06-30T23:59:60Z", "2016-12-31T23:59:60+01:00",
    "2023-02-01T10:20:", "2023-02-01T10:2Z", "2023-02-01T10Z", "2023-02-01T", "2023-02-01Z",
    "2023-2-1T10:20:30Z", "2023-02-01T1:20:30Z", "20230201T102030Z", "2023-02-01X10:20:30Z",
    "2023-02-01  10:20:30", "2023-02-01T10:20:30+1", "2023-02-01T10:20:30+01",
    "2023-02-01T10:20:30+1:00", "2023-02-01T10:20:30+01:0", "2023-02-01T10:20:30+24:00",
    "2023-02-01T10:20:30+01:60", "2023-02-01T10:20:30+01:00:00", "2023-02-01T10:20:30.Z",
    "2023-02-01T10:20:30,5Z", "2023-02-01T10:20:30ZZ", "2023-02-01T10:20:30Z+01:00",
    "2023-02-01T10:20:30 UTC", " 2023-02-01", "2023-02-01 ", "2023-02-01T10:20:30Z\n",
    "2023-W05-3", "2023-032", "1675209600", "now", " ", "01 Feb 2023 10:20:30 +0000",
    "\uff12\uff10\uff12\uff13-02-01"]
NO_TEXTS = [0, 1675209600, 1.5, True, False, [], {}, ["2023-02-01"]]

COMPLETE = {"status": "complete"}
TIMESTAMPS = (each("alert_at", TIMES)
              + each("complete_at", [row for row in TIMES if row[1]], **COMPLETE)
              + each("complete_at", [(None, None), ("", None)]))
TIMESTAMP_FAULTS = (
    refuse("alert_at", "format", NO_TIMES) + refuse("alert_at", "type", NO_TEXTS)
    + refuse("complete_at", "format", NO_TIMES, **COMPLETE)
    + refuse("complete_at", "type", NO_TEXTS, **COMPLETE)
    + [(f"complete_at with {label(others)}", {"complete_at": "2023-02-01", **others},
        [("task.complete_at", "not_allowed")])
       for others in ({}, {"status": None}, {"status": "none"}, {"status": "needs_action"},
                      {"status": "in_progress"})])

ACCEPTED = DUE_ON + TIMESTAMPS
REFUSED = DUE_ON_FAULTS + TIMESTAMP_FAULTS


@pytest.mark.parametrize("sent, got", cases(ACCEPTED))
def test_accepted(server, sent, got):
    check_accepted(server, sent, got)


@pytest.mark.parametrize("sent, want", cases(REFUSED))
def test_refused(server, sent, want):
    assert faults(server.post(task(**sent))) == sorted(want)


def test_nothing_is_stored_where_anything_is_wrong(server):
    check_nothing_stored(server, REFUSED)


@pytest.mark.parametrize("sent", ["9999-12-31T23:59:59-00:01", "1000-01-01T00:00:00+00:01",
                                  "9999-12-31T23:59:60Z"])
def test_a_time_that_leaves_the_years_in_utc(server, sent):
    (fault,) = faults(server.post(task(alert_at=sent)))
    assert fault[0] == "task.alert_at" and fault[1] in {"format", "range"}


@pytest.mark.parametrize("sent", [{}, {"complete_at": None}, {"complete_at": ""}])
def test_completed_now_where_no_time_is_given(server, sent):
    before = datetime.datetime.now(datetime.timezone.utc)
    record = server.create(status="complete", **sent)
    assert record["status"] == "complete"
    assert_is_now(record["complete_at"], before)
