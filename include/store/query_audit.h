/* query_audit: who looked at or changed what, newest first. */
#ifndef STORE_QUERY_AUDIT_H
#define STORE_QUERY_AUDIT_H

#include "store/query.h"
#include "workflow/audit.h"

struct audit_filter {
	int64_t from_ms, to_ms;    /* to_ms 0: unbounded */
	const char *who, *subject; /* NULL: any */
	enum audited what;         /* AUDITED_NONE: any */
	int64_t before_id;         /* 0: from the newest */
	int limit;                 /* 1 … QUERY_PAGE_MOST */
};
struct audit_row {
	int64_t id;
	struct audit_fact fact;
	_Bool erased; /* its subject is a pseudonym now */
};
enum query_status query_audit(struct reader *r, const struct audit_filter *f, struct result *mem,
                              struct audit_row **rows, size_t *count) MUST_USE;

#define QUERY_AUDIT_SCAN 10000 /* rows of one piece */
/* One piece of the rows about a person: those that name it, and looks at its cases (with anonymous, at what it reported
 * anonymously too). *scanned_to: the cursor to go on from, 0 at the end; a piece may hold nothing. */
enum query_status query_audit_of(struct reader *r, const char *person, _Bool anonymous, int64_t before_id,
                                 struct result *mem, struct audit_row **rows, size_t *count,
                                 int64_t *scanned_to) MUST_USE;

#endif
