/*
 * links: sealgate-pdf
 *
 * pdf_seal: for tests and measurements: messages through a real sealgate-pdf, without a gateway.
 *
 *   pdf_seal WORKER PASSWORD OUT-FOLDER MESSAGE...   each MESSAGE becomes OUT-FOLDER/NAME.pdf
 *   pdf_seal -x FOLDER MESSAGE                       what must be found in the PDF: FOLDER/words
 *                                                    and FOLDER/N for the N-th attached file
 *   pdf_seal -n COUNT WORKER PASSWORD MESSAGE        seals COUNT times; prints the worker's CPU
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/conf.h"
#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/proc.h"
#include "gateway/base/str.h"
#include "pdfenc/compose.h"
#include "pdfenc/mime.h"
#include "pdfenc/pdfenc.h"

struct stage {
	char folder[64];
	char *socket;
	int listener;
	struct conf *conf;
	struct buf config;
	struct proc_child child;
	const char *worker;
	struct secret password;
};

static int report(const char *what, const struct fail *f)
{
	(void)fprintf(stderr, "%s: %s: %s (%s)\n", what, fail_name(f->code), f->what, f->hint);
	return EXIT_FAILURE;
}

static enum fail_code start_worker(struct stage *stage, struct fail *f)
{
	enum fail_code code = proc_spawn(&(struct proc_birth){ stage->worker,
	    &stage->listener, 1, &stage->config, false }, &stage->child, f);

	if (code == SG_OK)
		code = proc_wait_ready(&stage->child, 20000, NULL, f);
	return code;
}

static enum fail_code stage_start(struct stage *stage, const char *worker, const char *password,
    struct fail *f)
{
	enum fail_code code;

	stage->worker = worker;
	(void)snprintf(stage->folder, sizeof(stage->folder), "/tmp/pdf_seal.XXXXXX");
	if (mkdtemp(stage->folder) == NULL)
		return fail_errno(f, SG_ESYSTEM, NULL, "no temporary folder");
	stage->socket = str_printf("%s/pdf.sock", stage->folder);
	buf_init(&stage->config, PROC_CONFIG_MAX);
	secret_init(&stage->password);
	if (secret_set(&stage->password, password, strlen(password)) != SG_OK)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	code = conf_default(&stage->conf, f);
	if (code == SG_OK)
		code = str_set(&stage->conf->users.pdf, "nobody");
	if (code == SG_OK)
		code = conf_encode(stage->conf, CONF_PDF, &stage->config, f);
	if (code == SG_OK)
		code = wire_listen(stage->socket, 0600, &stage->listener, f);
	if (code == SG_OK)
		code = start_worker(stage, f);
	return code;
}

static void stage_end(struct stage *stage)
{
	proc_stop(&stage->child, 5000);
	fd_close(&stage->listener);
	(void)unlink(stage->socket);
	(void)rmdir(stage->folder);
	free(stage->socket);
	buf_free(&stage->config);
	conf_free(stage->conf);
	secret_free(&stage->password);
}

static enum fail_code seal(struct stage *stage, int message, size_t size,
    struct pdfenc_result *result, struct fail *f)
{
	struct wire_wait wait = { 60000, NULL, NULL };
	struct pdfenc_request request = { .message = message, .message_size = size };

	request.password = &stage->password;
	request.protection = "Sealed for the recipient alone: AES-256, opened with the password "
	    "that you share with the sender.";
	return pdfenc_seal(stage->socket, &request, &wait, result, f);
}

static enum fail_code open_message(const char *path, int *fd_out, size_t *size_out,
    struct fail *f)
{
	struct stat st;

	*fd_out = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd_out < 0 || fstat(*fd_out, &st) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot open %s", path);
	*size_out = (size_t)st.st_size;
	return SG_OK;
}

static enum fail_code save(int pdf, const char *folder, const char *message, struct fail *f)
{
	struct fd_map map = { NULL, 0 };
	char *copy = str_dup(message);
	char *path = str_printf("%s/%s.pdf", folder, basename(copy));
	enum fail_code code = fd_map(pdf, PDFENC_SIZE_MAX, &map, f);

	if (code == SG_OK)
		code = fd_replace_file(path, map.data, map.size, 0600, f);
	fd_unmap(&map);
	free(path);
	free(copy);
	return code;
}

static int seal_all(struct stage *stage, const char *folder, char *const *messages, int count)
{
	int status = EXIT_SUCCESS;

	for (int i = 0; i < count; i++) {
		struct pdfenc_result result = { -1, 0, 0, 0, 0 };
		struct fail f;
		size_t size = 0;
		int fd = -1;
		enum fail_code code = open_message(messages[i], &fd, &size, &f);

		if (code == SG_OK)
			code = seal(stage, fd, size, &result, &f);
		if (code == SG_OK)
			code = save(result.pdf, folder, messages[i], &f);
		if (code == SG_OK)
			(void)printf("%s pages %u attachments %u bytes %zu\n", messages[i],
			    result.pages, result.attachments, result.pdf_size);
		else
			status = report(messages[i], &f);
		fd_close(&result.pdf);
		fd_close(&fd);
	}
	return status;
}

/* The CPU that the worker has used so far, in clock ticks, from its /proc entry. */
static long worker_ticks(const struct stage *stage)
{
	char path[64];
	char line[1024];
	unsigned long user = 0;
	unsigned long sys = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)stage->child.pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) != NULL && strrchr(line, ')') != NULL)
		(void)sscanf(strrchr(line, ')') + 2,
		    "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys);
	(void)fclose(file);
	return (long)(user + sys);
}

static int measure(struct stage *stage, const char *message, unsigned int count)
{
	struct fail f;
	size_t size = 0;
	size_t pdf_size = 0;
	int fd = -1;
	long before;
	int64_t start;
	enum fail_code code = open_message(message, &fd, &size, &f);

	before = worker_ticks(stage);
	start = clock_mono_ms(clock_system());
	for (unsigned int i = 0; i < count && code == SG_OK; i++) {
		struct pdfenc_result result;

		code = seal(stage, fd, size, &result, &f);
		pdf_size = result.pdf_size;
		fd_close(&result.pdf);
	}
	fd_close(&fd);
	if (code != SG_OK)
		return report(message, &f);
	(void)printf("%s: %.2f ms CPU, %.2f ms wall a message, %zu bytes\n", message,
	    (double)(worker_ticks(stage) - before) * 1000.0 / (double)sysconf(_SC_CLK_TCK) /
	    count, (double)(clock_mono_ms(clock_system()) - start) / count, pdf_size);
	return EXIT_SUCCESS;
}

static enum fail_code write_file(const char *folder, const char *name, const void *data,
    size_t size, struct fail *f)
{
	char *path = str_printf("%s/%s", folder, name);
	enum fail_code code = fd_replace_file(path, data, size, 0600, f);

	free(path);
	return code;
}

/* Behind links the text form has their address in <>, for pictures their text in []. */
static void without_asides(char *text)
{
	char *out = text;
	char end = '\0';

	for (; *text != '\0'; text++) {
		if (end == '\0' && *text == '<' && (strncmp(text, "<http", 5) == 0 ||
		    strncmp(text, "<mailto:", 8) == 0 || strncmp(text, "<tel:", 5) == 0))
			end = '>';
		else if (end == '\0' && *text == '[')
			end = ']';
		if (end == '\0')
			*out++ = *text;
		else if (*text == end)
			end = '\0';
	}
	*out = '\0';
}

/* The labels of a nested head stand on the page without their colon. */
static void put_words(GString *words, const struct flow_block *block, bool html)
{
	char *text = g_strdup(block->text->str);
	char **lines;

	if (html)
		without_asides(text);
	lines = g_strsplit(text, "\n", -1);
	g_free(text);

	for (char **line = lines; *line != NULL; line++) {
		const char *value = block->kind == FLOW_NESTED ? strstr(*line, ": ") : NULL;

		g_string_append_printf(words, "%s\n", value != NULL ? value + 2 : *line);
	}
	g_strfreev(lines);
}

static enum fail_code write_parts(const struct document *document, const char *folder,
    struct fail *f)
{
	struct flow *flow = compose_flow(document);
	GString *words = g_string_new(NULL);
	unsigned int html_end = 0;	/* behind the text form of an HTML body */
	enum fail_code code;
	char name[16];

	for (unsigned int i = 0; i < flow->blocks->len; i++) {
		const struct flow_block *block = g_ptr_array_index(flow->blocks, i);

		put_words(words, block, i < html_end);
		if (block->kind == FLOW_HTML)
			html_end = i + block->count + 1;
	}
	code = write_file(folder, "words", words->str, words->len, f);
	for (unsigned int i = 0; i < document->files->len && code == SG_OK; i++) {
		const struct document_file *file = g_ptr_array_index(document->files, i);

		(void)snprintf(name, sizeof(name), "%u", i + 1);
		code = write_file(folder, name, file->data->data, file->data->len, f);
	}
	g_string_free(words, TRUE);
	flow_free(flow);
	return code;
}

/* What the worker's own parser finds: the pages and attachments must hold all of it. */
static int extract(const char *folder, const char *message)
{
	struct document *document = NULL;
	struct fd_map map = { NULL, 0 };
	struct fail f;
	size_t size;
	int fd = -1;
	enum fail_code code = open_message(message, &fd, &size, &f);

	mime_start();
	if (code == SG_OK)
		code = fd_map(fd, PDFENC_SIZE_MAX, &map, &f);
	if (code == SG_OK)
		code = mime_parse(map.data, map.size, NULL, &document, &f);
	if (code == SG_OK)
		code = write_parts(document, folder, &f);
	document_free(document);
	fd_unmap(&map);
	fd_close(&fd);
	return code == SG_OK ? EXIT_SUCCESS : report(message, &f);
}

int main(int argc, char *argv[])
{
	struct stage stage = { .listener = -1, .child = { -1, -1 } };
	bool measuring = argc == 6 && strcmp(argv[1], "-n") == 0;
	uint64_t count = 0;
	struct fail f;
	int status;

	log_start("pdf_seal", LOG_LEVEL_NOTICE);
	if (argc == 4 && strcmp(argv[1], "-x") == 0)
		return extract(argv[2], argv[3]);
	if (argc < 5 || (measuring && str_parse_u64(argv[2], 1, 1000000, &count) != SG_OK)) {
		(void)fprintf(stderr, "usage: pdf_seal [-n COUNT] WORKER PASSWORD ...\n");
		return EXIT_FAILURE;
	}
	argv += measuring ? 2 : 0;
	if (stage_start(&stage, argv[1], argv[2], &f) != SG_OK)
		status = report("start", &f);
	else if (measuring)
		status = measure(&stage, argv[3], (unsigned int)count);
	else
		status = seal_all(&stage, argv[3], argv + 4, argc - 4);
	stage_end(&stage);
	return status;
}
