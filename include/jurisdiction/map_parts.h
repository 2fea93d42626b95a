/* map_parts: what a map is made of, for map.c and map_check.c; everybody else uses map.h. GEOS computes in metres on a
 * plane: degrees are stretched about the middle of the map by two constant factors, so straight borders stay straight,
 * common borders stay common, and areas and widths are true to a per mille within a district. */
#ifndef JURISDICTION_MAP_PARTS_H
#define JURISDICTION_MAP_PARTS_H

#include <geos_c.h>

#include "jurisdiction/map.h"

struct map_area {
	GEOSGeometry *ground;   /* in metres; only read once the map is built */
	int64_t from_ms, to_ms; /* as in map_shape */
	double square_metres;
};

/* One shape in one cell. */
struct map_entry {
	uint32_t shape;
	_Bool whole; /* holds all of the cell */
};

struct map_rack;

struct map {
	GEOSContextHandle_t geos; /* of whoever makes the map */
	char said[160];           /* what GEOS said last */
	struct map_area *areas;
	size_t count;
	double lat0_e7, lon0_e7, x_per_e7, y_per_e7;  /* the stretching */
	int32_t south_e7, west_e7, north_e7, east_e7; /* extent */
	uint32_t side_lat_e7, side_lon_e7, rows, columns;
	uint32_t *first; /* of each cell in entries, and one more */
	struct map_entry *entries;
	struct map_rack *rack;
};

/* Never NULL. */
GEOSGeometry *map_ground(const struct map *m, GEOSContextHandle_t geos, const struct outline *o) MUST_USE;
double map_x(const struct map *m, int32_t lon_e7);
double map_y(const struct map *m, int32_t lat_e7);
/* What GEOS cannot do ends the process: out of memory, or a bug of ours, for its input was found valid before. */
GEOSGeometry *map_made(GEOSGeometry *g);
_Bool map_yes(char answer);

#endif
