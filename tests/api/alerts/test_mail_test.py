"""docket mail test: the servers that it talks to, those that it does not trust, and their answers."""
import itertools
import os
import resource
import signal
import stat
import time

import pytest

from ca import CA
from commands import misuse
from harness import run, succeed
from mail import CLOSE, FROM, STALL, MailServer, Scripted, parsed
from ports import free_port
from together import until

TO = "ann@example.com"
# libcurl takes this name for 127.0.0.1; docket takes it for another machine.
REMOTE = "mail.localhost"


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return CA(tmp_path_factory.mktemp("mail") / "ca")


@pytest.fixture(scope="module")
def certificate(ca):
    return ca.make("mail", REMOTE)


def mail_test(url, *options, to=TO, how=run, **more):
    return how("mail", "test", to, "--smtp-url", url, "--mail-from", FROM, *options, **more)


def refused(done):
    """What the command says of a message that was not sent."""
    assert done.returncode == 1 and done.stdout == "", done
    name, _, said = done.stderr.strip().partition("docket mail test: ")
    assert name == "" and "\n" not in said and said.isascii() and said.isprintable(), done
    return said


# Good servers

def test_a_server_on_this_machine():
    with MailServer() as server:
        done = mail_test(f"smtp://127.0.0.1:{server.port}", how=succeed)
        assert done.stdout == "accepted: 250 2.0.0 queued as 1\n" and done.stderr == ""
        message, = server.messages
    assert (message.sender, message.recipients) == (FROM, (TO,))
    mail = parsed(message.content)
    assert (mail["From"], mail["To"]) == (FROM, TO)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].startswith("<test.") and mail["Message-ID"].endswith("@example.com>")
    assert abs(mail["Date"].datetime.timestamp() - message.at) < 60
    assert mail["Subject"] == "A test of docket's mail"
    assert mail.get_content().startswith('This message was sent by "docket mail test".\r\n')


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LocalHost"])
def test_no_starttls_on_this_machine(host):
    """Its certificate would be of a name that nobody can check."""
    with Scripted(EHLO=b"250-mail\r\n250 STARTTLS\r\n") as server:
        mail_test(f"smtp://{host}:{server.port}", how=succeed)
        until(lambda: [line.split(" ")[0] for line in server.seen[0]] ==
              ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"], what="other commands")


def test_the_name_of_docket_and_a_domain_beyond_ascii():
    """In EHLO docket has the domain of --mail-from."""
    with Scripted() as server:
        mail_test(f"smtp://localhost:{server.port}", to="ann@Bücher.example", how=succeed)
        assert server.seen[0][:3] == ["EHLO example.com", f"MAIL FROM:<{FROM}>",
                                      "RCPT TO:<ann@xn--bcher-kva.example>"]
        assert parsed(server.messages[0])["To"] == "ann@xn--bcher-kva.example"


@pytest.mark.parametrize("implicit", [False, True])
def test_tls_to_another_machine(ca, certificate, implicit):
    with MailServer(tls=certificate, implicit=implicit) as server:
        url = f"{'smtps' if implicit else 'smtp'}://{REMOTE}:{server.port}"
        mail_test(url, "--smtp-ca", ca.certificate, how=succeed)
        assert len(server.messages) == 1
        assert "certificate" in refused(mail_test(url))
        assert len(server.messages) == 1


def test_a_login(ca, certificate, tmp_path):
    (tmp_path / "password").write_text("s3cret pässword\nmore\n")
    login = ["--smtp-ca", ca.certificate, "--smtp-username", "ann@example.com"]
    with MailServer(tls=certificate, login=("ann@example.com", "s3cret pässword")) as server:
        url = f"smtp://{REMOTE}:{server.port}"
        mail_test(url, *login, "--smtp-password-file", tmp_path / "password", how=succeed)
        mail_test(url, *login, env={"DOCKET_SMTP_PASSWORD": "s3cret pässword"}, how=succeed)
        assert len(server.messages) == 2
        said = refused(mail_test(url, *login, env={"DOCKET_SMTP_PASSWORD": "wrong-word"}))
        assert said.startswith("not sent: 535 ") and "wrong-word" not in said
        said = refused(mail_test(url, "--smtp-ca", ca.certificate))
        assert said.startswith("not sent: 530 "), said
        assert len(server.messages) == 2


# Servers that it does not trust

def test_a_server_without_tls_on_another_machine():
    with MailServer() as server:
        said = refused(mail_test(f"smtp://{REMOTE}:{server.port}"))
        assert "STARTTLS" in said and server.messages == []


def test_a_stripped_starttls(ca):
    """Between docket and the server somebody removes STARTTLS, or refuses it."""
    login = ["--smtp-ca", ca.certificate, "--smtp-username", "ann"]
    env = {"DOCKET_SMTP_PASSWORD": "s3cret"}
    for answers in ({"EHLO": b"250-mail\r\n250 AUTH PLAIN LOGIN\r\n"},
                    {"EHLO": b"250-mail\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n",
                     "STARTTLS": b"454 4.7.0 not now\r\n"}):
        with Scripted(**answers) as server:
            refused(mail_test(f"smtp://{REMOTE}:{server.port}", *login, env=env))
            verbs = {line.split(" ")[0] for line in itertools.chain(*server.seen)}
            assert verbs <= {"EHLO", "STARTTLS", "QUIT"}, server.seen


def test_answers_before_tls_do_not_count(ca):
    """What follows the answer to STARTTLS in plain text is not an answer within TLS."""
    with Scripted(EHLO=b"250-mail\r\n250 STARTTLS\r\n",
                  STARTTLS=b"220 go\r\n250-mail\r\n250 AUTH PLAIN\r\n") as server:
        refused(mail_test(f"smtp://{REMOTE}:{server.port}", "--smtp-ca", ca.certificate,
                          "--smtp-timeout", 5))
        assert not any(line.startswith(("AUTH", "MAIL")) for line in itertools.chain(*server.seen))


@pytest.mark.parametrize("names, ago", [(["mail.example.com"], 0), ([REMOTE], 60)])
def test_a_wrong_certificate(ca, names, ago):
    with MailServer(tls=ca.make(f"wrong-{ago}", *names, ago=ago)) as server:
        said = refused(mail_test(f"smtp://{REMOTE}:{server.port}", "--smtp-ca", ca.certificate))
        assert "certificate" in said and server.messages == []


# Answers

def flood(data):
    def send(client):
        while True:
            client.sendall(data * 4096)
    return send


@pytest.mark.parametrize("stage, answer, said", [
    ("RCPT", b"550 5.1.1 no such user\r\n", "refused: 550 5.1.1 no such user"),
    ("RCPT", b"450-4.7.1 greylisted\r\n450 4.7.1 come back\r\n",
     "not sent: 450 4.7.1 greylisted 4.7.1 come back"),
    ("MAIL", b"421 4.3.2 closing\r\n", "not sent: 421 4.3.2 closing"),
    ("MAIL", b"552 5.3.4 too large\r\n", "refused: 552 5.3.4 too large"),
    ("DATA", b"451 4.3.0 no\r\n", "not sent: 451 4.3.0 no"),
    ("DATA", b"554 5.5.1 no\r\n", "refused: 554 5.5.1 no"),
    ("end", b"452 4.3.1 disk full\r\n", "not sent: 452 4.3.1 disk full"),
    ("end", b"554 5.7.1 spam\r\n", "refused: 554 5.7.1 spam"),
    ("greeting", b"554 5.3.2 no service\r\n", "not sent: 554 5.3.2 no service"),
    ("greeting", b"SSH-2.0-x\r\n", None),
    ("EHLO", CLOSE, None),
    ("MAIL", CLOSE, None),
    ("DATA", CLOSE, None),
    ("end", CLOSE, "perhaps sent: "),
    ("end", b"garbage\r\n", "perhaps sent: "),
    ("end", b"999 what\r\n", "perhaps sent: "),
    ("end", STALL, "perhaps sent: "),
    ("greeting", STALL, "not sent: "),
    ("RCPT", STALL, "not sent: "),
    ("RCPT", b"550 no\0such\x1b[31m user \xff\r\n", None),
    ("RCPT", b"550 " + b"x" * 5000 + b"\r\n", "refused: 550 xxxx"),
    ("RCPT", flood(b"250-more\r\n"), "not sent: "),
    ("EHLO", flood(b"250-more\r\n"), "not sent: "),
    ("greeting", flood(b"220 more\r\n"), None),
    ("greeting", flood(b"x"), "not sent: "),
    ("MAIL", flood(b"\0"), "not sent: "),
    ("end", flood(b"250-"), "perhaps sent: "),
], ids=itertools.count())
@pytest.mark.slow
def test_an_answer(stage, answer, said):
    began = time.monotonic()
    with Scripted(**{stage: answer}) as server:
        got = refused(mail_test(f"smtp://127.0.0.1:{server.port}", "--smtp-timeout", 3))
    assert len(got) < 600
    assert got.startswith(said or ("not sent: ", "refused: ")), got
    assert time.monotonic() - began < 60


def test_nobody_listens():
    assert refused(mail_test(f"smtp://127.0.0.1:{free_port()}")).startswith("not sent: ")


# Wrong use

@pytest.mark.parametrize("to", ["", "ann", "@", "a@", "@b", "a@b@c", "a b@c", "a@b>", "<a@b", "a,b@c",
                                "a@b\r\nRCPT TO:<c@d>", "a@b\nBcc: c@d", "a\0@b"[:1] + "\x7f@b",
                                '"a"@b', "a@b;c", "a@" + "b" * 253])
def test_an_address_that_is_none(to):
    with Scripted() as server:
        said = misuse("mail", "test", to, "--smtp-url", f"smtp://127.0.0.1:{server.port}",
                      "--mail-from", FROM)
        assert "ADDRESS" in said and server.seen == []


@pytest.mark.parametrize("url", ["mail.example.com", "http://mail.example.com", "smtp://", "smtp:25",
                                 "smtp://ann:s3cret@mail.example.com", "smtp://mail.example.com/path",
                                 "smtp://mail.example.com?s3cret", "file:/there/is/none", "smtp://a:99999",
                                 "smtp://a b"])
def test_a_url_that_is_none(url):
    said = misuse("mail", "test", TO, "--smtp-url", url, "--mail-from", FROM)
    assert "--smtp-url must " in said and "s3cret" not in said


@pytest.mark.parametrize("options, env, named", [
    (["--mail-from", "nobody"], {}, "--mail-from"),
    (["--mail-from", "docket@bücher.example"], {}, "--mail-from must be an ASCII address"),
    (["--smtp-username", "ann"], {}, "--smtp-username"),
    ([], {"DOCKET_SMTP_PASSWORD": "s3cret"}, "DOCKET_SMTP_PASSWORD needs --smtp-username"),
    (["--smtp-username", "ann", "--smtp-password-file", "/there/is/none"], {}, "--smtp-password-file"),
    (["--smtp-username", "ann", "--smtp-password-file", "/dev/null"], {}, "--smtp-password-file"),
    (["--smtp-username", "ann", "--smtp-password-file", "/dev/zero"], {}, "--smtp-password-file"),
    (["--smtp-username", "ann", "--smtp-password-file", "/dev/null"], {"DOCKET_SMTP_PASSWORD": "s3cret"},
     "give only one"),
    (["--smtp-password", "s3cret"], {}, "--smtp-password is not a known option"),
    (["--smtp-ca", "/there/is/none"], {}, "--smtp-ca"),
    (["--smtp-timeout", "0"], {}, "--smtp-timeout"),
])
def test_wrong_settings(options, env, named):
    said = misuse("mail", "test", TO, "--smtp-url", "smtp://127.0.0.1:1", "--mail-from", FROM, *options,
                  env=env)
    assert named in said and "s3cret" not in said


# A folder

def test_a_folder(tmp_path):
    done = mail_test(f"file:{tmp_path}", how=succeed)
    assert done.stdout == "accepted: written into a file\n"
    name, = os.listdir(tmp_path)
    mail = parsed((tmp_path / name).read_bytes())
    assert name == mail["Message-ID"].strip("<>") + ".eml" and mail["To"] == TO
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_no_room_in_the_folder(tmp_path):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    done = mail_test(f"file:{tmp_path}", preexec_fn=limit)
    assert refused(done) == "not sent: cannot write into the folder: File too large"
    assert os.listdir(tmp_path) == []
