/* Merging measured: what a kind of request is, which points stand for nowhere, and a small city whose marks are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* clang-format off */
#include "../../cli/trouble.c"
#include "../../cli/replay_file.c"
#include "../../cli/replay_classes.c"
#include "../../cli/replay_points.c"
#include "../../cli/replay_prepare.c"
#include "../../cli/evaluate_merge.c"
/* clang-format on */

#define HEAD "id,created_at,closed_at,category,subcategory,source,lat,lon,address,duplicate_of_or_flag\n"
#define DAY "2011-07-01T"

static void temporary(char *out, size_t size, const char *name)
{
	const char *folder = getenv("TMPDIR");

	snprintf(out, size, "%s/gridloop-%s-XXXXXX", folder ? folder : "/tmp", name);
}

static void read_text(const char *text, struct replay_file *f)
{
	char path[300];
	struct trouble why;

	temporary(path, sizeof path, "evaluate");

	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	assert_true(replay_file_read(path, NULL, NULL, f, &why));
	unlink(path);
}

static void evaluate(const char *text, struct replay_file *f, struct merge_result *r)
{
	struct problems p = { 0 };
	struct trouble why;
	char folder[300];

	read_text(text, f);
	temporary(folder, sizeof folder, "evaluate");
	assert_non_null(mkdtemp(folder));
	assert_true(replay_prepare(f, folder, &why) && replay_prepare_points(f, folder, &why));

	struct policy *policy = policy_load(folder, &p);

	problems_print(&p, stderr);
	problems_close(&p);
	replay_prepare_undo(folder);
	assert_int_not_equal(access(folder, F_OK), 0);
	assert_non_null(policy);
	evaluate_merge(f, policy, NULL, NULL, r);
	assert_int_equal(r->refused, 0);
	policy_release(policy);
}

static void test_what_a_kind_is(void **state)
{
	static const struct {
		const char *category, *subcategory, *name, *matter;
	} rows[] = {
		{ "Lighting", "Lamp out", "lamp", "public" },
		{ "Street Lights", "Major failure", "lamp", "public" },
		{ "Housing", "Unsafe stairs", "household", "own" },
		{ "Trees", "Tree emergency", "danger", "public" },
		{ "Trees", "Prune a tree", "in a row", "several" },
		{ "Waste", "Schedule a pickup", "errand", "own" },
		{ "Waste", "Dead animal", "animal", "public" },
		{ "Walls", "Graffiti", "scrawl", "public" },
		{ "Cars", "Abandoned vehicle", "vehicle", "several" },
		{ "Fun", "Balloons", "other", "public" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct replay_class *k = replay_class_of(rows[i].category, rows[i].subcategory);

		assert_string_equal(k->name, rows[i].name);
		assert_string_equal(k->matter, rows[i].matter);
	}
}

/* A lamp told three times by three doors, under two names, and what else there is. */
static const char city[] = HEAD "1," DAY "08:00:00-04:00," DAY
				"20:00:00-04:00,Lights,Lamp out,Call,42.3000,-71.1,1 Main St,\n"
				"2," DAY "08:10:00-04:00,,Lights,Lamp out,Web,42.3000,-71.1,1 Main Street,1\n"
				"3," DAY "08:20:00-04:00,,Lights,Lamp bent,App,42.3001,-71.1,3 Main St,1\n"
				"4," DAY "09:00:00-04:00,,Fun,Balloons,Call,42.3000,-71.1,1 Main St,1\n"
				"5," DAY "21:00:00-04:00,,Lights,Lamp out,Call,42.3000,-71.1,1 Main St,1\n"
				"6," DAY "21:10:00-04:00,,Waste,Schedule a pickup,Web,42.3,-71.1,1 Main St,\n"
				"7," DAY "21:11:00-04:00,,Waste,Schedule a pickup,Web,42.3,-71.1,3 Main St,DUP\n"
				"8," DAY "21:12:00-04:00,,Waste,Schedule a pickup,Web,42.3,-71.1,3 Main St,\n";

static void test_a_city_whose_marks_are_known(void **state)
{
	struct replay_file f;
	struct merge_result r;

	(void)state;
	evaluate(city, &f, &r);
	assert_int_equal(r.all.rows, 8);
	assert_int_equal(r.all.merges, 3); /* 2 and 3 into 1, 8 into 7 */
	assert_int_equal(r.all.marked, 3);
	assert_int_equal(r.all.pairs, 4);
	assert_int_equal(r.all.found, 2);   /* 4 is another kind, 5 came after 1 was closed */
	assert_int_equal(r.all.offered, 1); /* 5 was shown 1 */
	assert_int_equal(r.early.rows, 4);
	assert_int_equal(r.late.rows, 4);
	assert_int_equal(r.late.merges, 1);
	merge_result_close(&r);
	replay_file_close(&f);
}

/* Many doors on one point are nowhere; what lies there is merged by its door and not by its place. */
static void test_a_point_that_stands_for_nowhere(void **state)
{
	enum { ROWS = REPLAY_POINT_ROWS };
	char *text = must_calloc(ROWS + 2, 160), *end = text;
	struct replay_point points[REPLAY_POINTS_MOST];
	struct replay_file f;
	struct merge_result r;

	(void)state;
	end += sprintf(end, HEAD);
	for (int i = 0; i < ROWS; i++)
		end += sprintf(end, "%d," DAY "08:00:00-04:00,,Lights,Lamp out,Web,42.3,-71.1,%d Main St,\n", i,
		               i / 2 + 1);
	evaluate(text, &f, &r);
	assert_int_equal(replay_points(&f, points), 1);
	assert_int_equal(points[0].rows, ROWS);
	assert_int_equal(r.all.merges, ROWS / 2);
	merge_result_close(&r);
	replay_file_close(&f);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_kind_is),
		cmocka_unit_test(test_a_city_whose_marks_are_known),
		cmocka_unit_test(test_a_point_that_stands_for_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
