/* docs/workflow.md says what the table says. With --write the table in the page is printed anew: make docs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workflow/transitions.h"

#define PAGE "docs/workflow.md"
#define BEGINS "<!-- generated: transitions -->\n"
#define ENDS "<!-- end of generated -->\n"
#define PAGE_MOST 65536

static char *read_page(void)
{
	char *text = calloc(1, PAGE_MOST);
	FILE *file = fopen(PAGE, "r");

	assert_non_null(file);
	assert_true(fread(text, 1, PAGE_MOST - 1, file) < PAGE_MOST - 1);
	assert_int_equal(fclose(file), 0);
	return text;
}

static char *print_table(void)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	transitions_print(to);
	assert_int_equal(fclose(to), 0);
	return text;
}

static void test_the_table(void **state)
{
	(void)state;
	char *page = read_page(), *table = print_table();
	char *begins = strstr(page, BEGINS), *ends = strstr(page, ENDS);

	assert_non_null(begins);
	assert_non_null(ends);
	begins += strlen(BEGINS);
	if (strlen(table) != (size_t)(ends - begins) || memcmp(begins, table, strlen(table)) != 0)
		fail_msg("the table in " PAGE " is not that of transitions.c any more; print it anew with: make docs");
	free(page);
	free(table);
}

/* The other parts are written by hand, but may not forget a state nor give it another name or phase. */
static void test_the_states(void **state)
{
	(void)state;
	char *page = read_page(), row[200];

	for (int s = 1; s < STATE_COUNT; s++) {
		const struct state_info *i = state_info((enum state)s);

		snprintf(row, sizeof row, "\n| %s | %s | %s | ", i->name, i->zh, i->phase);
		if (strstr(page, row) == NULL)
			fail_msg(PAGE " has no row beginning with:%s", row);
	}
	free(page);
}

static int write_page(void)
{
	char *page = read_page(), *table = print_table();
	char *begins = strstr(page, BEGINS), *ends = strstr(page, ENDS);

	if (begins == NULL || ends == NULL) {
		fprintf(stderr, PAGE ": the two marker comments are gone\n");
		return 1;
	}
	FILE *file = fopen(PAGE, "w");

	if (file == NULL)
		return 1;
	fprintf(file, "%.*s%s%s", (int)(begins + strlen(BEGINS) - page), page, table, ends);
	free(table);
	free(page);
	return fclose(file) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table),
		cmocka_unit_test(test_the_states),
	};

	if (argc == 2 && strcmp(argv[1], "--write") == 0)
		return write_page();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
