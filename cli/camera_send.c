#include "camera_send.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "redis_connect.h"

#define WAITING_MOST 256 /* replies */

struct camera_send {
	redisContext *context; /* NULL: JSON */
	const char *stream;
	const struct login *as;
	int waiting;
};

struct camera_send *camera_send_open(const char *address, const char *stream, const struct login *as,
                                     struct trouble *why)
{
	redisContext *context = address ? redis_connect(address, why) : NULL;

	if (address && !context)
		return NULL;

	struct camera_send *s = must_calloc(1, sizeof *s);

	*s = (struct camera_send){ context, stream, as, 0 };
	return s;
}

void camera_send_close(struct camera_send *s)
{
	if (s == NULL)
		return;
	if (s->context)
		redisFree(s->context);
	free(s);
}

static void print_line(const struct camera_send *s, const Gridloop__V1__Alarm *a)
{
	struct json j;
	struct uuid key;
	char text[UUID_TEXT_SIZE];

	must(a->key.len == sizeof key.bytes);
	memcpy(key.bytes, a->key.data, sizeof key.bytes);
	uuid_text(&key, text);
	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_text(&j, "key", text);
	json_text(&j, "gateway", s->as->who);
	json_text(&j, "camera", (const char *)a->camera.data);
	json_text(&j, "label", (const char *)a->label.data);
	json_text(&j, "channel", a->channel.len ? (const char *)a->channel.data : NULL);
	json_text(&j, "event", a->event.len ? (const char *)a->event.data : NULL);
	json_real(&j, "confidence", a->confidence);
	json_int(&j, "seen_at_ms", a->seen_at_ms);
	json_int(&j, "began_at_ms", a->began_at_ms);
	json_int(&j, "posts", a->posts);
	json_bool(&j, "ended", a->ended);
	json_close(&j, '}');
	putchar('\n');
}

static _Bool failed(const struct camera_send *s, const redisReply *reply, struct trouble *why)
{
	return trouble_set(why, EXIT_LOST, "Redis says: %.300s",
	                   reply && reply->type == REDIS_REPLY_ERROR ? reply->str
	                   : s->context->err                         ? s->context->errstr
	                                                             : "something else than expected");
}

_Bool camera_send_flush(struct camera_send *s, struct trouble *why)
{
	_Bool good = 1;

	if (!s->context)
		return fflush(stdout) == 0 || trouble_set(why, EXIT_REFUSED, "cannot write to standard output");
	for (; s->waiting > 0 && good; s->waiting--) {
		redisReply *reply = NULL;

		good = redisGetReply(s->context, (void **)&reply) == REDIS_OK && reply &&
		       reply->type == REDIS_REPLY_STRING;
		if (!good)
			failed(s, reply, why);
		if (reply)
			freeReplyObject(reply);
	}
	return good;
}

_Bool camera_send(struct camera_send *s, Gridloop__V1__Alarm *alarm, struct trouble *why)
{
	Gridloop__V1__StreamEntry entry = GRIDLOOP__V1__STREAM_ENTRY__INIT;
	uint8_t bytes[WIRE_FRAME_MOST];

	if (!s->context) {
		print_line(s, alarm);
		return 1;
	}
	entry.gateway = wire_from_text(s->as->who);
	entry.token = wire_from_text(s->as->token);
	entry.body_case = GRIDLOOP__V1__STREAM_ENTRY__BODY_ALARM;
	entry.alarm = alarm;
	must(gridloop__v1__stream_entry__get_packed_size(&entry) <= sizeof bytes);

	size_t length = gridloop__v1__stream_entry__pack(&entry, bytes);

	if (redisAppendCommand(s->context, "XADD %s * entry %b", s->stream, bytes, length) != REDIS_OK)
		return failed(s, NULL, why);
	return ++s->waiting < WAITING_MOST || camera_send_flush(s, why);
}
