"""Pages by number with thousands of records before them, and counts. docket answers these from tallies of the
tasks, so they must be right after every kind of change."""
import itertools
import json

import pytest

import backends
import harness
from harness import JSON, TASKS, succeed
from lists import count, ids, walk

pytestmark = [backends.BOTH, pytest.mark.slow]

TASKS_MADE = 6000  # more than a block of ids
SIZE = 500
SOME_SORTS = ["id", "due_on", "title", "alert_at", "complete_at"]
FILTERS = ["", "status=complete", "status=none,in_progress", "calendar=1,2,3", "user=1"]
CHANGES = [
    {"status": "complete"}, {"status": "none"}, {"calendar_id": 2}, {"calendar_id": 1},
    {"alert_at": None}, {"alert_at": "2031-05-05"}, {"title": "Other"},
    {"status": "in_progress", "calendar_id": 3, "alert_at": None},
]


def change(server):
    """Changes and deletes tasks all over the account, and makes new ones."""
    for number, task in enumerate(range(1, TASKS_MADE, 9)):
        if number % 5 == 0:
            assert server.call("DELETE", f"{TASKS}/{task}").status == 204
            continue
        fields = json.dumps({"task": CHANGES[number % len(CHANGES)]}).encode()
        reply = server.call("PATCH", f"{TASKS}/{task}", fields, JSON)
        assert reply.status == 200, reply
    for fields in CHANGES[:4]:
        server.create(**fields)


@pytest.fixture(scope="module")
def base(database, tmp_path_factory):
    def make(place):
        token = harness.make_data(place, TASKS_MADE)
        server = harness.Server(place, token, tmp_path_factory.mktemp("make") / "stderr")
        change(server)
        server.stop()
        return token
    return backends.once(database, "deep", make)


@pytest.fixture(scope="module")
def server(own_server):
    """The tests only read from it."""
    return own_server


@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("sort, direction", itertools.product(SOME_SORTS, ["asc", "desc"]))
def test_every_page_is_the_same_by_number_and_by_cursor(server, sort, direction, filters):
    query = f"{filters}&sort={sort}&dir={direction}&per_page={SIZE}".lstrip("&")
    pages = [[record["id"] for record in page] for page in walk(server, query)]
    numbered = [ids(server, f"{query}&page={number}") for number in range(1, len(pages) + 2)]
    assert numbered == [*pages, []]
    assert count(server, filters)["record_count"] == sum(map(len, pages))


def test_what_is_left_out(server):
    """Pages that begin and end anywhere, also past the end."""
    whole = list(itertools.chain(*([record["id"] for record in page]
                                   for page in walk(server, "per_page=500"))))
    for size in (37, 499):
        for number in range(4000 // size, len(whole) // size + 4):
            assert ids(server, f"per_page={size}&page={number}") == whole[(number - 1) * size:number * size]


def test_the_tallies_are_sound(base):
    place, _ = base
    succeed("check", *backends.where(place))


@backends.SQLITE
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_deep_pages_of_a_common_word_by_title(make_server, direction):
    """The only condition is on the field of the order, so no set of ids can leave a task out."""
    server = make_server()
    server.stop()
    succeed("demo", "--data", server.data, "--tasks", 24000)
    server.start()
    query = f"title=the%20&sort=title&dir={direction}"
    pages = [[record["id"] for record in page] for page in walk(server, f"{query}&per_page={SIZE}")]
    assert len(pages) > 24 and count(server, query)["record_count"] == sum(map(len, pages))
    for page in (2, 21, 22, len(pages)):
        assert ids(server, f"{query}&per_page={SIZE}&page={page}") == pages[page - 1], page


@backends.SQLITE
def test_a_set_with_a_gap(make_server):
    """A restore makes the ids jump. The count makes a set of ids, so that it has each task once."""
    server = make_server()
    query = "user=1,2"
    before = count(server, query)["record_count"]
    server.stop()
    backends.rows(server.data, "UPDATE account_state SET last_task_id = 10000000000000")
    server.start()
    made = [server.create(users_list=[1, 2])["id"] for _ in range(3)]
    assert made == [10000000000001, 10000000000002, 10000000000003]
    assert count(server, query)["record_count"] == before + 3
    assert ids(server, f"{query}&dir=desc&per_page=3") == made[::-1]
