/* schema: the tables, and how an older database becomes a present one. Private to store/. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/connection.h"

/* Makes a fresh database, or brings an older one to STORE_SCHEMA_VERSION, in one transaction. false with *cause (heap)
 * for another application's file, a newer version or a failure; the file is then as it was. */
_Bool schema_migrate(struct connection *c, char **cause) MUST_USE;
/* Whether the file is ours and of this version, without changing it. */
_Bool schema_check(struct connection *c, char **cause) MUST_USE;

#endif
