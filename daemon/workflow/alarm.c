/* alarm: what a camera's post is about. It goes on with an open case and raises its count; or with something that was
 * judged already and is still going on, and opens nothing; or it is new, and becomes a case once it has lasted or come
 * back as the registry asks. */
#include "workflow/alarm.h"

#include <string.h>

#include "jurisdiction/cameras.h"
#include "jurisdiction/policy_map.h"
#include "workflow/alarm_spans.h"

/* One post with everything known about it. */
struct post {
	const struct camera *camera;
	const struct camera_label *label;
	const struct alarm_span
		*all; /* what this camera sees of the category, whatever its ids; NULL: nothing going on */
	const struct alarm_span *own; /* what has the same id; NULL: nothing, or the post has none */
	int64_t seen_ms;              /* by the camera's clock */
	int64_t over_ms;              /* unless it posts again before */
};

/* ---- what is known ---- */

static const struct alarm_span *going_on(const struct decision *d, const struct camera_label *l, const char *event)
{
	const struct command *c = d->command;
	const struct alarm_span *s = casebook_span(d->book, c->camera, c->alarm_channel, l->category, event);
	return s != NULL && d->now_ms <= s->over_ms ? s : NULL;
}

static struct post look_up(const struct decision *d, const struct camera *k, const struct camera_label *l)
{
	const struct command *c = d->command;
	int64_t gap = l->gap_ms != 0 ? l->gap_ms : d->rules->alarm_window_ms;
	return (struct post){ .camera = k,
		              .label = l,
		              .all = going_on(d, l, NULL),
		              .own = c->alarm_event == NULL ? NULL : going_on(d, l, c->alarm_event),
		              .seen_ms = c->seen_at_ms != 0 ? c->seen_at_ms : d->now_ms,
		              .over_ms = d->now_ms + gap };
}

static const struct case_file *open_case_of(const struct decision *d, const struct alarm_span *s)
{
	return s == NULL || s->case_id == 0 ? NULL : casebook_case(d->book, s->case_id);
}

/* Dismissed, expired, rejected or merged: people have dealt with it, and it is not to be asked again while it goes on.
 * What was handled and is seen again has come back, and is new. */
static _Bool was_judged(const struct decision *d, const struct alarm_span *s)
{
	return s != NULL && s->case_id != 0 && casebook_case(d->book, s->case_id) == NULL &&
	       casebook_span_end(d->book, s->case_id) != STATE_REWARDED;
}

/* ---- what is remembered ---- */

static int32_t at_least(int32_t count, int32_t least)
{
	return count > least ? count : least;
}

/* One post more than before. The camera's own count says more when posts were lost on the way. */
static int32_t counted(const struct decision *d, int32_t before)
{
	return at_least(before < ALARM_COUNT_MOST ? before + 1 : before, d->command->posts);
}

static struct alarm_span *remember(struct decision *d, const struct post *p, const char *event,
                                   const struct alarm_span *before)
{
	const struct command *c = d->command;
	struct alarm_span *s = &d->out->spans[d->out->span_count++];
	const struct alarm_span *same = casebook_span(d->book, c->camera, c->alarm_channel, p->label->category, event);
	*s = before != NULL ? *before : (struct alarm_span){ .began_ms = p->seen_ms };
	s->id = same != NULL ? same->id : d->next_span++;
	s->camera = c->camera;
	s->channel = c->alarm_channel;
	s->event = event;
	s->category = p->label->category;
	s->last_ms = d->now_ms;
	s->over_ms = event != NULL && !c->ended && p->over_ms < d->now_ms + ALARM_EVENT_KEPT_MS
	                     ? d->now_ms + ALARM_EVENT_KEPT_MS
	                     : p->over_ms;
	s->ended = c->ended;
	return s;
}

/* Its row needs no change with each post: an id does not count for an open case. */
static _Bool is_fresh(const struct decision *d, const struct alarm_span *own, int64_t case_id)
{
	return own != NULL && own->case_id == case_id && own->ended == d->command->ended &&
	       own->last_ms > d->now_ms - ALARM_EVENT_RENEWED_MS;
}

static void remember_case(struct alarm_span *s, int64_t case_id, int32_t category, int32_t count)
{
	s->case_id = case_id;
	s->case_category = category;
	s->count = count;
}

/* Those that are over make room, and at the limit those that were silent longest. */
static void make_room(struct decision *d)
{
	const struct alarm_span *oldest;
	size_t count = casebook_span_count(d->book);
	for (size_t i = 0; i < FACTS_SPANS_MOST && (oldest = casebook_span_oldest(d->book, i)) != NULL; i++)
		if (oldest->over_ms < d->now_ms ||
		    count - d->out->forgotten_count > ALARM_SPANS_MOST - FACTS_SPANS_MOST)
			d->out->forgotten[d->out->forgotten_count++] = oldest->id;
}

/* One that this post is about must not go. */
static void keep_used(struct decision *d)
{
	struct facts *f = d->out;
	size_t kept = 0;
	for (size_t i = 0; i < f->forgotten_count; i++) {
		_Bool used = 0;
		for (size_t k = 0; k < f->span_count; k++)
			used |= f->spans[k].id == f->forgotten[i];
		if (!used)
			f->forgotten[kept++] = f->forgotten[i];
	}
	f->forgotten_count = kept;
}

/* ---- the three ways ---- */

static _Bool is_told_now(const struct decision *d, const struct case_file *f, int32_t count)
{
	return count <= ALARM_TOLD_FIRST || d->command->ended || d->now_ms - f->last_alarm_ms >= ALARM_TOLD_EVERY_MS;
}

/* The same camera and category within the window, or the gateway's own event again. */
static void go_on_with(struct decision *d, const struct post *p, const struct case_file *f)
{
	_Bool by_all = p->all == NULL || p->all->case_id == 0 || open_case_of(d, p->all) == f ||
	               open_case_of(d, p->all) == NULL;
	const struct alarm_span *counter = by_all ? p->all : p->own;
	int32_t before = counter != NULL && counter->case_id == f->id ? counter->count : 0;
	int32_t count = counted(d, at_least(f->alarm_count, before));
	const char *event = d->command->alarm_event;
	if (by_all)
		remember_case(remember(d, p, NULL, p->all), f->id, f->category, count);
	if (event != NULL && (!by_all || !is_fresh(d, p->own, f->id)))
		remember_case(remember(d, p, event, p->own), f->id, f->category, count);
	*d->draft = *f;
	d->out->report = NULL;
	d->alarm_count = count;
	if (is_told_now(d, f, count))
		discover_alarm_again(d);
	decision_outcome(d);
	if (d->out->event_count == 0)
		d->out->draft_count = 0; /* the case is as it was */
}

/* It was judged, and is still the same. */
static void say_nothing(struct decision *d, const struct post *p, const struct alarm_span *judged)
{
	struct outcome *o = &d->command->outcome;
	const char *event = d->command->alarm_event;
	if (p->all != NULL && p->all->case_id == judged->case_id)
		remember(d, p, NULL, p->all)->count = counted(d, p->all->count);
	if (event != NULL && !is_fresh(d, p->own, judged->case_id))
		remember_case(remember(d, p, event, p->own), judged->case_id, judged->case_category, judged->count);
	o->case_id = judged->case_id;
	o->category = judged->case_category;
	o->state = casebook_span_end(d->book, judged->case_id);
	d->out->report = NULL;
	d->out->draft_count = 0;
}

static _Bool is_ready(const struct post *p, int64_t began_ms, int32_t count)
{
	const struct camera_label *l = p->label;
	if (l->dwell_ms == 0 && l->repeat == 0)
		return 1;
	return (l->dwell_ms != 0 && p->seen_ms - began_ms >= l->dwell_ms) || (l->repeat != 0 && count >= l->repeat);
}

static void open_case(struct decision *d, const struct post *p, struct alarm_span *waited)
{
	const char *event = d->command->alarm_event;
	d->alarm_count = waited->count;
	/* Interned only now: there are as many of a gateway's event ids as events, and names are kept for good. */
	d->draft->alarm_event = casebook_intern(d->book, event);
	discover_alarm(d);
	waited->case_id = d->draft->id;
	waited->case_category = d->draft->category;
	if (event != NULL)
		remember_case(remember(d, p, NULL, NULL), d->draft->id, d->draft->category, waited->count);
	decision_outcome(d);
}

/* New, or waited for until it has lasted long enough. */
static _Bool begin_or_wait(struct decision *d, const struct post *p)
{
	const struct command *c = d->command;
	const struct alarm_span *before = c->alarm_event != NULL ? p->own : p->all;
	if (before != NULL && (before->case_id != 0 || before->ended))
		before = NULL;
	if (c->ended && before == NULL)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "ends-what-is-open",
		                       "It is over, and nothing that camera %s goes on seeing was about it.",
		                       c->camera);
	struct alarm_span *s = remember(d, p, c->alarm_event, before);
	remember_case(s, 0, 0, counted(d, before == NULL ? 0 : before->count));
	if (c->began_at_ms != 0 && c->began_at_ms < s->began_ms)
		s->began_ms = c->began_at_ms;
	if (is_ready(p, s->began_ms, s->count)) {
		if (!discover_room(d))
			return 0;
		open_case(d, p, s);
		return 1;
	}
	d->out->report = NULL;
	d->out->draft_count = 0;
	return 1;
}

static _Bool judge(struct decision *d, const struct post *p)
{
	const struct case_file *f = open_case_of(d, p->own);
	if (f == NULL && !was_judged(d, p->own))
		f = open_case_of(d, p->all);
	if (f != NULL)
		go_on_with(d, p, f);
	else if (was_judged(d, p->own))
		say_nothing(d, p, p->own);
	else if (d->command->alarm_event == NULL && was_judged(d, p->all) && !p->all->ended)
		say_nothing(d, p, p->all);
	else
		return begin_or_wait(d, p);
	return 1;
}

/* ---- a camera's draft ---- */

/* The registry's grid, unless the map has another one there by now. */
static int64_t grid_of(const struct decision *d, const struct camera *k)
{
	if (k->grid != 0 && policy_grid_on(d->policy, k->grid, d->now_ms) != NULL)
		return k->grid;
	const struct grid *g = policy_locate(d->policy, k->lat_e7, k->lon_e7, d->now_ms);
	return g == NULL ? 0 : g->code;
}

static void camera_draft(struct decision *d, const struct camera *k, const struct camera_label *l)
{
	struct case_file *f = d->draft;
	f->category = l->category;
	f->lat_e7 = k->lat_e7;
	f->lon_e7 = k->lon_e7;
	f->told = TOLD_LOCATED;
	f->grid = grid_of(d, k);
	f->reporter = NULL;
	f->anonymous = 0;
	f->reporter_kind = REPORTER_CAMERA;
}

_Bool alarm_judge(struct decision *d)
{
	const struct command *c = d->command;
	const struct camera *k = policy_camera(d->policy, c->camera);
	if (k == NULL)
		return decision_refuse(d, REFUSAL_UNKNOWN_PERSON, "camera-in-the-registry",
		                       "There is no camera \"%s\" in the registry.",
		                       c->camera == NULL ? "" : c->camera);
	const struct camera_label *l = policy_camera_label(d->policy, k, c->label);
	decision_new_case(d);
	d->draft->camera = casebook_intern(d->book, c->camera);
	if (l != NULL)
		camera_draft(d, k, l);
	d->row = transition_find(ACT_ALARM, STATE_NONE);
	if (!decision_may(d, ACT_ALARM, d->row->who))
		return decision_lacks(d, ACT_ALARM, "camera-s-own-gateway");
	if (!d->row->guard(d))
		return 0;
	struct post p = look_up(d, k, l);
	if (!judge(d, &p))
		return 0;
	make_room(d);
	keep_used(d);
	return 1;
}
