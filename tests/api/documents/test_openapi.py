"""The OpenAPI document: how it is served, that it is valid, and that it says what docket does."""
import json
import re
import subprocess
import sys

import jsonschema
import pytest

import described
import harness
import life
import npm
import records
from harness import CODES, COMMAND_S, FIELDS, JSON, ROOT, problem
from records import EACH


# How it is served

def test_everybody_may_read_it(server):
    reply = server.call("GET", described.PATH, access=False)
    assert reply.status == 200
    assert reply.header("Content-Type") == "application/json"
    assert reply.header("Cache-Control") == "no-cache"
    assert reply.json == described.document()


def test_head_has_its_length(server):
    reply = server.call("HEAD", described.PATH, access=False)
    whole = server.call("GET", described.PATH, access=False)
    assert (reply.status, reply.body) == (200, b"")
    assert reply.header("Content-Length") == str(len(whole.body))
    assert reply.header("ETag") == whole.header("ETag")


TAGGED = pytest.mark.parametrize("path", [described.PATH, "/docs"])


@TAGGED
@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"x", "{}"', '"a,b",,"{}" ,', '"{}-gzip"', "*"])
def test_a_client_that_has_it_gets_304(server, path, form):
    tag = server.call("GET", path, access=False).header("ETag")
    for method in ("GET", "HEAD"):
        reply = server.call(method, path, headers={"If-None-Match": form.format(tag[1:-1])}, access=False)
        assert (reply.status, reply.body, reply.header("ETag")) == (304, b"", tag)
        assert reply.header("Content-Type") is None


@TAGGED
@pytest.mark.parametrize("form", ['"0"', '"{}0"', '"0{}"', '"{}-x"', '"x {}"', '"x,{}", "{},x"', '"*"'])
def test_a_client_that_has_another_gets_it(server, path, form):
    """Also if its tag contains the present one."""
    whole = server.call("GET", path, access=False)
    sent = form.replace("{}", whole.header("ETag")[1:-1])
    reply = server.call("GET", path, headers={"If-None-Match": sent}, access=False)
    assert (reply.status, reply.body) == (200, whole.body)


@TAGGED
@pytest.mark.parametrize("form", ["", "{}", '"{}', 'x"{}"', '"{}"x', '*, "{}"'])
def test_a_malformed_tag_is_refused(server, path, form):
    tag = server.call("GET", path, access=False).header("ETag")
    sent = form.replace("{}", tag[1:-1])
    reply = server.call("GET", path, headers={"If-None-Match": sent}, access=False)
    assert problem(reply, 400, fields=False)["code"] == "malformed_header"


def test_the_documents_have_their_own_tags(server):
    tags = {server.call("GET", path, access=False).header("ETag") for path in (described.PATH, "/docs")}
    assert len(tags) == 2


def test_the_tag_is_the_same_after_a_restart(make_server):
    tags = [make_server().call("GET", described.PATH, access=False).header("ETag") for _ in "12"]
    assert tags[0] == tags[1]


def test_nobody_writes_it(server):
    reply = server.call("POST", described.PATH, b"{}", JSON)
    problem(reply, 405, fields=False)
    assert reply.header("Allow") == "GET, HEAD, OPTIONS"


# That it is valid

@pytest.mark.slow
def test_redocly_finds_no_fault(tmp_path):
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(described.document()))
    said = npm.run(tmp_path, "redocly", "lint", "--format=json", file)
    assert json.loads(said)["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}


def schemas():
    return described.document()["components"]["schemas"].items()


def test_every_schema_is_one():
    for _, schema in schemas():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_example_fits_its_schema():
    seen = 0

    def walk(value):
        nonlocal seen
        for item in value if isinstance(value, list) else []:
            walk(item)
        if not isinstance(value, dict):
            return
        schema = value.get("schema", value)
        examples = value.get("examples", []) if isinstance(value.get("examples", []), list) else []
        for example in [*examples, *([value["example"]] if "example" in value else [])]:
            assert not described.faults_of(schema, example), (schema, example)
            seen += 1
        if "default" in value:
            assert not described.faults_of(value, value["default"]), value
        for item in value.values():
            walk(item)

    walk(described.closed())
    assert seen > 100


@pytest.mark.slow
def test_the_tables_of_the_reference_are_up_to_date():
    """If this fails, run "make reference"."""
    done = subprocess.run([sys.executable, ROOT / "tools" / "api-tables.py", harness.PROGRAM, "--check"],
                          check=False, timeout=COMMAND_S, capture_output=True, encoding="utf-8",
                          env=harness.environment())
    assert done.returncode == 0, done.stderr


# That it says what docket does

def test_the_methods_are_those_that_docket_takes(server):
    for path, methods in described.document()["paths"].items():
        taken = {method.upper() for method in methods if method != "parameters"}
        taken |= {"OPTIONS"} | ({"HEAD"} if "GET" in taken else set())
        reply = server.call("OPTIONS", re.sub(r"\{\w+\}", "1", path), access=False)
        assert set(reply.header("Allow").split(", ")) == taken, path


def test_the_paths_are_those_of_the_table_of_routes():
    rows = (ROOT / "src" / "api" / "routes.c").read_text("utf-8")
    each = re.findall(r'^\t\{"\w+", path(?: "([^"]+)")?', rows, re.MULTILINE)
    literal = re.findall(r'^\t\{"\w+", "([^"]+)"', rows, re.MULTILINE)
    kinds = re.findall(r'^\tRECORDS\("([^"]+)"', rows, re.MULTILINE)
    wanted = {*literal, *(kind + end for kind in kinds for end in each)}
    assert wanted == set(described.document()["paths"])
    assert len(list(described.operations())) == len(literal) + len(kinds) * len(each)


def test_operations_are_told_apart():
    names = [operation["operationId"] for _, _, operation in described.operations()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch("[a-z][A-Za-z]+", name) for name in names), names


def test_the_fields_of_a_task():
    task = described.document()["components"]["schemas"]["Task"]
    assert task["required"] == FIELDS
    assert list(task["properties"])[:len(FIELDS)] == FIELDS


def test_the_fields_that_only_docket_sets():
    """In a bulk request the id says which task to change. A request may have what `expand` adds, and docket
    ignores it."""
    schemas = described.document()["components"]["schemas"]
    own = {"id", "alert_sent_at", "created_at", "updated_at"}
    expanded = {"Calendar", "CaseService", "Casefile", "Subject", "Users"}
    for name, wanted in ("Task", own), ("TaskPatch", own), ("TaskUpdate", own - {"id"}):
        assert {field for field, schema in schemas[name]["properties"].items()
                if schema.get("readOnly")} - expanded == wanted, name


@EACH
def test_what_a_create_needs(kind):
    name = "New" + kind.wrapper.title().replace("_", "")
    fields = described.document()["components"]["schemas"][name]
    settable = set(kind.rest) - {"alert_sent_at"}
    assert set(fields["properties"]) - {"created_on"} == {*kind.least, *settable}
    # A subject needs one of two names.
    assert set(fields["required"]) == set(kind.least) - {"last_name"}
    for field in settable - {"color", "time_zone"}:  # their defaults are rules
        assert fields["properties"][field]["default"] == kind.rest[field], field


def test_the_codes_of_faults():
    code = described.document()["components"]["schemas"]["Fault"]["properties"]["code"]
    assert set(code["enum"]) == set(code["x-enumDescriptions"]) == CODES
    assert len(code["enum"]) == len(CODES)


@EACH
def test_the_example_of_a_create_is_accepted(server, kind):
    """A dry run, because two records cannot have the same name."""
    body = described.document()["paths"][kind.path]["post"]["requestBody"]
    example = body["content"]["application/json"]["example"]
    reply = records.send(server, "POST", f"{kind.path}?dry_run=1", example)
    assert reply.status == 200, reply
    described.check("POST", kind.path, reply)
    for field, value in example[kind.wrapper].items():
        assert reply.json[field] == value, field


def test_the_example_of_a_bulk_request_is_accepted(make_server):
    server = make_server()
    task = server.create()
    bulk = described.document()["paths"]["/api/v1/tasks/bulk"]["post"]
    example = bulk["requestBody"]["content"]["application/json"]["example"]
    assert example["operations"][1]["update"]["id"] == task["id"]
    reply = records.send(server, "POST", "/api/v1/tasks/bulk", example)
    assert reply.status == 200, reply
    described.check("POST", "/api/v1/tasks/bulk", reply)


def parameters():
    for method, path, operation in described.operations():
        for parameter in map(described.found, operation["parameters"]):
            if parameter["in"] == "query":
                yield method, path, parameter


def test_every_choice_of_a_parameter_is_accepted(server):
    for method, path, parameter in parameters():
        schema = parameter["schema"]
        choices = schema.get("enum") or schema.get("items", {}).get("enum") or []
        if schema.get("items", {}).get("type") == "boolean":
            choices = ["true", "false"]
        for choice in choices if method == "get" else []:
            target = f"{path.replace('{id}', '1')}?{parameter['name']}={choice}"
            reply = records.send(server, "GET", target)
            assert reply.status in (200, 404), (target, reply)


@EACH
def test_the_parameters_of_a_list(kind):
    known = {parameter["name"] for method, path, parameter in parameters()
             if (method, path) == ("get", kind.path)}
    assert {"page", "per_page", "sort", "dir", "mode", "after", "id", "external_id"} <= known
    assert ("expand" in known) == (kind is records.TASK)


@EACH
def test_the_sorts_of_a_list(kind):
    sort = next(parameter for method, path, parameter in parameters()
                if (method, path, parameter["name"]) == ("get", kind.path, "sort"))
    assert sort["schema"]["enum"] == kind.sorts


# That answers are as it says

@pytest.fixture
def ask(own_server):
    def ask(method, target, body=None, status=200, headers=()):
        reply = records.send(own_server, method, target, body, headers)
        assert reply.status == status, reply
        described.check(method, target, reply)
        return reply
    return ask


@EACH
def test_the_answers_of_a_record_are_described(ask, kind):
    life.of_record(ask, kind)


def test_all_other_answers_are_described(ask):
    life.of_task(ask)
    life.of_server(ask)


@pytest.mark.parametrize("change, said", [
    ({"status": "done"}, "'done' is not one of"), ({"id": "1"}, "'1' is not of type 'integer'"),
    ({"due_on": "14.2.2023"}, "is not a 'date'"), ({"more": 1}, "'more' was unexpected"),
    ({"created_at": "2023-02-14 09:30"}, "is not a 'date-time'"), ({"title": None}, "None is not")])
def test_the_check_finds_an_answer_that_is_not_described(own_server, change, said):
    """So do the tests above, and the whole suite with --described."""
    task = own_server.create()
    target = f"/api/v1/tasks/{task['id']}"
    reply = own_server.call("GET", target)
    reply.body = json.dumps({**task, **change}).encode()
    assert said in described.fault("GET", target, reply)
    reply.status = 299
    assert described.fault("GET", target, reply) == "the status is not described"
    assert described.fault("GET", "/api/v1/other", reply) == "the request is not described"
