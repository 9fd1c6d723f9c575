"""For the tests of commands: runs that must fail."""
import functools
import json
import pathlib
import re
import stat
import subprocess
import tempfile

from harness import PROGRAM, SANITIZER, environment, plain, run

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


@functools.cache
def command_lines():
    """The program that runs command lines in forks (tests/unit/command_lines.c). It ends with its standard
    input, so with this process."""
    return subprocess.Popen([pathlib.Path(PROGRAM).parent / "tests/unit/command_lines"], env=environment(),
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tempfile.gettempdir(),
                            encoding="utf-8")


def forked_misuse(*arguments):
    """The same as misuse(), without a start of the program: for tests of very many command lines."""
    program = command_lines()
    program.stdin.write(json.dumps([str(argument) for argument in arguments]) + "\n")
    program.stdin.flush()
    done = json.loads(program.stdout.readline())
    assert not SANITIZER.search(done["stderr"]), done
    assert done["status"] == 2 and done["stdout"] == "", done
    assert done["stderr"].startswith("docket"), done
    return plain(done["stderr"])


def full(*arguments, **options):
    """Runs a command whose standard output is full."""
    with open("/dev/full", "wb") as nowhere:
        return run(*arguments, stdout=nowhere, **options)
