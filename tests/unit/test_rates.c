#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "intake/rates.h"
#include "workflow/domain.h"

#define NOON INT64_C(43200000)
#define MINUTE 60000

static const struct rate_limits limits = { .reporter = 60, .staff = 600, .gateway = 6000, .address = 120 };
static const struct person li = { .id = "li", .roles = ROLE_REPORTER }, wang = { .id = "wang", .roles = ROLE_REPORTER };
static const struct person acceptor = { .id = "acceptor-01", .roles = ROLE_REPORTER | ROLE_ACCEPTOR };
static const struct person gateway = { .id = "platform", .roles = ROLE_GATEWAY | ROLE_REPORTER };
static const struct peer here = { PEER_IPV4, 0x7f000001 }, far = { PEER_IPV4, 0xc0000207 };

static int64_t wait_ms;

static _Bool take(struct rates *r, const struct person *who, const struct peer *peer, int64_t cost, int64_t at)
{
	wait_ms = -1;
	return rates_take(r, who, peer, cost, at, &wait_ms);
}

static int in_a_row(struct rates *r, const struct person *who, const struct peer *peer, int64_t at)
{
	int count = 0;

	while (count < 10000 && take(r, who, peer, 1, at))
		count++;
	return count;
}

static void a_minute_s_worth_at_once_then_evenly(void **state)
{
	struct rates *r = rates_new(&limits);

	(void)state;
	assert_int_equal(in_a_row(r, &li, NULL, NOON), 60);
	assert_int_equal(wait_ms, 1000);
	assert_false(take(r, &li, NULL, 1, NOON + 999));
	assert_int_equal(wait_ms, 1);
	assert_true(take(r, &li, NULL, 1, NOON + 1000));
	assert_false(take(r, &li, NULL, 1, NOON + 1000));
	assert_int_equal(in_a_row(r, &li, NULL, NOON + 31000), 30);
	assert_int_equal(in_a_row(r, &li, NULL, NOON + 10 * MINUTE), 60);
	rates_free(r);
	rates_free(NULL);
}

static void each_has_its_own(void **state)
{
	struct rates *r = rates_new(&limits);

	(void)state;
	assert_int_equal(in_a_row(r, &li, NULL, NOON), 60);
	assert_int_equal(in_a_row(r, &wang, NULL, NOON), 60);
	assert_int_equal(in_a_row(r, &acceptor, NULL, NOON), 600);
	assert_int_equal(in_a_row(r, &gateway, NULL, NOON), 6000);
	rates_free(r);
}

static void an_address_is_shared_unless_it_is_this_machine(void **state)
{
	struct rates *r = rates_new(&limits);

	(void)state;
	assert_int_equal(in_a_row(r, &li, &far, NOON), 60);
	assert_int_equal(in_a_row(r, &acceptor, &far, NOON), 60);
	assert_int_equal(in_a_row(r, &wang, &far, NOON), 0);
	assert_int_equal(wait_ms, 500);
	/* What the address refused cost its person nothing. */
	assert_int_equal(in_a_row(r, &wang, &here, NOON), 60);
	assert_int_equal(in_a_row(r, &gateway, &here, NOON), 6000);
	rates_free(r);
}

static void a_batch_is_its_reports_and_never_waits_for_ever(void **state)
{
	struct rates *r = rates_new(&limits);

	(void)state;
	assert_true(take(r, &li, NULL, 50, NOON));
	assert_false(take(r, &li, NULL, 20, NOON));
	assert_int_equal(wait_ms, 10000);
	assert_true(take(r, &li, NULL, 10, NOON));
	assert_true(take(r, &wang, NULL, 64, NOON)); /* more than a minute's, from a full bucket */
	assert_false(take(r, &wang, NULL, 1, NOON + 4999));
	assert_true(take(r, &wang, NULL, 1, NOON + 5000));
	rates_free(r);
}

static void no_limit_is_none_and_limits_change(void **state)
{
	static const struct rate_limits none = { 0 };
	struct rates *r = rates_new(&none);

	(void)state;
	assert_int_equal(in_a_row(r, &li, &far, NOON), 10000);
	rates_set(r, &limits);
	assert_int_equal(in_a_row(r, &li, &far, NOON), 60);
	rates_free(r);
}

/* More names than are counted: each is still let in, and nobody waits for what others did. */
static void a_crowd_is_forgotten_not_locked_out(void **state)
{
	struct rates *r = rates_new(&limits);
	char name[16];
	const struct person one = { .id = name, .roles = ROLE_REPORTER };

	(void)state;
	for (int i = 0; i < 3 * RATES_KNOWN; i++) {
		snprintf(name, sizeof name, "p%d", i);
		assert_true(take(r, &one, NULL, 1, NOON));
	}
	rates_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minute_s_worth_at_once_then_evenly),
		cmocka_unit_test(each_has_its_own),
		cmocka_unit_test(an_address_is_shared_unless_it_is_this_machine),
		cmocka_unit_test(a_batch_is_its_reports_and_never_waits_for_ever),
		cmocka_unit_test(no_limit_is_none_and_limits_change),
		cmocka_unit_test(a_crowd_is_forgotten_not_locked_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
