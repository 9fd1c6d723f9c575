"""docket token rotate: a new token in the place of another one, which works on for a while."""
import datetime
import re
import time

import pytest

import backends
from admin import TIME, TOKEN, docket, listed, refused
from backends import rows, where
from commands import fails, misuse, mode
from harness import TASKS, basic, succeed
from together import until

pytestmark = backends.BOTH

DAY = 24 * 60 * 60
NAME = "admin/token"


def seconds(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()


def tokens(folder):
    return {row["label"]: row for row in listed(folder, "token list")}


def status(server, token):
    return server.call("GET", TASKS, access=basic(NAME, token)).status


def rotate(folder, label, *options):
    done = succeed("token", "rotate", label, *where(folder), *options)
    assert TOKEN.fullmatch(done.stdout.strip()), done
    return done.stdout.strip(), done.stderr


def test_both_work_in_the_overlap(one, make_server):
    old = docket(one, "token add", "ci", "--scopes", "tasks:write,cases:read", "--lenient",
                 "--addresses", "127.0.0.0/8").strip()
    before = tokens(one)["ci"]
    server = make_server(one)
    assert status(server, old) == 200  # so the cache of access has it
    new, said = rotate(one, "ci")
    found = tokens(one)
    (renamed,) = [label for label in found if label.startswith("ci (rotated ")]
    assert re.fullmatch(r"ci \(rotated " + TIME.pattern + r"\)", renamed)
    assert said == (f'rotated the token "ci": the old one is "{renamed}" and works until '
                    f'{found[renamed]["expires_at"]}\n')
    assert abs(seconds(found[renamed]["expires_at"]) - time.time() - 7 * DAY) < 60
    same = ("read_only", "scopes", "lenient", "addresses")
    assert [found["ci"][name] for name in same] == [before[name] for name in same]
    assert (found["ci"]["expires_at"], found["ci"]["last_used_at"]) == (None, None)
    assert [status(server, token) for token in (old, new)] == [200, 200]
    assert server.call("GET", "/api/v1/me", access=basic(NAME, old)).json["token"]["label"] == renamed
    docket(one, "token revoke", renamed)
    assert [status(server, token) for token in (old, new)] == [401, 200]


def test_the_overlap_ends(one, make_server):
    old = docket(one, "token add", "ci").strip()
    server = make_server(one)
    assert status(server, old) == 200
    new, _ = rotate(one, "ci", "--overlap", "5s")
    assert status(server, old) == 200
    until(lambda: status(server, old) == 401)
    assert status(server, new) == 200


@pytest.mark.parametrize("overlap", ["0", "0s", "0d"])
def test_without_an_overlap(one, make_server, overlap):
    old = docket(one, "token add", "ci").strip()
    server = make_server(one)
    assert status(server, old) == 200
    new, said = rotate(one, "ci", "--overlap", overlap)
    assert said == 'rotated the token "ci": the old one stopped working\n'
    assert [status(server, token) for token in (old, new)] == [401, 200]
    assert set(tokens(one)) == {"ci", "made by docket init"}
    # Again at once, although this second has a label already.
    rotate(one, "ci", "--overlap", "1d")
    newest, _ = rotate(one, "ci", "--overlap", "0")
    assert status(server, newest) == 200


def test_without_an_overlap_those_rotated_before_stop_too(two):
    """A token may have been stolen before it was rotated. Tokens of other labels and accounts work on."""
    for account in ("first", "second"):
        for label in ("ci", "ci2", "CI", "ci (rotated by hand)", "c%"):
            docket(two, "token add", label, "--account", account)
            docket(two, "token rotate", label, "--account", account, "--overlap", "1d")
    kept = {row for row in rows(two, "SELECT account_id, label FROM token")
            if row[0] == 2 or not re.match(r"ci \(rotated 2", row[1])}
    done = succeed("token", "rotate", "ci", *where(two), "--account", "first", "--overlap", "0")
    assert done.stderr == ('rotated the token "ci": the old one stopped working, and so did 1 that was '
                           'rotated before\n')
    assert set(rows(two, "SELECT account_id, label FROM token")) == kept
    done = succeed("token", "rotate", "c%", *where(two), "--account", "first", "--overlap", "0")
    assert "so did 1 that was" in done.stderr


def test_one_that_has_expired(one):
    docket(one, "token add", "ci", "--expires", "2100-01-01")
    past = int(time.time()) - DAY
    with backends.opened(one) as database:
        database.execute("UPDATE token SET created_at = ?, expires_at = ? WHERE label = 'ci'",
                         (past - DAY, past))
    _, said = rotate(one, "ci")
    (old,) = [row for label, row in tokens(one).items() if "rotated" in label]
    assert said.endswith(f'", which expired at {old["expires_at"]}\n') and seconds(old["expires_at"]) == past


@pytest.mark.parametrize("text, length", [("90s", 90), ("30m", 1800), ("12h", 12 * 3600),
                                          ("3650d", 3650 * DAY), ("007d", 7 * DAY)])
def test_durations(one, text, length):
    docket(one, "token add", "ci")
    rotate(one, "ci", "--overlap", text)
    (old,) = [row for label, row in tokens(one).items() if "rotated" in label]
    assert abs(seconds(old["expires_at"]) - time.time() - length) < 60


def test_how_long_the_new_one_lives(one):
    docket(one, "token add", "ci", "--expires", "2100-01-01")
    with backends.opened(one) as database:
        now = int(time.time())
        database.execute("UPDATE token SET created_at = ?, expires_at = ? WHERE label = 'ci'",
                         (now - 30 * DAY, now + 2 * DAY))
    rotate(one, "ci")
    found = tokens(one)
    assert abs(seconds(found["ci"]["expires_at"]) - now - 32 * DAY) < 60
    (old,) = [row for label, row in found.items() if "rotated" in label]
    assert seconds(old["expires_at"]) == now + 2 * DAY  # before the end of the overlap
    rotate(one, "ci", "--expires", "2099-12-31T12:00:00Z", "--overlap", "0")
    assert tokens(one)["ci"]["expires_at"] == "2099-12-31T12:00:00Z"


def test_a_file_gets_the_token(one, tmp_path, make_server):
    docket(one, "token add", "ci")
    done = succeed("token", "rotate", "ci", *where(one), "--token-file", tmp_path / "token")
    assert done.stdout == "" and str(tmp_path / "token") in done.stderr
    assert mode(tmp_path / "token") == 0o600
    assert status(make_server(one), (tmp_path / "token").read_text().strip()) == 200
    before = rows(one, "SELECT hash FROM token ORDER BY hash")
    fails("token", "rotate", "ci", *where(one), "--token-file", tmp_path / "token")
    assert rows(one, "SELECT hash FROM token ORDER BY hash") == before


def test_the_limit_on_guesses_knows_the_new_one(one, make_server):
    docket(one, "token add", "ci")
    server = make_server(one)
    new, _ = rotate(one, "ci")
    if isinstance(one, backends.Database):
        status(server, new)
    for number in range(25):
        server.call("GET", TASKS, access=basic(NAME, f"wrong {number}"))
    assert status(server, new) == 200


WRONG = ["", " ", "7", "7 d", "d", "-1d", "1w", "7dd", "1.5h", "3651d", "99999999999d", "1" * 5000,
         "\u0667d", "+7d", "7D", "0x1d"]


@pytest.mark.parametrize("overlap", WRONG)
def test_wrong_overlaps(one, overlap):
    refused(one, misuse, ["token", "rotate", "made by docket init", "--overlap", overlap], "--overlap")


@pytest.mark.parametrize("label", ["ci", "", "made by docket init ", "%", "x" * 5000])
def test_no_such_token(one, label):
    refused(one, fails, ["token", "rotate", label], f'"{label}"')


def test_the_options_are_options_alone(one):
    docket(one, "token add", "ci")
    succeed("token", "rotate", "ci", *where(one), env={"DOCKET_OVERLAP": "0", "DOCKET_EXPIRES": "2099-01-01"})
    found = tokens(one)
    assert len(found) == 3 and found["ci"]["expires_at"] is None


def test_another_account_keeps_its_token(two):
    for account in ("first", "second"):
        docket(two, "token add", "ci", "--account", account)
    before = rows(two, "SELECT * FROM token WHERE account_id = 2 ORDER BY hash")
    refused(two, fails, ["token", "rotate", "ci"], "--account")
    docket(two, "token rotate", "ci", "--account", "first")
    assert rows(two, "SELECT * FROM token WHERE account_id = 2 ORDER BY hash") == before
    assert rows(two, "SELECT count(*) FROM token WHERE account_id = 1") == [(3,)]
