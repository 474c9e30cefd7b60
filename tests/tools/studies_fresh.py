#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""studies_fresh.py PROGRAM DOCUMENT [EXCERPT...] - is what DOCUMENT says about studies still so?

Runs each study between <!-- slabsim study FILE --> and <!-- end --> with the first of its seeds
only, and compares with what stands there:

- the same tables: metrics, series, what the columns are;
- each figure: without an interval it is the same in each run, so in this one.  With one, this run
  is among the N of the mean, and no value of N is farther from their mean than (N - 1) / sqrt(N)
  standard deviations;
- the same claims, and that all of them are supported.

Figures of a table in an EXCERPT have to stand in DOCUMENT.  Says what differs, and exits with 1.
`make check-studies` runs all replications, and compares byte by byte.
"""

import csv
import os
import re
import subprocess
import sys
import tempfile

# Student's t, 97.5 %, by degrees of freedom.
T = {4: 2.776, 9: 2.262, 19: 2.093}

BEGIN = "<!-- slabsim study "
BLOCK = re.compile(r"^<!-- slabsim study (\S+) -->\n\n```\n(.*?)^```\n\n<!-- end -->$", re.M | re.S)
HEAD = re.compile(r"^\w+: .*\n(\d+) series, (\d+) replications", re.M)
TABLE = re.compile(r"^(\S.*) \(([^()]+)\)\n((?:  .*\n)+)", re.M)
CURVE = re.compile(r"^ +[_.:=#-]{2,}(?= )")
CELL = re.compile(r"(?<=\s)(-?[0-9][0-9.]*|-)(?: \+-([0-9.]+))?(?=\s|$)")
CLAIM = re.compile(r"^  (supported|NOT SUPPORTED) +(.*)$", re.M)


def last_digit(number):
    """What one more in the last place that is printed stands for."""
    return 10.0 ** -len(number.partition(".")[2])


class Study:
    """One block of the document, and one run of each of its series."""

    def __init__(self, program, path, text):
        self.path, self.text, self.wrong = path, text, []
        series, runs = HEAD.search(text).groups()
        self.nr_series, self.nr_runs = int(series), int(runs)
        self.figures, self.now, self.nr_figures = {}, "", 0
        self.run(program)

    def complain(self, *words):
        self.wrong.append(f"{self.path}: " + " ".join(str(w) for w in words))

    def run(self, program):
        with tempfile.TemporaryDirectory() as out:
            command = [program, "study", self.path, "--replications", "1", "-q", "-o", out]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            # Not supported: that may need more than one run.
            if done.returncode not in (0, 1):
                self.complain("exit status", done.returncode, done.stderr)
                return
            name = os.path.join(out, os.path.basename(self.path)[: -len(".lua")])
            with open(name + ".study.txt", encoding="utf-8") as f:
                self.now = f.read()
            with open(name + ".csv", encoding="utf-8", newline="") as f:
                for line in csv.DictReader(f):
                    row = self.figures.setdefault((line["metric"], line["unit"]), {})
                    row[line["series"], line["x"]] = float(line["mean"])

    def compare_figure(self, where, value, number, half):
        self.nr_figures += 1
        if number == "-" or value is None:
            if number != "-" or value is not None:
                self.complain(*where, "is", value, "and not", number)
            return
        slack = 0.501 * last_digit(number)
        if half:
            slack += (float(half) + last_digit(half)) * (self.nr_runs - 1) / T[self.nr_runs - 1]
        if abs(float(number) - value) > slack:
            self.complain(*where, "is", value, "and not", number, f"+-{half}" if half else "")

    def compare_table(self, metric, unit, lines):
        figures = self.figures.get((metric, unit), {})
        names = sorted({series for series, _ in figures}, key=len, reverse=True)
        columns = [""]
        nr_rows = 0
        for line in lines:
            name = next((n for n in names if line.startswith(f"  {n} ")), None)
            rest = CURVE.sub("", line[2 + len(name) :] if name else line)
            cells = CELL.findall(rest)
            if name is None and nr_rows == 0:
                columns = [number for number, _ in cells]
                continue
            nr_rows += 1
            if name is None or len(cells) != len(columns):
                self.complain(metric, "in a row that does not fit:", line.strip())
                continue
            for x, (number, half) in zip(columns, cells):
                self.compare_figure((metric, name, x), figures.get((name, x)), number, half)
        if nr_rows != self.nr_series:
            self.complain(metric, "has", nr_rows, "rows and not", self.nr_series)

    def check(self):
        tables = TABLE.findall(self.text)
        for metric, unit in sorted(set(self.figures) ^ {(m, u) for m, u, _ in tables}):
            self.complain("only one of both has a table of", metric, unit)
        for metric, unit, body in tables:
            self.compare_table(metric, unit, body.splitlines())
        claims, now = CLAIM.findall(self.text), CLAIM.findall(self.now)
        if not claims or [text for _, text in claims] != [text for _, text in now]:
            self.complain("other claims:", [text for _, text in now])
        self.wrong += [f"{self.path}: not supported: {t}" for v, t in claims if v != "supported"]


def missing_lines(document, path):
    """Figures in a table of @path that are not in @document."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    return [f"{path}: {line.strip()}" for line in lines if " +-" in line and line not in document]


def main():
    program, path, *excerpts = sys.argv[1:]
    with open(path, encoding="utf-8") as f:
        text = f.read()
    studies = [Study(program, *block) for block in BLOCK.findall(text)]
    wrong = []
    for study in studies:
        study.check()
        wrong += study.wrong
    if not studies or len(studies) != text.count("\n" + BEGIN):
        wrong.append(f"{path}: {len(studies)} of {text.count(BEGIN)} studies can be read")
    for excerpt in excerpts:
        wrong += missing_lines(text.splitlines(), excerpt)
    print(f"{len(studies)} studies, {sum(s.nr_figures for s in studies)} figures")
    for what in wrong:
        print(what)
    return 1 if wrong else 0


sys.exit(main())
