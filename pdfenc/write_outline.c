#include "pdfenc/write_outline.h"

#include <string.h>

#define LEVELS 16u	/* deeper entries stand at this level */

struct entry {
	const struct display_outline *from;
	unsigned int level;
	int parent;		/* entries by index; -1: none */
	int previous;
	int next;
	int first;
	int last;
	unsigned int children;
};

/* Who stands below and beside whom. */
static void link_entries(struct entry *entries, unsigned int count, struct entry *root)
{
	int open[LEVELS];
	unsigned int depth = 0;

	for (unsigned int i = 0; i < count; i++) {
		struct entry *entry = &entries[i];
		struct entry *parent;

		depth = MIN(MIN(entry->from->level, depth), LEVELS - 1);
		entry->level = depth;
		entry->parent = depth > 0 ? open[depth - 1] : -1;
		parent = entry->parent >= 0 ? &entries[entry->parent] : root;
		entry->previous = parent->last;
		if (parent->last >= 0)
			entries[parent->last].next = (int)i;
		else
			parent->first = (int)i;
		parent->last = (int)i;
		parent->children++;
		open[depth++] = (int)i;
	}
}

static void put_entry_reference(GString *body, const char *key, unsigned int first, int index)
{
	if (index < 0)
		return;
	g_string_append(body, key);
	put_reference(body, first + (unsigned int)index);
}

static void write_entry(struct write_file *file, const struct display *display,
    const struct entry *entry, unsigned int number, unsigned int root, const unsigned int *pages)
{
	const struct display_outline *from = entry->from;
	unsigned int at = MIN(from->page, display->pages->len - 1);
	const struct display_page *page = g_ptr_array_index(display->pages, at);
	GString *body = g_string_new("<</Title");

	put_text(body, from->title, strlen(from->title));
	g_string_append(body, "/Parent");
	put_reference(body, entry->parent >= 0 ? root + 1 + (unsigned int)entry->parent : root);
	put_entry_reference(body, "/Prev", root + 1, entry->previous);
	put_entry_reference(body, "/Next", root + 1, entry->next);
	put_entry_reference(body, "/First", root + 1, entry->first);
	put_entry_reference(body, "/Last", root + 1, entry->last);
	if (entry->children > 0)
		g_string_append_printf(body, "/Count -%u", entry->children);
	g_string_append(body, "/Dest[");
	put_reference(body, pages[at]);
	g_string_append(body, "/XYZ 0 ");
	put_number(body, (double)(page->height - from->y));
	g_string_append(body, " 0]>>");
	write_object(file, number, body);
	g_string_free(body, TRUE);
}

static void write_root(struct write_file *file, const struct entry *root, unsigned int number)
{
	GString *body = g_string_new("<</Type/Outlines");

	put_entry_reference(body, "/First", number + 1, root->first);
	put_entry_reference(body, "/Last", number + 1, root->last);
	g_string_append_printf(body, "/Count %u>>", root->children);
	write_object(file, number, body);
	g_string_free(body, TRUE);
}

unsigned int write_outline(struct write_file *file, const struct display *display,
    const unsigned int *pages)
{
	unsigned int count = display->outline->len;
	struct entry root = { NULL, 0, -1, -1, -1, -1, -1, 0 };
	struct entry *entries;
	unsigned int number;

	if (count == 0 || display->pages->len == 0)
		return 0;
	entries = g_new(struct entry, count);
	number = write_reserve(file);
	for (unsigned int i = 0; i < count; i++) {
		(void)write_reserve(file);
		entries[i] = root;
		entries[i].from = &g_array_index(display->outline, struct display_outline, i);
	}
	link_entries(entries, count, &root);
	for (unsigned int i = 0; i < count; i++)
		write_entry(file, display, &entries[i], number + 1 + i, number, pages);
	write_root(file, &root, number);
	g_free(entries);
	return number;
}
