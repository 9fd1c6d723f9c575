"""Where a database can be moved from and to, and what a test does with each place."""
import contextlib
import glob
import json
import os
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import tempfile

import harness

TABLES = ["account", "staff", "token", "calendar", "case_service", "casefile", "casefile_service",
          "subject", "task", "task_user", "history", "idempotency", "secret", "given", "migration"]


class Folder:
    """A data folder. `place` is what the command is told, `options` what others are."""
    unfinished = "docket.db.moving"
    refused = "already has a database"
    random = "randomblob(32)"

    def __init__(self, path, token):
        self.path, self.token = pathlib.Path(path), token
        self.place = str(path)
        self.options = ["--data", str(path)]

    def serve(self, log):
        return harness.Server(self.path, self.token, log)

    def exists(self):
        """Whether docket takes it for a database."""
        return (self.path / "docket.db").exists()

    def begun(self):
        """Whether a part of a move is there, as far as can be seen while it goes on."""
        part = self.path / self.unfinished
        return part.exists() and part.stat().st_size > 1_000_000

    def leftovers(self):
        """What a complete one need not have."""
        return {path.name for path in self.path.iterdir()} - {"docket.db", "docket.lock"}

    def query(self, sql, unfinished=False):
        name = self.unfinished if unfinished else "docket.db"
        with contextlib.closing(sqlite3.connect(self.path / name)) as database, database:
            return database.execute(sql).fetchall()

    def rows(self, table):
        """Rows with their columns by name, in an order that is the same everywhere."""
        with contextlib.closing(sqlite3.connect(self.path / "docket.db")) as database:
            found = database.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in found.description]
            return sorted(repr(sorted(zip(names, ("\\x" + value.hex() if isinstance(value, bytes)
                                                  else value
                                                  for value in row)))) for row in found)


class Cluster:
    """A PostgreSQL server of its own, that an unprivileged user runs in a temporary folder."""

    def __init__(self):
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.folder = tempfile.mkdtemp(prefix="docket-pg-")
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(self.folder, "postgres")
        # Another order of texts than that of their bytes, where there is one.
        self.run("initdb", "-D", self.folder + "/data", "-A", "trust", "-U", "docket", "-E", "UTF8",
                 "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync")
        self.port = self.free_port()
        self.run("pg_ctl", "-D", self.folder + "/data", "-w", "-l", self.folder + "/log", "-o",
                 f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off"
                 f" -c unix_socket_directories={self.folder}", "start")

    @staticmethod
    def free_port():
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            return one.getsockname()[1]

    def run(self, program, *arguments):
        subprocess.run([*self.user, f"{self.bin}/{program}", *arguments], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/", timeout=120)

    def url(self, name):
        return f"postgresql://docket@127.0.0.1:{self.port}/{name}"

    def psql(self, name, sql):
        done = subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", self.url(name), "-c", sql],
                              check=True, capture_output=True, encoding="utf-8", timeout=120)
        return done.stdout

    def stop(self):
        self.run("pg_ctl", "-D", self.folder + "/data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder)


class Database:
    """A database of a cluster, empty or as another one is."""
    unfinished = "PostgreSQL"
    refused = "already is a database of docket"
    random = "decode(md5('a') || md5('b'), 'hex')"

    def __init__(self, cluster, name, token, template="template0"):
        self.cluster, self.name, self.token = cluster, name, token
        cluster.psql("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        self.place = cluster.url(name)
        self.options = ["--database", self.place]

    def serve(self, log):
        return harness.Server(None, self.token, log, options=self.options)

    def exists(self):
        return self.query("SELECT 1 FROM pg_class WHERE relname = 'migration'") != []

    def begun(self):
        try:
            return self.query("SELECT 1 FROM task LIMIT 1") != []
        except subprocess.CalledProcessError:
            return False

    def leftovers(self):
        found = self.query("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND"
                           " relnamespace = 'public'::regnamespace AND NOT relispartition")
        return {row[0] for row in found} - set(TABLES)

    def query(self, sql, unfinished=False):
        """Rows as JSON tells them."""
        if not sql.startswith("SELECT"):
            return self.cluster.psql(self.name, sql)
        answer = self.cluster.psql(self.name, f"SELECT to_json(q) FROM ({sql}) AS q")
        return [tuple(json.loads(line).values()) for line in answer.splitlines()]

    def rows(self, table):
        answer = self.cluster.psql(self.name, f"SELECT to_json(t) FROM {table} AS t")
        return sorted(repr(sorted(json.loads(line).items())) for line in answer.splitlines())


def tables(place):
    """Every row of every table."""
    return {table: place.rows(table) for table in TABLES}
