"""docket account: add, list, set and remove, each with one and with several accounts, and the
messages for wrong use and failures. test_admin_settings.py tests the effects of the settings."""
import json
import shutil

import pytest

from admin import (ACCOUNTS, TIME, TOKEN, Pair, check_help, check_sound, docket, dump, listed,
                   refused, told_changes)
from backends import rows
from commands import fails, misuse, mode
from harness import TASKS, faults, problem, run, strict_json, succeed, task_json

PRESETS = {"country": "US", "require_case": True, "expand": "", "alert_hour": "00:00",
           "time_zone": "UTC"}


def preset(name, **settings):
    return {"name": name, **PRESETS, **settings}


@pytest.mark.parametrize("command, argument", [
    ("account add", "NAME"), ("account list", None), ("account set", "NAME"),
    ("account remove", "NAME")])
def test_help(command, argument):
    check_help(command, argument)


# Add

@pytest.mark.parametrize("name, options, staff", [
    ("second", [], ("admin", "")), ("a", [], ("admin", "")), ("0-9", [], ("admin", "")),
    ("a" * 63, [], ("admin", "")),
    ("third", ["--username", "j.doe", "--email", "j.doe@example.com"],
     ("j.doe", "j.doe@example.com")),
    ("xn--4ca", ["--username=\u00fcber"], ("\u00fcber", ""))])
@pytest.mark.slow
def test_add(one, name, options, staff):
    """It makes an account, a staff member with full access, a calendar and a token with the default
    label, and nothing more."""
    before, counted = dump(one, 1), dump(one)
    done = succeed("account", "add", name, "--data", one, *options)
    assert TOKEN.fullmatch(done.stdout.removesuffix("\n")), done
    assert f'"{name}"' in done.stderr and f'"{staff[0]}"' in done.stderr, done
    assert done.stderr.count("\n") == 1 and done.stdout.strip() not in done.stderr
    assert dump(one, 1) == before, "another account was changed"
    made = dump(one, 2)
    assert {table: len(found) for table, found in made.items() if found} == {
        "account": 1, "account_state": 1, "staff": 1, "calendar": 1, "token": 1, "history": 2}
    assert {table: len(found) - len(counted[table]) for table, found in dump(one).items()
            if len(found) != len(counted[table])} == {
                "account": 1, "account_state": 1, "staff": 1, "calendar": 1, "token": 1, "history": 2,
                "audit": 1}
    assert rows(one, "SELECT id, username, email, access_level FROM staff WHERE account_id = 2"
                ) == [(1, *staff, 0)]
    assert preset(name) in listed(one, "account list")
    (token,) = listed(one, "token list", "--account", name)
    assert TIME.fullmatch(token.pop("created_at"))
    assert token == {"label": "made with the account", "expires_at": None, "read_only": False,
                     "scopes": "all:write", "addresses": "", "lenient": False, "last_used_at": None}


def test_add_writes_the_token_to_a_file(one, tmp_path):
    done = succeed("account", "add", "second", "--data", one, "--token-file", tmp_path / "token")
    assert done.stdout == "", done
    assert mode(tmp_path / "token") == 0o600
    token = (tmp_path / "token").read_text()
    assert TOKEN.fullmatch(token.strip()) and token.endswith("\n") and token.count("\n") == 1
    assert token.strip() not in done.stderr
    pair = Pair(one, {"second": token.strip()}, tmp_path / "log")
    assert pair.ask("second").json == []
    pair.server.stop()


# Wrong use and failures

NAMES = ["", "A", "a_b", "a.b", "a/b", "a-", "a b", " a", "a\n", "\u00e4", "a" * 64, "\udcff"]
WRONG = [
    *[(["account", "add", name], "the name must be") for name in NAMES],
    (["account", "add", "-a"], "-a "),
    *[(["account", "add", "x", "--username", name], "--username ")
      for name in ("", " ", "a:b", "a\nb", "u" * 65, "\udcff")],
    *[(["account", "add", "x", "--email", address], "--email ")
      for address in ("a", "@b", "a@", "a@b@c", "a b@c", "\udcff@b", "a" * 251 + "@b.c")],
    (["account", "add", "x", "--token-file", ""], "--token-file "),
    (["account", "set", "first"], "nothing to change"),
    *[(["account", "set", "first", "--country", code], "--country ")
      for code in ("", "XX", "USA", "U", "U ", "Germany", "\udcff")],
    *[(["account", "set", "first", "--require-case", word], "--require-case ")
      for word in ("", "maybe", "2", "yes ", "n", "off")],
    *[(["account", "set", "first", "--expand", names], "--expand ")
      for names in ("", "cases", "case users", "case,", ",case", "case,,users", "Case", ",",
                    "none,case", "case,none", "None", "case, users")],
    *[(["account", "set", "first", "--alert-hour", hour], "--alert-hour ")
      for hour in ("", "24:00", "09:60", "9:00", "09:0", "0900", "9", "09:00:00", "-1:00", "+9:00",
                   " 9:00", "09:00 ", "09.00", "ab:cd", "::::1", "9:005", "09:5:", "99:99")],
    *[(["account", "set", "first", "--time-zone", zone], "--time-zone ")
      for zone in ("", "europe/berlin", "Berlin", "Europe", "GMT+5", "UTC+1", "CEST", "+02:00",
                   "Europe/Berlin ", "../../etc/passwd", "Europe/M\u00fcnchen", "\udcff",
                   "z" * 300)],
    (["account", "remove", "first"], "--yes"),
    (["account", "remove", "nobody"], "--yes"),
]
FAILING = [
    (["account", "add", "first"], '"first"'),
    (["account", "add", "second", "--username", "other"], '"second"'),
    *[(["account", "set", name, "--country", "DE"], f'"{name}"')
      for name in ("third", "FIRST", "firs", "first ", "%", "")],
    *[(["account", "remove", name, "--yes"], f'"{name}"')
      for name in ("third", "FIRST", "firs", "first%", "")],
]


@pytest.mark.parametrize("words, named", WRONG)
def test_wrong_use(two, words, named):
    refused(two, misuse, words, named)


@pytest.mark.parametrize("words, named", FAILING)
def test_failure(two, words, named):
    refused(two, fails, words, named)


def test_each_wrong_value_is_told(two):
    before = dump(two)
    said = misuse("account", "set", "first", "--data", two, "--country", "XX", "--expand", "y",
                  "--time-zone", "z", "--alert-hour", "24:00")
    for option in ("--country", "--expand", "--time-zone", "--alert-hour"):
        assert said.count(option + " must be ") == 1, said
    said = misuse("account", "add", "x", "--data", two, "--username", "a:b", "--email", "a")
    assert said.count("\n") == 2 and "--username " in said and "--email " in said, said
    assert dump(two) == before


@pytest.mark.slow
def test_a_name_behind_two_dashes(one):
    """After "--" a name is no option, whatever it begins with."""
    docket(one, "account add", "--", "second")
    docket(one, "token add", "--account", "second", "--", "-x")
    docket(one, "staff add", "--account", "second", "--", "--json")
    said = misuse("account", "add", "--data", one, "--", "-a")
    assert "the name must be" in said
    for arguments, named in ((["--", "third", "fourth"], '"fourth"'),
                             (["third", "--", "--email"], '"--email"'), (["--"], "NAME")):
        assert named in misuse("account", "add", "--data", one, *arguments)
    assert [row["name"] for row in listed(one, "account list")] == ["main", "second"]
    assert "-x" in [row["label"] for row in listed(one, "token list", "--account", "second")]
    assert listed(one, "staff list", "--account", "second")[-1]["username"] == "--json"


@pytest.mark.parametrize("option, value", [
    ("country", "XX"), ("require-case", "maybe"), ("expand", "y"), ("alert-hour", "25:00"),
    ("time-zone", "z")])
def test_a_wrong_variable_is_named(two, option, value):
    name = "DOCKET_" + option.upper().replace("-", "_")
    refused(two, misuse, ["account", "set", "first"], name, env={name: value})


def test_a_right_and_a_wrong_value_change_nothing(two):
    for options in (["--country", "DE", "--alert-hour", "x"], ["--alert-hour", "08:00",
                                                               "--time-zone", "x"]):
        refused(two, misuse, ["account", "set", "first", *options], options[2])


@pytest.mark.parametrize("how", ["exists", "missing", "link", "folder"])
def test_add_with_a_token_file_that_cannot_be_made(two, tmp_path, how):
    file = tmp_path / "token"
    if how == "exists":
        file.write_text("mine")
    elif how == "link":
        file.symlink_to(tmp_path / "elsewhere")
    elif how == "folder":
        file.mkdir()
    else:
        file = file / "token"
    refused(two, fails, ["account", "add", "third", "--token-file", file], str(file))
    if how == "exists":
        assert file.read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()


def test_no_token_file_is_left_by_a_failure(two, tmp_path):
    for words, how in ((["account", "add", "first"], fails),
                       (["account", "add", "x", "--username", ":"], misuse)):
        refused(two, how, [*words, "--token-file", tmp_path / "token"], "")
        assert not (tmp_path / "token").exists()


@pytest.mark.parametrize("command", ["account add x", "account list", "account set x --country DE",
                                     "account remove x --yes"])
def test_a_folder_without_a_database(tmp_path, command):
    for name in ("missing", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        said = fails(*command.split(), "--data", tmp_path / name)
        assert str(tmp_path / name) in said and "docket init" in said
    assert list((tmp_path / "empty").iterdir()) == []


# List

@pytest.mark.slow
def test_list(one):
    assert listed(one, "account list") == [preset("main")]
    # The list is sorted by name, not by the order of creation.
    for name in ("zulu", "alpha"):
        docket(one, "account add", name)
    docket(one, "account set", "zulu", "--country", "DE", "--expand", "case,users",
           "--require-case", "no", "--alert-hour", "07:05", "--time-zone", "Europe/Berlin")
    assert listed(one, "account list") == [preset("alpha"), preset("main"), preset(
        "zulu", country="DE", require_case=False, expand="case,users", alert_hour="07:05",
        time_zone="Europe/Berlin")]


@pytest.mark.slow
def test_list_of_a_folder_without_an_account(one):
    docket(one, "account remove", "main", "--yes")
    assert strict_json(docket(one, "account list", "--json").encode()) == []
    assert docket(one, "account list") == ""
    # Commands that need an account say that there is none, and how to make one.
    for words in (["staff", "list"], ["token", "list"], ["token", "add", "x"], ["demo"],
                  ["serve", "--listen", "127.0.0.1:0"]):
        assert "docket account add" in fails(*words, "--data", one)
    docket(one, "account add", "other")
    assert listed(one, "account list") == [preset("other")]


# Set

@pytest.mark.parametrize("options, got", [
    (["--country", "DE"], {"country": "DE"}),
    (["--require-case", "no"], {"require_case": False}),
    (["--require-case", "NO"], {"require_case": False}),
    (["--require-case", "0"], {"require_case": False}),
    (["--require-case", "yes"], {}),
    (["--expand", "users"], {"expand": "users"}),
    (["--expand", "case,calendar,subject,case_service,users"],
     {"expand": "case,calendar,subject,case_service,users"}),
    (["--expand", "none"], {}),
    (["--alert-hour", "00:00"], {}),
    (["--alert-hour", "23:59"], {"alert_hour": "23:59"}),
    (["--time-zone", "America/Argentina/Buenos_Aires"],
     {"time_zone": "America/Argentina/Buenos_Aires"}),
    (["--time-zone", "Etc/GMT+5"], {"time_zone": "Etc/GMT+5"}),
    (["--country=FR", "--alert-hour=09:30", "--time-zone=Europe/Paris"],
     {"country": "FR", "alert_hour": "09:30", "time_zone": "Europe/Paris"}),
    (["--country", "DE", "--country", "AT"], {"country": "AT"}),
])
def test_set(two, options, got):
    other = dump(two, 2)
    done = succeed("account", "set", "first", "--data", two, *options)
    assert done.stdout == told_changes(preset("first"), preset("first", **got))
    assert done.stderr == ('changed the account "first"\n' if got else
                           'nothing changed: the account "first" has these values already\n')
    assert listed(two, "account list") == [preset("first", **got), preset("second")]
    assert dump(two, 2) == other


@pytest.mark.slow
def test_what_is_not_set_stays(two):
    docket(two, "account set", "first", "--country", "DE", "--expand", "case", "--require-case",
           "no", "--alert-hour", "08:15", "--time-zone", "Europe/Berlin")
    wanted = preset("first", country="DE", require_case=False, expand="case", alert_hour="08:15",
                    time_zone="Europe/Berlin")
    for option, value, key, got in (
            ("country", "AT", "country", "AT"), ("require-case", "yes", "require_case", True),
            ("expand", "none", "expand", ""), ("alert-hour", "00:01", "alert_hour", "00:01"),
            ("time-zone", "UTC", "time_zone", "UTC")):
        docket(two, "account set", "first", "--" + option, value)
        wanted[key] = got
        assert listed(two, "account list")[0] == wanted


def test_settings_from_the_environment_and_the_file(two, tmp_path):
    file = tmp_path / "file"
    file.write_text("country = AT\nrequire-case = no\nexpand = case\n")
    succeed("account", "set", "second", "--data", two, "--config", file, "--expand", "users",
            env={"DOCKET_COUNTRY": "DE", "DOCKET_ALERT_HOUR": "06:00"})
    assert listed(two, "account list")[1] == preset(
        "second", country="DE", require_case=False, expand="users", alert_hour="06:00")


# Remove

def search(pair, account):
    """The words in the text index for the titles of an account."""
    words = ("report", "call", "interview", "a", "\u00e9", "review the", "zzz")
    return [pair.ask(account, path=f"{TASKS}?title={word}&per_page=500").body for word in words]


@pytest.mark.slow
def test_remove(two, base_of_two, tmp_path):
    tokens = base_of_two[1]
    pair = Pair(two, tokens, tmp_path / "log")
    for account in ACCOUNTS:
        for title in ("Call the office", f"Report of {account}", "\u00c9t\u00e9 interview"):
            made = pair.ask(account, "POST", TASKS, task_json(title=title))
            assert made.status == 201, made
    found = search(pair, "second")
    assert all(json.loads(body) for body in found[:3])
    pair.server.stop()
    before, everything = dump(two, 2, used=False), dump(two)

    done = succeed("account", "remove", "first", "--data", two, "--yes")
    assert done.stdout == "" and '"first"' in done.stderr and done.stderr.count("\n") == 1

    assert dump(two, 2, used=False) == before, "the other account was changed"
    assert not any(dump(two, 1).values()), "expected nothing of the account"
    kept = {table for table in everything if table in ("migration", "secret")}
    assert {table: found for table, found in dump(two).items() if table in kept} == {
        table: everything[table] for table in kept}
    check_sound(two)
    assert rows(two, "SELECT count(*) FROM task_words WHERE title MATCH 'first'") == [(0,)]
    assert listed(two, "account list") == [preset("second")]
    pair.server.start()
    assert search(pair, "second") == found
    gone = pair.ask("first")
    problem(gone, 401)
    assert gone.body == pair.ask("third", token=tokens["first"]).body
    pair.server.stop()


@pytest.mark.slow
def test_the_freed_name_is_of_a_new_account(two, base_of_two, tmp_path):
    """An account with the name of a removed one has none of its records, ids, tokens or settings,
    even if docket serves meanwhile."""
    pair = Pair(two, base_of_two[1], tmp_path / "log")
    before = dump(two, 2, used=False)
    pair.do("account set", "first", "--country", "DE", "--require-case", "no", "--expand", "users")
    pair.do("staff add", "old", "--account", "first")
    cursor = pair.ask("first", path=TASKS + "?per_page=2").header("Link")
    assert cursor
    pair.do("account remove", "first", "--yes")
    pair.tokens["new"] = pair.do("account add", "first").strip()
    problem(pair.ask("first"), 401)
    problem(pair.ask("first", token=pair.tokens["new"], user="old"), 401)
    assert pair.ask("first", token=pair.tokens["new"]).json == []
    for task_id in (1, 5, 6, 99):
        problem(pair.ask("first", path=f"{TASKS}/{task_id}", token=pair.tokens["new"]), 404)
    reply = pair.ask("first", "POST", TASKS, task_json(), token=pair.tokens["new"])
    assert faults(reply) == [("task.casefile_id", "not_found")]
    for word in ("a", "report", "Call"):
        reply = pair.ask("first", path=f"{TASKS}?title={word}", token=pair.tokens["new"])
        assert reply.json == []
    assert listed(two, "account list")[0] == preset("first")
    assert [row["username"] for row in listed(two, "staff list", "--account", "first")] == ["admin"]
    assert [row["label"] for row in listed(two, "token list", "--account", "first")] == [
        "made with the account"]
    pair.server.stop()
    assert dump(two, 2, used=False) == before
    check_sound(two)
    docket(two, "demo", "--account", "first", "--tasks", "3")
    pair.server.start()
    made = pair.ask("first", token=pair.tokens["new"]).json
    assert [record["id"] for record in made] == [1, 2, 3]
    pair.server.stop()
    check_sound(two)


@pytest.mark.parametrize("env", [{"DOCKET_YES": "no"}, {}])
def test_remove_is_never_meant_by_mistake(two, env):
    refused(two, misuse, ["account", "remove", "second"], "--yes", env=env)
    refused(two, misuse, ["account", "remove", "--yes"], "NAME")


@pytest.mark.slow
def test_remove_of_the_only_account(one, tmp_path, make_server):
    """docket must not serve the folder meanwhile. Afterwards the folder can get a new account."""
    copy = shutil.copytree(one, tmp_path / "copy")
    server = make_server(copy)
    assert server.create()["id"] == 1
    assert "docket serve serves" in fails("account", "remove", "main", "--data", copy, "--yes")
    assert server.get(1).status == 200
    server.stop()
    docket(copy, "account remove", "main", "--yes")
    assert run("account", "list", "--data", copy).stdout == ""
    check_sound(copy)
    assert not any(dump(copy, 1).values())
    token = docket(copy, "account add", "main", "--username", "new").strip()
    problem(make_server(copy, token, user="new").get(1), 404)
