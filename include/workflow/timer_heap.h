/* timer_heap: when each open case wants to be looked at next; a binary heap whose nodes know their place, so that a
 * deadline moves without a search. */
#ifndef WORKFLOW_TIMER_HEAP_H
#define WORKFLOW_TIMER_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

/* Embedded in what has a timer. */
struct timer_node {
	int64_t at_ms;
	size_t place; /* 1-based; 0: not in the heap */
};

struct timer_heap {
	struct timer_node **nodes; /* [0] is not used */
	size_t count, room;
};

void timer_heap_close(struct timer_heap *h);
/* Puts, moves (at_ms changed) or, for at_ms 0, takes the node out. */
void timer_heap_set(struct timer_heap *h, struct timer_node *n, int64_t at_ms);
struct timer_node *timer_heap_first(const struct timer_heap *h); /* NULL: empty */

#endif
