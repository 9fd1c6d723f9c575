"""Time zones come from the system's tzdata. A server sees updates of it, and says which zones it has lost."""
import os
import pathlib

import pytest

import backends
from backends import where
from harness import faults, messages, run, strict_json, succeed, task
from records import CASE, STAFF, least, patch, post, send
from together import until

pytestmark = backends.BOTH

SYSTEM = pathlib.Path("/usr/share/zoneinfo")
ZONE = "Region/Town"


def put(tzdata, like):
    """Gives the zone the rules of one of the system's, by a rename, as dpkg does."""
    (tzdata / "Region/new").write_bytes((SYSTEM / like).read_bytes())
    os.rename(tzdata / "Region/new", tzdata / ZONE)


@pytest.fixture
def tzdata(tmp_path):
    """A folder of tzdata with one zone."""
    folder = tmp_path / "zoneinfo"
    (folder / "Region").mkdir(parents=True)
    (folder / "tzdata.zi").write_text(f"# version\nZ {ZONE} 9 - JST\nZ Region/Other 9 - JST\n")
    put(folder, "Asia/Tokyo")
    return folder


@pytest.fixture
def served(one, base, tzdata, make_server):
    """A server whose account and its staff member 1 are in that zone."""
    env = {"TZDIR": tzdata}
    succeed("account", "set", "main", "--time-zone", ZONE, "--alert-hour", "09:00", *where(one), env=env)
    server = make_server(one, base[1], env=env)
    assert patch(server, STAFF, 1, time_zone=ZONE).status == 200
    return server


def alert_at(server):
    return server.post(task(alert_at="2030-01-01")).json["alert_at"]


def warnings(server, since):
    return [line for line in server.stderr(since).splitlines() if "warning" in line]


def test_an_update_needs_no_restart(served, tzdata):
    assert alert_at(served) == "2030-01-01T00:00:00Z"
    put(tzdata, "Asia/Kolkata")
    until(lambda: alert_at(served) == "2030-01-01T03:30:00Z", what="the old rules")


def test_a_zone_that_is_gone(served, tzdata):
    """What needs the zone is refused, with the way out; all else works."""
    (tzdata / ZONE).unlink()
    no_day = task(alert_at="2030-01-01")
    until(lambda: served.post(no_day).status == 422, what="the zone is there")
    assert faults(served.post(no_day)) == [("task.alert_at", "format")]
    assert f'does not know the account\'s time zone "{ZONE}"' in messages(served.post(no_day))["task.alert_at"]
    assert served.post(task(alert_at="2030-01-01T09:00:00+09:00")).status == 201
    assert faults(post(served, CASE)) == [("casefile.created_on", "required")]
    assert f'"{ZONE}"' in messages(post(served, CASE))["casefile.created_on"]
    dry = send(served, "POST", CASE.path + "?dry_run=1", {CASE.wrapper: least(CASE)})
    assert faults(dry) == [("casefile.created_on", "required")]
    assert post(served, CASE, created_on="2030-01-01").status == 201
    assert faults(post(served, STAFF, time_zone=ZONE)) == [("staff.time_zone", "choice")]
    assert patch(served, STAFF, 1, first_name="Jo", time_zone=ZONE).status == 200
    put(tzdata, "Asia/Tokyo")
    until(lambda: post(served, CASE).status == 201, what="the zone is gone")


def test_who_has_a_zone_that_is_gone(served, tzdata, one):
    """The start and docket check name them. The data is sound."""
    assert warnings(served, 0) == []
    (tzdata / ZONE).unlink()
    served.stop()
    end = served.log.stat().st_size
    served.start()
    line, = warnings(served, end)
    assert "account main: " in line and f"time zone {ZONE}: alerts wait" in line
    served.stop()
    report = strict_json(run("check", *where(one), "--json", env={"TZDIR": tzdata}).stdout.encode())
    assert report["sound"]
    note, = report["notes"]
    assert note["rule"] == "zones"
    assert [(entry["account"], entry["record"], entry["id"], entry["what"]) for entry in note["entries"]] == [
        ("main", "account", 1, ZONE), ("main", "staff", 1, ZONE)]


@pytest.mark.slow
def test_many_accounts_are_counted(served, tzdata):
    served.stop()
    for number in range(22):
        succeed("account", "add", f"account-{number:02}", *where(served.data), env={"TZDIR": tzdata})
        succeed("account", "set", f"account-{number:02}", "--time-zone", ZONE, *where(served.data),
                env={"TZDIR": tzdata})
    (tzdata / ZONE).unlink()
    end = served.log.stat().st_size
    served.arguments += ["--base-domain", "example.test"]
    served.start()
    said = warnings(served, end)
    assert [line.split(": ")[2] for line in said[:20]] == [f"account account-{n:02}" for n in range(20)]
    assert said[20:] == ["docket: warning: 3 more accounts have time zones that tzdata does not have"]
