/* The Redis door against a real redis-server and an engine that the test plays itself: what is hard to bring about with
 * a real one (a full queue, "later", a commit that takes its time) is here a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "gridloop.pb-c.h"
#include "intake/redis.h"
#include "jurisdiction/policy.h"
#include "policy_folder.h"
#include "redis_server.h"

#define NOW_MS INT64_C(1772413200000)
#define PATIENCE_MS 15000
#define TICK_MS 5
#define TAKEN_MOST 2000
/* The configuration owns its texts, but nobody writes to them. */
#define WORD(literal) ((char *)(uintptr_t)(literal))

/* The engine that the test plays. */
struct fake_engine {
	struct command *taken[TAKEN_MOST];
	size_t count, answered;
	size_t room; /* commands it will still take */
	void (*space)(void *ctx);
	void *space_ctx;
};

struct stand {
	char folder[POLICY_FOLDER_SIZE];
	struct policy *policy;
	struct roster *roster;
	struct redis_server redis;
	struct config config;
	struct event_base *base;
	struct redis_door *door;
	struct fake_engine engine;
	uint64_t key;
};

static struct stand stand;

/* ---- the engine's interface ---- */

_Bool engine_submit(struct engine *e, struct command *c)
{
	struct fake_engine *f = &stand.engine;

	(void)e;
	if (f->room == 0 || f->count == TAKEN_MOST)
		return 0;
	f->room--;
	f->taken[f->count++] = c;
	return 1;
}

_Bool engine_query(struct engine *e, struct query *q)
{
	(void)e;
	(void)q;
	return 0; /* no events are published here */
}

void engine_on_news(struct engine *e, void (*listen)(void *ctx, const struct news *n), void *ctx)
{
	(void)e;
	(void)listen;
	(void)ctx;
}

void engine_on_space(struct engine *e, void (*space)(void *ctx), void *ctx)
{
	(void)e;
	stand.engine.space = space;
	stand.engine.space_ctx = ctx;
}

int64_t engine_now_ms(const struct engine *e)
{
	(void)e;
	return NOW_MS;
}

void engine_on_policy(struct engine *e, void (*changed)(void *ctx), void *ctx)
{
	assert_true(e == NULL && changed != NULL && ctx != NULL);
}

const struct roster *engine_roster(const struct engine *e)
{
	(void)e;
	return stand.roster;
}

const struct policy *engine_policy(const struct engine *e)
{
	(void)e;
	return stand.policy;
}

/* ---- the stand ---- */

static int set_up(void **state)
{
	char row[256], digest[DIGEST_TEXT_SIZE];
	struct problems problems = { 0 };

	(void)state;
	policy_folder_digest("token", digest);
	(void)snprintf(row, sizeof row, "platform,P,food-rider,gateway,,,%s,no\neyes,", digest);
	policy_folder_make(stand.folder);
	policy_folder_change(stand.folder, "people.csv", "eyes,", row);
	stand.policy = policy_load(stand.folder, &problems);
	assert_non_null(stand.policy);
	stand.roster = roster_new();
	problems_close(&problems);
	stand.config.redis_password = WORD("");
	stand.config.redis_reports = WORD("reports");
	stand.config.redis_cameras = WORD("cameras");
	stand.config.redis_cameras_gateway = WORD("eyes");
	stand.config.redis_events = WORD("");
	stand.config.redis_dead = WORD("dead");
	stand.config.redis_group = WORD("gridloop");
	stand.config.redis_consumer = WORD("test");
	stand.config.redis_claim_idle_ms = 60000;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	policy_release(stand.policy);
	roster_free(stand.roster);
	policy_folder_drop(stand.folder);
	return 0;
}

static void open_door(void)
{
	char *cause = NULL;

	stand.base = event_base_new();
	stand.config.redis = stand.redis.socket;
	stand.engine = (struct fake_engine){ .room = TAKEN_MOST };
	stand.door = redis_door_new(stand.base, NULL, &stand.config, &cause);
	assert_non_null(stand.door);
}

static void close_door(void)
{
	redis_door_free(stand.door);
	stand.door = NULL;
	for (size_t i = stand.engine.answered; i < stand.engine.count; i++)
		command_discard(stand.engine.taken[i]);
	stand.engine.count = stand.engine.answered = 0;
	if (stand.base != NULL)
		event_base_free(stand.base);
	stand.base = NULL;
}

static int before_each(void **state)
{
	(void)state;
	if (!redis_server_make(&stand.redis))
		return 0;
	redis_server_start(&stand.redis);
	return 0;
}

static int after_each(void **state)
{
	(void)state;
	close_door();
	redis_server_drop(&stand.redis);
	return 0;
}

static void need_redis(void)
{
	if (stand.redis.folder[0] == '\0')
		skip();
}

/* Turns the loop until the condition holds. */
#define WAIT_FOR(condition)                                                                                            \
	do {                                                                                                           \
		for (int waited = 0; !(condition); waited += TICK_MS) {                                                \
			if (waited >= PATIENCE_MS)                                                                     \
				fail_msg("waited in vain for %s", #condition);                                         \
			turn();                                                                                        \
		}                                                                                                      \
	} while (0)

static void turn(void)
{
	struct timeval tick = { .tv_usec = TICK_MS * 1000 };

	event_base_loopexit(stand.base, &tick);
	event_base_dispatch(stand.base);
}

/* Long enough for anything that is going to happen by itself. */
static void turn_for(int ms)
{
	for (int waited = 0; waited < ms; waited += TICK_MS)
		turn();
}

static long long pending(const char *stream)
{
	redisReply *reply = redis_server_ask(&stand.redis, "XPENDING %s gridloop", stream);
	long long count = reply->element[0]->integer;

	freeReplyObject(reply);
	return count;
}

static long long length_of(const char *stream)
{
	return redis_server_count(&stand.redis, "XLEN %s", stream);
}

static ProtobufCBinaryData bytes_of(const char *text)
{
	return (ProtobufCBinaryData){ .len = strlen(text), .data = (uint8_t *)(uintptr_t)text };
}

static void send_with_token(const char *token)
{
	Gridloop__V1__StreamEntry entry = GRIDLOOP__V1__STREAM_ENTRY__INIT;
	Gridloop__V1__Report report = GRIDLOOP__V1__REPORT__INIT;
	uint8_t key[16] = { 1 }, bytes[512];

	stand.key++;
	memcpy(key + 8, &stand.key, sizeof stand.key);
	report.key = (ProtobufCBinaryData){ .len = sizeof key, .data = key };
	report.category = bytes_of("E0110");
	entry.gateway = bytes_of("platform");
	entry.token = bytes_of(token);
	entry.body_case = GRIDLOOP__V1__STREAM_ENTRY__BODY_REPORT;
	entry.report = &report;
	freeReplyObject(redis_server_ask(&stand.redis, "XADD reports * entry %b", bytes,
	                                 protobuf_c_message_pack(&entry.base, bytes)));
}

static void send_report(void)
{
	send_with_token("token");
}

static void answer_with(enum refusal_code code)
{
	struct command *c;

	assert_true(stand.engine.answered < stand.engine.count);
	c = stand.engine.taken[stand.engine.answered++];
	c->outcome.accepted = code == REFUSAL_NONE;
	if (code != REFUSAL_NONE)
		(void)refuse(&c->outcome.refusal, code, "some-rule", "It was refused.");
	c->origin.answer(c->origin.door, c);
}

static void answer_all(void)
{
	while (stand.engine.answered < stand.engine.count)
		answer_with(REFUSAL_NONE);
}

static const char *field_of(const redisReply *fields, const char *name)
{
	for (size_t i = 0; i + 1 < fields->elements; i += 2)
		if (strcmp(fields->element[i]->str, name) == 0)
			return fields->element[i + 1]->str;
	return NULL;
}

/* ---- tests ---- */

static void test_acknowledged_only_after_the_answer(void **state)
{
	(void)state;
	need_redis();
	send_report(); /* before the group is there */
	open_door();
	WAIT_FOR(stand.engine.count == 1);
	send_report();
	WAIT_FOR(stand.engine.count == 2);
	turn_for(100);
	assert_int_equal(pending("reports"), 2);
	answer_with(REFUSAL_NONE);
	WAIT_FOR(pending("reports") == 1);
	answer_with(REFUSAL_NONE);
	WAIT_FOR(pending("reports") == 0);
	assert_int_equal(length_of("dead"), 0);
}

static void test_refused_goes_to_the_dead_letters(void **state)
{
	redisReply *reply;
	const redisReply *fields;

	(void)state;
	need_redis();
	open_door();
	send_report();
	WAIT_FOR(stand.engine.count == 1);
	answer_with(REFUSAL_UNKNOWN_CATEGORY);
	WAIT_FOR(pending("reports") == 0);
	reply = redis_server_ask(&stand.redis, "XRANGE dead - +");
	assert_int_equal(reply->elements, 1);
	fields = reply->element[0]->element[1];
	assert_string_equal(field_of(fields, "stream"), "reports");
	assert_string_equal(field_of(fields, "reason"), "unknown-category");
	assert_string_equal(field_of(fields, "rule"), "some-rule");
	assert_string_equal(field_of(fields, "sentence"), "It was refused.");
	assert_string_equal(field_of(fields, "field"), "entry");
	freeReplyObject(reply);
}

static void test_poison_never_reaches_the_engine(void **state)
{
	(void)state;
	need_redis();
	open_door();
	send_with_token("wrong");
	freeReplyObject(redis_server_ask(&stand.redis, "XADD reports * entry %b", "\xff\xff\0x", (size_t)4));
	freeReplyObject(redis_server_ask(&stand.redis, "XADD reports * nothing here"));
	freeReplyObject(redis_server_ask(&stand.redis, "XADD cameras * metadata {}"));
	WAIT_FOR(length_of("dead") == 4);
	assert_int_equal(pending("reports"), 0);
	assert_int_equal(pending("cameras"), 0);
	assert_int_equal(stand.engine.count, 0);
}

static void test_later_is_tried_again(void **state)
{
	(void)state;
	need_redis();
	open_door();
	send_report();
	WAIT_FOR(stand.engine.count == 1);
	answer_with(REFUSAL_RETRY_LATER);
	WAIT_FOR(stand.engine.count == 2);
	assert_int_equal(pending("reports"), 1);
	assert_int_equal(length_of("dead"), 0);
	answer_with(REFUSAL_NONE);
	WAIT_FOR(pending("reports") == 0);
}

static void test_a_full_queue_stops_reading(void **state)
{
	enum { MANY = 700, ROOM = 50 };

	(void)state;
	need_redis();
	for (int i = 0; i < MANY; i++)
		send_report();
	open_door();
	stand.engine.room = ROOM;
	WAIT_FOR(stand.engine.count == ROOM);
	turn_for(300);
	assert_int_equal(pending("reports"), 100); /* one read, and no other */
	stand.engine.room = TAKEN_MOST;
	stand.engine.space(stand.engine.space_ctx);
	/* Unanswered, the window is the limit. */
	WAIT_FOR(stand.engine.count >= 400);
	turn_for(300);
	assert_true(stand.engine.count <= 512);
	while (pending("reports") > 0 || stand.engine.count < MANY) {
		answer_all();
		turn();
	}
	assert_int_equal(stand.engine.count, MANY);
	assert_int_equal(length_of("dead"), 0);
}

static void test_pending_entries_are_read_first_after_a_restart(void **state)
{
	(void)state;
	need_redis();
	open_door();
	send_report();
	send_report();
	WAIT_FOR(stand.engine.count == 2);
	close_door(); /* as a crash would: nothing was answered */
	send_report();
	open_door();
	WAIT_FOR(stand.engine.count == 3);
	answer_all();
	WAIT_FOR(pending("reports") == 0);
}

static void test_trimmed_while_pending(void **state)
{
	redisReply *reply;

	(void)state;
	need_redis();
	open_door();
	send_report();
	WAIT_FOR(stand.engine.count == 1);
	close_door();
	freeReplyObject(redis_server_ask(&stand.redis, "XTRIM reports MAXLEN 0"));
	open_door();
	WAIT_FOR(length_of("dead") == 1);
	assert_int_equal(pending("reports"), 0);
	reply = redis_server_ask(&stand.redis, "XRANGE dead - +");
	assert_string_equal(field_of(reply->element[0]->element[1], "reason"), "trimmed");
	freeReplyObject(reply);
}

static void test_the_group_vanishes(void **state)
{
	(void)state;
	need_redis();
	open_door();
	send_report();
	WAIT_FOR(stand.engine.count == 1);
	answer_all();
	WAIT_FOR(pending("reports") == 0);
	(void)redis_server_count(&stand.redis, "XGROUP DESTROY reports gridloop");
	send_report();
	WAIT_FOR(stand.engine.count == 3); /* read from the start again: the first comes twice, which its key absorbs */
	answer_all();
	WAIT_FOR(pending("reports") == 0);
	freeReplyObject(redis_server_ask(&stand.redis, "FLUSHALL"));
	send_report();
	WAIT_FOR(stand.engine.count == 4);
	answer_all();
	WAIT_FOR(pending("reports") == 0);
}

static void test_redis_is_killed(void **state)
{
	(void)state;
	need_redis();
	open_door();
	send_report();
	send_report();
	WAIT_FOR(stand.engine.count == 2);
	answer_with(REFUSAL_NONE);
	redis_server_kill(&stand.redis);
	turn_for(200);
	answer_with(REFUSAL_NONE); /* while Redis is away */
	turn_for(200);
	redis_server_start(&stand.redis);
	WAIT_FOR(pending("reports") == 0);
	turn_for(100);
	assert_int_equal(stand.engine.count, 2); /* what was held was not asked again */
	send_report();
	WAIT_FOR(stand.engine.count == 3);
}

static void test_redis_is_killed_again_and_again(void **state)
{
	enum { ROUNDS = 12, REPORTS = 20 };

	(void)state;
	need_redis();
	open_door();
	for (size_t round = 1; round <= ROUNDS; round++) {
		for (int i = 0; i < REPORTS; i++)
			send_report();
		WAIT_FOR(stand.engine.count >= round * REPORTS);
		answer_all(); /* their acknowledgements are on their way when it dies */
		turn();
		redis_server_kill(&stand.redis);
		redis_server_start(&stand.redis);
	}
	for (int waited = 0; pending("reports") > 0; waited += TICK_MS) {
		assert_true(waited < PATIENCE_MS);
		answer_all();
		turn();
	}
	assert_int_equal(length_of("dead"), 0);
}

static void test_redis_is_down_at_first(void **state)
{
	(void)state;
	need_redis();
	redis_server_kill(&stand.redis);
	open_door();
	turn_for(300);
	redis_server_start(&stand.redis);
	send_report();
	WAIT_FOR(stand.engine.count == 1);
	answer_all();
	WAIT_FOR(pending("reports") == 0);
}

static void test_another_consumers_entries_are_claimed(void **state)
{
	(void)state;
	need_redis();
	freeReplyObject(redis_server_ask(&stand.redis, "XGROUP CREATE reports gridloop 0 MKSTREAM"));
	send_report();
	freeReplyObject(redis_server_ask(&stand.redis, "XREADGROUP GROUP gridloop dead-one STREAMS reports >"));
	stand.config.redis_claim_idle_ms = 0; /* whatever is pending counts as left behind */
	open_door();
	WAIT_FOR(stand.engine.count == 1);
	answer_all();
	WAIT_FOR(pending("reports") == 0);
	stand.config.redis_claim_idle_ms = 60000;
}

static void test_a_wrong_dead_letter_key_loses_nothing(void **state)
{
	(void)state;
	need_redis();
	freeReplyObject(redis_server_ask(&stand.redis, "SET dead letters"));
	open_door();
	send_with_token("wrong");
	WAIT_FOR(length_of("reports") == 1 && redis_server_count(&stand.redis, "EXISTS cameras") == 1);
	turn_for(300);
	assert_int_equal(pending("reports"), 1);
	freeReplyObject(redis_server_ask(&stand.redis, "DEL dead"));
	WAIT_FOR(redis_server_count(&stand.redis, "EXISTS dead") == 1);
	WAIT_FOR(pending("reports") == 0);
	assert_int_equal(length_of("dead"), 1);
}

static void test_stopping(void **state)
{
	(void)state;
	need_redis();
	open_door();
	send_report();
	WAIT_FOR(stand.engine.count == 1);
	redis_door_stop(stand.door);
	redis_door_stop(stand.door);
	assert_false(redis_door_idle(stand.door));
	send_report();
	turn_for(100);
	assert_int_equal(stand.engine.count, 1);
	/* A read that was under way may have brought the second one, which then waits for the next start. */
	int64_t before = pending("reports");
	answer_with(REFUSAL_NONE);
	WAIT_FOR(redis_door_idle(stand.door));
	assert_int_equal(pending("reports"), before - 1);
}

static void test_settings_that_cannot_be(void **state)
{
	char *cause = NULL;

	(void)state;
	stand.config.redis = WORD("redis.example.org:6379");
	stand.base = event_base_new();
	assert_null(redis_door_new(stand.base, NULL, &stand.config, &cause));
	assert_non_null(cause);
	free(cause);
	stand.config.redis = WORD("/nowhere");
	stand.config.redis_cameras = WORD("reports");
	assert_null(redis_door_new(stand.base, NULL, &stand.config, &cause));
	free(cause);
	stand.config.redis_cameras = WORD("cameras");
	stand.config.redis_cameras_gateway = WORD("worker-01");
	assert_null(redis_door_new(stand.base, NULL, &stand.config, &cause));
	free(cause);
	stand.config.redis_cameras_gateway = WORD("eyes");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, before_each, after_each)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_acknowledged_only_after_the_answer),
		TEST(test_refused_goes_to_the_dead_letters),
		TEST(test_poison_never_reaches_the_engine),
		TEST(test_later_is_tried_again),
		TEST(test_a_full_queue_stops_reading),
		TEST(test_pending_entries_are_read_first_after_a_restart),
		TEST(test_trimmed_while_pending),
		TEST(test_the_group_vanishes),
		TEST(test_redis_is_killed),
		TEST(test_redis_is_killed_again_and_again),
		TEST(test_redis_is_down_at_first),
		TEST(test_another_consumers_entries_are_claimed),
		TEST(test_a_wrong_dead_letter_key_loses_nothing),
		TEST(test_stopping),
		TEST(test_settings_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
