#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/must.h"

/* Years one to 9999: what four digits can say, and what keeps a day number within 32 bits whatever a peer
 * sends. */
#define WALL_LEAST_MS INT64_C(-62135596800000)
#define WALL_MOST_MS INT64_C(253402300799999)
#define ZONE_MARGIN_MS CLOCK_DAY_MS

static int64_t read_clock_us(clockid_t which)
{
	struct timespec now;

	must(clock_gettime(which, &now) == 0);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_wall(void *ctx)
{
	(void)ctx;
	return read_clock_us(CLOCK_REALTIME) / 1000;
}

static int64_t system_mono(void *ctx)
{
	(void)ctx;
	return read_clock_us(CLOCK_MONOTONIC) / 1000;
}

static int64_t system_mono_us(void *ctx)
{
	(void)ctx;
	return read_clock_us(CLOCK_MONOTONIC);
}

struct clock clock_system(void)
{
	return (struct clock){ .wall_ms = system_wall, .mono_ms = system_mono, .mono_us = system_mono_us };
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* The Gregorian calendar by eras of 400 years; the year begins in March, so that the leap day comes last. */
static int64_t civil_to_day(int64_t year, int month, int mday)
{
	int64_t shifted = year - (month <= 2);
	int64_t era = floor_div(shifted, 400);
	int64_t year_of_era = shifted - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + mday - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static int64_t within(int64_t value, int64_t least, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

static struct tm local_of_second(int64_t second)
{
	time_t when = (time_t)second;
	struct tm tm;

	must(localtime_r(&when, &tm));
	return tm;
}

static struct tm local_of(int64_t wall_ms)
{
	int64_t bounded = within(wall_ms, WALL_LEAST_MS + ZONE_MARGIN_MS, WALL_MOST_MS - ZONE_MARGIN_MS);

	return local_of_second(floor_div(bounded, CLOCK_SECOND_MS));
}

static int32_t day_of(const struct tm *tm)
{
	return (int32_t)civil_to_day((int64_t)tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday);
}

static int32_t day_of_second(int64_t second)
{
	struct tm tm = local_of_second(second);

	return day_of(&tm);
}

/* Halves the span in which the local date must turn, for zones where midnight is skipped or doubled or a whole
 * day is missing. No zone is more than a day away from UTC. */
static int64_t search_first_second(int32_t day)
{
	int64_t before = ((int64_t)day - 2) * 86400;
	int64_t after = ((int64_t)day + 2) * 86400;

	while (after - before > 1) {
		int64_t middle = before + (after - before) / 2;

		if (day_of_second(middle) >= day)
			after = middle;
		else
			before = middle;
	}
	return after;
}

/* The first UTC second whose local date is this day or later. */
static int64_t first_second(int32_t day)
{
	int32_t ymd = clock_day_to_ymd(day);
	struct tm tm = {
		.tm_year = ymd / 10000 - 1900,
		.tm_mon = ymd / 100 % 100 - 1,
		.tm_mday = ymd % 100,
		.tm_isdst = -1,
	};
	int64_t guess = (int64_t)mktime(&tm);

	if (day_of_second(guess) == day && day_of_second(guess - 1) < day)
		return guess;
	return search_first_second(day);
}

int32_t clock_local_day(int64_t wall_ms, int64_t *start_ms, int64_t *end_ms)
{
	struct tm tm = local_of(wall_ms);
	int32_t day = day_of(&tm);

	if (start_ms)
		*start_ms = first_second(day) * CLOCK_SECOND_MS;
	if (end_ms)
		*end_ms = first_second(day + 1) * CLOCK_SECOND_MS;
	return day;
}

static int64_t second_of_day(const struct tm *tm)
{
	return (int64_t)tm->tm_hour * 3600 + tm->tm_min * 60 + (tm->tm_sec > 59 ? 59 : tm->tm_sec);
}

int64_t clock_local_time(int64_t wall_ms, int32_t *day)
{
	struct tm tm = local_of(wall_ms);

	if (day)
		*day = day_of(&tm);
	return second_of_day(&tm) * CLOCK_SECOND_MS + (wall_ms - floor_div(wall_ms, CLOCK_SECOND_MS) * CLOCK_SECOND_MS);
}

/* Whether the local wall clock shows this time of this day, or a later one. */
static _Bool has_come(int64_t second, int32_t day, int64_t of_day)
{
	struct tm tm = local_of_second(second);
	int32_t there = day_of(&tm);

	return there > day || (there == day && second_of_day(&tm) >= of_day);
}

/* The first second at which it has come. Around a change of the offset the wall clock is not in order, so the search
 * runs from a moment that is certainly before, in steps no zone's change is shorter than. */
static int64_t search_local_second(int32_t day, int64_t of_day)
{
	int64_t before = (int64_t)day * 86400 + of_day - 2 * 86400, after;

	while (!has_come(before + 900, day, of_day))
		before += 900;
	after = before + 900;
	while (after - before > 1) {
		int64_t middle = before + (after - before) / 2;

		if (has_come(middle, day, of_day))
			after = middle;
		else
			before = middle;
	}
	return after;
}

int64_t clock_local_at(int32_t day, int64_t time_ms)
{
	int64_t of_day = time_ms / CLOCK_SECOND_MS;
	int32_t ymd = clock_day_to_ymd(day);
	struct tm tm = {
		.tm_year = ymd / 10000 - 1900,
		.tm_mon = ymd / 100 % 100 - 1,
		.tm_mday = ymd % 100,
		.tm_hour = (int)(of_day / 3600),
		.tm_min = (int)(of_day / 60 % 60),
		.tm_sec = (int)(of_day % 60),
		.tm_isdst = -1,
	};

	if (of_day >= 86400)
		return first_second(day + 1) * CLOCK_SECOND_MS;

	int64_t second = (int64_t)mktime(&tm);
	/* Summer time moves the clock by an hour in nearly every zone; what happens twice or never is looked for. */
	_Bool plain = has_come(second, day, of_day) && !has_come(second - 1, day, of_day) &&
	              !has_come(second - 3600, day, of_day);

	return (plain ? second : search_local_second(day, of_day)) * CLOCK_SECOND_MS + time_ms % CLOCK_SECOND_MS;
}

int clock_weekday(int32_t day)
{
	return (int)((((int64_t)day + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

int32_t clock_day_to_ymd(int32_t day)
{
	int64_t shifted = (int64_t)day + 719468;
	int64_t era = floor_div(shifted, 146097);
	int64_t day_of_era = shifted - era * 146097;
	int64_t year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	int64_t mday = day_of_year - (153 * month + 2) / 5 + 1;

	month += month < 10 ? 3 : -9;
	year += era * 400 + (month <= 2);
	return (int32_t)(year * 10000 + month * 100 + mday);
}

static int days_in_month(int year, int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	_Bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static _Bool is_date(int year, int month, int mday)
{
	return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && mday >= 1 &&
	       mday <= days_in_month(year, month);
}

int32_t clock_ymd_to_day(int32_t yyyymmdd)
{
	int year = yyyymmdd / 10000;
	int month = yyyymmdd / 100 % 100;
	int mday = yyyymmdd % 100;

	/* Dates before 1970 would give negative days, of which -1 means that there is none. */
	if (year < 1970 || !is_date(year, month, mday))
		return -1;
	return (int32_t)civil_to_day(year, month, mday);
}

void clock_text(int64_t wall_ms, char *out, size_t size)
{
	struct tm tm = local_of(wall_ms);

	snprintf(out, size, "%04d-%02d-%02d %02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	         tm.tm_min);
}

/* Reads exactly this many digits; *at is left alone when they are not there. */
static _Bool take_number(const char **at, int digits, int *out)
{
	int value = 0;

	for (int i = 0; i < digits; i++) {
		char c = (*at)[i];

		if (c < '0' || c > '9')
			return 0;
		value = value * 10 + (c - '0');
	}
	*at += digits;
	*out = value;
	return 1;
}

static _Bool take_char(const char **at, const char *any_of)
{
	if (**at == '\0' || !strchr(any_of, **at))
		return 0;
	(*at)++;
	return 1;
}

static _Bool take_date(const char **at, struct tm *tm)
{
	int year, month, mday;

	if (!take_number(at, 4, &year) || !take_char(at, "-") || !take_number(at, 2, &month) || !take_char(at, "-") ||
	    !take_number(at, 2, &mday) || !is_date(year, month, mday))
		return 0;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = mday;
	return 1;
}

/* ".123456": milliseconds are kept, finer digits are passed over. */
static _Bool take_fraction(const char **at, int *ms)
{
	int scale = 100, digit;

	*ms = 0;
	if (!take_char(at, ".,"))
		return 1;
	if (**at < '0' || **at > '9')
		return 0;
	while (take_number(at, 1, &digit)) {
		*ms += digit * scale;
		scale /= 10;
	}
	return 1;
}

static _Bool take_time(const char **at, struct tm *tm, int *ms)
{
	*ms = 0;
	if (!take_number(at, 2, &tm->tm_hour) || !take_char(at, ":") || !take_number(at, 2, &tm->tm_min))
		return 0;
	if (take_char(at, ":") && (!take_number(at, 2, &tm->tm_sec) || !take_fraction(at, ms)))
		return 0;
	/* Second 60 is a leap second; it counts as the first of the next minute. */
	return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

/* "Z", "+08:00", "-0400" or "+08", and nothing behind it. */
static _Bool take_offset(const char *at, int *seconds)
{
	int hours, minutes = 0;
	int sign = *at == '-' ? -1 : 1;

	*seconds = 0;
	if (take_char(&at, "Zz"))
		return *at == '\0';
	if (!take_char(&at, "+-") || !take_number(&at, 2, &hours))
		return 0;

	_Bool colon = take_char(&at, ":");

	if ((colon || *at) && !take_number(&at, 2, &minutes))
		return 0;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return *at == '\0' && hours <= 23 && minutes <= 59;
}

static _Bool local_second(struct tm *tm, int64_t *second)
{
	tm->tm_isdst = -1;
	/* -1 is also a valid second; a weekday filled in tells success. */
	tm->tm_wday = -1;
	*second = (int64_t)mktime(tm);
	return tm->tm_wday >= 0;
}

_Bool clock_parse(const char *text, int64_t *out_ms)
{
	struct tm tm = { .tm_sec = 0 };
	int ms, offset;
	int64_t second;

	if (!text || !take_date(&text, &tm) || !take_char(&text, "Tt ") || !take_time(&text, &tm, &ms))
		return 0;
	if (*text == '\0') {
		if (!local_second(&tm, &second))
			return 0;
	} else {
		if (!take_offset(text, &offset))
			return 0;
		second = (int64_t)day_of(&tm) * 86400 - offset;
		second += tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
	}
	*out_ms = second * CLOCK_SECOND_MS + ms;
	return 1;
}
