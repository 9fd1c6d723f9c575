"""The migrations of schema/, and how a test makes a place of an earlier schema."""
import re

import backends
import titles
from chain import rechain
from harness import ROOT

FILES = sorted((ROOT / "schema").glob("*.sql"))
LATEST = len(FILES)
# What `docket migrate` prints for a place of schema 1.
TOLD = "".join(path.stem.replace("_", " ", 1) + "\n" for path in FILES[1:])
# Statements that make the tallies anew, for a test that has written tasks itself.
TALLY = [statement for table, file in (("task_tally", FILES[12]), ("task_tally_sum", FILES[13]))
         for statement in (f"DELETE FROM {table}",
                           re.search(f"^INSERT INTO {table} [^;]*", file.read_text(), re.MULTILINE)[0])]
STATES = FILES[9].read_text()  # it moves columns of accounts into a table of their own


def added(pattern, number):
    """The names in the statements that begin like the pattern, in the migrations after `number`."""
    later = "".join(path.read_text() for path in FILES[number:])
    return [found.groups() for found in re.finditer("^" + pattern, later, re.MULTILINE)]


def columns_after(number):
    """The tables and columns that later migrations add."""
    return added(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", number)


def moved_back(place):
    """The statements that move the columns of the state of accounts back."""
    types = ("BIGINT", "BYTEA") if isinstance(place, backends.Database) else ("INTEGER", "BLOB")
    for name, about in re.findall(r"^\t(\w+) ({\w+}(?: NOT NULL DEFAULT 0)?)(?:,|\s)", STATES,
                                  re.MULTILINE)[1:]:
        about = about.replace("{int}", types[0]).replace("{bytes}", types[1])
        yield f"ALTER TABLE account ADD COLUMN {name} {about}"
        yield (f"UPDATE account SET {name} ="
               f" (SELECT s.{name} FROM account_state s WHERE s.account_id = id)")


def marks_back(place):
    """The statements that make the mark of read-only tokens again."""
    kind = "BIGINT" if isinstance(place, backends.Database) else "INTEGER"
    yield f"ALTER TABLE token ADD COLUMN read_only {kind} NOT NULL DEFAULT 0"
    yield "UPDATE token SET read_only = 1 WHERE scopes = 1"


def to_schema(number, place):
    """The statements that remove what later migrations add: indexes, tables and columns."""
    separate = number < 12 and not isinstance(place, backends.Database)
    return [*(titles.TAKE.split(";")[:-1] + ["DROP TABLE task_pending"] if separate else ()),
            *(moved_back(place) if number < 10 else ()),
            *(marks_back(place) if 3 <= number < 15 else ()),
            *(f"DELETE FROM given WHERE name = '{name}'"
              for name, in added(r"INSERT INTO given \(name, last\) VALUES \('(\w+)'", number)),
            *(f"DROP INDEX {name}" for name, in added(r"CREATE (?:UNIQUE )?INDEX (\w+)", number)),
            *(f"DROP TABLE {name}" for name, in added(r"CREATE TABLE (\w+)", number)),
            *(f"ALTER TABLE {table} DROP COLUMN {column}"
              for table, column in columns_after(number)),
            f"DELETE FROM migration WHERE number > {number}"]


def take_back(database, number, place):
    """Gives a place an earlier schema, with the chain of that schema."""
    if 4 <= number < 11:
        rechain(database, plain=True)
    for statement in to_schema(number, place):
        database.execute(statement)
