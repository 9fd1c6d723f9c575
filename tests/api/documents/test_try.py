"""Requests that a reader of /docs sends from the page, in Chromium."""
import json

import pytest

import browser
import nginx
from harness import MINIMAL, TASKS

pytestmark = [browser.needed, pytest.mark.slow]

# Sends the request and gives the answer that the page shows. `target` and `body` may be null.
SEND = """(async () => {{
  const [operation, target, body] = {arguments};
  const panel = document.getElementById(operation).parentNode.querySelector(`#${{operation}} ~ details.try`);
  panel.querySelector("summary").click();
  if (target !== null) panel.querySelector("input").value = target;
  if (body !== null) panel.querySelector("textarea").value = body;
  const button = panel.querySelector("button");
  const ended = new Promise((resolve) => new MutationObserver(() => button.getAttribute("aria-disabled") === "true" || resolve())
    .observe(button, {{attributes: true}}));
  button.click();
  await ended;
  return panel.querySelector("pre").textContent;
}})()"""


class Page:
    def __init__(self, window, server):
        self.window, self.server = window, server

    def open(self, url, token=None):
        self.window.load(url)
        self.window.run(f"document.querySelector('[name=username]').value = 'admin';"
                        f"document.querySelector('[name=token]').value = "
                        f"{json.dumps(token or self.server.token)}")

    def send(self, operation, target=None, body=None):
        """The status line, the headers and the body of the answer."""
        shown = self.window.run(SEND.format(arguments=json.dumps([operation, target, body])))
        head, _, text = shown.partition("\n\n")
        status, *headers = head.split("\n")
        return status, dict(line.split(": ", 1) for line in headers), text


@pytest.fixture(scope="module")
def page(tmp_path_factory, share_server):
    with browser.Browser(tmp_path_factory.mktemp("browser")) as window:
        yield Page(window, share_server())


@pytest.fixture(params=["/docs", "/docs/"])
def opened(page, request):
    page.open(f"http://127.0.0.1:{page.server.port}{request.param}")
    return page


def count(page):
    return page.server.call("GET", TASKS + "?mode=count").json["record_count"]


def test_a_request_shows_its_answer(opened):
    task = opened.server.create()
    status, headers, text = opened.send("getTask", f"{TASKS}/{task['id']}")
    assert status == "200 OK" and headers["content-type"] == "application/json"
    assert headers["etag"] and json.loads(text) == task
    assert text.startswith('{\n  "id"')


def test_what_a_reader_tries_first_changes_nothing(opened):
    """Only a target without dry_run does."""
    before = count(opened)
    status, _, text = opened.send("createTask")
    assert status == "200 OK" and json.loads(text)["id"] is None
    assert count(opened) == before
    status, headers, text = opened.send("createTask", TASKS, json.dumps({"task": MINIMAL}))
    assert status == "201 Created" and headers["location"] == f"{TASKS}/{json.loads(text)['id']}"
    assert count(opened) == before + 1


def test_a_body_can_be_changed(opened):
    status, _, text = opened.send("createTask", None, '{"task": {"title": 5}}')
    assert status.startswith("422") and json.loads(text)["code"] == "invalid_fields"
    status, _, text = opened.send("createTask", None, "{")
    assert status.startswith("400") and json.loads(text)["status"] == 400


def test_a_wrong_token_is_told(page):
    page.open(f"http://127.0.0.1:{page.server.port}/docs", token="not-the-token")
    status, _, text = page.send("getMe")
    assert status.startswith("401") and "token" in json.loads(text)["detail"]


def test_requests_go_to_the_own_server_alone(opened):
    port = opened.server.port
    status, _, _ = opened.send("getMe", f"//localhost:{port}/healthz")
    assert status.startswith("404")
    assert opened.send("getMe", f"http://localhost:{port}/healthz")[0] == (
        "The request has to begin with a slash.")
    said = opened.window.run(f"fetch('http://localhost:{port}/healthz', {{mode: 'no-cors'}}).catch((error) => error.name)")
    assert said == "TypeError"


def test_the_page_keeps_nothing(opened):
    """A loaded page has no user name and no token."""
    opened.send("getMe")
    assert opened.window.run("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    opened.window.load(opened.window.run("location.href"))
    assert opened.window.run("document.querySelector('[name=username]').value +"
                             " document.querySelector('[name=token]').value") == ""


@nginx.needed
def test_behind_a_prefix(page, tmp_path):
    proxy = nginx.Nginx(tmp_path / "nginx", f"""server {{
	listen 127.0.0.1:{{port}};
	location /tracker/ {{
		proxy_pass http://127.0.0.1:{page.server.port}/;
	}}
}}""")
    try:
        page.open(f"http://127.0.0.1:{proxy.port}/tracker/docs")
        status, _, text = page.send("getMe")
        assert status == "200 OK" and json.loads(text)["staff"]["username"] == "admin"
    finally:
        proxy.stop()
