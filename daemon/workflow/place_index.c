/* place_index: cells in a growing hash table. */
#include "workflow/place_index.h"

#include <math.h>
#include <stdlib.h>

#include "workflow/domain.h"

#define CELL_E7 5000             /* 0.0005 degrees, 55 m of latitude */
#define CELL_METRES 55.5         /* a little less than they are, so that a search rather looks into one cell more */
#define CELLS_ACROSS_MOST 41     /* a search is at most this many cells wide: 1.1 km either way */
#define BUCKETS_FIRST 1024

struct place_index {
	struct place_node **buckets;
	size_t bucket_count, node_count; /* bucket_count is a power of two */
};

struct place_index *place_index_new(void)
{
	struct place_index *p = must_calloc(1, sizeof *p);
	p->bucket_count = BUCKETS_FIRST;
	p->buckets = must_calloc(p->bucket_count, sizeof *p->buckets);
	return p;
}

void place_index_free(struct place_index *p)
{
	if (p == NULL)
		return;
	free(p->buckets);
	free(p);
}

static int32_t cell_of(int64_t e7)
{
	return (int32_t)(e7 >= 0 ? e7 / CELL_E7 : -((-e7 + CELL_E7 - 1) / CELL_E7));
}

static size_t bucket_of(const struct place_index *p, int32_t category, int32_t row, int32_t column)
{
	uint64_t h = (uint32_t)category * UINT64_C(0x9E3779B97F4A7C15);
	h = (h ^ (uint32_t)row) * UINT64_C(0xBF58476D1CE4E5B9);
	h = (h ^ (h >> 29) ^ (uint32_t)column) * UINT64_C(0x94D049BB133111EB);
	return (size_t)(h ^ (h >> 32)) & (p->bucket_count - 1);
}

static void link_node(struct place_index *p, struct place_node *n)
{
	struct place_node **head = &p->buckets[bucket_of(p, n->category, cell_of(n->lat_e7), cell_of(n->lon_e7))];
	n->newer = NULL;
	n->older = *head;
	if (*head != NULL)
		(*head)->newer = n;
	*head = n;
}

/* Doubles the table; chains are walked from the oldest so that their order stays newest first. */
static void grow(struct place_index *p)
{
	struct place_node **old = p->buckets;
	size_t old_count = p->bucket_count;
	p->bucket_count *= 2;
	p->buckets = must_calloc(p->bucket_count, sizeof *p->buckets);
	for (size_t i = 0; i < old_count; i++) {
		struct place_node *n = old[i];
		while (n != NULL && n->older != NULL)
			n = n->older;
		while (n != NULL) {
			struct place_node *newer = n->newer;
			link_node(p, n);
			n = newer;
		}
	}
	free(old);
}

void place_index_add(struct place_index *p, struct place_node *n)
{
	must(!n->linked);
	if (p->node_count >= p->bucket_count)
		grow(p);
	link_node(p, n);
	n->linked = 1;
	p->node_count++;
}

void place_index_remove(struct place_index *p, struct place_node *n)
{
	if (!n->linked)
		return;
	if (n->newer != NULL)
		n->newer->older = n->older;
	else
		p->buckets[bucket_of(p, n->category, cell_of(n->lat_e7), cell_of(n->lon_e7))] = n->older;
	if (n->older != NULL)
		n->older->newer = n->newer;
	n->linked = 0;
	p->node_count--;
}

struct search {
	int32_t category, lat_e7, lon_e7;
	int64_t since_ms;
	const struct place_node *except;
	struct place_node *best;
	double best_metres;
};

static void look_in(const struct place_index *p, struct search *s, int32_t row, int32_t column)
{
	int looked = 0;
	struct place_node *n = p->buckets[bucket_of(p, s->category, row, column)];
	for (; n != NULL && looked < PLACE_LOOK_MOST; n = n->older, looked++) {
		if (n->category != s->category || n == s->except || n->at_ms < s->since_ms)
			continue;
		double metres = place_metres(s->lat_e7, s->lon_e7, n->lat_e7, n->lon_e7);
		if (metres <= s->best_metres && (s->best == NULL || metres < s->best_metres)) {
			s->best = n;
			s->best_metres = metres;
		}
	}
}

struct place_node *place_index_near(const struct place_index *p, int32_t category, int32_t lat_e7, int32_t lon_e7,
                                    double metres, int64_t since_ms, const struct place_node *except)
{
	struct search s = {category, lat_e7, lon_e7, since_ms, except, NULL, metres};
	double shrink = cos(lat_e7 / 1e7 * M_PI / 180.0);
	double tall = metres / CELL_METRES * CELL_E7, wide = shrink > 0.01 ? tall / shrink : tall;
	const double widest = CELLS_ACROSS_MOST / 2.0 * CELL_E7;
	int64_t dlat = (int64_t)fmin(tall, widest) + 1, dlon = (int64_t)fmin(wide, widest) + 1;
	for (int32_t row = cell_of(lat_e7 - dlat); row <= cell_of(lat_e7 + dlat); row++)
		for (int32_t column = cell_of(lon_e7 - dlon); column <= cell_of(lon_e7 + dlon); column++)
			look_in(p, &s, row, column);
	return s.best;
}
