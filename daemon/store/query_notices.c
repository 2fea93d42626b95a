/* What somebody is owed, oldest first. */
#include <string.h>

#include "store/answer.h"
#include "store/reader.h"

#define ADDRESSEES ((int)(sizeof((struct notice_filter *)0)->to / sizeof(const char *)))

/* Up to where the person that asks, the first addressee, has told it has seen its notices. */
static int read_seen(struct reader *r, const char *person, int64_t *up_to)
{
	sqlite3_stmt *st = reader_use(r, READ_SEEN);
	int result;

	bind_text(st, 1, person);
	result = sqlite3_step(st);
	*up_to = result == SQLITE_ROW ? column_int(st, 0) : 0;
	return result;
}

static void take_notice(sqlite3_stmt *st, struct result *mem, int64_t seen, struct notice_row *out)
{
	const char *text = column_text(st, 7);

	out->fact = (struct notice_fact){
		.id = column_int(st, 0),
		.to = result_text(mem, column_text(st, 1)),
		.at_ms = column_int(st, 2),
		.case_id = column_int(st, 3),
		.event_id = column_int(st, 4),
		.act = (enum act)column_int(st, 5),
		.state = (enum state)column_int(st, 6),
	};
	(void)strncat(out->fact.text, text ? text : "", sizeof out->fact.text - 1);
	out->category = (int32_t)column_int(st, 8);
	answer_people(st, 9, mem, &out->people);
	out->seen = out->fact.id <= seen;
}

/* An addressee that is not given stays NULL, which equals nobody. */
static void bind_notices(sqlite3_stmt *st, const struct notice_filter *f, int64_t after, int limit)
{
	int64_t low, high;
	int n = 0;

	while (n < ADDRESSEES && f->to[n]) {
		bind_text(st, n + 1, f->to[n]);
		n++;
	}
	for (; n < ADDRESSEES; n++)
		bind_text(st, n + 1, NULL);
	bind_int(st, ADDRESSEES + 1, after);
	bind_int(st, ADDRESSEES + 2, limit);
	reader_area(f->role_area, &low, &high);
	bind_int(st, ADDRESSEES + 3, low);
	bind_int(st, ADDRESSEES + 4, high);
}

/* The newest that the reader's snapshot has. */
static int last_notice(struct reader *r, int64_t *id)
{
	sqlite3_stmt *st = reader_use(r, READ_LAST_IDS);
	int result = sqlite3_step(st);

	*id = result == SQLITE_ROW ? column_int(st, 1) : 0;
	return result;
}

static int read_notices(struct reader *r, const struct notice_filter *f, int64_t seen, int limit, struct result *mem,
                        struct notice_row *rows, size_t *count)
{
	sqlite3_stmt *st = reader_use(r, READ_NOTICES);
	int result;

	bind_notices(st, f, f->unseen_only && seen > f->after ? seen : f->after, limit);
	while ((result = sqlite3_step(st)) == SQLITE_ROW)
		take_notice(st, mem, seen, &rows[(*count)++]);
	return result;
}

enum query_status query_notices(struct reader *r, const struct notice_filter *f, struct result *mem,
                                struct notice_row **rows, size_t *count, int64_t *scanned_to)
{
	int limit = f->limit < 1 ? 1 : f->limit > QUERY_PAGE_MOST ? QUERY_PAGE_MOST : f->limit;
	int64_t seen = 0, last = 0;
	int result = reader_begin(r, QUERY_DEADLINE_MS);

	_Static_assert(ADDRESSEES == 15, "as many as READ_NOTICES has branches");
	*count = 0;
	*rows = result_take(mem, (size_t)limit * sizeof **rows);
	if (result == SQLITE_OK)
		result = read_seen(r, f->to[0], &seen);
	if (result == SQLITE_ROW)
		result = last_notice(r, &last);
	if (result == SQLITE_ROW)
		result = read_notices(r, f, seen, limit, mem, *rows, count);
	*scanned_to = *count == (size_t)limit ? (*rows)[*count - 1].fact.id : last > f->after ? last : f->after;
	return reader_end(r, result);
}
