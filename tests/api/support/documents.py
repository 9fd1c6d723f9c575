"""The code blocks of a document: the commands for the reader to type, and the answers that it shows."""
import re

from harness import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The kinds of blocks: commands for a shell, the answer to the previous command (its body, or its head and
# body as "curl -i" prints them), and other text.
ANSWERS = {"json", "http"}
KINDS = {"sh", "text"} | ANSWERS


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def pages():
    """All documents: those whose commands the tests run, and the others."""
    return [*documents(), *(page for page in sorted(ROOT.glob("*.md")) if page.name != "README.md")]


def blocks(text):
    """(kind, text) of every block, in order."""
    return FENCE.findall(text)


def commands(block):
    """The commands of a block, one a line; a line that ends with a backslash continues on the next."""
    return [line for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def matches(shown, answered):
    """Whether an answer matches the one that a document shows. `…` matches anything; blanks do not
    count."""
    pattern = ".*?".join(re.escape("".join(part.split())) for part in shown.split("…"))
    return re.search(pattern, "".join(answered.split()), re.DOTALL) is not None


def is_refusal(shown):
    """Whether the answer that a document shows is an error."""
    return re.search(r'^HTTP/1.1 [45]|"status":\s*[45]\d\d\b', shown) is not None


HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
LINK = re.compile(r"\[[^]]*\]\(([^)]+)\)")


def links(text):
    return LINK.findall(FENCE.sub("", text))


def anchors(text):
    """The anchors that a link can have after "#": GitHub makes them from the headings."""
    headings = HEADING.findall(FENCE.sub("", text))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
