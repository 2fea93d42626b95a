/* policy_map: the part of a policy that is a map: where a position lies, which overlays cover it, and whether it is a
 * position at all. Any thread may ask (map.h says how). Positions are WGS-84 degrees × 10^7.
 *
 * Files in the folder:
 *   grids.geojson       the grids' outlines: Polygon or MultiPolygon with a property "grid", and "from" where a version
 *                       of the grid has an outline of its own. A grid with a box in grids.csv needs none.
 *   overlays.csv        overlay,name,kind,from,to    what lies over the grids: a river reach, a contract area, a compound
 *   overlays.geojson    their outlines: polygons, or lines with a property "width_m"; property "overlay"
 *   default_points.csv  name,lat,lon,radius_m        what other systems send when they do not know the place
 * overlays.csv and default_points.csv may be missing, the others when nothing needs them. */
#ifndef JURISDICTION_POLICY_MAP_H
#define JURISDICTION_POLICY_MAP_H

#include <stddef.h>

#include "jurisdiction/policy.h"

struct overlay {
	const char *id, *name, *kind;
	int64_t from_ms, to_ms; /* in force: from <= t < to; 0: unbounded */
};

struct default_point {
	const char *name;
	int32_t lat_e7, lon_e7;
	int32_t radius_m;
};

#define POLICY_OVERLAYS_MOST 16 /* over one position, for the caller's array */

/* A time at which the newest version of every grid without an end is in force. */
#define POLICY_LATEST INT64_MAX
/* The grid in force at that time that holds the position (borders belong to both sides: the smaller grid answers), NULL:
 * none. */
const struct grid *policy_locate(const struct policy *p, int32_t lat_e7, int32_t lon_e7, int64_t at_ms);
/* The overlays in force over the position, smallest first, at most `most`; how many. */
size_t policy_overlays_at(const struct policy *p, int32_t lat_e7, int32_t lon_e7, int64_t at_ms,
                          const struct overlay *out[], size_t most);
const struct overlay *policy_overlay(const struct policy *p, const char *id); /* NULL when unknown */
const struct overlay *policy_overlay_at(const struct policy *p, size_t i);    /* the i-th, NULL past the end */
const struct default_point *policy_default_at(const struct policy *p, size_t i);

/* What a told position is worth. */
enum told { TOLD_LOCATED = 0, TOLD_NOTHING = 1, TOLD_OUTSIDE = 2, TOLD_DEFAULT = 3 };
#define TOLD_COUNT 4
/* "no-place", "outside-the-map", "default-point"; NULL for TOLD_LOCATED, which needs no word. */
const char *told_name(enum told t);
enum told told_from_name(const char *name); /* NULL or unknown: TOLD_LOCATED */
/* TOLD_DEFAULT: 0,0 or one of default_points.csv. *grid is set, to NULL unless TOLD_LOCATED. Never TOLD_NOTHING. */
enum told policy_told(const struct policy *p, int32_t lat_e7, int32_t lon_e7, int64_t at_ms, const struct grid **grid);

/* The version of the grid in force at that time, NULL: none is (policy_grid gives the newest version whenever). */
const struct grid *policy_grid_on(const struct policy *p, int64_t code, int64_t at_ms);
_Bool grid_in_force(const struct grid *g, int64_t at_ms);

#endif
