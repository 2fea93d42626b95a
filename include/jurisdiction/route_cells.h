/* route_cells: the cells that say who handles what where: places, hours of the day, co-handling units. */
#ifndef JURISDICTION_ROUTE_CELLS_H
#define JURISDICTION_ROUTE_CELLS_H

#include <stdint.h>

#include "base/limit.h"

#define CO_UNITS_MOST 4

struct co_units {
	const char *units[CO_UNITS_MOST];
	struct limit limits[CO_UNITS_MOST]; /* amount 0: the category's */
	int count;
};

/* Minutes of the local day, from ≤ t < to; to before from: over midnight; both 0: all day. */
struct day_hours {
	int16_t from, to;
};
_Bool day_hours_hold(const struct day_hours *h, int64_t at_ms);

struct place_cell {
	int64_t area;        /* code, 0: everywhere or an overlay */
	const char *overlay; /* id, or NULL */
};

#define PLACES_MOST 16

struct place_cells {
	struct place_cell at[PLACES_MOST];
	int count; /* 0: everywhere */
};

struct column;
struct texts;
_Bool cell_places(const struct column *c, struct texts *keep, const char *text, void *field); /* struct place_cells */
_Bool cell_day_hours(const struct column *c, struct texts *keep, const char *text, void *field); /* struct day_hours */
_Bool cell_co_units(const struct column *c, struct texts *keep, const char *text, void *field);  /* struct co_units */
_Bool cell_categories(const struct column *c, struct texts *keep, const char *text,
                      void *field); /* struct category_list */

#define PLACE_CELL_EXPECTED "at most 16 areas (12 digits), grids (15 digits) or overlays (ids), joined by +, or *"
#define DAY_HOURS_EXPECTED "hours of the day such as 18:00-08:00, or nothing for all day"
#define CO_UNITS_EXPECTED "at most 4 units joined by +, each with =limit if it has its own, such as police+water=4wh"
#define CATEGORIES_EXPECTED "at most 32 codes such as E0110 or classes such as E01, joined by +, or *"

#endif
