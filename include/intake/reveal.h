/* reveal: how much of a person a viewer is shown. Everything that leaves the daemon about a case passes through here on its
 * way into a message (intake/view.c): what the viewer must not see is replaced in the rows themselves, so that no message
 * can hold it.
 *
 * Three degrees. Who is owner (reported it, or is the gateway that sent it) sees what it gave. Who has the right
 * "see-reporter" sees the account, everything else masked; who has the right "unmask" sees all of it when it says what
 * for, and that look is recorded with its purpose before the answer. Everybody else, above all whoever handles it, sees
 * "reporter-3f2a", a name of this one case, and masked texts: both rights are shut to who handles, whatever other role it
 * holds, for that is the party complained about. Workers who report on duty are colleagues, and are named. */
#ifndef INTAKE_REVEAL_H
#define INTAKE_REVEAL_H

#include "intake/question.h"
#include "store/query_evidence.h"

enum reveal { REVEAL_NOBODY, REVEAL_REPORTER, REVEAL_ALL };

/* How much this person sees of that case; purpose: it has said what for. */
enum reveal reveal_of(const struct policy *policy, const struct person *p, const struct case_file *c, _Bool purpose);
/* How the person stands to it, for those two rights. */
struct rights_on reveal_on(const struct person *p, const struct case_file *c);
/* Whether the person may look for the cases of a reporter that is not its own. Who handles may not, or it could try names. */
_Bool reveal_may_search(const struct policy *policy, const struct person *p);

/* Each takes out of the rows what is not for q's person. */
void reveal_case(struct question *q, struct case_answer *answer, enum reveal how);
void reveal_row(struct question *q, struct case_row *row, enum reveal how);
void reveal_evidence(struct question *q, const struct case_file *c, struct case_evidence *rows, size_t count,
                     enum reveal how);
void reveal_news(struct question *q, struct news_row *row);
void reveal_notice(struct question *q, struct notice_row *row);
/* A row of this account: to a stranger it says how many points, not for which case. */
void reveal_ledger(struct question *q, const char *account, struct ledger_row *row);
/* Somebody's account on the board, for who need not know it. */
const char *reveal_account(struct question *q, const char *account);

#endif
