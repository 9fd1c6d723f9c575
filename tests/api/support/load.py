"""Many clients that create tasks at the same time, each task with its own title, and remember the
answers."""
import collections
import http.client
import itertools
import json
import threading
import time

from harness import JSON, TASKS, shown, strict_json, task
from wire import ANSWER_S, Reply

PAUSE_S = 0.02  # after a refusal or a lost connection


class Link:
    """A client with one connection, which it makes again when it was lost. If the server has a TLS context
    `tls`, the client uses it."""

    def __init__(self, deployment, server, account, source=None):
        self.deployment, self.server, self.account = deployment, server, account
        self.source = source and (source, 0)
        self.connection = None

    def connect(self):
        place, tls = (self.server.host, self.server.port), getattr(self.server, "tls", None)
        if tls:
            return http.client.HTTPSConnection(*place, timeout=ANSWER_S, context=tls,
                                               source_address=self.source)
        return http.client.HTTPConnection(*place, timeout=ANSWER_S, source_address=self.source)

    def ask(self, method, path, value=None, headers=()):
        """Sends a request; returns the answer's status, headers and body."""
        if not self.connection:
            self.connection = self.connect()
        body = None if value is None else json.dumps(value).encode()
        try:
            self.connection.request(method, path, body, {**self.deployment.headers(self.account),
                                                         **(JSON if body else {}),
                                                         **dict(headers)})
            answer = self.connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        shown(method, path, Reply(answer.status, answer.reason, answer.getheaders(), body))
        return answer.status, answer.headers, body

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Load:
    """`count` clients, each with one of the accounts and one of the servers. With `refusals` the answers may
    be 201 or 503 with Retry-After, and connections may be lost; without it only 201 is allowed. All else is a
    fault. After each 201 the client calls on_created(number, account, id, title)."""

    def __init__(self, deployment, servers, accounts, count, name="load", refusals=False,
                 on_created=None, headers=()):
        self.deployment, self.servers, self.accounts = deployment, servers, accounts
        self.name, self.refusals, self.on_created = name, refusals, on_created
        self.headers = headers
        self.created = {}  # (account, id) → title, of every 201
        self.doubled = []
        self.times = []    # of every 201
        self.refused = collections.Counter()
        self.unanswered = []
        self.slowest = 0
        self.faults = []
        self.ending = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.guard, args=(number,), daemon=True)
                        for number in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join(ANSWER_S + 10)
        if not kind:
            assert not any(thread.is_alive() for thread in self.threads), "a client hangs"
            assert not self.faults, self.faults[:3]

    def guard(self, number):
        try:
            self.write(number)
        except Exception as fault:  # noqa: __exit__() reports it
            self.faults.append(repr(fault))
            self.ending.set()

    def write(self, number):
        link = Link(self.deployment, self.servers[number % len(self.servers)],
                    self.accounts[number % len(self.accounts)])
        for turn in itertools.count():
            if self.ending.is_set():
                break
            title = f"{self.name} {number} {turn}"
            began = time.monotonic()
            try:
                status, headers, body = link.ask("POST", TASKS, task(title=title), self.headers)
            except (OSError, http.client.HTTPException) as fault:
                assert self.refusals, f"{title}: {fault!r}"
                self.unanswered.append(title)
                self.ending.wait(PAUSE_S)
                continue
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.note(number, link.account, title, status, headers, body)
        link.close()

    def note(self, number, account, title, status, headers, body):
        if status == 503 and self.refusals and headers["Retry-After"]:
            self.refused[strict_json(body)["detail"]] += 1
            self.ending.wait(PAUSE_S)
            return
        assert status == 201, f"{title}: {status} {body!r}"
        record = strict_json(body)
        assert record["title"] == title
        with self.lock:
            if (account, record["id"]) in self.created:
                self.doubled.append((account, record["id"]))
            self.created[account, record["id"]] = title
            self.times.append(time.monotonic())
        if self.on_created:
            self.on_created(number, account, record["id"], title)

    def wait_for(self, count, seconds=ANSWER_S):
        """Waits until the clients have created that many more tasks."""
        wanted, deadline = len(self.times) + count, time.monotonic() + seconds
        while len(self.times) < wanted:
            assert not self.faults, self.faults[:3]
            assert time.monotonic() < deadline, f"only {len(self.times)} of {wanted}: {self.refused}"
            time.sleep(0.005)

    def first_after(self, moment, seconds=ANSWER_S):
        """How many seconds after that moment the first 201 came."""
        deadline = moment + seconds
        while True:
            later = [at for at in self.times[-4000:] if at > moment]
            if later:
                return min(later) - moment
            assert not self.faults, self.faults[:3]
            assert time.monotonic() < deadline, f"no 201 in {seconds} s: {self.refused}"
            time.sleep(0.005)

    def check(self, stored=None):
        """Asserts that every task with a 201 is stored once under its id, and no title twice. Returns how
        many tasks were stored without a 201."""
        stored = self.deployment.titles() if stored is None else stored
        assert not self.doubled, self.doubled[:5]
        missing = {key: title for key, title in self.created.items() if stored.get(key) != title}
        assert not missing, f"{len(missing)} were answered 201 and are not there: " \
                            f"{list(missing.items())[:5]}"
        titles = collections.Counter(title for title in stored.values()
                                     if title.startswith(self.name + " "))
        twice = [title for title, times in titles.items() if times > 1]
        assert not twice, f"stored twice: {twice[:5]}"
        return len(titles) - len(self.created)
