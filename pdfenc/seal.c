#include "pdfenc/seal.h"

#include <string.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "pdfenc/attachments.h"
#include "pdfenc/qpdf.h"
#include "pdfenc/write.h"
#include "pdfenc/write_crypt.h"

#define NONCE_SIZE ((size_t)16)		/* random bytes */
#define OWNER_SIZE ((size_t)16)		/* random bytes: it is hashed again and again */

struct passwords {	/* each with a NUL behind it */
	struct secret user;
	struct secret owner;
};

/* Text shrinks; pictures, archives and PDFs have been compressed already. */
static bool shrinks(const char *type)
{
	static const char *const names[] = { "application/json", "application/xml",
		"application/rtf", "application/postscript", "image/svg+xml", "image/bmp" };

	if (strncmp(type, "text/", 5) == 0 || strncmp(type, "message/", 8) == 0)
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(names[i], type) == 0)
			return true;
	return false;
}

/* ISO 32000-2 section 7.9.4. */
static char *pdf_date(GDateTime *date)
{
	char *text = g_date_time_format(date, "D:%Y%m%d%H%M%S%z");
	size_t size = text != NULL ? strlen(text) : 0;
	char *whole;

	/* "+0100" -> "+01'00'" */
	if (size != 21) {
		g_free(text);
		return NULL;
	}
	whole = g_strdup_printf("%.19s'%s'", text, text + 19);
	g_free(text);
	return whole;
}

static void take_file(const struct document_file *file, struct write_attached *out)
{
	out->name = file->name;
	out->type = file->type;
	out->date = file->date != NULL ? pdf_date(file->date) : NULL;
	out->relation = "Unspecified";
	out->data = file->data->data;
	out->size = file->data->len;
	out->compress = shrinks(file->type);
}

static struct write_attached *take_files(const struct seal_request *request, size_t *count_out)
{
	const GPtrArray *files = request->document->files;
	struct write_attached *out = g_new0(struct write_attached, (size_t)files->len + 1);

	for (unsigned int i = 0; i < files->len; i++)
		take_file(g_ptr_array_index(files, i), &out[i]);
	*count_out = files->len;
	if (request->original != NULL) {
		struct write_attached *original = &out[(*count_out)++];

		original->name = "original.eml";
		original->type = "message/rfc822";
		original->relation = "Source";
		original->data = request->original;
		original->size = request->original_size;
		original->compress = true;
	}
	return out;
}

static void free_files(struct write_attached *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		g_free((char *)(guintptr)files[i].date);
	g_free(files);
}

static enum fail_code check_password(const struct secret *password, struct fail *f)
{
	if (password == NULL || password->size == 0)
		return fail_set(f, SG_EUSAGE, NULL, "the password is empty");
	if (password->size > SEAL_PASSWORD_MAX)
		return fail_set(f, SG_ELIMIT, "choose a shorter one",
		    "the password has more than %d bytes", SEAL_PASSWORD_MAX);
	/* libraries in C would see only what stands before it */
	if (memchr(password->data, 0, password->size) != NULL)
		return fail_set(f, SG_EUSAGE, NULL, "the password has a zero byte");
	return SG_OK;
}

/* The secret with a NUL behind it, as libqpdf wants it. */
static enum fail_code as_string(const struct secret *password, struct secret *string)
{
	char text[SEAL_PASSWORD_MAX + 1];
	enum fail_code code;

	memcpy(text, password->data, password->size);
	text[password->size] = '\0';
	code = secret_set(string, text, password->size + 1);
	secret_wipe(text, sizeof(text));
	return code;
}

/* Nobody types it, so that it need not be text; a zero byte would end it. */
static enum fail_code random_string(struct secret *string)
{
	unsigned char bytes[OWNER_SIZE + 1] = { 0 };
	enum fail_code code = secret_random_bytes(bytes, OWNER_SIZE);

	for (size_t i = 0; i < OWNER_SIZE && code == SG_OK;) {
		if (bytes[i] != 0)
			i++;
		else
			code = secret_random_bytes(bytes + i, 1);
	}
	if (code == SG_OK)
		code = secret_set(string, bytes, sizeof(bytes));
	secret_wipe(bytes, sizeof(bytes));
	return code;
}

static enum fail_code take_passwords(const struct seal_request *request, struct secret *user,
    struct secret *owner, struct fail *f)
{
	bool given = request->owner_password != NULL && request->owner_password->size > 0;
	enum fail_code code = check_password(request->password, f);

	if (code == SG_OK && given)
		code = check_password(request->owner_password, f);
	if (code != SG_OK)
		return code;
	code = as_string(request->password, user);
	if (code == SG_OK)
		code = given ? as_string(request->owner_password, owner) : random_string(owner);
	return code == SG_OK ? SG_OK : fail_set(f, code, NULL, "cannot keep a password in memory");
}

/* Ours alone: encrypted as they are written. */
static enum fail_code write_own(struct write_request *write, const struct passwords *passwords,
    struct fail *f)
{
	GByteArray *room = g_byte_array_sized_new(131072);
	struct qpdf_keys keys;
	char error[QPDF_ERROR_MAX];
	enum fail_code code = SG_OK;

	if (!qpdf_make_keys((const char *)passwords->user.data,
	    (const char *)passwords->owner.data, &keys, error))
		code = fail_set(f, SG_ESYSTEM, NULL, "libqpdf cannot make keys: %s", error);
	if (code == SG_OK)
		code = write_crypt_new(&keys, &write->crypt, f);
	secret_wipe(&keys, sizeof(keys));
	if (code == SG_OK)
		code = write_pdf(write, room, f);
	write_crypt_free(write->crypt);
	g_byte_array_unref(room);
	return code;
}

/* With pages of attached PDFs, which libqpdf puts among ours. */
static enum fail_code write_with_others(const struct seal_request *request,
    struct write_request *write, const struct passwords *passwords, struct fail *f)
{
	GByteArray *pages = g_byte_array_sized_new(131072);
	struct qpdf_job job = { .out = write->fd };
	unsigned char bytes[NONCE_SIZE];
	char nonce[NONCE_SIZE * 2 + 1];
	enum fail_code code = secret_random_bytes(bytes, sizeof(bytes));

	if (code != SG_OK)
		code = fail_set(f, code, NULL, "the kernel has no random bytes");
	str_hex(bytes, sizeof(bytes), nonce);
	write->nonce = nonce;
	if (code == SG_OK)
		code = write_pdf(write, pages, f);
	job.pages = pages->data;
	job.pages_size = pages->len;
	job.places = &g_array_index(request->attachments->places, struct append_place, 0);
	job.place_count = request->attachments->places->len;
	job.password = (const char *)passwords->user.data;
	job.owner_password = (const char *)passwords->owner.data;
	if (code == SG_OK && !qpdf_write(&job))
		code = fail_set(f, SG_ECRYPTO, NULL, "libqpdf cannot seal: %s", job.error);
	write->nonce = NULL;
	g_byte_array_unref(pages);
	return code;
}

const char *seal_title(const struct document *document)
{
	return document->head.subject != NULL ? document->head.subject : "Message";
}

enum fail_code seal_pdf(const struct seal_request *request, int *pdf_out, struct fail *f)
{
	struct write_request write = { .display = request->pages, .faces = request->faces,
		.language = request->language };
	struct write_attached *files = take_files(request, &write.file_count);
	struct passwords passwords;
	enum fail_code code;

	*pdf_out = -1;
	write.fd = -1;
	write.files = files;
	write.title = seal_title(request->document);
	secret_init(&passwords.user);
	secret_init(&passwords.owner);
	code = take_passwords(request, &passwords.user, &passwords.owner, f);
	if (code == SG_OK)
		code = fd_memory("sealed.pdf", &write.fd, f);
	if (code == SG_OK && request->attachments != NULL && request->attachments->places->len > 0)
		code = write_with_others(request, &write, &passwords, f);
	else if (code == SG_OK)
		code = write_own(&write, &passwords, f);
	if (code == SG_OK)
		code = fd_seal(write.fd, f);
	if (code != SG_OK)
		fd_close(&write.fd);
	*pdf_out = write.fd;
	free_files(files, write.file_count);
	secret_free(&passwords.user);
	secret_free(&passwords.owner);
	return code;
}
