"""The text index of a data folder: docket brings titles into it after the write. Until then they wait in the
table task_pending. A PostgreSQL database has no such table: there no title waits."""
import contextlib
import sqlite3

import backends
from harness import SANITIZED
from together import beside, until

# docket promises that no title waits longer when nothing is written.
QUIET_S = 60 if SANITIZED else 5
WAITING_MAX = 1024  # the most that wait after an answer
# All tasks that wait, as docket brings them into the index.
TAKE = """
INSERT INTO task_words (task_words, rowid, title) SELECT 'delete', account_id << 40 | task_id, indexed
    FROM task_pending WHERE indexed IS NOT NULL;
INSERT INTO task_words (rowid, title) SELECT t.account_id << 40 | t.id, t.title_folded
    FROM task_pending p JOIN task t ON t.account_id = p.account_id AND t.id = p.task_id;
DELETE FROM task_pending;
"""


def waiting(place):
    """How many titles wait. The place may be served."""
    if isinstance(place, backends.Database):
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{place}/docket.db?mode=ro", uri=True)) as database:
        return database.execute("SELECT count(*) FROM task_pending").fetchone()[0]


def until_taken(place):
    """Waits until no title waits, for as long as docket may take when nothing is written."""
    until(lambda: waiting(place), lambda count: count == 0, "titles wait", QUIET_S)


def take(place):
    """Brings all titles of a folder that nobody serves into the index."""
    if not isinstance(place, backends.Database):
        with contextlib.closing(sqlite3.connect(place / "docket.db")) as database:
            database.executescript(TAKE)


@contextlib.contextmanager
def kept_busy(server):
    """Changes a task all the time. So the server has no time to bring few titles into the index: they wait.
    Gives the task."""
    made = server.create(title="zz busy")

    def write(_, stop):
        while not stop.wait(0.02):
            assert server.call("PATCH", f"/api/v1/tasks/{made['id']}", b'{"task":{"body":"b"}}',
                               {"Content-Type": "application/json"}).status == 200

    with beside(write):
        yield made
