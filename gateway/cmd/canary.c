/* sealgate canary: a message that travels the whole way, and must come back sealed. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/base/phrase.h"
#include "gateway/base/str.h"
#include "gateway/cmd/admin.h"
#include "gateway/cmd/canary.h"

#define COMMAND "canary"
#define SENDMAIL "/usr/sbin/sendmail"
#define TOKEN_SIZE 16	/* bytes */

struct canary {
	struct admin admin;
	const char *postfix;		/* another config_directory, or NULL */
	bool json;
	int listener;
	char token[2 * TOKEN_SIZE + 1];
	char *id;			/* its Message-ID, without brackets */
	struct buf message;		/* what came back */
};

/* ---- sending ---- */

static enum fail_code open_port(struct canary *canary, unsigned int port, struct fail *f)
{
	const struct sockaddr_in here = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;

	canary->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (canary->listener < 0 || setsockopt(canary->listener, SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof(one)) != 0 || bind(canary->listener, (const struct sockaddr *)&here,
	    sizeof(here)) != 0 || listen(canary->listener, 16) != 0)
		return fail_errno(f, SG_ESYSTEM, "is another canary on its way? or change "
		    "canary.port, and Postfix's transport with it", "cannot listen at 127.0.0.1:%u",
		    port);
	return SG_OK;
}

/* The password is in the subject, where the gateway takes it out: nobody need know it. */
static enum fail_code write_message(const struct canary *canary, struct buf *out, struct fail *f)
{
	const struct conf *conf = canary->admin.conf;
	struct secret phrase;
	enum fail_code code;

	secret_init(&phrase);
	code = phrase_make(&phrase, f);
	if (code == SG_OK && buf_printf(out, "From: <%s>\nTo: <%s>\nSubject: [%s pass:%.*s] Canary"
	    "\nMessage-ID: <%s>\nAuto-Submitted: auto-generated\n\nThe word is %s.\n",
	    conf->canary.from, conf->canary.to, conf->tags.secure.items[0], (int)phrase.size,
	    (const char *)phrase.data, canary->id, canary->token) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for a message");
	secret_free(&phrase);
	return code;
}

/* By sendmail(1), as the system's own mail is sent: no login, no network to be listed. */
static enum fail_code start_sendmail(const struct canary *canary, int input, pid_t *pid_out,
    struct fail *f)
{
	const struct conf *conf = canary->admin.conf;
	char *arguments[] = { str_dup("sendmail"), str_dup("-i"), str_dup("-f"),
		str_dup(conf->canary.from), str_dup(conf->canary.to), NULL };
	char *config = canary->postfix == NULL ? NULL : str_printf("MAIL_CONFIG=%s",
	    canary->postfix);
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const environment[] = { path, config, NULL };
	posix_spawn_file_actions_t actions;
	int failed;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	failed = posix_spawn(pid_out, SENDMAIL, &actions, NULL, arguments, environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	for (size_t i = 0; arguments[i] != NULL; i++)
		free(arguments[i]);
	free(config);
	errno = failed;
	return failed == 0 ? SG_OK : fail_errno(f, SG_ESYSTEM, "is Postfix installed?",
	    "cannot start %s", SENDMAIL);
}

static enum fail_code send_message(const struct canary *canary, struct fail *f)
{
	struct buf message;
	int ends[2] = { -1, -1 };
	enum fail_code code;
	pid_t pid = -1;
	int status = 0;

	buf_init(&message, 65536);
	code = write_message(canary, &message, f);
	if (code == SG_OK && pipe2(ends, O_CLOEXEC) != 0)
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot make a pipe");
	if (code == SG_OK)
		code = start_sendmail(canary, ends[0], &pid, f);
	fd_close(&ends[0]);
	/* of one that ends before it has read all is told below; not for it: it has started */
	(void)signal(SIGPIPE, SIG_IGN);
	if (code == SG_OK)
		code = fd_write_all(ends[1], message.data, message.size, f);
	fd_close(&ends[1]);
	if (pid > 0 && (waitpid(pid, &status, 0) != pid || status != 0) && code == SG_OK)
		code = fail_set(f, SG_EPEER, "see Postfix's log",
		    "%s did not take the message", SENDMAIL);
	buf_free(&message);
	return code;
}

/* ---- what is told ---- */

static int tell(struct canary *canary, enum canary_result result, int64_t took_ms)
{
	static const char *const names[] = { "sealed", "clear", "missing" };
	static const int codes[] = { EX_OK, 1, EX_TEMPFAIL };
	struct fail f;

	fail_clear(&f);
	if (vault_canary(&canary->admin.vault, (unsigned int)result, &f) != SG_OK)
		(void)cmd_fail(COMMAND, &f);
	if (canary->json)
		(void)printf("{\"result\": \"%s\", \"took_ms\": %lld}\n", names[result],
		    (long long)took_ms);
	else if (result == CANARY_SEALED)
		(void)printf("protection is active: the canary came back sealed after %lld ms\n",
		    (long long)took_ms);
	else if (result == CANARY_CLEAR)
		(void)fputs("sealgate canary: PROTECTION IS NOT ACTIVE: the canary came back "
		    "without protection (run sealgate doctor)\n", stderr);
	else
		(void)fputs("sealgate canary: the canary did not come back in time (see postqueue "
		    "-p and sealgate doctor; docs/health.md has the settings)\n", stderr);
	return codes[result];
}

static int fly(struct canary *canary)
{
	const struct conf *conf = canary->admin.conf;
	int64_t began = clock_mono_ms(clock_system());
	unsigned char bytes[TOKEN_SIZE];
	enum fail_code code = secret_random_bytes(bytes, sizeof(bytes));
	const char *at = strrchr(conf->canary.from, '@');
	struct fail f;

	fail_clear(&f);
	str_hex(bytes, sizeof(bytes), canary->token);
	canary->id = str_printf("sealgate-canary.%s%s", canary->token, at == NULL ? "" : at);
	if (code == SG_OK && canary->id == NULL)
		code = fail_set(&f, SG_ENOMEM, NULL, "no memory");
	/* the word in the body must not be in the id, which stays readable */
	if (code == SG_OK)
		code = secret_random_bytes(bytes, sizeof(bytes));
	str_hex(bytes, sizeof(bytes), canary->token);
	if (code == SG_OK)
		code = open_port(canary, conf->canary.port, &f);
	if (code == SG_OK)
		code = send_message(canary, &f);
	if (code != SG_OK)
		return cmd_fail(COMMAND, &f);
	(void)!canary_hear(canary->listener, canary->id, conf->canary.wait_ms, &canary->message,
	    &f);
	return tell(canary, canary_judge(&canary->message, canary->token),
	    clock_mono_ms(clock_system()) - began);
}

/* ---- the command ---- */

static int run(int argc, char *argv[])
{
	struct canary canary = { .listener = -1 };
	struct fail f;
	int status;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return cmd_help(&cmd_canary);
		if (strcmp(argv[i], "--json") == 0)
			canary.json = true;
		else if (strcmp(argv[i], "--postfix") == 0 && i + 1 < argc)
			canary.postfix = argv[++i];
		else
			return cmd_usage(&cmd_canary);
	}
	if (i < argc)
		return cmd_usage(&cmd_canary);
	status = admin_open(&canary.admin, COMMAND);
	if (status != 0)
		return status;
	buf_init(&canary.message, CANARY_MESSAGE_MAX);
	fail_clear(&f);
	if (canary.admin.conf->canary.from[0] == '\0' || canary.admin.conf->canary.to[0] == '\0')
		(void)fail_set(&f, SG_EUSAGE, "docs/health.md has the few settings",
		    "canary.from and canary.to are not set");
	status = f.code != SG_OK ? cmd_fail(COMMAND, &f) : fly(&canary);
	fd_close(&canary.listener);
	free(canary.id);
	buf_free(&canary.message);
	admin_close(&canary.admin);
	return status;
}

const struct cmd cmd_canary = {
	.name = COMMAND,
	.usage = "canary [--json] [--postfix DIRECTORY]",
	.help = "sends a message the whole way: exit 0 if it comes back sealed",
	.run = run,
};
