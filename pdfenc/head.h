/*
 * head: the block above a message: who, to whom, when, how protected, what is attached.
 */
#ifndef SG_PDFENC_HEAD_H
#define SG_PDFENC_HEAD_H

#include "pdfenc/attachments.h"
#include "pdfenc/document.h"
#include "pdfenc/flow.h"
#include "pdfenc/look.h"
#include "pdfenc/setter.h"

/* Above all on the first page: name, logo and colour of whose message it is. look may be NULL. */
void head_set_look(struct setter *setter, const struct look *look);
/* On the first page, from the setter's height on. attachments, protection may be NULL. */
void head_set(struct setter *setter, const struct document *document,
    struct attachments *attachments, const char *protection);
/* At the end: the page of each attached file, into its row. */
void head_set_pages(struct setter *setter, const struct attachments *attachments);
/* Above a nested message, or a card; the block's text has lines "Label: value". */
void head_set_nested(struct setter *setter, const struct flow_block *block);
/* "1.4 MB"; the caller g_frees. */
char *head_size(size_t bytes);

#endif
