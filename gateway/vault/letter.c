#include "gateway/vault/letter.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/vault/vault.h"

void letter_free(struct letter *letter)
{
	free(letter->to);
	free(letter->subject);
	free(letter->phone);
	free(letter->reason);
	free(letter->notes);
	free(letter->message_id);
	str_list_free(&letter->recipients);
	memset(letter, 0, sizeof(*letter));
}

static void get_recipients(struct packet_reader *p, struct letter *letter)
{
	uint32_t listed = 0;

	packet_get_u32(p, &letter->count);
	packet_get_u32(p, &listed);
	if (p->code == SG_OK && listed > letter->count)
		p->code = SG_EFORMAT;
	for (; p->code == SG_OK && listed > 0; listed--) {
		char *address = NULL;

		packet_get_str(p, &address);
		if (p->code == SG_OK)
			p->code = str_list_add(&letter->recipients, address);
		free(address);
	}
}

static bool tells_password(const struct letter *letter)
{
	return letter->kind == VAULT_LETTER || letter->kind == VAULT_HOOK;
}

static void get_notes(struct packet_reader *p, struct letter *letter)
{
	const unsigned char *notes = NULL;
	size_t size = 0;

	packet_get_bytes(p, &notes, &size);
	if (p->code == SG_OK && size != 0 && size != letter->recipients.count)
		p->code = SG_EFORMAT;
	for (size_t i = 0; p->code == SG_OK && i < size; i++)
		p->code = notes[i] < VAULT_NOTES ? SG_OK : SG_EFORMAT;
	if (p->code == SG_OK && size > 0) {
		letter->notes = malloc(size);
		p->code = letter->notes == NULL ? SG_ENOMEM : SG_OK;
	}
	if (p->code == SG_OK && size > 0)
		memcpy(letter->notes, notes, size);
	packet_get_str(p, &letter->message_id);
}

static void get_kind(struct packet_reader *p, struct letter *letter)
{
	packet_get_u8(p, &letter->kind);
	packet_get_str(p, &letter->phone);
	packet_get_str(p, &letter->reason);
	if (p->code == SG_OK && (letter->kind > VAULT_SEALED ||
	    strlen(letter->phone) >= VAULT_PHONE_MAX ||
	    tells_password(letter) != (letter->password_size > 0)))
		p->code = SG_EFORMAT;
}

static void get_head(struct packet_reader *p, struct letter *letter)
{
	memset(letter, 0, sizeof(*letter));
	packet_get_str(p, &letter->to);
	packet_get_u8(p, &letter->language);
	packet_get_u8(p, &letter->keep);
	packet_get_str(p, &letter->subject);
	packet_get_i64(p, &letter->time_ms);
	packet_get_bytes(p, &letter->password, &letter->password_size);
	get_recipients(p, letter);
}

void letter_get(struct packet_reader *p, struct letter *letter)
{
	get_head(p, letter);
	get_kind(p, letter);
	get_notes(p, letter);
}

/* Did an earlier version end here? */
static bool ended(struct packet_reader *p)
{
	return p->code == SG_OK && buf_get_end(&p->reader) == SG_OK;
}

static void set_empty(struct packet_reader *p, char **text_out)
{
	*text_out = str_dup("");
	if (*text_out == NULL)
		p->code = SG_ENOMEM;
}

enum fail_code letter_read(const struct secret *bytes, struct letter *letter, struct fail *f)
{
	struct packet_reader p = {.code = SG_OK};

	buf_reader_init(&p.reader, bytes->data, bytes->size);
	get_head(&p, letter);
	if (ended(&p)) {
		set_empty(&p, &letter->phone);
		set_empty(&p, &letter->reason);
	} else {
		get_kind(&p, letter);
	}
	if (ended(&p))
		set_empty(&p, &letter->message_id);
	else
		get_notes(&p, letter);
	return packet_get_end(&p, f);
}

void letter_put(struct packet_writer *w, const struct letter *letter)
{
	const struct str_list *recipients = &letter->recipients;
	size_t bytes = 0;
	size_t listed;
	size_t i;

	for (listed = 0; listed < recipients->count; listed++) {
		bytes += strlen(recipients->items[listed]) + 4;
		if (bytes > LETTER_LISTED_MAX)
			break;
	}
	packet_put_str(w, letter->to);
	packet_put_u8(w, letter->language);
	packet_put_u8(w, letter->keep);
	packet_put_str(w, letter->subject);
	packet_put_i64(w, letter->time_ms);
	packet_put_bytes(w, letter->password, letter->password_size);
	packet_put_u32(w, letter->count);
	packet_put_u32(w, (uint32_t)listed);
	for (i = 0; i < listed; i++)
		packet_put_str(w, recipients->items[i]);
	packet_put_u8(w, letter->kind);
	packet_put_str(w, letter->phone);
	packet_put_str(w, letter->reason);
	packet_put_bytes(w, letter->notes, letter->notes == NULL ? 0 : listed);
	packet_put_str(w, letter->message_id);
}
