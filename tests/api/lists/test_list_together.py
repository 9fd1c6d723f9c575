"""Lists of many tasks with any combination of filters, orders and pages, each compared with what
the contract says about the same records. docket chooses how to read a list by how many records each
filter finds. There are so many tasks that every choice occurs."""
import random

import pytest

import backends
import proofs
from harness import Server, make_data
from lists import (SORTS, STATUSES, ask, count, cursor_of, encoded, folded, in_order, ids, listed,
                   walk)

pytestmark = backends.BOTH

MADE = 6000
QUESTIONS = 30  # queries for each seed


@pytest.fixture(scope="module")
def samples(tmp_path_factory, database):
    """A server with the tasks of `docket demo`, and all its records."""
    folder = tmp_path_factory.mktemp("together")
    place = backends.empty(database, folder / "data")
    server = Server(place, make_data(place, MADE), folder / "stderr")
    records = sum(walk(server, "per_page=500"), [])
    assert [record["id"] for record in records] == list(range(1, MADE + 1))
    yield server, records
    server.stop()
    backends.remove(place)


def one_of(field, values, none=False):
    """A filter by values, some of which no task has; and a function that says whether a record
    matches."""
    def make(pick):
        chosen = pick.sample(values, pick.choice([1, 1, 2, min(len(values), 12)]))
        without = none and pick.random() < 0.3
        sent = [str(value) for value in chosen] + ["none"] * without

        def matches(record):
            own = record[field]
            own = own if isinstance(own, list) else [own]
            return any(value in chosen for value in own) or (without and own in ([], [None]))
        return ",".join(pick.sample(sent, len(sent))), matches
    return make


def bound(field, records, upper):
    """A filter by a bound that is the value of one of the records."""
    def make(pick):
        value = pick.choice([record[field] for record in records if record[field]])

        def matches(record):  # values of the same form compare as text
            own = record[field]
            return own is not None and (own <= value if upper else own >= value)
        return value, matches
    return make


def words(records):
    """A part of one of the titles, in another case."""
    def make(pick):
        title = pick.choice(records)["title"]
        start = pick.randrange(len(title))
        needle = title[start:start + pick.choice([1, 2, 3, 5, 9, 40])]
        needle = pick.choice([needle, needle.upper(), needle.lower()])
        return encoded(needle), lambda record: folded(needle) in folded(record["title"])
    return make


def filters_of(records):
    some = {"id": one_of("id", [*range(1, MADE, 7), MADE + 1]),
            "calendar": one_of("calendar_id", [1, 2]),
            "case": one_of("casefile_id", [245, 246, 1], none=True),
            "subject": one_of("subject_id", [209, 210, *range(1, 20)], none=True),
            "user": one_of("users_list", [1, 2, 3, *range(4, 20)], none=True),
            "status": one_of("status", STATUSES), "title": words(records)}
    for name, field in [("due", "due_on")] + [
            (name, name + "_at") for name in
            ("complete", "alert", "alert_sent", "created", "updated")]:
        some[name + "_from"] = bound(field, records, False)
        some[name + "_to"] = bound(field, records, True)
    return some


@proofs.LISTS
@pytest.mark.parametrize("seed", range(proofs.size(10)))
@pytest.mark.slow
def test_any_question(samples, seed):
    server, records = samples
    pick = random.Random(seed)
    filters = filters_of(records)
    for _ in range(QUESTIONS):
        names = pick.sample(sorted(filters), pick.choice([0, 1, 1, 2, 2, 3, 5]))
        made = [(name, *filters[name](pick)) for name in names]
        sort, descending = pick.choice(SORTS), pick.random() < 0.5
        size = pick.choice([1, 7, 100, 500])
        query = "&".join([*(f"{name}={sent}" for name, sent, _ in made), f"sort={sort}",
                          f"dir={'desc' if descending else 'asc'}", f"per_page={size}"])
        wanted = in_order([record for record in records
                           if all(matches(record) for *_, matches in made)], sort, descending)
        pages = -(-len(wanted) // size)
        assert count(server, query) == {"record_count": len(wanted), "page_count": pages}, query
        assert listed(server, query) == wanted[:size], query
        for page in {2, pick.randint(1, pages + 1), pages}:
            reply = ask(server, f"{query}&page={max(page, 1)}")
            at = (max(page, 1) - 1) * size
            assert reply.json == wanted[at:at + size], (query, page)
            if at + size < len(wanted):
                assert listed(server, f"{query}&after={cursor_of(reply)}") == wanted[
                    at + size:at + 2 * size], (query, page)


@pytest.mark.parametrize("query", ["sort=alert_at&dir=desc", "sort=complete_at&title=a",
                                   "sort=title&user=1,2", "sort=updated_at&status=none,complete"])
@pytest.mark.slow
def test_all_the_way(samples, query):
    """Every page by its cursor, also after the last task with a value."""
    server, _ = samples
    whole = [record["id"] for page in range(1, MADE // 500 + 1)
             for record in listed(server, f"{query}&per_page=500&page={page}")]
    assert len(set(whole)) == len(whole) == count(server, query)["record_count"]
    assert [record["id"] for page in walk(server, f"{query}&per_page=499") for record in page
            ] == whole
    assert ids(server, query) == whole[:100]
