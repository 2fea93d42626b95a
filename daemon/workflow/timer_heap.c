/* timer_heap: sift up, sift down. */
#include "workflow/timer_heap.h"

#include <stdlib.h>

void timer_heap_close(struct timer_heap *h)
{
	free(h->nodes);
	*h = (struct timer_heap){ 0 };
}

static void put(struct timer_heap *h, size_t place, struct timer_node *n)
{
	h->nodes[place] = n;
	n->place = place;
}

static void sift_up(struct timer_heap *h, size_t at)
{
	struct timer_node *n = h->nodes[at];
	for (; at > 1 && h->nodes[at / 2]->at_ms > n->at_ms; at /= 2)
		put(h, at, h->nodes[at / 2]);
	put(h, at, n);
}

static void sift_down(struct timer_heap *h, size_t at)
{
	struct timer_node *n = h->nodes[at];
	while (at * 2 <= h->count) {
		size_t child = at * 2;
		if (child < h->count && h->nodes[child + 1]->at_ms < h->nodes[child]->at_ms)
			child++;
		if (h->nodes[child]->at_ms >= n->at_ms)
			break;
		put(h, at, h->nodes[child]);
		at = child;
	}
	put(h, at, n);
}

static void take_out(struct timer_heap *h, struct timer_node *n)
{
	struct timer_node *last = h->nodes[h->count--];
	size_t at = n->place;
	n->place = 0;
	if (last == n)
		return;
	put(h, at, last);
	sift_up(h, at);
	sift_down(h, last->place);
}

void timer_heap_set(struct timer_heap *h, struct timer_node *n, int64_t at_ms)
{
	if (at_ms == 0) {
		if (n->place != 0)
			take_out(h, n);
		return;
	}
	n->at_ms = at_ms;
	if (n->place == 0) {
		if (h->count + 2 > h->room) {
			h->room = h->room == 0 ? 256 : h->room * 2;
			h->nodes = must_realloc(h->nodes, h->room * sizeof *h->nodes);
		}
		put(h, ++h->count, n);
	}
	sift_up(h, n->place);
	sift_down(h, n->place);
}

struct timer_node *timer_heap_first(const struct timer_heap *h)
{
	return h->count == 0 ? NULL : h->nodes[1];
}
