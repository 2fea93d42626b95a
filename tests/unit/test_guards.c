/* The workflow's small parts, asked for what no report and no act leads to while all is well: a guard that is asked too
 * early, a case whose category or camera the policy of today no longer has (a daemon starts with such a policy, and says so). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "desk_kit.h"
#include "workflow/case_number.h"
#include "workflow/decision.h"
#include "workflow/doubt.h"
#include "workflow/place.h"
#include "workflow/sweep.h"

#define RUBBISH 10110
#define FIRE_LANE 10496
#define GONE 10999 /* no category of the sample street */
#define GRID INT64_C(610404004001001)

static struct desk desk;
static struct command none = { .kind = COMMAND_ACT, .lat_e7 = PLACE_NONE, .lon_e7 = PLACE_NONE };

/* As if somebody, NULL: the system, were being judged with this case before it. */
static struct decision judging(int64_t id, const char *who)
{
	struct decision d;

	decision_begin(&d, desk.book, desk.policy, &none, desk.now_ms, &desk.facts);
	*d.draft = *casebook_case(desk.book, id);
	d.who = who == NULL ? NULL : policy_person(desk.policy, who);
	desk.facts.draft_count = 1;
	none.outcome = (struct outcome){ 0 };
	return d;
}

/* A case as a start finds it on the disk. */
static struct case_file found(enum state state, int32_t category)
{
	return (struct case_file){ .id = case_id_make(0, 20000, 7),
		                   .last_event = 1,
		                   .category = category,
		                   .grid = GRID,
		                   .lat_e7 = DESK_LAT,
		                   .lon_e7 = DESK_LON,
		                   .state = (uint8_t)state,
		                   .reporter = "resident-01",
		                   .reporter_kind = REPORTER_RESIDENT,
		                   .actor = "resident-01",
		                   .handler = "sanitation",
		                   .handled_by = "sanitation-01",
		                   .closed_ms = desk.now_ms,
		                   .reported_ms = desk.now_ms - CLOCK_DAY_MS,
		                   .since_ms = desk.now_ms };
}

static const struct case_file *open_case(struct case_file c)
{
	casebook_restore_case(desk.book, &c);
	return casebook_case(desk.book, c.id);
}

/* ---- by itself ---- */

static void test_a_step_by_itself_goes_through_the_table(void **state)
{
	(void)state;
	int64_t id = open_case(found(STATE_HANDLING, RUBBISH))->id;
	struct decision d = judging(id, NULL);

	assert_false(decision_then(&d, ACT_RESUME));  /* not from here */
	assert_false(decision_then(&d, ACT_HANDLED)); /* nobody's but the handler's */
	assert_int_equal(desk.facts.event_count, 0);
	d.draft->state = STATE_SUSPENDED;
	assert_true(decision_then(&d, ACT_RESUME)); /* it has no guard */
	assert_int_equal(desk.facts.event_count, 1);
	assert_int_equal(d.draft->state, STATE_HANDLING);
}

static void test_what_asks_too_early_is_refused(void **state)
{
	(void)state;
	struct case_file c = found(STATE_HANDLING, RUBBISH);
	struct decision d = judging(open_case(c)->id, NULL);

	d.draft->handle_due_ms = 0;
	assert_false(handle_escalate_guard(&d));
	d.draft->handle_due_ms = desk.now_ms + 1;
	assert_false(handle_escalate_guard(&d));
	d.draft->handle_due_ms = desk.now_ms;
	assert_true(handle_escalate_guard(&d));
	d.draft->level = LEVEL_DISTRICT;
	assert_false(handle_escalate_guard(&d));
	assert_false(decision_then(&d, ACT_ESCALATE));
	assert_false(dispatch_co_late_guard(&d));
	assert_false(decision_then(&d, ACT_CO_LATE));
	d.draft->helper_count = 2;
	d.draft->helper_due_ms[0] = 0; /* between the dispatch and its own clock */
	d.draft->helper_due_ms[1] = desk.now_ms + 1;
	assert_false(dispatch_co_late_guard(&d));
	d.draft->helper_due_ms[1] = desk.now_ms;
	assert_true(dispatch_co_late_guard(&d));
	d.draft->helper_told = 2;
	assert_false(dispatch_co_late_guard(&d));
}

/* ---- relations ---- */

static void test_only_units_called_can_answer(void **state)
{
	(void)state;
	struct decision d = judging(open_case(found(STATE_WHISTLED, RUBBISH))->id, "roads-01");
	struct person alone = { .id = "resident-01" };

	d.draft->whistled[0] = "roads";
	d.draft->whistled_count = 1;
	assert_true(handle_answer_guard(&d));
	d.draft->whistled_answered = 1;
	assert_false(handle_answer_guard(&d));
	d.draft->whistled_answered = 0;
	d.who = &alone;
	assert_false(handle_answer_guard(&d));
	assert_string_equal(none.outcome.refusal.rule, "one-answer-a-unit");
	d.who = policy_person(desk.policy, "sanitation-01");
	assert_false(handle_answer_guard(&d));
}

static void test_a_camera_that_is_gone_has_no_owner(void **state)
{
	(void)state;
	struct decision d = judging(open_case(found(STATE_NONE, RUBBISH))->id, "cameras-police");

	d.draft->camera = "police-01";
	assert_true(decision_may(&d, ACT_ALARM, WHO_CAMERA_OWNER));
	d.draft->camera = "gone-01";
	assert_false(decision_may(&d, ACT_ALARM, WHO_CAMERA_OWNER));
}

/* ---- a category that is gone ---- */

static void test_the_loop_goes_on_without_its_category(void **state)
{
	(void)state;
	int64_t id = open_case(found(STATE_FILED, GONE))->id;
	struct command to = { .kind = COMMAND_ACT,
		              .actor = "dispatcher-01",
		              .act = ACT_DISPATCH,
		              .case_id = id,
		              .unit = "sanitation",
		              .lat_e7 = PLACE_NONE,
		              .lon_e7 = PLACE_NONE };

	assert_true(desk_do(&desk, to)); /* without a limit it is late at once, which says so */
	assert_int_equal(casebook_case(desk.book, id)->handle_due_ms, desk.now_ms);
	desk_settle(&desk, id, "sanitation-01", "worker-01");
	desk_act(&desk, "resident-01", ACT_REOPEN, id);
	assert_int_equal(desk.outcome.state, STATE_HANDLING);
	desk_act(&desk, "sanitation-01", ACT_HANDLED, id);
	desk_act(&desk, "worker-01", ACT_CHECK, id);
	desk_act(&desk, "worker-01", ACT_PASS, id);
	desk_act(&desk, "resident-01", ACT_REVIEW, id);
	assert_int_equal(desk.outcome.state, STATE_REVIEWED);
	desk_wait(&desk, 15 * CLOCK_DAY_MS);
	assert_null(casebook_case(desk.book, id)); /* rewarded, with nothing */
	assert_null(casebook_account(desk.book, "resident-01"));
}

static void test_an_alarm_waits_without_its_category_or_a_grid(void **state)
{
	(void)state;
	struct case_file gone = found(STATE_ALARM_PENDING, GONE), nowhere = found(STATE_ALARM_PENDING, RUBBISH);

	gone.camera = nowhere.camera = "police-01";
	nowhere.id++;
	nowhere.grid = 0;
	desk_act(&desk, "acceptor-01", ACT_CONFIRM, open_case(gone)->id);
	assert_int_equal(desk.outcome.state, STATE_REPORTED);
	desk_act(&desk, "acceptor-01", ACT_CONFIRM, open_case(nowhere)->id);
	assert_int_equal(desk.outcome.state, STATE_REPORTED);
}

/* ---- the map ---- */

static void test_a_place_that_no_grid_holds_any_more_moves_nothing(void **state)
{
	(void)state;
	struct case_file c = found(STATE_REPORTED, RUBBISH);

	c.lat_e7 = 349000000; /* outside */
	assert_false(decide_sweep(desk.book, desk.policy, open_case(c)->id, desk.now_ms, &desk.facts));
}

static void test_nobody_is_next(void **state)
{
	(void)state;
	struct case_file c = found(STATE_DISPATCHED, RUBBISH);

	c.grid = 0;
	c.basis_until_ms = desk.now_ms;
	assert_true(decide_sweep(desk.book, desk.policy, open_case(c)->id, desk.now_ms, &desk.facts));
	casebook_apply(desk.book, &desk.facts);
	assert_int_equal(casebook_case(desk.book, c.id)->state, STATE_FILED);
	assert_null(casebook_case(desk.book, c.id)->handler);
}

/* ---- numbers and times ---- */

static void test_a_day_s_numbers_run_out(void **state)
{
	(void)state;
	struct counters n = *casebook_counters(desk.book);

	n.day = clock_local_day(desk.now_ms, NULL, &n.day_end_ms);
	n.sequence = CASE_SEQUENCE_MOST - 1;
	casebook_restore_counters(desk.book, &n);
	desk_submit(&desk, "resident-01", RUBBISH, DESK_LAT, DESK_LON);
	assert_false(desk_do(&desk, (struct command){ .kind = COMMAND_SUBMIT,
	                                              .actor = "resident-02",
	                                              .reporter = "resident-02",
	                                              .category = RUBBISH,
	                                              .lat_e7 = DESK_LAT,
	                                              .lon_e7 = DESK_LON }));
	assert_int_equal(desk.outcome.refusal.code, REFUSAL_RETRY_LATER);
	assert_string_equal(desk.outcome.refusal.rule, "room-for-cases");
	assert_int_equal(desk.outcome.refusal.retry_after_ms, CLOCK_MINUTE_MS);
}

/* A command can be judged before the timer that was due at the same moment. */
static void test_exempted_before_the_timer_has_told(void **state)
{
	(void)state;
	struct case_file c = found(STATE_HANDLING, RUBBISH);
	struct command exempt = { .kind = COMMAND_ACT,
		                  .actor = "supervisor-01",
		                  .act = ACT_EXEMPT,
		                  .case_id = c.id,
		                  .reason = "weather",
		                  .lat_e7 = PLACE_NONE,
		                  .lon_e7 = PLACE_NONE };

	c.handle_due_ms = desk.now_ms;
	c.escalate_at_ms = desk.now_ms;
	open_case(c);
	assert_false(desk_do(&desk, exempt));
	assert_string_equal(desk.outcome.refusal.rule, "exempt-what-was-missed");
	desk.now_ms++;
	assert_true(desk_do(&desk, exempt));
}

/* ---- doubts ---- */

static uint8_t doubts_of(const char *reporter_s, const char *handler_s)
{
	struct case_file c = found(STATE_CLOSED, RUBBISH);
	struct decision d;

	/* The sample's people live nowhere. */
	((struct person *)policy_person(desk.policy, "resident-01"))->household = reporter_s;
	((struct person *)policy_person(desk.policy, "sanitation-01"))->household = handler_s;
	d = judging(open_case(c)->id, NULL);
	(void)doubt_look_at_reward(&d);
	return d.draft->doubts;
}

static void test_households(void **state)
{
	(void)state;
	assert_int_equal(doubts_of(NULL, NULL), 0);
	assert_int_equal(doubts_of("one", NULL), 0);
	assert_int_equal(doubts_of(NULL, "one"), 0);
	assert_int_equal(doubts_of("one", "two"), 0);
	assert_int_equal(doubts_of("one", "one"), DOUBT_HOUSEHOLD);
}

#define TEST(f) cmocka_unit_test_prestate_setup_teardown(f, desk_begin_test, desk_end_test, &desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_step_by_itself_goes_through_the_table),
		TEST(test_what_asks_too_early_is_refused),
		TEST(test_only_units_called_can_answer),
		TEST(test_a_camera_that_is_gone_has_no_owner),
		TEST(test_the_loop_goes_on_without_its_category),
		TEST(test_an_alarm_waits_without_its_category_or_a_grid),
		TEST(test_a_place_that_no_grid_holds_any_more_moves_nothing),
		TEST(test_nobody_is_next),
		TEST(test_a_day_s_numbers_run_out),
		TEST(test_exempted_before_the_timer_has_told),
		TEST(test_households),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
