#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "gridloop.pb-c.h"
#include "intake/redis_entry.h"
#include "jurisdiction/policy.h"
#include "nvds.pb-c.h"
#include "policy_folder.h"

#define NOW_MS INT64_C(1772413200000)
#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define ROW_SIZE 1024

struct stand {
	char folder[POLICY_FOLDER_SIZE];
	struct policy *policy;
	struct entry_judge *judge;
	struct roster *roster;
	struct command *commands[ENTRY_COMMANDS_MOST];
	size_t count;
	struct refusal why;
};

static struct stand stand;

/* A platform of riders, a camera gateway, and a worker who can log in but is no gateway. */
static void write_people(const char *folder)
{
	char rows[ROW_SIZE], platform[DIGEST_TEXT_SIZE], eyes[DIGEST_TEXT_SIZE];

	policy_folder_digest("platform-token", platform);
	policy_folder_digest("eyes-token", eyes);
	(void)snprintf(rows, sizeof rows,
	               "eyes,Cameras,camera,cameras,,,%s,no\n"
	               "platform,Riders,food-rider,gateway,,,%s,no\n"
	               "mute,No token,food-rider,gateway,,,,no\n",
	               eyes, platform);
	policy_folder_change(folder, "people.csv", "eyes,Cameras,camera,cameras,,,,no\n", rows);
}

static int set_up(void **state)
{
	struct problems problems = { 0 };

	(void)state;
	policy_folder_make(stand.folder);
	write_people(stand.folder);
	stand.policy = policy_load(stand.folder, &problems);
	problems_print(&problems, stderr);
	assert_non_null(stand.policy);
	problems_close(&problems);
	stand.roster = roster_new();
	stand.judge = entry_judge_new(stand.policy, stand.roster, "eyes", 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	entry_judge_free(stand.judge);
	roster_free(stand.roster);
	policy_release(stand.policy);
	policy_folder_drop(stand.folder);
	return 0;
}

static void drop_commands(void)
{
	while (stand.count > 0)
		command_free(stand.commands[--stand.count]);
}

static int after_each(void **state)
{
	(void)state;
	drop_commands();
	return 0;
}

static ProtobufCBinaryData bytes_of(const char *text)
{
	return (ProtobufCBinaryData){ .len = strlen(text), .data = (uint8_t *)(uintptr_t)text };
}

static struct entry entry_of(enum entry_kind kind, const uint8_t *bytes, size_t length)
{
	return (struct entry){ .kind = kind,
		               .stream = "reports",
		               .id = "1772413200000-7",
		               .id_ms = NOW_MS,
		               .bytes = bytes,
		               .length = length };
}

static _Bool read_entry(const struct entry *e)
{
	drop_commands();
	memset(&stand.why, 0, sizeof stand.why);
	return entry_judge_read(stand.judge, e, NOW_MS, stand.commands, &stand.count, &stand.why);
}

static _Bool read_kind(enum entry_kind kind, _Bool cameras, const ProtobufCMessage *m)
{
	uint8_t *bytes = malloc(protobuf_c_message_get_packed_size(m) + 1);
	struct entry e = entry_of(kind, bytes, protobuf_c_message_pack(m, bytes));
	_Bool answer;

	e.cameras = cameras;
	answer = read_entry(&e);
	free(bytes);
	return answer;
}

static _Bool read_own(const Gridloop__V1__StreamEntry *m)
{
	return read_kind(ENTRY_OWN, 0, &m->base);
}

static void assert_refused(_Bool answer, enum refusal_code code, const char *rule)
{
	assert_false(answer);
	assert_int_equal(stand.count, 0);
	assert_int_equal(stand.why.code, code);
	assert_string_equal(stand.why.rule, rule);
}

/* ---- messages to change one thing of ---- */

static uint8_t key_bytes[16] = { 1, 2, 3, 4, 5, 6, 0x70, 7, 0x80, 8, 9, 10, 11, 12, 13, 14 };

struct mail {
	Gridloop__V1__StreamEntry entry;
	Gridloop__V1__Report report;
	Gridloop__V1__Reporter reporter;
	Gridloop__V1__Place place;
	Gridloop__V1__Action action;
	Gridloop__V1__Alarm alarm;
};

static void mail_init(struct mail *m)
{
	*m = (struct mail){ .entry = GRIDLOOP__V1__STREAM_ENTRY__INIT,
		            .report = GRIDLOOP__V1__REPORT__INIT,
		            .reporter = GRIDLOOP__V1__REPORTER__INIT,
		            .place = GRIDLOOP__V1__PLACE__INIT,
		            .action = GRIDLOOP__V1__ACTION__INIT,
		            .alarm = GRIDLOOP__V1__ALARM__INIT };
	m->entry.gateway = bytes_of("platform");
	m->entry.token = bytes_of("platform-token");
	m->place.lat = 34.15;
	m->place.lon = 108.15;
	m->reporter.id = bytes_of("rider-7");
	m->reporter.kind = GRIDLOOP__V1__REPORTER_KIND__FOOD_RIDER;
	m->report.key = (ProtobufCBinaryData){ .len = sizeof key_bytes, .data = key_bytes };
	m->report.category = bytes_of("E0110");
	m->report.place = &m->place;
	m->report.reporter = &m->reporter;
	m->report.description = bytes_of("rubbish by the gate");
	m->entry.body_case = GRIDLOOP__V1__STREAM_ENTRY__BODY_REPORT;
	m->entry.report = &m->report;
}

static void mail_action(struct mail *m)
{
	mail_init(m);
	m->action.case_number = bytes_of("E01102026030200042");
	m->action.act = GRIDLOOP__V1__ACT__ACT_WITHDRAW;
	m->action.reporter = &m->reporter;
	m->entry.body_case = GRIDLOOP__V1__STREAM_ENTRY__BODY_ACTION;
	m->entry.action = &m->action;
}

static void mail_alarm(struct mail *m)
{
	mail_init(m);
	m->entry.gateway = bytes_of("eyes");
	m->entry.token = bytes_of("eyes-token");
	m->alarm.key = m->report.key;
	m->alarm.camera = bytes_of("cam-1");
	m->alarm.label = bytes_of("water");
	m->alarm.confidence = 0.9;
	m->entry.body_case = GRIDLOOP__V1__STREAM_ENTRY__BODY_ALARM;
	m->entry.alarm = &m->alarm;
}

static void test_report(void **state)
{
	struct mail m;

	(void)state;
	mail_init(&m);
	assert_true(read_own(&m.entry));
	assert_int_equal(stand.count, 1);
	assert_int_equal(stand.commands[0]->kind, COMMAND_SUBMIT);
	assert_string_equal(stand.commands[0]->actor, "platform");
	assert_string_equal(stand.commands[0]->channel, "redis");
	assert_string_equal(stand.commands[0]->reporter, "platform/rider-7");
	assert_int_equal(stand.commands[0]->reporter_kind, REPORTER_FOOD_RIDER);
	assert_string_equal(stand.commands[0]->description, "rubbish by the gate");
	assert_memory_equal(stand.commands[0]->key.bytes, key_bytes, sizeof key_bytes);
}

static void test_alarm(void **state)
{
	struct mail m;

	(void)state;
	mail_alarm(&m);
	assert_true(read_kind(ENTRY_OWN, 1, &m.entry.base));
	assert_int_equal(stand.count, 1);
	assert_int_equal(stand.commands[0]->kind, COMMAND_ALARM);
	assert_string_equal(stand.commands[0]->channel, "camera");
	assert_string_equal(stand.commands[0]->camera, "cam-1");
}

static void test_an_action_without_key_gets_the_entrys(void **state)
{
	struct mail m;
	struct uuid first;
	uint8_t bytes[512];
	struct entry e;

	(void)state;
	mail_action(&m);
	assert_true(read_own(&m.entry));
	first = stand.commands[0]->key;
	assert_false(uuid_is_zero(&first));
	assert_true(uuid_time_ms(&first) == NOW_MS);
	assert_true(read_own(&m.entry));
	assert_memory_equal(&first, &stand.commands[0]->key, sizeof first);

	e = entry_of(ENTRY_OWN, bytes, protobuf_c_message_pack(&m.entry.base, bytes));
	e.id = "1772413200000-8";
	assert_true(read_entry(&e));
	assert_memory_not_equal(&first, &stand.commands[0]->key, sizeof first);

	m.action.key = m.report.key;
	assert_true(read_own(&m.entry));
	assert_memory_equal(stand.commands[0]->key.bytes, key_bytes, sizeof key_bytes);
}

static void test_tokens(void **state)
{
	struct mail m;

	(void)state;
	mail_init(&m);
	for (int i = 0; i < 3; i++) {
		m.entry.token = bytes_of("platform-token");
		assert_true(read_own(&m.entry));
		m.entry.token = bytes_of("platform-tokem");
		assert_refused(read_own(&m.entry), REFUSAL_BAD_CREDENTIALS, "token-matches");
		m.entry.token = bytes_of("platform-toke");
		assert_refused(read_own(&m.entry), REFUSAL_BAD_CREDENTIALS, "token-matches");
		m.entry.token = bytes_of("");
		assert_refused(read_own(&m.entry), REFUSAL_BAD_CREDENTIALS, "token-matches");
	}
	m.entry.gateway = bytes_of("eyes"); /* the last token that matched is another's */
	m.entry.token = bytes_of("platform-token");
	assert_refused(read_own(&m.entry), REFUSAL_BAD_CREDENTIALS, "token-matches");
	m.entry.gateway = bytes_of("mute");
	assert_refused(read_own(&m.entry), REFUSAL_BAD_CREDENTIALS, "token-matches");
}

static void test_strangers(void **state)
{
	static const char *const strangers[] = { "", "nobody", "worker-01", "platform " };
	struct mail m;

	(void)state;
	mail_init(&m);
	for (size_t i = 0; i < COUNT(strangers); i++) {
		m.entry.gateway = bytes_of(strangers[i]);
		assert_false(read_own(&m.entry));
		assert_int_equal(stand.count, 0);
	}
	m.entry.gateway = bytes_of("worker-01");
	assert_refused(read_own(&m.entry), REFUSAL_BAD_CREDENTIALS, "gateway-is-known");
}

static void test_poison(void **state)
{
	static const char junk[] = "\xff\xff\xff\xff junk";
	static uint8_t large[ENTRY_BYTES_MOST + 1];
	struct entry e = entry_of(ENTRY_OWN, (const uint8_t *)junk, strlen(junk));
	struct mail m;

	(void)state;
	assert_refused(read_entry(&e), REFUSAL_MALFORMED, "entry-is-a-message");
	e.kind = ENTRY_STRANGE;
	assert_refused(read_entry(&e), REFUSAL_MALFORMED, "entry-has-a-field");
	e = entry_of(ENTRY_OWN, large, sizeof large);
	assert_refused(read_entry(&e), REFUSAL_TOO_LARGE, "entry-is-short-enough");
	mail_init(&m);
	m.entry.body_case = GRIDLOOP__V1__STREAM_ENTRY__BODY__NOT_SET;
	assert_refused(read_own(&m.entry), REFUSAL_UNKNOWN_MESSAGE, "entry-has-a-body");
	mail_init(&m);
	m.report.key.len = 15;
	assert_false(read_own(&m.entry));
	mail_init(&m);
	m.report.description = bytes_of("not \xc3( text");
	assert_false(read_own(&m.entry));
	mail_init(&m);
	m.entry.replay_at_ms = NOW_MS + 1000; /* this daemon's clock is the system's */
	assert_refused(read_own(&m.entry), REFUSAL_NOT_ALLOWED, "replay-clock-only");
}

/* ---- DeepStream ---- */

static void test_deepstream(void **state)
{
	Nv__Frame frame = NV__FRAME__INIT;
	Nv__Timestamp at = NV__TIMESTAMP__INIT;
	Nv__Object objects[2] = { NV__OBJECT__INIT, NV__OBJECT__INIT };
	Nv__Object *list[] = { &objects[0], &objects[1] };
	struct uuid first;

	(void)state;
	at.seconds = NOW_MS / 1000;
	objects[0].type = bytes_of("water");
	objects[0].confidence = 0.75F;
	objects[1].type = bytes_of("rubbish bin");
	objects[1].confidence = 0.5F;
	frame.sensor_id = bytes_of("cam-1");
	frame.timestamp = &at;
	frame.objects = list;
	frame.n_objects = COUNT(list);
	assert_true(read_kind(ENTRY_DEEPSTREAM, 1, &frame.base));
	assert_int_equal(stand.count, 2);
	assert_int_equal(stand.commands[0]->kind, COMMAND_ALARM);
	assert_string_equal(stand.commands[0]->actor, "eyes");
	assert_string_equal(stand.commands[0]->channel, "camera");
	assert_string_equal(stand.commands[1]->label, "rubbish bin");
	first = stand.commands[0]->key;
	assert_true(read_kind(ENTRY_DEEPSTREAM, 1, &frame.base));
	assert_memory_equal(&first, &stand.commands[0]->key, sizeof first);

	at.seconds += 49 * 3600; /* the second sighting's refusal takes the first command with it */
	assert_refused(read_kind(ENTRY_DEEPSTREAM, 1, &frame.base), REFUSAL_INVALID, "seen-at-is-a-past-time");
}

static void test_deepstream_only_where_configured(void **state)
{
	Nv__Frame frame = NV__FRAME__INIT;
	struct entry_judge *kept = stand.judge;

	(void)state;
	assert_refused(read_kind(ENTRY_DEEPSTREAM, 0, &frame.base), REFUSAL_NOT_ALLOWED, "deepstream-is-configured");
	stand.judge = entry_judge_new(stand.policy, stand.roster, NULL, 0);
	assert_refused(read_kind(ENTRY_DEEPSTREAM, 1, &frame.base), REFUSAL_NOT_ALLOWED, "deepstream-is-configured");
	entry_judge_free(stand.judge);
	stand.judge = kept;
}

static void test_field_names(void **state)
{
	(void)state;
	assert_int_equal(entry_kind_of_field("entry", 5), ENTRY_OWN);
	assert_int_equal(entry_kind_of_field("metadata", 8), ENTRY_DEEPSTREAM);
	assert_int_equal(entry_kind_of_field("value", 5), ENTRY_DEEPSTREAM);
	assert_int_equal(entry_kind_of_field("entr", 4), ENTRY_STRANGE);
	assert_int_equal(entry_kind_of_field("key", 3), ENTRY_STRANGE);
	assert_int_equal(entry_kind_of_field("", 0), ENTRY_STRANGE);
}

static void test_cut_and_flipped(void **state)
{
	uint8_t bytes[512], *spoilt;
	struct mail m;
	struct entry e;
	size_t length;

	(void)state;
	mail_init(&m);
	length = protobuf_c_message_pack(&m.entry.base, bytes);
	for (size_t at = 0; at < length; at++) {
		spoilt = malloc(length); /* of just that size, so that reading beyond it is caught */
		assert_non_null(spoilt);
		memcpy(spoilt, bytes, length);
		e = entry_of(ENTRY_OWN, spoilt, at);
		assert_false(read_entry(&e) && stand.count != 1);
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(spoilt, bytes, length);
			spoilt[at] ^= (uint8_t)(1U << bit);
			e = entry_of(ENTRY_OWN, spoilt, length);
			if (!read_entry(&e))
				assert_non_null(stand.why.rule);
		}
		free(spoilt);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_report, after_each),
		cmocka_unit_test_teardown(test_alarm, after_each),
		cmocka_unit_test_teardown(test_an_action_without_key_gets_the_entrys, after_each),
		cmocka_unit_test_teardown(test_tokens, after_each),
		cmocka_unit_test_teardown(test_strangers, after_each),
		cmocka_unit_test_teardown(test_poison, after_each),
		cmocka_unit_test_teardown(test_deepstream, after_each),
		cmocka_unit_test_teardown(test_deepstream_only_where_configured, after_each),
		cmocka_unit_test_teardown(test_field_names, after_each),
		cmocka_unit_test_teardown(test_cut_and_flipped, after_each),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
