/* The casebook: what facts do to it, and that a restored one answers as the one that lived through it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "workflow/case_number.h"
#include "workflow/place.h"
#include "desk_kit.h"

#define RUBBISH 10110
#define ROAD 10113

static struct desk desk;

static int64_t alarm_of(const char *camera, const char *label)
{
	assert_true(desk_do(&desk, (struct command){ .kind = COMMAND_ALARM,
	                                             .actor = "cameras-police",
	                                             .camera = camera,
	                                             .label = label,
	                                             .confidence = 0.9 }));
	return desk.outcome.case_id;
}

struct nearest {
	const struct case_file *best;
	double metres;
	int64_t except;
};

static void keep_nearest(void *ctx, const struct sight *s)
{
	struct nearest *n = ctx;

	assert_int_equal(s->at_ms, s->file->reported_ms);
	if (s->file->id == n->except || (n->best && s->metres >= n->metres))
		return;
	n->best = s->file;
	n->metres = s->metres;
}

static const struct case_file *nearest(const struct casebook *b, int32_t category, int32_t lat_e7, int32_t lon_e7,
                                       double metres, int64_t since_ms, int64_t except)
{
	const struct viewpoint from = { .located = 1, .lat_e7 = lat_e7, .lon_e7 = lon_e7 };
	struct nearest n = { .except = except };

	casebook_around(b, category, &from, metres, since_ms, keep_nearest, &n);
	return n.best;
}

static void test_empty(void **state)
{
	(void)state;
	struct timer t;
	size_t count = 9;
	struct uuid key = uuid_from_name(1, "x");

	assert_int_equal(casebook_open_count(desk.book), 0);
	assert_null(casebook_case(desk.book, 1));
	assert_null(nearest(desk.book, RUBBISH, DESK_LAT, DESK_LON, 100, 0, 0));
	assert_null(casebook_span(desk.book, "police-01", NULL, RUBBISH, NULL));
	assert_null(casebook_span_oldest(desk.book, 0));
	assert_null(casebook_key(desk.book, &key));
	assert_true(casebook_keys_complete_for(desk.book, &key));
	assert_null(casebook_followers(desk.book, 1, &count));
	assert_int_equal(count, 0);
	assert_false(casebook_next_timer(desk.book, &t));
	assert_int_equal(casebook_counters(desk.book)->event, 1);
	casebook_free(NULL);
}

static void test_a_case_is_found_by_its_place_until_it_ends(void **state)
{
	(void)state;
	int64_t a = desk_submit(&desk, "resident-01", ROAD, DESK_LAT, DESK_LON);
	int64_t b = desk_submit(&desk, "resident-02", ROAD, DESK_LAT + 5000, DESK_LON);

	assert_int_equal(nearest(desk.book, ROAD, DESK_LAT, DESK_LON, 100, 0, 0)->id, a);
	assert_int_equal(nearest(desk.book, ROAD, DESK_LAT, DESK_LON, 100, 0, a)->id, b);
	assert_null(nearest(desk.book, ROAD, DESK_LAT, DESK_LON, 30, 0, a));
	assert_null(nearest(desk.book, RUBBISH, DESK_LAT, DESK_LON, 100, 0, 0));
	assert_null(nearest(desk.book, ROAD, DESK_LAT, DESK_LON, 100, desk.now_ms + 1, 0));
	desk_act(&desk, "resident-01", ACT_WITHDRAW, a);
	assert_null(casebook_case(desk.book, a));
	assert_int_equal(nearest(desk.book, ROAD, DESK_LAT, DESK_LON, 100, 0, 0)->id, b);
	assert_int_equal(casebook_open_count(desk.book), 1);
}

static void test_a_corrected_category_moves_it(void **state)
{
	(void)state;
	int64_t a = desk_submit(&desk, "resident-01", ROAD, DESK_LAT, DESK_LON);

	assert_true(desk_do(&desk, (struct command){ .kind = COMMAND_ACT,
	                                             .actor = "acceptor-01",
	                                             .act = ACT_FILE,
	                                             .case_id = a,
	                                             .category = RUBBISH }));
	assert_null(nearest(desk.book, ROAD, DESK_LAT, DESK_LON, 100, 0, 0));
	assert_int_equal(nearest(desk.book, RUBBISH, DESK_LAT, DESK_LON, 100, 0, 0)->id, a);
}

static const struct alarm_span *seen(const char *camera, int32_t category)
{
	return casebook_span(desk.book, camera, NULL, category, NULL);
}

static void test_alarms_by_camera_and_category(void **state)
{
	(void)state;
	int64_t a = alarm_of("police-01", "garbage"), b = alarm_of("police-01", "overflow");

	assert_int_not_equal(a, b);
	assert_int_equal(seen("police-01", RUBBISH)->case_id, a);
	assert_int_equal(seen("police-01", 10192)->case_id, b);
	assert_null(seen("police-02", RUBBISH));
	assert_null(casebook_span(desk.book, "police-01", "1", RUBBISH, NULL));
	assert_null(casebook_span(desk.book, "police-01", NULL, RUBBISH, "track-1"));
	desk_act(&desk, "acceptor-01", ACT_CONFIRM, a);
	desk_wait(&desk, 30 * CLOCK_MINUTE_MS);

	int64_t newer = alarm_of("police-01", "garbage");

	desk_act(&desk, "sanitation-01", ACT_SIGN, a);
	assert_int_equal(seen("police-01", RUBBISH)->case_id, newer);
	assert_int_equal(casebook_span_end(desk.book, newer), STATE_NONE);
	desk_wait(&desk, 10 * CLOCK_MINUTE_MS); /* the newer one expires, and is still known */
	assert_null(casebook_case(desk.book, newer));
	assert_int_equal(seen("police-01", RUBBISH)->case_id, newer);
	assert_int_equal(casebook_span_end(desk.book, newer), STATE_CANCELLED);
}

static void merge(int64_t what, int64_t into)
{
	assert_true(desk_do(&desk, (struct command){ .kind = COMMAND_ACT,
	                                             .actor = "acceptor-01",
	                                             .act = ACT_MERGE,
	                                             .case_id = what,
	                                             .master = into }));
}

/* a and b into c, c into d: d has them all, whoever came first. */
static void test_followers_of_followers(void **state)
{
	(void)state;
	int64_t a = desk_submit(&desk, "resident-01", ROAD, DESK_LAT, DESK_LON),
		b = desk_submit(&desk, "resident-02", ROAD, DESK_LAT + 20000, DESK_LON);
	int64_t c = desk_submit(&desk, "resident-03", ROAD, DESK_LAT + 40000, DESK_LON),
		d = desk_submit(&desk, "resident-04", ROAD, DESK_LAT + 60000, DESK_LON);
	size_t count;

	merge(a, c);
	merge(b, c);
	assert_int_equal((casebook_followers(desk.book, c, &count), count), 2);
	merge(c, d);
	assert_null(casebook_followers(desk.book, c, &count));

	const struct follower *rows = casebook_followers(desk.book, d, &count);

	assert_int_equal(count, 3);
	assert_int_equal(rows[0].case_id, a);
	assert_string_equal(rows[0].reporter, "resident-01");
	assert_int_equal(rows[1].case_id, b);
	assert_int_equal(rows[2].case_id, c);
	assert_int_equal(rows[2].reporter_kind, REPORTER_RESIDENT);
	desk_act(&desk, "acceptor-01", ACT_FILE, d);
	desk_settle(&desk, d, "roads-01", "worker-01");
	desk_wait(&desk, 7 * CLOCK_DAY_MS);
	assert_null(casebook_followers(desk.book, d, &count));
	assert_int_equal(casebook_open_count(desk.book), 0);
	assert_int_equal(casebook_account(desk.book, "resident-01")->balance, 1);
	assert_int_equal(casebook_account(desk.book, "resident-04")->balance, 10);
}

static void test_numbers_of_a_day(void **state)
{
	(void)state;
	int64_t a = desk_submit(&desk, "resident-01", ROAD, DESK_LAT, DESK_LON),
		b = desk_submit(&desk, "resident-01", RUBBISH, DESK_LAT, DESK_LON);
	char number[CASE_NUMBER_SIZE];

	case_number_text(b, RUBBISH, number);
	assert_string_equal(number, "E01102026112100002");
	assert_int_equal(case_id_sequence(a), 1);
	desk.now_ms += 15 * CLOCK_HOUR_MS; /* midnight */

	int64_t c = desk_submit(&desk, "resident-01", 10192, DESK_LAT, DESK_LON);

	case_number_text(c, 10192, number);
	assert_string_equal(number, "E01922026112200001");
	desk.now_ms -= CLOCK_HOUR_MS; /* a clock that went back makes no number twice */
	assert_true(desk_submit(&desk, "resident-01", 10201, DESK_LAT, DESK_LON) > c);
}

/* ---- restored ---- */

static struct casebook *again;

static void restore_one(void *ctx, const struct case_file *c)
{
	(void)ctx;
	struct case_file copy = *c;
	char reporter[64] = "";

	/* Texts of the disk's, which are gone afterwards. */
	if (c->reporter != NULL)
		copy.reporter = memcpy(reporter, c->reporter, strlen(c->reporter) + 1);
	casebook_restore_case(again, &copy);
	memset(reporter, 'x', sizeof reporter);
}

static _Bool same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void compare_one(void *ctx, const struct case_file *c)
{
	(void)ctx;
	const struct case_file *o = casebook_case(again, c->id);
	struct timer t, u;

	assert_non_null(o);
	assert_true(same(o->reporter, c->reporter) && same(o->handler, c->handler) && same(o->camera, c->camera) &&
	            same(o->worker, c->worker));
	assert_int_equal(o->state, c->state);
	assert_int_equal(o->handle_due_ms, c->handle_due_ms);
	assert_int_equal(o->last_event, c->last_event);
	t = case_next_timer(c);
	u = case_next_timer(o);
	assert_true(t.at_ms == u.at_ms && t.act == u.act);

	const struct case_file *near = nearest(desk.book, c->category, c->lat_e7, c->lon_e7, 500, 0, c->id);
	const struct case_file *near_again = nearest(again, c->category, c->lat_e7, c->lon_e7, 500, 0, c->id);

	assert_int_equal(near == NULL ? 0 : near->id, near_again == NULL ? 0 : near_again->id);
	if (c->camera != NULL)
		assert_int_equal(casebook_span(again, c->camera, NULL, c->category, NULL)->case_id,
		                 casebook_span(desk.book, c->camera, NULL, c->category, NULL)->case_id);
}

/* A street in the middle of its day. */
static void live_a_day(void)
{
	for (int i = 0; i < 40; i++) {
		int64_t id = desk_submit(&desk, "rider-07", ROAD, DESK_LAT + i * 3000, DESK_LON);

		if (i % 2 == 0)
			desk_act(&desk, "acceptor-01", ACT_FILE, id);
		if (i % 4 == 0)
			desk_act(&desk, "roads-01", ACT_SIGN, id);
		if (i % 8 == 0)
			desk_act(&desk, "roads-01", ACT_HANDLED, id);
	}
	(void)desk_submit(&desk, "resident-02", ROAD, PLACE_NONE, PLACE_NONE);
	int64_t a = alarm_of("police-01", "garbage");

	desk_act(&desk, "acceptor-01", ACT_CONFIRM, a);
	desk_wait(&desk, 20 * CLOCK_MINUTE_MS);
	(void)alarm_of("police-01", "garbage");
}

static void test_restored_answers_the_same(void **state)
{
	(void)state;
	live_a_day();
	again = casebook_new(0);
	casebook_restore_counters(again, casebook_counters(desk.book));
	casebook_each(desk.book, restore_one, NULL);
	for (size_t i = 0; casebook_span_oldest(desk.book, i) != NULL; i++)
		casebook_restore_span(again, casebook_span_oldest(desk.book, i), STATE_NONE);
	assert_int_equal(casebook_open_count(again), casebook_open_count(desk.book));
	casebook_each(desk.book, compare_one, NULL);
	assert_memory_equal(casebook_counters(again), casebook_counters(desk.book), sizeof(struct counters));
	casebook_free(again);
}

/* Timers of both come at the same times, though ties may come in another order. */
static void test_restored_timers(void **state)
{
	(void)state;
	struct timer t, u;

	live_a_day();
	again = casebook_new(0);
	casebook_restore_counters(again, casebook_counters(desk.book));
	casebook_each(desk.book, restore_one, NULL);
	while (casebook_next_timer(desk.book, &t)) {
		assert_true(casebook_next_timer(again, &u));
		assert_int_equal(t.at_ms, u.at_ms);
		decide_timer(desk.book, desk.policy, &t, t.at_ms, &desk.facts);
		casebook_apply(desk.book, &desk.facts);
		decide_timer(again, desk.policy, &u, u.at_ms, &desk.facts);
		casebook_apply(again, &desk.facts);
	}
	assert_false(casebook_next_timer(again, &u));
	assert_int_equal(casebook_open_count(again), casebook_open_count(desk.book));
	casebook_free(again);
}

static void test_restored_points_keys_and_followers(void **state)
{
	(void)state;
	struct key_fact k = { .key = uuid_from_name(5000, "k"), .case_id = 77 };
	size_t count;

	casebook_restore_key(desk.book, &k);
	casebook_restore_keys_from(desk.book, 4000);
	assert_int_equal(casebook_key(desk.book, &k.key)->case_id, 77);
	assert_true(casebook_keys_complete_for(desk.book, &k.key));
	k.key = uuid_from_name(4000, "older");
	assert_false(casebook_keys_complete_for(desk.book, &k.key));
	casebook_restore_ledger(desk.book, "rider-07", 30, 202611, 20);
	casebook_restore_pending(desk.book, "rider-07", 10, 9000);
	casebook_restore_rewarded(desk.book, 5, 8000);
	assert_int_equal(casebook_account(desk.book, "rider-07")->balance, 30);
	assert_int_equal(casebook_payable(desk.book, "rider-07", 8999), 20);
	assert_int_equal(casebook_rewarded_at(desk.book, 5), 8000);
	casebook_restore_follower(desk.book, 70,
	                          &(struct follower){ 71, RUBBISH, "resident-01", REPORTER_RESIDENT, 0 });
	assert_string_equal(casebook_followers(desk.book, 70, &count)->reporter, "resident-01");
	assert_int_equal(count, 1);
}

#define TEST(f) cmocka_unit_test_prestate_setup_teardown(f, desk_begin_test, desk_end_test, &desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),
		TEST(test_a_case_is_found_by_its_place_until_it_ends),
		TEST(test_a_corrected_category_moves_it),
		TEST(test_alarms_by_camera_and_category),
		TEST(test_followers_of_followers),
		TEST(test_numbers_of_a_day),
		TEST(test_restored_answers_the_same),
		TEST(test_restored_timers),
		TEST(test_restored_points_keys_and_followers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
