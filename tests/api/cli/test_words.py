"""The texts of the command line: help, suggestions, the messages after a change, and wrong
settings."""
import os

import pytest

import backends
from admin import listed
from backends import where
from commands import misuse
from harness import run, succeed
from together import at_once


@pytest.fixture
def folder(tmp_path):
    succeed("init", "--data", tmp_path / "data", "--token-file", tmp_path / "token")
    return tmp_path / "data"


# Help and version

def test_help_is_a_command():
    assert succeed("help").stdout == succeed("--help").stdout == succeed("help", "help").stdout
    assert succeed("version").stdout == succeed("--version").stdout


@pytest.mark.parametrize("command", ["serve", "init", "staff set", "token revoke", "check"])
def test_the_help_of_a_command(command):
    wanted = succeed(*command.split(), "--help").stdout
    assert succeed("help", *command.split()).stdout == wanted
    # A name may be "help" too.
    if " " not in command:
        assert succeed(command, "help").stdout == wanted


@pytest.mark.parametrize("words", [["help", "staff"], ["staff", "help"], ["staff", "--help"]])
def test_the_help_of_a_group(words):
    said = succeed(*words).stdout
    assert "staff set" in said and "token" not in said, said


@pytest.mark.parametrize("words, said", [
    (["foo"], '"foo" is not a command; see "docket help"'),
    (["staff", "handbook"], '"staff handbook" is not a command; see "docket help staff"'),
    (["help", "foo"], '"foo" is not a command; see "docket help"'),
    (["staff", "lst"], '"staff lst" is not a command; did you mean "staff list"?'),
    (["srve", "--data", "x"], '"srve" is not a command; did you mean "serve"?'),
    (["--data", "x"], '"--data" is not a command; see "docket help"'),
])
def test_a_suggestion_only_where_it_is_near(words, said):
    assert misuse(*words) == f"docket: {said}\n"


@pytest.mark.parametrize("words, said", [
    (["serve", "--foo"], 'docket serve: --foo is not a known option; see "docket help serve"'),
    (["token", "add"], 'docket token add: LABEL is missing; see "docket help token add"'),
    (["account", "remove", "main"],
     'docket account remove: this deletes account "main" and all its records for good; add --yes'),
    (["staff", "set", "admin"],
     "docket staff set: nothing to change: give --first-name, --last-name, --email or --access"),
    (["account", "set", "main"], "docket account set: nothing to change: give --country, --expand, "
     "--time-zone, --require-case or --alert-hour"),
    (["token", "add", "x", "--expires", "2001-01-01"],
     "docket token add: --expires is in the past"),
    (["serve", "--tls-cert", "a,b", "--tls-key", "c"],
     "docket serve: --tls-key must name a key for each certificate, in the same order: 2 "
     "certificates but 1 key"),
])
def test_what_is_wrong(folder, words, said):
    assert misuse(*words, "--data", folder) == said + "\n"


# The messages after a change

@pytest.mark.parametrize("words, changes, said", [
    (["account", "set", "main", "--country", "de"], 'country is now "DE", it was "US"\n',
     'changed the account "main"'),
    (["staff", "set", "admin", "--last-name", "Last"], 'last_name is now "Last", it was ""\n',
     'changed the staff member "admin"'),
    (["token", "revoke", "made by docket init"], "",
     'revoked the token "made by docket init": it stopped working'),
])
@pytest.mark.parametrize("serving", [False, True])
@pytest.mark.slow
def test_what_a_change_says(folder, make_server, words, changes, said, serving):
    if serving:
        make_server(folder)
    done = succeed(*words, "--data", folder)
    assert (done.stdout, done.stderr) == (changes, said + "\n")


@pytest.mark.slow
def test_a_country_in_small_letters(folder):
    succeed("account", "set", "main", "--country", "de", "--data", folder)
    assert listed(folder, "account list")[0]["country"] == "DE"
    assert '"zz"' in misuse("account", "set", "main", "--country", "zz", "--data", folder).lower()


@pytest.mark.slow
def test_names_and_addresses_are_taken_away(folder):
    succeed("staff", "add", "x", "--first-name", "A", "--last-name", "B", "--email",
            "x@example.com", "--data", folder)
    for option, field in (("--first-name", "first_name"), ("--last-name", "last_name"),
                          ("--email", "email")):
        succeed("staff", "set", "x", option, "", "--data", folder)
        assert listed(folder, "staff list")[1][field] == ""


@pytest.mark.slow
def test_a_list_of_nothing(folder):
    succeed("token", "revoke", "made by docket init", "--data", folder)
    done = succeed("token", "list", "--data", folder)
    assert (done.stdout, done.stderr) == ("", "there are no tokens\n")
    done = succeed("token", "list", "--data", folder, "--json")
    assert (done.stdout, done.stderr) == ("[]\n", "")
    succeed("account", "remove", "main", "--yes", "--data", folder)
    done = succeed("account", "list", "--data", folder)
    assert (done.stdout, done.stderr) == ("", "there are no accounts\n")


# The environment and the file

@pytest.mark.parametrize("variable, meant", [
    ("DOCKET_LISTN", "DOCKET_LISTEN"), ("DOCKET_DTA", "DOCKET_DATA"), ("DOCKET_QUEU",
                                                                       "DOCKET_QUEUE"),
    ("DOCKET_Data", "DOCKET_DATA"), ("DOCKET_TOKENFILE", "DOCKET_TOKEN_FILE")])
def test_a_variable_that_is_nearly_one(folder, variable, meant):
    done = succeed("token", "list", "--data", folder, env={variable: "x"})
    assert done.stderr == (f"docket: warning: {variable} is not a known variable; did you mean "
                           f"{meant}?\n")
    # The warning comes also, and above all, when the command lacks that setting.
    assert meant in misuse("token", "list", env={variable: "x"})


@pytest.mark.parametrize("variable", [
    "DOCKET_PROGRAM", "DOCKET_TEST_X", "DOCKET_PORT", "DOCKET_PORT_8080_TCP_ADDR", "DOCKET_HOME",
    "DOCKET_SERVICE_HOST", "DOCKET_SERVICE_PORT", "DOCKET_", "DOCKET_" + "A" * 200, "DOCKER_HOST",
    "DOCKET_LISTEN"])
def test_other_variables_are_no_mistake(folder, variable):
    assert succeed("token", "list", "--data", folder, env={variable: "x"}).stderr == ""


@pytest.mark.parametrize("text, line", [
    ("[serve]\n", 1), ("[serve]\ndata = x\n", 1), ("data = x\n  [serve]\n", 2),
    ("# a\n[]\n", 2), ("\ufeff[serve]\n", 1), ("[serve\n", 1)])
def test_a_section_is_named_at_once(tmp_path, text, line):
    file = tmp_path / "conf"
    file.write_text(text, "utf-8")
    assert misuse("serve", "--config", file) == (
        f"docket serve: --config {file}, line {line}: a configuration file has no sections\n")


@pytest.mark.parametrize("form", ["data = {}", "data: {}", "data = {} ; a comment", "data={}"])
def test_the_forms_of_a_line(folder, tmp_path, form):
    (tmp_path / "conf").write_text(form.format(folder) + "\n")
    succeed("token", "list", "--config", tmp_path / "conf")


# Sample records

@backends.POSTGRESQL
def test_demo_beside_a_server_and_another(one, make_server):
    """On PostgreSQL, where docket may serve the database meanwhile."""
    server = make_server(one)
    at_once(lambda _: succeed("demo", *where(one), "--tasks", 300), range(2))
    server.stop()
    assert backends.rows(one, "SELECT count(*) FROM task") == [(600,)]
    done = run("check", *where(one))
    assert done.returncode == 0, done


@pytest.mark.slow
def test_check_says_what_to_do(folder):
    backends.rows(folder, "UPDATE account_state SET last_change = last_change + 1")
    done = run("check", "--data", folder)
    assert done.returncode == 1 and done.stdout.endswith("\nnot sound\n"), done
    assert "last-change: BROKEN; the rule: " in done.stdout
    assert done.stderr == ("Stop docket, keep the folder as it is, and restore a backup\n")
    (folder / "docket.db.before-0004").write_bytes(b"")
    assert "docket.db.before-0004 is a copy" in run("check", "--data", folder, "--json").stderr
    assert os.path.exists(folder / "docket.db")
