/* libqpdf 11 warns unless told that we use std::shared_ptr */
#define POINTERHOLDER_TRANSITION 4

#include "pdfenc/append_clean.hh"

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace {

constexpr int depth_max = 60;	/* forms in forms and the like; honest files stay below 10 */

/* Keys of what draws: ISO 32000-2 7.4, 7.10, 8.6 to 8.10, 9.5 to 9.10, 11.6. Sorted. */
constexpr std::string_view known[] = {
	"/AIS", "/Alternate", "/AntiAlias", "/Ascent", "/AvgWidth", "/BBox", "/BC", "/BM",
	"/Background", "/BaseEncoding", "/BaseFont", "/BitsPerComponent", "/BitsPerCoordinate",
	"/BitsPerFlag", "/BitsPerSample", "/BlackIs1", "/BlackPoint", "/Bounds", "/C0", "/C1",
	"/CA", "/CIDSet", "/CIDSystemInfo", "/CIDToGIDMap", "/CMapName", "/CS", "/CapHeight",
	"/CharProcs", "/CharSet", "/ColorSpace", "/ColorTransform", "/Colorants", "/Colors",
	"/Columns", "/Components", "/Coords", "/D", "/DW", "/DW2", "/DamagedRowsBeforeError",
	"/Decode", "/DecodeParms", "/DescendantFonts", "/Descent", "/Differences", "/Domain",
	"/EarlyChange", "/Encode", "/EncodedByteAlign", "/Encoding", "/EndOfBlock", "/EndOfLine",
	"/ExtGState", "/Extend", "/FL", "/Filter", "/FirstChar", "/Flags", "/Font", "/FontBBox",
	"/FontDescriptor", "/FontFamily", "/FontFile", "/FontFile2", "/FontFile3", "/FontMatrix",
	"/FontName", "/FontStretch", "/FontWeight", "/FormType", "/Function", "/FunctionType",
	"/Functions", "/G", "/Gamma", "/Group", "/Height", "/I", "/ImageMask", "/Intent",
	"/Interpolate", "/ItalicAngle", "/JBIG2Globals", "/K", "/LC", "/LJ", "/LW", "/LastChar",
	"/Leading", "/Length", "/Length1", "/Length2", "/Length3", "/ML", "/Mask", "/Matrix",
	"/Matte", "/MaxWidth", "/MissingWidth", "/MixingHints", "/N", "/Name", "/OP", "/OPM",
	"/Order", "/Ordering", "/PaintType", "/PatternType", "/Predictor", "/PrintingOrder",
	"/Process", "/RI", "/Range", "/Registry", "/Resources", "/Rows", "/S", "/SA", "/SM",
	"/SMask", "/SMaskInData", "/Shading", "/ShadingType", "/Size", "/Solidities", "/StemH",
	"/StemV", "/Subtype", "/Supplement", "/TK", "/TR", "/TilingType", "/ToUnicode", "/Type",
	"/UseCMap", "/VerticesPerRow", "/W", "/W2", "/WMode", "/WhitePoint", "/Width", "/Widths",
	"/XHeight", "/XStep", "/YStep", "/ca", "/op",
};

/* Names that mean an action wherever they stand; a font may not be called so either. */
constexpr std::string_view refused[] = { "/A", "/AA", "/JS", "/JavaScript", "/Launch",
	"/OpenAction", "/XFA", "/RichMedia" };

constexpr std::string_view categories[] = { "/ColorSpace", "/ExtGState", "/Font", "/Pattern",
	"/Shading", "/XObject" };

template <size_t count>
bool is_in(std::string_view const (&list)[count], std::string_view word)
{
	return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

/* What kinds of groups and masks there are; everything else called S is an action's. */
bool is_harmless_kind(QPDFObjectHandle value)
{
	if (!value.isName())
		return !value.isDictionary() && !value.isStream();
	std::string const name = value.getName();

	return name == "/Transparency" || name == "/Luminosity" || name == "/Alpha";
}

} // namespace

void Cleaner::clean(QPDFObjectHandle object, Kind kind, int depth)
{
	if (!object.isArray() && !object.isDictionary() && !object.isStream())
		return;
	if (depth > depth_max)
		throw std::runtime_error("nested too deep");
	if (object.isIndirect() && !seen.insert({ object.getObjGen(), kind }).second)
		return;
	if (object.isArray()) {
		int const count = object.getArrayNItems();

		for (int i = 0; i < count; i++)
			clean(object.getArrayItem(i), Kind::thing, depth + 1);
		return;
	}
	clean_dictionary(object.isStream() ? object.getDict() : object, kind, depth);
}

void Cleaner::clean_dictionary(QPDFObjectHandle dictionary, Kind kind, int depth)
{
	for (std::string const &key : dictionary.getKeys()) {
		switch (kind) {
		case Kind::thing:
			clean_thing(dictionary, key, depth);
			break;
		case Kind::resources:
			clean_category(dictionary, key, depth);
			break;
		case Kind::map:
			if (is_in(refused, key))
				dictionary.removeKey(key);
			else
				clean(dictionary.getKey(key), Kind::thing, depth + 1);
			break;
		}
	}
}

void Cleaner::clean_thing(QPDFObjectHandle dictionary, std::string const &key, int depth)
{
	QPDFObjectHandle value = dictionary.getKey(key);

	if (!std::binary_search(std::begin(known), std::end(known), std::string_view(key)) ||
	    (key == "/S" && !is_harmless_kind(value)) ||
	    (value.isName() && is_in(refused, value.getName()))) {
		dictionary.removeKey(key);
		return;
	}
	/* PostScript of old, and a filter that asks for a key of the other file */
	if (key == "/Subtype" && value.isNameAndEquals("/PS"))
		throw std::runtime_error("PostScript");
	if (key == "/Filter" && value.unparseResolved().find("/Crypt") != std::string::npos)
		throw std::runtime_error("encrypted stream");
	if (key == "/Resources")
		clean(value, Kind::resources, depth + 1);
	else if (key == "/CharProcs" || key == "/Colorants")
		clean(value, Kind::map, depth + 1);
	else
		clean(value, Kind::thing, depth + 1);
}

/* Marked content may name properties (layers): the names stay, empty. */
void Cleaner::clean_category(QPDFObjectHandle dictionary, std::string const &key, int depth)
{
	QPDFObjectHandle value = dictionary.getKey(key);

	if (is_in(categories, key) && value.isDictionary()) {
		clean(value, Kind::map, depth + 1);
		return;
	}
	if (key != "/Properties" || !value.isDictionary()) {
		dictionary.removeKey(key);
		return;
	}
	QPDFObjectHandle empty = QPDFObjectHandle::newDictionary();

	for (std::string const &name : value.getKeys())
		if (!is_in(refused, name))
			empty.replaceKey(name, QPDFObjectHandle::newDictionary());
	dictionary.replaceKey(key, empty);
}
