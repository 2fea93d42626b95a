#include "store/query_audit.h"

#include "store/reader.h"
#include "workflow/case_number.h"

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

/* ---- about one person ---- */

static _Bool is_look_at_case(const struct audit_row *row)
{
	return row->fact.what == AUDITED_LOOK_CASE || row->fact.what == AUDITED_UNMASK;
}

/* *is: the case of this number is the person's. */
static int look_whose(struct reader *r, const char *number, const char *person, _Bool anonymous, _Bool *is)
{
	sqlite3_stmt *st = reader_use(r, READ_CASE_IS_OF);
	int result;

	bind_int(st, 1, number ? case_number_id(number) : 0);
	bind_text(st, 2, person);
	bind_int(st, 3, anonymous);
	result = sqlite3_step(st);
	*is = result == SQLITE_ROW;
	return result == SQLITE_DONE ? SQLITE_ROW : result;
}

static int newest_row(struct reader *r, int64_t *id)
{
	_Bool ok = 1;

	*id = connection_number(&r->connection, "SELECT max(id) FROM audit", 0, &ok);
	return ok ? SQLITE_OK : sqlite3_errcode(r->connection.db);
}

enum query_status query_audit_of(struct reader *r, const char *person, _Bool anonymous, int64_t before_id,
                                 struct result *mem, struct audit_row **rows, size_t *count, int64_t *scanned_to)
{
	int result = reader_begin(r, QUERY_DEADLINE_MS);
	int64_t before = before_id;

	*count = 0;
	*rows = result_take(mem, QUERY_PAGE_MOST * sizeof **rows);
	if (result == SQLITE_OK && before <= 0) {
		result = newest_row(r, &before);
		before++;
	}
	*scanned_to = before > QUERY_AUDIT_SCAN + 1 ? before - QUERY_AUDIT_SCAN : 0;
	if (result == SQLITE_OK) {
		sqlite3_stmt *st = reader_use(r, READ_AUDIT_OF);

		bind_text(st, 1, person);
		bind_int(st, 2, before);
		bind_int(st, 3, *scanned_to);
		bind_int(st, 4, AUDITED_LOOK_CASE);
		bind_int(st, 5, AUDITED_UNMASK);
		while ((result = sqlite3_step(st)) == SQLITE_ROW && *count < QUERY_PAGE_MOST) {
			struct audit_row *row = &(*rows)[*count];
			_Bool is = 1;

			take_row(st, mem, row);
			if (is_look_at_case(row))
				result = look_whose(r, row->fact.subject, person, anonymous, &is);
			if (result != SQLITE_ROW)
				break;
			*count += is;
			if (*count == QUERY_PAGE_MOST)
				*scanned_to = row->id;
		}
	}
	return reader_end(r, result);
}
