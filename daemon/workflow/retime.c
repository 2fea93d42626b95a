/* retime 重计时限: an emergency was declared or lifted, so what is left of a running limit is counted another way from now
 * on. Judged for every open case by the sweep that such a command starts. Missed limits stay missed, stopped clocks learn
 * of it when they go on. Beside it the two commands themselves, and exemption. */
#include <stdio.h>

#include "workflow/decision.h"
#include "workflow/rows.h"

static const struct emergencies *known(const struct decision *d)
{
	return casebook_emergencies(d->book);
}

/* What the case's deadline becomes when its clock is read as it was set and set as things are now. */
static int64_t left_as_set(const struct decision *d)
{
	const struct case_file *c = d->draft;
	struct emergency_spans room;

	return calendar_left(policy_calendar(d->policy), d->now_ms, c->handle_due_ms, (enum limit_unit)c->limit_unit,
	                     emergency_spans(known(d), c->grid, c->handle_set_event, &room));
}

_Bool retime_guard(struct decision *d)
{
	const struct case_file *c = d->draft;
	if (c->handle_due_ms < d->now_ms || c->limit_unit == LIMIT_CLOCK ||
	    !emergency_changed(known(d), c->grid, c->handle_set_event))
		return 0;
	struct limit left = { left_as_set(d), (enum limit_unit)c->limit_unit };
	return deadline_stage(d, left) != c->handle_due_ms;
}

void retime(struct decision *d)
{
	const struct case_file *c = d->draft;
	struct fact *f = decision_event(d, ACT_RETIME, STATE_NONE);
	f->text = NULL;
	f->value = left_as_set(d);
	f->unit = c->limit_unit;
	deadline_run(d, f, (struct limit){ c->limit_ms, (enum limit_unit)c->limit_unit }, f->value);
	decision_commit(d, f);
}

/* ---- declare, lift ---- */

static _Bool may_rule(struct decision *d, enum right right, int64_t area)
{
	return decision_has(d, right, &(struct rights_on){ .area = area }, "emergency-by-its-supervisor");
}

static _Bool area_known(struct decision *d, int64_t area)
{
	if (area != 0 && (policy_area(d->policy, area) != NULL || policy_grid(d->policy, area) != NULL))
		return 1;
	return decision_refuse(d, REFUSAL_UNKNOWN_PERSON, "emergency-area-known",
	                       "Name an area or grid of the jurisdiction by its code.");
}

static _Bool declare(struct decision *d)
{
	const struct command *c = d->command;
	int64_t from_ms = c->began_at_ms != 0 ? c->began_at_ms : d->now_ms;
	int64_t to_ms = c->until_ms != 0 ? c->until_ms : EMERGENCY_OPEN;
	if (!area_known(d, c->grid) || !may_rule(d, RIGHT_DECLARE_EMERGENCY, c->grid))
		return 0;
	if (c->text == NULL)
		return decision_refuse(d, REFUSAL_INVALID, "emergency-in-words", "Say in words why.");
	if (from_ms < d->now_ms || to_ms <= from_ms)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "emergency-in-time",
		                       "An emergency begins now or later and ends after that.");
	if (emergencies_ahead(known(d), d->now_ms) >= EMERGENCIES_MOST)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "emergencies-at-most",
		                       "%d emergencies are in force or to come already; lift one first.",
		                       EMERGENCIES_MOST);
	d->out->emergency = (struct emergency){ .id = known(d)->next_id > 0 ? known(d)->next_id : 1,
		                                .area = c->grid,
		                                .from_ms = from_ms,
		                                .to_ms = to_ms,
		                                .declared_ms = d->now_ms,
		                                .declared_event = d->next_event,
		                                .declared_by = d->who->id,
		                                .text = c->text };
	return 1;
}

static _Bool lift(struct decision *d)
{
	const struct emergency *e = emergencies_find(known(d), d->command->value);
	if (e == NULL || emergency_end(e) <= d->now_ms)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "emergency-in-force",
		                       "There is no emergency of that number in force or to come.");
	if (!may_rule(d, RIGHT_LIFT_EMERGENCY, e->area))
		return 0;
	d->out->emergency = *e;
	d->out->emergency.lifted_ms = d->now_ms;
	d->out->emergency.lifted_event = d->next_event;
	d->out->emergency.lifted_by = d->who->id;
	return 1;
}

static void record(struct decision *d, const struct emergency *e)
{
	struct audit_fact *row = &d->out->audit;
	audit_add(d, AUDITED_EMERGENCY, NULL, e->lifted_ms == 0 ? d->command->text : "lifted", 0);
	(void)snprintf(row->digits, sizeof row->digits, "%lld", (long long)e->area);
	row->subject = row->digits;
}

_Bool emergency_judge(struct decision *d)
{
	if (d->command->value == 0 ? !declare(d) : !lift(d))
		return 0;
	d->out->has_emergency = d->out->sweep = 1;
	record(d, &d->out->emergency);
	d->command->outcome.emergency = d->out->emergency.id;
	return 1;
}

/* ---- exemption 申诉 ---- */

/* That the limit was missed is never taken back; only the blame is. */
_Bool exempt_guard(struct decision *d)
{
	const struct case_file *c = d->draft;
	_Bool passed = c->handle_due_ms != 0 && d->now_ms > c->handle_due_ms;
	if (!c->late && !passed)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "exempt-what-was-missed",
		                       "No limit of this case was missed; there is nothing to exempt.");
	if (c->exempted == c->reopened + 1)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "exempted-once", "This case is exempted already.");
	if (decision_is_handler(d, d->who))
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "exempted-by-another",
		                       "You, or your unit, handled this case; another supervisor decides.");
	return decision_reason(d);
}
