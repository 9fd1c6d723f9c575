#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Creates a task, then reads all tasks, page by page: pages.py URL USERNAME TOKEN-FILE"""
import pathlib
import sys
from urllib.parse import urljoin

import requests

base, username, token_file = sys.argv[1:]
session = requests.Session()
session.auth = (username + "/token", pathlib.Path(token_file).read_text().strip())

answer = session.post(base + "/api/v1/tasks", json={"task": {
    "casefile_id": 245, "calendar_id": 1, "due_on": "2027-02-14", "title": "From Python"}})
if answer.status_code != 201:
    sys.exit(answer.json()["detail"])
# Location and Link are paths: resolve them against the URL of the request.
print("created", urljoin(answer.url, answer.headers["Location"]))

tasks, pages, url = 0, 0, base + "/api/v1/tasks?per_page=50"
while url:
    answer = session.get(url)
    answer.raise_for_status()
    tasks += len(answer.json())
    pages += 1
    url = urljoin(answer.url, answer.links["next"]["url"]) if "next" in answer.links else None
print(f"{tasks} tasks on {pages} pages")
