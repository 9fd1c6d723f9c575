"""What the tests of the commands share."""
import contextlib
import re
import sqlite3
import stat

from harness import run

# The tables that hold something; an index of words is read through the tables behind it.
TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"


def rows(folder, sql):
    with contextlib.closing(sqlite3.connect(folder / "docket.db")) as database:
        return database.execute(sql).fetchall()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def fails(*arguments, **options):
    """Asserts that a command failed, that it said so on standard error, and returns that."""
    done = run(*arguments, **options)
    assert done.returncode == 1, done
    assert done.stdout == "", done
    # One line for the person, not a stack or a query.
    assert re.fullmatch(r"docket(?: [a-z]+)*: .+\n", done.stderr), done
    return done.stderr


def misuse(*arguments, **options):
    done = run(*arguments, **options)
    assert done.returncode == 2, done
    assert done.stdout == "", done
    assert done.stderr.startswith("docket"), done
    return done.stderr
