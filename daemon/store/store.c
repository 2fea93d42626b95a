#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "store/checkup.h"
#include "store/lock.h"
#include "store/schema.h"
#include "store/write_audit.h"
#include "store/writer.h"

/* From this many frames on the log is emptied even if that means waiting a moment for a reader. */
#define TRUNCATE_FRAMES 16000
#define TRUNCATE_WAIT_MS 50
/* A look at the whole file when it opens is worth this long; a larger file is only begun. */
#define QUICK_CHECK_MS 2000

static const char *const statements[WRITER_STATEMENTS] = {
	[WRITE_BEGIN] = "BEGIN IMMEDIATE",
	[WRITE_COMMIT] = "COMMIT",
	[WRITE_NEW_CASE] = "INSERT INTO open_case (" ROW_NEW_NAMES ") VALUES (" ROW_NEW_MARKS ")",
	[WRITE_OPEN_CASE] = "INSERT INTO open_case (" ROW_ALL_NAMES ") VALUES (" ROW_ALL_MARKS ")",
	[WRITE_CLOSED_CASE] = "INSERT INTO closed_case (" ROW_ALL_NAMES ") VALUES (" ROW_ALL_MARKS ")",
	[WRITE_CHANGED_CASE] = "UPDATE open_case SET " ROW_CHANGES " WHERE id = ?",
	[WRITE_ARCHIVE] = "INSERT INTO closed_case (" ROW_ALL_NAMES ") SELECT " ROW_ALL_NAMES
			  " FROM open_case WHERE id = ?",
	[WRITE_UNOPEN] = "DELETE FROM open_case WHERE id = ?",
	[WRITE_EVENT] = "INSERT INTO case_event (" EVENT_NAMES ", key, hash) VALUES (" EVENT_MARKS ",?,?)",
	[WRITE_KEY] = "INSERT INTO settled_key (" WRITER_KEY_NAMES ") VALUES (?,?,?,?,?,?,?,?,?,?,?)",
	[WRITE_SETTLE_KEYS] = "INSERT INTO settled_key (" WRITER_KEY_NAMES ") SELECT " WRITER_KEY_NAMES
			      " FROM new_key WHERE id <= ? ORDER BY key",
	[WRITE_KEYS_SETTLED] = "UPDATE meta SET value = ? WHERE name = 'keys_settled'",
	[WRITE_LEDGER] = "INSERT INTO ledger (id, person, at_ms, payable_ms, points, rule, case_id, place_key, text,"
			 " salt, seal, link) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
	[WRITE_AUDIT] = "INSERT INTO audit (" CHAIN_AUDIT_NAMES ") VALUES (?,?,?,?,?,?,?,?,?,?,?)",
	[WRITE_CHAIN_HEAD] = "UPDATE chain_head SET id = ?, link = ? WHERE chain = ?",
	/* Not an upsert: its CHECK would look at the row to be inserted, and a redemption alone is below zero. A row that
	 * counts towards no month's cap comes with month 0 and leaves the month alone. */
	[WRITE_ACCOUNT] = "UPDATE account SET balance = balance + ?2,"
			  " month_points = ?4 + iif(?3 IN (0, month), month_points, 0),"
			  " month = iif(?3 = 0, month, ?3) WHERE person = ?1",
	[WRITE_KNOWS] = "SELECT 1 WHERE EXISTS (SELECT 1 FROM account WHERE person = ?1)"
			" OR EXISTS (SELECT 1 FROM closed_case INDEXED BY closed_by_reporter WHERE reporter = ?1)"
			" OR EXISTS (SELECT 1 FROM ledger INDEXED BY ledger_by_person WHERE person = ?1)"
			" OR EXISTS (SELECT 1 FROM notice INDEXED BY notice_by_addressee WHERE addressee = ?1)"
			" OR EXISTS (SELECT 1 FROM open_case WHERE reporter = ?1)",
	[WRITE_NEW_ACCOUNT] = "INSERT INTO account (person, balance, month, month_points) VALUES (?,?,?,?)",
	[WRITE_NOTICE] = "INSERT INTO notice (id, addressee, at_ms, case_id, event_id, act, state, text)"
			 " VALUES (?,?,?,?,?,?,?,?)",
	/* Never ahead of what there is: a later notice is unseen whatever the client claimed. */
	[WRITE_SEEN] = "INSERT OR IGNORE INTO notice_seen (person, up_to, at_ms)"
		       " SELECT ?1, min(?2, max(id)), ?3 FROM notice HAVING max(id) IS NOT NULL",
	[WRITE_SPAN] = "INSERT INTO alarm_span (" WRITER_SPAN_NAMES ")"
		       " VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
	[WRITE_SPAN_AGAIN] = "UPDATE alarm_span SET case_id = ?, case_category = ?, began_ms = ?, last_ms = ?,"
			     " over_ms = ?, count = ?, ended = ? WHERE id = ?",
	[WRITE_FORGET_SPAN] = "DELETE FROM alarm_span WHERE id = ?",
	[WRITE_NAMED] = "INSERT INTO case_evidence (case_id, event_id, sha256, person, role) VALUES (?,?,?,?,?)",
	[WRITE_MARK_NAMED] = "UPDATE evidence SET named = 1 WHERE sha256 = ? AND person = ? AND named = 0",
	[WRITE_FILE] = "INSERT OR IGNORE INTO evidence (sha256, person, size, type, at_ms, look, named)"
		       " VALUES (?,?,?,?,?,?,0)",
	[WRITE_FORGET_FILES] = "DELETE FROM evidence WHERE (sha256, person) IN (SELECT sha256, person FROM evidence"
			       " INDEXED BY evidence_unnamed WHERE named = 0 AND at_ms < ?1 ORDER BY at_ms LIMIT ?2)",
	[WRITE_FIND_FILE] = "SELECT look FROM evidence WHERE sha256 = ? AND person = ?",
	[WRITE_LAST_MS] = "UPDATE meta SET value = ? WHERE name = 'last_ms'",
	[WRITE_EMERGENCY] = "INSERT INTO emergency (id, area, from_ms, to_ms, declared_ms, declared_event, declared_by,"
			    " text) VALUES (?,?,?,?,?,?,?,?)",
	[WRITE_LIFTED] = "UPDATE emergency SET lifted_ms = ?2, lifted_event = ?3, lifted_by = ?4 WHERE id = ?1",
	[WRITE_NOTICES_EXPIRED] = "UPDATE meta SET value = ? WHERE name = 'notices_expired'",
	[WRITE_POLICY] = "INSERT INTO policy (from_ms, digest) VALUES (?,?)",
	[WRITE_SWEEP_DUE] = "UPDATE meta SET value = ? WHERE name = 'sweep_due'",
	[WRITE_CREDENTIAL] = "INSERT INTO credential (id, person, kind, sha256, label, made_ms, made_by, replaces,"
			     " expires_ms) VALUES (?,?,?,?,?,?,?,?,?)",
	[WRITE_CREDENTIAL_ENDS] = "UPDATE credential SET expires_ms = ?2, revoked_ms = ?3, revoked_by = ?4, why = ?5"
				  " WHERE id = ?1",
	[WRITE_FIND_POLICY] = "SELECT digest, from_ms FROM policy ORDER BY id DESC LIMIT 1",
	[WRITE_FIND_KEY] = "SELECT " WRITER_KEY_NAMES " FROM settled_key WHERE key = ?",
	[WRITE_FIND_ARCHIVED] = "SELECT category, state FROM closed_case WHERE id = ?",
};

/* ---- opening and closing ---- */

static int count_frames(void *ctx, sqlite3 *db, const char *schema, int frames)
{
	struct store *s = ctx;

	(void)db;
	(void)schema;
	s->frames = frames;
	s->all_home = 0;
	return SQLITE_OK;
}

/* Every statement is made once now, so that a mistake in one shows at the start and not at the first use. */
static _Bool prepare_all(struct connection *c, char **cause)
{
	for (int i = 0; i < WRITER_STATEMENTS; i++) {
		if (connection_statement(c, i) == NULL) {
			*cause = connection_cause(c, "a statement does not fit the database");
			return 0;
		}
	}
	return 1;
}

_Bool writer_learn_times(struct store *s, char **cause)
{
	struct connection *c = &s->connection;
	_Bool ok = 1;

	s->meta_ms = connection_number(c, "SELECT value FROM meta WHERE name = 'last_ms'", 0, &ok);
	s->event_ms = connection_number(c, "SELECT at_ms FROM case_event ORDER BY id DESC LIMIT 1", 0, &ok);
	s->ledger_ms = connection_number(c, "SELECT at_ms FROM ledger ORDER BY id DESC LIMIT 1", 0, &ok);
	if (!ok)
		*cause = connection_cause(c, "the newest rows cannot be read");
	s->last_ms = s->meta_ms;
	writer_saw(s, s->event_ms);
	writer_saw(s, s->ledger_ms);
	return ok;
}

void writer_tell_failure(const struct store *s)
{
	const struct connection *c = &s->connection;
	int code = (c->db ? sqlite3_errcode(c->db) : c->code) & 0xff;
	_Bool passes = code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_BUSY || code == SQLITE_LOCKED;

	if (s->failure)
		*s->failure = passes ? STORE_UNKNOWN : STORE_DAMAGED;
}

struct store *store_open(const struct store_options *o, char **cause)
{
	struct store *s = must_calloc(1, sizeof *s);
	struct connection *c = &s->connection;

	s->failure = o->failure;
	s->checkpoint_frames = o->checkpoint_frames;
	s->checkpoint_at = o->checkpoint_frames;
	s->lock_fd = store_lock(o->path, cause);
	if (s->lock_fd >= 0 &&
	    connection_open(c, o->path, o->vfs, CONNECTION_WRITE, statements, WRITER_STATEMENTS, cause) &&
	    schema_migrate(c, cause) && checkup_quick(c, QUICK_CHECK_MS, NULL, cause) && prepare_all(c, cause) &&
	    writer_learn_times(s, cause) && keys_learn(s, cause) && writer_learn_heads(s, cause)) {
		(void)sqlite3_wal_hook(c->db, count_frames, s);
		/* What an earlier process left in the log goes home before the first reader comes. */
		s->frames = 1;
		if (store_checkpoint(s, 1) == STORE_OK)
			return s;
		*cause = connection_cause(c, "the log of an earlier run cannot be brought home");
	}
	writer_tell_failure(s);
	store_close(s);
	return NULL;
}

/* What may or may not be in the file, memory does not know: then nothing more is written, and the log stays for the next
 * start to read. */
static void leave(struct store *s)
{
	connection_rollback(&s->connection);
	if (s->state != STORE_OK)
		connection_keep_log(&s->connection);
	else if (store_checkpoint(s, 1) != STORE_OK)
		log_line(LOG_LEVEL_WARNING, "database-close", "checkpoint=failed");
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	if (s->connection.db)
		leave(s);
	connection_close(&s->connection);
	digester_free(s->digester);
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	free(s);
}

/* ---- look-ups ---- */

void writer_read_key(sqlite3_stmt *st, struct key_fact *out)
{
	memset(out, 0, sizeof *out);
	if (sqlite3_column_bytes(st, 0) == sizeof out->key.bytes)
		memcpy(out->key.bytes, sqlite3_column_blob(st, 0), sizeof out->key.bytes);
	if (sqlite3_column_bytes(st, 1) == sizeof out->hash)
		memcpy(out->hash, sqlite3_column_blob(st, 1), sizeof out->hash);
	out->case_id = column_int(st, 2);
	out->category = (int32_t)column_int(st, 3);
	out->state = (uint8_t)column_int(st, 4);
	out->due_ms = column_int(st, 5);
	out->merged_into = column_int(st, 6);
	out->merged_into_category = (int32_t)column_int(st, 7);
	out->maybe_same_as = column_int(st, 8);
	out->maybe_same_category = (int32_t)column_int(st, 9);
	out->balance = column_int(st, 10);
}

_Bool store_find_key(struct store *s, const struct uuid *key, struct key_fact *out)
{
	sqlite3_stmt *st = writer_use(s, WRITE_FIND_KEY);
	_Bool found;

	bind_bytes(st, 1, key->bytes, sizeof key->bytes);
	found = writer_found(s, st, "find-key");
	if (found)
		writer_read_key(st, out);
	(void)sqlite3_reset(st);
	return found;
}

_Bool store_knows(struct store *s, const char *account)
{
	sqlite3_stmt *st = writer_use(s, WRITE_KNOWS);
	_Bool found;

	bind_text(st, 1, account);
	found = writer_found(s, st, "knows");
	(void)sqlite3_reset(st);
	return found;
}

_Bool store_find_archived(struct store *s, int64_t case_id, int32_t *category, enum state *state)
{
	sqlite3_stmt *st = writer_use(s, WRITE_FIND_ARCHIVED);
	_Bool found;

	bind_int(st, 1, case_id);
	found = writer_found(s, st, "find-archived");
	if (found) {
		*category = (int32_t)column_int(st, 0);
		*state = (enum state)column_int(st, 1);
	}
	(void)sqlite3_reset(st);
	return found;
}

/* ---- the process ---- */

/* SQLite's own allocator with an end to it: out of memory is fail-stop here as everywhere (base/must.h), so that no
 * statement ever ends half-way for want of memory. Set once, before SQLite starts, and only read from then on. */
static sqlite3_mem_methods plain_memory;

static void *take_memory(int size)
{
	void *block = plain_memory.xMalloc(size);

	if (!block)
		must_out_of_memory(1, (size_t)size);
	return block;
}

static void *change_memory(void *old, int size)
{
	void *block = plain_memory.xRealloc(old, size);

	if (!block)
		must_out_of_memory(1, (size_t)size);
	return block;
}

static _Bool set_memory(void)
{
	sqlite3_mem_methods methods;

	if (plain_memory.xMalloc)
		return 1;
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain_memory) != SQLITE_OK)
		return 0;
	methods = plain_memory;
	methods.xMalloc = take_memory;
	methods.xRealloc = change_memory;
	return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK;
}

void store_prepare_process(void)
{
	if (!set_memory())
		log_line(LOG_LEVEL_NOTICE, "database-prepare", "memory=may-fail");
	/* Refused once SQLite has started, which would only cost the speed. */
	if (sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK)
		log_line(LOG_LEVEL_NOTICE, "database-prepare", "memstatus=kept");
}

/* ---- checkpoints ---- */

static int checkpoint(struct store *s, int mode, int *in_log, int *brought_home)
{
	sqlite3 *db = s->connection.db;
	int result;

	(void)sqlite3_busy_timeout(db, s->frames > TRUNCATE_FRAMES ? TRUNCATE_WAIT_MS : 0);
	result = sqlite3_wal_checkpoint_v2(db, "main", mode, in_log, brought_home);
	(void)sqlite3_busy_timeout(db, CONNECTION_BUSY_MS);
	return result;
}

static _Bool has_log_to_bring_home(const struct store *s, _Bool idle)
{
	return !s->all_home && (idle ? s->frames > 0 : s->frames >= s->checkpoint_at);
}

_Bool store_wants_checkpoint(const struct store *s, _Bool idle)
{
	return has_log_to_bring_home(s, idle) || (idle && keys_are_new(s));
}

enum store_result store_checkpoint(struct store *s, _Bool idle)
{
	_Bool empty_it = s->frames > TRUNCATE_FRAMES;
	int in_log = 0, brought_home = 0, result;

	if (idle) {
		enum store_result moved = keys_when_idle(s);

		if (moved != STORE_OK)
			return moved;
	}
	/* The log is kept at its length and written over: a sync that need not grow the file takes half as long. */
	if (!has_log_to_bring_home(s, idle))
		return STORE_OK;
	result = checkpoint(s, empty_it ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, &in_log,
	                    &brought_home);
	/* A reader that still looks at older pages is no fault: the next attempt comes a stretch of log later. */
	if ((result & 0xff) == SQLITE_BUSY || (result == SQLITE_OK && brought_home < in_log)) {
		s->checkpoint_at = s->frames + s->checkpoint_frames;
		return STORE_OK;
	}
	if (result != SQLITE_OK)
		return writer_result(s, result, "checkpoint");
	s->checkpoint_at = s->checkpoint_frames;
	s->all_home = 1;
	if (empty_it)
		s->frames = 0;
	return STORE_OK;
}
