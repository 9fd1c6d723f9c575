"""Three processes over one database behind nginx, with the configuration from examples/."""
import contextlib
import re
import socket
import time

import pytest

import postgres
from deployment import deployed
from harness import TASKS, problem, strict_json, task
from load import Link, Load
from nginx import PORTS, Example, needed
from ports import free_port
from relay import Relay
from together import until
from wire import new_source

ACCOUNTS = ("first", "second", "third")

pytestmark = [postgres.NEEDED, needed]


class Deaf(Relay):
    """Stands for a process: it reads a request and closes the connection without an answer."""

    def __init__(self):
        self.heard = []
        super().__init__()

    def serve(self, client):
        with client:
            self.heard.append(client.recv(65536).split(b" ")[0].decode())


class Mute(Deaf):
    """Lets a real process carry out the request, and closes the connection without an answer all
    the same."""

    def __init__(self, server):
        self.server = server
        super().__init__()

    def serve(self, client):
        with client, socket.create_connection((self.server.host, self.server.port)) as other:
            request = self.whole(client)
            other.sendall(request)
            if request and other.recv(65536):
                self.heard.append(request.split(b" ")[0].decode())

    @staticmethod
    def whole(one):
        """Reads a request with its body, which may arrive after the head."""
        request = b""
        while data := one.recv(65536):
            request += data
            head, end, body = request.partition(b"\r\n\r\n")
            length = re.search(rb"\r\nContent-Length: (\d+)", head, re.IGNORECASE)
            if end and len(body) >= int(length[1] if length else 0):
                return request
        return b""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    with deployed(tmp_path_factory.mktemp("docket"), *ACCOUNTS,
                  options=("--behind-proxy",)) as deployment:
        for _ in PORTS:
            deployment.serve(listen=f"127.0.0.1:{free_port()}")
        yield deployment


@contextlib.contextmanager
def nginx_for(folder, ports):
    nginx = Example(folder / "nginx", ports)
    try:
        yield nginx
    finally:
        nginx.stop()


@pytest.fixture(scope="module")
def proxy(deployment, tmp_path_factory):
    ports = [server.port for server in deployment.servers]
    with nginx_for(tmp_path_factory.mktemp("proxy"), ports) as nginx:
        yield nginx


def ask(deployment, proxy, method, path=TASKS, value=None, account="first", source=None, **headers):
    return deployment.ask(method, path, value, headers, account, proxy, source)


def line_of(deployment, request_id):
    """The only line in all logs about a request."""
    line, = until(lambda: [line for server in deployment.servers
                           for line in server.stderr().splitlines() if f'"{request_id}"' in line])
    return strict_json(line.encode())


def test_host_id_and_address_arrive(deployment, proxy):
    for number, account in enumerate(ACCOUNTS):
        source, name = new_source(), f"an-id.of-{number}"
        reply = ask(deployment, proxy, "POST", value=task(title=f"of {account}"), account=account,
                    source=source, **{"X-Request-Id": name, "X-Forwarded-For": "203.0.113.9"})
        assert reply.status == 201
        assert reply.header("X-Request-Id") == name
        assert reply.header("Strict-Transport-Security")
        line = line_of(deployment, name)
        assert (line["account"], line["source"], line["status"]) == (account, source, 201)
        assert deployment.titles()[account, reply.json["id"]] == f"of {account}"


def test_nginx_gives_an_id_where_there_is_none(deployment, proxy):
    ids = {ask(deployment, proxy, "GET").header("X-Request-Id") for _ in range(5)}
    assert len(ids) == 5 and all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)
    for one in ids:
        assert line_of(deployment, one)["status"] == 200


def test_what_is_wrong_is_told_as_a_problem(deployment, proxy):
    big = task(title="big", body="x" * (1 << 20))
    problem(ask(deployment, proxy, "POST", value=big), 413)
    problem(ask(deployment, proxy, "POST", value=task(title="")), 422)
    problem(ask(deployment, proxy, "DELETE"), 405)
    problem(ask(deployment, proxy, "GET", account="first", Authorization="Basic eA=="), 401)


def sockets_to(ports):
    """This machine's connections to those ports, also recently closed ones."""
    found = set()
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            words = line.split()
            local, remote = (int(word.split(":")[1], 16) for word in words[1:3])
            if remote in ports:
                found.add((local, remote))
            elif local in ports and words[3] != "0A":
                found.add((remote, local))
    return found


def test_connections_to_docket_are_kept(deployment, proxy):
    ports = {server.port for server in deployment.servers}
    before, link = sockets_to(ports), Link(deployment, proxy, "second")
    for number in range(60):
        method, value = (("GET", None), ("POST", task(title=f"kept {number}")))[number % 2]
        assert link.ask(method, TASKS, value)[0] in (200, 201)
    link.close()
    # Each worker of nginx keeps its own connections.
    assert len(sockets_to(ports) - before) <= 2 * len(ports)


def test_a_post_without_an_answer_is_not_sent_to_another(deployment, tmp_path):
    deaf = Deaf()
    ports = [deaf.port, *(server.port for server in deployment.servers[1:])]
    with nginx_for(tmp_path, ports) as nginx:
        deadline, unanswered, number = time.monotonic() + 30, [], 0
        while len(unanswered) < 3:
            assert time.monotonic() < deadline
            number += 1
            title = f"deaf {number}"
            reply = ask(deployment, nginx, "POST", value=task(title=title))
            if reply.status != 201:
                assert "not known" in problem(reply, 503)["detail"]
                assert reply.header("Retry-After")
                unanswered.append(title)
        heard = deaf.heard.count("POST")
        assert heard == len(unanswered)
        titles = [title for title in deployment.titles().values() if title.startswith("deaf ")]
        assert len(titles) == len(set(titles)) == number - len(unanswered)
        assert not set(unanswered) & set(titles)
        # nginx may send a GET again, and does.
        while deaf.heard.count("GET") < 2:
            assert time.monotonic() < deadline
            assert ask(deployment, nginx, "GET").status == 200
    deaf.stop()


def until_heard(mute, method, send):
    """Sends to one record after the other until a request was carried out but not answered."""
    return until(send, lambda _: method in mute.heard, pause=0)


def test_what_was_done_and_not_answered(deployment, tmp_path):
    """nginx does not send a PATCH again. It does send a DELETE again, which then finds no record."""
    mute = Mute(deployment.servers[0])
    ports = [mute.port, *(server.port for server in deployment.servers[1:])]

    def change(method, value=None):
        made = ask(deployment, deployment.servers[1], "POST", value=task(title="of the mute"))
        path = f"{TASKS}/{made.json['id']}"
        return path, ask(deployment, nginx, method, path, value)

    with nginx_for(tmp_path, ports) as nginx:
        path, reply = until_heard(mute, "PATCH",
                                  lambda: change("PATCH", {"task": {"title": "done once"}}))
        assert "not known" in problem(reply, 503)["detail"]
        found = ask(deployment, deployment.servers[1], "GET", f"{path}/history").json
        assert mute.heard.count("PATCH") == 1
        assert [entry["action"] for entry in found] == ["create", "update"]
        assert ask(deployment, deployment.servers[1], "GET", path).json["title"] == "done once"
        path, reply = until_heard(mute, "DELETE", lambda: change("DELETE"))
        problem(reply, 404)
        found = ask(deployment, deployment.servers[1], "GET", f"{path}/history").json
        assert [entry["action"] for entry in found] == ["create", "delete"]
    mute.stop()


def test_one_is_killed_and_the_others_go_on(deployment, proxy):
    with Load(deployment, [proxy], ACCOUNTS, 16, "killed", refusals=True) as load:
        load.wait_for(200)
        deployment.servers[1].kill()
        killed = time.monotonic()
        took = load.first_after(killed)
        load.wait_for(200)
        lost = sum(load.refused.values())
        assert lost <= 16 + 1, "more than were under way"
        deployment.servers[1].start()
        load.wait_for(200)
    left = load.check()
    print(f"{len(load.created)} created; of those under way {dict(load.refused)}, {left} stored;"
          f" the next after {took:.3f} s")
    assert set(load.refused) <= {"docket gave no answer, and it is not known whether this was"
                                 " stored: look before you send it again"}
    assert not load.unanswered
    for _ in range(30):
        assert ask(deployment, proxy, "GET").status == 200
    deployment.check_sound()
