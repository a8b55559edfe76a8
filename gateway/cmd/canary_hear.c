/* The part of canary.h that is a mail server for one message, and looks at it. */
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/base64.h"
#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "gateway/cmd/canary.h"

/* ---- what came ---- */

static bool has(const struct buf *text, const char *word)
{
	return text->size > 0 && memmem(text->data, text->size, word, strlen(word)) != NULL;
}

int canary_is(const struct buf *message, const char *id)
{
	return has(message, id);
}

/* All base64 of the message, decoded as one: lines of other kinds are left out. */
static void decode(const struct buf *message, struct buf *out)
{
	const char *at = (const char *)message->data;
	const char *end = at + message->size;

	while (at < end) {
		const char *next = memchr(at, '\n', (size_t)(end - at));
		size_t size = next == NULL ? (size_t)(end - at) : (size_t)(next - at);

		size = str_trim_end(at, size);
		if (size > 0 && size % 4 == 0 && memchr(at, ' ', size) == NULL)
			(void)!base64_decode(out, at, size);
		at = next == NULL ? end : next + 1;
	}
}

enum canary_result canary_judge(const struct buf *message, const char *word)
{
	bool sealed = false;
	struct buf inner;

	if (message->size == 0)
		return CANARY_MISSING;
	buf_init(&inner, CANARY_MESSAGE_MAX);
	decode(message, &inner);
	sealed = !has(message, word) && !has(&inner, word) &&
	    (has(message, "application/pkcs7-mime") || has(message, "application/x-pkcs7-mime") ||
	    (has(&inner, "%PDF-") && has(&inner, "/Encrypt")));
	buf_free(&inner);
	return sealed ? CANARY_SEALED : CANARY_CLEAR;
}

/* ---- the server (RFC 5321), as much as Postfix needs ---- */

struct talk {
	int socket;
	int64_t end_ms;
	bool data;		/* the message is coming */
	bool whole;
	struct buf *message;
};

static bool say(const struct talk *talk, const char *line)
{
	return send(talk->socket, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line);
}

static bool take_data(struct talk *talk, const char *line, size_t size)
{
	if (size == 1 && line[0] == '.') {
		talk->data = false;
		talk->whole = true;
		return say(talk, "250 2.0.0 Ok\r\n");
	}
	return buf_append(talk->message, line, size) == SG_OK &&
	    buf_append(talk->message, "\n", 1) == SG_OK;
}

static bool take_line(struct talk *talk, const char *line, size_t size)
{
	if (talk->data)
		return take_data(talk, line, size);
	if (size >= 4 && str_equal_case_n(line, "DATA", 4)) {
		talk->data = true;
		buf_reset(talk->message);
		return say(talk, "354 Go on\r\n");
	}
	if (size >= 4 && str_equal_case_n(line, "QUIT", 4)) {
		(void)!say(talk, "221 2.0.0 Bye\r\n");
		return false;
	}
	return say(talk, "250 Ok\r\n");
}

/* Until it hangs up, says QUIT, or the time is over. */
static void listen_to(struct talk *talk)
{
	struct pollfd ready = { talk->socket, POLLIN, 0 };
	char text[65536];
	size_t size = 0;
	int64_t left;

	if (!say(talk, "220 canary\r\n"))
		return;
	while ((left = talk->end_ms - clock_mono_ms(clock_system())) > 0 &&
	    poll(&ready, 1, (int)left) > 0) {
		ssize_t n = read(talk->socket, text + size, sizeof(text) - size);
		char *line = text;
		char *next;

		if (n <= 0)
			return;
		size += (size_t)n;
		while ((next = memchr(line, '\n', size - (size_t)(line - text))) != NULL) {
			if (!take_line(talk, line, str_trim_end(line, (size_t)(next - line))))
				return;
			line = next + 1;
		}
		size -= (size_t)(line - text);
		memmove(text, line, size);
		if (size == sizeof(text))
			return;
	}
}

enum fail_code canary_hear(int listener, const char *id, int64_t wait_ms, struct buf *message_out,
    struct fail *f)
{
	struct talk talk = { -1, clock_mono_ms(clock_system()) + wait_ms, false, false,
		message_out };
	struct pollfd ready = { listener, POLLIN, 0 };
	int64_t left;

	while ((left = talk.end_ms - clock_mono_ms(clock_system())) > 0) {
		if (poll(&ready, 1, (int)left) <= 0)
			continue;
		talk.socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		talk.data = false;
		talk.whole = false;
		if (talk.socket >= 0)
			listen_to(&talk);
		fd_close(&talk.socket);
		/* an earlier one that was late comes first */
		if (talk.whole && canary_is(message_out, id))
			return SG_OK;
	}
	buf_reset(message_out);
	return fail_set(f, SG_ENOTFOUND, NULL, "nothing came");
}
