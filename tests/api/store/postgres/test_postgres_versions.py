"""While another session keeps a transaction open, such as a backup, PostgreSQL keeps all versions of the rows that
docket changes. That must not make the look-ups slower that every request and every insert needs. A batch reads
through the versions of its account's state once, and not again when it changes it."""
import json
import re

import pytest

import postgres
from deployment import deployed
from harness import TASKS, task
from load import Link

pytestmark = [postgres.NEEDED, pytest.mark.slow]

WRITES = 2000
PAGES = 20  # of a look-up by keys, in all its tables; it reads 8 or 9
ACCESS = "LEFT JOIN account a ON a.name = $1"
STATE = "UPDATE account_state"
FOREIGN_KEY = 'SELECT 1 FROM ONLY "public"."account" x'
EXPLAIN = {"session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": 0,
           "auto_explain.log_analyze": "on", "auto_explain.log_buffers": "on",
           "auto_explain.log_nested_statements": "on", "auto_explain.log_format": "json"}


def pages_of_a_create(deployment):
    """Creates a task. Returns a pair for each statement that PostgreSQL ran: its text and how many pages it
    looked at."""
    database, log = deployment.database, deployment.database.cluster.log
    for name, value in EXPLAIN.items():
        database.run(f"""ALTER DATABASE "{database.name}" SET {name} = '{value}'""")
    server = deployment.serve()
    before = log.stat().st_size
    assert deployment.post("explained", server).status == 201
    server.stop()  # its sessions have then written their logs
    with open(log, "rb") as file:
        file.seek(before)
        said = file.read().decode()
    plans = [json.loads(plan) for plan in re.findall(r"plan:\n(\t\{\n(?:\t.*\n)+)", said)]
    return [(plan["Query Text"],
             plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])
            for plan in plans]


def test_look_ups_read_few_pages_beside_a_long_transaction(tmp_path):
    with deployed(tmp_path, processes=1) as deployment:
        with deployment.database.held("SELECT pg_current_xact_id()"):
            link = Link(deployment, deployment.servers[0], "first")
            for _ in range(WRITES):
                assert link.ask("POST", TASKS, task())[0] == 201
            link.close()
            found = pages_of_a_create(deployment)
        for part in (ACCESS, FOREIGN_KEY, STATE):
            pages = [count for text, count in found if part in text]
            assert pages and max(pages) <= PAGES, found
