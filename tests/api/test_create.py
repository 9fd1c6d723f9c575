"""Creating a task: every field, rule and coercion, and what an answer says where one is broken."""
import datetime
import json

import pytest

from harness import (ADDRESS_PARTS, EXAMPLE, FIELDS, JSON, MINIMAL, REQUIRED, TASKS, Wire, cases,
                     faults, label, messages, task)

NOTHING = {"subject_id": None, "case_service_id": None, "status": "none", "body": "",
           "address": None, "users_list": [], "alert_at": None, "alert_sent_at": None,
           "complete_at": None}
INT64_MAX = 2**63 - 1


def each(field, pairs, **others):
    """Rows for one field: what is sent and what comes back."""
    return [(f"{field}={label(sent)}", {field: sent, **others}, {**others, field: got})
            for sent, got in pairs]


def refuse(field, code, values, **others):
    """Rows for one field: values that are each one fault of that code."""
    return [(f"{field}={label(sent)}", {field: sent, **others}, [("task." + field, code)])
            for sent in values]


def read_time(text):
    form = "%Y-%m-%dT%H:%M:%SZ"
    return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc)


def assert_is_now(text, before):
    """A time that the server took from its clock; whole seconds, hence the one of slack."""
    second = datetime.timedelta(seconds=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    assert before - second <= read_time(text) <= now + second


# The reference's example

def test_the_example_of_the_reference(server):
    before = datetime.datetime.now(datetime.timezone.utc)
    created = server.call("POST", TASKS, EXAMPLE.encode(), JSON)
    assert created.status == 201, created
    assert created.header("Content-Type").split(";")[0] == "application/json"
    record = created.json
    assert list(record) == FIELDS
    assert list(record["address"]) == ADDRESS_PARTS
    times = record["created_at"], record["updated_at"]
    assert isinstance(record["id"], int) and record["id"] > 0
    assert record == {
        "id": record["id"], "casefile_id": 245, "calendar_id": 1, "subject_id": 209,
        "case_service_id": 1, "status": "none", "due_on": "2023-02-14", "title": "Test API Task",
        "body": "this is a test task from the API",
        "address": {"address_1": "2000 Blake Street", "address_2": "", "address_3": "",
                    "city": "Denver", "state": "CO", "zip": "80202", "country": "US"},
        "users_list": [1, 2, 3], "alert_at": "2023-02-01T00:00:00Z", "alert_sent_at": None,
        "complete_at": None, "created_at": times[0], "updated_at": times[1]}
    assert times[0] == times[1]
    assert_is_now(times[0], before)

    assert created.header("Location") == f"{TASKS}/{record['id']}"
    read = server.call("GET", created.header("Location"))
    assert read.status == 200
    assert read.body == created.body
    assert read.header("ETag") == created.header("ETag")


def test_the_required_fields_alone(server):
    record = server.create()
    assert list(record) == FIELDS
    assert {name: record[name] for name in NOTHING} == NOTHING
    assert {name: record[name] for name in MINIMAL} == MINIMAL


@pytest.mark.parametrize("field", REQUIRED)
def test_a_required_field_left_out(server, field):
    reply = server.post(task(without=[field]))
    assert faults(reply) == [("task." + field, "required")]
    assert reply.json["detail"] == f"task.{field}: is required"


def test_every_required_field_left_out(server):
    reply = server.post({"task": {}})
    assert faults(reply) == [("task." + field, "required") for field in sorted(REQUIRED)]
    assert reply.json["detail"] == (
        "task.casefile_id, task.calendar_id, task.due_on, task.title: is required")
    assert reply.body.lstrip(b"{ \r\n\t").startswith(b'"detail"')


# Ids of other records. Text is read as a number only where it is one in decimal digits.

ID_FIELDS = {"casefile_id": 245, "calendar_id": 1, "subject_id": 209, "case_service_id": 1}
ID_FAULTS = [
    ("range", [0, -1, -INT64_MAX - 1, "0", "-5"]),
    ("type", [245.0, 1.5, 2.45e2, True, False, [], {}, [245], {"id": 245}]),
    ("format", [" 1", "1 ", "+1", "1.0", "1e0", "0x1", "1,0", "one", "-", "1 2", " ", "\u0661",
                "\uff11", "1\n"]),
    ("not_found", [INT64_MAX, str(INT64_MAX), 999999, "999999"]),
]


def id_rows():
    for field, good in ID_FIELDS.items():
        sent = [good, str(good), f"0{good}", f"000000000000000000000{good}"]
        yield from each(field, [(value, good) for value in sent])


def optional_rows():
    for field in ("subject_id", "case_service_id"):
        yield from each(field, [(None, None), ("", None)])


def id_faults():
    for field in ID_FIELDS:
        for code, values in ID_FAULTS:
            yield from refuse(field, code, values)
        if field in REQUIRED:
            yield from refuse(field, "required", [None, ""])


RELATED = [
    ("another case with its subject and service",
     {"casefile_id": 246, "subject_id": 210, "case_service_id": 2},
     {"casefile_id": 246, "subject_id": 210, "case_service_id": 2}),
]
UNRELATED = [
    ("subject of another case", {"subject_id": 210}, [("task.subject_id", "mismatch")]),
    ("service not attached to the case", {"case_service_id": 2},
     [("task.case_service_id", "mismatch")]),
    ("subject and service of another case", {"subject_id": 210, "case_service_id": 2},
     [("task.case_service_id", "mismatch"), ("task.subject_id", "mismatch")]),
    ("case of other ones", {"casefile_id": 246, "subject_id": 209, "case_service_id": 1},
     [("task.case_service_id", "mismatch"), ("task.subject_id", "mismatch")]),
    ("as text", {"casefile_id": "245", "subject_id": "210"}, [("task.subject_id", "mismatch")]),
]


# Status, due date, title, body

STATUS = each("status", [(name, name) for name in ("none", "needs_action", "in_progress")]
              + [(None, "none")])
STATUS_FAULTS = (
    refuse("status", "choice", ["", "None", "COMPLETE", "done", " none", "complete ", "0",
                                "needs-action", "needs_actionx", "needs_actio"])
    + refuse("status", "type", [0, 1, 1.5, True, [], {}, ["none"]]))

DUE_ON = each("due_on", [
    ("2023-02-14", "2023-02-14"),
    ("2024-02-29", "2024-02-29"),
    ("2000-02-29", "2000-02-29"),
    ("1000-01-01", "1000-01-01"),
    ("9999-12-31", "9999-12-31"),
    ("1969-12-31", "1969-12-31"),
    # As .NET and JavaScript send a date.
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
        "2023-02-14T00:00:00.Z", " 2023-02-14", "2023-02-14 ", "2023-2-14", "2023-02-4",
        "20230214", "2023/02/14", "14.02.2023", "02/14/2023", "2023-02", "2023-W07-2", "2023-045",
        "tomorrow", " ", "\uff12\uff10\uff12\uff13-02-14", "2023-02-14\n", "2023\u201302\u201314"]))

# Characters are code points, however many bytes or UTF-16 units each takes.
CHARACTERS = {"ascii": "a", "two bytes": "\u00e9", "three bytes": "\u6f22",
              "four bytes": "\U0001f600"}
TITLE = each("title", [(text, text) for text in (
    "a", "0", " a ", "a  b", "\u00e9", "e\u0301", "\u6f22\u5b57", "\U0001f600", "\u200b\u202e",
    "\"quoted\" \\ back / slash", "</script><!-- & -->", "null", "a\u2028\u2029", "\ufeff",
    "\uffff", "\U0010ffff", "'; DROP TABLE task; --", "%s%n%00", "$1 ? :a @b")])
TITLE += [(f"title of 255 characters, {name}", {"title": text * 255}, {"title": text * 255})
          for name, text in CHARACTERS.items()]
TITLE += [("title of 255 code points in 128 letters", {"title": "e\u0301" * 127 + "e"},
           {"title": "e\u0301" * 127 + "e"})]
TITLE_FAULTS = (
    refuse("title", "required", [None, ""])
    + refuse("title", "type", [5, 0, 1.5, True, False, [], {}, ["a"]])
    + refuse("title", "blank", [" ", "   ", "\u00a0", "\u3000 \u2003", " " * 255])
    + refuse("title", "control", ["a\nb", "a\tb", "\ra", "a\u0001", "a\u001fb", "a\u007fb",
                                  "a\u0080b", "a\u0085b", "a\u009fb"])
    + [(f"title of 256 characters, {name}", {"title": text * 256}, [("task.title", "too_long")])
       for name, text in CHARACTERS.items()]
    + [("title of 256 code points in 128 letters", {"title": "e\u0301" * 128},
        [("task.title", "too_long")]),
       ("title of 65536 characters", {"title": "a" * 65536}, [("task.title", "too_long")])])

BODY = each("body", [(None, ""), ("", ""), ("a", "a"), ("   ", "   "),
                     ("two\r\nlines\twith a tab", "two\r\nlines\twith a tab"),
                     ("\u0001\u007f\u0085", "\u0001\u007f\u0085")])
BODY += [(f"body of 65535 characters, {name}", {"body": text * 65535}, {"body": text * 65535})
         for name, text in CHARACTERS.items()]
BODY_FAULTS = (
    refuse("body", "type", [5, 1.5, True, [], {}, ["a"]])
    + [(f"body of 65536 characters, {name}", {"body": text * 65536}, [("task.body", "too_long")])
       for name, text in CHARACTERS.items()])


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
    # A plus that a form's encoding turned into a space.
    ("2023-02-01T10:20:30 01:00", "2023-02-01T09:20:30Z"),
    ("2023-02-01T10:20:30 0100", "2023-02-01T09:20:30Z"),
    ("2022-12-31T23:30:00-01:00", "2023-01-01T00:30:00Z"),
    ("2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00Z"),
    ("2023-02-01T10:20:30.5Z", "2023-02-01T10:20:30Z"),
    ("2023-02-01T10:20:30.999999999Z", "2023-02-01T10:20:30Z"),
    ("2023-02-01T10:20:30.1234567+01:00", "2023-02-01T09:20:30Z"),
    ("2023-02-01 10:20:30.123", "2023-02-01T10:20:30Z"),
    ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z"),
    # A leap second has no number of its own in the count since 1970.
    ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ("2023-02-01T23:59:59Z", "2023-02-01T23:59:59Z"),
    ("1000-01-01T00:00:00Z", "1000-01-01T00:00:00Z"),
    ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ("2038-01-19T03:14:08Z", "2038-01-19T03:14:08Z"),
]
NO_TIMES = [
    "2023-02-30", "2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-01-00T00:00:00Z",
    "0999-12-31T23:59:59Z", "10000-01-01T00:00:00Z", "-2023-02-01T00:00:00Z",
    "2023-02-01T24:00:00Z", "2023-02-01T10:60:00Z", "2023-02-01T10:20:61Z",
    "2023-02-01T10:20", "2023-02-01T10:20Z", "2023-02-01T10Z", "2023-02-01T", "2023-02-01Z",
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


# Addresses

def whole(**parts):
    """An address as it is answered."""
    return {**dict.fromkeys(ADDRESS_PARTS, ""), "country": "US", **parts}


ADDRESS = [
    ("address null", None, None),
    ("address empty text", "", None),
    ("address empty array", [], None),
    ("address empty object", {}, None),
    ("address of empty parts", dict.fromkeys(ADDRESS_PARTS, ""), None),
    ("address of null parts", dict.fromkeys(ADDRESS_PARTS), None),
    ("address of blanks", {"address_1": " ", "city": "   "}, None),
    ("address of one part", {"city": "Denver"}, whole(city="Denver")),
    ("address with null parts", {"city": "Denver", "state": None, "zip": None, "country": None},
     whole(city="Denver")),
    ("parts as they are", {"address_1": " 1 \u00dcber St ", "address_2": "\"2\""},
     whole(address_1=" 1 \u00dcber St ", address_2="\"2\"")),
    ("country alone", {"country": "AU"}, whole(country="AU")),
    ("country in small letters", {"country": "au", "state": "nsw"},
     whole(country="AU", state="NSW")),
    ("empty country", {"country": "", "state": "CO"}, whole(state="CO")),
    ("state in small letters", {"state": "co"}, whole(state="CO")),
    ("state of one character", {"country": "IE", "state": "D"}, whole(country="IE", state="D")),
    ("state of another country", {"country": "CA", "state": "QC"},
     whole(country="CA", state="QC")),
    ("state of digits", {"country": "JP", "state": "13"}, whole(country="JP", state="13")),
    ("state of digits and a letter", {"country": "FR", "state": "2a"},
     whole(country="FR", state="2A")),
    ("country without codes", {"country": "HK", "state": "KOWLOON"},
     whole(country="HK", state="KOWLOON")),
    ("zip as text", {"zip": "80202-1234"}, whole(zip="80202-1234")),
    ("short zip as text", {"zip": "2134"}, whole(zip="2134")),
    ("zip as a number", {"zip": 80202}, whole(zip="80202")),
    ("short zip as a number", {"zip": 2134}, whole(zip="02134")),
    ("zip of one digit", {"zip": 1}, whole(zip="00001")),
    ("long zip as a number", {"zip": 802021234}, whole(zip="802021234")),
    ("zip as a number, country given", {"zip": 2134, "country": "us"}, whole(zip="02134")),
    ("zip as a number elsewhere", {"zip": 800, "country": "AU"}, whole(zip="800", country="AU")),
] + [
    (f"{state} for the US", {"state": state}, whole(state=state))
    for state in ("AA", "AE", "AP", "DC", "PR", "WY")
] + [
    (f"{part} of 255 characters, {name}", {part: text * 255}, whole(**{part: text * 255}))
    for part in ("address_1", "address_2", "address_3", "city", "zip")
    for name, text in CHARACTERS.items()
] + [
    ("free state of 255 characters", {"country": "HK", "state": "A" * 255},
     whole(country="HK", state="A" * 255)),
]
ADDRESSES = [(name, {"address": sent}, {"address": got}) for name, sent, got in ADDRESS]

ADDRESS_FAULTS = [
    (f"{part}={label(sent)}", {part: sent}, [(part, code)])
    for part, code, values in [
        ("state", "choice", ["ZZ", "XX", "NSW", "US-CO", "C", "COL", "Colorado", "CO "]),
        ("country", "choice", ["XX", "ZZ", "USA", "UK", "XK", "U", "840", "United States"]),
        ("zip", "type", [80202.0, 1.5, True, [], {}]),
        ("zip", "range", [-1, -80202]),
    ] + [(part, "type", [5, 0, 1.5, True, [], {}, ["a"]])
         for part in ADDRESS_PARTS if part != "zip"]
    for sent in values
] + [
    (f"{part} of 256 characters, {name}", {part: text * 256}, [(part, "too_long")])
    for part in ("address_1", "address_2", "address_3", "city", "zip")
    for name, text in CHARACTERS.items()
] + [
    ("military state elsewhere", {"country": "AU", "state": "AA"}, [("state", "choice")]),
    ("state of the US elsewhere", {"country": "CA", "state": "CO"}, [("state", "choice")]),
    ("free state of 256 characters", {"country": "HK", "state": "A" * 256},
     [("state", "too_long")]),
    ("unknown part", {"city": "Denver", "colour": "red"}, [("colour", "unknown_field")]),
    ("unknown part that is null", {"colour": None}, [("colour", "unknown_field")]),
    ("several parts", {"state": "ZZ", "city": 5, "zip": -1, "street": ""},
     [("city", "type"), ("state", "choice"), ("street", "unknown_field"), ("zip", "range")]),
]
BAD_ADDRESSES = [
    (name, {"address": sent}, [("task.address." + part, code) for part, code in want])
    for name, sent, want in ADDRESS_FAULTS
] + refuse("address", "type", [[1], [{}], ["a"], "a", "2000 Blake Street", 5, 0, 1.5, True,
                               False])


# Staff

USERS = each("users_list", [
    (None, []), ([], []), ([1], [1]), ([3, 1, 2], [1, 2, 3]), ([2, 2, 1, 2], [1, 2]),
    (["1", "02"], [1, 2]), (["3", 3, 2], [2, 3])])
USERS += [("users_list of 101 entries that fold to two", {"users_list": [2, 1] * 50 + [2]},
           {"users_list": [1, 2]})]
USERS_FAULTS = refuse("users_list", "type", [1, 0, 1.5, True, {}, {"0": 1}, "1", "1,2"])
USERS_FAULTS += [
    (f"users_list[1]={label(sent)}", {"users_list": [1, sent]}, [("task.users_list[1]", code)])
    for code, values in ID_FAULTS for sent in values
] + [
    ("users_list[1]=null", {"users_list": [1, None]}, [("task.users_list[1]", "type")]),
    # The place is the one in the request, whatever is folded and sorted.
    ("unknown staff before known ones", {"users_list": [99, 1]},
     [("task.users_list[0]", "not_found")]),
    ("unknown staff among unsorted ones", {"users_list": [3, 99, 1]},
     [("task.users_list[1]", "not_found")]),
    ("unknown staff behind a duplicate", {"users_list": [1, 1, 99]},
     [("task.users_list[2]", "not_found")]),
    # 100 are allowed, so that only the unknown ones are at fault.
    ("100 staff", {"users_list": list(range(1, 101))},
     sorted((f"task.users_list[{i}]", "not_found") for i in range(3, 100))),
]


# Fields that the client does not set, and those that there are not

READ_ONLY = ("id", "alert_sent_at", "created_at", "updated_at")
IGNORED = [(f"{field}=null", {field: None}, {}) for field in READ_ONLY]
READ_ONLY_FAULTS = [
    row for field, values in [
        ("id", [1, 999999, "1", "x", True]),
        ("alert_sent_at", ["2023-02-01T00:00:00Z", "x", 5]),
        ("created_at", ["2023-02-01T00:00:00Z", "x", 5]),
        ("updated_at", ["2023-02-01T00:00:00Z", "x", 5]),
    ] for row in refuse(field, "read_only", values)]

UNKNOWN = refuse("colour", "unknown_field", ["red", None, "", 5, [], {}])
UNKNOWN += [(f"unknown field {label(key)}", {key: 1}, [("task." + key, "unknown_field")])
            for key in ("Title", "DUE_ON", "due-on", "title ", "title_folded", "account_id",
                        "\u00fcber", "address.city", "a\nb", "rowid", "k" * 64)]

ACCEPTED = (list(id_rows()) + list(optional_rows()) + RELATED + STATUS + DUE_ON + TITLE + BODY
            + TIMESTAMPS + ADDRESSES + USERS + IGNORED)
REFUSED = (list(id_faults()) + UNRELATED + STATUS_FAULTS + DUE_ON_FAULTS + TITLE_FAULTS
           + BODY_FAULTS + TIMESTAMP_FAULTS + BAD_ADDRESSES + USERS_FAULTS + READ_ONLY_FAULTS
           + UNKNOWN)


@pytest.mark.parametrize("sent, got", cases(ACCEPTED))
def test_accepted(server, sent, got):
    created = server.post(task(**sent))
    assert created.status == 201, created
    record = created.json
    # All that the row does not speak of is as in any task of the required fields.
    rest = {"id": record["id"], "created_at": record["created_at"],
            "updated_at": record["updated_at"]}
    assert record == {**NOTHING, **MINIMAL, **rest, **got}
    assert server.get(record["id"]).body == created.body


@pytest.mark.parametrize("sent, want", cases(REFUSED))
def test_refused(server, sent, want):
    assert faults(server.post(task(**sent))) == sorted(want)


def test_nothing_is_stored_where_anything_is_wrong(server):
    """An id that a refused request took would show in the next one's number."""
    before = server.create()["id"]
    for _, sent, _ in REFUSED:
        assert server.post(task(**sent)).status == 422
    assert server.create()["id"] == before + 1


# Rules that no table row holds

@pytest.mark.parametrize("field", ["subject_id", "case_service_id"])
def test_what_belongs_to_an_unknown_case_is_not_blamed(server, field):
    """Whether it fits cannot be said, and the case is what the client has to mend."""
    reply = server.post(task(casefile_id=999999, **{field: ID_FIELDS[field]}))
    assert faults(reply) == [("task.casefile_id", "not_found")]


@pytest.mark.parametrize("sent, codes", [
    ("9223372036854775808", {"range", "format"}),
    ("-9223372036854775809", {"range", "format"}),
    ("9" * 400, {"range", "format"}),
])
@pytest.mark.parametrize("field", ID_FIELDS)
def test_digits_beyond_64_bits_in_text(server, field, sent, codes):
    (fault,) = faults(server.post(task(**{field: sent})))
    assert fault[0] == "task." + field and fault[1] in codes


@pytest.mark.parametrize("sent", ["9999-12-31T23:59:59-00:01", "1000-01-01T00:00:00+00:01"])
def test_a_time_that_leaves_the_years_in_utc(server, sent):
    (fault,) = faults(server.post(task(alert_at=sent)))
    assert fault[0] == "task.alert_at" and fault[1] in {"format", "range"}


@pytest.mark.parametrize("sent", ["\t", "\n \r\n", "\u0085"])
def test_a_title_of_blank_control_characters(server, sent):
    found = faults(server.post(task(title=sent)))
    assert found and set(found) <= {("task.title", "blank"), ("task.title", "control")}


def test_too_many_staff(server):
    found = faults(server.post(task(users_list=list(range(1, 102)))))
    assert ("task.users_list", "too_many") in found
    assert all(field.startswith("task.users_list") for field, _ in found)


@pytest.mark.parametrize("sent", [{}, {"complete_at": None}, {"complete_at": ""}])
def test_completed_now_where_no_time_is_given(server, sent):
    before = datetime.datetime.now(datetime.timezone.utc)
    record = server.create(status="complete", **sent)
    assert record["status"] == "complete"
    assert_is_now(record["complete_at"], before)


def test_faults_of_form_and_of_records_come_together(server):
    """Some are seen in the text alone, others only in the database: one answer has them all."""
    reply = server.post({
        "extra": 1,
        "task": {
            "casefile_id": 999999, "calendar_id": 888888, "subject_id": "x",
            "case_service_id": 777777, "status": "done", "due_on": "2023-02-30", "title": " ",
            "body": 5, "address": {"state": "ZZ", "colour": 1}, "users_list": [1, 99],
            "alert_at": "soon", "created_at": "2023-02-01T00:00:00Z", "colour": "red"}})
    assert faults(reply) == sorted([
        ("extra", "unknown_field"), ("task.casefile_id", "not_found"),
        ("task.calendar_id", "not_found"), ("task.subject_id", "format"),
        ("task.case_service_id", "not_found"), ("task.status", "choice"),
        ("task.due_on", "format"), ("task.title", "blank"), ("task.body", "type"),
        ("task.address.state", "choice"), ("task.address.colour", "unknown_field"),
        ("task.users_list[1]", "not_found"), ("task.alert_at", "format"),
        ("task.created_at", "read_only"), ("task.colour", "unknown_field")])


def test_an_unknown_case_and_a_title_left_out(server):
    reply = server.post(task(without=["title"], casefile_id=999999))
    assert faults(reply) == [("task.casefile_id", "not_found"), ("task.title", "required")]


def test_two_faults_of_one_title(server):
    reply = server.post(task(title="a\n" * 128 + "a"))
    assert faults(reply) == [("task.title", "control"), ("task.title", "too_long")]


def test_every_wrong_element_of_the_staff(server):
    found = faults(server.post(task(users_list=[True, 1, "x", 0])))
    assert found == [("task.users_list[0]", "type"), ("task.users_list[2]", "format"),
                     ("task.users_list[3]", "range")]


# The wrapper

@pytest.mark.parametrize("sent, want", cases([
    ("empty object", {}, [("task", "required")]),
    ("another wrapper", {"Task": task()["task"]},
     [("Task", "unknown_field"), ("task", "required")]),
    ("array", {"task": []}, [("task", "type")]),
    ("array of one", {"task": [task()["task"]]}, [("task", "type")]),
    ("text", {"task": "x"}, [("task", "type")]),
    ("empty text", {"task": ""}, [("task", "type")]),
    ("number", {"task": 5}, [("task", "type")]),
    ("true", {"task": True}, [("task", "type")]),
    ("unknown beside it", {**task(), "extra": 1}, [("extra", "unknown_field")]),
    ("unknown beside it, before", {"extra": None, **task()}, [("extra", "unknown_field")]),
]))
def test_the_wrapper(server, sent, want):
    assert faults(server.post(sent)) == sorted(want)


def test_a_null_wrapper(server):
    assert faults(server.post({"task": None})) in ([("task", "required")], [("task", "type")])


def test_no_wrapper(server):
    assert ("task", "required") in faults(server.post(task()["task"]))


@pytest.mark.parametrize("sent", [[], [task()], "text", 5, 1.5, True, False, None], ids=label)
def test_not_an_object(server, sent):
    assert faults(server.post(sent))


@pytest.mark.parametrize("sent, field, nearest", [
    (task(titel="x"), "task.titel", "title"),
    (task(Title="x"), "task.Title", "title"),
    (task(user_list=[]), "task.user_list", "users_list"),
    (task(casefileid=1), "task.casefileid", "casefile_id"),
    (task(adress={}), "task.adress", "address"),
    (task(due_one="x"), "task.due_one", "due_on"),
    (task(address={"adress_2": ""}), "task.address.adress_2", "address_2"),
    (task(address={"citty": ""}), "task.address.citty", "city"),
    ({**task(), "tasks": 1}, "tasks", "task"),
])
def test_an_unknown_field_is_answered_with_the_nearest(server, sent, field, nearest):
    found = messages(server.post(sent))
    assert list(found) == [field]
    # Behind what repeats the client's own word.
    assert nearest in found[field].replace(field, "").replace(field.rsplit(".", 1)[-1], "")


# Lenient handling, for old clients

LENIENT = {"Prefer": "handling=lenient"}


def ignored(reply):
    return sorted(name.strip() for name in reply.header("Docket-Ignored").split(","))


@pytest.mark.parametrize("value", ["handling=lenient", "respond-async, handling=lenient",
                                   "handling=\"lenient\"", "Handling=lenient"])
def test_lenient_ignores_what_is_unknown(server, value):
    reply = server.post({**task(colour="red", address={"city": "Denver", "street": 1}), "x": {}},
                        {"Prefer": value})
    assert reply.status == 201, reply
    assert reply.json["address"] == whole(city="Denver")
    assert list(reply.json) == FIELDS
    assert reply.header("Preference-Applied") == "handling=lenient"
    assert ignored(reply) == ["task.address.street", "task.colour", "x"]


def test_lenient_ignores_unknown_parameters(server):
    body = json.dumps(task())
    reply = server.call("POST", TASKS + "?dry_run=1", body, {**JSON, **LENIENT})
    assert reply.status == 201, reply
    assert ignored(reply) == ["dry_run"]
    reply = server.call("GET", reply.header("Location") + "?fields=id", headers=LENIENT)
    assert reply.status == 200, reply
    assert ignored(reply) == ["fields"]
    assert reply.header("Preference-Applied") == "handling=lenient"


def test_lenient_with_nothing_to_ignore(server):
    reply = server.post(task(), LENIENT)
    assert reply.status == 201, reply
    assert reply.header("Docket-Ignored") is None


def test_lenient_is_lenient_about_nothing_else(server):
    reply = server.post(task(colour="red", title="", id=5), LENIENT)
    assert faults(reply) == [("task.id", "read_only"), ("task.title", "required")]


@pytest.mark.parametrize("value", ["handling=strict", "respond-async", "handling=lenientx",
                                   "xhandling=lenient", "lenient"])
def test_strict_unless_asked(server, value):
    reply = server.post(task(colour="red"), {"Prefer": value})
    assert faults(reply) == [("task.colour", "unknown_field")]
    assert reply.header("Docket-Ignored") is None


@pytest.mark.parametrize("key", ["a\r\nSet-Cookie: a=b", "a\nSet-Cookie: a=b", "a\u0085b",
                                 "\u00e9\u6f22", "a,b", "k" * 20000])
def test_an_ignored_name_does_not_break_the_header(server, key):
    body = json.dumps(task(**{key: 1}), ensure_ascii=False).encode()
    with Wire(server) as wire:
        wire.send(server.request("POST", TASKS, "Content-Type: application/json",
                                 "Prefer: handling=lenient", "Connection: close", body=body))
        reply = wire.reply("POST")
        assert reply.status == 201, reply
        assert reply.header("Set-Cookie") is None
        assert reply.json["title"] == MINIMAL["title"]
        assert wire.at_end()


# What comes with a creation

def test_ids_rise_by_one(server):
    first = server.create()["id"]
    assert [server.create()["id"] for _ in range(5)] == list(range(first + 1, first + 6))


def test_equal_requests_make_two_tasks(server):
    one, two = server.create(), server.create()
    assert one["id"] != two["id"]


def test_a_record_comes_as_utf8_without_loss(server):
    text = "\u00e9\u6f22\U0001f600 \"\\/ \u2028 </script>"
    reply = server.post(task(title=text, body="\u0001\n" + text))
    assert reply.json["title"] == text
    assert reply.json["body"] == "\u0001\n" + text
    # The same, sent in escapes throughout.
    escaped = json.dumps(task(title=text)).encode()
    assert server.call("POST", TASKS, escaped, JSON).json["title"] == text


def test_key_order_of_the_request_does_not_matter(server):
    fields = {**MINIMAL, "subject_id": 209, "case_service_id": 1, "complete_at": "2023-02-01",
              "status": "complete"}
    one = server.create(**fields)
    backwards = dict(reversed(list(fields.items())))
    reply = server.post({"task": backwards})
    assert reply.status == 201, reply
    for field in fields:
        assert reply.json[field] == one[field]


def test_a_very_long_unknown_field(server):
    """Its name may be cut in the answer; how, is not decided."""
    reply = server.post(task(**{"k" * 20000: 1}))
    assert reply.status == 422, reply
    assert reply.json["errors"][0]["code"] == "unknown_field"
