"""docket backup into a folder: names with the time, and which old backups are kept."""
import datetime
import fcntl
import os

import pytest

from backends import opened
from commands import fails, misuse
from harness import strict_json, succeed
from saved import as_folder, sound

UTC = datetime.timezone.utc
NAME = "docket-%Y%m%dT%H%M%SZ.db"
DAY = datetime.timedelta(days=1)


@pytest.fixture
def target(tmp_path):
    (place := tmp_path / "backups").mkdir()
    return place


def backup(folder, target, *more):
    done = succeed("backup", "--data", folder, "--to", target, "--json", *more)
    return strict_json(done.stdout.encode())


def model(times, keep):
    """The times that are kept."""
    kept = set()
    for count, period in zip(keep, (lambda at: at.date(), lambda at: at.isocalendar()[:2],
                                    lambda at: (at.year, at.month))):
        last = None
        for at in sorted(times, reverse=True):
            if count and period(at) != last and at not in kept:
                kept.add(at)
                count -= 1
            last = period(at)
    return kept


def test_the_name_has_the_time(one, target, tmp_path):
    before = datetime.datetime.now(UTC).replace(microsecond=0)
    answer = backup(one, target)
    (name,) = os.listdir(target)
    assert answer["file"] == str(target / name) and answer["removed"] == 0
    at = datetime.datetime.strptime(name, NAME).replace(tzinfo=UTC)
    assert before <= at <= datetime.datetime.now(UTC)
    sound(as_folder(target / name, tmp_path / "copy"))


def test_the_parts_of_killed_backups_are_removed(one, target):
    """But not one that another docket writes, and none without --keep."""
    names = ["docket-20260101T000000Z.db.part", "docket-20260102T000000Z.db.part"]
    for name in names:
        (target / name).touch()
    os.remove(backup(one, target)["file"])  # the second may come within the same second
    assert set(names) == set(os.listdir(target))
    with open(target / names[1], "wb") as written:
        fcntl.flock(written, fcntl.LOCK_EX)
        backup(one, target, "--keep", "7,4,12")
    assert [name for name in os.listdir(target) if name.endswith(".part")] == [names[1]]


OTHERS = ["docket-20260101T000000.db.part", "docket-20260101T000000Z", "docket-20260101.db",
          "docket-20260231T000000Z.db", "docket-20260101T250000Z.db", "docket-20260101t000000z.db",
          "mine.db", "Docket-20260101T000000Z.db", "xdocket-20260101T000000Z.db"]


@pytest.mark.parametrize("keep", [(7, 4, 12), (1, 0, 0), (3, 2, 1), (1, 9999, 0), (2, 0, 30)])
def test_old_backups_are_removed(one, target, keep):
    """Of three years with two backups a day, some of them missing, as a model of the rule says; and no
    other file."""
    now = datetime.datetime.now(UTC).replace(microsecond=0)
    old = [now - number * DAY - datetime.timedelta(hours=hours)
           for number in range(1, 1000) for hours in (1, 7) if number % 11]
    for at in old:
        (target / at.strftime(NAME)).touch()
    for name in OTHERS:
        (target / name).touch()
    answer = backup(one, target, "--keep", ",".join(map(str, keep)))
    left = set(os.listdir(target))
    made = os.path.basename(answer["file"])
    at = datetime.datetime.strptime(made, NAME).replace(tzinfo=UTC)
    assert left - set(OTHERS) == {time.strftime(NAME) for time in model([at, *old], keep)}
    assert left >= set(OTHERS)
    assert answer["removed"] == len(old) + 1 + len(OTHERS) - len(left)


def test_the_new_backup_stays(one, target):
    """Also if the clock was ahead, and others seem to be newer."""
    ahead = datetime.datetime.now(UTC) + 400 * DAY
    (target / ahead.strftime(NAME)).touch()
    made = backup(one, target, "--keep", "1,0,0")["file"]
    assert set(os.listdir(target)) == {os.path.basename(made), ahead.strftime(NAME)}


def test_without_keep_nothing_is_removed(one, target):
    (target / "docket-20200101T000000Z.db").touch()
    backup(one, target)
    assert len(os.listdir(target)) == 2


def test_a_backup_that_fails_removes_nothing(one, target):
    (target / "docket-20200101T000000Z.db").touch()
    with opened(one) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("UPDATE subject SET casefile_id = 999 WHERE id = 209")
    fails("backup", "--data", one, "--to", target, "--keep", "1,0,0")
    assert os.listdir(target) == ["docket-20200101T000000Z.db"]


def test_an_old_backup_that_cannot_be_removed(one, target):
    (target / "docket-20200101T000000Z.db").mkdir()
    said = fails("backup", "--data", one, "--to", target, "--keep", "1,0,0")
    assert "cannot remove the old backup docket-20200101T000000Z.db" in said
    assert len(os.listdir(target)) == 2


@pytest.mark.parametrize("keep", ["7", "7,4", "7,4,12,1", "0,4,12", "-1,4,12", "a,b,c", "7, 4,12",
                                  "12345,1,1", "7,,12"])
def test_a_wrong_keep(one, target, keep):
    assert "must be the numbers of days, weeks and months" in \
        misuse("backup", "--data", one, "--to", target, f"--keep={keep}")


def test_keep_is_for_a_folder(one, target):
    assert "is for a folder of backups" in \
        misuse("backup", "--data", one, "--to", target / "b.db", "--keep", "7,4,12")
