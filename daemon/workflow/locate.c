/* locate 定位 and re-grid 改派网格: in which grid a case is. A report's position counts only when it lies in a grid;
 * otherwise the case is to be located 待定位 and has no place, so that nothing is merged with it, sent to it or measured
 * from it until somebody says where it is. */
#include <inttypes.h>
#include <stdio.h>

#include "jurisdiction/policy_map.h"
#include "workflow/decision.h"
#include "workflow/place.h"

#define CODE_SIZE 24

void locate_report(struct decision *d)
{
	const struct command *c = d->command;
	struct case_file *f = d->draft;
	const struct grid *g = NULL;
	_Bool given = c->lat_e7 != PLACE_NONE;
	enum told told = given ? policy_told(d->policy, c->lat_e7, c->lon_e7, d->now_ms, &g) : TOLD_NOTHING;
	f->told = (uint8_t)told;
	f->grid = g == NULL ? 0 : g->code;
	f->lat_e7 = told == TOLD_LOCATED ? c->lat_e7 : PLACE_NONE;
	f->lon_e7 = told == TOLD_LOCATED ? c->lon_e7 : PLACE_NONE;
}

/* The grid's code as a fact's ref, NULL when the event's own grid says it already. */
static const char *reported_ref(const struct decision *d, int64_t reported, int64_t now)
{
	char code[CODE_SIZE];
	if (reported == 0 || reported == now)
		return NULL;
	snprintf(code, sizeof code, "%" PRId64, reported);
	return casebook_intern(d->book, code);
}

/* ---- by a person ---- */

/* The grid asked for, NULL: refused. */
static const struct grid *grid_asked(struct decision *d)
{
	const struct command *c = d->command;
	const struct grid *g = NULL;
	_Bool placed = c->lat_e7 != PLACE_NONE;
	if (placed && policy_told(d->policy, c->lat_e7, c->lon_e7, d->now_ms, &g) != TOLD_LOCATED)
		decision_refuse(d, REFUSAL_RULE_BROKEN, "place-in-a-grid",
		                "The place lies in no grid, or is one that stands for \"unknown\"; give another, or "
		                "only a grid.");
	else if (!placed && c->grid == 0)
		decision_refuse(d, REFUSAL_INVALID, "place-or-grid", "Say where it is: a place, or a grid.");
	else if (!placed && (g = policy_grid_on(d->policy, c->grid, d->now_ms)) == NULL)
		decision_refuse(d, REFUSAL_UNKNOWN_PERSON, "grid-in-the-map", "There is no grid %" PRId64 " now.",
		                c->grid);
	else if (placed && c->grid != 0 && c->grid != g->code)
		decision_refuse(d, REFUSAL_RULE_BROKEN, "place-in-that-grid",
		                "The place lies in grid %" PRId64 ", not in %" PRId64 "; give one of the two.", g->code,
		                c->grid);
	else
		return g;
	return NULL;
}

_Bool locate_guard(struct decision *d)
{
	const struct grid *g = grid_asked(d);
	if (g == NULL)
		return 0;
	return decision_within(d, g->code);
}

void locate(struct decision *d)
{
	const struct command *c = d->command;
	const struct grid *g = grid_asked(d), *then = NULL;
	struct fact *f = decision_event(d, ACT_LOCATE, STATE_NONE);
	f->grid = g->code;
	if (c->lat_e7 != PLACE_NONE) {
		f->value = place_pack(c->lat_e7, c->lon_e7);
		then = policy_locate(d->policy, c->lat_e7, c->lon_e7, d->draft->reported_ms);
	}
	f->ref = reported_ref(d, then == NULL ? 0 : then->code, g->code);
	decision_commit(d, f);
}

/* ---- because the map was re-cut ---- */

/* Where duty lies now, NULL: where it did. */
static const struct grid *grid_due(const struct decision *d)
{
	const struct case_file *c = d->draft;
	if (c->grid == 0 || c->lat_e7 == PLACE_NONE)
		return NULL;
	if (c->grid_said && policy_grid_on(d->policy, c->grid, d->now_ms) != NULL)
		return NULL;
	const struct grid *now = policy_locate(d->policy, c->lat_e7, c->lon_e7, d->now_ms);
	return now == NULL || now->code == c->grid ? NULL : now;
}

_Bool regrid_guard(struct decision *d)
{
	return grid_due(d) != NULL;
}

/* Work that has begun is not taken away: a handler keeps the case, and the dispatcher may take another. What still waits
 * for dispatch goes where the new grid's route leads. */
void regrid(struct decision *d)
{
	const struct case_file *c = d->draft;
	const struct grid *g = grid_due(d);
	struct fact *f = decision_event(d, ACT_REGRID, STATE_NONE);
	f->grid = g->code;
	f->ref = reported_ref(d, c->reported_grid != 0 ? c->reported_grid : c->grid, g->code);
	f->text = NULL;
	decision_commit(d, f);
	if (c->state == STATE_FILED && d->rules->auto_dispatch)
		decision_then(d, ACT_DISPATCH);
}
