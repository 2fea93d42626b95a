/* The engine on a real store: group commit, timers, readers, and an orderly end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/writer.h"
#include "store_kit.h"
#include "town_kit.h"

/* ---- the writer ---- */

static void test_answers_come_after_the_commit(void **state)
{
	(void)state;
	town_start();

	struct outcome o = town_ask(town_report(0));

	assert_true(o.accepted);
	assert_int_equal(o.state, STATE_REPORTED);
	assert_int_equal(town_number("SELECT count(*) FROM open_case"), 1);
	assert_int_equal(town_number("SELECT count(*) FROM case_event"), 1);
	assert_int_equal(town_number("SELECT count(*) FROM request_key"), 1);
	assert_true(engine_idle(town.engine));
	assert_int_equal(engine_now_ms(town.engine), NINE);
	assert_ptr_equal(engine_policy(town.engine), town.policy);
}

static void deliver_nothing(void *ctx, struct command **commands, size_t count)
{
	*(size_t *)ctx += count;
	for (size_t i = 0; i < count; i++) {
		assert_true(commands[i]->outcome.accepted);
		command_free(commands[i]);
	}
}

static void publish_nothing(void *ctx, struct edition *news)
{
	(void)ctx;
	edition_clear(news);
}

static void never_fails(void *ctx, int exit_code)
{
	(void)ctx;
	fail_msg("the writer failed with %d", exit_code);
}

/* What has queued up goes into few transactions: up to the most, or half of what waits. */
static void test_group_commit(void **state)
{
	(void)state;
	size_t delivered = 0;
	char *cause = NULL;
	struct writer w = { .options = &town.options,
		            .deliver = deliver_nothing,
		            .publish = publish_nothing,
		            .failed = never_fails,
		            .ctx = &delivered };

	town_prepare();
	town.options.batch_most = 64;
	w.commands = queue_new(1000, -1);
	if (!writer_open(&w, &cause))
		fail_msg("%s", cause);
	for (uint32_t i = 0; i < 640; i++) {
		struct command *c = town_report(i);

		command_seal(c, town.digester);
		assert_true(queue_push(w.commands, c));
	}
	queue_close(w.commands);
	writer_run(&w);
	assert_int_equal(delivered, 640);
	assert_in_range(w.batches, 10, 20);
	assert_int_equal(casebook_open_count(w.book), 640);
	queue_free(w.commands);
	writer_close(&w);
	writer_close(&w);
	assert_int_equal(town_number("SELECT count(*) FROM open_case"), 640);
}

static void test_the_end_drains(void **state)
{
	(void)state;
	town_start();
	for (uint32_t i = 0; i < 1000; i++)
		town_send(town_report(i));
	assert_false(engine_idle(town.engine));
	town_stop();
	assert_int_equal(town_number("SELECT count(*) FROM open_case"), 1000);
}

static void test_a_restart_knows_everything(void **state)
{
	(void)state;
	town_start();

	struct command *c = town_report(0);
	struct outcome first, again;
	struct uuid key = c->key;

	first = town_ask(c);
	town_stop();
	town_start();
	c = town_report(0);
	c->key = key;
	again = town_ask(c);
	assert_true(again.accepted && again.again);
	assert_int_equal(again.case_id, first.case_id);
	assert_true(town_ask(town_act(1, "acceptor-01", ACT_FILE, first.case_id)).accepted);
	assert_int_equal(town_number("SELECT count(*) FROM case_event"), 3);
}

static void test_an_archived_case_is_explained(void **state)
{
	(void)state;
	town_start();

	int64_t id = town_ask(town_report(0)).case_id;
	struct outcome o;

	assert_int_equal(town_ask(town_act(1, "acceptor-01", ACT_REJECT, id)).state, STATE_REJECTED);
	o = town_ask(town_act(2, "acceptor-01", ACT_REJECT, id));
	assert_false(o.accepted);
	assert_int_equal(o.refusal.code, REFUSAL_WRONG_STATE);
	assert_string_equal(o.refusal.rule, "case-is-open");
	assert_non_null(strstr(o.refusal.sentence, "E01102026112100001"));
	assert_non_null(strstr(o.refusal.sentence, "is archived"));
	assert_null(strstr(o.refusal.sentence, "REJECTED")); /* how it ended is not for everybody */
	o = town_ask(town_act(3, "acceptor-01", ACT_REJECT, id + 1));
	assert_int_equal(o.refusal.code, REFUSAL_UNKNOWN_CASE);
}

/* ---- time ---- */

static void test_timers_on_the_real_clock(void **state)
{
	(void)state;
	town_start();

	(void)town_ask(town_report(0));
	UNTIL(town.last_event == 1);
	town_wall = NINE + 15 * CLOCK_MINUTE_MS - 1;
	for (uint64_t batches = engine_progress(town.engine); engine_progress(town.engine) < batches + 1;)
		town_turn();
	assert_int_equal(town.last_event, 1);
	town_wall = NINE + 15 * CLOCK_MINUTE_MS;
	UNTIL(town.last_event == 2);
	assert_int_equal(town_number("SELECT count(*) FROM case_event WHERE actor = 'system'"), 1);
	assert_int_equal(town_number("SELECT count(*) FROM notice WHERE addressee = 'role:acceptor'"), 1);
}

/* The machine's clock goes back; the street's does not. */
static void test_time_never_runs_backwards(void **state)
{
	(void)state;
	town_start();
	(void)town_ask(town_report(0));
	town_wall = NINE - CLOCK_DAY_MS;
	(void)town_ask(town_report(1));
	assert_int_equal(town_number("SELECT min(reported_ms) FROM open_case"), NINE);
}

/* Only who has uploaded a file may name it, and naming it is what keeps it. */
static void test_evidence(void **state)
{
	struct command *c;

	(void)state;
	town.options.evidence_limits.unnamed_keep_ms = 7 * CLOCK_DAY_MS;
	town_start();
	c = town_report(0);
	command_evidence(c, 1)->sha256[0] = 9;
	assert_string_equal(town_ask(c).refusal.rule, "evidence-is-uploaded");
	c = town_report(0);
	town_keep(c, 9);
	assert_true(town_ask(c).accepted);
	assert_int_equal(town_number("SELECT count(*) FROM case_evidence JOIN evidence USING (sha256, person)"
	                             " WHERE named = 1 AND event_id = 1 AND person = 'resident-01'"),
	                 1);
	c = town_act(1, "acceptor-01", ACT_FILE, town.answers[0].case_id);
	command_evidence(c, 1)->sha256[0] = 9;
	assert_string_equal(town_ask(c).refusal.rule, "evidence-is-uploaded");
	c = town_report(2);
	town_keep(c, 10); /* but never sends it */
	command_free(c);
	assert_int_equal(town_number("SELECT count(*) FROM evidence"), 2);
	town_wall += 8 * CLOCK_DAY_MS;
	town_mono += CLOCK_HOUR_MS;
	UNTIL(town_number("SELECT count(*) FROM evidence") == 1);
	assert_int_equal(town_number("SELECT named FROM evidence"), 1);
}

static struct outcome clock_to(int64_t value, _Bool settle)
{
	struct command *c = town_command(COMMAND_CLOCK, "operator-01", 0);

	c->value = value;
	c->settle = settle;
	return town_ask(c);
}

static void test_the_replay_clock(void **state)
{
	(void)state;
	struct command *c;
	int64_t id;

	town.options.replay_clock = 1;
	town_start();
	c = town_report(0);
	c->replay_at_ms = NINE;
	id = town_ask(c).case_id;
	assert_int_equal(engine_now_ms(town.engine), NINE);
	town_wall += 365 * CLOCK_DAY_MS; /* nobody looks */
	assert_int_equal(town_ask(town_act(1, "acceptor-01", ACT_FILE, id)).due_ms, NINE + 30 * CLOCK_MINUTE_MS);
	assert_int_equal(clock_to(NINE + 5 * CLOCK_HOUR_MS, 0).due_ms, NINE + 5 * CLOCK_HOUR_MS);
	/* The timers fired each at its own moment: signing after 30 minutes, the limit after four hours. */
	assert_int_equal(town_number("SELECT at_ms FROM case_event WHERE act = 35"), NINE + 30 * CLOCK_MINUTE_MS);
	assert_int_equal(town_number("SELECT at_ms FROM case_event WHERE act = 37"), NINE + 4 * CLOCK_HOUR_MS);
	(void)town_ask(town_act(2, "sanitation-01", ACT_SIGN, id));
	c = town_act(3, "sanitation-01", ACT_HANDLED, id);
	town_keep(c, 1);
	(void)town_ask(c);
	(void)town_ask(town_act(4, "worker-01", ACT_CHECK, id));
	assert_int_equal(town_ask(town_act(5, "worker-01", ACT_PASS, id)).state, STATE_CLOSED);
	assert_int_equal(clock_to(0, 1).due_ms, NINE + 5 * CLOCK_HOUR_MS + 7 * CLOCK_DAY_MS);
	assert_int_equal(town_number("SELECT count(*) FROM closed_case WHERE state = 14"), 1);
	assert_int_equal(town_number("SELECT balance FROM account WHERE person = 'resident-01'"), 10);
}

static void test_the_real_clock_is_not_set(void **state)
{
	(void)state;
	town_start();

	struct outcome o = clock_to(NINE + CLOCK_DAY_MS, 0);

	assert_false(o.accepted);
	assert_string_equal(o.refusal.rule, "replay-clock-only");
}

/* ---- the loop ---- */

static void test_a_full_queue_says_so_and_calls_back(void **state)
{
	(void)state;
	size_t sent = 0;

	town.options.queue_most = 8;
	town_start();
	for (;; sent++) {
		struct command *c = town_report((uint32_t)sent);

		command_seal(c, town.digester);
		if (!engine_submit(town.engine, c)) {
			command_free(c);
			break;
		}
	}
	assert_int_equal(sent, 8); /* answers not yet taken count */
	assert_int_equal(town.spaces, 0);
	UNTIL(town.answered == 8);
	assert_int_equal(town.spaces, 1);
	assert_true(town_ask(town_report(9)).accepted);
}

static void test_news_name_whom_to_tell(void **state)
{
	(void)state;
	town_start();

	int64_t id = town_ask(town_report(0)).case_id;

	(void)town_ask(town_act(1, "acceptor-01", ACT_REJECT, id));
	UNTIL(town.notices_to_reporter == 1);
	assert_int_equal(town.last_event, 2);
	assert_true(town.news >= 1);
}

struct count_query {
	struct query query;
	int64_t last_event, now_ms;
	_Bool done;
};

static void run_count(struct query *q, struct reader *r, int64_t now_ms)
{
	struct count_query *c = (struct count_query *)q;
	int64_t last_notice;

	c->now_ms = now_ms;
	assert_int_equal(query_last_ids(r, &c->last_event, &last_notice), QUERY_OK);
}

static void done_count(struct query *q)
{
	((struct count_query *)q)->done = 1;
}

static void test_readers(void **state)
{
	(void)state;
	struct count_query q[16] = { 0 };

	town_start();
	(void)town_ask(town_report(0));
	(void)town_ask(town_report(1));
	for (int i = 0; i < 16; i++) {
		q[i].query = (struct query){ run_count, done_count };
		assert_true(engine_query(town.engine, &q[i].query));
	}
	for (int i = 0; i < 16; i++) {
		UNTIL(q[i].done);
		assert_int_equal(q[i].last_event, 2);
		assert_int_equal(q[i].now_ms, NINE);
	}
	assert_true(engine_idle(town.engine));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, town_open, town_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers_come_after_the_commit),
		TEST(test_group_commit),
		TEST(test_the_end_drains),
		TEST(test_a_restart_knows_everything),
		TEST(test_an_archived_case_is_explained),
		TEST(test_timers_on_the_real_clock),
		TEST(test_time_never_runs_backwards),
		TEST(test_evidence),
		TEST(test_the_replay_clock),
		TEST(test_the_real_clock_is_not_set),
		TEST(test_a_full_queue_says_so_and_calls_back),
		TEST(test_news_name_whom_to_tell),
		TEST(test_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
