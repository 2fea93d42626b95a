/* engine: the loop's side of the threads: give, take, tell. */
#include "engine/engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/keeper.h"
#include "engine/newsroom.h"
#include "engine/readers.h"
#include "engine/reload.h"
#include "engine/writer.h"

#define DRAIN_AT_ONCE 256

struct listener_row {
	void (*listen)(void *ctx, const struct news *n);
	void *ctx;
};

struct space_row {
	void (*space)(void *ctx);
	void *ctx;
};

struct change_row {
	void (*changed)(void *ctx);
	void *ctx;
};

struct engine {
	struct engine_options options;
	const struct policy *policy; /* the loop's, held */
	int64_t policy_from_ms;
	struct roster *roster; /* the loop's */
	int fd;
	struct queue *answers, *questions, *replies, *jobs, *jobs_done;
	struct writer writer;
	pthread_t writer_thread;
	_Bool writer_running;
	struct readers *readers;
	struct reload *reload;
	struct keeper *keeper; /* NULL: no evidence is taken */
	struct newsroom news;
	struct edition taken; /* the loop's */
	struct listener_row listeners[ENGINE_LISTENERS_MOST];
	int listener_count;
	struct space_row spaces[ENGINE_LISTENERS_MOST];
	int space_count;
	struct change_row policy_rows[ENGINE_LISTENERS_MOST], roster_rows[ENGINE_LISTENERS_MOST];
	int policy_row_count, roster_row_count;
	void (*fail)(void *ctx, int exit_code);
	void *fail_ctx;
	_Atomic int exit_code;
	size_t commands_out, queries_out, jobs_out; /* given and not yet back; the loop's */
	uint64_t answered;                          /* commands that came back */
	_Bool starved, told_failure;
};

/* ---- the writer's side ---- */

static void wake(struct engine *e)
{
	uint64_t one = 1;
	if (write(e->fd, &one, sizeof one) == -1)
		log_errno("engine-wake", "fd=%d", e->fd);
}

static void deliver(void *ctx, struct command **commands, size_t count)
{
	struct engine *e = ctx;
	must(queue_push_many(e->answers, (void **)commands, count) ==
	     count); /* there is a place for each that may be under way */
}

static void publish(void *ctx, struct edition *news)
{
	struct engine *e = ctx;
	if (newsroom_publish(&e->news, news))
		wake(e);
}

static void failed(void *ctx, int exit_code)
{
	struct engine *e = ctx;
	e->exit_code = exit_code;
	wake(e);
}

static void *run_writer(void *arg)
{
	struct engine *e = arg;
	writer_run(&e->writer);
	return NULL;
}

static int64_t now_for_readers(void *ctx)
{
	return engine_now_ms(ctx);
}

/* ---- start and end ---- */

static void enrol(void *ctx, const struct credential *c)
{
	roster_obey(ctx, c);
}

static _Bool start(struct engine *e, char **cause)
{
	e->writer = (struct writer){ .options = &e->options,
		                     .deliver = deliver,
		                     .publish = publish,
		                     .failed = failed,
		                     .ctx = e,
		                     .commands = queue_new((size_t)e->options.queue_most, -1) };
	if (!writer_open(&e->writer, cause))
		return 0;
	e->policy_from_ms = e->writer.policy_from_ms;
	roster_each(casebook_roster(e->writer.book), enrol, e->roster);
	const struct counters *n = casebook_counters(e->writer.book);
	e->news.ready.last_event = n->event - 1;
	e->news.ready.last_notice = n->notice - 1;
	const struct reader_hooks hooks = { .now = now_for_readers, .ctx = e };
	e->readers = readers_new(e->options.store.path, e->options.readers, e->questions, e->replies, &hooks, cause);
	if (e->readers == NULL)
		return 0;
	if (e->options.evidence != NULL)
		e->keeper = keeper_new(&e->options, e->jobs, e->jobs_done, &hooks, cause);
	if (e->options.evidence != NULL && e->keeper == NULL)
		return 0;
	e->writer_running = pthread_create(&e->writer_thread, NULL, run_writer, e) == 0;
	if (!e->writer_running)
		*cause = must_strdup("the writer's thread could not be started");
	return e->writer_running;
}

struct engine *engine_new(const struct engine_options *o, char **cause)
{
	struct engine *e = must_calloc(1, sizeof *e);
	e->options = *o;
	e->policy = policy_hold(o->policy);
	e->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	must(e->fd != -1);
	newsroom_init(&e->news);
	e->roster = roster_new();
	e->answers = queue_new((size_t)o->queue_most, e->fd);
	e->questions = queue_new((size_t)o->queries_most, -1);
	e->replies = queue_new((size_t)o->queries_most, e->fd);
	e->reload = reload_new(e, &o->reload, e->fd);
	e->jobs = queue_new(o->evidence != NULL ? (size_t)o->file_jobs_most : 1, -1);
	e->jobs_done = queue_new(o->evidence != NULL ? (size_t)o->file_jobs_most : 1, e->fd);
	if (start(e, cause))
		return e;
	engine_free(e);
	return NULL;
}

static void free_left(struct queue *q)
{
	void *item;
	while (q != NULL && queue_pop(q, &item, 1, 0) == 1)
		command_discard(item);
}

void engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	queue_close(e->writer.commands);
	queue_close(e->questions);
	queue_close(e->jobs);
	if (e->writer_running)
		pthread_join(e->writer_thread, NULL);
	readers_free(e->readers);
	keeper_free(e->keeper);
	writer_close(&e->writer);
	free_left(e->writer.commands);
	free_left(e->answers);
	reload_free(e->reload);
	queue_free(e->writer.commands);
	queue_free(e->answers);
	queue_free(e->questions);
	queue_free(e->replies);
	queue_free(e->jobs);
	queue_free(e->jobs_done);
	edition_close(&e->taken);
	policy_release(e->policy);
	roster_free(e->roster);
	newsroom_close(&e->news);
	close(e->fd);
	free(e);
}

/* ---- the loop's side ---- */

_Bool engine_submit(struct engine *e, struct command *c)
{
	if (e->commands_out >= (size_t)e->options.queue_most || !queue_push(e->writer.commands, c)) {
		e->starved = 1;
		return 0;
	}
	e->commands_out++;
	return 1;
}

_Bool engine_query(struct engine *e, struct query *q)
{
	if (e->queries_out >= (size_t)e->options.queries_most || !queue_push(e->questions, q))
		return 0;
	e->queries_out++;
	return 1;
}

_Bool engine_file(struct engine *e, struct file_job *j)
{
	if (e->keeper == NULL || e->jobs_out >= (size_t)e->options.file_jobs_most || !queue_push(e->jobs, j))
		return 0;
	e->jobs_out++;
	return 1;
}

int engine_fd(const struct engine *e)
{
	return e->fd;
}

static void change_policy(struct engine *e, const struct command *c)
{
	const struct policy *before = e->policy;
	e->policy = policy_hold(c->policy);
	e->policy_from_ms = c->outcome.due_ms;
	for (int i = 0; i < e->policy_row_count; i++)
		e->policy_rows[i].changed(e->policy_rows[i].ctx);
	policy_release(before);
}

static void change_roster(struct engine *e, const struct command *c)
{
	for (size_t i = 0; i < c->change_count; i++)
		roster_obey(e->roster, &c->changes[i]);
}

static void tell_of_roster(struct engine *e)
{
	for (int i = 0; i < e->roster_row_count; i++)
		e->roster_rows[i].changed(e->roster_rows[i].ctx);
}

static void drain_one(struct engine *e, struct command *c)
{
	_Bool roster_changes = c->outcome.accepted && c->change_count > 0;

	e->commands_out--;
	e->answered++;
	if (c->kind == COMMAND_POLICY && c->outcome.accepted)
		change_policy(e, c);
	if (roster_changes)
		change_roster(e, c);
	c->origin.answer(c->origin.door, c);
	/* Behind the answer: its own sender may be among those who are shut out. */
	if (roster_changes)
		tell_of_roster(e);
}

static void drain_answers(struct engine *e)
{
	void *items[DRAIN_AT_ONCE];
	size_t count;
	while ((count = queue_pop(e->answers, items, DRAIN_AT_ONCE, 0)) > 0)
		for (size_t i = 0; i < count; i++)
			drain_one(e, items[i]);
}

static void drain_replies(struct engine *e)
{
	void *items[DRAIN_AT_ONCE];
	size_t count;
	while ((count = queue_pop(e->replies, items, DRAIN_AT_ONCE, 0)) > 0)
		for (size_t i = 0; i < count; i++) {
			struct query *q = items[i];
			e->queries_out--;
			q->done(q);
		}
}

static void drain_jobs(struct engine *e)
{
	void *items[DRAIN_AT_ONCE];
	size_t count;
	while ((count = queue_pop(e->jobs_done, items, DRAIN_AT_ONCE, 0)) > 0)
		for (size_t i = 0; i < count; i++) {
			struct file_job *j = items[i];
			e->jobs_out--;
			j->done(j);
		}
}

static void tell_news(struct engine *e)
{
	struct edition *taken = &e->taken;
	_Bool fresh = newsroom_take(&e->news, taken);
	struct news news = { .last_event = taken->last_event,
		             .last_notice = taken->last_notice,
		             .notice_to = (const char *const *)taken->names,
		             .notice_to_count = taken->count,
		             .everybody = taken->count >= NEWS_NAMES_MOST };
	for (int i = 0; fresh && i < e->listener_count; i++)
		e->listeners[i].listen(e->listeners[i].ctx, &news);
	edition_clear(taken);
}

static void tell_failure(struct engine *e)
{
	if (e->exit_code == 0 || e->told_failure)
		return;
	e->told_failure = 1;
	if (e->fail != NULL)
		e->fail(e->fail_ctx, e->exit_code);
}

void engine_drain(struct engine *e)
{
	uint64_t count;
	if (read(e->fd, &count, sizeof count) == -1)
		count = 0; /* nothing new: a harmless extra call */
	drain_answers(e);
	tell_failure(e);
	if (e->told_failure) /* a reader may have seen what no disk has */
		return;
	drain_replies(e);
	reload_drain(e->reload);
	drain_jobs(e);
	tell_news(e);
	if (e->starved && e->commands_out <= (size_t)e->options.queue_most / 2) {
		e->starved = 0;
		for (int i = 0; i < e->space_count; i++)
			e->spaces[i].space(e->spaces[i].ctx);
	}
}

_Bool engine_idle(const struct engine *e)
{
	return e->commands_out == 0 && e->queries_out == 0 && e->jobs_out == 0 && reload_idle(e->reload);
}

void engine_on_news(struct engine *e, void (*listen)(void *ctx, const struct news *n), void *ctx)
{
	must(e->listener_count < ENGINE_LISTENERS_MOST);
	e->listeners[e->listener_count++] = (struct listener_row){ listen, ctx };
}

void engine_on_space(struct engine *e, void (*space)(void *ctx), void *ctx)
{
	must(e->space_count < ENGINE_LISTENERS_MOST);
	e->spaces[e->space_count++] = (struct space_row){ space, ctx };
}

void engine_on_failure(struct engine *e, void (*fail)(void *ctx, int exit_code), void *ctx)
{
	e->fail = fail;
	e->fail_ctx = ctx;
}

int64_t engine_now_ms(const struct engine *e)
{
	int64_t now = e->writer.now_ms;
	if (e->options.replay_clock && now != 0)
		return now;
	return e->options.clock.wall_ms(e->options.clock.ctx);
}

int64_t engine_mono_ms(const struct engine *e)
{
	return e->options.clock.mono_ms(e->options.clock.ctx);
}

uint64_t engine_progress(const struct engine *e)
{
	return e->writer.batches;
}

_Bool engine_has_moved(const struct engine *e, struct engine_pulse *last)
{
	struct engine_pulse now = { e->writer.batches, e->answered };
	_Bool moved = now.batches != last->batches && (e->commands_out == 0 || now.answers != last->answers);
	*last = now;
	return moved;
}

const char *engine_evidence(const struct engine *e)
{
	return e->options.evidence;
}

const struct policy *engine_policy(const struct engine *e)
{
	return e->policy;
}

_Bool engine_reload(struct engine *e, struct reload_ask *a)
{
	return reload_ask(e->reload, a);
}

void engine_on_policy(struct engine *e, void (*changed)(void *ctx), void *ctx)
{
	must(e->policy_row_count < ENGINE_LISTENERS_MOST);
	e->policy_rows[e->policy_row_count++] = (struct change_row){ changed, ctx };
}

const struct roster *engine_roster(const struct engine *e)
{
	return e->roster;
}

void engine_on_roster(struct engine *e, void (*changed)(void *ctx), void *ctx)
{
	must(e->roster_row_count < ENGINE_LISTENERS_MOST);
	e->roster_rows[e->roster_row_count++] = (struct change_row){ changed, ctx };
}

void engine_policy_state(const struct engine *e, struct policy_state *out)
{
	const struct sweep *s = &e->writer.sweep;
	*out = (struct policy_state){ .digest = policy_digest(e->policy),
		                      .from_ms = e->policy_from_ms,
		                      .sweeping = s->running,
		                      .visited = s->visited,
		                      .changed = s->changed };
}
