"""User names: no two of an account may differ only in case, in white space at the ends or in the
encoding of a character, nor look alike. A client may send a user name in any of these forms."""
import unicodedata

import pytest

import backends
from backends import opened, rows, where
from commands import misuse
from harness import basic, messages, problem, run, strict_json, succeed
from records import STAFF, create, get, patch, post, remove
from together import at_once

pytestmark = backends.BOTH

NFC, NFD = "j\u00fcrgen", "ju\u0308rgen"
CYRILLIC = "\u0430dmin"  # with a Cyrillic letter


def me(server, name, token=None):
    """The staff member of a request with that user name, whose bytes may have any encoding."""
    name = name if isinstance(name, bytes) else name.encode()
    return server.call("GET", "/api/v1/me",
                       access=basic(name + b"/token", token or server.token))


def is_user(server, name, number):
    reply = me(server, name)
    assert reply.status == 200, (name, reply)
    assert reply.json["staff"]["id"] == number, (name, reply)


@pytest.fixture(scope="module")
def users(own_server):
    """A server with admin and more staff members; returns the ids of those."""
    return own_server, {name: create(own_server, STAFF, username=name)["id"]
                        for name in (NFC, "stra\u00dfe", "mode", "two words")}


SAME = [("admin", ["Admin", "ADMIN"]),
        (NFC, [NFD, "J\u00dcRGEN", unicodedata.normalize("NFD", "J\u00dcRGEN")]),
        ("stra\u00dfe", ["STRASSE", "strasse", "STRA\u1e9eE"]),
        ("two words", ["Two Words"])]
ALIKE = [("admin", [CYRILLIC, "\u0410DMIN", "adm\u0131n", "\u0430dm\u0456n"]),
         ("mode", ["m\u03bfde", "mod\u0435"]), (NFC, ["j\u00fcrg\u0435n"])]


@pytest.mark.parametrize("name, others", SAME + ALIKE)
def test_names_that_are_the_same_or_look_alike_are_refused(users, name, others):
    server, numbers = users
    number = numbers.get(name, 1)
    for other in others:
        (message,) = messages(post(server, STAFF, username=other)).values()
        assert name in message and f"staff member {number}" in message, message
        said = run("staff", "add", other, *where(server.data))
        assert said.returncode == 1 and name in said.stderr, said
        third = create(server, STAFF)["id"]
        assert "staff.username" in messages(patch(server, STAFF, third, username=other))


def test_names_in_ascii_may_look_alike(users):
    server, _ = users
    create(server, STAFF, username="rnode")  # "mode" has the same skeleton
    create(server, STAFF, username="admIn1")
    create(server, STAFF, username="adminl")


@pytest.mark.parametrize("name", [
    "a/b", "a/token", "/", "a:b", " ab", "ab ", "\u3000ab", "ab\u00a0", "x\u200by", "x\u202ey", "\u2066ab",
    "x\u00ady", "x\u2028y", "x\ufeff", "x\ufe0f", "x\u3164", "x\u0378", "x\ue000", "a\u034fb"])
def test_what_no_user_name_may_be(users, tmp_path, name):
    server, _ = users
    assert list(messages(post(server, STAFF, username=name))) == ["staff.username"]
    said = misuse("staff", "add", name, *where(server.data))
    assert "the user name must not " in said, said
    assert "--username" in misuse("init", "--data", tmp_path / "new", "--username", name)
    assert not (tmp_path / "new").exists()


def test_who_signs_in_may_write_it_otherwise(users):
    server, numbers = users
    for name in ("admin", "Admin", "ADMIN", " admin", "admin "):
        is_user(server, name, 1)
    for name, others in SAME:
        for other in others:
            is_user(server, other, numbers.get(name, 1))
    for _, others in ALIKE:
        for other in others:
            problem(me(server, other), 401)
    problem(me(server, ""), 401)
    problem(me(server, "admin/token"), 401)


def test_latin_1(users):
    """python-requests sends a text as Latin-1. The token need not be ASCII either."""
    server, numbers = users
    for name in (NFC, "J\u00dcRGEN", "stra\u00dfe"):
        is_user(server, name.encode("latin-1"), numbers[NFC if name != "stra\u00dfe" else name])
    for token in (b"\xff" * 40, b"\xc3", "\u00e9".encode() + b"\xe9"):
        problem(me(server, NFC, token), 401)
        problem(me(server, NFC.encode("latin-1"), token), 401)


def test_a_command_finds_whom_it_means(users):
    server, numbers = users
    succeed("staff", "set", "Two WORDS", "--first-name", "Found", *where(server.data))
    assert get(server, STAFF, numbers["two words"]).json["first_name"] == "Found"
    said = run("staff", "set", CYRILLIC, "--first-name", "Found", *where(server.data))
    assert said.returncode == 1 and "there is no staff member" in said.stderr, said


def test_a_name_may_be_written_anew(users):
    server, _ = users
    number = create(server, STAFF, username="old name")["id"]
    for name in ("Old Name", "Old Name", "OLD NAME", "\u00f6ld", "\u00d6LD"):
        assert patch(server, STAFF, number, username=name).json["username"] == name
        is_user(server, name.lower(), number)
    problem(me(server, "old name"), 401)
    remove(server, STAFF, number)
    create(server, STAFF, username="\u00f6LD")


@pytest.mark.parametrize("names", [["twin{n}", "TWIN{n}"], ["b\u00e4r{n}", "ba\u0308R{n}"],
                                   ["alm{n}", "\u0430lm{n}"]])
def test_two_at_once(make_server, names):
    """One of them gets the name, in any process of a database."""
    servers = [make_server()]
    if isinstance(servers[0].data, backends.Database):
        servers.append(make_server(servers[0].data, servers[0].token))
    for n in range(12):
        answers = at_once(lambda i: post(servers[i % len(servers)], STAFF,
                                         username=names[i // 2 % 2].format(n=n)), range(8))
        assert sorted(reply.status for reply in answers) == [201] + [422] * 7, answers
        assert all(list(messages(reply)) == ["staff.username"]
                   for reply in answers if reply.status == 422)


# User names that were the same before docket had these rules

TWINS = {5: "Admin", 6: "admin ", 7: NFC, 8: NFD, 9: "a/b", 10: CYRILLIC, 11: "mask", 12: "rnask",
         13: "m\u0430sk"}


@pytest.fixture
def twins(make_server):
    """A server whose user names are older than the rules, after an upgrade, and the messages about
    them."""
    server = make_server()
    made = [create(server, STAFF, username=f"number {number}", access_level="full")["id"]
            for number in TWINS]
    server.stop()
    numbers = dict(zip(TWINS.values(), made))
    with opened(server.data) as database:
        for name, number in numbers.items():
            database.execute("UPDATE staff SET username = ? WHERE id = ?", (name, number))
        database.execute("UPDATE staff SET username_key = '', username_exact = username,"
                         " username_skeleton = ''")
        database.execute("UPDATE property SET value = '' WHERE name = 'unicode'")
    done = succeed("migrate", *where(server.data))
    server.start()
    return server, {"admin": 1, **numbers}, done.stderr


def test_they_stay_and_sign_in_as_they_are_written(twins):
    server, numbers, said = twins
    for name, number in numbers.items():
        is_user(server, name, number)
    for name in ("ADMIN", " admin", "J\u00dcRGEN"):
        problem(me(server, name), 401)
    is_user(server, "A/B", numbers["a/b"])
    is_user(server, CYRILLIC.upper(), numbers[CYRILLIC])
    groups = [line for line in said.splitlines() if "only as it is written" in line]
    assert len(groups) == 2 and '"Admin", "admin", "admin "' in groups[0], said
    assert NFD in groups[1] and NFC in groups[1], said
    groups = [line for line in said.splitlines() if "look alike" in line]
    assert len(groups) == 2 and f'"Admin", "admin", "{CYRILLIC}"' in groups[0], said
    assert '"mask", "m\u0430sk", "rnask"' in groups[1], said


def test_check_lists_them(twins):
    server, numbers, _ = twins
    server.stop()
    report = strict_json(run("check", *where(server.data), "--json").stdout.encode())
    assert "folds" not in [fault["rule"] for fault in report["faults"]]
    assert [(note["rule"], note["found"]) for note in report["notes"]] == [
        ("usernames", 5), ("look-alikes", 6)]
    for note, names in zip(report["notes"], (
            ("admin", "Admin", "admin ", NFC, NFD),
            ("admin", "Admin", CYRILLIC, "mask", "rnask"))):
        assert [(entry["record"], entry["id"], entry["what"]) for entry in note["entries"]] == [
            ("staff", numbers[name], name) for name in names]


def test_no_more_of_them_are_made(twins):
    server, numbers, _ = twins
    for name in ("ADMIN", NFC.upper()):
        assert list(messages(post(server, STAFF, username=name))) == ["staff.username"]
    # A record that was read may be sent back.
    for name in ("admin ", "a/b", NFD):
        record = get(server, STAFF, numbers[name]).json
        reply = patch(server, STAFF, numbers[name], **{**record, "first_name": "Changed"})
        assert reply.status == 200 and reply.json["username"] == name, reply
        is_user(server, name, numbers[name])


def test_the_last_of_them_signs_in_as_anybody(twins):
    server, numbers, _ = twins
    assert patch(server, STAFF, numbers["Admin"], username="boss").status == 200
    problem(me(server, "ADMIN"), 401)
    is_user(server, "BOSS", numbers["Admin"])
    assert remove(server, STAFF, numbers["admin "]).status == 204
    is_user(server, "ADMIN", 1)
    assert patch(server, STAFF, numbers[NFC], username="juergen").status == 200
    is_user(server, NFC.upper(), numbers[NFD])
    assert rows_of_exact(server) == []


def test_one_that_looks_like_another_may_change_its_case(twins):
    """It looks like the same names as before. Every other change that keeps it like another is
    refused."""
    server, numbers, _ = twins
    for name, others in ((CYRILLIC, ["\u0410dmin", "\u0410DMIN"]), ("mask", ["Mask", "MASK"]),
                         ("rnask", ["RNASK"])):
        for other in others:
            assert patch(server, STAFF, numbers[name], username=other).json["username"] == other
            is_user(server, other, numbers[name])
    for name, other in ((CYRILLIC, "\u0430dm\u0456n"), ("admin", "ADMIN")):
        assert list(messages(patch(server, STAFF, numbers[name], username=other))) == [
            "staff.username"]


def test_a_change_of_case_that_makes_it_look_like_another(users):
    """The Kelvin sign is a capital k outside ASCII. Only names in ASCII may look alike."""
    server, _ = users
    create(server, STAFF, username="rnark")
    number = create(server, STAFF, username="mark")["id"]
    assert patch(server, STAFF, number, username="MARK").status == 200
    (message,) = messages(patch(server, STAFF, number, username="mar\u212a")).values()
    assert "looks like" in message and "rnark" in message, message


def rows_of_exact(server):
    server.stop()
    return rows(server.data, "SELECT username FROM staff WHERE username_exact <> ''")
