"""The manual pages: well-formed, and with the options that the program has."""
import subprocess
import sys

import pytest

from harness import PROGRAM, ROOT, environment

PAGES = ["docket.1", "docket.conf.5"]
# Neither of the two is installed, nor need the others be.
EXPECTED = "referenced manual not found: "


@pytest.mark.parametrize("page", PAGES)
def test_mandoc_finds_no_fault(page):
    done = subprocess.run(["mandoc", "-T", "lint", str(ROOT / "man" / page)], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
    assert [line for line in done.stdout.splitlines() if EXPECTED not in line] == []


@pytest.mark.slow
def test_the_options_are_those_of_the_program():
    """What mends it is "make man"."""
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "man-tables.py"), PROGRAM,
                           "--check"], env=environment(), check=False, capture_output=True,
                          encoding="utf-8")
    assert done.returncode == 0, done.stderr
