/* page_kit: a page of docs/ of which one part is printed from the code. */
#ifndef TESTS_UNIT_PAGE_KIT_H
#define TESTS_UNIT_PAGE_KIT_H

#include <stdio.h>

struct page {
	const char *file;   /* "docs/workflow.md" */
	const char *begins; /* the line before the printed part; a line PAGE_ENDS stands behind it */
	void (*print)(FILE *to);
};
#define PAGE_ENDS "<!-- end of generated -->\n"

/* The page's text, on the heap. Fails the test when there is none. */
char *page_read(const struct page *p);
/* Fails the test when the printed part is not what the code prints. */
void page_assert_printed(const struct page *p);
/* Prints it anew; the program's exit code. */
int page_write(const struct page *p);

#endif
