"""ETags, and the conditions of requests: If-None-Match, If-Match."""
import pytest

import backends
from harness import cases, problem
from records import EACH, TASK, change, create, get, patch, post, remove, send
from together import at_once
from wire import JSON_LINE, Wire, ask_once

pytestmark = backends.BOTH



@pytest.fixture(scope="module")
def server(own_server):
    return own_server


CHANGES = {"task": "title", "casefile": "notes", "subject": "notes", "staff": "first_name",
           "calendar": "name", "case_service": "name"}


def tag_of(server, kind, number):
    tag = get(server, kind, number).header("ETag")
    assert tag.startswith('"1-') and tag.endswith('"')
    return tag


def compressed(tag):
    """The tag, and the forms of it that nginx and Apache make when they compress an answer."""
    suffixed = tag[:-1] + '-gzip"'
    return [tag, "W/" + tag, suffixed, "W/" + suffixed]


def others(tag):
    """Similar tags that are not docket's."""
    inner = tag[1:-1]
    return [f'"{inner}-gzip-gzip"', f'"{inner}-gzi"', f'"{inner}gzip"', f'"{inner}-GZIP"', '"-gzip"',
            '"1--gzip"', f'"W/{inner}"', f'W/"{inner}-x"', 'W/"other"']


@EACH
def test_if_none_match(server, kind):
    number = create(server, kind)["id"]
    whole = get(server, kind, number)
    tag = whole.header("ETag")
    for known in (*compressed(tag), f'"other", {tag}', f'W/"x",,{tag} ,', "*", f'"a,b",\t{tag}'):
        for method in ("GET", "HEAD"):
            reply = send(server, method, f"{kind.path}/{number}", headers={"If-None-Match": known})
            assert (reply.status, reply.body) == (304, b""), (known, reply)
            assert reply.header("ETag") == tag
            assert reply.header("Cache-Control") == "no-transform"
            assert reply.header("Content-Type") is None
            # If the answer has a length, it is that of the full answer.
            assert reply.header("Content-Length") in (None, whole.header("Content-Length"))
    for other in ('"other"', '"1-"', '"1-1x"', '"2-1"', '""', f'"{tag[1:-1]}0"', f'"0{tag[1:]}',
                  *others(tag)):
        reply = get(server, kind, number, headers={"If-None-Match": other})
        assert reply.status == 200 and reply.body == whole.body, other
    change(server, kind, number, **{CHANGES[kind.wrapper]: "changed"})
    assert get(server, kind, number, headers={"If-None-Match": tag}).status == 200
    problem(get(server, kind, 987654, headers={"If-None-Match": "*"}), 404)


def test_a_304_leaves_the_connection_in_order(server):
    number = create(server, TASK)["id"]
    tag = tag_of(server, TASK, number)
    with Wire(server) as wire:
        for _ in range(3):
            assert wire.ask("GET", f"{TASK.path}/{number}", f"If-None-Match: {tag}").status == 304
            assert wire.ask("GET", f"{TASK.path}/{number}").status == 200


MALFORMED = ["", "1-5", '"1-5', '1-5"', '"a" "b"', '*, "a"', '"a", *', "w/\"a\"", '"a"x', ",", "W/",
             "**"]


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed(server, text):
    number = create(server, TASK)["id"]
    for method, header in (("GET", "If-None-Match"), ("HEAD", "If-None-Match"),
                           ("PATCH", "If-Match"), ("DELETE", "If-Match"),
                           ("PATCH", "If-None-Match"), ("DELETE", "If-None-Match")):
        body = {"task": {"title": "x"}} if method == "PATCH" else None
        reply = send(server, method, f"{TASK.path}/{number}", body, {header: text})
        assert reply.status == 400, (method, reply)
        if method != "HEAD":
            assert header in problem(reply, 400, fields=False)["detail"]
    assert get(server, TASK, number).json["title"] == "A task"


@EACH
def test_if_match(server, kind):
    number = create(server, kind)["id"]
    tag = tag_of(server, kind, number)
    field = CHANGES[kind.wrapper]
    before = get(server, kind, number)
    for other in ('"other"', '"1-1"', '""', 'W/"1-1"', '"1-1-gzip"', *others(tag)):
        for reply in (patch(server, kind, number, {"If-Match": other}, **{field: "lost"}),
                      patch(server, kind, number, {"If-Match": other}),
                      patch(server, kind, number, {"If-Match": other}, nonsense=1),
                      remove(server, kind, number, {"If-Match": other})):
            assert problem(reply, 412)["detail"] == (
                "If-Match: the record's current entity tag is not among those given")
    assert get(server, kind, number).body == before.body
    reply = patch(server, kind, number, {"If-Match": f'"x", {tag}'}, **{field: "won"})
    assert reply.status == 200 and reply.json[field] == "won"
    problem(patch(server, kind, number, {"If-Match": tag}, **{field: "late"}), 412)
    problem(remove(server, kind, number, {"If-Match": tag}), 412)
    # The tag in an answer is valid for the next request.
    reply = patch(server, kind, number, {"If-Match": reply.header("ETag")}, **{field: "again"})
    assert reply.status == 200
    assert patch(server, kind, number, {"If-Match": "*"}, **{field: "any"}).status == 200
    tag = tag_of(server, kind, number)
    assert remove(server, kind, number, {"If-Match": tag}).status == 204
    problem(patch(server, kind, number, {"If-Match": "*"}), 404)
    problem(remove(server, kind, number, {"If-Match": tag}), 404)


@EACH
def test_if_none_match_of_a_change(server, kind):
    """RFC 9110, section 13.1.2: compared weakly, and 412."""
    number = create(server, kind)["id"]
    tag = tag_of(server, kind, number)
    field = CHANGES[kind.wrapper]
    before = get(server, kind, number)
    for known in ("*", *compressed(tag), f'"x", {tag}'):
        told = ("If-None-Match: the record exists" if known == "*" else
                "If-None-Match: the record's current entity tag is among those given")
        for reply in (patch(server, kind, number, {"If-None-Match": known}, **{field: "lost"}),
                      patch(server, kind, number, {"If-None-Match": known}, nonsense=1),
                      patch(server, kind, number, {"If-Match": tag, "If-None-Match": known}),
                      remove(server, kind, number, {"If-None-Match": known})):
            assert problem(reply, 412)["detail"] == told
    problem(patch(server, kind, number, {"If-Match": '"x"', "If-None-Match": '"y"'}), 412)
    assert get(server, kind, number).body == before.body
    reply = patch(server, kind, number, {"If-None-Match": '"x", "1-1"', "If-Match": tag},
                  **{field: "won"})
    assert reply.status == 200 and reply.json[field] == "won"
    assert remove(server, kind, number, {"If-None-Match": tag}).status == 204
    problem(remove(server, kind, number, {"If-None-Match": "*"}), 404)


def test_several_headers_are_one_list(server):
    number = create(server, TASK)["id"]
    tag = tag_of(server, TASK, number)
    assert ask_once(server, "GET", f"{TASK.path}/{number}", 'If-None-Match: "a"',
                    f"If-None-Match: {tag}").status == 304


@pytest.mark.parametrize("fields", cases([
    ("users_list", {"users_list": [2]}), ("an address", {"address": {"city": "Denver"}}),
    ("alert_at", {"alert_at": "2030-01-01"}), ("no users", {"users_list": []}),
    ("a part of the address", {"address": {"zip": 5}}), ("no alert", {"alert_at": None})]))
def test_what_changes_it_alone(server, fields):
    number = create(server, TASK, users_list=[1], address={"city": "Boulder"},
                    alert_at="2029-01-01")["id"]
    tag = tag_of(server, TASK, number)
    change(server, TASK, number, **fields)
    changed = tag_of(server, TASK, number)
    assert changed != tag
    change(server, TASK, number, **fields)
    assert tag_of(server, TASK, number) == changed


@EACH
def test_if_match_of_a_compressed_answer(server, kind):
    """A proxy that compresses changes the tag, but the tag names the same version."""
    number = create(server, kind)["id"]
    field = CHANGES[kind.wrapper]
    for turn in range(4):
        for form in (lambda tag: tag, lambda tag: f'W/"x", "y", {tag}'):
            known = compressed(tag_of(server, kind, number))[turn]
            reply = patch(server, kind, number, {"If-Match": form(known)},
                          **{field: f"{turn} {len(form(known))}"})
            assert reply.status == 200, reply
            problem(patch(server, kind, number, {"If-Match": form(known)}, **{field: "x"}), 412)
    known = compressed(tag_of(server, kind, number))
    assert remove(server, kind, number, {"If-Match": known[1]}).status == 204
    number = create(server, kind)["id"]
    known = compressed(tag_of(server, kind, number))
    assert remove(server, kind, number, {"If-Match": known[2]}).status == 204


@EACH
def test_no_transform_wherever_there_is_a_tag(server, kind):
    number = create(server, kind)["id"]
    field = CHANGES[kind.wrapper]
    made = post(server, kind)
    replies = [made, get(server, kind, number), patch(server, kind, number, **{field: "x"}),
               send(server, "HEAD", f"{kind.path}/{number}"), send(server, "GET", kind.path),
               get(server, kind, 987654)]
    assert [reply.status for reply in replies] == [201, 200, 200, 200, 200, 404]
    for reply in replies:
        tagged = reply.header("ETag") is not None
        assert reply.header("Cache-Control") == ("no-transform" if tagged else None), reply
    assert [reply.header("ETag") is not None for reply in replies] == [True] * 4 + [False] * 2


def test_no_etag_no_condition(server):
    """Lists and expanded records have no tag."""
    number = create(server, TASK)["id"]
    for path in (f"{TASK.path}?id={number}", f"{TASK.path}/{number}?expand=case"):
        reply = send(server, "GET", path, headers={"If-None-Match": "*"})
        assert reply.status == 200 and reply.header("ETag") is None


CLIENTS, ROUNDS = 32, 12


def test_one_of_many_wins(server):
    """In each round 32 clients change the same task with the ETag from the beginning of the round.
    Exactly one succeeds, and the next round begins with its change."""
    number = create(server, TASK, body="")["id"]
    tag, body = tag_of(server, TASK, number), ""
    with Wires(server) as wires:
        for turn in range(ROUNDS):
            def one(client, tag=tag, body=body, turn=turn):
                text = f'{{"task":{{"body":"{body}{turn}-{client};"}}}}'.encode()
                return wires[client].ask("PATCH", f"{TASK.path}/{number}", JSON_LINE,
                                         f"If-Match: {tag}", body=text)
            replies = at_once(one, range(CLIENTS))
            won = [reply for reply in replies if reply.status == 200]
            assert sorted(reply.status for reply in replies) == [200] + [412] * (CLIENTS - 1)
            now = get(server, TASK, number)
            assert now.body == won[0].body and now.header("ETag") == won[0].header("ETag")
            tag, body = now.header("ETag"), now.json["body"]
    assert body.count(";") == ROUNDS


@pytest.mark.slow
def test_no_update_is_lost(server):
    """Several clients read, change and write until they succeed: no change is lost."""
    number = create(server, TASK, body="0")["id"]
    with Wires(server, 8) as wires:
        def count(wire):
            done = tries = 0
            while done < 10:
                read = wire.ask("GET", f"{TASK.path}/{number}")
                text = f'{{"task":{{"body":"{int(read.json["body"]) + 1}"}}}}'.encode()
                status = wire.ask("PATCH", f"{TASK.path}/{number}", JSON_LINE,
                                  f"If-Match: {read.header('ETag')}", body=text).status
                assert status in (200, 412)
                done += status == 200
                tries += 1
            return tries
        tries = sum(at_once(count, wires))
    assert get(server, TASK, number).json["body"] == "80" and tries >= 80


@pytest.mark.slow
def test_changes_of_different_fields_meet(server):
    """Without a condition each patch changes only its own fields."""
    number = create(server, TASK)["id"]
    fields = ["title", "body", "external_id", "users_list"]
    with Wires(server, 4) as wires:
        def write(client):
            for turn in range(25):
                value = [1 + turn % 3] if client == 3 else f'"meets {turn}"'
                text = f'{{"task":{{"{fields[client]}":{value}}}}}'.encode()
                reply = wires[client].ask("PATCH", f"{TASK.path}/{number}", JSON_LINE, body=text)
                assert reply.status == 200
        at_once(write, range(4))
    last = get(server, TASK, number).json
    assert [last[field] for field in fields] == ["meets 24"] * 3 + [[1]]


class Wires:
    """Connections that are closed at the end."""

    def __init__(self, server, count=CLIENTS):
        self.wires = [Wire(server) for _ in range(count)]

    def __enter__(self):
        return self.wires

    def __exit__(self, *_):
        for wire in self.wires:
            wire.socket.close()
