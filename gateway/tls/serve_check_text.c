/* The explanation for people, from its JSON. */
#include <stdio.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/tls/serve_check.h"
#include "gateway/tls/socketmap.h"

#define COLUMNS ((size_t)79)

struct page {
	struct buf *out;
	enum fail_code code;
};

static void put(struct page *page, const char *text, size_t size)
{
	if (page->code == SG_OK)
		page->code = buf_append(page->out, text, size);
}

static void put_spaces(struct page *page, size_t count)
{
	if (page->code == SG_OK)
		page->code = buf_printf(page->out, "%*s", (int)count, "");
}

/* Columns of a word: UTF-8 characters. */
static size_t width(const char *text, size_t size)
{
	size_t columns = 0;
	size_t i;

	for (i = 0; i < size; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

/*
 * label at the margin first, text behind it at the column second; longer text goes on in lines that
 * begin at second. What comes from DNS or a peer cannot reach the terminal as control characters.
 */
static void put_text(struct page *page, size_t first, const char *label, size_t second,
    const char *text)
{
	size_t column = first + width(label, strlen(label));
	bool started = false;
	char word[512];
	size_t size;
	size_t i;

	put_spaces(page, first);
	put(page, label, strlen(label));
	for (; *text != '\0'; text += size) {
		text += strspn(text, " \t\r\n");
		size = strcspn(text, " \t\r\n");
		if (size > sizeof(word))
			size = sizeof(word);
		for (i = 0; i < size; i++)
			word[i] = (unsigned char)text[i] < ' ' || text[i] == 127 ? '?' : text[i];
		if (started && column + 1 + width(word, size) > COLUMNS) {
			put(page, "\n", 1);
			column = 0;
			started = false;
		}
		if (!started && column < second) {
			put_spaces(page, second - column);
			column = second;
		} else if (column > 0) {
			put(page, " ", 1);
			column++;
		}
		put(page, word, size);
		column += width(word, size);
		started = true;
	}
	put(page, "\n", 1);
}

static const char *get(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "" : text;
}

static bool is(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* --- policies --- */

static void put_policy(struct page *page, const char *label, const json_t *policy)
{
	const char *kind = get(policy, "kind");
	const char *text = get(policy, "policy");

	if (strcmp(kind, "temporary") == 0)
		text = "waits";
	else if (strcmp(kind, "not_found") == 0)
		text = "as Postfix is set up";
	put_text(page, 2, label, 16, text);
	put_text(page, 2, "", 16, get(policy, "reason"));
}

static void put_policies(struct page *page, const json_t *policies)
{
	static const char *const labels[] = {"all mail", "sealed mail", "plan tls"};
	enum policy_map map;

	put_text(page, 0, "Policies", 0, "");
	for (map = 0; map < POLICY_MAPS; map++)
		put_policy(page, labels[map], json_object_get(policies, socketmap_name(map)));
}

/* --- servers --- */

static char *join(const json_t *list)
{
	struct buf text;
	char *joined;
	json_t *item;
	size_t i;

	buf_init(&text, 64 * 1024);
	for (i = 0; i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		if (buf_printf(&text, "%s%s", i == 0 ? "" : ", ", json_string_value(item)) != SG_OK)
			break;
	}
	joined = text.size == 0 ? str_dup("") : str_dup(buf_str(&text));
	buf_free(&text);
	return joined;
}

static void put_certificate(struct page *page, const json_t *certificate)
{
	char *names = join(json_object_get(certificate, "names"));
	char until[64];

	put_text(page, 6, "subject", 16, get(certificate, "subject"));
	put_text(page, 6, "names", 16, names == NULL ? "" : names);
	put_text(page, 6, "issuer", 16, get(certificate, "issuer"));
	(void)snprintf(until, sizeof(until), "%.32s", get(certificate, "not_after"));
	put_text(page, 6, "valid until", 18, until);
	put_text(page, 6, "SHA-256", 16, get(certificate, "sha256"));
	free(names);
}

static void put_trial(struct page *page, const json_t *trial)
{
	char where[96];
	char what[160];
	const char *check = get(trial, "check");

	(void)snprintf(where, sizeof(where), "%.60s port %d:", get(trial, "address"),
	    (int)json_integer_value(json_object_get(trial, "port")));
	if (is(trial, "secured"))
		(void)snprintf(what, sizeof(what), "%.32s %.64s", get(trial, "version"),
		    get(trial, "cipher"));
	else
		(void)snprintf(what, sizeof(what), "%s", !is(trial, "connected") ?
		    "not reached" : "no TLS");
	put_text(page, 4, where, 0, what);
	if (is(trial, "secured"))
		put_certificate(page, json_object_get(trial, "certificate"));
	put_text(page, 6, strcmp(check, "passed") == 0 ? "PASSED" :
	    strcmp(check, "failed") == 0 ? "FAILED" : "no check", 16, get(trial, "how"));
}

static void put_server(struct page *page, const json_t *mx)
{
	char *addresses = join(json_object_get(mx, "addresses"));
	char text[160];
	const json_t *trials = json_object_get(mx, "trials");
	size_t i;

	(void)snprintf(text, sizeof(text), "%d",
	    (int)json_integer_value(json_object_get(mx, "preference")));
	put_text(page, 2, text, 8, get(mx, "name"));
	put_text(page, 2, "", 8, addresses == NULL || addresses[0] == '\0' ?
	    "addresses were not looked up" : addresses);
	(void)snprintf(text, sizeof(text), "DNSSEC: %s; usable TLSA records: %d; in the MTA-STS "
	    "policy: %s", is(mx, "secure") ? "yes" : "no",
	    (int)json_integer_value(json_object_get(mx, "tlsa_usable")),
	    is(mx, "sts_match") ? "yes" : "no");
	put_text(page, 2, "", 8, text);
	for (i = 0; i < json_array_size(trials); i++)
		put_trial(page, json_array_get(trials, i));
	free(addresses);
}

/* --- steps --- */

static void put_step(struct page *page, size_t number, const json_t *step)
{
	char label[24];

	(void)snprintf(label, sizeof(label), "%2zu.", number);
	put_text(page, 1, label, 5, get(step, "question"));
	if (get(step, "answer")[0] != '\0')
		put_text(page, 5, "", 9, get(step, "answer"));
	if (get(step, "state")[0] != '\0')
		put_text(page, 5, "", 9, get(step, "state"));
	if (get(step, "meaning")[0] != '\0')
		put_text(page, 5, "", 7, get(step, "meaning"));
}

enum fail_code check_text(const json_t *root, struct buf *out)
{
	struct page page = {out, SG_OK};
	const json_t *mxs = json_object_get(root, "mx");
	const json_t *steps = json_object_get(root, "steps");
	size_t i;

	put_text(&page, 0, "", 0, get(root, "verdict"));
	put(&page, "\n", 1);
	put_policies(&page, json_object_get(root, "policies"));
	if (json_array_size(mxs) > 0)
		put_text(&page, 0, "\nMail servers", 0, "");
	for (i = 0; i < json_array_size(mxs); i++)
		put_server(&page, json_array_get(mxs, i));
	if (json_array_size(steps) > 0)
		put_text(&page, 0, "\nSteps", 0, "");
	for (i = 0; i < json_array_size(steps); i++)
		put_step(&page, i + 1, json_array_get(steps, i));
	return page.code;
}
