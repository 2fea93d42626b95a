/* looks: a ring of the newest, and four chains through it. Two looks that differ in at most three bits agree in at least
 * one of their four 16-bit quarters, so only those that share a quarter are compared. */
#include "workflow/looks.h"

#include <stdlib.h>

#define QUARTERS 4
#define QUARTER_VALUES 65536
#define CHAIN_MOST 64 /* looked at in one chain: many dull pictures may share a quarter */
_Static_assert(LOOKS_APART < QUARTERS, "one quarter is the same");

struct look {
	uint64_t look;
	struct look_owner owner;
	uint32_t older[QUARTERS]; /* 1 + place in the ring of the one before in the same chain; 0: none */
};

struct looks {
	struct look *ring;
	uint32_t next;                             /* where the next one goes */
	uint32_t newest[QUARTERS][QUARTER_VALUES]; /* 1 + place */
};

struct looks *looks_new(void)
{
	struct looks *l = must_calloc(1, sizeof *l);
	l->ring = must_calloc(LOOKS_MOST, sizeof *l->ring);
	return l;
}

void looks_free(struct looks *l)
{
	if (l == NULL)
		return;
	free(l->ring);
	free(l);
}

static unsigned quarter(uint64_t look, int q)
{
	return (unsigned)(look >> (16 * q)) & (QUARTER_VALUES - 1);
}

/* A place that was written over ends every chain that leads to it: what lies there has another quarter, or is newer. */
static const struct look *in_chain(const struct looks *l, uint32_t place, int q, unsigned value)
{
	const struct look *k = place == 0 ? NULL : &l->ring[place - 1];
	return k != NULL && k->look != 0 && quarter(k->look, q) == value ? k : NULL;
}

void looks_add(struct looks *l, uint64_t look, struct look_owner owner)
{
	if (look == 0)
		return;
	struct look *k = &l->ring[l->next];
	k->look = look;
	k->owner = owner;
	for (int q = 0; q < QUARTERS; q++) {
		uint32_t *newest = &l->newest[q][quarter(look, q)];
		k->older[q] = *newest == l->next + 1 ? 0 : *newest;
		*newest = l->next + 1;
	}
	l->next = (l->next + 1) % LOOKS_MOST;
}

const struct look_owner *looks_find(const struct looks *l, uint64_t look, int64_t case_id)
{
	for (int q = 0; q < QUARTERS && look != 0; q++) {
		unsigned value = quarter(look, q);
		const struct look *k = in_chain(l, l->newest[q][value], q, value);
		for (int seen = 0; k != NULL && seen < CHAIN_MOST; seen++) {
			if (k->owner.case_id != case_id && __builtin_popcountll(k->look ^ look) <= LOOKS_APART)
				return &k->owner;
			k = in_chain(l, k->older[q], q, value);
		}
	}
	return NULL;
}
