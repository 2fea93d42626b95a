/* sim_rules: the invariants of the domain. Each step is looked at as it is obeyed (the linker puts __wrap_casebook_apply
 * in casebook_apply's place), a recovery and the whole by what is on disk. What leads where stands here once more, from the domain's own
 * description, so that a mistake in the table does not prove itself. */
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fault/disk.h"
#include "jurisdiction/policy_map.h"
#include "sim_parts.h"
#include "store/verify.h"
#include "workflow/place.h"

#define ASKED_AFTER_RECOVERY 300
#define TIMER_SLACK_MS 120000
#define MONTH_MOST 1500

void __real_casebook_apply(struct casebook *b, const struct facts *f);
void __wrap_casebook_apply(struct casebook *b, const struct facts *f);
struct timer __real_case_next_timer(const struct case_file *c);
_Bool __real_store_recover(struct store *s, struct casebook *b, char **cause);
_Bool __wrap_store_recover(struct store *s, struct casebook *b, char **cause);

void sim_complain(const char *format, ...)
{
	va_list args;
	char text[sizeof sim->tally->first];

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (sim->tally->broken++ == 0)
		memcpy(sim->tally->first, text, sizeof text);
	if (sim->tally->broken <= 5)
		printf("  broken at day %lld: %s\n", (long long)((sim_wall_ms() - SIM_BEGIN_MS) / 86400000), text);
}

/* ---- the table, from the domain ---- */

#define TO(s) (1u << STATE_##s)

static const uint32_t leads_to[STATE_COUNT] = {
	[STATE_NONE] = TO(REPORTED) | TO(ALARM_PENDING),
	[STATE_REPORTED] = TO(VERIFYING) | TO(FILED) | TO(REJECTED) | TO(MERGED) | TO(CANCELLED),
	[STATE_ALARM_PENDING] = TO(REPORTED) | TO(CANCELLED),
	[STATE_VERIFYING] = TO(REPORTED),
	[STATE_FILED] = TO(DISPATCHED) | TO(MERGED),
	[STATE_DISPATCHED] = TO(HANDLING) | TO(RETURNED) | TO(FILED),
	[STATE_HANDLING] = TO(RETURNED) | TO(SUSPENDED) | TO(WHISTLED) | TO(HANDLED) | TO(FILED),
	[STATE_SUSPENDED] = TO(HANDLING),
	[STATE_RETURNED] = TO(FILED),
	[STATE_WHISTLED] = TO(HANDLING) | TO(FILED),
	[STATE_HANDLED] = TO(CHECKING),
	[STATE_CHECKING] = TO(CLOSED) | TO(HANDLING),
	[STATE_CLOSED] = TO(REVIEWED) | TO(HANDLING),
	[STATE_REVIEWED] = TO(REWARDED) | TO(HANDLING),
};

/* Roles of which a person must have one; 0: it goes by other things too. System: it may come by itself. */
static const struct {
	uint32_t roles;
	_Bool by_itself;
} who_may[ACT_COUNT] = {
	[ACT_VERIFY] = { ROLE_ACCEPTOR, 0 },
	[ACT_FILE] = { ROLE_ACCEPTOR, 1 },
	[ACT_REJECT] = { ROLE_ACCEPTOR, 0 },
	[ACT_MERGE] = { ROLE_ACCEPTOR, 1 },
	[ACT_DISPATCH] = { ROLE_DISPATCHER, 1 },
	[ACT_TAKE_BACK] = { ROLE_DISPATCHER, 0 },
	[ACT_EXTEND] = { ROLE_SUPERVISOR, 0 },
	[ACT_REFUSE_EXTENSION] = { ROLE_SUPERVISOR, 0 },
	[ACT_SUSPEND] = { ROLE_SUPERVISOR, 0 },
	[ACT_REFUSE_SUSPENSION] = { ROLE_SUPERVISOR, 0 },
	[ACT_WHISTLE] = { ROLE_CONVENER, 0 },
	[ACT_CHECK] = { ROLE_WORKER | ROLE_SUPERVISOR, 0 },
	[ACT_PASS] = { ROLE_WORKER | ROLE_SUPERVISOR, 0 },
	[ACT_REWORK] = { ROLE_WORKER | ROLE_SUPERVISOR, 0 },
	[ACT_REWARD] = { ROLE_SUPERVISOR, 1 },
	[ACT_SUPERVISE] = { ROLE_SUPERVISOR, 1 },
	[ACT_EXEMPT] = { ROLE_SUPERVISOR, 0 },
	[ACT_SIGN] = { ROLE_HANDLER, 0 },
	[ACT_HANDLED] = { ROLE_HANDLER, 0 },
	[ACT_RETURN] = { ROLE_HANDLER, 0 },
};

static _Bool is_system(const struct fact *f)
{
	return strcmp(f->actor, "system") == 0;
}

static void person_may(const struct fact *f, const struct case_file *before)
{
	const struct person *p = is_system(f) ? NULL : policy_person(sim->writer.policy, f->actor);
	const char *name = act_info(f->act)->name;

	if (who_may[f->act].roles == 0)
		return;
	if (is_system(f) ? !who_may[f->act].by_itself : p == NULL || (p->roles & who_may[f->act].roles) == 0)
		sim_complain("%s did \"%s\", who has no such right", f->actor, name);
	if ((f->act == ACT_PASS || f->act == ACT_CHECK) && p != NULL && before != NULL && before->handled_by != NULL &&
	    (strcmp(before->handled_by, p->id) == 0 ||
	     (p->unit && before->handler && strcmp(p->unit, before->handler) == 0)))
		sim_complain("%s did \"%s\" to what was its own work", f->actor, name);
	if (f->act == ACT_PASS && before != NULL && before->helper_done != (1u << before->helper_count) - 1)
		sim_complain("closed while a co-handling unit is not done");
}

/* ---- one step ---- */

static void mix(const void *bytes, size_t length)
{
	uint64_t h = sim->tally->trace;

	for (size_t i = 0; i < length; i++)
		h = (h ^ ((const uint8_t *)bytes)[i]) * UINT64_C(1099511628211);
	sim->tally->trace = h;
}

static void trace(const struct facts *f)
{
	for (size_t i = 0; i < f->event_count; i++) {
		const struct fact *e = &f->events[i];
		int64_t row[] = { e->id,           e->case_id,       e->prev,         e->at_ms,
			          (int64_t)e->act, (int64_t)e->from, (int64_t)e->to,  e->value,
			          e->grid,         e->stage_due_ms,  e->handle_due_ms };

		mix(row, sizeof row);
		mix(e->actor, strlen(e->actor));
	}
	for (size_t i = 0; i < f->ledger_count; i++)
		mix(&f->ledger[i].points, sizeof f->ledger[i].points);
}

/* The state and the event that this one follows on: the facts' own, or the book's before they are obeyed. */
static void follows(const struct casebook *b, const struct facts *f, size_t i)
{
	const struct fact *e = &f->events[i];
	const struct case_file *c = casebook_case(b, e->case_id);
	enum state state = c != NULL ? (enum state)c->state : STATE_NONE;
	int64_t prev = c != NULL ? c->last_event : 0;

	for (size_t j = 0; j < i; j++)
		if (f->events[j].case_id == e->case_id) {
			state = f->events[j].to;
			prev = f->events[j].id;
		}
	if (e->from != state || e->prev != prev || e->id != casebook_counters(b)->event + (int64_t)i)
		sim_complain("\"%s\" does not follow on what was", act_info(e->act)->name);
	if (e->from == e->to ? state_info(e->from)->terminal : (leads_to[e->from] >> e->to & 1) == 0)
		sim_complain("\"%s\" led from %s to %s", act_info(e->act)->name, state_info(e->from)->name,
		             state_info(e->to)->name);
	if (e->at_ms < casebook_counters(b)->last_ms)
		sim_complain("time ran backwards");
	person_may(e, c);
}

static void grid_is_right(const struct fact *e, const struct case_file *c)
{
	const struct grid *g;

	if (e->act != ACT_SUBMIT)
		return;
	g = c->lat_e7 == PLACE_NONE ? NULL : policy_locate(sim->writer.policy, c->lat_e7, c->lon_e7, e->at_ms);
	if (e->grid != (g == NULL ? 0 : g->code))
		sim_complain("reported in grid %lld, which is not the one in force there", (long long)e->grid);
}

static _Bool was_told(const struct facts *f, const struct case_file *c)
{
	for (size_t i = 0; i < f->notice_count; i++)
		if (f->notices[i].case_id == c->id && f->notices[i].state == (enum state)c->state &&
		    strcmp(f->notices[i].to, c->reporter) == 0)
			return 1;
	return 0;
}

static void case_holds(const struct casebook *b, const struct facts *f, const struct case_file *c)
{
	int64_t now = f->events[f->event_count - 1].at_ms;
	int64_t sum = c->ended_ms ? 0 : now - c->since_ms, until = c->ended_ms ? c->ended_ms : now;
	_Bool ended = state_info((enum state)c->state)->terminal;

	for (int i = 0; i < STAGE_COUNT; i++)
		sum += c->spent_ms[i];
	if (sum != until - c->reported_ms)
		sim_complain("the stages of a case add up to %lld ms, its age is %lld ms", (long long)sum,
		             (long long)(until - c->reported_ms));
	if (ended == (casebook_case(b, c->id) != NULL))
		sim_complain("a case is %s and %s the casebook", state_info((enum state)c->state)->name,
		             ended ? "in" : "not in");
	if (ended && c->reporter != NULL && !was_told(f, c))
		sim_complain("a case ended as %s and its reporter was not told",
		             state_info((enum state)c->state)->name);
	if (c->reopened > 2 || c->extensions > 2 || c->suspensions > 1 || c->level > LEVEL_DISTRICT)
		sim_complain("a case was reopened, extended, suspended or escalated too often");
	if (c->handle_due_ms != 0 && c->state != STATE_DISPATCHED && c->state != STATE_HANDLING &&
	    c->state != STATE_WHISTLED)
		sim_complain("the handling clock runs while the case is %s", state_info((enum state)c->state)->name);
}

static int64_t balance_of(const struct casebook *b, const char *person)
{
	const struct account *a = casebook_account(b, person);

	return a != NULL ? a->balance : 0;
}

static void points_hold(const struct casebook *b, const struct facts *f, const int64_t *before)
{
	for (size_t i = 0; i < f->ledger_count; i++) {
		const char *person = f->ledger[i].person;
		const struct account *a = casebook_account(b, person);
		int64_t sum = before[i], payable = casebook_payable(b, person, f->ledger[i].at_ms);

		for (size_t j = 0; j < f->ledger_count; j++)
			sum += strcmp(f->ledger[j].person, person) == 0 ? f->ledger[j].points : 0;
		if (a == NULL || a->balance != sum || sum < 0 || payable < 0 || payable > sum ||
		    a->month_points > MONTH_MOST)
			sim_complain("%s has %lld points where the rows make %lld", person,
			             (long long)(a ? a->balance : -1), (long long)sum);
	}
}

static void count_cases(const struct casebook *b, const struct facts *f)
{
	for (size_t i = 0; i < f->event_count; i++) {
		const struct fact *e = &f->events[i];

		sim->opened += e->from == STATE_NONE;
		sim->ended += e->from != e->to && state_info(e->to)->terminal;
	}
	if (sim->opened != sim->ended + (int64_t)casebook_open_count(b))
		sim_complain("received %lld, but open %zu and archived %lld", (long long)sim->opened,
		             casebook_open_count(b), (long long)sim->ended);
}

void __wrap_casebook_apply(struct casebook *b, const struct facts *f)
{
	int64_t *before = f->ledger_count > 0 ? must_calloc(f->ledger_count, sizeof *before) : NULL;

	for (size_t i = 0; i < f->event_count; i++)
		follows(b, f, i);
	for (size_t i = 0; i < f->ledger_count; i++)
		before[i] = balance_of(b, f->ledger[i].person);
	__real_casebook_apply(b, f);
	trace(f);
	count_cases(b, f);
	for (size_t i = 0; i < f->draft_count && f->event_count > 0; i++)
		case_holds(b, f, &f->drafts[i]);
	for (size_t i = 0; i < f->event_count; i++) {
		grid_is_right(&f->events[i], &f->drafts[0]);
		street_saw(&f->events[i]);
	}
	points_hold(b, f, before);
	free(before);
	sim->tally->facts += (int64_t)f->event_count;
}

/* ---- every day ---- */

static void timer_is_ahead(void *ctx, const struct case_file *c)
{
	struct timer t = __real_case_next_timer(c);

	if (t.at_ms != 0 && t.at_ms < *(int64_t *)ctx - TIMER_SLACK_MS)
		sim_complain("\"%s\" of a case that is %s is %lld s late", act_info(t.act)->name,
		             state_info((enum state)c->state)->name, (long long)(*(int64_t *)ctx - t.at_ms) / 1000);
}

void rules_day(void)
{
	int64_t now = sim->writer.now_ms;

	if (sim->up && sim->writer.timers_after_ms <= sim->now_us / 1000)
		casebook_each(sim->writer.book, timer_is_ahead, &now);
}

/* ---- what is on disk ---- */

static int64_t number(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int64_t value = -1;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return value;
}

static void key_is_there(const struct promise *p)
{
	struct key_fact room;
	const struct key_fact *k = casebook_key(sim->writer.book, &p->key);

	if (k == NULL && store_find_key(sim->writer.store, &p->key, &room))
		k = &room;
	if (k == NULL || k->case_id != p->case_id) {
		sim->tally->lost++;
		sim_complain("an acknowledged request is %s after recovery", k == NULL ? "gone" : "another case");
	}
}

/* A casebook comes from the disk at each start, and whenever the disk was full. */
_Bool __wrap_store_recover(struct store *s, struct casebook *b, char **cause)
{
	_Bool recovered = __real_store_recover(s, b, cause);

	disk_pause();
	if (recovered) {
		sim->opened = number(sim->path, "SELECT count(*) FROM case_event WHERE from_state = 0");
		sim->ended = number(sim->path, "SELECT count(*) FROM closed_case");
		if (sim->opened != sim->ended + (int64_t)casebook_open_count(b))
			sim_complain("after recovery received is not open + archived");
	}
	disk_resume();
	return recovered;
}

/* The newest are the most endangered; of the others a few. */
void rules_recovered(void)
{
	if (casebook_counters(sim->writer.book)->event <= sim->promised_event)
		sim_complain("event %lld was told of and is gone", (long long)sim->promised_event);
	for (size_t i = 0; i < ASKED_AFTER_RECOVERY && i < sim->promise_count; i++)
		key_is_there(&sim->promises[sim->promise_count - 1 - i]);
	for (size_t i = 0; i < ASKED_AFTER_RECOVERY && sim->promise_count > 0; i++)
		key_is_there(&sim->promises[sim_below(sim->promise_count)]);
	sim->tally->recoveries++;
}

/* ---- the whole ---- */

static int by_key(const void *a, const void *b)
{
	return memcmp(&((const struct promise *)a)->key, &((const struct promise *)b)->key, UUID_SIZE);
}

/* Both in the order of their keys: each promise must be among the rows, and no row may come twice. */
static void promises_are_kept(const char *path)
{
	static const char sql[] = "SELECT key, case_id FROM request_key ORDER BY key";
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	struct promise row, before = { 0 };
	size_t next = 0;

	qsort(sim->promises, sim->promise_count, sizeof *sim->promises, by_key);
	must(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	     sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		memcpy(row.key.bytes, sqlite3_column_blob(st, 0), UUID_SIZE);
		row.case_id = sqlite3_column_int64(st, 1);
		sim->tally->doubled += by_key(&row, &before) == 0;
		before = row;
		for (; next < sim->promise_count && by_key(&sim->promises[next], &row) < 0; next++)
			sim->tally->lost++;
		for (; next < sim->promise_count && by_key(&sim->promises[next], &row) == 0; next++)
			sim->tally->doubled += sim->promises[next].case_id != row.case_id;
	}
	sim->tally->lost += (int64_t)(sim->promise_count - next);
	sqlite3_finalize(st);
	sqlite3_close(db);
}

void rules_proof(const char *path)
{
	struct verify_report r;
	char *cause = NULL;

	promises_are_kept(path);
	if (!verify_database(path, NULL, NULL, &r, &cause)) {
		sim_complain("the database cannot be read: %s", cause);
		free(cause);
		return;
	}
	for (int i = 0; i < r.count; i++)
		if (r.checks[i].broken != 0)
			sim_complain("%s: %s", r.checks[i].name, r.checks[i].first);
	sim->tally->archived = r.archived;
	sim->tally->verified++;
}
