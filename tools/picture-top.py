#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Draws docs/top.svg: what docket top shows on a pseudo terminal while docket is under load.

    tools/picture-top.py docs/top.svg"""
import fcntl
import os
import pathlib
import pty
import select
import struct
import sys
import tempfile
import termios
import time
import xml.sax.saxutils

import pyte

from busy import PROGRAM, served

COLUMNS, LINES, SECONDS = 112, 22, 20
CELL_W, CELL_H, FONT = 7.8, 17, 13
BACK, FORE = "#1c1f24", "#d5d8dd"
COLOURS = {"red": "#ff6b68", "cyan": "#5cc8d7", "default": FORE}


def capture(folder):
    """The screen, after some seconds."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder.parent)
        os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8", TZ="UTC")
        os.execv(PROGRAM, [PROGRAM, "top", "--data", folder.name])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if select.select([terminal], [], [], 0.1)[0]:
            stream.feed(os.read(terminal, 65536))
    os.write(terminal, b"q")
    os.waitpid(child, 0)
    return screen


def runs(line):
    """(first column, text, the cell) of the cells of a line that look the same."""
    first, text, like = 0, "", None
    for column in range(COLUMNS):
        cell = line[column]
        look = (cell.fg, cell.bold, cell.reverse)
        if like is not None and look != like:
            yield first, text, like
            first, text = column, ""
        like, text = look, text + cell.data
    yield first, text, like


def draw(screen):
    width, height = COLUMNS * CELL_W + 20, LINES * CELL_H + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
           f'height="{height:g}" font-family="monospace" font-size="{FONT}">',
           "<title>docket top while docket serves some hundred requests a second</title>",
           f'<rect width="100%" height="100%" rx="6" fill="{BACK}"/>']
    for row in range(LINES):
        y = 10 + row * CELL_H
        for column, text, (colour, bold, reverse) in runs(screen.buffer[row]):
            x, wide = 10 + column * CELL_W, len(text) * CELL_W
            if reverse:
                out.append(f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{CELL_H}" fill="{FORE}"/>')
            if not text.strip():
                continue
            lead = len(text) - len(text.lstrip())
            shown = text.strip()
            weight = ' font-weight="bold"' if bold else ""
            out.append(f'<text x="{x + lead * CELL_W:g}" y="{y + 13:g}" textLength="{len(shown) * CELL_W:g}" '
                       f'fill="{BACK if reverse else COLOURS.get(colour, FORE)}"{weight}>'
                       f"{xml.sax.saxutils.escape(shown).replace(' ', chr(0xa0))}</text>")
    return "\n".join([*out, "</svg>", ""])


def main():
    with tempfile.TemporaryDirectory() as place:
        with served(pathlib.Path(place)) as (data, _):
            time.sleep(3)
            screen = capture(data)
    pathlib.Path(sys.argv[1]).write_text(draw(screen), "utf-8")
    print("\n".join(line.rstrip() for line in screen.display))


main()
