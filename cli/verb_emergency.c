/* emergency declare, lift, list 应急: a time during which every hour counts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

#include "show.h"
#include "table.h"
#include "verb.h"

typedef Gridloop__V1__Emergency wire_emergency;

static const struct option_row declare_options[] = {
	{ "--area", OPTION_TEXT, "CODE", "the area or grid, by its code of 12 or 15 digits", 1, 0 },
	{ "--from", OPTION_TIME, "TIME", "when it begins; now, when not given", 0, 0 },
	{ "--until", OPTION_TIME, "TIME", "when it ends by itself; until it is lifted, when not given", 0, 0 },
	{ 0 },
};

static enum exit_code emergency_done(struct call *call, client_frame *frame, const char *what)
{
	enum exit_code code = EXIT_OK;
	server_frame *reply = call_ask(call, frame, SERVER_BODY(EMERGENCY_DONE), &code);

	if (!reply)
		return code;
	if (call->json)
		printf("{\"emergency\":%" PRId64 ",\"done\":\"%s\"}\n", reply->emergency_done->id, what);
	else
		printf("emergency %" PRId64 " %s; running limits of its area are being counted anew\n",
		       reply->emergency_done->id, what);
	wire_free(reply);
	return EXIT_OK;
}

static enum exit_code run_emergency_declare(struct call *call)
{
	Gridloop__V1__DeclareEmergency m = GRIDLOOP__V1__DECLARE_EMERGENCY__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	enum exit_code code = EXIT_OK;
	char *why = options_rest(&call->options, 0);
	int64_t now_ms;

	if (call_now(call, &now_ms, &code)) {
		m.area = wire_from_text(options_text(&call->options, "--area"));
		m.from_ms = options_time(&call->options, "--from", now_ms, 1);
		m.to_ms = options_time(&call->options, "--until", now_ms, 1);
		m.text = wire_from_text(why);
		frame.body_case = CLIENT_BODY(DECLARE_EMERGENCY);
		frame.declare_emergency = &m;
		code = emergency_done(call, &frame, "declared");
	}
	free(why);
	return code;
}

static enum exit_code run_emergency_lift(struct call *call)
{
	Gridloop__V1__LiftEmergency m = GRIDLOOP__V1__LIFT_EMERGENCY__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;

	if (!text_to_int(call->options.words[0], 1, INT64_MAX, &m.id))
		return call_usage(call, "\"%.40s\" is no number of an emergency; `gridloop emergency list` shows them",
		                  call->options.words[0]);
	frame.body_case = CLIENT_BODY(LIFT_EMERGENCY);
	frame.lift_emergency = &m;
	return emergency_done(call, &frame, "lifted");
}

static void json_emergencies(const Gridloop__V1__EmergencyList *list)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_open(&j, "emergencies", '[');
	for (size_t i = 0; i < list->n_emergencies; i++) {
		const wire_emergency *e = list->emergencies[i];

		json_open(&j, NULL, '{');
		json_int(&j, "id", e->id);
		json_field(&j, "area", e->area);
		json_time(&j, "from", e->from_ms);
		json_time(&j, "to", e->to_ms);
		json_bool(&j, "in_force", e->in_force);
		json_field(&j, "declared_by", e->declared_by);
		json_time(&j, "declared", e->declared_ms);
		json_field(&j, "lifted_by", e->lifted_by);
		json_time(&j, "lifted", e->lifted_ms);
		json_field(&j, "text", e->text);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	putchar('\n');
}

static void print_emergencies(const struct call *call, const Gridloop__V1__EmergencyList *list)
{
	static const struct column columns[] = {
		{ "id", 1, 0, 0 },       { "area", 0, 0, 0 },        { "from", 0, 0, 0 },      { "until", 0, 0, 0 },
		{ "in force", 0, 0, 0 }, { "declared by", 0, 1, 2 }, { "lifted by", 0, 1, 1 }, { "why", 0, 1, 0 },
	};
	struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);
	char text[SHOW_SIZE];

	for (size_t i = 0; i < list->n_emergencies; i++) {
		const wire_emergency *e = list->emergencies[i];
		int64_t end_ms = e->lifted_ms ? e->lifted_ms : e->to_ms;

		table_cell_int(t, e->id);
		table_cell(t, wire_text(e->area));
		table_cell(t, show_time(e->from_ms, text));
		table_cell(t, end_ms ? show_time(end_ms, text) : "it is lifted");
		table_cell_as(t, e->in_force ? "yes" : "no", e->in_force ? TINT_RED : TINT_DIM, NULL);
		table_cell(t, wire_text(e->declared_by));
		table_cell(t, wire_text(e->lifted_by));
		table_cell(t, wire_text(e->text));
	}
	if (list->n_emergencies)
		table_print(t, stdout, call->width, call->color);
	else
		puts("no emergency was ever declared");
	table_free(t);
}

static enum exit_code run_emergency_list(struct call *call)
{
	Gridloop__V1__ListEmergencies m = GRIDLOOP__V1__LIST_EMERGENCIES__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	enum exit_code code = EXIT_OK;

	frame.body_case = CLIENT_BODY(LIST_EMERGENCIES);
	frame.list_emergencies = &m;

	server_frame *reply = call_ask(call, &frame, SERVER_BODY(EMERGENCY_LIST), &code);

	if (!reply)
		return code;
	if (call->json)
		json_emergencies(reply->emergency_list);
	else
		print_emergencies(call, reply->emergency_list);
	wire_free(reply);
	return EXIT_OK;
}

#define EMERGENCY .phase = PHASE_OPERATE, .flags = VERB_SERVER | VERB_JSON

const struct verb emergency_verbs[] = {
	{ .name = "emergency declare",
	  .zh = "宣布应急",
	  EMERGENCY,
	  .usage = "--area CODE [--from TIME] [--until TIME] WHY",
	  .summary = "every hour counts in an area from now on",
	  .help = "For supervisors of the area. A work hour becomes an hour by the clock and a work day 24 of them.\n"
	          "Limits that run there are counted anew from now on; what was missed before stays missed.",
	  .options = declare_options,
	  .example = "gridloop emergency declare --area 610404004000 --until 48h \"暴雨红色预警 red warning of rain\"",
	  .related = "emergency lift, emergency list",
	  .least_words = 1,
	  .most_words = -1,
	  .run = run_emergency_declare },
	{ .name = "emergency lift",
	  .zh = "解除应急",
	  EMERGENCY,
	  .usage = "ID",
	  .summary = "an emergency is over: limits run by working time again",
	  .help = "For supervisors of its area. What is left of each limit is what counts from now on.",
	  .example = "gridloop emergency lift 3",
	  .related = "emergency list",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_emergency_lift },
	{ .name = "emergency list",
	  .zh = "应急一览",
	  EMERGENCY,
	  .usage = "",
	  .summary = "the emergencies there are and were, newest first",
	  .help = "For staff.",
	  .example = "gridloop emergency list",
	  .related = "emergency declare, emergency lift",
	  .most_words = 0,
	  .run = run_emergency_list },
	{ 0 },
};
