/* spans: what cameras go on seeing, as rows. */
#include "store/writer.h"

/* What changes with a post; its row is there from the second one on. */
static enum store_result write_again(struct store *s, const struct alarm_span *a)
{
	sqlite3_stmt *st = writer_use(s, WRITE_SPAN_AGAIN);

	bind_int(st, 1, a->case_id);
	bind_int(st, 2, a->case_category);
	bind_int(st, 3, a->began_ms);
	bind_int(st, 4, a->last_ms);
	bind_int(st, 5, a->over_ms);
	bind_int(st, 6, a->count);
	bind_int(st, 7, a->ended);
	bind_int(st, 8, a->id);
	return writer_execute(s, st, "alarm-span");
}

static enum store_result write_first(struct store *s, const struct alarm_span *a)
{
	sqlite3_stmt *st = writer_use(s, WRITE_SPAN);

	bind_int(st, 1, a->id);
	bind_text(st, 2, a->camera);
	bind_text(st, 3, a->channel);
	bind_text(st, 4, a->event);
	bind_int(st, 5, a->category);
	bind_int(st, 6, a->case_id);
	bind_int(st, 7, a->case_category);
	bind_int(st, 8, a->began_ms);
	bind_int(st, 9, a->last_ms);
	bind_int(st, 10, a->over_ms);
	bind_int(st, 11, a->count);
	bind_int(st, 12, a->ended);
	return writer_execute(s, st, "alarm-span");
}

static enum store_result write_span(struct store *s, const struct alarm_span *a)
{
	enum store_result result = write_again(s, a);

	writer_saw(s, a->last_ms);
	return result != STORE_OK || sqlite3_changes(s->connection.db) == 1 ? result : write_first(s, a);
}

static enum store_result forget_span(struct store *s, int64_t id)
{
	sqlite3_stmt *st = writer_use(s, WRITE_FORGET_SPAN);

	bind_int(st, 1, id);
	return writer_execute(s, st, "forget-alarm-span");
}

enum store_result spans_write(struct store *s, const struct facts *f)
{
	enum store_result result = STORE_OK;

	for (size_t i = 0; i < f->forgotten_count && result == STORE_OK; i++)
		result = forget_span(s, f->forgotten[i]);
	for (size_t i = 0; i < f->span_count && result == STORE_OK; i++)
		result = write_span(s, &f->spans[i]);
	return result;
}

_Bool spans_read(sqlite3_stmt *st, struct alarm_span *out)
{
	int64_t count = column_int(st, 10);

	*out = (struct alarm_span){
		.id = column_int(st, 0),
		.camera = column_text(st, 1),
		.channel = column_text(st, 2),
		.event = column_text(st, 3),
		.category = (int32_t)column_int(st, 4),
		.case_id = column_int(st, 5),
		.case_category = (int32_t)column_int(st, 6),
		.began_ms = column_int(st, 7),
		.last_ms = column_int(st, 8),
		.over_ms = column_int(st, 9),
		.count = (int32_t)count,
		.ended = column_int(st, 11) != 0,
	};
	/* Names are as long as the doors let them be. */
	return count >= 0 && count <= ALARM_COUNT_MOST && sqlite3_column_bytes(st, 1) <= COMMAND_ID_MOST &&
	       sqlite3_column_bytes(st, 2) <= COMMAND_ID_MOST && sqlite3_column_bytes(st, 3) <= COMMAND_EVENT_MOST;
}
