/* invariants: those of the domain that can be seen in memory, by number. */
#include <string.h>

#include "workflow/transitions.h"
#include "world.h"

static const char *name_of(const struct told *t)
{
	return t->name ? t->name : "(a case without a name)";
}

/* 8: no transition outside the table; and each event follows on the one before it. */
static void chain_holds(struct world *w, const struct told *t)
{
	enum state state = STATE_NONE;
	int64_t prev = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct fact *f = &t->events[i];

		if (!transition_allowed(f->act, f->from, f->to) || f->from != state || f->prev != prev || f->id <= prev)
			script_fail(w->script,
			            "%s: event %zu, \"%s\" from %s to %s, is not in the table or does not follow",
			            name_of(t), i + 1, act_info(f->act)->name, state_info(f->from)->name,
			            state_info(f->to)->name);
		state = f->to;
		prev = f->id;
	}
}

/* Every field the events give; the report's own particulars are not among them. Texts are one copy each, so their
 * addresses compare. */
/* clang-format off */
#define REPLAYED(X) \
	X(id) X(last_event) X(grid) X(category) X(state) X(level) X(rating) X(extensions) X(suspensions) X(reopened) \
	X(reworked) X(returned) X(supervised) X(late) X(stage_overdue) X(handler) X(worker) X(checker) X(handled_by) \
	X(helper_count) X(helper_done) X(whistled_count) X(whistled_answered) X(reported_ms) X(filed_ms) \
	X(dispatched_ms) X(handled_ms) X(closed_ms) X(reviewed_ms) X(ended_ms) X(first_reply_ms) X(since_ms) \
	X(stage_due_ms) X(accept_left_ms) X(limit_ms) X(limit_unit) X(handle_due_ms) X(handle_warn_ms) X(handle_set_event) X(exempted) X(handle_left_ms) X(escalate_at_ms) \
	X(asked_extension_ms) X(asked_suspend_until_ms) X(merged_into) X(last_alarm_ms) X(alarm_count) X(points)
/* clang-format on */

static const char *difference(const struct case_file *a, const struct case_file *b)
{
#define ONE(field)                                                                                                     \
	if (a->field != b->field)                                                                                      \
		return #field;
	REPLAYED(ONE)
#undef ONE
	if (memcmp(a->spent_ms, b->spent_ms, sizeof a->spent_ms) != 0)
		return "spent_ms";
	if (memcmp(a->helpers, b->helpers, sizeof a->helpers) != 0)
		return "helpers";
	return memcmp(a->whistled, b->whistled, sizeof a->whistled) != 0 ? "whistled" : NULL;
}

/* 4: replaying the events gives the state. */
static void replay_holds(struct world *w, const struct told *t)
{
	struct case_file again = { 0 };
	const struct case_file *open = casebook_case(w->book, t->last.id);
	_Bool ended = state_info((enum state)t->last.state)->terminal;

	if ((open == NULL) != ended) {
		script_fail(w->script, "%s: it is %s but %s the casebook", name_of(t),
		            state_info((enum state)t->last.state)->name, open ? "in" : "not in");
		return;
	}
	for (size_t i = 0; i < t->count; i++)
		case_apply(w->book, &again, &t->events[i]);

	const char *differs = difference(&again, open ? open : &t->last);

	if (differs)
		script_fail(w->script, "%s: its events replay to another %s than the casebook has", name_of(t),
		            differs);
}

/* 5: the stages' times and the pauses add up to the case's age. */
static void times_hold(struct world *w, const struct told *t)
{
	const struct case_file *c = &t->last;
	int64_t until = c->ended_ms ? c->ended_ms : w->now_ms, sum = c->ended_ms ? 0 : until - c->since_ms;

	for (int i = 0; i < STAGE_COUNT; i++)
		sum += c->spent_ms[i];
	if (sum != until - c->reported_ms)
		script_fail(w->script, "%s: its stages add up to %lld ms, its age is %lld ms", name_of(t),
		            (long long)sum, (long long)(until - c->reported_ms));
}

/* 2: no terminal state without a reply to a known reporter. */
static void reply_was_given(struct world *w, const struct told *t)
{
	const struct case_file *c = &t->last;

	if (!state_info((enum state)c->state)->terminal || c->reporter == NULL)
		return;
	for (size_t i = 0; i < w->notice_count; i++) {
		const struct notice_fact *n = &w->notices[i];

		if (n->case_id == c->id && n->state == (enum state)c->state && strcmp(n->to, c->reporter) == 0)
			return;
	}
	script_fail(w->script, "%s ended as %s and %s was not told", name_of(t), state_info((enum state)c->state)->name,
	            c->reporter);
}

void invariants_of_case(struct world *w, const struct told *t)
{
	chain_holds(w, t);
	replay_holds(w, t);
	times_hold(w, t);
	reply_was_given(w, t);
}

/* 6: received = open + archived. */
static void all_are_somewhere(struct world *w)
{
	size_t archived = 0;

	for (size_t i = 0; i < w->case_count; i++)
		archived += state_info((enum state)w->cases[i].last.state)->terminal;
	if (w->case_count != casebook_open_count(w->book) + archived)
		script_fail(w->script, "received %zu, but open %zu and archived %zu", w->case_count,
		            casebook_open_count(w->book), archived);
}

/* 3: a balance is the sum of its rows, and never less than nothing; neither is what can be redeemed. */
static void balances_hold(struct world *w)
{
	for (size_t i = 0; i < w->ledger_count; i++) {
		const char *person = w->ledger[i].person;
		const struct account *a = casebook_account(w->book, person);
		int64_t sum = 0, payable = casebook_payable(w->book, person, w->now_ms);

		for (size_t j = 0; j < w->ledger_count; j++)
			sum += w->ledger[j].person == person ? w->ledger[j].points : 0;
		if (a == NULL || a->balance != sum || sum < 0 || payable < 0 || payable > sum)
			script_fail(w->script, "%s has %lld points (%lld payable) where the ledger's rows make %lld",
			            person, (long long)(a ? a->balance : 0), (long long)payable, (long long)sum);
	}
}

void invariants_of_all(struct world *w)
{
	all_are_somewhere(w);
	if (w->ledger_count < 200)
		balances_hold(w);
}
