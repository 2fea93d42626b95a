/* keeper: jobs on evidence, each a turn at a time. */
#include "engine/keeper.h"

#include <pthread.h>
#include <stdlib.h>

#include "store/query_evidence.h"

#define TURN_MOST 64 /* new jobs between two turns of the long ones */

struct keeper {
	const struct engine_options *options;
	struct queue *asked, *answered;
	struct reader_hooks hooks;
	struct evidence *evidence;
	struct reader *reader;
	pthread_t thread;
	_Bool running;
	struct file_job **unfinished; /* long ones, in order; room for as many as may be under way */
	size_t unfinished_count;
	int64_t sweep_at_ms; /* monotonic */
};

static _Bool is_known(void *ctx, const uint8_t sha256[EVIDENCE_DIGEST_SIZE])
{
	struct keeper *k = ctx;
	_Bool known;

	/* A database that cannot be asked counts as knowing it: nothing is removed on a doubt. */
	return query_evidence_known(k->reader, sha256, &known) != QUERY_OK || known;
}

static int64_t mono_ms(const struct keeper *k)
{
	return k->options->clock.mono_ms(k->options->clock.ctx);
}

/* Files carry the system's time, whatever clock the workflow runs on. */
static void sweep(struct keeper *k)
{
	struct clock system = clock_system();

	if (mono_ms(k) < k->sweep_at_ms)
		return;
	k->sweep_at_ms = mono_ms(k) + KEEPER_SWEEP_MS;
	evidence_sweep(k->evidence, system.wall_ms(system.ctx), is_known, k);
}

static void take_turn(struct keeper *k, struct file_job *j)
{
	if (j->run(j, k->evidence, k->reader, k->hooks.now(k->hooks.ctx)))
		k->unfinished[k->unfinished_count++] = j;
	else
		must(queue_push(k->answered, j)); /* as many places as jobs may be under way */
}

static void take_turns(struct keeper *k)
{
	size_t count = k->unfinished_count;

	k->unfinished_count = 0;
	for (size_t i = 0; i < count; i++)
		take_turn(k, k->unfinished[i]); /* never ahead of the place that is read */
}

static void *run(void *arg)
{
	struct keeper *k = arg;
	void *items[TURN_MOST];

	for (;;) {
		size_t count = queue_pop(k->asked, items, TURN_MOST, k->unfinished_count > 0 ? 0 : KEEPER_SWEEP_MS);

		if (count == 0 && k->unfinished_count == 0 && queue_is_closed(k->asked))
			return NULL;
		take_turns(k);
		for (size_t i = 0; i < count; i++)
			take_turn(k, items[i]);
		sweep(k);
	}
}

static _Bool open_parts(struct keeper *k, char **cause)
{
	int64_t used;

	k->reader = reader_open(k->options->store.path, cause);
	if (!k->reader)
		return 0;
	if (query_evidence_used(k->reader, &used) != QUERY_OK) {
		*cause = must_strdup("the rows of the evidence cannot be read");
		return 0;
	}
	k->evidence = evidence_open(k->options->evidence, &k->options->evidence_limits, used, cause);
	return k->evidence != NULL;
}

struct keeper *keeper_new(const struct engine_options *o, struct queue *asked, struct queue *answered,
                          const struct reader_hooks *hooks, char **cause)
{
	struct keeper *k = must_calloc(1, sizeof *k);

	*k = (struct keeper){ .options = o, .asked = asked, .answered = answered, .hooks = *hooks };
	k->unfinished = must_calloc((size_t)o->file_jobs_most, sizeof(struct file_job *));
	k->sweep_at_ms = mono_ms(k) + KEEPER_SWEEP_MS;
	if (open_parts(k, cause)) {
		k->running = pthread_create(&k->thread, NULL, run, k) == 0;
		if (k->running)
			return k;
		*cause = must_strdup("the evidence thread could not be started");
	}
	keeper_free(k);
	return NULL;
}

void keeper_free(struct keeper *k)
{
	if (!k)
		return;
	if (k->running)
		pthread_join(k->thread, NULL);
	evidence_close(k->evidence);
	reader_close(k->reader);
	free(k->unfinished);
	free(k);
}
