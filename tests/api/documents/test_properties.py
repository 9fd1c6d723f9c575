"""Properties of the whole API, with requests that Hypothesis draws from the OpenAPI document (drawn.py): those
that fit it, and the same with faults. sent.py checks every answer.

    make proof-properties N=20000
    DOCKET_PROOF_SEED=7 make proof-properties     the requests of an earlier run

In the suite the requests are the same in every run."""
import contextlib
import datetime
import json
import re

import pytest
from hypothesis import HealthCheck, configuration, given, seed, settings

import backends
import described
import postgres
import proofs
import records
from admin import docket
from backends import where
from drawn import any_list, any_request, guesses, in_query, is_open, life, schema_of
from drawn_values import main, wrong_texts, wrong_values
from harness import ADDRESS_PARTS, succeed
from records import KINDS, TASK
from sent import Sender

pytestmark = [backends.BOTH, proofs.PROPERTIES, pytest.mark.slow]

REQUESTS = proofs.size(2000)  # on each database
SEED = proofs.seed() if proofs.size(0) else None  # without a seed, each run draws the same
AT_ONCE = 95  # unknown names in a request; docket tells a hundred faults
NO_JSON = [10 ** 30, 2 ** 63, "\ud800", "\0"]  # docket does not read a body with such a value


@pytest.fixture(scope="module")
def sender(share_server):
    print(f"the seed is {SEED}")
    configuration.set_hypothesis_home_dir(postgres.run_folder())  # a version of it may write there
    server = share_server()
    sender = Sender(server, docket(server.data, "token add", "reads", "--read-only").strip())
    for number in range(30):
        sender.write("POST", TASK, 201, {**TASK.least, "title": f"Task {number}",
                                         "status": ["none", "complete"][number % 2],
                                         "due_on": f"2024-0{2 + number % 2}-{10 + number // 2}"})
    return sender


def drawn(share, least, **strategies):
    """A test of `share` hundredths of all requests; each example sends at least `least` of them."""
    examples = -(-REQUESTS * share // 100 // least)

    def decorate(test):
        test = settings(max_examples=examples, deadline=None, database=None, derandomize=SEED is None,
                        report_multiple_bugs=False, print_blob=False,
                        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large,
                                               HealthCheck.filter_too_much,
                                               HealthCheck.large_base_example])(given(**strategies)(test))
        return test if SEED is None else seed(SEED)(test)
    return decorate


@contextlib.contextmanager
def counted(sender, share):
    """Asserts that the requests were really sent."""
    before = sender.sent
    yield
    print(f"{sender.sent - before} requests")
    assert sender.sent - before >= REQUESTS * share // 100


# Records

def utc(text):
    when = datetime.datetime.fromisoformat(text)
    when = when.astimezone(datetime.timezone.utc) if when.tzinfo else when
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def address_of(sent, before):
    parts = {**dict.fromkeys(ADDRESS_PARTS, ""), **(before or {}),
             **{name: part or "" for name, part in sent.items()}}
    if not any(str(part).strip() for part in parts.values()):
        return None
    parts.update({name: parts[name].upper() for name in ("state", "country")})
    parts["country"] = parts["country"] or "US"
    if isinstance(parts["zip"], int):
        parts["zip"] = str(parts["zip"]).rjust(5 if parts["country"] == "US" else 0, "0")
    return parts


def answered(schema, name, sent, before):
    """How docket answers a value that it was sent."""
    schema = main(schema)
    if schema["type"] == "object":
        return address_of(sent, before)
    if schema["type"] == "array":
        return sorted(set(map(int, sent)))
    if schema.get("format") == "date-time":
        return utc(sent)
    return int(sent) if schema["type"] == "integer" else sent.lower() if name == "color" else sent


def expected(kind, sent, before=None):
    """The values that a record must have after a create or a change, but those of docket's clock."""
    values = {}
    for name, schema in schema_of(kind, "New")["properties"].items():
        if name in sent and sent[name] is not None:
            values[name] = answered(schema, name, sent[name], before and before[name])
        elif name not in sent and before:
            values[name] = before[name]
        elif "default" in schema:
            values[name] = schema["default"]
    if values.get("status") == "complete":
        if not sent.get("complete_at") and (before or {}).get("status") != "complete":
            del values["complete_at"]
    elif kind is TASK:
        values["complete_at"] = None
    return values


# What differs between a dry run and the write after it.
CLOCK = dict.fromkeys(["id", "created_on", "created_at", "updated_at", "complete_at"])


def check_history(sender, one, before, after):
    """The last entry has what a change changed."""
    last = sender.read(f"{one}/history")[-1]
    changed = {name: {"from": before[name], "to": value} for name, value in after.items()
               if value != before[name] and name != "updated_at"}
    if changed:
        assert (last["action"], last["fields"]) == ("update", changed)
    else:
        assert last["action"] == "create"


def check_life(sender, kind, fields, changes, ends):
    fields, changes = sender.settled(fields), sender.settled(changes)
    tried = sender.write("POST", kind, 200, fields, dry=True)
    made = sender.write("POST", kind, 201, fields)
    assert tried["id"] is None and tried | CLOCK == made | CLOCK
    assert made | expected(kind, fields) == made
    one = f"{kind.path}/{made['id']}"
    assert sender.read(one) == made
    tried = sender.write("PATCH", kind, 200, changes, made["id"], dry=True)
    after = sender.write("PATCH", kind, 200, changes, made["id"])
    assert tried | CLOCK == after | CLOCK
    assert after | expected(kind, changes, made) == after
    assert after["created_at"] == made["created_at"] and after["updated_at"] >= made["updated_at"]
    assert sender.read(one) == after
    assert sender.read(f"{kind.path}?id={made['id']}") == [after]
    check_history(sender, one, made, after)
    other = {"If-Match": '"1-999999"'}
    if ends:
        sender.write("DELETE", kind, 412, number=made["id"], headers=other)
        sender.write("DELETE", kind, 204, number=made["id"])
        sender.read(one, 404)
        assert sender.read(f"{kind.path}?id={made['id']}") == []
    else:
        sender.write("PATCH", kind, 412, fields, made["id"], headers=other)
        assert sender.read(one) == after


def test_a_read_gives_back_what_was_written(sender):
    """The dry runs of the writes answer the same and store nothing."""
    @drawn(30, 10, life=life())
    def check(life):
        check_life(sender, *life)

    with counted(sender, 30):
        check()


# Lists

def check_list(sender, kind, pairs, parts):
    query = "".join(sender.in_query(pair) + "&" for pair in pairs)
    reply = sender.ask("GET", f"{kind.path}?{query}mode=count")
    if reply.status == 400:
        assert [error["code"] for error in reply.json["errors"]] == ["repeated"], reply  # by two names
        return
    total = reply.json["record_count"]
    assert reply.json["page_count"] == -(-total // 100)
    size = min(max(-(-total // parts), 1), 500)
    query += f"per_page={size}"
    by_number = []
    for page in range(1, -(-total // size) + 1):
        found = sender.read(f"{kind.path}?{query}&page={page}")
        assert len(found) == min(size, total - len(by_number))
        by_number += found
    assert sender.read(f"{kind.path}?{query}&page={-(-total // size) + 1}") == []
    assert len({record["id"] for record in by_number}) == total
    assert sender.walk(f"{kind.path}?{query}") == by_number
    assert sender.read(f"{kind.path}?{query}&mode=count") == {
        "record_count": total, "page_count": -(-total // size)}


def test_counts_and_pages_are_those_of_the_walked_list(sender):
    @drawn(20, 4, query=any_list())
    def check(query):
        check_list(sender, *query)

    with counted(sender, 20):
        check()


# All requests

def test_any_request(sender):
    @drawn(50, 1, request=any_request())
    def check(request):
        sender.send(request)

    with counted(sender, 50):
        check()


# Everything that is wrong, many at once: docket tells all faults of a request.

def told(reply, code=None):
    """The fields of the faults, without what is in them."""
    return {re.sub(r"\[\d+\]$", "", error["field"]) for error in reply.json["errors"]
            if error["code"] == (code or error["code"])}


def slices(names):
    return [names[start:start + AT_ONCE] for start in range(0, len(names), AT_ONCE)]


def turns(members, wrong):
    """Requests in which each member has another wrong value, until all have had all."""
    values = {name: [value for value in wrong(schema, name) if value not in NO_JSON]
              for name, schema in members.items()}
    for turn in range(max(map(len, values.values()))):
        yield {name: list_of[turn % len(list_of)] for name, list_of in values.items()}


@pytest.mark.parametrize("kind", KINDS, ids=records.NAMES)
def test_every_wrong_value_of_a_field_is_told(sender, kind):
    for fields in turns(schema_of(kind, "New")["properties"], wrong_values):
        reply = sender.ask("POST", kind.path, body=json.dumps({kind.wrapper: fields}).encode())
        assert told(reply) >= {f"{kind.wrapper}.{name}" for name in fields}, (fields, reply)


def test_every_wrong_part_of_an_address_is_told(sender):
    parts = described.document()["components"]["schemas"]["NewAddress"]["properties"]
    for address in turns(parts, lambda schema, name: wrong_values(schema, name)[:5] + ["x" * 256]):
        reply = sender.ask("POST", TASK.path, body=json.dumps({"task": {"address": address}}).encode())
        assert told(reply) >= {f"task.address.{name}" for name in address}, (address, reply)


@pytest.mark.parametrize("kind", KINDS, ids=records.NAMES)
def test_every_wrong_value_of_a_parameter_is_told(sender, kind):
    members = {parameter["name"]: parameter["schema"]
               for parameter in in_query(described.document()["paths"][kind.path]["get"])
               if not parameter["description"].startswith("The same as")}  # docket takes one name
    for values in turns(members, lambda schema, _: wrong_texts(schema)):
        reply = sender.ask("GET", f"{kind.path}?" + "&".join(map(sender.in_query, values.items())))
        assert reply.status == 400 and told(reply) == set(values), (values, reply)


def test_parameters_that_are_not_described_are_unknown(sender):
    for method, path, operation in described.operations():
        body = b"{}" if "requestBody" in operation else None
        target = path.replace("{id}", "1").replace("{code}", "busy")
        if is_open(operation):
            assert sender.ask("GET", target + "?x=1").status == 200  # it ignores them
            continue
        for names in slices(guesses(method, path)):
            reply = sender.ask(method.upper(), target + "?" + "&".join(f"{name}=1" for name in names),
                               body=body)
            assert reply.status == 400 and told(reply, "unknown_field") == set(names), reply


@pytest.mark.parametrize("kind", KINDS, ids=records.NAMES)
def test_fields_that_are_not_described_are_unknown(sender, kind):
    document = described.document()["components"]["schemas"]
    names = sorted({name for schema in document.values() for name in schema.get("properties", {})}
                   - set(document[kind.wrapper.title().replace("_", "")]["properties"]))
    for group in slices(names):
        body = json.dumps({kind.wrapper: dict.fromkeys(group, 1)}).encode()
        reply = sender.ask("POST", kind.path, body=body)
        assert told(reply, "unknown_field") == {f"{kind.wrapper}.{name}" for name in group}, reply


def test_the_changes_are_the_records(sender):
    """In the end. So no request has stored anything beside the changes that it told of."""
    mirror = {kind.wrapper: {} for kind in KINDS}
    sender.last, sender.ids, sender.made = 0, {name: [] for name in sender.ids}, {
        name: [] for name in sender.made}
    for change in sender.changes():
        mirror[change["record"]][change["id"]] = change["value"]
    for kind in KINDS:
        there = [record for _, record in sorted(mirror[kind.wrapper].items()) if record]
        assert sender.walk(kind.path) == there
    sender.server.stop()
    succeed("check", *where(sender.server.data))
    sender.server.start()
