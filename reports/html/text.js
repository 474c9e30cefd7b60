/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What all pages need: text and elements.
 * Text from the data gets into a page as text only, never as markup.
 */

const byId = id => document.getElementById(id);
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
