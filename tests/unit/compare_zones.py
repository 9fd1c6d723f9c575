#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares every time zone of the system's tzdata with Python's zoneinfo, for every hour of the years 2024 to
2038, or for every STEPth: compare_zones.py PRINT_ZONES [STEP]."""
import datetime
import pathlib
import subprocess
import sys
import zoneinfo

FOLDER = pathlib.Path("/usr/share/zoneinfo")
FIRST = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
HOURS = (datetime.datetime(2039, 1, 1, tzinfo=datetime.timezone.utc) - FIRST) // datetime.timedelta(hours=1)
# Names that programs other than docket take for zones. Those that the system has are no legacy there.
LEGACY = ["ACT", "AET", "AGT", "ART", "AST", "BET", "BST", "CAT", "CNT", "CST", "CTT", "EAT", "ECT", "IET", "IST",
          "JST", "MIT", "NET", "NST", "PLT", "PNT", "PRT", "PST", "SST", "VST", "SystemV/EST5", "Etc/Unknown",
          "US/Pacific-New", "EST5", "GMT+1", "UTC0", "+01:00", "-05", "Z", "localtime", "posixrules"]


def listed():
    """The names of tzdata.zi, and whether their files exist."""
    lines = [line.split() for line in (FOLDER / "tzdata.zi").read_text().splitlines()]
    names = [line[1] if line[0] == "Z" else line[2] for line in lines if line[:1] in (["Z"], ["L"])]
    return {name: (FOLDER / name).is_file() for name in names}


def expected(name, step):
    """What print_zones prints for a zone that exists."""
    zone = zoneinfo.ZoneInfo.no_cache(name)
    hours = datetime.timedelta(hours=step)
    time, before, words = FIRST.replace(tzinfo=zone), None, []
    for at in range(0, HOURS, step):
        offset = zone.fromutc(time).utcoffset()
        if offset != before:
            words += [str(at), str(int(offset.total_seconds()))]
            before = offset
        time += hours
    return words


def main():
    program, step = sys.argv[1], int((sys.argv[2:] or ["1"])[0])
    zoneinfo.reset_tzpath([str(FOLDER)])
    names = listed()
    assert len(names) > 500 and sum(names.values()) > 300, len(names)
    legacy = [name for name in LEGACY if name not in names]
    out = subprocess.run([program, str(step)], input="\n".join([*names, *legacy]) + "\n", capture_output=True, text=True,
                         check=True).stdout
    printed = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
    faults = [f"{name} is known" for name in legacy if printed[name][0] != "0"]
    by_content = {}  # names that are links have the same content
    for name, exists in names.items():
        if not exists:
            faults += [f"{name} is known and has no file"] if printed[name] != ["0"] else []
            continue
        content = (FOLDER / name).read_bytes()
        if content not in by_content:
            by_content[content] = expected(name, step)
        if printed[name] != ["1", *by_content[content]]:
            faults.append(f"{name}: {printed[name]}, not {by_content[content]}")
    print(f"{len(names)} zones, {len(by_content)} different ones, {len(range(0, HOURS, step))} hours: {len(faults)} faults")
    print(*faults, sep="\n")
    sys.exit(1 if faults else 0)


main()
