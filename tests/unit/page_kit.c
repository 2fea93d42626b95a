#include "page_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE_MOST 65536

/* A page, and where its printed part begins and ends; NULL: a marker is missing. */
struct pieces {
	char *text, *begins, *ends;
};

char *page_read(const struct page *p)
{
	char *text = calloc(1, PAGE_MOST);
	FILE *file = fopen(p->file, "r");

	assert_non_null(file);
	assert_true(fread(text, 1, PAGE_MOST - 1, file) < PAGE_MOST - 1);
	assert_int_equal(fclose(file), 0);
	return text;
}

static struct pieces take_apart(const struct page *p)
{
	struct pieces pieces = { .text = page_read(p) };
	char *marker = strstr(pieces.text, p->begins);

	pieces.begins = marker ? marker + strlen(p->begins) : NULL;
	pieces.ends = pieces.begins ? strstr(pieces.begins, PAGE_ENDS) : NULL;
	return pieces;
}

static char *print(const struct page *p)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	p->print(to);
	assert_int_equal(fclose(to), 0);
	return text;
}

void page_assert_printed(const struct page *p)
{
	struct pieces page = take_apart(p);
	char *table = print(p);

	assert_non_null(page.ends);
	if (strlen(table) != (size_t)(page.ends - page.begins) || memcmp(page.begins, table, strlen(table)) != 0)
		fail_msg("the table in %s is not that of the code any more; print it anew with: make docs", p->file);
	free(page.text);
	free(table);
}

int page_write(const struct page *p)
{
	struct pieces page = take_apart(p);

	if (page.ends == NULL) {
		fprintf(stderr, "%s: the two marker comments are gone\n", p->file);
		return 1;
	}
	char *table = print(p);
	FILE *file = fopen(p->file, "w");

	if (file == NULL)
		return 1;
	fprintf(file, "%.*s%s%s", (int)(page.begins - page.text), page.text, table, page.ends);
	free(table);
	free(page.text);
	return fclose(file) == 0 ? 0 : 1;
}
