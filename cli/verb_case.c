/* case list, case show, case history: looking at cases. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "show.h"
#include "verb.h"
#include "workflow/domain.h"

#define PAGE_MOST 100
#define STATES_MOST STATE_COUNT
#define CATEGORY_NAME_MOST 18 /* columns of a category's name behind its code; `case show` has it whole */

/* ---- list ---- */

static const struct option_row list_options[] = {
	{ "--area", OPTION_TEXT, "CODE", "only under this area or grid code", 0, 0 },
	{ "--category", OPTION_TEXT, "CODE", "only this category (E0110) or class (E01)", 0, 0 },
	{ "--state", OPTION_TEXT, "STATE", "only in this state, such as HANDLING", 0, 1 },
	{ "--handler", OPTION_TEXT, "UNIT", "only handled by this unit", 0, 0 },
	{ "--reporter", OPTION_TEXT, "ID", "only reported by this account", 0, 0 },
	{ "--overdue", OPTION_FLAG, NULL, "only those that are late", 0, 0 },
	{ "--open", OPTION_FLAG, NULL, "only open ones", 0, 0 },
	{ "--unlocated", OPTION_FLAG, NULL, "only those still to be located 待定位", 0, 0 },
	{ "--doubted", OPTION_FLAG, NULL, "only those with a doubt about their points 存疑", 0, 0 },
	{ "--from", OPTION_TIME, "TIME", "reported at or after (a span means so long ago)", 0, 0 },
	{ "--to", OPTION_TIME, "TIME", "reported before", 0, 0 },
	{ "--limit", OPTION_INT, "N", "how many a page, 1 to 100; 20", 0, 0 },
	{ "--cursor", OPTION_TEXT, "CURSOR", "go on behind an earlier page", 0, 0 },
	{ 0 },
};

static const struct column list_columns[] = {
	{ "number", 0, 0, 0 },   { "state", 0, 0, 0 }, { "category", 0, 1, 0 }, { "light", 0, 0, 0 },
	{ "reported", 0, 0, 3 }, { "due", 0, 0, 1 },   { "grid", 0, 1, 2 },     { "handler", 0, 1, 4 },
	{ "reporter", 0, 1, 6 }, { "kind", 0, 0, 7 },  { "address", 0, 1, 5 },  { "doubts", 0, 0, 8 },
};

static void list_row(struct table *t, const wire_summary *s)
{
	char text[SHOW_SIZE], category[256];
	char *name = table_cut(wire_text(s->category_name), CATEGORY_NAME_MOST);
	const char *light = wire_text(s->light);
	enum tint tint = s->overdue ? TINT_RED : tint_of_light(light);
	const char *kind = name_of_kind((int)s->reporter_kind);

	table_cell(t, wire_text(s->number));
	table_cell_as(t, show_state((int)s->state, text), TINT_NONE, name_of_state((int)s->state));
	snprintf(category, sizeof category, "%s %s", wire_text(s->category), name);
	free(name);
	table_cell_as(t, category, TINT_NONE, wire_text(s->category));
	table_cell_as(t, light, tint_of_light(light), NULL);
	table_cell(t, show_time(s->reported_ms, text));
	table_cell_as(t, show_time(s->due_ms, text), s->overdue ? tint : TINT_NONE, s->due_ms ? NULL : "");
	table_cell_as(t, s->grid.len ? wire_text(s->grid_name.len ? s->grid_name : s->grid) : "to be located",
	              TINT_NONE, wire_text(s->grid));
	table_cell(t, wire_text(s->handler));
	table_cell(t, wire_text(s->reporter));
	table_cell(t, kind ? kind : "");
	table_cell(t, wire_text(s->address));
	table_cell(t, wire_text(s->doubts));
}

static void print_list(const struct call *call, const Gridloop__V1__CaseList *list)
{
	struct table *t = table_new(list_columns, sizeof list_columns / sizeof list_columns[0]);

	for (size_t i = 0; i < list->n_cases; i++)
		list_row(t, list->cases[i]);
	table_hide_empty(t);
	if (call->csv)
		table_csv(t, stdout);
	else if (list->n_cases)
		table_say_left_out(stdout, table_print(t, stdout, call->width, call->color),
		                   "--csv and --json have all", call->color);
	else
		puts("no cases");
	table_free(t);
	if (list->next_cursor.len)
		fprintf(call->csv ? stderr : stdout, "more: --cursor %s\n", wire_text(list->next_cursor));
}

static void print_list_json(const Gridloop__V1__CaseList *list)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_open(&j, "cases", '[');
	for (size_t i = 0; i < list->n_cases; i++) {
		json_open(&j, NULL, '{');
		json_summary(&j, list->cases[i]);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_field(&j, "next_cursor", list->next_cursor);
	json_close(&j, '}');
	putchar('\n');
}

/* The --state options as the contract's numbers; false: printed. */
static _Bool fill_states(const struct call *call, Gridloop__V1__State *states, size_t *count)
{
	const char *names[STATES_MOST];
	int given = options_all(&call->options, "--state", names, STATES_MOST);

	for (int i = 0; i < given; i++) {
		enum state s = state_from_name(names[i]);

		if (s == STATE_NONE) {
			call_usage(call,
			           "\"%.40s\" is no state; expected one such as REPORTED, FILED, DISPATCHED, HANDLING, "
			           "CLOSED",
			           names[i]);
			return 0;
		}
		states[(*count)++] = (Gridloop__V1__State)s;
	}
	return 1;
}

static enum exit_code run_list(struct call *call)
{
	const struct options *o = &call->options;
	Gridloop__V1__ListCases list = GRIDLOOP__V1__LIST_CASES__INIT;
	Gridloop__V1__State states[STATES_MOST];
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	int64_t limit = options_int(o, "--limit", 0), now_ms;
	enum exit_code code = EXIT_OK;

	if (limit < 0 || limit > PAGE_MOST)
		return call_usage(call, "--limit is 1 to %d", PAGE_MOST);
	list.states = states;
	if (!fill_states(call, states, &list.n_states))
		return EXIT_USAGE;
	if (!call_now(call, &now_ms, &code))
		return code;
	list.area = wire_from_text(options_text(o, "--area"));
	list.category = wire_from_text(options_text(o, "--category"));
	list.handler = wire_from_text(options_text(o, "--handler"));
	list.reporter = wire_from_text(options_text(o, "--reporter"));
	list.overdue = options_flag(o, "--overdue");
	list.open_only = options_flag(o, "--open");
	list.unlocated = options_flag(o, "--unlocated");
	list.doubted = options_flag(o, "--doubted");
	list.from_ms = options_time(o, "--from", now_ms, -1);
	list.to_ms = options_time(o, "--to", now_ms, -1);
	list.limit = (uint32_t)limit;
	list.cursor = wire_from_text(options_text(o, "--cursor"));
	frame.body_case = CLIENT_BODY(LIST_CASES);
	frame.list_cases = &list;

	server_frame *reply = call_ask(call, &frame, SERVER_BODY(CASE_LIST), &code);

	if (!reply)
		return code;
	if (call->json)
		print_list_json(reply->case_list);
	else
		print_list(call, reply->case_list);
	wire_free(reply);
	return EXIT_OK;
}

/* ---- show ---- */

static void line(const char *label, const char *value)
{
	if (value && value[0])
		printf("  %-14s %s\n", label, value);
}

static void line_list(const char *label, const wire_bytes *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		line(i ? "" : label, wire_text(values[i]));
}

static void line_count(const char *label, int64_t count)
{
	char text[SHOW_SIZE];

	snprintf(text, sizeof text, "%" PRId64, count);
	line(label, count ? text : NULL);
}

static void print_head(const struct call *call, const wire_view *v)
{
	const wire_summary *s = v->summary;
	char state[SHOW_SIZE];
	enum tint light = tint_of_light(wire_text(s->light));

	printf("%s%s%s  %s  phase %s", tint_on(TINT_BOLD, call->color), wire_text(s->number),
	       tint_off(TINT_BOLD, call->color), show_state((int)s->state, state), wire_text(v->phase));
	if (s->light.len)
		printf("  %s● %s%s", tint_on(light, call->color), wire_text(s->light), tint_off(light, call->color));
	puts(s->overdue ? "  late" : "");
	printf("  %-14s %s %s\n", "category", wire_text(s->category), wire_text(s->category_name));
}

static void print_place(const wire_view *v)
{
	const wire_summary *s = v->summary;
	char place[SHOW_SIZE];

	printf("  %-14s %s %s\n", "grid", s->grid.len ? wire_text(s->grid) : "to be located", wire_text(s->grid_name));
	snprintf(place, sizeof place, "%.6f,%.6f", v->lat, v->lon);
	line("reported in", wire_text(v->reported_grid));
	line("place", v->located ? place : NULL);
	line("address", wire_text(s->address));
}

static void print_times(const wire_view *v, int64_t now_ms)
{
	const wire_summary *s = v->summary;
	char text[SHOW_SIZE];
	const struct {
		const char *label;
		int64_t ms;
	} stages[] = {
		{ "discover 发现", v->discover_ms },
		{ "handle 处置", v->handle_ms },
		{ "feedback 反馈", v->feedback_ms },
		{ "paused", v->paused_ms },
	};

	line("reported", show_time(s->reported_ms, text));
	line("step due", s->due_ms ? show_due(s->due_ms, now_ms, text) : NULL);
	line("handling due", s->handle_due_ms ? show_due(s->handle_due_ms, now_ms, text) : NULL);
	line("ended", s->ended_ms ? show_time(s->ended_ms, text) : NULL);
	printf("  %-14s", "time spent");
	for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
		if (stages[i].ms)
			printf(" %s %s ", stages[i].label, show_span(stages[i].ms, text));
	putchar('\n');
}

static void print_co_handler(const Gridloop__V1__CoHandler *c, int64_t now_ms)
{
	char text[SHOW_SIZE];

	printf("  %-14s %s, %s%s\n", "co-handler 协办", wire_text(c->unit),
	       c->done     ? "done"
	       : c->due_ms ? show_due(c->due_ms, now_ms, text)
	                   : "asked",
	       c->late ? ", late" : "");
}

static void print_people(const wire_view *v, int64_t now_ms)
{
	const wire_summary *s = v->summary;
	const char *kind = name_of_kind((int)s->reporter_kind);

	printf("  %-14s %s%s%s%s\n", "reporter", s->reporter.len ? wire_text(s->reporter) : "anonymous",
	       kind ? " (" : "", kind ? kind : "", kind ? ")" : "");
	line("on behalf of", wire_text(v->beneficiary));
	line("contact", wire_text(v->contact_name));
	line("phone", wire_text(v->contact_phone));
	line("masked", v->masked ? "yes; whose work needs more asks with --purpose, which is recorded" : NULL);
	line("handler", wire_text(s->handler));
	for (size_t i = 0; i < v->n_co_handling; i++)
		print_co_handler(v->co_handling[i], now_ms);
	line("rests on", wire_text(v->basis));
	line("level", s->level ? level_name(s->level <= LEVEL_DISTRICT ? (enum level)s->level : LEVEL_DISTRICT) : NULL);
	line("programme", wire_text(v->programme));
	line("points doubted", wire_text(s->doubts));
}

static void print_history(const struct call *call, const wire_view *v)
{
	static const struct column columns[] = {
		{ "when", 0, 0, 0 }, { "what", 0, 0, 0 },  { "state", 0, 0, 1 },
		{ "who", 0, 1, 0 },  { "about", 0, 1, 2 }, { "words", 0, 1, 0 },
	};
	struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);
	char text[SHOW_SIZE];

	for (size_t i = 0; i < v->n_history; i++) {
		const wire_event *e = v->history[i];

		table_cell(t, show_time(e->at_ms, text));
		table_cell(t, show_act((int)e->act, text));
		table_cell(t, e->from == e->to ? "" : show_state((int)e->to, text));
		table_cell(t, wire_text(e->actor));
		table_cell(t, wire_text(e->ref));
		table_cell(t, wire_text(e->text));
	}
	if (v->history_cut)
		puts("older events are left out");
	if (call->csv)
		table_csv(t, stdout);
	else
		table_print(t, stdout, call->width, call->color);
	table_free(t);
}

static void print_view(const struct call *call, const wire_view *v)
{
	const char *rating = name_of_rating((int)v->rating);

	print_head(call, v);
	print_place(v);
	print_people(v, client_now_ms(call->client));
	print_times(v, client_now_ms(call->client));
	line("description", wire_text(v->description));
	line_list("photos", v->photos, v->n_photos);
	line_count("evidence", (int64_t)v->n_evidence);
	line("joined", wire_text(v->merged_into));
	line_list("joined by", v->merged_here, v->n_merged_here);
	line_count("alarms", v->alarm_count);
	line_count("extended", v->extended);
	line_count("reworked", v->reworked);
	line_count("reopened", v->reopened);
	line("rating", rating);
	line_count("points", v->points);
	putchar('\n');
	print_history(call, v);
}

static void json_history(struct json *j, const wire_view *v)
{
	json_open(j, "history", '[');
	for (size_t i = 0; i < v->n_history; i++) {
		json_open(j, NULL, '{');
		json_event(j, v->history[i]);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_bool(j, "history_cut", v->history_cut);
}

static void json_co_handler(struct json *j, const Gridloop__V1__CoHandler *c)
{
	json_open(j, NULL, '{');
	json_text(j, "unit", wire_text(c->unit));
	json_int(j, "due_ms", c->due_ms);
	json_bool(j, "done", c->done);
	json_bool(j, "late", c->late);
	json_close(j, '}');
}

void view_json(struct json *j, const wire_view *v)
{
	json_open(j, NULL, '{');
	json_summary(j, v->summary);
	json_text(j, "phase", wire_text(v->phase));
	json_field(j, "description", v->description);
	json_field(j, "beneficiary", v->beneficiary);
	json_field(j, "contact_name", v->contact_name);
	json_field(j, "contact_phone", v->contact_phone);
	json_bool(j, "masked", v->masked);
	json_texts(j, "photos", v->photos, v->n_photos);
	json_int(j, "evidence", (int64_t)v->n_evidence);
	json_field(j, "reported_grid", v->reported_grid);
	json_bool(j, "located", v->located);
	if (v->located) {
		json_real(j, "lat", v->lat);
		json_real(j, "lon", v->lon);
	}
	json_texts(j, "co_handlers", v->co_handlers, v->n_co_handlers);
	json_open(j, "co_handling", '[');
	for (size_t i = 0; i < v->n_co_handling; i++)
		json_co_handler(j, v->co_handling[i]);
	json_close(j, ']');
	json_field(j, "basis", v->basis);
	json_field(j, "merged_into", v->merged_into);
	json_texts(j, "merged_here", v->merged_here, v->n_merged_here);
	json_text(j, "rating", name_of_rating((int)v->rating));
	json_int(j, "points", v->points);
	json_int(j, "reopened", v->reopened);
	json_int(j, "reworked", v->reworked);
	json_int(j, "extended", v->extended);
	json_int(j, "alarm_count", v->alarm_count);
	json_field(j, "programme", v->programme);
	json_int(j, "discover_ms", v->discover_ms);
	json_int(j, "handle_ms", v->handle_ms);
	json_int(j, "feedback_ms", v->feedback_ms);
	json_int(j, "paused_ms", v->paused_ms);
	json_history(j, v);
	json_close(j, '}');
}

static void print_view_json(const wire_view *v)
{
	struct json j;

	json_init(&j, stdout);
	view_json(&j, v);
	putchar('\n');
}

/* NULL: printed. */
static server_frame *get_case(struct call *call, enum exit_code *code)
{
	Gridloop__V1__GetCase get = GRIDLOOP__V1__GET_CASE__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;

	get.case_number = wire_from_text(call->options.words[0]);
	get.purpose = wire_from_text(options_text(&call->options, "--purpose"));
	frame.body_case = CLIENT_BODY(GET_CASE);
	frame.get_case = &get;

	server_frame *reply = call_ask(call, &frame, SERVER_BODY(CASE_VIEW), code);

	if (reply && !reply->case_view->summary) {
		wire_free(reply);
		*code = EXIT_LOST;
		return NULL;
	}
	return reply;
}

static enum exit_code run_show(struct call *call)
{
	enum exit_code code = EXIT_OK;
	server_frame *reply = get_case(call, &code);

	if (!reply)
		return code;
	if (call->json)
		print_view_json(reply->case_view);
	else
		print_view(call, reply->case_view);
	wire_free(reply);
	return EXIT_OK;
}

static enum exit_code run_history(struct call *call)
{
	enum exit_code code = EXIT_OK;
	server_frame *reply = get_case(call, &code);
	struct json j;

	if (!reply)
		return code;
	if (call->json) {
		json_init(&j, stdout);
		json_open(&j, NULL, '{');
		json_field(&j, "number", reply->case_view->summary->number);
		json_history(&j, reply->case_view);
		json_close(&j, '}');
		putchar('\n');
	} else {
		print_history(call, reply->case_view);
	}
	wire_free(reply);
	return EXIT_OK;
}

static const struct option_row show_options[] = {
	{ "--purpose", OPTION_TEXT, "TEXT", "why you need names and numbers unmasked; it is recorded", 0, 0 },
	{ 0 },
};

#define LOOKS .phase = PHASE_LOOK, .flags = VERB_SERVER | VERB_JSON

const struct verb case_verbs[] = {
	{ .name = "case list",
	  .zh = "案件列表",
	  .phase = PHASE_LOOK,
	  .flags = VERB_SERVER | VERB_JSON | VERB_CSV,
	  .usage = "[filters]",
	  .summary = "cases, newest first",
	  .help = "Lists cases; all given filters must hold, several --state mean any of them. A page ends with "
	          "\"more:\" and\n"
	          "the cursor of the next one. Without the right to see all, one sees one's own.\n"
	          "Columns that are empty in every row of the page are left out, and long category names are cut;\n"
	          "--csv and --json have all columns.",
	  .options = list_options,
	  .example = "gridloop case list --open --overdue\ngridloop case list --area 610404004001 --category E01 "
	             "--from 7d --csv",
	  .related = "case show, stats",
	  .most_words = 0,
	  .run = run_list },
	{ .name = "case show",
	  .zh = "案件详情",
	  LOOKS,
	  .usage = "NUMBER [--purpose TEXT]",
	  .summary = "everything about one case",
	  .help = "Shows where the case is, whose turn it is and until when, and what happened so far.\n"
	          "Names and numbers of people are masked (张*, 138****1234) for everybody but who reported it. "
	          "Acceptors,\n"
	          "visitors, supervisors and the grid worker asked to look see them with --purpose, which says what "
	          "for; "
	          "who\n"
	          "looked and why is recorded (gridloop audit). Who handles a case never sees who reported it.",
	  .options = show_options,
	  .example = "gridloop case show E01102026112100042\n"
	             "gridloop case show E01102026112100042 --purpose \"call back about the result\"",
	  .related = "case history, case list, watch, audit",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_show },
	{ .name = "case history",
	  .zh = "案件过程",
	  .phase = PHASE_LOOK,
	  .flags = VERB_SERVER | VERB_JSON | VERB_CSV,
	  .usage = "NUMBER",
	  .summary = "what happened to one case, oldest first",
	  .example = "gridloop case history E01102026112100042 --csv",
	  .related = "case show",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_history },
	{ 0 },
};
