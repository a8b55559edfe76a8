/* libqpdf 11 warns unless told that we use std::shared_ptr */
#define POINTERHOLDER_TRANSITION 4

#include "pdfenc/append.hh"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <qpdf/Buffer.hh>
#include <qpdf/Pl_Flate.hh>
#include <qpdf/QPDFAnnotationObjectHelper.hh>
#include <qpdf/QPDFExc.hh>
#include <qpdf/QPDFPageObjectHelper.hh>
#include <qpdf/Pl_Buffer.hh>

#include "pdfenc/append_budget.hh"
#include "pdfenc/append_clean.hh"

namespace {

constexpr size_t content_max = 32 * 1024 * 1024;	/* bytes of a page's content in pieces */
constexpr unsigned int annotations_max = 2000;		/* looked at, of a page */
constexpr double side_min = 1.0;			/* points */
constexpr double unit_max = 75.0;

/* Ends what runs through it above a size. */
class Limited final : public Pipeline
{
public:
	explicit Limited(Pipeline *after) : Pipeline("limited", after) {}

	void write(unsigned char const *data, size_t size) override
	{
		if (size > left) {
			over = true;
			throw std::runtime_error("too large");
		}
		left -= size;
		getNext()->write(data, size);
	}

	/* pieces end; the whole goes on */
	void finish() override {}

	bool over = false;

private:
	size_t left = content_max;
};

struct Link {
	struct append_link where;
	std::string uri;
};

struct Page {
	double box[4];
	int turn = 0;		/* quarters, clockwise */
	double unit = 1;
	QPDFObjectHandle resources;
	QPDFObjectHandle group;
	std::shared_ptr<Buffer> content;
	bool deflated = false;
	std::vector<Link> links;
};

} // namespace

struct append {
	QPDF pdf;
	Cleaner cleaner;
	std::vector<Page> pages;
	unsigned int total = 0;
};

namespace {

/* From the page's coordinates to the unit square in which a picture is drawn. */
void to_square(Page const &page, double m[6])
{
	double const w = 1 / (page.box[2] - page.box[0]);
	double const h = 1 / (page.box[3] - page.box[1]);
	double const x = page.box[0] * w;
	double const y = page.box[1] * h;
	double const turned[4][6] = {
		{ w, 0, 0, h, -x, -y },
		{ 0, -w, h, 0, -y, 1 + x },
		{ -w, 0, 0, -h, 1 + x, 1 + y },
		{ 0, w, -h, 0, 1 + y, -x },
	};

	std::copy_n(turned[page.turn], 6, m);
}

void read_box(QPDFPageObjectHelper &helper, Page &page)
{
	QPDFObjectHandle const media = helper.getMediaBox();
	QPDFObjectHandle const crop = helper.getCropBox();
	QPDFObjectHandle::Rectangle all(0, 0, 612, 792);

	if (QPDFObjectHandle(media).isRectangle())
		all = QPDFObjectHandle(media).getArrayAsRectangle();
	QPDFObjectHandle::Rectangle seen = all;

	if (QPDFObjectHandle(crop).isRectangle())
		seen = QPDFObjectHandle(crop).getArrayAsRectangle();
	page.box[0] = std::max(std::min(all.llx, all.urx), std::min(seen.llx, seen.urx));
	page.box[1] = std::max(std::min(all.lly, all.ury), std::min(seen.lly, seen.ury));
	page.box[2] = std::min(std::max(all.llx, all.urx), std::max(seen.llx, seen.urx));
	page.box[3] = std::min(std::max(all.lly, all.ury), std::max(seen.lly, seen.ury));
	for (double side : page.box)
		if (!std::isfinite(side) || std::abs(side) > 1e6)
			throw std::runtime_error("no page size");
	if (page.box[2] - page.box[0] < side_min || page.box[3] - page.box[1] < side_min)
		throw std::runtime_error("no page size");
}

void read_geometry(QPDFPageObjectHelper &helper, Page &page)
{
	QPDFObjectHandle const rotate = helper.getAttribute("/Rotate", false);
	QPDFObjectHandle unit = helper.getObjectHandle().getKey("/UserUnit");

	read_box(helper, page);
	if (QPDFObjectHandle(rotate).isInteger()) {
		long long const turn = QPDFObjectHandle(rotate).getIntValue() / 90 % 4;

		page.turn = static_cast<int>((turn + 4) % 4);
	}
	if (unit.isNumber() && unit.getNumericValue() > 0)
		page.unit = std::min(unit.getNumericValue(), unit_max);
}

/* ---- what stands on it besides its content ---- */

bool take_link(QPDFObjectHandle annotation, Page &page)
{
	QPDFObjectHandle action = annotation.getKey("/A");
	QPDFObjectHandle rectangle = annotation.getKey("/Rect");

	if (!annotation.getKey("/Subtype").isNameAndEquals("/Link"))
		return false;
	if (!action.isDictionary() || !action.getKey("/S").isNameAndEquals("/URI") ||
	    !action.getKey("/URI").isString() || !rectangle.isRectangle() ||
	    page.links.size() >= APPEND_LINKS_MAX)
		return true;
	QPDFObjectHandle::Rectangle const r = rectangle.getArrayAsRectangle();
	double m[6];

	to_square(page, m);
	double const x1 = m[0] * r.llx + m[2] * r.lly + m[4];
	double const x2 = m[0] * r.urx + m[2] * r.ury + m[4];
	double const y1 = m[1] * r.llx + m[3] * r.lly + m[5];
	double const y2 = m[1] * r.urx + m[3] * r.ury + m[5];
	double const left = std::clamp(std::min(x1, x2), 0.0, 1.0);
	double const right = std::clamp(std::max(x1, x2), 0.0, 1.0);
	double const low = std::clamp(std::min(y1, y2), 0.0, 1.0);
	double const high = std::clamp(std::max(y1, y2), 0.0, 1.0);

	if (right > left && high > low)
		page.links.push_back({ { static_cast<float>(left), static_cast<float>(1 - high),
		    static_cast<float>(right - left), static_cast<float>(high - low), nullptr },
		    action.getKey("/URI").getStringValue() });
	return true;
}

/* Kinds that play, run or only open another window. */
bool is_shown(QPDFObjectHandle annotation)
{
	static char const *const hidden[] = { "/Popup", "/RichMedia", "/Screen", "/Movie",
		"/Sound", "/3D", "/FileAttachment", "/TrapNet", "/PrinterMark" };
	QPDFObjectHandle subtype = annotation.getKey("/Subtype");

	return subtype.isName() && std::none_of(std::begin(hidden), std::end(hidden),
	    [&](char const *name) { return subtype.getName() == name; });
}

/* How fields, stamps and remarks look: appended to the content, their forms to objects. */
std::string draw_annotations(append &a, QPDFObjectHandle annotations, Page &page,
    QPDFObjectHandle objects)
{
	std::string drawn;
	int const count = annotations.isArray() ? annotations.getArrayNItems() : 0;

	for (int i = 0; i < count && i < static_cast<int>(annotations_max); i++) {
		QPDFObjectHandle annotation = annotations.getArrayItem(i);

		if (!annotation.isDictionary() || take_link(annotation, page) ||
		    !is_shown(annotation))
			continue;
		QPDFAnnotationObjectHelper helper(annotation);
		QPDFObjectHandle look = helper.getAppearanceStream("/N");
		std::string const name = "/SgLook" + std::to_string(i);

		if (!look.isStream() || !look.getDict().getKey("/BBox").isRectangle())
			continue;
		look.getDict().replaceKey("/Subtype", QPDFObjectHandle::newName("/Form"));
		a.cleaner.clean(look, Cleaner::Kind::thing);
		std::string const content = helper.getPageContentForAppearance(name, 0, 0,
		    an_invisible | an_hidden | an_no_view);
		if (content.empty())
			continue;
		objects.replaceKey(name, look);
		drawn += content;
	}
	return drawn;
}

/* ---- its content ---- */

bool is_plain_deflate(QPDFObjectHandle stream)
{
	QPDFObjectHandle dictionary = stream.getDict();

	return dictionary.getKey("/Filter").isNameAndEquals("/FlateDecode") &&
	    dictionary.getKey("/DecodeParms").isNull() && dictionary.getKey("/F").isNull();
}

void put_text(Pipeline &out, std::string const &text)
{
	out.write(reinterpret_cast<unsigned char const *>(text.data()), text.size());
}

void put_pieces(Limited &out, QPDFObjectHandle contents)
{
	std::vector<QPDFObjectHandle> pieces;

	if (contents.isStream())
		pieces.push_back(contents);
	for (int i = 0; contents.isArray() && i < contents.getArrayNItems(); i++)
		if (contents.getArrayItem(i).isStream())
			pieces.push_back(contents.getArrayItem(i));
	for (QPDFObjectHandle &piece : pieces) {
		if (!piece.pipeStreamData(&out, 0, qpdf_dl_generalized, true, true) || out.over)
			throw std::runtime_error("content cannot be read");
		put_text(out, "\n");
	}
}

void read_content(QPDFObjectHandle contents, std::string const &more, Page &page)
{
	if (contents.isStream() && more.empty() && is_plain_deflate(contents)) {
		page.content = contents.getRawStreamData();
		page.deflated = true;
		return;
	}
	Pl_Buffer buffer("content");
	Pl_Flate deflate("deflate", &buffer, Pl_Flate::a_deflate);
	Limited limited(&deflate);

	if (!more.empty())
		put_text(limited, "q\n");
	put_pieces(limited, contents);
	if (!more.empty())
		put_text(limited, "\nQ\n" + more);
	deflate.finish();
	page.content = buffer.getBufferSharedPointer();
	page.deflated = true;
}

Page read_page(append &a, QPDFObjectHandle object)
{
	QPDFPageObjectHelper helper(object);
	Page page;
	QPDFObjectHandle resources = helper.getAttribute("/Resources", false);
	QPDFObjectHandle objects;

	read_geometry(helper, page);
	resources = resources.isDictionary() ? resources.shallowCopy() :
	    QPDFObjectHandle::newDictionary();
	objects = resources.getKey("/XObject");
	objects = objects.isDictionary() ? objects.shallowCopy() :
	    QPDFObjectHandle::newDictionary();
	std::string const more = draw_annotations(a, object.getKey("/Annots"), page, objects);

	resources.replaceKey("/XObject", objects);
	a.cleaner.clean(resources, Cleaner::Kind::resources);
	read_content(object.getKey("/Contents"), more, page);
	page.resources = a.pdf.makeIndirectObject(resources);
	if (object.getKey("/Group").isDictionary()) {
		QPDFObjectHandle group = object.getKey("/Group").shallowCopy();

		a.cleaner.clean(group, Cleaner::Kind::thing);
		page.group = a.pdf.makeIndirectObject(group);
	}
	return page;
}

append_result read_all(append &a, void const *data, size_t size, append_limits const &limits)
{
	a.pdf.setSuppressWarnings(true);
	a.pdf.processMemoryFile("attached", static_cast<char const *>(data), size);
	if (a.pdf.isEncrypted())
		return APPEND_ENCRYPTED;
	if (a.pdf.getRoot().getKey("/NeedsRendering").isBool() &&
	    a.pdf.getRoot().getKey("/NeedsRendering").getBoolValue())
		return APPEND_DYNAMIC;
	std::vector<QPDFObjectHandle> const &pages = a.pdf.getAllPages();

	a.total = static_cast<unsigned int>(pages.size());
	for (size_t i = 0; i < pages.size() && i < limits.pages_max; i++)
		a.pages.push_back(read_page(a, pages[i]));
	for (Page &page : a.pages)
		for (Link &link : page.links)
			link.where.uri = link.uri.c_str();
	return a.pages.empty() ? APPEND_BROKEN : APPEND_OPENED;
}

append_result read_guarded(append &a, void const *data, size_t size, append_limits const &limits)
{
	Budget budget(limits.memory_max, limits.cpu_ms_max);

	try {
		append_result const result = read_all(a, data, size, limits);

		return budget.met() ? APPEND_LIMIT : result;
	} catch (QPDFExc const &e) {
		if (e.getErrorCode() == qpdf_e_password)
			return APPEND_ENCRYPTED;
	} catch (std::exception const &) {
	} catch (...) {
	}
	return budget.met() ? APPEND_LIMIT : APPEND_BROKEN;
}

} // namespace

enum append_result append_open(const void *data, size_t size, const struct append_limits *limits,
    struct append **append_out)
{
	append_result result = APPEND_LIMIT;

	*append_out = nullptr;
	try {
		std::unique_ptr<append> a = std::make_unique<append>();

		result = read_guarded(*a, data, size, *limits);
		if (result == APPEND_OPENED)
			*append_out = a.release();
	} catch (...) {
		result = APPEND_LIMIT;
	}
	return result;
}

void append_free(struct append *append)
{
	delete append;
}

unsigned int append_total(const struct append *append)
{
	return append->total;
}

unsigned int append_count(const struct append *append)
{
	return static_cast<unsigned int>(append->pages.size());
}

void append_size(const struct append *append, unsigned int page, float *width_out,
    float *height_out)
{
	Page const &p = append->pages[page];
	double width = (p.box[2] - p.box[0]) * p.unit;
	double height = (p.box[3] - p.box[1]) * p.unit;
	double const most = std::max(width, height);

	if (p.turn % 2 != 0)
		std::swap(width, height);
	double const scale = most > static_cast<double>(APPEND_SIDE_MAX) - 100 ?
	    (static_cast<double>(APPEND_SIDE_MAX) - 100) / most : 1;

	*width_out = static_cast<float>(width * scale);
	*height_out = static_cast<float>(height * scale);
}

unsigned int append_links(const struct append *append, unsigned int page)
{
	return static_cast<unsigned int>(append->pages[page].links.size());
}

struct append_link append_link_at(const struct append *append, unsigned int page,
    unsigned int index)
{
	return append->pages[page].links[index].where;
}

void append_token(unsigned int number, char token[APPEND_TOKEN_SIZE])
{
	std::memset(token, 0, APPEND_TOKEN_SIZE);
	(void)std::snprintf(token, APPEND_TOKEN_SIZE, "Sealgate page %u", number);
}

/* ---- into our PDF ---- */

namespace {

using Tokens = std::map<std::string, size_t>;

/* The number of the place that a picture stands for, or -1. */
size_t place_of(QPDFObjectHandle object, Tokens const &tokens)
{
	if (!object.isStream() || !object.getDict().getKey("/Filter").isNameAndEquals("/DCTDecode"))
		return SIZE_MAX;
	QPDFObjectHandle length = object.getDict().getKey("/Length");

	if (!length.isInteger() || length.getIntValue() != APPEND_TOKEN_SIZE)
		return SIZE_MAX;
	std::shared_ptr<Buffer> const data = object.getRawStreamData();
	auto const found = tokens.find(std::string(
	    reinterpret_cast<char const *>(data->getBuffer()), data->getSize()));

	return found != tokens.end() ? found->second : SIZE_MAX;
}

QPDFObjectHandle array_of(double const *values, int count, int decimals)
{
	QPDFObjectHandle array = QPDFObjectHandle::newArray();

	for (int i = 0; i < count; i++)
		array.appendItem(QPDFObjectHandle::newReal(values[i], decimals));
	return array;
}

void put_page(QPDF &pdf, QPDFObjectHandle stream, Page const &page)
{
	QPDFObjectHandle form = QPDFObjectHandle::newDictionary();
	double matrix[6];

	to_square(page, matrix);
	form.replaceKey("/Type", QPDFObjectHandle::newName("/XObject"));
	form.replaceKey("/Subtype", QPDFObjectHandle::newName("/Form"));
	form.replaceKey("/BBox", array_of(page.box, 4, 4));
	form.replaceKey("/Matrix", array_of(matrix, 6, 10));
	form.replaceKey("/Resources", pdf.copyForeignObject(page.resources));
	if (page.group.isInitialized())
		form.replaceKey("/Group", pdf.copyForeignObject(page.group));
	stream.replaceDict(form);
	stream.replaceStreamData(page.content, page.deflated ?
	    QPDFObjectHandle::newName("/FlateDecode") : QPDFObjectHandle::newNull(),
	    QPDFObjectHandle::newNull());
}

} // namespace

void append_put(QPDF &pdf, struct append_place const *places, size_t count)
{
	Tokens tokens;
	char token[APPEND_TOKEN_SIZE];

	if (count == 0)
		return;
	for (size_t i = 0; i < count; i++) {
		append_token(static_cast<unsigned int>(i), token);
		tokens[std::string(token, sizeof(token))] = i;
	}
	for (QPDFObjectHandle &object : pdf.getAllObjects()) {
		size_t const place = place_of(object, tokens);

		if (place < count)
			put_page(pdf, object, places[place].pdf->pages[places[place].page]);
	}
}
