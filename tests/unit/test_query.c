#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/columns.h"
#include "store/query.h"
#include "workflow/place.h"
#include "store_kit.h"

static int64_t only_id(struct kit *k, const char *where)
{
	char sql[300];

	snprintf(sql, sizeof sql,
	         "SELECT id FROM (SELECT * FROM open_case UNION ALL SELECT * FROM closed_case) WHERE %s", where);
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
	assert_int_equal(query_case(s->reader,
	                            only_id(&s->kit, "id IN (SELECT merged_into FROM closed_case) AND state = 1"),
	                            &s->mem, &a),
	                 QUERY_OK);
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
	static const struct case_filter filters[] = { { .area = 0 },
		                                      { .area = KIT_GRID / 1000 },
		                                      { .reporter = "meituan/1" } };
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
	char *cause = NULL, sql[4000];

	kit_whole_life(&s->kit, &(struct kit_report){ .reporter = "needle", .category = 10999, .grid = KIT_GRID + 5 });
	reader_close(s->reader);
	store_close(s->kit.store);
	s->kit.store = NULL;
	snprintf(sql, sizeof sql,
	         "CREATE TEMP TABLE one AS SELECT * FROM closed_case;"
	         "UPDATE one SET reporter = 'hay', handler = 'hay', category = 10110, grid = 610404004009001;"
	         "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
	         " INSERT INTO temp.one (%s, erased) SELECT i + (SELECT max(id) FROM closed_case), %s, 0 FROM one, n;"
	         "INSERT INTO closed_case SELECT * FROM one WHERE id NOT IN (SELECT id FROM closed_case)",
	         ROW_ALL_NAMES, ROW_ALL_NAMES + strlen("id,"));
	kit_tamper(&s->kit, sql);
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
	int64_t scanned;
	int64_t id = kit_new_case(&s->kit, &(struct kit_report){ .reporter = "r" });

	for (size_t i = 0; i < 6; i++)
		owe(&s->kit, id, names[i]);
	assert_int_equal(query_notices(s->reader, &f, &s->mem, &rows, &count, &scanned), QUERY_OK);
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
	assert_int_equal(query_notices(s->reader, &f, &s->mem, &rows, &count, &scanned), QUERY_OK);
	assert_true(rows[2].seen); /* what her unit was told is seen by her */
	assert_false(rows[3].seen);
	f.unseen_only = 1;
	assert_int_equal(query_notices(s->reader, &f, &s->mem, &rows, &count, &scanned), QUERY_OK);
	assert_int_equal(count, 2);
	f.after = 5;
	assert_int_equal(query_notices(s->reader, &f, &s->mem, &rows, &count, &scanned), QUERY_OK);
	assert_int_equal(count, 1);
	f.after = 0;
	f.limit = 1;
	assert_int_equal(query_notices(s->reader, &f, &s->mem, &rows, &count, &scanned), QUERY_OK);
	assert_int_equal(rows[0].fact.id, 5);
	/* Another of the role has not seen what ann has. */
	f = (struct notice_filter){ .to = { "bob", "role:acceptor" }, .limit = 9, .unseen_only = 1 };
	assert_int_equal(query_notices(s->reader, &f, &s->mem, &rows, &count, &scanned), QUERY_OK);
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
		assert_int_equal(query_events(s->reader, &(struct event_filter){ .after = after, .limit = 7 }, &s->mem,
		                              &rows, &count, &scanned),
		                 QUERY_OK);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(rows[i].fact.id, ++all);
		after = scanned;
	} while (count > 0);
	assert_int_equal(all, last_event);
	assert_int_equal(scanned, last_event);

	assert_int_equal(query_events(s->reader,
	                              &(struct event_filter){ .after = -5, .area = KIT_GRID / 1000 + 1, .limit = 100 },
	                              &s->mem, &rows, &count, &scanned),
	                 QUERY_OK);
	assert_in_range(count, 5, 30);
	assert_int_equal(scanned, last_event);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(rows[i].people.reporter, "worker-1");
	assert_int_equal(
		query_events(s->reader, &(struct event_filter){ .limit = 1 }, &s->mem, &rows, &count, &scanned),
		QUERY_OK);
	assert_non_null(rows[0].people.reporter);
	assert_int_equal(scanned, 1);
	assert_int_equal(query_events(s->reader, &(struct event_filter){ .after = last_event + 9, .limit = 1 }, &s->mem,
	                              &rows, &count, &scanned),
	                 QUERY_OK);
	assert_int_equal(count, 0);
	assert_int_equal(scanned, last_event + 9);
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
	kit_tamper(&s->kit,
	           "DROP TABLE ledger; CREATE VIEW ledger AS WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_STREET_TEST(an_open_case_is_shown_whole),
		KIT_STREET_TEST(a_master_names_those_merged_into_it),
		KIT_STREET_TEST(an_unknown_case_is_not_found),
		KIT_STREET_TEST(a_long_history_is_cut_to_the_newest),
		KIT_STREET_TEST(a_reader_sees_what_is_written_meanwhile),
		KIT_STREET_TEST(each_filter_holds),
		KIT_STREET_TEST(pages_join_without_gap_or_repeat),
		KIT_STREET_TEST(a_needle_in_the_archive_is_found_by_an_index),
		KIT_STREET_TEST(points_and_their_rows),
		KIT_STREET_TEST(the_board_counts_from_its_day),
		KIT_STREET_TEST(notices_of_all_ones_names_in_order),
		KIT_STREET_TEST(events_come_in_order_with_a_cursor),
		KIT_STREET_TEST(a_question_that_takes_too_long_is_ended),
		KIT_STREET_TEST(no_database_no_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
