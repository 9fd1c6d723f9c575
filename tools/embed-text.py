#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes text files as C strings: embed-text.py style.css ... OUT.h makes style_css and so on."""
import json
import os
import re
import sys


def main(paths, out):
    with open(out, "w", encoding="ascii") as file:
        file.write("/* Made by tools/embed-text.py. */\n")
        for path in paths:
            with open(path, encoding="ascii") as text:
                # JSON's escapes of ASCII text are C's as well.
                lines = "\n\t".join(map(json.dumps, text))
            name = re.sub(r"\W", "_", os.path.basename(path))
            file.write(f"static const char {name}[] =\n\t{lines};\n")


main(sys.argv[1:-1], sys.argv[-1])
