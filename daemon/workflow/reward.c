/* reward 激励: points for a verified close, by rules that anybody can read: every ledger row says which rule gave it. */
#include <stdio.h>
#include <string.h>

#include "jurisdiction/words.h"
#include "workflow/accounts.h"
#include "workflow/decision.h"
#include "workflow/place.h"

_Bool reward_earns(uint8_t kind)
{
	static const uint32_t earning = 1u << REPORTER_RESIDENT | 1u << REPORTER_PART_TIME | 1u << REPORTER_COURIER |
	                                1u << REPORTER_FOOD_RIDER | 1u << REPORTER_RIDE_HAIL | 1u << REPORTER_VOLUNTEER;
	return (earning >> kind & 1) != 0;
}

int64_t reward_place_key(const struct decision *d)
{
	const struct case_file *c = d->draft;
	int64_t metres = d->rules->reward_place_m;
	uint64_t h = UINT64_C(14695981039346656037);
	char text[COMMAND_ID_MOST * 2 + 64];
	int64_t cell = metres < 1 ? 1 : metres * 90; /* a metre is 90 e-7 degrees of latitude */
	if (c->lat_e7 == PLACE_NONE)
		snprintf(text, sizeof text, "%s|%d|%lld", c->reporter, c->category, (long long)c->grid);
	else
		snprintf(text, sizeof text, "%s|%d|%lld,%lld", c->reporter, c->category, (long long)(c->lat_e7 / cell),
		         (long long)(c->lon_e7 / cell));
	for (const char *at = text; *at != '\0'; at++)
		h = (h ^ (uint8_t)*at) * UINT64_C(1099511628211);
	return (int64_t)(h | 1);
}

/* What is left of a person's month under the cap. */
static int64_t month_room(const struct decision *d, const char *person)
{
	const struct account *a = casebook_account(d->book, person);
	int64_t used = a != NULL && a->month == accounts_month(d->now_ms) ? a->month_points : 0;
	return d->rules->reward_month_most > used ? d->rules->reward_month_most - used : 0;
}

struct verdict {
	int64_t points;
	const char *rule; /* which rule gave them, or gave none */
};

static struct verdict first_reporter(const struct decision *d)
{
	const struct case_file *c = d->draft;
	const struct category *k = policy_category(d->policy, c->category);
	if (c->reporter == NULL)
		return (struct verdict){ 0, "none-anonymous" };
	if (!reward_earns(c->reporter_kind))
		return (struct verdict){ 0, "none-on-duty" };
	if (k == NULL || k->points == 0)
		return (struct verdict){ 0, "none-in-category" };
	if (d->who != NULL && d->command->reason != NULL && strcmp(d->command->reason, "decline") == 0)
		return (struct verdict){ 0, "none-declined" };
	if (k->near_far >= NEAR_FAR_REWARD && (c->photo_roles & PHOTO_REPORTED) == 0)
		return (struct verdict){ 0, "none-without-photos" };
	int64_t before = casebook_rewarded_at(d->book, reward_place_key(d));
	if (before != 0 && d->now_ms - before < d->rules->reward_interval_ms)
		return (struct verdict){ 0, "none-too-soon" };
	int64_t room = month_room(d, c->reporter);
	if (room == 0)
		return (struct verdict){ 0, "none-month-full" };
	return (struct verdict){ k->points < room ? k->points : room,
		                 k->points <= room ? "first-reporter" : "first-reporter-capped" };
}

int64_t reward_expected(const struct decision *d)
{
	return first_reporter(d).points;
}

static void pay(struct decision *d, const char *person, int64_t points, const char *rule, int64_t key)
{
	struct ledger_fact *l = facts_ledger(d->out);
	*l = (struct ledger_fact){ .id = d->next_ledger++,
		                   .person = person,
		                   .at_ms = d->now_ms,
		                   .payable_ms = deadline_of(d, d->draft->closed_ms, d->rules->reward_cooling),
		                   .points = points,
		                   .rule = rule,
		                   .case_id = d->draft->id,
		                   .place_key = key };
}

static _Bool named_before(const struct follower *rows, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (rows[j].reporter != NULL && strcmp(rows[j].reporter, rows[i].reporter) == 0)
			return 1;
	return 0;
}

/* A small "me too" for everybody whose own report was merged into this case, once each. */
static void pay_followers(struct decision *d)
{
	size_t count;
	const struct follower *rows = casebook_followers(d->book, d->draft->id, &count);
	for (size_t i = 0; i < count; i++) {
		const char *person = rows[i].reporter;
		if (person == NULL || !reward_earns(rows[i].reporter_kind) || rows[i].doubts != 0 ||
		    d->rules->me_too_points == 0 || named_before(rows, i))
			continue;
		if (d->draft->reporter != NULL && strcmp(person, d->draft->reporter) == 0)
			continue;
		if (month_room(d, person) >= d->rules->me_too_points)
			pay(d, person, d->rules->me_too_points, "me-too", 0);
	}
}

_Bool reward_guard(struct decision *d)
{
	const struct case_file *c = d->draft;
	if (d->who == NULL)
		return 1;
	/* The review decided it, by the rules of that day: with a timer the reward comes by itself. */
	if (c->stage_due_ms != 0)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "reward-above-the-threshold",
		                       "These points are not above the threshold; they are given by themselves.");
	if (d->now_ms < deadline_of(d, c->closed_ms, d->rules->reopen))
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "reward-after-reopening",
		                       "The case can still be reopened; decide when that time is over.");
	if (decision_is_handler(d, d->who) || strcmp(c->reporter, d->who->id) == 0)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "rewarder-is-neither",
		                       "You reported or handled this case; another supervisor decides.");
	return 1;
}

void reward(struct decision *d)
{
	struct verdict v = first_reporter(d);
	struct fact *f = decision_event(d, ACT_REWARD, STATE_REWARDED);
	f->ref = v.rule;
	f->value = v.points;
	f->handle_due_ms = 0;
	if (v.points > 0)
		pay(d, d->draft->reporter, v.points, v.rule, reward_place_key(d));
	pay_followers(d);
	decision_commit(d, f);
}

/* ---- points without a case ---- */

static const char *account_of(struct decision *d)
{
	const char *person = d->command->person;
	if (person == NULL) {
		decision_refuse(d, REFUSAL_UNKNOWN_PERSON, "account-exists", "Say whose points these are.");
		return NULL;
	}
	const struct account *a = casebook_account(d->book, person);
	if (a != NULL)
		return a->person;
	decision_refuse(d, REFUSAL_UNKNOWN_PERSON, "account-exists", "%s has no points yet.", person);
	return NULL;
}

static void enter(struct decision *d, const char *person, int64_t points, const char *rule)
{
	struct ledger_fact *l = facts_ledger(d->out);
	*l = (struct ledger_fact){ .id = d->next_ledger++,
		                   .person = person,
		                   .at_ms = d->now_ms,
		                   .payable_ms = d->now_ms,
		                   .points = points,
		                   .rule = rule,
		                   .text = d->command->text };
	d->command->outcome.balance = casebook_account(d->book, person)->balance + points;
	d->command->outcome.payable = casebook_payable(d->book, person, d->now_ms) + points;
}

_Bool reward_redeem(struct decision *d)
{
	if (!decision_has(d, RIGHT_REDEEM, NULL, "redeem-at-a-station"))
		return 0;
	const char *person = account_of(d);
	if (person == NULL)
		return 0;
	int64_t payable = casebook_payable(d->book, person, d->now_ms);
	if (d->command->value <= 0)
		return decision_refuse(d, REFUSAL_INVALID, "points-above-zero", "Redeem one point or more.");
	if (d->command->value > payable)
		return decision_refuse(d, REFUSAL_OVERDRAWN, "never-overdrawn",
		                       "%lld points can be redeemed now, not %lld.", (long long)payable,
		                       (long long)d->command->value);
	enter(d, person, -d->command->value, "redeem");
	return 1;
}

_Bool reward_correct(struct decision *d)
{
	if (!decision_has(d, RIGHT_CORRECT, NULL, "corrected-by-a-supervisor") || !handle_words_guard(d))
		return 0;
	const char *person = account_of(d);
	if (person == NULL)
		return 0;
	if (d->command->value == 0)
		return decision_refuse(d, REFUSAL_INVALID, "points-above-zero",
		                       "Correct by one point or more, up or down.");
	/* Of a balance never more can be payable than there is. */
	if (casebook_payable(d->book, person, d->now_ms) + d->command->value < 0)
		return decision_refuse(d, REFUSAL_OVERDRAWN, "never-overdrawn", "That would leave less than nothing.");
	enter(d, person, d->command->value, "correction");
	audit_add(d, AUDITED_CORRECT, person, d->command->text, d->command->value);
	return 1;
}
