#include "intake/login_limits.h"

#include <stdlib.h>

#include "base/slots.h"

#define DOUBLINGS_MOST 30

struct place {
	struct slot slot; /* its rank is when the last one was wrong */
	int64_t until_ms;
	int64_t failures;
};

struct login_limits {
	struct login_limits_options options;
	struct slots *places;
};

struct login_limits *login_limits_new(const struct login_limits_options *o)
{
	struct login_limits *l = must_calloc(1, sizeof *l);

	l->options = *o;
	l->places = slots_new(LOGIN_LIMITS_PLACES, sizeof(struct place));
	return l;
}

void login_limits_free(struct login_limits *l)
{
	if (!l)
		return;
	slots_free(l->places);
	free(l);
}

void login_limits_set(struct login_limits *l, const struct login_limits_options *o)
{
	struct place *p;

	l->options = *o;
	for (size_t i = 0; (p = slots_at(l->places, i)); i++)
		if (p->until_ms > p->slot.rank + o->lock_ms)
			p->until_ms = p->slot.rank + o->lock_ms;
}

/* who NULL: the address alone. */
static uint64_t key_of(const struct login_limits *l, struct peer at, const void *who, size_t length)
{
	const uint64_t words[] = { at.kind, at.number, who ? slots_key(l->places, who, length) : 0 };

	return slots_key(l->places, words, sizeof words);
}

static int64_t wait_at(struct login_limits *l, uint64_t key, int64_t most, int64_t now_ms)
{
	const struct place *p = most ? slots_find(l->places, key) : NULL;

	return p && p->until_ms > now_ms ? p->until_ms - now_ms : 0;
}

int64_t login_limits_wait(struct login_limits *l, struct peer at, const void *who, size_t length, int64_t now_ms)
{
	int64_t of_pair = wait_at(l, key_of(l, at, who ? who : "", length), l->options.pair_most, now_ms);
	int64_t of_address = wait_at(l, key_of(l, at, NULL, 0), l->options.address_most, now_ms);

	return of_pair > of_address ? of_pair : of_address;
}

static int64_t wait_after(const struct login_limits *l, int64_t too_many)
{
	int64_t wait_ms = (int64_t)LOGIN_FIRST_WAIT_MS << (too_many < DOUBLINGS_MOST ? too_many : DOUBLINGS_MOST);

	return wait_ms < l->options.lock_ms ? wait_ms : l->options.lock_ms;
}

static int64_t count(struct login_limits *l, uint64_t key, int64_t most, int64_t now_ms)
{
	struct place *p;

	if (most == 0)
		return 0;
	p = slots_need(l->places, key);
	if (p->failures > 0 && now_ms - (p->until_ms > p->slot.rank ? p->until_ms : p->slot.rank) >= l->options.lock_ms)
		p->failures = 0;
	p->failures++;
	p->slot.rank = now_ms;
	if (p->failures < most)
		return 0;
	p->until_ms = now_ms + wait_after(l, p->failures - most);
	return p->until_ms - now_ms;
}

int64_t login_limits_failed(struct login_limits *l, struct peer at, const void *who, size_t length, int64_t now_ms)
{
	int64_t of_pair = count(l, key_of(l, at, who ? who : "", length), l->options.pair_most, now_ms);
	int64_t of_address = count(l, key_of(l, at, NULL, 0), l->options.address_most, now_ms);

	return of_pair > of_address ? of_pair : of_address;
}

void login_limits_succeeded(struct login_limits *l, struct peer at, const void *who, size_t length)
{
	slots_forget(l->places, key_of(l, at, who ? who : "", length));
}
