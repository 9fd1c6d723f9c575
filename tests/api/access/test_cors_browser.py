"""--cors-origins in a real browser: a page in Chromium calls docket from another origin."""
import http.server
import json
import pathlib
import queue
import threading

import pytest

import browser
from harness import TASKS

PAGE = """<!doctype html><title>A page</title><script>
const docket = {docket}, token = {token}, next = {next};
{script}</script>
"""

pytestmark = browser.needed


class Site(http.server.ThreadingHTTPServer):
    """Serves the page and receives its results."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.page, self.said = "", queue.Queue()


class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        next_page = f"http://localhost:{self.server.server_port}/second"
        page = self.server.page(None if self.path == "/second" else next_page)
        self.reply(200 if self.path in ("/", "/second") else 404, page.encode())

    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.said.put((self.headers["Origin"], said))
        self.reply(200)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def found(tmp_path_factory, share_server):
    """The results of a page of an allowed origin, those of a page of another origin, and the
    server."""
    place = tmp_path_factory.mktemp("browser")
    with Site() as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        listed, other = (f"http://{host}:{site.server_port}" for host in ("127.0.0.1", "localhost"))
        server = share_server(options=["--cors-origins", f"https://app.example.com,{listed}"])
        script = pathlib.Path(__file__).with_name("page.js").read_text("utf-8")
        site.page = lambda after: PAGE.format(
            docket=json.dumps(f"http://127.0.0.1:{server.port}"), token=json.dumps(server.token),
            next=json.dumps(after), script=script)
        process = browser.start(place / "profile", listed + "/")
        try:
            told = [site.said.get(timeout=browser.BROWSER_S) for _ in range(2)]
        finally:
            browser.end(process)
        site.shutdown()
        assert [origin for origin, _ in told] == [listed, other]
        return told[0][1], told[1][1], server


@pytest.mark.slow
def test_a_page_of_an_allowed_origin(found):
    said, _, _ = found
    statuses = {name: one.get("status") for name, one in said.items()}
    assert statuses == {
        "created": 201, "unchanged": 304, "changed": 200, "stale": 412, "page": 200, "wrong": 422,
        "refused": 401, "nowhere": 404, "guarded": 400, "method": 405, "header": None,
        "credentials": None, "deleted": 204}
    created = said["created"]["headers"]
    assert created["Location"] == f"{TASKS}/{said['created']['body']['id']}"
    assert created["ETag"].startswith('"1-')
    assert created["Docket-Ignored"] == "task.unknown"
    assert created["Preference-Applied"] == "handling=lenient"
    assert 'rel="first"' in said["page"]["headers"]["Link"]
    assert "GET" in said["method"]["headers"]["Allow"]
    assert all(one["headers"]["X-Request-Id"] for one in said.values() if "status" in one)


@pytest.mark.parametrize("name", ["stale", "wrong", "refused", "nowhere", "guarded", "method"])
def test_it_reads_what_is_wrong(found, name):
    answer = found[0][name]
    assert answer["body"]["status"] == answer["status"] and answer["body"]["detail"]


def test_what_the_browser_holds_back(found):
    """The browser blocks a header that is not allowed, and a request with its own credentials."""
    assert found[0]["header"]["blocked"].startswith("TypeError")
    assert found[0]["credentials"]["blocked"].startswith("TypeError")


def test_a_page_of_another_origin(found):
    """The page can read nothing, and the browser never sends its writes."""
    _, said, server = found
    assert all(one["blocked"].startswith("TypeError") for one in said.values()), said
    assert server.call("GET", TASKS + "?mode=count").json["record_count"] == 0
