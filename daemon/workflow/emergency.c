#include "workflow/emergency.h"

#include <string.h>

#include "jurisdiction/policy.h"

static struct emergency *find(struct emergencies *list, int64_t id)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->rows[i].id == id)
			return &list->rows[i];
	return NULL;
}

const struct emergency *emergencies_find(const struct emergencies *list, int64_t id)
{
	return find((struct emergencies *)(uintptr_t)list, id);
}

void emergencies_put(struct emergencies *list, const struct emergency *e)
{
	struct emergency *row = find(list, e->id);

	if (row == NULL) {
		if (list->count == EMERGENCIES_MOST)
			memmove(list->rows, list->rows + 1, --list->count * sizeof *list->rows);
		row = &list->rows[list->count++];
	}
	*row = *e;
	row->text = NULL;
	if (e->id >= list->next_id)
		list->next_id = e->id + 1;
}

int64_t emergency_end(const struct emergency *e)
{
	return e->lifted_ms != 0 && e->lifted_ms < e->to_ms ? e->lifted_ms : e->to_ms;
}

size_t emergencies_ahead(const struct emergencies *list, int64_t now_ms)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += emergency_end(&list->rows[i]) > now_ms;
	return count;
}

/* Sorted by their beginning. */
static void put_sorted(struct emergency_spans *s, struct calendar_span one)
{
	size_t at = s->spans.count++;

	for (; at > 0 && s->at[at - 1].from_ms > one.from_ms; at--)
		s->at[at] = s->at[at - 1];
	s->at[at] = one;
}

/* What overlaps or touches becomes one. */
static void join(struct emergency_spans *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->spans.count; i++) {
		if (kept > 0 && s->at[i].from_ms <= s->at[kept - 1].to_ms) {
			if (s->at[i].to_ms > s->at[kept - 1].to_ms)
				s->at[kept - 1].to_ms = s->at[i].to_ms;
		} else {
			s->at[kept++] = s->at[i];
		}
	}
	s->spans.count = kept;
}

const struct calendar_spans *emergency_spans(const struct emergencies *list, int64_t grid, int64_t event,
                                             struct emergency_spans *room)
{
	room->spans = (struct calendar_spans){ .at = room->at };
	for (size_t i = 0; i < list->count; i++) {
		const struct emergency *e = &list->rows[i];
		int64_t to_ms = e->lifted_event > event ? e->to_ms : emergency_end(e);

		if (e->declared_event <= event && area_holds(e->area, grid) && to_ms > e->from_ms)
			put_sorted(room, (struct calendar_span){ e->from_ms, to_ms });
	}
	join(room);
	return room->spans.count == 0 ? NULL : &room->spans;
}

_Bool emergency_changed(const struct emergencies *list, int64_t grid, int64_t event)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct emergency *e = &list->rows[i];

		if ((e->declared_event > event || e->lifted_event > event) && area_holds(e->area, grid))
			return 1;
	}
	return 0;
}
