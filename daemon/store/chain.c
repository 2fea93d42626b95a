#include "store/chain.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* ---- seals and links ---- */

static void begin_seal(struct digester *d, const uint8_t *salt)
{
	digest_begin(d);
	digest_add(d, salt, CHAIN_SALT_SIZE);
}

void chain_seal_audit(struct digester *d, const uint8_t *salt, const struct audit_fact *f, uint8_t seal[DIGEST_SIZE])
{
	begin_seal(d, salt);
	digest_add_text(d, f->subject);
	digest_end(d, seal);
}

void chain_seal_ledger(struct digester *d, const uint8_t *salt, const struct ledger_fact *f, uint8_t seal[DIGEST_SIZE])
{
	begin_seal(d, salt);
	digest_add_text(d, f->person);
	digest_add_text(d, f->text);
	digest_end(d, seal);
}

static void begin_link(struct digester *d, const uint8_t *before, const uint8_t *seal)
{
	digest_begin(d);
	digest_add(d, before, DIGEST_SIZE);
	digest_add(d, seal, DIGEST_SIZE);
}

static void add_numbers(struct digester *d, const int64_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		digest_add_int(d, numbers[i]);
}

void chain_link_audit(struct digester *d, const uint8_t before[DIGEST_SIZE], int64_t id, const struct audit_fact *f,
                      const uint8_t seal[DIGEST_SIZE], uint8_t link[DIGEST_SIZE])
{
	const int64_t numbers[] = { id, f->at_ms, f->what, f->count };

	begin_link(d, before, seal);
	add_numbers(d, numbers, sizeof numbers / sizeof *numbers);
	digest_add_text(d, f->who);
	digest_add_text(d, f->purpose);
	digest_add_text(d, f->channel);
	digest_end(d, link);
}

void chain_link_ledger(struct digester *d, const uint8_t before[DIGEST_SIZE], const struct ledger_fact *f,
                       const uint8_t seal[DIGEST_SIZE], uint8_t link[DIGEST_SIZE])
{
	const int64_t numbers[] = { f->id, f->at_ms, f->payable_ms, f->points, f->case_id, f->place_key };

	begin_link(d, before, seal);
	add_numbers(d, numbers, sizeof numbers / sizeof *numbers);
	digest_add_text(d, f->rule);
	digest_end(d, link);
}

static void draw_salt(struct chain_link *out)
{
	must(getrandom(out->salt, sizeof out->salt, 0) == (ssize_t)sizeof out->salt);
}

void chain_forge_audit(struct digester *d, const struct chain_head *head, int64_t id, const struct audit_fact *f,
                       struct chain_link *out)
{
	draw_salt(out);
	chain_seal_audit(d, out->salt, f, out->seal);
	chain_link_audit(d, head->link, id, f, out->seal, out->link);
}

void chain_forge_ledger(struct digester *d, const struct chain_head *head, const struct ledger_fact *f,
                        struct chain_link *out)
{
	draw_salt(out);
	chain_seal_ledger(d, out->salt, f, out->seal);
	chain_link_ledger(d, head->link, f, out->seal, out->link);
}

/* ---- rows ---- */

static _Bool read_bytes(sqlite3_stmt *st, int at, void *out, int size)
{
	if (sqlite3_column_bytes(st, at) != size)
		return 0;
	memcpy(out, sqlite3_column_blob(st, at), (size_t)size);
	return 1;
}

static _Bool read_link(sqlite3_stmt *st, int at, struct chain_link *link, _Bool *has_salt)
{
	*has_salt = sqlite3_column_type(st, at) != SQLITE_NULL;
	return (!*has_salt || read_bytes(st, at, link->salt, sizeof link->salt)) &&
	       read_bytes(st, at + 1, link->seal, sizeof link->seal) &&
	       read_bytes(st, at + 2, link->link, sizeof link->link);
}

_Bool chain_read_audit(sqlite3_stmt *st, int64_t *id, struct audit_fact *out, struct chain_link *link, _Bool *has_salt)
{
	*id = column_int(st, 0);
	*out = (struct audit_fact){
		.at_ms = column_int(st, 1),
		.who = column_text(st, 2),
		.what = (enum audited)column_int(st, 3),
		.subject = column_text(st, 4),
		.purpose = column_text(st, 5),
		.channel = column_text(st, 6),
		.count = column_int(st, 7),
	};
	return read_link(st, 8, link, has_salt);
}

_Bool chain_read_ledger(sqlite3_stmt *st, struct ledger_fact *out, struct chain_link *link, _Bool *has_salt)
{
	*out = (struct ledger_fact){
		.id = column_int(st, 0),
		.person = column_text(st, 1),
		.at_ms = column_int(st, 2),
		.payable_ms = column_int(st, 3),
		.points = column_int(st, 4),
		.rule = column_text(st, 5),
		.case_id = column_int(st, 6),
		.place_key = column_int(st, 7),
		.text = column_text(st, 8),
	};
	return read_link(st, 9, link, has_salt);
}

/* ---- heads ---- */

_Bool chain_read_head(struct connection *c, enum chain_name which, struct chain_head *out)
{
	sqlite3_stmt *st = NULL;
	int result = sqlite3_prepare_v2(c->db, "SELECT id, link FROM chain_head WHERE chain = ?", -1, &st, NULL);

	*out = (struct chain_head){ 0 };
	if (result == SQLITE_OK) {
		bind_int(st, 1, which);
		result = sqlite3_step(st);
	}
	if (result == SQLITE_ROW) {
		out->id = column_int(st, 0);
		if (!read_bytes(st, 1, out->link, sizeof out->link))
			*out = (struct chain_head){ 0 };
	}
	(void)sqlite3_finalize(st);
	return result == SQLITE_ROW || result == SQLITE_DONE;
}

void chain_print_heads(const struct chain_head heads[CHAIN_COUNT], char *out, size_t size)
{
	char audit[DIGEST_TEXT_SIZE], ledger[DIGEST_TEXT_SIZE];

	digest_text(heads[CHAIN_AUDIT].link, audit);
	digest_text(heads[CHAIN_LEDGER].link, ledger);
	(void)snprintf(out, size, "audit=%lld:%s ledger=%lld:%s", (long long)heads[CHAIN_AUDIT].id, audit,
	               (long long)heads[CHAIN_LEDGER].id, ledger);
}

_Bool chain_tell_heads(struct connection *c, char *out, size_t size)
{
	struct chain_head heads[CHAIN_COUNT];

	for (int i = 0; i < CHAIN_COUNT; i++)
		if (!chain_read_head(c, (enum chain_name)i, &heads[i]))
			return 0;
	chain_print_heads(heads, out, size);
	return 1;
}

static int give_link(sqlite3_stmt *give, const struct chain_link *link, int64_t id)
{
	bind_bytes(give, 1, link->salt, sizeof link->salt);
	bind_bytes(give, 2, link->seal, sizeof link->seal);
	bind_bytes(give, 3, link->link, sizeof link->link);
	bind_int(give, 4, id);
	return connection_run(give);
}

static int link_rows(sqlite3_stmt *rows, sqlite3_stmt *give, struct chain_head *head)
{
	struct digester *d = digester_new();
	int result = SQLITE_OK, step = SQLITE_ROW;

	while (result == SQLITE_OK && (step = sqlite3_step(rows)) == SQLITE_ROW) {
		struct ledger_fact f;
		struct chain_link link;
		_Bool has_salt;

		(void)!chain_read_ledger(rows, &f, &link, &has_salt); /* it has none yet */
		chain_forge_ledger(d, head, &f, &link);
		result = give_link(give, &link, f.id);
		head->id = f.id;
		memcpy(head->link, link.link, sizeof head->link);
	}
	digester_free(d);
	return result != SQLITE_OK ? result : step == SQLITE_DONE ? SQLITE_OK : step;
}

static int note_head(struct connection *c, enum chain_name which, const struct chain_head *head)
{
	sqlite3_stmt *st = NULL;
	int result =
		sqlite3_prepare_v2(c->db, "INSERT INTO chain_head (chain, id, link) VALUES (?,?,?)", -1, &st, NULL);

	if (result == SQLITE_OK) {
		bind_int(st, 1, which);
		bind_int(st, 2, head->id);
		bind_bytes(st, 3, head->link, sizeof head->link);
		result = connection_run(st);
	}
	(void)sqlite3_finalize(st);
	return result;
}

int chain_begin(struct connection *c)
{
	struct chain_head none = { 0 }, head = { 0 };
	sqlite3_stmt *rows = NULL, *give = NULL;
	int result =
		sqlite3_prepare_v2(c->db, "SELECT " CHAIN_LEDGER_NAMES " FROM ledger ORDER BY id", -1, &rows, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_prepare_v2(c->db, "UPDATE ledger SET salt = ?, seal = ?, link = ? WHERE id = ?", -1,
		                            &give, NULL);
	if (result == SQLITE_OK)
		result = link_rows(rows, give, &head);
	(void)sqlite3_finalize(rows);
	(void)sqlite3_finalize(give);
	if (result == SQLITE_OK)
		result = note_head(c, CHAIN_LEDGER, &head);
	return result == SQLITE_OK ? note_head(c, CHAIN_AUDIT, &none) : result;
}
