/* Decisions: keys, outcomes, refusals, and that judging changes nothing. What each rule says is in tests/scenario. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "workflow/place.h"
#include "desk_kit.h"
#include "workflow/transitions.h"

#define RUBBISH 10110
#define ROAD 10113

static struct desk desk;

static struct command report(const char *key)
{
	return (struct command){ .kind = COMMAND_SUBMIT,
		                 .actor = "resident-01",
		                 .channel = "tcp",
		                 .reporter = "resident-01",
		                 .key = uuid_from_name(5000, key),
		                 .category = ROAD,
		                 .lat_e7 = DESK_LAT,
		                 .lon_e7 = DESK_LON,
		                 .description = "words" };
}

static struct command act_on(int64_t id, const char *who, enum act act)
{
	return (struct command){
		.kind = COMMAND_ACT, .actor = who, .act = act, .case_id = id, .lat_e7 = PLACE_NONE, .lon_e7 = PLACE_NONE
	};
}

static _Bool judged(struct command *c, const struct key_fact *prior)
{
	command_seal(c, desk.digester);
	return decide(desk.book, desk.policy, c, desk.now_ms, prior, &desk.facts);
}

static void assert_refused(struct command c, enum refusal_code code, const char *rule)
{
	assert_false(desk_do(&desk, c));
	assert_int_equal(desk.outcome.refusal.code, code);
	assert_string_equal(desk.outcome.refusal.rule, rule);
	assert_true(desk.outcome.refusal.sentence[0] != '\0');
	assert_int_equal(
		desk.facts.event_count + desk.facts.ledger_count + desk.facts.notice_count + desk.facts.draft_count, 0);
	assert_false(desk.facts.has_key);
}

/* ---- keys ---- */

static void test_the_same_key_again(void **state)
{
	(void)state;
	assert_true(desk_do(&desk, report("k")));
	assert_true(desk.facts.has_key);

	struct outcome first = desk.outcome;
	int64_t events = casebook_counters(desk.book)->event;

	desk.now_ms += CLOCK_DAY_MS;
	desk_act(&desk, "acceptor-01", ACT_FILE, first.case_id);
	events = casebook_counters(desk.book)->event;
	assert_true(desk_do(&desk, report("k")));
	assert_true(desk.outcome.again);
	assert_int_equal(desk.outcome.case_id, first.case_id);
	assert_int_equal(desk.outcome.state, STATE_REPORTED);
	assert_int_equal(desk.outcome.due_ms, first.due_ms);
	assert_int_equal(desk.outcome.category, ROAD);
	assert_int_equal(casebook_counters(desk.book)->event, events);
	assert_int_equal(desk.facts.event_count, 0);
	assert_false(desk.facts.has_key);
}

static void test_a_key_for_something_else(void **state)
{
	(void)state;
	struct command other = report("k");

	assert_true(desk_do(&desk, report("k")));
	other.description = "other words";
	assert_refused(other, REFUSAL_KEY_REUSED, "one-key-one-content");
	other = act_on(desk.outcome.case_id, "resident-01", ACT_WITHDRAW);
	other.key = uuid_from_name(5000, "k");
	assert_refused(other, REFUSAL_KEY_REUSED, "one-key-one-content");
}

/* The store's answer counts as memory's does, and is held against the content as well. */
static void test_a_prior_answer(void **state)
{
	(void)state;
	struct command c = report("k"), other = report("k");
	struct key_fact prior = { .key = c.key,
		                  .case_id = 4711,
		                  .category = RUBBISH,
		                  .state = STATE_MERGED,
		                  .due_ms = 9,
		                  .merged_into = 4710,
		                  .merged_into_category = ROAD,
		                  .maybe_same_as = 3,
		                  .maybe_same_category = 4,
		                  .balance = 7 };

	command_seal(&c, desk.digester);
	memcpy(prior.hash, c.hash, sizeof prior.hash);
	assert_true(judged(&c, &prior));
	assert_true(c.outcome.accepted && c.outcome.again);
	assert_int_equal(c.outcome.case_id, 4711);
	assert_int_equal(c.outcome.state, STATE_MERGED);
	assert_int_equal(c.outcome.due_ms, 9);
	assert_int_equal(c.outcome.merged_into, 4710);
	assert_int_equal(c.outcome.merged_into_category, ROAD);
	assert_int_equal(c.outcome.maybe_same_as, 3);
	assert_int_equal(c.outcome.balance, 7);
	assert_int_equal(desk.facts.event_count, 0);
	other.category = RUBBISH;
	assert_false(judged(&other, &prior));
	assert_int_equal(other.outcome.refusal.code, REFUSAL_KEY_REUSED);
}

/* Without a key a resend is judged anew. */
static void test_no_key(void **state)
{
	(void)state;
	int64_t id = desk_submit(&desk, "resident-01", ROAD, DESK_LAT, DESK_LON);

	desk_act(&desk, "acceptor-01", ACT_FILE, id);
	assert_false(desk.facts.has_key);
	assert_refused(act_on(id, "acceptor-01", ACT_FILE), REFUSAL_WRONG_STATE, "transition-table");
}

static void test_a_refused_command_leaves_its_key_free(void **state)
{
	(void)state;
	struct command c = report("k");

	c.category = 10999;
	assert_refused(c, REFUSAL_UNKNOWN_CATEGORY, "category-in-the-catalogue");
	assert_true(desk_do(&desk, report("k")));
	assert_false(desk.outcome.again);
}

/* ---- judging ---- */

static void test_judging_changes_nothing(void **state)
{
	(void)state;
	int64_t id = desk_submit(&desk, "resident-01", ROAD, DESK_LAT, DESK_LON);
	struct case_file before = *casebook_case(desk.book, id);
	struct counters counters = *casebook_counters(desk.book);
	struct command c = act_on(id, "acceptor-01", ACT_FILE);

	for (int i = 0; i < 3; i++) {
		assert_true(judged(&c, NULL));
		assert_int_equal(desk.facts.events[0].id, counters.event);
		assert_memory_equal(casebook_counters(desk.book), &counters, sizeof counters);
		assert_memory_equal(casebook_case(desk.book, id), &before, sizeof before);
	}
	assert_int_equal(desk.facts.draft_count, 1);
	assert_int_equal(desk.facts.drafts[0].state, STATE_DISPATCHED);
}

static void test_the_facts_of_a_report(void **state)
{
	(void)state;
	struct command c = report("k");

	assert_true(judged(&c, NULL));
	assert_ptr_equal(desk.facts.report, &c);
	assert_int_equal(desk.facts.event_count, 1);

	const struct fact *f = &desk.facts.events[0];

	assert_int_equal(f->act, ACT_SUBMIT);
	assert_int_equal(f->from, STATE_NONE);
	assert_int_equal(f->to, STATE_REPORTED);
	assert_int_equal(f->prev, 0);
	assert_int_equal(f->at_ms, desk.now_ms);
	assert_int_equal(f->stage_due_ms, desk.now_ms + 15 * CLOCK_MINUTE_MS);
	assert_string_equal(f->actor, "resident-01");
	assert_int_equal(c.outcome.state, STATE_REPORTED);
	assert_int_equal(c.outcome.due_ms, f->stage_due_ms);
	assert_int_equal(desk.facts.key.case_id, c.outcome.case_id);
	assert_memory_equal(desk.facts.key.hash, c.hash, sizeof c.hash);
	facts_clear(&desk.facts);
}

/* Filing goes on to dispatching: two events in a chain, the second by the system. */
static void test_an_automatic_step(void **state)
{
	(void)state;
	int64_t id = desk_submit(&desk, "resident-01", ROAD, DESK_LAT, DESK_LON);

	desk_act(&desk, "acceptor-01", ACT_FILE, id);
	assert_int_equal(desk.facts.event_count, 2);
	assert_int_equal(desk.facts.events[1].prev, desk.facts.events[0].id);
	assert_string_equal(desk.facts.events[0].actor, "acceptor-01");
	assert_string_equal(desk.facts.events[1].actor, "system");
	/* the acceptor's words are not the system's, which says why */
	assert_non_null(strstr(desk.facts.events[1].text, "route E0113 in 610404004000"));
	assert_int_equal(desk.outcome.due_ms, desk.now_ms + 30 * CLOCK_MINUTE_MS);
	desk_act(&desk, "roads-01", ACT_SIGN, id);
	assert_int_equal(desk.outcome.due_ms, desk.now_ms + 5 * CLOCK_DAY_MS);
}

/* An automatic step whose guard does not hold is simply not taken, and the acceptance bears no refusal. */
static void test_an_automatic_step_not_taken(void **state)
{
	(void)state;
	assert_true(desk_do(&desk, (struct command){ .kind = COMMAND_SUBMIT,
	                                             .actor = "volunteer-01",
	                                             .reporter = "volunteer-01",
	                                             .category = 10496,
	                                             .lat_e7 = DESK_LAT,
	                                             .lon_e7 = DESK_LON }));
	assert_int_equal(desk.outcome.state, STATE_FILED);
	assert_int_equal(desk.outcome.refusal.code, REFUSAL_NONE);
	assert_null(desk.outcome.refusal.rule);
}

static void test_refusals_name_what_is_possible(void **state)
{
	(void)state;
	int64_t id = desk_submit(&desk, "resident-01", ROAD, DESK_LAT, DESK_LON);

	assert_refused(act_on(id, "acceptor-01", ACT_REOPEN), REFUSAL_WRONG_STATE, "transition-table");
	assert_non_null(strstr(desk.outcome.refusal.sentence, "REPORTED"));
	assert_non_null(strstr(desk.outcome.refusal.sentence, "verify, file, reject, merge, withdraw"));
	assert_refused(act_on(id, "roads-01", ACT_FILE), REFUSAL_NOT_ALLOWED, "who-may-act");
	assert_string_equal(desk.outcome.refusal.right, "file");
	assert_non_null(strstr(desk.outcome.refusal.sentence, "the role acceptor in its area; you are handler"));
	/* Who has nothing to do with a case is not told where it stands. */
	assert_refused(act_on(id, "roads-01", ACT_SIGN), REFUSAL_NOT_ALLOWED, "who-may-act");
	assert_refused(act_on(id, "resident-02", ACT_REOPEN), REFUSAL_NOT_ALLOWED, "who-may-act");
	assert_null(strstr(desk.outcome.refusal.sentence, "REPORTED"));
	assert_refused(act_on(id, "nobody", ACT_FILE), REFUSAL_NOT_ALLOWED, "identity-known");
	assert_refused(act_on(id + 1, "acceptor-01", ACT_FILE), REFUSAL_UNKNOWN_CASE, "case-exists");
	assert_refused(act_on(0, "acceptor-01", ACT_FILE), REFUSAL_UNKNOWN_CASE, "case-exists");
	assert_refused(act_on(id, "acceptor-01", ACT_REJECT), REFUSAL_RULE_BROKEN, "reason-from-the-list");
	assert_non_null(strstr(desk.outcome.refusal.sentence, "not-ours"));
}

/* Every act in every state the case is in: refused with a rule or accepted, by whoever asks, with nothing else given. */
static void test_bare_acts_by_everybody(void **state)
{
	(void)state;
	static const char *const who[] = { "resident-01", "acceptor-01",   "dispatcher-01",  "worker-01",
		                           "roads-01",    "supervisor-01", "visitor-01",     "convener-001",
		                           "station-01",  "hotline-12345", "cameras-police", "operator-01" };
	int64_t id = desk_submit(&desk, "resident-01", ROAD, DESK_LAT, DESK_LON);
	static const struct {
		const char *who;
		enum act act;
	} life[] = { { "acceptor-01", ACT_FILE }, { "roads-01", ACT_SIGN },  { "roads-01", ACT_HANDLED },
		     { "worker-01", ACT_CHECK },  { "worker-01", ACT_PASS }, { "resident-01", ACT_REVIEW } };

	for (size_t step = 0; step <= sizeof life / sizeof *life; step++) {
		for (int a = 1; a < ACT_COUNT; a++)
			for (size_t w = 0; w < sizeof who / sizeof *who; w++) {
				struct command c = act_on(id, who[w], (enum act)a);

				if (judged(&c, NULL))
					assert_true(transition_allowed((enum act)a, desk.facts.events[0].from,
					                               desk.facts.events[0].to));
				else
					assert_true(c.outcome.refusal.code != REFUSAL_NONE &&
					            c.outcome.refusal.rule != NULL);
			}
		if (step < sizeof life / sizeof *life)
			desk_act(&desk, life[step].who, life[step].act, id);
	}
}

/* ---- texts ---- */

/* A long text in a notice is cut between two characters. */
static void test_notices_are_cut_at_a_character(void **state)
{
	(void)state;
	for (int shift = 0; shift < 3; shift++) {
		int64_t id = desk_submit(&desk, "resident-01", 10136, DESK_LAT + shift * 100000, DESK_LON);
		char words[COMMAND_TEXT_MOST + 1] = "xx";
		struct command c = act_on(id, "acceptor-01", ACT_REJECT);

		for (size_t at = (size_t)shift; at + 3 < sizeof words; at += 3)
			memcpy(words + at, "清", 3);
		c.text = words;
		c.reason = "unclear";
		assert_true(desk_do(&desk, c));
		assert_int_equal(desk.facts.notice_count, 1);

		const char *text = desk.facts.notices[0].text;

		assert_true(strlen(text) > 190 && strlen(text) < sizeof desk.facts.notices[0].text);
		assert_true(text_is(TEXT_PROSE, (const uint8_t *)text, strlen(text)));
	}
}

static void test_seen(void **state)
{
	(void)state;
	assert_true(desk_do(&desk, (struct command){ .kind = COMMAND_SEEN, .actor = "worker-01", .value = 41 }));
	assert_true(desk.facts.has_seen);
	assert_string_equal(desk.facts.seen.person, "worker-01");
	assert_int_equal(desk.facts.seen.up_to, 41);
	assert_int_equal(desk.facts.seen.at_ms, desk.now_ms);
}

/* A door notes in nobody's name, so nobody has to be known for it. */
static void test_noted_by_a_door(void **state)
{
	static const struct {
		enum audited what;
		const char *who;
	} notes[] = { { AUDITED_LOGIN, AUDIT_SELF }, { AUDITED_LOGIN_REFUSED, AUDIT_SOMEBODY } };

	(void)state;
	for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
		assert_true(desk_do(&desk, (struct command){ .kind = COMMAND_NOTE,
		                                             .value = notes[i].what,
		                                             .person = "worker-01",
		                                             .posts = 3 }));
		assert_int_equal(desk.facts.audit.what, notes[i].what);
		assert_string_equal(desk.facts.audit.who, notes[i].who);
		assert_string_equal(desk.facts.audit.subject, "worker-01");
		assert_int_equal(desk.facts.audit.count, 3);
		assert_int_equal(desk.facts.event_count, 0);
	}
}

/* A camera's alert without a label, or a camera without a name, is refused, not believed. */
static void test_alarms_without_names(void **state)
{
	(void)state;
	assert_refused(
		(struct command){
			.kind = COMMAND_ALARM, .actor = "cameras-police", .camera = "police-01", .confidence = 1 },
		REFUSAL_UNKNOWN_CATEGORY, "label-in-the-registry");
	assert_refused(
		(struct command){
			.kind = COMMAND_ALARM, .actor = "cameras-police", .label = "garbage", .confidence = 1 },
		REFUSAL_UNKNOWN_PERSON, "camera-in-the-registry");
}

#define TEST(f) cmocka_unit_test_prestate_setup_teardown(f, desk_begin_test, desk_end_test, &desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_same_key_again),
		TEST(test_a_key_for_something_else),
		TEST(test_a_prior_answer),
		TEST(test_no_key),
		TEST(test_a_refused_command_leaves_its_key_free),
		TEST(test_judging_changes_nothing),
		TEST(test_the_facts_of_a_report),
		TEST(test_an_automatic_step),
		TEST(test_an_automatic_step_not_taken),
		TEST(test_refusals_name_what_is_possible),
		TEST(test_bare_acts_by_everybody),
		TEST(test_notices_are_cut_at_a_character),
		TEST(test_seen),
		TEST(test_noted_by_a_door),
		TEST(test_alarms_without_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
