"""Sends drawn requests, and checks what must hold of every answer: no 5xx, as the OpenAPI document says, and
exactly the changes that it tells of."""
import contextlib
import itertools
import re
import subprocess
from urllib.parse import quote

import described
import records
from drawn import MISSING, Request, encoded, kind_of
from drawn_values import Ref, Unique
from harness import basic
from wire import exchange, message

# What a request that fits the document may break: the facts of the account, and rules between fields.
FACTS = {"not_found", "mismatch", "taken", "in_use", "not_allowed", "repeated"}
RULES = {("complete_at", "required"), ("last_name", "required"), ("query", "too_long")}
TOO_LONG = 25_000  # more than docket accepts, less than what the HTTP library refuses itself
ENDED_S = 10  # for a server that crashed


def is_explained(reply):
    """Whether a refusal of a request that fits has a reason that the document cannot know."""
    problem = reply.json
    return (problem["code"] in ("no_such_record", "record_in_use", "precondition_failed")
            or problem["detail"].startswith("Idempotency-Key")
            or all(error["code"] in FACTS or (error["field"].rpartition(".")[2], error["code"]) in RULES
                   for error in problem.get("errors", [{"code": "", "field": ""}])))


def check(method, target, reply):
    assert reply.status < 500, reply
    assert reply.header("X-Request-Id"), reply
    described.check(method, target, reply)


class Sender:
    """Sends requests to one server, and knows what the account has."""

    def __init__(self, server, reading_token):
        self.server, self.sent, self.numbers = server, 0, itertools.count(1)
        self.host = f"{server.host}:{server.port}"
        user, limited = server.user + "/token", "second/token"
        self.access = {"full": server.access, "none": None, "malformed": "Basic =x",
                       "unknown": basic(user, "wrong"), "limited": basic(limited, server.token),
                       "reads": basic(user, reading_token)}
        self.ids = {kind.wrapper: [] for kind in records.KINDS}   # of the records that exist
        self.made = {"made " + name: [] for name in self.ids}     # of those that this made
        self.tags, self.first = {}, {}  # path → tag; (path, key) → the first answer
        self.last, self.crash = 0, None
        self.changes()
        self.made = {name: [] for name in self.made}

    # Requests

    def ask(self, method, target, headers=(), body=None, access="full"):
        """The checked answer to any request."""
        self.sent += 1
        headers = {"Host": self.host, **dict(headers)}
        if self.access[access]:
            headers["Authorization"] = self.access[access]
        if body is None and method not in ("GET", "HEAD"):
            body = b""
        reply = self.exchange(message(method, target, headers=headers, body=body), access)
        check(method, target, reply)
        return reply

    def exchange(self, data, access):
        """After a crash every request fails alike, so that Hypothesis does not search for more."""
        try:
            if not self.crash:
                return self.server.kept.exchange(data) if access == "full" else exchange(self.server, data)
        except (OSError, AssertionError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.server.process.wait(ENDED_S)
            if self.server.running():
                raise
            self.crash = f"docket ended at {data[:4000]!r}"
        raise AssertionError(self.crash)

    def settled(self, value):
        """The value with what was not known before."""
        if isinstance(value, Unique):
            return f"{value.name}-{next(self.numbers)}"
        if isinstance(value, Ref):
            if value.kind == "change":
                number = max(self.last - value.pick % 4, 0)
            else:
                ids = (self.ids | self.made)[value.kind]
                number = ids[-1 - value.pick % len(ids)] if ids else MISSING
            return str(number) if value.text else number
        if isinstance(value, dict):
            return {name: self.settled(item) for name, item in value.items()}
        return [self.settled(item) for item in value] if isinstance(value, list) else value

    def send(self, request):
        """Sends a drawn request. Checks that docket refuses it if it must, and that it changes what the
        answer says."""
        target = re.sub(r"\{\w+\}", str(self.settled(request.id)), request.path)
        tag = self.tags.get(target, '"1-1"')
        headers = {name: self.settled(value).replace("TAG", tag) for name, value in request.headers.items()}
        target += "?" * bool(request.query) + "&".join(map(self.in_query, request.query))
        if request.long == "query":
            target = target.partition("?")[0] + "?" + "x" * TOO_LONG
        elif request.long:
            headers["X-Long"] = "x" * TOO_LONG
        body = request.raw
        if body is None and request.coding:
            body = encoded(self.settled(request.value), request.coding)
        reply = self.ask(request.method, target, headers, body, request.access)
        if request.must_fail():
            assert reply.status >= 400, reply
        if request.fits and request.method != "HEAD" and reply.status >= 400:
            assert is_explained(reply), reply
        if request.is_lenient() and request.method != "OPTIONS" and reply.status < 400:
            ignored = reply.header("Docket-Ignored") or ""
            assert set(request.unknown) <= set(ignored.split(", ")), reply
        self.check_changes(request, headers.get("Idempotency-Key"), reply)
        return reply

    def in_query(self, pair):
        if isinstance(pair, str):
            return pair
        value = self.settled(pair[1])
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        return f"{quote(pair[0], safe='')}={quote(text, safe=',')}"

    # Changes

    def changes(self):
        """The changes since the last call; it notes which records exist."""
        found, more = [], True
        while more:
            target = f"/api/v1/changes?since={self.last}"
            headers = {"Host": self.host, "Authorization": self.access["full"]}
            reply = self.exchange(message("GET", target, headers=headers), "full")
            more = reply.json["changes"]
            found += more
            self.last = reply.json["last"]  # so an answer at fault does not come again
            check("GET", target, reply)
            for change in more:
                self.note(change)
        return found

    def note(self, change):
        ids, made = self.ids[change["record"]], self.made["made " + change["record"]]
        if change["action"] == "create":
            ids.append(change["id"])
            made.append(change["id"])
        elif change["action"] == "delete":
            ids.remove(change["id"])
            made.remove(change["id"])

    def check_changes(self, request, key, reply):
        """An answer tells of the changes that the request made; a refused request made none."""
        made = [(change["action"], change["record"], change["value"]) for change in self.changes()]
        if reply.status >= 300 or request.method not in ("POST", "PATCH", "DELETE") or request.is_dry():
            assert made == [], (reply, made)
            return
        kind = kind_of(request.path).wrapper
        again = key and request.method == "POST"
        first = self.first.setdefault((request.path, key), reply) if again else reply
        if first is not reply:
            assert made == [] and reply.json == first.json, (reply, first, made)
        elif request.path.endswith("/bulk"):
            results = iter(reply.json["results"])
            assert all(value in results for _, _, value in made), (reply, made)
        elif request.method == "DELETE":
            assert made == [("delete", kind, None)], (reply, made)
        elif request.method == "POST":
            assert made == [("create", kind, reply.json)], (reply, made)
        else:
            assert made in ([], [("update", kind, reply.json)]), (reply, made)
        if request.method != "DELETE" and not request.path.endswith("/bulk"):
            self.tags[f"{kind_of(request.path).path}/{reply.json['id']}"] = reply.header("ETag")

    # Single requests

    def write(self, method, kind, status, fields=None, number=None, dry=False, headers=()):
        """A write that must have that status. Returns what it answers, if it does."""
        request = Request(method, kind.path + ("/{id}" if number else ""), number,
                          [("dry_run", "1")] if dry else [], dict(headers), {kind.wrapper: fields},
                          "plain" if method != "DELETE" else "")
        reply = self.send(request)
        assert reply.status == status, reply
        return reply.json if reply.body else None

    def read(self, target, status=200):
        reply = self.ask("GET", target)
        assert reply.status == status, reply
        return reply.json

    def walk(self, target):
        """All records, by the links from each page to the next."""
        found = []
        while target:
            reply = self.ask("GET", target)
            assert reply.status == 200, reply
            found += reply.json
            target, = re.findall('<([^<>]*)>; rel="next"', reply.header("Link")) or [None]
        return found
