"""What the tests of the commands share."""
import re
import stat
import subprocess

from harness import COMMAND_S, PROGRAM, environment, run


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


def full(*arguments):
    """Runs a command whose standard output takes nothing."""
    with open("/dev/full", "wb") as nowhere:
        return subprocess.run([PROGRAM, *map(str, arguments)], env=environment(), stdout=nowhere,
                              stderr=subprocess.PIPE, timeout=COMMAND_S, check=False)
