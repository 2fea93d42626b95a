/* The timer heap against a plain list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workflow/timer_heap.h"

#define MANY 700

static struct timer_node nodes[MANY];

/* The smallest time of those that are in; 0: nobody is. */
static int64_t smallest(size_t *count)
{
	int64_t least = 0;

	*count = 0;
	for (int i = 0; i < MANY; i++) {
		if (nodes[i].place == 0)
			continue;
		(*count)++;
		if (least == 0 || nodes[i].at_ms < least)
			least = nodes[i].at_ms;
	}
	return least;
}

static void check(const struct timer_heap *h)
{
	size_t count;
	int64_t least = smallest(&count);
	const struct timer_node *first = timer_heap_first(h);

	assert_int_equal(h->count, count);
	assert_int_equal(first == NULL ? 0 : first->at_ms, least);
	for (size_t i = 1; i <= h->count; i++) {
		assert_int_equal(h->nodes[i]->place, i);
		assert_true(i == 1 || h->nodes[i / 2]->at_ms <= h->nodes[i]->at_ms);
	}
}

static void test_against_a_list(void **state)
{
	(void)state;
	struct timer_heap h = { 0 };

	memset(nodes, 0, sizeof nodes);
	for (unsigned seed = 7, i = 0; i < 30000; i++) {
		struct timer_node *n = &nodes[(unsigned)rand_r(&seed) % MANY];

		timer_heap_set(&h, n, rand_r(&seed) % 3 == 0 ? 0 : 1 + rand_r(&seed) % 1000);
		if (i % 50 == 0)
			check(&h);
	}
	check(&h);
	for (int64_t before = 0; timer_heap_first(&h) != NULL;) {
		struct timer_node *first = timer_heap_first(&h);

		assert_true(first->at_ms >= before);
		before = first->at_ms;
		timer_heap_set(&h, first, 0);
		assert_int_equal(first->place, 0);
	}
	timer_heap_close(&h);
	timer_heap_close(&h);
}

static void test_few(void **state)
{
	(void)state;
	struct timer_heap h = { 0 };
	struct timer_node a = { 0 }, b = { 0 };

	assert_null(timer_heap_first(&h));
	timer_heap_set(&h, &a, 0);
	assert_null(timer_heap_first(&h));
	timer_heap_set(&h, &a, 20);
	timer_heap_set(&h, &b, 10);
	assert_ptr_equal(timer_heap_first(&h), &b);
	timer_heap_set(&h, &b, 30);
	assert_ptr_equal(timer_heap_first(&h), &a);
	timer_heap_set(&h, &a, 0);
	assert_ptr_equal(timer_heap_first(&h), &b);
	timer_heap_set(&h, &b, 0);
	timer_heap_set(&h, &b, 0);
	assert_null(timer_heap_first(&h));
	timer_heap_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_a_list),
		cmocka_unit_test(test_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
