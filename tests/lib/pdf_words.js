/*
 * pdf_words: for tests: whether every word of a message stands in the text that a reader found.
 *
 *   node pdf_words.js EXPECTED READER NAME...   EXPECTED/NAME/words against READER/NAME.txt; prints
 *                                               "yes" or what is missing in a few words; details on
 *                                               standard error
 *
 * Readers put lines, spaces, hyphens, marks of direction and punctuation where they like, and some
 * give letters that run from right to left in the order in which they are drawn.
 */
'use strict';
const fs = require('fs');
const path = require('path');

const LETTERS = /[\p{L}\p{N}\p{M}]+/gu;
const segments = new Intl.Segmenter('en', { granularity: 'grapheme' });

/* signs that are part of an emoji, and those that readers leave out */
const SIGNS = /[\p{White_Space}\p{Cf}\p{Pd}\ufe0f\u20e3]/gu;

/*
 * Some turn the two letters of a ligature of lam and alef round, or put vowel signs and Thai tones
 * elsewhere: both sides get one order and no signs.
 */
const arabic = (text) => text.replace(/[\u064b-\u0652\u0e47-\u0e4e]/g, '')
	.replace(/[\u0644\u0627\u0623\u0625\u0622]+/g, (run) => [...run].sort().join(''));
const bare = (text) => text.normalize('NFKC').replace(SIGNS, '');

/*
 * Words of one direction each, but none with Arabic vowel signs: poppler and PDFium put what follows
 * such a sign on a line of its own.
 */
function words_of(text) {
	return text.replace(/\p{Script=Arabic}*[\u064b-\u0652][\p{Script=Arabic}\u064b-\u0652]*/gu, ' ')
		.normalize('NFKC').replace(/[\p{Cf}\ufe0f\u20e3]/gu, '')
		.replace(/([\p{Script=Arabic}\p{Script=Hebrew}\u064b-\u0652]+)/gu, ' $1 ').match(LETTERS) || [];
}

function emoji_of(text) {
	return [...segments.segment(text)].map((each) => each.segment)
		.filter((each) => /\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3/u.test(each));
}

const backward = (word) => [...segments.segment(word)].map((each) => each.segment).reverse().join('');

function compare(name, expected, found) {
	const text = bare(found);
	const other = arabic(text);
	const words = words_of(expected);
	const emoji = emoji_of(expected);
	const whole = new Set(found.match(LETTERS));
	const has = (word) => whole.has(word) || text.includes(word) || other.includes(arabic(word));
	const lost = words.filter((word) => !has(word));
	const gone = lost.filter((word) => !has(backward(word)));
	const faces = emoji.filter((each) => !text.includes(bare(each)));

	if (gone.length + faces.length > 0)
		console.error(`# ${name} lacks: ${gone.concat(faces).join(' ')}`);
	return { drawn: lost.length - gone.length, gone: gone.length, faces: faces.length,
		emoji: emoji.length };
}

function main() {
	const [expected, reader, ...names] = process.argv.slice(2);
	const sum = { drawn: 0, gone: 0, faces: 0, emoji: 0 };
	const said = [];

	for (const name of names) {
		const file = path.join(reader, name + '.txt');
		const one = compare(`${path.basename(reader)}: ${name}`,
			fs.readFileSync(path.join(expected, name, 'words'), 'utf8'),
			fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '');

		Object.keys(sum).forEach((key) => { sum[key] += one[key]; });
	}
	if (sum.gone > 0)
		said.push(`${sum.gone} words lost`);
	if (sum.faces > 0)
		said.push(`${sum.emoji - sum.faces} of ${sum.emoji} emoji`);
	if (sum.drawn > 0)
		said.push('right to left as drawn');
	console.log(said.length === 0 ? 'yes' : sum.gone > 0 ? 'no: ' + said.join(', ') :
		'yes; ' + said.join('; '));
}

main();
