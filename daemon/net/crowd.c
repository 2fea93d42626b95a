#include "net/crowd.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/slots.h"

#define uthash_fatal(what) must_not_happen(__FILE__, __LINE__, what)
#include <uthash.h>

#define PACES 4096 /* addresses; more in a second would fill all connections first */
#define TELL_EVERY_MS CLOCK_MINUTE_MS

struct crowd_address {
	uint64_t key[2]; /* kind and number of the peer: without padding, for they are hashed as bytes */
	int64_t connections, strangers;
	UT_hash_handle hh;
};

/* How many came in the second that is its rank. */
struct pace {
	struct slot slot;
	int64_t count;
};

struct crowd {
	struct crowd_limits limits;
	struct crowd_address local; /* stands for all of this machine and counts nobody */
	struct crowd_address *addresses;
	struct slots *paces;
	int64_t turned_away, told;
	int64_t told_at_ms;
};

struct crowd *crowd_new(const struct crowd_limits *limits)
{
	struct crowd *c = must_calloc(1, sizeof *c);

	c->limits = *limits;
	c->paces = slots_new(PACES, sizeof(struct pace));
	return c;
}

void crowd_free(struct crowd *c)
{
	if (!c)
		return;
	must(!c->addresses);
	slots_free(c->paces);
	free(c);
}

void crowd_set_limits(struct crowd *c, const struct crowd_limits *limits)
{
	c->limits = *limits;
}

/* ---- too many ---- */

static void tell(struct crowd *c, struct peer p, int64_t now_ms, const char *limit)
{
	char text[PEER_TEXT_SIZE];

	c->turned_away++;
	if (c->told > 0 && now_ms - c->told_at_ms < TELL_EVERY_MS)
		return;
	peer_text(p, text);
	log_line(LOG_LEVEL_WARNING, "turned-away", "connections=%lld latest=%s limit=%s",
	         (long long)(c->turned_away - c->told), text, limit);
	c->told = c->turned_away;
	c->told_at_ms = now_ms;
}

static _Bool is_too_fast(struct crowd *c, const uint64_t key[2], int64_t now_ms)
{
	struct pace *pace = slots_need(c->paces, slots_key(c->paces, key, 2 * sizeof *key));
	int64_t second = now_ms / CLOCK_SECOND_MS;

	if (pace->slot.rank != second)
		pace->count = 0;
	pace->slot.rank = second;
	if (pace->count >= c->limits.per_second_most)
		return 1;
	pace->count++;
	return 0;
}

/* Which setting forbids one more; NULL: none. */
static const char *broken_limit(struct crowd *c, const struct crowd_address *a, const uint64_t key[2], int64_t now_ms)
{
	if (a && a->connections >= c->limits.connections_most)
		return "connections_per_address_max";
	if (a && a->strangers >= c->limits.strangers_most)
		return "handshakes_per_address_max";
	return is_too_fast(c, key, now_ms) ? "handshakes_per_second_max" : NULL;
}

/* ---- coming and going ---- */

static struct crowd_address *new_address(struct crowd *c, const uint64_t key[2])
{
	struct crowd_address *a = must_calloc(1, sizeof *a);

	memcpy(a->key, key, sizeof a->key);
	HASH_ADD(hh, c->addresses, key, sizeof a->key, a);
	return a;
}

struct crowd_address *crowd_enter(struct crowd *c, struct peer p, int64_t now_ms)
{
	const uint64_t key[2] = { p.kind, p.number };
	struct crowd_address *a;

	if (peer_is_local(p))
		return &c->local;
	HASH_FIND(hh, c->addresses, key, sizeof key, a);

	const char *limit = broken_limit(c, a, key, now_ms);

	if (limit) {
		tell(c, p, now_ms, limit);
		return NULL;
	}
	if (!a)
		a = new_address(c, key);
	a->connections++;
	a->strangers++;
	return a;
}

void crowd_greet(struct crowd *c, struct crowd_address *a)
{
	if (a == &c->local)
		return;
	must(a->strangers > 0);
	a->strangers--;
}

void crowd_leave(struct crowd *c, struct crowd_address *a, _Bool stranger)
{
	if (a == &c->local)
		return;
	if (stranger)
		crowd_greet(c, a);
	must(a->connections > 0);
	if (--a->connections > 0)
		return;
	HASH_DEL(c->addresses, a);
	free(a);
}

int64_t crowd_turned_away(const struct crowd *c)
{
	return c->turned_away;
}

int64_t crowd_addresses(const struct crowd *c)
{
	return HASH_COUNT(c->addresses);
}
