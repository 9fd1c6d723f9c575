"""The clients of examples/, unchanged."""
import shutil
import subprocess

import pytest

import harness

INTERPRETERS = {".py": "/usr/bin/python3", ".mjs": "node", ".php": "php", ".sh": "sh"}


def run(client, *arguments, **env):
    """Runs a client to its end."""
    name = INTERPRETERS["." + client.rpartition(".")[2]]
    interpreter = shutil.which(name)
    if not interpreter:
        pytest.skip(f"NOT TESTED, examples/{client}: {name} is not installed")
    return subprocess.run([interpreter, harness.ROOT / "examples" / client, *map(str, arguments)],
                          capture_output=True, encoding="utf-8", timeout=harness.COMMAND_S, check=False,
                          env={**harness.environment(), **{name: str(value) for name, value in env.items()}})
