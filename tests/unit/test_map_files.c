/* The files of a jurisdiction's map: what is read from them, and each mistake told with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "jurisdiction/policy_map.h"
#include "policy_folder.h"

#define N1 INT64_C(610404004001001)
#define N2 INT64_C(610404004001002)
#define S1 INT64_C(610404004002001)
#define E7(degrees) ((int32_t)((degrees)*1e7 + 0.5))

static const char rows[] = "grid,name,community,from,to\n"
			   "610404004001001,N1,610404004001,,\n"
			   "610404004001002,N2,610404004001,,\n"
			   "610404004002001,S1,610404004002,,\n";
/* N1 stands alone and is of two parts; N2 fills the hole of S1. */
static const char outlines[] =
	"{\"type\":\"FeatureCollection\",\"features\":[\n"
	"{\"type\":\"Feature\",\"properties\":{\"grid\":\"610404004001001\"},\"geometry\":{\"type\":\"MultiPolygon\","
	"\"coordinates\":[[[[108.1,34.1],[108.2,34.1],[108.2,34.2],[108.1,34.2],[108.1,34.1]]],"
	"[[[108.05,34.05],[108.06,34.05],[108.06,34.06],[108.05,34.05]]]]}},\n"
	"{\"type\":\"Feature\",\"properties\":{\"grid\":610404004001002},\"geometry\":{\"type\":\"Polygon\","
	"\"coordinates\":[[[108.3,34.3],[108.31,34.3],[108.31,34.31],[108.3,34.31],[108.3,34.3]]]}},\n"
	"{\"type\":\"Feature\",\"properties\":{\"grid\":\"610404004002001\"},\"geometry\":{\"type\":\"Polygon\","
	"\"coordinates\":[[[108.25,34.25],[108.4,34.25],[108.4,34.4],[108.25,34.4],[108.25,34.25]],"
	"[[108.3,34.3],[108.31,34.3],[108.31,34.31],[108.3,34.31],[108.3,34.3]]]}}\n]}\n";

static const char *const extra[] = { "grids.geojson", "overlays.csv", "overlays.geojson", "default_points.csv" };

static void write_extra(const char *folder, const char *name, const char *text)
{
	char path[POLICY_FOLDER_SIZE + 64];

	snprintf(path, sizeof path, "%s/%s", folder, name);

	FILE *to = fopen(path, "we");

	assert_true(to && fputs(text, to) >= 0);
	assert_int_equal(fclose(to), 0);
}

/* text with the first `from` in it turned into `to`; on the heap. */
static char *changed(const char *text, const char *from, const char *to)
{
	const char *spot = strstr(text, from);
	char *out = NULL;

	if (!spot)
		fail_msg("\"%s\" is not in the text", from);
	assert_true(asprintf(&out, "%.*s%s%s", (int)(spot - text), text, to, spot + strlen(from)) >= 0);
	return out;
}

static void make_folder(char folder[POLICY_FOLDER_SIZE])
{
	policy_folder_make(folder);
	policy_folder_change(folder, "grids.csv", NULL, rows);
	policy_folder_change(folder, "policy.conf", "map_may_overlap = yes\n", "");
	write_extra(folder, "grids.geojson", outlines);
}

static void drop_folder(const char *folder)
{
	char path[POLICY_FOLDER_SIZE + 64];

	for (size_t i = 0; i < sizeof extra / sizeof extra[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, extra[i]);
		(void)unlink(path);
	}
	policy_folder_drop(folder);
}

static struct policy *load_and_drop(const char *folder)
{
	struct problems p = { 0 };
	struct policy *policy = policy_load(folder, &p);

	problems_print(&p, stderr);
	problems_close(&p);
	drop_folder(folder);
	assert_non_null(policy);
	return policy;
}

static int64_t at(const char *text)
{
	int64_t ms;

	assert_true(clock_parse(text, &ms));
	return ms;
}

static int64_t located(const struct policy *p, double lat, double lon, int64_t at_ms)
{
	const struct grid *g = policy_locate(p, E7(lat), E7(lon), at_ms);

	return g ? g->code : 0;
}

/* ---- what is read ---- */

static void test_parts_and_holes(void **state)
{
	char folder[POLICY_FOLDER_SIZE];

	(void)state;
	make_folder(folder);

	struct policy *p = load_and_drop(folder);

	assert_int_equal(located(p, 34.15, 108.15, 0), N1);
	assert_int_equal(located(p, 34.053, 108.057, 0), N1);
	assert_int_equal(located(p, 34.057, 108.053, 0), 0); /* across the triangle's long side */
	assert_int_equal(located(p, 34.305, 108.305, 0), N2);
	assert_int_equal(located(p, 34.299, 108.305, 0), S1);
	/* The common border belongs to the smaller one, always. */
	assert_int_equal(located(p, 34.30, 108.305, 0), N2);
	assert_int_equal(located(p, 34.31, 108.31, 0), N2);
	assert_int_equal(located(p, 34.2499999, 108.30, 0), 0);
	assert_int_equal(located(p, 34.25, 108.30, 0), S1);
	policy_release(p);
}

static void test_versions_follow_each_other(void **state)
{
	char folder[POLICY_FOLDER_SIZE], *json;

	(void)state;
	make_folder(folder);
	policy_folder_change(folder, "grids.csv", NULL,
	                     "grid,name,community,from,to\n"
	                     "610404004001001,N1,610404004001,,2026-07-01\n"
	                     "610404004001001,N1 anew,610404004001,2026-07-01,\n"
	                     "610404004001002,N2,610404004001,,\n"
	                     "610404004002001,S1,610404004002,,\n");
	json = changed(outlines, "\n]}\n",
	               ",\n{\"type\":\"Feature\",\"properties\":{\"grid\":\"610404004001001\",\"from\":\"2026-07-01\"},"
	               "\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[108.1,34.1],[108.15,34.1],[108.15,34.2],"
	               "[108.1,34.2],[108.1,34.1]]]}}\n]}\n");
	write_extra(folder, "grids.geojson", json);
	free(json);
	policy_folder_change(folder, "cameras.csv", "610404004001001,34.15,108.15", "610404004001001,34.15,108.14");

	struct policy *p = load_and_drop(folder);
	int64_t before = at("2026-06-30T23:59"), after = at("2026-07-01T00:00");

	assert_int_equal(located(p, 34.15, 108.18, before), N1);
	assert_int_equal(located(p, 34.15, 108.18, after), 0);
	assert_int_equal(located(p, 34.15, 108.12, after), N1);
	assert_string_equal(policy_grid(p, N1)->name, "N1 anew");
	assert_string_equal(policy_grid_on(p, N1, before)->name, "N1");
	assert_string_equal(policy_locate(p, E7(34.15), E7(108.12), before)->name, "N1");
	assert_null(policy_grid_on(p, 1, before));
	policy_release(p);
}

static void test_overlays_and_default_points(void **state)
{
	char folder[POLICY_FOLDER_SIZE];
	const struct overlay *found[4];
	const struct grid *g;

	(void)state;
	make_folder(folder);
	write_extra(folder, "overlays.csv",
	            "overlay,name,kind,from,to\nriver,河,river,,\nwork,工地,contract,2026-01-01,2026-07-01\n");
	write_extra(
		folder, "overlays.geojson",
		"{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":{\"overlay\":"
		"\"river\",\"width_m\":200},\"geometry\":{\"type\":\"LineString\",\"coordinates\":[[108.05,34.15],"
		"[108.25,34.15]]}},{\"type\":\"Feature\",\"properties\":{\"overlay\":\"work\"},\"geometry\":{\"type\":"
		"\"Polygon\",\"coordinates\":[[[108.15,34.149],[108.151,34.149],[108.151,34.151],[108.15,34.151],"
		"[108.15,34.149]]]}}]}");
	write_extra(folder, "default_points.csv", "name,lat,lon,radius_m\nTown hall,34.16,108.16,5\n");

	struct policy *p = load_and_drop(folder);
	int64_t day = at("2026-03-01T12:00"), later = at("2026-08-01T12:00");

	assert_int_equal(policy_overlays_at(p, E7(34.15), E7(108.1505), day, found, 4), 2);
	assert_string_equal(found[0]->id, "work");
	assert_string_equal(found[1]->id, "river");
	assert_int_equal(policy_overlays_at(p, E7(34.15), E7(108.1505), day, found, 1), 1);
	assert_int_equal(policy_overlays_at(p, E7(34.15), E7(108.1505), later, found, 4), 1);
	/* 100 m to each side: 0.0009 degrees of latitude. */
	assert_int_equal(policy_overlays_at(p, E7(34.1508), E7(108.12), day, found, 4), 1);
	assert_int_equal(policy_overlays_at(p, E7(34.1510), E7(108.12), day, found, 4), 0);
	assert_string_equal(policy_overlay(p, "river")->kind, "river");
	assert_null(policy_overlay(p, "lake"));
	assert_int_equal(policy_told(p, E7(34.16), E7(108.16), day, &g), TOLD_DEFAULT);
	assert_null(g);
	assert_int_equal(policy_told(p, E7(34.16003), E7(108.16), day, &g), TOLD_DEFAULT);
	assert_int_equal(policy_told(p, E7(34.1601), E7(108.16), day, &g), TOLD_LOCATED);
	assert_int_equal(g->code, N1);
	assert_int_equal(policy_told(p, 0, 0, day, &g), TOLD_DEFAULT);
	assert_int_equal(policy_told(p, E7(35), E7(109), day, &g), TOLD_OUTSIDE);
	for (int t = 0; t < TOLD_COUNT; t++)
		assert_int_equal(told_from_name(told_name((enum told)t)), t);
	policy_release(p);
}

/* ---- what is wrong ---- */

static const struct mistake {
	const char *file; /* whose text is changed */
	const char *from, *to;
	const char *told[2]; /* what one of the problems says */
} mistakes[] = {
	{ "grids.geojson",
	  "\"FeatureCollection\"",
	  "\"FeatureCollection\",,",
	  { "geojson:1: found no JSON", "FeatureCollection" } },
	{ "grids.geojson",
	  "\"FeatureCollection\"",
	  "\"Feature\"",
	  { "found no FeatureCollection", "expected GeoJSON" } },
	{ "grids.geojson",
	  "\"MultiPolygon\"",
	  "\"Point\"",
	  { "geojson:2: feature 1 (grid 610404004001001): found \"Point\"", "expected Polygon or MultiPolygon" } },
	{ "grids.geojson",
	  "{\"grid\":610404004001002}",
	  "{\"code\":\"x\"}",
	  { "feature 2: found no property \"grid\"", "15 digits" } },
	{ "grids.geojson",
	  "610404004001002",
	  "610404004001009",
	  { "geojson:3: feature 2: found grid 610404004001009", "grids.csv" } },
	{ "grids.geojson",
	  "610404004001002",
	  "610404004002001",
	  { "geojson:4: feature 3: found another outline of grid 610404004002001", "MultiPolygon" } },
	{ "grids.geojson",
	  "610404004001002",
	  "610404004002001",
	  { "grids.csv:3: found grid 610404004001002 without an outline", "grids.geojson" } },
	{ "grids.geojson",
	  "[108.3,34.3]]]}},\n{",
	  "[108.3,34.301]]]}},\n{",
	  { "geojson:3: feature 2", "expected it closed" } },
	{ "grids.geojson",
	  "[108.31,34.3],[108.31,34.31],[108.3,34.31],[108.3,34.3]]]}},\n{",
	  "[108.31,34.31],[108.3,34.3]]]}},\n{",
	  { "found a ring of 3 positions", "at least 4" } },
	{ "grids.geojson", "[108.1,34.1],", "[34.1,108.1],", { "geojson:2: feature 1", "the longitude first" } },
	{ "grids.geojson", "[108.1,34.1],", "[108.1],", { "geojson:2: feature 1", "no pair of numbers" } },
	{ "grids.geojson", "[108.1,34.1],", "[181,34.1],", { "geojson:2: feature 1", "-180 to 180" } },
	/* a bow tie */
	{ "grids.geojson",
	  "[108.2,34.1],[108.2,34.2],[108.1,34.2]",
	  "[108.2,34.2],[108.2,34.1],[108.1,34.2]",
	  { "geojson:2: found an outline of grid 610404004001001 that is none: Self-intersection at 34.15", "cross" } },
	/* N2 wider than the hole it fills, and narrower */
	{ "grids.geojson",
	  "[[[108.3,34.3],[108.31,34.3],[108.31,34.31],[108.3,34.31],[108.3,34.3]]]}},\n{",
	  "[[[108.3,34.3],[108.312,34.3],[108.312,34.31],[108.3,34.31],[108.3,34.3]]]}},\n{",
	  { "geojson:3: found grid 610404004001002 and grid 610404004002001 both holding 2",
	    "borders that only touch" } },
	{ "grids.geojson",
	  "[[[108.3,34.3],[108.31,34.3],[108.31,34.31],[108.3,34.31],[108.3,34.3]]]}},\n{",
	  "[[[108.3,34.3],[108.308,34.3],[108.308,34.31],[108.3,34.31],[108.3,34.3]]]}},\n{",
	  { "grids.geojson: found a gap of 2", "without holes" } },
	{ "grids.csv",
	  "N1,610404004001,,",
	  "N1,610404004001,2026-01-01,2026-01-01",
	  { "grids.csv:2: found a grid that ends before", "from before to" } },
	{ "grids.csv",
	  "610404004001001,N1,610404004001,,\n",
	  "610404004001001,N1,610404004001,,\n610404004001001,N1,610404004001,2026-01-01,\n",
	  { "grids.csv:3: found a version of grid 610404004001001 that begins while the one in line 2", "(to)" } },
	{ "grids.csv",
	  "from,to\n610404004001001,N1,610404004001,,",
	  "from,to,south,west,north,east\n610404004001001,N1,610404004001,,,1,2,3,",
	  { "grids.csv:2: found 3 of a box's four sides", "grids.geojson" } },
};

static void expect_told(const struct mistake *m, const struct problems *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (strstr(p->lines[i], m->told[0]) && strstr(p->lines[i], m->told[1]))
			return;
	problems_print(p, stderr);
	fail_msg("nobody told: %s … %s", m->told[0], m->told[1]);
}

static void test_every_mistake_is_told_with_its_place(void **state)
{
	char folder[POLICY_FOLDER_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		const struct mistake *m = &mistakes[i];
		_Bool is_map = strcmp(m->file, "grids.geojson") == 0;
		char *text = changed(is_map ? outlines : rows, m->from, m->to);
		struct problems p = { 0 };

		make_folder(folder);
		if (is_map)
			write_extra(folder, m->file, text);
		else
			policy_folder_change(folder, m->file, NULL, text);
		assert_null(policy_load(folder, &p));
		expect_told(m, &p);
		problems_close(&p);
		drop_folder(folder);
		free(text);
	}
}

static void test_slivers_and_leave(void **state)
{
	/* Half a metre over and half a metre short: slips of the pen. */
	static const char *const slips[] = { "108.3100040", "108.3099960" };
	char folder[POLICY_FOLDER_SIZE], corners[256];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		make_folder(folder);
		snprintf(corners, sizeof corners,
		         "[[[108.3,34.3],[%s,34.3],[%s,34.31],[108.3,34.31],[108.3,34.3]]]}},\n{", slips[i], slips[i]);

		char *text = changed(outlines,
		                     "[[[108.3,34.3],[108.31,34.3],[108.31,34.31],[108.3,34.31],[108.3,34.3]]]}},\n{",
		                     corners);

		write_extra(folder, "grids.geojson", text);
		free(text);
		policy_release(load_and_drop(folder));
	}
}

static void test_a_broken_map_of_overlays(void **state)
{
	char folder[POLICY_FOLDER_SIZE];
	struct problems p = { 0 };

	(void)state;
	make_folder(folder);
	write_extra(folder, "overlays.csv", "overlay,name,kind,from,to\nriver,河,river,2026-02-01,2026-01-01\n");
	write_extra(
		folder, "overlays.geojson",
		"{\"type\":\"FeatureCollection\",\"features\":[\n{\"type\":\"Feature\",\"properties\":{\"overlay\":"
		"\"river\"},\"geometry\":{\"type\":\"LineString\",\"coordinates\":[[108.05,34.15],[108.25,34.15]]}},\n"
		"{\"type\":\"Feature\",\"properties\":{\"overlay\":\"lake\",\"width_m\":5},\"geometry\":{\"type\":"
		"\"LineString\",\"coordinates\":[[108.05,34.15]]}}]}");
	assert_null(policy_load(folder, &p));
	assert_int_equal(p.count, 3);
	assert_non_null(strstr(p.lines[0], "overlays.csv:2: found an overlay that ends before"));
	assert_non_null(strstr(p.lines[1], "overlays.geojson:2: feature 1 (overlay river): found a line without"));
	assert_non_null(strstr(p.lines[2], "overlays.geojson:3: feature 2 (overlay lake): found a line of fewer"));
	problems_close(&p);
	drop_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts_and_holes),
		cmocka_unit_test(test_versions_follow_each_other),
		cmocka_unit_test(test_overlays_and_default_points),
		cmocka_unit_test(test_every_mistake_is_told_with_its_place),
		cmocka_unit_test(test_slivers_and_leave),
		cmocka_unit_test(test_a_broken_map_of_overlays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
