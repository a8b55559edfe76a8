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
#include <litehtml/el_anchor.h>
#include <litehtml/el_body.h>
#include <litehtml/el_div.h>
#include <litehtml/el_font.h>
#include <litehtml/el_image.h>
#include <litehtml/el_para.h>
#include <litehtml/el_table.h>
#include <litehtml/el_td.h>
#include <litehtml/el_tr.h>


/* C: functions there are called as the structures that they make */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
extern "C" {
#include "pdfenc/flow.h"
#include "pdfenc/html/css.h"
#include "pdfenc/html/lite.h"
#include "pdfenc/html/master.h"
}
#pragma GCC diagnostic pop

namespace {

using litehtml::position;

constexpr int tiny = 2 * CSS_UNIT;		/* text below is hidden by its sender */
constexpr int pixel_trap = 3 * CSS_UNIT;	/* pictures below are there to be fetched, not seen */
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

int64_t cpu_ms()
{
	timespec now;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
		return 0;
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct Remote {
	std::string alt;
	bool has_width;
	bool has_height;
};

class Stage final : public litehtml::document_container
{
public:
	Stage(lite_request const &asked, struct sheet *out) : request(asked), sheet(out)
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
		style.decoration =
		    ((decoration & litehtml::font_decoration_underline) != 0 ? +WORDS_UNDERLINE : 0u) |
		    ((decoration & litehtml::font_decoration_linethrough) != 0 ? +WORDS_STRIKE : 0u) |
		    ((decoration & litehtml::font_decoration_overline) != 0 ? +WORDS_OVERLINE : 0u);
		font = words_font(request.words, &style, &metrics);
		fm->ascent = metrics.ascent;
		fm->descent = metrics.descent;
		fm->height = metrics.ascent + metrics.descent;
		fm->x_height = metrics.x_height;
		fm->draw_spaces = true;
		sizes[font] = size;
		return font + 1;
	}

	void delete_font(litehtml::uint_ptr) override {}

	int text_width(char const *text, litehtml::uint_ptr font) override
	{
		step();
		return font != 0 ? words_width(request.words, text, static_cast<unsigned>(font - 1)) :
		    0;
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
	void link(std::shared_ptr<litehtml::document> const &, litehtml::element::ptr const &) override
	{
	}
	void on_anchor_click(char const *, litehtml::element::ptr const &) override {}
	void set_cursor(char const *) override {}
	void import_css(litehtml::tstring &, litehtml::tstring const &, litehtml::tstring &) override {}
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

	/* the line that is being collected */
	std::vector<words_piece> pieces;
	std::vector<std::string *> held;
	float baseline = 0;
	float line_end = 0;
	bool line_backward = false;

	char const *uri_of(Node *node);
	bool is_hidden(litehtml::web_color color, int size);
	void fill(position const &pos, litehtml::web_color color, litehtml::border_radiuses const &radius);
	void side(int x, int y, int width, int height, litehtml::border const &border);
	void alt_text(position const &pos, std::string const &alt, unsigned in);
};

display_color color_of(litehtml::web_color color)
{
	display_color out;

	out.red = static_cast<float>(color.red) / 255.0f;
	out.green = static_cast<float>(color.green) / 255.0f;
	out.blue = static_cast<float>(color.blue) / 255.0f;
	out.clear = 1.0f - static_cast<float>(color.alpha) / 255.0f;
	return out;
}

bool is_one_of(char const *name, std::initializer_list<char const *> names)
{
	for (char const *each : names)
		if (std::strcmp(each, name) == 0)
			return true;
	return false;
}

/* ---- structure ---- */

char const *tag_of(Node *node)
{
	static char const *const headings[] = { "H1", "H2", "H3", "H4", "H5", "H6" };
	char const *name = node->name();

	if (name[0] == 'h' && name[1] >= '1' && name[1] <= '6' && name[2] == '\0')
		return headings[name[1] - '1'];
	if (is_one_of(name, { "p", "pre", "address" }))
		return "P";
	if (is_one_of(name, { "ul", "ol" }))
		return "L";
	if (std::strcmp(name, "li") == 0)
		return "LI";
	for (Node *up = node; up != nullptr; up = up->up())
		if (std::strcmp(up->name(), "table") == 0) {
			if (!up->data_table)
				return nullptr;
			return is_one_of(name, { "table" }) ? "Table" : is_one_of(name, { "tr" }) ? "TR" :
			    is_one_of(name, { "td" }) ? "TD" : is_one_of(name, { "th" }) ? "TH" : nullptr;
		}
	return nullptr;
}

unsigned span_attribute(Node *node, char const *name)
{
	char const *text = node->attribute(name);

	return text != nullptr ? static_cast<unsigned>(std::min(std::max(std::atoi(text), 1), 100)) :
	    0;
}

/* The element that stands for node, or for what is around it. */
unsigned Stage::element_of(Node *node)
{
	char const *tag;
	unsigned around;

	if (node == nullptr)
		return SHEET_NONE;
	if (node->element != 0)
		return node->element - 1;
	around = element_of(node->up());
	tag = tag_of(node);
	if (tag != nullptr && std::strcmp(tag, "LI") == 0 && around == SHEET_NONE)
		tag = "P";
	if (tag != nullptr)
		around = sheet_element(sheet, around, tag, nullptr);
	if (tag != nullptr && tag[0] == 'T') {
		struct display_element *made = g_array_index(sheet->elements, struct sheet_element,
		    around - 1).element;

		made->rows = span_attribute(node, "rowspan");
		made->columns = span_attribute(node, "colspan");
	}
	if (tag != nullptr && std::strcmp(tag, "LI") == 0)
		around = sheet_element(sheet, around, "LBody", nullptr);
	node->element = around + 1;
	return around;
}

char const *Stage::uri_of(Node *node)
{
	char const *href;
	char *uri;

	if (node->uri_known)
		return node->uri;
	node->uri_known = true;
	href = node->attribute("href");
	while (href != nullptr && (*href == ' ' || *href == '\n' || *href == '\t'))
		href++;
	uri = href != nullptr && links < links_max ? flow_uri(href, std::strlen(href)) : nullptr;
	if (uri != nullptr) {
		node->uri = display_text(sheet->display, uri, std::strlen(uri));
		links++;
	}
	g_free(uri);
	return node->uri;
}

/* What text directly inside node belongs to: a paragraph of its own if nothing better is there. */
unsigned Stage::text_element(Node *node)
{
	Node *block = node;
	Node *anchor = nullptr;

	for (Node *at = node; at != nullptr && anchor == nullptr; at = at->up())
		if (std::strcmp(at->name(), "a") == 0)
			anchor = uri_of(at) != nullptr ? at : nullptr;
	while (block != nullptr && block->is_inline() && block->up() != nullptr)
		block = block->up();
	if (block == nullptr)
		return SHEET_NONE;
	if (block->paragraph == 0) {
		char const *tag = tag_of(block);
		unsigned in = element_of(block);

		block->paragraph = (tag != nullptr && !is_one_of(tag, { "L", "Table", "TR" }) ? in :
		    sheet_element(sheet, in, "P", nullptr)) + 1;
	}
	if (anchor == nullptr)
		return block->paragraph - 1;
	if (anchor->link == 0)
		anchor->link = sheet_element(sheet, block->paragraph - 1, "Link", nullptr) + 1;
	return anchor->link - 1;
}

/* ---- text ---- */

void Stage::transform_text(litehtml::tstring &text, litehtml::text_transform how)
{
	char *made = nullptr;

	if (how == litehtml::text_transform_uppercase) {
		made = g_utf8_strup(text.c_str(), -1);
	} else if (how == litehtml::text_transform_lowercase) {
		made = g_utf8_strdown(text.c_str(), -1);
	} else if (how == litehtml::text_transform_capitalize && !text.empty()) {
		char const *rest = g_utf8_next_char(text.c_str());
		char *first = g_utf8_strup(text.c_str(), rest - text.c_str());

		made = g_strconcat(first, rest, nullptr);
		g_free(first);
	}
	if (made != nullptr)
		text = made;
	g_free(made);
}

/* Text as small as a point, or as the ground below it, is there for machines. */
bool Stage::is_hidden(litehtml::web_color color, int size)
{
	litehtml::web_color ground;

	if (size < tiny || color.alpha == 0)
		return true;
	if (current == nullptr || color.red < 0xf8 || color.green < 0xf8 || color.blue < 0xf8)
		return false;
	ground = current->ground();
	return ground.red == color.red && ground.green == color.green &&
	    ground.blue == color.blue && !current->over_picture();
}

void Stage::draw_text(litehtml::uint_ptr, char const *text, litehtml::uint_ptr font,
    litehtml::web_color color, position const &pos)
{
	unsigned number = static_cast<unsigned>(font - 1);
	words_piece piece = {};
	float ascent = 0;
	float descent = 0;
	float size = 0;
	float at;

	step();
	if (font == 0 || text[0] == '\0' || pos.x > 4 * request.width ||
	    is_hidden(color, sizes[number]))
		return;
	if (current != nullptr && color.red >= 0xf0 && color.green >= 0xf0 && color.blue >= 0xf0 &&
	    current->ground().red >= 0xf0 && current->ground().blue >= 0xf0 &&
	    current->over_picture())
		color = litehtml::web_color(0x33, 0x33, 0x33);	/* the dark picture below was not sent */
	words_extent(request.words, number, &ascent, &descent, &size);
	at = pt(pos.y) + ascent;
	for (Node *up = current; up != nullptr && up->is_inline(); up = up->up())
		at += std::strcmp(up->name(), "sup") == 0 ? -0.4f * size :
		    std::strcmp(up->name(), "sub") == 0 ? 0.2f * size : 0;
	piece.x = pt(drawing != nullptr ? mirrored(pos) : pos.x);
	piece.width = pt(pos.width);
	if (!pieces.empty() && (at - baseline > 0.3f || baseline - at > 0.3f ||
	    piece.x < line_end - 1.0f || piece.x > line_end + 4 * size))
		flush();
	if (pieces.empty()) {
		baseline = at;
		line_backward = current != nullptr && current->backward();
	}
	held.push_back(new std::string(text));
	piece.text = held.back()->c_str();
	piece.font = number;
	piece.color = color_of(color);
	piece.element = text_element(drawing != nullptr ? drawing : current);
	for (Node *up = current; up != nullptr && piece.uri == nullptr; up = up->up())
		if (std::strcmp(up->name(), "a") == 0)
			piece.uri = uri_of(up);
	pieces.push_back(piece);
	line_end = piece.x + piece.width;
}

void Stage::flush()
{
	if (!pieces.empty())
		words_line(request.words, sheet, pieces.data(), static_cast<unsigned>(pieces.size()),
		    baseline, line_backward);
	pieces.clear();
	for (std::string *text : held)
		delete text;
	held.clear();
}

/* ---- pictures ---- */

display_image const *Stage::picture(std::string const &source)
{
	auto known = pictures.find(source);
	display_image const *image;

	if (known != pictures.end())
		return known->second;
	image = request.picture != nullptr ? request.picture(request.context, source.c_str()) :
	    nullptr;
	pictures[source] = image;
	return image;
}

void Stage::get_image_size(char const *source, char const *, litehtml::size &size)
{
	display_image const *image = asking == nullptr ? picture(source) : nullptr;

	size.width = size.height = 0;
	if (image != nullptr) {
		bool lies = image->turn >= 5;
		int width = static_cast<int>(std::min(lies ? image->height : image->width, 60000u));
		int height = static_cast<int>(std::min(lies ? image->width : image->height, 60000u));

		size.width = width * CSS_UNIT;
		size.height = height * CSS_UNIT;
	} else if (asking != nullptr && !asking->alt.empty()) {
		size.height = alt_height;
		/* as wide as its text unless the mail says how wide */
		if (!asking->has_width)
			size.width = std::min(static_cast<int>(asking->alt.size()) * 6 * CSS_UNIT +
			    16 * CSS_UNIT, request.width * 2 / 3);
		if (asking->has_height && !asking->has_width)
			size.height = 0;
	}
}

void Stage::draw_picture(position const &pos, std::string const &source, char const *alt)
{
	display_image const *image = picture(source);
	display_picture *out;
	float top = pt(pos.y);
	float bottom = pt(pos.bottom());

	if (image == nullptr || pos.width <= 0 || pos.height <= 0)
		return;
	flush();
	out = &sheet_content(sheet, DISPLAY_PICTURE, top, bottom,
	    text_element(current))->as.picture;
	out->x = pt(pos.x);
	out->y = top;
	out->width = pt(pos.width);
	out->height = pt(pos.height);
	out->image = image;
	if (alt != nullptr)
		out->alt = display_text(sheet->display, alt, std::strlen(alt));
	sheet_span(sheet, top, bottom, true);
	for (Node *up = current; up != nullptr; up = up->up()) {
		char const *uri = std::strcmp(up->name(), "a") == 0 ? uri_of(up) : nullptr;
		display_link *link;

		if (uri == nullptr)
			continue;
		link = &sheet_content(sheet, DISPLAY_LINK, top, bottom,
		    text_element(current))->as.link;
		link->x = pt(pos.x);
		link->y = top;
		link->width = pt(pos.width);
		link->height = pt(pos.height);
		link->uri = uri;
		break;
	}
}

/* As large as it fits, in as many lines as there is room for. */
void Stage::alt_text(position const &pos, std::string const &alt, unsigned in)
{
	struct words_style style = {};
	struct words_metrics metrics = {};
	int inner = std::max(pos.width - 8 * CSS_UNIT, CSS_UNIT);
	int size = 13 * CSS_UNIT;
	unsigned font;
	int width;
	int y;
	std::vector<std::string> lines(1);
	char **words = g_strsplit_set(alt.c_str(), " \t\n", 60);

	style.family = "sans-serif";
	style.weight = 400;
	for (;;) {
		int height;

		style.size = size;
		font = words_font(request.words, &style, &metrics);
		height = metrics.ascent + metrics.descent;
		lines.assign(1, std::string());
		width = 0;
		for (char **word = words; *word != nullptr; word++) {
			std::string longer = lines.back().empty() ? *word : lines.back() + " " + *word;

			if (!lines.back().empty() &&
			    words_width(request.words, longer.c_str(), font) > inner)
				lines.push_back(*word);
			else
				lines.back() = longer;
			width = std::max(width, words_width(request.words, lines.back().c_str(), font));
		}
		if ((width <= inner && height * static_cast<int>(lines.size()) <= pos.height) ||
		    size <= 4 * CSS_UNIT)
			break;
		size -= CSS_UNIT;
	}
	g_strfreev(words);
	y = pos.y + (pos.height - (metrics.ascent + metrics.descent) *
	    static_cast<int>(lines.size())) / 2;
	for (std::string const &line : lines) {
		words_piece piece = {};

		width = words_width(request.words, line.c_str(), font);
		piece.text = line.c_str();
		piece.font = font;
		piece.color = color_of(litehtml::web_color(0x6b, 0x75, 0x80));
		piece.x = pt(std::max(pos.x, pos.x + (pos.width - width) / 2));
		piece.width = pt(width);
		piece.element = in;
		words_line(request.words, sheet, &piece, 1, pt(y + metrics.ascent), false);
		y += metrics.ascent + metrics.descent;
	}
}

/* A neutral box where a picture would have to be fetched. */
void Stage::draw_remote(position const &pos, Remote const &remote)
{
	display_box *box;
	unsigned in;

	if (pos.width <= pixel_trap || pos.height <= pixel_trap)
		return;
	flush();
	box = &sheet_ground(sheet, DISPLAY_BOX, pt(pos.y), pt(pos.bottom()))->as.box;
	box->x = pt(pos.x);
	box->y = pt(pos.y);
	box->width = pt(pos.width);
	box->height = pt(pos.height);
	box->radius = std::min(3.0f, box->height / 4);
	box->color = color_of(litehtml::web_color(0xee, 0xf0, 0xf2));
	sheet_span(sheet, pt(pos.y), pt(pos.bottom()), true);
	if (remote.alt.empty())
		return;
	in = sheet_element(sheet, text_element(current), "Figure", remote.alt.c_str());
	alt_text(pos, remote.alt, in);
	for (Node *up = current; up != nullptr; up = up->up()) {
		char const *uri = std::strcmp(up->name(), "a") == 0 ? uri_of(up) : nullptr;
		display_link *link;

		if (uri == nullptr)
			continue;
		link = &sheet_content(sheet, DISPLAY_LINK, pt(pos.y), pt(pos.bottom()),
		    text_element(current))->as.link;
		link->x = pt(pos.x);
		link->y = pt(pos.y);
		link->width = pt(pos.width);
		link->height = pt(pos.height);
		link->uri = uri;
		break;
	}
}

/* ---- grounds ---- */

void Stage::fill(position const &pos, litehtml::web_color color,
    litehtml::border_radiuses const &radius)
{
	display_box *box;

	if (color.alpha == 0 || pos.width <= 0 || pos.height <= 0)
		return;
	box = &sheet_ground(sheet, DISPLAY_BOX, pt(pos.y), pt(pos.bottom()))->as.box;
	box->x = pt(pos.x);
	box->y = pt(pos.y);
	box->width = pt(pos.width);
	box->height = pt(pos.height);
	box->radius = std::min(pt(radius.top_left_x), std::min(box->width, box->height) / 2);
	box->color = color_of(color);
	sheet_span(sheet, box->y, box->y + box->height, false);
}

void Stage::draw_background(litehtml::uint_ptr, litehtml::background_paint const &paint)
{
	display_image const *image;
	position where = paint.clip_box;

	step();
	/* white paper is white already */
	if (paint.is_root) {
		where.x = 0;
		where.width = request.width;
		if (paint.color.red == 255 && paint.color.green == 255 && paint.color.blue == 255)
			return;
	}
	fill(where, paint.color, paint.border_radius);
	image = paint.image.empty() ? nullptr : picture(paint.image);
	if (image != nullptr && paint.image_size.width > 0 && paint.image_size.height > 0) {
		display_picture *out = &sheet_ground(sheet, DISPLAY_PICTURE, pt(where.y),
		    pt(where.bottom()))->as.picture;

		/* one picture over all of it: tiles are rare in mail */
		out->x = pt(where.x);
		out->y = pt(where.y);
		out->width = pt(where.width);
		out->height = pt(where.height);
		out->image = image;
	}
}

bool shows(litehtml::border const &border)
{
	return border.width > 0 && border.style > litehtml::border_style_hidden &&
	    border.color.alpha != 0;
}

void Stage::side(int x, int y, int width, int height, litehtml::border const &border)
{
	bool across = width > height;
	display_path *path;
	display_point *points;

	if (!shows(border) || width <= 0 || height <= 0)
		return;
	if (border.style != litehtml::border_style_dashed &&
	    border.style != litehtml::border_style_dotted) {
		fill(position(x, y, width, height), border.color, litehtml::border_radiuses());
		return;
	}
	path = &sheet_ground(sheet, DISPLAY_PATH, pt(y), pt(y + height))->as.path;
	points = static_cast<display_point *>(display_array(sheet->display, 2, sizeof(*points)));
	points[0].x = pt(across ? x : x + width / 2);
	points[0].y = pt(across ? y + height / 2 : y);
	points[1].x = pt(across ? x + width : x + width / 2);
	points[1].y = pt(across ? y + height / 2 : y + height);
	path->points = points;
	path->count = 2;
	path->line = pt(across ? height : width);
	path->dash = border.style == litehtml::border_style_dotted ? DISPLAY_DOTTED : DISPLAY_DASHED;
	path->color = color_of(border.color);
}

bool same(litehtml::border const &a, litehtml::border const &b)
{
	return a.width == b.width && a.style == b.style && a.color.red == b.color.red &&
	    a.color.green == b.color.green && a.color.blue == b.color.blue;
}

void Stage::draw_borders(litehtml::uint_ptr, litehtml::borders const &borders,
    position const &where, bool)
{
	bool round = borders.radius.top_left_x > 0;

	step();
	if (round && shows(borders.top) && same(borders.top, borders.bottom) &&
	    same(borders.top, borders.left) && same(borders.top, borders.right)) {
		display_box *box = &sheet_ground(sheet, DISPLAY_BOX, pt(where.y),
		    pt(where.bottom()))->as.box;
		float line = pt(borders.top.width);

		box->x = pt(where.x) + line / 2;
		box->y = pt(where.y) + line / 2;
		box->width = pt(where.width) - line;
		box->height = pt(where.height) - line;
		box->radius = std::max(0.0f, std::min(pt(borders.radius.top_left_x) - line / 2,
		    std::min(box->width, box->height) / 2));
		box->line = line;
		box->color = color_of(borders.top.color);
		sheet_span(sheet, pt(where.y), pt(where.bottom()), false);
		return;
	}
	side(where.x, where.y, where.width, borders.top.width, borders.top);
	side(where.x, where.bottom() - borders.bottom.width, where.width, borders.bottom.width,
	    borders.bottom);
	side(where.x, where.y, borders.left.width, where.height, borders.left);
	side(where.right() - borders.right.width, where.y, borders.right.width, where.height,
	    borders.right);
	if (shows(borders.top) && shows(borders.bottom))
		sheet_span(sheet, pt(where.y), pt(where.bottom()), false);
}

void Stage::draw_list_marker(litehtml::uint_ptr, litehtml::list_marker const &marker)
{
	display_box *box;
	float size = pt(marker.pos.height) * 0.95f;
	float y = pt(marker.pos.y) + (pt(marker.pos.height) - size) / 2;
	float x = pt(mirrored(marker.pos));

	box = &sheet_ground(sheet, DISPLAY_BOX, y, y + size)->as.box;
	box->x = x;
	box->y = y;
	box->width = size;
	box->height = size;
	box->radius = marker.marker_type == litehtml::list_style_type_square ? 0 : size / 2;
	box->line = marker.marker_type == litehtml::list_style_type_circle ? size / 5 : 0;
	box->color = color_of(marker.color);
}

/* ---- elements ---- */

/*
 * Every element of a kind: asks only the rules that can fit it, counts work, knows where it is
 * drawn. litehtml would try all rules on all elements.
 */
template <class B> class El : public B, public Node
{
public:
	El(std::shared_ptr<litehtml::document> const &document, Stage &on) : B(document), stage(on) {}

	Node *up() override
	{
		if (!above_known) {
			litehtml::element::ptr at = this->parent();

			above_known = true;
			while (at != nullptr && (above = dynamic_cast<Node *>(at.get())) == nullptr)
				at = at->parent();
		}
		return above;
	}

	bool is_inline() const override { return this->m_display == litehtml::display_inline; }
	char const *name() const override { return this->m_tag.c_str(); }
	char const *attribute(char const *what) const override { return this->get_attr(what); }

	bool backward() override
	{
		char const *dir = this->get_attr("dir");

		if (dir == nullptr)
			dir = this->m_style.get_property("direction");
		if (dir != nullptr && g_ascii_strcasecmp(dir, "rtl") == 0)
			return true;
		if (dir != nullptr && g_ascii_strcasecmp(dir, "ltr") == 0)
			return false;
		return up() != nullptr && up()->backward();
	}

	litehtml::web_color ground() override
	{
		if (this->m_bg.m_color.alpha > 0x80)
			return this->m_bg.m_color;
		return up() != nullptr ? up()->ground() : litehtml::web_color(255, 255, 255);
	}

	/* On a background picture, be it one that would have to be fetched. */
	bool over_picture() override
	{
		char const *image = this->m_style.get_property("background-image");

		if (this->get_attr("background") != nullptr ||
		    (image != nullptr && std::strstr(image, "url(") != nullptr))
			return true;
		return this->m_bg.m_color.alpha <= 0x80 && up() != nullptr && up()->over_picture();
	}

	int select(litehtml::css_selector const &selector, bool pseudo = true) override
	{
		stage.step();
		return B::select(selector, pseudo);
	}

	int render(int x, int y, int width, bool second = false) override
	{
		stage.step();
		return B::render(x, y, width, second);
	}

	void draw(litehtml::uint_ptr hdc, int x, int y, position const *clip) override
	{
		Node *before = stage.drawing;

		if (!is_inline())
			stage.flush();
		stage.drawing = this;
		B::draw(hdc, x, y, clip);
		if (!is_inline())
			stage.flush();
		stage.drawing = before;
	}

	void draw_children(litehtml::uint_ptr hdc, int x, int y, position const *clip,
	    litehtml::draw_flag flag, int z) override
	{
		Node *before = stage.current;
		Node *drawn = stage.drawing;

		if (!is_inline())
			stage.flush();
		stage.current = this;
		stage.drawing = nullptr;
		B::draw_children(hdc, x, y, clip, flag, z);
		if (!is_inline())
			stage.flush();
		stage.current = before;
		stage.drawing = drawn;
	}

	void parse_attributes() override
	{
		hint("color", "text");
		hint("background-color", "bgcolor");
		B::parse_attributes();
	}

protected:
	Stage &stage;

	void hint(char const *property, char const *from)
	{
		char const *value = this->get_attr(from);

		if (value != nullptr)
			this->m_style.add_property(property, value, nullptr, false, this);
	}

	void hint_value(char const *property, char const *value)
	{
		this->m_style.add_property(property, value, nullptr, false, this);
	}

private:
	Node *above = nullptr;
	bool above_known = false;
};

using Tag = El<litehtml::html_tag>;

class Heading final : public Tag
{
public:
	using Tag::Tag;
	void parse_attributes() override
	{
		hint("text-align", "align");
		Tag::parse_attributes();
	}
};

class Font final : public El<litehtml::el_font>
{
public:
	using El::El;
	void parse_attributes() override
	{
		El::parse_attributes();
		hint("font-family", "face");
	}
};

/* Numbers its items once: litehtml counts them anew for each. */
class List final : public Tag
{
public:
	using Tag::Tag;
	void init() override
	{
		char const *first = get_attr("start");
		int number = first != nullptr ? std::atoi(first) : 1;

		for (auto &child : m_children) {
			char const *value = child->get_attr("value");

			if (std::strcmp(child->get_tagName(), "li") != 0)
				continue;
			number = value != nullptr ? std::atoi(value) : number;
			child->set_attr("list_index", std::to_string(number++).c_str());
		}
		Tag::init();
	}
};

class Item final : public Tag
{
public:
	using Tag::Tag;
	void draw(litehtml::uint_ptr hdc, int x, int y, position const *clip) override
	{
		position pos = m_pos;

		pos.x += x;
		stage.item = backward() ? &pos : nullptr;
		Tag::draw(hdc, x, y, clip);
		stage.item = nullptr;
	}
};

class Image final : public El<litehtml::el_image>
{
public:
	using El::El;

	void parse_attributes() override
	{
		char const *alt = get_attr("alt");

		El::parse_attributes();
		hint("border-width", "border");
		source = get_attr("src", "");
		remote.alt = alt != nullptr ? alt : "";
		is_remote = stage.picture(source) == nullptr;
	}

	int render(int x, int y, int width, bool second = false) override
	{
		int result;

		remote.has_width = !m_css_width.is_predefined();
		remote.has_height = !m_css_height.is_predefined();
		stage.asking = is_remote ? &remote : nullptr;
		result = El::render(x, y, width, second);
		stage.asking = nullptr;
		/* pages have no scroll bars: no picture is wider than what it stands in */
		if (width > 8 * CSS_UNIT && m_pos.width > width && m_pos.width > 0) {
			m_pos.height = static_cast<int>(static_cast<int64_t>(m_pos.height) * width /
			    m_pos.width);
			m_pos.width = width;
			result = std::min(result, width);
		}
		return result;
	}

	void draw(litehtml::uint_ptr, int x, int y, position const *) override
	{
		position pos = m_pos;
		position border;
		litehtml::borders lines = m_css_borders;

		pos.x += x;
		pos.y += y;
		border = pos;
		border += m_padding;
		border += m_borders;
		if (is_remote)
			stage.draw_remote(pos, remote);
		else
			stage.draw_picture(pos, source, remote.alt.empty() ? "" : remote.alt.c_str());
		if (m_css_borders.is_visible() && !is_remote)
			stage.draw_borders(0, lines, border, false);
	}

private:
	std::string source;
	Remote remote;
	bool is_remote = false;
};

/*
 * A cell is asked again and again how wide it wants to be, by tables in tables three times a
 * level: what it said for a width is kept, and it is laid out only for the one that counts.
 */
class Cell final : public El<litehtml::el_td>
{
public:
	using El::El;
	unsigned *epoch = nullptr;	/* of its table: how often that one was laid out */

	void parse_attributes() override
	{
		hint("padding", "pad");
		hint("height", "height");
		El::parse_attributes();
	}

	int render(int x, int y, int width, bool second = false) override
	{
		bool measuring = is_measuring(width);
		auto known = answers.find(width);

		if (measuring && known != answers.end() && !second) {
			m_pos.width = -1;	/* unlike all: laid out in the end */
			return known->second;
		}
		int result = El::render(x, y, width, second);

		if (answers.size() < answers_max)
			answers[width] = result;
		return result;
	}

private:
	std::unordered_map<int, int> answers;
	static constexpr size_t answers_max = 64;
	unsigned seen = 0;
	unsigned calls = 0;

	/* Columns of a set width are asked once and the answer stands, others twice before. */
	bool is_measuring(int width)
	{
		if (epoch == nullptr)
			return false;
		if (*epoch != seen) {
			seen = *epoch;
			calls = 0;
			first = width;
		}
		calls++;
		if (!m_css_width.is_predefined() &&
		    m_css_width.units() != litehtml::css_units_percentage)
			return false;
		return first == 1 && calls <= 2;
	}
	int first = 0;
};

class Table final : public El<litehtml::el_table>
{
public:
	using El::El;

	void parse_attributes() override
	{
		char const *align = get_attr("align");

		El::parse_attributes();
		hint("height", "height");
		if (align != nullptr && std::strcmp(align, "center") != 0 && floats())
			hint_value("float", align);
	}

	void init() override
	{
		El::init();
		data_table = false;
		for (int row = 0; m_grid != nullptr && row < m_grid->rows_count(); row++)
			for (int col = 0; col < m_grid->cols_count(); col++) {
				litehtml::table_cell *cell = m_grid->cell(col, row);
				Cell *mine = cell != nullptr && cell->el != nullptr ?
				    dynamic_cast<Cell *>(cell->el.get()) : nullptr;

				if (mine == nullptr)
					continue;
				mine->epoch = &epoch;
				data_table = data_table || std::strcmp(mine->name(), "th") == 0;
			}
	}

	/* litehtml says how wide it would like to be, which blows up what is around it. */
	int render(int x, int y, int width, bool second = false) override
	{
		int result;

		epoch++;
		result = El::render(x, y, width, second);
		if (backward())
			mirror();
		return std::min(result, this->width());
	}

	void draw_children(litehtml::uint_ptr hdc, int x, int y, position const *clip,
	    litehtml::draw_flag flag, int z) override
	{
		El::draw_children(hdc, x, y, clip, flag, z);
		if (flag != litehtml::draw_inlines || m_grid == nullptr)
			return;
		for (int row = 0; row < m_grid->rows_count(); row++)
			stage.row(y + m_pos.y + m_grid->captions_height() + m_grid->row(row).top,
			    y + m_pos.y + m_grid->captions_height() + m_grid->row(row).bottom);
	}

private:
	unsigned epoch = 0;

	bool floats() const
	{
		char const *width = get_attr("width");

		return width != nullptr && std::strchr(width, '%') == nullptr &&
		    std::atoi(width) <= 420 * CSS_UNIT;
	}

	void mirror()
	{
		for (int row = 0; m_grid != nullptr && row < m_grid->rows_count(); row++)
			for (int col = 0; col < m_grid->cols_count(); col++) {
				litehtml::table_cell *cell = m_grid->cell(col, row);

				if (cell == nullptr || cell->el == nullptr)
					continue;
				cell->el->get_position().x = m_pos.width - cell->el->left() -
				    cell->el->width() + cell->el->content_margins_left();
			}
	}
};

std::shared_ptr<litehtml::element> Stage::create_element(char const *name,
    litehtml::string_map const &, std::shared_ptr<litehtml::document> const &document)
{
	if (std::strcmp(name, "table") == 0)
		return std::make_shared<Table>(document, *this);
	if (is_one_of(name, { "td", "th" }))
		return std::make_shared<Cell>(document, *this);
	if (std::strcmp(name, "tr") == 0)
		return std::make_shared<El<litehtml::el_tr>>(document, *this);
	if (std::strcmp(name, "img") == 0)
		return std::make_shared<Image>(document, *this);
	if (std::strcmp(name, "a") == 0)
		return std::make_shared<El<litehtml::el_anchor>>(document, *this);
	if (std::strcmp(name, "p") == 0)
		return std::make_shared<El<litehtml::el_para>>(document, *this);
	if (std::strcmp(name, "div") == 0)
		return std::make_shared<El<litehtml::el_div>>(document, *this);
	if (std::strcmp(name, "font") == 0)
		return std::make_shared<Font>(document, *this);
	if (std::strcmp(name, "body") == 0)
		return std::make_shared<El<litehtml::el_body>>(document, *this);
	if (is_one_of(name, { "ul", "ol" }))
		return std::make_shared<List>(document, *this);
	if (std::strcmp(name, "li") == 0)
		return std::make_shared<Item>(document, *this);
	if (name[0] == 'h' && name[1] >= '1' && name[1] <= '6')
		return std::make_shared<Heading>(document, *this);
	if (is_one_of(name, { "br", "style", "script", "title", "link", "base" }))
		return nullptr;
	return std::make_shared<Tag>(document, *this);
}

/* Read once a process: the same for all mail. */
litehtml::context &browser()
{
	static litehtml::context context;
	static bool loaded = false;

	if (!loaded)
		context.load_master_stylesheet(master_css);
	loaded = true;
	return context;
}

enum lite_result run(lite_request const &request, int tolerance, struct sheet *sheet,
    int *width_out)
{
	Stage stage(request, sheet);
	litehtml::css styles;
	litehtml::document::ptr document;

	styles.parse_stylesheet(request.css, nullptr, nullptr, nullptr);
	styles.sort_selectors();
	document = litehtml::document::createFromUTF8(request.html, &stage, &browser(), &styles);
	document->render(request.width);
	*width_out = document->width();
	if (*width_out > request.width + tolerance)
		return LITE_WIDE;
	document->draw(0, 0, 0, nullptr);
	stage.flush();
	sheet->width = stage.pt(request.width);
	sheet->height = std::max(sheet->height, stage.pt(document->height()));
	return LITE_DRAWN;
}

} // namespace

enum lite_result lite_draw(const struct lite_request *request, int tolerance,
    struct sheet *sheet, int *width_out)
{
	try {
		return run(*request, tolerance, sheet, width_out);
	} catch (...) {
		return LITE_FAILED;
	}
}
