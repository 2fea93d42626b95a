/* stats: the indicators, as a table, CSV or JSON. */
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "indicators.h"
#include "verb.h"

static const struct option_row stats_options[] = {
	{ "--by", OPTION_WORD, "all|kind|area|category|handler|state|month|channel", "one row for each", 0, 0 },
	{ "--from", OPTION_TIME, "TIME", "reported at or after (a span means so long ago)", 0, 0 },
	{ "--to", OPTION_TIME, "TIME", "reported before", 0, 0 },
	{ "--area", OPTION_TEXT, "CODE", "only under this area or grid code", 0, 0 },
	{ 0 },
};

/* Every count of the contract, for JSON and CSV; those with a title stand in the table too. */
static const struct count {
	const char *name, *title;
	size_t offset;
	int leave_out;
} counts[] = {
#define AT(field) offsetof(wire_stats_row, field)
	{ "received", "received", AT(received), 0 },
	{ "filed", "filed", AT(filed), 13 },
	{ "closed", "closed", AT(closed), 0 },
	{ "open", "open", AT(open), 0 },
	{ "overdue_open", "overdue", AT(overdue_open), 0 },
	{ "on_time", NULL, AT(on_time), 0 },
	{ "due", NULL, AT(due), 0 },
	{ "suspended", NULL, AT(suspended), 0 },
	{ "reworked", NULL, AT(reworked), 0 },
	{ "extended", NULL, AT(extended), 0 },
	{ "returned", NULL, AT(returned), 0 },
	{ "merged", NULL, AT(merged), 0 },
	{ "rejected", NULL, AT(rejected), 0 },
	{ "cancelled", NULL, AT(cancelled), 0 },
	{ "satisfied", NULL, AT(satisfied), 0 },
	{ "fairly", NULL, AT(fairly), 0 },
	{ "unsatisfied", NULL, AT(unsatisfied), 0 },
	{ "unanswered", NULL, AT(unanswered), 0 },
	{ "first_reply_ms", NULL, AT(first_reply_ms), 0 },
	{ "replied", NULL, AT(replied), 0 },
	{ "points", "points", AT(points), 11 },
	{ "archived", NULL, AT(archived), 0 },
	{ "expired_alarms", NULL, AT(expired_alarms), 0 },
#undef AT
};

#define COUNTS (sizeof counts / sizeof counts[0])

static int64_t count_of(const wire_stats_row *r, const struct count *c)
{
	int64_t value;

	memcpy(&value, (const char *)r + c->offset, sizeof value);
	return value;
}

/* What the table and the CSV have in common is only the row's name: a table is for eyes, a CSV for sums. */
static size_t make_columns(_Bool csv, const char *by, struct column *out)
{
	size_t n = 0;

	out[n++] = (struct column){ by, 0, 1, 0 };
	if (csv)
		out[n++] = (struct column){ "name", 0, 0, 0 };
	for (size_t i = 0; i < COUNTS; i++)
		if (csv || counts[i].title)
			out[n++] = (struct column){ csv ? counts[i].name : counts[i].title, 1, 0, counts[i].leave_out };
	/* Seven counts are the parts of the rates, so a CSV can do without the rates themselves. */
	for (const struct indicator *i = indicators; !csv && i->name; i++)
		out[n++] = (struct column){ i->title, 1, 0, i->leave_out };
	if (!csv)
		out[n++] = (struct column){ "first reply", 1, 0, 5 };
	return n;
}

static void add_row(struct table *t, _Bool csv, const wire_stats_row *r, const char *key)
{
	char text[SHOW_SIZE];
	int64_t reply = indicator_first_reply_ms(r);
	const char *name = wire_text(r->name);

	if (csv)
		table_cell(t, key);
	table_cell(t, !csv && name[0] == '\0' ? key : name);
	for (size_t i = 0; i < COUNTS; i++)
		if (csv || counts[i].title)
			table_cell_int(t, count_of(r, &counts[i]));
	if (csv)
		return;
	for (const struct indicator *i = indicators; i->name; i++)
		table_cell(t, indicator_text(i, r, text));
	table_cell(t, reply < 0 ? "–" : show_span(reply, text));
}

static void print_foot(const struct call *call, const wire_stats *s, int left_out)
{
	char text[SHOW_SIZE];

	if (s->longest_open.len)
		printf("longest open: %s, %s\n", wire_text(s->longest_open), show_span(s->longest_open_ms, text));
	if (s->redeemed)
		printf("points redeemed: %" PRId64 "\n", s->redeemed);
	if (s->cut)
		puts("there are more rows than the daemon sends; narrow with --area, --from, --to");
	if (left_out)
		printf("%s%d columns do not fit this terminal; --csv and --json have all%s\n",
		       tint_on(TINT_DIM, call->color), left_out, tint_off(TINT_DIM, call->color));
}

static void print_stats(const struct call *call, const wire_stats *s, const char *by)
{
	struct column columns[TABLE_COLUMNS_MOST];
	struct table *t = table_new(columns, make_columns(call->csv, by, columns));

	for (size_t i = 0; i < s->n_rows; i++) {
		const char *key = wire_text(s->rows[i]->key);

		add_row(t, call->csv, s->rows[i], key[0] || call->csv ? key : "(none)");
	}
	if (s->total)
		add_row(t, call->csv, s->total, "total");
	if (call->csv)
		table_csv(t, stdout);
	else
		print_foot(call, s, table_print(t, stdout, call->width, call->color));
	table_free(t);
}

static void json_stats_row(struct json *j, const char *as, const wire_stats_row *r)
{
	int64_t reply = indicator_first_reply_ms(r);

	json_open(j, as, '{');
	json_field(j, "key", r->key);
	json_field(j, "name", r->name);
	for (size_t i = 0; i < COUNTS; i++)
		json_int(j, counts[i].name, count_of(r, &counts[i]));
	for (const struct indicator *i = indicators; i->name; i++) {
		double value;

		json_real(j, i->name, indicator_value(i, r, &value) ? value : NAN);
	}
	if (reply < 0)
		json_text(j, "mean_first_reply_ms", NULL);
	else
		json_int(j, "mean_first_reply_ms", reply);
	json_close(j, '}');
}

static void print_stats_json(const wire_stats *s, const char *by)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_text(&j, "by", by);
	json_time(&j, "now", s->now_ms);
	json_open(&j, "rows", '[');
	for (size_t i = 0; i < s->n_rows; i++)
		json_stats_row(&j, NULL, s->rows[i]);
	json_close(&j, ']');
	if (s->total)
		json_stats_row(&j, "total", s->total);
	json_int(&j, "redeemed", s->redeemed);
	json_field(&j, "longest_open", s->longest_open);
	json_int(&j, "longest_open_ms", s->longest_open_ms);
	json_bool(&j, "cut", s->cut);
	json_close(&j, '}');
	putchar('\n');
}

static enum exit_code run_stats(struct call *call)
{
	const struct options *o = &call->options;
	Gridloop__V1__GetStats get = GRIDLOOP__V1__GET_STATS__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	int by = options_word(o, "--by");
	int64_t now_ms;
	enum exit_code code = EXIT_OK;

	if (!call_now(call, &now_ms, &code))
		return code;
	/* The words of --by stand in the order of the contract's numbers, from 0. */
	get.by = (Gridloop__V1__StatsBy)(by < 0 ? 0 : by);
	get.from_ms = options_time(o, "--from", now_ms, -1);
	get.to_ms = options_time(o, "--to", now_ms, -1);
	get.area = wire_from_text(options_text(o, "--area"));
	frame.body_case = CLIENT_BODY(GET_STATS);
	frame.get_stats = &get;

	server_frame *reply = call_ask(call, &frame, SERVER_BODY(STATS), &code);

	if (!reply)
		return code;

	const char *word = by < 0 ? "all" : options_text(o, "--by");

	if (call->json)
		print_stats_json(reply->stats, word);
	else
		print_stats(call, reply->stats, word);
	wire_free(reply);
	return EXIT_OK;
}

const struct verb stats_verbs[] = {
	{ .name = "stats",
	  .zh = "指标",
	  .phase = PHASE_LOOK,
	  .flags = VERB_SERVER | VERB_JSON | VERB_CSV,
	  .usage = "[--by WORD] [--from TIME] [--to TIME] [--area CODE]",
	  .summary = "the indicators, by whatever you ask",
	  .help = "Counts and rates of the cases reported in the period. Rates are what they are, not cut at 100 %:\n"
	          "  filing 立案率 = filed / received          closing 结案率 = closed / (due − suspended)\n"
	          "  on time 按期 = on time / closed           honest = on time / (closed + still open and overdue)\n"
	          "  satisfied 满意 = satisfied / answered     answered = those who answered / those who were asked\n"
	          "  rework = reworked / closed               extension, return = that / filed; merge = merged / "
	          "received\n"
	          "  first reply = mean time to the first staff act. A dash means that there is nothing to divide by.",
	  .options = stats_options,
	  .example = "gridloop stats --by category --from 30d\ngridloop stats --by month --csv >months.csv",
	  .related = "case list, points",
	  .most_words = 0,
	  .run = run_stats },
	{ 0 },
};
