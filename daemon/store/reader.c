#include "store/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/credentials.h"
#include "store/schema.h"
#include "workflow/case_number.h"

#define STEPS_BETWEEN_LOOKS 1000
#define RESULT_BLOCK 16384

const char *const reader_statements[READER_STATEMENTS] = {
	[READ_BEGIN] = "BEGIN",
	[READ_END] = "COMMIT",
	[READ_OPEN_CASE] = "SELECT " ROW_ALL_NAMES " FROM open_case WHERE id = ?",
	[READ_CLOSED_CASE] = "SELECT " ROW_ALL_NAMES " FROM closed_case WHERE id = ?",
	[READ_EVENT] = "SELECT " EVENT_NAMES " FROM case_event WHERE id = ?",
	[READ_MERGED_HERE] = "SELECT id, category FROM closed_case INDEXED BY closed_by_master"
			     " WHERE merged_into = ?1 AND merged_into <> 0 ORDER BY id LIMIT ?2",
	[READ_LEDGER] = "SELECT id, person, at_ms, payable_ms, points, rule, case_id, place_key, text,"
			" " READER_CATEGORY_OF("case_id") " FROM ledger INDEXED BY ledger_by_person"
							  " WHERE person = ?1 AND id < ?3 ORDER BY id DESC LIMIT ?2",
/* The newest below an id, wherever it is. */
#define NEWEST_CASE(where)                                                                                             \
	"SELECT max(id) FROM (SELECT * FROM (SELECT id FROM open_case WHERE id < ?2 AND " where " ORDER BY id DESC"    \
	" LIMIT 1) UNION ALL SELECT * FROM (SELECT id FROM closed_case INDEXED BY closed_by_reporter WHERE id < ?2"    \
	" AND " where " ORDER BY id DESC LIMIT 1))"
	[READ_CASE_OF] = NEWEST_CASE("reporter = ?1"),
	[READ_CASE_SENT_BY] = NEWEST_CASE("id >= ?3 AND reporter IS NULL AND actor = ?1"),
	[READ_CASE_IS_OF] = "SELECT 1 FROM (SELECT reporter, actor FROM open_case WHERE id = ?1 UNION ALL"
			    " SELECT reporter, actor FROM closed_case WHERE id = ?1)"
			    " WHERE reporter = ?2 OR (reporter IS NULL AND actor = ?2 AND ?3)",
	[READ_CASE_BOUNDS] = "SELECT min(low), max(high) FROM (SELECT min(id) AS low, max(id) AS high FROM open_case"
			     " UNION ALL SELECT min(id), max(id) FROM closed_case)",
	[READ_BALANCE] = "SELECT (SELECT balance FROM account WHERE person = ?1),"
			 " (SELECT sum(points) FROM ledger INDEXED BY ledger_by_person"
			 " WHERE person = ?1 AND payable_ms > ?2 AND payable_ms > at_ms)",
	[READ_LEDGER_TIME] = "SELECT at_ms FROM ledger WHERE id >= ? ORDER BY id LIMIT 1",
	[READ_BOARD] = "SELECT person, sum(points) AS earned FROM ledger NOT INDEXED"
		       " WHERE id >= ?1 AND at_ms >= ?2 AND case_id <> 0"
		       " GROUP BY person HAVING earned > 0 ORDER BY earned DESC, person LIMIT ?3",
/* What is owed to a role is for who has it where the case was then. */
#define NOTICE_REACHES                                                                                                 \
	"(substr(addressee, 1, 5) <> 'role:'"                                                                          \
	" OR (SELECT grid = 0 OR grid BETWEEN ?18 AND ?19 FROM case_event AS e WHERE e.id = event_id))"
#define NOTICES_TO(n)                                                                                                  \
	"SELECT * FROM (SELECT * FROM notice INDEXED BY notice_by_addressee WHERE addressee = ?" #n                    \
	" AND id > ?16 AND " NOTICE_REACHES " ORDER BY id LIMIT ?17)"
#define OR_TO(n) " UNION ALL " NOTICES_TO(n)
/* Whom row's case is about; names only where there are words that could hold them. */
#define OF_CASE(row, column)                                                                                           \
	"coalesce((SELECT " column " FROM open_case AS c WHERE c.id = " row ".case_id),"                               \
	" (SELECT " column " FROM closed_case AS c WHERE c.id = " row ".case_id))"
#define NAMED(row, column) "iif(coalesce(" row ".text, '') = '', NULL, " OF_CASE(row, column) ")"
#define CASE_PEOPLE(row)                                                                                               \
	OF_CASE(row, "coalesce(reporter, actor)")                                                                      \
	", " OF_CASE(row, "anonymous") ", " NAMED(row, "beneficiary") ", " NAMED(row, "contact_name")
	[READ_NOTICES] = "SELECT id, addressee, at_ms, case_id, event_id, act, state, text, " READER_CATEGORY_OF(
		"case_id") ", " CASE_PEOPLE("n") " FROM (" NOTICES_TO(1) OR_TO(2) OR_TO(3) OR_TO(4) OR_TO(5) OR_TO(6)
		OR_TO(7) OR_TO(8) OR_TO(9) OR_TO(10) OR_TO(11) OR_TO(12) OR_TO(13) OR_TO(14)
			OR_TO(15) ") AS n ORDER BY id LIMIT ?17",
	[READ_EMERGENCIES] = "SELECT id, area, from_ms, to_ms, declared_ms, declared_by, lifted_ms, lifted_by, text"
			     " FROM emergency ORDER BY id DESC LIMIT ?",
#define CREDENTIALS_WHERE " WHERE id < ?1 AND (?2 OR (revoked_ms = 0 AND (expires_ms = 0 OR expires_ms > ?3)))"
	[READ_CREDENTIALS] = "SELECT " CREDENTIAL_NAMES " FROM credential NOT INDEXED" CREDENTIALS_WHERE
			     " ORDER BY id DESC LIMIT ?4",
	[READ_CREDENTIALS_OF] = "SELECT " CREDENTIAL_NAMES
				" FROM credential INDEXED BY credential_by_person" CREDENTIALS_WHERE
				" AND person = ?5 ORDER BY id DESC LIMIT ?4",
#define AUDIT_NAMES "id, at_ms, who, what, subject, purpose, channel, count, salt IS NULL"
#define AUDIT_ROWS(how)                                                                                                \
	"SELECT " AUDIT_NAMES " FROM audit " how                                                                       \
	" AND id < ?2 AND at_ms >= ?3 AND at_ms < ?4 AND (?5 IS NULL OR who = ?5) AND (?6 = 0 OR what = ?6)"           \
	" ORDER BY id DESC LIMIT ?7"
	[READ_AUDIT] = AUDIT_ROWS("NOT INDEXED WHERE ?1 IS NULL"),
	[READ_AUDIT_ABOUT] = AUDIT_ROWS("INDEXED BY audit_by_subject WHERE subject = ?1"),
	/* Its own name, among what a list was asked for by, or a case: whose that is is seen row by row. */
	[READ_AUDIT_OF] = "SELECT " AUDIT_NAMES " FROM audit NOT INDEXED WHERE id < ?2 AND id >= ?3 AND"
			  " (subject = ?1 OR instr(' ' || subject || ' ', '=' || ?1 || ' ') > 0 OR what IN (?4, ?5)) "
			  "ORDER BY id DESC",
	[READ_SEEN] = "SELECT max(up_to) FROM notice_seen WHERE person = ?",
	[READ_EVENTS] = "SELECT " EVENT_NAMES ", " CASE_PEOPLE(
		"e") " FROM case_event AS e WHERE id > ?1 AND id <= ?2 AND grid BETWEEN ?3 AND ?4 AND (1 << "
		     "to_state & ?6) <> 0"
		     " ORDER BY id LIMIT ?5",
	[READ_LAST_IDS] = "SELECT (SELECT max(id) FROM case_event), (SELECT max(id) FROM notice)",
	[READ_EVIDENCE_OF] = "SELECT size, type FROM evidence WHERE sha256 = ? AND person = ?",
	[READ_EVIDENCE_SENT] = "SELECT sum(size) FROM evidence INDEXED BY evidence_by_person"
			       " WHERE person = ?1 AND at_ms >= ?2",
	[READ_EVIDENCE_KNOWN] = "SELECT 1 FROM evidence WHERE sha256 = ? LIMIT 1",
	[READ_EVIDENCE_USED] = "SELECT sum(size) FROM (SELECT size FROM evidence GROUP BY sha256)",
	[READ_EVIDENCE_ROW] = "SELECT size, type FROM evidence WHERE sha256 = ? LIMIT 1",
	[READ_EVIDENCE_CASES] = "SELECT DISTINCT case_id FROM case_evidence INDEXED BY case_evidence_by_file"
				" WHERE sha256 = ?1 ORDER BY case_id DESC LIMIT ?2",
	[READ_CASE_EVIDENCE] =
		"SELECT * FROM (SELECT c.sha256, c.role, c.event_id, c.person, v.at_ms, e.size, e.type, c.id AS id"
		" FROM case_evidence AS c INDEXED BY case_evidence_by_case"
		" CROSS JOIN evidence AS e ON e.sha256 = c.sha256 AND e.person = c.person"
		" CROSS JOIN case_event AS v ON v.id = c.event_id"
		" WHERE c.case_id = ?1 ORDER BY c.id DESC LIMIT ?2) ORDER BY id",
};

/* ---- the connection ---- */

static int64_t mono_ms(void)
{
	struct clock clock = clock_system();

	return clock.mono_ms(clock.ctx);
}

static int is_late(void *ctx)
{
	const struct reader *r = ctx;

	return mono_ms() > r->deadline_ms;
}

struct reader *reader_open(const char *path, char **cause)
{
	struct reader *r = must_calloc(1, sizeof *r);

	if (connection_open(&r->connection, path, NULL, CONNECTION_READ, reader_statements, READER_STATEMENTS, cause) &&
	    schema_check(&r->connection, cause)) {
		sqlite3_progress_handler(r->connection.db, STEPS_BETWEEN_LOOKS, is_late, r);
		return r;
	}
	reader_close(r);
	return NULL;
}

void reader_close(struct reader *r)
{
	if (r == NULL)
		return;
	connection_close(&r->connection);
	free(r);
}

sqlite3_stmt *reader_use(struct reader *r, enum reader_statement which)
{
	return connection_statement(&r->connection, which);
}

int reader_begin(struct reader *r, int64_t most_ms)
{
	r->deadline_ms = mono_ms() + most_ms;
	return connection_run(reader_use(r, READ_BEGIN));
}

enum query_status reader_end(struct reader *r, int result)
{
	struct connection *c = &r->connection;
	_Bool well = result == SQLITE_OK || result == SQLITE_DONE || result == SQLITE_ROW;

	if (!well && (result & 0xff) != SQLITE_INTERRUPT)
		connection_log(c, "database-read", "query");
	/* A statement that is not reset holds the snapshot, and with it the log. */
	for (int i = 0; i < c->count; i++)
		(void)sqlite3_reset(c->made[i]);
	r->deadline_ms = INT64_MAX;
	if (!sqlite3_get_autocommit(c->db) && connection_run(reader_use(r, READ_END)) != SQLITE_OK)
		connection_rollback(c);
	return well ? QUERY_OK : (result & 0xff) == SQLITE_INTERRUPT ? QUERY_TIMEOUT : QUERY_FAILED;
}

/* ---- bounds ---- */

#define GRIDS_AN_AREA INT64_C(1000)
#define AREA_MOST INT64_C(999999999999)
/* What the day in an id has room for, and more than a street will see. */
#define DAYS_MOST 1000000

/* An upper level's code ends in zeros (workflow: area_holds): 610404000000 covers every 610404xxxxxx. */
void reader_area(int64_t area, int64_t *low, int64_t *high)
{
	static const int64_t spans[] = { 10000000000, 100000000, 1000000, 1000, 1 };
	size_t i = 0;

	*low = area == 0 ? INT64_MIN : area;
	*high = area == 0 ? INT64_MAX : area;
	if (area == 0 || area > AREA_MOST)
		return;
	while (area % spans[i] != 0)
		i++;
	*low = area * GRIDS_AN_AREA;
	*high = (area + spans[i]) * GRIDS_AN_AREA - 1;
}

/* The first id of the day that lies so many days from that of a time; a peer's time may be any number. */
static int64_t id_near(int64_t shard, int64_t at_ms, int32_t days)
{
	int32_t day = clock_local_day(at_ms, NULL, NULL) + days;

	return case_id_make((int)shard, day < DAYS_MOST ? day : DAYS_MOST, 0);
}

int reader_id_bounds(struct reader *r, int64_t from_ms, int64_t to_ms, int64_t *low, int64_t *high)
{
	_Bool ok = 1;
	int64_t one_shard = case_id_make(1, 0, 0), first, last;

	*low = 0;
	*high = INT64_MAX;
	if (from_ms == 0 && to_ms == 0)
		return SQLITE_OK;
	first = connection_number(&r->connection,
	                          "SELECT min(id) FROM (SELECT min(id) AS id FROM open_case"
	                          " UNION ALL SELECT min(id) FROM closed_case)",
	                          0, &ok) /
	        one_shard;
	last = connection_number(&r->connection,
	                         "SELECT max(id) FROM (SELECT max(id) AS id FROM open_case"
	                         " UNION ALL SELECT max(id) FROM closed_case)",
	                         0, &ok) /
	       one_shard;
	if (!ok)
		return sqlite3_errcode(r->connection.db);
	if (first != last)
		return SQLITE_OK;
	if (from_ms != 0)
		*low = id_near(first, from_ms, -1);
	if (to_ms != 0)
		*high = id_near(first, to_ms, 2);
	return SQLITE_OK;
}

/* ---- the arena ---- */

struct result_block {
	struct result_block *next;
	size_t used, size;
	max_align_t bytes[];
};

void *result_take(struct result *mem, size_t size)
{
	size_t whole = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	struct result_block *b = mem->blocks;

	if (b == NULL || b->size - b->used < whole) {
		size_t room = whole > RESULT_BLOCK ? whole : RESULT_BLOCK;

		b = must_calloc(1, sizeof *b + room);
		b->size = room;
		b->next = mem->blocks;
		mem->blocks = b;
	}
	b->used += whole;
	return (char *)b->bytes + b->used - whole;
}

const char *result_text(struct result *mem, const char *text)
{
	size_t length;
	char *copy;

	if (text == NULL)
		return NULL;
	length = strlen(text) + 1;
	copy = result_take(mem, length);
	memcpy(copy, text, length);
	return copy;
}

void result_close(struct result *r)
{
	while (r->blocks) {
		struct result_block *next = r->blocks->next;

		free(r->blocks);
		r->blocks = next;
	}
}
