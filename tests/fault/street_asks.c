#include "street_asks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "workflow/place.h"

#define ROAD 10113 /* E0113: one that wants no photo of before, and is merged with nothing far away */
#define LAT 343350000
#define LON 1086915000
#define RECENT 120
#define PLACES 12
#define PLACE_STEP 3000 /* 33 m: farther than reports of one thing lie apart */
#define REPORTER "resident-01"
#define HANDLER "roads-01"
#define PHOTO_BYTES 1000

/* Who takes which step from where; the first is the loop's own way. */
static const struct step {
	enum state from;
	enum act act;
	const char *actor;
} steps[] = {
	{ STATE_REPORTED, ACT_FILE, "acceptor-01" },
	{ STATE_REPORTED, ACT_FILE, "acceptor-01" },
	{ STATE_REPORTED, ACT_REJECT, "acceptor-01" },
	{ STATE_REPORTED, ACT_WITHDRAW, REPORTER },
	{ STATE_FILED, ACT_DISPATCH, "dispatcher-01" },
	{ STATE_DISPATCHED, ACT_SIGN, HANDLER },
	{ STATE_DISPATCHED, ACT_RETURN, HANDLER },
	{ STATE_RETURNED, ACT_TAKE_BACK, "dispatcher-01" },
	{ STATE_HANDLING, ACT_HANDLED, HANDLER },
	{ STATE_HANDLING, ACT_HANDLED, HANDLER },
	{ STATE_HANDLING, ACT_SUPERVISE, "supervisor-01" },
	{ STATE_HANDLED, ACT_CHECK, "worker-01" },
	{ STATE_CHECKING, ACT_PASS, "worker-01" },
	{ STATE_CHECKING, ACT_REWORK, "worker-01" },
	{ STATE_CLOSED, ACT_REVIEW, REPORTER },
};
#define STEPS (sizeof steps / sizeof *steps)

void asks_begin(struct asks *a, uint64_t seed)
{
	a->count = 0;
	a->seed = seed;
}

static struct ask *add(struct asks *a, enum command_kind kind, const char *actor, int64_t now_ms)
{
	char name[64];
	struct ask *k;

	if (a->count == a->room) {
		a->room = a->room * 2 + 64;
		a->all = must_realloc(a->all, a->room * sizeof *a->all);
	}
	k = &a->all[a->count];
	*k = (struct ask){ .kind = kind, .actor = actor, .number = (int)a->count };
	snprintf(name, sizeof name, "%016llx %zu", (unsigned long long)a->seed, a->count);
	k->key = uuid_from_name(now_ms, name);
	a->count++;
	return k;
}

static _Bool is_under_way(const struct ask *k)
{
	return k->state >= STATE_DISPATCHED && k->state <= STATE_CLOSED;
}

/* A case of ours that was acknowledged, rather one that somebody works on. */
static struct ask *some_case(struct asks *a, struct dice *d)
{
	struct ask *found = NULL;

	for (int tries = 0; tries < 12 && a->count > 0; tries++) {
		size_t recent = a->count < RECENT ? a->count : RECENT;
		struct ask *k = &a->all[a->count - 1 - dice_below(d, recent)];

		if (k->kind == COMMAND_SUBMIT && k->fate == ASK_TAKEN && (!found || is_under_way(k)))
			found = k;
	}
	return found;
}

static const struct step *some_step(enum state from, struct dice *d)
{
	size_t found = 0, first = dice_below(d, STEPS);

	for (; found < STEPS; found++)
		if (steps[(first + found) % STEPS].from == from)
			return &steps[(first + found) % STEPS];
	return NULL;
}

/* The number of an ask that has uploaded a photo that is not forgotten yet; -1: none. */
static int some_photo(const struct asks *a, int64_t now_ms)
{
	for (size_t i = a->count; i > 0; i--) {
		const struct ask *k = &a->all[i - 1];

		if (k->kind == COMMAND_KEEP && k->fate == ASK_TAKEN)
			return uuid_time_ms(&k->key) > now_ms - CLOCK_DAY_MS ? k->number : -1;
	}
	return -1;
}

struct ask *asks_add(struct asks *a, struct dice *d, int64_t now_ms)
{
	unsigned roll = (unsigned)dice_below(d, 100);
	struct ask *about = roll < 75 ? some_case(a, d) : NULL, *k;
	const struct step *s = about ? some_step(about->state, d) : NULL;
	int64_t case_id = about ? about->case_id : 0;
	int photo = some_photo(a, now_ms);

	if (s && s->act == ACT_HANDLED && photo < 0)
		roll = 92;
	if (roll >= 92)
		return add(a,
		           roll < 96   ? COMMAND_KEEP
		           : roll < 98 ? COMMAND_REDEEM
		                       : COMMAND_SEEN,
		           roll < 96   ? HANDLER
		           : roll < 98 ? "station-01"
		                       : REPORTER,
		           now_ms);
	if (!s)
		return add(a, COMMAND_SUBMIT, REPORTER, now_ms);
	k = add(a, COMMAND_ACT, s->actor, now_ms);
	k->act = s->act;
	k->case_id = case_id;
	k->photo = photo;
	return k;
}

struct ask *asks_again(struct asks *a, struct dice *d)
{
	size_t first = a->count > 60 ? a->count - 60 : 0;

	for (size_t i = first; i < a->count; i++) {
		struct ask *k = &a->all[i];

		if (k->fate == ASK_WAITS || (k->fate == ASK_TAKEN && dice_percent(d, 2)))
			return k;
	}
	return NULL;
}

static void upload_photo(struct command *c, int number)
{
	c->label = "image/jpeg";
	c->value = PHOTO_BYTES;
	memcpy(command_evidence(c, 1)->sha256, &number, sizeof number);
}

/* The place before and after the work, for once on one photo. */
static void name_photos(struct command *c, int number)
{
	struct evidence_ref *refs = command_evidence(c, 2);

	for (int i = 0; i < 2; i++)
		memcpy(refs[i].sha256, &number, sizeof number);
	refs[0].role = PHOTO_BEFORE;
	refs[1].role = PHOTO_AFTER;
}

static void fill_report(const struct ask *k, struct command *c)
{
	int place = k->number % 7 == 6 ? k->number - 1 : k->number;
	char text[64];

	c->reporter = REPORTER;
	c->category = ROAD;
	/* Somewhere else each time, but now and then where the one before was: those two are one case. */
	c->lat_e7 = LAT + place % PLACES * PLACE_STEP;
	c->lon_e7 = LON + place / PLACES % PLACES * PLACE_STEP;
	(void)snprintf(text, sizeof text, "ask %d", k->number);
	c->description = command_text(c, text, strlen(text));
}

static const char *reason_for(enum act act)
{
	return act == ACT_REJECT ? "unclear" : act == ACT_RETURN ? "wrong-unit" : act == ACT_REWORK ? "not-done" : NULL;
}

static void fill_act(const struct ask *k, struct command *c)
{
	c->case_id = k->case_id;
	c->act = k->act;
	c->text = "words";
	c->reason = reason_for(k->act);
	c->units[0] = k->act == ACT_DISPATCH ? "roads" : NULL;
	c->unit_count = k->act == ACT_DISPATCH;
	c->rating = k->act == ACT_REVIEW ? RATING_SATISFIED : RATING_NONE;
	if (k->act == ACT_HANDLED)
		name_photos(c, k->photo);
}

struct command *asks_command(const struct asks *a, const struct ask *k)
{
	struct command *c = command_new(k->kind, 512);

	c->actor = k->actor;
	c->channel = "tcp";
	c->key = k->key;
	c->lat_e7 = c->lon_e7 = PLACE_NONE;
	if (k->kind == COMMAND_SUBMIT)
		fill_report(k, c);
	else if (k->kind == COMMAND_ACT)
		fill_act(k, c);
	else if (k->kind == COMMAND_KEEP)
		upload_photo(c, k->number);
	else
		c->value = k->kind == COMMAND_REDEEM ? 1 : INT32_MAX;
	c->person = k->kind == COMMAND_REDEEM ? REPORTER : NULL;
	command_seal(c, a->digester);
	return c;
}

struct ask *asks_find(struct asks *a, const uint8_t key[UUID_SIZE])
{
	for (size_t i = a->count; i > 0; i--)
		if (memcmp(a->all[i - 1].key.bytes, key, UUID_SIZE) == 0)
			return &a->all[i - 1];
	return NULL;
}
