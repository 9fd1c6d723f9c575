"""The codes of problems, and the pages that `type` links to."""
import html
import json
import re

import pytest

import described
from harness import JSON, TASKS, cases, problem, task_json

CODES = described.document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]


def page(server, code, **options):
    return server.call("GET", f"/docs/errors/{code}", access=False, **options)


def example_of(reply):
    """The problem that a page shows."""
    return json.loads(html.unescape(re.search("<pre>(.*)</pre>", reply.body.decode(), re.DOTALL)[1]))


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_a_page(server, code):
    reply = page(server, code)
    assert reply.status == 200
    assert reply.header("Content-Type") == "text/html; charset=utf-8"
    text = reply.body.decode()
    for heading in ("Cause", "What to do", "Example"):
        assert f"<h2>{heading}</h2>" in text
    assert "`" not in re.sub("<pre>.*</pre>", "", text, flags=re.DOTALL)
    example = example_of(reply)
    assert example["code"] == code and example["type"] == f"/docs/errors/{code}"
    assert not described.faults_of(described.PROBLEM, example)
    assert f"<p>{example['status']} {example['title']}</p>" in text


def test_a_page_loads_nothing_but_its_style(server):
    reply = page(server, CODES[0])
    policy = dict(part.split(" ", 1) for part in reply.header("Content-Security-Policy").split("; "))
    assert policy["default-src"] == "'none'" and policy["style-src"] == "'self'"
    assert re.findall(r'(?:href|src)="([^"]*)"', reply.body.decode()) == ["../style.css"]
    assert b"<script" not in reply.body and b"style=" not in reply.body
    style = server.call("GET", "/docs/style.css", access=False)
    assert style.header("Content-Type") == "text/css; charset=utf-8"
    assert b"prefers-color-scheme: dark" in style.body


def test_another_code_has_none(server):
    assert problem(page(server, "none"), 404, fields=False)["code"] == "no_such_path"


# Requests whose answer is the example, or has the example's code.
SAME = cases([
    ("malformed_header", "malformed_header", "DELETE", f"{TASKS}/{{id}}", b"", {"If-Match": "1-7"}),
    ("malformed_json", "malformed_json", "POST", TASKS, b"{", JSON),
    ("invalid_parameter", "invalid_parameter", "GET", f"{TASKS}?statsu=none", b"", {}),
    ("wrong_credentials", "wrong_credentials", "GET", TASKS, b"", {"Authorization": "Basic x"}),
    ("no_such_path", "no_such_path", "GET", "/api/v1/nothing", b"", {}),
    ("no_such_record", "no_such_record", "GET", f"{TASKS}/999999", b"", {}),
    ("method_not_allowed", "method_not_allowed", "PUT", f"{TASKS}/1", b"", {}),
    ("record_in_use", "record_in_use", "DELETE", "/api/v1/cases/245", b"", {}),
    ("precondition_failed", "precondition_failed", "PATCH", f"{TASKS}/{{id}}",
     b'{"task": {"title": "x"}}', {"If-Match": '"1-0"', **JSON}),
    ("body_too_large", "body_too_large", "POST", TASKS, b" " * 2097152, JSON),
    ("not_json", "not_json", "POST", TASKS, b"{}", {"Content-Type": "text/plain"}),
    ("invalid_fields", "invalid_fields", "POST", TASKS, task_json(titel="x"), JSON),
])


@pytest.mark.parametrize("code, method, target, body, headers", SAME)
def test_the_example_is_an_answer_of_docket(own_server, code, method, target, body, headers):
    number = own_server.create()["id"]
    access = headers.get("Authorization", True)
    reply = own_server.call(method, target.format(id=number), body, headers, access=access)
    example = example_of(page(own_server, code))
    answer = reply.json
    assert reply.status == example["status"]
    if code == "record_in_use":  # the numbers are those of other records
        assert re.fullmatch(r"casefile: is used by \d+ tasks? and 1 subject", answer["detail"])
        answer = json.loads(re.sub(r"\d+ tasks?", "41 tasks", json.dumps(answer)))
    assert answer == example


def test_the_link_has_the_prefix_of_the_proxy(make_server):
    server = make_server(options=["--behind-proxy"])
    reply = server.call("GET", f"{TASKS}/999999", headers={"X-Forwarded-Prefix": "/tracker"})
    assert reply.json["type"] == "/tracker/docs/errors/no_such_record"
