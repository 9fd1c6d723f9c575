# SPDX-License-Identifier: MIT
"""A docket under load, for the pictures of the documents."""
import base64
import contextlib
import http.client
import itertools
import json
import pathlib
import random
import re
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "docket"
TASKS = "/api/v1/tasks"
TASK = {"casefile_id": 245, "calendar_id": 1, "due_on": "2027-01-31", "title": "Take the statement",
        "users_list": [2, 3]}
CLIENTS = 6
START_S = 60


def requests(draw, tasks):
    """Method, path, value, and whether the token is right; a few requests are wrong."""
    kind = draw.random()
    if kind < 0.6:
        return "GET", f"{TASKS}/{draw.randint(1, tasks)}", None, True
    if kind < 0.72:
        return "GET", f"{TASKS}?status=needs_action&sort=due_on&per_page=25", None, True
    if kind < 0.76:
        return "GET", f"{TASKS}?title=report&mode=count", None, True
    if kind < 0.88:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return "POST", TASKS, {"task": {**TASK, "alert_at": now if draw.random() < 0.2 else None}}, True
    if kind < 0.93:
        return "PATCH", f"{TASKS}/{draw.randint(1, tasks)}", {"task": {"status": "in_progress"}}, True
    if kind < 0.95:
        return "GET", f"/api/v1/cases/{draw.choice((245, 246))}/history", None, True
    if kind < 0.97:
        return "POST", TASKS, {"task": {**TASK, "title": "", "due_on": "31.1.2027"}}, True
    if kind < 0.99:
        return "GET", f"{TASKS}/99999999", None, True
    return "GET", TASKS, None, False


def client(port, token, tasks, seed, stop):
    draw = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in itertools.count():
        if stop.is_set():
            return
        method, path, value, known = requests(draw, tasks)
        access = base64.b64encode(f"admin/token:{token if known else 'wrong'}".encode()).decode()
        headers = {"Authorization": f"Basic {access}"}
        if value:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, json.dumps(value) if value else None, headers)
        connection.getresponse().read()
        # The load rises and falls.
        stop.wait(0.004 if number // 400 % 3 else 0.02)


@contextlib.contextmanager
def served(folder, *options, tasks=20000):
    """Serves sample records in the folder, with a replica, backups and mail into files beside it, and clients
    that send requests. Gives the data folder, and the standard error of the process as it began to serve."""
    data = folder / "data"
    for name in ("mail", "replica", "backups"):
        (folder / name).mkdir()
    subprocess.run([PROGRAM, "init", "--data", data, "--token-file", folder / "token"], check=True,
                   stderr=subprocess.DEVNULL)
    subprocess.run([PROGRAM, "demo", "--data", data, "--tasks", str(tasks)], check=True,
                   stderr=subprocess.DEVNULL)
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(
            [PROGRAM, "serve", "--data", data, "--listen", "127.0.0.1:0", "--quiet", "--smtp-url",
             f"file:{folder / 'mail'}", "--mail-from", "docket@example.com",
             "--replicate-to", folder / "replica", "--backup-to", folder / "backups", "--backup-at", "03:00", *options], stderr=log)
    stop, threads = threading.Event(), []
    try:
        until = time.monotonic() + START_S
        listening = re.compile(r"^listening on http://\S+:(\d+)$", re.MULTILINE)
        while not (ready := listening.search((folder / "log").read_text())):
            if server.poll() is not None or time.monotonic() > until:
                raise SystemExit((folder / "log").read_text())
            time.sleep(0.05)
        token = (folder / "token").read_text().strip()
        threads = [threading.Thread(target=client, args=(int(ready[1]), token, tasks, seed, stop))
                   for seed in range(CLIENTS)]
        for thread in threads:
            thread.start()
        yield data, (folder / "log").read_text()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        server.terminate()
        server.wait()
