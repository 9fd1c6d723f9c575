"""The effect of a real nginx on requests and answers."""
import gzip
import http.client
import json
import re

import pytest
import requests

from harness import problem, strict_json, task
from nginx import PORTS, Example, Nginx, needed
from ports import free_port
from wire import Reply

pytestmark = needed

COMPRESSES = """
server {{
	listen 127.0.0.1:{{port}};
	gzip on;
	gzip_types application/json;
	gzip_proxied any;
	location / {{ proxy_pass http://{docket}; }}
}}
"""


class Behind:
    """A server behind nginx."""

    def __init__(self, server, nginx):
        self.server, self.url = server, f"http://{nginx.host}:{nginx.port}"
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method, path, value=None, **headers):
        headers = {"Authorization": self.server.access, "Content-Type": "application/json",
                   **{name.replace("_", "-"): text for name, text in headers.items()}}
        answer = self.session.request(
            method, self.url + path, data=json.dumps(value) if value else None, headers=headers,
            stream=True, allow_redirects=False)
        return Reply(answer.status_code, answer.reason, answer.raw.headers.items(),
                     answer.raw.read(decode_content=False))


@pytest.fixture
def behind(tmp_path, make_server):
    """Puts nginx with the file of a site in front of a new server."""
    made = []

    def make(site, *options):
        server = make_server(options=options)
        docket = f"{server.host}:{server.port}"
        made.append(Nginx(tmp_path / f"nginx-{len(made)}", site.format(docket=docket)))
        return Behind(server, made[-1])

    yield make
    for nginx in made:
        nginx.stop()


def test_conditions_behind_a_proxy_that_compresses(behind):
    """nginx makes the tag of a compressed answer weak, and a client sends the weak tag back."""
    proxy = behind(COMPRESSES)
    made = proxy.call("POST", "/api/v1/tasks", task(body="a long text " * 50))
    path = made.header("Location")
    read = proxy.call("GET", path, Accept_Encoding="gzip")
    assert strict_json(gzip.decompress(read.body))["title"] == "A task"
    tag = read.header("ETag")
    assert tag == "W/" + made.header("ETag")

    for method in ("GET", "HEAD"):
        assert proxy.call(method, path, Accept_Encoding="gzip", If_None_Match=tag).status == 304
    changed = proxy.call("PATCH", path, {"task": {"title": "Changed"}}, If_Match=tag)
    assert changed.status == 200
    problem(proxy.call("PATCH", path, {"task": {"title": "Late"}}, If_Match=tag), 412)
    problem(proxy.call("DELETE", path, If_Match=tag), 412)
    now = proxy.call("GET", path, Accept_Encoding="gzip").header("ETag")
    assert proxy.call("DELETE", path, If_Match=f'"x", {now}').status == 204
    for reply in (made, read, changed):
        assert reply.header("Cache-Control") == "no-transform"


def test_under_a_path(tmp_path, make_server):
    """The example, with docket under a path as a comment in it describes."""
    server = make_server(options=["--behind-proxy"])
    nginx = Example(tmp_path / "nginx", [server.port] * 3, prefixed=True)
    try:
        client = http.client.HTTPSConnection(nginx.host, nginx.port, context=nginx.tls)

        def call(method, path, value=None, **headers):
            client.request(method, path, json.dumps(value) if value else None, {
                "Authorization": server.access, "Content-Type": "application/json", **headers})
            answer = client.getresponse()
            return Reply(answer.status, answer.reason, answer.getheaders(), answer.read())

        made = call("POST", "/tracker/api/v1/tasks", task(), **{"X-Forwarded-Prefix": "/evil"})
        assert made.header("Location") == f"/tracker/api/v1/tasks/{made.json['id']}"
        assert call("GET", made.header("Location")).json == made.json
        call("POST", "/tracker/api/v1/tasks", task())
        page = call("GET", "/tracker/api/v1/tasks?per_page=1")
        (link,) = re.findall('<([^>]*)>; rel="next"', page.header("Link"))
        assert link.startswith("/tracker/api/v1/tasks?per_page=1&after=")
        assert len(call("GET", link).json) == 1
        assert call("GET", "/api/v1/tasks").status == 404
    finally:
        nginx.stop()


def test_no_client_has_a_prefix_of_its_own(tmp_path, make_server):
    server = make_server(options=["--behind-proxy"])
    nginx = Example(tmp_path / "nginx", [server.port] * 3)
    try:
        client = http.client.HTTPSConnection(nginx.host, nginx.port, context=nginx.tls)
        client.request("GET", "/api/v1/tasks", headers={
            "Authorization": server.access, "X-Forwarded-Prefix": "/evil"})
        assert client.getresponse().getheader("Link").startswith("</api/v1/tasks>")
    finally:
        nginx.stop()


def test_nobody_answers(tmp_path):
    """The answer differs between a request that may have been stored and one that only reads."""
    nginx = Example(tmp_path / "nginx", [free_port() for _ in PORTS])
    try:
        client = http.client.HTTPSConnection(nginx.host, nginx.port, context=nginx.tls)
        said = {}
        for method in ("GET", "POST", "PATCH", "DELETE"):
            client.request(method, "/api/v1/tasks/1")
            answer = client.getresponse()
            said[method] = problem(Reply(answer.status, answer.reason, answer.getheaders(),
                                         answer.read()), 503)["detail"]
        assert said.pop("GET") == "docket gave no answer: send this again"
        assert all("not known whether this was stored" in detail for detail in said.values())
    finally:
        nginx.stop()
