"""For the tests of lists: requests, links, and writes that no client can make."""
import re
from urllib.parse import quote

import backends
import migrations
from harness import TASKS
from list_model import fold as folded

SORTS = ["id", "due_on", "title", "created_at", "updated_at", "alert_at", "complete_at"]
STATUSES = ["none", "needs_action", "in_progress", "complete"]


def rewrite(server, statements):
    """Writes to the database what no client can write, such as the time of a create."""
    server.stop()
    with backends.opened(server.data) as database:
        for statement in statements + migrations.TALLY:
            database.execute(*([statement] if isinstance(statement, str) else statement))
    server.start()


def ask(server, query="", method="GET", **options):
    """Requests a list; the query is sent unchanged."""
    return server.call(method, TASKS + ("?" + query if query else ""), **options)


def listed(server, query=""):
    """The records of one page."""
    reply = ask(server, query)
    assert reply.status == 200, (query, reply)
    assert reply.header("Content-Type") == "application/json", reply
    assert isinstance(reply.json, list)
    return reply.json


def ids(server, query=""):
    return [record["id"] for record in listed(server, query)]


def count(server, query=""):
    reply = ask(server, "mode=count" + ("&" + query if query else ""))
    assert reply.status == 200, reply
    return reply.json


def links(reply):
    """The targets of the Link header by relation. Checks the form of the header strictly."""
    header = reply.header("Link")
    found = re.findall(r'<([^<>]*)>; rel="([a-z]+)"(?:, |$)', header)
    assert header == ", ".join(f'<{target}>; rel="{relation}"' for target, relation in found)
    relations = [relation for _, relation in found]
    assert len(relations) == len(set(relations)), header
    for target, _ in found:
        assert target == TASKS or target.startswith(TASKS + "?"), header
        # The characters that RFC 3986 allows in a query.
        assert re.fullmatch(r"(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})+", target, re.ASCII), target
    return {relation: target for target, relation in found}


def cursor_of(reply):
    """The value of `after` in the link to the next page."""
    return re.search(r"[?&]after=([^&]+)", links(reply)["next"])[1]


def walk(server, query=""):
    """All pages, by the links from each to the next, which must not lead back to an earlier page."""
    path, pages, before = TASKS + ("?" + query if query else ""), [], set()
    while path:
        assert path not in before, path
        before.add(path)
        reply = server.call("GET", path)
        assert reply.status == 200, (path, reply)
        pages.append(reply.json)
        path = links(reply).get("next")
    return pages


def encoded(text):
    return quote(text, safe="")


def in_order(records, sort="id", descending=False):
    """The records sorted as docket must: ties by id in the same direction, nulls last in both directions."""
    def key(record):
        value = folded(record["title"]) if sort == "title" else record[sort]
        return value, record["id"]
    some = [record for record in records if record[sort] is not None]
    none = [record for record in records if record[sort] is None]
    return (sorted(some, key=key, reverse=descending)
            + sorted(none, key=lambda record: record["id"], reverse=descending))
