#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a folder of many accounts takes: disk, start, memory and processor.

    bench/sizing.py --accounts 10,100,1000 --tasks 200 --rate 200 --seconds 20

Each account has that many sample tasks. At rest: two seconds after the start. Then clients send --rate requests
a second, evenly over the accounts: 16 of 20 read a task, 3 read a page of 25 tasks, and one creates a task. It
prints a row for each number of accounts, in the form of the table in docs/operate.md, but with times."""
import argparse
import base64
import concurrent.futures
import datetime
import http.client
import json
import pathlib
import random
import shutil
import time

import harness
from harness import DATA, PROGRAM, TASKS, Service

DOMAIN = "example.test"
CLIENTS = 8
CREATE = {"casefile_id": 245, "calendar_id": 1, "due_on": "2027-01-31", "title": "Take the statement"}


def make(accounts, tasks):
    """The folder, and the token of each account."""
    folder, tokens = DATA / f"sizing-{accounts}-{tasks}", DATA / f"sizing-{accounts}-{tasks}.tokens"
    if folder.exists() and tokens.exists():
        return folder, tokens.read_text().split()
    shutil.rmtree(folder, ignore_errors=True)
    DATA.mkdir(parents=True, exist_ok=True)
    found = []
    for number in range(accounts):
        file = DATA / "sizing.token"
        file.unlink(missing_ok=True)
        name = f"a{number}"
        how = ["account", "add", name] if number else ["init", "--account", name]
        harness.docket(*how, "--data", folder, "--token-file", file)
        harness.docket("demo", "--data", folder, "--account", name, "--tasks", tasks)
        found.append(file.read_text().strip())
    tokens.write_text("\n".join(found))
    return folder, found


def processor_s(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def send(server, tokens, tasks, seed, rate, seconds):
    """Sends requests at an even rate. Returns the milliseconds that each took."""
    draw, took, began = random.Random(seed), [], time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        account = draw.randrange(len(tokens))
        access = base64.b64encode(f"admin/token:{tokens[account]}".encode()).decode()
        headers = {"Host": f"a{account}.{DOMAIN}", "Authorization": f"Basic {access}"}
        sent = time.monotonic()
        if number % 20 == 0:
            connection.request("POST", TASKS, json.dumps({"task": CREATE}),
                               {**headers, "Content-Type": "application/json"})
        elif number % 20 < 4:
            connection.request("GET", f"{TASKS}?per_page=25&sort=due_on", headers=headers)
        else:
            connection.request("GET", f"{TASKS}/{draw.randint(1, tasks)}", headers=headers)
        reply = connection.getresponse()
        reply.read()
        assert reply.status in (200, 201), reply.status
        took.append((time.monotonic() - sent) * 1000)
    return took


def measure(options, accounts):
    folder, tokens = make(accounts, options.tasks)
    folder = harness.copy(folder, "sizing-round")
    disk = sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) / 2**20
    began = time.monotonic()
    with Service([PROGRAM, "serve", "--data", folder, "--listen", "127.0.0.1:0", "--quiet",
                  "--base-domain", DOMAIN]) as server:
        start = (time.monotonic() - began) * 1000
        time.sleep(2)
        rest, before = server.memory_mb(), processor_s(server)
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            work = [pool.submit(send, server, tokens, options.tasks, seed, options.rate / CLIENTS,
                                options.seconds) for seed in range(CLIENTS)]
            took = sorted(ms for one in work for ms in one.result())
        processor = (processor_s(server) - before) / options.seconds * 100
        loaded = server.memory_mb()
    return (f"| {accounts:,} | {accounts * options.tasks:,} | {disk:,.0f} MiB | {start:.0f} ms | "
            f"{rest:.0f} MiB | {loaded:.0f} MiB | {processor:.0f} % | {took[len(took) * 99 // 100]:.1f} ms |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", default="10,100,1000")
    for name, preset in (("tasks", 200), ("rate", 200), ("seconds", 20)):
        parser.add_argument(f"--{name}", type=int, default=preset)
    options = parser.parse_args()
    print(harness.machine())
    print(datetime.date.today().isoformat())
    print("| accounts | tasks | disk | start | memory at rest | memory after load | processor | "
          "99 of 100 within |")
    print("| " + "---: | " * 8)
    for accounts in map(int, options.accounts.split(",")):
        print(measure(options, accounts), flush=True)


main()
