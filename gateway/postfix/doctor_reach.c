#include "gateway/postfix/doctor_checks.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/postfix/plan.h"

/*
 * A child becomes what Postfix's smtpd and cleanup are: in the queue directory, in its chroot where
 * they are, with the mail owner's user and groups; and connects as they would.
 */
struct reach {
	const struct passwd *owner;
	const char *queue;
	const char *path; /* as Postfix spells it: relative to queue, or absolute */
	bool jailed;
};

#define CHILD_FAILED 255 /* could not become that; else the status is errno of connect */

static _Noreturn void child(const struct reach *reach)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(reach->path) >= sizeof(address.sun_path) || chdir(reach->queue) != 0 ||
	    setgid(reach->owner->pw_gid) != 0 ||
	    initgroups(reach->owner->pw_name, reach->owner->pw_gid) != 0 ||
	    (reach->jailed && chroot(reach->queue) != 0) || setuid(reach->owner->pw_uid) != 0)
		_exit(CHILD_FAILED);
	memcpy(address.sun_path, reach->path, strlen(reach->path) + 1);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		_exit(errno > 0 && errno < CHILD_FAILED ? errno : CHILD_FAILED);
	_exit(0);
}

static void report(struct doctor *doctor, const struct reach *reach, int status)
{
	const char *where = reach->jailed ? "from its chroot" : "without a chroot";

	if (status == 0)
		doctor_ok(doctor, "user %s connects to %s %s", reach->owner->pw_name, reach->path,
		    where);
	else if (status == CHILD_FAILED)
		doctor_warn(doctor, "run the doctor as root", "cannot try to connect as user %s",
		    reach->owner->pw_name);
	else if (status == EACCES || status == EPERM)
		doctor_bad(doctor,
		    "set socket_group to a group of Postfix's user, and let it pass "
		    "through the folders above",
		    "user %s may not connect to %s %s", reach->owner->pw_name, reach->path, where);
	else
		doctor_bad(doctor, "is the gateway running, and socket the same as at the attach?",
		    "user %s cannot connect to %s %s: %s", reach->owner->pw_name, reach->path,
		    where, strerror(status));
}

static void try_one(struct doctor *doctor, const struct reach *reach)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		child(reach);
	if (pid > 0) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
	}
	report(doctor, reach, pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : CHILD_FAILED);
}

static bool asks_milters(const struct postconf_service *service)
{
	return plan_runs(service, "smtpd") || plan_runs(service, "cleanup");
}

static bool asks_policies(const struct postconf_service *service)
{
	return plan_runs(service, "smtp");
}

/* Does any program of a kind run with this chroot setting? */
static bool anyone(const struct doctor *doctor,
    bool (*is)(const struct postconf_service *service), bool jailed)
{
	for (size_t i = 0; i < doctor->postfix.service_count; i++) {
		const struct postconf_service *service = &doctor->postfix.services[i];

		if (is(service) && postconf_chrooted(&doctor->postfix, service) == jailed)
			return true;
	}
	return false;
}

static void check_milter(struct doctor *doctor, struct reach *reach)
{
	if (strncmp(doctor->milter, "unix:", 5) != 0) {
		doctor_ok(doctor, "%s needs no rights", doctor->milter);
		return;
	}
	reach->path = doctor->milter + 5;
	for (int jailed = 0; jailed <= 1; jailed++) {
		reach->jailed = jailed == 1;
		if (anyone(doctor, asks_milters, reach->jailed))
			try_one(doctor, reach);
	}
}

/* Our own clients ask from outside any chroot; jailed ones of others through proxymap(8). */
static void check_policy(struct doctor *doctor, struct reach *reach)
{
	const struct postconf_service *proxy = postconf_service(&doctor->postfix, "proxymap/unix");

	if (strncmp(doctor->conf->tls.socket, "local:", 6) != 0)
		return;
	reach->path = doctor->conf->tls.socket + 6;
	reach->jailed = false;
	try_one(doctor, reach);
	if (!anyone(doctor, asks_policies, true))
		return;
	if (proxy == NULL || postconf_chrooted(&doctor->postfix, proxy))
		doctor_bad(doctor, "let proxymap run outside the chroot in master.cf",
		    "chrooted SMTP clients ask through proxymap, which cannot reach %s",
		    reach->path);
	else
		doctor_ok(doctor, "chrooted SMTP clients ask through proxymap");
}

void check_reach(struct doctor *doctor)
{
	const char *name = postconf_get(&doctor->postfix, "mail_owner");
	struct reach reach = {
		.owner = getpwnam(name),
		.queue = postconf_get(&doctor->postfix, "queue_directory"),
	};

	if (reach.owner == NULL) {
		doctor_bad(doctor, "mend mail_owner in main.cf", "there is no user %s", name);
		return;
	}
	check_milter(doctor, &reach);
	check_policy(doctor, &reach);
}
