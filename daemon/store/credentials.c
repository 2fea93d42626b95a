/* Credentials as rows: written once, completed when they end. */
#include "store/credentials.h"

#include <string.h>

#include "store/writer.h"

/* Their times are not among those that the daemon's clock goes on from: on a replay clock an empty street has credentials
 * of today before it has a time. */
static enum store_result write_new(struct store *s, const struct credential *c)
{
	sqlite3_stmt *st = writer_use(s, WRITE_CREDENTIAL);

	bind_int(st, 1, c->id);
	bind_text(st, 2, c->person);
	bind_int(st, 3, c->kind);
	bind_bytes(st, 4, c->sha256, sizeof c->sha256);
	bind_text(st, 5, c->label ? c->label : "");
	bind_int(st, 6, c->made_ms);
	bind_text(st, 7, c->made_by);
	bind_int(st, 8, c->replaces);
	bind_int(st, 9, c->expires_ms);
	return writer_execute(s, st, "credential");
}

static enum store_result write_end(struct store *s, const struct credential *c)
{
	sqlite3_stmt *st = writer_use(s, WRITE_CREDENTIAL_ENDS);

	bind_int(st, 1, c->id);
	bind_int(st, 2, c->expires_ms);
	bind_int(st, 3, c->revoked_ms);
	bind_text(st, 4, c->revoked_by);
	bind_text(st, 5, c->why);
	return writer_execute(s, st, "credential-end");
}

enum store_result credentials_write(struct store *s, const struct credential *rows, size_t count)
{
	enum store_result result = STORE_OK;

	for (size_t i = 0; i < count && result == STORE_OK; i++)
		result = rows[i].is_new ? write_new(s, &rows[i]) : write_end(s, &rows[i]);
	return result;
}

_Bool credentials_read(sqlite3_stmt *st, struct credential *out)
{
	int64_t kind = column_int(st, 2);

	*out = (struct credential){
		.id = column_int(st, 0),
		.person = column_text(st, 1),
		.kind = (uint8_t)kind,
		.label = column_text(st, 4),
		.made_ms = column_int(st, 5),
		.made_by = column_text(st, 6),
		.replaces = column_int(st, 7),
		.expires_ms = column_int(st, 8),
		.revoked_ms = column_int(st, 9),
		.revoked_by = column_text(st, 10),
		.why = column_text(st, 11),
	};
	if ((kind != CREDENTIAL_TOKEN && kind != CREDENTIAL_CERTIFICATE) ||
	    sqlite3_column_bytes(st, 3) != sizeof out->sha256)
		return 0;
	memcpy(out->sha256, sqlite3_column_blob(st, 3), sizeof out->sha256);
	return 1;
}
