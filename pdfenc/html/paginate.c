#include "pdfenc/html/paginate.h"

#include <stdbool.h>

#include "pdfenc/html/sheet.h"

#define PAGES_MAX 10000u
#define LEAST 0.25f		/* of a page: emptier only if there is no other place */
#define ROOM 2.0f		/* points: less of a page is not worth a cut */
#define TOUCH 0.6f		/* points that boxes may overlap without being one */

static int by_top(const void *a, const void *b)
{
	const struct sheet_span *one = a;
	const struct sheet_span *other = b;

	return one->top < other->top ? -1 : one->top > other->top;
}

/* Spans not higher than max, those that overlap made one, by height. */
static GArray *merged(const GArray *spans, bool lines, float line_max, float box_max)
{
	GArray *chosen = g_array_new(FALSE, FALSE, sizeof(struct sheet_span));
	GArray *out = g_array_new(FALSE, FALSE, sizeof(struct sheet_span));

	for (unsigned int i = 0; i < spans->len; i++) {
		struct sheet_span span = g_array_index(spans, struct sheet_span, i);

		if (span.bottom - span.top <= (span.line ? line_max : box_max) &&
		    (span.line || !lines))
			g_array_append_val(chosen, span);
	}
	g_array_sort(chosen, by_top);
	for (unsigned int i = 0; i < chosen->len; i++) {
		const struct sheet_span *span = &g_array_index(chosen, struct sheet_span, i);
		struct sheet_span *last = out->len > 0 ? &g_array_index(out, struct sheet_span,
		    out->len - 1) : NULL;

		if (last != NULL && span->top < last->bottom - TOUCH)
			last->bottom = MAX(last->bottom, span->bottom);
		else
			g_array_append_vals(out, span, 1);
	}
	g_array_unref(chosen);
	return out;
}

/* The start of the span that at would cut, or at. */
static float before(const GArray *spans, float at)
{
	unsigned int low = 0;
	unsigned int high = spans->len;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (g_array_index(spans, struct sheet_span, middle).bottom <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < spans->len && g_array_index(spans, struct sheet_span, low).top < at)
		return g_array_index(spans, struct sheet_span, low).top;
	return at;
}

GArray *paginate(const GArray *spans, float height, float first, float page)
{
	GArray *out = g_array_new(FALSE, FALSE, sizeof(float));
	GArray *all = merged(spans, false, page, page / 3);
	GArray *lines = merged(spans, true, page, page / 3);
	float from = 0;
	float room = first;

	while (from + room < height && out->len < PAGES_MAX) {
		float cut = before(all, from + room);

		if (cut - from < MIN(room, page) * LEAST)
			cut = before(lines, from + room);
		/* on the first page the whole may move to the next one */
		if (cut - from < ROOM && !(out->len == 0 && first < page))
			cut = from + room;
		g_array_append_val(out, cut);
		from = cut;
		room = page;
	}
	g_array_append_val(out, height);
	g_array_unref(all);
	g_array_unref(lines);
	return out;
}
