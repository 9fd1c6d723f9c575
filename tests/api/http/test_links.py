"""The beginning of Link and Location: nothing, the proxy's prefix, or the base URL."""
import json
import re
import urllib.parse

import pytest

import commands
from harness import TASKS, basic, cases, task
from records import EACH, change, post, send
from wire import JSON_LINE, ask_once

LONG = "/" + "p" * 254
PREFIXES = cases([
    ("one", "/tracker", "/tracker"), ("two", "/a/b", "/a/b"), ("a slash", "/tracker/", "/tracker"),
    ("the root", "/", ""), ("characters", "/-._~!$&'()*+;=:@", "/-._~!$&'()*+;=:@"),
    ("encoded", "/m%C3%BCller", "/m%C3%BCller"), ("255", LONG, LONG), ("empty", "", ""),
])
REFUSED = cases([
    ("256", LONG + "p"), ("no slash", "tracker"), ("a URL", "https://evil.example"),
    ("another host", "//evil.example"), ("two slashes", "/a//b"), ("at the end", "/a//"),
    ("up", "/a/../b"), ("dots", "/a.."), ("a dot", "/a/./b"), ("a blank", "/a b"),
    ("a tab", "/a\tb"), ("a quote", '/a"'), ("the end of a link", '/a>; rel="next", </b'),
    ("a query", "/a?b"), ("a fragment", "/a#b"), ("a backslash", "/a\\b"), ("a comma", "/a,b"),
    ("half encoded", "/a%2"), ("not encoded", "/a%"), ("encoded dots", "/%2e%2E"),
    ("an encoded slash", "/a%2fb"), ("beyond ASCII", "/m\u00fcller".encode().decode("latin-1")),
])


@pytest.fixture(scope="module")
def proxied(share_server):
    return share_server(options=["--behind-proxy"])


@pytest.fixture(scope="module")
def direct(own_server):
    return own_server


@pytest.fixture(scope="module")
def absolute(share_server):
    return share_server(options=["--behind-proxy", "--absolute-links", "--base-url",
                                 "https://www.example.com:8443/tracker/"])


def links(reply):
    """The targets of Link by their relation."""
    header = reply.header("Link")
    assert header is not None, reply
    found = re.findall(r'<([^<>]*)>; rel="(\w+)"', header)
    assert ", ".join(f'<{target}>; rel="{name}"' for target, name in found) == header
    return {name: target for target, name in found}


def all_links(server, kind, *lines):
    """Every link in docket's answers about a kind of record; it makes two such records."""
    made = [post(server, kind, external_id=None) for _ in range(2)]
    headers = dict(line.split(": ", 1) for line in lines)
    created = send(server, "POST", kind.path, {kind.wrapper: {**made_of(kind, made[0].json)}},
                   headers={**headers, "Idempotency-Key": f"key-{made[0].json['id']}"})
    assert created.status == 201, created
    again = send(server, "POST", kind.path, {kind.wrapper: {**made_of(kind, made[0].json)}},
                 headers={**headers, "Idempotency-Key": f"key-{made[0].json['id']}"})
    assert again.status == 201 and again.json == created.json
    number = created.json["id"]
    change(server, kind, number, external_id=f"changed-{number}")
    page = send(server, "GET", f"{kind.path}?per_page=1&page=2", headers=headers)
    history = send(server, "GET", f"{kind.path}/{number}/history?per_page=1", headers=headers)
    found = links(page)
    assert set(found) == {"first", "prev", "next"}
    return [created.header("Location"), again.header("Location"), *found.values(),
            links(history)["next"]]


def made_of(kind, record):
    """The fields for a second such record."""
    fields = {name: record[name] for name in kind.least}
    for name in ("case_number", "username"):
        if name in fields:
            fields[name] += "-again"
    return fields


def check(found, base, path):
    for link in found:
        assert link.startswith(base + path), link
        assert not link[len(base):].startswith("//")


@EACH
def test_paths(direct, proxied, kind):
    check(all_links(direct, kind), "", kind.path)
    check(all_links(proxied, kind), "", kind.path)


@EACH
def test_prefix(direct, proxied, kind):
    check(all_links(proxied, kind, "X-Forwarded-Prefix: /tracker"), "/tracker", kind.path)
    # Without --behind-proxy docket ignores the header.
    check(all_links(direct, kind, "X-Forwarded-Prefix: /tracker"), "", kind.path)


@pytest.mark.parametrize("value, prefix", PREFIXES)
def test_a_prefix_that_is_taken(proxied, value, prefix):
    before = proxied.log_end()
    reply = ask_once(proxied, "GET", TASKS + "?per_page=1", f"X-Forwarded-Prefix: {value}")
    assert links(reply)["first"] == f"{prefix}{TASKS}?per_page=1"
    (line,) = proxied.lines(before, 1)
    assert "ignored" not in line


@pytest.mark.parametrize("value", REFUSED)
def test_a_prefix_that_is_ignored(proxied, value):
    before = proxied.log_end()
    reply = ask_once(proxied, "GET", TASKS + "?per_page=1", f"X-Forwarded-Prefix: {value}")
    assert links(reply)["first"] == TASKS + "?per_page=1"
    # The request's own line has it, so nobody can fill the log with it.
    (line,) = proxied.lines(before, 1)
    assert line["ignored"] == "X-Forwarded-Prefix"


def test_two_prefixes_are_none(proxied):
    reply = ask_once(proxied, "GET", TASKS + "?per_page=1", "X-Forwarded-Prefix: /a",
                "X-Forwarded-Prefix: /b")
    assert links(reply)["first"] == TASKS + "?per_page=1"


@EACH
def test_absolute(absolute, kind):
    url = "https://www.example.com:8443/tracker"
    check(all_links(absolute, kind), url, kind.path)
    # The base URL is complete, so docket ignores the prefix.
    check(all_links(absolute, kind, "X-Forwarded-Prefix: /other"), url, kind.path)


def test_a_base_url_alone_changes_nothing(make_server):
    server = make_server(options=["--base-url", "https://www.example.com/tracker"])
    assert server.post(task()).header("Location").startswith(TASKS)


@pytest.mark.parametrize("url, shown", [
    ("https://example.com/", "https://{}.example.com"),
    ("http://example.test:8080/a/b", "http://{}.example.test:8080/a/b")])
def test_absolute_of_an_account(two, make_server, base_of_two, url, shown):
    server = make_server(two, "none", options=["--base-domain", "example.test", "--base-url", url,
                                               "--absolute-links"])
    for account, token in base_of_two[1].items():
        for host in (f"{account}.example.test", f"{account.upper()}.Example.TEST:80"):
            reply = server.call("GET", TASKS + "?per_page=1", headers={"Host": host},
                                access=basic("admin/token", token))
            assert reply.status == 200, reply
            base = shown.format(account)
            assert links(reply)["first"] == f"{base}{TASKS}?per_page=1"
            assert links(reply)["next"].startswith(f"{base}{TASKS}?per_page=1&after=")


def test_links_can_be_followed(absolute, proxied):
    """docket accepts the part of a link after its base."""
    for _ in range(3):
        absolute.create()
        proxied.create()
    for server, prefix in ((absolute, "/tracker"), (proxied, "/tracker")):
        seen, path = [], TASKS + "?per_page=1"
        while path:
            reply = server.call("GET", path, headers={"X-Forwarded-Prefix": "/tracker"})
            seen += [record["id"] for record in reply.json]
            after = links(reply).get("next")
            if after is None:
                break
            parts = urllib.parse.urlsplit(after)
            assert parts.path.startswith(prefix + TASKS)
            path = parts.path[len(prefix):] + "?" + parts.query
        assert seen == sorted(set(seen)) and len(seen) >= 3


def test_the_largest_head_of_an_answer(make_server):
    """For a request of any size, either docket stores nothing, or the answer fits."""
    origin = "https://" + ".".join(["a" * 59] * 4) + ":65535"
    server = make_server(options=["--behind-proxy", "--cors-origins", origin])
    unknown = {f"unknown_{number}": 1 for number in range(100)}
    body = json.dumps({"task": {**task()["task"], **unknown}}).encode()
    stored = []
    for size in range(16000, 26000, 97):
        reply = ask_once(server, "POST", TASKS, JSON_LINE, f"Origin: {origin}",
                         f"X-Forwarded-Prefix: {LONG}", f"X-Request-Id: {'i' * 128}",
                         "Prefer: handling=lenient", f"X-Pad: {'x' * size}", body=body)
        assert reply is not None, f"no answer beside {size} bytes"
        assert reply.status in (201, 431), reply
        if reply.status == 201:
            stored.append(reply.json["id"])
            assert reply.header("Location") == f"{LONG}{TASKS}/{stored[-1]}"
            assert reply.header("Access-Control-Allow-Origin") == origin
            assert len(reply.header("Docket-Ignored")) > 900
    assert len(stored) > 50 and reply.status == 431
    assert server.call("GET", TASKS + "?mode=count").json["record_count"] == len(stored)


WHOLE = "must be a URL such as https://docket.example.com or https://www.example.com/tracker"


@pytest.mark.parametrize("options, message", cases([
    ("no URL", ["--base-url", "www.example.com"], f"--base-url {WHOLE}"),
    ("another scheme", ["--base-url", "ftp://a.example"], f"--base-url {WHOLE}"),
    ("a user", ["--base-url", "https://u:p@a.example"], f"--base-url {WHOLE}"),
    ("a query", ["--base-url", "https://a.example/?x"], f"--base-url {WHOLE}"),
    ("a fragment", ["--base-url", "https://a.example/#x"], f"--base-url {WHOLE}"),
    ("two slashes", ["--base-url", "https://a.example//"], f"--base-url {WHOLE}"),
    ("up", ["--base-url", "https://a.example/../x"], f"--base-url {WHOLE}"),
    ("a blank", ["--base-url", "https://a.example/a b"], f"--base-url {WHOLE}"),
    ("a line", ["--base-url", "https://a.example/\r\nX: y"], f"--base-url {WHOLE}"),
    ("too long", ["--base-url", "https://a.example" + LONG], f"--base-url {WHOLE}"),
    ("none", ["--absolute-links"], "--absolute-links needs --base-url as well"),
    ("an address", ["--absolute-links", "--base-domain", "example.test", "--base-url",
                    "http://127.0.0.1:8080"], "--base-url must have a host name"),
    ("an IPv6 address", ["--absolute-links", "--base-domain", "example.test", "--base-url",
                         "http://[::1]:8080"], "--base-url must have a host name"),
]))
def test_what_is_none(tmp_path, options, message):
    said = commands.misuse("serve", "--data", tmp_path / "none", *options)
    assert said.startswith(f"docket serve: {message}"), said
