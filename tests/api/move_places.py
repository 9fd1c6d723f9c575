"""Where a database can be moved from and to, and what a test does with each place."""
import contextlib
import pathlib
import shutil
import sqlite3

import harness

TABLES = ["account", "staff", "token", "calendar", "case_service", "casefile", "casefile_service",
          "subject", "task", "task_user", "history", "idempotency", "secret", "given", "migration"]


class Folder:
    """A data folder. `place` is what the command is told."""
    unfinished = "docket.db.moving"

    def __init__(self, path, token):
        self.path, self.token = pathlib.Path(path), token
        self.place = str(path)

    def fill(self, base):
        """As a copy of a folder that nobody serves."""
        shutil.copytree(base, self.path)

    def serve(self, log):
        return harness.Server(self.path, self.token, log)

    def exists(self):
        """Whether docket takes it for a database."""
        return (self.path / "docket.db").exists()

    def begun(self):
        """Whether a part of a move is there, as far as can be seen while it goes on."""
        part = self.path / self.unfinished
        return part.exists() and part.stat().st_size > 1_000_000

    def files(self):
        return sorted(path.name for path in self.path.iterdir())

    def query(self, sql, unfinished=False):
        name = self.unfinished if unfinished else "docket.db"
        with contextlib.closing(sqlite3.connect(self.path / name)) as database, database:
            return database.execute(sql).fetchall()

    def tables(self):
        """Every row of every table, in an order that is the same everywhere."""
        return {table: sorted(self.rows(table), key=repr) for table in TABLES}

    def rows(self, table):
        """Rows with their columns by name."""
        with contextlib.closing(sqlite3.connect(self.path / "docket.db")) as database:
            found = database.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in found.description]
            return [sorted(zip(names, row)) for row in found]

    def check(self):
        done = harness.run("check", "--data", self.path)
        assert done.returncode == 0, done
