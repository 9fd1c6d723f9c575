"""Options of the commands: flags, environment and configuration file and their precedence, help,
the version, and the message for each wrong use."""
import os
import re

import pytest

from backends import rows
from commands import fails, forked_misuse, misuse
from harness import run, succeed
from ports import free_port

STAFF = ["first-name", "last-name", "email", "access"]
PLACE = ["data", "database", "allow-network-folder"]
MAIL = ["smtp-url", "smtp-username", "smtp-password-file", "smtp-ca", "smtp-timeout", "mail-from"]
OPTIONS = {
    "init": ["config", *PLACE, "partitions", "account", "username", "email", "token-file"],
    "account add": ["config", *PLACE, "username", "email", "token-file"],
    "account list": ["config", *PLACE, "json"],
    "account set": ["config", *PLACE, "country", "require-case", "expand", "alert-hour",
                    "time-zone"],
    "account remove": ["config", *PLACE, "yes"],
    "staff add": ["config", *PLACE, "account", *STAFF],
    "staff list": ["config", *PLACE, "account", "json"],
    "staff set": ["config", *PLACE, "account", *STAFF],
    "staff rename": ["config", *PLACE, "account"],
    "staff remove": ["config", *PLACE, "account", "yes"],
    "token add": ["config", *PLACE, "account", "expires", "read-only", "scopes", "addresses",
                  "lenient", "token-file"],
    "token list": ["config", *PLACE, "account", "json"],
    "token rotate": ["config", *PLACE, "account", "overlap", "expires", "token-file"],
    "token revoke": ["config", *PLACE, "account"],
    "alerts list": ["config", *PLACE, "account", "task", "state", "json"],
    "alerts retry": ["config", *PLACE, "account", "task"],
    "alerts cancel": ["config", *PLACE, "account", "task"],
    "log": ["config", *PLACE, "account", "json", "since", "until"],
    "demo": ["config", *PLACE, "account", "tasks"],
    "check": ["config", *PLACE, "json"],
    "migrate": ["config", *PLACE, "dry-run"],
    "backup": ["config", *PLACE, "to", "keep", "json"],
    "restore": ["config", *PLACE, "from", "at", "change", "dry-run", "json"],
    "move": ["config", "allow-network-folder", "partitions", "from", "to"],
    "status": ["config", "data", "database", "control-socket", "json"],
    "top": ["config", "data", "database", "control-socket"],
    "mail test": ["config", *MAIL],
    "serve": ["config", *PLACE, "control-socket", "ephemeral", "token", "listen", "metrics", "base-domain",
              "tls-cert", "tls-key", "behind-proxy", "base-url", "absolute-links", "cors-origins", "idle-timeout",
              "database-connections", "statement-timeout", "slow-statement", "queue", "memory-limit",
              "record-cache", "no-confinement", "quiet", "log-format", *MAIL, "mail-per-minute", "mail-per-account",
              "replicate-to", "replicate-keep", "backup-to", "backup-at", "keep",
              "rate-per-token", "rate-per-account"],
}
ABOUT = {"add", "set", "remove", "rotate", "revoke", "test"}  # these commands take a name
SWITCHES = {"allow-network-folder", "behind-proxy", "absolute-links", "quiet", "read-only", "lenient", "yes", "json", "dry-run",
            "ephemeral", "no-confinement"}
EVERY = sorted({option for options in OPTIONS.values() for option in options})


def words(command):
    """The words of a command as a user types them, with a name where it needs one."""
    names = ["name"] if command.split()[-1] in ABOUT else ["old", "new"] if "rename" in command else []
    return [*command.split(), *names]


def needed(command):
    """The options that a command cannot do without."""
    return next(option for option in ("data", "from", "smtp-url") if option in OPTIONS[command])


def variable(option):
    return "DOCKET_" + option.upper().replace("-", "_")


def write(path, **settings):
    """A configuration file; `_` stands for the hyphen of a name."""
    path.write_text("".join(f"{name.replace('_', '-')} = {value}\n"
                            for name, value in settings.items()), encoding="utf-8")
    return path


# Help and version

def test_the_version():
    done = succeed("--version")
    assert re.fullmatch(r"docket \d+\.\d+\.\d+\n", done.stdout), done
    assert done.stderr == "", done


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_the_help_names_every_command(flag):
    done = succeed(flag)
    for command in OPTIONS:
        assert re.search(rf"^  {command} +\w", done.stdout, re.MULTILINE), done
    assert "--help" in done.stdout and "--version" in done.stdout
    assert done.stderr == "", done


@pytest.mark.parametrize("command", OPTIONS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_the_help_of_a_command_names_every_option_and_no_other(command, flag):
    done = succeed(*command.split(), flag)
    assert done.stderr == "", done
    named = re.findall(r"^  --([a-z-]+)", done.stdout, re.MULTILINE)
    assert sorted(named) == sorted([*OPTIONS[command], "help"])
    assert "DOCKET_DATA" in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines()), done


def test_help_does_nothing_else(tmp_path):
    succeed("init", "--data", tmp_path / "data", "--help")
    assert not (tmp_path / "data").exists()


def test_nothing_asked():
    said = misuse()
    for command in OPTIONS:
        assert command in said


# Wrong use

@pytest.mark.parametrize("command, nearest", [("int", "init"), ("srve", "serve"), ("Demo", "demo"),
                                              ("demos", "demo"), ("initialise", "init")])
def test_a_command_there_is_not(command, nearest):
    said = misuse(command)
    assert f'"{command}"' in said and f'"{nearest}"' in said


@pytest.mark.parametrize("command", OPTIONS)
def test_no_data(command):
    said = misuse(*words(command))
    place = needed(command)
    assert "--" + place in said and variable(place) in said


@pytest.mark.parametrize("command, arguments, named", [
    *[(command, ["--nonsense"], "--nonsense") for command in OPTIONS],
    *[(command, ["--nonsense=1"], "--nonsense") for command in OPTIONS],
    *[(command, ["-x"], "-x") for command in OPTIONS],
    *[(command, ["one-more"], '"one-more"') for command in OPTIONS],
    *[(command, [""], '""') for command in OPTIONS],
    *[(command, ["--", "--help"], '"--help"') for command in OPTIONS],
    *[(command, ["--" + option, "1"], "--" + option) for command, options in OPTIONS.items()
      for option in EVERY if option not in options],
    *[(command, ["--" + option], "--" + option) for command, options in OPTIONS.items()
      for option in options if option not in SWITCHES],
    ("serve", ["--behind-proxy=yes"], "--behind-proxy"),
    ("serve", ["--behind-proxy", "yes"], '"yes"'),
])
def test_wrong_use(tmp_path, command, arguments, named):
    said = forked_misuse(*words(command), "--" + needed(command), tmp_path / "data", *arguments)
    assert named in said, said
    assert os.listdir(tmp_path) == []


def test_a_value_for_a_switch_is_not_called_an_unknown_option(tmp_path):
    said = misuse("serve", "--data", tmp_path / "data", "--behind-proxy=yes")
    assert "not an option" not in said, said


# Flag, environment and file: the same options; a flag overrides the environment, which overrides
# the file.

@pytest.mark.parametrize("flag", [None, "by-flag"])
@pytest.mark.parametrize("env", [None, "by-env"])
@pytest.mark.parametrize("file", [None, "by-file"])
@pytest.mark.parametrize("option, sql, preset, value", [
    ("account", "SELECT name FROM account", "main", "{}"),
    ("username", "SELECT username FROM staff", "admin", "{}"),
    ("email", "SELECT email FROM staff", "", "{}@example.com"),
])
def test_which_goes_before_which(tmp_path, option, sql, preset, value, flag, env, file):
    arguments = ["init", "--data", tmp_path / "data"]
    environment = {}
    if file:
        arguments += ["--config", write(tmp_path / "file", **{option: value.format(file)})]
    if env:
        environment[variable(option)] = value.format(env)
    if flag:
        arguments += ["--" + option, value.format(flag)]
    succeed(*arguments, env=environment)
    wanted = flag or env or file
    assert rows(tmp_path / "data", sql) == [(value.format(wanted) if wanted else preset,)]


@pytest.mark.parametrize("flag", [None, "1"])
@pytest.mark.parametrize("env", [None, "2"])
@pytest.mark.parametrize("file", [None, "3"])
@pytest.mark.slow
def test_which_number_of_tasks(tmp_path, flag, env, file):
    succeed("init", "--data", tmp_path / "data")
    settings = {"data": tmp_path / "data", **({"tasks": file} if file else {})}
    succeed("demo", "--config", write(tmp_path / "file", **settings),
            *(["--tasks", flag] if flag else []), env={"DOCKET_TASKS": env} if env else {})
    assert rows(tmp_path / "data", "SELECT count(*) FROM task") == [
        (int(flag or env or file or 200),)]


@pytest.mark.parametrize("source", ["env", "file", "config in the environment"])
@pytest.mark.slow
def test_every_option_of_init_without_a_flag(tmp_path, source):
    settings = {"data": tmp_path / "data", "account": "acme", "username": "j.doe",
                "email": "j.doe@example.com", "token_file": tmp_path / "token"}
    env = {"DOCKET_" + name.upper(): value for name, value in settings.items()}
    if source == "env":
        done = succeed("init", env=env)
    elif source == "file":
        done = succeed("init", "--config", write(tmp_path / "file", **settings))
    else:
        done = succeed("init", env={"DOCKET_CONFIG": write(tmp_path / "file", **settings)})
    assert done.stdout == "", done
    assert (tmp_path / "token").stat().st_size > 27
    assert rows(tmp_path / "data", "SELECT name FROM account") == [("acme",)]
    assert rows(tmp_path / "data", "SELECT username, email FROM staff") == [
        ("j.doe", "j.doe@example.com")]


@pytest.mark.parametrize("source", ["env", "file"])
def test_where_to_listen_without_a_flag(tmp_path, make_server, source):
    port = free_port()
    listen = f"127.0.0.1:{port}"
    if source == "env":
        server = make_server(listen=None, env={"DOCKET_LISTEN": listen})
    else:
        server = make_server(listen=None, options=["--config", write(tmp_path / "file",
                                                                     listen=listen)])
    assert server.port == port
    server.create()


@pytest.mark.parametrize("word", ["yes", "true", "1", "YES", "True"])
@pytest.mark.parametrize("source", ["env", "file"])
def test_a_switch_that_is_on(tmp_path, make_server, source, word):
    if source == "env":
        server = make_server(listen="0.0.0.0:0", env={"DOCKET_BEHIND_PROXY": word})
    else:
        server = make_server(listen="0.0.0.0:0", options=[
            "--config", write(tmp_path / "file", behind_proxy=word)])
    assert server.host == "0.0.0.0"


@pytest.mark.parametrize("word", ["no", "false", "0", "NO", "False"])
def test_a_switch_that_is_off(one, word):
    said = misuse("serve", "--data", one, "--listen", "0.0.0.0:0",
                  env={"DOCKET_BEHIND_PROXY": word})
    assert "--behind-proxy" in said


@pytest.mark.parametrize("word", ["maybe", "2", "on off"])
def test_a_switch_that_is_neither(one, word):
    said = misuse("serve", "--data", one, env={"DOCKET_BEHIND_PROXY": word})
    assert "DOCKET_BEHIND_PROXY" in said


def test_a_later_flag_goes_before_an_earlier(tmp_path):
    succeed("init", "--data", tmp_path / "one", "--data", tmp_path / "two")
    assert os.listdir(tmp_path) == ["two"]


@pytest.mark.slow
def test_what_another_command_takes_is_passed_over(tmp_path):
    """Commands ignore the settings of other commands, so one environment and one file serve all."""
    env = {variable(option): "nonsense" for option in EVERY if option not in OPTIONS["init"]}
    succeed("init", "--data", tmp_path / "data", env=env)
    file = write(tmp_path / "file", data=tmp_path / "data", username="a:b", tasks=3,
                 listen="nonsense", behind_proxy="yes", token_file=tmp_path / "token")
    succeed("demo", "--config", file)
    assert rows(tmp_path / "data", "SELECT count(*) FROM task") == [(3,)]


# The message names the source of a wrong setting

WRONG = [("init", "account", "A"), ("init", "username", "a:b"), ("init", "email", "a"),
         ("demo", "tasks", "-1"), ("demo", "tasks", "many"), ("serve", "listen", "nowhere"),
         ("serve", "listen", "0.0.0.0:0"), ("serve", "behind-proxy", "maybe"),
         ("serve", "quiet", "2")]


@pytest.mark.parametrize("source, command, option, value", [
    (source, *row) for source in ("flag", "env", "file") for row in WRONG
    if source != "flag" or row[1] not in SWITCHES])  # as a flag a switch has no value
def test_a_wrong_value_is_named_by_its_source(tmp_path, one, source, command, option, value):
    data = tmp_path / "data" if command == "init" else one
    arguments, env = [command, "--data", data], {}
    if source == "flag":
        arguments += ["--" + option, value]
        named = "--" + option
    elif source == "env":
        env = {variable(option): value}
        named = variable(option)
    else:
        arguments += ["--config", write(tmp_path / "file", **{option.replace("-", "_"): value})]
        named = option
    said = misuse(*arguments, env=env)
    assert named in said, said
    if source == "file":
        assert str(tmp_path / "file") in said, said
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("option", ["data", "account", "token-file"])
def test_an_empty_variable_is_named(tmp_path, option):
    env = {"DOCKET_DATA": tmp_path / "data", variable(option): ""}
    assert variable(option) in misuse("init", env=env)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("key, nearest", [
    ("dta", "data"), ("Data", "data"), ("datas", "data"), ("token_file", "token-file"),
    ("tokenfile", "token-file"), ("listn", "listen"), ("user-name", "username"),
    ("e-mail", "email"), ("behind-prox", "behind-proxy"), ("taks", "tasks"),
    ("DOCKET_TASKS", "tasks")])
@pytest.mark.parametrize("command", ["init", "demo"])
def test_an_unknown_key_in_the_file(tmp_path, command, key, nearest):
    file = tmp_path / "file"
    file.write_text(f"# settings\n\n{key} = 1\n")
    said = misuse(command, "--data", tmp_path / "data", "--config", file)
    assert f"{file}, line 3" in said and f'"{key}"' in said and f'"{nearest}"' in said, said
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("text, line", [
    ("data\n", 1), ("account = a\nnonsense\n", 2), ("[server]\naccount = a\n", 1),
    ("account = a\naccount = b\n", 2), ("account = a\n = b\n", 2), ("account =\n", 1),
    ("config = other\n", 1)])
def test_a_file_with_a_wrong_line(tmp_path, text, line):
    file = tmp_path / "file"
    file.write_text(text)
    said = misuse("init", "--data", tmp_path / "data", "--config", file)
    assert f"{file}, line {line}" in said, said
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n; nothing\n", "account=acme",
                                  "  account   =   acme  \r\n", "\ufeffaccount = acme\n",
                                  "account: acme\n"])
def test_a_file_in_its_other_forms(tmp_path, text):
    (tmp_path / "file").write_text(text, encoding="utf-8", newline="")
    succeed("init", "--data", tmp_path / "data", "--config", tmp_path / "file")
    assert rows(tmp_path / "data", "SELECT name FROM account") == [
        ("acme" if "acme" in text else "main",)]


def test_a_file_that_is_not_there(tmp_path):
    said = misuse("init", "--data", tmp_path / "data", "--config", tmp_path / "file")
    assert "--config" in said and str(tmp_path / "file") in said
    said = misuse("init", "--data", tmp_path / "data", env={"DOCKET_CONFIG": tmp_path / "file"})
    assert "DOCKET_CONFIG" in said
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_a_folder(tmp_path):
    (tmp_path / "file").mkdir()
    said = misuse("init", "--data", tmp_path / "data", "--config", tmp_path / "file")
    assert "--config" in said and str(tmp_path / "file") in said
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.slow
def test_a_long_value_in_the_file_is_not_cut(tmp_path):
    """A truncated value would be another value."""
    email = "a" * 230 + "@example.com"
    file = write(tmp_path / "file", email=email)
    done = run("init", "--data", tmp_path / "data", "--config", file)
    assert done.returncode == 0, done
    assert rows(tmp_path / "data", "SELECT email FROM staff") == [(email,)]
    name = "n" * 100
    folder = "/".join([str(tmp_path), name, name, name])
    os.makedirs(folder)
    done = run("init", "--config", write(tmp_path / "file", data=folder + "/data"))
    assert done.returncode == 0, done
    assert "docket.db" in os.listdir(folder + "/data")


def test_a_line_that_is_far_too_long_is_refused(tmp_path):
    """docket never takes a part of such a line for a value."""
    file = write(tmp_path / "file", account="a", email="a" * 5000 + "@example.com")
    said = misuse("init", "--data", tmp_path / "data", "--config", file)
    assert str(file) in said
    assert not (tmp_path / "data").exists()


def test_a_failure_is_not_a_wrong_use(tmp_path):
    """Scripts distinguish the exit status 1 from 2."""
    fails("demo", "--data", tmp_path / "missing")
    misuse("demo", "--data", tmp_path / "missing", "--tasks", "x")


@pytest.mark.parametrize("place", ["host=127.0.0.1 dbname=docket password=geheim", "dbname=docket",
                                   "mysql://docket:geheim@db/docket", "Postgresql:///docket"])
def test_a_database_is_named_by_its_url(tmp_path, monkeypatch, place):
    """Every command recognizes a URL in the same way, and does not take it for a folder's name."""
    monkeypatch.chdir(tmp_path)
    config = write(tmp_path / "conf", database=place)
    for said in (misuse("token", "list", "--database", place),
                 misuse("serve", env={"DOCKET_DATABASE": place}),
                 misuse("check", "--config", config),
                 misuse("move", "--from", "none", "--to", place),
                 misuse("move", "--from", place, "--to", "none")):
        assert "postgresql://" in said and "geheim" not in said, said
    assert [path.name for path in tmp_path.iterdir()] == ["conf"]
    assert "there is no database in ./a=b" in fails("move", "--from", "./a=b", "--to", "none")
