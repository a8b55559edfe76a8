/* Headers of a hostile mail: Subject, From, MAIL FROM and our own field.
 * links: sealgate-vault */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/phone.h"
#include "config/rules.h"
#include "gateway/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken out of a field is not in it any more, and the rest asks for the same. */
static void take_arguments(const struct conf *conf, const struct rules_header *header)
{
	struct rules_arguments arguments = { .passwords = 0 };
	struct rules_header clean = *header;
	char phone[PHONE_MAX];
	struct rules_flag flag;
	char *value = NULL;

	if (rules_take_arguments(conf, header, &arguments, &value, NULL) != SG_OK)
		abort();
	if ((value != NULL) != (arguments.passwords + arguments.numbers > 0))
		abort();
	if (phone_parse(arguments.number, phone, NULL) == SG_OK && strlen(phone) < 9)
		abort();
	rules_arguments_free(&arguments);
	if (value == NULL)
		return;
	clean.value = value;
	if (rules_match(conf, &clean, 1, &flag, NULL) != SG_OK || !flag.flagged)
		abort();
	rules_flag_free(&flag);
	free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = str_dup_n((const char *)data, size);
	const struct rules_header headers[] = { { "Subject", text }, { "X-Sealgate", text },
		{ "Sensitivity", text } };
	struct conf *conf = NULL;
	struct rules_flag flag;
	char *domain = NULL;
	char *normal = NULL;

	if (text == NULL || conf_default(&conf, NULL) != SG_OK)
		abort();
	for (size_t i = 0; i < 3; i++) {
		take_arguments(conf, &headers[i]);
		if (rules_match(conf, &headers[i], 1, &flag, NULL) != SG_OK)
			abort();
		/* only tags come off: a flagged subject never grows by more than its separators */
		if (flag.subject != NULL && strlen(flag.subject) > strlen(text) + 4)
			abort();
		rules_flag_free(&flag);
	}
	if (rules_from_domain(text, &domain, NULL) == SG_OK)
		free(domain);
	if (rules_address(text, &normal, NULL) == SG_OK)
		(void)rules_domain(normal);
	free(normal);
	conf_free(conf);
	free(text);
	return 0;
}
