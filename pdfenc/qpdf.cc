#include "pdfenc/qpdf.h"

/* libqpdf 11 warns unless told that we use std::shared_ptr */
#define POINTERHOLDER_TRANSITION 4

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <unistd.h>

#include <qpdf/Pipeline.hh>
#include <qpdf/QPDF.hh>
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

void write_sealed(qpdf_job &job)
{
	QPDF pdf;
	Output output(job.out);

	pdf.setSuppressWarnings(true);
	pdf.processMemoryFile("pages", reinterpret_cast<char const *>(job.pages), job.pages_size);
	append_put(pdf, job.places, job.place_count);

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

void take(std::string &from, unsigned char *to, size_t size)
{
	if (from.size() != size)
		throw std::runtime_error("a key of unexpected length");
	std::memcpy(to, from.data(), size);
	explicit_bzero(&from[0], from.size());
}

void make_keys(char const *password, char const *owner_password, qpdf_keys &keys)
{
	std::string key;
	std::string o;
	std::string u;
	std::string oe;
	std::string ue;
	std::string perms;

	/* version 5, revision 6, 32 bytes of key, all permitted (-4), metadata encrypted, too */
	QPDF::compute_encryption_parameters_V5(password, owner_password, 5, 6, 32, -4, true, "",
	    key, o, u, oe, ue, perms);
	take(key, keys.key, sizeof(keys.key));
	take(o, keys.o, sizeof(keys.o));
	take(u, keys.u, sizeof(keys.u));
	take(oe, keys.oe, sizeof(keys.oe));
	take(ue, keys.ue, sizeof(keys.ue));
	take(perms, keys.perms, sizeof(keys.perms));
}

} // namespace

bool qpdf_make_keys(char const *password, char const *owner_password, struct qpdf_keys *keys_out,
    char error[QPDF_ERROR_MAX])
{
	try {
		make_keys(password, owner_password, *keys_out);
		return true;
	} catch (std::exception const &e) {
		(void)std::snprintf(error, QPDF_ERROR_MAX, "%s", e.what());
	} catch (...) {
		(void)std::snprintf(error, QPDF_ERROR_MAX, "unknown exception");
	}
	return false;
}

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
