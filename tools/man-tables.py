#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the commands and options into the pages of man/, from the help texts of the program:
man-tables.py PROGRAM [--check]

It replaces the lines between the two markers of a page. With --check it writes nothing, and ends with 1
if a page does not match the program."""
import pathlib
import re
import sys
import textwrap

from help_texts import commands

PAGES = pathlib.Path(__file__).resolve().parent.parent / "man"
BEGIN, END = '.\\" Begin: tools/man-tables.py\n', '.\\" End: tools/man-tables.py\n'
PRESET = re.compile(r"^(.*) \(([^()]*)\)$")


def text_lines(text):
    """Text as mdoc has it: each sentence begins a line, and nothing is read as a roff command."""
    text = text.replace("\\", "\\e")
    text = re.sub(r"(?<![\w-])--(?=[a-z])", r"\\-\\-", text)
    lines = [line for part in re.split(r"(?<=[.?!]) +", text)
             for line in textwrap.wrap(part, 79, break_long_words=False, break_on_hyphens=False)]
    return [re.sub(r"^([.'])", r"\\&\1", line) for line in lines]


def with_preset(text):
    found = PRESET.match(text)
    return f"{found[1]}. The default is {found[2]}." if found else text + "."


def sentence(text):
    return text[0].upper() + text[1:] + "."


def command_page(all_commands):
    lines = []
    for command in all_commands:
        lines += [".Ss " + command.heading, *text_lines(sentence(command.summary)),
                  *text_lines(" ".join(command.about)),
                  ".Bl -tag -width Ds -compact"]
        for name, argument, text in command.options:
            needed = " It is needed." if name in command.needed else ""
            lines += [f".It Fl \\-{name}" + (f" Ar {argument}" if argument else ""),
                      *text_lines(with_preset(text) + needed)]
        lines.append(".El")
    return lines


def settings_page(all_commands):
    takers, rows = {}, {}
    for command in all_commands:
        for name, argument, text in command.options:
            if name not in command.only_options:
                takers.setdefault(name, []).append(command.name)
                rows[name] = argument, text
    lines = [".Bl -tag -width Ds"]
    for name in sorted(set(rows) - {"config"}):
        argument, text = rows[name]
        lines += [f".It Cm {name} No = Ar {argument or 'yes|no'}",
                  *text_lines(with_preset(text)), ".br",
                  ".Ev DOCKET_" + name.upper().replace("-", "_") + " ;",
                  *text_lines("read by " + ", ".join(takers[name]) + ".")]
    return lines + [".El"]


def main(program, *options):
    known = commands(program)
    stale = []
    for name, make in (("docket.1", command_page), ("docket.conf.5", settings_page)):
        page = (PAGES / name).read_text(encoding="ascii")
        before, rest = page.split(BEGIN)
        after = rest.split(END)[1]
        new = before + BEGIN + "\n".join(make(known)) + "\n" + END + after
        if new != page:
            stale.append(name)
        if options != ("--check",):
            (PAGES / name).write_text(new, encoding="ascii")
    if stale and options == ("--check",):
        sys.exit(f"man/{' and man/'.join(stale)}: not up to date with the program; run \"make man\"")


main(*sys.argv[1:])
