"""Replicas of served folders: where they are, what state a folder has, and restores."""
import contextlib
import json
import re
import sqlite3

from harness import run, succeed
from together import until


def status(server):
    return json.loads(succeed("status", "--data", server.data, "--json").stdout)["replica"]


def confined(server):
    """Whether Landlock limits which files the server can open."""
    found = json.loads(succeed("status", "--data", server.data, "--json").stdout)
    return found["confinement"]["landlock"] == "on"


def follows(server, generation=None):
    """Waits until the replica has every commit."""
    return until(lambda: status(server),
                 lambda now: now["state"] == "following" and not now["copying"] and now["lag_commits"] == 0
                 and now["lag_ms"] == 0 and (generation is None or now["generation"] == generation),
                 "the replica is to follow")


LEFT_OUT = {"property": " WHERE name NOT IN ('replica', 'era')", "audit": " WHERE command <> 'restore'",
            "given": " WHERE name NOT IN ('account', 'audit')"}


def tables(folder):
    """Every row of every table. Left out are the mark of the replica, and the minute in which a token was
    last used: docket writes it beside the changes. So is what differs after a restore: the era, the last
    ids, which jump, also that of accounts, the titles that wait for their index, which a restore makes anew,
    and its entry in the audit log."""
    found = {}
    with contextlib.closing(sqlite3.connect(f"file:{folder}/docket.db?mode=ro", uri=True)) as database:
        names = [name for name, in database.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
            " AND name NOT LIKE 'sqlite%' AND name <> 'task_pending'")]
        for name in names:
            columns = [column for column, in database.execute("SELECT name FROM pragma_table_info(?)", (name,))
                       if (name, column) != ("token", "last_used_at")
                       and not re.fullmatch("last_.*_id", column)]
            where = LEFT_OUT.get(name, "")
            found[name] = sorted(database.execute(f"SELECT {', '.join(columns)} FROM {name}{where}"),
                                 key=repr)
    return found


def restore(target, to, *options):
    done = succeed("restore", "--from", target, "--data", to, *options)
    sound = run("check", "--data", to)
    assert sound.returncode == 0, sound
    return done


def generations(target):
    return sorted(path for path in target.iterdir() if path.name.startswith("generation-"))


def segments(generation):
    return sorted(path for path in generation.iterdir() if path.name.startswith("segment-"))
