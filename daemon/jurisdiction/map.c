#include "jurisdiction/map_parts.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define E7 1e7
#define DEGREE_METRES 111195.0 /* of latitude, mean earth radius 6,371.0 km */
#define RADIAN (M_PI / 180.0)
#define STRETCH_LEAST 0.01 /* of longitude, so that a map at a pole has an area */
#define CELLS_LEAST 65536  /* of the raster */
#define CELLS_MOST (1 << 20)
#define CELLS_PER_SHAPE 1024 /* some 32 across: one in eight is touched by a border */
#define BUFFER_QUADRANT 8    /* segments of a quarter circle, at the ends of a line */
#define ASKERS_KEPT 16       /* more threads than that make and drop theirs */

/* ---- GEOS ---- */

GEOSGeometry *map_made(GEOSGeometry *g)
{
	must(g);
	return g;
}

_Bool map_yes(char answer)
{
	must(answer == 0 || answer == 1);
	return answer;
}

static void keep_words(const char *message, void *ctx)
{
	struct map *m = ctx;

	snprintf(m->said, sizeof m->said, "%s", message);
}

double map_x(const struct map *m, int32_t lon_e7)
{
	return (lon_e7 - m->lon0_e7) * m->x_per_e7;
}

double map_y(const struct map *m, int32_t lat_e7)
{
	return (lat_e7 - m->lat0_e7) * m->y_per_e7;
}

/* ---- outlines into ground ---- */

static GEOSCoordSequence *sequence_of(const struct map *m, GEOSContextHandle_t geos, const struct outline *o,
                                      const struct outline_run *run)
{
	GEOSCoordSequence *s = GEOSCoordSeq_create_r(geos, (unsigned)run->count, 2);

	must(s);
	for (size_t i = 0; i < run->count; i++) {
		const struct outline_point *p = &o->points[run->first + i];

		must(GEOSCoordSeq_setXY_r(geos, s, (unsigned)i, map_x(m, p->lon_e7), map_y(m, p->lat_e7)));
	}
	return s;
}

/* The polygon whose outer ring is run; *next is the run behind its holes. */
static GEOSGeometry *polygon_of(const struct map *m, GEOSContextHandle_t geos, const struct outline *o, size_t run,
                                size_t *next)
{
	size_t end = run + 1;

	while (end < o->run_count && !o->runs[end].outer)
		end++;
	GEOSGeometry **holes = must_calloc(end - run, sizeof *holes);
	GEOSGeometry *ring = map_made(GEOSGeom_createLinearRing_r(geos, sequence_of(m, geos, o, &o->runs[run])));

	for (size_t i = run + 1; i < end; i++)
		holes[i - run - 1] = map_made(GEOSGeom_createLinearRing_r(geos, sequence_of(m, geos, o, &o->runs[i])));
	GEOSGeometry *made = map_made(GEOSGeom_createPolygon_r(geos, ring, holes, (unsigned)(end - run - 1)));

	free(holes);
	*next = end;
	return made;
}

static GEOSGeometry *line_of(const struct map *m, GEOSContextHandle_t geos, const struct outline *o, size_t run,
                             size_t *next)
{
	*next = run + 1;
	return map_made(GEOSGeom_createLineString_r(geos, sequence_of(m, geos, o, &o->runs[run])));
}

GEOSGeometry *map_ground(const struct map *m, GEOSContextHandle_t geos, const struct outline *o)
{
	_Bool lines = o->width_m > 0;
	GEOSGeometry **parts = must_calloc(o->run_count + 1, sizeof *parts), *made;
	unsigned count = 0;

	for (size_t run = 0; run < o->run_count;)
		parts[count++] = (lines ? line_of : polygon_of)(m, geos, o, run, &run);
	if (count == 1)
		made = parts[0];
	else
		made = map_made(GEOSGeom_createCollection_r(geos, lines ? GEOS_MULTILINESTRING : GEOS_MULTIPOLYGON,
		                                            parts, count));
	free(parts);
	if (lines) {
		GEOSGeometry *line = made;

		made = map_made(GEOSBuffer_r(geos, line, o->width_m / 2, BUFFER_QUADRANT));
		GEOSGeom_destroy_r(geos, line);
	}
	return made;
}

/* ---- making it ---- */

static void find_extent(struct map *m, const struct map_shape *shapes)
{
	m->south_e7 = m->west_e7 = INT32_MAX;
	m->north_e7 = m->east_e7 = INT32_MIN;
	for (size_t i = 0; i < m->count; i++) {
		const struct outline *o = shapes[i].outline;

		for (size_t k = 0; k < o->count; k++) {
			const struct outline_point *p = &o->points[k];

			m->south_e7 = p->lat_e7 < m->south_e7 ? p->lat_e7 : m->south_e7;
			m->north_e7 = p->lat_e7 > m->north_e7 ? p->lat_e7 : m->north_e7;
			m->west_e7 = p->lon_e7 < m->west_e7 ? p->lon_e7 : m->west_e7;
			m->east_e7 = p->lon_e7 > m->east_e7 ? p->lon_e7 : m->east_e7;
		}
	}
}

static void find_stretching(struct map *m)
{
	m->lat0_e7 = ((double)m->south_e7 + m->north_e7) / 2;
	m->lon0_e7 = ((double)m->west_e7 + m->east_e7) / 2;
	m->y_per_e7 = DEGREE_METRES / E7;
	m->x_per_e7 = m->y_per_e7 * fmax(cos(m->lat0_e7 / E7 * RADIAN), STRETCH_LEAST);
}

/* A line is wider than its points. */
static void widen_extent(struct map *m, const struct map_shape *shapes)
{
	double most = 0;

	for (size_t i = 0; i < m->count; i++)
		most = fmax(most, shapes[i].outline->width_m);
	int32_t lat = (int32_t)ceil(most / 2 / m->y_per_e7), lon = (int32_t)ceil(most / 2 / m->x_per_e7);

	m->south_e7 -= lat;
	m->north_e7 += lat;
	m->west_e7 -= lon;
	m->east_e7 += lon;
}

struct map *map_new(const struct map_shape *shapes, size_t count)
{
	struct map *m = must_calloc(1, sizeof *m);

	m->geos = GEOS_init_r();
	must(m->geos);
	GEOSContext_setErrorMessageHandler_r(m->geos, keep_words, m);
	GEOSContext_setNoticeMessageHandler_r(m->geos, keep_words, m);
	m->count = count;
	m->areas = must_calloc(count + 1, sizeof *m->areas);
	if (count == 0)
		return m;
	find_extent(m, shapes);
	find_stretching(m);
	widen_extent(m, shapes);
	for (size_t i = 0; i < count; i++) {
		struct map_area *a = &m->areas[i];

		a->ground = map_ground(m, m->geos, shapes[i].outline);
		a->from_ms = shapes[i].from_ms;
		a->to_ms = shapes[i].to_ms;
		must(GEOSArea_r(m->geos, a->ground, &a->square_metres));
	}
	return m;
}

/* ---- the raster ---- */

/* A block of cells: rows [south, north), columns [west, east). */
struct block {
	uint32_t south, west, north, east;
};

/* What is being written: entries of one shape after the other, with their cells. */
struct raster {
	struct map *m;
	uint32_t *cells;
	struct map_entry *entries;
	size_t count, room;
};

static void add_entry(struct raster *r, uint32_t cell, uint32_t shape, _Bool whole)
{
	if (r->count == r->room) {
		r->room = r->room ? r->room * 2 : 4096;
		r->cells = must_realloc(r->cells, r->room * sizeof *r->cells);
		r->entries = must_realloc(r->entries, r->room * sizeof *r->entries);
	}
	r->cells[r->count] = cell;
	r->entries[r->count++] = (struct map_entry){ shape, whole };
}

static void add_block(struct raster *r, const struct block *b, uint32_t shape, _Bool whole)
{
	for (uint32_t row = b->south; row < b->north; row++)
		for (uint32_t column = b->west; column < b->east; column++)
			add_entry(r, row * r->m->columns + column, shape, whole);
}

/* A degree × 10^7 that may lie past the last cell's far side. */
static int32_t edge(int32_t start, uint32_t side, uint32_t cells)
{
	int64_t e7 = start + (int64_t)side * cells;

	return e7 > INT32_MAX ? INT32_MAX : (int32_t)e7;
}

static GEOSGeometry *block_ground(const struct map *m, const struct block *b)
{
	return map_made(GEOSGeom_createRectangle_r(m->geos, map_x(m, edge(m->west_e7, m->side_lon_e7, b->west)),
	                                           map_y(m, edge(m->south_e7, m->side_lat_e7, b->south)),
	                                           map_x(m, edge(m->west_e7, m->side_lon_e7, b->east)),
	                                           map_y(m, edge(m->south_e7, m->side_lat_e7, b->north))));
}

static void draw(struct raster *r, const GEOSPreparedGeometry *ready, uint32_t shape, struct block b)
{
	struct map *m = r->m;
	GEOSGeometry *ground = block_ground(m, &b);
	_Bool touched = map_yes(GEOSPreparedIntersects_r(m->geos, ready, ground));
	_Bool whole = touched && map_yes(GEOSPreparedCovers_r(m->geos, ready, ground));

	GEOSGeom_destroy_r(m->geos, ground);
	if (!touched)
		return;
	if (whole || (b.north - b.south == 1 && b.east - b.west == 1)) {
		add_block(r, &b, shape, whole);
		return;
	}
	struct block near = b, far = b;

	if (b.north - b.south >= b.east - b.west)
		near.north = far.south = b.south + (b.north - b.south) / 2;
	else
		near.east = far.west = b.west + (b.east - b.west) / 2;
	draw(r, ready, shape, near);
	draw(r, ready, shape, far);
}

/* The cells about the shape's own extent. */
static struct block block_of(const struct map *m, const GEOSGeometry *ground)
{
	double x0, y0, x1, y1;
	struct block b;

	must(GEOSGeom_getXMin_r(m->geos, ground, &x0) && GEOSGeom_getXMax_r(m->geos, ground, &x1));
	must(GEOSGeom_getYMin_r(m->geos, ground, &y0) && GEOSGeom_getYMax_r(m->geos, ground, &y1));
	double west = (x0 / m->x_per_e7 + m->lon0_e7 - m->west_e7) / m->side_lon_e7;
	double east = (x1 / m->x_per_e7 + m->lon0_e7 - m->west_e7) / m->side_lon_e7;
	double south = (y0 / m->y_per_e7 + m->lat0_e7 - m->south_e7) / m->side_lat_e7;
	double north = (y1 / m->y_per_e7 + m->lat0_e7 - m->south_e7) / m->side_lat_e7;

	/* One cell more all round: a border on a cell's edge is the neighbour's too. */
	b.west = (uint32_t)fmax(floor(west) - 1, 0);
	b.east = (uint32_t)fmin(floor(east) + 2, m->columns);
	b.south = (uint32_t)fmax(floor(south) - 1, 0);
	b.north = (uint32_t)fmin(floor(north) + 2, m->rows);
	return b;
}

static void size_raster(struct map *m)
{
	double lat = (double)m->north_e7 - m->south_e7 + 1, lon = (double)m->east_e7 - m->west_e7 + 1;
	double cells = fmin(fmax((double)m->count * CELLS_PER_SHAPE, CELLS_LEAST), CELLS_MOST);
	double side_m = sqrt(lat * m->y_per_e7 * lon * m->x_per_e7 / cells);

	m->side_lat_e7 = (uint32_t)fmax(ceil(fmin(side_m / m->y_per_e7, lat)), 1);
	m->side_lon_e7 = (uint32_t)fmax(ceil(fmin(side_m / m->x_per_e7, lon)), 1);
	/* A map much longer than wide: its cells are not square, but their number stays bounded. */
	while ((lat / m->side_lat_e7 + 1) * (lon / m->side_lon_e7 + 1) > CELLS_MOST * 2.0) {
		m->side_lat_e7 *= 2;
		m->side_lon_e7 *= 2;
	}
	m->rows = (uint32_t)(lat / m->side_lat_e7) + 1;
	m->columns = (uint32_t)(lon / m->side_lon_e7) + 1;
}

struct rank {
	double square_metres;
	uint32_t shape;
};

static int compare_ranks(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;

	if (a->square_metres != b->square_metres)
		return a->square_metres < b->square_metres ? -1 : 1;
	return (a->shape > b->shape) - (a->shape < b->shape);
}

static void draw_all(struct raster *r)
{
	struct map *m = r->m;
	struct rank *ranks = must_calloc(m->count + 1, sizeof *ranks);

	for (uint32_t i = 0; i < m->count; i++)
		ranks[i] = (struct rank){ m->areas[i].square_metres, i };
	qsort(ranks, m->count, sizeof *ranks, compare_ranks);
	for (size_t i = 0; i < m->count; i++) {
		const GEOSGeometry *ground = m->areas[ranks[i].shape].ground;
		const GEOSPreparedGeometry *ready = GEOSPrepare_r(m->geos, ground);

		must(ready);
		if (!map_yes(GEOSisEmpty_r(m->geos, ground)))
			draw(r, ready, ranks[i].shape, block_of(m, ground));
		GEOSPreparedGeom_destroy_r(m->geos, ready);
	}
	free(ranks);
}

/* Sorts the entries by cell and keeps their order within each: they were drawn smallest shape first. */
static void sort_entries(const struct raster *r)
{
	struct map *m = r->m;
	size_t cells = (size_t)m->rows * m->columns;

	must(r->count < UINT32_MAX);
	m->first = must_calloc(cells + 2, sizeof *m->first);
	m->entries = must_calloc(r->count + 1, sizeof *m->entries);
	for (size_t i = 0; i < r->count; i++)
		m->first[r->cells[i] + 2]++;
	for (size_t i = 2; i < cells + 2; i++)
		m->first[i] += m->first[i - 1];
	for (size_t i = 0; i < r->count; i++)
		m->entries[m->first[r->cells[i] + 1]++] = r->entries[i];
}

/* ---- the rack ---- */

struct asker {
	GEOSContextHandle_t geos;
	GEOSGeometry **ground;
	const GEOSPreparedGeometry **ready;
};

struct map_rack {
	_Atomic(struct asker *) kept[ASKERS_KEPT];
};

static void say_nothing(const char *message, void *ctx)
{
	(void)message, (void)ctx;
}

static struct asker *asker_new(const struct map *m)
{
	struct asker *a = must_calloc(1, sizeof *a);

	a->geos = GEOS_init_r();
	must(a->geos);
	GEOSContext_setErrorMessageHandler_r(a->geos, say_nothing, NULL);
	a->ground = must_calloc(m->count, sizeof(GEOSGeometry *));
	a->ready = must_calloc(m->count, sizeof(const GEOSPreparedGeometry *));
	return a;
}

static void asker_free(const struct map *m, struct asker *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < m->count; i++) {
		if (!a->ready[i])
			continue;
		GEOSPreparedGeom_destroy_r(a->geos, a->ready[i]);
		GEOSGeom_destroy_r(a->geos, a->ground[i]);
	}
	free(a->ground);
	free(a->ready);
	GEOS_finish_r(a->geos);
	free(a);
}

static struct asker *take_asker(const struct map *m)
{
	for (size_t i = 0; i < ASKERS_KEPT; i++) {
		struct asker *a = atomic_exchange_explicit(&m->rack->kept[i], NULL, memory_order_acquire);

		if (a)
			return a;
	}
	return asker_new(m);
}

static void put_back(const struct map *m, struct asker *a)
{
	for (size_t i = 0; i < ASKERS_KEPT; i++) {
		struct asker *none = NULL;

		if (atomic_compare_exchange_strong_explicit(&m->rack->kept[i], &none, a, memory_order_release,
		                                            memory_order_relaxed))
			return;
	}
	asker_free(m, a);
}

/* ---- asking ---- */

static _Bool holds(const struct map *m, struct asker *a, uint32_t shape, const GEOSGeometry *point)
{
	if (!a->ready[shape]) {
		a->ground[shape] = map_made(GEOSGeom_clone_r(a->geos, m->areas[shape].ground));
		a->ready[shape] = GEOSPrepare_r(a->geos, a->ground[shape]);
		must(a->ready[shape]);
	}
	return map_yes(GEOSPreparedIntersects_r(a->geos, a->ready[shape], point));
}

static _Bool in_force(const struct map_area *a, int64_t at_ms)
{
	return (a->from_ms == 0 || at_ms >= a->from_ms) && (a->to_ms == 0 || at_ms < a->to_ms);
}

struct question {
	const struct map *m;
	int32_t lat_e7, lon_e7;
	struct asker *asker; /* NULL: not needed so far */
	GEOSGeometry *point;
};

static _Bool holds_exactly(struct question *q, uint32_t shape)
{
	const struct map *m = q->m;

	if (!q->asker) {
		q->asker = take_asker(m);
		q->point = map_made(
			GEOSGeom_createPointFromXY_r(q->asker->geos, map_x(m, q->lon_e7), map_y(m, q->lat_e7)));
	}
	return holds(m, q->asker, shape, q->point);
}

size_t map_find(const struct map *m, int32_t lat_e7, int32_t lon_e7, int64_t at_ms, size_t out[], size_t most)
{
	if (!m->first || lat_e7 < m->south_e7 || lat_e7 > m->north_e7 || lon_e7 < m->west_e7 || lon_e7 > m->east_e7)
		return 0;
	uint32_t row = ((uint32_t)lat_e7 - (uint32_t)m->south_e7) / m->side_lat_e7;
	uint32_t column = ((uint32_t)lon_e7 - (uint32_t)m->west_e7) / m->side_lon_e7;
	uint32_t cell = row * m->columns + column;
	struct question q = { .m = m, .lat_e7 = lat_e7, .lon_e7 = lon_e7 };
	size_t found = 0;

	for (uint32_t i = m->first[cell]; i < m->first[cell + 1] && found < most; i++) {
		const struct map_entry *e = &m->entries[i];

		if (in_force(&m->areas[e->shape], at_ms) && (e->whole || holds_exactly(&q, e->shape)))
			out[found++] = e->shape;
	}
	if (q.asker) {
		GEOSGeom_destroy_r(q.asker->geos, q.point);
		put_back(m, q.asker);
	}
	return found;
}

void map_build(struct map *m)
{
	struct raster r = { .m = m };

	must(!m->rack);
	m->rack = must_calloc(1, sizeof *m->rack);
	if (m->count == 0)
		return;
	size_raster(m);
	draw_all(&r);
	sort_entries(&r);
	free(r.cells);
	free(r.entries);
}

void map_free(struct map *m)
{
	if (!m)
		return;
	for (size_t i = 0; m->rack && i < ASKERS_KEPT; i++)
		asker_free(m, atomic_load_explicit(&m->rack->kept[i], memory_order_acquire));
	for (size_t i = 0; i < m->count; i++)
		GEOSGeom_destroy_r(m->geos, m->areas[i].ground);
	GEOS_finish_r(m->geos);
	free(m->rack);
	free(m->first);
	free(m->entries);
	free(m->areas);
	free(m);
}
