#include "milter/scan/options.h"

#include <string.h>

void options_scan(bool encrypted, struct cl_scan_options *scan_out)
{
	memset(scan_out, 0, sizeof(*scan_out));
	scan_out->general = CL_SCAN_GENERAL_HEURISTICS;
	scan_out->parse = ~(uint32_t)0;
	/* a limit that was met must show */
	scan_out->heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX;
	if (encrypted)
		scan_out->heuristic |= CL_SCAN_HEURISTIC_ENCRYPTED_ARCHIVE |
		    CL_SCAN_HEURISTIC_ENCRYPTED_DOC;
}

enum fail_code options_engine(struct cl_engine *engine, const struct options *options,
    struct fail *f)
{
	const long long size = (long long)options->size_max;
	const struct {
		enum cl_engine_field field;
		long long value;
	} numbers[] = {
		{ CL_ENGINE_MAX_SCANSIZE, size },
		{ CL_ENGINE_MAX_FILESIZE, size },
		{ CL_ENGINE_MAX_RECURSION, (long long)options->recursion_max },
		{ CL_ENGINE_MAX_FILES, (long long)options->files_max },
		{ CL_ENGINE_MAX_SCANTIME, (long long)options->time_max_ms },
		/* met silently, without an alert: so they must never be met */
		{ CL_ENGINE_MAX_EMBEDDEDPE, size },
		{ CL_ENGINE_MAX_HTMLNORMALIZE, size },
		{ CL_ENGINE_MAX_HTMLNOTAGS, size },
		{ CL_ENGINE_MAX_SCRIPTNORMALIZE, size },
		{ CL_ENGINE_PCRE_MAX_FILESIZE, size },
		{ CL_ENGINE_DISABLE_CACHE, 1 },
		/* no page of ours is writable and executable */
		{ CL_ENGINE_BYTECODE_MODE, CL_BYTECODE_MODE_INTERPRETER },
	};
	cl_error_t result = CL_SUCCESS;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && result == CL_SUCCESS; i++)
		result = cl_engine_set_num(engine, numbers[i].field, numbers[i].value);
	if (result == CL_SUCCESS)
		result = cl_engine_set_str(engine, CL_ENGINE_TMPDIR, options->temporary_directory);
	if (result != CL_SUCCESS)
		return fail_set(f, SG_ESYSTEM, NULL, "libclamav refuses our settings: %s",
		    cl_strerror(result));
	return SG_OK;
}
