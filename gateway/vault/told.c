/* Records together with letters to the sender: all durable in one commit. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/vault/letter.h"
#include "gateway/vault/notice.h"
#include "gateway/vault/server.h"
#include "gateway/vault/vault.h"

#define TOLD_LETTERS_MAX 2	/* one with a password, one without */
#define TOLD_REPEATED "repeated: "

/* A request, taken apart; what points into it is borrowed. */
struct told {
	char *mark;		/* "" = none */
	char *used_for;		/* "" = the mark is not used up */
	char *delivered;	/* "" = not by the second stage */
	char *tenant;
	struct letter letters[TOLD_LETTERS_MAX];
	uint8_t letter_count;
	struct packet_reader records;
	bool repeated;
};

static void told_free(struct told *told)
{
	free(told->mark);
	free(told->used_for);
	free(told->delivered);
	free(told->tenant);
	for (size_t i = 0; i < TOLD_LETTERS_MAX; i++)
		letter_free(&told->letters[i]);
}

/* One as the filter may send it: it lists all of its recipients. */
static bool told_is_sound(const struct letter *letter)
{
	bool notes = letter->kind == VAULT_REFUSED || letter->kind == VAULT_SEALED;

	return letter->recipients.count == letter->count && letter->count > 0 &&
	    letter->kind != VAULT_UNHANDED && notes == (letter->notes != NULL) &&
	    (letter->keep == 0 || letter->count == 1) &&
	    strlen(letter->reason) < VAULT_REASON_MAX &&
	    strlen(letter->message_id) < VAULT_MESSAGE_ID_MAX;
}

/* All but the records, at which told->records stands then. */
static enum fail_code told_read(struct told *told, struct packet_reader p, struct fail *f)
{
	packet_get_str(&p, &told->mark);
	packet_get_str(&p, &told->used_for);
	packet_get_str(&p, &told->delivered);
	packet_get_str(&p, &told->tenant);
	packet_get_u8(&p, &told->letter_count);
	if (p.code == SG_OK && (told->letter_count > TOLD_LETTERS_MAX ||
	    (told->delivered[0] != '\0' && told->mark[0] == '\0')))
		p.code = SG_EFORMAT;
	for (size_t i = 0; p.code == SG_OK && i < told->letter_count; i++) {
		letter_get(&p, &told->letters[i]);
		if (p.code == SG_OK && !told_is_sound(&told->letters[i]))
			p.code = SG_EFORMAT;
	}
	told->records = p;
	if (p.code == SG_ENOMEM)
		return fail_set(f, SG_ENOMEM, NULL, "no memory to read a packet");
	return p.code == SG_OK ? SG_OK : fail_set(f, SG_EFORMAT, NULL, "malformed packet");
}

/* ---- once ---- */

/*
 * Notes word and recipient about a mark. Words keep apart what may be told of the same recipient;
 * an address has no space, so none looks like one of these.
 */
static enum fail_code told_note(struct server *server, const struct told *told, const char *word,
    const char *recipient, bool *fresh_out, struct fail *f)
{
	struct store_mark_use use = {.used_ms = clock_wall_ms(server->clock)};
	char tenant[VAULT_MARK_MAX];
	enum fail_code code;
	char *text;

	if (!mark_id(told->mark, tenant, sizeof(tenant), use.id) ||
	    strcmp(tenant, told->tenant) != 0)
		return fail_set(f, SG_EDENIED, NULL, "the mark is none of ours");
	text = str_printf("%s%s", word, recipient);
	if (text == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	use.tenant = tenant;
	use.recipient = text;
	code = server->store->ops->told_put(server->store, &use, fresh_out, f);
	free(text);
	return code;
}

/* That a message goes by another way than was told is new. */
static void told_word(const struct letter *letter, size_t place, char word_out[32])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz";

	word_out[0] = '\0';
	if (letter->kind == VAULT_REFUSED)
		memcpy(word_out, "refused ", sizeof("refused "));
	if (letter->kind == VAULT_SEALED) {
		memcpy(word_out, "sealed ? ", sizeof("sealed ? "));
		word_out[7] = alphabet[letter->notes[place] % (sizeof(alphabet) - 1)];
	}
}

static void told_keep_one(struct letter *letter, size_t from, size_t to)
{
	char *item = letter->recipients.items[to];

	letter->recipients.items[to] = letter->recipients.items[from];
	letter->recipients.items[from] = item;
	if (letter->notes != NULL)
		letter->notes[to] = letter->notes[from];
}

/* Takes those off of whom the sender has heard for this mark. */
static enum fail_code told_fresh(struct server *server, const struct told *told,
    struct letter *letter, struct fail *f)
{
	struct str_list *recipients = &letter->recipients;
	enum fail_code code = SG_OK;
	size_t kept = 0;
	size_t i;

	if (told->mark[0] == '\0')
		return SG_OK;
	for (i = 0; code == SG_OK && i < recipients->count; i++) {
		bool fresh = false;
		char word[32];

		told_word(letter, i, word);
		code = told_note(server, told, word, recipients->items[i], &fresh, f);
		if (code == SG_OK && fresh)
			told_keep_one(letter, i, kept++);
	}
	for (i = kept; code == SG_OK && i < recipients->count; i++)
		free(recipients->items[i]);
	if (code == SG_OK) {
		recipients->count = kept;
		letter->count = (uint32_t)kept;
	}
	return code;
}

/* Has the second stage delivered the mark to this recipient before? */
static enum fail_code told_repeated(struct server *server, struct told *told, struct fail *f)
{
	bool fresh = false;
	enum fail_code code;

	if (told->delivered[0] == '\0')
		return SG_OK;
	str_lower(told->delivered);
	code = told_note(server, told, "delivered ", told->delivered, &fresh, f);
	told->repeated = code == SG_OK && !fresh;
	return code;
}

/* ---- a new own password ---- */

static enum fail_code told_seen(void *context, const struct store_secret *row, struct fail *f)
{
	(void)context;
	(void)row;
	(void)f;
	return SG_OK;
}

static enum fail_code told_keep(struct server *server, const struct told *told,
    const struct letter *letter, struct fail *f)
{
	const char *address = letter->recipients.items[0];
	enum fail_code code = server->store->ops->password_get(server->store, told->tenant,
	    address, told_seen, NULL, f);

	if (code == SG_OK) {
		/* another message was quicker: with the next try that password is used */
		(void)fail_set(f, SG_EEXIST, NULL, "%.200s has got a password meanwhile",
		    address);
		(void)fail_set_kind(f, FAIL_TEMPORARY);
		return SG_EEXIST;
	}
	return code != SG_ENOTFOUND ? code : password_keep(server, told->tenant, address,
	    letter->password, letter->password_size, "generated", f);
}

/* ---- the letter ---- */

/*
 * The mark by which the filter will know the letter when Postfix brings it. What a hook is handed
 * may have to become one.
 */
static enum fail_code told_mark(struct server *server, const struct told *told,
    const struct letter *letter, const struct store_outbox *row, struct fail *f)
{
	bool plain = letter->kind == VAULT_REFUSED || letter->kind == VAULT_SEALED;
	const struct store_mark mark = {
		.tenant = told->tenant,
		.sender = letter->to,
		.ways = WAY_TLS,
		.source = plain ? VAULT_NOTICE_PLAIN : VAULT_NOTICE,
		.queue_id = "",
		.message_id = "",
		.created_ms = row->created_ms,
		.expires_ms = row->created_ms + 3 * NOTICE_LIFE_MS,
	};
	struct store_mark copy = mark;

	memcpy(copy.id, row->id, sizeof(copy.id));
	return server->store->ops->mark_put(server->store, &copy, f);
}

static enum fail_code told_post(struct server *server, const struct told *told,
    const struct letter *letter, struct fail *f)
{
	struct store_outbox row = {.tenant = told->tenant};
	enum fail_code code;

	row.created_ms = clock_wall_ms(server->clock);
	row.due_ms = row.created_ms;
	code = secret_random_bytes(row.id, sizeof(row.id));
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no random bytes");
	code = told_mark(server, told, letter, &row, f);
	return code == SG_OK ? notice_put(server, &row, letter, f) : code;
}

static enum fail_code told_letter(struct server *server, const struct told *told,
    struct letter *letter, struct fail *f)
{
	enum fail_code code = told_fresh(server, told, letter, f);

	if (code != SG_OK || letter->recipients.count == 0)
		return code;
	if (letter->keep != 0)
		code = told_keep(server, told, letter, f);
	return code == SG_OK ? told_post(server, told, letter, f) : code;
}

static enum fail_code told_store(struct server *server, struct told *told, struct fail *f)
{
	enum fail_code code = server_tenant(server, told->tenant, FAIL_TEMPORARY, f);

	if (code == SG_OK && told->used_for[0] != '\0')
		code = mark_use(server, told->mark, told->used_for, f);
	if (code == SG_OK)
		code = told_repeated(server, told, f);
	for (size_t i = 0; code == SG_OK && i < told->letter_count; i++)
		code = told_letter(server, told, &told->letters[i], f);
	if (code == SG_OK)
		code = records_store(server, told->records, told->repeated ? TOLD_REPEATED : NULL,
		    f);
	return code;
}

enum fail_code told_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct server *server = context;
	struct told told = {.mark = NULL};
	enum fail_code code;
	struct buf bytes;

	(void)reply;
	buf_init(&bytes, PACKET_RECORDS_MAX);
	code = server_body(request, &bytes, f);
	if (code == SG_OK)
		code = told_read(&told, packet_read(&bytes), f);
	if (code == SG_OK)
		code = records_check(told.records, f);
	if (code == SG_OK)
		code = told_store(server, &told, f);
	told_free(&told);
	buf_free(&bytes);
	return code;
}
