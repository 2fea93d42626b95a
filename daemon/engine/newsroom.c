#include "engine/newsroom.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

/* ---- an edition ---- */

static void add_name(struct edition *e, char *name)
{
	if (e->names == NULL)
		e->names = must_calloc(NEWS_NAMES_MOST, sizeof *e->names);
	e->names[e->count++] = name;
}

static void note_name(struct edition *e, const char *name)
{
	if (e->count < NEWS_NAMES_MOST && (e->count == 0 || strcmp(e->names[e->count - 1], name) != 0))
		add_name(e, must_strdup(name));
}

void edition_note(struct edition *e, const struct facts *f)
{
	if (f->event_count > 0)
		e->last_event = f->events[f->event_count - 1].id;
	for (size_t i = 0; i < f->notice_count; i++) {
		e->last_notice = f->notices[i].id;
		note_name(e, f->notices[i].to);
	}
}

void edition_clear(struct edition *e)
{
	for (size_t i = 0; i < e->count; i++)
		free(e->names[i]);
	e->count = 0;
	e->last_event = e->last_notice = 0;
}

void edition_close(struct edition *e)
{
	edition_clear(e);
	free(e->names);
	e->names = NULL;
}

/* ---- the room ---- */

void newsroom_init(struct newsroom *n)
{
	*n = (struct newsroom){ 0 };
	must(pthread_mutex_init(&n->lock, NULL) == 0);
}

void newsroom_close(struct newsroom *n)
{
	edition_close(&n->ready);
	pthread_mutex_destroy(&n->lock);
}

static void move_names(struct edition *from, struct edition *to)
{
	for (size_t i = 0; i < from->count; i++)
		if (to->count < NEWS_NAMES_MOST)
			add_name(to, from->names[i]);
		else
			free(from->names[i]);
	from->count = 0;
}

_Bool newsroom_publish(struct newsroom *n, struct edition *e)
{
	if (e->last_event == 0 && e->last_notice == 0)
		return 0;
	pthread_mutex_lock(&n->lock);
	if (e->last_event != 0)
		n->ready.last_event = e->last_event;
	if (e->last_notice != 0)
		n->ready.last_notice = e->last_notice;
	move_names(e, &n->ready);
	n->fresh = 1;
	pthread_mutex_unlock(&n->lock);
	edition_clear(e);
	return 1;
}

_Bool newsroom_take(struct newsroom *n, struct edition *out)
{
	pthread_mutex_lock(&n->lock);
	_Bool fresh = n->fresh;
	out->last_event = n->ready.last_event;
	out->last_notice = n->ready.last_notice;
	move_names(&n->ready, out);
	n->fresh = 0;
	pthread_mutex_unlock(&n->lock);
	return fresh;
}
