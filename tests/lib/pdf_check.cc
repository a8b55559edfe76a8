/*
 * pdf_check: for tests: what every sealed PDF must be, read by libqpdf alone.
 *
 *   pdf_check PASSWORD FOLDER PDF...   each finding is a line "PDF-NAME: TEXT"; status 0 or 1
 *
 * In FOLDER/PDF-NAME/ stand then: the embedded files (1, 2, ... in their order), "files" (number,
 * name, type, date; tabs between), "links" (the addresses, sorted) and "pictures" (how many are drawn).
 */
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#define POINTERHOLDER_TRANSITION 4
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFEmbeddedFileDocumentHelper.hh>
#include <qpdf/QPDFObjectHandle.hh>
#include <qpdf/QPDFPageDocumentHelper.hh>

using Object = QPDFObjectHandle;

struct Check {
	std::string name;
	std::string folder;
	unsigned findings = 0;
	std::set<std::string> links;
	std::vector<std::string> jpegs;
	unsigned pictures = 0;

	void find(std::string const &what)
	{
		std::cout << name << ": " << what << "\n";
		findings++;
	}
};

static std::string bytes_of(Object stream, qpdf_stream_decode_level_e level)
{
	std::shared_ptr<Buffer> data = level == qpdf_dl_none ? stream.getRawStreamData() :
	    stream.getStreamData(level);

	return std::string(reinterpret_cast<char const *>(data->getBuffer()), data->getSize());
}

static std::string name_at(Object dict, char const *key)
{
	Object value = dict.isDictionary() ? dict.getKey(key) : Object::newNull();

	return value.isName() ? value.getName() : "";
}

/* ---- fonts, and the glyphs that are shown with them ---- */

static void check_font(Check &check, Object font)
{
	std::string base = name_at(font, "/BaseFont");
	std::string type = name_at(font, "/Subtype");
	Object descendants = font.getKey("/DescendantFonts");
	Object owner = descendants.isArray() && descendants.getArrayNItems() == 1 ?
	    descendants.getArrayItem(0) : font;
	Object descriptor = owner.getKey("/FontDescriptor");

	if (!font.getKey("/ToUnicode").isStream())
		check.find("font " + base + " has no ToUnicode");
	if (type == "/Type3")
		return;
	if (!descriptor.isDictionary() || (!descriptor.getKey("/FontFile2").isStream() &&
	    !descriptor.getKey("/FontFile3").isStream()))
		check.find("font " + base + " is not embedded");
	if (base.size() < 8 || base[7] != '+')
		check.find("font " + base + " is not a subset");
}

class Shown final : public Object::ParserCallbacks
{
public:
	Shown(Check &asked, Object from) : check(asked), resources(from) {}

	void handleObject(Object object, size_t, size_t) override
	{
		if (!object.isOperator()) {
			operands.push_back(object);
			return;
		}
		take(object.getOperatorValue());
		operands.clear();
	}
	void handleEOF() override {}

private:
	Check &check;
	Object resources;
	std::vector<Object> operands;
	Object font = Object::newNull();
	bool wide = false;

	void take(std::string const &what)
	{
		if (operands.empty())
			return;
		if (what == "Tf" && operands[0].isName()) {
			font = resources.getKey("/Font").getKey(operands[0].getName());
			wide = name_at(font, "/Subtype") == "/Type0";
		} else if (what == "Tj" || what == "'" || what == "\"")
			glyphs(operands.back());
		else if (what == "TJ" && operands[0].isArray())
			for (Object &each : operands[0].getArrayAsVector())
				glyphs(each);
		else if (what == "Do")
			picture(resources.getKey("/XObject").getKey(operands[0].getName()));
	}

	void glyphs(Object text)
	{
		if (!text.isString())
			return;

		std::string codes = text.getStringValue();

		if (!wide) {
			simple(codes);
			return;
		}
		if (codes.size() % 2 != 0)
			check.find("half a glyph is shown");
		for (size_t i = 0; i + 1 < codes.size(); i += 2)
			if (codes[i] == '\0' && codes[i + 1] == '\0')
				check.find("a missing-glyph box is shown");
	}

	/* Fonts of ours have a width for each of their codes, of which 0 is none. */
	void simple(std::string const &codes)
	{
		Object begin = font.getKey("/FirstChar");
		Object widths = font.getKey("/Widths");
		int first = begin.isInteger() ? begin.getIntValueAsInt() : 256;
		int end = first + (widths.isArray() ? widths.getArrayNItems() : 0);

		for (char each : codes) {
			int code = static_cast<unsigned char>(each);

			if (code == 0 || code < first || code >= end)
				check.find("a missing-glyph box is shown");
		}
	}

	void picture(Object image)
	{
		if (image.isStream() && name_at(image.getDict(), "/Subtype") == "/Image")
			check.pictures++;
	}
};

/* Pages that were PDFs of the sender keep the sender's fonts: ours alone have structure. */
static void check_page(Check &check, QPDFPageObjectHelper page)
{
	Object resources = page.getAttribute("/Resources", false);
	Shown shown(check, resources);

	if (!page.getObjectHandle().hasKey("/StructParents"))
		return;
	if (resources.getKey("/Font").isDictionary())
		for (auto &font : resources.getKey("/Font").getDictAsMap())
			check_font(check, font.second);
	page.parseContents(&shown);
}

/* ---- structure ---- */

/* ISO 32000-2 14.8.4.7.2: what the link is about (nothing of ours on pages of attached PDFs). */
static void check_link(Check &check, Object link)
{
	Object kids = link.getKey("/K");
	unsigned content = 0;
	unsigned annotations = 0;

	if (!kids.isArray())
		kids = Object::newArray({ kids });
	for (Object &kid : kids.getArrayAsVector())
		if (name_at(kid, "/Type") == "/OBJR")
			annotations++;
		else if (kid.isInteger() || kid.isDictionary())
			content++;
	if (content == 0 && !link.getKey("/Alt").isString())
		check.find("a Link has neither text nor Alt");
	if (annotations == 0)
		check.find("a Link has no annotation");
}

static void check_structure(Check &check, Object top)
{
	std::vector<Object> todo = { top };
	std::set<QPDFObjGen> seen;
	unsigned elements = 0;

	while (!todo.empty()) {
		Object each = todo.back();

		todo.pop_back();
		if (each.isArray()) {
			for (Object &item : each.getArrayAsVector())
				todo.push_back(item);
			continue;
		}
		if (!each.isDictionary() || (each.isIndirect() && !seen.insert(each.getObjGen()).second))
			continue;
		elements += each.hasKey("/S") ? 1u : 0u;
		if (name_at(each, "/S") == "/Figure" && !each.getKey("/Alt").isString())
			check.find("a Figure has no Alt");
		if (name_at(each, "/S") == "/Link")
			check_link(check, each);
		todo.push_back(each.getKey("/K"));
	}
	if (elements < 3)
		check.find("hardly any structure");
}

static void check_document(Check &check, QPDF &pdf)
{
	Object root = pdf.getRoot();
	Object info = pdf.getTrailer().getKey("/Info");
	Object views = root.getKey("/ViewerPreferences");
	Object mark = root.getKey("/MarkInfo");

	if (!root.getKey("/Lang").isString() || root.getKey("/Lang").getStringValue().empty())
		check.find("no language");
	if (!info.isDictionary() || !info.getKey("/Title").isString() ||
	    info.getKey("/Title").getUTF8Value().empty())
		check.find("no title");
	if (!views.isDictionary() || !views.getKey("/DisplayDocTitle").isBool() ||
	    !views.getKey("/DisplayDocTitle").getBoolValue())
		check.find("the title is not displayed");
	if (!mark.isDictionary() || !mark.getKey("/Marked").isBool() ||
	    !root.getKey("/StructTreeRoot").isDictionary())
		check.find("not tagged");
	else
		check_structure(check, root.getKey("/StructTreeRoot").getKey("/K"));
}

/* ---- what must not be there ---- */

static void check_action(Check &check, Object dict)
{
	static std::set<std::string> const keys = { "/JS", "/JavaScript", "/AA", "/OpenAction",
		"/XFA", "/AcroForm", "/RichMediaContent" };
	static std::set<std::string> const actions = { "/JavaScript", "/Launch", "/SubmitForm",
		"/ImportData", "/GoToR", "/GoToE", "/Rendition", "/Movie", "/Sound", "/RichMediaExecute" };

	for (std::string const &key : dict.getKeys())
		if (keys.count(key) != 0)
			check.find("has " + key);
	if (actions.count(name_at(dict, "/S")) != 0)
		check.find("has an action " + name_at(dict, "/S"));
	if (name_at(dict, "/S") == "/URI") {
		std::string uri = dict.getKey("/URI").getStringValue();

		check.links.insert(uri);
		if (uri.compare(0, 7, "http://") != 0 && uri.compare(0, 8, "https://") != 0 &&
		    uri.compare(0, 7, "mailto:") != 0 && uri.compare(0, 4, "tel:") != 0)
			check.find("links to " + uri);
	}
}

static void check_all_objects(Check &check, QPDF &pdf)
{
	std::vector<Object> todo = pdf.getAllObjects();

	while (!todo.empty()) {
		Object each = todo.back();
		Object dict = each;

		todo.pop_back();
		if (each.isStream()) {
			dict = each.getDict();
			if (name_at(dict, "/Filter") == "/DCTDecode")
				check.jpegs.push_back(bytes_of(each, qpdf_dl_none));
		}
		if (dict.isDictionary()) {
			check_action(check, dict);
			for (auto &item : dict.getDictAsMap())
				if (!item.second.isIndirect())
					todo.push_back(item.second);
		} else if (dict.isArray()) {
			for (Object &item : dict.getArrayAsVector())
				if (!item.isIndirect())
					todo.push_back(item);
		}
	}
}

/* ---- embedded files ---- */

static void check_file(Check &check, unsigned number, QPDFFileSpecObjectHelper &spec,
    std::ofstream &list)
{
	QPDFEFStreamObjectHelper stream(spec.getEmbeddedFileStream());
	std::string data = bytes_of(stream.getObjectHandle(), qpdf_dl_all);
	std::string type = stream.getSubtype();
	std::ofstream out(check.folder + "/" + std::to_string(number), std::ios::binary);
	/* one without its end is embedded only: readers would show a part of it */
	bool shown = type != "image/jpeg" || data.size() < 2 ||
	    data.compare(data.size() - 2, 2, "\xff\xd9") != 0;

	out << data;
	list << number << "\t" << spec.getFilename() << "\t" << type << "\t"
	     << stream.getModDate() << "\n";
	if (spec.getFilename().empty() || type.empty())
		check.find("a file without name or type");
	if (stream.getSize() != data.size())
		check.find(spec.getFilename() + ": its size is another");
	for (std::string const &jpeg : check.jpegs)
		shown = shown || jpeg == data;
	if (!shown)
		check.find(spec.getFilename() + ": not shown byte for byte");
}

static void check_files(Check &check, QPDF &pdf)
{
	QPDFEmbeddedFileDocumentHelper files(pdf);
	std::ofstream list(check.folder + "/files");
	unsigned number = 0;

	for (auto &file : files.getEmbeddedFiles())
		check_file(check, ++number, *file.second, list);
	if (!pdf.getRoot().getKey("/AF").isArray() && number > 0)
		check.find("no /AF");
}

static void check_encryption(Check &check, QPDF &pdf)
{
	int revision = 0;
	int permissions = 0;
	int version = 0;
	QPDF::encryption_method_e stream = QPDF::e_none;
	QPDF::encryption_method_e string = QPDF::e_none;
	QPDF::encryption_method_e file = QPDF::e_none;

	if (!pdf.isEncrypted(revision, permissions, version, stream, string, file))
		check.find("is not encrypted");
	if (revision != 6 || version != 5 || stream != QPDF::e_aesv3 || string != QPDF::e_aesv3 ||
	    file != QPDF::e_aesv3)
		check.find("is not encrypted by AESv3 of revision 6 throughout");
	if (pdf.ownerPasswordMatched() || !pdf.userPasswordMatched())
		check.find("the password is not the user's alone");
}

static void check_one(Check &check, char const *path, char const *password)
{
	QPDF pdf;
	std::ofstream links(check.folder + "/links");
	std::ofstream pictures(check.folder + "/pictures");

	pdf.setSuppressWarnings(true);
	pdf.processFile(path, password);
	check_encryption(check, pdf);
	check_document(check, pdf);
	for (QPDFPageObjectHelper &page : QPDFPageDocumentHelper(pdf).getAllPages())
		check_page(check, page);
	check_all_objects(check, pdf);
	check_files(check, pdf);
	for (QPDFExc &warning : pdf.getWarnings())
		check.find(warning.what());
	for (std::string const &link : check.links)
		links << link << "\n";
	pictures << check.pictures << "\n";
}

int main(int argc, char *argv[])
{
	unsigned findings = 0;

	if (argc < 4) {
		std::cerr << "usage: pdf_check PASSWORD FOLDER PDF...\n";
		return 64;
	}
	for (int i = 3; i < argc; i++) {
		std::string path = argv[i];
		Check check;

		check.name = path.substr(path.find_last_of('/') + 1);
		check.folder = std::string(argv[2]) + "/" + check.name;
		(void)mkdir(check.folder.c_str(), 0700);
		try {
			check_one(check, argv[i], argv[1]);
		} catch (std::exception &e) {
			check.find(e.what());
		}
		findings += check.findings;
	}
	return findings == 0 ? 0 : 1;
}
