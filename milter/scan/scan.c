#include "milter/scan/scan.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/clock.h"

#define STATUS_WAIT_MS 5000	/* every thread may be busy with a large message */

static void no_verdict(struct scan_result *result, const char *why)
{
	result->verdict = SCAN_NO_VERDICT;
	(void)snprintf(result->name, sizeof(result->name), "%.*s", SCAN_NAME_MAX - 1, why);
}

/* The request borrows fd: it must be taken off before the message is freed. */
static enum fail_code fill_request(struct wire_message *request, int fd, size_t size,
    struct fail *f)
{
	request->request = 1;
	request->fd = fd;
	if (buf_put_u64(&request->body, (uint64_t)size) != SG_OK)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	return SG_OK;
}

/* Everything must be as agreed; only then it counts. */
static enum fail_code read_reply(const struct wire_message *reply, struct scan_result *result)
{
	struct buf_reader reader;
	const unsigned char *name;
	size_t name_size;
	uint8_t verdict;

	buf_reader_init(&reader, reply->body.data, reply->body.size);
	if (buf_get_u8(&reader, &verdict) != SG_OK || verdict > SCAN_ENCRYPTED ||
	    buf_get_bytes(&reader, &name, &name_size) != SG_OK ||
	    name_size >= sizeof(result->name) || buf_get_end(&reader) != SG_OK)
		return SG_EFORMAT;
	memcpy(result->name, name, name_size);
	result->name[name_size] = '\0';
	result->verdict = (enum scan_verdict)verdict;
	return SG_OK;
}

/* path NULL: on the connected socket. */
static enum fail_code ask(const char *path, int socket, int fd, size_t size,
    const struct wire_wait *wait, struct scan_result *result)
{
	struct wire_message request;
	struct wire_message reply;
	struct fail f;
	enum fail_code code;

	fail_clear(&f);
	wire_message_init(&request, SCAN_REQUEST);
	wire_message_init(&reply, 0);
	code = fill_request(&request, fd, size, &f);
	if (code == SG_OK)
		code = path != NULL ? wire_call(path, &request, wait, &reply, &f) :
		    wire_call_on(socket, &request, wait, &reply, &f);
	if (code == SG_OK && read_reply(&reply, result) != SG_OK)
		code = fail_set(&f, SG_EFORMAT, NULL, "the scanner's answer cannot be read");
	if (code != SG_OK)
		no_verdict(result, f.what);
	request.fd = -1;
	wire_message_free(&request);
	wire_message_free(&reply);
	return code;
}

void scan_message_on(int socket, int fd, size_t size, const struct wire_wait *wait,
    struct scan_result *result_out)
{
	(void)ask(NULL, socket, fd, size, wait, result_out);
}

void scan_message(const char *path, int fd, size_t size, const struct wire_wait *wait,
    struct scan_result *result_out)
{
	const int64_t start = clock_mono_ms(clock_system());
	struct wire_wait rest = *wait;
	int64_t left;

	/* SG_EPEER: the worker died over it, or nobody answered in time; no time, no retry */
	if (ask(path, -1, fd, size, wait, result_out) != SG_EPEER)
		return;
	left = wait->timeout_ms - (clock_mono_ms(clock_system()) - start);
	if (left <= 0)
		return;
	rest.timeout_ms = (int)left;
	(void)ask(path, -1, fd, size, &rest, result_out);
}

static enum fail_code read_status(const struct wire_message *reply, struct scan_status *status,
    struct fail *f)
{
	struct buf_reader reader;
	const unsigned char *version;
	size_t version_size;
	uint64_t database_time;
	uint64_t outdated_since;
	uint8_t in_service;
	uint8_t asks_clamd;

	buf_reader_init(&reader, reply->body.data, reply->body.size);
	if (buf_get_u64(&reader, &status->signatures) != SG_OK ||
	    buf_get_u64(&reader, &database_time) != SG_OK ||
	    buf_get_u64(&reader, &outdated_since) != SG_OK ||
	    buf_get_u8(&reader, &in_service) != SG_OK ||
	    buf_get_u8(&reader, &asks_clamd) != SG_OK ||
	    buf_get_bytes(&reader, &version, &version_size) != SG_OK ||
	    version_size >= sizeof(status->version) || buf_get_end(&reader) != SG_OK)
		return fail_set(f, SG_EFORMAT, NULL, "the scanner's answer cannot be read");
	memcpy(status->version, version, version_size);
	status->version[version_size] = '\0';
	status->database_time = (int64_t)database_time;
	status->outdated_since = (int64_t)outdated_since;
	status->in_service = in_service == 1;
	status->asks_clamd = asks_clamd == 1;
	return SG_OK;
}

enum fail_code scan_status(const char *path, struct scan_status *status_out, struct fail *f)
{
	const struct wire_wait wait = { .timeout_ms = STATUS_WAIT_MS };
	struct wire_message request;
	struct wire_message reply;
	enum fail_code code;

	memset(status_out, 0, sizeof(*status_out));
	wire_message_init(&request, SCAN_STATUS);
	wire_message_init(&reply, 0);
	code = wire_call(path, &request, &wait, &reply, f);
	if (code == SG_OK)
		code = read_status(&reply, status_out, f);
	wire_message_free(&request);
	wire_message_free(&reply);
	return code;
}
