"""The OpenAPI document that docket serves, and whether answers are as it says."""
import copy
import functools
import json
import pathlib
import re
import tempfile

import jsonschema

import harness

PATH = "/api/v1/openapi.json"
METHODS = ["get", "post", "patch", "delete"]
TOKEN = "only-for-the-description"

FORMATS = jsonschema.FormatChecker(["date"])


@FORMATS.checks("date-time")
def is_time(value):
    """Of the forms of RFC 3339 docket sends only this."""
    return not isinstance(value, str) or bool(re.fullmatch(
        r"[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value, re.ASCII))


@functools.lru_cache(None)
def document():
    """The document of the program, read once."""
    with tempfile.TemporaryDirectory() as folder:
        server = harness.Server(None, TOKEN, pathlib.Path(folder) / "stderr",
                                ["--ephemeral", "--token", TOKEN])
        reply = harness.exchange(server, server.request("GET", PATH))
        server.stop()
        harness.Server.every.remove(server)
    assert reply.status == 200, reply
    return reply.json


@functools.lru_cache(None)
def closed():
    """The document with no members in answers but those that it names. A client must accept others."""
    def close(value):
        if isinstance(value, list):
            for item in value:
                close(item)
        elif isinstance(value, dict):
            if "properties" in value:
                value.setdefault("additionalProperties", False)
            for item in value.values():
                close(item)

    closed_one = copy.deepcopy(document())
    close(closed_one["components"])
    return closed_one


def operations():
    """Each operation with its method and its path."""
    for path, methods in document()["paths"].items():
        for method in METHODS:
            if method in methods:
                yield method, path, methods[method]


def path_of(target):
    """The path in the document that a request is for, or None."""
    path = target.partition("?")[0]
    path = path.rstrip("/") or "/"
    paths = closed()["paths"]
    if path in paths:
        return path
    return next((known for known in paths if "{" in known and re.fullmatch(
        re.sub(r"\{\w+\}", "[^/]+", known), path)), None)


def found(value):
    """The value, or what it refers to."""
    while "$ref" in value:
        name = value["$ref"]
        value = closed()
        for part in name.removeprefix("#/").split("/"):
            value = value[part]
    return value


FITTING = set()  # hashes of a reference and a value: answers repeat the records of earlier ones
REFER = jsonschema.Draft202012Validator.VALIDATORS["$ref"]


def refer(validator, reference, value, schema):
    """Checks a value that fits only once."""
    key = hash((reference, json.dumps(value)))
    if key not in FITTING:
        faults = list(REFER(validator, reference, value, schema))
        yield from faults
        if not faults:
            FITTING.add(key)


Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"$ref": refer})


@functools.lru_cache(None)
def validator(text):
    schema = json.loads(text)
    return Validator(
        schema, resolver=jsonschema.RefResolver("", closed()), format_checker=FORMATS)


def faults_of(schema, value):
    """What is wrong with a value, as a text; "" if nothing."""
    return "; ".join(f"{error.json_path}: {error.message[:300]}"
                     for error in validator(json.dumps(schema)).iter_errors(value))


PROBLEM = {"$ref": "#/components/schemas/Problem"}


def fault(method, target, reply):
    """What the document does not say of an answer; None if nothing."""
    path = path_of(target)
    kept = "get" if method == "HEAD" else method.lower()
    operation = closed()["paths"][path].get(kept) if path else None
    if method == "OPTIONS" and reply.status == 204:
        return None  # the answer to a preflight request does not depend on the path
    if not operation:
        if reply.status < 400:
            return "the request is not described"
        return faults_of(PROBLEM, reply.json) if method != "HEAD" else None
    described = operation["responses"].get(str(reply.status))
    if not described:
        return "the status is not described"
    described = found(described)
    if method == "HEAD" or reply.status in (204, 304):
        return f"a body of {len(reply.body)} bytes" if reply.body else None
    content = described["content"].get(reply.header("Content-Type"))
    if not content:
        return "the media type is not described"
    is_json = reply.header("Content-Type").endswith("json")
    return faults_of(content["schema"], reply.json if is_json else reply.body.decode()) or None


def check(method, target, reply):
    wrong = fault(method, target, reply)
    assert not wrong, f"{method} {target[:200]}: not as the document says: {wrong}\n{reply}"
