#include "pdfenc/qpdf.h"

/* libqpdf 11 warns unless told that we use std::shared_ptr */
#define POINTERHOLDER_TRANSITION 4

#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <unistd.h>

#include <qpdf/Pipeline.hh>
#include <qpdf/Pl_Flate.hh>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFEmbeddedFileDocumentHelper.hh>
#include <qpdf/QPDFFileSpecObjectHelper.hh>
#include <qpdf/QPDFObjectHandle.hh>
#include <qpdf/QPDFWriter.hh>

#include "pdfenc/append.hh"

namespace {

/* Writes to a descriptor in large pieces. */
class Output final : public Pipeline
{
public:
	explicit Output(int fd) : Pipeline("output", nullptr), out(fd) { pending.reserve(room); }

	void write(unsigned char const *data, size_t size) override
	{
		if (pending.size() + size > room)
			flush();
		if (size > room)
			put(data, size);
		else
			pending.append(reinterpret_cast<char const *>(data), size);
	}

	void finish() override { flush(); }

private:
	static constexpr size_t room = 65536;
	int out;
	std::string pending;

	void flush()
	{
		put(reinterpret_cast<unsigned char const *>(pending.data()), pending.size());
		pending.clear();
	}

	void put(unsigned char const *data, size_t size)
	{
		while (size > 0) {
			ssize_t n = ::write(out, data, size);

			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				throw std::runtime_error("cannot write to the memory file");
			data += n;
			size -= static_cast<size_t>(n);
		}
	}
};

/* Hands a file's bytes over when qpdf writes it, so that no copy waits in memory. */
class Content final : public QPDFObjectHandle::StreamDataProvider
{
public:
	explicit Content(qpdf_file const &content) : file(content) {}

	void provideStreamData(QPDFObjGen const &, Pipeline *next) override
	{
		if (!file.compress) {
			next->write(file.data, file.size);
			next->finish();
			return;
		}
		Pl_Flate deflate("deflate", next, Pl_Flate::a_deflate);

		deflate.write(file.data, file.size);
		deflate.finish();
	}

private:
	qpdf_file const &file;
};

QPDFObjectHandle stream_of(QPDF &pdf, qpdf_file const &file)
{
	QPDFObjectHandle stream = QPDFObjectHandle::newStream(&pdf);
	QPDFObjectHandle dictionary = stream.getDict();
	QPDFObjectHandle parameters = QPDFObjectHandle::newDictionary();

	dictionary.replaceKey("/Type", QPDFObjectHandle::newName("/EmbeddedFile"));
	dictionary.replaceKey("/Subtype", QPDFObjectHandle::newName("/" + std::string(file.type)));
	parameters.replaceKey("/Size",
	    QPDFObjectHandle::newInteger(static_cast<long long>(file.size)));
	if (file.date != nullptr)
		parameters.replaceKey("/ModDate", QPDFObjectHandle::newString(file.date));
	dictionary.replaceKey("/Params", parameters);
	stream.replaceStreamData(std::make_shared<Content>(file),
	    file.compress ? QPDFObjectHandle::newName("/FlateDecode") :
	    QPDFObjectHandle::newNull(), QPDFObjectHandle::newNull());
	return stream;
}

void attach(QPDF &pdf, qpdf_job const &job)
{
	QPDFEmbeddedFileDocumentHelper embedded(pdf);
	QPDFObjectHandle associated = QPDFObjectHandle::newArray();
	char key[32];

	for (size_t i = 0; i < job.file_count; i++) {
		qpdf_file const &file = job.files[i];
		QPDFFileSpecObjectHelper specification = QPDFFileSpecObjectHelper::createFileSpec(
		    pdf, file.name, QPDFEFStreamObjectHelper(stream_of(pdf, file)));
		QPDFObjectHandle object = specification.getObjectHandle();

		object.replaceKey("/AFRelationship",
		    QPDFObjectHandle::newName("/" + std::string(file.relation)));
		/* the tree is sorted by key: numbers keep the order of the mail */
		(void)std::snprintf(key, sizeof(key), "%05zu", i);
		embedded.replaceEmbeddedFile(key, specification);
		associated.appendItem(object);
	}
	if (job.file_count > 0)
		pdf.getRoot().replaceKey("/AF", associated);
}

void describe(QPDF &pdf, qpdf_job const &job)
{
	QPDFObjectHandle root = pdf.getRoot();
	QPDFObjectHandle preferences = QPDFObjectHandle::newDictionary();
	QPDFObjectHandle info = QPDFObjectHandle::newDictionary();

	if (job.language != nullptr)
		root.replaceKey("/Lang", QPDFObjectHandle::newUnicodeString(job.language));
	preferences.replaceKey("/DisplayDocTitle", QPDFObjectHandle::newBool(true));
	root.replaceKey("/ViewerPreferences", preferences);
	if (job.file_count > 1)
		root.replaceKey("/PageMode", QPDFObjectHandle::newName("/UseAttachments"));
	info.replaceKey("/Title", QPDFObjectHandle::newUnicodeString(job.title));
	info.replaceKey("/Producer", QPDFObjectHandle::newString("Sealgate"));
	/* qpdf hashes time and Info into the identifiers, which stand outside the encryption */
	info.replaceKey("/SealgateNonce", QPDFObjectHandle::newString(job.nonce));
	pdf.getTrailer().replaceKey("/Info", pdf.makeIndirectObject(info));
}

void write_sealed(qpdf_job &job)
{
	QPDF pdf;
	Output output(job.out);

	pdf.setSuppressWarnings(true);
	pdf.processMemoryFile("pages", reinterpret_cast<char const *>(job.pages), job.pages_size);
	append_put(pdf, job.places, job.place_count);
	describe(pdf, job);
	attach(pdf, job);

	QPDFWriter writer(pdf);

	writer.setOutputPipeline(&output);
	writer.setMinimumPDFVersion("2.0");
	writer.setStreamDataMode(qpdf_s_preserve);
	writer.setObjectStreamMode(qpdf_o_generate);
	writer.setR6EncryptionParameters(job.password, job.owner_password, true, true, true, true,
	    true, true, qpdf_r3p_full, true);
	writer.write();
	output.finish();
}

} // namespace

bool qpdf_write(struct qpdf_job *job)
{
	try {
		write_sealed(*job);
		return true;
	} catch (std::exception const &e) {
		(void)std::snprintf(job->error, sizeof(job->error), "%s", e.what());
	} catch (...) {
		(void)std::snprintf(job->error, sizeof(job->error), "unknown exception");
	}
	return false;
}
