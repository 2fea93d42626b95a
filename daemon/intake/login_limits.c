#include "intake/login_limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/random.h"

#define WAYS 8 /* places that one key may have */
#define SETS (LOGIN_LIMITS_PLACES / WAYS)
#define SEED_BYTES 16
#define DOUBLINGS_MOST 30

struct place {
	uint64_t key; /* 0: free */
	int64_t last_ms, until_ms;
	int64_t failures;
};

struct login_limits {
	struct login_limits_options options;
	struct digester *digester;
	uint8_t seed[SEED_BYTES];
	struct place places[SETS][WAYS];
};

struct login_limits *login_limits_new(const struct login_limits_options *o)
{
	struct login_limits *l = must_calloc(1, sizeof *l);

	l->options = *o;
	l->digester = digester_new();
	random_fill(l->seed, sizeof l->seed);
	return l;
}

void login_limits_free(struct login_limits *l)
{
	if (!l)
		return;
	digester_free(l->digester);
	free(l);
}

void login_limits_set(struct login_limits *l, const struct login_limits_options *o)
{
	l->options = *o;
	for (size_t i = 0; i < LOGIN_LIMITS_PLACES; i++) {
		struct place *p = &l->places[i / WAYS][i % WAYS];

		if (p->until_ms > p->last_ms + o->lock_ms)
			p->until_ms = p->last_ms + o->lock_ms;
	}
}

/* who NULL: the address alone. */
static uint64_t key_of(struct login_limits *l, struct peer at, const void *who, size_t length)
{
	uint8_t digest[DIGEST_SIZE];
	uint64_t key;

	digest_begin(l->digester);
	digest_add(l->digester, l->seed, sizeof l->seed);
	digest_add_int(l->digester, at.kind);
	digest_add_int(l->digester, (int64_t)at.number);
	digest_add_int(l->digester, who ? (int64_t)length : -1);
	if (who)
		digest_add(l->digester, who, length);
	digest_end(l->digester, digest);
	memcpy(&key, digest, sizeof key);
	return key ? key : 1;
}

static struct place *find(struct login_limits *l, uint64_t key)
{
	struct place *set = l->places[key % SETS];

	for (int i = 0; i < WAYS; i++)
		if (set[i].key == key)
			return &set[i];
	return NULL;
}

/* Its place, or that of whoever has been quiet for longest. */
static struct place *need(struct login_limits *l, uint64_t key)
{
	struct place *found = find(l, key), *set = l->places[key % SETS];

	if (found)
		return found;
	found = &set[0];
	for (int i = 1; i < WAYS; i++)
		if (set[i].last_ms < found->last_ms || (set[i].key == 0 && found->key != 0))
			found = &set[i];
	*found = (struct place){ .key = key };
	return found;
}

static int64_t wait_at(struct login_limits *l, uint64_t key, int64_t most, int64_t now_ms)
{
	const struct place *p = most ? find(l, key) : NULL;

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
	p = need(l, key);
	if (p->failures > 0 && now_ms - (p->until_ms > p->last_ms ? p->until_ms : p->last_ms) >= l->options.lock_ms)
		p->failures = 0;
	p->failures++;
	p->last_ms = now_ms;
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
	struct place *p = find(l, key_of(l, at, who ? who : "", length));

	if (p)
		*p = (struct place){ 0 };
}
