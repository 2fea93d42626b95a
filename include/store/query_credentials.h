/* query_credentials: who has or had which credentials. */
#ifndef STORE_QUERY_CREDENTIALS_H
#define STORE_QUERY_CREDENTIALS_H

#include "store/query.h"

struct credential_filter {
	const char *person; /* NULL: any */
	_Bool ended_too;    /* revoked and expired ones */
	int64_t now_ms;
	int64_t before_id; /* cursor: ids below this; 0: from the newest */
};
/* Newest first, QUERY_PAGE_MOST at most. */
enum query_status query_credentials(struct reader *r, const struct credential_filter *f, struct result *mem,
                                    struct credential **rows, size_t *count) MUST_USE;

#endif
