"""The code blocks of a document: which commands it tells its reader to type, and what it says that
they answer."""
import json
import re

from harness import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What a block can be: commands for a shell, an answer to the command before it, or text that is
# neither.
KINDS = {"sh", "json", "text"}


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(text):
    """(kind, text) of every block, in order."""
    return FENCE.findall(text)


def commands(block):
    """The commands of a block: lines, of which one that ends with a backslash goes on."""
    return [line for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def matches(shown, answered):
    """Whether an answer is as a document shows it. `…` stands for anything; blanks do not count."""
    pattern = ".*?".join(re.escape("".join(part.split())) for part in shown.split("…"))
    return re.search(pattern, "".join(answered.split()), re.DOTALL) is not None


def status(shown):
    """The status of a problem that a document shows, 0 where it shows another answer."""
    found = re.search(r'"status":\s*(\d+)', shown) if '"errors"' in shown else None
    return int(found[1]) if found else 0
