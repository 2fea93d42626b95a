/* frigate: JSON of Frigate's events topic and of NVIDIA DeepStream's broker messages, one object behind the other. The
 * objects are found by their brackets, so that they may stand on one line each or be laid out. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "camera_post.h"

typedef void (*object_reader)(const struct post_sink *sink, const json_t *object);

struct objects {
	const struct post_sink *sink;
	object_reader read;
	char *bytes;
	size_t length;
	int depth;
	_Bool in_text, escaped, too_long;
};

/* ---- finding objects ---- */

static void parse(const struct objects *o)
{
	json_error_t error;
	json_t *object = json_loadb(o->bytes, o->length, JSON_REJECT_DUPLICATES, &error);
	char sentence[300];

	if (object != NULL) {
		o->read(o->sink, object);
	} else {
		snprintf(sentence, sizeof sentence, "an object that is no JSON: line %d: %.100s", error.line,
		         error.text);
		o->sink->wrong(o->sink->ctx, sentence);
	}
	json_decref(object);
}

/* Whether the byte ends the outermost object. */
static _Bool follow(struct objects *o, char byte)
{
	if (o->in_text) {
		o->in_text = o->escaped || byte != '"';
		o->escaped = !o->escaped && byte == '\\';
		return 0;
	}
	o->in_text = byte == '"' && o->depth > 0;
	if (byte == '{' || (byte == '[' && o->depth > 0))
		o->depth++;
	else if ((byte == '}' || byte == ']') && o->depth > 0)
		return --o->depth == 0;
	return 0;
}

static void end_object(struct objects *o)
{
	if (!o->too_long)
		parse(o);
	o->length = 0;
	o->depth = 0;
	o->in_text = o->escaped = o->too_long = 0;
}

static void keep_byte(struct objects *o, char byte)
{
	if (!o->too_long && (o->length == POST_BYTES_MOST || o->depth > POST_DEPTH_MOST)) {
		o->sink->wrong(o->sink->ctx, "an object of more than 128 KiB, or with too much within it");
		o->too_long = 1;
	}
	if (!o->too_long)
		o->bytes[o->length++] = byte;
}

static void objects_feed(void *a, const char *bytes, size_t length)
{
	struct objects *o = a;

	for (size_t i = 0; i < length; i++) {
		_Bool ends = follow(o, bytes[i]);

		if (o->depth > 0 || ends)
			keep_byte(o, bytes[i]);
		if (ends)
			end_object(o);
	}
}

static void *objects_open(const struct post_sink *sink, object_reader read)
{
	struct objects *o = must_calloc(1, sizeof *o);

	o->sink = sink;
	o->read = read;
	o->bytes = must_calloc(1, POST_BYTES_MOST);
	return o;
}

static void objects_close(void *a)
{
	struct objects *o = a;

	if (o->depth > 0)
		o->sink->wrong(o->sink->ctx, "an object without its end");
	free(o->bytes);
	free(o);
}

/* ---- what objects hold ---- */

/* "" when it is missing, no text, or no line of text. */
static const char *text_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);

	return text && text_is(TEXT_LINE, (const uint8_t *)text, json_string_length(value)) ? text : "";
}

static double number_of(const json_t *object, const char *key)
{
	double number = json_number_value(json_object_get(object, key));

	return isfinite(number) ? number : 0;
}

/* Seconds since 1970 with a fraction; 0: none. */
static int64_t time_of(const json_t *object, const char *key)
{
	double seconds = number_of(object, key);

	return seconds > 0 && seconds < 1e11 ? (int64_t)llround(seconds * 1000) : 0;
}

/* As the proto's doubles are sent: what was meant has few decimals. */
static double share_of(const json_t *object, const char *key)
{
	double share = number_of(object, key);

	return share > 0 && share <= 1 ? round(share * 1e6) / 1e6 : 0;
}

/* ---- Frigate ---- */

static void fill_frigate(struct camera_post *p, const json_t *now, const char *type)
{
	post_name(p, 1, text_of(now, "camera"));
	post_label(p, text_of(now, "label"));
	if (strlen(text_of(now, "id")) < sizeof p->event)
		snprintf(p->event, sizeof p->event, "%.*s", POST_EVENT_SIZE - 1, text_of(now, "id"));
	p->ended = strcmp(type, "end") == 0;
	p->confidence = share_of(now, json_is_number(json_object_get(now, "top_score")) ? "top_score" : "score");
	p->began_ms = time_of(now, "start_time");
	p->seen_ms =
		time_of(now, p->ended && json_is_number(json_object_get(now, "end_time")) ? "end_time" : "frame_time");
	snprintf(p->identity, sizeof p->identity, "frigate\n%.10s\n%s\n%" PRId64, type, p->event, p->seen_ms);
}

/* before is what Frigate knew at its last message, after what it knows now. */
static void read_frigate(const struct post_sink *sink, const json_t *object)
{
	const json_t *after = json_object_get(object, "after");
	const char *type = text_of(object, "type");
	struct camera_post p = { 0 };

	if (!json_is_object(after)) {
		sink->wrong(sink->ctx, "a Frigate event without \"after\"");
		return;
	}
	if (json_is_true(json_object_get(after, "false_positive"))) {
		sink->other(sink->ctx);
		return;
	}
	fill_frigate(&p, after, type);
	if (p.name_count == 0 || p.label_count == 0 || p.event[0] == '\0')
		sink->wrong(sink->ctx, "a Frigate event without camera, label or id");
	else
		sink->take(sink->ctx, &p);
}

static void *frigate_open(const struct post_sink *sink)
{
	return objects_open(sink, read_frigate);
}

const struct adapter frigate_adapter = { "frigate", frigate_open, objects_feed, objects_close };

/* ---- DeepStream ---- */

/* The full message names what it saw by the member that describes it: "vehicle", "person", "face". */
static const char *kind_of(const json_t *thing)
{
	static const char *const kinds[] = { "vehicle", "person", "face", "bag", "bicycle", "roadsign" };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (json_is_object(json_object_get(thing, kinds[i])))
			return kinds[i];
	return "";
}

static void take_thing(const struct post_sink *sink, const json_t *message, const char *sensor, const json_t *thing)
{
	struct camera_post p = { .confidence = share_of(thing, "confidence") };
	const char *kind = kind_of(thing), *id = text_of(thing, "id");

	post_name(&p, 1, sensor);
	post_label(&p, kind[0] ? text_of(json_object_get(thing, kind), "type") : text_of(thing, "type"));
	post_label(&p, kind);
	if (id[0] && strlen(sensor) + strlen(id) + 2 <= sizeof p.event)
		snprintf(p.event, sizeof p.event, "%.60s/%.60s", sensor, id);
	if (!clock_parse(text_of(message, "@timestamp"), &p.seen_ms))
		p.seen_ms = 0;
	snprintf(p.identity, sizeof p.identity, "deepstream\n%.100s\n%.60s\n%" PRId64, text_of(message, "messageid"),
	         id, p.seen_ms);
	if (p.name_count == 0 || p.label_count == 0)
		sink->wrong(sink->ctx, "a DeepStream message without a sensor, or an object without a type");
	else
		sink->take(sink->ctx, &p);
}

static void read_deepstream(const struct post_sink *sink, const json_t *message)
{
	const char *sensor = text_of(message, "sensorId");
	const json_t *objects = json_object_get(message, "objects"), *thing;
	size_t i;

	if (json_is_object(json_object_get(message, "object"))) {
		take_thing(sink, message, text_of(json_object_get(message, "sensor"), "id"),
		           json_object_get(message, "object"));
		return;
	}
	if (!json_is_array(objects)) {
		sink->wrong(sink->ctx, "a DeepStream message without \"object\" or \"objects\"");
		return;
	}
	if (json_array_size(objects) == 0)
		sink->other(sink->ctx);
	for (i = 0; (thing = json_array_get(objects, i)) != NULL; i++)
		take_thing(sink, message, sensor, thing);
}

static void *deepstream_open(const struct post_sink *sink)
{
	return objects_open(sink, read_deepstream);
}

const struct adapter deepstream_adapter = { "deepstream", deepstream_open, objects_feed, objects_close };
