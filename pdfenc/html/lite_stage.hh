/*
 * lite_stage: where litehtml draws: the sheet behind its document_container, for lite.cc alone.
 *
 * C++. Collects words into lines, finds the structure that text belongs to, draws grounds, borders,
 * pictures and the boxes of those that would have to be fetched. Counts work and throws Limit when
 * there was too much of it; never while gumbo's C is on the stack.
 */
#ifndef SG_PDFENC_HTML_LITE_STAGE_HH
#define SG_PDFENC_HTML_LITE_STAGE_HH

#include <glib.h>
#include <pango/pango.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include <litehtml.h>

/* C: functions there are called as the structures that they make */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
extern "C" {
#include "pdfenc/flow.h"
#include "pdfenc/html/css.h"
#include "pdfenc/html/lite.h"
#include "pdfenc/html/symbols.h"
}
#pragma GCC diagnostic pop

namespace lite {

using litehtml::position;

constexpr int tiny = 2 * CSS_UNIT;		/* text below is hidden by its sender */
/* pictures below are there to be fetched, not seen */
constexpr int pixel_trap = 3 * CSS_UNIT;
constexpr int alt_height = 26 * CSS_UNIT;
constexpr unsigned check_each = 64;		/* steps between looks at the clock */
constexpr size_t links_max = 5000;

struct Limit {};

class Stage;

/* What drawing asks of each element, whatever litehtml class it is. */
class Node
{
public:
	virtual Node *up() = 0;
	virtual bool is_inline() const = 0;
	virtual bool backward() = 0;
	virtual char const *attribute(char const *name) const = 0;
	virtual char const *name() const = 0;
	virtual litehtml::web_color ground() = 0;
	virtual bool over_picture() = 0;
	unsigned element = 0;		/* of the structure; 0: not made yet */
	unsigned paragraph = 0;
	unsigned link = 0;
	char const *uri = nullptr;
	bool uri_known = false;
	bool data_table = false;

protected:
	~Node() = default;
};

inline int64_t cpu_ms()
{
	timespec now;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
		return 0;
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

constexpr uint32_t letter(char first)
{
	return first >= 'a' && first <= 'z' ? 1u << (first - 'a') : 1u << 26;
}

/* Properties that litehtml makes of attributes, and those that shorthands become. */
constexpr uint32_t letters_of_attributes = letter('w') | letter('h') | letter('b') | letter('t') |
    letter('v') | letter('m') | letter('c') | letter('p') | letter('f') | letter('-') | letter('l');

/* A property's number; those that are asked for first get one. */
constexpr unsigned property_max = 128;	/* litehtml asks for 90; also: there is no number */

/* Each letter that could begin a name in declarations, and what shorthands become. */
inline uint32_t letters_of(std::string const &text)
{
	uint32_t letters = 0;
	bool name = true;

	for (char each : text) {
		if (name && each >= 'a' && each <= 'z')
			letters |= letter(each);
		name = std::strchr(";{ \n\t", each) != nullptr;
	}
	/* border-spacing and font become others */
	if ((letters & letter('b')) != 0)
		letters |= letter('-');
	return (letters & letter('f')) != 0 ? letters | letter('l') : letters;
}

/*
 * Declarations as litehtml keeps them, those of several rules put together: elements with the same
 * rules share them. What was asked of them is kept.
 */
struct Declared {
	litehtml::style style;
	std::map<Declared const *, Declared> and_then;	/* with these behind */
	uint32_t letters = 0;		/* with which the names of its properties may begin */
	char const *values[property_max] = {};
	bool known[property_max] = {};

	char const *get(unsigned property, char const *name)
	{
		if ((letters & letter(name[0])) == 0)
			return nullptr;
		if (property >= property_max)
			return style.get_property(name);
		if (!known[property]) {
			known[property] = true;
			values[property] = style.get_property(name);
		}
		return values[property];
	}
};

/* The number of a name: names are litehtml's literals, so that their address tells most. */
class Properties
{
public:
	unsigned find(char const *name)
	{
		Seen &at = seen[reinterpret_cast<uintptr_t>(name) / 4 % seen_max];

		if (at.name != name || std::strcmp(at.copy.c_str(), name) != 0) {
			auto known = numbers.emplace(name, numbers.size()).first;

			at = { name, known->first, static_cast<unsigned>(known->second) };
		}
		return std::min(at.number, property_max);
	}

private:
	static constexpr size_t seen_max = 1024;
	struct Seen {
		char const *name = nullptr;
		std::string copy;
		unsigned number = 0;
	};
	Seen seen[seen_max];
	std::unordered_map<std::string, size_t> numbers;
};

/*
 * The rules of a style sheet by what an element must have for one to fit: a class, or its kind.
 * litehtml would try all rules on all elements.
 */
class Rules
{
public:
	explicit Rules(litehtml::css const &sheet) : all(sheet.selectors())
	{
		for (unsigned i = 0; i < all.size(); i++)
			keys[key_of(all[i]->m_right)].push_back(i);
	}

	/* Those that may fit, in their order. */
	std::vector<unsigned> choose(std::string const &tag,
	    litehtml::string_vector const &classes) const
	{
		std::vector<unsigned> chosen;

		add(std::string(), chosen);
		add(tag, chosen);
		for (std::string const &each : classes)
			add('.' + lower(each), chosen);
		std::sort(chosen.begin(), chosen.end());
		chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
		return chosen;
	}

	litehtml::css_selector::ptr const &at(unsigned index) const { return all[index]; }

private:
	litehtml::css_selector::vector const &all;
	std::unordered_map<std::string, std::vector<unsigned>> keys;

	static std::string lower(std::string text)
	{
		for (char &each : text)
			each = g_ascii_tolower(each);
		return text;
	}

	static std::string key_of(litehtml::css_element_selector const &right)
	{
		for (auto const &each : right.m_attrs)
			if (each.attribute == "class" && each.condition == litehtml::select_equal &&
			    !each.class_val.empty())
				return '.' + lower(each.class_val[0]);
		return right.m_tag == "*" ? std::string() : right.m_tag;
	}

	void add(std::string const &key, std::vector<unsigned> &chosen) const
	{
		auto found = keys.find(key);

		if (found != keys.end())
			chosen.insert(chosen.end(), found->second.begin(), found->second.end());
	}
};

struct Remote {
	std::string alt;
	bool has_width;
	bool has_height;
};

/* The whole number that text begins with, at most a million either way; else fallback. */
inline int number_at(char const *text, int fallback)
{
	bool minus = text != nullptr && *text == '-';
	int value = 0;

	if (text == nullptr || text[minus] < '0' || text[minus] > '9')
		return fallback;
	for (text += minus; *text >= '0' && *text <= '9' && value <= 100000; text++)
		value = value * 10 + (*text - '0');
	return minus ? -value : value;
}

inline unsigned decoration_of(unsigned decoration)
{
	unsigned all = 0;

	if ((decoration & litehtml::font_decoration_underline) != 0)
		all |= WORDS_UNDERLINE;
	if ((decoration & litehtml::font_decoration_linethrough) != 0)
		all |= WORDS_STRIKE;
	if ((decoration & litehtml::font_decoration_overline) != 0)
		all |= WORDS_OVERLINE;
	return all;
}

class Stage final : public litehtml::document_container
{
public:
	Stage(lite_request const &asked, struct sheet *out, Properties &known) :
	    properties(known), request(asked), sheet(out)
	{
		until = cpu_ms() + asked.cpu_ms_max;
	}

	void step()
	{
		if (++steps % check_each == 0 && cpu_ms() > until)
			throw Limit();
	}

	float pt(int units) const { return static_cast<float>(units) * request.scale; }

	/* ---- fonts and text ---- */

	litehtml::uint_ptr create_font(char const *face, int size, int weight,
	    litehtml::font_style italic, unsigned decoration, litehtml::font_metrics *fm) override
	{
		struct words_style style = {};
		struct words_metrics metrics = {};
		unsigned font;

		style.family = face;
		style.size = std::max(size, 0);
		style.weight = weight;
		style.italic = italic == litehtml::fontStyleItalic;
		style.decoration = decoration_of(decoration);
		font = words_font(request.words, &style, &metrics);
		fm->ascent = metrics.ascent;
		fm->descent = metrics.descent;
		fm->height = metrics.ascent + metrics.descent;
		fm->x_height = metrics.x_height;
		fm->draw_spaces = true;
		sizes[font] = size;
		return handle(font, symbols_of(face));
	}

	void delete_font(litehtml::uint_ptr) override {}

	int text_width(char const *text, litehtml::uint_ptr font) override
	{
		step();
		if (font == 0)
			return 0;
		return words_width(request.words, readable(text, font), number_of(font));
	}

	void draw_text(litehtml::uint_ptr, char const *text, litehtml::uint_ptr font,
	    litehtml::web_color color, position const &pos) override;

	int pt_to_px(int points) const override { return points * CSS_UNIT * 4 / 3; }
	int get_default_font_size() const override { return 16 * CSS_UNIT; }
	char const *get_default_font_name() const override { return "sans-serif"; }

	void transform_text(litehtml::tstring &text, litehtml::text_transform how) override;

	void split_text(char const *text, std::function<void(char const *)> const &on_word,
	    std::function<void(char const *)> const &on_space) override
	{
		struct Both {
			std::function<void(char const *)> const &word;
			std::function<void(char const *)> const &space;
		} both = { on_word, on_space };

		words_split(text,
		    [](void *context, char const *piece) {
			    static_cast<Both *>(context)->word(piece);
		    },
		    [](void *context, char const *piece) {
			    static_cast<Both *>(context)->space(piece);
		    },
		    &both);
	}

	/* ---- pictures, grounds, borders ---- */

	void load_image(char const *, char const *, bool) override {}
	void get_image_size(char const *source, char const *, litehtml::size &size) override;
	void draw_background(litehtml::uint_ptr, litehtml::background_paint const &paint) override;
	void draw_borders(litehtml::uint_ptr, litehtml::borders const &borders,
	    position const &where, bool root) override;
	void draw_list_marker(litehtml::uint_ptr, litehtml::list_marker const &marker) override;

	/* ---- the world around, of which there is none ---- */

	void set_caption(char const *) override {}
	void set_base_url(char const *) override {}
	void link(std::shared_ptr<litehtml::document> const &,
	    litehtml::element::ptr const &) override
	{
	}
	void on_anchor_click(char const *, litehtml::element::ptr const &) override {}
	void set_cursor(char const *) override {}
	void import_css(litehtml::tstring &, litehtml::tstring const &,
	    litehtml::tstring &) override
	{
	}
	void set_clip(position const &, litehtml::border_radiuses const &, bool, bool) override {}
	void del_clip() override {}

	void get_client_rect(position &client) const override
	{
		client = position(0, 0, request.width, 0);
	}

	std::shared_ptr<litehtml::element> create_element(char const *name,
	    litehtml::string_map const &attributes,
	    std::shared_ptr<litehtml::document> const &document) override;

	void get_media_features(litehtml::media_features &media) const override
	{
		media.type = litehtml::media_type_screen;
		media.width = media.device_width = request.width;
		media.height = media.device_height = request.width;
		media.color = 8;
	}

	void get_language(litehtml::tstring &language, litehtml::tstring &culture) const override
	{
		language = "en";
		culture = "";
	}

	/* ---- where drawing stands ---- */

	Node *current = nullptr;	/* whose children are drawn */
	Node *drawing = nullptr;	/* what draws itself */
	position const *item = nullptr;	/* of a list from right to left that draws its marker */
	Remote const *asking = nullptr;

	int mirrored(position const &pos) const
	{
		return item != nullptr ? item->right() + item->left() - pos.right() : pos.x;
	}

	std::vector<Remote> remotes;

	Rules const &rules(litehtml::css const &of)
	{
		auto known = sheets.find(&of);

		return known != sheets.end() ? known->second :
		    sheets.emplace(&of, Rules(of)).first->second;
	}

	Properties &properties;
	Declared nothing;		/* what elements without rules have */

	/* before, then what text declares. */
	Declared *declared(Declared *before, std::string const &text)
	{
		auto known = texts.find(text);

		if (known == texts.end()) {
			known = texts.emplace(text, Declared()).first;
			known->second.style.add(text.c_str(), nullptr, nullptr);
			known->second.letters = letters_of(text);
		}
		if (before == &nothing)
			return &known->second;

		auto both = before->and_then.find(&known->second);

		if (both == before->and_then.end()) {
			both = before->and_then.emplace(&known->second, Declared()).first;
			both->second.style = before->style;
			both->second.style.combine(known->second.style);
			both->second.letters = before->letters | known->second.letters;
		}
		return &both->second;
	}

	void flush();
	unsigned text_element(Node *node);
	unsigned element_of(Node *node);
	display_image const *picture(std::string const &source);
	void draw_picture(position const &pos, std::string const &source, char const *alt);
	void draw_remote(position const &pos, Remote const &remote);

	void row(int top, int bottom) { sheet_span(sheet, pt(top), pt(bottom), false); }

private:
	lite_request const &request;
	struct sheet *sheet;
	int64_t until;
	unsigned steps = 0;
	size_t links = 0;
	std::unordered_map<unsigned, int> sizes;
	std::map<std::string, display_image const *> pictures;
	std::unordered_map<std::string, Declared> texts;
	std::unordered_map<litehtml::css const *, Rules> sheets;

	/* the line that is being collected */
	std::vector<words_piece> pieces;
	std::vector<std::string *> held;
	float baseline = 0;
	float line_end = 0;
	bool line_backward = false;

	/* a handle: the number of the font, and whether its text is signs */
	static litehtml::uint_ptr handle(unsigned font, enum symbols symbols)
	{
		return (static_cast<litehtml::uint_ptr>(symbols) << 32) + font + 1;
	}
	static unsigned number_of(litehtml::uint_ptr font)
	{
		return static_cast<unsigned>(font - 1);
	}
	/* text, or what it stands for; until the next call */
	char const *readable(char const *text, litehtml::uint_ptr font);
	std::string signs;

	char const *uri_of(Node *node);
	bool is_hidden(litehtml::web_color const &color, int size);
	void fill(position const &pos, litehtml::web_color const &color,
	    litehtml::border_radiuses const &radius);
	void side(int x, int y, int width, int height, litehtml::border const &border);
	void alt_text(position const &pos, std::string const &alt, unsigned in);
};

bool is_one_of(char const *name, std::initializer_list<char const *> names);

} // namespace lite

#endif
