#include "jurisdiction/outline.h"

#include <stdlib.h>

#include "base/must.h"

void outline_begin_run(struct outline *o, _Bool outer)
{
	if (o->run_count == o->run_room) {
		o->run_room = o->run_room ? o->run_room * 2 : 1;
		o->runs = must_realloc(o->runs, o->run_room * sizeof *o->runs);
	}
	o->runs[o->run_count++] = (struct outline_run){ .first = o->count, .outer = outer };
}

void outline_add(struct outline *o, int32_t lat_e7, int32_t lon_e7)
{
	must(o->run_count > 0);
	if (o->count == o->room) {
		o->room = o->room ? o->room * 2 : 8;
		o->points = must_realloc(o->points, o->room * sizeof *o->points);
	}
	o->points[o->count++] = (struct outline_point){ lat_e7, lon_e7 };
	o->runs[o->run_count - 1].count++;
}

void outline_box(struct outline *o, int32_t south_e7, int32_t west_e7, int32_t north_e7, int32_t east_e7)
{
	outline_begin_run(o, 1);
	outline_add(o, south_e7, west_e7);
	outline_add(o, south_e7, east_e7);
	outline_add(o, north_e7, east_e7);
	outline_add(o, north_e7, west_e7);
	outline_add(o, south_e7, west_e7);
}

void outline_close(struct outline *o)
{
	free(o->points);
	free(o->runs);
	*o = (struct outline){ 0 };
}
