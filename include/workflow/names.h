/* names: one copy of every person, unit and camera id that open cases mention. Names are never forgotten while the
 * daemon runs; there are as many as people, not as cases. */
#ifndef WORKFLOW_NAMES_H
#define WORKFLOW_NAMES_H

#include "base/must.h"

struct names;

struct names *names_new(void) MUST_USE;
void names_free(struct names *n); /* NULL is fine */
/* The one copy of text; NULL gives NULL. */
const char *names_intern(struct names *n, const char *text);

#endif
