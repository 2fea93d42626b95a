/* What stands in for base/queue and engine/syncer: the same calls, on one thread. All of a module's symbols are here, so
 * that the linker takes none of the real one. */
#include <stdlib.h>

#include "street_parts.h"

/* ---- the queue: makes requests up when it is asked for them ---- */

struct queue {
	_Bool closed;
};

struct queue *queue_new(size_t capacity, int wake_fd)
{
	static struct queue only;

	(void)capacity;
	(void)wake_fd;
	return &only;
}

void queue_free(struct queue *q)
{
	(void)q;
}

_Bool queue_push(struct queue *q, void *item)
{
	(void)q;
	(void)item;
	return 0;
}

size_t queue_push_many(struct queue *q, void *const *items, size_t count)
{
	(void)q;
	(void)items;
	return 0 * count;
}

/* A round: nothing for a while, or as many as the dice say. */
size_t queue_pop(struct queue *q, void **items, size_t most, int64_t wait_ms)
{
	size_t count;

	(void)q;
	(void)wait_ms;
	if (street.rounds == 0 || disk_is_dead())
		return street.rounds = 0;
	street.rounds--;
	street_time_passes();
	if (dice_percent(&street.dice, 15))
		return 0;
	count = 1 + dice_below(&street.dice, most);
	for (size_t i = 0; i < count; i++)
		items[i] = street_next();
	return count;
}

/* What seems to wait decides whether a sync is left to the syncer. */
size_t queue_length(struct queue *q)
{
	(void)q;
	return dice_below(&street.dice, 40);
}

size_t queue_gather(struct queue *q, size_t count, int64_t wait_us)
{
	(void)q;
	(void)count;
	(void)wait_us;
	return dice_below(&street.dice, 2);
}

void queue_close(struct queue *q)
{
	(void)q;
}

_Bool queue_is_closed(struct queue *q)
{
	(void)q;
	return street.rounds == 0;
}

/* ---- the syncer: syncs at once, or when somebody waits for it ---- */

struct syncer {
	struct store *store;
	struct syncer_hooks hooks;
	struct lot lots[SYNCER_LOTS], *given[SYNCER_LOTS], *empty[SYNCER_LOTS];
	size_t given_count, empty_count;
	_Bool broken;
};

struct syncer *syncer_new(struct store *store, size_t batch_most, const struct syncer_hooks *hooks)
{
	struct syncer *s = must_calloc(1, sizeof *s);

	(void)batch_most; /* differs from run to run: room for the most there can be */
	s->store = store;
	s->hooks = *hooks;
	for (int i = 0; i < SYNCER_LOTS; i++) {
		s->lots[i].commands = must_calloc(64, sizeof(struct command *));
		s->empty[s->empty_count++] = &s->lots[i];
	}
	return s;
}

static void done(struct syncer *s, struct lot *lot)
{
	s->hooks.done(s->hooks.ctx, lot);
	lot->count = 0;
}

static void sync_given(struct syncer *s)
{
	if (s->given_count > 0 && !s->broken && store_sync(s->store) != STORE_OK) {
		s->hooks.failed(s->hooks.ctx);
		s->broken = 1;
	}
	for (size_t i = 0; i < s->given_count; i++) {
		struct lot *lot = s->given[i];

		if (!s->broken)
			done(s, lot);
		for (size_t c = 0; c < lot->count; c++)
			command_free(lot->commands[c]);
		edition_clear(&lot->edition);
		syncer_return(s, lot);
	}
	s->given_count = 0;
}

void syncer_free(struct syncer *s)
{
	if (!s)
		return;
	sync_given(s);
	for (int i = 0; i < SYNCER_LOTS; i++) {
		edition_close(&s->lots[i].edition);
		free(s->lots[i].commands);
	}
	free(s);
}

struct lot *syncer_lot(struct syncer *s)
{
	if (s->empty_count == 0)
		sync_given(s);
	must(s->empty_count > 0);
	return s->empty[--s->empty_count];
}

void syncer_return(struct syncer *s, struct lot *lot)
{
	lot->count = 0;
	s->empty[s->empty_count++] = lot;
}

void syncer_announce(struct syncer *s)
{
	(void)s;
}

void syncer_give(struct syncer *s, struct lot *lot)
{
	if (street.control == STREET_HASTY)
		done(s, lot);
	s->given[s->given_count++] = lot;
	if (dice_percent(&street.dice, 40))
		sync_given(s);
}

void syncer_withdraw(struct syncer *s)
{
	sync_given(s);
}

_Bool syncer_wait(struct syncer *s)
{
	sync_given(s);
	return !s->broken;
}

int64_t syncer_took_us(const struct syncer *s)
{
	(void)s;
	return dice_percent(&street.dice, 10) ? 2000 : 20;
}

void syncer_fence(struct syncer *s)
{
	(void)s;
}
