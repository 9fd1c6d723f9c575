#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints debian/changelog, made from the newest version of CHANGELOG.md: debian-changelog.py TIME, where TIME
is the time of the commit in seconds. A version that is not released yet gets that time, so that each later
commit is an upgrade. DOCKET_DEB_VERSION replaces the version."""
import datetime
import email.utils
import os
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent


def find(pattern, file):
    return re.search(pattern, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE).groups()


def main(at):
    version, told, lines = find(r"^## (\S+), (.*)\n\n((?:.|\n)*?)(?=^## |\Z)", "CHANGELOG.md")
    meson, = find(r"^  version: '(.*)',$", "meson.build")
    if version != meson:
        sys.exit(f"CHANGELOG.md begins with version {version}, meson.build has {meson}")
    if told.startswith("not released"):
        version += at.strftime("~%Y%m%d%H%M%S")
    person, = find(r"^Maintainer: (.*)$", "debian/control")
    print(f"docket ({os.environ.get('DOCKET_DEB_VERSION', version)}) unstable; urgency=medium\n")
    for item in re.split(r"^- ", lines, flags=re.MULTILINE)[1:]:
        print(textwrap.fill(" ".join(item.split()), 78, initial_indent="  * ", subsequent_indent="    ",
                            break_long_words=False, break_on_hyphens=False))
    print(f"\n -- {person}  {email.utils.format_datetime(at)}")


main(datetime.datetime.fromtimestamp(int(sys.argv[1]), datetime.timezone.utc))
