/* emergency 应急: a time during which every hour counts, in one area: a work hour is an hour by the clock, a work day 24 of
 * them (domain 2, row 15). Declared and lifted by a supervisor; kept in a table of its own and in the casebook. Limits are
 * worked out with those that are known; when one is declared or lifted, each running case of the area is timed anew by
 * a sweep (retime.c). */
#ifndef WORKFLOW_EMERGENCY_H
#define WORKFLOW_EMERGENCY_H

#include <stddef.h>
#include <stdint.h>

#include "jurisdiction/calendar.h"

#define EMERGENCIES_MOST 64 /* remembered: the newest; so many may be in force or to come */
#define EMERGENCY_OPEN INT64_MAX

/* Events of an id at or above declared_event know of it, at or above lifted_event of its end. */
struct emergency {
	int64_t id; /* rising by one */
	int64_t area;
	int64_t from_ms, to_ms; /* from ≤ t < to; EMERGENCY_OPEN: until it is lifted */
	int64_t declared_ms, declared_event;
	int64_t lifted_ms, lifted_event; /* 0: not lifted */
	const char *declared_by, *lifted_by;
	const char *text; /* why; only in facts and rows */
};

/* Oldest first. A zeroed one is empty. */
struct emergencies {
	struct emergency rows[EMERGENCIES_MOST];
	size_t count;
	int64_t next_id;
};

/* Puts a new one or the changed one of the same id; the oldest goes when there is no room. Its text is not kept. */
void emergencies_put(struct emergencies *list, const struct emergency *e);
const struct emergency *emergencies_find(const struct emergencies *list, int64_t id); /* NULL: unknown */
/* When it ends, as far as is known. */
int64_t emergency_end(const struct emergency *e);
/* How many are in force at now or to come. */
size_t emergencies_ahead(const struct emergencies *list, int64_t now_ms);

/* The times of those that hold this grid, sorted and apart, as an event of this id knew them (INT64_MAX: as they are). */
struct emergency_spans {
	struct calendar_span at[EMERGENCIES_MOST];
	struct calendar_spans spans;
};
const struct calendar_spans *emergency_spans(const struct emergencies *list, int64_t grid, int64_t event,
                                             struct emergency_spans *room);
/* Whether one that holds this grid was declared or lifted since that event. */
_Bool emergency_changed(const struct emergencies *list, int64_t grid, int64_t event);

#endif
