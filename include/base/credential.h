/* credential: a secret that is not in a configuration file. A value "credential:NAME" stands for the file NAME in the
 * folder that the service manager has prepared for this process alone ($CREDENTIALS_DIRECTORY, systemd.exec(5)). */
#ifndef BASE_CREDENTIAL_H
#define BASE_CREDENTIAL_H

#include "base/must.h"

#define CREDENTIAL_MOST 4096 /* bytes of one */

_Bool credential_is_named(const char *value);
/* The value itself, or the one line of the credential it names (heap; wipe it when it is no longer needed). NULL with
 * *cause (heap), which never holds the secret. */
char *credential_read(const char *value, char **cause) MUST_USE;
/* Wipes and frees; NULL is fine. */
void credential_free(char *secret);

#endif
