/* Publishing events to a real redis-server from a database that the test plays itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbox/events.h"
#include "redis_server.h"
#include "store/query.h"
#include "workflow/case_number.h"

#define NOW_MS INT64_C(1772413200000)
#define PATIENCE_MS 15000
#define TICK_MS 5
#define EVENTS_MANY 1000

struct stand {
	struct redis_server redis;
	struct event_base *base;
	struct redis_link *link;
	struct events *events;
	void (*listen)(void *ctx, const struct news *n);
	void *listen_ctx;
	struct news_row rows[EVENTS_WINDOW];
	int64_t last; /* event in the database */
	int failing;  /* queries that will fail */
};

static struct stand stand;

/* ---- the engine and its readers ---- */

_Bool engine_query(struct engine *e, struct query *q)
{
	(void)e;
	q->run(q, NULL, NOW_MS);
	q->done(q);
	return 1;
}

void engine_on_news(struct engine *e, void (*listen)(void *ctx, const struct news *n), void *ctx)
{
	(void)e;
	stand.listen = listen;
	stand.listen_ctx = ctx;
}

enum query_status query_last_ids(struct reader *r, int64_t *last_event, int64_t *last_notice)
{
	(void)r;
	*last_event = stand.last;
	*last_notice = 0;
	return QUERY_OK;
}

enum query_status query_events(struct reader *r, const struct event_filter *f, struct result *mem,
                               struct news_row **rows, size_t *count, int64_t *scanned_to)
{
	(void)r;
	(void)mem;
	assert_true(f->area == 0 && f->states == 0 && f->limit <= EVENTS_WINDOW);
	if (stand.failing > 0 && stand.failing--)
		return QUERY_TIMEOUT;
	*count = 0;
	for (int64_t id = f->after + 1; id <= stand.last && *count < (size_t)f->limit; id++)
		stand.rows[(*count)++] = (struct news_row){
			.fact = { .id = id,
			          .case_id = case_id_make(0, 20514, (int32_t)id),
			          .at_ms = NOW_MS,
			          .act = ACT_SUBMIT,
			          .to = STATE_REPORTED,
			          .category = 10110 },
			.people = { .reporter = "platform/rider-7" },
		};
	*rows = stand.rows;
	*scanned_to = f->after + (int64_t)*count;
	return QUERY_OK;
}

void result_close(struct result *r)
{
	(void)r;
}

/* ---- the stand ---- */

static void on_up(void *ctx)
{
	(void)ctx;
	redis_link_settled(stand.link);
	events_up(stand.events);
}

static void on_down(void *ctx)
{
	(void)ctx;
	events_down(stand.events);
}

static void open_events(void)
{
	struct redis_link_options o = {
		.where = stand.redis.socket, .name = "events-test", .up = on_up, .down = on_down
	};
	char *cause = NULL;

	stand.base = event_base_new();
	o.base = stand.base;
	stand.link = redis_link_new(&o, &cause);
	assert_non_null(stand.link);
	stand.events = events_new(stand.base, NULL, stand.link, "events");
}

static void close_events(void)
{
	redis_link_free(stand.link);
	events_free(stand.events);
	if (stand.base != NULL)
		event_base_free(stand.base);
	stand.link = NULL;
	stand.events = NULL;
	stand.base = NULL;
}

static int before_each(void **state)
{
	(void)state;
	stand = (struct stand){ .last = 0 };
	if (redis_server_make(&stand.redis))
		redis_server_start(&stand.redis);
	return 0;
}

static int after_each(void **state)
{
	(void)state;
	close_events();
	redis_server_drop(&stand.redis);
	return 0;
}

static void need_redis(void)
{
	if (stand.redis.folder[0] == '\0')
		skip();
}

static void turn(void)
{
	struct timeval tick = { .tv_usec = TICK_MS * 1000 };

	event_base_loopexit(stand.base, &tick);
	event_base_dispatch(stand.base);
}

static long long length_of_events(void)
{
	return redis_server_count(&stand.redis, "EXISTS events") ? redis_server_count(&stand.redis, "XLEN events") : 0;
}

static void wait_for_events(long long count)
{
	for (int waited = 0; length_of_events() != count; waited += TICK_MS) {
		if (waited >= PATIENCE_MS)
			fail_msg("there are %lld events, not %lld", length_of_events(), count);
		turn();
	}
}

static void turn_for(int ms)
{
	for (int waited = 0; waited < ms; waited += TICK_MS)
		turn();
}

static void news_up_to(int64_t last)
{
	struct news news = { .last_event = last };

	stand.last = last;
	stand.listen(stand.listen_ctx, &news);
}

/* Ids 1 to count, each once, in order. */
static void assert_events(size_t count)
{
	redisReply *reply = redis_server_ask(&stand.redis, "XRANGE events - +");
	char id[32];

	assert_int_equal(reply->elements, count);
	for (size_t i = 0; i < reply->elements; i++) {
		(void)snprintf(id, sizeof id, "%zu-0", i + 1);
		assert_string_equal(reply->element[i]->element[0]->str, id);
	}
	freeReplyObject(reply);
}

static const char *field_of(const redisReply *fields, const char *name)
{
	for (size_t i = 0; i + 1 < fields->elements; i += 2)
		if (strcmp(fields->element[i]->str, name) == 0)
			return fields->element[i + 1]->str;
	return "(missing)";
}

/* ---- tests ---- */

static void test_fields(void **state)
{
	redisReply *reply;
	const redisReply *fields;
	char number[CASE_NUMBER_SIZE];

	(void)state;
	need_redis();
	open_events();
	news_up_to(1);
	wait_for_events(1);
	reply = redis_server_ask(&stand.redis, "XRANGE events 1-0 1-0");
	fields = reply->element[0]->element[1];
	case_number_text(case_id_make(0, 20514, 1), 10110, number);
	assert_string_equal(field_of(fields, "case"), number);
	assert_string_equal(field_of(fields, "act"), "submit");
	assert_string_equal(field_of(fields, "to"), "REPORTED");
	assert_int_equal(strncmp(field_of(fields, "reporter"), "reporter-", 9), 0); /* nobody is named */
	assert_string_equal(field_of(fields, "category"), "E0110");
	assert_string_equal(field_of(fields, "at"), "1772413200000");
	assert_string_equal(field_of(fields, "ref"), "");
	freeReplyObject(reply);
}

static void test_once_and_in_order(void **state)
{
	(void)state;
	need_redis();
	open_events();
	news_up_to(3);
	news_up_to(450); /* while the first window is under way */
	wait_for_events(450);
	close_events();
	stand.last = EVENTS_MANY; /* the next publisher knows nothing but what the stream says */
	open_events();
	wait_for_events(EVENTS_MANY);
	turn_for(50);
	assert_events(EVENTS_MANY);
}

static void test_a_vanished_key_is_filled_again(void **state)
{
	(void)state;
	need_redis();
	open_events();
	news_up_to(150);
	wait_for_events(150);
	(void)redis_server_count(&stand.redis, "DEL events");
	news_up_to(151);
	wait_for_events(151);
	assert_events(151);
}

static void test_a_trimmed_stream_is_not_filled_again(void **state)
{
	(void)state;
	need_redis();
	open_events();
	news_up_to(150);
	wait_for_events(150);
	(void)redis_server_count(&stand.redis, "XTRIM events MAXLEN 0");
	news_up_to(152);
	wait_for_events(2);
	close_events();
	open_events();
	turn_for(100);
	assert_int_equal(length_of_events(), 2);
}

static void test_a_key_of_the_wrong_kind(void **state)
{
	(void)state;
	need_redis();
	freeReplyObject(redis_server_ask(&stand.redis, "SET events letters"));
	open_events();
	news_up_to(2);
	turn_for(100);
	(void)redis_server_count(&stand.redis, "DEL events");
	wait_for_events(2);
	assert_events(2);
}

static void test_redis_was_away(void **state)
{
	(void)state;
	need_redis();
	open_events();
	news_up_to(10);
	wait_for_events(10);
	redis_server_kill(&stand.redis);
	news_up_to(500);
	turn_for(100);
	redis_server_start(&stand.redis);
	wait_for_events(500);
	assert_events(500);
}

static void test_redis_is_killed_again_and_again(void **state)
{
	int64_t last = 0;

	(void)state;
	need_redis();
	open_events();
	for (int round = 0; round < 8; round++) {
		last += 300;
		news_up_to(last);
		turn_for(round * TICK_MS);
		redis_server_kill(&stand.redis);
		redis_server_start(&stand.redis);
	}
	wait_for_events(last);
	assert_events((size_t)last);
}

static void test_a_stream_ahead_of_the_database(void **state)
{
	(void)state;
	need_redis();
	freeReplyObject(redis_server_ask(&stand.redis, "XADD events 1000-0 old world"));
	open_events();
	news_up_to(10);
	turn_for(100);
	assert_int_equal(length_of_events(), 1);
	news_up_to(1001);
	wait_for_events(2);
}

static void test_a_query_fails(void **state)
{
	(void)state;
	need_redis();
	stand.failing = 1;
	stand.last = 5;
	open_events();
	wait_for_events(5);
	assert_events(5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, before_each, after_each)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fields),
		TEST(test_once_and_in_order),
		TEST(test_a_vanished_key_is_filled_again),
		TEST(test_a_trimmed_stream_is_not_filled_again),
		TEST(test_a_key_of_the_wrong_kind),
		TEST(test_redis_was_away),
		TEST(test_redis_is_killed_again_and_again),
		TEST(test_a_stream_ahead_of_the_database),
		TEST(test_a_query_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
