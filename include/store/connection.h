/* connection: one SQLite handle with its statements, opened the one safe way. Everything that is true of every handle
 * (hardening, limits, no automatic checkpoint) is here, so that no other file can forget it. Private to store/. */
#ifndef STORE_CONNECTION_H
#define STORE_CONNECTION_H

#include <sqlite3.h>
#include <stdint.h>

#include "base/must.h"

/* No row of ours comes near; a damaged file cannot make SQLite ask for more. */
#define CONNECTION_VALUE_MOST 1000000
#define CONNECTION_SQL_MOST 100000
#define CONNECTION_VARIABLES_MOST 200
#define CONNECTION_STATEMENTS_MOST 48
/* Another process may hold a lock for a moment, at most: a reader that opens while the daemon starts. */
#define CONNECTION_BUSY_MS 2000

struct connection {
	sqlite3 *db;
	const char *const *sql; /* texts of the statements that are kept, by number */
	int count;
	int code;                                       /* why it could not be opened, SQLite's */
	sqlite3_stmt *made[CONNECTION_STATEMENTS_MOST]; /* NULL until first used */
};

/* CONNECTION_COPY: a file of its own being made, which nobody opens before it is whole: no journal on disk, no sync. */
enum connection_use { CONNECTION_READ, CONNECTION_WRITE, CONNECTION_COPY };

/* Opens the file and prepares the handle; sql may be NULL when no statements are kept. false with *cause (heap). */
_Bool connection_open(struct connection *c, const char *path, const char *vfs, enum connection_use use,
                      const char *const *sql, int count, char **cause) MUST_USE;
void connection_close(struct connection *c); /* safe twice */
/* Closing it will not bring the log home. */
void connection_keep_log(struct connection *c);

/* A kept statement, reset and ready to be bound; NULL when SQLite refuses (connection_log tells why). */
sqlite3_stmt *connection_statement(struct connection *c, int which) MUST_USE;
/* Steps a statement that gives no rows, and resets it. SQLite's result. */
int connection_run(sqlite3_stmt *st) MUST_USE;
/* Runs a text of statements, rows ignored. SQLite's result. */
int connection_execute(struct connection *c, const char *sql) MUST_USE;
/* Ends a transaction, if one is open, without its changes. */
void connection_rollback(struct connection *c);
/* The first column of the first row of a text, or `otherwise` when there is none. *ok is cleared on an error. */
int64_t connection_number(struct connection *c, const char *sql, int64_t otherwise, _Bool *ok);
/* A line in the log with SQLite's own words for the last failure. */
void connection_log(const struct connection *c, const char *event, const char *what);
/* "what: SQLite's words" on the heap, for a cause. */
char *connection_cause(const struct connection *c, const char *what) MUST_USE;

/* Binding that cannot fail but for our own bugs. Texts are not copied: they live until the step. */
static inline void bind_int(sqlite3_stmt *st, int at, int64_t value)
{
	(void)sqlite3_bind_int64(st, at, value);
}

static inline void bind_text(sqlite3_stmt *st, int at, const char *text)
{
	(void)sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

static inline void bind_bytes(sqlite3_stmt *st, int at, const void *bytes, int length)
{
	(void)sqlite3_bind_blob(st, at, bytes, length, SQLITE_STATIC);
}

static inline int64_t column_int(sqlite3_stmt *st, int at)
{
	return sqlite3_column_int64(st, at);
}

/* Valid until the statement's next step or reset. */
static inline const char *column_text(sqlite3_stmt *st, int at)
{
	return (const char *)sqlite3_column_text(st, at);
}

#endif
