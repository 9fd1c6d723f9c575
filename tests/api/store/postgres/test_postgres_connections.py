"""Connections to PostgreSQL that end or hang at the wrong moment: docket recovers, nothing waits
for ever, and a docket process that hangs does not hold up others."""
import contextlib
import os
import shutil
import signal
import time

import pytest

import postgres
from relay import Cutter
from deployment import Deployment
from harness import BRIEF, TASKS, problem
from together import started, until

pytestmark = postgres.NEEDED

FOR_A_LOCK = b"C55P03\0"  # the code of the error, as the server sends it
HANGS_S = 30  # more than it takes until PostgreSQL releases the locks of a docket that hangs


class Cut(Cutter):
    """When armed, closes both ends after the server reports a lock that it waited too long for.
    docket gets that error, but no answer to its next message."""

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
    """A cluster that also listens on a Unix socket, whose buffer is small."""
    folder = postgres.run_folder() / postgres.new_name("sockets")
    folder.mkdir()
    if user := postgres.unprivileged():
        shutil.chown(folder, user["user"], user["group"])
    with postgres.private(unix_socket_directories=folder) as cluster:
        cluster.sockets = folder
        yield cluster


@pytest.fixture
def deployment(cluster, tmp_path):
    with Deployment(cluster.create("docket"), tmp_path, env=BRIEF) as deployment:
        yield deployment


def is_done(reply):
    """Else it was refused."""
    return reply.status == 201 or not problem(reply, 503)


def titles(deployment):
    return sorted(deployment.titles().values())


def test_an_error_and_then_the_end_of_the_connection(deployment):
    port = deployment.database.cluster.port
    cutter = Cut(port)
    deployment.serve(url=deployment.through(cutter.port))
    assert deployment.post("before").status == 201
    cutter.armed = "error"
    with deployment.database.held("SELECT 1 FROM account FOR UPDATE"):
        problem(deployment.post("locked"), 503)
    assert cutter.cuts["error"] == 1
    cutter.armed = "error"
    with deployment.database.held("LOCK TABLE task"):
        problem(deployment.get(f"{TASKS}/1"), 503)
    assert deployment.post("after").status == 201
    assert deployment.get(TASKS).status == 200
    assert titles(deployment) == ["after", "before"]
    deployment.check_sound()
    cutter.stop()


def test_a_docket_that_hangs_in_a_transaction(deployment):
    """It holds its account's lock, and reads a table that another session has locked for the
    moment."""
    hung, other = deployment.serve(), deployment.serve()
    with deployment.database.held("LOCK TABLE calendar"):
        asking = started(lambda: deployment.post("of the hung one", hung))
        deployment.database.until("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                              " AND datname = current_database()")
        os.kill(hung.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        until(lambda: deployment.post("of the other", other), is_done, seconds=HANGS_S, pause=0.1)
        print(f"the lock was free after {time.monotonic() - began:.1f} s")
    finally:
        os.kill(hung.process.pid, signal.SIGCONT)
    reply = asking.result()
    assert reply.status in (201, 503), reply
    assert titles(deployment) == sorted(
        ["of the other"] + ["of the hung one"] * (reply.status == 201))
    deployment.check_sound()


def test_a_server_that_takes_nothing(deployment):
    """docket has more to send than the socket's buffer takes, to a database process that hangs."""
    cluster = deployment.database.cluster
    deployment.serve(url=f"postgresql://{postgres.OWNER}@/{deployment.database.name}"
                     f"?host={cluster.sockets}&port={cluster.port}")
    # The first of the tasks that are stored together takes a while.
    deployment.database.run(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(1.5); RETURN NEW; END';"
        "CREATE TRIGGER wait BEFORE INSERT ON task FOR EACH ROW WHEN (NEW.title = 'slow')"
        " EXECUTE FUNCTION wait()")
    def create(title):
        return started(lambda: deployment.post(title, body="b" * 65000))

    asking = [create("slow")]
    deployment.database.until(SLEEPING)
    asking += [create(title) for title in ["slow"] + ["quick"] * 40]
    deployment.database.until("SELECT 1 FROM task")  # now the other tasks
    (pid,), = deployment.database.until(SLEEPING)
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        answers = [one.result() for one in asking]
        print(f"answered after {time.monotonic() - began:.1f} s")
        assert time.monotonic() - began < HANGS_S
        assert sorted({reply.status for reply in answers}) == [201, 503]
        began = time.monotonic()
        deployment.servers[0].stop()
        assert time.monotonic() - began < HANGS_S
    finally:
        os.kill(pid, signal.SIGCONT)
    assert len(titles(deployment)) >= [reply.status for reply in answers].count(201)


SLEEPING = ("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            " AND datname = current_database()")
