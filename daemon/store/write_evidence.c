/* Evidence as rows: which file is whose, and which case named it. */
#include "store/writer.h"

#include <string.h>

#define FORGOTTEN_AT_ONCE 1000 /* rows; the rest go with a later transaction */

static enum store_result write_one(struct store *s, const struct named_fact *f, const struct evidence_ref *e)
{
	sqlite3_stmt *st = writer_use(s, WRITE_NAMED), *mark = writer_use(s, WRITE_MARK_NAMED);
	enum store_result result;

	bind_int(st, 1, f->case_id);
	bind_int(st, 2, f->event_id);
	bind_bytes(st, 3, e->sha256, sizeof e->sha256);
	bind_text(st, 4, f->sender);
	bind_int(st, 5, e->role);
	bind_bytes(mark, 1, e->sha256, sizeof e->sha256);
	bind_text(mark, 2, f->sender);
	result = writer_execute(s, st, "evidence-named");
	return result == STORE_OK ? writer_execute(s, mark, "evidence-mark") : result;
}

enum store_result writer_write_named(struct store *s, const struct named_fact *f)
{
	enum store_result result = STORE_OK;

	for (int i = 0; i < f->count && result == STORE_OK; i++)
		result = write_one(s, f, &f->refs[i]);
	return result;
}

enum store_result writer_write_file(struct store *s, const struct file_fact *f)
{
	sqlite3_stmt *st = writer_use(s, WRITE_FILE);
	int64_t look;

	bind_bytes(st, 1, f->sha256, sizeof f->sha256);
	bind_text(st, 2, f->sender);
	bind_int(st, 3, f->size);
	bind_text(st, 4, f->type);
	bind_int(st, 5, f->at_ms);
	memcpy(&look, f->look, sizeof look);
	bind_int(st, 6, look);
	writer_saw(s, f->at_ms);
	return writer_execute(s, st, "evidence");
}

void store_find_evidence(struct store *s, struct evidence_ref *e, const char *person)
{
	sqlite3_stmt *st = writer_use(s, WRITE_FIND_FILE);
	int64_t look = 0;

	bind_bytes(st, 1, e->sha256, sizeof e->sha256);
	bind_text(st, 2, person);
	e->is_here = writer_found(s, st, "find-evidence");
	if (e->is_here)
		look = column_int(st, 0);
	memcpy(e->look, &look, sizeof e->look);
	(void)sqlite3_reset(st);
}

enum store_result store_forget_evidence(struct store *s, int64_t before_ms, int64_t *forgotten)
{
	sqlite3_stmt *st = writer_use(s, WRITE_FORGET_FILES);
	enum store_result result;

	bind_int(st, 1, before_ms);
	bind_int(st, 2, FORGOTTEN_AT_ONCE);
	result = writer_execute(s, st, "evidence-forget");
	*forgotten = result == STORE_OK ? sqlite3_changes(s->connection.db) : 0;
	return result;
}
