/* What a stranger publishes: the TXT record, the policy file, MX and TLSA records, a next hop.
 * links: sealgate-tls */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/tls/dane.h"
#include "gateway/tls/hop.h"
#include "gateway/tls/sts.h"

#define TEXT_ROOM 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing that is published may put a second word into Postfix's policy. */
static void check_policy(const struct sts_policy *policy)
{
	char text[TEXT_ROOM];
	char report[TEXT_ROOM];
	struct sts_policy again;

	sts_text(policy, text, sizeof text);
	if (strspn(text + sizeof "secure match=" - 1,
	    "abcdefghijklmnopqrstuvwxyz0123456789-_.:") !=
	    strlen(text) - (sizeof "secure match=" - 1) - (sizeof " servername=hostname" - 1))
		abort();
	sts_report(policy, "partner.example", report, sizeof report);
	(void)sts_match(policy, "mx.partner.example");
	/* what is kept reads the same again: so it comes back from the cache's file */
	if (sts_parse(policy->lines, strlen(policy->lines), &again, NULL) != SG_OK ||
	    strcmp(again.mxs, policy->mxs) != 0 || again.max_age_s != policy->max_age_s)
		abort();
	sts_policy_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source_record record = { data, size };
	struct source_dns answer = { .records = &record, .count = 1 };
	struct dane_mx mxs[DANE_MX_MAX];
	struct sts_policy policy;
	struct hop hop;
	char id[STS_ID_MAX];
	char *text = str_dup_n((const char *)data, size);
	bool null_mx;

	if (text == NULL)
		abort();
	if (sts_txt(&answer, id, NULL) == SG_OK && id[0] == '\0')
		abort();
	if (sts_parse((const char *)data, size, &policy, NULL) == SG_OK) {
		check_policy(&policy);
		sts_policy_free(&policy);
	}
	(void)dane_mxs(&answer, mxs, &null_mx);
	(void)dane_usable(&record);
	(void)sts_is_plain(text);
	hop_parse(text, &hop);
	if (!hop.literal && !hop.parent && strpbrk(hop.name, " \t\r\n[]") != NULL)
		abort();
	free(text);
	return 0;
}
