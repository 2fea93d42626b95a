/* What each act does to a case, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workflow/decide.h"

static struct casebook *book;
static struct case_file c, before;

static int open_book(void **state)
{
	(void)state;
	book = casebook_new(0);
	c = (struct case_file){ .id = 7,
		                .state = STATE_HANDLING,
		                .category = 10110,
		                .grid = 5,
		                .reported_ms = 100,
		                .since_ms = 1000,
		                .handle_due_ms = 5000,
		                .escalate_at_ms = 5000,
		                .limit_ms = 4000,
		                .handler = casebook_intern(book, "sanitation"),
		                .last_event = 9 };
	return 0;
}

static int close_book(void **state)
{
	(void)state;
	casebook_free(book);
	return 0;
}

/* A fact on c as it is, with dues as they are; f gives the rest. */
static void apply(struct fact f)
{
	f.id = c.last_event + 1;
	f.case_id = c.id;
	f.from = (enum state)c.state;
	if (f.to == STATE_NONE)
		f.to = f.from;
	if (f.category == 0)
		f.category = c.category;
	f.grid = f.grid == 0 ? c.grid : f.grid;
	f.actor = f.actor == NULL ? "somebody" : f.actor;
	if (f.handle_due_ms == 0 && c.handle_due_ms != 0)
		f.handle_left_ms = c.handle_due_ms - f.at_ms;
	before = c;
	case_apply(book, &c, &f);
	assert_int_equal(c.last_event, before.last_event + 1);
	assert_int_equal(c.stage_due_ms, f.stage_due_ms);
	assert_int_equal(c.handle_due_ms, f.handle_due_ms);
	assert_int_equal(c.state, f.to);
}

static void test_submit(void **state)
{
	(void)state;
	c = (struct case_file){ .id = 7 };
	apply((struct fact){ .act = ACT_SUBMIT,
	                     .to = STATE_REPORTED,
	                     .at_ms = 100,
	                     .category = 10110,
	                     .grid = 5,
	                     .stage_due_ms = 900 });
	assert_int_equal(c.reported_ms, 100);
	assert_int_equal(c.since_ms, 100);
	assert_int_equal(c.grid, 5);
	assert_int_equal(c.category, 10110);
	assert_int_equal(c.first_reply_ms, 0);
	assert_int_equal(c.spent_ms[STAGE_DISCOVER], 0);
}

static void test_alarm_and_again(void **state)
{
	(void)state;
	c = (struct case_file){ .id = 7 };
	apply((struct fact){ .act = ACT_ALARM, .to = STATE_ALARM_PENDING, .at_ms = 100, .stage_due_ms = 700 });
	assert_int_equal(c.alarm_count, 1);
	assert_int_equal(c.last_alarm_ms, 100);
	apply((struct fact){ .act = ACT_ALARM_AGAIN, .at_ms = 150, .value = 2, .stage_due_ms = 700 });
	assert_int_equal(c.alarm_count, 2);
	assert_int_equal(c.last_alarm_ms, 150);
	assert_int_equal(c.since_ms, 100);
	apply((struct fact){ .act = ACT_CONFIRM, .to = STATE_REPORTED, .at_ms = 200, .stage_due_ms = 1100 });
	assert_int_equal(c.first_reply_ms, 200);
	assert_int_equal(c.spent_ms[STAGE_DISCOVER], 100);
}

static void test_verify(void **state)
{
	(void)state;
	c.state = STATE_REPORTED;
	c.handle_due_ms = c.escalate_at_ms = 0;
	apply((struct fact){ .act = ACT_VERIFY,
	                     .to = STATE_VERIFYING,
	                     .at_ms = 1500,
	                     .ref = "worker-02",
	                     .value = 300,
	                     .stage_due_ms = 3000 });
	assert_string_equal(c.worker, "worker-02");
	assert_int_equal(c.accept_left_ms, 300);
	assert_int_equal(c.spent_ms[STAGE_DISCOVER], 500);
	apply((struct fact){ .act = ACT_VERIFIED, .to = STATE_REPORTED, .at_ms = 2500, .stage_due_ms = 2800 });
	assert_int_equal(c.accept_left_ms, 0);
	assert_int_equal(c.spent_ms[STAGE_PAUSED], 1000);
	assert_int_equal(c.first_reply_ms, 1500);
}

static void test_file_and_dispatch(void **state)
{
	(void)state;
	c.state = STATE_REPORTED;
	c.handle_due_ms = c.escalate_at_ms = 0;
	apply((struct fact){ .act = ACT_FILE, .to = STATE_FILED, .at_ms = 1100, .category = 10136, .grid = 6 });
	assert_int_equal(c.filed_ms, 1100);
	assert_int_equal(c.category, 10136);
	assert_int_equal(c.grid, 6);
	apply((struct fact){ .act = ACT_DISPATCH,
	                     .to = STATE_DISPATCHED,
	                     .at_ms = 1200,
	                     .ref = "police,enforcement,street",
	                     .value = 800,
	                     .handle_due_ms = 2000 });
	assert_string_equal(c.handler, "police");
	assert_int_equal(c.helper_count, 2);
	assert_string_equal(c.helpers[0], "enforcement");
	assert_string_equal(c.helpers[1], "street");
	assert_null(c.helpers[2]);
	assert_int_equal(c.limit_ms, 800);
	assert_int_equal(c.dispatched_ms, 1200);
	assert_int_equal(c.escalate_at_ms, 2000);
}

/* Re-dispatched with other helpers: nothing of the first ones is left. */
static void test_dispatch_forgets_former_helpers(void **state)
{
	(void)state;
	c.state = STATE_FILED;
	c.helper_count = 2;
	c.helper_done = 3;
	c.helpers[0] = c.helpers[1] = casebook_intern(book, "old");
	apply((struct fact){ .act = ACT_DISPATCH,
	                     .to = STATE_DISPATCHED,
	                     .at_ms = 1200,
	                     .ref = "police,street",
	                     .value = 800,
	                     .handle_due_ms = 2000 });
	assert_int_equal(c.helper_count, 1);
	assert_int_equal(c.helper_done, 0);
	assert_null(c.helpers[1]);
}

static void test_the_clock_stops_and_goes_on(void **state)
{
	(void)state;
	apply((struct fact){ .act = ACT_RETURN, .to = STATE_RETURNED, .at_ms = 2000, .handle_due_ms = 0 });
	assert_int_equal(c.handle_left_ms, 3000);
	assert_int_equal(c.escalate_at_ms, 0);
	assert_int_equal(c.returned, 1);
	assert_false(c.late);
	apply((struct fact){ .act = ACT_TAKE_BACK, .to = STATE_FILED, .at_ms = 3000 });
	assert_int_equal(c.handle_left_ms, 3000);
	assert_int_equal(c.spent_ms[STAGE_PAUSED], 1000);
	apply((struct fact){ .act = ACT_DISPATCH,
	                     .to = STATE_DISPATCHED,
	                     .at_ms = 3500,
	                     .ref = "police",
	                     .value = 4000,
	                     .handle_due_ms = 6500 });
	assert_int_equal(c.handle_left_ms, 0);
	assert_int_equal(c.escalate_at_ms, 6500);
}

static void test_late_is_for_good(void **state)
{
	(void)state;
	apply((struct fact){ .act = ACT_HANDLED, .to = STATE_HANDLED, .at_ms = 5001, .actor = "sanitation-01" });
	assert_true(c.late);
	assert_int_equal(c.handle_left_ms, -1);
	assert_int_equal(c.handled_ms, 5001);
	assert_string_equal(c.handled_by, "sanitation-01");
	apply((struct fact){ .act = ACT_CHECK, .to = STATE_CHECKING, .at_ms = 5100, .actor = "worker-01" });
	assert_string_equal(c.checker, "worker-01");
	apply((struct fact){
		.act = ACT_REWORK, .to = STATE_HANDLING, .at_ms = 5200, .actor = "worker-01", .handle_due_ms = 5199 });
	assert_int_equal(c.reworked, 1);
	assert_int_equal(c.handled_ms, 0);
	assert_true(c.late);
}

static void test_in_time_is_not_late(void **state)
{
	(void)state;
	apply((struct fact){ .act = ACT_HANDLED, .to = STATE_HANDLED, .at_ms = 5000 });
	assert_false(c.late);
	assert_int_equal(c.handle_left_ms, 0);
}

static void test_extension(void **state)
{
	(void)state;
	apply((struct fact){ .act = ACT_ASK_EXTENSION, .at_ms = 2000, .value = 1000, .handle_due_ms = 5000 });
	assert_int_equal(c.asked_extension_ms, 1000);
	apply((struct fact){ .act = ACT_REFUSE_EXTENSION, .at_ms = 2100, .handle_due_ms = 5000 });
	assert_int_equal(c.asked_extension_ms, 0);
	assert_int_equal(c.extensions, 0);
	apply((struct fact){ .act = ACT_ASK_EXTENSION, .at_ms = 2200, .value = 1000, .handle_due_ms = 5000 });
	apply((struct fact){ .act = ACT_EXTEND, .at_ms = 5500, .value = 1000, .handle_due_ms = 6000 });
	assert_int_equal(c.extensions, 1);
	assert_int_equal(c.asked_extension_ms, 0);
	assert_int_equal(c.escalate_at_ms, 6000);
	assert_false(c.late); /* it was asked for in time */
}

static void test_suspension(void **state)
{
	(void)state;
	apply((struct fact){ .act = ACT_ASK_SUSPENSION, .at_ms = 2000, .value = 90000, .handle_due_ms = 5000 });
	assert_int_equal(c.asked_suspend_until_ms, 90000);
	apply((struct fact){ .act = ACT_REFUSE_SUSPENSION, .at_ms = 2000, .handle_due_ms = 5000 });
	assert_int_equal(c.asked_suspend_until_ms, 0);
	apply((struct fact){ .act = ACT_ASK_SUSPENSION, .at_ms = 2000, .value = 90000, .handle_due_ms = 5000 });
	apply((struct fact){ .act = ACT_SUSPEND, .to = STATE_SUSPENDED, .at_ms = 3000, .stage_due_ms = 90000 });
	assert_int_equal(c.suspensions, 1);
	assert_int_equal(c.asked_suspend_until_ms, 0);
	assert_int_equal(c.handle_left_ms, 2000);
	apply((struct fact){ .act = ACT_RESUME, .to = STATE_HANDLING, .at_ms = 90000, .handle_due_ms = 92000 });
	assert_int_equal(c.spent_ms[STAGE_PAUSED], 87000);
	assert_int_equal(c.escalate_at_ms, 92000);
	assert_false(c.late);
}

static void test_whistle(void **state)
{
	(void)state;
	apply((struct fact){ .act = ACT_WHISTLE,
	                     .to = STATE_WHISTLED,
	                     .at_ms = 2000,
	                     .ref = "police,power",
	                     .handle_due_ms = 5000 });
	assert_int_equal(c.whistled_count, 2);
	apply((struct fact){ .act = ACT_ANSWER, .at_ms = 2100, .ref = "power", .handle_due_ms = 5000 });
	assert_int_equal(c.whistled_answered, 2);
	apply((struct fact){
		.act = ACT_ANSWER, .to = STATE_HANDLING, .at_ms = 2200, .ref = "police", .handle_due_ms = 5000 });
	assert_int_equal(c.whistled_answered, 3);
	assert_int_equal(c.spent_ms[STAGE_HANDLE], 1200);
	apply((struct fact){
		.act = ACT_WHISTLE, .to = STATE_WHISTLED, .at_ms = 2300, .ref = "street", .handle_due_ms = 5000 });
	assert_int_equal(c.whistled_count, 1);
	assert_int_equal(c.whistled_answered, 0);
	assert_null(c.whistled[1]);
	apply((struct fact){ .act = ACT_WHISTLE_LAPSE, .to = STATE_HANDLING, .at_ms = 2400, .handle_due_ms = 5000 });
	assert_int_equal(c.whistled_answered, 0);
}

static void test_co_handled(void **state)
{
	(void)state;
	c.helper_count = 2;
	c.helpers[0] = casebook_intern(book, "police");
	c.helpers[1] = casebook_intern(book, "street");
	apply((struct fact){ .act = ACT_CO_HANDLED, .at_ms = 2000, .ref = "street", .handle_due_ms = 5000 });
	assert_int_equal(c.helper_done, 2);
	apply((struct fact){ .act = ACT_CO_HANDLED, .at_ms = 2000, .ref = "nobody", .handle_due_ms = 5000 });
	assert_int_equal(c.helper_done, 2);
}

static void test_close_review_reopen(void **state)
{
	(void)state;
	c.state = STATE_CHECKING;
	c.handle_due_ms = c.escalate_at_ms = 0;
	c.handle_left_ms = 700;
	c.level = LEVEL_DISTRICT;
	c.helper_done = 1;
	apply((struct fact){
		.act = ACT_PASS, .to = STATE_CLOSED, .at_ms = 3000, .actor = "worker-01", .stage_due_ms = 9000 });
	assert_int_equal(c.closed_ms, 3000);
	assert_int_equal(c.handle_left_ms, 0);
	assert_string_equal(c.checker, "worker-01");
	apply((struct fact){ .act = ACT_REVIEW,
	                     .to = STATE_REVIEWED,
	                     .at_ms = 4000,
	                     .value = RATING_UNSATISFIED,
	                     .stage_due_ms = 9000 });
	assert_int_equal(c.rating, RATING_UNSATISFIED);
	assert_int_equal(c.reviewed_ms, 4000);
	assert_int_equal(c.spent_ms[STAGE_FEEDBACK], 3000);
	apply((struct fact){
		.act = ACT_REOPEN, .to = STATE_HANDLING, .at_ms = 5000, .value = 4000, .handle_due_ms = 9000 });
	assert_int_equal(c.reopened, 1);
	assert_int_equal(c.closed_ms + c.reviewed_ms + c.handled_ms, 0);
	assert_int_equal(c.rating, RATING_NONE);
	assert_int_equal(c.helper_done, 0);
	assert_int_equal(c.level, LEVEL_GRID);
	assert_int_equal(c.escalate_at_ms, 9000);
}

static void test_reward_and_ends(void **state)
{
	(void)state;
	c.state = STATE_REVIEWED;
	c.handle_due_ms = c.escalate_at_ms = 0;
	apply((struct fact){ .act = ACT_REWARD, .to = STATE_REWARDED, .at_ms = 9000, .value = 10 });
	assert_int_equal(c.points, 10);
	assert_int_equal(c.ended_ms, 9000);
	assert_int_equal(case_next_timer(&c).at_ms, 0);
	c.state = STATE_REPORTED;
	c.ended_ms = 0;
	apply((struct fact){ .act = ACT_MERGE, .to = STATE_MERGED, .at_ms = 9100, .value = 77 });
	assert_int_equal(c.merged_into, 77);
	assert_int_equal(c.ended_ms, 9100);
}

static void test_supervise(void **state)
{
	(void)state;
	apply((struct fact){ .act = ACT_SUPERVISE, .at_ms = 2000, .actor = "supervisor-01", .handle_due_ms = 5000 });
	assert_int_equal(c.supervised, 1);
	assert_false(c.stage_overdue);
	apply((struct fact){ .act = ACT_SUPERVISE, .at_ms = 2000, .actor = "system", .handle_due_ms = 5000 });
	assert_true(c.stage_overdue);
	c.supervised = UINT8_MAX;
	apply((struct fact){ .act = ACT_SUPERVISE, .at_ms = 2000, .actor = "supervisor-01", .handle_due_ms = 5000 });
	assert_int_equal(c.supervised, UINT8_MAX);
	apply((struct fact){ .act = ACT_HANDLED, .to = STATE_HANDLED, .at_ms = 3000 });
	assert_false(c.stage_overdue);
}

static void test_escalate(void **state)
{
	(void)state;
	apply((struct fact){ .act = ACT_ESCALATE, .at_ms = 5000, .value = 8000, .handle_due_ms = 5000 });
	assert_int_equal(c.level, LEVEL_COMMUNITY);
	assert_int_equal(c.escalate_at_ms, 8000);
	assert_true(c.late);
	assert_int_equal(c.since_ms, 1000);
	apply((struct fact){ .act = ACT_REPLY, .at_ms = 5500, .handle_due_ms = 5000 });
	assert_int_equal(c.escalate_at_ms, 8000);
}

static void test_the_next_timer(void **state)
{
	(void)state;
	struct case_file d = { .id = 7, .state = STATE_DISPATCHED, .stage_due_ms = 3000, .escalate_at_ms = 5000 };

	assert_int_equal(case_next_timer(&d).act, ACT_SUPERVISE);
	assert_int_equal(case_next_timer(&d).at_ms, 3000);
	assert_int_equal(case_next_timer(&d).case_id, 7);
	d.stage_overdue = 1;
	assert_int_equal(case_next_timer(&d).act, ACT_ESCALATE);
	assert_int_equal(case_next_timer(&d).at_ms, 5000);
	d.escalate_at_ms = 0;
	assert_int_equal(case_next_timer(&d).at_ms, 0);
	d = (struct case_file){ .state = STATE_HANDLING, .stage_due_ms = 3000 };
	assert_int_equal(case_next_timer(&d).at_ms, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_book, close_book)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_submit),
		TEST(test_alarm_and_again),
		TEST(test_verify),
		TEST(test_file_and_dispatch),
		TEST(test_dispatch_forgets_former_helpers),
		TEST(test_the_clock_stops_and_goes_on),
		TEST(test_late_is_for_good),
		TEST(test_in_time_is_not_late),
		TEST(test_extension),
		TEST(test_suspension),
		TEST(test_whistle),
		TEST(test_co_handled),
		TEST(test_close_review_reopen),
		TEST(test_reward_and_ends),
		TEST(test_supervise),
		TEST(test_escalate),
		TEST(test_the_next_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
