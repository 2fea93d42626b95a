/* query_person: what a person's copy of what is kept is made of, beside what is asked otherwise too: which cases are one's,
 * newest first and one at a time, and all of a ledger. */
#ifndef STORE_QUERY_PERSON_H
#define STORE_QUERY_PERSON_H

#include "store/query.h"

#define QUERY_PERSON_DAYS 31 /* how much of the archive one piece of a search for anonymous reports looks at */

/* The newest case reported under this name, of those below an id (0: of all); *id 0: there is none. */
enum query_status query_case_of(struct reader *r, const char *person, int64_t before_id, int64_t *id) MUST_USE;
/* One piece of the search for what this person reported anonymously. *id 0: none in this piece; *scanned_to: the cursor to go
 * on from, 0 at the end. */
enum query_status query_case_sent_by(struct reader *r, const char *person, int64_t before_id, int64_t *id,
                                     int64_t *scanned_to) MUST_USE;

/* A page of the ledger's rows of this account, newest first, below an id; 0: of all. */
enum query_status query_ledger(struct reader *r, const char *person, int64_t before_id, struct result *mem,
                               struct ledger_row **rows, size_t *count) MUST_USE;

#endif
