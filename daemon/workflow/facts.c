/* facts: growing lists that are emptied, not freed, between commands. */
#include "workflow/facts.h"

#include <stdlib.h>
#include <string.h>

void facts_init(struct facts *f)
{
	*f = (struct facts){ 0 };
}

void facts_clear(struct facts *f)
{
	f->event_count = f->ledger_count = f->notice_count = f->draft_count = 0;
	f->has_emergency = f->has_key = f->has_seen = f->has_file = f->sweep = 0;
	f->audit.what = AUDITED_NONE;
	f->span_count = f->forgotten_count = f->credential_count = 0;
	f->named.count = 0;
	f->report = NULL;
}

void facts_close(struct facts *f)
{
	free(f->events);
	free(f->ledger);
	free(f->notices);
	facts_init(f);
}

/* The rows, moved if they had to grow, with room for one more of `size` bytes, which is zeroed. */
static void *with_room(void *rows, size_t count, size_t *room, size_t size)
{
	if (count == *room) {
		*room = *room == 0 ? 8 : *room * 2;
		rows = must_realloc(rows, *room * size);
	}
	memset((char *)rows + count * size, 0, size);
	return rows;
}

struct fact *facts_event(struct facts *f)
{
	f->events = with_room(f->events, f->event_count, &f->event_room, sizeof *f->events);
	return &f->events[f->event_count++];
}

struct ledger_fact *facts_ledger(struct facts *f)
{
	f->ledger = with_room(f->ledger, f->ledger_count, &f->ledger_room, sizeof *f->ledger);
	return &f->ledger[f->ledger_count++];
}

struct notice_fact *facts_notice(struct facts *f)
{
	f->notices = with_room(f->notices, f->notice_count, &f->notice_room, sizeof *f->notices);
	return &f->notices[f->notice_count++];
}
