/* What cameras go on seeing: counted without a row each, remembered over a restart, and no more of it than the limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "desk_kit.h"
#include "store/verify.h"
#include "store_kit.h"
#include "workflow/alarm_spans.h"

#define RUBBISH 10110

/* A street whose decisions go to a database as the writer's do. */
struct stand {
	struct desk desk;
	struct kit kit;
};

static struct stand stand;

static int open_stand(void **state)
{
	(void)state;
	desk_open(&stand.desk);
	kit_start(&stand.kit);
	return 0;
}

static int close_stand(void **state)
{
	(void)state;
	kit_end(&stand.kit);
	desk_close(&stand.desk);
	return 0;
}

static void write_facts(void)
{
	const struct facts *f = &stand.desk.facts;

	if (f->event_count + f->span_count == 0 && !f->has_key)
		return;
	assert_int_equal(store_begin(stand.kit.store), STORE_OK);
	assert_int_equal(store_write(stand.kit.store, f), STORE_OK);
	assert_int_equal(store_commit(stand.kit.store), STORE_OK);
}

/* The facts' texts are the command's, so they are written while it is there. */
static int64_t carry_out(struct command c)
{
	struct desk *d = &stand.desk;

	command_seal(&c, d->digester);
	if (!decide(d->book, d->policy, &c, d->now_ms, NULL, &d->facts))
		fail_msg("%s", c.outcome.refusal.sentence);
	casebook_apply(d->book, &d->facts);
	write_facts();
	d->outcome = c.outcome;
	return c.outcome.case_id;
}

static int64_t post(const char *event, _Bool ended)
{
	char name[32];

	snprintf(name, sizeof name, "post %d", ++stand.desk.keys);
	return carry_out((struct command){ .kind = COMMAND_ALARM,
	                                   .actor = "cameras-police",
	                                   .channel = "camera",
	                                   .key = uuid_from_name(stand.desk.now_ms, name),
	                                   .camera = "police-01",
	                                   .label = "garbage",
	                                   .alarm_event = event,
	                                   .confidence = 0.9,
	                                   .ended = ended });
}

static void wait(int64_t span_ms)
{
	int64_t until = stand.desk.now_ms + span_ms;
	struct timer t;

	while (casebook_next_timer(stand.desk.book, &t) && t.at_ms <= until) {
		stand.desk.now_ms = t.at_ms > stand.desk.now_ms ? t.at_ms : stand.desk.now_ms;
		decide_timer(stand.desk.book, stand.desk.policy, &t, stand.desk.now_ms, &stand.desk.facts);
		casebook_apply(stand.desk.book, &stand.desk.facts);
		write_facts();
	}
	stand.desk.now_ms = until;
}

static void act(enum act act, int64_t id)
{
	carry_out((struct command){
		.kind = COMMAND_ACT, .actor = "acceptor-01", .act = act, .case_id = id, .reason = "false-alarm" });
}

/* As a restart of the daemon. */
static void restart(void)
{
	kit_reopen(&stand.kit);
	casebook_free(stand.desk.book);
	stand.desk.book = stand.kit.book;
	stand.kit.book = casebook_new(0);
}

static void verify(void)
{
	struct verify_report report = { 0 };
	char *cause = NULL;

	store_close(stand.kit.store);
	stand.kit.store = NULL;
	assert_true(verify_database(stand.kit.path, NULL, NULL, &report, &cause));
	for (int i = 0; i < report.count; i++)
		if (report.checks[i].broken > 0)
			fail_msg("%s: %s", report.checks[i].name, report.checks[i].first);
}

static void test_four_thousand_posts_are_a_case_with_a_count(void **state)
{
	int64_t id = post(NULL, 0);

	(void)state;
	act(ACT_CONFIRM, id);
	for (int i = 1; i < 4268; i++) {
		wait(1000);
		assert_int_equal(post(NULL, 0), id);
	}
	wait(ALARM_TOLD_EVERY_MS);
	assert_int_equal(casebook_case(stand.desk.book, id)->alarm_count, 4268);
	/* Some seventy minutes: the first few and one a minute. Each post has its answer kept, once. */
	assert_in_range(kit_number(&stand.kit, "SELECT count(*) FROM case_event"), 60, 90);
	assert_int_equal(kit_number(&stand.kit, "SELECT count(*) FROM request_key"), 4268);
	assert_int_equal(kit_number(&stand.kit, "SELECT count(*) FROM alarm_span"), 1);
	assert_int_equal(kit_number(&stand.kit, "SELECT alarm_count FROM open_case"), 4268);
	verify();
}

static void test_the_count_outlives_a_restart(void **state)
{
	int64_t id = post(NULL, 0);

	(void)state;
	for (int i = 0; i < 99; i++)
		post(NULL, 0);
	assert_int_equal(casebook_case(stand.desk.book, id)->alarm_count, ALARM_TOLD_FIRST);
	restart();
	assert_int_equal(casebook_case(stand.desk.book, id)->alarm_count, ALARM_TOLD_FIRST);
	assert_int_equal(post(NULL, 0), id);
	wait(ALARM_TOLD_EVERY_MS);
	assert_int_equal(casebook_case(stand.desk.book, id)->alarm_count, 101);
	verify();
}

static void test_dismissed_stays_dismissed_over_a_restart(void **state)
{
	int64_t id = post("track-7", 0), other;

	(void)state;
	act(ACT_DISMISS, id);
	restart();
	wait(CLOCK_HOUR_MS);
	assert_int_equal(post("track-7", 0), id);
	assert_int_equal(stand.desk.outcome.state, STATE_CANCELLED);
	other = post("track-8", 0);
	assert_int_not_equal(other, id);
	act(ACT_DISMISS, other);
	restart();
	assert_int_equal(post(NULL, 0), other);
	restart();
	assert_int_equal(post(NULL, 1), other);
	assert_int_equal(post("track-7", 1), id);
	wait(CLOCK_MINUTE_MS);
	restart();
	assert_int_not_equal(post(NULL, 0), other);
	verify();
}

static void test_what_is_over_makes_room(void **state)
{
	char event[32];

	(void)state;
	for (int i = 0; i < 300; i++) {
		snprintf(event, sizeof event, "track-%d", i);
		post(event, 0);
		wait(CLOCK_HOUR_MS);
	}
	assert_in_range(casebook_span_count(stand.desk.book), 1, 30);
	assert_int_equal(kit_number(&stand.kit, "SELECT count(*) FROM alarm_span"),
	                 casebook_span_count(stand.desk.book));
	verify();
}

static void test_never_more_than_the_limit(void **state)
{
	struct desk *d = &stand.desk;
	char event[32];

	(void)state;
	for (int i = 0; i < ALARM_SPANS_MOST + 1000; i++) {
		snprintf(event, sizeof event, "track-%d", i);
		assert_true(desk_do(d, (struct command){ .kind = COMMAND_ALARM,
		                                         .actor = "cameras-police",
		                                         .camera = "police-01",
		                                         .label = "garbage",
		                                         .alarm_event = event,
		                                         .confidence = 0.9 }));
	}
	assert_in_range(casebook_span_count(d->book), ALARM_SPANS_MOST - 10, ALARM_SPANS_MOST);
	assert_null(casebook_span(d->book, "police-01", NULL, RUBBISH, "track-0"));
	assert_non_null(casebook_span(d->book, "police-01", NULL, RUBBISH, event));
	assert_non_null(casebook_span(d->book, "police-01", NULL, RUBBISH, NULL));
}

static void test_a_name_too_long_is_unknown(void **state)
{
	char long_text[1000];
	struct alarm_spans *s = alarm_spans_new();

	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	assert_null(alarm_spans_find(s, long_text, NULL, RUBBISH, NULL));
	assert_null(alarm_spans_find(s, "a", NULL, RUBBISH, long_text));
	assert_int_equal(alarm_spans_case_end(s, 1), STATE_NONE);
	assert_int_equal(alarm_spans_case_count(s, 1), 0);
	alarm_spans_forget(s, 1);
	alarm_spans_free(s);
	alarm_spans_free(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_stand, close_stand)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_four_thousand_posts_are_a_case_with_a_count),
		TEST(test_the_count_outlives_a_restart),
		TEST(test_dismissed_stays_dismissed_over_a_restart),
		TEST(test_what_is_over_makes_room),
		TEST(test_never_more_than_the_limit),
		TEST(test_a_name_too_long_is_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
