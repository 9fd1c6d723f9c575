#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the numbered files of schema/ as C: embed-schema.py 0001_init.sql ... OUT.h"""
import json
import os
import re
import sys


def c_string(line):
    # JSON's escapes of ASCII text are C's as well.
    return json.dumps(line)


def main(paths, out):
    rows = []
    for expected, path in enumerate(sorted(paths, key=os.path.basename), 1):
        number, name = re.fullmatch(r"(\d{4})_(\w+)\.sql", os.path.basename(path)).groups()
        if int(number) != expected:
            sys.exit(f"{path}: the next migration is number {expected:04}")
        with open(path, encoding="ascii") as file:
            lines = [c_string(line) for line in file]
        rows.append(f'\t{{{expected}, "{name}",\n\t ' + "\n\t ".join(lines) + "},\n")
    with open(out, "w", encoding="ascii") as file:
        file.write("/* Made from schema/ by tools/embed-schema.py. */\n")
        file.write("static const struct migration schema[] = {\n" + "".join(rows) + "};\n")


main(sys.argv[1:-1], sys.argv[-1])
