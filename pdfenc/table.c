#include "pdfenc/table.h"

#include <string.h>

#define SAMPLE_LINES 10

/* The sign that stands most often, and as often in each of the first lines; '\0': none. */
static char separator_of(const GString *text)
{
	static const char signs[] = { ';', '\t', ',', '|' };
	char best = '\0';
	unsigned int most = 0;

	for (size_t i = 0; i < sizeof(signs); i++) {
		unsigned int count = 0;
		unsigned int lines = 0;
		bool quoted = false;

		for (const char *p = text->str; *p != '\0' && lines < SAMPLE_LINES; p++) {
			quoted = quoted != (*p == '"');
			count += !quoted && *p == signs[i];
			lines += !quoted && *p == '\n';
		}
		if (count > most && count >= lines) {
			most = count;
			best = signs[i];
		}
	}
	return best;
}

/* Takes one cell off; *quoted_out: it stood in quotes. */
static const char *take_cell(const char *at, char separator, GString *cell)
{
	bool quoted = *at == '"';

	g_string_truncate(cell, 0);
	at += quoted;
	for (; *at != '\0'; at++) {
		if (quoted && *at == '"' && at[1] == '"')
			at++;
		else if (quoted && *at == '"') {
			quoted = false;
			continue;
		} else if (!quoted && (*at == separator || *at == '\n'))
			break;
		g_string_append_c(cell, *at);
	}
	return at;
}

static bool is_number(const GString *cell)
{
	return cell->len > 0 && strspn(cell->str, "0123456789.,-+ %") == cell->len &&
	    strpbrk(cell->str, "0123456789") != NULL;
}

static void put_cell(GString *html, const GString *cell, bool head)
{
	char *safe = g_markup_escape_text(cell->str, (gssize)cell->len);

	g_string_append_printf(html, "<%s%s>%s</%s>", head ? "th" : "td",
	    !head && is_number(cell) ? " class=n" : "", safe, head ? "th" : "td");
	g_free(safe);
}

bool table_to_html(GString *text)
{
	static const char style[] = "<style>table{border-collapse:collapse;font-size:12px}"
	    "td,th{border:1px solid #c4ced6;padding:3px 7px;text-align:left;vertical-align:top}"
	    "th{background-color:#e9eff3}.n{text-align:right}</style><table>";
	char separator = separator_of(text);
	GString *html = g_string_new(style);
	GString *cell = g_string_new(NULL);
	unsigned int cells = 0;
	unsigned int columns = 0;
	bool head = true;
	bool fits = separator != '\0';

	for (const char *at = text->str; *at != '\0' && fits;) {
		if (columns == 0)
			g_string_append(html, "<tr>");
		at = take_cell(at, separator, cell);
		put_cell(html, cell, head);
		columns++;
		fits = ++cells <= TABLE_CELLS_MAX && columns <= TABLE_COLUMNS_MAX;
		if (*at == '\n' || *at == '\0') {
			g_string_append(html, "</tr>");
			columns = 0;
			head = false;
		}
		at += *at != '\0';
	}
	g_string_append(html, "</table>");
	if (fits)
		g_string_assign(text, html->str);
	g_string_free(html, TRUE);
	g_string_free(cell, TRUE);
	return fits;
}
