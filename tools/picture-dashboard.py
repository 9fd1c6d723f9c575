#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Draws docs/dashboard.png: the graphs of examples/prometheus/grafana.json. Debian has no Grafana. So
Debian's Prometheus scrapes docket under load, answers the query of each panel, and gnuplot draws the answers in
the places of the panels.

    tools/picture-dashboard.py docs/dashboard.png [SECONDS]"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from busy import ROOT, served

DASHBOARD = ROOT / "examples" / "prometheus" / "grafana.json"
WIDTH, UNIT_HEIGHT, WINDOW = 980, 16, "15s"
LEGEND_MAX = 5
WARM_UP_S = 45  # until the first full copy of the replica is complete
# The units of Grafana: the factor, and what stands behind the numbers.
UNITS = {"s": (1000, "ms"), "bytes": (2 ** -20, "MiB"), "percentunit": (100, "%"), "reqps": (1, "/s"),
         "ops": (1, "/s"), "short": (1, "")}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as made:
        return made.getsockname()[1]


def ask(port, expression, begin, end):
    expression = expression.replace("$instance", ".*").replace("$__rate_interval", WINDOW)
    query = urllib.parse.urlencode({"query": expression, "start": begin, "end": end, "step": 2})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query_range?{query}", timeout=30) as answer:
        return json.load(answer)["data"]["result"]


def legend(form, labels):
    return re.sub(r"{{(\w+)}}", lambda match: labels.get(match[1], ""), form or "value").strip()


def series(port, panel, begin, end):
    """(name, points) of each line of a panel; the largest come first."""
    factor = UNITS[panel["fieldConfig"]["defaults"].get("unit", "short")][0]
    found = []
    for target in panel["targets"]:
        for one in ask(port, target["expr"], begin, end):
            points = [(at - begin, float(value) * factor) for at, value in one["values"]
                      if value not in ("NaN", "+Inf")]
            # The port is another one in each picture.
            name = re.sub(r"127\.0\.0\.1:\d+", "docket", legend(target.get("legendFormat"), one["metric"]))
            if points:
                found.append((name, points))
    return sorted(found, key=lambda one: -max(value for _, value in one[1]))[:LEGEND_MAX]


def plot(panel, lines, rows, span):
    """The commands that draw a panel in its place."""
    place = panel["gridPos"]
    unit = UNITS[panel["fieldConfig"]["defaults"].get("unit", "short")][1]
    text = [f'set origin {place["x"] / 24:.4f}, {1 - (place["y"] + place["h"]) / rows:.4f}',
            f'set size {place["w"] / 24:.4f}, {place["h"] / rows:.4f}',
            f'set title "{panel["title"]}{f" ({unit})" if unit else ""}"', f"set xrange [0:{span:g}]"]
    top = max((value for _, points in lines for _, value in points), default=0)
    text.append(f"set yrange [0:{top * 1.7 if top > 0 else 1:g}]")
    if not lines:
        return "\n".join([*text, 'plot NaN notitle'])
    for number, (_, points) in enumerate(lines):
        text += [f"$line{number} << END", *(f"{at:.0f} {value:.6g}" for at, value in points), "END"]
    shown = ", ".join(f'$line{number} with lines linewidth 1 linecolor {number + 1} title "{name}"'
                      for number, (name, _) in enumerate(lines))
    return "\n".join([*text, f"plot {shown}"])


def draw(panels, picture, span):
    """`panels` are pairs of a panel and its lines."""
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel, _ in panels)
    text = [f'set terminal pngcairo size {WIDTH},{rows * UNIT_HEIGHT} background "#ffffff" font "sans,7"',
            f'set output "{picture}"', "set multiplot", "set termoption noenhanced",
            'set key top left Left reverse samplen 1 spacing 0.8',
            "set border 3", "set tics nomirror", "set ytics autofreq", 'set format x "%.0f s"',
            'set title offset 0,-0.6 font "sans,8"', "set lmargin 7", "set rmargin 1", "set tmargin 1.6",
            "set bmargin 2"]
    text += [plot(panel, lines, rows, span) for panel, lines in panels]
    subprocess.run(["gnuplot"], input="\n".join([*text, "unset multiplot", ""]), text=True, check=True)


def main():
    picture, seconds = pathlib.Path(sys.argv[1]).absolute(), int(sys.argv[2]) if len(sys.argv) > 2 else 120
    # A row has no lines of its own: the panels move up to its place.
    panels = [panel for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]
              if panel["type"] == "timeseries"]
    for panel in panels:
        panel["gridPos"]["y"] -= 1 + panel["gridPos"]["y"] // 9
    with tempfile.TemporaryDirectory() as place, \
            served(pathlib.Path(place), "--metrics", "127.0.0.1:0") as (_, log):
        target, port = re.search(r"metrics are at http://([^/\s]+)/metrics", log)[1], free_port()
        config = pathlib.Path(place) / "prometheus.yml"
        config.write_text("global: {scrape_interval: 2s}\nscrape_configs:\n"
                          f"- {{job_name: docket, static_configs: [{{targets: ['{target}']}}]}}\n")
        with open(os.devnull, "wb") as nowhere:
            prometheus = subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={place}/tsdb",
                 f"--web.listen-address=127.0.0.1:{port}"], stderr=nowhere, stdout=nowhere)
        try:
            begin = time.time() + WARM_UP_S
            time.sleep(WARM_UP_S + seconds)
            found = [(panel, series(port, panel, begin, begin + seconds)) for panel in panels]
        finally:
            prometheus.send_signal(signal.SIGTERM)
            prometheus.wait()
    draw(found, picture, seconds)
    print(f"{picture}: {picture.stat().st_size} bytes; without data: "
          f"{[panel['title'] for panel, lines in found if not lines]}")


main()
