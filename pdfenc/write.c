#include "pdfenc/write.h"

#include <string.h>

#include "pdfenc/write_outline.h"
#include "pdfenc/write_page.h"

static void put_media_box(GString *body, float width, float height)
{
	g_string_append(body, "/MediaBox[0 0 ");
	put_number(body, (double)width);
	g_string_append_c(body, ' ');
	put_number(body, (double)height);
	g_string_append_c(body, ']');
}

static void collect(struct write_document *document)
{
	const GPtrArray *pages = document->display->pages;

	for (unsigned int p = 0; p < pages->len; p++) {
		const GArray *items = ((struct display_page *)g_ptr_array_index(pages, p))->items;

		for (unsigned int i = 0; i < items->len; i++) {
			const struct display_item *item = &g_array_index(items, struct display_item,
			    i);

			if (item->kind == DISPLAY_RUN)
				write_fonts_collect(&document->fonts, &item->as.run);
		}
	}
	write_fonts_subset(&document->fonts);
}

/* What all pages share is said by their list: resources, and the size of most. */
static void write_page_object(struct write_document *document, unsigned int index,
    unsigned int parent, unsigned int content, const GString *annotations)
{
	const struct display *display = document->display;
	const struct display_page *page = g_ptr_array_index(display->pages, index);
	GString *body = g_string_new("<</Type/Page/Parent");

	put_reference(body, parent);
	if (page->width != display->width || page->height != display->height)
		put_media_box(body, page->width, page->height);
	g_string_append(body, "/Contents");
	put_reference(body, content);
	g_string_append(body, "/Tabs/S/StructParents ");
	put_count(body, index);
	if (annotations->len > 0) {
		g_string_append(body, "/Annots[");
		g_string_append_len(body, annotations->str, (gssize)annotations->len);
		g_string_append_c(body, ']');
	}
	g_string_append(body, ">>");
	write_object(&document->file, document->pages[index], body);
	g_string_free(body, TRUE);
}

static void write_pages(struct write_document *document, unsigned int parent)
{
	GString *content = g_string_sized_new(16384);
	GString *annotations = g_string_new(NULL);
	unsigned int count = document->display->pages->len;

	for (unsigned int i = 0; i < count; i++)
		document->pages[i] = write_reserve(&document->file);
	for (unsigned int i = 0; i < count; i++) {
		unsigned int number = write_reserve(&document->file);

		g_string_truncate(content, 0);
		g_string_truncate(annotations, 0);
		write_page(document, i, content, annotations);
		write_stream(&document->file, number, "", content->str, content->len, true);
		write_page_object(document, i, parent, number, annotations);
	}
	g_string_free(content, TRUE);
	g_string_free(annotations, TRUE);
}

static void write_page_list(struct write_document *document, unsigned int number,
    unsigned int resources)
{
	GString *body = g_string_new("<</Type/Pages/Kids[");

	for (unsigned int i = 0; i < document->display->pages->len; i++)
		put_reference(body, document->pages[i]);
	g_string_append(body, "]/Count ");
	put_count(body, document->display->pages->len);
	put_media_box(body, document->display->width, document->display->height);
	g_string_append(body, "/Resources");
	put_reference(body, resources);
	g_string_append(body, ">>");
	write_object(&document->file, number, body);
	g_string_free(body, TRUE);
}

static void write_resources(struct write_document *document, unsigned int number)
{
	GString *body = g_string_new("<</Font<<");

	write_fonts_end(&document->fonts, &document->file, body);
	g_string_append(body, ">>/XObject<<");
	g_string_append_len(body, document->images.resources->str,
	    (gssize)document->images.resources->len);
	g_string_append(body, ">>/ExtGState<<");
	for (unsigned int i = 0; i <= WRITE_CLEAR_STEPS; i++) {
		double opaque = 1 - (double)i / WRITE_CLEAR_STEPS;

		if (!document->clears[i])
			continue;
		g_string_append_printf(body, "/A%u<</ca ", i);
		put_number(body, opaque);
		g_string_append(body, "/CA ");
		put_number(body, opaque);
		g_string_append(body, ">>");
	}
	g_string_append(body, ">>>>");
	write_object(&document->file, number, body);
	g_string_free(body, TRUE);
}

static void write_catalog(struct write_document *document, const struct write_request *request,
    unsigned int number, unsigned int pages)
{
	GString *body = g_string_new("<</Type/Catalog/Pages");
	unsigned int outline;

	put_reference(body, pages);
	if (request->language != NULL) {
		g_string_append(body, "/Lang");
		write_string(&document->file, body, request->language);
	}
	g_string_append(body, "/ViewerPreferences<</DisplayDocTitle true>>/MarkInfo<</Marked true>>"
	    "/StructTreeRoot");
	put_reference(body, write_tree_end(&document->tree, document->pages));
	outline = write_outline(&document->file, document->display, document->pages);
	if (outline != 0) {
		g_string_append(body, "/Outlines");
		put_reference(body, outline);
	}
	write_files(&document->file, request->files, request->file_count, body);
	g_string_append(body, ">>");
	/* Acrobat does not look for it inside an encrypted object stream */
	write_object_alone(&document->file, number, body);
	g_string_free(body, TRUE);
}

static unsigned int write_info(struct write_file *file, const struct write_request *request)
{
	GString *body = g_string_new("<</Producer(Sealgate)/Title");
	unsigned int number = write_reserve(file);

	put_text(body, request->title, strlen(request->title));
	if (request->nonce != NULL) {
		g_string_append(body, "/SealgateNonce");
		put_text(body, request->nonce, strlen(request->nonce));
	}
	g_string_append(body, ">>");
	write_object(file, number, body);
	g_string_free(body, TRUE);
	return number;
}

static void start(struct write_document *document, const struct write_request *request,
    GByteArray *out)
{
	memset(document, 0, sizeof(*document));
	document->display = request->display;
	write_file_start(&document->file, out, faces_packer(request->faces));
	if (request->crypt != NULL)
		write_file_seal(&document->file, request->crypt, request->fd);
	write_fonts_start(&document->fonts, request->faces);
	write_images_start(&document->images, &document->file);
	write_tree_start(&document->tree, &document->file, request->display);
	document->pages = g_new0(unsigned int, request->display->pages->len);
}

static void release(struct write_document *document)
{
	g_free(document->pages);
	write_tree_free(&document->tree);
	write_images_free(&document->images);
	write_fonts_free(&document->fonts);
}

enum fail_code write_pdf(const struct write_request *request, GByteArray *out, struct fail *f)
{
	struct write_document document;
	unsigned int catalog;
	unsigned int pages;
	unsigned int resources;
	enum fail_code code;

	if (request->display->pages->len == 0)
		return fail_set(f, SG_EFORMAT, NULL, "a PDF has at least one page");
	start(&document, request, out);
	catalog = write_reserve(&document.file);
	pages = write_reserve(&document.file);
	resources = write_reserve(&document.file);
	collect(&document);
	write_pages(&document, pages);
	write_page_list(&document, pages, resources);
	write_resources(&document, resources);
	write_catalog(&document, request, catalog, pages);
	code = write_file_end(&document.file, catalog, write_info(&document.file, request), f);
	release(&document);
	return code;
}
