"""Mail servers: a good one, by aiosmtpd, and one that answers as a test says."""
import collections
import contextlib
import email
import email.policy
import ssl
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from ports import free_port
from relay import Relay

FROM = "docket@example.com"

Message = collections.namedtuple("Message", "sender recipients content at session")


def parsed(content):
    """A message as a mail program reads it. It has no defects."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert not message.defects, message.defects
    for part in message.walk():
        assert not part.defects, part.defects
    return message


class Handler:
    """Records what aiosmtpd accepts. `answer(stage, session, envelope, argument)` may give another answer
    than 250, at the stages "RCPT" and "DATA"."""

    def __init__(self, answer=None):
        self.messages, self.sessions, self.answer = [], [], answer

    async def handle_RCPT(self, server, session, envelope, address, options):
        said = self.answer and self.answer("RCPT", session, envelope, address)
        if said:
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if session not in self.sessions:
            self.sessions.append(session)
        said = self.answer and self.answer("DATA", session, envelope, envelope.content)
        if said:
            return said
        self.messages.append(Message(envelope.mail_from, tuple(envelope.rcpt_tos), envelope.content,
                                     time.time(), session))
        return f"250 2.0.0 queued as {len(self.messages)}"


class MailServer:
    """A server that accepts mail on this machine. With `tls`, a certificate and its key, it offers STARTTLS
    and wants it; with `login`, a name and a password, it wants these."""

    def __init__(self, tls=None, login=None, implicit=False, port=0, answer=None):
        self.handler = Handler(answer)
        context = None
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*map(str, tls))
        options = {"tls_context": context, "require_starttls": bool(tls)} if not implicit else {}

        def authenticate(server, session, envelope, mechanism, data):
            given = (data.login.decode(), data.password.decode())
            return AuthResult(success=given == login, handled=False)

        if login:
            options.update(authenticator=authenticate, auth_required=True,
                           auth_require_tls=not implicit)
        # The Controller connects to its port, so it cannot take port 0.
        self.controller = Controller(self.handler, hostname="127.0.0.1", port=port or free_port(),
                                     ssl_context=context if implicit else None, ready_timeout=30,
                                     **options)
        self.controller.start()
        self.port = self.controller.port

    @property
    def messages(self):
        return self.handler.messages

    @property
    def sessions(self):
        return self.handler.sessions

    def stop(self):
        self.controller.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


CLOSE, STALL = object(), object()


class Scripted(Relay):
    """A server that answers by a table: `answers` has another answer to a command than the usual one, or
    to the greeting and to "." at the end of a message. An answer is bytes; CLOSE; STALL; or a function that
    answers on the socket, and may close() it. `seen` has the commands of each connection, `latest` its
    last message."""

    USUAL = {"greeting": b"220 mail.example.com\r\n", "EHLO": b"250 mail.example.com\r\n",
             "HELO": b"250 mail.example.com\r\n", "MAIL": b"250 2.1.0 Ok\r\n",
             "RCPT": b"250 2.1.5 Ok\r\n", "DATA": b"354 go on\r\n", ".": b"250 2.0.0 queued\r\n",
             "QUIT": b"221 bye\r\n"}

    def __init__(self, **answers):
        self.answers = {**self.USUAL, **answers}
        self.answers["."] = answers.pop("end", self.answers["."])
        self.seen, self.messages, self.latest, self.ended = [], [], {}, threading.Event()
        super().__init__()

    def serve(self, client):
        self.seen.append([])
        self.begin(self.talk, client, self.seen[-1])

    def say(self, client, stage):
        """False: the connection is over."""
        answer = self.answers.get(stage, b"500 5.5.1 what?\r\n")
        if answer is STALL:
            self.ended.wait(600)
        elif answer is not CLOSE and callable(answer):
            answer(client)
            return True
        elif answer is not CLOSE:
            client.sendall(answer)
            return stage != "QUIT"
        return False

    def talk(self, client, seen):
        with contextlib.closing(client), client.makefile("rb") as lines:
            if not self.say(client, "greeting"):
                return
            for line in lines:
                seen.append(line.decode("latin-1").rstrip("\r\n"))
                verb = seen[-1].split(" ")[0].upper()
                if not self.say(client, verb):
                    return
                if verb == "DATA" and self.answers["DATA"].startswith(b"354"):
                    message = []
                    for data in iter(lines.readline, b".\r\n"):
                        if not data:
                            return  # half sent, by a process that ended
                        message.append(data)
                    self.latest[client] = b"".join(message)
                    self.messages.append(self.latest[client])
                    if not self.say(client, "."):
                        return

    def stop(self):
        self.ended.set()
        super().stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
