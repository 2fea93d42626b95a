/* progress: one line on stderr that grows, on a terminal only. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdint.h>

struct progress {
	const char *what;
	_Bool on;
	int64_t drawn_ms;
};

void progress_init(struct progress *p, const char *what);
/* At most ten drawings a second. */
void progress_show(struct progress *p, int64_t done, int64_t all);
void progress_end(struct progress *p);

#endif
