/* doubt: the signs by which points are held for a person to decide, and how much one reporter may send in a day. */
#include "workflow/doubt.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "workflow/case_number.h"
#include "workflow/decision.h"

static const char *const names[DOUBT_BITS] = { "again", "household", "burst", "photo" };

const char *doubt_name(enum doubt one_bit)
{
	int place = __builtin_ctz((unsigned)one_bit);
	must(place < DOUBT_BITS);
	return names[place];
}

void doubt_names(uint8_t bits, char out[DOUBT_NAMES_SIZE])
{
	size_t used = 0;
	out[0] = '\0';
	for (int i = 0; i < DOUBT_BITS; i++)
		if ((bits >> i & 1) != 0)
			used += (size_t)snprintf(out + used, DOUBT_NAMES_SIZE - used, "%s%s", used == 0 ? "" : ",",
			                         names[i]);
}

/* ---- how much in a day ---- */

static _Bool may_earn(const struct decision *d)
{
	return d->draft->reporter != NULL && reward_earns(d->draft->reporter_kind);
}

/* Whoever has had points before is no stranger any more. */
static _Bool is_new(const struct decision *d)
{
	return !d->who->trusted && casebook_account(d->book, d->draft->reporter) == NULL;
}

static _Bool refuse_day(struct decision *d, int64_t today, const char *why)
{
	int64_t midnight;
	decision_refuse(d, REFUSAL_RATE_LIMITED, "reports-a-day-at-most",
	                "%lld reports came from you today, the most %s; send this one again tomorrow. If it cannot "
	                "wait, call the street office.",
	                (long long)today, why);
	(void)clock_local_day(d->now_ms, NULL, &midnight);
	d->command->outcome.refusal.retry_after_ms = midnight - d->now_ms;
	return 0;
}

_Bool doubt_day_guard(struct decision *d)
{
	const struct policy_rules *r = d->rules;
	if (!may_earn(d))
		return 1;
	int64_t today = casebook_reported_today(d->book, d->draft->reporter, case_id_day(d->draft->id));
	if (r->reporter_day_most != 0 && today >= r->reporter_day_most)
		return refuse_day(d, today, "for one person");
	if (r->new_reporter_day_most != 0 && today >= r->new_reporter_day_most && is_new(d))
		return refuse_day(d, today, "before a first one has been settled");
	return 1;
}

/* ---- at the report ---- */

/* This report ends or goes on a row of many within the span before a shift ends. */
static _Bool is_burst(const struct decision *d)
{
	const struct policy_rules *r = d->rules;
	const struct case_file *c = d->draft;
	int64_t midnight;
	if (r->doubt_burst == 0)
		return 0;
	(void)clock_local_day(d->now_ms, &midnight, NULL);
	if (!shift_ends_within(&r->shift_ends, &r->week, d->now_ms - midnight, r->doubt_burst_span_ms))
		return 0;
	return 1 + casebook_reported_since(d->book, c->reporter, case_id_day(c->id),
	                                   d->now_ms - r->doubt_burst_span_ms) >=
	       r->doubt_burst;
}

/* The first of other cases that has a photo alike. */
static const struct look_owner *photo_elsewhere(const struct decision *d)
{
	const struct command *m = d->command;
	const struct look_owner *other = NULL;
	for (int i = 0; d->rules->doubt_photos && i < m->evidence_count && other == NULL; i++) {
		uint64_t look;
		memcpy(&look, m->evidence[i].look, sizeof look);
		other = casebook_same_look(d->book, look, d->draft->id);
	}
	return other;
}

void doubt_look_at_report(struct decision *d)
{
	if (!may_earn(d))
		return;
	d->doubts = is_burst(d) ? DOUBT_BURST : 0;
	d->alike = photo_elsewhere(d);
	if (d->alike != NULL)
		d->doubts |= DOUBT_PHOTO;
	decision_then(d, ACT_DOUBT);
}

/* ---- at the review ---- */

static _Bool earned_again_and_again(const struct decision *d)
{
	const struct policy_rules *r = d->rules;
	return r->doubt_again != 0 && casebook_rewarded_since(d->book, reward_place_key(d),
	                                                      d->now_ms - r->doubt_again_span_ms) >= r->doubt_again;
}

static _Bool same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static _Bool is_at_home_with_handler(const struct decision *d)
{
	const struct case_file *c = d->draft;
	const struct person *reporter = policy_person(d->policy, c->reporter);
	const struct person *handler = policy_person(d->policy, c->handled_by);
	if (!d->rules->doubt_household || reporter == NULL)
		return 0;
	return same_text(reporter->unit, c->handler) || same_text(reporter->id, c->handled_by) ||
	       (handler != NULL && same_text(reporter->household, handler->household));
}

_Bool doubt_look_at_reward(struct decision *d)
{
	if (!may_earn(d) || reward_expected(d) == 0)
		return 0;
	d->doubts = earned_again_and_again(d) ? DOUBT_AGAIN : 0;
	if (is_at_home_with_handler(d))
		d->doubts |= DOUBT_HOUSEHOLD;
	decision_then(d, ACT_DOUBT);
	return d->draft->doubts != 0;
}

/* ---- the event ---- */

_Bool doubt_guard(struct decision *d)
{
	return (d->doubts & ~d->draft->doubts) != 0;
}

/* "photo as in E011020261121…", which a supervisor can look at beside this one. */
static const char *photo_words(struct decision *d)
{
	char number[CASE_NUMBER_SIZE];
	case_number_text(d->alike->case_id, d->alike->category, number);
	snprintf(d->out->words, sizeof d->out->words, "photo as in %s", number);
	return d->out->words;
}

void doubt(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_DOUBT, STATE_NONE);
	char ref[DOUBT_NAMES_SIZE];
	doubt_names(d->doubts, ref);
	f->ref = casebook_intern(d->book, ref);
	f->value = d->doubts;
	f->text = (d->doubts & DOUBT_PHOTO) != 0 ? photo_words(d) : NULL;
	decision_commit(d, f);
}
