/*
 * nothing_milter SOCKET: a milter that takes every callback and does nothing, the price of being
 * asked at all. SOCKET as in "local:/path".
 */
#include <libmilter/mfapi.h>
#include <stdio.h>

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
	(void)ctx;
	(void)name;
	(void)address;
	return SMFIS_CONTINUE;
}

static sfsistat on_word(SMFICTX *ctx, char *word)
{
	(void)ctx;
	(void)word;
	return SMFIS_CONTINUE;
}

static sfsistat on_words(SMFICTX *ctx, char **words)
{
	(void)ctx;
	(void)words;
	return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx;
	(void)name;
	(void)value;
	return SMFIS_CONTINUE;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *data, size_t size)
{
	(void)ctx;
	(void)data;
	(void)size;
	return SMFIS_CONTINUE;
}

static sfsistat on_event(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_CONTINUE;
}

int main(int argc, char *argv[])
{
	static char name[] = "nothing";
	struct smfiDesc description = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_NONE,
		.xxfi_connect = on_connect,
		.xxfi_helo = on_word,
		.xxfi_envfrom = on_words,
		.xxfi_envrcpt = on_words,
		.xxfi_header = on_header,
		.xxfi_eoh = on_event,
		.xxfi_body = on_body,
		.xxfi_eom = on_event,
		.xxfi_abort = on_event,
		.xxfi_close = on_event,
		.xxfi_data = on_event,
	};

	if (argc != 2 || smfi_setconn(argv[1]) != MI_SUCCESS ||
	    smfi_register(description) != MI_SUCCESS) {
		(void)fprintf(stderr, "usage: nothing_milter local:PATH\n");
		return 64;
	}
	return smfi_main() == MI_SUCCESS ? 0 : 1;
}
