/* credentials: a row of the table credential as the workflow knows it. Private to store/. */
#ifndef STORE_CREDENTIALS_H
#define STORE_CREDENTIALS_H

#include "store/store.h"
#include "store/connection.h"
#include "workflow/roster.h"

#define CREDENTIAL_NAMES                                                                                               \
	"id, person, kind, sha256, label, made_ms, made_by, replaces, expires_ms, revoked_ms, revoked_by, why"
/* Reads CREDENTIAL_NAMES from column 0 on; its texts are SQLite's until the next step. false: the row holds what none can
 * be. */
_Bool credentials_read(sqlite3_stmt *st, struct credential *out) MUST_USE;

/* Facts as rows. */
enum store_result credentials_write(struct store *s, const struct credential *rows, size_t count) MUST_USE;

#endif
