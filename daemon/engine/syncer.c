#include "engine/syncer.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/queue.h"

struct syncer {
	struct store *store;
	struct syncer_hooks hooks;
	struct queue *given, *empty;
	struct lot lots[SYNCER_LOTS];
	pthread_t thread;
	_Bool running;
	_Atomic uint64_t announced; /* commits that readers may see */
	_Atomic uint64_t done;      /* of them on disk, or known not to be */
	_Atomic _Bool broken;
	_Atomic int64_t took_us;
	pthread_mutex_t lock; /* for those who wait for done or broken */
	pthread_cond_t changed;
};

/* ---- the syncer's thread ---- */

static void count_done(struct syncer *s, uint64_t more)
{
	pthread_mutex_lock(&s->lock);
	s->done += more;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

/* Its failure is told before anyone who waits goes on. */
static void break_down(struct syncer *s)
{
	s->hooks.failed(s->hooks.ctx);
	pthread_mutex_lock(&s->lock);
	s->broken = 1;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static _Bool sync_all(struct syncer *s)
{
	struct clock clock = clock_system();
	int64_t began_us = clock.mono_us(clock.ctx);
	enum store_result result = store_sync(s->store);
	s->took_us = clock.mono_us(clock.ctx) - began_us;
	return result == STORE_OK;
}

static void keep_silent(struct lot *lot)
{
	for (size_t i = 0; i < lot->count; i++)
		command_discard(lot->commands[i]);
	edition_clear(&lot->edition);
}

static void *run(void *arg)
{
	struct syncer *s = arg;
	void *lots[SYNCER_LOTS];
	size_t count;
	while ((count = queue_pop(s->given, lots, SYNCER_LOTS, -1)) > 0) {
		if (!s->broken && !sync_all(s))
			break_down(s);
		for (size_t i = 0; i < count; i++) {
			if (s->broken)
				keep_silent(lots[i]);
			else
				s->hooks.done(s->hooks.ctx, lots[i]);
		}
		count_done(s, count);
		for (size_t i = 0; i < count; i++)
			syncer_return(s, lots[i]);
	}
	return NULL;
}

/* ---- start and end ---- */

struct syncer *syncer_new(struct store *store, size_t batch_most, const struct syncer_hooks *hooks)
{
	struct syncer *s = must_calloc(1, sizeof *s);
	s->store = store;
	s->hooks = *hooks;
	s->given = queue_new(SYNCER_LOTS, -1);
	s->empty = queue_new(SYNCER_LOTS, -1);
	must(pthread_mutex_init(&s->lock, NULL) == 0 && pthread_cond_init(&s->changed, NULL) == 0);
	for (int i = 0; i < SYNCER_LOTS; i++) {
		s->lots[i].commands = must_calloc(batch_most, sizeof(struct command *));
		syncer_return(s, &s->lots[i]);
	}
	s->running = pthread_create(&s->thread, NULL, run, s) == 0;
	if (s->running)
		return s;
	syncer_free(s);
	return NULL;
}

void syncer_free(struct syncer *s)
{
	if (s == NULL)
		return;
	queue_close(s->given);
	if (s->running)
		pthread_join(s->thread, NULL);
	for (int i = 0; i < SYNCER_LOTS; i++) {
		edition_close(&s->lots[i].edition);
		free(s->lots[i].commands);
	}
	queue_free(s->given);
	queue_free(s->empty);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* ---- the writer's side ---- */

struct lot *syncer_lot(struct syncer *s)
{
	void *lot = NULL;
	must(queue_pop(s->empty, &lot, 1, -1) == 1);
	return lot;
}

void syncer_return(struct syncer *s, struct lot *lot)
{
	lot->count = 0;
	must(queue_push(s->empty, lot)); /* there is a place for each */
}

void syncer_announce(struct syncer *s)
{
	s->announced++;
}

void syncer_give(struct syncer *s, struct lot *lot)
{
	must(queue_push(s->given, lot));
}

/* Until as many are done as were announced when it was called. */
static _Bool wait_for(struct syncer *s, uint64_t target)
{
	if (s->done >= target)
		return !s->broken;
	pthread_mutex_lock(&s->lock);
	while (s->done < target && !s->broken)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
	return !s->broken;
}

void syncer_withdraw(struct syncer *s)
{
	if (wait_for(s, s->announced - 1))
		count_done(s, 1);
}

_Bool syncer_wait(struct syncer *s)
{
	return wait_for(s, s->announced);
}

int64_t syncer_took_us(const struct syncer *s)
{
	return s->took_us;
}

/* ---- the readers' side ---- */

void syncer_fence(struct syncer *s)
{
	(void)wait_for(s, s->announced);
}
