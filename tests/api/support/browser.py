"""Chromium, as a person's browser: it loads pages, and a test reads and uses them through the DevTools
protocol (https://chromedevtools.github.io/devtools-protocol/)."""
import json
import os
import select
import shutil
import signal
import subprocess
import sys

import pytest

CHROMIUM = shutil.which("chromium")
BROWSER_S = 180  # it takes a second; longer under a sanitizer on a busy machine

needed = pytest.mark.skipif(not CHROMIUM, reason="NOT TESTED, pages in a browser: it is not"
                                                 " installed (Debian's package chromium)")

# Chromium reads commands from descriptor 3 and writes to 4.
ON_PIPES = ("import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4);"
            " os.execv(sys.argv[3], sys.argv[3:])")


def start(profile, *arguments, **options):
    """Starts Chromium, which sends no requests of its own. As root it runs only without its sandbox.
    Give `before` to start it through another program."""
    before = options.pop("before", [])
    return subprocess.Popen(
        [*before, CHROMIUM, "--headless", "--disable-background-networking", "--disable-component-update",
         "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}",
         *(["--no-sandbox"] if os.geteuid() == 0 else []), *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, env={**os.environ, "HOME": str(profile)}, **options)


def end(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Browser:
    """A window with one page; use it in a with statement."""

    def __init__(self, profile):
        read, self.out = os.pipe()
        self.into, write = os.pipe()
        self.process = start(profile, "--remote-debugging-pipe", pass_fds=(read, write), before=[
            sys.executable, "-c", ON_PIPES, str(read), str(write)])
        os.close(read)
        os.close(write)
        self.rest, self.number, self.session, self.events = b"", 0, None, []

    def __enter__(self):
        try:
            self.open()
        except BaseException:
            self.__exit__()
            raise
        return self

    def open(self):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable")
        self.ask("Page.setLifecycleEventsEnabled", enabled=True)

    def __exit__(self, *_):
        end(self.process)
        os.close(self.out)
        os.close(self.into)

    def message(self):
        while b"\0" not in self.rest:
            assert select.select([self.into], [], [], BROWSER_S)[0], "the browser is silent"
            more = os.read(self.into, 1 << 20)
            assert more, "the browser has ended"
            self.rest += more
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def ask(self, method, **parameters):
        self.number += 1
        command = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.out, json.dumps(command).encode() + b"\0")
        while True:
            said = self.message()
            if said.get("id") == self.number:
                assert "error" not in said, said
                return said["result"]
            self.note(said)

    def note(self, said):
        if said.get("method") == "Page.lifecycleEvent":
            self.events.append((said["params"]["name"], said["params"]["loaderId"]))

    def load(self, url):
        """Returns when the page and its script are loaded."""
        loader = self.ask("Page.navigate", url=url)["loaderId"]
        while ("load", loader) not in self.events:
            self.note(self.message())

    def run(self, script):
        """The value of an expression, which may be a promise."""
        said = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")
