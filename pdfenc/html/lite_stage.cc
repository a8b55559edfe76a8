#include "pdfenc/html/lite_stage.hh"

namespace lite {

namespace {

display_color color_of(litehtml::web_color const &color)
{
	display_color out;

	out.red = static_cast<float>(color.red) / 255.0f;
	out.green = static_cast<float>(color.green) / 255.0f;
	out.blue = static_cast<float>(color.blue) / 255.0f;
	out.clear = 1.0f - static_cast<float>(color.alpha) / 255.0f;
	return out;
}

} // namespace

bool is_one_of(char const *name, std::initializer_list<char const *> names)
{
	for (char const *each : names)
		if (std::strcmp(each, name) == 0)
			return true;
	return false;
}

/* ---- structure ---- */

static char const *tag_of(Node *node)
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
			if (is_one_of(name, { "table" }))
				return "Table";
			return is_one_of(name, { "tr" }) ? "TR" : is_one_of(name, { "td" }) ? "TD" :
			    is_one_of(name, { "th" }) ? "TH" : nullptr;
		}
	return nullptr;
}

static unsigned span_attribute(Node *node, char const *name)
{
	char const *text = node->attribute(name);

	if (text == nullptr)
		return 0;
	return static_cast<unsigned>(std::min(std::max(number_at(text, 1), 1), 100));
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

char const *Stage::readable(char const *text, litehtml::uint_ptr font)
{
	enum symbols symbols = static_cast<enum symbols>(font >> 32);
	GString *made;

	if (symbols == SYMBOLS_NONE)
		return text;
	made = g_string_new(nullptr);
	symbols_translate(symbols, text, made);
	signs = made->str;
	g_string_free(made, TRUE);
	return signs.c_str();
}

/* Text as small as a point, or as the ground below it, is there for machines. */
bool Stage::is_hidden(litehtml::web_color const &color, int size)
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
	unsigned number = number_of(font);
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
		/* the dark picture below was not sent */
		color = litehtml::web_color(0x33, 0x33, 0x33);
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
	held.push_back(new std::string(readable(text, font)));
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
		words_line(request.words, sheet, pieces.data(),
		    static_cast<unsigned>(pieces.size()), baseline, line_backward);
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
		int height =
		    static_cast<int>(std::min(lies ? image->width : image->height, 60000u));

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
			std::string const &last = lines.back();
			std::string longer = last.empty() ? *word : last + " " + *word;

			if (!last.empty() &&
			    words_width(request.words, longer.c_str(), font) > inner)
				lines.push_back(*word);
			else
				lines.back() = longer;
			width = std::max(width,
			    words_width(request.words, lines.back().c_str(), font));
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

void Stage::fill(position const &pos, litehtml::web_color const &color,
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

/* A small picture that is shown once: at its place, and not higher than what it lies in. */
static position once_in(position const &box, litehtml::background_paint const &paint)
{
	int height = std::min(paint.image_size.height, box.height);
	int width = static_cast<int>(static_cast<int64_t>(paint.image_size.width) * height /
	    paint.image_size.height);
	int x = std::min(std::max(paint.position_x, box.x), box.right() - width);
	int y = std::min(std::max(paint.position_y, box.y), box.bottom() - height);

	return position(x, y, width, height);
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
		if (paint.repeat == litehtml::background_repeat_no_repeat &&
		    paint.image_size.width <= where.width)
			where = once_in(where, paint);

		display_picture *out = &sheet_ground(sheet, DISPLAY_PICTURE, pt(where.y),
		    pt(where.bottom()))->as.picture;

		/* else one picture over all of it: tiles are rare in mail */
		out->x = pt(where.x);
		out->y = pt(where.y);
		out->width = pt(where.width);
		out->height = pt(where.height);
		out->image = image;
	}
}

static bool shows(litehtml::border const &border)
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
	path->dash = border.style == litehtml::border_style_dotted ? DISPLAY_DOTTED :
	    DISPLAY_DASHED;
	path->color = color_of(border.color);
}

static bool same(litehtml::border const &a, litehtml::border const &b)
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

} // namespace lite
