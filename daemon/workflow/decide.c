/* decide: from a command to facts or a refusal. */
#include "workflow/decide.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "jurisdiction/policy_map.h"
#include "workflow/alarm.h"
#include "workflow/case_number.h"
#include "workflow/decision.h"
#include "workflow/erase.h"
#include "workflow/place.h"

void decision_begin(struct decision *d, const struct casebook *b, const struct policy *p, struct command *c,
                    int64_t now_ms, struct facts *out)
{
	const struct counters *n = casebook_counters(b);
	facts_clear(out);
	*d = (struct decision){ .book = b,
		                .policy = p,
		                .rules = policy_rules(p),
		                .command = c,
		                .actor = SYSTEM_ACTOR,
		                .now_ms = now_ms,
		                .out = out,
		                .draft = &out->drafts[0],
		                .next_event = n->event,
		                .next_ledger = n->ledger,
		                .next_notice = n->notice,
		                .next_span = n->span };
}

/* ---- the same key again ---- */

static void answer_again(struct command *c, const struct key_fact *k)
{
	c->outcome = (struct outcome){ .accepted = 1,
		                       .case_id = k->case_id,
		                       .category = k->category,
		                       .state = k->state,
		                       .due_ms = k->due_ms,
		                       .again = 1,
		                       .merged_into = k->merged_into,
		                       .maybe_same_as = k->maybe_same_as,
		                       .merged_into_category = k->merged_into_category,
		                       .maybe_same_category = k->maybe_same_category,
		                       .balance = k->balance,
		                       .payable = k->balance,
		                       .made = k->balance };
}

static void remember(struct decision *d)
{
	const struct outcome *o = &d->command->outcome;
	struct key_fact *k = &d->out->key;
	d->out->has_key = 1;
	*k = (struct key_fact){ .key = d->command->key,
		                .case_id = o->case_id,
		                .category = o->category,
		                .state = (uint8_t)o->state,
		                .due_ms = o->due_ms,
		                .merged_into = o->merged_into,
		                .maybe_same_as = o->maybe_same_as,
		                .merged_into_category = o->merged_into_category,
		                .maybe_same_category = o->maybe_same_category,
		                .balance = o->made != 0 ? o->made : o->payable };
	memcpy(k->hash, d->command->hash, sizeof k->hash);
}

/* ---- through the table ---- */

static void list_possible(const struct decision *d, char *out, size_t size)
{
	size_t count, used = 0;
	const struct transition *rows = transitions(&count);
	out[0] = '\0';
	for (size_t i = 0; i < count && used < size; i++) {
		_Bool told = i > 0 && rows[i].act == rows[i - 1].act;
		if ((rows[i].from >> d->draft->state & 1) != 0 && transition_askable(rows[i].act) && !told)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used == 0 ? "" : ", ",
			                         act_info(rows[i].act)->name);
	}
}

static _Bool refuse_state(struct decision *d, enum act act)
{
	char possible[160];
	list_possible(d, possible, sizeof possible);
	return decision_refuse(d, REFUSAL_WRONG_STATE, "transition-table",
	                       "The case is %s %s, where \"%s\" does not start; possible now: %s.",
	                       state_info(d->draft->state)->name, state_info(d->draft->state)->zh, act_info(act)->name,
	                       possible);
}

/* Where a case stands is told only to who could act on it. */
static _Bool through_row(struct decision *d, enum act act)
{
	d->row = transition_find(act, d->draft->state);
	if (d->row == NULL ? !decision_ever_may(d, act) : !decision_may(d, act, d->row->who))
		return decision_lacks(d, act, "who-may-act");
	if (d->row == NULL)
		return refuse_state(d, act);
	if (act != ACT_SUBMIT && d->who != NULL && !evidence_is_here(d))
		return 0;
	if (d->row->guard != NULL && !d->row->guard(d))
		return 0;
	d->row->proceed(d);
	return 1;
}

void decision_outcome(struct decision *d)
{
	struct outcome *o = &d->command->outcome;
	const struct case_file *c = d->draft;
	o->case_id = c->id;
	o->category = c->category;
	o->state = (enum state)c->state;
	o->due_ms = c->stage_due_ms != 0 ? c->stage_due_ms : c->handle_due_ms;
	o->merged_into = c->merged_into;
	if (c->merged_into != 0)
		o->merged_into_category = d->out->drafts[1].category;
}

static _Bool judge_act(struct decision *d)
{
	const struct command *c = d->command;
	const struct case_file *file = casebook_case(d->book, c->case_id);
	if (!transition_askable(c->act))
		return decision_refuse(d, REFUSAL_INVALID, "act-is-askable", "\"%s\" is not something one can ask for.",
		                       act_info(c->act)->name);
	if (file == NULL && !decision_has_somewhere(d, transition_right(c->act), "who-may-act"))
		return 0;
	if (file == NULL)
		return decision_refuse(d, REFUSAL_UNKNOWN_CASE, "case-exists", "There is no open case of that number.");
	*d->draft = *file;
	d->out->draft_count = 1;
	d->master = c->master;
	if (!through_row(d, c->act))
		return 0;
	decision_outcome(d);
	audit_act(d);
	return 1;
}

/* ---- a new case ---- */

static int64_t new_id(const struct decision *d)
{
	const struct counters *n = casebook_counters(d->book);
	int32_t day = d->now_ms < n->day_end_ms ? n->day : clock_local_day(d->now_ms, NULL, NULL);
	if (day <= n->day)
		return case_id_make(casebook_shard(d->book), n->day, n->sequence);
	return case_id_make(casebook_shard(d->book), day, 1);
}

void decision_new_case(struct decision *d)
{
	const struct command *c = d->command;
	struct case_file *f = d->draft;
	*f = (struct case_file){ .id = new_id(d), .category = c->category };
	f->address = address_key(c->address);
	f->actor = casebook_intern(d->book, d->who->id);
	f->anonymous = c->anonymous || c->reporter == NULL;
	f->reporter = f->anonymous ? NULL : casebook_intern(d->book, c->reporter);
	f->reporter_kind = (uint8_t)(c->reporter_kind != REPORTER_UNSET ? (int)c->reporter_kind : d->who->kind);
	locate_report(d);
	d->out->draft_count = 1;
	d->out->report = c;
}

static _Bool judge_submit(struct decision *d)
{
	decision_new_case(d);
	if (!through_row(d, ACT_SUBMIT))
		return 0;
	decision_outcome(d);
	return 1;
}

/* ---- notices ---- */

static _Bool judge_seen(struct decision *d)
{
	d->out->has_seen = 1;
	d->out->seen = (struct seen_fact){ d->who->id, d->command->value, d->now_ms };
	return 1;
}

static _Bool (*const judges[COMMAND_KIND_COUNT])(struct decision *d) = {
	[COMMAND_SUBMIT] = judge_submit,    [COMMAND_ALARM] = alarm_judge,         [COMMAND_ACT] = judge_act,
	[COMMAND_SEEN] = judge_seen,        [COMMAND_REDEEM] = reward_redeem,      [COMMAND_CORRECT] = reward_correct,
	[COMMAND_KEEP] = evidence_keep,     [COMMAND_EMERGENCY] = emergency_judge, [COMMAND_ISSUE] = identity_issue,
	[COMMAND_ROTATE] = identity_rotate, [COMMAND_REVOKE] = identity_revoke,    [COMMAND_AUDIT] = audit_judge,
	[COMMAND_ERASE] = erase_judge,      [COMMAND_NOTE] = audit_note,
};

/* A command may have been under way when what proved its sender was revoked: revoking has a place in the order of things. */
static _Bool still_proven(const struct decision *d)
{
	int64_t id = d->command->credential;
	const struct credential *c = id == 0 ? NULL : roster_find(casebook_roster(d->book), id);
	return id == 0 || (c != NULL && credential_is_live(c, d->now_ms));
}

static _Bool judge(struct decision *d)
{
	if (d->command->kind == COMMAND_NOTE)
		return audit_note(d);
	d->who = policy_person(d->policy, d->command->actor);
	if (d->who == NULL)
		return decision_refuse(d, REFUSAL_NOT_ALLOWED, "identity-known",
		                       "Your identity is not in the policy any more.");
	d->actor = d->who->id;
	if (!still_proven(d))
		return decision_refuse(d, REFUSAL_BAD_CREDENTIALS, "identity-still-holds",
		                       "What you logged in with was revoked or has expired; log in again.");
	must(judges[d->command->kind] != NULL);
	if (d->command->kind < COMMAND_ACT && !evidence_is_here(d))
		return 0;
	return judges[d->command->kind](d);
}

_Bool decide(const struct casebook *b, const struct policy *p, struct command *c, int64_t now_ms,
             const struct key_fact *prior, struct facts *out)
{
	struct decision d;
	decision_begin(&d, b, p, c, now_ms, out);
	c->outcome = (struct outcome){ 0 };
	_Bool keyed = !uuid_is_zero(&c->key);
	const struct key_fact *known = keyed ? casebook_key(b, &c->key) : NULL;
	if (known == NULL)
		known = prior;
	if (known != NULL && memcmp(known->hash, c->hash, sizeof c->hash) != 0)
		return decision_refuse(&d, REFUSAL_KEY_REUSED, "one-key-one-content",
		                       "This key was used for something else; make a new key for a new report.");
	if (known != NULL) {
		answer_again(c, known);
		return 1;
	}
	c->outcome.accepted = judge(&d);
	if (!c->outcome.accepted) {
		facts_clear(out);
		return 0;
	}
	c->outcome.refusal = (struct refusal){ 0 }; /* an automatic step that was not possible is no refusal */
	if (keyed)
		remember(&d);
	return 1;
}

void decide_timer(const struct casebook *b, const struct policy *p, const struct timer *t, int64_t now_ms,
                  struct facts *out)
{
	struct decision d;
	struct command none = { .kind = COMMAND_ACT, .act = t->act, .lat_e7 = PLACE_NONE, .lon_e7 = PLACE_NONE };
	const struct case_file *file = casebook_case(b, t->case_id);
	decision_begin(&d, b, p, &none, now_ms, out);
	must(file != NULL);
	*d.draft = *file;
	d.alarm_count = casebook_alarm_count(b, t->case_id);
	out->draft_count = 1;
	must(through_row(&d, t->act) && out->event_count > 0);
}
