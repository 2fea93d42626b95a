/* person: what one person may ask of whoever keeps its data: a copy of all of it, and that it goes. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"
#include "verb.h"

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
	{ "--why", OPTION_TEXT, "TEXT", "another's: who asked for it and when; it is recorded, so name nobody in it", 0,
	  0 },
	{ 0 },
};

typedef Gridloop__V1__PersonExport wire_export;

static void write_case(struct json *j, const wire_export *page, size_t i)
{
	view_json(j, page->cases[i]);
}

static void write_ledger(struct json *j, const wire_export *page, size_t i)
{
	json_ledger(j, page->ledger[i]);
}

static void write_notice(struct json *j, const wire_export *page, size_t i)
{
	json_notice(j, page->notices[i]);
}

static void write_credential(struct json *j, const wire_export *page, size_t i)
{
	json_credential(j, page->credentials[i]);
}

static void write_audit(struct json *j, const wire_export *page, size_t i)
{
	json_audit(j, page->audit[i]);
}

/* The lists of a copy in the order in which its pages bring them. */
static const struct section {
	const char *name;
	size_t count; /* where a page has the number of its rows */
	void (*write)(struct json *j, const wire_export *page, size_t i);
	_Bool whole; /* writes its own braces */
} sections[] = {
	{ "cases", offsetof(wire_export, n_cases), write_case, 1 },
	{ "ledger", offsetof(wire_export, n_ledger), write_ledger, 0 },
	{ "notices", offsetof(wire_export, n_notices), write_notice, 0 },
	{ "credentials", offsetof(wire_export, n_credentials), write_credential, 0 },
	{ "audit", offsetof(wire_export, n_audit), write_audit, 0 },
};

#define SECTIONS (sizeof sections / sizeof *sections)

struct copy {
	struct call *call;
	struct json j;
	char *cursor;   /* heap; NULL: from the beginning */
	size_t section; /* whose list is open */
	enum exit_code code;
};

/* Closes lists and opens others until this one is open. */
static void open_section(struct copy *c, size_t section)
{
	while (c->section < section) {
		json_close(&c->j, ']');
		if (++c->section < SECTIONS)
			json_open(&c->j, sections[c->section].name, '[');
	}
}

static void write_rows(struct copy *c, const wire_export *page, size_t section)
{
	const struct section *s = &sections[section];
	size_t count = *(const size_t *)(const void *)((const char *)page + s->count);

	if (count > 0)
		open_section(c, section);
	for (size_t i = 0; i < count; i++) {
		if (!s->whole)
			json_open(&c->j, NULL, '{');
		s->write(&c->j, page, i);
		if (!s->whole)
			json_close(&c->j, '}');
	}
}

static void begin_copy(struct copy *c, const wire_export *page)
{
	json_open(&c->j, NULL, '{');
	json_field(&c->j, "person", page->person);
	if (page->identity) {
		json_open(&c->j, "identity", '{');
		json_identity(&c->j, page->identity);
		json_close(&c->j, '}');
	}
	json_int(&c->j, "balance", page->balance);
	json_open(&c->j, sections[0].name, '[');
}

static void write_page(struct copy *c, const wire_export *page)
{
	if (!c->cursor)
		begin_copy(c, page);
	for (size_t i = 0; i < SECTIONS; i++)
		write_rows(c, page, i);
	free(c->cursor);
	c->cursor = page->next_cursor.len ? must_strdup(wire_text(page->next_cursor)) : NULL;
}

/* false: printed, or that was the last page. */
static _Bool ask_page(struct copy *c)
{
	Gridloop__V1__ExportPerson m = GRIDLOOP__V1__EXPORT_PERSON__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;

	m.person = wire_from_text(c->call->options.words[0]);
	m.purpose = wire_from_text(options_text(&c->call->options, "--why"));
	m.cursor = wire_from_text(c->cursor);
	frame.body_case = CLIENT_BODY(EXPORT_PERSON);
	frame.export_person = &m;

	server_frame *reply = call_ask_surely(c->call, &frame, SERVER_BODY(PERSON_EXPORT), &c->code);

	if (!reply)
		return 0;
	write_page(c, reply->person_export);
	wire_free(reply);
	return c->cursor != NULL;
}

static enum exit_code write_copy(struct call *call, FILE *to)
{
	struct copy c = { .call = call };

	json_init(&c.j, to);
	while (ask_page(&c))
		;
	free(c.cursor);
	if (c.code != EXIT_OK)
		return c.code;
	open_section(&c, SECTIONS);
	json_close(&c.j, '}');
	fputc('\n', to);
	return EXIT_OK;
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
	else if (path)
		printf("written: %s\n", path);
	return code;
}

const struct verb person_verbs[] = {
	{ .name = "person export",
	  .zh = "导出个人信息",
	  .phase = PHASE_OPERATE,
	  .flags = VERB_SERVER,
	  .usage = "PERSON [--output FILE] [--why TEXT]",
	  .summary = "everything that is kept about one person, as JSON",
	  .help = "Its reports with their histories, its points, what it was told, what it logs in with, and who "
	          "looked at\n"
	          "any of that, when and what for. A person exports its own, a gateway its people's; a supervisor "
	          "exports for\n"
	          "who asks at the desk and says so with --why. Each copy is a row of the audit.",
	  .options = export_options,
	  .example = "gridloop person export meituan/rider-7 --output rider-7.json --why \"asked for at the desk on "
	             "2026-11-21\"",
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
