#include "milter/scan/service.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "milter/scan/engine.h"
#include "milter/scan/tempdir.h"
#include "milter/scan/watch.h"

struct service {
	struct options options;
	pthread_mutex_t lock;		/* of engine: the pointer, not the thing */
	struct engine *engine;
	atomic_bool in_service;
	atomic_bool was_told;		/* the change was logged */
	int64_t refused_time;		/* newest file of the last database that did not load */
};

static struct engine *take_engine(struct service *service)
{
	struct engine *engine;

	(void)pthread_mutex_lock(&service->lock);
	engine = engine_ref(service->engine);
	(void)pthread_mutex_unlock(&service->lock);
	return engine;
}

static void replace_engine(struct service *service, struct engine *engine)
{
	struct engine *old;

	(void)pthread_mutex_lock(&service->lock);
	old = service->engine;
	service->engine = engine;
	(void)pthread_mutex_unlock(&service->lock);
	engine_unref(old);
}

enum fail_code service_open(const struct options *options, struct service **service_out,
    struct fail *f)
{
	struct service *service = calloc(1, sizeof(*service));
	enum fail_code code;

	*service_out = NULL;
	if (service == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	service->options = *options;
	atomic_init(&service->in_service, false);
	(void)pthread_mutex_init(&service->lock, NULL);
	code = engine_load(options, &service->engine, f);
	if (code == SG_OK)
		*service_out = service;
	else
		service_close(service);
	return code;
}

void service_close(struct service *service)
{
	if (service == NULL)
		return;
	engine_unref(service->engine);
	(void)pthread_mutex_destroy(&service->lock);
	free(service);
}

static void log_out_of_service(const struct options *options, const char *why)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_ERROR, NULL, "out_of_service");
	log_str(&line, "why", why);
	log_int(&line, "free_mb", (int64_t)(tempdir_room(options->temporary_directory) >> 20));
	log_str(&line, "hint", "see whether the temporary directory can be written and has space; "
	    "no mail passes meanwhile");
	log_str(&line, "directory", options->temporary_directory);
	log_end(&line);
}

static void log_in_service(void)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_NOTICE, NULL, "in_service");
	log_end(&line);
}

/* True if the engine found its canary; sets and logs the state. */
static bool check(struct service *service, const struct engine *engine)
{
	struct engine_answer answer;
	bool found = engine_canary(engine, &answer);
	bool before = atomic_exchange(&service->in_service, found);
	bool told = atomic_exchange(&service->was_told, !found);

	if (!found && !told)
		log_out_of_service(&service->options, answer.text);
	else if (found && !before && told)
		log_in_service();
	return found;
}

bool service_check(struct service *service)
{
	struct engine *engine = take_engine(service);
	bool found = check(service, engine);

	engine_unref(engine);
	return found;
}

static void result(struct scan_result *out, enum scan_verdict verdict, const char *text)
{
	out->verdict = verdict;
	(void)snprintf(out->name, sizeof(out->name), "%s", text);
}

/* What an answer means by itself; a warning alone is nobody's fault yet. */
static void judge(struct scan_result *out, const struct engine_answer *answer)
{
	static const enum scan_verdict verdicts[] = {
		[ENGINE_CLEAN] = SCAN_CLEAN,
		[ENGINE_INFECTED] = SCAN_INFECTED,
		[ENGINE_LIMIT] = SCAN_UNSCANNABLE,
		[ENGINE_WARNED] = SCAN_NO_VERDICT,
		[ENGINE_TROUBLE] = SCAN_NO_VERDICT,
	};

	result(out, verdicts[answer->outcome], answer->text);
}

/* It warned: if the canary passes and the same warning comes again, the content is the cause. */
static void scan_again(struct service *service, const struct engine *engine, const void *data,
    size_t size, const struct engine_answer *first, struct scan_result *out)
{
	struct engine_answer second;

	if (!check(service, engine)) {
		result(out, SCAN_NO_VERDICT, first->text);
		return;
	}
	engine_scan(engine, data, size, &second);
	judge(out, &second);
	if (second.outcome == ENGINE_WARNED && watch_same_warning(first->text, second.text))
		out->verdict = SCAN_UNSCANNABLE;
}

void service_scan(struct service *service, const void *data, size_t size,
    struct scan_result *result_out)
{
	struct engine *engine = take_engine(service);
	struct engine_answer first;

	if (!atomic_load(&service->in_service) && !check(service, engine)) {
		result(result_out, SCAN_NO_VERDICT,
		    "the scanner is out of service: it did not find its test message");
		goto out;
	}
	engine_scan(engine, data, size, &first);
	judge(result_out, &first);
	if (first.outcome == ENGINE_WARNED)
		scan_again(service, engine, data, size, &first, result_out);
	else if (first.outcome == ENGINE_TROUBLE)
		(void)check(service, engine);
out:
	engine_unref(engine);
}

void service_status(struct service *service, struct scan_status *status_out)
{
	struct engine *engine = take_engine(service);

	memset(status_out, 0, sizeof(*status_out));
	status_out->signatures = engine_signatures(engine);
	status_out->database_time = engine_database_time(engine);
	status_out->in_service = atomic_load(&service->in_service) ? 1 : 0;
	(void)snprintf(status_out->version, sizeof(status_out->version), "libclamav %s",
	    cl_retver());
	engine_unref(engine);
}

static void log_loaded(const struct engine *engine)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_NOTICE, NULL, "signatures_loaded");
	log_int(&line, "signatures", (int64_t)engine_signatures(engine));
	log_int(&line, "database_time", engine_database_time(engine));
	log_end(&line);
}

enum fail_code service_reload(struct service *service, struct fail *f)
{
	struct engine_answer answer;
	struct engine *engine = NULL;
	enum fail_code code = engine_load(&service->options, &engine, f);

	if (code == SG_OK && !engine_canary(engine, &answer))
		code = fail_set(f, SG_ESYSTEM, "see whether the temporary directory has space",
		    "the new signatures do not find the test message: %s", answer.text);
	if (code != SG_OK) {
		engine_unref(engine);
		return code;
	}
	log_loaded(engine);
	replace_engine(service, engine);
	(void)service_check(service);
	return SG_OK;
}

/* True when files changed, but not for a database that was refused already as it is now. */
static bool wants_reload(struct service *service, int64_t *newest_out)
{
	struct engine *engine = take_engine(service);
	bool outdated = engine_outdated(engine);

	engine_unref(engine);
	*newest_out = outdated ? engine_newest_file(service->options.database_directory) : 0;
	return outdated && *newest_out != service->refused_time;
}

void service_tick(struct service *service)
{
	int64_t newest;
	struct fail f;

	(void)service_check(service);
	if (!wants_reload(service, &newest))
		return;
	fail_clear(&f);
	if (service_reload(service, &f) != SG_OK) {
		service->refused_time = newest;
		log_failure(LOG_LEVEL_ERROR, NULL, "old_signatures_stay", &f);
	}
}
