# SPDX-License-Identifier: GPL-2.0-only
"""screenshots.py WORK DIR - pictures of the pages in WORK, as small as they get, into DIR."""

import pathlib
import struct
import sys
import zlib

from browser import Browser

WIDTH, HEIGHT = 1200, 860


def chunk(kind, data):
    return (struct.pack(">I", len(data)) + kind + data +
            struct.pack(">I", zlib.crc32(kind + data)))


def rows_of(png):
    """The pixels of what Chromium writes: 8 bits a colour, not interlaced."""
    at, data = 8, b""
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            data += body
        at += 12 + size
    assert depth == 8 and colour in (2, 6)
    bytes_each = 3 if colour == 2 else 4
    raw, stride, before = zlib.decompress(data), width * bytes_each, bytearray(width * bytes_each)
    for y in range(height):
        start = y * (stride + 1)
        how, row = raw[start], bytearray(raw[start + 1:start + 1 + stride])
        for i in range(stride):
            left = row[i - bytes_each] if i >= bytes_each else 0
            up = before[i]
            corner = before[i - bytes_each] if i >= bytes_each else 0
            if how == 1:
                row[i] = (row[i] + left) & 255
            elif how == 2:
                row[i] = (row[i] + up) & 255
            elif how == 3:
                row[i] = (row[i] + (left + up) // 2) & 255
            elif how == 4:
                near = left + up - corner
                a, b, c = abs(near - left), abs(near - up), abs(near - corner)
                row[i] = (row[i] + (left if a <= b and a <= c else up if b <= c else corner)) & 255
        before = row
        yield [bytes(row[i:i + 3]) for i in range(0, stride, bytes_each)]


def shrink(png):
    """At most 256 colours: the most frequent ones, and the nearest for the rest."""
    rows = list(rows_of(png))
    count = {}
    for row in rows:
        for colour in row:
            count[colour] = count.get(colour, 0) + 1
    palette = sorted(count, key=lambda c: (-count[c], c))[:256]
    index = {c: i for i, c in enumerate(palette)}
    for colour in count:
        if colour not in index:
            index[colour] = min(range(len(palette)), key=lambda i: sum(
                (a - b) ** 2 for a, b in zip(palette[i], colour)))
    data = b"".join(b"\0" + bytes(index[c] for c in row) for row in rows)
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)) +
            chunk(b"PLTE", b"".join(palette)) + chunk(b"IDAT", zlib.compress(data, 9)) +
            chunk(b"IEND", b""))


def take(b, page, path, prepare=None, dark=False):
    b.dark(dark)
    b.open(page.resolve().as_uri())
    if prepare:
        b.eval(prepare)
    b.settle()
    b.screenshot(path)
    path.write_bytes(shrink(path.read_bytes()))


def main():
    work, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    demo = work / "demo.html"
    fail = next((work / "fail").glob("*.html"))
    # Where a child cache is deactivated, and what its lives are then.
    offline = """(() => { const i = listed.find(i => kinds[kind[i]].name === 'cache_deactivate');
        setSplit(72); setView(start[i] - 12, start[i] + 24); select(i); })()"""
    b = Browser(WIDTH, HEIGHT)
    try:
        take(b, demo, out / "page-light.png", offline)
        take(b, demo, out / "page-dark.png", offline, dark=True)
        take(b, fail, out / "page-violation.png")
        take(b, work / "diff.html", out / "page-diff.png")
    finally:
        b.close()


main()
