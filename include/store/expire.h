/* expire: personal fields whose time is over leave the archive; what is counted stays (个人信息到期删除). Of a case that ended
 * before the given time go the reporter (a constant stands in its place), contact, beneficiary, the address, the reporter's
 * own words and photos, and in everybody else's words the numbers and the reporter's names. Category, grid, place, times,
 * states, ratings and points stay, so figures before and after are the same, and the events still replay to the row. The
 * ledger keeps its accounts: it is the bookkeeping of what people still have. */
#ifndef STORE_EXPIRE_H
#define STORE_EXPIRE_H

#include "store/store.h"

#define EXPIRE_CASES_AT_ONCE 500
#define EXPIRE_NOTICES_AT_ONCE 5000
#define EXPIRE_NAME "erased" /* who reported, once nobody knows any more */

struct expired {
	int64_t cases, notices;
	_Bool more; /* the next piece is waiting */
};

/* One piece, within a transaction. */
enum store_result store_expire(struct store *s, int64_t before_ms, struct expired *out) MUST_USE;

/* All that is of one person, whenever it ended, within a transaction: its cases as above, what it was told, files it sent
 * and nobody named, its account and rows of both chains, which go on under `name`. *rows: of the chains. */
enum store_result store_erase(struct store *s, const char *person, const char *name, int64_t *rows) MUST_USE;

#endif
