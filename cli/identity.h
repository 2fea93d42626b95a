/* identity: what the two files of `gridloop identity …` share. */
#ifndef CLI_IDENTITY_H
#define CLI_IDENTITY_H

#include "show.h"
#include "verb.h"

extern const struct option_row identity_list_options[];
enum exit_code identity_run_list(struct call *call);
enum exit_code identity_run_show(struct call *call);
/* Says what was made; the token with it. */
void identity_print_issued(const struct call *call, const Gridloop__V1__CredentialIssued *m);

#endif
