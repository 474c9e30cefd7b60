/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The trace: what reports/html_pack.c wrote, as arrays with an entry for each event.
 *
 * Two runs that are compared are one list of events, each run in its own order; the side
 * of an event says which it belongs to.
 */

const raw = JSON.parse(island('trace'));
const n = raw.n, runs = raw.runs, both = runs.length === 2;

const PIECE = 1 << 17; /* characters that are decoded in one go; a multiple of four */

/* The reader of a column, once it is decoded. */
function* decode(base64) {
	const out = new Uint8Array(base64.length / 4 * 3);
	let to = 0;

	for (let at = 0; at < base64.length; at += PIECE) {
		const text = atob(base64.slice(at, at + PIECE));

		for (let i = 0; i < text.length; i++)
			out[to++] = text.charCodeAt(i);
		yield 0;
	}
	return new Reader(out.subarray(0, to));
}

/* Reads varints one after the other. */
class Reader {
	constructor(data) {
		this.data = data;
		this.at = 0;
	}
	next() {
		let v = 0, unit = 1, b;

		do {
			b = this.data[this.at++];
			v += (b & 127) * unit;
			unit *= 128;
		} while (b > 127);
		return v;
	}
	signed() {
		const v = this.next();

		return v % 2 ? -(v + 1) / 2 : v / 2;
	}
	skip() {
		while (this.data[this.at++] > 127)
			;
	}
}

const strings = raw.strings.map(clean);
const kinds = raw.kinds.map(k => ({...k, args: k.args.filter(a => a)}));
const contexts = raw.contexts.map(([cpu, kind, task, comm, side]) => ({
	cpu, kind, task, side, comm: clean(comm) || (task ? 'task ' + task : 'environment'),
}));
/* In front of what there is in both runs. */
const sideName = s => both ? 'AB'[s] + ' ' : '';
const kindNamed = new Map(kinds.map((k, i) => [k.name, i]));

/* Objects and frames count from 1; 0 is none. */
const nrObjects = raw.nr_objects;
const objectKind = new Uint8Array(nrObjects + 1), objectNr = new Float64Array(nrObjects + 1);
const objectSide = new Uint8Array(nrObjects + 1);
const objectName = new Map(), subjectOf = new Map();
const EVERY = 8191; /* how many events are handled between two looks at the clock */

function* readObjects() {
	const ids = yield* decode(raw.objects);

	for (let i = 1; i <= nrObjects; i++) {
		if ((i & EVERY) === 0)
			yield 0;
		const kindAndSide = ids.next();
		objectKind[i] = kindAndSide >> 1;
		objectSide[i] = kindAndSide & 1;
		objectNr[i] = ids.next();
		const name = ids.next(), subject = ids.next();
		if (name)
			objectName.set(
			        i, strings[(name >> 1) - 1] + (name & 1 ? '#' + objectNr[i] : ''));
		if (subject)
			subjectOf.set(i, subject);
	}
	raw.objects = null;
}
const objectId = o => o ? raw.object_kinds[objectKind[o]] + ':' + objectNr[o] : '-';
const objectCalled = o => objectName.get(o) || objectId(o);
const objectKindName = o => raw.object_kinds[objectKind[o]];
/* Name and number: the number is what the trace file has. */
function objectFull(o) {
	const name = objectName.get(o);

	return name && name !== objectId(o) ? name + ' (' + objectId(o) + ')' : objectId(o);
}

const nrFrames = raw.frames.length / 2;
const frameFunc = new Uint32Array(nrFrames + 1), frameCaller = new Uint32Array(nrFrames + 1);
for (let i = 1; i <= nrFrames; i++) {
	frameFunc[i] = raw.frames[2 * i - 2];
	frameCaller[i] = raw.frames[2 * i - 1];
}

const seq = new Float64Array(n), time = new Float64Array(n + 1);
const ctx = new Uint32Array(n), kind = new Uint8Array(n), noise = new Uint8Array(n);
const obj = new Uint32Array(n), cause = new Int32Array(n).fill(-1), via = new Uint32Array(n);
/* How many objects were known before the arguments of an event: see put_object(). */
const objectsKnown = new Uint32Array(n);
const argsAt = new Uint32Array(n), stack = new Uint32Array(n), side = new Uint8Array(n);
/* The events of each side, in order. */
const ofSide = runs.map(r => new Uint32Array(r.n));
let argsData;
/* The effects of an event are a list through these two. */
const effect = new Int32Array(n).fill(-1), nextEffect = new Int32Array(n).fill(-1);
/* The events of each object are a list through these two, in order. */
const firstOf = new Int32Array(nrObjects + 1).fill(-1), nextOf = new Int32Array(n).fill(-1);

const objectOf = (v, known) => v === 0 ? 0 : v === 1 ? known : known - (v - 2);

function* readColumns() {
	const c = raw.columns;
	const rSeq = yield* decode(c.seq), rTime = yield* decode(c.t), rCtx = yield* decode(c.ctx);
	const rKind = yield* decode(c.kind), rObj = yield* decode(c.obj);
	const rCause = yield* decode(c.cause), rStack = yield* decode(c.stack);
	const s = [0, 0], t = [0, 0], count = [0, 0];
	let known = 0;

	argsData = yield* decode(c.args);
	for (let i = 0; i < n; i++) {
		if ((i & EVERY) === 0)
			yield .5 * i / n;
		const c0 = rCtx.next(), on = contexts[c0 >> 2].side;

		s[on] += c0 & 2 ? rSeq.next() : 1;
		t[on] += rTime.next();
		seq[i] = s[on];
		time[i] = t[on];
		side[i] = on;
		ofSide[on][count[on]++] = i;
		ctx[i] = c0 >> 2;
		const k = rKind.next();
		kind[i] = k >> 1;
		noise[i] = k & 1;
		const o = rObj.next();
		if (o === 1)
			known++;
		obj[i] = objectOf(o, known);
		if (c0 & 1) {
			cause[i] = i - rCause.next();
			via[i] = rCause.next() - 1;
		}
		stack[i] = rStack.next();
		argsAt[i] = argsData.at;
		objectsKnown[i] = known;
		for (const spec of kinds[kind[i]].args) {
			if (spec[0] !== 'o')
				argsData.skip();
			else if (argsData.next() === 1)
				known++;
		}
	}
	runs.forEach((r, on) => { r.end = Math.max(t[on], r.end); });
	time[n] = Math.max(...runs.map(r => r.end));
	/* Backwards, so that the lists run forwards. */
	for (let i = n - 1; i >= 0; i--) {
		if ((i & EVERY) === 0)
			yield .5;
		if (cause[i] >= 0) {
			nextEffect[i] = effect[cause[i]];
			effect[cause[i]] = i;
		}
		nextOf[i] = firstOf[obj[i]];
		firstOf[obj[i]] = i;
	}
}
/* Of two runs: how an event stands to the other run, where it is there, and who begins a column. */
const ALONE = 0, SAME = 1, CHANGED = 2, MOVED = 3;
const pairing = new Uint8Array(both ? n : 0), partner = new Int32Array(both ? n : 0);
const begins = new Uint8Array(both ? n : 0);
function* readPairs() {
	const r = yield* decode(raw.columns.pair);

	for (let i = 0; i < n; i++) {
		if ((i & EVERY) === 0)
			yield .5;
		const how = r.next(), to_ = r.next();

		begins[i] = how & 1;
		pairing[i] = how >> 1;
		partner[i] = to_ ? i + ((to_ - 1) % 2 ? -to_ / 2 : (to_ - 1) / 2) : -1;
	}
}
/* Do both runs have it, in the same order?  Then it stands in the same column. */
const isAligned = i => both && (pairing[i] === SAME || pairing[i] === CHANGED);

/* Index of the event with number s; -1 if it is not there. */
function find(s, on = 0) {
	const list = ofSide[on];
	let low = 0, high = list.length;

	while (low < high) {
		const mid = (low + high) >> 1;

		if (seq[list[mid]] < s)
			low = mid + 1;
		else
			high = mid;
	}
	return low < list.length && seq[list[low]] === s ? list[low] : -1;
}

/* What an event is called: "#17", of two runs "A#17". */
const tag = i => (both ? 'AB'[side[i]] : '') + '#' + seq[i];
/* When event i happened; the one after the last is the end of the run. */
const timeOf = (i, on) => i < n ? time[i] : runs[on].end;

/* The arguments of event i: {name, type, value, text}. */
function argsOf(i) {
	let known = objectsKnown[i];

	argsData.at = argsAt[i];
	return kinds[kind[i]].args.map(spec => {
		const type = spec[0], name = spec.slice(2);
		let value, text;

		if (type === 'o') {
			value = argsData.next();
			if (value === 1)
				known++;
			value = objectOf(value, known);
			text = objectCalled(value);
		} else if (type === 's' || type === 'h') {
			value = argsData.next();
			text = value ? strings[value - 1] : '?';
			if (type === 'h')
				text = '(' + text + ')';
		} else {
			value = argsData.signed();
			text = type === 'b' ? (value ? 'yes' : 'no') : String(value);
		}
		return {name, type, value, text};
	});
}
const argOf = (i, name) => argsOf(i).find(a => a.name === name);
const textOf = i => (argsOf(i).find(a => a.type === 's') || {text: ''}).text;

function subject(i) {
	const of = kinds[kind[i]].name === 'work_start' && argOf(i, 'of');
	const o = of ? of.value : subjectOf.get(obj[i]);

	return o ? '(' + objectCalled(o) + ')' : '';
}

/* Event i in words: the pattern of its kind, as reports/phrase.c fills it in. */
function words(i) {
	const pattern = kinds[kind[i]].words, args = argsOf(i);
	let at = 0;
	/* The string always is argument 3 in a pattern, whatever stands before it. */
	const slot = k => args[k] && args[k].at === k ? args[k] : args.find(a => a.at === k);

	kinds[kind[i]].slots.forEach((s, k) => { args[k].at = s; });
	if (!pattern)
		return kinds[kind[i]].name + (obj[i] ? ' ' + objectCalled(obj[i]) : '') +
			args.map(a => ' ' + a.name + '=' + a.text).join('');

	const hole = h => h === 'obj' ? objectCalled(obj[i]) : h === 'subject' ? subject(i)
		: (slot(+h) || {text: '?'}).text;
	const part = print => {
		let out = '';

		while (at < pattern.length && pattern[at] !== ']') {
			if (pattern[at] === '[') {
				const not = pattern[at + 1] === '!';
				const a = slot(+pattern[at + (not ? 2 : 1)]);
				/* A string counts as 0, as in the program. */
				const set = !!a && a.type !== 's' && a.value !== 0;

				at += not ? 4 : 3;
				const inner = part(print && set !== not);
				out += inner;
			} else if (pattern[at] === '{') {
				const close = pattern.indexOf('}', at);

				if (print)
					out += hole(pattern.slice(at + 1, close));
				at = close + 1;
			} else {
				if (print)
					out += pattern[at];
				at++;
			}
		}
		at++;
		return out;
	};
	return part(true);
}
for (const [i, k] of kinds.entries())
	k.slots = raw.kinds[i].args.map((a, at) => a ? at : -1).filter(at => at >= 0);

/* The functions of a stack, innermost first. */
function stackOf(i) {
	const out = [];

	for (let f = stack[i]; f; f = frameCaller[f])
		out.push(strings[frameFunc[f]]);
	return out;
}

let violations = [], violates = new Map();
const readViolations = () => raw.violations.map(v => ({
	rule: clean(v.rule), msg: clean(v.msg), obj: v.obj, seq: v.seq, side: v.side,
	at: find(v.seq, v.side),
	related: v.related.map(s => find(s, v.side)).filter(i => i >= 0),
}));

/* Everything above, out of the island. */
function* load() {
	yield* readObjects();
	yield* readColumns();
	if (both)
		yield* readPairs();
	raw.columns = null;
	violations = readViolations();
	/* What a violation names is part of the story. */
	for (const v of violations) {
		for (const i of [v.at, ...v.related]) {
			if (i >= 0)
				noise[i] = 0;
		}
	}
	violates = new Map(violations.filter(v => v.at >= 0).map(v => [v.at, v]));
}

function formatTime(t, on = 0) {
	if (runs[on].untimed)
		return 'step ' + t;
	if (t >= 1e9)
		return (t / 1e9).toFixed(6) + ' s';
	return t >= 1e6 ? (t / 1e6).toFixed(3) + ' ms' : (t / 1e3).toFixed(3) + ' \u00b5s';
}
function formatSpan(t, on = 0) {
	if (runs[on].untimed)
		return t + (t === 1 ? ' step' : ' steps');
	return t >= 1e9  ? (t / 1e9).toPrecision(3) + ' s' :
	        t >= 1e6 ? (t / 1e6).toPrecision(3) + ' ms' :
	        t >= 1e3 ? (t / 1e3).toPrecision(3) + ' \u00b5s' :
	                   t + ' ns';
}

/* Argument k of event i as a number: of a string its index plus one. */
function argAt(i, k) {
	const specs = kinds[kind[i]].args;
	let known = objectsKnown[i], value = 0;

	argsData.at = argsAt[i];
	for (let at = 0; at <= k; at++) {
		const type = specs[at][0];

		if (type === 'o') {
			value = argsData.next();
			if (value === 1)
				known++;
			value = objectOf(value, known);
		} else {
			value = type === 's' || type === 'h' ? argsData.next() : argsData.signed();
		}
	}
	return value;
}

/*
 * Finds the events that match all words of a query, in order, in slices: found.list has
 * found.count of them.  A word is looked up in the
 * tables first, so that an event costs a few look-ups however long its text is.
 */
function* search(query, found) {
	const terms = query.toLowerCase().split(/\s+/).filter(w => w);
	const tests = terms.map(w => {
		const has = s => s.toLowerCase().includes(w);
		const exact = /^[a-z]+:\d+$/.test(w), number = /^[ab]?#?\d+$/.test(w);
		const str = Uint8Array.from(strings, s => has(s) ? 1 : 0);
		const frames = new Uint8Array(nrFrames + 1),
		      objects = new Uint8Array(nrObjects + 1);

		for (let f = 1; f <= nrFrames; f++)
			frames[f] = str[frameFunc[f]] | frames[frameCaller[f]];
		for (let o = 1; o <= nrObjects; o++) {
			const id = objectId(o), name = objectName.get(o);

			objects[o] =
			        (exact ? id === w : id.includes(w)) || (name && has(name)) ? 1 : 0;
		}
		return {
			inArgs: str.includes(1) || objects.includes(1),
			str,
			frames,
			objects,
			number: number ? +w.replace(/\D/g, '') : -1,
			side: 'ab'.indexOf(w[0]),
			kinds: kinds.map(k => has(k.name)),
			contexts:
			        contexts.map(c => has(c.comm) || has('cpu' + c.cpu) || has(c.kind)),
		};
	});

	found.list = new Uint32Array(1024);
	found.count = 0;
	for (let i = 0; i < n; i++) {
		if ((i & 2047) === 0)
			yield i / n;
		if (!tests.every(t => matches(t, i)))
			continue;
		if (found.count === found.list.length) {
			const more = new Uint32Array(2 * found.count);

			more.set(found.list);
			found.list = more;
		}
		found.list[found.count++] = i;
	}
}

function matches(t, i) {
	if (t.number >= 0)
		return seq[i] === t.number && (t.side < 0 || t.side === side[i]);
	if (t.kinds[kind[i]] || t.objects[obj[i]] || t.frames[stack[i]] || t.contexts[ctx[i]])
		return true;
	if (!t.inArgs)
		return false;
	let known = objectsKnown[i];

	argsData.at = argsAt[i];
	for (const spec of kinds[kind[i]].args) {
		const value = argsData.next();

		if (spec[0] === 'o' && value === 1)
			known++;
		if (spec[0] === 'o' ? t.objects[objectOf(value, known)]
			: (spec[0] === 's' || spec[0] === 'h') && value && t.str[value - 1])
			return true;
	}
	return false;
}
