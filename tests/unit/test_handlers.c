/* handlers: who handles what, asked in the order of the steps, and the reason given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "jurisdiction/handlers.h"
#include "policy_folder.h"

#define N1 INT64_C(610404004001001)
#define N2 INT64_C(610404004001002)
#define S1 INT64_C(610404004002001)
#define MANHOLE 20101
#define RUBBISH 10110

static struct handler asked(const struct policy *p, int64_t grid, int32_t category, const char *when)
{
	struct handler_question q = { grid, HANDLER_NO_PLACE, HANDLER_NO_PLACE, category, policy_folder_time(when) };
	struct handler h;

	(void)policy_handler(p, &q, &h);
	return h;
}

static void expect(const struct handler *h, const char *unit, enum handler_step step, const char *why)
{
	char words[HANDLER_WHY_SIZE];

	assert_string_equal(h->unit ? h->unit->id : "nobody", unit);
	assert_int_equal(h->step, step);
	handler_why(h, words);
	assert_non_null(strstr(words, why));
}

static void test_the_steps_in_their_order(void **state)
{
	struct policy *p = policy_folder_load(
		"routes.csv", NULL, "category,area,unit,from,to\nC0101,610404004000,sanitation,,2026-11-01\n");
	struct handler h = asked(p, N2, MANHOLE, "2026-06-01T12:00");

	(void)state;
	expect(&h, "estate", HANDLER_CONTRACT, "contract c-1 until 2026-07-01");
	assert_int_equal(h.until_ms, policy_folder_time("2026-07-01T00:00"));
	h = asked(p, N2, MANHOLE, "2026-07-01T00:00");
	expect(&h, "homes", HANDLER_SELF_MANAGED, "c-2 until 2026-09-01");
	h = asked(p, N2, MANHOLE, "2026-09-01T00:00");
	expect(&h, "sanitation", HANDLER_ROUTE, "route C0101 in 610404004000 until 2026-11-01");
	h = asked(p, N2, MANHOLE, "2026-11-01T00:00");
	expect(&h, "street", HANDLER_STREET, "the street");
	h = asked(p, 610405001001001, MANHOLE, "2026-11-01T00:00");
	assert_null(h.unit);
	policy_release(p);
}

static void test_hours_go_before_all_day_and_over_midnight(void **state)
{
	struct policy *p = policy_folder_load("routes.csv", NULL,
	                                      "category,area,unit,from,to,co_units,hours\n"
	                                      "E0110,610404004000,sanitation,,,,\n"
	                                      "E0110,610404004000,river,,,street=2wh,18:00-08:00\n");
	struct handler h = asked(p, N1, RUBBISH, "2026-06-01T18:00+08:00");

	(void)state;
	expect(&h, "river", HANDLER_ROUTE, "route E0110");
	assert_null(h.tied);
	assert_int_equal(h.co_units->count, 1);
	assert_string_equal(h.co_units->units[0], "street");
	assert_int_equal(h.co_units->limits[0].amount, 2 * CLOCK_HOUR_MS);
	h = asked(p, N1, RUBBISH, "2026-06-01T07:59:59+08:00");
	expect(&h, "river", HANDLER_ROUTE, "route E0110");
	h = asked(p, N1, RUBBISH, "2026-06-01T08:00+08:00");
	expect(&h, "sanitation", HANDLER_ROUTE, "route E0110");
	assert_null(h.co_units);
	policy_release(p);
}

static void test_a_post_that_nobody_holds_offers_nothing(void **state)
{
	struct policy *p = policy_folder_load("routes.csv", NULL,
	                                      "category,area,unit,from,to\nE0110,610404004001001,post:doctor,,\n"
	                                      "E0110,610404004000,river,,\n");
	struct handler h = asked(p, N1, RUBBISH, "2026-06-01T12:00");

	(void)state;
	expect(&h, "sanitation", HANDLER_ROUTE, "post:doctor staff");
	assert_string_equal(handler_basis(&h), "post:doctor");
	assert_true(handler_basis_holds(p, "post:doctor", N1, policy_folder_time("2026-06-01T12:00")));
	h = asked(p, N1, RUBBISH, "2025-12-31T12:00");
	expect(&h, "river", HANDLER_ROUTE, "in 610404004000");
	assert_null(handler_basis(&h));
	assert_false(handler_basis_holds(p, "post:doctor", N1, policy_folder_time("2025-12-31T12:00")));
	policy_release(p);
}

static void test_contracts_that_end_are_warned_of(void **state)
{
	struct policy *p = policy_folder_load(NULL, NULL, NULL);
	struct problems w = { 0 };

	(void)state;
	policy_warn(p, policy_folder_time("2026-06-15T00:00"), &w);
	_Bool told = 0, idle = 0;
	for (size_t i = 0; i < w.warning_count; i++) {
		told |= strstr(w.warnings[i], "contracts.csv:2: warning: contract c-1 of estate ends on 2026-07-01") !=
		        NULL;
		idle |= strstr(w.warnings[i], "works by contract and none is in force") != NULL;
	}
	assert_false(told); /* the group follows it */
	assert_false(idle);
	problems_close(&w);
	policy_warn(p, policy_folder_time("2026-08-15T00:00"), &w);
	for (size_t i = 0; i < w.warning_count; i++) {
		told |= strstr(w.warnings[i], "contracts.csv:3: warning: contract c-2 of homes ends on 2026-09-01") !=
		        NULL;
		idle |= strstr(w.warnings[i], "units.csv:5: warning: property estate works by contract") != NULL;
	}
	assert_true(told && idle);
	problems_close(&w);
	policy_release(p);
}

static void test_the_river_is_the_contractor_s_and_nothing_beside_it(void **state)
{
	struct problems problems = { 0 };
	struct policy *p = policy_load("config/jurisdiction", &problems);
	struct handler_question q = { N1, 343313000, 1086950000, 10125, policy_folder_time("2026-11-21T12:00") };
	struct handler h;

	(void)state;
	assert_non_null(p);
	assert_true(policy_handler(p, &q, &h));
	expect(&h, "river", HANDLER_CONTRACT, "contract river-2026 until 2027-05-01");
	q.lat_e7 = 343400000;
	assert_true(policy_handler(p, &q, &h));
	expect(&h, "sanitation", HANDLER_ROUTE, "route E0125");
	q.lat_e7 = 343313000;
	q.at_ms = policy_folder_time("2027-05-01T00:00+08:00");
	assert_true(policy_handler(p, &q, &h));
	expect(&h, "sanitation", HANDLER_ROUTE, "route E0125");
	policy_release(p);
	problems_close(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_steps_in_their_order),
		cmocka_unit_test(test_hours_go_before_all_day_and_over_midnight),
		cmocka_unit_test(test_a_post_that_nobody_holds_offers_nothing),
		cmocka_unit_test(test_contracts_that_end_are_warned_of),
		cmocka_unit_test(test_the_river_is_the_contractor_s_and_nothing_beside_it),
	};

	setenv("TZ", "Asia/Shanghai", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
