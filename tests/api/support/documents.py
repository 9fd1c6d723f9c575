"""The code blocks of a document: which commands it tells its reader to type, and what it says that
they answer."""
import re

from harness import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What a block can be: commands for a shell, the answer to the command before it (its body, or with
# its head as "curl -i" prints it), or text that is neither.
ANSWERS = {"json", "http"}
KINDS = {"sh", "text"} | ANSWERS


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def pages():
    """Those whose commands are typed, and the others."""
    return [*documents(), *(page for page in sorted(ROOT.glob("*.md")) if page.name != "README.md")]


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


def is_refusal(shown):
    """Whether an answer that a document shows has the status of an error."""
    return re.search(r'^HTTP/1.1 [45]|"status":\s*[45]\d\d\b', shown) is not None


HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
LINK = re.compile(r"\[[^]]*\]\(([^)]+)\)")


def links(text):
    return LINK.findall(FENCE.sub("", text))


def anchors(text):
    """What a link can name behind "#": the headings, as GitHub names them."""
    headings = HEADING.findall(FENCE.sub("", text))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
