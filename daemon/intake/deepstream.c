#include "intake/deepstream.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "intake/check.h"
#include "jurisdiction/cameras.h"
#include "nvds.pb-c.h"

#define NAME_SIZE (2 * DEEPSTREAM_NAME_MOST + DEEPSTREAM_FRAME_ID_MOST + 32)
#define NANOS_MOST 999999999
/* A float's 0.95 is a little less than the registry's: what was meant has few decimals. */
#define CONFIDENCE_STEPS 1e6

/* One picture or event, with everything checked that all its objects share. */
struct scene {
	const struct policy *policy;
	char camera[DEEPSTREAM_NAME_MOST + 1];
	char id[DEEPSTREAM_FRAME_ID_MOST + 1];
	int64_t at_ms;
	struct sighting *out;
	size_t *count;
};

/* One thing seen. */
struct detection {
	char label[DEEPSTREAM_NAME_MOST + 1];
	char id[DEEPSTREAM_OBJECT_MOST + 1];
	double confidence;
};

static const struct text_rule sensor_rule = TEXT_RULE(TEXT_ID, DEEPSTREAM_NAME_MOST, sensor);
static const struct text_rule scene_rule = TEXT_RULE(TEXT_LINE, DEEPSTREAM_FRAME_ID_MOST, frame);
static const struct text_rule label_rule = TEXT_RULE(TEXT_LINE, DEEPSTREAM_NAME_MOST, label);
static const struct text_rule object_rule = TEXT_RULE(TEXT_LINE, DEEPSTREAM_OBJECT_MOST, object);

static _Bool is_sensor_id(const ProtobufCBinaryData *bytes)
{
	return bytes->len > 0 && bytes->len <= sensor_rule.most && text_is(sensor_rule.kind, bytes->data, bytes->len);
}

static _Bool read_time(const Nv__Timestamp *t, int64_t *out_ms, struct refusal *why)
{
	if (t == NULL)
		return refuse(why, REFUSAL_INVALID, "timestamp-is-given", "The message has no timestamp.");
	if (t->seconds < CHECK_EARLIEST_MS / 1000 || t->seconds > CHECK_LATEST_MS / 1000 || t->nanos < 0 ||
	    t->nanos > NANOS_MOST)
		return refuse(why, REFUSAL_INVALID, "timestamp-is-a-time",
		              "The timestamp %" PRId64 " s is not of this century.", t->seconds);
	*out_ms = t->seconds * 1000 + t->nanos / 1000000;
	return 1;
}

static struct sighting *find_sighting(const struct scene *s, const char *label)
{
	for (size_t i = 0; i < *s->count; i++)
		if (strcmp(s->out[i].label, label) == 0)
			return &s->out[i];
	return NULL;
}

static struct sighting *new_sighting(const struct scene *s, const char *label, struct refusal *why)
{
	char name[NAME_SIZE];
	struct sighting *seen;

	if (*s->count == DEEPSTREAM_SIGHTINGS_MOST) {
		(void)refuse(why, REFUSAL_TOO_LARGE, "labels-are-few", "More than %d registered labels in one picture.",
		             DEEPSTREAM_SIGHTINGS_MOST);
		return NULL;
	}
	seen = &s->out[(*s->count)++];
	*seen = (struct sighting){ .seen_at_ms = s->at_ms, .confidence = -1 };
	memcpy(seen->camera, s->camera, sizeof(seen->camera));
	(void)snprintf(seen->label, sizeof(seen->label), "%s", label);
	(void)snprintf(name, sizeof(name), "deepstream\n%s\n%s\n%s", s->camera, s->id, label);
	seen->key = uuid_from_name(s->at_ms, name);
	return seen;
}

static _Bool add_detection(const struct scene *s, const struct detection *d, struct refusal *why)
{
	const struct camera_label *known =
		policy_camera_label(s->policy, policy_camera(s->policy, s->camera), d->label);
	struct sighting *seen;

	if (known == NULL || d->confidence < known->confidence)
		return 1;
	seen = find_sighting(s, d->label);
	if (seen == NULL)
		seen = new_sighting(s, d->label, why);
	if (seen == NULL)
		return 0;
	if (d->confidence <= seen->confidence)
		return 1;
	seen->confidence = d->confidence;
	seen->event[0] = '\0';
	if (d->id[0] != '\0')
		(void)snprintf(seen->event, sizeof(seen->event), "%s/%s", s->camera, d->id);
	return 1;
}

/* The tracker reports objects the detector did not see in this picture with a confidence below zero. */
static _Bool read_object(const Nv__Object *o, struct detection *d, struct refusal *why)
{
	if (!isfinite(o->confidence) || o->confidence > 1)
		return refuse(why, REFUSAL_INVALID, "confidence-is-a-share",
		              "An object's confidence is no number up to 1.");
	d->confidence = round(o->confidence * CONFIDENCE_STEPS) / CONFIDENCE_STEPS;
	return check_copy(&o->type, &label_rule, d->label, sizeof(d->label), why) &&
	       check_copy(&o->id, &object_rule, d->id, sizeof(d->id), why);
}

static _Bool start_scene(struct scene *s, const ProtobufCBinaryData *sensor, const ProtobufCBinaryData *id,
                         const Nv__Timestamp *at, struct refusal *why)
{
	if (!check_copy(sensor, &sensor_rule, s->camera, sizeof(s->camera), why) ||
	    !check_copy(id, &scene_rule, s->id, sizeof(s->id), why) || !read_time(at, &s->at_ms, why))
		return 0;
	if (policy_camera(s->policy, s->camera) == NULL)
		return refuse(why, REFUSAL_UNKNOWN_PERSON, "camera-is-known",
		              "Camera %s is not in the registry; add it to cameras.csv.", s->camera);
	return 1;
}

static _Bool read_frame(struct scene *s, const Nv__Frame *f, struct refusal *why)
{
	struct detection d = { 0 };

	if (!start_scene(s, &f->sensor_id, &f->id, f->timestamp, why))
		return 0;
	for (size_t i = 0; i < f->n_objects; i++)
		if (!read_object(f->objects[i], &d, why) || !add_detection(s, &d, why))
			return 0;
	return 1;
}

/* A Message is an event its analytics has already decided on, and older producers leave its confidence out. */
static _Bool read_message(struct scene *s, const Nv__Message *m, struct refusal *why)
{
	struct detection d = { 0 };

	if (!start_scene(s, &m->sensor->id, &m->messageid, m->timestamp, why))
		return 0;
	if (m->object != NULL && !read_object(m->object, &d, why))
		return 0;
	if (d.confidence == 0)
		d.confidence = 1;
	if (m->event != NULL && d.label[0] == '\0' &&
	    !check_copy(&m->event->type, &label_rule, d.label, sizeof(d.label), why))
		return 0;
	if (m->event != NULL && m->event->id.len > 0 &&
	    !check_copy(&m->event->id, &object_rule, d.id, sizeof(d.id), why))
		return 0;
	return add_detection(s, &d, why);
}

/* Field 4 tells them apart: a Frame's is the sensor's id, plain text; a Message's is a Place, whose encoding always
 * holds a byte that no id has: a tag or length below 32, a quote or a star. */
_Bool deepstream_read(const struct policy *policy, struct arena *arena, const uint8_t *bytes, size_t length,
                      struct sighting out[DEEPSTREAM_SIGHTINGS_MOST], size_t *count, struct refusal *why)
{
	struct scene s = { .policy = policy, .out = out, .count = count };
	const Nv__Frame *frame;
	const Nv__Message *message;

	*count = 0;
	arena_reset(arena);
	frame = nv__frame__unpack(&arena->allocator, length, bytes);
	if (frame != NULL && is_sensor_id(&frame->sensor_id))
		return read_frame(&s, frame, why);
	arena_reset(arena);
	message = nv__message__unpack(&arena->allocator, length, bytes);
	if (message != NULL && message->sensor != NULL && is_sensor_id(&message->sensor->id) &&
	    (message->object != NULL || message->event != NULL))
		return read_message(&s, message, why);
	if (arena->ran_out)
		return refuse(why, REFUSAL_TOO_LARGE, "message-has-few-parts",
		              "The message holds more parts than one may.");
	return refuse(why, REFUSAL_MALFORMED, "message-is-deepstream",
	              "These bytes are neither a DeepStream Frame with a sensor id nor a Message with a sensor and an "
	              "object or event.");
}
