/* How often somebody may guess, and whom that keeps out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "intake/login_limits.h"

#define LOCK_MS 900000
#define START_MS 1000000

static const struct peer HERE = { PEER_IPV4, 0xC0000201 }, THERE = { PEER_IPV4, 0xC0000202 };

static struct login_limits *limits_with(int64_t pair, int64_t address)
{
	const struct login_limits_options o = { .pair_most = pair, .address_most = address, .lock_ms = LOCK_MS };

	return login_limits_new(&o);
}

static int64_t fail_as(struct login_limits *l, struct peer at, const char *who, int64_t now_ms)
{
	return login_limits_failed(l, at, who, strlen(who), now_ms);
}

static int64_t wait_of(struct login_limits *l, struct peer at, const char *who, int64_t now_ms)
{
	return login_limits_wait(l, at, who, strlen(who), now_ms);
}

static void the_wait_begins_with_the_fifth_and_doubles(void **state)
{
	struct login_limits *l = limits_with(5, 0);
	int64_t now_ms = START_MS, wait_ms = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(fail_as(l, HERE, "worker-01", now_ms), 0);
	assert_int_equal(wait_of(l, HERE, "worker-01", now_ms), 0);
	for (int64_t expected = LOGIN_FIRST_WAIT_MS; expected < LOCK_MS; expected *= 2) {
		wait_ms = fail_as(l, HERE, "worker-01", now_ms);
		assert_int_equal(wait_ms, expected);
		assert_int_equal(wait_of(l, HERE, "worker-01", now_ms), expected);
		assert_int_equal(wait_of(l, HERE, "worker-01", now_ms + expected), 0);
		now_ms += wait_ms;
	}
	for (int i = 0; i < 100; i++, now_ms += LOCK_MS - 1)
		assert_true(fail_as(l, HERE, "worker-01", now_ms) <= LOCK_MS);
	assert_int_equal(fail_as(l, HERE, "worker-01", now_ms), LOCK_MS);
	login_limits_free(l);
}

static void others_and_elsewhere_are_free(void **state)
{
	struct login_limits *l = limits_with(1, 0);

	(void)state;
	assert_int_equal(fail_as(l, HERE, "worker-01", START_MS), LOGIN_FIRST_WAIT_MS);
	assert_int_equal(wait_of(l, THERE, "worker-01", START_MS), 0);
	assert_int_equal(wait_of(l, HERE, "worker-02", START_MS), 0);
	assert_int_equal(wait_of(l, (struct peer){ PEER_UNIX, 0 }, "worker-01", START_MS), 0);
	login_limits_free(l);
}

static void an_address_is_counted_whoever_it_names(void **state)
{
	struct login_limits *l = limits_with(5, 20);
	char who[32];

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(wait_of(l, HERE, "worker-01", START_MS), 0);
		snprintf(who, sizeof who, "guess-%d", i);
		assert_int_equal(fail_as(l, HERE, who, START_MS), i == 19 ? LOGIN_FIRST_WAIT_MS : 0);
	}
	assert_int_equal(wait_of(l, HERE, "worker-01", START_MS), LOGIN_FIRST_WAIT_MS);
	assert_int_equal(wait_of(l, THERE, "worker-01", START_MS), 0);
	/* One's own right token gives nobody a new start for guessing others'. */
	login_limits_succeeded(l, HERE, "worker-01", strlen("worker-01"));
	assert_int_equal(wait_of(l, HERE, "worker-01", START_MS), LOGIN_FIRST_WAIT_MS);
	login_limits_free(l);
}

static void a_right_one_and_time_forget(void **state)
{
	struct login_limits *l = limits_with(3, 0);

	(void)state;
	(void)fail_as(l, HERE, "worker-01", START_MS);
	(void)fail_as(l, HERE, "worker-01", START_MS);
	login_limits_succeeded(l, HERE, "worker-01", strlen("worker-01"));
	assert_int_equal(fail_as(l, HERE, "worker-01", START_MS), 0);
	assert_int_equal(fail_as(l, HERE, "worker-01", START_MS), 0);
	assert_int_equal(fail_as(l, HERE, "worker-01", START_MS + LOCK_MS), 0);
	login_limits_free(l);
}

/* Whoever floods it pushes out others who guess, never makes it grow, and never makes somebody wait who did not. */
static void the_table_is_bounded(void **state)
{
	struct login_limits *l = limits_with(1, 0);
	char who[32];

	(void)state;
	for (int i = 0; i < 10 * LOGIN_LIMITS_PLACES; i++) {
		snprintf(who, sizeof who, "guess-%d", i);
		assert_int_equal(fail_as(l, HERE, who, START_MS + i), LOGIN_FIRST_WAIT_MS);
		assert_int_equal(wait_of(l, HERE, who, START_MS + i), LOGIN_FIRST_WAIT_MS);
	}
	assert_int_equal(wait_of(l, HERE, "worker-01", START_MS), 0);
	login_limits_free(l);
}

static void names_of_any_bytes_are_counted(void **state)
{
	struct login_limits *l = limits_with(1, 0);

	(void)state;
	assert_int_equal(login_limits_failed(l, HERE, NULL, 0, START_MS), LOGIN_FIRST_WAIT_MS);
	assert_int_equal(wait_of(l, HERE, "worker-01", START_MS), 0);
	assert_int_equal(login_limits_failed(l, HERE, "\0\xff", 2, START_MS), LOGIN_FIRST_WAIT_MS);
	assert_int_equal(login_limits_wait(l, HERE, "\0", 1, START_MS), 0);
	login_limits_free(l);
}

static void other_limits_hold_at_once(void **state)
{
	struct login_limits *l = limits_with(1, 0);
	struct login_limits_options o = { .pair_most = 1, .lock_ms = LOCK_MS };

	(void)state;
	for (int i = 0; i < 20; i++)
		(void)fail_as(l, HERE, "worker-01", START_MS);
	assert_int_equal(wait_of(l, HERE, "worker-01", START_MS), LOCK_MS);
	o.lock_ms = 10 * LOGIN_FIRST_WAIT_MS;
	login_limits_set(l, &o);
	assert_int_equal(wait_of(l, HERE, "worker-01", START_MS + 1), 10 * LOGIN_FIRST_WAIT_MS - 1);
	o.pair_most = 0;
	login_limits_set(l, &o);
	assert_int_equal(wait_of(l, HERE, "worker-01", START_MS + 1), 0);
	assert_int_equal(fail_as(l, HERE, "worker-01", START_MS + 1), 0);
	o.pair_most = 3;
	login_limits_set(l, &o);
	assert_int_equal(fail_as(l, THERE, "worker-01", START_MS + 1), 0);
	assert_int_equal(fail_as(l, THERE, "worker-01", START_MS + 1), 0);
	o.pair_most = 1;
	login_limits_set(l, &o);
	/* Not made to wait for what was allowed; the next one counts. */
	assert_int_equal(wait_of(l, THERE, "worker-01", START_MS + 1), 0);
	assert_int_equal(fail_as(l, THERE, "worker-01", START_MS + 1), 4 * LOGIN_FIRST_WAIT_MS);
	login_limits_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wait_begins_with_the_fifth_and_doubles),
		cmocka_unit_test(others_and_elsewhere_are_free),
		cmocka_unit_test(an_address_is_counted_whoever_it_names),
		cmocka_unit_test(a_right_one_and_time_forget),
		cmocka_unit_test(the_table_is_bounded),
		cmocka_unit_test(names_of_any_bytes_are_counted),
		cmocka_unit_test(other_limits_hold_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
