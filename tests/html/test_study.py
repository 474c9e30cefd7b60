# SPDX-License-Identifier: GPL-2.0-only
"""test_study.py STUDY EVIL ONE MANY NO_AXIS - pages with plots as a reader uses them."""

import pathlib
import sys

from accessibility import Accessibility
from browser import Browser
from checks import check, clean, equal, failed, shot, text


def test_study(b, url):
    b.open(url)
    clean(b, "study")
    equal("title", text(b, "#title"), "offline")
    equal("a plot for each metric", b.eval("plots.length"), 3)
    equal("captions", b.eval("[...document.querySelectorAll('figcaption h2')].map(h => h.textContent)"),
          ["time to free, us", "grace periods", "pages"])
    check("says how many runs", "the mean of 1 to 30 runs" in text(b, "#about"))
    equal("scales", b.eval("plots.map(p => [p.logX, p.logY, p.named])"),
          [[True, True, False], [True, True, False], [False, False, True]])
    equal("a band for each series", b.eval("plots[0].root.querySelectorAll('.band').length"), 2)
    equal("no band where nothing was said", b.eval("plots[1].root.querySelectorAll('.band').length"), 0)
    equal("whiskers over names", b.eval("plots[2].root.querySelectorAll('.whisker').length"), 2)
    # On a logarithmic axis equal factors are equal distances.
    check("scale", b.eval("""(() => { const p = plots[0], d = (a, z) => p.px(z) - p.px(a);
        return Math.abs(d(1, 4) - d(4, 16)) < .01 && Math.abs(d(1, 4) - d(64, 256)) < .01 &&
            p.py(10) > p.py(100) && p.py(2560.5) < p.py(40.5); })()"""))
    check("the band holds the line", b.eval("""plots[0].list.every(r =>
        plots[0].py(r.low) >= plots[0].py(r.mean) && plots[0].py(r.mean) >= plots[0].py(r.high))"""))
    check("everything is inside", b.eval("""plots.every(p => p.list.every((r, k) => {
        const x = p.px(p.value(r.x)), y = p.py(r.mean);
        return x >= LEFT - .1 && x <= WIDTH - RIGHT + .1 && p.py(r.high) >= TOP - .1 &&
            p.py(r.low) <= HEIGHT - BOTTOM + .1 && y >= TOP; }))"""))
    shot(b, "study")
    b.eval("document.querySelector('figcaption button').click()")
    equal("linear on request", b.eval("[plots[0].logX, document.querySelector('figcaption button')"
                                      ".getAttribute('aria-pressed')]"), [False, "false"])
    check("scale, linear", b.eval("""(() => { const p = plots[0], d = (a, z) => p.px(z) - p.px(a);
        return Math.abs(d(0, 64) - d(64, 128)) < .01; })()"""))
    b.eval("document.querySelector('.legend button').click()")
    equal("a series is hidden", b.eval("plots[0].root.querySelectorAll('.line').length"), 1)
    b.eval("document.querySelector('.legend button').click()")
    equal("and shown again", b.eval("plots[0].root.querySelectorAll('.line').length"), 2)
    b.eval("plots[0].root.focus()")
    b.key("ArrowRight")
    b.key("ArrowRight")
    equal("keys read values", b.eval("plots[0].output.textContent"),
          "4 caches: v4.18 40.5 [36, 48]; v5.3 40.5 [36, 48]")
    b.key("End")
    check("the last one", b.eval("plots[0].output.textContent").startswith("256 caches: "))
    box = b.eval("(r => [r.left, r.top, r.width, r.height])(plots[0].root.getBoundingClientRect())")
    b.move(box[0] + box[2] * .132, box[1] + box[3] / 2)
    check("the pointer reads them too", b.eval("plots[0].output.textContent").startswith("1 caches: "))
    equal("every number is in a table", b.eval("document.querySelectorAll('tbody tr').length"),
          b.eval("rows.length"))
    equal("with its interval", b.eval("""[...[...document.querySelectorAll('tbody tr')].find(t =>
        t.cells[1].textContent === '256').cells].map(c => c.textContent)"""),
          ["v4.18", "256", "2560.5", "2304", "3072", "30"])
    equal("unnamed controls", b.eval("""[...document.querySelectorAll('button, [role]')].filter(e =>
        !(e.getAttribute('aria-label') || e.textContent.trim() || e.id === 'said')).length"""), 0)
    b.dark(True)
    shot(b, "study-dark")
    b.dark(False)
    b.resize(480, 800)
    b.settle()
    equal("no sideways scrolling", b.eval("document.documentElement.scrollWidth <= innerWidth"), True)
    b.resize(1440, 900)
    equal("errors", b.errors(), [])


def test_no_axis(b, url):
    """Nothing was varied: each series has its own place, under its own name."""
    b.open(url)
    clean(b, "no axis")
    equal("places", b.eval("plots[0].xs"), ["v4.0", "v4.18", "v5.3"])
    equal("side by side", b.eval("""new Set(plots[0].all.map((s, k) =>
        Math.round(plots[0].place(s[0], k)[0]))).size"""), 3)
    check("names below", b.eval("plots[0].root.textContent.includes('v4.18')"))
    b.eval("plots[0].root.focus()")
    b.key("End")
    equal("read", b.eval("plots[0].output.textContent"), "v5.3: v5.3 380")
    equal("errors", b.errors(), [])


def test_evil(b, url):
    b.open(url)
    clean(b, "evil")
    equal("nothing was run", b.eval("window.hacked === undefined"), True)
    equal("no element came from the data",
          b.eval("document.querySelectorAll('img, iframe, script[src], #evil').length"), 0)
    check("the name is shown as text", "</script>" in text(b, "#title"))
    check("control and direction characters are replaced", b.eval(
        "!/[\\u0000-\\u0008\\u001b\\u202e]/.test(document.body.innerText.replace(/\\s/g, ''))"))
    equal("numbers as they are", b.eval("plots.every(p => p.list.every(r => isFinite(p.py(r.mean))))"), True)
    equal("no sideways scrolling", b.eval("document.documentElement.scrollWidth <= innerWidth"), True)
    equal("errors", b.errors(), [])


def test_one(b, url):
    b.open(url)
    clean(b, "one")
    check("one point stands in the plot", b.eval("""plots.length === 1 &&
        plots[0].px(5) > LEFT && plots[0].px(5) < WIDTH - RIGHT && plots[0].py(10) > TOP"""))
    check("axes have numbers", b.eval("plots[0].root.querySelectorAll('text').length > 4"))
    equal("errors", b.errors(), [])


def test_many(b, url):
    b.open(url)
    clean(b, "many")
    ms = b.eval("(() => { const t = performance.now(); plots[0].draw(); return performance.now() - t; })()")
    print("  20000 points: drawn in %.0f ms" % ms)
    check("many points are drawn soon", ms < 1000, ms)
    equal("errors", b.errors(), [])


def test_accessibility(b, study, no_axis):
    access = Accessibility(b)
    access.everywhere("a study", study)
    b.eval("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    b.eval("document.querySelector('.legend button').click()")
    access.clean("tables open, a series hidden")
    access.everywhere("a study without an axis", no_axis)
    access.can_fail(study)


def main():
    urls = [pathlib.Path(path).resolve().as_uri() for path in sys.argv[1:]]
    b = Browser()
    try:
        for test, url in zip((test_study, test_evil, test_one, test_many, test_no_axis), urls):
            test(b, url)
        test_accessibility(b, urls[0], urls[4])
    finally:
        b.close()
    sys.exit(1 if failed else 0)


main()
