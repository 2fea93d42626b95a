/* calendar_rules: how the working week is written in policy.conf. */
#include "base/clock.h"
#include "jurisdiction/calendar.h"

#include <string.h>

static const char *const weekdays[CALENDAR_WEEK] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

/* ---- times and slots ---- */

static _Bool two_digits(const char *at, int32_t *out)
{
	if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
		return 0;
	*out = (at[0] - '0') * 10 + (at[1] - '0');
	return 1;
}

/* "08:30" at the start of a text, up to "24:00". */
static _Bool take_time(const char *at, int32_t *out_ms)
{
	int32_t hours, minutes;

	if (strlen(at) < 5 || !two_digits(at, &hours) || at[2] != ':' || !two_digits(at + 3, &minutes))
		return 0;
	*out_ms = (int32_t)(hours * CLOCK_HOUR_MS + minutes * CLOCK_MINUTE_MS);
	return minutes <= 59 && *out_ms <= CLOCK_DAY_MS;
}

static _Bool parse_time(const char *text, void *field)
{
	int32_t ms = 0;

	if (*text != '\0' && (!take_time(text, &ms) || text[5] != '\0' || ms == 0))
		return 0;
	*(int32_t *)field = ms;
	return 1;
}

static void print_one_time(int32_t ms, FILE *to)
{
	fprintf(to, "%02d:%02d", (int)(ms / CLOCK_HOUR_MS), (int)(ms % CLOCK_HOUR_MS / CLOCK_MINUTE_MS));
}

static void print_time(const void *field, FILE *to)
{
	if (*(const int32_t *)field)
		print_one_time(*(const int32_t *)field, to);
}

static _Bool parse_slot(const char *text, void *field)
{
	struct calendar_slot slot = { 0, 0 };

	if (*text != '\0' && (strlen(text) != 11 || text[5] != '-' || !take_time(text, &slot.from_ms) ||
	                      !take_time(text + 6, &slot.to_ms) || slot.from_ms >= slot.to_ms))
		return 0;
	*(struct calendar_slot *)field = slot;
	return 1;
}

static void print_slot(const void *field, FILE *to)
{
	const struct calendar_slot *slot = field;

	if (slot->to_ms == 0)
		return;
	print_one_time(slot->from_ms, to);
	fputc('-', to);
	print_one_time(slot->to_ms, to);
}

/* ---- the week ---- */

static int weekday_named(const char *text, size_t length)
{
	for (int i = 0; i < CALENDAR_WEEK; i++)
		if (length == 3 && strncmp(text, weekdays[i], length) == 0)
			return i;
	return -1;
}

/* One part between commas: "mon" or "mon-fri". */
static _Bool take_weekdays(const char *part, size_t length, uint8_t *bits)
{
	int from = weekday_named(part, length < 3 ? length : 3);
	int to = length == 7 && part[3] == '-' ? weekday_named(part + 4, 3) : length == 3 ? from : -1;

	if (from < 0 || to < from)
		return 0;
	for (int i = from; i <= to; i++) {
		if (*bits >> i & 1)
			return 0; /* named twice: most likely another was meant */
		*bits |= (uint8_t)(1u << i);
	}
	return 1;
}

static _Bool parse_week(const char *text, void *field)
{
	uint8_t bits = 0;

	for (;;) {
		size_t length = strcspn(text, ",");

		if (!take_weekdays(text, length, &bits))
			return 0;
		text += length;
		if (*text++ == '\0')
			break;
	}
	*(uint8_t *)field = bits;
	return 1;
}

static void print_week(const void *field, FILE *to)
{
	uint8_t bits = *(const uint8_t *)field;
	const char *comma = "";

	for (int i = 0, last; i < CALENDAR_WEEK; i = last + 1) {
		last = i;
		if (!(bits >> i & 1))
			continue;
		while (last + 1 < CALENDAR_WEEK && bits >> (last + 1) & 1)
			last++;
		fprintf(to, "%s%s", comma, weekdays[i]);
		if (last > i)
			fprintf(to, "-%s", weekdays[last]);
		comma = ",";
	}
}

const struct setting_own calendar_slot_setting = { parse_slot, print_slot,
	                                           "hours of a day such as 08:30-12:00, to 24:00 at most, or nothing" };
const struct setting_own calendar_week_setting = { parse_week, print_week,
	                                           "days of the week such as mon-fri or mon,wed,sat" };
const struct setting_own calendar_time_setting = { parse_time, print_time, "a time of day such as 17:00, or nothing" };

const char *calendar_rules_wrong(const struct calendar_rules *r)
{
	const struct calendar_slot *morning = &r->slots[0], *afternoon = &r->slots[1];

	if (morning->to_ms == 0 && afternoon->to_ms == 0)
		return "found no working hours in work_morning and work_afternoon; expected them in at least one";
	if (morning->to_ms != 0 && afternoon->to_ms != 0 && afternoon->from_ms < morning->to_ms)
		return "found work_afternoon beginning before work_morning ends; expected the two in order and apart";
	if (r->cutoff_ms != 0 && (morning->to_ms == 0 || r->cutoff_ms <= morning->from_ms) &&
	    (afternoon->to_ms == 0 || r->cutoff_ms <= afternoon->from_ms))
		return "found day_cutoff before work begins; expected a time after it, for else no day would count";
	return "";
}
