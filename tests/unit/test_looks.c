#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workflow/looks.h"

#define LOOK UINT64_C(0x5a5a33cc0ff01234)

static int64_t found(const struct looks *l, uint64_t look, int64_t mine)
{
	const struct look_owner *owner = looks_find(l, look, mine);

	return owner ? owner->case_id : 0;
}

static void alike_is_up_to_three_bits(void **state)
{
	struct looks *l = looks_new();

	(void)state;
	looks_add(l, LOOK, (struct look_owner){ 7, 10110 });
	assert_int_equal(found(l, LOOK, 8), 7);
	assert_int_equal(looks_find(l, LOOK, 8)->category, 10110);
	for (int a = 0; a < 64; a++)
		for (int b = a + 1; b < 64; b++) {
			uint64_t two = LOOK ^ UINT64_C(1) << a ^ UINT64_C(1) << b;

			assert_int_equal(found(l, two, 8), 7);
			/* A third, and a fourth: each in another quarter where there is one. */
			uint64_t three = two ^ UINT64_C(1) << (a + 17) % 64;
			int apart = __builtin_popcountll(three ^ LOOK);

			assert_int_equal(found(l, three, 8), apart <= LOOKS_APART ? 7 : 0);
		}
	assert_int_equal(found(l, LOOK ^ UINT64_C(0x0001000100010001), 8), 0);
	looks_free(l);
	looks_free(NULL);
}

static void not_the_own_case_and_not_none(void **state)
{
	struct looks *l = looks_new();

	(void)state;
	looks_add(l, LOOK, (struct look_owner){ 7, 10110 });
	looks_add(l, 0, (struct look_owner){ 6, 10110 });
	assert_int_equal(found(l, LOOK, 7), 0);
	assert_int_equal(found(l, 0, 8), 0);
	assert_int_equal(found(l, 1, 8), 0);
	looks_free(l);
}

static void the_oldest_are_forgotten(void **state)
{
	struct looks *l = looks_new();
	uint64_t look = LOOK;

	(void)state;
	looks_add(l, LOOK, (struct look_owner){ 7, 10110 });
	for (int i = 0; i < LOOKS_MOST - 1; i++) {
		look = look * UINT64_C(6364136223846793005) + 1442695040888963407;
		looks_add(l, look | 1, (struct look_owner){ 100, 10110 });
	}
	assert_int_equal(found(l, LOOK, 8), 7);
	looks_add(l, ~LOOK, (struct look_owner){ 9, 10110 });
	assert_int_equal(found(l, LOOK, 8), 0);
	assert_int_equal(found(l, ~LOOK, 8), 9);
	assert_int_equal(found(l, look | 1, 8), 100);
	looks_free(l);
}

/* Chains whose places were written over lead nowhere, and never round and round. */
static void many_alike_end(void **state)
{
	struct looks *l = looks_new();

	(void)state;
	for (int i = 0; i < 3 * LOOKS_MOST; i++)
		looks_add(l, UINT64_C(0xffff00000000) | (uint64_t)(i % 7) << 60 | 1, (struct look_owner){ 100, 10110 });
	assert_int_equal(found(l, UINT64_C(0xffff0000ffff) | UINT64_C(7) << 60, 8), 0);
	looks_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alike_is_up_to_three_bits),
		cmocka_unit_test(not_the_own_case_and_not_none),
		cmocka_unit_test(the_oldest_are_forgotten),
		cmocka_unit_test(many_alike_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
