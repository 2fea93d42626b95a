#include "histogram.h"

#include <string.h>

static size_t bucket_of(int64_t ns)
{
	const uint64_t top = (UINT64_C(1) << HISTOGRAM_TOP_BITS) - 1;
	uint64_t v = ns < 0 ? 0 : (uint64_t)ns;

	if (v > top)
		v = top;
	if (v < (UINT64_C(1) << HISTOGRAM_SUB_BITS))
		return v;
	int shift = 63 - __builtin_clzll(v) - HISTOGRAM_SUB_BITS;
	return ((size_t)shift << HISTOGRAM_SUB_BITS) + (size_t)(v >> shift);
}

/* The largest value that falls into the bucket. */
static int64_t bucket_edge(size_t bucket)
{
	if (bucket < (2u << HISTOGRAM_SUB_BITS))
		return (int64_t)bucket;
	int shift = (int)(bucket >> HISTOGRAM_SUB_BITS) - 1;
	uint64_t lead = (bucket & ((1u << HISTOGRAM_SUB_BITS) - 1)) + (1u << HISTOGRAM_SUB_BITS);
	return (int64_t)(((lead + 1) << shift) - 1);
}

void histogram_clear(struct histogram *h)
{
	memset(h, 0, sizeof *h);
}

void histogram_add_many(struct histogram *h, int64_t ns, uint64_t times)
{
	if (times == 0)
		return;
	h->count[bucket_of(ns)] += times;
	h->total += times;
	if (ns > h->max_ns)
		h->max_ns = ns;
}

void histogram_add(struct histogram *h, int64_t ns)
{
	histogram_add_many(h, ns, 1);
}

int64_t histogram_at(const struct histogram *h, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)h->total);
	uint64_t seen = 0;

	if (h->total == 0)
		return 0;
	if ((double)wanted < share * (double)h->total || wanted == 0)
		wanted++;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->count[i];
		if (seen >= wanted)
			return bucket_edge(i) < h->max_ns ? bucket_edge(i) : h->max_ns;
	}
	return h->max_ns;
}

void histogram_correct(const struct histogram *seen, int64_t interval_ns, struct histogram *out)
{
	*out = *seen;
	if (interval_ns <= 0)
		return;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (seen->count[i] == 0)
			continue;
		int64_t edge = bucket_edge(i) < seen->max_ns ? bucket_edge(i) : seen->max_ns;
		for (int64_t v = edge - interval_ns; v >= interval_ns; v -= interval_ns)
			histogram_add_many(out, v, seen->count[i]);
	}
}
