/* docs/workflow.md says what the table says. With --write the table in the page is printed anew: make docs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "page_kit.h"
#include "workflow/transitions.h"

static const struct page page = { "docs/workflow.md", "<!-- generated: transitions -->\n", transitions_print };

static void test_the_table(void **state)
{
	(void)state;
	page_assert_printed(&page);
}

/* The other parts are written by hand, but may not forget a state nor give it another name or phase. */
static void test_the_states(void **state)
{
	(void)state;
	char *text = page_read(&page), row[200];

	for (int s = 1; s < STATE_COUNT; s++) {
		const struct state_info *i = state_info((enum state)s);

		snprintf(row, sizeof row, "\n| %s | %s | %s | ", i->name, i->zh, rights_phase_name(i->phase));
		if (strstr(text, row) == NULL)
			fail_msg("%s has no row beginning with:%s", page.file, row);
	}
	free(text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table),
		cmocka_unit_test(test_the_states),
	};

	if (argc == 2 && strcmp(argv[1], "--write") == 0)
		return page_write(&page);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
