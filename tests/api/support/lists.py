"""What the tests of lists share: asking for one, its links, and servers with tasks of their own."""
import contextlib
import re
from urllib.parse import quote

import backends
import harness
from harness import TASKS
from list_model import fold as folded

SORTS = ["id", "due_on", "title", "created_at", "updated_at", "alert_at", "complete_at"]
STATUSES = ["none", "needs_action", "in_progress", "complete"]


@contextlib.contextmanager
def served(tmp_path_factory, base, sql=()):
    """A server of its own, with the base records; `sql` is run on its database before."""
    folder = tmp_path_factory.mktemp("lists")
    place = backends.copy(base[0], folder / "data")
    write(place, sql)
    server = harness.Server(place, base[1], folder / "stderr")
    yield server
    if server.running():
        server.stop()
    server.check_stderr()
    backends.remove(place)


def write(place, statements):
    """Writes what no client can, such as the time of a creation. Nothing may serve it."""
    if not statements:
        return
    with backends.opened(place) as database:
        for statement in statements:
            database.execute(*([statement] if isinstance(statement, str) else statement))


def rewrite(server, statements):
    server.stop()
    write(server.data, statements)
    server.start()


def ask(server, query="", method="GET", **options):
    """A list by its query, which goes out as it stands."""
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
    """The targets of the Link header by relation; strict about its form."""
    header = reply.header("Link")
    found = re.findall(r'<([^<>]*)>; rel="([a-z]+)"(?:, |$)', header)
    assert header == ", ".join(f'<{target}>; rel="{relation}"' for target, relation in found)
    relations = [relation for _, relation in found]
    assert len(relations) == len(set(relations)), header
    for target, _ in found:
        assert target == TASKS or target.startswith(TASKS + "?"), header
        # RFC 3986: what may stand in a query.
        assert re.fullmatch(r"(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})+", target, re.ASCII), target
    return {relation: target for target, relation in found}


def cursor_of(reply):
    """The value of `after` in the link to the next page."""
    return re.search(r"[?&]after=([^&]+)", links(reply)["next"])[1]


def walk(server, query=""):
    """All pages, by the links from one to the next, which must not lead back."""
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
    """Ties by id in the same direction; those without a value last in both."""
    def key(record):
        value = folded(record["title"]) if sort == "title" else record[sort]
        return value, record["id"]
    some = [record for record in records if record[sort] is not None]
    none = [record for record in records if record[sort] is None]
    return (sorted(some, key=key, reverse=descending)
            + sorted(none, key=lambda record: record["id"], reverse=descending))
