/* writer: takes whatever has queued up, decides it, writes its facts, commits once, answers. */
#include "engine/writer.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mask.h"
#include "engine/policy_change.h"
#include "jurisdiction/policy.h"
#include "store/cut_audit.h"
#include "store/expire.h"
#include "workflow/case_number.h"
#include "workflow/decide.h"

/* ---- start and end ---- */

static _Bool recover(struct writer *w, char **cause)
{
	casebook_free(w->book);
	w->book = casebook_new(w->options->shard);
	if (!store_recover(w->store, w->book, cause))
		return 0;
	w->now_ms = casebook_counters(w->book)->last_ms;
	return policy_change_recover(w, cause);
}

_Bool writer_open(struct writer *w, char **cause)
{
	facts_init(&w->facts);
	/* First, because a full disk lets nothing be opened and the ballast may have to go. */
	room_init(&w->room, w->options->store.path, &w->options->store.room);
	w->policy = policy_hold(w->options->policy);
	w->lot.commands = must_calloc((size_t)w->options->batch_most, sizeof(struct command *));
	w->store = store_open(&w->options->store, cause);
	return w->store != NULL && recover(w, cause);
}

void writer_close(struct writer *w)
{
	edition_close(&w->lot.edition);
	free(w->lot.commands);
	facts_close(&w->facts);
	room_close(&w->room);
	casebook_free(w->book);
	store_close(w->store);
	policy_release(w->policy);
	w->lot = (struct lot){ 0 };
	w->book = NULL;
	w->store = NULL;
	w->policy = NULL;
}

/* ---- time ---- */

/* The workflow's time never runs backwards, whatever the machine's clock does. */
int64_t writer_clock(struct writer *w)
{
	struct clock k = w->options->clock;
	int64_t now = w->now_ms, wall = k.wall_ms(k.ctx);
	if (!w->options->replay_clock && wall > now)
		w->now_ms = now = wall;
	if (w->options->replay_clock && now == 0)
		return wall;
	return now;
}

static int64_t mono_ms(const struct writer *w)
{
	return w->options->clock.mono_ms(w->options->clock.ctx);
}

/* ---- writing ---- */

static int64_t mono_us(const struct writer *w)
{
	return w->options->clock.mono_us(w->options->clock.ctx);
}

static void end_transaction(struct writer *w)
{
	w->in_transaction = 0;
	w->written = 0;
	if (w->trouble == STORE_FULL)
		store_rollback(w->store);
	else if (w->trouble == STORE_OK)
		w->settled = w->decided;
	if (w->trouble != STORE_OK)
		edition_clear(&w->lot.edition);
}

void writer_settle(struct writer *w)
{
	int64_t began_us = mono_us(w);
	if (w->trouble == STORE_OK && w->in_transaction)
		w->trouble = store_commit(w->store);
	w->commit_us = mono_us(w) - began_us;
	end_transaction(w);
	w->publish(w->ctx, &w->lot.edition);
}

void writer_begin(struct writer *w)
{
	if (!w->in_transaction)
		w->trouble = store_begin(w->store);
	w->in_transaction = 1;
}

void writer_write(struct writer *w)
{
	const struct facts *f = &w->facts;
	if (f->event_count + f->ledger_count + f->span_count == 0 && !f->has_key && !f->has_seen && !f->has_file &&
	    f->audit.what == AUDITED_NONE && !f->has_emergency && f->credential_count == 0 && !f->sweep)
		return;
	writer_begin(w);
	if (w->trouble != STORE_OK)
		return;
	casebook_apply(w->book, f);
	w->trouble = store_write(w->store, f);
	edition_note(&w->lot.edition, f);
	w->written += (int64_t)f->event_count;
	if (f->sweep)
		policy_change_sweep(w);
}

/* ---- timers ---- */

/* Fires what has run out up to `until`. On a replay clock each at its own moment, otherwise all now. A long run is
 * committed in pieces: timers have nobody waiting for their answer. */
static void run_timers(struct writer *w, int64_t until)
{
	struct timer t;
	while (w->trouble == STORE_OK && casebook_next_timer(w->book, &t) && t.at_ms <= until) {
		if (w->options->replay_clock && t.at_ms > w->now_ms)
			w->now_ms = t.at_ms;
		decide_timer(w->book, w->policy, &t, w->now_ms, &w->facts);
		writer_write(w);
		if (w->written >= WRITER_FACTS_MOST)
			writer_settle(w);
	}
}

static void advance(struct writer *w, int64_t to)
{
	run_timers(w, to);
	if (to > w->now_ms)
		w->now_ms = to;
}

static void latest_ending(void *ctx, const struct case_file *c)
{
	int64_t *latest = ctx;
	if ((c->state == STATE_CLOSED || c->state == STATE_REVIEWED) && c->stage_due_ms > *latest)
		*latest = c->stage_due_ms;
}

/* Runs the replay clock on until no closed case waits for its review or its reward any more. */
static void settle_clock(struct writer *w)
{
	for (;;) {
		int64_t latest = 0;
		casebook_each(w->book, latest_ending, &latest);
		if (latest == 0 || w->trouble != STORE_OK)
			return;
		advance(w, latest);
	}
}

static void run_clock_command(struct writer *w, struct command *c)
{
	c->outcome = (struct outcome){ .accepted = w->options->replay_clock };
	if (!w->options->replay_clock) {
		refuse(&c->outcome.refusal, REFUSAL_NOT_ALLOWED, "replay-clock-only",
		       "This daemon runs on the real clock.");
		return;
	}
	if (c->settle)
		settle_clock(w);
	else
		advance(w, c->value);
	c->outcome.due_ms = w->now_ms;
}

/* ---- evidence ---- */

#define FORGET_EVERY_MS (INT64_C(10) * 60 * 1000)

/* Uploads that no case has named for days: now and then, in the batch's transaction. */
static void forget_evidence(struct writer *w)
{
	int64_t keep_ms = w->options->evidence_limits.unnamed_keep_ms, forgotten = 0;
	if (keep_ms == 0 || w->trouble != STORE_OK || mono_ms(w) < w->forget_at_ms)
		return;
	w->forget_at_ms = mono_ms(w) + FORGET_EVERY_MS;
	writer_begin(w);
	if (w->trouble == STORE_OK)
		w->trouble = store_forget_evidence(w->store, w->now_ms - keep_ms, &forgotten);
	if (forgotten > 0)
		log_line(LOG_LEVEL_INFO, "evidence-unnamed", "forgotten=%lld", (long long)forgotten);
}

/* ---- retention ---- */

/* A piece of what has to go, and a row of the audit that says how much that was. */
static _Bool expire_piece(struct writer *w, int64_t keep_days)
{
	if (keep_days == 0)
		return 0;
	struct expired gone = { 0 };
	struct audit_fact row = { .at_ms = w->now_ms, .what = AUDITED_EXPIRE, .who = "system", .channel = "timer" };
	writer_begin(w);
	if (w->trouble == STORE_OK)
		w->trouble = store_expire(w->store, w->now_ms - keep_days * CLOCK_DAY_MS, &gone);
	row.count = gone.cases;
	if (w->trouble == STORE_OK && gone.cases > 0)
		w->trouble = store_write_audit(w->store, &row);
	if (gone.cases > 0)
		log_line(LOG_LEVEL_INFO, "personal-fields-expired", "cases=%lld notices=%lld", (long long)gone.cases,
		         (long long)gone.notices);
	return w->trouble == STORE_OK && gone.more;
}

static _Bool cut_piece(struct writer *w, int64_t keep_days)
{
	int64_t gone = 0;
	if (keep_days == 0 || w->trouble != STORE_OK)
		return 0;
	writer_begin(w);
	if (w->trouble == STORE_OK)
		w->trouble = store_cut_audit(w->store, w->now_ms - keep_days * CLOCK_DAY_MS, w->now_ms, &gone);
	if (gone > 0)
		log_line(LOG_LEVEL_INFO, "audit-cut", "rows=%lld", (long long)gone);
	return w->trouble == STORE_OK && gone == CUT_AUDIT_AT_ONCE;
}

/* Once a day, a piece with each batch; on a replay clock all of it, so that a replay is the same every time. */
static void expire(struct writer *w)
{
	const struct policy_rules *keep = policy_rules(w->policy);
	_Bool more;
	if (w->now_ms == 0 || w->now_ms < w->expire_at_ms || w->trouble != STORE_OK || mono_ms(w) < w->timers_after_ms)
		return;
	do {
		more = expire_piece(w, keep->personal_keep_days) || cut_piece(w, keep->audit_keep_days);
	} while (more && w->options->replay_clock);
	if (!more)
		w->expire_at_ms = w->now_ms + CLOCK_DAY_MS;
}

/* ---- commands ---- */

/* The key's stored answer, when memory does not go back that far. */
static const struct key_fact *prior_answer(struct writer *w, const struct command *c, struct key_fact *room)
{
	if (uuid_is_zero(&c->key) || casebook_key(w->book, &c->key) != NULL ||
	    casebook_keys_complete_for(w->book, &c->key))
		return NULL;
	return store_find_key(w->store, &c->key, room) ? room : NULL;
}

/* "No open case" is said better when the archive has it. */
static void explain_unknown_case(struct writer *w, struct command *c)
{
	int32_t category;
	enum state state;
	if (c->outcome.refusal.code != REFUSAL_UNKNOWN_CASE ||
	    !store_find_archived(w->store, c->case_id, &category, &state))
		return;
	char number[CASE_NUMBER_SIZE];
	case_number_text(c->case_id, category, number);
	/* How it ended is for those to know who may see it. */
	refuse(&c->outcome.refusal, REFUSAL_WRONG_STATE, "case-is-open",
	       "Case %s is archived; nothing more can be done to it.", number);
}

/* What is named counts only when its sender has uploaded it: the rows know. */
static void look_for_evidence(struct writer *w, struct command *c)
{
	for (int i = 0; i < c->evidence_count && c->kind <= COMMAND_ACT; i++)
		store_find_evidence(w->store, &c->evidence[i], c->actor);
}

/* Of whom nothing is known the audit holds no name: it would outlive the person's erasure. */
static void look_for_named(struct writer *w, struct command *c)
{
	for (int i = 0; i < c->unit_count && c->kind == COMMAND_AUDIT; i++)
		if (policy_person(w->policy, c->units[i]) == NULL && !store_knows(w->store, c->units[i]))
			mask_word((char *)(uintptr_t)c->person, c->units[i]);
}

/* ---- a disk that is short ---- */

static _Bool opens_a_case(const struct command *c)
{
	return c->kind == COMMAND_SUBMIT || c->kind == COMMAND_ALARM;
}

/* What was taken before still gets the answer of then. */
static _Bool is_new(struct writer *w, const struct command *c)
{
	struct key_fact room;
	return uuid_is_zero(&c->key) || (casebook_key(w->book, &c->key) == NULL && prior_answer(w, c, &room) == NULL);
}

static void refuse_for_room(struct command *c, const char *sentence)
{
	c->outcome = (struct outcome){ 0 };
	refuse(&c->outcome.refusal, REFUSAL_RETRY_LATER, "disk-has-room", "%s", sentence);
	c->outcome.refusal.retry_after_ms = WRITER_RETRY_MS;
}

static void run_command(struct writer *w, struct command *c)
{
	struct key_fact room;
	int64_t now = writer_clock(w);
	if (w->options->replay_clock && c->replay_at_ms > w->now_ms) {
		advance(w, c->replay_at_ms);
		now = w->now_ms;
	}
	look_for_evidence(w, c);
	look_for_named(w, c);
	if (w->room.is_short && opens_a_case(c) && is_new(w, c))
		refuse_for_room(c, "The disk is nearly full here; send it again later, with the same key.");
	else if (c->kind == COMMAND_CLOCK)
		run_clock_command(w, c);
	else if (c->kind == COMMAND_POLICY)
		policy_change_run(w, c);
	else if (decide(w->book, w->policy, c, now, prior_answer(w, c, &room), &w->facts))
		writer_write(w);
	else
		explain_unknown_case(w, c);
}

/* Nothing of the batch is on disk, so nobody is told that it was accepted. */
static void take_back(struct command *c)
{
	if (!c->outcome.accepted && c->outcome.refusal.code != REFUSAL_NONE)
		return;
	refuse_for_room(c, "The disk is full here; nothing was lost, send it again later.");
}

static void start_over(struct writer *w)
{
	char *cause = NULL;
	log_line(LOG_LEVEL_ERROR, "disk-full", "action=batch-refused");
	w->trouble = STORE_OK;
	w->timers_after_ms = mono_ms(w) + WRITER_RETRY_MS; /* timers cannot be refused, so they wait */
	if (!recover(w, &cause)) {
		log_line(LOG_LEVEL_ERROR, "recovery-failed", "cause=\"%s\"", cause);
		free(cause);
		w->trouble = STORE_UNKNOWN;
	}
	/* With the ballast gone there is room to bring the log home, and then to write over it. */
	if (w->trouble == STORE_OK && room_give_up_ballast(&w->room) && store_checkpoint(w->store, 1) == STORE_UNKNOWN)
		w->trouble = STORE_UNKNOWN;
}

/* The store's fate is unknown: nobody is answered. */
static _Bool keep_silent(struct command **commands, size_t count)
{
	for (size_t i = 0; i < count; i++)
		command_discard(commands[i]);
	return 0;
}

/* ---- how many at once ----
 *
 * On a fast disk the writer waits for its sync, and meanwhile and while it decides the answers of the lot before are on
 * their way out and back: half of those who wait, so that the two halves take turns, and not so few that their commit
 * costs more than it hides. How many those are was found by trying: 24 on a disk of 0.1 ms, 36 to 40 on one of 0.3 and
 * 0.6 (docs/performance.md). */
#define LOT_LEAST 24
#define LOT_LEAST_MOST 40
#define LOT_US 9          /* of a commit, a command: the longer it takes, the more share it */
#define SLOW_FROM_US 1000 /* a commit as long as this is mostly its sync */

static _Bool disk_is_slow(const struct writer *w)
{
	return w->commit_us >= SLOW_FROM_US;
}

static size_t lot_least(const struct writer *w)
{
	int64_t share = w->commit_us / LOT_US;
	return share < LOT_LEAST ? LOT_LEAST : share < LOT_LEAST_MOST ? (size_t)share : LOT_LEAST_MOST;
}

static size_t lot_most(struct writer *w)
{
	size_t half = queue_length(w->commands) / 2, least = lot_least(w), most = (size_t)w->options->batch_most;
	if (disk_is_slow(w))
		return most;
	if (half < least)
		half = least;
	return half < most ? half : most;
}

/* ---- gathering ----
 *
 * A commit costs nearly the same for one report as for a hundred. Senders that wait for their answer before they send
 * again would fall into two halves, each waiting for the other's commit; so the writer expects those it has just
 * answered back, and beside those that queued up meanwhile decides and writes them as they come, before it commits. It
 * waits no longer than two commits take, and less each time that they did not come. A lone sender is the only one
 * expected, so nobody waits for others. */
#define GATHER_MOST_US 5000
#define GATHER_HOPE_MOST 16 /* sixteenths of the allowed time */

static int64_t allowed_us(const struct writer *w)
{
	int64_t most = w->commit_us * 2 < GATHER_MOST_US ? w->commit_us * 2 : GATHER_MOST_US;
	return most * w->hope / GATHER_HOPE_MOST;
}

static void decide_taken(struct writer *w)
{
	for (; w->decided < w->lot.count && w->trouble == STORE_OK; w->decided++)
		run_command(w, w->lot.commands[w->decided]);
}

static size_t take(struct writer *w, size_t most, int64_t wait_ms)
{
	struct lot *lot = &w->lot;
	size_t count = queue_pop(w->commands, (void **)lot->commands + lot->count, most - lot->count, wait_ms);
	lot->count += count;
	return count;
}

static void gather(struct writer *w)
{
	size_t most = (size_t)w->options->batch_most, want = w->expected < most ? w->expected : most;
	if (w->lot.count == 0 || w->lot.count >= want || !disk_is_slow(w))
		return;
	int64_t end = mono_us(w) + allowed_us(w), left = allowed_us(w);
	for (; w->lot.count < want && left > 0 && w->trouble == STORE_OK; left = end - mono_us(w)) {
		if (queue_gather(w->commands, 1, left) == 0)
			break;
		take(w, most, 0);
		decide_taken(w);
	}
	if (w->lot.count >= want)
		w->hope = w->hope * 2 < GATHER_HOPE_MOST ? w->hope * 2 : GATHER_HOPE_MOST;
	else
		w->hope = w->hope > 1 ? w->hope / 2 : 1;
}

/* ---- one batch ---- */

static void answer(struct writer *w)
{
	struct lot *lot = &w->lot;
	if (w->trouble == STORE_FULL) {
		for (size_t i = w->settled; i < lot->count; i++)
			take_back(lot->commands[i]);
		start_over(w);
	}
	w->expected = lot->count + queue_length(w->commands);
	w->batches++;
	w->deliver(w->ctx, lot->commands, lot->count);
	lot->count = 0;
}

/* What was taken, and those who are expected. false: the process has to end. */
static _Bool run_batch(struct writer *w)
{
	w->trouble = STORE_OK;
	w->decided = w->settled = 0;
	room_look(&w->room, mono_ms(w));
	decide_taken(w);
	gather(w);
	if (!w->options->replay_clock && mono_ms(w) >= w->timers_after_ms)
		run_timers(w, writer_clock(w));
	if (mono_ms(w) >= w->timers_after_ms)
		policy_change_look(w);
	if (policy_change_is_sweeping(w) && mono_ms(w) >= w->timers_after_ms)
		policy_change_slice(w);
	forget_evidence(w);
	/* What could not be read was not found, and may have been decided wrongly. */
	if (w->trouble == STORE_OK)
		w->trouble = store_state(w->store);
	expire(w);
	writer_settle(w);
	if (w->trouble != STORE_OK && w->trouble != STORE_FULL)
		return keep_silent(w->lot.commands, w->lot.count);
	answer(w);
	return w->trouble == STORE_OK;
}

static _Bool checkpoint(struct writer *w, _Bool idle)
{
	if (!store_wants_checkpoint(w->store, idle) || mono_ms(w) < w->checkpoint_after_ms)
		return 1;
	enum store_result result = store_checkpoint(w->store, idle);
	if (result == STORE_FULL && room_give_up_ballast(&w->room))
		result = store_checkpoint(w->store, idle);
	if (result == STORE_FULL)
		w->checkpoint_after_ms = mono_ms(w) + WRITER_RETRY_MS;
	return result == STORE_OK || result == STORE_FULL;
}

/* How long to sleep when nothing comes: to the next timer, but wake now and then for the idle checkpoint. */
#define IDLE_MS 1000

static int64_t sleep_ms(struct writer *w)
{
	struct timer t;
	_Bool sweeping = policy_change_is_sweeping(w);
	if (!sweeping && (w->options->replay_clock || !casebook_next_timer(w->book, &t)))
		return IDLE_MS;
	int64_t left = sweeping ? 0 : t.at_ms - writer_clock(w), pause = w->timers_after_ms - mono_ms(w);
	if (left < pause)
		left = pause;
	return left < 0 ? 0 : left < IDLE_MS ? left : IDLE_MS;
}

void writer_run(struct writer *w)
{
	_Bool fine = 1;
	w->hope = GATHER_HOPE_MOST;
	while (fine) {
		_Bool idle = take(w, lot_most(w), sleep_ms(w)) == 0;
		if (idle && queue_is_closed(w->commands))
			break;
		fine = run_batch(w) && checkpoint(w, idle && !policy_change_is_sweeping(w));
	}
	if (!fine)
		w->failed(w->ctx, store_state(w->store) == STORE_DAMAGED ? WRITER_EXIT_DAMAGED : WRITER_EXIT_UNKNOWN);
}
