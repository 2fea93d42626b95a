/* accounts: hash tables by person and by place. */
#include "workflow/accounts.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define uthash_fatal(message) must_not_happen(__FILE__, __LINE__, message)
#include <uthash.h>

struct pending {
	struct pending *next;
	int64_t points, payable_ms;
};

struct holder {
	UT_hash_handle hh;
	struct account account;
	struct pending *pending; /* earned, not payable when it was earned */
	char person[];
};

struct rewarded_place {
	UT_hash_handle hh; /* uthash keeps the order of adding, so the first is the oldest */
	int64_t key;
	int64_t at_ms[ACCOUNTS_TIMES]; /* newest first; 0: none */
};

struct accounts {
	struct holder *holders;
	struct rewarded_place *places;
};

struct accounts *accounts_new(void)
{
	return must_calloc(1, sizeof(struct accounts));
}

static void holder_free(struct holder *h)
{
	while (h->pending != NULL) {
		struct pending *next = h->pending->next;
		free(h->pending);
		h->pending = next;
	}
	free(h);
}

void accounts_free(struct accounts *a)
{
	if (a == NULL)
		return;
	struct holder *h, *next;
	HASH_ITER(hh, a->holders, h, next)
	{
		HASH_DEL(a->holders, h);
		holder_free(h);
	}
	struct rewarded_place *p, *other;
	HASH_ITER(hh, a->places, p, other)
	{
		HASH_DEL(a->places, p);
		free(p);
	}
	free(a);
}

static struct holder *find(const struct accounts *a, const char *person)
{
	struct holder *h;
	HASH_FIND(hh, a->holders, person, strlen(person), h);
	return h;
}

static struct holder *find_or_add(struct accounts *a, const char *person)
{
	struct holder *h = find(a, person);
	if (h == NULL) {
		size_t length = strlen(person);
		h = must_calloc(1, sizeof *h + length + 1);
		memcpy(h->person, person, length + 1);
		h->account.person = h->person;
		HASH_ADD_KEYPTR(hh, a->holders, h->person, length, h);
	}
	return h;
}

void accounts_rename(struct accounts *a, const char *person, const char *name)
{
	struct holder *old = find(a, person), *h;
	if (old == NULL)
		return;
	h = find_or_add(a, name);
	h->account = old->account;
	h->account.person = h->person;
	h->pending = old->pending;
	old->pending = NULL;
	HASH_DEL(a->holders, old);
	holder_free(old);
}

const struct account *accounts_find(const struct accounts *a, const char *person)
{
	const struct holder *h = find(a, person);
	return h == NULL ? NULL : &h->account;
}

int64_t accounts_payable(const struct accounts *a, const char *person, int64_t now_ms)
{
	const struct holder *h = find(a, person);
	if (h == NULL)
		return 0;
	int64_t payable = h->account.balance;
	for (const struct pending *p = h->pending; p != NULL; p = p->next)
		if (p->payable_ms > now_ms)
			payable -= p->points;
	return payable;
}

int64_t accounts_rewarded_at(const struct accounts *a, int64_t place_key)
{
	struct rewarded_place *p;
	HASH_FIND(hh, a->places, &place_key, sizeof place_key, p);
	return p == NULL ? 0 : p->at_ms[0];
}

int accounts_rewarded_since(const struct accounts *a, int64_t place_key, int64_t since_ms)
{
	struct rewarded_place *p;
	int count = 0;
	HASH_FIND(hh, a->places, &place_key, sizeof place_key, p);
	for (int i = 0; p != NULL && i < ACCOUNTS_TIMES; i++)
		count += p->at_ms[i] != 0 && p->at_ms[i] >= since_ms;
	return count;
}

int32_t accounts_month(int64_t at_ms)
{
	return clock_day_to_ymd(clock_local_day(at_ms, NULL, NULL)) / 100;
}

/* Drops what has become payable since, so that the list stays as long as the cooling time makes it. */
static void prune(struct holder *h, int64_t now_ms)
{
	struct pending **at = &h->pending;
	while (*at != NULL) {
		struct pending *p = *at;
		if (p->payable_ms > now_ms) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		free(p);
	}
}

void accounts_apply(struct accounts *a, const struct ledger_fact *f)
{
	struct holder *h = find_or_add(a, f->person);
	prune(h, f->at_ms);
	h->account.balance += f->points;
	if (f->case_id != 0 && f->points > 0) {
		int32_t month = accounts_month(f->at_ms);
		if (month != h->account.month) {
			h->account.month = month;
			h->account.month_points = 0;
		}
		h->account.month_points += f->points;
	}
	if (f->payable_ms > f->at_ms)
		accounts_pending(a, f->person, f->points, f->payable_ms);
	if (f->place_key != 0)
		accounts_place(a, f->place_key, f->at_ms);
}

void accounts_set(struct accounts *a, const char *person, int64_t balance, int32_t month, int64_t month_points)
{
	struct holder *h = find_or_add(a, person);
	h->account.balance = balance;
	h->account.month = month;
	h->account.month_points = month_points;
}

void accounts_pending(struct accounts *a, const char *person, int64_t points, int64_t payable_ms)
{
	struct holder *h = find_or_add(a, person);
	struct pending *p = must_calloc(1, sizeof *p);
	*p = (struct pending){ h->pending, points, payable_ms };
	h->pending = p;
}

void accounts_place(struct accounts *a, int64_t place_key, int64_t at_ms)
{
	struct rewarded_place *p;
	HASH_FIND(hh, a->places, &place_key, sizeof place_key, p);
	if (p != NULL) {
		HASH_DEL(a->places, p);
	} else if (HASH_COUNT(a->places) >= ACCOUNTS_PLACES_MOST) {
		p = a->places;
		HASH_DEL(a->places, p);
		memset(p->at_ms, 0, sizeof p->at_ms);
	} else {
		p = must_calloc(1, sizeof *p);
	}
	p->key = place_key;
	memmove(&p->at_ms[1], &p->at_ms[0], sizeof p->at_ms - sizeof p->at_ms[0]);
	p->at_ms[0] = at_ms;
	HASH_ADD(hh, a->places, key, sizeof p->key, p);
}
