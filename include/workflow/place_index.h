/* place_index: open cases by category and place, for "is it already known?". Cells of about 110 m, each with its cases'
 * positions side by side in memory, so that looking around costs a few cache lines and not one a case. */
#ifndef WORKFLOW_PLACE_INDEX_H
#define WORKFLOW_PLACE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "workflow/address.h"

/* Embedded in what is indexed. */
struct place_node {
	int32_t category, lat_e7, lon_e7;
	int64_t at_ms;
	struct address_key address;
	const char *reporter; /* interned; NULL: anonymous */
	uint8_t reporter_kind;
	uint32_t slot; /* its place in its cell, from 1; 0: not in the index */
};

struct place_index;

/* How many cases of one cell a search looks at: the newest ones. A block with more open cases of one category than this
 * has other troubles. */
#define PLACE_LOOK_MOST 16

struct place_index *place_index_new(void) MUST_USE;
void place_index_free(struct place_index *p); /* the nodes are not its own; NULL is fine */
/* Everything but the slot is set by the caller and stays while the node is in. */
void place_index_add(struct place_index *p, struct place_node *n);
void place_index_remove(struct place_index *p, struct place_node *n); /* not in it: nothing */

/* What is read of a node that is near enough: a copy of its own. */
struct position {
	int64_t at_ms;
	struct address_key address;
	const char *reporter;
	uint8_t reporter_kind;
	struct place_node *node;
};

/* Shows every node of this category within metres with at_ms ≥ since_ms, the newest of a cell first, and how far away
 * it is. What is shown must not change the index. */
void place_index_around(const struct place_index *p, int32_t category, int32_t lat_e7, int32_t lon_e7, double metres,
                        int64_t since_ms, void (*see)(void *ctx, const struct position *at, double metres), void *ctx);

#endif
