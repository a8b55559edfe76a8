/* The part of template.h that looks at texts of administrators. */
#include <string.h>

#include "config/template.h"
#include "gateway/base/str.h"

#define SUBJECT "Subject: "
#define LIST_MAX 16	/* names in a list below, with its end */

struct kind {
	const char *name;
	const char *names[LIST_MAX];	/* ${...} that it may have */
	const char *expected;		/* the same in words */
	bool letter;			/* begins with its subject */
	const char *needed[3];		/* ${...} that it must have; ended by NULL */
};

#define OUTER_NAMES { "sender", "name", "recipient", "subject", "organisation", "colour", \
	"logo", "file", "how", "files", "invitation", "help", "help_url", "closing", NULL }
#define OUTER_EXPECTED "${sender}, ${name}, ${recipient}, ${subject}, ${organisation}, " \
	"${colour}, ${logo}, ${file}, ${how}, ${files}, ${invitation}, ${help}, " \
	"${help_url} or ${closing}"
#define LETTER_NAMES { "password", "recipients", "subject", "date", "kept", NULL }
#define LETTER_EXPECTED "${password}, ${recipients}, ${subject}, ${date} or ${kept}"
#define UNHANDED_NAMES { "recipients", "subject", "date", "reason", NULL }
#define UNHANDED_EXPECTED "${recipients}, ${subject}, ${date} or ${reason}"
#define REFUSED_NAMES { "recipients", "subject", "date", "why", "detail", NULL }
#define REFUSED_EXPECTED "${recipients}, ${subject}, ${date}, ${why} or ${detail}"
#define SEALED_NAMES { "recipients", "subject", "date", NULL }
#define SEALED_EXPECTED "${recipients}, ${subject} or ${date}"

static const struct kind kinds[] = {
	{ TEMPLATE_PASSWORD, LETTER_NAMES, LETTER_EXPECTED, true, { "${password}", NULL } },
	{ TEMPLATE_KEPT, LETTER_NAMES, LETTER_EXPECTED, false, { NULL } },
	{ TEMPLATE_UNHANDED, UNHANDED_NAMES, UNHANDED_EXPECTED, true, { NULL } },
	{ TEMPLATE_REFUSED, REFUSED_NAMES, REFUSED_EXPECTED, true,
	    { "${recipients}", "${why}", NULL } },
	{ TEMPLATE_SEALED, SEALED_NAMES, SEALED_EXPECTED, true, { "${recipients}", NULL } },
	{ TEMPLATE_OUTER, OUTER_NAMES, OUTER_EXPECTED, false, { NULL } },
	{ TEMPLATE_OUTER_HTML, OUTER_NAMES, OUTER_EXPECTED, false, { NULL } },
	{ TEMPLATE_WORDS, { "sender", "name", "recipient", "file", "number", NULL },
	    "${sender}, ${name}, ${recipient}, ${file} or ${number}", false, { NULL } },
};

static const char *const sections[] = { "file", "recipient", "chosen", "generated", "hook", "sms",
	"files", "invitation", "help", "closing", "closing-help", "as-envelope", "as-recipient",
	"as-chosen", "as-generated", "as-hook", "as-sms", "as-tls", "as-inside", "no-protection",
	"no-tls", "no-mail", "no-room", "no-way", NULL };

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

static bool is_among(const char *const *list, const char *name, size_t size)
{
	for (; *list != NULL; list++) {
		if (strlen(*list) == size && strncmp(*list, name, size) == 0)
			return true;
	}
	return false;
}

static bool is_utf8(const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t size = str_utf8_char(text, left);

		if (size == 0 || *text == '\r')
			return false;
		text += size;
		left -= size;
	}
	return true;
}

static enum fail_code check_names(const struct kind *kind, const char *text, struct fail *f)
{
	for (; *text != '\0'; text++) {
		const char *name = NULL;
		size_t size = 0;

		if (text[0] != '$' || text[1] != '{')
			continue;
		if (template_name_at(text, &name, &size) == 0)
			return fail_set(f, SG_EUSAGE, "} behind the name", "${ without an end");
		if (!is_among(kind->names, name, size))
			return fail_set(f, SG_EUSAGE, kind->expected, "${%.*s} is not known",
			    (int)(size > 40 ? 40 : size), name);
	}
	return SG_OK;
}

/* ---- letters ---- */

static enum fail_code check_letter(const struct kind *kind, const char *text, struct fail *f)
{
	const char *end = strchr(text, '\n');

	if (!str_starts_case(text, SUBJECT) || end == NULL || end[1] != '\n')
		return fail_set(f, SG_EUSAGE, "a line \"Subject: ...\" and an empty line first",
		    "a text without a subject");
	if (memmem(text, (size_t)(end - text), "${", 2) != NULL)
		return fail_set(f, SG_EUSAGE, "the same words for every message",
		    "${ in the subject, which is not kept secret");
	for (const char *const *name = kind->needed; *name != NULL; name++) {
		if (strstr(end, *name) == NULL)
			return fail_set(f, SG_EUSAGE, *name, "a text without %s in its body",
			    *name);
	}
	return SG_OK;
}

/* ---- the outer mail ---- */

static enum fail_code check_outer(const char *text, struct fail *f)
{
	if (strstr(text, "${sender}") == NULL && strstr(text, "${name}") == NULL)
		return fail_set(f, SG_EUSAGE, "${sender} or ${name} in it",
		    "a text that does not tell who sent the message");
	if (strstr(text, "${file}") == NULL || strstr(text, "${how}") == NULL)
		return fail_set(f, SG_EUSAGE, "${file} and ${how} in it",
		    "a text that does not tell how the message is read");
	return SG_OK;
}

/* "src=" and the like may only name what is in the mail. */
static bool fetches(const char *text, const char *word)
{
	const char *at = text;

	while ((at = strcasestr(at, word)) != NULL) {
		at += strlen(word);
		at += strspn(at, " \t\n\"'");
		if (!str_starts_case(at, "cid:") && !str_starts_case(at, "data:") &&
		    strncmp(at, "${", 2) != 0)
			return true;
	}
	return false;
}

static enum fail_code check_html(const char *text, struct fail *f)
{
	static const char *const refused[] = { "<script", "<iframe", "<object", "<embed", "<form",
		"<link", "<base", "http-equiv", "javascript:", "@import", NULL };
	static const char *const fetching[] = { "src=", "srcset=", "background=", "url(", NULL };

	for (size_t i = 0; refused[i] != NULL; i++) {
		if (strcasestr(text, refused[i]) != NULL)
			return fail_set(f, SG_EUSAGE, "HTML that is only looked at",
			    "%s, which mail programs and filters do not take", refused[i]);
	}
	for (size_t i = 0; fetching[i] != NULL; i++) {
		if (fetches(text, fetching[i]))
			return fail_set(f, SG_EUSAGE, "${logo}, cid: or data:",
			    "%s with something that is not in the mail", fetching[i]);
	}
	return SG_OK;
}

/* ---- words ---- */

/* A name for the PDF: ASCII, so that no program has to decode it. */
static enum fail_code check_file(const char *text, struct fail *f)
{
	size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-_.");

	if (size < 5 || size >= TEMPLATE_FILE_MAX || text[0] == '.' ||
	    !str_equal_case_n(text + size - 4, ".pdf", 4) ||
	    str_trim_end(text, strcspn(text, "[")) != size)
		return fail_set(f, SG_EUSAGE, "a name of letters, digits, - and _ that ends in "
		    ".pdf", "[file] is no name for a PDF");
	return SG_OK;
}

/* Sections of notices are about any recipient. */
static enum fail_code check_plain(const char *text, struct fail *f)
{
	const char *name;
	size_t size;
	const char *end = template_next_section(text, &name, &size);
	size_t whole = end == NULL ? strlen(text) : (size_t)(end - text);

	return memmem(text, whole, "${", 2) == NULL ? SG_OK : fail_set(f, SG_EUSAGE,
	    "words alone in [as-...] and [no-...]", "${ in a section of notices");
}

static enum fail_code check_words(const char *text, struct fail *f)
{
	enum fail_code code = SG_OK;
	const char *name;
	size_t size;

	text = template_next_section(text, &name, &size);
	if (text == NULL)
		return fail_set(f, SG_EUSAGE, "sections such as [file]", "no section");
	for (; code == SG_OK && text != NULL; text = template_next_section(text, &name, &size)) {
		bool file = size == 4 && strncmp(name, "file", 4) == 0;

		if (!is_among(sections, name, size))
			return fail_set(f, SG_EUSAGE, "sections as in the built-in words.txt: "
			    "sealgate config template en/words.txt", "[%.*s] is not known",
			    (int)(size > 40 ? 40 : size), name);
		text += strcspn(text, "\n");
		text += strspn(text, "\n \t");
		if (*text == '\0' || *text == '[')
			return fail_set(f, SG_EUSAGE, "a sentence in each section",
			    "[%.*s] is empty", (int)size, name);
		if (file)
			code = check_file(text, f);
		if (size > 3 && (strncmp(name, "as-", 3) == 0 || strncmp(name, "no-", 3) == 0))
			code = check_plain(text, f);
	}
	return code;
}

enum fail_code template_check(const char *name, const char *text, struct fail *f)
{
	const struct kind *kind = kind_of(name);
	bool html = strcmp(name, TEMPLATE_OUTER_HTML) == 0;
	enum fail_code code;

	SG_BUG_IF(kind == NULL);
	if (strlen(text) > (html ? TEMPLATE_HTML_MAX : TEMPLATE_MAX))
		return fail_set(f, SG_EUSAGE, html ? "at most 64 KB" : "at most 8 KB",
		    "a text that is too long");
	if (!is_utf8(text))
		return fail_set(f, SG_EUSAGE, "UTF-8 with lines that end in LF",
		    "a text that is no UTF-8, or has CR");
	code = check_names(kind, text, f);
	if (code == SG_OK && kind->letter)
		code = check_letter(kind, text, f);
	if (code == SG_OK && (html || strcmp(name, TEMPLATE_OUTER) == 0))
		code = check_outer(text, f);
	if (code == SG_OK && html)
		code = check_html(text, f);
	if (code == SG_OK && strcmp(name, TEMPLATE_WORDS) == 0)
		code = check_words(text, f);
	return code;
}
