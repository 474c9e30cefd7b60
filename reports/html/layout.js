/*
 * Where everything goes.  Across: two scales, the order of events and true time.
 * Down: rows of segments that do not overlap.  A segment runs from the start of one
 * event to the end of another, so that a change of scale moves no segment.
 */

const ROW = 16, GAP = 4, DEPTH_MAX = 9, LIVES_MAX = 60, BARS_MAX = 8;

/* what is shown, and what the reader chose since */
const shown = {all: false, time: false, tasks: false, arrows: false};
const chosen = {...shown};
/* Start and end of each event on the current scale; start[n] is the end of the run. */
let start = new Float64Array(n + 1), stop = new Float64Array(n + 1);
/* Stretches in which nothing happened, on the scale by order: start, end, how long. */
let idle = [];
/* The events that the table lists and that the keys step through. */
let listed = new Uint32Array(0);
/* Of two runs: those of them that differ, together and for each side. */
let differences = new Uint32Array(0), differencesOf = [];
let rows = [], tallness = 0;
/* Of each event: its depth below its lane, and the event that opened what it belongs to. */
let depth = new Uint8Array(n);
const head = new Int32Array(n).fill(-1);
let laneTop = [], laneOf = [];

const isShown = i => shown.all || !noise[i];

function medianGap() {
	const gaps = [], step = Math.max(1, Math.floor(n / 4000));

	for (let i = step; i < n; i += step) {
		if (time[i] > time[i - 1])
			gaps.push(time[i] - time[i - 1]);
	}
	gaps.sort((a, b) => a - b);
	return gaps[gaps.length >> 1] || 1;
}

/* What both have in one column is listed once. */
const isListed = (i, all) => (all || !noise[i]) && !(both && side[i] && isAligned(i));

/* Two runs: what stands in one column has one place, whether the timeline shows it or not. */
function* placeBoth(places, want) {
	let x = 0, any = 0;

	for (let i = 0, first = 0; i <= n; i++) {
		if ((i & EVERY) === 0)
			yield .55;
		if (i === n || begins[i]) {
			for (let k = first; k < i; k++)
				places.stop[k] = x + any;
			x += any;
			any = 0;
			first = i;
		}
		places.start[i] = x;
		if (i < n && (want.all || !noise[i]))
			any = 1;
	}
	places.stop[n] = x;
}

function* placeOne(places, want) {
	const unit = medianGap() * 60, {start, stop, idle} = places;
	let x = 0;

	for (let i = 0; i <= n; i++) {
		if ((i & EVERY) === 0)
			yield .55;
		if (want.time) {
			start[i] = stop[i] = time[i];
			continue;
		}
		const gap = i > 0 && !runs[0].untimed ? time[i] - time[i - 1] : 0;
		if (gap > unit) {
			/* An idle stretch keeps a little room, the more the longer it was. */
			const room = Math.min(3, .6 + Math.log10(gap / unit) * .8);
			idle.push([x, x + room, gap]);
			x += room;
		}
		start[i] = x;
		if (i < n && (want.all || !noise[i]))
			x++;
		stop[i] = x;
	}
}

/* Where each event is; what is shown stays as it is until all is laid out. */
function* place(want) {
	const places = {start: new Float64Array(n + 1), stop: new Float64Array(n + 1), idle: []};
	const list = new Uint32Array(n);
	let count = 0;

	yield* both ? placeBoth(places, want) : placeOne(places, want);
	for (let i = 0; i < n; i++) {
		if ((i & EVERY) === 0)
			yield .6;
		if (isListed(i, want.all))
			list[count++] = i;
	}
	places.listed = list.slice(0, count);
	places.differences = both ? places.listed.filter(i => pairing[i] !== SAME)
		: new Uint32Array(0);
	return places;
}

/* ---- colours ---------------------------------------------------------------------- */

const COLORS = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'dead', 'panel'];
const DEAD = 9;

const colorOfKind = kinds.map(k => {
	const s = k.name;

	if (/free$|discard_slab|work_null|null_deref|^warn|^assert|^fault|fail/.test(s))
		return DEAD;
	return /lock|might_sleep|access/.test(s) ? 8 : /rcu/.test(s) ? 1 : /work|wq/.test(s) ? 5
		: /^ref_|css_/.test(s) ? 3 : /alloc|charge|stock|counter/.test(s) ? 6
		: /cgroup|memcg/.test(s) ? 7 : /cache|slab|sysfs/.test(s) ? 2
		: /task|irq|op_/.test(s) ? 8 : 0;
});
const colorOfName = new Uint8Array(strings.length);
strings.forEach((s, i) => {
	let h = 0;

	for (let c = 0; c < s.length; c++)
		h = (h * 31 + s.charCodeAt(c)) >>> 0;
	colorOfName[i] = [0, 2, 3, 5, 7][h % 5];
});

/* ---- rows ------------------------------------------------------------------------- */

function grown(array) {
	const more = new array.constructor(2 * array.length);

	more.set(array);
	return more;
}

/* Segments from event a to event b.  what: an event, a call (its function), a state. */
class Row {
	constructor(type, label) {
		this.type = type;
		this.label = label;
		this.height = ROW;
		this.n = 0;
		this.a = new Uint32Array(8);
		this.b = new Uint32Array(8);
		this.color = new Uint8Array(8);
		/* index of a string or a state, or ~event for the event itself */
		this.name = new Int32Array(8);
	}
	add(a, b, color, name) {
		const k = this.n++;

		if (k === this.a.length) {
			this.a = grown(this.a);
			this.b = grown(this.b);
			this.color = grown(this.color);
			this.name = grown(this.name);
		}
		this.a[k] = a;
		this.b[k] = b;
		this.color[k] = color;
		this.name[k] = name;
		return k;
	}
	seal(places) {
		const m = this.n, {start, stop} = places;

		this.a = this.a.slice(0, m);
		this.b = this.b.slice(0, m);
		this.color = this.color.slice(0, m);
		this.name = this.name.slice(0, m);
		this.left = new Float64Array(m);
		this.right = new Float64Array(m);
		/* A call lasts as long as its last event; a state until the next one begins. */
		for (let k = 0; k < m; k++) {
			const b = this.b[k];

			this.left[k] = start[this.a[k]];
			this.right[k] = b >= n ? start[n] : this.type === 'call' ? stop[b]
				: start[b];
		}
		return this;
	}
}

/* Of what runs everything in its context, and says nothing about what it runs. */
const plumbing = new Set(['worker_thread', 'process_one_work', 'rcu_core', 'rcu_do_batch',
	'rcu_core_si', 'kthread'].map(s => strings.indexOf(s)).filter(i => i >= 0));
const opens = new Set(['op_begin', 'work_start', 'rcu_callback', 'irq_handler_entry']
	.map(s => kindNamed.get(s)));
const closes = new Set(['op_end', 'work_end', 'softirq_exit', 'irq_handler_exit']
	.map(s => kindNamed.get(s)));

function laneKeys(want) {
	const order = {task: 0, kworker: 1, softirq: 2, hardirq: 3, env: 9};
	const lanes = new Map();

	contexts.forEach((c, i) => {
		const env = c.kind === 'env';
		const key = c.side + (env ? 'env' : want.tasks ? 't' + c.task : c.cpu + c.kind);
		const label = sideName(c.side) + (env ? 'environment' :
		        want.tasks ? c.comm :
		                      'CPU' + c.cpu + ' ' + c.kind);

		if (!lanes.has(key)) {
			lanes.set(key, {label, contexts: [],
				rank: (env ? 1e6 : want.tasks ? 0 : c.cpu * 16) + order[c.kind] +
					c.side / 2});
		}
		lanes.get(key).contexts.push(i);
	});
	return [...lanes.values()].sort((a, b) => a.rank - b.rank);
}

/* What one lane is in the middle of. */
class Lane {
	constructor(label) {
		this.label = label;
		this.rows = [];
		this.open = []; /* calls, outermost first: their frame, or ~head */
		this.at = []; /* where they stand in their rows */
		this.context = -1;
	}
	row(d) {
		while (this.rows.length <= d)
			this.rows.push(new Row('call', this.label));
		return this.rows[d];
	}
	/* Event i happened inside these calls; returns how deep it stands. */
	enter(i, path, length, visible) {
		const itself = length > 0 && path[length - 1] === ~i;
		let same = 0;

		if (this.context !== ctx[i]) {
			this.open.length = 0;
			this.context = ctx[i];
		}
		while (same < this.open.length && same < length && this.open[same] === path[same])
			same++;
		this.open.length = same;
		for (let d = 0; d < same; d++)
			this.rows[d].b[this.at[d]] = i;
		for (let d = same; d < length; d++) {
			const name = path[d] < 0 ? path[d] : frameFunc[path[d]];

			this.open.push(path[d]);
			this.at[d] = this.row(d).add(i, i,
				name < 0 ? colorOfKind[kind[~name]] : colorOfName[name], name);
		}
		if (visible && !itself)
			this.row(length).add(i, i, colorOfKind[kind[i]], ~i);
		return itself ? length - 1 : length;
	}
}

/* The calls of each frame without plumbing, outermost first; made when they are needed. */
const chains = new Array(nrFrames + 1);
function chainOf(f) {
	if (!chains[f]) {
		const chain = [];

		for (let g = f; g; g = frameCaller[g]) {
			if (!plumbing.has(frameFunc[g]))
				chain.push(g);
		}
		chains[f] = Int32Array.from(chain.reverse());
	}
	return chains[f];
}

/* Index of the string argument of event i, which always is the last; -1 for none. */
const stringArg = kinds.map(k => k.args.findIndex(a => a[0] === 's'));
const textAt = i => stringArg[kind[i]] < 0 ? -1 : argAt(i, stringArg[kind[i]]) - 1;

function* layLanes(want) {
	const path = new Int32Array(DEPTH_MAX + 1), keys = laneKeys(want);
	const current = new Int32Array(contexts.length).fill(-1);
	/* What the head of a context calls itself: the outermost call says it again. */
	const called = new Int32Array(contexts.length).fill(-1);
	const laid = {lanes: keys.map(k => new Lane(k.label)), depth: new Uint8Array(n),
		laneOf: new Array(contexts.length)};
	const isOpen = Uint8Array.from(kinds, (_, k) => opens.has(k) ? 1 : 0);
	const isClose = Uint8Array.from(kinds, (_, k) => closes.has(k) ? 1 : 0);

	keys.forEach((k, l) => k.contexts.forEach(c => { laid.laneOf[c] = l; }));
	for (let i = 0; i < n; i++) {
		const c = ctx[i];
		let length = 0;

		if ((i & 1023) === 0)
			yield .6 + .3 * i / n;
		if (isOpen[kind[i]]) {
			current[c] = i;
			called[c] = textAt(i);
		}
		head[i] = current[c];
		if (head[i] >= 0)
			path[length++] = ~head[i];
		if (stack[i]) {
			const chain = chainOf(stack[i]);
			let d = chain.length && head[i] >= 0 && frameFunc[chain[0]] === called[c] ?
				1 : 0;

			while (d < chain.length && length < DEPTH_MAX)
				path[length++] = chain[d++];
		}
		laid.depth[i] = laid.lanes[laid.laneOf[c]]
			.enter(i, path, length, want.all || !noise[i]);
		if (isClose[kind[i]])
			current[c] = called[c] = -1;
	}
	/* A lane of which the timeline shows nothing has a row all the same. */
	laid.lanes.forEach(l => l.row(0));
	return laid;
}

/* ---- deferred work ---------------------------------------------------------------- */

/* Bars from the event that asked to the event that ran: {a, b, name, color, lost}. */
function* pendingBars(on) {
	const groups = new Map([['call_rcu', []], ['queue_work', []], ['grace period', []]]);
	const queued = new Map(); /* work item or callback that waits: its event */
	const callRcu = kindNamed.get('call_rcu'), queue = kindNamed.get('queue_work');
	const cancel = kindNamed.get('cancel_work'), gpStart = kindNamed.get('rcu_gp_start');
	const gpEnd = kindNamed.get('rcu_gp_end');
	const wasQueued = queue === undefined ? -1 :
		kinds[queue].args.findIndex(a => a.slice(2) === 'queued');
	const waiting = new Set(), list = ofSide[on];
	let gp = -1;

	for (let at = 0; at < list.length; at++) {
		const i = list[at], k = kind[i], c = cause[i];

		if ((at & EVERY) === 0)
			yield .9;
		if (c >= 0 && (kind[c] === callRcu || kind[c] === queue) && waiting.delete(c))
			groups.get(kind[c] === callRcu ? 'call_rcu' : 'queue_work')
				.push({a: c, b: i});
		if (k === callRcu || (k === queue && argAt(i, wasQueued))) {
			waiting.add(i);
			if (k === queue)
				queued.set(obj[i], i);
		} else if (k === cancel && waiting.delete(queued.get(obj[i]))) {
			groups.get('queue_work').push({a: queued.get(obj[i]), b: i});
		} else if (k === gpStart) {
			gp = i;
		} else if (k === gpEnd && gp >= 0) {
			groups.get('grace period').push({a: gp, b: i});
			gp = -1;
		}
	}
	for (const i of waiting)
		groups.get(kind[i] === callRcu ? 'call_rcu' : 'queue_work')
		        .push({a: i, b: n, lost: true});
	return groups;
}

/* Each bar goes to the first row that is free; what finds none is counted. */
function layGroup(name, bars, on, places) {
	const label = sideName(on) + name + (name === 'grace period' ? '' : ' pending');
	const group = [], end = [];
	let left = 0;

	bars.sort((x, y) => x.a - y.a);
	for (const bar of bars) {
		let r = end.findIndex(e => e <= bar.a);

		if (r < 0 && end.length >= BARS_MAX) {
			left++;
			continue;
		}
		if (r < 0) {
			r = end.length;
			group.push(new Row('bar', label));
		}
		end[r] = bar.b;
		group[r].add(bar.a, bar.b, bar.lost ? DEAD : name === 'queue_work' ? 5 : 1, ~bar.a);
	}
	if (left)
		group[0].note = '+' + left + ' not shown';
	return {label, rows: group.map(r => r.seal(places))};
}

function* layBars(places) {
	const out = [], all = [];

	for (let on = 0; on < runs.length; on++)
		all.push([...yield* pendingBars(on)]);
	for (let k = 0; k < all[0].length; k++) {
		for (let on = 0; on < runs.length; on++) {
			const [name, bars] = all[on][k], group = layGroup(name, bars, on, places);

			if (group.rows.length)
				out.push(group);
			yield .93;
		}
	}
	return out;
}

/* ---- lives ------------------------------------------------------------------------ */

const stateOf = {
	new: 'allocated',
	kmem_cache_create: 'created',
	cgroup_mkdir: 'created',
	css_online: 'online',
	css_offline: 'offline',
	css_killed: 'killed',
	ref_kill: 'killed',
	ref_zero: 'no reference left',
	css_released: 'released',
	cache_deactivate: 'deactivated',
	cache_dying: 'dying',
	slab_alloc: 'allocated',
	discard_slab: 'discarded',
	sysfs_add: 'registered',
	sysfs_del: 'removed',
	kmem_cache_alloc: 'allocated',
	kmem_cache_free: 'freed',
	init_work: 'initialised',
	work_start: 'running',
	work_end: 'done',
	free: 'freed',
};
const stateByKind = kinds.map(k => stateOf[k.name] || '');
const stateColor = {
	allocated: 8,
	created: 0,
	active: 2,
	online: 2,
	cpu: 2,
	partial: 6,
	offline: 1,
	deactivated: 1,
	dying: 1,
	killed: 4,
	'shut down': 4,
	released: 4,
	discarded: 4,
	'no reference left': 7,
};

/* States are numbered as they appear. */
const states = [], numberOfState = new Map();
function stateNumber(state) {
	if (!numberOfState.has(state)) {
		numberOfState.set(state, states.length);
		states.push(state);
	}
	return numberOfState.get(state);
}

/* Which kinds of events change a state at all; of some it depends on an argument. */
const argOfKind = (name, arg) => {
	const k = kindNamed.get(name);

	return k === undefined ? -1 : kinds[k].args.findIndex(a => a.slice(2) === arg);
};
const SAYS = 1, QUEUED = 2, SHUT = 3, REMOVED = 4;
const stateRule = Uint8Array.from(kinds, k => ({state: SAYS, queue_work: QUEUED,
	cache_shutdown: SHUT, cgroup_rmdir: REMOVED})[k.name] || 0);
const ruleArg = [0, -1, argOfKind('queue_work', 'queued'), argOfKind('cache_shutdown', 'result'),
	argOfKind('cgroup_rmdir', 'result')];

function stateAt(i) {
	const rule = stateRule[kind[i]];

	if (!rule)
		return stateByKind[kind[i]];
	if (rule === SAYS)
		return textOf(i);
	if (rule === QUEUED)
		return argAt(i, ruleArg[rule]) ? 'pending' : '';
	return argAt(i, ruleArg[rule]) === 0 ? (rule === SHUT ? 'shut down' : 'removed') : '';
}

/* Which objects get a row: those in trouble first, then the kinds that matter most. */
function chooseLives() {
	const want = ['memcg', 'cache', 'slab', 'cgroup'];
	const picked = [], have = new Set();
	const take = o => {
		if (o && !have.has(o)) {
			have.add(o);
			picked.push(o);
		}
	};

	for (const v of violations) {
		take(v.obj);
		take(subjectOf.get(v.obj));
	}
	for (const k of want) {
		for (let o = 1; o <= nrObjects; o++) {
			if (objectKindName(o) === k)
				take(o);
		}
	}
	return both ? besideTwins(picked) : picked;
}

/* Each object with the one of the same name in the other run. */
function besideTwins(picked) {
	const called = o => objectKindName(o) + ' ' + objectCalled(o);
	const twins = new Map(picked.map(o => [objectSide[o] + called(o), o])), out = new Set();

	for (const o of picked) {
		for (const on of [0, 1]) {
			const twin = on === objectSide[o] ? o : twins.get(on + called(o));

			if (twin)
				out.add(twin);
		}
	}
	return [...out];
}
let lives = [];
let life = []; /* groups of one row each */
let lifeOf = new Map(); /* the group of an object, once it was laid out; null if it has no state */

function layLife(o, places) {
	const row = new Row('life', sideName(objectSide[o]) + objectCalled(o));
	let uses = new Uint32Array(8), count = 0;

	for (let i = firstOf[o]; i >= 0; i = nextOf[i]) {
		const state = stateAt(i), last = row.n - 1;

		if (count === uses.length)
			uses = grown(uses);
		uses[count++] = i;
		if (!state || (last >= 0 && states[row.name[last]] === state))
			continue;
		if (last >= 0)
			row.b[last] = i;
		row.add(i, n, state === 'freed' ? DEAD : stateColor[state] === undefined ? 3
			: stateColor[state], stateNumber(state));
	}
	row.object = o;
	row.uses = uses.slice(0, count);
	return row.n ? {label: row.label, rows: [row.seal(places)]} : null;
}

function* layLives(places) {
	const laid = new Map();

	for (const o of lives.slice(0, LIVES_MAX)) {
		laid.set(o, layLife(o, places));
		yield .95;
	}
	return laid;
}

/* Those that always have a row, and the one of the selected event. */
function showLives(extra) {
	const objects = lives.slice(0, LIVES_MAX);

	if (extra && !objects.includes(extra)) {
		if (!lifeOf.has(extra))
			lifeOf.set(extra, layLife(extra, {start, stop}));
		objects.unshift(extra);
	}
	life = objects.map(o => lifeOf.get(o)).filter(l => l);
	for (const l of life)
		l.rows[0].note = '';
	if (lives.length > LIVES_MAX && life.length) {
		life[0].rows[0].note = (lives.length - LIVES_MAX) +
			' more lives not shown; selecting an event shows its object\'s';
	}
}

/* ---- counters --------------------------------------------------------------------- */

let counters = [];
const counterRows = new Map(); /* one row for what both runs count */

function* readCounters() {
	for (const c of raw.counters) {
		const r = yield* decode(c.points);
		const counter = {name: clean(c.name), side: c.side, top: 1,
			at: new Uint32Array(c.n), value: new Float64Array(c.n)};
		let event = 0, v = 0;

		for (let i = 0; i < c.n; i++) {
			if ((i & EVERY) === 0)
				yield .5;
			event += r.next();
			v += r.signed();
			counter.at[i] = event;
			counter.value[i] = v;
			counter.top = Math.max(counter.top, v);
		}
		counters.push(counter);
		if (!counterRows.has(counter.name))
			counterRows.set(counter.name, []);
		counterRows.get(counter.name).push(counter);
	}
	raw.counters = null;
}

/* ---- all of it -------------------------------------------------------------------- */

let groups = []; /* {label, rows}, top to bottom, and headings */
let lanes = [], bars = [];

function stackUp(extra) {
	let y = 2;

	const heading = title => {
		groups.push({title, y, height: 20, rows: []});
		y += 22;
	};
	const add = g => {
		g.y = y;
		g.height = 0;
		for (const r of g.deep ? g.rows.slice(0, g.deep) : g.rows) {
			r.y = y + g.height;
			g.height += r.height;
			rows.push(r);
		}
		groups.push(g);
		y += g.height + GAP;
	};

	groups = [];
	rows = [];
	heading('contexts');
	laneTop = lanes.map(l => {
		const top = y;

		add({label: l.label, rows: l.rows, deep: l.deep || 1});
		return top;
	});
	if (bars.length) {
		heading('deferred');
		bars.forEach(add);
	}
	showLives(extra);
	if (life.length) {
		heading('lives');
		life.forEach(add);
	}
	if (counters.length) {
		heading('counters');
		for (const [name, of] of counterRows)
			add({
				label: name,
				rows: [{type: 'counter', height: 32, counters: of, a: [],
					top: Math.max(...of.map(c => c.top))}]
			});
	}
	tallness = y + 8;
}

/*
 * Lanes are as deep as what is in view needs.  While the view is dragged they only get
 * deeper, or everything below would dance.
 */
function fitLanes(a, b, grow) {
	let changed = false;

	for (const l of [...lanes, ...bars]) {
		let deep = grow ? l.deep || 1 : 1;

		for (let d = l.rows.length - 1; d >= deep; d--) {
			const r = l.rows[d], m = r.a.length;
			const k = gallop(0, m, j => r.right[j] > a || r.left[j] >= a);

			if (k < m && r.left[k] <= b)
				deep = d + 1;
		}
		changed = changed || deep !== l.deep;
		l.deep = deep;
	}
	return changed;
}

/* Everything anew, to be shown by showLayout(). */
function* layOut(want) {
	const places = yield* place(want), laid = yield* layLanes(want);

	for (const l of laid.lanes) {
		for (const r of l.rows) {
			r.seal(places);
			yield .9;
		}
	}
	laid.bars = yield* layBars(places);
	if (!lives.length)
		lives = chooseLives();
	laid.lifeOf = yield* layLives(places);
	return {...places, ...laid, want};
}

function showLayout(laid, extra) {
	({start, stop, idle, listed, differences, lanes, depth, laneOf, bars, lifeOf} = laid);
	Object.assign(shown, laid.want);
	differencesOf = runs.map((_, on) => differences.filter(i => side[i] === on));
	stackUp(extra);
}
