#include "intake/logins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/command.h"

#define WAYS 8 /* places that one key may have */
#define SETS (LOGINS_PLACES / WAYS)

struct place {
	enum audited what; /* AUDITED_NONE: free */
	char who[COMMAND_ID_MOST + 1];
	const char *channel; /* of the newest */
	int64_t until_ms;
	int64_t more; /* beside the one that was recorded at once */
};

struct logins {
	void (*record)(void *ctx, enum audited what, const char *subject, const char *channel, int64_t count);
	void *ctx;
	struct place places[SETS][WAYS];
	struct place others[AUDITED_COUNT]; /* by kind: what found no place */
};

struct logins *logins_new(void (*record)(void *ctx, enum audited what, const char *subject, const char *channel,
                                         int64_t count),
                          void *ctx)
{
	struct logins *l = must_calloc(1, sizeof *l);

	l->record = record;
	l->ctx = ctx;
	return l;
}

void logins_free(struct logins *l)
{
	free(l);
}

/* FNV-1a. Only identities of people.csv get here by name, so nobody chooses what falls together. */
static struct place *corner_of(struct logins *l, enum audited what, const char *who)
{
	uint64_t hash = UINT64_C(14695981039346656037) ^ (uint64_t)what;

	for (const char *at = who; *at; at++)
		hash = (hash ^ (uint8_t)*at) * UINT64_C(1099511628211);
	return l->places[(hash ^ hash >> 32) % SETS];
}

/* The counted ones, if any, as a row; the place is free after. */
static void close_place(struct logins *l, struct place *p)
{
	if (p->what != AUDITED_NONE && p->more > 0)
		l->record(l->ctx, p->what, p->who[0] ? p->who : NULL, p->channel, p->more);
	p->what = AUDITED_NONE;
}

/* Its place, or one that is free; NULL: neither is there. */
static struct place *find(struct logins *l, enum audited what, const char *who, int64_t now_ms)
{
	struct place *corner = corner_of(l, what, who), *free_one = NULL;

	for (int i = 0; i < WAYS; i++) {
		struct place *p = &corner[i];

		if (p->what != AUDITED_NONE && p->until_ms <= now_ms)
			close_place(l, p);
		if (p->what == what && strcmp(p->who, who) == 0)
			return p;
		if (p->what == AUDITED_NONE && !free_one)
			free_one = p;
	}
	return free_one;
}

void logins_note(struct logins *l, enum audited what, const char *who, const char *channel, int64_t now_ms)
{
	struct place *p = find(l, what, who ? who : "", now_ms);

	if (!p) {
		p = &l->others[what];
		who = NULL;
	}
	if (p->what != AUDITED_NONE && p->until_ms > now_ms) {
		p->more++;
		p->channel = channel;
		return;
	}
	close_place(l, p);
	*p = (struct place){ .what = what, .channel = channel, .until_ms = now_ms + LOGINS_SPAN_MS };
	must(snprintf(p->who, sizeof p->who, "%s", who ? who : "") >= 0);
	l->record(l->ctx, what, who, channel, 0);
}

static void close_older(struct logins *l, int64_t than_ms)
{
	for (int set = 0; set < SETS; set++)
		for (int i = 0; i < WAYS; i++)
			if (l->places[set][i].until_ms <= than_ms)
				close_place(l, &l->places[set][i]);
	for (int what = 0; what < AUDITED_COUNT; what++)
		if (l->others[what].until_ms <= than_ms)
			close_place(l, &l->others[what]);
}

void logins_tick(struct logins *l, int64_t now_ms)
{
	close_older(l, now_ms);
}

void logins_flush(struct logins *l)
{
	close_older(l, INT64_MAX);
}
