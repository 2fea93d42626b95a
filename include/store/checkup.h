/* checkup: a quick look at a database, for a start and for `gridloop doctor`. Reads only, beside the daemon if it runs. */
#ifndef STORE_CHECKUP_H
#define STORE_CHECKUP_H

#include <stdint.h>
#include <sys/types.h>

#include "base/must.h"

struct roster;

struct checkup {
	char *unreadable;      /* heap; NULL: it can be read, and is ours and of this program's schema */
	char *damage;          /* heap; NULL: none was found */
	_Bool whole;           /* all of the file was looked at, not only what the time was enough for */
	int64_t schema;        /* version; -1 unknown */
	int64_t received;      /* cases, open and archived */
	int64_t last_ms;       /* the newest time that a fact carries, 0: none */
	int64_t bytes, in_log; /* of the database and of its write-ahead log */
	pid_t holder;          /* of the lock, 0: nobody */
	struct roster *roster; /* the credentials that are not revoked; NULL: they cannot be read */
};

/* most_ms: how long the search for damage may take. */
void checkup_database(const char *path, int64_t most_ms, struct checkup *out);
void checkup_close(struct checkup *c); /* safe twice */

struct connection;
/* false with *cause (heap): the file is damaged. *whole (may be NULL): the time was enough for all of it; what was not
 * looked at counts as sound. Private to store/. */
_Bool checkup_quick(struct connection *c, int64_t most_ms, _Bool *whole, char **cause) MUST_USE;

#endif
