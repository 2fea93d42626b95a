/* notices: what is owed to me, and saying that I read it. */
#include <inttypes.h>
#include <string.h>

#include "show.h"
#include "verb.h"

static const struct option_row notice_options[] = {
	{ "--after", OPTION_INT, "ID", "only behind this one", 0, 0 },
	{ "--unseen", OPTION_FLAG, NULL, "only those not read yet", 0, 0 },
	{ "--limit", OPTION_INT, "N", "how many, 1 to 100; 20", 0, 0 },
	{ "--seen", OPTION_INT, "ID", "say that all up to this one were read", 0, 0 },
	{ 0 },
};

static void print_notices(const struct call *call, const Gridloop__V1__NoticeList *list)
{
	static const struct column columns[] = {
		{ "id", 1, 0, 0 },    { "when", 0, 0, 1 }, { "case", 0, 0, 0 }, { "what", 0, 0, 2 },
		{ "state", 0, 0, 3 }, { "to", 0, 1, 4 },   { "read", 0, 0, 5 }, { "text", 0, 1, 0 },
	};
	struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);
	char text[SHOW_SIZE];

	for (size_t i = 0; i < list->n_notices; i++) {
		const wire_notice *n = list->notices[i];

		table_cell_int(t, n->id);
		table_cell(t, show_time(n->at_ms, text));
		table_cell(t, wire_text(n->case_number));
		table_cell_as(t, show_act((int)n->act, text), TINT_NONE, name_of_act((int)n->act));
		table_cell_as(t, show_state((int)n->state, text), TINT_NONE, name_of_state((int)n->state));
		table_cell(t, wire_text(n->to));
		table_cell(t, n->seen ? "yes" : "no");
		table_cell(t, wire_text(n->text));
	}
	if (call->csv)
		table_csv(t, stdout);
	else if (list->n_notices)
		table_print(t, stdout, call->width, call->color);
	else
		puts("no notices");
	table_free(t);
	if (list->more && list->n_notices)
		fprintf(call->csv ? stderr : stdout, "more: --after %" PRId64 "\n",
		        list->notices[list->n_notices - 1]->id);
}

static void print_notices_json(const Gridloop__V1__NoticeList *list)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_open(&j, "notices", '[');
	for (size_t i = 0; i < list->n_notices; i++) {
		json_open(&j, NULL, '{');
		json_notice(&j, list->notices[i]);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_bool(&j, "more", list->more);
	json_close(&j, '}');
	putchar('\n');
}

static enum exit_code say_seen(struct call *call)
{
	Gridloop__V1__NoticesSeen seen = GRIDLOOP__V1__NOTICES_SEEN__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	enum exit_code code = EXIT_OK;

	seen.up_to = options_int(&call->options, "--seen", 0);
	frame.body_case = CLIENT_BODY(NOTICES_SEEN);
	frame.notices_seen = &seen;

	server_frame *reply = call_ask_surely(call, &frame, SERVER_BODY(DONE), &code);

	if (!reply)
		return code;
	wire_free(reply);
	if (call->json)
		printf("{\"seen\":%" PRId64 "}\n", seen.up_to);
	else
		printf("read: all up to %" PRId64 "\n", seen.up_to);
	return EXIT_OK;
}

static enum exit_code run_notices(struct call *call)
{
	const struct options *o = &call->options;
	Gridloop__V1__ListNotices list = GRIDLOOP__V1__LIST_NOTICES__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	int64_t limit = options_int(o, "--limit", 0);
	enum exit_code code = EXIT_OK;

	if (options_flag(o, "--seen"))
		return say_seen(call);
	if (limit < 0 || limit > 100)
		return call_usage(call, "--limit is 1 to 100");
	list.after = options_int(o, "--after", 0);
	list.limit = (uint32_t)limit;
	list.unseen_only = options_flag(o, "--unseen");
	frame.body_case = CLIENT_BODY(LIST_NOTICES);
	frame.list_notices = &list;

	server_frame *reply = call_ask(call, &frame, SERVER_BODY(NOTICE_LIST), &code);

	if (!reply)
		return code;
	if (call->json)
		print_notices_json(reply->notice_list);
	else
		print_notices(call, reply->notice_list);
	wire_free(reply);
	return EXIT_OK;
}

const struct verb notice_verbs[] = {
	{ .name = "notices",
	  .zh = "通知",
	  .phase = PHASE_LOOK,
	  .flags = VERB_SERVER | VERB_JSON | VERB_CSV,
	  .usage = "[--unseen] [--after ID] [--seen ID]",
	  .summary = "what is owed to me: every reply and outcome",
	  .help = "Lists notices to you, your unit and your roles, oldest first. --seen ID says that you read all up "
	          "to that\n"
	          "one.",
	  .options = notice_options,
	  .example = "gridloop notices --unseen\ngridloop notices --seen 118",
	  .related = "watch, case show",
	  .most_words = 0,
	  .run = run_notices },
	{ 0 },
};
