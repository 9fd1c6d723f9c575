"""What docket does when a connection to its PostgreSQL database ends or hangs in the wrong moment:
it goes on, nothing waits for ever, and a docket that hangs does not keep others waiting."""
import contextlib
import os
import shutil
import signal
import threading
import time

import pytest

import postgres
from cutter import Cutter
from deployment import Deployment
from harness import TASKS, Reply, problem, task
from load import Link

pytestmark = postgres.NEEDED

FOR_A_LOCK = b"C55P03\0"  # the error's code, as the server sends it
HANGS_S = 30  # more than it takes until the locks of a docket that hangs are given free


class Cut(Cutter):
    """Closes both ends, when armed to, where the server tells of a lock that it waited too long for;
    docket has that error, and no answer to what it says next."""

    def answer(self, client, server, state):
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 20):
                client.sendall(data)
                if self.armed and FOR_A_LOCK in data:
                    self.armed = None
                    self.cuts["error"] += 1
                    break
        self.close(client, server)


@pytest.fixture(scope="module")
def cluster():
    """Also on a socket of the machine's own, which takes little at once."""
    folder = postgres.run_folder() / postgres.new_name("sockets")
    folder.mkdir()
    if user := postgres.unprivileged():
        shutil.chown(folder, user["user"], user["group"])
    with postgres.private(unix_socket_directories=folder) as cluster:
        cluster.sockets = folder
        yield cluster


@pytest.fixture
def deployment(cluster, tmp_path):
    with Deployment(cluster.create("docket"), tmp_path) as deployment:
        yield deployment


def post(deployment, title, server=None, **fields):
    link = Link(deployment, server or deployment.servers[0], "first")
    status, headers, body = link.ask("POST", TASKS, task(title=title, **fields))
    link.close()
    return Reply(status, "", headers.items(), body)


def get(deployment, path):
    link = Link(deployment, deployment.servers[0], "first")
    status, headers, body = link.ask("GET", path)
    link.close()
    return Reply(status, "", headers.items(), body)


@contextlib.contextmanager
def locked(deployment, sql):
    """Somebody else has what the statement takes."""
    with contextlib.closing(deployment.database.connect()) as somebody:
        somebody.autocommit = False
        somebody.cursor().execute(sql)
        yield somebody
        somebody.rollback()


def titles(deployment):
    return sorted(deployment.titles().values())


def test_an_error_and_then_the_end_of_the_connection(deployment):
    port = deployment.database.cluster.port
    cutter = Cut(port)
    deployment.serve(url=deployment.url.replace(f":{port}/", f":{cutter.port}/"))
    assert post(deployment, "before").status == 201
    cutter.armed = "error"
    with locked(deployment, "SELECT 1 FROM account FOR UPDATE"):
        problem(post(deployment, "locked"), 503)
    assert cutter.cuts["error"] == 1
    cutter.armed = "error"
    with locked(deployment, "LOCK TABLE task"):
        problem(get(deployment, f"{TASKS}/1"), 503)
    assert post(deployment, "after").status == 201
    assert get(deployment, TASKS).status == 200
    assert titles(deployment) == ["after", "before"]
    deployment.check_sound()
    cutter.stop()


def test_a_docket_that_hangs_in_a_transaction(deployment):
    """It has its account's lock, and reads something that somebody else has for the moment."""
    hung, other = deployment.serve(), deployment.serve()
    answers = []
    asking = threading.Thread(
        target=lambda: answers.append(post(deployment, "of the hung one", hung)))
    with locked(deployment, "LOCK TABLE calendar"):
        asking.start()
        deployment.database.until("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                              " AND datname = current_database()")
        os.kill(hung.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        while (reply := post(deployment, "of the other", other)).status != 201:
            problem(reply, 503)
            assert time.monotonic() < began + HANGS_S, reply
            time.sleep(0.1)
        print(f"the lock was free after {time.monotonic() - began:.1f} s")
    finally:
        os.kill(hung.process.pid, signal.SIGCONT)
    asking.join()
    assert answers[0].status in (201, 503), answers
    assert titles(deployment) == sorted(
        ["of the other"] + ["of the hung one"] * (answers[0].status == 201))
    deployment.check_sound()


def test_a_server_that_takes_nothing(deployment):
    """More is to be sent than the socket takes, to a process of the database that hangs."""
    cluster = deployment.database.cluster
    deployment.serve(url=f"postgresql://{postgres.OWNER}@/{deployment.database.name}"
                     f"?host={cluster.sockets}&port={cluster.port}")
    # The first of the tasks that are stored together takes a while.
    deployment.database.run(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(1); RETURN NEW; END';"
        "CREATE TRIGGER wait BEFORE INSERT ON task FOR EACH ROW WHEN (NEW.title = 'slow')"
        " EXECUTE FUNCTION wait()")
    answers = []
    threads = [threading.Thread(target=lambda title=title: answers.append(
        post(deployment, title, body="b" * 65000))) for title in ["slow"] * 2 + ["quick"] * 40]
    threads[0].start()
    deployment.database.until(SLEEPING)
    for thread in threads[1:]:
        thread.start()
    deployment.database.until("SELECT 1 FROM task")  # and now the others
    deployment.database.until(SLEEPING)
    pid, = deployment.database.run(f"SELECT pid {SLEEPING.removeprefix('SELECT 1 ')}")[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for thread in threads:
            thread.join()
        print(f"answered after {time.monotonic() - began:.1f} s")
        assert time.monotonic() - began < HANGS_S
        assert sorted({reply.status for reply in answers}) == [201, 503]
        began = time.monotonic()
        deployment.servers[0].stop()
        assert time.monotonic() - began < HANGS_S
    finally:
        os.kill(pid, signal.SIGCONT)
    assert len(titles(deployment)) >= [reply.status for reply in answers].count(201)


SLEEPING = ("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            " AND datname = current_database()")
