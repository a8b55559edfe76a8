#include "tests/bench/message.h"

#include <stdio.h>
#include <string.h>

#define LINE_WORDS 11
#define LINE_BASE64 76
#define TEXT_BESIDE_ATTACHMENT ((size_t)1500)	/* bytes */
#define LINE_ROOM ((size_t)160)			/* bytes; no line of ours is longer */

static const char *const words[64] = {
	"the", "of", "and", "to", "in", "that", "for", "was", "with", "contract", "meeting",
	"invoice", "please", "attached", "report", "quarter", "Tuesday", "review", "delivery",
	"customer", "amount", "signed", "before", "after", "between", "numbers", "final", "draft",
	"budget", "office", "project", "schedule", "would", "could", "have", "been", "this", "from",
	"next", "week", "month", "agreement", "terms", "price", "order", "shipment", "regards",
	"kind", "sincerely", "question", "answer", "proposal", "details", "below", "above", "team",
	"manager", "department", "internal", "external", "document", "version", "change", "request"
};

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* xorshift64*: good enough to differ, and nearly free */
static uint64_t next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717u;
}

/* Sixteen hexadecimal digits and a line end; what makes two lines differ for certain. */
static size_t put_number(char *out, uint64_t number)
{
	for (int i = 0; i < 16; i++)
		out[i] = "0123456789abcdef"[(number >> (4 * i)) & 15];
	out[16] = '\r';
	out[17] = '\n';
	return 18;
}

static size_t put_text(char *out, size_t size, uint64_t *state)
{
	size_t at = 0;

	while (at + LINE_ROOM < size) {
		uint64_t random = next(state);

		for (int i = 0; i < LINE_WORDS; i++) {
			const char *word = words[random & 63];
			size_t length = strlen(word);

			random >>= 5;
			memcpy(out + at, word, length);
			at += length;
			out[at++] = ' ';
		}
		at += put_number(out + at, next(state));
	}
	return at;
}

static size_t put_base64(char *out, size_t size, uint64_t *state)
{
	size_t at = 0;

	while (at + LINE_BASE64 + 2 < size) {
		for (int i = 0; i < LINE_BASE64; i += 4) {
			uint64_t random = next(state);

			out[at++] = base64[random & 63];
			out[at++] = base64[(random >> 6) & 63];
			out[at++] = base64[(random >> 12) & 63];
			out[at++] = base64[(random >> 18) & 63];
		}
		out[at++] = '\r';
		out[at++] = '\n';
	}
	return at;
}

size_t message_write(const struct message_spec *spec, char *out)
{
	uint64_t state = spec->seed * 0x9e3779b97f4a7c15u + 0x123456789abcdefu;
	size_t room = spec->size + MESSAGE_ROOM;
	int multipart = spec->size > MESSAGE_TEXT_MAX;
	unsigned long long id = (unsigned long long)next(&state);
	size_t at;

	at = (size_t)snprintf(out, room, "From: Sender <%s>\r\nTo: <%s>\r\nSubject: %s %016llx\r\n"
	    "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%016llx@bench.example>\r\n"
	    "MIME-Version: 1.0\r\n", spec->from, spec->to, spec->subject, id, id);
	if (!multipart) {
		at += (size_t)snprintf(out + at, room - at,
		    "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
		return at + put_text(out + at, spec->size > at ? spec->size - at : 0, &state);
	}
	at += (size_t)snprintf(out + at, room - at,
	    "Content-Type: multipart/mixed; boundary=\"b%016llx\""
	    "\r\n\r\n--b%016llx\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n", id, id);
	at += put_text(out + at, TEXT_BESIDE_ATTACHMENT, &state);
	at += (size_t)snprintf(out + at, room - at, "\r\n--b%016llx\r\n"
	    "Content-Type: application/octet-stream; name=\"data.bin\"\r\n"
	    "Content-Disposition: attachment; filename=\"data.bin\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n", id);
	at += put_base64(out + at, spec->size - at, &state);
	return at + (size_t)snprintf(out + at, room - at, "\r\n--b%016llx--\r\n", id);
}
