/*
 * mime_parts: for tests: a mail taken apart by GMime, and by nothing of ours.
 *
 *   mime_parts FOLDER < MESSAGE     a line a part, in order and indented by depth: type, charset,
 *                                   disposition, file name, Content-ID; "-" for what is not there.
 *                                   The content of the N-th leaf goes to FOLDER/N, decoded.
 *
 * Exit status 1 if the parser meets something that RFC 5322 or RFC 2045 does not have.
 */
#include <fcntl.h>
#include <gmime/gmime.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct walk {
	const char *folder;
	unsigned int leaves;
};

static unsigned int warnings;

/* Warnings of RFC 5322 and 2045 but not hints on style. */
static void warn(gint64 offset, GMimeParserWarning code, const gchar *item, gpointer data)
{
	(void)data;
	(void)fprintf(stderr, "warning %d at %lld: %s\n", (int)code, (long long)offset,
	    item != NULL ? item : "");
	warnings++;
}

static const char *or_dash(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : "-";
}

static void save(struct walk *walk, GMimePart *part)
{
	char path[512];
	GMimeStream *stream;

	(void)snprintf(path, sizeof(path), "%s/%u", walk->folder, ++walk->leaves);
	stream = g_mime_stream_fs_open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600, NULL);
	if (stream == NULL || g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(part),
	    stream) < 0 || g_mime_stream_flush(stream) != 0) {
		(void)fprintf(stderr, "cannot write %s\n", path);
		exit(EXIT_FAILURE);
	}
	g_object_unref(stream);
}

static void print(GMimeObject *part, unsigned int depth)
{
	GMimeContentType *type = g_mime_object_get_content_type(part);
	char *name = g_mime_content_type_get_mime_type(type);

	(void)printf("%*s%s %s %s %s %s\n", (int)depth, "", name,
	    or_dash(g_mime_content_type_get_parameter(type, "charset")),
	    or_dash(g_mime_object_get_disposition(part)),
	    GMIME_IS_PART(part) ? or_dash(g_mime_part_get_filename((GMimePart *)part)) : "-",
	    or_dash(g_mime_object_get_content_id(part)));
	g_free(name);
}

/* Nesting is the test's own. */
static void take(struct walk *walk, GMimeObject *object, unsigned int depth)
{
	print(object, depth);
	if (GMIME_IS_MULTIPART(object)) {
		GMimeMultipart *multipart = (GMimeMultipart *)object;

		for (int i = 0; i < g_mime_multipart_get_count(multipart); i++)
			take(walk, g_mime_multipart_get_part(multipart, i), depth + 1);
	} else if (GMIME_IS_PART(object)) {
		save(walk, (GMimePart *)object);
	}
}

int main(int argc, char *argv[])
{
	struct walk walk = { argc == 2 ? argv[1] : ".", 0 };
	GMimeParserOptions *options;
	GMimeMessage *message;
	GMimeParser *parser;
	GMimeStream *stream;

	g_mime_init();
	options = g_mime_parser_options_new();
	g_mime_parser_options_set_warning_callback(options, warn, NULL);
	stream = g_mime_stream_fs_new(dup(STDIN_FILENO));
	parser = g_mime_parser_new_with_stream(stream);
	message = g_mime_parser_construct_message(parser, options);
	if (message == NULL || g_mime_message_get_mime_part(message) == NULL)
		return EXIT_FAILURE;
	take(&walk, g_mime_message_get_mime_part(message), 0);
	g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(stream);
	g_mime_parser_options_free(options);
	return warnings == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
