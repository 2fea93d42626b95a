/* lock: one process at a time owns a database. The lock is on a file of its own beside it: touching the database file
 * outside SQLite would drop SQLite's locks. */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include <sys/types.h>

#include "base/must.h"

/* Takes the lock of the database at path for as long as the descriptor is open. -1 with *cause (heap): somebody has it, or
 * the file cannot be made. */
int store_lock(const char *path, char **cause) MUST_USE;
/* The process that holds it, 0: nobody that can be seen from here. Takes nothing, so it never stands in anybody's way. */
pid_t store_lock_holder(const char *path);

/* Another process that holds one of SQLite's own write locks on the database, which nobody should; 0: none that can be seen
 * from here. */
pid_t store_intruder(const char *path);

#endif
