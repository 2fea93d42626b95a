/* The engine when the disk is full, broken, or not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "engine/writer.h"
#include "workflow/case_number.h"
#include "store_kit.h"
#include "town_kit.h"

static void test_a_full_disk_refuses_and_loses_nothing(void **state)
{
	(void)state;
	struct command *c;
	struct outcome o;

	town.vfs = kit_vfs();
	town_start();
	assert_true(town_ask(town_report(0)).accepted);
	UNTIL(town.last_event == 1);
	kit_vfs_fail(KIT_FAULT_FULL, 0);
	for (uint32_t i = 1; i < 20; i++)
		town_send(town_report(i));
	UNTIL(town.answered == 20);
	for (uint32_t i = 1; i < 20; i++) {
		assert_false(town.answers[i].accepted);
		assert_int_equal(town.answers[i].refusal.code, REFUSAL_RETRY_LATER);
		assert_int_equal(town.answers[i].refusal.retry_after_ms, WRITER_RETRY_MS);
	}
	assert_int_equal(town.last_event, 1); /* what is not on disk is no news */
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	c = town_report(20);
	o = town_ask(c);
	assert_true(o.accepted);
	assert_int_equal(case_id_sequence(o.case_id), 2); /* as if the refused ones had never been */
	assert_int_equal(town_number("SELECT count(*) FROM open_case"), 2);
	assert_int_equal(town_number("SELECT max(id) FROM case_event"), 2);
	assert_int_equal(town.exit_code, 0);
}

/* Timers cannot be refused: they wait until there may be room, and fire then. */
static void test_timers_wait_for_room(void **state)
{
	(void)state;
	town.vfs = kit_vfs();
	town_start();
	(void)town_ask(town_report(0));
	UNTIL(town.last_event == 1);
	kit_vfs_fail(KIT_FAULT_FULL, 0);
	town_wall = NINE + 20 * CLOCK_MINUTE_MS;
	for (uint64_t batches = engine_progress(town.engine); engine_progress(town.engine) < batches + 2;)
		town_turn();
	assert_int_equal(town.last_event, 1);
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	town_mono += WRITER_RETRY_MS;
	UNTIL(town.last_event == 2);
	assert_int_equal(town.exit_code, 0);
}

/* Whether a commit reached the disk is unknown: nobody is answered, and the process is told to end. */
static void test_an_unknown_fate_answers_nobody(void **state)
{
	(void)state;
	town.vfs = kit_vfs();
	town_start();
	(void)town_ask(town_report(0));
	kit_vfs_fail(KIT_FAULT_SYNC, 0);
	town_send(town_report(1));
	UNTIL(town.exit_code != 0);
	assert_int_equal(town.exit_code, WRITER_EXIT_UNKNOWN);
	assert_int_equal(town.answered, 1);
	assert_false(engine_idle(town.engine));
}

/* While there is still some room new reports wait already; what was taken is answered, and work goes on. */
static void test_a_short_disk_takes_no_new_report(void **state)
{
	(void)state;
	struct command *c;
	struct outcome first, o;
	struct uuid key;

	town_start();
	c = town_report(0);
	key = c->key;
	first = town_ask(c);
	assert_true(first.accepted);
	town_stop();
	town.room.free_least = INT64_MAX / 2;
	town_start();
	o = town_ask(town_report(1));
	assert_int_equal(o.refusal.code, REFUSAL_RETRY_LATER);
	assert_string_equal(o.refusal.rule, "disk-has-room");
	assert_int_equal(o.refusal.retry_after_ms, WRITER_RETRY_MS);
	c = town_report(0);
	c->key = key;
	o = town_ask(c);
	assert_true(o.accepted && o.again);
	assert_int_equal(o.case_id, first.case_id);
	assert_true(town_ask(town_act(2, "acceptor-01", ACT_FILE, first.case_id)).accepted);
}

/* A full disk has room again once the ballast is gone, if nobody else takes it. */
static void test_a_full_disk_costs_the_ballast(void **state)
{
	char name[200];

	(void)state;
	snprintf(name, sizeof name, "%s.ballast", town.path);
	town.vfs = kit_vfs();
	town.room.ballast = 1 << 20;
	town_start();
	(void)town_ask(town_report(0));
	assert_int_equal(access(name, F_OK), 0);
	kit_vfs_fail(KIT_FAULT_FULL, 0);
	assert_int_equal(town_ask(town_report(1)).refusal.code, REFUSAL_RETRY_LATER);
	UNTIL(access(name, F_OK) != 0 || town.exit_code != 0);
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	assert_true(town_ask(town_report(2)).accepted);
	town_stop();
	(void)unlink(name);
}

static int exit_code_after(enum kit_fault fault)
{
	town.vfs = kit_vfs();
	town_start();
	(void)town_ask(town_report(0));
	town_stop();
	town_start();
	kit_vfs_fail(fault, 0);
	town_send(town_report(1));
	UNTIL(town.exit_code != 0);
	return town.exit_code;
}

/* Starting again would only find the same. */
static void test_a_damaged_file_ends_it_for_good(void **state)
{
	(void)state;
	assert_int_equal(exit_code_after(KIT_FAULT_DAMAGE), WRITER_EXIT_DAMAGED);
}

static void test_what_cannot_be_read_ends_it(void **state)
{
	(void)state;
	assert_int_equal(exit_code_after(KIT_FAULT_READ), WRITER_EXIT_UNKNOWN);
}

/* Somebody else writes: a bug of the house's, said and ended, never waited for in silence. */
static void test_an_intruder_ends_it(void **state)
{
	(void)state;
	sqlite3 *db = NULL;

	town_start();
	(void)town_ask(town_report(0));
	assert_int_equal(sqlite3_open(town.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	town_send(town_report(1));
	UNTIL(town.exit_code != 0);
	assert_int_equal(town.exit_code, WRITER_EXIT_UNKNOWN);
	assert_int_equal(town.answered, 1);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* What passes is told from what wants a person. */
static void test_why_it_cannot_start(void **state)
{
	(void)state;
	enum store_result failure = STORE_OK;
	char *cause = NULL;

	town.vfs = kit_vfs();
	town_prepare();
	town.options.store.failure = &failure;
	kit_vfs_fail(KIT_FAULT_FULL, 0);
	assert_null(engine_new(&town.options, &cause));
	assert_int_equal(failure, STORE_UNKNOWN);
	free(cause);
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	FILE *file = fopen(town.path, "w");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		assert_true(fputs("no database at all\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_null(engine_new(&town.options, &cause));
	assert_int_equal(failure, STORE_DAMAGED);
	free(cause);
}

/* Points that no row of the ledger explains: nobody is served from such a book. */
static void test_a_book_that_does_not_add_up(void **state)
{
	(void)state;
	enum store_result failure = STORE_OK;
	struct kit k = { 0 };
	char *cause = NULL;

	town_start();
	(void)town_ask(town_report(0));
	town_stop();
	snprintf(k.path, sizeof k.path, "%s", town.path);
	kit_tamper(&k, "INSERT INTO account VALUES ('x', 5, 0, 0)");
	town_prepare();
	town.options.store.failure = &failure;
	assert_null(engine_new(&town.options, &cause));
	assert_int_equal(failure, STORE_DAMAGED);
	assert_non_null(strstr(cause, "-5 points apart"));
	free(cause);
}

static void test_a_store_that_cannot_be_opened(void **state)
{
	(void)state;
	char *cause = NULL;

	town_prepare();
	town.options.store = (struct store_options){ .path = "/nonexistent/street.db", .checkpoint_frames = 1000 };
	assert_null(engine_new(&town.options, &cause));
	assert_non_null(cause);
	free(cause);
	engine_free(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, town_open, town_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_full_disk_refuses_and_loses_nothing),
		TEST(test_timers_wait_for_room),
		TEST(test_an_unknown_fate_answers_nobody),
		TEST(test_a_short_disk_takes_no_new_report),
		TEST(test_a_full_disk_costs_the_ballast),
		TEST(test_a_damaged_file_ends_it_for_good),
		TEST(test_what_cannot_be_read_ends_it),
		TEST(test_an_intruder_ends_it),
		TEST(test_why_it_cannot_start),
		TEST(test_a_book_that_does_not_add_up),
		TEST(test_a_store_that_cannot_be_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
