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
