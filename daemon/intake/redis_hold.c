#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "intake/rates.h"
#include "intake/redis_parts.h"

/* ---- ids --------------------------------------------------------------------------------------------------------- */

static _Bool parse_part(const char *text, char end, uint64_t *out, const char **rest)
{
	uint64_t value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			return 0;
	if (at == text || *at != end)
		return 0;
	*out = value;
	*rest = at + 1;
	return 1;
}

_Bool stream_id_parse(const char *text, struct stream_id *out)
{
	const char *rest;

	return parse_part(text, '-', &out->ms, &rest) && parse_part(rest, '\0', &out->seq, &rest);
}

void stream_id_text(const struct stream_id *id, char out[STREAM_ID_TEXT_SIZE])
{
	(void)snprintf(out, STREAM_ID_TEXT_SIZE, "%" PRIu64 "-%" PRIu64, id->ms, id->seq);
}

int64_t redis_mono_ms(void)
{
	struct clock clock = clock_system();

	return clock.mono_ms(clock.ctx);
}

/* ---- the window -------------------------------------------------------------------------------------------------- */

static size_t *count_of(struct redis_door *d, enum held_state state)
{
	return state == HELD_WAITING ? &d->waiting : state == HELD_DECIDING ? &d->deciding : NULL;
}

void held_set_state(struct held *h, enum held_state state)
{
	size_t *before = count_of(h->door, h->state), *after = count_of(h->door, state);

	if (before != NULL)
		--*before;
	if (after != NULL)
		++*after;
	h->state = state;
}

void held_free(struct held *h)
{
	struct redis_door *d = h->door;

	held_set_state(h, HELD_DONE);
	TAILQ_REMOVE(&d->held, h, next);
	d->held_count--;
	free(h->bytes);
	free(h);
}

_Bool hold_has_room(const struct redis_door *d)
{
	return d->held_count + (size_t)REDIS_STREAMS * REDIS_READ_MOST <= REDIS_WINDOW;
}

/* A claim, or reading one's own pending entries again after a lost connection, brings back what is still under way. */
static _Bool is_held(const struct redis_door *d, int stream, const struct stream_id *id)
{
	const struct held *h;

	for (h = TAILQ_FIRST(&d->held); h != NULL; h = TAILQ_NEXT(h, next)) {
		if (h->stream == stream && h->id.ms == id->ms && h->id.seq == id->seq)
			return 1;
	}
	return 0;
}

static struct held *hold_new(struct redis_door *d, int stream, const struct stream_id *id)
{
	struct held *h = must_calloc(1, sizeof(*h));

	h->door = d;
	h->stream = stream;
	h->id = *id;
	h->kind = ENTRY_STRANGE;
	h->state = HELD_WAITING;
	d->waiting++;
	d->held_count++;
	TAILQ_INSERT_TAIL(&d->held, h, next);
	return h;
}

static void hold_bytes(struct held *h, const redisReply *name, const redisReply *value)
{
	size_t length = name->len < sizeof(h->field) ? name->len : sizeof(h->field) - 1;

	/* The name may be anything; in a dead letter it must be text. */
	if (text_is(TEXT_LINE, (const uint8_t *)name->str, length))
		memcpy(h->field, name->str, length);
	h->full_length = value->len;
	h->length = value->len < ENTRY_BYTES_MOST ? value->len : ENTRY_BYTES_MOST;
	free(h->bytes);
	h->bytes = must_calloc(h->length + 1, 1);
	memcpy(h->bytes, value->str, h->length);
}

/* The first field that carries a message; failing that the first there is, for the dead letter. */
static void hold_fields(struct held *h, const redisReply *fields)
{
	for (size_t i = 0; i + 1 < fields->elements; i += 2) {
		const redisReply *name = fields->element[i], *value = fields->element[i + 1];
		enum entry_kind kind;

		if (name->type != REDIS_REPLY_STRING || value->type != REDIS_REPLY_STRING)
			continue;
		kind = entry_kind_of_field(name->str, name->len);
		if (h->bytes != NULL && kind == ENTRY_STRANGE)
			continue;
		hold_bytes(h, name, value);
		h->kind = kind;
		if (kind != ENTRY_STRANGE)
			return;
	}
}

static void go_bad(struct held *h)
{
	held_set_state(h, HELD_BAD);
	settle_soon(h->door);
}

/* ---- the engine's answers ---------------------------------------------------------------------------------------- */

static int64_t pause_of(const struct refusal *why)
{
	if (why->retry_after_ms < REDIS_RETRY_LEAST_MS)
		return REDIS_RETRY_LEAST_MS;
	return why->retry_after_ms < REDIS_RETRY_MOST_MS ? why->retry_after_ms : REDIS_RETRY_MOST_MS;
}

/* All answers are here, or nothing could be asked. */
static void conclude(struct held *h)
{
	struct redis_door *d = h->door;

	if (h->outstanding > 0)
		return;
	if (h->later) {
		int64_t pause = h->queue_full ? 0 : pause_of(&h->why);

		held_set_state(h, HELD_WAITING);
		h->not_before_ms = redis_mono_ms() + pause;
		settle_after(d, h->queue_full ? REDIS_RETRY_LEAST_MS : pause);
		return;
	}
	if (h->bad) {
		go_bad(h);
		return;
	}
	held_set_state(h, HELD_DONE);
	settle_soon(d);
}

/* What was asked is on disk, or refused. A refusal for good of one part is told even when another part must be asked
 * again: that part's answer is the same every time. */
static void on_answer(void *door, struct command *c)
{
	struct held *h = door;

	h->outstanding--;
	if (!c->outcome.accepted) {
		_Bool later = c->outcome.refusal.code == REFUSAL_RETRY_LATER;

		if (later || !h->later)
			h->why = c->outcome.refusal;
		h->later |= later;
		h->bad |= !later;
	}
	command_free(c);
	conclude(h);
}

/* ---- asking the engine ------------------------------------------------------------------------------------------- */

static _Bool read_commands(struct held *h, struct command **commands, size_t *count)
{
	struct redis_door *d = h->door;
	char id[STREAM_ID_TEXT_SIZE];
	struct entry e = { .kind = h->kind,
		           .cameras = h->stream == REDIS_CAMERAS,
		           .stream = d->streams[h->stream],
		           .id = id,
		           .id_ms = h->id.ms < INT64_MAX ? (int64_t)h->id.ms : INT64_MAX,
		           .bytes = h->bytes,
		           .length = h->full_length };

	stream_id_text(&h->id, id);
	return entry_judge_read(d->judge, &e, engine_now_ms(d->engine), commands, count, &h->why);
}

/* A gateway that writes faster than its rate waits here, and behind it, once the window is full, in Redis. */
static _Bool is_slow_enough(struct held *h, struct command *const *commands, size_t count)
{
	struct redis_door *d = h->door;
	const struct person *gateway = count ? policy_person(engine_policy(d->engine), commands[0]->actor) : NULL;
	int64_t wait_ms = 0;

	if (!gateway || rates_take(d->rates, gateway, NULL, (int64_t)count, redis_mono_ms(), &wait_ms))
		return 1;
	held_set_state(h, HELD_WAITING);
	h->not_before_ms = redis_mono_ms() + wait_ms;
	settle_after(d, wait_ms);
	return 0;
}

static void free_from(struct command *const *commands, size_t from, size_t count)
{
	for (size_t i = from; i < count; i++)
		command_free(commands[i]);
}

/* false: the engine's queue is full. What it has taken already it will answer; then all of the entry is asked again,
 * which its keys make harmless. */
static _Bool submit(struct held *h)
{
	struct command *commands[ENTRY_COMMANDS_MOST];
	size_t count, taken = 0;

	h->later = h->bad = h->queue_full = 0;
	if (!read_commands(h, commands, &count)) {
		go_bad(h);
		return 1;
	}
	if (!is_slow_enough(h, commands, count)) {
		free_from(commands, 0, count);
		return 1;
	}
	held_set_state(h, HELD_DECIDING);
	for (; taken < count; taken++) {
		commands[taken]->origin.answer = on_answer;
		commands[taken]->origin.door = h;
		if (!engine_submit(h->door->engine, commands[taken]))
			break;
		h->outstanding++;
	}
	free_from(commands, taken, count);
	if (taken < count)
		h->later = h->queue_full = 1;
	if (h->outstanding == 0)
		conclude(h);
	return taken == count;
}

void hold_submit_waiting(struct redis_door *d)
{
	struct held *h, *next;
	int64_t now = redis_mono_ms();

	for (h = TAILQ_FIRST(&d->held); h != NULL && d->waiting > 0 && !d->stopped; h = next) {
		next = TAILQ_NEXT(h, next);
		if (h->state == HELD_WAITING && h->not_before_ms <= now && !submit(h))
			return;
	}
}

/* They stay pending in Redis and are read again by the next start. */
void hold_drop_waiting(struct redis_door *d)
{
	struct held *h, *next;

	for (h = TAILQ_FIRST(&d->held); h != NULL; h = next) {
		next = TAILQ_NEXT(h, next);
		if (h->state == HELD_WAITING)
			held_free(h);
	}
}

/* ---- taking in --------------------------------------------------------------------------------------------------- */

void hold_trimmed(struct redis_door *d, int stream, const char *id)
{
	struct stream_id parsed;
	struct held *h;

	if (!stream_id_parse(id, &parsed) || is_held(d, stream, &parsed))
		return;
	log_line(LOG_LEVEL_ERROR, "redis_entry_trimmed", "stream=%s id=%s", d->streams[stream], id);
	h = hold_new(d, stream, &parsed);
	h->trimmed = 1;
	(void)refuse(&h->why, REFUSAL_INTERNAL, "entry-was-trimmed",
	             "The entry was cut from its stream before its acknowledgement; its content is lost here.");
	go_bad(h);
}

void hold_entry(struct redis_door *d, int stream, const redisReply *entry)
{
	struct stream_id id;
	struct held *h;

	if (entry->type != REDIS_REPLY_ARRAY || entry->elements < 2 || entry->element[0]->type != REDIS_REPLY_STRING ||
	    !stream_id_parse(entry->element[0]->str, &id))
		return;
	if (entry->element[1]->type != REDIS_REPLY_ARRAY) {
		hold_trimmed(d, stream, entry->element[0]->str);
		return;
	}
	if (is_held(d, stream, &id))
		return;
	h = hold_new(d, stream, &id);
	hold_fields(h, entry->element[1]);
}
