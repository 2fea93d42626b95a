#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "intake/check.h"
#include "intake/convert.h"
#include "workflow/alarm_span.h"
#include "workflow/case_number.h"
#include "workflow/domain.h"
#include "workflow/place.h"

#define NOW INT64_C(1795000000000) /* November 2026 */

static const struct person resident = { .id = "li-1", .roles = ROLE_REPORTER };
static const struct person gateway = { .id = "riders", .roles = ROLE_GATEWAY };

static struct digester *digester;
static uint8_t key[16] = { 1, 2, 3 };

static int open_digester(void **state)
{
	(void)state;
	digester = digester_new();
	return 0;
}

static int close_digester(void **state)
{
	(void)state;
	digester_free(digester);
	return 0;
}

static ProtobufCBinaryData text(const char *t)
{
	return (ProtobufCBinaryData){ strlen(t), (uint8_t *)(uintptr_t)t };
}

/* Static bytes of one letter. */
static ProtobufCBinaryData long_text(size_t length)
{
	static char bytes[5000];

	memset(bytes, 'x', sizeof bytes);
	return (ProtobufCBinaryData){ length, (uint8_t *)bytes };
}

static struct sender from(const struct person *p)
{
	return (struct sender){ .person = p, .channel = "tcp", .now_ms = NOW, .digester = digester };
}

/* What a good message of each kind holds; the mutations of the tests change one thing. */
static uint8_t digest[EVIDENCE_DIGEST_SIZE] = { 7, 8, 9 };

struct messages {
	Gridloop__V1__Place place;
	Gridloop__V1__Reporter reporter;
	ProtobufCBinaryData photos[12], units[8];
	Gridloop__V1__Evidence evidence, *evidence_list[1];
	Gridloop__V1__Report report;
	Gridloop__V1__Alarm alarm;
	Gridloop__V1__Action action;
	Gridloop__V1__PointsEntry points;
	struct sender from;
};

static void good_report(struct messages *m)
{
	m->report = (Gridloop__V1__Report)GRIDLOOP__V1__REPORT__INIT;
	m->report.key = (ProtobufCBinaryData){ 16, key };
	m->report.category = text("E0110");
	m->report.place = &m->place;
	m->report.address = text("文汇路 12 号");
	m->report.description = text("垃圾\n两天没人管");
	m->report.photos = m->photos;
	m->report.n_photos = 2;
	m->evidence = (Gridloop__V1__Evidence)GRIDLOOP__V1__EVIDENCE__INIT;
	m->evidence.sha256 = (ProtobufCBinaryData){ sizeof digest, digest };
	m->evidence.role = GRIDLOOP__V1__PHOTO_ROLE__NEAR;
	m->evidence_list[0] = &m->evidence;
	m->report.evidence = m->evidence_list;
	m->report.n_evidence = 1;
	m->report.seen_at_ms = NOW - 1000;
}

static void good_action(struct messages *m)
{
	m->action = (Gridloop__V1__Action)GRIDLOOP__V1__ACTION__INIT;
	m->action.case_number = text("E01102026112100042");
	m->action.act = GRIDLOOP__V1__ACT__ACT_DISPATCH;
	m->action.unit = text("sanitation");
	m->action.units = m->units;
	m->action.n_units = 2;
	m->action.photos = m->photos;
	m->action.n_photos = 1;
	m->action.text = text("请尽快");
}

static void good(struct messages *m)
{
	*m = (struct messages){ .place = GRIDLOOP__V1__PLACE__INIT, .reporter = GRIDLOOP__V1__REPORTER__INIT };
	m->place.lat = 34.33;
	m->place.lon = 108.71;
	m->reporter.id = text("rider-7");
	m->reporter.kind = GRIDLOOP__V1__REPORTER_KIND__COURIER;
	for (int i = 0; i < 12; i++)
		m->photos[i] = text("https://p/1");
	for (int i = 0; i < 8; i++)
		m->units[i] = text("parks");
	good_report(m);
	good_action(m);
	m->alarm = (Gridloop__V1__Alarm)GRIDLOOP__V1__ALARM__INIT;
	m->alarm.key = (ProtobufCBinaryData){ 16, key };
	m->alarm.camera = text("cam-1");
	m->alarm.label = text("garbage");
	m->alarm.confidence = 0.9;
	m->alarm.snapshot = text("https://p/2");
	m->points = (Gridloop__V1__PointsEntry)GRIDLOOP__V1__POINTS_ENTRY__INIT;
	m->points.key = (ProtobufCBinaryData){ 16, key };
	m->points.person = text("riders/rider-7");
	m->points.points = 30;
	m->from = from(&resident);
}

enum kind { REPORT, ALARM, ACTION, POINTS };

static struct command *convert(struct messages *m, enum kind kind, struct refusal *why)
{
	switch (kind) {
	case REPORT:
		return convert_report(&m->report, &m->from, why);
	case ALARM:
		return convert_alarm(&m->alarm, &m->from, why);
	case ACTION:
		return convert_action(&m->action, &m->from, why);
	default:
		return convert_points_entry(&m->points, &m->from, why);
	}
}

/* ---- each check: one change, one rule ---- */

struct bad_row {
	enum kind kind;
	void (*spoil)(struct messages *m);
	enum refusal_code code;
	const char *rule;
};

#define SPOIL(name, change)                                                                                            \
	static void name(struct messages *m)                                                                           \
	{                                                                                                              \
		change;                                                                                                \
	}

SPOIL(short_key, m->report.key.len = 15)
SPOIL(long_key, m->report.key = long_text(17))
SPOIL(no_key, m->report.key.len = 0)
SPOIL(zero_key, static uint8_t zero[16]; m->report.key.data = zero)
SPOIL(no_category, m->report.category.len = 0)
SPOIL(odd_category, m->report.category = text("X0110"))
SPOIL(class_as_category, m->report.category = text("E01"))
SPOIL(category_with_nul, m->report.category = ((ProtobufCBinaryData){ 5, (uint8_t *)"E01\0"
                                                                                    "0" }))
SPOIL(broken_address, m->report.address = text("\xff\xfe"))
SPOIL(address_in_lines, m->report.address = text("a\nb"))
SPOIL(long_address, m->report.address = long_text(COMMAND_ADDRESS_MOST + 1))
SPOIL(overlong_utf8, m->report.description = text("\xc0\xaf"))
SPOIL(surrogate, m->report.description = text("\xed\xa0\x80"))
SPOIL(nul_inside, m->report.description = ((ProtobufCBinaryData){ 3, (uint8_t *)"a\0b" }))
SPOIL(control_inside, m->report.description = text("a\x1b[2J"))
SPOIL(long_description, m->report.description = long_text(COMMAND_DESCRIPTION_MOST + 1))
SPOIL(broken_beneficiary, m->report.beneficiary = text("\x80"))
SPOIL(long_programme, m->report.programme = long_text(COMMAND_ID_MOST + 1))
SPOIL(lat_too_big, m->place.lat = 90.001)
SPOIL(lon_too_small, m->place.lon = -180.5)
SPOIL(lat_nan, m->place.lat = NAN)
SPOIL(lon_infinite, m->place.lon = INFINITY)
SPOIL(odd_datum, m->place.datum = (Gridloop__V1__Datum)7)
SPOIL(nine_photos, m->report.n_photos = 9)
SPOIL(photo_with_space, m->photos[1] = text("a b"))
SPOIL(photo_of_no_digest, m->photos[1] = text("sha256:abc"))
SPOIL(short_evidence, m->evidence.sha256.len = 31)
SPOIL(odd_photo_role, m->evidence.role = (Gridloop__V1__PhotoRole)5)
SPOIL(nine_with_evidence, m->report.n_photos = 8)
SPOIL(empty_photo, m->photos[0].len = 0)
SPOIL(long_photo, m->photos[0] = long_text(COMMAND_PHOTO_MOST + 1))
SPOIL(seen_too_late, m->report.seen_at_ms = NOW + CHECK_FUTURE_MOST_MS + 1)
SPOIL(seen_long_ago, m->report.seen_at_ms = CHECK_EARLIEST_MS - 1)
SPOIL(seen_at_the_end, m->report.seen_at_ms = INT64_MAX)
SPOIL(seen_at_the_start, m->report.seen_at_ms = INT64_MIN)
SPOIL(names_another, m->report.reporter = &m->reporter)
SPOIL(reporter_with_slash, m->from = from(&gateway); m->report.reporter = &m->reporter; m->reporter.id = text("a/b"))
SPOIL(reporter_with_space, m->from = from(&gateway); m->report.reporter = &m->reporter; m->reporter.id = text("a b"))
SPOIL(odd_reporter_kind, m->from = from(&gateway); m->report.reporter = &m->reporter;
      m->reporter.kind = (Gridloop__V1__ReporterKind)99)
SPOIL(replay_on_system_clock, m->from.replay_at_ms = NOW)
SPOIL(replay_too_far, m->from.replay_clock = 1; m->from.replay_at_ms = CHECK_LATEST_MS + 1)

SPOIL(no_camera, m->alarm.camera.len = 0)
SPOIL(no_label, m->alarm.label.len = 0)
SPOIL(broken_label, m->alarm.label = text("\xe6\x96"))
SPOIL(sure_beyond_one, m->alarm.confidence = 1.01)
SPOIL(not_a_confidence, m->alarm.confidence = NAN)
SPOIL(odd_snapshot, m->alarm.snapshot = text("a b"))
SPOIL(alarm_from_tomorrow, m->alarm.seen_at_ms = NOW + CHECK_FUTURE_MOST_MS + 1)
SPOIL(alarm_begun_tomorrow, m->alarm.began_at_ms = NOW + CHECK_FUTURE_MOST_MS + 1)
SPOIL(alarm_of_too_many_posts, m->alarm.posts = ALARM_COUNT_MOST + 1)
SPOIL(broken_channel, m->alarm.channel = text("\xe6\x96"))
SPOIL(alarm_without_key, m->alarm.key.len = 0)

SPOIL(no_number, m->action.case_number.len = 0)
SPOIL(odd_number, m->action.case_number = text("E0110-2026"))
SPOIL(action_key_short, m->action.key = ((ProtobufCBinaryData){ 3, key }))
SPOIL(act_unset, m->action.act = GRIDLOOP__V1__ACT__ACT_UNSET)
SPOIL(act_of_the_daemon, m->action.act = GRIDLOOP__V1__ACT__ACT_ESCALATE)
SPOIL(act_submit, m->action.act = GRIDLOOP__V1__ACT__ACT_SUBMIT)
SPOIL(act_unknown, m->action.act = (Gridloop__V1__Act)39)
SPOIL(act_negative, m->action.act = (Gridloop__V1__Act)-1)
SPOIL(odd_finding, m->action.finding = (Gridloop__V1__Finding)4)
SPOIL(rating_unanswered, m->action.rating = GRIDLOOP__V1__RATING__UNANSWERED)
SPOIL(five_units, m->action.n_units = 5)
SPOIL(odd_unit, m->units[1] = text("a unit"))
SPOIL(empty_unit, m->units[0].len = 0)
SPOIL(odd_reason, m->action.reason = text("because of this"))
SPOIL(long_action_text, m->action.text = long_text(COMMAND_TEXT_MOST + 1))
SPOIL(odd_grid, m->action.grid = text("12"))
SPOIL(odd_master, m->action.master = text("42"))
SPOIL(until_long_ago, m->action.until_ms = 1)
SPOIL(until_for_ever, m->action.until_ms = INT64_MAX)
SPOIL(extend_backwards, m->action.extend_ms = -1)
SPOIL(act_for_another, m->action.reporter = &m->reporter)

SPOIL(nobody, m->points.person.len = 0)
SPOIL(redeem_nothing, m->points.points = 0)
SPOIL(redeem_backwards, m->points.points = -5)
SPOIL(redeem_too_much, m->points.points = INT64_MAX)
SPOIL(correct_too_much, m->points.correction = 1; m->points.points = INT64_MIN)

static const struct bad_row bad_rows[] = {
	{ REPORT, short_key, REFUSAL_INVALID, "key-is-16-bytes" },
	{ REPORT, long_key, REFUSAL_INVALID, "key-is-16-bytes" },
	{ REPORT, no_key, REFUSAL_INVALID, "key-is-16-bytes" },
	{ REPORT, zero_key, REFUSAL_INVALID, "key-is-16-bytes" },
	{ REPORT, no_category, REFUSAL_INVALID, "category-is-a-code" },
	{ REPORT, odd_category, REFUSAL_INVALID, "category-is-a-code" },
	{ REPORT, class_as_category, REFUSAL_INVALID, "category-is-a-code" },
	{ REPORT, category_with_nul, REFUSAL_INVALID, "category-is-a-code" },
	{ REPORT, broken_address, REFUSAL_INVALID, "address-is-utf8" },
	{ REPORT, address_in_lines, REFUSAL_INVALID, "address-is-utf8" },
	{ REPORT, long_address, REFUSAL_TOO_LARGE, "address-is-short-enough" },
	{ REPORT, overlong_utf8, REFUSAL_INVALID, "description-is-utf8" },
	{ REPORT, surrogate, REFUSAL_INVALID, "description-is-utf8" },
	{ REPORT, nul_inside, REFUSAL_INVALID, "description-is-utf8" },
	{ REPORT, control_inside, REFUSAL_INVALID, "description-is-utf8" },
	{ REPORT, long_description, REFUSAL_TOO_LARGE, "description-is-short-enough" },
	{ REPORT, broken_beneficiary, REFUSAL_INVALID, "beneficiary-is-utf8" },
	{ REPORT, long_programme, REFUSAL_TOO_LARGE, "programme-is-short-enough" },
	{ REPORT, lat_too_big, REFUSAL_INVALID, "place-is-on-earth" },
	{ REPORT, lon_too_small, REFUSAL_INVALID, "place-is-on-earth" },
	{ REPORT, lat_nan, REFUSAL_INVALID, "place-is-on-earth" },
	{ REPORT, lon_infinite, REFUSAL_INVALID, "place-is-on-earth" },
	{ REPORT, odd_datum, REFUSAL_INVALID, "datum-is-known" },
	{ REPORT, nine_photos, REFUSAL_TOO_LARGE, "photos-are-at-most-8" },
	{ REPORT, photo_with_space, REFUSAL_INVALID, "photo-is-a-reference" },
	{ REPORT, photo_of_no_digest, REFUSAL_INVALID, "evidence-is-a-digest" },
	{ REPORT, short_evidence, REFUSAL_INVALID, "evidence-is-a-digest" },
	{ REPORT, odd_photo_role, REFUSAL_INVALID, "photo-role-is-known" },
	{ REPORT, nine_with_evidence, REFUSAL_TOO_LARGE, "photos-are-at-most-8" },
	{ REPORT, empty_photo, REFUSAL_INVALID, "photo-is-a-reference" },
	{ REPORT, long_photo, REFUSAL_TOO_LARGE, "photos-is-short-enough" },
	{ REPORT, seen_too_late, REFUSAL_INVALID, "seen-at-is-a-past-time" },
	{ REPORT, seen_long_ago, REFUSAL_INVALID, "seen-at-is-a-past-time" },
	{ REPORT, seen_at_the_end, REFUSAL_INVALID, "seen-at-is-a-past-time" },
	{ REPORT, seen_at_the_start, REFUSAL_INVALID, "seen-at-is-a-past-time" },
	{ REPORT, names_another, REFUSAL_NOT_ALLOWED, "only-a-gateway-names-a-reporter" },
	{ REPORT, reporter_with_slash, REFUSAL_INVALID, "reporter-is-an-id" },
	{ REPORT, reporter_with_space, REFUSAL_INVALID, "reporter-is-an-id" },
	{ REPORT, odd_reporter_kind, REFUSAL_INVALID, "reporter-kind-is-known" },
	{ REPORT, replay_on_system_clock, REFUSAL_NOT_ALLOWED, "replay-clock-only" },
	{ REPORT, replay_too_far, REFUSAL_INVALID, "replay-at-is-a-time" },
	{ ALARM, no_camera, REFUSAL_INVALID, "alarm-names-camera-and-label" },
	{ ALARM, alarm_begun_tomorrow, REFUSAL_INVALID, "began-at-is-a-past-time" },
	{ ALARM, alarm_of_too_many_posts, REFUSAL_INVALID, "posts-are-a-count" },
	{ ALARM, broken_channel, REFUSAL_INVALID, "channel-is-utf8" },
	{ ALARM, no_label, REFUSAL_INVALID, "alarm-names-camera-and-label" },
	{ ALARM, broken_label, REFUSAL_INVALID, "label-is-utf8" },
	{ ALARM, sure_beyond_one, REFUSAL_INVALID, "confidence-is-0-to-1" },
	{ ALARM, not_a_confidence, REFUSAL_INVALID, "confidence-is-0-to-1" },
	{ ALARM, odd_snapshot, REFUSAL_INVALID, "photo-is-a-reference" },
	{ ALARM, alarm_from_tomorrow, REFUSAL_INVALID, "seen-at-is-a-past-time" },
	{ ALARM, alarm_without_key, REFUSAL_INVALID, "key-is-16-bytes" },
	{ ACTION, no_number, REFUSAL_INVALID, "case-number-is-one" },
	{ ACTION, odd_number, REFUSAL_INVALID, "case-number-is-one" },
	{ ACTION, action_key_short, REFUSAL_INVALID, "key-is-16-bytes" },
	{ ACTION, act_unset, REFUSAL_INVALID, "act-is-for-clients" },
	{ ACTION, act_of_the_daemon, REFUSAL_INVALID, "act-is-for-clients" },
	{ ACTION, act_submit, REFUSAL_INVALID, "act-is-for-clients" },
	{ ACTION, act_unknown, REFUSAL_INVALID, "act-is-for-clients" },
	{ ACTION, act_negative, REFUSAL_INVALID, "act-is-for-clients" },
	{ ACTION, odd_finding, REFUSAL_INVALID, "finding-is-known" },
	{ ACTION, rating_unanswered, REFUSAL_INVALID, "rating-is-known" },
	{ ACTION, five_units, REFUSAL_TOO_LARGE, "units-are-at-most-4" },
	{ ACTION, odd_unit, REFUSAL_INVALID, "units-is-an-id" },
	{ ACTION, empty_unit, REFUSAL_INVALID, "units-is-an-id" },
	{ ACTION, odd_reason, REFUSAL_INVALID, "reason-is-an-id" },
	{ ACTION, long_action_text, REFUSAL_TOO_LARGE, "text-is-short-enough" },
	{ ACTION, odd_grid, REFUSAL_INVALID, "area-is-a-code" },
	{ ACTION, odd_master, REFUSAL_INVALID, "case-number-is-one" },
	{ ACTION, until_long_ago, REFUSAL_INVALID, "until-is-a-time" },
	{ ACTION, until_for_ever, REFUSAL_INVALID, "until-is-a-time" },
	{ ACTION, extend_backwards, REFUSAL_INVALID, "extend-is-a-span" },
	{ ACTION, act_for_another, REFUSAL_NOT_ALLOWED, "only-a-gateway-names-a-reporter" },
	{ POINTS, nobody, REFUSAL_INVALID, "points-entry-is-whole" },
	{ POINTS, redeem_nothing, REFUSAL_INVALID, "points-are-a-number" },
	{ POINTS, redeem_backwards, REFUSAL_INVALID, "points-are-a-number" },
	{ POINTS, redeem_too_much, REFUSAL_INVALID, "points-are-a-number" },
	{ POINTS, correct_too_much, REFUSAL_INVALID, "points-are-a-number" },
};

static void each_bad_field_is_refused_by_its_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_rows / sizeof *bad_rows; i++) {
		struct messages m;
		struct refusal why = { 0 };

		good(&m);
		bad_rows[i].spoil(&m);
		if (convert(&m, bad_rows[i].kind, &why))
			fail_msg("not refused by %s", bad_rows[i].rule);
		assert_string_equal(why.rule, bad_rows[i].rule);
		assert_int_equal(why.code, bad_rows[i].code);
		assert_true(strlen(why.sentence) > 10);
	}
}

/* ---- what good messages become ---- */

static void a_report_becomes_a_submit(void **state)
{
	struct messages m;
	struct refusal why;

	(void)state;
	good(&m);
	struct command *c = convert(&m, REPORT, &why);

	assert_non_null(c);
	assert_int_equal(c->kind, COMMAND_SUBMIT);
	assert_string_equal(c->actor, "li-1");
	assert_string_equal(c->channel, "tcp");
	assert_memory_equal(c->key.bytes, key, 16);
	assert_int_equal(c->category, 10110);
	assert_int_equal(c->lat_e7, 343300000);
	assert_int_equal(c->lon_e7, 1087100000);
	assert_string_equal(c->description, "垃圾\n两天没人管");
	assert_string_equal(c->reporter, "li-1");
	assert_false(c->anonymous);
	assert_string_equal(c->photos, "https://p/1 https://p/1");
	assert_int_equal(c->photo_count, 2);
	assert_int_equal(c->evidence_count, 1);
	assert_memory_equal(c->evidence[0].sha256, digest, sizeof digest);
	assert_int_equal(c->evidence[0].role, PHOTO_NEAR);
	assert_null(c->beneficiary);
	command_free(c);
}

struct reporter_row {
	const struct person *person;
	const char *id; /* NULL: no reporter given */
	_Bool anonymous;
	const char *account; /* NULL: anonymous */
};

static void the_account_is_whose_report_it_is(void **state)
{
	static const struct reporter_row rows[] = {
		{ &resident, NULL, 0, "li-1" },
		{ &resident, NULL, 1, NULL },
		{ &gateway, "rider-7", 0, "riders/rider-7" },
		{ &gateway, "rider-7", 1, NULL },
		{ &gateway, "", 0, NULL },
		{ &gateway, NULL, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct messages m;
		struct refusal why;

		good(&m);
		m.from = from(rows[i].person);
		m.report.anonymous = rows[i].anonymous;
		m.report.reporter = rows[i].id ? &m.reporter : NULL;
		m.reporter.id = text(rows[i].id ? rows[i].id : "");
		struct command *c = convert(&m, REPORT, &why);

		assert_non_null(c);
		assert_int_equal(c->anonymous, rows[i].account == NULL);
		if (rows[i].account)
			assert_string_equal(c->reporter, rows[i].account);
		else
			assert_null(c->reporter);
		assert_string_equal(c->actor, rows[i].person->id);
		command_free(c);
	}
}

static void no_place_and_nowhere_mean_to_be_located(void **state)
{
	int32_t lat, lon;
	struct refusal why;
	Gridloop__V1__Place nowhere = GRIDLOOP__V1__PLACE__INIT;

	(void)state;
	assert_true(check_place(NULL, &lat, &lon, &why));
	assert_int_equal(lat, PLACE_NONE);
	assert_true(check_place(&nowhere, &lat, &lon, &why));
	assert_int_equal(lat, PLACE_NONE);
	assert_int_equal(lon, PLACE_NONE);
}

static void gcj02_becomes_wgs84(void **state)
{
	int32_t lat, lon;
	struct refusal why;
	Gridloop__V1__Place place = GRIDLOOP__V1__PLACE__INIT;

	(void)state;
	place.lat = 34.33;
	place.lon = 108.71;
	place.datum = GRIDLOOP__V1__DATUM__GCJ02;
	assert_true(check_place(&place, &lat, &lon, &why));
	double moved = place_metres(343300000, 1087100000, lat, lon);

	assert_true(moved > 100 && moved < 1000);
}

static void an_action_keeps_its_parts(void **state)
{
	struct messages m;
	struct refusal why;

	(void)state;
	good(&m);
	m.action.grid = text("610404004013001");
	m.action.category = text("C0203");
	struct command *c = convert(&m, ACTION, &why);

	assert_non_null(c);
	assert_int_equal(c->act, ACT_DISPATCH);
	assert_true(c->case_id == case_number_id("E01102026112100042"));
	assert_string_equal(c->unit, "sanitation");
	assert_int_equal(c->unit_count, 2);
	assert_string_equal(c->units[1], "parks");
	assert_true(c->grid == INT64_C(610404004013001));
	assert_int_equal(c->category, 20203);
	assert_true(uuid_is_zero(&c->key));
	assert_null(c->reporter);
	command_free(c);
}

static void a_gateway_acts_for_its_reporter(void **state)
{
	struct messages m;
	struct refusal why;

	(void)state;
	good(&m);
	m.from = from(&gateway);
	m.action.reporter = &m.reporter;
	struct command *c = convert(&m, ACTION, &why);

	assert_non_null(c);
	assert_string_equal(c->reporter, "riders/rider-7");
	command_free(c);
}

/* The largest allowed texts fit their block; the sanitizers watch. */
static void the_largest_fields_fit(void **state)
{
	struct messages m;
	struct refusal why;

	(void)state;
	good(&m);
	m.from = from(&gateway);
	m.report.reporter = &m.reporter;
	m.reporter.id = long_text(COMMAND_ID_MOST);
	m.report.address = long_text(COMMAND_ADDRESS_MOST);
	m.report.description = long_text(COMMAND_DESCRIPTION_MOST);
	m.report.beneficiary = m.report.programme = long_text(COMMAND_ID_MOST);
	m.report.n_photos = COMMAND_PHOTOS_MOST;
	m.report.n_evidence = 0;
	for (int i = 0; i < COMMAND_PHOTOS_MOST; i++)
		m.photos[i] = long_text(COMMAND_PHOTO_MOST);
	struct command *c = convert(&m, REPORT, &why);

	assert_non_null(c);
	assert_int_equal(strlen(c->photos), COMMAND_PHOTOS_MOST * (COMMAND_PHOTO_MOST + 1) - 1);
	assert_int_equal(strlen(c->description), COMMAND_DESCRIPTION_MOST);
	command_free(c);
}

static void a_digest_among_the_photos_is_evidence(void **state)
{
	static const char ref[] = "sha256:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
	struct messages m;
	struct refusal why;

	(void)state;
	good(&m);
	m.photos[0] = text(ref);
	struct command *c = convert(&m, REPORT, &why);

	assert_non_null(c);
	assert_string_equal(c->photos, "https://p/1");
	assert_int_equal(c->evidence_count, 2);
	assert_int_equal(c->evidence[1].sha256[31], 31);
	assert_int_equal(c->evidence[1].role, PHOTO_UNSET);
	command_free(c);
}

static void the_hash_tells_contents_apart(void **state)
{
	struct messages m;
	struct refusal why;

	(void)state;
	good(&m);
	struct command *one = convert(&m, REPORT, &why), *same = convert(&m, REPORT, &why);

	m.report.description = text("something else");
	struct command *other = convert(&m, REPORT, &why);

	assert_memory_equal(one->hash, same->hash, sizeof one->hash);
	assert_memory_not_equal(one->hash, other->hash, sizeof one->hash);
	command_free(one);
	command_free(same);
	command_free(other);
}

static void points_notices_and_clock(void **state)
{
	struct messages m;
	struct refusal why;
	Gridloop__V1__NoticesSeen seen = GRIDLOOP__V1__NOTICES_SEEN__INIT;
	Gridloop__V1__AdvanceClock clock = GRIDLOOP__V1__ADVANCE_CLOCK__INIT;

	(void)state;
	good(&m);
	struct command *c = convert(&m, POINTS, &why);

	assert_int_equal(c->kind, COMMAND_REDEEM);
	assert_int_equal(c->value, 30);
	assert_string_equal(c->person, "riders/rider-7");
	command_free(c);
	m.points.correction = 1;
	m.points.points = -30;
	c = convert(&m, POINTS, &why);
	assert_int_equal(c->kind, COMMAND_CORRECT);
	assert_int_equal(c->value, -30);
	command_free(c);
	seen.up_to = 9;
	c = convert_seen(&seen, &m.from, &why);
	assert_int_equal(c->kind, COMMAND_SEEN);
	assert_string_equal(c->person, "li-1");
	command_free(c);
	assert_null(convert_clock(&clock, &m.from, &why));
	assert_string_equal(why.rule, "to-is-a-time");
	clock.settle = 1;
	c = convert_clock(&clock, &m.from, &why);
	assert_true(c->settle);
	command_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_bad_field_is_refused_by_its_rule),
		cmocka_unit_test(a_report_becomes_a_submit),
		cmocka_unit_test(the_account_is_whose_report_it_is),
		cmocka_unit_test(no_place_and_nowhere_mean_to_be_located),
		cmocka_unit_test(gcj02_becomes_wgs84),
		cmocka_unit_test(an_action_keeps_its_parts),
		cmocka_unit_test(a_gateway_acts_for_its_reporter),
		cmocka_unit_test(the_largest_fields_fit),
		cmocka_unit_test(a_digest_among_the_photos_is_evidence),
		cmocka_unit_test(the_hash_tells_contents_apart),
		cmocka_unit_test(points_notices_and_clock),
	};

	return cmocka_run_group_tests(tests, open_digester, close_digester);
}
