"""Clients that send requests of all kinds, chosen at random, one after the other. Each belongs to one
account, owns its tasks and knows what is stored of them. They accept a refusal with Retry-After; anything
else that they do not expect is a fault."""
import collections
import json
import random
import re
import ssl
import string

from framing import chunked
from harness import JSON, MINIMAL, TASKS
from owned import Owned, has, shrunk
from wire import Wire, message, strict_json

TRIES = 5       # of a create with a key, until its outcome is known
BULK = 500      # operations
BURST = 50      # small requests that are sent without waiting for an answer
BULK_BYTES = 1_000_000  # of the texts of a bulk with large texts
STATUSES = ["none", "needs_action", "in_progress", "complete"]
SORTS = ["id", "due_on", "title", "created_at", "updated_at", "alert_at"]
FILTERS = ["", "&status=none,complete", "&due_from=2030-01-01", "&title=%C3%A9", "&user=2",
           "&case=245&calendar=1"]
MOST_S = 60     # the longest Retry-After
# Bodies are parts of this text: letters of one to four bytes, and some that JSON escapes.
TEXT = "".join(random.Random(1).choices(string.ascii_letters + 'é\n" 語\\😀', k=200_000))


class Answer:
    """The answer to a request, which the client takes in parts."""

    def __init__(self, wire, request):
        self.wire = wire
        wire.send(request)
        while b"\r\n\r\n" not in wire.buffer:
            assert wire.more(), f"closed without an answer: {request[:200]!r}"
        head, _, body = wire.buffer.partition(b"\r\n\r\n")
        self.status, self.body = int(head[9:12]), bytearray(body)
        self.length = int(re.search(rb"\r\nContent-Length: (\d+)", head)[1])

    def take(self, most):
        """False at the end of the answer, or of the connection."""
        if len(self.body) == self.length:
            return False
        try:
            data = self.wire.socket.recv(most)
        except (ConnectionResetError, ssl.SSLEOFError):
            return False
        self.body += data
        return bool(data)

    def check(self):
        """Asserts that it is a list or a refusal, if it is whole."""
        assert self.status in (200, 429, 503), self.body[:1000]
        assert len(self.body) <= self.length
        if len(self.body) == self.length:
            strict_json(bytes(self.body))


class Client:
    """`mix`: operation → weight. It keeps about `keeps` tasks."""

    MIX = {"create": 12, "create_in_chunks": 3, "create_with_key": 4, "create_without_waiting": 1,
           "patch": 16, "patch_without_waiting": 1, "patch_if_match": 4, "delete": 6, "try_out": 4,
           "get": 16, "head": 2, "get_again": 4, "find": 4, "list": 8, "list_all": 1, "count": 3,
           "history": 3, "changes": 3, "bulk": 2, "unknown_fields": 1, "mistakes": 3}

    def __init__(self, deployment, account, name, seed, source, mix=None, keeps=100):
        self.deployment, self.account, self.name, self.source = deployment, account, name, source
        self.pick = random.Random(f"{seed} {name}")
        self.mix, self.keeps = mix or self.MIX, keeps
        self.access = deployment.headers(account)
        self.owned = Owned()
        self.wires, self.stop = {}, None
        self.made, self.since, self.operation = 0, 0, ""
        self.counts = collections.Counter()  # (operation, status)

    def run(self, stop):
        self.stop = stop
        try:
            while not stop.is_set():
                self.operation, = self.pick.choices(list(self.mix), self.mix.values())
                getattr(self, self.operation)()
        except Exception as fault:
            stop.set()
            raise AssertionError(f"{self.name}: {self.operation}: {fault!r}") from fault
        finally:
            self.close()

    # Requests and answers

    def new_wire(self):
        return Wire(self.pick.choice(self.deployment.servers), self.source)

    def wire(self):
        """A kept connection to one of the processes."""
        server = self.pick.choice(self.deployment.servers)
        wire = self.wires.pop(server, None)
        if wire and not wire.has_more():
            return wire
        if wire:
            wire.socket.close()
        return Wire(server, self.source)

    def close(self):
        for wire in self.wires.values():
            wire.socket.close()
        self.wires.clear()

    def message(self, method, path, value=None, headers=(), chunks=False):
        data = None
        if value is not None:
            data = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
        headers = {**self.access, **(JSON if data else {}), **dict(headers)}
        if chunks:
            headers["Transfer-Encoding"] = "chunked"
            return message(method, path, headers=headers) + chunked(data, self.pick.randrange(500, 70_000))
        return message(method, path, headers=headers, body=data)

    def ask(self, method, path, value=None, headers=(), chunks=False):
        wire = self.wire()
        wire.offer(self.message(method, path, value, headers, chunks))
        reply = wire.reply(method)
        assert reply, f"closed without an answer: {method} {path}"
        if reply.header("Connection") == "close":
            wire.socket.close()
        else:
            self.wires[wire.server] = wire
        self.counts[self.operation, reply.status] += 1
        return reply

    def is_refused(self, reply, status):
        """True for a refusal. Otherwise the answer has that status."""
        if reply.status == status and status not in (429, 503):
            return False
        assert reply.status in (429, 503), reply
        assert 1 <= int(reply.header("Retry-After")) <= MOST_S, reply
        self.stop.wait(self.pick.random() / 20)
        return True

    def write(self, after, status, *request, **options):
        """A write that makes `after`, external id → fields or None, of own tasks. Returns the answer if it
        has that status, else None."""
        reply = self.ask(*request, **options)
        if not self.is_refused(reply, status):
            return reply
        answer = strict_json(reply.body)
        if "may or may not be stored" in answer["detail"]:
            self.owned.is_unsure(after)
        else:
            assert "nothing was stored" in answer["detail"] or answer["code"] == "rate_exceeded", reply
        return None

    def write_without_waiting(self, after, *request):
        with self.new_wire() as wire:
            if self.pick.random() < 0.5:
                wire.reset()
            wire.offer(self.message(*request))
            self.stop.wait(self.pick.choice([0, 0.005, 0.05]))
        self.owned.is_unsure(after)

    def read(self, path, headers=(), method="GET", status=200):
        """The answer, or None if it was refused."""
        reply = self.ask(method, path, headers=headers)
        return None if self.is_refused(reply, status) else reply

    # Records

    def text(self, size):
        start = self.pick.randrange(len(TEXT) - size)
        return TEXT[start:start + size]

    def values(self, size=None):
        """Some values of a task."""
        pick = self.pick
        if size is None:
            size, = pick.choices([0, 40, 2000, 60_000], [60, 30, 9, 1])
        values = {"title": f"{self.name} {self.text(10).strip()}".replace("\n", " "), "body": self.text(size),
                  "due_on": f"20{pick.randrange(10, 60)}-0{pick.randrange(1, 10)}-{pick.randrange(10, 29)}",
                  "status": pick.choice(STATUSES), "users_list": pick.choice([[], [2], [1, 3]])}
        return values

    def new(self, size=None):
        self.made += 1
        return {**MINIMAL, **self.values(size), "external_id": f"{self.name}.{self.made}"}

    def changes_of(self):
        values = self.values()
        return {name: values[name] for name in self.pick.sample(list(values), self.pick.randrange(1, 4))}

    def own(self):
        """An own record, or None."""
        return self.pick.choice(list(self.owned.records.values())) if self.owned.records else None

    def note(self, record, fields, tag=None):
        """The server says that it has stored a record with these fields."""
        assert has(shrunk(record), shrunk(fields)), (record, fields)
        self.owned.set(record, tag)

    @staticmethod
    def after(old, changes):
        """What a change leaves unchanged, and what it sets."""
        kept = {name: value for name, value in old.items() if name not in ("updated_at", "complete_at")}
        return {**kept, **shrunk(changes)}

    # Writes of one task

    def is_full(self):
        return len(self.owned.records) >= self.keeps

    def create(self, **options):
        if self.is_full():
            return self.delete()
        fields = self.new()
        reply = self.write({fields["external_id"]: fields}, 201, "POST", TASKS, {"task": fields}, **options)
        if reply:
            self.note(reply.json, fields, reply.header("ETag"))

    def create_in_chunks(self):
        self.create(chunks=True)

    def create_without_waiting(self):
        fields = self.new()
        self.write_without_waiting({fields["external_id"]: fields}, "POST", TASKS, {"task": fields})

    def create_with_key(self):
        """The same request again has the same answer, another with the same key is refused."""
        if self.is_full():
            return self.delete()
        fields = self.new()
        first = self.create_until_known(fields)
        if not first:
            return
        self.note(first.json, fields, first.header("ETag"))
        key = {"Idempotency-Key": fields["external_id"]}
        again = self.ask("POST", TASKS, {"task": fields}, key)
        if not self.is_refused(again, 201):
            assert again.body == first.body, (again, first)
        other = self.ask("POST", TASKS, {"task": {**fields, "title": "other"}}, key)
        self.is_refused(other, 422)

    def create_until_known(self, fields):
        """The answer 201, or None if nothing is stored or it never became known."""
        after, unsure = {fields["external_id"]: fields}, False
        for _ in range(TRIES):
            reply = self.ask("POST", TASKS, {"task": fields}, {"Idempotency-Key": fields["external_id"]})
            if reply.status == 201:
                return reply
            if unsure and reply.status == 409:
                self.stop.wait(0.2)
                continue
            self.is_refused(reply, 201)
            unsure |= "may or may not be stored" in strict_json(reply.body)["detail"]
            if not unsure:
                return None
        self.owned.is_unsure(after)
        return None

    def patch(self):
        old = self.own()
        if not old:
            return self.create()
        changes = self.changes_of()
        after = self.after(old, changes)
        reply = self.write({old["external_id"]: after}, 200, "PATCH", f"{TASKS}/{old['id']}",
                           {"task": changes})
        if reply:
            self.note(reply.json, after, reply.header("ETag"))
            assert reply.json["updated_at"] >= old["updated_at"], (reply, old)

    def patch_without_waiting(self):
        if old := self.own():
            changes = self.changes_of()
            self.write_without_waiting({old["external_id"]: self.after(old, changes)}, "PATCH",
                                       f"{TASKS}/{old['id']}", {"task": changes})

    def patch_if_match(self):
        """With the present tag, and then with that of before."""
        old = self.own()
        tag = old and self.owned.tags.get(old["external_id"])
        if not tag:
            return self.get()
        path = f"{TASKS}/{old['id']}"
        changes = {**self.changes_of(), "title": f"{self.name} {self.text(20)!r}"}
        after = self.after(old, changes)
        reply = self.write({old["external_id"]: after}, 200, "PATCH", path, {"task": changes},
                           {"If-Match": tag})
        if reply:
            self.note(reply.json, after, reply.header("ETag"))
            assert reply.header("ETag") != tag
            late = self.ask(self.pick.choice(["PATCH", "DELETE"]), path, {"task": {"title": "late"}},
                            {"If-Match": tag})
            self.is_refused(late, 412)

    def delete(self):
        old = self.own()
        if old and self.write({old["external_id"]: None}, 204, "DELETE", f"{TASKS}/{old['id']}"):
            self.owned.remove(old["external_id"])

    def try_out(self):
        """Dry runs, which store nothing."""
        old, fields = self.own(), self.new()
        if old and self.pick.random() < 0.5:
            expected = "tried"
            reply = self.ask("PATCH", f"{TASKS}/{old['id']}?dry_run=1", {"task": {"body": expected}})
        else:
            expected = fields["body"]
            reply = self.ask("POST", f"{TASKS}?dry_run=1", {"task": fields})
        if not self.is_refused(reply, 200):
            assert reply.json["body"] == expected, reply

    # Bulks

    def bulk(self, count=20, size=None, unchanged=False):
        """Changes and creates; with `unchanged` the changes set what is there already."""
        known = list(self.owned.records.values())
        changed = self.pick.sample(known, min(len(known), self.pick.randrange(count + 1)))
        operations, after = [], {}
        for old in changed:
            changes = {"title": old["title"]} if unchanged else self.changes_of()
            operations.append({"update": {"id": old["id"], **changes}})
            after[old["external_id"]] = old if unchanged else self.after(old, changes)
        for _ in range(min(count - len(changed), max(self.keeps - len(known), 0))):
            fields = self.new(size)
            operations.append({"create": fields})
            after[fields["external_id"]] = fields
        if operations:
            self.send_bulk(operations, after)

    def send_bulk(self, operations, after):
        reply = self.write(after, 200, "POST", f"{TASKS}/bulk", {"operations": operations})
        if not reply:
            return
        results = strict_json(reply.body)["results"]
        assert len(results) == len(after)
        for result, fields in zip(results, after.values()):
            self.note(result, fields)

    def bulk_small(self):
        self.bulk(BULK, 0)

    def bulk_large(self, count=16):
        """With texts of almost 1 MiB."""
        if self.is_full():
            return self.make_room(count)
        fields = [self.new(BULK_BYTES // count // 2) for _ in range(count)]
        self.send_bulk([{"create": one} for one in fields], {one["external_id"]: one for one in fields})

    def bulk_unchanged(self):
        self.bulk(BULK, 0, unchanged=True)

    def bulk_refused(self):
        """Only the last operation is at fault."""
        operations = [{"create": self.new(0)} for _ in range(BULK - 1)] + [{"update": {"id": 10 ** 9}}]
        reply = self.ask("POST", f"{TASKS}/bulk", {"operations": operations})
        self.is_refused(reply, 422)

    def bulk_tried(self):
        operations = [{"create": self.new(0)} for _ in range(BULK)]
        reply = self.ask("POST", f"{TASKS}/bulk?dry_run=1", {"operations": operations})
        if not self.is_refused(reply, 200):
            assert len(strict_json(reply.body)["results"]) == BULK

    def make_room(self, count):
        """Deletes the tasks with long bodies that are too many."""
        for record in list(self.owned.records.values())[:len(self.owned.records) + count - self.keeps]:
            if self.write({record["external_id"]: None}, 204, "DELETE", f"{TASKS}/{record['id']}"):
                self.owned.remove(record["external_id"])

    # Reads

    def get(self):
        """Every process shows what any of them has acknowledged."""
        old = self.own()
        reply = old and self.read(f"{TASKS}/{old['id']}")
        if reply:
            assert shrunk(reply.json) == old, (reply, old)
            self.owned.tags[old["external_id"]] = reply.header("ETag")

    def get_again(self):
        old = self.own()
        tag = old and self.owned.tags.get(old["external_id"])
        if tag:
            self.read(f"{TASKS}/{old['id']}", {"If-None-Match": tag}, status=304)

    def head(self):
        self.read(self.pick.choice([TASKS, "/api/v1/changes", "/api/v1/me"]), method="HEAD")

    def find(self):
        old = self.own()
        reply = old and self.read(f"{TASKS}?external_id={old['external_id']}")
        if reply:
            assert [shrunk(record) for record in reply.json] == [old], (reply, old)

    def query(self, size):
        pick = self.pick
        return (f"{TASKS}?per_page={size}&sort={pick.choice(SORTS)}&dir={pick.choice(['asc', 'desc'])}"
                + pick.choice(FILTERS))

    def list(self):
        size = self.pick.choice([1, 10, 50])
        expand = self.pick.choice(["", "", "&expand=case,users"])
        if reply := self.read(self.query(size) + expand):
            assert len(strict_json(reply.body)) <= size

    def list_all(self):
        """The answer has more than 1 MiB, so it comes in pieces. A stranger to the database may stop it."""
        with self.new_wire() as wire:
            answer = Answer(wire, self.message("GET", self.query(500)))
            self.counts[self.operation, answer.status] += 1
            while answer.take(1 << 20):
                pass
            answer.check()

    def count(self):
        """The title of each task has the name of its client."""
        known = len(self.owned.records)
        if reply := self.read(f"{TASKS}?mode=count&title={self.name}"):
            unsure = sum(len(after) for _, after in self.owned.unsure)
            assert known <= reply.json["record_count"] <= known + unsure, (reply, known, unsure)

    def burst(self):
        """Many small requests at once. Each of them could leak."""
        with self.new_wire() as wire:
            paths = self.pick.choices(["/api/v1/me", f"{TASKS}/1", f"{TASKS}?per_page=1", "/api/v2"], k=BURST)
            wire.send(b"".join(self.message("GET", path) for path in paths))
            for _ in paths:
                reply = wire.reply()
                self.counts[self.operation, reply.status] += 1
                assert reply.status in (200, 404) or self.is_refused(reply, 200), reply
        self.stop.wait(self.pick.random() / 10)

    def history(self):
        old = self.own()
        reply = old and self.read(f"{TASKS}/{old['id']}/history?per_page=20")
        if reply:
            assert strict_json(reply.body)[0]["action"] == "create", reply

    def changes(self):
        """The numbers have no gap."""
        if reply := self.read(f"/api/v1/changes?since={self.since}"):
            answer = strict_json(reply.body)
            numbers = [change["change"] for change in answer["changes"]]
            assert numbers == list(range(self.since + 1, self.since + 1 + len(numbers))), \
                (self.since, numbers)
            self.since = answer["last"]

    # Requests at fault

    def unknown_fields(self):
        """70,000 of them: each is counted, a hundred are told."""
        body = b'{"task":{%s}}' % b",".join(b'"u%05d":%d' % (number, number) for number in range(70_000))
        reply = self.ask("POST", TASKS, body)
        if not self.is_refused(reply, 422):
            assert len(reply.json["errors"]) == 100 and reply.json["errors_omitted"] > 69_000

    def mistakes(self):
        """Anything that a client may do wrong."""
        request, status = self.pick.choice([
            (("POST", TASKS, b'{"task":{"title":'), 400), (("GET", f"{TASKS}?titel=x"), 400),
            (("GET", f"{TASKS}/999999999"), 404), (("GET", "/api/v2"), 404), (("PUT", TASKS, {}), 405),
            (("POST", TASKS, {"task": {**self.new(0), "casefile_id": 9}}), 422),
            (("PATCH", f"{TASKS}/999999999", {"task": {"title": "x"}}), 404),
            (("POST", TASKS, b" " * 1_100_000), 413),
            (("POST", TASKS, {"task": self.new(0)}, {"Content-Type": "text/plain"}), 415)])
        self.is_refused(self.ask(*request), status)
