/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What a study measured: a plot for each metric, with the interval of each mean as a band.
 * Colour is never the only sign: each series has its own dashes and its own mark.
 */

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 560, HEIGHT = 330, LEFT = 74, RIGHT = 14, TOP = 12, BOTTOM = 46;
const DASHES = ['', '7 3', '2 3', '9 3 2 3', '12 4', '4 2', '1 4', '10 2 2 2 2 2'];
const COLORS = 8, LOG_FROM = 100, LOG_X_FROM = 30;

const rows = JSON.parse(island('study')).rows.map(
        ([study, series, x, xUnit, metric, unit, n, mean, low, high]) => ({
	study: clean(study), series: clean(series), x: clean(x), xUnit: clean(xUnit),
	metric: clean(metric), unit: clean(unit), n, mean, low: low === undefined ? mean : low,
	high: high === undefined ? mean : high, measured: low !== undefined,
}));

function svg(tag, attributes, ...children) {
	const e = document.createElementNS(SVG, tag);

	for (const [k, v] of Object.entries(attributes || {}))
		e.setAttribute(k, v);
	e.append(...children);
	return e;
}

/* As many digits as tell numbers apart, and no more. */
function number(v) {
	const size = Math.abs(v);

	if (v === 0 || (size >= 1e-3 && size < 1e6))
		return String(+v.toPrecision(5));
	return v.toExponential(2).replace(/\.?0+e/, 'e').replace('e+', 'e');
}

const groupBy = (list, key) => {
	const groups = new Map();

	for (const r of list) {
		const k = key(r);

		if (!groups.has(k))
			groups.set(k, []);
		groups.get(k).push(r);
	}
	return [...groups.values()];
};

/* ---- scales ----------------------------------------------------------------------- */

/* Round numbers in [low, high], about as many as asked for. */
function linearTicks(low, high, count) {
	const raw = (high - low) / count || 1, power = Math.pow(10, Math.floor(Math.log10(raw)));
	const step = [1, 2, 2.5, 5, 10].map(k => k * power).find(s => s >= raw * .999);
	const out = [];

	for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++)
		out.push(+(k * step).toPrecision(12));
	return out;
}

function logTicks(low, high) {
	const decades = Math.log10(high / low), out = [];
	const parts = decades > 5 ? [1] : decades > 2 ? [1, 3] : [1, 2, 5];

	for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
		for (const k of parts) {
			const v = +(k * Math.pow(10, e)).toPrecision(12);

			if (v >= low * .9999 && v <= high * 1.0001)
				out.push(v);
		}
	}
	const every = Math.ceil(out.length / 9);
	return out.length > 1 ? out.filter((_, i) => i % every === 0) : linearTicks(low, high, 4);
}

/* Maps values to [a, b]. */
function scale(low, high, a, b, log) {
	const f = log ? Math.log10 : v => v;
	const span = f(high) - f(low) || 1;

	return v => a + (f(v) - f(low)) / span * (b - a);
}

/* ---- one plot --------------------------------------------------------------------- */

class Plot {
	constructor(measured) {
		/* Without an axis the series stand side by side, under their own names. */
		const list = measured.some(r => r.x !== '') ? measured :
			measured.map(r => ({...r, x: r.series}));
		const xs = list.map(r => r.x);

		this.list = list;
		this.all = groupBy(list, r => r.series);
		this.hidden = new Set();
		this.named = xs.some(x => x.trim() === '' || !isFinite(+x));
		/* Names stand in the order of the file, numbers in their own. */
		this.xs = [...new Set(xs)];
		if (!this.named)
			this.xs.sort((a, b) => a - b);
		this.positive = list.every(r => r.low > 0);
		this.positiveX = !this.named && xs.every(x => +x > 0);
		this.logY = this.positive && this.most('high') / this.least('low') >= LOG_FROM;
		this.logX = this.positiveX && this.xs.length > 3 &&
			this.xs[this.xs.length - 1] / this.xs[0] >= LOG_X_FROM;
		this.at = -1;
	}
	least(what) {
		return Math.min(...this.list.map(r => r[what]));
	}
	most(what) {
		return Math.max(...this.list.map(r => r[what]));
	}
	visible() {
		return this.list.filter(r => !this.hidden.has(r.series));
	}
	value(x) {
		return this.named ? this.xs.indexOf(x) : +x;
	}
	scales() {
		const seen = this.visible().length ? this.visible() : this.list;
		const values = this.xs.map(x => this.value(x));
		let low = Math.min(...seen.map(r => r.low));
		let high = Math.max(...seen.map(r => r.high));
		let first = values[0], last = values[values.length - 1];

		if (this.logY) {
			low /= 1.15;
			high *= 1.15;
		} else {
			/* From 0 on, unless everything is far away from it. */
			if (low > 0 && low < high * .7)
				low = 0;
			const room = (high - low) * .06 || Math.abs(high) * .1 || 1;
			low = low === 0 ? 0 : low - room;
			high += room;
		}
		if (this.named) {
			first -= .4;
			last += .4;
		} else if (first === last) {
			first -= this.logX ? 0 : 1;
			last += 1;
		}
		this.range = {low, high, first, last};
		this.px = scale(first, last, LEFT, WIDTH - RIGHT, this.logX);
		this.py = scale(low, high, HEIGHT - BOTTOM, TOP, this.logY);
	}
	/* Where a series is drawn; with names, series stand beside each other. */
	place(r, k) {
		const shared = this.named && this.xs.length < this.list.length;
		const beside = shared ? (k - (this.all.length - 1) / 2) *
			Math.min(12, 240 / this.xs.length / this.all.length) : 0;

		return [this.px(this.value(r.x)) + beside, this.py(r.mean)];
	}
	drawAxes(root) {
		const {low, high, first, last} = this.range, bottom = HEIGHT - BOTTOM;
		const ys = this.logY ? logTicks(low, high) : linearTicks(low, high, 6);
		const xs = this.named ? this.xs.map((_, i) => i) :
			this.logX ? logTicks(first, last) : linearTicks(first, last, 7);

		for (const v of ys) {
			const y = this.py(v);

			root.append(
				svg('line', {class: 'grid', x1: LEFT, x2: WIDTH - RIGHT,
					y1: y, y2: y}),
				svg('text', {x: LEFT - 7, y: y + 4, 'text-anchor': 'end'},
					number(v)));
		}
		const most = Math.max(3, Math.floor((WIDTH - LEFT) / xs.length / 6.6));
		for (const v of xs) {
			const text = this.named ? shorten(this.xs[v], most) : number(v);
			const x = this.px(v), y2 = bottom + 4;

			root.append(svg('line', {class: 'axis', x1: x, x2: x, y1: bottom, y2}),
				svg('text', {x, y: bottom + 18, 'text-anchor': 'middle'}, text));
		}
		root.append(svg('path', {class: 'axis',
			d: `M${LEFT} ${TOP}V${bottom}H${WIDTH - RIGHT}`}));
		const unit = this.list[0].xUnit;
		root.append(svg('text', {class: 'label', 'text-anchor': 'middle',
			x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 8},
			shorten(unit, 70) + (this.logX ? ' (log)' : '')));
		const what = shorten(this.list[0].unit || this.list[0].metric, 40);
		root.append(svg('text', {class: 'label', 'text-anchor': 'middle',
			transform: `translate(14 ${(TOP + bottom) / 2}) rotate(-90)`},
			what + (this.logY ? ' (log)' : '')));
	}
	drawSeries(root, series, k) {
		const color = `var(--p${k % COLORS})`, list = [...series];

		if (!this.named)
			list.sort((a, b) => a.x - b.x);
		const points = list.map(r => this.place(r, k));
		const edge = what => list.map((r, i) => points[i][0].toFixed(1) + ' ' +
			this.py(r[what]).toFixed(1));
		if (!this.named && list.length > 1 && list.some(r => r.measured))
			root.append(svg('path', {class: 'band', fill: color, d: 'M' +
				[...edge('high'), ...edge('low').reverse()].join('L') + 'Z'}));
		if (!this.named && list.length > 1)
			root.append(svg('path', {class: 'line', stroke: color,
				'stroke-dasharray': DASHES[k % COLORS],
				d: 'M' + edge('mean').join('L')}));
		list.forEach((r, i) => {
			const [x, y] = points[i];

			/* A band of one point would not be seen. */
			if (r.measured && (this.named || list.length === 1))
				root.append(whisker(x, this.py(r.low), this.py(r.high), color));
			if (list.length <= 60)
				root.append(mark(k, x, y, color));
		});
	}
	draw() {
		const root = this.root;

		this.scales();
		root.replaceChildren();
		this.drawAxes(root);
		this.all.forEach((series, k) => {
			if (!this.hidden.has(series[0].series))
				this.drawSeries(root, series, k);
		});
		if (this.at >= 0) {
			const x = this.px(this.value(this.xs[this.at]));

			root.append(svg('line', {class: 'guide', x1: x, x2: x, y1: TOP,
				y2: HEIGHT - BOTTOM}));
		}
	}
	/* What all series have at the place that is pointed at. */
	read(at) {
		this.at = Math.max(0, Math.min(this.xs.length - 1, at));
		const x = this.xs[this.at], there = this.visible().filter(r => r.x === x);

		const unit = this.list[0].xUnit;

		this.output.textContent = x + (unit ? ' ' + unit : '') + ': ' + (there.map(r =>
			r.series + ' ' + number(r.mean) + (r.measured ?
				' [' + number(r.low) + ', ' + number(r.high) + ']' : ''))
			.join('; ') || 'nothing measured');
		this.draw();
	}
	point(e) {
		const box = this.root.getBoundingClientRect();
		const x = (e.clientX - box.left) / box.width * WIDTH;
		let best = 0;

		this.xs.forEach((v, i) => {
			const d = j => Math.abs(this.px(this.value(this.xs[j])) - x);

			if (d(i) < d(best))
				best = i;
		});
		if (best !== this.at)
			this.read(best);
	}
	key(e) {
		const by = {ArrowRight: 1, ArrowLeft: -1}[e.key];

		if (by)
			this.read(this.at < 0 ? (by > 0 ? 0 : this.xs.length - 1) : this.at + by);
		else if (e.key === 'Home' || e.key === 'End')
			this.read(e.key === 'Home' ? 0 : this.xs.length - 1);
		else
			return;
		e.preventDefault();
	}
}

function whisker(x, low, high, color) {
	return svg('path', {class: 'whisker', stroke: color, fill: 'none',
		d: `M${x - 4} ${low}h8M${x} ${low}V${high}M${x - 4} ${high}h8`});
}

/* A mark for each series: circle, square, triangles, diamond, cross ... */
function mark(k, x, y, color) {
	const shapes = [
		'M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z', 'M-3 -3h6v6h-6Z', 'M0 -4L4 3H-4Z',
		'M0 4L4 -3H-4Z', 'M0 -4.5L4.5 0L0 4.5L-4.5 0Z',
		'M-3.5 -3.5L3.5 3.5M-3.5 3.5L3.5 -3.5',
		'M-4 0H4M0 -4V4', 'M-3 -3h6v6h-6ZM-3 -3L3 3',
	];

	return svg('path', {d: shapes[k % COLORS], fill: color, stroke: color,
		transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`});
}

/* ---- the page around it ----------------------------------------------------------- */

function legend(plot) {
	return el('div', {class: 'legend', role: 'group', 'aria-label': 'series'},
		...plot.all.map((series, k) => {
			const name = series[0].series, color = `var(--p${k % COLORS})`;
			const sign = svg('svg', {width: 30, height: 12, 'aria-hidden': 'true'},
				svg('path', {d: 'M0 6H30', stroke: color, 'stroke-width': 2,
					'stroke-dasharray': DASHES[k % COLORS]}),
				mark(k, 15, 6, color));
			const click = e => {
				const shown = plot.hidden.delete(name) || !plot.hidden.add(name);

				e.currentTarget.setAttribute('aria-pressed', shown);
				plot.draw();
			};

			return el('button', {type: 'button', 'aria-pressed': 'true', click}, sign,
				name || '(no name)');
		}));
}

function toggles(plot) {
	const out = [];
	const add = (name, field, possible) => {
		const click = e => {
			plot[field] = !plot[field];
			e.currentTarget.setAttribute('aria-pressed', plot[field]);
			plot.draw();
		};

		if (possible)
			out.push(el('button', {type: 'button', 'aria-pressed': plot[field], click},
				name));
	};

	add('log x', 'logX', plot.positiveX && plot.xs.length > 1);
	add('log y', 'logY', plot.positive);
	return out;
}

function table(plot) {
	const first = plot.list[0];
	const head = ['series', first.xUnit || 'x', 'mean', 'from', 'to', 'replications'];

	return el('details', null, el('summary', null, 'The numbers'), el('div',
		{class: 'table', tabindex: '0', role: 'region', 'aria-label': 'numbers of ' +
			first.metric},
		el('table', null, el('thead', null, el('tr', null, ...head.map((h, i) =>
			el('th', {scope: 'col', class: i > 0 ? 'n' : ''}, h)))),
		el('tbody', null, ...plot.list.map(r => el('tr', null,
			...[r.series, r.x, number(r.mean), r.measured ? number(r.low) : '',
				r.measured ? number(r.high) : '', r.n.toLocaleString('en')]
				.map((text, i) => el('td', {class: i > 0 ? 'n' : ''}, text))))))));
}

/* Its caption is a heading of the next level below the one it stands under. */
function figure(list, heading) {
	const plot = new Plot(list), first = list[0];
	const name = first.metric + (first.unit && first.unit !== first.metric ?
		', ' + first.unit : '');

	plot.root = svg('svg', {class: 'plot', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, tabindex: '0',
		role: 'application', 'aria-label': name + ' over ' + (first.xUnit || 'x') +
			'. Arrow keys read the values; the numbers stand below.'});
	plot.output = el('p', {class: 'read', 'aria-live': 'polite'});
	plot.root.addEventListener('pointermove', e => plot.point(e));
	plot.root.addEventListener('keydown', e => plot.key(e));
	plot.draw();
	plots.push(plot);
	return el('figure', null, el('figcaption', null, el(heading, null, shorten(name, 200)),
		...toggles(plot)), plot.root, plot.output, legend(plot), table(plot));
}

const plots = [];
{
	const studies = groupBy(rows, r => r.study);
	const least = Math.min(...rows.map(r => r.n)), most = Math.max(...rows.map(r => r.n));
	const names = studies.map(s => s[0].study);

	document.title = shorten(names.join(', '), 80) + ' \u2013 slabsim';
	byId('title').textContent = shorten(names.join(', '), 300);
	byId('about').textContent = rows.length.toLocaleString('en') +
		' points, each the mean of ' +
		(least === most ? String(least) : least + ' to ' + most) + ' runs. ' +
		(rows.some(r => r.measured) ? 'Bands and whiskers are confidence intervals.' : '');
	for (const s of studies) {
		const one = groupBy(s, r => JSON.stringify([r.metric, r.unit, r.xUnit]));

		const several = studies.length > 1;
		const figures = one.map(m => figure(m, several ? 'h3' : 'h2'));

		byId('figures').append(el('section', null,
			several ? el('h2', null, shorten(s[0].study, 200)) : '',
			el('div', {class: 'figures'}, ...figures)));
	}
}
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach(d => {
	d.open = true;
}));
