/*
 * entity: what an envelope must contain for a message file, by the words of RFC 8551 and nothing
 * of ours: the Content-* fields as they stand, an empty line, the body; every line end CRLF.
 *
 *   entity < MESSAGE > ENTITY
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define INPUT_MAX (64u * 1024 * 1024)

/* The length of the line at text with its LF. */
static size_t line_size(const char *text, size_t size)
{
	const char *end = memchr(text, '\n', size);

	return end == NULL ? size : (size_t)(end - text) + 1;
}

static void put(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
			(void)putchar('\r');
		(void)putchar(text[i]);
	}
}

static bool is_empty(const char *line, size_t size)
{
	return size == 0 || line[0] == '\n' || (size >= 2 && line[0] == '\r' && line[1] == '\n');
}

static bool is_field(const char *line, size_t size)
{
	size_t n = 0;

	while (n < size && line[n] > ' ' && line[n] != ':')
		n++;
	/* obsolete, RFC 5322 4.5: white space before the colon */
	while (n > 0 && n < size && (line[n] == ' ' || line[n] == '\t'))
		n++;
	return n > 0 && n < size && line[n] == ':';
}

int main(void)
{
	char *text = malloc(INPUT_MAX);
	bool wanted = false;
	size_t size;
	size_t at = 0;

	if (text == NULL)
		return 70;
	size = fread(text, 1, INPUT_MAX, stdin);
	if (size >= 5 && memcmp(text, "From ", 5) == 0)
		at = line_size(text, size);
	while (at < size) {
		size_t n = line_size(text + at, size - at);
		bool folded = text[at] == ' ' || text[at] == '\t';

		if (is_empty(text + at, n)) {
			at += n;
			break;
		}
		if (!folded && !is_field(text + at, n))
			break;
		if (!folded)
			wanted = strncasecmp(text + at, "Content-", 8) == 0;
		if (wanted)
			put(text + at, n);
		at += n;
	}
	(void)fputs("\r\n", stdout);
	put(text + at, size - at);
	free(text);
	return 0;
}
