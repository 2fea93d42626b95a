/* queue: a bounded first-in-first-out queue of pointers between threads; the only lock in the program lives here.
 * Full is an answer, not a wait: the door that gets it stops reading. */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

struct queue;

/* capacity ≥ 1 items. wake_fd: an eventfd written when the queue goes from empty to not empty, or -1. */
struct queue *queue_new(size_t capacity, int wake_fd) MUST_USE;
void queue_free(struct queue *q); /* does not own the items; NULL is fine */
/* false: full or closed. Any thread. */
_Bool queue_push(struct queue *q, void *item) MUST_USE;
/* The first ones that there is room for; how many that were. One lock and one wake for all of them. */
size_t queue_push_many(struct queue *q, void *const *items, size_t count) MUST_USE;
/* Takes up to most items; 0 when none came within wait_ms (0: do not wait; -1: for ever) or the queue is closed and
 * empty. Any thread. */
size_t queue_pop(struct queue *q, void **items, size_t most, int64_t wait_ms) MUST_USE;
size_t queue_length(struct queue *q);
/* Waits until `count` items (at most the capacity) have queued up, the queue is closed, or wait_us is over; how many
 * there are then. For the one thread that pops. */
size_t queue_gather(struct queue *q, size_t count, int64_t wait_us);
/* No further pushes; waiting pops return what is left, then 0. */
void queue_close(struct queue *q);
_Bool queue_is_closed(struct queue *q);

#endif
