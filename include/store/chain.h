/* chain: the audit's and the ledger's rows, each carrying SHA-256 over the row before it and its own contents. Whoever edits,
 * takes away, puts in or swaps a row breaks the chain at that row; whoever cuts off the newest ones is found out by the
 * head, which chain_head keeps. Whoever writes the whole chain anew, and the head too, is found out by a head that was
 * noted elsewhere: the log has one a day, each backup one.
 *
 * What the law wants erased must not break it: the person (and words) of a row stand in the chain only as a seal, SHA-256
 * over them and 16 random bytes of the row's own, its salt. Erasing blanks the person and the salt. The seal stays, so the
 * chain holds; without the salt nobody finds out by trying whom it was made of. Private to store/. */
#ifndef STORE_CHAIN_H
#define STORE_CHAIN_H

#include "base/digest.h"
#include "store/connection.h"
#include "workflow/audit.h"
#include "workflow/facts.h"

#define CHAIN_SALT_SIZE 16

enum chain_name { CHAIN_AUDIT = 0, CHAIN_LEDGER = 1, CHAIN_COUNT };
#define CHAIN_AUDIT_CUT CHAIN_COUNT /* a head too: the last row that was cut off the audit's front */

/* The newest row of a chain: its id and link. All zero before the first. */
struct chain_head {
	int64_t id;
	uint8_t link[DIGEST_SIZE];
};

struct chain_link {
	uint8_t salt[CHAIN_SALT_SIZE], seal[DIGEST_SIZE], link[DIGEST_SIZE];
};

/* The seal over what may be erased: an audit row's subject; a ledger row's person and text. */
void chain_seal_audit(struct digester *d, const uint8_t *salt, const struct audit_fact *f, uint8_t seal[DIGEST_SIZE]);
void chain_seal_ledger(struct digester *d, const uint8_t *salt, const struct ledger_fact *f, uint8_t seal[DIGEST_SIZE]);
/* The link over the link before, the seal, and everything else of the row. */
void chain_link_audit(struct digester *d, const uint8_t before[DIGEST_SIZE], int64_t id, const struct audit_fact *f,
                      const uint8_t seal[DIGEST_SIZE], uint8_t link[DIGEST_SIZE]);
void chain_link_ledger(struct digester *d, const uint8_t before[DIGEST_SIZE], const struct ledger_fact *f,
                       const uint8_t seal[DIGEST_SIZE], uint8_t link[DIGEST_SIZE]);
/* Salt from getrandom(2), then seal and link of a new row behind the head. */
void chain_forge_audit(struct digester *d, const struct chain_head *head, int64_t id, const struct audit_fact *f,
                       struct chain_link *out);
void chain_forge_ledger(struct digester *d, const struct chain_head *head, const struct ledger_fact *f,
                        struct chain_link *out);

/* Reads a head; false when SQLite refuses. A database that has none yet gives zeros. */
_Bool chain_read_head(struct connection *c, enum chain_name which, struct chain_head *out) MUST_USE;
/* Both heads as texts: "audit=ID:LINK ledger=ID:LINK". */
void chain_print_heads(const struct chain_head heads[CHAIN_COUNT], char *out, size_t size);
_Bool chain_tell_heads(struct connection *c, char *out, size_t size) MUST_USE;
/* Gives every ledger row that has no link one, oldest first, and notes the heads: a database of version 1 becoming one of
 * version 2. SQLite's result. */
int chain_begin(struct connection *c) MUST_USE;

/* The columns of the two tables in the order in which these read them, from column 0 on; texts are SQLite's until the next
 * step. false: the salt, seal or link has not its size; *has_salt: 0 once it is erased. */
#define CHAIN_AUDIT_NAMES "id, at_ms, who, what, subject, purpose, channel, count, salt, seal, link"
#define CHAIN_LEDGER_NAMES "id, person, at_ms, payable_ms, points, rule, case_id, place_key, text, salt, seal, link"
_Bool chain_read_audit(sqlite3_stmt *st, int64_t *id, struct audit_fact *out, struct chain_link *link,
                       _Bool *has_salt) MUST_USE;
_Bool chain_read_ledger(sqlite3_stmt *st, struct ledger_fact *out, struct chain_link *link, _Bool *has_salt) MUST_USE;

#endif
