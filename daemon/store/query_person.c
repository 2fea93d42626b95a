#include "store/query_person.h"

#include "base/clock.h"
#include "store/reader.h"
#include "workflow/case_number.h"

static int read_newest(struct reader *r, enum reader_statement which, const char *person, int64_t before, int64_t low,
                       int64_t *id)
{
	sqlite3_stmt *st = reader_use(r, which);
	int result;

	bind_text(st, 1, person);
	bind_int(st, 2, before > 0 ? before : INT64_MAX);
	if (which == READ_CASE_SENT_BY)
		bind_int(st, 3, low);
	result = sqlite3_step(st);
	*id = result == SQLITE_ROW ? column_int(st, 0) : 0;
	return result;
}

enum query_status query_case_of(struct reader *r, const char *person, int64_t before_id, int64_t *id)
{
	int result = reader_begin(r, QUERY_DEADLINE_MS);

	*id = 0;
	if (result == SQLITE_OK)
		result = read_newest(r, READ_CASE_OF, person, before_id, 0, id);
	return reader_end(r, result);
}

static int read_bounds(struct reader *r, int64_t *low, int64_t *high)
{
	sqlite3_stmt *st = reader_use(r, READ_CASE_BOUNDS);
	int result = sqlite3_step(st);

	*low = result == SQLITE_ROW ? column_int(st, 0) : 0;
	*high = result == SQLITE_ROW ? column_int(st, 1) : 0;
	return result;
}

/* No index has who sent what is anonymous, so the archive is walked, a month of ids at a time. */
enum query_status query_case_sent_by(struct reader *r, const char *person, int64_t before_id, int64_t *id,
                                     int64_t *scanned_to)
{
	static const int64_t first_day = 20000; /* any: what matters is how far apart two days' ids are */
	int64_t low = 0, high = 0, from;
	int64_t piece = QUERY_PERSON_DAYS * (case_id_make(0, first_day + 1, 0) - case_id_make(0, first_day, 0));
	int result = reader_begin(r, QUERY_DEADLINE_MS);

	*id = *scanned_to = 0;
	if (result == SQLITE_OK)
		result = read_bounds(r, &low, &high);
	if (before_id <= 0 || before_id > high)
		before_id = high + 1;
	from = before_id > low + piece ? before_id - piece : low;
	if (result == SQLITE_ROW)
		result = read_newest(r, READ_CASE_SENT_BY, person, before_id, from, id);
	*scanned_to = *id != 0 ? *id : from > low ? from : 0;
	return reader_end(r, result);
}
