"""Prism is between a client and docket, and compares each answer with the OpenAPI document. So it is in the
tests of example clients and of generated ones. "make prism" shows it the answers of all other tests."""
import contextlib
import json

import pytest
import requests

import life
from harness import TASKS
from records import EACH
from wire import ANSWER_S, Reply, of_requests

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def asking(prism, server):
    """ask() for life, which sends requests to Prism by python3-requests. It leaves out HEAD: Prism 5.14.2
    reads JSON from every answer whose Content-Type says so, and fails because this one has no body."""
    with requests.Session() as session, prism.before(server, ("response",)) as url:
        session.trust_env = False
        session.auth = (server.user + "/token", server.token)
        session.headers["Connection"] = "close"  # Prism ends a connection that is idle for 5 seconds

        def ask(method, target, body=None, status=200, headers=()):
            if method == "HEAD":
                return None
            answer = session.request(method, url + target, json=body, headers=dict(headers),
                                     timeout=ANSWER_S)
            assert answer.status_code == status, answer.text
            return of_requests(answer)

        yield ask


@EACH
def test_the_life_of_a_record(prism, own_server, kind):
    with asking(prism, own_server) as ask:
        life.of_record(ask, kind)


def test_all_other_requests(prism, own_server):
    with asking(prism, own_server) as ask:
        life.of_task(ask)
        life.of_server(ask)


# That Prism finds what differs

def spoiled(reply, **change):
    """The answer with other members."""
    return Reply(reply.status, reply.reason, reply.headers,
                 json.dumps({**json.loads(reply.body), **change}).encode())


@pytest.mark.parametrize("change", [
    {"id": "1"}, {"status": "done"}, {"due_on": "14.2.2023"}, {"created_at": "yesterday"},
    {"title": None}, {"users_list": [1, 1]}, {"address": {"city": "Denver"}}], ids=str)
def test_a_wrong_answer_is_found(prism, own_server, change):
    """Both in an answer that is shown to Prism, and in one that it forwards."""
    task = own_server.create()
    path = f"{TASKS}/{task['id']}"
    reply = own_server.get(task["id"])
    prism.check("GET", path, reply)
    with pytest.raises(AssertionError, match=f'"body","{list(change)[0]}'):
        prism.check("GET", path, spoiled(reply, **change))
    with pytest.raises(AssertionError, match=f"response.body.{list(change)[0]}"):
        with asking(prism, own_server) as ask:
            prism.upstream.spoil = lambda reply: spoiled(reply, **change)
            ask("GET", path)


def test_a_status_or_media_type_that_is_not_described_is_found(prism, own_server):
    path = f"{TASKS}/{own_server.create()['id']}"
    reply = own_server.call("GET", path)
    for other, said in [(Reply(203, "Other", reply.headers, reply.body), "status code"),
                        (Reply(418, "Teapot", reply.headers, reply.body), "status code"),
                        (Reply(200, "OK", [("Content-Type", "text/plain")], b"x"), "media type")]:
        with pytest.raises(AssertionError, match=said):
            prism.check("GET", path, other)


def test_a_wrong_request_is_found(prism, own_server):
    with pytest.raises(AssertionError, match="request.query.page"):
        with prism.before(own_server) as url:
            access = {"Authorization": own_server.access}
            assert requests.get(f"{url}{TASKS}?page=0", headers=access, timeout=ANSWER_S).status_code == 400
