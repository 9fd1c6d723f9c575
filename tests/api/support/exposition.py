"""Prometheus' text format: a strict reader, the metrics of a server, and promtool."""
import re
import subprocess
import urllib.error
import urllib.request

from harness import COMMAND_S

PLACE = re.compile(r"metrics are at (http://\S+/metrics)")
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (-?[0-9.]+)")
TYPES = {"counter", "gauge", "histogram"}


class Family:
    def __init__(self, name, help_text):
        self.name, self.help, self.type = name, help_text, None
        self.samples = {}  # by suffix and labels

    def __getitem__(self, labels):
        return self.samples["", frozenset(labels.items())]

    def by(self, *names, suffix=""):
        """The values by these labels, where they are not 0."""
        found = {}
        for (end, labels), value in self.samples.items():
            if end == suffix and value:
                key = tuple(dict(labels).get(name) for name in names)
                found[key if len(names) > 1 else key[0]] = value
        return found


def labels_of(text):
    found, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match, text
        assert match[1] not in found, text
        found[match[1]] = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], match[2])
        at = match.end()
    return found


def read(text):
    """The families by their names. Asserts what the format and its conventions require."""
    families, family = {}, None
    assert text.endswith("\n")
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            name, help_text = line[7:].split(" ", 1)
            assert re.fullmatch(NAME, name) and name not in families and help_text
            family = families[name] = Family(name, help_text)
        elif line.startswith("# TYPE "):
            assert line == f"# TYPE {family.name} {line.split()[-1]}" and not family.samples
            family.type = line.split()[-1]
            assert family.type in TYPES
        else:
            match = SAMPLE.fullmatch(line)
            assert match and family.type, line
            suffix = match[1].removeprefix(family.name)
            assert match[1].startswith(family.name), line
            assert suffix in (["_bucket", "_sum", "_count"] if family.type == "histogram" else [""]), line
            key = suffix, frozenset(labels_of(match[2] or "").items())
            assert key not in family.samples, line
            family.samples[key] = float(match[3])
    for found in families.values():
        check(found)
    return families


def check(family):
    assert family.name.endswith("_total") == (family.type == "counter"), family.name
    if family.type == "histogram":
        check_histogram(family)
    if family.type != "gauge":
        assert all(value >= 0 for value in family.samples.values()), family.name


def check_histogram(family):
    """The buckets of each histogram rise, the last one is +Inf and has the count."""
    series = {}
    for (suffix, labels), value in family.samples.items():
        rest = dict(labels)
        bound = rest.pop("le", None)
        assert (bound is not None) == (suffix == "_bucket")
        series.setdefault(frozenset(rest.items()), {}).setdefault(suffix, []).append((bound, value))
    for parts in series.values():
        bounds = [float(bound) for bound, _ in parts["_bucket"]]
        counts = [count for _, count in parts["_bucket"]]
        assert bounds == sorted(set(bounds)) and bounds[-1] == float("inf")
        assert counts == sorted(counts)
        [(_, total)], [(_, values)] = parts["_count"], parts["_sum"]
        assert counts[-1] == total
        # The sum is at least what the lower bounds of the buckets make, with a small rest for rounding.
        least = sum((count - before) * bound for bound, count, before in
                    zip([0, *bounds], counts, [0, *counts]))
        assert values * 1.001 + 0.001 * total >= least * (family.name != "docket_batch_jobs")


def places(server, count=1):
    """The URLs of the metrics, of which there must be `count`."""
    found = PLACE.findall(server.stderr())
    assert len(found) == count, server.stderr()
    return found


def text_of(server):
    with urllib.request.urlopen(places(server)[-1], timeout=COMMAND_S) as reply:
        assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return reply.read().decode()


def scrape(server):
    return read(text_of(server))


def promtool(*arguments, text=None):
    """Runs promtool, which must succeed; returns what it says."""
    done = subprocess.run(["promtool", *map(str, arguments)], input=text, timeout=COMMAND_S,
                          capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done
    return done.stdout + done.stderr
