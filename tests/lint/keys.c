/*
 * keys: prints what the table of keys makes, "file" (the shipped sealgate.conf) or "manual" (its
 * reference in mdoc), for the check that compares both with what is in the tree.
 */
#include <stdio.h>
#include <string.h>

#include "config/keys.h"

int main(int argc, char *argv[])
{
	enum fail_code code = SG_EUSAGE;
	struct buf out;
	struct fail f;

	fail_clear(&f);
	buf_init(&out, (size_t)4 * 1024 * 1024);
	if (argc == 2 && strcmp(argv[1], "file") == 0)
		code = keys_file(&out, &f);
	else if (argc == 2 && strcmp(argv[1], "manual") == 0)
		code = keys_manual(&out, &f);
	if (code == SG_OK)
		(void)fwrite(out.data, 1, out.size, stdout);
	else
		(void)fprintf(stderr, "keys: %s\n", f.what);
	buf_free(&out);
	return code == SG_OK ? 0 : 1;
}
