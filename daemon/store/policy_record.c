#include "store/policy_record.h"

#include <stdio.h>
#include <string.h>

#include "store/writer.h"

_Bool store_policy(struct store *s, struct policy_record *out, char **cause)
{
	struct connection *c = &s->connection;
	sqlite3_stmt *st = writer_use(s, WRITE_FIND_POLICY);
	_Bool ok = 1;
	int result = sqlite3_step(st);

	*out = (struct policy_record){ 0 };
	if (result == SQLITE_ROW) {
		(void)snprintf(out->digest, sizeof out->digest, "%s", column_text(st, 0));
		out->from_ms = column_int(st, 1);
	}
	(void)sqlite3_reset(st);
	out->sweep_due = connection_number(c, "SELECT value FROM meta WHERE name = 'sweep_due'", 0, &ok) != 0;
	if (ok && (result == SQLITE_ROW || result == SQLITE_DONE))
		return 1;
	*cause = connection_cause(c, "the policy's record cannot be read");
	return 0;
}

enum store_result store_write_sweep(struct store *s, _Bool due)
{
	sqlite3_stmt *st = writer_use(s, WRITE_SWEEP_DUE);

	bind_int(st, 1, due);
	return writer_execute(s, st, "sweep-due");
}

enum store_result store_write_policy(struct store *s, const char *digest, int64_t from_ms)
{
	sqlite3_stmt *st = writer_use(s, WRITE_POLICY);
	enum store_result result;

	bind_int(st, 1, from_ms);
	bind_text(st, 2, digest);
	result = writer_execute(s, st, "policy");
	return result == STORE_OK ? store_write_sweep(s, 1) : result;
}
