/*
 * subject: finding and taking off tags in a raw Subject field. For rules.c alone. Pure.
 *
 * The field is decoded to bytes, each of which remembers where it came from, so that the rest
 * stays byte for byte as it was: text outside the tag verbatim, an encoded word (RFC 2047) verbatim
 * where no tag touches it, else encoded again in its own charset and encoding. A reader of tags is
 * lenient where senders are: an encoded word counts also when it touches its neighbours or has a
 * space in it, and no-break spaces and invisible marks count as space.
 *
 * Not found: tags in UTF-16 or UTF-7, which no mail program puts in a subject.
 */
#ifndef SG_CONFIG_SUBJECT_H
#define SG_CONFIG_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/rules.h"
#define SUBJECT_MAX ((size_t)16 * 1024 * 1024)	/* bytes; message.header_max is at most this */
#define SUBJECT_BRACKET_MAX ((size_t)512)	/* bytes from [ to ]; a longer one is no tag */
#define SUBJECT_WORD_MAX ((size_t)64)		/* bytes of a word, as in the configuration */

/* What words in a bracket, or in our header, ask for. Zero-initialise. */
struct subject_words {
	bool flagged;
	unsigned int ways;	/* enum conf_way bits */
	char unknown[SUBJECT_WORD_MAX + 1];	/* a word that means nothing; "" = none */
	bool pass;		/* "pass:" with or without an argument */
	bool pass_late;		/* the same behind a "Re:": anybody could have written it */
	bool sms;		/* "sms:" */
	bool sms_late;
};

/*
 * Adds what word asks for; false if it is none of the configured words.
 */
bool subject_word(const struct conf *conf, const char *word, size_t size,
    struct subject_words *words);

/* True for "pass:..." and "sms:...": what carries an argument. The name's size goes to size_out. */
bool subject_argument(const char *word, size_t size, size_t *size_out);
/* Is this name that of a number? */
bool subject_is_sms(const char *name, size_t size);
/* Adds what an argument of this name asks for; true, for use in conditions. late: behind "Re:". */
bool subject_ask(struct subject_words *words, const char *name, size_t size, bool late);
/* Adds an argument, without folding and white space around it. SG_ENOMEM. */
MUST_USE enum fail_code subject_keep(struct rules_arguments *arguments, bool sms, const char *text,
    size_t size);

/*
 * Looks for tags at the start and end of value. *rest_out is the value without them, NULL if it
 * had none; the caller frees. SG_ENOMEM, SG_ELIMIT.
 */
MUST_USE enum fail_code subject_match(const struct conf *conf, const char *value,
    struct subject_words *words, char **rest_out, struct fail *f);

/*
 * Takes the arguments of "pass:" and "sms:" out of a Subject, wherever a tag may stand: *clean_out
 * is the value without them ("[secure pass:]"), NULL if there was none; the caller frees. They are
 * added to arguments. SG_ENOMEM, SG_ELIMIT.
 */
MUST_USE enum fail_code subject_take_arguments(const struct conf *conf, const char *value,
    struct rules_arguments *arguments, char **clean_out, struct fail *f);

#endif
