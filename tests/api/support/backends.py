"""Places where docket stores its records: a data folder (a path), or a PostgreSQL database
(postgres.Database). With these functions one test works with both."""
import contextlib
import re
import shutil
import sqlite3

import pytest

import postgres
from postgres import Database

NAMES = ("sqlite", "postgresql", "partitioned")

# The databases that the tests of a file run on: `pytestmark = backends.BOTH`.
BOTH = pytest.mark.databases("sqlite", "postgresql")
ALL = pytest.mark.databases(*NAMES)
SQLITE = pytest.mark.databases("sqlite")  # for one test of a file
POSTGRES = pytest.mark.databases("postgresql", "partitioned")
POSTGRESQL = pytest.mark.databases("postgresql")


def where(place):
    """The options of a command that name the place."""
    if isinstance(place, Database):
        return ["--database", place.url]
    return ["--data", str(place)]


def empty(database, path):
    """An empty place. For sqlite it is the path itself."""
    if database == "sqlite":
        return path
    return postgres.shared().create("test")


def init_options(database):
    """The other options of docket init for that database."""
    return ["--partitions", "4"] if database == "partitioned" else []


def copy(place, path):
    """A copy of a place that nobody serves. `path` is where the copy of a folder goes."""
    if isinstance(place, Database):
        return place.copy()
    shutil.copytree(place, path)
    return path


def once(database, name, make):
    """A place that `make` fills once for all the workers of a run, and the text that `make` returned.
    Tests copy the place and never serve it."""
    if database != "sqlite":
        return postgres.template(f"{name}-{database}", make)
    place, note = (postgres.run_folder() / (name + end) for end in (".data", ".note"))
    with postgres.locked(name + ".lock"):
        if not note.exists():
            note.write_text(make(place), "utf-8")
    return place, note.read_text("utf-8")


def remove(place):
    if isinstance(place, Database):
        place.drop()


def everything(place, file="docket.db"):
    """table → its rows, of a place that nobody serves. It omits when a token was last used, because
    docket writes that for refused requests as well."""
    with opened(place, file) as connection:
        connection.execute("UPDATE token SET last_used_at = NULL")
        return {table: sorted(connection.execute(f'SELECT * FROM "{table}"').fetchall(), key=repr)
                for table in tables(connection)}


class Connection:
    """sqlite3's interface for a PostgreSQL database."""

    def __init__(self, connection):
        self.cursor = connection.cursor()

    @staticmethod
    def translated(sql, values):
        if not values:
            return sql
        sql = sql.replace("%", "%%")
        if isinstance(values, dict):
            return re.sub(r"(?<!:):(\w+)", r"%(\1)s", sql)
        return sql.replace("?", "%s")

    def execute(self, sql, values=()):
        self.cursor.execute(self.translated(sql, values), values or None)
        return self.cursor

    def executemany(self, sql, rows):
        for values in rows:
            self.execute(sql, values)


@contextlib.contextmanager
def opened(place, file="docket.db"):
    """A connection that commits at the end. Nobody may serve a folder meanwhile."""
    if isinstance(place, Database):
        with contextlib.closing(place.connect()) as connection:
            connection.autocommit = False
            with connection:
                yield Connection(connection)
    else:
        with contextlib.closing(sqlite3.connect(place / file)) as connection, connection:
            yield connection


def rows(place, sql, values=(), file="docket.db"):
    """The rows of a statement; none if it returns no rows."""
    with opened(place, file) as connection:
        cursor = connection.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


# All tables but two kinds: those of the text index, which a server also changes when nobody writes, and the
# partitions of a table.
TABLES = {
    False: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'task_words%'"
           " AND name <> 'task_pending'",
    True: "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
          " AND relnamespace = 'public'::regnamespace",
}
COLUMNS = {
    False: "SELECT name FROM pragma_table_info(?)",
    True: "SELECT attname::text FROM pg_attribute WHERE attrelid = ?::regclass AND attnum > 0"
          " AND NOT attisdropped ORDER BY attnum",
}


def tables(connection):
    """table → its columns."""
    kind = isinstance(connection, Connection)
    names = [name for name, in connection.execute(TABLES[kind]).fetchall()]
    return {name: [column for column, in connection.execute(COLUMNS[kind], (name,)).fetchall()]
            for name in names}
