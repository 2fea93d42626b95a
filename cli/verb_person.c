/* person: what one person may ask of whoever keeps its data: a copy of all of it, and that it goes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"
#include "verb.h"

#define PAGE 100
#define PURPOSE "a copy for the person, who asked for it"

/* ---- erase ---- */

static const struct option_row erase_options[] = {
	{ "--why", OPTION_TEXT, "TEXT", "who asked for it and when; it is recorded, so name nobody in it", 0, 0 },
	{ "--key", OPTION_TEXT, "UUID", "send an earlier try again under its key", 0, 0 },
	{ 0 },
};

static enum exit_code run_erase(struct call *call)
{
	const char *why = options_text(&call->options, "--why");
	Gridloop__V1__ErasePerson erase = GRIDLOOP__V1__ERASE_PERSON__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	struct uuid key;
	enum exit_code code = EXIT_OK;

	if (!why)
		return call_usage(call, "--why is needed: who asked for it and when");
	if (!call_key(call, &key))
		return EXIT_USAGE;
	erase.key = wire_from_uuid(&key);
	erase.person = wire_from_text(call->options.words[0]);
	erase.why = wire_from_text(why);
	frame.body_case = CLIENT_BODY(ERASE_PERSON);
	frame.erase_person = &erase;

	server_frame *reply = call_ask_surely(call, &frame, SERVER_BODY(PERSON_ERASED), &code);

	if (!reply)
		return code;
	wire_free(reply);
	if (call->json)
		puts("{\"erased\":true}");
	else
		puts("erased: no case, notice or account names the person any more; backups made before still do");
	return EXIT_OK;
}

/* ---- export ---- */

static const struct option_row export_options[] = {
	{ "--output", OPTION_TEXT, "FILE", "write it there instead of to the screen; nothing may be there yet", 0, 0 },
	{ 0 },
};

struct copy {
	struct call *call;
	struct json j;
	wire_bytes person;
	enum exit_code code;
};

static void write_case(struct copy *c, wire_bytes number)
{
	Gridloop__V1__GetCase get = GRIDLOOP__V1__GET_CASE__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;

	get.case_number = number;
	get.purpose = wire_from_text(PURPOSE);
	frame.body_case = CLIENT_BODY(GET_CASE);
	frame.get_case = &get;

	server_frame *reply = call_ask(c->call, &frame, SERVER_BODY(CASE_VIEW), &c->code);

	if (!reply)
		return;
	view_json(&c->j, reply->case_view);
	wire_free(reply);
}

/* A page of the person's cases, each in full; the cursor of the next page on the heap, NULL at the end. */
static char *write_page(struct copy *c, const char *cursor)
{
	Gridloop__V1__ListCases list = GRIDLOOP__V1__LIST_CASES__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	char *next = NULL;

	list.reporter = c->person;
	list.limit = PAGE;
	list.cursor = wire_from_text(cursor);
	frame.body_case = CLIENT_BODY(LIST_CASES);
	frame.list_cases = &list;

	server_frame *reply = call_ask(c->call, &frame, SERVER_BODY(CASE_LIST), &c->code);

	if (!reply)
		return NULL;
	for (size_t i = 0; i < reply->case_list->n_cases && c->code == EXIT_OK; i++)
		write_case(c, reply->case_list->cases[i]->number);
	if (reply->case_list->next_cursor.len)
		next = must_strdup(wire_text(reply->case_list->next_cursor));
	wire_free(reply);
	return next;
}

static void write_cases(struct copy *c)
{
	char *cursor = NULL;

	json_open(&c->j, "cases", '[');
	do {
		char *next = write_page(c, cursor);

		free(cursor);
		cursor = next;
	} while (cursor && c->code == EXIT_OK);
	free(cursor);
	json_close(&c->j, ']');
}

static void write_points(struct copy *c)
{
	Gridloop__V1__GetPoints get = GRIDLOOP__V1__GET_POINTS__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;

	get.person = c->person;
	get.limit = PAGE;
	frame.body_case = CLIENT_BODY(GET_POINTS);
	frame.get_points = &get;

	server_frame *reply = call_ask(c->call, &frame, SERVER_BODY(POINTS), &c->code);

	if (!reply)
		return;
	json_int(&c->j, "balance", reply->points->balance);
	json_open(&c->j, "ledger", '[');
	for (size_t i = 0; i < reply->points->n_rows; i++) {
		const Gridloop__V1__LedgerRow *row = reply->points->rows[i];

		json_open(&c->j, NULL, '{');
		json_time(&c->j, "at", row->at_ms);
		json_int(&c->j, "points", row->points);
		json_field(&c->j, "rule", row->rule);
		json_field(&c->j, "number", row->case_number);
		json_field(&c->j, "text", row->text);
		json_close(&c->j, '}');
	}
	json_close(&c->j, ']');
	wire_free(reply);
}

static enum exit_code write_copy(struct call *call, FILE *to)
{
	struct copy c = { .call = call, .person = wire_from_text(call->options.words[0]) };

	json_init(&c.j, to);
	json_open(&c.j, NULL, '{');
	json_field(&c.j, "person", c.person);
	write_cases(&c);
	if (c.code == EXIT_OK)
		write_points(&c);
	json_close(&c.j, '}');
	fputc('\n', to);
	return c.code;
}

static enum exit_code run_export(struct call *call)
{
	const char *path = options_text(&call->options, "--output");
	FILE *to = path ? fopen(path, "wxe") : stdout;
	enum exit_code code;

	if (!to) {
		fprintf(stderr, "gridloop: %s: %s\n", path, strerror(errno));
		return EXIT_REFUSED;
	}
	code = write_copy(call, to);
	if (path && fclose(to) != 0 && code == EXIT_OK)
		code = EXIT_REFUSED;
	if (path && code != EXIT_OK)
		(void)remove(path);
	return code;
}

const struct verb person_verbs[] = {
	{ .name = "person export",
	  .zh = "导出个人信息",
	  .phase = PHASE_OPERATE,
	  .flags = VERB_SERVER,
	  .usage = "PERSON [--output FILE]",
	  .summary = "everything that is kept about one person, as JSON",
	  .help = "Its reports with their histories, and its points. A person exports its own; a supervisor exports "
	          "for "
	          "who asks\n"
	          "at the desk, and each case so looked at is recorded with that purpose. The newest 100 rows of the "
	          "ledger are\n"
	          "in it; gridloop points has the others.",
	  .options = export_options,
	  .example = "gridloop person export meituan/rider-7 --output rider-7.json",
	  .related = "person erase, audit",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_export },
	{ .name = "person erase",
	  .zh = "删除个人信息",
	  .phase = PHASE_OPERATE,
	  .flags = VERB_SERVER | VERB_JSON,
	  .usage = "PERSON --why TEXT",
	  .summary = "take one person's data out of everything that is kept",
	  .help = "For the person itself, its gateway, or a supervisor. Refused while one of its cases is open, and "
	          "says "
	          "which.\n"
	          "Its cases keep what is counted and lose the person, notices lose their addressee, photos that "
	          "nobody "
	          "else\n"
	          "names go, points that are left are forfeited, and the ledger's and the audit's rows go on under a "
	          "name "
	          "that\n"
	          "says nothing. It cannot be undone; export first.",
	  .options = erase_options,
	  .example = "gridloop person erase meituan/rider-7 --why \"asked for in writing on 2026-11-21\"",
	  .related = "person export, audit",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_erase },
	{ 0 },
};
