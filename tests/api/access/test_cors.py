"""Pages of other origins: --cors-origins."""
import re

import pytest

import commands
from harness import JSON, ROOT, TASKS, basic, cases, problem, task
from wire import exchange, message

ORIGINS = ["https://app.example.com", "http://localhost:3000", "capacitor://localhost"]
OTHERS = ["https://app.example.com.evil.example", "http://app.example.com", "https://example.com",
          "https://app.example.com:8443", "https://app.example.co", "http://localhost", "null", "*",
          "", "https://app.example.com,http://localhost:3000", "https://app.example.com/"]
ALLOWED = {"Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key",
           "Prefer"}
# Headers that a page may always read (Fetch standard), headers for browsers and proxies, and
# docket's own.
READABLE = {"Cache-Control", "Content-Length", "Content-Type"}
NOT_FOR_PAGES = {"Connection", "Date", "Keep-Alive", "Strict-Transport-Security",
                 "WWW-Authenticate", "Vary", "Content-Security-Policy", "X-Content-Type-Options"}


@pytest.fixture(scope="module")
def server(share_server):
    """A server with several origins, with blanks between them."""
    return share_server(options=["--cors-origins", ", ".join(ORIGINS)])


def words(reply, name):
    value = reply.header(name)
    return set() if value is None else set(value.split(", "))


def cors_headers(reply):
    return {name for name, _ in reply.headers if name.lower().startswith("access-control-")}


def preflight(server, path, origin, method="POST", headers="authorization,content-type"):
    return server.call("OPTIONS", path, headers={
        "Origin": origin, "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers}, access=False)


# Every kind of answer: status, method, target, body, headers.
EVERY = cases([
    ("200", 200, "GET", TASKS, None, {}),
    ("200 of a patch", 200, "PATCH", "{id}", b'{"task":{"title":"x"}}', JSON),
    ("201", 201, "POST", TASKS,
     b'{"task":{"casefile_id":245,"calendar_id":1,"due_on":"2023-02-14","title":"t"}}', JSON),
    ("204", 204, "DELETE", "{id}", None, {}),
    ("204 of options", 204, "OPTIONS", TASKS, None, {}),
    ("304", 304, "GET", "{id}", None, {"If-None-Match": "*"}),
    ("400 of the guard", 400, "GET", TASKS + "/%zz", None, {}),
    ("400 of the head", 400, "GET", TASKS, None, {"Host": "a b"}),
    ("400 of a body", 400, "POST", TASKS, b"{", JSON),
    ("400 of a parameter", 400, "GET", TASKS + "?x=y", None, {}),
    ("401", 401, "GET", TASKS, None, {"Authorization": basic("admin/token", "wrong")}),
    ("404", 404, "GET", TASKS + "/999999", None, {}),
    ("404 of a path", 404, "GET", "/nowhere", None, {}),
    ("404 of options", 404, "OPTIONS", "/nowhere", None, {}),
    ("404 without a body", 404, "HEAD", "/nowhere", None, {}),
    ("405", 405, "PUT", TASKS, None, {}),
    ("412", 412, "PATCH", "{id}", b'{"task":{"title":"y"}}', {**JSON, "If-Match": '"x"'}),
    ("413", 413, "POST", TASKS, b" " * (1024 * 1024 + 1), JSON),
    ("415", 415, "POST", TASKS, b"x", {"Content-Type": "text/plain"}),
    ("422", 422, "POST", TASKS, b"{}", JSON),
])


def send(server, method, target, body, headers):
    if target == "{id}":
        target = f"{TASKS}/{server.create()['id']}"
    headers = {"Host": server.host, "Authorization": server.access, **headers}
    return exchange(server, message(method, target, headers=headers, body=body))


@pytest.mark.parametrize("status, method, target, body, headers", EVERY)
def test_every_answer(server, status, method, target, body, headers):
    """A page can read every answer, errors too, and caches keep the answers for different origins
    apart."""
    for origin in ORIGINS:
        reply = send(server, method, target, body, {**headers, "Origin": origin})
        assert reply.status == status, reply
        assert reply.header("Access-Control-Allow-Origin") == origin
        assert reply.header("Vary") == "Origin"
        assert cors_headers(reply) == {"Access-Control-Allow-Origin",
                                       "Access-Control-Expose-Headers"}
        exposed = words(reply, "Access-Control-Expose-Headers")
        assert {"ETag", "Link", "Location", "X-Request-Id", "Docket-Ignored",
                "Retry-After"} <= exposed
        assert {name for name, _ in reply.headers} <= (
            exposed | READABLE | NOT_FOR_PAGES | cors_headers(reply)), reply
    for origin in [None, *OTHERS]:
        origins = {} if origin is None else {"Origin": origin}
        reply = send(server, method, target, body, {**headers, **origins})
        assert reply.status == status, reply
        assert reply.header("Vary") == "Origin"
        assert cors_headers(reply) == set()


def test_what_is_exposed_is_all_that_is_sent(server):
    """Every header that the API adds is either readable for a page or not meant for it."""
    source = "".join(path.read_text() for room in ("pipeline", "api")
                     for path in (ROOT / "src" / room).glob("*.c"))
    added = set(re.findall(r'http_add_header\(\s*[^,]+,\s*"([^"]+)"', source))
    assert {"ETag", "Link", "Location"} <= added
    reply = server.call("GET", TASKS, headers={"Origin": ORIGINS[0]})
    exposed = words(reply, "Access-Control-Expose-Headers")
    added = {name for name in added if not name.startswith("Access-Control-")}
    assert added <= exposed | READABLE | NOT_FOR_PAGES
    assert exposed - {"X-Request-Id"} <= added


@pytest.mark.parametrize("path, methods", [
    (TASKS, {"GET", "HEAD", "POST", "OPTIONS"}),
    (TASKS + "/1", {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}),
    (TASKS + "/bulk", {"POST", "OPTIONS"}),
    ("/api/v1/me", {"GET", "HEAD", "OPTIONS"}),
    # On an unknown path the page may send every method, and so reads the 404.
    ("/nowhere", {"*"}),
])
def test_preflight(server, path, methods):
    for origin in ORIGINS:
        for method in ("POST", "PATCH", "BREW"):
            reply = preflight(server, path, origin, method)
            assert (reply.status, reply.body) == (204, b""), reply
            assert reply.header("Access-Control-Allow-Origin") == origin
            assert words(reply, "Access-Control-Allow-Methods") == methods
            assert words(reply, "Access-Control-Allow-Headers") == ALLOWED
            assert int(reply.header("Access-Control-Max-Age")) > 0
            assert reply.header("Vary") == "Origin"
            assert len(cors_headers(reply)) == 4, reply
    for origin in OTHERS:
        reply = preflight(server, path, origin)
        assert reply.status == (404 if path == "/nowhere" else 204), reply
        assert cors_headers(reply) == set() and reply.header("Vary") == "Origin"


def test_an_origin_is_compared_without_case(server):
    """Browsers send the origin in lower case; the setting may be written differently."""
    reply = preflight(server, TASKS, "HTTPS://App.Example.com")
    assert reply.header("Access-Control-Allow-Origin") == "HTTPS://App.Example.com"


def test_none_by_default(own_server):
    for reply in (preflight(own_server, TASKS, ORIGINS[0]),
                  own_server.call("GET", TASKS, headers={"Origin": ORIGINS[0]}),
                  own_server.call("GET", TASKS, headers={"Origin": "null"}, access=False)):
        assert cors_headers(reply) == set() and reply.header("Vary") is None
    problem(preflight(own_server, "/nowhere", ORIGINS[0]), 404)


def test_a_create_of_a_page(server):
    """All headers that the page needs of the answer are exposed."""
    reply = server.post(task(), headers={
        "Origin": ORIGINS[1], "Prefer": "handling=lenient", "Idempotency-Key": "a-page"})
    assert reply.status == 201
    assert {"ETag", "Location"} <= words(reply, "Access-Control-Expose-Headers")


EXAMPLE = "must be origins such as https://app.example.com,http://localhost:3000"


@pytest.mark.parametrize("text, message", cases([
    ("any", "*", EXAMPLE), ("null", "null", EXAMPLE),
    ("a slash", "https://app.example.com/", EXAMPLE), ("a path", "https://a.example/x", EXAMPLE),
    ("no scheme", "app.example.com", EXAMPLE), ("no host", "https://", EXAMPLE),
    ("a user", "https://u@a.example", EXAMPLE), ("port 0", "http://a.example:0", EXAMPLE),
    ("port 65536", "http://a.example:65536", EXAMPLE), ("no port", "http://a.example:", EXAMPLE),
    ("a wildcard", "https://*.example.com", EXAMPLE), ("blanks", "https://a https://b", EXAMPLE),
    ("beyond ASCII", "https://b\u00fccher.example", EXAMPLE),
    ("one empty", "https://a.example,,https://b.example", EXAMPLE),
    ("a comma behind", "https://a.example,", EXAMPLE), ("commas", ",", EXAMPLE),
    ("too long", "https://" + "a." * 124 + "b", EXAMPLE), ("empty", "", "is empty"),
    ("80", "https://a.example,http://a.example:80", "has the default port of its scheme"),
    ("443", "https://a.example:443", "has the default port of its scheme"),
]))
def test_what_is_none(tmp_path, text, message):
    said = commands.misuse("serve", "--data", tmp_path / "none", "--cors-origins", text)
    assert said.startswith(f"docket serve: --cors-origins {message}"), said
