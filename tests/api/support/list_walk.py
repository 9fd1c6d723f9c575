"""Requests lists from a server and compares every answer with the model."""
import random
import re

import backends
from harness import TASKS, strict_json
from list_data import Reader, serve
from list_model import Model, Query
from list_queries import draw, draw_pairs, draw_size, encode

PAGES = 9  # if there are more pages, only some are read


class Lists:
    """A running server, and for each account its model and a connection."""

    def __init__(self, data, accounts, bodies, place):
        self.data = backends.copy(data, place / "data")
        self.accounts = accounts
        self.models = [Model(of_account, strict_json) for of_account in bodies]
        self.server = serve(self.data, place / "stderr", accounts)
        self.readers = [Reader(self.server, account) for account in accounts]

    def stop(self):
        for reader in self.readers:
            reader.socket.close()
        self.server.stop()
        backends.remove(self.data)


def links(reply):
    """rel → target of a list's Link header."""
    header = reply.header("Link") or ""
    found = re.findall(r'<(/api/v1/tasks(?:\?[^>]*)?)>; ?rel="?(\w+)"?', header)
    assert len({rel for _, rel in found}) == header.count("<"), header
    return {rel: target for target, rel in found}


def check_page(reply, model, ids):
    """Asserts that a page has exactly these records, complete and in this order."""
    assert reply.status == 200, reply
    if reply.body == model.body(ids):
        return
    got = reply.json
    assert [record["id"] for record in got] == ids
    assert got == [model.records[task_id] for task_id in ids]


def check_next(reader, model, reply, pages):
    """Asserts that the next pages after `reply`, by cursor, are `pages`. Returns the last reply."""
    for page in pages:
        reply, = reader.get(links(reply)["next"])
        check_page(reply, model, page)
    return reply


def check_query(rng, reader, model, params):
    """Checks the pages of a query by number and by cursor, and its count."""
    query = Query(params)
    size = draw_size(rng, len(model.find(query)))
    if size is not None:
        params = [*params, ("per_page", str(size))]
        query = Query(params)
    target = f"{TASKS}?{encode(rng, params)}".rstrip("?")
    join = "&" if "?" in target else "?"
    pages = model.pages(query) or [[]]

    numbers = list(range(1, len(pages) + 1))
    if len(pages) > PAGES:
        numbers = sorted({1, 2, len(pages) - 1, len(pages), *rng.sample(numbers, 2)})
    first, counted, beyond, *replies = reader.get(
        target, f"{target}{join}mode=count", f"{target}{join}page={len(pages) + 1}",
        *(f"{target}{join}page={number}" for number in numbers))
    assert counted.status == 200, counted
    assert counted.json == model.count(query), target
    check_page(first, model, pages[0])
    check_page(beyond, model, [])
    for number, reply in zip(numbers, replies):
        check_page(reply, model, pages[number - 1])
        assert ("next" in links(reply)) == (number < len(pages)), links(reply)
        assert ("prev" in links(reply)) == (number > 1), links(reply)

    if len(pages) <= PAGES:
        last = check_next(reader, model, first, pages[1:])
        assert "next" not in links(last), links(last)
    else:
        for number, reply in zip(numbers, replies):
            check_next(reader, model, reply, pages[number:number + 2])
    back, = reader.get(links(replies[-1])["first"])
    check_page(back, model, pages[0])
    if len(pages) > 1:
        back, = reader.get(links(replies[-1])["prev"])
        check_page(back, model, pages[-2])


def check_drawn(rng, lists, index, params, origin):
    """Checks a query of an account; a failure names the origin of the query."""
    try:
        check_query(rng, lists.readers[index], lists.models[index], params)
    except Exception as error:
        raise AssertionError(
            f"{origin}, account {lists.accounts[index].name}: {params}") from error


def check_queries(lists, seed, turns):
    """Checks the queries of a seed, for the accounts in turn."""
    for turn in turns:
        rng = random.Random(f"{seed} {turn}")
        index = turn % len(lists.accounts)
        check_drawn(rng, lists, index, draw(rng, lists.models[index]),
                    f"seed {seed!r}, turn {turn}")


def check_pairs(lists, sort):
    for index, model in enumerate(lists.models):
        rng = random.Random(f"pairs {sort} {index}")
        for params in draw_pairs(rng, model, sort):
            check_drawn(rng, lists, index, params, "pairs")
