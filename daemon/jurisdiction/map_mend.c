/* Mends an outline that crosses or touches itself, for maps that somebody else has drawn. */
#include <math.h>
#include <stdlib.h>

#include "jurisdiction/map_parts.h"

#define TRIES_MOST 4 /* rounding what was mended to centimetres can break it again */

static int32_t to_e7(double metres, double per_e7, double zero_e7)
{
	return (int32_t)lround(metres / per_e7 + zero_e7);
}

static void take_ring(const struct map *m, const GEOSGeometry *ring, _Bool outer, struct outline *out)
{
	const GEOSCoordSequence *s = GEOSGeom_getCoordSeq_r(m->geos, ring);
	unsigned count = 0;
	double x, y;

	must(s && GEOSCoordSeq_getSize_r(m->geos, s, &count));
	outline_begin_run(out, outer);
	for (unsigned i = 0; i < count; i++) {
		must(GEOSCoordSeq_getXY_r(m->geos, s, i, &x, &y));
		outline_add(out, to_e7(y, m->y_per_e7, m->lat0_e7), to_e7(x, m->x_per_e7, m->lon0_e7));
	}
}

static void take_polygon(const struct map *m, const GEOSGeometry *polygon, struct outline *out)
{
	take_ring(m, GEOSGetExteriorRing_r(m->geos, polygon), 1, out);
	for (int i = 0; i < GEOSGetNumInteriorRings_r(m->geos, polygon); i++)
		take_ring(m, GEOSGetInteriorRingN_r(m->geos, polygon, i), 0, out);
}

static GEOSGeometry *make_valid(const struct map *m)
{
	GEOSMakeValidParams *how = GEOSMakeValidParams_create_r(m->geos);

	must(how && GEOSMakeValidParams_setMethod_r(m->geos, how, GEOS_MAKE_VALID_STRUCTURE) &&
	     GEOSMakeValidParams_setKeepCollapsed_r(m->geos, how, 0));
	GEOSGeometry *made = map_made(GEOSMakeValidWithParams_r(m->geos, m->areas[0].ground, how));

	GEOSMakeValidParams_destroy_r(m->geos, how);
	return made;
}

/* false: it was valid already. */
static _Bool mend_once(struct outline *o)
{
	struct map *m = map_new(&(struct map_shape){ .outline = o }, 1);
	_Bool valid = map_yes(GEOSisValid_r(m->geos, m->areas[0].ground));

	if (!valid) {
		GEOSGeometry *made = make_valid(m);
		struct outline mended = { 0 };

		for (int i = 0; i < GEOSGetNumGeometries_r(m->geos, made); i++) {
			const GEOSGeometry *part = GEOSGetGeometryN_r(m->geos, made, i);

			if (GEOSGeomTypeId_r(m->geos, part) == GEOS_POLYGON && !map_yes(GEOSisEmpty_r(m->geos, part)))
				take_polygon(m, part, &mended);
		}
		GEOSGeom_destroy_r(m->geos, made);
		outline_close(o);
		*o = mended;
	}
	map_free(m);
	return !valid;
}

_Bool map_mend(struct outline *o)
{
	int tries = 0;

	while (o->run_count > 0 && tries < TRIES_MOST && mend_once(o))
		tries++;
	return tries > 0;
}
