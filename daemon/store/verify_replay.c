/* One pass over all events in their order. The cases alive at that point are kept in memory, as the daemon keeps them;
 * each event is judged against its case and applied to it. A case that ends is compared with its archived row at once
 * and forgotten, so memory holds the open cases and no more; what is left at the end is compared with the open rows. */
#include <stdlib.h>
#include <string.h>

#include "store/answer.h"
#include "store/verifier.h"
#include "workflow/casebook.h"
#include "workflow/decide.h"
#include "workflow/place.h"
#include "workflow/transitions.h"

#define uthash_fatal(message) must_not_happen(__FILE__, __LINE__, message)
#include <uthash.h>

struct alive {
	UT_hash_handle hh;
	int64_t id;
	struct case_file file;
};

struct replay {
	struct verifier *v;
	struct casebook *names; /* only for the texts of case_apply */
	struct alive *alive;
	sqlite3_stmt *closed, *notice, *notices;
	int64_t notice_event; /* of the row the scan of notices stands on; INT64_MAX: at its end */
};

static struct alive *find(struct replay *r, int64_t id)
{
	struct alive *a;

	HASH_FIND(hh, r->alive, &id, sizeof id, a);
	return a;
}

static void forget(struct replay *r, struct alive *a)
{
	HASH_DEL(r->alive, a);
	free(a);
}

/* ---- an event ---- */

static struct alive *open_case(struct replay *r, const struct fact *f)
{
	struct alive *a = find(r, f->case_id);

	if (!verifier_look(r->v, VERIFY_OPENED, a == NULL && f->prev == 0, "event %lld opens case %lld again",
	                   (long long)f->id, (long long)f->case_id))
		return NULL;
	a = must_calloc(1, sizeof *a);
	a->id = f->case_id;
	a->file.lat_e7 = a->file.lon_e7 = PLACE_NONE;
	HASH_ADD(hh, r->alive, id, sizeof a->id, a);
	return a;
}

/* The case an event goes on with; NULL when there is none it could. */
static struct alive *go_on(struct replay *r, const struct fact *f)
{
	struct alive *a = find(r, f->case_id);

	if (!verifier_look(r->v, VERIFY_CHAIN, a != NULL,
	                   "event %lld belongs to case %lld, which was never opened or has ended", (long long)f->id,
	                   (long long)f->case_id))
		return NULL;
	(void)verifier_look(r->v, VERIFY_CHAIN, f->prev == a->file.last_event && (int)f->from == a->file.state,
	                    "event %lld of case %lld follows event %lld, not %lld", (long long)f->id,
	                    (long long)f->case_id, (long long)f->prev, (long long)a->file.last_event);
	return a;
}

#define GRID_LEAST INT64_C(100000000000000)
#define GRID_MOST INT64_C(999999999999999)

static void check_grid(struct replay *r, const struct alive *a, const struct fact *f)
{
	_Bool may_change = f->from == STATE_NONE || f->act == ACT_FILE || f->act == ACT_LOCATE || f->act == ACT_REGRID;
	_Bool is_grid = f->grid == 0 || (f->grid >= GRID_LEAST && f->grid <= GRID_MOST);

	(void)verifier_look(r->v, VERIFY_GRID, is_grid && (may_change || f->grid == a->file.grid),
	                    "event %lld of case %lld: grid %lld after %lld", (long long)f->id, (long long)f->case_id,
	                    (long long)f->grid, (long long)a->file.grid);
}

static void check_transition(struct replay *r, const struct fact *f)
{
	(void)verifier_look(r->v, VERIFY_TRANSITIONS, transition_allowed(f->act, f->from, f->to),
	                    "event %lld of case %lld: %s from %s to %s", (long long)f->id, (long long)f->case_id,
	                    act_info(f->act)->name, f->from ? state_info(f->from)->name : "nothing",
	                    state_info(f->to)->name);
}

/* ---- a row ---- */

static void check_stages(struct replay *r, const struct case_file *c)
{
	int64_t sum = 0, until = c->ended_ms ? c->ended_ms : c->since_ms;
	_Bool sane = 1;

	for (int i = 0; i < STAGE_COUNT; i++) {
		sum += c->spent_ms[i];
		sane = sane && c->spent_ms[i] >= 0;
	}
	(void)verifier_look(r->v, VERIFY_STAGES, sane && sum == until - c->reported_ms,
	                    "case %lld: stages add up to %lld ms of %lld", (long long)c->id, (long long)sum,
	                    (long long)(until - c->reported_ms));
}

/* Whether the row that SQLite stands on is what its events say. */
static void check_row(struct replay *r, sqlite3_stmt *st, const struct alive *a, struct case_file *row)
{
	_Bool sound = row_read(st, 0, row, &r->v->units);
	const char *column = sound ? row_difference(&a->file, row, 1) : "a value that cannot be";

	(void)verifier_look(r->v, VERIFY_REPLAY, column == NULL, "case %lld: %s", (long long)a->id, column);
	check_stages(r, row);
}

/* The notices' scan follows the events: both rise together. Only where that fails is a notice looked for by itself. */
static _Bool was_told(struct replay *r, const struct fact *end, const char *reporter)
{
	_Bool told = 0;

	while (r->notice_event < end->id)
		r->notice_event = verifier_next(r->v, r->notices) ? column_int(r->notices, 0) : INT64_MAX;
	while (r->notice_event == end->id && !told) {
		told = strcmp(column_text(r->notices, 1), reporter) == 0;
		if (!told)
			r->notice_event = verifier_next(r->v, r->notices) ? column_int(r->notices, 0) : INT64_MAX;
	}
	if (told)
		return 1;
	(void)sqlite3_reset(r->notice);
	bind_text(r->notice, 1, reporter);
	bind_int(r->notice, 2, end->id);
	told = verifier_next(r->v, r->notice);
	(void)sqlite3_reset(r->notice);
	return told;
}

static void check_ended(struct replay *r, struct alive *a, const struct fact *end)
{
	struct case_file row;

	(void)sqlite3_reset(r->closed);
	bind_int(r->closed, 1, a->id);
	if (verifier_look(r->v, VERIFY_TABLES, verifier_next(r->v, r->closed),
	                  "case %lld has ended and is not in the archive", (long long)a->id)) {
		check_row(r, r->closed, a, &row);
		if (row.reporter)
			(void)verifier_look(r->v, VERIFY_REPLIED, was_told(r, end, row.reporter),
			                    "case %lld: nobody told %s", (long long)a->id, row.reporter);
	}
	(void)sqlite3_reset(r->closed);
	forget(r, a);
}

static void take_event(struct replay *r, const struct fact *f)
{
	struct alive *a;

	if (!verifier_look(r->v, VERIFY_CHAIN, answer_event_is_sound(f), "event %lld holds what no event can have",
	                   (long long)f->id))
		return;
	check_transition(r, f);
	a = f->from == STATE_NONE ? open_case(r, f) : go_on(r, f);
	if (a == NULL)
		return;
	check_grid(r, a, f);
	case_apply(r->names, &a->file, f);
	if (state_info(f->to)->terminal)
		check_ended(r, a, f);
}

static void replay_events(struct replay *r)
{
	sqlite3_stmt *st = verifier_prepare(r->v, "SELECT " EVENT_NAMES " FROM case_event ORDER BY id");
	struct fact f;
	int64_t last = 0;

	while (verifier_next(r->v, st)) {
		answer_event(st, &f);
		(void)verifier_look(r->v, VERIFY_IDS, f.id == last + 1, "event %lld comes after %lld", (long long)f.id,
		                    (long long)last);
		last = f.id;
		take_event(r, &f);
		verifier_step(r->v);
	}
	(void)sqlite3_finalize(st);
}

/* ---- what is left ---- */

static void check_open_row(struct replay *r, sqlite3_stmt *st)
{
	struct case_file row;
	int64_t id = column_int(st, 0);
	struct alive *a = find(r, id);

	if (!verifier_look(r->v, VERIFY_TABLES, a != NULL, "open case %lld has no events, or has ended", (long long)id))
		return;
	check_row(r, st, a, &row);
	forget(r, a);
}

static void compare_open_rows(struct replay *r)
{
	sqlite3_stmt *st = verifier_prepare(r->v, "SELECT " ROW_CASE_NAMES " FROM open_case ORDER BY id");
	struct alive *a, *next;

	while (verifier_next(r->v, st))
		check_open_row(r, st);
	(void)sqlite3_finalize(st);
	HASH_ITER(hh, r->alive, a, next)
	{
		(void)verifier_look(r->v, VERIFY_TABLES, 0, "case %lld has events and no open row", (long long)a->id);
		forget(r, a);
	}
}

/* Archived rows that no event ended. */
static void look_for_orphans(struct replay *r)
{
	sqlite3_stmt *st = verifier_prepare(r->v,
	                                    "SELECT c.id, e.to_state FROM closed_case AS c LEFT JOIN case_event AS e"
	                                    " ON e.id = c.last_event AND e.case_id = c.id");

	while (verifier_next(r->v, st)) {
		int64_t to = column_int(st, 1);
		_Bool ended = to > STATE_NONE && to < STATE_COUNT && state_info((enum state)to)->terminal;

		(void)verifier_look(r->v, VERIFY_TABLES, ended, "archived case %lld has no event that ended it",
		                    (long long)column_int(st, 0));
	}
	(void)sqlite3_finalize(st);
}

void verifier_replay(struct verifier *v)
{
	struct replay r = { .v = v, .names = casebook_new(0) };

	r.closed = verifier_prepare(v, "SELECT " ROW_CASE_NAMES " FROM closed_case WHERE id = ?");
	r.notice = verifier_prepare(
		v, "SELECT 1 FROM notice INDEXED BY notice_by_addressee WHERE addressee = ?1 AND event_id = ?2");
	r.notices = verifier_prepare(v, "SELECT event_id, addressee FROM notice ORDER BY id");
	if (r.closed && r.notice && r.notices)
		replay_events(&r);
	compare_open_rows(&r);
	look_for_orphans(&r);
	(void)sqlite3_finalize(r.closed);
	(void)sqlite3_finalize(r.notice);
	(void)sqlite3_finalize(r.notices);
	casebook_free(r.names);
}
