#include "store/cut_audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/writer.h"

/* ---- statements: once a day, so they are not among those that are kept ---- */

static sqlite3_stmt *prepare(struct store *s, const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(s->connection.db, sql, -1, &st, NULL) != SQLITE_OK)
		connection_log(&s->connection, "database-statement", sql);
	must(st != NULL);
	return st;
}

static enum store_result run_on(struct store *s, const char *sql, int64_t id)
{
	sqlite3_stmt *st = prepare(s, sql);

	bind_int(st, 1, id);
	enum store_result result = writer_execute(s, st, "cut-audit");

	(void)sqlite3_finalize(st);
	return result;
}

/* ---- how far ---- */

void cut_audit_subject(int64_t id, const uint8_t *link, char out[CUT_SUBJECT_SIZE])
{
	char hex[DIGEST_TEXT_SIZE];

	digest_text(link, hex);
	must(snprintf(out, CUT_SUBJECT_SIZE, "%lld:%s", (long long)id, hex) > 0);
}

/* The last row to go, and how many that are. What stands before an old row is as old, whatever its time says: on a replay
 * clock people log in before there is a time. */
static int64_t find_last(struct store *s, int64_t before_ms, struct chain_head *last)
{
	sqlite3_stmt *st = prepare(s, "SELECT id, at_ms, link FROM audit WHERE id < ?1 ORDER BY id LIMIT ?2");
	int64_t seen = 0, count = 0;

	bind_int(st, 1, s->heads[CHAIN_AUDIT].id);
	bind_int(st, 2, CUT_AUDIT_AT_ONCE);
	while (writer_found(s, st, "find-audit")) {
		seen++;
		if (column_int(st, 1) >= before_ms || sqlite3_column_bytes(st, 2) != DIGEST_SIZE)
			continue;
		last->id = column_int(st, 0);
		memcpy(last->link, sqlite3_column_blob(st, 2), DIGEST_SIZE);
		count = seen;
	}
	(void)sqlite3_finalize(st);
	return count;
}

/* ---- what erasures told ---- */

struct names {
	char **list;
	size_t count;
};

/* Whose rows, or the telling of them, are among those that go; at most as many as rows. */
static struct names find_erased(struct store *s, int64_t last)
{
	sqlite3_stmt *st = prepare(s, "SELECT DISTINCT subject FROM audit WHERE id <= ?1 AND subject IS NOT NULL"
	                              " AND (salt IS NULL OR what = ?2)");
	struct names names = { .list = must_calloc(CUT_AUDIT_AT_ONCE, sizeof(char *)) };

	bind_int(st, 1, last);
	bind_int(st, 2, AUDITED_ERASE);
	while (names.count < CUT_AUDIT_AT_ONCE && writer_found(s, st, "find-erased"))
		names.list[names.count++] = must_strdup(column_text(st, 0));
	(void)sqlite3_finalize(st);
	return names;
}

static void names_close(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
}

/* How many rows of the name are left that no row tells of; less than none: more are told of than are left. */
static int64_t untold(struct store *s, const char *name)
{
	sqlite3_stmt *st = prepare(s, "SELECT (SELECT count(*) FROM ledger WHERE person = ?1 AND salt IS NULL)"
	                              " + (SELECT count(*) FROM audit WHERE subject = ?1 AND salt IS NULL)"
	                              " - (SELECT coalesce(sum(count), 0) FROM audit WHERE subject = ?1"
	                              " AND salt IS NOT NULL AND what = ?2)");
	int64_t rows = 0;

	bind_text(st, 1, name);
	bind_int(st, 2, AUDITED_ERASE);
	if (writer_found(s, st, "find-untold"))
		rows = column_int(st, 0);
	(void)sqlite3_finalize(st);
	return rows;
}

static enum store_result tell_anew(struct store *s, const struct names *names, int64_t now_ms)
{
	enum store_result result = STORE_OK;

	for (size_t i = 0; i < names->count && result == STORE_OK; i++) {
		struct audit_fact row = { .at_ms = now_ms,
			                  .what = AUDITED_ERASE,
			                  .who = "system",
			                  .subject = names->list[i],
			                  .purpose = "told by a row that was cut",
			                  .channel = "timer",
			                  .count = untold(s, names->list[i]) };

		if (row.count != 0)
			result = store_write_audit(s, &row);
	}
	return result;
}

/* ---- a piece ---- */

static enum store_result mark(struct store *s, const struct chain_head *last)
{
	sqlite3_stmt *st = writer_use(s, WRITE_CHAIN_HEAD);

	bind_int(st, 1, last->id);
	bind_bytes(st, 2, last->link, DIGEST_SIZE);
	bind_int(st, 3, CHAIN_AUDIT_CUT);
	return writer_execute(s, st, "cut-audit");
}

static enum store_result tell(struct store *s, const struct chain_head *last, int64_t count, int64_t now_ms)
{
	char subject[CUT_SUBJECT_SIZE];
	struct audit_fact row = { .at_ms = now_ms,
		                  .what = AUDITED_CUT,
		                  .who = "system",
		                  .subject = subject,
		                  .channel = "timer",
		                  .count = count };

	cut_audit_subject(last->id, last->link, subject);
	return store_write_audit(s, &row);
}

enum store_result store_cut_audit(struct store *s, int64_t before_ms, int64_t now_ms, int64_t *gone)
{
	struct chain_head last = { 0 };
	enum store_result result;
	struct names names;

	*gone = find_last(s, before_ms, &last);
	if (*gone == 0)
		return store_state(s);
	names = find_erased(s, last.id);
	result = mark(s, &last);
	if (result == STORE_OK)
		result = run_on(s, "DELETE FROM audit WHERE id <= ?1", last.id);
	if (result == STORE_OK)
		result = tell_anew(s, &names, now_ms);
	if (result == STORE_OK)
		result = tell(s, &last, *gone, now_ms);
	names_close(&names);
	return result;
}
