#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workflow/reporters.h"

#define DAY 20000
#define NINE INT64_C(1000000000)
#define MINUTE 60000

static const char *const li = "li", *const wang = "wang";

static void nobody_has_reported(void **state)
{
	struct reporters *r = reporters_new();

	(void)state;
	assert_int_equal(reporters_today(r, li, DAY), 0);
	assert_int_equal(reporters_since(r, li, DAY, 0), 0);
	reporters_free(r);
	reporters_free(NULL);
}

static void each_is_counted_for_himself(void **state)
{
	struct reporters *r = reporters_new();

	(void)state;
	for (int i = 0; i < 5; i++)
		reporters_note(r, li, DAY, NINE + i * MINUTE);
	reporters_note(r, wang, DAY, NINE);
	assert_int_equal(reporters_today(r, li, DAY), 5);
	assert_int_equal(reporters_today(r, wang, DAY), 1);
	assert_int_equal(reporters_since(r, li, DAY, NINE + 3 * MINUTE), 2);
	assert_int_equal(reporters_since(r, li, DAY, NINE + 5 * MINUTE), 0);
	assert_int_equal(reporters_since(r, wang, DAY, NINE), 1);
	reporters_free(r);
}

static void another_day_begins_with_nothing(void **state)
{
	struct reporters *r = reporters_new();

	(void)state;
	reporters_note(r, li, DAY, NINE);
	assert_int_equal(reporters_today(r, li, DAY + 1), 0);
	assert_int_equal(reporters_since(r, li, DAY + 1, 0), 0);
	reporters_note(r, wang, DAY + 1, NINE + 90000000);
	assert_int_equal(reporters_today(r, li, DAY + 1), 0);
	assert_int_equal(reporters_today(r, li, DAY), 0);
	reporters_note(r, li, DAY, NINE); /* of a day that is over */
	assert_int_equal(reporters_today(r, li, DAY + 1), 0);
	reporters_free(r);
}

static void of_many_the_last_are_remembered(void **state)
{
	struct reporters *r = reporters_new();

	(void)state;
	for (int i = 0; i < 3 * REPORTERS_RECENT; i++)
		reporters_note(r, li, DAY, NINE + i * MINUTE);
	assert_int_equal(reporters_today(r, li, DAY), 3 * REPORTERS_RECENT);
	assert_int_equal(reporters_since(r, li, DAY, 0), REPORTERS_RECENT);
	assert_int_equal(reporters_since(r, li, DAY, NINE + (3 * REPORTERS_RECENT - 2) * MINUTE), 2);
	reporters_free(r);
}

static void a_whole_street_reports(void **state)
{
	struct reporters *r = reporters_new();
	static char names[10000][8];

	(void)state;
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 10000; i++)
			reporters_note(r, names[i], DAY, NINE + round);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(reporters_today(r, names[i], DAY), 3);
	reporters_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_has_reported),
		cmocka_unit_test(each_is_counted_for_himself),
		cmocka_unit_test(another_day_begins_with_nothing),
		cmocka_unit_test(of_many_the_last_are_remembered),
		cmocka_unit_test(a_whole_street_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
