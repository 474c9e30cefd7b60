/*
 * Drawing.  Segments that are wider than a pixel are boxes; a row with more segments
 * than pixels is painted into a pixel buffer, one step for each pixel, so that the
 * time for a frame depends on the size of the window and not on that of the trace.
 */

const GUTTER = 196, RIGHT = 10, AXIS = 26, CHAR = 6.65;
const view = byId('view'), scroll = byId('scroll'), tall = byId('tall');
const axisCanvas = byId('axis'), lanesCanvas = byId('lanes');
const g = lanesCanvas.getContext('2d'), ga = axisCanvas.getContext('2d');
const FONT = '11px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace';

/* what is in view, on the current scale */
let from = 0, to = 1, selected = -1, hover = -1, found = null;
let width = 0, height = 0, scrolled = 0, ratio = 1, theme = {}, printing = false;
let lastFrame = 0; /* ms, for those who measure */

function readTheme() {
	const style = getComputedStyle(document.documentElement);
	const pixel = css => {
		const v = parseInt(css.slice(1), 16);

		return (255 << 24 | (v & 255) << 16 | (v >> 8 & 255) << 8 | v >> 16) >>> 0;
	};

	theme = {};
	for (const name
	             of ['bg', 'panel', 'fg', 'muted', 'line', 'accent', 'bad', 'odd', 'text-on',
	                 'pick', ...COLORS])
		theme[name] = style.getPropertyValue('--' + name).trim();
	theme.fill = COLORS.map(c => theme[c]);
	theme.pixels = Uint32Array.from(theme.fill, pixel);
	theme.empty = pixel(theme.bg);
	theme.hatch = hatch(theme.dead);
	theme.idleHatch = hatch(theme.line);
}

function hatch(color) {
	const c = document.createElement('canvas'), h = c.getContext('2d');

	c.width = c.height = 8;
	h.strokeStyle = color;
	h.globalAlpha = .55;
	h.lineWidth = 1.4;
	for (const d of [-8, 0, 8]) {
		h.beginPath();
		h.moveTo(d, 8);
		h.lineTo(d + 8, 0);
		h.stroke();
	}
	return g.createPattern(c, 'repeat');
}

const span = () => width - GUTTER - RIGHT;
const toX = p => GUTTER + (p - from) / (to - from) * span();
const toP = x => from + (x - GUTTER) / span() * (to - from);
const segStart = (r, k) => r.left[k];
const segStop = (r, k) => r.right[k];
const eventX = i => toX(shown.time ? start[i] : (start[i] + stop[i]) / 2);
const eventY = i => laneTop[laneOf[ctx[i]]] + depth[i] * ROW + ROW / 2 - scrolled;

/* First of the m entries from k on for which after() holds; near ones are found fast. */
function gallop(k, m, after) {
	let step = 1, low = k;

	while (k < m && !after(k)) {
		low = k + 1;
		k += step;
		step *= 2;
	}
	let high = Math.min(k, m);
	while (low < high) {
		const mid = (low + high) >> 1;

		if (after(mid))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

function label(text, x, y, room, color) {
	const fits = Math.floor((room - 6) / CHAR);

	if (room < 16 || fits < 1)
		return;
	g.fillStyle = color;
	g.fillText(
	        text.length <= fits ? text :
	                fits > 2    ? text.slice(0, fits - 1) + '\u2026' :
	                              '',
	        x + 3, y);
}

/* ---- rows ------------------------------------------------------------------------- */

function nameOf(row, k) {
	const name = row.name[k];

	if (row.type === 'life')
		return states[name];
	if (name >= 0)
		return strings[name];
	const i = ~name;
	return row.type === 'bar' ? barName(i) : eventName(i);
}
function eventName(i) {
	const k = kinds[kind[i]].name;

	if (opens.has(kind[i])) {
		const t = textAt(i);

		return (t >= 0 ? strings[t] : k) + (k === 'op_begin' ? '()' : subject(i));
	}
	return k + (obj[i] && !/^(task|op)_|might/.test(k) ? ' ' + objectCalled(obj[i]) : '');
}
function barName(i) {
	const k = kinds[kind[i]].name;

	return k === 'rcu_gp_start' ? 'gp ' + argOf(i, 'gp').text
		: textOf(i) + (k === 'call_rcu' ? '(' + argOf(i, 'of').text + ')' : subject(i));
}

/*
 * One buffer for all such rows, since handing one over makes the canvas finish what
 * was drawn before.
 */
let buffer = null;
function drawPixels(dense) {
	const w = Math.max(1, Math.round(span() * ratio)),
	      h = Math.max(1, Math.round(height * ratio));
	const perPixel = (to - from) / w, pixels = theme.pixels;

	if (!buffer || buffer.width !== w || buffer.height !== h)
		buffer = g.createImageData(w, h);
	const px = new Uint32Array(buffer.data.buffer);
	px.fill(theme.empty);
	for (const row of dense) {
		const y = row.y - scrolled, m = row.a.length;
		const first = Math.max(0, Math.round(y * ratio));
		const last = Math.min(h, Math.round((y + row.height - 3) * ratio));

		if (first >= last)
			continue;
		const left = row.left, right = row.right;
		for (let x = 0, k = 0; x < w; x++) {
			const p = from + x * perPixel;
			let low = k, step = 1;

			/* As gallop(), written out: this is the innermost loop of a frame. */
			while (k < m && !(right[k] > p || left[k] >= p)) {
				low = k + 1;
				k += step;
				step *= 2;
			}
			for (let high = Math.min(k, m); low < high;) {
				const mid = (low + high) >> 1;

				if (right[mid] > p || left[mid] >= p)
					high = mid;
				else
					low = mid + 1;
			}
			k = low;
			if (k >= m)
				break;
			if (left[k] < p + perPixel) {
				px[first * w + x] = pixels[row.color[k]];
			} else {
				/* Nothing up to there. */
				const jump = Math.floor((left[k] - from) / perPixel) - 1;

				x = Math.max(x, Math.min(w, jump));
			}
		}
		for (let r = first + 1; r < last; r++)
			px.copyWithin(r * w, first * w, (first + 1) * w);
	}
	g.putImageData(buffer, Math.round(GUTTER * ratio), 0);
}

function drawBoxes(row, y, first, last) {
	const h = row.height - 3, end = width - RIGHT;

	for (let k = first; k < last; k++) {
		const x = toX(segStart(row, k)), x2 = toX(segStop(row, k));
		const event = row.type === 'call' && row.name[k] < 0 && row.a[k] === ~row.name[k];
		const w = Math.max(row.type === 'call' ? 2 : 1, x2 - x - (x2 - x > 6 ? 1 : 0));
		const dead = row.type === 'life' && row.color[k] === DEAD;
		const left = Math.max(x, GUTTER), room = Math.min(x + w, end) - left;

		if (x2 - x < .01 && !shown.time && !(event && isShown(row.a[k])))
			continue;
		const lost = row.type === 'bar' && row.b[k] >= n;
		if (dead || lost) {
			g.fillStyle = theme.hatch;
			g.fillRect(left, y, room, h);
			g.strokeStyle = theme.dead;
			g.setLineDash([4, 3]);
			g.strokeRect(left + .5, y + .5, room - 1, h - 1);
			g.setLineDash([]);
			const text = lost ? nameOf(row, k) + ' still pending' : nameOf(row, k);
			const tw = Math.min(text.length * CHAR + 8, room - 4);
			if (tw > 20) {
				g.fillStyle = theme.bg;
				g.fillRect(left + 4, y + 1, tw, h - 2);
				label(text, left + 4, y + h / 2 + .5, tw, theme.bad);
			}
			continue;
		}
		g.fillStyle = theme.fill[row.color[k]];
		const pale = row.type === 'call' && !(row.name[k] < 0 && row.a[k] === row.b[k]);
		g.globalAlpha = pale ? .5 : 1;
		g.fillRect(left, y, room, h);
		g.globalAlpha = 1;
		if (row.type === 'bar' && room > 5) {
			g.strokeStyle = theme.muted;
			g.strokeRect(left + .5, y + .5, room - 1, h - 1);
		}
		if (room >= 16)
			label(nameOf(row, k), left, y + h / 2 + .5, room,
			      pale                          ? theme.fg :
			              row.color[k] === DEAD ? theme.bg :
			                                      theme['text-on']);
	}
}

function drawUses(row, y) {
	const u = row.uses, m = u ? u.length : 0;
	let k = gallop(0, m, j => stop[u[j]] > from);

	g.fillStyle = theme.fg;
	while (k < m && start[u[k]] < to) {
		const x = eventX(u[k]), p = toP(x + 2);

		if (isShown(u[k])) {
			g.fillRect(x - .5, y + row.height - 7, 1.5, 4);
			k = gallop(k + 1, m, j => start[u[j]] >= p);
		} else {
			k++;
		}
	}
}

function drawCounters(row, y) {
	for (const c of row.counters)
		drawCounter(row, c, y, c.side ? theme.odd : theme.accent);
	g.fillStyle = theme.muted;
	g.textAlign = 'right';
	g.fillText('max ' + row.top, GUTTER - 6, y + 22);
	if (both) {
		g.fillStyle = theme.accent;
		g.fillText('A', GUTTER - 24 - CHAR * ('max ' + row.top).length, y + 22);
		g.fillStyle = theme.odd;
		g.fillText('B', GUTTER - 12 - CHAR * ('max ' + row.top).length, y + 22);
	}
	g.textAlign = 'left';
}

function drawCounter(row, c, y, color) {
	const h = row.height - 8, m = c.at.length, end = width - RIGHT;
	const level = v => y + 3 + h - h * Math.max(0, v) / row.top;
	let k = gallop(0, m, j => start[c.at[j]] > from) - 1, x = GUTTER;

	g.beginPath();
	g.moveTo(x, level(k >= 0 ? c.value[k] : 0));
	let now = k >= 0 ? c.value[k] : 0;
	while (x < end) {
		/* All points of one pixel at once: its lowest and its highest. */
		const p = toP(x + 1), next = gallop(Math.max(k + 1, 0), m, j => start[c.at[j]] > p);
		let low = now, high = now;

		for (let j = k + 1, step = Math.max(1, (next - j) >> 8); j < next; j += step) {
			low = Math.min(low, c.value[j]);
			high = Math.max(high, c.value[j]);
		}
		if (next > k + 1) {
			g.lineTo(x, level(now));
			now = c.value[next - 1];
			if (low < high) {
				g.lineTo(x, level(high));
				g.lineTo(x, level(low));
			}
			g.lineTo(x, level(now));
			k = next - 1;
		}
		/* Nothing happens up to the next point: go there. */
		x = next < m ? Math.max(x + 1, Math.min(end, toX(start[c.at[next]]))) : end;
	}
	g.lineTo(end, level(now));
	g.strokeStyle = color;
	g.lineWidth = 1.5;
	if (c.side)
		g.setLineDash([5, 3]);
	g.stroke();
	g.setLineDash([]);
	g.lineTo(end, level(0));
	g.lineTo(GUTTER, level(0));
	g.globalAlpha = .13;
	g.fillStyle = color;
	g.fill();
	g.globalAlpha = 1;
	g.lineWidth = 1;
}

const inSight = row => row.y - scrolled <= height && row.y + row.height - scrolled >= 0;

/* Which segments of a row are in view; more than there are pixels make it dense. */
function measure(row) {
	const m = row.a.length;

	row.first = gallop(0, m, j => segStop(row, j) > from || segStart(row, j) >= from);
	row.last = gallop(row.first, m, j => segStart(row, j) > to);
	row.dense = row.last - row.first > span() * .75;
}

function drawRow(row) {
	const y = row.y - scrolled;

	if (row.type === 'counter') {
		drawCounters(row, y);
		return;
	}
	if (!row.dense)
		drawBoxes(row, y, row.first, row.last);
	drawUses(row, y);
	if (row.note) {
		g.fillStyle = theme.bad;
		g.fillText(row.note, GUTTER + 4, y + row.height + 3);
	}
}

/* ---- arrows ----------------------------------------------------------------------- */

/* The causes of event i, and theirs: pairs that go into edges. */
function causesOf(i, edges) {
	for (let steps = 0; i >= 0 && steps < 200; steps++) {
		const c = cause[i] >= 0 ? i : head[i] >= 0 && cause[head[i]] >= 0 ? head[i] : -1;

		if (c < 0 || edges.has(c))
			return;
		edges.set(c, cause[c]);
		i = cause[c];
	}
}

function arrow(a, b, color, w, dash) {
	const x1 = eventX(a), y1 = eventY(a), x2 = toX(start[b]), y2 = eventY(b);
	const bend = Math.max(18, Math.min(90, Math.abs(x2 - x1) / 2));

	if (Math.max(x1, x2) < GUTTER || Math.min(x1, x2) > width)
		return;
	g.strokeStyle = g.fillStyle = color;
	g.lineWidth = w;
	g.setLineDash(dash || []);
	g.beginPath();
	g.moveTo(x1, y1);
	g.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2 - 3, y2);
	g.stroke();
	g.setLineDash([]);
	g.beginPath();
	g.moveTo(x2, y2);
	g.lineTo(x2 - 7, y2 - 3.5);
	g.lineTo(x2 - 7, y2 + 3.5);
	g.fill();
	g.beginPath();
	g.arc(x1, y1, 2.2, 0, 7);
	g.fill();
	g.lineWidth = 1;
}

/* Where an event is in the other run: of the selected one, and of what came in another order. */
function drawPartners() {
	const list = differencesOf[0], first = gallop(0, list.length, j => stop[list[j]] > from);
	const last = gallop(first, list.length, j => start[list[j]] > to);

	/* A thicket of lines says nothing: the marks are enough then. */
	for (let k = first; k < last && last - first < 200; k++) {
		if (pairing[list[k]] === MOVED)
			arrow(list[k], partner[list[k]], theme.odd, 1, [2, 3]);
	}
	if (selected >= 0 && partner[selected] >= 0) {
		const [a, b] = side[selected] ? [partner[selected], selected] :
			[selected, partner[selected]];

		if (isAligned(selected))
			outline(partner[selected], theme.accent, 1);
		else
			arrow(a, b, theme.odd, 2.2, [2, 3]);
	}
}

/* One arrow for each pair of pixels is all that can be seen. */
function allArrows() {
	const drawn = new Set();
	const first = eventAt(from), last = gallop(first, n, j => start[j] > to);
	const step = Math.max(1, Math.floor((last - first) / 60000));

	g.globalAlpha = .65;
	for (let i = first; i < last && drawn.size < 1200; i += step) {
		if (cause[i] < 0)
			continue;
		const key = Math.round(eventX(i) / 3) * 4096 + Math.round(eventX(cause[i]) / 3);

		if (drawn.has(key))
			continue;
		drawn.add(key);
		arrow(cause[i], i, theme.muted, 1);
	}
	g.globalAlpha = 1;
}

function drawArrows() {
	const edges = new Map();

	if (shown.arrows)
		allArrows();
	if (both)
		drawPartners();
	for (const v of violations.slice(0, 20)) {
		if (v.at >= 0)
			causesOf(v.at, edges);
		for (const r of v.related)
			causesOf(r, edges);
	}
	if (selected >= 0) {
		causesOf(selected, edges);
		let count = 0;
		for (let e = effect[selected]; e >= 0 && count++ < 50; e = nextEffect[e])
			edges.set(e, selected);
	}
	for (const [to_, from_] of edges)
		arrow(from_, to_, theme.accent, 1.6);
	for (const v of violations.slice(0, 20)) {
		for (const r of v.related.slice(-1)) {
			if (v.at >= 0 && r !== v.at)
				arrow(r, v.at, theme.bad, 2, [6, 4]);
		}
	}
}

/* ---- what must not be missed ------------------------------------------------------ */

function outline(i, color, w) {
	const x = toX(start[i]), x2 = Math.max(toX(stop[i]), x + 4), y = eventY(i);

	g.strokeStyle = color;
	g.lineWidth = w;
	g.strokeRect(
	        Math.max(x, GUTTER - 4) - 1, y - ROW / 2 - 1, x2 - Math.max(x, GUTTER - 4) + 1,
	        ROW - 1);
	g.lineWidth = 1;
}

/* Of one side: a wedge for what the other run does not have, a bar for what it has elsewhere. */
function drawDifferences(list) {
	let k = gallop(0, list.length, j => stop[list[j]] > from);

	while (k < list.length && start[list[k]] <= to) {
		const i = list[k], x = eventX(i), p = toP(x + 2), y = eventY(i) + ROW / 2;

		g.fillStyle = pairing[i] === ALONE ? theme.bad : theme.odd;
		g.fillRect(x - 5, y - 3, 10, pairing[i] === ALONE ? 3 : 2);
		if (pairing[i] === ALONE)
			g.fillRect(x - 2, y - 5, 4, 3);
		k = gallop(k + 1, list.length, j => start[list[j]] > p);
	}
}

function drawMarks() {
	const inView = i => stop[i] >= from && start[i] <= to;

	if (found) {
		g.fillStyle = theme.accent;
		let k = gallop(0, found.length, j => stop[found[j]] > from);
		while (k < found.length && start[found[k]] <= to) {
			const x = eventX(found[k]), p = toP(x + 1.5);

			g.fillRect(x - 1, eventY(found[k]) + ROW / 2 - 4, 3, 3);
			k = gallop(k + 1, found.length, j => start[found[j]] > p);
		}
	}
	differencesOf.forEach(drawDifferences);
	if (selected >= 0 && inView(selected)) {
		g.globalAlpha = .3;
		g.fillStyle = theme.accent;
		g.fillRect(eventX(selected) - .5, 0, 1, height);
		g.globalAlpha = 1;
		outline(selected, theme.accent, 2.5);
	}
	for (const v of violations) {
		if (v.at < 0 || !inView(v.at))
			continue;
		const x = eventX(v.at), y = eventY(v.at);

		g.fillStyle = theme.bad;
		g.fillRect(x - .75, 0, 1.5, height);
		outline(v.at, theme.bad, 2);
		const text = v.rule, tw = text.length * CHAR + 12;
		const left = x + tw + 8 > width ? x - tw - 3 : x + 3;
		const ty = Math.max(2, y - ROW * 1.75);
		g.fillRect(left, ty, tw, 16);
		g.fillStyle = theme.bg;
		g.fillText(text, left + 6, ty + 8.5);
	}
}

/* ---- axis and labels -------------------------------------------------------------- */

/* First event that stands at p or later. */
const eventAt = p => gallop(0, n, j => stop[j] > p);

/* By time: round numbers.  By order: an event every so often, with the time it happened. */
function ticks() {
	const out = [];

	if (shown.time) {
		let step = Math.max(
		        1, Math.pow(10, Math.floor(Math.log10((to - from) / (span() / 90)))));

		while ((to - from) / step > span() / 90)
			step *= String(step)[0] === '2' ? 2.5 : 2;
		for (let t = Math.ceil(Math.max(from, 0) / step) * step; t <= to; t += step)
			out.push([
				toX(t),
				formatTime(Math.round(t))
			]);
		return out;
	}
	for (let x = GUTTER, last = -1; x < width - 70; x += 105) {
		const i = eventAt(toP(x));

		if (i >= n || i === last || toX(start[i]) > width - 70 || toX(start[i]) < GUTTER)
			continue;
		if (out.length && toX(start[i]) - out[out.length - 1][0] < 85)
			continue;
		last = i;
		out.push([toX(start[i]), sideName(side[i]) + formatTime(time[i], side[i])]);
	}
	return out;
}

function drawAxis(marks) {
	ga.setTransform(ratio, 0, 0, ratio, 0, 0);
	ga.fillStyle = theme.bg;
	ga.fillRect(0, 0, width, AXIS);
	ga.font = FONT;
	ga.textBaseline = 'middle';
	ga.fillStyle = theme.muted;
	ga.fillText(
	        both               ? 'order of both runs' :
	        runs[0].untimed    ? shown.time ? 'by step number' : 'order of steps' :
	                shown.time ? 'true time' :
	                             'order; idle time folded',
	        10, AXIS / 2);
	for (const [x, text] of marks) {
		ga.fillStyle = theme.line;
		ga.fillRect(x, 16, 1, AXIS - 16);
		ga.fillStyle = theme.muted;
		ga.fillText(text, x + 3, AXIS / 2);
	}
	/* Where in the whole run the view is. */
	const whole = start[n] - start[0] || 1,
	      at = p => GUTTER + Math.max(0, Math.min(1, (p - start[0]) / whole)) * span();
	ga.fillStyle = theme.line;
	ga.fillRect(GUTTER, 0, span(), 3);
	ga.fillStyle = theme.accent;
	ga.fillRect(at(from), 0, Math.max(3, at(to) - at(from)), 3);
	ga.fillStyle = theme.odd;
	for (let k = 0; k < differences.length;) {
		const x = at(start[differences[k]]);

		ga.fillRect(x, 2, 1, 4);
		const next = start[0] + (x + 1 - GUTTER) / span() * whole;
		k = gallop(k + 1, differences.length, j => start[differences[j]] >= next);
	}
	ga.fillStyle = theme.bad;
	for (const v of violations) {
		if (v.at >= 0)
			ga.fillRect(at(start[v.at]) - 1, 0, 3, 6);
	}
}

function drawIdle() {
	if (shown.time)
		return;
	let k = gallop(0, idle.length, j => idle[j][1] > from);

	if (3 / (to - from) * span() < 3)
		return; /* the widest is too narrow */
	for (; k < idle.length && idle[k][0] < to; k++) {
		const x = toX(idle[k][0]), w = toX(idle[k][1]) - x;

		if (w < 3)
			continue;
		g.fillStyle = theme.panel;
		g.fillRect(x, 0, w, height);
		if (w > 12) {
			g.fillStyle = theme.idleHatch;
			g.globalAlpha = .5;
			g.fillRect(x, 0, w, height);
			g.globalAlpha = 1;
		}
		const text = formatSpan(idle[k][2]) + ' idle';
		if (w > 18) {
			g.save();
			g.translate(x + w / 2, Math.min(height, tallness - scrolled) - 8);
			g.rotate(-Math.PI / 2);
			g.fillStyle = theme.muted;
			g.fillText(text, 0, 0);
			g.restore();
		}
	}
}

function drawGroups() {
	for (const gr of groups) {
		const y = gr.y - scrolled;

		if (y > height || y + gr.height + GAP < 0)
			continue;
		if (gr.title) {
			g.fillStyle = theme.muted;
			g.font = '600 10px system-ui, sans-serif';
			g.fillText(gr.title.toUpperCase(), 10, y + 12);
			g.font = FONT;
			g.fillStyle = theme.line;
			g.fillRect(GUTTER, y + 11, span() + RIGHT, 1);
			continue;
		}
		g.fillStyle = theme.line;
		g.globalAlpha = .6;
		g.fillRect(0, y + gr.height + 1, width, 1);
		g.globalAlpha = 1;
		const trouble = gr.rows[0] && gr.rows[0].object &&
		        violations.some(v => v.obj === gr.rows[0].object);
		g.fillStyle = trouble ? theme.bad : theme.fg;
		g.fillText(
		        shorten(gr.label, Math.floor((GUTTER - 18) / CHAR)), 10, y + ROW / 2 - 1);
	}
}

function draw() {
	const began = performance.now();

	wanted = false;
	width = view.clientWidth - (scroll.offsetWidth - scroll.clientWidth);
	height = printing ? tallness : scroll.clientHeight;
	scrolled = printing ? 0 : Math.max(0, Math.min(scroll.scrollTop, tallness - height));
	ratio = window.devicePixelRatio || 1;
	if (lanesCanvas.width !== Math.round(width * ratio) ||
	    lanesCanvas.height !== Math.round(height * ratio)) {
		lanesCanvas.width = axisCanvas.width = Math.round(width * ratio);
		lanesCanvas.height = Math.round(height * ratio);
		axisCanvas.height = Math.round(AXIS * ratio);
		lanesCanvas.style.height = height + 'px';
		lanesCanvas.style.width = axisCanvas.style.width = width + 'px';
	}
	tall.style.height = Math.max(tallness, height) + 'px';
	g.setTransform(ratio, 0, 0, ratio, 0, 0);
	g.fillStyle = theme.bg;
	g.fillRect(0, 0, width, height);
	g.font = FONT;
	g.textBaseline = 'middle';
	const marks = ticks();
	drawAxis(marks);
	const visible = rows.filter(inSight), dense = visible.filter(r => {
		measure(r);
		return r.dense;
	});
	if (dense.length)
		drawPixels(dense);
	g.save();
	g.beginPath();
	g.rect(GUTTER, 0, width - GUTTER, height);
	g.clip();
	drawIdle();
	g.fillStyle = theme.line;
	g.globalAlpha = .5;
	for (const [x] of marks)
		g.fillRect(x, 0, 1, height);
	g.globalAlpha = 1;
	g.restore();
	drawGroups();
	visible.forEach(drawRow);
	g.save();
	g.beginPath();
	g.rect(GUTTER, 0, width - GUTTER, height);
	g.clip();
	drawArrows();
	drawMarks();
	g.restore();
	lastFrame = performance.now() - began;
}

let wanted = false;
function redraw() {
	if (!wanted) {
		wanted = true;
		requestAnimationFrame(draw);
	}
}
