/* handle 处置: a filed case gets its handler, its clock, and whatever happens until the handler says it is done. */
#include <stdio.h>
#include <string.h>

#include "workflow/decision.h"

void handle_plain(struct decision *d)
{
	struct fact *f = decision_event(d, d->row->act, d->row->to);
	if (d->who != NULL)
		f->ref = d->command->reason;
	if (f->to != f->from && state_info(f->to)->terminal)
		f->handle_due_ms = 0;
	decision_commit(d, f);
}

_Bool handle_words_guard(struct decision *d)
{
	if (d->who == NULL || d->command->text != NULL)
		return 1;
	return decision_refuse(d, REFUSAL_RULE_BROKEN, "in-words", "Say it in words: this needs a text.");
}

void handle_return(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_RETURN, STATE_RETURNED);
	f->ref = d->command->reason;
	deadline_stop(d, f);
	decision_commit(d, f);
}

void handle_take_back(struct decision *d)
{
	decision_commit(d, decision_event(d, ACT_TAKE_BACK, STATE_FILED));
}

/* ---- extension ---- */

_Bool handle_ask_extension_guard(struct decision *d)
{
	const struct case_file *c = d->draft;
	int64_t asked = d->command->extend_ms;
	if (d->now_ms > c->handle_due_ms)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "extension-before-overdue",
		                       "The limit has passed; an extension is asked for before that.");
	if (c->extensions >= d->rules->extend_most)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "extensions-at-most",
		                       "This case was extended %d times already, which is the most.", c->extensions);
	if (c->asked_extension_ms != 0)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "one-extension-at-a-time",
		                       "An extension is asked for already; wait for the supervisor.");
	char limit[LIMIT_TEXT_SIZE];
	limit_text((struct limit){ c->limit_ms, (enum limit_unit)c->limit_unit }, limit);
	if (d->command->extend_unit != LIMIT_CLOCK && d->command->extend_unit != c->limit_unit)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "extension-in-the-limit-s-unit",
		                       "The limit is %s; ask for an extension in the same unit.", limit);
	if (asked <= 0 || asked > c->limit_ms)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "extension-within-limit",
		                       "Ask for more than nothing and at most the original limit, %s.", limit);
	return 1;
}

void handle_ask_extension(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_ASK_EXTENSION, STATE_NONE);
	f->value = d->command->extend_ms;
	decision_commit(d, f);
}

_Bool handle_extension_asked(struct decision *d)
{
	if (d->draft->asked_extension_ms != 0)
		return 1;
	return decision_refuse(d, REFUSAL_RULE_BROKEN, "extension-asked-for",
	                       "Nobody has asked for an extension of this case.");
}

void handle_extend(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_EXTEND, STATE_NONE);
	f->value = d->draft->asked_extension_ms;
	deadline_extend(d, f, d->draft->asked_extension_ms);
	decision_commit(d, f);
}

/* ---- suspension ---- */

_Bool handle_ask_suspension_guard(struct decision *d)
{
	const struct case_file *c = d->draft;
	int64_t until = d->command->until_ms;
	if (!decision_reason_of(d, act_info(ACT_SUSPEND)->name))
		return 0;
	if (c->suspensions >= 1)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "suspended-once",
		                       "This case was suspended before; once is the most.");
	if (c->asked_suspend_until_ms != 0)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "one-suspension-at-a-time",
		                       "A suspension is asked for already; wait for the supervisor.");
	if (until <= d->now_ms || until > d->now_ms + d->rules->suspend_most_ms)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "suspension-within-a-year",
		                       "Give an end that is to come and at most %lld days away.",
		                       (long long)(d->rules->suspend_most_ms / 86400000));
	return 1;
}

void handle_ask_suspension(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_ASK_SUSPENSION, STATE_NONE);
	f->ref = d->command->reason;
	f->value = d->command->until_ms;
	decision_commit(d, f);
}

_Bool handle_suspension_asked(struct decision *d)
{
	if (d->draft->asked_suspend_until_ms != 0)
		return 1;
	return decision_refuse(d, REFUSAL_RULE_BROKEN, "suspension-asked-for",
	                       "Nobody has asked for a suspension of this case.");
}

_Bool handle_suspend_guard(struct decision *d)
{
	if (!handle_suspension_asked(d))
		return 0;
	if (d->draft->asked_suspend_until_ms > d->now_ms)
		return 1;
	return decision_refuse(d, REFUSAL_RULE_BROKEN, "suspension-within-a-year",
	                       "The end that was asked for has passed; refuse it and ask anew.");
}

void handle_suspend(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_SUSPEND, STATE_SUSPENDED);
	f->value = d->draft->asked_suspend_until_ms;
	f->stage_due_ms = d->draft->asked_suspend_until_ms;
	deadline_stop(d, f);
	decision_commit(d, f);
}

void handle_resume(struct decision *d)
{
	int64_t paused_ms = d->draft->since_ms;
	struct fact *f = decision_event(d, ACT_RESUME, STATE_HANDLING);
	deadline_go_on(d, f);
	decision_commit(d, f);
	dispatch_co_go_on(d, paused_ms);
	decision_then(d, ACT_VACATED);
}

/* ---- whistle ---- */

_Bool handle_whistle_guard(struct decision *d)
{
	if (d->command->unit_count == 0)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "units-called", "Name one to four units to call.");
	return decision_units_known(d, NULL);
}

void handle_whistle(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_WHISTLE, STATE_WHISTLED);
	f->ref = decision_units_joined(d, NULL, d->command->units, d->command->unit_count);
	decision_commit(d, f);
}

static int whistled_place(const struct case_file *c, const char *unit)
{
	for (int i = 0; i < c->whistled_count; i++)
		if (unit != NULL && strcmp(c->whistled[i], unit) == 0)
			return i;
	return -1;
}

_Bool handle_answer_guard(struct decision *d)
{
	int place = whistled_place(d->draft, d->who->unit);
	if (place >= 0 && (d->draft->whistled_answered >> place & 1) == 0)
		return 1;
	return decision_refuse(d, REFUSAL_RULE_BROKEN, "one-answer-a-unit", "Your unit has answered already.");
}

void handle_answer(struct decision *d)
{
	const struct case_file *c = d->draft;
	unsigned answered = c->whistled_answered | 1u << whistled_place(c, d->who->unit);
	_Bool last = answered == (1u << c->whistled_count) - 1;
	struct fact *f = decision_event(d, ACT_ANSWER, last ? STATE_HANDLING : STATE_NONE);
	f->ref = d->who->unit;
	decision_commit(d, f);
}

/* ---- handled ---- */

_Bool handle_handled_guard(struct decision *d)
{
	if (d->command->text == NULL)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "result-in-words", "Say in words what was done.");
	return evidence_handled_guard(d);
}

void handle_handled(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_HANDLED, STATE_HANDLED);
	f->ref = d->command->photos;
	deadline_stop(d, f);
	decision_commit(d, f);
}

_Bool handle_co_handled_guard(struct decision *d)
{
	const struct case_file *c = d->draft;
	for (int i = 0; i < c->helper_count; i++)
		if (strcmp(c->helpers[i], d->who->unit) == 0 && (c->helper_done >> i & 1) == 0)
			return 1;
	return decision_refuse(d, REFUSAL_RULE_BROKEN, "co-handled-once",
	                       "Your unit has said already that its part is done.");
}

void handle_co_handled(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_CO_HANDLED, STATE_NONE);
	f->ref = d->who->unit;
	decision_commit(d, f);
}

/* ---- supervise, escalate ---- */

void handle_supervise(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_SUPERVISE, STATE_NONE);
	f->value = d->draft->supervised + 1;
	decision_commit(d, f);
}

_Bool handle_escalate_guard(struct decision *d)
{
	return d->draft->level < LEVEL_DISTRICT && d->draft->handle_due_ms != 0 && d->now_ms >= d->draft->handle_due_ms;
}

void handle_escalate(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_ESCALATE, STATE_NONE);
	_Bool top = d->draft->level + 1 >= LEVEL_DISTRICT;
	f->ref = level_name((enum level)(d->draft->level + 1));
	f->value = top ? 0 : deadline_stage(d, d->rules->escalate_every);
	decision_commit(d, f);
}
