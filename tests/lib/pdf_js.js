/*
 * pdf_js: for tests: what pdf.js, Firefox's reader, finds in encrypted PDFs.
 *
 *   node pdf_js.js PASSWORD FOLDER PDF...   text in FOLDER/NAME.txt, attachments in FOLDER/NAME.d;
 *                                           nothing where the password is refused
 */
'use strict';
const fs = require('fs');
const path = require('path');
const home = '/usr/share/javascript/pdf/build';
const pdfjs = require(`${home}/pdf.js`);

pdfjs.GlobalWorkerOptions.workerSrc = `${home}/pdf.worker.js`;

async function open_one(password, folder, file) {
	const base = path.join(folder, path.basename(file, '.pdf'));
	const document = await pdfjs.getDocument({ data: new Uint8Array(fs.readFileSync(file)), password,
		disableFontFace: true, isEvalSupported: false, verbosity: 0 }).promise;
	let text = '';

	for (let number = 1; number <= document.numPages; number++) {
		const page = await document.getPage(number);
		const content = await page.getTextContent();

		text += content.items.map((item) => item.str + (item.hasEOL ? '\n' : '')).join('') + '\f';
	}
	fs.writeFileSync(base + '.txt', text);
	fs.mkdirSync(base + '.d', { recursive: true });
	for (const each of Object.values(await document.getAttachments() || {}))
		fs.writeFileSync(path.join(base + '.d', each.filename), each.content);
	await document.destroy();
}

async function main() {
	const [password, folder, ...files] = process.argv.slice(2);

	for (const file of files)
		try {
			await open_one(password, folder, file);
		} catch (error) {
			if (error.name !== 'PasswordException')
				throw error;
		}
}

main().then(() => process.exit(0), (error) => {
	console.error(error);
	process.exit(1);
});
