/* Rows of the two chains: the audit's, and what a ledger row carries beside its own. */
#include <string.h>

#include "base/log.h"
#include "store/expire.h"
#include "store/write_audit.h"

/* ---- heads ---- */

static const struct {
	const char *name, *newest;
} chains[CHAIN_COUNT] = {
	[CHAIN_AUDIT] = { "audit", "SELECT max(id) FROM audit" },
	[CHAIN_LEDGER] = { "ledger", "SELECT max(id) FROM ledger" },
};

/* What is behind the head, or no more there, was done by hand. Work goes on, for a street's doors are not closed over it,
 * and what is wrong stays for `gridloop verify` to find: the next row is linked to the head, not to what was put in. */
static _Bool learn_head(struct store *s, enum chain_name which)
{
	struct chain_head *head = &s->heads[which];
	_Bool ok = chain_read_head(&s->connection, which, head);
	int64_t newest = connection_number(&s->connection, chains[which].newest, 0, &ok);

	if (ok && newest != head->id) {
		log_line(LOG_LEVEL_ERROR, "chain-broken",
		         "chain=%s newest=%lld expected=%lld action=\"run gridloop verify\"", chains[which].name,
		         (long long)newest, (long long)head->id);
		head->id = newest > head->id ? newest : head->id;
	}
	s->heads_moved[which] = 0;
	return ok;
}

_Bool writer_learn_heads(struct store *s, char **cause)
{
	if (!s->digester)
		s->digester = digester_new();
	for (int i = 0; i < CHAIN_COUNT; i++) {
		if (!learn_head(s, (enum chain_name)i)) {
			*cause = connection_cause(&s->connection, "the heads of the chains cannot be read");
			return 0;
		}
	}
	return 1;
}

static void move_head(struct store *s, enum chain_name which, int64_t id, const uint8_t *link)
{
	s->heads[which].id = id;
	memcpy(s->heads[which].link, link, DIGEST_SIZE);
	s->heads_moved[which] = 1;
}

enum store_result writer_write_heads(struct store *s)
{
	enum store_result result = STORE_OK;

	for (int i = 0; i < CHAIN_COUNT && result == STORE_OK; i++) {
		if (!s->heads_moved[i])
			continue;
		sqlite3_stmt *st = writer_use(s, WRITE_CHAIN_HEAD);

		bind_int(st, 1, s->heads[i].id);
		bind_bytes(st, 2, s->heads[i].link, DIGEST_SIZE);
		bind_int(st, 3, i);
		result = writer_execute(s, st, "chain-head");
		s->heads_moved[i] = 0;
	}
	return result;
}

void store_heads(const struct store *s, char out[STORE_HEADS_SIZE])
{
	chain_print_heads(s->heads, out, STORE_HEADS_SIZE);
}

/* ---- rows ---- */

static void bind_link(sqlite3_stmt *st, int at, const struct chain_link *link)
{
	bind_bytes(st, at, link->salt, sizeof link->salt);
	bind_bytes(st, at + 1, link->seal, sizeof link->seal);
	bind_bytes(st, at + 2, link->link, sizeof link->link);
}

void writer_bind_link(struct store *s, sqlite3_stmt *st, int at, const struct ledger_fact *f, struct chain_link *room)
{
	chain_forge_ledger(s->digester, &s->heads[CHAIN_LEDGER], f, room);
	bind_link(st, at, room);
	move_head(s, CHAIN_LEDGER, f->id, room->link);
}

/* The person's rows, its forfeited points among them, take the name before the row that tells how many they were. */
static enum store_result erase_first(struct store *s, const struct audit_fact *f)
{
	struct audit_fact row = *f;
	enum store_result result = store_erase(s, f->erased, f->subject, &row.count);

	row.erased = NULL;
	return result == STORE_OK ? store_write_audit(s, &row) : result;
}

enum store_result store_write_audit(struct store *s, const struct audit_fact *f)
{
	if (f->erased)
		return erase_first(s, f);
	sqlite3_stmt *st = writer_use(s, WRITE_AUDIT);
	int64_t id = s->heads[CHAIN_AUDIT].id + 1;
	struct chain_link link;

	chain_forge_audit(s->digester, &s->heads[CHAIN_AUDIT], id, f, &link);
	bind_int(st, 1, id);
	bind_int(st, 2, f->at_ms);
	bind_text(st, 3, f->who);
	bind_int(st, 4, f->what);
	bind_text(st, 5, f->subject);
	bind_text(st, 6, f->purpose);
	bind_text(st, 7, f->channel);
	bind_int(st, 8, f->count);
	bind_link(st, 9, &link);
	move_head(s, CHAIN_AUDIT, id, link.link);
	/* As with credentials: on a replay clock people log in to an empty street before it has a time. */
	if (f->what < AUDITED_LOGIN)
		writer_saw(s, f->at_ms);
	return writer_execute(s, st, "audit");
}
