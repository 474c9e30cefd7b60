#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""kernelshark.py FILE.dat - what KernelShark makes of a trace.dat file.

Prints the rows of its table, "STREAM; TIME; TASK-PID; CPU N; LATENCY; EVENT; INFO; ...", as the library has
them that the program is made of.  Then opens the program itself on a screen in memory (Xvfb), and prints
how many colours its plots have: each task is drawn in one of its own, and where no plot is there is none.

PICTURE=FILE keeps what was on the screen, as a PPM.
"""

import colorsys
import ctypes
import itertools
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

PLOTS = (100, 240)  # the rows of pixels where they are, in a window of 1200 by 800


def rows(path):
    """From libkshark, in the order of the table."""
    lib = ctypes.CDLL("libkshark.so.2")
    libc = ctypes.CDLL(None)
    context = ctypes.c_void_p()
    entries = ctypes.POINTER(ctypes.c_void_p)()
    lib.kshark_load_entries.restype = ctypes.c_ssize_t
    lib.kshark_dump_entry.restype = ctypes.c_void_p
    if not lib.kshark_instance(ctypes.byref(context)):
        raise OSError("no KernelShark context")
    stream = lib.kshark_open(context, path.encode())
    if stream < 0:
        raise OSError("KernelShark cannot open %s: %d" % (path, stream))
    n = lib.kshark_load_entries(context, stream, ctypes.byref(entries))
    if n < 0:
        raise OSError("KernelShark cannot read %s: %d" % (path, n))
    for i in range(n):
        text = lib.kshark_dump_entry(ctypes.c_void_p(entries[i]))
        yield ctypes.string_at(text).decode("ascii", "replace")
        libc.free(ctypes.c_void_p(text))


class Screen:
    """An X server whose picture is a file."""

    def __init__(self, home):
        self.home = home
        reads, writes = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writes), "-screen", "0", "2400x1600x24", "-fbdir", home,
             "-nolisten", "tcp"],
            pass_fds=(writes,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writes)
        with os.fdopen(reads) as f:
            self.display = ":" + f.readline().strip()

    def close(self):
        self.server.terminate()
        self.server.wait()

    def picture(self):
        """The XWD file that the server keeps."""
        with open(os.path.join(self.home, "Xvfb_screen0"), "rb") as f:
            return f.read()


def lines(picture):
    """Each row of pixels, as (red, green, blue)."""
    head = struct.unpack_from(">25I", picture)
    size, width, height, stride, nr_colours = head[0], head[4], head[5], head[12], head[19]
    for y in range(height):
        at = size + nr_colours * 12 + y * stride
        line = picture[at:at + 4 * width]
        yield list(zip(line[2::4], line[1::4], line[0::4]))


def save(picture, path):
    all_lines = list(lines(picture))
    with open(path, "wb") as f:
        f.write(b"P6 %d %d 255\n" % (len(all_lines[0]), len(all_lines)))
        for line in all_lines:
            f.write(bytes(c for pixel in line for c in pixel))


def colours(picture):
    """Those that fill some pixels where the plots are, greys aside."""
    count = {}
    for line in itertools.islice(lines(picture), *PLOTS):
        for pixel in line:
            count[pixel] = count.get(pixel, 0) + 1
    return [c for c, n in count.items()
            if n >= 20 and colorsys.rgb_to_hsv(*(x / 255 for x in c))[1] > .5]


def plotted(path, seconds):
    """The picture once the plots are there and nothing changes, or after so many seconds."""
    home = tempfile.mkdtemp(prefix="slabsim-kernelshark.")
    shutil.copy(path, home)
    command = ["kernelshark", "-i", os.path.join(home, os.path.basename(path))]
    # Root gets a question instead of a window.
    if os.getuid() == 0:
        os.chown(home, 65534, 65534)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] + command
    screen = Screen(home)
    program = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=home,
        env=dict(os.environ, DISPLAY=screen.display, HOME=home, XDG_RUNTIME_DIR=home))
    try:
        now = b""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            last = now
            time.sleep(1)
            now = screen.picture()
            if now == last and colours(now):
                break
        return now
    finally:
        program.kill()
        program.wait()
        screen.close()
        shutil.rmtree(home, ignore_errors=True)


def main():
    path = os.path.abspath(sys.argv[1])
    for row in rows(path):
        print(row)
    picture = plotted(path, 30)
    if os.environ.get("PICTURE"):
        save(picture, os.environ["PICTURE"])
    print("colours: %d" % len(colours(picture)))


main()
