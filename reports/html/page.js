/*
 * The page around the canvas: header, details, table, keys.
 * Text from the trace gets into the page as text only, never as markup.
 */

const details = byId('details'), query = byId('query');

const eventLink = i => el('button', {class: 'link', type: 'button', click: () => select(i)},
	tag(i) + ' ' + shorten(words(i), 160));

/* ---- long work that has begun --------------------------------------------------------- */

let busy = Promise.resolve(); /* resolved when none is left */
const also = work => { busy = Promise.all([busy, work]); };

function showProgress(share) {
	const working = byId('working');

	working.hidden = share === null;
	if (share !== null)
		working.value = share;
}

/* ---- header ----------------------------------------------------------------------- */

/* One run in a few words. */
function aboutRun(r) {
	const variants = r.variants.map(clean);

	return clean(r.design) + (variants.length ? ' with ' + variants.join(', ') : '') +
	        ' \u00b7 seed ' + r.seed + ' \u00b7 ' + r.n.toLocaleString('en') +
	        ' events \u00b7 ' +
	        r.cpus + ' CPUs \u00b7 ' +
	        (r.untimed ? 'untimed' : formatTime(r.end, runs.indexOf(r)));
}

function fillHeadline() {
	const named = new Set(runs.map(r => clean(r.scenario)));

	document.title = [...named].map(s => shorten(s, 80)).join(', ') + ': ' +
	        runs.map((r, on) => sideName(on) + r.verdict).join(', ') + ' \u2013 slabsim';
	byId('headline').replaceChildren(
	        el('h1', {id: 'title'}, [...named].map(s => shorten(s, 200)).join(', ')),
	        ...runs.map(
	                (r, on) => el('span', {class: 'run'},
	                              el('span', {id: on ? 'verdict2' : 'verdict', class: 'badge'},
	                                 sideName(on) + r.verdict.toUpperCase()),
	                              ' ', el('span', {id: on ? 'about2' : 'about', class: 'about'},
	                                      aboutRun(r)))));
	runs.forEach((r, on) => byId(on ? 'verdict2' : 'verdict').classList.add(r.verdict));
}

function notes() {
	const out = [];

	if (raw.counters_left)
		out.push(raw.counters_left + ' more counters of single memcgs are not drawn.');
	runs.forEach((r, on) => {
		const of = both ? ' of ' + 'AB'[on] : '';

		if (r.dropped)
			out.push(r.dropped + ' events at the beginning' + of + ' were left out.');
		if (!r.complete)
			out.push('The trace' + of +
			         ' was cut short: what came after its last event is unknown.');
	});
	return out;
}

function fillHeader() {
	if (violations.length) {
		const v = violations[0], many = runs.reduce((sum, r) => sum + r.nr_violations, 0);

		byId('message').append(el('b', null, sideName(v.side) + v.rule), ': ',
			...said(v.msg, v.side, true),
			(many > 1 ? '  (and ' + (many - 1) + ' more)' : ''));
	}
	if (both)
		byId('message').append(el('span', {class: 'note'}, differences.length ?
			'The runs part at ' + tag(differences[0]) + ': ' +
			shorten(words(differences[0]), 160) +
			' (' + pairingName(differences[0]) + ')'
			: 'Both runs do the same, in the same order; times may differ.'));
	for (const note of notes())
		byId('message').append(el('span', {class: 'note'}, note));
	byId('jump').disabled = !violations.some(v => v.at >= 0);
	byId('unit').textContent = runs.every(r => r.untimed) ? 'step' : 'time, \u00b5s';
	if (!violations.length)
		byId('jump').title = 'nothing was violated';
	byId('next').hidden = !both;
	byId('next').disabled = !differences.length;
	byId('bytime').hidden = both;
	byId('pairs').hidden = byId('compared').hidden = !both;
}

/* How an event stands to the other run. */
function pairingName(i) {
	const other = 'AB'[1 - side[i]];

	return pairing[i] === ALONE ? 'not in ' + other :
	        pairing[i] === MOVED ? 'in another order than in ' + other :
	        pairing[i] === CHANGED ? 'not quite the same in ' + other : 'the same in ' + other;
}

/* ---- details ---------------------------------------------------------------------- */

function section(title, ...children) {
	return [el('h3', null, title), ...children];
}

function effectsOf(i) {
	const list = el('ol');
	let count = 0;

	for (let e = effect[i]; e >= 0 && count < 20; e = nextEffect[e], count++)
		list.append(el('li', null, eventLink(e), ' (' + strings[via[e]] + ')'));
	return count ? list : null;
}

/* What began the life of the object of event i, and what ended it. */
function lifeList(o, i) {
	const list = el('ol');

	for (let e = firstOf[o], count = 0; e >= 0 && count < 12; e = nextOf[e]) {
		const state = stateAt(e);

		if (!state)
			continue;
		list.append(el('li', null, (e <= i ? '' : '\u2193 '), state + ' ', eventLink(e)));
		count++;
	}
	return list;
}

/*
 * A checker's words: objects by their names, and what it numbers as links if there can be
 * any.
 */
function said(msg, on, links) {
	const ids = new RegExp('\\b(' + raw.object_kinds.join('|') + '):(\\d+)\\b', 'g');
	const named = msg.replace(ids, (id, k, nr) => {
		const o = objectNumbered(k, +nr, on);

		return o ? objectCalled(o) : id;
	});

	return named.split(/\b(?:at |since )?seq (\d+)\b/).map((part, k) => {
		if (k % 2 === 0)
			return part;
		const i = find(+part, on);
		return links && i >= 0 ? el('button', {class: 'link', type: 'button',
			click: () => select(i)}, tag(i)) : '#' + part;
	});
}

/* The object that scripts and traces call kind:nr. */
function objectNumbered(k, nr, on) {
	for (let o = 1; o <= nrObjects; o++) {
		if (objectNr[o] === nr && objectSide[o] === on && objectKindName(o) === k)
			return o;
	}
	return 0;
}

/* The bugs that were switched on, for whoever has not seen them before. */
function bugsOf(r) {
	if (!r.bugs.length)
		return [];
	const list = r.bugs.map(b => el('li', null, el('b', null, b.name), ': ' + b.summary +
		(b.fix ? ' (' + b.fix + ')' : '')));

	return section(list.length > 1 ? 'Bugs that were on' : 'The bug', el('ol', null, ...list));
}

/* What is pasted into mails. */
function reportsOf(r) {
	const parts = [];

	if (r.race)
		parts.push(...section('Race table', el('pre', null, cleanLines(r.race))),
			el('details', null, el('summary', null, 'Kernel-style report'),
				el('pre', null, cleanLines(r.splat))));
	if (r.ledger)
		parts.push(el('details', null, el('summary', null, 'Who held references'),
			el('pre', null, cleanLines(r.ledger))));
	if (r.replay)
		parts.push(...section('Replay', el('p', null, clean(r.replay))));
	return parts;
}

function fillDetails(i) {
	const parts = [];

	if (i < 0) {
		parts.push(
		        el('h2', null, violations.length ? 'Nothing selected' : 'No violation'),
		        el('p', null,
		           'Select an event: click one, press \u2192, or search with /. ' +
		                   'Press ? for all keys.'));
	} else {
		const c = contexts[ctx[i]], k = kinds[kind[i]], v = violates.get(i);

		parts.push(el('h2', null, tag(i) + ' ' + shorten(words(i), 300)));
		if (v) {
			parts.push(
			        el('div', {class: 'alarm'}, el('b', null, v.rule), ': ',
			           ...said(v.msg, v.side, true)));
			const others = v.related.filter(r => r !== i);
			if (others.length)
				parts.push(...section('See also', el('ol', null,
					...others.map(r => el('li', null, eventLink(r))))));
			parts.push(...bugsOf(runs[v.side]), ...reportsOf(runs[v.side]));
		}
		const dl = el('dl');
		const pair = (name, ...value) =>
		        dl.append(el('dt', null, name), el('dd', null, ...value));
		if (both)
			pair('compared', pairingName(i) + (partner[i] >= 0 ? ': ' : ''),
				partner[i] >= 0 ? eventLink(partner[i]) : '');
		pair('when', formatTime(time[i], side[i]));
		pair('where', 'CPU' + c.cpu + ' ' + c.kind + ', ' + shorten(c.comm, 120) +
			(c.task ? ' (task:' + c.task + ')' : ''));
		pair('event', k.name + ': ' + k.doc);
		if (obj[i])
			pair('object', shorten(objectFull(obj[i]), 200));
		for (const a of argsOf(i))
			pair(a.name, shorten(a.type === 'o' ? objectFull(a.value) : a.text, 300));
		parts.push(dl);
		if (stack[i])
			parts.push(...section('Call stack', el('ol', null,
				...stackOf(i).map(f => el('li', null, shorten(f, 200))))));
		if (cause[i] >= 0)
			parts.push(
			        ...section('Cause (' + strings[via[i]] + ')', eventLink(cause[i])));
		else if (head[i] >= 0 && head[i] !== i)
			parts.push(...section('Inside', eventLink(head[i])));
		const effects = effectsOf(i);
		if (effects)
			parts.push(...section('Effects', effects));
		if (obj[i] &&
		    ['cache', 'memcg', 'cgroup', 'slab', 'work',
		     'obj'].includes(objectKindName(obj[i])))
			parts.push(...section(
			        'Life of ' + shorten(objectCalled(obj[i]), 80),
			        lifeList(obj[i], i)));
	}
	if (i < 0)
		for (const r of runs)
			parts.push(...bugsOf(r), ...reportsOf(r));
	if (both && (i < 0 || i === differences[0]))
		parts.push(...section('Both runs', el('pre', null, cleanLines(raw.diff))));
	details.replaceChildren(...parts);
	details.scrollTop = 0;
}

/* ---- table: only the rows in view exist ------------------------------------------- */

const LINE = 20, TALLEST = 8e6;
const tableBox = byId('events'), body = byId('rows');
let firstLine = -1, lastLine = -1;

const lineOf = i => gallop(0, listed.length, j => listed[j] >= i);

function fillLine(i) {
	const twin = isAligned(i) ? partner[i] : -1;
	const c = contexts[ctx[i]], tr = el('tr', {'data-i': i,
		'aria-selected': selected >= 0 && (i === selected || twin === selected)});
	const time_ = runs[side[i]].untimed ? String(time[i]) : (time[i] / 1e3).toFixed(3);

	if (violates.has(i))
		tr.className = 'bad';
	else if (noise[i])
		tr.className = 'noise';
	if (found && found[gallop(0, found.length, j => found[j] >= i)] === i)
		tr.classList.add('match');
	if (both && pairing[i] !== SAME)
		tr.classList.add(pairing[i] === ALONE ? 'alone' : 'moved');
	const text = words(i), other = twin >= 0 ? words(twin) : text;
	const cells = [tag(i) + (twin >= 0 ? ' ' + tag(twin) : ''), time_,
		c.kind === 'env' ? '' : String(c.cpu),
		shorten(c.comm, 40),
		shorten(text + (other !== text ? ' | B: ' + other : ''), 160),
		shorten(objectCalled(obj[i]), 60),
		cause[i] >= 0 ? tag(cause[i]) + ' ' + strings[via[i]] : ''];
	cells.forEach((cell, at) => tr.append(el('td', at < 2 ? {class: 'n'} : null, cell)));
	if (both)
		tr.children[1].before(el('td', null, ['only in ' + 'AB'[side[i]], '', 'differs',
			'moved'][pairing[i]]));
	return tr;
}

function fillTable(force) {
	const total = listed.length, full = total * LINE, tallBody = Math.min(full, TALLEST);
	const room = Math.ceil(tableBox.clientHeight / LINE) + 1;
	let a = 0, b = total;

	if (!printing) {
		const most = Math.max(1, tallBody - tableBox.clientHeight);
		const at = full <= TALLEST ? tableBox.scrollTop / LINE
			: Math.min(1, tableBox.scrollTop / most) * Math.max(0, total - room + 2);

		a = Math.max(0, Math.floor(at) - 10);
		b = Math.min(total, a + room + 20);
	} else {
		b = Math.min(total, 3000);
	}
	if (!force && a === firstLine && b === lastLine)
		return;
	firstLine = a;
	lastLine = b;
	const before = full <= TALLEST ?
	        a * LINE :
	        Math.max(0, Math.min(tableBox.scrollTop - 10 * LINE, tallBody - (b - a) * LINE));
	const gap = h => el('tr', {class: 'gap', 'aria-hidden': 'true'},
		el('td', {colspan: 8, style: 'height:' + Math.max(0, h) + 'px'}));
	const lines = [];
	for (let k = a; k < b; k++)
		lines.push(fillLine(listed[k]));
	if (printing && b < total)
		lines.push(
		        el('tr', null,
		           el('td', {colspan: 8}, (total - b) + ' more events are not printed')));
	body.replaceChildren(...(printing ? lines
		: [gap(before), ...lines, gap(tallBody - before - (b - a) * LINE)]));
	body.parentNode.setAttribute('aria-rowcount', total + 1);
}

function showLine(i) {
	const line = lineOf(i), total = listed.length, full = total * LINE,
	      box = tableBox.clientHeight;
	const at = full <= TALLEST ? line * LINE - box / 2 + LINE
		: line / total * (TALLEST - box);

	const visible = tableBox.scrollTop, y = line * LINE + LINE;
	if (full > TALLEST || y < visible + 2 * LINE || y > visible + box - 2 * LINE)
		tableBox.scrollTop = at;
	fillTable(true);
}

body.addEventListener('click', e => {
	const tr = e.target.closest('tr[data-i]');

	if (tr)
		select(+tr.dataset.i, {table: false});
});
tableBox.addEventListener('scroll', () => fillTable(false));

/* ---- moving ----------------------------------------------------------------------- */

let extraLife = 0;

function setView(a, b, moving) {
	const whole = Math.max(start[n] - start[0], 1),
	      least = shown.time ? (runs[0].untimed ? 2 : 20) : 3;
	const middle = (a + b) / 2;

	b = Math.max(b - a, least);
	b = Math.min(b, whole * 1.06);
	a = Math.max(
	        start[0] - whole * .03 - least / 2,
	        Math.min(middle - b / 2, start[n] + whole * .03 + least / 2 - b));
	from = a;
	to = a + b;
	if (fitLanes(from, to, moving))
		stackUp(extraLife);
	redraw();
}
const fit = () =>
        setView(start[0] - (start[n] - start[0]) * .015, start[n] + (start[n] - start[0]) * .015);
const zoom = (k, p) => {
	if (p === undefined)
		p = selected >= 0 && start[selected] >= from && start[selected] <= to ?
		        start[selected] :
		        (from + to) / 2;
	setView(p - (p - from) * k, p + (to - p) * k);
};
const pan = k => setView(from + (to - from) * k, to + (to - from) * k, true);

/* Selects event i and makes it visible. */
function select(i, how = {}) {
	if (!ready || !(i >= 0 && i < n))
		return;
	const extra = life.some(l => l.rows[0].object === obj[i]) ? 0 : obj[i];

	selected = i;
	if (extra && extra !== extraLife && !/^(task|cpu|lock|-)$/.test(objectKindName(obj[i]))) {
		extraLife = extra;
		stackUp(extra);
	}
	if (start[i] < from || stop[i] > to) {
		const half = (to - from) / 2;

		setView(start[i] - half, start[i] + half, true);
	}
	const y = laneTop[laneOf[ctx[i]]] + depth[i] * ROW;
	if (y < scroll.scrollTop || y + ROW > scroll.scrollTop + scroll.clientHeight)
		scroll.scrollTop = Math.max(0, y - scroll.clientHeight / 3);
	fillDetails(i);
	if (how.table === false)
		fillTable(true);
	else
		showLine(i);
	byId('said').textContent = 'Event ' + sideName(side[i]) + seq[i] + ', ' +
		formatTime(time[i], side[i]) + ', ' +
		contexts[ctx[i]].comm + ': ' + shorten(words(i), 200) +
		(both ? ', ' + pairingName(i) : '') +
		(violates.has(i) ? '. Violation: ' + violates.get(i).rule : '');
	const hash = '#e' + tag(i).replace('#', '');
	if (location.hash !== hash)
		history.replaceState(null, '', hash);
	redraw();
}

/* The violation with what led to it; again: the next one. */
function jump() {
	const list = violations.filter(v => v.at >= 0);

	if (!list.length)
		return;
	const v = list[(list.findIndex(x => x.at === selected) + 1) % list.length];
	const edges = new Map();
	causesOf(v.at, edges);
	const near = [...v.related, ...edges.values()].filter(i => i < v.at);
	/* By order: so close that the names can be read. */
	const most = shown.time ? Infinity : Math.max(14, span() / 44);
	const least = shown.time ? (start[n] - start[0]) / 1e4 : Math.max(10, span() / 80);
	const early = near.map(i => start[i]).filter(p => start[v.at] - p < most * .8);
	const left = Math.min(start[v.at] - least * .7, ...early);
	const room = Math.max((start[v.at] - left) * .25, shown.time ? 0 : 3);

	setView(left - room * .4, start[v.at] + room);
	select(v.at);
}

/* The next difference in a direction, so close that it can be read. */
function toDifference(by) {
	const k = gallop(0, differences.length, j => differences[j] >= selected);
	const at = selected < 0 ? 0 : by < 0 ? k - 1 : differences[k] === selected ? k + 1 : k;
	const i = differences[(at + differences.length) % differences.length];

	if (!differences.length)
		return;
	/* What stood together before it shows where they part. */
	if (by > 0 && (start[i] < from || start[i] > to || to - from > span() / 20))
		setView(start[i] - span() / 110, start[i] + span() / 55);
	select(i);
}

/* The next listed event in a direction, of the same context if asked. */
function step(by, same) {
	let k = selected < 0 ? (by > 0 ? -1 : listed.length) : lineOf(selected);

	if (selected >= 0 && by > 0 && listed[k] !== selected)
		k--; /* the selected event is not listed itself */
	do
		k += by;
	while (same && selected >= 0 && k >= 0 && k < listed.length &&
	       ctx[listed[k]] !== ctx[selected]);
	if (k >= 0 && k < listed.length)
		select(listed[k]);
}

function toCause() {
	if (selected < 0)
		return;
	const c = cause[selected] >= 0 ? cause[selected]
		: head[selected] >= 0 && head[selected] !== selected ? head[selected] : -1;

	if (c >= 0)
		select(c);
	else
		byId('said').textContent = 'No cause: the scenario did this by itself.';
}

/* ---- search ----------------------------------------------------------------------- */

let searched = '';
let searching = null; /* what is being searched: {list, count} */
let toGo = 0; /* direction of the match to go to once it is found */

const countOf = list => list.length === 0 ? 'no match' : list.length === 1 ? '1 match'
	: list.length.toLocaleString('en') + ' matches';

function showFound(text) {
	byId('matches').textContent = text;
	fillTable(true);
	redraw();
}

/* Runs beside everything else; what is found is shown as it is found. */
async function searchFor(text) {
	const mine = searching = {list: new Uint32Array(0), count: 0};

	await loaded;
	const progress = share => {
		found = mine.list.subarray(0, mine.count);
		showFound(Math.floor(share * 100) + ' %: ' + countOf(found));
		goOn();
	};

	await run(search(text, mine), progress, () => searching !== mine);
	if (searching !== mine)
		return;
	searching = null;
	found = mine.list.slice(0, mine.count);
	showFound(countOf(found));
	goOn();
}

function runSearch() {
	const text = query.value.trim();

	if (text === searched)
		return;
	searched = text;
	searching = null;
	toGo = 0;
	found = null;
	if (text)
		also(searchFor(text));
	else
		showFound('');
}

/* The match after or before the selected event, if it is known which one that is. */
function matchFrom(by) {
	const k = gallop(0, found.length, j => found[j] >= selected);
	const at = by < 0 ? k - 1 : found[k] === selected ? k + 1 : k;

	/* While the search goes on, only what comes before its last match is known. */
	if (searching && (at < 0 || at >= found.length))
		return -1;
	return (at + found.length) % found.length;
}

function goOn() {
	if (!toGo || !found || !found.length) {
		toGo = searching ? toGo : 0;
		return;
	}
	const at = matchFrom(toGo);

	if (at < 0)
		return;
	toGo = 0;
	select(found[at]);
	byId('matches').textContent =
	        (at + 1).toLocaleString('en') + ' of ' +
	        (searching ? 'more than ' : '') + found.length.toLocaleString('en');
}

function nextMatch(by) {
	runSearch();
	toGo = by;
	goOn();
}
let typing = 0;
query.addEventListener('input', () => {
	clearTimeout(typing);
	typing = setTimeout(runSearch, 60);
});
query.addEventListener('keydown', e => {
	e.stopPropagation();
	if (e.key === 'Enter') {
		e.preventDefault();
		clearTimeout(typing);
		nextMatch(e.shiftKey ? -1 : 1);
	} else if (e.key === 'Escape') {
		query.value = '';
		runSearch();
		view.focus();
	}
});

/* ---- choices ---------------------------------------------------------------------- */

/* Until all of it is laid out, the old is shown and can be moved; then what is in view stays. */
async function layOutAnew() {
	if (['all', 'time', 'tasks'].every(k => shown[k] === chosen[k]))
		return;
	const laid = await run(layOut({...chosen}), showProgress);
	const whole = to - from > (start[n] - start[0]) * .9;
	const first = eventAt(from), last = eventAt(to);

	showProgress(null);
	showLayout(laid, extraLife);
	if (whole)
		fit();
	else
		setView(start[first], start[last]);
	if (selected >= 0)
		showLine(selected);
	else
		fillTable(true);
}

let changing = Promise.resolve(); /* one after the other */
function toggle(name, button) {
	chosen[name] = !chosen[name];
	byId(button).setAttribute('aria-pressed', chosen[name]);
	if (name === 'arrows' || !n) {
		shown[name] = chosen[name];
		redraw();
		return;
	}
	also(changing = changing.then(layOutAnew));
}
const choices = {arrows: 'arrows', all: 'all', time: 'bytime', tasks: 'bytask'};
for (const [name, button] of Object.entries(choices))
	byId(button).addEventListener('click', () => toggle(name, button));
byId('jump').addEventListener('click', jump);
byId('next').addEventListener('click', () => toDifference(1));
byId('in').addEventListener('click', () => zoom(.6));
byId('out').addEventListener('click', () => zoom(1.6));
byId('fit').addEventListener('click', fit);
function help() {
	const keys = byId('keys');

	keys.hidden = !keys.hidden;
	byId('help').setAttribute('aria-expanded', !keys.hidden);
	redraw();
}
byId('help').addEventListener('click', help);
if (runs[0].untimed)
	byId('bytime').lastChild.textContent = ' by step';

/* ---- keys ------------------------------------------------------------------------- */

const commands = {
	w: () => zoom(.7), s: () => zoom(1 / .7), a: () => pan(-.2), d: () => pan(.2),
	f: fit, v: jump, c: () => toggle('arrows', 'arrows'), n: () => toggle('all', 'all'),
	t: () => both || toggle('time', 'bytime'), x: () => toDifference(1),
	X: () => toDifference(-1), l: () => toggle('tasks', 'bytask'), '?': help,
	'/': () => query.select(), e: () => select(selected >= 0 ? effect[selected] : -1),
	ArrowRight: () => step(1, false), ArrowLeft: () => step(-1, false),
	ArrowDown: () => step(1, true), ArrowUp: () => step(-1, true),
	Home: () => select(listed[0]), End: () => select(listed[listed.length - 1]),
	Enter: toCause,
};

addEventListener('keydown', e => {
	const on = document.activeElement && document.activeElement.tagName;
	const command = commands[e.key];

	if (e.ctrlKey || e.metaKey || e.altKey || !command || on === 'INPUT')
		return;
	if (e.key === 'Enter' && (on === 'BUTTON' || on === 'SUMMARY'))
		return;
	if (document.activeElement === byId('grip') ||
	    (document.activeElement === details && /^Arrow|Home|End/.test(e.key)))
		return;
	e.preventDefault();
	command();
});

/* ---- pointer ---------------------------------------------------------------------- */

/* The row at y, and the segment in it at x. */
function hit(e) {
	const box = lanesCanvas.getBoundingClientRect();
	const x = e.clientX - box.left, y = e.clientY - box.top + scrolled;
	const row = rows.find(r => y >= r.y && y < r.y + r.height);

	if (!row || x < GUTTER || !row.a.length)
		return null;
	const near = 3 / span() * (to - from), p = toP(x), m = row.a.length;
	for (let k = gallop(0, m, j => segStop(row, j) >= p - near);
	     k < m && segStart(row, k) <= p + near; k++) {
		if (segStop(row, k) > p || k + 1 >= m || segStart(row, k + 1) > p + near)
			return {row, k};
	}
	return null;
}

function tipText({row, k}) {
	const a = row.a[k], b = row.b[k],
	      event = row.name[k] < 0;

	if (row.type === 'call' && event && a === b)
		return tag(a) + ' ' + words(a) + '\n' + formatTime(time[a], side[a]) + '  ' +
		        contexts[ctx[a]].comm + (both ? '\n' + pairingName(a) : '');
	const length = formatSpan(timeOf(b, side[a]) - time[a], side[a]);
	if (row.type === 'bar')
		return nameOf(row, k) +
		        (b >= n ? '\nstill pending at the end' : '\nwaited ' + length) +
		        ', since ' + tag(a);
	if (row.type === 'life')
		return row.label + ': ' + nameOf(row, k) + '\nsince ' + tag(a) + ', ' +
		        formatTime(time[a], side[a]) +
		        (b >= n ? ', to the end' : ', for ' + length);
	return nameOf(row, k) + '\n' + tag(a) + ' to ' + tag(b) + ', ' + length + '  ' +
	        contexts[ctx[a]].comm;
}

let drag = null;
const tip = byId('tip');
lanesCanvas.addEventListener('pointerdown', e => {
	drag = {x: e.clientX, y: e.clientY, from, to, top: scroll.scrollTop, moved: false};
	lanesCanvas.setPointerCapture(e.pointerId);
});
lanesCanvas.addEventListener('pointermove', e => {
	if (drag) {
		if (Math.abs(e.clientX - drag.x) + Math.abs(e.clientY - drag.y) > 4)
			drag.moved = true;
		if (drag.moved) {
			const by = (e.clientX - drag.x) / span() * (drag.to - drag.from);

			scroll.scrollTop = drag.top - (e.clientY - drag.y);
			setView(drag.from - by, drag.to - by, true);
			tip.style.display = 'none';
			return;
		}
	}
	const h = hit(e);
	tip.style.display = h ? 'block' : 'none';
	lanesCanvas.style.cursor = h ? 'pointer' : 'default';
	if (h) {
		tip.textContent = shorten(tipText(h), 600);
		tip.style.left =
		        Math.max(0, Math.min(e.clientX + 12, innerWidth - tip.offsetWidth - 8)) +
		        'px';
		tip.style.top = (e.clientY + 18 + tip.offsetHeight > innerHeight ?
		                         e.clientY - tip.offsetHeight - 8 :
		                         e.clientY + 18) +
		        'px';
	}
});
lanesCanvas.addEventListener('pointerup', e => {
	const h = drag && !drag.moved && hit(e);

	drag = null;
	view.focus({preventScroll: true});
	if (h)
		select(h.row.a[h.k]);
});
lanesCanvas.addEventListener('pointercancel', () => { drag = null; });
lanesCanvas.addEventListener('pointerleave', () => { tip.style.display = 'none'; });
lanesCanvas.addEventListener('dblclick', e =>
	zoom(.4, toP(e.clientX - lanesCanvas.getBoundingClientRect().left)));
view.addEventListener('wheel', e => {
	const box = lanesCanvas.getBoundingClientRect();

	if (e.ctrlKey || e.metaKey) {
		e.preventDefault();
		zoom(Math.exp(e.deltaY * .002), toP(e.clientX - box.left));
	} else if (e.deltaX || e.shiftKey) {
		e.preventDefault();
		pan((e.deltaX || e.deltaY) / span());
	}
}, {passive: false});
axisCanvas.addEventListener('pointerdown', e => {
	/* The strip on top is the whole run: go there. */
	const p = start[0] + (e.offsetX - GUTTER) / span() * (start[n] - start[0]),
	      half = (to - from) / 2;

	if (e.offsetX >= GUTTER)
		setView(p - half, p + half);
});

function setSplit(percent) {
	percent = Math.max(15, Math.min(85, percent));
	view.style.flexBasis = percent + '%';
	byId('below').style.flexBasis = 100 - percent + '%';
	byId('grip').setAttribute('aria-valuenow', Math.round(percent));
	fillTable(true);
	redraw();
}
byId('grip').addEventListener('pointerdown', e => {
	const main = view.parentNode.getBoundingClientRect();
	const move = m => setSplit((m.clientY - main.top) / main.height * 100);

	e.preventDefault();
	addEventListener('pointermove', move);
	addEventListener('pointerup', () => removeEventListener('pointermove', move), {once: true});
});
byId('grip').addEventListener('keydown', e => {
	const by = {ArrowUp: -4, ArrowDown: 4}[e.key];

	if (by) {
		e.preventDefault();
		setSplit(+byId('grip').getAttribute('aria-valuenow') + by);
	}
});

/* ---- start ------------------------------------------------------------------------ */

scroll.addEventListener('scroll', redraw);
addEventListener('resize', () => {
	fillTable(true);
	redraw();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
	readTheme();
	redraw();
});
function print_(on) {
	printing = on;
	fillTable(true);
	readTheme();
	draw();
}
addEventListener('beforeprint', () => print_(true));
addEventListener('afterprint', () => print_(false));

function follow() {
	if (!ready)
		return false;
	const m = location.hash.match(/^#e([AB]?)(\d+)$/);
	const i = m ? find(+m[2], both && m[1] === 'B' ? 1 : 0) : -1;

	if (i >= 0) {
		/* So close that the event can be read. */
		const half = shown.time ? (to - from) / 2 : Math.min((to - from) / 2, span() / 100);

		setView(start[i] - half, start[i] + half);
		select(i);
	} else if (m) {
		byId('said').textContent = 'There is no event ' + m[1] + m[2] + '.';
	}
	return i >= 0;
}
addEventListener('hashchange', follow);

/* Keys and links that come before wait, or find nothing to do. */
let ready = false;
const LONG = 50000; /* events from which on it takes a while to open */

async function begin() {
	readTheme();
	fillHeadline();
	byId('message').textContent = 'Reading ' + n.toLocaleString('en') + ' events ...';
	if (n > LONG)
		await nextFrame();
	await run(load(), showProgress);
	await run(readCounters(), showProgress);
	const laid = await run(layOut({...chosen}), showProgress);
	/* Each of these makes the browser lay out something: of a long trace, one in a frame. */
	const frame = () => n > LONG ? nextFrame() : null;

	showLayout(laid, 0);
	await frame();
	ready = true;
	byId('message').textContent = '';
	fillHeader();
	fillDetails(-1);
	await frame();
	fit();
	draw();
	await frame();
	fillTable(true);
	showProgress(null);
	if (follow())
		return;
	if (both)
		toDifference(1);
	else
		jump();
}
const loaded = begin();
changing = loaded;
also(loaded);
