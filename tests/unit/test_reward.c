/* What a reward writes, to the last number: the rows of the ledger, what counts as the same place, what the answer says. */
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
#include "workflow/place.h"

#define RUBBISH 10110
#define METRE 90 /* e-7 degrees of latitude */

static struct desk desk;

/* ---- the same place ---- */

/* The key of a report by this person at this place, with a span of so many metres. */
static int64_t key_of(const char *reporter, int32_t lat_e7, int64_t metres)
{
	struct command none = { .kind = COMMAND_ACT };
	struct policy_rules rules = *policy_rules(desk.policy);
	struct case_file c = { .reporter = reporter, .category = RUBBISH, .lat_e7 = lat_e7, .lon_e7 = DESK_LON };
	struct decision d;

	rules.reward_place_m = metres;
	decision_begin(&d, desk.book, desk.policy, &none, desk.now_ms, &desk.facts);
	*d.draft = c;
	d.rules = &rules;
	return reward_place_key(&d);
}

static void test_a_metre_is_a_place(void **state)
{
	(void)state;
	int32_t edge = DESK_LAT / METRE * METRE; /* cells begin at multiples of it */

	assert_int_equal(key_of("rider-07", edge, 1), key_of("rider-07", edge + METRE - 1, 1));
	assert_int_not_equal(key_of("rider-07", edge, 1), key_of("rider-07", edge + METRE, 1));
	assert_int_not_equal(key_of("rider-07", edge, 0), key_of("rider-07", edge + 1, 0));
	assert_int_not_equal(key_of("rider-07", edge, 1), key_of("rider-08", edge, 1));
}

/* However long the account's name is, the place still counts. */
static void test_a_long_name_leaves_room_for_the_place(void **state)
{
	(void)state;
	char name[COMMAND_ID_MOST + 1] = "";

	memset(name, 'a', sizeof name - 1);
	assert_int_not_equal(key_of(name, DESK_LAT, 1), key_of(name, DESK_LAT + METRE, 1));
}

/* ---- the rows ---- */

/* A case with one report merged into it, rewarded: the facts of that are in the desk. */
static void reward_of_two(void)
{
	int64_t id = desk_submit(&desk, "rider-07", RUBBISH, DESK_LAT, DESK_LON);
	struct timer t;

	assert_true(desk_do(&desk, (struct command){ .kind = COMMAND_SUBMIT,
	                                             .actor = "resident-01",
	                                             .reporter = "resident-01",
	                                             .category = RUBBISH,
	                                             .lat_e7 = DESK_LAT,
	                                             .lon_e7 = DESK_LON }));
	assert_int_equal(desk.outcome.state, STATE_MERGED);
	desk_act(&desk, "acceptor-01", ACT_FILE, id);
	desk_settle(&desk, id, "sanitation-01", "worker-01");
	desk_act(&desk, "rider-07", ACT_REVIEW, id);
	assert_true(casebook_next_timer(desk.book, &t) && t.act == ACT_REWARD);
	desk.now_ms = t.at_ms;
	decide_timer(desk.book, desk.policy, &t, desk.now_ms, &desk.facts);
}

static void test_the_rows_of_a_reward(void **state)
{
	(void)state;
	reward_of_two();
	assert_int_equal(desk.facts.ledger_count, 2);

	const struct ledger_fact *first = &desk.facts.ledger[0], *me_too = &desk.facts.ledger[1];
	const struct case_file *c = &desk.facts.drafts[0];

	assert_int_equal(first->id, 1);
	assert_string_equal(first->person, "rider-07");
	assert_int_equal(first->points, 10);
	assert_string_equal(first->rule, "first-reporter");
	assert_int_equal(first->case_id, c->id);
	assert_int_equal(first->at_ms, desk.now_ms);
	assert_int_not_equal(first->place_key, 0);
	assert_int_equal(me_too->id, 2);
	assert_string_equal(me_too->person, "resident-01");
	assert_int_equal(me_too->points, 1);
	assert_string_equal(me_too->rule, "me-too");
	assert_int_equal(me_too->case_id, c->id);
	assert_int_equal(me_too->place_key, 0); /* who was not first may be first there at once */
	assert_int_equal(c->state, STATE_REWARDED);
	assert_int_equal(c->handle_due_ms, 0); /* no clock runs in the archive */
	assert_int_equal(c->escalate_at_ms, 0);
	casebook_apply(desk.book, &desk.facts);
}

/* ---- points without a case ---- */

static struct command points(enum command_kind kind, const char *actor, const char *person, int64_t value)
{
	return (struct command){ .kind = kind, .actor = actor, .person = person, .value = value, .text = "words" };
}

static void test_the_answers_say_what_is_left(void **state)
{
	(void)state;
	reward_of_two();
	casebook_apply(desk.book, &desk.facts);
	assert_true(desk_do(&desk, points(COMMAND_REDEEM, "station-01", "rider-07", 4)));
	assert_int_equal(desk.outcome.balance, 6);
	assert_int_equal(desk.outcome.payable, 6);
	assert_true(desk_do(&desk, points(COMMAND_CORRECT, "supervisor-01", "rider-07", 3)));
	assert_int_equal(desk.outcome.balance, 9);
	assert_int_equal(desk.outcome.payable, 9);
	assert_true(desk_do(&desk, points(COMMAND_REDEEM, "station-01", "rider-07", 1)));
	assert_int_equal(desk.outcome.balance, 8);
	assert_true(desk_do(&desk, points(COMMAND_CORRECT, "supervisor-01", "rider-07", 1)));
	assert_int_equal(desk.outcome.balance, 9);
	assert_true(desk_do(&desk, points(COMMAND_CORRECT, "supervisor-01", "rider-07", 50)));
	assert_int_equal(desk.outcome.balance, 59);
}

static void test_who_has_no_account_is_named(void **state)
{
	(void)state;
	assert_false(desk_do(&desk, points(COMMAND_REDEEM, "station-01", "rider-77", 4)));
	assert_string_equal(desk.outcome.refusal.sentence, "rider-77 has no points yet.");
	assert_false(desk_do(&desk, points(COMMAND_CORRECT, "supervisor-01", NULL, 4)));
	assert_string_equal(desk.outcome.refusal.sentence, "Say whose points these are.");
}

#define TEST(f) cmocka_unit_test_prestate_setup_teardown(f, desk_begin_test, desk_end_test, &desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_metre_is_a_place),          TEST(test_a_long_name_leaves_room_for_the_place),
		TEST(test_the_rows_of_a_reward),        TEST(test_the_answers_say_what_is_left),
		TEST(test_who_has_no_account_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
