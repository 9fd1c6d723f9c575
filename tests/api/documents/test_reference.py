"""The reference that a server has at /docs."""
import collections
import gzip
import html
import html.parser
import re
import shutil
import subprocess
import urllib.parse

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
    assert reply.header("Content-Security-Policy") == (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'")
    head = own_server.call("HEAD", "/docs", access=False)
    assert head.header("Content-Length") == str(len(reply.body)) and head.body == b""
    known = own_server.call("GET", "/docs", access=False,
                            headers={"If-None-Match": reply.header("ETag")})
    assert (known.status, known.body) == (304, b"")


def test_it_is_small(reply):
    assert len(gzip.compress(reply.body)) <= 200_000


@pytest.mark.parametrize("path, links", [
    ("/docs", ["docs/style.css", "docs/try.js", "api/v1/openapi.json"]),
    ("/docs/", ["style.css", "try.js", "../api/v1/openapi.json"])])
def test_its_links_lead_somewhere(own_server, path, links):
    page = Reader(own_server.call("GET", path, access=False).body.decode())
    assert len(page.ids) == len(set(page.ids))
    outside = [link for link in page.links if not link.startswith("#")]
    assert outside == links
    for link in links:
        target = urllib.parse.urljoin(path, link)
        assert own_server.call("GET", target, access=False).status == 200, target
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


# The lines of each language as one program: what comes first, what follows each line, how to run it.
PROGRAMS = {
    "curl": ["docket={url}\naccess='{username}/token:{token}'\n", "", ["sh", "-euc"]],
    "Python": ["", "\nprint(answer.status_code)", ["/usr/bin/python3", "-c"]],
    "Node": ["", "\nconsole.log(answer.status);", ["node", "--input-type=module", "-e"]],
    "PHP": ["", "\n$value = json_decode($answer, true);"
            " echo isset($value['code']) ? $value['status'] : 200, PHP_EOL;", ["php", "-r"]]}


def lines_of(reply, language):
    """What the lines of a language need, and the lines."""
    if language == "curl":
        lines = [text for text in Reader(reply.body.decode()).texts["pre"] if text.startswith("curl ")]
        return "", [line.replace("curl ", "curl -s -o /dev/null -w '%{http_code}\\n' ", 1) for line in lines]
    found = re.findall(f'<pre class="{language}">(.*?)</pre>', reply.body.decode(), re.DOTALL)
    setup, *lines = map(html.unescape, found)
    return setup, lines


def sent(server, prism, language):
    """The statuses of all lines, on the sample records; some of these do not exist, or others depend on
    them."""
    reply = server.call("GET", "/docs", access=False)
    setup, lines = lines_of(reply, language)
    assert len(lines) == len(list(described.operations()))
    first, after, interpreter = PROGRAMS[language]
    if not shutil.which(interpreter[0]):
        pytest.skip(f"NOT TESTED, lines of /docs: {interpreter[0]} is not installed")
    with prism.before(server) as url:
        setup = setup.replace("https://HOST", url).replace("USERNAME", "admin").replace("TOKEN", server.token)
        script = "\n".join([first.format(url=url, username="admin", token=server.token), setup,
                            *(line + after for line in lines)])
        done = subprocess.run([*interpreter, script], check=False, capture_output=True, text=True,
                              timeout=COMMAND_S, env=environment())
    assert (done.returncode, done.stderr) == (0, ""), done
    statuses = done.stdout.split()
    assert len(statuses) == len(lines)
    for line, status in zip(lines, statuses):
        # 422: a line before has taken the name or the external id.
        assert status in ("200", "201", "204", "404", "409", "422"), (line, status)
        if status == "404":
            assert re.search(r"/1\b", line), line
    return ["2xx" if status[0] == "2" else status for status in statuses]


@pytest.mark.slow
@pytest.mark.parametrize("language", PROGRAMS)
def test_its_lines_work(make_server, prism, language):
    """The answers are the same in each language."""
    statuses = sent(make_server(), prism, language)
    assert statuses == sent(make_server(), prism, "curl")
    assert statuses.count("2xx") > 20


@pytest.mark.slow
def test_its_walk_reads_all_pages(own_server, prism):
    """The program for Python, with small pages."""
    tasks = [own_server.create(users_list=[1], case_service_id=None) for _ in range(5)]
    reply = own_server.call("GET", "/docs", access=False)
    setup, _ = lines_of(reply, "Python")
    walk, = re.findall('<pre class="walk">(.*?)</pre>', reply.body.decode(), re.DOTALL)
    walk = html.unescape(walk).replace("complete_from=2026-10-01&complete_to=2026-10-31", "per_page=2")
    with prism.before(own_server) as url:
        setup = setup.replace("https://HOST", url).replace("USERNAME", "admin")
        setup = setup.replace("TOKEN", own_server.token)
        done = subprocess.run(["/usr/bin/python3", "-c", f"{setup}\n{walk}"], check=False,
                              capture_output=True, text=True, timeout=COMMAND_S, env=environment())
    assert (done.returncode, done.stderr) == (0, ""), done
    shown = {int(line.split()[0]): line for line in done.stdout.splitlines()}
    count = own_server.call("GET", "/api/v1/tasks?mode=count").json["record_count"]
    assert len(shown) == len(done.stdout.splitlines()) == count
    assert all("['admin']" in shown[one["id"]] for one in tasks), shown
