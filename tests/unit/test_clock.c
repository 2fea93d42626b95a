#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static int64_t parsed(const char *text)
{
	int64_t ms = INT64_MIN;

	assert_true(clock_parse(text, &ms));
	return ms;
}

static void test_system_clocks_go(void **state)
{
	(void)state;
	struct clock c = clock_system();
	int64_t wall = c.wall_ms(c.ctx), mono = c.mono_ms(c.ctx);

	assert_true(wall > parsed("2024-01-01T00:00:00Z"));
	assert_true(c.mono_ms(c.ctx) >= mono);
	assert_true(llabs(wall / 1000 - (int64_t)time(NULL)) <= 2);
}

static void test_dates_there_and_back(void **state)
{
	(void)state;
	assert_int_equal(clock_day_to_ymd(0), 19700101);
	assert_int_equal(clock_day_to_ymd(-1), 19691231);
	assert_int_equal(clock_day_to_ymd(11016), 20000229);
	assert_int_equal(clock_day_to_ymd(2932896), 99991231);
	for (int32_t day = 0; day < 60000; day++)
		assert_int_equal(clock_ymd_to_day(clock_day_to_ymd(day)), day);
}

static void test_no_dates(void **state)
{
	(void)state;
	static const int32_t none[] = {
		0,        -20200101, 20210229, 19000229, 21000229,  20201301,  20200001,
		20200100, 20200132,  20200431, 19691231, INT32_MAX, INT32_MIN,
	};

	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		assert_int_equal(clock_ymd_to_day(none[i]), -1);
	assert_int_equal(clock_ymd_to_day(20240229), 19782);
}

struct spring {
	const char *zone, *inside, *start, *end;
	int hours, ymd;
};

/* Days of 24, 23 and 25 hours; midnights that are skipped (Sao Paulo), that come twice (Havana), and a day
 * that never was (Apia). */
static const struct spring springs[] = {
	{ "UTC", "2026-11-21T14:03:00Z", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z", 24, 20261121 },
	{ "Asia/Shanghai", "2026-11-21T23:59:59+08:00", "2026-11-20T16:00:00Z", "2026-11-21T16:00:00Z", 24, 20261121 },
	{ "America/New_York", "2011-03-13T12:00:00Z", "2011-03-13T05:00:00Z", "2011-03-14T04:00:00Z", 23, 20110313 },
	{ "America/New_York", "2011-11-06T12:00:00Z", "2011-11-06T04:00:00Z", "2011-11-07T05:00:00Z", 25, 20111106 },
	{ "America/New_York", "2011-07-01T01:32:33-04:00", "2011-07-01T04:00:00Z", "2011-07-02T04:00:00Z", 24,
	  20110701 },
	{ "America/Sao_Paulo", "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z", 23, 20181104 },
	{ "America/Sao_Paulo", "2018-02-17T12:00:00Z", "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z", 25, 20180217 },
	{ "America/Havana", "2020-11-01T12:00:00Z", "2020-11-01T04:00:00Z", "2020-11-02T05:00:00Z", 25, 20201101 },
	{ "Pacific/Apia", "2011-12-29T20:00:00Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", 24, 20111229 },
	{ "Pacific/Apia", "2011-12-30T20:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z", 24, 20111231 },
	{ "Asia/Kathmandu", "2020-01-01T00:00:00Z", "2019-12-31T18:15:00Z", "2020-01-01T18:15:00Z", 24, 20200101 },
	{ "UTC", "1969-12-31T23:59:59Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z", 24, 19691231 },
};

static void test_local_days(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof springs / sizeof springs[0]; i++) {
		const struct spring *s = &springs[i];
		int64_t start, end, inside = parsed(s->inside);

		set_zone(s->zone);

		int32_t day = clock_local_day(inside, &start, &end);

		assert_int_equal(clock_day_to_ymd(day), s->ymd);
		assert_int_equal(start, parsed(s->start));
		assert_int_equal(end, parsed(s->end));
		assert_int_equal((end - start) / CLOCK_HOUR_MS, s->hours);
		assert_int_equal(clock_local_day(start, NULL, NULL), day);
		assert_int_equal(clock_local_day(end - 1, NULL, NULL), day);
		assert_true(clock_local_day(end, NULL, NULL) > day);
		assert_true(clock_local_day(start - 1, NULL, NULL) < day);
	}
}

/* Every hour of four years: the bounds hold the moment, and one day ends where the next begins. */
static void test_days_tile_the_years(void **state)
{
	(void)state;
	set_zone("America/New_York");

	int64_t from = parsed("2010-01-01T00:00:00-05:00"), last_end = from;
	int32_t last_day = clock_local_day(from, NULL, NULL) - 1;

	for (int64_t at = from; at < from + 1461 * CLOCK_DAY_MS; at += CLOCK_HOUR_MS) {
		int64_t start, end;
		int32_t day = clock_local_day(at, &start, &end);

		assert_true(start <= at && at < end);
		if (day == last_day)
			continue;
		assert_int_equal(day, last_day + 1);
		assert_int_equal(start, last_end);
		last_day = day;
		last_end = end;
	}
}

static void test_absurd_times_stay_in_bounds(void **state)
{
	(void)state;
	static const int64_t absurd[] = { INT64_MIN, INT64_MAX, INT64_MIN / 1000, INT64_MAX / 1000 };

	set_zone("America/New_York");
	for (size_t i = 0; i < 4; i++) {
		char text[CLOCK_TEXT_SIZE];
		int64_t start, end;
		int32_t ymd = clock_day_to_ymd(clock_local_day(absurd[i], &start, &end));

		assert_true(ymd >= 10101 && ymd <= 99991231);
		assert_true(start < end);
		clock_text(absurd[i], text, sizeof text);
		assert_int_equal(strlen(text), strlen("2026-11-21 14:03"));
	}
}

static void test_text(void **state)
{
	(void)state;
	char text[CLOCK_TEXT_SIZE], small[8];

	set_zone("Asia/Shanghai");
	clock_text(parsed("2026-11-21T06:03:59Z"), text, sizeof text);
	assert_string_equal(text, "2026-11-21 14:03");
	clock_text(-1, text, sizeof text);
	assert_string_equal(text, "1970-01-01 07:59");
	clock_text(0, small, sizeof small);
	assert_string_equal(small, "1970-01");
}

static void test_parse_offsets(void **state)
{
	(void)state;
	assert_int_equal(parsed("2011-07-01T01:32:33-04:00"), INT64_C(1309498353000));
	assert_int_equal(parsed("2011-07-01 05:32:33Z"), INT64_C(1309498353000));
	assert_int_equal(parsed("2011-07-01T13:32:33+0800"), INT64_C(1309498353000));
	assert_int_equal(parsed("2011-07-01t13:32:33+08"), INT64_C(1309498353000));
	assert_int_equal(parsed("2011-07-01T05:32:33.250Z"), INT64_C(1309498353250));
	assert_int_equal(parsed("2011-07-01T05:32:33.2509999z"), INT64_C(1309498353250));
	assert_int_equal(parsed("2011-07-01T05:32:33,5Z"), INT64_C(1309498353500));
	assert_int_equal(parsed("2011-07-01T05:32Z"), INT64_C(1309498320000));
	assert_int_equal(parsed("1970-01-01T00:00:00Z"), 0);
	assert_int_equal(parsed("1969-12-31T23:59:59Z"), -1000);
	assert_int_equal(parsed("2016-12-31T23:59:60Z"), parsed("2017-01-01T00:00:00Z"));
}

static void test_parse_local(void **state)
{
	(void)state;
	set_zone("America/New_York");
	assert_int_equal(parsed("2011-07-01 01:32:33"), parsed("2011-07-01T01:32:33-04:00"));
	assert_int_equal(parsed("2011-01-01T01:32:33.5"), parsed("2011-01-01T01:32:33.500-05:00"));
	/* The second before 1970 is also how mktime says that it failed. */
	assert_int_equal(parsed("1969-12-31T18:59:59"), -1000);
	/* 02:30 does not exist on this day; it becomes a moment within the hour around it. */
	assert_true(llabs(parsed("2011-03-13T02:30:00") - parsed("2011-03-13T07:00:00Z")) <= CLOCK_HOUR_MS / 2);
}

static void test_parse_refuses(void **state)
{
	(void)state;
	static const char *const none[] = {
		"",
		"2011",
		"2011-07-01",
		"2011-07-01T",
		"2011-07-01T01",
		"2011-7-1T01:32:33Z",
		"2011-07-01T1:32:33Z",
		"2011-13-01T01:32:33Z",
		"2011-00-01T01:32:33Z",
		"2011-02-29T01:32:33Z",
		"2011-07-32T01:32:33Z",
		"2011-07-01T24:00:00Z",
		"2011-07-01T01:60:33Z",
		"2011-07-01T01:32:61Z",
		"2011-07-01X01:32:33Z",
		"2011-07-01T01:32:33ZZ",
		"2011-07-01T01:32:33Z ",
		" 2011-07-01T01:32:33Z",
		"2011-07-01T01:32:33+",
		"2011-07-01T01:32:33+8",
		"2011-07-01T01:32:33+08:",
		"2011-07-01T01:32:33+08:0",
		"2011-07-01T01:32:33+24:00",
		"2011-07-01T01:32:33+08:60",
		"2011-07-01T01:32:33+08:000",
		"2011-07-01T01:32:33.Z",
		"2011-07-01T01:32:33 PM",
		"0000-01-01T00:00:00Z",
		"-011-07-01T01:32:33Z",
		"+2011-07-01T01:32:33Z",
		"20110701T013233Z",
		"now",
		"2011-07-01T01:32:-1Z",
		"2011-07-01T01:32:33\n",
	};

	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		int64_t ms = 42;

		if (clock_parse(none[i], &ms))
			fail_msg("\"%s\" was taken for a time", none[i]);
		assert_int_equal(ms, 42);
	}
	assert_false(clock_parse(NULL, &(int64_t){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_system_clocks_go),
		cmocka_unit_test(test_dates_there_and_back),
		cmocka_unit_test(test_no_dates),
		cmocka_unit_test(test_local_days),
		cmocka_unit_test(test_days_tile_the_years),
		cmocka_unit_test(test_absurd_times_stay_in_bounds),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_parse_offsets),
		cmocka_unit_test(test_parse_local),
		cmocka_unit_test(test_parse_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
