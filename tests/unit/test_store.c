#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/connection.h"
#include "store/row.h"
#include "store/writer.h"
#include "store_kit.h"

static const struct kit_report plain = { .reporter = "resident-1", .keyed = 1 };

/* ---- coming back ---- */

static void a_street_comes_back_as_it_was(void **state)
{
	struct kit *k = *state;
	struct casebook *before;

	kit_street(k);
	before = k->book;
	k->book = NULL;
	kit_reopen(k);
	assert_int_equal(casebook_open_count(k->book), 4);
	kit_assert_same_books(before, k->book);
	kit_assert_same_books(k->book, before);
	casebook_free(before);
}

static void an_empty_database_gives_an_empty_book(void **state)
{
	struct kit *k = *state;
	struct casebook *fresh = casebook_new(0);

	kit_assert_same_books(k->book, fresh);
	casebook_free(fresh);
}

static void points_come_back(void **state)
{
	struct kit *k = *state;
	struct account before;
	int64_t payable;

	kit_street(k);
	kit_nothing(k);
	kit_earn(k, "meituan/1", -3, k->now_ms, 0);
	assert_int_equal(kit_write(k), STORE_OK);
	before = *casebook_account(k->book, "meituan/1");
	payable = casebook_payable(k->book, "meituan/1", k->now_ms);
	assert_int_equal(before.balance, 7);
	assert_int_equal(payable, -3);
	kit_reopen(k);
	assert_int_equal(casebook_account(k->book, "meituan/1")->balance, before.balance);
	assert_int_equal(casebook_account(k->book, "meituan/1")->month, before.month);
	assert_int_equal(casebook_account(k->book, "meituan/1")->month_points, before.month_points);
	assert_int_equal(casebook_payable(k->book, "meituan/1", k->now_ms), payable);
	assert_true(casebook_rewarded_at(k->book, 77) > KIT_START_MS);
}

static void a_months_points_begin_anew(void **state)
{
	struct kit *k = *state;

	kit_whole_life(k, &plain);
	k->now_ms += INT64_C(40) * 86400000;
	kit_whole_life(k, &plain);
	kit_whole_life(k, &plain);
	assert_int_equal(casebook_account(k->book, "resident-1")->month_points, 20);
	kit_reopen(k);
	assert_int_equal(casebook_account(k->book, "resident-1")->month_points, 20);
	assert_int_equal(casebook_account(k->book, "resident-1")->month, 202701);
	assert_int_equal(casebook_account(k->book, "resident-1")->balance, 30);
}

static void followers_follow_the_last_master(void **state)
{
	struct kit *k = *state;
	const struct follower *rows;
	size_t count;
	int64_t master;

	kit_street(k);
	master = kit_number(k, "SELECT merged_into FROM closed_case WHERE merged_into IN (SELECT id FROM open_case)");
	kit_reopen(k);
	rows = casebook_followers(k->book, master, &count);
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].reporter, "worker-1");
	assert_int_equal(rows[0].reporter_kind, REPORTER_GRID_WORKER);
	assert_string_equal(rows[1].reporter, "meituan/1");
}

static void counters_of_another_shard_do_not_mix(void **state)
{
	struct kit *k = *state;
	struct casebook *other = casebook_new(7);
	char *cause = NULL;

	kit_new_case(k, &plain);
	assert_true(store_recover(k->store, other, &cause));
	assert_int_equal(casebook_counters(other)->sequence, 1);
	assert_int_equal(casebook_counters(other)->day, 0);
	assert_int_equal(casebook_counters(other)->event, 2);
	casebook_free(other);
}

static void the_newest_time_comes_back(void **state)
{
	struct kit *k = *state;
	int64_t id = kit_new_case(k, &plain);

	k->now_ms += 5000;
	kit_do(k, id, ACT_FILE, STATE_FILED);
	/* A timer's fact may carry an earlier time than the command before it. */
	k->now_ms -= 3000;
	kit_do(k, id, ACT_SUPERVISE, STATE_FILED);
	kit_reopen(k);
	assert_int_equal(casebook_counters(k->book)->last_ms, k->now_ms + 3000);
}

/* ---- the archive ---- */

static void an_ended_case_moves_whole(void **state)
{
	struct kit *k = *state;
	struct kit_report described = { .reporter = "resident-1", .description = "深圳路 12 号 ending" };
	int32_t category = 0;
	enum state s = STATE_NONE;
	int64_t id = kit_new_case(k, &described);

	assert_false(store_find_archived(k->store, id, &category, &s));
	kit_do(k, id, ACT_REJECT, STATE_REJECTED);
	assert_true(store_find_archived(k->store, id, &category, &s));
	assert_int_equal(category, 10110);
	assert_int_equal(s, STATE_REJECTED);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM open_case"), 0);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM closed_case WHERE description = '深圳路 12 号 ending'"
	                               " AND ended_ms > 0 AND seen_at_ms > 0 AND channel = 'tcp'"),
	                 1);
}

static void a_case_born_ended_goes_straight_to_the_archive(void **state)
{
	struct kit *k = *state;
	int64_t master = kit_new_case(k, &plain), id;
	struct case_file *draft = &k->facts.drafts[0];
	struct fact *e;
	int32_t category;
	enum state s;

	id = kit_report(k, &plain);
	e = facts_event(&k->facts);
	*e = k->facts.events[0];
	e->id++;
	e->prev = e->id - 1;
	e->act = ACT_MERGE;
	e->from = STATE_REPORTED;
	e->to = STATE_MERGED;
	e->value = master;
	case_apply(k->book, draft, e);
	assert_int_equal(kit_write(k), STORE_OK);
	assert_true(store_find_archived(k->store, id, &category, &s));
	assert_int_equal(s, STATE_MERGED);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM open_case"), 1);
}

static void a_change_to_no_open_case_is_an_alarm(void **state)
{
	struct kit *k = *state;
	int64_t id = kit_new_case(k, &plain);

	kit_step(k, id, (struct fact){ .act = ACT_FILE, .to = STATE_FILED });
	k->facts.drafts[0].id = id + 1;
	assert_int_equal(store_begin(k->store), STORE_OK);
	assert_int_equal(store_write(k->store, &k->facts), STORE_UNKNOWN);
	store_rollback(k->store);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM case_event"), 1);
}

/* ---- what cannot be ---- */

static void events_and_points_are_never_changed(void **state)
{
	static const char *const tries[] = { "UPDATE case_event SET text = 'x'", "DELETE FROM case_event",
		                             "UPDATE ledger SET points = 1000", "DELETE FROM ledger" };
	struct kit *k = *state;
	sqlite3 *db = NULL;

	kit_whole_life(k, &plain);
	assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof tries / sizeof *tries; i++)
		assert_int_equal(sqlite3_exec(db, tries[i], NULL, NULL, NULL), SQLITE_CONSTRAINT);
	sqlite3_close(db);
}

static void a_balance_never_goes_below_zero(void **state)
{
	struct kit *k = *state;

	kit_whole_life(k, &plain);
	kit_nothing(k);
	kit_earn(k, "resident-1", -11, k->now_ms, 0);
	assert_int_equal(store_begin(k->store), STORE_OK);
	assert_int_equal(store_write(k->store, &k->facts), STORE_UNKNOWN);
	store_rollback(k->store);
	assert_int_equal(kit_number(k, "SELECT balance FROM account"), 10);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM ledger"), 1);
}

static void a_row_of_the_ledger_is_written_once(void **state)
{
	struct kit *k = *state;

	kit_whole_life(k, &plain);
	kit_nothing(k);
	kit_earn(k, "resident-1", 5, k->now_ms, 0);
	k->facts.ledger[0].id = 1; /* there is one of that number */
	assert_int_equal(store_begin(k->store), STORE_OK);
	assert_int_equal(store_write(k->store, &k->facts), STORE_UNKNOWN);
	store_rollback(k->store);
	assert_int_equal(kit_number(k, "SELECT balance FROM account"), 10);
}

/* What a case takes back is no room under the month's cap. */
static void only_what_is_earned_counts_for_the_month(void **state)
{
	struct kit *k = *state;
	int64_t id = kit_whole_life(k, &plain);

	kit_nothing(k);
	kit_earn(k, "resident-1", -4, k->now_ms, 0);
	k->facts.ledger[0].case_id = id;
	assert_int_equal(kit_write(k), STORE_OK);
	assert_int_equal(kit_number(k, "SELECT balance FROM account"), 6);
	assert_int_equal(kit_number(k, "SELECT month_points FROM account"), 10);
	assert_int_equal(casebook_account(k->book, "resident-1")->month_points, 10);
	for (int points = 1; points >= 0; points--) {
		kit_nothing(k);
		kit_earn(k, "resident-1", points, k->now_ms, 0);
		k->facts.ledger[0].case_id = id;
		assert_int_equal(kit_write(k), STORE_OK);
		assert_int_equal(kit_number(k, "SELECT month_points FROM account"), 11);
		assert_int_equal(kit_number(k, "SELECT month FROM account"), 202611);
		k->now_ms += 40 * INT64_C(86400000); /* another month */
	}
}

static void seeing_is_never_ahead_of_what_there_is(void **state)
{
	struct kit *k = *state;

	for (int i = 0; i < 2; i++) {
		kit_nothing(k);
		k->facts.has_seen = 1;
		k->facts.seen = (struct seen_fact){ "resident-1", INT64_MAX, k->now_ms + 7 };
		assert_int_equal(kit_write(k), STORE_OK);
		assert_int_equal(kit_number(k, "SELECT count(*) FROM notice_seen"), i);
		if (i == 0)
			kit_whole_life(k, &plain);
	}
	assert_int_equal(kit_number(k, "SELECT up_to FROM notice_seen"), 1);
	kit_reopen(k);
	assert_int_equal(casebook_counters(k->book)->last_ms, k->now_ms + 7);
}

static void rows_and_tables_name_the_same_columns(void **state)
{
	static const char *const tables[] = { "open_case", "closed_case" };
	struct kit *k = *state;
	char sql[4000];

	for (size_t i = 0; i < 2; i++) {
		snprintf(sql, sizeof sql,
		         "SELECT count(*) = sum(instr('," ROW_ALL_NAMES ",', ',' || name || ',') > 0)"
		         " AND sum(1 + length(name)) = length('," ROW_ALL_NAMES "') FROM pragma_table_info('%s')"
		         " WHERE name <> 'erased'", /* the archive's own */
		         tables[i]);
		assert_int_equal(kit_number(k, sql), 1);
	}
}

/* ---- a disk that fails ---- */

static void write_many(struct kit *k, int count)
{
	for (int i = 0; i < count; i++)
		kit_new_case(k, &plain);
}

static void use_faulty_disk(struct kit *k)
{
	k->vfs = kit_vfs();
	kit_reopen(k);
}

static void a_full_disk_leaves_nothing_behind(void **state)
{
	struct kit *k = *state;
	struct casebook *before;

	use_faulty_disk(k);
	write_many(k, 5);
	kit_recover(k);
	before = k->book;
	k->book = NULL;
	kit_recover(k);
	kit_vfs_fail(KIT_FAULT_FULL, 0); /* the one write a commit makes */
	kit_report(k, &plain);
	assert_int_equal(kit_write(k), STORE_FULL);
	store_rollback(k->store);
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	kit_recover(k);
	kit_assert_same_books(before, k->book);
	casebook_free(before);

	write_many(k, 1);
	kit_reopen(k);
	assert_int_equal(casebook_open_count(k->book), 6);
}

static void a_failed_sync_is_unknown(void **state)
{
	struct kit *k = *state;

	use_faulty_disk(k);
	write_many(k, 1);
	kit_vfs_fail(KIT_FAULT_SYNC, 0);
	kit_report(k, &plain);
	assert_int_equal(kit_write(k), STORE_UNKNOWN);
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	store_rollback(k->store);
}

static void a_full_disk_at_a_checkpoint_is_told(void **state)
{
	struct kit *k = *state;

	use_faulty_disk(k);
	write_many(k, 3);
	kit_vfs_fail(KIT_FAULT_FULL, 0);
	assert_int_equal(store_checkpoint(k->store, 1), STORE_FULL);
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	assert_int_equal(store_checkpoint(k->store, 1), STORE_OK);
}

/* ---- opening ---- */

static char *open_fails(struct kit *k, const char *path)
{
	struct store_options o = { .path = path, .checkpoint_frames = 1000 };
	char *cause = NULL;

	(void)k;
	assert_null(store_open(&o, &cause));
	assert_non_null(cause);
	return cause;
}

static void close_store(struct kit *k)
{
	store_close(k->store);
	k->store = NULL;
}

static void assert_cause(char *cause, const char *words)
{
	if (!strstr(cause, words))
		fail_msg("\"%s\" does not say \"%s\"", cause, words);
	free(cause);
}

/* FULL would leave the deletion of the very first journal to chance. */
static void the_writers_connection_syncs_all_there_is_to_sync(void **state)
{
	enum { EXTRA = 3 };
	struct kit *k = *state;
	struct connection c;
	char *cause = NULL;
	_Bool ok = 1;

	assert_true(connection_open(&c, k->path, NULL, CONNECTION_WRITE, NULL, 0, &cause));
	assert_int_equal(connection_number(&c, "PRAGMA synchronous", -1, &ok), EXTRA);
	assert_true(ok);
	connection_close(&c);
}

/* As SQLite does by itself after some errors: what comes behind must not be written without what stood before it. */
static void nothing_is_written_when_the_transaction_is_gone(void **state)
{
	struct kit *k = *state;
	const struct audit_fact row = { .at_ms = k->now_ms, .what = AUDITED_RELOAD, .who = "operator" };
	const int64_t head = kit_number(k, "SELECT id FROM chain_head WHERE chain = 0");

	assert_int_equal(store_begin(k->store), STORE_OK);
	assert_int_equal(store_write_audit(k->store, &row), STORE_OK);
	connection_rollback(&k->store->connection);
	assert_int_equal(store_commit(k->store), STORE_UNKNOWN);
	assert_int_equal(store_write_audit(k->store, &row), STORE_UNKNOWN);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM audit"), head);
	assert_int_equal(kit_number(k, "SELECT id FROM chain_head WHERE chain = 0"), head);
}

static void a_second_writer_is_refused(void **state)
{
	struct kit *k = *state;

	assert_cause(open_fails(k, k->path), "in use by another process");
	close_store(k);
	kit_reopen(k);
}

static void a_newer_schema_is_refused_and_untouched(void **state)
{
	struct kit *k = *state;

	close_store(k);
	kit_tamper(k, "PRAGMA user_version = 99");
	assert_cause(open_fails(k, k->path), "schema version 99");
	assert_int_equal(kit_number(k, "PRAGMA user_version"), 99);
}

static void another_applications_file_is_refused_and_untouched(void **state)
{
	struct kit *k = *state;

	close_store(k);
	kit_tamper(k, "PRAGMA journal_mode = DELETE; PRAGMA application_id = 252006674");
	assert_cause(open_fails(k, k->path), "another application");
	assert_int_equal(kit_number(k, "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'delete'"), 1);
	kit_tamper(k, "PRAGMA application_id = 0");
	assert_cause(open_fails(k, k->path), "another application");
}

static void a_file_that_is_no_database_is_refused(void **state)
{
	struct kit *k = *state;
	FILE *f;

	close_store(k);
	f = fopen(k->path, "w");
	for (int i = 0; i < 5000; i++)
		fputs("not a database ", f);
	fclose(f);
	assert_cause(open_fails(k, k->path), "not a database");
}

static void a_torn_page_is_found_at_the_start(void **state)
{
	struct kit *k = *state;
	int64_t page;
	FILE *f;

	write_many(k, 50);
	close_store(k);
	page = kit_number(k, "SELECT rootpage FROM sqlite_schema WHERE name = 'settled_key'");
	f = fopen(k->path, "r+");
	assert_int_equal(fseek(f, (page - 1) * 4096L + 8, SEEK_SET), 0);
	for (int i = 0; i < 512; i++)
		fputs("\xff\xfe", f);
	fclose(f);
	assert_cause(open_fails(k, k->path), "damaged");
}

static void a_folder_that_is_not_there_is_told(void **state)
{
	assert_cause(open_fails(*state, "/nowhere/at/all/street.db"), "No such file");
}

static void a_row_that_cannot_be_stops_the_recovery(void **state)
{
	struct kit *k = *state;
	struct casebook *book = casebook_new(0);
	char *cause = NULL;

	kit_new_case(k, &plain);
	close_store(k);
	kit_tamper(k, "UPDATE open_case SET state = 200");
	k->store = store_open(&(struct store_options){ .path = k->path, .checkpoint_frames = 1000 }, &cause);
	assert_non_null(k->store);
	assert_false(store_recover(k->store, book, &cause));
	assert_cause(cause, "cannot be");
	casebook_free(book);
}

/* ---- the log ---- */

static int64_t log_size(const struct kit *k)
{
	char name[200];
	struct stat st;

	snprintf(name, sizeof name, "%s-wal", k->path);
	return stat(name, &st) == 0 ? st.st_size : 0;
}

static void the_log_is_brought_home(void **state)
{
	struct kit *k = *state;
	int64_t grown;

	write_many(k, 3);
	assert_int_equal(store_checkpoint(k->store, 0), STORE_OK);
	assert_true(log_size(k) > 0);
	for (int i = 0; i < 600; i++) {
		kit_new_case(k, &plain);
		assert_int_equal(store_checkpoint(k->store, 0), STORE_OK);
	}
	grown = log_size(k);
	/* 600 commits of at least 3 pages each: without a checkpoint the log would be longer than a thousand frames. */
	assert_in_range(grown, 500 * 4120, 1100 * 4120);
	assert_int_equal(store_checkpoint(k->store, 1), STORE_OK);
	/* All of it is home, so the log is written over from its start, and keeps its length. */
	write_many(k, 100);
	assert_int_equal(log_size(k), grown);
	kit_recover(k);
	assert_int_equal(casebook_open_count(k->book), 703);
}

static void a_reader_holds_the_log_but_not_the_writer(void **state)
{
	struct kit *k = *state;
	sqlite3 *db = NULL;
	int64_t held;

	write_many(k, 3);
	assert_int_equal(sqlite3_open_v2(k->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM open_case", NULL, NULL, NULL), SQLITE_OK);
	write_many(k, 3);
	assert_int_equal(store_checkpoint(k->store, 1), STORE_OK);
	held = log_size(k);
	write_many(k, 12);
	assert_true(log_size(k) > held); /* what the reader looks at is not written over */
	sqlite3_close(db);
	assert_int_equal(store_checkpoint(k->store, 1), STORE_OK);
	held = log_size(k);
	write_many(k, 3);
	assert_int_equal(log_size(k), held);
}

#define WITH_KIT(f) cmocka_unit_test_setup_teardown(f, kit_test_start, kit_test_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_KIT(a_street_comes_back_as_it_was),
		WITH_KIT(an_empty_database_gives_an_empty_book),
		WITH_KIT(points_come_back),
		WITH_KIT(a_months_points_begin_anew),
		WITH_KIT(followers_follow_the_last_master),
		WITH_KIT(counters_of_another_shard_do_not_mix),
		WITH_KIT(the_newest_time_comes_back),
		WITH_KIT(an_ended_case_moves_whole),
		WITH_KIT(a_case_born_ended_goes_straight_to_the_archive),
		WITH_KIT(a_change_to_no_open_case_is_an_alarm),
		WITH_KIT(events_and_points_are_never_changed),
		WITH_KIT(a_balance_never_goes_below_zero),
		WITH_KIT(a_row_of_the_ledger_is_written_once),
		WITH_KIT(only_what_is_earned_counts_for_the_month),
		WITH_KIT(seeing_is_never_ahead_of_what_there_is),
		WITH_KIT(rows_and_tables_name_the_same_columns),
		WITH_KIT(a_full_disk_leaves_nothing_behind),
		WITH_KIT(a_failed_sync_is_unknown),
		WITH_KIT(a_full_disk_at_a_checkpoint_is_told),
		WITH_KIT(the_writers_connection_syncs_all_there_is_to_sync),
		WITH_KIT(nothing_is_written_when_the_transaction_is_gone),
		WITH_KIT(a_second_writer_is_refused),
		WITH_KIT(a_newer_schema_is_refused_and_untouched),
		WITH_KIT(another_applications_file_is_refused_and_untouched),
		WITH_KIT(a_file_that_is_no_database_is_refused),
		WITH_KIT(a_torn_page_is_found_at_the_start),
		WITH_KIT(a_folder_that_is_not_there_is_told),
		WITH_KIT(a_row_that_cannot_be_stops_the_recovery),
		WITH_KIT(the_log_is_brought_home),
		WITH_KIT(a_reader_holds_the_log_but_not_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
