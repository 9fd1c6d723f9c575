#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Draws what bench/compare.py has measured, with gnuplot.

    bench/plot.py growth growth.svg 10k.json 100k.json 1m.json 10m.json
    bench/plot.py load load.svg bench.json

growth   rates by the number of tasks: one file of bench/compare.py --json for each number
load     the 99th percentile of docket's times by the number of connections; the file must come from
         bench/compare.py --load"""
import argparse
import json
import pathlib
import subprocess

WORKS = {"get": "GET by id", "list_hot": "list of 100, hot window", "create": "durable create"}
HEAD = """
set terminal svg size 720,420 font "sans,13" background "white"
set output "{path}"
set title "{title}"
set grid
set key below
"""
GROWTH = """
set logscale xy
set xlabel "tasks in the account"
set ylabel "requests a second"
set format x "%.0s%c"
set format y "%.0s%c"
"""
LOAD = """
set logscale x 2
set logscale y
set xlabel "connections, each of which sends one request after the other"
set ylabel "99th percentile, ms"
"""


def growth(reports):
    """The lines of the plot: a title, a style, and the points."""
    reports = sorted(reports, key=lambda report: report["tasks"])
    for color, (work, title) in enumerate(WORKS.items(), 1):
        for side, dash in (("docket", 1), ("peer", 2)):
            points = [(report["tasks"], report["work"][work][side]["rate"])
                      for report in reports if side in report["work"].get(work, {})]
            yield f"{title}, {side}", f"with linespoints lw 2 lc {color} dt {dash}", points


def load(reports):
    for color, (work, title) in enumerate(WORKS.items(), 1):
        points = [(row["connections"], row["p99"])
                  for report in reports for row in report.get("load", []) if row["work"] == work]
        yield title, f"with linespoints lw 2 lc {color}", points


def plot(lines):
    """The commands that draw the lines. The points are in the commands."""
    lines = [line for line in lines if line[2]]
    yield "plot " + ", ".join(f'"-" {style} title "{title}"' for title, style, _ in lines)
    for _, _, points in lines:
        yield from (" ".join(map(str, point)) for point in points)
        yield "e"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("kind", choices=("growth", "load"))
    parser.add_argument("svg", type=pathlib.Path)
    parser.add_argument("reports", type=pathlib.Path, nargs="+")
    asked = parser.parse_args()
    reports = [json.loads(path.read_text()) for path in asked.reports]
    lines, axes = (growth(reports), GROWTH) if asked.kind == "growth" else (load(reports), LOAD)
    title = f"docket on SQLite, {reports[-1]['date']}"
    subprocess.run(["gnuplot"], check=True, text=True, input="\n".join(
        [HEAD.format(path=asked.svg, title=title), axes, *plot(lines), ""]))


if __name__ == "__main__":
    main()
