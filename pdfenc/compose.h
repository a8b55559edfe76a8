/*
 * compose: document -> flow: all bodies in order, heads of nested messages between them. Pure.
 */
#ifndef SG_PDFENC_COMPOSE_H
#define SG_PDFENC_COMPOSE_H

#include "pdfenc/document.h"
#include "pdfenc/flow.h"

/* The caller flow_frees. */
struct flow *compose_flow(const struct document *document);
/*
 * The language by what the sender said, else by script and small words, else English, which our own
 * words are; static or the document's.
 */
const char *compose_language(const struct document *document, const struct flow *flow);

#endif
