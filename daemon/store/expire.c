#include "store/expire.h"

#include <stdlib.h>
#include <string.h>

#include "base/mask.h"
#include "store/writer.h"

enum expire_statement {
	EXPIRE_DUE,
	EXPIRE_CASE,
	EXPIRE_EVENT,
	EXPIRE_CHANGE_EVENT,
	EXPIRE_FILES,
	EXPIRE_NAMED,
	EXPIRE_TOLD,
	EXPIRE_NOTICES,
	EXPIRE_NOTICES_TO,
	ERASE_DUE,
	ERASE_TOLD,
	ERASE_SEEN,
	ERASE_FILES,
	ERASE_ACCOUNT,
	ERASE_LEDGER,
	ERASE_AUDIT,
	EXPIRE_STATEMENTS
};

#define NUMBER_TEXT(n) #n
#define NUMBER(n) NUMBER_TEXT(n)
#define BECOMES(column) column " = iif(" column " = ?2, '" EXPIRE_NAME "', " column ")"

static const char *const statements[EXPIRE_STATEMENTS] = {
	/* Who was merged into what is still open is told of it, and paid with it, under its name. */
	[EXPIRE_DUE] = "SELECT id, iif(anonymous OR reporter IS NULL, actor, reporter), last_event, description,"
		       " beneficiary, contact_name FROM closed_case INDEXED BY closed_unexpired"
		       " WHERE erased = 0 AND ended_ms < ?1 AND NOT EXISTS"
		       " (SELECT 1 FROM open_case AS o WHERE o.id = closed_case.merged_into)"
		       " ORDER BY ended_ms LIMIT " NUMBER(EXPIRE_CASES_AT_ONCE),
	[EXPIRE_CASE] = "UPDATE closed_case SET erased = 1, " BECOMES("reporter") ", " BECOMES("actor") ", " BECOMES(
		"worker") ", " BECOMES("checker") ", " BECOMES("handled_by") ", address = NULL, description = ?3,"
									     " beneficiary = NULL, contact_name = NULL,"
									     " contact_phone = NULL WHERE id = ?1",
	[EXPIRE_EVENT] = "SELECT prev, actor, ref, text FROM case_event WHERE id = ?1",
	[EXPIRE_CHANGE_EVENT] = "UPDATE case_event SET actor = ?2, ref = ?3, text = ?4 WHERE id = ?1",
	/* A file that only this case's row names goes with it; the folder's sweep takes what no row names. */
	[EXPIRE_FILES] = "DELETE FROM evidence WHERE person = ?2 AND sha256 IN"
			 " (SELECT sha256 FROM case_evidence WHERE case_id = ?1 AND person = ?2) AND NOT EXISTS"
			 " (SELECT 1 FROM case_evidence AS o WHERE o.sha256 = evidence.sha256 AND o.person = ?2"
			 " AND o.case_id <> ?1)",
	[EXPIRE_NAMED] = "DELETE FROM case_evidence WHERE case_id = ?1 AND person = ?2",
	/* All that was told it, but for how those of its own cases ended that wait still. */
	[EXPIRE_TOLD] = "UPDATE notice SET addressee = '" EXPIRE_NAME "', text = '' WHERE addressee = ?1"
			" AND at_ms < ?2 AND NOT EXISTS (SELECT 1 FROM closed_case AS c"
			" WHERE c.id = notice.case_id AND c.erased = 0 AND c.reporter = ?1)",
	[EXPIRE_NOTICES] = "UPDATE notice SET text = '' WHERE id > (SELECT value FROM meta WHERE name ="
			   " 'notices_expired') AND id <= ?1",
	[EXPIRE_NOTICES_TO] = "SELECT max(id) FROM (SELECT id, at_ms FROM notice WHERE id > (SELECT value FROM meta"
			      " WHERE name = 'notices_expired') ORDER BY id LIMIT " NUMBER(
				      EXPIRE_NOTICES_AT_ONCE) ") WHERE at_ms < ?1",
	[ERASE_DUE] = "SELECT id, ?1, last_event, description, beneficiary, contact_name FROM closed_case"
		      " INDEXED BY closed_by_reporter WHERE erased = 0 AND (reporter = ?1 OR (reporter IS NULL"
		      " AND actor = ?1)) LIMIT " NUMBER(EXPIRE_CASES_AT_ONCE),
	[ERASE_TOLD] = "UPDATE notice SET addressee = '" EXPIRE_NAME "', text = '' WHERE addressee = ?1",
	[ERASE_SEEN] = "DELETE FROM notice_seen WHERE person = ?1",
	[ERASE_FILES] = "DELETE FROM evidence WHERE person = ?1 AND named = 0",
	[ERASE_ACCOUNT] = "UPDATE account SET person = ?2 WHERE person = ?1",
	[ERASE_LEDGER] = "UPDATE ledger SET person = ?2, text = NULL, salt = NULL WHERE person = ?1",
	/* The person alone, or among what a list was asked for by. */
	[ERASE_AUDIT] = "UPDATE audit SET subject = ?2, salt = NULL WHERE salt IS NOT NULL AND (subject = ?1"
			" OR instr(' ' || subject || ' ', '=' || ?1 || ' ') > 0)",
};

struct expiry {
	struct store *store;
	sqlite3_stmt *st[EXPIRE_STATEMENTS];
	int64_t before_ms;
};

/* Made when they are needed, once a day, so they take no place among those that are kept. */
static sqlite3_stmt *use(struct expiry *e, enum expire_statement which)
{
	sqlite3_stmt **made = &e->st[which];

	if (*made)
		(void)sqlite3_reset(*made);
	else if (sqlite3_prepare_v2(e->store->connection.db, statements[which], -1, made, NULL) != SQLITE_OK)
		connection_log(&e->store->connection, "database-statement", statements[which]);
	must(*made != NULL);
	return *made;
}

static enum store_result run(struct expiry *e, sqlite3_stmt *st, const char *what)
{
	return writer_execute(e->store, st, what);
}

/* ---- one case ---- */

struct subject {
	int64_t case_id, last_event;
	char *who, *description, *beneficiary, *contact_name;
};

static char *copy(sqlite3_stmt *st, int at)
{
	const char *text = column_text(st, at);

	return text ? must_strdup(text) : NULL;
}

static void subject_close(struct subject *s)
{
	free(s->who);
	free(s->description);
	free(s->beneficiary);
	free(s->contact_name);
}

/* Without numbers and the reporter's names; heap, NULL for NULL. */
static char *without_names(const struct subject *s, const char *text)
{
	char *out = text ? must_calloc(1, MASK_ROOM(strlen(text))) : NULL;
	const char *slash = s->who ? strchr(s->who, '/') : NULL;

	if (!out)
		return NULL;
	(void)mask_text(text, out);
	mask_word(out, s->who);
	mask_word(out, slash ? slash + 1 : NULL);
	mask_word(out, s->beneficiary);
	mask_word(out, s->contact_name);
	return out;
}

static const char *renamed(const struct subject *s, const char *name)
{
	return name && s->who && strcmp(name, s->who) == 0 ? EXPIRE_NAME : name;
}

/* The event and its words; *prev is the one before. */
static enum store_result expire_event(struct expiry *e, const struct subject *s, int64_t id, int64_t *prev)
{
	sqlite3_stmt *read = use(e, EXPIRE_EVENT), *change = use(e, EXPIRE_CHANGE_EVENT);
	enum store_result result = STORE_OK;

	*prev = 0;
	bind_int(read, 1, id);
	if (writer_found(e->store, read, "read-event")) {
		const char *actor = column_text(read, 1), *ref = column_text(read, 2), *text = column_text(read, 3);
		char *words = renamed(s, actor) == actor ? without_names(s, text) : NULL;

		*prev = column_int(read, 0);
		if (renamed(s, actor) != actor || renamed(s, ref) != ref || (text && strcmp(text, words) != 0)) {
			bind_int(change, 1, id);
			bind_text(change, 2, renamed(s, actor));
			bind_text(change, 3, renamed(s, ref));
			bind_text(change, 4, words);
			result = run(e, change, "expire-event");
		}
		free(words);
	}
	(void)sqlite3_reset(read);
	return result;
}

static enum store_result run_on(struct expiry *e, enum expire_statement which, const struct subject *s)
{
	sqlite3_stmt *st = use(e, which);

	bind_int(st, 1, s->case_id);
	bind_text(st, 2, s->who);
	return run(e, st, "expire-case");
}

static enum store_result expire_told(struct expiry *e, const struct subject *s)
{
	sqlite3_stmt *st = use(e, EXPIRE_TOLD);

	bind_text(st, 1, s->who);
	bind_int(st, 2, e->before_ms);
	return run(e, st, "expire-told");
}

static enum store_result expire_case(struct expiry *e, const struct subject *s)
{
	char *description = without_names(s, s->description);
	sqlite3_stmt *st = use(e, EXPIRE_CASE);

	bind_text(st, 3, description);
	bind_int(st, 1, s->case_id);
	bind_text(st, 2, s->who);
	enum store_result result = run(e, st, "expire-case");

	free(description);
	/* The events' trigger lets through what belongs to a case so marked, and nothing else. */
	for (int64_t id = s->last_event, prev; id != 0 && result == STORE_OK; id = prev)
		result = expire_event(e, s, id, &prev);
	if (result == STORE_OK && s->who)
		result = run_on(e, EXPIRE_FILES, s);
	if (result == STORE_OK && s->who)
		result = run_on(e, EXPIRE_NAMED, s);
	return result == STORE_OK && s->who ? expire_told(e, s) : result;
}

/* ---- a piece ---- */

/* Read before anything is changed, for what is changed leaves the index that is walked. */
static size_t read_due(struct store *s, sqlite3_stmt *st, struct subject *out)
{
	size_t count = 0;

	while (count < EXPIRE_CASES_AT_ONCE && writer_found(s, st, "read-due"))
		out[count++] = (struct subject){ .case_id = column_int(st, 0),
			                         .who = copy(st, 1),
			                         .last_event = column_int(st, 2),
			                         .description = copy(st, 3),
			                         .beneficiary = copy(st, 4),
			                         .contact_name = copy(st, 5) };
	(void)sqlite3_reset(st);
	return count;
}

/* Notices quote people; what is older than the archive may be says no more than which case and what became of it. */
static enum store_result expire_notices(struct expiry *e, int64_t *count)
{
	sqlite3_stmt *to = use(e, EXPIRE_NOTICES_TO), *st = use(e, EXPIRE_NOTICES);
	enum store_result result = STORE_OK;
	int64_t last = 0;

	bind_int(to, 1, e->before_ms);
	if (writer_found(e->store, to, "read-notices"))
		last = column_int(to, 0);
	(void)sqlite3_reset(to);
	if (last == 0)
		return store_state(e->store);
	bind_int(st, 1, last);
	result = run(e, st, "expire-notices");
	*count = sqlite3_changes(e->store->connection.db);
	if (result != STORE_OK)
		return result;
	st = writer_use(e->store, WRITE_NOTICES_EXPIRED);
	bind_int(st, 1, last);
	return run(e, st, "expire-notices");
}

static enum store_result expire_cases(struct expiry *e, sqlite3_stmt *due, int64_t *count)
{
	struct subject *subjects = must_calloc(EXPIRE_CASES_AT_ONCE, sizeof *subjects);
	enum store_result result = STORE_OK;

	*count = (int64_t)read_due(e->store, due, subjects);
	for (int64_t i = 0; i < *count; i++) {
		if (result == STORE_OK)
			result = expire_case(e, &subjects[i]);
		subject_close(&subjects[i]);
	}
	free(subjects);
	return result == STORE_OK ? store_state(e->store) : result;
}

static void expiry_close(struct expiry *e)
{
	for (int i = 0; i < EXPIRE_STATEMENTS; i++)
		(void)sqlite3_finalize(e->st[i]);
}

enum store_result store_expire(struct store *s, int64_t before_ms, struct expired *out)
{
	struct expiry e = { .store = s, .before_ms = before_ms };
	sqlite3_stmt *due = use(&e, EXPIRE_DUE);
	enum store_result result;

	*out = (struct expired){ 0 };
	bind_int(due, 1, before_ms);
	result = expire_cases(&e, due, &out->cases);
	if (result == STORE_OK)
		result = expire_notices(&e, &out->notices);
	out->more = out->cases == EXPIRE_CASES_AT_ONCE || out->notices == EXPIRE_NOTICES_AT_ONCE;
	expiry_close(&e);
	return result;
}

/* ---- one person ---- */

/* Rows of a table that are the person's; how many is added to *rows. */
static enum store_result erase_rows(struct expiry *e, enum expire_statement which, const char *person, const char *name,
                                    int64_t *rows)
{
	sqlite3_stmt *st = use(e, which);
	enum store_result result;

	bind_text(st, 1, person);
	if (name)
		bind_text(st, 2, name);
	result = run(e, st, "erase");
	*rows += sqlite3_changes(e->store->connection.db);
	return result;
}

enum store_result store_erase(struct store *s, const char *person, const char *name, int64_t *rows)
{
	static const struct {
		enum expire_statement which;
		_Bool renamed, chained;
	} tables[] = { { ERASE_TOLD, 0, 0 },    { ERASE_SEEN, 0, 0 },   { ERASE_FILES, 0, 0 },
		       { ERASE_ACCOUNT, 1, 0 }, { ERASE_LEDGER, 1, 1 }, { ERASE_AUDIT, 1, 1 } };
	struct expiry e = { .store = s, .before_ms = INT64_MAX };
	enum store_result result;
	int64_t cases, others = 0;

	*rows = 0;
	do {
		sqlite3_stmt *due = use(&e, ERASE_DUE);

		bind_text(due, 1, person);
		result = expire_cases(&e, due, &cases);
	} while (result == STORE_OK && cases == EXPIRE_CASES_AT_ONCE);
	for (size_t i = 0; i < sizeof tables / sizeof *tables && result == STORE_OK; i++)
		result = erase_rows(&e, tables[i].which, person, tables[i].renamed ? name : NULL,
		                    tables[i].chained ? rows : &others);
	expiry_close(&e);
	return result;
}
