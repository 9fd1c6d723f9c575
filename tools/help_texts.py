# SPDX-License-Identifier: MIT
"""The commands and options of the program, as its help texts list them."""
import os
import re
import subprocess

OPTION = re.compile(r"^  --([a-z-]+)(?: ([A-Z]\S*|yes\|no|\S+\|\S+))? +(.+?)(?: \(needed\))?$", re.MULTILINE)
# The sentence about the options that the environment and the file cannot set.
ONLY_OPTIONS = re.compile(r"[^.]* works? only on the command line\.")


def help_of(program, *words):
    env = {key: value for key, value in os.environ.items() if not key.startswith("DOCKET_")}
    return subprocess.run([program, *words, "--help"], env=env, check=True,
                          capture_output=True, encoding="utf-8").stdout


class Command:
    def __init__(self, program, name):
        text, options = help_of(program, *name.split()).split("\noptions:\n")
        head, *about = text.strip().split("\n", 1)
        self.name = name
        self.heading, self.summary = head.removeprefix("docket ").split(": ", 1)
        self.about = " ".join(about).split()
        self.options = [found for found in OPTION.findall(options) if found[0] != "help"]
        self.needed = set(re.findall(r"^  --([a-z-]+) .*\(needed\)$", options, re.MULTILINE))
        said = ONLY_OPTIONS.search(" ".join(self.about))
        self.only_options = set(re.findall(r"--([a-z-]+)", said[0])) if said else set()


def commands(program):
    names = re.findall(r"^  (\S+(?: \S+)?)  +\S", help_of(program), re.MULTILINE)
    return [Command(program, name) for name in names]
