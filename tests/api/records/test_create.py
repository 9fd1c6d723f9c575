"""Creating a task: every field, rule and coercion, and the answer to each broken rule. Dates,
timestamps and addresses have files of their own."""
import datetime
import re

import pytest

import backends
from harness import (ADDRESS_PARTS, EXAMPLE, FIELDS, JSON, MINIMAL, REQUIRED, TASKS, cases, faults,
                     label, messages, task, task_json)
from tables import (CHARACTERS, INT64_MAX, NOTHING, assert_is_now, check_accepted,
                    check_nothing_stored, each, refuse)

pytestmark = backends.ALL


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
        "complete_at": None, "external_id": None, "created_at": times[0], "updated_at": times[1]}
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


# Ids of other records. A text counts as a number only if it has decimal digits alone.

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
# Status, title, body

STATUS = each("status", [(name, name) for name in ("none", "needs_action", "in_progress")]
              + [(None, "none")])
STATUS_FAULTS = (
    refuse("status", "choice", ["", "None", "COMPLETE", "done", " none", "complete ", "0",
                                "needs-action", "needs_actionx", "needs_actio"])
    + refuse("status", "type", [0, 1, 1.5, True, [], {}, ["none"]]))

TITLE = each("title", [(text, text) for text in (
    "a", "0", " a ", "a  b", "\u00e9", "e\u0301", "\u6f22\u5b57", "\U0001f600", "\u202eltr\u200b",
    "\"quoted\" \\ back / slash", "</script><!-- & -->", "null", "a\u2028\u2029", "\ufeffa",
    # Visible characters, of any kind.
    "\ue000", "\u0600", "\u0301",
    "\uffff", "\U0010ffff", "'; DROP TABLE task; --", "%s%n%00", "$1 ? :a @b")])
TITLE += [(f"title of 255 characters, {name}", {"title": text * 255}, {"title": text * 255})
          for name, text in CHARACTERS.items()]
TITLE += [("title of 255 code points in 128 letters", {"title": "e\u0301" * 127 + "e"},
           {"title": "e\u0301" * 127 + "e"})]
# C0 without NUL, which JSON text cannot contain, DEL and C1.
CONTROLS = [chr(code) for code in (*range(1, 32), *range(127, 160))]
TITLE_FAULTS = (
    refuse("title", "required", [None, ""])
    + refuse("title", "type", [5, 0, 1.5, True, False, [], {}, ["a"]])
    + refuse("title", "blank", [" ", "   ", "\u00a0", "\u3000 \u2003", " " * 255,
                                # Invisible characters.
                                "\u200b", "\u2060", "\u200e\u200f\u202e\u2066", "\u034f", "\u3164",
                                "\u00ad", "\ufeff", "\u2800", "\ufe0f", "\U000e0041", " \u200b "])
    + refuse("title", "control", [f"a{char}b" for char in CONTROLS] + ["\ra", "a\u0001"])
    + [(f"title of 256 characters, {name}", {"title": text * 256}, [("task.title", "too_long")])
       for name, text in CHARACTERS.items()]
    + [("title of 256 code points in 128 letters", {"title": "e\u0301" * 128},
        [("task.title", "too_long")]),
       ("title of 65536 characters", {"title": "a" * 65536}, [("task.title", "too_long")])])

BODY = each("body", [(None, ""), ("", ""), ("a", "a"), ("   ", "   "),
                     ("two\r\nlines\twith a tab", "two\r\nlines\twith a tab"),
                     ("".join(CONTROLS), "".join(CONTROLS))])
BODY += [(f"body of 65535 characters, {name}", {"body": text * 65535}, {"body": text * 65535})
         for name, text in CHARACTERS.items()]
BODY_FAULTS = (
    refuse("body", "type", [5, 1.5, True, [], {}, ["a"]])
    + [(f"body of 65536 characters, {name}", {"body": text * 65536}, [("task.body", "too_long")])
       for name, text in CHARACTERS.items()])

# Staff

USERS = each("users_list", [
    (None, []), ([], []), ([1], [1]), ([3, 1, 2], [1, 2, 3]), ([2, 2, 1, 2], [1, 2]),
    (["1", "02"], [1, 2]), (["3", 3, 2], [2, 3])])
USERS += [("users_list of 101 entries that fold to two", {"users_list": [2, 1] * 50 + [2]},
           {"users_list": [1, 2]})]
USERS_FAULTS = refuse("users_list", "type", [1, 0, 1.5, True, {}, {"0": 1}, "", "1", "1,2"])
USERS_FAULTS += [
    (f"users_list[1]={label(sent)}", {"users_list": [1, sent]}, [("task.users_list[1]", code)])
    for code, values in ID_FAULTS for sent in values
] + [
    ("users_list[1]=null", {"users_list": [1, None]}, [("task.users_list[1]", "type")]),
    ("users_list[1]=\"\"", {"users_list": [1, ""]}, [("task.users_list[1]", "format")]),
    ("users_list[0]=[1]", {"users_list": [[1]]}, [("task.users_list[0]", "type")]),
    # The index is that in the request, although docket sorts the list and drops duplicates.
    ("unknown staff before known ones", {"users_list": [99, 1]},
     [("task.users_list[0]", "not_found")]),
    ("unknown staff among unsorted ones", {"users_list": [3, 99, 1]},
     [("task.users_list[1]", "not_found")]),
    ("unknown staff behind a duplicate", {"users_list": [1, 1, 99]},
     [("task.users_list[2]", "not_found")]),
    # 100 are allowed, so only the unknown ones are faults.
    ("100 staff", {"users_list": list(range(1, 101))},
     sorted((f"task.users_list[{i}]", "not_found") for i in range(3, 100))),
]


# Fields that the client must not set, and unknown fields

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

ACCEPTED = (list(id_rows()) + list(optional_rows()) + RELATED + STATUS + TITLE + BODY + USERS
            + IGNORED)
REFUSED = (list(id_faults()) + UNRELATED + STATUS_FAULTS + TITLE_FAULTS + BODY_FAULTS
           + USERS_FAULTS + READ_ONLY_FAULTS + UNKNOWN)


@pytest.mark.parametrize("sent, got", cases(ACCEPTED))
def test_accepted(server, sent, got):
    check_accepted(server, sent, got)


@pytest.mark.parametrize("sent, want", cases(REFUSED))
def test_refused(server, sent, want):
    assert faults(server.post(task(**sent))) == sorted(want)


@pytest.mark.slow
def test_nothing_is_stored_where_anything_is_wrong(server):
    check_nothing_stored(server, REFUSED)


# Rules that no row of a table has

@pytest.mark.parametrize("field", ["subject_id", "case_service_id"])
def test_what_belongs_to_an_unknown_case_is_not_blamed(server, field):
    """docket cannot check it against an unknown case, and the client must correct the case."""
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


@pytest.mark.parametrize("sent", ["\t", "\n \r\n", "\u0085"])
def test_a_title_of_blank_control_characters(server, sent):
    found = faults(server.post(task(title=sent)))
    assert found and set(found) <= {("task.title", "blank"), ("task.title", "control")}


def test_a_hundred_staff_and_one_more(make_server):
    """The last of them are disabled, which is allowed."""
    server = make_server()
    server.stop()
    with backends.opened(server.data) as database:
        database.executemany(
            "INSERT INTO staff (account_id, id, change, username, username_key, first_name, last_name,"
            " email, access_level, created_at, updated_at)"
            " SELECT account_id, ?, change, ?, ?, first_name, last_name, email, ?, created_at, updated_at FROM staff WHERE id = 2",
            [(number, f"staff-{number}", f"staff-{number}", level)
             for level, numbers in ((1, range(4, 60)), (2, range(60, 102)))
             for number in numbers])
        database.execute("UPDATE account_state SET last_staff_id = 101")
    server.start()
    hundred = list(range(101, 1, -1))
    assert server.create(users_list=hundred)["users_list"] == sorted(hundred)
    assert server.create(users_list=[*hundred, *hundred])["users_list"] == sorted(hundred)
    reply = server.post(task(users_list=[*hundred, 1]))
    assert faults(reply) == [("task.users_list", "too_many")]
    assert server.get(3).status == 404


def test_too_many_staff(server):
    found = faults(server.post(task(users_list=list(range(1, 102)))))
    assert ("task.users_list", "too_many") in found
    assert all(field.startswith("task.users_list") for field, _ in found)


def test_faults_of_form_and_of_records_come_together(server):
    """Some faults show in the text alone, others only in the database: one answer has all of them."""
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


@pytest.mark.slow
def test_nothing_of_a_refused_request_is_in_the_database(make_server):
    server = make_server()
    server.stop()
    before = backends.everything(server.data)
    assert before["task"] == [] and len(before["casefile"]) == 2
    server.start()
    for name, sent, _ in REFUSED:
        assert server.post(task(**sent)).status == 422, f"accepted: {name}"
    for field in REQUIRED:
        assert server.post(task(without=[field])).status == 422
    server.stop()
    assert backends.everything(server.data) == before


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
     [("task", "required")]),
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
    # After the part of the message that repeats the client's own name.
    assert nearest in found[field].replace(field, "").replace(field.rsplit(".", 1)[-1], "")


def test_more_faults_than_one_answer_lists(server):
    """The server may choose how many it lists, but must say that there are more."""
    reply = server.post(task(users_list=["x"] * 1000))
    found = faults(reply)
    assert found[0] == ("task.users_list[0]", "format")
    more = int(re.search(r"; and (\d+) more$", reply.json["detail"])[1])
    assert len(found) == 100 and more + reply.json["detail"].count("task.users_list[") == 1000


# Side effects of a create

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
    # The same text, sent with escapes only.
    escaped = task_json(title=text)
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
    """The answer may truncate its name; the contract does not say how."""
    reply = server.post(task(**{"k" * 20000: 1}))
    assert reply.status == 422, reply
    assert reply.json["errors"][0]["code"] == "unknown_field"
