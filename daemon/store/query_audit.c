#include "store/query_audit.h"

#include "store/reader.h"

static void take_row(sqlite3_stmt *st, struct result *mem, struct audit_row *out)
{
	int64_t what = column_int(st, 3);

	*out = (struct audit_row){
		.id = column_int(st, 0),
		.fact = { .at_ms = column_int(st, 1),
		          .who = result_text(mem, column_text(st, 2)),
		          .what = what > 0 && what < AUDITED_COUNT ? (enum audited)what : AUDITED_NONE,
		          .subject = result_text(mem, column_text(st, 4)),
		          .purpose = result_text(mem, column_text(st, 5)),
		          .channel = result_text(mem, column_text(st, 6)),
		          .count = column_int(st, 7) },
		.erased = column_int(st, 8) != 0,
	};
}

enum query_status query_audit(struct reader *r, const struct audit_filter *f, struct result *mem,
                              struct audit_row **rows, size_t *count)
{
	int limit = f->limit < 1 ? 1 : f->limit > QUERY_PAGE_MOST ? QUERY_PAGE_MOST : f->limit;
	int result = reader_begin(r, QUERY_DEADLINE_MS);

	*count = 0;
	*rows = result_take(mem, (size_t)limit * sizeof **rows);
	if (result == SQLITE_OK) {
		sqlite3_stmt *st = reader_use(r, f->subject ? READ_AUDIT_ABOUT : READ_AUDIT);

		bind_text(st, 1, f->subject);
		bind_int(st, 2, f->before_id > 0 ? f->before_id : INT64_MAX);
		bind_int(st, 3, f->from_ms);
		bind_int(st, 4, f->to_ms > 0 ? f->to_ms : INT64_MAX);
		bind_text(st, 5, f->who);
		bind_int(st, 6, f->what);
		bind_int(st, 7, limit);
		while ((result = sqlite3_step(st)) == SQLITE_ROW && *count < (size_t)limit)
			take_row(st, mem, &(*rows)[(*count)++]);
	}
	return reader_end(r, result);
}
