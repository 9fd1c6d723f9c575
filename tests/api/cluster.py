"""PostgreSQL clusters of a test's own, which it may stop, kill and fill: in a temporary folder, run
by an unprivileged user, on a free port of the loopback."""
import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import postgres
from harness import Server, basic, succeed

BIN = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), default=pathlib.Path("/none"),
          key=lambda path: int(path.parent.name))
OWNER = "postgres"
DOMAIN = "example.test"
START_S = 60
SETTINGS = {
    "listen_addresses": "127.0.0.1", "fsync": "on", "shared_buffers": "32MB",
    "max_connections": "60", "dynamic_shared_memory_type": "mmap", "log_min_messages": "log",
    "max_wal_senders": "4", "wal_level": "replica", "wal_keep_size": "256MB",
    # A slot of a test's processors should not go to housekeeping.
    "autovacuum": "off", "jit": "off",
}


def as_owner(*command):
    """The server refuses to be run by root."""
    return [*(["runuser", "-u", OWNER, "--"] if os.geteuid() == 0 else []), *map(str, command)]


def make_folder():
    """A folder that the server's user can write; pytest's own are closed to others. It is in the
    folder of the run, where there is one: what is left in that is ended and removed."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="docket-pg-", dir=os.environ.get(postgres.RUN)))
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam(OWNER).pw_uid, -1)
    return folder


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def run_as_owner(*command):
    done = subprocess.run(as_owner(*command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", check=False, cwd="/")
    assert done.returncode == 0, f"{command}:\n{done.stdout}"
    return done.stdout


def children(pid):
    """The processes that this one has started."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


class Cluster:
    """One server. `settings` are lines of its postgresql.conf; `locale` as initdb takes it."""

    def __init__(self, settings=(), folder=None, data=None):
        self.folder = folder or make_folder()
        self.data = data or self.folder / "data"
        self.port = free_port()
        self.settings = {**SETTINGS, **dict(settings)}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def make(self):
        run_as_owner(BIN / "initdb", "-D", self.data, "-U", OWNER, "-A", "trust", "-E", "UTF8",
                     "--locale=C", "--no-sync")
        return self

    def url(self, database="docket", user=OWNER):
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def start(self):
        """Returns once it accepts."""
        options = {**self.settings, "port": self.port, "unix_socket_directories": self.folder}
        said = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        run_as_owner(BIN / "pg_ctl", "-D", self.data, "-l", self.folder / "log", "-o", said,
                     "-w", "-t", START_S, "start")
        return self

    def stop(self, mode="immediate"):
        """fast ends sessions in order; immediate is as a crash, but of all processes at once."""
        run_as_owner(BIN / "pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", START_S, "stop")

    def restart(self, mode="immediate"):
        self.stop(mode)
        self.start()

    def pid(self):
        """Of the postmaster, or None. Its number may by now be that of a process which has nothing
        to do with it, or that nobody has waited for."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            return pid if str(self.data).encode() in command else None
        return None

    def kill9(self):
        """The machine is gone: nothing of it says another word."""
        pid = self.pid()
        assert pid, "the server does not run"
        os.kill(pid, signal.SIGSTOP)  # so that it starts nothing meanwhile
        for one in (*children(pid), pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        deadline = time.monotonic() + START_S
        while self.pid():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self.free_memory()

    def free_memory(self):
        """What a killed server leaves behind, line 7 of its file: nobody else would remove it."""
        with contextlib.suppress(OSError, IndexError):
            words = (self.data / "postmaster.pid").read_text().splitlines()[6].split()
            subprocess.run(["ipcrm", "-m", words[1]], stderr=subprocess.DEVNULL, check=False)

    def standby(self, name, other=None):
        """A standby of this server under that name: a new one, or `other`, made anew from it. Where
        it is promoted, it waits for no standby of its own."""
        other = other or Cluster(self.settings)
        shutil.rmtree(other.data, ignore_errors=True)
        run_as_owner(BIN / "pg_basebackup", "-D", other.data, "-c", "fast", "-R", "-X", "stream",
                     "--no-sync", "-d", f"host=127.0.0.1 port={self.port} user={OWNER}"
                                        f" application_name={name}")
        with open(other.data / "postgresql.auto.conf", "a", encoding="ascii") as auto:
            auto.write("synchronous_standby_names = ''\n")
        return other.start()

    def wait_for_standby(self, name):
        """From now on a commit is acknowledged when the standby of that name has it as well."""
        self.psql(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'", "postgres")
        self.psql("SELECT pg_reload_conf()", "postgres")
        self.until(f"SELECT sync_state FROM pg_stat_replication WHERE application_name = '{name}'",
                   "sync")

    def promote(self):
        run_as_owner(BIN / "pg_ctl", "-D", self.data, "-w", "-t", START_S, "promote")

    def command(self, database):
        return ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.url(database)]

    def psql(self, sql, database="docket", fails=False):
        """Runs statements and returns what they say, a line for each row."""
        done = subprocess.run([*self.command(database), "-c", sql], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                              check=False, timeout=START_S)
        assert fails or done.returncode == 0, f"{sql}\n{done.stderr}"
        return done.stderr if fails else done.stdout.strip()

    def rows(self, sql, database="docket"):
        return [line.split("|") for line in self.psql(sql, database).splitlines()]

    def until(self, sql, wanted, seconds=START_S):
        """Asks until that is the answer."""
        deadline = time.monotonic() + seconds
        while (answer := self.psql(sql, "postgres")) != wanted:
            assert time.monotonic() < deadline, f"{sql}: {answer}"
            time.sleep(0.05)

    def session(self, database="docket"):
        return Session(self.command(database))

    def said(self):
        return (self.folder / "log").read_text(errors="replace")

    def remove(self):
        if self.pid():
            self.kill9()
        shutil.rmtree(self.folder, ignore_errors=True)


class Session:
    """A psql that stays: somebody else at work on the database."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, encoding="utf-8")

    def run(self, sql):
        """Runs statements and returns their lines when all are done."""
        self.process.stdin.write(f"{sql};\n\\echo done\n")
        self.process.stdin.flush()
        lines = []
        while (line := self.process.stdout.readline()) != "done\n":
            assert line, f"psql ended: {lines}"
            lines.append(line.rstrip("\n"))
        return lines

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Office:
    """A database of docket with accounts of base records, and processes that serve it."""

    def __init__(self, cluster, place, accounts=("first",), database="docket", options=("--quiet",),
                 making="", before=None, tasks=0):
        """`making` is said of the database that is made, after `before`."""
        self.cluster, self.place, self.database = cluster, place, database
        self.url, self.options, self.servers = cluster.url(database), options, []
        if before:
            cluster.psql(before, "postgres")
        cluster.psql(f"CREATE DATABASE {database} {making}", "postgres")
        self.tokens = {}
        for account in accounts:
            how = ["account", "add", account] if self.tokens else ["init", "--account", account]
            token = place / f"{database}.{account}"
            succeed(*how, "--database", self.url, "--token-file", token)
            succeed("demo", "--database", self.url, "--account", account, "--tasks",
                    tasks)
            self.tokens[account] = token.read_text().strip()
        self.ids = dict(cluster.rows("SELECT name, id FROM account", database))

    def serve(self, *options, url=None):
        """Starts one more process; its token is of the first account."""
        server = Server(None, next(iter(self.tokens.values())),
                        self.place / f"{self.database}.log{len(self.servers)}",
                        ["--database", url or self.url, "--base-domain", DOMAIN, *self.options,
                         *options])
        self.servers.append(server)
        return server

    def headers(self, account):
        return {"Host": f"{account}.{DOMAIN}",
                "Authorization": basic("admin/token", self.tokens[account])}

    def stop(self):
        """All processes, in order."""
        for server in self.servers:
            if server.running():
                server.stop()
            server.check_stderr()

    def check_history(self):
        """The change numbers of each account are 1 to n, without a gap or a repeat."""
        for row in self.cluster.rows(
                "SELECT a.name, a.last_change, count(h.change), count(DISTINCT h.change),"
                " min(h.change), max(h.change) FROM account a"
                " LEFT JOIN history h ON h.account_id = a.id GROUP BY a.id", self.database):
            name, last, *found = row
            assert found == [last, last, "1", last], f"{name}: {row}"

    def check_sound(self):
        self.check_history()
        assert succeed("check", "--database", self.url).stdout.endswith("\nsound\n")

    def titles(self):
        """(account, id) and the title of every task."""
        names = {number: name for name, number in self.ids.items()}
        return {(names[account], int(number)): title for account, number, title in
                self.cluster.rows("SELECT account_id, id, title FROM task", self.database)}
