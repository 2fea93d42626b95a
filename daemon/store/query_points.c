/* Somebody's points, and who earned most. */
#include <string.h>

#include "base/clock.h"
#include "store/query_person.h"
#include "store/reader.h"

#define BOARD_ROWS 10

static int read_balance(struct reader *r, const char *person, int64_t now_ms, struct points_answer *out)
{
	sqlite3_stmt *st = reader_use(r, READ_BALANCE);
	int result;

	bind_text(st, 1, person);
	bind_int(st, 2, now_ms);
	result = sqlite3_step(st);
	if (result == SQLITE_ROW) {
		out->balance = column_int(st, 0);
		out->payable = out->balance - column_int(st, 1);
	}
	return result;
}

static void take_ledger_row(sqlite3_stmt *st, struct result *mem, struct ledger_row *out)
{
	out->fact = (struct ledger_fact){
		.id = column_int(st, 0),
		.person = result_text(mem, column_text(st, 1)),
		.at_ms = column_int(st, 2),
		.payable_ms = column_int(st, 3),
		.points = column_int(st, 4),
		.rule = result_text(mem, column_text(st, 5)),
		.case_id = column_int(st, 6),
		.place_key = column_int(st, 7),
		.text = result_text(mem, column_text(st, 8)),
	};
	out->category = (int32_t)column_int(st, 9);
}

static int read_ledger(struct reader *r, const char *person, int64_t before_id, int limit, struct result *mem,
                       struct ledger_row **rows, size_t *count)
{
	sqlite3_stmt *st = reader_use(r, READ_LEDGER);
	int result;

	bind_text(st, 1, person);
	bind_int(st, 2, limit);
	bind_int(st, 3, before_id > 0 ? before_id : INT64_MAX);
	*rows = result_take(mem, (size_t)limit * sizeof **rows);
	while ((result = sqlite3_step(st)) == SQLITE_ROW)
		take_ledger_row(st, mem, &(*rows)[(*count)++]);
	return result;
}

enum query_status query_points(struct reader *r, const char *person, int64_t now_ms, int limit, struct result *mem,
                               struct points_answer *out)
{
	int result = reader_begin(r, QUERY_DEADLINE_MS);
	int most = limit < 1 ? 1 : limit > QUERY_PAGE_MOST ? QUERY_PAGE_MOST : limit;

	memset(out, 0, sizeof *out);
	if (result == SQLITE_OK)
		result = read_balance(r, person, now_ms, out);
	if (result == SQLITE_ROW)
		result = read_ledger(r, person, 0, most, mem, &out->rows, &out->count);
	return reader_end(r, result);
}

enum query_status query_ledger(struct reader *r, const char *person, int64_t before_id, struct result *mem,
                               struct ledger_row **rows, size_t *count)
{
	int result = reader_begin(r, QUERY_DEADLINE_MS);

	*rows = NULL;
	*count = 0;
	if (result == SQLITE_OK)
		result = read_ledger(r, person, before_id, QUERY_PAGE_MOST, mem, rows, count);
	return reader_end(r, result);
}

/* The time of the first row with this id or more; INT64_MAX: there is none. */
static int time_from(struct reader *r, int64_t id, int64_t *at_ms)
{
	sqlite3_stmt *st = reader_use(r, READ_LEDGER_TIME);
	int result;

	bind_int(st, 1, id);
	result = sqlite3_step(st);
	*at_ms = result == SQLITE_ROW ? column_int(st, 0) : INT64_MAX;
	return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

/* Ids rise with time, so the first row of a period is found by halving and not by an index. Timers may carry times a
 * little earlier than the row before them, so the search is for a day before. */
static int first_since(struct reader *r, int64_t from_ms, int64_t *first)
{
	int64_t low = 1, high = INT64_C(1) << 40, at_ms;
	int result = SQLITE_OK;

	while (low < high && result == SQLITE_OK) {
		int64_t middle = low + (high - low) / 2;

		result = time_from(r, middle, &at_ms);
		if (at_ms < from_ms - CLOCK_DAY_MS)
			low = middle + 1;
		else
			high = middle;
	}
	*first = low;
	return result;
}

static int read_board(struct reader *r, int64_t from_ms, int64_t first, struct result *mem, struct board_row *rows,
                      size_t *count)
{
	sqlite3_stmt *st = reader_use(r, READ_BOARD);
	int result;

	bind_int(st, 1, first);
	bind_int(st, 2, from_ms);
	bind_int(st, 3, BOARD_ROWS);
	while ((result = sqlite3_step(st)) == SQLITE_ROW && *count < BOARD_ROWS)
		rows[(*count)++] = (struct board_row){ result_text(mem, column_text(st, 0)), column_int(st, 1) };
	return result;
}

enum query_status query_board(struct reader *r, int64_t from_ms, struct result *mem, struct board_row **rows,
                              size_t *count)
{
	int64_t first = 0;
	int result = reader_begin(r, QUERY_DEADLINE_MS);

	*count = 0;
	*rows = result_take(mem, BOARD_ROWS * sizeof **rows);
	if (result == SQLITE_OK)
		result = first_since(r, from_ms, &first);
	if (result == SQLITE_OK)
		result = read_board(r, from_ms, first, mem, *rows, count);
	return reader_end(r, result);
}
