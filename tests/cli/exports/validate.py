#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""validate.py TRACE DIR: do the exports in DIR say what TRACE says?

Each format is decoded by a reader of its own, written from its specification and
as strict as that allows, and compared with the trace event by event.
"""
import csv
import json
import re
import struct
import sys

trace = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
run = trace[0]
events = [x for x in trace if x["type"] == "event"]
violations = [x for x in trace if x["type"] == "violation"]
by_seq = {e["seq"]: e for e in events}
caused = [e for e in events if e.get("cause") in by_seq]
unit = 1 if run["unit"] == "ns" else 1000  # ns in a unit of t
where = sys.argv[2]


def clean(text, most=10**9):
    """Bytes beyond printable ASCII become a question mark each."""
    return "".join(chr(b) if 32 <= b < 127 else "?" for b in text.encode()[:most])


def value(arg, most=10**9):
    if isinstance(arg, bool):
        return int(arg)
    return arg if isinstance(arg, int) else clean(arg, most)


def same(what, got, want):
    assert got == want, "%s: got %r, expected %r" % (what, got, want)


# ---- Chrome trace events -------------------------------------------------------------------------
def no_twins(pairs):
    same("keys", len({k for k, _ in pairs}), len(pairs))
    return dict(pairs)


def chrome():
    data = open(where + "/x.json", encoding="utf-8").read()
    assert not re.search("[\x00-\x09\x0b-\x1f]", data), "control character in JSON"
    got = json.loads(data, object_pairs_hook=no_twins)
    same("keys", sorted(got), ["displayTimeUnit", "otherData", "traceEvents"])
    stacks, last, arrows, lives, seen = {}, {}, {}, {}, []
    for x in got["traceEvents"]:
        assert {"ph", "pid", "tid", "ts"} <= set(x), x
        lane, ph = (x["pid"], x["tid"]), x["ph"]
        if ph in "BEsf":
            assert x["ts"] >= last.get(lane, 0), ("time goes back", x)
            last[lane] = x["ts"]
        if ph == "B":
            stacks.setdefault(lane, []).append((x["args"]["seq"], x["cat"], x["name"]))
            seen.append(x["args"]["seq"])
        elif ph == "E":
            same("what ends", stacks[lane].pop()[1:], (x["cat"], x["name"]))
        elif ph in "sf":
            # Bound to what is open: it has to be the event itself.
            arrows.setdefault(x["id"], {})[ph] = stacks[lane][-1][0]
        elif ph in "be":
            stack = lives.setdefault(x["id"], [])
            if ph == "b":
                stack.append(x["name"])
            else:
                same("life", stack.pop(), x["name"])
        else:
            assert ph in "MCi", x
    assert not any(stacks.values()) and not any(lives.values()), "something stays open"
    same("arrows", arrows, {e["seq"]: {"s": e["cause"], "f": e["seq"]} for e in caused})
    ends = {"op_end", "work_end", "softirq_exit", "irq_handler_exit", "synchronize_rcu_done",
            "rcu_barrier_done", "flush_workqueue_done", "css_offline_done"}
    same("events twice", len(seen), len(set(seen)))
    left_out = set(by_seq) - set(seen)
    assert all(by_seq[s]["ev"] in ends for s in left_out), left_out
    for x in got["traceEvents"]:
        if x["ph"] == "B":
            e = by_seq[x["args"]["seq"]]
            same("event", x["args"]["event"], e["ev"])
            same("time", round(x["ts"] * 1000), e["t"] * unit)
            for name, arg in e.get("args", {}).items():
                same("argument", x["args"][name], arg)
    same("violations", [x["args"]["seq"] for x in got["traceEvents"] if x["ph"] == "i"],
         [v["seq"] for v in violations])


# ---- Perfetto ------------------------------------------------------------------------------------
def varint(data, at):
    v = shift = 0
    while True:
        byte = data[at]
        v |= (byte & 127) << shift
        shift += 7
        at += 1
        if byte < 128:
            return v, at


def message(data, known):
    """Fields of a message: number -> list of values; a field that is not known is an error."""
    fields, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        same("wire type of field %d" % number, wire, known[number])
        if wire == 0:
            v, at = varint(data, at)
        elif wire == 1:
            v, at = struct.unpack_from("<Q", data, at)[0], at + 8
        else:
            n, at = varint(data, at)
            assert at + n <= len(data), "cut short"
            v, at = data[at:at + n], at + n
        fields.setdefault(number, []).append(v)
    return fields


TRACK = {1: 0, 2: 2, 5: 0, 8: 2, 11: 0, 12: 0}
EVENT = {4: 2, 9: 0, 11: 0, 22: 2, 23: 2, 30: 0, 47: 1, 48: 1, 55: 2}


def perfetto():
    data = open(where + "/x.pftrace", "rb").read()
    tracks, stacks, flows, ends, seqs = {}, {}, [], [], []
    for packet in message(data, {1: 2})[1]:
        p = message(packet, {8: 0, 10: 0, 11: 2, 60: 2})
        same("sequence", p[10], [1])
        if 60 in p:
            t = message(p[60][0], TRACK)
            uuid = t[1][0]
            assert uuid not in tracks, "track %d twice" % uuid
            assert 5 not in t or t[5][0] in tracks, "track before its parent"
            tracks[uuid] = t[2][0].decode()
            continue
        e = message(p[11][0], EVENT)
        kind, uuid = e[9][0], e[11][0]
        assert uuid in tracks and 8 in p
        args = {}
        for a in map(lambda a: message(a, {4: 0, 6: 2, 10: 2}), e.get(4, [])):
            args[a[10][0].decode()] = a[6][0].decode() if 6 in a else a[4][0]
        for name in e.get(22, []) + e.get(23, []):
            name.decode()
        if kind == 1:
            stacks[uuid] = stacks.get(uuid, 0) + 1
        elif kind == 2:
            stacks[uuid] -= 1
            assert stacks[uuid] >= 0, "end without a begin"
        else:
            assert kind in (3, 4)
        if kind in (1, 3) and tracks[uuid] != "violations" and "event" in args:
            want = by_seq[args["seq"]]
            seqs.append(args["seq"])
            same("time", p[8][0], want["t"] * unit + 1000)
            same("event", args["event"], want["ev"])
            for name, arg in want.get("args", {}).items():
                got = args[name]
                same("argument", got, arg & (1 << 64) - 1 if isinstance(arg, int) else arg)
            frames = [message(f, {1: 2})[1][0].decode() for f in
                      message(e[55][0], {1: 2})[1]] if 55 in e else []
            same("stack", frames[::-1], want.get("stack", []))
            flows += [(f, args["seq"]) for f in e.get(47, [])]
            ends += [(f, args["seq"]) for f in e.get(48, [])]
    assert not any(stacks.values()), "something stays open"
    same("flow ends", sorted(ends), sorted((e["seq"], e["seq"]) for e in caused))
    same("flows", sorted(flows), sorted((e["seq"], e["cause"]) for e in caused))
    same("events twice", len(seqs), len(set(seqs)))


# ---- trace.dat -----------------------------------------------------------------------------------
class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data), "cut short"
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, n):
        return int.from_bytes(self.take(n), "little")

    def string(self):
        end = self.data.index(b"\0", self.at)
        s, self.at = self.data[self.at:end].decode("ascii"), end + 1
        return s


def event_format(text):
    head, fields = text.split("format:\n")
    name, number = re.fullmatch(r"name: (\w+)\nID: (\d+)\n", head).groups()
    fields, print_format = fields.split("\nprint fmt: ")
    rows = re.findall(r"\tfield:(.*?) (\w+)(?:\[16\])?;\toffset:(\d+);\tsize:(\d+);\tsigned:([01]);", fields)
    same("fields", len(rows), fields.count("field:"))
    same("arguments of the format", len(re.findall(r"%\w+", print_format.split('"')[1])),
         print_format.split('"')[2].count(","))
    return int(number), name, [(t, n, int(o), int(s), sign == "1") for t, n, o, s, sign in rows]


def record(data, fields):
    got = {}
    for kind, name, offset, size, signed in fields:
        v = int.from_bytes(data[offset:offset + size], "little", signed=signed)
        if kind.startswith("__data_loc"):
            start, n = v & 0xffff, v >> 16
            assert start + n <= len(data) and data[start + n - 1] == 0, "text outside the record"
            v = data[start:start + n - 1].decode("ascii")
        elif kind == "char":
            v = data[offset:offset + size].rstrip(b"\0").decode("ascii")
        got[name] = v
    return got


def pages(data, formats):
    for start in range(0, len(data), 4096):
        t, used = struct.unpack_from("<QQ", data, start)
        at, end = start + 16, start + 16 + used
        assert used <= 4080
        while at < end:
            head = struct.unpack_from("<I", data, at)[0]
            kind, delta, at = head & 31, head >> 5, at + 4
            if kind == 30:
                t += delta + (struct.unpack_from("<I", data, at)[0] << 27)
                at += 4
                continue
            n = 4 * kind
            if kind == 0:
                n, at = struct.unpack_from("<I", data, at)[0] - 4, at + 4
            assert 8 <= n and at + n <= end, "record outside the page"
            t += delta
            ident = struct.unpack_from("<H", data, at)[0]
            yield t, formats[ident][0], record(data[at:at + n], formats[ident][1])
            at += n
        same("page", at, end)


def without_switches(all_events, comms):
    """All but the switches, which have to say who is on the CPU whenever somebody does something."""
    on = 0
    last = None
    for t, name, fields in all_events:
        if name == "sched_switch":
            same("who leaves", (fields["prev_pid"], fields["common_pid"]), (on, on))
            assert fields["next_pid"] != on, "a switch to oneself"
            on = fields["next_pid"]
            for side in "prev", "next":
                pid = fields[side + "_pid"]
                same("name", fields[side + "_comm"].replace(" ", "?"), comms.get(pid, "?") if pid else "swapper")
            left = {"task_block": 1, "task_exit": 16}.get(last, 0)
            same("left as", fields["prev_state"], left)
            last = None
        else:
            assert fields["common_pid"] in (0, on), "somebody else is on the CPU"
            assert fields["common_pid"] == 0 or last not in LEAVING, "it should have left"
            last = name if fields["common_pid"] else last
            yield t, name, fields
    assert last not in LEAVING, "the last one should have left"


LEAVING = "task_block", "task_exit", "softirq_exit", "irq_handler_exit"


def trace_dat():
    r = Reader(open(where + "/x.dat", "rb").read())
    same("magic", r.take(10), b"\x17\x08\x44tracing")
    same("version", r.string(), "6")
    same("layout", (r.number(1), r.number(1), r.number(4)), (0, 8, 4096))
    for name in "header_page", "header_event":
        same("header", r.string(), name)
        r.take(r.number(8))
    same("ftrace formats", r.number(4), 0)
    formats = {}
    systems = []
    for _ in range(r.number(4)):
        systems.append(r.string())
        for _ in range(r.number(4)):
            number, name, fields = event_format(r.take(r.number(8)).decode("ascii"))
            same("twice an event's number", number in formats, False)
            formats[number] = name, fields
    same("systems", systems, ["sched", "memcgslab"])
    r.take(r.number(4))
    same("printk", r.number(4), 0)
    comms = r.take(r.number(8)).decode("ascii")
    for line in comms.splitlines():
        assert re.fullmatch(r"\d+ [!-~]{1,15}", line), line
    pids = {int(line.split()[0]): line.split()[1] for line in comms.splitlines()}
    cpus = r.number(4)
    same("options", (r.take(12), r.take(10)), (b"options  \0\0\0", b"flyrecord\0"))
    parts = [(r.number(8), r.number(8)) for _ in range(cpus)]
    got = 0
    for cpu, (offset, size) in enumerate(parts):
        assert offset % 4096 == 0 and offset + size <= len(r.data)
        want = [e for e in events if e["cpu"] == cpu]
        there = list(without_switches(pages(r.data[offset:offset + size], formats), pids))
        same("events of a CPU", len(there), len(want))
        for e, (t, name, fields) in zip(want, there):
            got += 1
            same("time", t, max(e["t"] * unit, 1))  # KernelShark takes 0 for "none"
            same("event", (name, fields["seq"]), (e["ev"], e["seq"]))
            same("context", (fields["common_pid"], fields["obj"]), (e["task"], e["obj"]))
            same("cause", fields["cause"], e.get("cause", 0))
            for arg, v in e.get("args", {}).items():
                same("argument", fields[arg], value(v, 200))
    same("events", got, len(events))


# ---- CTF -----------------------------------------------------------------------------------------
def ctf():
    text = open(where + "/x.ctf/metadata", encoding="ascii").read()
    assert text.startswith("/* CTF 1.8 */\n")
    classes = {}
    for name, number, fields in re.findall(
            r'event \{\n  name = "memcgslab:(\w+)";\n  id = (\d+);\n  stream_id = 0;\n'
            r"  fields := struct \{(.*?) \};\n\};", text):
        classes[int(number)] = name, re.findall(r"(\w+) _(\w+);", fields)
    got = 0
    for cpu in sorted({e["cpu"] for e in events}):
        r = Reader(open("%s/x.ctf/cpu%d" % (where, cpu), "rb").read())
        same("header", (r.number(4), r.number(4)), (0xC1FC1FC1, 0))
        first, last, content, size = (r.number(8) for _ in range(4))
        same("packet", (content, size, r.number(4)), (len(r.data) * 8, len(r.data) * 8, cpu))
        for e in (e for e in events if e["cpu"] == cpu):
            name, fields = classes[r.number(4)]
            t = r.number(8)
            assert first <= t <= last
            same("time", t, e["t"] * unit)
            same("context", (r.number(4), r.string() != "", r.string()), (e["task"], True, e["ctx"]))
            f = {n: r.string() if k == "string" else
                 int.from_bytes(r.take(8), "little", signed=k == "int64_t") for k, n in fields}
            same("event", (name, f["seq"], f["obj"]), (e["ev"], e["seq"], e["obj"]))
            same("cause", f["cause"], e.get("cause", 0))
            for arg, v in e.get("args", {}).items():
                same("argument", f[arg], value(v))
            got += 1
        same("rest", r.at, len(r.data))
    same("events", got, len(events))


# ---- text ----------------------------------------------------------------------------------------
def ascii_lines(name):
    data = open(where + "/" + name, "rb").read()
    assert re.fullmatch(rb"[\n -~]*\n", data), name + " is not plain text"
    return data.decode().splitlines()


def ftrace():
    lines = [x for x in ascii_lines("x.ftrace") if not x.startswith("#")]
    same("lines", len(lines), len(events))
    for line, e in zip(lines, events):
        m = re.fullmatch(r" *([!-~]{1,15})-(\d+) +\[(\d{3})\] ([.sdh1]{5}) (\d+)\.(\d{9}): (\w+): "
                         r"seq=(\d+) obj=(\S+)((?: \w+=\S*)*)", line)
        assert m, line
        same("event", (int(m[2]), int(m[3]), m[7], int(m[8]), m[9]),
             (e["task"], e["cpu"], e["ev"], e["seq"], e["obj"]))
        same("time", int(m[5]) * 10**9 + int(m[6]), e["t"] * unit)


def counters():
    lines = ascii_lines("x.csv")
    rows = list(csv.reader(lines, strict=True))
    same("head", rows[0], ["t_ns" if unit == 1 else "step", "counter", "of", "value"])
    last = {}
    for t, name, of, v in rows[1:]:
        int(v)
        assert name[0] not in "=+-@" and of[:1] not in ("=", "+", "-", "@"), "a formula"
        before = last.get((name, of), (0, None))
        assert int(t) >= before[0] and v != before[1], "no change"
        last[name, of] = int(t), v
    charged = [e for e in events if e["ev"] == "page_counter_charge"]
    assert len(rows) > 1 or not charged


def mermaid():
    lines = ascii_lines("x.mmd")
    same("head", lines[0], "sequenceDiagram")
    known, notes = set(), 0
    text = r"[\w ./,()=+*?-]+"
    for line in lines[1:]:
        m = re.fullmatch(r"    (?:participant (c\d+) as %s|Note over (c\d+): (%s)|(c\d+)-\)(c\d+): %s)"
                         % (text, text, text), line)
        assert m, line
        if m[1]:
            assert not notes and m[1] not in known
            known.add(m[1])
            continue
        notes += m[2] is not None
        assert {m[2] or m[4], m[2] or m[5]} <= known, line
    assert 0 < notes <= 43


for check in chrome, perfetto, trace_dat, ctf, ftrace, counters, mermaid:
    try:
        check()
    except Exception as e:
        sys.exit("%s: %s: %s" % (check.__name__, type(e).__name__, e))
