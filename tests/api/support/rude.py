"""Clients that do not behave: they go away in the middle, read slowly, guess tokens, or only hold
connections."""
import contextlib
import os
import socket

from harness import JSON, TASKS, basic
from traffic import Answer, Client
from wire import Wire, message, new_source

HELD = 150      # connections of an idle client
READERS = 6     # answers that a slow reader takes at the same time
PART, SLOW_S = 4096, 0.05  # bytes that it takes at once, and its pause
WINDOW = 128 * 1024        # of TCP; with less than a packet of the loopback the system would wait for timers
GUESSERS = [new_source() for _ in range(4)]  # docket limits wrong tokens by address


class Rude(Client):
    """Sends half a request, or leaves before it has the answer."""

    MIX = {"half_a_body": 8, "half_a_head": 2, "leave_a_list": 6, "guess": 4, "noise": 2,
           "create_without_waiting": 2, "patch_without_waiting": 1, "create": 3, "expect": 2}

    def leave(self, data):
        """Sends something and goes away, at once or later."""
        with self.new_wire() as wire:
            if self.pick.random() < 0.5:
                wire.reset()
            wire.offer(data)
            self.stop.wait(self.pick.choice([0, 0.02, 0.3]))

    def half_a_body(self):
        data = self.message("POST", TASKS, {"task": self.new(self.pick.choice([0, 5000, 60_000]))},
                            chunks=self.pick.random() < 0.3)
        body = data.index(b"\r\n\r\n") + 4
        self.leave(data[:self.pick.randrange(body, len(data))])

    def expect(self):
        """Waits until it may send a body, and sends none."""
        with self.new_wire() as wire:
            wire.send(message("POST", TASKS, headers={**self.access, **JSON, "Content-Length": "900000",
                                                      "Expect": "100-continue"}))
            status = wire.reply().status
            assert status in (100, 429, 503), status
            self.counts[self.operation, status] += 1

    def half_a_head(self):
        data = self.message("GET", TASKS)
        self.leave(data[:self.pick.randrange(1, len(data) - 1)])

    def noise(self):
        self.leave(os.urandom(self.pick.randrange(1, 5000)))

    def leave_a_list(self):
        with self.new_wire() as wire:
            answer = Answer(wire, self.message("GET", self.query(500)))
            for _ in range(self.pick.randrange(10)):
                answer.take(30_000)
            self.counts[self.operation, answer.status] += 1
            assert answer.status in (200, 429, 503), answer.body

    def guess(self):
        with Wire(self.pick.choice(self.deployment.servers), self.pick.choice(GUESSERS)) as wire:
            wire.send(self.message("GET", TASKS, headers={"Authorization": basic("admin/token", "wrong")}))
            reply = wire.reply()
            self.counts[self.operation, reply.status] += 1
            # 503: the look-up took longer than the statement timeout.
            assert reply.status in (401, 429, 503), reply


class Slow(Client):
    """Takes large answers slowly, and leaves some of them."""

    MIX = {"read_slowly": 1}

    def read_slowly(self):
        with contextlib.ExitStack() as stack:
            answers = []
            for _ in range(READERS):
                wire = stack.enter_context(self.new_wire())
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
                answers.append(Answer(wire, self.message("GET", self.query(500))))
                self.counts[self.operation, answers[-1].status] += 1
            while not self.stop.wait(SLOW_S):
                if not any([answer.take(PART) for answer in answers]):
                    break
            for answer in answers[::2]:
                while answer.take(1 << 20):
                    pass
                answer.check()


class Idle(Client):
    """Holds connections, and seldom sends something over one of them."""

    MIX = {"hold": 1}

    def hold(self):
        request = message("GET", "/healthz", headers={"Host": "any"})
        with contextlib.ExitStack() as stack:
            wires = []
            for _ in range(HELD):
                wires.append(stack.enter_context(self.new_wire()))
                # docket closes a connection whose first request does not come in time.
                assert wires[-1].ask("GET", "/healthz").status == 200
                if self.stop.is_set():
                    return
            while not self.stop.wait(0.1):
                wire = self.pick.choice(wires)
                wire.send(request)
                assert wire.reply().status == 200
