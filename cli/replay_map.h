/* replay_map: a city's own map as the grids of a jurisdiction folder made for its 311 file. */
#ifndef CLI_REPLAY_MAP_H
#define CLI_REPLAY_MAP_H

#include <stddef.h>

#include "trouble.h"

/* What had to be made of a foreign map: the strictness that our own maps are held to would refuse it. */
struct replay_map {
	size_t grids, mended;  /* mended: outlines that crossed or touched themselves */
	size_t overlaps, gaps; /* wider than a metre; left as they are: policy.conf allows them */
	double overlap_m2;
};

/* Writes grids.csv and grids.geojson: a grid under the community for each feature of the GeoJSON file that has a "name",
 * and adds to policy.conf what the map needs. */
_Bool replay_map_write(const char *map, const char *folder, const char *community, struct replay_map *out,
                       struct trouble *why) MUST_USE;

#endif
