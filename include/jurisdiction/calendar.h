/* calendar: which hours are worked, and what that makes of a limit: the moment it runs out, and how much of it is left at
 * a moment. Pure functions of the data; days and hours are those of the process's time zone (base/clock.h), summer time
 * included. While an emergency is in force every hour counts: an hour for a work hour, 24 of them for a work day. */
#ifndef JURISDICTION_CALENDAR_H
#define JURISDICTION_CALENDAR_H

#include <stddef.h>
#include <stdint.h>

#include "base/limit.h"
#include "base/settings.h"

/* Milliseconds of the local wall clock since midnight, from ≤ t < to; both 0: no such slot. */
struct calendar_slot {
	int32_t from_ms, to_ms;
};

#define CALENDAR_SLOTS 2
#define CALENDAR_WEEK 7

/* The keys of policy.conf that make an ordinary week. */
struct calendar_rules {
	struct calendar_slot slots[CALENDAR_SLOTS]; /* work_morning, work_afternoon: in order, apart */
	uint8_t weekdays;                           /* work_days: bit 0 Monday … 6 Sunday */
	int32_t cutoff_ms;   /* day_cutoff: work days count to this time of day; from it on, as the next one. 0: none */
	_Bool cutoff_always; /* day_cutoff_always: a start after it on a day of rest also loses the next working day */
};

/* One day that is not as its weekday is. */
struct calendar_day {
	int32_t day; /* since 1970-01-01 */
	_Bool works; /* 调休: a weekend day made a working day; otherwise a holiday */
};

/* Zeroed: nobody ever works. */
struct calendar {
	struct calendar_rules rules;
	struct calendar_day *days; /* sorted, each once */
	size_t count, room;
};

/* A time during which the clock counts in place of working time. */
struct calendar_span {
	int64_t from_ms, to_ms; /* from ≤ t < to */
};
/* Sorted and apart. NULL stands for none. */
struct calendar_spans {
	const struct calendar_span *at;
	size_t count;
};

void calendar_init(struct calendar *c, const struct calendar_rules *rules);
/* false: the day is listed already; nothing was changed. */
_Bool calendar_add(struct calendar *c, int32_t day, _Bool works) MUST_USE;
void calendar_close(struct calendar *c); /* safe twice */

_Bool calendar_works(const struct calendar *c, int32_t day);
/* Whether the weekday alone makes it a working day. */
_Bool calendar_weekday_works(const struct calendar_rules *r, int32_t day);
/* The last day that the list speaks of: holiday lists come by the year, so the end of the last listed year. -1: no list. */
int32_t calendar_covers_until(const struct calendar *c);

/* When a limit that starts at from_ms runs out. A work hour ends as early as it can (12:00, not 13:30), a work day at
 * the same place in a later working day (at its opening, when it started before or after work). An amount of 0 or below,
 * as a missed limit leaves it, is counted by the clock. Never earlier than from_ms for an amount above 0. */
int64_t calendar_due(const struct calendar *c, int64_t from_ms, struct limit limit,
                     const struct calendar_spans *urgent);
/* How much of the unit lies between now_ms and due_ms: what is left of a limit; below 0 when it was missed. For a due
 * made by calendar_due at now_ms this is the amount again. */
int64_t calendar_left(const struct calendar *c, int64_t now_ms, int64_t due_ms, enum limit_unit unit,
                      const struct calendar_spans *urgent);

/* How the keys above are written: "08:30-12:00" (to 24:00; or nothing), "mon-fri", "mon,wed,sat", "17:00" (or nothing). */
extern const struct setting_own calendar_slot_setting, calendar_week_setting, calendar_time_setting;
/* What is wrong with the rules taken together: "" or a sentence in the style of problems. */
const char *calendar_rules_wrong(const struct calendar_rules *r);

/* A policy's own. */
struct policy;
const struct calendar *policy_calendar(const struct policy *p);

#endif
