"""Lenient handling, for old clients: docket ignores what it does not know, and names it in a
header."""
import json

import pytest

import backends
from harness import FIELDS, JSON, MINIMAL, TASKS, faults, task, task_json
from tables import whole
from wire import JSON_LINE, Wire, ask_once

pytestmark = backends.BOTH

LENIENT = {"Prefer": "handling=lenient"}


def ignored(reply):
    return sorted(name.strip() for name in reply.header("Docket-Ignored").split(","))


@pytest.mark.parametrize("value", ["handling=lenient", "respond-async, handling=lenient",
                                   "handling=\"lenient\"", "Handling=lenient",
                                   "handling=lenient, wait=5", "handling=lenient; a=b",
                                   "handling = lenient", "handling=lenient ,",
                                   # The first preference of a name counts (RFC 7240, section 2).
                                   "handling=lenient, handling=strict"])
def test_lenient_ignores_what_is_unknown(server, value):
    reply = server.post({**task(colour="red", address={"city": "Denver", "street": 1}), "x": {}},
                        {"Prefer": value})
    assert reply.status == 201, reply
    assert reply.json["address"] == whole(city="Denver")
    assert list(reply.json) == FIELDS
    assert reply.header("Preference-Applied") == "handling=lenient"
    assert ignored(reply) == ["task.address.street", "task.colour", "x"]


def test_lenient_ignores_unknown_parameters(server):
    body = json.dumps(task())
    reply = server.call("POST", TASKS + "?fields=x", body, {**JSON, **LENIENT})
    assert reply.status == 201, reply
    assert ignored(reply) == ["fields"]
    reply = server.call("GET", reply.header("Location") + "?fields=id", headers=LENIENT)
    assert reply.status == 200, reply
    assert ignored(reply) == ["fields"]
    assert reply.header("Preference-Applied") == "handling=lenient"


def test_lenient_with_nothing_to_ignore(server):
    reply = server.post(task(), LENIENT)
    assert reply.status == 201, reply
    assert reply.header("Docket-Ignored") is None


def test_lenient_is_lenient_about_nothing_else(server):
    reply = server.post(task(colour="red", title="", id=5), LENIENT)
    assert faults(reply) == [("task.id", "read_only"), ("task.title", "required")]


@pytest.mark.parametrize("value", ["handling=strict", "respond-async", "handling=lenientx",
                                   "xhandling=lenient", "lenient", "handling", "handling=",
                                   "wait=5; handling=lenient", "a=\"b, handling=lenient\"",
                                   "handling=strict, handling=lenient"])
def test_strict_unless_asked(server, value):
    reply = server.post(task(colour="red"), {"Prefer": value})
    assert faults(reply) == [("task.colour", "unknown_field")]
    assert reply.header("Docket-Ignored") is None


@pytest.mark.parametrize("key", ["a\r\nSet-Cookie: a=b", "a\nSet-Cookie: a=b", "a\u0085b",
                                 "\u00e9\u6f22", "a,b", "k" * 20000])
def test_an_ignored_name_does_not_break_the_header(server, key):
    body = json.dumps(task(**{key: 1}), ensure_ascii=False).encode()
    with Wire(server) as wire:
        reply = wire.ask("POST", TASKS, JSON_LINE,
                         "Prefer: handling=lenient", "Connection: close", body=body)
        assert reply.status == 201, reply
        assert reply.header("Set-Cookie") is None
        assert reply.json["title"] == MINIMAL["title"]
        assert wire.at_end()


def test_lenient_in_the_second_of_two_headers(server):
    """Two headers count as one list (RFC 9110, section 5.3)."""
    body = task_json(colour="red")
    reply = ask_once(server, "POST", TASKS, JSON_LINE,
                     "Prefer: respond-async", "Prefer: handling=lenient", body=body)
    assert reply.status == 201, reply
    assert ignored(reply) == ["task.colour"]


def test_what_is_ignored_beside_the_task_and_in_the_query(server):
    body = json.dumps({"meta": {}, **task(colour="red", address={"street": 1})})
    reply = server.call("POST", TASKS + "?a=1&b=2&a%20c", body, {**JSON, **LENIENT})
    assert reply.status == 201, reply
    assert ignored(reply) == ["a", "a%20c", "b", "meta", "task.address.street", "task.colour"]
    assert reply.json["address"] is None


def test_lenient_about_a_name_that_no_one_would_miss(server):
    """docket ignores only unknown fields; it still checks a known field beside them."""
    reply = server.post(task(titel="x", title="Right", Body="x", body="right"), LENIENT)
    assert reply.status == 201, reply
    assert (reply.json["title"], reply.json["body"]) == ("Right", "right")
    assert ignored(reply) == ["task.Body", "task.titel"]
    reply = server.post(task(without=["title"], titel="x"), LENIENT)
    assert faults(reply) == [("task.title", "required")]


def test_lenient_does_not_last(server):
    assert server.post(task(colour="red"), LENIENT).status == 201
    assert faults(server.post(task(colour="red"))) == [("task.colour", "unknown_field")]


def test_a_malformed_query_is_one_also_when_lenient(server):
    assert ask_once(server, "GET", TASKS + "/1?%zz", "Prefer: handling=lenient").status == 400
