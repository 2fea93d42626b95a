/* migrations: the process is killed at every statement of every step of the schema, and the power goes at every operation of
 * the disk meanwhile. What is there afterwards is the old schema or the new one, never something between, and the next
 * start makes the new one of it with every row. A newer program's database is refused and not a byte of it changed.
 *
 * A run is one kill: from which version, at what, and how much of what was on its way arrived. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/connection.h"
#include "store/store.h"
#include "store/verify.h"
#include "street.h"
#include "tally.h"

#define TEXT_MOST 60000
#define KILLS_A_CHILD 100

/* What a database of before begins with, by its version. */
static const char *const rows_of[] = {
	"",
	"INSERT INTO ledger VALUES (1, 'a', 5, 6, 10, 'correction', 0, 0, NULL), (2, 'b', 6, 7, 3, 'correction', 0, 0, "
	"'kind'),"
	" (3, 'a', 7, 7, -4, 'redeem', 0, 0, 'soap');"
	"INSERT INTO account VALUES ('a', 6, 0, 0), ('b', 3, 0, 0);"
	"PRAGMA application_id = 0x67726964; PRAGMA user_version = 1; PRAGMA journal_mode = WAL",
	"INSERT INTO chain_head VALUES (0, 0, zeroblob(32)), (1, 0, zeroblob(32));"
	"PRAGMA application_id = 0x67726964; PRAGMA user_version = 2; PRAGMA journal_mode = WAL",
};
#define FROMS (sizeof rows_of / sizeof *rows_of)
static const int64_t ledger_rows_of[FROMS] = { 0, 3, 0 };
/* Its tables, as they were first. */
static const char *const tables_of[FROMS] = { NULL, "tests/unit/version_1.sql", "tests/unit/version_2.sql" };

/* How it ends: at an operation, with what was on its way torn, lost or written; at a statement, the process alone. */
enum ending { CUT_TORN, CUT_NONE, CUT_ALL, KILLED, ENDINGS };

struct look {
	int64_t version;
	char schema[TEXT_MOST];
};

struct job {
	uint64_t seed;
	size_t from;
	uint64_t operations, statements;
	struct look before, after;
	uint64_t integrity_errors;
};

/* ---- what a control leaves out: that all steps are one transaction ---- */

static _Bool piecemeal;
int __real_connection_execute(struct connection *c, const char *sql);
int __wrap_connection_execute(struct connection *c, const char *sql);

int __wrap_connection_execute(struct connection *c, const char *sql)
{
	if (piecemeal && (strcmp(sql, "BEGIN IMMEDIATE;") == 0 || strcmp(sql, "COMMIT;") == 0))
		return SQLITE_OK;
	return __real_connection_execute(c, sql);
}

/* ---- counting statements ---- */

static uint64_t statements, kill_at;

static int at_statement(unsigned what, void *ctx, void *statement, void *text)
{
	(void)what;
	(void)ctx;
	(void)statement;
	(void)text;
	if (++statements == kill_at)
		disk_cut();
	return 0;
}

static int watch(sqlite3 *db, char **error, const struct sqlite3_api_routines *api)
{
	(void)error;
	(void)api;
	return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, at_statement, NULL);
}

/* ---- databases ---- */

static void run_sql(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return;
	fprintf(stderr, "%s\n", sqlite3_errmsg(db));
	abort();
}

static void make(size_t from)
{
	static char schema[TEXT_MOST];
	sqlite3 *db = NULL;

	if (from == 0)
		return;
	FILE *file = fopen(tables_of[from], "re");

	must(file);
	schema[fread(schema, 1, sizeof schema - 1, file)] = '\0';
	(void)fclose(file);
	must(sqlite3_open_v2(street_path(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) == SQLITE_OK);
	run_sql(db, schema);
	run_sql(db, rows_of[from]);
	must(sqlite3_close(db) == SQLITE_OK);
}

static _Bool step_is_text(sqlite3_stmt *st, const char *text)
{
	return sqlite3_step(st) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(st, 0), text) == 0;
}

static void add_schema(sqlite3 *db, struct look *out)
{
	sqlite3_stmt *st = NULL;
	size_t length = 0;

	must(sqlite3_prepare_v2(db, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name", -1, &st,
	                        NULL) == SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW && length < sizeof out->schema)
		length += (size_t)snprintf(out->schema + length, sizeof out->schema - length, "%s\n",
		                           (const char *)sqlite3_column_text(st, 0));
	must(length < sizeof out->schema);
	(void)sqlite3_finalize(st);
}

/* Which schema is there; false: the file cannot be read or is not sound. */
static _Bool see(struct look *out)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	_Bool sound = sqlite3_open_v2(street_path(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) ==
	              SQLITE_OK;

	*out = (struct look){ 0 };
	sound = sound && sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL) == SQLITE_OK &&
	        step_is_text(st, "ok");
	(void)sqlite3_finalize(st);
	st = NULL;
	if (sound && sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		out->version = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	if (sound)
		add_schema(db, out);
	(void)sqlite3_close(db);
	return sound;
}

static _Bool is_same(const struct look *a, const struct look *b)
{
	return a->version == b->version && strcmp(a->schema, b->schema) == 0;
}

/* As the daemon does it; a store that opened is closed again. */
static _Bool open_store(void)
{
	const struct store_options o = { .path = street_path(), .checkpoint_frames = 1000 };
	char *cause = NULL;
	struct store *s = store_open(&o, &cause);

	if (!s && !disk_is_dead())
		fprintf(stderr, "%s\n", cause);
	free(cause);
	store_close(s);
	return s != NULL;
}

/* ---- one kill ---- */

static void wrong(struct job *j, const char *what)
{
	j->integrity_errors++;
	fprintf(stderr, "%s\n", what);
}

static void check(struct job *j)
{
	struct verify_report report;
	struct look l;
	char *cause = NULL;

	if (!see(&l))
		wrong(j, "the file is not sound");
	else if (!is_same(&l, &j->before) && !is_same(&l, &j->after))
		wrong(j, "the schema is neither the old one nor the new one");
	if (!open_store() || !see(&l) || !is_same(&l, &j->after))
		wrong(j, "the next start does not make the new schema");
	else if (!verify_database(street_path(), NULL, NULL, &report, &cause) || !verify_holds(&report) ||
	         report.ledger_rows != ledger_rows_of[j->from])
		wrong(j, "verify finds something, or rows are gone");
	free(cause);
}

static void kill_once(void *ctx, uint64_t number, struct tally_counts *counts)
{
	struct job *j = ctx;
	enum ending ending = number % ENDINGS;
	uint64_t at = 1 + number / ENDINGS;
	static const enum disk_rest rests[] = { DISK_REST_TORN, DISK_REST_NONE, DISK_REST_ALL, DISK_REST_ALL };

	disk_format(j->seed + number);
	make(j->from);
	statements = 0;
	kill_at = ending == KILLED ? at : 0;
	disk_plan(&(struct disk_plan){ .cut_at = ending == KILLED ? 0 : at });
	(void)open_store();
	kill_at = 0;
	disk_cut();
	disk_power_on(rests[ending]);
	check(j);
	if (j->integrity_errors > 0)
		fprintf(stderr, "after kill %llu from version %zu\n", (unsigned long long)number, j->from);
	counts->integrity_errors += j->integrity_errors;
	j->integrity_errors = 0;
}

/* ---- all of them ---- */

static void prepare(void *ctx)
{
	(void)ctx;
	street_open(STREET_SOUND);
	must(sqlite3_auto_extension((void (*)(void))watch) == SQLITE_OK);
}

static void finish(void *ctx)
{
	(void)ctx;
	street_close();
}

/* What a migration that nothing disturbs has in it. */
static void look_ahead(struct job *j)
{
	prepare(j);
	disk_format(j->seed);
	make(j->from);
	must(see(&j->before));
	statements = kill_at = 0;
	disk_plan(&(struct disk_plan){ 0 });
	must(open_store());
	j->operations = disk_count();
	j->statements = statements;
	must(see(&j->after) && j->after.version == STORE_SCHEMA_VERSION);
	finish(j);
}

static uint64_t kills_of(const struct job *j)
{
	return ENDINGS * (j->operations > j->statements ? j->operations : j->statements);
}

/* A database of a program that is newer than this one. */
static void check_newer(struct job *j)
{
	uint64_t size_before, size_after;
	uint8_t *before;
	char sql[64];
	sqlite3 *db = NULL;

	prepare(j);
	disk_format(j->seed);
	must(open_store());
	must(sqlite3_open(street_path(), &db) == SQLITE_OK);
	(void)snprintf(sql, sizeof sql, "PRAGMA user_version = %d", STORE_SCHEMA_VERSION + 1);
	run_sql(db, sql);
	must(sqlite3_close(db) == SQLITE_OK);
	must(disk_bytes(street_path(), &size_before));
	before = must_realloc(NULL, size_before);
	memcpy(before, disk_bytes(street_path(), &size_before), size_before);
	if (open_store())
		wrong(j, "a newer database was opened");
	if (memcmp(before, disk_bytes(street_path(), &size_after), size_before) != 0 || size_after != size_before)
		wrong(j, "a newer database was changed");
	free(before);
	finish(j);
}

int main(int argc, char **argv)
{
	struct tally t;
	struct job j = { 0 };
	struct tally_work w = {
		.prepare = prepare, .run = kill_once, .finish = finish, .ctx = &j, .stretch = KILLS_A_CHILD
	};
	struct tally_counts control = { 0 };

	tally_begin(&t, "migrations", argc, argv);
	j.seed = t.seed;
	for (j.from = 0; j.from < FROMS; j.from++) {
		look_ahead(&j);
		printf("from version %zu: %llu operations, %llu statements\n", j.from, (unsigned long long)j.operations,
		       (unsigned long long)j.statements);
		tally_run(&w, t.first, t.count ? t.count : kills_of(&j), &t.counts);
	}
	j.from = FROMS - 1;
	check_newer(&j);
	t.counts.runs++;
	t.counts.integrity_errors += j.integrity_errors;
	j.integrity_errors = 0;
	piecemeal = 1;
	w.quiet = 1;
	w.enough = tally_has_found;
	tally_run(&w, 0, kills_of(&j), &control);
	tally_control(&t, "not-one-transaction", tally_found(&control));
	return tally_end(&t);
}
