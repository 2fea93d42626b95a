/* One case with its history. */
#include "store/reader.h"

#include <string.h>

#include "store/answer.h"

#define HISTORY_MOST 100

static const char *keep_text(void *ctx, const char *text)
{
	return result_text(ctx, text);
}

_Bool answer_case(struct reader *r, sqlite3_stmt *st, _Bool archived, struct result *mem, struct case_row *out)
{
	const char **particulars[] = { &out->address,       &out->description, &out->beneficiary, &out->contact_name,
		                       &out->contact_phone, &out->programme,   &out->photos,      &out->channel };

	if (!row_read(st, 0, &out->file, &r->units))
		return 0;
	row_keep(&out->file, keep_text, mem);
	row_read_report(st, ROW_CASE_COUNT, out);
	for (size_t i = 0; i < sizeof particulars / sizeof *particulars; i++)
		*particulars[i] = result_text(mem, *particulars[i]);
	out->archived = archived;
	return 1;
}

void answer_event(sqlite3_stmt *st, struct fact *out)
{
	*out = (struct fact){
		.id = column_int(st, 0),
		.case_id = column_int(st, 1),
		.prev = column_int(st, 2),
		.at_ms = column_int(st, 3),
		.act = (enum act)column_int(st, 4),
		.from = (enum state)column_int(st, 5),
		.to = (enum state)column_int(st, 6),
		.actor = column_text(st, 7),
		.ref = column_text(st, 8),
		.text = column_text(st, 9),
		.value = column_int(st, 10),
		.category = (int32_t)column_int(st, 11),
		.grid = column_int(st, 12),
		.stage_due_ms = column_int(st, 13),
		.handle_due_ms = column_int(st, 14),
		.handle_warn_ms = column_int(st, 15),
		.handle_left_ms = column_int(st, 16),
		.unit = (uint8_t)column_int(st, 17),
		.photo_roles = (uint8_t)column_int(st, 18),
	};
}

_Bool answer_event_is_sound(const struct fact *f)
{
	return f->act > ACT_NONE && f->act < ACT_COUNT && f->from >= STATE_NONE && f->from < STATE_COUNT &&
	       f->to > STATE_NONE && f->to < STATE_COUNT && f->actor != NULL && f->unit < LIMIT_UNITS;
}

void answer_keep_event(struct result *mem, struct fact *f)
{
	f->actor = result_text(mem, f->actor);
	f->ref = result_text(mem, f->ref);
	f->text = result_text(mem, f->text);
}

void answer_people(sqlite3_stmt *st, int at, struct result *mem, struct case_people *out)
{
	*out = (struct case_people){ .reporter = result_text(mem, column_text(st, at)),
		                     .anonymous = column_int(st, at + 1) != 0,
		                     .beneficiary = result_text(mem, column_text(st, at + 2)),
		                     .contact_name = result_text(mem, column_text(st, at + 3)) };
}

/* SQLITE_ROW when it is there. */
static int read_case(struct reader *r, enum reader_statement which, int64_t id, struct result *mem,
                     struct case_row *out)
{
	sqlite3_stmt *st = reader_use(r, which);
	int result;

	bind_int(st, 1, id);
	result = sqlite3_step(st);
	if (result == SQLITE_ROW && !answer_case(r, st, which == READ_CLOSED_CASE, mem, out))
		result = SQLITE_CORRUPT;
	return result;
}

/* Follows the chain from the newest event backwards, then turns it round. */
static int read_history(struct reader *r, struct result *mem, struct case_answer *out)
{
	sqlite3_stmt *st;
	int result = SQLITE_ROW;
	size_t n = 0;
	int64_t next = out->row.file.last_event;

	out->history = result_take(mem, HISTORY_MOST * sizeof *out->history);
	for (; next != 0 && n < HISTORY_MOST; n++) {
		st = reader_use(r, READ_EVENT);
		bind_int(st, 1, next);
		result = sqlite3_step(st);
		if (result != SQLITE_ROW)
			break;
		answer_event(st, &out->history[n]);
		if (!answer_event_is_sound(&out->history[n]))
			return SQLITE_CORRUPT;
		answer_keep_event(mem, &out->history[n]);
		next = out->history[n].prev;
	}
	out->history_count = n;
	out->history_cut = next != 0;
	for (size_t i = 0; i < n / 2; i++) {
		struct fact f = out->history[i];

		out->history[i] = out->history[n - 1 - i];
		out->history[n - 1 - i] = f;
	}
	return result;
}

static int read_merged_here(struct reader *r, struct result *mem, struct case_answer *out)
{
	sqlite3_stmt *st = reader_use(r, READ_MERGED_HERE);
	int result;

	bind_int(st, 1, out->row.file.id);
	bind_int(st, 2, QUERY_PAGE_MOST);
	out->merged_here = result_take(mem, QUERY_PAGE_MOST * sizeof *out->merged_here);
	out->merged_here_categories = result_take(mem, QUERY_PAGE_MOST * sizeof *out->merged_here_categories);
	while ((result = sqlite3_step(st)) == SQLITE_ROW && out->merged_here_count < QUERY_PAGE_MOST) {
		out->merged_here[out->merged_here_count] = column_int(st, 0);
		out->merged_here_categories[out->merged_here_count++] = (int32_t)column_int(st, 1);
	}
	return result;
}

enum query_status query_case(struct reader *r, int64_t id, struct result *mem, struct case_answer *out)
{
	enum query_status status;
	_Bool found = 0;
	int result = reader_begin(r, QUERY_DEADLINE_MS);

	memset(out, 0, sizeof *out);
	if (result == SQLITE_OK)
		result = read_case(r, READ_OPEN_CASE, id, mem, &out->row);
	if (result == SQLITE_DONE)
		result = read_case(r, READ_CLOSED_CASE, id, mem, &out->row);
	found = result == SQLITE_ROW;
	if (found)
		result = read_history(r, mem, out);
	if (found && result == SQLITE_ROW)
		result = read_merged_here(r, mem, out);
	status = reader_end(r, result);
	return status == QUERY_OK && !found ? QUERY_NOT_FOUND : status;
}
