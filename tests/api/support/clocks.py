"""A clock of a process's own, by libfaketime: it stands still, and is set by the test."""
import datetime
import pathlib
import subprocess

from harness import PROGRAM

LIBRARY = "libfaketimeMT.so.1"


def preloads():
    """libfaketime, after the run-time library of a sanitizer where the program has one."""
    linked = subprocess.run(["ldd", PROGRAM], stdout=subprocess.PIPE, text=True, check=True).stdout
    first = [line.split()[2] for line in linked.splitlines()
             if line.strip().startswith(("libasan.", "libtsan."))]
    found, = pathlib.Path("/usr/lib").glob(f"*/faketime/{LIBRARY}")
    return ":".join([*first, str(found)])


class Clock:
    """Seconds since 1970. `env` gives it to processes; durations and deadlines stay real."""

    def __init__(self, file, now):
        self.file = file
        self.set(now)
        self.env = {"LD_PRELOAD": preloads(), "FAKETIME_TIMESTAMP_FILE": file,
                    "FAKETIME_NO_CACHE": "1", "TZ": "UTC",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set(self, now):
        self.now = now
        new = self.file.with_suffix(".new")
        shown = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=now)
        new.write_text(shown.strftime("%Y-%m-%d %H:%M:%S"))
        new.rename(self.file)


def behind(seconds):
    """The environment of a process whose clock goes, so many seconds late."""
    return {"LD_PRELOAD": preloads(), "FAKETIME": f"-{seconds}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
