/* rights_parts: the rights as a policy holds them. For the loader and rights.c only; everybody else uses rights.h. */
#ifndef JURISDICTION_RIGHTS_PARTS_H
#define JURISDICTION_RIGHTS_PARTS_H

#include "jurisdiction/policy.h"
#include "jurisdiction/rights.h"

/* The roles that have each right, ready to be asked. */
struct rights {
	uint32_t roles[RIGHT_COUNT][RIGHTS_SCOPES][RIGHTS_PHASES];
	uint32_t never[RIGHT_COUNT][RIGHTS_SCOPES];
};

/* One row of rights.csv. */
struct right_taken {
	enum right right;
	uint32_t role;
	unsigned scopes, phases; /* bits; 0: all of them */
};

/* The built-in table, and then without what this row takes: how many cells that were. */
void rights_begin(struct rights *r);
int rights_take(struct rights *r, const struct right_taken *taken);

#endif
