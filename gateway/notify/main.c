/*
 * sealgate-notify: hands the vault's letters to Postfix, each once, and passwords to hooks.
 *
 * The vault is asked every second. All letters that are due come before the next password for a
 * hook, which may take its whole time.
 */
#include <curl/curl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sysexits.h>

#include "config/template.h"
#include "gateway/base/fd.h"
#include "gateway/base/proc.h"
#include "gateway/base/sandbox.h"
#include "gateway/notify/notify.h"
#include "gateway/notify/send.h"

#define NOTIFY_MEMORY_MAX ((size_t)1024 * 1024 * 1024)	/* bytes of address space */
#define NOTIFY_FILES_MAX 64u
#define NOTIFY_TIMEOUT_MS 20000	/* for the vault's answer */
#define NOTIFY_POLL_MS 1000	/* between two looks into the outbox; one costs 0.1 ms */
#define NOTIFY_WITHIN_MS (NOTIFY_TIMEOUT_MS + 2000)	/* it goes on; the vault may be away */
#define HOOK_WITHIN_MS ((int64_t)3600 * 1000)	/* above hook_timeout of any tenant */

/* ---- the loop ---- */

/* The first that is due; *found_out false: there is none. */
static enum fail_code take_one(struct notify *notify, bool hook, bool *found_out, struct fail *f)
{
	struct vault_notice notice;
	enum fail_code code = vault_notice_next(&notify->vault, hook, &notice, found_out, f);

	if (code == SG_OK && *found_out) {
		counters_beat(notify->counters, SEND_MS + HOOK_WITHIN_MS);
		code = hook ? notify_hand(notify, &notice, f) : notify_letter(notify, &notice, f);
	}
	vault_notice_free(&notice);
	return code;
}

/* Is there more to do at once? A vault that is away is said once, and asked again. */
static bool look(struct notify *notify)
{
	bool found = true;
	enum fail_code code = SG_OK;
	struct fail f;

	fail_clear(&f);
	while (code == SG_OK && found)
		code = take_one(notify, false, &found, &f);
	if (code == SG_OK)
		code = take_one(notify, true, &found, &f);
	if (code != SG_OK && !notify->vault_away)
		log_failure(LOG_LEVEL_NOTICE, NULL, "notify-waits", &f);
	notify->vault_away = code != SG_OK;
	return code == SG_OK && found;
}

/* False: only a new process can go on. */
static bool serve(struct notify *notify, int control)
{
	struct pollfd ends[2] = {{control, POLLIN, 0}, {notify->terminate, POLLIN, 0}};
	bool had_runner = notify->runner.socket >= 0;
	bool more = false;

	for (;;) {
		int n = poll(ends, 2, more ? 0 : NOTIFY_POLL_MS);

		/* the only thing that comes is the end */
		if (n > 0 && (ends[0].revents != 0 || ends[1].revents != 0))
			return true;
		counters_beat(notify->counters, NOTIFY_WITHIN_MS);
		if (n == 0)
			more = look(notify);
		if (had_runner && notify->runner.socket < 0)
			return false;
	}
}

/* ---- start ---- */

static enum fail_code load_language(const struct conf *conf, enum conf_language language,
    struct compose_text *text, struct fail *f)
{
	const struct {
		const char *name;
		char **text;
	} texts[] = { { TEMPLATE_PASSWORD, &text->password }, { TEMPLATE_KEPT, &text->kept },
		{ TEMPLATE_UNHANDED, &text->unhanded }, { TEMPLATE_REFUSED, &text->refused },
		{ TEMPLATE_SEALED, &text->sealed } };
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < sizeof(texts) / sizeof(texts[0]); i++)
		code = template_load(conf->templates_directory, language, texts[i].name,
		    texts[i].text, f);
	for (unsigned int i = VAULT_NO_NOTE + 1; code == SG_OK && i < VAULT_NOTES; i++) {
		text->notes[i] = template_section(conf, language,
		    compose_section((enum vault_note)i));
		if (text->notes[i] == NULL)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory for a text");
	}
	return code;
}

static enum fail_code load_texts(struct notify *notify, struct fail *f)
{
	enum fail_code code = SG_OK;

	for (unsigned int i = 0; code == SG_OK && i < CONF_LANGUAGES; i++)
		code = load_language(notify->conf, (enum conf_language)i, &notify->texts[i], f);
	return code;
}

/* A letter under way is finished first. */
static enum fail_code terminate_descriptor(int *fd_out, struct fail *f)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot block SIGTERM");
	*fd_out = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*fd_out < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot make a descriptor for SIGTERM");
	return SG_OK;
}

static enum fail_code enter_sandbox(const struct notify *notify, struct fail *f)
{
	const char *read_paths[] = {notify->conf->run_directory, "/etc/hosts", "/etc/resolv.conf",
	    "/etc/nsswitch.conf", notify->conf->notify.ca_file, NULL};
	struct sandbox sandbox = {
		.allow = SANDBOX_FILES_READ | SANDBOX_CONNECT_UNIX | SANDBOX_NETWORK |
		    SANDBOX_THREADS,
		.read_paths = read_paths,
		.reduced = notify->conf->sandbox == CONF_SANDBOX_REDUCED,
	};

	return sandbox_enter(&sandbox, f);
}

static enum fail_code start(struct proc_boot *boot, struct notify *notify, struct fail *f)
{
	enum fail_code code;

	code = conf_decode(boot->config.data, boot->config.size, &notify->conf, f);
	if (code != SG_OK)
		return code;
	log_set_level((enum log_level)notify->conf->log.level);
	notify->path = conf_run_path(notify->conf, CONF_SOCKET_NOTICE);
	if (notify->path == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	notify->vault = (struct vault){notify->path, NOTIFY_TIMEOUT_MS};
	code = runner_start(notify->conf, &notify->runner, f);
	if (code == SG_OK)
		code = notify_tokens(notify, f);
	if (code != SG_OK)
		return code;
	hook_json_start();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return fail_set(f, SG_ENOMEM, NULL, "libcurl cannot start");
	code = terminate_descriptor(&notify->terminate, f);
	if (code == SG_OK)
		code = proc_limit(NOTIFY_MEMORY_MAX, NOTIFY_FILES_MAX, 0, f);
	if (code == SG_OK)
		code = proc_drop(notify->conf->users.notify, f);
	if (code == SG_OK)
		code = load_texts(notify, f);
	if (code == SG_OK)
		code = enter_sandbox(notify, f);
	if (code == SG_OK)
		code = proc_worker_ready(boot, "hands letters to Postfix, passwords to hooks", f);
	return code;
}

static void notify_free(struct notify *notify)
{
	for (unsigned int i = 0; i < CONF_LANGUAGES; i++) {
		free(notify->texts[i].password);
		free(notify->texts[i].kept);
		free(notify->texts[i].unhanded);
		free(notify->texts[i].refused);
		free(notify->texts[i].sealed);
		for (size_t n = 0; n < VAULT_NOTES; n++)
			free(notify->texts[i].notes[n]);
	}
	for (size_t i = 0; notify->tokens != NULL && i < notify->conf->tenant_count; i++)
		secret_free(&notify->tokens[i]);
	free(notify->tokens);
	conf_free(notify->conf);
	free(notify->path);
	fd_close(&notify->runner.socket);
	fd_close(&notify->terminate);
}

int main(int argc, char *argv[])
{
	struct notify notify = {.terminate = -1, .runner = {-1}};
	struct proc_boot boot;
	int status = EX_OK;
	enum fail_code code;
	struct fail f;

	fail_clear(&f);
	log_start("sealgate-notify", LOG_LEVEL_NOTICE);
	code = proc_worker_start(argc, argv, &boot, &f);
	notify.counters = boot.counters;
	if (code == SG_OK)
		code = start(&boot, &notify, &f);
	if (code != SG_OK) {
		proc_worker_failed(&boot, &f);
		status = code == SG_EUSAGE ? EX_CONFIG : EX_TEMPFAIL;
	} else if (!serve(&notify, boot.control)) {
		status = EX_TEMPFAIL;
	}
	notify_free(&notify);
	proc_boot_free(&boot);
	return status;
}
