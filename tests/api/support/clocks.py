"""A clock for a process, by libfaketime. It stands still, and the test sets it."""
import datetime
import os
import pathlib
import subprocess
import zoneinfo

from harness import PROGRAM

LIBRARY = "libfaketimeMT.so.1"


def library():
    """The path of libfaketime."""
    found, = pathlib.Path("/usr/lib").glob(f"*/faketime/{LIBRARY}")
    return str(found)


def preload():
    """The environment that loads libfaketime, after the run-time library of the program's sanitizer, if
    it has one. libfaketime allocates memory to find the real clock. If the allocator then asks for the
    time, it waits for ever. The sanitizers' allocators do that, unless they never return memory."""
    linked = subprocess.run(["ldd", PROGRAM], stdout=subprocess.PIPE, text=True, check=True).stdout
    first = [line.split()[2] for line in linked.splitlines()
             if line.strip().startswith(("libasan.", "libtsan."))]
    options = {name: f"allocator_release_to_os_interval_ms=-1:{os.environ.get(name, '')}"
               for name in ("ASAN_OPTIONS", "TSAN_OPTIONS")}
    return {"LD_PRELOAD": ":".join([*first, library()]), **options}


class Clock:
    """A clock in seconds since 1970. A process with the environment `env` uses it; durations and deadlines
    stay real. The sessions of `database`, a postgres.Database, that begin from now on use it as well."""

    def __init__(self, file, now, database=None, zone="UTC"):
        self.file, self.database, self.zone = file, database, zoneinfo.ZoneInfo(zone)
        if database:  # a function now() that is found before PostgreSQL's own
            database.run(f'ALTER DATABASE "{database.name}" SET search_path = public, pg_catalog')
        self.set(now)
        self.env = {**preload(), "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1",
                    "TZ": zone, "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                    "SSL_CERT_DIR": file.parent}  # docket may read the files of this folder

    def set(self, now):
        self.now = now
        if self.database:  # first: docket looks there when its own clock says that something is due
            self.database.run("CREATE OR REPLACE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql"
                              f" STABLE AS 'SELECT to_timestamp({now})'")
        new = self.file.with_suffix(".new")
        shown = datetime.datetime.fromtimestamp(now, self.zone)  # as libfaketime reads it
        new.write_text(shown.strftime("%Y-%m-%d %H:%M:%S"))
        new.rename(self.file)


def behind(seconds):
    """The environment of a process whose clock runs, but is that many seconds behind."""
    return {**preload(), "FAKETIME": f"-{seconds}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
