/* Names, codes, case numbers and places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <math.h>

#include <cmocka.h>

#include "base/clock.h"
#include "workflow/case_number.h"
#include "workflow/domain.h"
#include "workflow/place.h"

static void test_states_by_name(void **state)
{
	(void)state;
	for (int s = 1; s < STATE_COUNT; s++) {
		const struct state_info *i = state_info((enum state)s);

		assert_int_equal(state_from_name(i->name), s);
		assert_true(i->zh[0] != '\0' && i->phase != RIGHTS_NO_CASE);
	}
	assert_int_equal(state_from_name("handling"), STATE_HANDLING);
	assert_int_equal(state_from_name("HANDLINGS"), STATE_NONE);
	assert_int_equal(state_from_name(""), STATE_NONE);
	assert_int_equal(state_from_name("NONE"), STATE_NONE);
}

/* The four that are archived on entry, and no other. */
static void test_terminal_states(void **state)
{
	(void)state;
	for (int s = 0; s < STATE_COUNT; s++)
		assert_int_equal(state_info((enum state)s)->terminal, s >= STATE_REWARDED);
}

static void test_acts_by_name(void **state)
{
	(void)state;
	for (int a = 1; a < ACT_COUNT; a++) {
		assert_int_equal(act_from_name(act_info((enum act)a)->name), a);
		assert_true(act_info((enum act)a)->zh[0] != '\0');
	}
	assert_int_equal(act_from_name("File"), ACT_NONE);
	assert_int_equal(act_from_name("none"), ACT_NONE);
}

static void test_kinds_and_roles_by_name(void **state)
{
	(void)state;
	for (int k = 1; k < REPORTER_KIND_COUNT; k++)
		assert_int_equal(reporter_kind_from_name(reporter_kind_name((enum reporter_kind)k)), k);
	assert_int_equal(reporter_kind_from_name("unset"), REPORTER_UNSET);
	assert_int_equal(reporter_kind_from_name("rider"), REPORTER_UNSET);
	for (int i = 0; i < ROLE_BITS; i++)
		assert_int_equal(role_from_name(role_name((enum role)(1 << i))), 1 << i);
	assert_int_equal(role_from_name("god"), 0);
	assert_string_equal(role_name((enum role)3), "none");
}

static void test_ratings_and_levels(void **state)
{
	(void)state;
	assert_string_equal(rating_name(RATING_NONE), "none");
	assert_string_equal(rating_name(RATING_UNANSWERED), "unanswered");
	assert_string_equal(level_name(LEVEL_GRID), "grid");
	assert_string_equal(level_name(LEVEL_DISTRICT), "district");
}

static void test_every_category(void **state)
{
	(void)state;
	char text[CATEGORY_TEXT_SIZE];

	for (int32_t code = 10001; code <= 29999; code++) {
		if (code == 20000)
			continue;
		category_text(code, text);
		assert_int_equal(category_from_text(text), code);
	}
	category_text(10110, text);
	assert_string_equal(text, "E0110");
	category_text(20199, text);
	assert_string_equal(text, "C0199");
}

static void test_what_is_no_category(void **state)
{
	(void)state;
	static const char *const bad[] = { "",      "E",     "E011", "E01100", "e0110", "X0110", "E01a0",
		                           "E 110", "E-110", "0110", "E0000",  "C0000", "垃圾" };
	char text[CATEGORY_TEXT_SIZE];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(category_from_text(bad[i]), 0);
	category_text(0, text);
	assert_string_equal(text, "E0000");
	category_text(-5, text);
	assert_string_equal(text, "E0000");
	category_text(99999, text);
	assert_string_equal(text, "E0000");
}

static void test_case_ids(void **state)
{
	(void)state;
	int32_t day = clock_ymd_to_day(20261121);
	int64_t id = case_id_make(7, day, 42), next = case_id_make(7, day, 43), tomorrow = case_id_make(7, day + 1, 1);

	assert_int_equal(case_id_day(id), day);
	assert_int_equal(case_id_sequence(id), 42);
	assert_true(id < next && next < tomorrow);
	assert_int_equal(case_id_sequence(case_id_make(0, day, CASE_SEQUENCE_MOST)), CASE_SEQUENCE_MOST);
	assert_int_equal(case_id_day(case_id_make(1023, day, CASE_SEQUENCE_MOST)), day);
	assert_true(case_id_make(1023, day, CASE_SEQUENCE_MOST) > 0);
	/* A clock that is not set yet makes ids of the first day there is. */
	assert_int_equal(case_id_day(case_id_make(0, 3, 1)), clock_ymd_to_day(20000101));
}

static void test_case_numbers_there_and_back(void **state)
{
	(void)state;
	char number[CASE_NUMBER_SIZE];
	int32_t day = clock_ymd_to_day(20261121);

	case_number_text(case_id_make(0, day, 42), 10110, number);
	assert_string_equal(number, "E01102026112100042");
	case_number_text(case_id_make(3, day, 42), 20101, number);
	assert_string_equal(number, "C0101202611213-00042");
	for (unsigned seed = 1, i = 0; i < 5000; i++) {
		int shard = rand_r(&seed) % 1024;
		int32_t at = clock_ymd_to_day(20000101) + rand_r(&seed) % 60000,
			sequence = rand_r(&seed) % (CASE_SEQUENCE_MOST + 1);
		int64_t id = case_id_make(shard, at, sequence);

		case_number_text(id, 10001 + rand_r(&seed) % 9999, number);
		assert_int_equal(case_number_id(number), id);
	}
}

static void test_what_is_no_case_number(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"E0110",
		"E011020261121",
		"E0110202611210004",   /* too few digits */
		"X01102026112100042",  /* no category */
		"E00002026112100042",  /* nor this */
		"E01102026133100042",  /* no month */
		"E01102026023000042",  /* no day */
		"E01101999123100042",  /* before the first day there is */
		"E011020261121a0042",  /* no digit */
		"E01102026112100042 ", /* more than a number */
		"E01102026112100042x",
		"E0110202611211024-00042", /* no shard */
		"E011020261121-1-00042",
		"E0110202611211--0042",
		"E0110202611211-",
		"E01102026112167108864",         /* more than a day has */
		"E0110202611219999999999999999", /* more than a number has */
		"E01105026112100001",            /* a day that no id has room for */
		"E01109999123100001",
		"E01102026112100042E01102026112100042",
		"E011020261121000420000000000000000000000000000000000000000000000",
		"Ｅ01102026112100042",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(case_number_id(bad[i]), 0);
	assert_int_not_equal(case_number_id("E01102026112167108863"), 0);
}

/* Beside the great circle, over distances a street has, in the south of the country and in the north. */
static void test_metres(void **state)
{
	(void)state;
	const double degree = 6371000.0 * M_PI / 180.0;

	for (double lat = -50; lat <= 54; lat += 8) {
		int32_t lat_e7 = (int32_t)(lat * 1e7), lon_e7 = 1087200000;
		double east = place_metres(lat_e7, lon_e7, lat_e7, lon_e7 + 10000);
		double north = place_metres(lat_e7, lon_e7, lat_e7 + 10000, lon_e7);

		assert_true(fabs(north - degree * 0.001) < 0.12);
		assert_true(fabs(east - degree * 0.001 * cos(lat * M_PI / 180.0)) < 0.12);
		assert_true(place_metres(lat_e7, lon_e7, lat_e7, lon_e7) == 0);
		assert_true(place_metres(lat_e7, lon_e7, lat_e7 + 500, lon_e7 - 700) ==
		            place_metres(lat_e7 + 500, lon_e7 - 700, lat_e7, lon_e7));
	}
}

/* Pairs that are published with the offset: what a phone's map gives, and what GPS gave. */
static void test_gcj02(void **state)
{
	(void)state;
	static const double known[][4] = {
		{ 31.17530398364597, 121.531541859215, 31.1774276, 121.5272106 },
		{ 22.540796131694766, 113.9171764808363, 22.543847, 113.912316 },
		{ 39.91334545536069, 116.38404722455657, 39.911954, 116.377817 },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		double lat = known[i][0], lon = known[i][1];

		place_gcj02_to_wgs84(&lat, &lon);
		assert_true(fabs(lat - known[i][2]) < 1e-6 && fabs(lon - known[i][3]) < 1e-6);
	}
}

static void test_gcj02_abroad(void **state)
{
	(void)state;
	double lat = 40.7128, lon = -74.0060;

	place_gcj02_to_wgs84(&lat, &lon);
	assert_true(lat == 40.7128 && lon == -74.0060);
	lat = -33.9;
	lon = 151.2;
	place_gcj02_to_wgs84(&lat, &lon);
	assert_true(lat == -33.9 && lon == 151.2);
}

static void test_a_position_as_one_number(void **state)
{
	static const int32_t places[][2] = {
		{ 343350000, 1086915000 }, { -423594000, -710587000 }, { -1, 1 }, { 0, 0 }
	};
	int32_t lat, lon;

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		place_unpack(place_pack(places[i][0], places[i][1]), &lat, &lon);
		assert_int_equal(lat, places[i][0]);
		assert_int_equal(lon, places[i][1]);
	}
	assert_int_equal(place_pack(0, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states_by_name),
		cmocka_unit_test(test_terminal_states),
		cmocka_unit_test(test_acts_by_name),
		cmocka_unit_test(test_kinds_and_roles_by_name),
		cmocka_unit_test(test_ratings_and_levels),
		cmocka_unit_test(test_every_category),
		cmocka_unit_test(test_what_is_no_category),
		cmocka_unit_test(test_case_ids),
		cmocka_unit_test(test_case_numbers_there_and_back),
		cmocka_unit_test(test_what_is_no_case_number),
		cmocka_unit_test(test_metres),
		cmocka_unit_test(test_gcj02),
		cmocka_unit_test(test_gcj02_abroad),
		cmocka_unit_test(test_a_position_as_one_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
