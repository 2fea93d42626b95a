#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "intake/arena.h"
#include "intake/deepstream.h"
#include "jurisdiction/policy.h"
#include "nvds.pb-c.h"
#include "policy_folder.h"

#define ARENA_SIZE (64 * 1024)
#define OBJECTS_MOST 64
#define SECONDS INT64_C(1705314600) /* 2024-01-15T10:30:00Z */
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* A small registry: camera cam-1 sees "rubbish bin" from 0.9 on and "water" from 0.75 on. */
struct stand {
	char folder[POLICY_FOLDER_SIZE];
	struct policy *policy;
	struct arena arena;
	struct sighting seen[DEEPSTREAM_SIGHTINGS_MOST];
	size_t count;
	struct refusal why;
};

static struct stand stand;

static int set_up(void **state)
{
	struct problems problems = { 0 };

	(void)state;
	policy_folder_make(stand.folder);
	policy_folder_change(stand.folder, "camera_labels.csv", "rubbish bin,E0110,0.5", "rubbish bin,E0110,0.9");
	stand.policy = policy_load(stand.folder, &problems);
	assert_non_null(stand.policy);
	problems_close(&problems);
	arena_init(&stand.arena, ARENA_SIZE);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_close(&stand.arena);
	policy_release(stand.policy);
	policy_folder_drop(stand.folder);
	return 0;
}

static ProtobufCBinaryData bytes_of(const char *text)
{
	return (ProtobufCBinaryData){ .len = strlen(text), .data = (uint8_t *)(uintptr_t)text };
}

static _Bool read_bytes(const uint8_t *bytes, size_t length)
{
	/* A heap copy of just that size, so that reading beyond it is caught. */
	uint8_t *copy = malloc(length ? length : 1);
	_Bool answer;

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	memset(&stand.why, 0, sizeof stand.why);
	answer = deepstream_read(stand.policy, &stand.arena, copy, length, stand.seen, &stand.count, &stand.why);
	free(copy);
	return answer;
}

static _Bool read_message(const ProtobufCMessage *m)
{
	uint8_t bytes[8192];

	assert_true(protobuf_c_message_get_packed_size(m) <= sizeof bytes);
	return read_bytes(bytes, protobuf_c_message_pack(m, bytes));
}

static void assert_refused(_Bool answer, enum refusal_code code, const char *rule)
{
	assert_false(answer);
	assert_int_equal(stand.why.code, code);
	assert_string_equal(stand.why.rule, rule);
}

/* ---- a picture to change one thing of ---- */

struct picture {
	Nv__Frame frame;
	Nv__Timestamp at;
	Nv__Object objects[OBJECTS_MOST];
	Nv__Object *list[OBJECTS_MOST];
};

static void picture_init(struct picture *p)
{
	*p = (struct picture){ .frame = NV__FRAME__INIT, .at = NV__TIMESTAMP__INIT };
	p->at.seconds = SECONDS;
	p->at.nanos = 250000000;
	p->frame.version = bytes_of("4.0");
	p->frame.id = bytes_of("17");
	p->frame.timestamp = &p->at;
	p->frame.sensor_id = bytes_of("cam-1");
	p->frame.objects = p->list;
}

static Nv__Object *add(struct picture *p, const char *id, const char *type, float confidence)
{
	size_t i = p->frame.n_objects++;

	assert_true(i < OBJECTS_MOST);
	p->objects[i] = (Nv__Object)NV__OBJECT__INIT;
	p->objects[i].id = bytes_of(id);
	p->objects[i].type = bytes_of(type);
	p->objects[i].confidence = confidence;
	p->list[i] = &p->objects[i];
	return &p->objects[i];
}

static void test_a_label_is_one_sighting(void **state)
{
	struct picture p;

	(void)state;
	picture_init(&p);
	add(&p, "1", "rubbish bin", 0.91F);
	add(&p, "2", "water", 0.8F);
	add(&p, "3", "rubbish bin", 0.97F);
	add(&p, "4", "rubbish bin", 0.95F);
	assert_true(read_message(&p.frame.base));
	assert_int_equal(stand.count, 2);
	assert_string_equal(stand.seen[0].label, "rubbish bin");
	assert_string_equal(stand.seen[0].camera, "cam-1");
	assert_string_equal(stand.seen[0].event, "cam-1/3");
	assert_true(stand.seen[0].confidence == 0.97);
	assert_true(stand.seen[0].seen_at_ms == SECONDS * 1000 + 250);
	assert_string_equal(stand.seen[1].label, "water");
	assert_true(uuid_time_ms(&stand.seen[0].key) == SECONDS * 1000 + 250);
	assert_memory_not_equal(&stand.seen[0].key, &stand.seen[1].key, sizeof(struct uuid));
}

static void test_what_the_registry_does_not_ask_for_is_passed_over(void **state)
{
	struct picture p;

	(void)state;
	picture_init(&p);
	add(&p, "1", "person", 0.99F);
	add(&p, "2", "water", 0.74F);
	add(&p, "3", "rubbish bin", -0.1F); /* the tracker's guess */
	assert_true(read_message(&p.frame.base));
	assert_int_equal(stand.count, 0);
}

static void test_a_float_reaches_the_limit_it_means(void **state)
{
	struct picture p;

	(void)state;
	picture_init(&p);
	add(&p, "1", "rubbish bin", 0.9F); /* as a double 0.89999998 */
	assert_true(read_message(&p.frame.base));
	assert_int_equal(stand.count, 1);
	assert_true(stand.seen[0].confidence >= 0.9);
}

static void test_the_key_is_the_pictures(void **state)
{
	struct picture p;
	struct uuid first;

	(void)state;
	picture_init(&p);
	add(&p, "1", "water", 0.9F);
	assert_true(read_message(&p.frame.base));
	first = stand.seen[0].key;
	p.objects[0].confidence = 0.8F; /* sent again, judged a little differently */
	assert_true(read_message(&p.frame.base));
	assert_memory_equal(&first, &stand.seen[0].key, sizeof first);
	p.frame.id = bytes_of("18");
	assert_true(read_message(&p.frame.base));
	assert_memory_not_equal(&first, &stand.seen[0].key, sizeof first);
	p.frame.id = bytes_of("17");
	p.at.nanos = 300000000;
	assert_true(read_message(&p.frame.base));
	assert_memory_not_equal(&first, &stand.seen[0].key, sizeof first);
}

static void test_object_without_id(void **state)
{
	struct picture p;

	(void)state;
	picture_init(&p);
	add(&p, "", "water", 0.9F);
	assert_true(read_message(&p.frame.base));
	assert_string_equal(stand.seen[0].event, "");
}

/* ---- events ---- */

struct event_message {
	Nv__Message message;
	Nv__Timestamp at;
	Nv__Sensor sensor;
	Nv__Object object;
	Nv__Event event;
};

static void event_init(struct event_message *e)
{
	/* A Place as its producer encodes it: id 1, a name, a type. */
	static const char place[] = "\x0a\x01"
				    "1"
				    "\x12\x0cParkingLot_A\x1a\x06garage";

	*e = (struct event_message){ .message = NV__MESSAGE__INIT,
		                     .at = NV__TIMESTAMP__INIT,
		                     .sensor = NV__SENSOR__INIT,
		                     .object = NV__OBJECT__INIT,
		                     .event = NV__EVENT__INIT };
	e->at.seconds = SECONDS;
	e->sensor.id = bytes_of("cam-1");
	e->sensor.type = bytes_of("Camera");
	e->object.id = bytes_of("1");
	e->object.type = bytes_of("water");
	e->event.id = bytes_of("event-uuid");
	e->event.type = bytes_of("entry");
	e->message.messageid = bytes_of("unique-uuid");
	e->message.mdsversion = bytes_of("1.0");
	e->message.timestamp = &e->at;
	e->message.place = bytes_of(place);
	e->message.sensor = &e->sensor;
	e->message.object = &e->object;
	e->message.event = &e->event;
}

static void test_message(void **state)
{
	struct event_message e;

	(void)state;
	event_init(&e);
	assert_true(read_message(&e.message.base));
	assert_int_equal(stand.count, 1);
	assert_string_equal(stand.seen[0].camera, "cam-1");
	assert_string_equal(stand.seen[0].label, "water");
	assert_string_equal(stand.seen[0].event, "cam-1/event-uuid");
	assert_true(stand.seen[0].confidence == 1); /* it was left out: decided already */
	e.object.confidence = 0.5F;
	assert_true(read_message(&e.message.base));
	assert_int_equal(stand.count, 0);
}

static void test_message_of_an_event_alone(void **state)
{
	struct event_message e;

	(void)state;
	event_init(&e);
	e.message.object = NULL;
	e.event.type = bytes_of("water");
	assert_true(read_message(&e.message.base));
	assert_int_equal(stand.count, 1);
	assert_string_equal(stand.seen[0].label, "water");
	e.message.event = NULL;
	assert_refused(read_message(&e.message.base), REFUSAL_MALFORMED, "message-is-deepstream");
}

static void test_frame_and_message_are_not_mixed_up(void **state)
{
	struct event_message e;
	struct picture p;

	(void)state;
	event_init(&e);
	e.message.place = (ProtobufCBinaryData){ 0 };
	assert_true(read_message(&e.message.base));
	assert_int_equal(stand.count, 1);
	picture_init(&p);
	p.frame.sensor_id = bytes_of(""); /* a picture of nobody's camera is neither */
	add(&p, "1", "water", 0.9F);
	assert_refused(read_message(&p.frame.base), REFUSAL_MALFORMED, "message-is-deepstream");
}

/* ---- what cannot be ---- */

static void spoil_camera(struct picture *p)
{
	p->frame.sensor_id = bytes_of("cam-9");
}

static void spoil_time(struct picture *p)
{
	p->frame.timestamp = NULL;
}

static void spoil_seconds(struct picture *p)
{
	p->at.seconds = INT64_MAX;
}

static void spoil_nanos(struct picture *p)
{
	p->at.nanos = -1;
}

static void spoil_not_a_number(struct picture *p)
{
	p->objects[0].confidence = NAN;
}

static void spoil_share(struct picture *p)
{
	p->objects[0].confidence = 95;
}

static void spoil_label(struct picture *p)
{
	p->objects[0].type = bytes_of("wa\xffter");
}

static void spoil_object(struct picture *p)
{
	p->objects[0].id = bytes_of("a line\nand another");
}

static void spoil_frame_id(struct picture *p)
{
	static char id[DEEPSTREAM_FRAME_ID_MOST + 2];

	memset(id, 'x', sizeof id - 1);
	p->frame.id = bytes_of(id);
}

static void test_refusals(void **state)
{
	static const struct {
		void (*spoil)(struct picture *p);
		enum refusal_code code;
		const char *rule;
	} rows[] = {
		{ spoil_camera, REFUSAL_UNKNOWN_PERSON, "camera-is-known" },
		{ spoil_time, REFUSAL_INVALID, "timestamp-is-given" },
		{ spoil_seconds, REFUSAL_INVALID, "timestamp-is-a-time" },
		{ spoil_nanos, REFUSAL_INVALID, "timestamp-is-a-time" },
		{ spoil_not_a_number, REFUSAL_INVALID, "confidence-is-a-share" },
		{ spoil_share, REFUSAL_INVALID, "confidence-is-a-share" },
		{ spoil_label, REFUSAL_INVALID, "label-is-utf8" },
		{ spoil_object, REFUSAL_INVALID, "object-is-utf8" },
		{ spoil_frame_id, REFUSAL_TOO_LARGE, "frame-is-short-enough" },
	};
	struct picture p;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		picture_init(&p);
		add(&p, "1", "water", 0.9F);
		rows[i].spoil(&p);
		assert_refused(read_message(&p.frame.base), rows[i].code, rows[i].rule);
	}
}

static void test_bytes_that_are_nothing(void **state)
{
	static const char json[] = "{\"messageid\":\"unique-uuid\",\"sensorId\":\"CAMERA_001\"}";

	(void)state;
	assert_refused(read_bytes((const uint8_t *)"", 0), REFUSAL_MALFORMED, "message-is-deepstream");
	assert_refused(read_bytes((const uint8_t *)json, strlen(json)), REFUSAL_MALFORMED, "message-is-deepstream");
}

static void test_parts_without_end(void **state)
{
	uint8_t bytes[30000];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i += 2) { /* objects of no bytes */
		bytes[i] = 5 << 3 | 2;
		bytes[i + 1] = 0;
	}
	assert_refused(read_bytes(bytes, sizeof bytes), REFUSAL_TOO_LARGE, "message-has-few-parts");
}

/* Cut anywhere or with any byte changed: an answer, and nothing read that is not there. */
static void test_cut_and_flipped(void **state)
{
	uint8_t bytes[1024], spoilt[1024];
	struct picture p;
	size_t length;

	(void)state;
	picture_init(&p);
	add(&p, "1", "water", 0.9F);
	add(&p, "2", "rubbish bin", 0.95F);
	length = protobuf_c_message_pack(&p.frame.base, bytes);
	for (size_t cut = 0; cut < length; cut++)
		if (read_bytes(bytes, cut))
			assert_true(stand.count <= 2);
	for (size_t at = 0; at < length; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(spoilt, bytes, length);
			spoilt[at] ^= (uint8_t)(1U << bit);
			if (!read_bytes(spoilt, length))
				assert_non_null(stand.why.rule);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_label_is_one_sighting),
		cmocka_unit_test(test_what_the_registry_does_not_ask_for_is_passed_over),
		cmocka_unit_test(test_a_float_reaches_the_limit_it_means),
		cmocka_unit_test(test_the_key_is_the_pictures),
		cmocka_unit_test(test_object_without_id),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_message_of_an_event_alone),
		cmocka_unit_test(test_frame_and_message_are_not_mixed_up),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_bytes_that_are_nothing),
		cmocka_unit_test(test_parts_without_end),
		cmocka_unit_test(test_cut_and_flipped),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
