/* A command: its block of memory, and what makes two the same request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "workflow/command_pool.h"
#include "workflow/place.h"

static struct digester *digester;

static int make_digester(void **state)
{
	(void)state;
	digester = digester_new();
	return 0;
}

static int drop_digester(void **state)
{
	(void)state;
	digester_free(digester);
	return 0;
}

static void seal(struct command c, uint8_t hash[16])
{
	command_seal(&c, digester);
	memcpy(hash, c.hash, 16);
}

static struct evidence_ref photos[] = { { .sha256 = { 1 }, .role = PHOTO_NEAR }, { .sha256 = { 2 } } };
static struct evidence_ref other_photos[] = { { .sha256 = { 1 }, .role = PHOTO_NEAR }, { .sha256 = { 3 } } };
static struct evidence_ref other_roles[] = { { .sha256 = { 1 }, .role = PHOTO_FAR }, { .sha256 = { 2 } } };
static struct evidence_ref found_photos[] = { { .sha256 = { 1 }, .role = PHOTO_NEAR, .is_here = 1 },
	                                      { .sha256 = { 2 }, .is_here = 1 } };

static const struct command report = {
	.kind = COMMAND_SUBMIT,
	.actor = "rider-platform",
	.channel = "tcp",
	.category = 10110,
	.lat_e7 = 343350000,
	.lon_e7 = 1086915000,
	.address = "楼下",
	.description = "垃圾",
	.beneficiary = "王奶奶",
	.programme = "p1",
	.reporter = "rider-platform/7",
	.reporter_kind = REPORTER_FOOD_RIDER,
	.seen_at_ms = 1000,
	.photos = "a b",
	.evidence = photos,
	.evidence_count = 2,
	.photo_count = 2,
};

static const struct command act = {
	.kind = COMMAND_ACT,
	.actor = "acceptor-01",
	.channel = "tcp",
	.lat_e7 = PLACE_NONE,
	.lon_e7 = PLACE_NONE,
	.case_id = 99,
	.act = ACT_DISPATCH,
	.reason = "r",
	.text = "t",
	.unit = "police",
	.units = { "a", "b" },
	.unit_count = 2,
	.grid = 5,
	.master = 6,
	.until_ms = 7,
	.extend_ms = 8,
	.finding = FINDING_EXISTS,
	.rating = RATING_FAIRLY,
	.person = "rider-07",
	.value = 9,
};

static _Bool same(const struct command *a, const struct command *b)
{
	uint8_t one[16], other[16];

	seal(*a, one);
	seal(*b, other);
	return memcmp(one, other, 16) == 0;
}

#define CHANGED(base, change)                                                                                          \
	do {                                                                                                           \
		struct command c = base;                                                                               \
		c.change;                                                                                              \
		if (same(&c, &base))                                                                                   \
			fail_msg("the hash does not know of: " #change);                                               \
	} while (0)
#define KEPT(base, change)                                                                                             \
	do {                                                                                                           \
		struct command c = base;                                                                               \
		c.change;                                                                                              \
		if (!same(&c, &base))                                                                                  \
			fail_msg("the hash should not know of: " #change);                                             \
	} while (0)

static void test_what_a_report_says(void **state)
{
	(void)state;
	CHANGED(report, kind = COMMAND_ALARM);
	CHANGED(report, category = 10136);
	CHANGED(report, lat_e7 += 1);
	CHANGED(report, lon_e7 += 1);
	CHANGED(report, address = "楼上");
	CHANGED(report, address = NULL);
	CHANGED(report, description = "垃 圾");
	CHANGED(report, beneficiary = "李爷爷");
	CHANGED(report, programme = NULL);
	CHANGED(report, reporter = "rider-platform/8");
	CHANGED(report, reporter_kind = REPORTER_COURIER);
	CHANGED(report, anonymous = 1);
	CHANGED(report, seen_at_ms = 1001);
	CHANGED(report, photos = "a c");
	CHANGED(report, evidence_count = 1);
	CHANGED(report, evidence = other_photos);
	CHANGED(report, evidence = other_roles);
	KEPT(report, evidence = found_photos);
	CHANGED(report, camera = "k");
	CHANGED(report, label = "l");
	CHANGED(report, alarm_event = "e");
	CHANGED(report, alarm_channel = "1");
	CHANGED(report, began_at_ms = 1);
	CHANGED(report, posts = 1);
	CHANGED(report, confidence = 0.5);
	CHANGED(report, ended = 1);
}

/* A text does not slip from one field into its neighbour. */
static void test_fields_do_not_run_together(void **state)
{
	(void)state;
	struct command a = report, b = report;

	a.address = "ab";
	a.description = "c";
	b.address = "a";
	b.description = "bc";
	assert_false(same(&a, &b));
	a = act;
	b = act;
	a.units[0] = "ab";
	a.units[1] = "c";
	b.units[0] = "a";
	b.units[1] = "bc";
	assert_false(same(&a, &b));
}

static void test_what_an_action_says(void **state)
{
	(void)state;
	CHANGED(act, case_id = 100);
	CHANGED(act, act = ACT_FILE);
	CHANGED(act, reason = NULL);
	CHANGED(act, text = "u");
	CHANGED(act, unit = "street");
	CHANGED(act, units[1] = "c");
	CHANGED(act, unit_count = 1);
	CHANGED(act, grid = 6);
	CHANGED(act, master = 7);
	CHANGED(act, until_ms = 8);
	CHANGED(act, extend_ms = 9);
	CHANGED(act, finding = FINDING_NOT_THERE);
	CHANGED(act, rating = RATING_SATISFIED);
	CHANGED(act, person = "rider-08");
	CHANGED(act, value = 10);
	CHANGED(act, actor = "acceptor-02");
}

/* The same request may come again by another door, another connection, another hour; a report even by another gateway. */
static void test_what_does_not_matter(void **state)
{
	(void)state;
	KEPT(report, channel = "redis");
	KEPT(report, replay_at_ms = 5);
	KEPT(report, actor = "other-gateway");
	KEPT(report, origin.session = 9);
	KEPT(report, outcome.case_id = 9);
	KEPT(report, key.bytes[3] = 9);
	KEPT(act, channel = "redis");
	KEPT(act, replay_at_ms = 5);
}

/* Without a reporter the key is bound to who sent it. */
static void test_anonymous_is_bound_to_the_sender(void **state)
{
	(void)state;
	struct command a = report, b = report;

	a.reporter = b.reporter = NULL;
	b.actor = "someone-else";
	assert_false(same(&a, &b));
}

static void test_texts_are_copies_with_an_end(void **state)
{
	(void)state;
	struct command *c = command_new(COMMAND_SUBMIT, 11);
	char bytes[] = { 'a', 'b', 'c', 'd' };
	const char *one = command_text(c, bytes, 3), *other = command_text(c, bytes + 1, 3);

	bytes[0] = bytes[1] = 'x';
	assert_string_equal(one, "abc");
	assert_string_equal(other, "bcd");
	assert_null(command_text(c, bytes, 0));
	assert_null(command_text(c, NULL, 0));
	assert_string_equal(command_text(c, bytes, 2), "xx");
	assert_int_equal(c->arena_used, 11);
	assert_int_equal(c->kind, COMMAND_SUBMIT);
	assert_int_equal(c->lat_e7, PLACE_NONE);
	assert_int_equal(c->lon_e7, PLACE_NONE);
	assert_false(c->outcome.accepted);
	command_free(c);
	command_free(NULL);
}

/* ---- the pool ---- */

static void looks_new(const struct command *c, enum command_kind kind)
{
	assert_int_equal(c->kind, kind);
	assert_int_equal(c->lat_e7, PLACE_NONE);
	assert_null(c->actor);
	assert_null(c->changes);
	assert_false(c->outcome.accepted);
	assert_int_equal(c->arena_used, 0);
}

static void test_what_comes_back_is_taken_as_new(void **state)
{
	(void)state;
	struct command_pool *pool = command_pool_new();
	struct command *used[COMMAND_POOL_MOST + 2];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < COMMAND_POOL_MOST + 2; i++) {
			used[i] = command_take(pool, COMMAND_ACT, 10);
			looks_new(used[i], COMMAND_ACT);
			used[i]->actor = command_text(used[i], "somebody", 8);
			used[i]->lat_e7 = 1;
			used[i]->outcome.accepted = 1;
			used[i]->changes = calloc(1, sizeof *used[i]->changes);
		}
		for (int i = 0; i < COMMAND_POOL_MOST + 2; i++)
			command_free(used[i]);
	}
	command_pool_free(pool);
	command_pool_free(NULL);
}

static void test_long_texts_have_room_with_a_pool_too(void **state)
{
	(void)state;
	static const char text[COMMAND_POOL_ARENA] = { 'a' };
	struct command_pool *pool = command_pool_new();
	struct command *at_most = command_take(pool, COMMAND_SUBMIT, COMMAND_POOL_ARENA);
	struct command *beyond = command_take(pool, COMMAND_SUBMIT, COMMAND_POOL_ARENA + 1);
	struct command *without = command_take(NULL, COMMAND_SUBMIT, 5);

	assert_non_null(command_text(at_most, text, COMMAND_POOL_ARENA - 1));
	assert_non_null(command_text(beyond, text, COMMAND_POOL_ARENA));
	assert_string_equal(command_text(without, "1234", 4), "1234");
	command_free(at_most);
	command_free(beyond);
	command_free(without);
	command_pool_free(pool);
}

static void test_a_command_may_outlive_its_pool(void **state)
{
	(void)state;
	struct command_pool *pool = command_pool_new();
	struct command *c = command_take(pool, COMMAND_SUBMIT, 5);

	command_pool_free(pool);
	assert_string_equal(command_text(c, "1234", 4), "1234");
	command_discard(c);
	command_discard(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_report_says),
		cmocka_unit_test(test_fields_do_not_run_together),
		cmocka_unit_test(test_what_an_action_says),
		cmocka_unit_test(test_what_does_not_matter),
		cmocka_unit_test(test_anonymous_is_bound_to_the_sender),
		cmocka_unit_test(test_texts_are_copies_with_an_end),
		cmocka_unit_test(test_what_comes_back_is_taken_as_new),
		cmocka_unit_test(test_long_texts_have_room_with_a_pool_too),
		cmocka_unit_test(test_a_command_may_outlive_its_pool),
	};

	return cmocka_run_group_tests(tests, make_digester, drop_digester);
}
