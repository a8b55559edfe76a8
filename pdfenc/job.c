#include "pdfenc/job.h"

#include <string.h>

#include "gateway/base/fd.h"
#include "pdfenc/compose.h"
#include "pdfenc/mime.h"
#include "pdfenc/pdfenc.h"
#include "pdfenc/seal.h"
#include "pdfenc/wording.h"

static bool has_invitation(const struct document *document)
{
	for (unsigned int i = 0; i < document->files->len; i++) {
		const struct document_file *file = g_ptr_array_index(document->files, i);

		if (strcmp(file->type, "text/calendar") == 0 ||
		    g_str_has_suffix(file->name, ".ics"))
			return true;
	}
	return false;
}

/* From a plan on: pages, and the sealed PDF. */
static enum fail_code print_planned(const struct job_options *options,
    const struct job_request *request, const struct fd_map *map, struct attachments *attachments,
    struct job_result *result_out, struct fail *f)
{
	const struct document *document = attachments->document;
	struct flow *flow = compose_flow(document);
	struct layout_request layout = { .document = document, .flow = flow };
	struct seal_request seal = { .document = document, .attachments = attachments };
	struct display *display;
	enum fail_code code;
	bool cut;

	layout.protection = request->protection != NULL && request->protection[0] != '\0' ?
	    request->protection : wording("Encrypted PDF (AES-256)");
	layout.look = look_find(options->looks, request->tenant);
	layout.language = compose_language(document, flow);
	attachments_compose(attachments, flow);
	layout.attachments = attachments;
	layout.letter = options->letter;
	layout.pages_max = options->pages_max;
	display = layout_pages(options->engine, &layout, &cut);
	seal.language = layout.language;
	seal.pages = display;
	seal.faces = layout_engine_faces(options->engine);
	seal.password = request->password;
	seal.owner_password = request->owner_password;
	if (cut || document->truncated || (options->original && map->size <= JOB_ORIGINAL_MAX)) {
		seal.original = map->data;
		seal.original_size = map->size;
	}
	code = seal_pdf(&seal, &result_out->pdf, f);
	result_out->pages = display->pages->len;
	result_out->attachments = document->files->len;
	result_out->invitation = has_invitation(document);
	display_free(display);
	flow_free(flow);
	return code;
}

static enum fail_code print_document(const struct job_options *options,
    const struct job_request *request, const struct fd_map *map,
    const struct document *document, struct job_result *result_out, struct fail *f)
{
	struct attachments_limits limits = options->attachments;
	struct attachments *attachments = attachments_plan(document, &limits);
	enum fail_code code = print_planned(options, request, map, attachments, result_out, f);
	bool again = code == SG_ECRYPTO && attachments_appended(attachments);

	attachments_free(attachments);
	if (!again)
		return code;
	/* libqpdf read an attached PDF and could not write it: the file itself is enough */
	limits.pages = false;
	attachments = attachments_plan(document, &limits);
	code = print_planned(options, request, map, attachments, result_out, f);
	attachments_free(attachments);
	return code;
}

enum fail_code job_run(const struct job_options *options, const struct job_request *request,
    struct job_result *result_out, struct fail *f)
{
	struct fd_map map = { NULL, 0 };
	struct document *document = NULL;
	enum fail_code code;

	result_out->pdf = -1;
	result_out->pages = 0;
	result_out->attachments = 0;
	result_out->invitation = false;
	wording_use(request->language);
	code = fd_map(request->message, PDFENC_SIZE_MAX, &map, f);
	if (code == SG_OK && map.size != request->message_size)
		code = fail_set(f, SG_EFORMAT, NULL, "the message has %zu bytes, not %zu", map.size,
		    request->message_size);
	if (code == SG_OK)
		code = mime_parse(map.data, map.size, request->subject, &document, f);
	if (code == SG_OK)
		code = print_document(options, request, &map, document, result_out, f);
	document_free(document);
	fd_unmap(&map);
	return code;
}
