/* login: where the daemon is and who asks, from options, environment or the login file. */
#ifndef CLI_LOGIN_H
#define CLI_LOGIN_H

#include "client.h"
#include "options.h"

#define LOGIN_SERVER_DEFAULT "127.0.0.1:7311"

extern const struct option_row login_options[]; /* --server, --as, --token, --tls …; ends with a NULL name */

/* Each of server, id, token, ca, cert and key comes from the first that has it: option, environment (GRIDLOOP_SERVER,
 * GRIDLOOP_ID, GRIDLOOP_TOKEN, GRIDLOOP_CA …), file. The file is ~/.config/gridloop/login with lines "id = …",
 * "token = …", "server = …", "tls = yes"; it is refused unless its mode is 0600, because it holds a secret. Whoever names
 * a file of TLS means TLS, so that no slip sends a token in the open. texts keep what out points to; free each. */
#define LOGIN_TEXTS 6
_Bool login_find(const struct options *o, struct login *out, char *texts[LOGIN_TEXTS], struct trouble *why) MUST_USE;

#endif
