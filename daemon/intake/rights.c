#include "intake/rights.h"

#include <inttypes.h>
#include <string.h>

#include "workflow/domain.h"

_Bool rights_is_staff(const struct person *p)
{
	return (p->roles & RIGHTS_STAFF) != 0;
}

_Bool rights_owns(const struct person *p, const char *account)
{
	size_t length = strlen(p->id);

	if (!account || strncmp(account, p->id, length) != 0)
		return 0;
	return account[length] == '\0' || ((p->roles & ROLE_GATEWAY) && account[length] == '/');
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

_Bool rights_may_see(const struct person *p, const struct case_file *c)
{
	if (rights_owns(p, c->reporter) || (c->actor && strcmp(c->actor, p->id) == 0))
		return 1;
	if (!rights_is_staff(p))
		return 0;
	/* A case may be handled by a unit from elsewhere, and one without a grid is everybody's to place. */
	if (p->unit && works_on(c, p->unit))
		return 1;
	return p->area == 0 || c->grid == 0 || area_holds(p->area, c->grid);
}

static _Bool holds_every_grid(const struct policy *policy, int64_t area)
{
	const struct grid *g;

	for (size_t i = 0; (g = policy_grid_at(policy, i)) != NULL; i++)
		if (!area_holds(area, g->code))
			return 0;
	return 1;
}

_Bool rights_stay_in_area(const struct policy *policy, const struct person *p, int64_t *area, struct refusal *why)
{
	if (*area == 0 && holds_every_grid(policy, p->area))
		return 1;
	if (*area == 0)
		*area = p->area;
	if (area_holds(p->area, *area))
		return 1;
	return refuse(why, REFUSAL_NOT_ALLOWED, "area-is-yours", "Your rights are for the area %" PRId64 ".", p->area);
}
