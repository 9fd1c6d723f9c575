"""Unicode: how texts fold, which version the folds of a database have, and invisible characters.
Python's tables of an older Unicode say how the characters that both know must fold, because folds
never change."""
import json
import random
import sys
import unicodedata

import pytest

import backends
from backends import opened, rows, where
from commands import fails
from folds import GREEK, folds
from harness import JSON, basic, faults, run, strict_json, succeed, task
from list_model import fold
from lists import encoded
from records import SERVICE, STAFF, SUBJECT, TASK, create, get, patch
from titles import take

pytestmark = backends.BOTH

FIND = [(TASK, "title", "title"), (SUBJECT, "last_name", "name"), (STAFF, "last_name", "last_name"),
        (STAFF, "first_name", "first_name")]


@pytest.mark.parametrize("kind, field, parameter", FIND, ids=[row[2] for row in FIND])
def test_greek_letters_and_their_capitals(own_server, kind, field, parameter):
    for letter in GREEK:
        made = create(own_server, kind, **{field: f"x{letter}y"})
        for form in {letter, letter.upper(), unicodedata.normalize("NFC", letter.upper()),
                     unicodedata.normalize("NFD", letter), letter.title()}:
            path = f"{kind.path}?{parameter}={encoded(f'X{form}Y')}"
            found = own_server.call("GET", path).json
            assert made["id"] in [record["id"] for record in found], (letter, form)


def known():
    """Every character that Python's Unicode has, without control characters."""
    return [char for char in map(chr, range(sys.maxunicode + 1))
            if unicodedata.category(char) not in ("Cn", "Cs", "Cc", "Co")]


def mixed(count):
    dice, letters = random.Random(1), [
        char for char in known() if char != fold(char) or unicodedata.combining(char)
        or unicodedata.decomposition(char)]
    for _ in range(count):
        yield "".join(dice.choices(letters, k=dice.randint(1, 12)))


def body_of(titles):
    return json.dumps({"operations": [{"create": task(title=title)["task"]}
                                      for title in titles]}).encode()


@pytest.mark.slow
def test_folds_as_python_has_them(make_server):
    # A sanitizer is slow, and these titles have the greatest length.
    every, server = known(), make_server(options=["--statement-timeout", "60000"])
    titles = ["a" + "".join(every[at:at + 200]) for at in range(0, len(every), 200)]
    titles += ["a" + text for text in mixed(4000)]
    for at in range(0, len(titles), 100):
        reply = server.call("POST", "/api/v1/tasks/bulk", body_of(titles[at:at + 100]), JSON)
        assert reply.status == 200, reply
    server.stop()
    found = dict(rows(server.data, "SELECT title, title_folded FROM task"))
    assert set(titles) <= set(found)
    wrong = [title for title in titles if found[title] != fold(title)]
    assert wrong == []


# The version

def spoil(place, version="1.0"):
    """Changes the folds of two tasks and a calendar, as if another version had made them."""
    with opened(place) as database:
        for number, text in ((1, "other"), (2, "words")):
            if not isinstance(place, backends.Database):
                database.execute("INSERT INTO task_words (task_words, rowid, title) SELECT 'delete',"
                                 " 1 << 40 | id, title_folded FROM task WHERE id = ?", (number,))
                database.execute("INSERT INTO task_words (rowid, title) VALUES (1 << 40 | ?, ?)",
                                 (number, text))
            database.execute("UPDATE task SET title_folded = ? WHERE id = ?", (text, number))
        database.execute("UPDATE calendar SET name_folded = 'x'")
        database.execute("UPDATE property SET value = ? WHERE name = 'unicode'", (version,))


def version(place):
    return rows(place, "SELECT value FROM property WHERE name = 'unicode'")[0][0]


def count(place):
    """How many records have folds."""
    return sum(rows(place, f"SELECT count(*) FROM {table}")[0][0]
               for table in ("task", "calendar", "case_service", "subject", "staff"))


@pytest.fixture
def filled(make_server):
    """The server of a place with tasks whose titles fold, and the folds. The server does not run."""
    server = make_server()
    for title in ("Stra\u00dfe", "\u0390\u03b0", "PLAIN", "plain"):
        server.create(title=title)
    server.stop()
    take(server.data)
    return server, folds(server.data), version(server.data)


def bring_up(server):
    """Upgrades as an administrator does after an upgrade of the machine; returns the messages."""
    said = ""
    if isinstance(server.data, backends.Database):
        said = succeed("migrate", *where(server.data)).stderr
    before = server.log.stat().st_size
    server.start()
    return said + server.stderr(before)


@pytest.mark.slow
def test_another_version_is_folded_anew(filled):
    server, before, own = filled
    spoil(server.data)
    assert folds(server.data) != before
    said = bring_up(server)
    assert f"Unicode {own}" in said and "before by 1.0" in said, said
    assert f": {2 + len(before[1])} of {count(server.data)} records changed" in said, said
    assert [record["id"] for record in server.call("GET", "/api/v1/tasks?title=STRASSE").json] == [1]
    assert server.call("GET", "/api/v1/tasks?title=other").json == []
    server.stop()
    assert folds(server.data) == before and version(server.data) == own
    assert "\nsound\n" in succeed("check", *where(server.data)).stdout
    # It happens only once.
    before = server.log.stat().st_size
    server.start()
    assert "Unicode" not in server.stderr(before)
    server.stop()
    assert "nothing to do" in succeed("migrate", *where(server.data)).stderr


def test_migrate_says_what_it_would_do(filled):
    server, before, own = filled
    spoil(server.data)
    spoiled = folds(server.data)
    done = succeed("migrate", "--dry-run", *where(server.data))
    records, changed = count(server.data), 2 + len(before[1])
    assert done.stdout == (
        f"texts sorted and compared by Unicode {own} in place of 1.0: the titles and names of"
        f" {changed} of {records} records would be folded again\n"), done
    assert done.stderr == "the database is as it was\n"
    assert folds(server.data) == spoiled and version(server.data) == "1.0"
    done = succeed("migrate", *where(server.data))
    assert f"Unicode {own} in place of 1.0" in done.stdout and "nothing" not in done.stderr, done
    assert folds(server.data) == before and version(server.data) == own


def test_check_does_not_judge_the_folds_of_another_version(filled):
    server, _, own = filled
    spoil(server.data)
    done = run("check", *where(server.data), "--json")
    report = strict_json(done.stdout.encode())
    # The text index agrees with the tasks.
    assert done.returncode == 0 and report["sound"] and report["faults"] == [], done
    (note,) = report["notes"]
    assert note["rule"] == "unicode" and "1.0" in note["entries"][0]["what"], note
    assert own in note["entries"][0]["what"] and "docket migrate" in note["entries"][0]["what"]
    assert "unicode: note that" in run("check", *where(server.data)).stdout
    # docket check reports wrong folds of its own version as faults.
    with opened(server.data) as database:
        database.execute("UPDATE property SET value = ? WHERE name = 'unicode'", (own,))
    report = strict_json(run("check", *where(server.data), "--json").stdout.encode())
    assert not report["sound"]
    assert {fault["rule"] for fault in report["faults"]} == {"folds"}
    assert report["faults"][0]["found"] == 2 + len(rows(server.data, "SELECT id FROM calendar"))


def test_a_database_whose_folds_were_never_made(filled):
    """An earlier docket made the folds after the migration, and may have been killed between the
    two."""
    server, before, own = filled
    spoil(server.data, "")
    with opened(server.data) as database:
        database.execute("UPDATE staff SET username_key = '', username_exact = username,"
                         " username_skeleton = ''")
    report = strict_json(run("check", *where(server.data), "--json").stdout.encode())
    assert report["sound"] and report["faults"] == [], report
    (note,) = report["notes"]
    shared = isinstance(server.data, backends.Database)
    ends = "docket migrate" if shared else 'docket serve" or "docket migrate'
    assert [entry["what"] for entry in note["entries"]] == [
        f'an upgrade of the database was broken off: run "{ends}"'], note
    said = fails("account", "list", *where(server.data))
    assert "the upgrade of the database was interrupted: " in said and "no version" not in said, said
    assert "docket migrate" in said and ("stop every docket" in said) == shared, said
    bring_up(server)
    server.stop()
    assert folds(server.data) == before and version(server.data) == own


def test_nothing_else_writes_to_a_database_of_another_version(filled):
    """On PostgreSQL, where other processes may serve the database, docket does not serve it either."""
    server, _, own = filled
    spoil(server.data)
    spoiled, shared = folds(server.data), isinstance(server.data, backends.Database)
    for command in (["demo"], ["staff", "add", "new"], ["account", "list"], ["token", "add", "new"],
                    *[["serve", "--listen", "127.0.0.1:0"]] * shared):
        said = fails(*command, *where(server.data))
        assert "Unicode 1.0" in said and f"Unicode {own}" in said and "docket migrate" in said, said
    assert folds(server.data) == spoiled and version(server.data) == "1.0"


GUARDS = {
    False: ["CREATE TRIGGER guard BEFORE UPDATE OF name_folded ON calendar"
            " BEGIN SELECT RAISE(ABORT, 'broken off'); END"],
    True: ["CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS"
           " $$ BEGIN RAISE EXCEPTION 'broken off'; END $$",
           "CREATE TRIGGER guard BEFORE UPDATE OF name_folded ON calendar"
           " FOR EACH ROW EXECUTE FUNCTION guard()"],
}


def test_what_is_broken_off_has_changed_nothing(filled):
    """Everything is one transaction."""
    server, before, own = filled
    spoil(server.data)
    spoiled = folds(server.data)
    with opened(server.data) as database:
        for statement in GUARDS[isinstance(server.data, backends.Database)]:
            database.execute(statement)
    assert "fold the texts" in fails("migrate", *where(server.data))
    assert folds(server.data) == spoiled and version(server.data) == "1.0"
    with opened(server.data) as database:
        database.execute("DROP TRIGGER guard" + (
            " ON calendar" if isinstance(server.data, backends.Database) else ""))
    succeed("migrate", *where(server.data))
    assert folds(server.data) == before and version(server.data) == own


def test_a_move_takes_the_version_along(filled, new_place):
    server, before, own = filled
    spoil(server.data)
    target = new_place("target")
    succeed("move", "--from", str(server.data), "--to", str(target))
    assert version(target) == "1.0"
    succeed("migrate", *where(target))
    assert folds(target) == before and version(target) == own


# Invisible characters

UNSEEN = ["\u200b", "\u2060\u2060", "\u202e", "\u034f", "\u3164", "\u115f", "\ufeff", "\u2800",
          "\u00ad", "\U000e0020", " \u200d "]
NAMED = [(TASK, "title"), (STAFF, "username"), (SERVICE, "name"), (TASK, "external_id")]


@pytest.mark.parametrize("kind, field", NAMED, ids=[f"{row[0].wrapper}.{row[1]}" for row in NAMED])
def test_a_name_that_shows_nothing_is_blank(server, kind, field):
    for text in UNSEEN:
        reply = server.call("POST", kind.path, body(kind, field, text), JSON)
        assert (f"{kind.wrapper}.{field}", "blank") in faults(reply), (text, reply)


def body(kind, field, text):
    least = {name: value.format(n="9") if isinstance(value, str) else value
             for name, value in kind.least.items()}
    return json.dumps({kind.wrapper: {**least, field: text}}).encode()


def test_a_subject_whose_names_show_nothing_has_none(server):
    reply = server.call("POST", SUBJECT.path, body(SUBJECT, "last_name", "\u200b"), JSON)
    assert faults(reply) == [("subject.last_name", "required")]


def test_check_notes_what_was_stored_when_it_was_no_blank(make_server):
    server = make_server()
    made = server.create(title="\u200bx")
    server.stop()
    with opened(server.data) as database:
        database.execute("UPDATE task SET title = ? WHERE id = ?", ("\u200b", made["id"]))
    report = strict_json(run("check", *where(server.data), "--json").stdout.encode())
    assert [(note["rule"], note["entries"][0]["id"]) for note in report["notes"]] == [
        ("blank", made["id"])]
    assert "texts" not in [fault["rule"] for fault in report["faults"]]


OLD_BLANK = [(TASK, "title", "body"), (SERVICE, "name", "external_id"),
             (SUBJECT, "last_name", "notes"), (STAFF, "username", "first_name")]


@pytest.mark.parametrize("kind, field, other", OLD_BLANK, ids=[row[0].wrapper for row in OLD_BLANK])
def test_what_was_no_blank_may_be_sent_back(make_server, kind, field, other):
    """The whole record that was read may be sent back. Another such text, or the same in another
    record, may not."""
    server = make_server()
    number = create(server, kind, **({"first_name": ""} if kind is SUBJECT else {}))["id"]
    another = create(server, kind)["id"]
    server.stop()
    with opened(server.data) as database:
        database.execute(f"UPDATE {kind.wrapper} SET {field} = ? WHERE id = ?", ("\u200b", number))
    server.start()
    record = get(server, kind, number).json
    reply = patch(server, kind, number, **{**record, other: "changed"})
    assert reply.status == 200 and reply.json == {
        **record, other: "changed", "updated_at": reply.json["updated_at"]}, reply
    for wrong, value in ((number, "\u200b\u200b"), (number, ""), (another, "\u200b")):
        assert patch(server, kind, wrong, **{field: value}).status == 422, (wrong, value)
    server.stop()


def test_a_title_may_override_the_direction(server):
    """docket keeps free text unchanged: the program that shows it must isolate it."""
    assert server.create(title="a\u202eb\u2066")["title"] == "a\u202eb\u2066"


def test_basic_is_utf_8(server):
    """Every refusal says so."""
    reply = server.call("GET", "/api/v1/me", access=basic("nobody/token", "x" * 20))
    assert 'charset="UTF-8"' in reply.header("WWW-Authenticate")
