#include "jurisdiction/handlers.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "jurisdiction/policy_map.h"
#include "jurisdiction/policy_parts.h"

#define DUTIES_MOST 32

/* ---- the question's areas ---- */

static void add_area(struct routing_question *r, int64_t area)
{
	if (r->area_count < ROUTING_AREAS_MOST && (r->area_count == 0 || r->areas[r->area_count - 1] != area))
		r->areas[r->area_count++] = area;
}

/* The smallest first; those that no contract names are nobody's. */
static void add_overlays(const struct policy *p, const struct handler_question *q, struct routing_question *r)
{
	const struct overlay *over[POLICY_OVERLAYS_MOST];
	size_t count = policy_overlays_at(p, q->lat_e7, q->lon_e7, q->at_ms, over, POLICY_OVERLAYS_MOST);

	for (size_t i = 0; i < count; i++)
		if (routing_overlay(&p->routing, over[i]->id) != 0)
			add_area(r, routing_overlay(&p->routing, over[i]->id));
}

static void find_areas(const struct policy *p, const struct handler_question *q, struct routing_question *r)
{
	int64_t above[AREA_LEVELS];

	*r = (struct routing_question){ .policy = p, .grid = q->grid, .category = q->category, .at_ms = q->at_ms };
	if (q->lat_e7 != HANDLER_NO_PLACE && q->lon_e7 != HANDLER_NO_PLACE)
		add_overlays(p, q, r);
	area_above(q->grid, above);
	for (int i = 0; i < AREA_LEVELS; i++)
		add_area(r, above[i]);
}

/* ---- the steps ---- */

static const struct unit *unit_of_post(const struct policy *p, const struct post *post)
{
	const struct person *who = post ? policy_person(p, post->person) : NULL;

	return who ? policy_unit(p, who->unit) : NULL;
}

static const struct unit *unit_of(const struct routing_question *r, const struct offer *o)
{
	return post_named(o->unit) ? unit_of_post(r->policy, routing_holder(r, o)) : policy_unit(r->policy, o->unit);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static _Bool by_offer(const struct routing_question *r, enum handler_step step, struct handler *out)
{
	const struct offer *tied, *o = routing_find(&r->policy->routing, step, r, &tied);

	if (!o)
		return 0;
	out->step = step;
	out->unit = unit_of(r, o);
	out->tied = tied ? unit_of(r, tied) : NULL;
	if (out->tied == out->unit)
		out->tied = NULL; /* two posts, one unit */
	out->contract = o->contract;
	out->route = o->route;
	out->post = post_named(o->unit) ? routing_holder(r, o) : NULL;
	out->co_units = o->co_units->count > 0 ? o->co_units : NULL;
	out->until_ms = out->post ? sooner(o->to_ms, out->post->to_ms) : o->to_ms;
	return out->unit != NULL;
}

/* The unit of who has the duty in the grid itself, if it handles cases. */
static _Bool by_grid(const struct routing_question *r, struct handler *out)
{
	const struct post *posts[DUTIES_MOST];
	size_t count = policy_duties(r->policy, r->grid, NULL, r->at_ms, posts, DUTIES_MOST);

	for (size_t i = 0; i < count && posts[i]->area == r->grid && area_level(r->grid) == AREA_GRID; i++) {
		const struct person *who = policy_person(r->policy, posts[i]->person);

		if (!who || !(who->roles & ROLE_HANDLER) || !policy_unit(r->policy, who->unit))
			continue;
		out->step = HANDLER_GRID;
		out->unit = policy_unit(r->policy, who->unit);
		out->post = posts[i];
		out->until_ms = posts[i]->to_ms;
		return 1;
	}
	return 0;
}

static _Bool by_area(const struct routing_question *r, struct handler *out)
{
	for (int i = 0; i < r->area_count; i++) {
		const struct unit *u = lookup_find_number(&r->policy->routing.home_unit, r->areas[i]);

		if (!u)
			continue;
		out->step = area_level(r->areas[i]) >= AREA_COMMUNITY ? HANDLER_COMMUNITY : HANDLER_STREET;
		out->unit = u;
		return 1;
	}
	return 0;
}

_Bool policy_handler(const struct policy *p, const struct handler_question *q, struct handler *out)
{
	struct routing_question r;

	*out = (struct handler){ .unit = NULL };
	find_areas(p, q, &r);
	for (int step = HANDLER_CONTRACT; step <= HANDLER_ROUTE; step++)
		if (by_offer(&r, (enum handler_step)step, out))
			return 1;
	return by_grid(&r, out) || by_area(&r, out);
}

const struct unit *policy_route(const struct policy *p, int64_t grid, int32_t category, int64_t now_ms, _Bool *sure)
{
	struct handler_question q = { grid, HANDLER_NO_PLACE, HANDLER_NO_PLACE, category, now_ms };
	struct handler h;
	_Bool found = policy_handler(p, &q, &h);

	if (sure)
		*sure = found && !h.tied;
	return h.unit;
}

/* ---- in words ---- */

static void date_text(int64_t ms, char out[CLOCK_TEXT_SIZE])
{
	clock_text(ms, out, CLOCK_TEXT_SIZE);
	out[10] = '\0';
}

static void pattern_text(int32_t category, char out[WORDS_CATEGORY_SIZE])
{
	if (category)
		words_category_text(category, out);
	else
		strcpy(out, "*");
}

void handler_why(const struct handler *h, char out[HANDLER_WHY_SIZE])
{
	static const char *const words[HANDLER_STEPS] = {
		[HANDLER_CONTRACT] = "合同 contract",
		[HANDLER_SELF_MANAGED] = "自管协议 agreement of self-management",
		[HANDLER_ROUTE] = "路由 route",
		[HANDLER_GRID] = "网格兜底 no contract or route: the grid's own",
		[HANDLER_COMMUNITY] = "社区兜底 no contract or route: the community",
		[HANDLER_STREET] = "街道兜底 no contract or route: the street",
	};
	char row[96] = "", holder[160] = "", until[CLOCK_TEXT_SIZE + 8] = "", category[WORDS_CATEGORY_SIZE];

	if (h->contract) {
		snprintf(row, sizeof row, " %s", h->contract->id);
	} else if (h->route) {
		pattern_text(h->route->category, category);
		if (h->route->area)
			snprintf(row, sizeof row, " %s in %lld", category, (long long)h->route->area);
		else
			snprintf(row, sizeof row, " %s everywhere", category);
	}
	if (h->post)
		snprintf(holder, sizeof holder, ", %s%s %s", POST_PREFIX, h->post->kind, h->post->person);
	if (h->until_ms) {
		char date[CLOCK_TEXT_SIZE];

		date_text(h->until_ms, date);
		snprintf(until, sizeof until, " until %s", date);
	}
	(void)snprintf(out, HANDLER_WHY_SIZE, "%s%s%s%s", words[h->step], row, holder, until);
}

/* ---- what a case rests on ---- */

const char *handler_basis(const struct handler *h)
{
	if (h->contract)
		return h->contract->id;
	return h->route && h->post ? h->route->unit : NULL;
}

static _Bool in_force(const struct contract *c, int64_t at_ms)
{
	return at_ms >= c->from_ms && (c->to_ms == 0 || at_ms < c->to_ms);
}

_Bool handler_basis_holds(const struct policy *p, const char *basis, int64_t grid, int64_t at_ms)
{
	const struct contract *c;

	if (post_named(basis))
		return policy_duty(p, grid, basis + strlen(POST_PREFIX), at_ms) != NULL;
	c = policy_contract(p, basis);
	return c && in_force(c, at_ms);
}

/* ---- contracts ---- */

const struct contract *policy_contract(const struct policy *p, const char *id)
{
	return lookup_find_text(&p->contracts.by_key, id);
}

const struct contract *policy_contract_at(const struct policy *p, size_t i)
{
	return table_at(&p->contracts, i);
}

_Bool unit_is(const struct unit *u, const char *kind)
{
	return u->kind && strcmp(u->kind, kind) == 0;
}

_Bool unit_needs_contract(const struct unit *u)
{
	return unit_is(u, "property") || unit_is(u, "contractor");
}

static _Bool lasts_longer(const struct contract *c, const struct contract *than)
{
	return !than || (than->to_ms != 0 && (c->to_ms == 0 || c->to_ms > than->to_ms));
}

const struct contract *policy_contract_of(const struct policy *p, const char *unit, int64_t at_ms)
{
	const struct contract *c, *longest = NULL;

	for (size_t i = 0; (c = policy_contract_at(p, i)) != NULL; i++)
		if (strcmp(c->unit, unit) == 0 && in_force(c, at_ms) && lasts_longer(c, longest))
			longest = c;
	return longest;
}
