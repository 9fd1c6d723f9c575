#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: docket.py create CASE CALENDAR DUE-ON TITLE   creates a task and prints it
       docket.py list [PARAMETER=VALUE]...           prints tasks, one a line: list status=none,in_progress
       docket.py mirror FILE                         brings FILE, a copy of all records, up to date
       docket.py export YYYY-MM                      prints the tasks completed in a month (UTC), as CSV
DOCKET_API_TOKEN_FILE must name a file with an API token. DOCKET_URL is by default http://127.0.0.1:8080,
DOCKET_USERNAME admin."""
import calendar
import csv
import json
import os
import pathlib
import sys
from urllib.parse import urljoin

import requests

URL = os.environ.get("DOCKET_URL", "http://127.0.0.1:8080") + "/"
session = requests.Session()


def call(path, method="GET", **options):
    answer = session.request(method, urljoin(URL, path), **options)
    if answer.status_code == 410:
        return answer
    if answer.headers.get("Content-Type") == "application/problem+json":
        sys.exit(answer.json()["detail"])
    answer.raise_for_status()
    return answer


def walk(*parameters):
    """The tasks of all pages of a list."""
    answer = call("api/v1/tasks", params=[("per_page", 500), *parameters])
    yield from answer.json()
    while "next" in answer.links:
        answer = call(answer.links["next"]["url"])
        yield from answer.json()


def mirror(file):
    copy = json.loads(file.read_text("utf-8")) if file.exists() else {"last": 0, "records": {}}
    while True:
        answer = call(f"api/v1/changes?since={copy['last']}")
        if answer.status_code == 410:  # the server was restored from a backup: begin again
            copy = {"last": 0, "records": {}}
            continue
        answer = answer.json()
        if not answer["changes"]:
            break
        for change in answer["changes"]:
            copy["records"].setdefault(change["record"], {})[str(change["id"])] = change["value"]
            if change["action"] == "delete":
                del copy["records"][change["record"]][str(change["id"])]
        copy["last"] = answer["last"]
    new = file.with_name(file.name + ".new")
    new.write_text(json.dumps(copy), "utf-8")
    new.replace(file)  # the records and the number of the last change at once


def export(month):
    last = calendar.monthrange(int(month[:4]), int(month[5:]))[1]
    bounds = ("complete_from", f"{month}-01"), ("complete_to", f"{month}-{last}")
    tasks = list(walk(*bounds, ("expand", "case")))
    lines = csv.writer(sys.stdout)
    lines.writerow(["id", "case_number", "title", "due_on", "complete_at"])
    for task in tasks:
        case_number = task["Casefile"] and task["Casefile"]["case_number"]
        lines.writerow([task["id"], case_number, task["title"], task["due_on"], task["complete_at"]])


try:
    if "DOCKET_API_TOKEN_FILE" in os.environ:
        token = pathlib.Path(os.environ["DOCKET_API_TOKEN_FILE"]).read_text().strip()
        session.auth = (os.environ.get("DOCKET_USERNAME", "admin") + "/token", token)
    match sys.argv[1:] if session.auth else []:
        case ["create", casefile, calendar_id, due_on, title]:
            task = {"casefile_id": int(casefile), "calendar_id": int(calendar_id), "due_on": due_on,
                    "title": title}
            print(json.dumps(call("api/v1/tasks", "POST", json={"task": task}).json()))
        case ["list", *parameters]:
            for task in walk(*(parameter.partition("=")[::2] for parameter in parameters)):
                print(json.dumps(task))
        case ["mirror", file]:
            mirror(pathlib.Path(file))
        case ["export", month]:
            export(month)
        case _:
            print(__doc__, file=sys.stderr)
            sys.exit(2)
except (OSError, ValueError) as fault:
    sys.exit(f"docket.py: {fault}")
