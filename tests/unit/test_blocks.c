/* blocks: each is one's own, whole and aligned, whether it was made ready or not, and what is given back is taken again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/blocks.h"

enum { MANY = BLOCKS_PLAIN + 4 * BLOCKS_READY };

static void take_and_fill(struct blocks *b, unsigned char **blocks, int count)
{
	for (int i = 0; i < count; i++) {
		blocks[i] = blocks_take(b);
		assert_int_equal((uintptr_t)blocks[i] % BLOCK_SIZE, 0);
		memset(blocks[i], i + 1, BLOCK_SIZE);
	}
}

static void look_and_give(struct blocks *b, unsigned char **blocks, int count)
{
	for (int i = 0; i < count; i++) {
		assert_int_equal(blocks[i][0], i + 1);
		assert_int_equal(blocks[i][BLOCK_SIZE - 1], i + 1);
		blocks_give(b, blocks[i]);
	}
}

static void test_each_is_ones_own(void **state)
{
	(void)state;
	unsigned char *taken[MANY];
	struct blocks *b = blocks_new();

	take_and_fill(b, taken, MANY);
	look_and_give(b, taken, MANY);
	take_and_fill(b, taken, MANY);
	look_and_give(b, taken, MANY);
	blocks_free(b);
}

static void test_what_comes_back_is_taken_again(void **state)
{
	(void)state;
	struct blocks *b = blocks_new();
	void *first = blocks_take(b);

	blocks_give(b, first);
	assert_ptr_equal(blocks_take(b), first);
	blocks_free(b);
	free(first);
}

static void test_without_a_source(void **state)
{
	(void)state;
	unsigned char *taken[2];

	take_and_fill(NULL, taken, 2);
	look_and_give(NULL, taken, 2);
	blocks_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_ones_own),
		cmocka_unit_test(test_what_comes_back_is_taken_again),
		cmocka_unit_test(test_without_a_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
