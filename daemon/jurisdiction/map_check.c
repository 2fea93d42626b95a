/* What is wrong with a map: outlines that cross themselves, shapes that hold the same ground, ground that nobody holds. */
#include <math.h>
#include <stdlib.h>

#include "jurisdiction/map_parts.h"

#define E7 1e7
#define QUADRANT 2        /* segments of a quarter circle: what is looked at is whether anything is left */
#define AREA_LEAST 0.01   /* square metres: what rounding leaves of a common border */
#define MOMENTS_MOST 1000 /* versions of the map that gaps are looked for in */

struct checking {
	const struct map *m;
	double sliver_m;
	void (*tell)(void *ctx, const struct map_fault *fault);
	void *ctx;
};

/* ---- places ---- */

static void set_place(const struct map *m, struct map_fault *f, const GEOSGeometry *point)
{
	double x = 0, y = 0;

	must(GEOSGeomGetX_r(m->geos, point, &x) == 1 && GEOSGeomGetY_r(m->geos, point, &y) == 1);
	f->lat = (y / m->y_per_e7 + m->lat0_e7) / E7;
	f->lon = (x / m->x_per_e7 + m->lon0_e7) / E7;
}

/* What is left of the ground when everything narrower than a sliver is taken away; NULL: nothing. */
static GEOSGeometry *without_slivers(const struct checking *c, const GEOSGeometry *ground)
{
	const struct map *m = c->m;
	double area = 0;

	must(GEOSArea_r(m->geos, ground, &area));
	if (area < AREA_LEAST)
		return NULL;
	GEOSGeometry *left = map_made(GEOSBuffer_r(m->geos, ground, -c->sliver_m / 2, QUADRANT));

	if (!map_yes(GEOSisEmpty_r(m->geos, left)))
		return left;
	GEOSGeom_destroy_r(m->geos, left);
	return NULL;
}

/* Tells f about the ground unless it is a sliver. */
static void tell_ground(const struct checking *c, struct map_fault *f, const GEOSGeometry *ground)
{
	const struct map *m = c->m;
	GEOSGeometry *left = without_slivers(c, ground);

	if (!left)
		return;
	GEOSGeometry *inside = map_made(GEOSPointOnSurface_r(m->geos, left));

	set_place(m, f, inside);
	must(GEOSArea_r(m->geos, ground, &f->square_metres));
	GEOSGeom_destroy_r(m->geos, inside);
	GEOSGeom_destroy_r(m->geos, left);
	c->tell(c->ctx, f);
}

/* ---- invalid outlines ---- */

static _Bool is_valid(const struct checking *c, size_t i)
{
	const struct map *m = c->m;
	struct map_fault f = { .kind = MAP_INVALID, .first = i };
	char *reason = NULL;
	GEOSGeometry *place = NULL;
	char valid = GEOSisValidDetail_r(m->geos, m->areas[i].ground, 0, &reason, &place);

	if (valid == 0) {
		f.reason = reason ? reason : "it is not valid";
		if (place)
			set_place(m, &f, place);
		c->tell(c->ctx, &f);
	}
	must(valid == 0 || valid == 1);
	GEOSFree_r(m->geos, reason);
	GEOSGeom_destroy_r(m->geos, place);
	return valid;
}

/* ---- overlaps ---- */

static _Bool at_one_time(const struct map_area *a, const struct map_area *b)
{
	return (a->to_ms == 0 || b->from_ms < a->to_ms) && (b->to_ms == 0 || a->from_ms < b->to_ms);
}

struct overlapping {
	const struct checking *c;
	size_t first;
};

/* One of those whose extents meet the first one's. */
static void look_at_pair(void *item, void *ctx)
{
	const struct overlapping *o = ctx;
	const struct map *m = o->c->m;
	const struct map_area *a = &m->areas[o->first], *b = item;
	struct map_fault f = { .kind = MAP_OVERLAP, .first = o->first, .second = (size_t)(b - m->areas) };

	if (f.second <= f.first || !at_one_time(a, b))
		return;
	GEOSGeometry *both = map_made(GEOSIntersection_r(m->geos, a->ground, b->ground));

	tell_ground(o->c, &f, both);
	GEOSGeom_destroy_r(m->geos, both);
}

static void look_for_overlaps(const struct checking *c)
{
	const struct map *m = c->m;
	GEOSSTRtree *tree = GEOSSTRtree_create_r(m->geos, 10);

	must(tree);
	for (size_t i = 0; i < m->count; i++)
		GEOSSTRtree_insert_r(m->geos, tree, m->areas[i].ground, &m->areas[i]);
	for (size_t i = 0; i < m->count; i++) {
		struct overlapping o = { c, i };

		GEOSSTRtree_query_r(m->geos, tree, m->areas[i].ground, look_at_pair, &o);
	}
	GEOSSTRtree_destroy_r(m->geos, tree);
}

/* ---- gaps ---- */

static _Bool in_force(const struct map_area *a, int64_t at_ms)
{
	return (a->from_ms == 0 || at_ms >= a->from_ms) && (a->to_ms == 0 || at_ms < a->to_ms);
}

/* The ground of all shapes in force then, as one; NULL: none is. */
static GEOSGeometry *all_ground(const struct map *m, int64_t at_ms)
{
	GEOSGeometry **parts = must_calloc(m->count + 1, sizeof *parts);
	unsigned count = 0;

	for (size_t i = 0; i < m->count; i++)
		if (in_force(&m->areas[i], at_ms))
			parts[count++] = map_made(GEOSGeom_clone_r(m->geos, m->areas[i].ground));
	GEOSGeometry *list = map_made(GEOSGeom_createCollection_r(m->geos, GEOS_GEOMETRYCOLLECTION, parts, count));
	GEOSGeometry *all = map_made(GEOSUnaryUnion_r(m->geos, list));

	GEOSGeom_destroy_r(m->geos, list);
	free(parts);
	return all;
}

static void look_at_holes(const struct checking *c, const GEOSGeometry *polygon, int64_t at_ms)
{
	const struct map *m = c->m;
	int holes = GEOSGetNumInteriorRings_r(m->geos, polygon);

	for (int i = 0; i < holes; i++) {
		struct map_fault f = { .kind = MAP_GAP, .at_ms = at_ms };
		const GEOSGeometry *ring = GEOSGetInteriorRingN_r(m->geos, polygon, i);
		GEOSGeometry *own = map_made(GEOSGeom_clone_r(m->geos, ring));
		GEOSGeometry *hole = map_made(GEOSGeom_createPolygon_r(m->geos, own, NULL, 0));

		tell_ground(c, &f, hole);
		GEOSGeom_destroy_r(m->geos, hole);
	}
}

static void look_for_gaps_at(const struct checking *c, int64_t at_ms)
{
	const struct map *m = c->m;
	GEOSGeometry *all = all_ground(m, at_ms);
	int parts = GEOSGetNumGeometries_r(m->geos, all);

	for (int i = 0; i < parts; i++) {
		const GEOSGeometry *part = GEOSGetGeometryN_r(m->geos, all, i);

		if (GEOSGeomTypeId_r(m->geos, part) == GEOS_POLYGON)
			look_at_holes(c, part, at_ms);
	}
	GEOSGeom_destroy_r(m->geos, all);
}

static int compare_moments(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

/* The map is another one from each moment at which a shape begins or ends to hold. */
static void look_for_gaps(const struct checking *c)
{
	const struct map *m = c->m;
	int64_t *moments = must_calloc(2 * m->count + 1, sizeof *moments);
	size_t count = 1, looked = 0;

	for (size_t i = 0; i < m->count; i++) {
		moments[count++] = m->areas[i].from_ms;
		moments[count++] = m->areas[i].to_ms;
	}
	qsort(moments, count, sizeof *moments, compare_moments);
	for (size_t i = count; i-- > 0 && looked < MOMENTS_MOST;) {
		if (i > 0 && moments[i] == moments[i - 1])
			continue;
		/* Before everything means any time before the first beginning. */
		look_for_gaps_at(c, moments[i] ? moments[i] : INT64_MIN);
		looked++;
	}
	free(moments);
}

void map_check(const struct map *m, unsigned checks, double sliver_m,
               void (*tell)(void *ctx, const struct map_fault *fault), void *ctx)
{
	struct checking c = { m, sliver_m, tell, ctx };
	_Bool valid = 1;

	for (size_t i = 0; i < m->count; i++)
		valid &= is_valid(&c, i);
	if (!valid)
		return;
	if (checks & MAP_CHECK_OVERLAPS)
		look_for_overlaps(&c);
	if (checks & MAP_CHECK_GAPS)
		look_for_gaps(&c);
}
