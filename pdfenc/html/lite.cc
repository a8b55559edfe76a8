#include "pdfenc/html/lite_stage.hh"

#include <array>
#include <bitset>

#include <litehtml/el_anchor.h>
#include <litehtml/el_body.h>
#include <litehtml/el_div.h>
#include <litehtml/el_font.h>
#include <litehtml/el_image.h>
#include <litehtml/el_para.h>
#include <litehtml/el_table.h>
#include <litehtml/el_td.h>
#include <litehtml/el_tr.h>

#include "pdfenc/html/master.h"

namespace lite {

/* ---- elements ---- */

namespace {

/*
 * Every element of a kind: asks only the rules that can fit it, counts work, knows where it is
 * drawn.
 */
template <class B> class El : public B, public Node
{
public:
	El(std::shared_ptr<litehtml::document> const &document, Stage &on) : B(document), stage(on)
	{
	}

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
			dir = own("direction");
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
		char const *image = own("background-image");

		if (this->get_attr("background") != nullptr ||
		    (image != nullptr && std::strstr(image, "url(") != nullptr))
			return true;
		return this->m_bg.m_color.alpha <= 0x80 && up() != nullptr && up()->over_picture();
	}

	/* As litehtml's, which asks all rules and keeps what it finds for when a mouse comes. */
	void apply_stylesheet(litehtml::css const &sheet) override
	{
		Rules const &rules = stage.rules(sheet);

		this->remove_before_after();
		for (unsigned index : rules.choose(this->m_tag, this->m_class_values))
			apply(*rules.at(index));
		for (auto &child : this->m_children)
			if (child->get_display() != litehtml::display_inline_text)
				child->apply_stylesheet(sheet);
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
		if (!this->m_attrs.empty())
			letters |= letters_of_attributes;
		/* rules that come now are the mail's: they weigh more than attributes */
		ours = mails;
		mails = &stage.nothing;
	}

	void add_style(litehtml::tstring const &text, litehtml::tstring const &) override
	{
		mails = stage.declared(mails, text);
	}

	void parse_styles(bool again = false) override
	{
		auto inline_style = this->m_attrs.find("style");

		if (inline_style != this->m_attrs.end()) {
			add_style(inline_style->second, "");
			this->m_attrs.erase(inline_style);
		}
		styled = true;
		B::parse_styles(again);
	}

	/* Asked 75 times of each element, mostly in vain. */
	char const *get_style_property(char const *property, bool inherited,
	    char const *otherwise = nullptr) const override
	{
		unsigned number = stage.properties.find(property);
		bool keep = inherited && styled && number < property_max;
		char const *value;

		if (keep && asked[number])
			return answers[number] != nullptr ? answers[number] : otherwise;
		value = own(number, property);
		if (value != nullptr ? g_ascii_strcasecmp(value, "inherit") == 0 : inherited) {
			litehtml::element::ptr parent = this->m_parent.lock();

			if (parent != nullptr)
				value = parent->get_style_property(property, inherited, nullptr);
		}
		if (keep) {
			asked[number] = true;
			answers[number] = value;
		}
		return value != nullptr ? value : otherwise;
	}

protected:
	Stage &stage;
	uint32_t letters = 0;	/* with which the names that its attributes stand for begin */

	/* The mail's rules, then attributes, then those of master.c. */
	char const *own(unsigned number, char const *property) const
	{
		char const *value = mails->get(number, property);

		if (value == nullptr && (letters & letter(property[0])) != 0)
			value = this->m_style.get_property(property);
		return value != nullptr ? value : ours->get(number, property);
	}

	char const *own(char const *property) const
	{
		return own(stage.properties.find(property), property);
	}

	void hint(char const *property, char const *from)
	{
		letters |= letters_of_attributes;
		char const *value = this->get_attr(from);

		if (value != nullptr)
			this->m_style.add_property(property, value, nullptr, false, this);
	}

	void hint_value(char const *property, char const *value)
	{
		letters |= letter(property[0]);
		this->m_style.add_property(property, value, nullptr, false, this);
	}

private:
	void apply(litehtml::css_selector const &rule)
	{
		int fits = select(rule, false);
		litehtml::element::ptr beside;

		if (fits == litehtml::select_no_match || !rule.is_media_valid() ||
		    ((fits & litehtml::select_match_pseudo_class) != 0 && !select(rule, true)))
			return;
		if ((fits & litehtml::select_match_with_after) != 0)
			beside = this->get_element_after();
		else if ((fits & litehtml::select_match_with_before) != 0)
			beside = this->get_element_before();
		else
			add_style(rule.m_style, rule.m_baseurl);
		if (beside != nullptr)
			beside->add_style(rule.m_style, rule.m_baseurl);
	}

	Node *above = nullptr;
	bool above_known = false;
	bool styled = false;		/* all rules are known: answers stand */
	Declared *ours = &stage.nothing;
	Declared *mails = &stage.nothing;
	mutable std::bitset<property_max> asked;	/* of what is inherited */
	mutable std::array<char const *, property_max> answers;
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
		int number = number_at(get_attr("start"), 1);

		for (auto &child : m_children) {
			if (std::strcmp(child->get_tagName(), "li") != 0)
				continue;
			number = number_at(child->get_attr("value"), number);
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
			stage.draw_picture(pos, source, remote.alt.c_str());
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
		    number_at(width, 0) <= 420 * CSS_UNIT;
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

} // namespace

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

namespace {

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

/* Names, which are litehtml's: the same for all mail. */
Properties &properties()
{
	static Properties names;

	return names;
}

enum lite_result run(lite_request const &request, int tolerance, struct sheet *sheet,
    int *width_out)
{
	Stage stage(request, sheet, properties());
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

} // namespace lite

enum lite_result lite_draw(const struct lite_request *request, int tolerance,
    struct sheet *sheet, int *width_out)
{
	try {
		return lite::run(*request, tolerance, sheet, width_out);
	} catch (...) {
		return LITE_FAILED;
	}
}
