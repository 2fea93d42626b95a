#include "jurisdiction/routing.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "jurisdiction/area_code.h"
#include "jurisdiction/policy.h"

#define CLASSES (1 << 10) /* more than category / 100 can be */

struct routing_entry {
	int64_t bucket;
	_Bool wide;   /* a class, not one category of it */
	size_t order; /* in the file */
	const struct route *route;
};

/* What one question looks for. */
struct question {
	int32_t category;
	int64_t now_ms;
	const struct route *best;
	_Bool tied;
};

/* Codes have at most 15 digits, so area and class fit one number. */
static int64_t bucket_of(int64_t area, int32_t category)
{
	return area * CLASSES + category / 100;
}

static int compare_entries(const void *left, const void *right)
{
	const struct routing_entry *a = left, *b = right;

	if (a->bucket != b->bucket)
		return a->bucket < b->bucket ? -1 : 1;
	if (a->wide != b->wide)
		return a->wide ? 1 : -1;
	return (a->order > b->order) - (a->order < b->order);
}

void routing_build(struct routing *r, void *const *routes, size_t count)
{
	*r = (struct routing){ .count = count };
	r->entries = must_calloc(count, sizeof *r->entries);
	for (size_t i = 0; i < count; i++) {
		const struct route *route = routes[i];

		r->entries[i] = (struct routing_entry){ bucket_of(route->area, route->category),
			                                route->category % 100 == 0, i, route };
	}
	qsort(r->entries, count, sizeof *r->entries, compare_entries);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || r->entries[i].bucket != r->entries[i - 1].bucket)
			must(lookup_add(&r->first, &r->entries[i].bucket, sizeof r->entries[i].bucket, &r->entries[i]));
}

static _Bool fits(const struct route *route, const struct question *q)
{
	if (route->category % 100 != 0 && route->category != q->category)
		return 0;
	return q->now_ms >= route->from_ms && (route->to_ms == 0 || q->now_ms < route->to_ms);
}

/* Within a bucket all have the same area, so the first that fits wins and one as narrow from another unit ties. */
static void ask_bucket(const struct routing *r, int64_t bucket, struct question *q)
{
	const struct routing_entry *end = r->entries + r->count;
	const struct routing_entry *e = lookup_find_number(&r->first, bucket);

	for (; e && e < end && e->bucket == bucket; e++) {
		if (!fits(e->route, q))
			continue;
		if (!q->best)
			q->best = e->route;
		else if (e->route->category == q->best->category && strcmp(e->route->unit, q->best->unit) != 0)
			q->tied = 1;
	}
}

const struct route *routing_find(const struct routing *r, int64_t grid, int32_t category, int64_t now_ms, _Bool *sure)
{
	struct question q = { .category = category, .now_ms = now_ms };
	int64_t areas[AREA_LEVELS];

	area_above(grid, areas);
	for (int i = 0; i < AREA_LEVELS && !q.best; i++) {
		ask_bucket(r, bucket_of(areas[i], category), &q);
		if (!q.best)
			ask_bucket(r, bucket_of(areas[i], 0), &q);
	}
	if (sure)
		*sure = q.best && !q.tied;
	return q.best;
}

void routing_close(struct routing *r)
{
	free(r->entries);
	lookup_close(&r->first);
	*r = (struct routing){ 0 };
}
