#include "pdfenc/html/symbols.h"

#include "gateway/base/str.h"

/* Word also writes them as U+F000 + code. */
#define PRIVATE_FIRST 0xf020u
#define PRIVATE_LAST 0xf0ffu

struct sign {
	gunichar code;
	gunichar unicode;
};

static const struct sign wingdings[] = { { 0x22, 0x2702 }, { 0x28, 0x260e }, { 0x2a, 0x2709 },
	{ 0x43, 0x1f44d }, { 0x44, 0x1f44e }, { 0x45, 0x261c }, { 0x46, 0x261e }, { 0x47, 0x261d },
	{ 0x48, 0x261f }, { 0x4a, 0x263a }, { 0x4b, 0x1f610 }, { 0x4c, 0x2639 }, { 0x52, 0x263c },
	{ 0x54, 0x2744 }, { 0x6c, 0x25cf }, { 0x6d, 0x274d }, { 0x6e, 0x25a0 }, { 0x6f, 0x25a1 },
	{ 0x71, 0x2751 }, { 0x72, 0x2752 }, { 0x75, 0x25c6 }, { 0x76, 0x2756 }, { 0x77, 0x2b25 },
	{ 0x9f, 0x2022 }, { 0xa1, 0x25cb }, { 0xa7, 0x25aa }, { 0xa8, 0x25fb }, { 0xab, 0x2605 },
	{ 0xb7, 0x2022 }, { 0xd8, 0x27a2 }, { 0xdf, 0x2190 }, { 0xe0, 0x2192 }, { 0xe1, 0x2191 },
	{ 0xe2, 0x2193 }, { 0xe8, 0x2794 }, { 0xf0, 0x21e8 }, { 0xfb, 0x2717 }, { 0xfc, 0x2713 },
	{ 0xfd, 0x2612 }, { 0xfe, 0x2611 } };

static const struct sign symbol[] = { { 0xa3, 0x2264 }, { 0xa5, 0x221e }, { 0xac, 0x2190 },
	{ 0xad, 0x2191 }, { 0xae, 0x2192 }, { 0xaf, 0x2193 }, { 0xb3, 0x2265 }, { 0xb7, 0x2022 },
	{ 0xb9, 0x2260 }, { 0xbb, 0x2248 }, { 0xd6, 0x221a }, { 0xde, 0x21d2 }, { 0xe0, 0x25ca } };

enum symbols symbols_of(const char *families)
{
	while (str_is_space(*families) || *families == '"' || *families == '\'')
		families++;
	if (str_starts_case(families, "wingdings") && families[9] != ' ')
		return SYMBOLS_WINGDINGS;
	return str_starts_case(families, "symbol") ? SYMBOLS_SYMBOL : SYMBOLS_NONE;
}

void symbols_translate(enum symbols symbols, const char *text, GString *out)
{
	const struct sign *signs = symbols == SYMBOLS_WINGDINGS ? wingdings : symbol;
	size_t count = symbols == SYMBOLS_WINGDINGS ? G_N_ELEMENTS(wingdings) :
	    G_N_ELEMENTS(symbol);

	for (; *text != '\0'; text = g_utf8_next_char(text)) {
		gunichar code = g_utf8_get_char(text);
		gunichar unicode = code;

		if (code >= PRIVATE_FIRST && code <= PRIVATE_LAST)
			code -= PRIVATE_FIRST - 0x20;
		for (size_t i = 0; i < count; i++)
			if (signs[i].code == code)
				unicode = signs[i].unicode;
		g_string_append_unichar(out, unicode);
	}
}
