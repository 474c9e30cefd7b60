/*
 * Where everything goes.  Across: two scales, the order of events and true time.
 * Down: rows of segments that do not overlap.  A segment runs from the start of one
 * event to the end of another, so that a change of scale moves no segment.
 */

const ROW = 16, GAP = 4, DEPTH_MAX = 9, LIVES_MAX = 60, BARS_MAX = 8;

/* what the reader chose */
const shown = {all: false, time: false, tasks: false, arrows: false};
/* Start and end of each event on the current scale; start[n] is the end of the run. */
const start = new Float64Array(n + 1), stop = new Float64Array(n + 1);
/* Stretches in which nothing happened, on the scale by order: start, end, how long. */
let idle = [];
/* The events that the table lists and that the keys step through. */
let listed = new Uint32Array(0);
/* Of two runs: those of them that differ. */
let differences = new Uint32Array(0);
let rows = [], tallness = 0;
/* Of each event: its depth below its lane, and the event that opened what it belongs to. */
const depth = new Uint8Array(n), head = new Int32Array(n).fill(-1);
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

/* Two runs: what stands in one column has one place, whether the timeline shows it or not. */
function placeBoth() {
	let x = 0, any = 0;

	for (let i = 0, first = 0; i <= n; i++) {
		if (i === n || begins[i]) {
			for (let k = first; k < i; k++)
				stop[k] = x + any;
			x += any;
			any = 0;
			first = i;
		}
		start[i] = x;
		if (i < n && isShown(i))
			any = 1;
	}
	stop[n] = x;
}

/* What both have in one column is listed once. */
const isListed = i => isShown(i) && !(both && side[i] && isAligned(i));

function place() {
	const unit = medianGap() * 60;
	let x = 0;

	idle = [];
	if (both)
		placeBoth();
	for (let i = 0; i <= n && !both; i++) {
		if (shown.time) {
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
		if (i < n && isShown(i))
			x++;
		stop[i] = x;
	}
	let count = 0;
	const list = new Uint32Array(n);
	for (let i = 0; i < n; i++) {
		if (isListed(i))
			list[count++] = i;
	}
	listed = list.slice(0, count);
	differences = both ? listed.filter(i => pairing[i] !== SAME) : listed.slice(0, 0);
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

/* Segments from event a to event b.  what: an event, a call (its function), a state. */
class Row {
	constructor(type, label) {
		this.type = type;
		this.label = label;
		this.height = ROW;
		this.a = [];
		this.b = [];
		this.color = [];
		this.name = []; /* index of a string, or ~event for the event itself */
	}
	add(a, b, color, name) {
		this.a.push(a);
		this.b.push(b);
		this.color.push(color);
		this.name.push(name);
		return this.a.length - 1;
	}
	seal() {
		this.a = Uint32Array.from(this.a);
		this.b = Uint32Array.from(this.b);
		this.color = Uint8Array.from(this.color);
		this.left = Float64Array.from(this.a, a => start[a]);
		/* A call lasts as long as its last event; a state until the next one begins. */
		this.right = Float64Array.from(this.b, b => b >= n ? start[n]
			: this.type === 'call' ? stop[b] : start[b]);
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

function laneKeys() {
	const order = {task: 0, kworker: 1, softirq: 2, hardirq: 3, env: 9};
	const lanes = new Map();

	contexts.forEach((c, i) => {
		const env = c.kind === 'env';
		const key = c.side + (env ? 'env' : shown.tasks ? 't' + c.task : c.cpu + c.kind);
		const label = sideName(c.side) + (env ? 'environment' :
		        shown.tasks ? c.comm :
		                      'CPU' + c.cpu + ' ' + c.kind);

		if (!lanes.has(key)) {
			lanes.set(key, {label, contexts: [],
				rank: (env ? 1e6 : shown.tasks ? 0 : c.cpu * 16) + order[c.kind] +
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
	/* Event i happened inside these calls. */
	enter(i, path, length) {
		let same = 0;

		if (this.context !== ctx[i]) {
			this.open.length = 0;
			this.context = ctx[i];
		}
		while (same < this.open.length && same < length && this.open[same] === path[same])
			same++;
		this.open.length = same;
		for (let d = 0; d < length; d++) {
			if (d < same) {
				this.rows[d].b[this.at[d]] = i;
			} else {
				const name = path[d] < 0 ? path[d] : frameFunc[path[d]];

				this.open.push(path[d]);
				this.at[d] = this.row(d).add(i, i,
					name < 0 ? colorOfKind[kind[~name]] : colorOfName[name],
					name);
			}
		}
		depth[i] = length;
		if (isShown(i) && !(length > 0 && path[length - 1] === ~i))
			this.row(length).add(i, i, colorOfKind[kind[i]], ~i);
		else if (length > 0 && path[length - 1] === ~i)
			depth[i] = length - 1;
	}
}

function layLanes() {
	const path = new Int32Array(DEPTH_MAX + 1), keys = laneKeys();
	const current = new Int32Array(contexts.length).fill(-1);
	const lanes = keys.map(k => new Lane(k.label));
	const chain = [];

	laneOf = new Array(contexts.length);
	keys.forEach((k, l) => k.contexts.forEach(c => { laneOf[c] = l; }));
	for (let i = 0; i < n; i++) {
		const c = ctx[i];
		let length = 0;

		if (opens.has(kind[i]))
			current[c] = i;
		head[i] = current[c];
		const skip = head[i] >= 0 && opens.has(kind[head[i]]) ? textAt(head[i]) : -1;
		if (head[i] >= 0)
			path[length++] = ~head[i];
		chain.length = 0;
		for (let f = stack[i]; f; f = frameCaller[f]) {
			if (!plumbing.has(frameFunc[f]))
				chain.push(f);
		}
		if (chain.length && frameFunc[chain[chain.length - 1]] === skip)
			chain.pop();
		for (let d = chain.length - 1; d >= 0 && length < DEPTH_MAX; d--)
			path[length++] = chain[d];
		lanes[laneOf[c]].enter(i, path, length);
		if (closes.has(kind[i]))
			current[c] = -1;
	}
	return lanes;
}

/* Index of the string argument of event i, which always is the last; -1 for none. */
const textCache = new Map();
function textAt(i) {
	if (!textCache.has(i)) {
		const a = argsOf(i).find(x => x.type === 's');

		textCache.set(i, a ? a.value - 1 : -1);
	}
	return textCache.get(i);
}

/* ---- deferred work ---------------------------------------------------------------- */

/* Bars from the event that asked to the event that ran: {a, b, name, color, lost}. */
function pendingBars(on) {
	const groups = new Map([['call_rcu', []], ['queue_work', []], ['grace period', []]]);
	const queued = new Map(); /* work item or callback that waits: its event */
	const callRcu = kindNamed.get('call_rcu'), queue = kindNamed.get('queue_work');
	const cancel = kindNamed.get('cancel_work'), gpStart = kindNamed.get('rcu_gp_start');
	const gpEnd = kindNamed.get('rcu_gp_end');
	const waiting = new Set();
	let gp = -1;

	for (const i of ofSide[on]) {
		const k = kind[i], c = cause[i];

		if (c >= 0 && waiting.has(c)) {
			waiting.delete(c);
			groups.get(kind[c] === callRcu ? 'call_rcu' : 'queue_work')
				.push({a: c, b: i});
		}
		if (k === callRcu || (k === queue && argOf(i, 'queued').value)) {
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
function layBars() {
	const out = [], all = runs.map((_, on) => [...pendingBars(on)].map(b => [...b, on]));

	for (const [name, bars, on] of all[0].flatMap((b, k) => all.map(a => a[k]))) {
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
			group[r].add(
			        bar.a, bar.b,
			        bar.lost                      ? DEAD :
			                name === 'queue_work' ? 5 :
			                                        1,
			        ~bar.a);
		}
		if (left)
			group[0].note = '+' + left + ' not shown';
		if (group.length)
			out.push({label, rows: group.map(r => r.seal())});
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

function stateAt(i) {
	const name = kinds[kind[i]].name;

	if (name === 'state')
		return textOf(i);
	if (name === 'queue_work')
		return argOf(i, 'queued').value ? 'pending' : '';
	if (name === 'cache_shutdown')
		return argOf(i, 'result').value === 0 ? 'shut down' : '';
	if (name === 'cgroup_rmdir')
		return argOf(i, 'result').value === 0 ? 'removed' : '';
	return stateByKind[kind[i]];
}

/* Which objects get a row: those in trouble first, then the kinds that matter most. */
function chooseLives() {
	const want = ['memcg', 'cache', 'slab', 'cgroup'];
	const chosen = [], have = new Set();
	const take = o => {
		if (o && !have.has(o)) {
			have.add(o);
			chosen.push(o);
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
	return both ? besideTwins(chosen) : chosen;
}

/* Each object with the one of the same name in the other run. */
function besideTwins(chosen) {
	const called = o => objectKindName(o) + ' ' + objectCalled(o);
	const twins = new Map(chosen.map(o => [objectSide[o] + called(o), o])), out = new Set();

	for (const o of chosen) {
		for (const on of [0, 1]) {
			const twin = on === objectSide[o] ? o : twins.get(on + called(o));

			if (twin)
				out.add(twin);
		}
	}
	return [...out];
}
const lives = chooseLives();
let life = {}; /* rows by object */

function layLives(extra) {
	const objects = lives.slice(0, LIVES_MAX), byObject = new Map();

	if (extra && !objects.includes(extra))
		objects.unshift(extra);
	for (const o of objects)
		byObject.set(o, {row: new Row('life', sideName(objectSide[o]) + objectCalled(o)),
			uses: []});
	for (const [o, {row, uses}] of byObject) {
		for (let i = firstOf[o]; i >= 0; i = nextOf[i]) {
			const state = stateAt(i), last = row.a.length - 1;

			uses.push(i);
			if (!state || row.name[last] === state)
				continue;
			if (last >= 0)
				row.b[last] = i;
			row.add(i, n, state === 'freed' ? DEAD : stateColor[state] === undefined ? 3
				: stateColor[state], state);
		}
	}
	const out = [];
	for (const [o, l] of byObject) {
		if (!l.row.a.length)
			continue;
		l.row.seal().object = o;
		l.row.uses = Uint32Array.from(l.uses);
		out.push({label: l.row.label, rows: [l.row]});
	}
	if (lives.length > LIVES_MAX && out.length) {
		out[0].rows[0].note = (lives.length - LIVES_MAX) +
			' more lives not shown; selecting an event shows its object\'s';
	}
	return out;
}

/* ---- counters --------------------------------------------------------------------- */

const counters = raw.counters.map(c => {
	const r = new Reader(c.points), at = new Uint32Array(c.n), value = new Float64Array(c.n);
	let event = 0, v = 0, top = 1;

	for (let i = 0; i < c.n; i++) {
		event += r.next();
		v += r.signed();
		at[i] = event;
		value[i] = v;
		top = Math.max(top, v);
	}
	return {name: clean(c.name), side: c.side, at, value, top};
});
/* One row for what both runs count. */
const counterRows = new Map();
for (const c of counters) {
	if (!counterRows.has(c.name))
		counterRows.set(c.name, []);
	counterRows.get(c.name).push(c);
}

/* ---- all of it -------------------------------------------------------------------- */

let groups = []; /* {label, rows}, top to bottom, and headings */
let lanes = [], bars = [];

let stackedFor = -1;
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
	if (stackedFor !== extra)
		life = layLives(extra);
	stackedFor = extra;
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

function layOut(extra) {
	place();
	lanes = layLanes();
	for (const l of lanes)
		l.rows.forEach(r => r.seal());
	bars = layBars();
	stackedFor = -1;
	stackUp(extra);
}
