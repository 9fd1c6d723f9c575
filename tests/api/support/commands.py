"""For the tests of commands: runs that must fail."""
import re
import stat

from harness import run

# What a migration of a folder says first.
ANEW = r"docket: a migration writes the database anew\. .+ MiB are free\n"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def fails(*arguments, **options):
    """Asserts that a command failed with a message on standard error; returns the message."""
    done = run(*arguments, **options)
    assert done.returncode == 1, done
    assert done.stdout == "", done
    # One line for a human reader, not a stack trace or a query.
    assert re.fullmatch(f"(?:{ANEW})?" + r"docket(?: [a-z]+)*: .+\n", done.stderr), done
    return done.stderr


def misuse(*arguments, **options):
    done = run(*arguments, **options)
    assert done.returncode == 2, done
    assert done.stdout == "", done
    assert done.stderr.startswith("docket"), done
    return done.stderr


def full(*arguments, **options):
    """Runs a command whose standard output is full."""
    with open("/dev/full", "wb") as nowhere:
        return run(*arguments, stdout=nowhere, **options)
