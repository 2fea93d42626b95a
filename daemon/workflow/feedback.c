/* feedback 反馈: what was done is checked by somebody else, the reporter is asked, and may have it taken up again. */
#include <string.h>

#include "workflow/decision.h"
#include "workflow/doubt.h"

_Bool feedback_check_guard(struct decision *d)
{
	if (!decision_is_handler(d, d->who))
		return 1;
	return decision_refuse(d, REFUSAL_RULE_BROKEN, "checker-is-not-handler",
	                       "You, or your unit, handled this case; somebody else has to check it.");
}

void feedback_check(struct decision *d)
{
	decision_commit(d, decision_event(d, ACT_CHECK, STATE_CHECKING));
}

_Bool feedback_pass_guard(struct decision *d)
{
	const struct case_file *c = d->draft;
	if (!feedback_check_guard(d))
		return 0;
	for (int i = 0; i < c->helper_count; i++)
		if ((c->helper_done >> i & 1) == 0)
			return decision_refuse(d, REFUSAL_RULE_BROKEN, "all-co-handlers-done",
			                       "Co-handling unit \"%s\" has not said yet that its part is done.",
			                       c->helpers[i]);
	return 1;
}

void feedback_pass(struct decision *d)
{
	decision_commit(d, decision_event(d, ACT_PASS, STATE_CLOSED));
}

_Bool feedback_rework_guard(struct decision *d)
{
	return feedback_check_guard(d) && decision_reason(d);
}

void feedback_rework(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_REWORK, STATE_HANDLING);
	f->ref = d->command->reason;
	deadline_go_on(d, f);
	decision_commit(d, f);
	decision_then(d, ACT_VACATED);
}

/* ---- review ---- */

_Bool feedback_review_guard(struct decision *d)
{
	if (d->who == NULL || (d->command->rating >= RATING_SATISFIED && d->command->rating <= RATING_UNSATISFIED))
		return 1;
	return decision_refuse(d, REFUSAL_INVALID, "rating-given", "Say satisfied, fairly or unsatisfied.");
}

static const char *why_it_waits(const struct decision *d)
{
	return d->draft->doubts == 0
	               ? "激励 The points for this case are above the threshold: please decide"
	               : "激励 存疑 There is a doubt about the points for this case: please look and decide";
}

/* Points above the threshold, or in doubt, wait for a supervisor, so no timer runs; otherwise the reward comes by itself
 * when the time for reopening is over. */
void feedback_review(struct decision *d)
{
	const struct category *k = policy_category(d->policy, d->draft->category);
	_Bool waits = k != NULL && k->points > d->rules->reward_review_above && d->draft->reporter != NULL;
	waits |= doubt_look_at_reward(d);
	struct fact *f = decision_event(d, ACT_REVIEW, STATE_REVIEWED);
	f->value = d->who == NULL ? RATING_UNANSWERED : d->command->rating;
	f->ref = rating_name((enum rating)f->value);
	f->stage_due_ms = waits ? 0 : deadline_of(d, d->draft->closed_ms, d->rules->reopen);
	decision_commit(d, f);
	if (d->draft->rating == RATING_UNSATISFIED)
		decision_then(d, ACT_REOPEN);
	if (waits && d->draft->state == STATE_REVIEWED)
		decision_owe(d, d->draft, f, "role:supervisor", why_it_waits(d));
}

/* ---- reopen ---- */

static _Bool reporter_may_reopen(const struct decision *d)
{
	return d->draft->state == STATE_CLOSED || d->draft->rating == RATING_UNSATISFIED;
}

_Bool feedback_reopen_guard(struct decision *d)
{
	const struct case_file *c = d->draft;
	_Bool staff = d->who == NULL || decision_may(d, ACT_REOPEN, WHO_BY_ROLE);
	if (!staff && !reporter_may_reopen(d))
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "unsatisfied-reopens",
		                       "You said you were satisfied; report it anew if it came back.");
	if (c->reopened >= d->rules->reopen_most)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "reopened-at-most",
		                       "This case was reopened %d times already; report it anew.", c->reopened);
	if (d->now_ms > deadline_of(d, c->closed_ms, d->rules->reopen))
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "reopened-in-time",
		                       "The time for reopening is over; report it anew.");
	return 1;
}

/* The handler gets the category's whole limit again: it is a new piece of work. */
void feedback_reopen(struct decision *d)
{
	const struct category *k = policy_category(d->policy, d->draft->category);
	struct limit limit = { d->draft->limit_ms, (enum limit_unit)d->draft->limit_unit };
	if (k != NULL)
		limit = k->limit;
	struct fact *f = decision_event(d, ACT_REOPEN, STATE_HANDLING);
	f->value = limit.amount;
	f->unit = (uint8_t)limit.unit;
	deadline_run(d, f, limit, limit.amount);
	decision_commit(d, f);
	dispatch_co_anew(d);
	decision_then(d, ACT_VACATED);
}
