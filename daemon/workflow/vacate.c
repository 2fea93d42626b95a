/* vacate 缺位收回: whom a case waits for can leave the policy. Nobody could act on it then, so it goes back to where
 * somebody is chosen. Judged for every open case when the policy has changed, and whenever a case comes back to its
 * handler. */
#include "workflow/decision.h"

static _Bool is_worker(const struct decision *d, const char *id)
{
	const struct person *p = policy_person(d->policy, id);
	return p != NULL && (p->roles & ROLE_WORKER) != 0;
}

_Bool vacate_guard(struct decision *d)
{
	const struct case_file *c = d->draft;
	if (c->state == STATE_VERIFYING)
		return !is_worker(d, c->worker);
	return policy_unit(d->policy, c->handler) == NULL;
}

void vacate(struct decision *d)
{
	_Bool verifying = d->draft->state == STATE_VERIFYING;
	struct fact *f = decision_event(d, ACT_VACATED, d->row->to);
	f->ref = verifying ? d->draft->worker : d->draft->handler;
	f->text = NULL;
	deadline_stop(d, f);
	if (verifying)
		f->stage_due_ms = d->now_ms + d->draft->accept_left_ms;
	decision_commit(d, f);
	if (!verifying && d->rules->auto_dispatch)
		decision_then(d, ACT_DISPATCH);
}
