/* routing: who handles a category in a grid. Routes are kept in buckets by area and class, each sorted by how narrow its
 * category is, so that a question walks from the grid up to the province and stops at the first that fits. */
#ifndef JURISDICTION_ROUTING_H
#define JURISDICTION_ROUTING_H

#include <stddef.h>
#include <stdint.h>

#include "jurisdiction/lookup.h"

struct route;
struct routing_entry;

struct routing {
	struct routing_entry *entries;
	size_t count;
	struct lookup first; /* bucket → its first entry */
};

/* Builds the index over struct routes in file order; they outlive it. */
void routing_build(struct routing *r, void *const *routes, size_t count);
/* The most specific route in force, NULL when there is none. *sure (may be NULL): no other unit's route ties with it. */
const struct route *routing_find(const struct routing *r, int64_t grid, int32_t category, int64_t now_ms, _Bool *sure);
void routing_close(struct routing *r); /* safe twice */

#endif
