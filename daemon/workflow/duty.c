/* duty: whom a case's grid has for what a person must do: verify, check, hear that it is late. Posts change while a case is
 * open, so each question is asked anew at its moment: who held a post yesterday is not asked today. */
#include "jurisdiction/posts.h"
#include "workflow/duty.h"

#define DUTIES_MOST 32

const struct person *duty_worker(const struct decision *d, const struct case_file *c)
{
	const struct post *posts[DUTIES_MOST];
	size_t count = policy_duties(d->policy, c->grid, NULL, d->now_ms, posts, DUTIES_MOST);
	for (size_t i = 0; i < count; i++) {
		const struct person *p = policy_person(d->policy, posts[i]->person); /* a post has one that is known */
		if ((p->roles & ROLE_WORKER) != 0 && !decision_is_reported_by(c, p->id))
			return p;
	}
	return NULL;
}

const char *duty_at(const struct decision *d, const struct case_file *c, enum level level)
{
	int64_t areas[AREA_LEVELS];
	area_above(c->grid, areas);
	const struct post *post = policy_duty(d->policy, areas[level], NULL, d->now_ms);
	return post == NULL ? NULL : post->person;
}

_Bool duty_is_held_by(const struct decision *d, const struct case_file *c, const char *person)
{
	return policy_holds_duty(d->policy, c->grid, person, d->now_ms);
}
