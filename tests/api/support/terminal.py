"""A pseudo terminal, and what a program shows there."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import threading
import time

import pyte

from harness import PROGRAM, environment
from together import WAIT_S


class Terminal:
    """A docket command that runs on a terminal. A thread reads what it writes."""

    def __init__(self, *arguments, columns=100, lines=30, kind="xterm-256color", env=None):
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.lock = threading.Lock()
        self.fd, terminal = pty.openpty()
        self.set_size(columns, lines)
        self.process = subprocess.Popen(
            [PROGRAM, *map(str, arguments)], stdin=terminal, stdout=terminal, stderr=terminal,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**environment({"LC_ALL": "C.UTF-8", **(env or {})}), "TERM": kind})
        os.close(terminal)
        self.stop_reading = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.stop_reading.set()
        self.reader.join()
        os.close(self.fd)

    def read(self):
        while not self.stop_reading.is_set():
            if not select.select([self.fd], [], [], 0.05)[0]:
                continue
            try:
                written = os.read(self.fd, 65536)
            except OSError:  # the program has closed the terminal
                return
            with self.lock:
                self.stream.feed(written)

    def set_size(self, columns, lines):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns, lines):
        """As a window does whose user drags its corner."""
        with self.lock:
            self.screen.resize(lines, columns)
        self.set_size(columns, lines)

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def shown(self):
        with self.lock:
            return "\n".join(line.rstrip() for line in self.screen.display)

    def until(self, accept):
        """Waits until what is shown is one to accept, and returns it."""
        deadline = time.monotonic() + WAIT_S
        while not accept(shown := self.shown()):
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)
        return shown

    def ends(self):
        """Waits for the end, and returns the status."""
        return self.process.wait(WAIT_S)
