"""docket serve --backup-to DIR --backup-at 03:00: the backup that docket makes each day by itself."""
import calendar
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from backends import opened
from clocks import Clock
from commands import misuse, mode
from harness import begin, run, strict_json, succeed
from ledger import stamp
from mail import FROM, MailServer, Scripted, parsed
from ports import free_port
from saved import as_folder, sound, titles
from together import until

DAY = 86400
LEFT = {"docket.db", "docket.lock"}  # in a folder that nobody serves


def at(text):
    """A time in UTC as seconds."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def name(seconds):
    return time.strftime("docket-%Y%m%dT%H%M%SZ.db", time.gmtime(seconds))


@pytest.fixture
def target(tmp_path):
    (place := tmp_path / "backups").mkdir()
    return place


def options(target, when="03:00"):
    return ["--backup-to", target, "--backup-at", when]


class Daily:
    """A server with a clock that the test sets, and its folder of backups."""

    def __init__(self, make_server, folder, target, now, zone="UTC", when="03:00", more=()):
        self.clock, self.target = Clock(folder / "clock", at(now), zone=zone), target
        self.server = make_server(options=[*options(target, when), *more],
                                  env=self.clock.env)

    def status(self):
        said = succeed("status", "--data", self.server.data, "--json").stdout
        return strict_json(said.encode())["backup"]

    def set(self, now):
        self.clock.set(at(now) if isinstance(now, str) else now)

    def rests(self, **expected):
        """Waits until it has nothing to do and the status has these values."""
        return until(self.status, lambda found: not found["running"] and found["next"] > stamp(
            self.clock.now) and all(found[key] == value for key, value in expected.items()), expected, 300)

    def files(self):
        return sorted(os.listdir(self.target))

    def ready(self):
        return self.server.call("GET", "/readyz", access=False)


@pytest.fixture
def daily(make_server, tmp_path, target):
    def make(now="2027-02-10T12:00:00Z", **more):
        return Daily(make_server, tmp_path, target, now, **more)
    return make


def has_one(target, when):
    (target / name(at(when))).touch()


def test_each_day(daily, tmp_path):
    """The first at once, because there is none; then each day, whether the clock goes or jumps."""
    it = daily()
    found = it.rests(made=1)
    first = name(it.clock.now)
    assert it.files() == [first] and mode(it.target / first) == 0o600
    assert found == {"state": "waiting", "running": False, "directory": str(it.target),
                     "next": "2027-02-11T03:00:00Z", "last_success": "2027-02-10T12:00:00Z",
                     "last_file": f"{it.target}/{first}",
                     "last_size_bytes": (it.target / first).stat().st_size, "last_failure": "",
                     "last_error": "", "made": 1, "failures": 0}
    it.server.create(title="kept")
    it.set("2027-02-11T02:59:59Z")
    time.sleep(2)
    assert it.files() == [first]
    it.set("2027-02-11T03:00:00Z")
    it.rests(made=2, next="2027-02-12T03:00:00Z")
    second = "docket-20270211T030000Z.db"
    assert it.files() == [first, second]
    folder = as_folder(it.target / second, tmp_path / "copy")
    assert "kept" in titles(folder).values()
    sound(folder)
    it.set("2027-02-20T17:00:00Z")
    it.rests(made=3, next="2027-02-21T03:00:00Z")
    assert f"made the backup {it.target}/{second}: " in it.server.stderr()
    assert it.ready().json == {"status": "ok"}


def test_the_text_of_the_status(daily):
    it = daily()
    it.rests(made=1)
    text = succeed("status", "--data", it.server.data).stdout
    section = text[text.index("\nbackup\n"):].splitlines()
    assert [line[2:22].strip() for line in section[2:]] == [
        "state", "running", "directory", "next", "last success", "last file", "last size",
        "last failure", "last error", "made", "failures"]
    assert section[2].endswith("waiting") and section[8].endswith("iB")


def test_old_ones_go(daily, target):
    """Those of 7 days, 4 weeks and 12 months stay, as `docket backup --keep 7,4,12` has it."""
    now = at("2027-02-10T12:00:00Z")
    for day in range(1, 800):
        (target / name(now - day * DAY)).touch()
    it = daily("2027-02-10T12:00:01Z")
    it.rests(made=1)
    assert len(it.files()) == 7 + 4 + 12
    assert it.files()[-7:] == [*(name(now - day * DAY) for day in range(6, 0, -1)), name(now + 1)]


def test_keep(daily, target):
    for day in range(1, 9):
        (target / name(at("2027-02-10T12:00:00Z") - day * DAY)).touch()
    it = daily("2027-02-10T12:00:01Z", more=["--keep", "3,0,0"])
    it.rests(made=1)
    assert len(it.files()) == 3


ZONES = [
    # The zone, the time of day, the newest backup, just before the next one, and the next one.
    ("Europe/Berlin", "02:30", "2027-03-27T01:30:00Z", "2027-03-28T01:29:59Z", "2027-03-28T01:30:00Z"),
    ("Europe/Berlin", "02:30", "2027-10-31T00:30:00Z", "2027-11-01T01:29:59Z", "2027-11-01T01:30:00Z"),
    ("America/New_York", "03:00", "2027-03-13T08:00:00Z", "2027-03-14T06:59:59Z", "2027-03-14T07:00:00Z"),
]


@pytest.mark.parametrize("zone, when, newest, before, due", ZONES)
def test_clocks_go_forward_and_back(daily, target, zone, when, newest, before, due):
    """The time of day is that of the server's zone, once a day."""
    has_one(target, newest)
    it = daily(before, zone=zone, when=when)
    assert it.rests(made=0)["next"] == due
    it.set(due)
    it.rests(made=1)
    assert it.files() == sorted([name(at(newest)), name(at(due))])


STARTS = {
    "it did not run at that time": ("2027-02-09T03:00:00Z", "2027-02-10T03:10:00Z", 1),
    "it did not run for long": ("2027-01-01T03:00:00Z", "2027-02-10T02:00:00Z", 1),
    "it did": ("2027-02-10T03:00:00Z", "2027-02-10T03:10:00Z", 0),
    "it is not time yet": ("2027-02-09T03:00:00Z", "2027-02-10T02:10:00Z", 0),
    "the clock was wrong": ("2030-02-09T03:00:00Z", "2027-02-10T02:10:00Z", 1),
}


@pytest.mark.parametrize("newest, now, made", STARTS.values(), ids=STARTS)
def test_a_start(daily, target, newest, now, made):
    """A backup that was missed is made once, at the start."""
    has_one(target, newest)
    it = daily(now)
    found = it.rests(made=made)
    assert found["next"] == ("2027-02-10T03:00:00Z" if now < "2027-02-10T03" else "2027-02-11T03:00:00Z")
    if not made:
        assert found["last_success"] == newest
    files = it.files()
    it.server.stop()
    it.server.start()
    it.rests(made=0)
    assert it.files() == files


def test_the_clock_is_set_back(daily):
    """By an hour: no second backup that day. By a month: the times from before do not count."""
    it = daily("2027-02-10T03:00:00Z")
    it.rests(made=1)
    it.set("2027-02-10T02:30:00Z")
    it.rests(made=1, next="2027-02-11T03:00:00Z")
    it.set("2027-01-10T02:30:00Z")
    it.rests(made=1, next="2027-01-10T03:00:00Z")
    it.set("2027-01-10T03:00:00Z")
    it.rests(made=2)


def test_a_folder_that_goes_and_comes_back(daily, target):
    it = daily()
    it.rests(made=1)
    target.rename(target.with_name("away"))
    it.set("2027-02-11T03:00:00Z")
    found = it.rests(failures=1)
    assert found["state"] == "failing" and "there is no folder" in found["last_error"]
    assert (found["last_failure"], found["next"]) == ("2027-02-11T03:00:00Z", "2027-02-11T04:00:00Z")
    assert found["last_success"] == "2027-02-10T12:00:00Z"
    reply = it.ready()
    assert (reply.status, reply.json) == (200, {"status": "ok", "detail": "the last backup failed"})
    assert it.server.call("GET", "/healthz", access=False).json == {"status": "ok"}
    assert "the backup failed: there is no folder" in it.server.stderr()
    it.server.create(title="it still serves")
    target.with_name("away").rename(target)
    it.set("2027-02-11T03:59:59Z")
    time.sleep(2)
    assert it.status()["failures"] == 1
    it.set("2027-02-11T04:00:00Z")
    found = it.rests(made=2, next="2027-02-12T03:00:00Z")
    assert (found["state"], found["last_failure"]) == ("waiting", "2027-02-11T03:00:00Z")
    assert it.ready().json == {"status": "ok"}


def test_an_old_backup_that_cannot_be_removed(daily, target):
    """The new one is there: it is a failure, but not one to repeat each hour."""
    it = daily(more=["--keep", "1,0,0"])
    it.rests(made=1)
    (target / "docket-20200101T000000Z.db").mkdir()
    it.set("2027-02-11T03:00:00Z")
    found = it.rests(failures=1, next="2027-02-12T03:00:00Z", last_success="2027-02-11T03:00:00Z")
    assert "cannot remove the old backup" in found["last_error"]
    assert "docket-20270211T030000Z.db" in it.files()


def test_an_unsound_database(daily):
    it = daily()
    it.rests(made=1)
    it.server.stop()
    with opened(it.server.data) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("UPDATE subject SET casefile_id = 999 WHERE id = 209")
    it.set("2027-02-12T03:00:00Z")
    it.server.start()
    assert "is not sound" in it.rests(failures=1)["last_error"]
    assert len(it.files()) == 1


# Mail

@pytest.fixture
def mail():
    with MailServer() as server:
        yield server


def smtp(port):
    return ["--smtp-url", f"smtp://127.0.0.1:{port}", "--mail-from", FROM]


STAFF = (("zoe", "zoe@example.com", "full"), ("none", "", "full"), ("ltd", "ltd@example.com", "limited"),
         ("off", "off@example.com", "disabled"), ("twin", "zoe@example.com", "full"))


@pytest.fixture
def staffed(one):
    """A folder with two accounts and several staff members. Only zoe and ada get these messages."""
    for user, address, access in STAFF:
        succeed("staff", "add", user, "--data", one, "--email", address, "--access", access)
    succeed("account", "add", "other", "--data", one, "--username", "ada", "--email", "ada@example.com")
    return one


def recipients(messages):
    return sorted(message.recipients for message in messages)


EVERYBODY = [("ada@example.com",), ("zoe@example.com",)]


def told(server, count):
    until(lambda: len(server.messages) >= count, what=lambda: server.messages)
    assert len(server.messages) == count
    return server.messages[-2:]


def test_mail(make_server, tmp_path, target, mail, staffed):
    it = Daily(lambda **given: make_server(staffed, **given), tmp_path, target, "2027-02-10T12:00:00Z",
               more=[*smtp(mail.port), "--base-domain", "example.test"])
    it.rests(made=1)
    target.rename(target.with_name("away"))
    it.set("2027-02-11T03:00:00Z")
    it.rests(failures=1)
    for message in told(mail, 2):
        seen = parsed(message.content)
        assert seen["Subject"] == "docket: the daily backup failed" and seen["From"] == FROM
        text = seen.get_content()
        assert "there is no folder" in text and "2027-02-11T04:00:00Z" in text
        assert f"The newest backup is {target}/docket-20270210T120000Z.db." in text
    assert recipients(mail.messages) == EVERYBODY
    for hour in range(4, 8):  # it fails each hour, and is told once
        it.set(f"2027-02-11T0{hour}:00:00Z")
        it.rests(failures=hour - 2)
    it.set("2027-02-12T03:00:00Z")
    it.rests(failures=6)
    told(mail, 4)
    target.with_name("away").rename(target)
    it.set("2027-02-12T04:00:00Z")
    it.rests(made=2)
    for message in told(mail, 6):
        seen = parsed(message.content)
        assert seen["Subject"] == "docket: the daily backup works again"
        assert "docket-20270212T040000Z.db" in seen.get_content()
    assert recipients(mail.messages[4:]) == EVERYBODY
    it.set("2027-02-13T03:00:00Z")
    it.rests(made=3)
    time.sleep(2)
    told(mail, 6)


def test_a_mail_server_that_is_away(make_server, tmp_path, target, staffed):
    """It takes the message a minute later; the one for whom it has no mailbox does not hold up the other."""
    port = free_port()
    it = Daily(lambda **given: make_server(staffed, **given), tmp_path, target, "2027-02-10T12:00:00Z",
               more=[*smtp(port), "--base-domain", "example.test"])
    it.rests(made=1)
    target.rename(target.with_name("away"))
    it.set("2027-02-11T03:00:00Z")
    it.rests(failures=1)
    until(lambda: "cannot send a message about the backup" in it.server.stderr())

    def answer(stage, session, envelope, argument):
        return "550 no such mailbox" if stage == "RCPT" and argument == "ada@example.com" else None

    with MailServer(port=port, answer=answer) as mail:
        until(lambda: mail.messages, seconds=120)
        assert recipients(mail.messages) == [("zoe@example.com",)]
        until(lambda: "no such mailbox" in it.server.stderr())
        it.server.stop()


def test_it_ends_while_it_sends(make_server, tmp_path, target, staffed):
    """A mail server that never answers does not hold up the end."""
    with Scripted(MAIL=lambda client: time.sleep(3600)) as mail:
        it = Daily(lambda **given: make_server(staffed, **given), tmp_path, target, "2027-02-10T12:00:00Z",
                   more=[*smtp(mail.port), "--base-domain", "example.test"])
        it.rests(made=1)
        target.rename(target.with_name("away"))
        it.set("2027-02-11T03:00:00Z")
        until(lambda: any("MAIL" in line for seen in mail.seen for line in seen))
        it.server.stop()
        assert "does not answer" not in it.server.stderr()


# Two at once, and the end

@pytest.fixture
def large(large_data, tmp_path):
    """A folder whose backup takes about a second on a fast machine."""
    return shutil.copytree(large_data, tmp_path / "large")


def under_way(folder):
    until((pathlib.Path(folder) / "docket.db.backup").exists, what="the backup begins", pause=0.001)


def test_a_backup_by_hand_meanwhile(make_server, large, target, tmp_path):
    """The daily one waits for it, and refuses it in turn."""
    (other := tmp_path / "other").mkdir()
    has_one(target, "2027-02-10T12:00:00Z")
    it = Daily(lambda **given: make_server(large, **given), tmp_path, target, "2027-02-10T12:00:00Z")
    first = begin("backup", "--data", large, "--to", other / "b.db", stderr=subprocess.PIPE)
    under_way(large)
    it.set("2027-02-11T03:00:00Z")
    assert first.wait() == 0, first.communicate()
    it.rests(made=1, failures=0)

    def is_refused(day):
        """False if the daily one was over too early."""
        it.set(f"2027-02-{day}T03:00:00Z")
        under_way(large)
        said = run("backup", "--data", large, "--to", other / f"{day}.db")
        it.rests(made=day - 10)
        if not said.returncode:
            (other / f"{day}.db").unlink()
            return False
        assert said.returncode == 1 and "another backup is being made" in said.stderr, said
        return True

    assert any(map(is_refused, (12, 13, 14)))
    assert os.listdir(other) == ["b.db"]


def test_the_server_ends_meanwhile(make_server, large, target, tmp_path):
    """It leaves nothing behind. The next start makes the backup, and nobody calls that a failure."""
    it = Daily(lambda **given: make_server(large, **given), tmp_path, target, "2027-02-10T12:00:00Z")
    under_way(large)
    it.server.stop()
    assert it.files() == [] and set(os.listdir(large)) == LEFT
    assert "failed" not in it.server.stderr()
    it.server.start()
    it.rests(made=1)
    assert len(it.files()) == 1


# Settings

def wrong(*given):
    return misuse("serve", *given)


WRONG = [("--backup-at", value, "must be a time of day") for value in (
    "25:00", "24:00", "3", "3:00", "03:60", "0300", "03:00:00", "03-00", " 3:00", "03:00Z", "noon", "-1:00")]


@pytest.mark.parametrize("option, value, words", WRONG)
def test_a_wrong_time(one, target, option, value, words):
    said = wrong("--data", one, "--backup-to", target, f"{option}={value}")
    assert f"docket serve: {option} {words}" in said and f'got "{value}"' in said


def test_wrong_settings(one, target):
    for given, words in (
            (["--backup-to", target], "--backup-to needs --backup-at as well"),
            (["--backup-at", "03:00"], "--backup-at needs --backup-to as well"),
            (["--keep", "7,4,12"], "--keep needs --backup-to as well"),
            (["--backup-to", "", "--backup-at", "03:00"], "--backup-to is empty"),
            (["--backup-to", target, "--backup-at", ""], "--backup-at is empty"),
            (["--keep", "7", *options(target)], "--keep must be the numbers of days")):
        assert words in wrong("--data", one, *given), given
    assert "--backup-to is for a data folder" in wrong("--ephemeral", *options(target))
    assert "pg_dump" in wrong("--database", "postgresql:///docket", *options(target))


def test_a_folder_that_is_away(make_server, tmp_path, target):
    """docket serves all the same."""
    it = Daily(make_server, tmp_path, target / "disk", "2027-02-10T12:00:00Z")
    found = it.rests(failures=1, made=0)
    assert f"there is no folder {target}/disk" in found["last_error"]
    assert it.ready().json == {"status": "ok", "detail": "the last backup failed"}
    it.server.create()
    (target / "disk").mkdir()
    has_one(target / "disk", "2027-02-10T03:00:00Z")
    it.set("2027-02-10T13:00:01Z")
    it.rests(made=0, last_success="2027-02-10T03:00:00Z", next="2027-02-11T03:00:00Z")
    it.set("2027-02-11T03:00:00Z")
    it.rests(made=1, state="waiting")
    assert len(it.files()) == 2


@pytest.mark.parametrize("place, words", [
    ("backups/file", "cannot open the folder"), ("one/backups", "is in the data folder"),
    ("one", "is in the data folder")])
def test_a_folder_that_is_none(one, make_server, target, place, words):
    (target / "file").touch()
    (one / "backups").mkdir()
    server = make_server(one, options=options(target.parent / place))
    until(server.stderr, lambda said: "the backup failed: " in said)
    assert words in server.stderr()


def test_a_folder_that_cannot_be_written(one, target):
    """Another user may only read it."""
    with open(target / "log", "w+", encoding="utf-8") as log:
        before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        if os.getuid():
            os.chmod(target, 0o500)
            before = []
        else:
            for above in [target, *target.parents]:
                if str(above).startswith("/tmp/") and above.owner() == "root":
                    os.chmod(above, 0o755)
            for path in [one, *one.iterdir()]:
                os.chown(path, 65534, 65534)
        with begin("serve", "--data", one, *options(target), "--listen", "127.0.0.1:0", before=before,
                   stderr=log, env={"PATH": os.environ["PATH"]}) as process:
            try:
                until(lambda: (target / "log").read_text("utf-8"), lambda said: "the backup failed: " in said)
            finally:
                process.terminate()
        assert "Permission denied" in (target / "log").read_text("utf-8")
        assert process.returncode == 0


def test_keep_of_a_file_for_all_commands(one, target, make_server, tmp_path):
    """A configuration file may have --keep for docket backup."""
    (tmp_path / "docket.conf").write_text("keep = 7,4,12\n")
    server = make_server(options=["--config", tmp_path / "docket.conf"])
    assert "backup" not in strict_json(succeed("status", "--data", server.data, "--json").stdout.encode())
