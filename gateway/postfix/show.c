#include "gateway/postfix/show.h"

#include <string.h>

#include "gateway/base/str.h"

static enum fail_code text_side(struct buf *out, char sign, const struct plan_change *change,
    const char *value)
{
	const char *gap = value == NULL || value[0] == '\0' ? "" : " ";

	if (value == NULL)
		return SG_OK;
	if (change->name == NULL)
		return buf_printf(out, "  %c %s\n", sign, value);
	if (change->service == NULL)
		return buf_printf(out, "  %c %s =%s%s\n", sign, change->name, gap, value);
	return buf_printf(out, "  %c     %s =%s%s\n", sign, change->name, gap, value);
}

static bool same_service(const struct plan_change *a, const struct plan_change *b)
{
	return a != NULL && a->service != NULL && strcmp(a->service, b->service) == 0;
}

static enum fail_code text_file(const struct plan *plan, bool master, struct buf *out)
{
	const struct plan_change *last = NULL;
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < plan->count; i++) {
		const struct plan_change *change = &plan->changes[i];

		if ((change->service != NULL) != master)
			continue;
		if (last == NULL)
			code = buf_printf(out, "%s\n", master ? "master.cf" : "main.cf");
		if (code == SG_OK && master && change->name != NULL && !same_service(last, change))
			code = buf_printf(out, "    %s\n", change->service);
		if (code == SG_OK)
			code = text_side(out, '-', change, change->old);
		if (code == SG_OK)
			code = text_side(out, '+', change, change->new);
		last = change;
	}
	return code;
}

enum fail_code show_text(const struct plan *plan, struct buf *out)
{
	enum fail_code code = text_file(plan, false, out);

	return code == SG_OK ? text_file(plan, true, out) : code;
}

static enum fail_code json_pair(struct buf *out, const char *name, const char *value)
{
	enum fail_code code = buf_printf(out, ", \"%s\": ", name);

	if (code != SG_OK)
		return code;
	return value == NULL ? buf_append_str(out, "null") : str_json(out, value);
}

static enum fail_code json_change(struct buf *out, const struct plan_change *change)
{
	enum fail_code code = buf_printf(out, "{\"file\": \"%s\"",
	    change->service == NULL ? "main.cf" : "master.cf");

	if (code == SG_OK)
		code = json_pair(out, "service", change->service);
	if (code == SG_OK)
		code = json_pair(out, "parameter", change->name);
	if (code == SG_OK)
		code = json_pair(out, "old", change->old);
	if (code == SG_OK)
		code = json_pair(out, "new", change->new);
	return code == SG_OK ? buf_append_str(out, "}") : code;
}

enum fail_code show_json(const struct plan *plan, struct buf *out)
{
	enum fail_code code = buf_append_str(out, "[");

	for (size_t i = 0; code == SG_OK && i < plan->count; i++) {
		if (i > 0)
			code = buf_append_str(out, ", ");
		if (code == SG_OK)
			code = json_change(out, &plan->changes[i]);
	}
	return code == SG_OK ? buf_append_str(out, "]") : code;
}
