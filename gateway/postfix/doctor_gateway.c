#include "gateway/postfix/doctor_checks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/proc.h"
#include "gateway/base/sandbox.h"
#include "gateway/base/str.h"
#include "gateway/vault/vault.h"
#include "milter/scan/scan.h"

#define RUN_HINT "start it: \"sealgate run\", or systemctl start sealgate; then look into its log"
#define CREDENTIALS "/run/credentials/" /* whoever else may be there is systemd's business */
#define ANSWER_MS 10000 /* of a worker that has nothing else to do: milliseconds */
#define DAY_MS INT64_C(86400000)
#define CANARY_OLD_S 3600 /* the timer sends one every five minutes */
#define CANARY_HINT "run \"sealgate canary\"; every few minutes: systemctl enable --now " \
	"sealgate-canary.timer"

/* --- this machine --- */

void check_sandbox(struct doctor *doctor)
{
	int abi = sandbox_landlock_abi();
	bool reduced = doctor->conf->sandbox == CONF_SANDBOX_REDUCED;

	if (abi > 0 && !reduced)
		doctor_ok(doctor, "Landlock version %d", abi);
	else if (abi > 0)
		doctor_warn(doctor, "write sandbox = full: this kernel has Landlock",
		    "the workers run in a reduced sandbox");
	else if (reduced)
		doctor_warn(doctor, "use a kernel with Landlock (lsm=landlock,... at boot)",
		    "no Landlock in this kernel: only their rights guard the workers' files");
	else
		doctor_bad(doctor,
		    "boot with Landlock (lsm=landlock,...), in a container let its seccomp profile "
		    "pass landlock_*, or write sandbox = reduced",
		    "no Landlock in this kernel: the workers refuse to start");
}

/* --- rights of files --- */

/* Who is allowed to own what only the vault may read. */
static bool owner_is_vault(const struct doctor *doctor, uid_t owner)
{
	struct fail f;
	uid_t uid;
	gid_t gid;

	if (owner == 0 || owner == geteuid())
		return true;
	fail_clear(&f);
	return proc_user(doctor->conf->users.vault, &uid, &gid, &f) == SG_OK && owner == uid;
}

static void check_private(struct doctor *doctor, const char *path, const char *missing)
{
	struct stat st;

	if (stat(path, &st) != 0 && errno == ENOENT)
		doctor_warn(doctor, missing, "%s does not exist", path);
	else if (stat(path, &st) != 0)
		doctor_warn(doctor, "run the doctor as root", "cannot look at %s", path);
	else if (strncmp(path, CREDENTIALS, strlen(CREDENTIALS)) == 0)
		doctor_ok(doctor, "%s is handed over by systemd", path);
	else if ((st.st_mode & 077) != 0)
		doctor_bad(doctor, "take the rights of group and others away: chmod go=",
		    "%s has rights %04o: others than the vault can read it", path,
		    (unsigned int)(st.st_mode & 07777));
	else if (!owner_is_vault(doctor, st.st_uid))
		doctor_bad(doctor, "give it to users.vault: chown", "%s belongs to user %u", path,
		    (unsigned int)st.st_uid);
	else
		doctor_ok(doctor, "%s is for the vault alone", path);
}

void check_state(struct doctor *doctor)
{
	check_private(doctor, doctor->conf->state_directory,
	    "start the gateway: it makes that folder");
}

void check_master_key(struct doctor *doctor)
{
	check_private(doctor, doctor->conf->master_key_file,
	    "start the gateway: it makes the key; then keep a copy apart from the database's");
}

/* --- signatures --- */

static bool is_signature_file(const char *name)
{
	static const char *const ends[] = { ".cvd", ".cld", ".cud", ".hdb", ".hsb", ".mdb", ".msb",
		".ndb", ".ldb", ".cdb", ".fp", ".yar", ".yara" };
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (str_equal_case(dot, ends[i]))
			return true;
	}
	return false;
}

/*
 * Of when the signatures in folder are, as the scanner sees it: the time of ClamAV's daily file, or
 * else of the newest one; seconds since 1970. 0: there is none. -1: cannot look.
 */
static int64_t newest_signatures(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	int64_t newest = 0;
	int64_t daily = 0;
	struct stat st;

	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL) {
		int64_t *time = strncasecmp(entry->d_name, "daily.", 6) == 0 ? &daily : &newest;

		if (is_signature_file(entry->d_name) &&
		    fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && st.st_mtime > *time)
			*time = st.st_mtime;
	}
	(void)closedir(dir);
	return daily != 0 ? daily : newest;
}

void check_signatures(struct doctor *doctor)
{
	const char *folder = doctor->conf->scan.database_directory;
	int64_t newest = newest_signatures(folder);
	int64_t age_ms = clock_wall_ms(doctor->clock) - newest * 1000;

	if (doctor->conf->scan.engine == CONF_ENGINE_CLAMD) {
		doctor_ok(doctor, "clamd has its own: see the check scanner");
		return;
	}
	if (newest < 0)
		doctor_bad(doctor, "name the right folder in scan.database_directory",
		    "cannot read the folder %s", folder);
	else if (newest == 0)
		doctor_bad(doctor, "install clamav-freshclam, or run freshclam",
		    "no signature database in %s", folder);
	else if (age_ms > doctor->conf->scan.database_age_max_ms)
		doctor_warn(doctor, "see why freshclam does not update (its log, the network)",
		    "the newest signatures in %s are %lld days old", folder,
		    (long long)(age_ms / DAY_MS));
	else
		doctor_ok(doctor, "signatures in %s are %lld days old", folder,
		    (long long)(age_ms > 0 ? age_ms / DAY_MS : 0));
}

/* --- who answers --- */

static enum fail_code connect_local(const char *path, int *fd_out, struct fail *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return fail_set(f, SG_ELIMIT, "choose a shorter path",
		    "%s is too long for a socket", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	*fd_out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd_out < 0 ||
	    connect(*fd_out, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return fail_errno(f, SG_EPEER, RUN_HINT, "cannot connect to %s", path);
	return SG_OK;
}

/* "port@host" */
static enum fail_code connect_inet(const char *where, int *fd_out, struct fail *f)
{
	const char *at = strchr(where, '@');
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char *port = at == NULL ? NULL : str_dup_n(where, (size_t)(at - where));
	enum fail_code code = SG_EPEER;

	if (port != NULL && getaddrinfo(at + 1, port, &hints, &found) == 0) {
		*fd_out = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (*fd_out >= 0 && connect(*fd_out, found->ai_addr, found->ai_addrlen) == 0)
			code = SG_OK;
	}
	if (code != SG_OK)
		code = fail_set(f, SG_EPEER, RUN_HINT, "cannot connect to %s", where);
	if (found != NULL)
		freeaddrinfo(found);
	free(port);
	return code;
}

enum fail_code doctor_connect(const char *where, int *fd_out, struct fail *f)
{
	enum fail_code code;

	*fd_out = -1;
	if (strncmp(where, "local:", 6) == 0)
		code = connect_local(where + 6, fd_out, f);
	else
		code = connect_inet(where + strcspn(where, ":") + 1, fd_out, f);
	if (code != SG_OK)
		fd_close(fd_out);
	return code;
}

void check_filter(struct doctor *doctor)
{
	const char *where = doctor->conf->socket;
	struct fail f;
	int fd;

	fail_clear(&f);
	if (doctor_connect(where, &fd, &f) != SG_OK)
		doctor_failure(doctor, DOCTOR_FAIL, &f);
	else if (strncmp(where, "local:", 6) != 0)
		doctor_warn(doctor, "use a unix socket: socket = \"local:/path\"",
		    "the filter listens on %s; a network socket costs 50 ms a message", where);
	else
		doctor_ok(doctor, "the filter listens on %s", where);
	fd_close(&fd);
}

/* Longer than any database takes to load: a renewal that failed, or found no memory. */
#define RENEWAL_MAX_S 600

/* It says how old its daily signatures are, if it has them. */
static void describe_clamd(struct doctor *doctor, const struct scan_status *status)
{
	int64_t age_ms = clock_wall_ms(doctor->clock) - status->database_time * 1000;

	doctor_ok(doctor, "the scanner works: %s", status->version);
	if (status->database_time == 0)
		doctor_warn(doctor, "see freshclam's log on its host",
		    "clamd does not say how old its signatures are");
	else if (age_ms > doctor->conf->scan.database_age_max_ms)
		doctor_warn(doctor, "see why freshclam does not update (its log, the network)",
		    "the daily signatures of clamd are %lld days old",
		    (long long)(age_ms / DAY_MS));
}

static void describe_scanner(struct doctor *doctor, const struct scan_status *status)
{
	int64_t waiting_s = clock_wall_ms(doctor->clock) / 1000 - status->outdated_since;

	if (status->asks_clamd)
		describe_clamd(doctor, status);
	else
		doctor_ok(doctor, "the scanner works: %s, %llu signatures", status->version,
		    (unsigned long long)status->signatures);
	if (status->outdated_since == 0)
		return;
	if (waiting_s < RENEWAL_MAX_S)
		doctor_ok(doctor, "newer signatures are on their way into the scanner");
	else
		doctor_warn(doctor, "see the lines old_signatures_stay and renewal in the log",
		    "newer signatures wait for %lld minutes to be loaded; the scanner works with "
		    "the old ones", (long long)(waiting_s / 60));
}

void check_scanner(struct doctor *doctor)
{
	char *path = conf_run_path(doctor->conf, CONF_SOCKET_SCAN);
	struct scan_status status;
	struct fail f;

	fail_clear(&f);
	if (path == NULL)
		doctor->incomplete = true;
	else if (scan_status(path, &status, &f) != SG_OK)
		doctor_bad(doctor, f.hint[0] != '\0' ? f.hint : RUN_HINT, "the scanner: %s",
		    f.what);
	else if (!status.in_service)
		doctor_bad(doctor,
		    "see the scanner's lines out_of_service in the log: temporary directory, "
		    "database, clamd",
		    "the scanner did not find its test virus and takes no mail");
	else
		describe_scanner(doctor, &status);
	free(path);
}

/* The workers' listening sockets are of another kind than connect_local's: only looked at. */
void check_pdf(struct doctor *doctor)
{
	char *path = conf_run_path(doctor->conf, CONF_SOCKET_PDF);
	struct stat st;

	if (path == NULL)
		doctor->incomplete = true;
	else if (stat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
		doctor_bad(doctor, RUN_HINT, "the PDF workers' socket %s is not there", path);
	else
		doctor_ok(doctor, "the PDF workers' socket is there");
	free(path);
}

static enum fail_code ask_vault(const struct doctor *doctor, struct vault_status *status_out,
    struct fail *f)
{
	char *path = conf_run_path(doctor->conf, CONF_SOCKET_ADMIN);
	struct vault vault = { path, ANSWER_MS };
	enum fail_code code;

	fail_clear(f);
	code = path == NULL ? fail_set(f, SG_ENOMEM, NULL, "no memory") :
	                      vault_status(&vault, status_out, f);
	free(path);
	return code;
}

void check_vault(struct doctor *doctor)
{
	struct vault_status status;
	struct fail f;

	if (ask_vault(doctor, &status, &f) != SG_OK)
		doctor_bad(doctor, f.hint[0] != '\0' ? f.hint : RUN_HINT, "the vault: %s", f.what);
	else
		doctor_ok(doctor,
		    "the vault works: %llu certificates, %llu passwords, %llu records",
		    (unsigned long long)status.certificates, (unsigned long long)status.passwords,
		    (unsigned long long)status.records);
}

/* A vault that does not answer is told of once, by check_vault. */
void check_ending(struct doctor *doctor)
{
	struct vault_status status;
	struct fail f;

	if (ask_vault(doctor, &status, &f) != SG_OK)
		return;
	if (status.ending > 0)
		doctor_warn(doctor, "ask the recipients for new ones: \"sealgate cert list\" has "
		    "the dates", "the certificates of %llu addresses end within %d days",
		    (unsigned long long)status.ending, VAULT_ENDING_DAYS);
	else
		doctor_ok(doctor, "no certificate that is used ends within %d days",
		    VAULT_ENDING_DAYS);
}

/* --- the canary --- */

static void tell_canary(struct doctor *doctor, const struct vault_status *status)
{
	int64_t age_s = clock_wall_ms(doctor->clock) / 1000 - status->canary_s;

	if (status->canary_last == VAULT_NONE_FLEW)
		doctor_warn(doctor, CANARY_HINT, "no canary flew since the gateway was started");
	else if (status->canary_last == VAULT_FLEW_CLEAR)
		doctor_bad(doctor, "stop Postfix until the other findings are mended, then "
		    "\"sealgate canary\"", "the last canary came back WITHOUT PROTECTION");
	else if (status->canary_last != VAULT_FLEW_SEALED)
		doctor_bad(doctor, "\"postqueue -p\" says where it waits; docs/health.md has the "
		    "settings", "the last canary did not come back in time");
	else if (age_s > CANARY_OLD_S)
		doctor_warn(doctor, CANARY_HINT, "the last canary came back sealed %lld hours ago",
		    (long long)(age_s / 3600));
	else
		doctor_ok(doctor, "the last canary came back sealed %lld minutes ago",
		    (long long)(age_s / 60));
}

void check_canary(struct doctor *doctor)
{
	struct vault_status status;
	struct fail f;

	if (doctor->conf->canary.from[0] == '\0')
		doctor_ok(doctor, "none is set up; docs/health.md has the few settings");
	else if (ask_vault(doctor, &status, &f) == SG_OK)
		tell_canary(doctor, &status);
}
