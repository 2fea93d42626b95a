/* shifts: when the shifts of riders and workers end, as policy.conf has it: "14:00,21:30". */
#ifndef JURISDICTION_SHIFTS_H
#define JURISDICTION_SHIFTS_H

#include <stdint.h>

#include "jurisdiction/calendar.h"

#define SHIFT_ENDS_MOST 8

/* Times of the local day in milliseconds, as given; unused ones are 0. */
struct shift_ends {
	int32_t at_ms[SHIFT_ENDS_MOST];
};

extern const struct setting_own shift_ends_setting;

/* Whether a shift ends within span_ms from this time of the day. Without shifts of its own the week's working hours say. */
_Bool shift_ends_within(const struct shift_ends *s, const struct calendar_rules *week, int64_t day_ms, int64_t span_ms);

#endif
