"""Requests drawn from the OpenAPI document, with Hypothesis. A request fits the document, or has faults for
which docket must refuse it."""
import dataclasses
import functools
import json
import re
import typing

from hypothesis import strategies as st

import described
from described import found
from drawn_values import MAYBE, SELDOM, Unique, fitting, one, pick, refs, spoilt, wrong_texts
from records import KINDS, TASK

MISSING = 10 ** 9  # the id of no record

HEADERS = {"Prefer": ["handling=lenient", "handling=strict", "return=minimal", "respond-async, wait=5"],
           "Idempotency-Key": [Unique("key"), Unique("key"), "first", "second", "!~" * 127],
           # TAG stands for the present tag of the record.
           "If-Match": ["*", "TAG", 'W/TAG, "x"', '"1-999999"', '"1-1"'],
           "If-None-Match": ['"1-999999"', 'W/"x"', '"a", "b"', "*", "TAG"]}
FEW = 5  # parameters: if an operation has no more, each is in half of the requests
WRONG_HEADERS = {"If-Match": ["", "x", '"', "W/", '"a" "b"'], "If-None-Match": ["", "x", '"', '"a" "b"'],
                 "Idempotency-Key": ["", "\u00e9", "a b", "x" * 256]}
WRONG_TYPES = [("Content-Type", "text/plain"), ("Content-Type", "application/json; charset=latin-1"),
               ("Content-Type", "application/json-patch+json"), ("Content-Type", "x"),
               ("Content-Encoding", "gzip"), ("Content-Encoding", "br")]
# Headers that make no difference.
OTHERS = [("Accept", "text/xml;q=0.1"), ("Accept", ""), ("Accept-Encoding", "br, *;q=0"),
          ("Range", "bytes=0-1"), ("If-Modified-Since", "Sat, 29 Oct 1994 19:43:31 GMT"),
          ("Origin", "https://app.example.com"), ("X-Request-Id", "\u00e9 "), ("User-Agent", "\xff\t\xfe"),
          ("Cookie", "a=b"), ("X-HTTP-Method-Override", "DELETE"), ("Content-Language", "xx")]
RAW = [b"", b" ", b"{", b"null", b"[]", b'"x"', b"1", b"{}", b"[" * 3000, b'{"a":1}', b"{'task':{}}",
       b'{"task":{}}//', b'{"task":NaN}', b"\0", b"\xff", b"\x1f\x8b\x08\0", b"[" + b" " * 1024 * 1024 + b"]"]
WRONG_CODINGS = ["utf-16", "utf-16-le", "utf-32", "twice", "cut", "more", "nul"]
WRONG_PATHS = ["0", "x", "-1", "1x", "1.0", "%20", "99999999999999999999", "1%00", "%2f", "%zz", "%ff"]
WRONG_PAIRS = ["%", "%zz=1", "x=%ff", "x=%00", "%c3%28=1", "page=%", "dry_run=%"]


# Requests

@dataclasses.dataclass
class Request:
    method: str
    path: str  # in the document
    id: object = ""  # what takes the place of {id} or {code}
    query: list = dataclasses.field(default_factory=list)  # pairs; a text is sent as it is
    headers: dict = dataclasses.field(default_factory=dict)
    value: object = None  # what the body has
    coding: str = ""  # how that is written; "": there is no body
    raw: typing.Optional[bytes] = None  # a body that is sent in its place
    access: str = "full"
    long: str = ""  # the part that is too long
    unknown: list = dataclasses.field(default_factory=list)  # parameters that the document does not have
    fits: bool = True
    wrong: bool = False  # whether docket must refuse it

    def is_lenient(self):
        return self.headers.get("Prefer") == "handling=lenient"

    def is_dry(self):
        return ("dry_run", "1") in self.query

    def must_fail(self):
        return self.method != "OPTIONS" and (
            self.wrong or bool(self.unknown) and not self.is_lenient())


def kind_of(path):
    """The kind of the records of a path; of others it is that of tasks."""
    return next((kind for kind in KINDS if path.startswith(kind.path)), TASK)


def encoded(value, coding):
    """The bytes of a body."""
    text = json.dumps(value, ensure_ascii=coding == "ascii")
    if coding == "twice":
        text = re.sub(r'"(\w+)": ', r'"\1": null, "\1": ', text, count=1)
    if coding.startswith("utf-"):
        return text.encode(coding, "surrogatepass")
    data = text.encode("utf-8", "surrogatepass")
    return {"bom": b"\xef\xbb\xbf" + data, "cut": data[:-1], "more": data + b"}",
            "nul": data + b"\0"}.get(coding, data)


def as_text(value):
    """A value of a parameter. An id is known later."""
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else value


def is_open(operation):
    """Whether it needs no access. Then docket ignores all parameters."""
    return operation.get("security") == []


def in_query(operation):
    return [parameter for parameter in map(found, operation["parameters"]) if parameter["in"] == "query"]


@functools.lru_cache(None)
def guesses(method, path):
    """Parameters that somebody may think an operation has: those of others, and fields."""
    document = described.document()
    fields = {name for schema in document["components"]["schemas"].values()
              for name in schema.get("properties", {})}
    stems = {re.sub("_(at|on|id|list)$", "", name) for name in fields}
    names = {parameter["name"] for _, _, operation in described.operations()
             for parameter in in_query(operation)}
    known = {parameter["name"] for parameter in in_query(document["paths"][path][method])}
    ends = ("", "_from", "_to", "_before", "_after", "_like")
    return sorted({*names, *fields, *(stem + end for stem in stems for end in ends)} - known)


@st.composite
def fitting_request(draw, method, path, operation):
    kind = kind_of(path).wrapper
    request = Request(method.upper(), path)
    if "{id}" in path:
        group = kind if method == "get" else "made " + kind
        request.id = MISSING if draw(SELDOM) else draw(refs(group))
    elif "{code}" in path:
        parameter, = described.document()["paths"][path]["parameters"]
        request.id = one(draw, parameter["schema"]["enum"])
    parameters = list(map(found, operation["parameters"]))
    for parameter in parameters:
        name = parameter["name"]
        if name == "after" or not draw(MAYBE if len(parameters) <= FEW else SELDOM):
            continue
        if parameter["in"] == "header":
            request.headers[name] = one(draw, HEADERS[name])
        else:
            request.query.append((name, as_text(draw(fitting(parameter["schema"], name, kind, True)))))
    if "requestBody" in operation:
        types = list(operation["requestBody"]["content"])
        request.value = draw(fitting(operation["requestBody"]["content"][types[0]]["schema"], "", kind))
        request.coding = one(draw, ["plain", "ascii", "bom"])
        media_type = one(draw, [None, *types, types[0] + "; charset=UTF-8"])
        request.headers.update({"Content-Type": media_type} if media_type else {})
    elif method == "get" and draw(SELDOM):
        request.method = "HEAD"
    if draw(SELDOM):
        name, value = one(draw, OTHERS)
        request.headers.setdefault(name, value)
    return request


# Faults: each function adds one to a request.

def spoil_parameter(draw, request, operation):
    parameter = one(draw, in_query(operation))
    name, schema = parameter["name"], parameter["schema"]
    if schema.get("type") != "array" and draw(MAYBE):
        pair = (name, as_text(draw(fitting(schema, name, kind_of(request.path).wrapper, True))))
        request.query += [pair, pair]
    else:
        request.query.append((name, one(draw, wrong_texts(schema))))
    request.wrong = True


def spoil_with_unknown(draw, request, operation):
    method = "get" if request.method == "HEAD" else request.method.lower()
    if method in described.document()["paths"][request.path]:
        name = one(draw, guesses(method, request.path))
        request.query.append((name, "1"))
        request.unknown.append(name)


def spoil_query(draw, request, operation):
    request.query.append(one(draw, WRONG_PAIRS))
    request.wrong = True


def spoil_path(draw, request, operation):
    request.id = one(draw, WRONG_PATHS)
    request.wrong = True


def spoil_access(draw, request, operation):
    if request.access == "full":
        request.access = one(draw, ["none", "malformed", "unknown", "limited", "reads"])
        request.wrong |= request.access != "reads" or request.method not in ("GET", "HEAD")


def spoil_header(draw, request, operation):
    name = one(draw, list(WRONG_HEADERS))
    if request.headers.get(name) in WRONG_HEADERS[name]:
        return
    request.headers[name] = one(draw, [*WRONG_HEADERS[name], *HEADERS[name]])
    # An answer with other records in it has no tag.
    if request.headers[name] in WRONG_HEADERS[name] and "expand" not in [pair[0] for pair in request.query]:
        request.wrong |= any(found(parameter)["name"] == name for parameter in operation["parameters"])


def spoil_type(draw, request, operation):
    name, value = one(draw, WRONG_TYPES)
    request.headers[name] = value
    request.wrong = True


def spoil_body(draw, request, operation):
    how = one(draw, ["value", "value", "value", "coding", "raw"])
    if how == "value":
        schema = next(iter(operation["requestBody"]["content"].values()))["schema"]
        request.value, certain = draw(spoilt(schema, request.value))
        request.wrong |= certain or not request.is_lenient()
        return
    if how == "coding":
        request.coding = one(draw, WRONG_CODINGS)
    else:
        request.raw = one(draw, RAW)
    request.wrong = True


def spoil_method(draw, request, operation):
    request.method = one(draw, ["PUT", "OPTIONS", "TRACE", "BREW"])
    request.wrong = True


def spoil_size(draw, request, operation):
    request.long = one(draw, ["header", "query"])
    request.wrong = True


def spoilers(path, operation):
    return [spoil_method, spoil_size,
            *([spoil_parameter] * 3 if in_query(operation) else []),
            *([spoil_path] if "{" in path else []),
            *([] if is_open(operation) else [spoil_access, spoil_header, spoil_with_unknown, spoil_query]),
            *([spoil_body] * 6 + [spoil_type] if "requestBody" in operation else [])]


@functools.lru_cache(None)
def weighted():
    """The operations; those with more to draw more often."""
    return [(method, path, operation) for method, path, operation in described.operations()
            for _ in range(1 if is_open(operation) else 3 + 4 * (method != "get")
                           + len(in_query(operation)) // 4)]


@st.composite
def any_request(draw):
    """Half of them fit."""
    method, path, operation = one(draw, weighted())
    request = draw(fitting_request(method, path, operation))
    for _ in range(one(draw, [0, 0, 0, 0, 1, 1, 1, 2, 4])):
        one(draw, spoilers(path, operation))(draw, request, operation)
        request.fits = False
    return request


# Records and lists

def schema_of(kind, prefix="", suffix=""):
    name = prefix + kind.wrapper.title().replace("_", "") + suffix
    return described.document()["components"]["schemas"][name]


def keep_rules(kind, fields, status, of_case):
    """Changes what the rules between fields forbid. `of_case`: a case with its subject and service."""
    if kind is TASK:
        for name, number in zip(("casefile_id", "subject_id", "case_service_id"), of_case):
            if fields.get(name) is not None:
                fields[name] = number
        if status != "complete" or not fields.get("complete_at"):
            fields.pop("complete_at", None)
    if "last_name" in fields:
        fields["last_name"] = ("N" + (fields["last_name"] or ""))[:255]


@st.composite
def life(draw):
    """A kind of record, the fields of a create and those of a change, and whether it is deleted then."""
    kind = one(draw, [TASK, *KINDS])
    fields = draw(fitting(schema_of(kind, "New"), "", kind.wrapper))
    changes = draw(fitting(schema_of(kind, "", "Patch"), "", kind.wrapper))
    if "last_name" in kind.least:
        fields.setdefault("last_name", "")
    of_case = one(draw, [(245, 209, 1), (246, 210, 2)])
    keep_rules(kind, fields, fields.get("status"), of_case)
    keep_rules(kind, changes, changes.get("status", fields.get("status")), of_case)
    return kind, fields, changes, draw(MAYBE)


@st.composite
def any_list(draw):
    """A kind, filters with sort and direction, and into how many pages the list is divided."""
    kind = one(draw, [TASK, TASK, *KINDS])
    rows = {row["name"]: row for row in in_query(described.document()["paths"][kind.path]["get"])}
    others = {"page", "per_page", "mode", "after", "sort", "dir"}
    names = [*draw(st.lists(pick(*(name for name in rows if name not in others)), max_size=2,
                            unique=True)), *(name for name in ("sort", "dir") if draw(MAYBE))]
    return kind, [(name, as_text(draw(fitting(rows[name]["schema"], name, kind.wrapper, True))))
                  for name in names], draw(st.integers(1, 4))
