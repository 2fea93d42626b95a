#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/query.h"
#include "store_kit.h"

struct street {
	struct kit kit;
	struct reader *reader;
	struct result mem;
};

static int start(void **state)
{
	struct street *s = calloc(1, sizeof *s);
	char *cause = NULL;

	kit_start(&s->kit);
	s->reader = reader_open(s->kit.path, &cause);
	if (!s->reader)
		fail_msg("%s", cause);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct street *s = *state;

	result_close(&s->mem);
	result_close(&s->mem);
	reader_close(s->reader);
	kit_end(&s->kit);
	free(s);
	return 0;
}

static int64_t only_id(struct kit *k, const char *where)
{
	char sql[300];

	snprintf(sql, sizeof sql, "SELECT id FROM (SELECT * FROM open_case UNION ALL SELECT * FROM closed_case) WHERE %s", where);
	return kit_number(k, sql);
}

/* ---- one case ---- */

static void an_open_case_is_shown_whole(void **state)
{
	struct street *s = *state;
	struct case_answer a;

	kit_street(&s->kit);
	assert_int_equal(query_case(s->reader, only_id(&s->kit, "state = 9"), &s->mem, &a), QUERY_OK);
	assert_int_equal(a.row.file.state, STATE_WHISTLED);
	assert_false(a.row.archived);
	assert_string_equal(a.row.file.reporter, "worker-1");
	assert_string_equal(a.row.file.handler, "cleaning");
	assert_int_equal(a.row.file.helper_count, 2);
	assert_string_equal(a.row.file.helpers[0], "water");
	assert_string_equal(a.row.file.helpers[1], "police");
	assert_string_equal(a.row.file.whistled[1], "gas");
	assert_string_equal(a.row.channel, "redis");
	assert_string_equal(a.row.description, "rubbish at the gate");
	assert_null(a.row.address);
	assert_int_equal(a.row.file.lat_e7, PLACE_NONE);
	assert_int_equal(a.history_count, 5);
	assert_int_equal(a.history[0].act, ACT_SUBMIT);
	assert_int_equal(a.history[4].act, ACT_WHISTLE);
	assert_string_equal(a.history[4].ref, "water,gas");
	assert_false(a.history_cut);
}

static void a_master_names_those_merged_into_it(void **state)
{
	struct street *s = *state;
	struct case_answer a;

	kit_street(&s->kit);
	assert_int_equal(query_case(s->reader, only_id(&s->kit, "id IN (SELECT merged_into FROM closed_case) AND state = 1"),
	                            &s->mem, &a), QUERY_OK);
	assert_int_equal(a.merged_here_count, 1);
	assert_int_equal(a.merged_here_categories[0], 10110);
	assert_int_equal(query_case(s->reader, a.merged_here[0], &s->mem, &a), QUERY_OK);
	assert_true(a.row.archived);
	assert_int_equal(a.merged_here_count, 1);
}

static void an_unknown_case_is_not_found(void **state)
{
	struct street *s = *state;
	struct case_answer a;

	assert_int_equal(query_case(s->reader, 12345, &s->mem, &a), QUERY_NOT_FOUND);
}

static void a_long_history_is_cut_to_the_newest(void **state)
{
	struct street *s = *state;
	struct case_answer a;
	int64_t id = kit_new_case(&s->kit, &(struct kit_report){ .reporter = "r" });

	for (int i = 0; i < 120; i++)
		kit_do(&s->kit, id, ACT_SUPERVISE, STATE_REPORTED);
	assert_int_equal(query_case(s->reader, id, &s->mem, &a), QUERY_OK);
	assert_int_equal(a.history_count, 100);
	assert_true(a.history_cut);
	assert_int_equal(a.history[99].id, 121);
	assert_int_equal(a.history[0].id, 22);
}

static void a_reader_sees_what_is_written_meanwhile(void **state)
{
	struct street *s = *state;
	struct case_answer a;
	int64_t id = kit_new_case(&s->kit, &(struct kit_report){ .reporter = "r" });

	kit_report(&s->kit, &(struct kit_report){ .reporter = "r" });
	assert_int_equal(store_begin(s->kit.store), STORE_OK);
	assert_int_equal(store_write(s->kit.store, &s->kit.facts), STORE_OK);
	assert_int_equal(query_case(s->reader, id, &s->mem, &a), QUERY_OK);
	assert_int_equal(query_case(s->reader, id + 1, &s->mem, &a), QUERY_NOT_FOUND);
	assert_int_equal(store_commit(s->kit.store), STORE_OK);
	assert_int_equal(query_case(s->reader, id + 1, &s->mem, &a), QUERY_OK);
	/* Nothing is held open between questions: the log can be emptied. */
	assert_int_equal(store_checkpoint(s->kit.store, 1), STORE_OK);
	assert_int_equal(kit_number(&s->kit, "SELECT count(*) FROM open_case"), 2);
}

/* ---- lists ---- */

static size_t count_of(struct street *s, struct case_filter f)
{
	struct case_list list;

	f.limit = f.limit ? f.limit : 100;
	f.now_ms = f.now_ms ? f.now_ms : s->kit.now_ms;
	assert_int_equal(query_list(s->reader, &f, &s->mem, &list), QUERY_OK);
	for (size_t i = 1; i < list.count; i++)
		assert_true(list.rows[i].file.id < list.rows[i - 1].file.id);
	return list.count;
}

#define COUNT(...) count_of(s, (struct case_filter){ __VA_ARGS__ })
#define BIT(state) (UINT32_C(1) << (state))

static void each_filter_holds(void **state)
{
	struct street *s = *state;
	int64_t later = KIT_START_MS + INT64_C(10) * 86400000;

	kit_street(&s->kit); /* 10 cases, 4 of them open */
	assert_int_equal(COUNT(0), 10);
	assert_int_equal(COUNT(.open_only = 1), 4);
	assert_int_equal(COUNT(.reporter = "meituan/1"), 4);
	assert_int_equal(COUNT(.reporter = "meituan/1", .open_only = 1), 1);
	assert_int_equal(COUNT(.handler = "cleaning"), 3);
	assert_int_equal(COUNT(.handler = "nobody"), 0);
	assert_int_equal(COUNT(.category = 10201), 3);
	assert_int_equal(COUNT(.category = 10200), 3);
	assert_int_equal(COUNT(.category = 10100), 7);
	assert_int_equal(COUNT(.states = BIT(STATE_MERGED)), 2);
	assert_int_equal(COUNT(.states = BIT(STATE_MERGED) | BIT(STATE_REPORTED)), 4);
	assert_int_equal(COUNT(.area = KIT_GRID), 4);
	assert_int_equal(COUNT(.area = KIT_GRID / 1000), 7);
	assert_int_equal(COUNT(.area = KIT_GRID / 1000 + 1), 3);
	assert_int_equal(COUNT(.area = INT64_C(610404004000)), 10);
	assert_int_equal(COUNT(.area = INT64_C(610404005000)), 0);
	assert_int_equal(COUNT(.area = INT64_C(610000000000), .handler = "cleaning", .category = 10201), 2);
	assert_int_equal(COUNT(.to_ms = KIT_START_MS + 1), 1);
	assert_int_equal(COUNT(.from_ms = KIT_START_MS + 1), 9);
	assert_int_equal(COUNT(.from_ms = INT64_MAX, .to_ms = INT64_MIN), 0);
	assert_int_equal(COUNT(.overdue = 1), 0);
	assert_int_equal(COUNT(.overdue = 1, .now_ms = later), 3); /* the suspended one waits for no one */
}

static void pages_join_without_gap_or_repeat(void **state)
{
	static const struct case_filter filters[] = { { .area = 0 }, { .area = KIT_GRID / 1000 }, { .reporter = "meituan/1" } };
	struct street *s = *state;
	struct case_list all, page;

	for (int i = 0; i < 3; i++)
		kit_street(&s->kit);
	for (size_t i = 0; i < 3; i++) {
		struct case_filter f = filters[i];
		size_t seen = 0;

		f.limit = 100;
		assert_int_equal(query_list(s->reader, &f, &s->mem, &all), QUERY_OK);
		assert_int_equal(all.next_before_id, 0);
		f.limit = 4;
		do {
			assert_int_equal(query_list(s->reader, &f, &s->mem, &page), QUERY_OK);
			for (size_t n = 0; n < page.count; n++)
				assert_int_equal(page.rows[n].file.id, all.rows[seen++].file.id);
			f.before_id = page.next_before_id;
		} while (f.before_id != 0);
		assert_int_equal(seen, all.count);
	}
}

/* An archive in which what is looked for is one in a hundred thousand, at its old end. */
static void a_needle_in_the_archive_is_found_by_an_index(void **state)
{
	struct street *s = *state;
	char *cause = NULL;

	kit_whole_life(&s->kit, &(struct kit_report){ .reporter = "needle", .category = 10999, .grid = KIT_GRID + 5 });
	reader_close(s->reader);
	store_close(s->kit.store);
	s->kit.store = NULL;
	kit_tamper(&s->kit,
	           "CREATE TEMP TABLE one AS SELECT * FROM closed_case;"
	           "UPDATE one SET reporter = 'hay', handler = 'hay', category = 10110, grid = 610404004009001;"
	           "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
	           " INSERT INTO temp.one SELECT i + (SELECT max(id) FROM closed_case), reporter_kind, anonymous, reporter, actor,"
	           " reported_ms, last_event, grid, category, lat_e7, lon_e7, state, since_ms, stage_due_ms, level, rating,"
	           " extensions, suspensions, reopened, reworked, returned, supervised, late, stage_overdue, camera, alarm_event,"
	           " handler, worker, checker, handled_by, helpers, whistled, helper_done, whistled_answered, filed_ms,"
	           " dispatched_ms, handled_ms, closed_ms, reviewed_ms, ended_ms, first_reply_ms, discover_ms, handle_ms,"
	           " feedback_ms, paused_ms, accept_left_ms, limit_ms, handle_due_ms, handle_left_ms, escalate_at_ms,"
	           " asked_extension_ms, asked_suspend_until_ms, merged_into, last_alarm_ms, alarm_count, points, channel,"
	           " address, description, beneficiary, programme, photos, label, seen_at_ms, confidence_ppm FROM one, n;"
	           "INSERT INTO closed_case SELECT * FROM one WHERE id NOT IN (SELECT id FROM closed_case)");
	kit_reopen(&s->kit);
	s->reader = reader_open(s->kit.path, &cause);
	assert_non_null(s->reader);
	assert_int_equal(COUNT(0), 100);
	assert_int_equal(COUNT(.reporter = "needle"), 1);
	assert_int_equal(COUNT(.handler = "cleaning"), 1);
	assert_int_equal(COUNT(.category = 10999), 1);
	assert_int_equal(COUNT(.area = KIT_GRID + 5), 1);
	assert_int_equal(COUNT(.area = KIT_GRID / 1000), 1);
}

/* ---- points ---- */

static void points_and_their_rows(void **state)
{
	struct street *s = *state;
	struct points_answer p;

	kit_street(&s->kit);
	kit_nothing(&s->kit);
	kit_earn(&s->kit, "meituan/1", -4, s->kit.now_ms, 0);
	assert_int_equal(kit_write(&s->kit), STORE_OK);
	assert_int_equal(query_points(s->reader, "meituan/1", s->kit.now_ms, 100, &s->mem, &p), QUERY_OK);
	assert_int_equal(p.balance, 6);
	assert_int_equal(p.payable, casebook_payable(s->kit.book, "meituan/1", s->kit.now_ms));
	assert_int_equal(p.count, 2);
	assert_int_equal(p.rows[0].fact.points, -4);
	assert_int_equal(p.rows[0].category, 0);
	assert_string_equal(p.rows[1].fact.rule, "first-reporter");
	assert_int_equal(p.rows[1].category, 10110);
	assert_int_equal(query_points(s->reader, "meituan/1", INT64_MAX, 1, &s->mem, &p), QUERY_OK);
	assert_int_equal(p.payable, 6);
	assert_int_equal(p.count, 1);
	assert_int_equal(query_points(s->reader, "nobody", 0, 5, &s->mem, &p), QUERY_OK);
	assert_int_equal(p.balance, 0);
	assert_int_equal(p.count, 0);
}

static void the_board_counts_from_its_day(void **state)
{
	struct street *s = *state;
	struct board_row *rows;
	size_t count;
	char name[20];

	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof name, "rider-%02d", i);
		for (int n = 0; n <= i; n++) {
			s->kit.now_ms += INT64_C(3600000);
			kit_whole_life(&s->kit, &(struct kit_report){ .reporter = name });
		}
	}
	assert_int_equal(query_board(s->reader, 0, &s->mem, &rows, &count), QUERY_OK);
	assert_int_equal(count, 10);
	assert_string_equal(rows[0].person, "rider-11");
	assert_int_equal(rows[0].points, 120);
	assert_string_equal(rows[9].person, "rider-02");
	assert_int_equal(query_board(s->reader, s->kit.now_ms, &s->mem, &rows, &count), QUERY_OK);
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].points, 10);
	assert_int_equal(query_board(s->reader, s->kit.now_ms + 1, &s->mem, &rows, &count), QUERY_OK);
	assert_int_equal(count, 0);
}

/* ---- notices and events ---- */

static void owe(struct kit *k, int64_t id, const char *to)
{
	kit_step(k, id, (struct fact){ .act = ACT_SUPERVISE, .to = STATE_REPORTED });
	kit_owe(k, to);
	assert_int_equal(kit_write(k), STORE_OK);
}

static void notices_of_all_ones_names_in_order(void **state)
{
	static const char *const names[] = { "ann", "role:acceptor", "bob", "unit-1", "ann", "role:acceptor" };
	struct street *s = *state;
	struct notice_filter f = { .to = { "ann", "unit-1", "role:acceptor" }, .limit = 100 };
	struct notice_row *rows;
	size_t count;
	int64_t id = kit_new_case(&s->kit, &(struct kit_report){ .reporter = "r" });

	for (size_t i = 0; i < 6; i++)
		owe(&s->kit, id, names[i]);
	assert_int_equal(query_notices(s->reader, &f, &s->mem, &rows, &count), QUERY_OK);
	assert_int_equal(count, 5);
	assert_int_equal(rows[0].fact.id, 1);
	assert_int_equal(rows[4].fact.id, 6);
	assert_string_equal(rows[2].fact.to, "unit-1");
	assert_int_equal(rows[2].category, 10110);
	assert_non_null(strstr(rows[2].fact.text, "news of event"));
	assert_false(rows[0].seen);

	kit_nothing(&s->kit);
	s->kit.facts.has_seen = 1;
	s->kit.facts.seen = (struct seen_fact){ "ann", 4, s->kit.now_ms };
	assert_int_equal(kit_write(&s->kit), STORE_OK);
	assert_int_equal(query_notices(s->reader, &f, &s->mem, &rows, &count), QUERY_OK);
	assert_true(rows[2].seen); /* what her unit was told is seen by her */
	assert_false(rows[3].seen);
	f.unseen_only = 1;
	assert_int_equal(query_notices(s->reader, &f, &s->mem, &rows, &count), QUERY_OK);
	assert_int_equal(count, 2);
	f.after = 5;
	assert_int_equal(query_notices(s->reader, &f, &s->mem, &rows, &count), QUERY_OK);
	assert_int_equal(count, 1);
	f.after = 0;
	f.limit = 1;
	assert_int_equal(query_notices(s->reader, &f, &s->mem, &rows, &count), QUERY_OK);
	assert_int_equal(rows[0].fact.id, 5);
	/* Another of the role has not seen what ann has. */
	f = (struct notice_filter){ .to = { "bob", "role:acceptor" }, .limit = 9, .unseen_only = 1 };
	assert_int_equal(query_notices(s->reader, &f, &s->mem, &rows, &count), QUERY_OK);
	assert_int_equal(count, 3);
}

static void events_come_in_order_with_a_cursor(void **state)
{
	struct street *s = *state;
	struct news_row *rows;
	size_t count;
	int64_t scanned, last_event, last_notice, all = 0, after = 0;

	kit_street(&s->kit);
	assert_int_equal(query_last_ids(s->reader, &last_event, &last_notice), QUERY_OK);
	assert_int_equal(last_event, casebook_counters(s->kit.book)->event - 1);
	assert_int_equal(last_notice, casebook_counters(s->kit.book)->notice - 1);
	do {
		assert_int_equal(query_events(s->reader, after, 0, 7, 1, &s->mem, &rows, &count, &scanned), QUERY_OK);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(rows[i].fact.id, ++all);
		after = scanned;
	} while (count > 0);
	assert_int_equal(all, last_event);
	assert_int_equal(scanned, last_event);

	assert_int_equal(query_events(s->reader, -5, KIT_GRID / 1000 + 1, 100, 1, &s->mem, &rows, &count, &scanned), QUERY_OK);
	assert_in_range(count, 5, 30);
	assert_int_equal(scanned, last_event);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(rows[i].reporter, "worker-1");
	assert_int_equal(query_events(s->reader, 0, 0, 1, 0, &s->mem, &rows, &count, &scanned), QUERY_OK);
	assert_null(rows[0].reporter);
	assert_int_equal(scanned, 1);
	assert_int_equal(query_events(s->reader, last_event + 9, 0, 1, 0, &s->mem, &rows, &count, &scanned), QUERY_OK);
	assert_int_equal(count, 0);
	assert_int_equal(scanned, last_event + 9);
}

/* ---- statistics ---- */

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
	assert_memory_equal(&a.rows[0].received, &a.total.received, sizeof a.total - offsetof(struct stats_row, received));
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
	assert_int_equal(a.longest_open_ms, s->kit.now_ms - kit_number(&s->kit, "SELECT min(reported_ms) FROM open_case"));
}

static void late_ones_are_counted_while_open_and_after(void **state)
{
	struct street *s = *state;
	struct stats_answer a;
	int64_t id, due;

	id = kit_new_case(&s->kit, &(struct kit_report){ .reporter = "r" });
	kit_do(&s->kit, id, ACT_FILE, STATE_FILED);
	due = s->kit.now_ms + 1000;
	kit_step(&s->kit, id, (struct fact){ .act = ACT_DISPATCH, .to = STATE_DISPATCHED, .ref = "u", .value = 1000, .handle_due_ms = due });
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
		{ STATS_KIND, "food-rider", 4 },    { STATS_KIND, "resident", 3 },   { STATS_AREA, "610404004001", 7 },
		{ STATS_CATEGORY, "E0201", 3 },     { STATS_HANDLER, "cleaning", 3 }, { STATS_HANDLER, "", 6 },
		{ STATS_STATE, "REWARDED", 2 },     { STATS_MONTH, "2026-11", 10 },  { STATS_CHANNEL, "redis", 3 },
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
	assert_int_equal(query_stats(s->reader, STATS_MONTH, 0, KIT_START_MS + 1, 0, s->kit.now_ms, &s->mem, &a), QUERY_OK);
	assert_int_equal(a.total.received, 1);
	assert_int_equal(a.total.points, 10);
	assert_int_equal(query_stats(s->reader, STATS_MONTH, 0, 0, KIT_START_MS + 1, s->kit.now_ms, &s->mem, &a), QUERY_OK);
	assert_int_equal(a.total.received, 1);
	assert_int_equal(query_stats(s->reader, STATS_ALL, KIT_GRID / 1000, 0, 0, s->kit.now_ms, &s->mem, &a), QUERY_OK);
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

/* ---- limits ---- */

static void a_question_that_takes_too_long_is_ended(void **state)
{
	struct street *s = *state;
	struct board_row *rows;
	size_t count;
	struct case_answer c;
	char *cause = NULL;
	int64_t id = kit_new_case(&s->kit, &(struct kit_report){ .reporter = "r" });

	/* A database in which counting never ends: the ledger is a view that makes rows for ever. */
	reader_close(s->reader);
	store_close(s->kit.store);
	s->kit.store = NULL;
	kit_tamper(&s->kit, "DROP TABLE ledger; CREATE VIEW ledger AS WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1"
	                    " FROM n) SELECT i AS id, i AS at_ms, 'p' AS person, 0 AS points, 0 AS case_id FROM n");
	s->reader = reader_open(s->kit.path, &cause);
	assert_non_null(s->reader);
	assert_int_equal(query_board(s->reader, 0, &s->mem, &rows, &count), QUERY_TIMEOUT);
	assert_int_equal(query_case(s->reader, id, &s->mem, &c), QUERY_OK);
}

static void no_database_no_reader(void **state)
{
	struct street *s = *state;
	char *cause = NULL;

	assert_null(reader_open("/nowhere/street.db", &cause));
	assert_non_null(cause);
	free(cause);
	store_close(s->kit.store);
	s->kit.store = NULL;
	reader_close(s->reader);
	s->reader = NULL;
	kit_tamper(&s->kit, "PRAGMA user_version = 0");
	assert_null(reader_open(s->kit.path, &cause));
	assert_non_null(strstr(cause, "schema version 0"));
	free(cause);
}

#define WITH_STREET(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STREET(an_open_case_is_shown_whole),
		WITH_STREET(a_master_names_those_merged_into_it),
		WITH_STREET(an_unknown_case_is_not_found),
		WITH_STREET(a_long_history_is_cut_to_the_newest),
		WITH_STREET(a_reader_sees_what_is_written_meanwhile),
		WITH_STREET(each_filter_holds),
		WITH_STREET(pages_join_without_gap_or_repeat),
		WITH_STREET(a_needle_in_the_archive_is_found_by_an_index),
		WITH_STREET(points_and_their_rows),
		WITH_STREET(the_board_counts_from_its_day),
		WITH_STREET(notices_of_all_ones_names_in_order),
		WITH_STREET(events_come_in_order_with_a_cursor),
		WITH_STREET(the_total_says_what_the_street_did),
		WITH_STREET(late_ones_are_counted_while_open_and_after),
		WITH_STREET(an_alarm_nobody_confirmed_is_counted_apart),
		WITH_STREET(groups_have_names_and_add_up),
		WITH_STREET(a_period_and_an_area_narrow_the_count),
		WITH_STREET(too_many_groups_are_cut_but_counted),
		WITH_STREET(a_question_that_takes_too_long_is_ended),
		WITH_STREET(no_database_no_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
