#include "milter/language.h"

#include <string.h>

#include "config/template.h"
#include "gateway/base/str.h"

/* Thousandths behind ";q=", 1000 if there is none. */
static unsigned int quality_of(const char *text, size_t size)
{
	const char *at = memmem(text, size, "q=", 2);
	unsigned int quality = 0;
	unsigned int unit = 100;

	if (at == NULL)
		return 1000;
	at += 2;
	if (*at == '1')
		return 1000;
	if (at[0] != '0' || at[1] != '.')
		return 0;
	for (at += 2; *at >= '0' && *at <= '9' && unit > 0; at++, unit /= 10)
		quality += (unsigned int)(*at - '0') * unit;
	return quality;
}

static bool is_language(const char *text, size_t size, enum conf_language *language_out)
{
	for (unsigned int i = 0; i < CONF_LANGUAGES; i++) {
		const char *name = template_language((enum conf_language)i);

		if (size < 2 || !str_equal_case_n(text, name, 2) ||
		    (size > 2 && strchr("-_; \t\r\n", text[2]) == NULL))
			continue;
		*language_out = (enum conf_language)i;
		return true;
	}
	return false;
}

bool language_choose(const char *value, enum conf_language *language_out)
{
	enum conf_language language;
	unsigned int best = 0;

	while (*value != '\0') {
		size_t size = strcspn(value, ",");

		while (size > 0 && str_is_space(*value)) {
			value++;
			size--;
		}
		if (is_language(value, size, &language) && quality_of(value, size) > best) {
			best = quality_of(value, size);
			*language_out = language;
		}
		value += size + (value[size] == ',');
	}
	return best > 0;
}

enum conf_language language_of_message(const struct message *message, enum conf_language preset)
{
	const char *value = message_header(message, "Accept-Language");
	enum conf_language language;

	if (value != NULL && language_choose(value, &language))
		return language;
	value = message_header(message, "Content-Language");
	return value != NULL && language_choose(value, &language) ? language : preset;
}
