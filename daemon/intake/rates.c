/* rates: buckets that remember one number each: when they will be full again (the "generic cell rate algorithm", ITU-T
 * I.371). A request moves that moment on by its share of a minute; more than a minute ahead is refused. */
#include "intake/rates.h"

#include <stdlib.h>
#include <string.h>

#include "base/slots.h"
#include "intake/reach.h"
#include "workflow/domain.h"

#define MINUTE_US INT64_C(60000000)

struct rates {
	struct rate_limits limits;
	/* A bucket's rank is when it is full again, in microseconds; in the past: nothing is known that matters. */
	struct slots *buckets;
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

	r->limits = *limits;
	r->buckets = slots_new(RATES_KNOWN, sizeof(struct slot));
	return r;
}

void rates_set(struct rates *r, const struct rate_limits *limits)
{
	r->limits = *limits;
}

void rates_free(struct rates *r)
{
	if (!r)
		return;
	slots_free(r->buckets);
	free(r);
}

static uint64_t key_of_person(const struct rates *r, const struct person *who)
{
	return slots_key(r->buckets, who->id, strlen(who->id));
}

static uint64_t key_of_peer(const struct rates *r, const struct peer *peer)
{
	const uint64_t words[] = { peer->kind, peer->number };

	return slots_key(r->buckets, words, sizeof words);
}

/* How much too early `cost` requests come: 0 or below, they may. */
static int64_t too_early_us(struct slot *b, int64_t a_minute, int64_t cost, int64_t now_us)
{
	if (b->rank < now_us)
		b->rank = now_us;
	return b->rank + cost * (MINUTE_US / a_minute) - now_us - MINUTE_US;
}

static void spend(struct slot *b, int64_t a_minute, int64_t cost)
{
	b->rank += cost * (MINUTE_US / a_minute);
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
		int64_t early = too_early_us(slots_need(r->buckets, asked[i].key), asked[i].a_minute, most, now_us);

		early_us = early > early_us ? early : early_us;
	}
	*wait_ms = (early_us + 999) / 1000;
	if (early_us > 0)
		return 0;
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
		if (asked[i].a_minute != 0)
			spend(slots_need(r->buckets, asked[i].key), asked[i].a_minute, cost);
	return 1;
}
