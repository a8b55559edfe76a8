#include "pdfenc/attachments.h"

#include <string.h>
#include <time.h>

#include "gateway/base/str.h"
#include "pdfenc/charset.h"
#include "pdfenc/head.h"
#include "pdfenc/html/html.h"
#include "pdfenc/picture.h"
#include "pdfenc/table.h"
#include "pdfenc/text.h"
#include "pdfenc/wording.h"

static void item_free(void *data)
{
	struct attachments_item *item = data;

	append_free(item->pdf);
	if (item->text != NULL)
		g_string_free(item->text, TRUE);
	g_free(item->note);
	g_free(item);
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t size = strlen(name);
	size_t tail = strlen(suffix);

	return size > tail && str_equal_case(name + size - tail, suffix);
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* ---- pictures that the message shows ---- */

/* All that stands behind "cid:" in an HTML body, as RFC 2392 writes it. */
static void collect_ids(const GString *html, GHashTable *ids)
{
	const char *at = html->str;

	while ((at = strstr(at, "cid:")) != NULL) {
		size_t size;
		char *id;

		at += 4;
		size = strcspn(at, "\"' \t\n<>)&");
		id = g_uri_unescape_segment(at, at + size, NULL);
		at += size;
		if (id == NULL)
			continue;
		str_lower(id);
		(void)g_hash_table_add(ids, id);
	}
}

static GHashTable *shown_ids(const struct document *document)
{
	GHashTable *ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (unsigned int i = 0; i < document->bodies->len; i++) {
		const struct document_body *body = g_ptr_array_index(document->bodies, i);

		if (body->kind == DOCUMENT_HTML)
			collect_ids(body->text, ids);
	}
	return ids;
}

static bool is_shown(GHashTable *ids, const struct document_file *file)
{
	char *id = file->id != NULL ? g_ascii_strdown(file->id, -1) : NULL;
	bool found = id != NULL && g_hash_table_contains(ids, id);

	g_free(id);
	return found;
}

/* ---- what a file is ---- */

static bool is_pdf(const struct document_file *file)
{
	const guint8 *data = file->data->data;
	size_t size = MIN(file->data->len, 1024u);

	/* readers take what has the mark within the first kilobyte (ISO 32000-1 annex H) */
	return size > 5 && memmem(data, size, "%PDF-", 5) != NULL &&
	    (memcmp(data, "%PDF-", 5) == 0 || strcmp(file->type, "application/pdf") == 0 ||
	    has_suffix(file->name, ".pdf"));
}

static bool claims_pdf(const struct document_file *file)
{
	return strcmp(file->type, "application/pdf") == 0 || has_suffix(file->name, ".pdf");
}

static bool is_table(const struct document_file *file)
{
	static const char *const types[] = { "text/csv", "text/tab-separated-values",
		"text/comma-separated-values", "application/csv" };

	return is_one_of(file->type, types, G_N_ELEMENTS(types)) ||
	    has_suffix(file->name, ".csv") || has_suffix(file->name, ".tsv");
}

static bool is_text(const struct document_file *file)
{
	static const char *const types[] = { "text/plain", "text/markdown", "text/x-markdown",
		"text/x-log", "text/x-patch", "text/x-diff", "text/yaml", "application/json",
		"application/yaml" };
	static const char *const suffixes[] = { ".txt", ".md", ".log", ".json", ".yaml", ".yml",
		".patch", ".diff", ".ini", ".conf" };

	if (is_one_of(file->type, types, G_N_ELEMENTS(types)))
		return true;
	if (strcmp(file->type, "application/octet-stream") != 0)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
		if (has_suffix(file->name, suffixes[i]))
			return true;
	return false;
}

/* Bytes that no text has: the name was wrong. UTF-16 has zeros, and a mark at its beginning. */
static bool is_binary(const struct document_file *file)
{
	const guint8 *data = file->data->data;
	size_t size = MIN(file->data->len, 4096u);

	if (size >= 2 && ((data[0] == 0xff && data[1] == 0xfe) ||
	    (data[0] == 0xfe && data[1] == 0xff)))
		return false;
	return memchr(data, 0, size) != NULL;
}

/* ---- the plan of one file ---- */

static void say(struct attachments_item *item, const char *note)
{
	g_free(item->note);
	item->note = g_strdup(wording(note));
}

static int64_t cpu_ms(void)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void say_of_pdf(struct attachments_item *item, enum append_result result)
{
	switch (result) {
	case APPEND_ENCRYPTED:
		say(item, "This PDF is encrypted; open the attached file.");
		break;
	case APPEND_DYNAMIC:
		say(item, "This PDF is a form that only Adobe's programs show; open the attached "
		    "file.");
		break;
	case APPEND_BROKEN:
		say(item, "This PDF is damaged and cannot be shown here; the attached file is as "
		    "it came.");
		break;
	case APPEND_LIMIT:
	case APPEND_OPENED:
		say(item, "This PDF is too complex to be shown here; open the attached file.");
		break;
	}
}

static void plan_pdf(struct attachments *all, struct attachments_item *item)
{
	struct append_limits limits = { all->pages_left, ATTACHMENTS_MEMORY, all->cpu_ms_left };
	int64_t start = cpu_ms();
	enum append_result result;

	if (all->pages_left == 0 || all->cpu_ms_left <= 0) {
		say(item, "Not shown here, because the attached files have too many pages.");
		return;
	}
	result = append_open(item->file->data->data, item->file->data->len, &limits, &item->pdf);
	all->cpu_ms_left -= MIN(cpu_ms() - start, all->cpu_ms_left);
	if (result != APPEND_OPENED) {
		say_of_pdf(item, result);
		return;
	}
	item->kind = ATTACHMENTS_PDF;
	all->pages_left -= MIN(append_count(item->pdf), all->pages_left);
	if (append_count(item->pdf) < append_total(item->pdf))
		item->note = g_strdup_printf(
		    wording("The first %u of its %u pages are shown here."),
		    append_count(item->pdf), append_total(item->pdf));
}

static void plan_picture(struct attachments *all, struct attachments_item *item,
    const struct picture_facts *facts)
{
	if ((size_t)facts->width * facts->height > all->limits.pixels_max) {
		item->note = g_strdup_printf(
		    wording("Not shown here: a picture of %u by %u pixels."),
		    facts->width, facts->height);
		return;
	}
	if (facts->width < ATTACHMENTS_PICTURE_MIN || facts->height < ATTACHMENTS_PICTURE_MIN)
		return;
	item->kind = ATTACHMENTS_PICTURE;
}

/* Where to cut: all, or behind the last line that fits. */
static size_t shown_size(const GString *text, size_t most)
{
	size_t end = most;

	if (text->len <= most)
		return text->len;
	while (end > 0 && text->str[end - 1] != '\n')
		end--;
	if (end == 0)
		for (end = most; end > 0 && (text->str[end] & 0xc0) == 0x80; end--)
			continue;
	return end;
}

static void plan_text(struct attachments *all, struct attachments_item *item)
{
	size_t most = MIN(ATTACHMENTS_TEXT_MAX, all->text_left);
	GString *text = charset_to_utf8(item->file->charset, item->file->data->data,
	    item->file->data->len);
	size_t size = shown_size(text, most);

	if (size < text->len)
		say(item, size == 0 ? "Not shown here, because the attached files have too much "
		    "text." : "Only its beginning is shown here.");
	g_string_truncate(text, size);
	all->text_left -= size;
	item->text = text;
	if (size == 0) {
		g_string_free(text, TRUE);
		item->text = NULL;
		return;
	}
	item->kind = ATTACHMENTS_TEXT;
	if (is_table(item->file))
		item->kind = table_to_html(text) ? ATTACHMENTS_TABLE : ATTACHMENTS_TEXT;
}

static void plan_item(struct attachments *all, struct attachments_item *item)
{
	const struct document_file *file = item->file;
	struct picture_facts facts;
	bool pdf = is_pdf(file);
	bool picture = !pdf && picture_look(file->data->data, file->data->len, &facts);
	bool text = !pdf && !picture && (is_text(file) || is_table(file)) && !is_binary(file);

	if (!pdf && !picture && !text) {
		if (claims_pdf(file))
			say_of_pdf(item, APPEND_BROKEN);
		else if (strncmp(file->type, "image/", 6) == 0 &&
		    strcmp(file->type, "image/svg+xml") != 0)
			say(item, "This picture cannot be shown here; open the attached file.");
		return;
	}
	if (file->data->len > all->limits.size_max) {
		say(item, "Not shown here, because it is large.");
		return;
	}
	if (pdf)
		plan_pdf(all, item);
	else if (picture)
		plan_picture(all, item, &facts);
	else
		plan_text(all, item);
}

struct attachments *attachments_plan(const struct document *document,
    const struct attachments_limits *limits)
{
	struct attachments *all = g_new0(struct attachments, 1);
	GHashTable *ids = shown_ids(document);

	all->document = document;
	all->limits = *limits;
	all->items = g_ptr_array_new_with_free_func(item_free);
	all->places = g_array_new(FALSE, TRUE, sizeof(struct append_place));
	all->text_left = ATTACHMENTS_TEXT_ALL;
	all->cpu_ms_left = ATTACHMENTS_CPU_MS;
	all->pages_left = limits->pages_max;
	for (unsigned int i = 0; i < document->files->len; i++) {
		struct attachments_item *item = g_new0(struct attachments_item, 1);

		item->file = g_ptr_array_index(document->files, i);
		item->all = all;
		if (item->file->read || is_shown(ids, item->file))
			item->kind = ATTACHMENTS_READ;
		else if (limits->pages)
			plan_item(all, item);
		g_ptr_array_add(all->items, item);
	}
	g_hash_table_unref(ids);
	return all;
}

void attachments_free(struct attachments *attachments)
{
	if (attachments == NULL)
		return;
	g_ptr_array_unref(attachments->items);
	g_array_unref(attachments->places);
	g_free(attachments);
}

bool attachments_appended(const struct attachments *attachments)
{
	return attachments->places->len > 0;
}

/* ---- the flow ---- */

static void compose_item(struct attachments_item *item, struct flow *flow)
{
	struct flow_block *block;
	unsigned int before;

	if (item->kind == ATTACHMENTS_PANE || item->kind == ATTACHMENTS_READ)
		return;
	flow_add(flow, FLOW_FILE)->file = item;
	if (item->kind == ATTACHMENTS_TEXT)
		text_to_flow(item->text, false, false, flow);
	if (item->kind != ATTACHMENTS_TABLE)
		return;
	block = flow_add(flow, FLOW_HTML);
	before = flow->blocks->len;
	html_to_flow(item->text->str, item->text->len, flow);
	block->html = item->text;
	block->count = flow->blocks->len - before;
}

void attachments_compose(struct attachments *attachments, struct flow *flow)
{
	for (unsigned int i = 0; i < attachments->items->len; i++)
		compose_item(g_ptr_array_index(attachments->items, i), flow);
}
