"""For the tests of creates: rows of fields, and the checks of each row."""
import datetime

from harness import ADDRESS_PARTS, MINIMAL, label, task
from records import TASK

NOTHING = TASK.rest
INT64_MAX = 2**63 - 1
# Limits count characters as code points, however many bytes or UTF-16 units each takes.
CHARACTERS = {"ascii": "a", "two bytes": "\u00e9", "three bytes": "\u6f22",
              "four bytes": "\U0001f600"}


def each(field, pairs, **others):
    """Rows for one field: pairs of the sent value and the answered value."""
    return [(f"{field}={label(sent)}", {field: sent, **others}, {**others, field: got})
            for sent, got in pairs]


def refuse(field, code, values, **others):
    """Rows for one field: values that each cause exactly one fault, with that code."""
    return [(f"{field}={label(sent)}", {field: sent, **others}, [("task." + field, code)])
            for sent in values]


def whole(**parts):
    """An address as docket answers it."""
    return {**dict.fromkeys(ADDRESS_PARTS, ""), "country": "US", **parts}


def read_time(text):
    form = "%Y-%m-%dT%H:%M:%SZ"
    return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc)


def assert_is_now(text, before):
    """Asserts that the server took the time from its clock after `before`. The time has whole seconds, so
    one second of slack is allowed."""
    second = datetime.timedelta(seconds=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    assert before - second <= read_time(text) <= now + second


def check_accepted(server, sent, got):
    """Asserts that a create with the required fields, overridden by `sent`, answers `got`, and GET the
    same."""
    created = server.post(task(**sent))
    assert created.status == 201, created
    record = created.json
    # All other fields have the values that the required fields alone would give.
    rest = {"id": record["id"], "created_at": record["created_at"],
            "updated_at": record["updated_at"]}
    assert record == {**NOTHING, **MINIMAL, **rest, **got}
    assert server.get(record["id"]).body == created.body


def check_nothing_stored(server, rows):
    """Asserts that refused creates store nothing and use up no id."""
    before = server.create()["id"]
    for name, sent, _ in rows:
        assert server.post(task(**sent)).status == 422, f"accepted: {name}"
    assert server.create()["id"] == before + 1
    assert server.get(before + 2).status == 404
