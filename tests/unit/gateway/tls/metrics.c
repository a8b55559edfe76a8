/*
 * Prometheus' text format.
 *
 * links: sealgate-tls
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/tls/metrics.h"
#include "gateway/tls/tls.h"

struct page {
	struct metrics metrics;
	struct policy_counts counts;
	struct buf text;
};

static void make_page(struct page *page)
{
	memset(page, 0, sizeof(*page));
	page->counts.answers[POLICY_SEALED][POLICY_BY_DANE] = 7;
	page->counts.temporary[POLICY_PROVEN] = 3;
	page->counts.dns_bogus = 2;
	page->counts.cached = 11;
	page->metrics.events[TLS_TOLD] = 5;
	page->metrics.proofs[TLS_PROVABLE] = 4;
	buf_init(&page->text, METRICS_TEXT_MAX);
	assert_int_equal(metrics_put(&page->metrics, &page->counts, &page->text), SG_OK);
}

static void each_counter_stands_with_its_labels(void **state)
{
	static const char *const lines[] = {
		"\nsealgate_tls_policy_answers_total{map=\"sealed\",source=\"dane\"} 7\n",
		"\nsealgate_tls_policy_temporary_total{map=\"proven\"} 3\n",
		"\nsealgate_tls_dns_failures_total{kind=\"bogus\"} 2\n",
		"\nsealgate_tls_cache_domains 11\n",
		"\nsealgate_tls_told_total 5\n",
		"\nsealgate_tls_proofs_total{answer=\"provable\"} 4\n",
	};
	struct page page;
	size_t i;

	(void)state;
	make_page(&page);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (strstr(buf_str(&page.text), lines[i]) == NULL)
			fail_msg("no line %s", lines[i]);
	buf_free(&page.text);
}

static void each_line_is_a_comment_or_a_value(void **state)
{
	struct page page;
	char *line;
	char *next;

	(void)state;
	make_page(&page);
	assert_non_null(buf_str(&page.text));
	for (line = (char *)page.text.data; *line != '\0'; line = next + 1) {
		next = strchr(line, '\n');
		assert_non_null(next);
		*next = '\0';
		if (strncmp(line, "# HELP sealgate_tls_", 20) == 0 ||
		    strncmp(line, "# TYPE sealgate_tls_", 20) == 0)
			continue;
		assert_int_equal(strncmp(line, "sealgate_tls_", 13), 0);
		assert_non_null(strrchr(line, ' '));
		assert_true(strspn(strrchr(line, ' ') + 1, "0123456789") > 0);
	}
	buf_free(&page.text);
}

/* Prometheus refuses a page in which a name is declared twice. */
static void each_name_is_declared_once(void **state)
{
	struct page page;
	const char *type;
	const char *other;
	size_t size;

	(void)state;
	make_page(&page);
	for (type = buf_str(&page.text); (type = strstr(type, "# TYPE ")) != NULL; type += size) {
		size = strcspn(type + 7, " ") + 8;
		for (other = type + size; (other = strstr(other, "# TYPE ")) != NULL; other++)
			assert_int_not_equal(strncmp(type, other, size), 0);
	}
	buf_free(&page.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_counter_stands_with_its_labels),
		cmocka_unit_test(each_line_is_a_comment_or_a_value),
		cmocka_unit_test(each_name_is_declared_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
