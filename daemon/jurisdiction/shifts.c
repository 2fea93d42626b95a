#include "jurisdiction/shifts.h"

#include <string.h>

#define TIME_LENGTH 5 /* "21:30" */

static _Bool parse(const char *text, void *field)
{
	struct shift_ends ends = { { 0 } };
	int count = 0;

	while (*text != '\0') {
		char one[TIME_LENGTH + 1] = { 0 };

		if (count == SHIFT_ENDS_MOST || strcspn(text, ",") != TIME_LENGTH)
			return 0;
		memcpy(one, text, TIME_LENGTH);
		if (!calendar_time_setting.parse(one, &ends.at_ms[count++]))
			return 0;
		text += TIME_LENGTH;
		if (*text == ',' && *++text == '\0')
			return 0;
	}
	*(struct shift_ends *)field = ends;
	return 1;
}

static void print(const void *field, FILE *to)
{
	const struct shift_ends *ends = field;

	for (int i = 0; i < SHIFT_ENDS_MOST && ends->at_ms[i] != 0; i++) {
		fputs(i > 0 ? "," : "", to);
		calendar_time_setting.print(&ends->at_ms[i], to);
	}
}

const struct setting_own shift_ends_setting = { parse, print, "up to 8 times of day such as 14:00,21:30, or nothing" };

static _Bool ends_within(int32_t end_ms, int64_t day_ms, int64_t span_ms)
{
	return end_ms != 0 && day_ms <= end_ms && end_ms - day_ms <= span_ms;
}

_Bool shift_ends_within(const struct shift_ends *s, const struct calendar_rules *week, int64_t day_ms, int64_t span_ms)
{
	_Bool soon = 0;

	for (int i = 0; i < SHIFT_ENDS_MOST; i++)
		soon |= ends_within(s->at_ms[i], day_ms, span_ms);
	for (int i = 0; i < CALENDAR_SLOTS && s->at_ms[0] == 0; i++)
		soon |= ends_within(week->slots[i].to_ms, day_ms, span_ms);
	return soon;
}
