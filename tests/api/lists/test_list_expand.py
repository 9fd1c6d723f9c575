"""expand: the records that tasks name, added to lists and to one task."""
import itertools
import json

import pytest

import backends
from harness import FIELDS, JSON, TASKS, faults, problem, succeed, task
from lists import ask, ids, links, listed, rewrite, walk
from wire import Wire

pytestmark = backends.BOTH

# The value of the parameter, the key in answers, and the field that names the records.
EXPANSIONS = {"case": ("Casefile", "casefile_id"), "calendar": ("Calendar", "calendar_id"),
              "subject": ("Subject", "subject_id"),
              "case_service": ("CaseService", "case_service_id"), "users": ("Users", "users_list")}
ALL = ",".join(EXPANSIONS)
TASKS_MADE = [
    {"subject_id": 209, "case_service_id": 1, "users_list": [1, 2, 3], "title": "of all"},
    {"casefile_id": 246, "subject_id": 210, "case_service_id": 2, "users_list": [3]},
    {"casefile_id": 246, "users_list": [3, 1]},
    {"title": "of none"},
    {"subject_id": 209, "calendar_id": 2, "users_list": [2], "due_on": "2023-01-01"},
]
BEFORE = [
    "INSERT INTO calendar (account_id, id, change, name, color, created_at, updated_at) SELECT account_id, 2, change, 'Say \"hello\" \u00e9\U0001f600\\', color,"
    " created_at, updated_at FROM calendar WHERE id = 1",
    "UPDATE staff SET access_level = 2 WHERE id = 3",
    "UPDATE staff SET first_name = 'Ad', last_name = 'Min' WHERE id = 1"]


@pytest.fixture(scope="module")
def server(share_server):
    """A server whose fourth task has no case, no subject, no case service and no staff."""
    server = share_server()
    rewrite(server, BEFORE)
    for number, fields in enumerate(TASKS_MADE, 1):
        assert server.create(**fields)["id"] == number
    rewrite(server, ["UPDATE task SET casefile_id = NULL WHERE id = 4"])
    return server


def get(server, number, query="", **options):
    return server.call("GET", f"{TASKS}/{number}?{query}", **options)


def check_related(record, names):
    """Checks that the requested keys come after the fields and agree with them."""
    asked = [EXPANSIONS[name] for name in EXPANSIONS if name in names]
    assert list(record) == FIELDS + [key for key, _ in asked]
    for key, field in asked:
        if field == "users_list":
            assert isinstance(record[key], list)
            assert [one["id"] for one in record[key]] == record[field]
        else:
            assert (record[key] and record[key]["id"]) == record[field]
        for one in record[key] if field == "users_list" else [record[key]]:
            assert one is None or (one["name"] and isinstance(one["name"], str)), one


SOME = [combination for size in range(1, 6)
        for combination in itertools.combinations(EXPANSIONS, size)]


@pytest.mark.parametrize("names", SOME, ids=",".join)
def test_any_of_them(server, names):
    plain = listed(server)
    records = listed(server, "expand=" + ",".join(names))
    for record, before in zip(records, plain, strict=True):
        check_related(record, names)
        assert {field: record[field] for field in FIELDS} == before
        # GET of one task answers the same record as the list.
        assert get(server, record["id"], "expand=" + ",".join(names)).json == record


def test_what_is_added(server):
    full, _, _, bare, second = listed(server, f"id=1,2,3,4,5&expand={ALL}")
    assert (full["Casefile"]["id"], full["Calendar"]["id"], full["Subject"]["id"],
            full["CaseService"]["id"]) == (245, 1, 209, 1)
    assert [one["id"] for one in full["Users"]] == [1, 2, 3]
    assert (full["Users"][0]["name"], full["Users"][0]["username"]) == ("Ad Min", "admin")
    # Users contains staff members who may not use the API as well.
    assert full["Users"][2]["access_level"] == "disabled"
    assert [bare[key] for key, _ in EXPANSIONS.values()] == [
        None, {**full["Calendar"]}, None, None, []]
    assert second["Calendar"]["name"] == "Say \"hello\" \u00e9\U0001f600\\"
    # Two tasks of one subject have equal subjects.
    assert second["Subject"] == full["Subject"]


def test_nothing_secret_is_added(server):
    for record in listed(server, f"expand={ALL}"):
        for key, _ in EXPANSIONS.values():
            for one in record[key] if isinstance(record[key], list) else [record[key] or {}]:
                assert not {"token", "hash", "password", "account_id", "change"} & set(one)


def test_the_same_whatever_else_is_asked_for(server):
    whole = {record["id"]: record for record in listed(server, f"expand={ALL}")}
    for query in ("case=245", "user=3,none", "title=of", "sort=due_on&dir=desc", "sort=complete_at",
                  "due_to=2023-01-01", "id=5,4,1"):
        numbers = ids(server, query)
        assert numbers
        assert listed(server, f"{query}&expand={ALL}") == [whole[number] for number in numbers]
        pages = walk(server, f"{query}&expand={ALL}&per_page=1")
        assert pages == [[whole[number]] for number in numbers]


@pytest.mark.parametrize("query", [
    "expand=users,case", "expand=users&expand=case", "expand[]=users&expand[]=case",
    "expand[0]=case&expand[1]=users", "expand=case,case,users,users", "expand%5B%5D=case%2Cusers",
    "expand=case&expand=case&expand[]=users"])
def test_forms_of_several(server, query):
    """The expansions have the same order, whatever the order in the parameter."""
    assert ask(server, query).body == ask(server, "expand=case,users").body
    assert get(server, 1, query).body == get(server, 1, "expand=case,users").body


def test_a_filter_on_what_is_added_does_not_cut_it(server):
    """A task of several staff members shows all of them, whichever one the filter names."""
    for record in listed(server, "user=3&expand=users"):
        assert [one["id"] for one in record["Users"]] == record["users_list"]


@pytest.mark.parametrize("query", ["", "title=nothing", "page=9"])
def test_of_no_record(server, make_server, query):
    if query:
        assert ask(server, f"{query}&expand={ALL}").body == b"[]"
        return
    assert ask(make_server(), f"expand={ALL}").body == b"[]"


def test_counts_have_nothing_to_add(server):
    reply = ask(server, f"mode=count&expand={ALL}&case=246")
    assert reply.json == {"record_count": 2, "page_count": 1}


def test_links_keep_it(server):
    assert "expand=case,users" in links(ask(server, "expand=case,users&per_page=1"))["next"]


# One task

def test_no_etag_with_it(server):
    """The version is that of the task alone, so a change of a related record would not show."""
    plain = get(server, 1)
    assert plain.header("ETag")
    for name in EXPANSIONS:
        reply = get(server, 1, f"expand={name}")
        assert (reply.status, reply.header("ETag")) == (200, None), reply
        assert reply.header("Content-Type") == "application/json"
        # A tag of the plain answer does not match the expanded one either.
        again = get(server, 1, f"expand={name}", headers={"If-None-Match": plain.header("ETag")})
        assert (again.status, again.body) == (200, reply.body)
    assert get(server, 1).header("ETag") == plain.header("ETag")
    assert ask(server, f"expand={ALL}").header("ETag") is None


def test_without_it_nothing_is_added(server):
    assert list(get(server, 1).json) == FIELDS
    assert {tuple(record) for record in listed(server)} == {tuple(FIELDS)}


@pytest.mark.parametrize("end", [f"/1?expand={ALL}", f"/4/?expand={ALL}", f"?expand={ALL}",
                                 "/99999?expand=case", "/1?expand=nothing",
                                 f"?expand={ALL}&per_page=2"])
def test_head(server, end):
    got = server.call("GET", TASKS + end)
    with Wire(server) as wire:
        head = wire.ask("HEAD", TASKS + end, "Connection: close")
        assert wire.at_end(), wire.buffer
    assert (head.status, head.header("Content-Length")) == (got.status, str(len(got.body)))
    for name in ("Content-Type", "ETag", "Link"):
        assert head.header(name) == got.header(name), name


@pytest.mark.parametrize("sent", ["99", "0", "-1", "abc", "1,2", "9223372036854775808", "1e0",
                                  "%20"])
def test_a_missing_task(server, sent):
    """The answer is the same as without expand."""
    for query in ("expand=case", f"expand={ALL}"):
        reply = get(server, sent, query)
        problem(reply, 404)
        assert reply.body == server.get(sent).body


@pytest.mark.parametrize("query, wanted", [
    ("expand=foo", [("expand", "choice")]), ("expand=case,foo", [("expand", "choice")]),
    ("expand=", [("expand", "blank")]), ("expand", [("expand", "blank")]),
    ("expand=case,", [("expand", "blank")]), ("expand=,", [("expand", "blank")] * 2),
    ("expand=Case", [("expand", "choice")]), ("expand=user", [("expand", "choice")]),
    ("expand[]=foo&expand=case", [("expand[]", "choice")]),
    ("expand=a,b&expand=c", [("expand", "choice")] * 3), ("expands=case",
                                                          [("expands", "unknown_field")]),
    ("expand=case&x=1", [("x", "unknown_field")]), ("expand[a]=case",
                                                    [("expand[a]", "unknown_field")])])
def test_unknown_ones(server, query, wanted):
    for reply in (get(server, 1, query), ask(server, query)):
        assert faults(reply, 400) == wanted, reply


@pytest.mark.parametrize("name", ["page", "per_page", "sort", "status", "case", "after", "mode"])
def test_one_task_takes_no_other_parameter(server, name):
    reply = get(server, 1, f"expand=case&{name}=1")
    assert faults(reply, 400) == [(name, "unknown_field")]
    reply = get(server, 1, f"expand=case&{name}=1", headers={"Prefer": "handling=lenient"})
    assert reply.json == get(server, 1, "expand=case").json


def test_what_is_added_is_of_the_moment(server):
    """docket answers with the present records, not with those of an earlier list."""
    made = server.create(users_list=[2])["id"]
    assert [one["id"] for one in get(server, made, "expand=users").json["Users"]] == [2]
    records = listed(server, "expand=users")
    assert records[-1]["id"] == made
    check_related(records[-1], ["users"])


def test_none_where_the_account_says_some(make_server):
    """With expand=none there is a version for If-Match, and a client can send back the whole
    record."""
    server = make_server()
    number = server.post(task()).json["id"]
    server.stop()
    succeed("account", "set", "main", "--expand", "case,users", *backends.where(server.data))
    server.start()
    whole, plain = get(server, number), get(server, number, "expand=none")
    assert (list(whole.json)[-2:], whole.header("ETag")) == (["Casefile", "Users"], None)
    assert list(plain.json) == FIELDS and plain.header("ETag")
    assert [list(record) for record in listed(server, "expand=none&per_page=1")] == [FIELDS]
    assert "expand=none" in links(ask(server, "expand=none&per_page=1"))["first"]
    assert list(get(server, number, "expand=none,case").json)[-1] == "Casefile"
    body = json.dumps({"task": {**whole.json, "title": "Another"}}).encode()
    reply = server.call("PATCH", f"{TASKS}/{number}", body,
                        {**JSON, "If-Match": plain.header("ETag")})
    assert (reply.status, reply.json["title"]) == (200, "Another"), reply
    body = json.dumps({"task": {"casefile": 1, "Casefile ": 2}}).encode()
    assert [field for field, _ in faults(server.call("PATCH", f"{TASKS}/{number}", body, JSON))] \
        == ["task.Casefile ", "task.casefile"]
