/* Recent keys: two generations, and how far back memory can be trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workflow/key_memory.h"

static struct key_fact answer(int64_t time_ms, int number)
{
	char name[32];

	snprintf(name, sizeof name, "key %d", number);
	return (struct key_fact){ .key = uuid_from_name(time_ms, name), .case_id = number };
}

static void add(struct key_memory *m, int64_t time_ms, int number)
{
	struct key_fact k = answer(time_ms, number);

	key_memory_add(m, &k);
}

static _Bool has(const struct key_memory *m, int64_t time_ms, int number)
{
	struct key_fact k = answer(time_ms, number);
	const struct key_fact *found = key_memory_find(m, &k.key);

	assert_true(found == NULL || found->case_id == number);
	return found != NULL;
}

static _Bool complete(const struct key_memory *m, int64_t time_ms)
{
	struct key_fact k = answer(time_ms, 999999);

	return key_memory_complete_for(m, &k.key);
}

static void test_empty(void **state)
{
	(void)state;
	struct key_memory *m = key_memory_new(4);

	assert_false(has(m, 1, 1));
	assert_true(complete(m, 1));
	key_memory_free(m);
	key_memory_free(NULL);
}

/* The older generation is dropped whole when the younger is full; at least one generation is always there. */
static void test_generations(void **state)
{
	(void)state;
	struct key_memory *m = key_memory_new(4);

	for (int i = 1; i <= 8; i++)
		add(m, i * 10, i);
	for (int i = 1; i <= 8; i++)
		assert_true(has(m, i * 10, i));
	assert_true(complete(m, 1));
	add(m, 90, 9);
	for (int i = 1; i <= 9; i++)
		assert_int_equal(has(m, i * 10, i), i > 4);
	assert_false(complete(m, 10));
	assert_false(complete(m, 40));
	assert_true(complete(m, 41));
	key_memory_free(m);
}

/* The horizon is the newest key dropped, in whatever order the keys came; phones send late what they made early. */
static void test_horizon_with_keys_out_of_order(void **state)
{
	(void)state;
	struct key_memory *m = key_memory_new(3);
	static const int times[] = { 500, 20, 30, 10, 40, 50, 60 };

	for (int i = 0; i < 7; i++)
		add(m, times[i], i);
	assert_false(has(m, 500, 0));
	assert_false(complete(m, 500));
	assert_false(complete(m, 60));
	assert_true(complete(m, 501));
	key_memory_free(m);
}

/* A key that is no UUIDv7 has no time: once anything was dropped it must be asked of the disk. */
static void test_keys_without_a_time(void **state)
{
	(void)state;
	struct key_memory *m = key_memory_new(2);
	struct key_fact odd = { .case_id = 7 };

	memset(odd.key.bytes, 0xff, sizeof odd.key.bytes);
	assert_int_equal(uuid_time_ms(&odd.key), 0);
	key_memory_add(m, &odd);
	assert_int_equal(key_memory_find(m, &odd.key)->case_id, 7);
	assert_true(key_memory_complete_for(m, &odd.key));
	for (int i = 1; i <= 4; i++)
		add(m, i, i);
	assert_null(key_memory_find(m, &odd.key));
	assert_false(key_memory_complete_for(m, &odd.key));
	key_memory_free(m);
}

static void test_after_a_start(void **state)
{
	(void)state;
	struct key_memory *m = key_memory_new(4);

	key_memory_complete_after(m, 1000);
	assert_false(complete(m, 1000));
	assert_true(complete(m, 1001));
	key_memory_complete_after(m, 10); /* the horizon only moves on */
	assert_false(complete(m, 1000));
	key_memory_free(m);
}

static void test_many(void **state)
{
	(void)state;
	enum { MOST = 30000 };
	struct key_memory *m = key_memory_new(MOST);

	for (int i = 1; i <= 3 * MOST; i++)
		add(m, i, i);
	for (int i = 1; i <= 3 * MOST; i += 7)
		assert_int_equal(has(m, i, i), i > MOST);
	key_memory_free(m);
}

/* Keys may come in any order of their times: what is dropped later never makes memory seem to reach further back. */
static void test_an_older_generation_dropped_later(void **state)
{
	(void)state;
	struct key_memory *m = key_memory_new(1);

	add(m, 100, 1);
	add(m, 50, 2);
	add(m, 40, 3); /* drops the key of 100 */
	add(m, 30, 4); /* drops the key of 50 */
	assert_false(complete(m, 100));
	assert_true(complete(m, 101));
	key_memory_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_older_generation_dropped_later),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_horizon_with_keys_out_of_order),
		cmocka_unit_test(test_keys_without_a_time),
		cmocka_unit_test(test_after_a_start),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
