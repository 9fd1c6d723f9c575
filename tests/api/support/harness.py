"""Runs docket and sends it requests: helpers for every file of the suite."""
import base64
import http
import itertools
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import tempfile
import time

import requests

import postgres
from backends import Database, where
from together import until
from wire import Kept, exchange, message, new_source, number_of, strict_json

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = os.path.abspath(os.environ.get("DOCKET_PROGRAM", ROOT / "build" / "docket"))
# Sanitizers keep what is freed, and are slow.
SANITIZED = os.path.exists(PROGRAM) and any(
    name in pathlib.Path(PROGRAM).read_bytes() for name in (b"__asan_init", b"__tsan_init"))
TASKS = "/api/v1/tasks"
JSON = {"Content-Type": "application/json"}

# These times only end a test that hangs. They are long, because the program may run under a sanitizer.
COMMAND_S = 180
START_S = 60
STOP_S = 40 if SANITIZED else 12  # docket takes up to 11 s, and a sanitizer then looks for leaks
SLOW = 10 if SANITIZED else 1  # a factor for the times that a test demands of docket

# The statement timeout that docket has by default, for a test that means it. Other tests have more time with
# a slow program, so that no read is refused because the machine has other work.
BRIEF = {"DOCKET_STATEMENT_TIMEOUT": 2000}
PATIENT = {"DOCKET_STATEMENT_TIMEOUT": 30000} if SANITIZED else {}

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

# RFC 9110 renamed some titles.
TITLES = {413: {"Content Too Large", "Payload Too Large"},
          414: {"URI Too Long", "Request-URI Too Long"},
          422: {"Unprocessable Content", "Unprocessable Entity"}}

# Headers that differ in every answer.
OWN = {"Date", "X-Request-Id"}

SANITIZER = re.compile(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:")


def task(without=(), **fields):
    """The body of a create: the required fields, overridden by `fields`."""
    record = {**MINIMAL, **fields}
    for name in without:
        del record[name]
    return {"task": record}


def task_json(without=(), **fields):
    """The same as the bytes of a body."""
    return json.dumps(task(without, **fields)).encode()


def label(value):
    """A short, readable id for a case of a table."""
    text = json.dumps(value)
    return text if len(text) <= 48 else text[:36] + f"...{len(text)}"


def cases(table):
    """The keyword arguments of parametrize for rows whose first column is their name."""
    import pytest
    return [pytest.param(*row[1:], id=str(row[0])) for row in table]


def problem(reply, status, fields=None):
    """Asserts that the reply is a well-formed problem (RFC 9457) of that status, with `errors` if it must
    have them (for a 400 `fields` says so). Returns the problem."""
    assert reply.status == status, reply
    assert reply.header("Content-Type") == "application/problem+json", reply
    answer = reply.json
    keys = ["detail", "type", "title", "status", "code"]
    if fields or (fields is None and status == 422):
        keys.append("errors")
    if len(answer.get("errors", [])) == 100 and "errors_omitted" in answer:
        keys.append("errors_omitted")
        assert answer["errors_omitted"] > 0, reply
    assert list(answer) == keys, reply
    assert answer["type"].endswith("/docs/errors/" + answer["code"]), reply
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


# The order of errors in a detail: some clients show only its beginning.
ORDER = [{"unknown_field"}, {"required"}, {"type"},
         {"format", "choice", "range", "blank", "too_long", "too_many", "control", "repeated"},
         {"read_only", "not_allowed"}, {"not_found"}, {"mismatch", "taken", "in_use"}]


def check_detail(detail, errors):
    """Asserts that the detail has each field with its message, the most useful first, or as many as fit."""
    order = sorted(errors, key=lambda error: next(
        rank for rank, codes in enumerate(ORDER) if error["code"] in codes))
    pairs = []
    for said, group in itertools.groupby(order, key=lambda error: error["message"]):
        pairs.append((list(dict.fromkeys(error["field"] for error in group)), said))
    whole = "; ".join(f"{', '.join(names)}: {said}" for names, said in pairs)
    if not all(error["field"].isprintable() and len(error["field"]) <= 100 for error in errors):
        return
    told = re.fullmatch(r"(.*); and (\d+) more", detail, re.DOTALL)
    if not told:
        assert detail == whole and len(detail.encode()) <= 1000, (detail, whole)
        return
    # The last message follows the names that fit.
    names, said = told[1].split(": ", 1) if len(pairs) == 1 else told[1].rsplit(": ", 1)
    assert len(detail.encode()) <= 500, detail
    assert whole.startswith(names) and said in told[1] and int(told[2]) > 0, (detail, whole)


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
    """The caller's environment without settings for docket. Its time zone and locale must not show in any
    answer."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("DOCKET_")}
    env.update(TZ="ODD-12:45", LC_ALL="C")
    env.update({key: str(value) for key, value in (more or {}).items()})
    return env


def plain(text):
    """Standard error, with docket's own messages in their text form, so that a test does not depend on the
    format of the log. The lines of requests stay unchanged. Statements that were slow are left out: on a
    machine with other work any may be."""
    def line(said):
        if not said.startswith('{"time":') or '"message":' not in said:
            return said
        message = strict_json(said.encode())
        if message["message"] == "slow statement":
            return ""
        assert list(message) == ["time", "message"], said
        return f"docket: {message['message']}\n"
    return "".join(line(said) for said in text.splitlines(keepends=True))


def begin(*arguments, env=None, before=(), how=subprocess.Popen, **options):
    """Starts a docket command, by the words `before`, with more options of Popen."""
    return how([*before, PROGRAM, *map(str, arguments)], env=environment(env), **{
        "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
        "cwd": tempfile.gettempdir(), "encoding": "utf-8", "errors": "replace", **options})


def run(*arguments, **options):
    """The same to its end."""
    done = begin(*arguments, how=subprocess.run, **{"timeout": COMMAND_S, **options})
    if done.stderr is not None:
        assert not SANITIZER.search(done.stderr), done.stderr
        done.stderr = plain(done.stderr)
    return done


def succeed(*arguments, **options):
    done = run(*arguments, **options)
    assert done.returncode == 0, done
    return done


def token_file(place, name="token"):
    """The path for the file of a new place's token."""
    if isinstance(place, Database):
        return postgres.run_folder() / f"{place.name}.{name}"
    return place.with_name(f"{place.name}.{name}")


def make_data(place, tasks=0, options=()):
    """Makes the base records in a place, and `tasks` more tasks; returns the API token."""
    file = token_file(place)
    succeed("init", *where(place), *options, "--token-file", file)
    succeed("demo", *where(place), "--tasks", tasks)
    return file.read_text().strip()


ENDS = itertools.count(1)
# What clients send by themselves.
CLIENT = {"User-Agent": "tests", "Accept-Encoding": "gzip, deflate", "Accept": "*/*",
          "Connection": "keep-alive"}


def quoted(path):
    """A path with its query as an ordinary client sends it."""
    if re.fullmatch(r"(?:/[\w~-][\w.~-]*)*/?(?:\?[\w=&,.~+:/-]*)?", path, re.ASCII):
        return path
    request = requests.PreparedRequest()
    request.prepare_url("http://docket.example" + path, None)
    return request.path_url


def descriptors(count):
    """A preexec of a server that may have so many descriptors."""
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def ignore_too_large():
    """A preexec of a server for limit_files(): a write then fails, and does not end the process."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def limit_files(server, size):
    """Limits the size of the server's files, which acts like a full disk and needs no mount."""
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def shown(method, path, reply):
    """The answer of any client, which --described or --prism checks first."""
    if Server.check:
        Server.check(method, path, reply)
    return reply


class Server:
    """A `docket serve` process on a data folder or a database, and requests to it."""

    every = []  # servers that may run, for the report of a failed test
    check = None  # is called with the method, the path and the answer of each request by an HTTP library

    def __init__(self, data, token, log, options=(), env=None, preexec=None, listen="127.0.0.1:0",
                 user="admin", stdout=subprocess.DEVNULL, before=(), pass_fds=()):
        """Without `data`, `options` must say what to serve. The words `before` start the program."""
        self.data, self.token, self.log, self.user, self.stdout = data, token, log, user, stdout
        self.pass_fds = pass_fds
        self.arguments = [*before, PROGRAM, "serve", *(where(data) if data else []), *map(str, options)]
        if listen:
            self.arguments += ["--listen", listen]
        self.env, self.preexec = environment({**PATIENT, **dict(env or {})}), preexec
        self.name = None  # what requests over a raw socket call it, in place of its address
        self.process, self.since = None, 0
        self.start()

    def start(self):
        """Starts the server, or starts it again; returns when it accepts connections."""
        if self not in Server.every:
            Server.every.append(self)
        with open(self.log, "ab") as log:
            before = log.tell()
            self.process = subprocess.Popen(
                self.arguments, env=self.env, stdin=subprocess.DEVNULL, stderr=log,
                stdout=self.stdout, preexec_fn=self.preexec, pass_fds=self.pass_fds,
                cwd=tempfile.gettempdir())
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
        self.kept = Kept(self)

    def stderr(self, start=0):
        """The server's standard error from that byte on."""
        with open(self.log, "rb") as log:
            log.seek(start)
            return plain(log.read().decode(errors="replace"))

    def messages(self):
        """The server's own messages: standard error without the lines of requests and the line with the
        version."""
        return [line for line in self.stderr().splitlines()
                if not line.startswith("{") and not line.startswith("docket: version ")]

    def log_end(self):
        """Where the log ends. From there on, lines() has only requests that come later: a line of an
        earlier one may be late, but not behind that of the same connection."""
        name = f"end-{next(ENDS)}"
        self.call("GET", "/api/v1/me", headers={"X-Request-Id": name})
        until(lambda: name.encode() in self.log.read_bytes(), what="no line", pause=0.005)
        self.since = number_of(new_source())
        return self.log.stat().st_size

    def lines(self, start=0, count=0):
        """The lines of requests from that byte on. It waits until there are `count`, because docket
        logs a request a moment after the answer."""
        def found():
            lines = [line for line in self.stderr(start).splitlines(keepends=True)
                     if line.startswith('{"time":')]
            if not all(line.endswith("\n") for line in lines):
                return None
            return [line for line in map(strict_json, map(str.encode, lines))
                    if not (number_of(line["source"]) or self.since) < self.since]

        return until(found, lambda lines: lines is not None and len(lines) >= count, pause=0.01)

    def running(self):
        return self.process.poll() is None

    def processor(self):
        """How many seconds of processor time the server has used."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """How many bytes of anonymous memory the server has."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"^RssAnon:\s+(\d+) kB$", status.read(), re.MULTILINE)[1]) * 1024

    def stop(self, how=signal.SIGTERM):
        """Ends the server as an operator does, and asserts that it ended with 0. It first closes its own
        connections, because the server would wait a second for them."""
        self.kept.close()
        self.process.send_signal(how)
        self.wait()

    def wait(self):
        try:
            status = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"serve did not end within {STOP_S} s") from None
        self.kept.close()
        assert status == 0, f"serve ended with {status}:\n{self.stderr()}"
        self.check_stderr()

    def check_stderr(self):
        assert not SANITIZER.search(self.stderr()), self.stderr()

    def kill(self):
        """Kills the server, as a power failure would."""
        self.process.kill()
        self.process.wait()
        self.kept.close()

    @property
    def access(self):
        return basic(self.user + "/token", self.token)

    def call(self, method, path, body=None, headers=(), access=True):
        """One request by an ordinary client. `access` False sends no Authorization header; a text is the
        header's value. In both cases the request comes from an address of its own."""
        headers = {"Host": f"{self.host}:{self.port}", **CLIENT, **dict(headers)}
        if access:
            headers["Authorization"] = self.access if access is True else access
        body = body.encode() if isinstance(body, str) else body or None
        if body is None and method not in ("GET", "HEAD"):
            body = b""
        data = message(method, quoted(path), headers=headers, body=body)
        reply = self.kept.exchange(data) if access is True else exchange(self, data)
        assert reply, f"closed without an answer: {method} {path}"
        return shown(method, path, reply)

    def get(self, task_id, **options):
        return self.call("GET", f"{TASKS}/{task_id}", **options)

    def post(self, value, headers=(), **options):
        """POST of any JSON value."""
        body = json.dumps(value, ensure_ascii=False).encode()
        return self.call("POST", TASKS, body, {**JSON, **dict(headers)}, **options)

    def create(self, **fields):
        """Creates a task with the required fields, overridden by `fields`; returns the record."""
        reply = self.post(task(**fields))
        assert reply.status == 201, reply
        return reply.json

    def request(self, method, target, *lines, body=b"", version="HTTP/1.1", host=None):
        """The bytes of a correct request, for a raw socket."""
        return message(method, target, f"Host: {host or self.name or self.host}",
                       f"Authorization: {self.access}", *lines, body=body or None, version=version)


class Client(Server):
    """A client with connections of its own to a server that another object started."""

    def __init__(self, server):
        self.__dict__.update(server.__dict__)
        self.kept = Kept(self)
