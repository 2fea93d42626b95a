/* Another policy while cases are open: held and let go of, vetted, swapped in order with commands, and the sweep that
 * follows, cut into slices and cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/policy_change.h"
#include "engine/reload.h"
#include "store_kit.h"
#include "town_kit.h"

#define CASES 1000 /* more than three slices */
#define REPORTER "property-01-1"

/* ---- jurisdictions ---- */

/* A copy of the sample in the town's folder, after this has been done to it. */
static void copy_sample(const char *commands)
{
	char line[1024];

	snprintf(line, sizeof line, "cp -r config/jurisdiction '%s/copy' && cd '%s/copy' && %s", town.folder,
	         town.folder, commands);
	assert_int_equal(system(line), 0);
}

static void drop_copy(void)
{
	char line[256];

	snprintf(line, sizeof line, "rm -r '%s/copy'", town.folder);
	assert_int_equal(system(line), 0);
}

static struct policy *load_copy(struct problems *p)
{
	char path[160];

	snprintf(path, sizeof path, "%s/copy", town.folder);
	return policy_load(path, p);
}

static struct policy *changed(const char *commands)
{
	struct problems p = { 0 };

	copy_sample(commands);

	struct policy *policy = load_copy(&p);

	problems_print(&p, stderr);
	problems_close(&p);
	drop_copy();
	assert_non_null(policy);
	return policy;
}

/* Nothing is merged by itself, so that a test has as many cases as reports. */
#define APART "sed -i -E '/^E0117,/s/,30,24,/,0,0,/' categories.csv && "
/* The property company of one estate is gone. */
#define WITHOUT_PROPERTY APART "sed -i '/property-01,/d' units.csv contracts.csv people.csv"
#define WITHOUT_RUBBISH "sed -i '/E0110[,+]/d' categories.csv routes.csv contracts.csv camera_labels.csv"
#define ANOTHER_RULE APART "sed -i 's/^sign = .*/sign = 45m/' policy.conf"

static void live_apart(void)
{
	policy_release(town.policy);
	town.policy = changed(APART "true");
}

/* Dispatched by itself to the property company: trusted, sure, one route. */
static struct command *estate_report(uint32_t slot)
{
	struct command *c = town_report(slot);

	c->actor = c->reporter = REPORTER;
	c->lat_e7 = 343350000;
	c->lon_e7 = 1087415000 + (int32_t)slot;
	c->category = 10117;
	return c;
}

static struct command *policy_command(const struct policy *p, struct problems *problems, uint32_t slot)
{
	struct command *c = town_command(COMMAND_POLICY, NULL, slot);

	c->policy = policy_hold(p);
	c->problems = problems;
	return c;
}

static struct outcome swap(const struct policy *p, struct problems *problems, uint32_t slot)
{
	struct command *c = policy_command(p, problems, slot);
	size_t before = town.answered;

	assert_true(engine_submit(town.engine, c));
	UNTIL(town.answered > before);
	return town.answers[slot];
}

static struct policy_state state_now(void)
{
	struct policy_state s;

	engine_policy_state(town.engine, &s);
	return s;
}

/* ---- life and digest ---- */

static void test_it_lives_until_the_last_lets_go(void **state)
{
	(void)state;
	struct policy *p = changed(ANOTHER_RULE);
	const struct policy *held = policy_hold(p);

	policy_release(p);
	assert_int_equal(policy_rules(held)->sign.amount, 45 * CLOCK_MINUTE_MS);
	policy_release(held);
	policy_release(NULL);
}

static void test_the_digest_is_that_of_the_files(void **state)
{
	(void)state;
	struct policy *same = changed("echo words >>README.md && touch notes~ .hidden.csv"),
		      *other = changed(ANOTHER_RULE);

	assert_int_equal(strlen(policy_digest(same)), POLICY_DIGEST_SIZE - 1);
	assert_string_equal(policy_digest(same), policy_digest(town.policy));
	assert_string_not_equal(policy_digest(other), policy_digest(town.policy));
	policy_release(same);
	policy_release(other);
}

/* ---- the swap ---- */

static void count_change(void *ctx)
{
	int *count = ctx;

	assert_string_not_equal(policy_digest(engine_policy(town.engine)), policy_digest(town.policy));
	++*count;
}

static void test_a_swap_is_in_order_with_commands(void **state)
{
	(void)state;
	struct policy *other = changed(ANOTHER_RULE);
	struct problems p = { 0 };
	int changes = 0;

	live_apart();
	town_start();
	engine_on_policy(town.engine, count_change, &changes);
	town_send(estate_report(0));
	assert_true(engine_submit(town.engine, policy_command(other, &p, 1)));
	town_send(estate_report(2));
	UNTIL(town.answered == 3);
	assert_true(town.answers[1].accepted);
	assert_int_equal(town.answers[0].due_ms, NINE + 30 * CLOCK_MINUTE_MS);
	assert_int_equal(town.answers[2].due_ms, NINE + 45 * CLOCK_MINUTE_MS);
	assert_int_equal(changes, 1);
	assert_ptr_equal(engine_policy(town.engine), other);
	assert_int_equal(state_now().from_ms, NINE);
	UNTIL(!state_now().sweeping);
	assert_int_equal(state_now().changed, 0);
	assert_int_equal(town_number("SELECT count(*) FROM policy"), 2); /* the first one, and this */
	assert_int_equal(town_number("SELECT value FROM meta WHERE name = 'sweep_due'"), 0);
	policy_release(other);
}

static void test_what_open_cases_need_is_not_taken_away(void **state)
{
	(void)state;
	struct policy *other = changed(WITHOUT_RUBBISH);
	struct problems p = { 0 };

	town_start();
	for (uint32_t i = 0; i < 4; i++)
		assert_true(town_ask(town_report(i)).accepted);

	struct outcome o = swap(other, &p, 5);

	assert_false(o.accepted);
	assert_string_equal(o.refusal.rule, "policy-fits-open-cases");
	assert_int_equal(p.count, 1);
	assert_non_null(strstr(p.lines[0], "categories.csv: category E0110 is gone, but 4 open cases need it (E0110"));
	assert_non_null(strstr(p.lines[0], ", …)"));
	assert_ptr_equal(engine_policy(town.engine), town.policy);
	assert_int_equal(town_number("SELECT count(*) FROM policy"), 1);
	assert_true(town_ask(town_report(6)).accepted);
	problems_close(&p);
	policy_release(other);
}

static void test_a_full_disk_keeps_the_policy(void **state)
{
	(void)state;
	struct policy *other = changed(ANOTHER_RULE);
	struct problems p = { 0 };

	town.vfs = kit_vfs();
	town_start();
	assert_true(town_ask(town_report(0)).accepted);
	UNTIL(!state_now().sweeping);
	kit_vfs_fail(KIT_FAULT_FULL, 0);

	struct outcome o = swap(other, &p, 1);

	assert_false(o.accepted);
	assert_int_equal(o.refusal.code, REFUSAL_RETRY_LATER);
	assert_ptr_equal(engine_policy(town.engine), town.policy);
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	assert_true(swap(other, &p, 2).accepted);
	assert_ptr_equal(engine_policy(town.engine), other);
	policy_release(other);
}

/* ---- the sweep ---- */

/* What the writer was told when each batch was answered. */
struct log_book {
	struct writer *writer;
	int64_t changed_at_answer; /* by the sweep, when the command in slot 1 was answered */
	size_t delivered;
};

static void deliver(void *ctx, struct command **commands, size_t count)
{
	struct log_book *b = ctx;

	for (size_t i = 0; i < count; i++) {
		assert_true(commands[i]->outcome.accepted);
		if (commands[i]->origin.slot == CASES + 1)
			b->changed_at_answer = b->writer->sweep.changed;
		command_free(commands[i]);
	}
	b->delivered += count;
}

static void publish(void *ctx, struct edition *news)
{
	(void)ctx;
	edition_clear(news);
}

static void never_fails(void *ctx, int exit_code)
{
	(void)ctx;
	fail_msg("the writer failed with %d", exit_code);
}

static void put(struct writer *w, struct command *c)
{
	command_seal(c, town.digester);
	assert_true(queue_push(w->commands, c));
}

static void run_writer(struct log_book *b, struct writer *w)
{
	char *cause = NULL;

	w->options = &town.options;
	w->deliver = deliver;
	w->publish = publish;
	w->failed = never_fails;
	w->ctx = b;
	b->writer = w;
	if (!writer_open(w, &cause))
		fail_msg("%s", cause);
	queue_close(w->commands);
	writer_run(w);
	writer_close(w);
	queue_free(w->commands);
}

/* A sweep is cut into slices: the report behind the swap is answered when one or two are done. The writer ends there too,
 * for its queue is closed; the next start goes on with the others, and none is done twice. */
static void test_a_sweep_is_cut_into_slices_and_goes_on_after_a_restart(void **state)
{
	(void)state;
	struct policy *other = changed(WITHOUT_PROPERTY), *before;
	struct problems p = { 0 };
	struct log_book book = { 0 };
	struct writer w = { .commands = queue_new(CASES + 10, -1) };

	live_apart();
	before = town.policy;
	town_prepare();
	town.options.batch_most = CASES + 10;
	for (uint32_t i = 0; i < CASES; i++)
		put(&w, estate_report(i));
	assert_true(queue_push(w.commands, policy_command(other, &p, CASES)));
	put(&w, town_report(CASES + 1));
	run_writer(&book, &w);
	assert_int_equal(book.delivered, CASES + 2);
	assert_in_range(book.changed_at_answer, 1, 2 * SWEEP_FACTS_A_SLICE);
	assert_int_equal(town_number("SELECT value FROM meta WHERE name = 'sweep_due'"), 1);

	int64_t first = town_number("SELECT count(*) FROM case_event WHERE act = 39");

	assert_in_range(first, 1, 2 * SWEEP_FACTS_A_SLICE);
	town.policy = other;
	town_start();
	UNTIL(!state_now().sweeping);
	assert_int_equal(town_number("SELECT count(*) FROM case_event WHERE act = 39"), CASES);
	assert_int_equal(town_number("SELECT count(*) FROM open_case WHERE handler = 'greening'"), CASES);
	assert_int_equal(state_now().changed, CASES - first);
	assert_int_equal(state_now().visited, CASES + 1);
	assert_int_equal(town_number("SELECT count(*) FROM policy"), 2);
	town_stop();
	town.policy = before;
	policy_release(other);
}

static void test_a_start_with_the_same_policy_sweeps_nothing(void **state)
{
	(void)state;
	town_start();
	assert_true(town_ask(town_report(0)).accepted);
	UNTIL(!state_now().sweeping);
	town_stop();
	town_wall += CLOCK_HOUR_MS;
	town_start();
	assert_false(state_now().sweeping);
	assert_true(town_ask(town_report(1)).accepted);
	assert_int_equal(state_now().visited, 0);
	assert_int_equal(state_now().from_ms, NINE);
}

/* What begins and ends with a day is looked at with each new one, also when it began while the daemon was down. */
static void test_a_new_day_is_an_occasion(void **state)
{
	(void)state;
	town_start();
	assert_true(town_ask(town_report(0)).accepted);
	UNTIL(!state_now().sweeping);
	town_wall = NINE + 15 * CLOCK_HOUR_MS; /* midnight */
	assert_true(town_ask(town_report(1)).accepted);
	UNTIL(state_now().visited == 2 && !state_now().sweeping);
	town_stop();
	town_wall += CLOCK_DAY_MS;
	town_start(); /* its counts begin at nothing */
	UNTIL(state_now().visited == 2 && !state_now().sweeping);
}

/* ---- asking for it ---- */

struct told {
	struct reload_ask ask;
	enum reload_end *end;
	int *count;
};

static void told(struct reload_ask *a, const struct reload_result *r)
{
	struct told *t = (struct told *)a;

	*t->end = r->end;
	++*t->count;
	free(t);
}

static struct told *told_new(enum reload_end *end, int *count)
{
	struct told *t = calloc(1, sizeof *t);

	assert_non_null(t);
	t->ask.done = told;
	t->end = end;
	t->count = count;
	return t;
}

static _Atomic int loads;

static const struct policy *load_hook(void *ctx, struct problems *p)
{
	(void)ctx;
	loads++;
	return load_copy(p);
}

static void test_whoever_asks_is_told(void **state)
{
	(void)state;
	enum reload_end end[3];
	int count = 0;

	loads = 0;
	town.options.reload = (struct reload_hooks){ .load = load_hook };
	copy_sample(ANOTHER_RULE);
	town_start();
	/* The first begins a load; the others came when it was under way and wait for the next, together. */
	for (int i = 0; i < 3; i++)
		assert_true(engine_reload(town.engine, &told_new(&end[i], &count)->ask));
	UNTIL(count == 3);
	assert_int_equal(loads, 2);
	assert_int_equal(end[0], RELOAD_IN_FORCE);
	assert_int_equal(end[1], RELOAD_UNCHANGED);
	assert_int_equal(end[2], RELOAD_UNCHANGED);
	drop_copy();
	copy_sample("echo 'nonsense = 1' >>policy.conf");
	assert_true(engine_reload(town.engine, &told_new(&end[0], &count)->ask));
	UNTIL(count == 4);
	assert_int_equal(end[0], RELOAD_REFUSED);
	drop_copy();
}

static void test_too_many_who_ask_are_sent_away(void **state)
{
	(void)state;
	enum reload_end end;
	int count = 0, taken = 0;

	town.options.reload = (struct reload_hooks){ .load = load_hook };
	copy_sample("true");
	town_start();
	for (;; taken++) {
		struct told *t = told_new(&end, &count);

		if (engine_reload(town.engine, &t->ask))
			continue;
		free(t);
		break;
	}
	assert_int_equal(taken, RELOAD_ASKS_MOST);
	town_stop(); /* with a load under way, and everybody still waiting */
	assert_int_equal(count, 0);
	drop_copy();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, town_open, town_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_it_lives_until_the_last_lets_go),
		TEST(test_the_digest_is_that_of_the_files),
		TEST(test_a_swap_is_in_order_with_commands),
		TEST(test_what_open_cases_need_is_not_taken_away),
		TEST(test_a_full_disk_keeps_the_policy),
		TEST(test_a_sweep_is_cut_into_slices_and_goes_on_after_a_restart),
		TEST(test_a_start_with_the_same_policy_sweeps_nothing),
		TEST(test_a_new_day_is_an_occasion),
		TEST(test_whoever_asks_is_told),
		TEST(test_too_many_who_ask_are_sent_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
