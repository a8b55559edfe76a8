#include "pdfenc/write_files.h"

#include <string.h>

static unsigned int write_content(struct write_file *file, const struct write_attached *attached)
{
	GString *entries = g_string_new("/Type/EmbeddedFile/Subtype");
	unsigned int number = write_reserve(file);

	put_name(entries, attached->type);
	g_string_append_printf(entries, "/Params<</Size %zu", attached->size);
	if (attached->date != NULL) {
		g_string_append(entries, "/ModDate");
		write_string(file, entries, attached->date);
	}
	g_string_append(entries, ">>");
	write_stream(file, number, entries->str, attached->data, attached->size,
	    attached->compress);
	g_string_free(entries, TRUE);
	return number;
}

static unsigned int write_specification(struct write_file *file,
    const struct write_attached *attached)
{
	unsigned int content = write_content(file, attached);
	unsigned int number = write_reserve(file);
	GString *body = g_string_new("<</Type/Filespec/F");

	put_text(body, attached->name, strlen(attached->name));
	g_string_append(body, "/UF");
	put_text(body, attached->name, strlen(attached->name));
	g_string_append(body, "/EF<</F");
	put_reference(body, content);
	g_string_append(body, "/UF");
	put_reference(body, content);
	g_string_append(body, ">>/AFRelationship");
	put_name(body, attached->relation);
	g_string_append(body, ">>");
	write_object(file, number, body);
	g_string_free(body, TRUE);
	return number;
}

void write_files(struct write_file *file, const struct write_attached *files, size_t count,
    GString *catalog)
{
	GString *names = g_string_new("<</Names[");
	unsigned int tree;

	if (count > 0) {
		g_string_append(catalog, "/AF[");
		for (size_t i = 0; i < count; i++) {
			unsigned int number = write_specification(file, &files[i]);

			put_reference(catalog, number);
			/* the tree is sorted by key: numbers keep the order of the mail */
			g_string_append_printf(names, "(%05zu)", i);
			put_reference(names, number);
		}
		g_string_append(names, "]>>");
		tree = write_reserve(file);
		write_object(file, tree, names);
		g_string_append(catalog, "]/Names<</EmbeddedFiles");
		put_reference(catalog, tree);
		g_string_append(catalog, count > 1 ? ">>/PageMode/UseAttachments" : ">>");
	}
	g_string_free(names, TRUE);
}
