/* A random walk: everybody asks for anything, for a year. Nothing may break, whatever is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "workflow/place.h"
#include "desk_kit.h"
#include "workflow/transitions.h"

#define STEPS 60000
#define CASES_KEPT 64

static struct desk desk;
static unsigned seed;
static struct evidence_ref photo; /* of the command being made */
static int64_t cases[CASES_KEPT];
static size_t opened, archived, accepted, refused;
static int64_t ledger_sum;

static int below(int most)
{
	return (int)((unsigned)rand_r(&seed) % (unsigned)most);
}

static const char *pick(const char *const *list, int count)
{
	return list[below(count)];
}
#define PICK(list) pick(list, (int)(sizeof list / sizeof *list))

static const char *anybody(void)
{
	static const char *const busy[] = { "acceptor-01",     "dispatcher-01", "supervisor-01", "worker-01",
		                            "worker-02",       "sanitation-01", "roads-01",      "convener-001",
		                            "convener-street", "resident-01",   "rider-01",      "rider-platform",
		                            "visitor-01",      "police-01" };
	const struct person *p = policy_person_at(desk.policy, (size_t)below(200));

	return below(4) != 0 || p == NULL ? PICK(busy) : p->id;
}

static struct command something(void)
{
	static const char *const units[] = { "police", "street", "sanitation", "roads", "nobody", "community-001", "" };
	static const char *const reasons[] = { "not-ours",    "wrong-unit", "not-done", "weather",
		                               "false-alarm", "decline",    "?" };
	static const int32_t categories[] = { 10110, 10113, 10136, 10496, 10505, 19001, 20101, 10999 };
	static const char *const labels[] = { "garbage", "overflow", "stall", "elephant" };
	static const char *const cameras[] = { "police-01", "police-06", "estate-01", "nowhere" };
	static const enum command_kind kinds[] = { COMMAND_SUBMIT, COMMAND_ALARM, COMMAND_ACT,    COMMAND_ACT,
		                                   COMMAND_ACT,    COMMAND_ACT,   COMMAND_ACT,    COMMAND_ACT,
		                                   COMMAND_ACT,    COMMAND_ACT,   COMMAND_REDEEM, COMMAND_CORRECT,
		                                   COMMAND_SEEN };
	struct command c = { .kind = kinds[below(13)],
		             .actor = anybody(),
		             .channel = "tcp",
		             .act = (enum act)below(ACT_COUNT),
		             .case_id = cases[below(CASES_KEPT)] };

	c.lat_e7 = below(8) == 0 ? PLACE_NONE : DESK_LAT + below(40000) - 20000;
	c.lon_e7 = c.lat_e7 == PLACE_NONE ? PLACE_NONE : DESK_LON + below(40000) - 20000;
	c.category = categories[below(8)];
	c.camera = PICK(cameras);
	c.label = PICK(labels);
	c.confidence = below(11) / 10.0;
	c.ended = below(5) == 0;
	c.reporter = below(5) == 0 ? NULL : c.actor;
	c.anonymous = below(6) == 0;
	c.text = below(4) == 0 ? NULL : "words";
	c.reason = below(4) == 0 ? NULL : PICK(reasons);
	c.unit = below(2) == 0 ? NULL : PICK(units);
	c.unit_count = below(COMMAND_UNITS_MOST + 1);
	for (int i = 0; i < c.unit_count; i++)
		c.units[i] = PICK(units);
	photo.role = (uint8_t)below(PHOTO_ROLE_COUNT);
	photo.is_here = below(6) != 0;
	c.evidence = &photo;
	c.evidence_count = below(3) != 0;
	c.master = cases[below(CASES_KEPT)];
	c.until_ms = desk.now_ms + (below(500) - 50) * CLOCK_DAY_MS;
	c.extend_ms = (below(8) - 1) * CLOCK_HOUR_MS;
	c.finding = (enum finding)below(4);
	c.rating = (enum rating)below(5);
	c.person = below(3) == 0 ? NULL : anybody();
	c.value = below(60) - 20;
	if (below(3) == 0)
		c.grid = 0;
	if (c.kind == COMMAND_ACT && below(3) != 0)
		c.category = 0;
	if (below(10) == 0)
		c.key = uuid_from_name(desk.now_ms, "walk");
	return c;
}

/* What would bring the case on, so that the walk sees every phase. */
static struct command next_step(const struct case_file *c)
{
	static const enum act next[STATE_COUNT] = {
		[STATE_REPORTED] = ACT_FILE,    [STATE_ALARM_PENDING] = ACT_CONFIRM, [STATE_VERIFYING] = ACT_VERIFIED,
		[STATE_FILED] = ACT_DISPATCH,   [STATE_DISPATCHED] = ACT_SIGN,       [STATE_HANDLING] = ACT_HANDLED,
		[STATE_SUSPENDED] = ACT_RESUME, [STATE_RETURNED] = ACT_TAKE_BACK,    [STATE_WHISTLED] = ACT_ANSWER,
		[STATE_HANDLED] = ACT_CHECK,    [STATE_CHECKING] = ACT_PASS,         [STATE_CLOSED] = ACT_REVIEW,
		[STATE_REVIEWED] = ACT_REWARD,
	};
	struct command d = something();

	d.kind = COMMAND_ACT;
	d.case_id = c->id;
	d.act = next[c->state];
	d.category = 0;
	return d;
}

/* Somebody whom the table lets do it, if a few guesses find one. */
static struct command helpful(void)
{
	const struct case_file *c = casebook_case(desk.book, cases[below(CASES_KEPT)]);
	struct command d;

	if (c == NULL)
		return something();
	d = next_step(c);
	for (int i = 0; i < 200; i++) {
		const struct person *p = policy_person_at(desk.policy, (size_t)below(220));

		d.actor = p != NULL ? p->id : d.actor;
		d.text = "words";
		photo = (struct evidence_ref){ .role = PHOTO_UNSET, .is_here = 1 };
		d.evidence = &photo;
		d.evidence_count = 1;
		command_seal(&d, desk.digester);
		if (decide(desk.book, desk.policy, &d, desk.now_ms, NULL, &desk.facts))
			break;
	}
	return d;
}

static void look_at_facts(const struct facts *f)
{
	for (size_t i = 0; i < f->event_count; i++) {
		const struct fact *e = &f->events[i];

		assert_true(transition_allowed(e->act, e->from, e->to));
		assert_true(i == 0 || e->id == f->events[i - 1].id + 1);
		opened += e->from == STATE_NONE;
		archived += e->from != e->to && state_info(e->to)->terminal;
		if (e->from == STATE_NONE)
			cases[below(CASES_KEPT)] = e->case_id;
	}
	for (size_t i = 0; i < f->ledger_count; i++) {
		const struct account *a = casebook_account(desk.book, f->ledger[i].person);

		ledger_sum += f->ledger[i].points;
		assert_true(a->balance >= 0 && casebook_payable(desk.book, a->person, desk.now_ms) >= 0);
		assert_true(a->month_points <= 1500);
	}
}

static void let_time_go(void)
{
	static const int64_t spans[] = { CLOCK_SECOND_MS, CLOCK_MINUTE_MS, 20 * CLOCK_MINUTE_MS, 5 * CLOCK_HOUR_MS };
	int64_t until = desk.now_ms + spans[below(4)] * (below(10) == 0);
	struct timer t;

	while (casebook_next_timer(desk.book, &t) && t.at_ms <= until) {
		desk.now_ms = t.at_ms > desk.now_ms ? t.at_ms : desk.now_ms;
		decide_timer(desk.book, desk.policy, &t, desk.now_ms, &desk.facts);
		assert_true(desk.facts.event_count > 0);
		casebook_apply(desk.book, &desk.facts);
		look_at_facts(&desk.facts);
	}
	desk.now_ms = until;
}

static void check_case(void *ctx, const struct case_file *c)
{
	int64_t sum = desk.now_ms - c->since_ms;
	size_t *count = ctx;

	for (int i = 0; i < STAGE_COUNT; i++)
		sum += c->spent_ms[i];
	assert_int_equal(sum, desk.now_ms - c->reported_ms);
	assert_false(state_info((enum state)c->state)->terminal);
	assert_true(c->handle_due_ms == 0 || c->state == STATE_DISPATCHED || c->state == STATE_HANDLING ||
	            c->state == STATE_WHISTLED);
	assert_true(c->reopened <= 2 && c->extensions <= 2 && c->suspensions <= 1 && c->level <= LEVEL_DISTRICT);
	(*count)++;
}

static void walk(void)
{
	size_t open = 0;

	for (int i = 0; i < STEPS; i++) {
		struct command c = below(20) == 0 ? helpful() : something();

		if (desk_do(&desk, c)) {
			look_at_facts(&desk.facts);
			accepted++;
		} else {
			assert_true(desk.outcome.refusal.code != REFUSAL_NONE && desk.outcome.refusal.rule != NULL);
			refused++;
		}
		let_time_go();
	}
	casebook_each(desk.book, check_case, &open);
	assert_int_equal(open, casebook_open_count(desk.book));
	assert_int_equal(opened, open + archived);
}

static void test_walks(void **state)
{
	(void)state;
	for (seed = 1; seed <= 2;) {
		unsigned start = seed;

		desk_open(&desk);
		memset(cases, 0, sizeof cases);
		opened = archived = accepted = refused = 0;
		ledger_sum = 0;
		walk();
		assert_true(accepted > 1000 && refused > 1000 && archived > 100);
		print_message("walk %u: %zu accepted, %zu refused, %zu cases, %zu archived, %lld points left\n", start,
		              accepted, refused, opened, archived, (long long)ledger_sum);
		desk_close(&desk);
		seed = start + 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
