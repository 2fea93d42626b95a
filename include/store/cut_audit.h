/* cut_audit: rows of the audit whose time is over go from its front (审计保存期). The chain begins then behind the last that
 * went: its id and link are kept in chain_head, and a row of the chain itself tells them, so that a front cut off by hand is
 * found. What erasures that went had told of the rows that are left (store/chain.h) is told anew. */
#ifndef STORE_CUT_AUDIT_H
#define STORE_CUT_AUDIT_H

#include "store/store.h"

#define CUT_AUDIT_AT_ONCE 5000 /* rows of one piece */
#define CUT_SUBJECT_SIZE 96    /* "12345:" and a link */

/* What the row says of the last one that went. */
void cut_audit_subject(int64_t id, const uint8_t *link, char out[CUT_SUBJECT_SIZE]);
/* One piece, within a transaction: up to the last row of before this time, and never the newest.
 * *gone: how many; as many as a piece has: the next is waiting. */
enum store_result store_cut_audit(struct store *s, int64_t before_ms, int64_t now_ms, int64_t *gone) MUST_USE;

#endif
