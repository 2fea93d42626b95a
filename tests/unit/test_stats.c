#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/query.h"
#include "store/query_stats.h"
#include "store_kit.h"

static const struct stats_row *row_named(const struct stats_answer *a, const char *key)
{
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->rows[i].key, key) == 0)
			return &a->rows[i];
	fail_msg("no row %s", key);
	return NULL;
}

static void ask(struct street *s, enum stats_by by, int64_t now_ms, struct stats_answer *a)
{
	assert_int_equal(query_stats(s->reader, by, 0, 0, 0, now_ms, &s->mem, a), QUERY_OK);
}

static void the_total_says_what_the_street_did(void **state)
{
	struct street *s = *state;
	struct stats_answer a;

	kit_street(&s->kit);
	kit_nothing(&s->kit);
	kit_earn(&s->kit, "meituan/1", -4, s->kit.now_ms, 0);
	assert_int_equal(kit_write(&s->kit), STORE_OK);
	ask(s, STATS_ALL, s->kit.now_ms, &a);
	assert_int_equal(a.count, 1);
	assert_memory_equal(&a.rows[0].received, &a.total.received,
	                    sizeof a.total - offsetof(struct stats_row, received));
	assert_int_equal(a.total.received, 10);
	assert_int_equal(a.total.open, 4);
	assert_int_equal(a.total.archived, 6);
	assert_int_equal(a.total.filed, 4);
	assert_int_equal(a.total.closed, 2);
	assert_int_equal(a.total.on_time, 2);
	assert_int_equal(a.total.suspended, 1);
	assert_int_equal(a.total.due, 3);
	assert_int_equal(a.total.merged, 2);
	assert_int_equal(a.total.rejected, 1);
	assert_int_equal(a.total.cancelled, 1);
	assert_int_equal(a.total.expired_alarms, 0);
	assert_int_equal(a.total.satisfied, 2);
	assert_int_equal(a.total.points, 20);
	assert_int_equal(a.redeemed, 4);
	assert_int_equal(a.total.overdue_open, 0);
	/* filed four, rejected one, merged two */
	assert_int_equal(a.total.replied, 7);
	assert_int_equal(a.total.first_reply_ms, 120000);
	assert_int_equal(a.longest_open_ms,
	                 s->kit.now_ms - kit_number(&s->kit, "SELECT min(reported_ms) FROM open_case"));
}

static void late_ones_are_counted_while_open_and_after(void **state)
{
	struct street *s = *state;
	struct stats_answer a;
	int64_t id, due;

	id = kit_new_case(&s->kit, &(struct kit_report){ .reporter = "r" });
	kit_do(&s->kit, id, ACT_FILE, STATE_FILED);
	due = s->kit.now_ms + 1000;
	kit_step(
		&s->kit, id,
		(struct fact){
			.act = ACT_DISPATCH, .to = STATE_DISPATCHED, .ref = "u", .value = 1000, .handle_due_ms = due });
	assert_int_equal(kit_write(&s->kit), STORE_OK);
	ask(s, STATS_ALL, due, &a);
	assert_int_equal(a.total.due, 0);
	ask(s, STATS_ALL, due + 1, &a);
	assert_int_equal(a.total.due, 1);
	assert_int_equal(a.total.overdue_open, 1);
	s->kit.now_ms = due + 500;
	kit_do(&s->kit, id, ACT_HANDLED, STATE_HANDLED);
	ask(s, STATS_ALL, due + 501, &a);
	assert_int_equal(a.total.due, 1); /* the clock stands, but too late */
	kit_do(&s->kit, id, ACT_PASS, STATE_CLOSED);
	ask(s, STATS_ALL, due + 501, &a);
	assert_int_equal(a.total.closed, 1);
	assert_int_equal(a.total.due, 1);
	assert_int_equal(a.total.on_time, 0);
}

static void an_alarm_nobody_confirmed_is_counted_apart(void **state)
{
	struct street *s = *state;
	struct stats_answer a;
	int64_t id = kit_new_case(&s->kit, &(struct kit_report){ .reporter = "camera" });

	kit_do(&s->kit, id, ACT_EXPIRE, STATE_CANCELLED);
	ask(s, STATS_STATE, s->kit.now_ms, &a);
	assert_int_equal(row_named(&a, "CANCELLED")->expired_alarms, 1);
	assert_int_equal(a.total.cancelled, 0);
}

static void groups_have_names_and_add_up(void **state)
{
	static const struct {
		enum stats_by by;
		const char *key;
		int64_t received;
	} rows[] = {
		{ STATS_KIND, "food-rider", 4 }, { STATS_KIND, "resident", 3 },    { STATS_AREA, "610404004001", 7 },
		{ STATS_CATEGORY, "E0201", 3 },  { STATS_HANDLER, "cleaning", 3 }, { STATS_HANDLER, "", 6 },
		{ STATS_STATE, "REWARDED", 2 },  { STATS_MONTH, "2026-11", 10 },   { STATS_CHANNEL, "redis", 3 },
		{ STATS_CHANNEL, "tcp", 7 },
	};
	struct street *s = *state;
	struct stats_answer a;

	kit_street(&s->kit);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t sum = 0, points = 0;

		ask(s, rows[i].by, s->kit.now_ms, &a);
		assert_int_equal(row_named(&a, rows[i].key)->received, rows[i].received);
		for (size_t n = 0; n < a.count; n++) {
			sum += a.rows[n].received;
			points += a.rows[n].points;
			assert_true(n == 0 || a.rows[n].received <= a.rows[n - 1].received);
		}
		assert_int_equal(sum, a.total.received);
		assert_int_equal(points, a.total.points);
		assert_false(a.cut);
	}
}

static void a_period_and_an_area_narrow_the_count(void **state)
{
	struct street *s = *state;
	struct stats_answer a;
	int64_t month = INT64_C(40) * 86400000;

	kit_whole_life(&s->kit, &(struct kit_report){ .reporter = "r" });
	s->kit.now_ms += month;
	kit_whole_life(&s->kit, &(struct kit_report){ .reporter = "r", .grid = KIT_GRID + 1000 });
	assert_int_equal(query_stats(s->reader, STATS_MONTH, 0, 0, 0, s->kit.now_ms, &s->mem, &a), QUERY_OK);
	assert_int_equal(a.count, 2);
	assert_string_equal(a.rows[0].key, "2026-11");
	assert_string_equal(a.rows[1].key, "2027-01");
	assert_int_equal(query_stats(s->reader, STATS_MONTH, 0, KIT_START_MS + 1, 0, s->kit.now_ms, &s->mem, &a),
	                 QUERY_OK);
	assert_int_equal(a.total.received, 1);
	assert_int_equal(a.total.points, 10);
	assert_int_equal(query_stats(s->reader, STATS_MONTH, 0, 0, KIT_START_MS + 1, s->kit.now_ms, &s->mem, &a),
	                 QUERY_OK);
	assert_int_equal(a.total.received, 1);
	assert_int_equal(query_stats(s->reader, STATS_ALL, KIT_GRID / 1000, 0, 0, s->kit.now_ms, &s->mem, &a),
	                 QUERY_OK);
	assert_int_equal(a.total.received, 1);
}

static void too_many_groups_are_cut_but_counted(void **state)
{
	struct street *s = *state;
	struct stats_answer a;

	for (int i = 0; i < 205; i++)
		kit_new_case(&s->kit, &(struct kit_report){ .reporter = "r", .grid = KIT_GRID + i * 1000 });
	kit_new_case(&s->kit, &(struct kit_report){ .reporter = "r", .grid = KIT_GRID + 204000 });
	ask(s, STATS_AREA, s->kit.now_ms, &a);
	assert_int_equal(a.count, STATS_ROWS_MOST);
	assert_true(a.cut);
	assert_int_equal(a.total.received, 206);
	assert_int_equal(a.rows[0].received, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_STREET_TEST(the_total_says_what_the_street_did),
		KIT_STREET_TEST(late_ones_are_counted_while_open_and_after),
		KIT_STREET_TEST(an_alarm_nobody_confirmed_is_counted_apart),
		KIT_STREET_TEST(groups_have_names_and_add_up),
		KIT_STREET_TEST(a_period_and_an_area_narrow_the_count),
		KIT_STREET_TEST(too_many_groups_are_cut_but_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
