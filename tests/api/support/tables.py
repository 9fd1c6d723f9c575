"""What the tests of a create share: rows of fields, and what is asserted of each row."""
import datetime

from harness import ADDRESS_PARTS, MINIMAL, label, task

NOTHING = {"subject_id": None, "case_service_id": None, "status": "none", "body": "",
           "address": None, "users_list": [], "alert_at": None, "alert_sent_at": None,
           "complete_at": None, "external_id": None}
INT64_MAX = 2**63 - 1
# Characters are code points, however many bytes or UTF-16 units each takes.
CHARACTERS = {"ascii": "a", "two bytes": "\u00e9", "three bytes": "\u6f22",
              "four bytes": "\U0001f600"}


def each(field, pairs, **others):
    """Rows for one field: what is sent and what comes back."""
    return [(f"{field}={label(sent)}", {field: sent, **others}, {**others, field: got})
            for sent, got in pairs]


def refuse(field, code, values, **others):
    """Rows for one field: values that are each one fault of that code."""
    return [(f"{field}={label(sent)}", {field: sent, **others}, [("task." + field, code)])
            for sent in values]


def whole(**parts):
    """An address as it is answered."""
    return {**dict.fromkeys(ADDRESS_PARTS, ""), "country": "US", **parts}


def read_time(text):
    form = "%Y-%m-%dT%H:%M:%SZ"
    return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc)


def assert_is_now(text, before):
    """A time that the server took from its clock; whole seconds, hence the one of slack."""
    second = datetime.timedelta(seconds=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    assert before - second <= read_time(text) <= now + second


def check_accepted(server, sent, got):
    """A create of the required fields with `sent` over them answers `got`, and GET the same."""
    created = server.post(task(**sent))
    assert created.status == 201, created
    record = created.json
    # All that the row does not speak of is as in any task of the required fields.
    rest = {"id": record["id"], "created_at": record["created_at"],
            "updated_at": record["updated_at"]}
    assert record == {**NOTHING, **MINIMAL, **rest, **got}
    assert server.get(record["id"]).body == created.body


def check_nothing_stored(server, rows):
    """An id that a refused request took would show in the next one's number."""
    before = server.create()["id"]
    for name, sent, _ in rows:
        assert server.post(task(**sent)).status == 422, f"accepted: {name}"
    assert server.create()["id"] == before + 1
    assert server.get(before + 2).status == 404
