/* The log says why mail waits and which rule counted, once for each reason and while. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/tls/server.h"
#include "gateway/tls/socketmap.h"

#define SLOTS 4096u		/* what was said lately; the latest wins a place */
#define AGAIN_WAITS_MS (10 * 60 * 1000)	/* mail still waits: said again */
#define AGAIN_RULE_MS (24 * 60 * 60 * 1000)	/* a rule still counts */

struct said {
	uint64_t hash;
	int64_t ms;
};

struct serve_say {
	struct said slots[SLOTS];
};

struct serve_say *serve_say_new(void)
{
	return calloc(1, sizeof(struct serve_say));
}

void serve_say_free(struct serve_say *say)
{
	free(say);
}

/* FNV-1a; who makes two of them meet hides one line from the log */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return (hash ^ 0xffu) * 0x100000001b3u;
}

/* Was the same said within while_ms? If not, it counts as said now. */
static bool said_lately(struct serve_say *say, uint64_t hash, int64_t now_ms, int64_t while_ms)
{
	struct said *slot = &say->slots[hash % SLOTS];

	if (slot->hash == hash && now_ms - slot->ms < while_ms)
		return true;
	slot->hash = hash;
	slot->ms = now_ms;
	return false;
}

static void say_line(enum log_level level, const char *event, enum policy_map map,
    const char *hop, const struct policy_answer *answer)
{
	struct log_line line;

	log_begin(&line, level, NULL, event);
	log_str(&line, "hop", hop);
	log_str(&line, "map", socketmap_name(map));
	if (answer->kind == POLICY_FOUND)
		log_str(&line, "policy", answer->text);
	log_str(&line, "why", answer->reason);
	log_end(&line);
}

void serve_say_answer(struct server *server, enum policy_map map, const char *hop,
    const struct policy_answer *answer)
{
	bool waits = answer->kind == POLICY_TEMPORARY;
	uint64_t hash = 0xcbf29ce484222325u + (uint64_t)map;

	if (!waits && answer->source != POLICY_BY_RULE)
		return;
	hash = hash_text(hash_text(hash, hop), answer->reason);
	if (said_lately(server->say, hash, server->now_ms,
	    waits ? AGAIN_WAITS_MS : AGAIN_RULE_MS))
		return;
	say_line(LOG_LEVEL_NOTICE, waits ? "policy-waits" : "policy-rule", map, hop, answer);
}
