"""Lists compared with a model: random queries, by page, by cursor and counted, over accounts that
have the same ids but different tasks; and walks through pages while others write."""
import collections
import json
import random
import threading

import pytest

import backends
import proofs
from harness import TASKS
from list_data import Reader, make_big, make_small, random_record, shared
from list_model import SORTS, Query
from list_queries import DIRS, draw, every_feature, features
from list_walk import Lists, check_pairs, check_queries, links

pytestmark = backends.ALL

SEEDS, QUERIES = range(proofs.size(20)), 100  # seeds, and queries of each
BIG_SEEDS, BIG_QUERIES = range(100, 104), 38
# docket chooses the statements of a list in the same way for all databases. So on PostgreSQL fewer
# queries are enough to show that it runs them correctly.
SOME_SEEDS, SOME_BIG_SEEDS = SEEDS[:5], BIG_SEEDS[:1]
AT_LEAST = 15  # how many of the queries that find something use each feature
WRITERS = 16
PER_PAGE = 40
# Each of the first pages of a walk lets that many creates through, and no more. So the list grows
# during the walk, and every walk ends, however fast the writers are.
CREATES, CREATING_PAGES = 8, 25


@pytest.fixture(scope="module")
def small(tmp_path_factory, database):
    """Two accounts with about 500 tasks each."""
    lists = Lists(*shared(database, "lists", make_small),
                  tmp_path_factory.mktemp("lists"))
    yield lists
    lists.stop()


@pytest.fixture(scope="module")
def big(tmp_path_factory, database):
    """An account that is so large that the choice of an index matters, and a small one."""
    lists = Lists(*shared(database, "big-lists", make_big),
                  tmp_path_factory.mktemp("big-lists"))
    yield lists
    lists.stop()


@proofs.LISTS
@backends.SQLITE
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.slow
def test_queries(small, seed):
    check_queries(small, seed, range(QUERIES))


@backends.POSTGRES
@pytest.mark.parametrize("seed", SOME_SEEDS)
def test_some_queries(small, seed):
    check_queries(small, seed, range(QUERIES))


@backends.BOTH
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.slow
def test_every_filter_with_every_sort(small, sort):
    check_pairs(small, sort)


@backends.SQLITE
@pytest.mark.parametrize("seed", BIG_SEEDS)
@pytest.mark.slow
def test_queries_of_many_tasks(big, seed):
    check_queries(big, seed, range(0, 2 * BIG_QUERIES, 2))


@backends.POSTGRESQL
@pytest.mark.parametrize("seed", SOME_BIG_SEEDS)
def test_some_queries_of_many_tasks(big, seed):
    check_queries(big, seed, range(0, 2 * BIG_QUERIES, 2))


@backends.SQLITE
@pytest.mark.slow
def test_queries_of_a_small_account_beside(big):
    check_queries(big, "beside", range(1, 61, 2))


@backends.SQLITE
@pytest.mark.slow
def test_the_queries_cover_everything(small):
    counter = collections.Counter()
    for seed in SEEDS:
        for turn in range(QUERIES):
            model = small.models[turn % len(small.accounts)]
            params = draw(random.Random(f"{seed} {turn}"), model)
            if model.find(Query(params)):
                counter.update(features(params))
    rare = {feature: counter[feature] for feature in every_feature()
            if counter[feature] < AT_LEAST}
    assert rare == {}, json.dumps(counter, indent=1, sort_keys=True)


class Writers:
    """Clients that create tasks when the walk lets them, each on a connection of its own."""

    def __init__(self, lists):
        self.lists, self.ending, self.counts, self.errors = lists, threading.Event(), [], []
        self.creates = threading.Semaphore(0)
        self.threads = [threading.Thread(target=self.write, args=[number])
                        for number in range(WRITERS)]

    def write(self, number):
        rng, count = random.Random(f"writer {number}"), 0
        try:
            with Reader(self.lists.server, self.lists.accounts[0]) as reader:
                while self.creates.acquire() and not self.ending.is_set():
                    reader.create([random_record(rng, 1)])
                    count += 1
        except Exception as error:  # the test reports it; it would not see the exception otherwise
            self.errors.append(error)
        self.counts.append(count)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.creates.release(WRITERS)
        for thread in self.threads:
            thread.join()


def walk(reader, writers, target, by_page, seen_all):
    """The records of all pages, or of a few more than `seen_all` requires."""
    records, more = [], 10
    for number in range(1, 1000):
        if number <= CREATING_PAGES:
            writers.creates.release(CREATES)
        join = "&" if "?" in target else "?"
        reply, = reader.get(f"{target}{join}page={number}" if by_page else target)
        assert reply.status == 200, reply
        page = reply.json
        records += page
        more -= seen_all(records)
        if not page or more == 0 or not (by_page or "next" in links(reply)):
            return records
        target = target if by_page else links(reply)["next"]
    raise AssertionError(f"expected an end of {target}")


def check_walk(lists, writers, params, by_page):
    model, reader = lists.models[0], lists.readers[0]
    query = Query(params)
    before = model.select(query)
    target = f"{TASKS}?" + "&".join(f"{name}={text}" for name, text in params)
    records = walk(reader, writers, target, by_page,
                   lambda records: set(before) <= {record["id"] for record in records})
    ids = [record["id"] for record in records]
    assert len(set(ids)) == len(ids), "expected each task once"
    assert [task_id for task_id in ids if task_id in model.records] == before
    assert [record for record in records if record["id"] in model.records] == [
        model.records[task_id] for task_id in before]
    # The new tasks are at their places in the order as well.
    found = type(model)({record["id"]: json.dumps(record).encode() for record in records},
                        json.loads)
    assert found.select(query) == ids


WALKS = [([], True), ([], False)] + [
    ([("sort", sort), ("dir", way), *filters], False)
    for sort in ("id", "due_on", "title", "created_at", "updated_at", "alert_at", "complete_at")
    for way in DIRS
    for filters in ([], [("status", "complete,none"), ("user", "1,none")])]


@pytest.mark.slow
def test_walks_while_others_write(tmp_path_factory, database):
    lists = Lists(*shared(database, "lists", make_small),
                  tmp_path_factory.mktemp("walks"))
    with Writers(lists) as writers:
        for params, by_page in WALKS:
            check_walk(lists, writers, [*params, ("per_page", str(PER_PAGE))], by_page)
    lists.stop()
    assert writers.errors == []
    assert min(writers.counts) >= 10, "expected that all were writing"
