#include "pdfenc/pdfenc.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/fd.h"

#define NUMBERS_SIZE 64		/* bytes of a request besides its texts */

static size_t text_size(const char *text)
{
	size_t size = 0;

	while (text != NULL && text[size] != '\0')
		size++;
	return size;
}

static enum fail_code check_request(const struct pdfenc_request *request, struct fail *f)
{
	if (request->password == NULL || request->password->size == 0)
		return fail_set(f, SG_EUSAGE, NULL, "a PDF needs a password");
	if (request->password->size > PDFENC_PASSWORD_MAX ||
	    (request->owner_password != NULL &&
	    request->owner_password->size > PDFENC_PASSWORD_MAX))
		return fail_set(f, SG_ELIMIT, "choose a shorter one",
		    "a PDF's password has at most %d bytes", PDFENC_PASSWORD_MAX);
	if (request->message_size > PDFENC_SIZE_MAX)
		return fail_set(f, SG_ELIMIT, NULL, "the message has more than %zu bytes",
		    PDFENC_SIZE_MAX);
	return SG_OK;
}

static enum fail_code put_secret(struct buf *body, const struct secret *secret)
{
	return buf_put_bytes(body, secret != NULL ? secret->data : NULL,
	    secret != NULL ? secret->size : 0);
}

/* Room for all is made first: a buffer that grows would leave a password behind. */
static enum fail_code put_request(struct wire_message *message,
    const struct pdfenc_request *request, struct fail *f)
{
	unsigned char *room;
	struct buf *body = &message->body;
	enum fail_code code = buf_reserve(body, NUMBERS_SIZE + 2 * (size_t)PDFENC_PASSWORD_MAX +
	    text_size(request->subject) + text_size(request->protection) +
	    text_size(request->tenant), &room);

	if (code == SG_OK)
		code = buf_put_u64(body, request->message_size);
	if (code == SG_OK)
		code = buf_put_u8(body, request->subject != NULL);
	if (code == SG_OK)
		code = buf_put_str(body, request->subject);
	if (code == SG_OK)
		code = buf_put_str(body, request->protection);
	if (code == SG_OK)
		code = buf_put_str(body, request->tenant);
	if (code == SG_OK)
		code = buf_put_u8(body, request->language);
	if (code == SG_OK)
		code = put_secret(body, request->password);
	if (code == SG_OK)
		code = put_secret(body, request->owner_password);
	message->fd = request->message;
	return code == SG_OK ? SG_OK : fail_set(f, code, NULL,
	    "the request to seal a PDF is too large");
}

/* A PDF that could still change under our hands, or is no file at all, is not taken. */
static enum fail_code check_pdf(int pdf, size_t *size_out, struct fail *f)
{
	const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
	struct stat st;
	int found;

	if (pdf < 0 || fstat(pdf, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return fail_set(f, SG_EPEER, NULL, "the PDF worker did not return a file");
	if ((uint64_t)st.st_size > PDFENC_SIZE_MAX)
		return fail_set(f, SG_ELIMIT, NULL, "the PDF has more than %zu bytes",
		    PDFENC_SIZE_MAX);
	found = fcntl(pdf, F_GET_SEALS);
	if (found < 0 || (found & seals) != seals)
		return fail_set(f, SG_EPEER, NULL, "the PDF worker returned a file without seals");
	*size_out = (size_t)st.st_size;
	return SG_OK;
}

static enum fail_code take_reply(struct wire_message *reply, struct pdfenc_result *result_out,
    struct fail *f)
{
	struct pdfenc_result result = { -1, 0, 0, 0, 0 };
	struct buf_reader reader;
	enum fail_code code;

	buf_reader_init(&reader, reply->body.data, reply->body.size);
	if (buf_get_u32(&reader, &result.pages) != SG_OK ||
	    buf_get_u32(&reader, &result.attachments) != SG_OK ||
	    buf_get_u32(&reader, &result.flags) != SG_OK ||
	    buf_get_end(&reader) != SG_OK || result.pages == 0)
		return fail_set(f, SG_EPEER, NULL, "the PDF worker's answer cannot be read");
	code = check_pdf(reply->fd, &result.pdf_size, f);
	if (code != SG_OK)
		return code;
	result.pdf = reply->fd;
	reply->fd = -1;
	*result_out = result;
	return SG_OK;
}

/* path NULL: on socket. */
static enum fail_code call(const char *path, int socket, const struct pdfenc_request *request,
    const struct wire_wait *wait, struct pdfenc_result *result_out, struct fail *f)
{
	struct wire_message message;
	struct wire_message reply;
	enum fail_code code = check_request(request, f);

	result_out->pdf = -1;
	result_out->pdf_size = 0;
	result_out->pages = 0;
	result_out->attachments = 0;
	result_out->flags = 0;
	if (code != SG_OK)
		return code;
	wire_message_init(&message, PDFENC_SEAL);
	wire_message_init(&reply, 0);
	code = put_request(&message, request, f);
	if (code == SG_OK && path != NULL)
		code = wire_call(path, &message, wait, &reply, f);
	else if (code == SG_OK)
		code = wire_call_on(socket, &message, wait, &reply, f);
	if (code == SG_OK)
		code = take_reply(&reply, result_out, f);
	message.fd = -1;	/* the caller's */
	wire_message_free(&message);
	wire_message_free(&reply);
	return code;
}

enum fail_code pdfenc_seal_on(int socket, const struct pdfenc_request *request,
    const struct wire_wait *wait, struct pdfenc_result *result_out, struct fail *f)
{
	return call(NULL, socket, request, wait, result_out, f);
}

/* What a worker says of a message that takes too much: see pdfenc/spent.h. */
static bool is_spent(const struct fail *f)
{
	return f->code == SG_ELIMIT && f->kind == FAIL_TEMPORARY;
}

/*
 * A worker that died costs one retry on another one, within the same time. Too much once may be the
 * worker's own trouble; twice it is the message, which would come back for days.
 */
enum fail_code pdfenc_seal(const char *path, const struct pdfenc_request *request,
    const struct wire_wait *wait, struct pdfenc_result *result_out, struct fail *f)
{
	int64_t end = clock_mono_ms(clock_system()) + wait->timeout_ms;
	struct wire_wait rest = *wait;
	struct fail why;
	bool spent;
	enum fail_code code;
	int64_t left;

	fail_clear(&why);
	code = call(path, -1, request, wait, result_out, &why);
	spent = code != SG_OK && is_spent(&why);
	left = end - clock_mono_ms(clock_system());
	if ((code == SG_EPEER || spent) && left > 0) {
		rest.timeout_ms = (int)left;
		code = call(path, -1, request, &rest, result_out, &why);
		if (spent && code != SG_OK && is_spent(&why))
			code = fail_set_kind(&why, FAIL_PERMANENT);
	}
	if (code != SG_OK && f != NULL)
		*f = why;
	return code;
}
