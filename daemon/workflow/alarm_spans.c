/* alarm_spans: a table by name, a table of their cases, a list from the longest silent to the newest heard. */
#include "workflow/alarm_spans.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/command.h"
#include "workflow/timer_heap.h"

#define uthash_fatal(message) must_not_happen(__FILE__, __LINE__, message)
#include <uthash.h>
#include <utlist.h>

#define NAME_MOST (sizeof(int32_t) + 2 * (COMMAND_ID_MOST + 1) + COMMAND_EVENT_MOST + 1)

struct entry {
	UT_hash_handle hh;
	struct alarm_span span; /* its texts point into name */
	struct matter *matter;  /* NULL: no case yet */
	struct timer_node timer;
	struct entry *prev, *next;
	char name[]; /* category, camera, channel, event */
};

/* A case that spans are about. */
struct matter {
	UT_hash_handle hh;
	int64_t case_id;
	uint8_t end; /* how it ended; STATE_NONE: it is open */
	struct entry
		*counter; /* counts for the case: the span without an id; when that is about a newer case, one with */
	size_t spans;
};

struct alarm_spans {
	struct entry *by_name;
	struct entry *oldest;
	struct matter *matters;
	struct timer_heap timers;
};

struct alarm_spans *alarm_spans_new(void)
{
	return must_calloc(1, sizeof(struct alarm_spans));
}

/* ---- names ---- */

struct name {
	char bytes[NAME_MOST];
	size_t size;
};

/* false: longer than any that can be known. */
static _Bool add_text(struct name *n, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 1;
	if (n->size + size > sizeof n->bytes)
		return 0;
	memcpy(n->bytes + n->size, text ? text : "", size);
	n->size += size;
	return 1;
}

static _Bool make_name(struct name *n, const char *camera, const char *channel, int32_t category, const char *event)
{
	memcpy(n->bytes, &category, sizeof category);
	n->size = sizeof category;
	return add_text(n, camera) && add_text(n, channel) && add_text(n, event);
}

static const char *text_at(const char **at)
{
	const char *text = *at;
	*at += strlen(text) + 1;
	return *text ? text : NULL;
}

static struct entry *find(const struct alarm_spans *s, const struct name *n)
{
	struct entry *e;
	HASH_FIND(hh, s->by_name, n->bytes, n->size, e);
	return e;
}

/* ---- cases ---- */

static struct matter *find_matter(const struct alarm_spans *s, int64_t case_id)
{
	struct matter *m;
	HASH_FIND(hh, s->matters, &case_id, sizeof case_id, m);
	return m;
}

static void leave_matter(struct alarm_spans *s, struct entry *e)
{
	struct matter *m = e->matter;
	e->matter = NULL;
	timer_heap_set(&s->timers, &e->timer, 0);
	if (m == NULL)
		return;
	if (m->counter == e)
		m->counter = NULL;
	if (--m->spans > 0)
		return;
	HASH_DEL(s->matters, m);
	free(m);
}

static void join_matter(struct alarm_spans *s, struct entry *e, int64_t case_id)
{
	struct matter *m = find_matter(s, case_id);
	if (m == NULL) {
		m = must_calloc(1, sizeof *m);
		m->case_id = case_id;
		HASH_ADD(hh, s->matters, case_id, sizeof m->case_id, m);
	}
	m->spans++;
	e->matter = m;
}

/* What the case's history does not say yet is told a while after what it said last. */
static void set_timer(struct alarm_spans *s, struct entry *e, const struct case_file *open)
{
	_Bool untold = open != NULL && e->matter->counter == e && e->span.count > open->alarm_count;
	timer_heap_set(&s->timers, &e->timer, untold ? open->last_alarm_ms + ALARM_TOLD_EVERY_MS : 0);
}

/* ---- change ---- */

static struct entry *new_entry(struct alarm_spans *s, const struct name *n)
{
	struct entry *e = must_calloc(1, sizeof *e + n->size);
	memcpy(e->name, n->bytes, n->size);
	HASH_ADD_KEYPTR(hh, s->by_name, e->name, n->size, e);
	DL_APPEND(s->oldest, e);
	return e;
}

static void copy_span(struct entry *e, const struct alarm_span *one)
{
	const char *at = e->name + sizeof one->category;
	e->span = *one;
	e->span.camera = text_at(&at);
	e->span.channel = text_at(&at);
	e->span.event = text_at(&at);
}

void alarm_spans_put(struct alarm_spans *s, const struct alarm_span *one, const struct case_file *open)
{
	struct name n;
	must(make_name(&n, one->camera, one->channel, one->category, one->event));
	struct entry *e = find(s, &n);
	if (e == NULL)
		e = new_entry(s, &n);
	DL_DELETE(s->oldest, e);
	DL_APPEND(s->oldest, e);
	copy_span(e, one);
	if (e->matter == NULL || e->matter->case_id != one->case_id) {
		leave_matter(s, e);
		if (one->case_id != 0)
			join_matter(s, e, one->case_id);
	}
	if (e->matter != NULL && (one->event == NULL || e->matter->counter == NULL))
		e->matter->counter = e;
	set_timer(s, e, open);
}

static void drop(struct alarm_spans *s, struct entry *e)
{
	leave_matter(s, e);
	DL_DELETE(s->oldest, e);
	HASH_DEL(s->by_name, e);
	free(e);
}

void alarm_spans_forget(struct alarm_spans *s, int64_t id)
{
	struct entry *first = s->oldest, *second = first == NULL ? NULL : first->next;
	if (first != NULL && first->span.id == id)
		drop(s, first);
	else if (second != NULL && second->span.id == id)
		drop(s, second);
}

void alarm_spans_case_changed(struct alarm_spans *s, const struct case_file *file)
{
	struct matter *m = find_matter(s, file->id);
	if (m == NULL)
		return;
	_Bool ended = state_info((enum state)file->state)->terminal;
	if (ended)
		m->end = file->state;
	if (m->counter != NULL)
		set_timer(s, m->counter, ended ? NULL : file);
}

void alarm_spans_restore_end(struct alarm_spans *s, int64_t case_id, enum state end)
{
	struct matter *m = find_matter(s, case_id);
	if (m != NULL)
		m->end = (uint8_t)end;
}

void alarm_spans_free(struct alarm_spans *s)
{
	if (s == NULL)
		return;
	while (s->oldest != NULL)
		drop(s, s->oldest);
	timer_heap_close(&s->timers);
	free(s);
}

/* ---- look-ups ---- */

const struct alarm_span *alarm_spans_find(const struct alarm_spans *s, const char *camera, const char *channel,
                                          int32_t category, const char *event)
{
	struct name n;
	const struct entry *e = make_name(&n, camera, channel, category, event) ? find(s, &n) : NULL;
	return e == NULL ? NULL : &e->span;
}

enum state alarm_spans_case_end(const struct alarm_spans *s, int64_t case_id)
{
	const struct matter *m = find_matter(s, case_id);
	return m == NULL ? STATE_NONE : (enum state)m->end;
}

int32_t alarm_spans_case_count(const struct alarm_spans *s, int64_t case_id)
{
	const struct matter *m = find_matter(s, case_id);
	return m == NULL || m->counter == NULL ? 0 : m->counter->span.count;
}

const struct alarm_span *alarm_spans_oldest(const struct alarm_spans *s, size_t i)
{
	const struct entry *e = s->oldest;
	while (e != NULL && i-- > 0)
		e = e->next;
	return e == NULL ? NULL : &e->span;
}

size_t alarm_spans_count(const struct alarm_spans *s)
{
	return HASH_COUNT(s->by_name);
}

_Bool alarm_spans_next_timer(const struct alarm_spans *s, int64_t *at_ms, int64_t *case_id)
{
	const struct timer_node *n = timer_heap_first(&s->timers);
	if (n == NULL)
		return 0;
	const struct entry *e = (const struct entry *)(const void *)((const char *)n - offsetof(struct entry, timer));
	*at_ms = n->at_ms;
	*case_id = e->span.case_id;
	return 1;
}
