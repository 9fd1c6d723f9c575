"""The reference that a server has at /docs."""
import collections
import gzip
import html.parser
import re
import subprocess

import pytest

import described
from harness import COMMAND_S, environment

EMPTY = {"meta", "link"}


class Reader(html.parser.HTMLParser):
    """Reads a page, and fails if its elements are not nested well."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.texts = [], [], [], collections.defaultdict(list)
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        assert not any(name.startswith("on") or name == "style" for name in named), (tag, named)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named[name] for name in ("href", "src") if name in named]
        if tag not in EMPTY:
            self.open.append(tag)
            self.texts[tag].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in set(self.open):
            self.texts[tag][-1] += data


@pytest.fixture(scope="module")
def reply(own_server):
    return own_server.call("GET", "/docs", access=False)


@pytest.fixture(scope="module")
def page(reply):
    return Reader(reply.body.decode())


def test_everybody_may_read_it(own_server, reply):
    assert reply.status == 200
    assert reply.header("Content-Type") == "text/html; charset=utf-8"
    assert reply.header("Content-Security-Policy").startswith("default-src 'none'; style-src 'self';")
    head = own_server.call("HEAD", "/docs", access=False)
    assert head.header("Content-Length") == str(len(reply.body)) and head.body == b""
    known = own_server.call("GET", "/docs", access=False,
                            headers={"If-None-Match": reply.header("ETag")})
    assert (known.status, known.body) == (304, b"")


def test_it_is_small(reply):
    assert len(gzip.compress(reply.body)) <= 200_000


@pytest.mark.parametrize("path, style, document", [
    ("/docs", "docs/style.css", "api/v1/openapi.json"),
    ("/docs/", "style.css", "../api/v1/openapi.json")])
def test_its_links_lead_somewhere(own_server, path, style, document):
    page = Reader(own_server.call("GET", path, access=False).body.decode())
    assert len(page.ids) == len(set(page.ids))
    outside = [link for link in page.links if not link.startswith("#")]
    assert outside == [style, document]
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_it_has_every_operation_and_every_name(page):
    for method, path, operation in described.operations():
        assert operation["operationId"] in page.ids
        assert f"{method.upper()} {path}" in page.texts["code"]
        for parameter in map(described.found, operation["parameters"]):
            assert parameter["name"] in page.texts["code"], parameter
    schemas = described.document()["components"]["schemas"]
    for name, schema in schemas.items():
        for field in schema.get("properties", {}):
            assert field in page.texts["code"], (name, field)
    for code in schemas["Fault"]["properties"]["code"]["enum"]:
        assert code in page.texts["code"]
    rows = " ".join(page.texts["td"])
    for code in schemas["Problem"]["properties"]["code"]["enum"]:
        assert f"{code} (" in rows


def test_its_commands_work(own_server, page):
    """On the sample records; some of these do not exist, or others depend on them."""
    commands = [text for text in page.texts["pre"] if text.startswith("curl ")]
    assert len(commands) == len(list(described.operations()))
    for command in commands:
        script = (f"docket=http://{own_server.host}:{own_server.port}\n"
                  f"access='admin/token:{own_server.token}'\n"
                  + command.replace("curl ", "curl -s -o /dev/null -w '%{http_code}' ", 1))
        done = subprocess.run(["sh", "-euc", script], check=True, capture_output=True, text=True,
                              timeout=COMMAND_S, env=environment())
        assert done.stdout in ("200", "201", "204", "404", "409", "422"), (command, done.stdout)
        if "404" in done.stdout:
            assert re.search(r"/1(/|$)", command), command
