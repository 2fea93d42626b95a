/* One connection against a real redis-server that refuses, hangs, dies and comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <hiredis/async.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "outbox/redis_link.h"
#include "redis_server.h"

#define PATIENCE_MS 20000
#define TICK_MS 5

struct stand {
	struct redis_server redis;
	struct event_base *base;
	struct redis_link *link;
	int ups, downs, answers, lost, errors;
	long long last;
	_Bool reset_on_up;
	int unsent; /* so many of the next commands hiredis does not take, as without memory */
};

static struct stand stand;

/* In hiredis's own place. */
int redisAsyncCommandArgv(redisAsyncContext *c, redisCallbackFn *answer, void *ctx, int count, const char **words,
                          const size_t *lengths)
{
	char *text = NULL;
	int length, result;

	if (stand.unsent > 0) {
		stand.unsent--;
		return REDIS_ERR;
	}
	length = redisFormatCommandArgv(&text, count, words, lengths);
	assert_true(length > 0);
	result = redisAsyncFormattedCommand(c, answer, ctx, text, (size_t)length);
	redisFreeCommand(text);
	return result;
}

static void on_up(void *ctx)
{
	(void)ctx;
	stand.ups++;
	if (stand.reset_on_up)
		redis_link_reset(stand.link, "the test says so");
}

static void on_down(void *ctx)
{
	(void)ctx;
	stand.downs++;
}

static void on_answer(void *ctx, const redisReply *reply)
{
	(void)ctx;
	stand.answers++;
	stand.lost += reply == NULL;
	stand.errors += reply != NULL && reply->type == REDIS_REPLY_ERROR;
	if (reply != NULL && reply->type == REDIS_REPLY_INTEGER)
		stand.last = reply->integer;
}

static void open_link(const char *where, const char *password)
{
	struct redis_link_options o = {
		.where = where, .password = password, .name = "link-test", .up = on_up, .down = on_down
	};
	char *cause = NULL;

	stand.base = event_base_new();
	o.base = stand.base;
	stand.link = redis_link_new(&o, &cause);
	assert_non_null(stand.link);
}

static int before_each(void **state)
{
	(void)state;
	stand = (struct stand){ .ups = 0 };
	if (redis_server_make(&stand.redis))
		redis_server_start(&stand.redis);
	return 0;
}

static int after_each(void **state)
{
	(void)state;
	redis_link_free(stand.link);
	if (stand.base != NULL)
		event_base_free(stand.base);
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

static void turn_for(int ms)
{
	for (int waited = 0; waited < ms; waited += TICK_MS)
		turn();
}

#define WAIT_FOR(condition)                                                                                            \
	do {                                                                                                           \
		for (int waited = 0; !(condition); waited += TICK_MS) {                                                \
			if (waited >= PATIENCE_MS)                                                                     \
				fail_msg("waited in vain for %s", #condition);                                         \
			turn();                                                                                        \
		}                                                                                                      \
	} while (0)

static _Bool send_two(const char *first, const char *second)
{
	struct redis_words w = { 0 };

	redis_words_add(&w, first);
	redis_words_add(&w, second);
	return redis_link_send(stand.link, &w, REDIS_COMMAND_DEADLINE_MS, on_answer, NULL);
}

static void test_commands_are_answered_in_order(void **state)
{
	(void)state;
	need_redis();
	open_link(stand.redis.socket, NULL);
	assert_false(send_two("INCR", "n")); /* not up yet */
	WAIT_FOR(redis_link_is_up(stand.link));
	for (int i = 0; i < 100; i++)
		assert_true(send_two("INCR", "n"));
	WAIT_FOR(stand.answers == 100);
	assert_int_equal(stand.last, 100);
	assert_int_equal(stand.ups, 1);
	assert_true(send_two("INCR", "n") && send_two("SADD", "n")); /* too few words */
	WAIT_FOR(stand.answers == 102);
	assert_int_equal(stand.errors, 1);
	assert_int_equal(stand.downs, 0);
}

static void test_a_name_for_the_socket(void **state)
{
	char where[200] = "unix:";

	(void)state;
	need_redis();
	strncat(where, stand.redis.socket, sizeof where - 6);
	open_link(where, NULL);
	WAIT_FOR(redis_link_is_up(stand.link));
}

static void test_passwords(void **state)
{
	(void)state;
	need_redis();
	freeReplyObject(redis_server_ask(&stand.redis, "CONFIG SET requirepass other"));
	open_link(stand.redis.socket, "secret");
	turn_for(500);
	assert_int_equal(stand.ups, 0);
	freeReplyObject(redis_server_ask(&stand.redis, "CONFIG SET requirepass secret"));
	WAIT_FOR(stand.ups == 1);
	assert_true(send_two("INCR", "n"));
	WAIT_FOR(stand.last == 1);
}

/* It is alive to the kernel but does not answer. */
static void test_a_server_that_hangs(void **state)
{
	(void)state;
	need_redis();
	open_link(stand.redis.socket, NULL);
	WAIT_FOR(stand.ups == 1);
	assert_int_equal(kill(stand.redis.pid, SIGSTOP), 0);
	/* kill returns before the server has stopped; on a busy machine it would still answer, and nothing would hang. */
	assert_int_equal(waitpid(stand.redis.pid, NULL, WUNTRACED), stand.redis.pid);
	assert_true(send_two("INCR", "n"));
	WAIT_FOR(stand.downs == 1);
	assert_int_equal(stand.lost, 1);
	assert_false(redis_link_is_up(stand.link));
	assert_int_equal(kill(stand.redis.pid, SIGCONT), 0);
	WAIT_FOR(stand.ups == 2);
}

/* Nothing but errors follows each connection: attempts become rare. */
static void test_pauses_grow(void **state)
{
	(void)state;
	need_redis();
	stand.reset_on_up = 1;
	open_link(stand.redis.socket, NULL);
	turn_for(2000);
	assert_in_range(stand.ups, 2, 12);
	assert_int_equal(stand.ups, stand.downs);
}

static void test_nobody_listens(void **state)
{
	(void)state;
	open_link("/nowhere/redis.sock", NULL);
	turn_for(300);
	redis_link_free(stand.link);
	event_base_free(stand.base);
	open_link("127.0.0.1:1", NULL);
	turn_for(300);
	assert_int_equal(stand.ups, 0);
	assert_int_equal(stand.downs, 0);
}

static void test_freed_with_commands_under_way(void **state)
{
	(void)state;
	need_redis();
	open_link(stand.redis.socket, NULL);
	WAIT_FOR(stand.ups == 1);
	assert_true(send_two("INCR", "n") && send_two("INCR", "n"));
	redis_link_free(stand.link);
	stand.link = NULL;
	assert_int_equal(stand.lost, 2);
	assert_int_equal(stand.downs, 0);
}

static void test_a_command_that_could_not_be_queued(void **state)
{
	(void)state;
	need_redis();
	open_link(stand.redis.socket, NULL);
	WAIT_FOR(stand.ups == 1);
	assert_true(send_two("INCR", "n"));
	stand.unsent = 1;
	assert_false(send_two("INCR", "n"));
	assert_false(redis_link_is_up(stand.link)); /* nobody waits for what will never be answered */
	WAIT_FOR(stand.ups == 2);
	assert_int_equal(stand.downs, 1);
	assert_int_equal(stand.lost, 1); /* the one before it, which was told so */
	assert_true(send_two("INCR", "n"));
	WAIT_FOR(stand.answers == 2);
}

static void test_a_greeting_that_could_not_be_queued(void **state)
{
	(void)state;
	need_redis();
	stand.unsent = 1;
	open_link(stand.redis.socket, NULL);
	WAIT_FOR(stand.ups == 1);
	assert_int_equal(stand.unsent, 0);
	assert_true(send_two("INCR", "n"));
	WAIT_FOR(stand.answers == 1);
}

static void test_addresses(void **state)
{
	static const char *const bad[] = { "",           "redis",       "redis:6379",
		                           "127.0.0.1",  "127.0.0.1:0", "127.0.0.1:65536",
		                           "unix:redis", ":6379",       "[::1:6379" };
	struct redis_link_options o = { .name = "x", .up = on_up, .down = on_down };
	char *cause = NULL;

	(void)state;
	stand.base = event_base_new();
	o.base = stand.base;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		o.where = bad[i];
		assert_null(redis_link_new(&o, &cause));
		assert_non_null(cause);
		free(cause);
	}
	o.where = "[::1]:6379";
	stand.link = redis_link_new(&o, &cause);
	assert_non_null(stand.link);
}

static void test_errors_are_shown_without_the_words_of_the_command(void **state)
{
	static const char plain[] = "NOAUTH Authentication required.";
	static const char telling[] = "ERR unknown command 'AUTH', with args beginning with: 'opensesame' ";

	(void)state;
	assert_int_equal(redis_error_shown(plain), sizeof plain - 1);
	assert_int_equal(redis_error_shown(telling), sizeof "ERR unknown command 'AUTH'" - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, before_each, after_each)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_commands_are_answered_in_order),
		TEST(test_a_name_for_the_socket),
		TEST(test_passwords),
		TEST(test_a_server_that_hangs),
		TEST(test_pauses_grow),
		TEST(test_nobody_listens),
		TEST(test_freed_with_commands_under_way),
		TEST(test_a_command_that_could_not_be_queued),
		TEST(test_a_greeting_that_could_not_be_queued),
		TEST(test_addresses),
		TEST(test_errors_are_shown_without_the_words_of_the_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
