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
	out->reporter = result_text(mem, column_text(st, EVENT_COLUMNS));
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

enum query_status query_events(struct reader *r, int64_t after, int64_t area, int limit, _Bool with_reporter,
                               struct result *mem, struct news_row **rows, size_t *count, int64_t *scanned_to)
{
	size_t most = limit < 1 ? 1 : limit > QUERY_PAGE_MOST ? QUERY_PAGE_MOST : (size_t)limit;
	int64_t low, high, last = 0, last_notice, up_to;
	sqlite3_stmt *st;
	int result = reader_begin(r, QUERY_DEADLINE_MS);

	after = after < 0 ? 0 : after;
	up_to = after;
	*count = 0;
	*rows = result_take(mem, most * sizeof **rows);
	reader_area(area, &low, &high);
	if (result == SQLITE_OK)
		result = last_ids(r, &last, &last_notice);
	if (result == SQLITE_ROW && after < last) {
		up_to = last - after > EVENTS_SCAN_MOST ? after + EVENTS_SCAN_MOST : last;
		st = reader_use(r, with_reporter ? READ_EVENTS_REPORTER : READ_EVENTS);
		bind_int(st, 1, after);
		bind_int(st, 2, up_to);
		bind_int(st, 3, low);
		bind_int(st, 4, high);
		bind_int(st, 5, (int64_t)most);
		result = read_events(st, mem, *rows, most, count);
	}
	*scanned_to = *count == most ? (*rows)[most - 1].fact.id : up_to;
	return reader_end(r, result);
}
