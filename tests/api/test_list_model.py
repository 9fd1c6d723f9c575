"""Lists against a model of them: random queries over accounts whose ids are the same and whose
tasks are not, by page, by cursor and counted; and walks while others write."""
import collections
import json
import random
import re
import shutil

import pytest

from harness import TASKS, strict_json
from list_data import Reader, make_small, serve, shared
from list_model import Model, Query
from list_queries import draw, draw_size, encode, every_feature, features

SEEDS = range(20)
QUERIES = 100  # of each seed
AT_LEAST = 15  # of the queries that find something make use of each feature


class Lists:
    """A running server, and for each account its model and a connection."""

    def __init__(self, folder, accounts, bodies, place):
        shutil.copytree(folder, place / "data")
        self.accounts = accounts
        self.models = [Model(of_account, strict_json) for of_account in bodies]
        self.server = serve(place / "data", place / "stderr", accounts)
        self.readers = [Reader(self.server, account) for account in accounts]

    def stop(self):
        for reader in self.readers:
            reader.socket.close()
        self.server.stop()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    lists = Lists(*shared(tmp_path_factory, "lists", make_small),
                  tmp_path_factory.mktemp("lists"))
    yield lists
    lists.stop()


def links(reply):
    """rel → target of a list's Link header."""
    header = reply.header("Link") or ""
    found = re.findall(r'<(/api/v1/tasks(?:\?[^>]*)?)>; ?rel="?(\w+)"?', header)
    assert len({rel for _, rel in found}) == header.count("<"), header
    return {rel: target for target, rel in found}


def check_page(reply, model, ids):
    """A page is these records, whole and in this order."""
    assert reply.status == 200, reply
    if reply.body == model.body(ids):
        return
    got = reply.json
    assert [record["id"] for record in got] == ids
    assert got == [model.records[task_id] for task_id in ids]


def check_query(rng, reader, model, params):
    """The records by page, by cursor and counted."""
    query = Query(params)
    size = draw_size(rng, len(model.find(query)))
    if size is not None:
        params = [*params, ("per_page", str(size))]
        query = Query(params)
    target = f"{TASKS}?{encode(rng, params)}".rstrip("?")
    join = "&" if "?" in target else "?"
    pages = model.pages(query)

    numbers = range(1, len(pages) + 2)
    counted, *replies = reader.get(
        f"{target}{join}mode=count",
        *(target if number == 1 and rng.random() < 0.5 else f"{target}{join}page={number}"
          for number in numbers))
    assert counted.status == 200, counted
    assert counted.json == model.count(query), target
    for page, reply in zip([*pages, []], replies):
        check_page(reply, model, page)

    reply = replies[0]
    for page in pages[1:]:
        reply, = reader.get(links(reply)["next"])
        check_page(reply, model, page)
    assert "next" not in links(reply), reply.header("Link")


def check_queries(lists, seed, count):
    for turn in range(count):
        rng = random.Random(f"{seed} {turn}")
        index = turn % len(lists.accounts)
        params = draw(rng, lists.models[index])
        try:
            check_query(rng, lists.readers[index], lists.models[index], params)
        except Exception as error:
            raise AssertionError(f"seed {seed!r}, turn {turn}, account "
                                 f"{lists.accounts[index].name}: {params}") from error


def covered(lists, seeds, count):
    """How many queries that find something make use of each feature."""
    counter = collections.Counter()
    for seed in seeds:
        for turn in range(count):
            model = lists.models[turn % len(lists.accounts)]
            params = draw(random.Random(f"{seed} {turn}"), model)
            if model.find(Query(params)):
                counter.update(features(params))
    return counter


@pytest.mark.parametrize("seed", SEEDS)
def test_queries(small, seed):
    check_queries(small, seed, QUERIES)


def test_the_queries_cover_everything(small):
    counter = covered(small, SEEDS, QUERIES)
    rare = {feature: counter[feature] for feature in every_feature()
            if counter[feature] < AT_LEAST}
    assert rare == {}, json.dumps(counter, indent=1, sort_keys=True)
