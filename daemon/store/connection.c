#include "store/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/gather_vfs.h"

struct hardening {
	int option, value;
};

static const struct hardening hardenings[] = {
	{ SQLITE_DBCONFIG_DEFENSIVE, 1 }, { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },        { SQLITE_DBCONFIG_DQS_DML, 0 },
	{ SQLITE_DBCONFIG_DQS_DDL, 0 },   { SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
};

static const struct hardening limits[] = {
	{ SQLITE_LIMIT_LENGTH, CONNECTION_VALUE_MOST },
	{ SQLITE_LIMIT_SQL_LENGTH, CONNECTION_SQL_MOST },
	{ SQLITE_LIMIT_VARIABLE_NUMBER, CONNECTION_VARIABLES_MOST },
	{ SQLITE_LIMIT_ATTACHED, 0 },
};

/* Memory-mapped files stay off: an I/O error would arrive as a signal. */
static const char settings_of_all[] = "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
				      "PRAGMA foreign_keys = ON;";

/* EXTRA is FULL in the log's life. It is for the one moment before: the file is made with a rollback journal, and where its
 * deletion has not reached the disk a power cut, even much later, would bring the journal back and with it an empty file. */
static const char *const settings_of[] = {
	[CONNECTION_READ] = "PRAGMA cache_size = -16384; PRAGMA query_only = ON;",
	[CONNECTION_WRITE] = "PRAGMA cache_size = -4096; PRAGMA synchronous = EXTRA;",
	[CONNECTION_COPY] = "PRAGMA cache_size = -2048; PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;"
			    "PRAGMA locking_mode = EXCLUSIVE;",
};

static const int flags_of[] = {
	[CONNECTION_READ] = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
	[CONNECTION_WRITE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	[CONNECTION_COPY] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
};

char *connection_cause(const struct connection *c, const char *what)
{
	const char *words = c->db ? sqlite3_errmsg(c->db) : "out of memory";
	char *cause = NULL;

	must(asprintf(&cause, "%s: %s", what, words) >= 0);
	return cause;
}

void connection_log(const struct connection *c, const char *event, const char *what)
{
	log_line(LOG_LEVEL_ERROR, event, "what=%s code=%d errno=%d error=\"%s\"", what, sqlite3_extended_errcode(c->db),
	         sqlite3_system_errno(c->db), sqlite3_errmsg(c->db));
}

static void harden(sqlite3 *db, enum connection_use use)
{
	for (size_t i = 0; i < sizeof hardenings / sizeof *hardenings; i++)
		must(sqlite3_db_config(db, hardenings[i].option, hardenings[i].value, NULL) == SQLITE_OK);
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		(void)sqlite3_limit(db, limits[i].option, limits[i].value);
	(void)sqlite3_extended_result_codes(db, 1);
	(void)sqlite3_busy_timeout(db, CONNECTION_BUSY_MS);
	/* Only the store checkpoints, when it chooses; a reader not even when it is the last to leave. */
	(void)sqlite3_wal_autocheckpoint(db, 0);
	must(sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, use == CONNECTION_READ, NULL) == SQLITE_OK);
}

_Bool connection_open(struct connection *c, const char *path, const char *vfs, enum connection_use use,
                      const char *const *sql, int count, char **cause)
{
	must(count <= CONNECTION_STATEMENTS_MOST);
	*c = (struct connection){ .sql = sql, .count = count };

	/* It relies on synchronous=FULL or more, which only the writer sets. */
	if (use == CONNECTION_WRITE)
		vfs = gather_vfs_over(vfs);
	if (sqlite3_open_v2(path, &c->db, flags_of[use], vfs) == SQLITE_OK) {
		harden(c->db, use);
		if (connection_execute(c, settings_of_all) == SQLITE_OK &&
		    connection_execute(c, settings_of[use]) == SQLITE_OK)
			return 1;
	}
	*cause = connection_cause(c, path);
	c->code = sqlite3_errcode(c->db);
	connection_close(c);
	return 0;
}

void connection_keep_log(struct connection *c)
{
	must(sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK);
}

void connection_close(struct connection *c)
{
	for (int i = 0; i < c->count; i++) {
		(void)sqlite3_finalize(c->made[i]);
		c->made[i] = NULL;
	}
	if (c->db)
		must(sqlite3_close(c->db) == SQLITE_OK);
	c->db = NULL;
}

sqlite3_stmt *connection_statement(struct connection *c, int which)
{
	sqlite3_stmt **made = &c->made[which];

	if (*made)
		(void)sqlite3_reset(*made);
	else if (sqlite3_prepare_v3(c->db, c->sql[which], -1, SQLITE_PREPARE_PERSISTENT, made, NULL) != SQLITE_OK)
		connection_log(c, "database-statement", c->sql[which]);
	return *made;
}

int connection_run(sqlite3_stmt *st)
{
	int result = sqlite3_step(st);
	int after = sqlite3_reset(st);

	return result == SQLITE_DONE || result == SQLITE_ROW ? after : result;
}

int connection_execute(struct connection *c, const char *sql)
{
	return sqlite3_exec(c->db, sql, NULL, NULL, NULL);
}

void connection_rollback(struct connection *c)
{
	if (!sqlite3_get_autocommit(c->db))
		(void)sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
}

int64_t connection_number(struct connection *c, const char *sql, int64_t otherwise, _Bool *ok)
{
	sqlite3_stmt *st = NULL;
	int64_t number = otherwise;
	int result = sqlite3_prepare_v2(c->db, sql, -1, &st, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_step(st);
	if (result == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
		number = sqlite3_column_int64(st, 0);
	else if (result != SQLITE_ROW && result != SQLITE_DONE)
		*ok = 0;
	(void)sqlite3_finalize(st);
	return number;
}
