/* discover 发现: a matter is reported or seen by a camera, looked at, and filed, refused, merged or withdrawn. */
#include <stdio.h>

#include "jurisdiction/cameras.h"
#include "workflow/alarm.h"
#include "jurisdiction/policy_map.h"
#include "workflow/doubt.h"
#include "workflow/duty.h"
#include "workflow/case_number.h"
#include "workflow/known.h"
#include "workflow/place.h"

/* ---- submit ---- */

_Bool discover_room(struct decision *d)
{
	if (casebook_open_count(d->book) < CASEBOOK_CASES_MOST && case_id_sequence(d->draft->id) < CASE_SEQUENCE_MOST)
		return 1;
	decision_refuse(d, REFUSAL_RETRY_LATER, "room-for-cases", "The casebook is full; send it again later.");
	d->command->outcome.refusal.retry_after_ms = 60000;
	return 0;
}

_Bool discover_submit_guard(struct decision *d)
{
	char code[CATEGORY_TEXT_SIZE];
	category_text(d->draft->category, code);
	if (policy_category(d->policy, d->draft->category) == NULL)
		return decision_refuse(
			d, REFUSAL_UNKNOWN_CATEGORY, "category-in-the-catalogue",
			"There is no category %s here; ask for the list of categories and send one of them.", code);
	return doubt_day_guard(d) && discover_room(d);
}

/* What is surely known already joins it; what is perhaps known is told to the sender, for a person to decide. */
static _Bool merged_by_itself(struct decision *d, const struct category *k)
{
	const struct known known = known_find(d->book, d->rules, k, d->draft, d->now_ms);
	const struct case_file *hint = known.maybe;

	if (known.sure != NULL) {
		d->master = known.sure->id;
		if (decision_then(d, ACT_MERGE))
			return 1;
		hint = known.sure;
	}
	if (hint != NULL) {
		d->command->outcome.maybe_same_as = hint->id;
		d->command->outcome.maybe_same_category = hint->category;
		d->out->events[0].value = hint->id; /* so that the event says all that the answer does */
	}
	return 0;
}

/* Nobody has to be asked: a trusted reporter, a sure category, a grid; then a sure route. */
static void go_on_by_itself(struct decision *d, const struct category *k)
{
	if (!d->rules->auto_file || !k->sure || !d->who->trusted || !decision_then(d, ACT_FILE))
		return;
	if (d->rules->auto_dispatch)
		decision_then(d, ACT_DISPATCH);
}

void discover_submit(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_SUBMIT, STATE_REPORTED);
	f->ref = told_name((enum told)d->draft->told);
	if (d->draft->told == TOLD_OUTSIDE || d->draft->told == TOLD_DEFAULT)
		f->value = place_pack(d->command->lat_e7, d->command->lon_e7);
	decision_commit(d, f);
	doubt_look_at_report(d);
	const struct category *k = policy_category(d->policy, d->draft->category);
	if (merged_by_itself(d, k))
		return;
	go_on_by_itself(d, k);
}

/* ---- alarms ---- */

_Bool discover_alarm_guard(struct decision *d)
{
	const struct command *c = d->command;
	const char *label = c->label == NULL ? "" : c->label;
	const struct camera_label *k = policy_camera_label(d->policy, policy_camera(d->policy, c->camera), label);
	if (k == NULL)
		return decision_refuse(d, REFUSAL_UNKNOWN_CATEGORY, "label-in-the-registry",
		                       "The camera registry gives no category for what camera %s calls \"%s\".",
		                       c->camera, label);
	if (c->confidence < k->confidence && !c->ended)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "sure-enough",
		                       "Confidence %.2f is below the %.2f asked of camera %s.", c->confidence,
		                       k->confidence, c->camera);
	return 1;
}

void discover_alarm(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_ALARM, STATE_ALARM_PENDING);
	f->text = d->command->label;
	f->value = d->alarm_count;
	decision_commit(d, f);
}

void discover_alarm_again(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_ALARM_AGAIN, STATE_NONE);
	f->value = d->alarm_count;
	decision_commit(d, f);
}

/* ---- confirm, dismiss ---- */

_Bool discover_confirm_guard(struct decision *d)
{
	if ((d->who->roles & ROLE_CAMERAS) == 0)
		return 1;
	return decision_refuse(
		d, REFUSAL_RULE_BROKEN, "never-the-gateway",
		"A camera's gateway cannot confirm or dismiss alarms; an acceptor or the grid's worker does.");
}

_Bool discover_dismiss_guard(struct decision *d)
{
	return discover_confirm_guard(d) && decision_reason(d);
}

void discover_confirm(struct decision *d)
{
	decision_commit(d, decision_event(d, ACT_CONFIRM, STATE_REPORTED));
	const struct category *k = policy_category(d->policy, d->draft->category);
	if (k != NULL && k->sure && d->rules->auto_file && decision_then(d, ACT_FILE) && d->rules->auto_dispatch)
		decision_then(d, ACT_DISPATCH);
}

/* ---- verify ---- */

/* The worker asked: named, or who has the duty in the grid. */
static const struct person *worker_asked(struct decision *d)
{
	if (d->command->unit != NULL)
		return policy_person(d->policy, d->command->unit);
	return duty_worker(d, d->draft);
}

_Bool discover_verify_guard(struct decision *d)
{
	const struct person *w = worker_asked(d);
	if (w == NULL || (w->roles & ROLE_WORKER) == 0)
		return decision_refuse(
			d, REFUSAL_UNKNOWN_PERSON, "verifier-is-a-worker",
			"Name a grid worker to verify it (nobody has the duty in this grid, or that is none).");
	if (decision_is_reported_by(d->draft, w->id))
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "verifier-is-not-reporter",
		                       "%s reported this case and cannot verify it; name another worker.", w->id);
	return 1;
}

void discover_verify(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_VERIFY, STATE_VERIFYING);
	f->ref = worker_asked(d)->id;
	f->value = d->draft->stage_due_ms - d->now_ms; /* what is left of the accept timer */
	decision_commit(d, f);
}

static _Bool stood_there(struct decision *d)
{
	const struct case_file *c = d->draft;
	const struct command *m = d->command;
	if (c->lat_e7 == PLACE_NONE)
		return 1;
	if (m->lat_e7 == PLACE_NONE)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "verified-at-the-place",
		                       "Send the place where you stand with the result.");
	double metres = place_metres(c->lat_e7, c->lon_e7, m->lat_e7, m->lon_e7);
	if (metres > (double)d->rules->verify_within_m)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "verified-at-the-place",
		                       "You stand %.0f m from the place; go within %d m of it.", metres,
		                       (int)d->rules->verify_within_m);
	return 1;
}

_Bool discover_verified_guard(struct decision *d)
{
	if (decision_is_reported_by(d->draft, d->who->id))
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "verifier-is-not-reporter",
		                       "You reported this case; another worker verifies it.");
	if (d->command->finding == FINDING_NONE)
		return decision_refuse(d, REFUSAL_INVALID, "finding-given",
		                       "Say what you found: exists, not there, or cannot tell.");
	if (d->command->evidence_count == 0)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "verified-with-a-photo",
		                       "Send at least one photo, uploaded here, with the result.");
	return stood_there(d);
}

void discover_verified(struct decision *d)
{
	static const char *const findings[] = { NULL, "exists", "not-there", "cannot-tell" };
	struct fact *f = decision_event(d, ACT_VERIFIED, STATE_REPORTED);
	f->ref = findings[d->command->finding];
	f->value = d->command->finding;
	f->stage_due_ms = d->now_ms + d->draft->accept_left_ms;
	decision_commit(d, f);
}

/* ---- file ---- */

/* The acceptor may correct the category and set the grid while filing. */
_Bool discover_file_guard(struct decision *d)
{
	const struct command *c = d->command;
	_Bool asked = d->who != NULL;
	if (asked && c->category != 0 && policy_category(d->policy, c->category) == NULL)
		return decision_refuse(d, REFUSAL_UNKNOWN_CATEGORY, "category-in-the-catalogue",
		                       "There is no such category here.");
	if (asked && c->grid != 0 && policy_grid_on(d->policy, c->grid, d->now_ms) == NULL)
		return decision_refuse(d, REFUSAL_UNKNOWN_PERSON, "grid-in-the-map", "There is no grid %lld here.",
		                       (long long)c->grid);
	if (asked && c->grid != 0 && c->grid != d->draft->grid && !decision_within(d, c->grid))
		return 0;
	if (d->draft->grid == 0 && (!asked || c->grid == 0))
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "grid-set",
		                       "The place is still to be located; file it with a grid.");
	return evidence_file_guard(d, asked && c->category != 0 ? c->category : d->draft->category);
}

void discover_file(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_FILE, STATE_FILED);
	if (d->who != NULL && d->command->category != 0)
		f->category = d->command->category;
	if (d->who != NULL && d->command->grid != 0) {
		f->value = d->command->grid != f->grid;
		f->grid = d->command->grid;
	}
	decision_commit(d, f);
	if (d->who != NULL && d->rules->auto_dispatch)
		decision_then(d, ACT_DISPATCH);
}

/* ---- merge ---- */

_Bool discover_merge_guard(struct decision *d)
{
	const struct case_file *master = casebook_case(d->book, d->master);
	if (master == NULL || master->id == d->draft->id)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "master-is-open",
		                       "The case to merge into is not open, or is this one; name another open case.");
	if (!decision_within(d, master->grid))
		return 0;
	if (master->state >= STATE_CLOSED)
		return decision_refuse(
			d, REFUSAL_RULE_BROKEN, "master-is-open",
			"The case to merge into is settled already; reopen that one, or let this one go its way.");
	size_t here, there;
	casebook_followers(d->book, master->id, &there);
	casebook_followers(d->book, d->draft->id, &here);
	if (here + there + 1 > FACTS_FOLLOWERS_MOST)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "followers-at-most",
		                       "Already %zu cases are merged there; choose another.", there);
	return 1;
}

void discover_merge(struct decision *d)
{
	struct case_file *master = &d->out->drafts[1];
	*master = *casebook_case(d->book, d->master);
	d->out->draft_count = 2;
	struct fact *f = decision_event(d, ACT_MERGE, STATE_MERGED);
	f->value = master->id;
	f->handle_due_ms = 0;
	decision_commit(d, f);
	struct fact *g = decision_event_on(d, master, ACT_FOLLOW, STATE_NONE);
	g->actor = SYSTEM_ACTOR;
	g->value = d->draft->id;
	decision_commit_on(d, master, g);
}

/* Those merged into it would be left without an outcome. */
_Bool discover_withdraw_guard(struct decision *d)
{
	size_t count;

	casebook_followers(d->book, d->draft->id, &count);
	if (count == 0)
		return 1;
	return decision_refuse(d, REFUSAL_RULE_BROKEN, "nobody-follows",
	                       "%zu other report%s joined this one, so it can no longer be taken back.", count,
	                       count == 1 ? " has" : "s have");
}

/* Only ever written by a merge, so never asked for alone. */
void discover_follow(struct decision *d)
{
	(void)d;
	must_not_happen(__FILE__, __LINE__, "follow is part of merge");
}
