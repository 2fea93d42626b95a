/* routing: the rows that say who handles what where, ready to be asked. Contracts and routes become offers; those of one
 * step stand in one index, in buckets by area and class, each sorted by how narrow an offer is, so that a question walks
 * from the overlay or grid up to the province and stops at the first that fits. For the policy only. */
#ifndef JURISDICTION_ROUTING_H
#define JURISDICTION_ROUTING_H

#include <stddef.h>
#include <stdint.h>

#include "jurisdiction/handlers.h"
#include "jurisdiction/lookup.h"

struct offer {
	int64_t area; /* code; 0: any; overlays have numbers below 0 */
	int32_t category;
	const char *unit; /* as in struct route */
	int64_t from_ms, to_ms;
	const struct co_units *co_units;
	const struct day_hours *hours;
	const struct contract *contract; /* one of the two */
	const struct route *route;
};

struct routing_entry;

struct routing_index {
	struct routing_entry *entries;
	size_t count;
	struct lookup first; /* bucket → its first entry */
};

#define ROUTING_STEPS 3 /* HANDLER_CONTRACT, HANDLER_SELF_MANAGED, HANDLER_ROUTE */

struct routing {
	struct routing_index steps[ROUTING_STEPS];
	struct offer *offers;
	size_t count;
	struct lookup overlays;  /* id → the first offer that names it; its area stands for the overlay */
	struct lookup home_unit; /* area → the community's or street's own unit */
};

/* The number that stands for an overlay, 0: no contract names it. */
int64_t routing_overlay(const struct routing *r, const char *overlay);
/* Builds the index over the policy's tables, which outlive it. */
void routing_build(struct policy *p);
/* The areas of the question, the smallest first, and the time. */
#define ROUTING_AREAS_MOST 32
struct routing_question {
	const struct policy *policy;
	int64_t grid;
	int64_t areas[ROUTING_AREAS_MOST];
	int area_count;
	int32_t category;
	int64_t at_ms;
};
/* The best offer of this step, NULL when there is none. *tied: an equal one of another unit, or NULL. */
const struct offer *routing_find(const struct routing *r, enum handler_step step, const struct routing_question *q,
                                 const struct offer **tied);
/* Who holds the post that an offer names there, with a unit; NULL: nobody, or it names none. */
const struct post *routing_holder(const struct routing_question *q, const struct offer *offer);
void routing_close(struct routing *r); /* safe twice */

/* contracts.csv: what needs the index, and what will hurt soon. */
void contracts_check(const struct policy *p, struct problems *to);
void contracts_warn(const struct policy *p, int64_t now_ms, struct problems *to);

#endif
