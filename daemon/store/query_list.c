/* A page of cases, newest first: open and archived ones merged by id.
 *
 * Every source is a cursor that gives ids downwards: one over the open cases, which are few, and one or several over the
 * archive, each along an index that holds one exact value (this reporter, this unit, this grid), so that the first
 * page costs a page and not the archive. An area is as many cursors as it has grids; only when those are too many, or
 * nothing narrower is asked, the archive itself is walked downwards, and what is asked is then common enough to be met
 * soon. INDEXED BY makes SQLite refuse rather than choose otherwise. */
#include <stdio.h>
#include <string.h>

#include "store/answer.h"

#define GRIDS_MOST 32 /* cursors over the archive */
#define SQL_MOST 4000

enum parameter {
	P_BEFORE = 1,
	P_GRID_LOW,
	P_GRID_HIGH,
	P_CATEGORY_LOW,
	P_CATEGORY_HIGH,
	P_STATES,
	P_HANDLER,
	P_REPORTER,
	P_NOW,
	P_FROM,
	P_TO,
	P_ID_LOW,
	P_WAITING
};

struct cursor {
	sqlite3_stmt *st;
	int64_t id; /* of the row it stands on; 0: at its end */
	_Bool archived;
};

struct listing {
	struct reader *reader;
	const struct case_filter *filter;
	int64_t grid_low, grid_high, id_low, id_high;
	struct cursor cursors[1 + GRIDS_MOST];
	int count;
};

/* States in which the state's own timer is a deadline for staff. */
#define WAITING_FOR_STAFF                                                                                              \
	(1 << STATE_REPORTED | 1 << STATE_ALARM_PENDING | 1 << STATE_VERIFYING | 1 << STATE_FILED |                    \
	 1 << STATE_DISPATCHED | 1 << STATE_WHISTLED | 1 << STATE_HANDLED | 1 << STATE_CHECKING)

_Bool answer_is_overdue(const struct case_file *c, int64_t now_ms)
{
	return (c->handle_due_ms != 0 && c->handle_due_ms < now_ms) ||
	       (c->stage_due_ms != 0 && c->stage_due_ms < now_ms && (WAITING_FOR_STAFF >> c->state & 1));
}

static _Bool is_class(int32_t category)
{
	return category % 100 == 0;
}

/* The conditions that the filter asks for, as SQL. */
static void add_conditions(const struct case_filter *f, char *sql)
{
	const struct {
		_Bool asked;
		const char *text;
	} conditions[] = {
		{ f->area != 0, " AND grid BETWEEN ?2 AND ?3" },
		{ f->category != 0, is_class(f->category) ? " AND category BETWEEN ?4 AND ?5" : " AND category = ?4" },
		{ f->states != 0, " AND (1 << state & ?6) <> 0" },
		{ f->handler != NULL, " AND handler = ?7" },
		{ f->reporter != NULL, " AND reporter = ?8" },
		{ f->overdue, " AND ((handle_due_ms <> 0 AND handle_due_ms < ?9) OR (stage_due_ms <> 0"
		              " AND stage_due_ms < ?9 AND (1 << state & ?13) <> 0))" },
		{ f->unlocated, " AND grid = 0" },
		{ f->doubted, " AND doubts <> 0" },
		{ f->from_ms != 0, " AND reported_ms >= ?10" },
		{ f->to_ms != 0, " AND reported_ms < ?11" },
	};

	for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
		if (conditions[i].asked)
			strcat(sql, conditions[i].text);
	strcat(sql, " ORDER BY id DESC");
}

static void bind_filter(const struct listing *l, sqlite3_stmt *st)
{
	const struct case_filter *f = l->filter;

	/* A number that this text does not use is out of range, and that is fine. */
	bind_int(st, P_BEFORE, f->before_id != 0 && f->before_id < l->id_high ? f->before_id : l->id_high);
	bind_int(st, P_GRID_LOW, l->grid_low);
	bind_int(st, P_GRID_HIGH, l->grid_high);
	bind_int(st, P_CATEGORY_LOW, f->category);
	bind_int(st, P_CATEGORY_HIGH, f->category + 99);
	bind_int(st, P_STATES, f->states);
	bind_text(st, P_HANDLER, f->handler);
	bind_text(st, P_REPORTER, f->reporter);
	bind_int(st, P_NOW, f->now_ms);
	bind_int(st, P_FROM, f->from_ms);
	bind_int(st, P_TO, f->to_ms);
	bind_int(st, P_ID_LOW, l->id_low);
	bind_int(st, P_WAITING, WAITING_FOR_STAFF);
}

static int advance(struct cursor *c)
{
	int result = sqlite3_step(c->st);

	c->id = result == SQLITE_ROW ? column_int(c->st, 0) : 0;
	return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

/* A cursor on its first row. source: a table and how to walk it; narrow: a condition of its own. */
static int add_cursor(struct listing *l, _Bool archived, const char *source, int64_t grid)
{
	char sql[SQL_MOST];
	struct cursor *c = &l->cursors[l->count];
	int result;

	(void)snprintf(sql, sizeof sql, "SELECT " ROW_ALL_NAMES " FROM %s WHERE id < ?1 AND id >= ?12%s", source,
	               grid != 0 ? " AND grid = ?14" : "");
	add_conditions(l->filter, sql);
	*c = (struct cursor){ .archived = archived };
	result = sqlite3_prepare_v2(l->reader->connection.db, sql, -1, &c->st, NULL);
	if (result != SQLITE_OK)
		return result;
	l->count++;
	bind_filter(l, c->st);
	bind_int(c->st, P_WAITING + 1, grid);
	return advance(c);
}

/* The next grid with archived cases after this one; 0: none in the area. */
static int next_grid(struct listing *l, sqlite3_stmt *st, int64_t *grid)
{
	int result;

	(void)sqlite3_reset(st);
	bind_int(st, 1, *grid);
	bind_int(st, 2, l->grid_high);
	result = sqlite3_step(st);
	*grid = result == SQLITE_ROW ? column_int(st, 0) : 0;
	return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

/* The area's grids that the archive knows; *count is GRIDS_MOST + 1 when there are more than that. */
static int find_grids(struct listing *l, int64_t grids[GRIDS_MOST], int *count)
{
	sqlite3_stmt *st = NULL;
	int64_t grid = l->grid_low - 1;
	int result = sqlite3_prepare_v2(l->reader->connection.db,
	                                "SELECT grid FROM closed_case INDEXED BY closed_by_grid"
	                                " WHERE grid > ?1 AND grid <= ?2 ORDER BY grid LIMIT 1",
	                                -1, &st, NULL);

	*count = 0;
	while (result == SQLITE_OK && *count <= GRIDS_MOST) {
		result = next_grid(l, st, &grid);
		if (result != SQLITE_OK || grid == 0)
			break;
		if (*count < GRIDS_MOST)
			grids[*count] = grid;
		(*count)++;
	}
	(void)sqlite3_finalize(st);
	return result;
}

static int add_area(struct listing *l)
{
	int64_t grids[GRIDS_MOST];
	int count;
	int result = find_grids(l, grids, &count);

	if (result == SQLITE_OK && count > GRIDS_MOST)
		return add_cursor(l, 1, "closed_case NOT INDEXED", 0);
	for (int i = 0; i < count && result == SQLITE_OK; i++)
		result = add_cursor(l, 1, "closed_case INDEXED BY closed_by_grid", grids[i]);
	return result;
}

static int add_archive(struct listing *l)
{
	const struct case_filter *f = l->filter;

	if (f->reporter)
		return add_cursor(l, 1, "closed_case INDEXED BY closed_by_reporter", 0);
	if (f->handler)
		return add_cursor(l, 1, "closed_case INDEXED BY closed_by_handler", 0);
	if (f->area != 0)
		return add_area(l);
	if (f->category != 0 && !is_class(f->category))
		return add_cursor(l, 1, "closed_case INDEXED BY closed_by_category", 0);
	return add_cursor(l, 1, "closed_case NOT INDEXED", 0);
}

/* Which of the two tables can hold what is asked. */
static int add_cursors(struct listing *l)
{
	const struct case_filter *f = l->filter;
	uint32_t ended = 0;
	int result = SQLITE_OK;

	for (int s = STATE_NONE + 1; s < STATE_COUNT; s++)
		ended |= (uint32_t)state_info((enum state)s)->terminal << s;
	if (f->states == 0 || (f->states & ~ended))
		result = add_cursor(l, 0, "open_case", 0);
	if (result == SQLITE_OK && !f->open_only && !f->overdue && (f->states == 0 || (f->states & ended)))
		result = add_archive(l);
	return result;
}

/* The cursor with the newest row; NULL: all are at their ends. */
static struct cursor *newest(struct listing *l)
{
	struct cursor *best = NULL;

	for (int i = 0; i < l->count; i++)
		if (l->cursors[i].id != 0 && (best == NULL || l->cursors[i].id > best->id))
			best = &l->cursors[i];
	return best;
}

static int take_rows(struct listing *l, struct result *mem, struct case_list *out)
{
	size_t most = l->filter->limit < 1                 ? 1
	              : l->filter->limit > QUERY_PAGE_MOST ? QUERY_PAGE_MOST
	                                                   : (size_t)l->filter->limit;
	struct cursor *c;
	int result = SQLITE_OK;

	out->rows = result_take(mem, most * sizeof *out->rows);
	while (result == SQLITE_OK && (c = newest(l)) != NULL) {
		if (out->count == most) {
			out->next_before_id = out->rows[most - 1].file.id;
			break;
		}
		if (!answer_case(l->reader, c->st, c->archived, mem, &out->rows[out->count++]))
			return SQLITE_CORRUPT;
		result = advance(c);
	}
	return result;
}

enum query_status query_list(struct reader *r, const struct case_filter *f, struct result *mem, struct case_list *out)
{
	struct listing l = { .reader = r, .filter = f };
	int result = reader_begin(r, QUERY_DEADLINE_MS);

	memset(out, 0, sizeof *out);
	reader_area(f->area, &l.grid_low, &l.grid_high);
	if (result == SQLITE_OK)
		result = reader_id_bounds(r, f->from_ms, f->to_ms, &l.id_low, &l.id_high);
	if (result == SQLITE_OK)
		result = add_cursors(&l);
	if (result == SQLITE_OK)
		result = take_rows(&l, mem, out);
	for (int i = 0; i < l.count; i++)
		(void)sqlite3_finalize(l.cursors[i].st);
	return reader_end(r, result);
}
