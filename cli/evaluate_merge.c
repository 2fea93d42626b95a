#include "evaluate_merge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay_prepare.h"
#include "workflow/case_number.h"
#include "workflow/decide.h"
#include "workflow/place.h"

#define uthash_fatal(message) must_not_happen(__FILE__, __LINE__, message)
#include <uthash.h>

#define MOMENTS_A_DRAWING 500

/* What became of a row. */
struct fate {
	const char *id;
	int64_t case_id, root, maybe; /* root: the case it ended in */
	_Bool in;                     /* it was accepted */
	UT_hash_handle hh;
};

struct run {
	struct replay_file *file;
	const struct policy *policy;
	struct casebook *book;
	struct facts facts;
	struct fate *fates, *by_id; /* as the rows; by the city's id */
	int64_t now_ms;
	struct merge_result *out;
};

/* ---- the workflow ---- */

static void run_timers(struct run *r, int64_t until_ms)
{
	struct timer t;

	while (casebook_next_timer(r->book, &t) && t.at_ms <= until_ms) {
		r->now_ms = t.at_ms > r->now_ms ? t.at_ms : r->now_ms;
		decide_timer(r->book, r->policy, &t, r->now_ms, &r->facts);
		casebook_apply(r->book, &r->facts);
	}
	r->now_ms = until_ms > r->now_ms ? until_ms : r->now_ms;
}

static _Bool ask(struct run *r, struct command *c)
{
	if (decide(r->book, r->policy, c, r->now_ms, NULL, &r->facts)) {
		casebook_apply(r->book, &r->facts);
		return 1;
	}
	if (r->out->refused++ == 0)
		snprintf(r->out->first_refusal, sizeof r->out->first_refusal, "%s", c->outcome.refusal.sentence);
	return 0;
}

static void report(struct run *r, size_t i)
{
	const struct replay_row *row = &r->file->rows[i];
	struct fate *fate = &r->fates[i];
	char code[6];
	struct command c = { .kind = COMMAND_SUBMIT,
		             .actor = REPLAY_CITY,
		             .channel = "tcp",
		             .lat_e7 = row->placed ? (int32_t)lround(row->lat * 1e7) : PLACE_NONE,
		             .lon_e7 = row->placed ? (int32_t)lround(row->lon * 1e7) : PLACE_NONE,
		             .address = row->address[0] ? row->address : NULL,
		             .description = row->description,
		             .anonymous = 1,
		             .reporter_kind = row->reporter_kind,
		             .seen_at_ms = row->created_ms };

	replay_kind_code(&r->file->kinds[row->kind], code);
	c.category = category_from_text(code);
	fate->in = ask(r, &c);
	fate->case_id = c.outcome.case_id;
	fate->root = c.outcome.merged_into != 0 ? c.outcome.merged_into : c.outcome.case_id;
	fate->maybe = c.outcome.maybe_same_as;
}

static _Bool act(struct run *r, const char *who, enum act act, int64_t case_id)
{
	struct command c = { .kind = COMMAND_ACT,
		             .actor = who,
		             .channel = "tcp",
		             .act = act,
		             .case_id = case_id,
		             .lat_e7 = PLACE_NONE,
		             .lon_e7 = PLACE_NONE,
		             .text = "as the city did" };

	if (act == ACT_FILE && casebook_case(r->book, case_id)->grid == 0)
		c.grid = policy_grid_at(r->policy, 0)->code;
	return ask(r, &c);
}

/* What the city closed goes the whole way at once; what was to be located is located first. */
static void close_case(struct run *r, size_t i)
{
	static const struct {
		const char *who;
		enum act act;
	} steps[] = { { REPLAY_CITY, ACT_SIGN },
		      { REPLAY_CITY, ACT_HANDLED },
		      { REPLAY_CHECKER, ACT_CHECK },
		      { REPLAY_CHECKER, ACT_PASS } };
	const struct fate *fate = &r->fates[i];
	const struct case_file *c = fate->in ? casebook_case(r->book, fate->case_id) : NULL;

	if (c == NULL)
		return;

	_Bool good = c->state != STATE_REPORTED || act(r, REPLAY_OPERATOR, ACT_FILE, fate->case_id);

	for (size_t s = 0; s < sizeof steps / sizeof steps[0] && good; s++)
		good = act(r, steps[s].who, steps[s].act, fate->case_id);
}

/* ---- the order of things ---- */

struct moment {
	int64_t at_ms;
	size_t row;
	_Bool closing;
};

static int compare_moments(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	if (x->closing != y->closing)
		return x->closing - y->closing;
	return (x->row > y->row) - (x->row < y->row);
}

static struct moment *moments_of(const struct replay_file *f, size_t *count)
{
	struct moment *m = must_calloc(f->count * 2 + 1, sizeof *m);

	*count = 0;
	for (size_t i = 0; i < f->count; i++) {
		m[(*count)++] = (struct moment){ f->rows[i].created_ms, i, 0 };
		if (f->rows[i].closed_ms)
			m[(*count)++] = (struct moment){ f->rows[i].closed_ms, i, 1 };
	}
	qsort(m, *count, sizeof *m, compare_moments);
	return m;
}

static void play(struct run *r, void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx)
{
	size_t count;
	struct moment *m = moments_of(r->file, &count);

	for (size_t i = 0; i < count; i++) {
		run_timers(r, m[i].at_ms);
		if (m[i].closing)
			close_case(r, m[i].row);
		else
			report(r, m[i].row);
		if (progress && i % MOMENTS_A_DRAWING == 0)
			progress(ctx, (int64_t)i, (int64_t)count);
	}
	r->out->half_ms = count ? m[0].at_ms + (r->file->rows[r->file->count - 1].created_ms - m[0].at_ms) / 2 : 0;
	free(m);
}

/* ---- the marks ---- */

static const struct fate *fate_of(const struct run *r, const char *id)
{
	const struct fate *found = NULL;

	if (id != NULL)
		HASH_FIND(hh, r->by_id, id, strlen(id), found);
	return found;
}

static void index_rows(struct run *r)
{
	const struct fate *before;

	for (size_t i = 0; i < r->file->count; i++) {
		struct fate *fate = &r->fates[i];

		fate->id = r->file->rows[i].id;
		HASH_FIND(hh, r->by_id, fate->id, strlen(fate->id), before);
		if (before == NULL)
			HASH_ADD_KEYPTR(hh, r->by_id, fate->id, strlen(fate->id), fate);
	}
}

struct case_row {
	int64_t case_id;
	size_t row;
};

static int compare_case_rows(const void *a, const void *b)
{
	const struct case_row *x = a, *y = b;

	return (x->case_id > y->case_id) - (x->case_id < y->case_id);
}

static struct case_row *rows_by_case(const struct run *r)
{
	struct case_row *rows = must_calloc(r->file->count + 1, sizeof *rows);

	for (size_t i = 0; i < r->file->count; i++)
		rows[i] = (struct case_row){ r->fates[i].case_id, i };
	qsort(rows, r->file->count, sizeof *rows, compare_case_rows);
	return rows;
}

static _Bool is_marked(const struct run *r, const struct case_row *rows, int64_t case_id)
{
	const struct case_row wanted = { case_id, 0 },
			      *found = bsearch(&wanted, rows, r->file->count, sizeof *rows, compare_case_rows);

	return found != NULL && r->file->rows[found->row].mark != NULL;
}

static void add(struct merge_score *to, const struct merge_score *one)
{
	const int64_t *from = (const int64_t *)one;
	int64_t *into = (int64_t *)to;

	for (size_t i = 0; i < sizeof *one / sizeof *from; i++)
		into[i] += from[i];
}

static struct merge_score score_of(const struct run *r, const struct case_row *rows, size_t i)
{
	const struct replay_row *row = &r->file->rows[i];
	const struct fate *fate = &r->fates[i], *other = fate_of(r, row->mark);
	_Bool merged = fate->root != fate->case_id, pair = other != NULL && other != fate;
	_Bool found = pair && fate->in && other->in && fate->root == other->root;
	_Bool offered = pair && !found &&
	                ((fate->maybe && fate->maybe == other->root) || (other->maybe && other->maybe == fate->root));

	return (struct merge_score){ .rows = 1,
		                     .merges = merged,
		                     .marked = merged && (row->mark || is_marked(r, rows, fate->root)),
		                     .pairs = pair,
		                     .found = found,
		                     .offered = offered,
		                     .hints = !merged && fate->maybe != 0 };
}

static void score(struct run *r)
{
	struct case_row *rows = rows_by_case(r);

	for (size_t i = 0; i < r->file->count; i++) {
		const struct replay_row *row = &r->file->rows[i];
		struct merge_score one = score_of(r, rows, i);

		add(&r->out->all, &one);
		add(row->created_ms < r->out->half_ms ? &r->out->early : &r->out->late, &one);
		add(&r->out->kinds[row->kind], &one);
	}
	free(rows);
}

void evaluate_merge(struct replay_file *f, const struct policy *policy,
                    void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx, struct merge_result *out)
{
	struct run r = { .file = f, .policy = policy, .book = casebook_new(0), .out = out };

	*out = (struct merge_result){ .kinds = must_calloc(f->kind_count + 1, sizeof *out->kinds) };
	r.fates = must_calloc(f->count + 1, sizeof *r.fates);
	facts_init(&r.facts);
	index_rows(&r);
	play(&r, progress, ctx);
	score(&r);
	HASH_CLEAR(hh, r.by_id);
	facts_close(&r.facts);
	casebook_free(r.book);
	free(r.fates);
}

void merge_result_close(struct merge_result *r)
{
	free(r->kinds);
	r->kinds = NULL;
}
