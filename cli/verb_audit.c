/* audit: who looked at or changed what. */
#include <inttypes.h>

#include "show.h"
#include "verb.h"
#include "workflow/audit.h"

static const struct option_row audit_options[] = {
	{ "--since", OPTION_TIME, "TIME", "only from then on (a span means so long ago)", 0, 0 },
	{ "--until", OPTION_TIME, "TIME", "only before then", 0, 0 },
	{ "--who", OPTION_TEXT, "ID", "only what this identity did", 0, 0 },
	{ "--subject", OPTION_TEXT, "TEXT", "only about this case number, person or area, exactly as it stands there",
	  0, 0 },
	{ "--what", OPTION_TEXT, "NAME", "only this: look-case, unmask, export, erase, reload, correct, …", 0, 0 },
	{ "--limit", OPTION_INT, "N", "how many, 1 to 100; 20", 0, 0 },
	{ "--before", OPTION_INT, "ID", "the page behind this row", 0, 0 },
	{ 0 },
};

/* "unmask 查看明文" */
static const char *show_what(const char *name, char out[SHOW_SIZE])
{
	snprintf(out, SHOW_SIZE, "%s %s", name, audited_zh(audited_from_name(name)));
	return out;
}

static void print_audit(const struct call *call, const Gridloop__V1__AuditList *list)
{
	static const struct column columns[] = {
		{ "id", 1, 0, 0 },      { "when", 0, 0, 0 },    { "who", 0, 1, 0 },   { "what", 0, 0, 0 },
		{ "subject", 0, 1, 0 }, { "purpose", 0, 1, 1 }, { "count", 1, 0, 2 }, { "by", 0, 0, 3 },
	};
	struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);
	char text[SHOW_SIZE];

	for (size_t i = 0; i < list->n_rows; i++) {
		const Gridloop__V1__AuditRow *row = list->rows[i];

		table_cell_int(t, row->id);
		table_cell(t, show_time(row->at_ms, text));
		table_cell(t, wire_text(row->who));
		table_cell_as(t, show_what(wire_text(row->what), text), TINT_NONE, wire_text(row->what));
		table_cell(t, wire_text(row->subject));
		table_cell(t, wire_text(row->purpose));
		if (row->count)
			table_cell_int(t, row->count);
		else
			table_cell(t, "");
		table_cell(t, wire_text(row->channel));
	}
	table_hide_empty(t);
	if (call->csv)
		table_csv(t, stdout);
	else if (list->n_rows)
		table_print(t, stdout, call->width, call->color);
	else
		puts("nothing of the kind is recorded");
	table_free(t);
	if (list->next_before)
		fprintf(call->csv ? stderr : stdout, "more: --before %" PRId64 "\n", list->next_before);
}

static void print_audit_json(const Gridloop__V1__AuditList *list)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_open(&j, "rows", '[');
	for (size_t i = 0; i < list->n_rows; i++) {
		json_open(&j, NULL, '{');
		json_audit(&j, list->rows[i]);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_int(&j, "next_before", list->next_before);
	json_close(&j, '}');
	putchar('\n');
}

static enum exit_code run_audit(struct call *call)
{
	const struct options *o = &call->options;
	Gridloop__V1__GetAudit get = GRIDLOOP__V1__GET_AUDIT__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	int64_t limit = options_int(o, "--limit", 0), now_ms;
	enum exit_code code = EXIT_OK;

	if (limit < 0 || limit > 100)
		return call_usage(call, "--limit is 1 to 100");
	if (!call_now(call, &now_ms, &code))
		return code;
	get.from_ms = options_time(o, "--since", now_ms, -1);
	get.to_ms = options_time(o, "--until", now_ms, -1);
	get.who = wire_from_text(options_text(o, "--who"));
	get.subject = wire_from_text(options_text(o, "--subject"));
	get.what = wire_from_text(options_text(o, "--what"));
	get.limit = (uint32_t)limit;
	get.before = options_int(o, "--before", 0);
	frame.body_case = CLIENT_BODY(GET_AUDIT);
	frame.get_audit = &get;

	server_frame *reply = call_ask(call, &frame, SERVER_BODY(AUDIT_LIST), &code);

	if (!reply)
		return code;
	if (call->json)
		print_audit_json(reply->audit_list);
	else
		print_audit(call, reply->audit_list);
	wire_free(reply);
	return EXIT_OK;
}

const struct verb audit_verbs[] = {
	{ .name = "audit",
	  .zh = "审计",
	  .phase = PHASE_OPERATE,
	  .flags = VERB_SERVER | VERB_JSON | VERB_CSV,
	  .usage = "[--since TIME] [--who ID] [--subject TEXT] [--what NAME]",
	  .summary = "who looked at or changed what, newest first",
	  .help = "Every look by staff at a case, a list, a photo or somebody's points is recorded before its answer "
	          "goes "
	          "out,\n"
	          "and so is every change of points, rules and rights. What was done to a case is in its history. For "
	          "supervisors\n"
	          "and operators; reading the audit is recorded too. gridloop verify proves that no row was edited or "
	          "removed.",
	  .options = audit_options,
	  .example = "gridloop audit --since 7d --what unmask\ngridloop audit --subject E01102026112100042 --json",
	  .related = "verify, case show, case history",
	  .most_words = 0,
	  .run = run_audit },
	{ 0 },
};
