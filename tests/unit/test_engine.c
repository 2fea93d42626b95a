/* The engine on a real store: group commit, timers, a full disk, a broken one, readers, and an orderly end. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/log.h"
#include "engine/engine.h"
#include "engine/writer.h"
#include "store_kit.h"

#define NINE INT64_C(1795222800000) /* 2026-11-21 09:00 in China */
#define RUBBISH 10110
#define ANSWERS_MOST 4096
#define PATIENCE_MS 20000

static _Atomic int64_t wall, mono;

static struct town {
	char folder[128], path[160];
	struct policy *policy;
	struct engine_options options;
	struct engine *engine;
	struct digester *digester;
	struct outcome answers[ANSWERS_MOST]; /* by slot */
	size_t answered, news, spaces, notices_to_reporter;
	int64_t last_event;
	int exit_code, keys;
	const char *vfs;
} town;

/* ---- clocks ---- */

static int64_t wall_now(void *ctx)
{
	(void)ctx;
	return wall;
}

static int64_t mono_now(void *ctx)
{
	(void)ctx;
	return mono;
}

/* ---- what the loop is told ---- */

static void take_answer(void *door, struct command *c)
{
	struct town *s = door;

	assert_true(c->origin.slot < ANSWERS_MOST);
	s->answers[c->origin.slot] = c->outcome;
	s->answered++;
	command_free(c);
}

static void take_news(void *ctx, const struct news *n)
{
	struct town *s = ctx;

	s->news++;
	assert_true(n->last_event >= s->last_event);
	s->last_event = n->last_event;
	for (size_t i = 0; i < n->notice_to_count; i++)
		s->notices_to_reporter += strcmp(n->notice_to[i], "resident-01") == 0;
}

static void take_space(void *ctx)
{
	((struct town *)ctx)->spaces++;
}

static void take_failure(void *ctx, int exit_code)
{
	((struct town *)ctx)->exit_code = exit_code;
}

/* ---- a street ---- */

static void start(void)
{
	char *cause = NULL;

	town.options.store =
		(struct store_options){ .path = town.path, .vfs = town.vfs, .checkpoint_frames = 1000 };
	town.options.policy = town.policy;
	town.options.clock = (struct clock){ wall_now, mono_now, NULL };
	town.engine = engine_new(&town.options, &cause);
	if (town.engine == NULL)
		fail_msg("%s", cause);
	engine_on_news(town.engine, take_news, &town);
	engine_on_space(town.engine, take_space, &town);
	engine_on_failure(town.engine, take_failure, &town);
	town.answered = 0;
	town.last_event = 0;
}

static void stop(void)
{
	engine_free(town.engine);
	town.engine = NULL;
}

static int open_street(void **state)
{
	const char *base = getenv("TMPDIR");
	struct problems p = { 0 };

	(void)state;
	setenv("TZ", "Asia/Shanghai", 1);
	tzset();
	log_set_level(LOG_LEVEL_ERROR - 1);
	memset(&town, 0, sizeof town);
	snprintf(town.folder, sizeof town.folder, "%s/gridloop-engine-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(town.folder));
	snprintf(town.path, sizeof town.path, "%s/street.db", town.folder);
	town.policy = policy_load("config/jurisdiction", &p);
	assert_non_null(town.policy);
	town.digester = digester_new();
	town.options =
		(struct engine_options){ .queue_most = 4096, .batch_most = 256, .readers = 2, .queries_most = 64 };
	wall = NINE;
	mono = 1000;
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	return 0;
}

static int close_street(void **state)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
	char name[200];

	(void)state;
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	stop();
	policy_free(town.policy);
	digester_free(town.digester);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		snprintf(name, sizeof name, "%s%s", town.path, endings[i]);
		unlink(name);
	}
	assert_int_equal(rmdir(town.folder), 0);
	return 0;
}

/* ---- commands ---- */

static struct command *command(enum command_kind kind, const char *actor, uint32_t slot)
{
	struct command *c = command_new(kind, 256);

	c->actor = actor;
	c->channel = "tcp";
	c->origin.answer = take_answer;
	c->origin.door = &town;
	c->origin.slot = slot;
	return c;
}

static struct command *report(uint32_t slot)
{
	struct command *c = command(COMMAND_SUBMIT, "resident-01", slot);
	char name[32];

	snprintf(name, sizeof name, "engine %d", ++town.keys);
	c->key = uuid_from_name(NINE, name);
	c->reporter = "resident-01";
	c->category = RUBBISH;
	c->lat_e7 = 343350000 + (int32_t)slot * 5000;
	c->lon_e7 = 1086915000;
	c->description = "words";
	return c;
}

static struct command *act(uint32_t slot, const char *actor, enum act a, int64_t id)
{
	struct command *c = command(COMMAND_ACT, actor, slot);

	c->act = a;
	c->case_id = id;
	c->text = "words";
	c->reason = "unclear";
	c->photos = "photo";
	c->photo_count = 1;
	return c;
}

static void send(struct command *c)
{
	command_seal(c, town.digester);
	assert_true(engine_submit(town.engine, c));
}

/* Turns the loop until the street has had this many answers; a second longer than patience is a failure. */
static void turn(void)
{
	struct pollfd p = { .fd = engine_fd(town.engine), .events = POLLIN };

	(void)poll(&p, 1, 50);
	engine_drain(town.engine);
}

#define UNTIL(condition)                                                                                               \
	do {                                                                                                           \
		for (int turns = 0; !(condition); turns++) {                                                           \
			if (turns > PATIENCE_MS / 50)                                                                  \
				fail_msg("never came: " #condition);                                                   \
			turn();                                                                                        \
		}                                                                                                      \
	} while (0)

static struct outcome ask(struct command *c)
{
	uint32_t slot = c->origin.slot;
	size_t before = town.answered;

	send(c);
	UNTIL(town.answered > before);
	return town.answers[slot];
}

static int64_t number(const char *sql)
{
	struct kit k = { 0 };

	snprintf(k.path, sizeof k.path, "%s", town.path);
	return kit_number(&k, sql);
}

/* ---- the writer ---- */

static void test_answers_come_after_the_commit(void **state)
{
	(void)state;
	start();

	struct outcome o = ask(report(0));

	assert_true(o.accepted);
	assert_int_equal(o.state, STATE_REPORTED);
	assert_int_equal(number("SELECT count(*) FROM open_case"), 1);
	assert_int_equal(number("SELECT count(*) FROM case_event"), 1);
	assert_int_equal(number("SELECT count(*) FROM request_key"), 1);
	assert_true(engine_idle(town.engine));
	assert_int_equal(engine_now_ms(town.engine), NINE);
	assert_ptr_equal(engine_policy(town.engine), town.policy);
}

static void deliver_nothing(void *ctx, struct command *c)
{
	(*(size_t *)ctx)++;
	assert_true(c->outcome.accepted);
	command_free(c);
}

static void note_nothing(void *ctx, const struct facts *f)
{
	(void)ctx;
	(void)f;
}

static void count_commit(void *ctx, _Bool kept)
{
	(void)ctx;
	assert_true(kept);
}

static void never_fails(void *ctx, int exit_code)
{
	(void)ctx;
	fail_msg("the writer failed with %d", exit_code);
}

/* What has queued up goes into one transaction, up to the most. */
static void test_group_commit(void **state)
{
	(void)state;
	size_t delivered = 0;
	char *cause = NULL;
	struct writer w = { .options = &town.options,
		            .deliver = deliver_nothing,
		            .noted = note_nothing,
		            .committed = count_commit,
		            .failed = never_fails,
		            .ctx = &delivered };

	town.options.store = (struct store_options){ .path = town.path, .checkpoint_frames = 1000 };
	town.options.policy = town.policy;
	town.options.clock = (struct clock){ wall_now, mono_now, NULL };
	town.options.batch_most = 64;
	w.commands = queue_new(1000, -1);
	if (!writer_open(&w, &cause))
		fail_msg("%s", cause);
	for (uint32_t i = 0; i < 640; i++) {
		struct command *c = report(i);

		command_seal(c, town.digester);
		assert_true(queue_push(w.commands, c));
	}
	queue_close(w.commands);
	writer_run(&w);
	assert_int_equal(delivered, 640);
	assert_int_equal(w.batches, 10);
	assert_int_equal(casebook_open_count(w.book), 640);
	queue_free(w.commands);
	writer_close(&w);
	writer_close(&w);
	assert_int_equal(number("SELECT count(*) FROM open_case"), 640);
}

static void test_the_end_drains(void **state)
{
	(void)state;
	start();
	for (uint32_t i = 0; i < 1000; i++)
		send(report(i));
	assert_false(engine_idle(town.engine));
	stop();
	assert_int_equal(number("SELECT count(*) FROM open_case"), 1000);
}

static void test_a_restart_knows_everything(void **state)
{
	(void)state;
	start();

	struct command *c = report(0);
	struct outcome first, again;
	struct uuid key = c->key;

	first = ask(c);
	stop();
	start();
	c = report(0);
	c->key = key;
	again = ask(c);
	assert_true(again.accepted && again.again);
	assert_int_equal(again.case_id, first.case_id);
	assert_true(ask(act(1, "acceptor-01", ACT_FILE, first.case_id)).accepted);
	assert_int_equal(number("SELECT count(*) FROM case_event"), 3);
}

static void test_an_archived_case_is_explained(void **state)
{
	(void)state;
	start();

	int64_t id = ask(report(0)).case_id;
	struct outcome o;

	assert_int_equal(ask(act(1, "acceptor-01", ACT_REJECT, id)).state, STATE_REJECTED);
	o = ask(act(2, "acceptor-01", ACT_REJECT, id));
	assert_false(o.accepted);
	assert_int_equal(o.refusal.code, REFUSAL_WRONG_STATE);
	assert_string_equal(o.refusal.rule, "case-is-open");
	assert_non_null(strstr(o.refusal.sentence, "E01102026112100001"));
	assert_non_null(strstr(o.refusal.sentence, "REJECTED"));
	o = ask(act(3, "acceptor-01", ACT_REJECT, id + 1));
	assert_int_equal(o.refusal.code, REFUSAL_UNKNOWN_CASE);
}

/* ---- time ---- */

static void test_timers_on_the_real_clock(void **state)
{
	(void)state;
	start();

	(void)ask(report(0));
	UNTIL(town.last_event == 1);
	wall = NINE + 15 * CLOCK_MINUTE_MS - 1;
	for (uint64_t batches = engine_progress(town.engine); engine_progress(town.engine) < batches + 1;)
		turn();
	assert_int_equal(town.last_event, 1);
	wall = NINE + 15 * CLOCK_MINUTE_MS;
	UNTIL(town.last_event == 2);
	assert_int_equal(number("SELECT count(*) FROM case_event WHERE actor = 'system'"), 1);
	assert_int_equal(number("SELECT count(*) FROM notice WHERE addressee = 'role:acceptor'"), 1);
}

/* The machine's clock goes back; the street's does not. */
static void test_time_never_runs_backwards(void **state)
{
	(void)state;
	start();
	(void)ask(report(0));
	wall = NINE - CLOCK_DAY_MS;
	(void)ask(report(1));
	assert_int_equal(number("SELECT min(reported_ms) FROM open_case"), NINE);
}

static struct outcome clock_to(int64_t value, _Bool settle)
{
	struct command *c = command(COMMAND_CLOCK, "operator-01", 0);

	c->value = value;
	c->settle = settle;
	return ask(c);
}

static void test_the_replay_clock(void **state)
{
	(void)state;
	struct command *c;
	int64_t id;

	town.options.replay_clock = 1;
	start();
	c = report(0);
	c->replay_at_ms = NINE;
	id = ask(c).case_id;
	assert_int_equal(engine_now_ms(town.engine), NINE);
	wall += 365 * CLOCK_DAY_MS; /* nobody looks */
	assert_int_equal(ask(act(1, "acceptor-01", ACT_FILE, id)).due_ms, NINE + 30 * CLOCK_MINUTE_MS);
	assert_int_equal(clock_to(NINE + 5 * CLOCK_HOUR_MS, 0).due_ms, NINE + 5 * CLOCK_HOUR_MS);
	/* The timers fired each at its own moment: signing after 30 minutes, the limit after four hours. */
	assert_int_equal(number("SELECT at_ms FROM case_event WHERE act = 35"), NINE + 30 * CLOCK_MINUTE_MS);
	assert_int_equal(number("SELECT at_ms FROM case_event WHERE act = 37"), NINE + 4 * CLOCK_HOUR_MS);
	(void)ask(act(2, "sanitation-01", ACT_SIGN, id));
	(void)ask(act(3, "sanitation-01", ACT_HANDLED, id));
	(void)ask(act(4, "worker-01", ACT_CHECK, id));
	assert_int_equal(ask(act(5, "worker-01", ACT_PASS, id)).state, STATE_CLOSED);
	assert_int_equal(clock_to(0, 1).due_ms, NINE + 5 * CLOCK_HOUR_MS + 7 * CLOCK_DAY_MS);
	assert_int_equal(number("SELECT count(*) FROM closed_case WHERE state = 14"), 1);
	assert_int_equal(number("SELECT balance FROM account WHERE person = 'resident-01'"), 10);
}

static void test_the_real_clock_is_not_set(void **state)
{
	(void)state;
	start();

	struct outcome o = clock_to(NINE + CLOCK_DAY_MS, 0);

	assert_false(o.accepted);
	assert_string_equal(o.refusal.rule, "replay-clock-only");
}

/* ---- the disk ---- */

static void test_a_full_disk_refuses_and_loses_nothing(void **state)
{
	(void)state;
	struct command *c;
	struct outcome o;

	town.vfs = kit_vfs();
	start();
	assert_true(ask(report(0)).accepted);
	UNTIL(town.last_event == 1);
	kit_vfs_fail(KIT_FAULT_FULL, 0);
	for (uint32_t i = 1; i < 20; i++)
		send(report(i));
	UNTIL(town.answered == 20);
	for (uint32_t i = 1; i < 20; i++) {
		assert_false(town.answers[i].accepted);
		assert_int_equal(town.answers[i].refusal.code, REFUSAL_RETRY_LATER);
		assert_int_equal(town.answers[i].refusal.retry_after_ms, WRITER_RETRY_MS);
	}
	assert_int_equal(town.last_event, 1); /* what is not on disk is no news */
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	c = report(20);
	o = ask(c);
	assert_true(o.accepted);
	assert_int_equal(case_id_sequence(o.case_id), 2); /* as if the refused ones had never been */
	assert_int_equal(number("SELECT count(*) FROM open_case"), 2);
	assert_int_equal(number("SELECT max(id) FROM case_event"), 2);
	assert_int_equal(town.exit_code, 0);
}

/* Timers cannot be refused: they wait until there may be room, and fire then. */
static void test_timers_wait_for_room(void **state)
{
	(void)state;
	town.vfs = kit_vfs();
	start();
	(void)ask(report(0));
	UNTIL(town.last_event == 1);
	kit_vfs_fail(KIT_FAULT_FULL, 0);
	wall = NINE + 20 * CLOCK_MINUTE_MS;
	for (uint64_t batches = engine_progress(town.engine); engine_progress(town.engine) < batches + 2;)
		turn();
	assert_int_equal(town.last_event, 1);
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	mono += WRITER_RETRY_MS;
	UNTIL(town.last_event == 2);
	assert_int_equal(town.exit_code, 0);
}

/* Whether a commit reached the disk is unknown: nobody is answered, and the process is told to end. */
static void test_an_unknown_fate_answers_nobody(void **state)
{
	(void)state;
	town.vfs = kit_vfs();
	start();
	(void)ask(report(0));
	kit_vfs_fail(KIT_FAULT_SYNC, 0);
	send(report(1));
	UNTIL(town.exit_code != 0);
	assert_int_equal(town.exit_code, WRITER_EXIT_UNKNOWN);
	assert_int_equal(town.answered, 1);
	assert_false(engine_idle(town.engine));
}

static void test_a_store_that_cannot_be_opened(void **state)
{
	(void)state;
	char *cause = NULL;

	town.options.store = (struct store_options){ .path = "/nonexistent/street.db", .checkpoint_frames = 1000 };
	town.options.policy = town.policy;
	town.options.clock = (struct clock){ wall_now, mono_now, NULL };
	assert_null(engine_new(&town.options, &cause));
	assert_non_null(cause);
	free(cause);
	engine_free(NULL);
}

/* ---- the loop ---- */

static void test_a_full_queue_says_so_and_calls_back(void **state)
{
	(void)state;
	size_t sent = 0;

	town.options.queue_most = 8;
	start();
	for (;; sent++) {
		struct command *c = report((uint32_t)sent);

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
	assert_true(ask(report(9)).accepted);
}

static void test_news_name_whom_to_tell(void **state)
{
	(void)state;
	start();

	int64_t id = ask(report(0)).case_id;

	(void)ask(act(1, "acceptor-01", ACT_REJECT, id));
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

	start();
	(void)ask(report(0));
	(void)ask(report(1));
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_street, close_street)

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
		TEST(test_the_replay_clock),
		TEST(test_the_real_clock_is_not_set),
		TEST(test_a_full_disk_refuses_and_loses_nothing),
		TEST(test_timers_wait_for_room),
		TEST(test_an_unknown_fate_answers_nobody),
		TEST(test_a_store_that_cannot_be_opened),
		TEST(test_a_full_queue_says_so_and_calls_back),
		TEST(test_news_name_whom_to_tell),
		TEST(test_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
