# SPDX-License-Identifier: GPL-2.0-only
"""test_page.py FAIL PASS HOSTILE BIG EMPTY CUT DIFF SAME ODD UNITS - the pages as a reader uses them.

With SCREENSHOTS set to a directory, pictures are left there.
"""

import pathlib
import sys

from accessibility import Accessibility
from browser import Browser
from checks import check, clean, equal, failed, shot, text


def pixels(b):
    """How many colours the canvas shows: 1 means that nothing was drawn."""
    return b.eval("""new Set(new Uint32Array(g.getImageData(0, 0, lanesCanvas.width,
        lanesCanvas.height).data.buffer)).size""")


def test_violation(b, url):
    b.open(url)
    clean(b, "open")
    equal("verdict", text(b, "#verdict"), "FAIL")
    seq = b.eval("violations[0].seq")
    equal("opens at the violation", b.eval("location.hash"), "#e%d" % seq)
    check("details show the rule", "use-after-free" in text(b, "#details") or
          b.eval("violations[0].rule") in text(b, "#details"))
    check("what it is in conflict with is shown, and joined to it", b.eval(
        "violations[0].related.some(i => words(i).startsWith('kmemcg_workfn.clear') && lineOf(i) >= 0 &&"
        " listed[lineOf(i)] === i)"))
    check("details show a call stack", "Call stack" in text(b, "#details"))
    check("details show the race table", "*** " in text(b, "#details pre"))
    check("something is drawn", pixels(b) > 20, pixels(b))
    shot(b, "violation")

    b.key("f")
    equal("f shows the whole run", b.eval("from <= start[0] && to >= start[n]"), True)
    shot(b, "fit")
    b.key("Home")
    check("Home goes to the first event", b.eval("selected === listed[0]"))
    b.key("v")
    equal("v jumps to the violation", b.eval("location.hash"), "#e%d" % seq)
    check("the violation is in view", b.eval("start[selected] >= from && stop[selected] <= to"))

    b.key("ArrowLeft")
    check("Left steps back", b.eval("listed[lineOf(selected) + 1] === violations[0].at"))
    b.key("ArrowRight")
    equal("Right steps forward", b.eval("location.hash"), "#e%d" % seq)
    b.key("ArrowUp")
    check("Up stays in the context", b.eval("ctx[selected] === ctx[violations[0].at]"))
    equal("the table follows", b.eval(
        "+document.querySelector('#rows tr[aria-selected=true]').dataset.i === selected"), True)
    check("it is said aloud", ("Event %d" % b.eval("seq[selected]")) in text(b, "#said"))

    effect = b.eval("seq[cause.findIndex(c => c >= 0)]")
    b.eval("select(find(%d))" % effect)
    b.key("Enter")
    equal("Enter follows the cause", b.eval("selected"), b.eval("cause[find(%d)]" % effect))
    b.key("e")
    equal("e follows the effect", b.eval("cause[selected] >= 0"), True)

    b.key("/")
    equal("/ goes to the search", b.eval("document.activeElement.id"), "query")
    b.type("queue_work")
    b.key("Enter")
    check("search selects a match", "queue_work" in b.eval("kinds[kind[selected]].name") or
          "queue_work" in text(b, "#details"))
    check("matches are counted", " of " in text(b, "#matches"), text(b, "#matches"))
    first = b.eval("selected")
    b.key("Enter")
    check("Enter goes to the next match", b.eval("selected") != first)
    shot(b, "search")
    b.key("Escape")
    equal("Escape leaves the search", b.eval("document.activeElement.id"), "view")
    b.key("v")

    before = b.eval("[from, to]")
    b.key("w")
    check("w zooms in", b.eval("to - from") < before[1] - before[0])
    b.key("s")
    at = b.eval("from")
    b.key("a")
    left = b.eval("from")
    check("a pans to the left", left < at)
    b.key("d")
    check("d pans to the right", b.eval("from") > left)
    middle = b.eval("""(() => { const r = lanesCanvas.getBoundingClientRect();
        return [r.left + r.width / 2, r.top + 40]; })()""")
    wide = b.eval("to - from")
    b.wheel(middle[0], middle[1], -300, ctrl=True)
    check("Ctrl+wheel zooms", b.eval("to - from") < wide)

    b.key("v")
    equal("arrows are off at first", b.eval("shown.arrows"), False)
    for key, button, name in (("c", "arrows", "arrows"), ("n", "all", "all"),
                              ("t", "bytime", "time"), ("l", "bytask", "tasks")):
        b.key(key)
        equal(key + " is shown as pressed",
              b.eval("document.getElementById(%r).getAttribute('aria-pressed')" % button), "true")
        equal(key + " works", b.eval("shown." + name), True)
        shot(b, "toggle-" + name)
        b.key(key)
    equal("every choice can be undone", b.eval("Object.values(shown).some(x => x)"), False)

    other = b.eval("seq[listed[3]]")
    b.eval("location.hash = '#e%d'" % other)
    b.settle()
    equal("an address typed in is followed", b.eval("seq[selected]"), other)
    b.open(url.split("#")[0] + "?again#e%d" % other)
    equal("a deep link opens at its event", b.eval("seq[selected]"), other)
    check("and shows it", b.eval("start[selected] >= from && stop[selected] <= to"))

    # What is clicked is what is drawn: the violation's own box.
    b.key("v")
    b.key("ArrowLeft")
    x, y = b.eval("""(() => { const r = lanesCanvas.getBoundingClientRect();
        const i = violations[0].at; return [r.left + eventX(i), r.top + eventY(i)]; })()""")
    b.move(x, y)
    check("a tip says what is under the pointer", ("#%d" % seq) in text(b, "#tip"), text(b, "#tip"))
    b.click(x, y)
    equal("a click selects", b.eval("seq[selected]"), seq)
    b.eval("document.querySelector('#rows tr[data-i]').click()")
    check("a click in the table selects", b.eval("selected !== violations[0].at"))
    b.key("v")

    b.dark(True)
    check("dark is dark", b.eval("getComputedStyle(document.body).backgroundColor") ==
          "rgb(21, 23, 27)")
    equal("the canvas follows", b.eval("[...g.getImageData(2, 2, 1, 1).data]"), [21, 23, 27, 255])
    shot(b, "dark")
    b.dark(False)

    for size in ((700, 600), (1920, 1080)):
        b.resize(*size)
        b.settle()
        equal("%d wide: no sideways scrolling" % size[0],
              b.eval("document.documentElement.scrollWidth <= innerWidth"), True)
        check("%d wide: the canvas fits" % size[0], b.eval(
            "Math.abs(lanesCanvas.getBoundingClientRect().width - view.clientWidth) < 20"))
        shot(b, "%d" % size[0])
    b.resize(1440, 900, 2)
    b.settle()
    equal("sharp on dense screens", b.eval("lanesCanvas.width >= 2 * width - 2"), True)
    b.resize(1440, 900)
    b.settle()

    b.send("Emulation.setEmulatedMedia", {"media": "print"})
    b.eval("print_(true)")
    check("print has every row", b.eval("document.querySelectorAll('#rows tr[data-i]').length") ==
          min(3000, b.eval("listed.length")))
    equal("print has no tools", b.eval("getComputedStyle(byId('tools')).display"), "none")
    b.eval("print_(false)")
    b.send("Emulation.setEmulatedMedia", {"media": ""})
    clean_errors(b, "violation page")


def clean_errors(b, what):
    equal(what + ": errors", b.errors(), [])


def test_lives(b, url):
    """A page without a violation: lives, counters, pending bars, phrases."""
    b.open(url)
    clean(b, "pass")
    equal("verdict", text(b, "#verdict"), "PASS")
    check("no violation to jump to", b.eval("byId('jump').disabled"))
    check("lanes have nested calls", b.eval("rows.some(r => r.type === 'call' && r.y > groups[1].y)"))
    check("bars of deferred work", b.eval("bars.some(g => g.label === 'call_rcu pending')"))
    check("bars end where the work starts", b.eval("""bars.every(g => g.rows.every(r =>
        [...r.a].every((a, k) => r.b[k] > a && (r.b[k] === n || cause[r.b[k]] === a ||
            kinds[kind[a]].name === 'rcu_gp_start' || kinds[kind[r.b[k]]].name === 'cancel_work'))))"""))
    check("a life ends freed and goes on", b.eval("""life.some(g => { const r = g.rows[0],
        last = r.a.length - 1; return nameOf(r, last) === 'freed' && r.b[last] === n; })"""))
    check("counters are drawn", b.eval("counters.length > 3 && counters.every(c => c.at.length)"))
    check("segments of a row do not overlap", b.eval("""rows.every(r => !r.left ||
        [...r.left].every((x, k) => k === 0 || (x >= r.left[k - 1] && r.right[k] >= r.right[k - 1])))"""))
    shot(b, "lives")
    clean_errors(b, "pass page")


def test_hostile(b, url):
    b.open(url)
    clean(b, "hostile")
    equal("nothing was run", b.eval("window.hacked === undefined"), True)
    equal("no element came from the trace",
          b.eval("document.querySelectorAll('img, iframe, b i, script[src], #evil').length"), 0)
    check("the name is shown as text", "</script>" in text(b, "#title"))
    check("control and direction characters are replaced", b.eval(
        "!/[\\u0000-\\u0008\\u202e\\u2066]/.test(document.body.innerText)"))
    for key in ("Home", "ArrowRight", "ArrowRight", "End", "f", "c", "n", "t", "l"):
        b.key(key)
    b.key("/")
    b.type("<img")
    b.key("Enter")
    equal("still nothing was run", b.eval("window.hacked === undefined"), True)
    equal("no sideways scrolling", b.eval("document.documentElement.scrollWidth <= innerWidth"), True)
    shot(b, "hostile")
    clean_errors(b, "hostile page")


def test_short(b, url):
    """A trace that was cut short, after some events or before the first."""
    b.open(url)
    clean(b, "short")
    equal("verdict", text(b, "#verdict"), "INCOMPLETE")
    check("it says so", "cut short" in text(b, "#message"))
    for key in ("Home", "End", "ArrowRight", "ArrowUp", "Enter", "e", "v", "f", "w", "d", "c",
                "n", "t", "l", "?"):
        b.key(key)
    b.key("/")
    b.type("lock")
    b.key("Enter")
    clean_errors(b, "short page")


def test_big(b, url):
    """Many events: what is drawn does not grow with them, and nothing is lost."""
    b.open(url)
    clean(b, "big")
    b.key("f")
    frame = b.eval("""(() => { const ms = []; for (let i = 0; i < 15; i++) { draw(); ms.push(lastFrame); }
        return ms.sort((a, b) => a - b)[2]; })()""")
    events = b.eval("n")
    print("  %d events: %.1f ms a frame" % (events, frame))
    # 16 ms on an idle machine; tests run beside others.
    check("a frame of the whole run is fast", frame < 50, frame)
    check("rows are dense", b.eval("rows.some(r => r.dense)"))
    check("the table holds few rows", b.eval("document.querySelectorAll('#rows tr').length") < 200)
    b.key("End")
    check("the table goes to the end", b.eval(
        "+document.querySelector('#rows tr[aria-selected=true]').dataset.i === listed[listed.length - 1]"))
    # A search runs in slices: another one takes its place, and what is shown is the last one's.
    b.eval("query.value = 'dentry'; runSearch(); query.value = 'kworker call_rcu'; runSearch()")
    b.settle()
    equal("the last search counts", b.eval("[searching, searched]"), [None, "kworker call_rcu"])
    check("found what there is", b.eval("""(() => { let k = 0;
        const text = i => [kinds[kind[i]].name, contexts[ctx[i]].comm, contexts[ctx[i]].kind,
            objectCalled(obj[i]), objectId(obj[i]), 'cpu' + contexts[ctx[i]].cpu, ...stackOf(i),
            ...argsOf(i).map(a => a.text + (a.type === 'o' ? ' ' + objectId(a.value) : ''))].join('|').toLowerCase();
        for (let i = 0; i < n; i++) {
            const t = text(i);
            if (t.includes('kworker') && t.includes('call_rcu') && found[k++] !== i) return false; }
        return k === found.length && k > 0; })()"""))
    b.eval("query.value = ''; runSearch(); select(listed[0]); query.value = 'discard'; nextMatch(1)")
    b.settle()
    equal("Enter goes to the first match", b.eval("selected === found[0]"), True)
    b.eval("select(listed[0]); query.value = 'discard_slab'; nextMatch(-1)")
    b.settle()
    equal("Shift+Enter waits for the last one", b.eval("selected === found[found.length - 1]"), True)
    # Whatever is chosen in a row, all of it holds in the end.
    b.eval("for (const k of 'ntlntl') commands[k]()")
    b.settle()
    equal("twice is not at all", b.eval("[shown.all, shown.time, shown.tasks, listed.length < n]"),
          [False, False, False, True])
    equal("no work is left", b.eval("byId('working').hidden"), True)
    b.key("n")
    b.key("t")
    equal("every event is listed", b.eval("listed.length === n && shown.time"), True)
    shot(b, "big")
    clean_errors(b, "big page")


# Each run in its own order; what both have in order in one place, all else apart.
ALIGNED = """(() => { const bad = [];
    for (const list of ofSide) list.forEach((i, k) => {
        if (k && !(seq[i] > seq[list[k - 1]] && i > list[k - 1])) bad.push('order ' + tag(i)); });
    for (let i = 0; i < n; i++) {
        const p = partner[i];
        if (i && start[i] < start[i - 1]) bad.push('place ' + tag(i));
        if ((p >= 0) !== (pairing[i] !== ALONE)) bad.push('pairing ' + tag(i));
        if (p < 0) continue;
        if (partner[p] !== i || side[p] === side[i] || kind[p] !== kind[i]) bad.push('partner ' + tag(i));
        if (isAligned(i) && start[i] !== start[p]) bad.push('apart ' + tag(i));
        if (cause[i] >= 0 && side[cause[i]] !== side[i]) bad.push('cause ' + tag(i));
    }
    return bad.slice(0, 5); })()"""


def test_diff(b, url):
    """Two runs of one scenario on one axis."""
    b.open(url)
    clean(b, "diff")
    equal("verdicts", [text(b, "#verdict"), text(b, "#verdict2")], ["A FAIL", "B PASS"])
    equal("both runs are there", b.eval("ofSide.map(l => l.length)"), b.eval("runs.map(r => r.n)"))
    equal("alignment", b.eval(ALIGNED), [])
    first = b.eval("differences[0]")
    equal("opens where they part", b.eval("selected"), first)
    check("nothing differs before", b.eval(
        "[...listed].filter(i => i < differences[0]).every(i => pairing[i] === SAME)"))
    check("it says where", b.eval("byId('message').textContent.includes(tag(differences[0]))"))
    check("the text of diff is there", "FIRST DIVERGENCE" in text(b, "#details"))
    check("some events are in one run only", b.eval("[...differences].some(i => pairing[i] === ALONE)"))
    check("some came in another order", b.eval("[...differences].some(i => pairing[i] === MOVED)"))
    check("lanes of both", b.eval("['A CPU0 task', 'B CPU0 task'].every(l => groups.some(g => g.label === l))"))
    check("a counter has both", b.eval("rows.some(r => r.counters && r.counters.length === 2)"))
    shot(b, "diff")
    b.key("x")
    equal("x goes on", b.eval("selected"), b.eval("differences[1]"))
    b.key("X")
    equal("X goes back", b.eval("selected"), first)
    b.key("X")
    equal("and around", b.eval("selected === differences[differences.length - 1]"), True)
    b.key("v")
    equal("v is the violation", b.eval("selected === violations[0].at && side[selected] === 0"), True)
    b.key("Home")
    b.key("ArrowRight")
    check("what both have is listed once", b.eval(
        "[...listed].every(i => !(side[i] && isAligned(i))) && isAligned(selected)"))
    row = text(b, "#rows tr[aria-selected=true] td")
    check("with both numbers", row.startswith("A#") and " B#" in row, row)
    b.eval("location.hash = '#eB' + seq[ofSide[1][20]]")
    b.settle()
    equal("deep link into B", b.eval("selected === ofSide[1][20]"), True)
    check("details lead to the other run", b.eval(
        "partner[selected] < 0 || details.textContent.includes(tag(partner[selected]))"))
    b.key("t")
    equal("there is no true time", b.eval("shown.time"), False)
    b.key("/")
    b.type("b#3")
    b.key("Enter")
    equal("a number of one run", b.eval("found.length === 1 && tag(found[0])"), "B#3")
    b.key("Escape")
    for key in ("n", "l", "c", "f", "End"):
        b.key(key)
    equal("alignment of every event", b.eval(ALIGNED), [])
    b.dark(True)
    shot(b, "diff-dark")
    b.dark(False)
    clean_errors(b, "diff page")


def test_same(b, url):
    b.open(url)
    clean(b, "same")
    equal("no difference", b.eval("differences.length"), 0)
    equal("none to go to", b.eval("byId('next').disabled"), True)
    check("it says so", "do the same" in text(b, "#message"))
    equal("every event has its twin", b.eval("pairing.every(p => p === SAME)"), True)
    b.key("n")
    equal("half as many lines as events", b.eval("listed.length * 2 === n"), True)
    b.key("x")
    clean_errors(b, "same page")


def test_odd(b, url):
    """Hostile names against nothing; steps against nanoseconds, one of them cut short."""
    b.open(url)
    clean(b, "odd")
    equal("nothing was run", b.eval("window.hacked === undefined"), True)
    equal("no element came from the trace",
          b.eval("document.querySelectorAll('img, iframe, b i, script[src], #evil').length"), 0)
    equal("alignment", b.eval(ALIGNED), [])
    for key in ("x", "x", "X", "Home", "End", "ArrowLeft", "v", "n", "l", "c", "w", "f"):
        b.key(key)
    clean_errors(b, "odd page")


def test_accessibility(b, fail, good, diff, odd):
    access = Accessibility(b)
    access.everywhere("a violation", fail)
    for dark in (False, True):
        b.dark(dark)
        b.open(fail)
        for key in "?cntl":
            b.key(key)
            access.clean("after " + key)
        b.key("/")
        b.type("queue_work")
        b.key("Enter")
        access.clean("a search")
        b.key("Escape")
        b.key("Home")
        access.clean("the first event")
        b.open(good)
        access.clean("no violation")
        b.open(odd)
        access.clean("hostile names")
    b.dark(False)
    access.everywhere("two runs", diff)
    access.can_fail(fail)


def main():
    urls = [pathlib.Path(p).resolve().as_uri() for p in sys.argv[1:]]
    b = Browser()
    try:
        for test, url in zip((test_violation, test_lives, test_hostile, test_big, test_short, test_short,
                              test_diff, test_same, test_odd, test_odd), urls):
            test(b, url)
        test_accessibility(b, urls[0], urls[1], urls[6], urls[8])
    finally:
        b.close()
    sys.exit(1 if failed else 0)


main()
