/* Who has or had which credentials, newest first. */
#include "store/query_credentials.h"

#include "store/credentials.h"
#include "store/reader.h"

enum query_status query_credentials(struct reader *r, const struct credential_filter *f, struct result *mem,
                                    struct credential **rows, size_t *count)
{
	sqlite3_stmt *st;
	int result = reader_begin(r, QUERY_DEADLINE_MS);

	*count = 0;
	*rows = result_take(mem, QUERY_PAGE_MOST * sizeof **rows);
	if (result == SQLITE_OK) {
		st = reader_use(r, f->person ? READ_CREDENTIALS_OF : READ_CREDENTIALS);
		bind_int(st, 1, f->before_id == 0 ? INT64_MAX : f->before_id);
		bind_int(st, 2, f->ended_too);
		bind_int(st, 3, f->now_ms);
		bind_int(st, 4, QUERY_PAGE_MOST);
		if (f->person)
			bind_text(st, 5, f->person);
		while ((result = sqlite3_step(st)) == SQLITE_ROW && *count < QUERY_PAGE_MOST) {
			struct credential *c = &(*rows)[*count];

			if (!credentials_read(st, c))
				continue; /* verify tells of it */
			c->person = result_text(mem, c->person);
			c->label = result_text(mem, c->label);
			c->made_by = result_text(mem, c->made_by);
			c->revoked_by = result_text(mem, c->revoked_by);
			c->why = result_text(mem, c->why);
			++*count;
		}
	}
	return reader_end(r, result);
}
