"""The manual pages are well-formed and have the options of the program."""
import subprocess
import sys

import pytest

from harness import PROGRAM, ROOT, environment

PAGES = ["docket.1", "docket.conf.5"]
# docket's own pages are not installed, and the others need not be.
EXPECTED = "referenced manual not found: "


@pytest.mark.parametrize("page", PAGES)
def test_mandoc_finds_no_fault(page):
    done = subprocess.run(["mandoc", "-T", "lint", str(ROOT / "man" / page)], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
    assert [line for line in done.stdout.splitlines() if EXPECTED not in line] == []


@pytest.mark.slow
def test_the_options_are_those_of_the_program():
    """If this fails, run "make man"."""
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "man-tables.py"), PROGRAM,
                           "--check"], env=environment(), check=False, capture_output=True,
                          encoding="utf-8")
    assert done.returncode == 0, done.stderr


def test_the_settings_are_those_that_a_file_can_set():
    """The command reads --yes and the values of `staff set` only from its options."""
    page = (ROOT / "man" / "docket.conf.5").read_text("ascii")
    assert "DOCKET_YES" not in page and "DOCKET_EMAIL" in page
    assert "staff set" not in page.partition("DOCKET_EMAIL")[2].partition(".It")[0]
