/* Indicators: every case of a period is read once and counted here, in C, where each indicator is one line that says
 * what it is. Sums in SQL would be slower and say less.
 *
 * What the counts mean, for a case reported in the period: closed has a passed check and was not reopened since; due is
 * what should have been closed: closed with a limit, open past its limit, or suspended (so that "closed / (due -
 * suspended)" is the closing rate); on_time is closed and never missed its limit; overdue_open is what the list's
 * "overdue" filter shows; reworked, extended and returned count cases it happened to, not how often; cancelled leaves
 * out the alarms that nobody confirmed in time, which are expired_alarms. points are the ledger's rows that name the
 * case, so that those who were merged into it are in them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "jurisdiction/policy_map.h"
#include "store/answer.h"
#include "workflow/case_number.h"
#include "store/query_stats.h"

#define GROUPS_MOST 4096 /* further ones are in the total only */
#define SLOTS 16384      /* a power of two, well above */
#define SQL_MOST 2000
#define KEY_TEXT_SIZE 32
/* Counted where it was reported, whoever has the duty since: a re-cut map changes no figure of the past. */
#define REPORTED_GRID "iif(c.reported_grid, c.reported_grid, c.grid)"

struct group {
	int64_t key; /* of a group that has a number */
	uint32_t hash;
	struct stats_row row; /* row.key is set at once for text keys, at the end for numbers */
};

struct grouping {
	const char *column; /* as SQL over a case row */
	_Bool text;
	void (*name)(int64_t key, char out[KEY_TEXT_SIZE]);
};

struct tally {
	struct reader *reader;
	const struct grouping *by;
	struct result *mem;
	struct stats_answer *out;
	struct group *groups;
	uint16_t *slots; /* 1 + group; 0: free */
	int count;
	int64_t area_low, area_high, id_low, id_high, from_ms, to_ms, now_ms;
	int64_t day_start_ms, day_end_ms, month; /* of the last case looked at */
};

/* ---- keys ---- */

static void name_all(int64_t key, char out[KEY_TEXT_SIZE])
{
	(void)key;
	(void)snprintf(out, KEY_TEXT_SIZE, "all");
}

static void name_kind(int64_t key, char out[KEY_TEXT_SIZE])
{
	const char *name =
		key > REPORTER_UNSET && key < REPORTER_KIND_COUNT ? reporter_kind_name((enum reporter_kind)key) : "";

	(void)snprintf(out, KEY_TEXT_SIZE, "%s", name);
}

/* A case to be located is in no community: the empty key. */
static void name_number(int64_t key, char out[KEY_TEXT_SIZE])
{
	out[0] = '\0';
	if (key != 0)
		(void)snprintf(out, KEY_TEXT_SIZE, "%lld", (long long)key);
}

static void name_category(int64_t key, char out[KEY_TEXT_SIZE])
{
	char text[CATEGORY_TEXT_SIZE];

	category_text((int32_t)key, text);
	(void)snprintf(out, KEY_TEXT_SIZE, "%s", text);
}

static void name_state(int64_t key, char out[KEY_TEXT_SIZE])
{
	(void)snprintf(out, KEY_TEXT_SIZE, "%s", state_info((enum state)key)->name);
}

static void name_month(int64_t key, char out[KEY_TEXT_SIZE])
{
	(void)snprintf(out, KEY_TEXT_SIZE, "%04d-%02d", (int)(key / 100), (int)(key % 100));
}

static const struct grouping groupings[] = {
	[STATS_ALL] = { "0", 0, name_all },
	[STATS_KIND] = { "c.reporter_kind", 0, name_kind },
	[STATS_AREA] = { REPORTED_GRID " / 1000", 0, name_number },
	[STATS_CATEGORY] = { "c.category", 0, name_category },
	[STATS_HANDLER] = { "c.handler", 1, NULL },
	[STATS_STATE] = { "c.state", 0, name_state },
	[STATS_MONTH] = { "c.reported_ms", 0, name_month },
	[STATS_CHANNEL] = { "c.channel", 1, NULL },
};

/* The local month of a time, by the bounds of the day of the case before, for cases come in order of time. */
static int64_t month_of(struct tally *t, int64_t at_ms)
{
	if (at_ms < t->day_start_ms || at_ms >= t->day_end_ms)
		t->month = clock_day_to_ymd(clock_local_day(at_ms, &t->day_start_ms, &t->day_end_ms)) / 100;
	return t->month;
}

static uint32_t hash_of(int64_t key, const char *text)
{
	uint64_t h = (uint64_t)key * UINT64_C(0x9E3779B97F4A7C15);

	for (; text && *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
	return (uint32_t)(h >> 32 ^ h);
}

static _Bool is_group(const struct group *g, uint32_t hash, int64_t key, const char *text)
{
	return g->hash == hash && (text ? strcmp(g->row.key, text) == 0 : g->key == key);
}

/* The group of the key in column 0; NULL when there are too many. */
static struct stats_row *group_of(struct tally *t, sqlite3_stmt *st)
{
	const char *text = t->by->text ? column_text(st, 0) : NULL;
	int64_t key = t->by->text ? 0 : column_int(st, 0);
	uint32_t hash, at;

	if (t->by->text && !text)
		text = "";
	if (t->by->name == name_month)
		key = month_of(t, key);
	hash = hash_of(key, text);
	for (at = hash % SLOTS; t->slots[at] != 0; at = (at + 1) % SLOTS)
		if (is_group(&t->groups[t->slots[at] - 1], hash, key, text))
			return &t->groups[t->slots[at] - 1].row;
	if (t->count == GROUPS_MOST)
		return NULL;
	t->groups[t->count] = (struct group){ .key = key, .hash = hash, .row.key = result_text(t->mem, text) };
	t->slots[at] = (uint16_t)++t->count;
	return &t->groups[t->count - 1].row;
}

/* ---- one case ---- */

#define CASE_COLUMNS                                                                                                   \
	"c.id, c.reported_ms, c.category, c.state, c.stage_due_ms, c.rating, c.extensions, c.reworked, c.returned,"    \
	" c.late, c.filed_ms, c.closed_ms, c.first_reply_ms, c.limit_ms, c.handle_due_ms, c.handle_left_ms,"           \
	" c.exempted,"                                                                                                 \
	" c.grid, c.told,"                                                                                             \
	" CASE WHEN c.state = ?7 THEN (SELECT act FROM case_event AS e WHERE e.id = c.last_event) END"

/* Reads CASE_COLUMNS from column 1 on. */
static _Bool read_case(sqlite3_stmt *st, struct case_file *c, enum act *last_act)
{
	*c = (struct case_file){
		.id = column_int(st, 1),
		.reported_ms = column_int(st, 2),
		.category = (int32_t)column_int(st, 3),
		.state = (uint8_t)column_int(st, 4),
		.stage_due_ms = column_int(st, 5),
		.rating = (uint8_t)column_int(st, 6),
		.extensions = (uint8_t)column_int(st, 7),
		.reworked = (uint8_t)column_int(st, 8),
		.returned = (uint8_t)column_int(st, 9),
		.late = column_int(st, 10) != 0,
		.filed_ms = column_int(st, 11),
		.closed_ms = column_int(st, 12),
		.first_reply_ms = column_int(st, 13),
		.limit_ms = column_int(st, 14),
		.handle_due_ms = column_int(st, 15),
		.handle_left_ms = column_int(st, 16),
	};
	c->exempted = (uint8_t)column_int(st, 17);
	c->grid = column_int(st, 18);
	c->told = (uint8_t)column_int(st, 19);
	*last_act = (enum act)column_int(st, 20);
	return c->state > STATE_NONE && c->state < STATE_COUNT;
}

/* What an ended state and a rating are counted as. */
static int64_t *count_of_state(struct stats_row *row, enum state s, enum act last_act)
{
	if (s == STATE_CANCELLED)
		return last_act == ACT_EXPIRE ? &row->expired_alarms : &row->cancelled;
	return s == STATE_MERGED      ? &row->merged
	       : s == STATE_REJECTED  ? &row->rejected
	       : s == STATE_SUSPENDED ? &row->suspended
	                              : NULL;
}

static int64_t *count_of_rating(struct stats_row *row, enum rating rating)
{
	int64_t *counts[] = { NULL, &row->satisfied, &row->fairly, &row->unsatisfied, &row->unanswered };

	return rating <= RATING_UNANSWERED ? counts[rating] : NULL;
}

static void count_one(int64_t *count)
{
	if (count)
		(*count)++;
}

/* The handling limit has passed and the case is open; a stopped clock keeps how far. */
static _Bool is_past_limit(const struct case_file *c, int64_t now_ms)
{
	return c->handle_due_ms != 0 ? c->handle_due_ms < now_ms : c->limit_ms != 0 && c->handle_left_ms < 0;
}

static void count_case(struct stats_row *row, const struct case_file *c, _Bool archived, enum act last_act,
                       int64_t now_ms)
{
	_Bool closed = c->closed_ms != 0, limited = c->limit_ms != 0;

	row->received++;
	row->filed += c->filed_ms != 0;
	row->closed += closed;
	row->open += !archived;
	row->archived += archived;
	row->overdue_open += !archived && answer_is_overdue(c, now_ms);
	row->due += limited && (closed || (!archived && (is_past_limit(c, now_ms) || c->state == STATE_SUSPENDED)));
	row->on_time += limited && closed && !c->late;
	row->late += limited && closed && c->late;
	row->exempted += limited && closed && c->late && c->exempted != 0;
	row->reworked += c->reworked != 0;
	row->extended += c->extensions != 0;
	row->returned += c->returned != 0;
	row->replied += c->first_reply_ms != 0;
	row->first_reply_ms += c->first_reply_ms != 0 ? c->first_reply_ms - c->reported_ms : 0;
	row->unlocated += !archived && c->grid == 0;
	row->told_outside += c->told == TOLD_OUTSIDE;
	row->told_nowhere += c->told == TOLD_NOTHING || c->told == TOLD_DEFAULT;
	count_one(count_of_state(row, (enum state)c->state, last_act));
	count_one(count_of_rating(row, (enum rating)c->rating));
}

static void note_longest(struct tally *t, const struct case_file *c)
{
	if (t->out->longest_open_id != 0 && t->now_ms - c->reported_ms <= t->out->longest_open_ms)
		return;
	t->out->longest_open_id = c->id;
	t->out->longest_open_ms = t->now_ms - c->reported_ms;
	t->out->longest_open_category = c->category;
}

/* ---- reading ---- */

/* The condition on a case that is counted, and its parameters ?1 to ?7. */
#define CASE_CONDITION                                                                                                 \
	"c.id BETWEEN ?1 AND ?2 AND c.reported_ms >= ?3 AND c.reported_ms < ?4 AND " REPORTED_GRID " BETWEEN ?5 AND "  \
	"?6"

static int prepare(struct tally *t, const char *sql, sqlite3_stmt **st)
{
	int result = sqlite3_prepare_v2(t->reader->connection.db, sql, -1, st, NULL);

	bind_int(*st, 1, t->id_low);
	bind_int(*st, 2, t->id_high);
	bind_int(*st, 3, t->from_ms);
	bind_int(*st, 4, t->to_ms != 0 ? t->to_ms : INT64_MAX);
	bind_int(*st, 5, t->area_low);
	bind_int(*st, 6, t->area_high);
	bind_int(*st, 7, STATE_CANCELLED);
	return result;
}

/* false: the row holds what no case can have. */
static _Bool take_case(struct tally *t, sqlite3_stmt *st, _Bool archived)
{
	struct case_file c;
	enum act last_act;
	struct stats_row *row;

	if (!read_case(st, &c, &last_act))
		return 0;
	row = group_of(t, st);
	if (row)
		count_case(row, &c, archived, last_act, t->now_ms);
	t->out->cut |= row == NULL;
	count_case(&t->out->total, &c, archived, last_act, t->now_ms);
	if (!archived)
		note_longest(t, &c);
	return 1;
}

static int count_cases(struct tally *t, const char *table, _Bool archived)
{
	char sql[SQL_MOST];
	sqlite3_stmt *st = NULL;
	int result;

	(void)snprintf(sql, sizeof sql, "SELECT %s, " CASE_COLUMNS " FROM %s AS c WHERE " CASE_CONDITION, t->by->column,
	               table);
	result = prepare(t, sql, &st);
	if (result == SQLITE_OK)
		while ((result = sqlite3_step(st)) == SQLITE_ROW && take_case(t, st, archived))
			;
	(void)sqlite3_finalize(st);
	return result == SQLITE_DONE ? SQLITE_OK : result == SQLITE_ROW ? SQLITE_CORRUPT : result;
}

static int count_points(struct tally *t, const char *table)
{
	char sql[SQL_MOST];
	struct stats_row *row;
	sqlite3_stmt *st = NULL;
	int result;

	(void)snprintf(sql, sizeof sql,
	               "SELECT %s, l.points FROM ledger AS l CROSS JOIN %s AS c ON c.id = l.case_id"
	               " WHERE l.case_id BETWEEN ?1 AND ?2 AND " CASE_CONDITION,
	               t->by->column, table);
	result = prepare(t, sql, &st);
	if (result == SQLITE_OK)
		while ((result = sqlite3_step(st)) == SQLITE_ROW) {
			row = group_of(t, st);
			if (row)
				row->points += column_int(st, 1);
			t->out->total.points += column_int(st, 1);
		}
	(void)sqlite3_finalize(st);
	return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int count_redeemed(struct tally *t)
{
	sqlite3_stmt *st = NULL;
	int result =
		prepare(t, "SELECT -sum(points) FROM ledger WHERE rule = 'redeem' AND at_ms >= ?3 AND at_ms < ?4", &st);

	if (result == SQLITE_OK)
		result = sqlite3_step(st);
	if (result == SQLITE_ROW)
		t->out->redeemed = column_int(st, 0);
	(void)sqlite3_finalize(st);
	return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

/* ---- the answer ---- */

static int by_received(const void *a, const void *b)
{
	const struct group *left = a, *right = b;

	return (left->row.received < right->row.received) - (left->row.received > right->row.received);
}

static int by_key(const void *a, const void *b)
{
	const struct group *left = a, *right = b;

	return (left->key > right->key) - (left->key < right->key);
}

/* The largest groups first; months in their order. */
static void finish(struct tally *t)
{
	char name[KEY_TEXT_SIZE];
	struct stats_answer *out = t->out;

	qsort(t->groups, (size_t)t->count, sizeof *t->groups, t->by->name == name_month ? by_key : by_received);
	out->cut |= t->count > STATS_ROWS_MOST;
	out->count = t->count > STATS_ROWS_MOST ? STATS_ROWS_MOST : (size_t)t->count;
	out->rows = result_take(t->mem, out->count * sizeof *out->rows);
	for (size_t i = 0; i < out->count; i++) {
		out->rows[i] = t->groups[i].row;
		if (t->by->text)
			continue;
		t->by->name(t->groups[i].key, name);
		out->rows[i].key = result_text(t->mem, name);
	}
}

static int count_all(struct tally *t)
{
	static const char *const tables[] = { "open_case", "closed_case" };
	int result = reader_id_bounds(t->reader, t->from_ms, t->to_ms, &t->id_low, &t->id_high);

	for (int i = 0; i < 2 && result == SQLITE_OK; i++)
		result = count_cases(t, tables[i], i == 1);
	for (int i = 0; i < 2 && result == SQLITE_OK; i++)
		result = count_points(t, tables[i]);
	return result == SQLITE_OK ? count_redeemed(t) : result;
}

enum query_status query_stats(struct reader *r, enum stats_by by, int64_t area, int64_t from_ms, int64_t to_ms,
                              int64_t now_ms, struct result *mem, struct stats_answer *out)
{
	struct tally t = { .reader = r,
		           .by = &groupings[by],
		           .mem = mem,
		           .out = out,
		           .from_ms = from_ms,
		           .to_ms = to_ms,
		           .now_ms = now_ms };
	int result = reader_begin(r, QUERY_STATS_DEADLINE_MS);

	memset(out, 0, sizeof *out);
	out->total.key = "total";
	t.groups = must_calloc(GROUPS_MOST, sizeof *t.groups);
	t.slots = must_calloc(SLOTS, sizeof *t.slots);
	reader_area(area, &t.area_low, &t.area_high);
	if (result == SQLITE_OK)
		result = count_all(&t);
	if (result == SQLITE_OK)
		finish(&t);
	free(t.groups);
	free(t.slots);
	return reader_end(r, result);
}
