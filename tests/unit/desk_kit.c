#include "desk_kit.h"
#include "clock_kit.h"
#include "jurisdiction/policy_parts.h"
#include "workflow/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

void desk_open(struct desk *d)
{
	struct problems p = { 0 };

	setenv("TZ", "Asia/Shanghai", 1);
	tzset();
	*d = (struct desk){ .now_ms = DESK_START_MS };
	d->policy = policy_load("config/jurisdiction", &p);
	problems_print(&p, stderr);
	problems_close(&p);
	assert_non_null(d->policy);
	clock_kit_no_rest(d->policy);
	d->policy->rules.new_reporter_day_most = 0; /* a test may send what it likes */
	d->book = casebook_new(0);
	d->digester = digester_new();
	facts_init(&d->facts);
}

void desk_close(struct desk *d)
{
	facts_close(&d->facts);
	digester_free(d->digester);
	casebook_free(d->book);
	policy_release(d->policy);
}

int desk_begin_test(void **desk)
{
	desk_open(*desk);
	return 0;
}

int desk_end_test(void **desk)
{
	desk_close(*desk);
	return 0;
}

_Bool desk_do(struct desk *d, struct command c)
{
	command_seal(&c, d->digester);

	_Bool accepted = decide(d->book, d->policy, &c, d->now_ms, NULL, &d->facts);

	assert_int_equal(accepted, c.outcome.accepted);
	if (accepted)
		casebook_apply(d->book, &d->facts);
	d->outcome = c.outcome;
	free(c.changes);
	return accepted;
}

int64_t desk_submit(struct desk *d, const char *who, int32_t category, int32_t lat_e7, int32_t lon_e7)
{
	char name[32];

	snprintf(name, sizeof name, "desk %d", ++d->keys);
	assert_true(desk_do(d, (struct command){ .kind = COMMAND_SUBMIT,
	                                         .actor = who,
	                                         .channel = "tcp",
	                                         .reporter = who,
	                                         .key = uuid_from_name(d->now_ms, name),
	                                         .category = category,
	                                         .lat_e7 = lat_e7,
	                                         .lon_e7 = lon_e7,
	                                         .description = "words" }));
	return d->outcome.case_id;
}

void desk_act(struct desk *d, const char *who, enum act act, int64_t id)
{
	struct evidence_ref photos[] = { { .sha256 = { 1 }, .role = PHOTO_BEFORE, .is_here = 1 },
		                         { .sha256 = { 2 }, .role = PHOTO_AFTER, .is_here = 1 } };
	_Bool done = desk_do(d, (struct command){ .kind = COMMAND_ACT,
	                                          .actor = who,
	                                          .act = act,
	                                          .case_id = id,
	                                          .lat_e7 = PLACE_NONE,
	                                          .lon_e7 = PLACE_NONE,
	                                          .text = "words",
	                                          .evidence = photos,
	                                          .evidence_count = 2,
	                                          .rating = RATING_SATISFIED });

	if (!done)
		fail_msg("%s may not %s: %s", who, act_info(act)->name, d->outcome.refusal.sentence);
}

int desk_wait(struct desk *d, int64_t span_ms)
{
	int64_t until = d->now_ms + span_ms;
	struct timer t;
	int fired = 0;

	for (; casebook_next_timer(d->book, &t) && t.at_ms <= until; fired++) {
		d->now_ms = t.at_ms > d->now_ms ? t.at_ms : d->now_ms;
		decide_timer(d->book, d->policy, &t, d->now_ms, &d->facts);
		casebook_apply(d->book, &d->facts);
	}
	d->now_ms = until;
	return fired;
}

void desk_settle(struct desk *d, int64_t id, const char *handler, const char *checker)
{
	desk_act(d, handler, ACT_SIGN, id);
	desk_act(d, handler, ACT_HANDLED, id);
	desk_act(d, checker, ACT_CHECK, id);
	desk_act(d, checker, ACT_PASS, id);
}
