"""Pages of a list: by number and by cursor, in every order, with counts and links."""
import hashlib
import itertools
import pathlib
import re

import pytest

import backends
from harness import SANITIZED, TASKS, faults
from lists import SORTS, ask, count, cursor_of, ids, in_order, links, listed, rewrite, walk
from wire import Wire

pytestmark = backends.BOTH

MADE = 37
ORDERS = list(itertools.product(SORTS, ["asc", "desc"]))
FILTERS = ["", "status=complete", "user=2,none", "case=246", "title=t", "title=nothing",
           "title=task", "due_from=2023-01-03", "alert_from=2000-01-01", "subject=none&user=1",
           "complete_to=2030-01-01&title=ta"]


@pytest.fixture(scope="module")
def server(share_server):
    """A server whose tasks have few different values and many nulls, so that there are ties."""
    server = share_server()
    for i in range(MADE):
        fields = {"due_on": f"2023-01-0{i * 5 % 4 + 1}", "casefile_id": 245 + i % 2,
                  "title": ["Task one", "task ONE", "Another Task", "\u00c9tude", "a"][i % 5],
                  "alert_at": [None, "2023-01-01", "2022-01-01", None][i * 7 % 4],
                  "users_list": [[], [1], [2, 1], [3]][i * 3 % 4]}
        if i % 3 == 0:
            fields |= {"status": "complete", "complete_at": f"2023-02-0{i * 11 % 3 + 1}"}
        server.create(**fields)
    rewrite(server, ["UPDATE task SET created_at = 1600000000 + id * 7 % 5,"
                     " updated_at = 1700000000 + id * 3 % 4"])
    return server


@pytest.fixture(scope="module")
def records(server):
    found = listed(server, "per_page=500")
    assert [record["id"] for record in found] == list(range(1, MADE + 1))
    return found


def query_of(*parts):
    return "&".join(part for part in parts if part)


# The order

@pytest.mark.parametrize("sort, direction", ORDERS)
def test_order(server, records, sort, direction):
    """Ties are sorted by id in the same direction; tasks without the time come last in both
    directions."""
    wanted = in_order(records, sort, direction == "desc")
    assert listed(server, f"sort={sort}&dir={direction}") == wanted
    if sort in ("alert_at", "complete_at"):
        assert wanted[-1][sort] is None and wanted[0][sort] is not None


def test_the_order_where_none_is_asked_for(server, records):
    assert listed(server) == records
    assert listed(server, "dir=desc") == records[::-1]
    assert listed(server, "sort=due_on") == in_order(records, "due_on")


# Pages by number and by cursor

@pytest.mark.parametrize("sort, direction", ORDERS)
@pytest.mark.parametrize("size", [1, 3, 10, MADE, 500])
def test_pages_and_cursors_give_the_whole_list_once(server, records, sort, direction, size):
    query = f"sort={sort}&dir={direction}&per_page={size}"
    whole = in_order(records, sort, direction == "desc")
    pages = [whole[at:at + size] for at in range(0, MADE, size)]
    assert walk(server, query) == pages
    numbered = [listed(server, f"{query}&page={number}") for number in range(1, len(pages) + 2)]
    assert numbered == [*pages, []]


@pytest.mark.parametrize("chosen", FILTERS[1:])
def test_pages_of_filtered_lists(server, chosen):
    everything = listed(server, query_of(chosen, "per_page=500"))
    for sort, direction in ORDERS:
        whole = in_order(everything, sort, direction == "desc")
        query = query_of(chosen, f"sort={sort}&dir={direction}&per_page=4")
        assert sum(walk(server, query), []) == whole, query
        assert sum((listed(server, f"{query}&page={number}")
                    for number in range(1, len(whole) // 4 + 2)), []) == whole, query


@pytest.mark.parametrize("page", [2, 3, 1000, 2**31, 2**32 + 1, 2**63 - 1])
@pytest.mark.parametrize("sort", ["id", "title", "alert_at"])
@pytest.mark.parametrize("chosen", ["", "title=task", "user=1,none"])
def test_past_the_end(server, page, sort, chosen):
    reply = ask(server, query_of(f"page={page}&per_page=500&sort={sort}", chosen))
    assert (reply.status, reply.body) == (200, b"[]")
    # The page before may be empty as well: only the first page surely exists.
    assert list(links(reply)) == ["first"]


@pytest.mark.slow
def test_a_hundred_on_a_page_unless_told(make_server):
    server = make_server()
    made = [server.create()["id"] for _ in range(101)]
    assert ids(server) == made[:100]
    assert ids(server, "page=2") == ids(server, f"after={cursor_of(ask(server))}") == made[100:]
    assert count(server) == {"record_count": 101, "page_count": 2}
    assert ids(server, "per_page=500") == made


# Counts

@pytest.mark.parametrize("chosen", FILTERS)
@pytest.mark.parametrize("size", [None, 1, 7, MADE, 500])
def test_count(server, chosen, size):
    found = len(ids(server, query_of(chosen, "per_page=500")))
    asked = query_of(chosen, f"per_page={size}" if size else "")
    reply = ask(server, query_of(asked, "mode=count"))
    assert (reply.status, reply.header("Content-Type")) == (200, "application/json")
    assert list(reply.json) == ["record_count", "page_count"]
    assert reply.json == {"record_count": found, "page_count": -(-found // (size or 100))}
    # Neither the order nor the page matters for a count.
    assert count(server, query_of(asked, "sort=alert_at&dir=desc")) == reply.json
    assert count(server, query_of(asked, "page=3")) == reply.json


def test_nothing_at_all(make_server):
    server = make_server()
    for sort, direction in ORDERS:
        reply = ask(server, f"sort={sort}&dir={direction}")
        assert (reply.status, reply.body) == (200, b"[]")
        assert list(links(reply)) == ["first"]
    assert count(server) == {"record_count": 0, "page_count": 0}


# Links

@pytest.mark.parametrize("query, relations", [
    ("", ["first"]), ("per_page=37", ["first"]), ("per_page=36", ["first", "next"]),
    ("page=1&per_page=36", ["first", "next"]), ("page=2&per_page=36", ["first", "prev"]),
    ("page=2&per_page=10", ["first", "prev", "next"]), ("page=4&per_page=10", ["first", "prev"]),
    ("page=3&per_page=18", ["first", "prev"]), ("page=2&per_page=37", ["first"]),
    ("title=nothing&per_page=1", ["first"]), ("id=5&per_page=1", ["first"])])
def test_links(server, query, relations):
    """There is a link to the next page exactly if there is a next page."""
    reply = ask(server, query)
    assert list(links(reply)) == relations
    assert "page=" not in re.sub("per_page=", "", links(reply)["first"])


@pytest.mark.parametrize("query", ["per_page=5", "per_page=5&sort=alert_at&dir=desc&case=245"])
def test_links_lead_where_they_say(server, query):
    pages = [listed(server, f"{query}&page={number}") for number in (1, 2, 3)]
    second = links(ask(server, f"{query}&page=2"))
    for relation, page in (("first", pages[0]), ("prev", pages[0]), ("next", pages[2])):
        assert server.call("GET", second[relation]).json == page, relation
    third = links(server.call("GET", second["next"]))
    # After a cursor the only link back is to the first page.
    assert "prev" not in third
    assert server.call("GET", third["first"]).json == pages[0]


@pytest.mark.parametrize("sent, kept", [
    ("title=a%20t+%26", "title=a%20t%20%26"), ("title=%C3%89", "title=%C3%89"),
    ("title=\u00c9", "title=%C3%89"), ("title=a%2Bt", "title=a%2Bt"),
    ("title=%3E%3B%22%3C", "title=%3E%3B%22%3C"), ("title=%23%3D", "title=%23%3D"),
    ("title=100%25", "title=100%25"), ("title=a%5Cb'", "title=a%5Cb%27"),
    ("title=%0D%0Ax", "title=%0D%0Ax"),
    ("created_to=2030-01-01T00:00:00+01:00", "created_to=2030-01-01T00:00:00%2001:00"),
    ("created_to=2030-01-01T00:00:00%2B01:00", "created_to=2030-01-01T00:00:00%2B01:00")])
def test_links_keep_what_was_asked(server, sent, kept):
    """The parameters are in a form that needs no interpretation and cannot break out of the header."""
    assert links(ask(server, f"per_page=9&{sent}"))["first"] == f"{TASKS}?per_page=9&{kept}"


@pytest.mark.parametrize("query", [
    "user[]=1&user[0]=none&status=none,complete", "case=245&case=246,none", "title=t&expand=users",
    "From=2023-01-01&to=2023-01-03", "title=%C3%89", "title=TASK+o", "title=r%20",
    "created_to=2030-01-01T00:00:00+01:00&updated_from=1990-01-01", "id=" + ",".join(
        str(number) for number in range(1, 501))])
def test_walks_keep_every_filter(server, query):
    whole = listed(server, f"{query}&per_page=500&dir=desc")
    assert whole
    assert walk(server, f"dir=desc&{query}&per_page=1") == [[record] for record in whole]


def test_the_largest_filters_have_a_next_page_too(server):
    """With as many values as a filter allows, each as large as possible: a client that follows
    links must not take a page without `next` for the last."""
    numbers = [*range(1, MADE + 1), *(2**63 - 1 - number for number in range(500 - MADE))]
    query = "id=" + ",".join(map(str, numbers))
    assert sum(walk(server, f"{query}&per_page=10"), []) == listed(server, query)


# HEAD

@pytest.mark.parametrize("query", ["", "per_page=3", "per_page=3&page=2&sort=title", "mode=count",
                                   "title=nothing", "page=0", "nonsense=1"])
def test_head(server, query):
    got = ask(server, query)
    with Wire(server) as wire:
        head = wire.ask("HEAD", f"{TASKS}?{query}", "Connection: close")
        assert wire.at_end(), wire.buffer
    assert (head.status, head.header("Content-Length")) == (got.status, str(len(got.body)))
    for name in ("Content-Type", "Link"):
        assert head.header(name) == got.header(name)


def test_lists_have_no_etag(server):
    assert ask(server).header("ETag") is None


def test_a_slash_behind_the_path(server):
    query = "?per_page=2&sort=title"
    reply = server.call("GET", TASKS + "/" + query)
    assert (reply.status, reply.body) == (200, server.call("GET", TASKS + query).body)
    assert faults(server.call("GET", TASKS + "/?nonsense=1"), 400)


# The largest possible page

BODY = "\U0001f600" * 65535
# A sanitizer makes writing so slow that docket would give up a full page.
LARGEST = 100 if SANITIZED else 500


def status_of(server, name):
    """A size of the server's process, in bytes."""
    text = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)[1]) * 1024


def make_largest(server):
    """Fills the largest page; returns its first record."""
    first = server.create(body=BODY)
    columns = ("casefile_id, calendar_id, status, due_on, title, title_folded, created_at,"
               " updated_at")
    # The records differ in the last character.
    char = "char" if isinstance(server.data, pathlib.Path) else "chr"
    numbers = ("(WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM c WHERE n <"
               f" {LARGEST}) SELECT n FROM c) q")
    rewrite(server, [
        f"INSERT INTO task (account_id, id, change, body, {columns}) SELECT account_id, n,"
        f" 1000 + n, substr(body, 1, 65534) || {char}(65536 + n), {columns} FROM task, {numbers}"
        " WHERE id = 1",
        "INSERT INTO history (account_id, change, at, record, record_id, action, value) SELECT"
        " account_id, 1000 + n, at, record, n, action, replace(replace(value, '{\"id\":1,',"
        " '{\"id\":' || n || ','), '\U0001f600\"', %s(65536 + n) || '\"') FROM history,"
        " %s WHERE record = 'task' AND record_id = 1" % (char, numbers)])
    return first


CACHE = 32 << 20  # bytes, of a connection


@pytest.mark.slow
def test_the_largest_page(make_server):
    """The page arrives complete, and never was in memory as a whole."""
    server = make_server()
    first = make_largest(server)
    before = status_of(server, "VmHWM")
    reply = ask(server, f"per_page={LARGEST}")
    assert reply.status == 200
    # The same connection: docket answers this request when the page is done.
    assert count(server)["record_count"] == LARGEST
    peak = status_of(server, "VmHWM")
    assert LARGEST * 65535 * 4 < len(reply.body)
    # Sanitizers keep freed memory. On SQLite the page fills the caches of the connections that read it.
    assert SANITIZED or peak - before < len(reply.body) / 3 + 2 * CACHE
    records = reply.json
    assert [record["id"] for record in records] == list(range(1, LARGEST + 1))
    assert records[0] == first
    got = [hashlib.sha256(record["body"].encode()).digest() for record in records[1:]]
    front = hashlib.sha256(BODY[:-1].encode())
    for number, digest in enumerate(got, 2):
        whole = front.copy()
        whole.update(chr(65536 + number).encode())
        assert digest == whole.digest(), number
