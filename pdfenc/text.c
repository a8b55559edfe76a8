#include "pdfenc/text.h"

#include <string.h>

#include "gateway/base/str.h"

/* Lines of one quote depth that stand together. */
struct group {
	struct flow *flow;
	GString *text;
	unsigned int quote;
	bool open;		/* the last line was flowed: the next one goes on */
	bool columns;
	bool after_gap;		/* an empty line came before */
};

static void group_end(struct group *group)
{
	struct flow_block pattern;

	memset(&pattern, 0, sizeof(pattern));
	pattern.kind = group->columns ? FLOW_FIXED : FLOW_PARAGRAPH;
	pattern.quote = group->quote < FLOW_DEPTH_MAX ? group->quote : FLOW_DEPTH_MAX;
	pattern.joined = !group->after_gap;
	if (group->text->len > 0) {
		flow_add_text(group->flow, &pattern, group->text->str, group->text->len);
		group->after_gap = false;
	}
	g_string_truncate(group->text, 0);
	group->columns = false;
	group->open = false;
}

/*
 * Takes the ">" off. Plain text puts spaces between them, flowed text one behind them. ">From" is
 * what mail stores make of "From" at a line's start, no quote.
 */
static size_t quote_depth(const char *line, size_t size, bool flowed, unsigned int *depth_out)
{
	size_t at = 0;

	*depth_out = 0;
	if (size >= 6 && strncmp(line, ">From ", 6) == 0)
		return 0;
	while (at < size) {
		if (line[at] == '>') {
			(*depth_out)++;
			at++;
		} else if (!flowed && *depth_out > 0 && line[at] == ' ' && at + 1 < size &&
		    line[at + 1] == '>') {
			at++;
		} else {
			break;
		}
	}
	if (at < size && line[at] == ' ' && (flowed || *depth_out > 0))
		at++;	/* quote's space, or RFC 3676 space-stuffing */
	return at;
}

/* Spaces inside that only make sense in columns. */
static bool has_columns(const char *line, size_t size)
{
	size_t at = 0;
	size_t run = 0;

	while (at < size && line[at] == ' ')
		at++;
	for (; at < size; at++) {
		run = line[at] == ' ' ? run + 1 : 0;
		if (run >= 3 || line[at] == '\t')
			return str_trim_end(line, size) > at;
	}
	return size >= 3 && (memmem(line, size, "+--", 3) != NULL ||
	    memmem(line, size, "|", 1) != NULL);
}

static bool is_signature_mark(const char *line, size_t size)
{
	return size == 3 && strncmp(line, "-- ", 3) == 0;
}

static void add_line(struct group *group, const char *line, size_t size, bool soft, bool delsp)
{
	if (group->text->len > 0 && !group->open)
		g_string_append_c(group->text, '\n');
	group->columns = group->columns || (!soft && !group->open && has_columns(line, size));
	if (soft && delsp)
		size--;
	g_string_append_len(group->text, line, (gssize)size);
	group->open = soft;
}

static void take_line(struct group *group, const char *line, size_t size, bool flowed, bool delsp)
{
	unsigned int depth;
	size_t skip = quote_depth(line, size, flowed, &depth);
	bool soft;

	line += skip;
	size -= skip;
	soft = flowed && size > 0 && line[size - 1] == ' ' && !is_signature_mark(line, size);
	if (!soft)
		size = str_trim_end(line, size);
	if (depth != group->quote)
		group_end(group);
	group->quote = depth;
	if (size == 0) {
		group_end(group);
		group->after_gap = true;
		return;
	}
	add_line(group, line, size, soft, delsp);
}

void text_to_flow(const GString *text, bool flowed, bool delsp, struct flow *flow)
{
	struct group group = { flow, g_string_new(NULL), 0, false, false, true };
	const char *line = text->str;
	const char *end = text->str + text->len;

	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t size = (size_t)((newline != NULL ? newline : end) - line);

		take_line(&group, line, size, flowed, delsp);
		line += size + 1;
	}
	group_end(&group);
	g_string_free(group.text, TRUE);
}
