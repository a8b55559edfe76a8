#include "pdfenc/html/entity.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NAME_MAX_SIZE 10	/* "thetasym" and its like are the longest we know */

struct entity {
	const char *name;
	uint16_t c;
};

/* The names of HTML 4 (what mail programs write), beyond U+00A0 to U+00FF. */
static const struct entity entities[] = {
	{ "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' },
	{ "AMP", '&' }, { "LT", '<' }, { "GT", '>' }, { "QUOT", '"' },
	{ "OElig", 0x152 }, { "oelig", 0x153 }, { "Scaron", 0x160 }, { "scaron", 0x161 },
	{ "Yuml", 0x178 }, { "fnof", 0x192 }, { "circ", 0x2c6 }, { "tilde", 0x2dc },
	{ "Alpha", 0x391 }, { "Beta", 0x392 }, { "Gamma", 0x393 }, { "Delta", 0x394 },
	{ "Epsilon", 0x395 }, { "Zeta", 0x396 }, { "Eta", 0x397 }, { "Theta", 0x398 },
	{ "Iota", 0x399 }, { "Kappa", 0x39a }, { "Lambda", 0x39b }, { "Mu", 0x39c },
	{ "Nu", 0x39d }, { "Xi", 0x39e }, { "Omicron", 0x39f }, { "Pi", 0x3a0 },
	{ "Rho", 0x3a1 }, { "Sigma", 0x3a3 }, { "Tau", 0x3a4 }, { "Upsilon", 0x3a5 },
	{ "Phi", 0x3a6 }, { "Chi", 0x3a7 }, { "Psi", 0x3a8 }, { "Omega", 0x3a9 },
	{ "alpha", 0x3b1 }, { "beta", 0x3b2 }, { "gamma", 0x3b3 }, { "delta", 0x3b4 },
	{ "epsilon", 0x3b5 }, { "zeta", 0x3b6 }, { "eta", 0x3b7 }, { "theta", 0x3b8 },
	{ "iota", 0x3b9 }, { "kappa", 0x3ba }, { "lambda", 0x3bb }, { "mu", 0x3bc },
	{ "nu", 0x3bd }, { "xi", 0x3be }, { "omicron", 0x3bf }, { "pi", 0x3c0 },
	{ "rho", 0x3c1 }, { "sigmaf", 0x3c2 }, { "sigma", 0x3c3 }, { "tau", 0x3c4 },
	{ "upsilon", 0x3c5 }, { "phi", 0x3c6 }, { "chi", 0x3c7 }, { "psi", 0x3c8 },
	{ "omega", 0x3c9 }, { "thetasym", 0x3d1 }, { "upsih", 0x3d2 }, { "piv", 0x3d6 },
	{ "ensp", 0x2002 }, { "emsp", 0x2003 }, { "thinsp", 0x2009 }, { "zwnj", 0x200c },
	{ "zwj", 0x200d }, { "lrm", 0x200e }, { "rlm", 0x200f }, { "ndash", 0x2013 },
	{ "mdash", 0x2014 }, { "lsquo", 0x2018 }, { "rsquo", 0x2019 }, { "sbquo", 0x201a },
	{ "ldquo", 0x201c }, { "rdquo", 0x201d }, { "bdquo", 0x201e }, { "dagger", 0x2020 },
	{ "Dagger", 0x2021 }, { "bull", 0x2022 }, { "hellip", 0x2026 }, { "permil", 0x2030 },
	{ "prime", 0x2032 }, { "Prime", 0x2033 }, { "lsaquo", 0x2039 }, { "rsaquo", 0x203a },
	{ "oline", 0x203e }, { "frasl", 0x2044 }, { "euro", 0x20ac }, { "image", 0x2111 },
	{ "weierp", 0x2118 }, { "real", 0x211c }, { "trade", 0x2122 }, { "alefsym", 0x2135 },
	{ "larr", 0x2190 }, { "uarr", 0x2191 }, { "rarr", 0x2192 }, { "darr", 0x2193 },
	{ "harr", 0x2194 }, { "crarr", 0x21b5 }, { "lArr", 0x21d0 }, { "uArr", 0x21d1 },
	{ "rArr", 0x21d2 }, { "dArr", 0x21d3 }, { "hArr", 0x21d4 }, { "forall", 0x2200 },
	{ "part", 0x2202 }, { "exist", 0x2203 }, { "empty", 0x2205 }, { "nabla", 0x2207 },
	{ "isin", 0x2208 }, { "notin", 0x2209 }, { "ni", 0x220b }, { "prod", 0x220f },
	{ "sum", 0x2211 }, { "minus", 0x2212 }, { "lowast", 0x2217 }, { "radic", 0x221a },
	{ "prop", 0x221d }, { "infin", 0x221e }, { "ang", 0x2220 }, { "and", 0x2227 },
	{ "or", 0x2228 }, { "cap", 0x2229 }, { "cup", 0x222a }, { "int", 0x222b },
	{ "there4", 0x2234 }, { "sim", 0x223c }, { "cong", 0x2245 }, { "asymp", 0x2248 },
	{ "ne", 0x2260 }, { "equiv", 0x2261 }, { "le", 0x2264 }, { "ge", 0x2265 },
	{ "sub", 0x2282 }, { "sup", 0x2283 }, { "nsub", 0x2284 }, { "sube", 0x2286 },
	{ "supe", 0x2287 }, { "oplus", 0x2295 }, { "otimes", 0x2297 }, { "perp", 0x22a5 },
	{ "sdot", 0x22c5 }, { "lceil", 0x2308 }, { "rceil", 0x2309 }, { "lfloor", 0x230a },
	{ "rfloor", 0x230b }, { "lang", 0x27e8 }, { "rang", 0x27e9 }, { "loz", 0x25ca },
	{ "spades", 0x2660 }, { "clubs", 0x2663 }, { "hearts", 0x2665 }, { "diams", 0x2666 },
};

/* U+00A0 to U+00FF, in order. */
static const char *const latin[96] = {
	"nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy",
	"ordf", "laquo", "not", "shy", "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute",
	"micro", "para", "middot", "cedil", "sup1", "ordm", "raquo", "frac14", "frac12",
	"frac34", "iquest", "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig",
	"Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute", "Icirc", "Iuml",
	"ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash",
	"Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave", "aacute",
	"acirc", "atilde", "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc",
	"euml", "igrave", "iacute", "icirc", "iuml", "eth", "ntilde", "ograve", "oacute",
	"ocirc", "otilde", "ouml", "divide", "oslash", "ugrave", "uacute", "ucirc", "uuml",
	"yacute", "thorn", "yuml",
};

/* What numbers 128 to 159 mean: Windows-1252, as HTML says. */
static const uint16_t windows[32] = {
	0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039,
	0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178,
};

static gunichar find_name(const char *name, size_t size)
{
	for (size_t i = 0; i < G_N_ELEMENTS(entities); i++)
		if (strlen(entities[i].name) == size && memcmp(entities[i].name, name, size) == 0)
			return entities[i].c;
	for (unsigned int i = 0; i < G_N_ELEMENTS(latin); i++)
		if (strlen(latin[i]) == size && memcmp(latin[i], name, size) == 0)
			return 0xa0 + i;
	return 0;
}

/* A character that may stand in clean text, else U+FFFD. */
static gunichar safe_char(gunichar c)
{
	if (c >= 0x80 && c < 0xa0)
		c = windows[c - 0x80];
	if (c == '\t' || c == '\n' || c == '\r')
		return ' ';
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c > 0x10ffff || (c & 0xfffe) == 0xfffe ||
	    (c >= 0xd800 && c < 0xe000) || (c >= 0xfdd0 && c < 0xfdf0) || c == 0x2028 ||
	    c == 0x2029 || c == 0xfeff)
		return 0xfffd;
	return c;
}

static size_t read_number(const char *text, size_t size, GString *out)
{
	bool hexadecimal = size > 2 && (text[2] == 'x' || text[2] == 'X');
	size_t at = hexadecimal ? 3 : 2;
	size_t start = at;
	gunichar value = 0;

	for (; at < size; at++) {
		int digit = hexadecimal ? g_ascii_xdigit_value(text[at]) :
		    g_ascii_digit_value(text[at]);

		if (digit < 0)
			break;
		if (value <= 0x10ffff)
			value = value * (hexadecimal ? 16 : 10) + (gunichar)digit;
	}
	if (at == start)
		return 0;
	g_string_append_unichar(out, safe_char(value));
	return at < size && text[at] == ';' ? at + 1 : at;
}

size_t entity_read(const char *text, size_t size, GString *out)
{
	size_t end = 1;
	gunichar c;

	if (size >= 3 && text[1] == '#')
		return read_number(text, size, out);
	while (end < size && end <= NAME_MAX_SIZE && g_ascii_isalnum(text[end]))
		end++;
	if (end == 1)
		return 0;
	c = find_name(text + 1, end - 1);
	if (c == 0 || end >= size || text[end] != ';')
		return 0;
	g_string_append_unichar(out, c);
	return end + 1;
}
