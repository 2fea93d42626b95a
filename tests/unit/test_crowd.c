#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/crowd.h"

#define OPEN_MOST 5
#define STRANGERS_MOST 3
#define PER_SECOND_MOST 8
#define SECOND 1000

static const struct crowd_limits limits = { OPEN_MOST, STRANGERS_MOST, PER_SECOND_MOST };

static struct peer far(uint64_t number)
{
	return (struct peer){ PEER_IPV4, 0xC0000200 + number }; /* 192.0.2.0/24, for documentation (RFC 5737) */
}

static int start(void **state)
{
	*state = crowd_new(&limits);
	return 0;
}

static int end(void **state)
{
	assert_int_equal(crowd_addresses(*state), 0);
	crowd_free(*state);
	return 0;
}

static void strangers_have_the_lower_cap(void **state)
{
	struct crowd *c = *state;
	struct crowd_address *a[OPEN_MOST];

	for (int i = 0; i < STRANGERS_MOST; i++)
		assert_non_null(a[i] = crowd_enter(c, far(1), 0));
	assert_null(crowd_enter(c, far(1), 0));
	/* Another address has places of its own. */
	struct crowd_address *other = crowd_enter(c, far(2), 0);

	assert_non_null(other);
	assert_int_equal(crowd_addresses(c), 2);
	crowd_leave(c, other, 1);

	/* Who has said who it is makes room for the next, up to the cap of all. */
	for (int i = 0; i < STRANGERS_MOST; i++)
		crowd_greet(c, a[i]);
	for (int i = STRANGERS_MOST; i < OPEN_MOST; i++)
		assert_non_null(a[i] = crowd_enter(c, far(1), SECOND));
	assert_null(crowd_enter(c, far(1), SECOND));
	assert_int_equal(crowd_turned_away(c), 2);

	/* A place that is given up is there again. */
	crowd_leave(c, a[0], 0);
	assert_non_null(a[0] = crowd_enter(c, far(1), SECOND));
	for (int i = 0; i < OPEN_MOST; i++)
		crowd_leave(c, a[i], i == 0 || i >= STRANGERS_MOST);
}

static void coming_and_going_has_a_pace(void **state)
{
	struct crowd *c = *state;

	for (int second = 0; second < 3; second++) {
		for (int i = 0; i < PER_SECOND_MOST; i++) {
			struct crowd_address *a = crowd_enter(c, far(1), second * SECOND + i);

			assert_non_null(a);
			crowd_leave(c, a, 1);
		}
		/* Leaving does not make it forgotten. */
		assert_null(crowd_enter(c, far(1), second * SECOND + SECOND - 1));
	}
	assert_int_equal(crowd_turned_away(c), 3);
}

static void this_machine_is_not_counted(void **state)
{
	struct crowd *c = *state;
	const struct peer locals[] = { { PEER_UNIX, 0 }, { PEER_IPV4, 0x7F000001 } };
	struct crowd_address *a;

	for (size_t p = 0; p < 2; p++)
		for (int i = 0; i < 10 * OPEN_MOST; i++)
			assert_non_null(a = crowd_enter(c, locals[p], 0));
	crowd_greet(c, a);
	crowd_leave(c, a, 0);
	crowd_leave(c, a, 1);
	assert_int_equal(crowd_addresses(c), 0);
}

static void households_are_told_apart(void **state)
{
	struct crowd *c = *state;
	const struct peer six = { PEER_IPV6, 0x7F000001 };
	struct crowd_address *a[STRANGERS_MOST + 1];

	/* Its number is that of a loopback address in the other family. */
	for (int i = 0; i < STRANGERS_MOST; i++)
		assert_non_null(a[i] = crowd_enter(c, six, 0));
	assert_null(crowd_enter(c, six, 0));
	assert_non_null(a[STRANGERS_MOST] = crowd_enter(c, (struct peer){ PEER_IPV6, 0x7F000002 }, 0));
	for (int i = 0; i <= STRANGERS_MOST; i++)
		crowd_leave(c, a[i], 1);
}

static void other_limits_hold_at_once(void **state)
{
	struct crowd *c = *state;
	struct crowd_address *a = crowd_enter(c, far(1), 0);

	crowd_set_limits(c, &(const struct crowd_limits){ 1, 1, 100 });
	assert_null(crowd_enter(c, far(1), 0));
	crowd_leave(c, a, 1);
	assert_non_null(a = crowd_enter(c, far(1), 0));
	crowd_leave(c, a, 1);
}

/* Addresses without number leave nothing behind: memory is held only for those that are here. */
static void a_crowd_of_addresses_leaves_nothing(void **state)
{
	struct crowd *c = *state;
	static struct crowd_address *a[2000];
	int taken = 0;

	for (uint64_t i = 0; i < 2000; i++)
		if ((a[taken] = crowd_enter(c, (struct peer){ PEER_IPV6, i << 8 }, 0)))
			taken++;
	assert_int_equal(crowd_addresses(c), taken);
	/* The table of the pace is shared by few: eight in one row of 4,096 is not what happens to 2,000. */
	assert_true(taken > 1990);
	while (taken > 0)
		crowd_leave(c, a[--taken], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(strangers_have_the_lower_cap, start, end),
		cmocka_unit_test_setup_teardown(coming_and_going_has_a_pace, start, end),
		cmocka_unit_test_setup_teardown(this_machine_is_not_counted, start, end),
		cmocka_unit_test_setup_teardown(households_are_told_apart, start, end),
		cmocka_unit_test_setup_teardown(other_limits_hold_at_once, start, end),
		cmocka_unit_test_setup_teardown(a_crowd_of_addresses_leaves_nothing, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
