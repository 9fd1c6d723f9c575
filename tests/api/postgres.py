"""Private clusters of PostgreSQL, in a temporary folder of the run, run by an unprivileged user on
a free port of the loopback. One is shared by all the workers of a run; tests that stop theirs make
another. The process that began the run removes all of them at its end, and what a run that was
killed has left behind at the next one's beginning."""
import contextlib
import fcntl
import itertools
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from urllib.parse import quote

import psycopg2
import psycopg2.extensions

RUN = "DOCKET_TEST_RUN"  # the folder of the run, for its workers
PREFIX = "docket-tests-"
START_S = 60
GONE_S = 30
OWNER = "docket"  # the role that docket connects as: it owns its databases and is nothing more

# Fit for tests, but for what they are about: that a commit is on stable storage.
SETTINGS = {
    "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "on",
    "synchronous_commit": "on", "shared_buffers": "64MB", "max_connections": "400",
    "min_wal_size": "32MB", "max_wal_size": "256MB", "wal_level": "replica", "max_wal_senders": "4",
    "log_line_prefix": "%m [%p] ", "log_timezone": "UTC",
}

# Byte strings come as bytes.
psycopg2.extensions.register_type(psycopg2.extensions.new_type(
    psycopg2.BINARY.values, "BYTES",
    lambda value, cursor: value and bytes(psycopg2.BINARY(value, cursor))))


def program(name):
    """The newest that Debian has installed."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
                   key=lambda path: int(path.parts[-3]))
    return str(found[-1]) if found else name


def unprivileged():
    """The arguments of Popen for a user who may run a database; root may not."""
    if os.getuid() != 0:
        return {}
    import pwd
    user = "postgres" if "postgres" in (entry.pw_name for entry in pwd.getpwall()) else "nobody"
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def call(name, *arguments):
    """One of PostgreSQL's programs, to its end. What it starts has none of our files open."""
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            [program(name), *map(str, arguments)], **unprivileged(), check=False, cwd="/",
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}, stdin=subprocess.DEVNULL,
            stdout=said, stderr=subprocess.STDOUT, timeout=START_S)
        said.seek(0)
        assert done.returncode == 0, f"{name} {arguments}: {said.read().decode()}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_alive(pid):
    """A process that has ended, and that nobody has asked about, is not."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text("latin-1")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rsplit(")", 1)[1].split()[0] not in "ZX"


def children_of(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
        return [int(word) for word in text.split()]
    return []


class Cluster:
    """A folder with a database server, which may run or not."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.data, self.log = self.folder / "data", self.folder / "log"
        self.port = None

    def make_folder(self):
        self.folder.mkdir()
        user = unprivileged()
        if user:
            shutil.chown(self.folder, user["user"], user["group"])

    def make(self, **settings):
        """A new one; its texts are sorted in a language, which must not show anywhere."""
        self.make_folder()
        call("initdb", "--pgdata", self.data, "--username", "postgres", "--auth", "trust",
             "--encoding", "UTF8", "--locale", "C.UTF-8", "--locale-provider", "icu",
             "--icu-locale", "en-US", "--no-sync", "--no-instructions")
        self.set(**SETTINGS, **settings)
        self.start()
        self.run(f"CREATE ROLE {OWNER} LOGIN")
        return self

    def set(self, **settings):
        """Settings from its next start, or reload(), on."""
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def reload(self):
        call("pg_ctl", "reload", "--pgdata", self.data, "--silent")

    def start(self):
        """On the port that it had, else on a free one: somebody may take that before us."""
        if self.pid() is None:  # PostgreSQL would take a process that nobody waits for as alive
            (self.data / "postmaster.pid").unlink(missing_ok=True)
        for _ in range(5):
            port = self.port or free_port()
            try:
                call("pg_ctl", "start", "--pgdata", self.data, "--log", self.log, "--wait",
                     "--timeout", START_S, "--silent", "--options", f"-c port={port}")
                self.port = port
                return self
            except AssertionError:
                if self.port or "Address already in use" not in self.log.read_text("utf-8"):
                    raise
        raise AssertionError("no port is free for PostgreSQL")

    def stop(self, mode="immediate"):
        call("pg_ctl", "stop", "--pgdata", self.data, "--mode", mode, "--wait", "--silent",
             "--timeout", GONE_S)

    def pid(self):
        """Of its first process; None where it does not run."""
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text("ascii").split("\n")[0])
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            # A number may be another process's by now.
            return pid if str(self.data).encode() in command and is_alive(pid) else None
        return None

    def kill(self):
        """As a machine that breaks: all of its processes at one moment."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGSTOP)  # it makes no more of them
        processes = [*children_of(pid), pid]
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        deadline = time.monotonic() + GONE_S
        while any(is_alive(process) for process in processes):
            assert time.monotonic() < deadline, "PostgreSQL does not end"
            time.sleep(0.01)

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, name="postgres", user="postgres", **options):
        """A connection of psycopg2 whose statements are each a transaction."""
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, dbname=name, user=user,
                                      connect_timeout=10, **options)
        connection.autocommit = True
        return connection

    def run(self, sql, values=None, name="postgres"):
        """The rows of one statement, as whoever may do anything."""
        with contextlib.closing(self.connect(name)) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def url(self, name, user=OWNER, *others):
        """Also of several servers, of which one may be written to."""
        hosts = ",".join(f"127.0.0.1:{cluster.port}" for cluster in (self, *others))
        return f"postgresql://{quote(user, safe='')}@{hosts}/{name}"

    def create(self, name, template="template0"):
        self.run(f'CREATE DATABASE "{name}" OWNER {OWNER} TEMPLATE "{template}"')
        return Database(self, name)

    def databases(self):
        return {name for name, in self.run("SELECT datname FROM pg_database")}

    def copy_to(self, folder, **settings):
        """A standby of it that follows, not started yet. Nothing waits for its own standbys."""
        standby = Cluster(folder)
        standby.make_folder()
        call("pg_basebackup", "--pgdata", standby.data, "--dbname",
             f"host=127.0.0.1 port={self.port} user=postgres application_name=standby",
             "--checkpoint", "fast", "--wal-method", "stream", "--write-recovery-conf",
             "--no-sync")
        # The last line of a name counts, and this file goes before the other.
        with open(standby.data / "postgresql.auto.conf", "a", encoding="utf-8") as file:
            for name, value in {"synchronous_standby_names": "", **settings}.items():
                file.write(f"{name} = '{value}'\n")
        return standby


class Database:
    """One of a cluster's, in the place of a data folder."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name

    @property
    def url(self):
        return self.cluster.url(self.name)

    def __str__(self):
        return self.url

    def run(self, sql, values=None):
        return self.cluster.run(sql, values, self.name)

    def connect(self):
        return self.cluster.connect(self.name)

    def copy(self, name):
        """Nobody may be connected to it meanwhile."""
        return self.cluster.create(name, self.name)

    def rename(self, name):
        self.cluster.run(f'ALTER DATABASE "{self.name}" RENAME TO "{name}"')
        self.name = name

    def drop(self):
        self.cluster.run(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


# The run

def begin():
    """Before any worker is started. The lock is held as long as this process lives."""
    for left in pathlib.Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        with contextlib.suppress(OSError), open(left / "lock", "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            clear(left)
    folder = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o711)  # the database's user passes through
    lock = open(folder / "lock", "ab")
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.environ[RUN] = str(folder)
    return folder, lock


def clear(folder):
    """Ends every cluster in the folder, and removes it."""
    for data in folder.glob("*/data"):
        Cluster(data.parent).kill()
    shutil.rmtree(folder, ignore_errors=True)


def run_folder():
    return pathlib.Path(os.environ[RUN])


@contextlib.contextmanager
def locked(name):
    """One worker of the run at a time."""
    with open(run_folder() / name, "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


NUMBERS = itertools.count(1)


def new_name(kind):
    """That no other worker of the run uses, for a folder or a database."""
    return f"{kind}-{os.getpid()}-{next(NUMBERS)}"


def private(**settings):
    """A cluster that the caller may break."""
    return Cluster(run_folder() / new_name("cluster")).make(**settings)


def shared():
    """The run's own; whoever needs it first makes it."""
    cluster, note = Cluster(run_folder() / "shared"), run_folder() / "shared.port"
    with locked("shared.lock"):
        if not note.exists():
            cluster.make()
            note.write_text(str(cluster.port))
    cluster.port = int(note.read_text())
    return cluster


def template(name, make):
    """A database of the shared cluster that `make` fills once for all the workers of a run, and
    what it returned, a text. It is copied, never served."""
    cluster, note = shared(), run_folder() / (name + ".note")
    with locked(name + ".lock"):
        if not note.exists():
            database = cluster.create(new_name(name))  # another's making may have failed
            said = make(database)
            database.rename(name)
            note.write_text(said, "utf-8")
    return Database(cluster, name), note.read_text("utf-8")


def ends_with(log, pattern):
    """Whether the cluster's log has the words."""
    return re.search(pattern, log.read_text("utf-8", errors="replace")) is not None
