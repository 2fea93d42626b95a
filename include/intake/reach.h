/* reach: how far a reader's rights go (jurisdiction/rights.h): how it stands to a case, an account or an area. Every list,
 * answer and push asks here what it may show. */
#ifndef INTAKE_REACH_H
#define INTAKE_REACH_H

#include <stdint.h>

#include "base/refusal.h"
#include "jurisdiction/rights.h"
#include "store/query.h"
#include "workflow/case_file.h"

/* Whether the person is more than one who reports: then what it looks at is written down. No right hangs on it. */
_Bool reach_is_staff(const struct person *who);
/* How the person stands to a case now: its own is what it reported, sent or is asked to verify, or lies in a grid whose duty
 * it has; its unit's what the unit handles, helps with or is called to. */
struct rights_on reach_case(const struct policy *p, const struct person *who, const struct case_file *c,
                            int64_t now_ms);
/* Whether the person may see this much of it: RIGHT_GET_CASE, RIGHT_GET_EVIDENCE. */
_Bool reach_sees(const struct policy *p, const struct person *who, enum right right, const struct case_file *c,
                 int64_t now_ms);

/* The states whose phases these are; 0: every one, as in filters. */
uint32_t reach_states(unsigned phases);
/* Narrows the area asked for (0: none given) to the person's own, and *states (0: any; NULL: not asked about) to those it
 * may see there; false with *why when nothing is left. Whose area holds every grid has all, with what is still to be
 * located. */
_Bool reach_area(const struct policy *p, const struct person *who, enum right right, int64_t *area, uint32_t *states,
                 struct refusal *why) MUST_USE;
/* Narrows a list of cases to one scope of the person's: what is asked for by its reporter, by its handling unit, or else
 * by area. */
struct reach_list {
	struct case_filter *filter; /* area, states and unlocated are looked at */
	char *handler, *reporter;   /* "": not asked for; filled when the person has nothing wider */
	size_t handler_size, reporter_size;
};
_Bool reach_narrow(const struct policy *p, const struct person *who, struct reach_list *l,
                   struct refusal *why) MUST_USE;
/* Whether an emergency of this area concerns the person's. */
_Bool reach_concerns(const struct policy *p, const struct person *who, int64_t area);

#endif
