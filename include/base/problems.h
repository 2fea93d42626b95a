/* problems: what is wrong in files that people write. A problem stops what was to be loaded; a warning does not: it names
 * what will hurt soon, or is meant to be otherwise. Each is one line, "file:line: what was found; what was expected". */
#ifndef BASE_PROBLEMS_H
#define BASE_PROBLEMS_H

#include <stddef.h>
#include <stdio.h>

#include "base/must.h"

/* A zeroed one is empty. */
struct problems {
	char **lines;
	size_t count;
	char **warnings; /* "file:line: warning: …" */
	size_t warning_count;
};
#define PROBLEMS_MOST 200 /* of each; further ones are counted in the last line, not kept */
/* line 0: of the whole file, or of a command line. */
void problems_add(struct problems *p, const char *file, int line, const char *format, ...) PRINTF_LIKE(4, 5);
void problems_warn(struct problems *p, const char *file, int line, const char *format, ...) PRINTF_LIKE(4, 5);
/* The problems, then the warnings. */
void problems_print(const struct problems *p, FILE *to);
void problems_close(struct problems *p); /* safe twice */

#endif
