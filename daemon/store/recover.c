/* recover: the open rows become a casebook again. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/credentials.h"
#include "store/writer.h"
#include "workflow/case_number.h"

struct recovery {
	struct store *store;
	struct casebook *book;
	int64_t keys;
	int64_t oldest_key_ms; /* the time at the front of the oldest key loaded */
};

/* One step of the recovery: a text, and what is done with each of its rows. false: the row cannot be. */
struct loading {
	const char *what;
	const char *sql;
	_Bool (*row)(struct recovery *r, sqlite3_stmt *st);
};

static _Bool load_case(struct recovery *r, sqlite3_stmt *st)
{
	struct case_file c;

	if (!row_read(st, 0, &c, &r->store->units) || state_info((enum state)c.state)->terminal)
		return 0;
	c.address = address_key(column_text(st, ROW_CASE_COUNT));
	casebook_restore_case(r->book, &c);
	return 1;
}

static _Bool load_follower(struct recovery *r, sqlite3_stmt *st)
{
	struct follower f = {
		.case_id = column_int(st, 1),
		.category = (int32_t)column_int(st, 2),
		.reporter = column_text(st, 3),
		.reporter_kind = (uint8_t)column_int(st, 4),
		.doubts = (uint8_t)column_int(st, 5),
	};

	casebook_restore_follower(r->book, column_int(st, 0), &f);
	return 1;
}

static _Bool load_account(struct recovery *r, sqlite3_stmt *st)
{
	casebook_restore_ledger(r->book, column_text(st, 0), column_int(st, 1), (int32_t)column_int(st, 2),
	                        column_int(st, 3));
	return 1;
}

static _Bool load_pending(struct recovery *r, sqlite3_stmt *st)
{
	int64_t payable_ms = column_int(st, 2);

	if (payable_ms > r->store->last_ms)
		casebook_restore_pending(r->book, column_text(st, 0), column_int(st, 1), payable_ms);
	return 1;
}

static _Bool load_place(struct recovery *r, sqlite3_stmt *st)
{
	casebook_restore_rewarded(r->book, column_int(st, 0), column_int(st, 1));
	return 1;
}

/* The time at the front of a key. A key of another version is read as if it had one: at worst that makes more keys be
 * asked of the store than need be. */
static int64_t front_ms(const struct uuid *key)
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | key->bytes[i];
	return ms;
}

static _Bool load_key(struct recovery *r, sqlite3_stmt *st)
{
	struct key_fact k;

	writer_read_key(st, &k);
	if (r->keys++ == 0)
		r->oldest_key_ms = front_ms(&k.key);
	casebook_restore_key(r->book, &k);
	return 1;
}

/* All of these are loaded, so they say nothing about how far back memory is complete. */
static _Bool load_new_key(struct recovery *r, sqlite3_stmt *st)
{
	struct key_fact k;

	writer_read_key(st, &k);
	casebook_restore_key(r->book, &k);
	return 1;
}

static _Bool load_span(struct recovery *r, sqlite3_stmt *st)
{
	struct alarm_span span;
	int64_t end = column_int(st, 12);

	if (!spans_read(st, &span) || end < STATE_NONE || end >= STATE_COUNT)
		return 0;
	casebook_restore_span(r->book, &span, (enum state)end);
	return 1;
}

static _Bool load_emergency(struct recovery *r, sqlite3_stmt *st)
{
	struct emergency e = {
		.id = column_int(st, 0),
		.area = column_int(st, 1),
		.from_ms = column_int(st, 2),
		.to_ms = column_int(st, 3),
		.declared_ms = column_int(st, 4),
		.declared_event = column_int(st, 5),
		.declared_by = column_text(st, 6),
		.lifted_ms = column_int(st, 7),
		.lifted_event = column_int(st, 8),
		.lifted_by = column_text(st, 9),
	};

	casebook_restore_emergency(r->book, &e);
	return 1;
}

/* The last day of which there is a case: what its reporters have sent counts towards that day's caps. */
static _Bool load_reported(struct recovery *r, sqlite3_stmt *st)
{
	casebook_restore_reported(r->book, column_text(st, 0), case_id_day(column_int(st, 1)), column_int(st, 2));
	return 1;
}

static _Bool load_look(struct recovery *r, sqlite3_stmt *st)
{
	casebook_restore_look(r->book, (uint64_t)column_int(st, 0),
	                      (struct look_owner){ column_int(st, 1), (int32_t)column_int(st, 2) });
	return 1;
}

static _Bool load_credential(struct recovery *r, sqlite3_stmt *st)
{
	struct credential c;

	if (!credentials_read(st, &c))
		return 0;
	casebook_restore_credential(r->book, &c);
	return 1;
}

#define NUMBER_TEXT(n) #n
#define NUMBER(n) NUMBER_TEXT(n)

static const struct loading loadings[] = {
	{ "open cases", "SELECT " ROW_CASE_NAMES ", address FROM open_case ORDER BY id", load_case },
	/* Who was merged into a case that was itself merged follows the last of the chain. */
	{ "followers",
	  "WITH RECURSIVE tree (master, follower) AS ("
	  " SELECT o.id, c.id FROM open_case o CROSS JOIN closed_case c INDEXED BY closed_by_master"
	  " ON c.merged_into = o.id AND c.merged_into <> 0"
	  " UNION ALL SELECT tree.master, c.id FROM tree CROSS JOIN closed_case c INDEXED BY closed_by_master"
	  " ON c.merged_into = tree.follower AND c.merged_into <> 0)"
	  " SELECT master, id, category, reporter, reporter_kind, doubts FROM tree CROSS JOIN closed_case ON id = "
	  "follower"
	  " ORDER BY master, last_event",
	  load_follower },
	{ "accounts", "SELECT person, balance, month, month_points FROM account", load_account },
	{ "points not yet payable",
	  "SELECT person, points, payable_ms FROM ledger WHERE payable_ms > at_ms ORDER BY id", load_pending },
	{ "rewarded places", "SELECT place_key, at_ms FROM ledger WHERE place_key <> 0 ORDER BY id", load_place },
	/* Keys sort by time, so the newest ones are the last of the tree. */
	{ "newest settled keys",
	  "SELECT " WRITER_KEY_NAMES " FROM settled_key WHERE key >= coalesce((SELECT key FROM settled_key"
	  " ORDER BY key DESC LIMIT 1 OFFSET " NUMBER(CASEBOOK_KEYS_PER_GENERATION) " - 1), x'') ORDER BY key",
	  load_key },
	{ "alarm spans",
	  "SELECT " WRITER_SPAN_NAMES ", (SELECT state FROM closed_case WHERE closed_case.id = case_id)"
	  " FROM alarm_span ORDER BY last_ms, id",
	  load_span },
	{ "emergencies",
	  "SELECT * FROM (SELECT id, area, from_ms, to_ms, declared_ms, declared_event, declared_by, lifted_ms,"
	  " lifted_event, lifted_by FROM emergency ORDER BY id DESC LIMIT " NUMBER(EMERGENCIES_MOST) ") ORDER BY id",
	  load_emergency },
	{ "the newest day's reports",
	  "WITH newest (id) AS (SELECT max(coalesce((SELECT max(id) FROM open_case), 0),"
	  " coalesce((SELECT max(id) FROM closed_case), 0))), first (id) AS (SELECT id & ~" NUMBER(
		  CASE_SEQUENCE_MOST) " FROM newest) SELECT reporter, id, reported_ms FROM ("
	                              "SELECT reporter, id, reported_ms FROM open_case WHERE id >= (SELECT id FROM "
	                              "first) UNION ALL "
	                              "SELECT reporter, id, reported_ms FROM closed_case WHERE id >= (SELECT id FROM "
	                              "first))"
	                              " WHERE reporter IS NOT NULL ORDER BY reported_ms, id",
	  load_reported },
	{ "photos of reports",
	  "SELECT look, case_id, category FROM (SELECT c.id AS id, e.look AS look, c.case_id AS case_id, v.category AS"
	  " category FROM case_evidence c JOIN evidence e ON e.sha256 = c.sha256 AND e.person = c.person"
	  " JOIN case_event v ON v.id = c.event_id WHERE v.act = 1 AND e.look <> 0 ORDER BY c.id DESC LIMIT " NUMBER(
		  LOOKS_MOST) ") ORDER BY id",
	  load_look },
	{ "credentials", "SELECT " CREDENTIAL_NAMES " FROM credential WHERE revoked_ms = 0 ORDER BY id",
	  load_credential },
	{ "new keys", "SELECT " WRITER_KEY_NAMES " FROM new_key ORDER BY id", load_new_key },
};

static _Bool load(struct recovery *r, const struct loading *l, char **cause)
{
	struct connection *c = &r->store->connection;
	sqlite3_stmt *st = NULL;
	int64_t rows = 0;
	int result = sqlite3_prepare_v2(c->db, l->sql, -1, &st, NULL);

	if (result == SQLITE_OK)
		while ((result = sqlite3_step(st)) == SQLITE_ROW && l->row(r, st))
			rows++;
	if (result == SQLITE_ROW)
		must(asprintf(cause, "%s: row %lld holds what cannot be; run gridloop verify", l->what,
		              (long long)column_int(st, 0)) >= 0);
	else if (result != SQLITE_DONE)
		*cause = connection_cause(c, l->what);
	else
		log_line(LOG_LEVEL_INFO, "database-load", "what=\"%s\" rows=%lld", l->what, (long long)rows);
	(void)sqlite3_finalize(st);
	return result == SQLITE_DONE;
}

/* The newest case id of this shard; other shards' ids lie outside its range. */
static int64_t newest_case(struct store *s, int shard, _Bool *ok)
{
	const char *sql = "SELECT max(id) FROM (SELECT max(id) AS id FROM open_case WHERE id BETWEEN ?1 AND ?2"
			  " UNION ALL SELECT max(id) FROM closed_case WHERE id BETWEEN ?1 AND ?2)";
	sqlite3_stmt *st = NULL;
	int64_t id = 0;

	*ok = *ok && sqlite3_prepare_v2(s->connection.db, sql, -1, &st, NULL) == SQLITE_OK;
	if (*ok) {
		int64_t first = case_id_make(shard, 0, 0);

		bind_int(st, 1, first);
		bind_int(st, 2, first + case_id_make(1, 0, 0) - 1);
		*ok = sqlite3_step(st) == SQLITE_ROW;
		id = column_int(st, 0);
	}
	(void)sqlite3_finalize(st);
	return id;
}

static _Bool restore_counters(struct recovery *r, char **cause)
{
	struct connection *c = &r->store->connection;
	_Bool ok = 1;
	int64_t newest = newest_case(r->store, casebook_shard(r->book), &ok);
	struct counters n = {
		.event = 1 + connection_number(c, "SELECT max(id) FROM case_event", 0, &ok),
		.ledger = 1 + connection_number(c, "SELECT max(id) FROM ledger", 0, &ok),
		.notice = 1 + connection_number(c, "SELECT max(id) FROM notice", 0, &ok),
		.day = newest == 0 ? 0 : case_id_day(newest),
		.sequence = newest == 0 ? 1 : case_id_sequence(newest) + 1,
		.span = 1 + connection_number(c, "SELECT max(id) FROM alarm_span", 0, &ok),
		.credential = 1 + connection_number(c, "SELECT max(id) FROM credential", 0, &ok),
		.last_ms = r->store->last_ms,
	};

	if (!ok) {
		*cause = connection_cause(c, "counters");
		return 0;
	}
	casebook_restore_counters(r->book, &n);
	return 1;
}

/* The two halves of the book of points, in sum; which account it is, verify says. */
static _Bool check_points(struct recovery *r, char **cause)
{
	_Bool ok = 1;
	int64_t apart = connection_number(&r->store->connection,
	                                  "SELECT (SELECT coalesce(sum(points), 0) FROM ledger)"
	                                  " - (SELECT coalesce(sum(balance), 0) FROM account)",
	                                  0, &ok);

	if (!ok)
		*cause = connection_cause(&r->store->connection, "points");
	else if (apart != 0)
		must(asprintf(cause,
		              "the ledger and the accounts are %lld points apart; keep the file, run gridloop verify",
		              (long long)apart) >= 0);
	return ok && apart == 0;
}

_Bool store_recover(struct store *s, struct casebook *b, char **cause)
{
	struct recovery r = { .store = s, .book = b };

	_Bool loaded = check_points(&r, cause);

	for (size_t i = 0; i < sizeof loadings / sizeof *loadings && loaded; i++)
		loaded = load(&r, &loadings[i], cause);
	if (!loaded) {
		writer_tell_failure(s);
		return 0;
	}
	if (r.keys >= CASEBOOK_KEYS_PER_GENERATION)
		casebook_restore_keys_from(b, r.oldest_key_ms);
	return restore_counters(&r, cause);
}
