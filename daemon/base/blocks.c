#include "base/blocks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct blocks {
	pthread_mutex_t lock; /* for ready, ready_count and over */
	pthread_cond_t taken;
	void *ready[BLOCKS_READY];
	size_t ready_count;
	_Bool over;
	pthread_t thread;
	_Bool running;
	size_t takes;
};

/* false: there are enough. */
static _Bool keep(struct blocks *b, void *block)
{
	_Bool has_room;

	must(pthread_mutex_lock(&b->lock) == 0);
	has_room = b->ready_count < BLOCKS_READY;
	if (has_room)
		b->ready[b->ready_count++] = block;
	must(pthread_mutex_unlock(&b->lock) == 0);
	return has_room;
}

/* NULL: none is ready. */
static void *take_ready(struct blocks *b)
{
	void *block = NULL;

	must(pthread_mutex_lock(&b->lock) == 0);
	if (b->ready_count > 0)
		block = b->ready[--b->ready_count];
	must(pthread_mutex_unlock(&b->lock) == 0);
	must(pthread_cond_signal(&b->taken) == 0);
	return block;
}

static _Bool wait_for_room(struct blocks *b)
{
	_Bool over;

	must(pthread_mutex_lock(&b->lock) == 0);
	while (!b->over && b->ready_count == BLOCKS_READY)
		pthread_cond_wait(&b->taken, &b->lock);
	over = b->over;
	must(pthread_mutex_unlock(&b->lock) == 0);
	return !over;
}

static void *make_ready(void *arg)
{
	struct blocks *b = arg;

	while (wait_for_room(b)) {
		void *block = must_large(BLOCK_SIZE);

		memset(block, 0, BLOCK_SIZE); /* the touch is the point */
		blocks_give(b, block);
	}
	return NULL;
}

struct blocks *blocks_new(void)
{
	struct blocks *b = must_calloc(1, sizeof *b);

	must(pthread_mutex_init(&b->lock, NULL) == 0 && pthread_cond_init(&b->taken, NULL) == 0);
	return b;
}

static void end_thread(struct blocks *b)
{
	must(pthread_mutex_lock(&b->lock) == 0);
	b->over = 1;
	must(pthread_mutex_unlock(&b->lock) == 0);
	must(pthread_cond_signal(&b->taken) == 0);
	if (b->running)
		pthread_join(b->thread, NULL);
}

void blocks_free(struct blocks *b)
{
	if (b == NULL)
		return;
	end_thread(b);
	while (b->ready_count > 0)
		free(b->ready[--b->ready_count]);
	pthread_cond_destroy(&b->taken);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

void *blocks_take(struct blocks *b)
{
	void *block = NULL;

	if (b != NULL) {
		/* Without the thread every block is made when it is asked for. */
		if (b->takes++ == BLOCKS_PLAIN)
			b->running = pthread_create(&b->thread, NULL, make_ready, b) == 0;
		block = take_ready(b);
	}
	return block != NULL ? block : must_large(BLOCK_SIZE);
}

void blocks_give(struct blocks *b, void *block)
{
	if (b == NULL || !keep(b, block))
		free(block);
}
