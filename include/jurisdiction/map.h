/* map: which of many outlines hold a position, by GEOS. The only place that knows GEOS. Shapes are numbered as they were
 * given; what a shape stands for (a grid, an overlay) is the caller's.
 *
 * How it is fast: the map's extent is cut into a raster of some ten thousand cells. For each cell it is worked out once,
 * when the map is built, which shapes hold it whole and which only touch it. Most positions fall into cells of the first
 * kind and are answered by one look into that table; only in a cell that a border runs through is the exact test asked.
 *
 * Threads: after map_build a map never changes, and any thread may ask it. GEOS's contexts and prepared geometries belong
 * to one thread at a time and are completed while being asked, so the exact test never uses shared ones: it takes an
 * "asker" (a context with its own copies, prepared when first needed) out of a small rack by one atomic exchange and puts
 * it back afterwards. Nobody waits; when the rack is empty a new asker is made. */
#ifndef JURISDICTION_MAP_H
#define JURISDICTION_MAP_H

#include "base/must.h"
#include "jurisdiction/outline.h"

struct map;

struct map_shape {
	const struct outline *outline; /* read while the map is made, not kept */
	int64_t from_ms, to_ms;        /* in force: from <= t < to; 0: unbounded */
};

/* Reads the shapes. NULL is never returned; what is wrong with them is map_check's to tell. */
struct map *map_new(const struct map_shape *shapes, size_t count) MUST_USE;
void map_free(struct map *m); /* NULL is fine */

enum map_fault_kind {
	MAP_INVALID, /* a outline that crosses or touches itself: reason says how */
	MAP_OVERLAP, /* shapes first and second hold the same ground while both are in force */
	MAP_GAP      /* ground that no shape holds, with shapes all round it */
};

struct map_fault {
	enum map_fault_kind kind;
	size_t first, second; /* shapes */
	double lat, lon;      /* where: in degrees */
	double square_metres; /* of the overlap or gap */
	int64_t at_ms;        /* a gap: the first moment it is there; 0: from the beginning */
	const char *reason;   /* valid during the call */
};

/* Tells every fault. Overlaps and gaps narrower than sliver_m metres are slips of the pen and not told. With an invalid
 * outline only invalid ones are told, because nothing can be computed with them. Before map_build, by one thread. */
enum map_checks { MAP_CHECK_OVERLAPS = 1, MAP_CHECK_GAPS = 2 };
void map_check(const struct map *m, unsigned checks, double sliver_m,
               void (*tell)(void *ctx, const struct map_fault *fault), void *ctx);

/* Makes an outline of polygons valid that crosses or touches itself, keeping the ground that its rings enclose. For maps
 * that others have drawn; our own are told and not mended. Whether there was something to mend. */
_Bool map_mend(struct outline *o);

/* Makes it ready for map_find. Only for a map without invalid outlines. */
void map_build(struct map *m);

/* The shapes in force at that time that hold the position, at most `most` of them; how many. Borders belong to them. The
 * smallest comes first, among equals the one given first; so a position on a common border always has the same answer. */
size_t map_find(const struct map *m, int32_t lat_e7, int32_t lon_e7, int64_t at_ms, size_t out[], size_t most);

#endif
