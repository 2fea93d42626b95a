/* place_index: a hash of cells, a cell an array of positions, the newest last. */
#include "workflow/place_index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/domain.h"
#include "workflow/place.h"

#define uthash_fatal(message) must_not_happen(__FILE__, __LINE__, message)
#include <uthash.h>

#define CELL_E7 10000        /* 0.001 degrees, 111 m of latitude */
#define CELL_METRES 111.19   /* a little less, so that no edge is missed */
#define CELLS_ACROSS_MOST 21 /* a search is at most this many cells wide: 1.1 km either way */

struct cell_key {
	int32_t category, row, column;
};

/* What a search reads, a copy of the node's own. */
struct position {
	int32_t lat_e7, lon_e7;
	int64_t at_ms;
	struct place_node *node;
};

struct place_cell {
	UT_hash_handle hh;
	struct cell_key key;
	struct position *positions;
	size_t count, room;
};

struct place_index {
	struct place_cell *cells;
};

struct place_index *place_index_new(void)
{
	return must_calloc(1, sizeof(struct place_index));
}

static void cell_free(struct place_index *p, struct place_cell *c)
{
	HASH_DEL(p->cells, c);
	free(c->positions);
	free(c);
}

void place_index_free(struct place_index *p)
{
	if (p == NULL)
		return;
	struct place_cell *c, *next;
	HASH_ITER(hh, p->cells, c, next)
	{
		cell_free(p, c);
	}
	free(p);
}

static int32_t cell_of(int64_t e7)
{
	return (int32_t)(e7 >= 0 ? e7 / CELL_E7 : -((-e7 + CELL_E7 - 1) / CELL_E7));
}

static struct place_cell *find_cell(const struct place_index *p, int32_t category, int32_t row, int32_t column)
{
	struct cell_key key = { category, row, column };
	struct place_cell *c;
	HASH_FIND(hh, p->cells, &key, sizeof key, c);
	return c;
}

static struct place_cell *cell_for(struct place_index *p, const struct place_node *n)
{
	struct cell_key key = { n->category, cell_of(n->lat_e7), cell_of(n->lon_e7) };
	struct place_cell *c = find_cell(p, key.category, key.row, key.column);
	if (c == NULL) {
		c = must_calloc(1, sizeof *c);
		c->key = key;
		HASH_ADD(hh, p->cells, key, sizeof c->key, c);
	}
	return c;
}

void place_index_add(struct place_index *p, struct place_node *n)
{
	must(n->cell == NULL);
	struct place_cell *c = cell_for(p, n);
	if (c->count == c->room) {
		c->room = c->room == 0 ? 4 : c->room * 2;
		c->positions = must_realloc(c->positions, c->room * sizeof *c->positions);
	}
	n->cell = c;
	n->slot = c->count;
	c->positions[c->count++] = (struct position){ n->lat_e7, n->lon_e7, n->at_ms, n };
}

/* The newest takes the free slot, so that leaving a crowd costs no more than leaving a few; a crowded cell's order is
 * then only roughly the cases' age, which is all its search needs. */
void place_index_remove(struct place_index *p, struct place_node *n)
{
	struct place_cell *c = n->cell;
	if (c == NULL)
		return;
	c->positions[n->slot] = c->positions[--c->count];
	c->positions[n->slot].node->slot = n->slot;
	n->cell = NULL;
	if (c->count == 0)
		cell_free(p, c);
}

struct search {
	int32_t category, lat_e7, lon_e7;
	int64_t since_ms;
	const struct place_node *except;
	struct place_node *best;
	double best_metres;
	double shrink; /* of a degree of longitude, here */
};

/* Quickly, whether this may be nearer than the best: a rough distance, a per mille generous. */
static _Bool may_be_nearer(const struct search *s, const struct position *at)
{
	double north = ((double)at->lat_e7 - s->lat_e7) * (CELL_METRES / CELL_E7);
	double east = ((double)at->lon_e7 - s->lon_e7) * (CELL_METRES / CELL_E7) * s->shrink;
	double reach = s->best_metres * 1.001 + 0.1;
	return north * north + east * east <= reach * reach;
}

static void look_in(struct search *s, const struct place_cell *c)
{
	size_t oldest = c->count > PLACE_LOOK_MOST ? c->count - PLACE_LOOK_MOST : 0;
	for (size_t i = c->count; i-- > oldest;) {
		const struct position *at = &c->positions[i];
		if (at->at_ms < s->since_ms || at->node == s->except || !may_be_nearer(s, at))
			continue;
		double metres = place_metres(s->lat_e7, s->lon_e7, at->lat_e7, at->lon_e7);
		if (metres <= s->best_metres && (s->best == NULL || metres < s->best_metres)) {
			s->best = at->node;
			s->best_metres = metres;
		}
	}
}

struct place_node *place_index_near(const struct place_index *p, int32_t category, int32_t lat_e7, int32_t lon_e7,
                                    double metres, int64_t since_ms, const struct place_node *except)
{
	struct search s = {
		category, lat_e7, lon_e7, since_ms, except, NULL, metres, cos(lat_e7 / 1e7 * M_PI / 180.0)
	};
	const double widest = CELLS_ACROSS_MOST / 2.0 * CELL_E7;
	double tall = metres / CELL_METRES * CELL_E7, wide = s.shrink > 0.01 ? tall / s.shrink : widest;
	int64_t dlat = (int64_t)fmin(tall, widest) + 1, dlon = (int64_t)fmin(wide, widest) + 1;
	for (int32_t row = cell_of(lat_e7 - dlat); row <= cell_of(lat_e7 + dlat); row++)
		for (int32_t column = cell_of(lon_e7 - dlon); column <= cell_of(lon_e7 + dlon); column++) {
			const struct place_cell *c = find_cell(p, category, row, column);
			if (c != NULL)
				look_in(&s, c);
		}
	return s.best;
}
