"""Where a database can be moved from and to, and what a test does with each place."""
import backends
import postgres
from harness import Server

# What docket move calls the rows of its tables; its own are not shown.
SHOWN = {"account": "accounts", "staff": "staff members", "token": "API tokens",
         "calendar": "calendars", "case_service": "case services", "casefile": "cases",
         "casefile_service": "services of cases", "subject": "subjects", "task": "tasks",
         "task_user": "assignments", "history": "changes", "idempotency": "idempotency keys"}
TABLES = ["account", "staff", "token", "calendar", "case_service", "casefile", "casefile_service",
          "subject", "task", "task_user", "history", "idempotency", "secret", "given", "property",
          "migration"]


class Place:
    """`place` is what the command is told, `options` what others are."""

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

    def exists(self):
        """Whether docket takes it for a database."""
        return (self.place / "docket.db").exists()

    def begun(self):
        """Whether a part of a move is there, as far as can be seen while it goes on."""
        part = self.place / self.unfinished
        return part.exists() and part.stat().st_size > 500_000

    def leftovers(self):
        """What a complete one need not have."""
        return {path.name for path in self.place.iterdir()} - {"docket.db", "docket.lock"}


class Database(Place):
    """A PostgreSQL database, empty or as another one is."""
    unfinished = "PostgreSQL"
    refused = "already has a database of docket"

    def __init__(self, token="", other=None):
        super().__init__(other.place.copy() if other else postgres.shared().create("move"), token)

    def exists(self):
        return self.query("SELECT 1 FROM pg_class WHERE relname = 'migration'") != []

    def begun(self):
        return self.query("SELECT 1 FROM pg_class WHERE relname = 'moving'") != [] and \
            self.query("SELECT 1 FROM task LIMIT 1") != []

    def leftovers(self):
        with backends.opened(self.place) as connection:
            return set(backends.tables(connection)) - set(TABLES)


def tables(place):
    """The columns of every table and its rows, in an order that is the same everywhere."""
    found = {}
    with backends.opened(place.place) as connection:
        columns = backends.tables(connection)
        for table in TABLES:
            names = ", ".join(sorted(columns[table]))
            rows = connection.execute(f"SELECT {names} FROM {table}").fetchall()
            found[table] = [names, *sorted(map(repr, rows))]
    return found
