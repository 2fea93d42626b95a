/* limit: an amount of time as the field states it: so many of one unit. Which moment that leads to, only a work calendar
 * knows (jurisdiction/calendar.h). Units after GB/T 30428's practice; see the domain's codes. */
#ifndef BASE_LIMIT_H
#define BASE_LIMIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

enum limit_unit {
	LIMIT_CLOCK = 0, /* 紧急工作时 urgent hours, and plain spans: every hour counts. 2uh, 90s, 15m, 4h, 1d */
	LIMIT_NATURAL_DAY = 1, /* 紧急工作日: every day counts, to the same local time. 1nd */
	LIMIT_WORK_HOUR = 2,   /* 工作时: only the working hours of working days count. 4wh */
	LIMIT_WORK_DAY = 3,    /* 工作日: to the same place in a later working day. 2wd */
	LIMIT_UNITS
};

/* amount in milliseconds of the unit: an hour is 3,600,000, a day of either kind 86,400,000, however long it lasts. */
struct limit {
	int64_t amount;
	enum limit_unit unit;
};

/* What has been used of a limit from which its traffic light is yellow. Source: domain 5. */
#define LIMIT_YELLOW_PER_CENT 80

#define LIMIT_EXPECTED "a time such as 2uh (clock hours), 1nd (natural days), 4wh (work hours), 2wd (work days) or 90m"
#define LIMIT_TEXT_SIZE 32
/* "4wh" → its limit; plain spans as text_to_span takes them. false: it is none. */
_Bool limit_parse(const char *text, struct limit *out) MUST_USE;
/* "4wh", "1.5wd", "90m", "-20m": the largest unit that divides it, or a decimal fraction of the unit. */
void limit_text(struct limit l, char out[LIMIT_TEXT_SIZE]);

#endif
