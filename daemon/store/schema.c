/* The tables of gridloop, and why each is there.
 *
 * case_event is the truth about cases: one row a fact, append-only, refused to change by triggers. Its id rises by one
 * over all cases, so it is at once the order of everything that happened, the cursor of every subscriber and the id under
 * which an event is published to the Redis events stream. That is why there is no outbox table: what waits to be
 * published is "events above the newest id in the stream", and the stream itself knows that id; a second table would
 * only repeat rows and have to be emptied again. There is no index beside the rowid either. A case's history is a chain:
 * its row names the newest event, each event names the one before, so reading it is a handful of rowid look-ups, and
 * writing an event touches the last page of one tree and nothing else. Absent texts are NULL, absent numbers 0, one
 * byte each.
 *
 * open_case is what is being worked on: the whole case_file plus the particulars of its report. Everything in it but the
 * particulars could be had by replaying case_event (gridloop verify does); it exists so that a start loads the open
 * cases in one short scan and a reader sees a case without replaying it. It has no secondary index: the daemon's own
 * look-ups (by place, by camera, by timer) are in memory, and a staff query scans it, because it is as small as the
 * work in hand.
 *
 * closed_case, the archive, has the same columns and is where a case goes in the transaction that ends it. It is never
 * changed again, only grows, and is what people search for years, so it carries the indexes that lists need; they are
 * paid once a case, when it ends, not with each step it takes. merged_into is indexed for the few rows that have one:
 * a master's followers are found through it.
 *
 * request_key remembers for ever which answer each accepted request got, so that the same request sent again gets the
 * same answer. Most answers say no more than the last event that the request made: which case, in which state, due when.
 * Such a request's key and hash stand in that event, at the price of their bytes while a sender waits; nobody searches
 * for them there, because memory holds every key that is still new. When there is nothing else to do, or they grow
 * many, the oldest are copied to settled_key, which is sorted by key, WITHOUT ROWID because the key is the only way in;
 * meta's keys_settled is the last event that was looked at. Keys begin with their time, so what is copied together lies
 * together. An answer that says more (merged, points) goes to settled_key at once. The view new_key is
 * what was not copied yet, request_key all of it.
 *
 * ledger is the book of points: append-only like case_event; what was wrong is corrected by another row. account is the
 * other half of double-entry: the sum kept row by row, by other code than the one that adds the rows up when asked.
 * verify compares the two, and the CHECK stops the daemon before it could commit a negative balance.
 *
 * notice is what each addressee is owed. Rows are appended in id order and never changed; the index finds one
 * addressee's. What was seen is not written into the notices but as one row of notice_seen: "this person has seen all
 * up to here, at that time". Telling that a hundred notices were read costs one row, and when each was read stays known.
 *
 * alarm_span is what cameras go on seeing: one row a thing, changed in place with each post of it, so that four thousand
 * posts cost four thousand changes of one row and no event each. It is not history: the case's events say how often it
 * was seen, a minute late at most. It outlives its case, so that what was dismissed stays dismissed while the camera
 * goes on; rows that are over are deleted as others come. All of it is in memory too; the rows are for a restart.
 *
 * evidence has a row for each person who has uploaded a file completely: the file itself lies beside the database, once,
 * under the digest of its bytes. Only who has a row may name the file, so that knowing a digest is worth nothing.
 * case_evidence is what reports and actions named, with the event that did; it is what gives others the right to fetch
 * the file. named spares the search for rows that nobody needs: an upload that no case has named for days goes, found by
 * an index that has no others. The day's sum of one person's uploads is read from evidence_by_person alone.
 *
 * meta holds what no table's newest row is sure to know, above all the newest time any fact carried. That is
 * written only when the newest event and ledger row do not already say it, which is rare, so an ordinary commit does not
 * pay a page for it. All other counters are the largest ids of their tables. Beside it stands sweep_due: 1 from when
 * every open case is to be looked at again until that is done, so that a start knows what was cut off.
 *
 * policy says which policy was in force since when, by the digest of its files; one row a change. A start compares the
 * newest with what it has loaded.
 *
 * emergency says when every hour counted, where, and who said so: a row is written when one is declared and completed when
 * it is lifted. Limits are worked out with it, so it is loaded whole into the casebook, the newest few.
 *
 * audit says who looked at or changed what, and is append-only. Its rows and the ledger's are chained (store/chain.h): each
 * carries SHA-256 over the one before and itself. salt and seal stand for what may be erased by law, the audit's subject and
 * the ledger's person and text; erasing blanks those and the salt, and that alone the triggers let through. chain_head has
 * the newest link of each, so that rows cut off at the end are missed; it is written once a commit that adds to a chain.
 * Its third row is the last one that was cut off the audit's front when its time was over: there the chain begins.
 *
 * credential says what proves that somebody is who they say: a row for each token, of which only SHA-256 is here, and each
 * certificate. A row is written once and completed twice at most: when it is to expire earlier than it was to, and when
 * it is revoked; triggers refuse anything else, so what was revoked cannot come to life again and who made it, for whom,
 * stays known. The live ones are in memory; credential_by_person is for who lists them.
 *
 * A case's doubts are why its points wait for a supervisor (workflow/doubt.h); a file's look is what tells that a photo was
 * seen under another report before (store/look.h).
 *
 * Columns are not fenced by CHECKs on their ranges: rows are made from checked structs by one table of columns
 * (row.c), STRICT guards the types, recovery refuses a state that is none, and verify proves the contents. Times are UTC
 * milliseconds, places degrees × 10^7, codes the numbers of workflow/domain.h; there is no floating point in any row.
 */
#include "store/schema.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "store/chain.h"
#include "store/store.h"

/* Both case tables: the columns of row.h in its order. Frozen: a later version alters it in a step of its own. */
#define CASE_TABLE_COLUMNS                                                                                             \
	"(id INTEGER PRIMARY KEY, reporter_kind INTEGER NOT NULL, anonymous INTEGER NOT NULL,"                         \
	" reporter TEXT, actor TEXT, reported_ms INTEGER NOT NULL,"                                                    \
	" last_event INTEGER NOT NULL, grid INTEGER NOT NULL, category INTEGER NOT NULL,"                              \
	" lat_e7 INTEGER, lon_e7 INTEGER, state INTEGER NOT NULL, since_ms INTEGER NOT NULL,"                          \
	" stage_due_ms INTEGER NOT NULL, reported_grid INTEGER NOT NULL DEFAULT 0,"                                    \
	" grid_said INTEGER NOT NULL DEFAULT 0, told INTEGER NOT NULL DEFAULT 0,"                                      \
	" level INTEGER NOT NULL DEFAULT 0,"                                                                           \
	" rating INTEGER NOT NULL DEFAULT 0, extensions INTEGER NOT NULL DEFAULT 0,"                                   \
	" suspensions INTEGER NOT NULL DEFAULT 0, reopened INTEGER NOT NULL DEFAULT 0,"                                \
	" reworked INTEGER NOT NULL DEFAULT 0, returned INTEGER NOT NULL DEFAULT 0,"                                   \
	" supervised INTEGER NOT NULL DEFAULT 0, photo_roles INTEGER NOT NULL DEFAULT 0,"                              \
	" late INTEGER NOT NULL DEFAULT 0,"                                                                            \
	" stage_overdue INTEGER NOT NULL DEFAULT 0, camera TEXT, alarm_event TEXT,"                                    \
	" handler TEXT, worker TEXT, checker TEXT, handled_by TEXT, helpers TEXT,"                                     \
	" whistled TEXT, helper_done INTEGER NOT NULL DEFAULT 0,"                                                      \
	" helper_late INTEGER NOT NULL DEFAULT 0, helper_told INTEGER NOT NULL DEFAULT 0,"                             \
	" helper_due_1 INTEGER NOT NULL DEFAULT 0, helper_due_2 INTEGER NOT NULL DEFAULT 0,"                           \
	" helper_due_3 INTEGER NOT NULL DEFAULT 0, helper_due_4 INTEGER NOT NULL DEFAULT 0,"                           \
	" basis TEXT, basis_until_ms INTEGER NOT NULL DEFAULT 0,"                                                      \
	" whistled_answered INTEGER NOT NULL DEFAULT 0, filed_ms INTEGER NOT NULL DEFAULT 0,"                          \
	" dispatched_ms INTEGER NOT NULL DEFAULT 0, handled_ms INTEGER NOT NULL DEFAULT 0,"                            \
	" closed_ms INTEGER NOT NULL DEFAULT 0, reviewed_ms INTEGER NOT NULL DEFAULT 0,"                               \
	" ended_ms INTEGER NOT NULL DEFAULT 0, first_reply_ms INTEGER NOT NULL DEFAULT 0,"                             \
	" discover_ms INTEGER NOT NULL DEFAULT 0, handle_ms INTEGER NOT NULL DEFAULT 0,"                               \
	" feedback_ms INTEGER NOT NULL DEFAULT 0, paused_ms INTEGER NOT NULL DEFAULT 0,"                               \
	" accept_left_ms INTEGER NOT NULL DEFAULT 0, limit_ms INTEGER NOT NULL DEFAULT 0,"                             \
	" limit_unit INTEGER NOT NULL DEFAULT 0,"                                                                      \
	" handle_due_ms INTEGER NOT NULL DEFAULT 0, handle_set_event INTEGER NOT NULL DEFAULT 0,"                      \
	" exempted INTEGER NOT NULL DEFAULT 0, handle_warn_ms INTEGER NOT NULL DEFAULT 0,"                             \
	" handle_left_ms INTEGER NOT NULL DEFAULT 0,"                                                                  \
	" escalate_at_ms INTEGER NOT NULL DEFAULT 0,"                                                                  \
	" asked_extension_ms INTEGER NOT NULL DEFAULT 0,"                                                              \
	" asked_suspend_until_ms INTEGER NOT NULL DEFAULT 0,"                                                          \
	" merged_into INTEGER NOT NULL DEFAULT 0, last_alarm_ms INTEGER NOT NULL DEFAULT 0,"                           \
	" alarm_count INTEGER NOT NULL DEFAULT 0, points INTEGER NOT NULL DEFAULT 0,"                                  \
	" channel TEXT, address TEXT, description TEXT, beneficiary TEXT, programme TEXT,"                             \
	" photos TEXT, label TEXT, seen_at_ms INTEGER NOT NULL,"                                                       \
	" confidence_ppm INTEGER NOT NULL DEFAULT 0) STRICT;\n"

/* What a request was and what it was answered. */
#define KEY_TABLE_COLUMNS                                                                                              \
	"hash BLOB NOT NULL,"                                                                                          \
	" case_id INTEGER NOT NULL, category INTEGER NOT NULL, state INTEGER NOT NULL, due_ms INTEGER NOT NULL,"       \
	" merged_into INTEGER NOT NULL, merged_into_category INTEGER NOT NULL,"                                        \
	" maybe_same_as INTEGER NOT NULL, maybe_same_category INTEGER NOT NULL, balance INTEGER NOT NULL"
#define KEY_COLUMNS                                                                                                    \
	"key, hash, case_id, category, state, due_ms, merged_into, merged_into_category, maybe_same_as,"               \
	" maybe_same_category, balance"

static const char version_1[] =
	"CREATE TABLE open_case " CASE_TABLE_COLUMNS "CREATE TABLE closed_case " CASE_TABLE_COLUMNS
	"CREATE INDEX closed_by_reporter ON closed_case (reporter, id);\n"
	"CREATE INDEX closed_by_handler ON closed_case (handler, id);\n"
	"CREATE INDEX closed_by_grid ON closed_case (grid, id);\n"
	"CREATE INDEX closed_by_category ON closed_case (category, id);\n"
	"CREATE INDEX closed_by_master ON closed_case (merged_into, id) WHERE merged_into <> 0;\n"

	"CREATE TABLE case_event (id INTEGER PRIMARY KEY,"
	" case_id INTEGER NOT NULL,"
	" prev INTEGER NOT NULL,"
	" at_ms INTEGER NOT NULL,"
	" act INTEGER NOT NULL, from_state INTEGER NOT NULL, to_state INTEGER NOT NULL,"
	" actor TEXT, ref TEXT, text TEXT,"
	" value INTEGER NOT NULL, category INTEGER NOT NULL, grid INTEGER NOT NULL,"
	" stage_due_ms INTEGER NOT NULL, handle_due_ms INTEGER NOT NULL,"
	" handle_warn_ms INTEGER NOT NULL, handle_left_ms INTEGER NOT NULL, unit INTEGER NOT NULL,"
	" photo_roles INTEGER NOT NULL,"
	" key BLOB, hash BLOB) STRICT;\n"
	"CREATE TRIGGER case_event_stays BEFORE UPDATE ON case_event"
	" BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;\n"
	"CREATE TRIGGER case_event_remains BEFORE DELETE ON case_event"
	" BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;\n"

	"CREATE TABLE settled_key (key BLOB PRIMARY KEY, " KEY_TABLE_COLUMNS ") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;\n"
	"INSERT INTO meta VALUES ('last_ms', 0), ('sweep_due', 0), ('keys_settled', 0);\n"
	"CREATE VIEW new_key AS SELECT id, key, hash, case_id, category, to_state AS state,"
	" iif(stage_due_ms <> 0, stage_due_ms, handle_due_ms) AS due_ms, 0 AS merged_into, 0 AS merged_into_category,"
	" iif(act = 1, value, 0) AS maybe_same_as, iif(act = 1 AND value <> 0, category, 0) AS maybe_same_category,"
	" 0 AS balance FROM case_event"
	" WHERE key IS NOT NULL AND id > (SELECT value FROM meta WHERE name = 'keys_settled');\n"
	"CREATE VIEW request_key AS SELECT " KEY_COLUMNS " FROM settled_key UNION ALL SELECT " KEY_COLUMNS
	" FROM new_key;\n"

	"CREATE TABLE ledger (id INTEGER PRIMARY KEY,"
	" person TEXT NOT NULL, at_ms INTEGER NOT NULL, payable_ms INTEGER NOT NULL,"
	" points INTEGER NOT NULL, rule TEXT NOT NULL,"
	" case_id INTEGER NOT NULL, place_key INTEGER NOT NULL, text TEXT) STRICT;\n"
	"CREATE INDEX ledger_by_person ON ledger (person, id);\n"
	"CREATE TRIGGER ledger_stays BEFORE UPDATE ON ledger"
	" BEGIN SELECT RAISE(ABORT, 'the ledger is never changed: write a correction'); END;\n"
	"CREATE TRIGGER ledger_remains BEFORE DELETE ON ledger"
	" BEGIN SELECT RAISE(ABORT, 'the ledger is never deleted from: write a correction'); END;\n"
	"CREATE TABLE account (person TEXT PRIMARY KEY,"
	" balance INTEGER NOT NULL CHECK (balance >= 0),"
	" month INTEGER NOT NULL, month_points INTEGER NOT NULL) STRICT, WITHOUT ROWID;\n"

	"CREATE TABLE notice (id INTEGER PRIMARY KEY,"
	" addressee TEXT NOT NULL, at_ms INTEGER NOT NULL,"
	" case_id INTEGER NOT NULL, event_id INTEGER NOT NULL,"
	" act INTEGER NOT NULL, state INTEGER NOT NULL, text TEXT NOT NULL) STRICT;\n"
	"CREATE INDEX notice_by_addressee ON notice (addressee, id);\n"
	"CREATE TABLE notice_seen (person TEXT NOT NULL, up_to INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
	" PRIMARY KEY (person, up_to)) STRICT, WITHOUT ROWID;\n"

	"CREATE TABLE alarm_span (id INTEGER PRIMARY KEY,"
	" camera TEXT NOT NULL, channel TEXT, event TEXT, category INTEGER NOT NULL,"
	" case_id INTEGER NOT NULL, case_category INTEGER NOT NULL,"
	" began_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, over_ms INTEGER NOT NULL,"
	" count INTEGER NOT NULL, ended INTEGER NOT NULL) STRICT;\n"

	"CREATE TABLE evidence (sha256 BLOB NOT NULL, person TEXT NOT NULL,"
	" size INTEGER NOT NULL, type TEXT NOT NULL, at_ms INTEGER NOT NULL, named INTEGER NOT NULL,"
	" PRIMARY KEY (sha256, person)) STRICT, WITHOUT ROWID;\n"
	"CREATE INDEX evidence_by_person ON evidence (person, at_ms, size);\n"
	"CREATE INDEX evidence_unnamed ON evidence (at_ms) WHERE named = 0;\n"
	"CREATE TABLE case_evidence (id INTEGER PRIMARY KEY,"
	" case_id INTEGER NOT NULL, event_id INTEGER NOT NULL,"
	" sha256 BLOB NOT NULL, person TEXT NOT NULL, role INTEGER NOT NULL) STRICT;\n"
	"CREATE INDEX case_evidence_by_case ON case_evidence (case_id, id);\n"
	"CREATE INDEX case_evidence_by_file ON case_evidence (sha256, case_id);\n"
	"CREATE TABLE emergency (id INTEGER PRIMARY KEY, area INTEGER NOT NULL,"
	" from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,"
	" declared_ms INTEGER NOT NULL, declared_event INTEGER NOT NULL, declared_by TEXT NOT NULL,"
	" lifted_ms INTEGER NOT NULL DEFAULT 0, lifted_event INTEGER NOT NULL DEFAULT 0, lifted_by TEXT,"
	" text TEXT NOT NULL) STRICT;\n"

	"CREATE TABLE policy (id INTEGER PRIMARY KEY, from_ms INTEGER NOT NULL, digest TEXT NOT NULL) STRICT;\n";

/* ---- version 2: a literal for each topic ---- */

#define AUDIT_TABLES                                                                                                   \
	"CREATE TABLE audit (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL,"                       \
	" what INTEGER NOT NULL, subject TEXT, purpose TEXT, channel TEXT, count INTEGER NOT NULL,"                    \
	" salt BLOB, seal BLOB NOT NULL, link BLOB NOT NULL) STRICT;\n"                                                \
	"CREATE INDEX audit_by_subject ON audit (subject, id);\n"                                                      \
	"CREATE TRIGGER audit_stays BEFORE UPDATE ON audit WHEN NOT (OLD.salt IS NOT NULL AND NEW.salt IS NULL"        \
	" AND (NEW.id, NEW.at_ms, NEW.who, NEW.what, NEW.purpose, NEW.channel, NEW.count, NEW.seal, NEW.link) IS"      \
	" (OLD.id, OLD.at_ms, OLD.who, OLD.what, OLD.purpose, OLD.channel, OLD.count, OLD.seal, OLD.link))"            \
	" BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END;\n"                                             \
	"CREATE TRIGGER audit_remains BEFORE DELETE ON audit"                                                          \
	" BEGIN SELECT RAISE(ABORT, 'the audit is never deleted from'); END;\n"                                        \
	"CREATE TABLE chain_head (chain INTEGER PRIMARY KEY, id INTEGER NOT NULL, link BLOB NOT NULL) STRICT;\n"

/* A row of version 1 has no link yet and may be given one. */
#define LEDGER_CHAIN                                                                                                   \
	"DROP TRIGGER ledger_stays;\n"                                                                                 \
	"ALTER TABLE ledger ADD COLUMN salt BLOB;\n"                                                                   \
	"ALTER TABLE ledger ADD COLUMN seal BLOB;\n"                                                                   \
	"ALTER TABLE ledger ADD COLUMN link BLOB;\n"                                                                   \
	"CREATE TRIGGER ledger_stays BEFORE UPDATE ON ledger WHEN NOT ((OLD.link IS NULL OR (OLD.salt IS NOT NULL"     \
	" AND NEW.salt IS NULL AND (NEW.seal, NEW.link) IS (OLD.seal, OLD.link)))"                                     \
	" AND (NEW.id, NEW.at_ms, NEW.payable_ms, NEW.points, NEW.rule, NEW.case_id, NEW.place_key) IS"                \
	" (OLD.id, OLD.at_ms, OLD.payable_ms, OLD.points, OLD.rule, OLD.case_id, OLD.place_key))"                      \
	" BEGIN SELECT RAISE(ABORT, 'the ledger is never changed: write a correction'); END;\n"

/* Why a case's points wait for a supervisor, and what a photo looks like (store/look.h). */
#define DOUBT_COLUMNS                                                                                                  \
	"ALTER TABLE open_case ADD COLUMN doubts INTEGER NOT NULL DEFAULT 0;\n"                                        \
	"ALTER TABLE closed_case ADD COLUMN doubts INTEGER NOT NULL DEFAULT 0;\n"                                      \
	"ALTER TABLE evidence ADD COLUMN look INTEGER NOT NULL DEFAULT 0;\n"

#define CREDENTIAL_TABLES                                                                                              \
	"CREATE TABLE credential (id INTEGER PRIMARY KEY, person TEXT NOT NULL, kind INTEGER NOT NULL,"                \
	" sha256 BLOB NOT NULL, label TEXT NOT NULL, made_ms INTEGER NOT NULL, made_by TEXT NOT NULL,"                 \
	" replaces INTEGER NOT NULL, expires_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL DEFAULT 0,"              \
	" revoked_by TEXT, why TEXT) STRICT;\n"                                                                        \
	"CREATE INDEX credential_by_person ON credential (person, id);\n"                                              \
	"CREATE TRIGGER credential_stays BEFORE UPDATE ON credential WHEN OLD.revoked_ms <> 0"                         \
	" OR (NEW.id, NEW.person, NEW.kind, NEW.sha256, NEW.label, NEW.made_ms, NEW.made_by, NEW.replaces) IS NOT"     \
	" (OLD.id, OLD.person, OLD.kind, OLD.sha256, OLD.label, OLD.made_ms, OLD.made_by, OLD.replaces)"               \
	" OR (OLD.expires_ms <> 0 AND (NEW.expires_ms = 0 OR NEW.expires_ms > OLD.expires_ms))"                        \
	" BEGIN SELECT RAISE(ABORT, 'a credential only ends'); END;\n"                                                 \
	"CREATE TRIGGER credential_remains BEFORE DELETE ON credential"                                                \
	" BEGIN SELECT RAISE(ABORT, 'credentials are never deleted: revoke them'); END;\n"

/* Whom to ask about a report that came by phone or for somebody else. */
#define CONTACTS                                                                                                       \
	"ALTER TABLE open_case ADD COLUMN contact_name TEXT;\n"                                                        \
	"ALTER TABLE open_case ADD COLUMN contact_phone TEXT;\n"                                                       \
	"ALTER TABLE closed_case ADD COLUMN contact_name TEXT;\n"                                                      \
	"ALTER TABLE closed_case ADD COLUMN contact_phone TEXT;\n"

/* A case whose personal fields are gone is marked, which no open one is; only its events' people and words may then be taken out of them. */
#define EXPIRY                                                                                                         \
	"ALTER TABLE open_case ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;\n"                                        \
	"ALTER TABLE closed_case ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;\n"                                      \
	"CREATE INDEX closed_unexpired ON closed_case (ended_ms) WHERE erased = 0;\n"                                  \
	"INSERT INTO meta VALUES ('notices_expired', 0);\n"                                                            \
	"DROP TRIGGER case_event_stays;\n"                                                                             \
	"CREATE TRIGGER case_event_stays BEFORE UPDATE ON case_event WHEN NOT ((NEW.id, NEW.case_id, NEW.prev,"        \
	" NEW.at_ms, NEW.act, NEW.from_state, NEW.to_state, NEW.value, NEW.category, NEW.grid, NEW.stage_due_ms,"      \
	" NEW.handle_due_ms, NEW.handle_warn_ms, NEW.handle_left_ms, NEW.unit, NEW.photo_roles, NEW.key, NEW.hash) IS" \
	" (OLD.id, OLD.case_id, OLD.prev, OLD.at_ms, OLD.act, OLD.from_state, OLD.to_state, OLD.value, OLD.category,"  \
	" OLD.grid, OLD.stage_due_ms, OLD.handle_due_ms, OLD.handle_warn_ms, OLD.handle_left_ms, OLD.unit,"            \
	" OLD.photo_roles, OLD.key, OLD.hash)"                                                                         \
	" AND EXISTS (SELECT 1 FROM closed_case AS c WHERE c.id = OLD.case_id AND c.erased = 1))"                      \
	" BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;\n"

static const char version_2[] = AUDIT_TABLES LEDGER_CHAIN DOUBT_COLUMNS CREDENTIAL_TABLES CONTACTS EXPIRY;

/* ---- version 3 ---- */

/* Rows of the audit go from its front alone, and only behind the mark of how far (chain 2: CHAIN_AUDIT_CUT). */
static const char version_3[] = "DROP TRIGGER audit_remains;\n"
				"CREATE TRIGGER audit_remains BEFORE DELETE ON audit"
				" WHEN OLD.id > coalesce((SELECT id FROM chain_head WHERE chain = 2), 0)"
				" BEGIN SELECT RAISE(ABORT, 'the audit is never deleted from'); END;\n"
				"INSERT INTO chain_head (chain, id, link) VALUES (2, 0, zeroblob(32));\n";

/* versions[i] takes a database from version i to i + 1; then what its rows need that SQL cannot say. */
static const struct {
	const char *sql;
	int (*finish)(struct connection *c);
} versions[] = { { version_1, NULL }, { version_2, chain_begin }, { version_3, NULL } };

#define NUMBER_TEXT(n) #n
#define NUMBER(n) NUMBER_TEXT(n)

/* A cause on the heap. */
PRINTF_LIKE(1, 2) static char *say(const char *format, ...)
{
	char *cause = NULL;
	va_list args;

	va_start(args, format);
	must(vasprintf(&cause, format, args) >= 0);
	va_end(args);
	return cause;
}

/* Whose file this is; a file without any table is anybody's. *version is the schema's. */
static _Bool identify(struct connection *c, int64_t *version, _Bool *fresh, char **cause)
{
	_Bool ok = 1;
	int64_t application = connection_number(c, "PRAGMA application_id", 0, &ok);

	*version = connection_number(c, "PRAGMA user_version", 0, &ok);
	*fresh = connection_number(c, "SELECT count(*) FROM sqlite_schema", 0, &ok) == 0 && application == 0;
	if (!ok)
		*cause = connection_cause(c, "the database cannot be read");
	else if (!*fresh && application != STORE_APPLICATION_ID)
		*cause =
			say("the file is another application's database (application_id %lld)", (long long)application);
	else if (*version > STORE_SCHEMA_VERSION || *version < 0)
		*cause = say("the database has schema version %lld, this program knows %d: use the newer program",
		             (long long)*version, STORE_SCHEMA_VERSION);
	else
		return 1;
	return 0;
}

static int step(struct connection *c, int64_t v)
{
	int result = connection_execute(c, versions[v].sql);

	return result == SQLITE_OK && versions[v].finish ? versions[v].finish(c) : result;
}

static int step_up(struct connection *c, int64_t from)
{
	int result = SQLITE_OK;

	for (int64_t v = from; v < STORE_SCHEMA_VERSION && result == SQLITE_OK; v++)
		result = step(c, v);
	if (result == SQLITE_OK)
		result = connection_execute(
			c, "PRAGMA application_id = " NUMBER(STORE_APPLICATION_ID) ";"
										   "PRAGMA user_version = " NUMBER(
											   STORE_SCHEMA_VERSION) ";");
	return result;
}

_Bool schema_migrate(struct connection *c, char **cause)
{
	int64_t version;
	_Bool fresh;

	_Static_assert(sizeof versions / sizeof *versions == STORE_SCHEMA_VERSION, "a step for each version");
	if (!identify(c, &version, &fresh, cause))
		return 0;
	/* Only now that the file is known to be ours may anything in it change. */
	if (connection_execute(c, "PRAGMA journal_mode = WAL;") != SQLITE_OK) {
		*cause = connection_cause(c, "write-ahead logging cannot be had");
		return 0;
	}
	if (version == STORE_SCHEMA_VERSION)
		return 1;
	if (connection_execute(c, "BEGIN IMMEDIATE;") == SQLITE_OK && step_up(c, version) == SQLITE_OK &&
	    connection_execute(c, "COMMIT;") == SQLITE_OK) {
		log_line(LOG_LEVEL_NOTICE, "database-migrated", "from=%lld to=%d", (long long)version,
		         STORE_SCHEMA_VERSION);
		return 1;
	}
	*cause = connection_cause(c, "the tables cannot be made");
	connection_rollback(c);
	return 0;
}

_Bool schema_check(struct connection *c, char **cause)
{
	int64_t version;
	_Bool fresh;

	if (!identify(c, &version, &fresh, cause))
		return 0;
	if (version == STORE_SCHEMA_VERSION)
		return 1;
	*cause = say("the database has schema version %lld, not %d: start the daemon on it first", (long long)version,
	             STORE_SCHEMA_VERSION);
	return 0;
}
