"""The body of a request: strict JSON (RFC 8259), its size, and the headers about it."""
import json
import re

import pytest

import backends
from harness import JSON, MINIMAL, TASKS, cases, faults, problem, task, task_json
from wire import JSON_LINE, Wire

pytestmark = backends.BOTH

LIMIT = 1024 * 1024


def send(server, body, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.call("POST", TASKS, body, {**JSON, **headers})


def inside(member):
    """A complete body with one more member of the task on its second line."""
    return b'{"task": {' + json.dumps(MINIMAL).encode()[1:-1] + b',\n' + member + b'}}'


# Malformed JSON. Each message has the line, and the column if only one is right.

MALFORMED = [
    # Not one value
    ("nothing", b"", 1),
    ("blanks", b" \t\r\n ", 2),
    ("two values", b"{}{}", 1),
    ("bytes behind it", b"{} x", 1),
    ("bytes behind it, on another line", b"{}\n\nx", 3),
    ("NUL behind it", b"{}\0", 1),
    ("NUL alone", b"\0", 1),
    ("two byte order marks", b"\xef\xbb\xbf" * 2 + task_json(), 1),
    ("NUL behind a number", inside(b'"subject_id": 209\0'), 2),
    ("NUL behind a literal", inside(b'"subject_id": null\0'), 2),
    ("a form", b"title=A+task&casefile_id=245", 1),
    ("XML", b"<task/>", 1),
    ("comment", b"/* a */ {}", 1),
    ("line comment", b"// a\n{}", 1),
    ("a word", b"task", 1),
    ("capital null", b"NULL", 1),
    # Cut off
    ("open object", b"{", 1),
    ("key alone", b'{"task"', 1),
    ("no value", b'{"task":', 1),
    ("open text", b'{"task": "a', 1),
    ("open array", b"[1, 2", 1),
    ("half a literal", b"tru", 1),
    ("half an escape", b'"\\u00', 1),
    # Structure
    ("comma at the end of an object", inside(b'"body": "a",'), 2),
    ("comma at the end of an array", inside(b'"users_list": [1,]'), 2),
    ("two commas", inside(b'"users_list": [1,,2]'), 2),
    ("no comma", inside(b'"users_list": [1 2]'), 2),
    ("no colon", inside(b'"body" "a"'), 2),
    ("equals sign", inside(b'"body" = "a"'), 2),
    ("single quotes", inside(b"'body': 'a'"), 2),
    ("key without quotes", inside(b'body: "a"'), 2),
    ("a number as a key", inside(b'1: "a"'), 2),
    ("null as a key", inside(b'null: "a"'), 2),
    ("wrong bracket", inside(b'"users_list": [1}'), 2),
    ("a bracket too many", b"{}}", 1),
    # Keys that come twice
    ("a field twice", inside(b'"title": "Another"'), 2),
    ("a field twice, equal", inside(b'"title": "A task"'), 2),
    ("a field twice, escaped", inside(b'"t\\u0069tle": "Another"'), 2),
    ("an unknown field twice", inside(b'"x": 1, "x": 1'), 2),
    ("part of an address twice", inside(b'"address": {"city": "a", "city": "b"}'), 2),
    ("the wrapper twice", b'{"task": {},\n"task": {}}', 2),
    # Numbers
    ("plus sign", inside(b'"calendar_id": +1'), 2),
    ("leading zero", inside(b'"subject_id": 0209'), 2),
    ("minus alone", inside(b'"subject_id": -'), 2),
    ("minus and zero", inside(b'"subject_id": -01'), 2),
    ("no digit before the point", inside(b'"subject_id": .5'), 2),
    ("no digit behind the point", inside(b'"subject_id": 1.'), 2),
    ("no digit in the exponent", inside(b'"subject_id": 1e'), 2),
    ("hexadecimal", inside(b'"subject_id": 0x1'), 2),
    ("NaN", inside(b'"subject_id": NaN'), 2),
    ("Infinity", inside(b'"subject_id": Infinity'), 2),
    ("beyond 64 bits", inside(b'"subject_id": 9223372036854775808'), 2),
    ("below 64 bits", inside(b'"subject_id": -9223372036854775809'), 2),
    ("400 digits", inside(b'"subject_id": ' + b"9" * 400), 2),
    ("beyond a double", inside(b'"subject_id": 1e400'), 2),
    # Literals
    ("capital true", inside(b'"body": True'), 2),
    ("None", inside(b'"body": None'), 2),
    ("undefined", inside(b'"body": undefined'), 2),
    # Texts
    ("escape there is not", inside(b'"body": "\\x41"'), 2),
    ("escaped single quote", inside(b'"body": "\\\'"'), 2),
    ("escape without four digits", inside(b'"body": "\\u12g4"'), 2),
    ("line end in a text", inside(b'"body": "a\nb"'), 2),
    ("tab in a text", inside(b'"body": "a\tb"'), 2),
    ("0x1F in a text", inside(b'"body": "a\x1fb"'), 2),
    ("NUL in a text", inside(b'"body": "a\0b"'), 2),
    ("escaped NUL in a text", inside(b'"body": "a\\u0000b"'), 2),
    ("escaped NUL in a key", inside(b'"body\\u0000": "a"'), 2),
    ("high surrogate alone", inside(b'"body": "\\ud83d"'), 2),
    ("low surrogate alone", inside(b'"body": "\\ude00"'), 2),
    ("surrogates the wrong way round", inside(b'"body": "\\ude00\\ud83d"'), 2),
    ("two high surrogates", inside(b'"body": "\\ud83d\\ud83d"'), 2),
    ("surrogate alone in a key", inside(b'"\\ud83d": "a"'), 2),
    # UTF-8 (RFC 3629)
    ("Latin-1", inside('"body": "\u00e9"'.encode("latin-1")), 2),
    ("0xFF", inside(b'"body": "\xff"'), 2),
    ("continuation alone", inside(b'"body": "\x80"'), 2),
    ("cut in a character", inside(b'"body": "\xe2\x82"'), 2),
    ("longer than needed, two bytes", inside(b'"body": "\xc0\x80"'), 2),
    ("longer than needed, three bytes", inside(b'"body": "\xe0\x80\xaf"'), 2),
    ("surrogate in UTF-8", inside(b'"body": "\xed\xa0\x80"'), 2),
    ("beyond U+10FFFF", inside(b'"body": "\xf4\x90\x80\x80"'), 2),
    ("five bytes", inside(b'"body": "\xf8\x88\x80\x80\x80"'), 2),
    ("invalid UTF-8 in a key", inside(b'"\xff": "a"'), 2),
    ("invalid UTF-8 between values", inside(b'\xff"body": "a"'), 2),
    # Depth
    ("arrays 5,000 deep", b"[" * 5000 + b"]" * 5000, 1),
    ("arrays without end", b"[" * 100000, 1),
    ("objects without end", b'{"a":' * 100000, 1),
    ("5,000 deep in a field", inside(b'"body": ' + b"[" * 5000 + b"]" * 5000), 2),
]


@pytest.mark.parametrize("body, line", cases(MALFORMED))
def test_malformed(server, body, line):
    detail = problem(send(server, body), 400)["detail"]
    said = re.search(r"line (\d+), column (\d+)", detail)
    assert said, f"no line and column in: {detail}"
    assert int(said[1]) == line, detail
    assert 0 <= int(said[2]) <= len(body) + 1, detail
    assert "JSON_" not in detail, "words of the library's own"


@pytest.mark.parametrize("body, column", [
    (b'{"task": x}', 10), (b'{"task": {"title": "a" "b"}}', 26), (b"{}  x", 5), (b"[1,]", 4),
    ('{"\u00e9\u6f22\U0001f600": x}'.encode(), 9)])
def test_the_column_is_in_characters_and_where_the_fault_is(server, body, column):
    """docket may report a word by its first or its last character."""
    assert f"line 1, column {column}" in problem(send(server, body), 400)["detail"]


def test_the_line_of_a_long_body(server):
    body = b'{"task":\n' + b"\n" * 5000 + json.dumps(MINIMAL).encode() + b"\nx}"
    assert "line 5003, column 1" in problem(send(server, body), 400)["detail"]


# Bodies from Windows: docket skips a mark before UTF-8, and names another encoding.

def test_a_byte_order_mark_before_the_body(server):
    reply = send(server, b"\xef\xbb\xbf" + task_json(title="marked"))
    assert (reply.status, reply.json["title"]) == (201, "marked")
    number = reply.json["id"]
    reply = server.call("PATCH", f"{TASKS}/{number}", b'\xef\xbb\xbf{"task": {"title": "b"}}', JSON)
    assert (reply.status, reply.json["title"]) == (200, "b")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le",
                                      "utf-32-be"])
def test_another_encoding_is_named(server, encoding):
    body = json.dumps(task(title="\u00e9\u6f22"), ensure_ascii=False).encode(encoding)
    before = server.create()["id"]
    assert problem(send(server, body), 400)["detail"] == (
        f"the body is {encoding[:6].upper()}; send UTF-8")
    assert server.create()["id"] == before + 1


@pytest.mark.parametrize("body, column", [(b"245\0", 4), (b'{"task": 1\0}', 11),
                                          (b'{"\xc3\xa9": null\0}', 11), (b'"a\0"', 3)])
def test_a_nul_is_named_with_its_place(server, body, column):
    assert problem(send(server, body), 400)["detail"] == (
        f"the body is not JSON: a NUL byte at line 1, column {column}")


def test_nothing_of_a_malformed_body_is_stored(server):
    before = server.create()["id"]
    for name, body, _ in MALFORMED:
        assert send(server, body).status == 400, f"accepted: {name}"
    assert server.create()["id"] == before + 1


def test_a_detail_does_not_repeat_the_body(server):
    """The client's text could be anything, and long."""
    detail = problem(send(server, b'{"task": <script>alert(1)</script>' + b"x" * 10000), 400)
    assert "script" not in detail["detail"] and len(detail["detail"]) < 200


# Well-formed but unusual

@pytest.mark.parametrize("body, field, value", cases([
    ("blanks everywhere", b' \r\n\t{ "task" :\t{' + json.dumps(MINIMAL).encode()[1:-1]
     + b' , "body" : "a" } } \n\n', "body", "a"),
    ("every short escape", inside(b'"body": "\\"\\\\\\/\\b\\f\\n\\r\\t"'), "body",
     "\"\\/\b\f\n\r\t"),
    ("escaped key", inside(b'"\\u0062ody": "a"'), "body", "a"),
    ("surrogate pair", inside(b'"body": "\\ud83d\\ude00"'), "body", "\U0001f600"),
    ("noncharacters", inside(b'"body": "\\uffff\\ufdd0"'), "body", "\uffff\ufdd0"),
    ("escaped control characters", inside(b'"body": "\\u0001\\u001f"'), "body", "\x01\x1f"),
    ("DEL and C1 unescaped", inside(b'"body": "\x7f\xc2\x80"'), "body", "\x7f\x80"),
    ("U+2028 unescaped", inside('"body": "\u2028"'.encode()), "body", "\u2028"),
    ("byte order mark in a text", inside('"body": "\ufeff"'.encode()), "body", "\ufeff"),
    ("the largest character", inside('"body": "\U0010ffff"'.encode()), "body", "\U0010ffff"),
]))
def test_well_formed(server, body, field, value):
    reply = send(server, body)
    assert reply.status == 201, reply
    assert reply.json[field] == value


@pytest.mark.parametrize("number", ["209.0", "2.09e2", "2090e-1", "0.0", "-0.0", "1E1"])
def test_a_number_with_a_fraction_or_an_exponent_is_no_integer(server, number):
    reply = send(server, inside(b'"subject_id": ' + number.encode()))
    assert faults(reply) == [("task.subject_id", "type")]


def test_minus_zero_is_zero(server):
    reply = send(server, inside(b'"subject_id": -0'))
    assert faults(reply) == [("task.subject_id", "range")]


def test_deep_but_not_too_deep(server):
    reply = send(server, inside(b'"body": ' + b"[" * 500 + b"]" * 500))
    assert faults(reply) == [("task.body", "type")]


def test_keys_differ_by_case(server):
    reply = send(server, inside(b'"Title": "Another"'))
    assert faults(reply) == [("task.Title", "unknown_field")]


# Size

def test_a_body_of_exactly_the_limit(server):
    body = task_json()
    reply = send(server, body.ljust(LIMIT))
    assert reply.status == 201, reply
    assert len(body.ljust(LIMIT)) == 1048576


@pytest.mark.parametrize("size", [LIMIT + 1, LIMIT + 65536, 3 * LIMIT])
def test_a_body_past_the_limit(server, size):
    """The server may answer without reading the body, so the test uses a raw connection."""
    with Wire(server) as wire:
        wire.send(server.request("POST", TASKS, JSON_LINE,
                                 f"Content-Length: {size}"))
        wire.offer(task_json().ljust(size))
        problem(wire.reply("POST"), 413)


def test_a_body_past_the_limit_stores_nothing(server):
    before = server.create()["id"]
    test_a_body_past_the_limit(server, LIMIT + 1)
    assert server.create()["id"] == before + 1


@pytest.mark.parametrize("size, status", [(LIMIT, 201), (LIMIT + 1, 413), (2 * LIMIT, 413)])
def test_a_chunked_body_at_the_limit(server, size, status):
    whole = task_json().ljust(size)
    parts = [whole[at:at + 65536] for at in range(0, size, 65536)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    with Wire(server) as wire:
        wire.send(server.request("POST", TASKS, JSON_LINE,
                                 "Transfer-Encoding: chunked"))
        wire.offer(chunks)
        reply = wire.reply("POST")
    if status == 413:
        problem(reply, 413)
    else:
        assert reply.status == status, reply


# Content-Type and Content-Encoding

def with_type(server, value, body=None):
    headers = {} if value is None else {"Content-Type": value}
    return server.call("POST", TASKS, body or task_json(), headers)


@pytest.mark.parametrize("value", [
    None, "", "application/json", "application/json; charset=utf-8",
    "application/json;charset=UTF-8", "application/json; charset=\"utf-8\"", "APPLICATION/JSON",
    "Application/Json ; Charset=Utf-8", "application/json; indent=2",
    "application/merge-patch+json", "application/vnd.trackops+json"])
def test_a_content_type_that_is_json(server, value):
    reply = with_type(server, value)
    assert reply.status == 201, reply
    assert reply.json["title"] == MINIMAL["title"]


@pytest.mark.parametrize("value", [
    "text/plain", "text/json", "text/html; q=application/json", "application/xml",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=a",
    "application/octet-stream", "application/jsonp", "application/javascript", "application",
    "application/", "json", "*/*", "application/*", "application/json, text/plain",
    "application/json text/plain", "xapplication/json", "application/json; charset=iso-8859-1",
    "application/json; charset=utf-16", "application/json; charset=utf-8x",
    "application/json; charset=\"latin1\"", "text/vnd.trackops+json"])
def test_a_content_type_that_is_not_json(server, value):
    detail = problem(with_type(server, value), 415)["detail"]
    assert "Content-Type" in detail and "application/json" in detail


def test_the_content_type_is_judged_before_the_body(server):
    problem(with_type(server, "text/plain", b"{"), 415)


@pytest.mark.parametrize("value", ["gzip", "deflate", "br", "x-gzip", "compress", "zstd",
                                   "gzip, identity", "identity, gzip", "GZIP", "nonsense"])
def test_a_content_encoding(server, value):
    reply = send(server, task_json(), Content_Encoding=value)
    assert "Content-Encoding" in problem(reply, 415)["detail"]


@pytest.mark.parametrize("value", ["identity", "Identity"])
def test_a_content_encoding_that_changes_nothing(server, value):
    assert send(server, task_json(), Content_Encoding=value).status == 201


def test_a_get_needs_no_content_type(server):
    made = server.create()["id"]
    assert server.get(made, headers={"Content-Type": "text/plain"}).status == 200
