"""The message of an alert, as it arrives."""
import datetime
import json
import os
import pathlib

import pytest

import admin
import backends
from harness import JSON, succeed, task
from ledger import ledger, now, stamp
from mail import FROM, MailServer, parsed
from records import CALENDAR, CASE, STAFF, SUBJECT, TASK, change, create, post
from together import until

NEW_YORK = "America/New_York"
HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
           "X-Docket-Task"}


@pytest.fixture
def mail():
    with MailServer() as server:
        yield server


def smtp(mail, *options):
    return ["--smtp-url", f"smtp://127.0.0.1:{mail.port}", "--mail-from", FROM, *options]


def arrived(mail, count=1):
    until(lambda: len(mail.messages) >= count, what="no message")
    return parsed(mail.messages[count - 1].content)


def text_of(message):
    return message.get_body(("plain",)).get_content().replace("\r\n", "\n")


def state(server, number):
    return ledger(server.data, number)[2, at_of(server, number)]


def at_of(server, number):
    shown = datetime.datetime.fromisoformat(server.get(number).json["alert_at"].replace("Z", "+00:00"))
    return int(shown.timestamp())


@backends.BOTH
def test_what_it_shows(make_server, mail):
    server = make_server(options=smtp(mail, "--base-url", "https://docket.example.com/tracker/"))
    change(server, STAFF, 2, first_name="Zoë", last_name="O'Neil", time_zone=NEW_YORK)
    change(server, CALENDAR, 1, name="Außendienst", color="#aa3366")
    change(server, CASE, 245, case_number="2027/001")
    change(server, SUBJECT, 209, first_name="Ann", last_name="Smith")
    number = create(server, TASK, alert_at=stamp(now() - 60), users_list=[2], title="Prüfen & <anrufen>",
                    body="Zuerst\n\nDanach", due_on="2027-02-14", subject_id=209,
                    address={"address_1": "1 Main St", "city": "Denver", "state": "CO", "zip": "80202"})["id"]
    message = arrived(mail)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert message["Subject"] == "Prüfen & <anrufen> (due 14 February 2027, case 2027/001)"
    to, = message["To"].addresses
    assert (to.display_name, to.addr_spec) == ("Zoë O'Neil", "second@example.com")
    lines = text_of(message).splitlines()
    assert lines[:3] == ["Prüfen & <anrufen>", "", "Due       Sunday, 14 February 2027"]
    assert {"Case      2027/001", "Subject   Ann Smith", "Calendar  Außendienst", "Place     1 Main St",
            "          Denver, CO 80202", "Zuerst", "Danach",
            f"https://docket.example.com/tracker/api/v1/tasks/{number}"} <= set(lines)
    assert f" {NEW_YORK} (UTC-0" in lines[-1]
    html = message.get_body(("html",)).get_content()
    assert "<h1 dir=\"auto\">Prüfen &amp; &lt;anrufen&gt;</h1>" in html and "#aa3366" in html
    assert f'href="https://docket.example.com/tracker/api/v1/tasks/{number}"' in html


def test_the_link_of_an_account(two, base_of_two, tmp_path, mail):
    """With a base domain, the account's name goes before the host."""
    pair = admin.Pair(two, base_of_two[1], tmp_path / "log", smtp(mail, "--base-url", "https://docket.example.com"))
    try:
        body = json.dumps(task(alert_at=stamp(now() - 60), users_list=[2])).encode()
        assert pair.ask("second", "POST", body=body, headers=JSON).status == 201
        assert "\nhttps://second.docket.example.com/api/v1/tasks/" in text_of(arrived(mail))
        assert text_of(arrived(mail)).endswith(" Account: second.\n")
    finally:
        pair.server.stop()


HOSTILE = ["\"Jane\" <other@example.com>, third@example.com", "a\u2028Bcc: other@example.com",
           "=?utf-8?q?=0D=0ABcc=3A_other=40example.com?=", "x\u202ecod.exe", "), (a@b) ;:\\\"", "\u2029" + "x" * 200,
           "<img src=x onerror=alert(1)>"]


@pytest.mark.parametrize("words", HOSTILE)
def test_no_text_adds_a_header_or_a_recipient(make_server, mail, words):
    server = make_server(options=smtp(mail))
    change(server, STAFF, 2, first_name=words, last_name=words)
    change(server, CALENDAR, 1, name=words)
    change(server, CASE, 245, case_number=words)
    create(server, TASK, alert_at=stamp(now() - 60), users_list=[2], title=words, body=words + "\r\n.\r\nQUIT\r\n",
           address=dict.fromkeys(("address_1", "address_2", "address_3", "city", "zip"), words))
    message = arrived(mail)
    assert mail.messages[0].recipients == ("second@example.com",)
    assert set(message.keys()) == HEADERS and len(message.keys()) == len(HEADERS)
    assert [found.addr_spec for found in message["To"].addresses] == ["second@example.com"]
    assert len(list(message.iter_parts())) == 2
    assert text_of(message).endswith("Account: main.\n") and "\n.\nQUIT\n" in text_of(message)
    html = message.get_body(("html",)).get_content()
    assert "<img" not in html and "\u202e" not in html
    assert not set("\r\n\u2028\u2029\u202e") & set(str(message["Subject"]))


# The clock is the test's

def seconds(text):
    return int(datetime.datetime.fromisoformat(text + "+00:00").timestamp())


@pytest.mark.parametrize("day, hour, at, shown", [
    ("2027-03-14", "02:30", "2027-03-14T07:30:00", "Sunday, 14 March 2027, 03:30 America/New_York (UTC-04:00)"),
    ("2027-03-15", "02:30", "2027-03-15T06:30:00", "Monday, 15 March 2027, 02:30 America/New_York (UTC-04:00)"),
    ("2027-11-07", "01:30", "2027-11-07T05:30:00", "Sunday, 7 November 2027, 01:30 America/New_York (UTC-04:00)"),
    ("2027-11-08", "01:30", "2027-11-08T06:30:00", "Monday, 8 November 2027, 01:30 America/New_York (UTC-05:00)"),
    ("2028-02-29", "09:00", "2028-02-29T14:00:00", "Tuesday, 29 February 2028, 09:00 America/New_York (UTC-05:00)")])
@backends.BOTH
def test_days_on_which_clocks_change(one, base, make_server, mail, clock, day, hour, at, shown):
    succeed("account", "set", "main", "--time-zone", NEW_YORK, "--alert-hour", hour, *backends.where(one))
    clock.set(seconds(at) - 600)
    server = make_server(one, base[1], options=smtp(mail), env=clock.env)
    change(server, STAFF, 2, time_zone=NEW_YORK)
    number = create(server, TASK, alert_at=day, users_list=[2])["id"]
    assert at_of(server, number) == seconds(at)
    clock.set(seconds(at) - 1)
    sooner = create(server, TASK, alert_at=stamp(seconds(at) - 1), users_list=[2])["id"]
    until(lambda: state(server, sooner) == ("sent", ""), what=lambda: state(server, sooner))
    assert state(server, number) == ("waiting", "")
    clock.set(seconds(at))
    assert f" set for {shown}. " in text_of(arrived(mail, 2))


def knows(server, zone):
    return post(server, STAFF, time_zone=zone).status == 201


def test_a_zone_that_is_gone(make_server, mail, clock, tmp_path):
    """The alert waits until the system has the zone again."""
    zone = tmp_path / "zoneinfo/Region/Town"
    zone.parent.mkdir(parents=True)
    (tmp_path / "zoneinfo/tzdata.zi").write_text("Z Region/Town 9 - JST\n")
    zone.write_bytes(pathlib.Path("/usr/share/zoneinfo/Asia/Tokyo").read_bytes())
    server = make_server(options=smtp(mail), env={**clock.env, "TZDIR": tmp_path / "zoneinfo"})
    change(server, STAFF, 2, time_zone="Region/Town")
    os.rename(zone, tmp_path / "kept")
    until(lambda: not knows(server, "Region/Town"), what="the zone is known")
    number = create(server, TASK, alert_at=stamp(clock.now - 60), users_list=[2])["id"]
    until(lambda: state(server, number) == ("waiting", "zone_missing"), what=lambda: state(server, number))
    os.rename(tmp_path / "kept", zone)
    until(lambda: knows(server, "Region/Town"), what="the zone is not known")
    clock.set(clock.now + 3601)
    assert "Region/Town (UTC+09:00)" in text_of(arrived(mail))
    until(lambda: state(server, number) == ("sent", ""), what=lambda: state(server, number))
