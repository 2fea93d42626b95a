/* Lists of facts that grow and are used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workflow/facts.h"

static void test_rows_grow_and_begin_empty(void **state)
{
	(void)state;
	struct facts f;

	facts_init(&f);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 1000; i++) {
			struct fact *e = facts_event(&f);

			assert_int_equal(e->id, 0);
			assert_null(e->actor);
			e->id = i + 1;
			e->actor = "x";

			struct ledger_fact *l = facts_ledger(&f);

			assert_int_equal(l->points, 0);
			l->points = i + 1;

			struct notice_fact *n = facts_notice(&f);

			assert_int_equal(n->text[0], '\0');
			n->id = i + 1;
			memset(n->text, 'x', sizeof n->text);
		}
		assert_int_equal(f.event_count, 1000);
		for (int i = 0; i < 1000; i++) {
			assert_int_equal(f.events[i].id, i + 1);
			assert_int_equal(f.ledger[i].points, i + 1);
			assert_int_equal(f.notices[i].id, i + 1);
		}
		facts_clear(&f);
		assert_int_equal(f.event_count + f.ledger_count + f.notice_count, 0);
	}
	facts_close(&f);
}

static void test_clear_forgets_and_keeps_the_memory(void **state)
{
	(void)state;
	struct facts f;

	facts_init(&f);
	(void)facts_event(&f);
	f.has_key = f.has_seen = 1;
	f.draft_count = 2;
	f.report = (const struct command *)&f;

	const struct fact *before = f.events;

	facts_clear(&f);
	assert_false(f.has_key || f.has_seen);
	assert_int_equal(f.draft_count, 0);
	assert_null(f.report);
	assert_ptr_equal(facts_event(&f), before);
	facts_close(&f);
	facts_close(&f);
	assert_null(f.events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_grow_and_begin_empty),
		cmocka_unit_test(test_clear_forgets_and_keeps_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
