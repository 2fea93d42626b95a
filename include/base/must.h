/* must: what may not fail. Out of memory is fail-stop (libevent's and hiredis's callers cannot survive it), so
 * allocation here either returns memory or ends the process with a line on stderr; sizes that come from a peer are
 * checked against a named limit before they ever reach this. */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* Zeroed memory; never NULL. Free with free(). */
void *must_calloc(size_t count, size_t size) MUST_USE;
/* As malloc, never NULL: for libraries that take an allocator. */
void *must_malloc(size_t size) MUST_USE;
/* As realloc, never NULL; new bytes are not zeroed. */
void *must_realloc(void *old, size_t size) MUST_USE;
/* A heap copy of text (NULL gives NULL). */
char *must_strdup(const char *text) MUST_USE;
/* Ends the process as an allocation of this size does that failed. size 0: not known. */
void must_out_of_memory(size_t count, size_t size) __attribute__((noreturn));
/* Ends the process: a bug of ours was found. Never reachable from a peer's bytes. */
void must_not_happen(const char *file, int line, const char *what) __attribute__((noreturn));

/* An assertion that stays on in every build. */
#define must(x) ((x) ? (void)0 : must_not_happen(__FILE__, __LINE__, #x))

#endif
