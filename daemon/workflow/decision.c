/* decision: how a command is judged against the table, whatever it asks for. */
#include "workflow/decision.h"
#include "workflow/duty.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "jurisdiction/cameras.h"
/* ---- emitting ---- */

/* When the timer of a state that is entered now runs out; 0: it has none, or its act knows better. */
static int64_t stage_due(const struct decision *d, enum state s)
{
	const struct policy_rules *r = d->rules;
	const struct limit *const limits[STATE_COUNT] = {
		[STATE_REPORTED] = &r->accept,  [STATE_ALARM_PENDING] = &r->alarm, [STATE_VERIFYING] = &r->verify,
		[STATE_FILED] = &r->dispatch,   [STATE_DISPATCHED] = &r->sign,     [STATE_RETURNED] = &r->dispatch,
		[STATE_WHISTLED] = &r->whistle, [STATE_HANDLED] = &r->check,       [STATE_CHECKING] = &r->check,
		[STATE_CLOSED] = &r->review,
	};
	return limits[s] == NULL ? 0 : deadline_stage(d, *limits[s]);
}

struct fact *decision_event_on(struct decision *d, struct case_file *draft, enum act act, enum state to)
{
	struct fact *f = facts_event(d->out);
	*f = (struct fact){ .id = d->next_event++,
		            .case_id = draft->id,
		            .prev = draft->last_event,
		            .at_ms = d->now_ms,
		            .act = act,
		            .from = draft->state,
		            .to = to == STATE_NONE ? draft->state : to,
		            .actor = d->actor,
		            .category = draft->category,
		            .grid = draft->grid,
		            .stage_due_ms = to == STATE_NONE ? draft->stage_due_ms : stage_due(d, to),
		            .handle_due_ms = draft->handle_due_ms };
	return f;
}

void decision_commit_on(struct decision *d, struct case_file *draft, struct fact *f)
{
	must(transition_allowed(f->act, f->from, f->to));
	case_apply(d->book, draft, f);
	decision_notify(d, draft, f);
}

struct fact *decision_event(struct decision *d, enum act act, enum state to)
{
	struct fact *f = decision_event_on(d, d->draft, act, to);
	f->text = d->who != NULL ? d->command->text : NULL;
	evidence_name(d, f);
	return f;
}

void decision_commit(struct decision *d, struct fact *f)
{
	decision_commit_on(d, d->draft, f);
}

_Bool decision_then(struct decision *d, enum act act)
{
	struct decision step = *d;
	step.row = transition_find(act, d->draft->state);
	step.who = NULL;
	step.actor = SYSTEM_ACTOR;
	if (step.row == NULL || (step.row->who & WHO_SYSTEM) == 0)
		return 0;
	if (step.row->guard != NULL && !step.row->guard(&step))
		return 0;
	step.row->proceed(&step);
	d->next_event = step.next_event;
	d->next_ledger = step.next_ledger;
	d->next_notice = step.next_notice;
	return 1;
}

/* ---- refusing ---- */

_Bool decision_refuse(struct decision *d, enum refusal_code code, const char *rule, const char *format, ...)
{
	char sentence[REFUSAL_SENTENCE_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	return refuse(&d->command->outcome.refusal, code, rule, "%s", sentence);
}

_Bool decision_reason_of(struct decision *d, const char *act)
{
	const char *reason = d->command->reason;
	if (reason != NULL && policy_reason(d->policy, act, reason) != NULL)
		return 1;
	char allowed[160];
	policy_reasons(d->policy, act, allowed, sizeof allowed);
	return decision_refuse(d, REFUSAL_RULE_BROKEN, "reason-from-the-list",
	                       "To %s a case give a reason from the list: %s.", act, allowed);
}

_Bool decision_reason(struct decision *d)
{
	return decision_reason_of(d, act_info(d->row->act)->name);
}

/* ---- relations ---- */

static _Bool same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static _Bool listed(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (same(names[i], name))
			return 1;
	return 0;
}

_Bool decision_is_handler(const struct decision *d, const struct person *p)
{
	return same(d->draft->handler, p->unit) || same(d->draft->handled_by, p->id);
}

_Bool decision_is_reported_by(const struct case_file *c, const char *person)
{
	return same(c->reporter, person) || same(c->actor, person);
}

/* The reporter itself, or the gateway that speaks for it and names it. */
static _Bool is_reporter(const struct decision *d)
{
	const struct case_file *c = d->draft;
	if (same(c->reporter, d->who->id))
		return 1;
	return same(c->actor, d->who->id) && (d->who->roles & ROLE_GATEWAY) != 0 &&
	       same(c->reporter, d->command->reporter);
}

static _Bool owns_camera(const struct decision *d)
{
	const struct camera *k = policy_camera(d->policy, d->draft->camera);
	return k != NULL && same(k->gateway, d->who->id);
}

static _Bool is_own(const struct decision *d, uint32_t who)
{
	const struct case_file *c = d->draft;
	return ((who & WHO_ITS_REPORTER) != 0 && is_reporter(d)) ||
	       ((who & WHO_ITS_WORKER) != 0 && same(c->worker, d->who->id)) ||
	       ((who & WHO_GRIDS_WORKER) != 0 && duty_is_held_by(d, c, d->who->id)) ||
	       ((who & WHO_CAMERA_OWNER) != 0 && owns_camera(d));
}

static _Bool is_its_units(const struct decision *d, uint32_t who)
{
	const struct case_file *c = d->draft;
	const char *unit = d->who->unit;
	return ((who & WHO_ITS_HANDLER) != 0 && same(c->handler, unit)) ||
	       ((who & WHO_ITS_HELPER) != 0 && listed(c->helpers, c->helper_count, unit)) ||
	       ((who & WHO_WHISTLED) != 0 && listed(c->whistled, c->whistled_count, unit));
}

static struct rights_on as_it_stands(const struct decision *d, uint32_t who)
{
	return (struct rights_on){ .area = d->draft->grid,
		                   .phase = state_info(d->draft->state)->phase,
		                   .own = is_own(d, who),
		                   .unit = is_its_units(d, who) };
}

_Bool decision_may(const struct decision *d, enum act act, uint32_t who)
{
	if (d->who == NULL)
		return (who & WHO_SYSTEM) != 0;
	struct rights_on on = { .area = d->draft->grid, .phase = state_info(d->draft->state)->phase };
	if ((who & WHO_BY_ROLE) != 0 && rights_may(d->policy, d->who, transition_right(act), &on))
		return 1;
	on = as_it_stands(d, who);
	return (on.own || on.unit) && rights_may(d->policy, d->who, transition_right(act), &on);
}

_Bool decision_ever_may(const struct decision *d, enum act act)
{
	struct rights_on on = as_it_stands(d, transition_who(act));
	return rights_phases(d->policy, d->who, transition_right(act), &on) != 0;
}

_Bool decision_has(struct decision *d, enum right right, const struct rights_on *on, const char *rule)
{
	if (rights_may(d->policy, d->who, right, on))
		return 1;
	return rights_refuse(d->policy, d->who, right, on, rule, &d->command->outcome.refusal);
}

_Bool decision_has_somewhere(struct decision *d, enum right right, const char *rule)
{
	if (rights_has(d->policy, d->who, right))
		return 1;
	return rights_refuse(d->policy, d->who, right, NULL, rule, &d->command->outcome.refusal);
}

_Bool decision_within(struct decision *d, int64_t grid)
{
	if (d->who == NULL || rights_reach(d->policy, d->who, grid))
		return 1;
	decision_refuse(d, REFUSAL_NOT_ALLOWED, "within-your-area",
	                "Grid %lld is outside the area that you act for; ask somebody there.", (long long)grid);
	d->command->outcome.refusal.right = right_name(transition_right(d->command->act));
	return 0;
}

_Bool decision_lacks(struct decision *d, enum act act, const char *rule)
{
	struct rights_on on = as_it_stands(d, transition_who(act));
	return rights_refuse(d->policy, d->who, transition_right(act), &on, rule, &d->command->outcome.refusal);
}
