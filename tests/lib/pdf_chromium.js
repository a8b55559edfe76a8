/*
 * pdf_chromium: for tests: one headless Chromium, driven over its debugging pipe.
 *
 *   node pdf_chromium.js print FOLDER MAIL...          each mail's HTML, printed to FOLDER/NAME.pdf;
 *                                                      FOLDER/NAME.shown: how many pictures it shows
 *   node pdf_chromium.js open PASSWORD FOLDER PDF...   PDFium's text of each PDF, in FOLDER/NAME.txt;
 *                                                      no such file where the password is refused
 */
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const PATIENCE_MS = 30000;	/* for one answer; a busy machine takes seconds to start */

class Browser {
	constructor() {
		this.profile = fs.mkdtempSync(path.join(os.tmpdir(), 'pdf_chromium.'));
		this.process = spawn('chromium', ['--headless=new', '--no-sandbox', '--disable-gpu',
			'--force-renderer-accessibility', '--disable-background-networking',
			'--disable-component-update', '--no-first-run', '--host-resolver-rules=MAP * ~NOTFOUND',
			'--window-size=1000,1400', '--remote-debugging-pipe', `--user-data-dir=${this.profile}`],
			{ stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true });
		this.asked = new Map();
		this.number = 0;
		this.rest = '';
		this.process.stdio[4].on('data', (data) => this.take(data.toString('utf8')));
		this.process.stdio[3].on('error', () => {});
		this.sessions = [];
	}

	take(data) {
		const packets = (this.rest + data).split('\0');

		this.rest = packets.pop();
		for (const packet of packets) {
			const message = JSON.parse(packet);

			if (message.method === 'Target.attachedToTarget')
				this.sessions.push(message.params);
			if (this.asked.has(message.id)) {
				this.asked.get(message.id)(message);
				this.asked.delete(message.id);
			}
		}
	}

	ask(method, params = {}, sessionId = undefined) {
		const id = ++this.number;

		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), PATIENCE_MS);

			this.asked.set(id, (message) => {
				clearTimeout(timer);
				if (message.error)
					reject(new Error(`${method}: ${message.error.message}`));
				else
					resolve(message.result);
			});
			this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + '\0');
		});
	}

	async page() {
		const { targetId } = await this.ask('Target.createTarget', { url: 'about:blank' });
		const { sessionId } = await this.ask('Target.attachToTarget', { targetId, flatten: true });

		return { targetId, sessionId };
	}

	async end() {
		await this.ask('Browser.close').catch(() => {});
		await new Promise((resolve) => {
			if (this.process.exitCode !== null)
				resolve();
			this.process.on('exit', resolve);
			setTimeout(resolve, 3000).unref();
		});
		try {
			process.kill(-this.process.pid, 'SIGKILL');
		} catch (error) {
			/* it has ended */
		}
		fs.rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
	}
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* ---- mails: as simple as those of tests/interop/mails are ---- */

function fields(text) {
	const all = {};

	for (const line of text.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
		const colon = line.indexOf(':');

		if (colon > 0)
			all[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
	}
	return all;
}

function decode(body, encoding) {
	const bytes = Buffer.from(body, 'latin1');

	if (/base64/i.test(encoding || ''))
		return Buffer.from(body.replace(/[^A-Za-z0-9+/=]/g, ''), 'base64');
	if (/quoted-printable/i.test(encoding || ''))
		return Buffer.from(body.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/gi,
			(all, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1');
	return bytes;
}

function parts(text, found = []) {
	const end = text.search(/\r?\n\r?\n/);
	const head = fields(text.slice(0, end));
	const body = text.slice(end).replace(/^\r?\n\r?\n/, '');
	const type = head['content-type'] || 'text/plain';
	const boundary = /boundary="?([^";]+)/i.exec(type);

	if (boundary) {
		const inner = ('\n' + body).split(new RegExp('\\r?\\n--' +
			boundary[1].replace(/[^A-Za-z0-9]/g, '\\$&') + '(?:--)?[ \\t]*(?:\\r?\\n|$)')).slice(1);

		inner.forEach((each) => /\n\r?\n/.test('\n' + each) && parts(each, found));
	} else {
		found.push({ type, id: (head['content-id'] || '').replace(/[<>]/g, ''),
			data: decode(body, head['content-transfer-encoding']) });
	}
	return found;
}

function html_of(file) {
	const all = parts(fs.readFileSync(file, 'latin1'));
	const body = all.find((each) => /^text\/html/i.test(each.type));
	const charset = body && /charset="?([^";]+)/i.exec(body.type);
	let html = new TextDecoder(charset ? charset[1] : 'utf-8').decode(body ? body.data : Buffer.alloc(0));

	for (const each of all.filter((one) => one.id))
		html = html.split(/cid:/i).map((piece, at) => {
			const address = /^[^"')\s>]*/.exec(piece)[0];
			const mine = at > 0 && [address, decodeURIComponent(address),
				decodeURIComponent(decodeURIComponent(address))].includes(each.id);

			return at === 0 ? piece : mine ? 'CID:' + `data:${each.type.split(';')[0]};base64,` +
				each.data.toString('base64') + piece.slice(address.length) : 'cid:' + piece;
		}).join('').replace(/cid:CID:/gi, '').replace(/CID:data:/g, 'data:');
	return html;
}

/* Pictures that are there and larger than those that only want to be fetched. */
const SHOWN = '[...document.images].filter((one) => one.naturalWidth > 0 && one.offsetWidth > 3).length';

async function print(browser, folder, mails) {
	const { sessionId } = await browser.page();

	await browser.ask('Emulation.setScriptExecutionDisabled', { value: true }, sessionId);
	await browser.ask('Emulation.setEmulatedMedia', { media: 'screen' }, sessionId);
	for (const mail of mails) {
		const { frameTree } = await browser.ask('Page.getFrameTree', {}, sessionId);

		await browser.ask('Page.setDocumentContent', { frameId: frameTree.frame.id,
			html: html_of(mail) }, sessionId);
		await sleep(100);

		const { data } = await browser.ask('Page.printToPDF', { paperWidth: 8.27, paperHeight: 11.69,
			printBackground: true }, sessionId);

		const base = path.join(folder, path.basename(mail, '.eml'));

		fs.writeFileSync(base + '.pdf', Buffer.from(data, 'base64'));
		fs.writeFileSync(base + '.shown', `${await evaluate(browser, sessionId, SHOWN)}\n`);
	}
}

/* ---- PDFium: its viewer asks for the password as anybody would be asked ---- */

const ASKS = `(() => { const viewer = document.querySelector('pdf-viewer');
	const dialog = viewer && viewer.shadowRoot.querySelector('viewer-password-dialog');
	return !dialog ? 'open' : dialog.invalid ? 'refused' : 'asks'; })()`;

/* All that the viewer can select. */
const TEXT = `(async () => { const plugin = document.querySelector('pdf-viewer').pluginController_;
	plugin.selectAll();
	return (await plugin.getSelectedText()).selectedText; })()`;

async function evaluate(browser, sessionId, expression) {
	const { result } = await browser.ask('Runtime.evaluate', { expression, awaitPromise: true,
		returnByValue: true }, sessionId);

	return result.value;
}

/* Waits until the viewer of this page says one of the wanted words; then [word, session]. */
async function viewer_says(browser, from, wanted) {
	const until = Date.now() + PATIENCE_MS;

	while (Date.now() < until) {
		for (const each of browser.sessions.slice(from)) {
			if (each.targetInfo.type !== 'iframe')
				continue;

			const said = await evaluate(browser, each.sessionId, ASKS).catch(() => '');

			if (wanted.includes(said))
				return [said, each.sessionId];
		}
		await sleep(50);
	}
	throw new Error('the viewer does not say ' + wanted.join(' or '));
}

async function type_password(browser, sessionId, password) {
	await browser.ask('Input.insertText', { text: password }, sessionId);
	for (const type of ['rawKeyDown', 'char', 'keyUp'])
		await browser.ask('Input.dispatchKeyEvent', { type, key: 'Enter', code: 'Enter',
			text: type === 'char' ? '\r' : undefined, windowsVirtualKeyCode: 13 }, sessionId);
}

/* The text, or null where the password is refused. */
async function open_one(browser, file, password) {
	const from = browser.sessions.length;
	const { targetId, sessionId } = await browser.page();
	let text = null;

	await browser.ask('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false,
		flatten: true }, sessionId);
	await browser.ask('Page.navigate', { url: 'file://' + path.resolve(file) }, sessionId);
	await viewer_says(browser, from, ['asks']);
	await sleep(200);
	await type_password(browser, sessionId, password);
	const [said, viewer] = await viewer_says(browser, from, ['open', 'refused']);

	if (said === 'open')
		text = await evaluate(browser, viewer, TEXT);
	await browser.ask('Target.closeTarget', { targetId });
	return text;
}

async function open_all(browser, password, folder, files) {
	for (const file of files) {
		const text = await open_one(browser, file, password);

		if (text !== null)
			fs.writeFileSync(path.join(folder, path.basename(file, '.pdf') + '.txt'), text);
	}
}

async function main() {
	const [what, ...rest] = process.argv.slice(2);
	const browser = new Browser();

	try {
		if (what === 'print')
			await print(browser, rest[0], rest.slice(1));
		else
			await open_all(browser, rest[0], rest[1], rest.slice(2));
	} finally {
		await browser.end();
	}
}

main().then(() => process.exit(0), (error) => {
	console.error(error.message);
	process.exit(1);
});
