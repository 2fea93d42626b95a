#include "replay_redis.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "redis_connect.h"

#define SILENCE_MOST_MS 60000 /* without the group moving */
#define APPEND_MOST 512       /* replies waiting */

struct replay_redis {
	redisContext *context;
	char last_id[64]; /* of what was added last */
};

struct replay_redis *replay_redis_open(const char *address, struct trouble *why)
{
	redisContext *context = redis_connect(address, why);

	if (!context)
		return NULL;

	struct replay_redis *r = must_calloc(1, sizeof *r);

	r->context = context;
	return r;
}

void replay_redis_close(struct replay_redis *r)
{
	if (!r)
		return;
	redisFree(r->context);
	free(r);
}

static _Bool failed(const struct replay_redis *r, const redisReply *reply, struct trouble *why)
{
	return trouble_set(why, EXIT_LOST, "Redis says: %.300s",
	                   reply && reply->type == REDIS_REPLY_ERROR ? reply->str
	                   : r->context->err                         ? r->context->errstr
	                                                             : "something else than expected");
}

/* ---- adding ---- */

static _Bool append(struct replay_redis *r, const struct replay_file *f, const struct login *as,
                    const struct replay_op *op)
{
	Gridloop__V1__StreamEntry entry = GRIDLOOP__V1__STREAM_ENTRY__INIT;
	struct replay_report_parts parts;
	uint8_t bytes[WIRE_FRAME_MOST];

	replay_report_fill(f, &f->rows[op->row], &parts);
	entry.gateway = wire_from_text(as->who);
	entry.token = wire_from_text(as->token);
	entry.replay_at_ms = op->at_ms;
	entry.body_case = GRIDLOOP__V1__STREAM_ENTRY__BODY_REPORT;
	entry.report = &parts.report;
	must(gridloop__v1__stream_entry__get_packed_size(&entry) <= sizeof bytes);

	size_t length = gridloop__v1__stream_entry__pack(&entry, bytes);

	return redisAppendCommand(r->context, "XADD " REPLAY_STREAM " * entry %b", bytes, length) == REDIS_OK;
}

static _Bool take_ids(struct replay_redis *r, int count, struct trouble *why)
{
	for (; count > 0; count--) {
		redisReply *reply = NULL;
		_Bool good = redisGetReply(r->context, (void **)&reply) == REDIS_OK && reply &&
		             reply->type == REDIS_REPLY_STRING;

		if (good)
			snprintf(r->last_id, sizeof r->last_id, "%s", reply->str);
		else
			failed(r, reply, why);
		if (reply)
			freeReplyObject(reply);
		if (!good)
			return 0;
	}
	return 1;
}

/* ---- waiting ---- */

static _Bool id_reached(const char *id, const char *wanted)
{
	unsigned long long ms = 0, seq = 0, wanted_ms = 0, wanted_seq = 0;

	if (sscanf(id, "%llu-%llu", &ms, &seq) != 2 || sscanf(wanted, "%llu-%llu", &wanted_ms, &wanted_seq) != 2)
		return 0;
	return ms > wanted_ms || (ms == wanted_ms && seq >= wanted_seq);
}

/* The value behind a name in one group's flat list of names and values. */
static const redisReply *member(const redisReply *group, const char *name)
{
	for (size_t i = 0; group->type == REDIS_REPLY_ARRAY && i + 1 < group->elements; i += 2)
		if (group->element[i]->type == REDIS_REPLY_STRING && strcmp(group->element[i]->str, name) == 0)
			return group->element[i + 1];
	return NULL;
}

static _Bool group_is_through(const struct replay_redis *r, const redisReply *group, int64_t *pending)
{
	const redisReply *waiting = member(group, "pending"), *last = member(group, "last-delivered-id");

	*pending = waiting && waiting->type == REDIS_REPLY_INTEGER ? waiting->integer : -1;
	return *pending == 0 && last && last->type == REDIS_REPLY_STRING && id_reached(last->str, r->last_id);
}

/* Whether every group of the stream has taken and acknowledged all; *mark changes whenever one has moved. */
static _Bool look(struct replay_redis *r, _Bool *through, int64_t *mark, struct trouble *why)
{
	redisReply *reply = redisCommand(r->context, "XINFO GROUPS " REPLAY_STREAM);
	_Bool good = reply && reply->type == REDIS_REPLY_ARRAY;

	*through = good && reply->elements > 0;
	*mark = 0;
	for (size_t i = 0; good && i < reply->elements; i++) {
		int64_t pending;

		*through &= group_is_through(r, reply->element[i], &pending);
		*mark = *mark * 31 + pending;
	}
	if (!good)
		failed(r, reply, why);
	if (reply)
		freeReplyObject(reply);
	return good;
}

static _Bool wait_through(struct replay_redis *r, struct trouble *why)
{
	struct clock clock = clock_system();
	int64_t moved_ms = clock.mono_ms(clock.ctx), mark = -1;
	long pause_us = 200;

	for (;;) {
		_Bool through;
		int64_t now_mark;

		if (!look(r, &through, &now_mark, why))
			return 0;
		if (through)
			return 1;
		if (now_mark != mark)
			moved_ms = clock.mono_ms(clock.ctx);
		mark = now_mark;
		if (clock.mono_ms(clock.ctx) - moved_ms > SILENCE_MOST_MS)
			return trouble_set(why, EXIT_LOST,
			                   "no consumer takes the entries of " REPLAY_STREAM
			                   "; is the daemon running with this Redis?");

		struct timespec pause = { .tv_nsec = pause_us * 1000 };

		nanosleep(&pause, NULL);
		pause_us = pause_us < 20000 ? pause_us * 2 : pause_us;
	}
}

_Bool replay_redis_send(struct replay_redis *r, const struct replay_file *f, const struct login *as,
                        const struct replay_op *ops, size_t count, struct trouble *why)
{
	int appended = 0;
	_Bool any = 0;

	for (size_t i = 0; i < count; i++) {
		if (ops[i].step != STEP_REPORT || ops[i].fate != FATE_WAITING)
			continue;
		if (!append(r, f, as, &ops[i]))
			return failed(r, NULL, why);
		any = 1;
		if (++appended < APPEND_MOST)
			continue;
		if (!take_ids(r, appended, why))
			return 0;
		appended = 0;
	}
	return take_ids(r, appended, why) && (!any || wait_through(r, why));
}
