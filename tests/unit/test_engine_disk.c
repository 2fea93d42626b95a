/* The engine when the disk is full, broken, or not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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
		TEST(test_a_store_that_cannot_be_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
