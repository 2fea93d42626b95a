#include "intake/reach.h"

#include <stdio.h>
#include <string.h>

#include "jurisdiction/policy.h"
#include "jurisdiction/posts.h"
#include "workflow/domain.h"

#define EVERY_PHASE (((1U << RIGHTS_PHASES) - 1) & ~(1U << RIGHTS_NO_CASE))

/* ---- one case ---- */

_Bool reach_is_staff(const struct person *who)
{
	return roles_are_staff(who->roles);
}

static _Bool is_the(const struct person *who, const char *person)
{
	return person && strcmp(person, who->id) == 0;
}

static _Bool is_in(const char *const *units, int count, const char *unit)
{
	for (int i = 0; i < count; i++)
		if (strcmp(units[i], unit) == 0)
			return 1;
	return 0;
}

static _Bool works_on(const struct case_file *c, const char *unit)
{
	return (c->handler && strcmp(c->handler, unit) == 0) || is_in(c->helpers, c->helper_count, unit) ||
	       is_in(c->whistled, c->whistled_count, unit);
}

static _Bool is_its_own(const struct policy *p, const struct person *who, const struct case_file *c, int64_t now_ms)
{
	return rights_owns(who, c->reporter) || is_the(who, c->actor) || is_the(who, c->worker) ||
	       ((who->roles & ROLE_WORKER) && policy_holds_duty(p, c->grid, who->id, now_ms));
}

struct rights_on reach_case(const struct policy *p, const struct person *who, const struct case_file *c, int64_t now_ms)
{
	return (struct rights_on){ .area = c->grid,
		                   .phase = state_info((enum state)c->state)->phase,
		                   .own = is_its_own(p, who, c, now_ms),
		                   .unit = who->unit && works_on(c, who->unit) };
}

_Bool reach_sees(const struct policy *p, const struct person *who, enum right right, const struct case_file *c,
                 int64_t now_ms)
{
	struct rights_on on = reach_case(p, who, c, now_ms);

	return rights_may(p, who, right, &on);
}

/* ---- lists ---- */

uint32_t reach_states(unsigned phases)
{
	uint32_t states = 0;

	if ((phases & EVERY_PHASE) == EVERY_PHASE)
		return 0;
	for (int s = STATE_NONE + 1; s < STATE_COUNT; s++)
		states |= (uint32_t)(phases >> state_info((enum state)s)->phase & 1) << s;
	return states;
}

/* Keeps of the states asked for what lies in these phases; false: nothing does, and *states is as it was. */
static _Bool keep_states(unsigned phases, uint32_t *states)
{
	uint32_t seen = reach_states(phases), kept = *states == 0 ? seen : *states & seen;

	if (seen == 0)
		return (phases & EVERY_PHASE) != 0;
	if (kept != 0)
		*states = kept;
	return kept != 0;
}

static _Bool has_phases(const struct policy *p, const struct person *who, enum right right, const struct rights_on *on,
                        uint32_t *states)
{
	unsigned phases = rights_phases(p, who, right, on);

	return states ? keep_states(phases, states) : phases != 0;
}

_Bool reach_area(const struct policy *p, const struct person *who, enum right right, int64_t *area, uint32_t *states,
                 struct refusal *why)
{
	struct rights_on on = { .area = RIGHTS_WHOLE };

	if (*area == 0 && has_phases(p, who, right, &on, states))
		return 1;
	if (*area == 0)
		*area = who->area;
	on.area = *area;
	return has_phases(p, who, right, &on, states) || rights_refuse(p, who, right, &on, "area-is-yours", why);
}

/* What was asked for by area. A case without a grid is everybody's to place. */
static _Bool narrow_area(const struct policy *p, const struct person *who, struct reach_list *l, struct refusal *why)
{
	static const struct rights_on unlocated = { .area = 0 };

	if (!l->filter->unlocated)
		return reach_area(p, who, RIGHT_LIST_CASES, &l->filter->area, &l->filter->states, why);
	l->filter->area = 0;
	return has_phases(p, who, RIGHT_LIST_CASES, &unlocated, &l->filter->states) ||
	       rights_refuse(p, who, RIGHT_LIST_CASES, &unlocated, "cases-are-yours", why);
}

/* Who sees no area lists its unit's cases, or its own. */
static _Bool fall_back(const struct policy *p, const struct person *who, struct reach_list *l, struct refusal *why)
{
	static const struct rights_on units = { .area = RIGHTS_WHOLE, .unit = 1 };

	if (who->unit && rights_phases(p, who, RIGHT_LIST_CASES, &units))
		must(snprintf(l->handler, l->handler_size, "%s", who->unit) >= 0);
	else if (who->roles & ROLE_GATEWAY)
		return refuse(why, REFUSAL_INVALID, "gateway-names-its-reporter",
		              "A gateway lists one reporter's cases: name it as \"<gateway>/<id>\".");
	else
		must(snprintf(l->reporter, l->reporter_size, "%s", who->id) >= 0);
	return 1;
}

_Bool reach_narrow(const struct policy *p, const struct person *who, struct reach_list *l, struct refusal *why)
{
	static const struct rights_on somewhere = { .area = 0 };
	_Bool by_area = rights_phases(p, who, RIGHT_LIST_CASES, &somewhere) != 0;
	struct rights_on on = { .area = RIGHTS_WHOLE };

	if (!by_area && !l->reporter[0] && !l->handler[0] && !fall_back(p, who, l, why))
		return 0;
	on.own = rights_owns(who, l->reporter);
	on.unit = who->unit && strcmp(l->handler, who->unit) == 0;
	if ((on.own || on.unit) && has_phases(p, who, RIGHT_LIST_CASES, &on, &l->filter->states))
		return 1;
	if (by_area)
		return narrow_area(p, who, l, why);
	return rights_refuse(p, who, RIGHT_LIST_CASES, &somewhere, "cases-are-yours", why);
}

_Bool reach_concerns(const struct policy *p, const struct person *who, int64_t area)
{
	return rights_reach(p, who, area) || area_holds(area, who->area);
}
