#include "intake/where.h"

#include <inttypes.h>
#include <stdio.h>

#include "intake/check.h"
#include "intake/question.h"
#include "intake/wire.h"
#include "jurisdiction/handlers.h"
#include "jurisdiction/policy_map.h"
#include "workflow/place.h"

#define E7 1e7
#define CODE_SIZE 24
#define HOLDERS_MOST 32
#define LEVELS 4

struct where_question {
	struct question q;
	int32_t lat_e7, lon_e7;
	int32_t category; /* 0: none asked about */
};

static const char *const level_names[LEVELS] = { "grid", "community", "street", "county" };

static ProtobufCBinaryData code_text(struct question *q, int64_t code)
{
	char *text = question_take(q, CODE_SIZE);

	must(snprintf(text, CODE_SIZE, "%" PRId64, code) > 0);
	return wire_text(text);
}

static Gridloop__V1__Holder *holder_of(struct question *q, const struct post *post)
{
	const struct post_kind *kind = policy_post_kind(q->policy, post->kind);
	const struct person *person = policy_person(q->policy, post->person);
	Gridloop__V1__Holder *h = question_take(q, sizeof *h);

	gridloop__v1__holder__init(h);
	h->post = wire_text(post->kind);
	h->post_zh = wire_text(kind ? kind->zh : NULL);
	h->person = wire_text(post->person);
	h->name = wire_text(person ? person->name : NULL);
	h->place = wire_text(post->place);
	return h;
}

static Gridloop__V1__Level *level_of(struct question *q, const char *level, int64_t code, const char *name)
{
	const struct post *posts[HOLDERS_MOST];
	size_t count = policy_duties(q->policy, code, NULL, q->now_ms, posts, HOLDERS_MOST);
	Gridloop__V1__Level *l = question_take(q, sizeof *l);

	gridloop__v1__level__init(l);
	l->level = wire_text(level);
	l->code = code_text(q, code);
	l->name = wire_text(name);
	l->holders = question_take(q, HOLDERS_MOST * sizeof *l->holders);
	/* What is held above is told there. */
	for (size_t i = 0; i < count; i++)
		if (posts[i]->area == code)
			l->holders[l->n_holders++] = holder_of(q, posts[i]);
	return l;
}

static void fill_levels(struct question *q, const struct grid *g, Gridloop__V1__Responsible *m)
{
	const struct area *a = policy_area(q->policy, g->community);

	m->levels = question_take(q, LEVELS * sizeof *m->levels);
	m->levels[m->n_levels++] = level_of(q, level_names[0], g->code, g->name);
	for (; a && m->n_levels < LEVELS; a = policy_area(q->policy, a->parent)) {
		m->levels[m->n_levels] = level_of(q, level_names[m->n_levels], a->code, a->name);
		m->n_levels++;
	}
}

static void fill_overlays(const struct where_question *w, struct question *q, Gridloop__V1__Responsible *m)
{
	const struct overlay *found[POLICY_OVERLAYS_MOST];
	size_t count = policy_overlays_at(q->policy, w->lat_e7, w->lon_e7, q->now_ms, found, POLICY_OVERLAYS_MOST);

	m->overlays = question_take(q, POLICY_OVERLAYS_MOST * sizeof *m->overlays);
	for (size_t i = 0; i < count; i++) {
		Gridloop__V1__OverlayThere *o = question_take(q, sizeof *o);

		gridloop__v1__overlay_there__init(o);
		o->overlay = wire_text(found[i]->id);
		o->name = wire_text(found[i]->name);
		o->kind = wire_text(found[i]->kind);
		m->overlays[m->n_overlays++] = o;
	}
}

static void fill_unit(const struct where_question *w, struct question *q, const struct grid *g,
                      Gridloop__V1__Responsible *m)
{
	const struct category *k = policy_category(q->policy, w->category);
	struct handler h = { .unit = NULL };
	char *why = question_take(q, HANDLER_WHY_SIZE);

	if (!k)
		return;
	m->category_name = wire_text(k->name);
	if (!policy_handler(q->policy, &(struct handler_question){ g->code, w->lat_e7, w->lon_e7, k->code, q->now_ms },
	                    &h))
		return;
	handler_why(&h, why);
	m->unit = wire_text(h.unit->id);
	m->unit_name = wire_text(h.unit->name);
	m->sure = h.tied == NULL;
	m->why = wire_text(why);
}

static void ask_where(struct question *q, struct reader *r)
{
	const struct where_question *w = (const struct where_question *)q;
	Gridloop__V1__Responsible m = GRIDLOOP__V1__RESPONSIBLE__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	const struct grid *g = NULL;
	enum told told = policy_told(q->policy, w->lat_e7, w->lon_e7, q->now_ms, &g);

	(void)r;
	m.told = wire_text(g ? "located" : told_name(told));
	m.lat = w->lat_e7 / E7;
	m.lon = w->lon_e7 / E7;
	fill_overlays(w, q, &m);
	if (g) {
		fill_levels(q, g, &m);
		fill_unit(w, q, g, &m);
	}
	f.seq = q->seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_RESPONSIBLE;
	f.responsible = &m;
	question_reply(q, &f);
}

static _Bool read_question(const struct session *s, const Gridloop__V1__Where *m, struct where_question *w,
                           struct refusal *why)
{
	if (!check_place(m->place, &w->lat_e7, &w->lon_e7, why) || !check_category(&m->category, 0, &w->category, why))
		return 0;
	if (w->lat_e7 == PLACE_NONE)
		return refuse(why, REFUSAL_INVALID, "place-given", "Say which place is meant: latitude and longitude.");
	if (w->category == 0 || policy_category(engine_policy(s->door->engine), w->category))
		return 1;
	return refuse(why, REFUSAL_UNKNOWN_CATEGORY, "category-in-the-catalogue", "There is no such category here.");
}

_Bool where_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct where_question read = { .lat_e7 = PLACE_NONE };

	if (!read_question(s, f->where, &read, why))
		return 0;
	struct where_question *w = question_new(s, f->seq, sizeof *w, ask_where);

	w->lat_e7 = read.lat_e7;
	w->lon_e7 = read.lon_e7;
	w->category = read.category;
	return question_send(&w->q, why);
}
