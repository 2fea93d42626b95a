#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "intake/redis_parts.h"

#define NUMBER_SIZE 24

static void make_groups(struct redis_door *d);

static _Bool is_error(const redisReply *r, const char *prefix)
{
	return r->type == REDIS_REPLY_ERROR && strncmp(r->str, prefix, strlen(prefix)) == 0;
}

static void reset(struct redis_door *d, const redisReply *reply)
{
	redis_link_reset(d->reading, reply->type == REDIS_REPLY_ERROR ? reply->str : "an answer of an unexpected form");
}

/* ---- what came --------------------------------------------------------------------------------------------------- */

static int stream_of(const struct redis_door *d, const redisReply *name)
{
	for (int i = 0; i < REDIS_STREAMS; i++)
		if (name->type == REDIS_REPLY_STRING && strcmp(name->str, d->streams[i]) == 0)
			return i;
	return -1;
}

/* Own pending entries are asked for page by page, each from the last id of the one before; an empty page ends it. */
static void turn_page(struct redis_door *d, int stream, const redisReply *entries)
{
	const redisReply *last;

	if (entries->elements == 0) {
		d->own_pending[stream] = 0;
		return;
	}
	last = entries->element[entries->elements - 1];
	if (last->type != REDIS_REPLY_ARRAY || last->elements == 0 || last->element[0]->type != REDIS_REPLY_STRING ||
	    !stream_id_parse(last->element[0]->str, &d->read_to[stream]))
		d->own_pending[stream] = 0;
}

static void take_stream(struct redis_door *d, const redisReply *part)
{
	const redisReply *entries;
	int stream;

	if (part->type != REDIS_REPLY_ARRAY || part->elements != 2)
		return;
	stream = stream_of(d, part->element[0]);
	entries = part->element[1];
	if (stream < 0 || entries->type != REDIS_REPLY_ARRAY)
		return;
	for (size_t i = 0; i < entries->elements; i++)
		hold_entry(d, stream, entries->element[i]);
	if (d->own_pending[stream])
		turn_page(d, stream, entries);
}

static void on_read(void *ctx, const redisReply *reply)
{
	struct redis_door *d = ctx;

	d->under_way = 0;
	if (reply == NULL || d->stopped)
		return;
	if (is_error(reply, "NOGROUP") || is_error(reply, "UNBLOCKED")) {
		log_line(LOG_LEVEL_WARNING, "redis_group_gone", "cause=\"%s\"", reply->str);
		make_groups(d);
		return;
	}
	if (reply->type != REDIS_REPLY_NIL && reply->type != REDIS_REPLY_ARRAY) {
		reset(d, reply);
		return;
	}
	redis_link_settled(d->reading);
	if (reply->type == REDIS_REPLY_NIL)
		d->own_pending[REDIS_REPORTS] = d->own_pending[REDIS_CAMERAS] = 0;
	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
		take_stream(d, reply->element[i]);
	hold_submit_waiting(d);
	read_next(d);
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static _Bool may_read(const struct redis_door *d)
{
	return !d->stopped && !d->under_way && d->groups_made == REDIS_STREAMS && d->waiting == 0 && hold_has_room(d);
}

void read_next(struct redis_door *d)
{
	char count[NUMBER_SIZE], block[NUMBER_SIZE], from[REDIS_STREAMS][STREAM_ID_TEXT_SIZE];
	_Bool own = d->own_pending[REDIS_REPORTS] || d->own_pending[REDIS_CAMERAS];
	struct redis_words w = { 0 };

	if (!may_read(d))
		return;
	(void)snprintf(count, sizeof(count), "%d", REDIS_READ_MOST);
	(void)snprintf(block, sizeof(block), "%d", REDIS_BLOCK_MS);
	redis_words_add(&w, "XREADGROUP");
	redis_words_add(&w, "GROUP");
	redis_words_add(&w, d->group);
	redis_words_add(&w, d->consumer);
	redis_words_add(&w, "COUNT");
	redis_words_add(&w, count);
	if (!own) {
		redis_words_add(&w, "BLOCK");
		redis_words_add(&w, block);
	}
	redis_words_add(&w, "STREAMS");
	for (int i = 0; i < REDIS_STREAMS; i++)
		if (!own || d->own_pending[i])
			redis_words_add(&w, d->streams[i]);
	for (int i = 0; i < REDIS_STREAMS; i++) {
		stream_id_text(&d->read_to[i], from[i]);
		if (!own || d->own_pending[i])
			redis_words_add(&w, own ? from[i] : ">");
	}
	d->under_way = redis_link_send(d->reading, &w, REDIS_READ_DEADLINE_MS, on_read, d);
}

/* ---- the groups -------------------------------------------------------------------------------------------------- */

static void on_group(void *ctx, const redisReply *reply)
{
	struct redis_door *d = ctx;

	if (reply == NULL)
		return;
	if (reply->type != REDIS_REPLY_STATUS && !is_error(reply, "BUSYGROUP")) {
		reset(d, reply);
		return;
	}
	if (++d->groups_made < REDIS_STREAMS)
		return;
	read_next(d);
	claim_up(d);
}

/* From 0: what was written before the group was there must not be skipped, and what is read twice has its key. */
static void make_groups(struct redis_door *d)
{
	d->groups_made = 0;
	for (int i = 0; i < REDIS_STREAMS; i++) {
		struct redis_words w = { 0 };

		redis_words_add(&w, "XGROUP");
		redis_words_add(&w, "CREATE");
		redis_words_add(&w, d->streams[i]);
		redis_words_add(&w, d->group);
		redis_words_add(&w, "0");
		redis_words_add(&w, "MKSTREAM");
		d->own_pending[i] = 1;
		d->read_to[i] = (struct stream_id){ 0, 0 };
		if (!redis_link_send(d->reading, &w, REDIS_COMMAND_DEADLINE_MS, on_group, d))
			return;
	}
}

void read_up(struct redis_door *d)
{
	d->under_way = 0;
	make_groups(d);
}

void read_down(struct redis_door *d)
{
	d->under_way = 0;
	d->groups_made = 0;
}
