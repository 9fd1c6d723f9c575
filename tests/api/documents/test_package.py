"""The pieces of the Debian package: the unit, the version, what it needs. script/check-deb tries the whole."""
import re
import shutil
import subprocess

import pytest

from harness import COMMAND_S, PROGRAM, ROOT, run

EXPOSURE = 15  # tenths; systemd-analyze counts what a service could do


def shell(*command, check=True, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S, check=check, **options)


@pytest.fixture
def units(tmp_path):
    """The units, with this program and kill(1) wherever it is."""
    for name in ("docket.service", "docket.socket"):
        text = (ROOT / "debian" / name).read_text()
        (tmp_path / name).write_text(text.replace("/usr/bin/docket", PROGRAM)
                                     .replace("/bin/kill", shutil.which("kill")))
    return tmp_path


def test_units_are_valid(units):
    done = shell("systemd-analyze", "verify", "--man=no", units / "docket.service", units / "docket.socket")
    # Of other units of the machine it may say more.
    assert "docket" not in done.stderr, done.stderr


def test_unit_is_restricted(units):
    done = shell("systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={EXPOSURE}",
                 units / "docket.service", check=False)
    assert done.returncode == 0, done.stdout


def test_build_dependencies():
    """script/bootstrap and debian/control name the same libraries."""
    bootstrap = (ROOT / "script/bootstrap").read_text()
    wanted = re.search(r"^packages='(.*?)'", bootstrap, re.MULTILINE | re.DOTALL)[1]
    control = (ROOT / "debian/control").read_text()
    named = re.search(r"^Build-Depends:\n((?: .*\n)+)", control, re.MULTILINE)[1]
    libraries = {name for name in wanted.split() if name.endswith("-dev") and name != "libc6-dev"}
    assert libraries == set(re.findall(r"^ (\S+-dev),$", named, re.MULTILINE))


def test_changelog():
    """The version of the package is the program's; one that is not released yet comes before the release."""
    done = shell("/usr/bin/python3", ROOT / "tools/debian-changelog.py", "1796000000")
    version = run("--version").stdout.split()[-1]
    said = re.fullmatch(r"docket \((.*)\) unstable; urgency=medium\n\n((?:  .*\n)+)\n"
                        r" -- docket developers <\S+>  \w{3}, [\w :]+ \+0000\n", done.stdout)
    assert said and re.fullmatch(re.escape(version) + r"(~20261130\d{6})?", said[1]), done.stdout[:200]
    assert all(len(line) <= 80 for line in said[2].splitlines())
