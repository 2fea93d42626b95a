/* The look at the database after a restart, through a connection of its own beside the writer's. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "store/verify.h"
#include "street_parts.h"

struct view {
	sqlite3 *db;
	_Bool broken;
};

static sqlite3_stmt *ask(struct view *v, const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(v->db, sql, -1, &st, NULL) != SQLITE_OK)
		v->broken = 1;
	return st;
}

static _Bool next(struct view *v, sqlite3_stmt *st)
{
	int result = st ? sqlite3_step(st) : SQLITE_ERROR;

	v->broken |= result != SQLITE_ROW && result != SQLITE_DONE;
	return result == SQLITE_ROW;
}

static void see_keys(struct view *v)
{
	sqlite3_stmt *st = ask(v, "SELECT key, case_id FROM request_key");

	while (next(v, st)) {
		struct ask *k = sqlite3_column_bytes(st, 0) == UUID_SIZE
		                        ? asks_find(&street.asks, sqlite3_column_blob(st, 0))
		                        : NULL;
		int64_t case_id = sqlite3_column_int64(st, 1);

		if (!k)
			street_found_wrong(&street.findings->integrity_errors, "a key is there that nobody sent");
		else if (k->present)
			street_found_wrong(&street.findings->doubled, "the key of ask %d stands twice", k->number);
		else if (k->kind == COMMAND_SUBMIT && k->case_id != 0 && k->case_id != case_id)
			street_found_wrong(&street.findings->lost, "ask %d was told case %lld, and the row says %lld",
			                   k->number, (long long)k->case_id, (long long)case_id);
		if (k)
			k->present = 1;
	}
	(void)sqlite3_finalize(st);
}

static void see_photos(struct view *v)
{
	sqlite3_stmt *st = ask(v, "SELECT sha256 FROM evidence");
	int number;

	while (next(v, st)) {
		memcpy(&number, sqlite3_column_blob(st, 0), sizeof number);
		if (number >= 0 && (size_t)number < street.asks.count)
			street.asks.all[number].present = 1;
	}
	(void)sqlite3_finalize(st);
}

/* Each report has its one case, told by its words. */
static void see_cases(struct view *v)
{
	int *cases = must_calloc(street.asks.count + 1, sizeof *cases);
	sqlite3_stmt *st = ask(v, "SELECT description FROM open_case UNION ALL SELECT description FROM closed_case");

	while (next(v, st)) {
		const char *words = (const char *)sqlite3_column_text(st, 0);
		long number = words && strncmp(words, "ask ", 4) == 0 ? strtol(words + 4, NULL, 10) : -1;

		if (number < 0 || (size_t)number >= street.asks.count)
			street_found_wrong(&street.findings->integrity_errors, "a case is there that nobody reported");
		else if (cases[number]++ > 0)
			street_found_wrong(&street.findings->doubled, "ask %ld has two cases", number);
	}
	(void)sqlite3_finalize(st);
	for (size_t i = 0; i < street.asks.count; i++) {
		const struct ask *k = &street.asks.all[i];

		if (k->kind == COMMAND_SUBMIT && k->fate == ASK_TAKEN && cases[i] == 0)
			street_found_wrong(&street.findings->lost, "ask %zu was taken, its case is gone", i);
	}
	free(cases);
}

static int64_t number_of(struct view *v, const char *sql)
{
	sqlite3_stmt *st = ask(v, sql);
	int64_t number = next(v, st) ? sqlite3_column_int64(st, 0) : 0;

	(void)sqlite3_finalize(st);
	return number;
}

static void compare(struct view *v)
{
	for (size_t i = 0; i < street.asks.count; i++)
		street.asks.all[i].present = 0;
	see_keys(v);
	see_photos(v);
	see_cases(v);
	for (size_t i = 0; i < street.asks.count; i++) {
		struct ask *k = &street.asks.all[i];
		_Bool stays = k->kind == COMMAND_SUBMIT || k->kind == COMMAND_ACT || k->kind == COMMAND_REDEEM;

		if (stays && k->fate == ASK_TAKEN && !k->present) {
			street_found_wrong(&street.findings->lost, "ask %zu was taken and is gone", i);
			k->fate = ASK_WAITS; /* counted once */
			k->case_id = 0;
		}
	}
	if (number_of(v, "SELECT max(id) FROM case_event") < street.published) {
		street_found_wrong(&street.findings->lost, "event %lld was published and is gone",
		                   (long long)street.published);
		street.published = 0;
	}
}

static _Bool open_view(struct view *v)
{
	return sqlite3_open_v2(street.path, &v->db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK;
}

static void verify_all(void)
{
	struct verify_report report;
	char *cause = NULL;

	if (!verify_database(street.path, NULL, NULL, &report, &cause)) {
		street_found_wrong(&street.findings->integrity_errors, "verify: %s", cause);
		free(cause);
		return;
	}
	for (int i = 0; i < report.count; i++)
		if (report.checks[i].broken)
			street_found_wrong(&street.findings->integrity_errors, "verify: %s: %s", report.checks[i].name,
			                   report.checks[i].first);
}

void street_look(void)
{
	struct view v = { 0 };

	disk_pause();
	verify_all();
	if (!open_view(&v))
		v.broken = 1;
	else
		compare(&v);
	if (v.broken)
		street_found_wrong(&street.findings->integrity_errors, "the database cannot be read: %s",
		                   sqlite3_errmsg(v.db));
	(void)sqlite3_close(v.db);
	disk_resume();
}

struct street_reach street_reach(void)
{
	struct view v = { 0 };
	struct street_reach r = { 0 };

	disk_pause();
	if (open_view(&v))
		r = (struct street_reach){ .open = number_of(&v, "SELECT count(*) FROM open_case"),
			                   .archived = number_of(&v, "SELECT count(*) FROM closed_case"),
			                   .events = number_of(&v, "SELECT count(*) FROM case_event"),
			                   .points = number_of(&v, "SELECT count(*) FROM ledger"),
			                   .evidence = number_of(&v, "SELECT count(*) FROM case_evidence") };
	(void)sqlite3_close(v.db);
	disk_resume();
	return r;
}
