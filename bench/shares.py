# SPDX-License-Identifier: MIT
"""Filters for bench/queries.py that match about a tenth of a percent, a tenth, or half of an account's tasks.
`id` is not among them: it takes at most 500 values."""
import collections
import re
import urllib.parse

from harness import query

SHARES = (0.001, 0.1, 0.5)
VALUES_MAX = 500
SAMPLE = 50000  # titles


def name_of(share):
    return f"{share * 100:g} %"


def pick(counts, wanted):
    """Values that match about `wanted` tasks together: the commonest that fit. `counts` has the commonest
    first."""
    picked, left = [], wanted
    for value, count in counts:
        if count <= left * 1.1 and len(picked) < VALUES_MAX:
            picked.append(value)
            left -= count
    return picked or [counts[-1][0]]


def pick_text(folder, share):
    """Three letters that about that share of the titles contain."""
    titles = query(folder, f"SELECT title_folded FROM task ORDER BY id * 7919 % 1000003 LIMIT {SAMPLE}")
    found = collections.Counter(text for title, in titles for text in
                                set(re.findall(r"(?=([a-z]{3}))", title)))
    return min(found, key=lambda text: (abs(found[text] / len(titles) - share), text))


def filters(folder, values, equality, ranges, statuses):
    """The parameters for each share, by filter. `values` writes bounds of ranges."""
    ((total,),) = query(folder, "SELECT count(*) FROM task")
    found = {"title": {share: "title=" + urllib.parse.quote(pick_text(folder, share)) for share in SHARES}}
    for name, column in equality.items():
        table = "task_user" if name == "user" else "task"
        counts = query(folder, f"SELECT {column}, count(*) FROM {table} WHERE {column} IS NOT NULL"
                       " GROUP BY 1 ORDER BY 2 DESC, 1")
        found[name] = {share: f"{name}=" + ",".join(
            statuses[value] if name == "status" else str(value) for value in pick(counts, total * share))
            for share in SHARES}
    for name, column in ranges.items():
        ((known,),) = query(folder, f"SELECT count({column}) FROM task")
        found[name] = {}
        for share in SHARES:
            ((bound,),) = query(folder, f"SELECT {column} FROM task WHERE {column} IS NOT NULL"
                                f" ORDER BY 1 DESC LIMIT 1 OFFSET {min(known, int(total * share)) - 1}")
            found[name][share] = f"{name}_from={values.bound(name, bound)}"
    return found


def alone(found):
    for name, by_share in found.items():
        for share, parameters in by_share.items():
            yield f"{name}, {name_of(share)}", parameters


def pairs(found):
    """Every pair of filters with every pair of shares: the pair of shares, a label, the parameters."""
    names = list(found)
    for at, name in enumerate(names):
        for other in names[at + 1:]:
            for share, parameters in found[name].items():
                for second, more in found[other].items():
                    yield (tuple(sorted((share, second))),
                           f"{name} {name_of(share)} + {other} {name_of(second)}", f"{parameters}&{more}")
