/* outline: the boundary of one grid or overlay as plain numbers, before anybody computes with it: polygons with holes, or
 * lines. Knows nothing of where it was read. */
#ifndef JURISDICTION_OUTLINE_H
#define JURISDICTION_OUTLINE_H

#include <stddef.h>
#include <stdint.h>

struct outline_point {
	int32_t lat_e7, lon_e7; /* WGS-84 degrees × 10^7: a centimetre */
};

/* A run of points: the outer ring of a polygon, one of its holes (it belongs to the outer ring before it), or a line. A
 * ring's last point is its first. */
struct outline_run {
	size_t first, count;
	_Bool outer;
};

/* A zeroed outline is empty. */
struct outline {
	struct outline_point *points;
	size_t count, room;
	struct outline_run *runs;
	size_t run_count, run_room;
	double width_m; /* 0: polygons; else lines of this width */
};

void outline_begin_run(struct outline *o, _Bool outer);
void outline_add(struct outline *o, int32_t lat_e7, int32_t lon_e7); /* to the newest run */
/* One rectangle. */
void outline_box(struct outline *o, int32_t south_e7, int32_t west_e7, int32_t north_e7, int32_t east_e7);
void outline_close(struct outline *o); /* safe twice */

#endif
