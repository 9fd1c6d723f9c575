"""The OpenAPI document has the parameters, headers, fields and codes that docket knows, and no others. To
find out what docket knows, the tests send it every name in its sources. test_openapi.py tests the routes."""
import re

import pytest

import described
import records
from harness import ADDRESS_PARTS, ROOT, problem
from records import EACH

CHUNK = 80  # so many faults fit into one answer
DOCUMENT = described.document()
SCHEMAS = DOCUMENT["components"]["schemas"]


def source(folder):
    return "".join(path.read_text("utf-8") for path in sorted((ROOT / "src" / folder).glob("*.c")))


def unknown(names, ask):
    """Those of the names that docket does not know. `ask` sends a few of them, each with a wrong value, and
    returns the faults."""
    ordered, told = sorted(names), set()
    for start in range(0, len(ordered), CHUNK):
        some = ordered[start:start + CHUNK]
        faults = ask(some)
        assert len(faults) < 100
        told |= {error["field"].rsplit(".", 1)[-1] for error in faults if error["code"] == "unknown_field"}
    assert told <= set(names)
    return told


# Operations

def parameters(operation, place):
    return {one["name"]: one for one in map(described.found, operation["parameters"]) if one["in"] == place}


def targets():
    """Each operation that needs access: method, path, a target of it, and the operation."""
    for method, path, operation in described.operations():
        if operation.get("security") != []:
            yield method.upper(), path, path.replace("{id}", "1"), operation


def names_of_parameters():
    """Every name in quotes in the tables of parameters and filters, and those of the document."""
    text = source("api") + source("model") + (ROOT / "src/model/include/model/list.h").read_text("utf-8")
    names = set(re.findall(r'"([A-Za-z]\w*)"', text))
    ranges = re.findall(r'FROM_TO\("(\w+)"', text)
    names |= {f"{name}_{end}" for name in ranges for end in ("from", "to")}
    return names.union(*(parameters(operation, "query") for _, _, operation in described.operations()))


def test_the_parameters(server):
    """An empty value is a fault of every parameter that docket knows."""
    names = names_of_parameters()
    assert {"due_from", "From", "updated_to", "created_from_system", "since", "dry_run", "expand"} <= names
    for method, path, target, operation in targets():
        def ask(some):
            reply = records.send(server, method, f"{target}?{'&'.join(f'{name}=' for name in some)}",
                                 {"x": {}} if method in ("POST", "PATCH") else None)
            return problem(reply, 400, fields=True)["errors"]

        known = names - unknown(names, ask)
        assert known == set(parameters(operation, "query")), (method, path)


# Malformed values, and one that docket confirms if it ignores something.
HEADERS = {"If-Match": "x", "If-None-Match": "x", "Idempotency-Key": "a b", "Prefer": "handling=lenient"}
# docket refuses these headers, so the document does not have them.
REFUSED = {("POST", "/api/v1/tasks/bulk"): {"If-Match", "If-None-Match"}}


def test_the_headers(own_server):
    """Of every operation, also of those that need no access."""
    for method, path, operation in described.operations():
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        target = path.replace("{id}", "1").replace("{code}", "busy")
        target += "?" if method == "get" else "?dry_run=1"
        read = set()
        for name, value in HEADERS.items():
            more = "&ignored=1" if name == "Prefer" else ""
            reply = records.send(own_server, method.upper(), target + more, content.get("example"),
                                 {name: value})
            if name == "Prefer" and reply.header("Preference-Applied") == value:
                read.add(name)
            elif reply.status == 400 and name in problem(reply, 400, fields=False)["detail"]:
                read.add(name)
        known = set(parameters(operation, "header")) | REFUSED.get((method.upper(), path), set())
        assert read == known, (method, path)


# Fields

# Only an expanded task has these. docket ignores them in a request, so that a client can send all of it back.
EXPANDED = {"Casefile", "Calendar", "Subject", "CaseService", "Users"}


def words():
    """Every word of the field tables that can be a name, and the names of the document."""
    return set(re.findall(r"\b[a-z]\w*", source("model"))).union(*(
        schema.get("properties", {}) for schema in SCHEMAS.values()))


def schema_of(kind, before="", after=""):
    return SCHEMAS[before + kind.wrapper.title().replace("_", "") + after]


@EACH
def test_the_fields_of_an_answer(own_server, kind):
    """An answer without `expand` has all members that are always there, and no others."""
    fields = schema_of(kind)
    record = records.create(own_server, kind)
    assert list(record) == fields["required"]
    assert set(fields["properties"]) - set(record) == (EXPANDED if kind is records.TASK else set())


@EACH
def test_the_fields_of_a_request(own_server, kind):
    """A list in a list is a wrong value of every field. docket also knows the fields that only it sets, and
    refuses them in a create."""
    number = records.create(own_server, kind)["id"]
    names = words()
    fields = schema_of(kind)["properties"]
    read_only = {name for name in fields if fields[name].get("readOnly")}

    for method, path in (("POST", kind.path), ("PATCH", f"{kind.path}/{number}")):
        def ask(some):
            reply = records.send(own_server, method, path, {kind.wrapper: {name: [[]] for name in some}})
            return problem(reply, 422)["errors"]

        assert names - unknown(names, ask) == set(fields), method
    assert set(schema_of(kind, "New")["properties"]) == set(fields) - read_only - EXPANDED
    assert set(schema_of(kind, after="Patch")["properties"]) == set(fields)
    assert read_only == {"id", "created_at", "updated_at"} | (
        {"alert_sent_at"} if kind is records.TASK else set())


def test_the_fields_of_an_operation(own_server):
    """Of a bulk request."""
    number = own_server.create()["id"]
    names = {"create", "update", "id", "delete", *schema_of(records.TASK)["properties"]}

    def ask(inner):
        def ask_some(some):
            values = {name: [[]] for name in some}
            reply = records.send(own_server, "POST", "/api/v1/tasks/bulk", {"operations": [inner(values)]})
            return problem(reply, 422)["errors"]

        return names - unknown(names, ask_some)

    update = SCHEMAS["TaskUpdate"]
    assert ask(lambda values: {"create": values}) == set(SCHEMAS["TaskPatch"]["properties"])
    assert ask(lambda values: {"update": {**values, "id": number}}) == set(update["properties"])
    assert update["required"] == ["id"]
    assert [list(one["properties"]) for one in SCHEMAS["Operation"]["oneOf"]] == [["create"], ["update"]]


def test_the_parts_of_an_address(own_server):
    names = words()

    def ask(some):
        address = {name: [] for name in some}
        reply = own_server.post({"task": {**records.least(records.TASK), "address": address}})
        return problem(reply, 422)["errors"]

    assert names - unknown(names, ask) == set(ADDRESS_PARTS)
    for name in ("NewAddress", "Address"):
        assert list(SCHEMAS[name]["properties"]) == ADDRESS_PARTS


# Codes

def test_the_problems_are_those_of_the_table():
    rows = {code: int(status) for code, status in re.findall(
        r'^\t\[PROBLEM_\w+\] = \{"(\w+)", (\d+),', source("pipeline"), re.MULTILINE)}
    code = SCHEMAS["Problem"]["properties"]["code"]
    assert code["enum"] == list(rows)
    assert set(code["x-enumDescriptions"]) == set(rows)
    assert {name: row["status"] for name, row in code["x-problems"].items()} == rows
    examples = {name: one["value"]["status"] for answer in DOCUMENT["components"]["responses"].values()
                for name, one in answer["content"]["application/problem+json"]["examples"].items()}
    # An operation of the document cannot be answered with 405.
    assert examples == {name: status for name, status in rows.items() if status != 405}


def test_the_states_of_alerts_are_those_of_the_tables():
    text = source("model")
    for member, second in (("state", '"'), ("reason", "ALERT_")):
        names = re.findall(rf'\[ALERT_\w+\] = \{{"(\w+)", {second}', text)
        schema = SCHEMAS["Alert"]["properties"][member]
        assert [name for name in schema["enum"] if name] == names and len(names) > 5
        assert list(schema["x-enumDescriptions"]) == names
