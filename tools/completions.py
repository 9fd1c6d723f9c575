#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the completion of commands, options and their values for bash, zsh and fish, from the help texts
of the program: completions.py PROGRAM FOLDER

Makes docket.bash, docket.zsh and docket.fish in the folder."""
import pathlib
import re
import sys

from help_texts import commands

# "full, limited or disabled" at the beginning of an option's help.
CHOICE = re.compile(r"^(\w+(?:, \w+)*) or (\w+)\b")
PLACES = {"FILE": "files", "FILE[,FILE]": "files", "PLACE": "files", "DIR": "folders"}


def values(argument, text):
    """What an option takes: "files", "folders", a list of words, "text" or "nothing"."""
    found = CHOICE.match(text)
    if not argument:
        return "nothing"
    if "|" in argument:
        return argument.split("|")
    return [*found[1].split(", "), found[2]] if found else PLACES.get(argument, "text")


def groups(known):
    """{first word: second words} of the commands of two words."""
    found = {}
    for command in known:
        first, _, second = command.name.partition(" ")
        if second:
            found.setdefault(first, []).append(second)
    return found


def first_words(known):
    return list(dict.fromkeys(command.name.split()[0] for command in known)) + ["help", "version"]


def options_of(known):
    return {name: values(argument, text) for command in known for name, argument, text in command.options}


def bash(known):
    first = " ".join(first_words(known))
    lines = ["_docket() {",
             "\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}",
             "\tlocal name=${COMP_WORDS[1]-} words=",
             "\tcase $COMP_CWORD:$name in",
             f"\t1:*) words='{first}' ;;"]
    for name, seconds in groups(known).items():
        lines += [f"\t2:{name}) words='{' '.join(seconds)}' ;;",
                  f"\t*:{name}) name+=\" ${{COMP_WORDS[2]}}\" ;;"]
    lines += [f"\t*:help) words='{first}' ;;", "\tesac", "\tcase $before in"]
    for name, kind in options_of(known).items():
        if kind in ("files", "folders"):
            what = "f" if kind == "files" else "d"
            lines += [f"\t--{name}) compopt -o filenames",
                      f"\t\tmapfile -t COMPREPLY < <(compgen -{what} -- \"$word\")",
                      "\t\treturn ;;"]
        elif kind == "text":
            lines.append(f"\t--{name}) return ;;")
        elif kind != "nothing":
            lines.append(f"\t--{name}) words='{' '.join(kind)}' name= ;;")
    lines += ["\tesac", '\t[ -n "$words" ] || case $name in']
    for command in known:
        names = " ".join("--" + name for name, *_ in command.options)
        lines.append(f"\t'{command.name}') words='{names} --help' ;;")
    return lines + ["\tesac", '\tmapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")', "}",
                    "complete -F _docket docket"]


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def zsh_option(name, argument, text):
    kind = values(argument, text)
    action = {"files": "_files", "folders": "_files -/", "text": "", "nothing": None}.get(
        kind if isinstance(kind, str) else "", "(" + " ".join(kind) + ")")
    told = re.sub(r"([][\\:])", r"\\\1", text)
    taken = "" if action is None else f":{re.sub('[][]', '', argument)}:{action}"
    return quoted(f"--{name}[{told}]{taken}")


def zsh(known):
    lines = ["#compdef docket", "local name=$words[2]", "if (( CURRENT == 2 )); then",
             f"\tcompadd -- {' '.join(first_words(known))}", "\treturn", "fi", "case $name in"]
    for name, seconds in groups(known).items():
        lines += [f"{name})", "\tif (( CURRENT == 3 )); then", f"\t\tcompadd -- {' '.join(seconds)}",
                  "\t\treturn", "\tfi", "\tname+=\" $words[3]\"", "\tshift words", "\t(( CURRENT-- )) ;;"]
    lines += ["esac", "shift words", "(( CURRENT-- ))", "case $name in",
              f"help) compadd -- {' '.join(first_words(known))} ;;"]
    for command in known:
        lines.append(f"{quoted(command.name)}) _arguments '--help[print the options]' \\")
        lines += [f"\t{zsh_option(*option)} \\" for option in command.options]
        lines.append("\t;;")
    return lines + ["esac"]


def fish(known):
    lines = ["complete -c docket -f"]
    seen = "__fish_seen_subcommand_from"
    several = groups(known)
    for name in first_words(known):
        lines.append(f"complete -c docket -n __fish_use_subcommand -a {name}")
    for name, seconds in several.items():
        words = " ".join(seconds)
        lines.append(f"complete -c docket -n '{seen} {name}; and not {seen} {words}' -a '{words}'")
    lines.append(f"complete -c docket -n '{seen} help' -a '{' '.join(first_words(known))}'")
    for command in known:
        condition = "; and ".join(f"{seen} {word}" for word in command.name.split())
        for name, argument, text in command.options:
            kind = values(argument, text)
            told = text.replace("\\", "\\\\").replace("'", "\\'")
            more = {"files": " -r -F", "folders": " -x -a '(__fish_complete_directories)'", "text": " -x",
                    "nothing": ""}.get(kind if isinstance(kind, str) else "", f" -x -a '{' '.join(kind)}'")
            lines.append(f"complete -c docket -n '{condition}' -l {name}{more} -d '{told}'")
    return lines


def main(program, folder):
    known = commands(program)
    for shell, write in (("bash", bash), ("zsh", zsh), ("fish", fish)):
        place = pathlib.Path(folder) / f"docket.{shell}"
        place.write_text("\n".join(write(known)) + "\n", encoding="utf-8")


main(*sys.argv[1:])
