"""docket refuses request lines and targets that could be read in two ways, as test_framing.py tests
for whole requests. It accepts odd ones that are correct."""
import pytest

from framing import accept, refuse, refuse_400, request
from harness import TASKS, cases, problem
from library import OLD

@pytest.mark.parametrize("first", cases([
    ("two blanks before the target", b"GET  {path} HTTP/1.1"),
    ("two blanks behind the target", b"GET {path}  HTTP/1.1"),
    ("a blank at the end", b"GET {path} HTTP/1.1 "),
    ("a tab before the target", b"GET\t{path} HTTP/1.1"),
    ("a tab behind the target", b"GET {path}\tHTTP/1.1"),
    ("a tab behind a blank", b"GET {path} \tHTTP/1.1"),
    ("a blank at the start", b" GET {path} HTTP/1.1"),
    ("a blank in the target", b"GET {path} x HTTP/1.1"),
    ("a word behind the version", b"GET {path} HTTP/1.1 HTTP/1.1"),
    ("a lower-case version", b"GET {path} http/1.1"),
    ("HTTP/2.0", b"GET {path} HTTP/2.0"),
    ("HTTP/1.10", b"GET {path} HTTP/1.10"),
    ("HTTP/01.1", b"GET {path} HTTP/01.1"),
    ("HTTP/1", b"GET {path} HTTP/1"),
    ("HTTP/1.", b"GET {path} HTTP/1."),
    ("HTTP/1,1", b"GET {path} HTTP/1,1"),
    ("HTTP 1.1", b"GET {path} HTTP 1.1"),
    ("another protocol", b"GET {path} HTTPS/1.1"),
    ("HTTP/0.9", b"GET {path} HTTP/0.9"),
    ("no version", b"GET {path}"),
    ("no version and a blank", b"GET {path} "),
    ("no target", b"GET HTTP/1.1"),
    ("no target and two blanks", b"GET  HTTP/1.1"),
    ("no method", b"{path} HTTP/1.1"),
    ("a method that is no token", b"GE(T {path} HTTP/1.1"),
    ("CR in the target", b"GET {path}\rX HTTP/1.1"),
    ("CR in the method", b"G\rET {path} HTTP/1.1"),
    ("CR behind the version", b"GET {path} HTTP/1.1\r"),
    ("NUL in the method", b"G\0ET {path} HTTP/1.1"),
    ("NUL behind the method", b"GET\0 {path} HTTP/1.1"),
    ("NUL behind the target", b"GET {path}\0 HTTP/1.1"),
    ("NUL in the target", b"GET {path}\0x HTTP/1.1"),
    ("NUL in the query", b"GET {path}?a\0b HTTP/1.1"),
    ("NUL behind the version", b"GET {path} HTTP/1.1\0"),
    ("NUL in the version", b"GET {path} HTTP/1.\x001"),
    ("0x01 in the target", b"GET {path}\x01 HTTP/1.1"),
    ("0x7f in the target", b"GET {path}\x7f HTTP/1.1"),
    ("0x0b in the target", b"GET {path}\x0b HTTP/1.1"),
    ("0x0b behind the target", b"GET {path} \x0bHTTP/1.1"),
]))
def test_request_line(server, first):
    path = f"{TASKS}/{server.create()['id']}".encode()
    data = request(server, b"X: y", b"", first.replace(b"{path}", path))
    reply = refuse(server, data, silently=True)
    assert reply is None or reply.status in (400, 505), f"expected 400 or 505: {reply}"


@pytest.mark.parametrize("version", ["1.2", "1.9"])
def test_minor_version(server, version):
    data = request(server, b"X: y", b"", b"GET /api/v1/me HTTP/" + version.encode())
    assert "HTTP/1.1" in problem(refuse(server, data), 505)["detail"]


@pytest.mark.parametrize("target", cases([
    ("a timestamp", b"/api/v1/tasks?updated_from=2024-01-01 00:00:00"),
    ("in the path", b"/api/v1/tasks /1"),
    ("two", b"/api/v1/tasks?title=a b c"),
    ("at the end", b"/api/v1/tasks?title=a "),
    ("a long target", b"/api/v1/tasks?title=a " + b"b" * 20000),
]))
@pytest.mark.parametrize("method", [b"GET", b"POST", b"DELETE"])
def test_blank_in_the_target(server, method, target):
    """The message names this common mistake with timestamps, and so does the log."""
    offset = server.log_end()
    data = request(server, b"X: y", b"", method + b" " + target + b" HTTP/1.1")
    reply = refuse_400(server, data, by_library=True)
    if OLD:
        assert "%20" in reply.json["detail"]
        line, = [line for line in server.lines(offset, 1) if line["status"] == 400]
        assert line["method"] == method.decode() and line["path"].startswith("/api/v1/tasks")


@pytest.mark.parametrize("target", cases([
    ("NUL encoded", b"{path}%00"),
    ("NUL encoded, more behind", b"{path}%00/x"),
    ("NUL in the middle", b"/api/v1%00/tasks/1"),
    ("a slash encoded", b"/api/v1/tasks%2F1"),
    ("a slash encoded, small", b"/api%2fv1/tasks/1"),
    ("a slash encoded, last", b"{path}%2F"),
    ("half an encoding", b"{path}%"),
    ("one digit", b"{path}%3"),
    ("no digits", b"{path}%zz"),
    ("a sign", b"{path}%+1"),
    ("an encoded byte that is not UTF-8", b"{path}%ff"),
    ("an overlong slash", b"/api/v1/tasks%c0%af1"),
    ("an encoded surrogate", b"{path}%ed%a0%80"),
    ("no slash", b"api/v1/tasks/1"),
    ("authority", b"docket.example:80"),
    ("a host alone", b"docket.example"),
    ("another scheme", b"ftp://docket.example{path}"),
    ("a scheme without a host", b"http:{path}"),
    ("an empty host", b"http://{path}"),
    ("a host of slashes", b"http:///{path}"),
    ("a backslash", b"\\api\\v1\\tasks\\1"),
]))
def test_target(server, target):
    path = f"{TASKS}/{server.create()['id']}".encode()
    first = b"GET " + target.replace(b"{path}", path) + b" HTTP/1.1"
    refuse_400(server, request(server, b"X: y", b"", first))


def test_connect(server):
    reply = refuse(server, request(server, b"X: y", b"", b"CONNECT docket.example:80 HTTP/1.1"))
    assert reply.status in (400, 405, 501), reply


@pytest.mark.parametrize("first", cases([
    ("an empty line before", b"\r\nGET {path} HTTP/1.1"),
    ("absolute", b"GET http://docket.example{path} HTTP/1.1"),
    ("absolute, https", b"GET HTTPS://docket.example:443{path} HTTP/1.1"),
    ("absolute, another host", b"GET http://other.example{path} HTTP/1.1"),
    ("encoded letters", b"GET /api/v1/%74%61sks/{id} HTTP/1.1"),
]))
def test_correct_request_line(server, first):
    made = server.create()
    first = first.replace(b"{path}", f"{TASKS}/{made['id']}".encode())
    first = first.replace(b"{id}", b"%d" % made["id"])
    assert accept(server, request(server, b"X: y", b"", first), 200).json == made
