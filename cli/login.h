/* login: where the daemon is and who asks, from options, environment or the login file. */
#ifndef CLI_LOGIN_H
#define CLI_LOGIN_H

#include "client.h"
#include "options.h"

#define LOGIN_SERVER_DEFAULT "127.0.0.1:7311"

extern const struct option_row login_options[]; /* --server, --as, --token; ends with a NULL name */

/* Each of server, id and token comes from the first that has it: option, environment (GRIDLOOP_SERVER, GRIDLOOP_ID,
 * GRIDLOOP_TOKEN), file. The file is ~/.config/gridloop/login with lines "id = …", "token = …", "server = …"; it is
 * refused unless its mode is 0600, because it holds a secret. texts keep what out points to; free each. */
_Bool login_find(const struct options *o, struct login *out, char *texts[3], struct trouble *why) MUST_USE;

#endif
