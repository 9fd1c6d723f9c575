"""Where a database can be moved from and to, and what a test does with each place."""
import contextlib
import pathlib
import sqlite3

import harness
import postgres

TABLES = ["account", "staff", "token", "calendar", "case_service", "casefile", "casefile_service",
          "subject", "task", "task_user", "history", "idempotency", "secret", "given", "migration"]


class Folder:
    """A data folder. `place` is what the command is told, `options` what others are."""
    unfinished = "docket.db.moving"
    refused = "already has a database"

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
        with contextlib.closing(sqlite3.connect(self.path / "docket.db")) as database:
            return named(database.execute(f"SELECT * FROM {table}"))

    def drop(self):
        pass


class Database:
    """A PostgreSQL database, empty or as another one is."""
    unfinished = "PostgreSQL"
    refused = "already is a database of docket"

    def __init__(self, token="", template="template0"):
        self.database = postgres.shared().create(postgres.new_name("move"), template)
        self.token = token
        self.name = self.database.name
        self.place = self.database.url
        self.options = ["--database", self.place]

    def serve(self, log):
        return harness.Server(self.database, self.token, log)

    def exists(self):
        return self.query("SELECT 1 FROM pg_class WHERE relname = 'migration'") != []

    def begun(self):
        return self.query("SELECT 1 FROM pg_class WHERE relname = 'moving'") != [] and \
            self.query("SELECT 1 FROM task LIMIT 1") != []

    def leftovers(self):
        found = self.query("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND"
                           " relnamespace = 'public'::regnamespace AND NOT relispartition")
        return {row[0] for row in found} - set(TABLES)

    def query(self, sql, unfinished=False):
        return self.database.run(sql)

    def rows(self, table):
        with contextlib.closing(self.database.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(f"SELECT * FROM {table}")
            return named(cursor)

    def drop(self):
        self.database.drop()


def named(cursor):
    """Rows with their columns by name, in an order that is the same everywhere."""
    names = [column[0] for column in cursor.description]
    return sorted(repr(sorted(zip(names, row))) for row in cursor.fetchall())


def tables(place):
    """Every row of every table."""
    return {table: place.rows(table) for table in TABLES}
