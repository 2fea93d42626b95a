/* snapshot: a copy of the database as it is at one moment, made beside the daemon. Everything committed before the call is
 * in it, so everything that was acknowledged is. Private to store/. */
#ifndef STORE_SNAPSHOT_H
#define STORE_SNAPSHOT_H

#include "store/backup.h"

/* Copies from one read transaction into the empty file `to`, which becomes a database without a log beside it. The
 * source is not written to. o gives database, speed and progress. false with *cause (heap). */
_Bool snapshot_copy(const struct backup_options *o, const char *to, char **cause) MUST_USE;
/* Fills what the report says about a copy's contents. */
_Bool snapshot_describe(const char *copy, struct backup_report *out, char **cause) MUST_USE;

#endif
