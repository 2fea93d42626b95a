/* Real maps: a city's neighbourhoods and half a year of its reports, and the outline of a county. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* The command line is one program; what is tested of it comes in as it is. */
#include "../../cli/trouble.c"
#include "../../cli/replay_file.c"
#include "../../cli/replay_classes.c"
#include "../../cli/replay_points.c"
#include "../../cli/replay_prepare.c"
#include "../../cli/replay_map.c"
#include "jurisdiction/policy_map.h"

#define CITY "data/boston/requests.csv.gz"
#define CITY_MAP "data/boston/neighborhoods.geojson"
#define COUNTY "data/cn/county_610404.geojson"
#define NOON INT64_C(1314633600000) /* 2011-08-29 */
#define ROUNDS 20

/* The file, or a loud skip. */
static const char *shared(const char *name, char path[512])
{
	const char *folder = getenv("SHARED");

	snprintf(path, 512, "%s/%s", folder ? folder : "../shared", name);
	if (access(path, R_OK) != 0) {
		print_message("skipped: %s is not here\n", path);
		skip();
	}
	return path;
}

static struct policy *prepared(const struct replay_file *f, char folder[64], struct replay_map *m)
{
	char path[512];
	struct trouble why;
	struct problems p = { 0 };

	strcpy(folder, "/tmp/citymapXXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_true(replay_prepare(f, folder, &why));
	assert_true(replay_prepare_points(f, folder, &why));
	assert_true(replay_map_write(shared(CITY_MAP, path), folder, REPLAY_COMMUNITY, m, &why));

	struct policy *policy = policy_load(folder, &p);

	for (size_t i = 0; i < p.count; i++)
		print_message("%s\n", p.lines[i]);
	problems_close(&p);
	assert_non_null(policy);
	return policy;
}

static void drop(struct policy *policy, const char *folder)
{
	char path[128];

	policy_release(policy);
	snprintf(path, sizeof path, "%s/grids.geojson", folder);
	assert_int_equal(unlink(path), 0);
	replay_prepare_undo(folder);
}

static void count_rows(const struct policy *policy, const struct replay_file *f, size_t out[TOLD_COUNT])
{
	const struct grid *g;

	for (size_t i = 0; i < f->count; i++)
		out[policy_told(policy, (int32_t)lround(f->rows[i].lat * 1e7), (int32_t)lround(f->rows[i].lon * 1e7),
		                NOON, &g)]++;
}

static void test_a_city_is_located(void **state)
{
	char path[512], folder[64];
	struct replay_file f;
	struct replay_map m;
	struct trouble why;
	struct timespec from, to;
	size_t told[TOLD_COUNT] = { 0 }, again[TOLD_COUNT] = { 0 };

	(void)state;
	assert_true(replay_file_read(shared(CITY, path), NULL, NULL, &f, &why));

	struct policy *policy = prepared(&f, folder, &m);

	assert_int_equal(m.grids, 26);
	assert_int_equal(m.mended, 4);
	count_rows(policy, &f, told);
	assert_int_equal(f.count, 58251);
	assert_int_equal(told[TOLD_LOCATED], 53461);
	assert_int_equal(told[TOLD_OUTSIDE], 15);
	assert_int_equal(told[TOLD_DEFAULT], 4775);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < ROUNDS; i++)
		count_rows(policy, &f, again);
	clock_gettime(CLOCK_MONOTONIC, &to);
	print_message("%.1f ns a position\n",
	              ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / ROUNDS /
	                      (double)f.count);
	drop(policy, folder);
	replay_file_close(&f);
}

static void test_a_county_is_one_sound_outline(void **state)
{
	static const struct geojson_wish wish = { "adcode", "a county's code", 0 };
	struct geojson g = { 0 };
	struct problems p = { 0 };
	char path[512];
	size_t out[1];

	(void)state;
	assert_true(geojson_read(shared(COUNTY, path), &wish, &g, &p));
	assert_int_equal(g.count, 1);
	assert_string_equal(g.features[0].key, "610404");

	struct map_shape shape = { .outline = &g.features[0].outline };

	assert_false(map_mend(&g.features[0].outline));

	struct map *m = map_new(&shape, 1);

	map_build(m);
	/* Its seat lies in it, the neighbouring city's airport road does not. */
	assert_int_equal(map_find(m, 343368470, 1087309570, 0, out, 1), 1);
	assert_int_equal(map_find(m, 342000000, 1090000000, 0, out, 1), 0);
	map_free(m);
	geojson_close(&g);
	problems_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_city_is_located),
		cmocka_unit_test(test_a_county_is_one_sound_outline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
