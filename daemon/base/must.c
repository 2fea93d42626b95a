#include "base/must.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"

void must_out_of_memory(size_t count, size_t size)
{
	log_line(LOG_LEVEL_ERROR, "out_of_memory", "count=%zu size=%zu", count, size);
	abort();
}

void *must_calloc(size_t count, size_t size)
{
	/* calloc(0) may be NULL by the standard, and NULL here would read as a failure. */
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		must_out_of_memory(count, size);
	return p;
}

void *must_malloc(size_t size)
{
	/* As with calloc: nothing asked for is no failure. */
	void *p = malloc(size ? size : 1);

	if (!p)
		must_out_of_memory(1, size);
	return p;
}

#define LARGE_PAGE ((size_t)2 << 20) /* of x86-64 and of arm64 with 4 KiB pages */

void *must_large(size_t size)
{
	if (size < LARGE_PAGE)
		return must_realloc(NULL, size);

	size_t whole = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
	void *p = aligned_alloc(LARGE_PAGE, whole);

	if (!p)
		must_out_of_memory(1, size);
	(void)madvise(p, whole, MADV_HUGEPAGE); /* only advice: without it the pages are small */
	return p;
}

void *must_realloc(void *old, size_t size)
{
	/* realloc(p, 0) frees p in some libraries; one byte keeps the promise that a block comes back. */
	void *p = realloc(old, size ? size : 1);

	if (!p)
		must_out_of_memory(1, size);
	return p;
}

char *must_strdup(const char *text)
{
	if (!text)
		return NULL;

	size_t size = strlen(text) + 1;

	return memcpy(must_calloc(size, 1), text, size);
}

void must_not_happen(const char *file, int line, const char *what)
{
	log_line(LOG_LEVEL_ERROR, "must_not_happen", "file=%s line=%d what=\"%s\"", file, line, what);
	abort();
}
