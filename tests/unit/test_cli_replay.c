/* What a replay makes of a city's file: rows, catalogue, jurisdiction, moments and windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* clang-format off */
#include "../../cli/wire.c"
#include "../../cli/trouble.c"
#include "../../cli/client.c"
#include "../../cli/replay_file.c"
#include "../../cli/replay_classes.c"
#include "../../cli/replay_points.c"
#include "../../cli/replay_prepare.c"
#include "../../cli/replay_lane.c"
#include "../../cli/redis_connect.c"
#include "../../cli/replay_redis.c"
#include "../../cli/replay_run.c"
/* clang-format on */
#include "jurisdiction/policy_map.h"
#include "jurisdiction/words.h"
#include "workflow/case_number.h"

#define HEAD                                                                                                           \
	"id,created_at,closed_at,due_at,status,category,subcategory,source,lat,lon,address,description,duplicate_of_"  \
	"or_flag\n"
#define DAY "2011-07-01T"

static const char sample[] = HEAD
	"1," DAY "08:00:00-04:00," DAY "09:00:00-04:00," DAY
	"10:00:00-04:00,Closed,Lights,Lamp out,Constituent Call,42.3,-71.1,\"1, Main St\",dark,\n"
	"2," DAY "08:10:00-04:00,,,Open,Waste,Bulk item,Self Service,42.4,-71.0,2 Main St,sofa,\n"
	"3," DAY "08:20:00-04:00," DAY "08:00:00-04:00," DAY
	"12:20:00-04:00,Closed,Lights,Lamp out,Employee Generated,0,0,,,\n"
	"4," DAY "08:30:00-04:00,," DAY "14:30:00-04:00,Open,Lights,Lamp out,Twitter,,,,,\n"
	"5,yesterday,,,Open,Lights,Lamp out,Twitter,,,,,\n"
	",2011-07-01T08:30:00-04:00,,,Open,Lights,Lamp out,Twitter,,,,,\n"
	"6," DAY "08:40:00-04:00,,,Open,Lights,\"Pole, \"\"bent\"\"\",Citizens Connect App,42.35,-71.05,3 Main St,,\n";

static void temporary(char *out, size_t size, const char *name)
{
	const char *folder = getenv("TMPDIR");

	snprintf(out, size, "%s/gridloop-%s-XXXXXX", folder ? folder : "/tmp", name);
}

static _Bool read_text(const char *text, struct replay_file *f, struct trouble *why)
{
	char path[300];
	int fd;

	temporary(path, sizeof path, "replay");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);

	_Bool good = replay_file_read(path, NULL, NULL, f, why);

	unlink(path);
	return good;
}

static void test_rows(void **state)
{
	struct replay_file f;
	struct trouble why;

	(void)state;
	assert_true(read_text(sample, &f, &why));
	assert_int_equal(f.count, 5);
	assert_int_equal(f.broken, 2);
	assert_non_null(strstr(f.first_broken, "line 6"));
	assert_int_equal(f.closed, 2);
	assert_string_equal(f.rows[0].address, "1, Main St");
	assert_int_equal(f.rows[0].closed_ms - f.rows[0].created_ms, CLOCK_HOUR_MS);
	/* Closed before it was created: at once. */
	assert_int_equal(f.rows[2].closed_ms, f.rows[2].created_ms);
	/* The point 0,0 is not in this city. */
	assert_int_equal(f.placed, 3);
	assert_false(f.rows[2].placed);
	assert_true(f.south == 42.3 && f.north == 42.4 && f.west == -71.1 && f.east == -71.0);
	assert_int_equal(f.rows[0].reporter_kind, REPORTER_HOTLINE);
	assert_int_equal(f.rows[1].reporter_kind, REPORTER_RESIDENT);
	assert_int_equal(f.rows[2].reporter_kind, REPORTER_GRID_WORKER);
	replay_file_close(&f);
	replay_file_close(&f);
}

static void test_catalogue(void **state)
{
	struct replay_file f;
	struct trouble why;
	char code[6];

	(void)state;
	assert_true(read_text(sample, &f, &why));
	assert_int_equal(f.kind_count, 3);
	replay_kind_code(&f.kinds[0], code);
	assert_string_equal(code, "E0101");
	replay_kind_code(&f.kinds[1], code);
	assert_string_equal(code, "E0201");
	replay_kind_code(&f.kinds[2], code);
	assert_string_equal(code, "E0102");
	/* Median of 2 h, 4 h and 6 h; no row of the other has a due time. */
	assert_int_equal(f.kinds[0].limit_ms, 4 * CLOCK_HOUR_MS);
	assert_int_equal(f.kinds[1].limit_ms, REPLAY_LIMIT_DEFAULT_MS);
	replay_file_close(&f);
}

static void test_more_kinds_than_codes(void **state)
{
	struct replay_file f = { 0 };
	char category[24], subcategory[24], code[6];

	(void)state;
	for (int i = 0; i < 120; i++) {
		snprintf(category, sizeof category, "class %d", i);
		(void)find_kind(&f, category, "only");
		snprintf(subcategory, sizeof subcategory, "kind %d", i);
		(void)find_kind(&f, "class 0", subcategory);
	}
	for (size_t i = 0; i < f.kind_count; i++) {
		assert_in_range(f.kinds[i].class, 1, REPLAY_CLASSES_MOST);
		assert_in_range(f.kinds[i].subclass, 1, REPLAY_SUBCLASSES_MOST);
		replay_kind_code(&f.kinds[i], code);
		assert_int_not_equal(category_from_text(code), 0);
		for (size_t k = 0; k < i; k++)
			assert_false(f.kinds[k].class == f.kinds[i].class &&
			             f.kinds[k].subclass == f.kinds[i].subclass);
	}
	/* What does not fit any more lands somewhere, and always at the same place. */
	assert_int_equal(find_kind(&f, "class 0", "kind 119"), find_kind(&f, "class 0", "kind 118"));
	replay_file_close(&f);
}

static void test_files_that_cannot_be(void **state)
{
	struct replay_file f;
	struct trouble why;

	(void)state;
	assert_false(read_text("id,category\n1,x\n", &f, &why));
	assert_non_null(strstr(why.sentence, "created_at"));
	assert_false(read_text(HEAD, &f, &why));
	assert_false(replay_file_read("/nowhere/file.csv", NULL, NULL, &f, &why));
	assert_int_equal(why.exit, EXIT_USAGE);
}

static void test_texts_become_acceptable(void **state)
{
	char *copy = clean_copy("a\tb\x01\xff", 100), *cut = clean_copy("积水积水", 7);

	(void)state;
	assert_string_equal(copy, "a b ?");
	assert_string_equal(cut, "积水");
	free(copy);
	free(cut);
}

static void remove_folder(const char *folder)
{
	char path[400];

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
		unlink(path);
	}
	rmdir(folder);
}

static void test_the_jurisdiction_is_one_the_daemon_takes(void **state)
{
	struct replay_file f;
	struct trouble why;
	struct problems problems = { 0 };
	char folder[300];

	(void)state;
	temporary(folder, sizeof folder, "prepare");
	assert_non_null(mkdtemp(folder));
	assert_true(read_text(sample, &f, &why));
	assert_true(replay_prepare(&f, folder, &why));

	struct policy *p = policy_load(folder, &problems);

	problems_print(&problems, stderr);
	assert_non_null(p);
	assert_string_equal(policy_category(p, 10102)->name, "Pole, \"bent\"");
	assert_int_equal(policy_category(p, 10101)->limit.amount, 4 * CLOCK_HOUR_MS);
	assert_true(policy_category(p, 10101)->merge_m > 0 && policy_category(p, 10101)->kin == 10101);
	assert_ptr_equal(policy_category(p, 10101)->next_kin, policy_category(p, 10102));
	assert_int_equal(policy_category(p, 10201)->matter, MATTER_PUBLIC);
	assert_non_null(policy_locate(p, 423000000, -711000000, 0));
	assert_true(policy_rules(p)->check.amount >= REPLAY_WINDOW_MS);

	const struct person *city = policy_person(p, REPLAY_CITY), *checker = policy_person(p, REPLAY_CHECKER);
	_Bool sure;

	assert_true(city->trusted && (city->roles & ROLE_GATEWAY) && (city->roles & ROLE_HANDLER));
	assert_true(checker->roles & ROLE_WORKER);
	assert_string_equal(policy_route(p, policy_grid_at(p, 0)->code, 10201, f.rows[0].created_ms, &sure)->id,
	                    city->unit);
	assert_true(sure);
	policy_release(p);
	problems_close(&problems);
	replay_file_close(&f);
	remove_folder(folder);
}

static void test_keys_are_the_same_every_time(void **state)
{
	struct replay_file f, g;
	struct trouble why;
	struct replay_report_parts a, b;

	(void)state;
	assert_true(read_text(sample, &f, &why));
	assert_true(read_text(sample, &g, &why));
	for (size_t i = 0; i < f.count; i++) {
		replay_report_fill(&f, &f.rows[i], &a);
		replay_report_fill(&g, &g.rows[i], &b);
		assert_memory_equal(&a.key, &b.key, sizeof a.key);
		assert_int_equal(uuid_time_ms(&a.key), f.rows[i].created_ms);
		assert_true(a.report.anonymous);
		assert_int_equal(a.report.place != NULL, f.rows[i].placed);
	}
	replay_file_close(&f);
	replay_file_close(&g);
}

static void test_moments_and_windows(void **state)
{
	struct replay_file f;
	struct trouble why;
	size_t count, seen = 0;

	(void)state;
	assert_true(read_text(sample, &f, &why));

	struct replay_op *ops = replay_moments(&f, &count);

	assert_int_equal(count, 5 + 3 * 2);
	for (size_t i = 1; i < count; i++)
		assert_true(compare_ops(&ops[i - 1], &ops[i]) < 0);
	while (seen < count) {
		size_t n = replay_window(ops + seen, count - seen, 15 * CLOCK_MINUTE_MS);
		const struct replay_op *end = &ops[seen + n - 1];

		assert_in_range(n, 1, count - seen);
		for (size_t i = seen; i < seen + n; i++)
			if (ops[i].step == STEP_HANDLED)
				assert_true(end->at_ms - ops[i].at_ms < 15 * CLOCK_MINUTE_MS);
		seen += n;
	}
	/* Row 3 is handled at 08:20; the report of 08:40 is behind that round, the one of 08:30 before it. */
	assert_int_equal(replay_window(ops, count, 15 * CLOCK_MINUTE_MS), 7);
	assert_int_equal(replay_window(ops, count, 0), 6);
	assert_int_equal(replay_window(ops, 0, 0), 0);
	free(ops);
	replay_file_close(&f);
}

static void test_stream_ids(void **state)
{
	(void)state;
	assert_true(id_reached("5-0", "5-0"));
	assert_true(id_reached("10-0", "9-99"));
	assert_true(id_reached("5-10", "5-9"));
	assert_false(id_reached("5-9", "5-10"));
	assert_false(id_reached("nothing", "0-0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_catalogue),
		cmocka_unit_test(test_more_kinds_than_codes),
		cmocka_unit_test(test_files_that_cannot_be),
		cmocka_unit_test(test_texts_become_acceptable),
		cmocka_unit_test(test_the_jurisdiction_is_one_the_daemon_takes),
		cmocka_unit_test(test_keys_are_the_same_every_time),
		cmocka_unit_test(test_moments_and_windows),
		cmocka_unit_test(test_stream_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
