"""Runs docket and speaks to it: what every file of the black-box suite shares."""
import base64
import contextlib
import http
import itertools
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

import requests

import postgres
from backends import Database, where

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = os.path.abspath(os.environ.get("DOCKET_PROGRAM", ROOT / "build" / "docket"))
TASKS = "/api/v1/tasks"
JSON = {"Content-Type": "application/json"}

# Generous, because the program may run under a sanitizer: they only end a test that hangs.
COMMAND_S = 180
START_S = 60
ANSWER_S = 60
STOP_S = 12
CLOSE_S = 15  # shorter than the server's patience with a silent connection

# The example of the reference, word for word.
EXAMPLE = """{
"task": {
"casefile_id": 245,
"subject_id": 209,
"case_service_id": 1,
"calendar_id": 1,
"due_on": "2023-02-14",
"alert_at": "2023-02-01",
"title": "Test API Task",
"body": "this is a test task from the API",
"address": {
"address_1": "2000 Blake Street",
"address_2": "",
"address_3": "",
"city": "Denver",
"state": "CO",
"zip": 80202
},
"users_list": [1, 2, 3]
}
}
"""

MINIMAL = {"casefile_id": 245, "calendar_id": 1, "due_on": "2023-02-14", "title": "A task"}
REQUIRED = list(MINIMAL)
FIELDS = ["id", "casefile_id", "calendar_id", "subject_id", "case_service_id", "status", "due_on",
          "title", "body", "address", "users_list", "alert_at", "alert_sent_at", "complete_at",
          "external_id", "created_at", "updated_at"]
ADDRESS_PARTS = ["address_1", "address_2", "address_3", "city", "state", "zip", "country"]
CODES = {"required", "unknown_field", "type", "format", "range", "blank", "too_long", "too_many",
         "control", "choice", "read_only", "not_found", "mismatch", "repeated",
         "taken", "in_use", "not_allowed"}

# RFC 9110 renamed some of them.
TITLES = {413: {"Content Too Large", "Payload Too Large"},
          414: {"URI Too Long", "Request-URI Too Long"},
          422: {"Unprocessable Content", "Unprocessable Entity"}}

# Headers whose values no two answers share.
OWN = {"Date", "X-Request-Id"}

SANITIZER = re.compile(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:")


def task(without=(), **fields):
    """A create request's object: the required fields, with `fields` over them."""
    record = {**MINIMAL, **fields}
    for name in without:
        del record[name]
    return {"task": record}


def label(value):
    """A short, readable id for a case of a table."""
    text = json.dumps(value)
    return text if len(text) <= 48 else text[:36] + f"...{len(text)}"


def cases(table):
    """The keyword arguments of parametrize for rows whose first column is their name."""
    import pytest
    return [pytest.param(*row[1:], id=str(row[0])) for row in table]


def strict_json(data):
    """Parses UTF-8 JSON and refuses what RFC 8259 does, and a key that comes twice."""
    def once(pairs):
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), f"a key twice: {keys}"
        return dict(pairs)

    def constant(name):
        raise AssertionError(f"{name} is not JSON")
    return json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=constant)


class Reply:
    """One answer, however it was fetched."""

    def __init__(self, status, reason, headers, body):
        self.status, self.reason, self.headers, self.body = status, reason, list(headers), body

    def header(self, name):
        """The header's value, None where there is none; it must not come twice."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def json(self):
        return strict_json(self.body)

    def __repr__(self):
        return f"<{self.status} {self.reason} {self.headers} {self.body[:2000]!r}>"


def problem(reply, status, fields=None):
    """Asserts that the reply is a well-formed problem (RFC 9457) of that status, with `errors`
    where they belong (`fields` says for a 400 whether they do). Returns it."""
    assert reply.status == status, reply
    assert reply.header("Content-Type") == "application/problem+json", reply
    answer = reply.json
    keys = ["detail", "type", "title", "status"]
    if fields or (fields is None and status == 422):
        keys.append("errors")
    assert list(answer) == keys, reply
    assert answer["type"] == "about:blank"
    assert answer["title"] in TITLES.get(status, {http.HTTPStatus(status).phrase}), reply
    assert answer["status"] == status
    assert isinstance(answer["detail"], str) and answer["detail"]
    for word in ("sqlite", "postgres", "PostgreSQL", "SELECT ", "INSERT ", ".c:", "/src/", "/tmp"):
        assert word not in reply.body.decode(), reply
    if "errors" in keys:
        check_errors(answer)
    return answer


def check_errors(answer):
    errors = answer["errors"]
    assert errors
    for error in errors:
        assert list(error) == ["field", "code", "message"], error
        assert error["code"] in CODES, error
        assert isinstance(error["field"], str)
        assert isinstance(error["message"], str) and error["message"]
    check_detail(answer["detail"], errors)


# What a client that shows only the beginning of a detail must see first.
ORDER = [{"unknown_field"}, {"required"}, {"type"},
         {"format", "choice", "range", "blank", "too_long", "too_many", "control", "repeated"},
         {"read_only", "not_allowed"}, {"not_found"}, {"mismatch", "taken", "in_use"}]


def check_detail(detail, errors):
    """It has each field with its message, the most useful first, or as many as fit."""
    order = sorted(errors, key=lambda error: next(
        rank for rank, codes in enumerate(ORDER) if error["code"] in codes))
    pairs = []
    for message, group in itertools.groupby(order, key=lambda error: error["message"]):
        pairs.append((list(dict.fromkeys(error["field"] for error in group)), message))
    whole = "; ".join(f"{', '.join(names)}: {message}" for names, message in pairs)
    if not all(error["field"].isprintable() and len(error["field"]) <= 100 for error in errors):
        return
    told = re.fullmatch(r"(.*); and (\d+) more", detail, re.DOTALL)
    if not told:
        assert detail == whole and len(detail.encode()) <= 1000, (detail, whole)
        return
    # The last message follows the names that fit.
    names, message = told[1].split(": ", 1) if len(pairs) == 1 else told[1].rsplit(": ", 1)
    assert len(detail.encode()) <= 500, detail
    assert whole.startswith(names) and message in told[1] and int(told[2]) > 0, (detail, whole)


def faults(reply, status=422):
    """The (field, code) pairs of a refusal, sorted."""
    answer = problem(reply, status, fields=True)
    return sorted((error["field"], error["code"]) for error in answer["errors"])


def messages(reply, status=422):
    """The messages of a refusal by field."""
    answer = problem(reply, status, fields=True)
    return {error["field"]: error["message"] for error in answer["errors"]}


def basic(user, password):
    """The value of an Authorization header; both may be text or bytes."""
    pair = [part if isinstance(part, bytes) else part.encode() for part in (user, password)]
    return "Basic " + base64.b64encode(b":".join(pair)).decode()


def environment(more=None):
    """The caller's environment without settings for docket, in a time zone and a locale that
    must not show in any answer."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("DOCKET_")}
    env.update(TZ="ODD-12:45", LC_ALL="C")
    env.update({key: str(value) for key, value in (more or {}).items()})
    return env


def plain(text):
    """Lines of standard error with docket's own messages as they are in text, so that a test need
    not know the format of the log. The lines of requests stay as they are."""
    def line(said):
        if not said.startswith('{"time":') or '"message":' not in said:
            return said
        message = strict_json(said.encode())
        assert list(message) == ["time", "message"], said
        return f"docket: {message['message']}\n"
    return "".join(line(said) for said in text.splitlines(keepends=True))


def run(*arguments, env=None, umask=-1):
    """Runs a docket command to its end."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], env=environment(env), umask=umask,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=COMMAND_S, cwd=tempfile.gettempdir(),
                          encoding="utf-8", errors="replace")
    assert not SANITIZER.search(done.stderr), done.stderr
    done.stderr = plain(done.stderr)
    return done


def succeed(*arguments, **options):
    done = run(*arguments, **options)
    assert done.returncode == 0, done
    return done


def token_file(place, name="token"):
    """Where the token of a place that is being made can be put."""
    if isinstance(place, Database):
        return postgres.run_folder() / f"{place.name}.{name}"
    return place.with_name(f"{place.name}.{name}")


def make_data(place, tasks=0, options=()):
    """Makes the base records in a place, and `tasks` more tasks; returns the API token."""
    file = token_file(place)
    succeed("init", *where(place), *options, "--token-file", file)
    succeed("demo", *where(place), "--tasks", tasks)
    return file.read_text().strip()


SOURCES = itertools.count(1)


def new_source():
    """An address of this machine that no request came from yet: docket limits how often one may
    be refused."""
    return "127.1.%d.%d" % divmod(next(SOURCES), 256)


class From(requests.adapters.HTTPAdapter):
    """Connects from an address."""

    def __init__(self, source):
        self.source = source
        super().__init__()

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, source_address=(self.source, 0), **options)


class Server:
    """A `docket serve` process on a data folder or a database, and requests to it."""

    every = []  # all that were started, for the report of a failed test

    def __init__(self, data, token, log, options=(), env=None, preexec=None, listen="127.0.0.1:0",
                 user="admin", stdout=subprocess.DEVNULL):
        """Without `data` it is told by `options` what it serves."""
        self.data, self.token, self.log, self.user, self.stdout = data, token, log, user, stdout
        self.arguments = [PROGRAM, "serve", *(where(data) if data else []), *map(str, options)]
        if listen:
            self.arguments += ["--listen", listen]
        self.env, self.preexec = environment(env), preexec
        self.process = None
        Server.every.append(self)
        self.start()

    def start(self):
        """Starts it, or starts it again; returns once it accepts."""
        with open(self.log, "ab") as log:
            before = log.tell()
            self.process = subprocess.Popen(
                self.arguments, env=self.env, stdin=subprocess.DEVNULL, stderr=log,
                stdout=self.stdout, preexec_fn=self.preexec, cwd=tempfile.gettempdir())
        deadline = time.monotonic() + START_S
        line = re.compile(rb"^listening on https?://(\S+):(\d+)$", re.MULTILINE)
        while True:
            running = self.running()
            ready = line.search(self.log.read_bytes()[before:])
            if ready:
                break
            if running and time.monotonic() < deadline:
                time.sleep(0.02)
                continue
            self.process.kill()
            status = self.process.wait()
            raise AssertionError(f"serve does not listen (status {status}):\n{self.stderr()}")
        self.host, self.port = ready[1].decode(), int(ready[2])
        self.session = requests.Session()
        self.session.trust_env = False

    def keep_port(self):
        """Makes it listen where it does when it is started again."""
        self.arguments[self.arguments.index("--listen") + 1] = f"{self.host}:{self.port}"

    def stderr(self, start=0):
        """What it has said, from that byte on."""
        with open(self.log, "rb") as log:
            log.seek(start)
            return plain(log.read().decode(errors="replace"))

    def messages(self):
        """What it has said itself: all but the lines of requests and the line that tells its
        version."""
        return [line for line in self.stderr().splitlines()
                if not line.startswith("{") and not line.startswith("docket: version ")]

    def lines(self, start=0, count=0):
        """The lines of requests from that byte on; waits until there are `count`, because a
        request's comes a moment after its answer."""
        deadline = time.monotonic() + ANSWER_S
        while True:
            found = [line for line in self.stderr(start).splitlines(keepends=True)
                     if line.startswith('{"time":')]
            if len(found) >= count and all(line.endswith("\n") for line in found):
                return [strict_json(line.encode()) for line in found]
            assert time.monotonic() < deadline, f"expected {count} lines: {found}"
            time.sleep(0.01)

    def running(self):
        return self.process.poll() is None

    def processor(self):
        """How many seconds of a processor it has used."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """How many bytes of its own it has in memory."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"^RssAnon:\s+(\d+) kB$", status.read(), re.MULTILINE)[1]) * 1024

    def stop(self, how=signal.SIGTERM):
        """Ends it as an operator would, and asserts that it went well. A client that stays
        connected would cost it a second."""
        self.session.close()
        self.process.send_signal(how)
        self.wait()

    def wait(self):
        try:
            status = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"serve did not end within {STOP_S} s") from None
        self.session.close()
        assert status == 0, f"serve ended with {status}:\n{self.stderr()}"
        self.check_stderr()

    def check_stderr(self):
        assert not SANITIZER.search(self.stderr()), self.stderr()

    def kill(self):
        """As a power cut would."""
        self.process.kill()
        self.process.wait()
        self.session.close()

    @property
    def access(self):
        return basic(self.user + "/token", self.token)

    def call(self, method, path, body=None, headers=(), access=True):
        """One request by an ordinary client. `access` False sends no Authorization header, a
        text is its value; then it comes from an address of its own."""
        headers = dict(headers)
        if access:
            headers["Authorization"] = self.access if access is True else access
        with contextlib.ExitStack() as stack:
            session = self.session
            if access is not True:
                session = stack.enter_context(requests.Session())
                session.trust_env = False
                if self.host.startswith("127."):
                    session.mount("http://", From(new_source()))
            answer = session.request(
                method, f"http://{self.host}:{self.port}{path}", data=body, headers=headers,
                timeout=ANSWER_S, allow_redirects=False)
        return Reply(answer.status_code, answer.reason, answer.raw.headers.items(),
                     answer.content)

    def get(self, task_id, **options):
        return self.call("GET", f"{TASKS}/{task_id}", **options)

    def post(self, value, headers=(), **options):
        """POST of any JSON value."""
        body = json.dumps(value, ensure_ascii=False).encode()
        return self.call("POST", TASKS, body, {**JSON, **dict(headers)}, **options)

    def create(self, **fields):
        """Creates a task of the required fields and `fields`; returns the record."""
        reply = self.post(task(**fields))
        assert reply.status == 201, reply
        return reply.json

    def request(self, method, target, *lines, body=b"", version="HTTP/1.1"):
        """The bytes of a correct request, for a raw socket."""
        if body:
            lines = (*lines, f"Content-Length: {len(body)}")
        head = [f"{method} {target} {version}", f"Host: {self.host}",
                f"Authorization: {self.access}", *lines, "", ""]
        return "\r\n".join(head).encode("latin-1") + body


class Wire:
    """One connection over a raw socket: it says exactly the bytes that it is told to. It comes from
    `source`, or from an address of its own."""

    def __init__(self, server, source=None):
        self.source = source
        if not source and server.host.startswith("127."):
            self.source = new_source()
        self.socket = socket.create_connection((server.host, server.port), ANSWER_S,
                                               self.source and (self.source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def offer(self, data):
        """Sends what the server may refuse to read to its end; false where it did."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def more(self):
        """Reads some; false at the end of the connection."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.buffer += data
        return bool(data)

    def take(self, count):
        while len(self.buffer) < count:
            assert self.more(), f"closed in the middle of an answer: {self.buffer[-2000:]!r}"
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def reply(self, method="GET"):
        """The next answer to a request of that method; None where the connection is closed."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.more():
                assert not self.buffer, f"half an answer: {self.buffer!r}"
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, reason = first.split(" ", 2)
        assert version in ("HTTP/1.0", "HTTP/1.1"), first
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        reply = Reply(int(status), reason, headers, b"")
        if method == "HEAD" or reply.status < 200 or reply.status in (204, 304):
            return reply
        length = reply.header("Content-Length")
        assert length is not None, reply
        reply.body = self.take(int(length))
        return reply

    def to_end(self):
        """Reads all that still comes; true when the server then closes the connection."""
        self.socket.settimeout(CLOSE_S)
        try:
            while self.more():
                pass
        except socket.timeout:
            return False
        finally:
            self.socket.settimeout(ANSWER_S)
        return True

    def at_end(self):
        """True when the server says nothing more and closes the connection."""
        return not self.buffer and self.to_end() and not self.buffer
