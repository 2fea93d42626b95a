#include "jurisdiction/routing.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "jurisdiction/policy_parts.h"

#define CLASSES (1 << 10) /* more than category / 100 can be */

struct routing_entry {
	int64_t bucket;
	_Bool wide;   /* a class, not one category of it */
	_Bool always; /* all day, not some hours of it */
	size_t order; /* in the file */
	const struct offer *offer;
};

/* ---- the index ---- */

/* Codes have at most 15 digits, so area and class fit one number. */
static int64_t bucket_of(int64_t area, int32_t category)
{
	return area * CLASSES + category / 100;
}

static int compare_entries(const void *left, const void *right)
{
	const struct routing_entry *a = left, *b = right;

	if (a->bucket != b->bucket)
		return a->bucket < b->bucket ? -1 : 1;
	if (a->wide != b->wide)
		return a->wide ? 1 : -1;
	if (a->always != b->always)
		return a->always ? 1 : -1;
	return (a->order > b->order) - (a->order < b->order);
}

static enum handler_step step_of(const struct policy *p, const struct offer *offer)
{
	const struct unit *unit = offer->contract ? policy_unit(p, offer->unit) : NULL;

	if (!offer->contract)
		return HANDLER_ROUTE;
	return unit && unit_is(unit, "self-managed") ? HANDLER_SELF_MANAGED : HANDLER_CONTRACT;
}

static void build_step(struct routing *r, const struct policy *p, enum handler_step step)
{
	struct routing_index *s = &r->steps[step];

	s->entries = must_calloc(r->count, sizeof *s->entries);
	for (size_t i = 0; i < r->count; i++) {
		const struct offer *o = &r->offers[i];

		if (step_of(p, o) == step)
			s->entries[s->count++] = (struct routing_entry){
				bucket_of(o->area, o->category),
				o->category % 100 == 0,
				o->hours->from == o->hours->to,
				i,
				o,
			};
	}
	qsort(s->entries, s->count, sizeof *s->entries, compare_entries);
	for (size_t i = 0; i < s->count; i++)
		if (i == 0 || s->entries[i].bucket != s->entries[i - 1].bucket)
			must(lookup_add(&s->first, &s->entries[i].bucket, sizeof s->entries[i].bucket, &s->entries[i]));
}

/* ---- offers ---- */

int64_t routing_overlay(const struct routing *r, const char *overlay)
{
	const struct offer *first = lookup_find_text(&r->overlays, overlay);

	return first ? first->area : 0;
}

static void offer_place(struct routing *r, const struct contract *c, const struct place_cell *place)
{
	for (int i = 0; i < c->categories.count; i++) {
		struct offer *o = &r->offers[r->count++];

		*o = (struct offer){ .area = place ? place->area : 0,
			             .category = c->categories.codes[i],
			             .unit = c->unit,
			             .from_ms = c->from_ms,
			             .to_ms = c->to_ms,
			             .co_units = &c->co_units,
			             .hours = &c->hours,
			             .contract = c };
		if (!place || !place->overlay)
			continue;
		/* An overlay's number is the place of the first offer that names it, from -1 downwards. */
		o->area = -(int64_t)r->count;
		if (!lookup_add(&r->overlays, place->overlay, strlen(place->overlay), o))
			o->area = routing_overlay(r, place->overlay);
	}
}

static void offer_contract(struct routing *r, const struct contract *c)
{
	if (c->places.count == 0)
		offer_place(r, c, NULL);
	for (int i = 0; i < c->places.count; i++)
		offer_place(r, c, &c->places.at[i]);
}

static void offer_route(struct routing *r, const struct route *route)
{
	r->offers[r->count++] = (struct offer){ .area = route->area,
		                                .category = route->category,
		                                .unit = route->unit,
		                                .from_ms = route->from_ms,
		                                .to_ms = route->to_ms,
		                                .co_units = &route->co_units,
		                                .hours = &route->hours,
		                                .route = route };
}

static size_t count_offers(const struct policy *p)
{
	size_t count = p->routes.count;

	for (size_t i = 0; i < p->contracts.count; i++) {
		const struct contract *c = p->contracts.rows[i];

		count += (size_t)c->categories.count * (size_t)(c->places.count ? c->places.count : 1);
	}
	return count;
}

/* The first unit of its kind for an area is the area's own. */
static void find_homes(struct routing *r, const struct policy *p)
{
	for (size_t i = 0; i < p->units.count; i++) {
		struct unit *u = p->units.rows[i];

		if (u->area && (unit_is(u, "community") || unit_is(u, "street")))
			(void)lookup_add(&r->home_unit, &u->area, sizeof u->area, u);
	}
}

void routing_build(struct policy *p)
{
	struct routing *r = &p->routing;

	*r = (struct routing){ .offers = must_calloc(count_offers(p), sizeof *r->offers) };
	for (size_t i = 0; i < p->contracts.count; i++)
		offer_contract(r, p->contracts.rows[i]);
	for (size_t i = 0; i < p->routes.count; i++)
		offer_route(r, p->routes.rows[i]);
	for (int step = 0; step < ROUTING_STEPS; step++)
		build_step(r, p, (enum handler_step)step);
	find_homes(r, p);
}

void routing_close(struct routing *r)
{
	for (int step = 0; step < ROUTING_STEPS; step++) {
		free(r->steps[step].entries);
		lookup_close(&r->steps[step].first);
	}
	free(r->offers);
	lookup_close(&r->overlays);
	lookup_close(&r->home_unit);
	*r = (struct routing){ 0 };
}

/* ---- asking ---- */

#define HOLDERS_MOST 32

const struct post *routing_holder(const struct routing_question *q, const struct offer *offer)
{
	const struct post *holders[HOLDERS_MOST];
	const char *kind = offer->unit + strlen(POST_PREFIX);
	size_t count = policy_duties(q->policy, q->grid, kind, q->at_ms, holders, HOLDERS_MOST);

	for (size_t i = 0; i < count; i++) {
		const struct person *who = policy_person(q->policy, holders[i]->person);

		if (who && who->unit)
			return holders[i];
	}
	return NULL;
}

static _Bool fits(const struct offer *o, const struct routing_question *q)
{
	if (o->category % 100 != 0 && o->category != q->category)
		return 0;
	if (q->at_ms < o->from_ms || (o->to_ms != 0 && q->at_ms >= o->to_ms) || !day_hours_hold(o->hours, q->at_ms))
		return 0;
	/* A post that nobody holds offers nothing: the next best row is asked. */
	return !post_named(o->unit) || routing_holder(q, o) != NULL;
}

struct finding {
	const struct routing_entry *best, *tied;
};

/* Within a bucket all have the same area, so the first that fits wins and one as narrow from another unit ties. */
static void ask_bucket(const struct routing_index *s, int64_t bucket, const struct routing_question *q,
                       struct finding *f)
{
	const struct routing_entry *end = s->entries + s->count, *e = lookup_find_number(&s->first, bucket);

	for (; e && e < end && e->bucket == bucket; e++) {
		if (!fits(e->offer, q))
			continue;
		if (!f->best)
			f->best = e;
		else if (!f->tied && e->offer->category == f->best->offer->category && e->always == f->best->always &&
		         strcmp(e->offer->unit, f->best->offer->unit) != 0)
			f->tied = e;
	}
}

const struct offer *routing_find(const struct routing *r, enum handler_step step, const struct routing_question *q,
                                 const struct offer **tied)
{
	struct finding f = { NULL, NULL };

	for (int i = 0; i < q->area_count && !f.best; i++) {
		ask_bucket(&r->steps[step], bucket_of(q->areas[i], q->category), q, &f);
		if (!f.best)
			ask_bucket(&r->steps[step], bucket_of(q->areas[i], 0), q, &f);
	}
	*tied = f.tied ? f.tied->offer : NULL;
	return f.best ? f.best->offer : NULL;
}
