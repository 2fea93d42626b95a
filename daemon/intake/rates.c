/* rates: buckets that remember one number each: when they will be full again (the "generic cell rate algorithm", ITU-T
 * I.371). A request moves that moment on by its share of a minute; more than a minute ahead is refused. */
#include "intake/rates.h"

#include <stdlib.h>
#include <string.h>

#include "base/uuid.h"
#include "intake/reach.h"
#include "workflow/domain.h"

#define MINUTE_US INT64_C(60000000)
#define PLACES 8 /* looked at for one key */

struct bucket {
	uint64_t key;    /* 0: never used */
	int64_t full_us; /* when it is full again; in the past: nothing is known that matters */
};

struct rates {
	struct rate_limits limits;
	uint64_t seed; /* so that nobody can make names that share a bucket */
	struct bucket buckets[RATES_KNOWN];
};

struct rate_limits rate_limits_of(const struct config *c)
{
	if (c->clock == CONFIG_CLOCK_REPLAY)
		return (struct rate_limits){ 0 };
	return (struct rate_limits){ .reporter = c->rate_reporter,
		                     .staff = c->rate_staff,
		                     .gateway = c->rate_gateway,
		                     .address = c->rate_address };
}

struct rates *rates_new(const struct rate_limits *limits)
{
	struct rates *r = must_calloc(1, sizeof *r);
	struct uuid random = uuid_new(0);

	r->limits = *limits;
	memcpy(&r->seed, random.bytes + UUID_SIZE - sizeof r->seed, sizeof r->seed);
	return r;
}

void rates_set(struct rates *r, const struct rate_limits *limits)
{
	r->limits = *limits;
}

void rates_free(struct rates *r)
{
	free(r);
}

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * UINT64_C(0xBF58476D1CE4E5B9);
	return h ^ h >> 29;
}

static uint64_t key_of_person(const struct rates *r, const struct person *who)
{
	uint64_t h = r->seed;

	for (const char *at = who->id; *at != '\0'; at++)
		h = mix(h, (uint8_t)*at);
	return h | 1;
}

static uint64_t key_of_peer(const struct rates *r, const struct peer *peer)
{
	return mix(mix(r->seed, (uint64_t)peer->kind << 32), peer->number) | 1;
}

/* Its own bucket; else of the few places the one that is fullest, emptied of whom it was for. */
static struct bucket *bucket_of(struct rates *r, uint64_t key, int64_t now_us)
{
	struct bucket *best = NULL;

	for (uint64_t i = 0; i < PLACES; i++) {
		struct bucket *b = &r->buckets[((key >> 8) + i) % RATES_KNOWN];

		if (b->key == key)
			return b;
		if (best == NULL || b->full_us < best->full_us)
			best = b;
	}
	*best = (struct bucket){ .key = key, .full_us = now_us };
	return best;
}

/* How much too early `cost` requests come: 0 or below, they may. */
static int64_t too_early_us(struct bucket *b, int64_t a_minute, int64_t cost, int64_t now_us)
{
	if (b->full_us < now_us)
		b->full_us = now_us;
	return b->full_us + cost * (MINUTE_US / a_minute) - now_us - MINUTE_US;
}

static int64_t limit_of(const struct rates *r, const struct person *who)
{
	if (who->roles & (ROLE_GATEWAY | ROLE_CAMERAS))
		return r->limits.gateway;
	return reach_is_staff(who) ? r->limits.staff : r->limits.reporter;
}

_Bool rates_take(struct rates *r, const struct person *who, const struct peer *peer, int64_t cost, int64_t now_ms,
                 int64_t *wait_ms)
{
	int64_t now_us = now_ms * 1000, early_us = 0;
	struct {
		int64_t a_minute;
		uint64_t key;
	} asked[] = {
		{ limit_of(r, who), key_of_person(r, who) },
		{ peer && !peer_is_local(*peer) ? r->limits.address : 0, peer ? key_of_peer(r, peer) : 1 },
	};

	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		if (asked[i].a_minute == 0)
			continue;
		/* More than a bucket holds passes when it is full: a batch must not wait for ever. */
		int64_t most = cost < asked[i].a_minute ? cost : asked[i].a_minute;
		int64_t early = too_early_us(bucket_of(r, asked[i].key, now_us), asked[i].a_minute, most, now_us);

		early_us = early > early_us ? early : early_us;
	}
	*wait_ms = (early_us + 999) / 1000;
	if (early_us > 0)
		return 0;
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
		if (asked[i].a_minute != 0)
			bucket_of(r, asked[i].key, now_us)->full_us += cost * (MINUTE_US / asked[i].a_minute);
	return 1;
}
