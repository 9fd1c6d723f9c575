"""The places that docket move copies from and to, with the same methods for each."""
import contextlib
import shutil

import backends
import postgres
from harness import Server

# The names that docket move prints for the rows of its tables. It does not print docket's internal tables.
SHOWN = {"account": "accounts", "staff": "staff members", "token": "API tokens",
         "calendar": "calendars", "case_service": "case services", "casefile": "cases",
         "casefile_service": "services of cases", "subject": "subjects", "task": "tasks",
         "task_user": "assignments", "alert": "alerts", "history": "changes",
         "idempotency": "idempotency keys", "audit": "audit entries"}
TABLES = ["account", "account_state", "staff", "token", "calendar", "case_service", "casefile",
          "casefile_service", "subject", "task", "task_user", "task_tally", "task_tally_sum", "alert",
          "history", "idempotency", "secret", "given", "property", "audit", "migration"]


class Place:
    """`place` is the argument of docket move, `options` the options of other commands."""

    def __init__(self, place, token=""):
        self.place, self.token, self.options = place, token, backends.where(place)

    def serve(self, log):
        return Server(self.place, self.token, log)

    def query(self, sql, unfinished=False):
        return backends.rows(self.place, sql, (), self.unfinished if unfinished else "docket.db")

    def drop(self):
        backends.remove(self.place)


class Folder(Place):
    """A data folder."""
    unfinished = "docket.db.moving"
    refused = "already has a database"

    def clear(self):
        """Makes it a place without anything again."""
        shutil.rmtree(self.place)

    def exists(self):
        """Whether docket accepts the place as a database."""
        return (self.place / "docket.db").exists()

    def begun(self):
        """Whether a move in progress has already copied some records."""
        size = 0
        for part in self.place.glob(self.unfinished + "*"):  # most of them are still in the WAL
            with contextlib.suppress(FileNotFoundError):  # the journal of the first transactions
                size += part.stat().st_size
        return size > 6_000_000

    def leftovers(self):
        """Files or tables that a complete place does not have."""
        return {path.name for path in self.place.iterdir()} - {"docket.db", "docket.lock"}


class Database(Place):
    """A PostgreSQL database, empty or a copy of `other`."""
    unfinished = "PostgreSQL"
    refused = "already has a database of docket"

    def __init__(self, token="", other=None):
        super().__init__(other.place.copy() if other else postgres.shared().create("move"), token)

    def clear(self):
        self.drop()
        self.__init__(self.token)

    def exists(self):
        return self.query("SELECT 1 FROM pg_class WHERE relname = 'migration'") != []

    def begun(self):
        return self.query("SELECT 1 FROM pg_class WHERE relname = 'moving'") != [] and \
            self.query("SELECT 1 FROM task LIMIT 1") != []

    def leftovers(self):
        with backends.opened(self.place) as connection:
            return set(backends.tables(connection)) - set(TABLES)


def tables(place):
    """table → its columns and rows, in an order that does not depend on the database."""
    found = {}
    with backends.opened(place.place) as connection:
        columns = backends.tables(connection)
        for table in TABLES:
            names = ", ".join(sorted(columns[table]))
            rows = connection.execute(f"SELECT {names} FROM {table}").fetchall()
            found[table] = [names, *sorted(map(repr, rows))]
    return found
