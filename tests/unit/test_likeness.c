/* Likeness: the rule at its edges, each with everything else as good as it can be. */
#include "workflow/likeness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "jurisdiction/words.h"

#define MINUTE CLOCK_MINUTE_MS
#define HOUR CLOCK_HOUR_MS

static const struct policy_rules rules = { .same_within_m = 50,
	                                   .merge_same_street = 80,
	                                   .merge_crossing = 60,
	                                   .merge_other_street = 25,
	                                   .merge_no_address = 100,
	                                   .merge_series_ms = 15 * MINUTE };

/* 40 m and 10 h; perhaps to 100 m and 20 h. */
static struct category category_of(enum matter matter)
{
	return (struct category){ .code = 10110,
		                  .merge_m = 40,
		                  .merge_ms = 10 * HOUR,
		                  .maybe_m = 100,
		                  .maybe_ms = 20 * HOUR,
		                  .matter = (int)matter };
}

struct row {
	double metres;
	int64_t apart_ms;
	enum address_relation where;
	enum likeness is;
};

static void check_rows(const struct category *k, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct likeness_pair pair = { rows[i].metres, rows[i].apart_ms, rows[i].where, HANDS_TWO, 0, 0 };
		struct likeness_verdict v = likeness_judge(k, &rules, &pair);

		if (v.is != rows[i].is || (v.score > 0) != (v.is != LIKENESS_NO))
			fail_msg("row %zu: %d with score %d", i, v.is, v.score);
	}
}
#define CHECK_ROWS(k, rows) check_rows(k, rows, sizeof(rows) / sizeof *(rows))

static void test_place_and_time_share_the_measure(void **state)
{
	static const struct row rows[] = {
		{ 0, 10 * HOUR, ADDRESS_UNKNOWN, LIKENESS_SURE },
		{ 0, 10 * HOUR + 1, ADDRESS_UNKNOWN, LIKENESS_MAYBE },
		{ 40, 0, ADDRESS_UNKNOWN, LIKENESS_SURE },
		{ 40.1, 0, ADDRESS_UNKNOWN, LIKENESS_MAYBE },
		{ 20, 5 * HOUR, ADDRESS_UNKNOWN, LIKENESS_SURE },
		{ 21, 5 * HOUR, ADDRESS_UNKNOWN, LIKENESS_MAYBE },
		{ 31.9, 0, ADDRESS_STREET, LIKENESS_SURE },
		{ 32.1, 0, ADDRESS_STREET, LIKENESS_MAYBE },
		{ 23.9, 0, ADDRESS_MEETS, LIKENESS_SURE },
		{ 24.1, 0, ADDRESS_MEETS, LIKENESS_MAYBE },
		{ 9.9, 0, ADDRESS_ELSEWHERE, LIKENESS_SURE },
		{ 10.1, 0, ADDRESS_ELSEWHERE, LIKENESS_MAYBE },
		{ 90, 10 * HOUR, ADDRESS_DOOR, LIKENESS_SURE },
		{ 90, 10 * HOUR, ADDRESS_HOUSE, LIKENESS_SURE },
		{ 90, 10 * HOUR, ADDRESS_NEIGHBOUR, LIKENESS_SURE },
		{ 0, 10 * HOUR + 1, ADDRESS_DOOR, LIKENESS_MAYBE },
		{ 100, 20 * HOUR, ADDRESS_UNKNOWN, LIKENESS_MAYBE },
		{ 100.1, 0, ADDRESS_UNKNOWN, LIKENESS_NO },
		{ 0, 20 * HOUR + 1, ADDRESS_DOOR, LIKENESS_NO },
	};
	const struct category k = category_of(MATTER_PUBLIC);

	(void)state;
	CHECK_ROWS(&k, rows);
}

static void test_a_category_that_never_merges(void **state)
{
	static const struct row rows[] = {
		{ 0, 0, ADDRESS_DOOR, LIKENESS_MAYBE },
		{ 50, 1000 * HOUR, ADDRESS_UNKNOWN, LIKENESS_MAYBE },
		{ 51, 0, ADDRESS_UNKNOWN, LIKENESS_NO },
	};
	const struct category k = { .code = 10110 };

	(void)state;
	CHECK_ROWS(&k, rows);
	assert_true(likeness_metres(&k, &rules) == 50);
	assert_int_equal(likeness_window_ms(&k), INT64_MAX);
}

struct hands_row {
	enum address_relation where;
	enum hands hands;
	_Bool same_kind, at_desk;
	int64_t apart_ms;
	enum likeness is;
};

static void check_hands(const struct category *k, const struct hands_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct likeness_pair pair = {
			0, rows[i].apart_ms, rows[i].where, rows[i].hands, rows[i].same_kind, rows[i].at_desk
		};
		enum likeness is = likeness_judge(k, &rules, &pair).is;

		if (is != rows[i].is)
			fail_msg("row %zu: %d", i, is);
	}
}
#define CHECK_HANDS(k, rows) check_hands(k, rows, sizeof(rows) / sizeof *(rows))

static void test_a_household_s_own(void **state)
{
	static const struct hands_row rows[] = {
		{ ADDRESS_DOOR, HANDS_UNKNOWN, 1, 0, 0, LIKENESS_SURE },
		{ ADDRESS_DOOR, HANDS_UNKNOWN, 1, 1, 0, LIKENESS_MAYBE },
		{ ADDRESS_DOOR, HANDS_TWO, 0, 0, 0, LIKENESS_MAYBE },
		{ ADDRESS_DOOR, HANDS_SAME, 1, 1, 0, LIKENESS_SURE },
		{ ADDRESS_HOUSE, HANDS_UNKNOWN, 1, 0, 0, LIKENESS_MAYBE },
		{ ADDRESS_HOUSE, HANDS_SAME, 1, 0, 0, LIKENESS_SURE },
		{ ADDRESS_NEIGHBOUR, HANDS_UNKNOWN, 1, 0, 0, LIKENESS_NO },
		{ ADDRESS_NEIGHBOUR, HANDS_SAME, 1, 0, 0, LIKENESS_MAYBE },
		{ ADDRESS_STREET, HANDS_UNKNOWN, 0, 0, 0, LIKENESS_NO },
		{ ADDRESS_UNKNOWN, HANDS_UNKNOWN, 0, 0, 0, LIKENESS_NO },
		{ ADDRESS_UNKNOWN, HANDS_SAME, 1, 0, 0, LIKENESS_SURE },
		{ ADDRESS_ELSEWHERE, HANDS_SAME, 1, 0, 0, LIKENESS_MAYBE },
		{ ADDRESS_DOOR, HANDS_SAME, 1, 0, 10 * HOUR + 1, LIKENESS_MAYBE },
	};
	const struct category k = category_of(MATTER_OWN);

	(void)state;
	CHECK_HANDS(&k, rows);
}

static void test_several_in_a_row(void **state)
{
	static const struct hands_row rows[] = {
		{ ADDRESS_DOOR, HANDS_SAME, 1, 0, 0, LIKENESS_MAYBE },
		{ ADDRESS_DOOR, HANDS_UNKNOWN, 1, 0, 0, LIKENESS_MAYBE },
		{ ADDRESS_DOOR, HANDS_UNKNOWN, 0, 0, 0, LIKENESS_SURE },
		{ ADDRESS_DOOR, HANDS_TWO, 1, 0, 0, LIKENESS_SURE },
		{ ADDRESS_DOOR, HANDS_SAME, 1, 0, 15 * MINUTE, LIKENESS_SURE },
	};
	const struct category k = category_of(MATTER_SEVERAL);

	(void)state;
	CHECK_HANDS(&k, rows);
}

/* Of two, the same door before what is nearer, and the nearer before the farther. */
static void test_the_better_of_two(void **state)
{
	const struct category k = category_of(MATTER_PUBLIC);
	const struct likeness_pair door = { 90, HOUR, ADDRESS_DOOR, HANDS_TWO, 0, 0 },
				   near = { 1, HOUR, ADDRESS_UNKNOWN, HANDS_TWO, 0, 0 },
				   far = { 9, HOUR, ADDRESS_UNKNOWN, HANDS_TWO, 0, 0 };

	(void)state;
	assert_true(likeness_judge(&k, &rules, &door).score > likeness_judge(&k, &rules, &near).score);
	assert_true(likeness_judge(&k, &rules, &near).score > likeness_judge(&k, &rules, &far).score);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place_and_time_share_the_measure),
		cmocka_unit_test(test_a_category_that_never_merges),
		cmocka_unit_test(test_a_household_s_own),
		cmocka_unit_test(test_several_in_a_row),
		cmocka_unit_test(test_the_better_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
