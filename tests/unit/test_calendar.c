/* The work calendar: what a limit becomes, and what is left of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "jurisdiction/calendar.h"

#define SLOT(h1, m1, h2, m2)                                                                                           \
	{                                                                                                              \
		(h1) * 3600000 + (m1)*60000, (h2)*3600000 + (m2)*60000                                                 \
	}

static const struct calendar_rules china = { .slots = { SLOT(8, 30, 12, 0), SLOT(13, 30, 17, 30) }, .weekdays = 0x1f };
static const struct calendar_rules boston = {
	.slots = { SLOT(8, 30, 17, 0), { 0, 0 } }, .weekdays = 0x1f, .cutoff_ms = 17 * 3600000, .cutoff_always = 1
};

static struct calendar c;

static void zone(const char *name)
{
	assert_int_equal(setenv("TZ", name, 1), 0);
	tzset();
}

static int32_t day(int32_t ymd)
{
	return clock_ymd_to_day(ymd);
}

static int64_t at(const char *text)
{
	int64_t ms;

	assert_true(clock_parse(text, &ms));
	return ms;
}

/* 2026-02: 春节 from the 16th to the 20th, Saturday the 14th worked for it. */
static void begin_china(void)
{
	zone("Asia/Shanghai");
	calendar_close(&c);
	calendar_init(&c, &china);
	for (int i = 16; i <= 20; i++)
		assert_true(calendar_add(&c, day(20260200 + i), 0));
	assert_true(calendar_add(&c, day(20260214), 1));
}

static void begin_boston(void)
{
	zone("America/New_York");
	calendar_close(&c);
	calendar_init(&c, &boston);
}

static void due_is(const char *from, const char *limit, const char *expected, const struct calendar_spans *urgent)
{
	struct limit l;
	char came[CLOCK_TEXT_SIZE], back[CLOCK_TEXT_SIZE];

	assert_true(limit_parse(limit, &l));
	int64_t due = calendar_due(&c, at(from), l, urgent);
	clock_text(due, came, sizeof came);
	clock_text(at(expected), back, sizeof back);
	if (due != at(expected))
		fail_msg("%s + %s: came %s, expected %s", from, limit, came, back);
	if (!c.rules.cutoff_always)
		assert_int_equal(calendar_left(&c, at(from), due, l.unit, urgent), l.amount);
}

static void test_work_hours(void **state)
{
	(void)state;
	begin_china();
	due_is("2026-11-23 08:30", "4wh", "2026-11-23 14:00", NULL);
	due_is("2026-11-23 09:00", "3wh", "2026-11-23 12:00", NULL); /* not 13:30 */
	due_is("2026-11-23 12:30", "1wh", "2026-11-23 14:30", NULL);
	due_is("2026-11-23 13:30", "4wh", "2026-11-23 17:30", NULL); /* not the next morning */
	due_is("2026-11-23 17:00", "4wh", "2026-11-24 12:00", NULL);
	due_is("2026-11-23 23:00", "4wh", "2026-11-24 14:00", NULL);
	due_is("2026-11-20 17:00", "2wh", "2026-11-23 10:00", NULL); /* over a weekend */
	due_is("2026-11-21 09:00", "4wh", "2026-11-23 14:00", NULL);
	due_is("2026-02-13 17:00", "1wh", "2026-02-14 09:00", NULL); /* 调休 */
	due_is("2026-02-14 17:00", "1wh", "2026-02-23 09:00", NULL); /* over 春节 */
}

static void test_work_days(void **state)
{
	(void)state;
	begin_china();
	due_is("2026-11-23 10:00", "1wd", "2026-11-24 10:00", NULL);
	due_is("2026-11-23 10:00", "5wd", "2026-11-30 10:00", NULL);
	due_is("2026-11-20 10:00", "1wd", "2026-11-23 10:00", NULL);
	due_is("2026-11-21 10:00", "1wd", "2026-11-24 08:30", NULL); /* a weekend counts from Monday */
	due_is("2026-11-23 07:00", "1wd", "2026-11-24 08:30", NULL);
	due_is("2026-11-23 18:00", "1wd", "2026-11-25 08:30", NULL);
	due_is("2026-11-23 12:30", "1wd", "2026-11-24 13:30", NULL);
	due_is("2026-02-13 10:00", "1wd", "2026-02-14 10:00", NULL);
	due_is("2026-02-13 10:00", "2wd", "2026-02-23 10:00", NULL);
	due_is("2026-02-17 10:00", "2wd", "2026-02-25 08:30", NULL);
}

static void test_cutoff(void **state)
{
	(void)state;
	begin_china();
	c.rules.cutoff_ms = 17 * 3600000;
	due_is("2026-11-23 16:59", "1wd", "2026-11-24 16:59", NULL);
	due_is("2026-11-23 17:00", "1wd", "2026-11-25 08:30", NULL);
	due_is("2026-11-23 17:29", "1wd", "2026-11-25 08:30", NULL);
	due_is("2026-11-21 18:00", "1wd", "2026-11-24 08:30", NULL); /* a day of rest has no cut-off of its own */
	due_is("2026-11-23 17:10", "1wh", "2026-11-24 09:10", NULL); /* hours are hours */
}

/* What Boston's own due dates of 2011 show (the data's README). */
static void test_bostons_rule(void **state)
{
	(void)state;
	begin_boston();
	due_is("2011-09-12 10:00", "2wd", "2011-09-14 10:00", NULL);
	due_is("2011-09-12 17:00", "2wd", "2011-09-15 08:30", NULL);
	due_is("2011-09-15 10:00", "2wd", "2011-09-19 10:00", NULL);
	due_is("2011-09-16 18:00", "2wd", "2011-09-21 08:30", NULL);
	due_is("2011-09-17 10:00", "2wd", "2011-09-21 08:30", NULL);
	due_is("2011-09-17 18:00", "2wd", "2011-09-22 08:30", NULL);
	due_is("2011-09-18 16:59", "2wd", "2011-09-21 08:30", NULL);
	due_is("2011-09-18 17:00", "2wd", "2011-09-22 08:30", NULL);
}

static void test_clock_and_natural_days(void **state)
{
	(void)state;
	begin_china();
	due_is("2026-11-21 23:00", "2uh", "2026-11-22 01:00", NULL);
	due_is("2026-11-21 23:00", "90m", "2026-11-22 00:30", NULL);
	due_is("2026-11-21 23:00", "1nd", "2026-11-22 23:00", NULL);
	due_is("2026-02-16 09:00", "3nd", "2026-02-19 09:00", NULL);
}

static void test_summer_time(void **state)
{
	(void)state;
	begin_boston();
	/* 2011-03-13 02:00 became 03:00; 2011-11-06 02:00 became 01:00. */
	due_is("2011-03-12 12:00", "1nd", "2011-03-13 12:00", NULL);
	due_is("2011-03-12 12:00", "24uh", "2011-03-13 13:00", NULL);
	due_is("2011-11-05 12:00", "1nd", "2011-11-06 12:00", NULL);
	due_is("2011-11-05 12:00", "24uh", "2011-11-06 11:00", NULL);
	due_is("2011-03-11 10:00", "1wd", "2011-03-14 10:00", NULL);
	due_is("2011-11-04 16:00", "2wh", "2011-11-07 09:30", NULL);
	/* Around the clock the night of the change is an hour shorter. */
	c.rules.slots[0] = (struct calendar_slot)SLOT(0, 0, 24, 0);
	c.rules.weekdays = 0x7f;
	c.rules.cutoff_ms = 0;
	c.rules.cutoff_always = 0;
	due_is("2011-03-12 22:00", "6wh", "2011-03-13 05:00", NULL);
	due_is("2011-11-05 22:00", "6wh", "2011-11-06 03:00", NULL);
	/* The hour that never is begins where the clock jumps to. */
	assert_int_equal(clock_local_at(day(20110313), 2 * 3600000 + 1800000), at("2011-03-13T03:00:00-04:00"));
	assert_int_equal(clock_local_at(day(20111106), 3600000 + 1800000), at("2011-11-06T01:30:00-04:00"));
	assert_int_equal(clock_local_at(day(20111106), 86400000), at("2011-11-07T00:00:00-05:00"));
}

static void test_pauses_keep_working_time(void **state)
{
	(void)state;
	begin_china();
	/* 4wh from Friday 16:30 are due Monday 11:30; at Friday 17:00 three and a half are left, and all weekend long. */
	int64_t due = calendar_due(&c, at("2026-11-20 16:30"), (struct limit){ 4 * 3600000, LIMIT_WORK_HOUR }, NULL);

	assert_int_equal(due, at("2026-11-23 11:30"));
	assert_int_equal(calendar_left(&c, at("2026-11-20 17:00"), due, LIMIT_WORK_HOUR, NULL), 3.5 * 3600000);
	assert_int_equal(calendar_left(&c, at("2026-11-21 03:00"), due, LIMIT_WORK_HOUR, NULL), 3 * 3600000);
	assert_int_equal(calendar_left(&c, at("2026-11-23 08:30"), due, LIMIT_WORK_HOUR, NULL), 3 * 3600000);
	assert_int_equal(calendar_left(&c, at("2026-11-23 12:00"), due, LIMIT_WORK_HOUR, NULL), -1800000);
	assert_int_equal(calendar_left(&c, due + 1, due, LIMIT_WORK_HOUR, NULL), -1);
	/* Half a working day is half of its hours. */
	due = calendar_due(&c, at("2026-11-23 08:30"), (struct limit){ 2 * CLOCK_DAY_MS, LIMIT_WORK_DAY }, NULL);
	assert_int_equal(calendar_left(&c, at("2026-11-23 12:15"), due, LIMIT_WORK_DAY, NULL),
	                 2 * CLOCK_DAY_MS - CLOCK_DAY_MS * 7 / 15);
	/* What was missed stays missed by as much. */
	assert_int_equal(calendar_due(&c, at("2026-11-21 09:00"), (struct limit){ -5, LIMIT_WORK_DAY }, NULL),
	                 at("2026-11-21 09:00") - 5);
}

static void test_emergencies(void **state)
{
	(void)state;
	begin_china();
	struct calendar_span span = { at("2026-11-20 18:00"), at("2026-11-22 18:00") };
	struct calendar_spans one = { &span, 1 };

	due_is("2026-11-20 17:00", "4wh", "2026-11-20 21:30", &one); /* half an hour of work, then the clock */
	due_is("2026-11-21 09:00", "4wh", "2026-11-21 13:00", &one);
	due_is("2026-11-21 09:00", "1wd", "2026-11-22 09:00", &one);
	due_is("2026-11-22 16:00", "4wh", "2026-11-23 10:30", &one); /* two by the clock, two at work */
	due_is("2026-11-22 06:00", "1wd", "2026-11-23 13:45", &one); /* half of it by the clock, half at work */
	due_is("2026-11-23 09:00", "1wh", "2026-11-23 10:00", &one); /* it is over */
	due_is("2026-11-20 09:00", "1wh", "2026-11-20 10:00", &one);
	span.to_ms = INT64_MAX;
	due_is("2026-11-20 17:00", "400wh", "2026-12-07 09:30", &one);
	assert_int_equal(calendar_left(&c, at("2026-11-21 10:00"), at("2026-11-21 09:00"), LIMIT_WORK_HOUR, &one),
	                 -3600000);
}

static void test_a_year_of_starts_comes_back(void **state)
{
	static const char *const limits[] = { "1wh", "4wh", "37wh", "1wd", "5wd", "1nd", "90m" };

	(void)state;
	begin_china();
	c.rules.cutoff_ms = 17 * 3600000;
	for (int64_t from = at("2026-01-01 00:07"); from < at("2027-01-01 00:00"); from += 13 * 3600000 + 60000)
		for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
			struct limit l;

			assert_true(limit_parse(limits[i], &l));
			int64_t due = calendar_due(&c, from, l, NULL);
			assert_true(due > from);
			assert_int_equal(calendar_left(&c, from, due, l.unit, NULL), l.amount);
		}
}

static void test_the_list(void **state)
{
	(void)state;
	begin_china();
	assert_false(calendar_add(&c, day(20260214), 0));
	assert_true(calendar_works(&c, day(20260214)));
	assert_false(calendar_works(&c, day(20260215)));
	assert_false(calendar_works(&c, day(20260216)));
	assert_int_equal(calendar_covers_until(&c), day(20261231));
	assert_true(calendar_add(&c, day(20270101), 0));
	assert_int_equal(calendar_covers_until(&c), day(20271231));
	calendar_close(&c);
	assert_int_equal(calendar_covers_until(&c), -1);
	/* Nobody ever works: an answer all the same. */
	assert_true(calendar_due(&c, 0, (struct limit){ 1, LIMIT_WORK_HOUR }, NULL) > 0);
	assert_true(calendar_due(&c, 0, (struct limit){ 1, LIMIT_WORK_DAY }, NULL) > 0);
}

static void reads(const struct setting_own *own, const char *text, _Bool good)
{
	char field[16] = "", printed[64] = "";

	assert_int_equal(own->parse(text, field), good);
	if (!good)
		return;
	FILE *to = fmemopen(printed, sizeof printed, "w");

	own->print(field, to);
	fclose(to);
	assert_string_equal(printed, text);
}

static void test_how_rules_are_written(void **state)
{
	static const char *const bad_slots[] = { "8:30-12:00",  "08:30",       "08:30-08:30",  "12:00-08:30",
		                                 "08:30-24:01", "08:60-12:00", "08:30-12:00 ", "night" };
	static const char *const bad_weeks[] = { "", "monday", "fri-mon", "mon,mon", "mon-", "mon-fri,wed", "mon,," };

	(void)state;
	reads(&calendar_slot_setting, "08:30-12:00", 1);
	reads(&calendar_slot_setting, "00:00-24:00", 1);
	reads(&calendar_slot_setting, "", 1);
	for (size_t i = 0; i < sizeof bad_slots / sizeof *bad_slots; i++)
		reads(&calendar_slot_setting, bad_slots[i], 0);
	reads(&calendar_week_setting, "mon-fri", 1);
	reads(&calendar_week_setting, "mon,wed,sat-sun", 1);
	for (size_t i = 0; i < sizeof bad_weeks / sizeof *bad_weeks; i++)
		reads(&calendar_week_setting, bad_weeks[i], 0);
	reads(&calendar_time_setting, "17:00", 1);
	reads(&calendar_time_setting, "", 1);
	reads(&calendar_time_setting, "00:00", 0);
	reads(&calendar_time_setting, "5pm", 0);
}

static void test_rules_taken_together(void **state)
{
	struct calendar_rules r = china;

	(void)state;
	assert_string_equal(calendar_rules_wrong(&r), "");
	r.slots[1] = (struct calendar_slot)SLOT(11, 30, 17, 30);
	assert_non_null(strstr(calendar_rules_wrong(&r), "work_afternoon"));
	r = china;
	r.cutoff_ms = 8 * 3600000;
	assert_non_null(strstr(calendar_rules_wrong(&r), "day_cutoff"));
	r = (struct calendar_rules){ .weekdays = 0x1f };
	assert_non_null(strstr(calendar_rules_wrong(&r), "no working hours"));
}

static void test_limits_as_text(void **state)
{
	static const char *const same[] = { "4wh", "2wd", "1nd", "90m", "4h", "5d", "0s", "1500ms" };
	static const char *const bad[] = { "", "wh", "4 wh", "-4wh", "4hw", "4.5wh", "9999999999999999999wd", "4wh " };
	char text[LIMIT_TEXT_SIZE];
	struct limit l;

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		assert_true(limit_parse(same[i], &l));
		limit_text(l, text);
		assert_string_equal(text, same[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(limit_parse(bad[i], &l));
	assert_true(limit_parse("2uh", &l));
	assert_int_equal(l.unit, LIMIT_CLOCK);
	assert_int_equal(l.amount, 2 * CLOCK_HOUR_MS);
	limit_text((struct limit){ CLOCK_DAY_MS * 3 / 2, LIMIT_WORK_DAY }, text);
	assert_string_equal(text, "1.50wd");
}

static int teardown(void **state)
{
	(void)state;
	calendar_close(&c);
	calendar_close(&c);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_work_hours),
		cmocka_unit_test(test_work_days),
		cmocka_unit_test(test_cutoff),
		cmocka_unit_test(test_bostons_rule),
		cmocka_unit_test(test_clock_and_natural_days),
		cmocka_unit_test(test_summer_time),
		cmocka_unit_test(test_pauses_keep_working_time),
		cmocka_unit_test(test_emergencies),
		cmocka_unit_test(test_a_year_of_starts_comes_back),
		cmocka_unit_test(test_the_list),
		cmocka_unit_test(test_how_rules_are_written),
		cmocka_unit_test(test_rules_taken_together),
		cmocka_unit_test(test_limits_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
