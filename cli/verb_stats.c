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
	{ "--wide", OPTION_FLAG, NULL, "every rate, however wide the table becomes", 0, 0 },
	{ 0 },
};

/* As wide as a table becomes by itself when no terminal says how wide it is. */
#define TABLE_WIDTH 110

/* Every count of the contract, for JSON and CSV. */
static const struct count {
	const char *name;
	size_t offset;
} counts[] = {
#define AT(field) offsetof(wire_stats_row, field)
	{ "received", AT(received) },
	{ "filed", AT(filed) },
	{ "closed", AT(closed) },
	{ "open", AT(open) },
	{ "overdue_open", AT(overdue_open) },
	{ "on_time", AT(on_time) },
	{ "due", AT(due) },
	{ "suspended", AT(suspended) },
	{ "reworked", AT(reworked) },
	{ "extended", AT(extended) },
	{ "returned", AT(returned) },
	{ "merged", AT(merged) },
	{ "rejected", AT(rejected) },
	{ "cancelled", AT(cancelled) },
	{ "satisfied", AT(satisfied) },
	{ "fairly", AT(fairly) },
	{ "unsatisfied", AT(unsatisfied) },
	{ "unanswered", AT(unanswered) },
	{ "first_reply_ms", AT(first_reply_ms) },
	{ "replied", AT(replied) },
	{ "points", AT(points) },
	{ "archived", AT(archived) },
	{ "expired_alarms", AT(expired_alarms) },
	{ "late", AT(late) },
	{ "exempted", AT(exempted) },
	{ "unlocated", AT(unlocated) },
	{ "told_outside", AT(told_outside) },
	{ "told_nowhere", AT(told_nowhere) },
};

#define COUNTS (sizeof counts / sizeof counts[0])

static int64_t count_at(const wire_stats_row *r, size_t offset)
{
	int64_t value;

	memcpy(&value, (const char *)r + offset, sizeof value);
	return value;
}

enum view { VIEW_NARROW = 1 << 0, VIEW_WIDE = 1 << 1, VIEW_BOTH = VIEW_NARROW | VIEW_WIDE };

/* A column of the table behind the row's name. `what` is the count's offset or the indicator. */
struct shown {
	const char *title;
	enum view in;
	int leave_out;
	const char *(*text)(const wire_stats_row *r, size_t what, char out[SHOW_SIZE]);
	size_t what;
};

static const char *count_text(const wire_stats_row *r, size_t offset, char out[SHOW_SIZE])
{
	snprintf(out, SHOW_SIZE, "%" PRId64, count_at(r, offset));
	return out;
}

static const char *rate_text(const wire_stats_row *r, size_t indicator, char out[SHOW_SIZE])
{
	return indicator_text(&indicators[indicator], r, out);
}

/* A high rate among few answers says little, so the two stand in one cell: "75.0% of 40.0%". */
static const char *satisfied_of_answered(const wire_stats_row *r, size_t unused, char out[SHOW_SIZE])
{
	char satisfied[SHOW_SIZE], answered[SHOW_SIZE];
	double share;

	(void)unused;
	if (!indicator_value(&indicators[INDICATOR_ANSWERED], r, &share))
		return indicator_text(&indicators[INDICATOR_ANSWERED], r, out);
	indicator_text(&indicators[INDICATOR_SATISFIED], r, satisfied);
	indicator_text(&indicators[INDICATOR_ANSWERED], r, answered);
	snprintf(out, SHOW_SIZE, "%.16s of %5.16s", satisfied, answered);
	return out;
}

static const char *reply_text(const wire_stats_row *r, size_t unused, char out[SHOW_SIZE])
{
	int64_t reply = indicator_first_reply_ms(r);

	(void)unused;
	return reply < 0 ? TABLE_NOTHING : show_span(reply, out);
}

static const struct shown shown[] = {
	{ "received", VIEW_BOTH, 0, count_text, AT(received) },
	{ "filed", VIEW_BOTH, 13, count_text, AT(filed) },
	{ "closed", VIEW_BOTH, 0, count_text, AT(closed) },
	{ "open", VIEW_BOTH, 0, count_text, AT(open) },
	{ "overdue", VIEW_BOTH, 0, count_text, AT(overdue_open) },
	{ "filing\n立案率", VIEW_WIDE, 0, rate_text, INDICATOR_FILING },
	{ "closing\n结案率", VIEW_WIDE, 0, rate_text, INDICATOR_CLOSING },
	{ "on time\n按期", VIEW_BOTH, 2, rate_text, INDICATOR_ON_TIME },
	{ "honest", VIEW_BOTH, 1, rate_text, INDICATOR_HONEST },
	{ "satisfied 满意\nof answered", VIEW_NARROW, 3, satisfied_of_answered, 0 },
	{ "satisfied\n满意", VIEW_WIDE, 0, rate_text, INDICATOR_SATISFIED },
	{ "answered", VIEW_WIDE, 0, rate_text, INDICATOR_ANSWERED },
	{ "rework\n返工", VIEW_WIDE, 0, rate_text, INDICATOR_REWORK },
	{ "extension\n延期", VIEW_WIDE, 0, rate_text, INDICATOR_EXTENSION },
	{ "return\n回退", VIEW_WIDE, 0, rate_text, INDICATOR_RETURN },
	{ "merge\n并案", VIEW_WIDE, 0, rate_text, INDICATOR_MERGE },
	{ "points", VIEW_BOTH, 11, count_text, AT(points) },
	{ "first\nreply", VIEW_BOTH, 5, reply_text, 0 },
#undef AT
};

#define SHOWN (sizeof shown / sizeof shown[0])

/* What the table and the CSV have in common is only the row's name: a table is for eyes, a CSV for sums. Seven counts
 * are the parts of the rates, so a CSV can do without the rates themselves. */
static size_t csv_columns(const char *by, struct column *out)
{
	size_t n = 0;

	out[n++] = (struct column){ by, 0, 0, 0 };
	out[n++] = (struct column){ "name", 0, 0, 0 };
	for (size_t i = 0; i < COUNTS; i++)
		out[n++] = (struct column){ counts[i].name, 1, 0, 0 };
	return n;
}

static size_t table_columns(enum view view, const char *by, struct column *out)
{
	size_t n = 0;

	out[n++] = (struct column){ by, 0, 1, 0 };
	for (size_t i = 0; i < SHOWN; i++)
		if (shown[i].in & view)
			out[n++] = (struct column){ shown[i].title, 1, 0, shown[i].leave_out };
	return n;
}

static void add_csv_row(struct table *t, const wire_stats_row *r, const char *key)
{
	table_cell(t, key);
	table_cell(t, wire_text(r->name));
	for (size_t i = 0; i < COUNTS; i++)
		table_cell_int(t, count_at(r, counts[i].offset));
}

static void add_table_row(struct table *t, enum view view, const wire_stats_row *r, const char *key)
{
	char text[SHOW_SIZE];

	table_cell(t, r->name.len ? wire_text(r->name) : key);
	for (size_t i = 0; i < SHOWN; i++)
		if (shown[i].in & view)
			table_cell(t, shown[i].text(r, shown[i].what, text));
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
	table_say_left_out(stdout, left_out, "--wide, --csv and --json have all", call->color);
}

static void print_stats_csv(const wire_stats *s, const char *by)
{
	struct column columns[TABLE_COLUMNS_MOST];
	struct table *t = table_new(columns, csv_columns(by, columns));

	for (size_t i = 0; i < s->n_rows; i++)
		add_csv_row(t, s->rows[i], wire_text(s->rows[i]->key));
	if (s->total)
		add_csv_row(t, s->total, "total");
	table_csv(t, stdout);
	table_free(t);
}

static void print_stats(const struct call *call, const wire_stats *s, const char *by)
{
	enum view view = options_flag(&call->options, "--wide") ? VIEW_WIDE : VIEW_NARROW;
	size_t width = call->width ? call->width : TABLE_WIDTH;
	struct column columns[TABLE_COLUMNS_MOST];
	struct table *t = table_new(columns, table_columns(view, by, columns));

	for (size_t i = 0; i < s->n_rows; i++)
		add_table_row(t, view, s->rows[i], s->rows[i]->key.len ? wire_text(s->rows[i]->key) : "(none)");
	if (s->total)
		add_table_row(t, view, s->total, "total");
	print_foot(call, s, table_print(t, stdout, view == VIEW_WIDE ? 0 : width, call->color));
	table_free(t);
}

static void json_stats_row(struct json *j, const char *as, const wire_stats_row *r)
{
	int64_t reply = indicator_first_reply_ms(r);

	json_open(j, as, '{');
	json_field(j, "key", r->key);
	json_field(j, "name", r->name);
	for (size_t i = 0; i < COUNTS; i++)
		json_int(j, counts[i].name, count_at(r, counts[i].offset));
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
	else if (call->csv)
		print_stats_csv(reply->stats, word);
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
	  .usage = "[--by WORD] [--from TIME] [--to TIME] [--area CODE] [--wide]",
	  .summary = "the indicators, by whatever you ask",
	  .help = "Counts and rates of the cases reported in the period. Rates are what they are, not cut at 100 %:\n"
	          "  on time 按期 = on time / closed           honest = on time / (closed + still open and overdue)\n"
	          "  satisfied 满意 = satisfied / answered     of answered = those who answered / those who were "
	          "asked\n"
	          "  first reply = mean time to the first staff act. A dash means that there is nothing to divide by.\n"
	          "With --wide also, as wide as it becomes (`gridloop stats --wide | less -S` scrolls sideways):\n"
	          "  filing 立案率 = filed / received          closing 结案率 = closed / (due − suspended)\n"
	          "  rework 返工 = reworked / closed           extension 延期, return 回退 = that / filed\n"
	          "  merge 并案 = merged / received\n"
	          "The table is as wide as the terminal, 110 columns where there is none: longer names are cut, and "
	          "what\n"
	          "does not fit is left out and counted below it. --csv has every count, --json the rates as well.",
	  .options = stats_options,
	  .example = "gridloop stats --by category --from 30d\ngridloop stats --by kind --wide\n"
	             "gridloop stats --by month --csv >months.csv",
	  .related = "case list, points",
	  .most_words = 0,
	  .run = run_stats },
	{ 0 },
};
