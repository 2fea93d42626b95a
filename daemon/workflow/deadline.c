/* deadline: the handling clock and the timers, by the work calendar. A deadline is worked out once, when its clock starts,
 * and is a moment from then on; what a stopped clock has left is kept in the limit's own unit, so that a pause over a
 * weekend costs nothing and gives nothing. */
#include "workflow/decision.h"

int64_t deadline_of(const struct decision *d, int64_t from_ms, struct limit limit)
{
	return calendar_due(policy_calendar(d->policy), from_ms, limit, NULL);
}

/* By the emergencies that are known now. */
static int64_t due_from(const struct decision *d, int64_t from_ms, struct limit limit)
{
	struct emergency_spans room;

	return calendar_due(policy_calendar(d->policy), from_ms, limit,
	                    emergency_spans(casebook_emergencies(d->book), d->draft->grid, INT64_MAX, &room));
}

int64_t deadline_stage(const struct decision *d, struct limit limit)
{
	return due_from(d, d->now_ms, limit);
}

/* When so much is used of the limit that the light turns yellow; now, if that is so already. */
static int64_t warn_at(const struct decision *d, struct limit limit, int64_t left)
{
	int64_t reserve = limit.amount / 100 * (100 - LIMIT_YELLOW_PER_CENT);

	if (left <= reserve)
		return d->now_ms;
	return deadline_stage(d, (struct limit){ left - reserve, limit.unit });
}

void deadline_run(struct decision *d, struct fact *f, struct limit limit, int64_t left)
{
	f->handle_due_ms = deadline_stage(d, (struct limit){ left, limit.unit });
	f->handle_warn_ms = warn_at(d, limit, left);
}

static struct limit limit_of(const struct case_file *c)
{
	return (struct limit){ c->limit_ms, (enum limit_unit)c->limit_unit };
}

static int64_t left_now(const struct decision *d, int64_t due_ms)
{
	struct emergency_spans room;

	return calendar_left(policy_calendar(d->policy), d->now_ms, due_ms, (enum limit_unit)d->draft->limit_unit,
	                     emergency_spans(casebook_emergencies(d->book), d->draft->grid, INT64_MAX, &room));
}

void deadline_go_on(struct decision *d, struct fact *f)
{
	deadline_run(d, f, limit_of(d->draft), d->draft->handle_left_ms);
}

void deadline_stop(struct decision *d, struct fact *f)
{
	const struct case_file *c = d->draft;

	f->handle_due_ms = 0;
	if (c->handle_due_ms == 0)
		return;

	/* Hours before work has begun are nobody's: more than was granted is never left. */
	int64_t most = c->limit_ms * (1 + c->extensions), left = left_now(d, c->handle_due_ms);

	f->handle_left_ms = left < most ? left : most;
}

void deadline_extend(struct decision *d, struct fact *f, int64_t by)
{
	struct limit limit = limit_of(d->draft);

	f->handle_due_ms = due_from(d, d->draft->handle_due_ms, (struct limit){ by, limit.unit });
	f->handle_warn_ms = warn_at(d, limit, left_now(d, f->handle_due_ms));
}
