/* TLS_PROOF: several hops at once, answered when all are known. */
#include <stdlib.h>
#include <string.h>

#include "gateway/tls/server.h"

#define HOP_MAX ((size_t)1024)	/* bytes of a next hop */

struct proving;

struct proof {
	struct proving *proving;
	char *hop;
	uint8_t relayed;
	struct tls_proof found;
};

struct proving {
	struct asked *asked;
	size_t count;
	size_t waiting;		/* one more while they are being asked */
	struct proof proofs[];
};

static void proving_free(struct proving *proving)
{
	size_t i;

	for (i = 0; i < proving->count; i++)
		free(proving->proofs[i].hop);
	free(proving);
}

/* One of them is known; with the last one goes the answer. */
static void proving_step(struct proving *proving)
{
	struct asked *asked = proving->asked;
	enum fail_code code = SG_OK;
	struct buf body;
	struct fail f;
	size_t i;

	if (--proving->waiting > 0)
		return;
	buf_init(&body, WIRE_BODY_MAX);
	for (i = 0; i < proving->count && code == SG_OK; i++) {
		struct tls_proof *found = &proving->proofs[i].found;

		asked->server->counts.proofs[found->answer == TLS_NO_MAIL ? TLS_NOT_PROVABLE :
		    found->answer]++;
		code = buf_put_u8(&body, (uint8_t)found->answer);
		if (code == SG_OK)
			code = buf_put_str(&body, found->how);
	}
	if (code == SG_OK) {
		serve_answer(asked, &body);
	} else {
		(void)fail_set(&f, SG_ENOMEM, NULL, "no memory for the answer");
		serve_answer_fail(asked, &f);
	}
	buf_free(&body);
	proving_free(proving);
}

static void proof_done(void *context, const struct policy_answer *answer)
{
	struct proof *proof = context;
	size_t size = strlen(answer->reason);

	if (answer->kind == POLICY_FOUND && answer->proven)
		proof->found.answer = TLS_PROVABLE;
	else if (answer->kind == POLICY_TEMPORARY)
		proof->found.answer = TLS_UNKNOWN;
	else
		proof->found.answer = answer->no_mail ? TLS_NO_MAIL : TLS_NOT_PROVABLE;
	if (size >= sizeof(proof->found.how))
		size = sizeof(proof->found.how) - 1;
	memcpy(proof->found.how, answer->reason, size);
	proof->found.how[size] = '\0';
	proving_step(proof->proving);
}

static enum fail_code read_hops(struct proving *proving, size_t count, struct buf_reader *r)
{
	enum fail_code code = SG_OK;
	struct proof *proof;

	for (; proving->count < count && code == SG_OK; ) {
		proof = &proving->proofs[proving->count];
		proof->proving = proving;
		code = buf_get_str(r, HOP_MAX, &proof->hop);
		if (code != SG_OK)
			break;
		proving->count++;
		code = buf_get_u8(r, &proof->relayed);
	}
	return code == SG_OK ? buf_get_end(r) : code;
}

void serve_proof(struct asked *asked, struct buf_reader *r)
{
	struct proving *proving = NULL;
	struct fail f;
	uint16_t count = 0;
	size_t i;

	if (buf_get_u16(r, &count) == SG_OK && count > 0 && count <= TLS_HOPS_MAX)
		proving = calloc(1, sizeof(*proving) + count * sizeof(proving->proofs[0]));
	if (proving == NULL || read_hops(proving, count, r) != SG_OK) {
		if (proving != NULL)
			proving_free(proving);
		(void)fail_set(&f, SG_EFORMAT, NULL, "a question that is none of ours");
		serve_answer_fail(asked, &f);
		return;
	}
	proving->asked = asked;
	proving->waiting = proving->count + 1;
	for (i = 0; i < proving->count; i++)
		policy_prove(asked->server->policy, proving->proofs[i].hop,
		    proving->proofs[i].relayed != 0, proof_done, &proving->proofs[i]);
	proving_step(proving);
}
