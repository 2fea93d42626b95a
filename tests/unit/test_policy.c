/* Look-ups in a jurisdiction: people, places, cameras, reasons, who handles what, and the sample itself. */
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
#include "base/digest.h"
#include "jurisdiction/cameras.h"
#include "jurisdiction/policy_map.h"
#include "policy_folder.h"
#include "workflow/domain.h"

#define SAMPLE "config/jurisdiction"
#define STREET INT64_C(610404004000)
#define NORTH INT64_C(610404004001)
#define N1 INT64_C(610404004001001)
#define S1 INT64_C(610404004002001)
#define E7(degrees) ((int32_t)((degrees)*1e7 + 0.5))
#define NOW INT64_C(1795222800000) /* 2026-11-21 09:00 in China */
#define RUBBISH 10110
#define WATER 10125

static const struct policy *load(const char *folder)
{
	struct problems p = { 0 };
	struct policy *policy = policy_load(folder, &p);

	problems_print(&p, stderr);
	problems_close(&p);
	assert_non_null(policy);
	return policy;
}

static void drop(const struct policy *policy)
{
	policy_release((struct policy *)policy);
}

static void test_rows_are_read_into_their_fields(void **state)
{
	const struct policy *p = policy_folder_load(NULL, NULL, NULL);
	const struct grid *g = policy_grid(p, N1);
	const struct category *k = policy_category(p, RUBBISH), *c = policy_category(p, 20101);
	const struct person *w = policy_person(p, "worker-01"), *s = policy_person(p, "staff");

	(void)state;
	assert_string_equal(g->name, "N1");
	assert_int_equal(g->community, NORTH);
	assert_int_equal(g->south_e7, 341000000);
	assert_int_equal(g->east_e7, 1082000000);
	assert_string_equal(k->zh, "暴露生活垃圾");
	assert_int_equal(k->limit.amount, 4 * CLOCK_HOUR_MS);
	assert_int_equal(k->limit.unit, LIMIT_CLOCK);
	assert_int_equal(k->points, 10);
	assert_true(k->sure && k->after_photo);
	assert_false(k->before_photo || k->near_far); /* the file leaves these columns out */
	assert_int_equal(k->merge_m, 30);
	assert_int_equal(k->merge_ms, CLOCK_DAY_MS);
	assert_string_equal(c->zh, "Manhole");
	assert_int_equal(w->kind, 2);
	assert_int_equal(w->roles, 1 | 8);
	assert_int_equal(w->area, N1);
	assert_true(w->trusted);
	assert_int_equal(strlen(w->token_sha256), 64);
	assert_null(s->token_sha256);
	assert_string_equal(s->unit, "sanitation");
	assert_int_equal(s->kind, 0);
	assert_int_equal(policy_area(p, STREET)->parent, INT64_C(610404000000));
	assert_string_equal(policy_unit(p, "river")->kind, "volunteer");
	assert_int_equal(policy_rules(p)->accept.amount, 20 * CLOCK_MINUTE_MS);
	assert_int_equal(policy_rules(p)->reward_month_most, 200);
	assert_int_equal(policy_rules(p)->verify_within_m, 100);
	drop(p);
}

static void test_the_unknown_is_null(void **state)
{
	const struct policy *p = policy_folder_load(NULL, NULL, NULL);

	(void)state;
	assert_null(policy_area(p, 0));
	assert_null(policy_area(p, N1));
	assert_null(policy_grid(p, STREET));
	assert_null(policy_category(p, 10100));
	assert_null(policy_unit(p, NULL));
	assert_null(policy_unit(p, "worker-01"));
	assert_null(policy_person(p, ""));
	assert_null(policy_person(p, "worker-0"));
	assert_null(policy_person(p, "worker-011"));
	assert_null(policy_area_at(p, 5));
	assert_null(policy_grid_at(p, 3));
	assert_null(policy_category_at(p, 3));
	assert_null(policy_unit_at(p, 5));
	assert_null(policy_person_at(p, 4));
	assert_null(policy_camera_at(p, 2));
	assert_non_null(policy_camera_at(p, 1));
	drop(p);
}

static void test_cameras_are_found_by_id_and_label(void **state)
{
	const struct policy *p = policy_folder_load(NULL, NULL, NULL);
	char long_text[500];

	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	const struct camera *first = policy_camera(p, "cam-1"), *second = policy_camera(p, "cam-2");

	assert_ptr_equal(first, policy_camera_at(p, 0));
	assert_int_equal(second->grid, 0);
	assert_null(policy_camera(p, "cam-3"));
	assert_null(policy_camera(p, NULL));
	assert_int_equal(policy_camera_label(p, first, "water")->category, WATER);
	assert_int_equal(policy_camera_label(p, first, "rubbish bin")->category, RUBBISH);
	assert_null(policy_camera_label(p, second, "water"));
	assert_null(policy_camera_label(p, first, "fire"));
	assert_null(policy_camera_label(p, first, "bin\n"));
	assert_null(policy_camera_label(p, first, long_text));
	assert_null(policy_camera_label(p, NULL, "water"));
	assert_null(policy_camera_label(p, first, NULL));
	drop(p);
}

static void test_the_nearest_row_says_what_a_label_means(void **state)
{
	const struct policy *p = policy_folder_load("camera_labels.csv", "cam-1,water", "cam-1,rubbish bin");
	const struct camera *first = policy_camera(p, "cam-1"), *second = policy_camera(p, "cam-2");
	const struct camera_label *smoke = policy_camera_label(p, second, "smoke");

	(void)state;
	assert_int_equal(policy_camera_label(p, first, "rubbish bin")->category, WATER);
	assert_int_equal(policy_camera_label(p, second, "rubbish bin")->category, RUBBISH);
	assert_true(smoke->confidence <= 0);
	assert_int_equal(smoke->dwell_ms, 30000);
	assert_int_equal(smoke->repeat, 3);
	assert_int_equal(smoke->gap_ms, 120000);
	assert_int_equal(policy_camera_label(p, first, "rubbish bin")->gap_ms, 0);
	drop(p);
}

static void test_a_device_is_found_by_what_it_calls_itself(void **state)
{
	const struct policy *p = policy_folder_load(NULL, NULL, NULL);

	(void)state;
	assert_ptr_equal(policy_camera_device(p, "eyes", "aa:0B:CC/1"), policy_camera(p, "cam-1"));
	assert_null(policy_camera_device(p, "ears", "aa:0B:CC/1"));
	assert_null(policy_camera_device(p, "eyes", "aa:0B:CC"));
	assert_null(policy_camera_device(p, "eyes", ""));
	assert_null(policy_camera_device(p, NULL, NULL));
	drop(p);
}

static void test_reasons_belong_to_their_act(void **state)
{
	const struct policy *p = policy_folder_load(NULL, NULL, NULL);
	char list[64], little[8];

	(void)state;
	assert_string_equal(policy_reason(p, "reject", "unclear"), "Unclear");
	assert_null(policy_reason(p, "return", "unclear"));
	assert_null(policy_reason(p, "reject", NULL));
	policy_reasons(p, "reject", list, sizeof list);
	assert_string_equal(list, "not-ours, unclear");
	policy_reasons(p, "extend", list, sizeof list);
	assert_string_equal(list, "");
	policy_reasons(p, "reject", little, sizeof little);
	assert_string_equal(little, "not-our");
	drop(p);
}

static int64_t located(const struct policy *p, double lat, double lon)
{
	const struct grid *g = policy_locate(p, E7(lat), E7(lon), NOW);

	return g ? g->code : 0;
}

static void test_the_smallest_box_holds_a_place(void **state)
{
	const struct policy *p = policy_folder_load(NULL, NULL, NULL);

	(void)state;
	assert_int_equal(located(p, 34.15, 108.15), N1);
	assert_int_equal(located(p, 34.26, 108.26), S1);
	/* Inside both: the smaller one, though it comes first in the file by no more than chance. */
	assert_int_equal(located(p, 34.305, 108.305), INT64_C(610404004001002));
	/* Edges and corners belong to the box; a step further nothing does. */
	assert_int_equal(located(p, 34.10, 108.10), N1);
	assert_int_equal(located(p, 34.20, 108.20), N1);
	assert_int_equal(located(p, 34.2000002, 108.20), 0);
	assert_int_equal(located(p, 34.0999998, 108.15), 0);
	assert_int_equal(located(p, 0, 0), 0);
	assert_null(policy_locate(p, INT32_MIN, INT32_MIN, NOW));
	assert_null(policy_locate(p, INT32_MAX, INT32_MAX, NOW));
	drop(p);
}

static void test_boxes_south_and_west_of_zero_and_round_the_world(void **state)
{
	const struct policy *p =
		policy_folder_load("grids.csv", NULL,
	                           "grid,name,community,south,west,north,east\n"
	                           "610404004001002,Tiny,610404004001,-0.0001,-0.0001,0.0001,0.0001\n"
	                           "610404004001001,World,610404004001,-90,-180,90,180\n"
	                           "610404004002001,Same as tiny,610404004002,-0.0001,-0.0001,0.0001,0.0001\n");

	(void)state;
	assert_ptr_equal(policy_locate(p, -1000, 1000, NOW), policy_grid_at(p, 0));
	assert_ptr_equal(policy_locate(p, 1000, -1000, NOW), policy_grid_at(p, 0));
	assert_ptr_equal(policy_locate(p, -1001, 0, NOW), policy_grid_at(p, 1));
	assert_ptr_equal(policy_locate(p, 900000000, 1800000000, NOW), policy_grid_at(p, 1));
	assert_ptr_equal(policy_locate(p, -900000000, -1800000000, NOW), policy_grid_at(p, 1));
	assert_null(policy_locate(p, 900000001, 0, NOW));
	drop(p);
}

static const char *routed(const struct policy *p, int64_t grid, int32_t category, const char *when, _Bool *sure)
{
	const struct unit *unit = policy_route(p, grid, category, policy_folder_time(when), sure);

	return unit ? unit->id : "nobody";
}

static void test_the_more_specific_route_wins(void **state)
{
	const struct policy *p = policy_folder_load(NULL, NULL, NULL);
	_Bool sure;

	(void)state;
	/* The community's route for the class goes before the street's for the category itself. */
	assert_string_equal(routed(p, N1, RUBBISH, "2026-11-21T12:00", &sure), "river");
	assert_true(sure);
	assert_string_equal(routed(p, S1, RUBBISH, "2026-11-21T12:00", &sure), "sanitation");
	assert_true(sure);
	assert_string_equal(routed(p, S1, WATER, "2026-11-21T12:00", NULL), "street");
	/* What has no grid yet, or no category, gets the route that holds for everything. */
	assert_string_equal(routed(p, 0, RUBBISH, "2026-11-21T12:00", &sure), "street");
	assert_true(sure);
	assert_string_equal(routed(p, N1, 0, "2026-11-21T12:00", NULL), "street");
	drop(p);
}

static void test_a_narrower_category_wins_within_an_area(void **state)
{
	const struct policy *p =
		policy_folder_load("routes.csv", NULL,
	                           "category,area,unit,from,to\n*,610404004001001,street,,\n"
	                           "E01,610404004001001,river,,\nE0110,610404004001001,sanitation,,\n");

	(void)state;
	assert_string_equal(routed(p, N1, RUBBISH, "2026-01-01T00:00", NULL), "sanitation");
	assert_string_equal(routed(p, N1, WATER, "2026-01-01T00:00", NULL), "river");
	assert_string_equal(routed(p, N1, 20101, "2026-01-01T00:00", NULL), "street");
	drop(p);
}

static void test_a_contract_holds_from_its_first_day_until_before_its_last(void **state)
{
	const struct policy *p = policy_folder_load(NULL, NULL, NULL);

	(void)state;
	assert_string_equal(routed(p, N1, WATER, "2026-04-30T23:59:59+08:00", NULL), "street");
	assert_string_equal(routed(p, N1, WATER, "2026-05-01T00:00:00+08:00", NULL), "river");
	assert_string_equal(routed(p, N1, WATER, "2027-04-30T23:59:59+08:00", NULL), "river");
	assert_string_equal(routed(p, N1, WATER, "2027-05-01T00:00:00+08:00", NULL), "street");
	drop(p);
}

/* 2026-10-01 is a Thursday; a Saturday stays one whatever holiday it is. */
static void test_the_clock_runs_on_a_worked_holiday(void **state)
{
	const struct policy *rest = policy_folder_load(NULL, NULL, NULL);
	const struct policy *run = policy_folder_load("calendar.csv", "2026-10-01,holiday", "2026-10-01,worked");
	const struct policy *weekend = policy_folder_load("calendar.csv", "2026-10-01,holiday", "2026-10-03,worked");
	int32_t thursday = clock_ymd_to_day(20261001);

	(void)state;
	assert_false(calendar_works(policy_calendar(rest), thursday));
	assert_true(calendar_works(policy_calendar(run), thursday));
	assert_false(calendar_works(policy_calendar(weekend), thursday + 2));
	drop(rest);
	drop(run);
	drop(weekend);
}

static void test_a_tie_takes_the_first_and_is_not_sure(void **state)
{
	const struct policy *p =
		policy_folder_load("routes.csv", NULL,
	                           "category,area,unit,from,to\nE0110,610404004000,river,,\n"
	                           "E0110,610404004000,sanitation,,\nE01,610404004000,street,,\n"
	                           "E0125,610404004000,street,2026-01-01,\nE0125,610404004000,street,,\n");
	_Bool sure = 1;

	(void)state;
	assert_string_equal(routed(p, N1, RUBBISH, "2026-06-01T00:00", &sure), "river");
	assert_false(sure);
	/* Two rows that name the same unit leave no doubt about who it is. */
	assert_string_equal(routed(p, N1, WATER, "2026-06-01T00:00", &sure), "street");
	assert_true(sure);
	drop(p);
}

static void test_without_a_route_it_is_the_area_s_own_unit(void **state)
{
	const struct policy *p =
		policy_folder_load("routes.csv", NULL, "category,area,unit,from,to\nE0110,610404004001,river,,\n");
	_Bool sure = 1;

	(void)state;
	assert_string_equal(routed(p, S1, RUBBISH, "2026-06-01T00:00", &sure), "street");
	assert_true(sure);
	assert_string_equal(routed(p, INT64_C(610405001001001), RUBBISH, "2026-06-01T00:00", &sure), "nobody");
	assert_false(sure);
	assert_string_equal(routed(p, N1, WATER, "2026-06-01T00:00", &sure), "street");
	assert_string_equal(routed(p, NORTH, RUBBISH, "2026-06-01T00:00", &sure), "river");
	drop(p);
}

struct holding {
	int64_t prefix, code;
	_Bool holds;
};

static void test_area_holds(void **state)
{
	static const struct holding cases[] = {
		{ 0, N1, 1 },
		{ 0, 0, 1 },
		{ STREET, N1, 1 },
		{ STREET, NORTH, 1 },
		{ STREET, STREET, 1 },
		{ NORTH, N1, 1 },
		{ NORTH, S1, 0 },
		{ NORTH, STREET, 0 },
		{ N1, N1, 1 },
		{ N1, NORTH, 0 },
		{ N1, INT64_C(610404004001002), 0 },
		{ 610000000000, N1, 1 },
		{ 610400000000, N1, 1 },
		{ 610404000000, N1, 1 },
		{ 610404000000, 610400000000, 0 },
		{ 610402000000, N1, 0 },
		{ 620000000000, N1, 0 },
		{ 610404005000, N1, 0 },
		{ STREET, 0, 0 },
		{ STREET, 610404004, 0 },
		{ STREET, -1, 0 },
		{ -1, N1, 0 },
		{ 610404, N1, 0 },
		{ STREET, INT64_C(6104040040010010), 0 },
		{ STREET, INT64_C(61040400400100), 0 },
		{ STREET, INT64_MAX, 0 },
		{ INT64_MIN, N1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (area_holds(cases[i].prefix, cases[i].code) != cases[i].holds)
			fail_msg("area_holds(%lld, %lld) is wrong", (long long)cases[i].prefix,
			         (long long)cases[i].code);
}

static void test_area_code_from_text(void **state)
{
	static const char *const none[] = { "",
		                            "0",
		                            "61040400400",
		                            "6104040040010",
		                            "061040400400",
		                            "61040400400x",
		                            "-61040400400",
		                            " 610404004000",
		                            "610404004000 ",
		                            "610404004001001001" };

	(void)state;
	assert_int_equal(area_code_from_text("610404004000"), STREET);
	assert_int_equal(area_code_from_text("610404004001001"), N1);
	assert_int_equal(area_code_from_text(NULL), 0);
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		assert_int_equal(area_code_from_text(none[i]), 0);
}

/* ---- the sample ---- */

/* The demo's tokens are what its file says they are; the administrator's first one is made on the machine. */
static void check_token(struct digester *d, const struct person *who)
{
	char token[128], found[DIGEST_TEXT_SIZE];
	uint8_t digest[DIGEST_SIZE];

	if (who->roles == ROLE_ADMINISTRATOR) {
		assert_null(who->token_sha256);
		return;
	}
	snprintf(token, sizeof token, "demo-%s", who->id);
	digest_begin(d);
	digest_add(d, token, strlen(token));
	digest_end(d, digest);
	digest_text(digest, found);
	assert_string_equal(found, who->token_sha256);
}

static void test_the_sample_is_whole(void **state)
{
	const struct policy *p = load(SAMPLE);
	struct digester *d = digester_new();
	uint32_t roles = 0, kinds = 0;

	(void)state;
	for (size_t i = 0; policy_person_at(p, i); i++) {
		const struct person *who = policy_person_at(p, i);

		roles |= who->roles;
		kinds |= UINT32_C(1) << who->kind;
		check_token(d, who);
	}
	assert_int_equal(roles, (1 << ROLE_BITS) - 1);
	/* Every kind of reporter and, with 0, staff who report nothing. */
	assert_int_equal(kinds, (1 << 13) - 1);
	assert_string_equal(policy_area(p, STREET)->name, "渭阳街道");
	assert_non_null(policy_area(p, INT64_C(610404004021)));
	assert_non_null(policy_category(p, RUBBISH));
	digester_free(d);
	drop(p);
}

static void test_the_sample_cameras_stand_in_their_grids(void **state)
{
	const struct policy *p = load(SAMPLE);
	const struct camera *k;

	(void)state;
	for (size_t i = 0; (k = policy_camera_at(p, i)); i++)
		assert_true(k->grid == 0 || policy_locate(p, k->lat_e7, k->lon_e7, NOW)->code == k->grid);
	drop(p);
}

static void test_the_sample_has_a_handler_for_everything(void **state)
{
	const struct policy *p = load(SAMPLE);
	const struct category *k;
	const struct grid *g;

	(void)state;
	for (size_t i = 0; (g = policy_grid_at(p, i)); i++)
		for (size_t j = 0; (k = policy_category_at(p, j)); j++)
			assert_non_null(
				policy_route(p, g->code, k->code, policy_folder_time("2026-11-21T12:00"), NULL));
	assert_string_equal(routed(p, N1, WATER, "2026-11-21T12:00", NULL), "sanitation");
	assert_string_equal(routed(p, INT64_C(610404004006001), RUBBISH, "2026-11-21T12:00", NULL), "property-01");
	drop(p);
}

static void test_the_sample_rules_are_the_defaults(void **state)
{
	const struct policy *p = load(SAMPLE);
	struct policy_rules defaults;

	(void)state;
	memset(&defaults, 0, sizeof defaults);
	settings_defaults(policy_settings(), &defaults);
	for (const struct setting *row = policy_settings(); row->key; row++)
		if (!settings_same(row, policy_rules(p), &defaults))
			fail_msg("%s is not its default", row->key);
	drop(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_read_into_their_fields),
		cmocka_unit_test(test_the_unknown_is_null),
		cmocka_unit_test(test_cameras_are_found_by_id_and_label),
		cmocka_unit_test(test_the_nearest_row_says_what_a_label_means),
		cmocka_unit_test(test_a_device_is_found_by_what_it_calls_itself),
		cmocka_unit_test(test_reasons_belong_to_their_act),
		cmocka_unit_test(test_the_smallest_box_holds_a_place),
		cmocka_unit_test(test_boxes_south_and_west_of_zero_and_round_the_world),
		cmocka_unit_test(test_the_more_specific_route_wins),
		cmocka_unit_test(test_a_narrower_category_wins_within_an_area),
		cmocka_unit_test(test_a_contract_holds_from_its_first_day_until_before_its_last),
		cmocka_unit_test(test_the_clock_runs_on_a_worked_holiday),
		cmocka_unit_test(test_a_tie_takes_the_first_and_is_not_sure),
		cmocka_unit_test(test_without_a_route_it_is_the_area_s_own_unit),
		cmocka_unit_test(test_area_holds),
		cmocka_unit_test(test_area_code_from_text),
		cmocka_unit_test(test_the_sample_is_whole),
		cmocka_unit_test(test_the_sample_cameras_stand_in_their_grids),
		cmocka_unit_test(test_the_sample_has_a_handler_for_everything),
		cmocka_unit_test(test_the_sample_rules_are_the_defaults),
	};

	setenv("TZ", "Asia/Shanghai", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
