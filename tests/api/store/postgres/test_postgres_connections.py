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
from harness import TASKS, Reply, problem, task
from office import Office
from writers import Link

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
def office(cluster, tmp_path):
    with Office(cluster.create("office"), tmp_path) as office:
        yield office


def post(office, title, server=None, **fields):
    link = Link(office, server or office.servers[0], "first")
    status, headers, body = link.ask("POST", TASKS, task(title=title, **fields))
    link.close()
    return Reply(status, "", headers.items(), body)


def get(office, path):
    link = Link(office, office.servers[0], "first")
    status, headers, body = link.ask("GET", path)
    link.close()
    return Reply(status, "", headers.items(), body)


@contextlib.contextmanager
def locked(office, sql):
    """Somebody else has what the statement takes."""
    with contextlib.closing(office.database.connect()) as somebody:
        somebody.autocommit = False
        somebody.cursor().execute(sql)
        yield somebody
        somebody.rollback()


def titles(office):
    return sorted(office.titles().values())


def test_an_error_and_then_the_end_of_the_connection(office):
    port = office.database.cluster.port
    cutter = Cut(port)
    office.serve(url=office.url.replace(f":{port}/", f":{cutter.port}/"))
    assert post(office, "before").status == 201
    cutter.armed = "error"
    with locked(office, "SELECT 1 FROM account FOR UPDATE"):
        problem(post(office, "locked"), 503)
    assert cutter.cuts["error"] == 1
    cutter.armed = "error"
    with locked(office, "LOCK TABLE task"):
        problem(get(office, f"{TASKS}/1"), 503)
    assert post(office, "after").status == 201
    assert get(office, TASKS).status == 200
    assert titles(office) == ["after", "before"]
    office.check_sound()
    cutter.stop()


def test_a_docket_that_hangs_in_a_transaction(office):
    """It has its account's lock, and reads something that somebody else has for the moment."""
    hung, other = office.serve(), office.serve()
    answers = []
    asking = threading.Thread(target=lambda: answers.append(post(office, "of the hung one", hung)))
    with locked(office, "LOCK TABLE calendar"):
        asking.start()
        office.database.until("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                              " AND datname = current_database()")
        os.kill(hung.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        while (reply := post(office, "of the other", other)).status != 201:
            problem(reply, 503)
            assert time.monotonic() < began + HANGS_S, reply
            time.sleep(0.1)
        print(f"the lock was free after {time.monotonic() - began:.1f} s")
    finally:
        os.kill(hung.process.pid, signal.SIGCONT)
    asking.join()
    assert answers[0].status in (201, 503), answers
    assert titles(office) == sorted(
        ["of the other"] + ["of the hung one"] * (answers[0].status == 201))
    office.check_sound()


def test_a_server_that_takes_nothing(office):
    """More is to be sent than the socket takes, to a process of the database that hangs."""
    cluster = office.database.cluster
    office.serve(url=f"postgresql://{postgres.OWNER}@/{office.database.name}"
                     f"?host={cluster.sockets}&port={cluster.port}")
    # The first of the tasks that are stored together takes a while.
    office.database.run(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(1); RETURN NEW; END';"
        "CREATE TRIGGER wait BEFORE INSERT ON task FOR EACH ROW WHEN (NEW.title = 'slow')"
        " EXECUTE FUNCTION wait()")
    answers = []
    threads = [threading.Thread(target=lambda title=title: answers.append(
        post(office, title, body="b" * 65000))) for title in ["slow"] * 2 + ["quick"] * 40]
    threads[0].start()
    office.database.until(SLEEPING)
    for thread in threads[1:]:
        thread.start()
    office.database.until("SELECT 1 FROM task")  # and now the others
    office.database.until(SLEEPING)
    pid, = office.database.run(f"SELECT pid {SLEEPING.removeprefix('SELECT 1 ')}")[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for thread in threads:
            thread.join()
        print(f"answered after {time.monotonic() - began:.1f} s")
        assert time.monotonic() - began < HANGS_S
        assert sorted({reply.status for reply in answers}) == [201, 503]
        began = time.monotonic()
        office.servers[0].stop()
        assert time.monotonic() - began < HANGS_S
    finally:
        os.kill(pid, signal.SIGCONT)
    assert len(titles(office)) >= [reply.status for reply in answers].count(201)


SLEEPING = ("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            " AND datname = current_database()")
