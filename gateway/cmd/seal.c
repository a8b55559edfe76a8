/* sealgate seal: one message sealed by hand, by the same code as in the flow. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "config/looks.h"
#include "config/rules.h"
#include "config/template.h"
#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/oneshot.h"
#include "milter/cover.h"
#include "milter/envelope.h"
#include "milter/language.h"
#include "milter/message.h"
#include "milter/outer.h"
#include "milter/spool.h"
#include "pdfenc/pdfenc.h"

#define CERTIFICATE_FILE_MAX ((size_t)1024 * 1024)
#define OUTPUT_MAX ((size_t)2 * 1024 * 1024 * 1024)
#define PLACEHOLDER "Protected message"	/* the outer Subject beside a PDF */

struct seal {
	bool envelope;
	bool pdf;
	struct str_list to;
	const char *password_file;
	const char *owner_password_file;
	struct conf *conf;

	struct buf input;		/* CRLF */
	struct message message;
	size_t body_at;
	struct rules_flag flag;
	struct conf_tenant *tenant;	/* of From; NULL: nobody's, in seal->conf */
	struct buf certificates[ENVELOPE_CERTIFICATES_MAX];
	struct edits edits;
};

static int read_options(int argc, char *argv[], struct seal *seal)
{
	static const struct option options[] = {
		{ "envelope", no_argument, NULL, 'e' }, { "pdf", no_argument, NULL, 'p' },
		{ "to", required_argument, NULL, 't' },
		{ "password-file", required_argument, NULL, 'w' },
		{ "owner-password-file", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 }
	};
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'e')
			seal->envelope = true;
		else if (option == 'p')
			seal->pdf = true;
		else if (option == 'w')
			seal->password_file = optarg;
		else if (option == 'o')
			seal->owner_password_file = optarg;
		else if (option != 't' || str_list_add(&seal->to, optarg) != SG_OK)
			return cmd_usage(&cmd_seal);
	}
	if (optind < argc || seal->envelope == seal->pdf ||
	    (seal->envelope && (seal->to.count == 0 || seal->password_file != NULL ||
	    seal->owner_password_file != NULL)) ||
	    (seal->pdf && (seal->password_file == NULL || seal->to.count > 0)))
		return cmd_usage(&cmd_seal);
	return 0;
}

/* ---- input ---- */

/* Mail has CRLF (RFC 5322); files on disk mostly LF. A CR of its own stays. */
static enum fail_code to_crlf(const struct buf *raw, struct buf *out)
{
	size_t from = 0;
	enum fail_code code = SG_OK;

	for (size_t i = 0; i < raw->size && code == SG_OK; i++) {
		if (raw->data[i] != '\n' || (i > 0 && raw->data[i - 1] == '\r'))
			continue;
		code = buf_append(out, raw->data + from, i - from);
		if (code == SG_OK)
			code = buf_append(out, "\r\n", 2);
		from = i + 1;
	}
	if (code == SG_OK && from < raw->size)
		code = buf_append(out, raw->data + from, raw->size - from);
	return code;
}

static enum fail_code read_input(struct seal *seal, struct fail *f)
{
	struct buf raw;
	enum fail_code code;

	buf_init(&raw, seal->conf->message.size_max);
	buf_init(&seal->input, 2 * seal->conf->message.size_max);
	code = fd_read_all(STDIN_FILENO, &raw, f);
	if (code == SG_OK) {
		code = to_crlf(&raw, &seal->input);
		if (code != SG_OK)
			(void)fail_set(f, code, NULL, "no memory for the message");
	}
	buf_free(&raw);
	if (code == SG_OK)
		code = message_parse(&seal->message, (const char *)seal->input.data,
		    seal->input.size, seal->conf->message.header_max, &seal->body_at, f);
	return code;
}

/* The tags go from the subject, as they do on the way through Postfix. */
static enum fail_code read_tags(struct seal *seal, struct fail *f)
{
	struct rules_header header = { "Subject", message_header(&seal->message, "Subject") };

	return header.value == NULL ? SG_OK :
	    rules_match(seal->conf, &header, 1, &seal->flag, f);
}

static void make_source(const struct seal *seal, const char *placeholder,
    struct outer_source *source)
{
	memset(source, 0, sizeof(*source));
	source->message = &seal->message;
	source->body = seal->input.data + seal->body_at;
	source->body_size = seal->input.size - seal->body_at;
	source->subject = seal->flag.subject;
	source->placeholder = placeholder;
	source->memory_max = OUTPUT_MAX;
}

/* ---- envelope ---- */

/* A certificate file, PEM or DER, as DER. */
static enum fail_code read_certificate(const char *path, struct buf *der, struct fail *f)
{
	struct buf file;
	unsigned char *bytes = NULL;
	X509 *x509 = NULL;
	BIO *bio;
	int size = -1;
	enum fail_code code;

	buf_init(&file, CERTIFICATE_FILE_MAX);
	buf_init(der, CERTIFICATE_FILE_MAX);
	code = fd_read_file(path, &file, f);
	if (code != SG_OK)
		return code;
	bio = BIO_new_mem_buf(file.data, (int)file.size);
	if (bio != NULL)
		x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (bio != NULL && x509 == NULL && BIO_reset(bio) == 1)
		x509 = d2i_X509_bio(bio, NULL);
	ERR_clear_error();
	if (x509 != NULL)
		size = i2d_X509(x509, &bytes);
	if (size <= 0)
		code = fail_set(f, SG_EFORMAT, "give an X.509 certificate in PEM or DER",
		    "%s is no certificate", path);
	else if (buf_append(der, bytes, (size_t)size) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory");
	OPENSSL_free(bytes);
	X509_free(x509);
	(void)BIO_free(bio);
	buf_free(&file);
	return code;
}

static enum fail_code seal_envelope(struct seal *seal, struct fail *f)
{
	struct envelope_certificate certificates[ENVELOPE_CERTIFICATES_MAX];
	struct outer_source source;
	enum fail_code code = SG_OK;

	if (seal->to.count > ENVELOPE_CERTIFICATES_MAX)
		return fail_set(f, SG_EUSAGE, NULL, "more than %d certificates",
		    ENVELOPE_CERTIFICATES_MAX);
	for (size_t i = 0; i < seal->to.count && code == SG_OK; i++) {
		code = read_certificate(seal->to.items[i], &seal->certificates[i], f);
		certificates[i].der = seal->certificates[i].data;
		certificates[i].size = seal->certificates[i].size;
	}
	make_source(seal, NULL, &source);
	if (code == SG_OK)
		code = outer_envelope(&source, certificates, seal->to.count, &seal->edits, f);
	return code;
}

/* ---- pdf ---- */

static enum fail_code read_password(const char *path, struct secret *password, struct fail *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum fail_code code;

	if (fd < 0)
		return fail_errno(f, SG_ENOTFOUND, NULL, "cannot open %s", path);
	code = secret_read(password, fd, f);
	fd_close(&fd);
	if (code == SG_OK && password->size == 0)
		code = fail_set(f, SG_EUSAGE, "write the password into the file",
		    "%s is empty: a PDF without a password would not be protected", path);
	if (code == SG_OK && password->size > PDFENC_PASSWORD_MAX)
		code = fail_set(f, SG_EUSAGE, NULL, "the password in %s has more than %d bytes",
		    path, PDFENC_PASSWORD_MAX);
	return code;
}

/* Whose looks: the tenant that has the domain in From. Whoever runs us reads its files. */
static enum fail_code find_looks(struct seal *seal, struct fail *f)
{
	static const char *const names[] = { TEMPLATE_OUTER, TEMPLATE_OUTER_HTML, TEMPLATE_WORDS };
	const struct conf_tenant *found = NULL;
	const char *at;
	struct buf address;
	enum fail_code code;

	buf_init(&address, 1024);
	code = cover_address(&seal->message, &address);
	at = code == SG_OK && buf_str(&address) != NULL ? strrchr(buf_str(&address), '@') : NULL;
	if (at != NULL)
		found = conf_tenant_of_domain(seal->conf, at + 1);
	buf_free(&address);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no memory for an address");
	for (size_t i = 0; found != NULL && i < seal->conf->tenant_count; i++)
		if (found == &seal->conf->tenants[i])
			seal->tenant = &seal->conf->tenants[i];
	if (seal->tenant != NULL)
		code = looks_read_logo(seal->tenant, f);
	for (size_t i = 0; code == SG_OK && i < CONF_LANGUAGES * 3; i++)
		code = template_read(seal->conf, (enum conf_language)(i / 3), names[i % 3], f);
	return code;
}

static enum fail_code ask_worker(struct seal *seal, struct pdfenc_request *request,
    struct pdfenc_result *result, struct fail *f)
{
	const struct wire_wait wait = { .timeout_ms = (int)seal->conf->pdf.timeout_ms };
	struct oneshot oneshot;
	enum fail_code code = oneshot_start("sealgate-pdf", seal->conf, CONF_PDF, &oneshot, f);

	if (code == SG_OK)
		code = pdfenc_seal(oneshot.socket, request, &wait, result, f);
	oneshot_stop(&oneshot);
	return code;
}

static enum fail_code make_pdf(struct seal *seal, const struct secret *password,
    const struct secret *owner, struct pdfenc_result *result, struct fail *f)
{
	struct pdfenc_request request;
	int fd = -1;
	enum fail_code code = fd_memory("sealgate-message", &fd, f);

	if (code == SG_OK)
		code = fd_write_all(fd, seal->input.data, seal->input.size, f);
	if (code == SG_OK)
		code = fd_seal(fd, f);
	memset(&request, 0, sizeof(request));
	request.message = fd;
	request.message_size = seal->input.size;
	request.subject = seal->flag.subject;
	request.tenant = seal->tenant != NULL ? seal->tenant->name : NULL;
	request.password = password;
	request.owner_password = owner;
	if (code == SG_OK)
		code = ask_worker(seal, &request, result, f);
	fd_close(&fd);
	return code;
}

static void make_cover(const struct seal *seal, const struct pdfenc_result *result,
    struct cover *cover)
{
	cover->tenant = seal->tenant;
	cover->language = language_of_message(&seal->message, seal->tenant != NULL ?
	    seal->tenant->language : CONF_ENGLISH);
	cover->how = COVER_RECIPIENT;
	cover->files = result->attachments > 0;
	cover->invitation = (result->flags & PDFENC_INVITATION) != 0;
}

static enum fail_code seal_pdf(struct seal *seal, struct fail *f)
{
	struct pdfenc_result result = { .pdf = -1 };
	struct cover cover = { .conf = seal->conf };
	struct outer_source source;
	struct secret password;
	struct secret owner;
	enum fail_code code;

	secret_init(&password);
	secret_init(&owner);
	code = find_looks(seal, f);
	if (code == SG_OK)
		code = read_password(seal->password_file, &password, f);
	if (code == SG_OK && seal->owner_password_file != NULL)
		code = read_password(seal->owner_password_file, &owner, f);
	if (code == SG_OK)
		code = make_pdf(seal, &password, owner.size > 0 ? &owner : NULL, &result, f);
	secret_free(&password);
	secret_free(&owner);
	if (code == SG_OK) {
		make_source(seal, PLACEHOLDER, &source);
		make_cover(seal, &result, &cover);
		source.cover = &cover;
		code = outer_pdf(&source, result.pdf, result.pdf_size, &seal->edits, f);
	}
	fd_close(&result.pdf);
	return code;
}

/* ---- output: nothing before all of it is ready ---- */

static enum fail_code write_output(struct seal *seal, struct fail *f)
{
	struct outer_source source;
	struct spool *out = NULL;
	const unsigned char *data;
	size_t size;
	enum fail_code code = spool_new(NULL, OUTPUT_MAX, OUTPUT_MAX, &out, f);

	make_source(seal, NULL, &source);
	if (code == SG_OK)
		code = outer_write(&source, &seal->edits, out, f);
	if (code == SG_OK)
		code = spool_finish(out, f);
	if (code == SG_OK)
		code = spool_map(out, &data, &size, f);
	if (code == SG_OK)
		code = fd_write_all(STDOUT_FILENO, data, size, f);
	spool_free(out);
	return code;
}

static enum fail_code seal_message(struct seal *seal, struct fail *f)
{
	enum fail_code code = read_input(seal, f);

	if (code == SG_OK)
		code = read_tags(seal, f);
	if (code == SG_OK)
		code = seal->envelope ? seal_envelope(seal, f) : seal_pdf(seal, f);
	if (code == SG_OK)
		code = write_output(seal, f);
	return code;
}

static int load_conf(struct seal *seal)
{
	struct fail f;

	fail_clear(&f);
	if (cmd_conf_exists() && access(cmd_conf_path(), R_OK) == 0)
		return cmd_load_conf(&seal->conf);
	return conf_default(&seal->conf, &f) == SG_OK ? 0 : cmd_fail("seal", &f);
}

static void seal_free(struct seal *seal)
{
	edits_free(&seal->edits);
	rules_flag_free(&seal->flag);
	message_free(&seal->message);
	buf_free(&seal->input);
	for (size_t i = 0; i < ENVELOPE_CERTIFICATES_MAX; i++)
		buf_free(&seal->certificates[i]);
	str_list_free(&seal->to);
	conf_free(seal->conf);
}

static int run_command(int argc, char *argv[])
{
	static struct seal seal;	/* too large for the stack */
	struct fail f;
	int result;

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return cmd_help(&cmd_seal);
	result = read_options(argc, argv, &seal);
	if (result == 0)
		result = load_conf(&seal);
	fail_clear(&f);
	if (result == 0 && seal_message(&seal, &f) != SG_OK)
		result = cmd_fail("seal", &f);
	seal_free(&seal);
	return result;
}

const struct cmd cmd_seal = {
	.name = "seal",
	.usage = "seal --envelope --to CERTIFICATE [--to CERTIFICATE ...] < MESSAGE > SEALED\n"
	    "seal --pdf --password-file FILE [--owner-password-file FILE] < MESSAGE > SEALED",
	.help = "seal one message, as the gateway would",
	.run = run_command,
};
