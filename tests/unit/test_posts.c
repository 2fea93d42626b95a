/* posts: who has the duty where and when, and what is vacant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "jurisdiction/policy.h"
#include "jurisdiction/posts.h"
#include "policy_folder.h"

#define N1 INT64_C(610404004001001)
#define N2 INT64_C(610404004001002)
#define S1 INT64_C(610404004002001)
#define STREET INT64_C(610404004000)

static struct policy *load_changed(const char *from, const char *to)
{
	return policy_folder_load(to ? "posts.csv" : NULL, from, to);
}

static const char *on_duty(const struct policy *p, int64_t area, const char *kind, const char *when)
{
	const struct post *post = policy_duty(p, area, kind, policy_folder_time(when));

	return post ? post->person : "nobody";
}

static void test_levels_of_codes(void **state)
{
	int64_t above[AREA_LEVELS];

	(void)state;
	assert_int_equal(area_level(N1), AREA_GRID);
	assert_int_equal(area_level(610404004001), AREA_COMMUNITY);
	assert_int_equal(area_level(STREET), AREA_STREET);
	assert_int_equal(area_level(610404000000), AREA_COUNTY);
	assert_int_equal(area_level(610400000000), AREA_CITY);
	assert_int_equal(area_level(610000000000), AREA_PROVINCE);
	assert_int_equal(area_level(0), AREA_EVERYWHERE);
	area_above(N1, above);
	assert_int_equal(above[1], 610404004001);
	assert_int_equal(above[2], STREET);
	assert_int_equal(above[AREA_LEVELS - 1], 0);
}

static void test_duty_falls_to_the_deepest_holder(void **state)
{
	struct policy *p = load_changed(NULL, NULL);

	(void)state;
	assert_string_equal(on_duty(p, N1, NULL, "2026-05-01T00:00"), "worker-01");
	/* nobody in the grid and its community: the street */
	assert_string_equal(on_duty(p, N2, NULL, "2026-05-01T00:00"), "staff");
	/* a larger area is not asked of those below it */
	assert_string_equal(on_duty(p, STREET, NULL, "2026-05-01T00:00"), "staff");
	assert_string_equal(on_duty(p, 610404000000, NULL, "2026-05-01T00:00"), "nobody");
	policy_release(p);
}

static void test_a_post_that_falls_vacant_passes_its_duty_up(void **state)
{
	struct policy *p = load_changed("610404004002,head,worker-02,,", "610404004002,head,worker-02,,2026-07-01");

	(void)state;
	assert_string_equal(policy_duty(p, S1, NULL, policy_folder_time("2026-05-31T23:59"))->kind, "full-time");
	assert_string_equal(policy_duty(p, S1, NULL, policy_folder_time("2026-06-01T00:00"))->kind, "head");
	assert_string_equal(policy_duty(p, S1, NULL, policy_folder_time("2026-07-01T00:00"))->kind, "duty");
	policy_release(p);
}

static void test_a_named_post_is_asked_for_by_name(void **state)
{
	struct policy *p = load_changed(NULL, NULL);

	(void)state;
	assert_string_equal(on_duty(p, N1, "doctor", "2026-05-01T00:00"), "staff");
	assert_string_equal(on_duty(p, N1, "doctor", "2025-12-31T00:00"), "nobody");
	assert_string_equal(on_duty(p, S1, "doctor", "2026-05-01T00:00"), "nobody");
	policy_release(p);
}

static void test_one_person_holds_several_posts(void **state)
{
	struct policy *p = load_changed(NULL, NULL);
	const struct post *all[8];
	size_t count = policy_duties(p, S1, NULL, policy_folder_time("2026-05-01T00:00"), all, 8);

	(void)state;
	assert_int_equal(count, 3);
	assert_string_equal(all[0]->kind, "full-time");
	assert_string_equal(all[1]->kind, "head");
	assert_string_equal(all[0]->person, all[1]->person);
	assert_string_equal(all[2]->kind, "duty");
	assert_int_equal(policy_duties(p, S1, NULL, policy_folder_time("2026-05-01T00:00"), all, 2), 2);
	policy_release(p);
}

struct seen {
	int count;
	char text[400];
};

static void see(void *ctx, const struct vacancy *v)
{
	struct seen *s = ctx;

	s->count++;
	snprintf(s->text + strlen(s->text), sizeof s->text - strlen(s->text), "%s %lld %d;", v->kind->id,
	         (long long)v->area, v->held);
}

static void test_vacancies_are_counted_where_the_quota_is(void **state)
{
	struct policy *p = load_changed(NULL, NULL);
	struct seen s = { 0 };

	(void)state;
	policy_vacancies(p, 0, policy_folder_time("2026-05-01T00:00"), see, &s);
	assert_string_equal(s.text, "full-time 610404004001002 0;");
	s = (struct seen){ 0 };
	policy_vacancies(p, 0, policy_folder_time("2026-06-01T00:00"), see, &s);
	assert_string_equal(s.text, "full-time 610404004001002 0;full-time 610404004002001 0;");
	s = (struct seen){ 0 };
	policy_vacancies(p, 610404004001, policy_folder_time("2026-06-01T00:00"), see, &s);
	assert_int_equal(s.count, 1);
	policy_release(p);
	/* held for a whole community, it is held for each of its grids */
	p = load_changed("610404004001001,full-time,worker-01", "610404004001,full-time,worker-02");
	s = (struct seen){ 0 };
	policy_vacancies(p, 0, policy_folder_time("2026-05-01T00:00"), see, &s);
	assert_int_equal(s.count, 0);
	policy_release(p);
}

static void test_vacancies_are_warned_of_in_one_line_a_kind(void **state)
{
	struct policy *p = load_changed(NULL, NULL);
	struct problems warnings = { 0 };

	(void)state;
	policy_warn(p, policy_folder_time("2026-06-01T00:00"), &warnings);
	assert_int_equal(warnings.count, 0);
	assert_int_equal(warnings.warning_count, 1);
	assert_non_null(strstr(warnings.warnings[0], "post_kinds.csv:2: warning: full-time"));
	assert_non_null(strstr(warnings.warnings[0], "in 2 grids, the first is 610404004001002 with 0 of at least 1"));
	problems_close(&warnings);
	policy_release(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels_of_codes),
		cmocka_unit_test(test_duty_falls_to_the_deepest_holder),
		cmocka_unit_test(test_a_post_that_falls_vacant_passes_its_duty_up),
		cmocka_unit_test(test_a_named_post_is_asked_for_by_name),
		cmocka_unit_test(test_one_person_holds_several_posts),
		cmocka_unit_test(test_vacancies_are_counted_where_the_quota_is),
		cmocka_unit_test(test_vacancies_are_warned_of_in_one_line_a_kind),
	};

	setenv("TZ", "Asia/Shanghai", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
