#include "store/row.h"
#include "workflow/place.h"

#include <math.h>
#include <string.h>

#define PER_MILLION 1000000.0

enum column_kind { COLUMN_INT64, COLUMN_INT32, COLUMN_UINT8, COLUMN_BOOL, COLUMN_TEXT, COLUMN_PLACE, COLUMN_UNITS };

struct column {
	const char *name;
	enum column_kind kind;
	uint16_t offset, counter;
	_Bool replayed;
};

#define COLUMN(name, kind, field, counter, replayed)                                                                   \
	{ #name, COLUMN_##kind, offsetof(struct case_file, field), offsetof(struct case_file, counter), replayed },

static const struct column columns[ROW_CASE_COUNT] = { COLUMN(id, INT64, id, id, 1) ROW_OPENING(COLUMN)
	                                                       ROW_MOVING(COLUMN) ROW_LATER(COLUMN) };

#define MOVING_AT (1 + ROW_OPENING_COUNT)
#define LATER_AT (MOVING_AT + ROW_MOVING_COUNT)

static const void *field_of(const struct case_file *c, const struct column *column)
{
	return (const char *)c + column->offset;
}

static uint8_t counter_of(const struct case_file *c, const struct column *column)
{
	uint8_t count;

	memcpy(&count, (const char *)c + column->counter, sizeof count);
	return count;
}

/* The units as one text "a,b,c"; NULL when there are none. */
static const char *join(const char *const *units, int count, char *room)
{
	char *end = room;

	for (int i = 0; i < count; i++) {
		size_t length = strlen(units[i]);

		must(length <= COMMAND_ID_MOST);
		if (i > 0)
			*end++ = ',';
		memcpy(end, units[i], length);
		end += length;
	}
	*end = '\0';
	return count == 0 ? NULL : room;
}

static void bind_place(sqlite3_stmt *st, int at, int32_t place)
{
	if (place == PLACE_NONE)
		(void)sqlite3_bind_null(st, at);
	else
		bind_int(st, at, place);
}

static void bind_column(sqlite3_stmt *st, int at, const struct case_file *c, const struct column *column,
                        struct row_units *room)
{
	const void *field = field_of(c, column);

	switch (column->kind) {
	case COLUMN_INT64:
		bind_int(st, at, *(const int64_t *)field);
		break;
	case COLUMN_INT32:
		bind_int(st, at, *(const int32_t *)field);
		break;
	case COLUMN_UINT8:
		bind_int(st, at, *(const uint8_t *)field);
		break;
	case COLUMN_BOOL:
		bind_int(st, at, *(const _Bool *)field);
		break;
	case COLUMN_TEXT:
		bind_text(st, at, *(const char *const *)field);
		break;
	case COLUMN_PLACE:
		bind_place(st, at, *(const int32_t *)field);
		break;
	case COLUMN_UNITS:
		bind_text(st, at, join(field, counter_of(c, column), room->text[field == c->whistled]));
		break;
	}
}

static int bind_columns(sqlite3_stmt *st, int at, const struct case_file *c, int from, int to, struct row_units *room)
{
	for (int i = from; i < to; i++)
		bind_column(st, at++, c, &columns[i], room);
	return at;
}

int row_bind_new(sqlite3_stmt *st, int at, const struct case_file *c, struct row_units *room)
{
	return bind_columns(st, at, c, 0, LATER_AT, room);
}

int row_bind_all(sqlite3_stmt *st, int at, const struct case_file *c, struct row_units *room)
{
	return bind_columns(st, at, c, 0, ROW_CASE_COUNT, room);
}

int row_bind_changes(sqlite3_stmt *st, int at, const struct case_file *c, struct row_units *room)
{
	return bind_columns(st, at, c, MOVING_AT, ROW_CASE_COUNT, room);
}

int row_bind_report(sqlite3_stmt *st, int at, const struct command *report)
{
	bind_text(st, at++, report->channel);
	bind_text(st, at++, report->address);
	bind_text(st, at++, report->description);
	bind_text(st, at++, report->beneficiary);
	bind_text(st, at++, report->programme);
	bind_text(st, at++, report->photos);
	bind_text(st, at++, report->label);
	bind_int(st, at++, report->seen_at_ms);
	bind_int(st, at++, isfinite(report->confidence) ? (int64_t)(report->confidence * PER_MILLION + 0.5) : 0);
	bind_text(st, at++, report->contact_name);
	bind_text(st, at++, report->contact_phone);
	return at;
}

/* The value of a column that is no text; PLACE_NONE stands for itself. */
static int64_t number_of(const struct case_file *c, const struct column *column)
{
	const void *field = field_of(c, column);

	switch (column->kind) {
	case COLUMN_INT64:
		return *(const int64_t *)field;
	case COLUMN_INT32:
	case COLUMN_PLACE:
		return *(const int32_t *)field;
	case COLUMN_UINT8:
		return *(const uint8_t *)field;
	case COLUMN_BOOL:
		return *(const _Bool *)field;
	case COLUMN_TEXT:
		return *(const char *const *)field != NULL;
	case COLUMN_UNITS:
		return counter_of(c, column);
	}
	return 0;
}

_Bool row_is_new(const struct case_file *c)
{
	for (int i = LATER_AT; i < ROW_CASE_COUNT; i++)
		if (number_of(c, &columns[i]) != 0)
			return 0;
	return 1;
}

/* Cuts a copy of "a,b,c" into units. false: more than a case can have. */
static _Bool split(const char *text, char *room, const char **units, uint8_t *count)
{
	*count = 0;
	if (text == NULL)
		return 1;
	if (strlen(text) > ROW_UNITS_MOST)
		return 0;
	strcpy(room, text);
	for (char *rest = room, *unit; (unit = strsep(&rest, ",")) != NULL; (*count)++) {
		if (*count == CASE_UNITS_MOST)
			return 0;
		units[*count] = unit;
	}
	return 1;
}

/* Stores a number into a field of size bytes if it fits there. */
static _Bool store_number(void *field, enum column_kind kind, int64_t value)
{
	static const struct {
		int64_t least, most;
	} range[] = {
		[COLUMN_INT64] = { INT64_MIN, INT64_MAX }, [COLUMN_INT32] = { INT32_MIN, INT32_MAX },
		[COLUMN_UINT8] = { 0, UINT8_MAX },         [COLUMN_BOOL] = { 0, 1 },
		[COLUMN_PLACE] = { INT32_MIN, INT32_MAX },
	};

	if (value < range[kind].least || value > range[kind].most)
		return 0;
	if (kind == COLUMN_INT64)
		*(int64_t *)field = value;
	else if (kind == COLUMN_UINT8)
		*(uint8_t *)field = (uint8_t)value;
	else if (kind == COLUMN_BOOL)
		*(_Bool *)field = value != 0;
	else
		*(int32_t *)field = (int32_t)value;
	return 1;
}

static _Bool read_column(sqlite3_stmt *st, int at, struct case_file *out, const struct column *column,
                         struct row_units *room)
{
	void *field = (char *)out + column->offset;

	if (column->kind == COLUMN_TEXT) {
		*(const char **)field = column_text(st, at);
		return 1;
	}
	if (column->kind == COLUMN_UNITS)
		return split(column_text(st, at), room->text[field == (void *)out->whistled], field,
		             (uint8_t *)((char *)out + column->counter));
	if (column->kind == COLUMN_PLACE && sqlite3_column_type(st, at) == SQLITE_NULL)
		return store_number(field, COLUMN_PLACE, PLACE_NONE);
	return store_number(field, column->kind, column_int(st, at));
}

_Bool row_read(sqlite3_stmt *st, int at, struct case_file *out, struct row_units *room)
{
	memset(out, 0, sizeof *out);
	for (int i = 0; i < ROW_CASE_COUNT; i++)
		if (!read_column(st, at + i, out, &columns[i], room))
			return 0;
	return out->state > STATE_NONE && out->state < STATE_COUNT && out->reporter_kind < REPORTER_KIND_COUNT &&
	       out->limit_unit < LIMIT_UNITS;
}

void row_read_report(sqlite3_stmt *st, int at, struct case_row *out)
{
	out->channel = column_text(st, at++);
	out->address = column_text(st, at++);
	out->description = column_text(st, at++);
	out->beneficiary = column_text(st, at++);
	out->programme = column_text(st, at++);
	out->photos = column_text(st, at++);
	at += 3; /* label, seen_at_ms, confidence_ppm */
	out->contact_name = column_text(st, at++);
	out->contact_phone = column_text(st, at++);
}

void row_keep(struct case_file *c, const char *(*keep)(void *ctx, const char *text), void *ctx)
{
	for (int i = 0; i < ROW_CASE_COUNT; i++) {
		const char **text = (const char **)(void *)((char *)c + columns[i].offset);
		int count = columns[i].kind == COLUMN_TEXT    ? 1
		            : columns[i].kind == COLUMN_UNITS ? counter_of(c, &columns[i])
		                                              : 0;

		for (int k = 0; k < count; k++)
			text[k] = keep(ctx, text[k]);
	}
}

static _Bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static _Bool same(const struct case_file *a, const struct case_file *b, const struct column *column)
{
	const char *const *left = field_of(a, column), *const *right = field_of(b, column);
	int count = column->kind == COLUMN_TEXT ? 1 : column->kind == COLUMN_UNITS ? counter_of(a, column) : 0;

	if (number_of(a, column) != number_of(b, column))
		return 0;
	for (int k = 0; k < count; k++)
		if (!same_text(left[k], right[k]))
			return 0;
	return 1;
}

const char *row_difference(const struct case_file *a, const struct case_file *b, _Bool replayed_only)
{
	for (int i = 0; i < ROW_CASE_COUNT; i++)
		if ((columns[i].replayed || !replayed_only) && !same(a, b, &columns[i]))
			return columns[i].name;
	return NULL;
}
