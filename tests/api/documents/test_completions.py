"""The completions for bash, zsh and fish."""
import re
import subprocess

import pytest

from harness import COMMAND_S, PROGRAM, ROOT, run


def shell(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S, check=True, **options)


@pytest.fixture(scope="module")
def completions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completions")
    shell("/usr/bin/python3", ROOT / "tools/completions.py", PROGRAM, folder)
    return folder


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completions_are_valid(completions, name):
    shell(name, "-n", completions / f"docket.{name}")


def of_bash(completions, words, folder):
    """What bash offers after these words, the last of which is begun."""
    script = f"""source {completions}/docket.bash
compopt() {{ :; }}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_docket
printf '%s\\n' "${{COMPREPLY[@]}}" """
    return sorted(shell("bash", "-c", script, "docket", *words, cwd=folder).stdout.split())


def of_fish(completions, words, folder):
    line = " ".join(words)
    script = f"source {completions}/docket.fish; complete -C '{line}'"
    done = shell("fish", "--no-config", "-c", script, cwd=folder,
                 env={"HOME": str(folder), "PATH": "/usr/bin:/bin"})
    return sorted(offered.split("\t")[0] for offered in done.stdout.splitlines())


@pytest.mark.parametrize("words, offered", [
    ("ser", ["serve"]),
    ("b", ["backup"]),
    ("staff ", ["add", "list", "remove", "rename", "set"]),
    ("token r", ["revoke", "rotate"]),
    ("staff set doe --acc", ["--access", "--account"]),
    ("staff set doe --access ", ["disabled", "full", "limited"]),
    ("account set main --require-case ", ["no", "yes"]),
    ("serve --log-format ", ["json", "text"]),
    ("serve --listen ", []),
    ("serve --data f", ["folder"]),
    ("serve --config fi", ["file"]),
    ("demo --listen", []),
    ("help mi", ["migrate"]),
])
@pytest.mark.parametrize("of", [of_bash, of_fish])
def test_completions(completions, tmp_path, words, offered, of):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    found = of(completions, ["docket", *words.split(" ")], tmp_path)
    assert [word.rstrip("/") for word in found] == offered


def test_every_option_is_completed(completions, tmp_path):
    """In every shell: for each command, all options of its help."""
    names = re.findall(r"^  (\S+(?: \S+)?)  +\S", run("--help").stdout, re.MULTILINE)
    assert len(names) > 20
    texts = {name: (completions / f"docket.{name}").read_text() for name in ("zsh", "fish")}
    for name in names:
        options = re.findall(r"^  (--[a-z-]+) ", run(*name.split(), "--help").stdout, re.MULTILINE)
        assert of_bash(completions, ["docket", *name.split(), "--"], tmp_path) == sorted(options)
        part = texts["zsh"].split(f"'{name}') _arguments", 1)[1].split("\t;;")[0]
        assert set(re.findall(r"'(--[a-z-]+)\[", part)) == set(options)
        condition = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in name.split())
        assert {"--" + option for option in re.findall(f"-n '{condition}' -l ([a-z-]+)", texts["fish"])} \
            == set(options) - {"--help"}
