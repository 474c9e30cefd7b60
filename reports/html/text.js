/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What all pages need: text and elements.
 * Text from the data gets into a page as text only, never as markup.
 */

const byId = id => document.getElementById(id);
/* The data, which stands in one element or, if it is long, in several. */
function island(id) {
	const all = document.querySelectorAll(`#${id}, #${id} ~ script[type="application/json"]`);
	const text = Array.from(all, e => e.textContent).join('');

	all.forEach(e => e.replaceChildren());
	return text;
}
/* Names come from scripts: what would reorder or hide text is shown as a replacement. */
const clean = s => s.replace(
        /[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
        '\ufffd');
const cleanLines = s => s.split('\n').map(clean).join('\n');
const shorten = (s, most) => s.length <= most ? s : s.slice(0, most - 1) + '\u2026';

function el(tag, attributes, ...children) {
	const e = document.createElement(tag);

	for (const [k, v] of Object.entries(attributes || {})) {
		if (k === 'click')
			e.addEventListener('click', v);
		else
			e.setAttribute(k, v);
	}
	e.append(...children.filter(c => c !== null && c !== undefined));
	return e;
}

/* ---- long work --------------------------------------------------------------------- */

const SLICE = 10; /* ms, of the 16 that a frame has */

/* Between two slices the page answers the keyboard and draws. */
const channel = new MessageChannel();
const waiters = [];
channel.port1.onmessage = () => waiters.shift()();
const nextTask = () => new Promise(done => {
	waiters.push(done);
	channel.port2.postMessage(0);
});

/* Once what was changed is on the screen; at once in a tab that nobody sees. */
const nextFrame = () => document.hidden ? nextTask() :
	new Promise(done => requestAnimationFrame(() => nextTask().then(done)));

/*
 * Runs a generator to its end, in slices.  What it yields goes to progress(); when
 * stopped() says so it is left.  What is over within the first slice is over at once.
 */
async function run(work, progress, stopped) {
	let until = performance.now() + SLICE;

	for (;;) {
		const step = work.next();

		if (step.done)
			return step.value;
		if (performance.now() < until)
			continue;
		if (progress)
			progress(step.value);
		await nextTask();
		if (stopped && stopped())
			return undefined;
		until = performance.now() + SLICE;
	}
}
