/* points, redeem, correct: the ledger of rewards. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "show.h"
#include "verb.h"

static const struct option_row points_options[] = {
	{ "--limit", OPTION_INT, "N", "how many rows, 1 to 100; 20", 0, 0 },
	{ "--board", OPTION_FLAG, NULL, "the ten with most points this month instead", 0, 0 },
	{ 0 },
};

static const struct option_row entry_options[] = {
	{ "--key", OPTION_TEXT, "UUID", "send an earlier try again under its key", 0, 0 },
	{ 0 },
};

static void print_board(const struct call *call, const wire_points *p)
{
	static const struct column columns[] = { { "", 1, 0, 0 }, { "person", 0, 0, 0 }, { "points", 1, 0, 0 } };
	struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);

	for (size_t i = 0; i < p->n_board; i++) {
		table_cell_int(t, (long long)i + 1);
		table_cell(t, wire_text(p->board[i]->person));
		table_cell_int(t, p->board[i]->points);
	}
	if (call->csv)
		table_csv(t, stdout);
	else
		table_print(t, stdout, call->width, call->color);
	table_free(t);
}

static void print_rows(const struct call *call, const wire_points *p)
{
	static const struct column columns[] = {
		{ "id", 1, 0, 4 },   { "when", 0, 0, 0 },         { "points", 1, 0, 0 }, { "rule", 0, 0, 0 },
		{ "case", 0, 0, 1 }, { "payable from", 0, 0, 2 }, { "text", 0, 1, 3 },
	};
	struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);
	char text[SHOW_SIZE];

	for (size_t i = 0; i < p->n_rows; i++) {
		const Gridloop__V1__LedgerRow *row = p->rows[i];
		char points[24];

		snprintf(points, sizeof points, "%+" PRId64, row->points);
		table_cell_int(t, row->id);
		table_cell(t, show_time(row->at_ms, text));
		table_cell_as(t, points, row->points < 0 ? TINT_RED : TINT_GREEN, NULL);
		table_cell(t, wire_text(row->rule));
		table_cell(t, wire_text(row->case_number));
		table_cell(t, show_time(row->payable_ms, text));
		table_cell(t, wire_text(row->text));
	}
	if (call->csv)
		table_csv(t, stdout);
	else if (p->n_rows)
		table_print(t, stdout, call->width, call->color);
	table_free(t);
}

static void print_points_json(const wire_points *p)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_field(&j, "person", p->person);
	json_int(&j, "balance", p->balance);
	json_int(&j, "payable", p->payable);
	json_open(&j, "rows", '[');
	for (size_t i = 0; i < p->n_rows; i++) {
		json_open(&j, NULL, '{');
		json_ledger(&j, p->rows[i]);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_open(&j, "board", '[');
	for (size_t i = 0; i < p->n_board; i++) {
		json_open(&j, NULL, '{');
		json_field(&j, "person", p->board[i]->person);
		json_int(&j, "points", p->board[i]->points);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	putchar('\n');
}

static void print_points(const struct call *call, const wire_points *p)
{
	if (call->json) {
		print_points_json(p);
		return;
	}
	if (options_flag(&call->options, "--board")) {
		print_board(call, p);
		return;
	}
	if (!call->csv)
		printf("%s  balance %" PRId64 ", of which %" PRId64 " can be redeemed now\n", wire_text(p->person),
		       p->balance, p->payable);
	print_rows(call, p);
}

static enum exit_code run_points(struct call *call)
{
	const struct options *o = &call->options;
	Gridloop__V1__GetPoints get = GRIDLOOP__V1__GET_POINTS__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	int64_t limit = options_int(o, "--limit", 0);
	enum exit_code code = EXIT_OK;

	if (limit < 0 || limit > 100)
		return call_usage(call, "--limit is 1 to 100");
	get.person = wire_from_text(o->word_count ? o->words[0] : NULL);
	get.limit = (uint32_t)limit;
	get.board = options_flag(o, "--board");
	frame.body_case = CLIENT_BODY(GET_POINTS);
	frame.get_points = &get;

	server_frame *reply = call_ask(call, &frame, SERVER_BODY(POINTS), &code);

	if (!reply)
		return code;
	print_points(call, reply->points);
	wire_free(reply);
	return EXIT_OK;
}

static enum exit_code enter(struct call *call, _Bool correction, int64_t least)
{
	const struct options *o = &call->options;
	Gridloop__V1__PointsEntry entry = GRIDLOOP__V1__POINTS_ENTRY__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	struct uuid key;
	enum exit_code code = EXIT_OK;

	if (!text_to_int(o->words[1], least, INT32_MAX, &entry.points) || entry.points == 0)
		return call_usage(call, "\"%.40s\" is no number of points", o->words[1]);
	if (!call_key(call, &key))
		return EXIT_USAGE;

	char *text = options_rest(o, 2);

	entry.key = wire_from_uuid(&key);
	entry.person = wire_from_text(o->words[0]);
	entry.correction = correction;
	entry.text = wire_from_text(text);
	frame.body_case = CLIENT_BODY(POINTS_ENTRY);
	frame.points_entry = &entry;

	server_frame *reply = call_ask_surely(call, &frame, SERVER_BODY(POINTS), &code);

	if (reply)
		print_points(call, reply->points);
	wire_free(reply);
	free(text);
	return code;
}

static enum exit_code run_redeem(struct call *call)
{
	return enter(call, 0, 1);
}

static enum exit_code run_correct(struct call *call)
{
	return enter(call, 1, INT32_MIN);
}

const struct verb points_verbs[] = {
	{ .name = "points",
	  .zh = "积分",
	  .phase = PHASE_REWARD,
	  .flags = VERB_SERVER | VERB_JSON | VERB_CSV,
	  .usage = "[PERSON] [--board]",
	  .summary = "balance, and the rule behind each row",
	  .help = "Points come at a verified close, never at a report, and can be redeemed after a cooling time. Each "
	          "row of the\n"
	          "ledger names the rule that gave it. Without PERSON: your own.",
	  .options = points_options,
	  .example = "gridloop points\ngridloop points --board",
	  .related = "redeem, correct",
	  .most_words = 1,
	  .run = run_points },
	{ .name = "redeem",
	  .zh = "兑换",
	  .phase = PHASE_REWARD,
	  .flags = VERB_SERVER | VERB_JSON,
	  .usage = "PERSON POINTS [TEXT]",
	  .summary = "a station hands something out for points",
	  .help = "Takes points from the balance of PERSON, never more than can be redeemed now. TEXT says what was "
	          "handed out.",
	  .options = entry_options,
	  .example = "gridloop redeem meituan/rider-7 30 \"meal voucher\"",
	  .related = "points, correct",
	  .least_words = 2,
	  .most_words = -1,
	  .run = run_redeem },
	{ .name = "correct",
	  .zh = "冲正",
	  .phase = PHASE_REWARD,
	  .flags = VERB_SERVER | VERB_JSON,
	  .usage = "PERSON POINTS TEXT",
	  .summary = "a supervisor corrects the ledger with a new row",
	  .help = "Adds a row with this many points, which may be negative. No row is ever changed or taken away.",
	  .options = entry_options,
	  .example = "gridloop correct meituan/rider-7 -2 \"the same report was paid twice\"",
	  .related = "points, redeem",
	  .least_words = 3,
	  .most_words = -1,
	  .run = run_correct },
	{ 0 },
};
