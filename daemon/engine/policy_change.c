#include "engine/policy_change.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/policy_record.h"
#include "workflow/policy_fit.h"
#include "workflow/sweep.h"

/* ---- the sweep ---- */

void policy_change_sweep(struct writer *w)
{
	casebook_walk(w->book);
	w->sweep.running = 1;
	w->sweep.visited = w->sweep.changed = 0;
}

_Bool policy_change_is_sweeping(const struct writer *w)
{
	return w->sweep.running;
}

/* Once a day, into a log that the database's owner does not own. */
static void note_heads(const struct writer *w)
{
	char heads[STORE_HEADS_SIZE];
	store_heads(w->store, heads);
	log_line(LOG_LEVEL_NOTICE, "chain-heads", "%s", heads);
}

void policy_change_look(struct writer *w)
{
	int64_t now = w->now_ms;
	_Bool known = w->sweep.day_end_ms != 0;
	if (now == 0 || now < w->sweep.day_end_ms)
		return;
	clock_local_day(now, NULL, &w->sweep.day_end_ms);
	if (!known)
		return;
	note_heads(w);
	writer_begin(w);
	if (w->trouble == STORE_OK)
		w->trouble = store_write_sweep(w->store, 1);
	policy_change_sweep(w);
}

/* Over is over once it is on disk. */
static void end_sweep(struct writer *w)
{
	writer_begin(w);
	if (w->trouble == STORE_OK)
		w->trouble = store_write_sweep(w->store, 0);
	writer_settle(w);
	if (w->trouble != STORE_OK)
		return;
	w->sweep.running = 0;
	log_line(LOG_LEVEL_NOTICE, "sweep-done", "cases=%lld changed=%lld", (long long)w->sweep.visited,
	         (long long)w->sweep.changed);
}

void policy_change_slice(struct writer *w)
{
	_Bool whole = w->options->replay_clock;
	int64_t room = w->written + SWEEP_FACTS_A_SLICE;
	const struct case_file *c = NULL;
	for (int i = 0; w->trouble == STORE_OK && (whole || (i < SWEEP_VISITS_A_SLICE && w->written < room)); i++) {
		c = casebook_walk_next(w->book);
		if (c == NULL) {
			end_sweep(w);
			return;
		}
		w->sweep.visited++;
		if (!decide_sweep(w->book, w->policy, c->id, writer_clock(w), &w->facts))
			continue;
		w->sweep.changed++;
		writer_write(w);
	}
}

/* ---- the swap ---- */

/* The policy's row, alone in its transaction: then no decision shares one with the policy before. */
static _Bool record(struct writer *w, const struct command *c, int64_t from_ms)
{
	const struct audit_fact row = { .at_ms = from_ms,
		                        .what = AUDITED_RELOAD,
		                        .who = c->actor ? c->actor : "system",
		                        .subject = policy_digest(c->policy),
		                        .channel = c->channel ? c->channel : "signal" };
	writer_begin(w);
	if (w->trouble == STORE_OK)
		w->trouble = store_write_policy(w->store, policy_digest(c->policy), from_ms);
	if (w->trouble == STORE_OK)
		w->trouble = store_write_audit(w->store, &row);
	writer_settle(w);
	return w->trouble == STORE_OK;
}

/* On the replay clock an empty street has no time yet. */
static int64_t in_force_from(struct writer *w)
{
	return w->options->replay_clock ? w->now_ms : writer_clock(w);
}

static void swap(struct writer *w, const struct policy *p, int64_t from_ms)
{
	log_line(LOG_LEVEL_NOTICE, "policy-in-force", "digest=%.16s before=%.16s", policy_digest(p),
	         policy_digest(w->policy));
	policy_release(w->policy);
	w->policy = policy_hold(p);
	w->policy_from_ms = from_ms;
	policy_change_sweep(w);
}

void policy_change_run(struct writer *w, struct command *c)
{
	c->outcome = (struct outcome){ 0 };
	if (!policy_fits_casebook(w->book, c->policy, in_force_from(w), c->problems)) {
		refuse(&c->outcome.refusal, REFUSAL_RULE_BROKEN, "policy-fits-open-cases",
		       "Open cases need what the new policy no longer has; nothing was changed.");
		return;
	}
	int64_t from_ms = in_force_from(w);
	writer_settle(w);
	if (w->trouble != STORE_OK || !record(w, c, from_ms))
		return;
	swap(w, c->policy, from_ms);
	w->settled = w->decided + 1; /* its row is on disk, whatever becomes of the rest of the batch */
	c->outcome = (struct outcome){ .accepted = 1, .due_ms = from_ms };
}

/* ---- at the start ---- */

/* A daemon that does not start takes no reports, so here a misfit is said, not refused. */
static void say_misfit(struct writer *w)
{
	struct problems p = { 0 };
	if (!policy_fits_casebook(w->book, w->policy, in_force_from(w), &p))
		for (size_t i = 0; i < p.count; i++)
			log_line(LOG_LEVEL_WARNING, "policy-does-not-fit", "problem=\"%s\"", p.lines[i]);
	problems_close(&p);
}

/* A disk that is full now is no reason not to start: the row and the sweep come again with the next start. */
static _Bool take_over(struct writer *w, char **cause)
{
	w->policy_from_ms = in_force_from(w);
	say_misfit(w);
	policy_change_sweep(w);
	w->trouble = store_begin(w->store);
	if (w->trouble == STORE_OK)
		w->trouble = store_write_policy(w->store, policy_digest(w->policy), w->policy_from_ms);
	if (w->trouble == STORE_OK)
		w->trouble = store_commit(w->store);
	if (w->trouble != STORE_OK && w->trouble != STORE_FULL) {
		*cause = must_strdup("the policy's row could not be written");
		return 0;
	}
	if (w->trouble == STORE_FULL)
		store_rollback(w->store);
	w->trouble = STORE_OK;
	return 1;
}

_Bool policy_change_recover(struct writer *w, char **cause)
{
	struct policy_record r;
	if (!store_policy(w->store, &r, cause))
		return 0;
	w->sweep.running = 0;
	w->sweep.day_end_ms = 0;
	if (w->now_ms != 0)
		clock_local_day(w->now_ms, NULL, &w->sweep.day_end_ms); /* the day of the newest fact */
	if (strcmp(r.digest, policy_digest(w->policy)) != 0)
		return take_over(w, cause);
	w->policy_from_ms = r.from_ms;
	if (r.sweep_due)
		policy_change_sweep(w);
	return 1;
}
