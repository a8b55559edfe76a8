#include "gateway/postfix/apply.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/postfix/run.h"

/* What one call of postconf is for. */
struct kind {
	const char *option;
	bool service; /* changes of master.cf */
	bool whole; /* of whole services */
	bool remove;
};

static const struct kind kinds[] = {
	{ "-MX", true, true, true }, /* first, so that a service comes again without old options */
	{ "-Me", true, true, false },
	{ "-PX", true, false, true },
	{ "-Pe", true, false, false },
	{ "-X", false, false, true },
	{ "-e", false, false, false },
};

static enum fail_code no_memory(struct fail *f)
{
	return fail_set(f, SG_ENOMEM, NULL, "no memory");
}

/* postconf's -Pe takes no white space; -Me does, in braces. */
static bool is_spaced(const struct plan_change *change)
{
	return change->service != NULL && change->name != NULL &&
	    change->new != NULL &&strpbrk(change->new, " \t") != NULL;
}

static bool is_kind(const struct plan_change *change, const struct kind *kind)
{
	return (change->service != NULL) == kind->service &&
	    (change->name == NULL) == kind->whole && (change->new == NULL) == kind->remove &&
	    !is_spaced(change);
}

/* "smtp/inet/smtpd_milters=value", "seal/unix=line", "name"; NULL = no memory. */
static char *argument(const struct plan_change *change)
{
	const char *service = change->service == NULL ? "" : change->service;
	const char *name = change->name == NULL ? "" : change->name;
	const char *slash = change->service != NULL && change->name != NULL ? "/" : "";

	if (change->new == NULL)
		return str_printf("%s%s%s", service, slash, name);
	return str_printf("%s%s%s=%s", service, slash, name, change->new);
}

static enum fail_code run_postconf(const char *folder, const char *option,
    const struct str_list *arguments, struct fail *f)
{
	const char **argv = calloc(arguments->count + 5, sizeof(*argv));
	enum fail_code code;

	if (argv == NULL)
		return no_memory(f);
	argv[0] = "postconf";
	argv[1] = "-c";
	argv[2] = folder;
	argv[3] = option;
	for (size_t i = 0; i < arguments->count; i++)
		argv[4 + i] = arguments->items[i];
	code = run_read(argv, NULL, f);
	free(argv);
	return code;
}

static enum fail_code apply_kind(const char *folder, const struct plan *plan,
    const struct kind *kind, struct fail *f)
{
	struct str_list arguments = { NULL, 0 };
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < plan->count; i++) {
		char *text;

		if (!is_kind(&plan->changes[i], kind))
			continue;
		text = argument(&plan->changes[i]);
		code = text == NULL ? SG_ENOMEM : str_list_add(&arguments, text);
		free(text);
	}
	if (code != SG_OK)
		code = no_memory(f);
	else if (arguments.count > 0)
		code = run_postconf(folder, kind->option, &arguments, f);
	str_list_free(&arguments);
	return code;
}

/* The entry of a service as postconf prints it, one line. */
static enum fail_code read_entry(const char *folder, const char *service, struct buf *out,
    struct fail *f)
{
	const char *argv[] = { "postconf", "-c", folder, "-M", service, NULL };
	enum fail_code code = run_read(argv, out, f);

	if (code == SG_OK) {
		out->size = str_trim_end((const char *)out->data, out->size);
		code = buf_str(out) == NULL ? no_memory(f) : SG_OK;
	}
	return code;
}

static enum fail_code apply_spaced(const char *folder, const struct plan_change *change,
    struct fail *f)
{
	char *old = str_printf("%s/%s", change->service, change->name);
	char *entry = NULL;
	const char *remove[] = { "postconf", "-c", folder, "-PX", old, NULL };
	const char *edit[] = { "postconf", "-c", folder, "-Me", NULL, NULL };
	struct buf line;
	enum fail_code code;

	buf_init(&line, RUN_OUTPUT_MAX);
	code = old == NULL ? no_memory(f) : SG_OK;
	if (code == SG_OK)
		code = run_read(remove, NULL, f);
	if (code == SG_OK)
		code = read_entry(folder, change->service, &line, f);
	if (code == SG_OK) {
		entry = str_printf("%s=%s -o {%s=%s}", change->service, buf_str(&line),
		    change->name, change->new);
		edit[4] = entry;
		code = entry == NULL ? no_memory(f) : run_read(edit, NULL, f);
	}
	buf_free(&line);
	free(old);
	free(entry);
	return code;
}

enum fail_code apply_plan(const char *folder, const struct plan *plan, struct fail *f)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		code = apply_kind(folder, plan, &kinds[i], f);
	for (size_t i = 0; code == SG_OK && i < plan->count; i++) {
		if (is_spaced(&plan->changes[i]))
			code = apply_spaced(folder, &plan->changes[i], f);
	}
	return code;
}
