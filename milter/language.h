/*
 * language: which of our languages a sender reads, by Accept-Language or Content-Language. Pure.
 */
#ifndef SG_MILTER_LANGUAGE_H
#define SG_MILTER_LANGUAGE_H

#include <stdbool.h>

#include "config/conf.h"
#include "milter/message.h"

/*
 * The first language of value ("de-AT, en;q=0.5") that we have, the one with the highest q
 * (RFC 9110 12.5.4) before others; false if it names none of ours.
 */
bool language_choose(const char *value, enum conf_language *language_out);

/* By those two fields of a message, Accept-Language first; preset if neither says. */
enum conf_language language_of_message(const struct message *message, enum conf_language preset);

#endif
