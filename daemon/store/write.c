/* write: facts become rows. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/credentials.h"
#include "store/policy_record.h"
#include "store/lock.h"
#include "store/write_audit.h"
#include "store/writer.h"

/* ---- results ---- */

/* Only a write that found no room is sure to have left nothing behind. An error from a sync comes after the commit
 * was handed to the system, whatever its reason. */
static _Bool is_full(sqlite3 *db, int result)
{
	int extended = sqlite3_extended_errcode(db);

	if ((result & 0xff) == SQLITE_FULL)
		return 1;
	return (extended == SQLITE_IOERR_WRITE || extended == SQLITE_IOERR_SHMSIZE) &&
	       sqlite3_system_errno(db) == ENOSPC;
}

/* A result that is no success: what it means for the whole store. */
static enum store_result failed(struct store *s, int result, const char *what)
{
	int code = result & 0xff;

	connection_log(&s->connection, "database-write", what);
	if (is_full(s->connection.db, result))
		return STORE_FULL;
	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		log_line(LOG_LEVEL_ERROR, "database-busy", "holder=%d",
		         (int)store_intruder(sqlite3_db_filename(s->connection.db, "main")));
	s->state = code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? STORE_DAMAGED : STORE_UNKNOWN;
	return s->state;
}

enum store_result writer_result(struct store *s, int result, const char *what)
{
	if (s->state != STORE_OK)
		return s->state;
	return result == SQLITE_OK || result == SQLITE_DONE ? STORE_OK : failed(s, result, what);
}

_Bool writer_found(struct store *s, sqlite3_stmt *st, const char *what)
{
	int result = sqlite3_step(st);

	if (result != SQLITE_ROW && result != SQLITE_DONE && s->state == STORE_OK &&
	    failed(s, result, what) == STORE_FULL)
		s->state = STORE_UNKNOWN; /* no write found no room: something was not read */
	return result == SQLITE_ROW;
}

enum store_result store_state(const struct store *s)
{
	return s->state;
}

sqlite3_stmt *writer_use(struct store *s, enum writer_statement which)
{
	sqlite3_stmt *st = connection_statement(&s->connection, which);

	must(st != NULL); /* all were made at the start */
	return st;
}

/* After some errors SQLite takes the whole transaction back by itself; what was written then would stand alone. */
static _Bool stands_alone(const struct store *s, const sqlite3_stmt *st)
{
	return st != s->connection.made[WRITE_BEGIN] && sqlite3_get_autocommit(s->connection.db);
}

enum store_result writer_execute(struct store *s, sqlite3_stmt *st, const char *what)
{
	if (s->state == STORE_OK && stands_alone(s, st)) {
		log_line(LOG_LEVEL_ERROR, "database-write", "what=%s error=\"the transaction is gone\"", what);
		s->state = STORE_UNKNOWN;
	}
	if (s->state != STORE_OK)
		return s->state;
	return writer_result(s, connection_run(st), what);
}

/* ---- rows ---- */

static void bind_key(sqlite3_stmt *st, int at, const struct key_fact *k)
{
	bind_bytes(st, at, k ? k->key.bytes : NULL, sizeof k->key.bytes);
	bind_bytes(st, at + 1, k ? k->hash : NULL, sizeof k->hash);
}

/* key: of the request that made it, NULL for none. */
static enum store_result write_event(struct store *s, const struct fact *f, const struct key_fact *key)
{
	sqlite3_stmt *st = writer_use(s, WRITE_EVENT);

	bind_int(st, 1, f->id);
	bind_int(st, 2, f->case_id);
	bind_int(st, 3, f->prev);
	bind_int(st, 4, f->at_ms);
	bind_int(st, 5, f->act);
	bind_int(st, 6, f->from);
	bind_int(st, 7, f->to);
	bind_text(st, 8, f->actor);
	bind_text(st, 9, f->ref);
	bind_text(st, 10, f->text);
	bind_int(st, 11, f->value);
	bind_int(st, 12, f->category);
	bind_int(st, 13, f->grid);
	bind_int(st, 14, f->stage_due_ms);
	bind_int(st, 15, f->handle_due_ms);
	bind_int(st, 16, f->handle_warn_ms);
	bind_int(st, 17, f->handle_left_ms);
	bind_int(st, 18, f->unit);
	bind_int(st, 19, f->photo_roles);
	bind_key(st, 20, key);
	if (key)
		s->newest_key = f->id;
	writer_saw(s, f->at_ms);
	s->event_ms = f->at_ms;
	return writer_execute(s, st, "event");
}

static enum store_result write_fresh(struct store *s, const struct case_file *c, const struct command *report)
{
	_Bool ended = state_info((enum state)c->state)->terminal;
	_Bool is_new = !ended && row_is_new(c);
	sqlite3_stmt *st = writer_use(s, ended ? WRITE_CLOSED_CASE : is_new ? WRITE_NEW_CASE : WRITE_OPEN_CASE);
	int at = is_new ? row_bind_new(st, 1, c, &s->units) : row_bind_all(st, 1, c, &s->units);

	(void)row_bind_report(st, at, report);
	return writer_execute(s, st, "case");
}

/* A statement about one case that must find exactly that one. */
static enum store_result run_on_one(struct store *s, sqlite3_stmt *st, const char *what, int64_t case_id)
{
	enum store_result result = writer_execute(s, st, what);

	if (result != STORE_OK || sqlite3_changes(s->connection.db) == 1)
		return result;
	log_line(LOG_LEVEL_ERROR, "database-write", "what=%s case=%lld error=\"no such open row\"", what,
	         (long long)case_id);
	s->state = STORE_UNKNOWN;
	return STORE_UNKNOWN;
}

static enum store_result archive(struct store *s, int64_t case_id)
{
	sqlite3_stmt *copy = writer_use(s, WRITE_ARCHIVE), *remove = writer_use(s, WRITE_UNOPEN);
	enum store_result result;

	bind_int(copy, 1, case_id);
	bind_int(remove, 1, case_id);
	result = run_on_one(s, copy, "archive", case_id);
	return result == STORE_OK ? run_on_one(s, remove, "unopen", case_id) : result;
}

static enum store_result write_change(struct store *s, const struct case_file *c)
{
	sqlite3_stmt *st = writer_use(s, WRITE_CHANGED_CASE);
	enum store_result result;

	bind_int(st, row_bind_changes(st, 1, c, &s->units), c->id);
	result = run_on_one(s, st, "case-change", c->id);
	if (result == STORE_OK && state_info((enum state)c->state)->terminal)
		result = archive(s, c->id);
	return result;
}

/* The local month of a time; most times of a day come one after another, so the day's bounds are kept. */
static int32_t month_of(struct store *s, int64_t at_ms)
{
	if (at_ms < s->day_start_ms || at_ms >= s->day_end_ms)
		s->month = clock_day_to_ymd(clock_local_day(at_ms, &s->day_start_ms, &s->day_end_ms)) / 100;
	return s->month;
}

static void bind_account(struct store *s, sqlite3_stmt *st, const struct ledger_fact *f)
{
	_Bool earned = f->case_id != 0 && f->points > 0; /* counts towards the month's cap */

	bind_text(st, 1, f->person);
	bind_int(st, 2, f->points);
	bind_int(st, 3, earned ? month_of(s, f->at_ms) : 0);
	bind_int(st, 4, earned ? f->points : 0);
}

static enum store_result write_account(struct store *s, const struct ledger_fact *f)
{
	sqlite3_stmt *st = writer_use(s, WRITE_ACCOUNT);
	enum store_result result;

	bind_account(s, st, f);
	result = writer_execute(s, st, "account");
	if (result != STORE_OK || sqlite3_changes(s->connection.db) == 1)
		return result;
	st = writer_use(s, WRITE_NEW_ACCOUNT);
	bind_account(s, st, f);
	return writer_execute(s, st, "account");
}

static enum store_result write_ledger(struct store *s, const struct ledger_fact *f)
{
	sqlite3_stmt *st = writer_use(s, WRITE_LEDGER);
	struct chain_link link;
	enum store_result result;

	bind_int(st, 1, f->id);
	bind_text(st, 2, f->person);
	bind_int(st, 3, f->at_ms);
	bind_int(st, 4, f->payable_ms);
	bind_int(st, 5, f->points);
	bind_text(st, 6, f->rule);
	bind_int(st, 7, f->case_id);
	bind_int(st, 8, f->place_key);
	bind_text(st, 9, f->text);
	writer_bind_link(s, st, 10, f, &link);
	writer_saw(s, f->at_ms);
	s->ledger_ms = f->at_ms;
	result = writer_execute(s, st, "ledger");
	return result == STORE_OK ? write_account(s, f) : result;
}

static enum store_result write_notice(struct store *s, const struct notice_fact *f)
{
	sqlite3_stmt *st = writer_use(s, WRITE_NOTICE);

	bind_int(st, 1, f->id);
	bind_text(st, 2, f->to);
	bind_int(st, 3, f->at_ms);
	bind_int(st, 4, f->case_id);
	bind_int(st, 5, f->event_id);
	bind_int(st, 6, f->act);
	bind_int(st, 7, f->state);
	bind_text(st, 8, f->text);
	writer_saw(s, f->at_ms);
	return writer_execute(s, st, "notice");
}

static enum store_result write_seen(struct store *s, const struct seen_fact *f)
{
	sqlite3_stmt *st = writer_use(s, WRITE_SEEN);

	bind_text(st, 1, f->person);
	bind_int(st, 2, f->up_to);
	bind_int(st, 3, f->at_ms);
	writer_saw(s, f->at_ms);
	return writer_execute(s, st, "seen");
}

static enum store_result write_emergency(struct store *s, const struct emergency *e)
{
	_Bool lifted = e->lifted_ms != 0;
	sqlite3_stmt *st = writer_use(s, lifted ? WRITE_LIFTED : WRITE_EMERGENCY);
	const int64_t numbers[] = { e->area, e->from_ms, e->to_ms, e->declared_ms, e->declared_event };

	bind_int(st, 1, e->id);
	if (lifted) {
		bind_int(st, 2, e->lifted_ms);
		bind_int(st, 3, e->lifted_event);
		bind_text(st, 4, e->lifted_by);
	} else {
		for (int i = 0; i < 5; i++)
			bind_int(st, i + 2, numbers[i]);
		bind_text(st, 7, e->declared_by);
		bind_text(st, 8, e->text);
	}
	writer_saw(s, lifted ? e->lifted_ms : e->declared_ms);
	return writer_execute(s, st, "emergency");
}

/* ---- a batch ---- */

enum store_result store_begin(struct store *s)
{
	return writer_execute(s, writer_use(s, WRITE_BEGIN), "begin");
}

static enum store_result write_events(struct store *s, const struct facts *f)
{
	const struct fact *last = f->event_count > 0 ? &f->events[f->event_count - 1] : NULL;
	const struct key_fact *told = f->has_key && last && keys_told_by(&f->key, last) ? &f->key : NULL;
	enum store_result result = STORE_OK;

	for (size_t i = 0; i < f->event_count && result == STORE_OK; i++)
		result = write_event(s, &f->events[i], &f->events[i] == last ? told : NULL);
	if (f->has_key && !told && result == STORE_OK)
		result = keys_write(s, &f->key);
	return result;
}

enum store_result store_write(struct store *s, const struct facts *f)
{
	enum store_result result = STORE_OK;

	for (size_t i = 0; i < f->draft_count && result == STORE_OK; i++)
		result = i == 0 && f->report ? write_fresh(s, &f->drafts[i], f->report)
		                             : write_change(s, &f->drafts[i]);
	if (result == STORE_OK)
		result = write_events(s, f);
	for (size_t i = 0; i < f->ledger_count && result == STORE_OK; i++)
		result = write_ledger(s, &f->ledger[i]);
	for (size_t i = 0; i < f->notice_count && result == STORE_OK; i++)
		result = write_notice(s, &f->notices[i]);
	if (f->named.count > 0 && result == STORE_OK)
		result = writer_write_named(s, &f->named);
	if (f->has_file && result == STORE_OK)
		result = writer_write_file(s, &f->file);
	if (f->audit.what != AUDITED_NONE && result == STORE_OK)
		result = store_write_audit(s, &f->audit);
	if (f->has_seen && result == STORE_OK)
		result = write_seen(s, &f->seen);
	if (f->has_emergency && result == STORE_OK)
		result = write_emergency(s, &f->emergency);
	if (f->credential_count > 0 && result == STORE_OK)
		result = credentials_write(s, f->credentials, f->credential_count);
	if (f->sweep && result == STORE_OK)
		result = store_write_sweep(s, 1);
	if (result == STORE_OK)
		result = spans_write(s, f);
	return result;
}

/* Puts the newest time into meta when a recovery would not find it in the newest rows. */
static enum store_result write_last_ms(struct store *s)
{
	sqlite3_stmt *st;

	if (s->last_ms == s->event_ms || s->last_ms == s->ledger_ms || s->last_ms == s->meta_ms)
		return STORE_OK;
	st = writer_use(s, WRITE_LAST_MS);
	bind_int(st, 1, s->last_ms);
	s->meta_ms = s->last_ms;
	return writer_execute(s, st, "last-ms");
}

enum store_result store_commit(struct store *s)
{
	enum store_result result = write_last_ms(s);

	if (result == STORE_OK)
		result = writer_write_heads(s);
	if (result == STORE_OK)
		result = keys_before_commit(s);
	return result == STORE_OK ? writer_execute(s, writer_use(s, WRITE_COMMIT), "commit") : result;
}

void store_rollback(struct store *s)
{
	char *cause = NULL;

	connection_rollback(&s->connection);
	/* The times, keys and links of what was rolled back are forgotten too. */
	if (!writer_learn_times(s, &cause) || !keys_learn(s, &cause) || !writer_learn_heads(s, &cause))
		log_line(LOG_LEVEL_ERROR, "database-rollback", "error=\"%s\"", cause);
	free(cause);
}
