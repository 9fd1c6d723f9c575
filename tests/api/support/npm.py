"""The programs of tools/npm, which script/bootstrap test installs."""
import subprocess

import harness

MODULES = harness.ROOT / "build-npm" / "node_modules"


def program(name):
    return MODULES / ".bin" / name


def run(folder, name, *arguments):
    """Runs a program in a folder to its end; returns what it printed."""
    done = subprocess.run([program(name), *map(str, arguments)], cwd=folder, check=False,
                          timeout=harness.COMMAND_S, capture_output=True, encoding="utf-8",
                          env=harness.environment({"REDOCLY_TELEMETRY": "off"}))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
