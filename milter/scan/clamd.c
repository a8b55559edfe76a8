#include "milter/scan/clamd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "milter/scan/canary.h"

#define CHUNK_MAX ((size_t)256 * 1024)	/* bytes; clamd reads one at a time */
#define VERSION_WAIT_MS 3000
#define COMMAND_SCAN "zINSTREAM"	/* "z": command and answer end with a NUL, which is sent */
#define COMMAND_VERSION "zVERSION"
#define PREFIX "stream: "
#define FOUND " FOUND"
#define LIMITS "Heuristics.Limits.Exceeded"
#define ENCRYPTED "Heuristics.Encrypted."

struct clamd {
	struct sockaddr_storage address;
	socklen_t address_size;
	int64_t time_max_ms;
	struct canary canary;
	struct buf deep;
};

/* ---- where ---- */

static bool read_unix(const char *where, struct clamd *clamd)
{
	struct sockaddr_un *address = (struct sockaddr_un *)&clamd->address;

	if (where[0] != '/' || strlen(where) >= sizeof(address->sun_path))
		return false;
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, where, strlen(where) + 1);
	clamd->address_size = sizeof(*address);
	return true;
}

static bool read_host(const char *host, bool bracketed, uint16_t port, struct clamd *clamd)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&clamd->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&clamd->address;

	if (!bracketed && inet_pton(AF_INET, host, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		clamd->address_size = sizeof(*four);
		return true;
	}
	if (!bracketed || inet_pton(AF_INET6, host, &six->sin6_addr) != 1)
		return false;
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	clamd->address_size = sizeof(*six);
	return true;
}

static bool read_inet(const char *where, struct clamd *clamd)
{
	const char *colon = strrchr(where, ':');
	bool bracketed = where[0] == '[' && colon != NULL && colon > where && colon[-1] == ']';
	uint64_t port;
	char *host;
	bool is_read;

	if (colon == NULL || str_parse_u64(colon + 1, 1, UINT16_MAX, &port) != SG_OK)
		return false;
	host = bracketed ? str_dup_n(where + 1, (size_t)(colon - where) - 2) :
	    str_dup_n(where, (size_t)(colon - where));
	is_read = host != NULL && read_host(host, bracketed, (uint16_t)port, clamd);
	free(host);
	return is_read;
}

enum fail_code clamd_open(const char *where, int64_t time_max_ms, struct clamd **clamd_out,
    struct fail *f)
{
	struct clamd *clamd = calloc(1, sizeof(*clamd));
	enum fail_code code = SG_OK;

	*clamd_out = NULL;
	if (clamd == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	clamd->time_max_ms = time_max_ms;
	if (!read_unix(where, clamd) && !read_inet(where, clamd))
		code = fail_set(f, SG_EUSAGE,
		    "write scan.clamd as /path/of/socket or as ADDRESS:PORT",
		    "cannot read where clamd listens: %s", where);
	if (code == SG_OK)
		code = canary_make_eicar(&clamd->canary, f);
	if (code == SG_OK)
		code = canary_make_deep(&clamd->deep, f);
	if (code == SG_OK)
		*clamd_out = clamd;
	else
		clamd_close(clamd);
	return code;
}

void clamd_close(struct clamd *clamd)
{
	if (clamd == NULL)
		return;
	canary_free(&clamd->canary);
	buf_free(&clamd->deep);
	free(clamd);
}

uint16_t clamd_port(const struct clamd *clamd)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)&clamd->address;

	/* the port stands at the same place for both families */
	return clamd->address.ss_family == AF_UNIX ? 0 : ntohs(four->sin_port);
}

/* ---- one connection ---- */

struct talk {
	int socket;
	int64_t end_ms;
	bool whole;		/* all of the message was sent */
};

static bool wait_until(const struct talk *talk, short events)
{
	struct pollfd p = { talk->socket, events, 0 };
	int64_t left;
	int n;

	do {
		left = talk->end_ms - clock_mono_ms(clock_system());
		n = left > 0 ? poll(&p, 1, (int)left) : 0;
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

static bool talk_open(const struct clamd *clamd, int64_t time_max_ms, struct talk *talk)
{
	socklen_t size = sizeof(int);
	int error = 0;

	talk->end_ms = clock_mono_ms(clock_system()) + time_max_ms;
	talk->whole = false;
	talk->socket = socket(clamd->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (talk->socket < 0)
		return false;
	if (connect(talk->socket, (const struct sockaddr *)&clamd->address,
	    clamd->address_size) == 0)
		return true;
	if (errno != EINPROGRESS || !wait_until(talk, POLLOUT) ||
	    getsockopt(talk->socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		return false;
	errno = error;
	return error == 0;
}

static bool send_all(const struct talk *talk, const void *data, size_t size)
{
	const unsigned char *bytes = data;
	ssize_t n;

	while (size > 0) {
		n = send(talk->socket, bytes, size, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN && !wait_until(talk, POLLOUT))
			return false;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		}
	}
	return true;
}

/* Chunks, each with its size before it, and one without bytes. */
static bool send_stream(const struct talk *talk, const unsigned char *data, size_t size)
{
	const uint32_t none = 0;

	while (size > 0) {
		size_t chunk = size < CHUNK_MAX ? size : CHUNK_MAX;
		uint32_t head = htonl((uint32_t)chunk);

		if (!send_all(talk, &head, sizeof(head)) || !send_all(talk, data, chunk))
			return false;
		data += chunk;
		size -= chunk;
	}
	return send_all(talk, &none, sizeof(none));
}

/* To the end of the connection, which clamd closes; SIZE_MAX when it did not in time. */
static size_t receive_all(const struct talk *talk, char reply[CLAMD_REPLY_MAX])
{
	size_t size = 0;
	ssize_t n;

	while (size < CLAMD_REPLY_MAX) {
		if (!wait_until(talk, POLLIN))
			return SIZE_MAX;
		n = recv(talk->socket, reply + size, CLAMD_REPLY_MAX - size, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			break;
		size += n > 0 ? (size_t)n : 0;
	}
	return size;
}

/* ---- what it says ---- */

static void answer(struct engine_answer *out, enum engine_outcome outcome, const char *text)
{
	out->outcome = outcome;
	(void)snprintf(out->text, sizeof(out->text), "%.*s", SCAN_NAME_MAX - 1, text);
}

static void trouble(struct engine_answer *out, const char *text, const char *quoted)
{
	out->outcome = ENGINE_TROUBLE;
	(void)snprintf(out->text, sizeof(out->text), "%s%s%.150s", text,
	    quoted[0] != '\0' ? ": " : "", quoted);
}

/* Names of signatures, and of the alerts that clamd.conf turns on. */
static void understand_found(const char *name, struct engine_answer *out)
{
	if (strncmp(name, LIMITS, sizeof(LIMITS) - 1) == 0)
		answer(out, strstr(name, "MaxScanTime") != NULL ? ENGINE_TROUBLE : ENGINE_LIMIT,
		    name);
	else if (strncmp(name, ENCRYPTED, sizeof(ENCRYPTED) - 1) == 0)
		/* said where no virus was found */
		answer(out, ENGINE_ENCRYPTED, name);
	else
		answer(out, ENGINE_INFECTED, name);
}

/* True: text is "stream: NAME FOUND"; it is cut to NAME, which is returned. */
static const char *found_name(char *text)
{
	const size_t around = sizeof(PREFIX) - 1 + sizeof(FOUND) - 1;
	size_t size = strlen(text);

	if (size <= around || strncmp(text, PREFIX, sizeof(PREFIX) - 1) != 0 ||
	    strcmp(text + size - (sizeof(FOUND) - 1), FOUND) != 0)
		return NULL;
	text[size - (sizeof(FOUND) - 1)] = '\0';
	return text + sizeof(PREFIX) - 1;
}

static bool is_plain(const char *text)
{
	while (*text >= ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

/* One answer and nothing else, of plain characters. */
static void understand_text(char *text, bool whole, struct engine_answer *out)
{
	const char *name;

	if (!is_plain(text))
		trouble(out, "clamd's answer is no plain text", "");
	else if (strstr(text, "size limit exceeded") != NULL)
		trouble(out, "raise StreamMaxLength in clamd.conf", text);
	else if (!whole)
		trouble(out, "clamd answered before it had the whole message", text);
	else if (strcmp(text, PREFIX "OK") == 0)
		answer(out, ENGINE_CLEAN, "");
	else if ((name = found_name(text)) != NULL)
		understand_found(name, out);
	else
		trouble(out, "clamd did not say clean or found", text);
}

void clamd_understand(const char *reply, size_t size, bool whole, struct engine_answer *answer_out)
{
	char text[CLAMD_REPLY_MAX];
	size_t length = strnlen(reply, size);

	if (size == 0) {
		trouble(answer_out, "clamd closed the connection without an answer", "");
	} else if (length == size || size > sizeof(text)) {
		trouble(answer_out, "clamd's answer is cut off", "");
	} else if (length + 1 != size) {
		trouble(answer_out, "clamd said more than one answer", "");
	} else {
		memcpy(text, reply, size);
		understand_text(text, whole, answer_out);
	}
}

/* ---- scans ---- */

static void cannot_reach(const struct talk *talk, struct engine_answer *out)
{
	trouble(out, clock_mono_ms(clock_system()) >= talk->end_ms ?
	    "clamd did not take the connection in time" : "cannot reach clamd",
	    strerrordesc_np(errno));
}

void clamd_scan(const struct clamd *clamd, const void *data, size_t size,
    struct engine_answer *answer_out)
{
	char reply[CLAMD_REPLY_MAX];
	struct talk talk;
	size_t got;

	if (size == 0) {
		answer(answer_out, ENGINE_CLEAN, "");	/* nothing to look at */
		return;
	}
	if (!talk_open(clamd, clamd->time_max_ms, &talk)) {
		cannot_reach(&talk, answer_out);
		fd_close(&talk.socket);
		return;
	}
	/* it may answer and close before it has all: that is read as well */
	talk.whole = send_all(&talk, COMMAND_SCAN, sizeof(COMMAND_SCAN)) &&
	    send_stream(&talk, data, size);
	got = receive_all(&talk, reply);
	fd_close(&talk.socket);
	if (got == SIZE_MAX)
		answer(answer_out, ENGINE_TROUBLE, "clamd did not answer in time");
	else
		clamd_understand(reply, got, talk.whole, answer_out);
}

static bool finds_eicar(const struct clamd *clamd, struct engine_answer *answer_out)
{
	clamd_scan(clamd, clamd->canary.mail.data, clamd->canary.mail.size, answer_out);
	if (answer_out->outcome == ENGINE_INFECTED)
		return true;
	if (answer_out->outcome != ENGINE_TROUBLE)
		answer(answer_out, ENGINE_TROUBLE, "clamd did not find EICAR in a zip in a mail: "
		    "has it signatures, ScanMail and ScanArchive, room in TemporaryDirectory?");
	return false;
}

bool clamd_tells_limits(const struct clamd *clamd, struct engine_answer *answer_out)
{
	clamd_scan(clamd, clamd->deep.data, clamd->deep.size, answer_out);
	if (answer_out->outcome == ENGINE_LIMIT)
		return true;
	if (answer_out->outcome != ENGINE_TROUBLE)
		answer(answer_out, ENGINE_TROUBLE, "clamd says nothing of what lies beyond its "
		    "limits: set AlertExceedsMax yes in clamd.conf; has it room to unpack?");
	return false;
}

bool clamd_probe(const struct clamd *clamd, struct engine_answer *answer_out)
{
	return finds_eicar(clamd, answer_out) && clamd_tells_limits(clamd, answer_out);
}

/* "ClamAV 1.4.3/27400/Mon Nov 23 08:33:41 2026"; without daily signatures only the first part. */
static int64_t version_time(const char *text)
{
	const char *slash = strrchr(text, '/');
	struct tm parts;
	time_t seconds;

	memset(&parts, 0, sizeof(parts));
	if (slash == NULL || strptime(slash + 1, "%a %b %d %H:%M:%S %Y", &parts) == NULL)
		return 0;
	seconds = timegm(&parts);
	return seconds > 0 ? (int64_t)seconds : 0;
}

void clamd_version(const struct clamd *clamd, char *text_out, size_t text_size,
    int64_t *database_time_out)
{
	char reply[CLAMD_REPLY_MAX];
	struct talk talk;
	size_t got = SIZE_MAX;

	*database_time_out = 0;
	text_out[0] = '\0';
	if (talk_open(clamd, VERSION_WAIT_MS, &talk) &&
	    send_all(&talk, COMMAND_VERSION, sizeof(COMMAND_VERSION)))
		got = receive_all(&talk, reply);
	fd_close(&talk.socket);
	if (got == SIZE_MAX || got == 0 || strnlen(reply, got) + 1 != got)
		return;
	*database_time_out = version_time(reply);
	(void)snprintf(text_out, text_size, "clamd: %.*s", (int)text_size - 8, reply);
}
