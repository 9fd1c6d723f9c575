"""The commands of administration while docket serves the folder: they go through docket.sock, which
only the owner can use. test_control_kill.py tests kills."""
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import stat
import threading

import pytest
import requests

import test_admin_accounts as accounts
import test_admin_staff as staff
import test_admin_tokens as tokens
from admin import LOG, TIME, TOKEN, Pair, check_sound, docket, dump, listed
from commands import fails, mode
from control import SOCKET, ask, connected, say
from harness import TASKS, problem, run, shown, task
from together import at_once, beside
from wire import of_requests

HASH = "5a" * 32


# The socket

@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_socket_is_its_owners_and_goes_with_the_server(make_server, how):
    server = make_server(preexec=lambda: os.umask(0))
    found = (server.data / SOCKET).lstat()
    assert stat.S_ISSOCK(found.st_mode) and mode(server.data / SOCKET) == 0o600
    server.stop(how)
    assert not (server.data / SOCKET).exists()


@pytest.mark.slow
def test_the_socket_of_a_killed_server_does_no_harm(make_server):
    server = make_server()
    server.kill()
    assert (server.data / SOCKET).exists()
    # If nobody serves the folder, the command opens it itself.
    docket(server.data, "token add", "one")
    assert (server.data / SOCKET).exists()
    with pytest.raises(ConnectionRefusedError), connected(server.data):
        pass
    server.start()
    docket(server.data, "token add", "two")
    assert mode(server.data / SOCKET) == 0o600
    server.stop()
    assert not (server.data / SOCKET).exists()
    assert {"one", "two"} <= {row["label"] for row in listed(server.data, "token list")}


def test_a_folder_of_a_long_path(tmp_path, base_of_two):
    """The path of the socket is longer than the 107 bytes that its address can have."""
    folder = tmp_path.joinpath(*["n" * 100] * 3, "data")
    folder.parent.mkdir(parents=True)
    shutil.copytree(base_of_two[0], folder)
    pair = Pair(folder, base_of_two[1], tmp_path / "log")
    pair.tokens["third"] = pair.do("account add", "third").strip()
    assert pair.ask("third").json == []
    assert mode(folder / SOCKET) == 0o600
    pair.server.stop()
    assert not (folder / SOCKET).exists()


def test_a_folder_by_another_path(pair, tmp_path):
    (tmp_path / "link").symlink_to(pair.folder)
    docket(tmp_path / "link", "token add", "by a link", "--account", "first")
    docket(f"{pair.folder}/../{pair.folder.name}/", "token revoke", "by a link", "--account",
           "first")


# Commands have the same outcome with and without a server

GOOD = [
    ["account", "list"], ["account", "list", "--json"], ["account", "add", "third"],
    ["account", "add", "fourth", "--username", "\u00fcber", "--email", "a@example.com"],
    ["account", "set", "third", "--country", "DE", "--expand", "case,users", "--alert-hour",
     "09:00", "--time-zone", "Europe/Berlin", "--require-case", "no"],
    ["staff", "list"], ["staff", "add", "fourth", "--first-name", "Zo\u00eb \"\\\u6f22"],
    ["staff", "add", "fifth", "--access", "limited"], ["staff", "set", "fourth", "--access",
                                                       "disabled", "--email", "d@example.com"],
    ["staff", "list"], ["staff", "list", "--json"], ["token", "add", "ci", "--read-only",
                                                     "--lenient", "--expires", "2100-01-01"],
    ["token", "add", "nightly \u6f22"], ["token", "revoke", "ci"], ["token", "list"],
    ["token", "list", "--json"], ["account", "remove", "fourth", "--yes"],
    ["account", "list", "--json"], ["staff", "list", "--account", "third"],
]
BAD = [*accounts.WRONG, *accounts.FAILING, *staff.WRONG, *tokens.WRONG,
       (["staff", "add", "second"], ""), (["staff", "set", "nobody", "--access", "full"], ""),
       (["staff", "set", "admin", "--access", "limited"], ""),
       (["token", "add", "made by docket init"], ""), (["token", "revoke", "nothing"], ""),
       (["token", "list", "--account", "third"], ""), (["staff", "list", "--account", "x y"], ""),
       (["account", "list", "--json=1"], ""), (["token", "list", "more"], "")]
ENVIRONMENTS = [(["account", "set", "first"], {"DOCKET_COUNTRY": "XX", "DOCKET_ALERT_HOUR": "x"}),
                (["account", "set", "first"], {"DOCKET_REQUIRE_CASE": "maybe"}),
                (["staff", "add", "x"], {"DOCKET_ACCESS": "x", "DOCKET_EMAIL": "y"}),
                (["token", "add", "x"], {"DOCKET_EXPIRES": "x", "DOCKET_ACCOUNT": "first"})]


def plain(done):
    """The outcome without the parts that differ from run to run."""
    return done.returncode, *(TIME.sub("TIME", TOKEN.sub("TOKEN", text))
                              for text in (done.stdout, done.stderr))


def both(folders, words, env=None):
    first, second = (run(*words, "--data", folder, env={"DOCKET_ACCOUNT": "first", **(env or {})})
                     for folder in folders)
    # Text that is not UTF-8 cannot be sent over the socket. Otherwise the outcome is the same.
    if not any("\udcff" in word for word in words):
        assert plain(first) == plain(second)
    assert first.returncode and second.returncode or not first.returncode + second.returncode
    return first


@pytest.mark.slow
def test_what_a_command_says_and_does(two, tmp_path, base_of_two):
    served = tmp_path / "served"
    shutil.copytree(two, served)
    pair = Pair(served, base_of_two[1], tmp_path / "log")
    for words in GOOD:
        assert both((two, served), words).returncode == 0, words
    pair.server.stop()
    hidden = re.compile(r"\b1[789]\d{8}\b|b'(?:[^'\\]|\\.)*'|b\"(?:[^\"\\]|\\.)*\"|" + TIME.pattern)
    for account in (1, 2, 3, 4):
        seen = [{table: sorted(hidden.sub("", repr(row)) for row in rows)
                 for table, rows in dump(folder, account).items()} for folder in (two, served)]
        assert seen[0] == seen[1]
    check_sound(served)


@pytest.mark.slow
def test_what_a_refused_command_says(two, pair):
    before = dump(two), dump(pair.folder, used=False)
    for words, _ in BAD:
        assert both((two, pair.folder), [str(word) for word in words]).returncode in (1, 2), words
    for words, env in ENVIRONMENTS:
        done = both((two, pair.folder), words, env)
        assert done.returncode == 2 and "DOCKET_" in done.stderr and "--" not in done.stderr
    assert before == (dump(two), dump(pair.folder, used=False))


@pytest.mark.slow
def test_a_file_names_what_is_wrong_in_it(two, pair, tmp_path):
    (tmp_path / "file").write_text("country = XX\n")
    done = both((two, pair.folder), ["account", "set", "first", "--config",
                                     str(tmp_path / "file")])
    assert done.returncode == 2 and f"{tmp_path / 'file'}: country " in done.stderr


@pytest.mark.parametrize("words", [
    ["demo"], ["demo", "--account", "first", "--tasks", "1"], ["serve", "--listen", "127.0.0.1:0"],
    ["serve", "--listen", "127.0.0.1:0", "--base-domain", "example.test"], ["init"]])
def test_what_needs_a_folder_of_its_own(pair, words, tmp_path):
    before = dump(pair.folder)
    file = ["--token-file", tmp_path / "token"] if words == ["init"] else []
    said = fails(*words, *file, "--data", pair.folder)
    assert said.count("\n") == 1 and str(pair.folder) in said
    assert "in use by another docket process" in said or "already has a database" in said
    assert not (tmp_path / "token").exists()
    assert dump(pair.folder) == before
    assert pair.ask("first").status == 200
    assert pair.do("account list") and (pair.folder / SOCKET).exists()


@pytest.mark.slow
def test_no_second_account_without_a_base_domain(make_server, tmp_path):
    """Clients could not reach the account, and the next start would fail."""
    server = make_server()
    before = dump(server.data, used=False)
    said = fails("account", "add", "second", "--data", server.data, "--token-file",
                 tmp_path / "token")
    assert said.count("\n") == 1 and "--base-domain" in said
    assert not (tmp_path / "token").exists()
    assert dump(server.data, used=False) == before
    docket(server.data, "staff add", "fourth")
    server.stop()
    server.start()
    assert server.create()["id"] == 1


# Commands at the same time

@pytest.mark.slow
def test_a_token_works_at_once_and_a_revoked_one_never_more(pair):
    for turn in range(20):
        account = ("first", "second")[turn % 2]
        token = pair.do("token add", f"turn {turn}", "--account", account).strip()
        assert pair.ask(account, token=token).status == 200
        pair.do("token revoke", f"turn {turn}", "--account", account)
        problem(pair.ask(account, token=token), 401)


def test_an_account_works_at_once(pair):
    for turn in range(3):
        pair.tokens["new"] = pair.do("account add", "new").strip()
        assert pair.ask("new").json == []
        pair.do("account remove", "new", "--yes")
        problem(pair.ask("new"), 401)


@pytest.mark.parametrize("served", [True, False])
@pytest.mark.slow
def test_many_commands_at_once(two, base_of_two, tmp_path, served):
    """Each command has its turn, over a server as well as by the lock of the folder."""
    pair = Pair(two, base_of_two[1], tmp_path / "log") if served else None
    words = [*[["token", "add", f"t{number}"] for number in range(16 if served else 4)],
             *[["staff", "add", f"s{number}"] for number in range(4 if served else 2)]]
    ended = at_once(lambda command: run(*command, "--data", two, "--account", "first"), words)
    done = {command[2]: one for command, one in zip(words, ended)}
    assert [one for one in done.values() if one.returncode] == []
    made = {label: one.stdout.strip() for label, one in done.items() if label.startswith("t")}
    assert all(TOKEN.fullmatch(token) for token in made.values())
    assert len(set(made.values())) == len(made)
    labels = {row["label"] for row in listed(two, "token list", "--account", "first")}
    assert labels == {"made by docket init", *made}
    people = [row["username"] for row in listed(two, "staff list", "--account", "first")]
    assert sorted(people[3:]) == sorted(set(done) - set(made))
    if served:
        for token in made.values():
            assert pair.ask("first", token=token).status == 200
        pair.server.stop()
    check_sound(two)


@pytest.mark.slow
def test_requests_go_on_beside_commands(pair):
    """Creates in both accounts, and commands that write in between: no change number is missing."""
    made = []

    def create(_, stop):
        server = pair.server
        with requests.Session() as session:
            while not stop.is_set():
                reply = session.post(
                    f"http://{server.host}:{server.port}{TASKS}", json=task(),
                    headers={"Host": "second.example.test"},
                    auth=("admin/token", pair.tokens["second"]), timeout=60)
                assert shown("POST", TASKS, of_requests(reply)).status == 201, reply.text
                made.append(reply.json()["id"])

    with beside(create):
        for turn in range(15):
            pair.do("staff add", f"beside {turn}", "--account", "second")
            pair.do("account set", "second", "--country", ("DE", "US")[turn % 2])
    pair.do("account set", "second", "--country", "US")
    assert made and made == list(range(made[0], made[0] + len(made)))
    changes = [row[1] for row in dump(pair.folder, 2)["history"]]
    assert sorted(changes) == list(range(1, len(changes) + 1))


# Raw messages over the socket

def command(**parts):
    return {"command": "token add", "argument": "raw", "settings": {"account": "first"},
            "token_hash": HASH, **parts}


def line(value):
    return json.dumps(value).encode() + b"\n"


WITHOUT_ANSWER = {
    "nothing": b"", "half a line": line(command())[:-10], "a whole one without its end":
    line(command())[:-1], "a megabyte without an end": b"x" * 1048576,
    "a megabyte": b"x" * 1048576 + b"\n", "a long label": line(command(argument="x" * 1048576))}
REFUSED = {
    "an empty line": b"\n", "blanks": b"  \n", "garbage": b"GET / HTTP/1.1\r\n\r\n",
    "NULs": b"\0" * 100 + b"\n", "not UTF-8": b'{"command":"\xff"}\n', "a brace": b"{\n",
    "deep": b"[" * 50000 + b"\n", "two at once": line(command()) * 2, "null": b"null\n",
    "a list": b"[]\n", "a text": b'"token add"\n', "nothing said": b"{}\n",
    "a key twice": b'{"command":"account list","command":"account list","settings":{}}\n',
    "more behind it": line(command())[:-1] + b" x\n",
    **{f"{key}={json.dumps(value)}": line(command(**{key: value})) for key, values in {
        "command": [None, 5, ["token add"], {}, "", "token", "token  add", "Token add", "serve",
                    "demo", "init", "token add\n", "x" * 1000],
        "argument": [None, 5, [], {}, True],
        "settings": [None, 5, [], "x", {"account": 5}, {"account": None}, {"account": ["first"]},
                     {"account": ""}, {"account": "third"}, {"nonsense": "1"}, {"country": "DE"},
                     {"yes": "yes"}, {"read-only": "maybe"}, {"expires": "x"}, {"": "x"},
                     {"account": "first", "tasks": "1"}],
        "token_hash": [None, 5, "", "5a", HASH[:-1], HASH + "5a", "xy" * 32, [HASH], "5a " * 32],
    }.items() for value in values},
    **{f"{missing} missing": line({key: value for key, value in command().items()
                                   if key != missing}) for missing in command()},
    "an argument too many": line(command(command="account list", settings={})),
    "NUL in a label": b'{"command":"token add","argument":"a\\u0000b","settings":{"account":"first"'
                      b'},"token_hash":"' + HASH.encode() + b'"}\n',
    "a removal that is not meant": line({"command": "account remove", "argument": "first",
                                         "settings": {"yes": "no"}}),
}


def check_serves(pair, before):
    assert dump(pair.folder, used=False) == before
    assert pair.ask("first").status == 200
    answer = ask(pair.folder, {"command": "token list", "settings": {"account": "first"}})
    assert answer["status"] == 0 and answer["err"] == "", answer


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_is_no_command_is_refused(pair, data):
    before = dump(pair.folder, used=False)
    said = say(pair.folder, data)
    answer = json.loads(said)
    assert answer["status"] in (1, 2) and answer["out"] == "" and answer["err"], said
    assert re.fullmatch(r"docket[^\n]*: [^\n]+\n", answer["err"]), said
    check_serves(pair, before)


@pytest.mark.parametrize("data", WITHOUT_ANSWER.values(), ids=WITHOUT_ANSWER)
def test_what_is_no_line_has_no_answer(pair, data):
    before = dump(pair.folder, used=False)
    assert say(pair.folder, data) == b""
    check_serves(pair, before)


def test_the_words_of_the_program_itself(pair):
    """Checks that the helper of the tests above can carry out a correct command."""
    answer = ask(pair.folder, command())
    assert answer == {"status": 0, "out": "", "err": 'made the token "raw": its scopes are all:write, '
                                                     'and it never expires\n'}
    assert ask(pair.folder, command())["status"] == 1
    answer = ask(pair.folder, {"command": "token revoke", "argument": "raw",
                               "settings": {"account": "first"}})
    assert answer["status"] == 0


def test_clients_that_go_away(pair):
    """Clients that disconnect at any byte, with and without waiting for the answer: complete
    commands are carried out, others are not."""
    data, before = line(command(argument="gone")), dump(pair.folder, used=False)
    for cut in itertools.chain(range(0, len(data) - 1, 7), [len(data) - 1]):
        with connected(pair.folder) as wire:
            wire.sendall(data[:cut])
    check_serves(pair, before)
    for _ in range(20):
        with connected(pair.folder) as wire:
            wire.sendall(data)
    listing = ask(pair.folder, {"command": "token list", "settings": {"account": "first"}})
    assert listing["out"].count("gone") == 1
    pair.do("token revoke", "gone", "--account", "first")
    after = dump(pair.folder, used=False)
    check_serves(pair, {**before, **{table: after[table] for table in LOG}})


@pytest.mark.slow
def test_a_client_that_is_slow_holds_nobody_up_for_ever(two, base_of_two, tmp_path):
    """A client that sends a byte now and then, and one that sends nothing: other commands still
    have their turn, and the server still ends."""
    pair = Pair(two, base_of_two[1], tmp_path / "log")
    stop = threading.Event()

    def drip(wire):
        with contextlib.suppress(OSError):
            while not stop.wait(0.05):
                wire.sendall(b" ")

    with connected(two) as first, connected(two) as second:
        threads = [threading.Thread(target=drip, args=(wire,)) for wire in (first, second)]
        threads[0].start()
        pair.do("account list")
        threads[1].start()
        try:
            pair.server.stop()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    check_sound(two)


def test_a_command_whose_answer_nobody_reads(pair):
    """The output is longer than the socket's buffer: other commands still have their turn."""
    for number in range(3):
        with connected(pair.folder) as wire:
            wire.sendall(line({"command": "staff list", "settings": {"account": "first"}}))
            pair.do("token list", "--account", "first")
    pair.do("account list")
