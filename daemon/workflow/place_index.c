/* place_index: a table of cells, a cell an array of positions, the newest last. */
#include "workflow/place_index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/domain.h"
#include "workflow/place.h"

#define CELL_E7 10000      /* 0.001 degrees, 111 m of latitude */
#define CELL_METRES 111.19 /* a little less, so that no edge is missed */
#define SLOTS_FIRST 1024
#define POSITIONS_FIRST 4
#define CELLS_ACROSS_MOST 21 /* a search is at most this many cells wide: 1.1 km either way */

struct point {
	int32_t lat_e7, lon_e7;
};

/* Where everybody is lies apart from the rest, eight to a cache line: most are seen to be too far away, and then that is
 * all that is read of them. */
struct place_cell {
	int32_t category, row, column;
	uint32_t count, room;
	struct point *points; /* NULL: nobody has ever been here, the slot is free */
	struct position *positions;
};

/* Open addressing: cells are few lines apart, and an empty one keeps its slot until the table is made anew. */
struct place_index {
	struct place_cell *slots;
	size_t slot_count, used; /* slot_count is a power of two, at most half of it used */
};

struct place_index *place_index_new(void)
{
	struct place_index *p = must_calloc(1, sizeof *p);

	p->slot_count = SLOTS_FIRST;
	p->slots = must_calloc(p->slot_count, sizeof *p->slots);
	return p;
}

static void close_cell(struct place_cell *c)
{
	free(c->points);
	free(c->positions);
}

static void make_room(struct place_cell *c, uint32_t room)
{
	c->room = room;
	c->points = must_realloc(c->points, room * sizeof *c->points);
	c->positions = must_realloc(c->positions, room * sizeof *c->positions);
}

void place_index_free(struct place_index *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->slot_count; i++)
		close_cell(&p->slots[i]);
	free(p->slots);
	free(p);
}

static int32_t cell_of(int64_t e7)
{
	return (int32_t)(e7 >= 0 ? e7 / CELL_E7 : -((-e7 + CELL_E7 - 1) / CELL_E7));
}

/* Where the search for the cell's slot begins. */
static size_t slot_hash(int32_t category, int32_t row, int32_t column)
{
	uint64_t h = (uint32_t)category * UINT64_C(0x9E3779B97F4A7C15);

	h = (h ^ (uint32_t)row) * UINT64_C(0xBF58476D1CE4E5B9);
	h = (h ^ (h >> 29) ^ (uint32_t)column) * UINT64_C(0x94D049BB133111EB);
	return (size_t)(h ^ (h >> 32));
}

/* The cell's slot, or the free one where it would be. */
static struct place_cell *slot_of(const struct place_index *p, int32_t category, int32_t row, int32_t column)
{
	for (size_t at = slot_hash(category, row, column);; at++) {
		struct place_cell *c = &p->slots[at & (p->slot_count - 1)];

		if (c->points == NULL || (c->row == row && c->column == column && c->category == category))
			return c;
	}
}

/* A table for twice the cells that hold somebody; those that are empty now are left behind. */
static void make_anew(struct place_index *p)
{
	struct place_cell *old = p->slots;
	size_t old_count = p->slot_count, held = 0;

	for (size_t i = 0; i < old_count; i++)
		held += old[i].count > 0;
	while (p->slot_count < held * 4)
		p->slot_count *= 2;
	p->slots = must_calloc(p->slot_count, sizeof *p->slots);
	p->used = held;
	for (size_t i = 0; i < old_count; i++) {
		if (old[i].count > 0)
			*slot_of(p, old[i].category, old[i].row, old[i].column) = old[i];
		else
			close_cell(&old[i]);
	}
	free(old);
}

static struct place_cell *cell_for(struct place_index *p, const struct place_node *n)
{
	int32_t row = cell_of(n->lat_e7), column = cell_of(n->lon_e7);
	struct place_cell *c = slot_of(p, n->category, row, column);

	if (c->points == NULL && p->used * 2 >= p->slot_count) {
		make_anew(p);
		c = slot_of(p, n->category, row, column);
	}
	if (c->points == NULL) {
		*c = (struct place_cell){ .category = n->category, .row = row, .column = column };
		make_room(c, POSITIONS_FIRST);
		p->used++;
	}
	return c;
}

void place_index_add(struct place_index *p, struct place_node *n)
{
	must(n->slot == 0);

	struct place_cell *c = cell_for(p, n);

	if (c->count == c->room)
		make_room(c, c->room * 2);
	c->points[c->count] = (struct point){ n->lat_e7, n->lon_e7 };
	c->positions[c->count++] = (struct position){ n->at_ms, n->address, n->reporter, n->reporter_kind, n };
	n->slot = c->count;
}

/* The newest takes the free place, so that leaving a crowd costs no more than leaving a few; a crowded cell's order is
 * then only roughly the cases' age, which is all its search needs. */
void place_index_remove(struct place_index *p, struct place_node *n)
{
	if (n->slot == 0)
		return;

	struct place_cell *c = slot_of(p, n->category, cell_of(n->lat_e7), cell_of(n->lon_e7));

	c->points[n->slot - 1] = c->points[--c->count];
	c->positions[n->slot - 1] = c->positions[c->count];
	c->positions[n->slot - 1].node->slot = n->slot;
	n->slot = 0;
}

struct search {
	const struct place_index *index;
	int32_t category, lat_e7, lon_e7;
	double metres;
	int64_t since_ms;
	double shrink; /* of a degree of longitude, here */
	double reach2; /* the metres in degrees of latitude × 10^7, a per mille generous, squared */
	void (*see)(void *ctx, const struct position *at, double metres);
	void *ctx;
};

/* Whether north and east, in degrees × 10^7, are within reach: a rough distance. */
static _Bool within(const struct search *s, double north, double east)
{
	east *= s->shrink;
	return north * north + east * east <= s->reach2;
}

/* A bit for each point that is within reach. Nothing is decided on the way: which points are near nobody can foretell, and
 * a processor that guesses wrong at every other one takes longer than all of this. */
static uint32_t near_ones(const struct search *s, const struct point *points, uint32_t count)
{
	uint32_t near = 0;

	for (uint32_t i = 0; i < count; i++)
		near |= (uint32_t)within(s, (double)points[i].lat_e7 - s->lat_e7, (double)points[i].lon_e7 - s->lon_e7)
		        << i;
	return near;
}

_Static_assert(PLACE_LOOK_MOST <= 32, "a bit for each");

/* Whom to look at in a cell, a bit for each from `oldest` on. */
struct sights {
	const struct place_cell *cell;
	uint32_t oldest, near;
};

static uint32_t newest_of(uint32_t near)
{
	return 31 - (uint32_t)__builtin_clz(near);
}

static void look_for(const struct search *s, struct sights *in)
{
	const struct place_cell *c = in->cell;

	if (c->count == 0) { /* it has no points, not even none of them */
		in->oldest = in->near = 0;
		return;
	}
	in->oldest = c->count > PLACE_LOOK_MOST ? c->count - PLACE_LOOK_MOST : 0;
	in->near = near_ones(s, c->points + in->oldest, c->count - in->oldest);
	for (uint32_t left = in->near; left != 0; left ^= UINT32_C(1) << newest_of(left)) {
		const struct position *p = &c->positions[in->oldest + newest_of(left)];

		__builtin_prefetch(p);
		__builtin_prefetch((const char *)(p + 1) - 1);
	}
}

static void look_in(const struct search *s, const struct sights *in)
{
	const struct place_cell *c = in->cell;

	for (uint32_t left = in->near; left != 0; left ^= UINT32_C(1) << newest_of(left)) {
		uint32_t i = in->oldest + newest_of(left);
		const struct point *at = &c->points[i];

		if (c->positions[i].at_ms < s->since_ms)
			continue;

		double metres = place_metres(s->lat_e7, s->lon_e7, at->lat_e7, at->lon_e7);

		if (metres <= s->metres)
			s->see(s->ctx, &c->positions[i], metres);
	}
}

/* Whether anything in this cell can be within reach: how far its nearest edge is. */
static _Bool may_hold(const struct search *s, int32_t row, int32_t column)
{
	double south = (double)row * CELL_E7 - s->lat_e7, north = s->lat_e7 - ((double)row + 1) * CELL_E7;
	double west = (double)column * CELL_E7 - s->lon_e7, east = s->lon_e7 - ((double)column + 1) * CELL_E7;

	return within(s, fmax(0, fmax(south, north)), fmax(0, fmax(west, east)));
}

/* A cell is two places in memory that nobody has looked at lately, and whoever is near in it a third. All of them are fetched
 * side by side, so that a search waits about as long for four cells as for one. */
#define CELLS_AHEAD 16

struct cells {
	int32_t row[CELLS_AHEAD], column[CELLS_AHEAD];
	int count;
};

static void look_at(const struct search *s, struct cells *cells)
{
	const struct place_index *p = s->index;
	struct sights found[CELLS_AHEAD];

	for (int i = 0; i < cells->count; i++)
		__builtin_prefetch(
			&p->slots[slot_hash(s->category, cells->row[i], cells->column[i]) & (p->slot_count - 1)]);
	for (int i = 0; i < cells->count; i++) {
		const struct place_cell *c = slot_of(p, s->category, cells->row[i], cells->column[i]);

		found[i].cell = c;
		if (c->count > 0)
			__builtin_prefetch(&c->points[c->count - 1]);
	}
	for (int i = 0; i < cells->count; i++)
		look_for(s, &found[i]);
	for (int i = 0; i < cells->count; i++)
		look_in(s, &found[i]);
	cells->count = 0;
}

void place_index_around(const struct place_index *p, int32_t category, int32_t lat_e7, int32_t lon_e7, double metres,
                        int64_t since_ms, void (*see)(void *ctx, const struct position *at, double metres), void *ctx)
{
	const double shrink = fabs(cos(lat_e7 / 1e7 * M_PI / 180.0)), widest = CELLS_ACROSS_MOST / 2.0 * CELL_E7;
	const double reach = (metres * 1.001 + 0.1) / CELL_METRES * CELL_E7;
	const struct search s = { p, category, lat_e7, lon_e7, metres, since_ms, shrink, reach * reach, see, ctx };
	double tall = metres / CELL_METRES * CELL_E7, wide = s.shrink > 0.01 ? tall / s.shrink : widest;
	int64_t dlat = (int64_t)fmin(tall, widest) + 1, dlon = (int64_t)fmin(wide, widest) + 1;
	struct cells cells = { .count = 0 };

	for (int32_t row = cell_of(lat_e7 - dlat); row <= cell_of(lat_e7 + dlat); row++)
		for (int32_t column = cell_of(lon_e7 - dlon); column <= cell_of(lon_e7 + dlon); column++) {
			if (!may_hold(&s, row, column))
				continue;
			cells.row[cells.count] = row;
			cells.column[cells.count++] = column;
			if (cells.count == CELLS_AHEAD)
				look_at(&s, &cells);
		}
	look_at(&s, &cells);
}
