/* case_table: what is in is found by its id, in the order of opening, and never moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workflow/case_number.h"
#include "workflow/case_table.h"

struct thing {
	struct case_node node;
	int64_t value;
	char filling[500]; /* so that many take several blocks */
};

static struct thing *thing(struct case_node *n)
{
	return (struct thing *)(void *)n;
}

static struct thing *add(struct case_table *t, int64_t id)
{
	struct thing *new = thing(case_table_add(t, id));

	assert_true(new->value == 0 && new->filling[0] == 0 && new->filling[sizeof new->filling - 1] == 0);
	new->value = -id;
	memset(new->filling, 'x', sizeof new->filling);
	return new;
}

static void test_in_the_order_of_opening(void **state)
{
	(void)state;
	struct case_table *t = case_table_new(sizeof(struct thing));
	static const int64_t ids[] = { 5, 3, 9 };

	assert_null(case_table_first(t));
	for (int i = 0; i < 3; i++)
		add(t, ids[i]);
	assert_int_equal(case_table_first(t)->id, 5);
	assert_int_equal(case_table_last(t)->id, 9);
	case_table_remove(t, case_table_find(t, 3));
	assert_int_equal(case_table_first(t)->after->id, 9);
	assert_int_equal(case_table_last(t)->before->id, 5);
	assert_null(case_table_find(t, 3));
	add(t, 3);
	assert_int_equal(case_table_last(t)->id, 3);
	case_table_remove(t, case_table_first(t));
	assert_null(case_table_first(t)->before);
	assert_int_equal(case_table_count(t), 2);
	case_table_free(t);
	case_table_free(NULL);
}

/* Two days' ids, which come in stretches that meet each other, with every third gone and some of those back. */
static void test_many_are_found_where_they_were_put(void **state)
{
	(void)state;
	enum { MANY = 20000 };
	static struct thing *kept[2][MANY];
	struct case_table *t = case_table_new(sizeof(struct thing));

	for (int i = 0; i < MANY; i++)
		for (int day = 0; day < 2; day++)
			kept[day][i] = add(t, case_id_make(0, 20000 + day, i + 1));
	for (int i = 0; i < MANY; i += 3)
		case_table_remove(t, &kept[i % 2][i]->node);
	for (int i = 0; i < MANY; i += 6)
		kept[0][i] = add(t, case_id_make(0, 20000, i + 1));
	for (int i = 0; i < MANY; i++)
		for (int day = 0; day < 2; day++) {
			int64_t id = case_id_make(0, 20000 + day, i + 1);
			struct case_node *found = case_table_find(t, id);
			_Bool gone = day == 1 && i % 6 == 3;

			assert_ptr_equal(found, gone ? NULL : &kept[day][i]->node);
			assert_true(gone || (found->id == id && thing(found)->value == -id));
		}
	assert_int_equal(case_table_count(t), 2 * MANY - (MANY + 2) / 6);
	case_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_the_order_of_opening),
		cmocka_unit_test(test_many_are_found_where_they_were_put),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
