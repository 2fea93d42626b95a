/* category: one row of categories.csv, what can be reported and what the street has decided about it. */
#ifndef JURISDICTION_CATEGORY_H
#define JURISDICTION_CATEGORY_H

#include <stdint.h>

#include "base/limit.h"

struct category {
	int32_t code; /* workflow/domain.h: kind × 10000 + class × 100 + subclass */
	const char *name, *zh;
	struct limit limit;              /* for handling it */
	int32_t points;                  /* what a first report earns at a verified close */
	_Bool sure;                      /* a trusted reporter's report of it is filed without being asked */
	_Bool after_photo, before_photo; /* handled needs a photo of the place afterwards; and the case one of before */
	int near_far;                    /* enum near_far of words.h: what a near and a far photo are asked for */
	int32_t merge_m;                 /* automatic merge radius in metres, 0: never by itself */
	int64_t merge_ms;                /* and window */
	int32_t maybe_m;                 /* "perhaps the same" within these metres, 0: the rules' same_within_m */
	int64_t maybe_ms;                /* and this time, 0: as long as it is open */
	int matter;                      /* enum matter of words.h */
	int32_t kin;                     /* the code that stands for its family, 0: none; one thing under two names */
	const struct category *next_kin; /* the next of the family, in a ring; NULL: none */
};

#endif
