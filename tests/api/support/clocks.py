"""A clock of a process's own, by libfaketime: it stands still, and is set by the test."""
import datetime
import os
import pathlib
import subprocess

from harness import PROGRAM

LIBRARY = "libfaketimeMT.so.1"


def preload():
    """The environment that loads libfaketime, after the run-time library of a sanitizer where the
    program has one. To find the true clock libfaketime allocates memory, so an allocator that asks
    for the time then waits for ever: those of the sanitizers do, unless they return no memory."""
    linked = subprocess.run(["ldd", PROGRAM], stdout=subprocess.PIPE, text=True, check=True).stdout
    first = [line.split()[2] for line in linked.splitlines()
             if line.strip().startswith(("libasan.", "libtsan."))]
    found, = pathlib.Path("/usr/lib").glob(f"*/faketime/{LIBRARY}")
    options = {name: f"allocator_release_to_os_interval_ms=-1:{os.environ.get(name, '')}"
               for name in ("ASAN_OPTIONS", "TSAN_OPTIONS")}
    return {"LD_PRELOAD": ":".join([*first, str(found)]), **options}


class Clock:
    """Seconds since 1970. `env` gives it to processes; durations and deadlines stay real."""

    def __init__(self, file, now):
        self.file = file
        self.set(now)
        self.env = {**preload(), "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1",
                    "TZ": "UTC", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set(self, now):
        self.now = now
        new = self.file.with_suffix(".new")
        shown = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=now)
        new.write_text(shown.strftime("%Y-%m-%d %H:%M:%S"))
        new.rename(self.file)


def behind(seconds):
    """The environment of a process whose clock goes, so many seconds late."""
    return {**preload(), "FAKETIME": f"-{seconds}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
