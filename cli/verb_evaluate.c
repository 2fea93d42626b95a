/* evaluate-merge: how well reports find what is already known, by a city's own marks. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "evaluate_merge.h"
#include "progress.h"
#include "replay_prepare.h"
#include "show.h"
#include "table.h"
#include "verb.h"

static const struct option_row evaluate_options[] = {
	{ "--jurisdiction", OPTION_TEXT, "DIR", "judge by this folder instead of what replay --prepare would write", 0,
	  0 },
	{ "--tz", OPTION_TEXT, "TZ", "time zone of the city, such as America/New_York", 0, 0 },
	{ 0 },
};

static void show_bar(void *ctx, int64_t done, int64_t all)
{
	progress_show(ctx, done, all);
}

static double share(int64_t part, int64_t of)
{
	return of ? (double)part / (double)of : 0;
}

/* ---- the table ---- */

static const struct column columns[] = {
	{ .title = "category", .shrinks = 1 }, { .title = "reports", .right = 1 },   { .title = "merged", .right = 1 },
	{ .title = "marked", .right = 1 },     { .title = "precision", .right = 1 }, { .title = "pairs", .right = 1 },
	{ .title = "found", .right = 1 },      { .title = "recall", .right = 1 },    { .title = "offered", .right = 1 },
	{ .title = "hints", .right = 1 },
};

static void cell_share(struct table *t, int64_t part, int64_t of)
{
	char text[16];

	snprintf(text, sizeof text, "%.2f", share(part, of));
	table_cell(t, of ? text : TABLE_NOTHING);
}

static void table_row(struct table *t, const char *name, const struct merge_score *s)
{
	table_cell(t, name);
	table_cell_int(t, s->rows);
	table_cell_int(t, s->merges);
	table_cell_int(t, s->marked);
	cell_share(t, s->marked, s->merges);
	table_cell_int(t, s->pairs);
	table_cell_int(t, s->found);
	cell_share(t, s->found, s->pairs);
	table_cell_int(t, s->offered);
	table_cell_int(t, s->hints);
}

struct line {
	const char *name;
	const struct merge_score *score;
};

static int compare_lines(const void *a, const void *b)
{
	const struct merge_score *x = ((const struct line *)a)->score, *y = ((const struct line *)b)->score;
	int64_t weight_x = x->merges + x->pairs, weight_y = y->merges + y->pairs;

	return weight_x != weight_y ? (weight_x < weight_y) - (weight_x > weight_y)
	                            : (x->rows < y->rows) - (x->rows > y->rows);
}

/* Categories in which something was merged or marked, the most of it first. */
static void print_table(const struct call *call, const struct replay_file *f, const struct merge_result *r)
{
	struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);
	struct line *lines = must_calloc(f->kind_count + 1, sizeof *lines);

	for (size_t i = 0; i < f->kind_count; i++)
		lines[i] = (struct line){ f->kinds[i].subcategory, &r->kinds[i] };
	qsort(lines, f->kind_count, sizeof *lines, compare_lines);
	for (size_t i = 0; i < f->kind_count && lines[i].score->merges + lines[i].score->pairs > 0; i++)
		table_row(t, lines[i].name, lines[i].score);
	table_row(t, "all", &r->all);
	table_row(t, "first half of the time", &r->early);
	table_row(t, "second half", &r->late);
	(void)table_print(t, stdout, call->width, call->color);
	table_free(t);
	free(lines);
}

static void json_score(struct json *j, const struct merge_score *s)
{
	json_int(j, "pairs", s->pairs);
	json_real(j, "precision", share(s->marked, s->merges));
	json_real(j, "recall", share(s->found, s->pairs));
	json_int(j, "reports", s->rows);
	json_int(j, "merged", s->merges);
	json_int(j, "marked", s->marked);
	json_int(j, "found", s->found);
	json_int(j, "offered", s->offered);
	json_int(j, "hints", s->hints);
}

/* The last line is for scripts. */
static void print_result(const struct merge_result *r)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_score(&j, &r->all);
	json_open(&j, "first_half", '{');
	json_score(&j, &r->early);
	json_close(&j, '}');
	json_open(&j, "second_half", '{');
	json_score(&j, &r->late);
	json_close(&j, '}');
	json_int(&j, "refused", r->refused);
	json_close(&j, '}');
	putchar('\n');
}

/* ---- the jurisdiction ---- */

/* Makes the folder that replay --prepare would make, loads it and takes it away again. */
static struct policy *prepared(const struct replay_file *f, struct problems *p)
{
	const char *tmp = getenv("TMPDIR");
	struct trouble why;
	struct policy *policy = NULL;
	char folder[4096];

	if (snprintf(folder, sizeof folder, "%s/gridloop-evaluate-XXXXXX", tmp && tmp[0] ? tmp : "/tmp") >=
	            (int)sizeof folder ||
	    !mkdtemp(folder)) {
		problems_add(p, "a temporary folder", 0, "%s", strerror(errno));
		return NULL;
	}
	if (replay_prepare(f, folder, &why) && replay_prepare_points(f, folder, &why))
		policy = policy_load(folder, p);
	else
		problems_add(p, folder, 0, "%s", why.sentence);
	replay_prepare_undo(folder);
	return policy;
}

static enum exit_code evaluate(const struct call *call, struct replay_file *f)
{
	const char *folder = options_text(&call->options, "--jurisdiction");
	struct problems p = { 0 };
	struct policy *policy = folder ? policy_load(folder, &p) : prepared(f, &p);
	struct merge_result result;
	struct progress bar;

	problems_print(&p, stderr);
	problems_close(&p);
	if (!policy)
		return EXIT_USAGE;
	progress_init(&bar, "evaluating");
	evaluate_merge(f, policy, show_bar, &bar, &result);
	progress_end(&bar);
	policy_release(policy);
	if (result.refused)
		printf("refused: %" PRId64 "; the first: %s\n", result.refused, result.first_refusal);
	print_table(call, f, &result);
	print_result(&result);
	merge_result_close(&result);
	return EXIT_OK;
}

static enum exit_code run_evaluate(struct call *call)
{
	const char *tz = options_text(&call->options, "--tz");
	struct replay_file file;
	struct trouble why;
	struct progress bar;

	if (tz) {
		setenv("TZ", tz, 1);
		tzset();
	}
	progress_init(&bar, "reading");

	_Bool good = replay_file_read(call->options.words[0], show_bar, &bar, &file, &why);

	progress_end(&bar);
	if (!good) {
		trouble_print(&why, 0);
		return EXIT_USAGE;
	}

	enum exit_code code = evaluate(call, &file);

	replay_file_close(&file);
	return code;
}

const struct verb evaluate_verbs[] = {
	{ .name = "evaluate-merge",
	  .zh = "评并案",
	  .phase = PHASE_OPERATE,
	  .usage = "[options] FILE.csv[.gz]",
	  .summary = "how well reports find what is already known, by a city's own marks",
	  .help = "Plays a city's file through the workflow in this process, without a daemon, and compares what was "
	          "merged by\n"
	          "itself with the column duplicate_of_or_flag. recall: of the rows that name another row, the share "
	          "that "
	          "ended\n"
	          "in one case with it. precision: of the merges, the share in which the city marked one of the two; a "
	          "lower\n"
	          "bound, for a city overlooks some. offered: pairs that were shown as perhaps the same instead. "
	          "hints: all\n"
	          "reports that were shown one. The last line is JSON. docs/merging.md explains the rule and its "
	          "figures.",
	  .options = evaluate_options,
	  .example = "gridloop evaluate-merge --tz America/New_York requests.csv.gz",
	  .related = "replay, merge",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_evaluate },
	{ 0 },
};
