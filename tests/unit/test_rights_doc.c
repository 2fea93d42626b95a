/* docs/rights.md says what the table of rights says. With --write the table in the page is printed anew: make docs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "jurisdiction/rights.h"
#include "page_kit.h"

static const struct page page = { "docs/rights.md", "<!-- generated: rights -->\n", rights_print };

static void test_the_table(void **state)
{
	(void)state;
	page_assert_printed(&page);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_the_table) };

	if (argc == 2 && strcmp(argv[1], "--write") == 0)
		return page_write(&page);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
