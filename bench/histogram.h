/* histogram: how long things took, in buckets whose width grows with the value, so that a microsecond and a second are
 * both known to within 1.6 per cent in a fixed 20 KiB. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_SUB_BITS 6  /* 64 buckets to each doubling */
#define HISTOGRAM_TOP_BITS 40 /* values from 2^40 ns (18 minutes) on count as the largest */
#define HISTOGRAM_BUCKETS ((HISTOGRAM_TOP_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
	uint64_t count[HISTOGRAM_BUCKETS];
	uint64_t total;
	int64_t max_ns; /* exact */
};

void histogram_clear(struct histogram *h);
/* Negative values count as 0. */
void histogram_add(struct histogram *h, int64_t ns);
void histogram_add_many(struct histogram *h, int64_t ns, uint64_t times);
/* The value that at least `share` (0 to 1) of all values do not exceed: the upper edge of its bucket, never above the
 * largest value seen; 0 when empty. */
int64_t histogram_at(const struct histogram *h, double share);

/* A client that waits for its answer before it sends again sends nothing during a stall, so a stall of a second is one
 * slow value where an even stream of requests would have met it many times. This adds the missing ones: for each value
 * v above the interval at which requests were meant to leave, also v - interval, v - 2 interval … down to the interval. */
void histogram_correct(const struct histogram *seen, int64_t interval_ns, struct histogram *out);

#endif
