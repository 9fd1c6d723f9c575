"""Clusters of PostgreSQL in the temporary folder of a run. An unprivileged user runs them on free ports of
the loopback. All workers of a run share one cluster; tests that break a cluster make another. At the end of
the run its first process removes all of them. At its beginning it removes those of earlier runs that were
killed."""
import contextlib
import fcntl
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import psycopg2
import psycopg2.extensions
import pytest

from ports import free_port
from together import until

# For a test that uses PostgreSQL without the fixture `database`.
NEEDED = pytest.mark.needs_postgresql

RUN = "DOCKET_TEST_RUN"  # the folder of the run, for its workers
PREFIX = "docket-tests-"
START_S = 60
OWNER = "docket"  # the role that docket connects as: it owns its databases and has no other rights
KEYED, PASSWORD = "keyed", "geheim!wort"  # the one role that needs a password

# Settings for tests. fsync is off: a killed server loses no write, only a machine that fails does. Dynamic
# shared memory is in files of the folder, so that a killed server leaves none behind.
SETTINGS = {
    "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
    "synchronous_commit": "on", "shared_buffers": "64MB", "max_connections": "400",
    "min_wal_size": "32MB", "max_wal_size": "256MB", "wal_level": "replica", "max_wal_senders": "4",
    "dynamic_shared_memory_type": "mmap", "log_line_prefix": "%m [%p] ", "log_timezone": "UTC",
}

# psycopg2 returns byte strings as bytes.
psycopg2.extensions.register_type(psycopg2.extensions.new_type(
    psycopg2.BINARY.values, "BYTES",
    lambda value, cursor: value and bytes(psycopg2.BINARY(value, cursor))))


def program(name):
    """The path of a program of the newest installed version."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
                   key=lambda path: int(path.parts[-3]))
    return str(found[-1]) if found else name


def unprivileged():
    """The arguments of Popen for an unprivileged user: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    import pwd
    user = "postgres" if "postgres" in (entry.pw_name for entry in pwd.getpwall()) else "nobody"
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def call(name, *arguments):
    """Runs one of PostgreSQL's programs to its end. The processes that it starts inherit none of our files."""
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            [program(name), *map(str, arguments)], **unprivileged(), check=False, cwd="/",
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}, stdin=subprocess.DEVNULL,
            stdout=said, stderr=subprocess.STDOUT, timeout=START_S)
        said.seek(0)
        assert done.returncode == 0, f"{name} {arguments}: {said.read().decode()}"


def is_alive(pid):
    """Whether a process runs; a zombie does not."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text("latin-1")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rsplit(")", 1)[1].split()[0] not in "ZX"


class Cluster:
    """A folder with a database server, which may be running. `with` removes the folder at the end."""

    def __init__(self, folder):
        self.folder, self.data, self.log = folder, folder / "data", folder / "log"
        self.port = None
        self.main = Database(self, "postgres")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def make_folder(self):
        """Makes an empty folder; an earlier attempt to make the cluster may have failed."""
        self.remove()
        self.folder.mkdir()
        if user := unprivileged():
            shutil.chown(self.folder, user["user"], user["group"])

    def make(self, **settings):
        """Makes and starts a new cluster."""
        self.make_folder()
        subprocess.run(["cp", "--archive", initialized(), self.data], check=True)
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n"
                            for name, value in {**SETTINGS, **settings}.items())
        rules = self.data / "pg_hba.conf"
        rules.write_text(f"host all {KEYED} 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        self.start()
        self.main.run(f"CREATE ROLE {OWNER} LOGIN; CREATE ROLE {KEYED} LOGIN PASSWORD '{PASSWORD}'")
        return self

    def standby(self, name, other=None):
        """A standby of this cluster with that name: a new one, or `other`, made anew. After a promotion it
        waits for no standby of its own."""
        other = other or Cluster(run_folder() / new_name("standby"))
        other.make_folder()
        call("pg_basebackup", "--pgdata", other.data, "--dbname",
             f"host=127.0.0.1 port={self.port} user=postgres application_name={name}",
             "--checkpoint", "fast", "--wal-method", "stream", "--write-recovery-conf", "--no-sync")
        with open(other.data / "postgresql.auto.conf", "a", encoding="utf-8") as file:
            file.write("synchronous_standby_names = ''\n")  # the last line of a setting counts
        return other.start()

    def wait_for_standby(self, name):
        """From now on a commit waits for the standby of that name."""
        self.set("synchronous_standby_names", name)
        self.main.until("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
                        f" AND application_name = '{name}'")

    def set(self, name, value):
        """Changes a setting of the running server; its processes apply it a moment later."""
        self.main.run(f"ALTER SYSTEM SET {name} = '{value}'")
        self.main.run("SELECT pg_reload_conf()")

    def control(self, what, *options):
        call("pg_ctl", what, "--pgdata", self.data, "--wait", "--silent", "--timeout", START_S,
             *options)

    def start(self):
        """Starts the server on the port that it had, or else on a free one. Another run of the tests may have
        that port."""
        if self.pid() is None:  # PostgreSQL would take a zombie for a running server
            (self.data / "postmaster.pid").unlink(missing_ok=True)
        for _ in range(5):
            port = self.port or free_port()
            try:
                self.control("start", "--log", self.log, "--options", f"-c port={port}")
                self.port = port
                return self
            except AssertionError:
                if "Address already in use" not in self.log.read_text("utf-8"):
                    raise
                time.sleep(1)
        raise AssertionError("no port is free for PostgreSQL")

    def stop(self, mode="immediate"):
        """The mode fast ends sessions in order; immediate is like a crash."""
        self.control("stop", "--mode", mode)

    def restart(self, mode="immediate"):
        self.stop(mode)
        self.start()

    def promote(self):
        self.control("promote")

    def pid(self):
        """The id of the server's first process; None if it does not run. Another process may have that id by
        now."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text("ascii").split()[0])
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            return pid if str(self.data).encode() in command and is_alive(pid) else None
        return None

    def processes(self):
        """The first process and its children."""
        if (pid := self.pid()) is None:
            return []
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
        return [*map(int, children.split()), pid]

    def kill(self):
        """Kills all processes at one moment, as if the machine failed."""
        if (pid := self.pid()) is None:
            return
        os.kill(pid, signal.SIGSTOP)  # so that it starts no more processes
        for process in (processes := self.processes()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        until(lambda: not any(map(is_alive, processes)), what="PostgreSQL does not end")
        # This line has the key and the number of the shared memory that shows that the folder is in use.
        # Nobody else would remove that memory.
        for line in (self.data / "postmaster.pid").read_text("ascii").splitlines()[6:7]:
            subprocess.run(["ipcrm", "-m", *line.split()[1:]], check=False,
                           stderr=subprocess.DEVNULL)

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, name, user=OWNER):
        return f"postgresql://{user}@127.0.0.1:{self.port}/{name}"

    def create(self, kind, **options):
        """Creates a database with a new name and the given options of CREATE DATABASE."""
        name = new_name(kind)
        # Without fsync, a copy of the files is faster than a log of all their pages.
        options = {"OWNER": OWNER, "TEMPLATE": "template0", "STRATEGY": "file_copy", **options}
        self.main.run(f'CREATE DATABASE "{name}" '
                      + " ".join(f'{option} "{value}"' for option, value in options.items()))
        return Database(self, name)


class Database:
    """A database of a cluster, in place of a data folder."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name

    @property
    def url(self):
        return self.cluster.url(self.name)

    def __str__(self):
        return self.url

    def connect(self, user="postgres"):
        """A connection of psycopg2, by default of a superuser. Each statement is a transaction."""
        connection = psycopg2.connect(self.cluster.url(self.name, user), connect_timeout=10)
        connection.autocommit = True
        return connection

    def run(self, sql, values=None):
        """The rows of one statement."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def until(self, sql):
        """Repeats a statement until it finds a row; returns the rows."""
        return until(lambda: self.run(sql), what=sql)

    @contextlib.contextmanager
    def held(self, sql):
        """Another session runs the statement and does not commit it until the block ends."""
        with contextlib.closing(self.connect()) as somebody:
            somebody.autocommit = False
            somebody.cursor().execute(sql)
            yield
            somebody.rollback()

    def copy(self):
        """A copy of the database. Nobody may be connected to the database meanwhile."""
        return self.cluster.create("copy", TEMPLATE=self.name)

    def rename(self, name):
        self.cluster.main.run(f'ALTER DATABASE "{self.name}" RENAME TO "{name}"')
        self.name = name

    def drop(self):
        self.cluster.main.run(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


# The run

def begin():
    """Makes the folder of the run, before any worker starts. This process holds its lock as long as it
    lives."""
    for left in pathlib.Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        with contextlib.suppress(OSError), open(left / "lock", "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            clear(left)
    folder = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o711)  # so that the unprivileged user can reach its clusters
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
    """Lets only one worker of the run in at a time."""
    with open(run_folder() / name, "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


NUMBERS = itertools.count(1)


def new_name(kind):
    """A name for a folder or a database that no other worker of the run uses."""
    return f"{kind}-{os.getpid()}-{next(NUMBERS)}"


def initialized():
    """The data folder that each cluster of the run copies. Its default collation is that of a
    language, which must not affect any answer."""
    first = Cluster(run_folder() / "initdb")
    with locked("initdb.lock"):
        if not (first.folder / "made").exists():
            first.make_folder()
            call("initdb", "--pgdata", first.data, "--username", "postgres", "--auth", "trust",
                 "--encoding", "UTF8", "--locale", "C.UTF-8", "--locale-provider", "icu",
                 "--icu-locale", "en-US", "--no-sync", "--no-instructions")
            (first.folder / "made").touch()
    return first.data


def private(**settings):
    """A cluster that the caller may break; `with` removes it at the end."""
    return Cluster(run_folder() / new_name("cluster")).make(**settings)


def shared():
    """The cluster that all workers share; the first that needs it makes it."""
    cluster, note = Cluster(run_folder() / "shared"), run_folder() / "shared.port"
    with locked("shared.lock"):
        if not note.exists():
            cluster.make()
            note.write_text(str(cluster.port))
    cluster.port = int(note.read_text())
    return cluster


def template(name, make):
    """A database of the shared cluster that `make` fills once for all the workers of a run, and the text
    that `make` returned. Tests copy the database and never serve it."""
    cluster, note = shared(), run_folder() / (name + ".note")
    with locked(name + ".lock"):
        if not note.exists():
            database = cluster.create(name)  # an earlier worker's attempt may have failed
            said = make(database)
            database.rename(name)
            note.write_text(said, "utf-8")
    return Database(cluster, name), note.read_text("utf-8")
