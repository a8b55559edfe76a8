#include "milter/scan/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "milter/scan/canary.h"
#include "milter/scan/database.h"
#include "milter/scan/watch.h"

#define SIGNATURE_MAX ((size_t)1024)	/* bytes of the canary's line */
#define LIMIT_PREFIX "Heuristics.Limits.Exceeded"
#define ENCRYPTED_PREFIX "Heuristics.Encrypted."

struct engine {
	struct cl_engine *clam;
	struct cl_scan_options scan;
	uint64_t print;			/* of the database directory as it was before loading */
	struct canary canary;
	uint64_t signatures;
	int64_t database_time;
	size_t size_max;
};

enum fail_code engine_start(struct fail *f)
{
	cl_error_t result = cl_init(CL_INIT_DEFAULT);

	if (result != CL_SUCCESS)
		return fail_set(f, SG_ESYSTEM, NULL, "libclamav does not start: %s",
		    cl_strerror(result));
	watch_start();
	return SG_OK;
}

static enum fail_code load_path(struct engine *engine, const char *path, unsigned int *count_out,
    struct fail *f)
{
	struct watch watch;
	cl_error_t result;

	*count_out = 0;
	watch_begin(&watch);
	result = cl_load(path, engine->clam, count_out, CL_DB_STDOPT);
	watch_end();
	if (result == CL_SUCCESS && watch.trouble[0] == '\0')
		return SG_OK;
	return fail_set(f, watch.trouble[0] != '\0' ? SG_ESYSTEM : SG_EFORMAT,
	    "is the file whole and readable for the scanner's user? run freshclam again",
	    "cannot load signatures from %s: %s%s%s", path,
	    result != CL_SUCCESS ? cl_strerror(result) : watch.trouble,
	    watch.warning[0] != '\0' ? ": " : "", watch.warning);
}

static enum fail_code load_database(struct engine *engine, const char *path, struct fail *f)
{
	unsigned int count;
	enum fail_code code;

	/* looked at first: what changes while it is read shows as changed afterwards */
	engine->print = database_print(path);
	if (engine->print == 0)
		return fail_set(f, SG_ENOTFOUND,
		    "run freshclam, and let the scanner's user read the folder",
		    "cannot read the signature folder %s", path);
	engine->database_time = database_newest(path);
	code = load_path(engine, path, &count, f);
	if ((code == SG_OK && count == 0) || (code != SG_OK && engine->database_time == 0))
		code = fail_set(f, SG_ENOTFOUND, "run freshclam, or wait until it has fetched some",
		    "no signatures in %s", path);
	engine->signatures = count;
	return code;
}

static enum fail_code load_canary(struct engine *engine, const char *folder, struct fail *f)
{
	char *path = str_printf("%s/canary-%ld.ndb", folder, (long)getpid());
	struct buf line;
	unsigned int count;
	enum fail_code code;

	buf_init(&line, SIGNATURE_MAX);
	code = canary_make(&engine->canary, f);
	if (code == SG_OK && (path == NULL || canary_signature(&engine->canary, &line) != SG_OK))
		code = fail_set(f, SG_ENOMEM, NULL, "no memory");
	if (code == SG_OK)
		code = fd_replace_file(path, line.data, line.size, 0600, f);
	if (code == SG_OK)
		code = load_path(engine, path, &count, f);
	if (path != NULL)
		(void)unlink(path);
	buf_free(&line);
	free(path);
	return code;
}

static enum fail_code fill(struct engine *engine, const struct options *options, struct fail *f)
{
	enum fail_code code = options_engine(engine->clam, options, f);
	cl_error_t result;

	if (code == SG_OK)
		code = load_database(engine, options->database_directory, f);
	if (code == SG_OK)
		code = load_canary(engine, options->temporary_directory, f);
	if (code != SG_OK)
		return code;
	result = cl_engine_compile(engine->clam);
	if (result != CL_SUCCESS)
		return fail_set(f, SG_EFORMAT, "run freshclam again",
		    "libclamav cannot use the signatures: %s", cl_strerror(result));
	return SG_OK;
}

enum fail_code engine_load(const struct options *options, struct engine **engine_out,
    struct fail *f)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	enum fail_code code;

	*engine_out = NULL;
	if (engine == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	engine->size_max = options->size_max;
	options_scan(options->encrypted, &engine->scan);
	engine->clam = cl_engine_new();
	code = engine->clam == NULL ? fail_set(f, SG_ENOMEM, NULL, "no memory for libclamav") :
	    fill(engine, options, f);
	if (code == SG_OK)
		*engine_out = engine;
	else
		engine_free(engine);
	return code;
}

void engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	if (engine->clam != NULL)
		(void)cl_engine_free(engine->clam);
	canary_free(&engine->canary);
	free(engine);
}

static void answer(struct engine_answer *out, enum engine_outcome outcome, const char *text)
{
	out->outcome = outcome;
	(void)snprintf(out->text, sizeof(out->text), "%s", text);
}

/* A signature's name, or one of libclamav's own alerts that a limit was met. */
static void answer_found(struct engine_answer *out, const struct watch *watch, const char *name)
{
	bool is_encrypted = name != NULL &&
	    strncmp(name, ENCRYPTED_PREFIX, sizeof(ENCRYPTED_PREFIX) - 1) == 0;

	if (name == NULL)	/* so it says of a limit met by the message as a whole */
		answer(out, ENGINE_LIMIT, "libclamav alerted without a name");
	else if (!is_encrypted && strncmp(name, LIMIT_PREFIX, sizeof(LIMIT_PREFIX) - 1) != 0)
		answer(out, ENGINE_INFECTED, name);
	else if (watch->trouble[0] != '\0')
		answer(out, ENGINE_TROUBLE, watch->trouble);
	else if (is_encrypted)
		answer(out, ENGINE_ENCRYPTED, name);
	else if (strstr(name, "MaxScanTime") != NULL)
		/* a busy machine; the same again may pass */
		answer(out, ENGINE_TROUBLE, "the scan took too long");
	else
		answer(out, ENGINE_LIMIT, name);
}

static void answer_error(struct engine_answer *out, const struct watch *watch, cl_error_t result)
{
	switch (result) {
	case CL_EMAXREC:
	case CL_EMAXSIZE:
	case CL_EMAXFILES:
		answer(out, ENGINE_LIMIT, cl_strerror(result));
		break;
	case CL_EFORMAT:
	case CL_EPARSE:
	case CL_EUNPACK:
		answer(out, ENGINE_WARNED,
		    watch->warning[0] != '\0' ? watch->warning : cl_strerror(result));
		break;
	default:
		answer(out, ENGINE_TROUBLE,
		    watch->warning[0] != '\0' ? watch->warning : cl_strerror(result));
		break;
	}
}

static void answer_scan(struct engine_answer *out, const struct watch *watch, cl_error_t result,
    const char *name)
{
	if (result == CL_VIRUS)
		answer_found(out, watch, name);
	else if (watch->trouble[0] != '\0')
		answer(out, ENGINE_TROUBLE, watch->trouble);
	else if (result != CL_CLEAN)
		answer_error(out, watch, result);
	else if (watch->warning[0] != '\0')
		answer(out, ENGINE_WARNED, watch->warning);
	else
		answer(out, ENGINE_CLEAN, "");
}

void engine_scan(const struct engine *engine, const void *data, size_t size,
    struct engine_answer *answer_out)
{
	struct cl_scan_options scan = engine->scan;	/* libclamav takes it without const */
	unsigned long scanned = 0;
	const char *name = NULL;
	struct watch watch;
	cl_error_t result;
	cl_fmap_t *map;

	if (size == 0) {
		answer(answer_out, ENGINE_CLEAN, "");	/* nothing to look at */
		return;
	}
	if (size > engine->size_max) {
		answer(answer_out, ENGINE_LIMIT, LIMIT_PREFIX ".MaxFileSize");
		return;
	}
	watch_begin(&watch);
	map = cl_fmap_open_memory(data, size);
	if (map == NULL) {
		watch_end();
		answer(answer_out, ENGINE_TROUBLE, "no memory to map the message");
		return;
	}
	result = cl_scanmap_callback(map, NULL, &name, &scanned, engine->clam, &scan, NULL);
	cl_fmap_close(map);
	watch_end();
	answer_scan(answer_out, &watch, result, name);
}

bool engine_canary(const struct engine *engine, struct engine_answer *answer_out)
{
	engine_scan(engine, engine->canary.mail.data, engine->canary.mail.size, answer_out);
	if (answer_out->outcome == ENGINE_INFECTED &&
	    strncmp(answer_out->text, CANARY_NAME, sizeof(CANARY_NAME) - 1) == 0)
		return true;
	if (answer_out->outcome == ENGINE_CLEAN || answer_out->outcome == ENGINE_INFECTED)
		answer(answer_out, ENGINE_TROUBLE, "the test message was not found infected");
	return false;
}

uint64_t engine_signatures(const struct engine *engine)
{
	return engine->signatures;
}

int64_t engine_database_time(const struct engine *engine)
{
	return engine->database_time;
}

uint64_t engine_print(const struct engine *engine)
{
	return engine->print;
}
