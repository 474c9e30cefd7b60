# SPDX-License-Identifier: GPL-2.0-only
"""Accessibility of a page: axe-core's rules, and the contrast of all text.

axe-core is not packaged for Debian 12, and half a megabyte of generated script is nothing to keep in
this repository.  Chromium has it: as a string in the bundle of Lighthouse, part of its developer tools,
which a page of its own shows as text.  Where that is missing, AXE names a file with it (axe.min.js of
the npm package axe-core); with neither axe's rules are skipped, which is said, and the contrast
of text and names of controls are all that is looked at.

axe gives up on the contrast of text that is scrolled out of view or partly covered; the
check here takes every element that has text of its own, and for what stands on the canvas, where there
are no elements, the colours that the page draws with.
"""

import os
import re

from checks import check, equal

BUNDLE = "devtools://devtools/bundled/third_party/lighthouse/lighthouse-dt-bundle.js"
SIZES = ((1440, 900), (700, 600), (360, 640))

# Relative luminance and contrast as WCAG 2 defines them; layers that are not opaque are blended.
COLOURS = """
    const rgba = s => { const v = s.match(/[\\d.]+/g).map(Number); return v.length > 3 ? v : [...v, 1]; };
    const over = (a, z) => [0, 1, 2].map(k => a[k] * a[3] + z[k] * (1 - a[3])).concat(1);
    const lum = c => { const v = c.slice(0, 3).map(x => { x /= 255;
        return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4; });
        return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
    const ratio = (a, z) => { const [x, y] = [lum(a), lum(z)].sort((p, q) => q - p);
        return (x + .05) / (y + .05); };
    const behind = e => { const all = [];
        for (; e; e = e.parentElement) all.push(rgba(getComputedStyle(e).backgroundColor));
        return all.reverse().reduce((z, a) => over(a, z), [255, 255, 255, 1]); };"""

FAINT = """(() => { %s
    const out = [];
    for (const e of document.body.querySelectorAll('*')) {
        if (e.matches('script, style, noscript, .sr, .sr *, :disabled, :disabled *') ||
            !e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) ||
            ![...e.childNodes].some(t => t.nodeType === 3 && t.data.trim())) continue;
        const style = getComputedStyle(e), back = behind(e);
        const front = over(rgba(e instanceof SVGElement ? style.fill : style.color), back);
        if (ratio(front, back) < 4.5) out.push([e.textContent.trim().slice(0, 40), ratio(front, back)]);
    }
    return out.slice(0, 5); })()""" % COLOURS

DRAWN = """(() => { %s
    const style = getComputedStyle(document.documentElement), probe = document.createElement('i');
    const colour = name => { probe.style.color = style.getPropertyValue(name);
        return rgba(getComputedStyle(probe).color); };
    document.body.append(probe);
    const pairs = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(k => ['--text-on', '--c' + k])
        .concat(['--fg', '--muted', '--bad', '--accent', '--odd'].map(name => [name, '--bg']));
    const out = pairs.filter(p => ratio(colour(p[0]), colour(p[1])) < 4.5);
    probe.remove();
    return out; })()""" % COLOURS

UNNAMED = """[...document.querySelectorAll('button, input, [role]')].filter(e =>
    !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label') ||
        e.getAttribute('role') === 'status')).map(e => e.outerHTML.slice(0, 80))"""


def literal_at(script, at):
    """The template literal in a script that holds position at; None if there is none."""
    start = script.rfind("`", 0, at)
    end = re.compile(r"(?:[^`\\]|\\.)*`", re.DOTALL).match(script, start + 1)
    return script[start:end.end()] if start >= 0 and end and at < end.end() else None


def find_axe(b):
    """The text of axe-core, or None."""
    if os.environ.get("AXE"):
        with open(os.environ["AXE"], encoding="utf-8") as f:
            return f.read()
    try:
        b.open(BUNDLE)
        script = b.eval("document.body.innerText")
    except (OSError, AssertionError):
        return None
    at = script.find("/*! axe v")
    text = literal_at(script, at) if at >= 0 else None
    return b.eval(text) if text else None


class Accessibility:
    def __init__(self, b):
        self.b = b
        self.axe = find_axe(b)
        if not self.axe:
            print("skipped: axe-core; this Chromium brings none, AXE=FILE would name one")

    def violations(self):
        """What axe complains about, as [rule, element]."""
        self.b.eval(self.axe + "; 0")
        return self.b.eval("""axe.run(document, { resultTypes: ['violations'] }).then(r =>
            r.violations.flatMap(v => v.nodes.map(n => [v.id, n.html.slice(0, 100)])).slice(0, 8))""")

    def clean(self, what):
        """The page as it stands now."""
        if self.axe:
            equal(what + ": axe", self.violations(), [])
        equal(what + ": controls without a name", self.b.eval(UNNAMED), [])
        equal(what + ": faint text", self.b.eval(FAINT), [])

    def everywhere(self, what, url):
        """A page as it opens, at each width, in both themes."""
        for width, height in SIZES:
            for dark in (False, True):
                self.b.resize(width, height)
                self.b.dark(dark)
                self.b.open(url)
                name = "%s, %d wide, %s" % (what, width, "dark" if dark else "light")
                self.clean(name)
                equal(name + ": faint in drawings", self.b.eval(DRAWN), [])
        self.b.resize(1440, 900)
        self.b.dark(False)

    def can_fail(self, url):
        """Whatever is looked at here is found where it is wrong."""
        self.b.open(url)
        self.b.eval("""document.querySelector('button').replaceChildren();
            document.querySelector('p').textContent = 'faint';
            document.documentElement.style.cssText = '--fg: #999; --muted: #999; --text-on: #999'""")
        if self.axe:
            rules = {v[0] for v in self.violations()}
            check("axe finds what is wrong", {"button-name", "color-contrast"} <= rules, rules)
        check("a control without a name is found", self.b.eval(UNNAMED) != [])
        check("faint text is found", self.b.eval(FAINT) != [])
        check("faint drawings are found", self.b.eval(DRAWN) != [])
