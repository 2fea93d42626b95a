/* reporters: an open-addressing table of one day, a cache line a reporter. */
#include "workflow/reporters.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 256 /* a power of two */

struct activity {
	const char *who; /* NULL: free */
	uint32_t count;
	uint32_t first_recent;               /* of the ring: where the next one goes */
	uint32_t recent_s[REPORTERS_RECENT]; /* seconds since the table's day was first noted, and 1; 0: none */
};

struct reporters {
	struct activity *slots;
	size_t slot_count, used;
	int32_t day;
	int64_t began_ms; /* what recent_s counts from */
};

_Static_assert(sizeof(struct activity) == 64, "one cache line a reporter");

struct reporters *reporters_new(void)
{
	struct reporters *r = must_calloc(1, sizeof *r);
	r->slot_count = SLOTS_FIRST;
	r->slots = must_calloc(r->slot_count, sizeof *r->slots);
	return r;
}

void reporters_free(struct reporters *r)
{
	if (r == NULL)
		return;
	free(r->slots);
	free(r);
}

/* Names lie where malloc put them, so the low bits say little. */
static struct activity *slot_of(const struct reporters *r, const char *who)
{
	uint64_t h = (uint64_t)(uintptr_t)who * UINT64_C(0x9E3779B97F4A7C15);
	size_t at = (size_t)(h >> 32) & (r->slot_count - 1);
	while (r->slots[at].who != NULL && r->slots[at].who != who)
		at = (at + 1) & (r->slot_count - 1);
	return &r->slots[at];
}

static void grow(struct reporters *r)
{
	struct activity *old = r->slots;
	size_t old_count = r->slot_count;
	r->slot_count *= 2;
	r->slots = must_calloc(r->slot_count, sizeof *r->slots);
	for (size_t i = 0; i < old_count; i++)
		if (old[i].who != NULL)
			*slot_of(r, old[i].who) = old[i];
	free(old);
}

static void begin_day(struct reporters *r, int32_t day, int64_t at_ms)
{
	memset(r->slots, 0, r->slot_count * sizeof *r->slots);
	r->used = 0;
	r->day = day;
	r->began_ms = at_ms;
}

static uint32_t seconds_of(const struct reporters *r, int64_t at_ms)
{
	return at_ms <= r->began_ms ? 1 : (uint32_t)((at_ms - r->began_ms) / 1000 + 1);
}

void reporters_note(struct reporters *r, const char *who, int32_t day, int64_t at_ms)
{
	if (day < r->day)
		return;
	if (day > r->day)
		begin_day(r, day, at_ms);
	struct activity *a = slot_of(r, who);
	if (a->who == NULL) {
		if (++r->used * 2 > r->slot_count) {
			grow(r);
			a = slot_of(r, who);
		}
		a->who = who;
	}
	a->count++;
	a->recent_s[a->first_recent] = seconds_of(r, at_ms);
	a->first_recent = (a->first_recent + 1) % REPORTERS_RECENT;
}

int64_t reporters_today(const struct reporters *r, const char *who, int32_t day)
{
	return day == r->day ? slot_of(r, who)->count : 0;
}

int reporters_since(const struct reporters *r, const char *who, int32_t day, int64_t since_ms)
{
	const struct activity *a = slot_of(r, who);
	int count = 0;
	if (day != r->day)
		return 0;
	for (int i = 0; i < REPORTERS_RECENT; i++)
		count += a->recent_s[i] != 0 && a->recent_s[i] >= seconds_of(r, since_ms);
	return count;
}
