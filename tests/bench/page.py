# SPDX-License-Identifier: GPL-2.0-only
"""page.py PAGE - measure a page in a headless Chromium."""

import os
import pathlib
import sys

from browser import Browser

MB_GOAL = 15
FRAME_GOAL = 16  # ms
PAUSE_GOAL = 100  # ms; what nobody takes for a pause

# Every stretch of more than 50 ms in which the page could not answer, and when it ended.
WATCH = """window.pauses = []; new PerformanceObserver(list => list.getEntries().forEach(e =>
    pauses.push(e.duration))).observe({type: 'longtask', buffered: true});"""
LONGEST = """(async () => { await new Promise(d => setTimeout(d, 100));
    const longest = Math.max(0, ...pauses); pauses.length = 0; return longest; })()"""

# Other programs' turns count as pauses of the page: the calmest opening shows its own.
OPENINGS = 3

missed = 0


def say(what, value, unit, goal=None):
    global missed
    late = goal is not None and value > goal
    missed += late
    print("  %-36s %9.1f %-3s%s" % (what, value, unit, "" if goal is None else
                                    "  goal %g%s" % (goal, ": MISSED" if late else "")))


def during(b, what, work):
    """How long @work takes until everything is done, and its longest pause."""
    ms = b.eval("""(async () => { const t = performance.now(); %s;
        for (let was; was !== busy;) { was = busy; await busy; }
        draw(); return performance.now() - t; })()""" % work)
    say(what, ms, "ms")
    say("  longest pause", b.eval(LONGEST), "ms", PAUSE_GOAL)


def opening(b, url):
    """How long it takes, and its longest pause."""
    b.open(url)
    return b.eval("performance.now()"), b.eval(LONGEST)


def main():
    path = pathlib.Path(sys.argv[1]).resolve()
    b = Browser()
    try:
        b.send("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        opened, pauses = zip(*(opening(b, path.as_uri()) for _ in range(OPENINGS)))
        print("page of %d events" % b.eval("n"))
        say("file", os.path.getsize(path) / 1e6, "MB", MB_GOAL)
        say("open, best of %d" % OPENINGS, min(opened), "ms")
        say("  longest pause", min(pauses), "ms", PAUSE_GOAL)
        say("frame, whole run", b.eval("""(() => { const ms = []; fit();
            for (let i = 0; i < 21; i++) { draw(); ms.push(lastFrame); }
            return ms.sort((a, b) => a - b)[10]; })()"""), "ms", FRAME_GOAL)
        say("zoom step, median of 40", b.eval("""(() => { const ms = []; fit(); draw();
            for (let i = 0; i < 40; i++) { const t = performance.now(); zoom(.7); draw();
                ms.push(performance.now() - t); }
            return ms.sort((a, b) => a - b)[20]; })()"""), "ms", FRAME_GOAL)
        say("select an event, median of 20", b.eval("""(() => { const ms = [];
            for (let i = 0; i < n; i += Math.ceil(n / 20)) { const t = performance.now();
                select(i); draw(); ms.push(performance.now() - t); }
            return ms.sort((a, b) => a - b)[10]; })()"""), "ms", FRAME_GOAL)
        b.eval(LONGEST)
        for words in ("free", "kworker call_rcu", "nothing has this name"):
            during(b, "search '%s'" % words, "query.value = '%s'; runSearch()" % words)
        for name, button in (("all", "all"), ("tasks", "bytask"), ("time", "bytime")):
            during(b, "lay out anew: %s" % name, "toggle('%s', '%s')" % (name, button))
    finally:
        b.close()
    sys.exit(1 if missed else 0)


main()
