/* Points in memory: balances, months, what is not payable yet, places rewarded lately. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "workflow/accounts.h"

static int64_t at(const char *text)
{
	int64_t ms;

	assert_true(clock_parse(text, &ms));
	return ms;
}

static int shanghai(void **state)
{
	(void)state;
	setenv("TZ", "Asia/Shanghai", 1);
	tzset();
	return 0;
}

static void give(struct accounts *a, const char *person, int64_t points, int64_t now, int64_t payable, int64_t case_id,
                 int64_t place)
{
	accounts_apply(a, &(struct ledger_fact){ .person = person,
	                                         .at_ms = now,
	                                         .payable_ms = payable,
	                                         .points = points,
	                                         .case_id = case_id,
	                                         .place_key = place });
}

static void test_nobody(void **state)
{
	(void)state;
	struct accounts *a = accounts_new();

	assert_null(accounts_find(a, "rider-07"));
	assert_int_equal(accounts_payable(a, "rider-07", 1), 0);
	assert_int_equal(accounts_rewarded_at(a, 5), 0);
	accounts_free(a);
	accounts_free(NULL);
}

static void test_a_balance_is_the_sum_of_its_rows(void **state)
{
	(void)state;
	struct accounts *a = accounts_new();
	int64_t now = at("2026-11-21 09:00:00"), sum = 0;

	for (unsigned seed = 3, i = 0; i < 1000; i++) {
		int64_t points = rand_r(&seed) % 21 - 5;

		sum += points;
		give(a, "rider-07", points, now + i, now + i, 1, 0);
		give(a, "rider-08", 1, now + i, now + i, 1, 0);
	}
	assert_int_equal(accounts_find(a, "rider-07")->balance, sum);
	assert_int_equal(accounts_payable(a, "rider-07", now), sum);
	assert_int_equal(accounts_find(a, "rider-08")->balance, 1000);
	assert_string_equal(accounts_find(a, "rider-07")->person, "rider-07");
	accounts_free(a);
}

/* The month is the local one: the cap begins anew at midnight of the street, not of Greenwich. */
static void test_the_month_turns(void **state)
{
	(void)state;
	struct accounts *a = accounts_new();
	int64_t last = at("2026-11-30 23:59:59"), first = last + 1000;

	assert_int_equal(accounts_month(last), 202611);
	assert_int_equal(accounts_month(first), 202612);
	give(a, "rider-07", 10, last, last, 1, 0);
	give(a, "rider-07", 5, last, last, 2, 0);
	assert_int_equal(accounts_find(a, "rider-07")->month, 202611);
	assert_int_equal(accounts_find(a, "rider-07")->month_points, 15);
	give(a, "rider-07", 7, first, first, 3, 0);
	assert_int_equal(accounts_find(a, "rider-07")->month, 202612);
	assert_int_equal(accounts_find(a, "rider-07")->month_points, 7);
	assert_int_equal(accounts_find(a, "rider-07")->balance, 22);
	accounts_free(a);
}

/* Neither a redemption nor a correction counts towards what may be earned in the month. */
static void test_only_cases_count_for_the_month(void **state)
{
	(void)state;
	struct accounts *a = accounts_new();
	int64_t now = at("2026-11-21 09:00:00");

	give(a, "rider-07", 10, now, now, 1, 0);
	give(a, "rider-07", -4, now, now, 0, 0);
	give(a, "rider-07", 3, now, now, 0, 0);
	assert_int_equal(accounts_find(a, "rider-07")->month_points, 10);
	assert_int_equal(accounts_find(a, "rider-07")->balance, 9);
	accounts_free(a);
}

/* One point counts; a row of none neither counts nor begins a month. */
static void test_the_smallest_row(void **state)
{
	(void)state;
	struct accounts *a = accounts_new();
	int64_t last = at("2026-11-30 23:59:59"), first = last + 1000;

	give(a, "rider-07", 1, last, last, 1, 0);
	assert_int_equal(accounts_find(a, "rider-07")->month_points, 1);
	give(a, "rider-07", 0, first, first, 1, 0);
	assert_int_equal(accounts_find(a, "rider-07")->month, 202611);
	assert_int_equal(accounts_find(a, "rider-07")->month_points, 1);
	give(a, "rider-07", 1, first, first, 1, 1); /* 1 is as good a key of a place as any */
	assert_int_equal(accounts_find(a, "rider-07")->month_points, 1);
	assert_int_equal(accounts_rewarded_at(a, 1), first);
	accounts_free(a);
}

static void test_counted_since(void **state)
{
	(void)state;
	struct accounts *a = accounts_new();

	assert_int_equal(accounts_rewarded_since(a, 77, 0), 0);
	for (int i = 1; i <= ACCOUNTS_TIMES + 1; i++)
		accounts_place(a, 77, i * 1000);
	assert_int_equal(accounts_rewarded_since(a, 77, 0), ACCOUNTS_TIMES);
	assert_int_equal(accounts_rewarded_since(a, 77, (ACCOUNTS_TIMES + 1) * 1000), 1);
	assert_int_equal(accounts_rewarded_since(a, 77, (ACCOUNTS_TIMES + 1) * 1000 + 1), 0);
	accounts_place(a, 78, 1000);
	assert_int_equal(accounts_rewarded_since(a, 78, 0), 1); /* what never was is not counted */
	accounts_free(a);
}

/* The account goes on under another name, with what is not payable yet; where there is none nothing happens. */
static void test_renamed(void **state)
{
	(void)state;
	struct accounts *a = accounts_new();

	accounts_rename(a, "rider-07", "erased-1");
	assert_null(accounts_find(a, "erased-1"));
	give(a, "rider-07", 10, 1000, 5000, 1, 0);
	give(a, "rider-07", 5, 1000, 1000, 2, 0);
	accounts_rename(a, "rider-07", "erased-1");
	assert_null(accounts_find(a, "rider-07"));
	assert_string_equal(accounts_find(a, "erased-1")->person, "erased-1");
	assert_int_equal(accounts_find(a, "erased-1")->balance, 15);
	assert_int_equal(accounts_payable(a, "erased-1", 4999), 5);
	assert_int_equal(accounts_payable(a, "erased-1", 5000), 15);
	accounts_free(a);
}

static void test_pending(void **state)
{
	(void)state;
	struct accounts *a = accounts_new();

	give(a, "rider-07", 10, 1000, 5000, 1, 0);
	give(a, "rider-07", 5, 1000, 3000, 2, 0);
	give(a, "rider-07", 1, 1000, 1000, 3, 0);
	assert_int_equal(accounts_payable(a, "rider-07", 1000), 1);
	assert_int_equal(accounts_payable(a, "rider-07", 2999), 1);
	assert_int_equal(accounts_payable(a, "rider-07", 3000), 6);
	assert_int_equal(accounts_payable(a, "rider-07", 5000), 16);
	give(a, "rider-07", -6, 3000, 3000, 0, 0); /* what has ripened is forgotten, what has not is kept */
	assert_int_equal(accounts_payable(a, "rider-07", 3000), 0);
	assert_int_equal(accounts_payable(a, "rider-07", 5000), 10);
	accounts_free(a);
}

static void test_restored(void **state)
{
	(void)state;
	struct accounts *a = accounts_new();

	accounts_set(a, "rider-07", 30, 202611, 25);
	accounts_pending(a, "rider-07", 10, 5000);
	accounts_place(a, 77, 900);
	assert_int_equal(accounts_find(a, "rider-07")->balance, 30);
	assert_int_equal(accounts_find(a, "rider-07")->month_points, 25);
	assert_int_equal(accounts_payable(a, "rider-07", 4999), 20);
	assert_int_equal(accounts_payable(a, "rider-07", 5000), 30);
	assert_int_equal(accounts_rewarded_at(a, 77), 900);
	accounts_free(a);
}

static void test_places(void **state)
{
	(void)state;
	struct accounts *a = accounts_new();

	give(a, "rider-07", 10, 1000, 1000, 1, 77);
	give(a, "rider-07", 10, 2000, 2000, 2, 78);
	give(a, "rider-07", 10, 3000, 3000, 3, 77);
	assert_int_equal(accounts_rewarded_at(a, 77), 3000);
	assert_int_equal(accounts_rewarded_at(a, 78), 2000);
	/* Beyond the most the oldest is forgotten; 78 is older than 77, which was rewarded again. */
	for (int64_t i = 0; i < ACCOUNTS_PLACES_MOST - 1; i++)
		accounts_place(a, 1000 + i, 4000);
	assert_int_equal(accounts_rewarded_at(a, 78), 0);
	assert_int_equal(accounts_rewarded_at(a, 77), 3000);
	accounts_place(a, 1, 5000);
	assert_int_equal(accounts_rewarded_at(a, 77), 0);
	accounts_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody),          cmocka_unit_test(test_a_balance_is_the_sum_of_its_rows),
		cmocka_unit_test(test_the_month_turns), cmocka_unit_test(test_only_cases_count_for_the_month),
		cmocka_unit_test(test_pending),         cmocka_unit_test(test_restored),
		cmocka_unit_test(test_places),          cmocka_unit_test(test_the_smallest_row),
		cmocka_unit_test(test_counted_since),   cmocka_unit_test(test_renamed),
	};

	return cmocka_run_group_tests(tests, shanghai, NULL);
}
