#include "engine/reload.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/queue.h"

STAILQ_HEAD(ask_list, reload_ask);

struct reload {
	struct engine *engine;
	struct reload_hooks hooks;
	struct queue *loaded; /* from the loader's thread: itself, when it is done */
	pthread_t thread;
	_Bool is_loading, is_deciding; /* on the thread; in the writer's queue, or held */
	const struct policy *policy;   /* the new one; the thread's while it runs */
	struct problems problems;      /* likewise */
	struct command *held;          /* the writer's queue had no room for it */
	struct ask_list now, later;
	int waiting;
};

/* ---- the loader's thread ---- */

static void *load(void *arg)
{
	struct reload *r = arg;

	r->policy = r->hooks.load(r->hooks.ctx, &r->problems);
	must(queue_push(r->loaded, r)); /* one load, one place */
	return NULL;
}

/* ---- the end of a load ---- */

static void begin(struct reload *r);

static void say(const struct reload *r, const struct reload_result *result)
{
	static const char *const ends[] = { "in-force", "unchanged", "refused" };
	const struct problems *p = &r->problems;

	for (size_t i = 0; i < p->count; i++)
		log_line(LOG_LEVEL_ERROR, "reload-problem", "problem=\"%s\"", p->lines[i]);
	for (size_t i = 0; i < p->warning_count; i++)
		log_line(LOG_LEVEL_WARNING, "reload-warning", "warning=\"%s\"", p->warnings[i]);
	log_line(LOG_LEVEL_NOTICE, "reload", "end=%s problems=%zu warnings=%zu digest=%.16s rule=%s", ends[result->end],
	         p->count, p->warning_count, policy_digest(engine_policy(r->engine)),
	         result->end == RELOAD_REFUSED ? result->why.rule : "none");
}

static void finish(struct reload *r, struct reload_result result)
{
	struct reload_ask *a;

	result.problems = &r->problems;
	if (result.end != RELOAD_REFUSED)
		policy_warn(engine_policy(r->engine), engine_now_ms(r->engine), &r->problems);
	if (r->hooks.ended)
		r->hooks.ended(r->hooks.ctx, &r->problems, result.end != RELOAD_REFUSED);
	say(r, &result);
	while ((a = STAILQ_FIRST(&r->now))) {
		STAILQ_REMOVE_HEAD(&r->now, next);
		r->waiting--;
		a->done(a, &result);
	}
	policy_release(r->policy);
	r->policy = NULL;
	problems_close(&r->problems);
	if (!STAILQ_EMPTY(&r->later))
		begin(r);
}

static void finish_refused(struct reload *r, const char *rule, const char *sentence)
{
	struct reload_result result = { .end = RELOAD_REFUSED };

	(void)refuse(&result.why, REFUSAL_RULE_BROKEN, rule, "%s", sentence);
	finish(r, result);
}

/* ---- the writer's part ---- */

static void decided(void *door, struct command *c)
{
	struct reload *r = door;
	struct reload_result result = { .end = c->outcome.accepted ? RELOAD_IN_FORCE : RELOAD_REFUSED,
		                        .why = c->outcome.refusal };

	command_free(c);
	r->is_deciding = 0;
	finish(r, result);
}

static void submit(struct reload *r)
{
	if (r->held && engine_submit(r->engine, r->held))
		r->held = NULL;
}

static void on_space(void *ctx)
{
	submit(ctx);
}

static void hand_over(struct reload *r)
{
	const struct reload_ask *first = STAILQ_FIRST(&r->now);
	size_t length = first ? strlen(first->who) : 0;

	r->held = command_new(COMMAND_POLICY, length + 1);
	/* Of several who share a load the first stands for them in the audit. */
	r->held->actor = first ? command_text(r->held, first->who, length) : NULL;
	r->held->channel = r->held->actor ? "tcp" : NULL;
	r->held->policy = policy_hold(r->policy);
	r->held->problems = &r->problems;
	r->held->origin.answer = decided;
	r->held->origin.door = r;
	r->is_deciding = 1;
	submit(r);
}

/* ---- one load ---- */

static void begin(struct reload *r)
{
	STAILQ_CONCAT(&r->now, &r->later);
	if (r->hooks.began)
		r->hooks.began(r->hooks.ctx);
	r->is_loading = pthread_create(&r->thread, NULL, load, r) == 0;
	if (!r->is_loading)
		finish_refused(r, "loader-can-start", "The thread that loads could not be started; try again later.");
}

void reload_drain(struct reload *r)
{
	void *item;

	if (!r->is_loading || queue_pop(r->loaded, &item, 1, 0) == 0)
		return;
	(void)pthread_join(r->thread, NULL);
	r->is_loading = 0;
	if (!r->policy)
		finish_refused(r, "jurisdiction-is-sound", "The files have mistakes; nothing was changed.");
	else if (strcmp(policy_digest(r->policy), policy_digest(engine_policy(r->engine))) == 0)
		finish(r, (struct reload_result){ .end = RELOAD_UNCHANGED });
	else
		hand_over(r);
}

_Bool reload_ask(struct reload *r, struct reload_ask *a)
{
	if (r->waiting >= RELOAD_ASKS_MOST)
		return 0;
	r->waiting++;
	STAILQ_INSERT_TAIL(&r->later, a, next);
	if (reload_idle(r))
		begin(r);
	return 1;
}

_Bool reload_idle(const struct reload *r)
{
	return !r->is_loading && !r->is_deciding;
}

/* ---- a life ---- */

struct reload *reload_new(struct engine *e, const struct reload_hooks *hooks, int wake_fd)
{
	struct reload *r = must_calloc(1, sizeof *r);

	r->engine = e;
	r->hooks = *hooks;
	r->loaded = queue_new(1, wake_fd);
	STAILQ_INIT(&r->now);
	STAILQ_INIT(&r->later);
	engine_on_space(e, on_space, r);
	return r;
}

static void drop(struct ask_list *asks)
{
	struct reload_ask *a;

	while ((a = STAILQ_FIRST(asks))) {
		STAILQ_REMOVE_HEAD(asks, next);
		free(a);
	}
}

void reload_free(struct reload *r)
{
	if (!r)
		return;
	if (r->is_loading)
		(void)pthread_join(r->thread, NULL);
	command_free(r->held);
	policy_release(r->policy);
	problems_close(&r->problems);
	drop(&r->now);
	drop(&r->later);
	queue_free(r->loaded);
	free(r);
}
