#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What --replicate-to costs: creates with and without it, in pairs.

    bench/replica.py --tasks 20000 --pairs 9 --seconds 6 --connections 64

Each round begins with a new copy of the data. The side with the replica waits until its first full copy is
complete. The line of each pair has the rates in creates a second, the ratio, and the processor time for a create.
At the end it restores the last replica and compares its size with that of the folder."""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import time

import harness
from compare import Load
from harness import DATA, PROGRAM, Server, basic, query


def follows(folder):
    while True:
        said = subprocess.run([PROGRAM, "status", "--json", "--data", folder], check=True, capture_output=True)
        replica = json.loads(said.stdout)["replica"]
        if replica["state"] == "following" and not replica["copying"] and not replica["lag_commits"]:
            return
        time.sleep(0.05)


def processor_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def round_of(options, values, base, token, target, seed):
    """Creates a second, and the processor time of each in microseconds."""
    folder = harness.copy(base, "replica-round")
    more = ["--replicate-to", target] if target else []
    with Server(folder, token, "--quiet", *more) as server:
        if target:
            follows(folder)
        before = processor_s(server.process.pid)
        result = Load(server, "create", options.seconds, seed, values, options.connections).result()
        took = processor_s(server.process.pid) - before
        if target:
            follows(folder)
    return result["requests"] / options.seconds, took / result["requests"] * 1e6


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, preset in (("tasks", 20000), ("pairs", 9), ("seconds", 6), ("connections", 64)):
        parser.add_argument(f"--{name}", type=int, default=preset)
    options = parser.parse_args()
    base = harness.make_folder(f"tasks-{options.tasks}", options.tasks)
    token = DATA / f"tasks-{options.tasks}.token"
    ((tasks, cases, staff, today),) = query(
        base, "SELECT count(*), (SELECT count(*) FROM casefile), (SELECT count(*) FROM staff),"
        " max(created_at) / 86400 FROM task")
    values = {"tasks": tasks, "cases": cases, "staff": staff, "today": today, "first": today - 365, "span": 7,
              "access": basic(token)}
    target, ratios = DATA / "replica-target", []
    print(harness.machine())
    for pair in range(options.pairs):
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        rates = {}
        for side in ([None, target], [target, None])[pair % 2]:
            rates[side] = round_of(options, values, base, token, side, pair + 1)
            if side:
                folder_bytes = size(DATA / "replica-round")
        ratios.append(rates[target][0] / rates[None][0])
        print(f"without {rates[None][0]:7.0f}/s {rates[None][1]:5.0f} us   with {rates[target][0]:7.0f}/s"
              f" {rates[target][1]:5.0f} us   ratio {ratios[-1]:.3f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.3f}")
    print(f"the replica has {size(target) / folder_bytes:.3f} of the folder's {folder_bytes / 2**20:.0f} MiB")
    restored = DATA / "replica-restored"
    shutil.rmtree(restored, ignore_errors=True)
    begun = time.monotonic()
    subprocess.run([PROGRAM, "restore", "--from", target, "--data", restored], check=True)
    print(f"restored in {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    main()
