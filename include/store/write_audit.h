/* write_audit: the writer's side of the two chains (store/chain.h). Private to store/. */
#ifndef STORE_WRITE_AUDIT_H
#define STORE_WRITE_AUDIT_H

#include "store/writer.h"

/* Reads the heads anew, from the rows as they are. */
_Bool writer_learn_heads(struct store *s, char **cause) MUST_USE;
/* Puts a ledger row's salt, seal and link into the statement from parameter `at` on, and moves the head; they live in
 * *room until the step. */
void writer_bind_link(struct store *s, sqlite3_stmt *st, int at, const struct ledger_fact *f, struct chain_link *room);
/* Writes the heads that have moved: once a commit. */
enum store_result writer_write_heads(struct store *s) MUST_USE;

#endif
