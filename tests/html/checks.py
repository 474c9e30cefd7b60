# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of pages have in common.

With SCREENSHOTS set to a directory, pictures are left there.
"""

import os

failed = []


def check(what, ok, got=None):
    if not ok:
        failed.append(what)
        print("FAILED: %s%s" % (what, "" if got is None else ": " + repr(got)))


def equal(what, got, expected):
    check(what, got == expected, "%r, should be %r" % (got, expected))


def shot(b, name):
    directory = os.environ.get("SCREENSHOTS")
    if directory:
        b.screenshot(os.path.join(directory, name + ".png"))


def text(b, selector):
    return b.eval("document.querySelector(%r).textContent" % selector)


def clean(b, what):
    """The page itself was requested and nothing else, and no script failed."""
    equal(what + ": requests", len(b.requests()), 1)
    equal(what + ": errors", b.errors(), [])


def contrast(b, selector):
    """Contrast of an element's text with what is behind it."""
    return b.eval("""(() => {
        const lum = c => { const v = c.map(x => { x /= 255;
            return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4; });
            return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
        const rgb = s => s.match(/[\\d.]+/g).map(Number);
        let e = document.querySelector(%r), back = e;
        while (back && (rgb(getComputedStyle(back).backgroundColor)[3] === 0)) back = back.parentElement;
        const a = lum(rgb(getComputedStyle(e).color)),
            z = lum(rgb(getComputedStyle(back || document.body).backgroundColor));
        return (Math.max(a, z) + .05) / (Math.min(a, z) + .05); })()""" % selector)
