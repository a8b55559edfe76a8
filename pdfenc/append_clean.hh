/*
 * append_clean: takes all out of a page's resources that does not draw.
 */
#ifndef SG_PDFENC_APPEND_CLEAN_HH
#define SG_PDFENC_APPEND_CLEAN_HH

#include <set>
#include <string>
#include <utility>

#include <qpdf/QPDFObjectHandle.hh>

/* Changes the objects of one foreign document in place; each is looked at once. */
class Cleaner
{
public:
	enum class Kind {
		thing,		/* font, image, pattern, function, ...: only known keys stay */
		resources,
		map		/* names of the file's own to things */
	};

	/* Throws std::runtime_error where it is nested too deep. */
	void clean(QPDFObjectHandle object, Kind kind, int depth = 0);

private:
	std::set<std::pair<QPDFObjGen, Kind>> seen;

	void clean_dictionary(QPDFObjectHandle dictionary, Kind kind, int depth);
	void clean_thing(QPDFObjectHandle dictionary, std::string const &key, int depth);
	void clean_category(QPDFObjectHandle dictionary, std::string const &key, int depth);
};

#endif
