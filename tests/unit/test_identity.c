/* Who may give out, renew and revoke credentials, and what the roster makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "desk_kit.h"

#define ADMIN "administrator-01"
#define WORKER "worker-01"
#define DAY_MS INT64_C(86400000)

static int start(void **state)
{
	struct desk *d = calloc(1, sizeof *d);

	assert_non_null(d);
	desk_open(d);
	*state = d;
	return 0;
}

static int end(void **state)
{
	desk_close(*state);
	free(*state);
	return 0;
}

static size_t live_of(const struct desk *d, const char *person)
{
	const struct credential *live[CREDENTIALS_A_PERSON_MOST];

	return roster_of(casebook_roster(d->book), person, d->now_ms, live);
}

static void refused_by(const struct desk *d, const char *rule)
{
	assert_false(d->outcome.accepted);
	assert_string_equal(d->outcome.refusal.rule, rule);
}

static struct command token_of(const char *person, const char *actor)
{
	return (struct command){ .kind = COMMAND_ISSUE,
		                 .actor = actor,
		                 .person = person,
		                 .label = "phone",
		                 .credential_kind = CREDENTIAL_TOKEN };
}

/* Its id. */
static int64_t issue(struct desk *d, const char *person, int64_t expires_ms)
{
	struct command c = token_of(person, ADMIN);

	c.until_ms = expires_ms;
	assert_true(desk_do(d, c));
	return d->outcome.made;
}

static struct command revoking(const char *actor, int64_t id, const char *person)
{
	return (struct command){
		.kind = COMMAND_REVOKE, .actor = actor, .value = id, .person = person, .text = "lost"
	};
}

static void one_is_made_and_revoked(void **state)
{
	struct desk *d = *state;
	int64_t id = issue(d, WORKER, 0);

	assert_int_equal(live_of(d, WORKER), 1);
	assert_int_equal(roster_find(casebook_roster(d->book), id)->kind, CREDENTIAL_TOKEN);
	assert_true(desk_do(d, revoking(ADMIN, id, NULL)));
	assert_int_equal(live_of(d, WORKER), 0);
	assert_null(roster_find(casebook_roster(d->book), id));
	assert_false(desk_do(d, revoking(ADMIN, id, NULL)));
	refused_by(d, "credential-is-live");
	assert_true(issue(d, WORKER, 0) > id);
}

static void only_administrators_give(void **state)
{
	struct desk *d = *state;

	assert_false(desk_do(d, token_of(WORKER, "operator-01")));
	refused_by(d, "administrators-give-credentials");
	assert_false(desk_do(d, token_of(WORKER, WORKER)));
	refused_by(d, "administrators-give-credentials");
	assert_false(desk_do(d, token_of("nobody-99", ADMIN)));
	refused_by(d, "person-is-known");
}

static void the_first_is_made_once(void **state)
{
	struct desk *d = *state;
	struct command c = token_of(WORKER, WORKER);

	c.on_the_machine = 1;
	assert_false(desk_do(d, c));
	refused_by(d, "first-one-is-an-administrator");
	c = token_of(ADMIN, ADMIN);
	c.on_the_machine = 1;
	assert_true(desk_do(d, c));
	assert_false(desk_do(d, c));
	refused_by(d, "first-administrator-is-made-once");
	assert_false(desk_do(d, revoking(ADMIN, 0, ADMIN)));
	refused_by(d, "an-administrator-remains");
	struct command insisting = revoking(ADMIN, 0, ADMIN);
	insisting.insist = 1;
	assert_true(desk_do(d, insisting));
	assert_true(desk_do(d, c));
}

static void one_expires_and_makes_room(void **state)
{
	struct desk *d = *state;

	for (int i = 0; i < CREDENTIALS_A_PERSON_MOST; i++)
		(void)issue(d, WORKER, d->now_ms + DAY_MS);
	assert_false(desk_do(d, token_of(WORKER, ADMIN)));
	refused_by(d, "credentials-have-room");
	d->now_ms += DAY_MS;
	assert_int_equal(live_of(d, WORKER), 0);
	(void)issue(d, WORKER, 0);
	assert_int_equal(roster_count(casebook_roster(d->book)), 1);
}

static void rotation_overlaps_and_lengthens_nothing(void **state)
{
	struct desk *d = *state;
	int64_t old = issue(d, WORKER, d->now_ms + 10 * DAY_MS);
	struct command c = { .kind = COMMAND_ROTATE,
		             .actor = WORKER,
		             .value = old,
		             .extend_ms = DAY_MS,
		             .credential_kind = CREDENTIAL_TOKEN };

	c.until_ms = d->now_ms + 11 * DAY_MS;
	assert_false(desk_do(d, c));
	refused_by(d, "administrators-lengthen");
	c.until_ms = 0;
	assert_true(desk_do(d, c));
	const struct roster *r = casebook_roster(d->book);
	assert_int_equal(roster_find(r, d->outcome.made)->expires_ms, d->now_ms + 10 * DAY_MS);
	assert_int_equal(roster_find(r, old)->expires_ms, d->now_ms + DAY_MS);
	d->now_ms += DAY_MS;
	assert_int_equal(live_of(d, WORKER), 1);
}

static void a_command_of_a_revoked_one_is_refused(void **state)
{
	struct desk *d = *state;
	int64_t id = issue(d, WORKER, 0);
	struct command seen = { .kind = COMMAND_SEEN, .actor = WORKER, .credential = id };

	assert_true(desk_do(d, seen));
	assert_true(desk_do(d, revoking(WORKER, id, NULL)));
	assert_false(desk_do(d, seen));
	refused_by(d, "identity-still-holds");
}

static void a_command_of_an_expired_one_is_refused(void **state)
{
	struct desk *d = *state;
	int64_t id = issue(d, WORKER, d->now_ms + DAY_MS);
	struct command seen = { .kind = COMMAND_SEEN, .actor = WORKER, .credential = id };

	d->now_ms += DAY_MS - 1;
	assert_true(desk_do(d, seen));
	d->now_ms++;
	assert_false(desk_do(d, seen));
	refused_by(d, "identity-still-holds");
}

/* Whoever asks again under the key of an issue learns the number that was made then, and nothing is made. */
static void an_issue_asked_for_again_makes_nothing(void **state)
{
	struct desk *d = *state;
	struct command c = token_of(WORKER, ADMIN);
	int64_t made;

	c.key = uuid_from_name(d->now_ms, "issue");
	assert_true(desk_do(d, c));
	made = d->outcome.made;
	assert_true(made > 0);
	assert_true(desk_do(d, c));
	assert_true(d->outcome.again);
	assert_int_equal(d->outcome.made, made);
	assert_int_equal(live_of(d, WORKER), 1);
}

int main(void)
{
#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, start, end)
	const struct CMUnitTest tests[] = {
		DESK_TEST(one_is_made_and_revoked),
		DESK_TEST(only_administrators_give),
		DESK_TEST(the_first_is_made_once),
		DESK_TEST(one_expires_and_makes_room),
		DESK_TEST(rotation_overlaps_and_lengthens_nothing),
		DESK_TEST(a_command_of_a_revoked_one_is_refused),
		DESK_TEST(a_command_of_an_expired_one_is_refused),
		DESK_TEST(an_issue_asked_for_again_makes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
