#include "jurisdiction/policy_map.h"

#include <math.h>
#include <string.h>

#include "jurisdiction/policy_parts.h"

#define DEGREE_METRES 111195.0 /* of latitude, mean earth radius 6,371.0 km */
#define RADIAN (M_PI / 180.0)
#define E7 1e7
#define NOWHERE_RADIUS_M 1.0 /* about 0,0, which is what a phone without a fix sends */

static const char *const told_names[TOLD_COUNT] = { NULL, "no-place", "outside-the-map", "default-point" };

const char *told_name(enum told t)
{
	return t < TOLD_COUNT ? told_names[t] : NULL;
}

enum told told_from_name(const char *name)
{
	for (int t = TOLD_NOTHING; name && t < TOLD_COUNT; t++)
		if (strcmp(told_names[t], name) == 0)
			return (enum told)t;
	return TOLD_LOCATED;
}

_Bool grid_in_force(const struct grid *g, int64_t at_ms)
{
	return (g->from_ms == 0 || at_ms >= g->from_ms) && (g->to_ms == 0 || at_ms < g->to_ms);
}

const struct grid *policy_grid_on(const struct policy *p, int64_t code, int64_t at_ms)
{
	const struct grid *g = policy_grid(p, code);

	while (g && !grid_in_force(g, at_ms))
		g = g->older;
	return g;
}

const struct grid *policy_locate(const struct policy *p, int32_t lat_e7, int32_t lon_e7, int64_t at_ms)
{
	size_t i;

	return map_find(p->map, lat_e7, lon_e7, at_ms, &i, 1) ? policy_grid_at(p, i) : NULL;
}

size_t policy_overlays_at(const struct policy *p, int32_t lat_e7, int32_t lon_e7, int64_t at_ms,
                          const struct overlay *out[], size_t most)
{
	size_t found[POLICY_OVERLAYS_MOST];
	size_t count = map_find(p->overlay_map, lat_e7, lon_e7, at_ms, found,
	                        most < POLICY_OVERLAYS_MOST ? most : POLICY_OVERLAYS_MOST);

	for (size_t i = 0; i < count; i++)
		out[i] = policy_overlay_at(p, found[i]);
	return count;
}

const struct overlay *policy_overlay(const struct policy *p, const char *id)
{
	return lookup_find_text(&p->overlays.by_key, id);
}

const struct overlay *policy_overlay_at(const struct policy *p, size_t i)
{
	return table_at(&p->overlays, i);
}

const struct default_point *policy_default_at(const struct policy *p, size_t i)
{
	return table_at(&p->default_points, i);
}

static _Bool within(int32_t lat_e7, int32_t lon_e7, int32_t of_lat_e7, int32_t of_lon_e7, double metres)
{
	double north = ((double)lat_e7 - of_lat_e7) / E7 * DEGREE_METRES;
	double east = ((double)lon_e7 - of_lon_e7) / E7 * DEGREE_METRES * cos(of_lat_e7 / E7 * RADIAN);

	return north * north + east * east <= metres * metres;
}

static _Bool is_default(const struct policy *p, int32_t lat_e7, int32_t lon_e7)
{
	const struct default_point *d;

	for (size_t i = 0; (d = policy_default_at(p, i)); i++)
		if (within(lat_e7, lon_e7, d->lat_e7, d->lon_e7, d->radius_m))
			return 1;
	return within(lat_e7, lon_e7, 0, 0, NOWHERE_RADIUS_M);
}

enum told policy_told(const struct policy *p, int32_t lat_e7, int32_t lon_e7, int64_t at_ms, const struct grid **grid)
{
	*grid = NULL;
	if (is_default(p, lat_e7, lon_e7))
		return TOLD_DEFAULT;
	*grid = policy_locate(p, lat_e7, lon_e7, at_ms);
	return *grid ? TOLD_LOCATED : TOLD_OUTSIDE;
}
