/* readers: pop, run, push. */
#include "engine/readers.h"

#include <pthread.h>
#include <stdlib.h>

struct reader_thread {
	struct readers *all;
	struct reader *reader;
	pthread_t thread;
	_Bool running;
};

struct readers {
	struct queue *asked, *answered;
	struct reader_hooks hooks;
	int count;
	struct reader_thread threads[];
};

static void *run(void *arg)
{
	struct reader_thread *t = arg;
	void *item;
	while (queue_pop(t->all->asked, &item, 1, -1) == 1) {
		struct query *q = item;
		const struct reader_hooks *hooks = &t->all->hooks;
		q->run(q, t->reader, hooks->now(hooks->ctx));
		must(queue_push(t->all->answered, q)); /* as many places as queries may be under way */
	}
	return NULL;
}

struct readers *readers_new(const char *path, int threads, struct queue *asked, struct queue *answered,
                            const struct reader_hooks *hooks, char **cause)
{
	struct readers *r = must_calloc(1, sizeof *r + (size_t)threads * sizeof *r->threads);
	*r = (struct readers){ .asked = asked, .answered = answered, .hooks = *hooks, .count = threads };
	for (int i = 0; i < threads; i++) {
		struct reader_thread *t = &r->threads[i];
		t->all = r;
		t->reader = reader_open(path, cause);
		t->running = t->reader != NULL && pthread_create(&t->thread, NULL, run, t) == 0;
		if (t->running)
			continue;
		if (t->reader != NULL)
			*cause = must_strdup("a reader's thread could not be started");
		queue_close(asked);
		readers_free(r);
		return NULL;
	}
	return r;
}

void readers_free(struct readers *r)
{
	if (r == NULL)
		return;
	for (int i = 0; i < r->count; i++) {
		if (r->threads[i].running)
			pthread_join(r->threads[i].thread, NULL);
		reader_close(r->threads[i].reader);
	}
	free(r);
}
