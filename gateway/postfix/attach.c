#include "gateway/postfix/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "gateway/postfix/apply.h"
#include "gateway/postfix/run.h"
#include "gateway/postfix/tables.h"

#define LOCK_TRIES 150 /* of LOCK_PAUSE_MS; status and the doctor need a second or two */
#define LOCK_PAUSE_MS 100

static enum fail_code no_memory(struct fail *f)
{
	return fail_set(f, SG_ENOMEM, NULL, "no memory");
}

static enum fail_code read_text(const char *path, char **text_out, struct fail *f)
{
	struct buf data;
	enum fail_code code;

	*text_out = NULL;
	buf_init(&data, STATE_TEXT_MAX);
	code = fd_read_file(path, &data, f);
	if (code == SG_OK && data.size > 0 && memchr(data.data, '\0', data.size) != NULL)
		code = fail_set(f, SG_EFORMAT, NULL, "%s holds a NUL", path);
	if (code == SG_OK) {
		*text_out = data.size > 0 ? str_dup_n((const char *)data.data, data.size) :
		                            str_dup("");
		code = *text_out == NULL ? no_memory(f) : SG_OK;
	}
	buf_free(&data);
	return code;
}

static bool same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* --- a folder with copies --- */

struct copies {
	char folder[32];
	char *main;
	char *master;
};

static enum fail_code copies_open(struct copies *copies, struct fail *f)
{
	static const char template[] = "/tmp/sealgate-XXXXXX";

	memset(copies, 0, sizeof(*copies));
	memcpy(copies->folder, template, sizeof(template));
	if (mkdtemp(copies->folder) == NULL) {
		copies->folder[0] = '\0';
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot make a folder in /tmp");
	}
	copies->main = str_printf("%s/main.cf", copies->folder);
	copies->master = str_printf("%s/master.cf", copies->folder);
	return copies->main == NULL || copies->master == NULL ? no_memory(f) : SG_OK;
}

static void copies_close(struct copies *copies)
{
	if (copies->main != NULL)
		(void)unlink(copies->main);
	if (copies->master != NULL)
		(void)unlink(copies->master);
	if (copies->folder[0] != '\0')
		(void)rmdir(copies->folder);
	free(copies->main);
	free(copies->master);
}

/* postconf would append to a last line that has no end, even to a comment. */
static enum fail_code write_copy(const char *path, const char *text, struct fail *f)
{
	size_t size = strlen(text);
	char *whole = str_printf("%s%s", text, size > 0 && text[size - 1] != '\n' ? "\n" : "");
	enum fail_code code = whole == NULL ? no_memory(f) :
	                                      fd_replace_file(path, whole, strlen(whole), 0600, f);

	free(whole);
	return code;
}

static enum fail_code copies_write(
    const struct copies *copies, const char *main, const char *master, struct fail *f)
{
	enum fail_code code = write_copy(copies->main, main, f);

	return code == SG_OK ? write_copy(copies->master, master, f) : code;
}

static enum fail_code copies_read(
    const struct copies *copies, char **main_out, char **master_out, struct fail *f)
{
	enum fail_code code = read_text(copies->main, main_out, f);

	return code == SG_OK ? read_text(copies->master, master_out, f) : code;
}

/*
 * Postfix's programs wait up to two seconds for a main.cf that was written this very moment, since
 * it may be half written. Ours is whole.
 */
static enum fail_code copies_load(const struct copies *copies, struct postconf *out, struct fail *f)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };

	if (utimensat(AT_FDCWD, copies->main, times, 0) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot set the time of %s", copies->main);
	return postconf_load(copies->folder, false, out, f);
}

/* --- reading what is there --- */

static enum fail_code file_open(
    const char *folder, const char *name, struct attach_file *file, struct fail *f)
{
	char *path = str_printf("%s/%s", folder, name);

	if (path == NULL)
		return no_memory(f);
	/* replacing a symbolic link would cut the file behind it off */
	file->path = realpath(path, NULL);
	free(path);
	if (file->path == NULL)
		return fail_errno(f, SG_ENOTFOUND, "name Postfix's folder with --config-directory",
		    "no %s in %s", name, folder);
	return read_text(file->path, &file->now, f);
}

/* Another command is soon done there, a container's health check for one. */
static bool lock_waiting(int folder)
{
	for (unsigned int i = 0; flock(folder, LOCK_EX | LOCK_NB) != 0; i++) {
		if (errno != EWOULDBLOCK || i == LOCK_TRIES)
			return false;
		(void)poll(NULL, 0, LOCK_PAUSE_MS);
	}
	return true;
}

static enum fail_code lock(struct attach *attach, struct fail *f)
{
	attach->lock = open(attach->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (attach->lock < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot open %s", attach->folder);
	if (!lock_waiting(attach->lock))
		return fail_errno(f, SG_EPEER, "perhaps it asks somebody: end it, try again",
		    "another attach or detach works in %s", attach->folder);
	return SG_OK;
}

static enum fail_code open_record(struct attach *attach, struct fail *f)
{
	enum fail_code code = state_load(attach->tables, &attach->state, f);

	attach->has_state = code == SG_OK;
	if (code != SG_ENOTFOUND)
		return code;
	fail_clear(f);
	return SG_OK;
}

static enum fail_code open_all(struct attach *attach, const char *folder, struct fail *f)
{
	enum fail_code code;

	attach->folder = realpath(folder, NULL);
	if (attach->folder == NULL)
		return fail_errno(f, SG_ENOTFOUND, "name Postfix's folder with --config-directory",
		    "cannot find %s", folder);
	attach->tables = str_printf("%s/%s", attach->folder, ATTACH_FOLDER);
	if (attach->tables == NULL)
		return no_memory(f);
	code = lock(attach, f);
	if (code == SG_OK)
		code = file_open(attach->folder, "main.cf", &attach->main, f);
	if (code == SG_OK)
		code = file_open(attach->folder, "master.cf", &attach->master, f);
	return code == SG_OK ? open_record(attach, f) : code;
}

/* --- taking out what an earlier attach has put in --- */

/* Has nobody but us written this file? Then what was there before us is known to the byte. */
static bool untouched(const struct attach_file *file, const struct state_file *known)
{
	return same(file->now, known->after) || same(file->now, known->before) ||
	       same(file->now, known->original);
}

static enum fail_code revert(const struct attach *attach, const struct copies *copies, bool in_main,
    bool in_master, struct fail *f)
{
	struct plan back = { NULL, 0 };
	struct postconf now;
	enum fail_code code = copies_load(copies, &now, f);

	if (code != SG_OK)
		return code;
	code = plan_revert(&now, &attach->state.plan, in_main, in_master, &back, f);
	if (code == SG_OK)
		code = apply_plan(copies->folder, &back, f);
	plan_free(&back);
	postconf_free(&now);
	return code;
}

/* The copy of a file as it is now, if it was changed there; else the text it was made from. */
static enum fail_code base_text(
    const char *path, bool reverted, const char *text, char **base_out, struct fail *f)
{
	if (reverted)
		return read_text(path, base_out, f);
	*base_out = str_dup(text);
	return *base_out == NULL ? no_memory(f) : SG_OK;
}

static enum fail_code make_base(struct attach *attach, const struct copies *copies, struct fail *f)
{
	const struct state *state = &attach->state;
	bool keep_main = !attach->has_state || !untouched(&attach->main, &state->main);
	bool keep_master = !attach->has_state || !untouched(&attach->master, &state->master);
	const char *main = keep_main ? attach->main.now : state->main.original;
	const char *master = keep_master ? attach->master.now : state->master.original;
	bool merge = attach->has_state && (keep_main || keep_master);
	/* postconf tells of a transport's own parameters only while master.cf has the transport */
	enum fail_code code = copies_write(copies, main, merge ? attach->master.now : master, f);

	if (code == SG_OK && merge)
		code = revert(attach, copies, keep_main, keep_master, f);
	if (code == SG_OK)
		code = base_text(copies->main, merge && keep_main, main, &attach->main.base, f);
	if (code == SG_OK)
		code = base_text(copies->master, merge && keep_master, master,
		    &attach->master.base, f);
	return code == SG_OK && merge ?
	           copies_write(copies, attach->main.base, attach->master.base, f) :
	           code;
}

/* --- putting in --- */

/* What the earlier attach took from the configuration. */
static enum fail_code choose_earlier(struct attach *attach, struct fail *f)
{
	const struct state *state = &attach->state;

	attach->port = state->port;
	attach->fallback_port = state->fallback_port;
	attach->milter = str_dup(state->milter);
	attach->policy = str_dup(state->policy);
	attach->ca_file = str_dup(state->ca_file);
	return attach->milter == NULL || attach->policy == NULL || attach->ca_file == NULL ?
	           no_memory(f) :
	           SG_OK;
}

static enum fail_code choose(
    struct attach *attach, const struct postconf *base, const struct conf *conf, struct fail *f)
{
	enum fail_code code;

	if (conf == NULL)
		return choose_earlier(attach, f);
	attach->port = conf->stage_port;
	attach->fallback_port = conf->tls.fallback_port;
	/* Postfix's client has no TLS at all with a file that it cannot read */
	attach->ca_file = str_dup(access(conf->tls.ca_file, R_OK) == 0 ? conf->tls.ca_file : "");
	if (attach->ca_file == NULL)
		return no_memory(f);
	code = plan_milter(base, conf->socket, &attach->milter, f);
	return code == SG_OK ? plan_policy(conf->tls.socket, &attach->policy, f) : code;
}

/*
 * Names in main.cf's values may refer to its own folder, so that not the copies are looked at. What
 * is ours does not touch the parameters that choose a transport.
 */
static enum fail_code list_choices(struct attach *attach, struct fail *f)
{
	struct postconf now;
	enum fail_code code;

	if (attach->policy[0] == '\0')
		return SG_OK;
	code = postconf_load(attach->folder, true, &now, f);
	if (code != SG_OK)
		return code;
	code = routing_read(&now, attach->folder, &attach->routing, f);
	postconf_free(&now);
	return code;
}

static enum fail_code put_in(struct attach *attach, const struct copies *copies,
    const struct postconf *base, const struct conf *conf, struct fail *f)
{
	struct plan_wish wish = { .folder = attach->tables, .front = attach->goal == ATTACH_FULL };
	enum fail_code code = choose(attach, base, conf, f);

	if (code == SG_OK)
		code = list_choices(attach, f);
	wish.milter = attach->milter;
	wish.port = attach->port;
	wish.fallback_port = attach->fallback_port;
	wish.policy = attach->policy;
	wish.ca_file = attach->ca_file;
	wish.routing = &attach->routing;
	if (code == SG_OK)
		code = plan_make(base, &wish, &attach->plan, f);
	if (code == SG_OK)
		code = apply_plan(copies->folder, &attach->plan, f);
	return code == SG_OK ? copies_read(copies, &attach->main.after, &attach->master.after, f) :
	                       code;
}

static enum fail_code make_after(struct attach *attach, const struct copies *copies,
    const struct postconf *base, const struct conf *conf, struct fail *f)
{
	if (attach->goal != ATTACH_NONE)
		return put_in(attach, copies, base, conf, f);
	attach->main.after = str_dup(attach->main.base);
	attach->master.after = str_dup(attach->master.base);
	return attach->main.after == NULL || attach->master.after == NULL ? no_memory(f) : SG_OK;
}

/* postconf takes no name of a copy's folder for ours: pictures of both, compared. */
static enum fail_code compare(struct attach *attach, const struct copies *copies, struct fail *f)
{
	struct postconf now;
	struct postconf after;
	enum fail_code code = postconf_load(attach->folder, false, &now, f);

	if (code != SG_OK)
		return code;
	code = copies_load(copies, &after, f);
	if (code == SG_OK) {
		code = plan_diff(&now, &after, &attach->changes, f);
		postconf_free(&after);
	}
	postconf_free(&now);
	return code;
}

/*
 * postconf adds new lines of main.cf in an order that changes from run to run. A file that says
 * what it shall say stays as it is.
 */
static enum fail_code keep_if_same(
    const struct attach *attach, bool master, struct attach_file *file, struct fail *f)
{
	char *now;

	for (size_t i = 0; i < attach->changes.count; i++) {
		if ((attach->changes.changes[i].service != NULL) == master)
			return SG_OK;
	}
	now = str_dup(file->now);
	if (now == NULL)
		return no_memory(f);
	free(file->after);
	file->after = now;
	return SG_OK;
}

/* Without a record nobody knows what was there before: better no change than a wrong one. */
static enum fail_code check_record(
    const struct attach *attach, const struct postconf *base, struct fail *f)
{
	const char *routes = postconf_get(base, "milter_header_checks");

	if (attach->has_state || strstr(routes, attach->tables) == NULL)
		return SG_OK;
	return fail_set(f, SG_EUSAGE, "put main.cf and master.cf back from a backup",
	    "Postfix is attached, but the record of what was there before is missing (%s/state)",
	    attach->tables);
}

static bool is_changed(struct attach *attach)
{
	const struct tables_wish tables = { attach->port, &attach->routing };
	const struct state *state = &attach->state;

	attach->stale = attach->goal != ATTACH_NONE && !tables_current(attach->tables, &tables);
	if (!same(attach->main.now, attach->main.after) ||
	    !same(attach->master.now, attach->master.after))
		return true;
	if (attach->goal == ATTACH_NONE)
		return attach->has_state;
	return !attach->has_state || attach->stale ||
	       state->draining != (attach->goal == ATTACH_DRAIN) ||
	       !same(state->main.after, attach->main.after) ||
	       !same(state->master.after, attach->master.after);
}

enum fail_code attach_prepare(const char *folder, enum attach_goal goal, const struct conf *conf,
    struct attach *out, struct fail *f)
{
	struct postconf base;
	struct copies copies;
	enum fail_code code;

	memset(out, 0, sizeof(*out));
	out->goal = goal;
	out->lock = -1;
	code = copies_open(&copies, f);
	if (code == SG_OK)
		code = open_all(out, folder, f);
	if (code == SG_OK)
		code = make_base(out, &copies, f);
	if (code == SG_OK)
		code = copies_load(&copies, &base, f);
	if (code != SG_OK)
		goto out;
	code = check_record(out, &base, f);
	/* nothing of an earlier attach: there is nothing to leave, either */
	if (goal == ATTACH_DRAIN && !out->has_state)
		out->goal = ATTACH_NONE;
	if (code == SG_OK)
		code = make_after(out, &copies, &base, conf, f);
	if (code == SG_OK)
		code = compare(out, &copies, f);
	if (code == SG_OK && out->goal != ATTACH_NONE)
		code = keep_if_same(out, false, &out->main, f);
	if (code == SG_OK && out->goal != ATTACH_NONE)
		code = keep_if_same(out, true, &out->master, f);
	out->changed = code == SG_OK && is_changed(out);
	postconf_free(&base);
out:
	copies_close(&copies);
	return code;
}

/* --- writing --- */

static enum fail_code check_now(const struct attach_file *file, struct fail *f)
{
	char *now;
	enum fail_code code = read_text(file->path, &now, f);

	if (code == SG_OK && !same(now, file->now))
		code = fail_set(f, SG_EPEER, "try again", "%s was changed meanwhile", file->path);
	free(now);
	return code;
}

static enum fail_code replace(const struct attach_file *file, struct fail *f)
{
	struct stat st;

	if (same(file->now, file->after))
		return SG_OK;
	if (stat(file->path, &st) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot look at %s", file->path);
	return fd_replace_file(file->path, file->after, strlen(file->after), st.st_mode & 07777, f);
}

/* The record borrows all its texts from attach. */
static enum fail_code save_record(const struct attach *attach, struct fail *f)
{
	const struct attach_file *main = &attach->main;
	const struct attach_file *master = &attach->master;
	struct state state = {
		.draining = attach->goal == ATTACH_DRAIN,
		.port = attach->port,
		.milter = attach->milter,
		.fallback_port = attach->fallback_port,
		.policy = attach->policy,
		.ca_file = attach->ca_file,
		.main = { main->base, main->now, main->after },
		.master = { master->base, master->now, master->after },
		.plan = attach->plan,
	};

	return state_save(attach->tables, &state, f);
}

enum fail_code attach_commit(const struct attach *attach, struct fail *f)
{
	const struct tables_wish tables = { attach->port, &attach->routing };
	enum fail_code code = check_now(&attach->main, f);

	if (code == SG_OK)
		code = check_now(&attach->master, f);
	if (code == SG_OK && attach->goal != ATTACH_NONE)
		code = tables_write(attach->tables, &tables, f);
	if (code == SG_OK && attach->goal != ATTACH_NONE)
		code = save_record(attach, f);
	if (code == SG_OK)
		code = replace(&attach->master, f);
	return code == SG_OK ? replace(&attach->main, f) : code;
}

void attach_forget(const struct attach *attach)
{
	tables_remove(attach->tables);
}

static void file_free(struct attach_file *file)
{
	free(file->path);
	free(file->now);
	free(file->base);
	free(file->after);
}

void attach_free(struct attach *attach)
{
	fd_close(&attach->lock);
	free(attach->folder);
	free(attach->tables);
	free(attach->milter);
	free(attach->policy);
	free(attach->ca_file);
	routing_free(&attach->routing);
	file_free(&attach->main);
	file_free(&attach->master);
	state_free(&attach->state);
	plan_free(&attach->plan);
	plan_free(&attach->changes);
	memset(attach, 0, sizeof(*attach));
	attach->lock = -1;
}

static enum fail_code ignore(void *context, const char *data, size_t size, struct fail *f)
{
	(void)context;
	(void)data;
	(void)size;
	(void)f;
	return SG_OK;
}

enum fail_code attach_running(const char *folder, bool *running_out, struct fail *f)
{
	const char *argv[] = { "postfix", "-c", folder, "status", NULL };
	struct run_end end;
	enum fail_code code = run_stream(argv, ignore, NULL, &end, f);

	*running_out = code == SG_OK && end.status == 0;
	return code;
}

enum fail_code attach_reload(const char *folder, struct fail *f)
{
	const char *argv[] = { "postfix", "-c", folder, "reload", NULL };

	return run_read(argv, NULL, f);
}

void attach_unlock(struct attach *attach)
{
	fd_close(&attach->lock);
}
