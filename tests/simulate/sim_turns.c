/* sim_turns: in place of base/queue.h, for one thread. The writer's queue is where it waits, so that is where time goes on:
 * events happen until something has come for it, or a timer is due. */
#include <stdlib.h>

#include "sim_parts.h"

#define IDLE_MS 1000  /* the writer's own; a longer sleep is the same to it */
#define BURST_US 3000 /* what comes within this time may be one lot */

/* ---- what is to happen ---- */

static _Bool sooner(const struct event *a, const struct event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void swap_events(struct event *a, struct event *b)
{
	struct event t = *a;

	*a = *b;
	*b = t;
}

static void agenda_put(struct agenda *a, struct event e)
{
	if (a->count == a->room) {
		a->room = a->room * 2 + 1024;
		a->heap = must_realloc(a->heap, a->room * sizeof *a->heap);
	}
	e.order = a->order++;
	a->heap[a->count] = e;
	for (size_t i = a->count++; i > 0 && sooner(&a->heap[i], &a->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap_events(&a->heap[i], &a->heap[(i - 1) / 2]);
}

static struct event agenda_take(struct agenda *a)
{
	struct event first = a->heap[0];
	size_t i = 0, child;

	a->heap[0] = a->heap[--a->count];
	while ((child = 2 * i + 1) < a->count) {
		child += child + 1 < a->count && sooner(&a->heap[child + 1], &a->heap[child]);
		if (!sooner(&a->heap[child], &a->heap[i]))
			break;
		swap_events(&a->heap[i], &a->heap[child]);
		i = child;
	}
	return first;
}

void sim_plan(struct event e, int64_t in_us)
{
	e.at_us = sim->now_us + in_us;
	agenda_put(&sim->agenda, e);
}

static void happen(struct event e)
{
	if (e.at_us > sim->now_us)
		sim->now_us = e.at_us;
	if (e.what >= HAPPENS_ARRIVAL)
		net_event(&e);
	else
		street_event(&e);
}

static int64_t next_us(void)
{
	return sim->agenda.count > 0 ? sim->agenda.heap[0].at_us : INT64_MAX;
}

void turns_pass(int64_t until_us)
{
	while (next_us() <= until_us)
		happen(agenda_take(&sim->agenda));
	sim->now_us = until_us;
}

void turns_push(struct command *c)
{
	struct queue *q = &sim->queue;

	if (q->count == q->room) {
		q->room = q->room * 2 + 64;
		q->items = must_realloc(q->items, q->room * sizeof(struct command *));
	}
	q->items[q->count++] = c;
}

void turns_close(void)
{
	for (size_t i = 0; i < sim->queue.count; i++)
		command_free(sim->queue.items[i]);
	sim->queue.count = 0;
}

/* ---- the queue, as the writer sees it ---- */

/* Nothing else is due before this: an event, the writer's next timer, or as long as it asked to sleep. */
static int64_t wake_us(int64_t wait_ms)
{
	struct timer t;
	int64_t asked = sim->now_us + wait_ms * 1000;

	if (wait_ms < IDLE_MS)
		return asked;
	if (sim->writer.timers_after_ms > sim->now_us / 1000)
		return asked;
	if (!casebook_next_timer(sim->writer.book, &t))
		return INT64_MAX;
	return (t.at_ms - sim->wall_off_ms) * 1000;
}

static void wait_for_work(int64_t wait_ms)
{
	int64_t wake = wake_us(wait_ms);

	while (sim->queue.count == 0 && !sim->over) {
		int64_t next = next_us();

		if (next >= sim->end_us && wake >= sim->end_us)
			sim->over = 1;
		else if (next <= wake)
			happen(agenda_take(&sim->agenda));
		else {
			sim->now_us = wake > sim->now_us ? wake : sim->now_us;
			return;
		}
	}
	while (!sim->over && sim->agenda.count > 0 && next_us() <= sim->now_us + (int64_t)sim_below(BURST_US))
		happen(agenda_take(&sim->agenda));
}

size_t queue_pop(struct queue *q, void **items, size_t most, int64_t wait_ms)
{
	size_t count;

	if (q->count == 0 && wait_ms > 0)
		wait_for_work(wait_ms);
	count = q->count < most ? q->count : most;
	for (size_t i = 0; i < count; i++)
		items[i] = q->items[i];
	q->count -= count;
	for (size_t i = 0; i < q->count; i++)
		q->items[i] = q->items[i + count];
	return count;
}

size_t queue_length(struct queue *q)
{
	return q->count;
}

size_t queue_gather(struct queue *q, size_t count, int64_t wait_us)
{
	int64_t until = sim->now_us + wait_us;

	while (q->count < count && next_us() <= until)
		happen(agenda_take(&sim->agenda));
	if (q->count < count)
		sim->now_us = until > sim->now_us ? until : sim->now_us;
	return q->count;
}

_Bool queue_is_closed(struct queue *q)
{
	(void)q;
	return sim->over;
}
