#include "intake/subscribe.h"

#include <event2/event_struct.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "intake/addressee.h"
#include "intake/check.h"
#include "intake/look.h"
#include "intake/question.h"
#include "intake/reach.h"
#include "intake/reveal.h"
#include "intake/view.h"

#define BUCKETS 1024 /* of addressees, a power of two */

/* One name that a subscription listens for. */
struct watch {
	const char *name;
	struct subscription *of;
	LIST_ENTRY(watch) bucket;
};

struct subscription {
	struct session *session;
	struct subscribers *all;
	uint64_t serial; /* tells the answers to an earlier subscription from this one's */
	_Bool notices, events;
	_Bool notices_due, events_due; /* something above the cursor may be there */
	_Bool busy;                    /* a question is under way */
	_Bool is_waiting;              /* on the list of those to be asked for */
	int64_t notice_cursor, event_cursor, area;
	uint32_t states; /* of events, as reach_area has it */
	struct addressees to;
	struct watch watches[ROLE_BITS + 2];
	int watch_count;
	LIST_ENTRY(subscription) event_list;
	STAILQ_ENTRY(subscription) waiting;
};

struct subscribers {
	struct tcp_door *door;
	struct event gathered;
	uint64_t serial;
	int64_t last_event, last_notice;
	int watches;
	_Bool stopping;
	LIST_HEAD(, watch) buckets[BUCKETS];
	LIST_HEAD(, subscription) for_events;
	STAILQ_HEAD(, subscription) waiting;
};

/* ---- asking ---- */

struct page {
	struct question q;
	uint64_t serial;
	struct addressees to;
	int64_t cursor; /* in: ask above it; out: the last row of the reply */
	int64_t area;
	uint32_t states;
	_Bool more, went_well;
};

static void add_push(struct page *p, Gridloop__V1__Push *push)
{
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;

	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_PUSH;
	f.push = push;
	question_reply(&p->q, &f);
}

/* A page ends where it has a frame's worth of bytes, so that it cannot flood a small output buffer. */
static _Bool page_is_full(const struct page *p)
{
	return p->q.reply_length >= p->q.frame_most;
}

static void ask_notices(struct question *q, struct reader *r)
{
	struct page *p = (struct page *)q;
	struct notice_filter filter = { .after = p->cursor, .limit = SUBSCRIBE_PAGE };
	struct notice_row *rows = NULL;
	int64_t scanned_to = p->cursor;
	size_t count = 0, i;

	addressees_to_filter(&p->to, q->person, &filter);
	if (query_notices(r, &filter, &q->rows, &rows, &count, &scanned_to) != QUERY_OK)
		return;
	for (i = 0; i < count && !page_is_full(p); i++) {
		Gridloop__V1__Push push = GRIDLOOP__V1__PUSH__INIT;
		Gridloop__V1__Notice notice;

		reveal_notice(q, &rows[i]);
		view_notice(q, &rows[i], &notice);
		push.body_case = GRIDLOOP__V1__PUSH__BODY_NOTICE;
		push.notice = &notice;
		add_push(p, &push);
		p->cursor = rows[i].fact.id;
	}
	p->more = i < count || count == SUBSCRIBE_PAGE;
	if (i == count && scanned_to > p->cursor)
		p->cursor = scanned_to;
	p->went_well = 1;
}

static void ask_events(struct question *q, struct reader *r)
{
	struct page *p = (struct page *)q;
	struct event_filter filter = {
		.after = p->cursor, .area = p->area, .states = p->states, .limit = SUBSCRIBE_PAGE
	};
	struct news_row *rows = NULL;
	int64_t scanned_to = p->cursor;
	size_t count = 0, i;

	if (query_events(r, &filter, &q->rows, &rows, &count, &scanned_to) != QUERY_OK)
		return;
	for (i = 0; i < count && !page_is_full(p); i++) {
		Gridloop__V1__Push push = GRIDLOOP__V1__PUSH__INIT;
		Gridloop__V1__EventNews news;

		reveal_news(q, &rows[i]);
		view_news(q, &rows[i], &news);
		push.body_case = GRIDLOOP__V1__PUSH__BODY_EVENT;
		push.event = &news;
		add_push(p, &push);
		p->cursor = rows[i].fact.id;
	}
	p->more = i < count || count == SUBSCRIBE_PAGE;
	if (i == count && scanned_to > p->cursor)
		p->cursor = scanned_to;
	p->went_well = 1;
}

static void wait_for_turn(struct subscription *u)
{
	static const struct timeval span = { 0, SUBSCRIBE_GATHER_MS * 1000 };
	struct subscribers *all = u->all;

	if (!u->is_waiting) {
		u->is_waiting = 1;
		STAILQ_INSERT_TAIL(&all->waiting, u, waiting);
	}
	if (!all->stopping && !event_pending(&all->gathered, EV_TIMEOUT, NULL))
		must(event_add(&all->gathered, &span) == 0);
}

static void told_page(struct page *p, int64_t *cursor, _Bool *due)
{
	struct subscription *u = p->q.session->subscription;

	u->busy = 0;
	if (!p->went_well) {
		/* The rows are still there; ask again a little later. */
		*due = 1;
		wait_for_turn(u);
		return;
	}
	if (p->q.reply_length > 0 && !session_send_bytes(p->q.session, p->q.reply, p->q.reply_length))
		return;
	*cursor = p->cursor;
	*due |= p->more;
	subscription_go_on(p->q.session);
}

static _Bool is_stale(const struct page *p)
{
	const struct subscription *u = p->q.session->subscription;

	return !u || u->serial != p->serial;
}

static void told_notices(struct question *q)
{
	struct page *p = (struct page *)q;
	struct subscription *u = q->session->subscription;

	if (!is_stale(p))
		told_page(p, &u->notice_cursor, &u->notices_due);
}

static void told_events(struct question *q)
{
	struct page *p = (struct page *)q;
	struct subscription *u = q->session->subscription;

	if (is_stale(p))
		return;
	/* A reader may stop on its way through rows of other areas; it goes on as long as it gets further. */
	p->more |= p->cursor > u->event_cursor && p->cursor < u->all->last_event;
	told_page(p, &u->event_cursor, &u->events_due);
}

static struct page *page_new(struct subscription *u, void (*ask)(struct question *q, struct reader *r),
                             void (*told)(struct question *q), int64_t cursor)
{
	struct page *p = question_new(u->session, 0, sizeof *p, ask);

	p->q.told = told;
	p->serial = u->serial;
	p->cursor = cursor;
	p->area = u->area;
	p->states = u->states;
	addressees_of(u->session->person, &p->to);
	return p;
}

void subscription_go_on(struct session *s)
{
	struct subscription *u = s->subscription;
	struct refusal unused;
	struct page *p;

	if (!u || u->busy || u->all->stopping || !(u->notices_due || u->events_due) || !s->stream ||
	    stream_is_full(s->stream))
		return;
	if (u->notices_due)
		p = page_new(u, ask_notices, told_notices, u->notice_cursor);
	else
		p = page_new(u, ask_events, told_events, u->event_cursor);
	_Bool *due = u->notices_due ? &u->notices_due : &u->events_due;

	/* News that comes while the question is under way marks it again. */
	*due = 0;
	u->busy = question_send(&p->q, &unused);
	if (u->busy)
		return;
	*due = 1;
	wait_for_turn(u);
}

/* ---- news ---- */

static size_t bucket_of(const char *name)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619U;
	return hash & (BUCKETS - 1);
}

static void wake(struct subscription *u)
{
	u->notices_due = 1;
	wait_for_turn(u);
}

static void wake_addressee(struct subscribers *all, const char *name)
{
	struct watch *w;

	LIST_FOREACH(w, &all->buckets[bucket_of(name)], bucket)
	{
		if (strcmp(w->name, name) == 0)
			wake(w->of);
	}
}

static void wake_everybody(struct subscribers *all)
{
	struct watch *w;

	for (size_t i = 0; i < BUCKETS; i++)
		LIST_FOREACH(w, &all->buckets[i], bucket)
	wake(w->of);
}

void subscribers_hear(struct subscribers *all, const struct news *n)
{
	struct subscription *u;

	if (n->last_notice > all->last_notice)
		all->last_notice = n->last_notice;
	for (size_t i = 0; all->watches > 0 && i < n->notice_to_count; i++)
		wake_addressee(all, n->notice_to[i]);
	if (n->everybody)
		wake_everybody(all);
	if (n->last_event <= all->last_event)
		return;
	all->last_event = n->last_event;
	LIST_FOREACH(u, &all->for_events, event_list)
	{
		u->events_due = 1;
		wait_for_turn(u);
	}
}

static void on_gathered(int fd, short what, void *arg)
{
	struct subscribers *all = arg;
	STAILQ_HEAD(, subscription) now = STAILQ_HEAD_INITIALIZER(now);
	struct subscription *u;

	(void)fd;
	(void)what;
	/* What cannot be asked now comes back on the list for next time. */
	STAILQ_CONCAT(&now, &all->waiting);
	while ((u = STAILQ_FIRST(&now))) {
		STAILQ_REMOVE_HEAD(&now, waiting);
		u->is_waiting = 0;
		subscription_go_on(u->session);
	}
}

/* ---- subscribing ---- */

static void watch_names(struct subscription *u)
{
	for (int i = 0; u->to.names[i]; i++) {
		struct watch *w = &u->watches[u->watch_count++];

		*w = (struct watch){ .name = u->to.names[i], .of = u };
		LIST_INSERT_HEAD(&u->all->buckets[bucket_of(w->name)], w, bucket);
		u->all->watches++;
	}
}

static void unwatch(struct subscription *u)
{
	for (int i = 0; i < u->watch_count; i++) {
		LIST_REMOVE(&u->watches[i], bucket);
		u->all->watches--;
	}
	u->watch_count = 0;
}

void subscription_end(struct session *s)
{
	struct subscription *u = s->subscription;

	if (!u)
		return;
	s->subscription = NULL;
	unwatch(u);
	if (u->events)
		LIST_REMOVE(u, event_list);
	if (u->is_waiting)
		STAILQ_REMOVE(&u->all->waiting, u, subscription, waiting);
	free(u);
}

struct start {
	struct question q;
	_Bool notices, events;
	int64_t notices_after, events_after, area;
	uint32_t states;
};

static void begin(struct session *s, const struct start *from)
{
	struct subscription *u = must_calloc(1, sizeof *u);

	u->session = s;
	u->all = s->door->subscribers;
	u->serial = ++u->all->serial;
	u->notices = u->notices_due = from->notices;
	u->events = u->events_due = from->events;
	u->notice_cursor = from->notices_after;
	u->event_cursor = from->events_after;
	u->area = from->area;
	u->states = from->states;
	addressees_of(s->person, &u->to);
	if (u->notices)
		watch_names(u);
	if (u->events)
		LIST_INSERT_HEAD(&u->all->for_events, u, event_list);
	s->subscription = u;
}

/* ---- another person's row ---- */

/* Whether the events under this area may be followed. */
static _Bool events_allowed(const struct policy *policy, const struct person *p, int64_t *area, uint32_t *states,
                            struct refusal *why)
{
	*states = 0;
	if (rights_has(policy, p, RIGHT_EVENTS))
		return reach_area(policy, p, RIGHT_EVENTS, area, states, why);
	return rights_refuse(policy, p, RIGHT_EVENTS, NULL, "events-are-for-staff", why);
}

static _Bool notices_allowed(const struct policy *policy, const struct person *p, struct refusal *why)
{
	static const struct rights_on own = { .own = 1 };

	return rights_may(policy, p, RIGHT_NOTICES, &own) ||
	       rights_refuse(policy, p, RIGHT_NOTICES, NULL, "role-may-ask", why);
}

static void end_events(struct subscription *u, const struct refusal *why)
{
	u->events = u->events_due = 0;
	LIST_REMOVE(u, event_list);
	session_refuse(u->session, 0, why);
}

/* A page under way was asked for by the old rights: its answer is not waited for, and asked for again. */
void subscription_change_person(struct session *s)
{
	const struct policy *policy = engine_policy(s->door->engine);
	struct subscription *u = s->subscription;
	struct refusal why;

	if (!u)
		return;
	unwatch(u);
	addressees_of(s->person, &u->to);
	if (u->notices && !notices_allowed(policy, s->person, &why)) {
		u->notices = 0;
		session_refuse(s, 0, &why);
	}
	if (u->notices)
		watch_names(u);
	if (u->events && !events_allowed(policy, s->person, &u->area, &u->states, &why))
		end_events(u, &why);
	u->serial = ++u->all->serial;
	u->busy = 0;
	u->notices_due = u->notices;
	u->events_due = u->events;
	wait_for_turn(u);
}

static void ask_start(struct question *q, struct reader *r)
{
	struct start *t = (struct start *)q;
	Gridloop__V1__Subscribed m = GRIDLOOP__V1__SUBSCRIBED__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;

	if (!question_went_well(q, query_last_ids(r, &m.last_event, &m.last_notice)))
		return;
	if (t->notices_after < 0)
		t->notices_after = m.last_notice;
	if (t->events_after < 0)
		t->events_after = m.last_event;
	f.seq = q->seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_SUBSCRIBED;
	f.subscribed = &m;
	question_reply(q, &f);
}

static void told_start(struct question *q)
{
	struct start *t = (struct start *)q;
	struct session *s = q->session;

	if (!session_send_bytes(s, q->reply, q->reply_length) || q->failed || !s->person)
		return;
	subscription_end(s);
	if (!t->notices && !t->events)
		return;
	begin(s, t);
	if (q->policy != engine_policy(s->door->engine))
		subscription_change_person(s);
	subscription_go_on(s);
}

_Bool subscribe_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	const Gridloop__V1__Subscribe *m = f->subscribe;
	const struct policy *policy = engine_policy(s->door->engine);
	char subject[24];
	int64_t area;
	uint32_t states = 0;

	if (!check_range(m->notices_after, -1, INT64_MAX, "notices-after-is-a-cursor", why) ||
	    !check_range(m->events_after, -1, INT64_MAX, "events-after-is-a-cursor", why) ||
	    !check_area(&m->area, &area, why))
		return 0;
	if ((m->notices && !notices_allowed(policy, s->person, why)) ||
	    (m->events && !events_allowed(policy, s->person, &area, &states, why)))
		return 0;
	struct start *t = question_new(s, f->seq, sizeof *t, ask_start);

	t->q.told = told_start;
	t->notices = m->notices;
	t->events = m->events;
	t->notices_after = m->notices_after;
	t->events_after = m->events_after;
	t->area = area;
	t->states = states;
	must(snprintf(subject, sizeof subject, "%" PRId64, area) > 0);
	return look_send(&t->q,
	                 &(struct look){ .what = m->events ? AUDITED_FOLLOW_EVENTS : AUDITED_NONE, .subject = subject },
	                 why);
}

/* ---- all of them ---- */

int64_t subscribers_last_notice(const struct subscribers *all)
{
	return all->last_notice;
}

/* Where the newest rows are when the door opens; later on news tells. */
struct first_look {
	struct query query;
	struct subscribers *all;
	int64_t last_event, last_notice;
};

static void look(struct query *q, struct reader *r, int64_t now_ms)
{
	struct first_look *f = (struct first_look *)q;

	(void)now_ms;
	if (query_last_ids(r, &f->last_event, &f->last_notice) != QUERY_OK)
		f->last_event = f->last_notice = 0;
}

static void looked(struct query *q)
{
	struct first_look *f = (struct first_look *)q;
	struct news n = { .last_event = f->last_event, .last_notice = f->last_notice };

	subscribers_hear(f->all, &n);
	free(f);
}

struct subscribers *subscribers_new(struct tcp_door *d)
{
	struct subscribers *all = must_calloc(1, sizeof *all);
	struct first_look *f = must_calloc(1, sizeof *f);

	all->door = d;
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_INIT(&all->buckets[i]);
	LIST_INIT(&all->for_events);
	STAILQ_INIT(&all->waiting);
	must(event_assign(&all->gathered, d->base, -1, 0, on_gathered, all) == 0);
	*f = (struct first_look){ .query = { .run = look, .done = looked }, .all = all };
	if (!engine_query(d->engine, &f->query))
		free(f);
	return all;
}

void subscribers_stop(struct subscribers *all)
{
	all->stopping = 1;
	event_del(&all->gathered);
}

void subscribers_free(struct subscribers *all)
{
	if (!all)
		return;
	event_del(&all->gathered);
	free(all);
}
