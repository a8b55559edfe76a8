/* Headers of a hostile mail: Subject, From, MAIL FROM and our own field.
 * links: sealgate-vault */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/rules.h"
#include "gateway/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = str_dup_n((const char *)data, size);
	const struct rules_header headers[] = { { "Subject", text }, { "X-Sealgate", text },
		{ "Sensitivity", text } };
	struct conf *conf = NULL;
	struct rules_flag flag;
	char *normal = NULL;

	if (text == NULL || conf_default(&conf, NULL) != SG_OK)
		abort();
	for (size_t i = 0; i < 3; i++) {
		if (rules_match(conf, &headers[i], 1, &flag, NULL) != SG_OK)
			abort();
		/* only tags come off: a flagged subject never grows by more than its separators */
		if (flag.subject != NULL && strlen(flag.subject) > strlen(text) + 4)
			abort();
		rules_flag_free(&flag);
	}
	free(rules_from_domain(text));
	if (rules_address(text, &normal, NULL) == SG_OK)
		(void)rules_domain(normal);
	free(normal);
	conf_free(conf);
	free(text);
	return 0;
}
