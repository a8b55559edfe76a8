#include "gateway/postfix/state.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"

#define MAGIC "sealgate-attach"
#define TEXT_MAX POSTCONF_LINE_MAX

static enum fail_code put_optional(struct buf *out, const char *text)
{
	enum fail_code code = buf_put_u8(out, text != NULL);

	return code == SG_OK && text != NULL ? buf_put_str(out, text) : code;
}

static enum fail_code get_optional(struct buf_reader *in, char **text_out)
{
	uint8_t there;
	enum fail_code code = buf_get_u8(in, &there);

	if (code == SG_OK && there > 1)
		code = SG_EFORMAT;
	return code == SG_OK && there ? buf_get_str(in, TEXT_MAX, text_out) : code;
}

static enum fail_code put_change(struct buf *out, const struct plan_change *change)
{
	const char *const texts[] = { change->service, change->name, change->old, change->new,
		change->ours };
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < sizeof(texts) / sizeof(texts[0]); i++)
		code = put_optional(out, texts[i]);
	return code;
}

static enum fail_code get_change(struct buf_reader *in, struct plan *plan)
{
	char *texts[5] = { NULL };
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < 5; i++)
		code = get_optional(in, &texts[i]);
	if (code == SG_OK && texts[0] == NULL && texts[1] == NULL)
		code = SG_EFORMAT;
	if (code == SG_OK)
		code = plan_put(plan,
		    &(struct plan_text){ texts[0], texts[1], texts[2], texts[3], texts[4] }, NULL);
	for (size_t i = 0; i < 5; i++)
		free(texts[i]);
	return code;
}

static enum fail_code put_file(struct buf *out, const struct state_file *file)
{
	enum fail_code code = buf_put_str(out, file->original);

	if (code == SG_OK)
		code = buf_put_str(out, file->before);
	return code == SG_OK ? buf_put_str(out, file->after) : code;
}

static enum fail_code get_file(struct buf_reader *in, struct state_file *file)
{
	enum fail_code code = buf_get_str(in, STATE_TEXT_MAX, &file->original);

	if (code == SG_OK)
		code = buf_get_str(in, STATE_TEXT_MAX, &file->before);
	return code == SG_OK ? buf_get_str(in, STATE_TEXT_MAX, &file->after) : code;
}

enum fail_code state_encode(const struct state *state, struct buf *out, struct fail *f)
{
	enum fail_code code = buf_put_str(out, MAGIC);

	if (code == SG_OK)
		code = buf_put_u16(out, STATE_VERSION);
	if (code == SG_OK)
		code = buf_put_u8(out, state->draining);
	if (code == SG_OK)
		code = buf_put_u32(out, state->port);
	if (code == SG_OK)
		code = buf_put_str(out, state->milter);
	if (code == SG_OK)
		code = buf_put_u32(out, state->fallback_port);
	if (code == SG_OK)
		code = buf_put_str(out, state->policy);
	if (code == SG_OK)
		code = buf_put_str(out, state->ca_file);
	if (code == SG_OK)
		code = put_file(out, &state->main);
	if (code == SG_OK)
		code = put_file(out, &state->master);
	if (code == SG_OK)
		code = buf_put_u32(out, (uint32_t)state->plan.count);
	for (size_t i = 0; code == SG_OK && i < state->plan.count; i++)
		code = put_change(out, &state->plan.changes[i]);
	return code == SG_OK ? SG_OK : fail_set(f, code, NULL, "cannot keep the old values");
}

/* What version 2 has more. */
static enum fail_code get_tls(struct buf_reader *in, uint16_t version, struct state *out)
{
	uint32_t port = 0;
	enum fail_code code;

	if (version == 1) {
		out->policy = str_dup("");
		out->ca_file = str_dup("");
		return out->policy == NULL || out->ca_file == NULL ? SG_ENOMEM : SG_OK;
	}
	code = buf_get_u32(in, &port);
	if (code == SG_OK)
		code = buf_get_str(in, TEXT_MAX, &out->policy);
	if (code == SG_OK)
		code = buf_get_str(in, TEXT_MAX, &out->ca_file);
	out->fallback_port = port;
	return code;
}

static enum fail_code get_head(struct buf_reader *in, struct state *out)
{
	char *magic = NULL;
	uint16_t version = 0;
	uint8_t draining = 0;
	uint32_t port = 0;
	enum fail_code code = buf_get_str(in, sizeof(MAGIC), &magic);

	if (code == SG_OK)
		code = strcmp(magic, MAGIC) == 0 ? buf_get_u16(in, &version) : SG_EFORMAT;
	if (code == SG_OK)
		code = version == 1 || version == STATE_VERSION ? buf_get_u8(in, &draining) :
		                                                  SG_EFORMAT;
	if (code == SG_OK)
		code = draining <= 1 ? buf_get_u32(in, &port) : SG_EFORMAT;
	if (code == SG_OK)
		code = buf_get_str(in, TEXT_MAX, &out->milter);
	if (code == SG_OK)
		code = get_tls(in, version, out);
	free(magic);
	out->draining = draining == 1;
	out->port = port;
	return code;
}

static enum fail_code get_body(struct buf_reader *in, struct state *out)
{
	uint32_t count = 0;
	enum fail_code code = get_file(in, &out->main);

	if (code == SG_OK)
		code = get_file(in, &out->master);
	if (code == SG_OK)
		code = buf_get_u32(in, &count);
	for (uint32_t i = 0; code == SG_OK && i < count; i++)
		code = get_change(in, &out->plan);
	return code == SG_OK ? buf_get_end(in) : code;
}

enum fail_code state_decode(const void *data, size_t size, struct state *out, struct fail *f)
{
	struct buf_reader in;
	enum fail_code code;

	memset(out, 0, sizeof(*out));
	buf_reader_init(&in, data, size);
	code = get_head(&in, out);
	if (code == SG_OK)
		code = get_body(&in, out);
	if (code == SG_OK)
		return SG_OK;
	state_free(out);
	if (code == SG_ENOMEM)
		return fail_set(f, code, NULL, "no memory");
	return fail_set(f, SG_EFORMAT,
	    "put main.cf and master.cf back from a backup, remove that file",
	    "the record of the last attach is damaged or by another version of Sealgate");
}

static void file_free(struct state_file *file)
{
	free(file->original);
	free(file->before);
	free(file->after);
}

void state_free(struct state *state)
{
	free(state->milter);
	free(state->policy);
	free(state->ca_file);
	file_free(&state->main);
	file_free(&state->master);
	plan_free(&state->plan);
	memset(state, 0, sizeof(*state));
}

enum fail_code state_load(const char *folder, struct state *out, struct fail *f)
{
	char *path = str_printf("%s/state", folder);
	struct buf data;
	enum fail_code code;

	memset(out, 0, sizeof(*out));
	if (path == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	buf_init(&data, STATE_SIZE_MAX);
	code = fd_read_file(path, &data, f);
	if (code == SG_OK)
		code = state_decode(data.data, data.size, out, f);
	buf_free(&data);
	free(path);
	return code;
}

enum fail_code state_save(const char *folder, const struct state *state, struct fail *f)
{
	char *path = str_printf("%s/state", folder);
	struct buf data;
	enum fail_code code;

	if (path == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	buf_init(&data, STATE_SIZE_MAX);
	code = state_encode(state, &data, f);
	if (code == SG_OK)
		code = fd_replace_file(path, data.data, data.size, 0600, f);
	buf_free(&data);
	free(path);
	return code;
}
