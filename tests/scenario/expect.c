/* expect: what a script claims about cases, notices, points and the whole. */
#include <string.h>

#include "base/clock.h"
#include "workflow/case_number.h"
#include "workflow/doubt.h"
#include "world.h"

/* ---- of a case ---- */

struct claim {
	struct world *w;
	struct script *s;
	const struct told *t;
	const struct case_file *c;
};

static void same_text(const struct claim *m, const char *what, const char *came)
{
	const char *expected = script_word(m->s, what);

	came = came == NULL ? "none" : came;
	if (strcmp(expected, came) != 0)
		script_fail(m->s, "%s: expected %s %s, came %s", m->t->name, what, expected, came);
}

static void same_number(const struct claim *m, const char *what, int64_t came)
{
	int64_t expected = script_number(m->s);

	if (expected != came)
		script_fail(m->s, "%s: expected %s %lld, came %lld", m->t->name, what, (long long)expected,
		            (long long)came);
}

static void same_time(const struct claim *m, const char *what, int64_t came)
{
	int64_t expected = script_time(m->s, m->w->now_ms);
	char text[CLOCK_TEXT_SIZE] = "none";

	if (came != 0)
		clock_text(came, text, sizeof text);
	if (expected != came)
		script_fail(m->s, "%s: expected another %s, came %s (%+lld ms)", m->t->name, what, text,
		            (long long)(came - expected));
}

static void same_span(const struct claim *m, const char *what, int64_t came)
{
	int64_t expected = script_takes(m->s, "0") ? 0 : script_span(m->s);

	if (expected != came)
		script_fail(m->s, "%s: expected %s %lld min, came %.2f min", m->t->name, what,
		            (long long)(expected / 60000), (double)came / 60000);
}

static void same_fact(const struct claim *m, const char *what, _Bool came)
{
	same_text(m, what, came ? "yes" : "no");
}

static void state(const struct claim *m)
{
	same_text(m, "state", state_info((enum state)m->c->state)->name);
}

static void phase(const struct claim *m)
{
	same_text(m, "phase", rights_phase_name(state_info((enum state)m->c->state)->phase));
}

static void level(const struct claim *m)
{
	same_text(m, "level", level_name((enum level)m->c->level));
}

static void rating(const struct claim *m)
{
	same_text(m, "rating", rating_name((enum rating)m->c->rating));
}

static void handler(const struct claim *m)
{
	same_text(m, "handler", m->c->handler);
}

static void worker(const struct claim *m)
{
	same_text(m, "worker", m->c->worker);
}

static void reporter(const struct claim *m)
{
	same_text(m, "reporter", m->c->reporter);
}

static void kind(const struct claim *m)
{
	same_text(m, "kind", reporter_kind_name((enum reporter_kind)m->c->reporter_kind));
}

static void category(const struct claim *m)
{
	char text[CATEGORY_TEXT_SIZE];

	category_text(m->c->category, text);
	same_text(m, "category", text);
}

static void into(const struct claim *m)
{
	const struct told *master = world_case(m->w, m->c->merged_into);

	same_text(m, "into", master && master->name ? master->name : "none");
}

static void due(const struct claim *m)
{
	same_time(m, "due", m->c->handle_due_ms);
}

static void exempted(const struct claim *m)
{
	same_fact(m, "exempted", m->c->exempted != 0);
}

static void warns(const struct claim *m)
{
	same_time(m, "warns", m->c->handle_warn_ms);
}

static void timer(const struct claim *m)
{
	same_time(m, "timer", m->c->stage_due_ms);
}

static void escalates(const struct claim *m)
{
	same_time(m, "escalates", m->c->escalate_at_ms);
}

static void left(const struct claim *m)
{
	same_span(m, "left", m->c->handle_left_ms);
}

static void paused(const struct claim *m)
{
	same_span(m, "paused", m->c->spent_ms[STAGE_PAUSED]);
}

static void late(const struct claim *m)
{
	same_fact(m, "late", m->c->late);
}

static void grid(const struct claim *m)
{
	same_number(m, "grid", m->c->grid);
}

static void reported(const struct claim *m)
{
	same_number(m, "reported grid", m->c->reported_grid);
}

static void last(const struct claim *m)
{
	same_text(m, "last", act_info(m->t->events[m->t->count - 1].act)->name);
}

/* What the newest event says beside its act: a reason, a unit, a rule. */
static void ref(const struct claim *m)
{
	same_text(m, "ref", m->t->events[m->t->count - 1].ref);
}

/* What the newest event says in words begins with these. */
static void words(const struct claim *m)
{
	const char *expected = script_word(m->s, "words");
	const char *came = m->t->events[m->t->count - 1].text;

	if (came == NULL || strncmp(came, expected, strlen(expected)) != 0)
		script_fail(m->s, "%s: expected \"%s\", came \"%s\"", m->t->name, expected, came ? came : "");
}

static void doubts(const struct claim *m)
{
	char text[DOUBT_NAMES_SIZE];

	doubt_names(m->c->doubts, text);
	same_text(m, "doubts", *text ? text : "none");
}

/* The roles it has photos of, joined by commas, "reported" when near and far came with the report; "none". */
static void photos(const struct claim *m)
{
	char text[64] = "";

	for (int r = PHOTO_NEAR; r <= PHOTO_ROLE_COUNT; r++) {
		const char *name = r < PHOTO_ROLE_COUNT ? photo_role_name((enum photo_role)r) : "reported";

		if (m->c->photo_roles >> r & 1)
			snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", *text ? "," : "", name);
	}
	same_text(m, "photos", *text ? text : "none");
}

#define COUNT(field)                                                                                                   \
	static void field(const struct claim *m)                                                                       \
	{                                                                                                              \
		same_number(m, #field, m->c->field);                                                                   \
	}
COUNT(points)
COUNT(extensions)
COUNT(suspensions)
COUNT(reworked)
COUNT(reopened)
COUNT(returned)
COUNT(supervised)
COUNT(alarm_count)

static const struct {
	const char *word;
	void (*check)(const struct claim *m);
} claims[] = {
	{ "state", state },
	{ "phase", phase },
	{ "level", level },
	{ "rating", rating },
	{ "handler", handler },
	{ "worker", worker },
	{ "reporter", reporter },
	{ "kind", kind },
	{ "category", category },
	{ "into", into },
	{ "due", due },
	{ "timer", timer },
	{ "escalates", escalates },
	{ "left", left },
	{ "warns", warns },
	{ "exempted", exempted },
	{ "paused", paused },
	{ "late", late },
	{ "grid", grid },
	{ "reported", reported },
	{ "last", last },
	{ "ref", ref },
	{ "text", words },
	{ "doubts", doubts },
	{ "photos", photos },
	{ "points", points },
	{ "extensions", extensions },
	{ "suspensions", suspensions },
	{ "reworked", reworked },
	{ "reopened", reopened },
	{ "returned", returned },
	{ "supervised", supervised },
	{ "alarms", alarm_count },
};

static void expect_case(struct world *w, const char *name)
{
	const struct told *t = world_named(w, name);
	struct claim m = { w, w->script, t, t ? &t->last : NULL };

	while (!w->script->failed && script_peek(w->script) != NULL) {
		const char *word = script_take(w->script);
		size_t i = 0;

		while (i < sizeof claims / sizeof *claims && strcmp(claims[i].word, word) != 0)
			i++;
		if (i == sizeof claims / sizeof *claims)
			script_fail(w->script, "a case has no \"%s\"", word);
		else
			claims[i].check(&m);
	}
}

/* ---- of notices and points ---- */

/* "to resident-01 about A "words"", each part but the first optional. wanted: how many; -1: one or more. */
static void expect_notice(struct world *w, int64_t wanted)
{
	if (!script_takes(w->script, "to")) {
		script_fail(w->script, "expected \"to\" and whom");
		return;
	}
	const char *to = script_word(w->script, "whom"), *words = "";
	const struct told *t = NULL;
	int64_t came = 0;

	if (script_takes(w->script, "about"))
		t = world_named(w, script_word(w->script, "a case"));
	if (script_peek(w->script) != NULL)
		words = script_take(w->script);
	for (size_t i = 0; i < w->notice_count; i++) {
		const struct notice_fact *n = &w->notices[i];

		came += strcmp(n->to, to) == 0 && (t == NULL || n->case_id == t->last.id) &&
		        strstr(n->text, words) != NULL;
	}
	if (wanted >= 0 ? came != wanted : came == 0)
		script_fail(w->script, "expected %s notice to %s with \"%s\", came %lld", wanted == 0 ? "no" : "a", to,
		            words, (long long)came);
}

/* "rider-07 +5 first-reporter": that person's newest row. */
static void expect_ledger(struct world *w)
{
	const char *person = script_word(w->script, "whose");
	int64_t points = script_number(w->script);
	const char *rule = script_word(w->script, "a rule");

	for (size_t i = w->ledger_count; i > 0; i--) {
		const struct ledger_fact *l = &w->ledger[i - 1];

		if (strcmp(l->person, person) != 0)
			continue;
		if (l->points != points || strcmp(l->rule, rule) != 0)
			script_fail(w->script, "expected %s %+lld by %s as the newest row, came %+lld by %s", person,
			            (long long)points, rule, (long long)l->points, l->rule);
		return;
	}
	script_fail(w->script, "expected a row of %s, came none", person);
}

static void expect_no_ledger(struct world *w)
{
	const char *person = script_word(w->script, "whose");

	for (size_t i = 0; i < w->ledger_count; i++)
		if (strcmp(w->ledger[i].person, person) == 0)
			script_fail(w->script, "expected no row of %s, came one by %s", person, w->ledger[i].rule);
}

static void expect_balance(struct world *w)
{
	const char *person = script_word(w->script, "whose");
	const struct account *a = casebook_account(w->book, person);
	int64_t balance = script_number(w->script), came = a == NULL ? 0 : a->balance;

	if (balance != came)
		script_fail(w->script, "expected %s to have %lld points, came %lld", person, (long long)balance,
		            (long long)came);
	if (!script_takes(w->script, "payable"))
		return;
	balance = script_number(w->script);
	came = casebook_payable(w->book, person, w->now_ms);
	if (balance != came)
		script_fail(w->script, "expected %lld of %s's points to be payable, came %lld", (long long)balance,
		            person, (long long)came);
}

/* ---- of the whole ---- */

static void expect_count(struct world *w, const char *what, int64_t came)
{
	int64_t expected = script_number(w->script);

	if (expected != came)
		script_fail(w->script, "expected %s %lld, came %lld", what, (long long)expected, (long long)came);
}

static void expect_no(struct world *w)
{
	if (script_takes(w->script, "ledger"))
		expect_no_ledger(w);
	else if (script_takes(w->script, "notice"))
		expect_notice(w, 0);
	else
		script_fail(w->script, "expected \"ledger\" or \"notice\"");
}

void expect_step(struct world *w)
{
	const char *what = script_word(w->script, "what");

	if (strcmp(what, "no") == 0)
		expect_no(w);
	else if (strcmp(what, "notice") == 0)
		expect_notice(w, -1);
	else if (strcmp(what, "notices") == 0)
		expect_notice(w, script_number(w->script));
	else if (strcmp(what, "ledger") == 0)
		expect_ledger(w);
	else if (strcmp(what, "balance") == 0)
		expect_balance(w);
	else if (strcmp(what, "open") == 0)
		expect_count(w, what, (int64_t)casebook_open_count(w->book));
	else if (strcmp(what, "received") == 0)
		expect_count(w, what, (int64_t)w->case_count);
	else if (strcmp(what, "fired") == 0)
		expect_count(w, what, w->fired);
	else
		expect_case(w, what);
	if (script_peek(w->script) != NULL)
		script_fail(w->script, "\"%s\" is not understood here", script_peek(w->script));
}
