/* erase: one person's data go at the person's own request or an officer's (删除个人信息). Not while a case of the person's is
 * open: somebody is still to hear how it ends. What is left of the points is forfeited by a row of the ledger, for nobody
 * could redeem it any more; the account's rows stay under a name that says nothing, so that the books still add up. */
#ifndef WORKFLOW_ERASE_H
#define WORKFLOW_ERASE_H

#include "workflow/decision.h"

#define ERASE_NAME_SIZE 24 /* "erased-0123456789abcdef", the room of an audit_fact */

/* A COMMAND_ERASE: person, reason why; its key makes the name. */
_Bool erase_judge(struct decision *d);

#endif
