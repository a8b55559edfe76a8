#include "milter/scan/service.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "milter/scan/clamd.h"
#include "milter/scan/database.h"
#include "milter/scan/engine.h"
#include "milter/scan/tempdir.h"
#include "milter/scan/watch.h"

struct service {
	struct options options;
	struct engine *engine;		/* one of the two is NULL */
	struct clamd *clamd;
	atomic_bool in_service;
	atomic_bool was_told;		/* the change was logged */
	uint64_t seen;			/* database_print at the last look */
	uint64_t asked;			/* for which another process was asked */
	int64_t asked_ms;
	_Atomic int64_t outdated_since;	/* seconds since 1970; 0 = what is there is loaded */
	int64_t told_old_ms;		/* when the log said that they are old; 0: not yet */
};

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
	if (options->clamd != NULL)
		code = clamd_open(options->clamd, options->time_max_ms, &service->clamd, f);
	else
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
	engine_free(service->engine);
	clamd_close(service->clamd);
	free(service);
}

bool service_asks_clamd(const struct service *service, unsigned int *port_out)
{
	*port_out = service->clamd != NULL ? clamd_port(service->clamd) : 0;
	return service->clamd != NULL;
}

/* ---- does it work? ---- */

static void log_out_of_service(const struct service *service, const char *why)
{
	const struct options *options = &service->options;
	struct log_line line;

	log_begin(&line, LOG_LEVEL_ERROR, NULL, "out_of_service");
	log_str(&line, "why", why);
	if (service->clamd != NULL) {
		log_str(&line, "clamd", options->clamd);
		log_str(&line, "hint", "see whether clamd runs, its log and clamd.conf; no mail "
		    "passes meanwhile");
	} else {
		log_int(&line, "free_mb",
		    (int64_t)(tempdir_room(options->temporary_directory) >> 20));
		log_str(&line, "hint", "see whether the temporary directory can be written and "
		    "has space; no mail passes meanwhile");
		log_str(&line, "directory", options->temporary_directory);
	}
	log_end(&line);
}

static void log_in_service(void)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_NOTICE, NULL, "in_service");
	log_end(&line);
}

/* Sets and logs the state. */
static bool go(struct service *service, bool works, const char *why)
{
	bool before = atomic_exchange(&service->in_service, works);
	bool told = atomic_exchange(&service->was_told, !works);

	if (!works && !told)
		log_out_of_service(service, why);
	else if (works && !before && told)
		log_in_service();
	return works;
}

bool service_check(struct service *service)
{
	struct engine_answer answer;
	bool works = service->clamd != NULL ? clamd_probe(service->clamd, &answer) :
	    engine_canary(service->engine, &answer);

	return go(service, works, answer.text);
}

/*
 * clamd unpacks where we cannot watch: had its temporary directory been full, or had somebody
 * started it with other settings, it would have called the message clean. So "clean" counts if a
 * test message that must be unpacked, and must not be clean, is answered right just behind it.
 */
static bool clean_counts(struct service *service, struct scan_result *out)
{
	struct engine_answer answer;

	if (service->clamd == NULL || clamd_tells_limits(service->clamd, &answer))
		return true;
	(void)go(service, false, answer.text);
	out->verdict = SCAN_NO_VERDICT;
	(void)snprintf(out->name, sizeof(out->name), "%s", answer.text);
	return false;
}

/* ---- a message ---- */

static void result(struct scan_result *out, enum scan_verdict verdict, const char *text)
{
	out->verdict = verdict;
	(void)snprintf(out->name, sizeof(out->name), "%s", text);
}

/* What an answer means by itself; a warning alone is nobody's fault yet. */
static void judge(const struct service *service, struct scan_result *out,
    const struct engine_answer *answer)
{
	static const enum scan_verdict verdicts[] = {
		[ENGINE_CLEAN] = SCAN_CLEAN,
		[ENGINE_INFECTED] = SCAN_INFECTED,
		[ENGINE_LIMIT] = SCAN_UNSCANNABLE,
		[ENGINE_ENCRYPTED] = SCAN_ENCRYPTED,
		[ENGINE_WARNED] = SCAN_NO_VERDICT,
		[ENGINE_TROUBLE] = SCAN_NO_VERDICT,
	};

	result(out, verdicts[answer->outcome], answer->text);
	/* only clamd says so unasked; a limit may be the alert that it does not tell then */
	if (answer->outcome == ENGINE_ENCRYPTED && !service->options.encrypted)
		result(out, SCAN_NO_VERDICT, "clamd tells of encrypted files instead of limits: "
		    "write AlertEncrypted no into clamd.conf, or change scan.encrypted");
}

static void scan_once(const struct service *service, const void *data, size_t size,
    struct engine_answer *answer)
{
	if (service->clamd != NULL)
		clamd_scan(service->clamd, data, size, answer);
	else
		engine_scan(service->engine, data, size, answer);
}

/* It warned: if the canary passes and the same warning comes again, the content is the cause. */
static void scan_again(struct service *service, const void *data, size_t size,
    const struct engine_answer *first, struct scan_result *out)
{
	struct engine_answer second;

	if (!service_check(service)) {
		result(out, SCAN_NO_VERDICT, first->text);
		return;
	}
	scan_once(service, data, size, &second);
	judge(service, out, &second);
	if (second.outcome == ENGINE_WARNED && watch_same_warning(first->text, second.text))
		out->verdict = SCAN_UNSCANNABLE;
}

void service_scan(struct service *service, const void *data, size_t size,
    struct scan_result *result_out)
{
	struct engine_answer first;

	if (!atomic_load(&service->in_service) && !service_check(service)) {
		result(result_out, SCAN_NO_VERDICT,
		    "the scanner is out of service: it did not find its test message");
		return;
	}
	scan_once(service, data, size, &first);
	judge(service, result_out, &first);
	if (first.outcome == ENGINE_WARNED)
		scan_again(service, data, size, &first, result_out);
	else if (first.outcome == ENGINE_TROUBLE)
		(void)service_check(service);
	else if (first.outcome == ENGINE_CLEAN || first.outcome == ENGINE_ENCRYPTED)
		(void)clean_counts(service, result_out);
}

void service_status(struct service *service, struct scan_status *status_out)
{
	memset(status_out, 0, sizeof(*status_out));
	status_out->in_service = atomic_load(&service->in_service) ? 1 : 0;
	status_out->outdated_since = atomic_load(&service->outdated_since);
	if (service->clamd != NULL) {
		status_out->asks_clamd = 1;
		clamd_version(service->clamd, status_out->version, sizeof(status_out->version),
		    &status_out->database_time);
		return;
	}
	status_out->signatures = engine_signatures(service->engine);
	status_out->database_time = engine_database_time(service->engine);
	(void)snprintf(status_out->version, sizeof(status_out->version), "libclamav %s",
	    cl_retver());
}

/* ---- the database ---- */

/* Wanted already, and not long ago. */
static bool was_asked(const struct service *service, uint64_t print, int64_t now_ms)
{
	return service->asked == print && now_ms - service->asked_ms < SERVICE_ASK_AGAIN_MS;
}

bool service_look(struct service *service, const struct clock *clock)
{
	int64_t now_ms = clock_mono_ms(clock);
	uint64_t print;
	bool is_still;

	if (service->clamd != NULL)
		return false;	/* clamd looks after its own */
	print = database_print(service->options.database_directory);
	is_still = print == service->seen;
	service->seen = print;
	if (print == engine_print(service->engine)) {
		service->asked = 0;
		atomic_store(&service->outdated_since, 0);
		return false;
	}
	if (atomic_load(&service->outdated_since) == 0)
		atomic_store(&service->outdated_since, clock_wall_ms(clock) / 1000);
	if (!is_still || was_asked(service, print, now_ms))
		return false;
	service->asked = print;
	service->asked_ms = now_ms;
	return true;
}

bool service_tell_age(struct service *service, const struct clock *clock, int64_t age_max_ms)
{
	int64_t now_ms = clock_mono_ms(clock);
	struct scan_status status;
	struct log_line line;
	int64_t age_ms;

	service_status(service, &status);
	age_ms = clock_wall_ms(clock) - status.database_time * 1000;
	if (status.database_time == 0 || age_ms <= age_max_ms) {
		service->told_old_ms = 0;
		return false;
	}
	if (service->told_old_ms != 0 && now_ms - service->told_old_ms < SERVICE_TELL_AGAIN_MS)
		return false;
	service->told_old_ms = now_ms;
	log_begin(&line, LOG_LEVEL_ERROR, NULL, "signatures_old");
	log_int(&line, "days", age_ms / SERVICE_TELL_AGAIN_MS);
	log_str(&line, "hint", "new viruses are not found: see why freshclam does not update "
	    "(systemctl status clamav-freshclam, its log, the network)");
	log_end(&line);
	return true;
}

enum fail_code service_give_way(struct service *service, struct fail *f)
{
	return database_check(service->options.database_directory, f);
}
