"""The messages of make and the scripts, and what they install. The tests run copies of the Makefile
and the scripts, with a Meson that fails or without Meson, and do not build the program."""
import os
import shutil
import subprocess

import pytest

from harness import COMMAND_S, ROOT

TOOLS = ["sh", "env", "make", "mkdir", "install", "rm"]
PAGES = ["share/man/man1/docket.1", "share/man/man5/docket.conf.5"]
COMPLETIONS = {"bash": "share/bash-completion/completions/docket", "zsh": "share/zsh/site-functions/_docket",
               "fish": "share/fish/vendor_completions.d/docket.fish"}


@pytest.fixture
def clone(tmp_path):
    """The Makefile, the scripts and the pages, and a PATH with few programs."""
    clone, path = tmp_path / "clone", tmp_path / "bin"
    clone.mkdir()
    path.mkdir()
    shutil.copy(ROOT / "Makefile", clone)
    for folder in ("script", "man"):
        shutil.copytree(ROOT / folder, clone / folder)
    for tool in TOOLS:
        (path / tool).symlink_to(shutil.which(tool))
    return clone


def make(clone, *arguments, **env):
    return subprocess.run(
        ["make", *arguments], cwd=clone, timeout=COMMAND_S, stdin=subprocess.DEVNULL, text=True,
        env={"PATH": str(clone.parent / "bin"), "HOME": str(clone.parent), **env},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def script(clone, name, text):
    file = clone.parent / "bin" / name
    file.write_text("#!/bin/sh\n" + text)
    file.chmod(0o755)


BUILDS = ["build", "build-quick/build.ninja", "build-gcc/build.ninja", "build-thread/build.ninja"]


@pytest.mark.parametrize("target", BUILDS)
def test_a_build_without_meson_says_what_installs_it(clone, target):
    done = make(clone, target)
    assert done.returncode == 2
    assert "meson is not installed" in done.stderr
    assert "script/bootstrap build installs what a build needs" in done.stderr


@pytest.mark.parametrize("target", BUILDS)
def test_the_words_of_a_meson_that_fails_are_shown(clone, target):
    script(clone, "meson", "echo 'Dependency \"libpq\" not found'; echo 'and so on' >&2; exit 1\n")
    done = make(clone, target)
    assert done.returncode == 2
    assert 'Dependency "libpq" not found\nand so on\n' in done.stderr
    assert "script/bootstrap" in done.stderr


def test_a_meson_that_succeeds_says_nothing(clone):
    script(clone, "meson", "echo loud; echo loud >&2; mkdir build; echo 'ninja' > build/build.ninja\n")
    script(clone, "ninja", "exit 0\n")
    done = make(clone, "build")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("target, tests", [
    ("build", "disabled"), ("build-quick/build.ninja", "enabled"),
    ("build-gcc/build.ninja", "enabled"), ("build-thread/build.ninja", "enabled")])
def test_tests_are_built_where_they_are_run(clone, target, tests):
    """A build that only serves needs none of the tests' packages."""
    script(clone, "meson", 'echo "$@"; exit 1\n')
    assert f"-Dtests={tests}" in make(clone, target).stderr


@pytest.fixture
def built(clone):
    """A build that is up to date."""
    script(clone, "ninja", "exit 0\n")
    script(clone, "meson", "exit 1\n")
    (clone / "build").mkdir()
    (clone / "build" / "build.ninja").touch()
    (clone / "build" / "docket").write_text("the program")
    (clone / "build" / "docket").chmod(0o755)
    for shell in COMPLETIONS:
        (clone / "build" / f"docket.{shell}").write_text(f"completions of {shell}")
    return clone


@pytest.mark.parametrize("how", ["prefix", "environment", "destdir"])
def test_install_takes_the_prefix_also_after_the_build(built, tmp_path, how):
    place = tmp_path / "a place"
    arguments, env = {
        "prefix": ([f"PREFIX={place}"], {}),
        "environment": ([], {"PREFIX": str(place)}),
        "destdir": ([f"DESTDIR={place}", "PREFIX=/usr"], {}),
    }[how]
    root = place / "usr" if how == "destdir" else place
    done = make(built, "install", *arguments, **env)
    assert done.returncode == 0, done
    assert (root / "bin/docket").read_text() == "the program"
    assert os.access(root / "bin/docket", os.X_OK)
    for shell, name in COMPLETIONS.items():
        assert (root / name).read_text() == f"completions of {shell}"
    for page in PAGES:
        assert (root / page).read_bytes() == (ROOT / "man" / os.path.basename(page)).read_bytes()

    done = make(built, "uninstall", *arguments, **env)
    assert done.returncode == 0, done
    assert [path for path in root.rglob("*") if not path.is_dir()] == []
