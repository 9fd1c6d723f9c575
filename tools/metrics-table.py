#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the table of metrics in docs/operate.md, from what the program serves:
metrics-table.py PROGRAM [--check]

It replaces the lines between two markers. With --check it writes nothing, and ends with 1 if the table
does not match the program."""
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "operate.md"
BLOCK = re.compile(r"(<!-- tools/metrics-table\.py -->\n).*?(<!-- end -->\n)", re.DOTALL)


@contextlib.contextmanager
def served(program):
    """The URLs of the API and of the metrics of a server that has all of them."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("DOCKET_")}
    with tempfile.TemporaryDirectory() as place:
        data, replica, backups = f"{place}/data", f"{place}/replica", f"{place}/backups"
        os.mkdir(replica)
        os.mkdir(backups)
        subprocess.run([program, "init", "--data", data], env=env, stdout=subprocess.DEVNULL, check=True)
        with subprocess.Popen([program, "serve", "--data", data, "--replicate-to", replica, "--backup-to",
                               backups, "--backup-at", "03:00", "--listen", "127.0.0.1:0", "--metrics",
                               "127.0.0.1:0"], env=env, text=True,
                              stderr=subprocess.PIPE) as server:
            try:
                metrics = None
                for line in server.stderr:
                    metrics = metrics or re.search(r"metrics are at (http://\S+/metrics)", line)
                    if line.startswith("listening on "):
                        break
                yield line.split()[-1], metrics[1]
            finally:
                server.terminate()
                server.communicate()


def ask(url):
    with urllib.request.urlopen(url) as reply:
        return reply.read().decode()


def rows(text):
    """The name, type, labels and meaning of each metric."""
    for name, meaning, kind in re.findall(r"^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$", text, re.MULTILINE):
        labels = []
        for sample in re.findall(rf"^{name}(?:_bucket)?\{{(.*)\}} ", text, re.MULTILINE):
            labels += [label for label in re.findall(r'(\w+)="', sample) if label not in [*labels, "le"]]
        yield f"`{name}`", kind, ", ".join(f"`{label}`" for label in labels), meaning


def table(text):
    head = "metric", "type", "labels", "what it is"
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *rows(text)])


def main():
    program, check = sys.argv[1], "--check" in sys.argv[2:]
    with served(program) as (api, metrics):
        ask(f"{api}/healthz")
        text = ask(metrics)
        while 'route="/healthz"' not in text:  # docket counts a request a moment after its answer
            text = ask(metrics)
    before = PAGE.read_text("utf-8")
    after = BLOCK.sub(lambda found: f"{found[1]}\n{table(text)}\n{found[2]}", before)
    if not check:
        PAGE.write_text(after, "utf-8")
    elif before != after:
        sys.exit(f"the table in {PAGE} is not that of {program}: run tools/metrics-table.py")


main()
