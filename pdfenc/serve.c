#include "pdfenc/serve.h"

#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/base/step.h"
#include "gateway/base/str.h"
#include "pdfenc/pdfenc.h"
#include "pdfenc/spent.h"

#define REQUEST_WAIT_MS 5000		/* a client sends at once, or it hangs */
#define SUBJECT_MAX ((size_t)65536)	/* bytes of a raw field; what is printed is cut further */
#define PROTECTION_MAX ((size_t)1024)
#define TENANT_MAX ((size_t)256)

/* The decoded request: copies of ours, so that the packet can be wiped early. */
struct order {
	struct job_request job;
	char *subject;
	char *protection;
	char *tenant;
	struct secret password;
	struct secret owner_password;
};

static enum fail_code get_secret(struct buf_reader *reader, struct secret *secret)
{
	const unsigned char *data;
	size_t size;
	enum fail_code code = buf_get_bytes(reader, &data, &size);

	if (code != SG_OK || size == 0)
		return code;
	if (size > PDFENC_PASSWORD_MAX)
		return SG_ELIMIT;
	return secret_set(secret, data, size);
}

static enum fail_code get_order(const struct wire_message *request, struct order *order)
{
	struct buf_reader reader;
	uint64_t size = 0;
	uint8_t has_subject = 0;
	uint8_t language = 0;
	enum fail_code code;

	buf_reader_init(&reader, request->body.data, request->body.size);
	code = buf_get_u64(&reader, &size);
	if (code == SG_OK)
		code = buf_get_u8(&reader, &has_subject);
	if (code == SG_OK)
		code = buf_get_str(&reader, SUBJECT_MAX, &order->subject);
	if (code == SG_OK)
		code = buf_get_str(&reader, PROTECTION_MAX, &order->protection);
	if (code == SG_OK)
		code = buf_get_str(&reader, TENANT_MAX, &order->tenant);
	if (code == SG_OK)
		code = buf_get_u8(&reader, &language);
	if (code == SG_OK)
		code = get_secret(&reader, &order->password);
	if (code == SG_OK)
		code = get_secret(&reader, &order->owner_password);
	if (code == SG_OK)
		code = buf_get_end(&reader);
	if (code == SG_OK && (request->fd < 0 || has_subject > 1 || language >= CONF_LANGUAGES))
		code = SG_EFORMAT;
	if (code == SG_OK && size > PDFENC_SIZE_MAX)
		code = SG_ELIMIT;
	order->job.message = request->fd;
	order->job.message_size = (size_t)size;
	order->job.subject = has_subject == 1 ? order->subject : NULL;
	order->job.protection = order->protection;
	order->job.tenant = order->tenant;
	order->job.language = (enum conf_language)language;
	return code;
}

static void free_order(struct order *order)
{
	free(order->subject);
	free(order->protection);
	free(order->tenant);
	secret_free(&order->password);
	secret_free(&order->owner_password);
}

static enum fail_code run_order(const struct serve *serve, const struct order *order,
    struct wire_message *reply, struct fail *f)
{
	struct job_result result;
	enum fail_code code;

	STEP("pdf-asked");
	spent_begin(serve->socket, serve->cpu_ms_max);
	code = job_run(&serve->options, &order->job, &result, f);
	STEP("pdf-made");
	spent_end();
	if (code == SG_ENOMEM)
		return spent_memory(f);
	if (code != SG_OK)
		return code;
	reply->fd = result.pdf;
	code = buf_put_u32(&reply->body, result.pages);
	if (code == SG_OK)
		code = buf_put_u32(&reply->body, result.attachments);
	if (code == SG_OK)
		code = buf_put_u32(&reply->body, result.invitation ? PDFENC_INVITATION : 0);
	return code == SG_OK ? SG_OK : fail_set(f, code, NULL, "no memory for a reply");
}

enum fail_code serve_seal(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	const struct serve *serve = context;
	struct order order = { .subject = NULL };
	enum fail_code code;

	secret_init(&order.password);
	secret_init(&order.owner_password);
	order.job.password = &order.password;
	order.job.owner_password = &order.owner_password;
	code = get_order(request, &order);
	buf_free(&request->body);	/* wiped: the password stood in it */
	if (code != SG_OK)
		code = fail_set(f, code, NULL, "a request to seal that cannot be read (%s)",
		    fail_name(code));
	else
		code = run_order(serve, &order, reply, f);
	free_order(&order);
	return code;
}

void serve_connection(struct serve *serve, int socket)
{
	static const struct wire_handler handlers[] = {
		{ PDFENC_SEAL, 1u << 0, serve_seal },
	};
	struct wire_message request;
	struct fail f;
	enum fail_code code;

	fail_clear(&f);
	serve->socket = socket;
	wire_message_init(&request, 0);
	code = wire_receive(socket, &request, REQUEST_WAIT_MS, &f);
	if (code == SG_OK)
		code = wire_dispatch(handlers, 1, 0, serve, socket, &request, &f);
	STEP("pdf-answered");
	if (code != SG_OK)
		log_failure(LOG_LEVEL_DEBUG, NULL, "request", &f);
	wire_message_free(&request);
	serve->socket = -1;
}
