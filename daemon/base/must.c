#include "base/must.h"

#include <stdlib.h>
#include <string.h>

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
