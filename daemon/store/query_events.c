/* What happened after a cursor. */
#include <string.h>

#include "store/answer.h"

/* Events looked at for one answer, so that a subscriber to a quiet area comes forward in bounded steps. */
#define EVENTS_SCAN_MOST 200000

static int last_ids(struct reader *r, int64_t *last_event, int64_t *last_notice)
{
	sqlite3_stmt *st = reader_use(r, READ_LAST_IDS);
	int result = sqlite3_step(st);

	*last_event = result == SQLITE_ROW ? column_int(st, 0) : 0;
	*last_notice = result == SQLITE_ROW ? column_int(st, 1) : 0;
	return result;
}

enum query_status query_last_ids(struct reader *r, int64_t *last_event, int64_t *last_notice)
{
	int result = reader_begin(r, QUERY_DEADLINE_MS);

	*last_event = *last_notice = 0;
	if (result == SQLITE_OK)
		result = last_ids(r, last_event, last_notice);
	return reader_end(r, result);
}

static void take_event(sqlite3_stmt *st, struct result *mem, struct news_row *out)
{
	answer_event(st, &out->fact);
	answer_keep_event(mem, &out->fact);
	answer_people(st, EVENT_COLUMNS, mem, &out->people);
}

static int read_events(sqlite3_stmt *st, struct result *mem, struct news_row *rows, size_t most, size_t *count)
{
	int result;

	while ((result = sqlite3_step(st)) == SQLITE_ROW && *count < most) {
		take_event(st, mem, &rows[*count]);
		if (!answer_event_is_sound(&rows[(*count)++].fact))
			return SQLITE_CORRUPT;
	}
	return result;
}

static int scan(struct reader *r, const struct event_filter *f, int64_t after, int64_t up_to, size_t most,
                struct result *mem, struct news_row *rows, size_t *count)
{
	sqlite3_stmt *st = reader_use(r, READ_EVENTS);
	int64_t low, high;

	reader_area(f->area, &low, &high);
	bind_int(st, 1, after);
	bind_int(st, 2, up_to);
	bind_int(st, 3, low);
	bind_int(st, 4, high);
	bind_int(st, 5, (int64_t)most);
	bind_int(st, 6, f->states != 0 ? f->states : UINT32_MAX);
	return read_events(st, mem, rows, most, count);
}

enum query_status query_events(struct reader *r, const struct event_filter *f, struct result *mem,
                               struct news_row **rows, size_t *count, int64_t *scanned_to)
{
	size_t most = f->limit < 1 ? 1 : f->limit > QUERY_PAGE_MOST ? QUERY_PAGE_MOST : (size_t)f->limit;
	int64_t after = f->after < 0 ? 0 : f->after, up_to = after, last = 0, last_notice;
	int result = reader_begin(r, QUERY_DEADLINE_MS);

	*count = 0;
	*rows = result_take(mem, most * sizeof **rows);
	if (result == SQLITE_OK)
		result = last_ids(r, &last, &last_notice);
	if (result == SQLITE_ROW && after < last) {
		up_to = last - after > EVENTS_SCAN_MOST ? after + EVENTS_SCAN_MOST : last;
		result = scan(r, f, after, up_to, most, mem, *rows, count);
	}
	*scanned_to = *count == most ? (*rows)[most - 1].fact.id : up_to;
	return reader_end(r, result);
}
