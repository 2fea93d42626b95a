/* clock: where time comes from. The workflow is handed the time; only doors and the writer ask. Wall time is UTC in
 * milliseconds since 1970; monotonic time only measures spans. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct clock {
	int64_t (*wall_ms)(void *ctx);
	int64_t (*mono_ms)(void *ctx);
	int64_t (*mono_us)(void *ctx); /* the same in microseconds, for spans shorter than a millisecond */
	void *ctx;
};

/* The system's clocks. */
struct clock clock_system(void);

#define CLOCK_SECOND_MS INT64_C(1000)
#define CLOCK_MINUTE_MS (60 * CLOCK_SECOND_MS)
#define CLOCK_HOUR_MS (60 * CLOCK_MINUTE_MS)
#define CLOCK_DAY_MS (24 * CLOCK_HOUR_MS)

/* Local calendar of the process's TZ (set once by main before threads). day is days since 1970-01-01 of the local
 * date; *start_ms and *end_ms (either may be NULL) bound that local day in UTC milliseconds. */
int32_t clock_local_day(int64_t wall_ms, int64_t *start_ms, int64_t *end_ms);
/* Where in its local day a moment lies: milliseconds of the local wall clock since midnight, 0 to 86,399,999. *day (may
 * be NULL) is the local date as above. */
int64_t clock_local_time(int64_t wall_ms, int32_t *day);
/* The moment at which the local wall clock of that day shows this time (0 to 86,400,000; the latter is the next
 * midnight). Where summer time makes it happen twice, the first; where it never happens, the moment of the jump. */
int64_t clock_local_at(int32_t day, int64_t time_ms);
/* 0 Monday … 6 Sunday. */
int clock_weekday(int32_t day);
/* Days since 1970-01-01 → yyyymmdd, and back (-1 when yyyymmdd is no date). */
int32_t clock_day_to_ymd(int32_t day);
int32_t clock_ymd_to_day(int32_t yyyymmdd);
/* "2026-11-21 14:03" in local time; out holds at least CLOCK_TEXT_SIZE bytes. */
#define CLOCK_TEXT_SIZE 24
void clock_text(int64_t wall_ms, char *out, size_t size);
/* ISO 8601 with offset or Z ("2011-07-01T01:32:33-04:00"; the T may be a space; without offset: local time) → UTC ms.
 * false when it is no such time. */
_Bool clock_parse(const char *text, int64_t *out_ms);

#endif
